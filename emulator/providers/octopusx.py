"""OctopusX: ``GET /v1/videos/{task_id}`` as documents/001 shows it, and what stands around it.

Its page docs/providers/octopusx.md says of each detail where it comes from.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final

from emulator.core.call import Call, Create, Poll, Refusal
from emulator.core.effects import Failure
from emulator.core.task import Task
from emulator.core.units import SECOND, Instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers import octopusx_older, openai_routes, openai_sightings
from emulator.providers.base import Clip, Inbound, Operation, Provider, Scene, View, Wire
from emulator.providers.openai_requests import current_create
from emulator.providers.openai_style import (
    CONTENT_HEADERS,
    Name,
    Words,
    bearer_key,
    clip_of,
    content_call,
    failure_words,
    gateway_headers,
    gateway_refusal,
    named_in_path,
    plain_link,
    plain_link_dies_at,
    plain_storage_refusal,
    seconds_asked,
    text,
    variant,
    whole,
    wrapped_refusal,
)

# documents/001: "queued, processing, completed, failed, and cancelled".
_DOCUMENTED: Final = {status: status.value for status in Status}
# Fact sheet, gateway source: the words of OpenAI; a cancelled task is a failed one.
_CURRENT: Final = {
    Status.QUEUED: "queued",
    Status.PROCESSING: "in_progress",
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "failed",
}
_STATUSES: Final = {Profile.DOCUMENTED: _DOCUMENTED, Profile.CURRENT: _CURRENT}

# documents/001 shows no failed task: our choice.
_FAILURE: Final = ("task_failed", "Video generation failed")
_CANCELLED: Final = ("cancelled", "The task was cancelled")

_INVALID_REQUEST: Final = Words(400, "invalid_request", "Invalid request")
# documents/001 shows no error. Our choice: the shape of documents/003, the usual status codes, and the
# gateway's code and message where it has one of that name (fact sheet, gateway source).
_REFUSALS: Final[Mapping[Name, Words]] = {
    ErrorName.NO_TOKEN: Words(401, "invalid_token", "Invalid token"),
    ErrorName.INVALID_TOKEN: Words(401, "invalid_token", "Invalid token"),
    ErrorName.TOKEN_EXPIRED: Words(401, "token_expired", "Invalid token"),
    ErrorName.TOKEN_MISMATCHED: _INVALID_REQUEST,  # AceData's word for a bad request
    ErrorName.FORBIDDEN: Words(403, "access_denied", "Access denied"),
    ErrorName.INSUFFICIENT_QUOTA: Words(403, "insufficient_user_quota", "User quota is not enough"),
    ErrorName.BAD_REQUEST: _INVALID_REQUEST,
    ErrorName.NOT_IMPLEMENTED: Words(501, "not_implemented", "Not implemented"),
    ErrorName.NOT_FOUND: Words(404, "task_not_exist", "Task not found"),
    ErrorName.CONTENT_REJECTED: Words(400, "content_policy_violation", "Content policy violation"),
    ErrorName.RATE_LIMITED: Words(429, "rate_limit_exceeded", "Too many requests"),
    ErrorName.INTERNAL: Words(500, "internal_error", "Internal server error"),
    ErrorName.BAD_GATEWAY: Words(502, "bad_gateway", "Bad gateway"),
    ErrorName.UNAVAILABLE: Words(503, "service_unavailable", "Service unavailable"),
    ErrorName.TIMEOUT: Words(504, "gateway_timeout", "Gateway timeout"),
    Situation.NO_ROUTE: Words(404, "invalid_url", "Invalid URL ({method} {path})"),
    Situation.NOT_READY: Words(
        400, "task_not_completed", "Task is not completed yet, current status: {status}"
    ),
    Situation.MEDIA_GONE: Words(502, "bad_gateway", "Upstream service returned status 403"),
    Situation.TOO_LARGE: Words(413, "read_request_body_failed", "Request body too large"),
    Situation.BROKEN_BODY: Words(400, "invalid_request", "Invalid request"),
}

# What `Task.echo` holds, by the names that a scenario's values have.
_ECHOED: Final = ("model", "seconds", "size", "remixed_from_video_id")
# Fact sheet: OpenAI's defaults; OctopusX's pages name none.
_DEFAULTS: Final = ("sora-2", "4", "720x1280")


def _parse_poll(inbound: Inbound) -> Poll:
    # documents/001: its curl sends a body with a GET; the path alone counts.
    return Poll(ids=inbound.params)


def _parse_create(inbound: Inbound) -> Create:
    # Fact sheet, provider's page and gateway source: a prompt is required. The pages have sizes that the gateway's own
    # list lacks.
    return current_create(inbound, other_sizes=True)


def _video(view: View) -> dict[str, Any]:
    """documents/001: thirteen keys in this order whatever the status, zeros and empty strings included."""
    task, snapshot = view.task, view.snapshot
    status = snapshot.status
    model, seconds, size, remixed_from = _echoed(task)
    return {
        "id": task.id,
        "object": "video",
        "model": model,
        "status": snapshot.entry.word or _STATUSES[view.profile][status],
        "progress": snapshot.progress,
        "created_at": task.created_at // SECOND,
        "completed_at": (snapshot.ended_at or 0) // SECOND if status is Status.COMPLETED else 0,
        "expires_at": view.link_dies_at // SECOND,
        "seconds": seconds,
        "size": size,
        "remixed_from_video_id": remixed_from,
        "error": _error(view),
        "video_url": view.link or "",
    }


def _echoed(task: Task) -> tuple[Any, ...]:
    values = task.plan.values
    if not values:
        return task.echo
    return tuple(values.get(name, echoed) for name, echoed in zip(_ECHOED, task.echo, strict=True))


def _echoed_by_name(view: View) -> dict[str, Any]:
    return dict(zip(_ECHOED, _echoed(view.task), strict=True))


def _error(view: View) -> Any:
    """documents/001: an object on every task, its strings empty on one that hasn't failed."""
    failure = view.snapshot.entry.failure
    if view.snapshot.status is Status.FAILED:
        code, message = _failure(failure, view.profile)
    elif view.snapshot.status is Status.CANCELLED and view.profile is Profile.CURRENT:
        code, message = _CANCELLED
    else:
        return {"message": "", "code": ""}
    if failure is not None and failure.shape == "string":
        return message
    return {"message": message, "code": code}


