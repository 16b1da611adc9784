"""The sleepers of one event loop: who wakes when, and when the clock is moved for them.

The clock moves once everybody is asleep, by as much as the first of them or of the loop's own timers has left. It
moves in a worker thread, so that the loop can go on receiving what comes of it.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import ceil, inf
from typing import Final, TypeAlias

from emulator.core.units import MILLISECOND, SECOND, Duration
from emulator.fast_forward.quiet import Quiet
from emulator.fast_forward.stand_ins import FOREVER
from emulator.fast_forward.tally import SleptTooLong, Tally

_Sleeper: TypeAlias = tuple[Duration, int, "asyncio.Future[None]"]
"""When it wakes, how manieth it is, and what it awaits."""
_HAIR: Final = 0.001
"""A thousandth of a millisecond: no more than an error of rounding."""


class Pace:
    """Lets the tasks of a loop sleep."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tally: Tally, worker: Executor) -> None:
        self._loop = loop
        self._tally = tally
        self._worker = worker
        self._quiet = Quiet(loop)
        self._sleepers: list[_Sleeper] = []
        self._asleep: set[asyncio.Future[None]] = set()
        self._numbers = count()
        self._look: asyncio.Handle | None = None
        self._target: Duration | None = None
        """Where the clock is being moved to, while it is."""
        # uvloop's time is its own, and its timers can't be seen: they stay in real time.
        self._shows_timers = getattr(type(loop), "time", None) is asyncio.BaseEventLoop.time

    async def sleep(self, duration: Duration) -> None:
        """Until the clock has moved so far; cancelling it wakes the sleeper as ever.

        Raises:
            SleptTooLong: that would go beyond the limit.
        """
        future: asyncio.Future[None] = self._loop.create_future()
        deadline = min(max(self._tally.slept, self._target or 0) + duration, FOREVER)
        heappush(self._sleepers, (deadline, next(self._numbers), future))
        self._asleep.add(future)
        self._look_soon()
        try:
            await future
        finally:
            self._asleep.discard(future)

    def _look_soon(self) -> None:
        """Have another look at the loop as soon as what can run has run."""
        if self._loop.is_closed():
            return
        self._stop_looking()
        self._look = self._loop.call_soon(self._look_around)

    def release(self) -> None:
        """Let those who sleep go on in real time."""
        self._stop_looking()
        if self._loop.is_closed():
            return
        for deadline, _, future in self._sleepers:
            if deadline < FOREVER and not future.done():
                rest = max(0, deadline - self._tally.slept) / SECOND
                timer = self._loop.call_later(rest, _wake, future)
                future.add_done_callback(partial(_stop, timer))
        self._sleepers.clear()

    def _stop_looking(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_around(self) -> None:
        self._look = None
        first = self._first()
        if first is None or self._target is not None:
            return
        if first <= self._tally.slept:  # a blocking sleep has moved the clock so far
            self._moved(None)
            return
        lacking = self._quiet.lacking(self._asleep)
        if lacking is None:
            self._move(min(first, self._timer()))
        elif lacking == 0:
            self._look_soon()
        else:
            self._look = self._loop.call_later(lacking / SECOND, self._look_around)

    def _first(self) -> Duration | None:
        """When the first sleeper wakes; ``None``: nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _timer(self) -> Duration:
        """When the first timer of the loop is due.

        Real time has gone on since it was set: by whole milliseconds a time-out of 7 s takes exactly as long.
        """
        if not self._shows_timers:
            return FOREVER
        first = min((timer.when() for timer in self._timers()), default=inf)
        if first == inf:
            return FOREVER
        rest = ceil((first - self._loop.time()) * 1000 - _HAIR) * MILLISECOND
        return self._tally.slept + max(0, rest)

    def _timers(self) -> Iterator[asyncio.TimerHandle]:
        scheduled: list[asyncio.TimerHandle] = getattr(self._loop, "_scheduled", [])
        return (timer for timer in scheduled if not timer.cancelled())

    def _move(self, target: Duration) -> None:
        if target >= FOREVER:
            return
        step = target - self._tally.slept
        if step <= 0:  # a timer is about to run
            self._moved(None)
            return
        try:
            self._tally.check(step)
        except SleptTooLong as problem:
            self._moved(problem)
            return
        self._target = target
        self._worker.submit(self._work, step)

    def _work(self, step: Duration) -> None:
        """In the worker thread."""
        problem = None
        try:
            self._tally.move(step)
        except Exception as raised:  # noqa: BLE001 - it is raised where somebody sleeps
            problem = raised
        with suppress(RuntimeError):  # the loop has been closed
            self._loop.call_soon_threadsafe(self._moved, problem)

    def _moved(self, problem: Exception | None) -> None:
        """Wake those whose time has come; a problem is for those who sleep least."""
        self._target = None
        self._quiet.forget()
        until = self._tally.slept if problem is None else self._first()
        while until is not None and (first := self._first()) is not None and first <= until:
            _, _, future = heappop(self._sleepers)
            self._tally.count()
            _wake(future, problem)
        if self._sleepers:
            self._look_soon()


def _wake(future: "asyncio.Future[None]", problem: Exception | None = None) -> None:
    if future.done():
        return
    if problem is None:
        future.set_result(None)
    else:
        future.set_exception(problem)


def _stop(timer: asyncio.TimerHandle, _: "asyncio.Future[None]") -> None:
    timer.cancel()
