"""Limits: how many calls, or tasks at a time, a scenario allows, and what the counts so far say of the next call."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from emulator.core.effects import Failure
from emulator.core.rules import Conditions, RetryAfter
from emulator.core.units import SECOND, Duration, Instant
from emulator.core.words import ErrorName

Per = Literal["key", "task", "namespace"]
TrueWait = Literal["seconds", "http_date"]
"""That ``Retry-After`` says how long it really takes until there is room again, and in which form."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit: calls in a sliding window, calls for good, or tasks that aren't done yet."""

    conditions: Conditions
    most: int
    """So many calls pass, or so many tasks may be in flight."""
    window: Duration | None = None
    """In any stretch of time of this length; ``None``: for good."""
    is_of_tasks: bool = False
    """``in_flight``: tasks are counted that calls made and that aren't done yet, not calls."""
    per: Per = "key"
    error: Failure = Failure(name=ErrorName.RATE_LIMITED)
    retry_after: RetryAfter | TrueWait | None = None
    """``None``: what the provider does."""
    about: str | None = None
    line: int = 0


class Reached(msgspec.Struct, frozen=True, gc=False):
    """That a limit refuses a call."""

    number: int
    """Which of the scenario's limits it is."""
    limit: Limit
    count: int
    """How many calls or tasks it counts now."""
    frees_at: Instant | None
    """When there will be room, if nothing comes between; ``None``: never, or nobody knows."""


def room_at(passed: Sequence[Instant], most: int, window: Duration | None, now: Instant) -> Instant | None:
    """The first instant, ``now`` or later, at which one more call may pass; ``None``: never.

    ``passed`` has the instants of the calls that passed, oldest first; of those that left the window before ``now``
    any may be missing. A call leaves the window as long after its instant as the window is: then the next may pass.
    """
    if len(passed) < most:
        return now
    return None if window is None else max(now, passed[-most] + window)


def count_in(passed: Sequence[Instant], window: Duration, now: Instant) -> int:
    """How many of the calls, given as for `room_at`, are in the window that ends at ``now``."""
    return len(passed) - bisect_right(passed, now - window)


def room_among(ends: Iterable[Instant | None], most: int) -> Instant | None:
    """When fewer than ``most`` tasks are left, of tasks that end at these instants; ``None``: nobody knows."""
    in_order = sorted((end is None, end) for end in ends)
    return in_order[len(in_order) - most][1]


def wait_told(reached: Reached, now: Instant, sends_one: bool) -> RetryAfter | None:
    """What ``Retry-After`` says of a refusal; ``None``: nothing is said of it.

    Args:
        reached: the limit.
        now: the instant of the call.
        sends_one: whether the provider sends a ``Retry-After`` with such a refusal by itself.
    """
    form = reached.limit.retry_after
    if isinstance(form, RetryAfter) or (form is None and not sends_one):
        return form
    end = reached.frees_at
    if end is None:
        return RetryAfter(None)
    if form == "http_date":
        # A date has whole seconds: the next one, lest it be too early.
        return RetryAfter(-(-end // SECOND) * SECOND - now, as_date=True)
    return RetryAfter(end - now)


def wait_of(reached: Reached, now: Instant) -> RetryAfter | None:
    """How long a refused client does well to wait: as it is told, else as long as it takes; ``None``: unknown."""
    told = reached.limit.retry_after
    if isinstance(told, RetryAfter) and told.wait is not None:
        return told
    return None if reached.frees_at is None else RetryAfter(reached.frees_at - now)
