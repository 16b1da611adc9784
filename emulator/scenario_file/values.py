"""Values of the language that aren't times: shares, JSON with templates, matchers."""

import re
from math import isfinite
from typing import Any, Final

from emulator.core import template
from emulator.core.matching import Matcher, searcher
from emulator.scenario_file import wording
from emulator.scenario_file.kinds import (
    FLAG,
    ByShape,
    Defs,
    Items,
    Json,
    Kind,
    Lazy,
    OneOrMany,
    Simple,
    Wrong,
    misfit,
    text,
)
from emulator.scenario_file.nodes import Broken, Mapping, Node, Scalar, Sequence, is_number, value_of
from emulator.scenario_file.report import Path, Report
from emulator.scenario_file.tables import AtLeastOne, Key, Record, Table

# Shares


def _share(scalar: Scalar) -> float:
    if percent := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", scalar.text, re.A):
        value = float(percent[1]) / 100
        hint = "100% is the most"
    else:
        plain = value_of(scalar)
        if isinstance(plain, bool) or not isinstance(plain, int | float):
            raise Wrong
        value, hint = (
            float(plain),
            f"write {scalar.text}%" if 1 < plain <= 100 else "1 is the most, 0 the least",
        )
    if not 0 <= value <= 1:
        raise Wrong(hint=hint)
    return value


SHARE: Final = Simple(
    "a share such as 5% or 0.05",
    _share,
    {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"},
        ],
        "examples": ["5%", 0.05],
    },
    "share",
)

# JSON and templates


class JsonValue:
    """Any JSON value. With ``templates`` its strings may hold some."""

    def __init__(self, expected: str, *, templates: bool, only_mapping: bool = False) -> None:
        self.expected = expected
        self._templates = templates
        self._only_mapping = only_mapping

    def read(self, node: Node, path: Path, report: Report) -> Any:
        """The value."""
        if self._only_mapping and not isinstance(node, Mapping):
            misfit(node, path, report, self.expected)
            return None
        return self._read(node, path, report)

    def _read(self, node: Node, path: Path, report: Report) -> Any:
        if isinstance(node, Mapping):
            return {key.text: self._read(child, (*path, key.text), report) for key, child in node.pairs}
        if isinstance(node, Sequence):
            return [self._read(item, (*path, index), report) for index, item in enumerate(node.items)]
        return None if isinstance(node, Broken) else self._scalar(node, path, report)

    def _scalar(self, node: Scalar, path: Path, report: Report) -> Any:
        value = value_of(node)
        if is_number(node) and not _fits(value):
            message = f"expected a number of 64 bits, got {wording.shown(node)}"
            report.mistake("wrong-value", node, path, message, f'write "{node.text[:60]}" in quotes')
        elif isinstance(value, str) and self._templates:
            check_templates(node, path, report)
        return value

    def schema(self, defs: Defs) -> Json:
        """Anything, or any object."""
        return {"type": "object"} if self._only_mapping else {}


def _fits(number: Any) -> bool:
    """Whether JSON writers and readers agree on the number."""
    return -(1 << 63) <= number < 1 << 64 if isinstance(number, int) else isfinite(number)


def check_templates(node: Scalar, path: Path, report: Report) -> None:
    """Reports template names that aren't on the list, and doubts about templates without an end."""
    if "{{" not in node.text:
        return
    if node.text.count("{{") > len(template.names_in(node.text)):
        report.doubt("unclosed-template", node, path, "{{ stands without its }}, so it is plain text")
    for name in template.names_in(node.text):
        problem = template.problem_with(name)
        if problem is not None:
            hint = wording.did_you_mean(name, _template_names()) or wording.one_of(
                [*template.PLAIN_NAMES, "request.<field>", "faker.<name>"]
            )
            report.mistake("unknown-template", node, path, problem, hint)


def _template_names() -> list[str]:
    return [*template.PLAIN_NAMES, *(f"faker.{name}" for name in template.FAKER_NAMES)]


