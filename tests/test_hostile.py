"""Hostile and broken input over real sockets: each gets an answer in the right form, and harms nobody else."""

import json
import re
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from emulator.bodies import FORM_LIMIT, MAX_PARTS, MAX_SEPARATORS, MIB
from emulator.control import ROUTES as TABLE
from emulator.core.scenario import ClockSettings
from tests import serving
from tests.serving import Process, Served
from tests.worlds import KEY, START, Answer, World

START_TEXT: Final = "2026-01-01T00:00:00Z"
SORA: Final = "b8976e18-32dc-4718-9ed8-1ea090fcb6ea"
POLL: Final = "/octopusx/v1/videos/video_abc123"
"""A poll that is answered with 200."""
HEAD: Final = b"Host: localhost\r\nAuthorization: Bearer sk-test\r\n"
JSON_TYPE: Final = ("content-type", "application/json")
MULTIPART: Final = ("content-type", "multipart/form-data; boundary=edge")
FORM: Final = ("content-type", "application/x-www-form-urlencoded")
TASKS: Final = ["/acedata/sora/tasks", "/acedata/veo/tasks"]
CREATES: Final = [
    "/acedata/sora/videos",
    "/acedata/veo/videos",
    "/octopusx/v1/videos",
    "/ezmodel/v1/videos",
]


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    """The whole command."""
    with serving.process("--scenario", "documents", "--clock", "manual", "--start", START_TEXT) as process:
        yield process


@pytest.fixture
def server(process: Process) -> Iterator[Process]:
    """The server; when a test is over it must answer as if nothing had been, and have no defect to tell of."""
    told = len(process.log)
    yield process
    answer = process.get(POLL)
    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    assert "Traceback" not in process.log[told:]


def in_a_providers_form(path: str, answer: Answer) -> bool:
    """Whether an error is worded as the provider words them, with the provider's headers."""
    body = answer.json()
    if not answer.headers["content-type"].startswith("application/json"):
        return False
    if path.startswith("/acedata"):
        told = set(body) == {"success", "error", "trace_id"} and "x-request-id" in answer.headers
    else:
        told = set(body) == {"error"} and "x-oneapi-request-id" in answer.headers
    error = body["error"]
    return told and set(error) == {"code", "message"} and all(isinstance(v, str) for v in error.values())


def is_a_problem(answer: Answer) -> bool:
    """Whether an error is a problem document, as the control API's are."""
    body = answer.json()
    is_typed = answer.headers["content-type"] == "application/problem+json"
    return is_typed and body["status"] == answer.status_code and bool(body["title"]) and bool(body["detail"])


# Bodies


def nested(opening: bytes, inside: bytes, closing: bytes, depth: int) -> bytes:
    """JSON that is nested so deeply, in a member of an object."""
    return b'{"id":' + opening * depth + inside + closing * depth + b"}"


REFUSED: Final[Mapping[str, tuple[bytes, tuple[str, str | bytes]]]] = {
    "empty": (b"", JSON_TYPE),
    "blank": (b" \r\n\t", JSON_TYPE),
    "cut off": (b'{"id": "x', JSON_TYPE),
    "not JSON": (b"id=x", JSON_TYPE),
    "two values": (b"{} {}", JSON_TYPE),
    "an array": (b"[1, 2]", JSON_TYPE),
    "a number": (b"1", JSON_TYPE),
    "NaN": (b'{"id": NaN}', JSON_TYPE),
    "an infinite number": (b'{"id": 1e999}', JSON_TYPE),
    "a number of a thousand digits": (b'{"id": ' + b"9" * 1000 + b"}", JSON_TYPE),
    "a bare NUL": (b'{"id": "\x00"}', JSON_TYPE),
    "NULs alone": (bytes(100), JSON_TYPE),
    "invalid UTF-8": (b'{"id": "\xff\xfe"}', JSON_TYPE),
    "UTF-16": ('{"id": "x"}'.encode("utf-16"), JSON_TYPE),
    "a byte order mark": (b'\xef\xbb\xbf{"id": "x"}', JSON_TYPE),
    "a lone high surrogate": (b'{"id": "\\ud800"}', JSON_TYPE),
    "a lone low surrogate": (b'{"id": "\\udc00"}', JSON_TYPE),
    "arrays 100,000 deep": (nested(b"[", b"", b"]", 100_000), JSON_TYPE),
    "objects 100,000 deep": (nested(b'{"a":', b"1", b"}", 100_000), JSON_TYPE),
    "an array 100,000 deep that doesn't end": (b"[" * 100_000, JSON_TYPE),
    "XML": (b"<id>x</id>", ("content-type", "text/xml")),
    "JSON called text": (b'{"id": "x"}', ("content-type", "text/plain")),
    "a content type of high bytes": (b'{"id": "x"}', ("content-type", b"\xff\xfe;;=\x80")),
    "a content type of commas": (b'{"id": "x"}', ("content-type", ",,,;;;")),
}


@pytest.mark.parametrize("path", [*TASKS, *CREATES])
@pytest.mark.parametrize("name", REFUSED)
def test_a_body_that_cant_be_understood_is_refused(server: Process, path: str, name: str) -> None:
    """With 400, in the provider's form, and a sentence of bounded length."""
    body, content_type = REFUSED[name]
    answer = server.post(path, body, headers=[*KEY.items(), content_type])
    assert answer.status_code == 400
    assert in_a_providers_form(path, answer)
    assert len(answer.body) < 1000


@pytest.mark.parametrize("path", [*TASKS, *CREATES])
def test_null_is_an_object_without_members_at_most(server: Process, path: str) -> None:
    """EzModel's create needs none; where a member is needed it is missing."""
    assert server.post(path, b"null").status_code == (200 if path.startswith("/ezmodel") else 400)


@pytest.mark.parametrize("path", TASKS)
@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_a_poll_with_ten_megabytes_is_refused(server: Process, path: str, announced: bool) -> None:
    """Whether it says so beforehand or not; AceData's polls have a body."""
    body = b'{"id": "' + b"x" * 10 * MIB + b'"}'
    answer = sent_in_chunks(server, "POST", path, [body]) if not announced else server.post(path, body)
    assert answer.status_code == 400
    assert in_a_providers_form(path, answer)
    assert "1 MiB" in answer.json()["error"]["message"]


def test_a_get_with_ten_megabytes_is_answered(server: Process) -> None:
    """The body of a GET is nobody's business; one that is announced as too long is refused all the same."""
    body = b"x" * 10 * MIB
    assert sent_in_chunks(server, "GET", POLL, [body]).status_code == 200
    refused = server.get(POLL, body=body)
    assert refused.status_code == 413
    assert in_a_providers_form(POLL, refused)
    assert server.get(POLL, body=b'{"task_id": "<string>"}').status_code == 200


