"""OctopusX's and EzModel's wire for the stand-in: the video object, and the errors of the gateway behind them."""

import json
import math
import re
import uuid
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, urlencode

from tests.contract.standin_media import MP4_TYPE, VIDEO
from tests.contract.standin_parts import (
    JSON_TYPE,
    Call,
    Json,
    Look,
    Operation,
    Reply,
    Seen,
    Setup,
    Shelf,
    Task,
    renamed,
)

_PATHS: Final = (
    ("poll", re.compile(r"/v1/videos/([^/]+)")),
    ("content", re.compile(r"/v1/videos/([^/]+)/content")),
)
_BUILD: Final = "5f3a91c7"
_DAY: Final = 86400

_WORDS: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("octopusx", "documented"): {},
    ("ezmodel", "documented"): {"queued": "pending"},
    ("octopusx", "current"): {"processing": "in_progress"},
    ("ezmodel", "current"): {"processing": "in_progress"},
}
"""The words that differ from the stand-in's own."""
_STORED: Final = {
    "queued": "QUEUED",
    "processing": "IN_PROGRESS",
    "failed": "FAILURE",
    "cancelled": "FAILURE",
}
"""The gateway's own words, in the message of a download that isn't ready."""
_PROGRESS: Final = {
    "octopusx": {"queued": 0, "processing": 42, "completed": 100, "failed": 100, "cancelled": 42},
    "ezmodel": {"queued": 0, "processing": 45, "completed": 100, "failed": 0},
}
_DEFAULTS: Final[dict[str, Json]] = {
    "octopusx": {"model": "sora-2", "seconds": 10, "size": "720x1280"},
    "ezmodel": {"model": "sora-1.0", "seconds": 10, "size": "1920x1080"},
}
_FAILURE: Final = {
    "message": "Content policy violation: inappropriate content detected",
    "code": "content_policy_violation",
}
_RENAMED: Final = {"octopusx": ("video_url", "videoUrl"), "ezmodel": ("url", "video_url")}
_REMOVED: Final = {"octopusx": "size", "ezmodel": "completed_at"}

_DOCUMENTED: Final[dict[str, tuple[int, str, str]]] = {
    "no_route": (404, "Invalid URL ({method} {path})", "invalid_url"),
    "not_completed": (400, "Task is not completed yet, current status: {word}", "task_not_completed"),
    "rate_limited": (429, "Too many requests", "rate_limit_exceeded"),
    "internal": (500, "Internal server error", "internal_error"),
    "bad_body": (400, "Invalid request", "invalid_request"),
    "no_prompt": (400, "prompt is required", "invalid_request"),
    "gone": (502, "Upstream service returned status 403", "bad_gateway"),
}
"""Status code, message and code."""
_OWN: Final[dict[str, dict[str, tuple[int, str, str]]]] = {
    "octopusx": {
        "no_key": (401, "Invalid token", "invalid_token"),
        "wrong_key": (401, "Invalid token", "invalid_token"),
        "unknown": (404, "Task not found", "task_not_exist"),
    },
    "ezmodel": {
        "no_key": (401, "Invalid API key", "invalid_api_key"),
        "wrong_key": (401, "Invalid API key", "invalid_api_key"),
        "unknown": (404, "Video task not found", "task_not_found"),
    },
}
_CURRENT: Final[dict[str, tuple[int, str, str, str]]] = {
    "no_key": (401, "Invalid token", "", "middleware"),
    "wrong_key": (401, "Invalid token", "", "middleware"),
    "bad_body": (400, "Invalid request: unreadable JSON", "", "middleware"),
    "rate_limited": (429, "Too many requests", "", "middleware"),
    "rate_limited_create": (429, "The upstream's group is saturated", "fail_to_fetch_task", "task"),
    "unknown": (400, "task_not_exist", "task_not_exist", "task"),
    "no_prompt": (400, "prompt is required", "invalid_request", "task"),
    "internal": (500, "The task could not be looked up", "get_task_failed", "task"),
    "unknown_content": (404, "Task not found", "", "content"),
    "not_completed": (400, "Task is not completed yet, current status: {word}", "", "content"),
    "gone": (502, "Upstream service returned status 403", "", "content"),
    "no_route": (404, "Invalid URL ({method} {path})", "", "route"),
}
"""Status code, message, code and family. A row for an operation goes before the general one."""


