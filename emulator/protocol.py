"""uvicorn's HTTP protocol, with three differences.

Small requests may be answered at once, an answer goes out in one piece, and offers of h2c go unheard.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from emulator.connection import EXTENSION

_SMALL: Final = 64 * 1024
_WITHOUT_BODY: Final = frozenset({204, 304})


def written(status_code: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """An answer as it goes over the wire."""
    parts = [STATUS_LINE[status_code]]
    for name, value in headers:
        parts += (name, b": ", value, b"\r\n")
    parts += (b"\r\n", body)
    return b"".join(parts)


class Protocol(HttpToolsProtocol):
    """uvicorn's, for an application whose headers are well-formed.

    An application with a method ``sent_at_once`` is asked first whether it has the answer to a small request
    without waiting for anything. An ASGI connection, its task and its events cost as much as the answer.
    """

    received: bytes | None = None
    """The bytes that begin with the present request and hold all of it; ``None``: it came in several pieces."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answers: Any = getattr(self.app, "sent_at_once", None)
        self._piece: bytes | None = None
        """What came last, as long as no request has ended in it."""
        self._body: bytearray | None = None
        """What has come of the body of a request that may be answered at once."""

    def data_received(self, data: bytes) -> None:
        """Take what came, less an offer to go on in HTTP/2 over plain TCP.

        Java's own client makes that offer with its requests. httptools ends a request at its head where
        an upgrade is offered, so a POST would have lost its body.
        """
        if b"h2c" in data and self._is_between_requests():
            data = _without_offer(data)
        self._piece = data
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Begin with a request."""
        self.received = self._piece
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Go on with a request whose head has come: at once at its end, or in uvicorn's way."""
        if self._answers is not None and self._may_be_answered_at_once():
            self._body = bytearray()
        else:
            super().on_headers_complete()

    def _may_be_answered_at_once(self) -> bool:
        parser, url = self.parser, self.url
        return (
            (self.cycle is None or self.cycle.response_complete)  # type: ignore[redundant-expr] # None at first
            and b"%" not in url
            and b"?" not in url
            and url.startswith(b"/")
            and url.isascii()
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
        )

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._body is None:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > _SMALL:
            self._go_the_usual_way()

    def on_message_complete(self) -> None:
        """Answer at once, if that is still possible and the application can."""
        if self.received is not self._piece:
            self.received = None
        self._piece = None
        if self._body is None:
            super().on_message_complete()
            return
        if not self._is_answered(bytes(self._body)):
            self._go_the_usual_way()
            super().on_message_complete()

    def _is_answered(self, body: bytes) -> bool:
        method, path = self.parser.get_method().decode("ascii"), self.url.decode("ascii")
        try:
            sent = self._answers(method, path, self.headers, body, self)
        except Exception:  # noqa: BLE001 - the usual way meets the same defect, tells the log and answers
            return False
        if sent is None:
            return False
        self._body = None
        self.transport.write(sent)
        self.on_response_complete()
        return True

    def _go_the_usual_way(self) -> None:
        body, self._body = self._body, None
        super().on_headers_complete()
        if body:
            super().on_body(bytes(body))

    written = staticmethod(written)

    def _is_between_requests(self) -> bool:
        if self._body is not None:
            return False
        # uvicorn's types leave out that a connection begins without a cycle.
        return self.cycle is None or not self.cycle.more_body  # type: ignore[redundant-expr]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # uvicorn names its class of cycles in the middle of a long method; each passes here before it starts.
        cycle.__class__ = _Cycle
        cycle.scope["extensions"] = {EXTENSION: self.transport}  # type: ignore[dict-item] # it is no message's
        super()._start_asgi_task(cycle, app)


def _without_offer(data: bytes) -> bytes:
    head, blank_line, rest = data.partition(b"\r\n\r\n")
    head = re.sub(rb"\r\nupgrade:[ \t]*h2c[ \t]*(?=\r\n|$)", b"", head, flags=re.IGNORECASE)
    return head + blank_line + rest


class _Cycle(RequestResponseCycle):
    """One request and its answer, which goes out in one write where it can.

    uvicorn writes head and body apart. uvloop 0.22 gathered both into one packet; 0.23 and asyncio's own
    loop send two, which costs a third of the speed. Looking each header through for bytes that can't
    be there, as uvicorn does, costs as much as finding the task.
    """

    _head: Any = None

    async def send(self, message: Any) -> None:
        """Send one ASGI message; the head waits for the first piece of the body."""
        if message["type"] == "http.response.start" and not self.response_started:
            self._head = message
            return
        head, self._head = self._head, None
        if head is None:
            await super().send(message)
        elif message.get("more_body") or self._needs_care(head):
            await super().send(head)
            await super().send(message)
        else:
            self._send_whole(head, message.get("body", b""))

    def _needs_care(self, head: Any) -> bool:
        return (
            self.flow.write_paused
            or self.disconnected
            or self.scope["method"] == "HEAD"
            or head["status"] in _WITHOUT_BODY
        )

    def _send_whole(self, head: Any, body: bytes) -> None:
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        headers = head["headers"] if self.keep_alive else [*head["headers"], (b"connection", b"close")]
        self.transport.write(written(head["status"], headers, body))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
