"""What every operation on the road does: the gates that it passes, in their order, and the answer at the end."""

from collections.abc import Container, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
import orjson

from emulator import judging
from emulator.activation import judged_key
from emulator.core import seeded
from emulator.core.call import Call, Create, Refusal
from emulator.core.effects import Failure, Fault
from emulator.core.limits import wait_of
from emulator.core.rules import NOTHING, Rule, Verdict
from emulator.core.task import Snapshot, Task
from emulator.core.words import FaultName, OperationName
from emulator.engine import refusal_of
from emulator.exchanges import Reply
from emulator.limits import Limited
from emulator.providers.base import View
from emulator.replies import (
    JSON,
    Road,
    raw,
    refused,
    reply_with,
)
from emulator.views import view_of

_KEPT_STRANGERS: Final = 8
_KEPT_NAME: Final = 200


def stopped(road: Road, tasks: list[Task], asked: str | None, invalid: Refusal | None) -> Reply | None:
    """What auth, limits, rules and the provider's own validation answer in place of the tasks, in this order."""
    road.tasks, road.task = tasks, tasks[0] if tasks else None
    refusal = judging.refused_key(road.namespace, road.exchange, road.task)
    if refusal is not None:
        count_unanswered(road, tasks)
        return refused(road, refusal)
    if is_over_limit(road, {}, asked):
        count_unanswered(road, tasks)
        return over_limit(road)
    answer = ruled(road, tasks, asked)
    road.stage = "validation" if answer is None else "rules"
    return answer or (refused(road, invalid) if invalid is not None else None)


def is_over_limit(road: Road, fields: Mapping[str, Any], asked: str | None = None) -> bool:
    """Whether a limit of the scenario in force refuses the call. If none does, each counts it."""
    counts = road.namespace.in_force(road.exchange.provider).limits
    if counts is None:
        return False
    road.stage = "limits"
    road.reached = counts.take(limited(road, fields, asked), road.exchange.now, road.namespace.store.get)
    return road.reached is not None


def limited(road: Road, fields: Mapping[str, Any], asked: str | None = None) -> Limited:
    """The exchange as limits see it."""
    exchange = road.exchange
    # The storage behind the links asks for no key, so nothing is counted there by key.
    key = None if exchange.operation is OperationName.DOWNLOAD else judged_key(exchange.key)
    return Limited(
        exchange.operation,
        exchange.provider.name,
        key,
        exchange.headers,
        road.tasks,
        fields,
        asked,
    )


def over_limit(road: Road) -> Reply:
    """What a limit that is reached answers."""
    reached, now = road.reached, road.exchange.now
    assert reached is not None
    reply = refused(road, refusal_of(reached.limit.error))
    road.namespace.wait_out(wait_of(reached, now))
    return reply


def ruled(road: Road, tasks: list[Task], asked: str | None) -> Reply | None:
    """What the rules answer; the calls are counted, in ``tasks`` too."""
    road.stage = "rules"
    road.tasks, road.task = tasks, tasks[0] if tasks else None
    if not tasks:
        road.entropy = seeded.key_of(road.namespace.key, road.exchange.provider.name, asked or "")
        road.verdict = judging.judge_unknown(road.namespace, road.exchange, asked)
        return effect_of(road)
    verdicts: list[Verdict] = []
    for number, task in enumerate(tasks):
        tasks[number], verdict = judging.judge_task(road.namespace, road.exchange, task)
        if verdict is not NOTHING:
            verdicts.append(verdict)
            road.patches[task.id] = verdict.patches
    road.task = tasks[0]
    if verdicts:
        road.verdict = _first(verdicts, tasks[0].plan.rules)
    if road.verdict.effect is not None and road.exchange.operation is OperationName.POLL:
        count_unanswered(road, tasks)
    return effect_of(road)


def count_unanswered(road: Road, tasks: list[Task]) -> None:
    """Count the call on every task that it named, though none of them answers it."""
    tasks[:] = [judging.count_unanswered(road.namespace, road.exchange, task) for task in tasks]
    road.task = tasks[0] if tasks else None


def _first(verdicts: Sequence[Verdict], rules: Sequence[Rule]) -> Verdict:
    """Of several tasks' verdicts, that whose effect comes first in the file; delays and headers are everyone's."""

    def place(verdict: Verdict) -> int:
        if verdict.effect is None or verdict.rule is None:
            return len(rules) + 1
        return rules.index(verdict.rule) if verdict.rule in rules else len(rules)

    first = min(verdicts, key=place)
    if len(verdicts) == 1:
        return first
    headers = tuple(dict.fromkeys(header for verdict in verdicts for header in verdict.headers))
    fired = tuple(dict.fromkeys(rule_id for verdict in verdicts for rule_id in verdict.fired))
    delay = next((verdict.delay for verdict in (first, *verdicts) if verdict.delay), None)
    return msgspec.structs.replace(first, headers=headers, delay=delay, fired=fired)


def effect_of(road: Road) -> Reply | None:
    """What a rule answers in place of all else; a fault answers nothing, but breaks what is answered."""
    effect = road.verdict.effect
    if effect is None:
        return None
    if isinstance(effect, Fault):
        if effect.name is FaultName.HTML_ERROR_PAGE:  # of the others nobody sees a Retry-After
            road.namespace.wait_out(road.verdict.retry_after)
        return None
    reply = refused(road, refusal_of(effect)) if isinstance(effect, Failure) else raw(road, effect)
    road.namespace.wait_out(road.verdict.retry_after)
    return reply


def answered(road: Road, call: Call, items: Sequence[dict[str, Any]]) -> Reply:
    """The whole body from the printed tasks, or why there is none."""
    body = road.operation.answer(call, items, road.exchange.profile)
    if isinstance(body, Refusal):
        return refused(road, body)
    road.stage = "timeline"
    # What else is answered from tasks counts itself among their calls, or among the namespace's exchanges; and a broken
    # poll counts as none.
    is_counted = road.exchange.operation in {OperationName.POLL, OperationName.CREATE}
    road.is_answered = is_counted and (road.verdict.fault is None or isinstance(call, Create))
    return reply_with(road, 200, orjson.dumps(body), [JSON])


def struck(reply: Reply) -> Reply:
    """The reply, of which a rule decided where a fault strikes it: its client sees no entry, and no refusal either."""
    if reply.verdict.fault is not None:
        reply.stage = "rules"
    return reply


def strangers_in(ids: Sequence[str], known: Container[str]) -> tuple[str, ...]:
    """The first few ids that nobody knows, each cut."""
    unknown = (name[:_KEPT_NAME] for name in dict.fromkeys(ids) if name not in known)
    return tuple(islice(unknown, _KEPT_STRANGERS))


def view_at(road: Road, task: Task, snapshot: Snapshot) -> View:
    """The task as the provider gets to print it in this exchange."""
    exchange = road.exchange
    return view_of(
        road.namespace, exchange.provider, task, snapshot, exchange.now, road.request, exchange.profile
    )
