"""Callbacks: when a task's end is told to whoever asked for it, and what became of each attempt."""

from typing import Final

import msgspec

from emulator.core.spreads import Spread, drawn
from emulator.core.units import SECOND, Duration, Instant

LONGEST_TIMEOUT: Final[Duration] = 60 * SECOND


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """How a scenario wants a task's callbacks sent."""

    after: tuple[Spread, ...] = (0,)
    """How long after the task's end each is sent; none: never, two: a duplicate."""
    retry: tuple[Spread, ...] = ()
    """How long after each failed attempt at one of them the next attempt follows."""
    timeout: Duration = 5 * SECOND
    """How long an answer may take, in real time. Our choice: no source says how long the provider waits."""


ONCE: Final = Callback()
"""One at the task's end, and no second attempt. Fact sheet: retries are documented nowhere."""


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One attempt to deliver a callback."""

    number: int
    """Which of the callbacks it is, from 0."""
    at: Instant
    """When it was sent, by the clock."""
    ended_at: Instant | None = None
    """When its outcome was known; ``None``: it is under way."""
    status_code: int | None = None
    """What the receiver answered; ``None``: nothing."""
    problem: str | None = None
    """Why there was no answer, in a sentence."""
    is_refused: bool = False
    """Whether the target is one that the emulator doesn't send to: then nothing was sent, and nothing will be."""

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status_code is not None and 200 <= self.status_code < 300


def settled(callback: Callback, entropy: bytes) -> Callback:
    """The callback with each duration drawn."""
    return msgspec.structs.replace(
        callback,
        after=_drawn(callback.after, entropy, "after"),
        retry=_drawn(callback.retry, entropy, "retry"),
    )


def has_draws(callback: Callback) -> bool:
    """Whether two tasks may get two of it."""
    return any(not isinstance(spread, int) for spread in (*callback.after, *callback.retry))


def _drawn(spreads: tuple[Spread, ...], entropy: bytes, what: str) -> tuple[Spread, ...]:
    return tuple(drawn(spread, entropy, f"callback {what}", number) for number, spread in enumerate(spreads))


def next_attempt(
    callback: Callback, attempts: tuple[Attempt, ...], ended_at: Instant
) -> tuple[Instant, int] | None:
    """When the next attempt falls due, and at which of the callbacks; ``None``: there is none, or one is under way."""
    dues = (_due(callback, attempts, ended_at, number) for number in range(len(callback.after)))
    return min(((at, number) for number, at in enumerate(dues) if at is not None), default=None)


def _due(callback: Callback, attempts: tuple[Attempt, ...], ended_at: Instant, number: int) -> Instant | None:
    made = [attempt for attempt in attempts if attempt.number == number]
    if not made:
        wait = callback.after[number]
        return ended_at + wait if isinstance(wait, int) else None
    last = made[-1]
    if last.ended_at is None or last.is_delivered or last.is_refused or len(made) > len(callback.retry):
        return None
    wait = callback.retry[len(made) - 1]
    return last.ended_at + wait if isinstance(wait, int) else None
