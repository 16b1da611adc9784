"""OctopusX's older routes ``/v1/video/create``, ``/v1/video/query`` and ``/v1/video/remix``, which differ by model.

Source: the fact sheet's reading of the provider's pages on Sora, Veo, Grok and Jimeng. Their errors are nowhere
documented: they are worded as those of ``/v1/videos``, which is our choice. So is that a task is known to both
roads, whichever made it: its page says that each asks for its own, and not that the other fails.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from emulator.core import seeded
from emulator.core.call import Call, Create, Poll, Refusal, Remix
from emulator.core.task import Task
from emulator.core.units import MILLISECOND, SECOND, Instant, as_datetime
from emulator.core.words import ErrorName, OperationName, Profile, Status
from emulator.providers.base import Inbound, Operation, View
from emulator.providers.openai_requests import current_create
from emulator.providers.openai_routes import Echoed, derived
from emulator.providers.openai_style import created_call, text

_DEFAULT_MODEL: Final = "sora-2"
_FILE_ID: Final = slice(0, 16)
_ULID: Final = slice(0, 10)


class _Family(msgspec.Struct, frozen=True, kw_only=True):
    """What the pages on one family of models show."""

    words: Mapping[Status, str]
    new_id: Callable[[bytes, Instant], str]
    created: Callable[[View, str, Mapping[str, Any]], dict[str, Any]]
    """The answer to a create, from the task, its status's word and what is echoed."""
    queried: Callable[[View, str, Mapping[str, Any]], dict[str, Any]]
    """A task that is asked for; likewise."""


# The parts of answers


def _seconds(view: View) -> int:
    return view.snapshot.since // SECOND


def _milliseconds(view: View) -> int:
    return view.snapshot.since // MILLISECOND


def _request(task: Task) -> Mapping[str, Any]:
    fields = orjson.loads(task.request)
    return fields if isinstance(fields, dict) else {}


def _ratio(fields: Mapping[str, Any]) -> str:
    """The request's ``aspect_ratio``, else what its ``orientation`` comes to: our choice, as the empty text is."""
    asked = text(fields.get("aspect_ratio"))
    return asked or {"portrait": "9:16", "landscape": "16:9"}.get(text(fields.get("orientation")) or "", "")


