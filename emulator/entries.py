"""Entries: the journal's records as text, for whoever reads it. Keys are redacted, and nothing here is ever hurried.

The canonical form of an entry has only what follows from the seed and from the calls: no wall time, no address, no
header. Two processes with the same seed that are driven by the same calls give the same bytes.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec
import orjson

from emulator.core.call import Variant
from emulator.core.units import Instant, format_duration, format_instant
from emulator.core.words import OperationName
from emulator.engine import Namespace
from emulator.excerpts import KEPT_BODY
from emulator.exchanges import Reply
from emulator.journal import Journal, Record
from emulator.messages.requests import AnswerSent, Entry, Media, RequestSeen, TaskShown, Why
from emulator.phrases import fault_words
from emulator.providers.base import Clip
from emulator.redaction import Redactor, presented
from emulator.why import Seen, decided_by, entry_shown, explained

_MOST_KEYS: Final = 200
"""Keys of other requests that an entry is searched for: one client may print what another one sent."""
_WHERE_KEYS_STAND: Final = (b"authorization", b"proxy-authorization", b"x-api-key")
_CANONICAL_TEXT: Final = 4096
"""Characters of an answer that was cut: where exactly it was cut depends on how long its addresses are."""
_CUT_SHORT: Final = re.compile(
    rb'\.\.\. \(?[0-9]+ more|"\.\.\."|"[0-9]+ more"|^\{"cut":"[0-9]+ bytes of JSON"\}$'
)
"""What `emulator.excerpts` leaves where it cuts."""


# Which of them


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which records are asked for. ``None``: not asked."""

    operation: str | None = None
    provider: str | None = None
    task: str | None = None
    """The id of a task that had a say, or that was asked for and isn't there."""
    status_code: str | None = None
    """``404``, or a class such as ``4xx``."""
    since: Instant | None = None
    """By the namespace's clock, this instant among them."""
    matched: bool | None = None
    """Whether an operation was found for it."""
    after: int | None = None
    """Only higher numbers."""
    before: int | None = None
    """Only lower numbers."""

    def fits(self, record: Record) -> bool:
        """Whether the record is one of them. Never raises."""
        reply = record.reply
        return (
            (self.after is None or record.number > self.after)
            and (self.before is None or record.number < self.before)
            and (self.operation is None or record.operation == self.operation)
            and (
                self.provider is None
                or (record.provider is not None and record.provider.name == self.provider)
            )
            and (self.matched is None or self.matched is (record.operation is not None))
            and (self.since is None or reply.now >= self.since)
            and (self.status_code is None or _is_of(reply.status_code, self.status_code))
            and (self.task is None or self.task in _named(reply))
        )

    def among(self, journal: Journal) -> Iterator[Record]:
        """Those of a journal, oldest first."""
        return filter(self.fits, journal.later_than(self.after or 0))


def _is_of(code: int, asked: str) -> bool:
    return str(code) == asked or f"{code // 100}xx" == asked.lower()


def _named(reply: Reply) -> Iterator[str]:
    if reply.task is not None:
        yield reply.task.id
    yield from (task.id for task, _ in reply.others)
    yield from reply.strangers


# What they say


class Reader:
    """Makes entries of the records of one namespace's journal."""

    def __init__(self, namespace: Namespace, public_url: str | None = None) -> None:
        """Read the journal as it is now; ``public_url`` is an address that links may have."""
        self._scenarios = namespace.ledger.scenarios
        self._profile = namespace.settings.profile
        self._public_url = public_url
        self._known = _known_keys(namespace.journal)

    def entry(self, record: Record) -> Entry:
        """The record with all that decided it."""
        reply, redactor = record.reply, self._redactor(record)
        decided = decided_by(reply)
        return Entry(
            number=record.number,
            wall_at=format_instant(record.wall),
            at=format_instant(reply.now),
            clock=record.mode,  # type: ignore[arg-type] # it is one of the clock's modes
            provider=None if record.provider is None else record.provider.name,
            operation=record.operation,  # type: ignore[arg-type] # it is one of the operations' names
            request=_request(record, redactor),
            answer=_answer(record, redactor),
            delay=format_duration(reply.delay),
            tasks=list(self._tasks(reply, redactor)),
            unknown=[redactor.text(name) for name in reply.strangers],
            scenario=None if decided is None else decided.rpartition("@")[0],
            why=self._why(record, redactor),
        )

    def canonical(self, record: Record) -> bytes:
        """The record as one line of JSON, with only what follows from the seed and the calls."""
        redactor = self._redactor(record)
        bare = _without_addresses(_addresses(record, self._public_url))
        request, answer = _request(record, redactor), _answer(record, redactor)
        told = {
            "number": record.number,
            "at": format_instant(record.reply.now),
            "provider": None if record.provider is None else record.provider.name,
            "operation": record.operation,
            "method": request.method,
            "path": request.path,
            "query": request.query,
            "body": _mapped(request.body, bare),
            "tasks": [redactor.text(name) for name in _named(record.reply)],
            "status_code": answer.status_code,
            "answer": _sent(answer, bare),
            "why": msgspec.to_builtins(self._why(record, redactor)),
        }
        return orjson.dumps(told, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)

    def _redactor(self, record: Record) -> Redactor:
        fields, is_json = _json_in(record.body)
        text = "" if is_json else record.body.decode("utf-8", "replace")
        own = presented(record.headers, record.query, fields, text)
        if not self._known:
            return Redactor(own)
        texts = (record.path, record.query, record.body, record.reply.body)
        said = "\n".join(text if isinstance(text, str) else text.decode("latin-1") for text in texts)
        return Redactor([*own, *(key for key in self._known if key in said)])

    def _tasks(self, reply: Reply, redactor: Redactor) -> Iterator[TaskShown]:
        for task, snapshot in ((reply.task, reply.snapshot), *reply.others):
            if task is None:
                continue
            yield TaskShown(
                id=redactor.text(task.id),
                status=None if snapshot is None else snapshot.status.value,
                progress=None if snapshot is None else snapshot.progress,
                entry=None if snapshot is None else entry_shown(task, snapshot, self._scenarios, redactor),
            )

    def _why(self, record: Record, redactor: Redactor) -> Why:
        operation = None if record.operation is None else OperationName(record.operation)
        is_whole = operation is OperationName.CREATE and not _is_cut(record)
        fields = _json_in(record.body)[0] if is_whole else None
        seen = Seen(record.provider, operation, record.mode, record.headers, self._profile, fields)
        return explained(record.reply, self._scenarios, seen, redactor)


