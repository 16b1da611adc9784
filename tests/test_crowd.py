"""A thousand held creates and a thousand polling clients at once, and clients that vanish in each phase."""

import asyncio
import json
import os
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import pytest

from tests import serving

CROWD: Final = 1000
POLLS: Final = 3
MIB: Final = 1 << 20
pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc")


def request(method: str, path: str, body: Any = None) -> bytes:
    """A request as it goes over the wire."""
    data = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer sk-test\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data


class Client:
    """One connection of the crowd."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        """Send a request."""
        self._writer.write(data)

    async def answer(self) -> tuple[int, Any]:
        """Status code and body of the next answer."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length is not None
        body = await self._reader.readexactly(int(length[1]))
        return int(head.split()[1]), json.loads(body)

    def leave(self) -> None:
        """Close the connection."""
        self._writer.close()


async def connected(port: int) -> Client:
    """A new connection."""
    return Client(*await asyncio.open_connection(serving.HOST, port))


async def held(port: int, number: int, connecting: asyncio.Semaphore) -> Any:
    """What a create answers that is held; ``connecting`` bounds how many do that at once."""
    async with connecting:
        client = await connected(port)
    client.send(request("POST", "/acedata/sora/videos", {"prompt": f"cat {number}"}))
    answer = await client.answer()
    client.leave()
    return answer


async def polled(port: int, task: str, connecting: asyncio.Semaphore) -> list[Any]:
    """What so many polls of a task answer, on one connection."""
    async with connecting:
        client = await connected(port)
    answers = []
    for _ in range(POLLS):
        client.send(request("POST", "/acedata/sora/tasks", {"id": task}))
        answers.append(await client.answer())
    client.leave()
    return answers


async def control(port: int, method: str, path: str, body: Any = None) -> Any:
    """What a call of the control API answers."""
    client = await connected(port)
    client.send(request(method, f"/__admin{path}", body))
    status_code, answer = await client.answer()
    client.leave()
    assert status_code < 300, answer
    return answer


async def arrived(port: int) -> list[str]:
    """The ids of all tasks, once every create of the crowd has come."""
    found = await control(port, "GET", "/tasks?limit=1000")
    while found["total"] < CROWD:
        found = await control(port, "GET", "/tasks?limit=1000")
    return [task["id"] for task in found["tasks"]]


async def a_round(port: int) -> None:
    """A thousand creates are held while a thousand clients poll their tasks; then the clock passes their end."""
    connecting = asyncio.Semaphore(100)
    creates = [asyncio.ensure_future(held(port, number, connecting)) for number in range(CROWD)]
    tasks = await arrived(port)
    polls = await asyncio.gather(*(polled(port, task, connecting) for task in tasks))
    for task, answers in zip(tasks, polls, strict=True):
        assert [(code, body["id"], "response" in body) for code, body in answers] == [
            (200, task, False)
        ] * POLLS
    await control(port, "POST", "/clock/advance", {"by": "10s"})
    answers = await asyncio.gather(*creates)
    assert {code for code, _ in answers} == {200}
    assert {body["task_id"] for _, body in answers} == set(tasks)
    assert all(body["success"] for _, body in answers)
    await control(port, "POST", "/reset", {})


async def vanishing(port: int) -> None:
    """As many clients leave before they have said what they want, while it is held, and after half of their body."""
    whole = request("POST", "/acedata/sora/videos", {"prompt": "a cat"})
    for part in (b"", whole[:40], whole[:-5], whole):
        clients = [await connected(port) for _ in range(CROWD // 10)]
        for client in clients:
            client.send(part)
        await control(port, "GET", "/tasks")
        for client in clients:
            client.leave()
    await control(port, "POST", "/reset", {})


def open_files(server: serving.Process) -> int:
    """How many files the server has open."""
    return len(os.listdir(f"/proc/{server.popen.pid}/fd"))  # noqa: PTH208 - what isn't there any more is no trouble


def memory(server: serving.Process) -> int:
    """How much memory the server has in use, in bytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.popen.pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def settled(server: serving.Process, most: int) -> int:
    """How many files are open, once there are no more than so many, or after many looks."""
    for _ in range(1000):
        server.get("/__admin/health")
        if open_files(server) <= most:
            break
    return open_files(server)


def test_all_are_answered_rightly_and_nothing_is_left_of_them() -> None:
    """Neither open files nor, after a first crowd that made room, memory."""
    with serving.process("--clock", "manual") as server:

        def run(work: Coroutine[Any, Any, None]) -> None:
            asyncio.run(asyncio.wait_for(work, 5 * serving.PATIENCE))

        server.get("/__admin/health")
        files = open_files(server)
        run(a_round(server.port))
        first = memory(server)
        run(a_round(server.port))
        run(a_round(server.port))
        run(vanishing(server.port))
        assert settled(server, files) <= files
        assert memory(server) < first + 16 * MIB
        assert server.get("/__admin/health").status_code == 200
        assert "Traceback" not in server.log
