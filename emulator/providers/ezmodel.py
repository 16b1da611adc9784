"""EzModel: ``GET /v1/videos/{task_id}`` as documents/003 shows it, and what stands around it.

Its page docs/providers/ezmodel.md says of each detail where it comes from.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from emulator.core.call import Call, Create, Poll, Refusal
from emulator.core.effects import Failure
from emulator.core.seeded import crockford
from emulator.core.task import Snapshot, Task
from emulator.core.units import SECOND, Instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers import openai_routes, openai_sightings
from emulator.providers.base import Clip, Inbound, Operation, Provider, Scene, View, Wire
from emulator.providers.openai_requests import current_create
from emulator.providers.openai_style import (
    CONTENT_HEADERS,
    Name,
    Words,
    bearer_key,
    clip_of,
    content_call,
    created_call,
    failure_words,
    gateway_headers,
    gateway_refusal,
    named_in_path,
    number,
    plain_link,
    plain_link_dies_at,
    plain_storage_refusal,
    seconds_asked,
    text,
    variant,
    whole,
    wrapped_refusal,
)

# documents/003: "pending, processing, completed, failed". A cancelled task: our choice.
_DOCUMENTED: Final = {
    Status.QUEUED: "pending",
    Status.PROCESSING: "processing",
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "failed",
}
# Fact sheet, the provider's newer page and gateway source.
_CURRENT: Final = {
    Status.QUEUED: "queued",
    Status.PROCESSING: "in_progress",
    Status.COMPLETED: "completed",
    Status.FAILED: "failed",
    Status.CANCELLED: "failed",
}
_STATUSES: Final = {Profile.DOCUMENTED: _DOCUMENTED, Profile.CURRENT: _CURRENT}

# documents/003: the failed example.
_FAILURE: Final = ("content_policy_violation", "Content policy violation: inappropriate content detected")
_CANCELLED: Final = ("cancelled", "The task was cancelled")  # our choice

_INVALID_API_KEY: Final = Words(
    401, "invalid_api_key", "Invalid API key"
)  # fact sheet, provider's page: the text
_INVALID_REQUEST: Final = Words(400, "invalid_request", "Invalid request")
# documents/003 shows one error, the unknown task. Fact sheet, provider's pages: 400, 401, 429, 500 and 503
# exist, 400 in this shape too. The other status codes, and the codes and messages, are our choice.
_REFUSALS: Final[Mapping[Name, Words]] = {
    ErrorName.NO_TOKEN: _INVALID_API_KEY,
    ErrorName.INVALID_TOKEN: _INVALID_API_KEY,
    ErrorName.TOKEN_EXPIRED: Words(401, "token_expired", "API key has expired"),
    ErrorName.TOKEN_MISMATCHED: _INVALID_REQUEST,  # AceData's word for a bad request
    ErrorName.FORBIDDEN: Words(403, "access_denied", "Access denied"),
    ErrorName.INSUFFICIENT_QUOTA: Words(403, "insufficient_quota", "Insufficient quota"),
    ErrorName.BAD_REQUEST: _INVALID_REQUEST,
    ErrorName.NOT_IMPLEMENTED: Words(501, "not_implemented", "Not implemented"),
    ErrorName.NOT_FOUND: Words(404, "task_not_found", "Video task not found"),
    ErrorName.CONTENT_REJECTED: Words(400, *_FAILURE),
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
    Situation.TOO_LARGE: Words(413, "request_too_large", "Request body too large"),
    Situation.BROKEN_BODY: _INVALID_REQUEST,
}

# What `Task.echo` holds, by the names that a scenario's values have.
_ECHOED: Final = ("model", "seconds", "size", "fps", "seed", "remixed_from_video_id")
# Fact sheet, the provider's newer page: sora-2, 4 seconds, and 720x1280 named first.
_DEFAULTS: Final = ("sora-2", "4.0", "720x1280")
_DEFAULT_FPS: Final = 30  # documents/003


def _parse_poll(inbound: Inbound) -> Poll:
    return Poll(ids=inbound.params)


def _parse_create(inbound: Inbound) -> Create:
    # Fact sheet: the prompt is optional on the provider's older page, required on the newer one.
    if inbound.profile is Profile.CURRENT:
        return current_create(inbound, other_sizes=False)
    return created_call(inbound, prompt_needed=False)


def _video(view: View) -> dict[str, Any]:
    """documents/003: the keys of each status, in its examples' order; what there isn't is left out."""
    task, snapshot = view.task, view.snapshot
    model, seconds, size, fps, seed, remixed_from = _echoed(task)
    video = {
        "id": task.id,
        "object": "video",
        "model": model,
        "status": snapshot.entry.word or _STATUSES[view.profile][snapshot.status],
        "progress": _progress(snapshot),
        "created_at": task.created_at // SECOND,
    }
    if remixed_from:
        # Fact sheet, the provider's newer page: where there is one. Its place among the keys is our choice.
        video["remixed_from_video_id"] = remixed_from
    if snapshot.status is Status.FAILED or snapshot.status is Status.CANCELLED:
        # documents/003: neither size nor metadata on a failed task.
        video["seconds"] = seconds
        video["error"] = _error(view)
        return video
    if snapshot.ended_at is not None:
        video["completed_at"] = snapshot.ended_at // SECOND
        video["expires_at"] = view.link_dies_at // SECOND
    video["seconds"] = seconds
    video["size"] = size
    if view.link is not None:
        video["url"] = view.link
    video["metadata"] = {"fps": fps, "seed": seed}
    return video


def _echoed(task: Task) -> tuple[Any, ...]:
    values = task.plan.values
    if not values:
        return task.echo
    return tuple(values.get(name, echoed) for name, echoed in zip(_ECHOED, task.echo, strict=True))


def _progress(snapshot: Snapshot) -> int:
    """documents/003: a failed task's progress is 0, unless the scenario's entry says a number."""
    if snapshot.status is not Status.FAILED and snapshot.status is not Status.CANCELLED:
        return snapshot.progress
    return snapshot.progress if isinstance(snapshot.entry.progress, int) else 0


def _error(view: View) -> Any:
    failure = view.snapshot.entry.failure
    failed = view.snapshot.status is Status.FAILED
    code, message = _failure(failure, view.profile) if failed else _CANCELLED
    if failure is not None and failure.shape == "string":
        return message
    return {"message": message, "code": code}


def _created(view: View) -> dict[str, Any]:
    """Fact sheet: the older create page's fields; their values, and so the status's word, are inferred."""
    model, seconds, *_ = _echoed(view.task)
    snapshot = view.snapshot
    return {
        "id": view.task.id,
        "object": "video",
        "model": model,
        "status": snapshot.entry.word or _STATUSES[view.profile][snapshot.status],
        "progress": _progress(snapshot),
        "created_at": view.task.created_at // SECOND,
        "seconds": seconds,
    }


def _remixed(view: View) -> dict[str, Any]:
    """Our choice, since no page of the provider's shows it: a new task, and what it was made from."""
    return {**_created(view), "remixed_from_video_id": _echoed(view.task)[-1]}


