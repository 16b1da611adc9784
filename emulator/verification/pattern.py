"""What is asked of requests, and how many of them are expected."""

import msgspec

from emulator.core.matching import Matcher
from emulator.core.rules import Match
from emulator.core.units import Instant


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """What a request must be to be counted. ``None`` and empty: not asked."""

    operation: str | None = None
    provider: str | None = None
    task: str | None = None
    """The id of a task that had a say, or that was asked for and isn't there; of a batch, of any."""
    status_code: int | str | None = None
    """A code, or a class such as ``4xx``."""
    error: str | None = None
    """The named error or situation that was answered."""
    method: str | None = None
    path: Matcher | None = None
    """Of the path below the namespace's prefix; of all of it, where the matcher speaks of that prefix."""
    key: Matcher | None = None
    """Of the API key that was sent, as scenarios see it."""
    match: tuple[Match, ...] = ()
    """Of fields of the request's own body, ``header.<name>``, ``key`` and ``id``."""
    rule: str | None = None
    """The id of a rule that held and did something."""
    since: Instant | None = None
    """By the namespace's clock, this instant among them."""
    after: int | None = None
    """Only entries with a higher number."""


class Expected(msgspec.Struct, frozen=True):
    """How many requests are expected."""

    least: int
    most: int | None

    def __str__(self) -> str:
        if self.most is None:
            return f"at least {requests(self.least)}"
        if self.least == self.most:
            return f"exactly {requests(self.most)}" if self.most else "no request"
        return f"{self.least} to {requests(self.most)}" if self.least else f"at most {requests(self.most)}"

    def holds(self, low: int, high: int) -> bool:
        """Whether it holds for every count from one to the other."""
        return low >= self.least and (self.most is None or high <= self.most)


def requests(number: int) -> str:
    """So many requests, in words."""
    return f"{number} request{'' if number == 1 else 's'}"
