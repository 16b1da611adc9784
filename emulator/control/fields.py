"""What requests to the control API may say: kinds of values, each with its JSON Schema, and tables of fields.

One definition reads a request, reports every mistake in it, and describes it in OpenAPI.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

import msgspec
import orjson

from emulator.core import units
from emulator.messages.problem import Mistake

Json = dict[str, Any]
_SHOWN: Final = 200
_SHOWN_NAME: Final = 100


class Wrong(ValueError):
    """A value that isn't of its kind; a text says why, where `expected` doesn't."""


class Kind(msgspec.Struct, frozen=True):
    """A kind of value."""

    expected: str
    """As it ends "expected ..."."""
    read: Callable[[Any], Any]
    """From a JSON value; raises `Wrong`, or a `ValueError` whose text says what was expected."""
    schema: Json
    of_text: Callable[[str], Any] = str
    """From a text of the query to the JSON value that `read` takes."""


class Field(msgspec.Struct, frozen=True):
    """One field of a body, a query or a path."""

    name: str
    kind: Kind
    about: str
    required: bool = False
    default: Any = None
    """What a field that isn't given reads as."""


# Kinds


def _typed(wanted: type, check: Callable[[Any], bool] | None = None) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise Wrong
        if check is not None and not check(value):
            raise Wrong
        return value

    return read


def text(expected: str = "a text", *, pattern: str | None = None, longest: int = 1000) -> Kind:
    """A text, which matches ``pattern`` as a whole where there is one."""
    import re  # noqa: PLC0415 - patterns are compiled by the few routes that have one

    compiled = None if pattern is None else re.compile(pattern)

    def fits(value: str) -> bool:
        return 0 < len(value) <= longest and (compiled is None or compiled.fullmatch(value) is not None)

    schema: Json = {"type": "string", "minLength": 1, "maxLength": longest}
    if pattern is not None:
        schema["pattern"] = f"^(?:{pattern})$"
    return Kind(expected, _typed(str, fits), schema)


def one_of(*words: str) -> Kind:
    """One of a few words."""

    def read(value: Any) -> str:
        if isinstance(value, str) and value in words:
            return value
        near = get_close_matches(value, words, n=1) if isinstance(value, str) else []
        raise Wrong(f"did you mean {near[0]}?" if near else "")

    return Kind(f"one of {', '.join(words)}", read, {"type": "string", "enum": list(words)})


def whole(low: int, high: int) -> Kind:
    """A whole number between two others, which are among them."""

    def of_text(given: str) -> Any:
        digits = given.removeprefix("-")
        return int(given) if digits.isascii() and digits.isdigit() and len(digits) < 19 else given

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # to JSON Schema 3.0 is an integer too
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong
        return value

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Kind(f"a whole number from {low} to {high}", read, schema, of_text)


def number(expected: str, above: float, most: float) -> Kind:
    """A number above one and at most another."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Wrong
        if not above < value <= most:
            raise Wrong
        return float(value)

    return Kind(expected, read, {"type": "number", "exclusiveMinimum": above, "maximum": most})


def _flag_of(given: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(given.lower(), given)


FLAG: Final = Kind("true or false", _typed(bool), {"type": "boolean"}, _flag_of)


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        raise Wrong
    return units.parse_duration(value)


_DURATION_PATTERN: Final = r"^(?:[0-9]{1,15}(?:\.[0-9]{1,15})?(?:us|ms|s|m|h|d))+$"
DURATION: Final = Kind(
    "a duration such as 500ms, 5s or 4m15s",
    _duration,
    {"type": "string", "pattern": _DURATION_PATTERN, "maxLength": 200, "examples": ["4m15s"]},
)
"""Read as whole microseconds."""


def _instant(value: Any) -> int:
    if not isinstance(value, str):
        raise Wrong
    try:
        return units.parse_instant(value)
    except OverflowError as problem:
        raise Wrong from problem


INSTANT: Final = Kind(
    "an instant such as 2025-01-01T00:00:00Z",
    _instant,
    {"type": "string", "format": "date-time", "examples": ["2025-01-01T00:00:00Z"]},
)
"""Read as whole microseconds since 1970."""


def anything(schema: Json, expected: str = "a JSON value") -> Kind:
    """A JSON value that the handler looks into itself."""
    return Kind(expected, lambda value: value, schema)


def an_object(expected: str, schema: Json | None = None) -> Kind:
    """A JSON object that the handler looks into itself."""
    return Kind(expected, _typed(dict), schema or {"type": "object"})


def listed(kind: Kind, most: int) -> Kind:
    """A list of values of one kind."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) > most:
            raise Wrong
        return [kind.read(item) for item in value]

    schema = {"type": "array", "items": kind.schema, "maxItems": most}
    return Kind(f"a list, at most {most} long, of: {kind.expected}", read, schema)


def table(expected: str, fields: Sequence[Field]) -> Kind:
    """An object with fields of its own."""

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise Wrong
        return Nested(*read_fields(fields, value))

    return Kind(expected, read, object_schema(fields))


class Nested(msgspec.Struct, frozen=True):
    """What an object inside of another was read as, and the mistakes in it."""

    values: dict[str, Any]
    mistakes: list[Mistake]


# Reading


def read_fields(
    fields: Sequence[Field], given: Mapping[str, Any], *, is_text: bool = False
) -> tuple[dict[str, Any], list[Mistake]]:
    """The value of every field, its default where it isn't given, and every mistake.

    ``is_text``: the values are texts of a query or a path.
    """
    values: dict[str, Any] = {field.name: field.default for field in fields}
    mistakes = [_stranger(name, fields) for name in given if name not in values]
    for field in fields:
        if field.name not in given:
            if field.required:
                message = f"expected {field.kind.expected}, got nothing"
                mistakes.append(Mistake(where=field.name, message=message))
            continue
        value = given[field.name]
        read, wrong = _read(field, field.kind.of_text(value) if is_text else value)
        values[field.name] = read
        mistakes.extend(wrong)
    return values, mistakes


def _read(field: Field, value: Any) -> tuple[Any, list[Mistake]]:
    try:
        read = field.kind.read(value)
    except Wrong as problem:
        message = f"expected {field.kind.expected}, got {shown(value)}"
        return None, [Mistake(where=field.name, message=message, hint=str(problem) or None)]
    except ValueError as problem:
        return None, [Mistake(where=field.name, message=str(problem))]
    if isinstance(read, Nested):
        inner = [
            msgspec.structs.replace(m, where=f"{field.name}.{m.where}" if m.where else field.name)
            for m in read.mistakes
        ]
        return read.values, inner
    return read, []


def _stranger(name: str, fields: Sequence[Field]) -> Mistake:
    known = [field.name for field in fields]
    near = get_close_matches(name, known, n=1)
    wanted = ", ".join(known) or "nothing"
    hint = f"did you mean {near[0]}?" if near else None
    return Mistake(where=name[:_SHOWN_NAME], message=f"unknown; expected {wanted}", hint=hint)


def shown(value: Any) -> str:
    """A value as a message shows it."""
    written = orjson.dumps(value, default=repr).decode()
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}..."


def object_schema(fields: Sequence[Field]) -> Json:
    """The JSON Schema of an object with these fields and no others."""
    schema: Json = {
        "type": "object",
        "properties": {field.name: {**field.kind.schema, "description": field.about} for field in fields},
        "additionalProperties": False,
    }
    required = [field.name for field in fields if field.required]
    return {**schema, "required": required} if required else schema
