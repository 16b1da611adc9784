"""From a journal to a report: the verdict on all, what was dropped, what is asked about, and what must not be told."""

import pytest

from emulator.core.expectations import DownloadExpectations, Expectations, PollExpectations
from emulator.core.units import MILLISECOND, SECOND
from emulator.core.words import Status
from emulator.journal import Asked
from emulator.report import CHECKS, Question, report_on
from tests.report.diary import DONE, DONE_FOR_AN_HOUR, KEY, Diary, a_task, check, ends, report, verdict
from tests.worlds import World

TASK = a_task(timeline=ends(Status.PROCESSING, stuck=True))
OTHER = a_task("video_2", timeline=ends(Status.PROCESSING, stuck=True))


def test_every_check_is_named_for_its_place_in_expect() -> None:
    """Each name is one, and leads to what can be expected."""
    names = [check.id for check in report(Diary()).checks]
    parts = {"poll": "poll", "create": "create", "download": "download", "callback": "callback"}
    assert len(names) == len(set(names)) == len(CHECKS)
    for name in names:
        part, _, key = name.partition(".")
        assert hasattr(getattr(Expectations(), parts[part]), key)
    fields = [f"{part}.{key}" for part in parts for key in getattr(Expectations(), part).__struct_fields__]
    assert sorted(names) == sorted(fields)


def test_an_empty_journal_is_not_judged() -> None:
    """By no check, and so not at all; each says what it lacks."""
    found = report(Diary())
    assert (found.verdict, found.requests, found.not_judged) == ("not judged", 0, len(CHECKS))
    assert {check.verdict for check in found.checks} == {"not judged"}
    assert len({check.why for check in found.checks}) == len(CHECKS)


def test_one_failure_fails_the_report() -> None:
    """Where none failed, one that passed passes it."""
    diary = Diary()
    diary.create(TASK)
    assert (report(diary).verdict, report(diary).passed, report(diary).failed) == ("passed", 1, 0)
    diary.create(a_task("video_9"))
    assert (report(diary).verdict, report(diary).passed, report(diary).failed) == ("failed", 0, 1)
    diary.polls(TASK, 2, 5 * SECOND)
    assert (report(diary).verdict, report(diary).passed, report(diary).failed) == ("failed", 1, 1)
    assert report(diary).not_judged == len(CHECKS) - 2


def test_what_the_journal_dropped_passes_nothing() -> None:
    """What fails all the same has failed."""
    diary = Diary()
    diary.polls(TASK, 2, 5 * SECOND)
    found = check("poll.min_interval", diary, dropped=7)
    assert found.verdict == "not judged"
    assert "dropped 7 earlier requests" in found.why
    assert "--journal-entries" in found.why
    assert report(diary, dropped=7).verdict == "not judged"
    diary.polls(TASK, 2, MILLISECOND)
    assert report(diary, dropped=7).verdict == "failed"


def test_what_was_dropped_before_those_asked_about_is_not_missed() -> None:
    """Requests keep their numbers."""
    world = World(clock=None)
    for _ in range(3):
        world.get("/octopusx/v1/videos/x")
    world.namespace.journal.drop_oldest(2)
    assert report_on(world.namespace, Question()).dropped == 2
    assert report_on(world.namespace, Question(after=1)).dropped == 1
    found = report_on(world.namespace, Question(after=2))
    assert (found.dropped, found.requests, found.after) == (0, 1, 2)


# What is asked about


def test_what_came_before_is_known_and_not_judged() -> None:
    """The end that was seen, the create that was accepted, the link that was given."""
    diary = Diary()
    diary.create(a_task("video_9"))
    diary.polls(DONE, 2, MILLISECOND)
    diary.download(DONE)
    diary.download(DONE_FOR_AN_HOUR, key=KEY, expired=True)
    diary.refused(TASK, headers={b"retry-after": b"5", b"openai-poll-after-ms": b"9"})
    diary.refused(TASK, headers={b"openai-poll-after-ms": b"9000"})
    diary.poll(TASK)
    expect = Expectations(poll=PollExpectations(max_interval=SECOND))
    diary.wait(60 * SECOND)
    diary.poll(TASK)
    assert report(diary, expect).failed == 7
    found = report(diary, expect, after=9)
    assert (found.requests, found.failed, found.passed) == (0, 0, 0)
    diary.wait(1)
    diary.poll(DONE)
    diary.create(a_task("video_8"))
    found = report(diary, expect, after=9)
    assert [check.id for check in found.checks if check.verdict == "failed"] == [
        "poll.after_terminal",
        "create.repeated",
    ]


def test_a_download_before_those_asked_about_counts() -> None:
    """The answer after it that gives the link once more asks for no other."""
    diary = Diary()
    diary.poll(DONE)
    diary.download(DONE)
    diary.poll(DONE)
    assert verdict("download.at_least", diary, after=2) == "passed"
    assert verdict("download.at_least", diary, after=3) == "not judged"


