"""Ends a test from another thread, as if it had failed by itself where it stands."""

import asyncio
import ctypes
import sys
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest


class StandingStill(pytest.fail.Exception):  # type: ignore[name-defined, misc] # pytest's types hide it
    """Raised in the middle of the test. Clients that catch every `Exception` don't catch it."""

    __module__ = "builtins"  # reports then show the name alone, as they do for pytest's own

    told = ""

    def __init__(self, told: str | None = None) -> None:
        super().__init__(self.told if told is None else told)


class Interruption:
    """The chance to end what the thread that makes it runs, once, until `end`.

    Whether the one who interrupts or the one who ends was first is decided by a lock that is taken once and never
    released, so that no exception can arrive after the end, in the middle of pytest's own work.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._claim = threading.Lock()
        self._sent = threading.Event()
        self._is_over = False
        self._cancel: Callable[[], None] | None = None
        """Asks the event loop of the test to cancel it; ``None``: there is none."""
        self._pending = ""
        self.told = ""
        """What was interrupted with; empty: nothing."""

    @property
    def is_sent(self) -> bool:
        """Whether it was interrupted."""
        return self._sent.is_set()

    def interrupt(self, told: str) -> None:
        """Raise in the test, unless it is over or it was done before. Called by another thread."""
        cancel, self._cancel = self._cancel, None
        if cancel is not None:  # and if the loop doesn't get to it, there is the next time
            self._pending = told
            cancel()
        elif self._is_first(told):
            kind = type("StandingStill", (StandingStill,), {"told": told, "__module__": "builtins"})
            # While the event loop isn't heard, the exception arrives in what keeps it: a task of the test.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(kind))
            self._sent.set()

    def _is_first(self, told: str) -> bool:
        if not self._claim.acquire(blocking=False):
            return False
        self.told = told
        return True

    def end(self) -> None:
        """From here on nobody interrupts. Called by the test's own thread; what is on its way is raised here."""
        was_over, self._is_over = self._is_over, True
        if was_over or self._claim.acquire(blocking=False):
            return
        has_failed = sys.exception() is not None
        try:
            self._sent.wait()
        except StandingStill:
            if not has_failed:
                raise

    def note(self, problem: BaseException) -> None:
        """Tell of it on another problem that it has led to."""
        if self.told and not isinstance(problem, StandingStill):
            problem.add_note(self.told)

    def wrapped(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        """A coroutine function that is cancelled in its event loop, asyncio's or trio's, and not in its thread."""
        import anyio  # noqa: PLC0415 - only tests that are coroutines need it

        @wraps(function)
        async def cancellable(*args: Any, **kwargs: Any) -> Any:
            trace = None
            with anyio.CancelScope() as scope:
                self._cancel = self._canceller(scope.cancel)
                try:
                    return await function(*args, **kwargs)
                except BaseException as problem:
                    trace = problem.__traceback__
                    raise
                finally:
                    self._cancel = None
            raise StandingStill(self.told).with_traceback(trace)

        return cancellable

    def _canceller(self, cancel: Callable[[], None]) -> Callable[[], None]:
        def in_the_loop() -> None:
            if self._is_first(self._pending):
                cancel()
                self._sent.set()

        call_soon = _call_soon()
        return lambda: call_soon(in_the_loop)


def _call_soon() -> Callable[[Callable[[], None]], Any]:
    """What has the running event loop call a function, from any thread."""
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:  # not asyncio's
        import trio  # noqa: PLC0415 - it runs

        return trio.lowlevel.current_trio_token().run_sync_soon
