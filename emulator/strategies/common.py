"""What several strategies draw: round durations, and things that are there only now and then.

Hypothesis deletes at most five draws in a row from what it shrinks. An element of a list is therefore made of few
draws, most of them a row of a table, and its simplest form of as many as any other.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from hypothesis import strategies as st

from emulator.core.units import HOUR, MILLISECOND, MINUTE, SECOND, Duration, format_duration

_T = TypeVar("_T")
_U = TypeVar("_U")

_USUAL: Final = 12
_ROUND: Final[tuple[Duration, ...]] = (
    *(seconds * SECOND for seconds in (1, 2, 5, 10, 15, 20, 30, 45)),
    *(minutes * MINUTE for minutes in (1, 2, 3, 5, 10, 15, 20, 30, 45)),
    *(hours * HOUR for hours in (1, 2, 3, 6, 12)),
    *(count * MILLISECOND for count in (500, 200, 100, 50, 20, 10, 5, 2, 1)),
)
"""What an author would write, the simplest first."""


def round_durations(longest: Duration) -> tuple[Duration, ...]:
    """Round durations up to ``longest``, the simplest first."""
    return tuple(duration for duration in _ROUND if duration <= longest)


def odd_durations(longest: Duration) -> st.SearchStrategy[Duration]:
    """Any number of milliseconds up to ``longest``."""
    return st.integers(1, longest // MILLISECOND).map(_milliseconds)


def _milliseconds(count: int) -> Duration:
    return count * MILLISECOND


def durations(longest: Duration) -> st.SearchStrategy[Duration]:
    """Durations of a millisecond up to ``longest``. They shrink to the first round one that will do."""
    return row_or(round_durations(longest), odd_durations(longest))


def written(longest: Duration) -> st.SearchStrategy[str]:
    """As `durations`, as they stand in a file."""
    return durations(longest).map(format_duration)


def row_or(rows: Sequence[_T], other: st.SearchStrategy[_T]) -> st.SearchStrategy[_T]:
    """A row of a table, or now and then something else. It shrinks to the first row that will do, in one draw."""
    numbers = range(len(rows) + max(1, len(rows) // 5))
    return st.sampled_from(numbers).flatmap(
        lambda number: st.just(rows[number]) if number < len(rows) else other
    )


def mostly(usual: _U, odd: Sequence[_T]) -> st.SearchStrategy[_U | _T]:
    """Mostly what is usual: an oddity in every entry would hide what lies behind the first one."""
    # Always as many rows, so that an oddity's number is the same wherever it may be drawn.
    return st.sampled_from([*[usual] * _USUAL, *odd])


def present(**keys: Any) -> dict[str, Any]:
    """The keys that have a value, in this order."""
    return {key: value for key, value in keys.items() if value is not None}
