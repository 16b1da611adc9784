"""Texts of scenarios as files of their own: what is added stands there, and nothing else changes."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from emulator.embedded.story.scenario_text import in_block_style, settled
from emulator.scenario_file import load_text, nodes
from emulator.scenario_file.report import Report
from tests.scenario_file.strategies import Json, json_values, scenarios

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"]))


def read(text: str) -> Any:
    """The keys and values of a text, as the language reads them."""
    root = nodes.read(text, Report("text", text))
    return None if root is None else nodes.raw(root)


def is_folded(text: str) -> bool:
    """Whether the document's root is in YAML's flow style."""
    root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    return bool(root.flow_style)


@given(st.dictionaries(texts.filter(lambda key: key not in {"", "<<"}), json_values | texts, min_size=1))
def test_json_in_block_style_says_the_same(value: Json) -> None:
    """Every key and value is read back as it was, a text as a text and a number as a number."""
    text = json.dumps(value, ensure_ascii=False)
    block = in_block_style(text)
    assert read(block) == read(text)
    assert not is_folded(block)


@pytest.mark.parametrize(
    "text", ["1e-7", "1.5e3", "on", "1:30", "null", "", "~", "<<", "08", "5s", "a: b", "=", "é"]
)
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    """To the language and to YAML's other readers alike."""
    block = in_block_style(json.dumps({"about": text}))
    assert read(block) == yaml.safe_load(block) == {"about": text}


@given(scenarios())
def test_scenarios_in_block_style_are_the_same(value: Json) -> None:
    """Whatever a scenario holds, it is still without mistakes, and still says the same."""
    text = json.dumps(value, ensure_ascii=False)
    block = in_block_style(text)
    assert read(block) == read(text)
    load_text(block, "name")


@given(scenarios(), st.integers(-9, 9) | texts.filter(bool), st.booleans())
def test_what_is_added_is_all_that_changes(value: Json, seed: int | str, is_json: bool) -> None:
    """A seed that the text hasn't got, and the name where it has one."""
    text = json.dumps(value, ensure_ascii=False)
    text = settled(
        text if is_json else in_block_style(text), "new-name", {"seed": seed, "profile": "current"}
    )
    expected = {"seed": seed, "profile": "current", **value}
    assert read(text) == ({**expected, "name": "new-name"} if "name" in value else expected)
    load_text(text, "new-name")


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\n# a comment\nabout: {a: b}\n",
        "version: 1\ntasks:\n  - {id: a}\n",
        "---\nversion: 1\n",
        "not: [closed",
        "",
    ],
    ids=["block", "flow inside", "a marker", "broken", "empty"],
)
def test_a_text_in_block_style_stays_to_the_letter(text: str) -> None:
    """Comments and all: authors know their own file again."""
    assert in_block_style(text) == text


@pytest.mark.parametrize(
    "text",
    ['{"version": 1}', "--- {version: 1}", "# head\n{version: 1}\n", "\ufeff{version: 1}", "&a {version: 1}"],
    ids=["JSON", "a marker", "a comment", "a byte order mark", "an anchor"],
)
def test_a_text_in_flow_style_is_unfolded(text: str) -> None:
    """Wherever it begins."""
    assert is_folded(text)
    assert not is_folded(in_block_style(text))


def test_what_lies_beyond_the_basic_plane_survives() -> None:
    """JSON writes it as two escapes."""
    assert read(in_block_style(json.dumps({"about": "\U0001f600"}))) == {"about": "\U0001f600"}


def test_keys_are_added_behind_the_version() -> None:
    """As authors would place them, with the indentation of the others."""
    text = "# head\n  version: 1  # one\n  about: x\n"
    assert settled(text, None, {"seed": 7}) == "# head\n  version: 1  # one\n  seed: 7\n  about: x\n"
