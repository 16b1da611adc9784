"""What a task looks like at an instant, and what a poll changes of it."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.plan import Entry, Ramp, Video, plan_of
from emulator.core.task import Snapshot, Task, link_dies_at, next_change, polled, state_at
from emulator.core.units import DAY, HOUR, MINUTE, SECOND
from emulator.core.words import TERMINAL, Status
from tests.strategies import CREATED_AT, HORIZON, Polled, lived, lives, task_of, tasks

QUEUED, PROCESSING, COMPLETED, FAILED = (
    Status.QUEUED, Status.PROCESSING, Status.COMPLETED, Status.FAILED
)  # fmt: skip


def task(*entries: Entry, **others: object) -> Task:
    """A task with this timeline, created at the instant 0."""
    return task_of(plan_of(entries, scenario="written", **others), created_at=0)


def shown(life: list[Polled]) -> list[tuple[Status, int]]:
    """What the polls of a life showed: status and progress of each."""
    return [(poll.snapshot.status, poll.snapshot.progress) for poll in life]


def instants(last: int = CREATED_AT) -> range:
    """Every instant from creation until nothing can change any more."""
    return range(CREATED_AT, last + HORIZON)


# Properties


@given(lives(), st.integers(0, HORIZON))
def test_is_pure(life: tuple[Task, list[Polled]], offset: int) -> None:
    """One task at one instant looks the same however often it is looked at, whether polls count or not."""
    for poll in life[1]:
        assert state_at(poll.after, poll.now + offset) == state_at(poll.after, poll.now + offset)
        assert poll.before.polls + 1 == poll.after.polls


@given(lives(counts_polls=False))
def test_shows_two_polls_of_one_instant_the_same(life: tuple[Task, list[Polled]]) -> None:
    """Polls change nothing of what is seen, where time alone ends entries."""
    new, polls = life
    for poll in polls:
        assert poll.snapshot == state_at(new, poll.now)


@given(lives())
def test_stays_terminal(life: tuple[Task, list[Polled]]) -> None:
    """A task that reached its end keeps status and the instant of its end, through polls and time."""
    new, polls = life
    seen = [poll.snapshot for poll in polls]
    last, now = (polls[-1].after, polls[-1].now) if polls else (new, CREATED_AT)
    seen += [state_at(last, instant) for instant in range(now, now + HORIZON)]
    for earlier, later in pairwise(seen):
        assert (earlier.ended_at is not None) == (earlier.status in TERMINAL)
        if earlier.status in TERMINAL:
            assert (later.status, later.ended_at) == (earlier.status, earlier.ended_at)


@given(lives())
def test_never_rewrites_the_past(life: tuple[Task, list[Polled]]) -> None:
    """A poll changes nothing of what the task looked like before it."""
    for poll in life[1]:
        for instant in range(CREATED_AT, poll.now):
            assert state_at(poll.after, instant) == state_at(poll.before, instant)


@given(lives())
def test_shows_each_poll_again_to_whom_looks_back(life: tuple[Task, list[Polled]]) -> None:
    """The final facts tell of every earlier instant what was seen there, as the last of its polls left it."""
    _, polls = life
    for poll, following in pairwise(polls):
        if poll.now < following.now:
            assert state_at(polls[-1].after, poll.now) == state_at(poll.after, poll.now)


def may_fall(task: Task, earlier: Snapshot, later: Snapshot) -> bool:
    """Whether a literal number stands on an entry entered between the two."""
    between = task.plan.entries[earlier.index + 1 : later.index + 1]
    return any(isinstance(entry.progress, int) for entry in between)


@given(lives())
def test_never_lets_progress_fall_by_itself(life: tuple[Task, list[Polled]]) -> None:
    """Progress falls only where a new entry names a number, never while an entry lasts."""
    new, polls = life
    for earlier, later in pairwise([poll.snapshot for poll in polls]):
        assert later.progress >= earlier.progress or may_fall(new, earlier, later)
    last = polls[-1].after if polls else new
    for earlier, later in pairwise(
        state_at(last, i) for i in instants(polls[-1].now if polls else CREATED_AT)
    ):
        assert later.progress >= earlier.progress or may_fall(new, earlier, later)


@given(tasks(counts_polls=False))
def test_takes_the_same_way_fast_and_slow(new: Task) -> None:
    """What the plan worked out ahead of any poll gives what walking its entries gives."""
    slow = msgspec.structs.replace(new, plan=msgspec.structs.replace(new.plan, ends=None))
    assert new.plan.ends is not None
    for instant in instants():
        assert state_at(new, instant) == state_at(slow, instant)


@given(lives())
def test_names_the_first_instant_of_change(life: tuple[Task, list[Polled]]) -> None:
    """Until the next change the task stays in its entry, at it the task is in another; without one, for ever."""
    new, polls = life
    facts, now = (polls[-1].after, polls[-1].now) if polls else (new, CREATED_AT)
    present = state_at(facts, now).index
    others = [i for i in range(now, now + HORIZON) if state_at(facts, i).index != present]
    assert next_change(facts, now) == (others[0] if others else None)


@given(lives())
def test_dates_entry_and_status(life: tuple[Task, list[Polled]]) -> None:
    """An entry begins where the task is first seen in it, a status where a run of its entries begins."""
    new, polls = life
    facts, last = (polls[-1].after, polls[-1].now) if polls else (new, CREATED_AT)
    for instant in instants(last):
        now = state_at(facts, instant)
        assert CREATED_AT <= now.since <= now.entered_at <= instant
        assert state_at(facts, now.entered_at).index == now.index
        run = new.plan.entries[state_at(facts, now.since).index : now.index + 1]
        assert {entry.status for entry in run} == {now.status}


# Time


def test_enters_the_next_entry_when_the_last_ends() -> None:
    """At the instant at which an entry ends, the next one shows."""
    happy = task(
        Entry(status=QUEUED, stay=2),
        Entry(status=PROCESSING, stay=8, progress=Ramp(0, 99)),
        Entry(status=COMPLETED),
    )
    seen = [(state_at(happy, t).status, state_at(happy, t).progress) for t in (0, 1, 2, 3, 9, 10, 99)]
    assert seen == [
        (QUEUED, 0), (QUEUED, 0), (PROCESSING, 0), (PROCESSING, 12), (PROCESSING, 86), (COMPLETED, 100),
        (COMPLETED, 100),
    ]  # fmt: skip
    assert state_at(happy, 99).ended_at == 10


def test_counts_until_from_the_creation() -> None:
    """``until`` ends an entry so long after creation; one that has passed takes no time."""
    planned = task(
        Entry(status=QUEUED, until=5), Entry(status=PROCESSING, until=3), Entry(status=PROCESSING, until=9),
        Entry(status=FAILED),
    )  # fmt: skip
    assert [state_at(planned, t).index for t in (4, 5, 8, 9)] == [0, 2, 2, 3]


def test_passes_entries_that_take_no_time() -> None:
    """An entry of no length is never seen."""
    quick = task(Entry(status=QUEUED, stay=0), Entry(status=PROCESSING, stay=0), Entry(status=COMPLETED))
    assert state_at(quick, 0).index == 2
    assert state_at(quick, 0).ended_at == 0


def test_dates_a_status_from_its_first_entry() -> None:
    """A status that spans several entries began with the first of them."""
    phased = task(
        Entry(status=QUEUED, stay=2), Entry(status=PROCESSING, stay=3), Entry(status=PROCESSING, polls=1),
        Entry(status=PROCESSING, stay=4), Entry(status=COMPLETED),
    )  # fmt: skip
    facts = lived(phased, [7])[-1].after
    for instant, entered_at, since in ((1, 0, 0), (3, 2, 2), (6, 5, 2), (8, 7, 2), (11, 11, 11)):
        seen = state_at(facts, instant)
        assert (seen.entered_at, seen.since) == (entered_at, since)


def test_keeps_the_end_through_a_second_terminal_entry() -> None:
    """A completed entry after a completed one changes the video, not the instant of completion."""
    first, second = Video(id="first", expires_in=5), Video(id="second", expires_in=90)
    renewed = task(
        Entry(status=PROCESSING, stay=10),
        Entry(status=COMPLETED, stay=20, video=first),
        Entry(status=COMPLETED, video=second),
    )
    early, late = state_at(renewed, 15), state_at(renewed, 40)
    assert (early.entry.video, early.ended_at) == (first, 10)
    assert (late.entry.video, late.ended_at, late.entered_at) == (second, 10, 30)
    assert link_dies_at(renewed, late, 40) == 10 + 90


def test_stays_where_it_is_under_manual_progression() -> None:
    """Neither time nor polls move a task that waits for the control API."""
    waiting = task(
        Entry(status=QUEUED, polls=1), Entry(status=PROCESSING, stay=1), Entry(status=COMPLETED), manual=True
    )
    life = lived(waiting, [1, 1000, 1])
    assert [poll.snapshot.index for poll in life] == [0, 0, 0]
    assert (life[-1].after.polls, life[-1].after.ended) == (3, ())
    assert next_change(waiting, 0) is None


def test_stays_stuck() -> None:
    """An entry that is stuck is the last thing seen, and has no end."""
    stuck = task(Entry(status=QUEUED, stay=1), Entry(status=PROCESSING, stuck=True, progress=42))
    seen = state_at(stuck, 10**15)
    assert (seen.status, seen.progress, seen.ended_at) == (PROCESSING, 42, None)


# Polls


def test_answers_three_polls_with_an_entry_of_three() -> None:
    """The third poll still shows the entry; it ends at the instant of that poll, and the rest is dated from there."""
    polling = task(Entry(status=QUEUED, polls=3), Entry(status=PROCESSING, stay=10), Entry(status=COMPLETED))
    life = lived(polling, [5, 100, 7, 0, 9, 1])
    assert [poll.snapshot.status for poll in life] == [
        QUEUED,
        QUEUED,
        QUEUED,
        PROCESSING,
        PROCESSING,
        COMPLETED,
    ]
    assert (life[3].snapshot.entered_at, life[5].snapshot.ended_at) == (112, 122)


def test_waits_for_polls_however_long_they_take() -> None:
    """Time alone never ends an entry that counts polls."""
    polling = task(Entry(status=QUEUED, polls=2), Entry(status=COMPLETED))
    once = lived(polling, [1])[-1].after
    assert state_at(once, 10**15).status is QUEUED
    assert next_change(once, 1) is None


def test_counts_only_polls_that_the_entry_answered() -> None:
    """Polls during a timed entry don't count towards a later entry of polls."""
    mixed = task(
        Entry(status=QUEUED, stay=10), Entry(status=PROCESSING, polls=2), Entry(status=PROCESSING, stay=5),
        Entry(status=PROCESSING, polls=1), Entry(status=COMPLETED),
    )  # fmt: skip
    life = lived(mixed, [1, 1, 1, 7, 1, 0, 4, 1, 0])
    assert [poll.snapshot.index for poll in life] == [0, 0, 0, 1, 1, 2, 2, 3, 4]
    assert life[-1].snapshot.ended_at == 16


