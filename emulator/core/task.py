"""Tasks: dated facts, and the pure functions that say what a task looks like at an instant.

Nothing ticks. `state_at` takes facts and an instant; reading a task changes nothing. What changes a
task is a new fact, which is a new `Task` value that the store keeps in place of the one before.
"""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import msgspec

from emulator.core.plan import DEFAULT_LINK_LIFE, Entry, Plan, Ramp, is_terminal
from emulator.core.units import Instant
from emulator.core.words import Status


class Task(msgspec.Struct, frozen=True, gc=False):
    """One video generation: the facts known of it.

    Left out of cycle collection (``gc=False``): it refers to nothing that refers back to it, and a
    million of them must not make the collector pause.
    """

    provider: str
    id: str
    created_at: Instant
    entropy: bytes
    """What its own ids and draws are cut from or keyed by."""
    plan: Plan
    request: bytes
    """The create request as compact JSON."""
    echo: tuple[Any, ...]
    """What the provider prints of the request, in the order that the provider keeps."""
    origin: str
    """Scheme and host that its links start with."""
    polls: int = 0
    """How many polls were answered from it."""
    polls_in_entry: int = 0
    """How many of them the present ``polls`` entry has answered."""
    ended: tuple[Instant, ...] = ()
    """The instants at which a poll ended a ``polls`` entry, one for each in their order."""
    moved: tuple[Instant, ...] = ()
    """The instants at which a poll moved the progress of a ``polls`` entry: at most a hundred for each."""
    shown: int = -1
    """Which entry the last poll showed; -1: none yet. Only the clock's mode ``auto`` asks."""
    calls: Mapping[str, int] | None = None
    """How many calls there were of each operation, of polls those that weren't answered; kept where a rule asks."""
    fired: Mapping[str, int] | None = None
    """How often each rule fired for this task; kept only where a rule asks."""


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """What a task looks like at an instant."""

    status: Status
    progress: int
    """In per cent. On ``completed`` 100, unless the author says otherwise."""
    entry: Entry
    index: int
    entered_at: Instant
    """When the present entry began."""
    since: Instant
    """When the present status began: earlier, where entries of one status follow one another."""
    ended_at: Instant | None
    """When the task reached its terminal status; ``None`` before."""


def state_at(task: Task, now: Instant) -> Snapshot:
    """What the task looks like at ``now``; at the instant at which an entry ends, the next one shows."""
    plan = task.plan
    ends = plan.ends
    if ends is None:
        return _walked(task, now)
    created_at = task.created_at
    index = bisect_right(ends, now - created_at)
    entered_at = created_at + ends[index - 1] if index else created_at
    return _snapshot(task, index, entered_at, now, created_at + ends[index] if index < len(ends) else None)


def _walked(task: Task, now: Instant) -> Snapshot:
    entered_at = task.created_at
    index, end = 0, _end_of(task, 0, entered_at)
    while end is not None and end <= now:
        index, entered_at = index + 1, end
        end = _end_of(task, index, entered_at)
    return _snapshot(task, index, entered_at, now, end)


def _end_of(task: Task, index: int, entered_at: Instant) -> Instant | None:
    """When the entry at ``index`` ends, as far as the facts tell; ``None``: not yet known, or never."""
    plan = task.plan
    if plan.manual or index == len(plan.entries) - 1:
        return None
    entry = plan.entries[index]
    if isinstance(entry.stay, int):
        return entered_at + entry.stay
    if isinstance(entry.until, int):
        return max(entered_at, task.created_at + entry.until)
    nth = sum(1 for earlier in plan.entries[:index] if earlier.polls is not None)
    return task.ended[nth] if nth < len(task.ended) else None


def _snapshot(task: Task, index: int, entered_at: Instant, now: Instant, end: Instant | None) -> Snapshot:
    plan = task.plan
    entry = plan.entries[index]
    since = entered_at
    if index and plan.entries[index - 1].status is entry.status:
        since = _since(task, index)
    progress = entry.progress
    if progress is None:
        value = 100 if entry.status is Status.COMPLETED else plan.floors[index]
    elif isinstance(progress, int):
        value = progress
    else:
        value = max(plan.floors[index], _ramped(task, index, progress, now, entered_at, end))
    ended_at = since if is_terminal(entry) else None
    return Snapshot(entry.status, value, entry, index, entered_at, since, ended_at)


