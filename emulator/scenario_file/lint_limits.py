"""Doubts about limits and waits: limits that can't refuse, and waits that real clients sleep out in real time."""

from collections.abc import Iterator
from typing import Final

from emulator.core.limits import Limit
from emulator.core.rules import RetryAfter
from emulator.core.scenario import Scenario
from emulator.scenario_file.report import Path

Doubt = tuple[str, Path, str, str | None]
_MOST_COMPARED: Final = 300
"""Each limit is compared with so many before it, lest a huge file takes long."""
_TOO_LATE: Final = "under a scaled clock a client that waits so long in real time comes much too late"
_FOLLOWS: Final = "real clients sleep in real time: mode auto follows them"


def doubts_about_limits(scenario: Scenario) -> Iterator[Doubt]:
    """What is doubtful about limits, whatever the clock."""
    for number, limit in enumerate(scenario.limits):
        path: Path = ("limits", number)
        if not limit.conditions.operations:
            message = "'limit' without 'operation' counts calls of every operation together"
            yield "limit-without-operation", (*path, "limit"), message, "add operation: poll"
        asked = limit.conditions.providers
        before = scenario.limits[: min(number, _MOST_COMPARED)]
        first = next((other for other in before if _is_stricter(other, limit)), None)
        if asked and scenario.providers and not set(asked) & set(scenario.providers):
            message = "the file's 'providers' leave out all that this limit is about"
            yield "limit-never-reached", (*path, "provider"), message, None
        elif first is not None:
            message = f"the limit in line {first.line} refuses everything that this one would"
            yield "limit-never-reached", path, message, "leave one of the two out"


def _is_stricter(earlier: Limit, later: Limit) -> bool:
    """Whether the earlier limit is reached whenever the later is."""
    return (
        (earlier.conditions, earlier.per, earlier.is_of_tasks)
        == (later.conditions, later.per, later.is_of_tasks)
        and earlier.most <= later.most
        and (earlier.window is None or (later.window is not None and earlier.window >= later.window))
    )


def doubts_about_waits(scenario: Scenario) -> Iterator[Doubt]:
    """What is doubtful about waits under a scaled clock."""
    if scenario.clock is None or scenario.clock.mode != "scaled":
        return
    for number, rule in enumerate(scenario.rules):
        if rule.retry_after is not None and rule.retry_after.wait is not None:
            yield "scaled-clock-wait", ("rules", number, "retry_after"), _TOO_LATE, _FOLLOWS
    for number, limit in enumerate(scenario.limits):
        if limit.window is not None:
            message = "under a scaled clock this window passes sooner than a client waits in real time"
            yield "scaled-clock-wait", ("limits", number, "window"), message, _FOLLOWS
        elif limit.retry_after is not None and limit.retry_after != RetryAfter(None):
            yield "scaled-clock-wait", ("limits", number, "retry_after"), _TOO_LATE, _FOLLOWS
