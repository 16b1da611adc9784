"""JSON merge patch (RFC 7396)."""

from collections.abc import Mapping
from typing import Any


def merge(target: Any, patch: Any, written: Any = None) -> Any:
    """``target`` with ``patch`` merged over it: objects merge by key, ``None`` removes a key, all else replaces.

    Neither argument is changed. Key order is the target's, then the patch's new keys.

    Args:
        target: what is patched.
        patch: the patch.
        written: the patch as its author wrote it, where its templates have been filled since: what came to be null
            by a template is put there as null, and removes nothing.
    """
    written = patch if written is None else written
    if not isinstance(patch, Mapping) or not isinstance(written, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None and written[key] is None:
            merged.pop(key, None)
        elif value is None:
            merged[key] = None
        else:
            merged[key] = merge(merged.get(key), value, written[key])
    return merged
