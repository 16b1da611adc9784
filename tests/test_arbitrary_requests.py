"""Any request at all to the application: a well-formed answer, and never a defect of ours."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import quote, unquote

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.app import App
from emulator.clock import breathe
from emulator.core.scenario import ClockSettings
from emulator.core.words import Profile
from emulator.exchanges import LEFT
from tests.worlds import START, World

# What can't stand in a head: it would end the header, or break the answer off.
_NO_NAME: Final = re.compile(b'[\x00-\x1f\x7f()<>@,;:\\[\\]={} \t\\\\"]')
_NO_VALUE: Final = re.compile(b"[\x00-\x08\x0a-\x1f\x7f]")

_PATIENCE: Final = 200
"""How often a client lets everybody else go on before it leaves."""

ECHOING: Final = """
version: 1
unknown_task: start
auth:
  keys: ["k", "sk-*"]
  reject:
    - {key: "sk-broke*", operation: create, error: insufficient_quota}
tasks:
  - {id: t, timeline: [{status: completed}]}
  - {id: f, timeline: [{status: failed, error: {message: "{{ request.prompt }} {{ task.id }}"}}]}
  - {id: e, timeline: [{status: completed, video: {expires_in: 0s}}]}
  - {id: l, timeline: [{status: completed, video: {url: "http://x/{{ request.prompt }}", content: redirect}}]}
  - match: {prompt: {contains: a}}
    timeline: [{status: completed, video: {url: "http://x/{{ request.prompt }}", content: redirect}}]
  - timeline: [{status: completed}]
rules:
  - {operation: create, headers: {x-echo: "{{ request.prompt }}{{ request.size }}"}}
  - {operation: poll, headers: {x-echo: "{{ request.prompt }}{{ task.id }}"}, patch: {x: "{{ request.model }}"}}
  - operation: [create, content]
    match: {prompt: {regex: "^b"}}
    error: {code: c, message: "{{ request.prompt }}", name: bad_request}
  - operation: create
    match: {prompt: c}
    respond: {status_code: 418, text: "{{ request.prompt }} {{ request.model }}", headers: {x-y: "{{ request.size }}"}}
"""
"""Everything of a request that an author can have printed is printed somewhere."""


class Asked(msgspec.Struct, frozen=True):
    """One request as a server hands it over."""

    method: str
    path: str
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ((b"authorization", b"Bearer sk-a"), (b"host", b"h"))
    chunks: tuple[bytes, ...] = (b"",)


class Answered(msgspec.Struct, frozen=True):
    """What came back."""

    status_code: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


def world_of(kind: str, profile: Profile) -> World:
    """A new world of one of four kinds."""
    match kind:
        case "echoing":
            return World(ECHOING, profile=profile)
        case "hurried":
            auto = ClockSettings(mode="auto", start=START)
            return World(ECHOING.replace('"k"', '"*"'), profile=profile, clock=auto, public_url="https://p")
        case _:
            return World(kind, profile=profile)


# What may be asked


def words(text: str) -> st.SearchStrategy[str]:
    """One of the words of a text."""
    return st.sampled_from(text.split())


SEGMENTS: Final = words(
    "v1 videos sora veo tasks acedata octopusx ezmodel content t f e l media __admin health clock advance "
    "scenarios active reset ready video_abc123 acedata-sora 1280x720-4s 999999999x1-1s ns .. . % %2F %00 %ff"
) | st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=8)
ROUTES: Final = words(
    "/sora/tasks /veo/tasks /sora/videos /veo/videos /octopusx/v1/videos /ezmodel/v1/videos /v1/videos "
    "/octopusx/v1/videos/t /ezmodel/v1/videos/t /octopusx/v1/videos/t/content /ezmodel/v1/videos/l/content "
    "/ezmodel/v1/videos/e/content /octopusx/v1/videos/f /ezmodel/v1/videos/f /__admin/clock /__admin/tasks "
    "/__admin/clock/advance /__admin/reset /__admin/scenarios/active"
)
PATHS: Final = (
    ROUTES
    | st.lists(SEGMENTS, max_size=6).map(lambda segments: "/" + "/".join(segments))
    | st.tuples(ROUTES, SEGMENTS).map("/".join)
)
METHODS: Final = words("GET GET POST POST POST PUT HEAD OPTIONS DELETE PATCH TRACE")
QUERIES: Final = words(
    "limit=1 limit=x status=x provider=octopusx&offset=99999999999999999999 %FF=%00&=&"
) | st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=10)
HEADER_NAMES: Final = words(
    "authorization host content-type content-length x-emulator-scenario range if-range if-none-match origin "
    "sec-fetch-site access-control-request-headers access-control-request-method expect connection"
).map(str.encode)
GOOD_VALUES: Final = words(
    "octopusx.ai api.acedata.cloud WWW.EZMODEL.CLOUD:1 localhost:1 [:: application/json happy-path documents "
    "bytes=0-1 bytes=-5 bytes=9- * cross-site 99999999999999999999 0 -1 text/plain null Bearer_k Bearer_sk-a "
    "Bearer_sk-broke-1 Bearer_ Basic_x multipart/form-data;boundary=b application/x-www-form-urlencoded"
).map(lambda value: value.replace("_", " ").strip().encode())
HEADER_VALUES: Final = GOOD_VALUES | st.binary(max_size=20).map(
    lambda value: _NO_VALUE.sub(b"", value).strip()
)
TEXTS: Final = (
    st.text(max_size=10)
    | words(
        "t f e l a b c scenario:happy-path scenario:documents scenario:nobody retrieve retrieve_batch true"
    )
    | words("1280x720 4 10.0 1e30 sora-2 small 1080p 2.0 9:16 manual 5s")
    | st.sampled_from(["x\r\ny: z", "\x00", ""])
)
KEYS: Final = words(
    "id ids action prompt model size seconds duration trace_id trace_ids limit offset type created_at_min "
    "created_at_max version orientation aspect_ratio resolution callback_url async image_urls width height fps "
    "seed metadata now mode scale by name clock"
) | st.text(max_size=3)
LEAVES: Final = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES: Final = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
FIELDS: Final = st.dictionaries(KEYS, VALUES, max_size=5)
PAIRS: Final = st.lists(st.tuples(KEYS, TEXTS), max_size=4)


def as_form(pairs: Sequence[tuple[str, str]]) -> bytes:
    """A multipart form with the boundary ``b``."""
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs
    )
    return "".join((*parts, "--b--\r\n")).encode("utf-8", "surrogatepass")


BODIES: Final = (
    (FIELDS | VALUES).map(lambda value: json.dumps(value).encode())
    | PAIRS.map(as_form)
    | st.binary(max_size=40)
)


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    """Any request, most of them near to one that makes sense."""
    headers = st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=6).map(tuple)
    body, size = draw(BODIES), draw(st.integers(1, 40))
    return Asked(draw(METHODS), draw(PATHS), draw(QUERIES).encode(), draw(headers), cut(body, size))


def cut(body: bytes, size: int) -> tuple[bytes, ...]:
    """A body in chunks of a size."""
    return tuple(body[start : start + size] for start in range(0, len(body), size)) or (b"",)


@st.composite
def creates(draw: st.DrawFn) -> Asked:
    """A create that mostly succeeds, with odd values."""
    path = draw(words("/sora/videos /veo/videos /octopusx/v1/videos /ezmodel/v1/videos"))
    fields = {**draw(FIELDS), "prompt": draw(st.sampled_from(["a", "b", "", "scenario:"])) + draw(TEXTS)}
    return Asked("POST", path, chunks=cut(json.dumps(fields).encode(), draw(st.integers(5, 500))))


# What comes back


async def answer_to(app: App, asked: Asked) -> Answered | None:
    """The application's answer, checked against what ASGI asks of it; ``None``: it was held until the client left."""
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": number < len(asked.chunks)}
        for number, chunk in enumerate(asked.chunks, 1)
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        for _ in range(_PATIENCE):
            await breathe()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": asked.method,
        "path": unquote(asked.path),
        "raw_path": asked.path.encode(),
        "query_string": asked.query,
        "headers": list(asked.headers),
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
        "http_version": "1.1",
        "root_path": "",
    }
    await app(scope, receive, send)
    if not sent:
        last = max((space.journal for space in app.namespaces), key=lambda journal: journal.total)
        assert {record.reply.status_code for record in islice(last.newest_first(), 1)} == {LEFT}
        return None
    assert [message["type"] for message in sent] == [
        "http.response.start",
        *["http.response.body"] * (len(sent) - 1),
    ]
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * (len(sent) - 2) + [False]
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answered(sent[0]["status"], sent[0]["headers"], body)


