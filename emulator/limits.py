"""What a scenario's limits have counted in one namespace since an activation, in bounded memory."""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, TypeAlias

import msgspec
import orjson

from emulator.core.limits import Limit, Reached, count_in, room_among, room_at
from emulator.core.rules import Match, Occasion, match_holds
from emulator.core.task import Task, end_of, state_at
from emulator.core.units import Instant
from emulator.core.words import TERMINAL, OperationName

MOST_KEPT: Final = 4_000_000
"""How many numbers are kept at most, of eight bytes each; whom nobody heard of for longest is forgotten first."""
_OVERHEAD: Final = 40
"""What keeping one account takes besides its numbers, in such numbers."""
_LONGEST_KEY: Final = 100

Whose: TypeAlias = str | tuple[str, str]
"""A key (or its digest), a task's provider and id, or an empty text for the namespace."""
Find: TypeAlias = Callable[[str, str], Task | None]
"""Finds a task by its provider and its id."""


class Limited(msgspec.Struct, frozen=True):
    """One exchange, as limits see it."""

    operation: OperationName
    provider: str
    key: str | None
    """As auth judges it; ``None``: no key is asked for."""
    headers: Mapping[bytes, bytes]
    tasks: Sequence[Task]
    """The known tasks that it names."""
    fields: Mapping[str, Any]
    """Those of a create."""
    asked: str | None = None
    """The id that it names where nobody knows such a task."""

    def fits(self, match: tuple[Match, ...]) -> list[bool]:
        """Whether a ``match`` holds: for each of the tasks, or for the request where there is none."""
        if not match:
            return [True] * max(1, len(self.tasks))
        if not self.tasks:
            return [match_holds(match, self._occasion(self.asked, lambda: self.fields))]
        return [
            match_holds(match, self._occasion(task.id, partial(orjson.loads, task.request)))
            for task in self.tasks
        ]

    def _occasion(self, task_id: str | None, fields: Callable[[], Any]) -> Occasion:
        return Occasion(self.operation, self.provider, task_id, self.key, self.headers, fields, b"")


class _Account(msgspec.Struct):
    """What one limit has counted for one key, task or namespace."""

    passed: "array[int]"
    """When calls passed, oldest first; those that left the window may be missing. Kept where there is a window."""
    total: int = 0
    """How many calls passed. Kept where there is none."""
    tasks: dict[tuple[str, str], None] = {}
    """Tasks that aren't known to be done, by provider and id. Kept for limits on tasks."""

    @property
    def size(self) -> int:
        return _OVERHEAD + len(self.passed) + _OVERHEAD * len(self.tasks)


class Counts:
    """The counts of all limits of one scenario in force."""

    def __init__(self, limits: tuple[Limit, ...], most_kept: int = MOST_KEPT) -> None:
        self.latest: Instant = 0
        """When the last call passed that was counted."""
        self._limits = {name: tuple(_that_concern(limits, name)) for name in OperationName}
        """By operation, each with its number."""
        self._accounts: dict[tuple[int, Whose], _Account] = {}
        self.size = 0
        """About how much is kept, in numbers of eight bytes."""
        self._most_kept = most_kept

    def concern(self, operation: OperationName) -> bool:
        """Whether any of the limits has a say in calls of this operation."""
        return bool(self._limits[operation])

    def take(self, call: Limited, now: Instant, find: Find) -> Reached | None:
        """The first limit that refuses the call; ``None``: none does, and the call is counted by each."""
        counting: list[tuple[int, Limit, Whose]] = []
        for number, limit in self._limits[call.operation]:
            for whose in _concerned(limit, call):
                reached = self._reached(number, limit, whose, now, find)
                if reached is not None:
                    return reached
                if not limit.is_of_tasks:
                    counting.append((number, limit, whose))
        for number, limit, whose in counting:
            self._count(number, limit, whose, now)
        return None

    def made(self, call: Limited, task: Task) -> None:
        """Count a task that a call made which passed."""
        for number, limit in self._limits[call.operation]:
            if limit.is_of_tasks:
                for whose in _concerned(limit, call):
                    account = self._account(number, whose)
                    account.tasks[task.provider, task.id] = None
                    self._keep(number, whose, account)

    def _reached(self, number: int, limit: Limit, whose: Whose, now: Instant, find: Find) -> Reached | None:
        account = self._accounts.get((number, whose))
        if account is None:
            return None
        if limit.is_of_tasks:
            in_flight = self._in_flight(account, now, find)
            if len(in_flight) < limit.most:
                return None
            frees_at = room_among(map(end_of, in_flight), limit.most)
            return Reached(number, limit, len(in_flight), frees_at)
        if limit.window is None:
            return Reached(number, limit, account.total, None) if account.total >= limit.most else None
        frees_at = room_at(account.passed, limit.most, limit.window, now)
        if frees_at is not None and frees_at <= now:
            return None
        return Reached(number, limit, count_in(account.passed, limit.window, now), frees_at)

    def _in_flight(self, account: _Account, now: Instant, find: Find) -> list[Task]:
        """The tasks that aren't done; those that are, and those that nobody knows any more, are forgotten."""
        before = account.size
        found = [task for place in account.tasks if (task := find(*place)) is not None]
        alive = [task for task in found if state_at(task, now).status not in TERMINAL]
        account.tasks = dict.fromkeys((task.provider, task.id) for task in alive)
        self.size += account.size - before
        return alive

    def _count(self, number: int, limit: Limit, whose: Whose, now: Instant) -> None:
        account = self._account(number, whose)
        if limit.window is None:
            account.total += 1
        else:
            passed = account.passed
            if passed and passed[-1] > now:
                now = passed[-1]  # the clock was set back
            stale = bisect_right(passed, now - limit.window)
            if 2 * stale >= len(passed):
                del passed[:stale]
            passed.append(now)
        self.latest = max(self.latest, now)
        self._keep(number, whose, account)

    def _account(self, number: int, whose: Whose) -> _Account:
        """The account, taken out to be changed; `_keep` it then."""
        account = self._accounts.pop((number, whose), None)
        if account is None:
            return _Account(array("q"))
        self.size -= account.size
        return account

    def _keep(self, number: int, whose: Whose, account: _Account) -> None:
        self._accounts[number, whose] = account
        self.size += account.size
        if self.size > self._most_kept:
            self._forget()

    def _forget(self) -> None:
        """Forget the accounts that were changed longest ago, a sixteenth of them at a time."""
        while self.size > self._most_kept:
            for place in list(islice(self._accounts, len(self._accounts) // 16 + 1)):
                self.size -= self._accounts.pop(place).size


def _that_concern(limits: Sequence[Limit], operation: OperationName) -> Iterator[tuple[int, Limit]]:
    for number, limit in enumerate(limits):
        operations = limit.conditions.operations
        if not operations or operation in operations:
            yield number, limit


def _concerned(limit: Limit, call: Limited) -> Sequence[Whose]:
    """For whom the limit counts a call of one of its operations; nobody: it has no say in it."""
    conditions = limit.conditions
    if conditions.providers and call.provider not in conditions.providers:
        return ()
    if limit.per == "task":
        fitting = zip(call.tasks, call.fits(conditions.match), strict=False)
        return [(task.provider, task.id) for task, fits in fitting if fits]
    if conditions.match and not any(call.fits(conditions.match)):
        return ()
    if limit.per == "namespace":
        return ("",)
    return () if call.key is None else (short(call.key),)


def short(key: str) -> str:
    """A text that stands for the key, and isn't long where the key is."""
    if len(key) <= _LONGEST_KEY:
        return key
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
