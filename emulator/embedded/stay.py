"""How long a namespace lasts: what goes on being sent to it after its end would make another one of its name."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TypeVar

from emulator.client.calls import Call
from emulator.client.clients import AsyncConnection, Connection
from emulator.client.errors import EmulatorClosed
from emulator.client.events import Event
from emulator.client.place import Place

T = TypeVar("T")


class Stay:
    """Whether an emulator is still open. All that speaks through it asks here first."""

    def __init__(self) -> None:
        self.is_over = False

    def check(self) -> None:
        """Raise `EmulatorClosed` once it is over."""
        if self.is_over:
            raise EmulatorClosed


class Staying:
    """A connection for as long as the stay lasts."""

    def __init__(self, connection: Connection, stay: Stay) -> None:
        self._connection = connection
        self._stay = stay

    @property
    def place(self) -> Place:
        """See `Connection.place`."""
        return self._connection.place

    @property
    def base(self) -> str:
        """See `Connection.base`."""
        self._stay.check()
        return self._connection.base

    def send(self, call: Call[T]) -> T:
        """See `Sender.send`."""
        self._stay.check()
        return self._connection.send(call)

    def listen(self, call: Call[None]) -> AbstractContextManager[Iterator[Event]]:
        """See `Connection.listen`."""
        self._stay.check()
        return self._connection.listen(call)

    def within(self, namespace: str | None) -> "Staying":
        """See `Connection.within`."""
        return Staying(self._connection.within(namespace), self._stay)

    def close(self) -> None:
        """There is nothing to close: it is the server's."""


class AsyncStaying:
    """As `Staying`, for an event loop."""

    def __init__(self, connection: AsyncConnection, stay: Stay) -> None:
        self._connection = connection
        self._stay = stay

    @property
    def place(self) -> Place:
        """See `Connection.place`."""
        return self._connection.place

    @property
    def base(self) -> str:
        """See `Connection.base`."""
        self._stay.check()
        return self._connection.base

    async def send(self, call: Call[T]) -> T:
        """See `Sender.send`."""
        self._stay.check()
        return await self._connection.send(call)

    def listen(self, call: Call[None]) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """See `Connection.listen`."""
        self._stay.check()
        return self._connection.listen(call)

    def within(self, namespace: str | None) -> "AsyncStaying":
        """See `Connection.within`."""
        return AsyncStaying(self._connection.within(namespace), self._stay)

    async def close(self) -> None:
        """There is nothing to close: it is the server's."""
