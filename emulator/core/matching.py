"""Matchers: what a scenario's ``match``, ``keys`` and ``reject`` ask of a value."""

import json
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

REGEX_REACH: Final = 4096
"""How many characters of a value a regular expression sees."""

ABSENT: Final = object()
"""Stands for a field that the request doesn't have."""


class Matcher(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions on one value, all of which must hold. Values are compared as text, so 10 equals "10"."""

    equals: str | None = None
    contains: str | None = None
    regex: str | None = None
    glob: str | None = None
    any_of: tuple[str, ...] | None = None
    exists: bool | None = None
    negated: "Matcher | None" = None


def text_of(value: Any) -> str:
    """A value as the text that matchers compare: strings as they are, all else as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def matches(matcher: Matcher, value: Any) -> bool:
    """Whether ``value`` (or `ABSENT`) meets every condition of ``matcher``."""
    if matcher.exists is not None and matcher.exists is (value is ABSENT):
        return False
    if matcher.negated is not None and matches(matcher.negated, value):
        return False
    if value is ABSENT:
        return _asks_nothing_of_text(matcher)
    text = text_of(value)
    if matcher.equals is not None and text != matcher.equals:
        return False
    if matcher.contains is not None and matcher.contains not in text:
        return False
    if matcher.glob is not None and not glob_matches(matcher.glob, text):
        return False
    if matcher.any_of is not None and not any(_equals_or_glob(item, text) for item in matcher.any_of):
        return False
    return matcher.regex is None or searcher(matcher.regex)(text[:REGEX_REACH]) is not None


def _asks_nothing_of_text(matcher: Matcher) -> bool:
    asked = (matcher.equals, matcher.contains, matcher.regex, matcher.glob, matcher.any_of)
    return all(condition is None for condition in asked)


def _equals_or_glob(item: str, text: str) -> bool:
    return glob_matches(item, text) if "*" in item else item == text


def glob_matches(pattern: str, text: str) -> bool:
    """Whether the whole of ``text`` fits a glob, in which only ``*`` is special."""
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    *middle, last = others
    position, end = len(first), len(text) - len(last)
    if not (text.startswith(first) and text.endswith(last)):
        return False
    # Each piece is taken where it is first found: that leaves the most room for those after it.
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return position <= end


@lru_cache(maxsize=256)
def searcher(pattern: str) -> Callable[[str], object]:
    """A function that searches a text for a regular expression, in time linear in the text.

    Raises:
        ValueError: the pattern isn't one that can be searched in linear time (RE2's syntax).
    """
    # Imported when first used: most scenarios hold no pattern, and every start would pay for it.
    import re2  # noqa: PLC0415

    options = re2.Options()
    options.log_errors = False
    try:
        search: Callable[[str], object] = re2.compile(pattern, options).search
    except re2.error as problem:
        reason = problem.args[0].decode() if isinstance(problem.args[0], bytes) else str(problem)
        raise ValueError(reason) from None
    return search


def field_of(fields: Any, path: str) -> Any:
    """The value at a dotted path of a request's fields, or `ABSENT`. List items go by their number."""
    value = fields
    if isinstance(value, dict) and path in value:
        return value[path]
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and (number := _place(step)) < len(value):
            value = value[number]
        else:
            return ABSENT
    return value


def _place(step: str) -> int:
    # Numbers such as a superscript two are digits too, and a number may be too long for int() to be asked.
    return int(step) if step.isascii() and step.isdigit() and len(step) < 10 else sys.maxsize
