"""The agenda: every change that time brings, once, in order, at its own instant, and at its own cost alone."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from emulator.agenda import KEPT_CHANGES, Agenda, Change, Passage
from emulator.core.plan import HAPPY_TIMELINE, Entry, plan_of
from emulator.core.steps import forced
from emulator.core.task import Task, state_at
from emulator.core.units import DAY, HOUR, SECOND
from emulator.core.words import TERMINAL, Status
from emulator.store import MemoryStore
from tests.strategies import CREATED_AT, DURATION, GAPS, HORIZON, lived, plans, task_of

HAPPY = plan_of(HAPPY_TIMELINE, scenario="happy-path")
NOW = CREATED_AT
END = NOW + 9 + HORIZON
"""No drawn task changes by time alone later than this."""


def happy(name: str, created_at: int = CREATED_AT) -> Task:
    """A task that is queued for two seconds and processing for eight."""
    return msgspec.structs.replace(task_of(HAPPY, created_at), id=name)


def store_of(tasks: Iterable[Task], max_tasks: int = 100_000) -> MemoryStore:
    """A store with these tasks."""
    store = MemoryStore(max_tasks)
    for task in tasks:
        store.put(task)
    return store


@st.composite
def populations(draw: st.DrawFn) -> list[Task]:
    """Tasks as they are known at `NOW`: polled up to then or never, put into a status by hand, or yet to begin."""
    tasks = []
    for number in range(draw(st.integers(1, 5))):
        plan, gaps = draw(plans(counts_polls=draw(st.sampled_from([None, False])))), draw(GAPS)
        begins_later = draw(DURATION) if draw(st.booleans()) else 0
        created_at = NOW + begins_later if begins_later else NOW - sum(gaps)
        task = msgspec.structs.replace(task_of(plan, created_at), id=f"video_{number}")
        if gaps and not begins_later:
            task = lived(task, gaps)[-1].after
        status = draw(st.sampled_from([None, *Status]))
        if status and not begins_later and state_at(task, NOW).status not in TERMINAL:
            task = forced(task, NOW, status)
        tasks.append(task)
    return tasks


def happened(task: Task, after: int, until: int) -> Iterator[int]:
    """Each instant at which the task looks like another entry than the microsecond before, or begins to be."""
    for before, at in pairwise(range(after, until + 1)):
        was = state_at(task, before).index if before >= task.created_at else None
        if at >= task.created_at and state_at(task, at).index != was:
            yield at


def taken(agenda: Agenda, until: int) -> list[Change]:
    """Everything that falls due until then."""
    return list(iter(lambda: agenda.take(until), None))


@given(populations())
def test_tells_every_change_in_order_at_its_own_instant(tasks: list[Task]) -> None:
    """What looking at every microsecond of every task finds, and nothing else."""
    told = taken(Agenda(store_of(tasks), NOW), END)
    found = sorted((at, task.created_at, task.id) for task in tasks for at in happened(task, NOW, END))
    assert [(change.at, change.task.created_at, change.task.id) for change in told] == found
    for change in told:
        assert change.status is state_at(change.task, change.at).status
        is_new = change.at == change.task.created_at
        assert change.was == (None if is_new else state_at(change.task, change.at - 1).status)


@given(populations(), st.lists(st.integers(0, 30), max_size=12))
def test_tells_the_same_however_time_is_cut(tasks: list[Task], pieces: Sequence[int]) -> None:
    """By pieces as at once; and it knows before when the next change comes."""
    now = NOW
    whole = taken(Agenda(store_of(tasks), now), now + sum(pieces))
    agenda, cut = Agenda(store_of(tasks), now), []
    for piece in pieces:
        now += piece
        while (change := agenda.take(now)) is not None:
            cut.append(change)
        ahead = agenda.ahead()
        assert ahead is None or ahead > now
    assert cut == whole


@given(populations())
def test_knows_tasks_that_come_later_as_it_knows_those_of_the_first_scan(
    tasks: list[Task],
) -> None:
    """Whether it found them or was told of them, once or three times."""
    scanned = taken(Agenda(store_of(tasks), NOW), END)
    store = MemoryStore(100)
    agenda = Agenda(store, NOW)
    for task in tasks:
        store.put(task)
        for _ in range(3):
            agenda.expect(task, NOW)
    assert taken(agenda, END) == scanned


def test_says_when_nothing_is_ahead() -> None:
    """Ended tasks, and those that wait for polls or for a step, have no future of their own."""
    waiting = plan_of((Entry(status=Status.QUEUED, polls=3), Entry(status=Status.COMPLETED)), scenario="x")
    manual = plan_of(HAPPY_TIMELINE, scenario="x", manual=True)
    tasks = [
        happy("done", CREATED_AT - HOUR),
        task_of(waiting),
        msgspec.structs.replace(task_of(manual), id="m"),
    ]
    agenda = Agenda(store_of(tasks), CREATED_AT)
    assert agenda.ahead() is None
    assert agenda.take(CREATED_AT + DAY) is None
    assert len(agenda) == 0


def test_forgets_tasks_that_are_gone_or_replaced() -> None:
    """What a task was to do doesn't happen once another stands in its place, or none."""
    store = store_of([happy("dropped"), happy("replaced"), happy("kept")], max_tasks=3)
    agenda = Agenda(store, CREATED_AT)
    later = happy("replaced", CREATED_AT + 5)
    store.put(later)
    agenda.expect(later, CREATED_AT + 5)
    store.put(happy("one too many"))
    told = taken(agenda, CREATED_AT + 2 * SECOND + 5)
    assert [(change.task.id, change.at) for change in told] == [
        ("kept", CREATED_AT + 2 * SECOND),
        ("replaced", CREATED_AT + 2 * SECOND + 5),
    ]


