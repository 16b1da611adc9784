"""Faults on the wire: what comes of an answer that one strikes, and how the connection ends.

What a fault makes of an answer is a table of plain functions; sending it is the rest. ASGI's own messages carry what is
proper of the answer, so that the server's flow control and framing hold; the end of it needs the connection.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

import msgspec

from emulator.clock import Clock, real_pause
from emulator.connection import Client, Connection, NoConnection, reached
from emulator.core import seeded
from emulator.core.effects import CONTENT_FAULTS, Fault, Place, SlowBody
from emulator.core.units import HOUR, MILLISECOND, Duration
from emulator.core.words import FaultName
from emulator.exchanges import Reply
from emulator.payload import Payload
from emulator.phrases import fault_words
from emulator.replies import retry_after_field

Field = tuple[bytes, bytes]
End = Literal["close", "reset", "hold"]
Send = Callable[[dict[str, Any]], Any]

LONGEST_HOLD: Final[Duration] = HOUR
"""How long an answer that never comes is held, in real time, whatever the clock: no client waits longer."""
_STEP: Final[Duration] = 100 * MILLISECOND
"""How often a piece of a slow body comes, at most."""
_NOISE: Final = 256
_NO_SIZE: Final = b"no-size-at-all\r\n"
"""What stands where the size of a chunk should, in hexadecimal digits: RFC 9112, 7.1."""
_PAGE: Final = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
"""Our choice: nginx's page, the commonest. No source shows what stands in front of the providers."""
_HTML: Final = b"text/html"
_JSON: Final = b"application/json"
_NO_JSON: Final = b'{"error": {"message": "'
"""Our choice: stands for the cut JSON of an answer that has none, such as a video."""
_WITHOUT_BODY: Final = frozenset({204, 304})


# What a fault makes of an answer


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """What comes of an answer, and how it ends."""

    headers: list[Field] | None = None
    """``None``: no head comes, and nothing proper after it."""
    body: Payload = Payload()
    """What comes of the body, framed as the head announces."""
    rest: Payload = Payload()
    """What is written after that, as it stands."""
    end: End
    size: int = 0
    """How many bytes of the body are sent, in good order or not."""


def altered(reply: Reply, body: Payload) -> Payload:
    """The body to send for a reply; head and body are changed where a fault is one of what they say."""
    fault = reply.verdict.fault
    if fault is None or fault.name not in CONTENT_FAULTS:
        return body
    if fault.name is FaultName.WRONG_CONTENT_TYPE:
        own = _field(reply.headers, b"content-type")
        reply.headers = _with(reply.headers, b"content-type", _JSON if own.startswith(_HTML) else _HTML)
        return body
    reply.clip = None
    if fault.name is FaultName.INVALID_JSON:
        is_json = b"json" in _field(reply.headers, b"content-type")
        reply.body = _cut(body.content) if is_json and len(body) > 1 else _NO_JSON
        reply.headers = _with(reply.headers, b"content-type", _JSON)
    else:
        reply.status_code, reply.body, reply.headers = 502, _PAGE, _page_head(reply)
    reply.headers = _with(reply.headers, b"content-length", b"%d" % len(reply.body))
    return Payload(reply.body)


def _cut(text: bytes) -> bytes:
    """The first half of some JSON, which ends within no character: what begins an object is none."""
    end = len(text) // 2
    while end > 1 and text[end] & 0xC0 == 0x80:
        end -= 1
    return text[:end]


def _page_head(reply: Reply) -> list[Field]:
    """The head of a gateway's page: nothing of the provider's, but what the rules say."""
    said = {name.lower().encode("latin-1", "replace") for name, _ in reply.verdict.headers}
    said |= {b"date", b"x-emulator-why"}
    kept = [field for field in reply.headers if field[0] in said]
    retry_after = retry_after_field(reply.verdict.retry_after, reply.now)
    return [(b"content-type", _HTML), *kept, *([] if retry_after is None else [retry_after])]


def _field(headers: list[Field], name: bytes) -> bytes:
    return next((value for field, value in headers if field == name), b"")


