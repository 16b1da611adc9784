"""Templates in a scenario's strings."""

from typing import Any
from uuid import UUID

import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.template import (
    FAKER_NAMES,
    PLAIN_NAMES,
    Context,
    fill,
    names_in,
    problem_with,
)
from emulator.core.units import parse_instant
from tests.strategies import JSON

START = parse_instant("2025-01-01T00:00:00Z")


def context(**parts: Any) -> Context:
    """One task at one instant."""
    return Context(
        **{
            "task_id": "video_1",
            "created_at": START,
            "request": lambda: {"prompt": "a cat", "seconds": 10, "metadata": {"tags": ["x", None]}},
            "now": START + 1_500_000,
            "seed": 7,
            "key": b"key of the task!",
            **parts,
        }
    )


def filled(value: Any, **parts: Any) -> Any:
    """A value as a client sees it."""
    return fill(value, context(**parts))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ null }}", None),
        ("{{ seed }}", 7),
        ("{{ now }}", "2025-01-01T00:00:01.5Z"),
        ("{{ task.id }}", "video_1"),
        ("{{ task.created_at }}", "2025-01-01T00:00:00Z"),
        ("{{ request.prompt }}", "a cat"),
        ("{{ request.seconds }}", 10),
        ("{{ request.metadata }}", {"tags": ["x", None]}),
        ("{{ request.metadata.tags.0 }}", "x"),
        ("{{ request.missing }}", None),
        ("{{null}}", None),
        ("{{\n\tseed  }}", 7),
    ],
)
def test_keeps_the_type_of_a_string_that_is_one_template(text: str, value: Any) -> None:
    """A string that is a template and nothing else becomes the template's value."""
    assert filled(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ null }} ", "null "),
        ("{{ seed }}{{ seed }}", "77"),
        ("for {{ request.seconds }}s: {{request.prompt}}", "for 10s: a cat"),
        ("{{ request.metadata }}!", '{"tags": ["x", null]}!'),
        ("({{ request.missing }})", "(null)"),
        ("{{ task.id }}}", "video_1}"),
    ],
)
def test_puts_values_into_text(text: str, value: str) -> None:
    """A template within a text becomes its value's text."""
    assert filled(text) == value


@pytest.mark.parametrize(
    "value", ["plain", "{ seed }", "{{ seed", "seed }}", "{{ seed }", 7, None, True, ["a"], {"a": 1}]
)
def test_leaves_what_holds_no_template(value: Any) -> None:
    """A value without templates stays as it is."""
    assert filled(value) == value


@given(JSON)
def test_fills_templates_anywhere(value: Any) -> None:
    """Templates are filled in objects and lists, at any depth; all else and the keys stay."""
    nested = {"{{ seed }}": [{"a": "{{ seed }}", "b": value}]}
    assert filled(nested) == {"{{ seed }}": [{"a": 7, "b": value}]}


def test_knows_no_task_where_there_is_none() -> None:
    """An exchange without a task has neither id nor creation."""
    assert filled(["{{ task.id }}", "{{ task.created_at }}"], task_id=None, created_at=None) == [None, None]


def test_reads_the_request_only_where_asked() -> None:
    """A template that speaks of other things doesn't parse the request."""

    def never() -> Any:
        raise AssertionError

    assert filled("{{ seed }} {{ now }} {{ task.id }}", request=never)


# Draws


def test_draws_uuids_by_place_and_call() -> None:
    """Each place and each call has a UUID of its own, the same each time it is filled."""
    value = {"a": "{{ uuid }}", "b": ["{{ uuid }}", "{{ uuid }} {{ uuid }}"]}
    once = filled(value)
    assert filled(value) == once
    written = [once["a"], once["b"][0], *once["b"][1].split(), filled(value, number=1)["a"]]
    assert len({UUID(text) for text in written}) == 5


def test_draws_differently_for_another_key() -> None:
    """Two tasks get UUIDs and names of their own."""
    for text in ("{{ uuid }}", "{{ faker.sentence }}"):
        assert filled(text) != filled(text, key=b"key of another!!")


@pytest.mark.parametrize("name", FAKER_NAMES)
def test_makes_up_the_same_words_for_the_same_key(name: str) -> None:
    """Every allowed name is one of Faker's, and gives the same text for the same place, key and call."""
    assert callable(getattr(Faker("en_US"), name))
    value = [f"{{{{ faker.{name} }}}}"] * 2
    once = filled(value)
    assert all(isinstance(text, str) and text for text in once)
    filled("{{ faker.name }}")
    assert filled(value) == once


def test_makes_up_dates_that_owe_nothing_to_today() -> None:
    """A made-up date lies before 2025, whenever it is made up."""
    dates = {filled("{{ faker.date }}", number=number) for number in range(400)}
    assert len(dates) > 350
    assert "1970-01-01" <= min(dates) <= max(dates) <= "2025-01-01"


def test_does_not_use_the_words_of_the_rest_of_the_process() -> None:
    """Somebody else's seeding of Faker changes nothing here, and ours nothing there."""
    Faker.seed(1)
    theirs = Faker("en_US").name()
    Faker.seed(1)
    ours = filled("{{ faker.name }}")
    assert Faker("en_US").name() == theirs
    Faker.seed(2)
    assert filled("{{ faker.name }}") == ours


# Names


@pytest.mark.parametrize(
    "name", [*PLAIN_NAMES, "request.prompt", "request.a.b", *(f"faker.{name}" for name in FAKER_NAMES)]
)
def test_allows_the_names_on_its_list(name: str) -> None:
    """What is on the list may stand in a template, and is filled in."""
    assert problem_with(name) is None
    filled(f"{{{{ {name} }}}}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "'' is no template name"),
        ("request.", "'request.' is no template name"),
        ("task", "'task' is no template name"),
        ("faker", "faker. is not on the list of allowed names"),
        ("faker.seed_instance", "faker.seed_instance is not on the list of allowed names"),
        ("faker.name()", "faker.name() is not on the list of allowed names"),
        ("env.HOME", "'env.HOME' is no template name"),
        ("1 + 1", "'1 + 1' is no template name"),
    ],
)
def test_refuses_other_names(name: str, message: str) -> None:
    """Anything else is refused with the name."""
    assert problem_with(name) == message


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("{{ a }} and {{b}}", ["a", "b"]),
        ({"x": ["{{ a }}", {"y": "{{ b }}"}], "{{ key }}": 1}, ["a", "b"]),
        ("{{ a\nb }}", ["a\nb"]),
        ("{{}}", [""]),
        ("{{{ a }}}", ["{ a"]),
        ("{{ a {{ b }}", ["b"]),
        (7, []),
    ],
)
def test_finds_the_names_in_a_value(value: Any, names: list[str]) -> None:
    """Names are found in every string of a value, in order; keys hold no templates."""
    assert names_in(value) == names


@pytest.mark.parametrize("text", ["{{" * 500_000, "{{" + " " * 1_000_000, "{{ a" * 250_000, "}}{{" * 250_000])
def test_looks_through_any_text_at_once(text: str) -> None:
    """Texts made to keep a search busy for hours are searched in their length."""
    assert names_in(text) in ([], ["" for _ in range(249_999)])


@given(st.text("{} aseed", max_size=20))
def test_finds_exactly_what_it_fills(text: str) -> None:
    """Where no name is found nothing is filled in."""
    if not names_in(text):
        assert filled(text) == text
