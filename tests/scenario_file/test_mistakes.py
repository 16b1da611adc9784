"""Broken files, and exactly what is said of each: line, column, words, and the mistake's id (in broken.txt)."""

from contextlib import suppress

import pytest
import yaml

from emulator.core.errors import as_line
from emulator.scenario_file import ScenarioError, load_text, nodes, wording
from emulator.scenario_file.report import Report
from tests.scenario_file.corpus import rows

ROWS = rows("broken.txt")


def mistakes(text: str) -> list[str]:
    """What is wrong with the text, each as ``line:column: message [id]``."""
    with pytest.raises(ScenarioError) as raised:
        load_text(text, "x", "x")
    return [f"{as_line(problem).removeprefix('x:')} [{problem.id}]" for problem in raised.value.problems]


@pytest.mark.parametrize("name", ROWS)
def test_says_where_what_and_how_to_mend(name: str) -> None:
    """Each mistake is told once, with its place, what was expected, what came, and the likely repair."""
    text, expected = ROWS[name]
    assert expected
    assert mistakes(text) == expected


def test_eight_mistakes_are_told_at_once() -> None:
    """A file with eight different mistakes gets eight messages."""
    assert len(ROWS["eight mistakes at once"][1]) == 8


def test_caret_stands_under_the_place() -> None:
    """Every problem carries its line of the file, and its column points into it."""
    for text, _ in ROWS.values():
        with pytest.raises(ScenarioError) as raised:
            load_text(text, "x", "x")
        for problem in raised.value.problems:
            assert problem.source == text.split("\n")[problem.line - 1]
            assert 1 <= problem.column <= len(problem.source) + 1


def test_every_id_of_a_mistake_is_explained() -> None:
    """The list of ids holds each id that a broken file gets."""
    seen = {line.rpartition("[")[2].rstrip("]") for _, expected in ROWS.values() for line in expected}
    assert seen <= set(wording.MISTAKES)
    only_for_whole_files = {"unreadable", "too-large", "not-utf-8", "control-character", "empty"}
    bounds = {"yaml-depth", "yaml-nodes", "yaml-aliases"}
    assert set(wording.MISTAKES) - seen == only_for_whole_files | bounds


SYNTAX = [name for name, (_, expected) in ROWS.items() if expected[0].endswith("[yaml-syntax]")]


@pytest.mark.parametrize("name", [name for name in SYNTAX if name != "bad escape"])
def test_both_parsers_are_explained_alike(name: str) -> None:
    """Where PyYAML comes without libyaml, what YAML trips over is told in the same words."""
    text, expected = ROWS[name]
    report = Report("x", text)
    with suppress(ScenarioError):
        nodes.read(text, report, yaml.SafeLoader)
    problems = report.error().problems
    assert [f"{as_line(problem).removeprefix('x:')} [{problem.id}]" for problem in problems] == expected


def test_mistake_in_an_anchor_is_told_once() -> None:
    """A value that aliases repeat is told of where it stands, not once for each alias."""
    text = """\
version: 1
x-life: &life
  - {status: queued, for: 2}
  - {status: completed}
tasks:
  - {match: {prompt: a}, timeline: *life}
  - {timeline: *life}
"""
    assert mistakes(text) == [
        "3:27: tasks[0].timeline[0].for: 2 has no unit; write 2s [duration-without-unit]"
    ]


def test_newer_version_hides_the_rest() -> None:
    """What else seems wrong in a file of a newer version may be right there, so it isn't told."""
    assert len(mistakes("version: 7\nworlds: []\n")) == 1


def test_long_values_are_cut() -> None:
    """A value of a hundred thousand characters doesn't make a message of that length."""
    with pytest.raises(ScenarioError) as raised:
        load_text(f"version: 1\nseed: {'9' * 100_000}\n{'k' * 1000}: 1\nprofile: {'p' * 100_000}\n", "x")
    assert len(raised.value.problems) == 3
    assert all(len(as_line(problem)) < 1000 for problem in raised.value.problems)