def sent_in_chunks(
    server: Served, method: str, path: str, chunks: Iterable[bytes], *more: tuple[str, str]
) -> Answer:
    """The answer to a request whose body comes in chunks of an unknown number."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    headers = [*KEY.items(), JSON_TYPE, ("transfer-encoding", "chunked"), *more]
    return server.call(method, path, body, headers=headers)


@pytest.mark.parametrize("path", TASKS)
def test_a_body_may_come_byte_by_byte(server: Process, path: str) -> None:
    """In as many chunks as it has bytes."""
    body = json.dumps({"id": "nobody"}).encode()
    answer = sent_in_chunks(server, "POST", path, (body[i : i + 1] for i in range(len(body))))
    assert (answer.status_code, answer.body) == (200, b"{}")


@pytest.mark.parametrize("path", TASKS)
@pytest.mark.parametrize(
    ("count", "reason"), [(1001, "1,000 ids"), (70_000, "1,000 ids"), (100_000, "1 MiB")]
)
def test_a_batch_of_too_many_ids_is_refused(server: Process, path: str, count: int, reason: str) -> None:
    """By its number, or by its length where that is past bounds too."""
    ids = [f"id{number:06}" for number in range(count)]
    answer = server.post(path, {"ids": ids, "action": "retrieve_batch"})
    assert answer.status_code == 400
    assert in_a_providers_form(path, answer)
    assert reason in answer.json()["error"]["message"]


def test_a_batch_of_the_most_ids_is_answered(server: Process) -> None:
    """A thousand times the same task: each place has its item."""
    answer = server.post(TASKS[0], {"ids": [SORA] * 1000, "action": "retrieve_batch"})
    assert answer.json()["count"] == len(answer.json()["items"]) == 1000


@pytest.mark.parametrize("ids", [None, "x", {}, 1, [1], [None], [["x"]], [{}], ["x", 1], [True]])
def test_ids_of_a_wrong_type_are_refused(server: Process, ids: Any) -> None:
    """In the provider's form."""
    answer = server.post(TASKS[0], {"ids": ids, "action": "retrieve_batch"})
    assert answer.status_code == 400
    assert in_a_providers_form(TASKS[0], answer)


@pytest.mark.parametrize("action", [1, [], {}, True, "", "nothing", "x" * 500_000, "\x00", "retrieve\n"])
def test_an_unknown_action_is_refused(server: Process, action: Any) -> None:
    """Of any type and length."""
    answer = server.post(TASKS[0], {"id": SORA, "action": action})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "api_not_implemented")
    assert len(answer.body) < 1000


def test_the_last_of_duplicate_keys_counts(server: Process) -> None:
    """As JSON parsers mostly have it."""
    answer = server.post(TASKS[0], b'{"id": "x", "id": "%s"}' % SORA.encode())
    assert answer.json()["id"] == SORA


ODD_FIELDS: Final[Mapping[str, dict[str, Any]]] = {
    "NULs": {"prompt": "\x00", "size": "\x00", "seconds": "\x00", "duration": "\x00"},
    "wrong types": {"prompt": [1], "size": {}, "seconds": [], "duration": {"a": 1}, "model": True, "fps": []},
    "huge numbers": {
        "duration": 10**300,
        "seconds": 1e300,
        "width": 10**18,
        "height": -(10**18),
        "fps": 1e308,
    },
    "long digits": {"seconds": "9" * 5000, "size": f"{'9' * 5000}x{'9' * 5000}", "seed": "9" * 5000},
    "nothing but nulls": {"prompt": None, "size": None, "seconds": None, "duration": None, "model": None},
    "zero and less": {"seconds": "0", "duration": -5, "size": "0x0", "width": 0, "height": 0},
    "empty strings": {
        "prompt": "",
        "model": "",
        "size": "",
        "seconds": "",
        "aspect_ratio": "",
        "version": "",
    },
    "line breaks": {"prompt": "a\r\nX-Injected: yes", "model": "a\r\nb", "size": "1\r\nx2"},
    "a scenario that isn't": {"prompt": "scenario: scenario:.. scenario:../../etc/passwd scenario:\x00"},
}


@pytest.mark.parametrize("path", CREATES)
@pytest.mark.parametrize("name", ODD_FIELDS)
def test_odd_fields_of_a_create_do_no_harm(server: Process, path: str, name: str) -> None:
    """The task is made or refused; where it's made, it completes, and its video can be downloaded."""
    answer = server.post(path, {"prompt": "x", "async": True, **ODD_FIELDS[name]})
    if answer.status_code != 200:
        assert answer.status_code == 400
        assert in_a_providers_form(path, answer)
        return
    task_id = answer.json().get("task_id") or answer.json()["id"]
    server.advance_clock("10s")
    if path.startswith("/acedata"):
        record = server.post(path.replace("/videos", "/tasks"), {"id": task_id}).json()
        url = record["response"]["data"][0]["video_url"]
    else:
        task = server.get(f"{path}/{task_id}").json()
        assert task["status"] == "completed"
        url = task["video_url" if "octopusx" in path else "url"]
    assert server.get(url.removeprefix(server.url), headers={}).body[4:8] == b"ftyp"


@pytest.mark.parametrize("path", CREATES)
@pytest.mark.parametrize(
    "many",
    [b'"a",' * 1_000_000, b"[]," * 1_000_000, b"1," * 1_000_000],
    ids=["strings", "arrays", "numbers"],
)
def test_a_create_of_too_many_values_is_refused(server: Process, path: str, many: bytes) -> None:
    """Looking at millions of values would stop the server for seconds, and keeping them would fill it."""
    body = b'{"prompt": "x", "a": [' + many + b"1]}"
    answer = server.post(path, body)
    assert answer.status_code == 400
    assert in_a_providers_form(path, answer)
    assert f"{MAX_SEPARATORS:,}" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", CREATES)
def test_a_long_string_is_kept_as_its_digest(server: Process, path: str) -> None:
    """An image in base64, say: the create is good, and what is echoed is short."""
    answer = server.post(path, {"prompt": "x", "async": True, "image_url": f"data:,{'A' * 20 * MIB}"})
    assert answer.status_code == 200
    if path.startswith("/acedata"):
        query = {"id": answer.json()["task_id"]}
        record = server.post(path.replace("/videos", "/tasks"), query).json()
        assert record["request"]["image_url"].startswith("sha256:")


# Ids

