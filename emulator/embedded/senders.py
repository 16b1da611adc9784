"""Calls of the control API to an application in this process: what `emulator.client.senders` are, without HTTP.

Beside them, calls for an event loop to an emulator elsewhere.
"""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from functools import partial
from threading import Lock
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from emulator.client.answers import Answer, accepted
from emulator.client.calls import Call
from emulator.client.clients import AsyncConnection, Connection
from emulator.client.errors import EmulatorUnreachable
from emulator.client.events import Event, event_in
from emulator.client.place import Place
from emulator.embedded.exchange import Answered, Asked, answered, stream
from emulator.embedded.loop_thread import crossed, result

T = TypeVar("T")
_END: Final = b""
"""No piece of a stream is empty."""
_BLANK_LINE: Final = b"\n\n"


class Closed(Exception):
    """The application was closed before it had answered."""


class Application(Protocol):
    """An application in this process."""

    app: Any

    @property
    def url(self) -> str:
        """What clients reach it by. Asking opens a socket."""

    def place(self, namespace: str | None) -> Place:
        """One of its namespaces, without a socket."""

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> "Future[T]":
        """The result to come of work on its own loop.

        The result's exception is `Closed` where the application is closed first.
        """


class _Direct:
    """What both kinds of senders have in common."""

    def __init__(self, server: Application, namespace: str | None) -> None:
        self._server = server
        self._namespace = namespace

    @property
    def place(self) -> Place:
        """Where the emulator is, and which namespace is meant."""
        return self._server.place(self._namespace)

    @property
    def base(self) -> str:
        """What the URLs of the namespace begin with. Asking opens a socket."""
        url = self._server.url
        return msgspec.structs.replace(self.place, url=url).base

    def _submitted(self, place: Place, call: Call[Any]) -> "Future[Answered]":
        return self._server.submit(partial(answered, self._server.app, _asked(place, call)))

    def _begun(self, place: Place, call: Call[None]) -> "_Stream":
        arriving = _Stream(place)
        work = partial(stream, self._server.app, _asked(place, call), arriving.answer, arriving.put)
        arriving.flow(self._server.submit(work))
        return arriving


class DirectSender(_Direct):
    """Sends a call and waits for its answer."""

    def send(self, call: Call[T]) -> T:
        """The answer, read."""
        place = self.place
        seconds = place.timeout + call.wait
        with _failures_told(place, seconds):
            answer = result(self._submitted(place, call), seconds)
        return _read(place, call, answer)

    @contextmanager
    def listen(self, call: Call[None]) -> Iterator[Iterator[Event]]:
        """The events of a stream, from now until the context is left."""
        arriving = self._begun(self.place, call)
        try:
            first = result(arriving.next(), None)
            arriving.refuse(call, first)
            with closing(self._events(arriving, first)) as events:
                yield events
        finally:
            arriving.stop()

    @staticmethod
    def _events(arriving: "_Stream", piece: bytes) -> Generator[Event]:
        while piece != _END:
            yield from arriving.events_in(piece)
            piece = result(arriving.next(), None)

    def within(self, namespace: str | None) -> "DirectSender":
        """A sender to another namespace of the same application."""
        return DirectSender(self._server, namespace)

    def close(self) -> None:
        """There is nothing to close."""


