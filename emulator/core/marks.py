"""Marks: the names under which coverage remembers that a client has met a part of a scenario.

Each begins with the scenario's version, ``NAME@DIGEST``, so that an edited scenario begins anew.
"""

from typing import Final

from emulator.core.plan import Entry
from emulator.core.words import Status

_ENTRY: Final = " entry "
_UNFITTED: Final = f"{_ENTRY}-1."


def entry(version: str, item: int, choice: int, index: int) -> str:
    """That an entry of a timeline was shown. ``item`` -1: the happy path, where no item took the task."""
    return f"{version}{_ENTRY}{item}.{choice}.{index}"


def expiry(entry_mark: str) -> str:
    """That a result was asked for when the link of this entry had died. The argument is the mark of the entry."""
    return _about(entry_mark, "expiry")


def expired(entry_mark: str) -> str:
    """That a dead link answered what the author of this entry says. The argument is the mark of the entry."""
    return _about(entry_mark, "expired")


def _about(entry_mark: str, what: str) -> str:
    version, _, place = entry_mark.rpartition(_ENTRY)
    return f"{version} {what} {place}"


def rule(version: str, rule_id: str) -> str:
    """That a rule held and did something."""
    return f"{version} rule {rule_id}"


def rejection(version: str, number: int) -> str:
    """That an item of ``auth.reject`` refused a key."""
    return f"{version} rejection {number}"


def limit(version: str, number: int) -> str:
    """That an item of ``limits`` refused a call."""
    return f"{version} limit {number}"


def unknown_key(version: str) -> str:
    """That none of ``auth.keys`` fitted a key."""
    return f"{version} unknown-key"


def version_of(mark: str) -> str:
    """The version of the scenario that the mark is about."""
    return mark.partition(" ")[0]


def is_unfitted(mark: str) -> bool:
    """Whether the mark is about a task that no item of its scenario took."""
    return _UNFITTED in mark


def can_expire(entry: Entry) -> bool:
    """Whether the death of the entry's link is part of the story: its author says when, or what is answered then.

    A link that dies a day after the creation, as every link does of which nothing is said, is no such part, and
    nor is one that the emulator doesn't serve.
    """
    video = entry.video
    if entry.status is not Status.COMPLETED or video is None or not video.has_link or video.url is not None:
        return False
    return video.expires_in is not None or video.expired is not None
