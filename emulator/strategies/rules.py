"""Rules: what may go wrong with single calls."""

from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from emulator.core.call import Refusal
from emulator.core.units import MILLISECOND, MINUTE, Duration, format_duration
from emulator.core.words import ErrorName, FaultName, OperationName, Profile
from emulator.providers.base import Provider, Scene
from emulator.strategies.arguments import Json, count_of, duration_of, provider_called, words_of
from emulator.strategies.common import mostly, present

_PASSING: Final = (
    ErrorName.RATE_LIMITED,
    ErrorName.INTERNAL,
    ErrorName.UNAVAILABLE,
    ErrorName.BAD_GATEWAY,
    ErrorName.TIMEOUT,
)
"""A client that waits and asks again gets over these."""
_WITH_A_WAIT: Final = frozenset({ErrorName.RATE_LIMITED, ErrorName.UNAVAILABLE})
"""RFC 6585 and RFC 9110: the two that commonly say how long to wait."""
_USUAL: Final[dict[OperationName, tuple[ErrorName, ...]]] = {
    OperationName.POLL: _PASSING,
    OperationName.CREATE: (*_PASSING, ErrorName.INSUFFICIENT_QUOTA, ErrorName.CONTENT_REJECTED),
    # A store that isn't as far as the answer which named the link.
    OperationName.CONTENT: (*_PASSING, ErrorName.NOT_FOUND),
    OperationName.DOWNLOAD: (*_PASSING, ErrorName.NOT_FOUND),
}
"""What goes wrong with each operation, in the order in which it shrinks."""
OPERATIONS: Final = tuple(_USUAL)
"""With which something may go wrong."""
_LASTING: Final = frozenset({FaultName.STALL, FaultName.HANG})
"""A client waits for these as long as its own time limits let it, in real time."""
_HALF_WAY: Final[Json] = {FaultName.CONNECTION_RESET.value: "50%"}
_WAITS: Final[tuple[str | Json, ...]] = (
    "1s",
    "2s",
    "5s",
    "10s",
    "30s",
    {"http_date": "1s"},
    {"http_date": "10s"},
)
"""What ``Retry-After`` says, where it says something."""
_LONGEST_DELAY: Final = MINUTE
_MOST_IN_A_ROW: Final = 3
_MOST_RULES: Final = 20


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What may go wrong with the calls to a provider."""

    errors: dict[OperationName, tuple[ErrorName, ...]]
    """Of each operation that the provider has."""
    faults: dict[OperationName, tuple[str | Json, ...]]
    """Likewise, as they stand in a file."""
    longest_delay: Duration
    """In whole milliseconds."""
    most: int

    @property
    def is_none(self) -> bool:
        """Whether nothing can go wrong at all."""
        return not self.most or not any(map(self.concerns, self.errors))

    def concerns(self, operation: OperationName) -> bool:
        """Whether something can go wrong with this operation."""
        return bool(self.longest_delay or self.errors[operation] or self.faults[operation])


def rules(
    provider: str,
    *,
    operations: Collection[str] = OPERATIONS,
    errors: bool | Collection[str] = True,
    faults: bool | Collection[str] = False,
    max_delay: str = "5ms",
    max_rules: int = 3,
) -> st.SearchStrategy[list[Json]]:
    """Lists of rules, as they stand in a scenario file. The simplest one is empty.

    Each rule is about some calls of one operation, three in a row at most, or every so manieth: a client that asks
    again gets through. No two are about the same call, except where one is about every so manieth.

    Args:
        provider: whose calls they are about.
        operations: which; those that the provider hasn't are left out.
        errors: ``True``: refusals that are usual there, with and without ``retry_after``; ``False``: none; or the names
            of those that there may be.
        faults: ``True``: answers that are broken on the wire, short of those that a client waits for (`stall`, `hang`);
            ``False``: none; or the names of those that there may be. Most need a socket. Creates are left alone, for
            nobody can know of a task whose answer was lost, unless ``operations`` names them and nothing else.
        max_delay: how much later answers may come, in real time; ``0s``: none.
        max_rules: how many rules there are at most.

    Raises:
        ValueError: an argument isn't what it should be.
    """
    return rules_of(trouble_of(provider, operations, errors, faults, max_delay, max_rules))


def trouble_of(
    provider: str,
    operations: Collection[str],
    errors: bool | Collection[str],
    faults: bool | Collection[str],
    max_delay: str,
    max_rules: int,
) -> Trouble:
    """What the arguments of `rules` say.

    Raises:
        ValueError: one isn't what it should be.
    """
    asked = provider_called(provider)
    has = {operation.name for operation in asked.operations} | {OperationName.DOWNLOAD}
    named = [
        name
        for name in _USUAL
        if name in words_of("operations", operations, OperationName, OPERATIONS) and name in has
    ]
    chosen = None if isinstance(errors, bool) else words_of("errors", errors, ErrorName)
    broken = _faults(faults)
    usual = {name: _USUAL[name] if chosen is None else chosen for name in named}
    return Trouble(
        errors={name: _distinct(asked, name, usual[name]) if errors else () for name in named},
        faults={name: broken if _may_break(name, named) else () for name in named},
        longest_delay=duration_of("max_delay", max_delay, most=_LONGEST_DELAY) // MILLISECOND * MILLISECOND,
        most=count_of("max_rules", max_rules, least=0, most=_MOST_RULES) if named else 0,
    )


def _faults(faults: bool | Collection[str]) -> tuple[str | Json, ...]:
    """The faults as they stand in a file, the simplest first."""
    if faults is False:
        return ()
    every = tuple(name for name in FaultName if name not in _LASTING)
    names = every if faults is True else words_of("faults", faults, FaultName)
    half_way = (_HALF_WAY,) if FaultName.CONNECTION_RESET in names else ()
    return (*(name.value for name in names), *half_way)


def _may_break(operation: OperationName, named: Collection[OperationName]) -> bool:
    return operation is not OperationName.CREATE or len(named) == 1


def _distinct(
    provider: Provider, operation: OperationName, names: Iterable[ErrorName]
) -> tuple[ErrorName, ...]:
    """Of the names that the provider words alike the first: where it knows no 502, one that says so is the 500."""
    found: dict[str, ErrorName] = {}
    for name in names:
        found.setdefault(repr(_worded(provider, operation, name)), name)
    return tuple(found.values())


def _worded(provider: Provider, operation: OperationName, name: ErrorName) -> Any:
    scenes = (
        Scene(profile=profile, method="GET", path="/", now=0, entropy=bytes(48), operation=operation)
        for profile in Profile
    )
    return [provider.refuse(Refusal(name), scene) for scene in scenes]


@st.composite
def rules_of(draw: st.DrawFn, trouble: Trouble) -> list[Json]:
    """The rules for what may go wrong."""
    if trouble.is_none:
        return []
    next_call = dict.fromkeys(trouble.errors, 1)
    drawn = _without_repeats(draw(st.lists(_rules(trouble), max_size=trouble.most)))
    order = list(trouble.errors)
    return [_placed(rule, next_call) for rule in sorted(drawn, key=lambda rule: order.index(rule.operation))]


class _Calls(msgspec.Struct, frozen=True):
    """Which calls of an operation a rule is about."""

    skipped: int = 0
    """Calls between those of the rule before it and its own."""
    length: int = 1
    every: int | None = None
    """Every so manieth, instead."""


_CALLS: Final = (
    *(_Calls(skipped) for skipped in range(5)),
    *(_Calls(skipped, length) for length in range(2, _MOST_IN_A_ROW + 1) for skipped in range(3)),
    *(_Calls(every=every) for every in range(2, 6)),
)


class _Drawn(msgspec.Struct, frozen=True):
    """A rule before it is known what the rules before it are about."""

    operation: OperationName
    calls: _Calls
    effect: Json


@st.composite
def _rules(draw: st.DrawFn, trouble: Trouble) -> _Drawn:
    # Polls twice as often as each of the others: of them there are the most.
    concerned = [name for name in trouble.errors if trouble.concerns(name)]
    operation = draw(st.sampled_from((*concerned, concerned[0])))
    calls = draw(st.sampled_from(_CALLS))
    return _Drawn(operation, calls, draw(_effects(trouble, operation)))


@st.composite
def _effects(draw: st.DrawFn, trouble: Trouble, operation: OperationName) -> Json:
    # Two delays are enough: a late answer seldom finds anything, and costs real time.
    delays = sorted({MILLISECOND, trouble.longest_delay}) if trouble.longest_delay else ()
    possible = [
        *({"error": name.value} for name in trouble.errors[operation]),
        *({"delay": format_duration(delay)} for delay in delays),
        *({"fault": fault} for fault in trouble.faults[operation]),
    ]
    effect: Json = draw(st.sampled_from(possible))
    wait = draw(mostly(None, _WAITS))
    return present(**effect, retry_after=wait if effect.get("error") in _WITH_A_WAIT else None)


def _without_repeats(drawn: list[_Drawn]) -> list[_Drawn]:
    """The rules without what follows one about every so manieth call: that would seldom have a say."""
    open_ones, kept = {rule.operation for rule in drawn}, []
    for rule in drawn:
        if rule.operation in open_ones:
            kept.append(rule)
        if rule.calls.every is not None:
            open_ones.discard(rule.operation)
    return kept


def _placed(rule: _Drawn, next_call: dict[OperationName, int]) -> Json:
    return {
        "operation": rule.operation.value,
        "calls": _calls(rule.calls, rule.operation, next_call),
        **rule.effect,
    }


def _calls(calls: _Calls, operation: OperationName, next_call: dict[OperationName, int]) -> int | str:
    """The calls as they stand in a file; those of the next rule of the operation come behind them."""
    if calls.every is not None:
        return f"every {calls.every}"
    first = next_call[operation] + calls.skipped
    last = first + calls.length - 1
    next_call[operation] = last + 1
    return first if first == last else f"{first}-{last}"
