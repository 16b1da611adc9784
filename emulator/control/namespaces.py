"""Namespaces: the one that is spoken to, and all of them."""

from itertools import count, islice
from typing import Any, Final

import msgspec

from emulator.clock import real_time
from emulator.control.clock import MODE, SCALE, UNDER_WAY, refusals
from emulator.control.fields import INSTANT, Field, Kind, Wrong, one_of, table, text, whole
from emulator.control.problems import Problem, bad_request, conflict, unknown
from emulator.control.routes import Answered, Call, Route
from emulator.control.scenarios import known
from emulator.core.scenario import ClockSettings
from emulator.core.units import MILLISECOND, format_duration, format_instant
from emulator.core.words import Profile
from emulator.engine import Namespace, Settings
from emulator.messages.health import Counts
from emulator.messages.namespaces import NamespaceDropped, NamespaceList, NamespaceState, Reset
from emulator.messages.problem import Mistake
from emulator.namespaces import DEFAULT, NAME, NAME_EXPECTED, NoRoom, Taken
from emulator.timekeeping import state_of

TAG: Final = "namespaces"
_FIRST: Final = Field("now", INSTANT, "What it shows at first. Here it may go back.")
CLOCK: Final = Field(
    "clock",
    table('an object such as {"mode": "manual", "now": "2025-01-01T00:00:00Z"}', (MODE, _FIRST, SCALE)),
    "The clock to begin with; left out: as the server's options and the scenario say.",
)
_DEFAULT_CLOCK: Final = Field(
    "default_clock",
    CLOCK.kind,
    "The clock to begin with where neither the server's options nor the scenario say; left out: the real time's.",
)
_NAME: Final = Field(
    "name",
    text(NAME_EXPECTED, pattern=NAME, longest=64),
    "What it is called; left out: the first of ns-1, ns-2 and so on that is free.",
)
_SCENARIO: Final = Field(
    "scenario",
    text("the name of a scenario"),
    "The scenario to put in force, of those that every namespace has; left out: the server's.",
)
_MOST_SEED: Final = (1 << 63) - 1


def _seed(value: Any) -> int | str:
    if isinstance(value, str) and 0 < len(value) <= 1000:
        return value
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MOST_SEED:
        raise Wrong
    return value


_SEED: Final = Field(
    "seed",
    Kind(
        "a whole number of 64 bits or a text",
        _seed,
        {
            "anyOf": [
                {"type": "integer", "minimum": -_MOST_SEED, "maximum": _MOST_SEED},
                {"type": "string", "minLength": 1, "maxLength": 1000},
            ]
        },
    ),
    "What its draws are keyed by; left out: the server's seed.",
)
_PROFILE: Final = Field(
    "profile", one_of(*Profile), "The providers' face for scenarios that name none; left out: the server's."
)
_LIMIT: Final = Field("limit", whole(0, 1000), "How many at most.", default=100)
_OFFSET: Final = Field("offset", whole(0, 2**31), "How many to leave out before them.", default=0)
_ONE: Final = Field("name", text("the name of a namespace"), "Which.")


# The one that is spoken to


def clock_in(call: Call, present: ClockSettings, name: str = "clock") -> ClockSettings | None:
    """The clock that a field of the body asks for; what it doesn't say is as at present."""
    fields = call.body[name]
    if fields is None:
        return None
    mode = fields["mode"] or present.mode
    scale = fields["scale"] or (present.scale if mode == "scaled" else 1.0)
    if mode != "scaled" and scale != 1:
        message = f'only the mode "scaled" has one; the mode is {mode!r}'
        raise bad_request([Mistake(where=f"{name}.scale", message=message)])
    start = present.start if fields["now"] is None else fields["now"]
    return ClockSettings(mode=mode, scale=scale, start=start)


async def _reset(call: Call) -> Reset:
    clock = call.namespace.clock
    wanted = clock_in(call, ClockSettings(mode=clock.mode, scale=clock.scale))
    with refusals():
        call.namespace.reset(wanted)
    return Reset(reset=True, clock=state_of(call.namespace.clock))


# All of them


def _state(call: Call, namespace: Namespace) -> NamespaceState:
    store, journal = namespace.store, namespace.journal
    origin = f"{_origin(call)}{namespace.prefix}"
    return NamespaceState(
        name=namespace.name,
        prefix=namespace.prefix,
        key_prefix=f"sk-ns-{namespace.name}--",
        base_urls={provider.name: f"{origin}{provider.base}" for provider in namespace.providers},
        scenario=namespace.active.scenario.name,
        activated_at=format_instant(namespace.active.at),
        seed=namespace.seed,
        profile=namespace.active.profile.value,
        clock=state_of(namespace.clock),
        tasks=Counts(kept=len(store), dropped=store.dropped),
        requests=Counts(kept=len(journal), dropped=journal.dropped),
        idle=_idle(namespace),
    )