ODD_IDS: Final = {
    "colons": "sora-2:task_01k777hjrbfrgs2060q5zvf2a5",
    "slashes": "a/b//c/",
    "dots": "..",
    "a dot and slashes": "../../v1/videos/x",
    "an escape": "%2F%00%",
    "a question mark and a hash": "a?b=c#d",
    "a plus and spaces": " a + b ",
    "quotes": "\"'`",
    "Unicode": "vidéo-动画-🎬",
    "what isn't composed": "e\N{COMBINING ACUTE ACCENT}",
    "right to left": "\N{RIGHT-TO-LEFT OVERRIDE}x",
    "a semicolon": "a;b",
    "backslashes": "a\\b",
    "control characters": "\x01\x1b[31m\x7f",
    "line breaks": "a\r\nb",
    "10 kB": "x" * 10_000,
    "10 kB of Unicode": "動" * 3_400,
    "template": "{{ request.prompt }}",
    "a route's name": "content",
}


def encoded(text: str) -> str:
    """The text with every byte of it percent-encoded, so that nothing of it has a meaning in a path."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize("name", [*ODD_IDS, "a NUL"])
def test_an_odd_id_that_nobody_has_is_unknown(server: Process, name: str) -> None:
    """At every provider, and at its content."""
    task_id = ODD_IDS.get(name, "\x00")
    for path in TASKS:
        answer = server.post(path, {"id": task_id})
        assert (answer.status_code, answer.body) == (200, b"{}")
        batch = server.post(path, {"ids": [task_id], "action": "retrieve_batch"})
        assert batch.json() == {"items": [], "count": 0}
    for provider in ("octopusx", "ezmodel"):
        for tail in ("", "/content"):
            path = f"/{provider}/v1/videos/{encoded(task_id)}{tail}"
            answer = server.get(path)
            assert answer.status_code == 404
            assert in_a_providers_form(path, answer)


@pytest.mark.parametrize("name", ODD_IDS)
def test_an_odd_id_of_a_task_is_found(name: str) -> None:
    """It is printed as it was written, and its link can be followed."""
    task_id = ODD_IDS[name]
    quoted = json.dumps(task_id, ensure_ascii=not task_id.isprintable())
    text = f"version: 1\ntasks:\n  - {{id: {quoted}, timeline: [{{status: completed}}]}}\n"
    with serving.thread(World(text).app) as served:
        for path, link in (
            ("/sora/tasks", None),
            ("/veo/tasks", None),
            ("octopusx", "video_url"),
            ("ezmodel", "url"),
        ):
            if link is None:
                task = served.post(path, {"id": task_id}).json()
                url = task["response"]["data"][0]["video_url"]
            else:
                task = served.get(f"/{path}/v1/videos/{encoded(task_id)}").json()
                url = task[link]
            assert task["id"] == task_id
            video = served.get(url.removeprefix(served.url), headers={})
            assert (video.status_code, video.body[4:8]) == (200, b"ftyp")


@pytest.mark.parametrize("path", ["%FF", "%C3%28", "%ED%A0%80", "%", "%zz", "%u00e9", "a%"])
def test_an_id_that_is_no_text_is_unknown(server: Process, path: str) -> None:
    """Escapes that are no UTF-8, or none at all."""
    answer = server.get(f"/octopusx/v1/videos/{path}")
    assert answer.status_code == 404
    assert in_a_providers_form("/octopusx", answer)


# Requests that are none, or nearly none

NO_REQUEST: Final = {
    "noise": b"\x00\x01\x02\xff\r\n\r\n",
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown method": b"FOO / HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a NUL in the path": b"GET /octopusx/v1/videos/a\x00b HTTP/1.1\r\n" + HEAD + b"\r\n",
    "UTF-8 in the path": "GET /octopusx/v1/videos/ü HTTP/1.1\r\n".encode() + HEAD + b"\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\x00b\r\n\r\n",
    "a NUL in a header's name": b"GET / HTTP/1.1\r\n" + HEAD + b"X\x00: a\r\n\r\n",
    "a line break within a header": b"GET / HTTP/1.1\r\n" + HEAD + b"X: a\r\n b\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\n" + HEAD + b"X\r\n\r\n",
    "a path without a slash": b"GET octopusx HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a path of a megabyte": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "two lengths": b"POST /sora/tasks HTTP/1.1\r\n"
    + HEAD
    + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length below zero": b"POST /sora/tasks HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n{}",
    "a length that is no number": b"POST /sora/tasks HTTP/1.1\r\n" + HEAD + b"Content-Length: two\r\n\r\n{}",
    "a length of thirty digits": b"POST /sora/tasks HTTP/1.1\r\n"
    + HEAD
    + b"Content-Length: "
    + b"9" * 30
    + b"\r\n\r\n",
    "a length and chunks": b"POST /sora/tasks HTTP/1.1\r\n"
    + HEAD
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk without a length": b"POST /sora/tasks HTTP/1.1\r\n"
    + HEAD
    + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an authority without CONNECT": b"CONNECT example.com:443 HTTP/1.1\r\n" + HEAD + b"\r\n",
}


@pytest.mark.parametrize("name", NO_REQUEST)
def test_what_is_no_request_is_refused_and_the_connection_closed(server: Process, name: str) -> None:
    """400 in plain text: there is no provider to speak for."""
    with server.connect() as wire:
        wire.send([NO_REQUEST[name]])
        answer = wire.answer()
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert wire.is_at_end()


ANSWERED: Final = {
    "two keys, the last of them good": (
        b"Authorization: nothing\r\nAuthorization: Bearer k\r\nHost: x\r\n",
        200,
    ),
    "two keys, the last of them bad": (
        b"Authorization: Bearer k\r\nAuthorization: nothing\r\nHost: x\r\n",
        401,
    ),
    "two hosts": (b"Authorization: Bearer k\r\nHost: one\r\nHost: two\r\n", 200),
    "no host": (b"Authorization: Bearer k\r\n", 200),
    "an empty host": (b"Authorization: Bearer k\r\nHost:\r\n", 200),
    "a header of a megabyte": (HEAD + b"X: " + b"a" * 1_000_000 + b"\r\n", 200),
    "a key of a megabyte": (b"Host: x\r\nAuthorization: Bearer " + b"a" * 1_000_000 + b"\r\n", 200),
    "10,000 headers": (HEAD + b"X: a\r\n" * 10_000, 200),
    "a key of high bytes": (b"Host: x\r\nAuthorization: Bearer \xff\xfe\x80\r\n", 200),
    "a scheme of high bytes": (b"Host: x\r\nAuthorization: \xff\xfe\x80\r\n", 401),
    "a scenario of high bytes": (HEAD + b"X-Emulator-Scenario: \xff\xfe\x80\r\n", 400),
    "a scenario that is a path": (HEAD + b"X-Emulator-Scenario: ../../etc/passwd\r\n", 400),
    "a scenario without a name": (HEAD + b"X-Emulator-Scenario:\r\n", 400),
    "an encoding that nobody has": (
        HEAD + b"Accept: nothing/x\r\nAccept-Encoding: zzz;q=-1\r\nTE: x\r\n",
        200,
    ),
    "an expectation that nobody has": (HEAD + b"Expect: miracles\r\n", 200),
}


@pytest.mark.parametrize("name", ANSWERED)
def test_odd_headers_are_answered(server: Process, name: str) -> None:
    """In the provider's form, whatever they are; of a header that comes twice the last counts."""
    headers, status_code = ANSWERED[name]
    answer = server.send(b"GET " + POLL.encode() + b" HTTP/1.1\r\n" + headers + b"\r\n")
    assert answer.status_code == status_code
    assert status_code == 200 or in_a_providers_form(POLL, answer)


