"""How waits are judged that answers ask for: from when the client knew of them, for the request that they are about."""

from typing import Any

import pytest

from emulator.core.expectations import Expectations, PollExpectations
from emulator.core.units import DAY, MILLISECOND, MINUTE, SECOND, http_date
from emulator.core.words import Status
from tests.report.diary import BEHIND, Diary, a_task, check, ends, verdict
from tests.worlds import START

TASK = a_task(timeline=ends(Status.PROCESSING, stuck=True))
OTHER = a_task("video_2", timeline=ends(Status.PROCESSING, stuck=True))
RETRY = "poll.honours_retry_after"
POLL = "poll.honours_poll_after"
FIVE = {b"retry-after": b"5"}
NEEDNT = Expectations(poll=PollExpectations(honours_retry_after=False, honours_poll_after=False))


def after_a_wait(gap: int, **told: Any) -> Diary:
    """A refusal that asks for a wait of five seconds, and the next poll so many milliseconds later."""
    diary = Diary()
    diary.refused(TASK, **{"headers": FIVE, **told})
    diary.wait(gap * MILLISECOND)
    diary.poll(TASK)
    return diary


@pytest.mark.parametrize(
    ("gap", "wanted"), [(0, "failed"), (4749, "failed"), (4750, "passed"), (60_000, "passed")]
)
def test_the_next_request_comes_when_the_wait_is_over(gap: int, wanted: str) -> None:
    """Or a twentieth sooner."""
    assert verdict(RETRY, after_a_wait(gap)) == wanted


def test_a_wait_cut_short_is_told_with_its_requests() -> None:
    """What was asked, and when the next request came."""
    found = check(RETRY, after_a_wait(1500))
    assert found.why == "1 of 1 waits that Retry-After asked for were cut short."
    (evidence,) = found.evidence
    assert evidence.about == (
        "The answer to request 1 asked for a wait of 5s (Retry-After), and request 2 came 1s500ms after it."
    )
    assert (evidence.provider, evidence.task) == ("octopusx", "video_1")
    assert (evidence.measured, evidence.expected) == ("1s500ms", "at least 5s less 5%, as for every client")
    assert [seen.request for seen in evidence.requests] == [1, 2]


@pytest.mark.parametrize("status_code", [200, 429, 503, 302])
def test_any_answer_may_ask_for_a_wait(status_code: int) -> None:
    """Not only refusals."""
    assert verdict(RETRY, after_a_wait(0, status_code=status_code)) == "failed"


@pytest.mark.parametrize(
    "value", [b"0", b"soon", b"", b"-5", b"1.5", b"1" * 10, b"\xb2", b"Mon, 99 Foo 2025"]
)
def test_what_asks_for_no_wait_is_no_wait(value: bytes) -> None:
    """Nought, and what nobody can read."""
    found = check(RETRY, after_a_wait(0, headers={b"retry-after": value}))
    assert (found.verdict, found.judged) == ("not judged", 0)
    assert found.why == "No request came after an answer with a Retry-After."


def test_a_client_may_be_told_that_it_needs_no_wait() -> None:
    """Then nothing is left to judge."""
    found = check(RETRY, after_a_wait(0), NEEDNT)
    assert found.verdict == "not judged"
    assert found.why == "The client needn't keep this rule, as the request for this report says."


def test_only_the_next_request_has_to_wait() -> None:
    """One that came too soon broke the rule; those after it are about its own answer."""
    diary = after_a_wait(0)
    diary.poll(TASK)
    found = check(RETRY, diary)
    assert (found.judged, found.failures) == (1, 1)


def test_other_requests_need_not_wait() -> None:
    """Of another task, with another key, or for something else."""
    diary = Diary()
    diary.refused(TASK, headers=FIVE)
    diary.poll(OTHER)
    diary.poll(TASK, key=b"sk-another-client")
    diary.content(TASK)
    diary.create(OTHER)
    diary.add("poll", None, headers=FIVE, path="/octopusx/v1/videos/one", status_code=404)
    diary.add("poll", None, path="/octopusx/v1/videos/two", status_code=404)
    diary.add(None, None, headers=FIVE, status_code=404)
    diary.add(None, None, status_code=404)
    assert check(RETRY, diary).judged == 0
    diary.poll(TASK)
    assert verdict(RETRY, diary) == "failed"


@pytest.mark.parametrize("status_code", [404, 429])
def test_a_task_that_nobody_knows_is_what_the_request_says(status_code: int) -> None:
    """The same request once more is about the same."""
    diary = Diary()
    for body in (b'{"id":"a"}', b'{"id":"b"}', b'{"id":"a"}'):
        told = {"method": "POST", "body": body, "provider": "acedata-sora", "headers": FIVE}
        diary.add("poll", None, status_code=status_code, **told)
    found = check(RETRY, diary)
    assert [seen.request for seen in found.evidence[0].requests] == [1, 3]
    assert (found.failures, found.evidence[0].provider, found.evidence[0].task) == (1, "acedata-sora", None)