def _with(headers: list[Field], name: bytes, value: bytes) -> list[Field]:
    return [*(field for field in headers if field[0] != name), (name, value)]


def broken(reply: Reply, body: Payload, method: str) -> Broken | None:
    """What comes of the answer; ``None``: it comes whole."""
    fault = reply.verdict.fault
    if fault is None or fault.name in CONTENT_FAULTS:
        return None
    if method == "HEAD" or reply.status_code in _WITHOUT_BODY or not len(body):
        return _BODILESS[fault.name](fault, reply, Payload())
    return _BREAKS[fault.name](fault, reply, body)


Break = Callable[[Fault, Reply, Payload], Broken]


def _reset(fault: Fault, reply: Reply, body: Payload) -> Broken:
    if fault.place is None:
        return Broken(end="reset")
    return _begun(reply, _before(fault.place, body), "reset")


def _truncated(fault: Fault, reply: Reply, body: Payload) -> Broken:
    return _begun(reply, _before(fault.place, body), "close")


def _stalled(fault: Fault, reply: Reply, body: Payload) -> Broken:
    return _begun(reply, _before(fault.place, body), "hold")


def _begun(reply: Reply, part: Payload, end: End) -> Broken:
    return Broken(headers=reply.headers, body=part, end=end, size=len(part))


def _empty(_fault: Fault, _reply: Reply, _body: Payload) -> Broken:
    return Broken(end="close")


def _hung(_fault: Fault, _reply: Reply, _body: Payload) -> Broken:
    return Broken(end="hold")


def _badly_chunked(_fault: Fault, reply: Reply, body: Payload) -> Broken:
    headers = [field for field in reply.headers if field[0] != b"content-length"]
    headers.append((b"transfer-encoding", b"chunked"))
    part = _before(_HALF, body)
    return Broken(headers=headers, body=part, rest=Payload(_NO_SIZE), end="close", size=len(part))


def _noise(_fault: Fault, reply: Reply, _body: Payload) -> Broken:
    rule = reply.verdict.rule
    entropy = reply.entropy or (b"" if reply.task is None else reply.task.entropy)
    drawn = seeded.generator(entropy[:48], f"fault {'' if rule is None else rule.id}", reply.call)
    # What happened to begin with HTTP/ would be no noise; and a client that waits for a line's end gets one.
    return Broken(rest=Payload(b"\xff" + drawn.randbytes(_NOISE - 5) + b"\r\n\r\n"), end="close")


def _badly_measured(_fault: Fault, reply: Reply, body: Payload) -> Broken:
    told = _before(_HALF, body)
    headers = _with(reply.headers, b"content-length", b"%d" % len(told))
    rest = body.part(len(told), len(body))
    return Broken(headers=headers, body=told, rest=rest, end="close", size=len(body))


_HALF: Final = Place(share=0.5)


def _before(place: Place | None, body: Payload) -> Payload:
    return body.part(0, (place or _HALF).within(len(body)))


_BREAKS: Final[dict[FaultName, Break]] = {
    FaultName.CONNECTION_RESET: _reset,
    FaultName.TRUNCATE_BODY: _truncated,
    FaultName.STALL: _stalled,
    FaultName.EMPTY_RESPONSE: _empty,
    FaultName.HANG: _hung,
    FaultName.MALFORMED_CHUNK: _badly_chunked,
    FaultName.RANDOM_DATA: _noise,
    FaultName.WRONG_LENGTH: _badly_measured,
}
_BODILESS: Final[dict[FaultName, Break]] = {
    **_BREAKS,
    FaultName.TRUNCATE_BODY: _empty,
    FaultName.STALL: _hung,
    FaultName.MALFORMED_CHUNK: _empty,
    FaultName.WRONG_LENGTH: _empty,
}
"""An answer without a body, such as a redirect, is struck before it begins: else nobody would see the fault."""


