"""When something changed that two polls have seen before and after."""

from collections.abc import Sequence
from typing import Final

from emulator.core.units import MILLISECOND, SECOND, Duration

Point = tuple[Duration, int]
"""How long after the creation, and the progress that was shown then."""
_UNITS: Final = (SECOND, 100 * MILLISECOND, 10 * MILLISECOND, MILLISECOND, 1)
_ROUNDED: Final = 1_500_000
"""Providers announce whole seconds, of two instants, each cut off."""
_MOST_POINTS: Final = 12
_FINE: Final = 8
"""Into so many parts the gap between two polls may be divided by what reads well."""


def dated(low: Duration, high: Duration, announced: Duration | None, foreseen: Duration | None) -> Duration:
    """When the change happened, after ``low`` and at the latest at ``high``: at ``high`` it was seen.

    Args:
        low: when the state before was last seen.
        high: when the state after was first seen.
        announced: when the provider says that it happened.
        foreseen: when it must have happened for what followed to fit.
    """
    if high <= low:
        return high
    if announced is not None and low - _ROUNDED < announced <= high + _ROUNDED:
        return readable(low, high, announced)
    if foreseen is not None and low < foreseen <= high:
        return readable(low, high, foreseen)
    # A replay that polls a little earlier or later sees it at the same poll.
    return readable(low, high, (low + high) // 2)


def readable(low: Duration, high: Duration, wanted: Duration) -> Duration:
    """The instant wanted, as round as the gap allows, and within it."""
    inside = min(max(wanted, low + 1), high)
    unit = next((unit for unit in _UNITS if unit * _FINE <= high - low), 1)
    rounded = (inside + unit // 2) // unit * unit
    rounded += unit if rounded <= low else 0
    return rounded if rounded <= high else inside


def begun(points: Sequence[Point], floor: int) -> Duration | None:
    """When progress that rises evenly left ``floor``; ``None``: it doesn't rise."""
    line = line_through(points[:_MOST_POINTS])
    if line is None or line[1] <= 0:
        return None
    offset, slope = line
    return round((floor - offset) / slope)


def line_through(points: Sequence[Point]) -> tuple[float, float] | None:
    """Offset and slope of the straight line that comes nearest to points; ``None``: there is no one such line."""
    if len({at for at, _ in points}) < 2:
        return None
    count = len(points)
    # What is shown is rounded down: on average it lies half a per cent below.
    middle = sum(at for at, _ in points) / count
    height = sum(value + 0.5 for _, value in points) / count
    width = sum((at - middle) ** 2 for at, _ in points)
    slope = sum((at - middle) * (value + 0.5 - height) for at, value in points) / width
    return height - slope * middle, slope
