"""A report for people, for programs, for CI tools that read JUnit's XML, and for the annotations of GitHub."""

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from itertools import zip_longest
from textwrap import wrap
from typing import Any, Final

import msgspec

from emulator.contract.masks import Sample
from emulator.contract.report import STATES, Check, Drift, Report
from emulator.contracts.findings import SEVERITIES, Severity
from emulator.core.units import format_duration

_WIDTH: Final = 120
_COLUMN: Final = 56
_NAME: Final = "video-emulator contract"
_FIGURES: Final = re.compile(r"[0-9]+")
"""What differs between two answers that are alike: dates, and lengths of ids."""


def as_text(report: Report) -> str:
    """The report as a table of checks, then each drift with its place in the contract, in plain characters."""
    lines = [
        f"{_NAME}: {report.provider} at {report.base_url}",
        f"judged by profile {report.profile}, {report.why_profile}",
        _counts(report),
        "",
        *(line for check in report.checks if check.state != "not run" for line in _row(check, report)),
        *_not_run(report),
        *_drift_lines(report),
        *_section("Accepted by the baseline, and not seen any more", report.stale),
        *_section("How long tasks took", map(_timing, report.timings)),
        *_section("Problems", report.problems),
    ]
    return "".join(f"{_plain(line).rstrip()}\n" for line in lines)


def _counts(report: Report) -> str:
    told = ", ".join(f"{report.count(state)} {state}" for state in STATES)
    sent = f"{report.creates} create{'' if report.creates == 1 else 's'} sent"
    return f"{told}; {sent}{'' if report.is_complete else '; interrupted: this is what was seen until then'}"


def _row(check: Check, report: Report) -> Iterator[str]:
    widest = max(len(each.name) for each in report.checks)
    state = check.state.upper() if check.state == "failed" else check.state
    head = f"{state:<8}  {check.name:<{widest}}  "
    width = max(20, _WIDTH - len(head))
    first, *others = wrap(check.why or check.about, width, break_long_words=False) or [""]
    yield f"{head}{first}"
    yield from (f"{' ' * len(head)}{line}" for line in others)


def _not_run(report: Report) -> Iterator[str]:
    """The checks that weren't run, those together that share a reason."""
    reasons: dict[str, list[str]] = {}
    for check in report.checks:
        if check.state == "not run":
            reasons.setdefault(check.why, []).append(check.name)
    for why, names in reasons.items():
        first, *others = wrap(f"{', '.join(names)}: {why}", _WIDTH - 10, break_long_words=False)
        yield f"not run   {first}"
        yield from (f"          {line}" for line in others)


def _section(title: str, lines: Any) -> Iterator[str]:
    told = list(lines)
    if told:
        yield ""
        yield f"{title}:"
        yield from (f"  - {line}" for line in told)


def _timing(timing: Any) -> str:
    return ", ".join(
        f"{word} after {format_duration(at // 100_000 * 100_000)}" for word, at in timing.statuses
    )


def _drift_lines(report: Report) -> Iterator[str]:
    if report.drifts:
        yield ""
        yield "Drift, the gravest first:"
    for drift in report.drifts:
        yield ""
        yield from _drift(drift)


def drift_text(drift: Drift) -> str:
    """A drift by itself."""
    return "\n".join(_plain(line).rstrip() for line in _drift(drift))


def _drift(drift: Drift) -> Iterator[str]:
    finding = drift.finding
    state = "accepted" if drift.is_accepted else finding.severity
    yield f"{state:<8}  {finding.kind}: {finding.operation}: {finding.sentence}"
    yield f"          seen in {', '.join(drift.seen_in)}"
    yield f"          {finding.place} says so; source: {finding.source} ({finding.confidence})"
    if drift.twin is not None and drift.sample is not None:
        yield from _side_by_side(drift.sample, drift.twin)


def _side_by_side(one: Sample, other: Sample) -> Iterator[str]:
    left, right = (_sample_lines(sample) for sample in (one, other))
    yield f"          {'the provider':<{_COLUMN}}| the emulator"
    for a, b in zip_longest(left, right, fillvalue=""):
        mark = " " if _FIGURES.sub("0", a) == _FIGURES.sub("0", b) else "*"
        yield f"        {mark} {a[:_COLUMN]:<{_COLUMN}}| {b[:_COLUMN]}"


