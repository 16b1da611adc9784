"""The journal: order, numbers, and bounds that hold whatever is written into it."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.task import state_at
from emulator.core.words import OperationName
from emulator.excerpts import KEPT_BODY
from emulator.exchanges import Reply
from emulator.journal import Asked, Budget, Journal, Record
from emulator.protocol import written
from emulator.providers import by_name
from tests.worlds import KEY, START, World

OCTOPUSX = by_name["octopusx"]
HEADERS = {b"host": b"127.0.0.1:8080", b"authorization": b"Bearer sk-test"}
PLENTY = 1 << 40


def add(journal: Journal, body: bytes = b"", answer: bytes = b"{}", **others: Any) -> None:
    """Write one exchange down."""
    headers: Mapping[bytes, bytes] = others.pop("headers", HEADERS)
    path, query, reply = others.pop("path", "/x"), others.pop("query", b""), Reply(200, [], answer, **others)
    journal.add("manual", OCTOPUSX, "create", Asked("POST", path, query, headers, body, len(body)), reply)


def add_poll(journal: Journal, answer: bytes = b"{}", headers: Mapping[bytes, bytes] = HEADERS) -> None:
    """Write one quick poll down."""
    asked = Asked("GET", "/v1/videos/x", b"", headers)
    journal.add("manual", OCTOPUSX, OperationName.POLL, asked, Reply(200, [], answer))


def numbers(records: Any) -> list[int]:
    """The numbers of records."""
    return [record.number for record in records]


# Order and numbers


def test_numbers_go_up_from_one_whatever_is_dropped() -> None:
    """Those that were dropped are counted."""
    journal = Journal(3, Budget(PLENTY))
    assert (len(journal), journal.dropped, numbers(journal)) == (0, 0, [])
    for _ in range(2):
        add(journal)
    for _ in range(3):
        add_poll(journal)
    assert numbers(journal) == [3, 4, 5]
    assert numbers(journal.newest_first()) == [5, 4, 3]
    assert (len(journal), journal.total, journal.dropped) == (3, 5, 2)


def test_a_cleared_journal_begins_anew() -> None:
    """Numbers and counts too; whoever watches goes on watching."""
    budget = Budget(PLENTY)
    journal = Journal(3, budget)
    seen: list[Record] = []
    journal.watchers.append(seen.append)
    for _ in range(5):
        add(journal)
    journal.clear()
    assert (len(journal), journal.total, journal.dropped, journal.bytes, budget.used) == (0, 0, 0, 0, 0)
    add(journal)
    assert numbers(journal) == [1]
    assert numbers(seen) == [1, 2, 3, 4, 5, 1]


@given(st.integers(0, 8), st.integers(0, 12), st.integers(0, 12))
def test_records_are_found_by_number(most: int, count: int, number: int) -> None:
    """As if every one of those that are kept were looked at."""
    journal = Journal(most, Budget(PLENTY))
    for _ in range(count):
        add(journal)
    kept = list(journal)
    assert numbers(journal.later_than(number)) == [n for n in numbers(kept) if n > number]
    found = journal.find(number)
    assert ([] if found is None else [found.number]) == [n for n in numbers(kept) if n == number]


def test_a_reader_is_not_disturbed_by_what_comes() -> None:
    """It goes through what there was when it began."""
    journal = Journal(10, Budget(PLENTY))
    for _ in range(3):
        add(journal)
    readers = [iter(journal), journal.newest_first(), journal.later_than(1)]
    first = [next(reader).number for reader in readers]
    for _ in range(20):
        add(journal)
    assert first == [1, 3, 2]
    assert [numbers(reader) for reader in readers] == [[2, 3], [2, 1], [3]]


def test_a_quick_poll_is_written_down_like_any_other() -> None:
    """Watchers are told of it too, though a journal without any takes a shorter way."""
    journals = [Journal(10, Budget(PLENTY)) for _ in range(3)]
    seen: list[Record] = []
    journals[1].watchers.append(seen.append)
    asked = Asked("GET", "/v1/videos/x", b"", HEADERS)
    for journal in journals[:2]:
        for _ in range(2):
            add_poll(journal)
    for _ in range(2):
        journals[2].add("manual", OCTOPUSX, OperationName.POLL, asked, Reply(200, [], b"{}"))
    told = [[_told(record) for record in journal] for journal in journals]
    assert told[0] == told[1] == told[2]
    assert numbers(seen) == [1, 2]


def _told(record: Record) -> tuple[Any, ...]:
    names = ("number", "mode", "provider", "operation", "method", "path", "query", "headers", "body")
    return (*(getattr(record, name) for name in names), record.reply.body, record.answer_size)


# Bounds


@given(st.integers(0, 20), st.lists(st.integers(0, 40_000), max_size=30))
def test_its_count_and_bytes_are_those_of_what_it_keeps(most: int, sizes: list[int]) -> None:
    """Never more than there may be."""
    budget = Budget(PLENTY)
    journal = Journal(most, budget)
    for size in sizes:
        add(journal, b"a" * size, b"b" * size)
    assert len(journal) == min(most, len(sizes))
    assert journal.bytes == budget.used == sum(record.size for record in journal)


@given(
    st.integers(0, 100_000),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20_000), st.booleans()), max_size=60),
)
def test_all_journals_together_keep_to_their_budget(most: int, acts: list[tuple[int, int, bool]]) -> None:
    """Whichever of them grows, and whatever is cleared in between."""
    budget = Budget(most)
    journals = [Journal(50, budget) for _ in range(4)]
    for which, size, is_clear in acts:
        if is_clear and size > 15_000:
            journals[which].clear()
        elif is_clear:
            add_poll(journals[which], b"a" * size)
        else:
            add(journals[which], b"a" * size)
        assert budget.used <= max(most, 0)
        assert budget.used == sum(journal.bytes for journal in journals)
    for journal in journals:
        assert journal.bytes == sum(record.size for record in journal)
        assert journal.total == journal.dropped + len(journal)


def test_the_largest_journal_makes_room() -> None:
    """A small one next to it loses nothing."""
    budget = Budget(200_000)
    large, small = Journal(10_000, budget), Journal(10_000, budget)
    for _ in range(3):
        add(small)
    for _ in range(1000):
        add(large)
    assert (len(small), small.dropped) == (3, 0)
    assert large.dropped > 0
    assert numbers(large)[-1] == 1000
    assert budget.used > 200_000 // 4  # it doesn't lose all of them


def test_a_huge_body_is_cut() -> None:
    """What was asked and what was answered; their sizes are known all the same."""
    journal = Journal(10, Budget(PLENTY))
    add(journal, b"a" * 1_000_000, b"b" * 2_000_000)
    (record,) = journal
    assert (len(record.body), record.body_size) == (KEPT_BODY, 1_000_000)
    assert (len(record.reply.body), record.answer_size) == (KEPT_BODY, 2_000_000)
    assert record.size < 3 * KEPT_BODY


def test_what_is_sent_is_never_cut() -> None:
    """The journal keeps a reply of its own then."""
    journal = Journal(10, Budget(PLENTY))
    reply = Reply(200, [(b"x-a", b"v" * 20_000)], b"b" * 100_000)
    journal.add("manual", OCTOPUSX, "create", Asked("POST", "/x", b"", HEADERS), reply)
    assert (len(reply.body), len(reply.headers[0][1])) == (100_000, 20_000)
    (record,) = journal
    assert len(record.reply.headers[0][1]) < 20_000


LARGE: list[dict[str, Any]] = [
    {"headers": {**HEADERS, b"x-large": b"v" * 1_000_000}},
    {"headers": {**HEADERS, b"x-large-" * 100_000: b"v"}},
    {"headers": {b"x-%d" % number: b"v" * 100 for number in range(10_000)}},
    {"headers": {b"x-%d" % number: b"" for number in range(10_000)}},
    {"headers": {b"x-%d-%s" % (number, b"n" * 1000): b"" for number in range(50)}},
    {"path": "/" + "p" * 1_000_000},
    {"query": b"q" * 1_000_000},
]


@pytest.mark.parametrize("large", LARGE, ids=["value", "name", "fields", "empty", "names", "path", "query"])
def test_a_huge_head_is_cut(large: dict[str, Any]) -> None:
    """Wherever it is huge."""
    journal = Journal(10, Budget(PLENTY))
    add(journal, **large)
    (record,) = journal
    kept = sum(len(name) + len(value) for name, value in record.headers.items())
    kept += len(record.path) + len(record.query)
    assert kept < 3 * KEPT_BODY
    assert kept < record.size < 4 * KEPT_BODY


def test_keys_are_kept_of_a_huge_head() -> None:
    """Without them they couldn't be taken out of the rest."""
    journal = Journal(10, Budget(PLENTY))
    many = {b"a-%d" % number: b"v" * 1000 for number in range(100)}
    add(journal, headers={**many, b"x-api-key": b"sk-a", b"authorization": b"Bearer sk-b"})
    (record,) = journal
    assert record.headers[b"x-api-key"] == b"sk-a"
    assert record.headers[b"authorization"] == b"Bearer sk-b"
    assert record.headers[b"a-0"] == many[b"a-0"]


