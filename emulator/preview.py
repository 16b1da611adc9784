"""A scenario on paper: the conversation that a polling client would have, without a server and without waiting.

It takes the road that the server takes, `endpoint.respond`, on a manual clock that begins at the same
instant every time; so the same file gives the same conversation.
"""

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal

import msgspec
import orjson

from emulator import endpoint, media, results, sample
from emulator.clock import ClockRefused
from emulator.core.holding import held
from emulator.core.scenario import ClockSettings, Item, Scenario, takes
from emulator.core.sizes import format_size
from emulator.core.task import Task, end_of, next_change, state_at
from emulator.core.units import SECOND, Duration, Instant, as_datetime, format_duration, parse_instant
from emulator.core.words import TERMINAL, OperationName, Profile, Status
from emulator.engine import Library, Namespace, Settings
from emulator.exchanges import Reply, Request
from emulator.faults import altered
from emulator.payload import Payload
from emulator.phrases import fault_words, slow_words
from emulator.providers import PROVIDERS, by_name
from emulator.providers.base import Provider, Scene
from emulator.sample import Sample

BEGINNING: Final[Instant] = parse_instant("2025-01-01T00:00:00Z")
"""When a preview begins, unless the scenario says otherwise."""
MAX_POLLS: Final = 1000
"""After so many polls a preview stops, unless it was told how long to go on."""
MAX_POLLS_TOLD: Final = 10_000
"""After so many it stops in any case."""
_DOWNLOADS: Final = 3
"""How often a download is tried again that a fault broke."""
_CREATES: Final = 10
"""How often a create is tried again that was refused for the moment."""
_REFUSALS: Final = 20
"""After so many polls in a row that weren't answered from the task, a client gives up."""
_POLLS_WHEN_STUCK: Final = 5
_RETRIED: Final = frozenset({408, 409, 425, 429})
"""Status codes below 500 after which clients try again."""
_ORIGIN: Final = "http://127.0.0.1:8080"

Reason = Literal["terminal", "duration", "stuck", "limit", "refused"]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversation to show."""

    provider: Provider
    every: Duration = 2 * SECOND
    lasting: Duration | None = None
    """How long to go on polling, whatever the polls show; ``None``: up to one poll past the terminal status."""
    seed: int | str = 0
    profile: Profile = Profile.DOCUMENTED
    request: Mapping[str, Any] | None = None
    """The create request; ``None``: that of the provider's document."""
    task_id: str | None = None
    """The task to poll in place of a new one."""
    key: str | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange."""

    t: Duration
    """How long after the beginning."""
    operation: OperationName
    method: str
    path: str
    status_code: int
    status: Status | None = None
    """The neutral status that the answer showed; ``None``: it wasn't answered from the task."""
    word: str | None = None
    """The status as the provider printed it, where it printed one."""
    progress: int | None = None
    delay: Duration = 0
    """How long the answer would have taken."""
    headers: Mapping[str, str] = {}
    """Those that not every answer of the provider has."""
    body: Any = None
    video: str | None = None
    """What stands in place of a body where a video is sent."""
    fault: str | None = None
    """What would be wrong with the answer on the wire; the rest is what it would have been."""
    slow_body: str | None = None
    """How slowly the body would come."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A whole preview."""

    scenario: Scenario
    wish: Wish
    start: Instant
    task_id: str | None
    steps: tuple[Step, ...]
    callbacks: tuple[Duration, ...] | None = None
    """When the task's end would be told to the ``callback_url`` of its create; ``None``: it has none, or no end."""
    reason: Reason
    end: str
    """Why it ends here, in a sentence."""


def conversation(library: Library, name: str, wish: Wish) -> Conversation:
    """The conversation that a client has with the provider under a scenario of the library."""
    scenario = library.get(name)
    assert scenario is not None
    task_id = wish.task_id if wish.task_id is not None else _task_to_poll(scenario, wish)
    start = _start(scenario, task_id)
    clock = ClockSettings(mode="manual", start=start)
    settings = Settings(seed=wish.seed, clock=clock, profile=wish.profile, scenario=name)
    namespace = Namespace("default", settings, library)
    namespace.start(PROVIDERS)
    client = _Client(namespace, wish, start)
    reason, end = client.talk(task_id)
    return Conversation(
        scenario=scenario,
        wish=wish,
        start=start,
        task_id=client.task_id,
        steps=tuple(client.steps),
        callbacks=client.callbacks(),
        reason=reason,
        end=end,
    )


