"""Ace Data Cloud's Sora service: ``POST /sora/tasks`` and ``POST /sora/videos``.

Source: documents/000; beyond it as in `emulator.providers.acedata`.
"""

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Final
from urllib.parse import quote

import orjson

from emulator.core import seeded
from emulator.core.task import Task
from emulator.core.units import (
    MILLISECOND,
    MINUTE,
    SECOND,
    Duration,
    Instant,
    as_datetime,
    http_date,
    parse_instant,
)
from emulator.providers import acedata, acedata_errors, acedata_requests, acedata_sightings
from emulator.providers.base import Clip, Link, Provider, Result, Scene, View, Wire

NAME: Final = "acedata-sora"

# documents/000
EXAMPLE_REQUEST: Final[Mapping[str, Any]] = {
    "size": "large",
    "duration": 15,
    "orientation": "landscape",
    "prompt": "cat running on the river",
    "model": "sora-2",
    "image_urls": ["https://cdn.acedata.cloud/11wfp4.png"],
    "callback_url": "https://webhook.site/eb238c4f-da3b-47a5-a922-a93aa5405daa",
}

_ULID: Final = slice(19, 29)
_FILE_ID: Final = slice(29, 45)


def _asset(task: Task) -> str:
    """``task_`` and a ULID: how the service behind Sora names its work."""
    # documents/000: the ULID's instant is 4.8 s after the task's creation. Our choice: the creation.
    return f"task_{_ulid(task.created_at // MILLISECOND, task.entropy[_ULID])}"


# A poll of a finished task needs it twice, for the video's id and for the link.
_ulid: Final = lru_cache(maxsize=1024)(seeded.ulid)


def video_id(task: Task) -> str:
    """``sora-2:task_`` and a ULID (documents/000); a plain UUID in version 2 (fact sheet, public guide)."""
    return _file_id(task) if _is_of_version_2(task) else f"sora-2:{_asset(task)}"


def _file_id(task: Task) -> str:
    return seeded.uuid4_text(task.entropy[_FILE_ID])


def _is_of_version_2(task: Task) -> bool:
    # Few requests name a version, and few of those are polled: only they are read again.
    return b'"version"' in task.request and _says_version_2(orjson.loads(task.request))


def _says_version_2(fields: Mapping[str, Any]) -> bool:
    """Fact sheet: ``"2.0"``; older clients send the number 2."""
    return str(fields.get("version")) in {"2", "2.0"}


def video(view: View, video_id: str) -> dict[str, Any]:
    """The finished video, short of its state."""
    return {"id": video_id, "video_url": acedata.printed_link(view)}


# Size and duration

_DOCUMENTED_SIZE: Final = re.compile(r"([1-9]\d{1,3})x([1-9]\d{1,3})")
_SMALL: Final = (1280, 720)
_LARGE: Final = (1792, 1024)
"""Our choice: the two sizes of version 2 stand for version 1's ``small`` and ``large``, which no source measures."""


def clip(fields: Mapping[str, Any]) -> Clip:
    """The video that a create asks for; what can't be read counts as left out."""
    is_version_2 = _says_version_2(fields)
    width, height = _size(fields, is_version_2)
    # Fact sheet, public guides: 15 s is the default of version 1, 4 s that of version 2.
    return Clip(
        width, height, acedata_requests.seconds_in(fields, "duration", default=4 if is_version_2 else 15)
    )


def _size(fields: Mapping[str, Any], is_version_2: bool) -> tuple[int, int]:
    size = acedata_requests.text_in(fields, "size")
    if spelt := _DOCUMENTED_SIZE.fullmatch(size):
        return int(spelt[1]), int(spelt[2])
    if is_version_2 and size not in {"small", "large"}:
        return 720, 1280  # fact sheet, public guide: version 2's default
    long, short = _LARGE if size == "large" else _SMALL  # fact sheet: the web client's default is small
    match acedata_requests.text_in(fields, "orientation"):
        case "portrait":
            return short, long
        case "square":  # in older guides only
            return short, short
        case _:  # fact sheet: the web client's default is landscape
            return long, short


# Links: documents/000 shows one, in the form of Azure's shared access signatures

_STARTS_BEFORE: Final[Duration] = 95 * MINUTE + 13 * SECOND
"""documents/000: ``st`` is 1 h 35 min 13 s before the task's creation (in whole seconds)."""


