"""The clock of a namespace, and what changes as it moves."""

from typing import Literal

import msgspec

from emulator.messages.tasks import CallbackAttempt, StatusWord


class ClockState(msgspec.Struct, frozen=True, kw_only=True):
    """A clock at this moment."""

    mode: Literal["real", "scaled", "manual", "auto"]
    now: str
    """ISO 8601 in UTC, such as ``2025-01-01T00:00:00Z``."""
    scale: int | float
    """How many times as fast as real time it runs, where it is ``scaled``; else 1."""


class TaskChange(msgspec.Struct, frozen=True, kw_only=True):
    """That a task came into another entry of its timeline, or into being."""

    task: str
    provider: str
    was: StatusWord | None
    """Its status before; it may be the same. ``None``: the task wasn't there."""
    status: StatusWord
    """Its status from then on."""
    at: str


class TaskCallback(CallbackAttempt, frozen=True, kw_only=True):
    """An attempt at a callback that an advance came past."""

    task: str
    provider: str


class Advance(ClockState, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A clock after it was advanced, and what time changed on the way."""

    from_: str
    """Where the clock stood."""
    to: str
    """Where it was to go."""
    changes: list[TaskChange]
    """In order, each at its own instant; the first hundred."""
    changed: int
    """How many there were in all."""
    callbacks: list[TaskCallback]
    """The attempts at callbacks that fell due on the way, in order; the first hundred."""
    undelivered: int
    """How many of all of them no receiver answered with 2xx."""
