"""Rules: exceptions that a scenario lays over its timelines, and what they make of one exchange."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from emulator.core import matching, seeded, spans
from emulator.core.effects import Failure, Fault, Respond, SlowBody
from emulator.core.matching import Matcher
from emulator.core.spans import Span
from emulator.core.spreads import Spread
from emulator.core.units import Duration
from emulator.core.words import OperationName, Status

Since = Literal["task", "status", "start"]


class RetryAfter(msgspec.Struct, frozen=True):
    """What a refusal's ``Retry-After`` says. Without a `wait`: the header is left out."""

    wait: Duration | None
    as_date: bool = False


class Match(msgspec.Struct, frozen=True):
    """One line of a ``match``: the field's dotted path, ``id``, ``key`` or ``header.<name>``, and its matcher."""

    field: str
    matcher: Matcher


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What rules and auth's ``reject`` can ask of an exchange. ``None`` and empty: not asked."""

    operations: tuple[OperationName, ...] = ()
    providers: tuple[str, ...] = ()
    match: tuple[Match, ...] = ()
    between: tuple[Span, ...] = ()
    since: Since = "task"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. Its draws and counts are kept under `id`, a digest of what it says, so that others may come and go."""

    id: str
    conditions: Conditions
    calls: tuple[Span, ...] = ()
    during: tuple[Status, ...] = ()
    """``while``: the statuses that it holds in."""
    probability: float | None = None
    times: int | None = None
    times_total: int | None = None
    effect: Failure | Respond | Fault | Literal["pass"] | None = None
    delay: Spread | None = None
    slow_body: SlowBody | None = None
    patch: Any = None
    headers: tuple[tuple[str, Any], ...] = ()
    retry_after: RetryAfter | None = None
    about: str | None = None
    line: int = 0

    @property
    def counts(self) -> bool:
        """Whether the rule needs to know how many calls there were or how often it fired."""
        asked = (self.probability, self.times, self.times_total)
        return bool(self.calls) or any(a is not None for a in asked) or not isinstance(self.delay, int | None)


class Occasion(msgspec.Struct):
    """What conditions are asked about: one exchange, seen from one task (or from none)."""

    operation: OperationName
    provider: str
    id: str | None
    key: str | None
    headers: Mapping[bytes, bytes]
    fields: Callable[[], Any]
    """The task's create request; called only where a condition asks for one of its fields."""
    entropy: bytes
    call: int = 0
    """How manieth call of this operation it is, on the task or in the namespace; the first is 1."""
    status: Status | None = None
    ages: Mapping[Since, Duration | None] = {}
    """How long ago the task was created, entered its status, and its scenario was activated."""
    fired: Mapping[str, int] = {}
    fired_in_all: Mapping[str, int] = {}


class Verdict(msgspec.Struct, frozen=True):
    """What the rules make of an exchange. `patches` are in the order in which they apply."""

    rule: Rule | None = None
    """The rule whose effect answers, or that let the exchange pass."""
    delay: tuple[Spread, str] | None = None
    """The first delay that held, and the id of the rule that it stands in."""
    patches: tuple[Any, ...] = ()
    headers: tuple[tuple[str, Any], ...] = ()
    retry_after: RetryAfter | None = None
    fired: tuple[str, ...] = ()
    """The ids of all rules that held and did something."""
    slow_body: SlowBody | None = None
    """The first that held."""

    @property
    def effect(self) -> Failure | Respond | Fault | None:
        """What answers in place of the provider, or breaks its answer, if anything does."""
        effect = self.rule.effect if self.rule else None
        return None if effect == "pass" else effect

    @property
    def fault(self) -> Fault | None:
        """What is wrong with the answer on the wire, if anything is."""
        effect = self.effect
        return effect if isinstance(effect, Fault) else None


NOTHING = Verdict()


def conditions_hold(conditions: Conditions, occasion: Occasion) -> bool:
    """Whether every condition holds for the occasion."""
    if conditions.operations and occasion.operation not in conditions.operations:
        return False
    if conditions.providers and occasion.provider not in conditions.providers:
        return False
    if conditions.between:
        age = occasion.ages.get(conditions.since)
        if age is None or not spans.holds_time(conditions.between, age):
            return False
    return not conditions.match or match_holds(conditions.match, occasion)


def match_holds(match: Iterable[Match], occasion: Occasion) -> bool:
    """Whether every line of a ``match`` holds for the occasion."""
    return all(matching.matches(m.matcher, _asked(m.field, occasion)) for m in match)


def _asked(field: str, occasion: Occasion) -> Any:
    if field == "id":
        return matching.ABSENT if occasion.id is None else occasion.id
    if field == "key":
        return matching.ABSENT if occasion.key is None else occasion.key
    if field.startswith("header."):
        value = occasion.headers.get(field.removeprefix("header.").lower().encode("latin-1", "replace"))
        return matching.ABSENT if value is None else value.decode("latin-1")
    return matching.field_of(occasion.fields(), field)


def may_hold(rule: Rule, status: Status, call: int, entropy: bytes) -> bool:
    """Whether the rule may hold for the call of this number on a task, as far as that alone tells.

    `holds` asks the same, and more. This takes no look at the request, and rules out nearly every rule that a
    poll meets.
    """
    if rule.during and status not in rule.during:
        return False
    if rule.calls and not spans.holds_call(rule.calls, call):
        return False
    probability = rule.probability
    return probability is None or seeded.fraction(entropy, f"rule {rule.id}", call) < probability


def holds(rule: Rule, occasion: Occasion) -> bool:
    """Whether the rule holds for the occasion."""
    if not conditions_hold(rule.conditions, occasion):
        return False
    if rule.during and occasion.status not in rule.during:
        return False
    if rule.calls and not spans.holds_call(rule.calls, occasion.call):
        return False
    if rule.times is not None and occasion.fired.get(rule.id, 0) >= rule.times:
        return False
    if rule.times_total is not None and occasion.fired_in_all.get(rule.id, 0) >= rule.times_total:
        return False
    if rule.probability is None:
        return True
    return seeded.fraction(occasion.entropy, f"rule {rule.id}", occasion.call) < rule.probability


def judge(rules: Iterable[Rule], occasion: Occasion) -> Verdict:
    """What the rules make of the occasion, looked at in order, up to the first that holds and has an effect."""
    for rule in rules:
        if holds(rule, occasion):
            return _judged(rules, occasion)
    return NOTHING  # for nearly every call: what a verdict is made of needn't be laid out


def _judged(rules: Iterable[Rule], occasion: Occasion) -> Verdict:
    delay: tuple[Spread, str] | None = None
    retry_after: RetryAfter | None = None
    slow_body: SlowBody | None = None
    patches: list[Any] = []
    headers: list[tuple[str, Any]] = []
    fired: list[str] = []
    last: Rule | None = None
    for rule in rules:
        if not holds(rule, occasion):
            continue
        fired.append(rule.id)
        if delay is None and rule.delay is not None:
            delay = (rule.delay, rule.id)
        retry_after = retry_after or rule.retry_after
        slow_body = slow_body or rule.slow_body
        headers.extend(rule.headers)
        if rule.patch is not None:
            patches.append(rule.patch)
        if rule.effect is not None:
            last = rule
            break
    return Verdict(last, delay, tuple(patches), tuple(headers), retry_after, tuple(fired), slow_body)
