"""Tasks: dated facts, and the pure functions that say what a task looks like at an instant.

Nothing ticks. `state_at` takes facts and an instant; reading a task changes nothing. What changes a
task is a new fact, which is a new `Task` value that the store keeps in place of the one before.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import msgspec

from emulator.core.callbacks import Attempt, next_attempt
from emulator.core.plan import DEFAULT_LINK_LIFE, Entry, Plan, Ramp, floor_after
from emulator.core.units import LAST_INSTANT, Duration, Instant
from emulator.core.words import TERMINAL, Status


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What somebody forced on a task: from an instant on it is in this entry. `emulator.core.steps` makes them.

    A step says all that the past has a say in, so that what follows it is told without looking further back.
    """

    at: Instant
    index: int
    """Where the entry stands among the plan's."""
    place: int
    """Where the task is in its timeline: at the same entry, or, while in a made-up one, where it was before."""
    entry: Entry
    """The plan's entry at `index`, or the same with a progress or a failure in place of its own."""
    entered_at: Instant
    """The same as `at`, unless the step changed no more than the progress of the present entry."""
    since: Instant
    """When its status began: before `at`, where the status was the same."""
    floor: int
    """The progress that was shown last."""
    ended: int
    """How many of the task's facts of this name are older than the step."""
    moved: int
    """Likewise."""


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
    steps: tuple[Step, ...] = ()
    """What somebody forced on it, in order; the plan of such a task is one of `plan.stepped`."""
    callback_url: str | None = None
    """Where its end is told; ``None``: nobody asked for that."""
    attempts: tuple[Attempt, ...] = ()
    """What was done to tell it, in order."""


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
    created_at, entries = task.created_at, plan.entries
    index = bisect_right(ends, now - created_at)
    entered_at = since = created_at + ends[index - 1] if index else created_at
    entry = entries[index]
    if index and entries[index - 1].status is entry.status:
        since = _since(task, ends, index)
    whole = created_at + ends[index] - entered_at if index < len(ends) else 0
    return _snapshot(entry, index, entered_at, since, plan.floors[index], now - entered_at, whole)


def _since(task: Task, ends: tuple[Duration, ...], index: int) -> Instant:
    entries = task.plan.entries
    while index and entries[index - 1].status is entries[index].status:
        index -= 1
    return task.created_at + ends[index - 1] if index else task.created_at


def _walked(task: Task, now: Instant) -> Snapshot:
    """The same, entry by entry from the last step or from the creation: polls or steps have a say."""
    plan, ended, moved = task.plan, task.ended, task.moved
    step = _step_before(task.steps, now) if task.steps else None
    if step is None:
        index, entry, entered_at, since = 0, plan.entries[0], task.created_at, task.created_at
    else:
        index, entry, entered_at, since = step.index, step.entry, step.entered_at, step.since
        ended, moved = ended[step.ended :], moved[step.moved :]
    passed: list[Entry] = []
    ends = iter(ended)
    while (end := _end_of(task, index, entry, entered_at, ends)) is not None and end <= now:
        passed.append(entry)
        index, entered_at = index + 1, end
        following = plan.entries[index]
        if following.status is not entry.status:
            since = end
        entry = following
    floor = plan.floors[index] if step is None else reduce(floor_after, passed, step.floor)
    if entry.polls is None:
        whole = 0 if end is None else end - entered_at
        return _snapshot(entry, index, entered_at, since, floor, now - entered_at, whole)
    return _snapshot(entry, index, entered_at, since, floor, *_moves_by(entry, passed, moved, now))


def _step_before(steps: Sequence[Step], now: Instant) -> Step | None:
    """The last of the steps up to ``now``, if there is one."""
    number = bisect_right(steps, now, key=_instant_of)
    return steps[number - 1] if number else None


def _instant_of(step: Step) -> Instant:
    return step.at


def _end_of(
    task: Task, index: int, entry: Entry, entered_at: Instant, ended: Iterator[Instant]
) -> Instant | None:
    """When the entry ends, as far as the facts tell; ``None``: not yet known, or never."""
    if entry.polls is None:
        return time_end_of(task, index, entry, entered_at)
    return next(ended, None) if index < task.plan.length - 1 else None


def _moves_by(
    entry: Entry, passed: Sequence[Entry], moved: Sequence[Instant], now: Instant
) -> tuple[int, int]:
    """How often polls had moved the progress of a ``polls`` entry by ``now``, and how often they do in all."""
    first = sum(map(_moves_of, passed))
    return bisect_right(moved, now) - first, _moves_of(entry)


def time_end_of(task: Task, index: int, entry: Entry, entered_at: Instant) -> Instant | None:
    """When time alone ends the entry at this place of the task's plan; ``None``: it doesn't."""
    plan = task.plan
    if plan.manual or index >= plan.length - 1:
        return None
    if isinstance(entry.stay, int):
        return entered_at + entry.stay
    if isinstance(entry.until, int):
        return max(entered_at, task.created_at + entry.until)
    return None


def _snapshot(
    entry: Entry,
    index: int,
    entered_at: Instant,
    since: Instant,
    floor: int,
    done: int,
    whole: int,
) -> Snapshot:
    """The snapshot, ``done`` of ``whole`` on the way through the entry; 0: no end of it is known."""
    status, progress = entry.status, entry.progress
    if progress is None:
        value = 100 if status is Status.COMPLETED else floor
    elif isinstance(progress, int):
        value = progress
    else:
        value = max(floor, _on_the_way(progress, done, whole))
    return Snapshot(status, value, entry, index, entered_at, since, since if status in TERMINAL else None)


def _on_the_way(ramp: Ramp, done: int, whole: int) -> int:
    return ramp.start + (ramp.end - ramp.start) * done // whole if whole > 0 else ramp.start


def _moves_of(entry: Entry) -> int:
    """How many polls move the entry's progress: the first shows where it starts, so at most all but one."""
    ramp = entry.progress
    if entry.polls is None or not isinstance(ramp, Ramp):
        return 0
    return min(abs(ramp.end - ramp.start), entry.polls - 1)


def next_change(task: Task, now: Instant) -> Instant | None:
    """The first instant after ``now`` at which time alone enters another entry; ``None``: there is none."""
    ends = task.plan.ends
    if ends is not None:
        index = bisect_right(ends, now - task.created_at)
        return task.created_at + ends[index] if index < len(ends) else None
    snapshot = _walked(task, now)
    return time_end_of(task, snapshot.index, snapshot.entry, snapshot.entered_at)


def end_of(task: Task) -> Instant | None:
    """When the task ends, or has ended, as far as the facts tell; ``None``: polls or steps have a say yet."""
    return state_at(task, LAST_INSTANT).ended_at


def callback_due(task: Task) -> tuple[Instant, int] | None:
    """When the next attempt at one of the task's callbacks falls due, and at which; ``None``: none is known of."""
    if task.callback_url is None:
        return None
    ended_at = end_of(task)
    return None if ended_at is None else next_attempt(task.plan.callback, task.attempts, ended_at)


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
