"""Ace Data Cloud's Veo service: ``POST /veo/tasks`` and ``POST /veo/videos``.

Source: documents/002; beyond it as in `emulator.providers.acedata`.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from emulator.core.task import Task
from emulator.core.units import HOUR, SECOND, Instant
from emulator.core.words import Profile
from emulator.providers import acedata, acedata_errors, acedata_requests, acedata_sightings
from emulator.providers.acedata_veo_routes import EXTENDED, operations
from emulator.providers.base import Clip, Link, Provider, Result, Scene, View, Wire

NAME: Final = "acedata-veo"

# documents/002
EXAMPLE_REQUEST: Final[Mapping[str, Any]] = {
    "callback_url": "https://webhook.site/aed5cd28-f8aa-4dca-9480-8ec9b42137dc",
    "action": "text2video",
    "model": "veo2",
    "prompt": (
        "White ceramic coffee mug on glossy marble countertop with morning window light. "
        "Camera slowly rotates 360 degrees around the mug, pausing briefly at the handle."
    ),
}

_VIDEO_ID: Final = slice(19, 35)


def video_id(task: Task) -> str:
    """32 hexadecimal digits (documents/002)."""
    return task.entropy[_VIDEO_ID].hex()


def video(view: View, video_id: str) -> dict[str, Any]:
    """The finished video, short of its state. ``complete_at`` is the provider's own spelling."""
    chosen, ended_at = view.task.plan.values.get, view.snapshot.ended_at
    dated = acedata.iso_milliseconds if view.profile is Profile.CURRENT else wall_time
    # documents/002: `created_at` here is 1.5 s after the record's. Our choice: the same instant.
    printed = {
        "id": video_id,
        "video_url": acedata.printed_link(view),
        "created_at": chosen("created_at", dated(view.task.created_at)),
        "complete_at": chosen("complete_at", dated(view.now if ended_at is None else ended_at)),
    }
    if view.profile is Profile.CURRENT and EXTENDED in view.task.plan.values:
        printed[EXTENDED] = chosen(EXTENDED)  # fact sheet, newest specification; its place is our choice
    return printed


def wall_time(instant: Instant) -> str:
    """The instant as the clock on the provider's wall shows it: UTC+8, without saying so.

    documents/002: a task of 09:19:18 UTC has a video of ``2025-07-25 17:19:20``.
    """
    return acedata.second_text((instant + 8 * HOUR) // SECOND).replace("T", " ")


# Size and duration

_SECONDS: Final = 8
"""Veo's own; the service takes no duration. Our choice: no source of the provider's says it."""

_SHORT_SIDES: Final = {"1080p": 1080, "4k": 2160}
_DEFAULT_SHORT_SIDE: Final = 720
"""Fact sheet: the guides of the document's time say 720p, the newest specification 1080p. ``gif`` gets it too."""

_RATIOS: Final = {"16:9": (16, 9), "9:16": (9, 16), "1:1": (1, 1), "4:3": (4, 3), "3:4": (3, 4)}
"""Fact sheet: the last three are in the older specification only."""


def clip(fields: Mapping[str, Any]) -> Clip:
    """The video that a create asks for; what can't be read counts as left out."""
    action = acedata_requests.text_in(fields, "action")
    # Fact sheet: get1080p makes a 1080p version of a video that is there already; upsample's actions are sizes.
    resolution = {"get1080p": "1080p"}.get(action, action)
    if resolution not in _SHORT_SIDES:
        resolution = acedata_requests.text_in(fields, "resolution")
    side = _SHORT_SIDES.get(resolution, _DEFAULT_SHORT_SIDE)
    wide, high = _RATIOS.get(acedata_requests.text_in(fields, "aspect_ratio"), _RATIOS["16:9"])
    unit = min(wide, high)
    return Clip(side * wide // unit, side * high // unit, _SECONDS)


# Links


def link(result: Result) -> Link:
    """``veo/{task id}.mp4`` as in documents/002, which shows no query: a CDN's usual one is our choice."""
    return Link(
        tail=f"veo/{quote(result.task.id, safe='')}.mp4",
        query=(("expires", str(result.dies_at // SECOND)), ("signature", None)),
    )


def dies_at(query: Mapping[str, str]) -> Instant | None:
    """The Unix second in ``expires``."""
    text = query.get("expires", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return None
    return int(text) * SECOND


def storage_refusal(_is_expired: bool, _scene: Scene) -> Wire:
    """A CDN's plain 403, the same for a dead link and a tampered one. Our choice: no source shows it."""
    page = (
        "<html>\r\n<head><title>403 Forbidden</title></head>\r\n"
        "<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Wire(403, page, content_type="text/html")


SERVICE: Final = acedata.Service(
    folder="veo",
    # documents/002; fact sheet, inferred: the same for every task of the service.
    api_id="52a0fa83-3c78-4793-b45a-c1a5c869ae46",
    video_id=video_id,
    parse_create=acedata_requests.parse_create,
    video=video,
)

PROVIDER: Final = Provider(
    name=NAME,
    base=acedata.BASE,
    hosts=acedata.HOSTS,
    operations=operations(SERVICE),
    account=partial(acedata.account, NAME),
    new_id=acedata.new_id,
    alias_of=acedata.alias_of,
    alias=acedata.alias,
    echo=acedata.echo,
    value_names=(*acedata.VALUE_NAMES, "created_at", "complete_at"),
    example_request=EXAMPLE_REQUEST,
    key=acedata_requests.key,
    refuse=acedata_errors.refuse,
    failure=acedata_errors.failure,
    headers=acedata_errors.headers,
    clip=clip,
    link=link,
    dies_at=dies_at,
    signature_name="signature",
    callback_url=acedata_requests.callback_url,
    callback=partial(acedata.told, SERVICE),
    storage_refusal=storage_refusal,
    sighted=partial(acedata_sightings.sighted, dies_at),
    made=acedata_sightings.made,
)
