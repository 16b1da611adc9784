"""Spans of calls and of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.spans import Span, holds_call, holds_time
from emulator.core.units import SECOND


@pytest.mark.parametrize(
    ("spans", "taken"),
    [
        ((Span(3, 3),), [3]),
        ((Span(2, 4),), [2, 3, 4]),
        ((Span(5),), [5, 6, 7, 8, 9, 10, 11]),
        ((Span(5, None, 5),), [5, 10]),
        ((Span(1, None, 1),), list(range(1, 12))),
        ((Span(1, 1), Span(4, None, 4), Span(11)), [1, 4, 8, 11]),
        ((), []),
    ],
)
def test_takes_calls_by_their_numbers(spans: tuple[Span, ...], taken: list[int]) -> None:
    """Both ends of a span of calls are inside; a list means any of its spans."""
    assert [number for number in range(1, 12) if holds_call(spans, number)] == taken


def test_takes_no_call_that_was_not_counted() -> None:
    """A call without a number is none of every fifth."""
    assert not holds_call((Span(5, None, 5),), 0)


def test_shares_no_instant_between_neighbours() -> None:
    """``0s-2s`` ends where ``2s+`` begins: the second instant is in the latter alone."""
    before, after = (Span(0, 2 * SECOND),), (Span(2 * SECOND),)
    for elapsed in (0, 2 * SECOND - 1, 2 * SECOND, 2 * SECOND + 1):
        assert holds_time(before, elapsed) is (elapsed < 2 * SECOND)
        assert holds_time(after, elapsed) is (elapsed >= 2 * SECOND)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=6, unique=True), st.integers(-5, 40))
def test_parts_time_without_gap_or_overlap(bounds: list[int], elapsed: int) -> None:
    """Spans that meet take each instant exactly once."""
    bounds = sorted(bounds)
    spans = [Span(low, high) for low, high in zip(bounds, [*bounds[1:], None], strict=True)]
    assert sum(holds_time((span,), elapsed) for span in spans) == (elapsed >= bounds[0])
    assert holds_time(tuple(spans), elapsed) is (elapsed >= bounds[0])