def test_the_tasks_of_a_batch_count() -> None:
    """A thousand of them take more than a poll does."""
    world = World()
    journal = world.namespace.journal
    ids: Sequence[str] = [
        world.post("/acedata/sora/videos", {"prompt": f"a {n}", "async": True}).json()["task_id"]
        for n in range(200)
    ]
    world.post("/acedata/sora/tasks", {"action": "retrieve", "id": ids[0]})
    alone = list(journal)[-1].size
    world.post("/acedata/sora/tasks", {"action": "retrieve_batch", "ids": ids})
    assert list(journal)[-1].size > alone + 199 * 200


def test_a_video_is_never_kept() -> None:
    """Only what it was, and how long."""
    world = World("version: 1\ntasks: [{id: v, timeline: [{status: completed}]}]")
    video = world.get("/octopusx/v1/videos/v/content").body
    (record,) = world.namespace.journal
    assert record.reply.body == b""
    assert record.answer_size == len(video) > 1000
    assert record.size < 5000


def test_a_record_keeps_the_task_as_the_exchange_left_it() -> None:
    """What becomes of the task later is no part of it."""
    world = World("version: 1\ntasks: [{timeline: [{status: queued, polls: 1}, {status: completed}]}]")
    task_id = world.post("/octopusx/v1/videos", {"prompt": "a"}).json()["id"]
    for _ in range(3):
        world.get(f"/octopusx/v1/videos/{task_id}", headers=KEY)
    polled = list(world.namespace.journal)[1:]
    assert [record.reply.task.polls for record in polled if record.reply.task] == [1, 2, 3]
    shown = [record.reply.snapshot.status for record in polled if record.reply.snapshot]
    assert shown == ["queued", "completed", "completed"]
    last = polled[-1].reply.task
    assert last is not None
    assert state_at(last, START).status == "completed"


