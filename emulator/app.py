"""The composition root: one ASGI application that leads each request to its provider, the media or the control API.

Polls are led by dictionaries in front of Starlette's router, which would cost a third of the speed;
the control API goes through it.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import orjson

from emulator import bodies, endpoint, media
from emulator.core.words import OperationName
from emulator.engine import Library, Namespace, Settings
from emulator.providers import PROVIDERS
from emulator.providers.base import Operation, Provider
from emulator.replies import Reply, Request
from emulator.routing import Door, Route, segments_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Observer = Callable[["Observed"], None]
log = logging.getLogger("emulator")

_NO_BODY: Final = bodies.Body()
_MAX_HOSTS: Final = 256
_NAME: Final = re.compile(r"[A-Za-z0-9*_-]+")
_PREFLIGHT_MAX_AGE: Final = b"600"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What `serve` was told, as far as the application cares."""

    settings: Settings = Settings()
    public_url: str | None = None
    """Scheme and host that links start with; ``None``: those of the request that created the task."""
    root_provider: str = "octopusx"
    """Who answers at the root where two providers share a path and the task doesn't tell."""


class Observed(msgspec.Struct, frozen=True, gc=False):
    """One exchange with a provider, after its answer was settled."""

    namespace: str
    provider: str
    operation: str
    at: int
    status_code: int
    tasks: tuple[str, ...]
    rule: str | None


