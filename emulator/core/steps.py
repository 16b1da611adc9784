"""Stepping a task by hand: what somebody forces on it from outside its timeline.

A step is one more fact. It says in which entry the task is from an instant on; what the task looked
like before stays as it was, and what follows is dated from there.
"""

import msgspec

from emulator.core.effects import Failure
from emulator.core.plan import Entry, stepped
from emulator.core.task import Snapshot, Step, Task, state_at, time_end_of
from emulator.core.units import Instant, format_instant
from emulator.core.words import TERMINAL, Status


class StepRefused(ValueError):
    """A step that a task can't take; its text says why and what would work."""


def advanced(task: Task, now: Instant) -> Task:
    """The task with its present entry ended at ``now``: the next one of its timeline begins there.

    A task that has ended takes the step only into a further entry of the same status, as time would lead it.

    Raises:
        StepRefused: no entry follows, or ``now`` lies before what is known of the task.
    """
    present = _present(task, now)
    index = _place_of(task, present) + 1
    following = task.plan.entries[index] if index < task.plan.length else None
    if present.ended_at is not None and (following is None or following.status is not present.status):
        raise _has_ended(task, present)
    if following is not None:
        return _stepped(task, present, now, index, following)
    raise StepRefused(
        f"task {task.id} is {present.status} and its timeline has no further entry to advance to; "
        f"complete, fail or cancel it, or PATCH it with a status"
    )


def forced(
    task: Task, now: Instant, status: Status, progress: int | None = None, failure: Failure | None = None
) -> Task:
    """The task put into a status at ``now``.

    It jumps to the first entry ahead in its timeline that has the status and any time left, and goes on
    from there. Where there is none it stays in a made-up entry until the next step. In the status that it
    has already it stays where it is.

    ``progress`` (in per cent) is shown until the entry ends, and may be lower than what was shown.
    ``failure`` stands in place of the one that the timeline has, if any; only ``failed`` takes one.

    Raises:
        StepRefused: the task has ended, an argument isn't as said, or ``now`` lies before what is known of the task.
    """
    present = _present(task, now)
    if present.ended_at is not None:
        raise _has_ended(task, present)
    if progress is not None and not 0 <= progress <= 100:
        raise StepRefused(f"progress: expected a whole number from 0 to 100, got {progress}")
    if failure is not None and status is not Status.FAILED:
        raise StepRefused(f"error: only a failed task has one; name it with the status failed, not {status}")
    if status is present.status:
        return task if progress is None else _with_progress(task, present, now, progress)
    index = _index_ahead(task, present, now, status)
    planned = None if index is None else task.plan.entries[index]
    entry = planned or Entry(status=status, stuck=status not in TERMINAL)
    changes = {"progress": progress, "failure": failure}
    changes = {name: value for name, value in changes.items() if value is not None}
    return _stepped(task, present, now, index, msgspec.structs.replace(entry, **changes))


def _present(task: Task, now: Instant) -> Snapshot:
    """What the task looks like at ``now``, where nothing is known yet of a later instant."""
    steps = [step.at for step in task.steps[-1:]]
    latest = max([task.created_at, *task.ended[-1:], *task.moved[-1:], *steps])
    if now < latest:
        raise StepRefused(
            f"task {task.id} can't be stepped at {format_instant(now)}: it was created or changed at "
            f"{format_instant(latest)}, and a step changes nothing of the past; advance the clock to there first"
        )
    return state_at(task, now)


def _has_ended(task: Task, present: Snapshot) -> StepRefused:
    ended_at = format_instant(present.since)
    return StepRefused(
        f"task {task.id} ended at {ended_at} as {present.status}, and what has ended stays as it is; "
        f"a new task can be made with POST /__admin/tasks"
    )


def _place_of(task: Task, present: Snapshot) -> int:
    """Where in its timeline the task is; in a made-up entry: where it was before."""
    return present.index if present.index < task.plan.length else task.steps[-1].place


def _index_ahead(task: Task, present: Snapshot, now: Instant, status: Status) -> int | None:
    """The first entry ahead with this status that wouldn't end at the very instant at which it begins."""
    for index in range(_place_of(task, present) + 1, task.plan.length):
        entry = task.plan.entries[index]
        if entry.status is status and time_end_of(task, index, entry, now) != now:
            return index
    return None


def _with_progress(task: Task, present: Snapshot, now: Instant, progress: int) -> Task:
    """The task with another progress, in an entry that goes on, with its polls counted so far."""
    entry = msgspec.structs.replace(present.entry, progress=progress)
    step = _step(task, present, now, present.index, entry)
    step = msgspec.structs.replace(step, entered_at=present.entered_at)
    return msgspec.structs.replace(task, plan=stepped(task.plan, entry, False), steps=(*task.steps, step))


def _stepped(task: Task, present: Snapshot, now: Instant, index: int | None, entry: Entry) -> Task:
    """The task in another entry: the one at ``index``, or a made-up one."""
    plan = stepped(task.plan, entry, index is None)
    step = _step(task, present, now, len(task.plan.entries) if index is None else index, entry)
    return msgspec.structs.replace(task, plan=plan, steps=(*task.steps, step), polls_in_entry=0)


def _step(task: Task, present: Snapshot, now: Instant, index: int, entry: Entry) -> Step:
    return Step(
        at=now,
        index=index,
        place=index if index < task.plan.length else _place_of(task, present),
        entry=entry,
        entered_at=now,
        since=present.since if present.status is entry.status else now,
        floor=present.progress,
        ended=len(task.ended),
        moved=len(task.moved),
    )
