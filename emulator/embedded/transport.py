"""Transports for clients made of httpx, or of httpx2: they put each request into one namespace.

Either kind of client asks a transport for a response of its own library, so a response is made with the library that
the request came from; neither needs to be installed.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Self

from emulator.embedded.exchange import Answered, Asked, answered
from emulator.embedded.loop_thread import crossed, result
from emulator.embedded.senders import Application, Closed
from emulator.embedded.stay import Stay

_PREFIX: Final = b"/ns/"
_HEADER: Final = b"x-emulator-namespace"
_LIBRARIES: Final = frozenset({"httpx", "httpx2"})
_BLOCKING: Final = "HTTPTransport"
_ASYNC: Final = "AsyncHTTPTransport"


class Transport:
    """What both kinds of transports have in common: they are context managers, too, as clients want them."""

    def close(self) -> None:
        """There is nothing to close."""

    async def aclose(self) -> None:
        """There is nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class DirectTransport(Transport):
    """To an application in this process, without a socket, whatever host a request names."""

    def __init__(self, server: Application, namespace: str, stay: Stay) -> None:
        self._server = server
        self._namespace = namespace.encode()
        self._stay = stay

    def handle_request(self, request: Any) -> Any:
        """The response to a blocking client's request.

        Raises:
            httpx.ReadTimeout: it didn't come within the request's time-out; httpx2's, for a client of httpx2.
            httpx.RemoteProtocolError: the emulator was closed first.
            EmulatorClosed: it was closed before.
        """
        self._stay.check()
        request.read()
        seconds = _patience(request)
        with _failures_told(request, seconds):
            answer = result(self._submitted(request), seconds)
        return _response(request, answer)

    async def handle_async_request(self, request: Any) -> Any:
        """As `handle_request`, for a client on an event loop."""
        self._stay.check()
        await request.aread()
        seconds = _patience(request)
        with _failures_told(request, seconds):
            answer = await crossed(self._submitted(request), seconds)
        return _response(request, answer)

    def _submitted(self, request: Any) -> "Future[Answered]":
        return self._server.submit(partial(answered, self._server.app, self._asked(request)))

    def _asked(self, request: Any) -> Asked:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        return Asked(
            method=request.method,
            scheme=request.url.scheme,
            target=request.url.raw_path,
            headers=placed(headers, request.url.raw_path, self._namespace),
            body=request.content,
        )


def placed(headers: list[tuple[bytes, bytes]], target: bytes, namespace: bytes) -> list[tuple[bytes, bytes]]:
    """Header fields that lead into a namespace, unless the request names one by itself."""
    names_one = target.startswith(_PREFIX) or any(name.lower() == _HEADER for name, _ in headers)
    return headers if names_one else [*headers, (_HEADER, namespace)]


def library_of(request: Any) -> Any:
    """The module, httpx or httpx2, that a request is of.

    Raises:
        TypeError: of neither.
    """
    for kind in type(request).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in _LIBRARIES:
            return sys.modules[root]
    raise TypeError(f"expected a request of httpx or httpx2, got {type(request)!r}; other clients take a URL")


def _patience(request: Any) -> float | None:
    found: float | None = request.extensions.get("timeout", {}).get("read")
    return found


@contextmanager
def _failures_told(request: Any, seconds: float | None) -> Iterator[None]:
    """As the library tells of its own connections."""
    try:
        yield
    except TimeoutError:
        told = f"no answer within {seconds:g}s" if seconds is not None else "no answer"
        raise library_of(request).ReadTimeout(told, request=request) from None
    except Closed:
        told = "the emulator was closed before it had answered"
        raise library_of(request).RemoteProtocolError(told, request=request) from None


def _response(request: Any, answer: Answered) -> Any:
    return library_of(request).Response(
        answer.status_code, headers=answer.headers, content=answer.body, request=request
    )


class ForwardingTransport(Transport):
    """To a server that runs elsewhere, over the library's own connections, whatever host a request names.

    The Host that the client meant goes along, so that an address which is built into it leads to the right provider.
    """

    def __init__(self, url: str, namespace: str, stay: Stay) -> None:
        self._url = url
        self._namespace = namespace.encode()
        self._stay = stay
        self._inner: dict[tuple[str, str], Any] = {}

    def handle_request(self, request: Any) -> Any:
        """The response to a blocking client's request."""
        self._stay.check()
        request.read()
        return self._transport(request, _BLOCKING).handle_request(self._led(request))

    async def handle_async_request(self, request: Any) -> Any:
        """As `handle_request`, for a client on an event loop."""
        self._stay.check()
        await request.aread()
        return await self._transport(request, _ASYNC).handle_async_request(self._led(request))

    def _transport(self, request: Any, kind: str) -> Any:
        library = library_of(request)
        key = (library.__name__, kind)
        if key not in self._inner:
            # A plain URL needs no certificates, whose reading takes longer than all else here.
            is_judged = self._url.startswith("https:")
            self._inner[key] = getattr(library, kind)(trust_env=False, verify=is_judged)
        return self._inner[key]

    def _led(self, request: Any) -> Any:
        library = library_of(request)
        place = library.URL(self._url)
        url = request.url.copy_with(scheme=place.scheme, host=place.host, port=place.port)
        # The body has been read: it goes out whole, with its length.
        given = [field for field in request.headers.raw if field[0].lower() != b"transfer-encoding"]
        headers = placed(given, request.url.raw_path, self._namespace)
        return library.Request(
            request.method, url, headers=headers, content=request.content, extensions=request.extensions
        )

    def close(self) -> None:
        """Close the blocking connections."""
        for key in [key for key in self._inner if key[1] == _BLOCKING]:
            self._inner.pop(key).close()

    async def aclose(self) -> None:
        """Close the connections of event loops."""
        for key in [key for key in self._inner if key[1] == _ASYNC]:
            await self._inner.pop(key).aclose()
