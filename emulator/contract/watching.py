"""Tasks, looked at until they end: their answers, the order of their statuses, progress and dates."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from emulator.contract.calling import Came, Unreachable
from emulator.contract.evidence import Timing
from emulator.contract.session import TIME_IS_UP, NotNow, Session
from emulator.contracts.findings import text_in_words
from emulator.core.units import MINUTE, SECOND, Duration, Instant, parse_instant
from emulator.core.words import TERMINAL, OperationName, Status
from emulator.providers.base import Sighting

_SKEW: Final[Duration] = 5 * MINUTE
"""How far a provider's clocks may be apart from one another."""
_LONG_AGO: Final[Instant] = parse_instant("2020-01-01T00:00:00Z")
"""Before any of the four services was there."""
_LOOKS_GIVEN: Final = 2
LOOKS_AFTER_END: Final = 3
_RANK: Final = {Status.QUEUED: 0, Status.PROCESSING: 1}
_TRIES: Final = 3
"""Looks at a task that was just made and isn't known yet, or that can't be read, before that counts."""
_REFUSED: Final = frozenset({401, 402})


class Seen(msgspec.Struct, frozen=True):
    """One look."""

    now: Instant
    """By the provider's own clock, as far as it tells."""
    sighting: Sighting
    at: Duration
    """How long after the first look, in real time."""


class Watched(msgspec.Struct, kw_only=True):
    """One task."""

    id: str
    is_own: bool
    begun: Duration = 0
    seen: list[Seen] = []
    is_unknown: bool = False
    """Whether there is no use in looking at it again."""
    looks: int = 0
    unreadable: int = 0
    silent: int = 0
    """Looks in a row that got no answer."""

    @property
    def last(self) -> Sighting | None:
        """What the last look showed."""
        return self.seen[-1].sighting if self.seen else None

    @property
    def has_ended(self) -> bool:
        """Whether it has, also where the word for it is none that anybody knows."""
        last = self.last
        return last is not None and (
            last.status in TERMINAL or (last.status is None and last.link is not None)
        )


async def look(session: Session, task: Watched, since: Duration) -> Came | None:
    """One look, written down; ``None``: the task isn't known, or no answer came."""
    task.looks += 1
    try:
        came = await session.ask("status", session.dialect.poll(task.id))
    except (Unreachable, NotNow) as problem:
        _note_silence(session, task, str(problem))
        return None
    task.silent = 0
    sighting = session.dialect.provider.sighted(came.response.body)
    if sighting is None and came.response.status_code in _REFUSED:
        session.forget_last()
        session.trouble(f"the key was refused in mid-run ({came.response.status_code})")
        task.is_unknown = True
        return None
    if sighting is None and _is_unknown(came):
        session.forget_last()
        _note_unknown(session, task)
        return None
    if sighting is None:
        _note_unreadable(session, task)
    seen = Sighting(id=task.id) if sighting is None else sighting
    task.seen.append(Seen(came.now, seen, since))
    progress = "" if seen.progress is None else f", {seen.progress}%"
    word = session.dialect.hide(shown_word(seen))
    session.tell(f"{session.dialect.hide(task.id)}, look {len(task.seen)}: {word}{progress}")
    session.found(
        "same-task", OperationName.POLL, None if seen.id == task.id else "another task's id, or none"
    )
    return came


def shown_word(seen: Sighting) -> str:
    """What a look showed: the provider's word, if it is one, else what it means."""
    if seen.word is not None:
        return text_in_words(seen.word).strip("'")
    return "a status that can't be read" if seen.status is None else str(seen.status)


def _note_silence(session: Session, task: Watched, problem: str) -> None:
    """A look without an answer: the next one may have one."""
    task.silent += 1
    session.tell(f"{session.dialect.hide(task.id)}: {problem}")
    if task.silent >= _TRIES or session.time_left <= 0 or not task.is_own:
        task.is_unknown = True
        session.trouble(problem)


