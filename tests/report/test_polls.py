"""How polls are judged: their pace, on the clock that the client sleeps by, and where they stop."""

from typing import Any

import pytest

from emulator.core.expectations import Expectations, PollExpectations
from emulator.core.plan import HAPPY_TIMELINE, Entry
from emulator.core.rules import Verdict
from emulator.core.scenario import HAPPY_PATH, Scenario
from emulator.core.units import HOUR, MILLISECOND, MINUTE, SECOND
from emulator.core.words import Status
from tests.report.diary import (
    DONE,
    DONE_FOR_AN_HOUR,
    Diary,
    a_task,
    check,
    ends,
    report,
    verdict,
)
from tests.worlds import START

TASK = a_task(timeline=ends(Status.PROCESSING, stuck=True))
OTHER = a_task("video_2", timeline=ends(Status.PROCESSING, stuck=True))


def polls(**expected: Any) -> Expectations:
    """What is expected of polls."""
    return Expectations(poll=PollExpectations(**expected))


# The shortest gap


@pytest.mark.parametrize(
    ("expect", "gap", "wanted"),
    [
        (None, 949 * MILLISECOND, "failed"),
        (None, 950 * MILLISECOND, "passed"),
        (polls(min_interval=2 * SECOND), 1899 * MILLISECOND, "failed"),
        (polls(min_interval=2 * SECOND), 1900 * MILLISECOND, "passed"),
        (polls(min_interval=20 * MILLISECOND), 18_999, "failed"),
        (polls(min_interval=20 * MILLISECOND), 19_000, "passed"),
        (polls(min_interval=0), 0, "passed"),
    ],
)
def test_a_gap_may_be_a_twentieth_shorter(expect: Expectations | None, gap: int, wanted: str) -> None:
    """A second, where nobody says otherwise; timers and networks aren't exact."""
    diary = Diary()
    diary.polls(TASK, 2, gap)
    assert verdict("poll.min_interval", diary, expect) == wanted
    assert verdict("poll.min_interval", diary, scenario=expect) == wanted


def test_a_short_gap_is_told_with_its_requests() -> None:
    """Which task, which requests, when by both clocks, how long it was and should be."""
    diary = Diary()
    diary.polls(TASK, 3, 2 * SECOND)
    diary.wait(12_345)
    diary.poll(TASK)
    found = check("poll.min_interval", diary, scenario=polls(min_interval=SECOND))
    assert (found.judged, found.failures) == (3, 1)
    assert found.why == "1 of 3 gaps between two polls of one task were too short; the shortest was 12ms."
    (evidence,) = found.evidence
    assert evidence.about == "Request 4 polled the task 12ms after request 3."
    assert (evidence.provider, evidence.task) == ("octopusx", "video_1")
    assert (evidence.measured, evidence.expected) == (
        "12ms",
        "at least 1s less 5%, as the scenario under-test says",
    )
    assert [(seen.request, seen.at, seen.real_at) for seen in evidence.requests] == [
        (3, "2025-01-01T00:00:04Z", "2025-02-10T00:00:04Z"),
        (4, "2025-01-01T00:00:04.012345Z", "2025-02-10T00:00:04.012345Z"),
    ]


def test_the_request_goes_before_the_scenario() -> None:
    """What it leaves open, the scenario says."""
    diary = Diary()
    diary.polls(TASK, 2, 3 * SECOND)
    scenario = polls(min_interval=4 * SECOND)
    assert verdict("poll.min_interval", diary, polls(min_interval=2 * SECOND), scenario=scenario) == "passed"
    assert verdict("poll.min_interval", diary, polls(after_terminal=5), scenario=scenario) == "failed"


@pytest.mark.parametrize(
    ("gap", "expect", "wanted"),
    [
        (400 * MILLISECOND, None, "passed"),
        (300 * MILLISECOND, None, "failed"),
        (400 * MILLISECOND, polls(min_interval=SECOND), "failed"),
    ],
)
@pytest.mark.parametrize("status_code", [400, 500])
def test_after_an_error_a_retry_may_come_sooner(
    gap: int, expect: Expectations | None, wanted: str, status_code: int
) -> None:
    """As soon as OpenAI's clients retry, unless somebody says how long a gap is at least."""
    diary = Diary()
    diary.refused(TASK, status_code)
    diary.wait(gap)
    diary.poll(TASK)
    assert verdict("poll.min_interval", diary, expect) == wanted


