"""Gathers the mistakes of one file, each with its place."""

import re
from collections.abc import Callable, Collection
from typing import Final, NoReturn, Protocol, TypeAlias

import msgspec

from emulator.core.errors import Problem, ScenarioError

Path: TypeAlias = tuple[str | int, ...]
"""The way through the document: keys and list positions."""

_BREAK: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_CONTROLS: Final = re.compile("[\0-\x08\x0b-\x1f\x7f]")
"""What must not reach a terminal."""
_WORD: Final = re.compile(r"[\w-]+")


_LONGEST_STEP: Final = 60
_LONGEST: Final = 500


class Spot(Protocol):
    """Something with a place in the file."""

    @property
    def line(self) -> int:
        """From 1."""
        ...

    @property
    def column(self) -> int:
        """From 1."""
        ...


class Lines:
    """The lines of a text, split where YAML breaks lines, once somebody asks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: list[str] | None = None

    def at(self, number: int) -> str:
        """The line of this number, from 1; empty where the text has none."""
        if self._lines is None:
            self._lines = _BREAK.split(self._text)
        line = self._lines[number - 1] if 0 < number <= len(self._lines) else ""
        return _CONTROLS.sub("\ufffd", line)


def written(path: Path) -> str:
    """The path as authors read it: ``rules[1].calls``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _WORD.fullmatch(step):
            text += f".{step[:_LONGEST_STEP]}" if text else step[:_LONGEST_STEP]
        else:
            text += f"[{step[:_LONGEST_STEP]!r}]"
    return text


def _short(text: str) -> str:
    """A message may quote the file, and a value of the file may be a megabyte."""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _nowhere(_: str) -> None:
    return None


class Report:
    """The mistakes of one file, as far as they were found."""

    def __init__(self, file: str, text: str, home_of: Callable[[str], str | None] = _nowhere) -> None:
        self.file = file
        self.home_of = home_of
        """Where a key belongs that stands in the wrong place, as a hint."""
        self.lines = Lines(text)
        self.problems: dict[tuple[str, int, int, str], Problem] = {}
        self.warnings: dict[tuple[str, int, int, str], Problem] = {}
        self.count = 0
        """How many mistakes were reported, those that an anchor repeats included."""

    def mistake(self, id: str, spot: Spot, path: Path, message: str, hint: str | None = None) -> None:
        """One mistake at a place. A value that aliases repeat is reported where it stands, once."""
        self.count += 1
        key = (id, spot.line, spot.column, message)
        self.problems.setdefault(key, self.problem(id, spot, path, message, hint))

    def doubt(self, id: str, spot: Spot, path: Path, message: str, hint: str | None = None) -> None:
        """One warning at a place: the file loads, but may not say what its author means."""
        problem = self.problem(id, spot, path, message, hint)
        key = (id, spot.line, spot.column, message)
        self.warnings.setdefault(key, msgspec.structs.replace(problem, severity="warning"))

    def doubts(self, ignored: Collection[str]) -> tuple[Problem, ...]:
        """The warnings that nobody took as meant, in the order in which they stand in the file."""
        kept = (problem for problem in self.warnings.values() if problem.id not in ignored)
        return tuple(sorted(kept, key=_place))

    def stop(self, id: str, spot: Spot | None, path: Path, message: str, hint: str | None = None) -> NoReturn:
        """A mistake after which reading on makes no sense."""
        self.count += 1
        place = (spot.line, spot.column) if spot else (0, 0)
        self.problems.setdefault((id, *place, message), self.problem(id, spot, path, message, hint))
        raise self.error()

    def problem(self, id: str, spot: Spot | None, path: Path, message: str, hint: str | None) -> Problem:
        """A problem of this file, with the line that it stands in."""
        message, hint = _short(message), None if hint is None else _short(hint)
        if spot is None:
            return Problem(file=self.file, path=written(path), message=message, hint=hint, id=id)
        return Problem(
            file=self.file,
            line=spot.line,
            column=spot.column,
            path=written(path),
            message=message,
            hint=hint,
            id=id,
            source=self.lines.at(spot.line) or None,
        )

    def error(self) -> ScenarioError:
        """All mistakes, in the order in which they stand in the file."""
        return ScenarioError(sorted(self.problems.values(), key=_place))


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column
