"""The journal: what came in and what went out, in order, bounded by count and by bytes.

A record refers to values that exist anyway; it becomes text when somebody reads it. So that nearly all
records, which nobody ever reads, cost little more than a place in a queue. What is large is cut before it is kept,
and a video's bytes never are.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import httptools
import msgspec

from emulator.clock import wall_time
from emulator.core.task import Snapshot, Task, state_at
from emulator.core.units import Instant
from emulator.core.words import OperationName
from emulator.excerpts import KEPT_BODY
from emulator.exchanges import Reply
from emulator.providers.base import Provider

_RECORD: Final = 1650
"""About what a record takes besides bodies and header values, in bytes: measured, of an ordinary poll."""
_BRIEF: Final = 700
"""Likewise, what a poll takes besides its bytes on the wire."""
_TASK: Final = 400
"""Likewise, what each further task of a batch or a listing takes."""
_KEPT_VALUE: Final = 1024
_LARGEST_HEAD: Final = 16 * 1024
_LARGE: Final = KEPT_BODY
"""Below this size of everything together nothing needs to be cut."""
_MANY_FIELDS: Final = 64
_POLL: Final = OperationName.POLL


class Record(msgspec.Struct, frozen=True, gc=False):
    """One exchange with a provider or with the storage behind its links."""

    number: int
    """From 1, in the order of arrival in the namespace."""
    wall: Instant
    """The instant by the machine's clock."""
    mode: str
    """How the namespace's clock ran; its instant is the reply's."""
    provider: Provider | None
    """``None``: no provider has such a path."""
    operation: str | None
    """``None``: no operation has such a path or method."""
    method: str
    path: str
    """As it was asked for, with the namespace's prefix."""
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    """At most `KEPT_BODY` of it, or the JSON of a form's fields."""
    body_size: int
    reply: Reply
    answer_size: int
    size: int
    """About what the record takes, in bytes."""


class Brief(msgspec.Struct, frozen=True, gc=False):
    """A poll that came in one piece and was answered at once: its bytes on the wire, and what decided them.

    Of a `Record` of the same poll the memory would be in thirty pieces, which costs more than the answer.
    """

    number: int
    wall: Instant
    mode: str
    provider: Provider
    received: bytes
    """The request, and perhaps the beginning of the next."""
    sent: bytes
    """The answer, head and body."""
    now: Instant
    task: Task
    snapshot: Snapshot | None
    """``None``: time alone says what the task looked like, so it can be worked out again."""
    size: int


class Asked(msgspec.Struct, gc=False):
    """What a request said, as far as the journal keeps it."""

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    body_size: int = 0


Kind = tuple[str | None, str | None, int]
"""Provider, operation and status code of an exchange."""
_Codes = defaultdict[int, int]
_Operations = defaultdict[str | None, _Codes]


def _codes() -> _Codes:
    return defaultdict(int)


def _operations() -> _Operations:
    return defaultdict(_codes)