class AsyncDirectSender(_Direct):
    """Sends a call without blocking the caller's event loop, whichever it is."""

    async def send(self, call: Call[T]) -> T:
        """The answer, read."""
        place = self.place
        seconds = place.timeout + call.wait
        with _failures_told(place, seconds):
            answer = await crossed(self._submitted(place, call), seconds)
        return _read(place, call, answer)

    @asynccontextmanager
    async def listen(self, call: Call[None]) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of a stream, from now until the context is left."""
        arriving = self._begun(self.place, call)
        try:
            first = await crossed(arriving.next(), None)
            arriving.refuse(call, first)
            async with aclosing(self._events(arriving, first)) as events:
                yield events
        finally:
            arriving.stop()

    @staticmethod
    async def _events(arriving: "_Stream", piece: bytes) -> AsyncGenerator[Event]:
        while piece != _END:
            for event in arriving.events_in(piece):
                yield event
            piece = await crossed(arriving.next(), None)

    def within(self, namespace: str | None) -> "AsyncDirectSender":
        """A sender to another namespace of the same application."""
        return AsyncDirectSender(self._server, namespace)

    async def close(self) -> None:
        """There is nothing to close."""


class AsyncOver:
    """Sends calls in worker threads, by a sender that blocks.

    It belongs to no event loop, and has no connections of its own that one would have to close.
    """

    def __init__(self, connection: Connection, open_async: Callable[[], AsyncConnection]) -> None:
        self._connection = connection
        self._open_async = open_async

    @property
    def place(self) -> Place:
        """Where the emulator is, and which namespace is meant."""
        return self._connection.place

    @property
    def base(self) -> str:
        """What the URLs of the namespace begin with."""
        return self._connection.base

    async def send(self, call: Call[T]) -> T:
        """The answer, read."""
        from anyio.to_thread import run_sync  # noqa: PLC0415 - which an application here does without

        return await run_sync(self._connection.send, call, abandon_on_cancel=True)

    @asynccontextmanager
    async def listen(self, call: Call[None]) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of a stream, over a connection that lasts until the context is left."""
        connection = self._open_async()
        try:
            async with connection.within(self.place.namespace).listen(call) as events:
                yield events
        finally:
            await connection.close()

    def within(self, namespace: str | None) -> "AsyncOver":
        """A sender to another namespace of the same emulator."""
        return AsyncOver(self._connection.within(namespace), self._open_async)

    async def close(self) -> None:
        """There is nothing to close."""


def _asked(place: Place, call: Call[Any]) -> Asked:
    parts = urlsplit(place.target(call))
    headers = [(name.encode(), value.encode()) for name, value in place.headers(call).items()]
    headers.append((b"host", parts.netloc.encode()))
    if call.body:
        headers.append((b"content-length", b"%d" % len(call.body)))
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return Asked(
        method=call.method, scheme=parts.scheme, target=target.encode(), headers=headers, body=call.body
    )


@contextmanager
def _failures_told(place: Place, seconds: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise place.silent(seconds) from None
    except Closed:
        raise _gone(place) from None


def _gone(place: Place) -> EmulatorUnreachable:
    return EmulatorUnreachable(place.url, "it was closed meanwhile", "close it when nobody needs it any more")


def _read(place: Place, call: Call[T], answer: Answered) -> T:
    content_type = answer.header(b"content-type").lower()
    return call.read(accepted(Answer(place.url, answer.status_code, content_type, answer.body)))


class _Stream:
    """A stream of server-sent events, from the loop that sends them to whoever asks for its pieces."""

    def __init__(self, place: Place) -> None:
        self.answer = Answered()
        self._place = place
        self._lock = Lock()
        self._pieces: deque[bytes] = deque()
        self._asked: Future[bytes] | None = None
        self._rest = b""
        self._future: Future[None]

    def flow(self, future: "Future[None]") -> None:
        """Take over what is being streamed; its end, whatever it is, ends the stream."""
        self._future = future
        future.add_done_callback(lambda _: self.put(_END))

    def stop(self) -> None:
        """Want no more."""
        self._future.cancel()

    def put(self, piece: bytes) -> None:
        """Hand over a piece, in any thread."""
        with self._lock:
            asked, self._asked = self._asked, None
            if asked is None or not asked.set_running_or_notify_cancel():
                self._pieces.append(piece)
                return
        asked.set_result(piece)

    def next(self) -> "Future[bytes]":
        """The next piece; empty: there will be no more."""
        future: Future[bytes] = Future()
        with self._lock:
            if self._pieces:
                future.set_result(self._pieces.popleft())
            else:
                self._asked = future
        return future

    def refuse(self, call: Call[None], first: bytes) -> None:
        """Raise what the answer says where it isn't the beginning of a stream."""
        if self.answer.status_code == 0:
            raise _gone(self._place)
        self.answer.body = b"" if self.answer.status_code == 200 else first
        _read(self._place, call, self.answer)

    def events_in(self, piece: bytes) -> Iterator[Event]:
        """The events that are whole with this piece."""
        *whole, self._rest = (self._rest + piece).split(_BLANK_LINE)
        for block in whole:
            fields = dict(_field(line) for line in block.decode().splitlines() if not line.startswith(":"))
            if "data" in fields:
                event = event_in(self._place.url, fields.get("event", "message"), fields["data"])
                if event is not None:
                    yield event


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")
