"""What a request had, as far as the journal kept it: a value, nothing, or a part of one that decides nothing."""

import re
from functools import lru_cache
from typing import Any, Final

import msgspec
import orjson

from emulator.activation import judged_key
from emulator.bodies import bounded
from emulator.core.matching import ABSENT, field_of
from emulator.core.words import ErrorName, OperationName, Profile
from emulator.journal import Record

_CUT_VALUE: Final = 1024
"""So long are values of header fields that the journal has cut."""
_LARGE_HEAD: Final = 14 * 1024
"""Of a larger head the journal may have left fields out."""


class Cut(msgspec.Struct, frozen=True):
    """A value that wasn't kept whole."""

    is_there: bool
    """Whether that at least is known."""


def tasks_of(record: Record) -> tuple[str, ...]:
    """The ids of the tasks that had a say in an exchange, or that it named and that aren't there."""
    reply = record.reply
    own = () if reply.task is None else (reply.task.id,)
    return (*own, *(other.id for other, _ in reply.others), *reply.strangers)


# Keys and headers


def key_of(record: Record) -> Any:
    """The API key that was presented, as scenarios see it: ``sk-ns-NAME--REST`` is ``sk-REST``."""
    header = header_of(record, b"authorization")
    if not isinstance(header, str):
        return header
    if record.provider is None:
        words = header.split()
        return judged_key(words[-1]) if words else ABSENT
    key = record.provider.key(header.encode("latin-1"), Profile.CURRENT)
    return ABSENT if isinstance(key, ErrorName) else judged_key(key)


def header_of(record: Record, name: bytes) -> Any:
    """The value of a header field; its name is in lower case."""
    value = record.headers.get(name)
    if value is None:
        size = sum(len(name) + len(value) for name, value in record.headers.items())
        return Cut(is_there=False) if size > _LARGE_HEAD else ABSENT
    return Cut(is_there=True) if len(value) == _CUT_VALUE else value.decode("latin-1")


# Bodies


def body_field_of(record: Record, name: str) -> Any:
    """The value at a dotted path of the request's own body; ``id`` is the task's where the body has none."""
    value = _in_body(record, name)
    tasks = tasks_of(record) if name == "id" and value is ABSENT else ()
    return tasks[0] if tasks else value


def _in_body(record: Record, name: str) -> Any:
    body = record.body
    if not body:
        # Nobody reads the body of a GET, and none is kept that was too large to be read.
        return Cut(is_there=False) if _announces_body(record) else ABSENT
    if len(body) == record.body_size:
        fields = fields_in(body)
        return fields if isinstance(fields, Cut) else field_of(fields, name)
    # An excerpt. The task of a create has its whole request, but for strings of 64 KiB.
    task = record.reply.task if record.operation == OperationName.CREATE else None
    return _in_excerpt(fields_in(body if task is None else task.request), name)


def _in_excerpt(fields: Any, name: str) -> Any:
    value = ABSENT if fields is None else field_of(fields, name)
    if value is ABSENT:
        return Cut(is_there=False) if fields is None or _has_gap(fields) else ABSENT
    return Cut(is_there=True) if _has_gap(value) or _has_cut_text(value) else value


def _announces_body(record: Record) -> bool:
    length = record.headers.get(b"content-length", b"0")
    return length != b"0" or b"transfer-encoding" in record.headers


@lru_cache(maxsize=8)
def fields_in(body: bytes) -> Any:
    """The JSON value of a body, or `Cut` where it is too deep; ``None``: it isn't JSON."""
    # Kept for a while, since several criteria may ask about one body.
    try:
        return bounded(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None
    except RecursionError:
        return Cut(is_there=False)


# How `emulator.excerpts` and `emulator.bodies` mark what they left out.
_GAP: Final = re.compile(r"\.\.\.(?: [0-9]+ more)?")
_CUT_TEXT: Final = re.compile(r"\.\.\. \([0-9]+ more characters\)\Z|\Asha256:[0-9a-f]{64} \([0-9]+ bytes\)\Z")


def _has_gap(value: Any) -> bool:
    """Whether members, items or all that was nested too deeply were left out of it."""
    if isinstance(value, str):
        return _GAP.fullmatch(value) is not None
    if isinstance(value, dict):
        return "..." in value or value.keys() == {"cut"} or any(map(_has_gap, value.values()))
    return isinstance(value, list) and any(map(_has_gap, value))


def _has_cut_text(value: Any) -> bool:
    if isinstance(value, str):
        return _CUT_TEXT.search(value) is not None
    if isinstance(value, dict):
        return any(map(_has_cut_text, value.values()))
    return isinstance(value, list) and any(map(_has_cut_text, value))
