"""What clients have met of the scenarios: marks, small texts that each stand for one part of one version of one.

A poll leaves its mark in a set; what the marks make of a scenario is worked out when somebody asks for coverage.
"""

from collections.abc import Iterator
from typing import Final

from emulator.core import marks
from emulator.core.effects import Failure, Fault, Respond
from emulator.core.plan import DEFAULT_LINK_LIFE
from emulator.core.rules import Rule, Verdict
from emulator.core.scenario import Scenario
from emulator.core.task import Snapshot, Task, state_at
from emulator.core.units import SECOND, Instant
from emulator.core.words import ErrorName, Situation
from emulator.exchanges import Reply

_MOST: Final = 1000
"""Versions of scenarios that are remembered. A fuzzing run makes any number."""


class Ledger:
    """The marks of the whole process, those of namespaces that are gone among them."""

    def __init__(self) -> None:
        self.marks: set[str] = set()
        """Those of namespaces that were reset or dropped. Living ones have their own."""
        self.scenarios: dict[str, Scenario] = {}
        """By version: every one that was in force somewhere. The one put in force last comes last."""

    def know(self, scenario: Scenario) -> None:
        """Remember this version of a scenario; past a bound the one not heard of for longest is forgotten."""
        self.scenarios.pop(scenario.version, None)
        self.scenarios[scenario.version] = scenario
        if len(self.scenarios) > _MOST:
            del self.scenarios[next(iter(self.scenarios))]
            # Namespaces may still bring marks of versions that were forgotten before.
            self.marks = {mark for mark in self.marks if marks.version_of(mark) in self.scenarios}

    def clear(self) -> None:
        """Forget what was met. Which scenarios there were stays known."""
        self.marks.clear()


def marks_of(reply: Reply) -> Iterator[str]:
    """What an exchange met. What has no place in a scenario leaves no mark, such as an entry made up by hand."""
    yield from _rules_met(reply)
    if reply.stage == "auth":
        yield from _refusal_met(reply)
    elif reply.reached is not None:
        yield marks.limit(reply.scenario, reply.reached.number)
    elif reply.stage == "timeline":
        yield from _entries_met(reply)
    elif reply.expired:
        yield from _deaths_met(reply)


def _rules_met(reply: Reply) -> Iterator[str]:
    """The rules that held: the tasks' own or, of a create, a listing and an unknown id, those of the scenario."""
    verdict = reply.verdict
    if reply.entropy is not None:
        for rule_id in verdict.fired:
            yield marks.rule(reply.scenario, rule_id)
    elif verdict.fired:
        plans = {task.plan.version: task.plan for task in _tasks_of(reply)}
        for plan in plans.values():
            held = [rule for rule in plan.rules if rule.id in verdict.fired]
            yield from (marks.rule(plan.version, rule.id) for rule in held if not _is_outdone(rule, verdict))


def _tasks_of(reply: Reply) -> Iterator[Task]:
    if reply.task is not None:
        yield reply.task
    for task, _ in reply.others:
        yield task


def _is_outdone(rule: Rule, verdict: Verdict) -> bool:
    """Whether the rule would have answered a batch, had another task's rule not come first."""
    answers = isinstance(rule.effect, Failure | Respond | Fault)
    return answers and (verdict.rule is None or verdict.rule.id != rule.id)


def _refusal_met(reply: Reply) -> Iterator[str]:
    if reply.rejection is not None:
        yield marks.rejection(reply.scenario, reply.rejection)
    elif reply.error == ErrorName.INVALID_TOKEN:
        yield marks.unknown_key(reply.scenario)


def _entries_met(reply: Reply) -> Iterator[str]:
    for task, snapshot in ((reply.task, reply.snapshot), *reply.others):
        if task is None or snapshot is None:
            continue
        if snapshot.index < len(task.plan.marks):  # else somebody made the entry up by hand
            yield task.plan.marks[snapshot.index]


def _deaths_met(reply: Reply) -> Iterator[str]:
    """Of which entries the dead link was that somebody asked for, and which one's author says what it answers."""
    task, snapshot, died_at = reply.task, reply.snapshot, reply.died_at
    if task is None or snapshot is None or died_at is None or snapshot.index >= len(task.plan.marks):
        return
    plan = task.plan
    for index in range(snapshot.index, -1, -1):
        if marks.can_expire(plan.entries[index]) and _died_at(task, snapshot, index, died_at):
            yield marks.expiry(plan.marks[index])
    video = snapshot.entry.video
    # The content route has words of its own for it.
    is_link = reply.error != Situation.MEDIA_GONE
    if (
        is_link
        and video is not None
        and isinstance(video.expired, Failure)
        and marks.can_expire(snapshot.entry)
    ):
        yield marks.expired(plan.marks[snapshot.index])


def _died_at(task: Task, snapshot: Snapshot, index: int, died_at: Instant) -> bool:
    """Whether a link of the completed entry at this place died then. A link says it in whole seconds, rounded down."""
    video = task.plan.entries[index].video
    life = None if video is None else video.expires_in
    if video is not None and video.renew and isinstance(life, int):
        # The poll that handed it out showed this entry.
        handed_out = died_at - life
        first, last = (state_at(task, handed_out + more).index for more in (0, SECOND - 1))
        return first <= index <= last
    if not isinstance(life, int):
        return died_at // SECOND == (task.created_at + DEFAULT_LINK_LIFE) // SECOND
    return snapshot.ended_at is not None and died_at // SECOND == (snapshot.ended_at + life) // SECOND
