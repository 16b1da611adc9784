"""Tasks made by hand: what they have been since their creation, and where they go from there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.effects import Failure
from emulator.core.making import made
from emulator.core.plan import Entry, Ramp, Video, plan_of
from emulator.core.steps import advanced
from emulator.core.task import Task, next_change, polled, state_at
from emulator.core.units import HOUR, SECOND
from emulator.core.words import ErrorName, Status
from tests.strategies import HORIZON, PERCENT, task_of, tasks

QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED = Status
HAPPY = (
    Entry(status=QUEUED, stay=2 * SECOND),
    Entry(status=PROCESSING, stay=8 * SECOND, progress=Ramp(0, 80)),
    Entry(status=COMPLETED),
)


def task(*entries: Entry, created_at: int = 0) -> Task:
    """A task with this timeline."""
    return task_of(plan_of(entries, scenario="written"), created_at=created_at)


@given(tasks(), st.sampled_from(Status), st.none() | PERCENT, st.integers(-HORIZON, HORIZON))
def test_it_has_been_in_the_status_since_its_creation(
    new: Task, status: Status, progress: int | None, age: int
) -> None:
    """At its creation, now and at every instant between, though its entry begins now."""
    now = new.created_at + age
    one = made(new, now, status, progress)
    for instant in range(new.created_at, max(now, new.created_at) + 1):
        snapshot = state_at(one, instant)
        assert (snapshot.status, snapshot.since) == (status, new.created_at)
        assert snapshot.entered_at == max(now, new.created_at)
        assert progress is None or snapshot.progress == progress


def test_it_goes_on_along_its_timeline() -> None:
    """The rest of the entry counts from now, however old the task is."""
    now = HOUR
    one = made(task(*HAPPY), now, PROCESSING)
    assert next_change(one, now) == now + 8 * SECOND
    assert [state_at(one, now + at * SECOND).progress for at in (0, 4, 7)] == [0, 40, 70]
    assert state_at(one, now + 8 * SECOND).status is COMPLETED


def test_polls_lead_on_from_a_polls_entry() -> None:
    """It answers as many as it says."""
    one = made(task(Entry(status=QUEUED, polls=2), Entry(status=FAILED)), HOUR, QUEUED)
    for _ in range(2):
        snapshot = state_at(one, HOUR)
        assert snapshot.status is QUEUED
        one = polled(one, snapshot, HOUR)
    assert state_at(one, HOUR).status is FAILED


def test_it_has_what_the_entry_of_its_timeline_has() -> None:
    """The video of a completed one, the failure of a failed one unless another is given."""
    video = Video(expires_in=HOUR)
    completed = made(task(HAPPY[0], Entry(status=COMPLETED, video=video)), HOUR, COMPLETED)
    assert state_at(completed, HOUR).entry.video == video
    own, other = Failure(name=ErrorName.INTERNAL), Failure(code="x")
    failing = task(HAPPY[0], Entry(status=FAILED, failure=own))
    assert state_at(made(failing, HOUR, FAILED), HOUR).entry.failure == own
    assert state_at(made(failing, HOUR, FAILED, None, other), HOUR).entry.failure == other


def test_it_has_the_progress_of_its_place() -> None:
    """Where its entry says none: what the entries before it come to."""
    failing = task(HAPPY[0], HAPPY[1], Entry(status=FAILED))
    assert state_at(made(failing, HOUR, FAILED), HOUR).progress == 80


@pytest.mark.parametrize("status", [PROCESSING, FAILED, CANCELLED])
def test_what_its_timeline_has_not_is_made_up(status: Status) -> None:
    """Nothing ends it but a step."""
    one = made(task(HAPPY[0], HAPPY[2]), SECOND, status)
    assert state_at(one, 10**6 * HOUR).status is status
    assert next_change(one, SECOND) is None


def test_a_made_up_one_can_be_advanced() -> None:
    """Into what follows the first entry of its timeline."""
    one = made(task(HAPPY[0], HAPPY[2]), SECOND, PROCESSING)
    assert state_at(advanced(one, SECOND), SECOND).status is COMPLETED


def test_an_entry_without_time_left_is_passed_over() -> None:
    """An `until` that lies before now would end it at once."""
    over, later = Entry(status=QUEUED, until=2 * SECOND), Entry(status=QUEUED, until=9 * SECOND)
    one = made(task(over, later, HAPPY[2]), 5 * SECOND, QUEUED)
    assert next_change(one, 5 * SECOND) == 9 * SECOND


def test_one_that_is_yet_to_come_enters_at_its_creation() -> None:
    """Not now."""
    one = made(task(*HAPPY, created_at=HOUR), 0, PROCESSING)
    assert next_change(one, HOUR) == HOUR + 8 * SECOND
