"""uvicorn's protocol as we change it: what goes onto the wire, write by write."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from emulator.protocol import Protocol

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
BODY = {"type": "http.response.body", "body": b"body"}
Send = Callable[[Any], Awaitable[None]]


class Wire(asyncio.Transport):
    """A connection that keeps what is written to it, write by write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        """Whether `close` was called."""
        return self.closed

    def close(self) -> None:
        """Remember it."""
        self.closed = True

    def pause_reading(self) -> None:
        """Nothing reads here."""

    def resume_reading(self) -> None:
        """Nothing reads here."""


def exchanged(
    *received: bytes, messages: tuple[Any, ...] = (START, BODY), reads: bool = False
) -> tuple[Wire, list[Any]]:
    """The connection after these bytes came, and what an application that sends these messages was given."""
    return asyncio.run(_exchanged(received, messages, reads))


async def _exchanged(
    received: tuple[bytes, ...], messages: tuple[Any, ...], reads: bool
) -> tuple[Wire, list[Any]]:
    given: list[Any] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        given.append((scope["method"], (await receive())["body"] if reads else None))
        for message in messages:
            await send(dict(message))

    return await _served(app, received), given


async def _served(app: Any, received: tuple[bytes, ...]) -> Wire:
    config = uvicorn.Config(
        app, http=Protocol, ws="none", lifespan="off", log_config=None, proxy_headers=False, interface="asgi3"
    )
    config.load()
    protocol = Protocol(
        config=config, server_state=ServerState(), app_state={}, _loop=asyncio.get_running_loop()
    )
    wire = Wire()
    protocol.connection_made(wire)
    for data in received:
        protocol.data_received(data)
        for _ in range(20):
            await asyncio.sleep(0)  # noqa: TID251 - lets the application run; no time passes
    if protocol.timeout_keep_alive_task is not None:
        protocol.timeout_keep_alive_task.cancel()
    return wire


