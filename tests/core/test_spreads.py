"""Spreads: what durations are drawn from."""

from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.spreads import Lognormal, Spread, Uniform, drawn
from emulator.core.units import DAY, MILLISECOND, SECOND
from tests.strategies import ENTROPY, SPREAD


@given(SPREAD, ENTROPY, st.integers(0, 9))
def test_depends_on_key_purpose_and_number_alone(spread: Spread, key: bytes, number: int) -> None:
    """The same key, purpose and number give the same duration, which is never negative."""
    duration = drawn(spread, key, "latency", number)
    assert drawn(spread, key, "latency", number) == duration
    assert duration >= 0


def test_gives_a_plain_duration_as_it_stands() -> None:
    """A duration that is no spread isn't drawn."""
    assert drawn(5, b"key", "stay") == drawn(5, b"other", "stay", 7) == 5


@given(st.integers(0, DAY), st.integers(0, DAY), ENTROPY)
def test_stays_between_the_two_ends(low: int, length: int, key: bytes) -> None:
    """A uniform spread gives nothing outside its ends."""
    assert low <= drawn(Uniform(low, low + length), key, "stay") <= low + length


@pytest.mark.parametrize(
    ("spread", "middle"),
    [(Uniform(SECOND, 3 * SECOND), 2 * SECOND), (Lognormal(80 * MILLISECOND, 0.4), 80 * MILLISECOND)],
)
def test_lies_around_its_middle(spread: Spread, middle: int) -> None:
    """Half of the draws lie on either side of the middle or the median."""
    draws = [drawn(spread, b"key", "stay", number) for number in range(2001)]
    assert abs(median(draws) - middle) < middle / 10
    assert len(set(draws)) > 1900


def test_has_a_long_tail_and_an_end() -> None:
    """A lognormal spread gives long draws, but none without end, however wide it is."""
    draws = [drawn(Lognormal(DAY, 5.0), b"key", "stay", number) for number in range(500)]
    assert max(draws) == 1000 * DAY
    assert min(draws) < DAY / 100


@pytest.mark.parametrize("spread", [Lognormal(0, 1.0), Uniform(0, 0)])
def test_gives_nothing_of_nothing(spread: Spread) -> None:
    """A spread around nought is nought."""
    assert drawn(spread, b"key", "stay") == 0


def test_does_not_spread_without_width() -> None:
    """A lognormal spread of no width gives its median."""
    assert abs(drawn(Lognormal(SECOND, 0.0), b"key", "stay") - SECOND) <= 1