class Gateway:
    """The wire of `octopusx` or `ezmodel`."""

    request_id = "X-Oneapi-Request-Id"

    def __init__(self, setup: Setup, shelf: Shelf, base: str) -> None:
        self._setup = setup
        self._shelf = shelf
        self._base = base
        self._name = setup.provider
        self.key_is_bare = setup.is_current

    def mark(self) -> str:
        """A new request id: the second, nine digits below it, the build, eight drawn digits."""
        now = datetime.fromtimestamp(self._setup.clock(), UTC)
        return f"{now:%Y%m%d%H%M%S}{now.microsecond * 1000:09d}{_BUILD}{_hex()[:8]}"

    def headers(self, call: Call) -> dict[str, str]:
        """The headers of every answer."""
        fixed = {"X-New-Api-Version": "v1.0.0-rc.21", "access-control-allow-origin": "*"}
        return {self.request_id: call.mark, **fixed}

    def operation(self, seen: Seen) -> Operation | None:
        """A create, a poll or a download."""
        if seen.method == "POST" and seen.path == "/v1/videos":
            return Operation("create")
        for name, path in _PATHS:
            found = path.fullmatch(seen.path)
            if found and seen.method == "GET":
                return Operation(name, unquote(found[1]))
        return None

    def existing(self) -> dict[str, str]:
        """A task for each status; `cancelled` is a word of OctopusX's document alone."""
        names = ["queued", "processing", "completed", "failed"]
        if self._name == "octopusx" and not self._setup.is_current:
            names.append("cancelled")
        return {name: self._made({}, name).id for name in names}

    def perform(self, call: Call, operation: Operation) -> Reply:
        """The answer to a create, a poll or a download."""
        if operation.name == "create":
            return self._created(call)
        task = self._shelf.find(operation.id)
        if operation.name == "content":
            return self._content(call, task)
        if task is None:
            return self._unknown(call)
        look = self._shelf.poll(task)
        return Reply.of(200, self._drifted(self._video(task, look), look))

    def refuse(self, call: Call, kind: str, operation: str = "", word: str = "") -> Reply:
        """An error in the profile's form."""
        if self._setup.is_current:
            row = _CURRENT.get(f"{kind}_{operation}") or _CURRENT[kind]
        else:
            row = (*(_DOCUMENTED | _OWN[self._name])[kind], "documented")
        status, message, code, family = row
        message = message.format(method=call.seen.method, path=call.seen.path, word=word)
        message = self._setup.told(message, call.key)
        if kind == "wrong_key" and "error-code" in self._setup.drift:
            code = "bad_api_key"
        return Reply.of(status, self._worded(family, message, code, status, call.mark), self._json())

    def link_query(self, task: Task) -> str:
        """A signature; when the link dies stands in the task."""
        return urlencode({"sig": task.marks["sig"]})

    def link_dies(self, task: Task) -> int:
        """The task's `expires_at`."""
        return self._setup.expiry(task)

    # Operations

    def _created(self, call: Call) -> Reply:
        try:
            asked = _fields(call.seen)
        except ValueError:
            return self.refuse(call, "bad_body")
        # EzModel's older create page, the documents' time, has an optional prompt.
        needs_prompt = self._name == "octopusx" or self._setup.is_current
        if needs_prompt and asked is not None and not str(asked.get("prompt") or "").strip():
            return self.refuse(call, "no_prompt")
        video = self._video(self._made(asked or {}), Look("queued", 0))
        names = ["id", "object", "model", "status", "progress", "created_at", "seconds"]
        created = {name: video[name] for name in names}
        if self._name == "octopusx":
            created = {"id": video["id"], "task_id": video["id"]} | created | {"size": video["size"]}
        return Reply.of(200, created, self._json())

    def _content(self, call: Call, task: Task | None) -> Reply:
        if task is None:
            return self.refuse(call, "unknown", "content")
        status = self._shelf.peek(task).status
        if status != "completed" or task.ended is None:
            word = _STORED[status] if self._setup.is_current else self._word(status)
            return self.refuse(call, "not_completed", "content", word)
        if self._setup.clock() >= self._setup.expiry(task):
            return self.refuse(call, "gone", "content")
        return Reply(200, VIDEO, MP4_TYPE, {"Cache-Control": "public, max-age=86400"})

    def _unknown(self, call: Call) -> Reply:
        reply = self.refuse(call, "unknown", "poll")
        if "status-code" in self._setup.drift:
            return Reply(410, reply.body, reply.content_type)
        return reply

    def _made(self, request: Json, fixed: str = "") -> Task:
        id = {"octopusx": f"video_{_hex()}", "ezmodel": f"vid_{_hex()[:16]}"}[self._name]
        marks = {"path": f"/videos/{id}.mp4", "sig": self._setup.secret("link", _hex())}
        return self._shelf.add(id, request, marks, fixed)

    # The video object

    def _video(self, task: Task, look: Look) -> Json:
        made = self._octopusx if self._name == "octopusx" else self._ezmodel
        given, otherwise = task.request, _DEFAULTS[self._name]
        head = {
            "id": task.id,
            "object": "video",
            "model": given.get("model") or otherwise["model"],
            "status": self._word(look.status),
            "progress": self._progress(look),
            "created_at": int(task.created),
        }
        seconds = _number(given.get("seconds", given.get("duration")), otherwise["seconds"])
        return made(task, look, head, {"seconds": seconds, "size": given.get("size") or otherwise["size"]})

    def _octopusx(self, task: Task, look: Look, head: Json, asked: Json) -> Json:
        """All 13 members, whatever the status."""
        is_done = look.status == "completed"
        return head | {
            "completed_at": int(task.ended or 0) if is_done else 0,
            "expires_at": self._setup.expiry(task) if is_done else int(task.created) + _DAY,
            "seconds": str(int(asked["seconds"])),
            "size": asked["size"],
            "remixed_from_video_id": "",
            "error": self._failure() if look.status == "failed" else {"message": "", "code": ""},
            "video_url": self._url(task) if is_done else "",
        }

    def _ezmodel(self, task: Task, look: Look, head: Json, asked: Json) -> Json:
        """The members of the status; what isn't there is absent."""
        video = head
        if look.status == "completed":
            video |= {"completed_at": int(task.ended or 0), "expires_at": self._setup.expiry(task)}
        video["seconds"] = str(float(asked["seconds"]))
        if look.status == "failed":
            return video | {"error": self._failure()}
        video["size"] = asked["size"]
        if look.status == "completed":
            video["url"] = self._url(task)
        metadata = {name: task.request.get(name, value) for name, value in (("fps", 30), ("seed", 12345))}
        return video | {"metadata": metadata}

    def _drifted(self, video: Json, look: Look) -> Json:
        drift = self._setup.drift
        if "removed-field" in drift:
            video.pop(_REMOVED[self._name], None)
        if "number-for-text" in drift:
            video["seconds"] = json.loads(video["seconds"])
        if "null-member" in drift and self._has_null_error(look):
            video["error"] = None
        if "renamed-field" in drift:
            video = renamed(video, *_RENAMED[self._name])
        if "added-field" in drift:
            video["queue_position"] = 3
        if "body" in (self._setup.secrets or {}):
            video["internal_token"] = self._setup.secret("body", "")
        return video

    def _has_null_error(self, look: Look) -> bool:
        return look.status in {"queued", "processing"} or (
            self._name == "octopusx" and look.status in {"completed", "cancelled"}
        )

    def _word(self, status: str) -> str:
        if status == "processing" and "new-word" in self._setup.drift:
            return "rendering"
        return _WORDS[self._name, self._setup.profile].get(status, status)

    def _progress(self, look: Look) -> int:
        if look.status != "processing":
            return _PROGRESS[self._name][look.status]
        if look.nth == 0:  # what was done stays done, though the status goes back
            return 100
        if "progress-falls" in self._setup.drift:
            return 60 if look.nth == 1 else 30
        return min(_PROGRESS[self._name]["processing"] + 15 * (look.nth - 1), 99)

    def _url(self, task: Task) -> str:
        return f"{self._base}{task.marks['path']}?{self.link_query(task)}"

    def _failure(self) -> Json:
        return _FAILURE | {"message": self._setup.told(_FAILURE["message"])}

    # Errors

    def _worded(self, family: str, message: str, code: str, status: int, mark: str) -> Json:
        if "error-shape" in self._setup.drift:
            return {"message": message}
        kind = "invalid_request_error" if status < 500 else "server_error"
        told = f"{message} (request id: {mark})"
        bodies: dict[str, Json] = {
            "documented": {"error": {"message": message, "code": code}},
            "middleware": {"error": {"code": code, "message": told, "type": "new_api_error"}},
            "task": {"code": code, "message": message, "data": None},
            "content": {"error": {"message": message, "type": kind}},
            "route": {"error": {"message": message, "type": kind, "param": "", "code": code}},
        }
        return bodies[family]

    def _json(self) -> str:
        """The content type of everything but the task query."""
        return f"{JSON_TYPE}; charset=utf-8" if self._setup.is_current else JSON_TYPE


def _fields(seen: Seen) -> Json | None:
    """A create's members; ``None`` for a form, which isn't read. Raises ``ValueError`` for what is no JSON object."""
    if "form" in seen.headers.get("content-type", ""):
        return None
    try:
        value: Any = json.loads(seen.body)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(value, dict):
        raise ValueError("no object")  # noqa: TRY004 - what came is wrong, not who called
    return value


def _number(value: object, otherwise: float) -> float:
    try:
        number = float(str(value))
    except ValueError:
        return otherwise
    return number if math.isfinite(number) else otherwise


def _hex() -> str:
    return uuid.uuid4().hex  # noqa: TID251 - a real provider's ids are drawn
