"""The proxy on real sockets: what passes it passes as it is, and what it keeps has bounds."""

import gzip
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulator.core.scenario import ClockSettings
from emulator.recorder.seen import LONGEST_BODY, Seen, Tape, decompressed
from tests.recorder.stage import Recording, WaitingClock, listening, recording
from tests.serving import Served
from tests.worlds import START

TASK = {
    "id": "video_1",
    "object": "video",
    "status": "completed",
    "progress": 100,
    "created_at": START // 1_000_000,
    "video_url": "",
}


class Came(msgspec.Struct):
    """A request as the upstream got it."""

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Upstream:
    """Answers whatever it is told to."""

    def __init__(self) -> None:
        self.came: list[Came] = []
        self.status = 200
        self.headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
        self.pieces: list[bytes] = [b"{}"]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Keep the request, and answer."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        self.came.append(Came(scope["method"], target, list(scope["headers"]), body))
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        for piece in self.pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def answer(self, value: Any, **others: Any) -> bytes:
        """From now on answer with this JSON."""
        self.pieces = [json.dumps(value).encode()]
        for name, told in others.items():
            setattr(self, name, told)
        return self.pieces[0]


@contextmanager
def between(tmp_path: Path, base: str = "", **others: Any) -> Iterator[tuple[Upstream, Served, Recording]]:
    """An upstream, the recorder before it as a server to speak to, and the recorder."""
    upstream = Upstream()
    clock = WaitingClock(ClockSettings(mode="manual", start=START))
    with (
        listening(upstream) as url,
        recording(url + base, "octopusx", clock, tmp_path / "f.yaml", **others) as recorder,
    ):
        yield upstream, Served(int(recorder.url.rpartition(":")[2])), recorder


def fields(came: Came) -> dict[str, str]:
    """The header fields that came."""
    return {name.decode(): value.decode() for name, value in came.headers}


def test_a_request_passes_as_it_is(tmp_path: Path) -> None:
    """Method, path with its escapes, query, header fields and body; below the base's path, to the upstream's host."""
    with between(tmp_path, "/some/base") as (upstream, client, _):
        body = b'{"prompt":  "\\u00e4"}'
        headers = {
            "authorization": "Bearer sk-1",
            "user-agent": "mine/1.0",
            "content-type": "application/json; charset=utf-8",
            "x-odd": "a,  b",
            "connection": "keep-alive, x-hop",
            "x-hop": "1",
            "te": "trailers",
            "accept-encoding": "gzip, br, zstd",
            "cookie": "a=b",
        }
        client.call("POST", "/v1/videos/a%2Fb%20c?x=%41&y=", body, headers)
        (came,) = upstream.came
    assert (came.method, came.target, came.body) == ("POST", b"/some/base/v1/videos/a%2Fb%20c?x=%41&y=", body)
    got = fields(came)
    assert got.pop("host") != f"127.0.0.1:{client.port}"
    assert got == {
        "authorization": "Bearer sk-1",
        "user-agent": "mine/1.0",
        "content-type": "application/json; charset=utf-8",
        "x-odd": "a,  b",
        "accept-encoding": "gzip",  # what can't be read here isn't asked for
        "cookie": "a=b",
        "content-length": str(len(body)),
    }


def test_an_http_proxy_isnt_asked_for_what_runs_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leads to the outside world."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with between(tmp_path) as (_, client, _):
        assert client.get("/v1/videos/video_1").status_code == 200


def test_nothing_is_added_to_a_plain_request(tmp_path: Path) -> None:
    """But that no compression is wanted where the client asked for none."""
    with between(tmp_path) as (upstream, client, _):
        client.call("GET", "/v1/videos/video_1", headers={})
        (came,) = upstream.came
    assert set(fields(came)) == {"host", "accept-encoding"}
    assert fields(came)["accept-encoding"] == "identity"
    assert came.body == b""


