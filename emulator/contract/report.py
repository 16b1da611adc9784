"""What a run's evidence comes to: a verdict for each check, and each drift once, with where it was seen."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal

import msgspec

from emulator.contract.checks import check_of, is_optional, names_of
from emulator.contract.evidence import Evidence, Observation, Timing
from emulator.contract.masks import Sample
from emulator.contracts.contract import Contract, contract_of
from emulator.contracts.findings import SEVERITIES, Finding, Severity
from emulator.core.words import Profile

State = Literal["passed", "accepted", "drift", "failed", "not run"]
"""``failed``: an error. ``drift``: slighter findings alone. ``accepted``: such as the baseline knows."""
STATES: Final[tuple[State, ...]] = ("passed", "accepted", "drift", "failed", "not run")
_WEIGHTS: Final[dict[Severity, int]] = {"error": 100, "warning": 10, "notice": 1}


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the provider does otherwise, wherever it was seen."""

    id: str
    """What a baseline accepts it by."""
    finding: Finding
    seen_in: tuple[str, ...]
    """Checks."""
    is_accepted: bool = False
    sample: Sample | None = None
    """What the provider answered, the first time."""
    twin: Sample | None = None
    """What the emulator answers there; ``None``: it wasn't asked."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check."""

    name: str
    about: str
    state: State
    why: str
    """Why it is so, in a sentence; empty where it passed."""
    drifts: tuple[str, ...] = ()
    """Ids."""


class Nearness(msgspec.Struct, frozen=True, kw_only=True):
    """By which profile the provider is judged, and why."""

    profile: Profile
    why: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    provider: str
    title: str
    base_url: str
    profile: Profile
    why_profile: str
    is_complete: bool
    """``False``: the run was interrupted."""
    checks: tuple[Check, ...]
    drifts: tuple[Drift, ...]
    """The gravest first."""
    problems: tuple[str, ...]
    timings: tuple[Timing, ...]
    creates: int
    """How many creates were sent."""
    stale: tuple[str, ...] = ()
    """What the baseline accepts and the provider didn't do."""

    def count(self, state: State) -> int:
        """How many checks ended so."""
        return sum(check.state == state for check in self.checks)

    def worst(self) -> Severity | None:
        """The gravest drift that isn't accepted; ``None``: there is none."""
        found = {drift.finding.severity for drift in self.drifts if not drift.is_accepted}
        return next((severity for severity in SEVERITIES if severity in found), None)


def report_of(
    evidence: Evidence,
    *,
    profile: Profile | None = None,
    accepted: Collection[str] = (),
    twins: Mapping[tuple[str, str], Sample] | None = None,
    is_complete: bool = True,
) -> Report:
    """The report of what was seen.

    Args:
        evidence: what was seen.
        profile: by which to judge; ``None``: by the nearer one.
        accepted: ids of drifts that are known and taken as they are.
        twins: the emulator's answers by operation and outcome, to stand beside the provider's.
        is_complete: whether the run came to its end.
    """
    contract = contract_of(evidence.provider)
    nearness = _forced(profile) if profile else nearest(evidence)
    judged = nearness.profile
    drifts = _drifts(evidence, judged, accepted, twins or {})
    return Report(
        provider=contract.provider,
        title=contract.title,
        base_url=evidence.base_url,
        profile=judged,
        why_profile=nearness.why,
        is_complete=is_complete,
        checks=_checks(evidence, contract, judged, drifts, is_complete),
        drifts=drifts,
        problems=tuple(evidence.problems),
        timings=tuple(evidence.timings),
        creates=len(evidence.creates),
        stale=tuple(sorted(set(accepted) - {drift.id for drift in drifts})),
    )


# The profile


def _forced(profile: Profile) -> Nearness:
    return Nearness(profile=profile, why="as told")