def test_counts_polls_of_one_instant_one_by_one() -> None:
    """Under a clock that stands still, polls alone lead to the end."""
    polling = task(Entry(status=QUEUED, polls=2), Entry(status=PROCESSING, polls=1), Entry(status=FAILED))
    life = lived(polling, [0, 0, 0, 0])
    assert [poll.snapshot.status for poll in life] == [QUEUED, QUEUED, PROCESSING, FAILED]
    assert life[-1].after.ended == (0, 0)


@pytest.mark.parametrize(
    ("polls", "ramp", "expected"),
    [
        (1, Ramp(10, 50), [10]),
        (2, Ramp(10, 50), [10, 50]),
        (3, Ramp(0, 99), [0, 49, 99]),
        (5, Ramp(0, 100), [0, 25, 50, 75, 100]),
        (5, Ramp(7, 9), [7, 7, 8, 8, 9]),
        (3, Ramp(50, 50), [50, 50, 50]),
    ],
)
def test_spreads_progress_over_the_polls(polls: int, ramp: Ramp, expected: list[int]) -> None:
    """The first poll shows where the progress starts, the last where it ends, each step is rounded down."""
    polling = task(Entry(status=PROCESSING, polls=polls, progress=ramp), Entry(status=COMPLETED))
    assert shown(lived(polling, [3] * polls)) == [(PROCESSING, number) for number in expected]