def _origin(call: Call) -> str:
    """Where the client has found the emulator."""
    scope = call.request.scope
    host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
    return call.options.public_url or f"{scope['scheme']}://{host}"


def _idle(namespace: Namespace) -> str | None:
    if namespace.name == DEFAULT:
        return None
    idle = 0 if namespace.visitors else real_time() - namespace.touched
    return format_duration(idle // MILLISECOND * MILLISECOND)


async def _list(call: Call) -> NamespaceList:
    namespaces, first = call.namespaces, call.query["offset"]
    namespaces.sweep()
    ordered = sorted(namespaces, key=lambda namespace: (namespace.name != DEFAULT, namespace.name))
    page = islice(ordered, first, first + call.query["limit"])
    return NamespaceList(namespaces=[_state(call, one) for one in page], total=len(ordered))


async def _show(call: Call) -> NamespaceState:
    return _state(call, _found(call))


def _found(call: Call) -> Namespace:
    """The namespace that the path names; asking for it is no use of it."""
    call.namespaces.sweep()
    name = call.path["name"]
    namespace = call.namespaces.get(name)
    if namespace is not None:
        return namespace
    detail = (
        f"there is no namespace {name[:100]!r}, or it was idle for too long and given up; the first request "
        f"that names one makes it, and so does POST /__admin/namespaces"
    )
    raise unknown("Unknown namespace", detail)


async def _create(call: Call) -> Answered:
    settings = _settings(call)
    name = call.body["name"] or _free_name(call)
    try:
        made = call.namespaces.create(name, settings)
    except Taken as problem:
        detail = f"name: {problem}; choose another, leave it out, or drop it with DELETE /__admin/namespaces/{name}"
        raise conflict("Taken", detail) from None
    except NoRoom as problem:
        raise Problem(503, "No room for another namespace", str(problem)) from None
    return Answered(_state(call, made), 201)


def _settings(call: Call) -> Settings:
    """The server's settings with what the body says in place of theirs."""
    namespaces, body = call.namespaces, call.body
    settings = namespaces.settings
    name = body["scenario"] or settings.scenario
    scenario = known(namespaces.library, name, "scenario")
    default = clock_in(call, settings.default_clock, "default_clock") or settings.default_clock
    present = settings.clock or scenario.clock or default
    changes = {
        "default_clock": default,
        "scenario": name,
        "seed": body["seed"],
        "clock": clock_in(call, present),
        "profile": None if body["profile"] is None else Profile(body["profile"]),
    }
    given = {name: value for name, value in changes.items() if value is not None}
    return msgspec.structs.replace(settings, **given)


def _free_name(call: Call) -> str:
    return next(name for n in count(1) if call.namespaces.get(name := f"ns-{n}") is None)


async def _drop(call: Call) -> NamespaceDropped:
    name = _found(call).name
    if name == DEFAULT:
        detail = "the default namespace is always there; POST /__admin/reset lets it begin anew"
        raise conflict("The default namespace can't be dropped", detail)
    call.namespaces.drop(name)
    return NamespaceDropped(name=name, dropped=True)


_UNKNOWN: Final = "There is no namespace of this name."
ROUTES = (
    Route(
        method="GET",
        path="/namespaces",
        handler=_list,
        about="Every namespace: the default one, then the others by name. Looking at them is no use of them.",
        tag=TAG,
        answers=NamespaceList,
        query=(_LIMIT, _OFFSET),
    ),
    Route(
        method="POST",
        path="/namespaces",
        handler=_create,
        about="Make a namespace. The first request that names one does that, too, with the server's settings.",
        tag=TAG,
        answers=NamespaceState,
        status_code=201,
        body=(_NAME, _SCENARIO, _SEED, CLOCK, _DEFAULT_CLOCK, _PROFILE),
        problems={
            404: "No scenario has this name.",
            409: "There is a namespace of this name.",
            503: "There are as many as --max-namespaces allows, and all were used lately.",
        },
    ),
    Route(
        method="GET",
        path="/namespaces/{name}",
        handler=_show,
        about="A namespace.",
        tag=TAG,
        answers=NamespaceState,
        params=(_ONE,),
        problems={404: _UNKNOWN},
    ),
    Route(
        method="DELETE",
        path="/namespaces/{name}",
        handler=_drop,
        about="Drop a namespace with all that is in it.",
        tag=TAG,
        answers=NamespaceDropped,
        params=(_ONE,),
        problems={404: _UNKNOWN, 409: "It is the default one, which is always there."},
    ),
    Route(
        method="POST",
        path="/reset",
        handler=_reset,
        about="Begin anew: forget every task, count and request of this namespace, and of no other.",
        tag=TAG,
        answers=Reset,
        body=(CLOCK,),
        problems={409: UNDER_WAY},
    ),
)