def nearest(evidence: Evidence) -> Nearness:
    """The profile from which the answers differ in the fewest things; of two as near the documented one."""
    found = {profile: _distinct(evidence, profile) for profile in Profile}
    nearness = {p: (len(findings), _weight(findings.values())) for p, findings in found.items()}
    chosen = min(Profile, key=lambda profile: nearness[profile])
    other = next(profile for profile in Profile if profile is not chosen)
    if nearness[chosen] == nearness[other]:
        return Nearness(profile=Profile.DOCUMENTED, why="nothing that was seen tells it from the other one")
    own = [f for key, f in found[other].items() if key not in found[chosen]]
    telling = own[0] if own else next(iter(found[other].values()))
    why = (
        f"the nearer: {_counted(found[chosen])}; by {other} there would be {len(found[other])}, such as "
        f"{telling.operation}, {telling.outcome}: {telling.sentence}"
    )
    return Nearness(profile=chosen, why=why)


def _weight(findings: Iterable[Finding]) -> int:
    return sum(_WEIGHTS[finding.severity] for finding in findings)


def _counted(findings: Mapping[str, Finding]) -> str:
    return f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"


def _distinct(evidence: Evidence, profile: Profile) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for observation in evidence.observations:
        for finding in observation.findings[profile]:
            found.setdefault(finding.id, finding)
    return found


# Drifts


def _drifts(
    evidence: Evidence,
    profile: Profile,
    accepted: Collection[str],
    twins: Mapping[tuple[str, str], Sample],
) -> tuple[Drift, ...]:
    places: dict[str, list[tuple[Observation, Finding]]] = {}
    for observation in evidence.observations:
        for finding in observation.findings[profile]:
            places.setdefault(finding.id, []).append((observation, finding))
    drifts = [_drift(key, seen, profile, accepted, twins) for key, seen in places.items()]
    return tuple(
        sorted(drifts, key=lambda drift: (drift.is_accepted, SEVERITIES.index(drift.finding.severity)))
    )


def _drift(
    key: str,
    seen: Sequence[tuple[Observation, Finding]],
    profile: Profile,
    accepted: Collection[str],
    twins: Mapping[tuple[str, str], Sample],
) -> Drift:
    observation, finding = min(seen, key=lambda one: SEVERITIES.index(one[1].severity))
    names = dict.fromkeys(check_of(o.check, o.outcome[profile]) for o, _ in seen)
    return Drift(
        id=key,
        finding=finding,
        seen_in=tuple(names),
        is_accepted=key in accepted,
        sample=observation.sample,
        twin=twins.get((observation.operation, finding.outcome)),
    )


# Checks


def _checks(
    evidence: Evidence, contract: Contract, profile: Profile, drifts: Sequence[Drift], is_complete: bool
) -> tuple[Check, ...]:
    looked_at = {check_of(o.check, o.outcome[profile]) for o in evidence.observations}
    found = []
    for name, about in names_of(contract, profile).items():
        own = [drift for drift in drifts if name in drift.seen_in]
        if name in looked_at:
            found.append(_run(name, about, own))
        elif not is_optional(name):
            why = evidence.not_run.get(name) or _missing(name, evidence, is_complete=is_complete)
            found.append(Check(name=name, about=about, state="not run", why=why))
    return tuple(found)


def _run(name: str, about: str, drifts: Sequence[Drift]) -> Check:
    open_ones = [drift for drift in drifts if not drift.is_accepted]
    state: State = "accepted" if drifts else "passed"
    if open_ones:
        state = "failed" if any(d.finding.severity == "error" for d in open_ones) else "drift"
    told = [drift.finding.sentence for drift in open_ones]
    more = f", and {len(told) - 1} more" if len(told) > 1 else ""
    why = f"{told[0]}{more}" if told else ""
    if not told and drifts:
        why = f"known drift: {drifts[0].finding.sentence}"
    return Check(name=name, about=about, state=state, why=why, drifts=tuple(drift.id for drift in drifts))


def _missing(name: str, evidence: Evidence, *, is_complete: bool) -> str:
    if not is_complete:
        return "the run was interrupted before"
    if evidence.stopped:
        return "the run couldn't go on: see the problems"
    if name == "create":
        return "nothing is created without --create"
    if name == "content-not-ready":
        return "no unfinished task was there"
    if name == "content-gone":
        return "no link died while the run lasted"
    return "no task showed it: name one by --task, or allow one by --create"