def test_the_next_create_with_the_same_key_waits() -> None:
    """Whatever it asks for: it is the caller who was told to wait."""
    diary = Diary()
    diary.add("create", None, method="POST", status_code=429, headers=FIVE, body=b'{"prompt":"one"}')
    diary.create(a_task(request={"prompt": "another"}), key=b"sk-another-client")
    diary.create(a_task(provider="ezmodel"), provider="ezmodel")
    assert check(RETRY, diary).judged == 0
    diary.create(a_task("video_2", request={"prompt": "two"}))
    assert check(RETRY, diary).evidence[0].requests[1].request == 4


def test_one_task_alone_is_judged() -> None:
    """What another's client did, or what no task has a part in, is another question."""
    diary = after_a_wait(0)
    diary.add("create", None, method="POST", status_code=429, headers=FIVE)
    diary.create(OTHER)
    assert check(RETRY, diary).failures == 2
    assert check(RETRY, diary, task="video_1").failures == 1
    assert check(RETRY, diary, task="video_2").judged == 0


def test_the_longest_wait_that_can_be_read_is_one() -> None:
    """Thirty years."""
    assert verdict(RETRY, after_a_wait(60_000, headers={b"retry-after": b"9" * 9})) == "failed"


def test_a_refused_batch_is_one_wait() -> None:
    """For each of its tasks, told once where the next request is the same."""
    diary = Diary()
    diary.refused(TASK, headers=FIVE, others=((OTHER, None),))
    diary.poll(OTHER, TASK)
    assert (check(RETRY, diary).judged, check(RETRY, diary).failures) == (1, 1)


@pytest.mark.parametrize(
    ("gap", "wanted"), [(9_999, None), (10_000, "failed"), (14_749, "failed"), (14_750, "passed")]
)
def test_a_wait_begins_when_its_answer_is_sent(gap: int, wanted: str | None) -> None:
    """It took ten seconds; a request before that couldn't know."""
    found = check(RETRY, after_a_wait(gap, delay=10 * SECOND))
    assert found.judged == (0 if wanted is None else 1)
    assert found.verdict == (wanted or "not judged")


def test_under_a_scaled_clock_a_client_waits_in_real_time() -> None:
    """Five seconds are five seconds; latency is divided by the scale, where that is known."""
    diary = Diary("scaled")
    diary.refused(TASK, headers=FIVE)
    diary.wait(SECOND, emulated=MINUTE)
    diary.poll(TASK)
    assert verdict(RETRY, diary) == "failed"
    diary = Diary("scaled")
    diary.refused(TASK, headers=FIVE, delay=60 * SECOND)
    diary.wait(6 * SECOND)
    diary.poll(TASK)
    assert verdict(RETRY, diary, scale=60.0) == "passed"
    assert verdict(RETRY, diary, scale=20.0) == "failed"
    assert "whose scale has changed" in check(RETRY, diary).why


@pytest.mark.parametrize(("mode", "wanted"), [("manual", "passed"), ("real", "failed")])
def test_latency_is_seen_by_clocks_that_run(mode: str, wanted: str) -> None:
    """On one that stands no time passes while an answer is held back."""
    diary = Diary(mode)
    diary.refused(TASK, headers=FIVE, delay=3 * SECOND)
    diary.wait(10 * SECOND, emulated=5 * SECOND)
    diary.poll(TASK)
    assert verdict(RETRY, diary, clock="emulator") == wanted


def test_a_clock_that_stands_judges_no_wait() -> None:
    """Unless somebody says what the client sleeps by."""
    diary = Diary("manual")
    diary.refused(TASK, headers=FIVE)
    diary.wait(MILLISECOND, emulated=5 * SECOND)
    diary.poll(TASK)
    assert verdict(RETRY, diary) == "not judged"
    assert verdict(RETRY, diary, clock="emulator") == "passed"
    assert verdict(RETRY, diary, clock="real") == "failed"


def test_a_clock_that_went_back_measures_no_wait() -> None:
    """As the machine's may."""
    assert "went back" in check(RETRY, after_a_wait(-1)).why


# Dates


def dated(gap: int, offset: int, behind: int) -> Diary:
    """A refusal with a date, so many seconds ahead of the emulator's clock, which is so far behind the machine's."""
    diary = Diary()
    diary.wall = START + behind
    diary.refused(TASK, headers={b"retry-after": http_date(START + offset * SECOND).encode()})
    diary.wait(gap * SECOND)
    diary.poll(TASK)
    return diary


