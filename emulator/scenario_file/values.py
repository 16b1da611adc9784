"""The small values of the language: durations and instants, spreads, spans, shares, JSON with templates, matchers."""

import re
from collections.abc import Callable
from typing import Any, Final

from emulator.core import template, units
from emulator.core.matching import Matcher, searcher
from emulator.core.spans import Span
from emulator.core.spreads import Lognormal, Spread, Uniform
from emulator.core.template import Template
from emulator.core.units import DAY, Duration, Instant, format_duration, parse_duration, parse_instant
from emulator.scenario_file import wording
from emulator.scenario_file.kinds import (
    FLAG,
    ByShape,
    Defs,
    Items,
    Json,
    Kind,
    Lazy,
    Mapped,
    OneOrMany,
    Simple,
    Wrong,
    misfit,
    number,
    text,
)
from emulator.scenario_file.nodes import Broken, Mapping, Node, Scalar, Sequence, is_number, value_of
from emulator.scenario_file.report import Path, Report
from emulator.scenario_file.tables import AtLeastOne, AtMostOne, Key, Needs, Record, Table

# Durations and instants

LONGEST: Final[Duration] = 3650 * DAY
"""Longer ones are typing mistakes, and ten years back from any instant is still a date that all providers can print."""
_EARLIEST: Final[Instant] = parse_instant("2000-01-01T00:00:00Z")
_LATEST: Final[Instant] = parse_instant("2100-01-01T00:00:00Z")

_DURATION: Final = r"(\d+(\.\d+)?(us|ms|s|m|h|d))+"
_AMOUNT: Final = re.compile(r"([+-]?[\d.]+)\s*([a-zA-Zµ]*)")
_UNITS: Final = {
    unit: short
    for short, units_ in {
        "us": ("us", "µs", "usec", "microseconds"),
        "ms": ("ms", "msec", "millis", "millisecond", "milliseconds"),
        "s": ("s", "sec", "secs", "second", "seconds", ""),
        "m": ("m", "min", "mins", "minute", "minutes"),
        "h": ("h", "hr", "hrs", "hour", "hours"),
        "d": ("d", "day", "days"),
    }.items()
    for unit in units_
}
_CLOCK: Final = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d\d)")


def _duration(scalar: Scalar) -> Duration:
    return _checked_duration(scalar.text)


def _checked_duration(written: str) -> Duration:
    if _is_bare(written):
        raise Wrong(f"{written} has no unit", f"write {written}s", "duration-without-unit")
    try:
        value = parse_duration(written)
    except ValueError:
        raise Wrong(hint=_duration_hint(written)) from None
    if value > LONGEST:
        raise Wrong(hint=f"the longest is {format_duration(LONGEST)}")
    return value


