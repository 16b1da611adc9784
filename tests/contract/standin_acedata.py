"""Ace Data Cloud's wire for the stand-in: Sora's and Veo's records, batches and errors."""

import json
import math
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import unquote, urlencode

from tests.contract.standin_parts import Call, Json, Look, Operation, Reply, Seen, Setup, Shelf, Task, renamed

_API_IDS: Final = {
    "sora": "54aed96c-0346-4227-8c99-9780247a7ffd",
    "veo": "52a0fa83-3c78-4793-b45a-c1a5c869ae46",
}
_REQUESTS: Final[dict[str, Json]] = {
    "sora": {
        "size": "large",
        "duration": 15,
        "orientation": "landscape",
        "prompt": "cat running on the river",
        "model": "sora-2",
        "image_urls": ["https://cdn.acedata.cloud/11wfp4.png"],
        "callback_url": "https://webhook.site/eb238c4f-da3b-47a5-a922-a93aa5405daa",
    },
    "veo": {
        "callback_url": "https://webhook.site/aed5cd28-f8aa-4dca-9480-8ec9b42137dc",
        "action": "text2video",
        "model": "veo2",
        "prompt": "A mug on a table, and a camera that goes round it.",
    },
}
"""What the samples' tasks were created with."""

_DOCUMENTED: Final = {
    "no_key": (401, "invalid_token", "No token was given."),
    "wrong_key": (401, "invalid_token", "The specified token is invalid or wrong."),
    "bad_body": (400, "token_mismatched", "The body lacks what the action needs."),
    "unknown_action": (400, "api_not_implemented", "The API is not implemented."),
    "no_route": (404, "no_api", "API does not exist, please make sure url is correct."),
    "rate_limited": (429, "too_many_requests", "You have exceeded the rate limit."),
    "internal": (500, "api_error", "fetch failed"),
    "not_found": (404, "not_found", "The task does not exist."),
}
_CURRENT: Final = _DOCUMENTED | {
    "no_key": (400, "no_token", "No token specified for the request."),
    "bad_body": (400, "bad_request", "The body lacks what the action needs."),
}
_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_LIST_LIMIT: Final = 12


class BadBody(Exception):
    """A query without what it needs."""


