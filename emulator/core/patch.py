"""JSON merge patch (RFC 7396)."""

from collections.abc import Mapping
from typing import Any


def merge(target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` merged over it: objects merge by key, ``None`` removes a key, all else replaces.

    Neither argument is changed. Key order is the target's, then the patch's new keys.
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged
