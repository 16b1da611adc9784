"""A report for people, and for the CI tools that read JUnit's XML."""

from collections.abc import Iterator
from html import escape
from textwrap import wrap
from typing import Final

from emulator.messages.report import Check, Evidence, Report

_WIDTH: Final = 120
_NAME: Final = "video-emulator report"

# Text


def as_text(report: Report) -> str:
    """The report as a table of verdicts and reasons, and the evidence below it, in plain characters."""
    lines = [
        f"{_NAME}: {report.verdict}",
        f"{report.passed} passed, {report.failed} failed, {report.not_judged} not judged; {_about(report)}",
        "",
        *(line for check in report.checks for line in _row(check, report)),
        *(line for check in report.checks if check.evidence for line in _told(check)),
    ]
    return "".join(f"{_plain(line)}\n" for line in lines)


def _about(report: Report) -> str:
    parts = [
        f"namespace {report.namespace}",
        f"scenario {report.scenario}",
        *([] if report.task is None else [f"task {report.task}"]),
        f"{report.requests} requests" + (f" after number {report.after}" if report.after else ""),
        *([f"{report.dropped} dropped"] if report.dropped else []),
        *([] if report.clock is None else [f"gaps by the {report.clock} clock"]),
    ]
    return ", ".join(parts)


def _row(check: Check, report: Report) -> Iterator[str]:
    widest = max(len(each.id) for each in report.checks)
    verdict = check.verdict.upper() if check.verdict == "failed" else check.verdict
    head = f"{verdict:<10}  {check.id:<{widest}}  "
    lines = wrap(check.why, _WIDTH - len(head), break_long_words=False, break_on_hyphens=False)
    first, *others = lines or [""]
    yield f"{head}{first}"
    yield from (f"{' ' * len(head)}{line}" for line in others)


def _told(check: Check) -> Iterator[str]:
    yield ""
    yield f"{check.id}: {check.title}"
    for evidence in check.evidence:
        yield f"  - {_line(evidence)}"
    if check.failures > len(check.evidence):
        yield f"  - and {check.failures - len(check.evidence)} more"


def _line(evidence: Evidence) -> str:
    task = "" if evidence.task is None else f"{evidence.provider} {evidence.task}: "
    return f"{task}{evidence.about} Expected: {evidence.expected}; measured: {evidence.measured}."


def _plain(text: str) -> str:
    """The text without what a terminal would act on, and what a file of XML can't hold."""
    return "".join(character if character.isprintable() else "?" for character in text)


# JUnit


def as_junit(report: Report) -> str:
    """The report as JUnit's XML: a test case for each check, failed, skipped (not judged) or passed.

    It keeps to what the schemas of Jenkins's plugins have in common with what other CI tools read.
    """
    count = f'tests="{len(report.checks)}" failures="{report.failed}" errors="0"'
    name = _quoted(f"{_NAME}: {_about(report)}")
    cases = "".join(_case(check, report) for check in report.checks)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="{_NAME}" {count} time="0">\n'
        f'  <testsuite name={name} {count} skipped="{report.not_judged}" time="0">\n'
        f"{cases}"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


def _case(check: Check, report: Report) -> str:
    head = f"classname={_quoted(f'video-emulator.report.{report.namespace}')} name={_quoted(check.id)}"
    return f'    <testcase {head} time="0">\n{_outcome(check)}    </testcase>\n'


def _outcome(check: Check) -> str:
    if check.verdict == "not judged":
        return f"      <skipped message={_quoted(check.why)}/>\n"
    if check.verdict == "passed":
        return f"      <system-out>{_escaped(check.why)}</system-out>\n"
    told = "\n".join(map(_escaped, _told(check))).strip()
    return f"      <failure message={_quoted(check.why)} type={_quoted(check.id)}>{told}</failure>\n"


def _escaped(text: str) -> str:
    return escape(_plain(text))


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'
