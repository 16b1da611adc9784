"""How much was slept, and how much may be."""

import threading
from collections.abc import Callable
from typing import Final

from emulator.core.units import Duration, format_duration
from emulator.fast_forward.stand_ins import REAL_MONOTONIC_NS

_STANDS: Final = 1_000_000_000
"""For so many nanoseconds of real time after a sleep time stands still."""


class SleptTooLong(AssertionError):
    """A client went on sleeping beyond the limit; raised by the sleep that would lead there."""

    def __init__(self, slept: Duration, sleeps: int, more: Duration, limit: Duration) -> None:
        super().__init__(slept, sleeps, more, limit)
        self.slept = slept
        """How much was slept in all, this sleep not counted."""
        self.sleeps = sleeps
        """In how many sleeps."""
        self.more = more
        """How much further this sleep would have led."""
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"slept {format_duration(self.slept)} in {self.sleeps} sleeps, and {format_duration(self.more)} more "
            f"would go beyond the limit of {format_duration(self.limit)}: the client seems to have no time-out of "
            f'its own; give it one, or allow more, such as fast_forward(limit="{format_duration(4 * self.limit)}")'
        )


class Tally:
    """Moves the clock, and counts by how much. Any thread may ask."""

    def __init__(self, advance: Callable[[Duration], None], limit: Duration) -> None:
        self._advance = advance
        self._limit = limit
        self._lock = threading.Lock()
        self.slept: Duration = 0
        self._besides = 0
        """How far time went on between sleeps up to the last one's end, in nanoseconds."""
        self._since = REAL_MONOTONIC_NS()
        """When the last sleep has ended."""
        self.sleeps = 0

    def check(self, duration: Duration) -> None:
        """Raise `SleptTooLong` where so much more is beyond the limit."""
        if self.slept + duration > self._limit:
            raise SleptTooLong(self.slept, self.sleeps, duration, self._limit)

    def move(self, duration: Duration) -> None:
        """Move the clock forward; blocks until it has moved."""
        begun = REAL_MONOTONIC_NS()
        self._advance(duration)
        with self._lock:
            self.slept += duration
            self._besides += max(0, begun - self._since - _STANDS)
            self._since = REAL_MONOTONIC_NS()

    @property
    def passed(self) -> int:
        """How much time has passed since the beginning, in nanoseconds: what was slept, and little besides."""
        with self._lock:
            between = REAL_MONOTONIC_NS() - self._since
            return self.slept * 1000 + self._besides + max(0, between - _STANDS)

    def count(self) -> None:
        """One more sleep has ended."""
        with self._lock:
            self.sleeps += 1
