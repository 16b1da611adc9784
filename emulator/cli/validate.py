"""``video-emulator validate``."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emulator.core.errors import Problem
    from emulator.scenario_file import Loaded


@click.command(short_help="Check scenario files.")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as annotations of a pull request.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
def validate(files: tuple[str, ...], form: str, strict: bool) -> int:
    """Check scenario FILES: a folder stands for the scenario files in it, - for the standard input.

    Every mistake of every file is told; then the exit status is 1. Warnings alone leave it 0.
    """
    checked = [_standard_input() if name == "-" else _file_or_folder(name) for name in files]
    problems = [problem for _, found in checked for problem in found]
    _FORMS[form](problems)
    mistakes = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - mistakes
    if form != "json":
        click.echo(_summary(sum(count for count, _ in checked), mistakes, warnings))
    return 1 if mistakes or (strict and warnings) else 0


def _summary(files: int, mistakes: int, warnings: int) -> str:
    counts = [_counted(files, "file"), _counted(mistakes, "mistake")]
    if warnings:
        counts.append(_counted(warnings, "warning"))
    return ", ".join(counts)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


# Reading


def _file_or_folder(name: str) -> tuple[int, list["Problem"]]:
    """How many files the name stands for, and all that is wrong with them."""
    from emulator.library import files_in, read  # noqa: PLC0415 - reads the whole language

    path = Path(name)
    if not path.is_dir():
        return 1, _all_of(*read([path]))
    try:
        paths = files_in(path)
    except OSError as problem:
        return 0, [_unusable(name, f"the folder can't be read: {problem.strerror}")]
    if not paths:
        return 0, [_unusable(name, "no scenario file is in this folder")]
    return len(paths), _all_of(*read(paths))


def _standard_input() -> tuple[int, list["Problem"]]:
    from emulator.core.errors import ScenarioError  # noqa: PLC0415
    from emulator.scenario_file import load_text  # noqa: PLC0415

    name = "<stdin>"
    if sys.stdin is None:
        return 1, [_unusable(name, "there is no standard input")]
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as problem:
        return 1, [_unusable(name, f"expected UTF-8 text: {problem.reason} at byte {problem.start}")]
    try:
        return 1, list(load_text(text, "stdin", name).warnings)
    except ScenarioError as error:
        return 1, list(error.problems)


def _all_of(loaded: Iterable["Loaded"], mistakes: Iterable["Problem"]) -> list["Problem"]:
    """Mistakes and warnings, as they follow one another in the files."""
    problems = [*mistakes, *(warning for one in loaded for warning in one.warnings)]
    return sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))


def _unusable(file: str, message: str) -> "Problem":
    from emulator.core.errors import Problem  # noqa: PLC0415

    return Problem(file=file, message=message, id="unreadable")


# Writing


def _as_text(problems: Iterable["Problem"]) -> None:
    from emulator.core.errors import as_text  # noqa: PLC0415

    for problem in problems:
        click.echo(as_text(problem))


def _as_json(problems: Iterable["Problem"]) -> None:
    from emulator.core.errors import as_json  # noqa: PLC0415

    click.echo(json.dumps([as_json(problem) for problem in problems], indent=2))


def _as_github(problems: Iterable["Problem"]) -> None:
    from emulator.core.errors import as_github  # noqa: PLC0415

    for problem in problems:
        click.echo(as_github(problem))


_FORMS: Mapping[str, Callable[[Iterable["Problem"]], None]] = {
    "text": _as_text,
    "json": _as_json,
    "github": _as_github,
}
