"""A call of the control API, told once: method, path, query, body and what its answer is read as.

A method of both clients is a function that gives such a `Call`. `call` makes the method of it, which hands
the call to the client's sender: the blocking one gives the answer, the other one a coroutine of it.
"""

from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast, overload
from urllib.parse import quote, urlencode

import msgspec

from emulator.client.answers import Answer, message

T = TypeVar("T")
M = TypeVar("M")
P = ParamSpec("P")
T_co = TypeVar("T_co", covariant=True)


class Call(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One call."""

    method: str
    path: str
    """Below ``/__admin``, with its query."""
    read: Callable[[Answer], T]
    """From an answer that is no refusal to the value that the caller gets."""
    body: bytes = b""
    content_type: str = "application/json"
    """Of the body, where there is one."""
    wait: float = 0.0
    """For how many seconds, besides the client's own time-out, the emulator may hold its answer back."""
    of_process: bool = False
    """Whether it is about the emulator rather than a namespace; naming one would make it."""


class Sender(Protocol):
    """Sends calls and waits for their answers."""

    def send(self, call: Call[T]) -> T:
        """The answer, read.

        Raises:
            EmulatorError: there is none, or a refusal.
        """


class AsyncSender(Protocol):
    """Sends calls without blocking the event loop."""

    async def send(self, call: Call[T]) -> T:
        """As `Sender.send`."""


S = TypeVar("S", bound=Sender | AsyncSender)


class Subject(Generic[S]):
    """Calls about one subject, over a sender that gives answers or one that gives coroutines."""

    def __init__(self, sender: S) -> None:
        self._sender = sender


class Method(Protocol[P, T_co]):
    """How a method made by `call` looks to a type checker: as plain or as a coroutine, as the sender is."""

    @overload
    def __get__(self, subject: Subject[Sender], owner: Any = None) -> Callable[P, T_co]: ...
    @overload
    def __get__(
        self, subject: Subject[AsyncSender], owner: Any = None
    ) -> Callable[P, Coroutine[Any, Any, T_co]]: ...


def call(describe: Callable[Concatenate[Any, P], Call[T]]) -> Method[P, T]:
    """The method that sends what ``describe`` tells."""

    @wraps(describe)
    def method(self: Subject[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        return self._sender.send(describe(self, *args, **kwargs))

    return cast("Method[P, T]", method)


def get(path: str, answers: type[M], query: Mapping[str, Any] | None = None) -> Call[M]:
    """A call that only looks; what is ``None`` in the query isn't asked for."""
    return Call(method="GET", path=path + query_text(query or {}), read=message(answers))


def write(method: str, path: str, answers: type[M], fields: Mapping[str, Any] | None = None) -> Call[M]:
    """A call that changes something; fields that are ``None`` aren't sent."""
    return Call(method=method, path=path, read=message(answers), body=written(fields or {}))


def written(fields: Mapping[str, Any]) -> bytes:
    """A body with these fields, less those that are ``None``; empty where none is left."""
    given = {name: value for name, value in fields.items() if value is not None}
    return msgspec.json.encode(given) if given else b""


def of_process(call: Call[M]) -> Call[M]:
    """The call, as one about the emulator rather than a namespace."""
    return msgspec.structs.replace(call, of_process=True)


def query_text(query: Mapping[str, Any]) -> str:
    """A query with its question mark; empty where nothing is asked for."""
    given = {name: _text(value) for name, value in query.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def named(where: str, name: str, what: str) -> str:
    """A name that the caller gave, as one segment of a path.

    Without it the path would be another route's, whose answer is of another type.

    Args:
        where: the parameter that has it.
        name: what the caller gave.
        what: what it should be, such as ``the id of a task``.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty.
    """
    if not isinstance(name, str):
        raise TypeError(f"{where}: expected {what}, got {name!r}")
    if not name:
        raise ValueError(f"{where}: expected {what}, got ''")
    return segment(name)


def segment(text: str) -> str:
    """A text as one segment of a path. Dots alone would be taken for another place in the tree, and left out."""
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")
