"""Calls to a provider that nobody trusts: bounded, timed, and what goes wrong told in a sentence."""

from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import msgspec
import orjson

from emulator import __version__
from emulator.client.errors import reason_of
from emulator.clock import real_time, wall_time
from emulator.contracts.judgement import Response
from emulator.core.units import SECOND, Duration, Instant

MOST: Final = 2 << 20
"""Bytes of an answer that are read: more than any list of tasks has."""
HEAD: Final = 4096
"""Bytes of a video that are read: enough to see what it is."""


class Unreachable(Exception):
    """No answer came. The text says why, and what to do."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One request."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    is_media: bool = False
    """Whether the answer is a video, of which only the beginning is read."""
    follows: bool = False
    """Whether redirects are followed, as clients do with links."""


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What came back."""

    response: Response
    head: bytes
    """The first bytes of the body."""
    length: int | None
    """What ``Content-Length`` says; ``None``: nothing that can be read."""
    now: Instant
    """The present instant by the answer's own ``Date``, else by this machine's clock."""
    took: Duration

    @property
    def is_video(self) -> bool:
        """Whether it begins as an MP4 does."""
        return self.head[4:8] == b"ftyp"


class Caller:
    """Sends requests, one after the other."""

    def __init__(self, timeout: float) -> None:
        """Get ready; nothing is sent yet.

        Args:
            timeout: how many seconds a connection, or a silence within an answer, may take.
        """
        self._timeout = timeout
        agent = {"user-agent": f"video-emulator/{__version__} (contract checks)"}
        self._http = httpx2.AsyncClient(timeout=timeout, headers=agent, max_redirects=3)

    async def send(self, ask: Ask) -> Came:
        """What came back.

        Raises:
            Unreachable: nothing did.
        """
        begun = real_time()
        try:
            return await self._sent(ask, begun)
        except httpx2.TimeoutException:
            raise Unreachable(
                f"{_host_of(ask.url)} gave no answer within {self._timeout:g}s; is it up? --timeout waits longer"
            ) from None
        except httpx2.TooManyRedirects:
            raise Unreachable(f"{_host_of(ask.url)} redirects in a circle") from None
        except httpx2.DecodingError:
            raise Unreachable(f"{_host_of(ask.url)} sent a body that isn't what it says (gzip?)") from None
        except httpx2.HTTPError as problem:
            raise Unreachable(_told(ask.url, problem)) from None

    async def _sent(self, ask: Ask, begun: Duration) -> Came:
        stream = self._http.stream(
            ask.method, ask.url, headers=dict(ask.headers), content=ask.body, follow_redirects=ask.follows
        )
        async with stream as answer:
            most = HEAD if ask.is_media and answer.status_code < 300 else MOST
            body = await _beginning(answer, most)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Came(
            response=_read(answer.status_code, headers, body, most),
            head=body[:HEAD],
            length=_length(headers),
            now=_date_in(headers),
            took=real_time() - begun,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


async def _beginning(answer: httpx2.Response, most: int) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > most:
            break
    return bytes(body[: most + 1])


def _read(status_code: int, headers: Mapping[str, str], body: bytes, most: int) -> Response:
    if len(body) > most:
        what = "a video" if most == HEAD else f"a body of more than {MOST >> 20} MiB"
        return Response(status_code=status_code, headers=headers, is_json=False, what=what)
    try:
        value: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Response(status_code=status_code, headers=headers, is_json=False, what=_what(body))
    return Response(status_code=status_code, headers=headers, body=value)


def _what(body: bytes) -> str:
    beginning = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not body:
        return "an empty body"
    if beginning.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if beginning.startswith(b"<"):
        return "XML"
    if body[4:8] == b"ftyp":
        return "a video"
    return "JSON that can't be read" if beginning[:1] in {b"{", b"["} else "something that is no JSON"


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _date_in(headers: Mapping[str, str]) -> Instant:
    with suppress(ValueError, TypeError, OverflowError):
        return int(parsedate_to_datetime(headers.get("date", "")).timestamp()) * SECOND
    return wall_time()


# What goes wrong


_REPAIRS: Final = (
    ("mismatch", "its certificate is for another host name: is --base-url right?"),
    (
        "certificate",
        "its certificate isn't trusted here: if it is your own, name its authority in the variable SSL_CERT_FILE",
    ),
    ("Connection refused", "nothing listens there: is it up, and is --base-url right?"),
    ("Name or service not known", "there is no such host: is --base-url right?"),
    ("nodename nor servname", "there is no such host: is --base-url right?"),
    ("disconnected", "it closed the connection without an answer"),
    ("Connection reset", "it closed the connection without an answer"),
    ("SSL", "it doesn't speak TLS as expected: is it http rather than https?"),
)


def _told(url: str, problem: BaseException) -> str:
    reason = reason_of(problem)
    repair = next((repair for sign, repair in _REPAIRS if sign.lower() in reason.lower()), None)
    told = repair or f"no connection ({reason}); is --base-url right?"
    return f"{_host_of(url)} can't be asked: {told}"


def _host_of(url: str) -> str:
    """Scheme, host and port alone: paths and queries may hold what is nobody's business."""
    parts = urlsplit(url)
    host = parts.hostname or "?"
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{'' if parts.port is None else f':{parts.port}'}"
