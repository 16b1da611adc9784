"""What Ace Data Cloud's two services, Sora and Veo, share: records, requests, ids, keys and errors.

Sources: documents/000 (Sora tasks) and documents/002 (Veo tasks); "fact sheet" marks what the
provider's public guides, specifications and clients show beyond them. What no source shows is
marked "our choice" here and in docs/providers/acedata.md.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final

import msgspec
import orjson

from emulator.core import seeded
from emulator.core.call import Call, Create, Listing, Poll, Refusal
from emulator.core.effects import Failure
from emulator.core.task import Task
from emulator.core.units import LAST_INSTANT, MILLISECOND, SECOND, Duration, Instant, as_datetime
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers.base import Headers, Inbound, Operation, Scene, View, Wire

BASE: Final = "/acedata"
HOSTS: Final = ("api.acedata.cloud",)

VALUE_NAMES: Final = (
    "object_id",
    "api_id",
    "application_id",
    "credential_id",
    "user_id",
    "trace_id",
    "video_id",
)
"""What a scenario's ``values`` may set of a task of either service. ``object_id`` is printed as ``_id``."""

MAX_BATCH: Final = 1000
"""Ids that one batch may name. Our choice: no limit is published, clients are told to stay below 50."""

# A task's entropy, cut up: each id has bytes of its own, so that none tells another. From byte 19 on they
# are the services'.
_TASK_ID: Final = slice(0, 16)
_OBJECT_ID: Final = slice(16, 19)


class Account(msgspec.Struct, frozen=True):
    """Who calls: the same for all tasks of a namespace."""

    user_id: str
    application_id: str
    credential_id: str
    trace_mask: int
    """XORed with a task's id it gives the trace id, and the other way round."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What the shared functions need to know of one service."""

    folder: str
    """The first segment of its paths."""
    api_id: str
    video_id: Callable[[Task], str]
    video: Callable[[View, str], dict[str, Any]]
    """The finished video as it stands in ``data``, short of its ``state``, from the view and the video's id."""


def operations(service: Service) -> tuple[Operation, ...]:
    """The rows of a service's table. Reads are ``POST`` too."""
    return (
        Operation(
            name=OperationName.POLL,
            method="POST",
            path=f"/{service.folder}/tasks",
            parse=parse_poll,
            item=partial(record, service),
            answer=poll_answer,
        ),
        Operation(
            name=OperationName.CREATE,
            method="POST",
            path=f"/{service.folder}/videos",
            parse=parse_create,
            item=accepted,
            answer=create_answer,
        ),
    )


# Ids


def account(service_name: str, namespace_key: bytes) -> Account:
    """The account of a namespace: one user, with an application and a credential for each service."""
    mask = int.from_bytes(seeded.draw(namespace_key, "acedata trace mask"), "big")
    return Account(
        # documents/000, documents/002: the same user_id in both, application and credential differ.
        user_id=seeded.uuid4_text(seeded.draw(namespace_key, "acedata user")),
        application_id=seeded.uuid4_text(seeded.draw(namespace_key, f"{service_name} application")),
        credential_id=seeded.uuid4_text(seeded.draw(namespace_key, f"{service_name} credential")),
        trace_mask=mask & _MASKABLE,
    )


_MASKABLE: Final = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
"""All bits of a UUID but its version and variant: a masked version 4 UUID is another one."""

_is_uuid: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


def new_id(entropy: bytes, _created_at: Instant, _account: Account) -> str:
    """A task's id: a UUID, as both documents show."""
    return seeded.uuid4_text(entropy[_TASK_ID])


def trace_id(task: Task, account: Account) -> Any:
    """What the task prints as ``trace_id``: what the author says, else what `alias_of` takes back to the id."""
    values = task.plan.values
    if "trace_id" in values:
        return values["trace_id"]
    # An id that an author wrote needn't be a UUID: such a task's trace id stands for nothing else.
    own = task.id if _is_uuid(task.id) else seeded.uuid4_text(task.entropy[_TASK_ID])
    return _masked(own, account.trace_mask)