@pytest.mark.parametrize(
    "line",
    [
        f"GET {POLL} HTTP/1.0",
        f"GET http://localhost:8080{POLL} HTTP/1.1",
        f"GET http://anything.example{POLL} HTTP/1.1",
        f"GET //////octopusx{POLL.removeprefix('/octopusx')}/ HTTP/1.1",
        f"GET {POLL}? HTTP/1.1",
        f"GET {POLL}?a=b&a=c&%FF=%00&=&& HTTP/1.1",
        f"GET {POLL}#part HTTP/1.1",
    ],
)
def test_odd_request_lines_are_answered(server: Process, line: str) -> None:
    """HTTP/1.0, a whole URL as a proxy sends it, slashes at the beginning, odd queries."""
    answer = server.send(line.encode() + b"\r\n" + HEAD + b"\r\n")
    assert (answer.status_code, answer.json()["id"]) == (200, "video_abc123")


def test_http_1_0_needs_no_host_and_gets_its_connection_closed(server: Process) -> None:
    """Links then start with the server's own address."""
    with server.connect() as wire:
        wire.send([b"GET / HTTP/1.0\r\n\r\n"])
        assert wire.answer().json()["providers"]["octopusx"] == f"{server.url}/octopusx"
        assert wire.is_at_end()


ODD_HOSTS: Final = [
    b"\xff\xfe",
    b"[::",
    b"[::1]:x",
    b"a b c",
    b"localhost:99999999",
    b"localhost:\xb2",
    b"@/\\?#<>\"'",
    b"x" * 10_000,
    b"evil.example",
    b"octopusx.ai.evil.example",
    b"%00",
    b":",
    b",",
]


@pytest.mark.parametrize("host", ODD_HOSTS)
def test_an_odd_host_does_no_harm(server: Process, host: bytes) -> None:
    """Providers and the index answer; the control API answers or refuses, and never to a stranger's name."""
    for path in (POLL, "/"):
        answer = server.send(
            b"GET %s HTTP/1.1\r\nAuthorization: Bearer k\r\nHost: %s\r\n\r\n" % (path.encode(), host)
        )
        assert answer.status_code == 200
        assert answer.json()
    for method, path in (
        ("GET", "/__admin/health"),
        ("DELETE", "/__admin/health"),
        ("GET", "/__admin/nothing"),
    ):
        head = f"{method} {path} HTTP/1.1\r\n".encode()
        answer = server.send(head + b"Host: %s\r\n\r\n" % host, method=method)
        assert answer.status_code in {200, 403, 404, 405}
        assert answer.status_code == 200 or is_a_problem(answer)
        assert answer.status_code == 403 or b"evil" not in host


def test_thousands_of_hosts_are_told_apart(server: Process) -> None:
    """Each is answered, the provider's own among them, after thousands of others."""
    with server.connect() as wire:
        for number in range(2000):
            wire.send([b"GET / HTTP/1.1\r\nHost: h%d\r\n\r\n" % number])
            assert wire.answer().status_code == 200
        wire.send(
            [
                b"GET /v1/videos/video_abc123 HTTP/1.1\r\nHost: Octopusx.AI:1\r\nAuthorization: Bearer k\r\n\r\n"
            ]
        )
        assert wire.answer().json()["id"] == "video_abc123"


def test_thousands_of_keys_are_told_apart(server: Process) -> None:
    """Each key is judged on its own, after thousands of others."""
    with server.connect() as wire:
        for number in range(2000):
            key = b"Bearer k%d" % number if number % 2 else b"nothing %d" % number
            wire.send([b"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\n\r\n" % (POLL.encode(), key)])
            assert wire.answer().status_code == (200 if number % 2 else 401)


# Connections


def test_pipelined_requests_are_answered_in_order(server: Process) -> None:
    """Sent at once, of every kind, with and without a body."""
    body = b'{"id": "%s"}' % SORA.encode()
    sent = [
        b"GET %s HTTP/1.1\r\n%s\r\n" % (POLL.encode(), HEAD),
        b"POST /sora/tasks HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (HEAD, len(body), body),
        b"GET /octopusx/v1/videos/nobody HTTP/1.1\r\n%s\r\n" % HEAD,
        b"POST /sora/tasks HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" % HEAD,
        b"GET /__admin/ready HTTP/1.1\r\n%s\r\n" % HEAD,
        b"GET /nothing HTTP/1.1\r\n%s\r\n" % HEAD,
    ]
    with server.connect() as wire:
        wire.send([b"".join(sent * 5)])
        codes = [wire.answer().status_code for _ in range(30)]
    assert codes == [200, 200, 404, 400, 200, 404] * 5


def test_a_refused_body_leaves_the_connection_usable(server: Process) -> None:
    """What is left of it is read past; the next request is a request."""
    with server.connect() as wire:
        for _ in range(3):
            body = b"x" * 3 * MIB
            wire.send(
                [b"POST /sora/tasks HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n" % (HEAD, len(body)), body]
            )
            assert wire.answer().status_code == 400
            wire.send([b"GET %s HTTP/1.1\r\n%s\r\n" % (POLL.encode(), HEAD)])
            assert wire.answer().status_code == 200


CUT_OFF: Final = {
    "a head": b"POST /octopusx/v1/videos HTTP/1.1\r\nHost: x\r\nAuthor",
    "a poll's body": b"POST /sora/tasks HTTP/1.1\r\n" + HEAD + b'Content-Length: 100\r\n\r\n{"id": ',
    "a create's body": b"POST /octopusx/v1/videos HTTP/1.1\r\n"
    + HEAD
    + b'Content-Length: 20\r\n\r\n{"prompt": "x"}',
    "a chunk": b"POST /octopusx/v1/videos HTTP/1.1\r\n"
    + HEAD
    + b'Transfer-Encoding: chunked\r\n\r\nf\r\n{"prompt": "x"}\r\n',
    "a form": b"POST /octopusx/v1/videos HTTP/1.1\r\n"
    + HEAD
    + b"Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: 1000\r\n\r\n--edge\r\n"
    + b'Content-Disposition: form-data; name="prompt"\r\n\r\nx',
    "a control call's body": b"POST /__admin/reset HTTP/1.1\r\n"
    + HEAD
    + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{}",
}


