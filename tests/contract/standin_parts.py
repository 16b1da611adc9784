"""What the stand-in's modules share: requests, replies, the tables of drifts and troubles, tasks and their polls.

Nothing of `emulator` is used here, nor of the other tests' helpers: what the contract tests compare must not
come from one hand. Its facts are those of the recorded samples and of the providers' public sources.
"""

import json
import math
import time  # noqa: TID251 - a real provider has the real time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, Self

PROVIDERS: Final = ("acedata-sora", "acedata-veo", "octopusx", "ezmodel")
PROFILES: Final = ("documented", "current")

DRIFTS: Final[Mapping[str, str]] = {
    "renamed-field": "Polls say videoUrl (octopusx), video_url (ezmodel) or data[].url (AceData) for the link.",
    "removed-field": "Polls have no size (octopusx), no completed_at (ezmodel), no credential_id (AceData).",
    "added-field": 'Polls have a new member, "queue_position": 3, at the top of the task or record.',
    "new-word": 'A poll of a running task says "rendering"; AceData\'s data[].state is "done".',
    "status-code": "A poll of an unknown task is 410 with the same body; AceData's is an error, 404 not_found.",
    "null-member": "error is null on a healthy octopusx and an unfinished ezmodel task; so is AceData's response.",
    "number-for-text": "On polls seconds is a number; AceData's created_at is a text.",
    "link-dies-early": "A link answers 403 from `dies_early_after` seconds after completion on, whatever it announced.",
    "link-dead": "A link answers 403 from the start.",
    "link-lives-on": "A link works after it said that it would be dead.",
    "short-range": "A link answers a Range with its first half alone.",
    "no-range": "A link ignores Range and answers 200 with the whole.",
    "not-a-video": "A link answers 200 with an HTML page.",
    "header-gone": "No answer of the API has a request id among its headers.",
    "content-type": "JSON answers say text/plain.",
    "progress-falls": "The first poll of a running task says 60 per cent, the later ones 30. AceData says none.",
    "terminal-changes": "The third poll after the one that told a created task's completion says that it runs again.",
    "batch-dedupes": "An AceData batch has one entry for each distinct id.",
    "batch-sorts": "An AceData batch has its entries in the order of their ids.",
    "accepts-any-key": "Any key that isn't empty is good.",
    "accepts-no-key": "A request without Authorization is good.",
    "error-shape": 'Every error\'s body is {"message": "..."}.',
    "error-code": 'A wrong key\'s error code is "bad_api_key".',
}
"""What a stand-in may do otherwise than its samples, each with what exactly changes."""

NO_EFFECT: Final[Mapping[str, frozenset[str]]] = {
    "progress-falls": frozenset({"acedata-sora", "acedata-veo"}),
    "batch-dedupes": frozenset({"octopusx", "ezmodel"}),
    "batch-sorts": frozenset({"octopusx", "ezmodel"}),
}
"""The providers with which a drift changes nothing."""

TROUBLES: Final[Mapping[str, str]] = {
    "slow": "Every answer waits `slow_for` seconds.",
    "login-redirect": "Everything is 302 to /login, which is an HTML page.",
    "html": "Everything is 200 with a login page in HTML.",
    "rate-limits": "The first two requests of each path of the API are 429 with Retry-After: 1.",
    "rate-limits-forever": "Every request of the API is 429 with Retry-After: 1.",
    "refuses-key": "Every key is refused as a wrong one.",
    "lost-create": "A create makes its task, then the connection closes without an answer.",
    "resets": "Every connection is reset without an answer.",
    "not-mine": "The tasks that exist from the start answer as unknown ones.",
    "huge": "Every answer of the API is a JSON body of 50 MB.",
    "deep": "Every answer of the API is JSON nested 100,000 deep.",
    "not-utf8": "Every answer of the API is JSON with bytes that are no UTF-8.",
    "server-error": "Every poll is 500.",
}
"""What may be wrong with the whole provider, each with what comes instead of an answer."""

JSON_TYPE: Final = "application/json"
HTML_TYPE: Final = "text/html; charset=utf-8"
_BEFORE: Final = 120.0
"""Seconds from creation to the end, of a task that exists from the start: EzModel's sample has 120."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """A request that came. The path and the query are as they were sent, the headers' names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    """When, by `time.monotonic`."""


@dataclass(frozen=True)
class Reply:
    """An answer before the drifts of its headers."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, value: Any, content_type: str = JSON_TYPE) -> Self:
        """The answer with a value as JSON."""
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, content_type)


@dataclass(frozen=True)
class Call:
    """A request with what the answer needs besides: the key that it gave, and the answer's own id."""

    seen: Seen
    key: str
    mark: str
    """AceData: the trace id; gateway: the request id."""


class Operation(NamedTuple):
    """What a request asks for: `create`, `poll` or `content`, of which task where the path names it."""

    name: str
    id: str = ""


