"""Videos of the OpenAI-style vendors, read as a client reads them: the way back from their ``_video``."""

from collections.abc import Mapping
from typing import Any

from emulator.core.units import SECOND, Instant
from emulator.core.words import Status
from emulator.providers.base import Sighting
from emulator.providers.sightings import link_in, number_in, text_in


def sighted(words: Mapping[str, Status], link_name: str, body: Any) -> Sighting | None:
    """What a video shows, by the words that the vendor has for statuses; ``None``: the body is no video."""
    if not isinstance(body, Mapping) or not isinstance(body.get("id"), str) or "status" not in body:
        return None
    error, word, progress = body.get("error"), text_in(body, "status"), number_in(body, "progress")
    status, code = words.get(word or ""), text_in(error, "code")
    if status is Status.FAILED and code == "cancelled":
        status = Status.CANCELLED  # our choice, where the wire has no word for it
    return Sighting(
        id=body["id"],
        status=status,
        word=word,
        progress=None if progress is None else int(progress),
        link=link_in(body, link_name),
        code=code,
        message=error if isinstance(error, str) and error else text_in(error, "message"),
        created_at=_instant(body, "created_at"),
        ended_at=_instant(body, "completed_at"),
        dies_at=_instant(body, "expires_at"),
    )


def made(body: Any) -> str | None:
    """The id in a create's answer."""
    return text_in(body, "id")


def words_of(*vocabularies: Mapping[Status, str]) -> dict[str, Status]:
    """What each printed word says, whichever profile it is of; of two statuses with one word the first counts."""
    read: dict[str, Status] = {}
    for vocabulary in vocabularies:
        for status, word in vocabulary.items():
            read.setdefault(word, status)
    return read


def _instant(body: Mapping[str, Any], name: str) -> Instant | None:
    """documents/001 prints 0 where there is no such instant."""
    second = number_in(body, name)
    return int(second) * SECOND if second else None
