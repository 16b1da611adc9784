"""Plans: a timeline with its spreads drawn once, and what can be said of it ahead of any poll."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from emulator.core.effects import Failure
from emulator.core.plan import HAPPY_TIMELINE, Entry, Ramp, Video, has_draws, plan_of, settled
from emulator.core.rules import Conditions, Rule
from emulator.core.scenario import Choice, Item, Scenario, resolved
from emulator.core.spans import Span
from emulator.core.spreads import Lognormal, Uniform
from emulator.core.units import SECOND
from emulator.core.words import OperationName, Profile, Status
from tests.strategies import DURATION, ENTROPY, SCENARIO, timelines

QUEUED, PROCESSING, COMPLETED = Status.QUEUED, Status.PROCESSING, Status.COMPLETED
UNIFORM = Uniform(SECOND, 9 * SECOND)


@given(timelines(), ENTROPY)
def test_is_the_same_whenever_it_is_settled(entries: tuple[Entry, ...], entropy: bytes) -> None:
    """One timeline under one entropy gives one plan, which holds no spread but latencies."""
    once = settled(entries, entropy)
    assert settled(entries, entropy) == once
    assert not has_draws(once)
    assert settled(once, entropy) == once
    assert [entry.delay for entry in once] == [entry.delay for entry in entries]


@given(SCENARIO, ENTROPY)
def test_resolves_a_scenario_to_one_plan(scenario: Scenario, entropy: bytes) -> None:
    """One choice of one item under one entropy resolves to one plan, however often."""
    for number, item in enumerate(scenario.items):
        for choice in item.choices:
            plans = [resolved(scenario, number, choice, entropy, Profile.CURRENT, 7) for _ in range(2)]
            assert plans[0] == plans[1]


@given(timelines(), ENTROPY, ENTROPY)
def test_owes_nothing_to_the_entropy_without_draws(
    entries: tuple[Entry, ...], one: bytes, other: bytes
) -> None:
    """Where nothing is to be drawn, every task has the timeline as it stands."""
    if not has_draws(entries):
        assert settled(entries, one) == settled(entries, other) == entries


@given(timelines(durations=DURATION))
def test_knows_a_timeline_without_draws(entries: tuple[Entry, ...]) -> None:
    """A timeline of plain durations has draws only in how long its links live."""
    lives = [entry.video.expires_in for entry in entries if entry.video is not None]
    assert has_draws(entries) == any(isinstance(life, Uniform | Lognormal) for life in lives)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(status=QUEUED, stay=UNIFORM),
        Entry(status=QUEUED, until=UNIFORM),
        Entry(status=COMPLETED, video=Video(expires_in=UNIFORM)),
        Entry(status=COMPLETED, video=Video(expires_in=Lognormal(SECOND, 0.5))),
    ],
    ids=["stay", "until", "expires_in", "lognormal"],
)
def test_finds_every_place_of_a_draw(entry: Entry) -> None:
    """Stays, ends and lives of links are drawn, differently for two tasks."""
    assert has_draws((entry,))
    assert settled((entry,), b"one") != settled((entry,), b"other")


def test_draws_each_entry_for_itself() -> None:
    """Two entries with one spread get durations of their own."""
    first, second, third = settled(
        (Entry(status=QUEUED, stay=UNIFORM), Entry(status=PROCESSING, stay=UNIFORM), Entry(status=COMPLETED)),
        b"key",
    )
    assert first.stay != second.stay
    assert third.stay is None


@pytest.mark.parametrize(
    ("entries", "ends"),
    [
        (HAPPY_TIMELINE, (2 * SECOND, 10 * SECOND)),
        ((Entry(status=QUEUED, until=5), Entry(status=PROCESSING, until=3), Entry(status=COMPLETED)), (5, 5)),
        ((Entry(status=QUEUED, stay=5), Entry(status=PROCESSING, polls=1), Entry(status=COMPLETED)), None),
        ((Entry(status=COMPLETED),), ()),
    ],
    ids=["for", "until", "polls", "at once"],
)
def test_works_out_where_entries_end(entries: tuple[Entry, ...], ends: tuple[int, ...] | None) -> None:
    """Where time alone ends entries the plan says when; where polls do it can't."""
    assert plan_of(entries, scenario="written").ends == ends


def test_knows_no_ends_under_manual_progression() -> None:
    """What waits for the control API ends by no time."""
    assert plan_of(HAPPY_TIMELINE, scenario="written", manual=True).ends is None