@given(st.integers(2, 300), st.integers(0, 100), st.integers(0, 100))
def test_moves_progress_with_every_poll(polls: int, first: int, last: int) -> None:
    """Each poll shows its share of the way, and the facts kept for that are at most a hundred."""
    ramp = Ramp(min(first, last), max(first, last))
    life = lived(
        task(Entry(status=PROCESSING, polls=polls, progress=ramp), Entry(status=COMPLETED)), [1] * polls
    )
    way = ramp.end - ramp.start
    assert [poll.snapshot.progress for poll in life] == [
        ramp.start + way * number // (polls - 1) for number in range(polls)
    ]
    assert len(life[-1].after.moved) == min(way, polls - 1)


def test_keeps_the_progress_of_each_poll_entry_apart() -> None:
    """Two entries of polls in a row each run through their own progress, also when looked at later."""
    polling = task(
        Entry(status=QUEUED, polls=3, progress=Ramp(0, 10)),
        Entry(status=PROCESSING, polls=3, progress=Ramp(20, 80)),
        Entry(status=COMPLETED),
    )
    life = lived(polling, [10] * 7)
    assert [number for _, number in shown(life)] == [0, 5, 10, 20, 50, 80, 100]
    assert [state_at(life[-1].after, t).progress for t in (9, 10, 20, 29, 35, 45, 55, 65)] == [
        0, 5, 10, 10, 20, 50, 80, 100,
    ]  # fmt: skip


