"""Where the polls of a task fell."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

import msgspec

from emulator.core.units import Duration, parse_instant
from emulator.embedded.story.words import length
from emulator.messages.requests import Entry
from emulator.messages.tasks import TaskDetail, TaskEntry

_MOST: Final = 7
"""How many places are told of one entry."""
_LAST: Final = 2
_RHYTHM: Final = 4
"""So many polls at equal distances are told as one."""


class Poll(msgspec.Struct, frozen=True):
    """One poll of a task."""

    at: Duration
    """Since the task's creation."""
    answered: str
    """What it was answered in place of the task, such as ``429``; empty: the task."""


class _Place(msgspec.Struct, frozen=True):
    """Polls at one instant that were answered alike."""

    poll: Poll
    count: int


def falls(task: TaskDetail, requests: Sequence[Entry]) -> list[list[Poll]]:
    """The polls of a task, those of each entry of its timeline.

    Args:
        task: whose they are.
        requests: oldest first.
    """
    created = parse_instant(task.created_at)
    found: list[list[Poll]] = [[] for _ in task.timeline]
    begun = [
        (number, entry, parse_instant(entry.begins_at))
        for number, entry in enumerate(task.timeline)
        if entry.begins_at is not None and entry.state in {"past", "present"}
    ]
    for request in requests if begun else ():
        if not _polls(request, task):
            continue
        at = parse_instant(request.at)
        number = _entered(begun, task.id, request)
        if number is None:
            number = next((number for number, _, begins in reversed(begun) if begins <= at), begun[0][0])
        is_plain = request.why.stage == "timeline"
        found[number].append(Poll(at - created, "" if is_plain else str(request.answer.status_code)))
    return found


def _polls(request: Entry, task: TaskDetail) -> bool:
    is_of_it = request.operation == "poll" and request.provider == task.provider
    return is_of_it and any(shown.id == task.id for shown in request.tasks)


def _entered(begun: Sequence[tuple[int, TaskEntry, int]], task_id: str, request: Entry) -> int | None:
    """The number of the entry that the poll showed: the one that it ends begins where the next one does, too."""
    shown = next(shown.entry for shown in request.tasks if shown.id == task_id)
    if shown is None:
        return None
    entered = parse_instant(shown.entered_at)
    fitting = [
        (number, entry)
        for number, entry, begins in begun
        if begins == entered and entry.status == shown.status
    ]
    exact = (number for number, entry in fitting if entry.place == shown.index)
    return next(exact, fitting[-1][0] if fitting else None)


def in_words(polls: Sequence[Poll]) -> str:
    """Where they fell: ``polls at 0s, 5s x12, 10s (429)``; empty: there were none."""
    if not polls:
        return ""
    places = [_Place(poll, len(list(alike))) for poll, alike in groupby(polls)]
    pieces = list(_pieces(places))
    if len(pieces) > _MOST:
        left_out = len(pieces) - _MOST
        pieces[_MOST - _LAST : -_LAST] = [f"({left_out} more)"]
    return f"{'poll' if len(polls) == 1 else 'polls'} at {', '.join(pieces)}"


def _pieces(places: Sequence[_Place]) -> Iterator[str]:
    first = 0
    while first < len(places):
        size = _rhythmic(places, first)
        if size >= _RHYTHM:
            yield _rhythm(places[first : first + size])
            first += size
        else:
            yield _one(places[first])
            first += 1


def _rhythmic(places: Sequence[_Place], first: int) -> int:
    """How many from there on are alike, and at equal distances."""
    one = places[first]
    size = 1
    for before, place in zip(places[first:], places[first + 1 :], strict=False):
        is_alike = (place.count, place.poll.answered) == (one.count, one.poll.answered)
        if not is_alike or place.poll.at - before.poll.at != places[first + 1].poll.at - one.poll.at:
            break
        size += 1
    return size


def _rhythm(places: Sequence[_Place]) -> str:
    first, second, last = places[0].poll, places[1].poll, places[-1].poll
    each = f"{length(first.at)} to {length(last.at)} every {length(second.at - first.at)}"
    return f"{each} (x{sum(place.count for place in places)}{_answered(first, ', ')})"


def _one(place: _Place) -> str:
    several = f" x{place.count}" if place.count > 1 else ""
    answered = _answered(place.poll, "")
    return f"{length(place.poll.at)}{several}{f' ({answered})' if answered else ''}"


def _answered(poll: Poll, before: str) -> str:
    return f"{before}{poll.answered}" if poll.answered else ""
