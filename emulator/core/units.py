"""Instants and durations.

Both are whole microseconds held in an ``int``: an ``Instant`` counts from 1970-01-01T00:00:00Z, a
``Duration`` is a length of time. Integers are exact, cheap on the hot path, the same on every
machine, and survive any round trip through a store; text forms exist only at the edges.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

Instant: TypeAlias = int
Duration: TypeAlias = int

MILLISECOND: Final[Duration] = 1_000
SECOND: Final[Duration] = 1_000_000
MINUTE: Final[Duration] = 60 * SECOND
HOUR: Final[Duration] = 60 * MINUTE
DAY: Final[Duration] = 24 * HOUR

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_INSTANT: Final[Instant] = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
"""The first instant that can be written as a date: the beginning of the year 1."""
LAST_INSTANT: Final[Instant] = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
"""The last one: the end of the year 9999."""

_UNITS: Final[dict[str, Duration]] = {
    "us": 1,
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
    "d": DAY,
}
_PART: Final = re.compile(r"(\d+)(\.\d+)?(us|ms|s|m|h|d)", re.A)
# A number of fifteen digits is days enough for any story, and one of five thousand is no int.
_WHOLE: Final = re.compile(r"(?:\d{1,15}(?:\.\d{1,15})?(?:us|ms|s|m|h|d))+", re.A)


def parse_duration(text: str) -> Duration:
    """The duration that ``250ms``, ``4m15s`` or ``1h`` names; ``ValueError`` for anything else."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"expected a duration such as 500ms, 5s or 4m15s, got {_shown(text)}")
    return sum(
        int(whole) * _UNITS[unit] + round(float(f"0{fraction}") * _UNITS[unit])
        for whole, fraction, unit in _PART.findall(text)
    )


def _shown(text: str) -> str:
    """As much of a text in quotes as tells what it is."""
    return repr(text) if len(text) <= 100 else f"{text[:100]!r} and so on"


def format_duration(duration: Duration) -> str:
    """``4m15s`` for 255 seconds: the shortest text that `parse_duration` reads back."""
    if duration == 0:
        return "0s"
    sign, rest, parts = "-" if duration < 0 else "", abs(duration), []
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, rest = divmod(rest, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)


def parse_instant(text: str) -> Instant:
    """The instant of an ISO 8601 date and time with its zone, such as ``2025-01-01T00:00:00Z``; else ``ValueError``."""
    wanted = f"expected an instant such as 2025-01-01T00:00:00Z, got {_shown(text)}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(wanted) from None
    if moment.tzinfo is None:
        raise ValueError(f"{wanted}, which lacks its zone (Z or +08:00)")
    instant = (moment - _EPOCH) // timedelta(microseconds=1)
    if not FIRST_INSTANT <= instant <= LAST_INSTANT:
        raise ValueError(f"{wanted}, which lies outside the years 1 to 9999")
    return instant


def as_datetime(instant: Instant) -> datetime:
    """The same instant as an aware ``datetime`` in UTC, or the nearest that is one.

    A link made in the last hours of the year 9999 dies after it: that must be printed somehow.
    """
    return _EPOCH + timedelta(microseconds=min(max(instant, FIRST_INSTANT), LAST_INSTANT))


def format_instant(instant: Instant) -> str:
    """``2025-01-01T00:00:00Z``, with a fraction only where there is one."""
    text = as_datetime(instant).isoformat().removesuffix("+00:00")
    return (text.rstrip("0") if "." in text else text) + "Z"


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(instant: Instant) -> str:
    """The instant as HTTP writes dates (RFC 9110): ``Wed, 01 Jan 2025 00:00:00 GMT``."""
    m = as_datetime(instant)
    return f"{_DAYS[m.weekday()]}, {m.day:02} {_MONTHS[m.month - 1]} {m.year:04} {m:%H:%M:%S} GMT"
