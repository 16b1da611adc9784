"""Answers as a report shows them: every name, number and word that a contract knows, and no value besides.

What may stand in a report is listed, not what may not: so a key, an id or a signature needs no recognizing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec

from emulator.contract.calling import Ask, Came
from emulator.contracts.contract import Contract
from emulator.contracts.findings import name_in_words
from emulator.core.units import Duration

T = TypeVar("T")
_WORDED: Final = frozenset({"status", "state", "code", "type", "object"})
"""Members that hold a word of the provider's, be it one that nobody knows yet."""
_WORD: Final = r"[A-Za-z]+([ _.-][A-Za-z]+){0,5}"
_LONGEST_WORD: Final = 40
_SHOWN_HEADERS: Final = ("content-type", "content-length", "content-range", "accept-ranges", "retry-after")
_SAFE_HEADER: Final = r"[A-Za-z0-9 ;,=/.*+:_-]{1,80}"
_UUID: Final = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_DEEPEST: Final = 12
_LONGEST: Final = 20
"""Items of a list that are shown."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange, without anything that is somebody's."""

    method: str
    path: str
    """As the contract has it, with its ``{...}``."""
    status_code: int
    headers: Mapping[str, str]
    body: Any = None
    """Of JSON: the same with masks in place of values."""
    what: str | None = None
    """What the body is in place of JSON."""
    took: Duration = 0


def sample_of(contract: Contract, ask: Ask, path: str, came: Came) -> Sample:
    """The exchange as a report shows it."""
    response = came.response
    body = _masked(response.body, "", _vocabulary(contract), 0) if response.is_json else None
    return Sample(
        method=ask.method,
        path=path,
        status_code=response.status_code,
        headers=dict(_headers(contract, response.headers)),
        body=body,
        what=None if response.is_json else response.what,
        took=came.took,
    )


def hidden(value: T, secrets: Sequence[str]) -> T:
    """A struct, or JSON values, with a mark wherever one of these texts stands: in names, words and values alike."""
    if isinstance(value, str):
        found: Any = value
        for secret in secrets:
            found = found.replace(secret, _HIDDEN)
        return cast("T", found)
    if isinstance(value, dict):
        told: Any = {hidden(name, secrets): hidden(item, secrets) for name, item in value.items()}
        return cast("T", told)
    if isinstance(value, list):
        items: Any = [hidden(item, secrets) for item in value]
        return cast("T", items)
    if isinstance(value, msgspec.Struct):
        fields: Any = {name: hidden(getattr(value, name), secrets) for name in value.__struct_fields__}
        return cast("T", msgspec.structs.replace(value, **fields))
    return value


_HIDDEN: Final = "<key>"


class _Vocabulary(msgspec.Struct, frozen=True):
    words: frozenset[str]
    """Every word that the contract names."""
    numbers: frozenset[str]
    """Members that are numbers, by the contract."""


@cache
def _vocabulary(contract: Contract) -> _Vocabulary:
    words: set[str] = set()
    numbers: set[str] = set()
    for answer in contract.answers:
        for name, schema in _members("", answer.schema):
            told = [schema.get("const"), *schema.get("enum", ())]
            words.update(word for word in told if isinstance(word, str))
            types = schema.get("type", ())
            if {"integer", "number"} & ({types} if isinstance(types, str) else set(types)):
                numbers.add(name)
            numbers.update([name] if isinstance(schema.get("const"), int) else [])
    return _Vocabulary(frozenset(words), frozenset(numbers))


def _members(name: str, schema: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(schema, dict):
        return
    yield name, schema
    for inner, of_inner in schema.get("properties", {}).items():
        yield from _members(inner, of_inner)
    for inner_schema in (schema.get("items"), *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _members(name, inner_schema)


def _masked(value: Any, name: str, vocabulary: _Vocabulary, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if name in vocabulary.numbers else "<number>"
    if isinstance(value, str):
        return _masked_text(value, name, vocabulary)
    if depth >= _DEEPEST:
        return "<deeper>"
    if isinstance(value, list):
        shown = [_masked(item, name, vocabulary, depth + 1) for item in value[:_LONGEST]]
        return shown if len(value) <= _LONGEST else [*shown, f"<{len(value) - _LONGEST} more>"]
    return {
        name_in_words(key): _masked(item, key, vocabulary, depth + 1)
        for key, item in list(value.items())[:100]
    }


def _masked_text(text: str, name: str, vocabulary: _Vocabulary) -> str:
    if not text or text in vocabulary.words:
        return text
    if name in _WORDED and len(text) <= _LONGEST_WORD and re.fullmatch(_WORD, text):
        return text
    if re.fullmatch(_UUID, text):
        return "<uuid>"
    kind = "link" if text.startswith(("http://", "https://")) else "text"
    return f"<{kind} of {len(text)} characters>"


def _headers(contract: Contract, headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in _SHOWN_HEADERS:
        value = headers.get(name)
        if value is not None:
            yield name, value if re.fullmatch(_SAFE_HEADER, value) else f"<text of {len(value)} characters>"
    for header in contract.headers:
        value = headers.get(header.name)
        if value is not None:
            yield header.name, f"<text of {len(value)} characters>"
