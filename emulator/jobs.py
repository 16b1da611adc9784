"""What waits for a namespace's clock: callbacks, which are sent when they fall due, and creates that are held.

Both are dated by pure functions of the task's facts. A clock that is advanced does them on its way (`timekeeping`).
For one that runs, or that its clients hurry on (``auto``), a runner waits in real time, as long as there is anything
to wait for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Final, TypeAlias

import msgspec

from emulator.agenda import Calendar
from emulator.clock import breathe, happens
from emulator.core.callbacks import Attempt
from emulator.core.holding import held, let_go
from emulator.core.task import Task, callback_due, end_of, next_change, state_at
from emulator.core.units import HOUR, LAST_INSTANT, MILLISECOND, Duration, Instant
from emulator.engine import Namespace

SILENCE: Final[Duration] = 50 * MILLISECOND
"""The language: so long a client must be silent before a callback moves a clock of the mode ``auto``, in real time."""
MOST_AT_ONCE: Final = 64
"""How many callbacks of a namespace are under way at once, where its clock runs."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of sending a callback."""

    status_code: int | None = None
    problem: str | None = None
    is_refused: bool = False


Send: TypeAlias = Callable[[Namespace, Task], Awaitable[Outcome]]
"""Sends a task's callback to its address. It doesn't raise."""
_Place: TypeAlias = tuple[str, str]


class Forgotten(Exception):
    """The namespace was reset, or given up, while a create was held."""


class Held:
    """One create that waits for its task."""

    def __init__(self, task: Task, seen: Instant, *, wants_changes: bool) -> None:
        self.task = task
        """As it is known now."""
        self.seen = seen
        """Up to which instant its client has been told of it."""
        self.wants_changes = wants_changes
        self.due: Instant | None = None
        self.came: asyncio.Future[Instant] = asyncio.get_running_loop().create_future()

    def next_due(self, now: Instant) -> Instant | None:
        """When it is told something next, as far as is known."""
        if not self.wants_changes:
            return end_of(self.task)
        if state_at(self.task, now).entry is not state_at(self.task, self.seen).entry:
            return min(now, next_change(self.task, self.seen) or now)
        return next_change(self.task, self.seen)


