"""The agenda: when tasks change by time alone, in order, so that an advance meets what falls due and nothing else.

Nothing here makes a task change: at every instant a task looks as its facts say. An agenda only knows where
to look. It is made by one scan when somebody first asks what lies ahead, and kept up to date from then on.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Final, TypeAlias

import msgspec

from emulator.core.callbacks import Attempt
from emulator.core.task import Task, next_change, state_at
from emulator.core.units import Instant
from emulator.core.words import Status
from emulator.store import Store

_Item: TypeAlias = tuple[Instant, Instant, str, str]
"""When a task changes, when it was created, its provider and its id: what changes at one instant does so in
the order of creation, whichever task was looked at first."""
Due: TypeAlias = Callable[[Task, Instant], Instant | None]
"""When a task falls due for something after an instant; ``None``: never, as far as is known."""
_SLACK: Final = 1024
KEPT_CHANGES: Final = 100
"""How many changes a passage keeps; it counts all."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """A task's entry into another entry of its timeline, or into being."""

    task: Task
    at: Instant
    was: Status | None
    """Its status before, which may be the same; ``None``: it wasn't there."""
    status: Status
    """Its status from then on."""


class Passage(msgspec.Struct):
    """One advance of a clock, and what changed on the way."""

    begun: Instant
    to: Instant
    count: int = 0
    changes: list[Change] = []
    """The first `KEPT_CHANGES` of them."""
    attempts: list[tuple[Task, Attempt]] = []
    """The first `KEPT_CHANGES` attempts at callbacks on the way."""
    attempted: int = 0
    undelivered: int = 0
    """How many of all those attempts no receiver took."""

    def note(self, change: Change) -> None:
        """Take one more change into account, unless it fell due before or falls due after."""
        if not self.begun < change.at <= self.to:
            return
        self.count += 1
        if self.count <= KEPT_CHANGES:
            self.changes.append(change)

    def tell(self, task: Task, attempt: Attempt) -> None:
        """Take one more attempt at a callback into account."""
        self.attempted += 1
        self.undelivered += not attempt.is_delivered
        if self.attempted <= KEPT_CHANGES:
            self.attempts.append((task, attempt))


class Calendar:
    """When the tasks of a store fall due for something, in order. An item that facts have overtaken is left out."""

    def __init__(self, store: Store, due: Due, now: Instant) -> None:
        self._store = store
        self._due = due
        self._scan(now)

    def _scan(self, now: Instant) -> None:
        dated = ((self._due(task, now), task) for task in self._store.newest_first())
        self._items: list[_Item] = [
            (at, task.created_at, task.provider, task.id) for at, task in dated if at is not None
        ]
        heapify(self._items)
        self._most = 2 * len(self._items) + _SLACK
        """With so many items about half must be of tasks that are gone: time for another scan."""

    def expect(self, task: Task, now: Instant) -> None:
        """Take note of a task whose future is new; it is in the store already, and nothing up to ``now`` is due."""
        at = self._due(task, now)
        if at is None:
            return
        if len(self._items) >= self._most:
            self._scan(now)
        else:
            heappush(self._items, (at, task.created_at, task.provider, task.id))

    def ahead(self) -> Instant | None:
        """When the next task falls due; ``None``: nothing is ahead any more."""
        items = self._items
        while items and self._task_of(items[0]) is None:
            heappop(items)
        return items[0][0] if items else None

    def pop(self, until: Instant) -> tuple[Instant, Task] | None:
        """The task that falls due next, if it does until then, and when. Whoever takes it has to expect it anew."""
        items = self._items
        while items and items[0][0] <= until:
            item = heappop(items)
            while items and items[0] == item:
                heappop(items)
            task = self._task_of(item)
            if task is not None:
                return item[0], task
        return None

    def _task_of(self, item: _Item) -> Task | None:
        """The task of an item, unless it is gone or has another future by now."""
        at, created_at, provider, task_id = item
        task = self._store.get(provider, task_id)
        if task is None or task.created_at != created_at or self._due(task, at - 1) != at:
            return None
        return task

    def __len__(self) -> int:
        return len(self._items)


class Agenda(Calendar):
    """What lies ahead of the tasks of a store: their changes."""

    def __init__(self, store: Store, now: Instant) -> None:
        super().__init__(store, due_after, now)

    def take(self, until: Instant) -> Change | None:
        """The next change, if it falls due until then; its task's following change takes its place."""
        due = self.pop(until)
        if due is None:
            return None
        at, task = due
        self.expect(task, at)
        was = state_at(task, at - 1).status if at > task.created_at else None
        return Change(task, at, was, state_at(task, at).status)


def due_after(task: Task, now: Instant) -> Instant | None:
    """When the task next changes by time alone; one that doesn't exist yet comes into being first."""
    return task.created_at if now < task.created_at else next_change(task, now)
