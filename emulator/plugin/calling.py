"""What surrounds the run of a test: the time that it runs in, and who may interrupt it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from inspect import iscoroutinefunction
from typing import Any

import pytest

from emulator.embedded.emulators import Emulator
from emulator.plugin.marks import is_own_fast_forward, limit_of
from emulator.plugin.refusals import refused
from emulator.plugin.session import session_of


@contextmanager
def running(item: pytest.Item) -> Iterator[None]:
    """Let a test run: in fast-forward where its marker asks for it, and where it may be interrupted."""
    emulator: Emulator | None = getattr(item, "funcargs", {}).get("video_emulator")
    limit = limit_of(item)
    if emulator is None:
        if is_own_fast_forward(item):
            told = "@pytest.mark.fast_forward moves the clock of the fixture video_emulator: let the test ask for it"
            raise refused(told) from None
        yield
        return
    forward: AbstractContextManager[Any] = nullcontext() if limit is None else emulator.fast_forward(limit)
    with forward, _interruptible(item):
        yield


@contextmanager
def _interruptible(item: Any) -> Iterator[None]:
    patience = session_of(item.config).patience
    if patience is None:
        yield
        return
    interruption = patience.arm()
    function = getattr(item, "obj", None)
    if iscoroutinefunction(function):
        item.obj = interruption.wrapped(function)
    try:
        yield
    except BaseException as problem:
        interruption.note(problem)
        raise
    finally:
        if iscoroutinefunction(function):
            item.obj = function
        patience.disarm()
    if interruption.told:  # the client caught it, and went on
        raise refused(interruption.told) from None


def let_go(item: pytest.Item) -> None:
    """From here on nobody is interrupted."""
    patience = session_of(item.config).patience
    if patience is not None:
        patience.disarm()
