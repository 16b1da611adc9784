"""uvicorn's HTTP protocol, with two differences: an answer goes out in one piece, and h2c offers go unheard."""

import re
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

_WITHOUT_BODY: Final = frozenset({204, 304})


class Protocol(HttpToolsProtocol):
    """uvicorn's, for an application whose headers are well-formed."""

    def data_received(self, data: bytes) -> None:
        """Take what came, less an offer to go on in HTTP/2 over plain TCP.

        Java's own client makes that offer with its requests. httptools ends a request at its head where
        an upgrade is offered, so a POST would have lost its body.
        """
        if b"h2c" in data and self._is_between_requests():
            data = _without_offer(data)
        super().data_received(data)

    def _is_between_requests(self) -> bool:
        # uvicorn's types leave out that a connection begins without a cycle.
        return self.cycle is None or not self.cycle.more_body  # type: ignore[redundant-expr]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # uvicorn names its class of cycles in the middle of a long method; each passes here before it starts.
        cycle.__class__ = _Cycle
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
        parts = [STATUS_LINE[head["status"]]]
        for name, value in head["headers"]:
            parts += (name, b": ", value, b"\r\n")
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", body)
        self.transport.write(b"".join(parts))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
