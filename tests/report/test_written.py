"""A report as text and as JUnit's XML: what people and CI tools read."""

from typing import Final
from xml.etree import ElementTree as ET

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.expectations import Expectations, PollExpectations
from emulator.core.units import MILLISECOND, SECOND
from emulator.core.words import Status
from emulator.messages.report import Check, Evidence, Report
from emulator.report import as_junit, as_text
from tests.report.diary import DONE, Diary, a_task, ends, report

TASK = a_task(timeline=ends(Status.PROCESSING, stuck=True))


def mixed() -> Report:
    """A report with checks of every verdict."""
    diary = Diary()
    diary.polls(TASK, 30, MILLISECOND)
    diary.wait(3 * SECOND)
    diary.poll(TASK)
    diary.poll(DONE)
    diary.download(DONE)
    return report(diary, Expectations(poll=PollExpectations(max_interval=10 * SECOND)), clock="real")


TEXT: Final = """\
video-emulator report: failed
5 passed, 1 failed, 4 not judged; namespace default, scenario under-test, 33 requests, gaps by the real clock

FAILED      poll.min_interval         29 of 30 gaps between two polls of one task were too short; the shortest was 1ms.
passed      poll.max_interval         0 of 30 gaps between two polls of one task were too long; the longest was 3s.
passed      poll.after_terminal       0 of 1 tasks were polled on after their end was seen.
not judged  poll.honours_retry_after  No request came after an answer with a Retry-After.
not judged  poll.honours_poll_after   No poll came after an answer with an openai-poll-after-ms.
not judged  create.repeated           No create was accepted.
passed      download.at_least         0 of 1 finished results were downloaded too seldom.
passed      download.before_expiry    0 of 1 requests for results came after the link had died.
passed      download.without_key      0 of 1 requests for media were sent with an API key.
not judged  callback.answered         No callback was sent.

poll.min_interval: Polls of one task keep a distance
  - octopusx video_1: Request 2 polled the task 1ms after request 1. Expected: at least 1s less 5%, as for every \
client; measured: 1ms.
"""


def test_the_text_is_a_table_and_the_evidence() -> None:
    """Verdicts and reasons first, then what broke the rules, of much the first, and how much more there is."""
    text = as_text(mixed())
    assert text.startswith(TEXT)
    assert text.endswith("\n  - and 9 more\n")
    assert text.count("\n  - ") == 21
    assert text.isascii()
    few = Diary()
    few.polls(TASK, 2, MILLISECOND)
    assert " more" not in as_text(report(few))


def test_the_text_says_what_was_asked_about() -> None:
    """And what is missing."""
    diary = Diary("manual")
    diary.polls(TASK, 4, SECOND)
    text = as_text(report(diary, task="video_1", after=1, dropped=5, namespace="ci-7"))
    assert "namespace ci-7, scenario under-test, task video_1, 3 requests after number 1, 4 dropped\n" in text
    assert (
        "\nnot judged  poll.min_interval         3 of 3 gaps between two polls of one task can't be judged"
        in text
    )
    assert max(map(len, text.splitlines()[3:])) <= 120


# What Jenkins's schema (junit-10.xsd of its xUnit plugin) and pytest's own files have in common: for each
# element its attributes and its children.
SCHEMA: Final = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase"}),
    "testcase": ({"classname", "name", "time"}, {"failure", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


def parsed(found: Report) -> ET.Element:
    """The root of the report's XML, which keeps to the schema."""
    root = ET.fromstring(as_junit(found).encode())  # noqa: S314 - our own
    for element in root.iter():
        attributes, children = SCHEMA[element.tag]
        assert set(element.attrib) == attributes
        assert {child.tag for child in element} <= children
    return root


def test_each_check_is_a_test_case() -> None:
    """Failed, skipped with its reason where it isn't judged, or passed; the counts are those of the cases."""
    found = mixed()
    root = parsed(found)
    (suite,) = root
    counts = {"tests": "10", "failures": "1", "errors": "0", "time": "0"}
    assert root.attrib == {"name": "video-emulator report", **counts}
    assert {name: suite.attrib[name] for name in (*counts, "skipped")} == {**counts, "skipped": "4"}
    assert [case.attrib["name"] for case in suite] == [check.id for check in found.checks]
    assert {case.attrib["classname"] for case in suite} == {"video-emulator.report.default"}
    outcomes = {"failed": "failure", "not judged": "skipped", "passed": "system-out"}
    for case, check in zip(suite, found.checks, strict=True):
        (outcome,) = case
        assert outcome.tag == outcomes[check.verdict]
        assert outcome.attrib.get("message", outcome.text) == check.why
    failure = suite[0][0]
    assert failure.attrib["type"] == "poll.min_interval"
    assert str(failure.text).startswith(
        "poll.min_interval: Polls of one task keep a distance\n  - octopusx video_1: "
    )


ANYTHING = st.text(st.characters(codec="utf-8"))


@given(ANYTHING, ANYTHING, ANYTHING)
def test_any_text_can_be_written(one: str, other: str, third: str) -> None:
    """Markup, control characters and what XML has no room for."""
    evidence = Evidence(about=one, provider=other, task=third, measured=one, expected=other, requests=[])
    check = Check(
        id="poll.x", title=one, verdict="failed", why=other, judged=1, failures=1, evidence=[evidence]
    )
    others = [msgspec.structs.replace(check, verdict=verdict) for verdict in ("passed", "not judged")]
    found = msgspec.structs.replace(
        mixed(), checks=[check, *others], failed=1, not_judged=1, passed=1, namespace=one, task=other
    )
    root = parsed(found)
    assert len(root[0]) == 3
    told = as_text(found)
    assert all(character == "\n" or character.isprintable() for character in told)


def test_markup_is_kept_as_text() -> None:
    """A task's id may be anything."""
    diary = Diary()
    diary.polls(a_task('<a href="x">&\x07', timeline=TASK.plan.entries), 2, MILLISECOND)
    found = report(diary)
    assert '<a href="x">&?' in str(parsed(found)[0][0][0].text)
    assert '<a href="x">&?' in as_text(found)
