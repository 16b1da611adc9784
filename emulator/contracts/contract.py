"""Contracts: what a provider answers, for each operation and outcome, as JSON Schema with the source of each part.

They are written down in the YAML files beside this module, by hand and from the sources, not made from the code that
answers: so each can be held against the other, and both against the real provider.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal

import msgspec

from emulator.contracts.reading import PLACE, Json, file_named
from emulator.core.words import ErrorName, OperationName, Profile, Situation

Confidence = Literal["documented", "inferred", "our choice"]
"""``documented``: by the provider's own pages. ``inferred``: from clients, the gateway's source, or OpenAI, whose API
it follows. ``our choice``: no source shows it."""

_BOTH: Final = ("documented", "current")
_MEDIA_TYPE: Final = "application/json"
_ERRORS: Final = frozenset({*ErrorName, *Situation})


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a provider's table, as a contract describes it."""

    key: str
    """What the contract calls it: its operation's name for the row that clients go by, another for others."""
    name: OperationName
    method: str
    path: str
    """Below the base path."""
    about: str
    source: str
    request: Json | None = None
    """The schema of the body that it takes; ``None``: it reads none."""
    media_types: Sequence[str] = (_MEDIA_TYPE,)
    """Those of such bodies."""
    query: Json | None = None
    """What its query may say: schemas by name."""
    profiles: Sequence[Profile] = tuple(Profile)
    """The faces that have it."""
    like: str | None = None
    """The key of the row whose outcomes it has too, short of those of its own."""
    errors_like: str | None = None
    """Likewise, of that row's errors alone."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A header field that answers carry."""

    name: str
    """In lower case."""
    place: str
    source: str
    confidence: Confidence
    pattern: str | None = None
    """What its value matches; ``None``: anything."""
    expected: str = "a value"
    """The same in words."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One way in which an operation ends. Equal to itself alone: a contract's answers are made once."""

    name: str
    """The outcome: a status of a task, ``created``, ``batch``, ``video``, or the name of an error."""
    operation: str
    """The key of its row, or ``download``."""
    profile: Profile
    place: str
    source: str
    confidence: Confidence
    status_code: int = 200
    media_type: str = _MEDIA_TYPE
    schema: Json | None = None
    """Of the JSON body; ``None``: it has none."""
    known_by: tuple[str, ...] = ()
    """Members by which it is told from other outcomes with the same status code, dotted."""
    items: tuple[str, ...] = ()
    """The outcomes that the members of its list ``items`` may show, of a batch."""
    headers: tuple[Header, ...] = ()
    """Beside those that every answer has."""


