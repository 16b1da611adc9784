"""Why an exchange was answered as it was: the entry, the rules, the draws and the key that decided.

Nothing of this is kept when a request is answered. Every draw is a function of a task's entropy and a call's number,
so it is made once more when somebody asks.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
import orjson

from emulator.activation import judged_key
from emulator.core import seeded
from emulator.core.effects import Failure, Fault, Respond
from emulator.core.rules import Occasion, Rule, Since, holds
from emulator.core.scenario import Choice, Item, Scenario, chosen
from emulator.core.task import Snapshot, Task, state_at
from emulator.core.units import Duration, format_duration, format_instant
from emulator.core.words import ErrorName, OperationName, Profile
from emulator.exchanges import Reply
from emulator.messages.requests import (
    ChoiceDrawn,
    DelayDrawn,
    Draw,
    EntryShown,
    KeyRefused,
    LimitReached,
    RuleFired,
    RuleMissed,
    Why,
)
from emulator.phrases import fault_words
from emulator.providers.base import Provider
from emulator.redaction import Redactor, presented

LONGEST_HEADER: Final = 4096
_EXPENDABLE: Final = ("missed", "choice", "rules", "entry", "auth", "delay")
"""What a header leaves out when it would grow too long, in this order."""


class Seen(msgspec.Struct, frozen=True):
    """What the request said, as far as rules ask."""

    provider: Provider | None
    operation: OperationName | None
    mode: str
    """How the namespace's clock ran."""
    headers: Mapping[bytes, bytes]
    profile: Profile = Profile.DOCUMENTED
    """The one of scenarios that name none."""
    fields: Any = None
    """Those of a create request; ``None``: it isn't one, or they aren't known to the letter."""


def explained(
    reply: Reply,
    scenarios: Mapping[str, Scenario],
    seen: Seen | None = None,
    redactor: Redactor | None = None,
) -> Why:
    """What decided a reply.

    Args:
        reply: as it was sent.
        scenarios: by version, as far as they are still known: the places in files are theirs.
        seen: the request. Without it nothing is said of rules that only chance kept from holding.
        redactor: takes the keys out of what authors wrote.
    """
    case = _Case(reply, scenarios, seen, redactor or Redactor(()))
    died_at = reply.died_at
    return Why(
        stage=reply.stage,
        scenario=decided_by(reply),
        error=None if reply.error is None else str(reply.error),
        call=case.call(),
        auth=case.refused_key(),
        limit=case.limit(),
        rules=list(case.fired()),
        missed=list(case.missed()),
        entry=case.entry(),
        choice=case.choice(),
        delay=case.delay(),
        link_died_at=None if died_at is None else format_instant(died_at),
    )


def as_header(
    reply: Reply, scenarios: Mapping[str, Scenario] | None = None, seen: Seen | None = None
) -> bytes:
    """The same, as the value of a header: compact JSON in ASCII, cut to `LONGEST_HEADER` bytes by leaving parts out."""
    redactor = None if seen is None else Redactor(presented(seen.headers))
    told = msgspec.to_builtins(explained(reply, scenarios or {}, seen, redactor))
    written = _ascii(told)
    for name in _EXPENDABLE:
        if len(written) <= LONGEST_HEADER:
            break
        if told.pop(name, None) is not None:
            written = _ascii({**told, "cut": True})
    return written


