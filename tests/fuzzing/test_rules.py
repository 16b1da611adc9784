"""Rules: what may go wrong with calls, so that a client which asks again gets through."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.units import MILLISECOND, parse_duration
from emulator.core.words import ErrorName, FaultName
from emulator.providers import by_name
from emulator.scenario_file import load_text
from emulator.strategies import GeneratedScenario, rules
from tests.fuzzing.finding import simplest

Rules = list[dict[str, Any]]
FIRST_POLL = {"operation": "poll", "calls": 1}


@given(provider=st.sampled_from(sorted(by_name)), data=st.data())
def test_they_load_without_a_warning(provider: str, data: st.DataObject) -> None:
    """No rule hides another one, and each can fire."""
    drawn = data.draw(rules(provider, max_rules=6, errors=[name.value for name in ErrorName]))
    scenario = GeneratedScenario(version=1, providers=provider, rules=drawn)
    assert load_text(scenario.yaml, "drawn").warnings == ()


KINDS: list[tuple[str, Any, Rules]] = [
    ("any", lambda _: True, []),
    ("one", lambda r: r, [{**FIRST_POLL, "error": "rate_limited"}]),
    (
        "two",
        lambda r: len(r) == 2,
        [{**FIRST_POLL, "error": "rate_limited"}, {**FIRST_POLL, "calls": 2, "error": "rate_limited"}],
    ),
    ("503", lambda r: "unavailable" in str(r), [{**FIRST_POLL, "error": "unavailable"}]),
    ("500", lambda r: "internal" in str(r), [{**FIRST_POLL, "error": "internal"}]),
    (
        "wait",
        lambda r: "retry_after" in str(r),
        [{**FIRST_POLL, "error": "rate_limited", "retry_after": "1s"}],
    ),
    (
        "date",
        lambda r: "date" in str(r),
        [{**FIRST_POLL, "error": "rate_limited", "retry_after": {"http_date": "1s"}}],
    ),
    ("delay", lambda r: "delay" in str(r), [{**FIRST_POLL, "delay": "1ms"}]),
    ("in a row", lambda r: "-" in str(r), [{"operation": "poll", "calls": "1-2", "error": "rate_limited"}]),
    (
        "every",
        lambda r: "every" in str(r),
        [{"operation": "poll", "calls": "every 2", "error": "rate_limited"}],
    ),
    ("create", lambda r: "create" in str(r), [{"operation": "create", "calls": 1, "error": "rate_limited"}]),
    (
        "content",
        lambda r: "content" in [rule["operation"] for rule in r],
        [{"operation": "content", "calls": 1, "error": "rate_limited"}],
    ),
    (
        "download",
        lambda r: "not_found" in str(r) and r[-1]["operation"] == "download",
        [{"operation": "download", "calls": 1, "error": "not_found"}],
    ),
]


@pytest.mark.parametrize(("is_one", "minimal"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_they_shrink_to_what_an_author_would_write(is_one: Any, minimal: Rules) -> None:
    """The simplest rules of a kind are one rule on a first poll, where that will do."""
    assert simplest(rules("ezmodel"), is_one) == minimal


@given(provider=st.sampled_from(sorted(by_name)), data=st.data())
def test_faults_load_without_a_warning_and_leave_creates_alone(provider: str, data: st.DataObject) -> None:
    """Every one of them, and a create's answer isn't lost."""
    names = [name.value for name in FaultName]
    drawn = data.draw(rules(provider, max_rules=6, errors=False, max_delay="0s", faults=names))
    scenario = GeneratedScenario(version=1, providers=provider, rules=drawn)
    assert load_text(scenario.yaml, "drawn").warnings == ()
    assert all("fault" in rule and rule["operation"] != "create" for rule in drawn)


@given(drawn=rules("octopusx", max_rules=10))
def test_there_are_no_faults_unless_they_are_asked_for(drawn: Rules) -> None:
    """Most of them need a socket."""
    assert not any("fault" in rule for rule in drawn)


@given(drawn=rules("octopusx", max_rules=10, faults=True))
def test_faults_that_a_client_waits_for_come_by_name(drawn: Rules) -> None:
    """Each would cost its time limit, in real time."""
    assert not any(name in str(rule) for rule in drawn for name in ("stall", "hang"))


@pytest.mark.parametrize(
    ("is_one", "minimal"),
    [
        (lambda r: "fault" in str(r), [{**FIRST_POLL, "fault": "connection_reset"}]),
        (lambda r: "50%" in str(r), [{**FIRST_POLL, "fault": {"connection_reset": "50%"}}]),
        (lambda r: "html" in str(r), [{**FIRST_POLL, "fault": "html_error_page"}]),
    ],
    ids=["any", "half-way", "page"],
)
def test_faults_shrink_to_what_an_author_would_write(is_one: Any, minimal: Rules) -> None:
    """One rule on a first poll."""
    assert simplest(rules("ezmodel", faults=True), is_one) == minimal


@given(drawn=rules("octopusx", operations=["create"], errors=False, max_delay="0s", faults=["hang"]))
def test_creates_are_broken_where_they_alone_are_named(drawn: Rules) -> None:
    """Which is how one tests for videos that are paid twice."""
    assert all(rule["operation"] == "create" and rule["fault"] == "hang" for rule in drawn)


@given(drawn=rules("ezmodel", max_rules=10))
def test_a_client_that_asks_again_gets_through(drawn: Rules) -> None:
    """No rule without an end: each is about at most three calls in a row, or about every second at most."""
    for rule in drawn:
        calls = str(rule["calls"])
        if calls.startswith("every"):
            assert int(calls.removeprefix("every ")) >= 2
        else:
            first, _, last = calls.partition("-")
            assert int(last or first) - int(first) < 3


@given(drawn=rules("ezmodel", max_rules=10))
def test_only_two_errors_say_how_long_to_wait(drawn: Rules) -> None:
    """``retry_after`` stands beside a 429 or a 503, and nowhere else."""
    assert {rule["error"] for rule in drawn if "retry_after" in rule} <= {"rate_limited", "unavailable"}


@given(drawn=rules("octopusx", operations=["poll"], errors=["not_found"], max_delay="0s"))
def test_they_have_what_was_named(drawn: Rules) -> None:
    """Only the operations and errors that were named, and no delay."""
    assert all(rule["operation"] == "poll" and rule["error"] == "not_found" for rule in drawn)


@given(drawn=rules("octopusx", errors=False, max_delay="3ms"))
def test_they_only_delay_where_errors_are_off(drawn: Rules) -> None:
    """Without errors answers come later, by no more than was said."""
    assert all(parse_duration(rule["delay"]) <= 3 * MILLISECOND for rule in drawn)


@given(drawn=rules("acedata-sora"))
def test_they_are_what_the_provider_can_say(drawn: Rules) -> None:
    """Ace Data has no content route, and no 502 or 503: such an error would be its 500 again."""
    assert not any(rule["operation"] == "content" for rule in drawn)
    assert not any(rule.get("error") in ("bad_gateway", "unavailable") for rule in drawn)


@pytest.mark.parametrize(
    "nothing",
    [
        {"max_rules": 0},
        {"errors": False, "max_delay": "0s"},
        {"operations": []},
        {"errors": [], "max_delay": "0s"},
    ],
)
def test_there_are_none_where_nothing_can_go_wrong(nothing: dict[str, Any]) -> None:
    """The list is empty, rather than a rule without an effect."""

    @given(rules("octopusx", **nothing))
    def holds(drawn: Rules) -> None:
        assert drawn == []

    holds()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"operations": ["poll", "cancel"]},
            "operations: expected one of create, poll, content, download, got 'cancel'",
        ),
        ({"errors": ["throttled"]}, "errors: expected one of no_token, .*, got 'throttled'"),
        ({"faults": ["hangs"]}, "faults: expected one of connection_reset, .*, got 'hangs'"),
        ({"max_delay": "2h"}, "max_delay: expected a duration from 0s to 1m, got '2h'"),
        ({"max_rules": -1}, "max_rules: expected a whole number from 0 to 20, got -1"),
    ],
)
def test_a_wrong_argument_is_told_at_once(arguments: dict[str, Any], message: str) -> None:
    """The call itself raises, with what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        rules("octopusx", **arguments)
