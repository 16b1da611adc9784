"""The road that every request to a provider takes: from bytes to a call, through auth and rules, to bytes.

`respond` is a plain function from a request to a reply, so that the server, the tests and `preview`
take the same road. Only waiting and sending are left to the caller.
"""

import logging
from collections.abc import Callable, Container, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl, quote

import msgspec
import orjson

from emulator import judging, media, pages
from emulator.activation import Activation, judged_key
from emulator.core import seeded
from emulator.core.call import Call, Content, Create, Delete, Listing, Poll, Refusal, Remix, Variant
from emulator.core.effects import Failure, Fault, Respond
from emulator.core.limits import wait_of
from emulator.core.rules import NOTHING, Rule, Verdict
from emulator.core.task import Snapshot, Task, link_dies_at, state_at
from emulator.core.units import SECOND, Instant
from emulator.core.words import ErrorName, FaultName, OperationName, Profile, Situation, Status
from emulator.engine import MAX_STARTED, Exchange, Namespace, poll_entropy, refusal_of
from emulator.exchanges import Hold, Reply, Request
from emulator.limits import Limited
from emulator.providers.base import Clip, Inbound, Offspring, Operation, Provider, Scene, View, Wire
from emulator.replies import (
    JSON,
    Road,
    date_field,
    patched,
    raw,
    refused,
    reply_with,
    scene_of,
    worded,
)
from emulator.views import link_of, view_of

log = logging.getLogger("emulator")

_KEPT_STRANGERS: Final = 8
_KEPT_NAME: Final = 200
_WRITTEN_AS_IS: Final = "%:/?#[]@!$&'()*+,;=~"
"""What RFC 3986 lets a URL hold besides letters, digits and ``-._``: an escape's own ``%`` too."""
MAKING: Final = frozenset({OperationName.CREATE, OperationName.REMIX})
"""The operations that make a task."""


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
            return _struck(_polled(road, call, invalid))
        case Create():
            return _struck(_created(road, call, invalid))
        case Content():
            return _struck(_content(road, call, invalid))
        case Listing():
            return _struck(_listed(road, call, invalid))
        case Delete():
            return _struck(_deleted(road, call, invalid))
        case Remix():
            return _struck(_remixed(road, call, invalid))


def _struck(reply: Reply) -> Reply:
    """The reply, of which a rule decided where a fault strikes it: its client sees no entry, and no refusal either."""
    if reply.verdict.fault is not None:
        reply.stage = "rules"
    return reply


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
    road.strangers = _strangers(call.ids, found)
    tasks = list({task.id: task for task in found.values()}.values())
    stopped = _stopped(road, tasks, call.ids[0] if call.ids else None, invalid)
    if stopped is not None:
        return stopped
    if road.verdict.fault is None:
        road.exchange.now = road.namespace.hurry(tasks, road.exchange.now)
    printed = {task.id: _polled_one(road, task) for task in tasks}
    return _answered(road, call, [printed[found[name].id] for name in call.ids if name in found])


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


def _strangers(ids: Sequence[str], known: Container[str]) -> tuple[str, ...]:
    """The first few ids that nobody knows, each cut."""
    unknown = (name[:_KEPT_NAME] for name in dict.fromkeys(ids) if name not in known)
    return tuple(islice(unknown, _KEPT_STRANGERS))