# Progress


def test_keeps_the_last_progress_where_none_is_named() -> None:
    """Progress left out stays what it was; completed is 100."""
    planned = task(
        Entry(status=QUEUED, stay=1, progress=5), Entry(status=PROCESSING, stay=1),
        Entry(status=PROCESSING, stay=1, progress=Ramp(0, 60)), Entry(status=PROCESSING, stay=1),
        Entry(status=COMPLETED),
    )  # fmt: skip
    assert [state_at(planned, t).progress for t in range(5)] == [5, 5, 5, 60, 100]


def test_lets_a_smaller_number_lower_the_progress() -> None:
    """A literal number stands, and what follows goes on from it."""
    planned = task(
        Entry(status=PROCESSING, stay=1, progress=80), Entry(status=PROCESSING, stay=1, progress=20),
        Entry(status=FAILED),
    )  # fmt: skip
    assert [state_at(planned, t).progress for t in range(3)] == [80, 20, 20]


def test_keeps_a_number_on_completed() -> None:
    """An author may complete a task at another number than 100."""
    assert state_at(task(Entry(status=COMPLETED, progress=99)), 0).progress == 99


# Links


@pytest.mark.parametrize(
    ("video", "before", "after"),
    [
        (None, DAY, DAY),
        (Video(), DAY, DAY),
        (Video(expires_in=HOUR), DAY, MINUTE + HOUR),
        (Video(expires_in=0), DAY, MINUTE),
        (Video(expires_in=HOUR, renew=True), DAY, 2 * MINUTE + HOUR),
    ],
)
def test_says_when_the_link_dies(video: Video | None, before: int, after: int) -> None:
    """Creation plus 24 hours, unless the scenario says how long: then from completion, or from this poll."""
    planned = task(Entry(status=PROCESSING, stay=MINUTE), Entry(status=COMPLETED, video=video))
    assert link_dies_at(planned, state_at(planned, SECOND), SECOND) == before
    assert link_dies_at(planned, state_at(planned, 2 * MINUTE), 2 * MINUTE) == after


# Facts


def test_keeps_what_the_last_poll_showed_where_asked() -> None:
    """Which entry the last poll showed is kept where the clock's mode asks, and not touched otherwise."""
    planned = task(Entry(status=QUEUED, polls=1), Entry(status=PROCESSING, stay=5), Entry(status=COMPLETED))
    assert polled(planned, state_at(planned, 0), 0).shown == -1
    once = polled(planned, state_at(planned, 0), 0, tracks_shown=True)
    assert once.shown == 0
    assert polled(once, state_at(once, 9), 9, tracks_shown=True).shown == 2


@given(lives())
def test_keeps_few_facts(life: tuple[Task, list[Polled]]) -> None:
    """A poll adds at most two instants: that it moved the progress, or that it ended its entry."""
    for poll in life[1]:
        added = len(poll.after.ended + poll.after.moved) - len(poll.before.ended + poll.before.moved)
        assert added in {0, 1}
        assert poll.after.polls_in_entry < max((entry.polls or 1) for entry in poll.after.plan.entries)


@given(tasks())
def test_ends_in_the_last_entry(new: Task) -> None:
    """Enough polls and time lead every task to its last entry."""
    life = lived(new, [HORIZON] * 40)
    last = life[-1].snapshot
    assert last.index == len(new.plan.entries) - 1
    assert (last.ended_at is not None) == (last.status in TERMINAL)
