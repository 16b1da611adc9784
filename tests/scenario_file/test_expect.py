"""``expect``: what it becomes in a file, and alone, as the JSON value that a request has."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.expectations import (
    CallbackExpectations,
    CreateExpectations,
    DownloadExpectations,
    Expectations,
    PollExpectations,
)
from emulator.core.units import MILLISECOND, SECOND
from emulator.scenario_file import ScenarioError, load_text
from emulator.scenario_file.files import load_expectations
from tests.scenario_file.corpus import rows
from tests.scenario_file.strategies import Json, expectations, json_values

WHOLE: Json = {
    "about": "Patience.",
    "poll": {
        "min_interval": "1s500ms",
        "max_interval": "30s",
        "after_terminal": 0,
        "honours_retry_after": True,
        "honours_poll_after": False,
    },
    "create": {"repeated": 2},
    "download": {"at_least": 1, "before_expiry": True, "without_key": False},
    "callback": {"answered": False},
}


def in_a_file(value: Any) -> Expectations:
    """What the value becomes under ``expect`` of a file."""
    return load_text(json.dumps({"version": 1, "expect": value}), "x").scenario.expect


def mistakes(value: Any) -> list[str]:
    """What is wrong with a value that came in a request."""
    with pytest.raises(ScenarioError) as raised:
        load_expectations(value)
    return str(raised.value).split("\n")


def test_takes_every_key_as_it_stands() -> None:
    """Every key has its place; nought and ``False`` are said, not left out."""
    assert in_a_file(WHOLE) == Expectations(
        about="Patience.",
        poll=PollExpectations(
            min_interval=1500 * MILLISECOND,
            max_interval=30 * SECOND,
            after_terminal=0,
            honours_retry_after=True,
            honours_poll_after=False,
        ),
        create=CreateExpectations(repeated=2),
        download=DownloadExpectations(at_least=1, before_expiry=True, without_key=False),
        callback=CallbackExpectations(answered=False),
    )


@pytest.mark.parametrize("value", [{}, {"poll": {}}, {"poll": {}, "create": {}, "download": {}}])
def test_leaves_open_what_is_not_said(value: Json) -> None:
    """An empty mapping says nothing, as no ``expect`` at all does."""
    assert in_a_file(value) == load_text("version: 1\n", "x").scenario.expect == Expectations()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            {"min_interval": "2s", "max_interval": "2s"},
            PollExpectations(min_interval=2 * SECOND, max_interval=2 * SECOND),
        ),
        ({"min_interval": "0s"}, PollExpectations(min_interval=0)),
        ({"max_interval": "1us"}, PollExpectations(max_interval=1)),
    ],
)
def test_intervals_may_meet(value: Json, said: PollExpectations) -> None:
    """The longest gap may be the shortest, and either may stand alone."""
    assert in_a_file({"poll": value}) == Expectations(poll=said)


def test_reads_the_value_of_a_request() -> None:
    """A JSON value alone becomes what it would in a file."""
    assert load_expectations(WHOLE) == in_a_file(WHOLE)


@given(expectations)
def test_reads_any_value_as_in_a_file(value: Json) -> None:
    """Whatever the language allows means the same in a request and in a file."""
    assert load_expectations(value) == in_a_file(value)


def test_reads_text_that_no_yaml_file_may_hold() -> None:
    """JSON has no forbidden characters, so a request's text is taken to the letter."""
    assert load_expectations({"about": "\x00\x7f😀\u2028 {{"}).about == "\x00\x7f😀\u2028 {{"


@pytest.mark.parametrize(
    ("value", "got"),
    [(None, "null"), (5, "5"), (True, "true"), ("poll", "'poll'"), ([], "a list"), (1.5, "1.5")],
)
def test_refuses_another_kind_of_value(value: Any, got: str) -> None:
    """What is no object is told as such."""
    assert mistakes(value) == [f"request: expect: expected a mapping with keys such as 'poll', got {got}"]


