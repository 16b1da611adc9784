"""The road that every request to a provider takes: from bytes to a call, through auth and rules, to bytes.

`respond` is a plain function from a request to a reply, so that the server, the tests and `preview`
take the same road. Only waiting and sending are left to the caller.
"""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import orjson

from emulator import judging, pages
from emulator.activation import Activation, judged_key
from emulator.core.call import Content, Create, Delete, Listing, Poll, Refusal, Remix
from emulator.core.rules import NOTHING
from emulator.core.task import Snapshot, Task, link_dies_at, state_at
from emulator.core.units import SECOND, Instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.creates import MAKING, created, deleted, remixed
from emulator.engine import MAX_STARTED, Exchange, Namespace, poll_entropy
from emulator.exchanges import Reply, Request
from emulator.gates import (
    answered,
    stopped,
    strangers_in,
    struck,
    view_at,
)
from emulator.limits import Limited
from emulator.providers.base import Inbound, Operation, Provider, Scene, View
from emulator.replies import (
    JSON,
    Road,
    date_field,
    patched,
    refused,
)
from emulator.results import content
from emulator.views import link_of

log = logging.getLogger("emulator")


def respond(namespace: Namespace, provider: Provider, operation: Operation, request: Request) -> Reply:
    """The reply to one request to a provider, with everything that it changes in the namespace done."""
    if operation.name is OperationName.POLL:
        reply = at_once(namespace, provider, operation, request)
        if reply is not None:
            return reply
    activation, unknown = _activation(namespace, provider, operation, request)
    if _lacks(namespace, provider, operation, request, activation.profile):
        return no_route(namespace, provider, request)
    headers = request.headers
    key = _key_in(provider.key, headers.get(b"authorization"), activation.profile)
    call = operation.parse(_inbound(request, activation.profile))
    now = namespace.clock.now()
    # AceData deletes by an action of its queries' path.
    name = OperationName.DELETE if isinstance(call, Delete) else operation.name
    exchange = Exchange(provider, name, key, headers, request.origin, now, activation)
    road = Road(namespace=namespace, request=request, operation=operation, exchange=exchange)
    invalid = unknown or (
        Refusal(Situation.TOO_LARGE, request.too_large) if request.too_large else call.refusal
    )
    match call:
        case Poll():
            return struck(_polled(road, call, invalid))
        case Create():
            return struck(created(road, call, invalid))
        case Content():
            return struck(content(road, call, invalid))
        case Listing():
            return struck(_listed(road, call, invalid))
        case Delete():
            return struck(deleted(road, call, invalid))
        case Remix():
            return struck(remixed(road, call, invalid))


def _lacks(
    namespace: Namespace, provider: Provider, operation: Operation, request: Request, profile: Profile
) -> bool:
    """Whether the provider's face that answers, a task's own or the scenario's in force, has no such route."""
    if len(operation.profiles) == len(Profile):
        return False
    now = namespace.clock.now()
    task = namespace.find(provider, request.params[0], now) if request.params else None
    own = None if task is None else task.plan.profile
    return (own or profile) not in operation.profiles


def _inbound(request: Request, profile: Profile) -> Inbound:
    query = dict(parse_qsl(request.query.decode("latin-1"))) if request.query else {}
    return Inbound(
        request.method,
        request.path,
        request.params,
        query,
        request.headers,
        profile,
        request.fields,
        request.broken,
    )


def at_once(namespace: Namespace, provider: Provider, operation: Operation, request: Request) -> Reply | None:
    """The reply to a poll of one task that nothing but its timeline has a say in; ``None``: not such a poll.

    A shortcut for nearly every poll there is; `test_endpoint.py` holds it equal to the long road. Where it
    gives ``None`` nothing has changed.
    """
    task_id = operation.plain_poll(request.params, request.fields) if operation.plain_poll else None
    task = None if task_id is None else namespace.store.get(provider.name, task_id)
    now = namespace.clock.now()
    if task is None or not task.plan.is_plain or task.created_at > now or namespace.clock.mode == "auto":
        return None
    headers = request.headers
    if request.too_large is not None or request.broken is not None or b"x-emulator-scenario" in headers:
        return None
    activation = namespace.in_force(provider)
    key = _key_in(provider.key, headers.get(b"authorization"), activation.profile)
    if type(key) is not str or not activation.takes_any_time(key):
        return None
    snapshot = state_at(task, now)
    if task.plan.poll_rules and judging.is_ruled(task, snapshot.status):
        exchange = Exchange(provider, operation.name, key, headers, request.origin, now, activation)
        if judging.judged(namespace, exchange, task)[1] is not NOTHING:
            return None
    if activation.poll_limits is not None:
        limited = Limited(operation.name, provider.name, judged_key(key), headers, (task,), {})
        if activation.poll_limits.take(limited, now, namespace.store.get) is not None:
            return None
    return _plainly_polled(namespace, provider, operation, request, task, snapshot, now)


def no_route(namespace: Namespace, provider: Provider, request: Request) -> Reply:
    """The provider's own answer to a path, or to a method on a path, that it doesn't have."""
    activation = namespace.in_force(provider)
    now = namespace.clock.now()
    exchange = Exchange(provider, OperationName.POLL, "", request.headers, "", now, activation)
    road = Road(namespace=namespace, request=request, operation=provider.operations[0], exchange=exchange)
    road.stage = "route"
    return refused(road, Refusal(Situation.NO_ROUTE))


