"""What emulators leave behind: nothing, whether they end well, with a failure, or in the middle of a request."""

import gc
import http.client
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from emulator import Emulator
from emulator.client import EmulatorClosed, EmulatorUnreachable
from emulator.embedded.servers import Here, There
from tests.embedded.test_transport import under_way
from tests.serving import HOST, PATIENCE, Served, Wire, thread
from tests.worlds import World

ROOT: Final = Path(__file__).parents[2]
HELD: Final = {"version": 1, "rules": [{"operation": "poll", "delay": "60s"}]}
KEY: Final = {"authorization": "Bearer sk-test"}
VIDEO: Final = {"model": "sora-2", "prompt": "a cat"}
POLL: Final = "/ezmodel/v1/videos/nobody"


def descriptors() -> int:
    """How many files and sockets this process has open."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def run(code: str) -> subprocess.CompletedProcess[str]:
    """A program in an interpreter of its own."""
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-W", "error", "-X", "dev", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def live(emulator: Emulator) -> None:
    """Have a world do something, over a socket."""
    with httpx.Client(headers=KEY) as client:
        assert client.post(f"{emulator.url('octopusx')}/v1/videos", json=VIDEO).status_code == 200
    emulator.clock.advance("1h")
    assert emulator.requests().count() == 1


@pytest.fixture
def settled() -> None:
    """The one loop runs already, and what is imported late is imported."""
    with Emulator() as emulator:
        live(emulator)


# Threads and sockets


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("fails", [False, True])
def test_many_leave_nothing(fails: bool) -> None:
    """Neither a thread nor a socket, also where they end with a failure."""
    threads, open_before = threading.active_count(), descriptors()
    for _ in range(20):
        with suppress(ZeroDivisionError), Emulator("slow-queue") as emulator:
            live(emulator)
            if fails:
                raise ZeroDivisionError
    assert (threading.active_count(), descriptors()) == (threads, open_before)


@pytest.mark.usefixtures("settled")
def test_those_elsewhere_leave_nothing() -> None:
    """Neither here nor there."""
    with thread(World().app) as served:
        threads, open_before = threading.active_count(), descriptors()
        for _ in range(5):
            with Emulator(url=served.url) as emulator:
                live(emulator)
                with emulator.events() as events:
                    emulator.clock.advance("1s")
                    next(events)
        served.get("/__admin/ready")
        assert threading.active_count() == threads
        assert served.get("/__admin/namespaces").json()["total"] == 1
    assert descriptors() <= open_before


def test_an_application_that_nobody_uses_is_given_up() -> None:
    """Its loop holds nothing of it once it is closed."""
    import weakref  # noqa: PLC0415 - for this alone

    server = Here()
    with httpx.Client(headers=KEY) as client:
        client.get(f"{server.url}{POLL}")
    app = weakref.ref(server.app)
    server.close()
    del server
    gc.collect()
    assert app() is None


@pytest.mark.usefixtures("settled")
def test_no_socket_is_opened_where_none_may_be() -> None:
    """Whatever is asked, through transport and calls alike."""
    code = """
