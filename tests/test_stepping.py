"""Tasks by hand, in the engine: those who look ahead or listen hear of what somebody forced."""

import pytest

from emulator import stepping
from emulator.clock import ClockRefused
from emulator.core.scenario import Scenario
from emulator.core.steps import StepRefused
from emulator.core.task import Task, state_at
from emulator.core.units import SECOND
from emulator.core.words import Status
from emulator.engine import Namespace
from emulator.providers import by_name
from emulator.stepping import Wanted
from emulator.timekeeping import next_instant
from tests.worlds import START, World

OCTOPUSX = by_name["octopusx"]


@pytest.fixture
def namespace() -> Namespace:
    """One whose clock stands at `START`."""
    return World().namespace


def made(namespace: Namespace, status: Status | None = None) -> Task:
    """A task made by hand."""
    return stepping.make(namespace, Wanted(provider=OCTOPUSX, status=status))


def test_what_lies_ahead_follows_a_step(namespace: Namespace) -> None:
    """An advance to the next change goes to that which there is after the step."""
    task = made(namespace)
    assert next_instant(namespace) == START + 2 * SECOND
    task = stepping.advance(namespace, task)
    assert next_instant(namespace) == START + 8 * SECOND
    stepping.force(namespace, task, Status.CANCELLED)
    with pytest.raises(ClockRefused, match="nothing is ahead"):
        next_instant(namespace)


def test_what_lies_ahead_follows_what_is_made(namespace: Namespace) -> None:
    """In a status as well as in none."""
    with pytest.raises(ClockRefused):
        next_instant(namespace)
    made(namespace, Status.PROCESSING)
    assert next_instant(namespace) == START + 8 * SECOND
    made(namespace)
    assert next_instant(namespace) == START + 2 * SECOND


def test_a_step_that_changes_nothing_keeps_the_task(namespace: Namespace) -> None:
    """It is in the status already."""
    task = made(namespace)
    assert stepping.force(namespace, task, Status.QUEUED) is task
    assert namespace.store.get("octopusx", task.id) is task


def test_a_refused_step_keeps_the_task(namespace: Namespace) -> None:
    """As it was."""
    task = made(namespace, Status.FAILED)
    with pytest.raises(StepRefused):
        stepping.advance(namespace, task)
    with pytest.raises(StepRefused):
        stepping.force(namespace, task, Status.COMPLETED)
    assert namespace.store.get("octopusx", task.id) is task


def test_a_task_that_was_given_up_stays_so() -> None:
    """A step on what the store has forgotten brings nothing back."""
    namespace = World(max_tasks=1).namespace
    old = made(namespace)
    made(namespace)
    stepping.advance(namespace, old)
    assert namespace.store.get("octopusx", old.id) is None
    assert len(namespace.store) == 1


def test_it_speaks_the_scenarios_words(namespace: Namespace) -> None:
    """A task of a provider that the scenario leaves out is one of the happy path."""
    namespace.activate(Scenario(name="others", providers=("ezmodel",)))
    assert made(namespace).plan.scenario == "happy-path"
    ezmodel = stepping.make(namespace, Wanted(provider=by_name["ezmodel"], id="x"))
    assert ezmodel.plan.scenario == "others"
    assert state_at(ezmodel, START).status is Status.QUEUED


def test_tasks_of_one_id_draw_for_themselves(namespace: Namespace) -> None:
    """At each provider."""
    one, other = (
        stepping.make(namespace, Wanted(provider=by_name[name], id="x")) for name in ("octopusx", "ezmodel")
    )
    assert one.entropy != other.entropy
