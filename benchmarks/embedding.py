"""What an emulator inside a test's own process costs: started by `benchmarks.suites`, prints JSON."""

import gc
import http.client
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

if TYPE_CHECKING:
    from emulator.embedded import EmulatorServer

_KEY = {"authorization": "Bearer sk-bench"}
_WORLDS = 200
_REQUESTS = 500
_STORY = "version: 1\nrules:\n  - {operation: poll, calls: 3, error: rate_limited, retry_after: 5s}\n"


def main() -> None:
    """Measure in this order: the first is only cold once."""
    began = time.perf_counter()
    # What is measured is the import, too.
    from emulator.embedded import Emulator, EmulatorServer, Here  # noqa: PLC0415

    server = EmulatorServer(Here())
    with server.emulator() as emulator:
        _first_answer(emulator.url("octopusx"))
    cold = time.perf_counter() - began
    warm = _median(lambda: _started(EmulatorServer(Here())), 20)
    stops = []
    for _ in range(20):
        other = EmulatorServer(Here())
        _started(other)
        began = time.perf_counter()
        other.close()
        stops.append(time.perf_counter() - began)
    figures = {
        "cold": cold,
        "warm": warm,
        "stop": statistics.median(stops),
        "world": _median(lambda: server.emulator("slow-queue").close(), _WORLDS),
        "posted": _median(lambda: server.emulator(_STORY).close(), _WORLDS),
        "own": _median(lambda: Emulator().close(), 50),
    }
    with server.emulator() as emulator:
        figures["transport"] = _polls(httpx.Client(transport=emulator.transport()), emulator.url("octopusx"))
        figures["socket"] = _polls(httpx.Client(), emulator.url("octopusx"))
    server.close()
    json.dump(figures, sys.stdout)


def _started(server: "EmulatorServer") -> None:
    with server.emulator() as emulator:
        _first_answer(emulator.url("octopusx"))


def _first_answer(url: str) -> None:
    """By the standard library: an httpx client takes longer to make than all that is measured."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request("GET", f"{parts.path}/v1/videos/nobody", headers=_KEY)
    connection.getresponse().read()
    connection.close()


def _polls(client: httpx.Client, url: str) -> float:
    task = client.post(f"{url}/v1/videos", json={"prompt": "a cat"}, headers=_KEY).json()["id"]
    return _median(lambda: client.get(f"{url}/v1/videos/{task}", headers=_KEY), _REQUESTS)


def _median(work: Callable[[], object], times: int) -> float:
    for _ in range(max(2, times // 20)):
        work()
    gc.collect()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
