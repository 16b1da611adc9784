"""Why a task fails, as requests say it: the same values as ``error`` takes in scenario files, by the same readers."""

import json
from typing import Any, Final

from emulator.control.fields import Field, Kind, Nested, Wrong, one_of, read_fields, table
from emulator.core.effects import Failure
from emulator.core.words import ErrorName
from emulator.scenario_file import kinds
from emulator.scenario_file.effects import NAMED_ERROR
from emulator.scenario_file.nodes import Scalar
from emulator.scenario_file.report import Report
from emulator.scenario_file.values import PLAIN_TEXT, TemplateText

_LONGEST: Final = 10_000


def _read_by(kind: kinds.Kind[Any], value: Any) -> Any:
    """A single JSON value, read as scenario files have it."""
    if isinstance(value, dict | list):
        raise Wrong
    report = Report("request", "")
    node = Scalar(value, False, 0, 0) if isinstance(value, str) else Scalar(json.dumps(value), True, 0, 0)
    read = kind.read(node, (), report)
    for problem in report.problems.values():
        if problem.message.startswith("expected "):
            raise Wrong(problem.hint or "")
        raise ValueError(f"{problem.message}; {problem.hint}" if problem.hint else problem.message)
    return read


def _words(kind: kinds.Kind[Any]) -> Kind:
    """Words that are printed."""

    def read(value: Any) -> Any:
        if isinstance(value, str) and len(value) > _LONGEST:
            raise ValueError(f"expected a text of at most {_LONGEST:,} characters, got {len(value):,}")
        return _read_by(kind, value)

    return Kind("a text", read, {"type": "string", "maxLength": _LONGEST})


_NAMED: Final = Kind(
    NAMED_ERROR.expected,
    lambda value: _read_by(NAMED_ERROR, value),
    {"type": "string", "enum": list(ErrorName)},
)
_FIELDS: Final = (
    Field("name", _NAMED, "The named error that it is like."),
    Field("code", _words(PLAIN_TEXT), "The code that is printed in place of the provider's own."),
    Field(
        "message",
        _words(TemplateText("a text")),
        "The words that are printed in place of the provider's own. Templates are filled in.",
    ),
    Field(
        "shape",
        one_of("object", "string"),
        "string: the message alone stands where the object would.",
        default="object",
    ),
)
_OBJECT: Final = table("an object with name, code, message or shape", _FIELDS)


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return _NAMED.read(value)
    if not value:
        raise Wrong("give it name, code, message or shape")
    return Nested(*read_fields(_FIELDS, value))


FAILURE: Final = Kind(
    "a named error such as internal, or an object with name, code, message or shape",
    _read,
    {"anyOf": [_NAMED.schema, {**_OBJECT.schema, "minProperties": 1}]},
)
"""Read as what `failure_in` takes."""


def failure_in(read: Any) -> Failure | None:
    """The failure that a field of kind `FAILURE` asks for; ``None``: it isn't given."""
    if read is None:
        return None
    return Failure(**read) if isinstance(read, dict) else Failure(name=read)
