"""What readers of every provider's wire share: members of a JSON value that may be anything."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

_NOTHING: Final[Mapping[str, Any]] = {}


def mapping_in(value: Any, name: str) -> Mapping[str, Any]:
    """The object that a member is; an empty one where it is none."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else _NOTHING


def text_in(value: Any, name: str) -> str | None:
    """The text that a member is; ``None`` where it is none, or empty."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) and found else None


def number_in(value: Any, name: str) -> float | None:
    """The number that a member is, if it can be a date of a few thousand years; else ``None``."""
    found = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found if isfinite(found) and abs(found) < _LARGEST else None


_LARGEST: Final = 10**11


def link_in(value: Any, name: str) -> str | None:
    """The link that a member is; ``None``: it is no text that begins as a URL of the web does."""
    found = text_in(value, name)
    return found if found is not None and found.startswith(("http://", "https://")) else None
