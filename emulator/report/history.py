"""The journal, read for the report: the life of each task as its client met it.

Whatever a journal can hold is taken: tasks that nobody knows, refusals, batches with repeats, bodies that are
cut or broken.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import quote

import msgspec
import orjson

from emulator.core.call import Listing
from emulator.core.effects import is_of_wire
from emulator.core.task import Snapshot, Task, link_dies_at
from emulator.core.words import TERMINAL, OperationName, Profile, Status
from emulator.exchanges import Reply
from emulator.journal import Record
from emulator.providers.base import Inbound
from emulator.redaction import Redactor, presented

Identity = tuple[str, str, int, int]
"""Provider, id, creation and activation: an activation begins anew with the tasks that its scenario names."""

_LINK: Final = r"(?:/ns/[^/]+)?/media/([^/]+)/(.*?)/[0-9]+x[0-9]+-[0-9]+s(?:-[0-9]+b)?/"
_NAMED: Final = b"x-emulator-scenario"
_STATUS_MEMBERS: Final = frozenset({"status", "response"})
"""Where a printed task tells how it stands: documents/001 and 003, documents/000 and 002."""


class Life(msgspec.Struct):
    """One task as its client met it."""

    task: Task
    create: Record | None = None
    """The create that made it."""
    is_named: bool = False
    """Whether that create named its scenario itself, whose ``expect`` then doesn't apply."""
    polls: list[Record] = []
    """Every poll that named it, answered or not; a listing names nobody."""
    looks: list[tuple[Record, Snapshot]] = []
    """The answers that showed it, and what they showed."""
    fetches: list[Record] = []
    """Every request for its result, by its link or by the provider's content route."""

    @property
    def version(self) -> str | None:
        """The scenario that says what is expected; ``None``: the active one."""
        return None if self.is_named else self.task.plan.version


class History:
    """Some records, oldest first, and what follows from them."""

    def __init__(self, records: Sequence[Record], dropped: int = 0) -> None:
        self.records = records
        self.dropped = dropped
        """How many there were before them that nobody knows any more."""

    @cached_property
    def lives(self) -> dict[Identity, Life]:
        """The life of each task, in the order in which the tasks turned up."""
        lives: dict[Identity, Life] = {}
        for record in self.records:
            for task, snapshot in tasks_in(record.reply):
                life = lives.setdefault(identity(task), Life(task))
                _add(life, record, snapshot)
        return lives

    @cached_property
    def keys(self) -> frozenset[bytes]:
        """The API keys that clients sent."""
        return frozenset(key for record in self.records if (key := key_in(record)))

    @cached_property
    def redactor(self) -> Redactor:
        """What keeps from a report whatever was sent as a key."""
        fields = {field for record in self.records for field in record.headers.items()}
        secrets = {secret for field in fields for secret in presented(dict([field]))}
        for query in {record.query for record in self.records if record.query}:
            secrets.update(presented({}, query))
        return Redactor(secrets)

    @cached_property
    def orphans(self) -> dict[tuple[str, str], list[Record]]:
        """The downloads of tasks that had been given up by then, by provider and id: their links still work."""
        orphans: dict[tuple[str, str], list[Record]] = {}
        for record in self.records:
            if record.operation == OperationName.DOWNLOAD and record.reply.task is None:
                found = re.match(_LINK, record.path)
                if found is not None:
                    orphans.setdefault((found[1], found[2]), []).append(record)
        return orphans

    def is_whole(self, life: Life) -> bool:
        """Whether everything that happened to the task is known."""
        return self.dropped == 0 or life.create is not None


