"""Scenarios: what a file says shall happen, loaded and checked, still with its spreads and choices."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from emulator.core import callbacks, marks, matching, seeded
from emulator.core.callbacks import ONCE, Callback
from emulator.core.effects import Failure
from emulator.core.expectations import Expectations
from emulator.core.limits import Limit
from emulator.core.matching import Matcher
from emulator.core.plan import HAPPY_TIMELINE, Entry, Plan, has_draws, plan_of, settled
from emulator.core.rules import Conditions, Match, Rule
from emulator.core.spans import Span
from emulator.core.spreads import Spread
from emulator.core.units import Duration, Instant
from emulator.core.words import Profile

ClockMode = Literal["real", "scaled", "manual", "auto"]


class ClockSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The clock that a scenario asks for in a namespace that activates it."""

    mode: ClockMode = "real"
    scale: float = 1.0
    start: Instant | None = None


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is known and refused, always or in the circumstances that its conditions name."""

    key: Matcher
    conditions: Conditions
    error: Failure
    about: str | None = None


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """Which API keys are good. Without `keys` every key that isn't empty is."""

    keys: tuple[Matcher, ...] = ()
    reject: tuple[Rejection, ...] = ()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the timelines that a task may get."""

    entries: tuple[Entry, ...] = HAPPY_TIMELINE
    name: str | None = None
    weight: float = 1.0
    about: str | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item of ``tasks``: a task that exists from the start (it has an `id`), or what creates get."""

    id: str | None = None
    providers: tuple[str, ...] = ()
    """Where it exists or what it takes creates of; empty: every provider of the file."""
    created: Duration | Instant = 0
    created_is_instant: bool = False
    request: Mapping[str, Any] = {}
    values: Mapping[str, Any] = {}
    match: tuple[Match, ...] = ()
    calls: tuple[Span, ...] = ()
    choices: tuple[Choice, ...] = (Choice(),)
    patch: Any = None
    manual: bool = False
    callback: Callback = ONCE
    about: str | None = None
    line: int = 0


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario file, loaded. Its version is the value itself: a reloaded file is another value."""

    name: str
    about: str | None = None
    source: str | None = None
    """The file it came from; ``None``: from the environment or a request."""
    digest: str = ""
    """A few hex digits that depend on the text it came from, to the letter; empty: it came from none."""
    providers: tuple[str, ...] = ()
    """Whom it speaks of; empty: all."""
    profile: Profile | None = None
    seed: int | str | None = None
    clock: ClockSettings | None = None
    starts_unknown_tasks: bool = False
    auth: Auth = Auth()
    limits: tuple[Limit, ...] = ()
    default_delay: Spread | None = None
    items: tuple[Item, ...] = (Item(),)
    rules: tuple[Rule, ...] = ()
    expect: Expectations = Expectations()

    @property
    def version(self) -> str:
        """What tells this version of the scenario from others: ``NAME@DIGEST``."""
        return f"{self.name}@{self.digest}"

    def speaks_of(self, provider: str) -> bool:
        """Whether the file is about this provider; if not, it answers as in the happy path."""
        return not self.providers or provider in self.providers


HAPPY_PATH = Scenario(name="happy-path")
"""What applies where nothing else does."""

UNFITTED = Item(choices=(Choice(),))
"""Takes a create that no item of its scenario fits."""


def takes(item: Item, provider: str) -> bool:
    """Whether the item speaks of this provider's tasks."""
    return not item.providers or provider in item.providers


def is_drawn(item: Item, choice: Choice) -> bool:
    """Whether two tasks that get this choice of the item may get two plans."""
    return has_draws(choice.entries) or callbacks.has_draws(item.callback)


def chosen(item: Item, entropy: bytes) -> Choice:
    """The choice that a task of this entropy gets, drawn by the weights."""
    if len(item.choices) == 1:
        return item.choices[0]
    point = seeded.fraction(entropy, "choice") * sum(choice.weight for choice in item.choices)
    for choice in item.choices:
        point -= choice.weight
        if point < 0:
            return choice
    return item.choices[-1]


def resolved(
    scenario: Scenario,
    number: int,
    choice: Choice,
    entropy: bytes,
    profile: Profile,
    activated_at: Instant,
    seed: int | str = 0,
) -> Plan:
    """The plan that a task of this entropy gets from one choice of the item with this number (-1: `UNFITTED`)."""
    item = scenario.items[number] if number >= 0 else UNFITTED
    entries = settled(choice.entries, entropy) if has_draws(choice.entries) else choice.entries
    return plan_of(
        entries,
        scenario=scenario.name,
        version=scenario.version,
        marks=_marks(scenario.version, number, item.choices.index(choice), len(entries)),
        item=number,
        choice=choice.name,
        profile=scenario.profile or profile,
        values=item.values,
        patch=item.patch,
        rules=scenario.rules,
        default_delay=scenario.default_delay,
        manual=item.manual,
        callback=callbacks.settled(item.callback, entropy),
        activated_at=activated_at,
        seed=seed,
    )


@lru_cache(maxsize=1024)
def _marks(version: str, item: int, choice: int, count: int) -> tuple[str, ...]:
    return tuple(marks.entry(version, item, choice, index) for index in range(count))


def key_is_known(auth: Auth, key: str) -> bool:
    """Whether the scenario counts this key among the good ones; what ``reject`` names is judged before."""
    return not auth.keys or any(matching.matches(matcher, key) for matcher in auth.keys)