def existing(scenario: Scenario, provider: Provider) -> tuple[str, ...]:
    """The ids of the tasks that the scenario brings with it for the provider."""
    if not scenario.speaks_of(provider.name):
        return ()
    return tuple(i.id for i in scenario.items if i.id is not None and takes(i, provider.name))


def _task_to_poll(scenario: Scenario, wish: Wish) -> str | None:
    """The first existing task, where the scenario has nothing to say of new ones; ``None``: make a new one."""
    if wish.request is not None or not scenario.speaks_of(wish.provider.name):
        return None
    items = [item for item in scenario.items if takes(item, wish.provider.name)]
    return items[0].id if items and all(item.id is not None for item in items) else None


def _start(scenario: Scenario, task_id: str | None) -> Instant:
    """As the file's clock says, else when the task to poll was created, else `BEGINNING`."""
    if scenario.clock is not None and scenario.clock.start is not None:
        return scenario.clock.start
    item: Item | None = next((i for i in scenario.items if i.id is not None and i.id == task_id), None)
    return item.created if item is not None and item.created_is_instant else BEGINNING


class _Client:
    """Creates, polls and downloads, and writes down what it gets."""

    def __init__(self, namespace: Namespace, wish: Wish, start: Instant) -> None:
        self.steps: list[Step] = []
        self.task_id: str | None = None
        self._namespace = namespace
        self._provider = wish.provider
        self._wish = wish
        self._start = start
        key = wish.key or sample.key_for(namespace.active.scenario.auth)
        self._headers = {b"authorization": f"Bearer {key}".encode()}
        self._link: str | None = None
        self._has_fetched = False

    def talk(self, task_id: str | None) -> tuple[Reason, str]:
        """Have the conversation; why it ended."""
        try:
            return self._talk(task_id)
        except ClockRefused as refusal:
            return "limit", f"stopped after {format_duration(self._t)}: {refusal}"

    def _talk(self, task_id: str | None) -> tuple[Reason, str]:
        self.task_id = task_id
        if task_id is None:
            refusal = self._create()
            if refusal is not None:
                return "refused", refusal
            self._wait(None)
        return self._poll_to_the_end()

    @property
    def _t(self) -> Duration:
        return self._namespace.clock.now() - self._start

    def _create(self) -> str | None:
        """Create the task; why there is none."""
        asked = sample.create(self._provider, self._wish.request)
        was_lost = False
        for _ in range(_CREATES):
            reply = self._held(self._respond(asked))
            was_lost = reply.verdict.fault is not None
            # An answer that is lost tells no id, though the task is there.
            self.task_id = None if reply.task is None or was_lost else reply.task.id
            status = None if self.task_id is None else self._state(self._task()).status
            self._write(asked.operation.name, asked.path, reply, status)
            if self.task_id is not None:
                return None
            is_refused = reply.status_code < 500 and reply.status_code not in _RETRIED
            if is_refused and not was_lost:
                return f"the create got {reply.status_code} and made no task: there is nothing to poll"
            self._wait(reply)
        return f"gave up after {_CREATES} creates that were {'lost' if was_lost else 'refused'}"

    def _held(self, reply: Reply) -> Reply:
        """What a create that is held answers, at its task's end, where time alone brings it."""
        hold = reply.hold
        waiting = None if hold is None else held(hold.task)
        ended_at = None if waiting is None else end_of(waiting)
        if hold is None or waiting is None or ended_at is None:
            return reply
        self._namespace.store.renew(waiting)
        self._namespace.clock.move_to(ended_at)
        return hold.ended(waiting, ended_at)

    def callbacks(self) -> tuple[Duration, ...] | None:
        """How long after the beginning the task's end is told; ``None``: nobody asked for that, or no end is known."""
        provider = self._wish.provider.name
        task = None if self.task_id is None else self._namespace.store.get(provider, self.task_id)
        ended_at = None if task is None or task.callback_url is None else end_of(task)
        if task is None or ended_at is None:
            return None
        waits = (wait for wait in task.plan.callback.after if isinstance(wait, int))
        return tuple(sorted(ended_at + wait - self._start for wait in waits))

    def _poll_to_the_end(self) -> tuple[Reason, str]:
        most = MAX_POLLS if self._wish.lasting is None else MAX_POLLS_TOLD
        refused = stuck = ended = 0
        for _ in range(most):
            task, reply, status = self._poll()
            refused = 0 if status is not None else refused + 1
            if status is Status.COMPLETED and not self._has_fetched:
                self._fetch()
            if self._wish.lasting is not None:
                if self._t + self._pause(reply) > self._wish.lasting:
                    return self._finish(self._wish.lasting, status)
                self._wait(reply)
                continue
            ended += status in TERMINAL
            stuck += task is not None and status is not None and self._is_stuck(task)
            if ended == 2:
                return "terminal", f"ends with {status}"
            if stuck == _POLLS_WHEN_STUCK:
                return (
                    "stuck",
                    f"stuck: stopped after {format_duration(self._t)}; the task is {status} for good",
                )
            if refused == _REFUSALS:
                return "refused", f"gave up after {_REFUSALS} polls in a row that didn't show the task"
            self._wait(reply)
        return (
            "limit",
            f"stopped after {most} polls, at {format_duration(self.steps[-1].t)}; nothing had ended yet",
        )

    def _finish(self, lasting: Duration, status: Status | None) -> tuple[Reason, str]:
        if self._link is not None:
            self._namespace.clock.move_to(max(self._start + lasting, self._namespace.clock.now()))
            self._download(self._link)
        shown = "the task isn't shown" if status is None else f"the task is {status}"
        return "duration", f"stopped after {format_duration(lasting)}; {shown}"

    def _poll(self) -> tuple[Task | None, Reply, Status | None]:
        assert self.task_id is not None
        asked = sample.poll(self._provider, self.task_id)
        before = self._task()
        reply = self._respond(asked)
        after = self._task()
        counted = after is not None and after.polls > (0 if before is None else before.polls)
        status = self._state(before or _unpolled(after)).status if counted else None
        self._write(asked.operation.name, asked.path, reply, status)
        if reply.verdict.fault is None:
            self._link = next(_links(_json(reply)), self._link)
        return after, reply, status

    def _is_stuck(self, task: Task) -> bool:
        """Whether neither time nor polls change the task any more, though it hasn't ended."""
        snapshot = self._state(task)
        if snapshot.status in TERMINAL or next_change(task, self._namespace.clock.now()) is not None:
            return False
        return snapshot.entry.polls is None or task.plan.manual

    def _fetch(self) -> None:
        """Get the result as a client does, by the provider's content route and by the link."""
        assert self.task_id is not None
        self._has_fetched = True
        asked = sample.content(self._provider, self.task_id)
        for _ in range(_DOWNLOADS if asked is not None else 0):
            assert asked is not None
            reply = self._respond(asked)
            self._write(asked.operation.name, asked.path, reply, None)
            if reply.verdict.fault is None:
                break
        if self._link is not None:
            self._download(self._link)

    def _download(self, link: str) -> None:
        path, _, query = link.removeprefix(_ORIGIN).partition("?")
        claim = media.claim(by_name.get, path, query)
        assert claim is not None
        request = Request(method="GET", path=path, headers={}, origin=_ORIGIN)
        for _ in range(_DOWNLOADS):
            reply = results.download(self._namespace, request, claim)
            self._write(OperationName.DOWNLOAD, path, reply, None)
            if reply.verdict.fault is None:
                return

    def _respond(self, asked: Sample) -> Reply:
        operation = asked.operation
        request = Request(
            method=operation.method,
            path=asked.path,
            params=asked.params,
            headers=self._headers,
            fields=asked.fields,
            origin=_ORIGIN,
        )
        return endpoint.respond(self._namespace, self._provider, operation, request)

    def _task(self) -> Task | None:
        assert self.task_id is not None
        return self._namespace.find(self._provider, self.task_id, self._namespace.clock.now())

    def _state(self, task: Task | None) -> Any:
        assert task is not None
        return state_at(task, self._namespace.clock.now())

    def _write(self, operation: OperationName, path: str, reply: Reply, status: Status | None) -> None:
        verdict = reply.verdict
        altered(reply, Payload(reply.body))
        body = _json(reply)
        is_read = reply.status_code < 400 and verdict.fault is None
        word, progress = _printed(body) if is_read else (None, None)
        self.steps.append(
            Step(
                t=self._t,
                operation=operation,
                method="POST" if operation is OperationName.CREATE else self._method(operation),
                path=path,
                status_code=reply.status_code,
                status=status,
                word=word,
                progress=progress,
                delay=reply.delay,
                headers=self._of_note(reply),
                body=body,
                video=_video(reply),
                fault=None if verdict.fault is None else fault_words(verdict.fault),
                slow_body=None if verdict.slow_body is None else slow_words(verdict.slow_body),
            )
        )

    def _method(self, operation: OperationName) -> str:
        rows = (row.method for row in self._provider.operations if row.name is operation)
        return next(rows, "GET")

    def _of_note(self, reply: Reply) -> dict[str, str]:
        scene = Scene(profile=self._wish.profile, method="", path="", now=0, entropy=bytes(48))
        carried = (*self._provider.headers(scene), *self._provider.content_headers)
        usual = {b"content-type", b"date", *(name for name, _ in carried)}
        return {n.decode("latin-1"): v.decode("latin-1") for n, v in reply.headers if n not in usual}

    def _pause(self, reply: Reply | None) -> Duration:
        """How long a good client waits after this answer: its own interval, or longer where it is asked to."""
        asked = dict(reply.headers).get(b"retry-after", b"").decode("latin-1") if reply else ""
        return max(self._wish.every, _wait_asked(asked, self._namespace.clock.now()))

    def _wait(self, reply: Reply | None) -> None:
        self._namespace.clock.advance(self._pause(reply))


