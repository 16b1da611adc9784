"""Clients that vanish, in each phase of an answer: nothing of them is left."""

import socket
import struct
from pathlib import Path
from typing import Final

import pytest

from tests.faults.servers import POLL, Kind, Line, faulty, request, serving, world
from tests.serving import Served
from tests.worlds import World

CROWD: Final = 40
FDS: Final = Path("/proc/self/fd")
PHASES: Final = {
    "waiting": ("{operation: poll, delay: 1h}", None),
    "slow": ("{operation: poll, slow_body: {over: 1h}}", 0),
    "stalled": ("{operation: poll, fault: {stall: 10B}}", 10),
    "hanging": ("{operation: poll, fault: hang}", None),
    "slow and stalled": ("{operation: poll, slow_body: {over: 1h}, fault: {stall: 90%}}", 0),
    "waiting for a reset": ("{operation: poll, delay: 1h, fault: connection_reset}", None),
}
KINDS: Final = [Kind(), Kind("ours", "asyncio"), Kind("h11"), Kind("httptools", "asyncio")]


def vanish(line: Line) -> None:
    """Leave without a word: a reset in place of an end."""
    line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.sock.close()


def open_files() -> int:
    """How many this process has."""
    return len(list(FDS.iterdir())) if FDS.exists() else 0


def settled(world_: World, served: Served, most: int) -> None:
    """Ask until nobody else is there, and no more than so many files are open."""
    for _ in range(10_000):
        if world_.namespace.visitors == 0 and open_files() <= most:
            return
        served.get("/nothing/here")
    raise AssertionError(f"{world_.namespace.visitors} requests are held, {open_files()} files open")


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("phase", PHASES)
def test_who_vanishes_leaves_nothing_behind(phase: str, kind: Kind) -> None:
    """Requests in hand and open files are what they were, and the server answers others meanwhile."""
    rule, length = PHASES[phase]
    world_ = world(rule)
    with serving(world_.app, kind) as served:
        served.get("/nothing/here")
        before = open_files()
        lines = [Line(served) for _ in range(CROWD)]
        for line in lines:
            line.send(request(POLL))
        lines[-1].until_silent(length)
        assert world_.namespace.visitors == CROWD
        for number, line in enumerate(lines):
            vanish(line) if number % 2 else line.sock.close()
        settled(world_, served, before)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_who_is_gone_before_it_is_struck_is_no_trouble(kind: Kind) -> None:
    """A reset, an end, noise: for nobody."""
    faults = ("connection_reset", "truncate_body", "random_data", "wrong_length", "malformed_chunk")
    world_ = faulty(*faults)
    with serving(world_.app, kind) as served:
        served.get("/nothing/here")
        before = open_files()
        for fault in faults * 8:
            line = Line(served)
            line.send(request(POLL, x_fault=fault))
            vanish(line)
        settled(world_, served, before)
        assert served.get(POLL).status_code == 200
