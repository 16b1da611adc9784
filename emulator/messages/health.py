"""That the emulator lives, and what it holds."""

from typing import Literal

import msgspec

from emulator.messages.clock import ClockState


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are, and how many were given up for want of room."""

    kept: int
    dropped: int


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What a namespace holds."""

    status: Literal["ok"]
    version: str
    namespace: str
    scenario: str
    clock: ClockState
    tasks: Counts
    requests: Counts
    """In the journal."""
    namespaces: Counts
    """Of the whole process; dropped are those that were idle for too long."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """That requests are answered."""

    ready: bool