def test_one_task_alone_is_judged() -> None:
    """By its id, at whichever provider."""
    diary = Diary()
    diary.polls(TASK, 2, MILLISECOND)
    diary.polls(OTHER, 2, 5 * SECOND)
    diary.poll(DONE)
    diary.poll(a_task("video_3", timeline=DONE.plan.entries))
    diary.download(a_task("video_3"), key=KEY)
    diary.add("download", None, path="/media/x", key=KEY, expired=True)
    assert (report(diary).task, report(diary).failed) == (None, 4)
    assert verdict("poll.min_interval", diary, task="video_2") == "passed"
    found = report(diary, task="video_3")
    assert (found.task, [c.id for c in found.checks if c.verdict == "failed"]) == (
        "video_3",
        ["download.without_key"],
    )
    assert check("download.without_key", diary, task="video_3").judged == 1
    assert report(diary, task="nobody").verdict == "not judged"


# What is told


def test_much_evidence_is_cut_and_counted() -> None:
    """The first twenty failures, and of many requests a few and the last."""
    diary = Diary()
    diary.polls(DONE, 200, MILLISECOND)
    found = check("poll.min_interval", diary)
    assert (found.failures, len(found.evidence)) == (199, 20)
    (evidence,) = check("poll.after_terminal", diary).evidence
    assert [seen.request for seen in evidence.requests] == [1, 2, 3, 4, 5, 200]


@pytest.mark.parametrize(
    "name", ["sk-secret-of-the-client", "see sk-secret-of-the-client!", "x" * 500, "\ud800"]
)
def test_a_name_that_a_client_chose_is_told_without_its_key(name: str) -> None:
    """Unknown tasks may begin under any id."""
    diary = Diary()
    diary.polls(a_task(name, timeline=TASK.plan.entries), 2, MILLISECOND)
    (evidence,) = check("poll.min_interval", diary).evidence
    assert evidence.task is not None
    assert "secret" not in evidence.task
    assert len(evidence.task) < 210
    evidence.task.encode()


@pytest.mark.parametrize(("length", "told"), [(200, 200), (201, 203)])
def test_a_long_name_is_cut(length: int, told: int) -> None:
    """After two hundred characters."""
    diary = Diary()
    diary.polls(a_task("x" * length, timeline=TASK.plan.entries), 2, MILLISECOND)
    assert len(str(check("poll.min_interval", diary).evidence[0].task)) == told


def test_a_short_key_is_no_reason_to_cross_everything_out() -> None:
    """It is in any text."""
    diary = Diary(key=b"e")
    diary.polls(TASK, 2, MILLISECOND)
    assert check("poll.min_interval", diary).evidence[0].task == "video_1"


def test_the_question_is_told_again() -> None:
    """So that a report says what it is about."""
    found = report(
        Diary(),
        Expectations(download=DownloadExpectations(at_least=3)),
        clock="emulator",
        namespace="ci-7",
        after=3,
    )
    told = (found.namespace, found.scenario, found.clock, found.after, found.task)
    assert told == ("ci-7", "under-test", "emulator", 3, None)


# Over the real application


def test_a_namespace_is_judged_by_its_own_journal_and_scenarios() -> None:
    """The active one's for creates that name another, each its own else."""
    world = World(
        "version: 1\nname: strict\nexpect: {create: {repeated: 1}}\n",
        others=["version: 1\nname: loose\nexpect: {create: {repeated: 5}}\n"],
    )

    def create(**headers: str) -> None:
        world.post(
            "/octopusx/v1/videos", {"prompt": "a cat"}, headers={"authorization": "Bearer k", **headers}
        )

    for _ in range(2):
        create()
    assert report_on(world.namespace, Question()).failed == 0
    create(**{"x-emulator-scenario": "loose"})
    assert report_on(world.namespace, Question()).failed == 0
    create(**{"x-emulator-scenario": "loose"})
    assert report_on(world.namespace, Question()).failed == 1
    world.namespace.reset()
    assert report_on(world.namespace, Question()).requests == 0
    loose = world.namespace.library.get("loose")
    assert loose is not None
    create()
    world.namespace.activate(loose)
    for _ in range(5):
        create()
    found = report_on(world.namespace, Question())
    assert (found.scenario, found.failed) == ("loose", 0)
    create()
    assert report_on(world.namespace, Question()).failed == 1


def test_latency_is_measured_by_the_present_scale() -> None:
    """Of a clock that is scaled now; it may have had another one then."""
    world = World()
    diary = Diary("scaled")
    diary.refused(TASK, headers={b"retry-after": b"5"}, delay=60 * SECOND)
    diary.poll(TASK)
    for record in diary.records:
        asked = Asked(record.method, record.path, record.query, record.headers)
        world.namespace.journal.add("scaled", record.provider, "poll", asked, record.reply)
    assert "scale has changed" in str(report_on(world.namespace, Question()))
    world.namespace.clock.change("scaled", 60.0)
    assert "scale has changed" not in str(report_on(world.namespace, Question()))
