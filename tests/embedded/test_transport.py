"""Transports: which world a request gets into, and what becomes of one that nobody waits for any more."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import httpx
import httpx2
import pytest
import trio

from emulator import Emulator
from emulator.clock import breathe
from emulator.embedded.loop_thread import LoopThread, crossed, loop_thread, result
from emulator.embedded.transport import library_of, placed
from tests.serving import PATIENCE

HELD: Final = {"version": 1, "rules": [{"operation": "poll", "delay": "60s"}]}
POLL: Final = "https://octopusx.ai/v1/videos/nobody"
KEY: Final = {"authorization": "Bearer sk-test"}


def under_way() -> int:
    """How many requests the loop of this process still has, once what is cancelled has ended."""

    async def count() -> int:
        for _ in range(5):
            await breathe()
        return len(asyncio.all_tasks()) - 1

    return loop_thread().run(count())


@pytest.mark.parametrize(
    ("headers", "target", "added"),
    [
        ([], b"/v1/videos", True),
        ([(b"authorization", b"Bearer sk-ns-other--a")], b"/v1/videos", True),
        ([(b"x-emulator-namespace", b"other")], b"/v1/videos", False),
        ([(b"X-Emulator-Namespace", b"other")], b"/v1/videos", False),
        ([], b"/ns/other/v1/videos", False),
        ([], b"/nsx", True),
    ],
)
def test_a_request_is_placed_unless_it_is_already(
    headers: list[tuple[bytes, bytes]], target: bytes, added: bool
) -> None:
    """By its path or by the header; a key alone gives way, since a client's key says little of its test."""
    found = placed(headers, target, b"mine")
    assert found == ([*headers, (b"x-emulator-namespace", b"mine")] if added else headers)


def test_only_two_libraries_are_known() -> None:
    """Others are told what to do."""

    class Own(httpx.Request):
        """A request of a subclass is one of its library's."""

    assert library_of(httpx.Request("GET", "http://a")) is httpx
    assert library_of(httpx2.Request("GET", "http://a")) is httpx2
    assert library_of(Own("GET", "http://a")) is httpx
    with pytest.raises(
        TypeError, match=r"expected a request of httpx or httpx2, .*; other clients take a URL"
    ):
        library_of(object())


def test_links_have_the_scheme_and_host_that_the_client_meant() -> None:
    """As the provider's own have."""
    with (
        Emulator(listen=False) as emulator,
        httpx.Client(transport=emulator.transport(), headers=KEY) as http,
    ):
        emulator.tasks.create("octopusx", id="done", status="completed")
        link = http.get("https://octopusx.ai/v1/videos/done").json()["video_url"]
        assert link.startswith(f"https://octopusx.ai/ns/{emulator.name}/media/")


def given_up_blocking() -> None:
    """A blocking client's time-out."""
    with Emulator(HELD) as emulator:
        with (
            httpx.Client(transport=emulator.transport(), headers=KEY, timeout=0.02) as http,
            pytest.raises(httpx.ReadTimeout),
        ):
            http.get(POLL)
        assert emulator.requests("poll").count() == 1
        assert under_way() == 0


LONG: Final = {"version": 1, "tasks": [{"timeline": [{"status": "completed", "video": {"bytes": "3MB"}}]}]}


def test_a_long_video_comes_whole() -> None:
    """Nobody watches for the client's leaving any more once it has come."""
    with (
        Emulator(LONG) as emulator,
        httpx.Client(transport=emulator.transport(), headers=KEY, timeout=PATIENCE) as http,
    ):
        task = http.post("https://octopusx.ai/v1/videos", json={"prompt": "a cat"}).json()
        answer = http.get(f"https://octopusx.ai/v1/videos/{task['id']}/content")
        assert (answer.status_code, answer.headers["content-length"]) == (200, "3000000")
        assert len(answer.content) == 3_000_000
        assert under_way() == 0


def given_up_on_asyncio() -> None:
    """A cancelled task of an event loop."""

    async def live() -> None:
        async with httpx.AsyncClient(transport=emulator.transport(), headers=KEY, timeout=PATIENCE) as http:
            asking = asyncio.ensure_future(http.get(POLL))
            await emulator.aio.requests("poll").wait("1m")
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    with Emulator(HELD) as emulator:
        asyncio.run(live())
        assert under_way() == 0


def given_up_on_trio() -> None:
    """A cancelled scope of trio's."""

    async def ask(http: httpx.AsyncClient) -> None:
        await http.get(POLL)
        pytest.fail("it was answered")

    async def live() -> None:
        async with (
            httpx.AsyncClient(transport=emulator.transport(), headers=KEY, timeout=PATIENCE) as http,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(ask, http)
            await emulator.aio.requests("poll").wait("1m")
            nursery.cancel_scope.cancel()

    with Emulator(HELD) as emulator:
        trio.run(live)
        assert under_way() == 0


def given_up_call() -> None:
    """A call of the control API that takes longer than it may."""
    with Emulator(timeout="20ms") as emulator:
        call: Any = emulator.requests("poll").wait
        with pytest.raises(TimeoutError):
            call("10ms")
        assert under_way() == 0


def given_up_events() -> None:
    """A stream that was left."""
    with Emulator() as emulator:
        with emulator.events() as events:
            emulator.clock.advance("1s")
            next(events)
            assert under_way() > 0
        assert under_way() == 0


@pytest.mark.parametrize(
    "give_up",
    [given_up_blocking, given_up_on_asyncio, given_up_on_trio, given_up_call, given_up_events],
    ids=lambda give_up: give_up.__name__,
)
def test_what_nobody_waits_for_any_more_is_cancelled(give_up: Callable[[], None]) -> None:
    """Nothing of it goes on in the loop that serves everybody."""
    give_up()


# The loop


def test_a_result_that_takes_too_long_is_cancelled() -> None:
    """Whichever way it is waited for."""
    cancelled: list[str] = []

    async def forever(name: str) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    thread = loop_thread()
    with pytest.raises(TimeoutError):
        result(thread.submit(forever("blocking")), 0.01)
    with pytest.raises(TimeoutError):
        asyncio.run(crossed(thread.submit(forever("asyncio")), 0.01))
    with pytest.raises(TimeoutError):
        trio.run(crossed, thread.submit(forever("trio")), 0.01)
    assert under_way() == 0
    assert cancelled == ["blocking", "asyncio", "trio"]


def test_a_failure_comes_across() -> None:
    """As it was raised."""

    async def fail() -> None:
        raise ZeroDivisionError("there")

    with pytest.raises(ZeroDivisionError, match="there"):
        loop_thread().run(fail())
    with pytest.raises(ZeroDivisionError, match="there"):
        asyncio.run(crossed(loop_thread().submit(fail()), 1))


def test_the_loop_is_one() -> None:
    """Of the process."""
    assert loop_thread() is loop_thread()
    assert loop_thread().is_here
    assert isinstance(loop_thread(), LoopThread)
