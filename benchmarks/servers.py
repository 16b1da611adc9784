"""Starting the contenders, each in a process of its own, and asking them."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.machine import CannotMeasure, Place, cpu_seconds, resident_bytes, running_on

ROOT: Final = Path(__file__).resolve().parents[1]
_PATIENCE: Final = 120.0
"""How many seconds a server may take to seed its tasks and listen."""
_PROMPT_ANSWER: Final = 20.0


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """Which contender to start; it gets this as JSON."""

    size: int = 0
    """Of a constant answer, in bytes; 0: the emulator itself."""
    scenario: str = ""
    """The YAML of the active scenario."""
    tasks: int = 0
    """How many tasks each of the providers has."""
    providers: tuple[str, ...] = ()
    ids: str = ""
    """The folder for one file of ids for each provider."""
    more: int = 0
    """How many tasks to create on top of these, while pauses are measured."""


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What a contender says when it listens."""

    port: int = 0
    bytes_per_task: float = 0.0
    """Resident memory that a task takes, besides its request's JSON."""
    seeding_seconds: float = 0.0
    worst_collection: float = 0.0
    """The longest that the cycle collector stopped everything while more tasks were created, in seconds."""
    longest_create: float = 0.0
    """The longest that one of those creates took, in seconds."""
    longest_seeding_create: float = 0.0
    """The longest that one of all the others took, in seconds."""


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A contender that listens."""

    name: str
    pid: int
    ready: Ready

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.ready.port


@contextmanager
def serving(name: str, spec: Spec, place: Place) -> Iterator[Server]:
    """The contender, until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.contender", msgspec.json.encode(spec).decode()]
    with running_on(place.server):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, env=place.environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise CannotMeasure(f"{name} didn't start; what it said stands above")
        yield Server(name=name, pid=process.pid, ready=msgspec.json.decode(line, type=Ready))
    finally:
        process.kill()
        process.communicate()


def answer_length(port: int, request: bytes) -> int:
    """How many bytes of body the answer to a request has.

    Raises:
        CannotMeasure: its status isn't 200.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_PROMPT_ANSWER) as connection:
        connection.sendall(request)
        head, _, body = connection.recv(1 << 16).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise CannotMeasure(f"expected an answer with status 200, got {head!r} {body!r}")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
    return int(length.split()[1])


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One start of a command."""

    seconds: float
    """From its beginning to its first answer, or to its end."""
    cpu: float = 0.0
    """Seconds of processor time up to that answer."""
    resident: int = 0
    """Bytes of memory after it."""


def started(command: Sequence[str], place: Place) -> Start:
    """How long a server takes from its start to its first answer. It gets a free port as its last argument."""
    port = _free_port()
    began = time.perf_counter()
    with running_on(place.server):
        process = subprocess.Popen([*command, str(port)], cwd=ROOT, env=place.environment, **_QUIET)
    try:
        _first_answer(port, process)
        lasted, pid = time.perf_counter() - began, process.pid
        return Start(seconds=lasted, cpu=cpu_seconds(pid), resident=resident_bytes(pid))
    finally:
        process.kill()
        process.wait()


def ran(command: Sequence[str], place: Place) -> Start:
    """How long a command takes to its end."""
    began = time.perf_counter()
    with running_on(place.server):
        process = subprocess.Popen(command, cwd=ROOT, env=place.environment, **_QUIET)
    if process.wait():
        raise CannotMeasure(f"{' '.join(command)} ended with status {process.returncode}")
    return Start(seconds=time.perf_counter() - began)


def printed(command: Sequence[str], place: Place) -> str:
    """What a command writes to its standard output."""
    return _done(command, place).stdout


def printed_errors(command: Sequence[str], place: Place) -> str:
    """What a command writes to its standard error."""
    return _done(command, place).stderr


def _done(command: Sequence[str], place: Place) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        command, cwd=ROOT, env=place.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotMeasure(f"{' '.join(command)[:200]} ended with status {done.returncode}: {done.stderr}")
    return done


_QUIET: Final[dict[str, Any]] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
_POLL: Final = (
    b"GET /octopusx/v1/videos/nobody HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer sk-bench-1\r\n\r\n"
)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _first_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    given_up = time.monotonic() + _PROMPT_ANSWER
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(_POLL)
                if connection.recv(64).startswith(b"HTTP/1.1 "):
                    return
        except OSError:
            time.sleep(0.0005)
        if process.poll() is not None or time.monotonic() > given_up:
            raise CannotMeasure(f"{process.args!r} didn't answer; run it by hand to see why")