def link(result: Result) -> Link:
    """The path and query of a link, percent-encoded as the document prints them."""
    if _is_of_version_2(result.task):
        return _link_of_version_2(result)
    asset = _asset_linked(result.task)
    m = as_datetime(result.ended_at)
    # documents/000: 25_10_10_14_15_147334. The task began at 14:14:02, so these are date, hour, minute
    # and microseconds; the seconds are left out.
    day, minute = f"{m.year % 100:02}_{m.month:02}_{m.day:02}", f"{m.hour:02}_{m.minute:02}"
    file = f"{asset}_genid_{_file_id(result.task)}_{day}_{minute}_{m.microsecond:06}"
    start, expiry = _encoded(result.task.created_at - _STARTS_BEFORE), _encoded(result.dies_at)
    return Link(
        tail=f"gptimage/vg-assets/assets%2F{asset}%2F{file}%2Fvideos%2F00000%2Fsrc.mp4",
        query=(
            ("st", start),
            ("se", expiry),
            ("sks", "b"),
            ("skt", start),
            ("ske", expiry),
            ("sktid", "a48cca56-e6da-484e-a814-9c849652bcb3"),
            ("skoid", "aa5ddad1-c91a-4f0a-9aca-e20682cc8969"),
            ("skv", "2019-02-02"),
            ("sv", "2018-11-09"),
            ("sr", "b"),
            ("sp", "r"),
            ("spr", "https%2Chttp"),
            ("sig", None),
            ("az", "oaivgprodscus"),
        ),
    )


def _link_of_version_2(result: Result) -> Link:
    """``sora/<name>.mp4``, which is all that the guide shows; the name and the query are our choice."""
    chosen = result.task.plan.values.get("video_id", _file_id(result.task))
    query = (("se", _encoded(result.dies_at)), ("sig", None))
    return Link(tail=f"sora/{quote(str(chosen), safe='')}.mp4", query=query)


def _asset_linked(task: Task) -> str:
    chosen = task.plan.values.get("video_id")
    return quote(chosen.removeprefix("sora-2:"), safe="") if isinstance(chosen, str) else _asset(task)


def _encoded(instant: Instant) -> str:
    """``2025-10-16T13%3A38%3A49Z``: whole seconds, as Azure writes them."""
    return acedata.second_text(instant // SECOND).replace(":", "%3A") + "Z"


def dies_at(query: Mapping[str, str]) -> Instant | None:
    """The instant in ``se``, to the second."""
    try:
        return parse_instant(query["se"])
    except (KeyError, ValueError):
        return None


_AUTHENTICATION_FAILED: Final = (
    "Server failed to authenticate the request. "
    "Make sure the value of Authorization header is formed correctly including the signature."
)


def storage_refusal(is_expired: bool, scene: Scene) -> Wire:
    """What Azure Blob Storage answers to a dead link or a tampered one.

    Seen in answers of Azure Storage quoted in public issue trackers and recorded tests: status, headers,
    elements, their order, the byte order mark. The detail goes on there, with the dates of the
    signature or the string to sign: left out here, because a refusal isn't told them.
    """
    request_id = _azure_request_id(scene.entropy)
    detail = (
        f"Signature not valid in the specified time frame: Current [{http_date(scene.now)}]"
        if is_expired
        else "Signature did not match."
    )
    body = (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>'
        f"<Message>{_AUTHENTICATION_FAILED}\nRequestId:{request_id}\nTime:{_azure_time(scene.now)}</Message>"
        f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"
    )
    headers = (
        ("server", "Microsoft-HTTPAPI/2.0"),
        ("x-ms-request-id", request_id),
        ("x-ms-error-code", "AuthenticationFailed"),
    )
    return Wire(403, body, headers, "application/xml")


def _azure_request_id(entropy: bytes) -> str:
    """As ``a61c5522-e01e-001f-1873-b6530e000000``: twenty digits are drawn."""
    h = entropy.hex()
    return f"{h[:8]}-{h[8]}01e-00{h[9:11]}-{h[11:15]}-{h[15:21]}000000"


def _azure_time(instant: Instant) -> str:
    """As ``2019-12-19T13:54:43.5404807Z``, in tenths of microseconds."""
    return as_datetime(instant).isoformat(timespec="microseconds")[:26] + "0Z"


SERVICE: Final = acedata.Service(
    folder="sora",
    # documents/000; fact sheet, inferred: the same for every task of the service.
    api_id="54aed96c-0346-4227-8c99-9780247a7ffd",
    video_id=video_id,
    parse_create=acedata_requests.parse_streamed_create,
    video=video,
)

PROVIDER: Final = Provider(
    name=NAME,
    base=acedata.BASE,
    hosts=acedata.HOSTS,
    operations=acedata.operations(SERVICE),
    account=partial(acedata.account, NAME),
    new_id=acedata.new_id,
    alias_of=acedata.alias_of,
    alias=acedata.alias,
    echo=acedata.echo,
    value_names=acedata.VALUE_NAMES,
    example_request=EXAMPLE_REQUEST,
    key=acedata_requests.key,
    refuse=acedata_errors.refuse,
    failure=acedata_errors.failure,
    headers=acedata_errors.headers,
    clip=clip,
    link=link,
    dies_at=dies_at,
    signature_name="sig",
    callback_url=acedata_requests.callback_url,
    callback=partial(acedata.told, SERVICE),
    storage_refusal=storage_refusal,
    sighted=partial(acedata_sightings.sighted, dies_at),
    made=acedata_sightings.made,
)