class AceData:
    """The wire of `acedata-sora` or `acedata-veo`."""

    key_is_bare = False
    request_id = "x-request-id"

    def __init__(self, setup: Setup, shelf: Shelf, base: str) -> None:
        self._setup = setup
        self._shelf = shelf
        self._base = base
        self._service = setup.provider.removeprefix("acedata-")
        self._caller = {
            name: setup.secret(name, _uuid()) for name in ("application_id", "credential_id", "user_id")
        }

    def mark(self) -> str:
        """A new trace id."""
        return _uuid()

    def headers(self, call: Call) -> dict[str, str]:
        """The headers of every answer."""
        return {self.request_id: call.mark, "access-control-allow-origin": "*"}

    def operation(self, seen: Seen) -> Operation | None:
        """Even reads are POSTs."""
        names = {f"/{self._service}/tasks": "poll", f"/{self._service}/videos": "create"}
        name = names.get(seen.path)
        return Operation(name) if name and seen.method == "POST" else None

    def existing(self) -> dict[str, str]:
        """Four tasks; the queued and the processing one look alike here."""
        request = _REQUESTS[self._service]
        request = request | {"prompt": self._setup.secret("prompt", request["prompt"])}
        return {
            name: self._made(request, name).id for name in ("queued", "processing", "completed", "failed")
        }

    def perform(self, call: Call, operation: Operation) -> Reply:
        """The answer to a query or a create."""
        try:
            asked = _object(call.seen.body)
            if operation.name == "create":
                return Reply.of(200, {"task_id": self._made(asked).id})
            return self._queried(call, asked)
        except BadBody:
            return self.refuse(call, "bad_body")

    def refuse(self, call: Call, kind: str, operation: str = "") -> Reply:
        """An error in the profile's form. Only `api_error` has `success` in both."""
        status, code, message = (_CURRENT if self._setup.is_current else _DOCUMENTED)[kind]
        message = self._setup.told(message, call.key)
        if "error-shape" in self._setup.drift:
            return Reply.of(status, {"message": message})
        if kind == "wrong_key" and "error-code" in self._setup.drift:
            code = "bad_api_key"
        has_success = code == "api_error" or not self._setup.is_current
        body = {"error": {"code": code, "message": message}, "trace_id": call.mark}
        return Reply.of(status, ({"success": False} if has_success else {}) | body)

    def link_query(self, task: Task) -> str:
        """Sora's is an Azure signature with its end in `se`; Veo's sample has none."""
        if self._service == "veo":
            planted = self._setup.secret("link", "")
            return urlencode({"sig": planted}) if planted else ""
        begins, ends = _azure(task.created), _azure(self._setup.expiry(task))
        query = {"st": begins, "se": ends, "sks": "b", "skt": begins, "ske": ends}
        query |= {"sktid": task.marks["sktid"], "skoid": task.marks["skoid"], "skv": "2019-02-02"}
        query |= {"sv": "2018-11-09", "sr": "b", "sp": "r", "spr": "https,http"}
        return urlencode(query | {"sig": task.marks["sig"], "az": "oaivgprodscus"})

    def link_dies(self, task: Task) -> int | None:
        """Sora's `se`; Veo's link announces nothing."""
        return self._setup.expiry(task) if self._service == "sora" else None

    # Queries

    def _queried(self, call: Call, asked: Json) -> Reply:
        action = asked.get("action", "retrieve")
        if action == "retrieve":
            return self._retrieved(call, asked)
        if action == "retrieve_batch":
            return self._batch(asked)
        return self.refuse(call, "unknown_action")

    def _retrieved(self, call: Call, asked: Json) -> Reply:
        mark, value = ("trace_id", asked["trace_id"]) if "trace_id" in asked else ("", asked.get("id"))
        if value is None and self._setup.is_current:
            return Reply.of(200, {})
        task = self._shelf.find(_text(value), mark)
        if task is not None:
            return Reply.of(200, self._record(task, self._shelf.poll(task)))
        if "status-code" in self._setup.drift:
            return self.refuse(call, "not_found")
        return Reply.of(200, {})

    def _batch(self, asked: Json) -> Reply:
        mark, values = ("trace_id", asked["trace_ids"]) if "trace_ids" in asked else ("", asked.get("ids"))
        if values is None and self._setup.is_current:
            return self._listed(asked)
        if not isinstance(values, list):
            raise BadBody
        found = [self._shelf.find(_text(value), mark) for value in values]
        tasks = [task for task in found if task is not None]
        if "batch-dedupes" in self._setup.drift:
            tasks = list({task.id: task for task in tasks}.values())
        if "batch-sorts" in self._setup.drift:
            tasks.sort(key=lambda task: task.id)
        # One query finds each task once, however often its id stands there.
        looks = {task.id: self._shelf.poll(task) for task in {task.id: task for task in tasks}.values()}
        items = [self._record(task, looks[task.id]) for task in tasks]
        return Reply.of(200, {"items": items, "count": len(items)})

    def _listed(self, asked: Json) -> Reply:
        """The caller's own tasks, newest first. Looking through them is no poll."""
        low, high = _amount(asked, "created_at_min", 0), _amount(asked, "created_at_max", math.inf)
        tasks = [task for task in self._shelf.all() if low <= task.created <= high]
        if asked.get("type", "videos") != "videos":
            tasks = []
        offset = min(_amount(asked, "offset", 0), len(tasks))
        limit = min(_amount(asked, "limit", _LIST_LIMIT), len(tasks))
        page = tasks[::-1][int(offset) : int(offset + limit)]
        items = [self._record(task, self._shelf.peek(task)) for task in page]
        return Reply.of(200, {"items": items, "count": len(tasks)})

    # Records

    def _made(self, request: Json, fixed: str = "") -> Task:
        id = _uuid()
        now = self._setup.clock()
        ulid = _ulid(now)
        paths = {"sora": _sora_path(ulid), "veo": f"/veo/{id}.mp4"}
        videos = {"sora": f"sora-2:task_{ulid}", "veo": uuid.uuid4().hex}  # noqa: TID251 - ids are drawn
        marks = {
            "path": unquote(paths[self._service]),
            "printed_path": paths[self._service],
            "sig": self._setup.secret("link", _uuid()),
            "sktid": _uuid(),
            "skoid": _uuid(),
            "trace_id": _uuid(),
            "video_id": videos[self._service],
            "tail": _uuid()[:6],
        }
        return self._shelf.add(id, request, marks, fixed)

    def _record(self, task: Task, look: Look) -> Json:
        has_ended = look.status in {"completed", "failed"}
        record: Json = {
            "_id": f"{int(task.created):08x}550a4144a5{task.marks['tail']}",
            "id": task.id,
            "api_id": _API_IDS[self._service],
            "application_id": self._caller["application_id"],
            "created_at": round(task.created, 3),
            **(_stamps(task, has_ended=has_ended) if self._setup.is_current else {}),
            "credential_id": self._caller["credential_id"],
            "request": task.request,
            "trace_id": task.marks["trace_id"],
            "type": "videos",
            "user_id": self._caller["user_id"],
        }
        if has_ended:
            record["response"] = self._response(task, look)
        return self._drifted(record)

    def _response(self, task: Task, look: Look) -> Json:
        ids = {"task_id": task.id, "trace_id": task.marks["trace_id"]}
        if look.status == "failed":
            error = {"code": "api_error", "message": self._setup.told("fetch failed")}
            return {"success": False, **ids, "error": error}
        query = self.link_query(task)
        video: Json = {
            "id": task.marks["video_id"],
            "video_url": f"{self._base}{task.marks['printed_path']}{'?' if query else ''}{query}",
            **(self._dates(task) if self._service == "veo" else {}),
            "state": "done" if "new-word" in self._setup.drift else "succeeded",
        }
        if "renamed-field" in self._setup.drift:
            video = renamed(video, "video_url", "url")
        return {"success": True, **ids, "data": [video]}

    def _dates(self, task: Task) -> Json:
        assert task.ended is not None
        write = _iso if self._setup.is_current else _china
        return {"created_at": write(task.created), "complete_at": write(task.ended)}

    def _drifted(self, record: Json) -> Json:
        drift = self._setup.drift
        if "removed-field" in drift:
            del record["credential_id"]
        if "added-field" in drift:
            record["queue_position"] = 3
        if "number-for-text" in drift:
            record["created_at"] = str(record["created_at"])
        if "null-member" in drift:
            record.setdefault("response", None)
        if "body" in (self._setup.secrets or {}):
            record["internal_token"] = self._setup.secret("body", "")
        return record


