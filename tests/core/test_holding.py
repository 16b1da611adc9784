"""Held creates: no entry waits for polls, until the client lets go."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.holding import held, let_go
from emulator.core.plan import Entry, plan_of
from emulator.core.task import Task, end_of, polled, state_at
from emulator.core.units import SECOND
from emulator.core.words import Status

STAYS = st.one_of(
    st.integers(0, 9).map(lambda seconds: Entry(status=Status.QUEUED, stay=seconds * SECOND)),
    st.integers(1, 3).map(lambda polls: Entry(status=Status.QUEUED, polls=polls)),
)
TIMELINES = st.lists(STAYS, max_size=6).map(lambda entries: (*entries, Entry(status=Status.COMPLETED)))


def task_of(timeline: tuple[Entry, ...]) -> Task:
    """A task that begins at the first second."""
    return Task("octopusx", "video_1", SECOND, bytes(48), plan_of(timeline, scenario="x"), b"{}", (), "")


@given(TIMELINES)
def test_it_ends_as_if_polls_took_no_time(timeline: tuple[Entry, ...]) -> None:
    """At the sum of what the other entries take."""
    whole = sum(entry.stay for entry in timeline if isinstance(entry.stay, int))
    assert end_of(held(task_of(timeline))) == SECOND + whole


@given(TIMELINES, st.integers(0, 60 * SECOND))
def test_who_lets_go_changes_nothing_of_the_past(timeline: tuple[Entry, ...], after: int) -> None:
    """What it looked like up to then it looks like still; what lies ahead is as planned."""
    task = task_of(timeline)
    waiting, now = held(task), SECOND + after
    free = let_go(waiting, task.plan, now)
    instants = sorted({SECOND, SECOND + after // 2, now})
    assert [state_at(free, at) for at in instants] == [state_at(waiting, at) for at in instants]
    index = state_at(free, now).index
    assert free.plan.entries[index + 1 :] == timeline[index + 1 :]


def test_after_letting_go_polls_count_again() -> None:
    """Each of those that the entry ahead waits for."""
    timeline = (
        Entry(status=Status.QUEUED, stay=SECOND),
        Entry(status=Status.PROCESSING, polls=2),
        Entry(status=Status.COMPLETED),
    )
    task = task_of(timeline)
    free = let_go(held(task), task.plan, SECOND)
    assert end_of(free) is None
    for _ in range(2):
        assert state_at(free, 9 * SECOND).status is Status.PROCESSING
        free = polled(free, state_at(free, 9 * SECOND), 9 * SECOND)
    assert end_of(free) == 9 * SECOND


def test_a_timeline_without_polls_is_as_it_was() -> None:
    """The same task, to the byte."""
    task = task_of((Entry(status=Status.QUEUED, stay=SECOND), Entry(status=Status.COMPLETED)))
    assert held(task) is task
    assert let_go(task, task.plan, SECOND) is task