def _unpolled(task: Task | None) -> Task | None:
    """The task as it was before its first poll, which made it."""
    if task is None:
        return None
    return msgspec.structs.replace(task, polls=0, polls_in_entry=0, ended=())


def _wait_asked(retry_after: str, now: Instant) -> Duration:
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        return int(retry_after) * SECOND
    try:
        wait = parsedate_to_datetime(retry_after) - as_datetime(now)
    except (ValueError, TypeError):
        return 0
    return max(0, int(wait.total_seconds() * SECOND))


def _video(reply: Reply) -> str | None:
    """What is sent of a video, in words: ``1280x720, 8s, 200MB``."""
    if reply.clip is None:
        return None
    words = [f"{reply.clip.width}x{reply.clip.height}", f"{reply.clip.seconds}s"]
    if reply.clip_size is not None:
        words.append(format_size(reply.clip_size))
    return ", ".join(words)


def _json(reply: Reply) -> Any:
    if reply.clip is not None or not reply.body:
        return None
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return reply.body.decode("utf-8", "replace")


def _printed(body: Any) -> tuple[str | None, int | None]:
    """Status word and progress as they stand in an answer: at its top, or where AceData has them."""
    if not isinstance(body, Mapping):
        return None, None
    word, progress = body.get("status"), body.get("progress")
    if word is None and isinstance(body.get("response"), Mapping):
        items = body["response"].get("data")
        word = items[0].get("state") if isinstance(items, list) and items else None
    return word if isinstance(word, str) else None, progress if isinstance(progress, int) else None


def _links(value: Any) -> Iterator[str]:
    """The links of ours in an answer."""
    if isinstance(value, str) and value.startswith(f"{_ORIGIN}/media/"):
        yield value
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for child in children:
        yield from _links(child)


def error_in(body: Any) -> str | None:
    """Code and message of the error in an answer, in one line; ``None``: there is none."""
    if not isinstance(body, Mapping):
        return None
    inner = body.get("response")
    error = body.get("error") or (inner.get("error") if isinstance(inner, Mapping) else None)
    if error is None and "message" in body:
        error = body
    if isinstance(error, str):
        return error
    if not isinstance(error, Mapping):
        return None
    return ": ".join(str(error[name]) for name in ("code", "message") if error.get(name)) or None