@pytest.mark.parametrize(("gap", "wanted"), [(4, "failed"), (5, "passed")])
def test_a_wait_may_be_a_date(gap: int, wanted: str) -> None:
    """By the emulator's clock, which here is the machine's."""
    assert verdict(RETRY, dated(gap, 5, behind=0)) == wanted


def test_a_date_in_the_past_asks_for_no_wait() -> None:
    """By either clock."""
    assert check(RETRY, dated(0, -5, behind=0)).judged == 0


def test_a_client_may_count_from_either_clock() -> None:
    """From the answer's own date or from its own: the shorter wait counts."""
    assert verdict(RETRY, dated(4, 5, behind=2 * SECOND)) == "passed"
    assert verdict(RETRY, dated(2, 5, behind=2 * SECOND)) == "failed"
    assert verdict(RETRY, dated(4, 5, behind=-DAY)) == "failed"


def test_a_date_that_only_one_clock_has_ahead_is_not_judged() -> None:
    """Unless the client is said to sleep by the emulator's."""
    diary = dated(1, 5, behind=BEHIND)
    assert "Retry-After is a date" in check(RETRY, diary).why
    assert verdict(RETRY, diary, clock="real") == "not judged"
    assert verdict(RETRY, diary, clock="emulator") == "failed"
    assert verdict(RETRY, dated(5, 5, behind=BEHIND), clock="emulator") == "passed"


@pytest.mark.parametrize("date", [b"Wed, 01 Jan 2025 00:00:05 -0000", b"Wed, 01 Jan 2025 02:00:05 +0200"])
def test_a_date_is_read_with_its_zone(date: bytes) -> None:
    """Though RFC 9110 has every date in GMT; an author may write another."""
    diary = Diary()
    diary.wall = START
    diary.refused(TASK, headers={b"retry-after": date})
    diary.wait(4 * SECOND)
    diary.poll(TASK)
    assert verdict(RETRY, diary) == "failed"


@pytest.mark.parametrize(
    ("milliseconds", "gap", "wanted"),
    [(b"100", 95, "passed"), (b"100", 50, "failed"), (b"60000", 4999, "passed"), (b"soon", 100, "failed")],
)
def test_a_shorter_wait_in_milliseconds_counts(milliseconds: bytes, gap: int, wanted: str) -> None:
    """OpenAI's clients look at it first."""
    headers = {**FIVE, b"retry-after-ms": milliseconds}
    assert verdict(RETRY, after_a_wait(gap, headers=headers)) == wanted


def test_milliseconds_help_nobody_whose_wait_can_not_be_read() -> None:
    """They shorten a wait, and make none."""
    headers = {b"retry-after": b"soon", b"retry-after-ms": b"60000"}
    assert check(RETRY, after_a_wait(0, headers=headers)).judged == 0
    diary = Diary()
    diary.refused(
        TASK, headers={b"retry-after": http_date(START + 5 * SECOND).encode(), b"retry-after-ms": b"1"}
    )
    diary.wait(SECOND)
    diary.poll(TASK)
    assert "Retry-After is a date" in check(RETRY, diary).why


# The pace that polls are told


@pytest.mark.parametrize(("gap", "wanted"), [(189, "failed"), (190, "passed")])
def test_the_next_poll_keeps_the_pace_that_it_is_told(gap: int, wanted: str) -> None:
    """In milliseconds, less a twentieth."""
    diary = Diary()
    diary.poll(TASK, headers={b"openai-poll-after-ms": b"200"})
    diary.content(TASK, status_code=400, headers={b"openai-poll-after-ms": b"9000"})
    diary.wait(gap * MILLISECOND)
    diary.poll(TASK)
    diary.poll(OTHER)
    diary.content(TASK, status_code=400)
    assert (verdict(POLL, diary), check(POLL, diary).judged) == (wanted, 1)
    assert verdict(POLL, diary, NEEDNT) == "not judged"


@pytest.mark.parametrize("value", [b"0", b"soon", b"-1", b""])
def test_a_pace_that_nobody_can_read_is_none(value: bytes) -> None:
    """Nor is nought."""
    diary = Diary()
    diary.poll(TASK, headers={b"openai-poll-after-ms": value})
    diary.poll(TASK)
    assert check(POLL, diary).why == "No poll came after an answer with an openai-poll-after-ms."


def test_a_listing_neither_asks_nor_breaks_a_wait() -> None:
    """It polls nobody."""
    one = a_task("a", provider="acedata-sora", timeline=ends(Status.QUEUED, stuck=True))
    diary = Diary()
    for body in (b'{"action":"retrieve","id":"a"}', b'{"action":"retrieve_batch"}'):
        diary.poll(one, method="POST", body=body, headers={b"openai-poll-after-ms": b"200"})
    assert check(POLL, diary).judged == 0
