"""Problems of a scenario file, and how they are written out: for people, for programs, for GitHub."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong (or doubtful) in a scenario file: where, what was expected, what came, the likely repair."""

    file: str
    line: int = 0
    """From 1; 0: the problem is the file itself, no place in it."""
    column: int = 0
    """From 1, in characters; 0 where `line` is 0."""
    path: str = ""
    """The way to it through the document, such as ``rules[1].calls``; empty at the top."""
    message: str
    hint: str | None = None
    id: str
    """A stable word for this kind of problem. Warnings are silenced by it."""
    severity: Literal["error", "warning"] = "error"
    source: str | None = None
    """The line of the file that it stands in."""


class ScenarioError(Exception):
    """A scenario file doesn't load; `problems` holds every mistake in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(as_line, self.problems)))


_WIDEST = 160
"""How much of a source line is shown; a file may be one line of a megabyte."""


def as_line(problem: Problem) -> str:
    """The problem in one line: ``file:line:column: path: message; hint``."""
    place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    return f"{place}: {_sentence(problem)}"


def _sentence(problem: Problem) -> str:
    path = f"{problem.path}: " if problem.path else ""
    kind = "warning: " if problem.severity == "warning" else ""
    label = f" [{problem.id}]" if problem.severity == "warning" else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{kind}{path}{problem.message}{hint}{label}"


def as_text(problem: Problem) -> str:
    """The problem's line and, beneath it, the line of the file with a caret under the place."""
    if problem.source is None:
        return as_line(problem)
    start = max(0, problem.column - _WIDEST // 2) if len(problem.source) > _WIDEST else 0
    shown = problem.source[start : start + _WIDEST]
    before = shown[: problem.column - 1 - start]
    caret = "".join("\t" if character == "\t" else " " for character in before) + "^"
    return f"{as_line(problem)}\n    {shown}\n    {caret}"


def as_json(problem: Problem) -> dict[str, Any]:
    """The problem as JSON values, one key for each of its parts."""
    return msgspec.structs.asdict(problem)


_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def as_github(problem: Problem) -> str:
    """The problem as a workflow command of GitHub Actions, which shows it beside the line of a pull request."""
    place = f"file={problem.file.translate(_PROPERTY)}"
    if problem.line:
        place += f",line={problem.line},col={problem.column}"
    hint = f"; {problem.hint}" if problem.hint else ""
    path = f"{problem.path}: " if problem.path else ""
    message = f"{path}{problem.message}{hint}".translate(_DATA)
    return f"::{problem.severity} {place},title={problem.id}::{message}"
