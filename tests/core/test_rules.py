"""Rules: what holds for an exchange, and what a list of rules makes of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.effects import Failure, Respond
from emulator.core.matching import Matcher
from emulator.core.rules import (
    NOTHING,
    Conditions,
    Match,
    Occasion,
    RetryAfter,
    Rule,
    conditions_hold,
    holds,
    judge,
)
from emulator.core.spans import Span
from emulator.core.words import ErrorName, OperationName, Status
from tests.strategies import rules

ANYTHING = Conditions()
OPEN = st.just(ANYTHING)


def occasion(**parts: Any) -> Occasion:
    """A poll of a task, the first unless something else is said."""
    return Occasion(
        **{
            "operation": OperationName.POLL,
            "provider": "octopusx",
            "id": "video_1",
            "key": "sk-test",
            "headers": {b"x-team": b"blue"},
            "fields": lambda: {"prompt": "a cat", "metadata": {"shot": 3}, "seconds": 10},
            "entropy": b"entropy",
            "call": 1,
            **parts,
        }
    )


def rule(rule_id: str = "r", conditions: Conditions = ANYTHING, **parts: Any) -> Rule:
    """A rule that asks nothing unless said otherwise."""
    return Rule(id=rule_id, conditions=conditions, **parts)


OCCASIONS = st.builds(
    occasion,
    operation=st.sampled_from(OperationName),
    call=st.integers(1, 8),
    status=st.none() | st.sampled_from(Status),
    entropy=st.binary(min_size=1, max_size=8),
    ages=st.fixed_dictionaries(
        {"start": st.integers(0, 12)}, optional={"task": st.integers(0, 12), "status": st.integers(0, 12)}
    ),
)

# Conditions


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        (Conditions(), True),
        (Conditions(operations=(OperationName.CREATE, OperationName.POLL)), True),
        (Conditions(operations=(OperationName.CREATE,)), False),
        (Conditions(providers=("ezmodel", "octopusx")), True),
        (Conditions(providers=("ezmodel",)), False),
        (Conditions(match=(Match("prompt", Matcher(contains="cat")),)), True),
        (Conditions(match=(Match("prompt", Matcher(contains="dog")),)), False),
        (Conditions(match=(Match("metadata.shot", Matcher(equals="3")),)), True),
        (Conditions(match=(Match("id", Matcher(glob="video_*")),)), True),
        (Conditions(match=(Match("key", Matcher(equals="sk-test")),)), True),
        (Conditions(match=(Match("header.X-Team", Matcher(equals="blue")),)), True),
        (Conditions(match=(Match("header.other", Matcher(exists=False)),)), True),
        (
            Conditions(match=(Match("prompt", Matcher(contains="cat")), Match("key", Matcher(equals="no")))),
            False,
        ),
    ],
)
def test_asks_every_condition(conditions: Conditions, fits: bool) -> None:
    """Conditions hold where each of them does."""
    assert conditions_hold(conditions, occasion()) is fits


@pytest.mark.parametrize("field", ["id", "key", "header.x-team", "prompt"])
def test_finds_nothing_where_there_is_nothing(field: str) -> None:
    """An exchange without id, key, header or field lacks them, rather than having them empty."""
    bare = occasion(id=None, key=None, headers={}, fields=dict)
    assert conditions_hold(Conditions(match=(Match(field, Matcher(exists=False)),)), bare)
    assert not conditions_hold(Conditions(match=(Match(field, Matcher(glob="*")),)), bare)


def test_leaves_the_request_unread_where_nobody_asks() -> None:
    """The create request is parsed only for a condition on one of its fields."""

    def never() -> Any:
        raise AssertionError

    asked = (
        Match("id", Matcher(glob="*")),
        Match("key", Matcher(glob="*")),
        Match("header.x-team", Matcher()),
    )
    assert conditions_hold(Conditions(match=asked), occasion(fields=never))


@pytest.mark.parametrize(
    ("since", "age", "fits"),
    [
        ("task", 4, False), ("task", 5, True), ("task", 7, True), ("task", 8, False),
        ("status", 5, False), ("start", 5, False),
    ],
)  # fmt: skip
def test_holds_between_two_ages(since: str, age: int, fits: bool) -> None:
    """A span of time counts from creation, from entry into the status or from activation, as it says."""
    conditions = Conditions(between=(Span(5, 8),))
    assert conditions_hold(conditions, occasion(ages={since: age})) is fits


def test_does_not_hold_between_ages_that_nobody_knows() -> None:
    """Without a task there is no age, and no span takes it."""
    conditions = Conditions(between=(Span(0),), since="status")
    assert not conditions_hold(conditions, occasion(ages={"start": 3, "status": None}))
    assert not conditions_hold(conditions, occasion(ages={"start": 3}))


@pytest.mark.parametrize(("status", "fits"), [(Status.QUEUED, True), (Status.FAILED, False), (None, False)])
def test_holds_while_the_task_has_a_status(status: Status | None, fits: bool) -> None:
    """``while`` names statuses, and doesn't hold without a task."""
    assert holds(rule(during=(Status.QUEUED, Status.PROCESSING)), occasion(status=status)) is fits


@pytest.mark.parametrize(
    ("spans", "calls"),
    [((Span(3, 3),), [3]), ((Span(2, 4),), [2, 3, 4]), ((Span(5, None, 5),), [5]), ((Span(5),), [5, 6])],
)
def test_holds_for_the_calls_it_names(spans: tuple[Span, ...], calls: list[int]) -> None:
    """``calls`` holds for the calls of those numbers."""
    assert [n for n in range(1, 7) if holds(rule(calls=spans), occasion(call=n))] == calls