def _is_bare(written: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", written) is not None


def _duration_hint(written: str) -> str | None:
    if written.startswith("-"):
        return "it can't be negative"
    if clock := _CLOCK.fullmatch(written):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return f"write {format_duration(((hours * 60 + minutes) * 60 + seconds) * units.SECOND)}"
    if len(written) > 60:
        return None
    parts = [(amount, _UNITS.get(unit.lower())) for amount, unit in _AMOUNT.findall(written)]
    if parts and not _AMOUNT.sub("", written).strip():
        meant = "".join(f"{amount}{unit}" for amount, unit in parts)
        return f"write {meant}" if re.fullmatch(_DURATION, meant) else None
    return None


DURATION: Final = Simple(
    "a duration such as 500ms, 2s or 4m15s",
    _duration,
    {"type": "string", "pattern": f"^{_DURATION}$", "examples": ["500ms", "2s", "4m15s", "1h"]},
    "duration",
)


def _age(scalar: Scalar) -> tuple[int, bool]:
    """A duration with a sign, counted from the activation, or an instant; and whether it is an instant."""
    written = scalar.text
    if is_number(scalar):
        raise Wrong(f"{written} has no unit", f"write {written}s", "duration-without-unit")
    if re.fullmatch(rf"[+-]?{_DURATION}", written):
        duration = _checked_duration(written.lstrip("+-"))
        return (-duration if written.startswith("-") else duration), False
    return _instant(scalar), True


def _instant(scalar: Scalar) -> Instant:
    try:
        value = parse_instant(scalar.text)
    except ValueError:
        raise Wrong(hint=_instant_hint(scalar.text)) from None
    if not _EARLIEST <= value < _LATEST:
        raise Wrong(hint="it must lie in the years 2000 to 2099")
    return value


def _instant_hint(written: str) -> str | None:
    try:
        return f'write "{units.format_instant(parse_instant(written + "Z"))}"'
    except ValueError:
        return None


_INSTANT_SCHEMA: Final[Json] = {"type": "string", "format": "date-time"}
INSTANT: Final = Simple("an instant such as 2026-01-01T00:00:00Z", _instant, _INSTANT_SCHEMA, "instant")
AGE: Final = Simple(
    "a time from the activation such as -30s, or an instant such as 2026-01-01T00:00:00Z",
    _age,
    {"anyOf": [{"type": "string", "pattern": f"^[+-]?{_DURATION}$"}, _INSTANT_SCHEMA]},
    "age",
)

# Spreads

_MIN = Key("min", DURATION, "The shortest.")
_MAX = Key("max", DURATION, "The longest.")
_MEDIAN = Key("median", DURATION, "Half of the draws are shorter.")
_SIGMA = Key(
    "sigma", number("a number such as 0.4", 0, 5), "How wide the draws lie, as of a lognormal distribution."
)


def _check_spread(record: Record) -> None:
    low, high = record.get(_MIN), record.get(_MAX)
    if low is not None and high is not None and low > high:
        record.mistake(record.key(_MIN), "'min' is longer than 'max'", "swap the two")


def _spread(record: Record) -> Spread:
    if _MIN in record:
        return Uniform(record[_MIN], record[_MAX])
    return Lognormal(record[_MEDIAN], record[_SIGMA])


_SPREAD_TABLE = Table(
    "spread",
    (_MIN, _MAX, _MEDIAN, _SIGMA),
    _spread,
    constraints=(
        AtLeastOne(_MIN, _MAX, _MEDIAN, _SIGMA),
        AtMostOne(_MIN, _MEDIAN),
        AtMostOne(_MAX, _SIGMA),
        Needs(_MIN, _MAX),
        Needs(_MAX, _MIN),
        Needs(_MEDIAN, _SIGMA),
        Needs(_SIGMA, _MEDIAN),
    ),
    check=_check_spread,
    about="What a duration is drawn from: evenly (min, max), or with a long tail (median, sigma).",
)


def _as_spread(value: Duration) -> Spread:
    return value


SPREAD: Final[Kind[Spread]] = ByShape(
    f"{DURATION.expected}, or {{min, max}}, or {{median, sigma}}", Mapped(DURATION, _as_spread), _SPREAD_TABLE
)

# Spans

_CALLS: Final = "calls such as 3, 2-4, 5+ or every 5"
_TIMES: Final = "a span such as 0s-2s or 2m+"
_MOST_CALLS: Final = 1_000_000_000


def _call_span(scalar: Scalar) -> Span:
    span = re.fullmatch(r"(?:(\d+)|(\d+)\s*-\s*(\d+)|(\d+)\s*\+|every\s+(\d+))", scalar.text, re.A)
    if span is None:
        raise Wrong(hint=_call_hint(scalar.text))
    if any(len(part) > len(str(_MOST_CALLS)) for part in span.groups() if part):
        raise Wrong(hint=f"the highest number is {_MOST_CALLS}")
    one, low, high, least, every = (None if part is None else int(part) for part in span.groups())
    if 0 in (one, low, least, every):
        raise Wrong(hint="the first call is 1")
    if low is not None and high is not None and low > high:
        raise Wrong(hint=f"write {high}-{low}")
    if every is not None:
        return Span(every, None, every)
    first = one or low or least or 1
    return Span(first, one or high)


def _call_hint(written: str) -> str | None:
    if least := re.fullmatch(r">=\s*(\d+)", written):
        return f"write {least[1]}+"
    if more := re.fullmatch(r">\s*(\d+)", written):
        return f"write {int(more[1][:9]) + 1}+"
    if most := re.fullmatch(r"<=\s*(\d+)", written):
        return f"write 1-{most[1]}"
    if re.fullmatch(r"\d+(\s*,\s*\d+)+", written):
        return f"write [{written}]"
    return None


def _time_span(scalar: Scalar) -> Span:
    low, dash, high = scalar.text.partition("-")
    if not dash and scalar.text.endswith("+"):
        return Span(_part_of_span(scalar.text[:-1]))
    if not dash:
        start = _part_of_span(scalar.text)
        raise Wrong(hint=f"{scalar.text} is one instant; write 0s-{scalar.text} or {format_duration(start)}+")
    first, last = _part_of_span(low), _part_of_span(high)
    if first >= last:
        raise Wrong(hint="it must begin before it ends")
    return Span(first, last)


def _part_of_span(part: str) -> Duration:
    try:
        return _checked_duration(part.strip())
    except Wrong as wrong:
        if wrong.message is None:
            raise Wrong from None
        raise


def _spans(expected: str, parse: Callable[[Scalar], Span], schema: Json, name: str) -> Kind[tuple[Span, ...]]:
    return OneOrMany(Simple(expected, parse, schema, name), "spans")


CALLS: Final = _spans(
    _CALLS,
    _call_span,
    {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": r"^(\d+|\d+\s*-\s*\d+|\d+\s*\+|every\s+\d+)$"},
        ],
        "examples": [3, "2-4", "5+", "every 5"],
    },
    "calls",
)
BETWEEN: Final = _spans(
    _TIMES,
    _time_span,
    {
        "type": "string",
        "pattern": rf"^\s*{_DURATION}\s*(\+|-\s*{_DURATION}\s*)$",
        "examples": ["0s-2s", "2m+"],
    },
    "between",
)

