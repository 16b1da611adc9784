"""Requests under way: time stands still until they are answered."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

import anyio
import anyio.to_thread
import httpx
import pytest
import uvloop

from emulator.core.units import DAY, SECOND
from emulator.fast_forward import FastForward

Loops: TypeAlias = Callable[[], asyncio.AbstractEventLoop]
Request: TypeAlias = Callable[[int], Awaitable[bytes]]
BOTH = pytest.mark.parametrize(
    "loops", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
QUESTION = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
LATENCY = 0.03


@contextmanager
def slow_server() -> Iterator[int]:
    """The port of a server in another thread that answers each request after 30 real milliseconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def serve(listener: socket.socket) -> None:
    """One connection at a time, until the listener is shut."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            while connection.recv(65536):
                time.sleep(LATENCY)
                connection.sendall(ANSWER)


async def by_streams(port: int) -> bytes:
    """The streams of asyncio."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(QUESTION)
    answer = await reader.readexactly(len(ANSWER))
    writer.close()
    return answer


async def by_anyio(port: int) -> bytes:
    """Those of anyio."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(QUESTION)
        return await stream.receive()


async def by_sockets(port: int) -> bytes:
    """A bare socket of the loop's."""
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setblocking(False)
        await loop.sock_sendall(connection, QUESTION)
        return await loop.sock_recv(connection, 65536)


class Protocol(asyncio.Protocol):
    """A client of callbacks, which leaves a future for whoever asks."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """All comes at once."""
        self.answer.set_result(data)

    async def read(self) -> bytes:
        """The answer."""
        return await self.answer


async def by_protocol(port: int) -> bytes:
    """A protocol of one's own, as aiohttp has it."""
    transport, protocol = await asyncio.get_running_loop().create_connection(Protocol, "127.0.0.1", port)
    transport.write(QUESTION)
    answer = await protocol.read()
    transport.close()
    return answer


class Slotted:
    """A client without a dictionary, as aiohttp's readers are."""

    __slots__ = ("later", "protocol")

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol

    async def read(self) -> bytes:
        """The answer."""
        return await self.protocol.answer


async def by_slots(port: int) -> bytes:
    """A reader that holds its protocol in a slot."""
    transport, protocol = await asyncio.get_running_loop().create_connection(Protocol, "127.0.0.1", port)
    transport.write(QUESTION)
    answer = await Slotted(protocol).read()
    transport.close()
    return answer


async def by_httpx(port: int) -> bytes:
    """httpx, and what openai is made of."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"http://127.0.0.1:{port}/")).content


def blocking(port: int) -> bytes:
    """A blocking client."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(QUESTION)
        return connection.recv(65536)


async def by_thread(port: int) -> bytes:
    """A blocking client in a thread."""
    return await asyncio.to_thread(blocking, port)


async def by_anyios_thread(port: int) -> bytes:
    """The same, by anyio."""
    return await anyio.to_thread.run_sync(blocking, port)


async def by_executor(port: int) -> bytes:
    """The same, within `asyncio.gather`."""
    with ThreadPoolExecutor(1) as executor:
        (answer,) = await asyncio.gather(asyncio.get_running_loop().run_in_executor(executor, blocking, port))
    return answer


class Awaited:
    """A request that is awaited without being a coroutine, as some libraries have it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __await__(self) -> Generator[Any, Any, bytes]:
        return by_streams(self.port).__await__()


async def by_awaitable(port: int) -> bytes:
    """An object that wraps a coroutine."""
    return await Awaited(port)


async def answers(port: int) -> AsyncIterator[bytes]:
    """What a paginator does."""
    yield await by_streams(port)


async def by_generator(port: int) -> bytes:
    """An asynchronous generator."""
    async for answer in answers(port):
        got = answer
    return got


async def by_anext(port: int) -> bytes:
    """One, with a default."""
    return await anext(answers(port), b"")


async def within(port: int) -> bytes:
    """With a time-out, and through a task."""
    async with asyncio.timeout(600):
        return await asyncio.wait_for(asyncio.create_task(by_streams(port)), 600)


REQUESTS = [
    by_streams,
    by_anyio,
    by_sockets,
    by_protocol,
    by_slots,
    by_httpx,
    by_thread,
    by_anyios_thread,
    by_executor,
    by_awaitable,
    by_generator,
    by_anext,
    within,
]


@BOTH
@pytest.mark.parametrize("request_by", REQUESTS)
def test_stands_still_until_a_request_is_answered(request_by: Request, loops: Loops) -> None:
    """Somebody sleeps, somebody asks: the clock moves when the answer is there, however it was asked for."""
    advances: list[int] = []
    seen: list[tuple[int, bytes]] = []

    async def ask(port: int) -> None:
        for _ in range(2):
            answer = await request_by(port)
            seen.append((len(advances), answer[-2:]))

    async def work(port: int) -> None:
        await asyncio.gather(asyncio.sleep(5), ask(port))

    with (
        slow_server() as port,
        FastForward(advances.append, limit=DAY),
        asyncio.Runner(loop_factory=loops) as runner,
    ):
        runner.run(work(port))
    assert seen == [(0, b"ok"), (0, b"ok")]
    assert advances == [5 * SECOND]


def test_asks_between_the_sleeps_of_others() -> None:
    """Clients that poll beside one another: each request sees one instant, and all gaps are those of the sleeps."""
    advances: list[int] = []
    polls: list[tuple[int, int, int]] = []

    async def poll(seconds: int, port: int) -> None:
        for _ in range(3):
            before = forward.slept
            await by_streams(port)
            polls.append((seconds, before // SECOND, forward.slept // SECOND))
            await asyncio.sleep(seconds)

    async def work(port: int) -> None:
        await asyncio.gather(poll(2, port), poll(5, port))

    with slow_server() as port, FastForward(advances.append, limit=DAY) as forward:
        asyncio.run(work(port))
    expected = [(seconds, number * seconds, number * seconds) for seconds in (2, 5) for number in range(3)]
    assert sorted(polls) == expected
    assert forward.slept == 15 * SECOND


@BOTH
def test_doesnt_wait_for_a_server_of_the_same_loop(loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that stays open, and a server that waits for the next request on it, hold nothing up."""
    monkeypatch.setattr("emulator.fast_forward.waits.PATIENCE", DAY)
    advances: list[int] = []

    async def work() -> None:
        ended, task = asyncio.Event(), asyncio.current_task()
        assert task is not None
        guard = threading.Timer(10, asyncio.get_running_loop().call_soon_threadsafe, [task.cancel])
        guard.start()

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line)
            writer.close()
            ended.set()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        serving = asyncio.create_task(server.serve_forever())
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(3):
            writer.write(b"again\n")
            assert await reader.readline() == b"again\n"
            await asyncio.sleep(5)
        writer.close()
        await ended.wait()
        serving.cancel()
        guard.cancel()

    with FastForward(advances.append, limit=DAY), asyncio.Runner(loop_factory=loops) as runner:
        runner.run(work())
    assert advances == [5 * SECOND] * 3


def test_waits_once_for_what_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that listens all the time holds the first sleep up for as long as patience lasts, and no other."""
    monkeypatch.setattr(
        "emulator.fast_forward.waits.PATIENCE", SECOND // 10
    )  # ten seconds are long for a test
    advances: list[int] = []

    async def work(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        listening = asyncio.create_task(reader.read())
        for _ in range(501):
            await asyncio.sleep(5)
        listening.cancel()
        writer.close()

    with slow_server() as port, FastForward(advances.append, limit=DAY):
        asyncio.run(work(port))
    assert advances == [5 * SECOND] * 501
