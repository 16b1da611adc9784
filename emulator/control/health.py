"""That the emulator lives, and what it holds."""

from emulator import __version__
from emulator.control.routes import Call, Route
from emulator.messages.health import Counts, Health, Ready
from emulator.timekeeping import state_of


async def _health(call: Call) -> Health:
    namespace, namespaces = call.namespace, call.namespaces
    store, journal = namespace.store, namespace.journal
    return Health(
        status="ok",
        version=__version__,
        namespace=namespace.name,
        scenario=namespace.active.scenario.name,
        clock=state_of(namespace.clock),
        tasks=Counts(kept=len(store), dropped=store.dropped),
        requests=Counts(kept=len(journal), dropped=journal.dropped),
        namespaces=Counts(kept=len(namespaces), dropped=namespaces.dropped),
    )


async def _ready(_call: Call) -> Ready:
    return Ready(ready=True)


ROUTES = (
    Route(
        method="GET",
        path="/health",
        handler=_health,
        about="That the emulator lives, and what the namespace holds.",
        tag="health",
        answers=Health,
        needs_no_token=True,
    ),
    Route(
        method="GET",
        path="/ready",
        handler=_ready,
        about="That requests are answered. The emulator listens only when they are.",
        tag="health",
        answers=Ready,
        needs_no_token=True,
    ),
)
