"""Doubts about a file that loads: what can't happen in it, and what probably isn't meant."""

from collections.abc import Iterator
from math import inf
from typing import Final

import msgspec

from emulator.core.effects import Fault, is_headless
from emulator.core.plan import DEFAULT_LINK_LIFE, HAPPY_TIMELINE, Entry
from emulator.core.rules import Match, Rule
from emulator.core.scenario import Item, Scenario
from emulator.core.spans import Span
from emulator.core.spreads import Lognormal, Spread, Uniform
from emulator.core.units import DAY
from emulator.core.words import FaultName, OperationName, Status
from emulator.providers import by_name
from emulator.scenario_file.lint_limits import doubts_about_limits, doubts_about_waits
from emulator.scenario_file.lint_patches import doubts_about_patches
from emulator.scenario_file.nodes import Node, located, timeline_path
from emulator.scenario_file.report import Path, Report

Doubt = tuple[str, Path, str, str | None]
"""Id, path, message, hint."""
_MOST_COMPARED: Final = 300
"""Each rule (or task) is compared with so many before it, lest a huge file takes long."""


def lint(scenario: Scenario, root: Node, report: Report) -> None:
    """Adds the doubts to the report."""
    for id, path, message, hint in _doubts(scenario, root):
        report.doubt(id, located(root, path), path, message, hint)


def _doubts(scenario: Scenario, root: Node) -> Iterator[Doubt]:
    lives = list(_lives(scenario, root))
    for life in lives:
        yield from _about_entries(life)
        yield from _about_links(life)
    yield from _about_tasks(scenario)
    yield from _about_rules(scenario, lives)
    yield from doubts_about_limits(scenario)
    yield from doubts_about_waits(scenario)
    yield from _about_faults(scenario)
    yield from doubts_about_patches(scenario, root)


# Timelines: when each entry begins and ends


class Stretch(msgspec.Struct, frozen=True):
    """One entry, and between which times since creation it can begin and end."""

    entry: Entry
    earliest: float
    latest_start: float
    latest: float


class Life(msgspec.Struct, frozen=True):
    """One timeline of the file."""

    path: Path
    stretches: tuple[Stretch, ...]
    item: Item


def _lives(scenario: Scenario, root: Node) -> Iterator[Life]:
    for number, item in enumerate(scenario.items):
        for index, choice in enumerate(item.choices):
            path = timeline_path(root, ("tasks", number), index)
            yield Life(path, _stretches(choice.entries, item.manual), item)
    if not any(_takes_all(item) for item in scenario.items):
        yield Life((), _stretches(HAPPY_TIMELINE, False), Item())


def _takes_all(item: Item) -> bool:
    return item.id is None and not item.providers and not item.match and not item.calls


def _stretches(entries: tuple[Entry, ...], manual: bool) -> tuple[Stretch, ...]:
    low, high, stretches = 0.0, 0.0, []
    for entry in entries:
        first, last = low, high
        if entry.stay is not None:
            low, high = low + bounds(entry.stay)[0], high + bounds(entry.stay)[1]
        elif entry.until is not None:
            low, high = max(low, bounds(entry.until)[0]), max(high, bounds(entry.until)[1])
        if manual or (entry.stay is None and entry.until is None):
            low, high = first, inf
        stretches.append(Stretch(entry, first, last, high))
    return tuple(stretches)


def bounds(spread: Spread) -> tuple[float, float]:
    """Between which durations a spread draws."""
    if isinstance(spread, Uniform):
        return spread.low, spread.high
    if isinstance(spread, Lognormal):
        return 0, inf if spread.median else 0
    return spread, spread


def _about_entries(life: Life) -> Iterator[Doubt]:
    for index, stretch in enumerate(life.stretches):
        entry, path = stretch.entry, (*life.path, index)
        if entry.stay is not None and bounds(entry.stay)[1] == 0:
            message = "this entry lasts no time, so no poll ever shows it"
            yield "entry-unreachable", (*path, "for"), message, "leave it out, or let it last"
        elif entry.until is not None and bounds(entry.until)[1] <= stretch.earliest:
            message = "this entry's 'until' has passed when it begins, so no poll ever shows it"
            yield "entry-unreachable", (*path, "until"), message, "'until' counts from the creation"


