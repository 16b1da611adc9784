"""Replies: what is sent for one exchange, worded by its provider or by the scenario's author."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
import orjson

from emulator.core import template, units
from emulator.core.call import Refusal
from emulator.core.effects import Respond
from emulator.core.limits import Reached, wait_told
from emulator.core.matching import text_of
from emulator.core.patch import merge
from emulator.core.rules import NOTHING, RetryAfter, Verdict
from emulator.core.seeded import draw
from emulator.core.spreads import drawn
from emulator.core.task import Snapshot, Task, state_at
from emulator.core.units import SECOND, Duration, Instant
from emulator.core.words import OperationName
from emulator.engine import Exchange, Namespace
from emulator.exchanges import Reply, Request, Stage
from emulator.providers.base import Operation, Scene, Wire

JSON: Final = (b"content-type", b"application/json")
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection", "date"})
"""What an author's ``headers`` can't set: they frame the answer (breaking it is what faults are for)."""


class Road(msgspec.Struct, kw_only=True):
    """What every step of one exchange needs at hand."""

    namespace: Namespace
    request: Request
    operation: Operation
    exchange: Exchange
    verdict: Verdict = NOTHING
    tasks: list[Task] = []
    """The tasks that it names, or lists."""
    task: Task | None = None
    """The task whose profile, draws and delays count; of a batch, the first."""
    snapshot: Snapshot | None = None
    """What that task looks like; ``None``: it wasn't looked at."""
    snapshots: dict[str, Snapshot] = {}
    """What the tasks of a batch or a listing look like, by id."""
    stage: Stage = "auth"
    """Which step it has come to."""
    error: str | None = None
    """The named error or situation that is answered."""
    reached: Reached | None = None
    """The limit that refuses it."""
    expired: bool = False
    """Whether a result is asked for after its link has died."""
    died_at: Instant | None = None
    """When that was."""
    entropy: bytes | None = None
    """What the rules' draws are keyed by where no task brings its own."""
    strangers: tuple[str, ...] = ()
    """Ids that it names and no task has: the first few."""
    patches: dict[str, tuple[Any, ...]] = {}
    """What rules patch, by task."""
    is_answered: bool = False
    """Whether the answer is rendered from tasks, and not a refusal or an author's own."""
    scene: Scene | None = None
    """Made when the wording first asks for it, then kept: one exchange has one request id."""


def refused(road: Road, refusal: Refusal) -> Reply:
    """The provider's own words for a refusal."""
    if isinstance(refusal.message, str) and template.holds_any(refusal.message):
        message = template.fill(refusal.message, context_of(road))
        refusal = msgspec.structs.replace(refusal, message=message)
    if road.snapshot is None and road.task is not None:
        road.snapshot = state_at(road.task, road.exchange.now)
    road.error = refusal.name
    return worded(road, road.exchange.provider.refuse(refusal, scene_of(road)))


def worded(road: Road, wire: Wire) -> Reply:
    """What the provider worded, with the ``Retry-After`` that a rule or a limit asks for."""
    body = wire.body.encode() if isinstance(wire.body, str) else orjson.dumps(wire.body)
    headers = [(b"content-type", wire.content_type.encode())]
    retry_after = _told(road, wire)
    for name, value in wire.headers:
        if retry_after is None or name.lower() != "retry-after":
            headers.append((name.lower().encode("latin-1"), value.encode("latin-1", "replace")))
    asked = retry_after_field(retry_after, road.exchange.now)
    if asked is not None:
        headers.append(asked)
    return reply_with(road, wire.status_code, body, headers)


def _told(road: Road, wire: Wire) -> RetryAfter | None:
    if road.reached is None:
        return road.verdict.retry_after
    sends_one = any(name.lower() == "retry-after" for name, _ in wire.headers)
    return wait_told(road.reached, road.exchange.now, sends_one)