def alias_of(name: str, account: Account) -> str | None:
    """The id of the task with this trace id, where the one can be computed from the other."""
    return _masked(name, account.trace_mask) if _is_uuid(name) else None


def alias(task: Task, account: Account) -> str | None:
    """The task's trace id where `alias_of` can't lead back from it to the task."""
    if "trace_id" not in task.plan.values and _is_uuid(task.id):
        return None
    name = trace_id(task, account)
    return name if isinstance(name, str) else None


def _masked(uuid: str, mask: int) -> str:
    digits = f"{int(uuid.replace('-', ''), 16) ^ mask:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def object_id(task: Task) -> str:
    """A MongoDB ObjectId: the second of creation, a machine's ten digits, six of the task's own."""
    # documents/000, documents/002: both print 550a4144a5 in the middle.
    second = (task.created_at // SECOND) & 0xFFFFFFFF
    return f"{second:08x}550a4144a5{task.entropy[_OBJECT_ID].hex()}"


def echo(_fields: Mapping[str, Any], _entropy: bytes) -> tuple[Any, ...]:
    """Nothing: the record prints the request itself."""
    return ()


# What a poll prints

_STARTS_AFTER: Final[Duration] = 60 * MILLISECOND
"""Fact sheet, newest guide's sample: ``started_at`` is 0.06 s after ``created_at``."""


def record(service: Service, view: View) -> dict[str, Any]:
    """One task as ``retrieve`` prints it, members in the documents' order."""
    task, account = view.task, view.account
    chosen = task.plan.values.get
    trace = trace_id(task, account)
    printed: dict[str, Any] = {
        "_id": chosen("object_id", object_id(task)),
        "id": task.id,
        "api_id": chosen("api_id", service.api_id),
        "application_id": chosen("application_id", account.application_id),
        "created_at": unix_seconds(task.created_at),
    }
    if view.profile is Profile.CURRENT:
        _add_times(printed, view)
    printed["credential_id"] = chosen("credential_id", account.credential_id)
    printed["request"] = orjson.Fragment(task.request)
    printed["trace_id"] = trace
    printed["type"] = "videos"
    printed["user_id"] = chosen("user_id", account.user_id)
    response = _RESPONSES[view.snapshot.status](service, view, trace)
    if response is not None:
        printed["response"] = response
    return printed


def unix_seconds(instant: Instant) -> float:
    """The instant as the records print it: seconds with three decimals, cut off."""
    return instant // MILLISECOND / 1000


@lru_cache(maxsize=4096)
def second_text(second: int) -> str:
    """A Unix second as ``2026-06-30T04:01:50``, in UTC. Kept, because polls ask for the same ones again."""
    return as_datetime(second * SECOND).isoformat()[:19]


def iso_milliseconds(instant: Instant) -> str:
    """The instant as ``2026-06-30T04:01:50.364Z``."""
    return f"{second_text(instant // SECOND)}.{instant // MILLISECOND % 1000:03}Z"


def _add_times(printed: dict[str, Any], view: View) -> None:
    """The three members of the newest records, which follow ``created_at`` (fact sheet, newest guide)."""
    started_at, ended_at = view.task.created_at + _STARTS_AFTER, view.snapshot.ended_at
    if ended_at is None:
        printed["started_at"] = unix_seconds(started_at)
        return
    # A task that ends within those 60 ms started when it ended: `elapsed` is never negative.
    started_at = min(started_at, ended_at)
    printed["started_at"] = unix_seconds(started_at)
    printed["finished_at"] = unix_seconds(ended_at)
    # From the printed instants, so that a client that subtracts them gets the same.
    printed["elapsed"] = (ended_at // MILLISECOND - started_at // MILLISECOND) / 1000


def _unfinished(service: Service, view: View, trace: Any) -> dict[str, Any] | None:
    """Nothing, as documented; with a `word` of the author's the snapshot that only clients show."""
    word = view.snapshot.entry.word
    if word is None:
        return None
    # Fact sheet, from client code: a response without `success` is a progress snapshot.
    item = {"id": _video_id(service, view), "state": word}
    return {"task_id": view.task.id, "trace_id": trace, "data": [item]}


def _succeeded(service: Service, view: View, trace: Any) -> dict[str, Any]:
    item = service.video(view, _video_id(service, view))
    word = view.snapshot.entry.word
    item["state"] = "succeeded" if word is None else word
    return {"success": True, "task_id": view.task.id, "trace_id": trace, "data": [item]}


def _failed(_service: Service, view: View, trace: Any) -> dict[str, Any]:
    """Fact sheet, public guide: HTTP 200, ``success`` false and the error, as a callback has it."""
    told = view.snapshot.entry.failure
    code, message = failure(told, view.profile)
    shaped = message if told is not None and told.shape == "string" else {"code": code, "message": message}
    return {"success": False, "task_id": view.task.id, "trace_id": trace, "error": shaped}


def _cancelled(_service: Service, view: View, trace: Any) -> dict[str, Any]:
    # Our choice; fact sheet: `canceled` is a code that clients know.
    error = {"code": "canceled", "message": "The task was canceled."}
    return {"success": False, "task_id": view.task.id, "trace_id": trace, "error": error}


_RESPONSES: Final[dict[Status, Callable[[Service, View, Any], dict[str, Any] | None]]] = {
    Status.QUEUED: _unfinished,
    Status.PROCESSING: _unfinished,
    Status.COMPLETED: _succeeded,
    Status.FAILED: _failed,
    Status.CANCELLED: _cancelled,
}


def _video_id(service: Service, view: View) -> Any:
    video, values = view.snapshot.entry.video, view.task.plan.values
    if video is not None and video.id is not None:
        return video.id
    return values["video_id"] if "video_id" in values else service.video_id(view.task)


def printed_link(view: View) -> str:
    """What ``video_url`` says. Our choice: a video without a link keeps the member, as an empty string."""
    return "" if view.link is None else view.link


def poll_answer(call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any]:
    """One record, or ``{}`` for an unknown id (fact sheet, public specification); a batch with its count."""
    if isinstance(call, Poll) and not call.is_batch:
        return items[0] if items else {}
    return {"items": list(items), "count": len(items)}


def accepted(view: View) -> dict[str, Any]:
    """The answer to a create with ``async`` or ``callback_url``: fact sheet, both guides, the id alone."""
    return {"task_id": view.task.id}


def create_answer(_call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any]:
    """The one item that there is."""
    return items[0]


# What clients send


class _Mistake(Exception):
    """The body isn't what the operation takes. The message is for the client."""

    def __init__(self, message: str, name: ErrorName | Situation = ErrorName.BAD_REQUEST) -> None:
        super().__init__(message)
        self.refusal = Refusal(name, message)


def parse_create(inbound: Inbound) -> Create:
    """A create: any JSON object will do; what its members say isn't judged."""
    try:
        return Create(fields=_object(inbound))
    except _Mistake as mistake:
        return Create(fields={}, refusal=mistake.refusal)


def parse_poll(inbound: Inbound) -> Poll | Listing:
    """A query for one task, for a batch, or (profile ``current``) for the caller's own tasks."""
    try:
        fields = _object(inbound)
        return _reader(fields.get("action"))(fields, inbound.profile)
    except _Mistake as mistake:
        return Poll(ids=(), refusal=mistake.refusal)


def _object(inbound: Inbound) -> Mapping[str, Any]:
    if inbound.broken is not None:
        raise _Mistake(inbound.broken, Situation.BROKEN_BODY)
    if not isinstance(inbound.fields, Mapping):
        raise _Mistake(f"expected a JSON object as the body, got {_kind(inbound.fields)}")
    return inbound.fields


def _reader(action: Any) -> Callable[[Mapping[str, Any], Profile], Poll | Listing]:
    """What reads the body of an ``action``. Fact sheet: without one it is ``retrieve``; null counts as without."""
    if action is None or action == "retrieve":
        return _retrieve
    if action == "retrieve_batch":
        return _retrieve_batch
    told = repr(action[:50]) if isinstance(action, str) else _kind(action)
    raise _Mistake(f"action: expected retrieve or retrieve_batch, got {told}", ErrorName.NOT_IMPLEMENTED)


def _retrieve(fields: Mapping[str, Any], profile: Profile) -> Poll:
    # Fact sheet: where both are given trace_id wins.
    for name in ("trace_id", "id"):
        value = fields.get(name)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise _Mistake(f"{name}: expected a string, got {_kind(value)}")
        return Poll(ids=(value,), by_alias=name == "trace_id")
    if profile is Profile.CURRENT:
        return Poll(ids=())
    raise _missing("id", "the task's id as a string", _HINTS_FOR_ID, fields)


def _retrieve_batch(fields: Mapping[str, Any], profile: Profile) -> Poll | Listing:
    for name in ("trace_ids", "ids"):
        if fields.get(name) is not None:
            ids = _ids(name, fields[name])
            if profile is Profile.CURRENT:
                ids = _page(ids, fields)
            return Poll(ids=ids, by_alias=name == "trace_ids", is_batch=True)
    if profile is Profile.CURRENT:
        return _listing(fields)
    raise _missing("ids", "a list of the tasks' ids", _HINTS_FOR_IDS, fields)


_HINTS_FOR_ID: Final = {
    "ids": "ids goes with the action retrieve_batch",
    "task_id": "task_id is called id here",
}
_HINTS_FOR_IDS: Final = {"id": "id goes with the action retrieve"}


def _missing(name: str, wanted: str, hints: Mapping[str, str], fields: Mapping[str, Any]) -> _Mistake:
    hint = next((f" ({text})" for other, text in hints.items() if other in fields), "")
    return _Mistake(f"{name}: expected {wanted}, got none{hint}")


def _ids(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _Mistake(f"{name}: expected a list of strings, got {_kind(value)}")
    if len(value) > MAX_BATCH:
        wanted = f"at most {MAX_BATCH:,} ids"
        raise _Mistake(f"{name}: expected {wanted}, got {len(value):,}; ask in several batches")
    for number, item in enumerate(value, 1):
        if not isinstance(item, str):
            raise _Mistake(f"{name}: expected a list of strings, got {_kind(item)} as item {number}")
    return tuple(value)


# Filters and pages: fact sheet, newest public specification; the documents show none.

_DEFAULT_LIMIT: Final = 12
_FARTHEST: Final = 1_000_000_000
"""No namespace keeps more tasks than an offset may skip."""
_LAST_SECOND: Final = LAST_INSTANT // SECOND


def _page(ids: tuple[str, ...], fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the page asked for. Only a ``limit`` that was sent cuts: its default is for lists."""
    if not _asks_for_videos(fields):
        return ()
    offset = _whole("offset", fields, 0, least=0)
    return ids[offset : offset + _whole("limit", fields, MAX_BATCH, least=1)]


def _listing(fields: Mapping[str, Any]) -> Listing:
    limit = _whole("limit", fields, _DEFAULT_LIMIT, least=1)
    oldest, newest = _second("created_at_min", fields), _second("created_at_max", fields)
    return Listing(
        limit=min(limit, MAX_BATCH) if _asks_for_videos(fields) else 0,
        offset=min(_whole("offset", fields, 0, least=0), _FARTHEST),
        created_from=oldest,
        # Inclusive, and what is printed is cut to milliseconds: the whole millisecond counts.
        created_to=None if newest is None else newest + MILLISECOND - 1,
    )


def _asks_for_videos(fields: Mapping[str, Any]) -> bool:
    """Whether ``type`` leaves anything: every task of the two services is of type ``videos``."""
    return fields.get("type") in (None, "", "videos")


def _whole(name: str, fields: Mapping[str, Any], default: int, least: int) -> int:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _Mistake(f"{name}: expected a whole number of {least} or more, got {_told(value)}")
    return value


def _second(name: str, fields: Mapping[str, Any]) -> Instant | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise _Mistake(f"{name}: expected a date in seconds since 1970, got {_told(value)}")
    return round(value * 1000) * MILLISECOND


def _told(value: Any) -> str:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _kind(value)


_KINDS: Final = {
    type(None): "null",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    list: "a list",
}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "an object")


def key(header: bytes | None, _profile: Profile) -> str | ErrorName:
    """The token in ``Bearer <token>``, or what is wrong with the header."""
    if header is None:
        return ErrorName.NO_TOKEN
    words = header.split()
    if len(words) != 2 or words[0].lower() != b"bearer":
        return ErrorName.INVALID_TOKEN
    return words[1].decode("latin-1")


# What a create asks for, read without trust: any JSON value may stand anywhere


def text_in(fields: Mapping[str, Any], name: str) -> str:
    """The text of a member, ``""`` where there is none."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def seconds_in(fields: Mapping[str, Any], name: str, default: int) -> int:
    """The positive whole number of seconds that a member says, as a number or as text; else ``default``."""
    value = fields.get(name)
    if isinstance(value, str) and len(value) <= 4 and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 3600:
        return default
    return int(value)


# Errors


class Words(msgspec.Struct, frozen=True):
    """How one error is worded."""

    status_code: int
    code: str
    message: str
    task_code: str | None = None
    """The code that it has inside a failed task, where `code` speaks of the call."""


# Messages: fact sheet, examples of the public specifications. The documents list codes and say what each
# is for, and print one message: "fetch failed".
_API_ERROR: Final = Words(500, "api_error", "fetch failed")
_INVALID_TOKEN: Final = Words(401, "invalid_token", "The specified token is invalid or wrong.")
_NOT_IMPLEMENTED: Final = Words(400, "api_not_implemented", "The API is not implemented.")
_TOKEN_MISMATCHED: Final = Words(400, "token_mismatched", "The specified token is not matched with API.")
_RATE_LIMITED: Final = Words(429, "too_many_requests", "You have exceeded the rate limit.")
# Fact sheet: status and code from the public guides; the documents name nothing for a path that isn't there.
_NO_API: Final = Words(404, "no_api", "API does not exist, please make sure url is correct.")
_REFUSED: Final = "The prompt was refused by content moderation."  # our choice: no source prints a message
_NO_SUCH_TASK: Final = "The task does not exist."  # our choice
_USED_UP: Final = (
    "Your balance is not sufficient for current request, please buy more in Ace Data Cloud."  # fact sheet
)
_DISABLED: Final = (  # fact sheet
    "Your application has been disabled by Ace Data Cloud due to abnormal usage behavior, "
    "please contact our support to get more information."
)
# documents/000, documents/002: what they say 400 token_mismatched is for.
_PARAMETERS: Final = "Bad request, possibly due to missing or invalid parameters."


def _bad_call(message: str = _PARAMETERS) -> Words:
    return Words(400, "token_mismatched", message, task_code="api_error")


_DOCUMENTED: Final[Mapping[ErrorName | Situation, Words]] = {
    # The documents list five codes, so every name takes the nearest of these five.
    ErrorName.NO_TOKEN: Words(401, "invalid_token", "No token specified for the request."),
    ErrorName.INVALID_TOKEN: _INVALID_TOKEN,
    ErrorName.TOKEN_EXPIRED: Words(401, "invalid_token", "token expired."),
    ErrorName.TOKEN_MISMATCHED: _TOKEN_MISMATCHED,
    ErrorName.FORBIDDEN: Words(401, "invalid_token", _DISABLED),
    ErrorName.INSUFFICIENT_QUOTA: Words(429, "too_many_requests", _USED_UP),
    ErrorName.BAD_REQUEST: _bad_call(),
    ErrorName.NOT_IMPLEMENTED: _NOT_IMPLEMENTED,
    ErrorName.NOT_FOUND: _bad_call(_NO_SUCH_TASK),
    ErrorName.CONTENT_REJECTED: _bad_call(_REFUSED),
    ErrorName.RATE_LIMITED: _RATE_LIMITED,
    ErrorName.INTERNAL: _API_ERROR,
    ErrorName.BAD_GATEWAY: _API_ERROR,
    ErrorName.UNAVAILABLE: _API_ERROR,
    ErrorName.TIMEOUT: _API_ERROR,
    Situation.NO_ROUTE: _NO_API,
    # AceData has no route for a result's bytes; worded all the same, so that no table has a gap.
    Situation.NOT_READY: _bad_call(),
    Situation.MEDIA_GONE: _bad_call(),
    Situation.TOO_LARGE: _bad_call(),
    Situation.BROKEN_BODY: _bad_call(),
}

_BAD_REQUEST: Final = Words(400, "bad_request", _PARAMETERS)

_CURRENT: Final[Mapping[ErrorName | Situation, Words]] = {
    # Fact sheet: the full list of the public guides and specifications.
    **_DOCUMENTED,
    ErrorName.NO_TOKEN: Words(400, "no_token", "No token specified for the request."),
    ErrorName.TOKEN_EXPIRED: Words(401, "token_expired", "token expired."),
    # The sources disagree on 400 or 403 for `disabled`; the newest guide has 403.
    ErrorName.FORBIDDEN: Words(403, "disabled", _DISABLED),
    ErrorName.INSUFFICIENT_QUOTA: Words(403, "used_up", _USED_UP),
    ErrorName.BAD_REQUEST: _BAD_REQUEST,
    # An unknown task is `{}`: the one 404 that the sources have speaks of the path.
    ErrorName.NOT_FOUND: Words(404, "no_api", _NO_API.message, task_code="api_error"),
    ErrorName.CONTENT_REJECTED: Words(403, "forbidden", _REFUSED),
    ErrorName.TIMEOUT: Words(504, "timeout", "render exceeded timeout"),
    Situation.NOT_READY: _BAD_REQUEST,
    Situation.MEDIA_GONE: _BAD_REQUEST,
    Situation.TOO_LARGE: _BAD_REQUEST,
    Situation.BROKEN_BODY: _BAD_REQUEST,
}

WORDS: Final[Mapping[Profile, Mapping[ErrorName | Situation, Words]]] = {
    Profile.DOCUMENTED: _DOCUMENTED,
    Profile.CURRENT: _CURRENT,
}


def refuse(refusal: Refusal, scene: Scene) -> Wire:
    """Any refusal in the provider's words. The trace id is the exchange's own, as in ``x-request-id``."""
    words = WORDS[scene.profile][refusal.name]
    # documents/000, documents/002 print `success` in the one error that they show. Fact sheet: the
    # gateway's errors have none, those of the workers behind it (api_error) do.
    has_success = scene.profile is Profile.DOCUMENTED or words.code == "api_error"
    body: dict[str, Any] = {"success": False} if has_success else {}
    body["error"] = {
        "code": words.code if refusal.code is None else refusal.code,
        "message": words.message if refusal.message is None else refusal.message,
    }
    body["trace_id"] = seeded.uuid4_text(scene.entropy[:16])
    return Wire(words.status_code, body)


def failure(told: Failure | None, profile: Profile) -> tuple[str, str]:
    """Code and message of a failed task: ``api_error``, "fetch failed", unless the author says otherwise."""
    if told is None:
        return _API_ERROR.code, _API_ERROR.message
    words = WORDS[profile][told.name or ErrorName.INTERNAL]
    code = told.code if told.code is not None else words.task_code or words.code
    return code, words.message if told.message is None else told.message


_SHARED_HEADERS: Final = (
    # Inferred: the provider's web client calls the service from a browser, and reads x-request-id.
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-request-id"),
)


def headers(scene: Scene) -> Headers:
    """What every answer carries. Fact sheet, inferred: ``x-request-id`` equals an error's trace id."""
    request_id = (b"x-request-id", seeded.uuid4_text(scene.entropy[:16]).encode())
    return (request_id, *_SHARED_HEADERS)
