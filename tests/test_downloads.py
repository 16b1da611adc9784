"""Results as a client gets them, from the create to the file, over real sockets; ffprobe looks at the files."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from emulator.core.scenario import ClockSettings
from tests import serving
from tests.serving import Process, Served
from tests.worlds import START, Answer, World

START_TEXT: Final = "2025-01-01T00:00:00Z"
PROVIDERS: Final = ["acedata-sora", "acedata-veo", "octopusx", "ezmodel"]
Kind = tuple[int, int, float]
"""Width and height in pixels, duration in seconds."""

# Fact sheets: OpenAI's sizes, with the two that its guide adds, and seconds; OctopusX's pages have 5, 10, 15.
SIZES: Final = {
    "720x1280": (720, 1280),
    "1280x720": (1280, 720),
    "1024x1792": (1024, 1792),
    "1792x1024": (1792, 1024),
    "1080x1920": (1080, 1920),
    "1920x1080": (1920, 1080),
}
SECONDS: Final = (4, 5, 8, 10, 12, 15, 16, 20)
SORA_1: Final = {
    ("small", "landscape"): (1280, 720),
    ("small", "portrait"): (720, 1280),
    ("large", "landscape"): (1792, 1024),
    ("large", "portrait"): (1024, 1792),
}
"""The pixels are our choice: docs/providers/acedata.md."""
VEO: Final = {
    (None, None): (1280, 720),
    ("16:9", None): (1280, 720),
    ("9:16", None): (720, 1280),
    ("16:9", "1080p"): (1920, 1080),
    ("9:16", "1080p"): (1080, 1920),
    ("16:9", "4k"): (3840, 2160),
    ("9:16", "4k"): (2160, 3840),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server whose clock stands until told; every task takes the happy path's ten seconds."""
    with serving.thread(World(clock=ClockSettings(mode="manual", start=START)).app) as served:
        yield served


def create(server: Served, provider: str, fields: Mapping[str, Any]) -> str:
    """The id of a new task."""
    if provider.startswith("acedata-"):
        path, name = f"/acedata/{provider[8:]}/videos", "task_id"
    else:
        path, name = f"/{provider}/v1/videos", "id"
    answer = server.post(path, {"prompt": "a cat", "async": True, **fields})
    assert answer.status_code == 200, answer.body
    return str(answer.json()[name])


def link(server: Served, provider: str, task_id: str) -> str:
    """The link that a poll of a completed task prints."""
    if provider.startswith("acedata-"):
        record = server.post(f"/acedata/{provider[8:]}/tasks", {"id": task_id}).json()
        return str(record["response"]["data"][0]["video_url"])
    name = {"octopusx": "video_url", "ezmodel": "url"}[provider]
    return str(server.get(f"/{provider}/v1/videos/{task_id}").json()[name])


def download(server: Served, url: str, method: str = "GET", **headers: str) -> Answer:
    """What a link answers. No key is sent: storage asks for none."""
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == server.url
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.call(method, f"{parts.path}?{parts.query}", headers=fields)


@cache
def probed(content: bytes) -> Kind:
    """What ffprobe says of a file; the same bytes are looked at once."""
    with NamedTemporaryFile(suffix=".mp4") as file:
        Path(file.name).write_bytes(content)
        entries = "stream=width,height:format=duration"
        command = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", file.name]
        done = subprocess.run(  # noqa: S603 - a command of our own
            serving.tool(command), capture_output=True, text=True, check=True, timeout=serving.PATIENCE
        )
    assert done.stderr == ""
    told = json.loads(done.stdout)
    [stream] = told["streams"]
    return stream["width"], stream["height"], float(told["format"]["duration"])


def finished(server: Served, provider: str, *requests: Mapping[str, Any]) -> list[Answer]:
    """The downloads of tasks made by these requests, when all of them have completed."""
    ids = [create(server, provider, fields) for fields in requests]
    server.advance_clock("10s")
    answers = [download(server, link(server, provider, task_id)) for task_id in ids]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "video/mp4"
        assert int(answer.headers["content-length"]) == len(answer.body)
    return answers


