"""The proxy: an ASGI application that passes everything on, byte for byte, and writes down what it saw."""

import logging
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

import httpx2
import msgspec
import orjson

from emulator import bodies
from emulator.clock import Clock
from emulator.core.units import MINUTE, Duration, Instant
from emulator.providers.base import Provider
from emulator.recorder.keeping import Keeper, Output
from emulator.recorder.links import Links
from emulator.recorder.reading import Reader
from emulator.recorder.recording import Recorded, Wish
from emulator.recorder.seen import LONGEST_BODY, Seen, Tape
from emulator.recorder.upstream import Broken, Fields, Upstream, passed_back, pieces
from emulator.recorder.watching import Watcher

log = logging.getLogger("emulator")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[MutableMapping[str, Any]], Any]

_KEPT_KINDS: Final = ("json", "text/", "xml", "html")
_SMALL: Final = 64 * 1024
"""Of an answer without a content type so much is kept."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a recorder is told."""

    wish: Wish
    upstream: str
    """The provider's base URL, without a slash at its end."""
    file: str
    timeout: Duration = 5 * MINUTE
    through_links: bool = False

    @property
    def provider(self) -> Provider:
        """Whose dialect the upstream speaks."""
        return self.wish.provider


class Recorder:
    """A proxy in front of one provider. The clock dates what is seen."""

    def __init__(
        self, setting: Setting, clock: Clock, say: Callable[[str], None], tape: Tape | None = None
    ) -> None:
        """Get ready; nothing is sent yet. Call it on any thread, use it on one event loop."""
        self._setting = setting
        self._clock = clock
        self._tape = Tape() if tape is None else tape
        self._upstream = Upstream(setting.upstream, setting.timeout)
        self._links = Links()
        self._reader = Reader(setting.provider)
        self._keeper = Keeper(Output(setting.file, setting.wish), self._tape)
        self.watcher = Watcher(setting.provider, say)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI connection."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        passage = _Passage(scope, dict(scope["headers"]), self._clock.now(), send)
        try:
            await self._pass(passage, receive)
        except bodies.Hung:
            return
        except bodies.TooLarge as problem:
            await _send_own(passage, 413, f"{problem}: nothing was passed on")

    async def _pass(self, passage: "_Passage", receive: Receive) -> None:
        passage.body = await bodies.read(receive, passage.headers, bodies.CREATE_LIMIT)
        passage.asked = await _understood(passage)
        passage.link = self._links.behind(passage.scope["path"])
        last = b""
        try:
            async with self._answering(passage) as response:
                passage.began = self._clock.now()
                passage.status_code = response.status_code
                passage.raw = response.headers.raw
                passage.answered = {name.lower(): value for name, value in response.headers.raw}
                last = await self._forward(passage, response)
        except Broken as problem:
            passage.broken = str(problem)
            log.warning("no whole answer from %s: %s", self._whence(passage), problem)
        # Before the client has it all: whoever has seen an answer finds it written down.
        self._keep(passage)
        if passage.broken is None:
            await passage.send({"type": "http.response.body", "body": last, "more_body": False})
        elif passage.has_answered or passage.held:
            await passage.send_on(
                passed_back(passage.raw)
            )  # and no end of it: the connection breaks off, as the upstream's did
        else:
            told = f"no whole answer from {self._whence(passage)}: {passage.broken}"
            await _send_own(passage, 502, told)

    def _whence(self, passage: "_Passage") -> str:
        return self._setting.upstream if passage.link is None else "the link's host"

    def _answering(self, passage: "_Passage") -> Any:
        scope = passage.scope
        if passage.link is not None:
            return self._upstream.following(scope["method"], passage.link, scope["headers"])
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        return self._upstream.answering(scope["method"], target, scope["headers"], passage.body)

    async def _forward(self, passage: "_Passage", response: httpx2.Response) -> bytes:
        """Send the answer but for its last piece, which is given back."""
        fields = passed_back(response.headers.raw)
        holds = self._setting.through_links and passage.link is None and _may_be_kept(passage.answered)
        async for piece in pieces(response):
            passage.take(piece)
            if passage.held and (not holds or passage.length > LONGEST_BODY):
                await passage.send_on(fields)
            passage.held.append(piece)
        whole = b"".join(passage.held)
        if not passage.has_answered:
            whole, fields = self._with_links(passage, whole, fields) if holds else (whole, fields)
            await passage.begin(_measured(fields, passage, len(whole)))
        return whole

    def _with_links(self, passage: "_Passage", whole: bytes, fields: Fields) -> tuple[bytes, Fields]:
        """An answer's whole body, in which links lead through the proxy, and the head that goes with it."""
        seen = self._seen(passage)
        read = self._reader.read(seen)
        shown = () if read is None else read.shown
        links = [one.sighting.link for one in shown if one.sighting.link is not None]
        if not links:
            return whole, fields
        whole = self._links.replaced(seen.text(), links, passage.origin())
        return whole, _replaced(fields, len(whole))

    def _seen(self, passage: "_Passage") -> Seen:
        scope = passage.scope
        return Seen(
            at=passage.at,
            began=passage.began or self._clock.now(),
            method=scope["method"],
            path=scope["path"],
            raw_path=scope["raw_path"],
            query=scope["query_string"],
            headers=passage.headers,
            fields=passage.asked.fields,
            unread=passage.asked.broken or passage.asked.too_large,
            status_code=passage.status_code,
            answer_headers=passage.answered,
            body=passage.kept(),
            length=passage.length,
            link=passage.link,
            broken=passage.broken,
        )

    def _keep(self, passage: "_Passage") -> None:
        seen = self._seen(passage)
        is_about_tasks = self._reader.read(seen) is not None
        if is_about_tasks and not self._tape.add(seen) and self._tape.lost == 1:
            log.warning("the recording is full: what comes now passes through, and isn't kept")
        if self.watcher.saw(seen):
            self._keeper.changed()

    def finish(self) -> Recorded:
        """The scenario of all that was seen, written. Call it when the event loop is over, or idle.

        Raises:
            OSError: it can't be written.
        """
        return self._keeper.finish()

    async def close(self) -> None:
        """Close the connections to the upstream, and write no more by itself."""
        await self._keeper.stop()
        await self._upstream.close()