def test_a_quicker_pace_that_the_provider_tells_may_be_kept() -> None:
    """From then on: OpenAI's own helper keeps to the first that it is told."""
    diary = Diary()
    diary.poll(TASK, headers={b"openai-poll-after-ms": b"200"})
    for gap in (200, 200, 195):
        diary.wait(gap * MILLISECOND)
        diary.poll(TASK)
    assert verdict("poll.min_interval", diary) == "passed"
    assert verdict("poll.min_interval", diary, polls(min_interval=SECOND)) == "failed"
    diary.wait(150 * MILLISECOND)
    diary.poll(TASK)
    assert (
        check("poll.min_interval", diary).evidence[0].expected
        == "at least 200ms less 5%, as openai-poll-after-ms said"
    )


@pytest.mark.parametrize(
    "told", [((b"200", 200), (b"900", 200)), ((b"900", 900), (b"200", 200))], ids=["at-first", "later"]
)
def test_the_quickest_of_several_paces_may_be_kept(told: tuple[tuple[bytes, int], ...]) -> None:
    """Whichever was told first; whether each is honoured is another check's question."""
    diary = Diary()
    for hint, gap in told:
        diary.poll(TASK, headers={b"openai-poll-after-ms": hint})
        diary.wait(gap * MILLISECOND)
    diary.poll(TASK)
    assert verdict("poll.min_interval", diary) == "passed"


def test_a_pace_that_was_told_before_the_journal_begins_may_be_kept() -> None:
    """The task's plan knows that it was told; of a task whose create is known every answer is."""
    slow = Entry(status=Status.QUEUED, polls=9, poll_after=5 * SECOND)
    quick = Entry(status=Status.PROCESSING, stuck=True, poll_after=200 * MILLISECOND)
    paced = a_task(timeline=(slow, quick))
    diary = Diary()
    diary.polls(paced, 2, 250 * MILLISECOND)
    assert verdict("poll.min_interval", diary, dropped=1) == "not judged"
    assert verdict("poll.min_interval", diary) == "failed"


def test_each_task_has_gaps_of_its_own() -> None:
    """Two tasks may be polled at once."""
    diary = Diary()
    for _ in range(2):
        diary.poll(TASK)
        diary.poll(OTHER)
        diary.wait(SECOND)
    found = check("poll.min_interval", diary)
    assert (found.verdict, found.judged) == ("passed", 2)


def test_a_batch_polls_each_of_its_tasks() -> None:
    """The pair of requests counts once, however many tasks they share, and by the strictest of the limits."""
    patient = Scenario(name="patient", digest="1", expect=polls(min_interval=MINUTE))
    slow = a_task("video_3", version=patient.version)
    diary = Diary()
    diary.poll(TASK, OTHER, slow, method="POST", provider="acedata-sora")
    diary.wait(SECOND)
    diary.poll(OTHER, slow, TASK, method="POST", provider="acedata-sora")
    found = check("poll.min_interval", diary, scenarios={patient.version: patient})
    assert (found.judged, found.failures) == (1, 1)
    assert found.evidence[0].task == "video_3"
    diary = Diary()
    diary.poll(TASK, OTHER)
    diary.poll(OTHER)
    assert check("poll.min_interval", diary).evidence[0].task == "video_2"


def test_a_listing_polls_nobody() -> None:
    """It asks for whatever tasks there are; a batch without ids is one."""
    listing = b'{"action":"retrieve_batch","user_id":"u"}'
    diary = Diary()
    one = a_task("a", provider="acedata-sora")
    for body in (listing, listing, b'{"action":"retrieve_batch","ids":["a"]}', listing):
        diary.poll(one, method="POST", body=body)
    assert check("poll.min_interval", diary).why == "No task was polled twice."
    diary.poll(one, method="POST", body=b'{"action":"retrieve_batch","ids":["a",' + b'"b",' * 10)
    assert verdict("poll.min_interval", diary) == "failed"


