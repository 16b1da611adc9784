"""Verification: whether clients did what a test expects of them."""

import msgspec


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the pattern asks, held against one request."""

    criterion: str
    expected: str
    got: str
    holds: bool | None
    """``None``: unknown, because what it asks for wasn't kept whole."""


class NearRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is nearly what was asked for."""

    number: int
    """Of its entry in the journal."""
    method: str
    path: str
    status_code: int
    criteria: list[Criterion]


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an expectation."""

    verified: bool
    expected: str
    """How many requests were expected, in words."""
    count: int
    """How many there were."""
    numbers: list[int]
    """The entries that were counted, at most the latest hundred of them."""
    undecided: int
    """How many more may have to be counted: what was asked of them wasn't kept whole."""
    dropped: int
    """How many more may have to be counted: they were dropped from the journal."""
    nearest: list[NearRequest]
    """Where there were too few: what came nearest, the nearest first; empty where nothing was near."""
    notes: list[str]
    """Why the count isn't certain, in sentences."""
    text: str
    """All of it for people."""
