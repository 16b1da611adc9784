"""What Ace Data Cloud's two services, Sora and Veo, share: records and ids.

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
from emulator.core.call import Call, Create, Delete, Poll
from emulator.core.task import Task
from emulator.core.units import MILLISECOND, SECOND, Duration, Instant, as_datetime
from emulator.core.words import OperationName, Profile, Status
from emulator.providers.acedata_errors import failure, failure_status
from emulator.providers.acedata_requests import named_plainly, parse_poll
from emulator.providers.base import Inbound, Operation, View, Wire

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
    parse_create: Callable[[Inbound], Create]
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
            plain_poll=named_plainly,
            actions={OperationName.DELETE: (Profile.CURRENT,)},
        ),
        Operation(
            name=OperationName.CREATE,
            method="POST",
            path=f"/{service.folder}/videos",
            parse=service.parse_create,
            item=accepted,
            answer=create_answer,
            ended=partial(ended, service),
            line=partial(line, service),
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
    traced = _traced(task.id, account.trace_mask)
    # An id that an author wrote needn't be a UUID: such a task's trace id stands for nothing else.
    return traced or _masked(seeded.uuid4_text(task.entropy[_TASK_ID]), account.trace_mask)


def alias_of(name: str, account: Account) -> str | None:
    """The id of the task with this trace id, where the one can be computed from the other."""
    return _traced(name, account.trace_mask)


@lru_cache(maxsize=4096)
def _traced(name: str, mask: int) -> str | None:
    """The one id for the other, if it is a UUID. Kept, because polls ask for the same ones again."""
    return _masked(name, mask) if _is_uuid(name) else None


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
    trace = trace_id(task, account)
    printed: dict[str, Any] = {
        "_id": object_id(task),
        "id": task.id,
        "api_id": service.api_id,
        "application_id": account.application_id,
        "created_at": unix_seconds(task.created_at),
    }
    if view.profile is Profile.CURRENT:
        _add_times(printed, view)
    printed["credential_id"] = account.credential_id
    printed["request"] = orjson.Fragment(task.request)
    printed["trace_id"] = trace
    printed["type"] = "videos"
    printed["user_id"] = account.user_id
    if task.plan.values:
        _choose(printed, task.plan.values)
    response = _RESPONSES[view.snapshot.status](service, view, trace)
    if response is not None:
        printed["response"] = response
    return printed


def _choose(printed: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Let the record say what the scenario's author says of it."""
    for name, member in _CHOSEN:
        if name in values:
            printed[member] = values[name]


_CHOSEN: Final = (
    ("object_id", "_id"),
    *((name, name) for name in ("api_id", "application_id", "credential_id", "user_id")),
)


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


def finished_video(service: Service, view: View) -> dict[str, Any]:
    """The finished video as it stands in ``data``, short of its ``state``."""
    return service.video(view, _video_id(service, view))


def _succeeded(service: Service, view: View, trace: Any) -> dict[str, Any]:
    item = finished_video(service, view)
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
    if isinstance(call, Delete):
        # Fact sheet, web client: HTTP 200 also where nothing matched.
        return {"id": call.id, "deleted": bool(items)}
    if isinstance(call, Poll) and not call.is_batch:
        return items[0] if items else {}
    return {"items": list(items), "count": len(items)}


def accepted(view: View) -> dict[str, Any]:
    """The answer to a create with ``async`` or ``callback_url``: fact sheet, both guides, the id alone."""
    return {"task_id": view.task.id}


def create_answer(_call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any]:
    """The one item that there is."""
    return items[0]


# Creates that are held, and callbacks


def told(service: Service, view: View) -> dict[str, Any]:
    """The end of a task, as a callback tells it (fact sheet, public guides): the record's ``response``."""
    response = _RESPONSES[view.snapshot.status](service, view, trace_id(view.task, view.account))
    return response or {}


def ended(service: Service, view: View) -> Wire:
    """What a held create answers once the task has ended.

    Fact sheet, both guides: the finished videos, just as the record has them. No source shows one whose task failed:
    our choice is the error that documents/000 prints for a call, with the task's own trace id, and the status code
    that goes with the error's name.
    """
    body = told(service, view)
    if view.snapshot.status is Status.COMPLETED:
        return Wire(200, body)
    status_code = failure_status(view.snapshot.entry.failure, view.profile)
    return Wire(status_code, {name: body[name] for name in ("success", "error", "trace_id")})


def line(service: Service, view: View) -> dict[str, Any]:
    """One line of a streamed answer before the end.

    Fact sheet: that there are lines is all that is published; that they look like progress snapshots is inferred.
    """
    trace, word = trace_id(view.task, view.account), view.snapshot.entry.word
    item = {"id": _video_id(service, view), "state": word or _STATES[view.snapshot.status]}
    return {"task_id": view.task.id, "trace_id": trace, "data": [item]}


# Fact sheet, from the web client: what it takes for the states of an unfinished video.
_STATES: Final = {Status.QUEUED: "pending", Status.PROCESSING: "processing"}