def test_a_task_of_the_same_name_is_another_one() -> None:
    """An activation begins anew with the tasks that its scenario names."""
    diary = Diary()
    diary.poll(TASK)
    diary.poll(a_task(timeline=TASK.plan.entries, activated_at=START + 1))
    diary.poll(a_task(timeline=TASK.plan.entries, provider="ezmodel"))
    assert check("poll.min_interval", diary).judged == 0


@pytest.mark.parametrize("told", [{"operation": "content"}, {"operation": None}, {"task": None}])
def test_only_polls_of_tasks_have_a_pace(told: dict[str, Any]) -> None:
    """Neither downloads nor requests that name no task."""
    diary = Diary()
    for _ in range(3):
        diary.add(**{"operation": "poll", "task": TASK, **told})
    assert check("poll.min_interval", diary).why == "No task was polled twice."


# The clock that the client sleeps by


@pytest.mark.parametrize(
    ("mode", "clock", "wanted"),
    [
        ("real", None, "passed"),
        ("scaled", None, "passed"),
        ("manual", None, "not judged"),
        ("auto", None, "not judged"),
        ("manual", "real", "passed"),
        ("auto", "real", "passed"),
        ("manual", "emulator", "failed"),
        ("real", "emulator", "failed"),
        ("scaled", "emulator", "failed"),
    ],
)
def test_a_gap_is_measured_by_the_clock_that_the_client_sleeps_by(mode: str, clock: Any, wanted: str) -> None:
    """Real time, where the namespace's clock runs; where it stands, only whoever asks can know."""
    diary = Diary(mode)
    diary.poll(TASK)
    diary.wait(2 * SECOND, emulated=0)
    diary.poll(TASK)
    assert verdict("poll.min_interval", diary, clock=clock) == wanted
    other = {"passed": "failed", "failed": "passed", "not judged": "not judged"}[wanted]
    diary = Diary(mode)
    diary.poll(TASK)
    diary.wait(0, emulated=2 * SECOND)
    diary.poll(TASK)
    assert verdict("poll.min_interval", diary, clock=clock) == other


def test_what_stands_in_the_way_is_told_with_its_repair() -> None:
    """How to ask so that the gaps can be judged."""
    diary = Diary("manual")
    diary.polls(TASK, 3, SECOND)
    why = check("poll.min_interval", diary).why
    assert why.startswith(
        "2 of 2 gaps between two polls of one task can't be judged: under a manual or an auto"
    )
    assert "clock=emulator" in why
    assert "clock=real" in why


def test_a_gap_in_which_the_mode_changed_is_not_judged() -> None:
    """Nor is the check passed then; what broke the rule elsewhere breaks it all the same."""
    diary = Diary("manual")
    diary.poll(TASK)
    diary.mode = "real"
    diary.wait(5 * SECOND)
    diary.polls(TASK, 2, SECOND)
    found = check("poll.min_interval", diary)
    assert (found.verdict, found.judged) == ("not judged", 1)
    assert found.why.startswith(
        "1 of 2 gaps between two polls of one task can't be judged: the clock's mode changed"
    )
    assert found.why.endswith("The others keep the rule.")
    assert verdict("poll.min_interval", diary, clock="real") == "passed"
    diary.polls(TASK, 2, MILLISECOND)
    assert verdict("poll.min_interval", diary) == "failed"


def test_a_clock_that_went_back_measures_nothing() -> None:
    """As the machine's may."""
    diary = Diary()
    diary.poll(TASK)
    diary.wait(-SECOND)
    diary.poll(TASK)
    assert "went back" in check("poll.min_interval", diary).why


# The longest gap


@pytest.mark.parametrize(("gap", "wanted"), [(31_500, "passed"), (31_501, "failed")])
def test_a_gap_may_be_a_twentieth_longer(gap: int, wanted: str) -> None:
    """Than it is expected to be; nothing is where nobody says so."""
    diary = Diary()
    diary.polls(TASK, 2, gap * MILLISECOND)
    assert verdict("poll.max_interval", diary, polls(max_interval=30 * SECOND)) == wanted
    why = "Nobody says how long a gap may be; expect.poll.max_interval would."
    assert check("poll.max_interval", diary).why == why
    diary = Diary()
    diary.poll(TASK)
    why = "No task was polled twice before its end was seen."
    assert check("poll.max_interval", diary, polls(max_interval=30 * SECOND)).why == why


