"""How long the polls of a world have seen nothing new, while its clock stood still."""

from datetime import datetime
from typing import Any, Final

from emulator.core.units import SECOND, parse_duration
from emulator.core.words import TERMINAL
from emulator.embedded.emulators import Emulator
from emulator.messages.requests import Entry

_LATEST: Final = 20
"""How many polls are looked at, each time; of more it is enough to know that they came."""
_FEWEST: Final = 3
"""Fewer polls than these are no loop: the test may have done something else between them."""
_ERROR: Final = {"code": "standing_still", "message": "The test has failed: its clock stands still."}


class StandStill:
    """Watches the polls of one world."""

    def __init__(self, emulator: Emulator, seconds: float) -> None:
        self._emulator = emulator
        self._seconds = seconds
        self._last = self._total = 0
        self._at = ""
        self._seen: dict[Any, set[Any]] = {}
        """What was answered about each task since the clock stands where it does."""
        self._since = 0.0
        """The real instant of the poll that saw something new last."""
        self._held = 0.0
        """For how long answers were held back since: that is real time, too, and no impatience of the client's."""
        self._polls = 0
        self._latest: Entry | None = None

    def look(self) -> str | None:
        """What to tell a test that has polled in vain for too long; ``None``: it hasn't."""
        page = self._emulator.requests.list(operation="poll", order="newest", limit=_LATEST)
        if page.requests and page.requests[0].number < self._last:  # the world began anew
            self._last = self._total = 0
        new = [entry for entry in reversed(page.requests) if entry.number > self._last]
        if not new:
            return None
        self._polls += max(0, page.total - self._total - len(new))
        for entry in new:
            self._take(entry)
        self._held += max(parse_duration(entry.delay) / SECOND for entry in new)
        self._latest, self._last, self._total = new[-1], new[-1].number, page.total
        length = _real(self._latest) - self._since - self._held
        is_vain = self._polls >= _FEWEST and length >= self._seconds
        return self._told(self._latest, length) if is_vain else None

    def _take(self, entry: Entry) -> None:
        if self._is_news(entry):
            self._since, self._held, self._polls = _real(entry), 0.0, 0
        self._polls += 1

    def _is_news(self, entry: Entry) -> bool:
        """Whether it saw what no poll of these tasks has seen at this instant. Answers that alternate are no news."""
        if entry.clock != "manual" or entry.at != self._at:
            self._at, self._seen = entry.at, {}
        seen = self._seen.setdefault(_asked(entry), set())
        size = len(seen)
        seen.add(_answer(entry))
        return len(seen) > size or entry.clock != "manual"

    def fail_tasks(self) -> None:
        """Let the tasks that are polled in vain fail, so that a client gives up that nobody can interrupt."""
        assert self._latest is not None
        for task in self._latest.tasks:
            if task.status not in TERMINAL:
                self._emulator.tasks.fail(task.id, _ERROR, provider=self._latest.provider)

    def _told(self, entry: Entry, length: float) -> str:
        polls = f"{self._polls} polls in {length:.1f} s of real time"
        task = entry.tasks[0] if entry.tasks else None
        if task is not None and task.status in TERMINAL:
            return f"the client polls on after the end: {polls} since {task.id} is {task.status}"
        about = "" if task is None else f", and {task.id} is {task.status}"
        return (
            f"the clock stands still at {entry.at}: {polls} saw nothing new{about}.\n"
            f'Let time pass with video_emulator.clock.advance("5m"); or let the client\'s own sleeps move the clock, '
            f"with video_emulator.fast_forward() or @pytest.mark.fast_forward; or let each poll do it, with "
            f'@pytest.mark.scenario(clock="auto"). --video-emulator-patience says how long a test may poll so.'
        )


def _asked(entry: Entry) -> Any:
    return entry.request.path, tuple(task.id for task in entry.tasks), tuple(entry.unknown)


def _answer(entry: Entry) -> Any:
    """What the client saw, and how manieth poll of its entry it was, where an entry answers so many."""
    tasks = [(task.status, task.progress, task.entry and task.entry.index) for task in entry.tasks]
    return entry.answer.status_code, entry.why.entry and entry.why.entry.poll, *tasks


def _real(entry: Entry) -> float:
    return datetime.fromisoformat(entry.wall_at).timestamp()
