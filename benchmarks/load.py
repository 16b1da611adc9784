"""The load: keep-alive connections that each send a request as soon as they have their answer.

wrk makes it where it is installed, else `benchmarks.hammer`. Neither sends a request before the answer to the
one before has come.
"""

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.machine import CannotMeasure, Place, busy_seconds, cpu_seconds, running_on
from benchmarks.servers import ROOT, Server

CONNECTIONS: Final = 16
MOST_FOREIGN: Final = 0.15
"""In cores: a slice in which other work took more is left out."""
SATURATED: Final = 0.97
"""In cores: where the load itself took more, it may have been what limited the slice."""
_DRAWN: Final = 60_000
"""How many ids are drawn for a slice: about as many as it asks for."""
_LUA: Final = ROOT / "benchmarks" / "polls.lua"


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of a slice: each names one of `ids`, at random, between `before` and `after`."""

    before: bytes
    after: bytes
    ids: Path
    """A file with an id on each line, all of the same length."""


def get(path: str, ids: Path) -> Requests:
    """``GET`` of a path that an id follows."""
    return Requests(before=f"GET {path}".encode(), after=b" HTTP/1.1\r\n" + _HEAD + b"\r\n", ids=ids)


def post(path: str, ids: Path, id_length: int) -> Requests:
    """AceData's query for one task."""
    opening, closing = b'{"id":"', b'","action":"retrieve"}'
    length = len(opening) + id_length + len(closing)
    head = f"POST {path} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n".encode()
    return Requests(before=head + _HEAD + b"\r\n" + opening, after=closing, ids=ids)


_HEAD: Final = b"host: 127.0.0.1:8080\r\nauthorization: Bearer sk-bench-1\r\n"


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """What one contender did while the load was on it."""

    requests: int
    seconds: float
    """As the load measured them."""
    server_cpu: float
    """In seconds."""
    load_cores: float
    foreign_cores: float
    """How many cores' worth of other work there was meanwhile."""

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def micros(self) -> float:
        """Microseconds of the server's processor time for each request."""
        return self.server_cpu / self.requests * 1e6

    @property
    def flaw(self) -> str | None:
        """Why the slice isn't to be trusted, if it isn't."""
        if self.foreign_cores > MOST_FOREIGN:
            return "other work"
        return "the load was at its limit" if self.load_cores > SATURATED else None


class Counted(msgspec.Struct, frozen=True):
    """What a load generator says of a slice."""

    requests: int
    seconds: float
    errors: int


class Load:
    """Puts a server under load, for a slice at a time."""

    def __init__(self, place: Place, seconds: float, folder: Path, prefer_wrk: bool = True) -> None:
        self._place = place
        self.seconds = seconds
        self._folder = folder
        self._slices = 0
        # wrk counts in whole seconds.
        self.wrk = shutil.which("wrk") if prefer_wrk and seconds >= 1 and seconds == int(seconds) else None

    @property
    def name(self) -> str:
        """What makes the load."""
        return "wrk" if self.wrk else "benchmarks/hammer.py (wrk isn't used)"

    def slice(self, server: Server, requests: Requests) -> Slice:
        """One slice of load on a server.

        Raises:
            CannotMeasure: something else than answers with status 200 came back.
        """
        command = self._command(server.port, requests)
        busy, cpu, began = busy_seconds(), cpu_seconds(server.pid), time.monotonic()
        output, load_cpu = _run(command, self._place)
        lasted = time.monotonic() - began
        cpu = cpu_seconds(server.pid) - cpu
        foreign = busy_seconds() - busy - cpu - load_cpu
        counted = of_wrk(output) if self.wrk else msgspec.json.decode(output, type=Counted)
        if counted.errors or not counted.requests:
            raise CannotMeasure(
                f"{server.name}: {counted.errors} of {counted.requests} polls failed\n{output}"
            )
        return Slice(
            requests=counted.requests,
            seconds=counted.seconds,
            server_cpu=cpu,
            load_cores=load_cpu / lasted,
            foreign_cores=max(0.0, foreign / lasted),
        )

    def _drawn(self, ids: Path) -> bytes:
        """Ids for one slice, drawn at random, one on each line.

        The load asks for one after the other: drawn there from a million they would cost the processor's cache
        what is to be measured.
        """
        self._slices += 1
        drawn = random.Random(self._slices).choices(_read(ids), k=_DRAWN)
        return b"\n".join(drawn) + b"\n"

    def _command(self, port: int, requests: Requests) -> Sequence[str]:
        parts = {"before": requests.before, "after": requests.after, "ids": self._drawn(requests.ids)}
        for name, content in parts.items():
            (self._folder / name).write_bytes(content)
        files = [str(self._folder / name) for name in parts]
        if self.wrk is None:
            told = [str(port), str(CONNECTIONS), str(self.seconds), *files]
            return [sys.executable, "-m", "benchmarks.hammer", *told]
        length = f"-d{int(self.seconds)}s"
        url = f"http://127.0.0.1:{port}"
        return [self.wrk, "-t1", f"-c{CONNECTIONS}", length, "-s", str(_LUA), url, "--", *files]


def _run(command: Sequence[str], place: Place) -> tuple[str, float]:
    """What the command printed, and the processor time that it took."""
    with running_on(place.load):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=place.environment
        )
    assert process.stdout is not None
    with process.stdout as stdout:
        output = stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CannotMeasure(f"{command[0]} ended with status {process.returncode}\n{output}")
    return output, usage.ru_utime + usage.ru_stime


@lru_cache(maxsize=8)
def _read(ids: Path) -> list[bytes]:
    return ids.read_bytes().split()


_TIME_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def of_wrk(output: str) -> Counted:
    """What wrk's own report says.

    Raises:
        CannotMeasure: it isn't one.
    """
    done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", output)
    if done is None:
        raise CannotMeasure(f"wrk said something else than expected:\n{output}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    errors = int(refused[1]) if refused else 0
    errors += sum(map(int, broken.groups())) if broken else 0
    return Counted(int(done[1]), float(done[2]) * _TIME_UNITS[done[3]], errors)