def are_exact(answers: list[Answer]) -> bool:
    """Whether none of the files stands in for another."""
    return not any("x-emulator-clip" in answer.headers for answer in answers)


# What was asked for is what comes


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])
@pytest.mark.parametrize(("size", "pixels"), SIZES.items())
def test_openai_style_videos_have_the_size_and_seconds_asked_for(
    server: Served, provider: str, size: str, pixels: tuple[int, int]
) -> None:
    """Each documented size at each documented duration."""
    answers = finished(server, provider, *({"size": size, "seconds": str(s)} for s in SECONDS))
    assert [probed(answer.body) for answer in answers] == [(*pixels, s) for s in SECONDS]
    assert are_exact(answers)


def test_ezmodels_older_names_say_the_same(server: Served) -> None:
    """`width`, `height` and `duration`, as numbers."""
    [answer] = finished(server, "ezmodel", {"width": 1920, "height": 1080, "duration": 10})
    assert probed(answer.body) == (1920, 1080, 10)


@pytest.mark.parametrize(("request_", "pixels"), SORA_1.items())
def test_sora_videos_have_the_size_and_duration_asked_for(
    server: Served, request_: tuple[str, str], pixels: tuple[int, int]
) -> None:
    """Version 1: a word for the size, an orientation, and 10, 15 or 25 seconds."""
    size, orientation = request_
    durations = (10, 15, 25)
    made = ({"size": size, "orientation": orientation, "duration": d, "model": "sora-2"} for d in durations)
    answers = finished(server, "acedata-sora", *made)
    assert [probed(answer.body) for answer in answers] == [(*pixels, d) for d in durations]
    assert are_exact(answers)


@pytest.mark.parametrize("size", ["720x1280", "1280x720", "1024x1792", "1792x1024"])
def test_sora_2_videos_have_the_size_and_duration_asked_for(server: Served, size: str) -> None:
    """Version 2: pixels, and 4, 8 or 12 seconds."""
    durations = (4, 8, 12)
    made = ({"version": "2.0", "size": size, "duration": d} for d in durations)
    answers = finished(server, "acedata-sora", *made)
    assert [probed(answer.body) for answer in answers] == [(*SIZES[size], d) for d in durations]
    assert are_exact(answers)


@pytest.mark.parametrize(("request_", "pixels"), VEO.items())
def test_veo_videos_have_the_shape_and_resolution_asked_for(
    server: Served, request_: tuple[str | None, str | None], pixels: tuple[int, int]
) -> None:
    """Always eight seconds; 720p where nothing else is said."""
    fields = dict(zip(("aspect_ratio", "resolution"), request_, strict=True))
    made = {name: value for name, value in fields.items() if value is not None}
    answers = finished(server, "acedata-veo", {"action": "text2video", "model": "veo31", **made})
    assert [probed(answer.body) for answer in answers] == [(*pixels, 8)]
    assert are_exact(answers)


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("acedata-sora", (1280, 720, 15)),
        ("acedata-veo", (1280, 720, 8)),
        ("octopusx", (720, 1280, 4)),
        ("ezmodel", (720, 1280, 4)),
    ],
)
def test_who_asks_for_nothing_gets_the_default(server: Served, provider: str, expected: Kind) -> None:
    """Each provider's own."""
    answers = finished(server, provider, {})
    assert [probed(answer.body) for answer in answers] == [expected]
    assert are_exact(answers)


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])
def test_another_size_gets_the_nearest_and_says_so(server: Served, provider: str) -> None:
    """The header names both; the file is what the header says it is."""
    [answer] = finished(server, provider, {"size": "1000x2000", "seconds": "7"})
    assert answer.headers["x-emulator-clip"] == "asked 1000x2000 7s, served 1080x1920 8s"
    assert probed(answer.body) == (1080, 1920, 8)


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])
def test_content_streams_the_bytes_of_the_link(server: Served, provider: str) -> None:
    """With the key that a poll needs, and in part where a part is asked for."""
    task_id = create(server, provider, {"size": "1280x720"})
    server.advance_clock("10s")
    whole = download(server, link(server, provider, task_id))
    path = f"/{provider}/v1/videos/{task_id}/content"
    assert server.get(path).body == whole.body
    assert server.get(path, headers={}).status_code == 401
    part = server.get(path, headers={"authorization": "Bearer k", "range": "bytes=4-7"})
    assert (part.status_code, part.body) == (206, b"ftyp")


