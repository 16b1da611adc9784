"""Tasks that are made, made from others, and deleted; and how the end of one is told."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import msgspec
import orjson

from emulator import judging, pages
from emulator.core.call import Create, Delete, Refusal, Remix
from emulator.core.task import Task, state_at
from emulator.core.units import Instant
from emulator.core.words import OperationName, Situation
from emulator.engine import Namespace
from emulator.exchanges import Hold, Reply, Request
from emulator.gates import (
    answered,
    effect_of,
    is_over_limit,
    limited,
    over_limit,
    stopped,
    strangers_in,
    struck,
    view_at,
)
from emulator.providers.base import Offspring, Provider, View, Wire
from emulator.replies import (
    Road,
    patched,
    refused,
    worded,
)
from emulator.views import view_of

MAKING: Final = frozenset({OperationName.CREATE, OperationName.REMIX})
"""The operations that make a task."""


def created(road: Road, call: Create, invalid: Refusal | None) -> Reply:
    """A new task, unless something stands in its way."""
    namespace, exchange = road.namespace, road.exchange
    refusal = judging.refused_key(namespace, exchange, None)
    if refusal is not None:
        exchange.activation.count(exchange.operation)
        return refused(road, refusal)
    if is_over_limit(road, call.fields):
        exchange.activation.count(exchange.operation)
        return over_limit(road)
    entropy = road.entropy = namespace.entropy_for(exchange.provider, call.fields)
    road.stage = "rules"
    road.verdict = judging.judge_create(namespace, exchange, call.fields, entropy)
    reply = effect_of(road)
    if reply is not None:
        return reply
    road.stage = "validation"
    if invalid is not None:
        return refused(road, invalid)
    offspring = _offspring(road, call)
    if isinstance(offspring, Refusal):
        return refused(road, offspring)
    road.stage = "timeline"
    task = _new_task(road, offspring, entropy)
    road.task = task
    reply = answered(road, call, [_printed_new(road, task, road.verdict.patches)])
    ended, line = road.operation.ended, road.operation.line
    if call.is_held and ended is not None:
        streamed = partial(_line, road, line) if call.is_streamed and line is not None else None
        reply.hold = Hold(task, partial(_ended, road, ended), streamed)
    return reply


def _new_task(road: Road, offspring: Offspring, entropy: bytes) -> Task:
    """A task that is made, which limits may count as one in flight."""
    namespace, exchange = road.namespace, road.exchange
    task = namespace.create(exchange, offspring, entropy, road.operation.new_id)
    limits = namespace.in_force(exchange.provider).limits
    if limits is not None:
        limits.made(limited(road, offspring.fields), task)
    return task


def _ended(road: Road, wire_of: Callable[[View], Wire], task: Task, now: Instant) -> Reply:
    """What a create that was held answers at the instant at which its task ended."""
    road.exchange.now, road.scene, road.is_answered = now, None, True
    road.task, road.snapshot = task, state_at(task, now)
    wire = wire_of(view_at(road, task, road.snapshot))
    body = patched(road, wire.body, task, road.verdict.patches)
    return struck(worded(road, msgspec.structs.replace(wire, body=body)))


def _line(road: Road, line_of: Callable[[View], dict[str, Any]], task: Task, now: Instant) -> bytes:
    """What a create that is held streams about its task at an instant."""
    road.exchange.now = now
    return orjson.dumps(line_of(view_at(road, task, state_at(task, now)))) + b"\n"


def told(namespace: Namespace, provider: Provider, task: Task, now: Instant, origin: str) -> bytes:
    """What a callback says of a task at an instant; ``origin`` is where its link leads if the task has none."""
    assert provider.callback is not None
    request = Request("POST", "", origin=origin, prefix=namespace.prefix)
    profile = namespace.in_force(provider).profile
    view = view_of(namespace, provider, task, state_at(task, now), now, request, profile)
    return orjson.dumps(provider.callback(view))


def _offspring(road: Road, call: Create) -> Offspring | Refusal:
    """What the new task gets: the request's own fields, and what the task has to give that it is made from."""
    derive, exchange = road.operation.derive, road.exchange
    if derive is None:
        return Offspring(fields=call.fields)
    source = None
    if call.source is not None:
        source = pages.source_of(road.namespace, exchange.provider, road.operation, call.source, exchange.now)
    return derive(call, None if source is None else view_at(road, source, state_at(source, exchange.now)))


def _printed_new(road: Road, task: Task, patches: Sequence[Any]) -> dict[str, Any]:
    """A new task as the answer to its create prints it."""
    road.snapshots[task.id] = snapshot = state_at(task, road.exchange.now)
    return patched(road, road.operation.item(view_at(road, task, snapshot)), task, patches)


def remixed(road: Road, call: Remix, invalid: Refusal | None) -> Reply:
    """A task made from another one, whose rules judge the exchange."""
    namespace, exchange, derive = road.namespace, road.exchange, road.operation.derive
    assert derive is not None
    source = namespace.find(exchange.provider, call.source, exchange.now)
    road.strangers = strangers_in((call.source,), () if source is None else (call.source,))
    entropy = namespace.entropy_for(exchange.provider, {"source": call.source, "fields": call.fields})
    answer = stopped(road, [] if source is None else [source], call.source, invalid)
    if answer is not None:
        return answer
    view = None
    if road.task is not None:
        snapshot = road.snapshots[road.task.id] = state_at(road.task, exchange.now)
        view = view_at(road, road.task, snapshot)
    offspring = derive(call, view)
    if isinstance(offspring, Refusal):
        return refused(road, offspring)
    assert road.task is not None
    patches = road.patches.get(road.task.id, ())
    task = _new_task(road, offspring, entropy)
    road.tasks = [road.task, task]
    return answered(road, call, [_printed_new(road, task, patches)])


def deleted(road: Road, call: Delete, invalid: Refusal | None) -> Reply:
    """A task that nobody knows any more."""
    exchange = road.exchange
    task = road.namespace.find(exchange.provider, call.id, exchange.now)
    road.strangers = strangers_in((call.id,), () if task is None else (call.id,))
    answer = stopped(road, [] if task is None else [task], call.id, invalid)
    if answer is not None:
        return answer
    if road.task is not None:
        road.snapshot = state_at(road.task, exchange.now)
        if call.only_ended and road.snapshot.ended_at is None:
            return refused(road, Refusal(Situation.NOT_READY))
        road.namespace.store.remove(road.task)
    # Nothing is printed of a task that is gone, so the answer has nothing to patch.
    return answered(road, call, [] if road.task is None else [{}])
