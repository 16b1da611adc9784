"""The course of a task: which entries it has been in, which it is in, and which lie ahead, as far as its facts tell."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from emulator.core.plan import Entry
from emulator.core.task import Task, time_end_of
from emulator.core.units import Instant
from emulator.core.words import TERMINAL

State = Literal["past", "present", "ahead", "skipped"]


class Stretch(msgspec.Struct, frozen=True):
    """One entry on a task's course."""

    entry: Entry
    """As the task met it: with the progress or the failure that a step gave it."""
    place: int | None
    """Where it stands in the timeline; ``None``: somebody made it up."""
    begins_at: Instant | None
    """When it began or will begin; ``None``: never, or that isn't known."""
    state: State
    """``skipped``: a step led past it, or the task ended before it."""


class _Met(msgspec.Struct):
    """An entry that the task has entered or will enter by itself."""

    entry: Entry
    index: int
    place: int
    begins_at: Instant


def course(task: Task, now: Instant) -> list[Stretch]:
    """Every entry of the task's timeline, and those that were made up for it, in the order in which it meets them.

    What lies ahead is told from the present facts: polls and steps may yet change it.
    """
    met = _all_met(task)
    begun = sum(one.begins_at <= now for one in met)
    stretches: list[Stretch] = []
    done = -1
    for number, one in enumerate(met):
        stretches += _skipped(task, range(done + 1, one.place + (one.index >= task.plan.length)))
        place = one.index if one.index < task.plan.length else None
        stretches.append(Stretch(one.entry, place, one.begins_at, _state(number, begun)))
        done = one.place
    return stretches + _rest(task, done + 1, met[-1].entry)


def _state(number: int, begun: int) -> State:
    if number == begun - 1:
        return "present"
    return "past" if number < begun else "ahead"


def _all_met(task: Task) -> list[_Met]:
    """Those that it has entered or will enter by itself; a step that changed no more than progress enters none."""
    found: list[_Met] = []
    for one in _entered(task):
        if found and found[-1].index == one.index:
            found.pop()
        found.append(one)
    return found


def _entered(task: Task) -> Iterator[_Met]:
    plan, steps = task.plan, task.steps
    if not steps or steps[0].at >= task.created_at:  # else it was made in the step's entry
        ended = task.ended[: steps[0].ended] if steps else task.ended
        first = _Met(plan.entries[0], 0, 0, task.created_at)
        yield from _led(task, first, ended, steps[0].at if steps else None)
    for number, step in enumerate(steps):
        following = steps[number + 1] if number + 1 < len(steps) else None
        ended = task.ended[step.ended : following.ended if following else None]
        first = _Met(step.entry, step.index, step.place, step.entered_at)
        yield from _led(task, first, ended, following.at if following else None)


def _led(task: Task, first: _Met, ended: Sequence[Instant], until: Instant | None) -> Iterator[_Met]:
    """The entry and those that time and polls lead to from it, up to the next step."""
    ends = iter(ended)
    one = first
    while True:
        yield one
        end = _end_of(task, one, ends)
        if end is None or (until is not None and end > until):
            return
        index = one.index + 1
        one = _Met(task.plan.entries[index], index, index, end)


def _end_of(task: Task, one: _Met, ends: Iterator[Instant]) -> Instant | None:
    if one.entry.polls is None:
        return time_end_of(task, one.index, one.entry, one.begins_at)
    return next(ends, None) if one.index < task.plan.length - 1 else None


def _skipped(task: Task, places: range) -> list[Stretch]:
    return [Stretch(task.plan.entries[place], place, None, "skipped") for place in places]


def _rest(task: Task, first: int, last_met: Entry) -> list[Stretch]:
    """The entries behind all that was met: a task that has ended gets to those of the same status alone."""
    plan = task.plan
    end = plan.length
    if last_met.status in TERMINAL:
        places = range(first, plan.length)
        end = next((place for place in places if plan.entries[place].status is not last_met.status), end)
    ahead = [Stretch(plan.entries[place], place, None, "ahead") for place in range(first, end)]
    return ahead + _skipped(task, range(end, plan.length))