import os, sys
from pathlib import Path
EVENTS = {"socket.bind", "socket.connect"}
opened = []
sys.addaudithook(lambda event, args: opened.append(args[1:]) if event in EVENTS else None)
import httpx
from emulator import Emulator
def sockets():
    links = [one for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    tables = [Path("/proc/net", name).read_text().splitlines() for name in ("tcp", "tcp6")]
    inodes = {f"socket:[{line.split()[9]}]" for table in tables for line in table[1:]}
    return [link for link in links if os.readlink(link) in inodes]
with Emulator("slow-queue", listen=False) as emulator:
    assert emulator.url("ezmodel").startswith("http://emulator/ns/")
    with httpx.Client(transport=emulator.transport()) as client:
        url = emulator.url("octopusx") + "/v1/videos"
        made = client.post(url, json={"prompt": "a cat", "model": "m"}, headers={"authorization": "Bearer a"}).json()
        with emulator.events() as events:
            emulator.clock.advance("1h")
            next(events)
        assert client.get(f"{url}/{made['id']}", headers={"authorization": "Bearer a"}).json()["status"] == "completed"
    assert not sockets(), sockets()
    assert not opened, opened
    print("quiet")
with Emulator() as emulator:
    emulator.url("ezmodel")
    assert len(sockets()) == 1
"""
    done = run(code)
    assert (done.stdout, done.stderr, done.returncode) == ("quiet\n", "", 0)


# Held requests


def held_over(wire: Wire) -> None:
    """A request that isn't answered for a minute."""
    wire.send([f"GET {POLL} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer a\r\n\r\n".encode()])


def hold(emulator: Emulator, ask: Callable[[], Any]) -> "ThreadPoolExecutor":
    """Have a thread ask for something that is held; it is under way."""
    pool = ThreadPoolExecutor(1)
    pool.submit(ask)
    emulator.requests("poll").wait("1m")
    return pool


def test_closing_lets_go_of_what_is_held_on_a_socket() -> None:
    """At once; its client sees the connection end."""
    with Emulator(HELD) as emulator:
        url = urlsplit(emulator.url("ezmodel"))
        connection = http.client.HTTPConnection(HOST, url.port or 0, timeout=PATIENCE)
        connection.request("GET", f"{url.path}/v1/videos/nobody", headers=KEY)
        emulator.requests("poll").wait("1m")
    assert under_way() == 0
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        connection.getresponse()
    connection.close()


@pytest.mark.parametrize("is_async", [False, True])
def test_closing_lets_go_of_what_is_held_on_a_transport(is_async: bool) -> None:
    """At once, likewise, in the words of the client's library."""
    import asyncio  # noqa: PLC0415 - for one of both

    told: list[Exception] = []

    async def later(client: httpx.AsyncClient, url: str) -> None:
        async with client:
            try:
                await client.get(url)
            except httpx.HTTPError as problem:
                told.append(problem)

    def blocking(client: httpx.Client, url: str) -> None:
        with client:
            try:
                client.get(url)
            except httpx.HTTPError as problem:
                told.append(problem)

    with Emulator(HELD, listen=False) as emulator:
        settings: dict[str, Any] = {"transport": emulator.transport(), "headers": KEY, "timeout": PATIENCE}
        url = f"{emulator.url('ezmodel')}/v1/videos/nobody"
        if is_async:
            pool = hold(emulator, lambda: asyncio.run(later(httpx.AsyncClient(**settings), url)))
        else:
            pool = hold(emulator, lambda: blocking(httpx.Client(**settings), url))
    pool.shutdown()
    (problem,) = told
    assert isinstance(problem, httpx.RemoteProtocolError)
    assert str(problem) == "the emulator was closed before it had answered"


def test_closing_ends_calls_and_events() -> None:
    """Those that wait in other threads."""
    server = Here()
    client = Emulator.__new__(Emulator)
    client._begin(server.sender("a"), closes=False)  # noqa: SLF001 - it may outlive its server
    told: list[object] = []

    def wait() -> None:
        try:
            client.requests.wait("1m")
        except EmulatorUnreachable as problem:
            told.append(str(problem))

    waiting = threading.Thread(target=wait)
    waiting.start()
    with client.events() as events:
        client.clock.freeze()
        next(events)
        server.close()
        assert list(events) == []
    waiting.join(PATIENCE)
    (text,) = told
    assert text == (
        "no video-emulator can be reached at http://emulator: it was closed meanwhile; close it when nobody needs it "
        "any more"
    )
    with pytest.raises(EmulatorUnreachable, match="it was closed"):
        client.health()
    with pytest.raises(EmulatorUnreachable, match="it was closed"), client.events():
        pass
    with pytest.raises(EmulatorClosed):
        server.url  # noqa: B018


@pytest.mark.usefixtures("settled")
def test_a_client_that_reads_nothing_holds_nothing_up() -> None:
    """The connection of one whose answers pile up is closed with the emulator."""
    before = descriptors()
    with Emulator() as emulator:
        task = emulator.tasks.create("octopusx", status="completed").id
        url = urlsplit(emulator.url("octopusx"))
        lines = (
            f"GET {url.path}/v1/videos/{task}/content HTTP/1.1",
            "Host: a",
            "Authorization: Bearer a",
            "",
            "",
        )
        with Served(url.port or 0).connect() as wire:
            wire.send(["\r\n".join(lines).encode() * 3000])
            count = emulator.requests("content").count
            while not 0 < count() == count():
                pass
            assert count() < 3000
            emulator.close()
            assert descriptors() == before + 1  # the client's own


# Threads


def test_twenty_threads_have_an_emulator_each() -> None:
    """None sees anything of the others."""

    def one(number: int) -> tuple[int, int]:
        with Emulator(seed=number, listen=number % 2 == 0) as emulator:
            transport = None if number % 2 == 0 else emulator.transport()
            with httpx.Client(transport=transport, headers=KEY, timeout=PATIENCE) as client:
                for _ in range(number):
                    client.post(f"{emulator.url('octopusx')}/v1/videos", json=VIDEO)
            return emulator.tasks.list().total, emulator.requests("create").count()

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(one, range(20))) == [(number, number) for number in range(20)]