class App:
    """The emulator as an ASGI application."""

    def __init__(
        self, library: Library, options: Options | None = None, observer: Observer | None = None
    ) -> None:
        self.options = options or Options()
        self.library = library
        self.observer = observer
        self.namespace = Namespace("default", self.options.settings, library)
        self.namespace.start(PROVIDERS)
        self._by_name = {provider.name: provider for provider in PROVIDERS}
        self._front = Door(PROVIDERS, with_bases=True)
        self._hosts: dict[bytes, Door] = {}
        for base in dict.fromkeys(provider.base for provider in PROVIDERS):
            vendor = [provider for provider in PROVIDERS if provider.base == base]
            door = Door(vendor)
            for host in {host for provider in vendor for host in provider.hosts}:
                self._hosts[host.encode()] = door
        self._control: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] == "lifespan":
            return await _live(receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1000})
        try:
            await self._lead(scope, receive, send)
        except bodies.Hung:
            return None
        except Exception:
            # Whatever it is, a client gets a sentence, and the log what is needed to mend it.
            log.exception("a defect of the emulator, met at %s %s", scope["method"], scope["path"][:200])
            with suppress(RuntimeError):  # the answer had begun
                await _send_defect(send)

    async def _lead(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead one request to where it is answered."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        method, path = scope["method"], scope["path"]
        door = self._door_of(headers.get(b"host", b""))
        route, params = (None, ()) if b"%" in scope["raw_path"] else door.glance(path, method)
        if route is None:
            segments = segments_of(path, scope["raw_path"])
            route, params = door.find(segments, method)
            if route is None:
                return await self._astray(scope, headers, door, segments, receive, send)
        provider, operation = route.rows[0] if len(route.rows) == 1 else self._row(route, params)
        if operation.method == "POST":
            creates = operation.name is OperationName.CREATE
            limit = bodies.CREATE_LIMIT if creates else bodies.POLL_LIMIT
            body = await bodies.understand(receive, headers, limit, forms=creates)
        else:
            body = bodies.unread(headers) if b"content-length" in headers else _NO_BODY
        request = self._request(scope, headers, route.base, params, body)
        reply = endpoint.respond(self.namespace, provider, operation, request)
        if self.observer is not None:
            self._observe(provider, operation, reply)
        await self._send(reply, scope, send)

    def at_once(
        self, method: str, path: str, fields: Sequence[tuple[bytes, bytes]], body: bytes, scheme: str
    ) -> Reply | None:
        """The reply to a poll that can be had without waiting for anything; ``None``: ask in the usual way.

        What the server asks before it makes an ASGI connection of a request, which costs half of a poll.
        ``path`` has no escapes and no query. Where this gives ``None`` nothing has changed.
        """
        headers: dict[bytes, bytes] = dict(fields)
        route, params = self._door_of(headers.get(b"host", b"")).glance(path, method)
        if route is None:
            return None
        provider, operation = route.rows[0] if len(route.rows) == 1 else self._row(route, params)
        if operation.name is not OperationName.POLL or operation.method != method:  # HEAD gets no body
            return None
        understood = bodies.at_once(headers, body) if method == "POST" else _NO_BODY
        host = headers.get(b"host")
        if understood is None or host is None:
            return None
        below = path[len(route.base) :]
        origin = self.options.public_url or _written(scheme, host)
        request = Request(method, below, params, b"", headers, understood.fields, None, None, origin)
        reply = endpoint.at_once(self.namespace, provider, operation, request)
        if reply is not None:
            reply.headers.append((b"content-length", b"%d" % len(reply.body)))
            if self.observer is not None:
                self._observe(provider, operation, reply)
        return reply

    def _door_of(self, host: bytes) -> Door:
        door = self._hosts.get(host)
        if door is None:
            door = self._hosts.get(host.partition(b":")[0].lower(), self._front)
            if len(self._hosts) < _MAX_HOSTS:
                self._hosts[host] = door
        return door

    def _row(self, route: Route, params: tuple[str, ...]) -> tuple[Provider, Operation]:
        """Where vendors share a path, the row of the one who knows the task, else the root provider's."""
        now = self.namespace.clock.now()
        knowing = [r for r in route.rows if params and self.namespace.find(r[0], params[0], now) is not None]
        if len(knowing) == 1:
            return knowing[0]
        return next((r for r in route.rows if r[0].name == self.options.root_provider), route.rows[0])

    def _request(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        base: str,
        params: tuple[str, ...],
        body: bodies.Body,
    ) -> Request:
        path = scope["path"]
        return Request(
            scope["method"],
            path[path.index(base) + len(base) :] if base else path,
            params,
            scope["query_string"],
            headers,
            body.fields,
            body.broken,
            body.too_large,
            self._origin(scope, headers),
        )

    def _origin(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
        if self.options.public_url is not None:
            return self.options.public_url
        host = headers.get(b"host")
        if host:
            return _written(scope["scheme"], host)
        # Only HTTP/1.0 may leave the Host out.
        name, port = scope.get("server") or ("localhost", None)
        return f"{scope['scheme']}://{name}:{port}" if port else f"{scope['scheme']}://{name}"

    def _observe(self, provider: Provider, operation: Operation, reply: Reply) -> None:
        assert self.observer is not None
        now = self.namespace.clock.now()
        name = self.namespace.name
        self.observer(
            Observed(name, provider.name, operation.name, now, reply.status_code, reply.tasks, reply.rule)
        )

    async def _send(self, reply: Reply, scope: Scope, send: Send) -> None:
        if reply.delay:
            await self.namespace.clock.pause(reply.delay)
        if reply.clip is not None:
            return await media.serve(scope, send, reply.clip, tuple(reply.headers))
        headers = reply.headers
        headers.append((b"content-length", b"%d" % len(reply.body)))
        await send({"type": "http.response.start", "status": reply.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _astray(
        self,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        door: Door,
        segments: list[str],
        receive: Receive,
        send: Send,
    ) -> None:
        """What isn't a provider's operation: media, the control API, a preflight, or nothing."""
        if segments[0] == "media":
            return await self._media(scope, headers, send)
        if segments[0] == "__admin" and door is self._front:
            return await self._admin(scope, receive, send)
        methods = door.methods(segments)
        if scope["method"] == "OPTIONS" and methods:
            return await _send_preflight(headers, methods, send)
        owner, base = self._owner(door, segments[0])
        if owner is None:
            return await self._send_index(scope, headers, send)
        request = self._request(scope, headers, base, (), _NO_BODY)
        await self._send(endpoint.no_route(self.namespace, owner, request), scope, send)

    def _owner(self, door: Door, first: str) -> tuple[Provider | None, str]:
        """Who words that a path of this first segment isn't there, and the base path before it."""
        if door is not self._front:
            return door.providers[0], ""
        for provider in PROVIDERS:
            if provider.base == f"/{first}":
                return provider, provider.base
        owners = [p for p in PROVIDERS if any(o.path.startswith(f"/{first}/") for o in p.operations)]
        owners.sort(key=lambda provider: provider.name != self.options.root_provider)
        return (owners[0] if owners else None), ""

    async def _send_index(self, scope: Scope, headers: Mapping[bytes, bytes], send: Send) -> None:
        origin = self._origin(scope, headers)
        bases = {provider.name: f"{origin}{provider.base}" for provider in PROVIDERS}
        body: dict[str, Any] = {
            "emulator": "video-emulator",
            "providers": bases,
            "control": f"{origin}/__admin",
        }
        if scope["path"] == "/":
            return await _send_json(send, 200, body)
        told = f"nothing is served at {scope['path'][:200]}; each provider has a path of its own"
        await _send_json(send, 404, {"error": told, **body})

    async def _media(self, scope: Scope, headers: Mapping[bytes, bytes], send: Send) -> None:
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        claim = media.claim(self._by_name.get, path, query)
        if claim is None or scope["method"] not in {"GET", "HEAD"}:
            return await _send_json(send, 404, {"error": "no video has this address"})
        request = self._request(scope, headers, "", (), _NO_BODY)
        reply = endpoint.download(self.namespace, request, claim)
        await self._send(reply, scope, send)

    async def _admin(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._control is None:
            # Imported with the first control call: a poll shouldn't wait for a framework that it doesn't meet.
            from emulator.control import control  # noqa: PLC0415

            self._control = control(self.namespace, self._trusted_hosts())
        await self._control(scope, receive, send)

    def _trusted_hosts(self) -> frozenset[str]:
        public = urlsplit(self.options.public_url or "").hostname
        return frozenset({public} if public else ())


@lru_cache(maxsize=256)
def _written(scheme: str, host: bytes) -> str:
    return f"{scheme}://{host.decode('latin-1')}"


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _send_preflight(headers: Mapping[bytes, bytes], methods: tuple[str, ...], send: Send) -> None:
    allowed = ", ".join((*methods, "OPTIONS")).encode()
    answer = [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", allowed),
        (
            b"access-control-allow-headers",
            _header_names(headers.get(b"access-control-request-headers", b"*")),
        ),
        (b"access-control-max-age", _PREFLIGHT_MAX_AGE),
        (b"allow", allowed),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": answer})
    await send({"type": "http.response.body", "body": b""})


def _header_names(asked: bytes) -> bytes:
    """The header names that a preflight asks for, less whatever can't be one."""
    names = (name.strip() for name in asked.decode("latin-1").split(","))
    return ", ".join(name for name in names if _NAME.fullmatch(name)).encode()


async def _send_json(send: Send, status_code: int, value: Any) -> None:
    body = orjson.dumps(value)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_defect(send: Send) -> None:
    # A bug of ours must look like ours, and not like a provider's error.
    text = "video-emulator met a defect of its own; its log has the details. This is no provider's answer."
    await _send_json(send, 500, {"video_emulator": {"error": text}})
