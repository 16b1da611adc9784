"""Veo's other creates: what they make of a video that is there already, and what newer specifications refuse.

Sources as in `emulator.providers.acedata`; "guides" are the fact sheet's of upsample, extend, reshoot and objects.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from emulator.core.call import Create, Refusal, Remix
from emulator.core.task import Task
from emulator.core.words import ErrorName, Profile, Status
from emulator.providers import acedata
from emulator.providers.acedata_requests import parse_create, text_in
from emulator.providers.base import Inbound, Offspring, Operation, View

EXTENDED: Final = "is_extend_result"
"""The value of a task whose video was extended, and its member: fact sheet, the newest specification."""

# Fact sheet, the newest specification's list, and what others name beside it: the document's own veo2 too.
_MODELS: Final = frozenset(
    {
        *("veo3", "veo3-fast", "veo31", "veo31-fast", "veo31-fast-ingredients"),
        *("veo2", "veo2-fast", "veo31-fast-ingredient"),
    }
)
_RATIOS: Final = frozenset({"16:9", "9:16"})
_WITH_IMAGES: Final = frozenset({"image2video", "ingredients2video"})


def parse_videos(inbound: Inbound) -> Create:
    """A create by ``/veo/videos``. In profile ``current`` what clients saw refused is refused."""
    call = parse_create(inbound)
    if call.refusal is not None:
        return call
    source = text_in(call.fields, "video_id") if text_in(call.fields, "action") == "get1080p" else ""
    refusal = _problem(call.fields) if inbound.profile is Profile.CURRENT else None
    return msgspec.structs.replace(call, source=source or None, refusal=refusal)


def _problem(fields: Mapping[str, Any]) -> Refusal | None:
    if fields.get("model") is not None and text_in(fields, "model") not in _MODELS:
        # Fact sheet, a message that was seen.
        return Refusal(ErrorName.BAD_REQUEST, "model is not supported")
    if text_in(fields, "action") in _WITH_IMAGES and not fields.get("image_urls"):
        # Fact sheet, web client: the worker refuses an empty list and a missing one.
        return Refusal(ErrorName.BAD_REQUEST, "image_urls is invalid when generate videos")
    if fields.get("aspect_ratio") is not None and text_in(fields, "aspect_ratio") not in _RATIOS:
        # Fact sheet, clients: others than these two are refused; the text is our choice, after "model is invalid."
        return Refusal(ErrorName.BAD_REQUEST, "aspect_ratio is invalid.")
    return None


def _parse_derived(inbound: Inbound) -> Create:
    """A create that names the video which it makes another of."""
    call = parse_create(inbound)
    if call.refusal is not None:
        return call
    return msgspec.structs.replace(call, source=text_in(call.fields, "video_id") or None)


def _same_video(service: acedata.Service, call: Create | Remix, source: View | None) -> Offspring:
    """Fact sheet: the result keeps the source's ``id``, ``created_at`` and ``complete_at``; task and link are new."""
    if source is None or source.snapshot.status is not Status.COMPLETED:
        # Whether the source must be known, and done, no source says: our choice.
        return Offspring(fields=call.fields)
    printed = acedata.finished_video(service, source)
    values = {name: printed[member] for member, name in _KEPT if member in printed}
    return Offspring(fields=call.fields, values=values)


_KEPT: Final = (
    ("id", "video_id"),
    ("created_at", "created_at"),
    ("complete_at", "complete_at"),
    (EXTENDED, EXTENDED),
)
"""What an upsampled video keeps: members as they are printed, and the values that stand for them."""


def _extended(call: Create | Remix, _source: View | None) -> Offspring:
    return Offspring(fields=call.fields, values={EXTENDED: True})


def _of_no_extension(call: Create | Remix, source: View | None) -> Offspring | Refusal:
    """Guide of extend: a result of it can be extended again, and neither reshot nor edited, which is 400."""
    if source is not None and source.task.plan.values.get(EXTENDED) is True:
        message = "video_id is invalid: the result of an extension can't be reshot or edited"  # our choice
        return Refusal(ErrorName.BAD_REQUEST, message)
    return Offspring(fields=call.fields)


_Derive = Callable[[Create | Remix, View | None], Offspring | Refusal]


def operations(service: acedata.Service) -> tuple[Operation, ...]:
    """The rows of Veo's table: all creates answer alike, and all are read by ``/veo/tasks``."""
    poll, create = acedata.operations(service)
    goes_by = partial(_is_of_video, service)
    same_video = partial(_same_video, service)
    derived: tuple[tuple[str, _Derive], ...] = (
        ("upsample", same_video),
        ("extend", _extended),
        ("reshoot", _of_no_extension),
        ("objects", _of_no_extension),
    )
    create = msgspec.structs.replace(create, parse=parse_videos, derive=same_video, goes_by=goes_by)
    others = (
        msgspec.structs.replace(create, path=f"/veo/{name}", parse=_parse_derived, derive=derive)
        for name, derive in derived
    )
    return (poll, create, *others)


def _is_of_video(service: acedata.Service, task: Task, name: str) -> bool:
    """Guides call ``video_id`` the source's task id, clients send ``data[].id``: either is taken."""
    values = task.plan.values
    return name == (values["video_id"] if "video_id" in values else service.video_id(task))
