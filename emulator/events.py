"""Live news of a namespace, for whoever listens: numbered events, in the form of server-sent events.

While nobody listens a namespace has no `Events`. What time alone changes is told when it falls due: a clock that
stands still is moved by somebody, who tells of it; for one that runs each listener waits in real time.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias

import msgspec

from emulator.agenda import Change
from emulator.clock import happens, real_time
from emulator.core.units import SECOND, Duration, Instant, format_instant
from emulator.engine import Namespace
from emulator.journal import Record
from emulator.messages.events import (
    ClockEvent,
    DroppedEvent,
    LostEvent,
    RequestEvent,
    ResetEvent,
    ScenarioEvent,
)
from emulator.timekeeping import agenda_of, message_of, state_of

KINDS: Final = ("request", "task", "clock", "scenario", "reset")
"""What a listener may choose among. ``lost`` and ``dropped`` come to everybody."""
PING: Final[Duration] = 15 * SECOND
"""After so much real time without an event a comment is sent, so that proxies keep the connection."""
ROOM: Final = 10_000
"""How many events wait for a slow listener. Listeners share them; they take a few megabytes at most."""
_AT_ONCE: Final = 200
"""How many go out in one piece: about what a connection takes without a break."""

_Event: TypeAlias = tuple[int, str, bytes]
"""Number, kind and data of an event."""


class Events:
    """Those who listen to one namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._listeners: list[Listener] = []

    def join(self, listener: "Listener") -> None:
        """Tell the listener of everything from now on."""
        if not self._listeners:
            agenda_of(self._namespace)
            self._namespace.journal.watchers.append(self._on_record)
            self._namespace.events = self
        self._listeners.append(listener)

    def leave(self, listener: "Listener") -> None:
        """Tell the listener nothing more; with the last one nothing is left."""
        self._listeners.remove(listener)
        if not self._listeners:
            self._namespace.journal.watchers.remove(self._on_record)
            self._namespace.events = None

    def publish(self, kind: str, message: msgspec.Struct) -> None:
        """Tell everybody who wants to know of this kind; what fell due before is told before."""
        self._namespace.catch_up()
        self._tell(kind, message)

    def changed(self, change: Change) -> None:
        """Tell that a task changed."""
        self._tell("task", message_of(change))

    def clock(self, moved_from: Instant | None = None) -> None:
        """Tell that the clock was moved from an instant, or that it goes on in another way."""
        origin = None if moved_from is None else format_instant(moved_from)
        now = state_of(self._namespace.clock)
        self.publish("clock", ClockEvent(mode=now.mode, now=now.now, scale=now.scale, moved_from=origin))

    def activated(self, name: str) -> None:
        """Tell that a scenario was put in force."""
        self.publish("scenario", ScenarioEvent(name=name, change="activated", at=self._now()))

    def reset(self) -> None:
        """Tell that the namespace begins anew."""
        self.publish("reset", ResetEvent(clock=state_of(self._namespace.clock)))

    def dropped(self) -> None:
        """Tell that the namespace is no more, and end."""
        self._tell("dropped", DroppedEvent(namespace=self._namespace.name))
        self.end()

    def end(self) -> None:
        """End every listener's stream, once it has told what it has."""
        for listener in self._listeners:
            listener.is_over = True
        self.wake()

    def wake(self) -> None:
        """Let every listener look anew at what lies ahead."""
        for listener in self._listeners:
            listener.woken.set()

    def _tell(self, kind: str, message: msgspec.Struct) -> None:
        self._namespace.told += 1
        event = (self._namespace.told, kind, msgspec.json.encode(message))
        for listener in self._listeners:
            listener.offer(event)

    def _on_record(self, record: Record) -> None:
        self.publish("request", _request_in(record))

    def _now(self) -> str:
        return format_instant(self._namespace.clock.now())


class Listener:
    """One of them: a bounded queue, and the stream that it is sent as."""

    def __init__(
        self, namespace: Namespace, kinds: Iterable[str] = KINDS, room: int = ROOM, ping: Duration = PING
    ) -> None:
        self.woken = asyncio.Event()
        self.is_over = False
        self._namespace = namespace
        self._kinds = {*kinds, "dropped"}
        self._ping = ping
        self._waiting: deque[_Event] = deque()
        self._room = room
        self._lost = 0
        self._last_lost = 0

    def offer(self, event: _Event) -> None:
        """Let the event wait until it can be sent; where there is no room the oldest is lost."""
        if event[1] in self._kinds:
            if len(self._waiting) >= self._room:
                self._lost += 1
                self._last_lost = self._waiting.popleft()[0]
            self._waiting.append(event)
        self.woken.set()

    async def stream(self) -> AsyncIterator[bytes]:
        """The events as they come, in pieces of an event stream; it ends with the namespace or the server."""
        yield b": listening\n\n"
        heard_at = real_time()
        while True:
            self.woken.clear()
            piece = b"".join(self._taken())
            quiet = real_time() - heard_at
            if not piece and quiet >= self._ping:
                piece = b": ping\n\n"
            if piece:
                yield piece
                heard_at = real_time()
            elif self.is_over:
                return
            else:
                await happens(self.woken, min(self._ping - quiet, self._until_next()))

    def _taken(self) -> Iterator[bytes]:
        if self._lost:
            yield _written(self._last_lost, "lost", msgspec.json.encode(LostEvent(count=self._lost)))
            self._lost = 0
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            yield _written(*self._waiting.popleft())

    def _until_next(self) -> Duration:
        """How much real time passes before time alone changes a task; what is due by now is told first."""
        at = agenda_of(self._namespace).ahead()
        wait = None if at is None else self._namespace.clock.real_until(at)
        return self._ping if wait is None else wait


@contextmanager
def listening(
    namespace: Namespace, kinds: Iterable[str] = KINDS, room: int = ROOM, ping: Duration = PING
) -> Iterator[Listener]:
    """A listener, for as long as the ``with`` lasts."""
    present = namespace.events
    events = present if isinstance(present, Events) else Events(namespace)
    listener = Listener(namespace, kinds, room, ping)
    events.join(listener)
    try:
        yield listener
    finally:
        events.leave(listener)


def _request_in(record: Record) -> RequestEvent:
    reply = record.reply
    return RequestEvent(
        number=record.number,
        at=format_instant(reply.now),
        provider=None if record.provider is None else record.provider.name,
        operation=record.operation,
        task=None if reply.task is None else reply.task.id,
        status_code=reply.status_code,
    )


def _written(number: int, kind: str, data: bytes) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), data)
