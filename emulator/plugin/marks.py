"""What a test's markers ask for."""

from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any, Final

import msgspec
import pytest

from emulator.core.units import parse_duration
from emulator.plugin.refusals import refused
from emulator.plugin.settings import findings_in

_SCENARIO: Final = "scenario"
_FAST_FORWARD: Final = "fast_forward"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the markers ``scenario`` of a test, its class and its module say; ``None``: nobody says."""

    what: Any = None
    beginning: dict[str, Any]
    """The other arguments that a world is made with, less what nobody says."""
    findings: frozenset[str] | None
    """What else shall fail the test."""


def _scenario(
    what: Any = None,
    *,
    clock: Any = None,
    start: Any = None,
    seed: Any = None,
    profile: Any = None,
    fail_on: Any = None,
) -> dict[str, Any]:
    fields = {
        "what": what,
        "clock": clock,
        "start": start,
        "seed": seed,
        "profile": profile,
        "fail_on": fail_on,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _fast_forward(limit: Any = "6h") -> dict[str, Any]:
    return {"limit": limit}


TAKEN: Final[dict[str, Callable[..., dict[str, Any]]]] = {_SCENARIO: _scenario, _FAST_FORWARD: _fast_forward}
"""The arguments of each marker."""


def wanted(item: pytest.Item) -> Wanted:
    """What a test asks for, of each argument what the closest marker says.

    Fails the test where a marker has an argument that it doesn't take.
    """
    fields: dict[str, Any] = {}
    for said in _said(item, _SCENARIO):
        fields = {**said, **fields}
    what, fail_on = fields.pop("what", None), fields.pop("fail_on", None)
    try:
        findings = None if fail_on is None else findings_in(fail_on)
    except ValueError as problem:
        raise refused(f"@pytest.mark.scenario: fail_on: {problem}") from None
    return Wanted(what=what, beginning=fields, findings=findings)


def limit_of(item: pytest.Item) -> str | None:
    """How much a test may sleep by its marker ``fast_forward``; ``None``: it has none.

    Fails the test where the marker is wrong.
    """
    limit = next((said["limit"] for said in _said(item, _FAST_FORWARD)), None)
    if limit is None:
        return None
    try:
        parse_duration(limit)
    except (TypeError, ValueError):
        told = f'expected a duration such as "6h", got {limit!r}'
        raise refused(f"@pytest.mark.fast_forward: limit: {told}") from None
    return str(limit)


def is_own_fast_forward(item: pytest.Item) -> bool:
    """Whether the test itself has the marker, not its class or its module."""
    return any(mark.name == _FAST_FORWARD for mark in item.own_markers)


def _said(item: pytest.Item, name: str) -> Iterator[dict[str, Any]]:
    """What each marker of this name says, the closest first."""
    take = TAKEN[name]
    for mark in item.iter_markers(name):
        try:
            signature(take).bind(*mark.args, **mark.kwargs)
        except TypeError as problem:
            told = f"{problem}; it takes {', '.join(signature(take).parameters)}"
            raise refused(f"@pytest.mark.{name}: {told}") from None
        yield take(*mark.args, **mark.kwargs)
