"""The composition root: one ASGI application that leads each request to its provider, the media or the control API.

Polls are led by dictionaries in front of Starlette's router, which would cost a third of the speed;
the control API goes through it.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import unquote

import msgspec
import orjson

from emulator import bodies, creates, endpoint, held, media, results
from emulator.clock import breathe, real_time
from emulator.connection import Client, NoConnection
from emulator.core.task import Task
from emulator.core.units import SECOND
from emulator.core.words import OperationName
from emulator.engine import Namespace
from emulator.exchanges import Reply, Request
from emulator.jobs import Forgotten, Jobs, Outcome
from emulator.journal import Asked
from emulator.ledger import marks_of
from emulator.library import Library
from emulator.namespaces import HEADER, BadName, Namespaces, NoRoom, after_prefix, named_in
from emulator.options import Options
from emulator.payload import Payload
from emulator.providers import PROVIDERS
from emulator.providers.base import Operation, Provider
from emulator.replies import date_field
from emulator.routing import Door, Route, segments_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Channel = tuple[Receive, Send]
log = logging.getLogger("emulator")

_NO_BODY: Final = bodies.Body()
_JSON: Final = (b"content-type", b"application/json")
_WHY: Final = b"x-emulator-why"
_POLL: Final = OperationName.POLL
_CREATE: Final = OperationName.CREATE
_FORGOTTEN: Final = {
    "video_emulator": {
        "error": "The namespace was reset, or dropped, while this create was held: its task is forgotten."
    }
}
_MAX_HOSTS: Final = 256
_NAME: Final = re.compile(r"[A-Za-z0-9*_-]+")
_PREFLIGHT_MAX_AGE: Final = b"600"


class Wire(Protocol):
    """What the server knows of a request beyond what it says."""

    scheme: str
    received: bytes | None
    """The bytes that begin with the request and hold all of it; ``None``: it came in several pieces."""

    def written(self, status_code: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes: ...  # noqa: D102 - an answer as bytes


class App:
    """The emulator as an ASGI application."""

    def __init__(self, library: Library, options: Options | None = None) -> None:
        self.options = options or Options()
        self.library = library
        self._ports: set[int] = set()
        """Where it is reached, as far as requests have shown: callbacks don't go there."""
        self._origin_seen = self.options.public_url or "http://localhost"
        bounds = self.options.bounds
        self.namespaces = Namespaces(self.options.settings, library, PROVIDERS, bounds, self._jobs_of)
        self.namespace = self.namespaces.default
        """The namespace of requests that name none."""
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
        except NoConnection as problem:
            # Whoever serves this, or calls it in process, gets the sentence: an answer would only pretend.
            log.error("%s", problem)  # noqa: TRY400 - it is about the scenario, not about the code
            raise
        except Exception:
            # Whatever it is, a client gets a sentence, and the log what is needed to mend it.
            log.exception("a defect of the emulator, met at %s %s", scope["method"], scope["path"][:200])
            with suppress(RuntimeError):  # the answer had begun
                await _send_defect(send)

    async def _lead(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead one request to where it is answered."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self._learn(scope, headers)
        prefixed = after_prefix(scope["raw_path"])
        try:
            name = named_in(headers) if prefixed is None else prefixed[0]
            namespace = self.namespace if name is None else self.namespaces.use(name)
        except BadName as problem:
            return await _send_problem(send, 400, "No such namespace", str(problem))
        except NoRoom as problem:
            return await _send_problem(send, 503, "No room for another namespace", str(problem))
        visit = Visit(namespace, scope, headers, self._door_of(headers.get(b"host", b"")))
        if prefixed is not None:
            visit.raw_path, visit.path = prefixed[1], unquote(prefixed[1].decode("latin-1"))
        namespace.visitors += 1
        try:
            await self._visit(visit, receive, send)
        finally:
            namespace.visitors -= 1
            namespace.touched = real_time()

    def _learn(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Take note of where this emulator is, which it isn't told otherwise."""
        server = scope.get("server")
        if server is not None and server[1] is not None and server[1] not in self._ports:
            self._ports.add(server[1])
            self._origin_seen = self._origin(scope, headers)

    async def _visit(self, visit: "Visit", receive: Receive, send: Send) -> None:
        door, path, method = visit.door, visit.path, visit.scope["method"]
        route, params = (None, ()) if b"%" in visit.raw_path else door.glance(path, method)
        if route is None:
            segments = segments_of(path, visit.raw_path)
            route, params = door.find(segments, method)
            if route is None:
                return await self._astray(visit, segments, receive, send)
        rows = route.rows
        provider, operation = rows[0] if len(rows) == 1 else self._row(visit.namespace, route, params)
        if operation.method == "POST":
            is_making = operation.name in creates.MAKING
            limit = bodies.CREATE_LIMIT if is_making else bodies.POLL_LIMIT
            body = await bodies.understand(receive, visit.headers, limit, forms=is_making)
        else:
            body = bodies.unread(visit.headers) if b"content-length" in visit.headers else _NO_BODY
        request = self._request(visit, route.base, params, body)
        reply = endpoint.respond(visit.namespace, provider, operation, request)
        if reply.hold is not None:
            return await self._hold(visit, provider, body, reply, (receive, send))
        await self._send(visit, provider, _meant(operation, reply), body, reply, (receive, send))

    async def _hold(
        self,
        visit: "Visit",
        provider: Provider,
        body: bodies.Body,
        reply: Reply,
        channel: Channel,
    ) -> None:
        """Answer a create once its task has ended, as it began to be answered: whole, or in lines."""
        hold, jobs, send = reply.hold, visit.namespace.jobs, channel[1]
        assert hold is not None
        assert isinstance(jobs, Jobs)
        # What a rule breaks or slows down comes whole: it is about the answer, and lines are several.
        verdict = reply.verdict
        is_streamed = hold.line is not None and verdict.fault is None and verdict.slow_body is None
        stream = held.Stream(reply, send) if is_streamed else None
        if stream is not None:
            await visit.namespace.clock.pause(reply.delay)
        try:
            ended = await held.waited(jobs, hold, channel[0], None if stream is None else stream.tell)
        except bodies.Hung:
            self._keep(visit, provider, _CREATE, body, held.left(reply), stream.size if stream else 0)
            raise
        except Forgotten:
            return None if stream is not None else await _send_json(send, 503, _FORGOTTEN)
        if stream is None:
            return await self._send(visit, provider, _CREATE, body, ended, channel)
        await stream.end(ended)
        self._keep(visit, provider, _CREATE, body, ended, len(ended.body))

    def sent_at_once(
        self,
        method: str,
        path: str,
        fields: Sequence[tuple[bytes, bytes]],
        body: bytes,
        wire: "Wire",
    ) -> bytes | None:
        """The answer, as bytes, to a poll that can be had without waiting for anything; ``None``: ask in the usual way.

        What the server asks before it makes an ASGI connection of a request, which costs half of a poll.
        ``path`` has no escapes and no query. Where this gives ``None`` nothing has changed.
        """
        found = self._polled(method, path, fields, body, wire.scheme)
        if found is None:
            return None
        namespace, provider, headers, reply = found
        sent = wire.written(reply.status_code, reply.headers, reply.body)
        journal, mode, received = namespace.journal, namespace.clock.mode, wire.received
        if received is None or not journal.add_brief(mode, provider, received, sent, reply):
            journal.add(mode, provider, _POLL, Asked(method, path, b"", headers, body, len(body)), reply)
        return sent

    def _polled(
        self, method: str, path: str, fields: Sequence[tuple[bytes, bytes]], body: bytes, scheme: str
    ) -> tuple[Namespace, Provider, dict[bytes, bytes], Reply] | None:
        headers: dict[bytes, bytes] = dict(fields)
        namespace: Namespace | None = self.namespace
        below = path
        if path.startswith("/ns/"):
            name, _, rest = path[4:].partition("/")
            namespace, below = self.namespaces.lately_used(name), f"/{rest}"
        elif HEADER in headers or b" sk-ns-" in headers.get(b"authorization", b""):
            namespace = self._named(headers)
        host = headers.get(b"host")
        if namespace is None or host is None or _WHY in headers:
            return None
        route, params = (self._hosts.get(host) or self._door_of(host)).glance(below, method)
        if route is None:
            return None
        rows = route.rows
        provider, operation = rows[0] if len(rows) == 1 else self._row(namespace, route, params)
        if operation.name is not _POLL or operation.method != method:  # HEAD gets no body
            return None
        understood = bodies.at_once(headers, body) if method == "POST" else _NO_BODY
        if understood is None:
            return None
        origin = self.options.public_url or _written(scheme, host)
        bare = below[len(route.base) :]
        request = Request(
            method, bare, params, b"", headers, understood.fields, None, None, origin, namespace.prefix
        )
        reply = endpoint.at_once(namespace, provider, operation, request)
        if reply is None:
            return None
        reply.headers.append((b"content-length", b"%d" % len(reply.body)))
        return namespace, provider, headers, reply

    def _named(self, headers: Mapping[bytes, bytes]) -> Namespace | None:
        """The namespace that a header or a key names, where nothing has to be made or refused for it."""
        try:
            name = named_in(headers)
        except BadName:
            return None
        return self.namespace if name is None else self.namespaces.lately_used(name)

    def _door_of(self, host: bytes) -> Door:
        door = self._hosts.get(host)
        if door is None:
            door = self._hosts.get(host.partition(b":")[0].lower(), self._front)
            if len(self._hosts) < _MAX_HOSTS:
                self._hosts[host] = door
        return door

    def _row(self, namespace: Namespace, route: Route, params: tuple[str, ...]) -> tuple[Provider, Operation]:
        """Where vendors share a path, the row of the one who knows the task, else the root provider's."""
        now = namespace.clock.now()
        knowing = [r for r in route.rows if params and namespace.find(r[0], params[0], now) is not None]
        if len(knowing) == 1:
            return knowing[0]
        return next((r for r in route.rows if r[0].name == self.options.root_provider), route.rows[0])

    def _request(self, visit: "Visit", base: str, params: tuple[str, ...], body: bodies.Body) -> Request:
        path = visit.path
        return Request(
            visit.scope["method"],
            path[path.index(base) + len(base) :] if base else path,
            params,
            visit.scope["query_string"],
            visit.headers,
            body.fields,
            body.broken,
            body.too_large,
            self._origin(visit.scope, visit.headers),
            visit.namespace.prefix,
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

    async def _send(
        self,
        visit: "Visit",
        provider: Provider | None,
        operation: str | None,
        body: bodies.Body,
        reply: Reply,
        channel: Channel,
    ) -> None:
        """Write down what is answered, wait as long as it says, and send it, well or badly."""
        if reply.clip is not None:
            method, headers = visit.scope["method"], visit.headers
            content = media.answer(method, headers, reply.clip, reply.clip_size, reply.variant)
            reply.status_code, sent = content.status_code, content.body
            reply.headers = media.merged(content, tuple(reply.headers))
        else:
            sent = Payload(reply.body)
            reply.headers.append((b"content-length", b"%d" % len(sent)))
        if visit.headers.get(_WHY) == b"1":
            reply.headers.append((_WHY, _reason(visit, provider, operation, body, reply)))
        verdict, trouble = reply.verdict, None
        if verdict.fault is not None or verdict.slow_body is not None:
            # Imported when first met, as few answers are: a start shouldn't wait for it.
            from emulator import faults  # noqa: PLC0415

            sent, trouble = faults.prepared(reply, sent, visit.scope, channel[1])
        self._keep(visit, provider, operation, body, reply, len(sent) if trouble is None else trouble.size)
        if reply.delay or trouble is not None:
            clock = visit.namespace.clock
            async with Client(channel[0]) as client:
                if reply.delay and not await client.stays(clock.pause(reply.delay)):
                    return None
                if trouble is not None:
                    return await trouble.send(client, clock, channel[1])
        await _send_whole(reply, sent, channel)

    @staticmethod
    def _keep(
        visit: "Visit",
        provider: Provider | None,
        operation: str | None,
        body: bodies.Body,
        reply: Reply,
        size: int,
    ) -> None:
        namespace, scope = visit.namespace, visit.scope
        namespace.met.update(marks_of(reply))
        asked = Asked(
            scope["method"], scope["path"], scope["query_string"], visit.headers, body.kept(), body.size
        )
        namespace.journal.add(namespace.clock.mode, provider, operation, asked, reply, size)

    async def _astray(self, visit: "Visit", segments: list[str], receive: Receive, send: Send) -> None:
        """What isn't a provider's operation: media, the control API, a preflight, or nothing."""
        door, scope = visit.door, visit.scope
        if segments[0] == "media":
            return await self._media(visit, receive, send)
        if segments[0] == "__admin" and door is self._front:
            return await self._admin(visit, receive, send)
        methods = door.methods(segments)
        if scope["method"] == "OPTIONS" and methods:
            return await _send_preflight(visit.headers, methods, send)
        owner, base = self._owner(door, segments[0])
        if owner is None:
            return await self._send_index(visit, receive, send)
        request = self._request(visit, base, (), _NO_BODY)
        reply = endpoint.no_route(visit.namespace, owner, request)
        await self._send(visit, owner, None, _NO_BODY, reply, (receive, send))

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

    async def _send_index(self, visit: "Visit", receive: Receive, send: Send) -> None:
        origin = f"{self._origin(visit.scope, visit.headers)}{visit.namespace.prefix}"
        bases = {provider.name: f"{origin}{provider.base}" for provider in PROVIDERS}
        body: dict[str, Any] = {
            "emulator": "video-emulator",
            "providers": bases,
            "control": f"{origin}/__admin",
        }
        if visit.path == "/":
            return await _send_json(send, 200, body)
        told = f"nothing of {visit.path[:200]} is emulated"
        await self._send_own(visit, 404, {"error": told, **body}, (receive, send))

    async def _send_own(self, visit: "Visit", status_code: int, value: Any, channel: Channel) -> None:
        """Send an answer that is no provider's, and write it down."""
        now = visit.namespace.clock.now()
        headers = [_JSON, (b"date", date_field(now // SECOND))]
        reply = Reply(status_code, headers, orjson.dumps(value), now=now, stage="route")
        await self._send(visit, None, None, _NO_BODY, reply, channel)

    async def _media(self, visit: "Visit", receive: Receive, send: Send) -> None:
        scope = visit.scope
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        claim = media.claim(self._by_name.get, path, query)
        if claim is None or scope["method"] not in {"GET", "HEAD"}:
            told = {"error": "no video has this address"}
            return await self._send_own(visit, 404, told, (receive, send))
        request = self._request(visit, "", (), _NO_BODY)
        reply = results.download(visit.namespace, request, claim)
        await self._send(visit, claim.provider, OperationName.DOWNLOAD, _NO_BODY, reply, (receive, send))

    async def _admin(self, visit: "Visit", receive: Receive, send: Send) -> None:
        if self._control is None:
            # Imported with the first control call: a poll shouldn't wait for a framework that it doesn't meet.
            from emulator.control import control  # noqa: PLC0415

            self._control = control(self.namespaces, self.options)
        scope = {
            **visit.scope,
            "path": visit.path,
            "raw_path": visit.raw_path,
            "emulator.namespace": visit.namespace,
        }

        async def dated(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                # An advance moves the clock: what counts is the instant of the answer.
                date = (b"date", date_field(visit.namespace.clock.now() // SECOND))
                message["headers"] = [*message["headers"], date]
            await send(message)

        await self._control(scope, receive, dated)

    def _jobs_of(self, namespace: Namespace) -> Jobs:
        return Jobs(namespace, self._call_back)

    async def _call_back(self, namespace: Namespace, task: Task) -> Outcome:
        """Send a task's end to where its create wanted it."""
        # Imported with the first callback: a start shouldn't wait for a client library.
        from emulator.delivery import delivered  # noqa: PLC0415

        provider, now = self._by_name[task.provider], namespace.clock.now()
        body = creates.told(namespace, provider, task, now, self._origin_seen)
        allowed, within = self.options.callback_hosts, task.plan.callback.timeout
        return await delivered(task.callback_url or "", body, within, allowed, self._ports)

    def start(self) -> None:
        """See to what falls due without a request, such as the callbacks of tasks that exist from the start."""
        for namespace in self.namespaces:
            if isinstance(namespace.jobs, Jobs):
                namespace.jobs.start()

    def stop(self) -> None:
        """End what would last as long as a client likes: the streams of those who listen."""
        for namespace in self.namespaces:
            if namespace.events is not None:
                namespace.events.end()


class Visit(msgspec.Struct):
    """One request on its way: whose world it is about, and what is left of its path there."""

    namespace: Namespace
    scope: Scope
    headers: dict[bytes, bytes]
    door: Door
    path: str = ""
    raw_path: bytes = b""

    def __post_init__(self) -> None:
        self.path, self.raw_path = self.scope["path"], self.scope["raw_path"]


def _meant(operation: Operation, reply: Reply) -> OperationName | None:
    """What was asked for by a row's path and method; ``None``: the face that answers has no such row."""
    return None if reply.stage == "route" else reply.operation or operation.name


def _reason(
    visit: Visit, provider: Provider | None, operation: str | None, body: bodies.Body, reply: Reply
) -> bytes:
    """Why the request is answered so, for a header."""
    # Imported when first asked for: few requests ask, and every start would pay for it.
    from emulator import why  # noqa: PLC0415

    namespace = visit.namespace
    name = None if operation is None else OperationName(operation)
    seen = why.Seen(
        provider, name, namespace.clock.mode, visit.headers, namespace.settings.profile, body.fields
    )
    return why.as_header(reply, namespace.ledger.scenarios, seen)


async def _send_whole(reply: Reply, payload: Payload, channel: Channel) -> None:
    receive, send = channel
    await send({"type": "http.response.start", "status": reply.status_code, "headers": reply.headers})
    if not payload.zeros:
        return await send({"type": "http.response.body", "body": payload.content})
    async with Client(receive) as client:
        for chunk in payload.chunks():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            # A client that reads as fast as it is sent to would keep everybody else waiting, and one that has left
            # is never waited for: uvicorn drops what is sent to it.
            await breathe()
            if client.has_left:
                return None
    return await send({"type": "http.response.body", "body": b""})


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


async def _send_problem(send: Send, status_code: int, title: str, detail: str) -> None:
    body = orjson.dumps({"title": title, "status": status_code, "detail": detail})
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_defect(send: Send) -> None:
    # A bug of ours must look like ours, and not like a provider's error.
    text = "video-emulator met a defect of its own; its log has the details. This is no provider's answer."
    await _send_json(send, 500, {"video_emulator": {"error": text}})