def _about_links(life: Life) -> Iterator[Doubt]:
    for index, stretch in enumerate(life.stretches):
        video, path = stretch.entry.video, (*life.path, index)
        if stretch.entry.status is not Status.COMPLETED or (video and (video.url or not video.has_link)):
            continue
        lives_on = video is not None and video.expires_in is not None
        if video is not None and video.renew and not lives_on:
            message = "'renew' does nothing where no 'expires_in' says how long a link lives"
            yield "renew-without-expires-in", (*path, "video", "renew"), message, "add expires_in: 1h"
        if not lives_on and stretch.earliest >= DEFAULT_LINK_LIFE:
            message = (
                f"the link dies {DEFAULT_LINK_LIFE // DAY} day after the creation, before this entry shows it"
            )
            yield "link-dead-on-arrival", path, message, "add video: {expires_in: 1h}"


# Tasks and rules: what comes too late


def _about_tasks(scenario: Scenario) -> Iterator[Doubt]:
    items = [(number, item) for number, item in enumerate(scenario.items) if item.id is None]
    for place, (number, item) in enumerate(items):
        before = items[: min(place, _MOST_COMPARED)]
        first = next((other for _, other in before if _takes_before(other, item)), None)
        if first is not None:
            message = f"the task in line {first.line} takes every create that this one would"
            yield "task-shadowed", ("tasks", number), message, "put this one before it"


def _takes_before(earlier: Item, later: Item) -> bool:
    return (
        _includes(earlier.providers, later.providers)
        and _asks_no_more(earlier.match, later.match)
        and not earlier.calls
    )


def _includes(earlier: tuple[str, ...], later: tuple[str, ...]) -> bool:
    return not earlier or (bool(later) and set(later) <= set(earlier))


def _asks_no_more(earlier: tuple[Match, ...], later: tuple[Match, ...]) -> bool:
    return all(match in later for match in earlier)


def _about_rules(scenario: Scenario, lives: list[Life]) -> Iterator[Doubt]:
    for number, rule in enumerate(scenario.rules):
        path: Path = ("rules", number)
        if rule.calls and not rule.conditions.operations:
            message = "'calls' without 'operation' counts the calls of each operation by itself"
            yield "calls-without-operation", (*path, "calls"), message, "add operation: poll"
        never = _never(rule, scenario, lives)
        before = scenario.rules[: min(number, _MOST_COMPARED)]
        first = next((other for other in before if _answers_before(other, rule)), None)
        if never is not None:
            yield "rule-never-fires", (*path, never[0]), never[1], None
        elif first is not None:
            message = f"the rule in line {first.line} answers everything that this one would"
            yield "rule-shadowed", path, message, "put this one before it"


def _answers_before(earlier: Rule, later: Rule) -> bool:
    if earlier.effect is None or earlier.probability is not None or earlier.times or earlier.times_total:
        return False
    mine, others = earlier.conditions, later.conditions
    return (
        _includes(mine.operations, others.operations)
        and _includes(mine.providers, others.providers)
        and _includes(earlier.during, later.during)
        and _asks_no_more(mine.match, others.match)
        and (not mine.between or (mine.between == others.between and mine.since == others.since))
        and (not earlier.calls or _within(later.calls, earlier.calls))
    )


def _within(inner: tuple[Span, ...], outer: tuple[Span, ...]) -> bool:
    return bool(inner) and all(any(_contains(span, one) for span in outer) for one in inner)


def _contains(outer: Span, inner: Span) -> bool:
    if outer.every is not None:
        return inner.every is not None and inner.every % outer.every == 0
    ends = outer.high is None or (inner.high is not None and inner.high <= outer.high and inner.every is None)
    return outer.low <= inner.low and ends


def _never(rule: Rule, scenario: Scenario, lives: list[Life]) -> tuple[str, str] | None:
    """The key that keeps the rule from ever firing, and why."""
    asked = rule.conditions
    if rule.probability == 0:
        return "probability", "a rule with probability 0 never fires"
    if asked.providers and scenario.providers and not set(asked.providers) & set(scenario.providers):
        return "provider", "the file's 'providers' leave out all that this rule is about"
    if (never := _never_there(rule, scenario)) is not None:
        return never
    if asked.operations and set(asked.operations) <= _TASKLESS:
        return _never_without_task(rule)
    return _never_in_life(rule, lives)


