"""The road that every request to a provider takes: from bytes to a call, through auth and rules, to bytes.

`respond` is a plain function from a request to a reply, so that the server, the tests and `preview`
take the same road. Only waiting and sending are left to the caller.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import orjson

from emulator import media
from emulator.core import template, units
from emulator.core.call import Call, Content, Create, Listing, Poll, Refusal
from emulator.core.effects import Failure, Respond
from emulator.core.matching import text_of
from emulator.core.patch import merge
from emulator.core.rules import NOTHING, RetryAfter, Rule, Verdict
from emulator.core.seeded import draw
from emulator.core.spreads import drawn
from emulator.core.task import Snapshot, Task, link_dies_at, state_at
from emulator.core.units import SECOND, Duration, Instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.engine import MAX_STARTED, Activation, Exchange, Namespace, refusal_of
from emulator.providers.base import Clip, Inbound, Operation, Provider, Result, Scene, View, Wire

_JSON: Final = (b"content-type", b"application/json")
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection", "date"})
"""What an author's ``headers`` can't set: they frame the answer (breaking it is what faults are for)."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request to a provider, read whole."""

    method: str
    path: str
    """Below the provider's base."""
    params: tuple[str, ...] = ()
    query: bytes = b""
    headers: Mapping[bytes, bytes] = {}
    fields: Any = None
    broken: str | None = None
    """Why the body can't be understood, in a sentence."""
    too_large: str | None = None
    """Why the body wasn't read to its end, in a sentence."""
    origin: str = ""
    """Scheme and host that links start with."""
    prefix: str = ""
    """What stands before ``/media`` in the links of the namespace."""


class Reply(msgspec.Struct):
    """What to send, and how long to wait before."""

    status_code: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    delay: Duration = 0
    clip: Clip | None = None
    """A video of this kind is to be sent in place of `body`."""
    tasks: tuple[str, ...] = ()
    """The ids of the tasks that had a say."""
    rule: str | None = None
    """The id of the rule that answered."""


class _Road(msgspec.Struct, kw_only=True):
    """What every step of one exchange needs at hand."""

    namespace: Namespace
    request: Request
    operation: Operation
    exchange: Exchange
    verdict: Verdict = NOTHING
    task: Task | None = None
    """The task whose profile, draws and delays count; of a batch, the first."""
    snapshot: Snapshot | None = None
    """What that task looks like; ``None``: it wasn't looked at."""
    patches: dict[str, tuple[Any, ...]] = {}
    """What rules patch, by task."""
    is_answered: bool = False
    """Whether the answer is rendered from tasks, and not a refusal or an author's own."""
    scene: Scene | None = None
    """Made when the wording first asks for it, then kept: one exchange has one request id."""


def respond(namespace: Namespace, provider: Provider, operation: Operation, request: Request) -> Reply:
    """The reply to one request to a provider, with everything that it changes in the namespace done."""
    now = namespace.clock.now()
    headers = request.headers
    activation, unknown = _activation(namespace, provider, operation, request)
    profile = activation.profile
    key = _key_in(provider.key, headers.get(b"authorization"), profile)
    query = dict(parse_qsl(request.query.decode("latin-1"))) if request.query else {}
    call = operation.parse(
        Inbound(
            request.method,
            request.path,
            request.params,
            query,
            headers,
            profile,
            request.fields,
            request.broken,
        )
    )
    exchange = Exchange(provider, operation.name, key, headers, request.origin, now, activation)
    if type(call) is Poll and unknown is None and request.too_large is None:
        reply = _plainly_polled(namespace, operation, request, exchange, call)
        if reply is not None:
            return reply
    road = _Road(namespace=namespace, request=request, operation=operation, exchange=exchange)
    invalid = unknown or (
        Refusal(Situation.TOO_LARGE, request.too_large) if request.too_large else call.refusal
    )
    match call:
        case Poll():
            return _polled(road, call, invalid)
        case Create():
            return _created(road, call, invalid)
        case Content():
            return _content(road, call, invalid)
        case Listing():
            return _listed(road, call, invalid)


