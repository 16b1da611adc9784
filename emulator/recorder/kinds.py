"""Kinds of requests: which creates ask for the same, whatever their prompts say."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.recorder.disguise import MARKS, TELLING
from emulator.recorder.stretches import Json

_ATTACHED: Final = frozenset(
    {"image", "images", "image_url", "image_urls", "input_reference", "video", "video_url", "callback_url"}
)
"""What changes what happens by being there at all."""
_PLAIN: Final = re.compile(r"[\w.:/+\- ]{1,40}")

Kind = tuple[tuple[str, Any], ...]


def kind_of(request: Mapping[str, Any]) -> Kind:
    """What a request asks for; ``request`` has nothing private in it."""
    told = {name: request[name] for name in sorted(TELLING & set(request)) if _is_plain(request[name])}
    attached = {name: True for name in sorted(_ATTACHED & set(request)) if request[name]}
    return (*told.items(), *((f"{name}?", there) for name, there in attached.items()))


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return value not in MARKS and "*" not in value and _PLAIN.fullmatch(value) is not None
    return isinstance(value, int | float)


def match_of(kind: Kind, kinds: Sequence[Kind]) -> Json:
    """What tells a kind from the others, as ``match`` says it."""
    names = list(dict.fromkeys(name for one in kinds for name, _ in one))
    match: Json = {}
    for name in names:
        values = {repr(dict(one).get(name)) for one in kinds}
        if len(values) == 1:
            continue
        value = dict(kind).get(name)
        field = name.removesuffix("?")
        if name.endswith("?") or value is None:
            match[field] = {"exists": value is not None}
        else:
            match[field] = value
    return match
