"""Whom a task waits for, as far as can be told from outside.

A task that waits for other tasks is no obstacle: each of those is judged by itself. Others wait for something that a
transport or a thread will bring; of the rest nobody knows who wakes them.
"""

import asyncio
import concurrent.futures
import gc
import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from types import FrameType, MemberDescriptorType
from typing import Any, Final, TypeAlias

from emulator.core.units import MILLISECOND, SECOND, Duration

AnyFuture: TypeAlias = asyncio.Future[Any]
AnyTask: TypeAlias = asyncio.Task[Any]

QUIET: Final[Duration] = 5 * MILLISECOND
"""Real time in which nothing happened, after which a wait that nobody can explain isn't for something under way."""
PATIENCE: Final[Duration] = 10 * SECOND
"""The same where a transport or a thread is at work: an answer may take its time, but no test shall hang."""

_WORKERS: Final = (
    asyncio.BaseProtocol,
    asyncio.StreamReader,
    asyncio.StreamWriter,
    concurrent.futures.Future,
    socket.socket,
    threading.Thread,
)
_MEETING_PLACES: Final = frozenset({"asyncio.locks", "asyncio.queues"})
"""Tasks meet there, and protocols leave word for them: the caller tells which it is."""
_NO_TRANSPORTS: Final = _MEETING_PLACES | {
    "asyncio.futures",
    "asyncio.runners",
    "asyncio.taskgroups",
    "asyncio.tasks",
    "asyncio.timeouts",
}
_SERVING: Final = frozenset({"serve_forever", "sock_accept"})
"""They wait for clients to come."""


def waiter_of(task: AnyTask) -> AnyFuture | None:
    """What the task awaits at this moment; ``None``: it can go on."""
    # anyio reads the same: asyncio has no public word for it.
    found: AnyFuture | None = getattr(task, "_fut_waiter", None)
    return found


def patience_with(task: AnyTask, waiter: AnyFuture, asleep: Collection[AnyFuture]) -> Duration:
    """How long the loop must have been quiet before this task's wait no longer holds time still.

    Args:
        task: one that awaits something.
        waiter: what it awaits.
        asleep: what the sleeping tasks await.
    """
    leaves = list(_leaves([waiter], asleep))
    if leaves == [waiter] and not _comes_from_a_thread(waiter):
        frames = list(_frames(task.get_coro()))
        named = _named(frames)
        if named is None:
            return _of_the_last(frames)
        leaves = list(_leaves(named, asleep))
    return max((PATIENCE if _comes_from_a_thread(leaf) else QUIET for leaf in leaves), default=0)


def _leaves(futures: Iterable[AnyFuture], asleep: Collection[AnyFuture]) -> Iterator[AnyFuture]:
    """What `asyncio.gather` and `asyncio.shield` wrapped, but tasks and sleeps, which are no obstacles."""
    for future in futures:
        if isinstance(future, asyncio.Task) or future in asleep or future.done():
            continue
        inner = _wrapped(future)
        if inner is None:
            yield future
        else:
            yield from _leaves(inner, asleep)


def _wrapped(future: AnyFuture) -> Iterable[AnyFuture] | None:
    children: Iterable[AnyFuture] | None = getattr(future, "_children", None)  # what gather returns
    if children is not None:
        return children
    shield = _callback(future, "shield.<locals>._outer_done_callback")
    return None if shield is None else [_closure(shield)["inner"]]


def _comes_from_a_thread(future: AnyFuture) -> bool:
    """Whether it stands for a future of `concurrent.futures`: an executor's, or another loop's."""
    chain = _callback(future, "_chain_future.<locals>._call_check_cancel")
    return chain is not None and isinstance(_closure(chain).get("source"), concurrent.futures.Future)


def _callback(future: AnyFuture, name: str) -> Callable[..., Any] | None:
    """The one of asyncio's by which it stays linked to what it stands for."""
    for callback, _ in getattr(future, "_callbacks", None) or ():
        if getattr(callback, "__qualname__", "") == name and _is_asyncios(callback.__module__):
            found: Callable[..., Any] = callback
            return found
    return None


def _is_asyncios(module: object) -> bool:
    return str(module).startswith("asyncio.")


def _closure(function: Any) -> dict[str, Any]:
    return dict(
        zip(function.__code__.co_freevars, (cell.cell_contents for cell in function.__closure__), strict=True)
    )


# The stack of a task that is suspended


def _frames(awaited: Any) -> Iterator[FrameType]:
    """From the outermost to the innermost."""
    while awaited is not None:
        for kind, inner in (("cr_frame", "cr_await"), ("gi_frame", "gi_yieldfrom"), ("ag_frame", "ag_await")):
            frame = getattr(awaited, kind, None)
            if isinstance(frame, FrameType):
                yield frame
                awaited = getattr(awaited, inner, None)
                break
        else:
            awaited = _unwrapped(awaited)


