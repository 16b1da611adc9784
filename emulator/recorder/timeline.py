"""One run as a timeline: what its polls showed, and when that changed."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from emulator.core.effects import Failure
from emulator.core.plan import DEFAULT_LINK_LIFE, Entry, floor_after
from emulator.core.units import HOUR, MILLISECOND, SECOND, Duration, Instant
from emulator.core.words import TERMINAL, ErrorName, OperationName, Status
from emulator.providers.base import Sighting
from emulator.recorder import dating, progress
from emulator.recorder.dating import Point
from emulator.recorder.disguise import Disguise
from emulator.recorder.runs import Run
from emulator.recorder.sheet import Sheet
from emulator.recorder.stretches import Json, Stretch, Video

_ABOUT_A_DAY: Final = 2 * SECOND
_POLL_AFTER: Final = b"openai-poll-after-ms"
_FAILURES: Final = (
    ErrorName.CONTENT_REJECTED,
    ErrorName.INTERNAL,
    *(name for name in ErrorName if name not in {ErrorName.CONTENT_REJECTED, ErrorName.INTERNAL}),
)
_ENDS: Final = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
_LONGEST_WORD: Final = 64


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer showed of the task."""

    act: int
    at: Duration
    """Since the task's creation."""
    sighting: Sighting
    printed: Any
    is_poll: bool
    poll_after: Duration | None = None

    @property
    def state(self) -> tuple[Any, ...]:
        """What makes two looks one state."""
        seen = self.sighting
        return (seen.status, seen.word, seen.link is not None, seen.code, seen.message, self.poll_after)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A run's timeline."""

    stretches: tuple[Stretch, ...]
    created_at: Instant
    """By the recorder's clock."""
    has_ended: bool
    had_to_yield: bool = False
    """Whether a status that ends a task was followed by another one."""


class _Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Looks in a row that showed one state."""

    status: Status
    looks: tuple[Look, ...]
    begins: Duration
    ends: Duration | None
    by_polls: bool = False


def told(run: Run, sheet: Sheet, disguise: Disguise, since: Instant) -> Told:
    """The timeline of a run; ``since``: when the recording began."""
    created_at = _created_at(run, since)
    looks = _completed(list(_looks(run, created_at)))
    if not looks:
        nothing = Stretch(status=Status.QUEUED, stuck=True)
        return Told(stretches=(nothing,), created_at=created_at, has_ended=False)
    groups = [tuple(group) for _, group in groupby(looks, key=lambda look: look.state)]
    statuses = _statuses(groups, sheet)
    phases = _phases(run, groups, statuses)
    stretches: list[Stretch] = []
    floor = 0
    for phase in phases:
        stretches += _stretches(phase, phases, floor, sheet, disguise)
        floor = _floor(stretches, floor)
    return Told(
        stretches=_ended(stretches),
        created_at=created_at,
        has_ended=statuses[-1] in TERMINAL,
        had_to_yield=any(
            g[0].sighting.status in TERMINAL and status not in TERMINAL
            for g, status in zip(groups, statuses, strict=True)
        ),
    )


def _created_at(run: Run, since: Instant) -> Instant:
    made = run.made
    if made is not None:
        return made.at
    first = run.looks[0]
    assert first.shown is not None
    announced = first.shown.sighting.created_at
    return min(first.at, announced if announced is not None and announced > 0 else since)


def _looks(run: Run, created_at: Instant) -> Iterator[Look]:
    for number, act in enumerate(run.acts):
        if act.shown is None or act.at < created_at:
            continue
        hint = act.read.seen.answer_headers.get(_POLL_AFTER, b"")
        yield Look(
            act=number,
            at=act.at - created_at,
            sighting=act.shown.sighting,
            printed=act.shown.printed,
            is_poll=act.read.name is OperationName.POLL,
            poll_after=int(hint) * MILLISECOND if hint.isdigit() and len(hint) < 8 else None,
        )


def _completed(looks: list[Look]) -> list[Look]:
    """With what a create's answer leaves out: it prints neither links nor reasons, whatever became of the task."""
    if len(looks) < 2 or looks[0].is_poll:
        return looks
    first, second = looks[0].sighting, looks[1].sighting
    if (first.status, first.word) != (second.status, second.word):
        return looks
    whole = msgspec.structs.replace(second, progress=first.progress)
    return [msgspec.structs.replace(looks[0], sighting=whole, poll_after=looks[1].poll_after), *looks[1:]]