# Shares


def _share(scalar: Scalar) -> float:
    if percent := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", scalar.text, re.A):
        value = float(percent[1]) / 100
        hint = "100% is the most"
    else:
        plain = value_of(scalar)
        if isinstance(plain, bool) or not isinstance(plain, int | float):
            raise Wrong
        value, hint = float(plain), f"write {scalar.text}%" if 1 < plain <= 100 else "1 is the most, 0 the least"
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

_MOST: Final = 1 << 64


class JsonValue:
    """Any JSON value. With ``templates`` it becomes a `template.Template` where a string in it holds one."""

    def __init__(self, expected: str, *, templates: bool, only_mapping: bool = False) -> None:
        self.expected = expected
        self._templates = templates
        self._only_mapping = only_mapping

    def read(self, node: Node, path: Path, report: Report) -> Any:
        """The value."""
        if self._only_mapping and not isinstance(node, Mapping):
            misfit(node, path, report, self.expected)
            return None
        value = self._read(node, path, report)
        return template.compiled(value) if self._templates else value

    def _read(self, node: Node, path: Path, report: Report) -> Any:
        if isinstance(node, Mapping):
            return {key.text: self._read(child, (*path, key.text), report) for key, child in node.pairs}
        if isinstance(node, Sequence):
            return [self._read(item, (*path, index), report) for index, item in enumerate(node.items)]
        return None if isinstance(node, Broken) else self._scalar(node, path, report)

    def _scalar(self, node: Scalar, path: Path, report: Report) -> Any:
        value = value_of(node)
        if is_number(node) and not -_MOST / 2 <= float(value or 0) < _MOST:
            message = f"expected a number of 64 bits, got {wording.shown(node)}"
            report.mistake("wrong-value", node, path, message, f'write "{node.text[:60]}" in quotes')
        elif isinstance(value, str) and self._templates:
            check_templates(node, path, report)
        return value

    def schema(self, defs: Defs) -> Json:
        """Anything, or any object."""
        return {"type": "object"} if self._only_mapping else {}


def check_templates(node: Scalar, path: Path, report: Report) -> None:
    """Reports template names that aren't on the list."""
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
    """Text in which templates may stand: it becomes a `template.Template` where one does."""

    def __init__(self, expected: str, *, scalars: bool = False) -> None:
        self.expected = expected
        self._scalars = scalars
        """Numbers, true and false are taken too, as they are written."""

    def read(self, node: Node, path: Path, report: Report) -> str | Template | None:
        """The text."""
        if not isinstance(node, Scalar):
            misfit(node, path, report, self.expected)
            return None
        value = value_of(node)
        if value is None or (not self._scalars and not isinstance(value, str)):
            misfit(node, path, report, self.expected, f'write "{node.text}" in quotes' if node.text else None)
            return None
        check_templates(node, path, report)
        compiled: str | Template = template.compiled(node.text)
        return compiled

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
    return Matcher(glob=written) if "*" in written and value_of(scalar) == written else Matcher(equals=written)


def _regex(scalar: Scalar) -> str:
    try:
        searcher(scalar.text)
    except ValueError as problem:
        message = f"this is no regular expression of RE2's syntax: {problem}"
        raise Wrong(message, "look-around and back-references aren't part of it") from None
    return scalar.text


_TEXT_SCHEMA: Final[Json] = {"type": ["string", "number", "boolean", "null"]}
_TEXT = Simple("a text", _scalar_text, _TEXT_SCHEMA)
_EQUALS = Key("equals", _TEXT, "The same text; 10 equals \"10\".")
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
