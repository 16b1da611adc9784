"""Videos of a length that the scenario says, over real sockets: whole, in parts, slowly, given up, after a restart."""

import json
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from emulator.app import App
from emulator.payload import CHUNK
from tests import serving
from tests.serving import PATIENCE, Process, Served
from tests.test_downloads import PROVIDERS, create, link
from tests.worlds import KEY, World

SIZE: Final = 200_000_000
MIB: Final = 2**20
NOTHING_TO_SPEAK_OF: Final = 24 * MIB
"""What the server may have taken more while it sent hundreds of megabytes: its own buffers, and a margin."""
SCENARIO: Final = """
version: 1
tasks:
  - match: {prompt: huge}
    timeline: [{status: completed, video: {bytes: 5GB}}]
  - match: {prompt: twice}
    timeline:
      - {status: completed, for: 1m, video: {bytes: 1MB}}
      - {status: completed, video: {bytes: 2MB}}
  - match: {prompt: own}
    timeline: [{status: completed, video: {bytes: 64KiB}}]
  - timeline: [{status: completed}]
defaults:
  video: {bytes: 200MB}
"""
linux_alone = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="what a process has in use is read from /proc"
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scenario as a file."""
    path = tmp_path_factory.mktemp("scenarios") / "long.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def process(file: Path) -> Iterator[Process]:
    """The whole command."""
    with serving.process("--scenario", str(file), "--clock", "manual") as process:
        yield process
        assert "Traceback" not in process.log


@pytest.fixture
def server(process: Process) -> Iterator[Process]:
    """The server, which must go on to answer once a test is over."""
    yield process
    assert process.get("/__admin/health", headers={}).status_code == 200


def made(server: Served, provider: str = "octopusx", prompt: str = "a cat") -> str:
    """The link to the result of a new task."""
    fields = {"prompt": prompt, "size": "1280x720", "seconds": "8", "duration": 8, "version": "2.0"}
    return link(server, provider, create(server, provider, fields))


def length_of(answer: httpx.Response) -> int:
    """How many bytes come, of which none is kept."""
    return sum(len(chunk) for chunk in answer.iter_raw())


@linux_alone
@pytest.mark.parametrize("provider", PROVIDERS)
def test_two_hundred_megabytes_come_whole_in_constant_memory(server: Process, provider: str) -> None:
    """Exactly as many, as announced, by each provider's link."""
    url = made(server, provider)
    httpx.head(url, timeout=PATIENCE)
    before = server.peak_memory
    with httpx.stream("GET", url, timeout=PATIENCE) as answer:
        assert answer.headers["content-length"] == str(SIZE)
        assert length_of(answer) == SIZE
    assert server.peak_memory - before < NOTHING_TO_SPEAK_OF


@linux_alone
@pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])
def test_the_content_route_streams_them_too(server: Process, provider: str) -> None:
    """The same bytes under the same tag."""
    url = made(server, provider)
    task_id = urlsplit(url).path.split("/")[3]
    content = f"{server.url}/{provider}/v1/videos/{task_id}/content"
    before = server.peak_memory
    with httpx.stream("GET", content, headers=KEY, timeout=PATIENCE) as answer:
        assert answer.headers["content-length"] == str(SIZE)
        assert answer.headers["etag"] == httpx.head(url, timeout=PATIENCE).headers["etag"]
        assert length_of(answer) == SIZE
    assert server.peak_memory - before < NOTHING_TO_SPEAK_OF


def test_ffprobe_reads_one_as_before(server: Process, tmp_path: Path) -> None:
    """Size, duration, length, and every frame of it."""
    path = tmp_path / "video.mp4"
    with path.open("wb") as target, httpx.stream("GET", made(server), timeout=PATIENCE) as answer:
        for chunk in answer.iter_raw():
            target.write(chunk)
    command = ["ffprobe", "-v", "error", "-count_frames", "-of", "json"]
    command += ["-show_entries", "stream=width,height,nb_read_frames:format=duration,size", str(path)]
    done = subprocess.run(serving.tool(command), check=True, capture_output=True, text=True, timeout=PATIENCE)  # noqa: S603
    told = json.loads(done.stdout)
    assert done.stderr == ""
    [stream] = told["streams"]
    assert (stream["width"], stream["height"], stream["nb_read_frames"]) == (1280, 720, "240")
    assert (float(told["format"]["duration"]), told["format"]["size"]) == (8.0, str(SIZE))


def test_a_later_video_of_the_task_has_its_own_length(server: Process) -> None:
    """And so another link, though both die at one instant; an entry's own length goes before the default."""
    task_id = create(server, "octopusx", {"prompt": "twice"})
    first = link(server, "octopusx", task_id)
    server.advance_clock("1m")
    second = link(server, "octopusx", task_id)
    lengths = [httpx.head(url, timeout=PATIENCE).headers["content-length"] for url in (first, second)]
    assert lengths == ["1000000", "2000000"]
    assert httpx.head(made(server, prompt="own"), timeout=PATIENCE).headers["content-length"] == "65536"