class Budget:
    """The bytes that all journals of a process may take together, and how much they have ever written down."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0
        self.polls: defaultdict[str, int] = defaultdict(int)
        """How many polls were answered by their timeline alone, by provider. No reset makes it fewer."""
        # In one another, because a tuple of three for a key would cost half as much again.
        self.others: defaultdict[str | None, _Operations] = defaultdict(_operations)
        """How many other exchanges there were, by provider, operation and status code. Likewise."""
        self._journals: dict[int, Journal] = {}

    def counts(self) -> dict[Kind, int]:
        """How many exchanges there were since the process began, whatever became of their records."""
        counts: dict[Kind, int] = {
            (provider, operation, code): count
            for provider, operations in self.others.items()
            for operation, codes in operations.items()
            for code, count in codes.items()
        }
        for provider, count in self.polls.items():
            kind = (provider, _POLL, 200)
            counts[kind] = counts.get(kind, 0) + count
        return counts

    def join(self, journal: "Journal") -> None:
        """Count this journal's records from now on."""
        self._journals[id(journal)] = journal

    def leave(self, journal: "Journal") -> None:
        """Count this journal no more; it is empty."""
        self._journals.pop(id(journal), None)

    def relieve(self) -> None:
        """Make room: the largest journals lose their older halves."""
        goal = self.most - self.most // 16
        while self.used > goal:
            largest = max(self._journals.values(), key=lambda journal: journal.bytes)
            largest.drop_oldest(max(1, len(largest) // 2))


class Journal:
    """The records of one namespace."""

    def __init__(self, most: int, budget: Budget) -> None:
        self.most = most
        self.total = 0
        """How many exchanges there were, kept or not."""
        self.bytes = 0
        """About what the records take."""
        self.watchers: list[Callable[[Record], None]] = []
        """Called with each new record. They must neither raise nor wait."""
        self._budget = budget
        # Made with the first record: most of ten thousand namespaces are looked at by one test, or by none.
        self._records: deque[Record | Brief] | None = None

    def add(
        self,
        mode: str,
        provider: Provider | None,
        operation: str | None,
        asked: Asked,
        reply: Reply,
        answer_size: int | None = None,
    ) -> None:
        """Keep one exchange; the oldest make room for it. ``answer_size``: of a body that isn't the reply's."""
        # orjson leaves its answer in a buffer of some kilobytes; a copy has its own length.
        reply.body = b"%b" % reply.body
        headers, body, answered = asked.headers, asked.body, len(reply.body)
        size = _RECORD + sum(map(len, headers.values())) + len(asked.path) + len(asked.query)
        size += len(body) + answered + sum(map(len, headers)) + sum(len(value) for _, value in reply.headers)
        if size > _LARGE or len(headers) > _MANY_FIELDS:
            asked, reply, size = _cut(asked, reply)
            headers, body = asked.headers, asked.body
        size += _TASK * len(reply.others)
        self.total = number = self.total + 1
        record = Record(
            number,
            wall_time(),
            mode,
            provider,
            operation,
            asked.method,
            asked.path,
            asked.query,
            headers,
            body,
            asked.body_size,
            reply,
            answered if answer_size is None else answer_size,
            size,
        )
        self._append(record)
        self._budget.others[None if provider is None else provider.name][operation][reply.status_code] += 1
        for watcher in self.watchers:
            watcher(record)

    def _append(self, record: Record) -> None:
        records = self._records
        if records is None:
            if not self.most:
                return  # closed
            records = self._records = deque()
            self._budget.join(self)
        records.append(record)
        size = record.size
        if len(records) > self.most:
            size -= records.popleft().size
        self.bytes += size
        budget = self._budget
        budget.used += size
        if budget.used > budget.most:
            budget.relieve()

    def add_brief(self, mode: str, provider: Provider, received: bytes, sent: bytes, reply: Reply) -> bool:
        """Keep a poll that its timeline answered by its bytes on the wire; ``False``: use `add`."""
        # Written for speed: nearly every exchange there is passes here.
        records, budget, task = self._records, self._budget, reply.task
        size = _BRIEF + len(received) + len(sent)
        if records is None or task is None or size > _LARGE or self.watchers:
            return False
        snapshot = reply.snapshot if task.plan.ends is None else None
        budget.polls[provider.name] += 1
        self.total = number = self.total + 1
        records.append(
            Brief(
                number,
                wall_time(),
                mode,
                provider,
                received,
                sent,
                reply.now,
                task,
                snapshot,
                size,
            )
        )
        if len(records) > self.most:
            size -= records.popleft().size
        if size:  # polls are much alike: one that comes takes as much as one that goes
            self.bytes += size
            budget.used += size
            if budget.used > budget.most:
                budget.relieve()
        return True

    def drop_oldest(self, count: int) -> None:
        """Forget this many records; they count as dropped."""
        records = self._records
        assert records is not None
        freed = 0
        for _ in range(count):
            freed += records.popleft().size
        self.bytes -= freed
        self._budget.used -= freed

    @property
    def dropped(self) -> int:
        """How many exchanges were forgotten to make room."""
        return self.total - len(self)

    def close(self) -> None:
        """Clear it for good: whoever is still being answered leaves no record behind."""
        self.clear()
        self.most = 0

    def clear(self) -> None:
        """Begin anew: records, numbers and counts. Watchers stay."""
        if self._records is not None:
            self._budget.used -= self.bytes
            self._budget.leave(self)
        self._records = None
        self.total = self.bytes = 0

    def __len__(self) -> int:
        return 0 if self._records is None else len(self._records)

    def __iter__(self) -> Iterator[Record]:
        """The records, oldest first."""
        return self._unfolded(self._records or ())

    def later_than(self, number: int) -> Iterator[Record]:
        """The records after the one of this number, oldest first."""
        passed = max(0, number - self.dropped)
        return self._unfolded(islice(self._records or (), passed, None))

    def find(self, number: int) -> Record | None:
        """The record of this number, if it is kept."""
        place = number - self.dropped - 1
        if self._records is None or not 0 <= place < len(self._records):
            return None
        return unfolded(self._records[place])

    def newest_first(self) -> Iterator[Record]:
        """The records, newest first."""
        return self._unfolded(reversed(self._records or ()))

    @staticmethod
    def _unfolded(kept: Iterable[Record | Brief]) -> Iterator[Record]:
        # A list of its own: others add records while somebody reads.
        return map(unfolded, list(kept))


def unfolded(kept: Record | Brief) -> Record:
    """What a journal kept, as a record."""
    if isinstance(kept, Record):
        return kept
    first = _First()
    parser = first.parser = httptools.HttpRequestParser(first)
    with suppress(httptools.HttpParserError):  # of the next request there is only a beginning
        parser.feed_data(kept.received)
    head, _, body = kept.sent.partition(b"\r\n\r\n")
    fields = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    snapshot = kept.snapshot or state_at(kept.task, kept.now)
    reply = Reply(200, [(name, value) for name, _, value in fields], body, 0, kept.now, kept.task, snapshot)
    return Record(
        kept.number,
        kept.wall,
        kept.mode,
        kept.provider,
        _POLL,
        first.method,
        first.url.decode("ascii"),
        b"",
        first.headers,
        first.body,
        len(first.body),
        reply,
        len(body),
        kept.size,
    )


class _First:
    """The first of the requests in some bytes, as the server's parser finds it."""

    parser: Any = None

    def __init__(self) -> None:
        self.method = ""
        self.url = self.body = b""
        self.headers: dict[bytes, bytes] = {}
        self._is_whole = False

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        if not self._is_whole:
            self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field."""
        if not self._is_whole:
            self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Take the method."""
        if not self._is_whole:
            self.method = self.parser.get_method().decode("ascii")

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if not self._is_whole:
            self.body += body

    def on_message_complete(self) -> None:
        """Take no more."""
        self._is_whole = True


def _cut(asked: Asked, reply: Reply) -> tuple[Asked, Reply, int]:
    """What is kept of an exchange that is large somewhere, and about what that takes."""
    kept = Asked(
        asked.method[:_KEPT_VALUE],
        asked.path[:KEPT_BODY],
        asked.query[:KEPT_BODY],
        _cut_head(asked.headers),
        asked.body[:KEPT_BODY],
        asked.body_size,
    )
    headers = _cut_fields(reply.headers)
    reply = msgspec.structs.replace(reply, body=reply.body[:KEPT_BODY], headers=headers)
    head = sum(len(name) + len(value) for name, value in (*kept.headers.items(), *headers))
    size = _RECORD + head + len(kept.path) + len(kept.query) + len(kept.body) + len(reply.body)
    return kept, reply, size


def _cut_head(headers: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """As many header fields as fit, each cut."""
    from emulator.redaction import is_secret  # noqa: PLC0415 - hardly any head is so large

    # Keys come first: what isn't kept of them couldn't be taken out of the rest.
    fields = sorted(headers.items(), key=lambda field: not is_secret(field[0].decode("latin-1")))
    return dict(_cut_fields(fields))


def _cut_fields(fields: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept: list[tuple[bytes, bytes]] = []
    room = _LARGEST_HEAD
    for name, value in fields:
        room -= min(len(name), _KEPT_VALUE) + min(len(value), _KEPT_VALUE)
        if room < 0:
            break
        kept.append((name[:_KEPT_VALUE], value[:_KEPT_VALUE]))
    return kept
