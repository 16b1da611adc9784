"""A test that polls and polls while its clock stands still is told so, in place of polling for ever.

One thread looks at the world of the test that runs, a few times within its patience, so tests that are shorter rarely
meet it.
"""

import threading
from contextlib import suppress
from typing import Final

from emulator.client.errors import EmulatorError
from emulator.embedded.emulators import Emulator
from emulator.plugin.interruption import Interruption
from emulator.plugin.standstill import StandStill

_LOOKS: Final = 5
"""How often it looks within its patience."""


class Patience:
    """Watches one world at a time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._standstill: StandStill | None = None
        self._interruption: Interruption | None = None

    def watch(self, emulator: Emulator) -> None:
        """Watch this world, on behalf of the thread that calls, which may be interrupted from now on."""
        self.arm()
        self._standstill = StandStill(emulator, self._seconds)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="video-emulator-patience", daemon=True)
            self._thread.start()

    def arm(self) -> Interruption:
        """The thread that calls may be interrupted until `disarm`."""
        self.disarm()
        self._interruption = Interruption()
        return self._interruption

    def disarm(self) -> None:
        """It may not be interrupted any more; what is on its way is raised here."""
        if self._interruption is not None:
            self._interruption.end()

    def rest(self) -> bool:
        """Watch nothing any more. Whether the test was interrupted: a client of it may poll on by itself."""
        self.disarm()
        standstill, self._standstill = self._standstill, None
        interruption, self._interruption = self._interruption, None
        if standstill is None or interruption is None or not interruption.is_sent:
            return False
        with suppress(EmulatorError):
            standstill.fail_tasks()
        return True

    def close(self) -> None:
        """Let the thread end."""
        self.rest()
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(self._seconds / _LOOKS):
            standstill, interruption = self._standstill, self._interruption
            if standstill is not None and interruption is not None:
                with suppress(EmulatorError):  # there is nothing to see: the world is gone, or its server
                    _look(standstill, interruption)


def _look(standstill: StandStill, interruption: Interruption) -> None:
    told = standstill.look()
    if told is None:
        return
    if interruption.is_sent:
        standstill.fail_tasks()  # the client polls elsewhere, in a thread or a process of its own
    else:
        interruption.interrupt(told)