_WRAPPERS: Final = frozenset({"anext_awaitable", "async_generator_asend", "coroutine_wrapper"})


def _unwrapped(awaited: Any) -> Any:
    """The coroutine within ``coroutine.__await__()``, or the generator within ``anext()``, which hide it."""
    if type(awaited).__name__ not in _WRAPPERS:
        return None
    return next((found for found in gc.get_referents(awaited) if _may_wait(found)), None)


def _may_wait(found: Any) -> bool:
    kind = type(found)
    return kind.__name__ in _WRAPPERS or hasattr(kind, "cr_frame") or hasattr(kind, "ag_frame")


def _place(frame: FrameType) -> tuple[str, str]:
    return _module(frame), frame.f_code.co_qualname


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


# What functions that wait for several call them


def _of_group(variables: Mapping[str, Any]) -> Iterable[AnyFuture]:
    return list(variables["self"]._tasks)  # noqa: SLF001 - asyncio's and anyio's groups call them so


def _of_iterator(variables: Mapping[str, Any]) -> Iterable[AnyFuture]:
    return list(variables["self"]._todo)  # noqa: SLF001 - as_completed; before Python 3.13 it doesn't tell


_NAMED: Final[dict[tuple[str, str], Callable[[Mapping[str, Any]], Iterable[AnyFuture]]]] = {
    ("asyncio.tasks", "_wait"): lambda variables: list(variables["fs"]),
    ("asyncio.tasks", "wait_for"): lambda variables: [variables["fut"]],
    ("asyncio.tasks", "_cancel_and_wait"): lambda variables: [variables["fut"]],
    ("asyncio.tasks", "_AsCompletedIterator._wait_for_one"): _of_iterator,
    ("asyncio.taskgroups", "TaskGroup.__aexit__"): _of_group,
    ("asyncio.taskgroups", "TaskGroup._aexit"): _of_group,
    ("anyio._backends._asyncio", "TaskGroup.__aexit__"): _of_group,
}


def _named(frames: list[FrameType]) -> Iterable[AnyFuture] | None:
    """The futures that the innermost function says it waits for; ``None``: it doesn't."""
    last = _last(frames)
    reader = None if last is None else _NAMED.get(_place(last))
    try:
        return None if reader is None or last is None else reader(last.f_locals)
    except (AttributeError, KeyError):  # another version of Python or anyio has other names
        return None


def _last(frames: list[FrameType]) -> FrameType | None:
    """The innermost frame that isn't a lock's or a queue's."""
    return next((frame for frame in reversed(frames) if _module(frame) not in _MEETING_PLACES), None)


# Is a transport or a thread at work?


def _of_the_last(frames: list[FrameType]) -> Duration:
    last = _last(frames)
    if last is None or last.f_code.co_name in _SERVING:
        return QUIET
    variables = last.f_locals
    # At a lock only its owner counts: a test's own function may well hold a connection, and wait for something else.
    seen = variables.values() if last is frames[-1] else [variables.get("self")]
    workers = [worker for value in seen for worker in _workers(value)]
    if any(_was_accepted(worker) for worker in workers):
        return QUIET  # a server of this loop, between two requests or before the first
    return PATIENCE if workers or _is_machinery(_module(last)) else QUIET


def _is_machinery(module: str) -> bool:
    """Whether it is a loop's own code, or compiled, as uvloop is, which shows no name."""
    return not module or (_is_asyncios(module) and module not in _NO_TRANSPORTS)


def _workers(value: Any) -> Iterator[Any]:
    """The transports, protocols and threads among a value and its fields."""
    for found in (value, *_fields(value)):
        if issubclass(type(found), _WORKERS) or _is_transport(found):
            yield found


def _is_transport(value: Any) -> bool:
    """By what it can do: uvloop's are no `asyncio.BaseTransport`."""
    return hasattr(type(value), "get_protocol")


def _was_accepted(worker: Any) -> bool:
    """Whether it is the transport of a server's; uvloop's show no server, but streams know who is called for them."""
    if not _is_transport(worker):
        return False
    holders = ((worker, "_server"), (worker.get_protocol(), "_client_connected_cb"))
    return any(getattr(holder, name, None) is not None for holder, name in holders)


def _fields(value: Any) -> Iterator[Any]:
    """By the bare machinery: nobody's own `__getattr__` or property is run."""
    with suppress(AttributeError):
        yield from list(object.__getattribute__(value, "__dict__").values())
    for kind in type(value).__mro__:
        for member in list(kind.__dict__.values()):
            if type(member) is MemberDescriptorType:
                with suppress(AttributeError):  # a slot that nothing was put into
                    yield member.__get__(value)