# Statuses


def _statuses(groups: Sequence[tuple[Look, ...]], sheet: Sheet) -> list[Status]:
    """The neutral status of each group; one that the language can't have there gives way."""
    found: list[Status] = []
    for number, group in enumerate(groups):
        later = [other[0].sighting.status for other in groups[number + 1 :]]
        found.append(_status(group[-1], found[-1] if found else None, later, sheet))
    return found


def _status(look: Look, before: Status | None, later: Sequence[Status | None], sheet: Sheet) -> Status:
    if before in TERMINAL:
        return before
    known = look.sighting.status
    if known is not None:
        is_last = known not in TERMINAL or all(status in {known, None} for status in later)
        return known if is_last else Status.PROCESSING
    waits = [Status.PROCESSING, Status.QUEUED]
    ends = [] if any(status not in TERMINAL | {None} for status in later) else list(_ENDS)
    # A word that nobody knows: the status that would be printed most like it.
    candidates = list(dict.fromkeys([*waits, *ends]))
    return min(candidates, key=lambda status: _distance(look, status, sheet))


def _distance(look: Look, status: Status, sheet: Sheet) -> int:
    seen = look.sighting
    failure = Failure(code=seen.code, message=seen.message) if status is Status.FAILED else None
    value = 0 if seen.progress is None else min(max(seen.progress, 0), 100)
    entry = Entry(status=status, word=seen.word, failure=failure, progress=value)
    return sheet.distance(look.printed, entry, floor=0, has_link=seen.link is not None)


# Times


def _phases(run: Run, groups: Sequence[tuple[Look, ...]], statuses: Sequence[Status]) -> list[_Phase]:
    ends: list[tuple[Duration, bool]] = []
    floor = 0
    for before, after, status in zip(groups, groups[1:], statuses[1:], strict=False):
        low, high = before[-1].at, after[0].at
        floor = max(floor, before[-1].sighting.progress or 0)
        is_end = status in TERMINAL and statuses[len(ends)] not in TERMINAL
        announced = _announced(after[0]) if is_end else None
        foreseen = None if status in TERMINAL else dating.begun(_points(after), floor)
        by_polls = low == high and any(look.is_poll for look in before)
        ends.append((dating.dated(low, high, announced, foreseen), by_polls))
    begins = [0, *(end for end, _ in ends)]
    phases = [
        _Phase(
            status=status,
            looks=group,
            begins=begins[number],
            ends=ends[number][0] if number < len(ends) else None,
            by_polls=number < len(ends) and ends[number][1],
        )
        for number, (group, status) in enumerate(zip(groups, statuses, strict=True))
    ]
    return _with_beginning(run, phases)


def _announced(look: Look) -> Duration | None:
    ended, created = look.sighting.ended_at, look.sighting.created_at
    return None if ended is None or created is None else ended - created


def _with_beginning(run: Run, phases: list[_Phase]) -> list[_Phase]:
    """With what nobody saw of a task that had ended when it was first shown: it can't have ended at its creation."""
    first = phases[0]
    look = first.looks[0]
    if first.status not in TERMINAL or look.at == 0:
        return phases
    announced = _announced(look)
    if run.existed and announced is None:
        return phases
    if announced is not None and announced <= 0:
        return phases
    end = dating.dated(0, look.at, announced, None)
    waiting = _Phase(status=Status.QUEUED, looks=(), begins=0, ends=end)
    return [waiting, msgspec.structs.replace(first, begins=end), *phases[1:]]


def _points(looks: Sequence[Look]) -> list[Point]:
    return [
        (look.at, min(max(look.sighting.progress, 0), 100))
        for look in looks
        if look.sighting.progress is not None
    ]


# Entries


