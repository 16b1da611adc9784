"""What no single answer shows: how answers follow one another, and what links do."""

from functools import cache
from typing import Any

import msgspec

from emulator.contracts.contract import Confidence
from emulator.contracts.findings import Finding, Kind, weighed
from emulator.contracts.reading import PLACE, file_named
from emulator.core.words import Profile


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a provider does."""

    name: str
    providers: tuple[str, ...]
    kind: Kind
    expected: str
    confidence: Confidence
    source: str
    place: str


@cache
def behaviours_of(provider: str) -> dict[str, Behaviour]:
    """What a provider is known to do, by name."""
    found = map(_behaviour, file_named("behaviours")["behaviours"])
    return {behaviour.name: behaviour for behaviour in found if provider in behaviour.providers}


def _behaviour(told: dict[str, Any]) -> Behaviour:
    values = {name: value for name, value in told.items() if name != PLACE}
    return Behaviour(place=told[PLACE], **{**values, "providers": tuple(told["providers"])})


def broken(behaviour: Behaviour, operation: str, got: str, profile: Profile) -> Finding:
    """The finding that the provider does otherwise.

    Args:
        behaviour: what it should do.
        operation: in answers to which operation that shows.
        got: what came, in words that hold no value.
        profile: by which it is judged.
    """
    return Finding(
        kind=behaviour.kind,
        severity=weighed(behaviour.kind, behaviour.confidence),
        operation=operation,
        outcome=behaviour.name,
        member="",
        expected=behaviour.expected,
        got=got,
        place=behaviour.place,
        source=behaviour.source,
        confidence=behaviour.confidence,
        profile=profile,
    )