def test_an_answer_passes_as_it_is(tmp_path: Path) -> None:
    """Status, header fields, and a compressed body byte for byte, which is understood all the same."""
    packed = gzip.compress(json.dumps(TASK).encode())
    with between(tmp_path) as (upstream, client, recorder):
        upstream.headers = [
            (b"content-type", b"application/json"),
            (b"content-encoding", b"gzip"),
            (b"content-length", b"%d" % len(packed)),
            (b"x-request-id", b"7"),
            (b"connection", b"x-secret-hop"),
            (b"x-secret-hop", b"1"),
        ]
        upstream.pieces = [packed[:10], packed[10:]]
        answer = client.get("/v1/videos/video_1", headers={"accept-encoding": "gzip"})
        found = recorder.finish()
    assert (answer.status_code, answer.body) == (200, packed)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["x-request-id"] == "7"
    assert "x-secret-hop" not in answer.headers
    assert found.tasks == 1


@pytest.mark.parametrize("status", [201, 302, 404, 503])
def test_status_and_location_pass(status: int, tmp_path: Path) -> None:
    """No redirect is followed here: that is the client's to do."""
    with between(tmp_path) as (upstream, client, _):
        upstream.status = status
        upstream.headers = [(b"location", b"/login"), (b"content-length", b"2")]
        answer = client.get("/v1/videos/video_1")
        assert len(upstream.came) == 1
    assert (answer.status_code, answer.headers["location"], answer.body) == (status, "/login", b"{}")


def test_head_and_what_the_provider_hasnt_pass_too(tmp_path: Path) -> None:
    """And aren't recorded."""
    with between(tmp_path) as (upstream, client, recorder):
        assert client.call("HEAD", "/v1/videos/video_1").status_code == 200
        assert client.get("/anything/else").json() == {}
        assert [came.method for came in upstream.came] == ["HEAD", "GET"]
        assert recorder.finish().is_empty


def test_a_large_answer_passes_and_isnt_kept(tmp_path: Path) -> None:
    """In pieces, as it comes, whether or not links would be replaced."""
    piece = b" " * (256 * 1024)
    for through_links in (False, True):
        with between(tmp_path, through_links=through_links) as (upstream, client, recorder):
            upstream.pieces = [b"{", *[piece] * 9, b"}"]
            answer = client.get("/v1/videos/video_1")
            assert len(answer.body) == 9 * len(piece) + 2 > LONGEST_BODY
            assert recorder.finish().is_empty


def test_links_lead_through_the_proxy_where_asked(tmp_path: Path) -> None:
    """However they are spelt; the rest of the body stays to the letter. The key doesn't go where they lead."""
    with between(tmp_path, through_links=True) as (upstream, client, recorder), listening(upstream) as store:
        link = f"{store}/file.mp4?sig=abc&x=1"
        spelt = json.dumps({**TASK, "video_url": link}).replace("/", "\\/").replace("&", "\\u0026")
        upstream.pieces = [spelt.encode()]
        upstream.headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(spelt))]
        answer = client.get("/v1/videos/video_1")
        own = answer.json()["video_url"]
        assert own == f"{recorder.url}/__recorded/0"
        assert answer.json() == {**TASK, "video_url": own}
        upstream.pieces, upstream.headers = [b"video"], [(b"content-type", b"video/mp4")]
        assert client.get("/__recorded/0").body == b"video"
        assert client.get("/__recorded/1").body == b"video"  # no such link: it is the upstream's to answer
        found = recorder.finish()
    followed, passed = upstream.came[1:]
    assert followed.target == b"/file.mp4?sig=abc&x=1"
    assert "authorization" not in fields(followed)
    assert passed.target == b"/__recorded/1"
    assert found.exchanges == 2


def test_without_the_option_a_body_isnt_touched(tmp_path: Path) -> None:
    """Links and all."""
    with between(tmp_path) as (upstream, client, _):
        sent = upstream.answer({**TASK, "video_url": "https://example.com/a.mp4"})
        answer = client.get("/v1/videos/video_1")
    assert answer.body == sent
    assert answer.headers["content-length"] == str(len(sent))  # though it came in chunks


