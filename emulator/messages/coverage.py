"""What clients have met of the scenarios, and what they haven't."""

from typing import Literal

import msgspec

Kind = Literal["status", "entry", "choice", "rule", "rejection", "limit", "error", "expiry"]
"""What a part of a scenario is.

A ``status`` that its timelines have; an ``entry`` of one; a ``choice``, where a task has several timelines; a ``rule``;
a ``rejection``, which is an item of ``auth.reject`` or the refusal of a key that ``auth.keys`` lacks; a ``limit``; an
``error`` that a rule, a rejection, a limit, a failed entry or a dead link answers; an ``expiry``, the death of a link.
"""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many parts there are, and how many of them clients have met."""

    total: int
    touched: int
    percent: int
    """Rounded down, so that 100 means all; 0 where there are none."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a scenario."""

    kind: Kind
    place: str
    """The way to it through the file, such as ``tasks[0].choices[1].timeline[2]``; as if written out, where the file
    leaves it out. Of a status or an error, where it first stands."""
    line: int | None
    """Of the task item or the rule that it stands in or is; ``None``: the file has none."""
    what: str
    """In words."""
    about: str | None
    """What its author says of it."""
    touched: bool


class ScenarioCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """One version of one scenario. An edited one is another version, and begins anew."""

    name: str
    digest: str
    """What tells the version from others of this name."""
    source: str | None
    """The file that it came from; ``None``: none."""
    about: str | None
    overall: Share
    kinds: dict[Kind, Share]
    """By kind; those of which the scenario has none are left out."""
    parts: list[Part]


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What clients have met of the scenarios, of all together and of each."""

    namespace: str | None
    """The one that was asked about; ``None``: the whole process, with what namespaces met that are gone."""
    overall: Share
    kinds: dict[Kind, Share]
    scenarios: list[ScenarioCoverage]
    """By name; of several versions the newest first."""