class TemplateText:
    """Text in which templates may stand: they stay as they are."""

    def __init__(self, expected: str, *, scalars: bool = False) -> None:
        self.expected = expected
        self._scalars = scalars
        """Numbers, true and false are taken too, as they are written."""

    def read(self, node: Node, path: Path, report: Report) -> str | None:
        """The text."""
        if not isinstance(node, Scalar):
            misfit(node, path, report, self.expected)
            return None
        value = value_of(node)
        if value is None or (not self._scalars and not isinstance(value, str)):
            misfit(node, path, report, self.expected, f'write "{node.text}" in quotes' if node.text else None)
            return None
        check_templates(node, path, report)
        return node.text

    def schema(self, defs: Defs) -> Json:
        """A string, or a scalar."""
        return {"type": ["string", "number", "boolean"]} if self._scalars else {"type": "string"}


def _plain_text(scalar: Scalar) -> str:
    value = value_of(scalar)
    if not isinstance(value, str):
        raise Wrong(hint=f'write "{scalar.text}" in quotes' if scalar.text else None)
    if template.names_in(value):
        where = "templates work in patch, headers, respond, url and error messages"
        raise Wrong("no template is filled in here", where, "template-not-here")
    return value


PLAIN_TEXT: Final = Simple("text", _plain_text, {"type": "string"})
"""Text that reaches the wire as it stands."""
NAME: Final = text("text that isn't empty", least=1)

# Matchers


def _scalar_text(scalar: Scalar) -> str:
    if scalar.plain and not scalar.text:
        raise Wrong(hint='write "" for the empty text, or {exists: false}')
    return scalar.text


def _bare(scalar: Scalar) -> Matcher:
    written = _scalar_text(scalar)
    return (
        Matcher(glob=written) if "*" in written and value_of(scalar) == written else Matcher(equals=written)
    )


def _regex(scalar: Scalar) -> str:
    if not isinstance(value_of(scalar), str):
        raise Wrong(hint=f'write "{scalar.text}" in quotes' if scalar.text else None)
    try:
        searcher(scalar.text)
    except ValueError as problem:
        message = f"this is no regular expression of RE2's syntax: {problem}"
        raise Wrong(message, "look-around and back-references aren't part of it") from None
    return scalar.text


_TEXT_SCHEMA: Final[Json] = {"type": ["string", "number", "boolean", "null"]}
_TEXT = Simple("a text", _scalar_text, _TEXT_SCHEMA)
_EQUALS = Key("equals", _TEXT, 'The same text; 10 equals "10".')
_CONTAINS = Key("contains", _TEXT, "Text in it, in this case of letters.")
_REGEX = Key(
    "regex",
    Simple("a regular expression", _regex, {"type": "string"}),
    "A regular expression (RE2) found in its first 4 KiB.",
)
_GLOB = Key("glob", _TEXT, "The whole text, with * for anything.")
_ANY_OF = Key("any_of", Items(_TEXT, "texts"), "One of these; * is for anything.")
_EXISTS = Key("exists", FLAG, "Whether it is there at all.")


def _matcher(record: Record) -> Matcher:
    return Matcher(
        equals=record.get(_EQUALS),
        contains=record.get(_CONTAINS),
        regex=record.get(_REGEX),
        glob=record.get(_GLOB),
        any_of=record.get(_ANY_OF),
        exists=record.get(_EXISTS),
        negated=record.get(_NOT),
    )


_SCALAR_MATCHER: Final = Simple("a text or a glob", _bare, _TEXT_SCHEMA)


def _matcher_kind() -> Kind[Matcher]:
    return MATCHER


_NOT: Key[Matcher] = Key("not", Lazy("a text, a glob or a matcher", _matcher_kind), "What must not hold.")
_MATCHER_KEYS: Final = (_EQUALS, _CONTAINS, _REGEX, _GLOB, _ANY_OF, _EXISTS, _NOT)
MATCHER: Final[Kind[Matcher]] = ByShape(
    "a text, a glob such as sk-* or a matcher such as {contains: cat}",
    _SCALAR_MATCHER,
    Table(
        "matcher",
        _MATCHER_KEYS,
        _matcher,
        constraints=(AtLeastOne(*_MATCHER_KEYS),),
        about="Conditions on one value, all of which must hold. Values are compared as text.",
    ),
)
MATCHERS: Final = OneOrMany(MATCHER, "matchers")
