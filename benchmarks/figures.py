"""Figures with the goals that they are held against, and the tables that show them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Literal

import msgspec

from benchmarks.load import Slice

BEGIN = "<!-- figures: begin (written by benchmarks/compare.py --write-docs) -->"
END = "<!-- figures: end -->"


class Goal(msgspec.Struct, frozen=True):
    """A bound, in the figure's own unit."""

    bound: float
    is_least: bool = True

    def met_by(self, value: float) -> bool:
        """Whether the value keeps to the bound."""
        return value >= self.bound if self.is_least else value <= self.bound


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    name: str
    value: float
    unit: Literal["", "ms", "MB", "B"] = ""
    """Nothing for a ratio."""
    goal: Goal | None = None
    """``None``: shown for what it tells."""
    detail: str = ""
    samples: tuple[float, ...] = ()
    """What `value` is the median of, where it is one."""

    @property
    def verdict(self) -> str:
        """``met`` or ``missed``; nothing without a goal."""
        if self.goal is None:
            return ""
        return "met" if self.goal.met_by(self.value) else "missed"


def at_least(bound: float) -> Goal:
    """A value that is this or more."""
    return Goal(bound)


def at_most(bound: float) -> Goal:
    """A value that is this or less."""
    return Goal(bound, is_least=False)


_DECIMALS = {"": 2, "ms": 1, "MB": 1, "B": 0}


def _written(value: float, unit: str) -> str:
    return f"{value:,.{_DECIMALS[unit]}f} {unit}".rstrip()


def row(figure: Figure) -> tuple[str, str, str, str, str]:
    """The cells of a figure: name, value, goal, verdict, detail."""
    goal = figure.goal
    bound = "" if goal is None else f"{'>=' if goal.is_least else '<='} {_written(goal.bound, figure.unit)}"
    return figure.name, _written(figure.value, figure.unit), bound, figure.verdict, figure.detail


HEAD = ("figure", "measured", "goal", "", "detail")


def table(rows: Iterable[Sequence[str]], head: Sequence[str]) -> str:
    """A table that reads as text and as Markdown alike."""
    lines = [tuple(head), *map(tuple, rows)]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(head))]
    ruled = ["-" * width for width in widths]
    return "\n".join(_line(cells, widths) for cells in (lines[0], ruled, *lines[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


# Polls


class Rounds(msgspec.Struct, frozen=True, kw_only=True):
    """Slices of several contenders in turn; each round has one of every contender, in the same order."""

    rounds: tuple[tuple[Slice, ...], ...]
    left_out: int = 0
    """Slices that were disturbed, and taken again."""

    def compared(self, one: int, other: int) -> "Comparison":
        """How the contender with the number ``one`` does against the ``other``."""
        pairs = [(slices[one], slices[other]) for slices in self.rounds]
        speeds = tuple(mine.rate / theirs.rate for mine, theirs in pairs)
        return Comparison(
            speeds=speeds,
            speed=median(speeds),
            thrift=median(theirs.micros / mine.micros for mine, theirs in pairs),
            rate=median(mine.rate for mine, _ in pairs),
            other_rate=median(theirs.rate for _, theirs in pairs),
            micros=median(mine.micros for mine, _ in pairs),
            other_micros=median(theirs.micros for _, theirs in pairs),
        )

    @property
    def remark(self) -> str:
        """What has to be said of the slices."""
        flaws = Counter(taken.flaw for slices in self.rounds for taken in slices if taken.flaw is not None)
        remarks = [f"{self.left_out} disturbed slices left out"] if self.left_out else []
        remarks += [f"{count} SLICES KEPT ALL THE SAME: {flaw}" for flaw, count in flaws.items()]
        return "; ".join(remarks)


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One contender beside another: medians; those of ratios were taken pair by pair."""

    speeds: tuple[float, ...]
    speed: float
    """Requests per second, as a share of the other's."""
    thrift: float
    """The other's processor time for a request, as a share of this one's."""
    rate: float
    other_rate: float
    micros: float
    other_micros: float

    @property
    def detail(self) -> str:
        """The figures behind the ratio."""
        return (
            f"{self.rate:,.0f} of {self.other_rate:,.0f} req/s ({min(self.speeds):.2f} to {max(self.speeds):.2f}); "
            f"CPU {self.micros:.1f} and {self.other_micros:.1f} \N{MICRO SIGN}s, ratio {self.thrift:.2f}"
        )


# Imports


def imports(report: str, fewest_micros: int = 500) -> list[tuple[str, str, str]]:
    """Import time by top-level package, the dearest first, from what ``python -X importtime`` prints.

    Each row: the package, its modules, its milliseconds. Those under ``fewest_micros`` are one row at the end.
    """
    totals: dict[str, tuple[int, int]] = {}
    for line in report.splitlines():
        fields = line.removeprefix("import time:").split("|")
        if len(fields) == len(HEAD) - 2 and fields[0].strip().isdigit():
            package = fields[2].strip().partition(".")[0]
            modules, micros = totals.get(package, (0, 0))
            totals[package] = (modules + 1, micros + int(fields[0]))
    dear = {name: of for name, of in totals.items() if of[1] >= fewest_micros}
    rest = [of for name, of in totals.items() if name not in dear]
    rows = sorted(dear.items(), key=lambda item: -item[1][1])
    rows.append((f"{len(rest)} others", (sum(of[0] for of in rest), sum(of[1] for of in rest))))
    rows.append(("all", (sum(of[0] for of in totals.values()), sum(of[1] for of in totals.values()))))
    return [(name, str(modules), f"{micros / 1000:.1f}") for name, (modules, micros) in rows]


# The page


def with_block(page: str, block: str) -> str:
    """The page with what stands between its two markers replaced.

    Raises:
        ValueError: the page doesn't have both markers, in their order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected the markers {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"
