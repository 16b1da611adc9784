"""Creates that are held until their task ends: for that long no entry waits for polls, which nobody can send.

The language: "While its create is held, a task's ``polls`` entries take no time."
"""

import msgspec

from emulator.core.plan import Entry, Plan, replanned
from emulator.core.task import Task, state_at
from emulator.core.units import Instant


def held(task: Task) -> Task:
    """The new task as it goes while its create is held."""
    plan = task.plan
    if all(entry.polls is None for entry in plan.entries):
        return task
    return msgspec.structs.replace(task, plan=replanned(plan, tuple(map(_without_polls, plan.entries))))


def _without_polls(entry: Entry) -> Entry:
    return entry if entry.polls is None else msgspec.structs.replace(entry, polls=None, stay=0)


def let_go(task: Task, plan: Plan, now: Instant) -> Task:
    """The task whose client hung up at ``now``: what lies ahead of it goes by its own plan again."""
    index = min(state_at(task, now).index, plan.length - 1)
    present = task.plan.entries
    entries = (*present[: index + 1], *plan.entries[index + 1 : plan.length], *present[plan.length :])
    if entries == present:
        return task
    return msgspec.structs.replace(task, plan=replanned(task.plan, entries, is_stepped=bool(task.steps)))
