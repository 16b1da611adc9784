"""The report on the client under test."""

from typing import Literal

import msgspec

Verdict = Literal["passed", "failed", "not judged"]
Basis = Literal["real", "emulator"]
"""By which clock a client sleeps: the real one, or that of its namespace."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A request that bears something out."""

    request: int
    """Its number in the journal."""
    at: str
    """When it came by the namespace's clock."""
    real_at: str
    """When it came by the machine's clock."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that went wrong."""

    about: str
    """What happened, in a sentence."""
    provider: str | None
    task: str | None
    measured: str
    expected: str
    requests: list[Seen]
    """The requests that show it, in their order; of many the first few and the last."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One rule that clients are judged by."""

    id: str
    """A stable name, such as ``poll.min_interval``: where the rule stands in a scenario's ``expect``."""
    title: str
    verdict: Verdict
    why: str
    """The reason for the verdict, in a sentence or two."""
    judged: int
    """How many cases there were to judge: gaps, waits, tasks, creates or requests."""
    failures: int
    """How many of them broke the rule."""
    evidence: list[Evidence]
    """The first of the failures."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal of a namespace says of the client under test."""

    verdict: Verdict
    """``failed`` if a check failed; else ``passed`` if one passed; else ``not judged``."""
    namespace: str
    scenario: str
    """The one in force; a task is judged by the one that it was created under."""
    clock: Basis | None
    """The clock that gaps were measured by; ``None``: the real one, where the namespace's clock ran with it."""
    task: str | None
    """The task that alone was judged."""
    after: int
    """The number of the request after which those judged begin."""
    requests: int
    """How many were looked at."""
    dropped: int
    """How many of those that were asked about the journal no longer has."""
    passed: int
    failed: int
    not_judged: int
    checks: list[Check]
