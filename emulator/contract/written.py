"""A report for people, for programs, for CI tools that read JUnit's XML, and for the annotations of GitHub."""

import re
from collections.abc import Iterator, Mapping
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
        *_section("Accepted by the baseline, and not seen in this run", report.stale),
        *_section("How long tasks took", map(_timing, report.timings)),
        *_section("Problems", report.problems),
    ]
    return "".join(f"{_plain(line).rstrip()}\n" for line in lines)


def _counts(report: Report) -> str:
    shown = (state for state in STATES if state != "accepted" or report.count(state))
    told = ", ".join(f"{report.count(state)} {state}" for state in shown)
    sent = f"{report.creates} create{'' if report.creates == 1 else 's'} sent"
    return f"{told}; {sent}{'' if report.is_complete else '; interrupted: this is what was seen until then'}"


def _row(check: Check, report: Report) -> Iterator[str]:
    widest = max(len(each.name) for each in report.checks)
    state = check.state.upper() if check.state == "failed" else check.state
    head = f"{state:<8}  {check.name:<{widest}}  "
    width = max(20, _WIDTH - len(head))
    first, *others = _wrapped(check.why or check.about, width) or [""]
    yield f"{head}{first}"
    yield from (f"{' ' * len(head)}{line}" for line in others)


def _not_run(report: Report) -> Iterator[str]:
    """The checks that weren't run, those together that share a reason."""
    reasons: dict[str, list[str]] = {}
    for check in report.checks:
        if check.state == "not run":
            reasons.setdefault(check.why, []).append(check.name)
    for why, names in reasons.items():
        first, *others = _wrapped(f"{', '.join(names)}: {why}", _WIDTH - 10)
        yield f"not run   {first}"
        yield from (f"          {line}" for line in others)


def _wrapped(text: str, width: int) -> list[str]:
    return wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _section(title: str, lines: Any) -> Iterator[str]:
    told = list(lines)
    if told:
        yield ""
        yield f"{title}:"
        yield from (f"  - {line}" for line in told)


def _timing(timing: Any) -> str:
    told = ", ".join(
        f"{word} after {format_duration(at // 100_000 * 100_000)}" for word, at in timing.statuses
    )
    return f"{timing.task}: {told}"


def _drift_lines(report: Report) -> Iterator[str]:
    if report.drifts:
        yield ""
        yield "Drift, the gravest first:"
    shown: list[tuple[Sample, Sample]] = []
    for drift in report.drifts:
        yield ""
        yield from _drift(drift)
        if drift.twin is None or drift.sample is None:
            continue
        if (drift.sample, drift.twin) in shown:
            yield f"{_INDENT}the two answers are those shown above"
        else:
            shown.append((drift.sample, drift.twin))
            yield from _side_by_side(drift.sample, drift.twin)


def drift_text(drift: Drift) -> str:
    """A drift by itself."""
    return "\n".join(_plain(line).rstrip() for line in _drift(drift))


_INDENT: Final = " " * 10


def _drift(drift: Drift) -> Iterator[str]:
    finding = drift.finding
    state = "accepted" if drift.is_accepted else finding.severity
    lines = [
        f"{finding.kind}: {finding.operation}: {finding.sentence}",
        f"seen in {', '.join(drift.seen_in)}",
        f"{finding.place} says so; source: {finding.source} ({finding.confidence})",
    ]
    wrapped = [part for line in lines for part in _wrapped(line, _WIDTH - len(_INDENT))]
    yield f"{state:<8}  {wrapped[0]}"
    yield from (f"{_INDENT}{part}" for part in wrapped[1:])


def _side_by_side(one: Sample, other: Sample) -> Iterator[str]:
    left, right = (_sample_lines(sample) for sample in (one, other))
    yield f"          {'the provider':<{_COLUMN}}| the emulator"
    for a, b in zip_longest(left, right, fillvalue=""):
        mark = " " if _alike(a) == _alike(b) else "*"
        yield f"        {mark} {a[:_COLUMN]:<{_COLUMN}}| {b[:_COLUMN]}"