def test_begins_each_entry_with_the_progress_before_it() -> None:
    """An entry begins where the one before ended, and lower only after a smaller number."""
    entries = (
        Entry(status=QUEUED, stay=1, progress=30),
        Entry(status=PROCESSING, stay=1, progress=Ramp(0, 20)),
        Entry(status=PROCESSING, stay=1, progress=Ramp(10, 70)),
        Entry(status=PROCESSING, stay=1, progress=5),
        Entry(status=COMPLETED, stay=1),
        Entry(status=COMPLETED),
    )
    assert plan_of(entries, scenario="written").floors == (0, 30, 30, 70, 5, 100)


def rule(**parts: Any) -> Rule:
    """A rule, without conditions unless some are given."""
    return Rule(**{"id": "r", "conditions": Conditions(), **parts})


@pytest.mark.parametrize(
    ("parts", "counts"),
    [
        ({}, False),
        ({"effect": Failure()}, False),
        ({"delay": 5}, False),
        ({"delay": UNIFORM}, True),
        ({"calls": (Span(3, 3),)}, True),
        ({"probability": 0.0}, True),
        ({"times": 0}, True),
        ({"times_total": 1}, True),
    ],
)
def test_counts_calls_where_a_rule_asks(parts: Mapping[str, Any], counts: bool) -> None:
    """Calls and firings are counted where a condition or a draw of a rule rests on them."""
    plan = plan_of(HAPPY_TIMELINE, scenario="written", rules=(rule(), rule(**parts)))
    assert plan.counts is counts


@pytest.mark.parametrize(
    ("entry", "others"),
    [
        (Entry(status=COMPLETED, patch={}), {}),
        (Entry(status=COMPLETED, delay=0), {}),
        (Entry(status=COMPLETED, poll_after=1), {}),
        (Entry(status=Status.FAILED, failure=Failure(message="{{ now }}")), {}),
        (Entry(status=COMPLETED), {"patch": {"a": 1}}),
        (Entry(status=COMPLETED), {"default_delay": UNIFORM}),
    ],
)
def test_is_plain_only_where_the_timeline_alone_answers(entry: Entry, others: Mapping[str, Any]) -> None:
    """Whatever else shapes an answer makes a plan one that isn't plain."""
    assert plan_of(HAPPY_TIMELINE, scenario="written").is_plain
    assert not plan_of((entry,), scenario="written", **others).is_plain


def test_keeps_apart_the_rules_that_speak_of_polls() -> None:
    """Only they are looked at for a poll, and only they make its calls count."""
    general, polling = rule(), rule(conditions=Conditions(operations=(OperationName.POLL,)), calls=(Span(1),))
    creating = rule(conditions=Conditions(operations=(OperationName.CREATE,)), calls=(Span(1),))
    plan = plan_of(HAPPY_TIMELINE, scenario="written", rules=(general, creating, polling))
    assert plan.poll_rules == (general, polling)
    assert plan.polls_count
    assert not plan_of(HAPPY_TIMELINE, scenario="written", rules=(general, creating)).polls_count


def test_takes_from_the_scenario_what_stays_with_the_task() -> None:
    """Everything of scenario and item that a task is judged by for its life is pinned in its plan."""
    item = Item(values={"video_id": "abc"}, patch={"a": 1}, manual=True, choices=(Choice(name="only"),))
    scenario = Scenario(
        name="pinned", profile=Profile.CURRENT, default_delay=3, items=(Item(id="x"), item), rules=(rule(),)
    )
    plan = resolved(scenario, 1, item.choices[0], b"key", Profile.DOCUMENTED, 99)
    assert (plan.scenario, plan.item, plan.choice, plan.profile) == ("pinned", 1, "only", Profile.CURRENT)
    assert (plan.values, plan.patch, plan.rules, plan.manual) == (
        {"video_id": "abc"},
        {"a": 1},
        (rule(),),
        True,
    )
    assert (plan.default_delay, plan.activated_at, plan.ends) == (3, 99, None)


def test_falls_back_to_the_happy_path_for_a_task_that_no_item_took() -> None:
    """Without an item a task gets the happy timeline, and its scenario's rules all the same."""
    scenario = Scenario(name="picky", items=(Item(id="x", values={"a": 1}),), rules=(rule(),))
    plan = resolved(scenario, -1, Choice(), b"key", Profile.DOCUMENTED, 0)
    assert (plan.entries, plan.item, plan.values, plan.rules) == (HAPPY_TIMELINE, -1, {}, (rule(),))
    assert plan.profile is Profile.DOCUMENTED
