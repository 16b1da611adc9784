"""The journal: what clients asked, what they were answered, and why."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from emulator.clock import breathe, happens, real_time
from emulator.control.fields import DURATION, FLAG, INSTANT, Field, Kind, one_of, text, whole
from emulator.control.problems import unknown
from emulator.control.routes import Call, Route, Text
from emulator.core.units import SECOND, Duration, format_duration
from emulator.core.words import OperationName
from emulator.entries import Filter, Reader
from emulator.journal import Journal, Record
from emulator.messages.requests import Entry, JournalCleared, RequestList
from emulator.providers import PROVIDERS

TAG: Final = "requests"
NDJSON: Final = "application/x-ndjson"
LONGEST_WAIT: Final = 60 * SECOND
_BREATH: Final = 20
"""After so many entries others are served: a few milliseconds."""
_T = TypeVar("_T")
_NUMBER: Final = whole(0, 2**53)


def _wait(value: Any) -> Duration:
    wait: Duration = DURATION.read(value)
    if wait > LONGEST_WAIT:
        raise ValueError(f"expected at most {format_duration(LONGEST_WAIT)}, got {value}; ask again after it")
    return wait


WAIT: Final = Kind(
    f"a duration such as 5s, at most {format_duration(LONGEST_WAIT)}",
    _wait,
    {
        "type": "string",
        "pattern": r"^(?:[1-5]?[0-9]{1,4}ms|[1-5]?[0-9](?:\.[0-9]{1,6})?s|60s|1m)$",
        "examples": ["5s"],
    },
)
_CODE: Final = text("a status code such as 404, or a class such as 4xx", pattern="[1-5](?:[0-9]{2}|[xX]{2})")
_FILTERS: Final = (
    Field("operation", one_of(*OperationName), "Only requests for this operation."),
    Field("provider", one_of(*(p.name for p in PROVIDERS)), "Only requests to this provider."),
    Field("task", text("the id of a task"), "Only requests that name or list this task; batches too."),
    Field("status_code", _CODE, "Only what was answered so: `404`, or a class such as `4xx`."),
    Field("since", INSTANT, "Only what came at this instant of the namespace's clock, or later."),
    Field("matched", FLAG, "Whether an operation was found for the request; left out: either."),
    Field("after", _NUMBER, "Only entries with a higher number: the `next` of the page before."),
    Field("before", _NUMBER, "Only entries with a lower number: the `next` of a page with the newest first."),
)
_ORDER: Final = Field("order", one_of("oldest", "newest"), "Which stand first.", default="oldest")
_LIMIT: Final = Field("limit", whole(1, 1000), "How many at most.", default=100)
_WAIT: Final = Field(
    "wait",
    WAIT,
    "Where nothing fits yet, answer as soon as something does, or after so much real time with an empty list.",
)
_CANONICAL: Final = Field(
    "canonical",
    FLAG,
    "All entries that fit, oldest first, one JSON object on each line: only what follows from the seed and the calls.",
    default=False,
)


async def _list(call: Call) -> RequestList | Text:
    query, journal = call.query, call.namespace.journal
    wanted = Filter(**{field.name: query[field.name] for field in _FILTERS})
    if query["wait"] and next(wanted.among(journal), None) is None:
        await _one(wanted, journal, query["wait"], call.request.receive)
    if query["canonical"]:
        reader = _reader(call)
        return Text(b"".join(await _unhurried(reader.canonical, list(wanted.among(journal)))), NDJSON)
    return await _page(call, wanted)


def _reader(call: Call) -> Reader:
    return Reader(call.namespace, call.options.public_url)


async def _unhurried(tell: Callable[[Record], _T], records: Sequence[Record]) -> list[_T]:
    """What is told of each record, with turns for everybody else in between."""
    told: list[_T] = []
    for record in records:
        told.append(tell(record))
        if len(told) % _BREATH == 0:
            await breathe()
    return told


async def _page(call: Call, wanted: Filter) -> RequestList:
    journal, limit = call.namespace.journal, call.query["limit"]
    fitting = list(wanted.among(journal))
    is_newest_first = call.query["order"] == "newest"
    shown = fitting[: -limit - 1 : -1] if is_newest_first else fitting[:limit]
    is_last = len(shown) == len(fitting)
    if is_last:
        following = None if is_newest_first else journal.total
    else:
        following = shown[-1].number
    total, dropped = len(fitting), journal.dropped
    entries = await _unhurried(_reader(call).entry, shown)
    return RequestList(requests=entries, total=total, dropped=dropped, next=following)


async def _one(
    wanted: Filter, journal: Journal, within: Duration, receive: Callable[[], Awaitable[Any]]
) -> None:
    """Wait until one that is wanted is in the journal, for so much real time at most, or until the client is gone."""
    until = real_time() + within
    with _news(wanted, journal) as arrived:
        is_gone = asyncio.Event()
        listener = asyncio.ensure_future(_leaves(receive, is_gone, arrived))
        try:
            # One that was dropped again before its turn came is none.
            while next(wanted.among(journal), None) is None and not is_gone.is_set():
                arrived.clear()
                if not await happens(arrived, max(0, until - real_time())):
                    return
        finally:
            listener.cancel()


@contextmanager
def _news(wanted: Filter, journal: Journal) -> Iterator[asyncio.Event]:
    """An event that is set with each new entry that is wanted."""
    arrived = asyncio.Event()

    def watch(record: Any) -> None:
        if wanted.fits(record):
            arrived.set()

    journal.watchers.append(watch)
    try:
        yield arrived
    finally:
        journal.watchers.remove(watch)


async def _leaves(
    receive: Callable[[], Awaitable[Any]], is_gone: asyncio.Event, arrived: asyncio.Event
) -> None:
    """Tell when the client has closed its connection: nobody is there to wait for any more."""
    message = await receive()
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.request":
        message = await receive()
    if message["type"] == "http.disconnect":
        is_gone.set()
        arrived.set()


async def _show(call: Call) -> Entry:
    journal, asked = call.namespace.journal, call.path["number"]
    is_number = asked.isascii() and asked.isdigit() and len(asked) < 18
    record = journal.find(int(asked)) if is_number else None
    if record is None:
        raise unknown("No such entry", f"the journal has no entry {asked[:100]!r}; {_kept(journal)}")
    return _reader(call).entry(record)


def _kept(journal: Journal) -> str:
    return f"it has {journal.dropped + 1} to {journal.total}" if len(journal) else "it is empty"


async def _clear(call: Call) -> JournalCleared:
    journal = call.namespace.journal
    cleared = len(journal)
    journal.clear()
    return JournalCleared(cleared=cleared)


ROUTES = (
    Route(
        method="GET",
        path="/requests",
        handler=_list,
        about="What clients asked of providers and of the storage behind links, what they were answered, and why.",
        tag=TAG,
        answers=RequestList,
        texts=(NDJSON,),
        query=(*_FILTERS, _ORDER, _LIMIT, _WAIT, _CANONICAL),
    ),
    Route(
        method="DELETE",
        path="/requests",
        handler=_clear,
        about="Clear the journal, and nothing else; numbers begin at 1 again.",
        tag=TAG,
        answers=JournalCleared,
    ),
    Route(
        method="GET",
        path="/requests/{number}",
        handler=_show,
        about="One entry of the journal.",
        tag=TAG,
        answers=Entry,
        params=(Field("number", _NUMBER, "The entry's number."),),
        problems={404: "The journal has no such entry, or no longer."},
    ),
)
