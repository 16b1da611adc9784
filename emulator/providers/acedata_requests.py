"""What clients send to Ace Data Cloud's services, read leniently: queries, creates, API keys.

Sources as in `emulator.providers.acedata`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from emulator.core.call import Create, Delete, Listing, Poll, Refusal
from emulator.core.units import LAST_INSTANT, MILLISECOND, SECOND, Instant
from emulator.core.words import ErrorName, Profile, Situation
from emulator.providers.base import Inbound

MAX_BATCH: Final = 1000
"""Ids that one batch may name. Our choice: no limit is published, clients are told to stay below 50."""


class _Mistake(Exception):
    """The body isn't what the operation takes. The message is for the client."""

    def __init__(self, message: str, name: ErrorName | Situation = ErrorName.BAD_REQUEST) -> None:
        super().__init__(message)
        self.refusal = Refusal(name, message)


def parse_create(inbound: Inbound) -> Create:
    """A create: any JSON object will do; what its members say isn't judged."""
    try:
        fields = _object(inbound)
    except _Mistake as mistake:
        return Create(fields={}, refusal=mistake.refusal)
    return Create(fields=fields, is_held=_is_held(fields))


def parse_streamed_create(inbound: Inbound) -> Create:
    """A create whose held answer may come in lines, where the client accepts that."""
    # Fact sheet, public specification of Sora: the accept header is application/json or application/x-ndjson.
    create = parse_create(inbound)
    accepts_lines = b"application/x-ndjson" in inbound.headers.get(b"accept", b"").lower()
    return msgspec.structs.replace(create, is_streamed=True) if create.is_held and accepts_lines else create


def _is_held(fields: Mapping[str, Any]) -> bool:
    """Fact sheet, both guides: either ``async: true`` or a ``callback_url`` has the answer come at once.

    Our choice: the text ``true``, as forms send it, does so too.
    """
    asked = fields.get("async")
    return asked is not True and asked != "true" and callback_url(fields) is None


def parse_poll(inbound: Inbound) -> Poll | Listing | Delete:
    """A query for one task or for a batch; in profile ``current`` also for the caller's own tasks, or a deletion."""
    try:
        fields = _object(inbound)
        return _reader(fields.get("action"), inbound.profile)(fields, inbound.profile)
    except _Mistake as mistake:
        return Poll(ids=(), refusal=mistake.refusal)


def _object(inbound: Inbound) -> Mapping[str, Any]:
    if inbound.broken is not None:
        raise _Mistake(inbound.broken, Situation.BROKEN_BODY)
    if not isinstance(inbound.fields, dict):  # an ABC would cost more than the rest of the query
        raise _Mistake(f"expected a JSON object as the body, got {_kind(inbound.fields)}")
    return inbound.fields


def named_plainly(_params: tuple[str, ...], fields: Any) -> str | None:
    """The task that a query names which is just as documents/000 and documents/002 print it, or has its id alone."""
    if type(fields) is not dict:
        return None
    name = fields.get("id")
    if type(name) is not str or not name:
        return None
    is_plain = len(fields) == 1 or (len(fields) == 2 and fields.get("action") == "retrieve")
    return name if is_plain else None


_Reader = Callable[[Mapping[str, Any], Profile], Poll | Listing | Delete]


def _reader(action: Any, profile: Profile) -> _Reader:
    """What reads the body of an ``action``. Fact sheet: without one it is ``retrieve``; null counts as without."""
    if action is None or action == "retrieve":
        return _retrieve
    if action == "retrieve_batch":
        return _retrieve_batch
    if action == "delete" and profile is Profile.CURRENT:
        return _delete
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


def _delete(fields: Mapping[str, Any], _profile: Profile) -> Delete:
    """Fact sheet, from the web client alone: an id, with the ``user_id`` that counts for nothing here."""
    value = fields.get("id")
    if value is None or value == "":
        raise _missing("id", "the task's id as a string", _HINTS_FOR_ID, fields)
    if not isinstance(value, str):
        raise _Mistake(f"id: expected a string, got {_kind(value)}")
    return Delete(id=value)


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


def callback_url(fields: Mapping[str, Any]) -> str | None:
    """Where a create wants the task's end told."""
    return text_in(fields, "callback_url") or None
