"""The provider's side of the proxy: requests passed on as they came, and what went wrong, without secrets."""

import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx2

from emulator.core.units import SECOND, Duration

Fields = list[tuple[bytes, bytes]]
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
        b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
_OWN: Final = frozenset({b"host", b"content-length", b"expect", b"accept-encoding"})
_KEYS: Final = frozenset({b"authorization", b"cookie"})
_READABLE: Final = frozenset({b"gzip", b"deflate", b"identity"})
_NEAR: Final = ("all://127.0.0.1", "all://localhost", "all://[::1]")
_LONGEST_CONNECT: Final = 30.0


class Broken(Exception):
    """The upstream gave no answer, or not the whole of one. The text names neither host nor key."""


class Upstream:
    """Where requests are passed on to."""

    def __init__(self, base: str, timeout: Duration) -> None:
        """Get ready.

        Args:
            base: scheme, host and the path that comes before the provider's own; no slash at the end.
            timeout: how long the upstream may be silent.
        """
        self.base = base
        seconds = timeout / SECOND
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(seconds, connect=min(seconds, _LONGEST_CONNECT)),
            follow_redirects=False,
            # An HTTP proxy of the environment leads to the outside world, not to what runs beside us.
            mounts=dict.fromkeys(_NEAR),
        )

    @asynccontextmanager
    async def answering(
        self, method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes
    ) -> AsyncIterator[httpx2.Response]:
        """The answer to a request below the base, whose body hasn't been read yet.

        Raises:
            Broken: there is none.
        """
        url = httpx2.URL(self.base)
        whole = url.copy_with(raw_path=url.raw_path.rstrip(b"/") + target)
        async with self._sent(method, whole, passed_on(headers), body) as response:
            yield response

    @asynccontextmanager
    async def following(
        self, method: str, link: str, headers: Iterable[tuple[bytes, bytes]]
    ) -> AsyncIterator[httpx2.Response]:
        """The answer of whoever a link leads to: without the client's keys, which it wouldn't have sent there.

        Raises:
            Broken: there is none.
        """
        fields = [field for field in passed_on(headers) if field[0] not in _KEYS]
        async with self._sent(method, link, fields, b"") as response:
            yield response

    @asynccontextmanager
    async def _sent(
        self, method: str, url: httpx2.URL | str, headers: Fields, body: bytes
    ) -> AsyncIterator[httpx2.Response]:
        try:
            # Not the client's own `build_request`, which adds headers that the client under test didn't send.
            request = httpx2.Request(method, url, headers=headers, content=body or None)
            response = await self._http.send(request, stream=True)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as problem:
            raise Broken(sentence(problem)) from None
        try:
            yield response
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


async def pieces(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The body as it comes over the wire, compressed as it is.

    Raises:
        Broken: it ends before its end.
    """
    try:
        async for piece in response.aiter_raw():
            yield piece
    except (httpx2.HTTPError, httpx2.StreamError, OSError) as problem:
        raise Broken(f"the answer broke off: {sentence(problem)}") from None


def passed_on(headers: Iterable[tuple[bytes, bytes]]) -> Fields:
    """The request's header fields that the upstream gets: all that are about the request, not the connection."""
    fields = list(headers)
    named = _named_by_connection(fields)
    told = [field for field in fields if field[0] not in _HOP_BY_HOP | _OWN | named]
    return [*told, (b"accept-encoding", _codings(fields))]


def passed_back(headers: Iterable[tuple[bytes, bytes]]) -> Fields:
    """The answer's header fields that the client gets."""
    fields = [(name.lower(), value) for name, value in headers]
    return [field for field in fields if field[0] not in _HOP_BY_HOP | _named_by_connection(fields)]


def _named_by_connection(fields: Fields) -> frozenset[bytes]:
    return frozenset(
        name.strip().lower()
        for field, value in fields
        if field.lower() == b"connection"
        for name in value.split(b",")
    )


def _codings(fields: Fields) -> bytes:
    """Of the codings that the client takes, those that are understood here."""
    asked = b",".join(value for name, value in fields if name == b"accept-encoding")
    taken = [part.strip() for part in asked.split(b",") if part.partition(b";")[0].strip() in _READABLE]
    return b", ".join(taken) or b"identity"


def sentence(problem: BaseException) -> str:
    """What went wrong between here and the upstream."""
    for cause in _causes(problem):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate isn't trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "the TLS handshake failed; perhaps it serves http rather than https"
        if isinstance(cause, socket.gaierror):
            return "its host name can't be resolved"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused; nothing listens there"
    if isinstance(problem, httpx2.RemoteProtocolError) and "disconnected" in str(problem):
        return "it closed the connection without an answer"
    return next((told for kind, told in _SENTENCES.items() if isinstance(problem, kind)), _UNKNOWN)


_SENTENCES: Final[Mapping[type[BaseException], str]] = {
    httpx2.ConnectTimeout: "no connection within the time limit",
    httpx2.TimeoutException: "no answer within the time limit (--timeout)",
    httpx2.ProxyError: "the HTTP proxy between here and there refused",
    httpx2.ConnectError: "no connection",
    httpx2.ProtocolError: "what it sent is no HTTP answer, or not the whole of one",
    httpx2.NetworkError: "the connection broke",
}
_UNKNOWN: Final = "the request couldn't be sent"


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """The problem and what it came from."""
    met: set[int] = set()
    waiting: list[BaseException | None] = [problem]
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in met:
            continue
        met.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
