"""A client of the stand-ins for their own tests, and what is to be compared of an answer."""

import http.client
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from tests.contract.standin import StandIn

ACEDATA: Final = ("acedata-sora", "acedata-veo")
GATEWAY: Final = ("octopusx", "ezmodel")
KEY: Final = "sk-good-standin"
PATIENCE: Final = 20.0
NOBODY: Final = {"acedata-sora": "11111111-1111-4111-8111-111111111111", "octopusx": "video_nobody"}


class Answer(NamedTuple):
    """What came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def type(self) -> str:
        """The content type."""
        return self.headers.get("content-type", "")

    def json(self) -> Any:
        """The body as values."""
        return json.loads(self.body)


class Client:
    """One kept connection to a stand-in, and the words of its provider."""

    def __init__(self, stand_in: StandIn, provider: str) -> None:
        address = urlsplit(stand_in.url)
        assert address.hostname is not None
        self._http = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
        self._stand_in = stand_in
        self.is_acedata = provider in ACEDATA
        self.service = f"/{provider.removeprefix('acedata-')}"

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def ask(
        self,
        method: str,
        target: str,
        body: Any = None,
        *,
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; a body that is neither bytes nor an iterator of chunks goes as JSON."""
        if body is not None and not isinstance(body, bytes | Iterator):
            body = json.dumps(body).encode()
        named = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http.request(method, target, body, {**named, **(headers or {})})
        answer = self._http.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def poll(self, id: str, **others: Any) -> Answer:
        """A query for one task."""
        if self.is_acedata:
            return self.ask("POST", f"{self.service}/tasks", {"id": id, "action": "retrieve"}, **others)
        return self.ask("GET", f"/v1/videos/{id}", **others)

    def batch(self, *ids: str) -> Answer:
        """A query for several tasks."""
        return self.ask("POST", f"{self.service}/tasks", {"ids": ids, "action": "retrieve_batch"})

    def create(self, **others: Any) -> Answer:
        """A create of a small task."""
        path = f"{self.service}/videos" if self.is_acedata else "/v1/videos"
        return self.ask("POST", path, {"prompt": "a cat", "model": "m", "async": True}, **others)

    def created(self) -> str:
        """The id of a new task."""
        return str(self.create().json()["task_id" if self.is_acedata else "id"])

    def finished(self) -> str:
        """The id of a task that was made and polled to its end."""
        id = self.created()
        for _ in range(4):
            self.poll(id)
        return id

    def link(self, id: str, name: str = "") -> str:
        """A finished task's link."""
        found = self.poll(id).json()
        names = (name,) if name else ("video_url", "url", "videoUrl")
        if self.is_acedata:
            (found,) = found["response"]["data"]
        return next(str(found[name]) for name in names if name in found)

    def fetch(self, link: str, method: str = "GET", **headers: str) -> Answer:
        """What a link answers, without a key."""
        assert link.startswith(self._stand_in.url)
        return self.ask(method, link.removeprefix(self._stand_in.url), key=None, headers=headers)


class World:
    """Stand-ins with a client each, all closed in the end."""

    def __init__(self) -> None:
        self._open: list[tuple[StandIn, Client]] = []

    def start(self, provider: str, **options: Any) -> tuple[StandIn, Client]:
        """A stand-in and a client of it."""
        stand_in = StandIn(provider, **options)
        stand_in.__enter__()
        client = Client(stand_in, provider)
        self._open.append((stand_in, client))
        return stand_in, client

    def close(self) -> None:
        """Close all of them."""
        for stand_in, client in self._open:
            client.close()
            stand_in.__exit__()


def asked(client: Client, what: str) -> Answer:
    """A request with one thing wrong."""
    tasks, service = "/tasks", client.service
    requests: dict[str, tuple[str, str, Any, str | None]] = {
        "no key": (*_poll_of(client), None),
        "wrong key": (*_poll_of(client), "sk-wrong"),
        "unknown task": (*_poll_of(client), KEY),
        "broken body": ("POST", service + tasks, b"{", KEY),
        "no object": ("POST", service + tasks, [], KEY),
        "no id": ("POST", service + tasks, {"action": "retrieve"}, KEY),
        "no ids": ("POST", service + tasks, {"action": "retrieve_batch"}, KEY),
        "unknown action": ("POST", service + tasks, {"action": "delete"}, KEY),
        "no route": ("POST", "/nothing", {}, KEY) if client.is_acedata else ("GET", "/v1/nothing", None, KEY),
        "blank prompt": ("POST", "/v1/videos", {"prompt": " "}, KEY),
        "broken create": ("POST", "/v1/videos", b"{", KEY),
        "unknown content": ("GET", "/v1/videos/video_nobody/content", None, KEY),
    }
    method, target, body, key = requests[what]
    return client.ask(method, target, body, key=key)


def _poll_of(client: Client) -> tuple[str, str, Any]:
    """A poll of a task that isn't there."""
    if client.is_acedata:
        return "POST", f"{client.service}/tasks", {"id": NOBODY["acedata-sora"], "action": "retrieve"}
    return "GET", f"/v1/videos/{NOBODY['octopusx']}", None


TELLING: Final = {"status", "state", "progress", "code", "message", "success", "count", "queue_position"}
Facts = set[tuple[str, str]]


def facts(answer: Answer) -> Facts:
    """What is to be compared of an answer: names with types, and the values that don't differ from run to run."""
    found = {("status code", str(answer.status)), ("content type", answer.type)}
    found |= {("header", name) for name in answer.headers}
    if answer.body[:1] in {b"{", b"["}:
        found |= set(_members(answer.json(), "", ""))
    elif answer.body:
        found.add(("bytes", str(len(answer.body))))
    return found


def _members(value: Any, path: str, name: str) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        yield path, "object"
        for key, member in value.items():
            yield from _members(member, f"{path}.{key}", key)
    elif isinstance(value, list):
        yield path, f"list of {len(value)}"
        for member in value:  # an item of a batch counts as the record that it is
            yield from _members(member, "" if name == "items" else path, name)
    elif name in TELLING:
        yield path, re.sub(r"\(request id: \w+\)", "", repr(value))
    else:
        yield path, type(value).__name__