@lru_cache(maxsize=1024)
def _key_in(
    provider_key: Callable[[bytes | None, Profile], str | ErrorName], header: bytes | None, profile: Profile
) -> str | ErrorName:
    """The API key in a header. Kept, because a client sends the same one with every poll."""
    return provider_key(header, profile)


def _plainly_polled(
    namespace: Namespace,
    provider: Provider,
    operation: Operation,
    request: Request,
    task: Task,
    snapshot: Snapshot,
    now: Instant,
) -> Reply:
    task = namespace.count_poll(task, snapshot, now)
    if snapshot.index < len(task.plan.marks):  # else somebody made the entry up by hand
        namespace.met.add(task.plan.marks[snapshot.index])
    profile = task.plan.profile or namespace.in_force(provider).profile
    status = snapshot.status
    dies_at = link_dies_at(task, snapshot, now)
    link = None
    if status is Status.COMPLETED:
        link = link_of(namespace, provider, request, task, snapshot, dies_at, now)
    account = namespace.identity(task.plan.seed).account(provider)
    printed = operation.item(View(task, snapshot, now, profile, account, link, dies_at))
    scene = Scene(profile, request.method, request.path, now, poll_entropy(task), status, OperationName.POLL)
    headers = [JSON, *provider.headers(scene), (b"date", date_field(now // SECOND))]
    return Reply(200, headers, orjson.dumps(printed), 0, now, task, snapshot)


def _activation(
    namespace: Namespace, provider: Provider, operation: Operation, request: Request
) -> tuple[Activation, Refusal | None]:
    """The scenario that applies to a request without a task of its own, and why it can't be found."""
    named = request.headers.get(b"x-emulator-scenario")
    if named is None and operation.name not in MAKING:
        return namespace.in_force(provider), None
    found: Activation | None = None
    refusal: Refusal | None = None
    if named is not None:
        name = named.decode("latin-1")
        found = namespace.activation_named(name)
        if found is None:
            names = ", ".join(namespace.library.names())
            refusal = Refusal(
                ErrorName.BAD_REQUEST, f"X-Emulator-Scenario names no scenario: {name!r}; there are: {names}"
            )
    elif isinstance(request.fields, dict):
        prompt = request.fields.get("prompt")
        found = namespace.activation_in_prompt(prompt) if isinstance(prompt, str) else None
        if found is None and isinstance(prompt, str) and "scenario:" in prompt:
            names = ", ".join(namespace.library.names())
            told_once(f"a prompt says scenario:, but names none of {names}; it is taken for plain text")
    return namespace.in_force(provider, found), refusal


# Polls


def _polled(road: Road, call: Poll, invalid: Refusal | None) -> Reply:
    found = _find(road, call) if invalid is None else {}
    road.strangers = strangers_in(call.ids, found)
    tasks = list({task.id: task for task in found.values()}.values())
    answer = stopped(road, tasks, call.ids[0] if call.ids else None, invalid)
    if answer is not None:
        return answer
    if road.verdict.fault is None:
        road.exchange.now = road.namespace.hurry(tasks, road.exchange.now)
    printed = {task.id: _polled_one(road, task) for task in tasks}
    return answered(road, call, [printed[found[name].id] for name in call.ids if name in found])


def _find(road: Road, call: Poll) -> dict[str, Task]:
    """The known tasks among those asked for, by the name that the client used."""
    namespace, exchange = road.namespace, road.exchange
    find = namespace.find_alias if call.by_alias else namespace.find
    starts = exchange.activation.scenario.starts_unknown_tasks and not call.by_alias
    found: dict[str, Task] = {}
    started = 0
    for name in call.ids:
        if name in found:
            continue
        task = find(exchange.provider, name, exchange.now)
        if task is None and starts and started < MAX_STARTED:
            started += 1
            task = namespace.start_unknown(exchange, name)
        if task is not None:
            found[name] = task
    return found


def _listed(road: Road, call: Listing, invalid: Refusal | None) -> Reply:
    answer = stopped(road, [], None, invalid)
    if answer is not None:
        return answer
    exchange = road.exchange
    tasks, has_more = pages.page_of(road.namespace, exchange.provider, call, exchange.now)
    road.tasks = tasks
    if road.verdict.patches:
        road.patches = {task.id: road.verdict.patches for task in tasks}
    return answered(
        road,
        msgspec.structs.replace(call, has_more=has_more),
        [_polled_one(road, task) for task in tasks],
    )


def _polled_one(road: Road, task: Task) -> dict[str, Any]:
    """The task as its provider prints it, patched; a poll is counted, unless a fault will break its answer."""
    snapshot = state_at(task, road.exchange.now)
    if road.exchange.operation is OperationName.POLL and road.verdict.fault is None:
        task = road.namespace.count_poll(task, snapshot, road.exchange.now)
    road.snapshots[task.id] = snapshot
    if road.task is None or road.task.id == task.id:
        road.task, road.snapshot = task, snapshot
    printed = road.operation.item(view_at(road, task, snapshot))
    patches = [task.plan.patch, snapshot.entry.patch, *road.patches.get(task.id, ())]
    return patched(road, printed, task, [patch for patch in patches if patch is not None])


@lru_cache(maxsize=64)
def told_once(sentence: str) -> None:
    """Say it in the log, once."""
    log.warning(sentence)
