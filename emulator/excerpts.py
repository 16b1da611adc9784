"""Excerpts: what is kept of a body that is too large to be kept whole."""

from typing import Final

import orjson

KEPT_BODY: Final = 16 * 1024
"""The most bytes of a body that are kept."""
_LONGEST_TEXT: Final = 256
_LONGEST_LIST: Final = 64
_DEEPEST: Final = 32


def elided(fields: object) -> bytes:
    """A body's JSON with its long strings and lists cut, so that what is kept still reads as JSON."""
    data = orjson.dumps(_elided(fields, 0), default=repr, option=orjson.OPT_NON_STR_KEYS)
    return data if len(data) <= KEPT_BODY else orjson.dumps({"cut": f"{len(data)} bytes of JSON"})


def _elided(value: object, depth: int) -> object:
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return f"{value[:_LONGEST_TEXT]}... ({len(value) - _LONGEST_TEXT} more characters)"
    if depth > _DEEPEST and isinstance(value, dict | list):
        return "..."
    if isinstance(value, dict):
        kept = {name: _elided(value[name], depth + 1) for name in list(value)[:_LONGEST_LIST]}
        return kept if len(value) <= _LONGEST_LIST else {**kept, "...": f"{len(value) - len(kept)} more"}
    if isinstance(value, list):
        items = [_elided(item, depth + 1) for item in value[:_LONGEST_LIST]]
        return items if len(value) <= _LONGEST_LIST else [*items, f"... {len(value) - len(items)} more"]
    return value
