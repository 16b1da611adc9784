"""Values of time and number: durations and instants, spreads, spans."""

import re
from collections.abc import Callable
from typing import Final

from emulator.core import units
from emulator.core.spans import Span
from emulator.core.spreads import Lognormal, Spread, Uniform
from emulator.core.units import DAY, Duration, Instant, format_duration, parse_duration, parse_instant
from emulator.scenario_file.kinds import ByShape, Json, Kind, Mapped, OneOrMany, Simple, Wrong, number
from emulator.scenario_file.nodes import Scalar, is_number
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
_LONGEST_WRITTEN: Final = 60
_CLOCK: Final = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d\d)")


def _duration(scalar: Scalar) -> Duration:
    return _checked_duration(scalar.text)


def _checked_duration(written: str) -> Duration:
    if _is_bare(written):
        raise Wrong(f"{written} has no unit", f"write {written}s", "duration-without-unit")
    try:
        value = parse_duration(written)
    except (ValueError, OverflowError):
        raise Wrong(hint=_duration_hint(written)) from None
    if value > LONGEST:
        raise Wrong(hint=f"the longest is {format_duration(LONGEST)}")
    return value


def _is_bare(written: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", written) is not None


def _duration_hint(written: str) -> str | None:
    if len(written) > _LONGEST_WRITTEN:
        return None
    if written.startswith("-"):
        return "it can't be negative"
    if clock := _CLOCK.fullmatch(written):
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        return f"write {format_duration(((hours * 60 + minutes) * 60 + seconds) * units.SECOND)}"
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
    return Span(one or low or least or 1, one or high)


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
    if bare := re.fullmatch(r"(?:(\d+)\s*-\s*)?(\d+)", scalar.text, re.A):
        hint = f"write {bare[1]}s-{bare[2]}s" if bare[1] else f"write 0s-{bare[2]}s or {bare[2]}s+"
        raise Wrong(f"{scalar.text} has no unit", hint, "duration-without-unit")
    low, dash, high = scalar.text.partition("-")
    if not dash and scalar.text.endswith("+"):
        return Span(_part_of_span(scalar.text[:-1]))
    if not dash:
        instant = format_duration(_part_of_span(scalar.text))
        raise Wrong(hint=f"write 0s-{instant} or {instant}+")
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
