"""What those are told who listen to a namespace: the data of server-sent events."""

from typing import Literal

import msgspec

from emulator.messages.clock import ClockState


class RequestEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange with a provider, as the journal numbers them (``request``)."""

    number: int
    at: str
    provider: str | None
    operation: str | None
    task: str | None
    """The id of the task that had a say; of a batch, the first."""
    status_code: int


class ClockEvent(ClockState, frozen=True, kw_only=True):
    """That the clock was moved or goes on in another way (``clock``)."""

    moved_from: str | None
    """Where it stood before it was moved; ``None``: it goes on from where it was."""


class ScenarioEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a scenario (``scenario``)."""

    name: str
    change: Literal["activated", "put", "deleted"]
    at: str


class ResetEvent(msgspec.Struct, frozen=True, kw_only=True):
    """That the namespace has begun anew (``reset``)."""

    clock: ClockState


class LostEvent(msgspec.Struct, frozen=True, kw_only=True):
    """That the listener was too slow, and the oldest events that waited for it were given up (``lost``)."""

    count: int


class DroppedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """That the namespace is no more; the stream ends (``dropped``)."""

    namespace: str
