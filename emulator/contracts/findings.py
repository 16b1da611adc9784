"""What differs between an answer and a contract: typed, weighed, and without a value that might be a secret."""

import re
from typing import Any, Final, Literal

import msgspec

from emulator.contracts.contract import Confidence
from emulator.core.words import Profile

Kind = Literal[
    "field added",
    "field removed",
    "type changed",
    "new word",
    "format changed",
    "value changed",
    "status code",
    "header",
    "timing",
    "behaviour",
]
Severity = Literal["error", "warning", "notice"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "notice")
"""From the gravest to the slightest. An error breaks clients that go by the provider's documents."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that isn't as the contract says."""

    kind: Kind
    severity: Severity
    operation: str
    outcome: str
    """What the answer was taken for, such as ``completed`` or ``not_found``."""
    member: str
    """Dotted, ``[]`` for the items of a list; ``header NAME``; empty: the answer as a whole."""
    expected: str
    got: str
    place: str
    """File and line of the contract that say so, such as ``emulator/contracts/octopusx.yaml:57``."""
    source: str
    confidence: Confidence
    profile: Profile

    @property
    def id(self) -> str:
        """What a baseline accepts it by: the same in every run, whatever the values, wherever it was seen."""
        member = self.member.removeprefix("items[].")
        is_shared = member.startswith("header ")
        where = "" if is_shared else self.operation if member else f"{self.operation} {self.outcome}".strip()
        got = "" if self.kind in _VARYING else re.sub(r"of [0-9]+ characters", "of some length", self.got)
        return ": ".join(part for part in (where, member, self.kind, got) if part)

    @property
    def sentence(self) -> str:
        """What was expected and what came."""
        where = f"{self.member}: " if self.member else ""
        return f"{where}expected {self.expected}, got {self.got}"


_VARYING: Final = frozenset({"behaviour", "timing", "value changed", "format changed"})
"""Kinds of which what came differs from run to run."""
_GRAVITY: Final[dict[Kind, Severity]] = {
    "field added": "notice",
    "field removed": "error",
    "type changed": "error",
    "new word": "error",
    "format changed": "warning",
    "value changed": "warning",
    "status code": "error",
    "header": "warning",
    "timing": "error",
    "behaviour": "error",
}
_MOST: Final[dict[Confidence, Severity]] = {
    "documented": "error",
    "inferred": "warning",
    "our choice": "notice",
}
"""What no document says can't be broken as badly."""


def weighed(
    kind: Kind, confidence: Confidence, at_most: Severity = "error", gravity: Severity | None = None
) -> Severity:
    """How grave a finding of this kind is, where what it differs from is known so well.

    Args:
        kind: what it is.
        confidence: of what the contract says.
        at_most: what the contract says that it weighs at the most.
        gravity: what it says that it weighs by itself, in place of what its kind does.
    """
    return max((gravity or _GRAVITY[kind], _MOST[confidence], at_most), key=SEVERITIES.index)


# Values in words, none of which can hold a key, an id or a link


_WORD: Final = r"[A-Za-z][A-Za-z_.-]{0,39}"
_NAME: Final = r"(?=(?:[^0-9]*[0-9]){0,4}[^0-9]*$)[A-Za-z_][A-Za-z0-9_]{0,39}"
"""As programs name members. With more digits, or a hyphen, it may be a key or an id."""
_KINDS: Final = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


def in_words(value: Any) -> str:
    """A value as a finding shows it: a word as it is, of everything else only what it is."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return text_in_words(value)
    return _KINDS.get(type(value), "something else")


def text_in_words(text: str) -> str:
    """A text of letters as it is, another by its length."""
    if re.fullmatch(_WORD, text):
        return f"{text!r}"
    return f"a text of {len(text)} characters" if text else "an empty text"


def name_in_words(name: str) -> str:
    """The name of a member, if it is one that programs would give."""
    return name if re.fullmatch(_NAME, name) else f"<a name of {len(name)} characters>"