@pytest.mark.parametrize("way", ["leaves", "resets"])
@pytest.mark.parametrize("name", CUT_OFF)
def test_a_client_that_leaves_half_way_changes_nothing(server: Process, name: str, way: str) -> None:
    """Whether it closes its side or resets the connection: no task is made, nothing is reset."""
    before = server.get("/__admin/tasks").json()
    with server.connect() as wire:
        wire.send([CUT_OFF[name]])
        if way == "leaves":
            wire.sock.shutdown(socket.SHUT_WR)
            assert wire.is_at_end()
        else:
            wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert server.get("/__admin/tasks").json() == before


def test_a_client_that_leaves_before_its_answer_is_no_trouble(server: Process) -> None:
    """A hundred of them, each gone with its request sent."""
    for _ in range(100):
        with server.connect() as wire:
            wire.send([b"GET %s HTTP/1.1\r\n%s\r\n" % (POLL.encode(), HEAD)])


def test_a_slow_sender_holds_nobody_up(server: Process) -> None:
    """Its request arrives byte by byte, with another client's poll between any two; then it is answered."""
    body = b'{"id": "nobody"}'
    request = b"POST /sora/tasks HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (HEAD, len(body), body)
    poll = b"GET %s HTTP/1.1\r\n%s\r\n" % (POLL.encode(), HEAD)
    with server.connect() as slow, server.connect() as quick:
        slow.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(request)):
            slow.send([request[place : place + 1]])
            quick.send([poll])
            assert quick.answer().status_code == 200
        assert slow.answer().body == b"{}"


def test_idle_connections_hold_nobody_up(server: Process) -> None:
    """Three hundred that say nothing, and as many that stop in the middle of a head."""
    idle = [server.connect() for _ in range(600)]
    for wire in idle[:300]:
        wire.send([b"GET / HTTP/1.1\r\nHost:"])
    assert server.get(POLL).status_code == 200
    for wire in idle:
        wire.close()


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="what a process has in use is read from /proc"
)
def test_a_client_that_doesnt_read_fills_no_memory() -> None:
    """It asks for half a gigabyte; answers wait until it reads, and other clients don't wait for it."""
    body = json.dumps({"ids": [SORA] * 1000, "action": "retrieve_batch"}).encode()
    request = b"POST /sora/tasks HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (HEAD, len(body), body)
    with serving.process("--scenario", "documents", "--clock", "manual", "--start", START_TEXT) as server:
        size = len(server.send(request).body)
        before = server.peak_memory
        with server.connect() as wire:
            wire.sock.setblocking(False)
            asked = 0
            try:
                while asked * size < 512 * MIB:
                    wire.sock.sendall(request)
                    asked += 1
            except BlockingIOError:
                pass  # the server has stopped to take requests: it waits, too
            assert [server.get(POLL).status_code for _ in range(100)] == [200] * 100
        assert asked > 10
        assert server.peak_memory - before < 32 * MIB


def test_who_asks_first_is_told_to_go_on(server: Process) -> None:
    """`Expect: 100-continue`, as curl sends it before a long body."""
    body = b'{"id": "nobody"}'
    with server.connect() as wire:
        head = b"POST /sora/tasks HTTP/1.1\r\n%sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        wire.send([head % (HEAD, len(body))])
        assert [wire.line(), wire.line()] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
        wire.send([body])
        assert wire.answer().body == b"{}"


def test_who_asks_first_with_too_much_is_refused_at_once(server: Process) -> None:
    """Nothing of the body is sent for."""
    with server.connect() as wire:
        head = b"POST /octopusx/v1/videos HTTP/1.1\r\n%sExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
        wire.send([head % (HEAD, 70 * MIB)])
        assert wire.line().startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", [POLL, "/", "/__admin/health", "/nothing", "/media/x"])
def test_an_upgrade_to_websocket_is_answered_as_plain_http(server: Process, path: str) -> None:
    """There is none here."""
    offer = (
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    plain = server.send(b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), HEAD))
    upgraded = server.send(b"GET %s HTTP/1.1\r\n%s%s\r\n" % (path.encode(), HEAD, offer))
    assert (upgraded.status_code, upgraded.body) == (plain.status_code, plain.body)


@pytest.mark.parametrize("header", [b"Upgrade: h2c", b"upgrade:h2c ", b"UPGRADE:\th2c"])
def test_an_offer_of_http_2_costs_no_body(server: Process, header: bytes) -> None:
    """Java's own client makes it with every request until it is told otherwise, a POST among them."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n" + header + b"\r\n"
    body = b'{"id": "%s"}' % SORA.encode()
    poll = b"GET %s HTTP/1.1\r\n%s%s\r\n" % (POLL.encode(), HEAD, offer)
    post = b"POST /sora/tasks HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n" % (HEAD, offer, len(body))
    with server.connect() as wire:
        for chunks in ([poll], [post + body], [post, body], [poll]):
            wire.send(chunks)
            answer = wire.answer()
            assert answer.status_code == 200
            assert answer.json()["id"] in {SORA, "video_abc123"}


@pytest.mark.parametrize("asks_first", [False, True], ids=["with the head", "after it"])
def test_a_body_that_speaks_of_http_2_is_left_alone(server: Process, asks_first: bool) -> None:
    """The offer is a header's: the same words in a prompt stay, whether head and body arrive together or not."""
    prompt = "a\r\nUpgrade: h2c\r\nb"
    body = f"async=true&prompt={prompt}".encode()
    head = (
        b"POST /acedata/sora/videos HTTP/1.1\r\n%sContent-Type: application/x-www-form-urlencoded\r\n" % HEAD
    )
    head += b"Content-Length: %d\r\n" % len(body)
    with server.connect() as wire:
        if asks_first:
            wire.send([head + b"Expect: 100-continue\r\n\r\n"])
            assert [wire.line(), wire.line()] == [b"HTTP/1.1 100 Continue\r\n", b"\r\n"]
            wire.send([body])
        else:
            wire.send([head + b"\r\n" + body])
        task_id = wire.answer().json()["task_id"]
    record = server.post("/acedata/sora/tasks", {"id": task_id}).json()
    assert record["request"]["prompt"] == prompt


# Methods


