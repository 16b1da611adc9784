"""Limits: a window lets no more through than it says, and the wait that it tells is true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.limits import (
    Limit,
    Reached,
    TrueWait,
    count_in,
    room_among,
    room_at,
    wait_of,
    wait_told,
)
from emulator.core.plan import Entry, plan_of
from emulator.core.rules import Conditions, RetryAfter
from emulator.core.task import Task, end_of, state_at
from emulator.core.units import MILLISECOND, SECOND
from emulator.core.words import TERMINAL, Status
from tests.strategies import CREATED_AT, HORIZON, task_of, tasks

GAPS = st.lists(st.integers(0, 6), max_size=30)
MOST = st.integers(1, 4)
WINDOW = st.integers(1, 9)


def passing(gaps: list[int], most: int, window: int) -> tuple[list[int], list[int]]:
    """The instants of the calls that pass, of calls with these gaps, and of those that are refused."""
    now = 0
    passed: list[int] = []
    refused: list[int] = []
    for gap in gaps:
        now += gap
        room = room_at(passed, most, window, now)
        assert room is not None
        (passed if room == now else refused).append(now)
    return passed, refused


@given(GAPS, MOST, WINDOW)
def test_no_window_has_more_calls_than_the_limit(gaps: list[int], most: int, window: int) -> None:
    """Wherever a stretch of that length begins; and a call is refused only where it would have been one too many."""
    passed, refused = passing(gaps, most, window)
    for begin in range(sum(gaps) + 1):
        assert sum(begin <= instant < begin + window for instant in passed) <= most
    for instant in refused:
        assert count_in([one for one in passed if one <= instant], window, instant) == most


@given(GAPS, MOST, WINDOW, st.integers(0, 9))
def test_the_end_of_the_wait_is_true(gaps: list[int], most: int, window: int, more: int) -> None:
    """The same call is refused until the microsecond before, and passes then."""
    passed, _ = passing(gaps, most, window)
    now = sum(gaps) + more
    room = room_at(passed, most, window, now)
    assert room is not None
    assert all(room_at(passed, most, window, instant) == room for instant in range(now, room))
    assert room_at(passed, most, window, room) == room


@given(GAPS, MOST, WINDOW)
def test_calls_that_left_the_window_may_be_forgotten(gaps: list[int], most: int, window: int) -> None:
    """Any of them, and nothing changes."""
    passed, _ = passing(gaps, most, window)
    now = sum(gaps)
    stale = sum(instant <= now - window for instant in passed)
    for forgotten in range(stale + 1):
        kept = passed[forgotten:]
        assert room_at(kept, most, window, now) == room_at(passed, most, window, now)
        assert count_in(kept, window, now) == count_in(passed, window, now)


def test_without_a_window_there_is_no_room_again() -> None:
    """For good."""
    assert room_at([1], 2, None, 5) == 5
    assert room_at([1, 2], 2, None, 5) is None


@given(st.lists(st.none() | st.integers(0, 9), min_size=1, max_size=6), st.data())
def test_there_is_room_among_tasks_when_enough_have_ended(
    ends: list[int | None], data: st.DataObject
) -> None:
    """At that instant fewer are left than the limit allows, and at no earlier one."""
    most = data.draw(st.integers(1, len(ends)))
    room = room_among(ends, most)

    def left(now: int) -> int:
        return sum(end is None or end > now for end in ends)

    if room is None:
        assert left(10) >= most
    else:
        assert left(room) < most
        assert left(room - 1) >= most


@given(tasks(), st.integers(0, 9))
def test_a_task_ends_when_it_is_told_to(task: Task, age: int) -> None:
    """It isn't done before, and is done then; where no end is told, time alone brings none."""
    now = CREATED_AT + age
    if state_at(task, now).status in TERMINAL:
        return
    end = end_of(task)
    if end is None:
        assert state_at(task, now + 2 * HORIZON).status not in TERMINAL
    else:
        assert state_at(task, end - 1).status not in TERMINAL
        assert state_at(task, end).status in TERMINAL


def test_polls_that_are_to_come_leave_the_end_unknown() -> None:
    """Nobody knows when they will come."""
    entries = (Entry(status=Status.QUEUED, polls=2), Entry(status=Status.COMPLETED))
    assert end_of(task_of(plan_of(entries, scenario="x"))) is None


NOW = 100 * SECOND + 200 * MILLISECOND
ROOM = 107 * SECOND + 900 * MILLISECOND
FIVE = RetryAfter(5 * SECOND)


def reached(retry_after: RetryAfter | TrueWait | None, frees_at: int | None = ROOM) -> Reached:
    """A limit that says this of the wait, and that is reached."""
    limit = Limit(conditions=Conditions(), most=1, retry_after=retry_after)
    return Reached(0, limit, 1, frees_at)


@pytest.mark.parametrize(
    ("said", "sends_one", "told"),
    [
        (None, False, None),
        (None, True, RetryAfter(ROOM - NOW)),
        ("seconds", False, RetryAfter(ROOM - NOW)),
        ("http_date", False, RetryAfter(108 * SECOND - NOW, as_date=True)),
        (FIVE, True, FIVE),
        (RetryAfter(None), True, RetryAfter(None)),
    ],
)
def test_retry_after_says_what_the_limit_says(
    said: RetryAfter | TrueWait | None, sends_one: bool, told: RetryAfter | None
) -> None:
    """Else the true wait, where the provider sends one; a date is that of the next whole second."""
    assert wait_told(reached(said), NOW, sends_one) == told


@pytest.mark.parametrize("said", ["seconds", "http_date"])
def test_a_wait_that_nobody_knows_is_not_told(said: TrueWait) -> None:
    """Neither is one of the provider's own."""
    assert wait_told(reached(said, None), NOW, True) == RetryAfter(None)


def test_a_client_waits_as_it_is_told_or_as_long_as_it_takes() -> None:
    """Where neither is known, it has nothing to wait for."""
    assert wait_of(reached(FIVE), NOW) == FIVE
    assert wait_of(reached(RetryAfter(None)), NOW) == RetryAfter(ROOM - NOW)
    assert wait_of(reached(None), NOW) == RetryAfter(ROOM - NOW)
    assert wait_of(reached("seconds", None), NOW) is None
