"""Bodies that come slowly: all of them, in pieces, for as long as the client stays."""

from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.effects import Place, SlowBody
from emulator.core.scenario import ClockSettings
from emulator.core.units import HOUR, SECOND
from emulator.faults import paced
from emulator.payload import Payload
from tests import serving
from tests.faults.servers import KINDS, POLL, SCENARIO, Line, heard, request
from tests.faults.servers import serving as served_by
from tests.serving import Served
from tests.worlds import START, World

MEDIA: Final = "/octopusx/v1/videos/video_1/content"
SLOW: Final = st.builds(SlowBody, over=st.integers(1, HOUR)) | st.builds(
    SlowBody, rate=st.integers(1, 1 << 30)
)
BODIES: Final = st.builds(Payload, st.binary(max_size=300), st.integers(0, 5_000_000))


@given(BODIES, SLOW)
def test_the_parts_are_the_body_and_their_waits_its_time(body: Payload, slow: SlowBody) -> None:
    """Nothing is lost, nothing is early; each part is worth a tenth of a second, or a byte."""
    length, passed, start = len(body), 0, 0
    for pause, part in paced(body, slow, length):
        assert part == body.part(start, start + len(part))
        start += len(part)
        passed += pause
        assert len(part) == 1 or pause <= SECOND // 10 or not length
    assert start == length
    assert passed <= slow.lasts(length)
    if length:
        parts = -(-length // max(1, length * SECOND // 10 // max(1, slow.lasts(length))))
        assert slow.lasts(length) - passed <= parts  # each is rounded down


@given(BODIES, SLOW, st.builds(Place, share=st.floats(0, 0.99)))
def test_a_beginning_takes_its_share_of_the_time(body: Payload, slow: SlowBody, place: Place) -> None:
    """Half a body comes in half the time."""
    length, part = len(body), place.within(len(body))
    passed = sum(pause for pause, _ in paced(body.part(0, part), slow, length))
    assert passed <= (slow.lasts(length) * part // length if length else 0)


@pytest.fixture(params=[kind for kind in KINDS if not kind.tls], ids=str)
def server(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A server on which an hour passes in some milliseconds."""
    rules = "rules:\n  - {operation: [poll, content], delay: 10s, slow_body: {over: 20m}}\n"
    clock = ClockSettings(mode="scaled", scale=10_000, start=START)
    with served_by(World(SCENARIO + rules, clock=clock).app, request.param) as served:
        yield served


def test_json_and_videos_come_whole(server: Served) -> None:
    """With their lengths announced, and the connection open for the next."""
    with Line(server) as line:
        line.send(request(POLL) + request(MEDIA, connection="close"))
        first, _, second = line.rest().data[1:].partition(b"HTTP/1.1 200 OK")
    for answer in (first, second):
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"content-length: %d\r\n" % len(body) in head + b"\r\n"
    assert second.partition(b"\r\n\r\n")[2][4:8] == b"ftyp"


def test_the_head_comes_at_once_and_the_body_later() -> None:
    """A client sees that an answer has begun long before it ends; who leaves is waited for no more."""
    world = World(SCENARIO + "rules:\n  - {operation: content, slow_body: {over: 10h}}\n")
    with serving.thread(world.app) as served:
        with Line(served) as line:
            line.send(request(MEDIA))
            answer = line.until_silent(0)
            assert answer.head.startswith(b"http/1.1 200 ok")
            assert len(answer.body) < answer.announced
            assert world.namespace.visitors == 1
        nobody_is_left(world, served)


def nobody_is_left(world: World, served: Served) -> None:
    """Ask until only the one who asks is there."""
    for _ in range(10_000):
        if world.namespace.visitors == 0:
            return
        served.get("/nothing/here")
    raise AssertionError(f"{world.namespace.visitors} requests are still held")


def test_a_fault_strikes_a_slow_body_in_its_place(server: Served) -> None:
    """What there is of it comes slowly, too."""
    rules = "rules:\n  - {operation: content, slow_body: {rate: 1B/s}, fault: {connection_reset: 50%}}\n"
    clock = ClockSettings(mode="scaled", scale=1_000_000, start=START)
    with serving.thread(World(SCENARIO + rules, clock=clock).app) as served:
        answer = heard(served, request(MEDIA))
    assert len(answer.body) == round(answer.announced / 2)
    assert answer.end == "reset"