class Contract(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All that is known of a provider's answers. Equal to itself alone, as its answers are."""

    provider: str
    title: str
    sources: Mapping[str, str]
    """What the short names of sources stand for."""
    operations: Mapping[str, Operation]
    """By their keys."""
    answers: tuple[Answer, ...]
    headers: tuple[Header, ...]
    """Of every answer, but that of `OperationName.DOWNLOAD`, which the storage behind the links gives."""

    def outcomes(self, operation: str, profile: Profile) -> tuple[Answer, ...]:
        """Every way in which a row's operation may end in a profile."""
        own = tuple(a for a in self.answers if a.operation == operation and a.profile is profile)
        row = self.operations.get(operation)
        if row is None or profile not in row.profiles:
            return own
        names = {answer.name for answer in own}
        alike = self.outcomes(row.like, profile) if row.like else ()
        errors = self.outcomes(row.errors_like, profile) if row.errors_like else ()
        others = (*alike, *(answer for answer in errors if answer.name in _ERRORS))
        return (*own, *(answer for answer in others if answer.name not in names))

    def outcome(self, operation: str, profile: Profile, name: str) -> Answer | None:
        """The way in which it ends that goes by this name; ``None``: there is none in this profile."""
        return next((a for a in self.outcomes(operation, profile) if a.name == name), None)


@cache
def contract_of(provider: str) -> Contract:
    """The contract of a provider. ``FileNotFoundError``: there is none of this name."""
    files = list(_files(provider))
    own = files[-1]
    shapes = {name: shape for file in files for name, shape in _named(file, "shapes")}
    operations = [_operation(name, told) for file in files for name, told in _named(file, "operations")]
    # What a file says goes before what it builds upon says.
    answers = {(a.operation, a.profile, a.name): a for file in files for a in _answers(file, shapes)}
    return Contract(
        provider=own["provider"],
        title=own["title"],
        sources={name: text for file in files for name, text in _named(file, "sources")},
        operations={operation.key: operation for operation in operations},
        answers=tuple(answers.values()),
        headers=tuple(_header(told) for file in files for told in file.get("headers", ())),
    )


def _files(name: str) -> Iterator[Json]:
    """The file of this name, after those that it builds upon."""
    file = file_named(name)
    if "extends" in file:
        yield from _files(file["extends"])
    yield file


def _named(file: Json, section: str) -> Iterable[tuple[str, Any]]:
    return ((name, value) for name, value in file.get(section, {}).items() if name != PLACE)


def _operation(key: str, told: Json) -> Operation:
    values = {name: value for name, value in told.items() if name not in (PLACE, "name", "profiles")}
    profiles = tuple(map(Profile, told.get("profiles", _BOTH)))
    return Operation(key=key, name=OperationName(told.get("name", key)), profiles=profiles, **values)


def _header(told: Json) -> Header:
    values = {key: value for key, value in told.items() if key != PLACE}
    return Header(place=told[PLACE], **values)


# Answers


def _answers(file: Json, shapes: Mapping[str, Json]) -> Iterator[Answer]:
    for told in file.get("answers", ()):
        yield from _spread(told, told["name"], _schema(told, shapes))
    for table in file.get("errors", ()):
        for name, row in _named(table, "names"):
            told = {**table, **row}
            yield from _spread(told, name, _error_schema(told, shapes))


def _spread(told: Json, name: str, schema: Json | None) -> Iterator[Answer]:
    """The answer for each operation and profile that it is told of."""
    known_by = told.get("known_by", ())
    for operation in told["operations"]:
        for profile in told.get("profiles", _BOTH):
            yield Answer(
                name=name,
                operation=operation,
                profile=Profile(profile),
                place=told[PLACE],
                source=told["source"],
                confidence=told.get("confidence", "documented"),
                status_code=told.get("status_code", 200),
                media_type=told.get("media_type", _MEDIA_TYPE),
                schema=schema,
                known_by=(known_by,) if isinstance(known_by, str) else tuple(known_by),
                items=tuple(told.get("items", ())),
                headers=tuple(map(_header, told.get("headers", ()))),
            )


def _schema(told: Json, shapes: Mapping[str, Json]) -> Json | None:
    """The JSON Schema of an answer: a shape's members, with its own in their place."""
    if "members" not in told and "shape" not in told:
        return told.get("schema")
    built = _built(told, shapes)
    members = dict(built["members"])
    place = members.pop(PLACE)
    properties = {name: schema for name, schema in members.items() if name not in built["absent"]}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in built["optional"]],
        "additionalProperties": False,
        PLACE: place,
    }


def _built(told: Json, shapes: Mapping[str, Json]) -> Json:
    """Members and lists of an answer or a shape, over those of the shape that it builds upon."""
    under = _built(shapes[told["shape"]], shapes) if "shape" in told else _NOTHING
    return {
        "members": {**under["members"], **told.get("members", {})},
        "optional": [*under["optional"], *told.get("optional", ())],
        "absent": [*under["absent"], *told.get("absent", ())],
    }


_NOTHING: Final[Json] = {"members": {}, "optional": (), "absent": ()}


def _error_schema(told: Json, shapes: Mapping[str, Json]) -> Json | None:
    """That of an error: its family's shape, with the code that it has there."""
    schema = _schema({"shape": told["shape"], PLACE: told[PLACE]}, shapes)
    if schema is None or "code" not in told:
        return schema
    # A client tells errors apart by their status codes first: another code is no more than a warning.
    code: Json = {"const": told["code"], "x-severity": "warning", PLACE: told[PLACE]}
    properties = schema["properties"]
    if "code" in properties:
        return {**schema, "properties": {**properties, "code": code}}
    error = properties["error"]
    worded = {**error, "properties": {**error["properties"], "code": code}}
    return {**schema, "properties": {**properties, "error": worded}}
