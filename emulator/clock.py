"""Clocks: the only place that reads real time or sleeps.

A clock is a linear function of real time, ``now = anchor + (real - real anchor) * rate``: rate 1 is
``real``, another one ``scaled``, 0 ``manual`` and ``auto``. What differs between those two is only
who moves it: the control API alone, or polls as well.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from typing import Final, get_args

from emulator.core.scenario import ClockMode, ClockSettings
from emulator.core.units import LAST_INSTANT, SECOND, Duration, Instant, format_instant

MODES: Final[tuple[ClockMode, ...]] = get_args(ClockMode)


class ClockRefused(ValueError):
    """A change that a clock can't make; its text says why and what would work."""


class Clock:
    """The clock of one namespace. It never goes backwards."""

    def __init__(self, settings: ClockSettings) -> None:
        self._set(settings.mode, settings.scale, wall_time() if settings.start is None else settings.start)

    def _set(self, mode: ClockMode, scale: float, now: Instant) -> None:
        self.mode: ClockMode = mode
        self.scale = scale if mode == "scaled" else 1.0
        self._stands = mode in {"manual", "auto"}
        self._anchor = now
        self._real_anchor = time.monotonic_ns()

    def now(self) -> Instant:
        """The present instant of this clock."""
        if self._stands:
            return self._anchor
        elapsed = (time.monotonic_ns() - self._real_anchor) // 1000
        now = self._anchor + (elapsed if self.scale == 1.0 else int(elapsed * self.scale))
        return now if now < LAST_INSTANT else LAST_INSTANT  # noqa: FURB136 - min() costs a poll a call

    def advance(self, duration: Duration) -> Instant:
        """The instant after moving forward by ``duration``, in any mode.

        Raises:
            ClockRefused: the duration is negative, or leads past the year 9999.
        """
        if duration < 0:
            raise ClockRefused("the clock never goes backwards; advance it by a positive duration such as 5m")
        self._move_to(self.now() + duration)
        return self.now()

    def move_to(self, instant: Instant) -> Instant:
        """The instant after moving forward to ``instant``.

        Raises:
            ClockRefused: ``instant`` has passed already, or lies past the year 9999.
        """
        self.check(instant)
        self._move_to(instant)
        return self.now()

    def check(self, instant: Instant) -> None:
        """Change nothing, but raise `ClockRefused` where the clock can't move to ``instant``."""
        now = self.now()
        if instant < now:
            raise ClockRefused(
                f"the clock never goes backwards: it shows {format_instant(now)}, which is later than "
                f"{format_instant(instant)}; to begin anew at an earlier instant, POST /__admin/reset "
                f'with {{"clock": {{"now": "{format_instant(instant)}"}}}}'
            )
        check_end(instant)

    def reach(self, instant: Instant) -> None:
        """Move forward to ``instant``, unless a clock that runs has passed it already.

        Raises:
            ClockRefused: ``instant`` lies past the year 9999.
        """
        if instant > self.now():
            self._move_to(instant)

    def change(self, mode: ClockMode, scale: float) -> None:
        """Go on from the present instant in another mode or at another scale."""
        self._set(mode, scale, self.now())

    def _move_to(self, instant: Instant) -> None:
        check_end(instant)
        self._set(self.mode, self.scale, instant)

    def real_until(self, instant: Instant) -> Duration | None:
        """How much real time passes before the clock shows ``instant`` by itself; ``None``: it never will."""
        if self._stands or instant > LAST_INSTANT:
            return None
        return max(0, ceil((instant - self.now()) / self.scale))

    async def pause(self, duration: Duration) -> None:
        """Wait in real time, as latency does: ``scaled`` divides by its scale, other modes don't change it."""
        if duration > 0:
            await asyncio.sleep(duration / SECOND / (self.scale if self.mode == "scaled" else 1.0))


def check_end(instant: Instant) -> None:
    """Raise `ClockRefused` where no clock can ever show ``instant``."""
    if instant > LAST_INSTANT:
        raise ClockRefused("the clock ends with the year 9999; advance it by less")


async def breathe() -> None:
    """Let everybody else who could go on do so first."""
    await asyncio.sleep(0)


async def real_pause(duration: Duration) -> None:
    """Wait in real time, whatever any clock shows."""
    await asyncio.sleep(duration / SECOND)


async def comes_true(condition: Callable[[], bool], within: Duration | None = None) -> bool:
    """Look again every millisecond of real time, at most so long, whether a condition holds; whether it does."""
    end = None if within is None else real_time() + within
    while not condition():
        if end is not None and real_time() > end:
            return False
        await asyncio.sleep(0.001)
    return True


async def happens(event: asyncio.Event, within: Duration) -> bool:
    """Wait in real time, at most so long, for the event; whether it is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within / SECOND):
            await event.wait()
    return event.is_set()


def wall_time() -> Instant:
    """The present instant by the machine's own clock."""
    return time.time_ns() // 1000


def real_time() -> Duration:
    """Real time that only moves forward, from an arbitrary beginning: for how long something lasts."""
    return time.monotonic_ns() // 1000