class _Passage:
    """One exchange on its way."""

    def __init__(self, scope: Scope, headers: Mapping[bytes, bytes], at: Instant, send: Send) -> None:
        self.scope = scope
        self.headers = headers
        self.at = at
        self.send = send
        self.body = b""
        self.asked = bodies.Body()
        self.link: str | None = None
        self.began: Instant | None = None
        self.status_code = 0
        self.answered: Mapping[bytes, bytes] = {}
        self.raw: list[tuple[bytes, bytes]] = []
        """The answer's header fields as they came."""
        self.broken: str | None = None
        self.has_answered = False
        self.held: list[bytes] = []
        """What came of the answer's body, and isn't sent yet."""
        self.length = 0
        self._pieces: list[bytes] = []

    async def begin(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Send the head of the answer."""
        self.has_answered = True
        await self.send({"type": "http.response.start", "status": self.status_code, "headers": list(fields)})

    async def send_on(self, fields: Fields) -> None:
        """Send the head, if it wasn't, and what is held back of the body."""
        if not self.has_answered:
            await self.begin(fields)
        await self.flush()

    async def flush(self) -> None:
        """Send what is held back of the body; more of it follows, or should have."""
        body = b"".join(self.held)
        self.held.clear()
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    def take(self, piece: bytes) -> None:
        """A piece of the answer's body came."""
        self.length += len(piece)
        most = LONGEST_BODY if _may_be_kept(self.answered) else 0
        if most and self.length <= most:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def kept(self) -> bytes:
        """What is kept of the answer's body: all of it, or nothing."""
        return b"".join(self._pieces) if self.length <= LONGEST_BODY else b""

    def origin(self) -> str:
        """Where the client found this proxy."""
        host = self.headers.get(b"host", b"").decode("latin-1")
        server = self.scope.get("server") or ("127.0.0.1", 80)
        return f"{self.scope['scheme']}://{host or f'{server[0]}:{server[1]}'}"


def _may_be_kept(answered: Mapping[bytes, bytes]) -> bool:
    """Whether an answer is text, rather than a video."""
    kind = answered.get(b"content-type", b"").decode("latin-1").lower()
    if kind:
        return any(part in kind for part in _KEPT_KINDS)
    length = answered.get(b"content-length", b"0")
    return not length.isdigit() or (len(length) < 9 and int(length) <= _SMALL)


def _measured(fields: Fields, passage: _Passage, length: int) -> Fields:
    """The header fields of an answer that goes out in one piece: our protocol wants its length, chunked or not."""
    has_body = passage.scope["method"] != "HEAD" and passage.status_code not in {204, 304}
    if not has_body or any(name == b"content-length" for name, _ in fields):
        return fields
    return [*fields, (b"content-length", b"%d" % length)]


def _replaced(fields: Fields, length: int) -> Fields:
    """The header fields of a body that was changed."""
    changed = {b"content-length", b"content-encoding", b"etag", b"content-md5", b"digest"}
    return [*(f for f in fields if f[0] not in changed), (b"content-length", b"%d" % length)]


async def _understood(passage: _Passage) -> bodies.Body:
    if not passage.body:
        return bodies.Body()

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": passage.body, "more_body": False}

    return await bodies.understand(receive, passage.headers, bodies.CREATE_LIMIT, forms=True)


async def _send_own(passage: _Passage, status_code: int, text: str) -> None:
    """An answer of our own, which must not look like the provider's."""
    body = orjson.dumps({"video_emulator": {"error": text}})
    passage.status_code = status_code
    await passage.begin([(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))])
    await passage.send({"type": "http.response.body", "body": body, "more_body": False})
