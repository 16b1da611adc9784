"""Ace Data Cloud's records, read as a client reads them: the way back from `emulator.providers.acedata`."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from emulator.core.units import MILLISECOND, Instant
from emulator.core.words import Status
from emulator.providers.base import Sighting
from emulator.providers.sightings import link_in, mapping_in, number_in, text_in

LinkEnd = Callable[[Mapping[str, str]], Instant | None]


def sighted(link_dies_at: LinkEnd, body: Any) -> Sighting | None:
    """What a record shows; ``None``: the body is none, as `{}`, which an unknown id gets."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str) or "request" not in body:
        return None
    response = mapping_in(body, "response")
    video = _video_in(response)
    error = response.get("error")
    link = link_in(video, "video_url")
    status = _status(response, video, error)
    return Sighting(
        id=body["id"],
        status=status,
        word=text_in(video, "state"),
        link=link,
        code=text_in(error, "code"),
        message=error if isinstance(error, str) else text_in(error, "message"),
        created_at=_instant(body, "created_at"),
        ended_at=_instant(body, "finished_at"),
        dies_at=None if link is None else _announced(link_dies_at, link),
    )


def made(body: Any) -> str | None:
    """The id in a create's answer (fact sheet, both guides)."""
    return text_in(body, "task_id")


def _video_in(response: Mapping[str, Any]) -> Mapping[str, Any]:
    data = response.get("data")
    first = data[0] if isinstance(data, list) and data else None
    return first if isinstance(first, Mapping) else {}


def _status(response: Mapping[str, Any], video: Mapping[str, Any], error: Any) -> Status | None:
    """Fact sheet, web client: no response is waiting, one without ``success`` works, else ``success`` says it."""
    match response.get("success"):
        case True:
            # documents/000, documents/002: succeeded is the one word of a finished video.
            return Status.COMPLETED if text_in(video, "state") == "succeeded" else None
        case False:
            # Our choice of a cancelled task's code, see emulator.providers.acedata.
            return Status.CANCELLED if text_in(error, "code") == "canceled" else Status.FAILED
    return Status.PROCESSING if response else Status.QUEUED


def _instant(body: Mapping[str, Any], name: str) -> Instant | None:
    seconds = number_in(body, name)
    return None if seconds is None else round(seconds * 1000) * MILLISECOND


def _announced(link_dies_at: LinkEnd, link: str) -> Instant | None:
    try:
        query = urlsplit(link).query
    except ValueError:
        return None
    return link_dies_at(dict(parse_qsl(query, keep_blank_values=True)))