def _created(view: View) -> dict[str, Any]:
    """Fact sheet, the provider's overview page: these nine keys; zeros are left out.

    Its Sora page shows seven, without ``task_id`` and ``seconds``; the gateway's own struct has the nine,
    and openai-python's ``Video`` wants ``seconds``.
    """
    model, seconds, size, _ = _echoed(view.task)
    snapshot = view.snapshot
    return {
        "id": view.task.id,
        "task_id": view.task.id,
        "object": "video",
        "model": model,
        "status": snapshot.entry.word or _STATUSES[view.profile][snapshot.status],
        "progress": snapshot.progress,
        "created_at": view.task.created_at // SECOND,
        "seconds": seconds,
        "size": size,
    }


def _remixed(view: View) -> dict[str, Any]:
    """Fact sheet, the provider's page on Veo: these keys in this order, the last one empty."""
    model, seconds, size, remixed_from = _echoed(view.task)
    snapshot = view.snapshot
    return {
        "id": view.task.id,
        "object": "video",
        "model": model,
        "status": snapshot.entry.word or _STATUSES[view.profile][snapshot.status],
        "progress": snapshot.progress,
        "created_at": view.task.created_at // SECOND,
        "size": size,
        "seconds": seconds,
        "remixed_from_video_id": remixed_from,
        "quality": "",
    }


def _answer(_call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any] | Refusal:
    return items[0] if items else Refusal(ErrorName.NOT_FOUND)


def _echo(fields: Mapping[str, Any], _entropy: bytes) -> tuple[Any, ...]:
    model, seconds, size = _DEFAULTS
    return _shared(
        text(fields.get("model")) or model,
        _seconds(fields) or seconds,
        _size(fields) or size,
        # A remix's request is kept with it. That a create which says it itself gets it too is our choice.
        text(fields.get("remixed_from_video_id")) or "",
    )


