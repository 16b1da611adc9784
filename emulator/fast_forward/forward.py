"""`FastForward`: while it holds, a thread's sleeps move a clock."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

from emulator.core.units import Duration
from emulator.fast_forward.names import put_back, put_stand_ins
from emulator.fast_forward.pace import Pace
from emulator.fast_forward.stand_ins import in_force, put_in_force
from emulator.fast_forward.tally import Tally

_lock: Final = threading.Lock()


class FastForward:
    """A context manager, for blocking code and for coroutines alike.

    While it holds, `time.sleep` and `asyncio.sleep` in the thread that entered it move the clock instead of waiting,
    and `time.monotonic`, `time.time` and the event loop's own time-outs follow. Other threads don't notice.

    Between sleeps the time that they tell stands still, so a client's own time-out depends on what it sleeps, and not
    on how fast the machine answers it. Where nobody has slept for a second it goes on: somebody waits in another way.
    """

    def __init__(self, advance: Callable[[Duration], None], *, limit: Duration) -> None:
        """Prepare it.

        Args:
            advance: moves the clock forward by so many microseconds, and returns when it has moved. It is called in
                the thread that sleeps, or in a worker thread where an event loop does.
            limit: how much may be slept in all.
        """
        self._tally = Tally(advance, limit)
        self._advance = advance
        self._limit = limit
        self.thread = 0
        """The one that entered it, by its identity."""

    @property
    def slept(self) -> Duration:
        """How much was slept in all, in microseconds; at once by several tasks counts once."""
        return self._tally.slept

    @property
    def passed(self) -> int:
        """How much time has passed in it, in nanoseconds: what was slept, and what went by without a sleep."""
        return self._tally.passed

    def __enter__(self) -> Self:
        """Begin, from nothing slept.

        Raises:
            RuntimeError: one holds already.
        """
        with _lock:
            if in_force() is not None:
                raise RuntimeError(
                    "fast_forward() holds already in this process, and there can be one at a time; leave the first "
                    "one before you enter another"
                )
            self.thread = threading.get_ident()
            self._tally = Tally(self._advance, self._limit)
            self._paces: dict[asyncio.AbstractEventLoop, Pace] = {}
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="fast-forward")
            put_stand_ins()
            put_in_force(self)
        return self

    def __exit__(self, *_: object) -> None:
        with _lock:
            put_in_force(None)
            put_back()
        for pace in self._paces.values():
            pace.release()
        self._paces.clear()
        # Not to wait for: the clock may be moving for a loop that we stand in the way of.
        self._worker.shutdown(wait=False)

    def sleep(self, duration: Duration) -> None:
        """Move the clock, in this thread."""
        self._tally.check(duration)
        self._tally.move(duration)
        self._tally.count()

    async def pause(self, duration: Duration) -> None:
        """Let a task of the running loop sleep."""
        await self._pace().sleep(duration)

    def _pace(self) -> Pace:
        loop = asyncio.get_running_loop()
        if loop not in self._paces:
            self._paces[loop] = Pace(loop, self._tally, self._worker)
        return self._paces[loop]