def _alike(line: str) -> str:
    """A line without what differs between two answers that are alike: dates, lengths, the comma behind it."""
    return _FIGURES.sub("0", line).rstrip(",")


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


def as_github(report: Report, *, requires_all: bool = False) -> str:
    """Workflow commands of GitHub Actions: each drift at its place in the contract, each problem at none.

    ``requires_all``: a check that wasn't run is an error, too.
    """
    lines = [_annotation(drift) for drift in report.drifts if not drift.is_accepted]
    lines += [f"::error title={_NAME}::{_data(problem)}" for problem in report.problems]
    if requires_all:
        left_out = [check for check in report.checks if check.state == "not run"]
        lines += [f"::error title={_NAME}::{_data(f'{c.name} was not run: {c.why}')}" for c in left_out]
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


def as_junit(report: Report, fails_at: Severity | None = "error", *, requires_all: bool = False) -> str:
    """The report as JUnit's XML: a test case for each check and one for the run as a whole.

    Args:
        report: the report.
        fails_at: how grave a drift fails its checks.
        requires_all: whether a check that wasn't run fails, too.
    """
    left_out = report.count("not run")
    failures = sum(_fails(check, report, fails_at) for check in report.checks) + left_out * requires_all
    count = f'tests="{len(report.checks) + 1}" failures="{failures}" errors="{int(bool(report.problems))}"'
    skipped = f'skipped="{0 if requires_all else left_out}"'
    name = _quoted(f"{_NAME}: {report.provider}, profile {report.profile}")
    cases = _whole_run(report) + "".join(
        _case(check, report, fails_at, requires_all=requires_all) for check in report.checks
    )
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


def _whole_run(report: Report) -> str:
    """A case that says what kept the run from doing what it was told."""
    outcome = "".join(f"      <error message={_quoted(problem)}/>\n" for problem in report.problems[:1])
    told = "\n".join(map(escape, map(_plain, report.problems)))
    outcome += f"      <system-out>{told or _counts(report)}</system-out>\n"
    return f'    <testcase {_head("run", report)} time="0">\n{outcome}    </testcase>\n'


def _head(name: str, report: Report) -> str:
    return f"classname={_quoted(f'video-emulator.contract.{report.provider}')} name={_quoted(name)}"


def _case(check: Check, report: Report, fails_at: Severity | None, *, requires_all: bool) -> str:
    outcome = _outcome(check, report, fails_at, requires_all=requires_all)
    return f'    <testcase {_head(check.name, report)} time="0">\n{outcome}    </testcase>\n'


def _outcome(check: Check, report: Report, fails_at: Severity | None, *, requires_all: bool) -> str:
    if check.state == "not run":
        told = _quoted(f"not run: {check.why}")
        return f"      <failure message={told}/>\n" if requires_all else f"      <skipped message={told}/>\n"
    told = "\n".join(escape(_plain(line)) for drift in _drifts_of(check, report) for line in _drift(drift))
    if _fails(check, report, fails_at):
        return f"      <failure message={_quoted(check.why)} type={_quoted(check.name)}>{told}</failure>\n"
    return f"      <system-out>{told or escape(_plain(check.about))}</system-out>\n"


def _quoted(text: str) -> str:
    return f'"{escape(_plain(text))}"'


def in_form(
    form: str, report: Report, fails_at: Severity | None = "error", *, requires_all: bool = False
) -> str:
    """The report as ``text``, ``json``, ``junit`` or ``github``, as its functions of those names make it."""
    match form:
        case "junit":
            return as_junit(report, fails_at, requires_all=requires_all)
        case "github":
            return as_github(report, requires_all=requires_all)
        case "json":
            return as_json(report)
    return as_text(report)


FORMS: Final = ("text", "json", "junit", "github")