def test_tells_every_mistake_of_a_request_with_its_path() -> None:
    """All at once, in their order, each with its path and repair; two of one wording are two."""
    value = {
        "poll": {"min_interval": 2, "max_interval": 2, "retry_after": True},
        "min_interval": "2s",
        "create": {"repeated": [1]},
        "download": {"at_least": -1, "without_key": {"a": {}}},
    }
    assert mistakes(value) == [
        "request: expect.poll.min_interval: 2 has no unit; write 2s",
        "request: expect.poll.max_interval: 2 has no unit; write 2s",
        "request: expect.poll: unknown key 'retry_after'; did you mean 'honours_retry_after'?",
        "request: expect: unknown key 'min_interval'; 'min_interval' belongs to a poll expectation",
        "request: expect.create.repeated: expected a number of creates, 0 or more, got a list",
        "request: expect.download.at_least: expected a number of downloads, 0 or more, got -1; it must be at least 0",
        "request: expect.download.without_key: expected true or false, got a mapping",
    ]


def test_a_mistake_of_a_request_has_no_line() -> None:
    """Nobody wrote a file, so a problem has neither line, column nor source; it is called as the caller says."""
    with pytest.raises(ScenarioError) as raised:
        load_expectations({"poll": {"after_terminal": -1}}, "the body")
    (problem,) = raised.value.problems
    assert (problem.file, problem.path) == ("the body", "expect.poll.after_terminal")
    assert (problem.line, problem.column, problem.source) == (0, 0, None)


def nested(levels: int) -> Json:
    """An object in an object, and so on."""
    value: Json = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("levels", [100, 100_000])
def test_refuses_a_value_nested_too_deep(levels: int) -> None:
    """As deep as a file may be nested, a value may be; deeper ones are refused without being walked."""
    assert mistakes(nested(levels)) == ["request: expect: nested deeper than 64 levels"]
    assert mistakes({"poll": {"min_interval": nested(60)}}) == [
        "request: expect.poll.min_interval: expected a duration such as 500ms, 2s or 4m15s, got a mapping"
    ]


@pytest.mark.parametrize("many", [{str(n): 1 for n in range(20_000)}, [[]] * 20_000])
def test_refuses_a_value_too_large(many: Any) -> None:
    """A value has no more parts than a file may have."""
    assert mistakes({"poll": many}) == ["request: expect: more than 10,000 values"]
    assert mistakes({"poll": [1] * 9000}) == [
        "request: expect.poll: expected a mapping with keys such as 'min_interval', got a list"
    ]


EXPECTED = {name: block for name, block in rows("broken.txt").items() if name.startswith("expect")}


def test_every_key_has_its_mistakes_told() -> None:
    """The table of broken files shows a mistake under each key of ``expect``."""
    text = "\n".join(line for _, said in EXPECTED.values() for line in said)
    paths = [f"expect.{part}.{key}" for part, keys in WHOLE.items() if part != "about" for key in keys]
    assert [path for path in ("expect.about", *paths) if f" {path}: " not in text] == []


def paths_of_mistakes(value: Any) -> set[str]:
    """Where a value that came in a request is wrong; nowhere, if it can be read."""
    try:
        load_expectations(value)
    except ScenarioError as error:
        return {problem.path for problem in error.problems}
    return set()


@given(json_values)
def test_any_value_is_read_or_refused(value: Any) -> None:
    """Whatever JSON a request brings, reading it ends in expectations or in mistakes of ``expect``."""
    assert {path.partition(".")[0] for path in paths_of_mistakes(value)} <= {"expect"}


@given(st.sampled_from(["poll", "create", "download"]), st.data())
def test_a_good_value_with_something_else_in_it(part: str, data: st.DataObject) -> None:
    """A good value, one key of which became something else, is read or refused there."""
    key = data.draw(st.sampled_from(sorted(WHOLE[part])))
    value = {**WHOLE, part: {**WHOLE[part], key: data.draw(json_values)}}
    # At its mapping where a drawn interval is longer than the other.
    assert paths_of_mistakes(value) <= {f"expect.{part}.{key}", f"expect.{part}"}