def test_an_answer_that_breaks_off_breaks_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """For the client, too; the log says it."""
    with between(tmp_path) as (upstream, client, recorder), caplog.at_level(logging.INFO, "emulator"):
        upstream.headers = [(b"content-type", b"video/mp4"), (b"content-length", b"100")]
        upstream.pieces = [b"video"]
        with client.connect() as wire:
            wire.send([b"GET /v1/videos/video_1/content HTTP/1.1\r\nhost: x\r\n\r\n"])
            received = b"".join(iter(wire.line, b""))
        found = recorder.finish()
    assert received.endswith(b"\r\n\r\nvideo")
    assert "the answer broke off" in caplog.text
    assert any("the answer broke off" in note for note in found.notes)


def test_a_body_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    """Before it is read, in words of our own."""
    with between(tmp_path) as (upstream, client, _):
        headers = {"content-length": str(65 << 20)}
        answer = client.call("POST", "/v1/videos", b"", headers)
        assert answer.status_code == 413
        assert "64 MiB" in answer.json()["video_emulator"]["error"]
        assert upstream.came == []


def seen(body: bytes = b"", **others: Any) -> Seen:
    """An exchange."""
    return Seen(at=0, began=0, method="GET", path="/", raw_path=b"/", body=body, **others)


def test_a_tape_is_full_after_so_many(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What comes then passes, and is counted; the log says it once."""
    with (
        between(tmp_path, tape=Tape(most=2)) as (upstream, client, recorder),
        caplog.at_level(logging.INFO, "emulator"),
    ):
        upstream.answer(TASK)
        for _ in range(4):
            assert client.get("/v1/videos/video_1").status_code == 200
        found = recorder.finish()
    assert found.exchanges == 2
    assert "not in the scenario: 2 exchanges after the recording was full" in found.notes
    assert caplog.text.count("the recording is full") == 1


def test_a_tape_is_full_after_so_many_bytes() -> None:
    """Of bodies, those of requests too, and about a kilobyte for each exchange."""
    tape = Tape(most_bytes=4096)
    assert tape.add(seen(b"x" * 2000))
    assert not tape.add(seen(fields={"prompt": "x" * 1000}))
    assert not tape.add(seen())  # no gaps: what is missing is missing from there on
    assert (len(tape), tape.lost) == (1, 2)


@pytest.mark.parametrize(
    ("body", "coding", "plain"),
    [
        (b"abc", b"", b"abc"),
        (b"abc", b"identity", b"abc"),
        (gzip.compress(b"abc", mtime=0), b"gzip", b"abc"),
        (b"x\x9cKLJ\x06\x00\x02M\x01'", b"deflate", b"abc"),
        (b"KLJ\x06\x00", b"deflate", b"abc"),
        (b"no gzip", b"gzip", b""),
        (b"abc", b"br", b""),
    ],
)
def test_a_body_is_unpacked(body: bytes, coding: bytes, plain: bytes) -> None:
    """Where its coding is known, and it is whole."""
    assert decompressed(body, coding) == plain


def test_a_bomb_isnt_unpacked_beyond_the_bound() -> None:
    """A thousand times its size."""
    assert len(decompressed(gzip.compress(b" " * (LONGEST_BODY * 20)), b"gzip")) <= LONGEST_BODY


def test_what_is_told_meanwhile_names_no_ids(tmp_path: Path) -> None:
    """A line for each change, by the tasks' numbers; a poll that shows nothing new is no change."""
    states: list[Mapping[str, Any]] = [
        {**TASK, "status": "queued"},
        {**TASK, "status": "queued"},
        {**TASK, "status": "odd"},
        TASK,
    ]
    with between(tmp_path) as (upstream, client, recorder):
        for state in states:
            upstream.answer(state)
            client.get("/v1/videos/video_1")
        upstream.answer({"error": {"code": "x", "message": "sk-secret"}}, status=500)
        client.get("/v1/videos/video_1")
    assert recorder.said == [
        "task 1: queued",
        "task 1: a status of an unknown word",
        "task 1: completed",
        "poll of task 1: 500",
    ]