def _input(view: View, echoed: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for. The pages on Sora and Veo have the same four members in two orders: this is Sora's."""
    fields = _request(view.task)
    images = fields.get("images")
    return {
        "prompt": fields.get("prompt", ""),
        "model": echoed["model"],
        "images": images if isinstance(images, list) else [images] if images else [],
        "aspect_ratio": _ratio(fields),
    }


# Sora, and whichever model has no page of its own


def _sora_id(entropy: bytes, created_at: Instant) -> str:
    return f"sora-2:task_{seeded.ulid(created_at // MILLISECOND, entropy[_ULID])}"


def _sora_created(view: View, word: str, _echoed: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": view.task.id, "status": word, "status_update_time": _milliseconds(view)}


def _sora_queried(view: View, word: str, echoed: Mapping[str, Any]) -> dict[str, Any]:
    video = {
        "id": view.task.id,
        "object": "video",
        "model": echoed["model"],
        "status": word,
        "progress": str(view.snapshot.progress),  # the page's sample: "0", a text
        "created_at": view.task.created_at // SECOND,
        "size": echoed["size"],
        "status_update_time": _milliseconds(view),
        "detail": {"input": _input(view, echoed)},
    }
    if view.snapshot.status is Status.COMPLETED:
        video["video_url"] = view.link or ""
    return video


# Veo


def _veo_id(entropy: bytes, _created_at: Instant) -> str:
    return f"video_{seeded.uuid4_text(entropy[_FILE_ID])}"


def _veo_created(view: View, word: str, echoed: Mapping[str, Any]) -> dict[str, Any]:
    asked = _input(view, echoed)
    return {
        "id": view.task.id,
        "object": "video",
        "model": echoed["model"],
        "status": word,
        "progress": view.snapshot.progress,
        "created_at": view.task.created_at // SECOND,
        "size": echoed["size"],
        "detail": {"input": {name: asked[name] for name in ("aspect_ratio", "images", "model", "prompt")}},
        "status_update_time": _seconds(view),
    }


def _veo_queried(view: View, word: str, _echoed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": view.task.id,
        "status": word,
        "video_url": view.link,
        "enhanced_prompt": "",
        "status_update_time": _seconds(view),
    }


# Jimeng: its page shows the create alone. Our choice: asked for, it looks as Veo does.


def _jimeng_id(entropy: bytes, _created_at: Instant) -> str:
    return seeded.uuid4_text(entropy[_FILE_ID])


def _jimeng_created(view: View, word: str, _echoed: Mapping[str, Any]) -> dict[str, Any]:
    at = as_datetime(view.task.created_at).isoformat(timespec="microseconds")
    return {"created_at": f"{at[:26]}000Z", "status": word, "task_id": view.task.id}


# Grok: its pages show the query and the remix. Our choice: a create answers as the remix does.


def _grok_id(entropy: bytes, _created_at: Instant) -> str:
    return f"grok:{seeded.uuid4_text(entropy[_FILE_ID])}"


def _grok_created(view: View, word: str, _echoed: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": view.task.id, "status": word, "status_update_time": _seconds(view)}


def _grok_queried(view: View, word: str, _echoed: Mapping[str, Any]) -> dict[str, Any]:
    video: dict[str, Any] = {
        "id": view.task.id,
        "status": word,
        "video_url": view.link,
        "status_update_time": _seconds(view),
        "progress": view.snapshot.progress,
    }
    if view.snapshot.status is Status.COMPLETED:
        fields = _request(view.task)
        # There are no thumbnails by link: the empty one is our choice.
        video |= {"prompt": fields.get("prompt", ""), "ratio": _ratio(fields), "thumbnail_url": ""}
    return video


# The families

_QUEUED: Final = {status: status.value for status in Status}
_PENDING: Final = {**_QUEUED, Status.QUEUED: "pending"}  # the page on Sora: a create's word
_AT_ONCE: Final = {**_QUEUED, Status.QUEUED: "processing"}  # the pages on Jimeng and Grok: a create's word
_OF_GROK: Final = {**_AT_ONCE, Status.CANCELLED: "failed"}  # its page: processing, completed, failed, unknown

_SORA: Final = _Family(words=_PENDING, new_id=_sora_id, created=_sora_created, queried=_sora_queried)
_FAMILIES: Final[Mapping[str, _Family]] = {
    "veo": _Family(words=_QUEUED, new_id=_veo_id, created=_veo_created, queried=_veo_queried),
    "jimeng": _Family(words=_AT_ONCE, new_id=_jimeng_id, created=_jimeng_created, queried=_veo_queried),
    "grok": _Family(words=_OF_GROK, new_id=_grok_id, created=_grok_created, queried=_grok_queried),
}


def _family(model: Any) -> _Family:
    name = model.lower() if isinstance(model, str) else ""
    return next((family for begin, family in _FAMILIES.items() if name.startswith(begin)), _SORA)


# Requests


def _parse_create(inbound: Inbound) -> Create:
    return current_create(inbound, other_sizes=True)


def _parse_query(inbound: Inbound) -> Poll:
    name = inbound.query.get("id", "")
    if name:
        return Poll(ids=(name,))
    message = "id: expected the task's id in the query, such as ?id=sora-2:task_..., got none"
    return Poll(ids=(), refusal=Refusal(ErrorName.BAD_REQUEST, message))


def _parse_remix(inbound: Inbound) -> Remix:
    call = created_call(inbound, prompt_needed=True)
    source = text(call.fields.get("task_id")) or ""
    refusal = call.refusal
    if refusal is None and not source:
        refusal = Refusal(ErrorName.BAD_REQUEST, "task_id is required", "invalid_request")  # our choice
    return Remix(source=source, fields=call.fields, refusal=refusal)


def _new_id(entropy: bytes, created_at: Instant, fields: Mapping[str, Any]) -> str:
    return _family(text(fields.get("model")) or _DEFAULT_MODEL).new_id(entropy, created_at)


def _answer(_call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any] | Refusal:
    return items[0] if items else Refusal(ErrorName.NOT_FOUND)


def operations(echoed: Echoed, error: Callable[[View], Any]) -> tuple[Operation, ...]:
    """The rows of the older routes, in both profiles: the pages stand beside the document.

    Args:
        echoed: what is printed of a task's request, by name.
        error: what ``/v1/videos`` says of a failed task. That these routes say it too is our choice.
    """

    def worded(view: View, family: _Family) -> str:
        return view.snapshot.entry.word or family.words[view.snapshot.status]

    def created(view: View) -> dict[str, Any]:
        told = echoed(view)
        family = _family(told["model"])
        return family.created(view, worded(view, family), told)

    def queried(view: View) -> dict[str, Any]:
        told = echoed(view)
        family = _family(told["model"])
        video = family.queried(view, worded(view, family), told)
        if view.snapshot.status is Status.FAILED:
            video["error"] = error(view)
        return video

    return (
        Operation(
            name=OperationName.CREATE,
            method="POST",
            path="/v1/video/create",
            parse=_parse_create,
            item=created,
            answer=_answer,
            new_id=_new_id,
        ),
        Operation(
            name=OperationName.POLL,
            method="GET",
            path="/v1/video/query",
            parse=_parse_query,
            item=queried,
            answer=_answer,
        ),
        Operation(
            name=OperationName.REMIX,
            method="POST",
            path="/v1/video/remix",
            parse=_parse_remix,
            item=created,
            answer=_answer,
            new_id=_new_id,
            derive=derived(echoed),
        ),
    )