ROUTES: Final = {
    "/acedata/sora/tasks": "POST",
    "/acedata/veo/tasks": "POST",
    "/acedata/sora/videos": "POST",
    "/acedata/veo/videos": "POST",
    "/octopusx/v1/videos": "POST",
    "/ezmodel/v1/videos": "POST",
    "/octopusx/v1/videos/video_abc123": "GET",
    "/octopusx/v1/videos/video_abc123/content": "GET",
    "/ezmodel/v1/videos/vid_abc123xyz456": "GET",
    "/ezmodel/v1/videos/vid_abc123xyz456/content": "GET",
}
MORE: Final = {
    "/octopusx/v1/videos": "GET, HEAD, POST, OPTIONS",
    "/ezmodel/v1/videos": "GET, HEAD, POST, OPTIONS",
    "/octopusx/v1/videos/video_abc123": "GET, HEAD, DELETE, OPTIONS",
    "/ezmodel/v1/videos/vid_abc123xyz456": "GET, HEAD, DELETE, OPTIONS",
}
"""Paths that have other methods in profile `current`."""
CONTROL: Final = list(dict.fromkeys(f"/__admin{row.path}" for row in TABLE if "{" not in row.path))
"""The paths of the control API, less those that hold a name."""


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT", "TRACE", "PROPFIND", "QUERY", "CONNECT"])
@pytest.mark.parametrize("path", ROUTES)
def test_a_method_that_a_route_lacks_is_the_providers_not_found(
    server: Process, method: str, path: str
) -> None:
    """The gateways know no 405."""
    answer = server.call(method, path)
    assert answer.status_code == 404
    assert in_a_providers_form(path, answer)


@pytest.mark.parametrize("path", [path for path, method in ROUTES.items() if method == "GET"])
def test_head_is_get_without_a_body(server: Process, path: str) -> None:
    """The same head, of a task as of a refusal, and nothing after it."""
    get = server.get(path)
    with server.connect() as wire:
        wire.send([b"HEAD %s HTTP/1.1\r\n%sConnection: close\r\n\r\n" % (path.encode(), HEAD)])
        head = wire.answer("HEAD")
        assert wire.is_at_end()
    assert head.status_code == get.status_code
    assert head.headers["content-length"] == str(len(get.body))
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [path for path, method in ROUTES.items() if method == "POST"])
def test_what_is_posted_to_isnt_there_to_get(server: Process, path: str, method: str) -> None:
    """The provider's not-found."""
    answer = server.call(method, path)
    assert answer.status_code == 404
    assert method == "HEAD" or in_a_providers_form(path, answer)


@pytest.mark.parametrize("path", ROUTES)
def test_options_tells_the_methods_of_a_route(server: Process, path: str) -> None:
    """204, for browsers; no key is asked for."""
    answer = server.call("OPTIONS", path, headers={})
    assert (answer.status_code, answer.body) == (204, b"")
    # What either profile has: a browser asks before anybody knows which one will answer.
    usual = {"GET": "GET, HEAD, OPTIONS", "POST": "POST, OPTIONS"}[ROUTES[path]]
    allowed = MORE.get(path, usual)
    assert answer.headers["allow"] == answer.headers["access-control-allow-methods"] == allowed


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "OPTIONS", "PROPFIND", "CONNECT"])
@pytest.mark.parametrize("path", CONTROL)
def test_a_method_that_a_control_route_lacks_is_a_problem(server: Process, method: str, path: str) -> None:
    """405, and which there are."""
    takes = {row.method for row in TABLE if f"/__admin{row.path}" == path}
    answer = server.call(method, path)
    assert answer.status_code == 405
    assert is_a_problem(answer)
    assert answer.headers["allow"] == ", ".join(sorted(takes | ({"HEAD"} if "GET" in takes else set())))


@pytest.mark.parametrize(
    "path",
    ["/__admin", "/__admin/nothing", "/__admin/tasks/x/y", "/__admin/%00", "/__admin//", "/__admin/clock//"],
)
def test_a_control_route_that_isnt_there_is_a_problem(server: Process, path: str) -> None:
    """404, and where the routes are listed."""
    answer = server.get(path)
    assert answer.status_code == 404
    assert is_a_problem(answer)


def test_a_slash_at_the_end_of_a_control_route_means_nothing(server: Process) -> None:
    """As at the providers: no redirect, which clients of APIs don't follow."""
    assert server.get("/__admin/clock/").json() == server.get("/__admin/clock").json()
    assert server.call("PUT", "/__admin/scenarios/active/", {"name": "documents"}).status_code == 200


# Forms


def part(name: str, value: bytes, more: str = "") -> bytes:
    """One part of a multipart form."""
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


END: Final = b"--edge--\r\n"
GOOD: Final = part("prompt", b"a cat") + END
BROKEN_FORMS: Final[Mapping[str, tuple[bytes, str | bytes]]] = {
    "no boundary in the type": (GOOD, "multipart/form-data"),
    "an empty boundary": (GOOD, "multipart/form-data; boundary="),
    "another boundary": (GOOD, "multipart/form-data; boundary=other"),
    "a boundary of high bytes": (GOOD, b"multipart/form-data; boundary=\xff\xfe"),
    "a boundary in an unknown charset": (GOOD, "multipart/form-data; boundary*=nope''edge"),
    "a boundary of 5 kB": (GOOD, f"multipart/form-data; boundary={'e' * 5000}"),
    "nothing": (b"", "multipart/form-data; boundary=edge"),
    "no end": (part("prompt", b"a cat"), "multipart/form-data; boundary=edge"),
    "half a header": (b"--edge\r\nContent-Dispo", "multipart/form-data; boundary=edge"),
    "no part before the end": (END, "multipart/form-data; boundary=edge"),
    "a part without a name": (
        b"--edge\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
        "multipart/form-data; boundary=edge",
    ),
    "a part without headers": (b"--edge\r\n\r\nx\r\n" + END, "multipart/form-data; boundary=edge"),
    "a disposition of signs": (
        b'--edge\r\nContent-Disposition: ;;;="\r\n\r\nx\r\n' + END,
        "multipart/form-data; boundary=edge",
    ),
    "a header of 3 MB": (
        b"--edge\r\nX: " + b"a" * 3_000_000 + b"\r\n\r\nx\r\n" + END,
        "multipart/form-data; boundary=edge",
    ),
    "100,000 headers": (
        b"--edge\r\n" + b"X: a\r\n" * 100_000 + b"\r\nx\r\n" + END,
        "multipart/form-data; boundary=edge",
    ),
    "2,000 parts": (
        b"".join(part(f"p{number}", b"x") for number in range(2000)) + GOOD,
        "multipart/form-data; boundary=edge",
    ),
    "2,000 fields": (b"&".join(b"p=x" for _ in range(2000)), FORM[1]),
}


@pytest.mark.parametrize("name", BROKEN_FORMS)
def test_a_broken_form_is_refused(server: Process, name: str) -> None:
    """400, in the provider's form; a form without a prompt is no create either."""
    body, content_type = BROKEN_FORMS[name]
    answer = server.post("/octopusx/v1/videos", body, headers=[*KEY.items(), ("content-type", content_type)])
    assert answer.status_code == 400
    assert in_a_providers_form("/octopusx", answer)