def test_twenty_threads_share_an_emulator() -> None:
    """Its socket is opened once, and every request counts."""
    with Emulator() as emulator, ThreadPoolExecutor(20) as pool:
        begin, began = threading.Barrier(20), emulator.clock.now()

        def one(number: int) -> str:
            begin.wait(PATIENCE)
            url = emulator.url("ezmodel")
            transport = None if number % 2 == 0 else emulator.transport()
            with httpx.Client(transport=transport, headers=KEY, timeout=PATIENCE) as client:
                for _ in range(5):
                    assert client.post(f"{url}/v1/videos", json=VIDEO).status_code == 200
                    emulator.clock.advance("1s")
            return url

        assert len(set(pool.map(one, range(20)))) == 1
        assert emulator.requests("create").count() == 100
        assert (
            emulator.clock.now() - emulator.clock.now()
            < (emulator.clock.now() - emulator.clock.now()).resolution
        )
        assert emulator.clock.now() - began == timedelta(seconds=100)
        assert len({task.id for task in emulator.tasks.list(limit=1000).tasks}) == 100


# Processes


@pytest.mark.parametrize("ends", ["", "sys.exit(3)", "raise KeyError('mine')", "os._exit(3)"])
def test_a_process_ends_with_emulators_open(ends: str) -> None:
    """As it would without them, with a request under way."""
    code = f"""
import os, sys, threading, httpx
from emulator import Emulator
emulator = Emulator({HELD!r})
url = emulator.url("ezmodel") + "/v1/videos/nobody"
client = httpx.Client(transport=emulator.transport(), headers={KEY!r})
def ask():
    try:
        client.get(url, timeout=None)
    except Exception:
        pass
threading.Thread(target=ask, daemon=True).start()
emulator.requests("poll").wait("1m")
{ends}
"""
    done = run(code)
    assert done.returncode == (0 if not ends else 1 if "KeyError" in ends else 3)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[-1:] == (["KeyError: 'mine'"] if "KeyError" in ends else []), done.stderr


def test_a_forked_child_makes_its_own() -> None:
    """Its parent's stays behind, which it is told in so many words, and its end is none of the parent's."""
    code = """
import os, sys
from emulator import Emulator
with Emulator() as emulator:
    emulator.url("ezmodel")
    child = os.fork()
    if not child:
        try:
            emulator.health()
        except RuntimeError as problem:
            print(problem)
        emulator.close()
        with Emulator("slow-queue") as own:
            print(own.health().scenario, own.url("ezmodel") != "", flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert emulator.health().scenario == "happy-path"
print("parent")
"""
    done = run(code)
    assert done.stdout.splitlines() == [
        "this emulator stayed behind in the process that this one was forked off from; make another one here",
        "slow-queue True",
        "parent",
    ]
    assert (done.stderr, done.returncode) == ("", 0)


# What is the process's own


def test_other_servers_of_uvicorn_keep_their_logs() -> None:
    """Neither their levels nor their handlers are touched."""
    code = """
import logging
names = ("uvicorn", "uvicorn.error", "uvicorn.access", "emulator", "")
def seen():
    return [(l.level, l.propagate, list(l.handlers), l.disabled) for l in map(logging.getLogger, names)]
before = seen()
from emulator import Emulator
with Emulator() as emulator:
    emulator.url("ezmodel")
    assert seen() == before, (seen(), before)
"""
    done = run(code)
    assert (done.stderr, done.returncode) == ("", 0)


def test_what_is_held_and_closed_is_nobodys_log() -> None:
    """A test that ends in the middle of a request is no defect of the server's, whoever looks at all logs."""
    code = f"""
import http.client, logging, sys
from urllib.parse import urlsplit
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(name)s %(message)s")
from emulator import Emulator
with Emulator({HELD!r}) as emulator:
    url = urlsplit(emulator.url("ezmodel"))
    connection = http.client.HTTPConnection("{HOST}", url.port)
    connection.request("GET", url.path + "/v1/videos/nobody", headers={KEY!r})
    emulator.requests("poll").wait("1m")
connection.close()
"""
    done = run(code)
    lines = [line for line in done.stdout.splitlines() if not line.startswith("asyncio ")]
    assert (lines, done.stderr, done.returncode) == ([], "", 0)


def test_a_server_there_is_left_alone() -> None:
    """It is somebody else's."""
    with thread(World().app) as served:
        There(served.url).close()
        assert served.get("/__admin/ready").status_code == 200