# What is kept as bytes


KEPT_AS_BYTES: Final = (
    ("GET", "/octopusx/v1/videos/octo", b""),
    ("GET", "/v1/videos/ez", b""),
    ("POST", "/acedata/sora/tasks", b'{"id": "sora", "action": "retrieve"}'),
)
STORY: Final = """
version: 1
tasks:
  - {id: octo, provider: octopusx}
  - {id: ez, provider: ezmodel, timeline: [{status: queued, polls: 1}, {status: completed}]}
  - {id: sora, provider: acedata-sora, timeline: [{status: failed}]}
"""


@pytest.mark.parametrize(("method", "path", "body"), KEPT_AS_BYTES)
@pytest.mark.parametrize("more", [b"", b"GET /v1/videos/ez HTT", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"])
def test_a_poll_kept_by_its_bytes_is_the_record_that_it_would_be(
    method: str, path: str, body: bytes, more: bytes
) -> None:
    """To every field but when it was and what it takes; whatever followed it on the wire."""
    fields = [
        (b"host", b"h:1"), (b"authorization", b"Bearer sk-test"), (b"x-twice", b"1"), (b"x-twice", b"2"),
        (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)),
    ]  # fmt: skip
    head = b"".join(b"%s: %s\r\n" % (name.title(), value) for name, value in fields)
    received = b"%s %s HTTP/1.1\r\n%s\r\n%s%s" % (method.encode(), path.encode(), head, body, more)
    kept = []
    for pieces in (None, received):
        world = World(STORY)
        world.get("/v1/videos/nobody")  # the first of a journal is kept whole
        wire = SimpleNamespace(scheme="http", received=pieces, written=written)
        assert world.app.sent_at_once(method, path, fields, body, wire) is not None
        (_, record) = world.namespace.journal
        assert world.namespace.journal.find(2) is not None
        whole = record.reply
        kept.append(
            (
                msgspec.structs.replace(record, wall=0, size=0, reply=Reply(200, [])),
                whole.status_code, whole.headers, whole.body, whole.now, whole.task, whole.snapshot, whole.others,
                whole.stage, whole.error, whole.scenario,
            )
        )  # fmt: skip
    assert kept[0] == kept[1]
    assert [type(one).__name__ for one in world.namespace.journal._records or ()] == ["Record", "Brief"]  # noqa: SLF001 - that it was one


def test_what_is_large_or_watched_is_not_kept_by_its_bytes() -> None:
    """It is cut, or told, as any other."""
    world = World(STORY)
    world.get("/v1/videos/nobody")
    fields = [(b"host", b"h:1"), (b"authorization", b"Bearer sk-test")]
    wire = SimpleNamespace(scheme="http", received=b"x" * 20_000, written=written)
    assert world.app.sent_at_once("GET", "/octopusx/v1/videos/octo", fields, b"", wire) is not None
    heard: list[Record] = []
    world.namespace.journal.watchers.append(heard.append)
    wire.received = b"GET"
    assert world.app.sent_at_once("GET", "/octopusx/v1/videos/octo", fields, b"", wire) is not None
    assert [record.number for record in heard] == [3]
    assert [record.path for record in world.namespace.journal][1:] == ["/octopusx/v1/videos/octo"] * 2
