"""What answers in place of a provider: named errors and raw answers; and headers and patches, which go beside them."""

import re
from typing import Any, Final, Literal

from emulator.core.effects import Failure, Respond
from emulator.core.rules import RetryAfter
from emulator.core.words import ErrorName
from emulator.scenario_file import wording
from emulator.scenario_file.kinds import (
    ByShape,
    FreeKeys,
    Json,
    Kind,
    Mapped,
    Simple,
    Wrong,
    enum_word,
    whole,
    word,
)
from emulator.scenario_file.nodes import Scalar
from emulator.scenario_file.tables import AtLeastOne, AtMostOne, Key, Record, Table
from emulator.scenario_file.times import DURATION
from emulator.scenario_file.values import PLAIN_TEXT, JsonValue, TemplateText

# Errors

NAMED_ERROR: Final[Kind[ErrorName]] = enum_word(
    "a named error such as rate_limited", ErrorName, wording.ERRORS
)
_NAME = Key("name", NAMED_ERROR, "The named error that it is like: it decides status code and shape.")
_CODE = Key("code", PLAIN_TEXT, "The code that is printed in place of the provider's own.")
_MESSAGE = Key("message", TemplateText("text"), "The words that are printed in place of the provider's own.")
Shape = Literal["object", "string"]
_SHAPES: Final[dict[str, Shape]] = {"object": "object", "string": "string"}
_SHAPE: Key[Shape] = Key(
    "shape", word("object or string", _SHAPES), "string: the message alone stands where the object would."
)
_RULE_NAME = Key("name", NAMED_ERROR, "The named error: it decides status code and shape.", required=True)


def _failure(record: Record) -> Failure:
    return Failure(
        name=record.get(_NAME),
        code=record.get(_CODE),
        message=record.get(_MESSAGE),
        shape=record.get(_SHAPE, "object"),
    )


def _named(name: ErrorName) -> Failure:
    return Failure(name=name)


FAILURE: Final[Kind[Failure]] = ByShape(
    "a named error such as internal, or {code, message}",
    Mapped(NAMED_ERROR, _named),
    Table(
        "failure",
        (_NAME, _CODE, _MESSAGE, _SHAPE),
        _failure,
        constraints=(AtLeastOne(_NAME, _CODE, _MESSAGE, _SHAPE),),
        about="Why a task failed. What is left out is the provider's own.",
    ),
)
"""The error of a failed task."""

ERROR: Final[Kind[Failure]] = ByShape(
    "a named error such as rate_limited, or {name, code, message}",
    Mapped(NAMED_ERROR, _named),
    Table(
        "error",
        (_RULE_NAME, _CODE, _MESSAGE),
        _failure,
        about="A refusal in the provider's own form; code and message may be the author's.",
    ),
)
"""The error that an exchange gets."""

# Raw answers

_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection", "date"})
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _header_problem(name: str) -> str | None:
    if name.lower() in _FRAMING:
        return f"the server itself sets {name.lower()}"
    return None if _TOKEN.fullmatch(name) else f"{wording.quoted(name)} is no name of a header"


class _HeaderValue(TemplateText):
    def read(self, node: Any, path: Any, report: Any) -> str | None:
        value = super().read(node, path, report)
        written = node.text if isinstance(node, Scalar) else ""
        if not all(
            (" " <= character <= "\xff" and character != "\x7f") or character == "\t" for character in written
        ):
            report.mistake("wrong-value", node, path, "a header takes one line of Latin-1 characters")
        return value


HEADERS: Final = FreeKeys(
    _HeaderValue("the text of a header", scalars=True),
    "headers, such as {x-trace: abc}",
    _header_problem,
    {"pattern": f"^{_TOKEN.pattern}$"},
)
_STATUS_CODE = Key(
    "status_code", whole("a status code from 200 to 599", 200, 599), "Of HTTP; 200 where left out."
)
_HEADERS = Key("headers", HEADERS, "Header fields. Without content-type it follows from json or text.")
_JSON = Key("json", JsonValue("a JSON value", templates=True), "The body, as JSON.")
_TEXT = Key("text", TemplateText("text", scalars=True), "The body, as text.")
_NULL: Final = "{{ null }}"
"""A body of JSON null, where ``None`` means no body."""
_BODILESS: Final = (204, 205, 304)


def _check_respond(record: Record) -> None:
    body = next((key for key in (_JSON, _TEXT) if key in record), None)
    code = record.get(_STATUS_CODE)
    if body is not None and code in _BODILESS:
        record.mistake(
            record.key(body), f"an answer with status code {code} has no body", f"leave {body.word!r} out"
        )


def _respond(record: Record) -> Respond:
    body: Any = record.get(_TEXT)
    if _JSON in record:
        body = record[_JSON] if record[_JSON] is not None else _NULL
    return Respond(
        status_code=record.get(_STATUS_CODE, 200),
        headers=record.get(_HEADERS, ()),
        body=body,
        is_text=_TEXT in record,
    )


RESPOND: Final = Table(
    "respond",
    (_STATUS_CODE, _HEADERS, _JSON, _TEXT),
    _respond,
    constraints=(AtMostOne(_JSON, _TEXT), AtLeastOne(_STATUS_CODE, _HEADERS, _JSON, _TEXT)),
    check=_check_respond,
    about="An answer written out, in place of the provider's.",
    shorthand="status_code",
)

# What goes beside an effect

PATCH: Final = JsonValue("a mapping of keys to change", templates=True, only_mapping=True)
"""A JSON merge patch; on an object, so it is one itself."""


WAIT_SCHEMA: Final[Json] = {"anyOf": [{"const": "none"}, {"$ref": "#/$defs/duration"}]}


def wait(scalar: Scalar) -> RetryAfter:
    """A wait, or none; `Wrong` for anything else."""
    if scalar.text == "none":
        return RetryAfter(None)
    return RetryAfter(DURATION.parse(scalar))


_HTTP_DATE = Key("http_date", DURATION, "The wait, written as the date at which it ends.", required=True)
RETRY_AFTER: Final[Kind[RetryAfter]] = ByShape(
    "a wait such as 5s, {http_date: 5s} or none",
    Simple("a wait such as 5s, or none", wait, WAIT_SCHEMA),
    Table("retry after", (_HTTP_DATE,), lambda record: RetryAfter(record[_HTTP_DATE], as_date=True)),
)


def _pass(scalar: Scalar) -> Literal["pass"]:
    if scalar.plain and scalar.text == "true":
        return "pass"
    raise Wrong(hint="leave 'pass' out where the rule shall not stop the search")


PASS: Final = Simple("true", _pass, {"const": True})
