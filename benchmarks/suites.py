"""What the emulator costs a suite of tests: the plugin where nobody uses it, and a world for each test that does."""

import json
import sys
from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks import servers
from benchmarks.figures import Figure, at_most
from benchmarks.machine import Place

_IMPORT: Final = """
import time
began = time.perf_counter()
import _pytest.config, _pytest.fixtures, pytest
between = time.perf_counter()
import emulator.pytest_plugin
print(between - began, time.perf_counter() - between)
"""


def plugin(place: Place, starts: int) -> Iterator[Figure]:
    """What the plugin adds to the import of pytest in a run that doesn't use it."""
    command = (sys.executable, "-c", _IMPORT)
    runs = [tuple(map(float, servers.printed(command, place).split())) for _ in range(starts + 1)][1:]
    yield Figure(
        name="importing the plugin, where no test uses it",
        value=median(added for _, added in runs) * 1000,
        unit="ms",
        goal=at_most(10),
        detail=f"importing pytest {median(alone for alone, _ in runs) * 1000:.0f} ms; "
        f"together {median((alone + added) / alone for alone, added in runs):.3f} times that",
    )


def embedded(place: Place) -> Iterator[Figure]:
    """What a world for each test costs, in the test's own process."""
    measured = json.loads(servers.printed((sys.executable, "-m", "benchmarks.embedding"), place))
    ms = {name: seconds * 1000 for name, seconds in measured.items()}
    yield Figure(
        name="a server in the test's process: start to first answer",
        value=ms["warm"],
        unit="ms",
        goal=at_most(100),
        detail=f"the first of a process, with its imports, {ms['cold']:.0f} ms",
    )
    yield Figure(name="stopping it", value=ms["stop"], unit="ms", goal=at_most(5))
    yield Figure(
        name="a world for a test: made and dropped",
        value=ms["world"],
        unit="ms",
        goal=at_most(2),
        detail=f"with a scenario of its own {ms['posted']:.2f} ms; with a server of its own {ms['own']:.2f} ms",
    )
    yield Figure(
        name="a poll through the transport, against one over a socket",
        value=ms["transport"] / ms["socket"],
        goal=at_most(1),
        detail=f"httpx: {ms['transport'] * 1000:.0f} and {ms['socket'] * 1000:.0f} \N{MICRO SIGN}s",
    )
