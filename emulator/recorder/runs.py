"""Runs: what belongs to one task, from the creates that were refused before it to the last download."""

from collections.abc import Iterable
from typing import Final

import msgspec

from emulator.core.units import Instant
from emulator.core.words import OperationName
from emulator.recorder.reading import Read, Shown

_POLLS: Final = OperationName.POLL


class Act(msgspec.Struct, frozen=True):
    """One exchange, as one task's."""

    read: Read
    call: int
    """How manieth call of its operation it was on the task; of a create, of this run's."""
    place: int
    """The same, but of a create how manieth of all."""
    shown: Shown | None = None
    """The task as the answer printed it; ``None``: it didn't."""

    @property
    def at(self) -> Instant:
        """When the request came."""
        return self.read.seen.at


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """All that was seen of one task."""

    number: int
    """From 1, in the order in which they came up."""
    id: str | None
    """``None``: no task came of it."""
    acts: tuple[Act, ...]
    existed: bool = False
    """Whether it was there before: nobody saw it made."""

    @property
    def made(self) -> Act | None:
        """The create that made it."""
        return next((act for act in self.acts if act.read.made is not None), None)

    @property
    def looks(self) -> tuple[Act, ...]:
        """The polls that showed it."""
        return tuple(act for act in self.acts if act.read.name is _POLLS and act.shown is not None)


class Sorted(msgspec.Struct, frozen=True):
    """All exchanges, sorted."""

    runs: tuple[Run, ...]
    strangers: int = 0
    """Requests for tasks that were never shown."""
    foreign: int = 0
    """Answers that were no provider's."""
    broken: tuple[str, ...] = ()
    """How exchanges broke, each in a sentence."""


class _Open:
    """A run that may still grow."""

    def __init__(self, id: str | None, existed: bool) -> None:
        self.id = id
        self.existed = existed
        self.acts: list[Act] = []
        self.counts: dict[OperationName, int] = {}
        self.is_known = not existed

    def add(self, read: Read, shown: Shown | None = None, place: int | None = None) -> None:
        number = self.counts[read.name] = self.counts.get(read.name, 0) + 1
        self.acts.append(Act(read, number, number if place is None else place, shown))
        self.is_known = self.is_known or shown is not None


class _Sorter:
    def __init__(self) -> None:
        self.runs: dict[str, _Open] = {}
        self.attempts: _Open | None = None
        """Creates that were refused, as long as none has succeeded since."""
        self.creates = 0
        self.order: list[_Open] = []
        self._aliases: dict[str, str] = {}
        self._links: dict[str, str] = {}
        self.strangers = 0

    def take(self, read: Read) -> None:
        if read.name is OperationName.CREATE:
            self._create(read)
        elif read.name is OperationName.DOWNLOAD:
            run = self.runs.get(self._links.get(read.seen.link or "", ""))
            if run is not None:
                run.add(read)
        else:
            self._ask(read)

    def _create(self, read: Read) -> None:
        self.creates += 1
        if self.attempts is None:
            self.attempts = self._begin(None, existed=False)
        run = self.attempts
        run.add(read, next(iter(read.shown), None), self.creates)
        if read.made is not None:
            run.id = read.made
            self.runs[read.made] = run
            self.attempts = None

    def _ask(self, read: Read) -> None:
        by_id = {shown.sighting.id: shown for shown in read.shown if shown.sighting.id is not None}
        if read.by_alias and len(read.ids) == len(by_id) == 1:
            self._aliases[read.ids[0]] = next(iter(by_id))
        named = {self._aliases.get(name, name) if read.by_alias else name for name in read.ids}
        for task_id in sorted(named | set(by_id)):
            run = self.runs.get(task_id)
            if run is None:
                run = self.runs[task_id] = self._begin(task_id, existed=True)
            run.add(read, by_id.get(task_id))
            shown = by_id.get(task_id)
            if shown is not None and shown.sighting.link is not None:
                self._links[shown.sighting.link] = task_id

    def _begin(self, id: str | None, *, existed: bool) -> _Open:
        run = _Open(id, existed)
        self.order.append(run)
        return run


def sorted_runs(reads: Iterable[Read]) -> Sorted:
    """The exchanges by the task that they are about. What broke, or is no provider's answer, belongs to none."""
    sorter, broken, foreign = _Sorter(), [], 0
    for read in reads:
        if read.seen.broken is not None:
            broken.append(read.seen.broken)
        elif read.is_foreign:
            foreign += 1
        else:
            sorter.take(read)
    known = [run for run in sorter.order if run.is_known]
    strangers = sum(len(run.acts) for run in sorter.order if not run.is_known)
    runs = (
        Run(number=number, id=run.id, acts=tuple(run.acts), existed=run.existed)
        for number, run in enumerate(known, 1)
    )
    return Sorted(tuple(runs), strangers, foreign, tuple(broken))
