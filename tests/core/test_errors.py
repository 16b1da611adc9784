"""Problems of scenario files, written out."""

import json

import pytest

from emulator.core.errors import Problem, ScenarioError, as_github, as_json, as_line, as_text

MISTAKE = Problem(
    file="flaky.yaml",
    line=3,
    column=5,
    path="rules[0].calls",
    message="expected calls such as 3, got 'x'",
    hint="write 3",
    id="wrong-value",
    source="    calls: x",
)
DOUBT = Problem(
    file="flaky.yaml", line=1, column=1, message="this rule can't fire", id="shadowed", severity="warning"
)
UNREADABLE = Problem(file="flaky.yaml", message="is a folder", id="unreadable")


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (MISTAKE, "flaky.yaml:3:5: rules[0].calls: expected calls such as 3, got 'x'; write 3"),
        (DOUBT, "flaky.yaml:1:1: warning: this rule can't fire [shadowed]"),
        (UNREADABLE, "flaky.yaml: is a folder"),
    ],
)
def test_says_a_problem_in_one_line(problem: Problem, line: str) -> None:
    """Where, what and the likely repair, leaving out what isn't known; a warning names its id."""
    assert as_line(problem) == line


def test_shows_the_place_with_a_caret() -> None:
    """The line of the file stands beneath, with a caret under the place."""
    assert as_text(MISTAKE).splitlines()[1:] == ["        calls: x", "        ^"]
    assert as_text(UNREADABLE) == as_line(UNREADABLE)


@pytest.mark.parametrize(
    ("source", "column", "caret"),
    [("a: b", 1, "^"), ("a: b", 4, "   ^"), ("\ta: b", 2, "\t^"), ("a: b", 5, "    ^"), ("", 1, "^")],
)
def test_puts_the_caret_under_the_column(source: str, column: int, caret: str) -> None:
    """The caret stands under its column, also after a tab and behind the line's end."""
    problem = Problem(file="f", line=1, column=column, message="m", id="i", source=source)
    assert as_text(problem).split("\n")[1:] == [f"    {source}", f"    {caret}"]


@pytest.mark.parametrize("column", [1, 80, 161, 5_000, 1_000_000])
def test_shows_part_of_a_long_line(column: int) -> None:
    """Of a line of a megabyte the part around the place is shown, with the caret under it."""
    source = "." * (column - 1) + "X" + "." * (1_000_000 - column)
    _, shown, caret = as_text(
        Problem(file="f", line=1, column=column, message="m", id="i", source=source)
    ).split("\n")
    assert len(shown) <= 164
    assert shown[caret.index("^")] == "X"


def test_gives_every_part_as_json() -> None:
    """Programs get each part of a problem under its name."""
    assert json.loads(json.dumps(as_json(MISTAKE))) == {
        "file": "flaky.yaml", "line": 3, "column": 5, "path": "rules[0].calls",
        "message": "expected calls such as 3, got 'x'", "hint": "write 3", "id": "wrong-value",
        "severity": "error", "source": "    calls: x",
    }  # fmt: skip


def test_speaks_to_github() -> None:
    """A workflow command carries place, id and message; what would end it early is escaped."""
    assert as_github(MISTAKE) == (
        "::error file=flaky.yaml,line=3,col=5,title=wrong-value::"
        "rules[0].calls: expected calls such as 3, got 'x'; write 3"
    )
    assert as_github(UNREADABLE) == "::error file=flaky.yaml,title=unreadable::is a folder"
    odd = Problem(file="a,b:c%\n.yaml", message="100%\r\nof: it", id="odd", severity="warning")
    assert as_github(odd) == "::warning file=a%2Cb%3Ac%25%0A.yaml,title=odd::100%25%0D%0Aof: it"


def test_carries_every_mistake() -> None:
    """The exception holds all problems, and says each in a line."""
    error = ScenarioError(problem for problem in (MISTAKE, UNREADABLE))
    assert error.problems == (MISTAKE, UNREADABLE)
    assert str(error) == f"{as_line(MISTAKE)}\n{as_line(UNREADABLE)}"