def test_a_task_in_the_place_of_another_changes_once() -> None:
    """Also where both would have changed at one instant."""
    store = store_of([happy("t")])
    agenda = Agenda(store, CREATED_AT)
    entries = (Entry(status=Status.QUEUED, stay=SECOND), Entry(status=Status.FAILED))
    other = task_of(plan_of(entries, scenario="other"), CREATED_AT + SECOND)
    store.put(msgspec.structs.replace(other, id="t"))
    agenda.expect(msgspec.structs.replace(other, id="t"), CREATED_AT + SECOND)
    assert [change.status for change in taken(agenda, CREATED_AT + DAY)] == [Status.FAILED]


def test_a_task_stepped_by_hand_has_its_new_future_alone() -> None:
    """The entry that it was taken out of doesn't end any more."""
    store = store_of([happy("t")])
    agenda = Agenda(store, CREATED_AT)
    stepped = forced(happy("t"), CREATED_AT + SECOND, Status.PROCESSING)
    store.renew(stepped)
    agenda.expect(stepped, CREATED_AT + SECOND)
    (told,) = taken(agenda, CREATED_AT + DAY)
    assert (told.was, told.status, told.at) == (
        Status.PROCESSING,
        Status.COMPLETED,
        CREATED_AT + 9 * SECOND,
    )


class _Counting(MemoryStore):
    """A store that counts how often it is asked for a task, and for all of them."""

    asked = scanned = 0

    def get(self, provider: str, task_id: str) -> Task | None:
        self.asked += 1
        return super().get(provider, task_id)

    def newest_first(self, provider: str | None = None) -> Iterator[Task]:
        self.scanned += 1
        return super().newest_first(provider)


def test_what_is_not_due_costs_nothing() -> None:
    """Of 10,003 tasks three are due within the hour: they are looked at, and no others."""
    slow = plan_of((Entry(status=Status.QUEUED, stay=DAY), Entry(status=Status.COMPLETED)), scenario="slow")
    soon = plan_of(
        (Entry(status=Status.QUEUED, stay=SECOND), Entry(status=Status.COMPLETED)), scenario="soon"
    )
    store = _Counting(100_000)
    for number in range(10_003):
        plan = soon if number % 5000 == 1 else slow
        store.put(msgspec.structs.replace(task_of(plan), id=f"video_{number}"))
    agenda = Agenda(store, CREATED_AT)
    assert store.scanned == 1
    told = taken(agenda, CREATED_AT + HOUR)
    assert [change.task.id for change in told] == ["video_1", "video_10001", "video_5001"]
    assert (store.asked, store.scanned) == (3, 1)


def test_tasks_that_come_and_go_leave_nothing_behind() -> None:
    """A store that keeps ten tasks keeps an agenda small, however many pass through it."""
    store = store_of([], max_tasks=10)
    agenda = Agenda(store, CREATED_AT)
    most = 0
    for number in range(5000):
        task = happy(f"video_{number}", CREATED_AT + number)
        store.put(task)
        agenda.expect(task, CREATED_AT + number)
        most = max(most, len(agenda))
    assert most <= 1100
    assert [change.task.id for change in taken(agenda, CREATED_AT + 3 * SECOND)] == [
        f"video_{number}" for number in range(4990, 5000)
    ]


def test_a_passage_counts_all_and_keeps_the_first() -> None:
    """A hundred of them; what fell due before it, or falls due after, isn't its own."""
    passage = Passage(10, 10 + KEPT_CHANGES * 2)
    for at in range(KEPT_CHANGES * 3):
        passage.note(Change(happy("t"), at, None, Status.QUEUED))
    assert passage.count == KEPT_CHANGES * 2
    assert [change.at for change in passage.changes] == list(range(11, 11 + KEPT_CHANGES))