class Look(NamedTuple):
    """What a poll finds: the status, and the how manieth poll it is that finds it; 0 for one that has gone back."""

    status: str
    nth: int


@dataclass
class Task:
    """A task, as the stand-in knows it."""

    id: str
    created: float
    request: Json
    marks: dict[str, str]
    """What was drawn for it: `path` and `sig` of its link, and what its wire prints."""
    fixed: str = ""
    """The status that it always has; empty for one that polls move on."""
    ended: float | None = None
    polls: int = 0


@dataclass(frozen=True)
class Setup:
    """How a stand-in was asked to be."""

    provider: str
    profile: str
    key: str
    drift: frozenset[str]
    trouble: frozenset[str]
    ready_after: tuple[int, int]
    link_lives: float
    dies_early_after: float
    secrets: Mapping[str, str] | None
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        for given, known, what in (
            ((self.provider,), PROVIDERS, "provider"),
            ((self.profile,), PROFILES, "profile"),
            (self.drift, DRIFTS, "drift"),
            (self.trouble, TROUBLES, "trouble"),
        ):
            for name in given:
                if name not in known:
                    raise ValueError(f"no {what} is named {name!r}; known: {', '.join(known)}")

    @property
    def is_current(self) -> bool:
        """Whether the wire is that of the newest public clients rather than the documents'."""
        return self.profile == "current"

    def secret(self, name: str, otherwise: str) -> str:
        """The planted text of this name, else the other one."""
        return (self.secrets or {}).get(name, otherwise)

    def told(self, message: str, key: str = "") -> str:
        """An error's message; where secrets are planted, with the key that came and the planted text."""
        if self.secrets is None:
            return message
        return " ".join(filter(None, (message, key, self.secrets.get("message"))))

    def expiry(self, task: Task) -> int:
        """The whole second, since 1970, in which a finished task's link announces to die, and does."""
        assert task.ended is not None
        return int(task.ended) + math.ceil(self.link_lives)


class Shelf:
    """The tasks, in the order in which they were made."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._tasks: dict[str, Task] = {}

    def add(self, id: str, request: Json, marks: dict[str, str], fixed: str = "") -> Task:
        """A new task. One with a fixed status is two minutes old, and one that has ended did so just now."""
        now = self._setup.clock()
        ended = now if fixed in {"completed", "failed", "cancelled"} else None
        task = Task(id, now - _BEFORE if fixed else now, request, marks, fixed, ended)
        self._tasks[id] = task
        return task

    def all(self) -> list[Task]:
        """Every task that the caller may see."""
        return [
            task for task in self._tasks.values() if not (task.fixed and "not-mine" in self._setup.trouble)
        ]

    def find(self, value: str, mark: str = "") -> Task | None:
        """The task with this id, or with this value among its marks."""
        return next((t for t in self.all() if value == (t.marks.get(mark) if mark else t.id)), None)

    def poll(self, task: Task) -> Look:
        """What the task's next poll finds. It counts: polls are what moves a task on."""
        task.polls += 1
        look = self.peek(task)
        if look.status == "completed" and task.ended is None:
            task.ended = self._setup.clock()
        return look

    def peek(self, task: Task) -> Look:
        """What the last poll found."""
        if task.fixed:
            return Look(task.fixed, task.polls)
        nth = task.polls
        for status, polls in zip(("queued", "processing"), self._setup.ready_after, strict=True):
            if nth <= polls:
                return Look(status, nth)
            nth -= polls
        if "terminal-changes" in self._setup.drift and nth == 4:
            return Look("processing", 0)
        return Look("completed", nth)


class Wire(Protocol):
    """How a provider words things."""

    key_is_bare: bool
    """Whether a key may come without `Bearer`, and with or without its `sk-`."""
    request_id: str
    """The name of the header with the answer's id."""

    def mark(self) -> str:
        """A new id for an answer."""

    def headers(self, call: Call) -> dict[str, str]:
        """The headers of an answer of the API."""

    def operation(self, seen: Seen) -> Operation | None:
        """What a request asks for; ``None``: there is no such route."""

    def existing(self) -> dict[str, str]:
        """Make the tasks that exist from the start; their ids by name."""

    def perform(self, call: Call, operation: Operation) -> Reply:
        """The answer to a request whose key is good."""

    def refuse(self, call: Call, kind: str, operation: str = "") -> Reply:
        """An error, by the stand-in's own name for it."""

    def link_query(self, task: Task) -> str:
        """The query of a finished task's link, without the question mark."""

    def link_dies(self, task: Task) -> int | None:
        """When the link announces to die, in Unix seconds; ``None``: it doesn't."""


def renamed(value: Json, old: str, new: str) -> Json:
    """The object with one member's name changed, in its place."""
    return {new if name == old else name: member for name, member in value.items()}