@lru_cache(maxsize=1024)
def _shared(*echoed: str) -> tuple[str, ...]:
    """The same tuple for the same values: tasks of one kind needn't each have their own."""
    return echoed


def _seconds(fields: Mapping[str, Any]) -> str | None:
    """documents/001: a whole number as a string."""
    asked = seconds_asked(fields)
    seconds = whole(asked)
    return asked if seconds is None else text(str(seconds))


def _size(fields: Mapping[str, Any]) -> str | None:
    # Fact sheet, the provider's pages: 720x1280, 16:9 and 720P are printed as they were sent.
    return text(fields.get("size"))


def _clip(fields: Mapping[str, Any]) -> Clip:
    _, seconds, size = _DEFAULTS
    asked = _size(fields)
    if asked is None or asked in _SHIRT_SIZES:
        # Fact sheet, the provider's pages: these say the shape where the size doesn't. Landscape for portrait and the
        # other way round is all that they change: our choice.
        shape = text(fields.get("aspect_ratio"))
        asked = shape or _ORIENTATIONS.get(text(fields.get("orientation")) or "", size)
    return clip_of(asked, _seconds(fields) or seconds)


_SHIRT_SIZES: Final = frozenset({"small", "large"})  # fact sheet, the older create page
_ORIENTATIONS: Final = {"portrait": "720x1280", "landscape": "1280x720"}


def _refuse(refusal: Refusal, scene: Scene) -> Wire:
    if scene.profile is Profile.CURRENT:
        return gateway_refusal(refusal, scene)
    return wrapped_refusal(refusal, _REFUSALS[refusal.name], scene, _DOCUMENTED)


def _failure(failure: Failure | None, _profile: Profile) -> tuple[str, str]:
    return failure_words(failure, _REFUSALS, _FAILURE)


def _account(_key: bytes) -> None:
    """Nothing that it prints is the same for all tasks of a caller."""


def _new_id(entropy: bytes, _created_at: Instant, _account: Any) -> str:
    # documents/001: video_abc123. The length is our choice.
    return f"video_{entropy[:16].hex()}"


def _alias_of(_name: str, _account: Any) -> None:
    """A task has one id."""


def _alias(_task: Task, _account: Any) -> None:
    """A task has one id."""


PROVIDER: Final = Provider(
    name="octopusx",
    base="/octopusx",
    hosts=("octopusx.ai",),
    operations=(
        Operation(
            name=OperationName.POLL,
            method="GET",
            path="/v1/videos/{task_id}",
            parse=_parse_poll,
            item=_video,
            answer=_answer,
            plain_poll=named_in_path,
        ),
        Operation(
            name=OperationName.CREATE,
            method="POST",
            path="/v1/videos",
            parse=_parse_create,
            item=_created,
            answer=_answer,
        ),
        Operation(
            name=OperationName.CONTENT,
            method="GET",
            path="/v1/videos/{task_id}/content",
            parse=content_call,
            item=_video,
            answer=_answer,
        ),
        # The provider's page on Veo has the remix, so both profiles do.
        *openai_routes.operations(_video, _remixed, _echoed_by_name, remix_profiles=tuple(Profile)),
        *octopusx_older.operations(_echoed_by_name, _error),
    ),
    account=_account,
    new_id=_new_id,
    alias_of=_alias_of,
    alias=_alias,
    echo=_echo,
    value_names=(*_ECHOED, "video_id"),
    # The values of documents/001; the prompt is our choice.
    example_request={
        "model": "sora-2",
        "prompt": "A cat runs along a river",
        "seconds": "10",
        "size": "720x1280",
    },
    key=bearer_key,
    refuse=_refuse,
    failure=_failure,
    headers=gateway_headers,
    clip=_clip,
    link=plain_link,
    dies_at=plain_link_dies_at,
    signature_name="signature",
    storage_refusal=plain_storage_refusal,
    sighted=partial(openai_sightings.sighted, openai_sightings.words_of(_DOCUMENTED, _CURRENT), "video_url"),
    made=openai_sightings.made,
    variant=variant,
    content_headers=CONTENT_HEADERS,
)
"""The table of OctopusX."""
