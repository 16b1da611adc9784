"""Scenarios."""

from typing import Literal

import msgspec

from emulator.messages.problem import Mistake

Origin = Literal["shipped", "file", "posted"]
"""``shipped`` with the emulator; of a ``file`` or a variable that the server was started with; ``posted`` to the
namespace, which alone has it."""


class ScenarioSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as lists show it."""

    name: str
    about: str | None
    providers: list[str]
    """Whom it speaks of; empty: all."""
    origin: Origin


class ScenarioList(msgspec.Struct, frozen=True, kw_only=True):
    """Every scenario that can be named, and which one is in force."""

    active: str
    scenarios: list[ScenarioSummary]


class ScenarioName(msgspec.Struct, frozen=True, kw_only=True):
    """The scenario that is in force."""

    name: str
    version: str
    """``NAME@DIGEST``; the digest is of the text, to the letter."""


class ScenarioState(ScenarioSummary, frozen=True, kw_only=True):
    """A scenario, and whether it is in force."""

    file: str | None
    """The file or the variable that it was read from; ``None``: it was posted."""
    version: str
    """``NAME@DIGEST``; the digest is of the text, to the letter."""
    active: bool
    """Whether a scenario of this name is in force."""
    active_version: str | None
    """Which version of it: another one where the text was replaced since. ``None``: another scenario is in force."""


class ScenarioText(ScenarioState, frozen=True, kw_only=True):
    """A scenario with the text that it was read from."""

    text: str


class ScenarioPosted(ScenarioState, frozen=True, kw_only=True):
    """A scenario that a namespace has taken."""

    namespace: str
    """The one that has it."""
    warnings: list[Mistake]
    """What may not be meant so. It was taken all the same."""


class ScenarioRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """That a namespace has a scenario no more."""

    name: str
    removed: bool
