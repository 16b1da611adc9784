"""Servers of every kind that an answer may break on: ours, and plain uvicorn, on either parser, loop, and over TLS."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import msgspec
import uvicorn

from emulator import server
from emulator.server import Address
from tests.serving import HOST, PATIENCE, Served
from tests.worlds import KEY, World

CERTIFICATE: Final = Path(__file__).parents[1] / "tls" / "self-signed.pem"
TASK: Final = "video_1"
POLL: Final = f"/octopusx/v1/videos/{TASK}"
SCENARIO: Final = """
version: 1
profile: documented
seed: 7
tasks:
  - {id: video_1, request: {prompt: a cat, seconds: "4", size: 720x1280}, timeline: [{status: completed}]}
  - timeline: [{status: completed}]
"""


class Kind(msgspec.Struct, frozen=True):
    """How an application is served."""

    http: str = "ours"
    loop: str = "uvloop"
    tls: bool = False

    def __str__(self) -> str:
        return f"{self.http}-{self.loop}{'-tls' if self.tls else ''}"


KINDS: Final = [
    *(Kind(http, loop) for http in ("ours", "httptools", "h11") for loop in ("uvloop", "asyncio")),
    *(Kind(http, loop, tls=True) for http in ("ours", "h11") for loop in ("uvloop", "asyncio")),
]


def world(*rules: str) -> World:
    """An application with a completed task and these rules."""
    return World(SCENARIO + "rules:\n" + "".join(f"  - {rule}\n" for rule in rules))


def faulty(*faults: str, operation: str = "poll") -> World:
    """An application in which a request meets the fault that its header ``x-fault`` names."""
    return world(
        *(f'{{operation: {operation}, match: {{header.x-fault: "{f}"}}, fault: {f}}}' for f in faults)
    )


@contextmanager
def serving(app: object, kind: Kind = Kind()) -> Iterator[Served]:  # noqa: B008 - it is frozen
    """An application behind a socket, in a thread, for as long as the ``with`` lasts."""
    is_up = threading.Event()
    pem = str(CERTIFICATE) if kind.tls else None
    address = Address(host=HOST, port=0, tls_cert=pem, tls_key=pem, grace=0.1)
    sock = server.listen(address)
    made: uvicorn.Server
    if kind.http == "ours":
        made = server.made(app, address, is_up.set)
        made.config.loop = kind.loop
    else:
        made = _Plain(_config(app, kind, pem))
        made.is_up = is_up
    runner = threading.Thread(target=made.run, kwargs={"sockets": [sock]}, daemon=True)
    runner.start()
    try:
        assert is_up.wait(PATIENCE)
        yield Served(sock.getsockname()[1])
    finally:
        made.should_exit = True
        runner.join(PATIENCE)
        assert not runner.is_alive()


class _Plain(uvicorn.Server):
    """uvicorn as anybody starts it."""

    is_up: threading.Event

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


def _config(app: Any, kind: Kind, pem: str | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=kind.http,
        loop=kind.loop,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
        ssl_certfile=pem,
        ssl_keyfile=pem,
    )


class Heard(msgspec.Struct, frozen=True):
    """What came over a connection, and how it ended: in good order, by a reset, or not yet."""

    data: bytes
    end: str

    @property
    def head(self) -> bytes:
        """Status line and header fields."""
        return self.data.partition(b"\r\n\r\n")[0].lower()

    @property
    def body(self) -> bytes:
        """All that came behind the head."""
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def announced(self) -> int:
        """What the head says of the body's length."""
        line = next(line for line in self.head.split(b"\r\n") if line.startswith(b"content-length: "))
        return int(line.partition(b": ")[2])


class Line:
    """A connection of bare bytes. TLS is spoken beside the socket, which Python's own would keep a reset from."""

    def __init__(self, served: Served, *, tls: bool = False) -> None:
        self.served = served
        self.sock = socket.create_connection((HOST, served.port), timeout=PATIENCE)
        self._coming, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _context().wrap_bio(self._coming, self._going) if tls else None
        self._is_known = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        if self._tls is None:
            self.sock.sendall(data)
            return
        if not self._is_known:
            self._is_known = self._spoken(_known) == b"known"
        self._tls.write(data)
        self.sock.sendall(self._going.read())

    def receive(self) -> bytes:
        """What comes next; empty: the end.

        Raises:
            ConnectionResetError: the connection was reset.
            BlockingIOError: nothing has come, and nobody waits for it.
        """
        if self._tls is None:
            return self.sock.recv(65536)
        return self._spoken(lambda tls: tls.read(65536))

    def _spoken(self, say: Callable[[ssl.SSLObject], bytes]) -> bytes:
        assert self._tls is not None
        while True:
            try:
                return say(self._tls)
            except ssl.SSLWantReadError:
                pass
            finally:
                if self._going.pending:
                    self.sock.sendall(self._going.read())
            came = self.sock.recv(65536)
            if not came:
                return b""
            self._coming.write(came)

    def rest(self) -> Heard:
        """All that comes until the connection ends."""
        got = b""
        while True:
            try:
                piece = self.receive()
            except ConnectionResetError:
                return Heard(got, "reset")
            if not piece:
                return Heard(got, "closed")
            got += piece

    def until_silent(self, length: int | None) -> Heard:
        """What comes before the server falls silent: so many bytes behind a head, or ``None``: not even that."""
        got = b""
        while length is not None and (b"\r\n\r\n" not in got or len(Heard(got, "").body) < length):
            piece = self.receive()
            assert piece, "it was closed"
            got += piece
        # The server has had its turn since when it has answered somebody else.
        with Line(self.served, tls=self._tls is not None) as other:
            other.send(request("/nothing/here", connection="close"))
            assert b"video-emulator" in other.rest().data
        self.sock.setblocking(False)
        try:
            raise AssertionError(f"it went on: {self.receive()!r}")
        except BlockingIOError:
            return Heard(got, "held")
        finally:
            self.sock.settimeout(PATIENCE)


def _known(tls: ssl.SSLObject) -> bytes:
    tls.do_handshake()
    return b"known"


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def request(target: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> bytes:
    """One request as bytes."""
    fields = {"host": HOST, **KEY, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if body:
        fields |= {"content-type": "application/json", "content-length": str(len(body))}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def heard(served: Served, data: bytes, *, tls: bool = False) -> Heard:
    """All that a server answers, until the connection ends."""
    with Line(served, tls=tls) as line:
        line.send(data)
        return line.rest()
