"""JSON merge patches."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given

from emulator.core.patch import merge
from tests.strategies import JSON


@pytest.mark.parametrize(
    ("original", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merges_as_rfc_7396_shows(original: Any, patch: Any, result: Any) -> None:
    """The table of examples in RFC 7396, appendix A."""
    assert merge(original, patch) == result


def test_keeps_the_order_of_keys() -> None:
    """Keys stay where they are; new ones follow in the patch's order."""
    merged = merge(
        {"id": 1, "status": 2, "error": {"code": 1, "message": 2}}, {"new": 0, "error": {"code": 9}, "id": 3}
    )
    assert list(merged) == ["id", "status", "error", "new"]
    assert list(merged["error"]) == ["code", "message"]


@given(JSON, JSON)
def test_changes_neither_side(target: Any, patch: Any) -> None:
    """A merge makes a new value, and leaves the two that it came from."""
    before = deepcopy((target, patch))
    merge(target, patch)
    assert (target, patch) == before


@given(JSON, JSON)
def test_changes_nothing_the_second_time(target: Any, patch: Any) -> None:
    """A patch that was merged already merges into what is there."""
    once = merge(target, patch)
    assert merge(once, patch) == once


def test_what_a_template_made_null_is_put_there() -> None:
    """Only what the author wrote as null removes a key; what a template brought replaces as it is."""
    target = {"a": 1, "b": {"c": 1, "d": 1}, "e": {"f": 1}}
    written = {"a": "{{ null }}", "b": {"c": None, "d": "{{ null }}"}, "e": "{{ request.x }}"}
    patch = {"a": None, "b": {"c": None, "d": None}, "e": {"g": None}}
    assert merge(target, patch, written) == {"a": None, "b": {"d": None}, "e": {"g": None}}
