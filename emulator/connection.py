"""The connection behind an ASGI request: whether its client is still there, and what only TCP can do to it.

ASGI's messages can't reset a connection, nor write what isn't HTTP. So this looks for the transport that the server
writes to: our own server puts it into the scope, and uvicorn's cycles, whichever parser they are of, have it too.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from typing import Any, Final, Self

from emulator.clock import breathe, comes_true
from emulator.core.units import SECOND, Duration

EXTENSION: Final = "emulator.transport"
"""Under this name among a scope's extensions our server hands its transport over."""
_HIGH_WATER: Final = 256 * 1024
"""So much may wait to be sent before more is written, in bytes."""
_PATIENCE: Final[Duration] = 5 * SECOND
"""How long a client may take to receive what comes before a reset."""
# SO_LINGER with no time to linger: what is closed is reset. The system's own struct has other fields on Windows.
_NO_LINGER: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class NoConnection(RuntimeError):
    """A fault strikes a request that came over no connection that could be broken."""


class Client:
    """The client of one request: it may leave at any time, which ends whatever is held for it.

    Use it as a context manager, which begins to watch.
    """

    def __init__(self, receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
        self._receive = receive
        self._gone: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._gone = asyncio.ensure_future(self._leaves())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.cancel()
        with suppress(asyncio.CancelledError):
            await self._gone

    async def _leaves(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            await breathe()

    @property
    def has_left(self) -> bool:
        """Whether it has left."""
        return self._gone.done()

    async def stays(self, pause: Awaitable[object]) -> bool:
        """Whether the client is still there when the pause is over. A pause ends at once when it leaves."""
        waiting = asyncio.ensure_future(pause)
        try:
            await asyncio.wait({waiting, self._gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        return not self._gone.done()

    async def left(self) -> None:
        """Return when the client has left, or the connection was closed from here."""
        with suppress(asyncio.CancelledError):
            await asyncio.wait({self._gone})


class Connection:
    """A connection that can be broken."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    async def write(self, data: bytes) -> None:
        """Write bytes that are no part of a proper answer, when there is room for them."""
        if not self._transport.is_closing():
            self._transport.write(data)
            await comes_true(self._has_room)

    def _has_room(self) -> bool:
        transport = self._transport
        return bool(transport.is_closing() or transport.get_write_buffer_size() < _HIGH_WATER)

    def close(self) -> None:
        """Close it in good order, when all that was written is sent."""
        self._transport.close()

    def abort(self) -> None:
        """Close it at once. Over TLS `close` says so first, and waits for the client to say it, too."""
        self._transport.abort()

    async def reset(self) -> None:
        """Reset it, when its client has received what was written: a reset throws away what is still on its way."""
        for _ in range(2):  # what TLS holds back isn't seen before the loop comes round
            await comes_true(self._is_sent, _PATIENCE)
        sock = self._transport.get_extra_info("socket")
        if sock is not None and not self._transport.is_closing():
            with suppress(OSError):  # a socket that knows of no lingering, such as one of the file system
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._transport.abort()

    def _is_sent(self) -> bool:
        transport = self._transport
        return transport.is_closing() or not (transport.get_write_buffer_size() or _unacknowledged(transport))


def _unacknowledged(transport: Any) -> int:
    """How many bytes the system hasn't delivered yet, where it tells."""
    try:
        # Imported when first used: only a reset asks. Windows has neither.
        from array import array  # noqa: PLC0415
        from fcntl import ioctl  # noqa: PLC0415
        from termios import TIOCOUTQ  # noqa: PLC0415
    except ImportError:
        return 0
    sock = transport.get_extra_info("socket")
    waiting = array("i", [0])
    try:
        ioctl(sock.fileno(), TIOCOUTQ, waiting)
    except (AttributeError, OSError):  # no socket, or one of a kind that doesn't tell
        return 0
    return waiting[0]


def reached(scope: Mapping[str, Any], send: Any) -> Connection | None:
    """The connection that a request came over; ``None``: it can't be reached, or there is none."""
    transport = (scope.get("extensions") or {}).get(EXTENSION)
    if transport is None:
        # `send` is a method of uvicorn's cycle, unless some middleware put a function of its own in its place.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
    return Connection(transport) if hasattr(transport, "abort") else None
