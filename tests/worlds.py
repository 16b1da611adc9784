"""Small worlds for the tests: an application over scenarios written in the test, called without a socket."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import msgspec

from emulator.app import App
from emulator.core.scenario import ClockSettings, Scenario
from emulator.core.units import parse_instant
from emulator.core.words import Profile
from emulator.engine import Settings
from emulator.library import Library
from emulator.options import Options
from emulator.protocol import written

START = parse_instant("2025-01-01T00:00:00Z")
KEY = {"authorization": "Bearer sk-test"}


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body's JSON value."""
        return json.loads(self.body)


class World:
    """An application whose clock stands still until told, with one scenario active."""

    def __init__(
        self,
        scenario: str | None = None,
        *,
        clock: ClockSettings | None = None,
        profile: Profile = Profile.DOCUMENTED,
        seed: int | str = 0,
        max_tasks: int = 1000,
        others: Sequence[str] = (),
        **options: Any,
    ) -> None:
        library = Library()
        for number, text in enumerate(others):
            library.add_text(text, f"other-{number}", f"other-{number}.yaml")
        name = "happy-path" if scenario is None else self._named(library, scenario)
        settings = Settings(
            seed=seed,
            clock=clock or ClockSettings(mode="manual", start=START),
            profile=profile,
            max_tasks=max_tasks,
            scenario=name,
        )
        self.app = App(library, Options(settings=settings, **options))
        self.namespace = self.app.namespace

    @staticmethod
    def _named(library: Library, scenario: str) -> str:
        if "\n" not in scenario and library.get(scenario) is not None:
            return scenario
        return library.add_text(scenario, "under-test", "under-test.yaml").name

    @property
    def scenario(self) -> Scenario:
        """The active scenario."""
        return self.namespace.active.scenario

    def advance(self, duration: int) -> None:
        """Move the clock by microseconds."""
        self.namespace.clock.advance(duration)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] = KEY,
        host: str = "emulator.test:8080",
    ) -> Answer:
        """One request. A body that isn't bytes goes as JSON."""
        fields = {"host": host, **headers}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            fields.setdefault("content-type", "application/json")
        return asyncio.run(call(self.app, method, path, body or b"", fields))

    def at_once(
        self, method: str, path: str, fields: Sequence[tuple[bytes, bytes]], body: bytes = b""
    ) -> Answer | None:
        """One request as the server asks for it first; ``None``: the application wants it in the usual way."""
        sized = [*fields, (b"content-length", b"%d" % len(body))] if body else fields
        head = b"".join(b"%s: %s\r\n" % field for field in sized)
        received = b"%s %s HTTP/1.1\r\n%s\r\n%s" % (method.encode(), path.encode(), head, body)
        wire = SimpleNamespace(scheme="http", received=received, written=written)
        sent = self.app.sent_at_once(method, path, fields, body, wire)
        if sent is None:
            return None
        first, *lines = sent.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        return Answer(int(first.split()[1]), headers, sent.partition(b"\r\n\r\n")[2])

    def get(self, path: str, **others: Any) -> Answer:
        """One GET."""
        return self.call("GET", path, **others)

    def post(self, path: str, body: Any = None, **others: Any) -> Answer:
        """One POST."""
        return self.call("POST", path, body, **others)


async def call(app: App, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """One request to an ASGI application, as a server would hand it over."""
    raw_path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
        "client": ("127.0.0.1", 50000),
        "http_version": "1.1",
        "root_path": "",
    }
    if body:
        scope["headers"].append((b"content-length", b"%d" % len(body)))  # type: ignore[attr-defined]
    sent: list[Any] = []
    coming = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not coming:
            await asyncio.Event().wait()  # as on a connection that nobody closes
        return coming.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    answered = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], answered, b"".join(m.get("body", b"") for m in sent[1:]))
