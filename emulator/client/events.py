"""What happens in a namespace, as it happens."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Final, Literal, Self, TypeAlias

import msgspec

from emulator.client.answers import Answer, other_version, stranger
from emulator.client.calls import Call, query_text
from emulator.messages.clock import TaskChange
from emulator.messages.events import (
    ClockEvent,
    DroppedEvent,
    LostEvent,
    RequestEvent,
    ResetEvent,
    ScenarioEvent,
)

Event: TypeAlias = (
    RequestEvent | TaskChange | ClockEvent | ScenarioEvent | ResetEvent | LostEvent | DroppedEvent
)
Kind: TypeAlias = Literal["request", "task", "clock", "scenario", "reset"]
_TYPES: Final[dict[str, type[Event]]] = {
    "request": RequestEvent,
    "task": TaskChange,
    "clock": ClockEvent,
    "scenario": ScenarioEvent,
    "reset": ResetEvent,
    "lost": LostEvent,
    "dropped": DroppedEvent,
}
_SILENCE: Final = 60.0
"""After so many seconds without a byte the connection counts as lost: an emulator sends one every 15."""


def stream_of(types: Sequence[Kind] | Kind) -> Call[None]:
    """The call that a stream of events answers; ``TypeError`` where the types are none."""
    path = f"/events{query_text({'types': ','.join(_words(types)) or None})}"
    return Call(method="GET", path=path, read=_begun, wait=_SILENCE)


def _words(types: Any) -> list[str]:
    """The types, also where a single one is given as a text, which is a sequence of letters."""
    if isinstance(types, str):
        return [types]
    words = list(types) if isinstance(types, Iterable) else [types]
    if not all(isinstance(word, str) for word in words):
        raise TypeError(f'types: expected types of events such as ["task", "clock"], got {types!r}')
    return words


def _begun(answer: Answer) -> None:
    if not answer.content_type.startswith("text/event-stream"):
        raise stranger(answer)


def event_in(url: str, kind: str, data: str) -> Event | None:
    """An event of the stream of an emulator; ``None``: of a kind that this version doesn't know."""
    known = _TYPES.get(kind)
    if known is None:
        return None
    try:
        return msgspec.json.decode(data, type=known)
    except msgspec.DecodeError as problem:
        raise other_version(url, problem) from None


class Events:
    """The events of a namespace: iterate over them, or ask for one with ``next``.

    As a context manager it listens from its beginning to its end; else from the first event that is asked for
    until `close`. It ends when the namespace is dropped.
    """

    def __init__(self, listen: Callable[[], AbstractContextManager[Iterator[Event]]]) -> None:
        self._listen = listen
        self._listening: AbstractContextManager[Iterator[Event]] | None = None
        self._events: Iterator[Event]

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        self._begin()
        return next(self._events)

    def _begin(self) -> None:
        if self._listening is None:
            listening = self._listen()
            self._events = listening.__enter__()
            self._listening = listening

    def close(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.__exit__(None, None, None)


class AsyncEvents:
    """As `Events`, for an event loop."""

    def __init__(self, listen: Callable[[], AbstractAsyncContextManager[AsyncIterator[Event]]]) -> None:
        self._listen = listen
        self._listening: AbstractAsyncContextManager[AsyncIterator[Event]] | None = None
        self._events: AsyncIterator[Event]

    async def __aenter__(self) -> Self:
        await self._begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        await self._begin()
        return await anext(self._events)

    async def _begin(self) -> None:
        if self._listening is None:
            listening = self._listen()
            self._events = await listening.__aenter__()
            self._listening = listening

    async def close(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            await self._listening.__aexit__(None, None, None)
