"""The two senders: one that blocks and one for an event loop, each over a pool of connections."""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack, aclosing, asynccontextmanager, closing, contextmanager
from typing import Any, TypeVar

import httpx2
import msgspec

from emulator.client.answers import Answer, accepted
from emulator.client.calls import Call
from emulator.client.events import Event, event_in
from emulator.client.place import Place

T = TypeVar("T")


class HttpSender:
    """Sends a call and waits for its answer."""

    def __init__(self, place: Place, http: httpx2.Client) -> None:
        self.place = place
        self._http = http

    @property
    def base(self) -> str:
        """What the URLs of the namespace begin with."""
        return self.place.base

    def send(self, call: Call[T]) -> T:
        """The answer, read."""
        request = _request(self.place, call)
        with _failures_told(self.place, request):
            response = self._http.request(**request)
        return _read(self.place, call, response)

    @contextmanager
    def listen(self, call: Call[None]) -> Iterator[Iterator[Event]]:
        """The events of a stream, from now until the context is left."""
        request = _request(self.place, call)
        with ExitStack() as stack:
            with _failures_told(self.place, request):
                response = stack.enter_context(self._http.stream(**request))
                if response.status_code != 200:
                    response.read()
            _read(self.place, call, response)
            yield stack.enter_context(closing(self._events(response, request)))

    def _events(self, response: httpx2.Response, request: dict[str, Any]) -> Generator[Event]:
        with _failures_told(self.place, request):
            for sent in httpx2.EventSource(response):
                event = event_in(self.place.url, sent.event, sent.data)
                if event is not None:
                    yield event

    def within(self, namespace: str | None) -> "HttpSender":
        """A sender to another namespace of the same emulator, over the same connections."""
        return HttpSender(msgspec.structs.replace(self.place, namespace=namespace), self._http)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class AsyncHttpSender:
    """Sends a call without blocking the event loop."""

    def __init__(self, place: Place, http: httpx2.AsyncClient) -> None:
        self.place = place
        self._http = http

    @property
    def base(self) -> str:
        """What the URLs of the namespace begin with."""
        return self.place.base

    async def send(self, call: Call[T]) -> T:
        """The answer, read."""
        request = _request(self.place, call)
        with _failures_told(self.place, request):
            response = await self._http.request(**request)
        return _read(self.place, call, response)

    @asynccontextmanager
    async def listen(self, call: Call[None]) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of a stream, from now until the context is left."""
        request = _request(self.place, call)
        async with AsyncExitStack() as stack:
            with _failures_told(self.place, request):
                response = await stack.enter_async_context(self._http.stream(**request))
                if response.status_code != 200:
                    await response.aread()
            _read(self.place, call, response)
            yield await stack.enter_async_context(aclosing(self._events(response, request)))

    async def _events(self, response: httpx2.Response, request: dict[str, Any]) -> AsyncGenerator[Event]:
        with _failures_told(self.place, request):
            async for sent in httpx2.EventSource(response):
                event = event_in(self.place.url, sent.event, sent.data)
                if event is not None:
                    yield event

    def within(self, namespace: str | None) -> "AsyncHttpSender":
        """A sender to another namespace of the same emulator, over the same connections."""
        return AsyncHttpSender(msgspec.structs.replace(self.place, namespace=namespace), self._http)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def blocking(place: Place, verify: ssl.SSLContext | bool) -> HttpSender:
    """A sender with a pool of its own."""
    return HttpSender(place, httpx2.Client(**_settings(place, verify)))


def for_event_loop(place: Place, verify: ssl.SSLContext | bool) -> AsyncHttpSender:
    """A sender with a pool of its own."""
    return AsyncHttpSender(place, httpx2.AsyncClient(**_settings(place, verify)))


def _settings(place: Place, verify: ssl.SSLContext | bool) -> dict[str, Any]:
    """How both kinds of httpx2's clients are made.

    Proxies of the environment are for the world outside, not for an emulator on this machine or beside it.
    A plain URL needs no certificates, whose reading takes longer than all else here.
    """
    return {"trust_env": False, "verify": verify if place.url.startswith("https:") else False}


def _request(place: Place, call: Call[Any]) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": place.target(call),
        "headers": place.headers(call),
        "content": call.body or None,
        "timeout": place.timeout + call.wait,
    }


@contextmanager
def _failures_told(place: Place, request: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except httpx2.TimeoutException:
        raise place.silent(request["timeout"]) from None
    except httpx2.HTTPError as problem:
        raise place.unreachable(problem) from None


def _read(place: Place, call: Call[T], response: httpx2.Response) -> T:
    content_type = response.headers.get("content-type", "").lower()
    # A stream's answer is its head alone, unless it is a refusal.
    body = response.content if response.is_closed else b""
    return call.read(accepted(Answer(place.url, response.status_code, content_type, body)))
