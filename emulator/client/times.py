"""Durations and instants as callers write them, and as the control API reads them."""

from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, TypeGuard

from emulator.core.units import SECOND, format_duration, parse_duration

Duration: TypeAlias = str | timedelta
"""``"250ms"``, ``"5s"``, ``"4m15s"``, ``"1h"``, or a `timedelta`."""
Instant: TypeAlias = str | datetime
"""ISO 8601 with a zone, such as ``"2025-01-01T00:00:00Z"``, or an aware `datetime`."""
TimeOut: TypeAlias = Duration | float
"""A duration, or a number of seconds, as other clients take it."""
_LONGEST: Final = 366 * 86400.0
"""In seconds. Nobody waits longer, and operating systems count no further than some centuries."""


def duration_text(value: Duration) -> str:
    """A duration as the control API reads it.

    Raises:
        TypeError: a number, say, which has no unit.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, timedelta):
        raise TypeError(f'expected a duration such as "5m" or a datetime.timedelta, got {value!r}')
    return format_duration(value // timedelta(microseconds=1))


def instant_text(value: Instant) -> str:
    """An instant as the control API reads it.

    Raises:
        TypeError: it is neither a text nor a `datetime`.
        ValueError: a `datetime` without a zone, which is another instant on every machine.
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):
        raise TypeError(
            f'expected an instant such as "2025-01-01T00:00:00Z" or a datetime.datetime with a zone, got {value!r}'
        )
    if value.tzinfo is None:
        raise ValueError(f"expected a datetime with a zone, got {value!r}; give it tzinfo=UTC")
    return value.astimezone(UTC).isoformat()


def seconds(value: Duration) -> float:
    """How long a duration is; ``ValueError`` for a text that is none."""
    return parse_duration(value) / SECOND if isinstance(value, str) else value.total_seconds()


def time_out(value: TimeOut) -> float:
    """For how many seconds a call may take; a year at most.

    Raises:
        TypeError: it is neither a duration nor a number.
        ValueError: it is a text that is no duration, or not above 0.
    """
    found = value if _is_number(value) else _length(value)
    if not found > 0:  # "not a number" isn't either
        raise ValueError(f"timeout: expected more than 0 seconds, got {value!r}")
    return min(float(found), _LONGEST)


def _is_number(value: TimeOut) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _length(value: TimeOut) -> float:
    if not isinstance(value, str | timedelta):
        raise TypeError(
            'timeout: expected a number of seconds, a duration such as "10s" or a datetime.timedelta, '
            f"got {value!r}"
        )
    return seconds(value)
