"""The journal: what clients asked of providers, what they were answered, and why."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias, TypedDict, Unpack

from emulator.client.answers import Answer, message, text
from emulator.client.calls import Call, S, Subject, call, get, named, query_text, write
from emulator.client.times import Duration, Instant, duration_text, instant_text, seconds
from emulator.messages.requests import Entry, JournalCleared, RequestList

Entries: TypeAlias = list[Entry]
Operation: TypeAlias = Literal["create", "poll", "content", "download", "list", "cancel", "delete", "remix"]
_MOST: Final = 1000
"""What one page may hold."""


class Narrower(TypedDict, total=False):
    """Which requests are meant; all that is given has to hold."""

    provider: str
    task: str
    """Those that name or list the task of this id."""
    status_code: int | str
    """What they were answered: ``404``, or a class such as ``"4xx"``."""
    since: Instant
    """Those that came at this instant of the namespace's clock, or later."""
    matched: bool
    """Those for which an operation was found, or was not."""
    after: int
    """Those with a higher number: the ``next`` of the page before."""
    before: int
    """Those with a lower number: the ``next`` of a page with the newest first."""


class Filters(Narrower, total=False):
    """The same, with the operation that they are for."""

    operation: Operation


class Selection(Subject[S]):
    """The requests that fit, asked for anew by each call."""

    def __init__(self, sender: S, filters: Mapping[str, Any]) -> None:
        super().__init__(sender)
        self._filters = filters

    def __repr__(self) -> str:
        return f"<requests: {_words(self._filters)}>"

    @call
    def count(self) -> Call[int]:
        """How many there are."""
        return Call(method="GET", path=self._path(limit=1), read=_total)

    @call
    def list(self) -> Call[Entries]:
        """All of them, oldest first; of many the first thousand."""
        return Call(method="GET", path=self._path(limit=_MOST), read=_entries)

    @call
    def first(self) -> Call[Entry]:
        """The oldest; ``LookupError``: there is none."""
        return Call(method="GET", path=self._path(limit=1), read=_only(self._filters))

    @call
    def last(self) -> Call[Entry]:
        """The newest; ``LookupError``: there is none."""
        path = self._path(limit=1, order="newest")
        return Call(method="GET", path=path, read=_only(self._filters))

    @call
    def wait(self, timeout: Duration = "5s") -> Call[Entries]:
        """All of them as soon as there is one, oldest first.

        Args:
            timeout: how long to wait for it, in real time; at most a minute.

        Raises:
            TimeoutError: none came.
        """
        return Call(
            method="GET",
            path=self._path(limit=_MOST, wait=duration_text(timeout)),
            read=_came(timeout, self._filters),
            wait=seconds(timeout),
        )

    def _path(self, **asked: Any) -> str:
        return f"/requests{query_text({**asked, **_query(self._filters)})}"


class Requests(Subject[S]):
    """What clients asked of the namespace.

    Called, it gives those that fit: ``requests("poll", task=id).count()``.
    """

    def __call__(self, operation: Operation | None = None, **filters: Unpack[Narrower]) -> Selection[S]:
        """The requests for this operation that fit; nothing is asked yet.

        Args:
            operation: left out: of every one, and those that are for none.
            filters: see `Narrower`.
        """
        asked = {} if operation is None else {"operation": operation}
        return Selection(self._sender, {**filters, **asked})

    @call
    def list(
        self,
        *,
        order: Literal["oldest", "newest"] = "oldest",
        limit: int | None = None,
        **filters: Unpack[Filters],
    ) -> Call[RequestList]:
        """One page of the requests that fit.

        Args:
            order: which stand first.
            limit: how many at most; left out: 100.
            filters: see `Filters`.
        """
        return get("/requests", RequestList, {"order": order, "limit": limit, **_query(filters)})

    @call
    def wait(self, timeout: Duration = "5s", **filters: Unpack[Filters]) -> Call[RequestList]:
        """The requests that fit, as soon as there is one.

        Args:
            timeout: how long to wait for it, in real time; at most a minute.
            filters: see `Filters`.

        Raises:
            TimeoutError: none came.
        """
        query = {"wait": duration_text(timeout), **_query(filters)}
        return Call(
            method="GET",
            path=f"/requests{query_text(query)}",
            read=_some(timeout, filters),
            wait=seconds(timeout),
        )

    @call
    def get(self, number: int) -> Call[Entry]:
        """One entry of the journal; `NotFound`: it has none of this number, or no longer."""
        return get(f"/requests/{named('number', str(number), 'the number of an entry')}", Entry)

    @call
    def canonical(self, **filters: Unpack[Filters]) -> Call[str]:
        """All requests that fit, oldest first, one JSON object on each line.

        It has only what follows from the seed and the calls, so two runs that did the same give the same text.
        """
        query = query_text({"canonical": True, **_query(filters)})
        return Call(method="GET", path=f"/requests{query}", read=text)

    @call
    def clear(self) -> Call[JournalCleared]:
        """Forget them, and nothing else; numbers begin at 1 again."""
        return write("DELETE", "/requests", JournalCleared)


def _query(filters: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, Any] = {**filters}
    return {**query, "since": instant_text(query["since"])} if "since" in query else query


def _some(timeout: Duration, filters: Mapping[str, Any]) -> Callable[[Answer], RequestList]:
    def read(answer: Answer) -> RequestList:
        found = message(RequestList)(answer)
        if found.requests:
            return found
        raise TimeoutError(f"no request came within {duration_text(timeout)}: {_words(filters)}")

    return read


def _came(timeout: Duration, filters: Mapping[str, Any]) -> Callable[[Answer], Entries]:
    read = _some(timeout, filters)
    return lambda answer: read(answer).requests


def _words(filters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in filters.items()) or "of any kind"


def _total(answer: Answer) -> int:
    return message(RequestList)(answer).total


def _entries(answer: Answer) -> Entries:
    return message(RequestList)(answer).requests


def _only(filters: Mapping[str, Any]) -> Callable[[Answer], Entry]:
    def read(answer: Answer) -> Entry:
        found = message(RequestList)(answer).requests
        if not found:
            raise LookupError(f"no request came: {_words(filters)}")
        return found[0]

    return read
