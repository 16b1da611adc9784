"""What namespaces, a clock of one's own and a journal cost."""

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks import load, servers
from benchmarks.figures import Figure, at_most
from benchmarks.load import Load
from benchmarks.machine import CannotMeasure, Place, resident_bytes
from benchmarks.servers import Server, Spec

_FILLED: Final = 100_000
"""After so many requests every journal is full."""
_MANY: Final = 1_000_000
_NAMESPACES: Final = 10_000
_PENDING: Final = 10_000
_RENDERS: Final = 15
_MILLION: Final = 1_000_000
_KEY: Final = {"authorization": "Bearer sk-bench-1"}
_RENDER: Final = """
version: 1
clock: {mode: manual, start: "2025-01-01T00:00:00Z"}
tasks:
  - match: {prompt: a far cat}
    timeline:
      - {status: queued, for: 300d}
      - {status: completed}
  - timeline:
      - {status: queued, for: 45s}
      - {status: processing, for: 4m15s, progress: {from: 0, to: 99}}
      - {status: completed}
"""


class Client:
    """One connection to a server of ours."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        """The body of an answer with a status code below 400."""
        headers = _KEY if body is None else {**_KEY, "content-type": "application/json"}
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise CannotMeasure(f"{method} {path} was answered {answer.status}: {content[:200]!r}")
        return content

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """The same, understood."""
        return json.loads(self.call(method, path, body))


def journal(place: Place, maker: Load, folder: Path) -> Iterator[Figure]:
    """What a process grows by under a million requests, once its journal is full."""
    requests = load.get("/octopusx/v1/videos/", folder / "octopusx")
    spec = Spec(scenario=_RENDER, tasks=10, providers=("octopusx",), ids=str(folder))
    with servers.serving("journal", spec, place) as server:
        done, before = 0, 0
        while done < _MANY + _FILLED:
            done += maker.slice(server, requests).requests
            if not before and done >= _FILLED:
                before, counted = resident_bytes(server.pid), done
        grown = resident_bytes(server.pid) - before
        health = Client(server).json("GET", "/__admin/health")
    yield Figure(
        name="growth under a million polls, once the journal is full",
        value=grown / (done - counted),
        unit="B",
        goal=at_most(2),
        detail=f"for each of {done - counted:,} polls; {before / _MILLION:.0f} MB with "
        f"{health['requests']['kept']:,} in the journal",
    )


def namespaces(place: Place) -> Iterator[Figure]:
    """What ten thousand of them take, with one task, one poll and one control call in each."""
    with servers.serving("namespaces", Spec(scenario=_RENDER), place) as server:
        client = Client(server)
        _spoken_to(client, range(100))
        before, began = resident_bytes(server.pid), time.perf_counter()
        _spoken_to(client, range(100, _NAMESPACES))
        lasted = time.perf_counter() - began
        each = (resident_bytes(server.pid) - before) / (_NAMESPACES - 100)
    yield Figure(
        name="memory for each of ten thousand namespaces that were used",
        value=each,
        unit="B",
        detail=f"a create, a poll and an advance in each; {lasted / (_NAMESPACES - 100) * 1e6:.0f} µs for them",
    )


def _spoken_to(client: Client, numbers: Sequence[int]) -> None:
    for number in numbers:
        prefix = f"/ns/test-{number}"
        made = client.json("POST", f"{prefix}/octopusx/v1/videos", {"prompt": "a cat"})
        client.call("POST", f"{prefix}/__admin/clock/advance", {"by": "1m"})
        client.call("GET", f"{prefix}/octopusx/v1/videos/{made['id']}")


def render(place: Place) -> Iterator[Figure]:
    """A five-minute render told in ten polls: created, polled and downloaded, on a clock moved by hand."""
    with servers.serving("render", Spec(scenario=_RENDER), place) as server:
        client = Client(server)
        _rendered(client)
        samples = tuple(_rendered(client) * 1000 for _ in range(_RENDERS))
    yield Figure(
        name="a five-minute render in ten polls, downloaded",
        value=median(samples),
        unit="ms",
        goal=at_most(100),
        detail=f"over one connection ({min(samples):.1f} to {max(samples):.1f})",
        samples=samples,
    )


def _rendered(client: Client) -> float:
    began = time.perf_counter()
    task_id = client.json("POST", "/octopusx/v1/videos", {"prompt": "a cat"})["id"]
    for _ in range(10):
        client.call("POST", "/__admin/clock/advance", {"by": "30s"})
        task = client.json("GET", f"/octopusx/v1/videos/{task_id}")
    if task["status"] != "completed":
        raise CannotMeasure(f"after five minutes the task is {task['status']}")
    client.call("GET", "/" + task["video_url"].split("/", 3)[3])
    return time.perf_counter() - began


def advance(place: Place) -> Iterator[Figure]:
    """An hour's advance over few tasks that fall due, with and without many that don't."""
    with (
        servers.serving("few", Spec(scenario=_RENDER), place) as alone,
        servers.serving("many", Spec(scenario=_RENDER), place) as among,
    ):
        few, many = Client(alone), Client(among)
        for _ in range(_PENDING):
            many.call("POST", "/octopusx/v1/videos", {"prompt": "a far cat"})
        ratios = [_advanced(many) / _advanced(few) for _ in range(_RENDERS)]
    yield Figure(
        name=f"advance by an hour, with {_PENDING:,} more tasks that change later",
        value=median(ratios),
        goal=at_most(1.5),
        detail=f"ten tasks fall due ({min(ratios):.2f} to {max(ratios):.2f})",
        samples=tuple(ratios),
    )


def _advanced(client: Client) -> float:
    for _ in range(10):
        client.call("POST", "/octopusx/v1/videos", {"prompt": "a cat"})
    began = time.perf_counter()
    client.call("POST", "/__admin/clock/advance", {"by": "1h"})
    return time.perf_counter() - began
