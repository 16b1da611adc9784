"""Where namespaces are made: an application in this process, or a server that runs elsewhere."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from emulator.app import App
from emulator.client.clients import AsyncConnection, Connection
from emulator.client.errors import EmulatorClosed
from emulator.client.place import Place, checked_url
from emulator.client.times import TimeOut, time_out
from emulator.embedded.loop_thread import loop_thread
from emulator.embedded.senders import AsyncDirectSender, AsyncOver, Closed, DirectSender
from emulator.embedded.stay import Stay
from emulator.embedded.transport import DirectTransport, ForwardingTransport, Transport
from emulator.library import Library
from emulator.options import Options

if TYPE_CHECKING:
    from emulator.server import Listening

T = TypeVar("T")
_HOST: Final = "127.0.0.1"
_NOWHERE: Final = "http://emulator"
"""What stands where an address is needed and no socket is: transports don't mind the host, and links begin with it."""


class Server(Protocol):
    """Where namespaces are made."""

    @property
    def url(self) -> str:
        """What clients reach it by."""

    def sender(self, namespace: str | None) -> Connection:
        """Sends calls of the control API and waits for their answers."""

    def async_sender(self, namespace: str | None) -> AsyncConnection:
        """Sends calls of the control API for an event loop."""

    def transport(self, namespace: str, stay: Stay) -> Transport:
        """For clients made of httpx or httpx2, as long as the stay lasts."""

    @property
    def is_mine(self) -> bool:
        """Whether it can be reached from this process, rather than from the one that this was forked off."""

    def close(self) -> None:
        """Stop what was started, and close what was opened."""


class Here:
    """An application in this process. It opens a socket when somebody asks for its URL."""

    def __init__(
        self,
        *,
        scenarios: Path | None = None,
        options: Options | None = None,
        listens: bool = True,
        timeout: TimeOut = "10s",
    ) -> None:
        """Make the application.

        Args:
            scenarios: a folder of scenario files.
            options: what `serve` would be told.
            listens: whether it may open a socket; else only transports reach it.
            timeout: how long a call of the control API may take.

        Raises:
            ScenarioError: the folder has files with mistakes.
            OSError: it can't be read.
        """
        self._timeout = time_out(timeout)
        self.app = App(Library(scenarios), options or Options())
        self._thread = loop_thread()
        self._listens = listens
        self._lock = threading.Lock()
        self._listening: Listening | None = None
        self._address = _NOWHERE
        self._is_closed = False
        self._tasks: set[asyncio.Task[Any] | None] = set()

    @property
    def url(self) -> str:
        """What clients reach it by: ``http://127.0.0.1:PORT``, from when it is first asked for.

        Raises:
            EmulatorClosed: it is closed.
            RuntimeError: it was left behind in another process.
        """
        if self._listens and self._listening is None:
            with self._lock:
                if self._listening is None:
                    self._open()
        return self._address

    def _open(self) -> None:
        # uvicorn, which whoever asks through a transport does without.
        from emulator.server import Address, Listening, listen  # noqa: PLC0415

        if self._is_closed:
            raise EmulatorClosed
        address = Address(host=_HOST, port=0)
        listening = Listening(self.app, address)
        sock = listen(address)
        try:
            self._thread.run(listening.open(sock))
        except BaseException:
            sock.close()
            raise
        self._address = f"http://{_HOST}:{sock.getsockname()[1]}"
        self._listening = listening

    def place(self, namespace: str | None) -> Place:
        """One of its namespaces, without a socket."""
        return Place(url=self._address, namespace=namespace, timeout=self._timeout)

    def submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> "Future[T]":
        """The result to come of work on the application's own loop; `Closed` where it is closed first."""
        return self._thread.submit(self._until_closed(work))

    async def _until_closed(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            if self._is_closed:
                raise Closed
            return await work()
        except asyncio.CancelledError:
            if self._is_closed:
                raise Closed from None
            raise
        finally:
            self._tasks.discard(task)

    def sender(self, namespace: str | None) -> DirectSender:
        """Sends calls of the control API and waits for their answers."""
        return DirectSender(self, namespace)

    def async_sender(self, namespace: str | None) -> AsyncDirectSender:
        """Sends calls of the control API for an event loop."""
        return AsyncDirectSender(self, namespace)

    def transport(self, namespace: str, stay: Stay) -> Transport:
        """For clients made of httpx or httpx2: no socket."""
        return DirectTransport(self, namespace, stay)

    @property
    def is_mine(self) -> bool:
        """Whether its loop runs in this process."""
        return self._thread.is_here

    def close(self) -> None:
        """Let go of what is held, and close the socket."""
        if self.is_mine:
            with self._lock:
                self._is_closed = True
                self._thread.run(self._stop())

    async def _stop(self) -> None:
        self.app.stop()
        listening, self._listening = self._listening, None
        for task in list(self._tasks):
            if task is not None:
                task.cancel()
        if listening is not None:
            await listening.close()


class There:
    """A server that runs elsewhere: in a container, say. It stays as it is."""

    is_mine: Final = True

    def __init__(self, url: str, *, admin_token: str | None = None, timeout: TimeOut = "10s") -> None:
        """Get ready to speak to it; nothing is sent yet.

        Raises:
            TypeError: one of them is of another type.
            ValueError: the URL or the token can't be one.
        """
        self.url: Final = checked_url(url)
        self._at = Place(url=self.url, admin_token=admin_token, timeout=time_out(timeout))
        from emulator.client.senders import blocking  # noqa: PLC0415 - httpx2, which an application here does without

        self._http: Final = blocking(self._at, verify=True)

    def sender(self, namespace: str | None) -> Connection:
        """Sends calls of the control API and waits for their answers."""
        return self._http.within(namespace)

    def async_sender(self, namespace: str | None) -> AsyncConnection:
        """Sends calls of the control API for any event loop, over the same connections."""
        return AsyncOver(self._http.within(namespace), self._open_async)

    def _open_async(self) -> AsyncConnection:
        from emulator.client.senders import for_event_loop  # noqa: PLC0415 - httpx2, as above

        return for_event_loop(self._at, verify=True)

    def transport(self, namespace: str, stay: Stay) -> Transport:
        """For clients made of httpx or httpx2: over sockets, since it is elsewhere."""
        return ForwardingTransport(self.url, namespace, stay)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