def test_parts_lie_anywhere_in_one_of_five_gigabytes(server: Process) -> None:
    """Before, across and behind the clip's end, and past four gigabytes; the box says its length in 64 bits."""
    url = made(server, prompt="huge")
    plain = httpx.get(url, headers={"range": "bytes=0-65535"}, timeout=PATIENCE)
    assert plain.headers["content-range"] == "bytes 0-65535/5000000000"
    at = plain.content.rindex(b"free") - 4
    assert struct.unpack_from(">I4sQ", plain.content, at) == (1, b"free", 5_000_000_000 - at)
    for first, last in ((at - 10, at + 20), (4_999_999_990, 4_999_999_999), (2**32 - 5, 2**32 + 5)):
        answer = httpx.get(url, headers={"range": f"bytes={first}-{last}"}, timeout=PATIENCE)
        assert answer.status_code == 206
        assert answer.content == plain.content[first : last + 1].ljust(last + 1 - first, b"\0")
    rest = httpx.get(url, headers={"range": "bytes=-7"}, timeout=PATIENCE)
    assert (rest.content, rest.headers["content-range"]) == (
        bytes(7),
        "bytes 4999999993-4999999999/5000000000",
    )
    assert httpx.get(url, headers={"range": "bytes=5000000000-"}, timeout=PATIENCE).status_code == 416


def asked(url: str) -> bytes:
    """A request for a link, as it goes over the wire."""
    parts = urlsplit(url)
    return f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()


@linux_alone
def test_a_client_that_reads_slowly_fills_no_memory(server: Process) -> None:
    """Eight of them ask for five gigabytes each and read next to nothing; others are answered meanwhile."""
    url = made(server, prompt="huge")
    before = server.peak_memory
    slow = [server.connect() for _ in range(8)]
    for wire in slow:
        wire.send([asked(url)])
    for wire in slow:
        assert wire.line() == b"HTTP/1.1 200 OK\r\n"
    for _ in range(20):
        for wire in slow:
            assert len(wire.sock.recv(CHUNK)) > 0
        assert httpx.get(url, headers={"range": "bytes=0-9"}, timeout=PATIENCE).status_code == 206
    grown = server.peak_memory - before
    for wire in slow:
        wire.close()
    assert grown < NOTHING_TO_SPEAK_OF


@contextmanager
def served_by(parser: str, app: App) -> Iterator[Served]:
    """The application behind a socket: as the command serves it, or as somebody may who has uvicorn."""
    if parser == "ours":
        with serving.thread(app) as served:
            yield served
        return
    config = uvicorn.Config(app, http=parser, lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    with socket.create_server((serving.HOST, 0)) as listening:
        runner = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        runner.start()
        yield Served(listening.getsockname()[1])
        server.should_exit = True
        runner.join(PATIENCE)
        assert not runner.is_alive()


@pytest.mark.parametrize("parser", ["ours", "httptools", "h11"])
def test_a_client_that_leaves_ends_it(parser: str) -> None:
    """A terabyte for each of twenty would else be sent to nobody for hours."""
    world = World("version: 1\ntasks: [{timeline: [{status: completed}]}]\ndefaults: {video: {bytes: 1TB}}\n")
    with served_by(parser, world.app) as served:
        url = made(served)
        for _ in range(20):
            with served.connect() as wire:
                wire.send([asked(url)])
                assert wire.line() == b"HTTP/1.1 200 OK\r\n"
        for _ in range(300):
            assert httpx.head(url, timeout=PATIENCE).headers["content-length"] == str(10**12)
            if world.namespace.visitors == 0:
                break
        assert world.namespace.visitors == 0


def test_the_server_stops_while_somebody_reads_slowly(file: Path) -> None:
    """What is held longer than the grace is closed; the fixture waits for the process, which has to end by itself."""
    with serving.process("--scenario", str(file), "--grace", "0.1") as server, server.connect() as wire:
        wire.send([asked(made(server, prompt="huge"))])
        assert wire.line() == b"HTTP/1.1 200 OK\r\n"
        server.popen.terminate()
        assert server.popen.wait(PATIENCE) == 0


def test_a_link_outlives_a_restart_with_its_length(file: Path) -> None:
    """Another process with the same seed serves it, though it knows neither the task nor the scenario."""
    with serving.process("--scenario", str(file), "--seed", "7") as first:
        url = made(first)
        tag = httpx.head(url, timeout=PATIENCE).headers["etag"]
    with serving.process("--seed", "7") as second:
        again = url.replace(first.url, second.url)
        answer = httpx.head(again, timeout=PATIENCE)
        assert (answer.status_code, answer.headers["content-length"], answer.headers["etag"]) == (
            200,
            str(SIZE),
            tag,
        )
        changed = httpx.head(again.replace("-200000000b/", "-900000000b/"), timeout=PATIENCE)
        assert changed.status_code == 403