def test_a_wait_that_was_asked_for_may_be_longer_than_the_longest_gap() -> None:
    """As may the time until the answer came."""
    expect = polls(max_interval=10 * SECOND)
    for told in (
        {"headers": {b"retry-after": b"20"}},
        {"headers": {b"openai-poll-after-ms": b"20000"}},
        {"delay": 10 * SECOND},
    ):
        diary = Diary()
        diary.refused(TASK, **told)
        diary.wait(20 * SECOND)
        diary.poll(TASK)
        assert verdict("poll.max_interval", diary, expect) == "passed"
    diary.wait(20 * SECOND)
    diary.poll(TASK)
    assert check("poll.max_interval", diary, expect).evidence[0].expected.startswith("at most 10s and 5%")


def test_after_the_end_nobody_needs_to_poll() -> None:
    """Gaps after the answer that showed it have no longest."""
    task, diary = a_task(), Diary()
    for wait in (0, 9, 2, 60):
        diary.wait(wait * SECOND)
        diary.poll(task)
    found = check("poll.max_interval", diary, polls(max_interval=10 * SECOND))
    assert (found.verdict, found.judged) == ("passed", 2)


# The end


def test_a_task_is_not_polled_once_its_end_was_seen() -> None:
    """The answer that shows it, and every poll after it, are told."""
    diary = Diary()
    diary.polls(a_task(), 8, 2 * SECOND)
    found = check("poll.after_terminal", diary)
    assert (found.verdict, found.judged, found.failures) == ("failed", 1, 1)
    (evidence,) = found.evidence
    assert evidence.about == "Request 6 showed the end of the task, and 2 more polls came after it."
    assert [seen.request for seen in evidence.requests] == [6, 7, 8]
    assert (evidence.measured, evidence.expected) == ("2", "at most 0, as for every client")
    assert verdict("poll.after_terminal", diary, polls(after_terminal=1)) == "failed"
    assert verdict("poll.after_terminal", diary, polls(after_terminal=2)) == "passed"


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_every_end_is_one(status: Status) -> None:
    """Refused polls count, and so do batches that name the task among others."""
    task = a_task("video_9", timeline=ends(status))
    for ask, tasks in (("poll", [task]), ("refused", [task]), ("poll", [TASK, task])):
        diary = Diary()
        diary.poll(TASK, task)
        assert verdict("poll.after_terminal", diary) == "passed"
        getattr(diary, ask)(*tasks)
        assert verdict("poll.after_terminal", diary) == "failed"


@pytest.mark.parametrize(
    "shown",
    [
        {"task": a_task(timeline=ends(Status.COMPLETED, word="archived"))},
        {"task": a_task(timeline=ends(Status.COMPLETED, patch={"status": "in_progress"}))},
        {"task": a_task(timeline=ends(Status.COMPLETED), patch={"response": None})},
        {"verdict": Verdict(patches=({"status": "queued"},))},
        {"status_code": 500, "stage": "rules"},
        {"stage": "auth", "status_code": 401},
        {"stage": "rules"},
        {"method": "HEAD"},
    ],
)
def test_an_end_that_the_answer_did_not_show_is_none(shown: dict[str, Any]) -> None:
    """In an author's own words, patched, refused, or without a body."""
    task = shown.pop("task", DONE)
    diary = Diary()
    for _ in range(2):
        diary.poll(task, **shown)
    assert check("poll.after_terminal", diary).why == "No answer to a poll showed the end of a task."


def test_a_patch_of_something_else_hides_no_end() -> None:
    """Only what tells how the task stands does."""
    diary = Diary()
    diary.poll(a_task(timeline=ends(Status.FAILED, patch={"model": "sora-3"})))
    assert verdict("poll.after_terminal", diary) == "passed"


@pytest.mark.parametrize(("gap", "wanted"), [(999, "passed"), (1000, "failed")])
def test_a_poll_that_came_before_the_answer_is_not_held_against_it(gap: int, wanted: str) -> None:
    """The answer was under way for a second, on whatever clock."""
    for mode in ("real", "manual"):
        diary = Diary(mode)
        diary.poll(DONE, delay=SECOND)
        diary.wait(gap * MILLISECOND)
        diary.poll(DONE)
        assert verdict("poll.after_terminal", diary) == wanted


