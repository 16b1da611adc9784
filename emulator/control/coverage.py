"""Coverage: what of the scenarios clients have met, over all namespaces."""

from typing import Final

from emulator.control.fields import Field, one_of, text
from emulator.control.problems import unknown
from emulator.control.routes import Call, Route, Text
from emulator.coverage import as_text, coverage_of
from emulator.engine import Namespace
from emulator.messages.coverage import Coverage

TAG: Final = "coverage"
_TEXT: Final = "text/plain"
_NAMESPACE: Final = Field(
    "namespace",
    text("the name of a namespace"),
    "Only what was met in this one since it was made or reset; left out: in the whole process.",
)
_SCENARIOS: Final = Field(
    "scenarios",
    one_of("touched", "all"),
    "all: those too that were in force and of which nothing was met (of one namespace: the one in force).",
    default="touched",
)
_FORMAT: Final = Field("format", one_of("json", "text"), "text: for people to read.", default="json")


def _named(call: Call, name: str) -> Namespace:
    found = call.namespaces.get(name)
    if found is not None:
        return found
    detail = f"namespace: none is called {name[:200]!r}; GET /__admin/namespaces lists those that there are"
    raise unknown("Unknown namespace", detail)


def _of_process(call: Call, everything: bool) -> Coverage:
    """What was met anywhere, by clients of namespaces that are gone too."""
    ledger = call.namespaces.ledger
    met = ledger.marks.union(*(namespace.met for namespace in call.namespaces))
    # Those in force are known even where the ledger had to forget some.
    active = {namespace.active.scenario.version: namespace.active.scenario for namespace in call.namespaces}
    scenarios = {**ledger.scenarios, **active}
    return coverage_of(met, scenarios, also=scenarios if everything else ())


def _of_one(call: Call, namespace: Namespace, everything: bool) -> Coverage:
    """What was met in one namespace."""
    active = namespace.active.scenario
    scenarios = {**call.namespaces.ledger.scenarios, active.version: active}
    also = (active.version,) if everything else ()
    return coverage_of(namespace.met, scenarios, also=also, namespace=namespace.name)


async def _coverage(call: Call) -> Coverage | Text:
    name, everything = call.query["namespace"], call.query["scenarios"] == "all"
    found = _of_process(call, everything) if name is None else _of_one(call, _named(call, name), everything)
    return Text(as_text(found), _TEXT) if call.query["format"] == "text" else found


async def _begin_anew(call: Call) -> Coverage:
    call.namespaces.ledger.clear()
    for namespace in call.namespaces:
        namespace.met.clear()
    return coverage_of((), {})


ROUTES = (
    Route(
        method="GET",
        path="/coverage",
        handler=_coverage,
        about="What clients have met of the scenarios, and what they haven't: of all namespaces together.",
        tag=TAG,
        answers=Coverage,
        query=(_NAMESPACE, _SCENARIOS, _FORMAT),
        texts=(_TEXT,),
        problems={404: "No namespace has this name."},
    ),
    Route(
        method="DELETE",
        path="/coverage",
        handler=_begin_anew,
        about="Begin the count anew, in all namespaces.",
        tag=TAG,
        answers=Coverage,
    ),
)