@pytest.mark.parametrize(
    ("fired", "fits"), [({}, True), ({"r": 1}, True), ({"r": 2}, False), ({"other": 9}, True)]
)
def test_fires_so_many_times(fired: dict[str, int], fits: bool) -> None:
    """``times`` and ``times_total`` stop a rule that fired as often, for the task and in all, and no other rule."""
    assert holds(rule(times=2), occasion(fired=fired)) is fits
    assert holds(rule(times_total=2), occasion(fired_in_all=fired)) is fits
    assert holds(rule(times=2), occasion(fired_in_all={"r": 9}))
    assert holds(rule(times_total=2), occasion(fired={"r": 9}))


def test_never_fires_nought_times() -> None:
    """``times: 0`` switches a rule off."""
    assert not holds(rule(times=0), occasion())
    assert not holds(rule(times_total=0), occasion())


def test_fires_with_its_probability() -> None:
    """Of four thousand calls a rule of five per cent takes about two hundred; one of nought none, of one all."""
    for probability, low, high in ((0.05, 150, 250), (0.0, 0, 0), (1.0, 4000, 4000)):
        some = rule(probability=probability)
        assert low <= sum(holds(some, occasion(call=call)) for call in range(4000)) <= high


def test_draws_for_each_rule_and_task_apart() -> None:
    """Two rules, and two tasks, are struck at different calls."""

    def struck(rule_id: str, entropy: bytes) -> list[int]:
        half = rule(rule_id, probability=0.5)
        return [call for call in range(64) if holds(half, occasion(call=call, entropy=entropy))]

    assert struck("a", b"one") == struck("a", b"one")
    assert struck("a", b"one") != struck("b", b"one")
    assert struck("a", b"one") != struck("a", b"other")


# Lists of rules


def test_makes_nothing_of_no_rules() -> None:
    """Where no rule holds there is nothing to say."""
    assert judge([], occasion()) is NOTHING
    assert judge([rule(times=0, effect="pass")], occasion()) is NOTHING
    assert NOTHING.effect is None


def test_stops_at_the_first_rule_with_an_effect() -> None:
    """The first rule that holds and has an effect answers; what stands after it isn't looked at."""
    error = Failure(name=ErrorName.INTERNAL)
    listed = [
        rule("skipped", during=(Status.QUEUED,), effect=Respond()),
        rule("beside", patch={"a": 1}),
        rule("answers", effect=error),
        rule("after", effect=Respond(), patch={"b": 1}),
    ]
    verdict = judge(listed, occasion(status=Status.COMPLETED))
    assert (verdict.rule, verdict.effect) == (listed[2], error)
    assert (verdict.fired, verdict.patches) == (("beside", "answers"), ({"a": 1},))


def test_stops_without_an_effect_at_pass() -> None:
    """``pass`` ends the search and answers nothing itself; what stood before it is kept."""
    verdict = judge([rule("a", delay=5), rule("b", effect="pass"), rule("c", effect=Failure())], occasion())
    assert (verdict.effect, verdict.fired, verdict.delay) == (None, ("a", "b"), (5, "a"))


def test_adds_up_patches_and_headers() -> None:
    """Patches and headers of all rules up to the effect apply, in their order, the effect's own too."""
    listed = [
        rule("a", patch={"x": 1}, headers=(("A", "1"),)),
        rule("b", headers=(("A", "2"), ("B", "3"))),
        rule("c", patch={"x": None}, effect=Failure()),
    ]
    verdict = judge(listed, occasion())
    assert verdict.patches == ({"x": 1}, {"x": None})
    assert verdict.headers == (("A", "1"), ("A", "2"), ("B", "3"))


def test_counts_the_first_delay_and_the_first_retry_after() -> None:
    """Delays and ``retry_after`` don't add up: the first of each counts, and a delay of nought is one."""
    first, second = RetryAfter(wait=None), RetryAfter(wait=5)
    listed = [rule("a"), rule("b", delay=0, retry_after=first), rule("c", delay=9, retry_after=second)]
    verdict = judge(listed, occasion())
    assert (verdict.delay, verdict.retry_after) == ((0, "b"), first)


@given(st.lists(rules(), max_size=5), OCCASIONS)
def test_says_what_the_rules_that_hold_say(listed: list[Rule], asked: Occasion) -> None:
    """A verdict is made of the rules that hold, up to the first of them with an effect, and of nothing else."""
    holding = [one for one in listed if holds(one, asked)]
    stops = [number for number, one in enumerate(holding) if one.effect is not None]
    heard = holding[: stops[0] + 1] if stops else holding
    verdict = judge(listed, asked)
    assert verdict.fired == tuple(one.id for one in heard)
    assert verdict.rule == (heard[-1] if stops else None)
    assert verdict.patches == tuple(one.patch for one in heard if one.patch is not None)
    assert verdict.headers == tuple(header for one in heard for header in one.headers)
    assert verdict.delay == next(((one.delay, one.id) for one in heard if one.delay is not None), None)
    assert verdict.retry_after == next(
        (one.retry_after for one in heard if one.retry_after is not None), None
    )


@given(st.lists(rules(OPEN), max_size=5), rules(OPEN), st.integers(0, 5), OCCASIONS)
def test_draws_no_rule_differently_for_another(
    listed: list[Rule], added: Rule, place: int, asked: Occasion
) -> None:
    """A rule put anywhere into a list changes nothing of what the others' chances come to."""
    struck = {one.id for one in listed if holds(one, asked)}
    more = [*listed[:place], added, *listed[place:]]
    assert {one.id for one in more if holds(one, asked)} - {added.id} == struck