@pytest.mark.parametrize("path", ["/v1/video/create", "/v1/videos/{}/remix", "/v1/video/remix"])
@pytest.mark.parametrize("name", ["another boundary", "no end", "2,000 parts"])
def test_a_broken_form_is_refused_by_whatever_makes_a_task(server: Process, path: str, name: str) -> None:
    """The older create and the remixes read forms as the create does."""
    source = server.post("/octopusx/v1/videos", {"prompt": "a cat"}).json()["id"]
    body, content_type = BROKEN_FORMS[name]
    headers = [*KEY.items(), ("content-type", content_type)]
    answer = server.post(f"/octopusx{path.format(source)}", body, headers=headers)
    assert answer.status_code == 400
    assert in_a_providers_form("/octopusx", answer)
    assert "form" in answer.json()["error"]["message"]


def test_a_form_is_cut_off_at_its_limit_of_parts(server: Process) -> None:
    """The refusal says the limit."""
    body, content_type = BROKEN_FORMS["2,000 parts"]
    answer = server.post("/octopusx/v1/videos", body, headers=[*KEY.items(), ("content-type", content_type)])
    assert str(MAX_PARTS) in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        part("a[", b"1")
        + part("a[]", b"1")
        + part("a[b]", b"1")
        + part("a", b"1")
        + part("[x]", b"1")
        + GOOD,
        part("", b"1") + part("\x00", b"\x00") + GOOD,
        b"\r\n" + GOOD + b"epilogue",
        part("prompt", b"\xff\xfe") + END,
        part("file", b"x", '; filename=""') + part("file", b"x", '; filename="../../x"') + GOOD,
        part("file", b"a cat", "; filename*=utf-8''%FF%zz") + GOOD,
        part("image", b"\r\n--edg" * 100_000, '; filename="x"') + GOOD,
        b"".join(part(f"metadata[{number}]", b"x") for number in range(900)) + GOOD,
        b"".join(part("image", b"x", f'; filename="{number}.png"') for number in range(100)) + GOOD,
    ],
    ids=[
        *(
            "brackets",
            "NULs",
            "around it",
            "no UTF-8",
            "file names",
            "encoded",
            "near boundaries",
            "900 keys",
        ),
        "100 files",
    ],
)
def test_an_odd_form_is_read(server: Process, body: bytes) -> None:
    """Whatever its fields are called and hold."""
    answer = server.post("/octopusx/v1/videos", body, headers=[*KEY.items(), MULTIPART])
    assert answer.status_code == 200
    assert server.get(f"/octopusx/v1/videos/{answer.json()['id']}").json()["status"] == "queued"


