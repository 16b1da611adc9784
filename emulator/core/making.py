"""Tasks made by hand: in any status, whatever their timeline begins with.

Such a task has one step from the start, dated before its creation: it has never been anything else.
"""

import msgspec

from emulator.core.effects import Failure
from emulator.core.plan import Entry, stepped
from emulator.core.task import Step, Task, time_end_of
from emulator.core.units import Instant
from emulator.core.words import TERMINAL, Status


def made(
    task: Task, now: Instant, status: Status, progress: int | None = None, failure: Failure | None = None
) -> Task:
    """The new task as one that has been in a status ever since its creation.

    It is in the first entry of its timeline that has the status, which it entered at ``now`` (at its creation,
    where that is yet to come), and goes on from there. Where there is none with any time left, it stays in a
    made-up entry until it is stepped.

    Args:
        task: a new task that nobody polled or stepped.
        now: the present instant.
        status: which.
        progress: in per cent, shown until the entry ends, in place of the entry's own.
        failure: in place of the entry's own; only for the status ``failed``.
    """
    entered_at = max(now, task.created_at)
    index = _index_of(task, entered_at, status)
    planned = None if index is None else task.plan.entries[index]
    entry = planned or Entry(status=status, stuck=status not in TERMINAL)
    changes = {"progress": progress, "failure": failure}
    changes = {name: value for name, value in changes.items() if value is not None}
    entry = msgspec.structs.replace(entry, **changes)
    step = Step(
        at=min(now, task.created_at) - 1,
        index=len(task.plan.entries) if index is None else index,
        place=index or 0,
        entry=entry,
        entered_at=entered_at,
        since=task.created_at,
        floor=0 if index is None else task.plan.floors[index],
        ended=0,
        moved=0,
    )
    return msgspec.structs.replace(task, plan=stepped(task.plan, entry, index is None), steps=(step,))


def _index_of(task: Task, entered_at: Instant, status: Status) -> int | None:
    """The first entry with this status that wouldn't end at the very instant at which it begins."""
    for index, entry in enumerate(task.plan.entries):
        if entry.status is status and time_end_of(task, index, entry, entered_at) != entered_at:
            return index
    return None
