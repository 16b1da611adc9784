"""The functions that stand in for those of `time` and `asyncio`: one set in a process.

They ask which thread they are in, and whether anything is in force: kept for longer, they do as the real ones do.
"""

import asyncio
import math
import operator
import sys
import time
from collections.abc import Callable
from functools import wraps
from numbers import Real
from threading import get_ident
from typing import Any, Final, Protocol, TypeVar

from emulator.core.units import SECOND, Duration

T = TypeVar("T")

REAL_SLEEP: Final = time.sleep
REAL_PAUSE: Final = asyncio.sleep
REAL_MONOTONIC: Final = time.monotonic
REAL_MONOTONIC_NS: Final = time.monotonic_ns
_REAL_TIME: Final = time.time
_REAL_TIME_NS: Final = time.time_ns

_GRID: Final = 1_953_125
_BILLION: Final = 1_000_000_000
FOREVER: Final[Duration] = sys.maxsize
"""A sleep that nobody waits for the end of."""
_LONGEST: Final = sys.maxsize / 10**9
"""Beyond so many seconds the real `time.sleep` refuses: it counts nanoseconds."""
_TOOLS: Final = frozenset({"_pytest", "emulator", "execnet", "hypothesis", "pluggy", "pytest", "xdist"})
_REAL_WAITS: Final = _TOOLS | {"multiprocessing", "subprocess"}
"""They sleep between two looks at something real, such as a process that ends."""


class Span(Protocol):
    """What is in force."""

    @property
    def thread(self) -> int:
        """The thread whose sleeps move the clock."""

    @property
    def slept(self) -> Duration:
        """How far the loop's time is ahead of real time."""

    @property
    def passed(self) -> int:
        """How much time has passed in it, in nanoseconds."""

    def sleep(self, duration: Duration) -> None:
        """Move the clock, now."""

    async def pause(self, duration: Duration) -> None:
        """Until the clock has moved so far."""


class _InForce:
    """At most one span in a process, and what its clocks began with, in nanoseconds."""

    span: Span | None = None
    monotonic = 0
    wall = 0


def in_force() -> Span | None:
    """The span that holds, in whichever thread."""
    return _InForce.span


def put_in_force(span: Span | None) -> None:
    """From now on this one, or none, holds."""
    _InForce.monotonic, _InForce.wall = _whole(REAL_MONOTONIC_NS()), _whole(_REAL_TIME_NS())
    _InForce.span = span


def _whole(nanoseconds: int) -> int:
    """The next multiple of 1/512 s, which a float holds exactly.

    So is that plus five minutes of sleeps: a client that compares its deadline with the time meets it on the dot.
    """
    return -(-nanoseconds // _GRID) * _GRID


def is_tool(module: str) -> bool:
    """Whether a module belongs to what runs the tests, or to us."""
    root = module.partition(".")[0]
    return root in _TOOLS or root.startswith("pytest_")


def _here() -> Span | None:
    span = _InForce.span
    return span if span is not None and span.thread == get_ident() else None


def _to_the_library() -> bool:
    """Whether the standard library asks the stand-in. It waits really, so to its event loop time goes on."""
    asking = str(sys._getframe(2).f_globals.get("__name__"))  # noqa: SLF001 - who calls
    return asking.partition(".")[0] in sys.stdlib_module_names


@wraps(REAL_SLEEP)
def _sleep(seconds: Any, /) -> None:
    span = _here()
    duration = None if span is None else _blocking(seconds)
    if span is None or duration is None or _waits_really(sys._getframe(1).f_globals.get("__name__")):  # noqa: SLF001 - who calls
        return REAL_SLEEP(seconds)
    span.sleep(duration)


def _waits_really(module: object) -> bool:
    return isinstance(module, str) and (module.partition(".")[0] in _REAL_WAITS or is_tool(module))


def _blocking(seconds: Any) -> Duration | None:
    """What `time.sleep` takes for a duration; ``None``: nothing, or what it refuses."""
    if not isinstance(seconds, float):
        try:
            seconds = operator.index(seconds)
        except TypeError:
            return None
    return _duration(seconds) if 0 < seconds < _LONGEST else None


@wraps(REAL_PAUSE)
async def _pause(delay: Any, result: Any = None) -> Any:
    span = _here()
    duration = None if span is None else _awaited(delay)
    if span is None or duration is None:
        return await REAL_PAUSE(delay, result)
    await span.pause(duration)
    return result


def _awaited(delay: Any) -> Duration | None:
    """What `asyncio.sleep` takes for a duration; ``None``: nothing, or what it refuses."""
    seconds: Any = delay if isinstance(delay, Real) else 0
    if not seconds > 0:
        return None
    return FOREVER if math.isinf(seconds) else min(_duration(seconds), FOREVER)


def _duration(seconds: Any) -> Duration:
    microseconds: Duration = round(seconds * SECOND)
    return max(1, microseconds)


@wraps(REAL_MONOTONIC)
def _monotonic() -> float:
    span = _here()
    if span is None or _to_the_library():
        return REAL_MONOTONIC() + (0 if span is None else span.slept / SECOND)
    return (_InForce.monotonic + span.passed) / _BILLION


@wraps(REAL_MONOTONIC_NS)
def _monotonic_ns() -> int:
    span = _here()
    if span is None or _to_the_library():
        return REAL_MONOTONIC_NS() + (0 if span is None else span.slept * 1000)
    return _InForce.monotonic + span.passed


@wraps(_REAL_TIME)
def _time() -> float:
    span = _here()
    if span is None or _to_the_library():
        return _REAL_TIME() + (0 if span is None else span.slept / SECOND)
    return (_InForce.wall + span.passed) / _BILLION


@wraps(_REAL_TIME_NS)
def _time_ns() -> int:
    span = _here()
    if span is None or _to_the_library():
        return _REAL_TIME_NS() + (0 if span is None else span.slept * 1000)
    return _InForce.wall + span.passed


STAND_INS: Final[tuple[tuple[Callable[..., Any], Callable[..., Any]], ...]] = (
    (REAL_SLEEP, _sleep),
    (REAL_PAUSE, _pause),
    (REAL_MONOTONIC, _monotonic),
    (REAL_MONOTONIC_NS, _monotonic_ns),
    (_REAL_TIME, _time),
    (_REAL_TIME_NS, _time_ns),
)
"""Each real function with the one that stands in for it."""
