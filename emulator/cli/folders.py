"""The folder of scenario files that an option or a variable names."""

from pathlib import Path

import click

from emulator.cli import options
from emulator.core.errors import Problem, ScenarioError
from emulator.library import SUFFIXES, Library, files_in


def library(ctx: click.Context, name: str | None) -> tuple[Library, list[Problem]]:
    """The shipped scenarios with those of the folder, and what is wrong with its files.

    What is wrong with the folder itself is among the options' mistakes.
    """
    if name is None:
        return Library(), []
    folder = Path(name)
    by_variable = options.is_from_environment(ctx, "scenarios")
    objection = _objection(folder, by_variable)
    if objection is not None:
        option = options.named(ctx, "scenarios")
        found = f"{option}: expected a folder of scenario files, got {name!r}: {objection}"
        options.mistakes(ctx).append(found)
    elif folder.exists():
        try:
            return Library(folder), []
        except ScenarioError as error:
            return Library(), list(error.problems)
    return Library(), []


def _objection(folder: Path, by_variable: bool) -> str | None:
    """What is wrong with the folder. The variable's may be missing or empty: the Docker image always sets it."""
    if folder.is_file():
        return "this is a file; --scenario takes files"
    try:
        files = files_in(folder)
    except FileNotFoundError as problem:
        return None if by_variable else problem.strerror
    except OSError as problem:
        return problem.strerror
    if not files and not by_variable:
        return f"no file in it ends in {', '.join(SUFFIXES)}"
    return None