def _echoed_by_name(view: View) -> dict[str, Any]:
    return dict(zip(_ECHOED, _echoed(view.task), strict=True))


def _answer(_call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any] | Refusal:
    return items[0] if items else Refusal(ErrorName.NOT_FOUND)


def _echo(fields: Mapping[str, Any], entropy: bytes) -> tuple[Any, ...]:
    model, seconds, size = _DEFAULTS
    fps, seed = whole(fields.get("fps")), whole(fields.get("seed"))
    return (
        text(fields.get("model")) or model,
        _seconds(fields) or seconds,
        _size(fields) or size,
        _DEFAULT_FPS if fps is None else fps,
        # documents/003: 12345. Drawn below 2^31, as samplers take seeds: our choice.
        int.from_bytes(entropy[16:20], "big") >> 1 if seed is None else seed,
        # A remix's request is kept with it. That a create which says it itself gets it too is our choice.
        text(fields.get("remixed_from_video_id")) or "",
    )


def _seconds(fields: Mapping[str, Any]) -> str | None:
    """documents/003: a float as a string, ``10.0``."""
    asked = seconds_asked(fields)
    seconds = number(asked)
    return asked if seconds is None else text(str(seconds))


def _size(fields: Mapping[str, Any]) -> str | None:
    """documents/003: ``{width}x{height}``. Fact sheet: two numbers on the older create page, ``size`` on the newer."""
    width, height = whole(fields.get("width")), whole(fields.get("height"))
    size = text(fields.get("size"))
    if size is None and width is not None and height is not None:
        return text(f"{width}x{height}")
    return size


def _clip(fields: Mapping[str, Any]) -> Clip:
    _, seconds, size = _DEFAULTS
    return clip_of(_size(fields) or size, _seconds(fields) or seconds)


def _refuse(refusal: Refusal, scene: Scene) -> Wire:
    if scene.profile is Profile.CURRENT:
        return gateway_refusal(refusal, scene)
    return wrapped_refusal(refusal, _REFUSALS[refusal.name], scene, _DOCUMENTED)


def _failure(failure: Failure | None, _profile: Profile) -> tuple[str, str]:
    return failure_words(failure, _REFUSALS, _FAILURE)


def _account(_key: bytes) -> None:
    """Nothing that it prints is the same for all tasks of a caller."""


def _new_id(entropy: bytes, _created_at: Instant, _account: Any) -> str:
    # documents/003: vid_ and lower-case letters and digits. Sixteen of them, 80 bits, are our choice.
    return f"vid_{crockford(int.from_bytes(entropy[:10], 'big'), 16)}"


def _alias_of(_name: str, _account: Any) -> None:
    """A task has one id."""


def _alias(_task: Task, _account: Any) -> None:
    """A task has one id."""


PROVIDER: Final = Provider(
    name="ezmodel",
    base="/ezmodel",
    # documents/003; fact sheet, provider's pages: the second.
    hosts=("www.ezmodel.cloud", "api.ezmodel.cloud"),
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
        *openai_routes.operations(_video, _remixed, _echoed_by_name),
    ),
    account=_account,
    new_id=_new_id,
    alias_of=_alias_of,
    alias=_alias,
    echo=_echo,
    value_names=(*_ECHOED, "video_id"),
    # The values of documents/003, under the names of the older create page; the prompt is our choice.
    example_request={
        "model": "sora-1.0",
        "prompt": "A cat runs along a river",
        "duration": 10,
        "width": 1920,
        "height": 1080,
        "fps": 30,
        "seed": 12345,
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
    sighted=partial(openai_sightings.sighted, openai_sightings.words_of(_DOCUMENTED, _CURRENT), "url"),
    made=openai_sightings.made,
    variant=variant,
    content_headers=CONTENT_HEADERS,
)
"""The table of EzModel."""
