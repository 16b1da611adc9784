"""The file that a recording is kept in: written again after each change, never half."""

import asyncio
import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from emulator.clock import happens, real_time
from emulator.core.units import SECOND, Duration
from emulator.recorder.recording import Recorded, Wish, recorded
from emulator.recorder.seen import Seen, Tape

log = logging.getLogger("emulator")

STDOUT: Final = "-"
_PAUSE: Final[Duration] = SECOND
_SHARE: Final = 10
"""Writing takes at most such a part of the time: replaying a long recording takes a while."""


class Output(msgspec.Struct, frozen=True):
    """Where the scenario goes, and what it is to be."""

    file: str
    wish: Wish


class Unwritten(OSError):
    """The whole recording couldn't be written: what it is, and why not."""

    def __init__(self, found: Recorded, problem: OSError) -> None:
        super().__init__(problem.errno, problem.strerror or str(problem))
        self.found = found


class Keeper:
    """Writes what is on the tape."""

    def __init__(self, output: Output, tape: Tape) -> None:
        self._output = output
        self._tape = tape
        self._over = asyncio.Event()
        self._lock = threading.Lock()
        self._written = 0
        """How many exchanges are in the file."""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def changed(self) -> None:
        """There is more to write than there was. Call it on the event loop."""
        self._changed.set()
        if self._task is None and self._output.file != STDOUT:
            self._task = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        """Write after changes, at most once a second."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            begun = real_time()
            try:
                await asyncio.to_thread(self.write, self._tape.taken())
            except OSError as problem:
                log.warning("cannot write the scenario: %s", problem.strerror or problem)
            except Exception as defect:  # noqa: BLE001 - recording goes on; what a defect says may hold what was seen
                kind = type(defect).__name__
                log.error("a defect (%s) keeps the scenario from being written", kind)  # noqa: TRY400 - as above
            # In real time, whatever clock dates the exchanges.
            if await happens(self._over, max(_PAUSE, (real_time() - begun) * _SHARE)):
                return

    def write(self, seen: tuple[Seen, ...]) -> Recorded:
        """Make the scenario of these exchanges, and write it.

        Raises:
            Unwritten: there is a scenario, but it can't be written.
        """
        found = recorded(seen, self._output.wish, self._tape.lost)
        with self._lock:
            # One that began earlier and took longer has less to tell.
            if not found.is_empty and len(seen) >= self._written:
                try:
                    _write(self._output.file, found.text)
                except OSError as problem:
                    raise Unwritten(found, problem) from problem
                self._written = len(seen)
        return found

    def finish(self) -> Recorded:
        """Write the whole recording; the loop is over.

        Raises:
            Unwritten: there is a scenario, but it can't be written.
        """
        return self.write(self._tape.taken())

    async def stop(self) -> None:
        """Write no more by itself."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


def _write(file: str, text: str) -> None:
    if file == STDOUT:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    path = Path(file)
    # Beside it, and then in its place: whoever reads finds the file before or the file after.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