def no_connection(reply: Reply) -> NoConnection:
    """Why a fault can't strike, and what to do."""
    fault, rule = reply.verdict.fault, reply.verdict.rule
    assert fault is not None
    assert rule is not None
    where = f"of the rule in line {rule.line}" if rule.line else "of a rule"
    about = f" ({rule.about})" if rule.about else ""
    scenario = (reply.scenario if reply.task is None else reply.task.plan.version).partition("@")[0]
    return NoConnection(
        f"the fault {fault_words(fault)} {where}{about} of scenario {scenario or 'unknown'} breaks a connection, and "
        f"this request came over none that can be reached; a client meets the fault over a socket: give it the "
        f"emulator's URL in place of a transport, and under another server than uvicorn leave the fault out"
    )


# Sending


def prepared(reply: Reply, body: Payload, scope: Any, send: Send) -> tuple[Payload, "Trouble | None"]:
    """The body to send in place of this one, and the trouble there is with sending it, if there is any.

    Raises:
        NoConnection: a fault strikes, and there is no connection to break.
    """
    body = altered(reply, body)
    breach = broken(reply, body, scope["method"])
    if breach is None:
        return body, None if reply.verdict.slow_body is None else Trouble(reply, body)
    connection = reached(scope, send)
    if connection is None:
        raise no_connection(reply)
    return body, Trouble(reply, body, breach, connection)


class Trouble(msgspec.Struct, frozen=True):
    """An answer that comes slowly, or not whole."""

    reply: Reply
    body: Payload
    """All of it."""
    broken: Broken | None = None
    connection: Connection | None = None

    @property
    def size(self) -> int:
        """How many bytes of the body are sent."""
        return len(self.body) if self.broken is None else self.broken.size

    async def send(self, client: Client, clock: Clock, send: Send) -> None:
        """Send what comes of the answer, and end the connection as the fault does. A client that leaves ends it too."""
        way = _Way(client, clock, send)
        reply, broken, slow = self.reply, self.broken, self.reply.verdict.slow_body
        if broken is None:
            if await way.begins(reply.status_code, reply.headers, paced(self.body, slow, len(self.body))):
                await send({"type": "http.response.body", "body": b""})
            return
        if broken.headers is not None:
            parts = paced(broken.body, slow, len(self.body))
            if not await way.begins(reply.status_code, broken.headers, parts):
                return
        assert self.connection is not None
        await way.ends(broken, self.connection)


class _Way(msgspec.Struct, frozen=True):
    """How an answer gets to its client."""

    client: Client
    clock: Clock
    send: Send

    async def begins(
        self, status_code: int, headers: list[Field], parts: Iterator[tuple[Duration, Payload]]
    ) -> bool:
        """Send the head and these parts of the body; whether the client is still there."""
        await self.send({"type": "http.response.start", "status": status_code, "headers": headers})
        await self._more(b"")  # the head goes out with it
        for pause, part in parts:
            if pause and not await self.client.stays(self.clock.pause(pause)):
                return False
            for chunk in part.chunks():
                await self._more(chunk)
        return True

    async def _more(self, chunk: bytes) -> None:
        await self.send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def ends(self, broken: Broken, connection: Connection) -> None:
        """End the connection, and return when it has."""
        for chunk in broken.rest.chunks():
            await connection.write(chunk)
        if broken.end == "reset":
            await connection.reset()
            return await self.client.left()
        if broken.end == "close":
            connection.close()
            return await self.client.left()
        try:
            await self.client.stays(real_pause(LONGEST_HOLD))
        finally:  # a server that stops cancels what is held, and uvicorn would answer 500
            connection.abort()


def paced(body: Payload, slow: SlowBody | None, length: int) -> Iterator[tuple[Duration, Payload]]:
    """The parts of a body, each with the wait before it; ``length`` is that of the whole body that it begins."""
    lasts = 0 if slow is None else slow.lasts(length)
    if not lasts:
        yield 0, body
        return
    step = max(1, length * _STEP // lasts)
    for start in range(0, len(body), step):
        part = body.part(start, min(start + step, len(body)))
        yield lasts * len(part) // length, part