class Jobs:
    """The jobs of one namespace."""

    def __init__(self, namespace: Namespace, send: Send) -> None:
        self._namespace = namespace
        self._send = send
        self._callbacks: Calendar | None = None
        self._held: dict[_Place, Held] = {}
        self._releases: list[tuple[Instant, int, Held]] = []
        self._number = 0
        self._sending: set[asyncio.Task[None]] = set()
        self._runner: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    # What is to be done

    def expect(self, task: Task) -> None:
        """Take note of a task that is new, or whose future is."""
        waiting = self._held.get((task.provider, task.id))
        if waiting is not None:
            waiting.task = task
            self._date(waiting)
        elif task.callback_url is not None:
            if self._callbacks is None:
                self._callbacks = Calendar(self._namespace.store, _callback_due, self._namespace.clock.now())
            self._callbacks.expect(task, task.created_at)
        else:
            return
        self.start()

    @contextmanager
    def holding(self, task: Task, *, wants_changes: bool) -> Iterator[Held]:
        """A create that is held, as long as the context lasts; left early, the task goes on by its own plan."""
        namespace, place = self._namespace, (task.provider, task.id)
        begun, now = task, task.created_at
        task = held(task)
        waiting = self._held[place] = Held(task, now, wants_changes=wants_changes)
        if task is begun:
            self.expect(task)
        else:
            namespace.renew(task, state_at(begun, now), now)
        try:
            yield waiting
        finally:
            if self._held.pop(place, None) is waiting:
                waiting.due = None
                self._free(waiting, begun)

    def _free(self, waiting: Held, begun: Task) -> None:
        now = self._namespace.clock.now()
        task = let_go(waiting.task, begun.plan, now)
        if task is not waiting.task:
            self._namespace.renew(task, state_at(waiting.task, now), now)

    async def next_instant(self, waiting: Held) -> Instant:
        """The instant of the task's next change that its client is to be told, or of its end.

        Raises:
            Forgotten: the task is no more.
        """
        instant = await waiting.came
        waiting.came = asyncio.get_running_loop().create_future()
        self._date(waiting)
        return instant

    def _date(self, waiting: Held) -> None:
        due = waiting.next_due(self._namespace.clock.now())
        if due != waiting.due and not waiting.came.done():
            waiting.due = due
            if due is not None:
                self._number += 1
                heappush(self._releases, (due, self._number, waiting))
                self.start()

    def _release_ahead(self) -> Instant | None:
        releases = self._releases
        while releases and releases[0][2].due != releases[0][0]:
            heappop(releases)
        return releases[0][0] if releases else None

    def _callback_ahead(self) -> Instant | None:
        return None if self._callbacks is None else self._callbacks.ahead()

    def ahead(self) -> Instant | None:
        """When the next job falls due; ``None``: no instant is known of any."""
        dues = [at for at in (self._release_ahead(), self._callback_ahead()) if at is not None]
        return min(dues, default=None)

    # Doing it

    async def do_next(self) -> None:
        """Do the job that falls due first, to its end. At one instant answers go before callbacks."""
        released, called = self._release_ahead(), self._callback_ahead()
        if released is not None and (called is None or released <= called):
            self._release()
            await breathe()
        elif called is not None:
            await asyncio.wait({self._begun()})

    def _release(self) -> None:
        at, _, waiting = heappop(self._releases)
        waiting.due, waiting.seen = None, at
        if not waiting.came.done():
            waiting.came.set_result(at)

    def _begun(self) -> asyncio.Task[None]:
        """The callback that falls due first, on its way: from here on its attempt is a fact."""
        assert self._callbacks is not None
        popped = self._callbacks.pop(LAST_INSTANT)
        assert popped is not None
        _, task = popped
        due = callback_due(task)
        assert due is not None
        attempt = Attempt(due[1], self._namespace.clock.now())
        task = msgspec.structs.replace(task, attempts=(*task.attempts, attempt))
        self._namespace.store.renew(task)
        self._callbacks.expect(task, task.created_at)
        sending = asyncio.get_running_loop().create_task(self._sent(task))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        return sending

    async def _sent(self, task: Task) -> None:
        namespace, number = self._namespace, len(task.attempts) - 1
        outcome = await self._send(namespace, task)
        attempt = msgspec.structs.replace(
            task.attempts[number],
            ended_at=namespace.clock.now(),
            status_code=outcome.status_code,
            problem=outcome.problem,
            is_refused=outcome.is_refused,
        )
        present = namespace.store.get(task.provider, task.id)
        if present is None:
            return
        attempts = (*present.attempts[:number], attempt, *present.attempts[number + 1 :])
        present = msgspec.structs.replace(present, attempts=attempts)
        namespace.store.renew(present)
        if attempt.is_delivered:
            self._meet(present, attempt.at)
        if namespace.passage is not None:
            namespace.passage.tell(present, attempt)
        self.expect(present)

    def _meet(self, task: Task, at: Instant) -> None:
        """A client that was told an entry has met it as one that polled."""
        index = state_at(task, at).index
        if index < len(task.plan.marks):
            self._namespace.met.add(task.plan.marks[index])

    async def settled(self) -> None:
        """Wait until what is under way is done."""
        if self._sending:
            await asyncio.wait(set(self._sending))

    # Waiting for it

    def wake(self) -> None:
        """Look anew at what lies ahead: the clock isn't what it was."""
        self._woken.set()

    def start(self) -> None:
        """See to the jobs, if there are any, on the loop that runs; without one nothing happens yet."""
        self._woken.set()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        runner = self._runner
        if runner is not None and not runner.done() and runner.get_loop() is loop:
            return
        if self._held or self.ahead() is not None:
            self._woken = asyncio.Event()
            self._runner = loop.create_task(self._run())

    async def _run(self) -> None:
        while (at := self.ahead()) is not None or self._held:
            self._woken.clear()
            clock, passage = self._namespace.clock, self._namespace.passage
            if at is not None and passage is None and at <= clock.now():
                await self._do_due()
            elif at is not None and passage is None and clock.mode == "auto":
                await self._hurry(at)
            else:
                wait = None if at is None or passage is not None else clock.real_until(at)
                await happens(self._woken, HOUR if wait is None else wait)

    async def _do_due(self) -> None:
        """One after the other where the clock stands; else nobody waits for a slow receiver of another's."""
        released, called = self._release_ahead(), self._callback_ahead()
        answers_first = released is not None and (called is None or released <= called)
        if answers_first or self._namespace.clock.mode in {"manual", "auto"}:
            await self.do_next()
            return
        if len(self._sending) >= MOST_AT_ONCE:
            await asyncio.wait(set(self._sending), return_when=asyncio.FIRST_COMPLETED)
        else:
            self._begun()

    async def _hurry(self, at: Instant) -> None:
        """Move a clock of the mode ``auto`` to the next job: at once for a held create, else in silence."""
        namespace = self._namespace
        if not self._held:
            total = namespace.journal.total
            if await happens(self._woken, SILENCE) or namespace.journal.total != total:
                return
        if namespace.passage is None and namespace.clock.mode == "auto":
            namespace.hurry_to(min(max(at, namespace.clock.now()), LAST_INSTANT))

    # Forgetting it

    def clear(self) -> None:
        """Forget every job: what is under way is given up, what is held is told."""
        for sending in self._sending:
            sending.cancel()
        waiting = list(self._held.values())
        self._held.clear()
        self._releases.clear()
        self._callbacks = None
        for create in waiting:
            create.due = None
            if not create.came.done():
                create.came.set_exception(Forgotten())
        if self._runner is not None:
            if self._runner.get_loop().is_running():
                self._runner.cancel()
            self._runner = None


def _callback_due(task: Task, _now: Instant) -> Instant | None:
    due = callback_due(task)
    return None if due is None else due[0]