def _ramped(
    task: Task, index: int, ramp: Ramp, now: Instant, entered_at: Instant, end: Instant | None
) -> int:
    if task.plan.entries[index].polls is not None:
        return _on_the_way(ramp, *_moves_by(task, index, now))
    if end is None:
        return ramp.start
    return _on_the_way(ramp, now - entered_at, end - entered_at)


def _on_the_way(ramp: Ramp, done: int, whole: int) -> int:
    return ramp.start + (ramp.end - ramp.start) * done // whole if whole > 0 else ramp.start


def _moves_by(task: Task, index: int, now: Instant) -> tuple[int, int]:
    """How often polls had moved the progress of a ``polls`` entry by ``now``, and how often they do in all."""
    moves = [_moves_of(entry) for entry in task.plan.entries[: index + 1]]
    whole, first = moves[-1], sum(moves[:-1])
    return bisect_right(task.moved, now, first, min(first + whole, len(task.moved))) - first, whole


def _moves_of(entry: Entry) -> int:
    """How many polls move the entry's progress: the first shows where it starts, so at most all but one."""
    ramp = entry.progress
    if entry.polls is None or not isinstance(ramp, Ramp):
        return 0
    return min(abs(ramp.end - ramp.start), entry.polls - 1)


def _since(task: Task, index: int) -> Instant:
    entered_at = entered = task.created_at
    status = task.plan.entries[0].status
    for number in range(index):
        end = _end_of(task, number, entered)
        if end is None:
            break
        entered = end
        following = task.plan.entries[number + 1].status
        if following is not status:
            entered_at, status = entered, following
    return entered_at


def next_change(task: Task, now: Instant) -> Instant | None:
    """The first instant after ``now`` at which time alone enters another entry; ``None``: there is none."""
    snapshot = state_at(task, now)
    end = _end_of(task, snapshot.index, snapshot.entered_at)
    return end if end is not None and end > now else None


def polled(task: Task, snapshot: Snapshot, now: Instant, tracks_shown: bool = False) -> Task:
    """The task with one more answered poll, which showed ``snapshot`` at ``now``."""
    entry = snapshot.entry
    shown = snapshot.index if tracks_shown else task.shown
    if entry.polls is None or task.plan.manual:
        return msgspec.structs.replace(task, polls=task.polls + 1, shown=shown)
    count = task.polls_in_entry + 1
    if count < entry.polls:
        moved = (*task.moved, now) if _is_move(entry, count) else task.moved
        return msgspec.structs.replace(
            task, polls=task.polls + 1, polls_in_entry=count, moved=moved, shown=shown
        )
    ended = (*task.ended, now)
    return msgspec.structs.replace(task, polls=task.polls + 1, polls_in_entry=0, ended=ended, shown=shown)


def _is_move(entry: Entry, count: int) -> bool:
    """Whether the poll of this number moves the progress of its ``polls`` entry, for the next poll to show."""
    ramp = entry.progress
    if entry.polls is None or not isinstance(ramp, Ramp):
        return False
    whole = entry.polls - 1
    return _on_the_way(ramp, count, whole) != _on_the_way(ramp, count - 1, whole)


def link_dies_at(task: Task, snapshot: Snapshot, now: Instant) -> Instant:
    """When the link to the result dies, as it is said at ``now``.

    documents/001, documents/003: the creation plus 24 hours, before completion and after, unless the
    scenario says how long it lives; then, from completion on, that long from completion, or from this
    poll where each poll hands out a new link.
    """
    video = snapshot.entry.video
    if snapshot.ended_at is None or video is None or not isinstance(video.expires_in, int):
        return task.created_at + DEFAULT_LINK_LIFE
    return (now if video.renew else snapshot.ended_at) + video.expires_in