def _add(life: Life, record: Record, snapshot: Snapshot | None) -> None:
    match record.operation:
        case OperationName.CREATE:
            life.create, life.is_named = record, _names_scenario(record, life.task)
        case OperationName.REMIX if record.reply.task is not life.task:  # of the two, the new one
            life.create, life.is_named = record, _names_scenario(record, life.task)
        case OperationName.LIST if snapshot is not None and is_answered(record):
            life.looks.append((record, snapshot))
        case OperationName.POLL:
            if not is_listing(record):
                life.polls.append(record)
            if snapshot is not None and is_answered(record):
                life.looks.append((record, snapshot))
        case OperationName.CONTENT | OperationName.DOWNLOAD:
            life.fetches.append(record)


def identity(task: Task) -> Identity:
    """What tells a task from all others of the namespace."""
    return task.provider, task.id, task.created_at, task.plan.activated_at


def tasks_in(reply: Reply) -> Iterator[tuple[Task, Snapshot | None]]:
    """The tasks that had a say in a reply, each once."""
    if reply.task is None:
        return
    yield reply.task, reply.snapshot
    for task, snapshot in reply.others:
        if task.id != reply.task.id:
            yield task, snapshot


def is_answered(record: Record) -> bool:
    """Whether a poll's answer showed its tasks: neither refused nor answered by a rule, and with a body."""
    reply = record.reply
    return reply.stage == "timeline" and 200 <= reply.status_code < 300 and record.method != "HEAD"


def is_lost(record: Record) -> bool:
    """Whether a fault on the wire broke the answer: its client can't know what it would have said."""
    return is_of_wire(record.reply.verdict.fault)


def is_listing(record: Record) -> bool:
    """Whether a poll asked for whatever tasks there are: it shows them, and polls none."""
    rows = () if record.provider is None else record.provider.operations
    row = next((row for row in rows if row.name == record.operation and "{" not in row.path), None)
    if row is None:
        return False  # its path names the task
    # A body that was cut can't be read: it was a batch of many ids, for a listing is short.
    fields = _json(record.body)
    return isinstance(row.parse(Inbound(row.method, row.path, (), {}, {}, Profile.CURRENT, fields)), Listing)


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _names_scenario(create: Record, task: Task) -> bool:
    """Whether a create names the scenario of its task itself, by a header or in its prompt."""
    fields = _json(task.request)
    prompt = fields.get("prompt") if isinstance(fields, dict) else None
    is_in_prompt = isinstance(prompt, str) and f"scenario:{task.plan.scenario}" in prompt
    return is_in_prompt or _NAMED in create.headers


# What an answer told the client


def shows_end(life: Life, record: Record, snapshot: Snapshot) -> bool:
    """Whether the answer told that the task has ended, in words that a client can know."""
    if snapshot.status not in TERMINAL or snapshot.entry.word is not None:
        return False
    patches = (life.task.plan.patch, snapshot.entry.patch, *record.reply.verdict.patches)
    return not any(isinstance(patch, dict) and _STATUS_MEMBERS & patch.keys() for patch in patches)


def shows_live_link(life: Life, record: Record, snapshot: Snapshot) -> bool:
    """Whether the answer gave a link of ours to the result that still lived."""
    return (
        has_link(life, record, snapshot)
        and link_dies_at(life.task, snapshot, record.reply.now) > record.reply.now
    )


def has_link(life: Life, record: Record, snapshot: Snapshot) -> bool:
    """Whether the answer gave a link of ours to the task's result."""
    if snapshot.status is not Status.COMPLETED:
        return False
    reply, task = record.reply, life.task
    if record.answer_size > len(reply.body):
        # A long batch, which the journal cuts: the entry has to do.
        video = snapshot.entry.video
        return video is None or (video.has_link and video.url is None)
    return f"/media/{task.provider}/{quote(task.id, safe='')}/".encode() in reply.body


# Who asked


def key_in(record: Record) -> bytes:
    """The API key that a request was sent with; empty: none."""
    return record.headers.get(b"authorization", b"").strip().rpartition(b" ")[2]


def caller(record: Record) -> bytes:
    """What tells the API key of a request from others, and isn't the key."""
    return blake2b(key_in(record), digest_size=16).digest()
