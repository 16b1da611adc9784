"""The two clients: what each can be asked, under one roof."""

import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Final, Protocol, Self

from emulator.client.calls import AsyncSender, Call, S, Sender
from emulator.client.clock import Clock
from emulator.client.coverage import Covered
from emulator.client.events import AsyncEvents, Event, Events, Kind, stream_of
from emulator.client.health import Alive
from emulator.client.metrics import Measured
from emulator.client.namespaces import Namespaces, Resets
from emulator.client.place import Place, checked_url
from emulator.client.providers import Providers
from emulator.client.report import Reports
from emulator.client.requests import Requests
from emulator.client.scenarios import Scenarios
from emulator.client.tasks import Tasks
from emulator.client.times import TimeOut, time_out
from emulator.client.verify import Verifies

_BASES: Final = {
    "acedata-sora": "/acedata",
    "acedata-veo": "/acedata",
    "octopusx": "/octopusx",
    "ezmodel": "/ezmodel",
}


class Connection(Sender, Protocol):
    """What a `Client` speaks through: a pool of connections, or an application in its own process."""

    @property
    def place(self) -> Place:
        """Where the emulator is, and which namespace is meant."""

    @property
    def base(self) -> str:
        """What the URLs of the namespace begin with."""

    def listen(self, call: Call[None]) -> AbstractContextManager[Iterator[Event]]:
        """The events of a stream, from now until the context is left."""

    def within(self, namespace: str | None) -> "Connection":
        """The same to another namespace."""

    def close(self) -> None:
        """Close what was opened."""


class AsyncConnection(AsyncSender, Protocol):
    """As `Connection`, for an event loop."""

    @property
    def place(self) -> Place:
        """As `Connection.place`."""

    @property
    def base(self) -> str:
        """As `Connection.base`."""

    def listen(self, call: Call[None]) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """As `Connection.listen`."""

    def within(self, namespace: str | None) -> "AsyncConnection":
        """As `Connection.within`."""

    async def close(self) -> None:
        """As `Connection.close`."""


class Surface(Alive[S], Verifies[S], Reports[S], Covered[S], Measured[S], Resets[S]):
    """What both clients can be asked: `Client` gives answers, `AsyncClient` coroutines of them."""

    _http: Connection | AsyncConnection

    def __init__(self, sender: S) -> None:
        super().__init__(sender)
        self.clock = Clock(sender)
        """The namespace's clock."""
        self.scenarios = Scenarios(sender)
        """Its scenarios, and the one that is in force."""
        self.tasks = Tasks(sender)
        """Its tasks."""
        self.requests = Requests(sender)
        """What clients asked of it."""
        self.namespaces = Namespaces(sender)
        """All namespaces."""
        self.providers = Providers(sender)
        """The providers that the emulator stands in for."""

    def url(self, provider: str) -> str:
        """The base URL of a provider in this namespace, without ``/v1``.

        Raises:
            ValueError: there is no such provider.
        """
        base = _BASES.get(provider)
        if base is None:
            raise ValueError(f"expected one of {', '.join(_BASES)}, got {provider!r}")
        return f"{self._http.base}{base}"

    @property
    def api_key(self) -> str:
        """An API key that lives in this namespace, for a provider's client."""
        name = self._http.place.namespace
        return "sk-emulator-test-key" if name is None else f"sk-ns-{name}--emulator-test-key"


class Client(Surface[Sender]):
    """A running emulator, asked with blocking calls. It may be shared by threads.

    Used as a context manager it closes its connections at the end; else `close` does.
    """

    _http: Connection
    _closes: bool

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        namespace: str | None = None,
        admin_token: str | None = None,
        timeout: TimeOut = "10s",
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        """Get ready to speak to an emulator; nothing is sent yet.

        Args:
            url: what ``video-emulator serve`` prints.
            namespace: whose clock, scenario, tasks and requests it is about; left out: the default one's.
            admin_token: what ``serve --admin-token`` was given.
            timeout: how long a single call may take, in real time: a duration such as ``"10s"``, or seconds.
            verify: for https: whether to judge the server's certificate, or by which context.

        Raises:
            TypeError: one of them is of another type.
            ValueError: the URL or the token can't be one, or the time-out is no duration above 0.
        """
        place = _placed(url, namespace, admin_token, timeout)
        from emulator.client.senders import blocking  # noqa: PLC0415 - httpx2, which calls within a process do without

        self._begin(blocking(place, verify), closes=True)

    def _begin(self, http: Connection, *, closes: bool) -> None:
        super().__init__(http)
        self._http, self._closes = http, closes

    def namespace(self, name: str | None) -> "Client":
        """A client of another namespace over the same connections; ``None``: the default one.

        Closing it closes nothing: the connections are this client's.
        """
        other = Client.__new__(Client)
        other._begin(self._http.within(name), closes=False)  # noqa: SLF001 - one of its own kind
        return other

    def events(self, types: Sequence[Kind] | Kind = ()) -> Events:
        """What happens in the namespace, as it happens; of these types, of this one, or of all."""
        stream = stream_of(types)
        return Events(lambda: self._http.listen(stream))

    def close(self) -> None:
        """Close the connections. The emulator and its namespaces stay as they are."""
        if self._closes:
            self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(Surface[AsyncSender]):
    """As `Client`, for an event loop: each call is awaited. It belongs to the loop that first uses it."""

    _http: AsyncConnection
    _closes: bool

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        namespace: str | None = None,
        admin_token: str | None = None,
        timeout: TimeOut = "10s",
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        """As `Client` is made."""
        place = _placed(url, namespace, admin_token, timeout)
        from emulator.client.senders import for_event_loop  # noqa: PLC0415 - httpx2, as above

        self._begin(for_event_loop(place, verify), closes=True)

    def _begin(self, http: AsyncConnection, *, closes: bool) -> None:
        super().__init__(http)
        self._http, self._closes = http, closes

    def namespace(self, name: str | None) -> "AsyncClient":
        """As `Client.namespace`. There is nothing to await."""
        other = AsyncClient.__new__(AsyncClient)
        other._begin(self._http.within(name), closes=False)  # noqa: SLF001 - one of its own kind
        return other

    def events(self, types: Sequence[Kind] | Kind = ()) -> AsyncEvents:
        """As `Client.events`. There is nothing to await but the events."""
        stream = stream_of(types)
        return AsyncEvents(lambda: self._http.listen(stream))

    async def close(self) -> None:
        """Close the connections. The emulator and its namespaces stay as they are."""
        if self._closes:
            await self._http.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _placed(url: str, namespace: str | None, admin_token: str | None, timeout: TimeOut) -> Place:
    return Place(
        url=checked_url(url), namespace=namespace, admin_token=admin_token, timeout=time_out(timeout)
    )