_TASKLESS: Final = frozenset({OperationName.CREATE, OperationName.LIST})


def _never_there(rule: Rule, scenario: Scenario) -> tuple[str, str] | None:
    """Why nobody can ask for what the rule is about."""
    asked = rule.conditions
    names = asked.providers or scenario.providers or tuple(by_name)
    concerned = [by_name[name] for name in names if not scenario.providers or name in scenario.providers]
    if not asked.operations or any(p.has(o, scenario.profile) for p in concerned for o in asked.operations):
        return None
    operations = " or ".join(asked.operations)
    if any(p.has(o) for p in concerned for o in asked.operations):
        return (
            "operation",
            f"{operations} is there in profile current alone, and the file's profile is documented",
        )
    if len(concerned) == len(by_name):
        return "operation", f"none of the providers has the operation {operations}"
    have = "has" if len(concerned) == 1 else "have"
    return "operation", f"{' and '.join(one.name for one in concerned)} {have} no operation {operations}"


def _never_without_task(rule: Rule) -> tuple[str, str] | None:
    what, yet = (
        ("a create", " yet") if OperationName.CREATE in rule.conditions.operations else ("a listing", "")
    )
    if rule.during:
        return "while", f"{what} has no status{yet}, so 'while' never holds"
    if rule.conditions.between and rule.conditions.since != "start":
        return "between", f"{what} has no task{yet} to count from; since: start counts from the activation"
    return None


def _never_in_life(rule: Rule, lives: list[Life]) -> tuple[str, str] | None:
    if not rule.during:
        return None
    asked = rule.conditions
    concerned = (life for life in lives if _overlap(life.item.providers, asked.providers))
    windows = [window for life in concerned for window in _windows(life, rule)]
    if not windows:
        return "while", f"no timeline of the file shows {' or '.join(rule.during)}"
    if (
        asked.between
        and asked.since != "start"
        and not any(_meets(asked.between, window) for window in windows)
    ):
        since = "the task's creation" if asked.since == "task" else "the entry into the status"
        return "between", f"counted from {since}, {' or '.join(rule.during)} is never shown in this span"
    return None


def _overlap(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return not some or not others or bool(set(some) & set(others))


def _windows(life: Life, rule: Rule) -> Iterator[tuple[float, float]]:
    """From when to when the rule's statuses can be shown, counted as the rule counts."""
    begun: Stretch | None = None
    for stretch in life.stretches:
        if begun is None or begun.entry.status is not stretch.entry.status:
            begun = stretch
        if stretch.entry.status not in rule.during:
            continue
        if rule.conditions.since == "status":
            yield 0, stretch.latest - begun.earliest
        else:
            yield stretch.earliest, stretch.latest


def _meets(spans: tuple[Span, ...], window: tuple[float, float]) -> bool:
    low, high = window
    return any(span.low < high and (span.high is None or low < span.high) for span in spans)


def _about_faults(scenario: Scenario) -> Iterator[Doubt]:
    for number, rule in enumerate(scenario.rules):
        if isinstance(rule.effect, Fault):
            for key in _hidden_by(rule.effect, rule):
                path: Path = ("rules", number, key)
                reason = _HIDING.get(rule.effect.name, "only a refusal has a Retry-After")
                yield "fault-hides", path, f"nobody sees this: {reason}", "leave it out"


_HIDING: Final = {
    FaultName.HTML_ERROR_PAGE: "html_error_page is no answer of the provider's",
    FaultName.RANDOM_DATA: "random_data is no answer of the provider's",
    FaultName.EMPTY_RESPONSE: "of empty_response nothing comes",
    FaultName.HANG: "of hang nothing ever comes",
    FaultName.CONNECTION_RESET: "connection_reset comes in place of an answer, or of its end",
}


def _hidden_by(fault: Fault, rule: Rule) -> Iterator[str]:
    """The keys of a rule that change nothing that a client can see."""
    is_page = fault.name is FaultName.HTML_ERROR_PAGE
    if rule.delay is not None and fault.name is FaultName.HANG:
        yield "delay"
    if rule.slow_body is not None and is_headless(fault):
        yield "slow_body"
    if rule.patch is not None and (is_page or is_headless(fault)):
        yield "patch"
    if rule.headers and is_headless(fault):
        yield "headers"
    if rule.retry_after is not None and not is_page:
        yield "retry_after"