def no_route(namespace: Namespace, provider: Provider, request: Request) -> Reply:
    """The provider's own answer to a path, or to a method on a path, that it doesn't have."""
    activation = namespace.in_force(provider)
    now = namespace.clock.now()
    exchange = Exchange(provider, OperationName.POLL, "", request.headers, "", now, activation)
    road = _Road(namespace=namespace, request=request, operation=provider.operations[0], exchange=exchange)
    return _refused(road, Refusal(Situation.NO_ROUTE))


@lru_cache(maxsize=1024)
def _key_in(
    provider_key: Callable[[bytes | None, Profile], str | ErrorName], header: bytes | None, profile: Profile
) -> str | ErrorName:
    """The API key in a header. Kept, because a client sends the same one with every poll."""
    return provider_key(header, profile)


def _plainly_polled(
    namespace: Namespace, operation: Operation, request: Request, exchange: Exchange, call: Poll
) -> Reply | None:
    """The reply to a poll of one task that nothing but its timeline has a say in; ``None``: not such a poll.

    A shortcut for nearly every poll there is; `test_endpoint.py` holds it equal to the long road.
    """
    if len(call.ids) != 1 or call.by_alias or call.refusal is not None or isinstance(exchange.key, ErrorName):
        return None
    provider, now = exchange.provider, exchange.now
    task = namespace.store.get(provider.name, call.ids[0])
    if task is None or not task.plan.is_plain or task.created_at > now:
        return None
    if not namespace.active.is_open or namespace.clock.mode == "auto":
        return None
    profile = task.plan.profile or exchange.profile
    task, snapshot = namespace.poll(task, now)
    entropy = namespace.exchange_entropy(exchange, task, answered=True)
    status = snapshot.status
    dies_at = link_dies_at(task, snapshot, now)
    link = None
    if status is Status.COMPLETED:
        link = _link(namespace, provider, request, task, snapshot, dies_at, now)
    view = View(task, snapshot, now, profile, namespace.account(provider), link, dies_at)
    body = operation.answer(call, (operation.item(view),), exchange.profile)
    if isinstance(body, Refusal):
        return None
    scene = Scene(profile, request.method, request.path, now, entropy, status)
    headers = [_JSON, *provider.headers(scene), (b"date", _date(now // SECOND))]
    return Reply(200, headers, orjson.dumps(body), 0, None, (task.id,))


def _activation(
    namespace: Namespace, provider: Provider, operation: Operation, request: Request
) -> tuple[Activation, Refusal | None]:
    """The scenario that applies to a request without a task of its own, and why it can't be found."""
    named = request.headers.get(b"x-emulator-scenario")
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
    elif operation.name is OperationName.CREATE and isinstance(request.fields, dict):
        prompt = request.fields.get("prompt")
        found = namespace.activation_in_prompt(prompt) if isinstance(prompt, str) else None
    return namespace.in_force(provider, found), refusal


# Polls


def _polled(road: _Road, call: Poll, invalid: Refusal | None) -> Reply:
    found = _find(road, call) if invalid is None else {}
    tasks = list({task.id: task for task in found.values()}.values())
    stopped = _stopped(road, tasks, call.ids[0] if call.ids else None, invalid)
    if stopped is not None:
        return stopped
    road.exchange.now = road.namespace.hurry(tasks, road.exchange.now)
    printed = {task.id: _polled_one(road, task) for task in tasks}
    return _answered(road, call, [printed[found[name].id] for name in call.ids if name in found])


def _find(road: _Road, call: Poll) -> dict[str, Task]:
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


def _listed(road: _Road, call: Listing, invalid: Refusal | None) -> Reply:
    stopped = _stopped(road, [], None, invalid)
    if stopped is not None:
        return stopped
    tasks = list(road.namespace.listed(road.exchange.provider, call, road.exchange.now))
    return _answered(road, call, [_polled_one(road, task) for task in tasks])


def _polled_one(road: _Road, task: Task) -> dict[str, Any]:
    """The task as its provider prints it, patched; the poll is counted."""
    task, snapshot = road.namespace.poll(task, road.exchange.now)
    if road.task is None or road.task.id == task.id:
        road.task, road.snapshot = task, snapshot
    printed = road.operation.item(_view(road, task, snapshot))
    patches = [task.plan.patch, snapshot.entry.patch, *road.patches.get(task.id, ())]
    return _patched(road, printed, task, [patch for patch in patches if patch is not None])


def _view(road: _Road, task: Task, snapshot: Snapshot) -> View:
    exchange = road.exchange
    dies_at = link_dies_at(task, snapshot, exchange.now)
    link = None
    if snapshot.status is Status.COMPLETED:
        link = _link(road.namespace, exchange.provider, road.request, task, snapshot, dies_at, exchange.now)
    account = road.namespace.account(exchange.provider)
    return View(task, snapshot, exchange.now, task.plan.profile or exchange.profile, account, link, dies_at)


def _link(
    namespace: Namespace,
    provider: Provider,
    request: Request,
    task: Task,
    snapshot: Snapshot,
    dies_at: Instant,
    now: Instant,
) -> str | None:
    """The link to the result as a poll prints it, if it prints one."""
    video = snapshot.entry.video
    if video is not None and not video.has_link:
        return None
    if video is not None and video.url is not None:
        return str(template.fill(video.url, _context(namespace, task, now)))
    ended_at = snapshot.ended_at or task.created_at
    account = namespace.account(provider)
    result = Result(task=task, account=account, ended_at=ended_at, dies_at=dies_at)
    clip = provider.clip(orjson.loads(task.request))
    return media.link(provider, result, clip, task.origin or request.origin, request.prefix, namespace.key)


# Creates


def _created(road: _Road, call: Create, invalid: Refusal | None) -> Reply:
    namespace, exchange = road.namespace, road.exchange
    refusal = namespace.refused_key(exchange, None)
    if refusal is not None:
        return _refused(road, refusal)
    entropy = namespace.entropy_for(exchange.provider, call.fields)
    road.verdict = namespace.judge_create(exchange, call.fields, entropy)
    reply = _effect(road)
    if reply is not None:
        return reply
    if invalid is not None:
        return _refused(road, invalid)
    task = namespace.create(exchange, call.fields, entropy)
    road.task = task
    view = _view(road, task, state_at(task, exchange.now))
    item = _patched(road, road.operation.item(view), task, road.verdict.patches)
    return _answered(road, call, [item])


# Content


def _content(road: _Road, call: Content, invalid: Refusal | None) -> Reply:
    exchange = road.exchange
    task = road.namespace.find(exchange.provider, call.id, exchange.now)
    stopped = _stopped(road, [] if task is None else [task], call.id, invalid)
    if stopped is not None:
        return stopped
    if task is None:
        return _refused(road, Refusal(ErrorName.NOT_FOUND))
    snapshot = road.snapshot = state_at(task, exchange.now)
    if snapshot.status is not Status.COMPLETED:
        return _refused(road, Refusal(Situation.NOT_READY))
    dies_at = link_dies_at(task, snapshot, exchange.now)
    if dies_at <= exchange.now:
        return _refused(road, Refusal(Situation.MEDIA_GONE))
    video = snapshot.entry.video
    link = _link(road.namespace, exchange.provider, road.request, task, snapshot, dies_at, exchange.now)
    if link is not None and video is not None and video.content == "redirect":
        return _reply(road, 302, b"", [(b"location", link.encode("latin-1", "replace"))])
    return _streamed(road, exchange.provider.clip(orjson.loads(task.request)))


def _streamed(road: _Road, clip: Clip) -> Reply:
    reply = _reply(road, 200, b"", [])
    reply.clip = clip
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
    road = _Road(namespace=namespace, request=request, operation=provider.operations[0], exchange=exchange)
    if not claim.holds(namespace.key):
        return _worded(road, provider.storage_refusal(False, _scene(road)))
    if task is not None:
        stopped = _ruled(road, [task], claim.task_id)
        if stopped is not None:
            return stopped
        road.snapshot = state_at(task, now)
    if claim.is_dead(now):
        return _dead(road)
    return _streamed(road, claim.clip)


def _dead(road: _Road) -> Reply:
    """What a link that has died answers: the storage's own words, unless the scenario has others."""
    video = road.snapshot.entry.video if road.snapshot else None
    expired = video.expired if video else None
    if isinstance(expired, Failure):
        return _refused(road, refusal_of(expired))
    if isinstance(expired, Respond):
        return _raw(road, expired)
    return _worded(road, road.exchange.provider.storage_refusal(True, _scene(road)))


# What every operation does


def _stopped(road: _Road, tasks: list[Task], asked: str | None, invalid: Refusal | None) -> Reply | None:
    """What auth, rules and the provider's own validation answer in place of the tasks, in this order."""
    road.task = tasks[0] if tasks else None
    refusal = road.namespace.refused_key(road.exchange, road.task)
    if refusal is not None:
        return _refused(road, refusal)
    return _ruled(road, tasks, asked) or (_refused(road, invalid) if invalid is not None else None)


def _ruled(road: _Road, tasks: list[Task], asked: str | None) -> Reply | None:
    """What the rules answer; the calls are counted, in ``tasks`` too."""
    road.task = tasks[0] if tasks else None
    if not tasks:
        road.verdict = road.namespace.judge_unknown(road.exchange, asked)
        return _effect(road)
    verdicts: list[Verdict] = []
    for number, task in enumerate(tasks):
        tasks[number], verdict = road.namespace.judge_task(road.exchange, task)
        if verdict is not NOTHING:
            verdicts.append(verdict)
            road.patches[task.id] = verdict.patches
    road.task = tasks[0]
    if verdicts:
        road.verdict = _first(verdicts, tasks[0].plan.rules)
    return _effect(road)


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
    delays = (verdict.delay for verdict in (first, *verdicts))
    return msgspec.structs.replace(first, headers=headers, delay=next((d for d in delays if d), None))


def _effect(road: _Road) -> Reply | None:
    effect = road.verdict.effect
    if effect is None:
        return None
    return _refused(road, refusal_of(effect)) if isinstance(effect, Failure) else _raw(road, effect)


def _answered(road: _Road, call: Call, items: Sequence[dict[str, Any]]) -> Reply:
    body = road.operation.answer(call, items, road.exchange.profile)
    if isinstance(body, Refusal):
        return _refused(road, body)
    road.is_answered = True
    return _reply(road, 200, orjson.dumps(body), [_JSON])


def _refused(road: _Road, refusal: Refusal) -> Reply:
    if isinstance(refusal.message, template.Template):
        message = template.fill(refusal.message, _context_of(road))
        refusal = msgspec.structs.replace(refusal, message=message)
    if road.snapshot is None and road.task is not None:
        road.snapshot = state_at(road.task, road.exchange.now)
    return _worded(road, road.exchange.provider.refuse(refusal, _scene(road)))


def _worded(road: _Road, wire: Wire) -> Reply:
    body = wire.body.encode() if isinstance(wire.body, str) else orjson.dumps(wire.body)
    headers = [(b"content-type", wire.content_type.encode())]
    retry_after = road.verdict.retry_after
    for name, value in wire.headers:
        if retry_after is None or name.lower() != "retry-after":
            headers.append((name.lower().encode("latin-1"), value.encode("latin-1", "replace")))
    if retry_after is not None and retry_after.wait is not None:
        headers.append((b"retry-after", _retry_after(retry_after, road.exchange.now)))
    return _reply(road, wire.status_code, body, headers)


def _retry_after(retry_after: RetryAfter, now: Instant) -> bytes:
    wait = retry_after.wait or 0
    if retry_after.as_date:
        return units.http_date(now + wait).encode()
    return str(-(-wait // SECOND)).encode()


def _raw(road: _Road, respond_with: Respond) -> Reply:
    context = _context_of(road)
    body = template.fill(respond_with.body, context)
    content_type = b"text/plain; charset=utf-8" if respond_with.is_text else _JSON[1]
    own = _header_fields(respond_with.headers, context)
    headers = (
        own if any(name == b"content-type" for name, _ in own) else [(b"content-type", content_type), *own]
    )
    if respond_with.is_text:
        data = str(body).encode()
    else:
        data = b"" if respond_with.body is None else orjson.dumps(body)
    retry_after = road.verdict.retry_after
    if retry_after is not None and retry_after.wait is not None:
        headers.append((b"retry-after", _retry_after(retry_after, road.exchange.now)))
    return _reply(road, respond_with.status_code, data, headers)


def _reply(road: _Road, status_code: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> Reply:
    exchange = road.exchange
    headers.extend(exchange.provider.headers(_scene(road)))
    headers.append((b"date", _date(exchange.now // SECOND)))
    if road.verdict.headers:
        own = _header_fields(road.verdict.headers, _context_of(road))
        named = {name for name, _ in own}
        headers = [header for header in headers if header[0] not in named] + own
    snapshot = road.snapshot
    if snapshot is not None and snapshot.entry.poll_after is not None:
        wait = snapshot.entry.poll_after // units.MILLISECOND
        headers.append((b"openai-poll-after-ms", str(wait).encode()))
    rule = road.verdict.rule
    return Reply(
        status_code=status_code,
        headers=headers,
        body=body,
        delay=_delay(road),
        tasks=() if road.task is None else (road.task.id,),
        rule=None if rule is None else rule.id,
    )


@lru_cache(maxsize=8)
def _date(second: int) -> bytes:
    return units.http_date(second * SECOND).encode()


def _delay(road: _Road) -> Duration:
    """How long the answer takes: as the rule says, else the entry, else the file's defaults; never their sum."""
    task, snapshot, activation = road.task, road.snapshot, road.exchange.activation
    entropy = road.namespace.key if task is None else task.entropy
    number = 0 if task is None else task.polls + (task.calls or {}).get(road.exchange.operation, 0)
    if road.verdict.delay is not None:
        spread, rule_id = road.verdict.delay
        return drawn(spread, entropy, f"delay {rule_id}", number)
    if snapshot is not None and snapshot.entry.delay is not None:
        return drawn(snapshot.entry.delay, entropy, f"delay of entry {snapshot.index}", number)
    default = activation.scenario.default_delay if task is None else task.plan.default_delay
    return 0 if default is None else drawn(default, entropy, f"delay of {road.exchange.operation}", number)


def _header_fields(
    headers: Sequence[tuple[str, Any]], context: template.Context
) -> list[tuple[bytes, bytes]]:
    fields = []
    for name, value in headers:
        if name.lower() in _FRAMING:
            continue
        text = text_of(template.fill(value, context))
        # A line break would end the header; nothing a template brings in may do that.
        text = " ".join(text.splitlines())
        fields.append((name.lower().encode("latin-1", "replace"), text.encode("latin-1", "replace")))
    return fields


def _patched(road: _Road, printed: dict[str, Any], task: Task, patches: Sequence[Any]) -> dict[str, Any]:
    if not patches:
        return printed
    # What a provider prints may hold JSON that is already written; a patch needs to see into it.
    value = orjson.loads(orjson.dumps(printed))
    context = _context(road.namespace, task, road.exchange.now)
    for patch in patches:
        value = merge(value, template.fill(patch, context))
    return value if isinstance(value, dict) else printed


def _context_of(road: _Road) -> template.Context:
    """What the templates of the exchange's own answer may speak of."""
    namespace, now = road.namespace, road.exchange.now
    if road.task is not None:
        return _context(namespace, road.task, now)
    fields = road.request.fields if isinstance(road.request.fields, dict) else {}
    return template.Context(
        task_id=None, created_at=None, request=lambda: fields, now=now, seed=namespace.seed, key=namespace.key
    )


def _context(namespace: Namespace, task: Task, now: Instant) -> template.Context:
    return template.Context(
        task_id=task.id,
        created_at=task.created_at,
        request=lambda: orjson.loads(task.request),
        now=now,
        seed=namespace.seed,
        key=draw(task.entropy, "template"),
        number=task.polls,
    )


def _scene(road: _Road) -> Scene:
    if road.scene is None:
        exchange, task, snapshot = road.exchange, road.task, road.snapshot
        profile = exchange.profile if task is None or task.plan.profile is None else task.plan.profile
        status = None if snapshot is None else snapshot.status
        request, entropy = road.request, road.namespace.exchange_entropy(exchange, task, road.is_answered)
        road.scene = Scene(profile, request.method, request.path, exchange.now, entropy, status)
    return road.scene
