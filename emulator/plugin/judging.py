"""What fails a test besides its own assertions."""

from collections.abc import Callable, Iterable
from typing import Final

import pytest

from emulator.client.errors import EmulatorError, NotWellBehaved
from emulator.embedded.emulators import Emulator
from emulator.messages.coverage import Part
from emulator.plugin.marks import wanted
from emulator.plugin.refusals import refused
from emulator.plugin.session import session_of
from emulator.plugin.settings import FINDINGS

_SHOWN: Final = 10
_WRITTEN: Final = frozenset({"entry", "choice", "rule", "limit"})
"""What an author writes into a file, beside rejections; statuses, errors and expiries follow from it."""
_UNASKED: Final = "happy-path"
"""What is in force where nobody names a scenario, and so nobody has written for the test."""


def judge(item: pytest.Item) -> None:
    """Fail a test, which did well by itself, for all that was asked for by its marker or the settings."""
    emulator: Emulator = item.funcargs["video_emulator"]  # type: ignore[attr-defined] # of every kind that has fixtures
    asked = wanted(item).findings
    findings = session_of(item.config).settings.fail_on if asked is None else asked
    try:
        told = [text for name in FINDINGS if name in findings and (text := _CHECKS[name](emulator))]
    except EmulatorError as problem:
        raise refused(f"fail_on: {problem}") from None
    if told:
        raise refused("\n\n".join(told)) from None


def _unused(emulator: Emulator) -> str:
    """What of the scenario in force the test never met."""
    active = emulator.scenarios.active().name
    covered = emulator.coverage(namespace=emulator.name, scenarios="all")
    # Of several versions of a name the newest stands first.
    parts = next((one.parts for one in covered.scenarios if one.name == active != _UNASKED), [])
    missed = [part for part in parts if _is_written(part) and not part.touched]
    choices = tuple(f"{part.place}." for part in missed if part.kind == "choice")
    lines = [_line(part) for part in missed if not part.place.startswith(choices)]
    return _listed(f"unused: the test met only a part of the scenario {active}; it never came to", lines)


def _is_written(part: Part) -> bool:
    """Whether it stands in the file; a timeline that the file leaves out has no line there."""
    return part.kind == "rejection" or (part.kind in _WRITTEN and part.line is not None)


def _line(part: Part) -> str:
    # The text of a scenario that was given as keys and values is one line.
    place = f"{part.place} (line {part.line})" if part.line and part.line > 1 else part.place
    return f"{place}: {part.what}"


def _unexpected(emulator: Emulator) -> str:
    """What the client asked for that no provider has."""
    found = emulator.requests(matched=False).list()
    lines = [f"{entry.request.method} {entry.request.path}: {entry.answer.status_code}" for entry in found]
    return _listed("unexpected: the client sent requests that are no operation of a provider's", lines)


def _findings(emulator: Emulator) -> str:
    """What the report holds against the client."""
    try:
        emulator.assert_well_behaved()
    except NotWellBehaved as problem:
        return f"findings: {str(problem).strip()}"
    return ""


def _listed(head: str, lines: Iterable[str]) -> str:
    first, more = [*lines][:_SHOWN], [*lines][_SHOWN:]
    if not first:
        return ""
    rest = [f"and {len(more)} more"] if more else []
    return "\n  ".join([f"{head}:", *first, *rest])


_CHECKS: Final[dict[str, Callable[[Emulator], str]]] = {
    "unused": _unused,
    "unexpected": _unexpected,
    "findings": _findings,
}
