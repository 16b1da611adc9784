"""What API keys and rules make of one exchange with a namespace, and the counts that this leaves."""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from emulator.activation import judged_key
from emulator.core import seeded
from emulator.core.call import Refusal
from emulator.core.matching import matches
from emulator.core.rules import NOTHING, Occasion, Verdict, conditions_hold, judge, may_hold
from emulator.core.task import Task, state_at
from emulator.core.words import ErrorName, OperationName, Status
from emulator.engine import Exchange, Namespace, occasion_of, refusal_of


def refused_key(namespace: Namespace, exchange: Exchange, task: Task | None) -> Refusal | None:
    """Why the exchange's API key isn't good, or ``None`` where it is."""
    key = exchange.key
    if isinstance(key, ErrorName):
        return Refusal(key)
    active = namespace.in_force(exchange.provider)
    auth = active.scenario.auth
    if auth.reject:
        occasion = _occasion_of(namespace, exchange, task)
        for number, rejection in enumerate(auth.reject):
            if matches(rejection.key, judged_key(key)) and conditions_hold(rejection.conditions, occasion):
                exchange.rejection = number
                return refusal_of(rejection.error)
        if any(matches(rejection.key, judged_key(key)) for rejection in auth.reject):
            return None
    return None if active.knows(key) else Refusal(ErrorName.INVALID_TOKEN)


def judge_create(
    namespace: Namespace, exchange: Exchange, fields: Mapping[str, Any], entropy: bytes
) -> Verdict:
    """What the rules make of a create."""
    occasion = occasion_of(exchange, entropy, None, lambda: fields)
    occasion.ages = {"start": exchange.now - exchange.activation.at}
    return _judge_without_task(namespace, exchange, occasion)


def judge_unknown(namespace: Namespace, exchange: Exchange, task_id: str | None) -> Verdict:
    """What the rules make of an exchange that names no known task; no ``between`` holds for it."""
    entropy = seeded.key_of(namespace.key, exchange.provider.name, task_id or "")
    occasion = occasion_of(exchange, entropy, task_id, dict)
    if exchange.operation is OperationName.LIST:  # no unknown id either
        occasion.ages = {"start": exchange.now - exchange.activation.at}
    return _judge_without_task(namespace, exchange, occasion)


def _judge_without_task(namespace: Namespace, exchange: Exchange, occasion: Occasion) -> Verdict:
    activation = exchange.activation
    rules = activation.scenario.rules
    if not rules:
        return NOTHING
    occasion.call = exchange.call = activation.count(exchange.operation)
    occasion.fired = occasion.fired_in_all = activation.fired
    verdict = judge(rules, occasion)
    for rule_id in verdict.fired:
        activation.fired[rule_id] = activation.fired.get(rule_id, 0) + 1
    return verdict


def judge_task(namespace: Namespace, exchange: Exchange, task: Task) -> tuple[Task, Verdict]:
    """What the task's own rules make of an exchange with it, and the task with what follows from it kept.

    The call is counted, but for a poll, which counts itself when it's answered: see `count_unanswered`.
    """
    counted, verdict = judged(namespace, exchange, task)
    if counted.fired is not task.fired:
        in_all = namespace.fired_in_all(task)
        for rule_id in verdict.fired:
            in_all[rule_id] = in_all.get(rule_id, 0) + 1
    if exchange.operation is not OperationName.POLL and task.plan.counts:
        counted = _called(counted, exchange.operation)
    if counted is not task:
        namespace.store.renew(counted)
    return counted, verdict


def count_unanswered(namespace: Namespace, exchange: Exchange, task: Task) -> Task:
    """The task with a call counted that isn't answered from it."""
    is_poll = exchange.operation is OperationName.POLL
    if not (task.plan.polls_count if is_poll else task.plan.counts):
        return task
    counted = _called(task, exchange.operation)
    namespace.store.renew(counted)
    return counted


def judged(namespace: Namespace, exchange: Exchange, task: Task) -> tuple[Task, Verdict]:
    """What the task's own rules make of an exchange, with nothing kept yet."""
    plan = task.plan
    is_poll = exchange.operation is OperationName.POLL
    rules = plan.poll_rules if is_poll else plan.rules
    if not rules:
        return task, NOTHING
    occasion = _occasion_of(namespace, exchange, task)
    if not (plan.polls_count if is_poll else plan.counts):
        return task, judge(rules, occasion)
    occasion.call = 1 + (task.polls if is_poll else 0)
    if task.calls is not None:
        occasion.call += task.calls.get(exchange.operation, 0)
    exchange.call = exchange.call or occasion.call
    occasion.fired, occasion.fired_in_all = task.fired or {}, namespace.fired_in_all(task)
    verdict = judge(rules, occasion)
    if not verdict.fired:
        return task, verdict
    fired = dict(task.fired or {})
    for rule_id in verdict.fired:
        fired[rule_id] = fired.get(rule_id, 0) + 1
    return msgspec.structs.replace(task, fired=fired), verdict


def is_ruled(task: Task, status: Status) -> bool:
    """Whether a rule may hold for a poll of the task now, judging by what takes no look at the request."""
    call = 1 + task.polls
    if task.calls is not None:
        call += task.calls.get(OperationName.POLL, 0)
    for rule in task.plan.poll_rules:  # noqa: SIM110 - any() would cost a poll a generator
        if may_hold(rule, status, call, task.entropy):
            return True
    return False


def _occasion_of(namespace: Namespace, exchange: Exchange, task: Task | None) -> Occasion:
    if task is None:
        occasion = occasion_of(exchange, namespace.key, None, dict)
        occasion.ages = {"start": exchange.now - namespace.active.at}
        return occasion
    occasion = occasion_of(exchange, task.entropy, task.id, lambda: orjson.loads(task.request))
    snapshot = state_at(task, exchange.now)
    occasion.status = snapshot.status
    occasion.ages = {
        "task": exchange.now - task.created_at,
        "status": exchange.now - snapshot.since,
        "start": exchange.now - task.plan.activated_at,
    }
    return occasion


def _called(task: Task, operation: OperationName) -> Task:
    calls = dict(task.calls or {})
    calls[operation] = calls.get(operation, 0) + 1
    return msgspec.structs.replace(task, calls=calls)