def _listed(road: Road, call: Listing, invalid: Refusal | None) -> Reply:
    stopped = _stopped(road, [], None, invalid)
    if stopped is not None:
        return stopped
    exchange = road.exchange
    tasks, has_more = pages.page_of(road.namespace, exchange.provider, call, exchange.now)
    road.tasks = tasks
    if road.verdict.patches:
        road.patches = {task.id: road.verdict.patches for task in tasks}
    return _answered(
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
    printed = road.operation.item(_view(road, task, snapshot))
    patches = [task.plan.patch, snapshot.entry.patch, *road.patches.get(task.id, ())]
    return patched(road, printed, task, [patch for patch in patches if patch is not None])


def _view(road: Road, task: Task, snapshot: Snapshot) -> View:
    exchange = road.exchange
    return view_of(
        road.namespace, exchange.provider, task, snapshot, exchange.now, road.request, exchange.profile
    )


# Creates


def _created(road: Road, call: Create, invalid: Refusal | None) -> Reply:
    namespace, exchange = road.namespace, road.exchange
    refusal = judging.refused_key(namespace, exchange, None)
    if refusal is not None:
        exchange.activation.count(exchange.operation)
        return refused(road, refusal)
    if _is_over_limit(road, call.fields):
        exchange.activation.count(exchange.operation)
        return _over_limit(road)
    entropy = road.entropy = namespace.entropy_for(exchange.provider, call.fields)
    road.stage = "rules"
    road.verdict = judging.judge_create(namespace, exchange, call.fields, entropy)
    reply = _effect(road)
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
    reply = _answered(road, call, [_printed_new(road, task, road.verdict.patches)])
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
        limits.made(_limited(road, offspring.fields), task)
    return task


def _ended(road: Road, wire_of: Callable[[View], Wire], task: Task, now: Instant) -> Reply:
    """What a create that was held answers at the instant at which its task ended."""
    road.exchange.now, road.scene, road.is_answered = now, None, True
    road.task, road.snapshot = task, state_at(task, now)
    wire = wire_of(_view(road, task, road.snapshot))
    body = patched(road, wire.body, task, road.verdict.patches)
    return _struck(worded(road, msgspec.structs.replace(wire, body=body)))


def _line(road: Road, line_of: Callable[[View], dict[str, Any]], task: Task, now: Instant) -> bytes:
    """What a create that is held streams about its task at an instant."""
    road.exchange.now = now
    return orjson.dumps(line_of(_view(road, task, state_at(task, now)))) + b"\n"


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
    return derive(call, None if source is None else _view(road, source, state_at(source, exchange.now)))


def _printed_new(road: Road, task: Task, patches: Sequence[Any]) -> dict[str, Any]:
    """A new task as the answer to its create prints it."""
    road.snapshots[task.id] = snapshot = state_at(task, road.exchange.now)
    return patched(road, road.operation.item(_view(road, task, snapshot)), task, patches)


def _remixed(road: Road, call: Remix, invalid: Refusal | None) -> Reply:
    """A task made from another one, whose rules judge the exchange."""
    namespace, exchange, derive = road.namespace, road.exchange, road.operation.derive
    assert derive is not None
    source = namespace.find(exchange.provider, call.source, exchange.now)
    road.strangers = _strangers((call.source,), () if source is None else (call.source,))
    entropy = namespace.entropy_for(exchange.provider, {"source": call.source, "fields": call.fields})
    stopped = _stopped(road, [] if source is None else [source], call.source, invalid)
    if stopped is not None:
        return stopped
    view = None
    if road.task is not None:
        snapshot = road.snapshots[road.task.id] = state_at(road.task, exchange.now)
        view = _view(road, road.task, snapshot)
    offspring = derive(call, view)
    if isinstance(offspring, Refusal):
        return refused(road, offspring)
    assert road.task is not None
    patches = road.patches.get(road.task.id, ())
    task = _new_task(road, offspring, entropy)
    road.tasks = [road.task, task]
    return _answered(road, call, [_printed_new(road, task, patches)])


def _deleted(road: Road, call: Delete, invalid: Refusal | None) -> Reply:
    exchange = road.exchange
    task = road.namespace.find(exchange.provider, call.id, exchange.now)
    road.strangers = _strangers((call.id,), () if task is None else (call.id,))
    stopped = _stopped(road, [] if task is None else [task], call.id, invalid)
    if stopped is not None:
        return stopped
    if road.task is not None:
        road.snapshot = state_at(road.task, exchange.now)
        if call.only_ended and road.snapshot.ended_at is None:
            return refused(road, Refusal(Situation.NOT_READY))
        road.namespace.store.remove(road.task)
    # Nothing is printed of a task that is gone, so the answer has nothing to patch.
    return _answered(road, call, [] if road.task is None else [{}])


@lru_cache(maxsize=64)
def told_once(sentence: str) -> None:
    """Say it in the log, once."""
    log.warning(sentence)


# Content


def _content(road: Road, call: Content, invalid: Refusal | None) -> Reply:
    exchange = road.exchange
    task = road.namespace.find(exchange.provider, call.id, exchange.now)
    road.strangers = _strangers((call.id,), () if task is None else (call.id,))
    profile = exchange.profile if task is None or task.plan.profile is None else task.plan.profile
    variant = exchange.provider.variant(call.variant, profile)
    if invalid is None and isinstance(variant, Refusal):
        invalid = variant
    stopped = _stopped(road, [] if task is None else [task], call.id, invalid)
    if stopped is not None:
        return stopped
    if task is None or isinstance(variant, Refusal):
        return refused(road, Refusal(ErrorName.NOT_FOUND))
    road.stage = "timeline"
    snapshot = road.snapshot = state_at(task, exchange.now)
    if snapshot.status is not Status.COMPLETED:
        return refused(road, Refusal(Situation.NOT_READY))
    dies_at = link_dies_at(task, snapshot, exchange.now)
    if dies_at <= exchange.now:
        road.stage, road.expired, road.died_at = "link", True, dies_at
        return refused(road, Refusal(Situation.MEDIA_GONE))
    video = snapshot.entry.video
    link = link_of(road.namespace, exchange.provider, road.request, task, snapshot, dies_at, exchange.now)
    redirects = video is not None and video.content == "redirect" and variant == "video"
    if link is not None and redirects:
        # A literal link may hold anything; a header may not.
        return reply_with(road, 302, b"", [(b"location", quote(link, safe=_WRITTEN_AS_IS).encode())])
    size = None if video is None else video.size
    headers = list(exchange.provider.content_headers)
    return _streamed(road, exchange.provider.clip(orjson.loads(task.request)), size, variant, headers)


def _streamed(
    road: Road,
    clip: Clip,
    size: int | None,
    variant: Variant = "video",
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> Reply:
    reply = reply_with(road, 200, b"", list(headers))
    reply.clip, reply.clip_size, reply.variant = clip, size, variant
    return reply


def download(namespace: Namespace, request: Request, claim: media.Claim) -> Reply:
    """The reply to a request for a link of ours: the video, or what the storage behind the links says."""
    now = namespace.clock.now()
    provider = claim.provider
    task = namespace.find(provider, claim.task_id, now)
    activation = namespace.in_force(provider)
    exchange = Exchange(
        provider, OperationName.DOWNLOAD, "", request.headers, request.origin, now, activation
    )
    road = Road(namespace=namespace, request=request, operation=provider.operations[0], exchange=exchange)
    road.stage, road.strangers = "link", _strangers((claim.task_id,), () if task is None else (task.id,))
    if not namespace.signed(claim):
        return worded(road, provider.storage_refusal(False, scene_of(road)))
    road.tasks = [] if task is None else [task]
    road.task = task
    if _is_over_limit(road, {}, claim.task_id):
        _count_unanswered(road, road.tasks)
        return _over_limit(road)
    if task is not None:
        stopped = _ruled(road, [task], claim.task_id)
        if stopped is not None:
            return stopped
        road.snapshot = state_at(task, now)
    road.stage = "link"
    if claim.is_dead(now):
        road.expired, road.died_at = True, claim.dies_at
        return _struck(_dead(road))
    return _struck(_streamed(road, claim.clip, claim.size))


def _dead(road: Road) -> Reply:
    """What a link that has died answers: the storage's own words, unless the scenario has others."""
    video = road.snapshot.entry.video if road.snapshot else None
    expired = video.expired if video else None
    if isinstance(expired, Failure):
        return refused(road, refusal_of(expired))
    if isinstance(expired, Respond):
        return raw(road, expired)
    road.error = Situation.MEDIA_GONE
    return worded(road, road.exchange.provider.storage_refusal(True, scene_of(road)))


# What every operation does


def _stopped(road: Road, tasks: list[Task], asked: str | None, invalid: Refusal | None) -> Reply | None:
    """What auth, limits, rules and the provider's own validation answer in place of the tasks, in this order."""
    road.tasks, road.task = tasks, tasks[0] if tasks else None
    refusal = judging.refused_key(road.namespace, road.exchange, road.task)
    if refusal is not None:
        _count_unanswered(road, tasks)
        return refused(road, refusal)
    if _is_over_limit(road, {}, asked):
        _count_unanswered(road, tasks)
        return _over_limit(road)
    stopped = _ruled(road, tasks, asked)
    road.stage = "validation" if stopped is None else "rules"
    return stopped or (refused(road, invalid) if invalid is not None else None)


def _is_over_limit(road: Road, fields: Mapping[str, Any], asked: str | None = None) -> bool:
    """Whether a limit of the scenario in force refuses the call. If none does, each counts it."""
    counts = road.namespace.in_force(road.exchange.provider).limits
    if counts is None:
        return False
    road.stage = "limits"
    road.reached = counts.take(_limited(road, fields, asked), road.exchange.now, road.namespace.store.get)
    return road.reached is not None


def _limited(road: Road, fields: Mapping[str, Any], asked: str | None = None) -> Limited:
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


def _over_limit(road: Road) -> Reply:
    """What a limit that is reached answers."""
    reached, now = road.reached, road.exchange.now
    assert reached is not None
    reply = refused(road, refusal_of(reached.limit.error))
    road.namespace.wait_out(wait_of(reached, now))
    return reply


def _ruled(road: Road, tasks: list[Task], asked: str | None) -> Reply | None:
    """What the rules answer; the calls are counted, in ``tasks`` too."""
    road.stage = "rules"
    road.tasks, road.task = tasks, tasks[0] if tasks else None
    if not tasks:
        road.entropy = seeded.key_of(road.namespace.key, road.exchange.provider.name, asked or "")
        road.verdict = judging.judge_unknown(road.namespace, road.exchange, asked)
        return _effect(road)
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
        _count_unanswered(road, tasks)
    return _effect(road)


def _count_unanswered(road: Road, tasks: list[Task]) -> None:
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


def _effect(road: Road) -> Reply | None:
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


def _answered(road: Road, call: Call, items: Sequence[dict[str, Any]]) -> Reply:
    body = road.operation.answer(call, items, road.exchange.profile)
    if isinstance(body, Refusal):
        return refused(road, body)
    road.stage = "timeline"
    # What else is answered from tasks counts itself among their calls, or among the namespace's exchanges; and a broken
    # poll counts as none.
    is_counted = road.exchange.operation in {OperationName.POLL, OperationName.CREATE}
    road.is_answered = is_counted and (road.verdict.fault is None or isinstance(call, Create))
    return reply_with(road, 200, orjson.dumps(body), [JSON])
