"""What whoever records reads meanwhile: one line for each change."""

from collections.abc import Callable
from typing import Final

from emulator.core.words import OperationName
from emulator.providers.base import Provider
from emulator.recorder.reading import Read, Reader
from emulator.recorder.seen import Seen

_UNKNOWN: Final = "a status of an unknown word"
_PAGE: Final = (
    "no provider's answer, but a page for people or a redirect to one: is --upstream the API's address?"
)


class Watcher:
    """Tells of each change, by the tasks' numbers: ids and keys aren't printed."""

    def __init__(self, provider: Provider, say: Callable[[str], None]) -> None:
        self._reader = Reader(provider)
        self._say = say
        self._numbers: dict[str, int] = {}
        self._states: dict[str, str] = {}
        self.passed = 0
        """How many exchanges there were, of whatever kind."""
        self.understood = 0
        """How many of them were about tasks."""

    def saw(self, seen: Seen) -> bool:
        """Take note of an exchange; whether it changes what there is to write."""
        self.passed += 1
        read = self._reader.read(seen)
        if read is None:
            return False
        self.understood += 1
        if seen.broken is not None:
            return True
        if read.is_foreign:
            self._say(f"{read.name}: {seen.status_code}: {_PAGE}")
            return True
        if read.shown or read.made is not None:
            return self._shown(read)
        self._say(f"{read.name}{self._about(read)}: {seen.status_code}")
        return True

    def _shown(self, read: Read) -> bool:
        states = [(shown.sighting.id, shown.sighting) for shown in read.shown]
        told = {id: str(seen.status or _UNKNOWN) for id, seen in states if id is not None}
        if read.made is not None:
            told.setdefault(read.made, "created")
        new = {id: state for id, state in told.items() if self._states.get(id) != state}
        self._states.update(new)
        for id, state in new.items():
            self._say(f"task {self._number(id)}: {state}")
        return bool(new)

    def _about(self, read: Read) -> str:
        if read.name is OperationName.CREATE or not read.ids:
            return ""
        return f" of task {self._number(read.ids[0])}"

    def _number(self, id: str) -> int:
        return self._numbers.setdefault(id, len(self._numbers) + 1)
