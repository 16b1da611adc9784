"""Refusals."""

from typing import Any

import msgspec


class Mistake(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong in a request or in a scenario."""

    where: str
    """The field, or the way to it through the document."""
    message: str
    """What was expected, and what came."""
    hint: str | None = None
    """The likely repair."""
    id: str | None = None
    """A stable word for the kind of mistake, in a scenario."""
    line: int | None = None
    column: int | None = None
    source: str | None = None
    """The line of the scenario that it stands in."""


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused (RFC 9457). Nothing has changed."""

    title: str
    status: int
    detail: str
    """In a sentence: what was expected, what came, what would work."""
    mistakes: list[Mistake] | None = None
    """Every single one, where there may be several."""
    names: list[str] | None = None
    """What there is, where a name was unknown."""
    text: str | None = None
    """The mistakes as the command line prints them, with lines and carets."""


Json = Any
"""Any JSON value."""