def _is_unknown(came: Came) -> bool:
    return came.response.status_code in {400, 403, 404, 410} or came.response.body == {}


def _note_unknown(session: Session, task: Watched) -> None:
    task.is_unknown = not task.is_own or task.looks >= _TRIES
    if task.is_unknown:
        told = f"the task that was made, {task.id}," if task.is_own else f"task {task.id}"
        session.trouble(
            f"{told} isn't known with this key: it may be another account's, or no longer kept; "
            "its checks are left out"
        )


def _note_unreadable(session: Session, task: Watched) -> None:
    """An answer that is no task any more, whose end nobody would see."""
    task.unreadable += 1
    if task.unreadable >= _TRIES:
        task.is_unknown = True
        session.trouble("a task's answers can't be read as a task; nobody would see its end: see the drift")


async def look_at_given(session: Session, tasks: Sequence[Watched]) -> None:
    """Two looks at each task that was named: to see them, and that nothing moves backwards."""
    for number in range(_LOOKS_GIVEN):
        known = [task for task in tasks if not task.is_unknown]
        if number and known:
            await session.pause(session.means.interval)
        if session.time_left <= 0:
            session.trouble(TIME_IS_UP)
            return
        for task in known:
            await look(session, task, 0)
            session.keep()


def judge(session: Session, tasks: Sequence[Watched]) -> None:
    """What all looks together show."""
    seen = [task for task in tasks if task.seen]
    for task in seen:
        session.found("status-order", OperationName.POLL, _order_broken(task))
        session.found("timestamps", OperationName.POLL, _dates_broken(task))
        if "progress" in session.behaviours:
            session.found("progress", OperationName.POLL, _progress_broken(task))


def _order_broken(task: Watched) -> str | None:
    before: Status | None = None
    for look_ in task.seen:
        status = look_.sighting.status
        if status is None:
            continue
        if before in TERMINAL and status is not before:
            return f"{status} after {before}, which is an end"
        if before is not None and _RANK.get(status, 2) < _RANK.get(before, 2):
            return f"{status} after {before}"
        before = status
    return None


def _progress_broken(task: Watched) -> str | None:
    before = 0
    for look_ in task.seen:
        progress = look_.sighting.progress
        if progress is None or look_.sighting.status in TERMINAL:
            continue
        if not 0 <= progress <= 100:
            return f"{progress}"
        if progress < before:
            return f"{progress} after {before}"
        before = progress
    return None


def _dates_broken(task: Watched) -> str | None:
    first = task.seen[0].sighting
    for look_ in task.seen:
        told = _date_broken(look_) or _moved(first, look_.sighting)
        if told is not None:
            return told
    ends = {look_.sighting.ended_at for look_ in task.seen if look_.sighting.ended_at is not None}
    return "an end that changes between two looks" if len(ends) > 1 else None


def _moved(first: Sighting, later: Sighting) -> str | None:
    if None not in (first.created_at, later.created_at) and first.created_at != later.created_at:
        return "a creation that changes between two looks"
    return None


def _date_broken(look_: Seen) -> str | None:
    seen, latest = look_.sighting, look_.now + _SKEW
    if seen.created_at is not None and seen.created_at < _LONG_AGO:
        return "a creation long before the service was there: seconds are expected, of Unix"
    for name, instant in (("creation", seen.created_at), ("end", seen.ended_at)):
        if instant is not None and instant > latest:
            return f"{'an' if name == 'end' else 'a'} {name} in the future: seconds are expected, of Unix"
    order = [instant for instant in (seen.created_at, seen.ended_at, seen.dies_at) if instant is not None]
    # Dates of a second and of a thousandth stand side by side.
    return None if all(b >= a - SECOND for a, b in pairwise(order)) else "another order"


def timing_of(task: Watched) -> Timing:
    """When each status was first seen."""
    first: dict[str, Duration] = {}
    for look_ in task.seen:
        first.setdefault(shown_word(look_.sighting), look_.at)
    return Timing(task=task.id, statuses=tuple(first.items()))
