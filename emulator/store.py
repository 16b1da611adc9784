"""Where tasks are kept: the interface, and the store in memory."""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Final, Protocol

from emulator.core.task import Task
from emulator.core.units import Instant

_HUNDREDTH: Final = 100


class Store(Protocol):
    """The tasks of one namespace. A task is a value: what changes one puts a new value in its place."""

    dropped: int
    """How many tasks were given up because there were too many."""

    def get(self, provider: str, task_id: str) -> Task | None: ...  # noqa: D102

    def put(self, task: Task) -> None: ...  # noqa: D102

    def renew(self, task: Task) -> None: ...  # noqa: D102

    def remove(self, task: Task) -> None: ...  # noqa: D102

    def alias(self, provider: str, name: str, task_id: str) -> None: ...  # noqa: D102

    def find_alias(self, provider: str, name: str) -> str | None: ...  # noqa: D102

    def newest_first(self, provider: str | None = None) -> Iterator[Task]: ...  # noqa: D102

    def clear(self) -> None: ...  # noqa: D102

    def __len__(self) -> int: ...


class MemoryStore:
    """Tasks in dictionaries, one for each provider; past ``max_tasks`` the oldest are given up.

    They are given up a hundredth at a time: the front of a dictionary is dear to find when it has
    just been emptied.
    """

    def __init__(self, max_tasks: int) -> None:
        self.max_tasks = max_tasks
        self.dropped = 0
        self._tasks: dict[str, dict[str, Task]] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self._count = 0

    def get(self, provider: str, task_id: str) -> Task | None:
        """The task, or ``None``: unknown, or given up."""
        tasks = self._tasks.get(provider)
        return None if tasks is None else tasks.get(task_id)

    def put(self, task: Task) -> None:
        """Keep a task, in place of one with the same id."""
        tasks = self._tasks.get(task.provider)
        if tasks is None:
            tasks = self._tasks[task.provider] = {}
        if task.id not in tasks:
            self._count += 1
        tasks[task.id] = task
        if self._count > self.max_tasks:
            self._drop_oldest(task)

    def renew(self, task: Task) -> None:
        """Keep a task's new value, unless the task was given up meanwhile."""
        tasks = self._tasks.get(task.provider)
        if tasks is not None and task.id in tasks:
            tasks[task.id] = task

    def remove(self, task: Task) -> None:
        """Forget a task, and its other names; nothing happens where it is gone already."""
        tasks = self._tasks.get(task.provider, {})
        if tasks.pop(task.id, None) is None:
            return
        self._count -= 1
        if self._aliases:
            kept = self._aliases.items()
            own = (task.provider, task.id)
            self._aliases = {name: task_id for name, task_id in kept if (name[0], task_id) != own}

    def alias(self, provider: str, name: str, task_id: str) -> None:
        """Let `find_alias` find the task by another name too."""
        self._aliases[provider, name] = task_id

    def find_alias(self, provider: str, name: str) -> str | None:
        """The id of the task with this other name."""
        return self._aliases.get((provider, name))

    def newest_first(self, provider: str | None = None) -> Iterator[Task]:
        """The tasks of one provider, those added last first; of all providers, merged by their creation."""
        if provider is not None:
            return reversed(self._tasks.get(provider, {}).values())
        rows = (reversed(tasks.values()) for tasks in self._tasks.values())
        return merge(*rows, key=_created_at, reverse=True)

    def clear(self) -> None:
        """Forget every task, also how many were given up."""
        self._tasks.clear()
        self._aliases.clear()
        self._count = self.dropped = 0

    def __len__(self) -> int:
        return self._count

    def _drop_oldest(self, newcomer: Task) -> None:
        oldest_first = merge(*(tasks.values() for tasks in self._tasks.values()), key=_created_at)
        victims = (task for task in oldest_first if task is not newcomer)
        gone = set()
        for task in list(islice(victims, max(1, self.max_tasks // _HUNDREDTH))):
            del self._tasks[task.provider][task.id]
            gone.add((task.provider, task.id))
        self._count -= len(gone)
        self.dropped += len(gone)
        if self._aliases:
            kept = self._aliases.items()
            self._aliases = {name: task_id for name, task_id in kept if (name[0], task_id) not in gone}


def _created_at(task: Task) -> Instant:
    return task.created_at
