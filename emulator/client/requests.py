"""The journal: what clients asked of providers, what they were answered, and why."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict, Unpack

from emulator.client.answers import Answer, message, text
from emulator.client.calls import Call, S, Subject, call, get, named, query_text, write
from emulator.client.times import Duration, Instant, duration_text, instant_text, seconds
from emulator.messages.requests import Entry, JournalCleared, RequestList


class Filters(TypedDict, total=False):
    """Which requests are meant; all that is given has to hold."""

    operation: Literal["create", "poll", "content", "download"]
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


class Requests(Subject[S]):
    """What clients asked of the namespace."""

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


def _query(filters: Filters) -> dict[str, Any]:
    query: dict[str, Any] = {**filters}
    return {**query, "since": instant_text(query["since"])} if "since" in query else query


def _some(timeout: Duration, filters: Mapping[str, Any]) -> Callable[[Answer], RequestList]:
    def read(answer: Answer) -> RequestList:
        found = message(RequestList)(answer)
        if found.requests:
            return found
        wanted = ", ".join(f"{name}={value!r}" for name, value in filters.items()) or "of any kind"
        raise TimeoutError(f"no request came within {duration_text(timeout)}: {wanted}")

    return read
