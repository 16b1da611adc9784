"""A server to measure, as ``python -m benchmarks.contender SPEC``: the emulator, or an app with a constant answer.

Both run on the same uvicorn, with the settings of `emulator.server`. It prints a line of JSON when it listens.
"""

import gc
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.machine import resident_bytes
from benchmarks.servers import Ready, Spec
from emulator import server
from emulator.app import App
from emulator.core.words import OperationName
from emulator.engine import Exchange, Namespace, Settings
from emulator.library import Library
from emulator.options import Options
from emulator.providers import PROVIDERS
from emulator.providers.base import Offspring, Provider

_KEY: Final = "sk-bench-1"
_ORIGIN: Final = "http://127.0.0.1:8080"
_PROMPT: Final = (
    "A cat runs along a river at dawn, seen from low above the water; the camera follows slowly. "
)


def constant(size: int) -> Any:
    """An ASGI application that answers the same ``size`` bytes to everything, and does nothing else."""
    body = b'{"constant":"' + b"x" * (size - 15) + b'"}'
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    rest = {"type": "http.response.body", "body": body}

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start)
        await send(rest)

    return app


def emulator(spec: Spec) -> tuple[App, Ready]:
    """The emulator with its tasks in it, and what was seen while they were created."""
    library = Library()
    name = library.add_text(spec.scenario, "benchmark", "benchmark.yaml").name
    most = len(PROVIDERS) * (spec.tasks + spec.more)
    app = App(library, Options(settings=Settings(scenario=name, max_tasks=most)))
    seedings = [Seeding(app.namespace, p) for p in PROVIDERS if p.name in spec.providers]
    if not seedings:
        return app, Ready()
    gc.collect()
    before, began = resident_bytes(os.getpid()), time.perf_counter()
    for seeding in seedings:
        seeding.create(0, spec.tasks, Path(spec.ids) / seeding.provider.name)
    lasted, grown = time.perf_counter() - began, resident_bytes(os.getpid()) - before
    kept_requests = sum(seeding.request_bytes for seeding in seedings)
    longest_seeding = max(seeding.longest for seeding in seedings)
    worst, longest = _created_on_top(seedings[0], spec)
    ready = Ready(
        bytes_per_task=(grown - kept_requests) / (spec.tasks * len(seedings)),
        seeding_seconds=lasted,
        worst_collection=worst,
        longest_create=longest,
        longest_seeding_create=longest_seeding,
    )
    return app, ready


class Seeding:
    """Creates tasks as requests would, and keeps an eye on what that costs."""

    def __init__(self, namespace: Namespace, provider: Provider) -> None:
        self.provider = provider
        self.request_bytes = 0
        """Of the requests' JSON that the tasks keep."""
        self.longest = 0.0
        """Seconds of the longest creation of the last batch."""
        self._namespace = namespace
        now, applies = namespace.clock.now(), namespace.in_force(provider)
        self._exchange = Exchange(provider, OperationName.CREATE, _KEY, {}, _ORIGIN, now, applies)

    def create(self, first: int, count: int, ids: Path) -> None:
        """Create ``count`` tasks, and write their ids into a file."""
        self.longest = 0.0
        with ids.open("w", encoding="ascii") as file:
            for number in range(first, first + count):
                file.write(f"{self._created(number)}\n")

    def _created(self, number: int) -> str:
        fields = fields_of(number)
        began = time.perf_counter()
        entropy = self._namespace.entropy_for(self.provider, fields)
        task = self._namespace.create(self._exchange, Offspring(fields=fields), entropy)
        self.longest = max(self.longest, time.perf_counter() - began)
        self.request_bytes += len(task.request)
        return task.id


def fields_of(number: int) -> dict[str, Any]:
    """The create request of a task: a prompt of 200 bytes that no other has."""
    prompt = f"{number:08} {_PROMPT * 3}"[:200]
    return {"model": "sora-2", "prompt": prompt, "seconds": "10", "size": "720x1280"}


def _created_on_top(seeding: Seeding, spec: Spec) -> tuple[float, float]:
    """The worst pause of the collector while more tasks are created, and the longest creation of them, in seconds."""
    pauses = Pauses()
    gc.callbacks.append(pauses)
    seeding.create(spec.tasks, spec.more, Path(os.devnull))
    gc.callbacks.remove(pauses)
    return pauses.worst, seeding.longest


class Pauses:
    """The pauses of the cycle collector, from its own callbacks."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._began = 0.0

    def __call__(self, phase: str, _about: object) -> None:
        """What the collector calls when it starts and stops."""
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.worst = max(self.worst, time.perf_counter() - self._began)


def main(argument: str) -> None:
    """Serve the contender that the argument describes."""
    spec = msgspec.json.decode(argument, type=Spec)
    app, ready = (constant(spec.size), Ready()) if spec.size else emulator(spec)
    address = server.Address(port=0)
    sock = server.listen(address)
    told = msgspec.structs.replace(ready, port=sock.getsockname()[1])
    server.run(app, address, sock, lambda: print(msgspec.json.encode(told).decode(), flush=True))


if __name__ == "__main__":
    main(sys.argv[1])
