"""Where too few requests fit: the paths that came and are spelt alike, and the names of fields that are."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from emulator.core.matching import ABSENT
from emulator.journal import Record
from emulator.redaction import Redactor
from emulator.verification.criteria import path_for, value_of
from emulator.verification.pattern import Pattern
from emulator.verification.received import fields_in
from emulator.verification.wording import cut, texts_in

_LOOKED_AT: Final = 50
"""How many different requests are compared: spelling is costly to compare."""
_LONGEST: Final = 200
_PATHS: Final = 3
_HEADER: Final = "header."


def comparable(records: Sequence[Record]) -> list[Record]:
    """The latest requests, one of each method, path and set of fields."""
    latest: dict[Any, Record] = {}
    for record in islice(reversed(records), _LOOKED_AT * 20):
        latest.setdefault((record.method, record.path, *_names(record)), record)
        if len(latest) == _LOOKED_AT:
            break
    return list(latest.values())


def path_hints(pattern: Pattern, namespace: str, near: Iterable[Record], redactor: Redactor) -> Iterator[str]:
    """The paths among those of ``near`` that are spelt like what was asked for."""
    if pattern.path is None:
        return
    path_of = path_for(pattern.path, f"/ns/{namespace}")
    paths = list(dict.fromkeys(path_of(record)[:_LONGEST] for record in near))
    found = [path for text in texts_in(pattern.path) for path in _alike(text, paths)]
    if found:
        told = ", ".join(cut(redactor.text(path)) for path in list(dict.fromkeys(found))[:_PATHS])
        yield f"paths that came: {told}"


def name_hints(
    pattern: Pattern, records: Sequence[Record], near: Sequence[Record], redactor: Redactor
) -> Iterator[str]:
    """What fields that no request has may be called: names that requests in ``near`` have."""
    for field in dict.fromkeys(line.field for line in pattern.match):
        value = value_of(field)
        if field in {"key", "id"} or any(value(record) is not ABSENT for record in records):
            continue
        is_header = field.startswith(_HEADER)
        names = {name for record in near for name in (_headers(record) if is_header else _names(record))}
        for alike in _alike(field.lower() if is_header else field, sorted(names))[:1]:
            asked, meant = (cut(redactor.text(name)) for name in (field, alike))
            yield f"no request has {asked}; did you mean {meant}?"


def _alike(text: str, texts: Sequence[str]) -> list[str]:
    # Imported when first needed: most expectations hold.
    from difflib import get_close_matches  # noqa: PLC0415

    return get_close_matches(text[:_LONGEST], texts, _PATHS, 0.7)


def _headers(record: Record) -> list[str]:
    return [f"{_HEADER}{name.decode('latin-1')}"[:_LONGEST] for name in record.headers]


def _names(record: Record) -> list[str]:
    """The fields of the request's body, and those one level below them, dotted."""
    fields = fields_in(record.body) if record.body else None
    if not isinstance(fields, dict):
        return []
    below = [f"{name}.{own}" for name, value in fields.items() if isinstance(value, dict) for own in value]
    return [name[:_LONGEST] for name in islice((*fields, *below), _LOOKED_AT)]