def test_an_answer_goes_out_in_one_write() -> None:
    """Head and body together, on every loop."""
    wire, _ = exchanged(GET)
    assert wire.writes == [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"]
    assert not wire.closed


def test_a_connection_that_the_client_ends_is_closed() -> None:
    """After the answer, which says so."""
    wire, _ = exchanged(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert wire.writes == [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody"]
    assert wire.closed


def test_one_request_follows_another_on_the_same_connection() -> None:
    """Also where both came at once."""
    assert len(exchanged(GET, GET)[0].writes) == 2
    assert len(exchanged(GET + GET + GET)[0].writes) == 3


def test_a_body_in_pieces_goes_out_piece_by_piece() -> None:
    """The head with the first of them."""
    pieces = ({**BODY, "body": b"bo", "more_body": True}, {**BODY, "body": b"dy"})
    wire, _ = exchanged(GET, messages=(START, *pieces))
    assert b"".join(wire.writes) == b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"
    assert wire.writes[-1] == b"dy"


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
def test_an_answer_without_a_body_has_none(method: bytes, status: int) -> None:
    """Whatever the application sends for HEAD; and 204 and 304 frame nothing."""
    body = {**BODY, "body": b"body" if method == b"HEAD" else b""}
    start = {**START, "status": status, "headers": START["headers"] if method == b"HEAD" else []}
    wire, _ = exchanged(GET.replace(b"GET", method), messages=(start, body))
    head, _, rest = b"".join(wire.writes).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert rest == b""


def test_a_head_that_isnt_sent_yet_can_be_thought_better_of() -> None:
    """So a defect between head and body still gives a whole answer."""
    other = {**START, "status": 500}
    wire, _ = exchanged(GET, messages=(START, other, BODY))
    assert wire.writes == [b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\nbody"]


def test_an_offer_of_http2_goes_unheard_and_the_body_arrives() -> None:
    """Java's own client makes it with each request."""
    request = (
        b"POST / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: x\r\nContent-Length: 2\r\n"
        b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n\r\n{}"
    )
    wire, given = exchanged(request, reads=True)
    assert given == [("POST", b"{}")]
    assert wire.writes[0].startswith(b"HTTP/1.1 200 OK")


class Prompt:
    """An application that answers requests for /now at once, and all else in the usual way."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.received: list[bytes | None] = []
        self.usual: list[bytes] = []

    def sent_at_once(self, method: str, path: str, _headers: Any, body: bytes, wire: Any) -> bytes | None:
        """The answer to /now; a defect for /broken."""
        self.asked.append((method, path, body))
        self.received.append(wire.received)
        if path == "/broken":
            raise ZeroDivisionError
        written: bytes = wire.written(200, [(b"content-length", b"3")], b"now")
        return written if path == "/now" else None

    async def __call__(self, _scope: Any, receive: Any, send: Send) -> None:
        """The usual answer."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        self.usual.append(body)
        await send(dict(START))
        await send(dict(BODY))


def test_the_bytes_of_a_request_that_came_in_one_piece_are_told() -> None:
    """Of one in several pieces, and of a further one in a piece, they aren't."""
    get = b"GET /now HTTP/1.1\r\nHost: x\r\n\r\n"
    post = b"POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    assert prompted(get, post)[0].received == [get, post]
    assert prompted(get[:9], get[9:])[0].received == [None]
    assert prompted(post[:-1], post[-1:])[0].received == [None]
    assert prompted(get + post + get)[0].received == [get + post + get, None, None]
    assert prompted(get + post[:-1], post[-1:] + get)[0].received == [get + post[:-1], None, None]
    assert prompted(get + get[:5], get[5:], get)[0].received == [get + get[:5], None, get]


def prompted(*received: bytes) -> tuple[Prompt, list[bytes]]:
    """The application after these bytes came, and what was written, answer by answer."""
    app = Prompt()
    wire = asyncio.run(_served(app, received))
    return app, [write.partition(b"\r\n\r\n")[2] for write in wire.writes]


def post(path: bytes, body: bytes, *more: bytes) -> bytes:
    """A POST with a length."""
    head = b"POST %s HTTP/1.1\r\nHost: x\r\n" % path + b"".join(field + b"\r\n" for field in more)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_a_request_that_can_be_answered_at_once_is() -> None:
    """With its body, in whatever pieces it came; and the connection goes on."""
    get = GET.replace(b"/ ", b"/now ")
    request = post(b"/now", b"{}")
    app, answers = prompted(get, request[:30], request[30:-1], request[-1:] + get + get)
    assert answers == [b"now"] * 4
    assert app.asked == [
        ("GET", "/now", b""),
        ("POST", "/now", b"{}"),
        ("GET", "/now", b""),
        ("GET", "/now", b""),
    ]
    assert app.usual == []


@pytest.mark.parametrize(
    "request_",
    [
        post(b"/later", b"{}"),
        post(b"/broken", b"{}"),
        post(b"/n%6Fw", b"{}"),
        post(b"/now?a=b", b"{}"),
        post(b"/now", b"{}", b"Expect: 100-continue"),
        post(b"/now", b"{}", b"Connection: close"),
        post(b"/now", b"{}").replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
def test_any_other_request_takes_the_usual_way_with_its_body(request_: bytes) -> None:
    """Whatever the reason, a defect on the way included."""
    app, answers = prompted(request_[:-1], request_[-1:])
    assert app.usual == [b"{}"]
    assert answers[-1] == b"body"


def test_a_body_that_speaks_of_h2c_arrives_as_it_was_sent() -> None:
    """Also where it comes by itself, after the head."""
    body = b'{"a": "\r\nUpgrade: h2c\r\n"}'
    request = post(b"/later", body)
    app, _ = prompted(request[: -len(body)], body)
    assert app.usual == [body]


def test_a_long_body_takes_the_usual_way() -> None:
    """It is handed over as it comes."""
    body = b"x" * 200_000
    request = post(b"/now", body)
    app, answers = prompted(*(request[at : at + 50_000] for at in range(0, len(request), 50_000)))
    assert app.usual == [body]
    assert app.asked == []
    assert answers == [b"body"]


def test_a_request_behind_one_that_waits_keeps_its_place() -> None:
    """It isn't answered before that one."""
    _, answers = prompted(post(b"/later", b"{}") + GET.replace(b"/ ", b"/now "))
    assert answers[0] == b"body"
    assert len(answers) == 2
