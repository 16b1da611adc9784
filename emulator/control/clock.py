"""The clock: what it shows, and how it is moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from emulator.clock import MODES, ClockRefused
from emulator.control.fields import DURATION, INSTANT, Field, Kind, Wrong, number, one_of
from emulator.control.problems import Problem, bad_request, conflict
from emulator.control.routes import Call, Route
from emulator.core.scenario import ClockMode
from emulator.core.units import Instant, format_instant
from emulator.messages.clock import Advance, ClockState, TaskCallback
from emulator.messages.problem import Mistake
from emulator.timekeeping import (
    attempt_facts,
    message_of,
    next_instant,
    pass_to,
    restart_clock,
    set_clock,
    state_of,
)

TAG: Final = "clock"
MODE: Final = Field("mode", one_of(*MODES), "How time passes.")
NOW: Final = Field("now", INSTANT, "The instant to move to. The clock never goes backwards.")
SCALE: Final = Field(
    "scale",
    number("a number above 0 and at most 100,000", 0, 100_000),
    "How many times as fast as real time a scaled clock runs.",
)
_NEXT: Final = "next"
UNDER_WAY: Final = "An advance is under way."


def _goal(value: Any) -> Any:
    try:
        return value if value == _NEXT else INSTANT.read(value)
    except Wrong:
        raise
    except ValueError as problem:
        raise ValueError(f'{problem}; "{_NEXT}" is taken too') from None


_GOAL: Final = Kind(
    f'{INSTANT.expected}, or "{_NEXT}"',
    _goal,
    {"anyOf": [INSTANT.schema, {"type": "string", "const": _NEXT}]},
)
_BY: Final = Field("by", DURATION, "By how much. Either this or `to`.")
_TO: Final = Field(
    "to",
    _GOAL,
    'An instant, or "next" for the next one at which time alone changes a task or a callback falls due.',
)


@contextmanager
def refusals() -> Iterator[None]:
    """Answers 409 where a clock refuses."""
    try:
        yield
    except ClockRefused as refusal:
        raise conflict("The clock can't do that", str(refusal)) from None


async def _show(call: Call) -> ClockState:
    return state_of(call.namespace.clock)


async def _put(call: Call) -> ClockState:
    namespace, fields = call.namespace, call.body
    clock, to = namespace.clock, fields["now"]
    mode = fields["mode"] or clock.mode
    scale = fields["scale"] or (clock.scale if mode == "scaled" else 1.0)
    if mode != "scaled" and scale != 1:
        raise Problem(400, "Bad request", f'scale: only the mode "scaled" has one; the mode is {mode!r}')
    with refusals():
        if to is not None:
            clock.check(to)
        # The mode first: a clock that shall stand still at an instant mustn't run on from it.
        set_clock(namespace, mode, scale)
        if to is not None:
            await pass_to(namespace, to)
    return state_of(namespace.clock)


async def _set(call: Call) -> ClockState:
    namespace, to = call.namespace, call.body["now"]
    with refusals():
        namespace.clock.check(to)
        await pass_to(namespace, to)
    namespace.clock_is_set = True
    return state_of(namespace.clock)


async def _advance(call: Call) -> Advance:
    given = call.given & {"by", "to"}
    if len(given) != 1:
        got = "both" if given else "neither"
        wanted = f"expected either by, {DURATION.expected}, or to, {_GOAL.expected}; got {got}"
        raise bad_request([Mistake(where="by", message=wanted)])
    namespace = call.namespace
    # Asked once: on a clock that runs, a second look would be a little later.
    begun = namespace.clock.now()
    with refusals():
        passage = await pass_to(namespace, _goal_of(call, begun))
    state = state_of(namespace.clock)
    return Advance(
        mode=state.mode,
        now=state.now,
        scale=state.scale,
        from_=format_instant(begun),
        to=format_instant(passage.to),
        changes=[message_of(change) for change in passage.changes],
        changed=passage.count,
        callbacks=[
            TaskCallback(task=task.id, provider=task.provider, **attempt_facts(attempt))
            for task, attempt in passage.attempts
        ],
        undelivered=passage.undelivered,
    )


def _goal_of(call: Call, begun: Instant) -> Instant:
    namespace, by, to = call.namespace, call.body["by"], call.body["to"]
    if to == _NEXT:
        return next_instant(namespace)
    if to is None:
        return int(begun + by)
    namespace.clock.check(to)
    return int(to)


def _change(call: Call, mode: ClockMode, scale: float = 1.0) -> ClockState:
    with refusals():
        set_clock(call.namespace, mode, scale)
    return state_of(call.namespace.clock)


async def _freeze(call: Call) -> ClockState:
    return _change(call, "manual")


async def _scale(call: Call) -> ClockState:
    return _change(call, "scaled", call.body["scale"])


async def _resume(call: Call) -> ClockState:
    return _change(call, "real")


async def _auto(call: Call) -> ClockState:
    return _change(call, "auto")


async def _reset(call: Call) -> ClockState:
    with refusals():
        await restart_clock(call.namespace)
    return state_of(call.namespace.clock)


_ONE: Final = {"minProperties": 1, "maxProperties": 1}


def _verb(verb: str, handler: Any, about: str, *body: Field, refused: str = "") -> Route:
    return Route(
        method="POST",
        path=f"/clock/{verb}",
        handler=handler,
        about=about,
        tag=TAG,
        answers=Advance if verb == "advance" else ClockState,
        body=body,
        constraints=_ONE if verb == "advance" else {},
        problems={409: f"{refused} {UNDER_WAY}".strip()},
    )


_PASSED: Final = "The instant has passed already."
ROUTES = (
    Route(method="GET", path="/clock", handler=_show, about="The clock.", tag=TAG, answers=ClockState),
    Route(
        method="PUT",
        path="/clock",
        handler=_put,
        about="Set its mode, scale and instant; what isn't named stays as it is.",
        tag=TAG,
        answers=ClockState,
        body=(MODE, NOW, SCALE),
        problems={409: f"{_PASSED} {UNDER_WAY}"},
    ),
    _verb("freeze", _freeze, "Let it stand still at the present instant until it is told (manual)."),
    _verb(
        "set",
        _set,
        "Move it forward to an instant; its mode stays.",
        Field("now", INSTANT, "The instant. The clock never goes backwards.", required=True),
        refused=_PASSED,
    ),
    _verb(
        "advance",
        _advance,
        "Move it forward, through whatever falls due on the way, and tell what changed and which callbacks were sent.",
        _BY,
        _TO,
        refused=f"{_PASSED} It lies past the year 9999. Nothing is ahead.",
    ),
    _verb(
        "scale",
        _scale,
        "Let it run so many times as fast as real time, from the present instant (scaled).",
        Field(SCALE.name, SCALE.kind, SCALE.about, required=True),
    ),
    _verb("resume", _resume, "Let it run with real time, from the present instant (real)."),
    _verb(
        "auto",
        _auto,
        "Let it stand still, and be moved by polls that would see nothing new, from the present instant (auto).",
    ),
    _verb(
        "reset",
        _reset,
        "Begin anew as the server's options or the scenario say, else at the real time. The tasks stay.",
        refused="It would go back to before something that is known.",
    ),
)
