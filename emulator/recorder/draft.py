"""Drafts: one run in the words of the scenario language."""

from collections.abc import Mapping
from typing import Any

import msgspec

from emulator.core.units import Duration
from emulator.core.words import OperationName
from emulator.recorder.runs import Run
from emulator.recorder.stretches import Json, Stretch
from emulator.recorder.timeline import Told


class Mishap(msgspec.Struct, frozen=True):
    """A call that wasn't answered from the task."""

    operation: OperationName
    call: int
    place: int
    """The same, but of a create how manieth of all."""
    told: Json
    """The rule's effects, as they stand in a file."""
    is_raw: bool = False
    is_patch: bool = False


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One run in the words of the scenario language."""

    run: Run
    told: Told | None
    """``None``: no task came of it."""
    mishaps: tuple[Mishap, ...] = ()
    id: str | None = None
    """What a task that existed before is called from now on."""
    created: Duration = 0
    """Its creation, from the beginning of the recording."""
    request: Mapping[str, Any] = {}
    """The request of the task, without what is private."""
    values: Mapping[str, Any] = {}
    patch: Mapping[str, Any] | None = None
    """On the whole task."""
    alike: int = 0
    """How many of its answers are the same when it is replayed."""
    left: tuple[str, ...] = ()
    """What the language can't say, in words."""

    @property
    def stretches(self) -> tuple[Stretch, ...]:
        """Its timeline."""
        return () if self.told is None else self.told.stretches
