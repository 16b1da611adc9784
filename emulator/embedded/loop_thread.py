"""The one event loop on which everything in this process that serves lives: a thread that ends with the process.

A test that starts a server of its own pays for a socket, not for a thread and a loop. Whoever calls an application
crosses over to this loop, so that it is only ever in one thread.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

try:
    from uvloop import new_event_loop
except ImportError:  # Windows, PyPy
    from asyncio import new_event_loop  # type: ignore[assignment] # as good, if not as fast

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = new_event_loop()
        self._loop.set_debug(False)  # it is the emulator's own: `python -X dev` is about the user's
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._loop.run_forever, name="video-emulator", daemon=True)
        self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether this process has it. Threads stay behind where a process is forked off."""
        return self._process == os.getpid()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """The result to come of work that is done there. Cancelling it cancels the work.

        Raises:
            RuntimeError: this process was forked off after the thread had begun.
        """
        if not self.is_here:
            work.close()
            raise RuntimeError(
                "this emulator stayed behind in the process that this one was forked off from; make another one here"
            )
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work that is done there."""
        return result(self.submit(work), None)


def result(future: "Future[T]", seconds: float | None) -> T:
    """The result of work over there.

    Raises:
        TimeoutError: it took longer. The work is cancelled, as it is where the wait for it is interrupted.
    """
    try:
        return future.result(seconds)
    finally:
        future.cancel()


async def crossed(future: "Future[T]", seconds: float | None) -> T:
    """The result of work over there, awaited over here, on asyncio or trio.

    Raises:
        TimeoutError: it took longer. The work is cancelled, as it is where the wait for it is.
    """
    try:
        if _is_asyncio():
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(future)
        from anyio.to_thread import run_sync  # noqa: PLC0415 - for trio alone

        return await run_sync(future.result, seconds, abandon_on_cancel=True)
    finally:
        future.cancel()


def _is_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Shared:
    """The loop thread of this process; a process that was forked off makes its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None

    def get(self) -> LoopThread:
        with self._lock:
            if self._thread is None or not self._thread.is_here:
                self._thread = LoopThread()
            return self._thread


_shared = _Shared()


def loop_thread() -> LoopThread:
    """The one of this process, started when it is first asked for."""
    return _shared.get()
