"""The files of this package, read as plain values in which every mapping says where it stands."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

Json = dict[str, Any]
PLACE: Final = "x-place"
"""The key under which a mapping says its file and line, from 1."""
FOLDER: Final = Path(__file__).parent
_SHOWN: Final = "emulator/contracts"
"""How a place names the folder: as in a clone, which is where it is changed."""
_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def file_named(name: str) -> Json:
    """What ``NAME.yaml`` holds. Don't change what you get: it is shared."""
    file = f"{name}.yaml"
    loader = _Loader((FOLDER / file).read_text(encoding="utf-8"))
    try:
        value = _value(loader.get_single_node(), loader, f"{_SHOWN}/{file}", 0)
    finally:
        loader.dispose()
    assert isinstance(value, dict)
    return value


def _value(node: Any, loader: Any, file: str, line: int) -> Any:
    """A node's value. A mapping's line is that of the name that it has in another one, also where it is an alias."""
    if isinstance(node, yaml.MappingNode):
        found: Json = {
            key.value: _value(value, loader, file, key.start_mark.line) for key, value in node.value
        }
        if isinstance(found.get("properties"), dict):
            del found["properties"][PLACE]  # there it would be a property
        found[PLACE] = f"{file}:{line + 1}"
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, loader, file, item.start_mark.line) for item in node.value]
    return loader.construct_object(node)


def without_places(value: Any) -> Any:
    """The value as other readers of JSON Schema want it: without places, and without our own remarks."""
    if isinstance(value, dict):
        return {name: without_places(item) for name, item in value.items() if name not in _OURS}
    return [without_places(item) for item in value] if isinstance(value, list) else value


_OURS: Final = frozenset({PLACE})
