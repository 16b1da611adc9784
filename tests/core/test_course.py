"""The course of a task: what was, what is, and what lies ahead."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.course import Stretch, course
from emulator.core.making import made
from emulator.core.plan import Entry, plan_of
from emulator.core.steps import advanced, forced
from emulator.core.task import Task, polled, state_at
from emulator.core.units import SECOND
from emulator.core.words import Status
from tests.core.test_steps import Moment, last, stepped_lives
from tests.strategies import CREATED_AT, HORIZON, task_of, tasks

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = Status
HAPPY = (
    Entry(status=QUEUED, stay=2 * SECOND),
    Entry(status=PROCESSING, stay=8 * SECOND),
    Entry(status=COMPLETED),
)


def task(*entries: Entry, **others: object) -> Task:
    """A task with this timeline, created at the instant 0."""
    return task_of(plan_of(entries, scenario="written", **others), created_at=0)


def told(task: Task, now: int) -> list[tuple[str, str, int | None]]:
    """Each stretch as its state, its status and when it begins, in seconds."""
    begun = [(s, None if s.begins_at is None else s.begins_at // SECOND) for s in course(task, now)]
    return [(stretch.state, stretch.entry.status.value, at) for stretch, at in begun]


def present(stretches: list[Stretch]) -> Stretch:
    """The one that is."""
    (one,) = (stretch for stretch in stretches if stretch.state == "present")
    return one


@given(stepped_lives())
def test_the_present_is_what_the_task_shows(life: tuple[Task, list[Moment]]) -> None:
    """At every instant from the last deed on: the same entry, since the same instant."""
    final, since = last(life)
    for now in range(since, since + HORIZON):
        snapshot, one = state_at(final, now), present(course(final, now))
        assert (one.entry, one.begins_at) == (snapshot.entry, snapshot.entered_at)


@given(stepped_lives())
def test_every_entry_of_the_timeline_stands_there_once_and_in_order(life: tuple[Task, list[Moment]]) -> None:
    """Whatever was done to the task; past, present, and then what lies ahead."""
    final, now = last(life)
    stretches = course(final, now)
    places = [stretch.place for stretch in stretches if stretch.place is not None]
    assert places == list(range(final.plan.length))
    met = [stretch.state for stretch in stretches if stretch.state != "skipped"]
    assert met == ["past"] * met.index("present") + ["present"] + ["ahead"] * met.count("ahead")
    instants = [stretch.begins_at for stretch in stretches if stretch.begins_at is not None]
    assert instants == sorted(instants)


@given(tasks(counts_polls=False))
def test_what_time_alone_decides_is_foretold(new: Task) -> None:
    """Each entry begins when it said that it would."""
    ahead = course(new, CREATED_AT)
    for stretch in ahead:
        assert stretch.begins_at is not None
        assert stretch.place is not None
        assert state_at(new, stretch.begins_at).index >= stretch.place
        assert stretch.place == 0 or state_at(new, stretch.begins_at - 1).index < stretch.place


def test_time_leads_from_one_to_the_next() -> None:
    """Before the creation all lies ahead."""
    one = task(*HAPPY)
    assert told(one, -1) == [("ahead", "queued", 0), ("ahead", "processing", 2), ("ahead", "completed", 10)]
    assert told(one, 2 * SECOND) == [
        ("past", "queued", 0),
        ("present", "processing", 2),
        ("ahead", "completed", 10),
    ]


def test_what_polls_decide_is_not_known_ahead() -> None:
    """Nor is anything behind it; once they have, it is."""
    one = task(Entry(status=QUEUED, polls=1), *HAPPY[1:])
    assert told(one, 0) == [
        ("present", "queued", 0),
        ("ahead", "processing", None),
        ("ahead", "completed", None),
    ]
    one = polled(one, state_at(one, 3 * SECOND), 3 * SECOND)
    assert told(one, 3 * SECOND) == [
        ("past", "queued", 0),
        ("present", "processing", 3),
        ("ahead", "completed", 11),
    ]


def test_one_that_waits_for_steps_knows_no_instants() -> None:
    """`progression: manual`."""
    one = task(*HAPPY, manual=True)
    assert told(one, 9 * SECOND) == [
        ("present", "queued", 0),
        ("ahead", "processing", None),
        ("ahead", "completed", None),
    ]
    one = advanced(one, 9 * SECOND)
    assert told(one, 9 * SECOND)[:2] == [("past", "queued", 0), ("present", "processing", 9)]


def test_what_a_step_leads_past_is_skipped() -> None:
    """And so is what an ended task never gets to."""
    completed = forced(task(*HAPPY), SECOND, COMPLETED)
    assert told(completed, SECOND) == [
        ("past", "queued", 0),
        ("skipped", "processing", None),
        ("present", "completed", 1),
    ]
    failed = forced(task(*HAPPY), SECOND, FAILED)
    assert told(failed, SECOND) == [
        ("past", "queued", 0),
        ("present", "failed", 1),
        ("skipped", "processing", None),
        ("skipped", "completed", None),
    ]  # fmt: skip
    assert [stretch.place for stretch in course(failed, SECOND)] == [0, None, 1, 2]


def test_what_ends_at_the_instant_of_a_step_was_met() -> None:
    """However short it was there."""
    one = advanced(task(*HAPPY), 2 * SECOND)
    assert told(one, 2 * SECOND) == [
        ("past", "queued", 0),
        ("past", "processing", 2),
        ("present", "completed", 2),
    ]


def test_polls_after_a_step_tell_nothing_of_before() -> None:
    """All at one instant: what the steps led past was never met."""
    polls = [Entry(status=QUEUED, polls=1, progress=n) for n in range(4)]
    leads = [Entry(status=PROCESSING, polls=1), Entry(status=PROCESSING, polls=1)]
    one = task(polls[0], polls[1], leads[0], polls[2], polls[3], leads[1], HAPPY[2])
    for _ in range(2):
        one = forced(one, 0, PROCESSING)
        one = polled(one, state_at(one, 0), 0)
    states = [stretch.state for stretch in course(one, 0)]
    assert states == ["past", "skipped", "past", "past", "skipped", "past", "present"]


def test_a_last_entry_has_no_end() -> None:
    """Not even one that says how many polls it answers, which no file can."""
    one = task(Entry(status=QUEUED, polls=1))
    one = polled(one, state_at(one, 0), 0)
    assert told(one, 0) == [("present", "queued", 0)]


def test_behind_an_end_only_more_of_it_lies_ahead() -> None:
    """A second completed entry, which a step leads to."""
    one = task(HAPPY[0], Entry(status=COMPLETED, polls=3), Entry(status=COMPLETED))
    assert told(one, 2 * SECOND)[2] == ("ahead", "completed", None)


def test_another_progress_begins_no_entry() -> None:
    """It is the same one, with the progress that it has now."""
    one = forced(task(*HAPPY), SECOND, QUEUED, 40)
    assert told(one, SECOND) == told(task(*HAPPY), SECOND)
    assert present(course(one, SECOND)).entry.progress == 40


def test_a_task_made_by_hand_has_never_been_anything_else() -> None:
    """What stands before its entry was skipped, not left."""
    one = made(task(*HAPPY), 5 * SECOND, PROCESSING)
    assert told(one, 5 * SECOND) == [
        ("skipped", "queued", None),
        ("present", "processing", 5),
        ("ahead", "completed", 13),
    ]
    cancelled = made(task(*HAPPY), 5 * SECOND, CANCELLED)
    assert told(cancelled, 5 * SECOND) == [
        ("skipped", "queued", None),
        ("present", "cancelled", 5),
        ("skipped", "processing", None),
        ("skipped", "completed", None),
    ]  # fmt: skip


@given(tasks(), st.sampled_from(Status), st.integers(0, HORIZON))
def test_a_task_made_by_hand_shows_what_it_is_in(new: Task, status: Status, age: int) -> None:
    """At every instant from now on."""
    since = new.created_at + age
    one = made(new, since, status)
    for now in range(since, since + HORIZON):
        snapshot, stretch = state_at(one, now), present(course(one, now))
        assert (stretch.entry, stretch.begins_at) == (snapshot.entry, snapshot.entered_at)