def _stretches(
    phase: _Phase, phases: Sequence[_Phase], floor: int, sheet: Sheet, disguise: Disguise
) -> Iterator[Stretch]:
    base = _base(phase, phases, sheet, disguise)
    default = sheet.sighting(Entry(status=phase.status), floor=floor).progress or 0
    parts = progress.segments(_points(phase.looks), phase.begins, phase.ends, floor, default)
    begins = phase.begins
    for part in parts:
        ends = phase.ends if part.ends is None else part.ends
        acts = tuple(
            look.act
            for look in phase.looks
            if begins <= look.at and (part.ends is None or look.at < part.ends)
        )
        polls = sum(look.is_poll for look in phase.looks if look.act in acts)
        by_polls = phase.by_polls and part.ends is None and polls > 0
        yield msgspec.structs.replace(
            base,
            stays=None if ends is None or by_polls else (max(ends - begins, 1),) * 2,
            polls=polls if by_polls else None,
            progress=part.progress,
            acts=acts,
        )
        begins = begins if ends is None else ends


def _base(phase: _Phase, phases: Sequence[_Phase], sheet: Sheet, disguise: Disguise) -> Stretch:
    """What all entries of a phase share."""
    if not phase.looks:
        return Stretch(status=phase.status)
    look = phase.looks[-1]
    return Stretch(
        status=phase.status,
        word=_word(look, phase.status, sheet, disguise),
        video=_video(phase, phases) if phase.status is Status.COMPLETED else None,
        error=_error(look, sheet, disguise) if phase.status is Status.FAILED else None,
        poll_after=look.poll_after,
    )


def _word(look: Look, status: Status, sheet: Sheet, disguise: Disguise) -> str | None:
    word = look.sighting.word
    if word is None or word == sheet.sighting(Entry(status=status)).word:
        return None
    return disguise.code(word[:_LONGEST_WORD])


def _video(phase: _Phase, phases: Sequence[_Phase]) -> Video | None:
    seen = [look for look in phase.looks if look.sighting.link is not None]
    if not seen:
        return Video(has_link=False)
    completed = next(other.begins for other in phases if other.status is Status.COMPLETED)
    lives = [(look.at, life) for look in seen if (life := _dies(look)) is not None]
    if not lives or abs(lives[0][1] - DEFAULT_LINK_LIFE) <= _ABOUT_A_DAY:
        return None
    first, last = lives[0], lives[-1]
    if last[1] - first[1] > _ABOUT_A_DAY:  # each poll hands out a link of its own
        life = round((first[1] - first[0]) / SECOND) * SECOND
        return Video(expires_in=(max(0, life),) * 2, renew=True)
    life = max(0, first[1] - completed)
    return Video(expires_in=(life if life < HOUR else round(life / SECOND) * SECOND,) * 2)


def _dies(look: Look) -> Duration | None:
    """How long after the creation the link dies."""
    dies, created = look.sighting.dies_at, look.sighting.created_at
    return None if dies is None or created is None else dies - created


def _error(look: Look, sheet: Sheet, disguise: Disguise) -> Any:
    """Why it failed, in the fewest words that the provider would print alike."""
    candidates = list(_errors(look, disguise))
    value = look.sighting.progress
    progress = None if value is None else min(max(value, 0), 100)

    def distance(candidate: tuple[Any, Failure | None]) -> int:
        entry = Entry(status=Status.FAILED, word=look.sighting.word, failure=candidate[1], progress=progress)
        return sheet.distance(look.printed, entry, floor=0, has_link=False)

    return min(candidates, key=distance)[0]


def _errors(look: Look, disguise: Disguise) -> Iterator[tuple[Any, Failure | None]]:
    yield None, None
    for name in _FAILURES:
        yield name.value, Failure(name=name)
    seen = look.sighting
    message = disguise.text(seen.message or "")
    code = None if seen.code is None else disguise.code(seen.code)
    told: Json = {"message": message} if code is None else {"code": code, "message": message}
    yield told, Failure(code=code, message=message)
    yield {"message": message, "shape": "string"}, Failure(message=message, shape="string")


def _floor(stretches: Sequence[Stretch], floor: int) -> int:
    last = stretches[-1]
    return floor_after(floor, Entry(status=last.status, progress=last.progress))


def _ended(stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    *before, last = stretches
    is_stuck = last.status not in TERMINAL
    return (*before, msgspec.structs.replace(last, stays=None, polls=None, stuck=is_stuck))