# A link lives as long as it says


@pytest.fixture
def process() -> Iterator[Process]:
    """The whole command, with a clock that stands until told."""
    with serving.process("--clock", "manual", "--start", START_TEXT) as process:
        yield process


def assert_dead(provider: str, answer: Answer) -> None:
    """The answer is what the storage behind the provider's links says."""
    assert answer.status_code == 403
    if provider == "acedata-sora":
        assert answer.headers["content-type"] == "application/xml"
        assert answer.body.startswith('\ufeff<?xml version="1.0" encoding="utf-8"?><Error>'.encode())
        assert b"<Code>AuthenticationFailed</Code>" in answer.body
    else:
        assert answer.headers["content-type"] == "text/html"
        assert b"<h1>403 Forbidden</h1>" in answer.body


def test_a_link_works_until_it_expires(process: Process) -> None:
    """Twenty-four hours after the creation, by the emulator's clock, to the second; for each provider."""
    ids = {provider: create(process, provider, {}) for provider in PROVIDERS}
    process.advance_clock("10s")
    links = {provider: link(process, provider, task_id) for provider, task_id in ids.items()}
    process.move_clock("2025-01-01T23:59:59Z")
    for url in links.values():
        assert download(process, url).status_code == 200
        assert download(process, url, "HEAD").status_code == 200
    process.advance_clock("1s")
    for provider, url in links.items():
        assert_dead(provider, download(process, url))
        assert download(process, url, "HEAD").status_code == 403
        assert_dead(provider, download(process, url, range="bytes=0-9"))
        assert link(process, provider, ids[provider]) == url


def test_a_scenario_says_when_a_link_dies(process: Process) -> None:
    """`expired-link`: ten seconds after completion."""
    process.call("PUT", "/__admin/scenarios/active", {"name": "expired-link"})
    ids = {provider: create(process, provider, {}) for provider in PROVIDERS}
    process.advance_clock("10s")
    links = {provider: link(process, provider, task_id) for provider, task_id in ids.items()}
    process.advance_clock("9s")
    assert {download(process, url).status_code for url in links.values()} == {200}
    process.advance_clock("1s")
    for provider, url in links.items():
        assert_dead(provider, download(process, url))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_changed_link_is_refused(server: Served, provider: str) -> None:
    """Another file, a later end, another signature, none; nothing that stands in a link can be changed."""
    task_id = create(server, provider, {})
    server.advance_clock("10s")
    url = link(server, provider, task_id)
    path, _, query = url.partition("?")
    first, *others = query.split("&")
    changed = [
        path.replace(task_id, "another") + f"?{query}",
        re.sub(r"-\d+s/", "-5s/", path) + f"?{query}",
        f"{path}x?{query}",
        f"{path}?{query[:-1]}",
        f"{path}?{query}&a=b",
        f"{path}?{'&'.join(others)}",
        f"{path}?{first[:-1]}9&{'&'.join(others)}",
        path,
    ]
    assert url not in changed
    for other in changed:
        assert_dead(provider, download(server, other))
    assert download(server, url).status_code == 200


def test_a_link_that_was_made_up_is_no_link(server: Served) -> None:
    """404: no storage has this address."""
    for path in ("/media", "/media/x", "/media/nobody/t/1280x720-4s/x.mp4", "/media/octopusx/t/big/x.mp4"):
        assert server.get(path, headers={}).status_code == 404


# RFC 9110 over the wire


