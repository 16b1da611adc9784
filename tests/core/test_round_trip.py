"""Facts survive the way into a store and back: what a replica reads is what was written."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.plan import HAPPY_TIMELINE, Plan, plan_of
from emulator.core.rules import Rule
from emulator.core.scenario import Scenario, resolved
from emulator.core.task import Task, state_at
from emulator.core.words import OperationName, Profile
from tests.strategies import ENTROPY, HORIZON, SCENARIO, Polled, lived, lives, rules, task_of


def there_and_back(value: Any, kind: Any) -> Any:
    """The value written as JSON and read again."""
    return msgspec.json.decode(msgspec.json.encode(value), type=kind)


@given(lives())
def test_keeps_every_fact_of_a_task(life: tuple[Task, list[Polled]]) -> None:
    """A task read back is equal to the one written, and looks the same at every instant."""
    for poll in life[1]:
        restored = there_and_back(poll.after, Task)
        assert restored == poll.after
        assert type(restored.plan.entries[0].status) is type(poll.after.plan.entries[0].status)
        assert state_at(restored, poll.now + HORIZON) == state_at(poll.after, poll.now + HORIZON)


@given(SCENARIO, ENTROPY, st.dictionaries(st.sampled_from(OperationName), st.integers(1, 9)))
def test_keeps_the_plan_of_any_scenario(scenario: Scenario, entropy: bytes, calls: dict[str, int]) -> None:
    """Whatever a scenario says, the plan and the counts of its tasks come back equal."""
    for number, item in enumerate(scenario.items):
        plan = resolved(scenario, number, item.choices[0], entropy, Profile.DOCUMENTED, 5)
        assert there_and_back(plan, Plan) == plan
        counted = msgspec.structs.replace(task_of(plan), calls=calls, fired={"a rule": 2}, entropy=entropy)
        assert there_and_back(counted, Task) == counted


@given(SCENARIO)
def test_keeps_a_scenario(scenario: Scenario) -> None:
    """A scenario survives the way into a store, with its rules, keys and spreads."""
    assert there_and_back(scenario, Scenario) == scenario


@given(rules())
def test_tells_the_effects_of_a_rule_apart(rule: Rule) -> None:
    """An error, a raw answer and ``pass`` come back as what they were."""
    restored = there_and_back(rule, Rule)
    assert restored == rule
    assert type(restored.effect) is type(rule.effect)


def test_keeps_templates() -> None:
    """A patch with a template in it comes back as one."""
    plan = plan_of(HAPPY_TIMELINE, scenario="written", patch={"id": "{{ uuid }}"})
    assert there_and_back(plan, Plan) == plan


def test_lives_on_after_its_way_through_a_store() -> None:
    """A task that goes through a store after each poll lives the life of one that doesn't."""
    task = task_of(plan_of(HAPPY_TIMELINE, scenario="written"))
    stored = task
    for gap in (0, 1_000_000, 1_500_000, 9_000_000):
        task = lived(task, [gap])[-1].after
        stored = there_and_back(lived(there_and_back(stored, Task), [gap])[-1].after, Task)
    assert stored == task