def _known_keys(journal: Journal) -> tuple[str, ...]:
    """The keys that requests presented lately."""
    values: dict[tuple[bytes, bytes], None] = {}
    for record in journal.newest_first():
        for name in _WHERE_KEYS_STAND:
            value = record.headers.get(name)
            if value is not None:
                values[name, value] = None
        if len(values) >= _MOST_KEYS:
            break
    return tuple({key: None for field in values for key in presented(dict([field])) if len(key) >= 4})


def _json_in(data: bytes) -> tuple[Any, bool]:
    """The JSON value that the bytes hold, and whether they hold one."""
    try:
        return orjson.loads(data), True
    except orjson.JSONDecodeError:
        return None, False


def _is_cut(record: Record) -> bool:
    """Whether not all of the request's body was kept. Of forms no size is known."""
    return record.body_size > KEPT_BODY or (
        record.body_size == 0 and _CUT_SHORT.search(record.body) is not None
    )


def _request(record: Record, redactor: Redactor) -> RequestSeen:
    is_cut = _is_cut(record)
    return RequestSeen(
        method=redactor.text(record.method),
        path=redactor.text(record.path),
        query=redactor.query(record.query),
        headers=redactor.headers(record.headers.items()),
        body=_body(record.body, redactor, is_cut=is_cut),
        size=record.body_size,
        cut=is_cut,
    )


def _answer(record: Record, redactor: Redactor) -> AnswerSent:
    reply, clip = record.reply, record.reply.clip
    is_cut = clip is None and record.answer_size > len(reply.body)
    is_json = any(name == b"content-type" and b"json" in value for name, value in reply.headers)
    return AnswerSent(
        status_code=reply.status_code,
        headers=redactor.headers(reply.headers),
        body=_body(reply.body, redactor, is_cut=is_cut, is_json=is_json),
        size=record.answer_size,
        cut=is_cut,
        media=None if clip is None else _media(clip, reply.variant),
        fault=None if reply.verdict.fault is None else fault_words(reply.verdict.fault),
    )


def _media(clip: Clip, variant: Variant) -> Media:
    return Media(width=clip.width, height=clip.height, seconds=clip.seconds, variant=variant)


def _body(data: bytes, redactor: Redactor, *, is_cut: bool, is_json: bool = True) -> Any:
    """A body without keys: its JSON value, else its text."""
    if not data:
        return None
    value, holds_value = _json_in(data) if is_json else (None, False)
    if holds_value:
        try:
            return redactor.value(value)
        except RecursionError:
            pass  # deeper than anybody reads: as text
    return redactor.document(data.decode("utf-8", "replace"), is_cut=is_cut)


# The canonical form


def _sent(answer: AnswerSent, bare: Callable[[str], str]) -> Any:
    if answer.media is not None:
        return {"media": msgspec.to_builtins(answer.media), "size": answer.size}
    if answer.cut and isinstance(answer.body, str):
        return {"cut": bare(answer.body)[:_CANONICAL_TEXT]}
    return _mapped(answer.body, bare)


def _addresses(record: Record, public_url: str | None) -> tuple[str, ...]:
    """The schemes and hosts under which the emulator may have linked to itself."""
    tasks = (record.reply.task, *(task for task, _ in record.reply.others))
    found = {task.origin for task in tasks if task is not None}
    host = record.headers.get(b"host", b"").decode("latin-1")
    found |= {f"http://{host}", f"https://{host}"} if host else set()
    found |= {public_url} if public_url else set()
    return tuple(sorted(found - {""}, key=lambda address: (-len(address), address)))


@lru_cache(maxsize=64)
def _without_addresses(addresses: tuple[str, ...]) -> Callable[[str], str]:
    """A function that leaves these schemes and hosts out of a text: what follows them stays."""
    if not addresses:
        return str
    pattern = re.compile(f"(?:{'|'.join(map(re.escape, addresses))})(?![\\w.:-])")
    return lambda text: pattern.sub("", text)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): _mapped(item, change) for name, item in value.items()}
    if isinstance(value, list):
        return [_mapped(item, change) for item in value]
    return value