def _ascii(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def decided_by(reply: Reply) -> str | None:
    """The version of the scenario that decided: the task's own, unless key or limit refused it or there is none."""
    if reply.task is None or reply.stage in {"auth", "limits"}:
        return reply.scenario or None
    return reply.task.plan.version or None


def entry_shown(
    task: Task, snapshot: Snapshot, scenarios: Mapping[str, Scenario], redactor: Redactor
) -> EntryShown:
    """The entry of a timeline that a task was in."""
    index, plan = snapshot.index, task.plan
    stand = _stand_of(task, snapshot.index, scenarios)
    abouts = [snapshot.entry.about]
    if stand is not None:
        abouts += [stand.choice.about, stand.item.about]
    return EntryShown(
        index=index,
        status=snapshot.status.value,
        entered_at=format_instant(snapshot.entered_at),
        place=None if stand is None else f"{stand.place}.timeline[{index}]",
        about=_told(next(filter(None, abouts), None), redactor),
        forced=index >= plan.length,
    )


class _Stand(msgspec.Struct, frozen=True):
    """Where in its scenario the timeline of a task stands."""

    item: Item
    choice: Choice
    number: int
    """The choice's among those of the item."""
    place: str


def _stand_of(task: Task, index: int, scenarios: Mapping[str, Scenario]) -> _Stand | None:
    """``None``: nowhere, or nobody knows any more."""
    plan = task.plan
    scenario = scenarios.get(plan.version)
    if scenario is None or index >= len(plan.marks):
        return None
    number, choice_number = map(int, plan.marks[index].rpartition(" ")[2].split(".")[:2])
    if number < 0:
        return None
    item = scenario.items[number]
    choice = item.choices[choice_number]
    has_choices = len(item.choices) > 1 or choice != Choice(entries=choice.entries)
    place = f"tasks[{number}].choices[{choice_number}]" if has_choices else f"tasks[{number}]"
    return _Stand(item, choice, choice_number, place)


def _told(text: str | None, redactor: Redactor) -> str | None:
    return None if text is None else redactor.text(text)


class _Case(msgspec.Struct, frozen=True):
    """One exchange, being explained."""

    reply: Reply
    scenarios: Mapping[str, Scenario]
    seen: Seen | None
    redactor: Redactor

    @property
    def _is_poll(self) -> bool:
        return self.seen is not None and self.seen.operation is OperationName.POLL

    @property
    def _is_taskless(self) -> bool:
        """Whether the scenario in force judged, and not a task's own: of a create, a listing, an unknown id."""
        return self.reply.entropy is not None or self.reply.task is None

    @property
    def _tasks(self) -> tuple[Task, ...]:
        """The tasks whose rules judged."""
        reply = self.reply
        if self._is_taskless or reply.task is None:
            return ()
        return (reply.task, *(task for task, _ in reply.others))

    # The key

    def refused_key(self) -> KeyRefused | None:
        """What of ``auth`` refused the key; ``None``: the header itself was wrong, or nothing did."""
        reply = self.reply
        scenario = self.scenarios.get(reply.scenario)
        if reply.stage != "auth":
            return None
        if reply.rejection is not None:
            rejections = () if scenario is None else scenario.auth.reject
            about = rejections[reply.rejection].about if reply.rejection < len(rejections) else None
            return KeyRefused(place=f"auth.reject[{reply.rejection}]", about=_told(about, self.redactor))
        if reply.error != ErrorName.INVALID_TOKEN or scenario is None or not scenario.auth.keys:
            return None
        if self.seen is not None and self._key(scenario.profile or self.seen.profile) is None:
            return None
        return KeyRefused(place="auth.keys")

    def _key(self, *profiles: Profile) -> str | None:
        """The key as rules see it, if the header has one in the eyes of any of these profiles."""
        seen = self.seen
        if seen is None or seen.provider is None:
            return None
        if seen.operation is OperationName.DOWNLOAD:
            return ""
        for profile in profiles:
            key = seen.provider.key(seen.headers.get(b"authorization"), profile)
            if not isinstance(key, ErrorName):
                return judged_key(key)
        return None

    def limit(self) -> LimitReached | None:
        """The limit that refused the call."""
        reached = self.reply.reached
        if reached is None:
            return None
        limit, frees_at = reached.limit, reached.frees_at
        return LimitReached(
            place=f"limits[{reached.number}]",
            line=limit.line or None,
            about=_told(limit.about, self.redactor),
            per=limit.per,
            counted="tasks" if limit.is_of_tasks else "calls",
            count=reached.count,
            most=limit.most,
            window=None if limit.window is None else format_duration(limit.window),
            frees_at=None if frees_at is None else format_instant(frees_at),
        )

    # Calls

    def call(self) -> int | None:
        """How manieth call it was, where a rule asks."""
        tasks = self._tasks
        return self._call_of(tasks[0], 0) if tasks and self.seen is not None else self.reply.call or None

    def _call_of(self, task: Task, number: int) -> int | None:
        """The same for one task of several: the reply has the first as the exchange left it."""
        assert self.seen is not None
        operation, plan = self.seen.operation, task.plan
        if operation is None or not (plan.polls_count if self._is_poll else plan.counts):
            return None
        counted = (task.calls or {}).get(operation, 0)
        if not self._is_poll:
            return counted
        is_uncounted = number > 0 and self.reply.stage == "timeline"
        return task.polls + counted + is_uncounted

    # Rules

    def fired(self) -> Iterator[RuleFired]:
        """The rules that held."""
        for rule_id in self.reply.verdict.fired:
            index, rule = self._found(rule_id)
            if rule is None:
                yield RuleFired(id=rule_id)
                continue
            answers = self.reply.verdict.rule is not None and self.reply.verdict.rule.id == rule_id
            yield RuleFired(
                id=rule_id,
                place=None if index is None else f"rules[{index}]",
                line=rule.line or None,
                about=_told(rule.about, self.redactor),
                effect=_effect_of(rule) if answers else None,
                fault=fault_words(rule.effect) if answers and isinstance(rule.effect, Fault) else None,
                adds=[name for name in _ADDITIONS if getattr(rule, name) not in (None, ())],
                draw=self._draw_that_held(rule),
            )

    def _found(self, rule_id: str) -> tuple[int | None, Rule | None]:
        for rules in self._books():
            for index, rule in enumerate(rules):
                if rule.id == rule_id:
                    return index, rule
        last = self.reply.verdict.rule
        return None, last if last is not None and last.id == rule_id else None

    def _books(self) -> Iterator[tuple[Rule, ...]]:
        """The rules that had a say, of each scenario."""
        if self._is_taskless:
            scenario = self.scenarios.get(self.reply.scenario)
            yield () if scenario is None else scenario.rules
        for task in self._tasks:
            yield task.plan.rules

    def _draws(self, rule: Rule) -> Iterator[float]:
        """What was drawn for the rule, for each task that it was asked about."""
        if self._is_taskless and self.reply.entropy is not None:
            yield seeded.fraction(self.reply.entropy, f"rule {rule.id}", self.reply.call)
        for number, task in enumerate(self._tasks if self.seen is not None else ()):
            call = self._call_of(task, number)
            if call is not None:
                yield seeded.fraction(task.entropy, f"rule {rule.id}", call)

    def _draw_that_held(self, rule: Rule) -> Draw | None:
        below = rule.probability
        if below is None:
            return None
        drawn = next((number for number in self._draws(rule) if number < below), None)
        return None if drawn is None else Draw(drawn=drawn, below=below)

    def missed(self) -> Iterator[RuleMissed]:
        """The rules that would have held, for the first task, had another number been drawn."""
        occasion = self._occasion()
        if occasion is None:
            return
        rules = next(self._books())
        for index, rule in enumerate(rules):
            if rule.probability is not None and rule.id not in self.reply.verdict.fired:
                drawn = seeded.fraction(occasion.entropy, f"rule {rule.id}", occasion.call)
                if drawn >= rule.probability and self._would_hold(rule, occasion):
                    yield RuleMissed(
                        id=rule.id,
                        place=f"rules[{index}]",
                        line=rule.line or None,
                        about=_told(rule.about, self.redactor),
                        draw=Draw(drawn=drawn, below=rule.probability),
                    )
            if rule is self.reply.verdict.rule:
                return  # what stands behind it wasn't looked at

    def _would_hold(self, rule: Rule, occasion: Occasion) -> bool:
        """Whether all else that the rule asks holds, as far as that can be told afterwards."""
        asks_time = bool(rule.during or rule.conditions.between)
        if self.seen is not None and self.seen.mode == "auto" and asks_time and self._is_poll:
            return False  # the clock may have moved after the rules were asked
        if occasion.ages is _UNKNOWN_AGES and rule.conditions.between:
            return False
        asks_fields = any(not _is_of_exchange(line.field) for line in rule.conditions.match)
        if asks_fields and occasion.fields() is None:
            return False
        # How often it had fired in the whole namespace isn't kept; how often for the task is.
        times = rule.times if self._tasks else None
        return holds(msgspec.structs.replace(rule, probability=None, times=times, times_total=None), occasion)

    def _occasion(self) -> Occasion | None:
        """What the rules were asked about; ``None``: they weren't asked, or it isn't known any more."""
        reply, seen, tasks = self.reply, self.seen, self._tasks
        if seen is None or seen.provider is None or seen.operation is None:
            return None
        if reply.stage in {"auth", "limits", "route"} or (reply.entropy is None and not tasks):
            return None
        key = self._key(*Profile)  # it was good, so one profile or the other saw it
        occasion = Occasion(
            seen.operation, seen.provider.name, None, key, seen.headers, dict, b"", reply.call
        )
        return self._of_task(occasion, tasks[0]) if tasks else self._of_none(occasion)

    def _of_task(self, occasion: Occasion, task: Task) -> Occasion | None:
        snapshot, now = self.reply.snapshot, self.reply.now
        call = self._call_of(task, 0)
        if call is None:
            return None  # no rule has a probability
        snapshot = state_at(task, now) if snapshot is None else snapshot
        occasion.id, occasion.entropy, occasion.call = task.id, task.entropy, call
        occasion.fields, occasion.status = (lambda: orjson.loads(task.request)), snapshot.status
        occasion.fired = task.fired or {}
        occasion.ages = {
            "task": now - task.created_at,
            "status": now - snapshot.since,
            "start": now - task.plan.activated_at,
        }
        return occasion

    def _of_none(self, occasion: Occasion) -> Occasion:
        reply, task = self.reply, self.reply.task
        assert reply.entropy is not None
        occasion.entropy = reply.entropy
        if occasion.operation is OperationName.LIST:
            occasion.ages = _UNKNOWN_AGES
            return occasion
        if occasion.operation is not OperationName.CREATE:
            occasion.id = reply.strangers[0] if reply.strangers else None
            return occasion
        fields = None if self.seen is None else self.seen.fields
        if task is None:
            occasion.fields, occasion.ages = (lambda: fields), _UNKNOWN_AGES
            return occasion
        occasion.fields = lambda: orjson.loads(task.request)
        occasion.ages = {"start": reply.now - task.plan.activated_at}
        return occasion

    # The task

    def entry(self) -> EntryShown | None:
        """The entry that the first task was in."""
        task, snapshot = self.reply.task, self.reply.snapshot
        if task is None or snapshot is None:
            return None
        shown = entry_shown(task, snapshot, self.scenarios, self.redactor)
        polls = snapshot.entry.polls
        if polls is None or task.plan.manual or not self._is_poll or self.reply.stage != "timeline":
            return shown
        # The poll that ends an entry leaves the next one at its beginning.
        return msgspec.structs.replace(shown, poll=task.polls_in_entry or polls, polls=polls)

    def choice(self) -> ChoiceDrawn | None:
        """Which of several timelines the first task got."""
        task = self.reply.task
        stand = None if task is None else _stand_of(task, 0, self.scenarios)
        if task is None or stand is None or len(stand.item.choices) == 1:
            return None
        # A task that was made by hand may have another than chance would have given it.
        is_drawn = chosen(stand.item, task.entropy) == stand.choice
        return ChoiceDrawn(
            index=stand.number,
            name=_told(stand.choice.name, self.redactor),
            place=stand.place,
            about=_told(stand.choice.about, self.redactor),
            drawn=seeded.fraction(task.entropy, "choice") if is_drawn else None,
            weights=[choice.weight for choice in stand.item.choices],
        )

    def delay(self) -> DelayDrawn | None:
        """How long the answer was held back, and who says so."""
        reply, rule = self.reply, self.reply.verdict.delay
        length = format_duration(reply.delay)
        if rule is not None:
            return DelayDrawn(length=length, source="rule", rule=rule[1])
        is_create = reply.task is not None and reply.entropy == reply.task.entropy
        if reply.snapshot is not None and reply.snapshot.entry.delay is not None and not is_create:
            return DelayDrawn(length=length, source="entry")
        return DelayDrawn(length=length, source="defaults") if reply.delay else None


_ADDITIONS: Final = ("delay", "slow_body", "patch", "headers", "retry_after")
_UNKNOWN_AGES: Final[Mapping[Since, Duration | None]] = {}


def _effect_of(rule: Rule) -> Literal["error", "respond", "fault", "pass"] | None:
    if isinstance(rule.effect, Failure):
        return "error"
    if isinstance(rule.effect, Fault):
        return "fault"
    return "respond" if isinstance(rule.effect, Respond) else rule.effect


def _is_of_exchange(field: str) -> bool:
    """Whether a line of a ``match`` asks of the exchange, and not of a create request's fields."""
    return field in {"id", "key"} or field.startswith("header.")
