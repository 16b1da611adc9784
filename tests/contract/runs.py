"""Runs of the checks against whatever answers on this machine, quick enough for tests."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.clock import Clock
from emulator.contract.calling import Caller
from emulator.contract.dialect import Dialect
from emulator.contract.evidence import Evidence
from emulator.contract.report import Drift, Report, report_of
from emulator.contract.running import Wish, run
from emulator.contract.session import Means, Session
from emulator.core.scenario import ClockSettings
from emulator.core.units import MILLISECOND, SECOND, Duration
from emulator.core.words import Profile


async def checked(
    provider: str,
    url: str,
    key: str,
    *,
    tasks: Sequence[str] = (),
    creates: int = 0,
    interval: Duration = 10 * MILLISECOND,
    longest: Duration = 8 * SECOND,
    patience: float = 20.0,
    fields: Mapping[str, Any] | None = None,
    tell: Callable[[str], None] = lambda _: None,
    evidence: Evidence | None = None,
    keep: Callable[[], None] = lambda: None,
) -> Evidence:
    """What one run sees; with ``evidence``, what it sees who goes on from there."""
    evidence = Evidence(provider=provider, base_url=url, begun_at=0) if evidence is None else evidence
    means = Means(interval=interval, longest=longest, creates=creates, paces=False)
    caller = Caller(patience)
    try:
        dialect, clock = Dialect(provider, url, key), Clock(ClockSettings())
        session = Session(dialect, caller, evidence, means, clock=clock, tell=tell, keep=keep)
        await run(session, Wish(tasks=tasks, fields=fields, key_name="THE_KEY"))
    finally:
        await caller.close()
    return evidence


def report_on(provider: str, url: str, key: str, profile: Profile | None = None, **others: Any) -> Report:
    """The report of one run."""
    return report_of(asyncio.run(checked(provider, url, key, **others)), profile=profile)


def told(drift: Drift) -> tuple[str, str, str, str]:
    """Operation, member, kind and severity of a drift."""
    finding = drift.finding
    member = finding.member.removeprefix("items[].")
    return finding.operation, member, finding.kind, finding.severity
