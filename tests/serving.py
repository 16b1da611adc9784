"""The real server for tests: the command in a process of its own, or an application in a thread of this one.

Nobody sleeps: a server counts as up once it says so, and every wait on a socket has a bound.
"""

import http.client
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, Self

import msgspec
import pytest

from emulator import server
from emulator.app import App
from emulator.server import Address
from tests.worlds import KEY, Answer

HOST: Final = "127.0.0.1"
PATIENCE: Final = 60.0
"""Seconds until a server that doesn't answer fails the test."""
_ROOT: Final = Path(__file__).parent.parent
_BANNER: Final = re.compile(r"serves on (http://127\.0\.0\.1:(\d+))\.")
Fields = Mapping[str, str] | Sequence[tuple[str, str | bytes]]
"""Header fields; a sequence may hold one name twice."""


class Served(msgspec.Struct, frozen=True):
    """A server that answers, and how to speak to it."""

    port: int

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://{HOST}:{self.port}"

    def call(self, method: str, target: str, body: Any = None, headers: Fields | None = None) -> Answer:
        """One request on a connection of its own; a body that isn't bytes goes as JSON, the target as it stands."""
        given = KEY if headers is None else headers
        fields = list(given.items()) if isinstance(given, Mapping) else list(given)
        named = {name.lower() for name, _ in fields}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            if "content-type" not in named:
                fields.append(("content-type", "application/json"))
        if body is not None and not named & {"content-length", "transfer-encoding"}:
            fields.append(("content-length", str(len(body))))
        if "host" not in named:
            fields.insert(0, ("host", f"{HOST}:{self.port}"))
        head = [f"{method} {target} HTTP/1.1".encode(), *map(_line, fields), b"", b""]
        return self.send(b"\r\n".join(head) + (body or b""), method=method)

    def get(self, target: str, **others: Any) -> Answer:
        """One GET."""
        return self.call("GET", target, **others)

    def post(self, target: str, body: Any = None, **others: Any) -> Answer:
        """One POST."""
        return self.call("POST", target, body, **others)

    def send(self, data: bytes, *, method: str = "GET") -> Answer:
        """The answer to what may be a request: the bytes go over the wire as they are."""
        with self.connect() as wire:
            wire.send([data])
            return wire.answer(method)

    def connect(self) -> "Wire":
        """A connection. Close it, or use it as a context manager."""
        return Wire(socket.create_connection((HOST, self.port), timeout=PATIENCE))

    def move_clock(self, to: str) -> None:
        """Put the clock forward to an instant such as ``2025-01-01T00:00:00Z``."""
        answer = self.call("PUT", "/__admin/clock", {"now": to})
        assert answer.status_code == 200, answer.body

    def advance_clock(self, by: str) -> None:
        """Move the clock forward by a duration such as ``5m``."""
        answer = self.call("POST", "/__admin/clock/advance", {"by": by})
        assert answer.status_code == 200, answer.body


def _line(field: tuple[str, str | bytes]) -> bytes:
    name, value = field
    return name.encode("latin-1") + b": " + (value if isinstance(value, bytes) else value.encode("latin-1"))


class Wire:
    """A connection on which bytes are sent as they are and answers read one after the other."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._file: IO[bytes] = sock.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self.sock.close()

    def send(self, chunks: Iterable[bytes]) -> None:
        """Send bytes. A server that has answered and left before the last of them is no failure."""
        try:
            for chunk in chunks:
                self.sock.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self, method: str = "GET") -> Answer:
        """The next answer on the connection.

        Raises:
            http.client.HTTPException: what came is none.
            TimeoutError: nothing came.
        """
        response = http.client.HTTPResponse(_Kept(self._file), method=method)  # type: ignore[arg-type]
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())

    def line(self) -> bytes:
        """The next line, with its line break."""
        return self._file.readline()

    def is_at_end(self) -> bool:
        """Whether the server has closed the connection and nothing more came."""
        return self._file.read(1) == b""


class _Kept(io.BytesIO):
    """Hands a connection's one buffered file to each `HTTPResponse`, which would make, and close, its own."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._kept = file

    def makefile(self, _mode: str) -> "_Kept":
        return self

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._kept.readline(-1 if size is None else size)

    def read(self, size: int | None = -1, /) -> bytes:
        return self._kept.read(-1 if size is None else size)

    def readinto(self, buffer: Any, /) -> int:
        return self._kept.readinto(buffer)  # type: ignore[attr-defined, no-any-return]


class Process(Served, frozen=True):
    """``video-emulator serve`` in a process of its own."""

    popen: "subprocess.Popen[str]"
    stderr: IO[str]

    @property
    def log(self) -> str:
        """What the process has written to stderr."""
        return _text(self.stderr)

    @property
    def peak_memory(self) -> int:
        """The most memory that the process has had in use, in bytes. On Linux alone."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.popen.pid}/status").read_text())
        assert found is not None
        return int(found[1]) * 1024


@contextmanager
def process(*arguments: str) -> Iterator[Process]:
    """The whole command, on a free port, for as long as the ``with`` lasts; then it has to stop by itself.

    Its log tells the traceback of a defect.
    """
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", *arguments]
    own = {name: value for name, value in os.environ.items() if not name.startswith("VIDEO_EMULATOR_")}
    own["VIDEO_EMULATOR_DEBUG"] = "1"
    with (
        # Appended to, because the process and whoever reads share one place in the file.
        tempfile.TemporaryFile("a+", encoding="utf-8", errors="replace") as log,
        subprocess.Popen(  # noqa: S603 - our own command
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=_ROOT, env=own
        ) as popen,
    ):
        try:
            yield Process(_announced_port(popen, log), popen, log)
            popen.terminate()
            assert popen.wait(PATIENCE) == 0
        finally:
            popen.kill()


def _announced_port(popen: "subprocess.Popen[str]", log: IO[str]) -> int:
    assert popen.stdout is not None
    for line in popen.stdout:
        found = _BANNER.search(line)
        if found is not None:
            return int(found[2])
    raise AssertionError(f"the server ended with status {popen.wait(PATIENCE)}: {_text(log)}")


def _text(log: IO[str]) -> str:
    log.seek(0)
    return log.read()


@contextmanager
def thread(app: App) -> Iterator[Served]:
    """An application behind a real socket, in a thread of this process, for as long as the ``with`` lasts."""
    is_up = threading.Event()
    address = Address(host=HOST, port=0)
    sock = server.listen(address)
    served = server.made(app, address, is_up.set)
    runner = threading.Thread(target=served.run, kwargs={"sockets": [sock]}, daemon=True)
    runner.start()
    try:
        assert is_up.wait(PATIENCE)
        yield Served(sock.getsockname()[1])
    finally:
        served.should_exit = True
        runner.join(PATIENCE)
        assert not runner.is_alive()


def tool(command: Sequence[str]) -> list[str]:
    """A command with its program's whole path; where the program isn't installed, the test skips."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"{command[0]} isn't installed; `make test` installs it where it may")
    return [program, *command[1:]]
