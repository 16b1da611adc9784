"""Scenarios as requests bring them: read, or refused with every mistake, as the command line tells them."""

from collections.abc import Sequence
from typing import Final

from emulator.control.problems import Problem as Refusal
from emulator.control.problems import bad_request
from emulator.core.errors import Problem, ScenarioError, as_line, as_text
from emulator.messages.problem import Mistake
from emulator.scenario_file import Loaded, load_text, nodes
from emulator.scenario_file.nodes import Broken, Mapping, Scalar
from emulator.scenario_file.report import Report

SOURCE: Final = "request"
"""What messages call the text of a request, where those of the command line name its file."""
_ADDRESS_OF_ACTIVE: Final = "active"
_LONGEST_SOURCE: Final = 500
"""Of a longer line the beginning is enough."""
_LONGEST_TEXT: Final = 64 * 1024


def loaded_from(document: str, name: str | None) -> Loaded:
    """The scenario in a request's body, under the name that the request says or, where it doesn't, the text.

    Raises:
        Problem: with every mistake.
    """
    try:
        loaded = load_text(document, name or "", SOURCE)
    except ScenarioError as error:
        problems = error.problems if name else _without_name(document)
        raise _refusal(problems) from None
    if name is not None and loaded.scenario.name != name:
        raise _refusal([_misnamed(document, name, loaded.scenario.name)])
    if loaded.scenario.name == _ADDRESS_OF_ACTIVE:
        message = f"{_ADDRESS_OF_ACTIVE!r} is where the scenario in force is found, /__admin/scenarios/active"
        raise bad_request([Mistake(where="name", message=message, hint="choose another name")])
    return loaded


def _without_name(document: str) -> tuple[Problem, ...]:
    """The mistakes of a text for which the request has no name; if it has none, that is one of them."""
    missing = Problem(
        file=SOURCE,
        path="name",
        message="the scenario has no name",
        hint="add a line such as name: slow-queue to it, or ?name=slow-queue to the URL",
        id="missing-name",
    )
    try:
        load_text(document, "nameless", SOURCE)
    except ScenarioError as error:
        return (*error.problems, missing) if _name_key(document) is None else error.problems
    return (missing,)


def _name_key(document: str) -> Scalar | Broken | None:
    """Where the text says its name; ``None``: it doesn't."""
    try:
        root = nodes.read(document, Report(SOURCE, ""))
    except ScenarioError:
        return Broken(0, 0)  # what it says can't be told
    pairs = root.pairs if isinstance(root, Mapping) else ()
    return next((key for key, _ in pairs if key.text == "name"), None)


def _misnamed(document: str, wanted: str, said: str) -> Problem:
    report = Report(SOURCE, document)
    message = f"the request calls the scenario {wanted!r}, and the text calls it {said!r}"
    return report.problem("other-name", _name_key(document), ("name",), message, "leave one of the two out")


def _refusal(problems: Sequence[Problem]) -> Refusal:
    """The refusal of a text with mistakes, all of them, as the command line tells them."""
    count = len(problems)
    told = as_line(problems[0]) if count == 1 else f"{count} mistakes, the first: {as_line(problems[0])}"
    return Refusal(
        400,
        "The scenario has mistakes" if count > 1 else "The scenario has a mistake",
        told,
        mistakes=[mistake_of(problem) for problem in problems],
        text="\n".join(map(as_text, problems))[:_LONGEST_TEXT],
    )


def mistake_of(problem: Problem) -> Mistake:
    """A problem of a scenario's text as problem documents tell it."""
    return Mistake(
        where=problem.path,
        message=problem.message,
        hint=problem.hint,
        id=problem.id,
        line=problem.line or None,
        column=problem.column or None,
        source=None if problem.source is None else problem.source[:_LONGEST_SOURCE],
    )