def check(asked: Asked, answered: Answered) -> None:
    """The answer can be sent, says what it is, and isn't the one that tells of a defect."""
    assert 200 <= answered.status_code < 600
    for name, value in answered.headers:
        assert name == name.lower()
        assert not _NO_NAME.search(name)
        assert not _NO_VALUE.search(value)
    assert b"video_emulator" not in answered.body
    headers = dict(answered.headers)
    if answered.status_code in {204, 304}:
        assert answered.body == b""
    elif asked.method != "HEAD":
        assert int(headers[b"content-length"]) == len(answered.body)
        if b"json" in headers.get(b"content-type", b""):
            json.loads(answered.body)


def sequels(asked: Asked, answered: Answered) -> Iterator[Asked]:
    """After a create, what a client does next with the task."""
    if asked.method != "POST" or answered.status_code != 200 or not asked.path.endswith("/videos"):
        return
    body = json.loads(answered.body) if answered.body.startswith(b"{") else {}
    task_id = body.get("task_id") or body.get("id")
    if not isinstance(task_id, str):
        return
    if "v1" in asked.path:
        yield Asked("GET", f"{asked.path}/{quote(task_id, safe='')}")
        yield Asked("GET", f"{asked.path}/{quote(task_id, safe='')}/content")
    else:
        query = json.dumps({"id": task_id}).encode()
        yield Asked("POST", asked.path.replace("/videos", "/tasks"), chunks=(query,))


@settings(max_examples=500)
@given(
    st.sampled_from(["echoing", "hurried", "documents", "unauthorized", "happy-path"]),
    st.sampled_from(list(Profile)),
    st.lists(requests() | creates(), min_size=1, max_size=4),
)
def test_any_request_gets_a_well_formed_answer(kind: str, profile: Profile, asked: list[Asked]) -> None:
    """Whatever its method, path, headers and body; and so do the polls of what it created."""
    world = world_of(kind, profile)
    while asked:
        request = asked.pop()
        answered = asyncio.run(answer_to(world.app, request))
        if answered is not None:
            check(request, answered)
            asked.extend(sequels(request, answered))


def test_a_query_may_have_bytes_that_are_no_text() -> None:
    """Servers other than ours hand them over; the control API reads them and refuses what it doesn't know."""
    app = World().app
    for method, status_code in (("GET", 400), ("DELETE", 405)):
        asked = Asked(method, "/__admin/tasks", b"\xff=\x80", ((b"host", b"localhost"),))
        answered = asyncio.run(answer_to(app, asked))
        assert answered is not None
        check(asked, answered)
        assert answered.status_code == status_code