def _stamps(task: Task, *, has_ended: bool) -> Json:
    """The newer members of a record. The sample's start is 0.06 s after the creation."""
    started = round(task.created + 0.06, 3)
    if not has_ended or task.ended is None:
        return {"started_at": started}
    finished = round(max(task.ended, started), 3)
    return {"started_at": started, "finished_at": finished, "elapsed": round(finished - started, 3)}


def _object(body: bytes) -> Json:
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBody from None
    if not isinstance(value, dict):
        raise BadBody
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise BadBody
    return value


def _amount(asked: Json, name: str, otherwise: float) -> float:
    value = asked.get(name, otherwise)
    if not isinstance(value, int | float) or not value >= 0:  # a NaN neither
        raise BadBody
    return value


def _uuid() -> str:
    return str(uuid.uuid4())  # noqa: TID251 - a real provider's ids are drawn


def _ulid(now: float) -> str:
    number = int(now * 1000) << 80 | uuid.uuid4().int >> 48  # noqa: TID251 - likewise
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def _sora_path(ulid: str) -> str:
    task = f"task_{ulid}"
    name = f"{task}_genid_{_uuid()}_25_10_10_14_15_147334"
    return f"/gptimage/vg-assets/assets%2F{task}%2F{name}%2Fvideos%2F00000%2Fsrc.mp4"


def _azure(instant: float) -> str:
    return datetime.fromtimestamp(int(instant), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _iso(instant: float) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _china(instant: float) -> str:
    return datetime.fromtimestamp(instant, timezone(timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S")