def retry_after_field(retry_after: RetryAfter | None, now: Instant) -> tuple[bytes, bytes] | None:
    """The header field that asks for a wait, where one is asked for."""
    if retry_after is None or retry_after.wait is None:
        return None
    wait = retry_after.wait
    told = units.http_date(now + wait) if retry_after.as_date else str(-(-wait // SECOND))
    return b"retry-after", told.encode()


def raw(road: Road, respond_with: Respond) -> Reply:
    """An answer that the scenario's author wrote out."""
    filling = context_of(road)
    body = template.fill(respond_with.body, filling)
    content_type = b"text/plain; charset=utf-8" if respond_with.is_text else JSON[1]
    own = _header_fields(respond_with.headers, filling)
    headers = (
        own if any(name == b"content-type" for name, _ in own) else [(b"content-type", content_type), *own]
    )
    if respond_with.is_text:
        data = str(body).encode()
    else:
        data = b"" if respond_with.body is None else orjson.dumps(body)
    asked = retry_after_field(road.verdict.retry_after, road.exchange.now)
    if asked is not None:
        headers.append(asked)
    return reply_with(road, respond_with.status_code, data, headers)


def reply_with(road: Road, status_code: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> Reply:
    """The reply with what every answer carries: the provider's headers, the date, what rules and entries add."""
    exchange = road.exchange
    # Keys and limits are judged by the active scenario, whichever other one a request names.
    is_at_door = road.stage in {"auth", "limits"}
    judge = road.namespace.in_force(exchange.provider) if is_at_door else exchange.activation
    own_headers = exchange.provider.headers(scene_of(road))
    if exchange.operation is OperationName.DOWNLOAD:
        # The storage behind the links isn't the provider's API: of its headers only CORS is shared.
        own_headers = tuple(field for field in own_headers if field[0].startswith(b"access-control-"))
    headers.extend(own_headers)
    headers.append((b"date", date_field(exchange.now // SECOND)))
    if road.verdict.headers:
        own = _header_fields(road.verdict.headers, context_of(road))
        named = {name for name, _ in own}
        headers = [header for header in headers if header[0] not in named] + own
    snapshot = road.snapshot
    if snapshot is not None and snapshot.entry.poll_after is not None:
        wait = snapshot.entry.poll_after // units.MILLISECOND
        headers.append((b"openai-poll-after-ms", str(wait).encode()))
    return Reply(
        status_code=status_code,
        headers=headers,
        body=body,
        delay=_delay(road),
        now=exchange.now,
        task=road.task,
        # The answer of a create shows the task too, though neither latency nor hints of its entry apply to it.
        snapshot=snapshot or (None if road.task is None else road.snapshots.get(road.task.id)),
        others=tuple((task, road.snapshots.get(task.id)) for task in road.tasks[1:]),
        operation=None if exchange.operation is road.operation.name else exchange.operation,
        stage=road.stage,
        error=road.error,
        verdict=road.verdict,
        call=exchange.call,
        scenario=judge.scenario.version,
        rejection=exchange.rejection,
        reached=road.reached,
        expired=road.expired,
        died_at=road.died_at,
        entropy=road.entropy,
        strangers=road.strangers,
    )


@lru_cache(maxsize=8)
def date_field(second: int) -> bytes:
    """The value of ``Date`` in a second of the clock."""
    return units.http_date(second * SECOND).encode()


def _delay(road: Road) -> Duration:
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
        # A line break would end the header, and other control characters have no place in one.
        text = "".join(character if character.isprintable() else " " for character in text)
        fields.append((name.lower().encode("latin-1", "replace"), text.encode("latin-1", "replace")))
    return fields


def patched(road: Road, printed: dict[str, Any], task: Task, patches: Sequence[Any]) -> dict[str, Any]:
    """The printed task with merge patches applied in their order."""
    if not patches:
        return printed
    # What a provider prints may hold JSON that is already written; a patch needs to see into it.
    value = orjson.loads(orjson.dumps(printed))
    filling = context_of_task(road.namespace, task, road.exchange.now)
    for patch in patches:
        value = merge(value, template.fill(patch, filling), patch)
    return value if isinstance(value, dict) else printed


def context_of(road: Road) -> template.Context:
    """What the templates of the exchange's own answer may speak of."""
    namespace, now = road.namespace, road.exchange.now
    if road.task is not None:
        return context_of_task(namespace, road.task, now)
    fields = road.request.fields if isinstance(road.request.fields, dict) else {}
    return template.Context(
        task_id=None, created_at=None, request=lambda: fields, now=now, seed=namespace.seed, key=namespace.key
    )


def context_of_task(namespace: Namespace, task: Task, now: Instant) -> template.Context:
    """What the templates in a task's own words may speak of."""
    return template.Context(
        task_id=task.id,
        created_at=task.created_at,
        request=lambda: orjson.loads(task.request),
        now=now,
        seed=task.plan.seed,
        key=draw(task.entropy, "template"),
        number=task.polls,
    )


def scene_of(road: Road) -> Scene:
    """The exchange as the provider's wording needs it; one exchange has one, so that it has one request id."""
    if road.scene is None:
        exchange, task, snapshot = road.exchange, road.task, road.snapshot
        profile = exchange.profile if task is None or task.plan.profile is None else task.plan.profile
        status = None if snapshot is None else snapshot.status
        request, entropy = road.request, road.namespace.exchange_entropy(exchange, task, road.is_answered)
        road.scene = Scene(
            profile, request.method, request.path, exchange.now, entropy, status, exchange.operation
        )
    return road.scene