def test_a_urlencoded_form_has_its_own_limit(server: Process) -> None:
    """Undoing twenty megabytes of escapes would stop the server for seconds."""
    short, long = (b"prompt=" + b"%41" * (length // 3) for length in (FORM_LIMIT - 10, 20 * MIB))
    assert server.post("/octopusx/v1/videos", short, headers=[*KEY.items(), FORM]).status_code == 200
    answer = server.post("/octopusx/v1/videos", long, headers=[*KEY.items(), FORM])
    assert answer.status_code == 413
    assert in_a_providers_form("/octopusx", answer)
    assert "1 MiB" in answer.json()["error"]["message"]


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="what a process has in use is read from /proc"
)
def test_a_file_is_measured_and_dropped() -> None:
    """60 MB are taken, 100 refused; the server never holds more than a small part of them."""
    with serving.process() as server:
        warm = upload(server, 1)
        before = server.peak_memory
        taken, refused = upload(server, 60), upload(server, 100)
        after = server.peak_memory
    assert (warm.status_code, taken.status_code, refused.status_code) == (200, 200, 413)
    assert in_a_providers_form("/octopusx", refused)
    assert after - before < 8 * MIB


def upload(server: Served, megabytes: int) -> Answer:
    """The answer to a create with a file of so many MiB, sent a MiB at a time without its length."""
    opening = part("prompt", b"a cat") + part("input_reference", b"", '; filename="big.png"').removesuffix(
        b"\r\n"
    )
    with server.connect() as wire:
        wire.send(
            [
                b"POST /octopusx/v1/videos HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n" % HEAD,
                b"Content-Type: multipart/form-data; boundary=edge\r\n\r\n",
            ]
        )
        wire.send(in_chunks([opening, *[bytes(MIB)] * megabytes, b"\r\n" + END]))
        return wire.answer()


def in_chunks(chunks: Sequence[bytes]) -> Iterator[bytes]:
    """The bytes of a chunked body, one chunk at a time."""
    for chunk in chunks:
        yield b"%x\r\n%s\r\n" % (len(chunk), chunk)
    yield b"0\r\n\r\n"


# What comes back of what was sent

ECHOING: Final = """
version: 1
tasks:
  - timeline: [{status: completed, video: {url: "http://x/{{ request.prompt }}", content: redirect}}]
rules:
  - {operation: create, headers: {x-echo: "{{ request.prompt }}"}}
"""


@pytest.mark.parametrize(
    "prompt", ["a\r\nX-Injected: yes", "a\nb", "a\x00b", "a\x1b[31m", "a\x7f", "動", "a b", "ü"]
)
def test_nothing_that_a_client_writes_breaks_a_head(prompt: str) -> None:
    """Where an author has it printed in a header, or in a link that becomes one."""
    with serving.thread(World(ECHOING).app) as served:
        created = served.post("/octopusx/v1/videos", {"prompt": prompt})
        moved = served.get(f"/octopusx/v1/videos/{created.json()['id']}/content")
    assert (created.status_code, moved.status_code) == (200, 302)
    assert "x-injected" not in {*created.headers, *moved.headers}
    assert created.headers["x-echo"].isprintable()
    assert moved.headers["location"].startswith("http://x/")
    assert re.fullmatch(r"[!-~]+", moved.headers["location"])


# The control API

BAD_CALLS: Final[Sequence[tuple[str, str, Any, int]]] = [
    ("PUT", "/__admin/clock", b"[]", 400),
    ("PUT", "/__admin/clock", b"1", 400),
    ("PUT", "/__admin/clock", b'{"now": ', 400),
    ("PUT", "/__admin/clock", b'{"now": "\\ud800"}', 400),
    ("PUT", "/__admin/clock", b'{"now": "\xff"}', 400),
    ("PUT", "/__admin/clock", nested(b"[", b"", b"]", 100_000), 400),
    ("PUT", "/__admin/clock", b'{"now": [' + b"1," * 400_000 + b"1]}", 400),
    ("PUT", "/__admin/clock", b" " * 10 * MIB, 413),
    ("PUT", "/__admin/clock", {"then": 1}, 400),
    ("PUT", "/__admin/clock", {"\x00" * 1000: 1}, 400),
    ("PUT", "/__admin/clock", {"now": "yesterday"}, 400),
    ("PUT", "/__admin/clock", {"now": 5}, 400),
    ("PUT", "/__admin/clock", {"now": True}, 400),
    ("PUT", "/__admin/clock", {"now": {}}, 400),
    ("PUT", "/__admin/clock", {"now": "2026-02-30T00:00:00Z"}, 400),
    ("PUT", "/__admin/clock", {"now": "99999-01-01T00:00:00Z"}, 400),
    ("PUT", "/__admin/clock", {"now": "2026-01-01"}, 400),
    ("PUT", "/__admin/clock", {"now": "2027-01-01T00:00:00+99:99"}, 400),
    ("PUT", "/__admin/clock", {"now": "x" * 100_000}, 400),
    ("PUT", "/__admin/clock", {"now": "2000-01-01T00:00:00Z"}, 409),
    ("PUT", "/__admin/clock", {"mode": "sideways"}, 400),
    ("PUT", "/__admin/clock", {"mode": []}, 400),
    ("PUT", "/__admin/clock", {"mode": "scaled", "scale": 0}, 400),
    ("PUT", "/__admin/clock", {"mode": "scaled", "scale": -1}, 400),
    ("PUT", "/__admin/clock", {"mode": "scaled", "scale": 1e300}, 400),
    ("PUT", "/__admin/clock", {"mode": "scaled", "scale": "fast"}, 400),
    ("PUT", "/__admin/clock", {"mode": "scaled", "scale": True}, 400),
    ("PUT", "/__admin/clock", {"scale": 10**400}, 400),
    ("POST", "/__admin/clock/advance", {}, 400),
    ("POST", "/__admin/clock/advance", {"by": 5}, 400),
    ("POST", "/__admin/clock/advance", {"by": "5"}, 400),
    ("POST", "/__admin/clock/advance", {"by": "-5s"}, 400),
    ("POST", "/__admin/clock/advance", {"by": "5 parsecs"}, 400),
    ("POST", "/__admin/clock/advance", {"by": "9" * 10_000 + "s"}, 400),
    ("POST", "/__admin/clock/advance", {"by": "9999999d"}, 409),
    ("POST", "/__admin/clock/advance", {"by": "5s", "and": "6s"}, 400),
    ("PUT", "/__admin/scenarios/active", {}, 400),
    ("PUT", "/__admin/scenarios/active", {"name": None}, 400),
    ("PUT", "/__admin/scenarios/active", {"name": ["documents"]}, 400),
    ("PUT", "/__admin/scenarios/active", {"name": "../../etc/passwd"}, 404),
    ("PUT", "/__admin/scenarios/active", {"name": "\x00"}, 404),
    ("PUT", "/__admin/scenarios/active", {"name": "x" * 100_000}, 400),
    ("POST", "/__admin/reset", {"clock": "now"}, 400),
    ("POST", "/__admin/reset", {"clock": {"now": "yesterday"}}, 400),
    ("POST", "/__admin/reset", {"clock": {"zone": "UTC"}}, 400),
    ("POST", "/__admin/reset", {"everything": True}, 400),
    ("GET", "/__admin/tasks?limit=-1", None, 400),
    ("GET", "/__admin/tasks?limit=%C2%B2", None, 400),
    ("GET", "/__admin/tasks?limit=" + "9" * 5000, None, 400),
    ("GET", "/__admin/tasks?offset=x", None, 400),
    ("GET", "/__admin/tasks?status=%FF%00", None, 400),
    ("GET", "/__admin/tasks?provider=openai", None, 400),
    ("GET", "/__admin/tasks?nothing=1", None, 400),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status_code"),
    BAD_CALLS,
    ids=[f"{n}-{call[1][:30].removeprefix('/__admin/')}" for n, call in enumerate(BAD_CALLS)],
)
def test_a_bad_control_call_is_a_problem_and_changes_nothing(
    server: Process, method: str, path: str, body: Any, status_code: int
) -> None:
    """A problem document of bounded length; clock, scenario and tasks stay."""
    before = [server.get(f"/__admin/{name}").json() for name in ("health", "tasks")]
    answer = server.call(method, path, body, headers=[JSON_TYPE])
    assert answer.status_code == status_code
    assert is_a_problem(answer)
    assert len(answer.body) < 2000
    assert [server.get(f"/__admin/{name}").json() for name in ("health", "tasks")] == before


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "", ";", b"\xff"]
)
def test_the_control_api_takes_json_alone(server: Process, content_type: str | bytes) -> None:
    """What a page of elsewhere could send without asking is refused."""
    headers = [("content-type", content_type)]
    answer = server.call("PUT", "/__admin/clock", b'{"mode": "real"}', headers=headers)
    assert answer.status_code == 415
    assert is_a_problem(answer)


@pytest.mark.parametrize(
    "header",
    [
        b"Origin: https://evil.example",
        b"Origin: null",
        b"Origin: http://[::",
        b"Origin: \xff\xfe",
        b"Sec-Fetch-Site: cross-site",
        b"Sec-Fetch-Site: same-site",
    ],
)
def test_the_control_api_takes_nothing_of_a_page_of_elsewhere(server: Process, header: bytes) -> None:
    """403, a problem document."""
    answer = server.send(b"POST /__admin/reset HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")
    assert answer.status_code == 403
    assert is_a_problem(answer)


def test_the_advice_of_a_clock_that_wont_go_back_works() -> None:
    """What the refusal says to send instead does what was wanted."""
    with serving.thread(World(clock=ClockSettings(mode="manual", start=START)).app) as served:
        wanted = "2000-01-01T00:00:00Z"
        refused = served.call("PUT", "/__admin/clock", {"now": wanted})
        assert refused.status_code == 409
        advice = re.fullmatch(r".*, POST (\S+) with (\{.*\})", refused.json()["detail"])
        assert advice is not None
        answer = served.post(advice[1], json.loads(advice[2]))
        assert answer.json()["clock"] == {"mode": "manual", "now": wanted, "scale": 1}


def test_a_defect_of_the_control_api_looks_like_ours(caplog: pytest.LogCaptureFixture) -> None:
    """A problem document that names the emulator; the log has the traceback."""
    world = World()
    world.namespace.store.newest_first = None  # type: ignore[assignment, method-assign]
    with serving.thread(world.app) as served:
        answer = served.get("/__admin/tasks")
    assert answer.status_code == 500
    assert is_a_problem(answer)
    assert "video-emulator" in answer.json()["detail"]
    assert "TypeError" in caplog.text
