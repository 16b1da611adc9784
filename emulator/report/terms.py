"""What a client is judged by: the request for the report, else the scenario, else what holds for every client."""

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

import msgspec

from emulator.core.expectations import Expectations
from emulator.core.scenario import HAPPY_PATH, Scenario
from emulator.core.units import MILLISECOND, SECOND, Duration

T = TypeVar("T")

PACE: Final[Duration] = SECOND
"""The shortest gap after an answered poll, for every client: how long OpenAI's own helper waits unless it is told."""
PACE_AFTER_ERROR: Final[Duration] = 375 * MILLISECOND
"""The same after a poll that wasn't answered: the quickest retry of OpenAI's clients, half a second less a quarter."""
DOWNLOADS: Final = 1
"""How often every client downloads each finished result, at least."""
BY_ALL: Final = "as for every client"
BY_REQUEST: Final = "as the request for this report says"
BY_REQUEST_UNFINISHED: Final = f"which may not be done yet, {BY_REQUEST}"

_SLACK: Final = 20


def slack(duration: Duration) -> Duration:
    """How much a gap may be off: a twentieth. Timers are coarse, and networks don't deliver on time."""
    return duration // _SLACK


class Said(msgspec.Struct, Generic[T], frozen=True):
    """A value, and who says so."""

    value: T
    by: str


class Terms(msgspec.Struct, frozen=True):
    """What the client of one task is judged by."""

    layers: tuple[tuple[str, Expectations], ...]
    """Who says what; the first who says anything counts."""

    def said(self, of: Callable[[Expectations], T | None]) -> Said[T] | None:
        """What is said of one thing; ``None``: it is left open."""
        for by, expectations in self.layers:
            value = of(expectations)
            if value is not None:
                return Said(value, by)
        return None

    def said_or(self, of: Callable[[Expectations], T | None], general: T) -> Said[T]:
        """What is said of one thing, or what holds for every client."""
        return self.said(of) or Said(general, BY_ALL)


class Book(msgspec.Struct, frozen=True):
    """All that is expected in one namespace."""

    active: Scenario
    scenarios: Mapping[str, Scenario] = {}
    """Those that tasks may have been created under, by version."""
    given: Expectations | None = None
    """What the request for the report expects; what it leaves open, the scenario says."""
    unfinished: bool = False
    """Whether the client may not be done yet: then only who asks for downloads misses them."""

    @property
    def downloads(self) -> Said[int]:
        """How often every client downloads each finished result, at least."""
        return Said(0, BY_REQUEST_UNFINISHED) if self.unfinished else Said(DOWNLOADS, BY_ALL)

    def terms(self, version: str | None) -> Terms:
        """What holds for tasks of a scenario's version; ``None``: for what the active one applies to."""
        layers = [] if self.given is None else [(BY_REQUEST, self.given)]
        scenario = self._scenario(version)
        if scenario is not None:
            layers.append((f"as the scenario {scenario.name} says", scenario.expect))
        return Terms(tuple(layers))

    def _scenario(self, version: str | None) -> Scenario | None:
        # A provider that the active scenario doesn't speak of: nothing of the file is about it.
        if version == HAPPY_PATH.version:
            return None
        return self.active if version is None else self.scenarios.get(version, self.active)
