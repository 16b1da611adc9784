"""What a run has seen so far: it can be kept in a file, and holds nothing secret but the ids of tasks."""

from typing import Literal

import msgspec

from emulator.contract.masks import Sample
from emulator.contracts.findings import Finding
from emulator.core.units import Duration, Instant
from emulator.core.words import Profile


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: an answer, or how answers follow one another."""

    check: str
    """Which check it is of; ``status``: that of the status that the answer shows."""
    operation: str
    outcome: dict[Profile, str]
    """What the answer was taken for, by each profile."""
    findings: dict[Profile, tuple[Finding, ...]]
    sample: Sample | None = None
    """``None``: it is of no single answer."""


class Own(msgspec.Struct, kw_only=True):
    """One create that was sent. It is written down before it is sent, so that none is sent twice."""

    id: str | None = None
    """The task's; ``None``: the answer was lost, or it was refused."""
    why: str | None = None
    """Why there is no task."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How long a task that the run made took, to within a polling interval."""

    task: str
    statuses: tuple[tuple[str, Duration], ...]
    """Each status, and how long after the create it was first seen."""


class Evidence(msgspec.Struct, kw_only=True):
    """All of it."""

    provider: str
    base_url: str
    begun_at: Instant
    observations: list[Observation] = []
    not_run: dict[str, str] = {}
    """Checks that couldn't be run, each with its reason."""
    creates: list[Own] = []
    problems: list[str] = []
    """What kept the run from doing what it was told, a sentence each."""
    stopped: bool = False
    """Whether one of these kept everything from being asked."""
    timings: list[Timing] = []
    version: Literal[1] = 1


def of_both(name: str) -> dict[Profile, str]:
    """The same outcome by each profile."""
    return dict.fromkeys(Profile, name)