def _sample_lines(sample: Sample) -> list[str]:
    head = [
        f"{sample.method} {sample.path}",
        f"{sample.status_code} {sample.headers.get('content-type', '')}",
    ]
    if sample.what is not None:
        return [*head, f"({sample.what})"]
    return [*head, *msgspec.json.format(msgspec.json.encode(sample.body), indent=2).decode().splitlines()]


def _plain(text: str) -> str:
    """The text without what a terminal would act on, and what a file of XML can't hold."""
    return "".join(character if character.isprintable() else "?" for character in text)


# For programs


def as_json(report: Report) -> str:
    """The whole report as a JSON object."""
    told = msgspec.to_builtins(report)
    told["counts"] = {state: report.count(state) for state in STATES}
    told["worst"] = report.worst()
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"


def as_github(report: Report) -> str:
    """Workflow commands of GitHub Actions: each drift at its place in the contract, each problem at none."""
    lines = [_annotation(drift) for drift in report.drifts if not drift.is_accepted]
    lines += [f"::warning title={_NAME}::{_data(problem)}" for problem in report.problems]
    return "".join(f"{line}\n" for line in [*lines, f"::notice title={_NAME}::{_data(_counts(report))}"])


_LEVELS: Final[Mapping[Severity, str]] = {"error": "error", "warning": "warning", "notice": "notice"}


def _annotation(drift: Drift) -> str:
    finding = drift.finding
    file, _, line = finding.place.rpartition(":")
    title = _property(f"{finding.kind} in {finding.operation}")
    told = _data(f"{finding.sentence} (seen in {', '.join(drift.seen_in)})")
    return f"::{_LEVELS[finding.severity]} file={_property(file)},line={line},title={title}::{told}"


def _data(text: str) -> str:
    return _plain(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# JUnit


def as_junit(report: Report, fails_at: Severity | None = "error") -> str:
    """The report as JUnit's XML: a test case for each check, failed where a drift is as grave as ``fails_at``."""
    failures = sum(_fails(check, report, fails_at) for check in report.checks)
    count = f'tests="{len(report.checks)}" failures="{failures}" errors="0"'
    skipped = f'skipped="{report.count("not run")}"'
    name = _quoted(f"{_NAME}: {report.provider}, profile {report.profile}")
    cases = "".join(_case(check, report, fails_at) for check in report.checks)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="{_NAME}" {count} time="0">\n'
        f'  <testsuite name={name} {count} {skipped} time="0">\n'
        f"{cases}"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


def _fails(check: Check, report: Report, fails_at: Severity | None) -> bool:
    return any(reaches(drift, fails_at) for drift in _drifts_of(check, report))


def reaches(drift: Drift, fails_at: Severity | None) -> bool:
    """Whether a drift is as grave as that, and isn't accepted."""
    if fails_at is None or drift.is_accepted:
        return False
    return SEVERITIES.index(drift.finding.severity) <= SEVERITIES.index(fails_at)


def _drifts_of(check: Check, report: Report) -> list[Drift]:
    return [drift for drift in report.drifts if drift.id in check.drifts]


def _case(check: Check, report: Report, fails_at: Severity | None) -> str:
    head = f"classname={_quoted(f'video-emulator.contract.{report.provider}')} name={_quoted(check.name)}"
    return f'    <testcase {head} time="0">\n{_outcome(check, report, fails_at)}    </testcase>\n'


def _outcome(check: Check, report: Report, fails_at: Severity | None) -> str:
    if check.state == "not run":
        return f"      <skipped message={_quoted(f'not run: {check.why}')}/>\n"
    told = "\n".join(escape(_plain(line)) for drift in _drifts_of(check, report) for line in _drift(drift))
    if _fails(check, report, fails_at):
        return f"      <failure message={_quoted(check.why)} type={_quoted(check.name)}>{told}</failure>\n"
    return f"      <system-out>{told or escape(_plain(check.about))}</system-out>\n"


def _quoted(text: str) -> str:
    return f'"{escape(_plain(text))}"'


FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": as_text,
    "json": as_json,
    "junit": as_junit,
    "github": as_github,
}
