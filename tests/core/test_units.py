"""Instants and durations as text."""

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.units import (
    DAY,
    FIRST_INSTANT,
    HOUR,
    LAST_INSTANT,
    MILLISECOND,
    MINUTE,
    SECOND,
    as_datetime,
    format_duration,
    format_instant,
    http_date,
    parse_duration,
    parse_instant,
)

INSTANT = st.integers(FIRST_INSTANT, LAST_INSTANT)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0s", 0),
        ("250ms", 250 * MILLISECOND),
        ("2s", 2 * SECOND),
        ("4m15s", 255 * SECOND),
        ("1h", HOUR),
        ("2d", 2 * DAY),
        ("1d2h3m4s5ms6us", DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5 * MILLISECOND + 6),
        ("1.5s", 1_500_000),
        ("0.1ms", 100),
        ("1s1s", 2 * SECOND),
        ("90m", 90 * MINUTE),
        ("9007199254741s", 9_007_199_254_741 * SECOND),
    ],
)
def test_reads_durations(text: str, duration: int) -> None:
    """Numbers with units add up, exactly."""
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "", "5", "s", "5 s", " 5s", "5s ", "5S", "-5s", "+5s", ".5s", "5.s", "1e3s", "5sec", "5s4", "1,5s", "٣s",
        "5s\n", "9" * 400 + "s", "0." + "3" * 400 + "s", "1" * 5000 + "d",
    ],
    ids=lambda text: text[:10],
)  # fmt: skip
def test_refuses_what_is_no_duration(text: str) -> None:
    """A number without a unit, a sign, another unit or a number beyond all measure is refused with an example."""
    with pytest.raises(ValueError, match="expected a duration such as 500ms, 5s or 4m15s"):
        parse_duration(text)


@given(st.integers(0, 100_000 * DAY))
def test_reads_back_the_durations_that_it_writes(duration: int) -> None:
    """A duration survives being written and read, to the microsecond."""
    assert parse_duration(format_duration(duration)) == duration
    assert format_duration(-duration) == ("-" if duration else "") + format_duration(duration)


@given(st.text("0123456789.smhdu ", max_size=12))
def test_reads_or_refuses_any_text(text: str) -> None:
    """Any text is a duration or refused as none."""
    try:
        duration = parse_duration(text)
    except ValueError:
        return
    assert duration >= 0
    assert parse_duration(f"0s{text}") == duration


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-01-01T00:00:00Z", 1_735_689_600 * SECOND),
        ("2025-01-01T08:00:00+08:00", 1_735_689_600 * SECOND),
        ("2024-12-31T19:30:00-04:30", 1_735_689_600 * SECOND),
        ("2025-01-01T00:00:00.25Z", 1_735_689_600 * SECOND + 250 * MILLISECOND),
        ("1969-12-31T23:59:59Z", -SECOND),
        ("9999-12-31T23:59:59.999999Z", LAST_INSTANT),
    ],
)
def test_reads_instants_of_every_zone(text: str, instant: int) -> None:
    """An instant is the same whichever zone it is written in."""
    assert parse_instant(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2025-01-01",
        "2025-01-01T00:00:00",
        "2025-13-01T00:00:00Z",
        "1735689600",
        "2025-01-01T25:00:00Z",
    ],
)
def test_refuses_what_is_no_instant(text: str) -> None:
    """A date without a zone, or no date, is refused with an example."""
    with pytest.raises(ValueError, match="expected an instant such as 2025-01-01T00:00:00Z, got "):
        parse_instant(text)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:00"])
def test_refuses_instants_that_cannot_be_written(text: str) -> None:
    """An instant outside the years 1 to 9999, which a zone can lead to, is refused."""
    with pytest.raises(ValueError, match="outside the years 1 to 9999"):
        parse_instant(text)


@given(INSTANT, st.integers(-14 * 60, 14 * 60))
def test_reads_back_the_instants_that_it_writes(instant: int, offset: int) -> None:
    """An instant survives being written and read, in UTC and in any zone."""
    assert parse_instant(format_instant(instant)) == instant
    if FIRST_INSTANT + DAY < instant < LAST_INSTANT - DAY:
        local = as_datetime(instant).astimezone(timezone(timedelta(minutes=offset)))
        assert parse_instant(local.isoformat()) == instant


@given(INSTANT)
def test_keeps_every_microsecond(instant: int) -> None:
    """An instant and its ``datetime`` are the same moment."""
    assert as_datetime(instant) - EPOCH == timedelta(microseconds=instant)


def test_writes_a_fraction_only_where_there_is_one() -> None:
    """Whole seconds have no fraction, others no trailing noughts."""
    assert [format_instant(i) for i in (0, 1, 500_000, 10 * SECOND)] == [
        "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00.5Z", "1970-01-01T00:00:10Z",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (LAST_INSTANT + DAY, "9999-12-31T23:59:59.999999Z"),
        (FIRST_INSTANT - DAY, "0001-01-01T00:00:00Z"),
        (1 << 70, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_writes_the_nearest_date_for_instants_beyond_the_calendar(instant: int, text: str) -> None:
    """A link that dies after the year 9999 is printed as dying with it."""
    assert format_instant(instant) == text
    assert http_date(instant).endswith("GMT")


@given(INSTANT)
def test_writes_dates_as_http_does(instant: int) -> None:
    """HTTP's dates are those that the standard library writes, seconds rounded down."""
    whole = as_datetime(instant).replace(microsecond=0)
    assert http_date(instant) == format_datetime(whole, usegmt=True)
