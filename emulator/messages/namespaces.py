"""Namespaces."""

from typing import Literal

import msgspec

from emulator.messages.clock import ClockState
from emulator.messages.health import Counts


class Reset(msgspec.Struct, frozen=True, kw_only=True):
    """That a namespace has begun anew."""

    reset: bool
    clock: ClockState


class NamespaceState(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace, and how clients get into it."""

    name: str
    prefix: str
    """What stands before every path of it; empty for the default one."""
    key_prefix: str
    """An API key that begins so lives in it: ``sk-ns-NAME--`` and anything behind that."""
    base_urls: dict[str, str]
    """By provider."""
    scenario: str
    """The one in force."""
    activated_at: str
    """Since when it is, by the namespace's clock."""
    seed: int | str
    """What its draws are keyed by: the scenario's own, else the one that the namespace was made with."""
    profile: Literal["documented", "current"]
    """The providers' face that it shows: likewise."""
    clock: ClockState
    tasks: Counts
    requests: Counts
    """In its journal."""
    idle: str | None
    """How long nobody has spoken to it, in real time; ``None``: the default one, which is never given up."""


class NamespaceList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the namespaces: the default one, then the others by name."""

    namespaces: list[NamespaceState]
    total: int
    """How many there are on all pages."""


class NamespaceDropped(msgspec.Struct, frozen=True, kw_only=True):
    """That a namespace is gone, with all that was in it."""

    name: str
    dropped: bool