@pytest.fixture
def url(server: Served) -> str:
    """The link of a completed task."""
    task_id = create(server, "octopusx", {"size": "1280x720"})
    server.advance_clock("10s")
    return link(server, "octopusx", task_id)


def test_a_range_gives_a_part(server: Served, url: str) -> None:
    """First bytes, last bytes, the rest from a place; together they are the whole."""
    whole = download(server, url)
    size = len(whole.body)
    assert whole.headers["accept-ranges"] == "bytes"
    for asked, part in {
        "bytes=0-99": range(100),
        "bytes=100-": range(100, size),
        "bytes=-10": range(size - 10, size),
        f"bytes=5-{size * 2}": range(5, size),
    }.items():
        answer = download(server, url, range=asked)
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {part.start}-{part.stop - 1}/{size}"
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.body == whole.body[part.start : part.stop]


def test_a_range_past_the_end_cant_be_satisfied(server: Served, url: str) -> None:
    """416, with the size."""
    size = len(download(server, url).body)
    answer = download(server, url, range=f"bytes={size}-")
    assert (answer.status_code, answer.body) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.parametrize("asked", ["bytes=9-5", "bytes=0-1,5-6", "lines=1-2", "bytes=x-y", "bytes=", ""])
def test_a_range_that_isnt_understood_gives_the_whole(server: Served, url: str, asked: str) -> None:
    """As RFC 9110 has it; several ranges too."""
    assert download(server, url, range=asked).status_code == 200


def test_if_range_gives_the_part_of_the_same_file_alone(server: Served, url: str) -> None:
    """By ETag or date; of another file the whole comes."""
    whole = download(server, url)
    for same in (whole.headers["etag"], whole.headers["last-modified"]):
        assert download(server, url, range="bytes=0-9", if_range=same).status_code == 206
    for other in ('"another"', f"W/{whole.headers['etag']}", "Thu, 02 Jan 2020 00:00:00 GMT"):
        answer = download(server, url, range="bytes=0-9", if_range=other)
        assert (answer.status_code, answer.body) == (200, whole.body)


def test_head_tells_what_get_would_send(server: Served, url: str) -> None:
    """The same head, without a body, whatever range is asked for."""
    whole = download(server, url)
    for headers in ({}, {"range": "bytes=0-9"}):
        head = download(server, url, "HEAD", **headers)
        assert (head.status_code, head.body) == (200, b"")
        assert lasting(head) == lasting(whole)


def lasting(answer: Answer) -> dict[str, str]:
    """The header fields without the id that each exchange has of its own."""
    return {name: value for name, value in answer.headers.items() if not name.endswith("request-id")}


def test_who_has_the_file_already_isnt_sent_it_again(server: Served, url: str) -> None:
    """304, with the tag and without a body."""
    etag = download(server, url).headers["etag"]
    answer = download(server, url, if_none_match=f'"x", {etag}')
    assert (answer.status_code, answer.body, answer.headers["etag"]) == (304, b"", etag)


def test_parts_are_read_on_one_connection(server: Served, url: str) -> None:
    """As a player does: head, then part after part, on a connection that stays."""
    whole = download(server, url).body
    parts = urlsplit(url)
    head = f"{parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
    step = 1000
    got = b""
    with server.connect() as wire:
        wire.send([f"HEAD {head}\r\n".encode()])
        size = int(wire.answer("HEAD").headers["content-length"])
        for begin in range(0, size, step):
            wire.send([f"GET {head}Range: bytes={begin}-{begin + step - 1}\r\n\r\n".encode()])
            got += wire.answer().body
    assert got == whole


def test_curl_resumes_a_download(server: Served, url: str, tmp_path: Path) -> None:
    """From where it was cut off."""
    whole = download(server, url).body
    file = tmp_path / "video.mp4"
    file.write_bytes(whole[:500])
    command = ["curl", "--silent", "--noproxy", "*", "--continue-at", "-", "--output", str(file), url]
    subprocess.run(serving.tool(command), check=True, timeout=serving.PATIENCE)  # noqa: S603
    assert file.read_bytes() == whole