@pytest.mark.parametrize(("gap", "wanted"), [(99, "passed"), (100, "failed")])
def test_latency_passes_faster_under_a_scaled_clock(gap: int, wanted: str) -> None:
    """A second takes a tenth of one at scale 10."""
    diary = Diary("scaled")
    diary.poll(DONE, delay=SECOND)
    diary.wait(gap * MILLISECOND)
    diary.poll(DONE)
    assert verdict("poll.after_terminal", diary, scale=10.0) == wanted


def test_a_client_may_ask_for_another_link() -> None:
    """Once for each time that it is told that the one it has is dead."""
    diary = Diary()
    diary.poll(DONE_FOR_AN_HOUR)
    diary.wait(2 * HOUR)
    diary.download(DONE_FOR_AN_HOUR, status_code=403, expired=True)
    diary.poll(DONE_FOR_AN_HOUR)
    assert verdict("poll.after_terminal", diary) == "passed"
    diary.poll(DONE_FOR_AN_HOUR)
    assert verdict("poll.after_terminal", diary) == "failed"


def test_who_has_got_the_result_needs_no_other_link() -> None:
    """Though it had been told that the first was dead."""
    diary = Diary()
    diary.poll(DONE)
    diary.download(DONE, status_code=403, expired=True)
    diary.content(DONE)
    diary.poll(DONE)
    assert verdict("poll.after_terminal", diary) == "failed"


# By which scenario


def test_a_task_is_judged_by_the_scenario_that_it_was_created_under() -> None:
    """Though another is active by now; of one that is no longer known, by the active one."""
    before = Scenario(name="before", digest="1", expect=polls(min_interval=MINUTE))
    diary = Diary()
    diary.polls(a_task(timeline=TASK.plan.entries, version=before.version), 2, 2 * SECOND)
    assert verdict("poll.min_interval", diary, scenarios={before.version: before}) == "failed"
    assert verdict("poll.min_interval", diary) == "passed"
    assert verdict("poll.min_interval", diary, scenario=polls(min_interval=MINUTE)) == "failed"


@pytest.mark.parametrize(
    ("told", "request_", "wanted"),
    [
        ({}, {"prompt": "a cat"}, "failed"),
        ({"sent": {b"x-emulator-scenario": b"named"}}, {"prompt": "a cat"}, "passed"),
        ({}, {"prompt": "a cat scenario:named"}, "passed"),
        ({}, {"prompt": "a cat scenario:other"}, "failed"),
        ({}, {"prompt": 5}, "failed"),
        ({}, [], "failed"),
    ],
)
def test_the_expectations_of_a_scenario_that_a_create_names_do_not_apply(
    told: dict[str, Any], request_: Any, wanted: str
) -> None:
    """The active one's do."""
    named = Scenario(name="named", digest="1", expect=polls(min_interval=MINUTE))
    task = a_task(timeline=TASK.plan.entries, version=named.version, request=request_)
    diary = Diary()
    diary.create(task, **told)
    diary.polls(task, 2, 2 * SECOND)
    assert verdict("poll.min_interval", diary, scenarios={named.version: named}) == wanted


def test_a_provider_that_the_scenario_does_not_speak_of_is_judged_as_any() -> None:
    """Its tasks are the happy path's."""
    diary = Diary()
    diary.polls(a_task(version=HAPPY_PATH.version), 2, 2 * SECOND)
    assert verdict("poll.min_interval", diary, scenario=polls(min_interval=MINUTE)) == "passed"
    assert verdict("poll.min_interval", diary, polls(min_interval=MINUTE)) == "failed"


def test_the_happy_path_polled_every_two_seconds_is_fine() -> None:
    """To its end, and no further."""
    diary = Diary()
    diary.create(a_task(timeline=HAPPY_TIMELINE))
    diary.polls(a_task(timeline=HAPPY_TIMELINE), 6, 2 * SECOND)
    diary.download(a_task(timeline=HAPPY_TIMELINE))
    assert report(diary).verdict == "passed"


def test_an_entry_of_the_same_status_is_no_new_end() -> None:
    """A later video of a completed task."""
    entries = (Entry(status=Status.COMPLETED, stay=SECOND), Entry(status=Status.COMPLETED))
    diary = Diary()
    diary.poll(a_task(timeline=entries))
    assert check("poll.after_terminal", diary).judged == 1
