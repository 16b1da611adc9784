"""The HTTP server: uvicorn, set up for many small answers, on a socket of our own."""

import asyncio
import errno
import logging
import signal
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec
import uvicorn

from emulator.clock import breathe
from emulator.protocol import Protocol

_BACKLOG: Final = 2048
_ABOUT_THE_PORT: Final = frozenset({errno.EADDRINUSE, errno.EACCES})
_ROUNDS: Final = 10
"""Of a loop, in which connections that were given up are closed."""
_PORT_REPAIR: Final = "choose another with --port, or 0 for a free one"


class CannotListen(OSError):
    """The address can't be listened on; the text says why and what would work."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how to listen."""

    host: str = "127.0.0.1"
    port: int = 8080
    """0: a free port of the system's choice."""
    grace: float = 1.0
    """How many seconds requests in flight may take to finish after a request to stop."""
    tls_cert: str | None = None
    tls_key: str | None = None


def listen(address: Address) -> socket.socket:
    """A socket that listens.

    Raises:
        CannotListen: the port is in use, or the host isn't of this machine.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        sock = socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    except OSError as problem:
        where = f"{address.host} port {address.port}"
        repair = _PORT_REPAIR if problem.errno in _ABOUT_THE_PORT else "choose another --host"
        # create_server tells the address a second time.
        reason = (problem.strerror or str(problem)).partition(" (while")[0]
        raise CannotListen(f"cannot listen on {where}: {reason}; {repair}") from None
    except (OverflowError, ValueError) as problem:
        raise CannotListen(f"cannot listen on {address.host} port {address.port}: {problem}") from None
    sock.setblocking(False)
    return sock


def run(app: Any, address: Address, sock: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve on ``sock`` until a signal asks to stop; ``on_ready`` is called when requests are answered."""
    server = made(app, address, on_ready)
    # uvicorn takes signals from its start on, and when it has stopped raises them once more. Before that
    # this stops it as soon as it has started; after it, it changes nothing, and the process goes on to its end.
    signal.signal(signal.SIGTERM, server.stop)
    server.run(sockets=[sock])


def made(app: Any, address: Address, on_ready: Callable[[], None]) -> "_Announcing":
    """The server that `run` runs, for a caller that minds the signals or has none, such as a thread."""
    # uvicorn's own log tells of tracebacks and of nothing that ours doesn't tell better.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    server = _Announcing(_config(app, address))
    server.on_ready = on_ready
    return server


def _config(app: Any, address: Address, *, access_log: bool = False) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=access_log,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,  # links name another address by --public-url, not by what a request says
        timeout_graceful_shutdown=address.grace,  # type: ignore[arg-type] # seconds; a fraction works too
        ssl_certfile=address.tls_cert,
        ssl_keyfile=address.tls_key,
    )


class _Announcing(uvicorn.Server):
    """Tells when it listens, and closes what is held when it stops."""

    on_ready: Callable[[], None]

    def stop(self, _signal: int, _frame: object) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _tell(self.config.app, "start")
        self.on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        _tell(self.config.app, "stop")
        # To what is still held after the grace uvicorn would answer 500, which no scenario asked for.
        grace = self.config.timeout_graceful_shutdown or 0
        asyncio.get_running_loop().call_later(grace, self._close_connections)
        await super().shutdown(sockets)

    def _close_connections(self) -> None:
        for connection in list(self.server_state.connections):
            # Over TLS `close` would wait for clients that hang on, longer than the loop lasts.
            connection.transport.abort()


def _tell(app: Any, word: str) -> None:
    """Call a method of the application's, where it has one of this name: any ASGI application can be served."""
    method = getattr(app, word, None)
    if method is not None:
        method()


class Listening:
    """An application on a socket, on a loop that others run: neither a thread nor a loop of its own.

    uvicorn's server looks at its flags every 100 ms and sleeps as long while a connection is open, so stopping it costs
    a test more than the test does. This opens and closes in less than a millisecond.
    """

    def __init__(self, app: Any, address: Address) -> None:
        # With False uvicorn would silence the access log of every other server in this process.
        self._config = _config(app, address, access_log=True)
        self._config.load()
        self._state = uvicorn.server.ServerState()
        self._logger = logging.getLogger("emulator.listening")
        self._logger.setLevel(logging.CRITICAL)  # as in `made`
        self._server: asyncio.Server

    async def open(self, sock: socket.socket) -> None:
        """Listen on the socket from now on."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, sock=sock, backlog=_BACKLOG)
        _tell(self._config.app, "start")

    def _protocol(self) -> Protocol:
        protocol = Protocol(config=self._config, server_state=self._state, app_state={})
        # Its own, since the process may have other servers of uvicorn's, whose log tells what it should.
        protocol.logger, protocol.access_log = self._logger, False
        return protocol

    async def close(self) -> None:
        """Listen no more; connections are closed, and what is still held is cancelled."""
        self._server.close()
        for connection in cast("list[Protocol]", list(self._state.connections)):
            # Else uvicorn would answer a cancelled request that something is wrong with the server.
            if connection.cycle is not None:  # none at first
                connection.cycle.disconnected = True
            connection.transport.abort()
        for task in list(self._state.tasks):
            task.cancel()
        for _ in range(_ROUNDS):
            await breathe()
            if not self._state.connections:
                return


def check_tls(address: Address) -> None:
    """Raise `CannotListen` where certificate and key can't be used together."""
    if address.tls_cert is None and address.tls_key is None:
        return
    if address.tls_cert is None or address.tls_key is None:
        raise CannotListen("--tls-cert and --tls-key go together; one of them is missing")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            address.tls_cert,
            address.tls_key,
            password=str,  # no password, in place of a question on the terminal
        )
    except (OSError, ssl.SSLError) as problem:
        files = f"{address.tls_cert} and {address.tls_key}"
        raise CannotListen(
            f"cannot use {files}: {problem}; expected a PEM certificate and its key without a password"
        ) from None
