"""What JSON Schema's keywords have to say of a body, as findings."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator

from emulator.contracts.contract import Answer
from emulator.contracts.findings import Finding, Kind, in_words, name_in_words, weighed
from emulator.contracts.reading import PLACE, Json


def of_body(answer: Answer, body: Any) -> Iterator[Finding]:
    """All that a JSON body has otherwise than the answer's schema."""
    told: set[tuple[str, str]] = set()
    for problem in _validator(answer).iter_errors(body):
        for finding in _of_problem(answer, problem):
            # One that several of a list's items share is one finding.
            if (finding.member, finding.kind) not in told:
                told.add((finding.member, finding.kind))
                yield finding


@cache
def _validator(answer: Answer) -> Any:
    return Draft202012Validator(answer.schema or {})


def _of_problem(answer: Answer, problem: Any) -> Iterator[Finding]:
    marks = _marks(answer.schema or {}, problem.absolute_schema_path)
    at = list(problem.absolute_path)
    words = _WORDS_OF.get(str(problem.validator), _value)
    for kind, name, expected, got in words(problem):
        member = _dotted([*at, name] if name else at)
        noted = {**marks, **_marks_of_member(problem, name)}
        confidence = noted.get("x-confidence", answer.confidence)
        severity = weighed(kind, confidence, noted.get("x-severity", "error"), noted.get("x-gravity"))
        if kind == "field added" and got == "null":
            severity = weighed("header", confidence)  # a client that asks whether it is there meets nothing
        yield Finding(
            kind=kind,
            severity=severity,
            operation=answer.operation,
            outcome=answer.name,
            member=member,
            expected=expected,
            got=got,
            place=noted.get(PLACE, answer.place),
            source=noted.get("x-source", answer.source),
            confidence=confidence,
            profile=answer.profile,
        )


def _marks(schema: Any, path: Iterable[Any]) -> Json:
    """The remarks of the contract's author on the way to a part of a schema, the nearest of each."""
    found: Json = {}
    for step in [None, *path]:
        if step is not None:
            schema = schema[step]
        if isinstance(schema, dict):
            found.update({name: value for name, value in schema.items() if name.startswith("x-")})
    return found


def _marks_of_member(problem: Any, name: str | None) -> Json:
    """Those on a member that isn't there, and so isn't on the way."""
    own = (problem.schema.get("properties") or {}).get(name) if isinstance(problem.schema, dict) else None
    if problem.validator != "required" or not isinstance(own, dict):
        return {}
    return {key: value for key, value in own.items() if key.startswith("x-")}


def _dotted(path: Sequence[Any]) -> str:
    text = ""
    for step in path:
        text += "[]" if isinstance(step, int) else f".{name_in_words(str(step))}"
    return text.removeprefix(".")


# What each keyword of JSON Schema has to say: kind, name of a member within the place, what was expected, what came


_Words: TypeAlias = Iterator[tuple[Kind, str | None, str, str]]


def _required(problem: Any) -> _Words:
    # The library tells of one missing member at a time, and not which.
    for name in problem.validator_value:
        if name not in problem.instance:
            yield "field removed", name, _described(problem.schema["properties"].get(name)), "nothing"


def _additional(problem: Any) -> _Words:
    known = problem.schema.get("properties") or {}
    for name, value in problem.instance.items():
        if name not in known:
            yield "field added", name, "no such member", in_words(value) if value is None else _kind_of(value)


def _type(problem: Any) -> _Words:
    yield "type changed", None, _described(problem.schema), _kind_of(problem.instance)


def _const(problem: Any) -> _Words:
    wanted, value = problem.validator_value, problem.instance
    expected = problem.schema.get("x-expected") or _exactly(wanted)
    if _kind_of(wanted) != _kind_of(value):
        yield "type changed", None, expected, _kind_of(value)
    elif isinstance(wanted, str) and wanted:
        yield "new word", None, expected, in_words(value)
    else:
        yield "value changed", None, expected, _plain(value)


def _enum(problem: Any) -> _Words:
    words = [str(word) for word in problem.validator_value]
    expected = f"one of {', '.join(map(repr, words))}"
    if not isinstance(problem.instance, str):
        yield "type changed", None, expected, _kind_of(problem.instance)
    else:
        yield "new word", None, expected, in_words(problem.instance)


def _pattern(problem: Any) -> _Words:
    expected = problem.schema.get("x-expected", f"a text that matches {problem.schema.get('pattern')}")
    yield "format changed", None, expected, f"a text of {len(problem.instance)} characters"


def _value(problem: Any) -> _Words:
    yield "value changed", None, _described(problem.schema), _plain(problem.instance)


_WORDS_OF: Final[Mapping[str, Callable[[Any], _Words]]] = {
    "required": _required,
    "additionalProperties": _additional,
    "type": _type,
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
}


def _exactly(value: Any) -> str:
    if isinstance(value, str):
        return repr(value) if value else "an empty text"
    return str(value).lower() if isinstance(value, bool) else str(value)


_TYPES: Final = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def _described(schema: Any) -> str:
    """A schema in words."""
    if not isinstance(schema, dict):
        return "a value"
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "const" in schema:
        return _exactly(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(repr(word) for word in schema['enum'])}"
    types = schema.get("type", [])
    words = " or ".join(_TYPES[word] for word in ([types] if isinstance(types, str) else types)) or "a value"
    bounds = [f"{word} {schema[name]}" for name, word in _BOUNDS.items() if name in schema]
    return f"{words} ({', '.join(bounds)})" if bounds else words


_BOUNDS: Final = {"minimum": "at least", "maximum": "at most", "minLength": "length at least"}


def _kind_of(value: Any) -> str:
    if isinstance(value, str):
        return "a text"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return in_words(value)


def _plain(value: Any) -> str:
    """A number as it is; everything else by its kind alone."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number and abs(value) < _TELLING else in_words(value)


_TELLING: Final = 10**6
"""A larger number may be somebody's."""
