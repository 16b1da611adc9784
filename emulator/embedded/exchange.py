"""One request to an ASGI application without a socket."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias
from urllib.parse import unquote

import msgspec

Fields: TypeAlias = list[tuple[bytes, bytes]]
Take: TypeAlias = Callable[[bytes], None]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request, as it would have come over the wire."""

    method: str
    scheme: str = "http"
    target: bytes
    """Path and query."""
    headers: Fields
    """With names in lower case, a Host among them."""
    body: bytes = b""


class Answered(msgspec.Struct):
    """What the application answered."""

    status_code: int = 0
    headers: Fields = []
    body: bytes = b""

    def header(self, name: bytes) -> str:
        """The value of a header field; empty: there is none."""
        return next((value.decode("latin-1") for field, value in self.headers if field.lower() == name), "")


async def answered(app: Any, asked: Asked) -> Answered:
    """The whole answer."""
    answer, pieces = Answered(), list[bytes]()
    await stream(app, asked, answer, pieces.append)
    answer.body = b"".join(pieces)
    return answer


async def stream(app: Any, asked: Asked, answer: Answered, take: Take) -> None:
    """Have the head of the answer filled in, then each piece of its body handed over, until its end.

    A caller who wants no more of it cancels.
    """
    came = False

    async def receive() -> dict[str, Any]:
        nonlocal came
        if came:
            await asyncio.Event().wait()  # as on a connection that nobody closes
        came = True
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status_code, answer.headers = message["status"], list(message["headers"])
        elif asked.method != "HEAD" or not message.get("body"):
            take(message.get("body", b""))

    await app(_scope(asked), receive, send)


def _scope(asked: Asked) -> dict[str, Any]:
    raw_path, _, query = asked.target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": asked.scheme,
        "path": unquote(raw_path.decode("latin-1")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": asked.headers,
        "client": ("127.0.0.1", 0),
        "server": None,
    }
