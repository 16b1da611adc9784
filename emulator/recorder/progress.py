"""Progress that was seen, as the scenario language says it: numbers, and ranges over a stay."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import msgspec

from emulator.core.plan import Entry, Ramp, floor_after
from emulator.core.units import Duration
from emulator.core.words import Status
from emulator.recorder.dating import Point, line_through, readable

_NEAR: Final = range(-2, 3)
_USUAL: Final = frozenset({99, 100})
"""What progress runs up to, mostly."""
_MOST_SEGMENTS: Final = 40


class Segment(msgspec.Struct, frozen=True):
    """A part of a stay."""

    progress: int | Ramp | None
    """``None``: what the emulator prints anyway."""
    ends: Duration | None
    """``None``: as the stay does."""


def segments(
    points: Sequence[Point], begins: Duration, ends: Duration | None, floor: int, default: int
) -> list[Segment]:
    """The progress of a stay, in as few parts as show each number that was seen to within one per cent.

    Args:
        points: what was seen, oldest first.
        begins: when the stay began.
        ends: when it ended; ``None``: it didn't.
        floor: the progress that was left by what came before.
        default: what the emulator prints where nothing is said.
    """
    found: list[Segment] = []
    left = list(points)
    while left and len(found) < _MOST_SEGMENTS:
        whole = _one(left, begins, ends, floor, default)
        if whole is not None:
            return [*found, Segment(whole.progress, None)]
        count = _longest(left, begins, floor, default)
        cut = _between(left, count)
        part = _one(left[:count], begins, cut, floor, default)
        assert part is not None
        found.append(Segment(part.progress, cut))
        floor = default = _left(part.progress, floor, default)
        begins, left = cut, left[count:]
    return [*found, Segment(left[-1][1] if left else None, None)]


def _left(progress: int | Ramp | None, floor: int, default: int) -> int:
    if progress is None:
        return default
    return floor_after(floor, Entry(status=Status.PROCESSING, progress=progress))


def _between(points: Sequence[Point], count: int) -> Duration:
    low, high = points[count - 1][0], points[count][0]
    return readable(low, high, (low + high) // 2)


def _longest(points: Sequence[Point], begins: Duration, floor: int, default: int) -> int:
    """How many of the first points one part can show: at least one, and not all."""
    low, high = 1, len(points) - 1
    while low < high:
        middle = (low + high + 1) // 2
        fits = _one(points[:middle], begins, _between(points, middle), floor, default) is not None
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def _one(
    points: Sequence[Point], begins: Duration, ends: Duration | None, floor: int, default: int
) -> Segment | None:
    """The one part that shows all points; ``None``: there is none."""
    values = {value for _, value in points}
    if len(values) == 1:
        value = values.pop()
        return Segment(None if value == default else value, None)
    if ends is None:
        return None
    ramp = _ramp(points, begins, ends, floor)
    return None if ramp is None else Segment(ramp, None)


def _ramp(points: Sequence[Point], begins: Duration, ends: Duration, floor: int) -> Ramp | None:
    line = line_through(points)
    if line is None or line[1] < 0 or ends <= begins:
        return None
    offset, slope = line
    near = [round(offset + slope * at - 0.5) for at in (begins, ends)]
    starts, tops = ({min(max(middle + by, 0), 100) for by in _NEAR} for middle in near)
    tops.update(_USUAL)
    fitting = [
        (error, ramp)
        for start, top in product(sorted(starts), sorted(tops))
        if start <= top
        and (error := _error(ramp := Ramp(start, top), points, begins, ends, floor)) is not None
    ]
    if not fitting:
        return None
    least = min(error for error, _ in fitting)
    # Of those that show about as much, the one that an author would write.
    near_enough = [one for one in fitting if one[0] <= least + max(1, len(points) // 3)]
    return min(near_enough, key=lambda one: (one[1].end not in _USUAL, one[0]))[1]


def _error(ramp: Ramp, points: Sequence[Point], begins: Duration, ends: Duration, floor: int) -> int | None:
    """How far from the points a range runs, added up; ``None``: from one of them by more than one per cent."""
    total = 0
    for at, value in points:
        shown = max(floor, ramp.start + (ramp.end - ramp.start) * (at - begins) // (ends - begins))
        if abs(shown - value) > 1:
            return None
        total += abs(shown - value)
    return total
