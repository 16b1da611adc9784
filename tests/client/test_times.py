"""Durations and instants, as callers may write them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.client.times import duration_text, instant_text, seconds, time_out
from emulator.core.units import SECOND, as_datetime, parse_duration, parse_instant

MICROSECOND = timedelta(microseconds=1)
LONGEST = timedelta(days=10**6)
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.timedeltas(timedelta(0), LONGEST))
def test_a_timedelta_keeps_every_microsecond(length: timedelta) -> None:
    """In the text that the control API reads."""
    assert parse_duration(duration_text(length)) == length // MICROSECOND
    assert seconds(length) == length.total_seconds()


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=OFFSETS))  # noqa: DTZ001 - Hypothesis adds them
def test_an_aware_datetime_keeps_its_instant(moment: datetime) -> None:
    """Whatever its zone."""
    assert as_datetime(parse_instant(instant_text(moment))) == moment


def test_a_naive_datetime_is_refused() -> None:
    """It would be another instant on another machine."""
    with pytest.raises(ValueError, match=r"expected a datetime with a zone, .*; give it tzinfo=UTC"):
        instant_text(datetime(2025, 1, 1))  # noqa: DTZ001 - that is what is refused


def test_texts_are_passed_on_as_they_are() -> None:
    """The emulator judges them."""
    assert duration_text("4m15s") == "4m15s"
    assert instant_text("2025-01-01T00:00:00+08:00") == "2025-01-01T00:00:00+08:00"
    assert instant_text(datetime(2025, 1, 1, tzinfo=UTC)) == "2025-01-01T00:00:00+00:00"


@pytest.mark.parametrize(("text", "length"), [("250ms", 0.25), ("1m30s", 90.0), ("1us", 1 / SECOND)])
def test_a_duration_in_seconds(text: str, length: float) -> None:
    """As the time-outs of connections want it."""
    assert seconds(text) == length


def test_a_text_that_is_no_duration_is_no_timeout() -> None:
    """The sentence is the emulator's own."""
    with pytest.raises(ValueError, match="expected a duration such as 500ms, 5s or 4m15s, got '5'"):
        seconds("5")


@pytest.mark.parametrize("value", [5, 5.0, "5s", timedelta(seconds=5)])
def test_a_time_out_may_be_a_number(value: Any) -> None:
    """Of seconds, besides what a duration may be."""
    assert time_out(value) == 5.0


@pytest.mark.parametrize("value", [1e300, float("inf"), "99999999999d"])
def test_a_time_out_is_one_that_a_socket_takes(value: Any) -> None:
    """A year, where it is longer."""
    assert time_out(value) == 366 * 86400


@pytest.mark.parametrize("value", [0, -1, float("nan"), "0s", timedelta(0), timedelta(seconds=-1)])
def test_a_time_out_is_above_nothing(value: Any) -> None:
    """Else every call would fail, and the emulator be blamed."""
    with pytest.raises(ValueError, match="timeout: expected more than 0 seconds, got "):
        time_out(value)


@pytest.mark.parametrize("value", [None, True, b"5s"])
def test_a_time_out_is_a_duration_or_a_number(value: Any) -> None:
    """The sentence names all three forms."""
    with pytest.raises(
        TypeError, match=r"timeout: expected a number of seconds, .* or a datetime\.timedelta, got"
    ):
        time_out(value)
