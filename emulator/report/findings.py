"""What a check gathers while it looks, and the verdict that follows from it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from emulator.core.task import Task
from emulator.core.units import MILLISECOND, Duration, format_duration, format_instant
from emulator.journal import Record
from emulator.messages.report import Check, Evidence, Seen, Verdict
from emulator.report.gauge import Gauge, Unknown
from emulator.report.history import History, Life
from emulator.report.terms import Book, Terms

MOST_EVIDENCE: Final = 20
_MOST_REQUESTS: Final = 6
_LONGEST_TEXT: Final = 200
_ROUNDED_FROM: Final[Duration] = 10 * MILLISECOND


def as_it_was(task: Task) -> Task:
    """The task as the journal has it."""
    return task


class Case(msgspec.Struct, frozen=True):
    """All that checks look at."""

    history: History
    book: Book
    gauge: Gauge
    task: str | None = None
    """The id of the task that alone is judged."""
    after: int = 0
    """The number of the request after which those judged begin; what was before is known all the same."""
    present: Callable[[Task], Task] = as_it_was
    """A task as it is known now: what the emulator sent of itself stands in no request."""

    @property
    def lost(self) -> int:
        """How many requests there were that should be judged and that nobody knows any more."""
        return max(0, self.history.dropped - self.after)

    def asks_about(self, record: Record) -> bool:
        """Whether what the request shows is judged."""
        return record.number > self.after

    def lives(self) -> Iterator[Life]:
        """The tasks that are judged."""
        return (life for life in self.history.lives.values() if self.judges(life))

    def judges(self, life: Life | None) -> bool:
        """Whether the task is judged; ``None``: what no task that is known has a part in."""
        return self.task is None or (life is not None and life.task.id == self.task)

    def terms(self, life: Life | None) -> Terms:
        """What the client of the task is judged by."""
        return self.book.terms(None if life is None else life.version)

    def evidence(
        self, about: str, life: Life | None, records: Sequence[Record], measured: str, expected: str
    ) -> Evidence:
        """Evidence, without any API key in it."""
        task = None if life is None else life.task
        return Evidence(
            about=about,
            provider=_provider_of(records[0]) if task is None else task.provider,
            task=None if task is None else self.told(task.id),
            measured=measured,
            expected=expected,
            requests=[_seen(record) for record in _few(records)],
        )

    def told(self, text: str) -> str:
        """A client's own text as a report may show it: cut, and with a mark in place of an API key."""
        text = self.history.redactor.text(text.encode("utf-8", "replace").decode())
        return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."


def _provider_of(record: Record) -> str | None:
    return None if record.provider is None else record.provider.name


def _seen(record: Record) -> Seen:
    return Seen(
        request=record.number, at=format_instant(record.reply.now), real_at=format_instant(record.wall)
    )


def _few(records: Sequence[Record]) -> Sequence[Record]:
    return records if len(records) <= _MOST_REQUESTS else [*records[: _MOST_REQUESTS - 1], records[-1]]


class Tally(msgspec.Struct):
    """What was found so far."""

    judged: int = 0
    failures: int = 0
    evidence: list[Evidence] = []
    unknown: dict[str, int] = {}
    """How often what couldn't be known, by the reason."""
    waived: str | None = None
    """Who says that the client needn't keep the rule, where somebody says so."""

    def fine(self) -> None:
        """One case kept the rule."""
        self.judged += 1

    def fail(self, evidence: Callable[[], Evidence]) -> None:
        """One case broke it."""
        self.judged += 1
        self.failures += 1
        if len(self.evidence) < MOST_EVIDENCE:
            self.evidence.append(evidence())

    def unsure(self, reason: Unknown) -> None:
        """Of one case nobody can know."""
        self.unknown[reason.why] = self.unknown.get(reason.why, 0) + 1

    def waive(self, by: str) -> None:
        """One case needn't be looked at."""
        self.waived = by


class Criterion(msgspec.Struct, frozen=True):
    """What a check is called, and what it counts."""

    id: str
    title: str
    cases: str
    """What it looks at, in the plural."""
    nothing: str
    """Why it can't judge where there were none."""


def concluded(criterion: Criterion, tally: Tally, case: Case, told: str) -> Check:
    """The check's verdict. ``told`` says how many of the cases broke the rule."""
    verdict, why = _concluded(criterion, tally, case.lost, told)
    return Check(
        id=criterion.id,
        title=criterion.title,
        verdict=verdict,
        why=why,
        judged=tally.judged,
        failures=tally.failures,
        evidence=tally.evidence,
    )


def _concluded(criterion: Criterion, tally: Tally, lost: int, told: str) -> tuple[Verdict, str]:
    if tally.failures:
        return "failed", told
    if tally.unknown:
        return "not judged", _unsure(criterion, tally)
    if not tally.judged:
        waived = f"The client needn't keep this rule, {tally.waived}."
        return "not judged", criterion.nothing if tally.waived is None else waived
    if lost:
        return "not judged", (
            f"{told} But the journal has dropped {lost} earlier requests, and nobody knows what they would show: "
            f"serve with more --journal-entries."
        )
    return "passed", told


def _unsure(criterion: Criterion, tally: Tally) -> str:
    count = sum(tally.unknown.values())
    told = (
        f"{count} of {count + tally.judged} {criterion.cases} can't be judged: {'; or '.join(tally.unknown)}."
    )
    return f"{told} The others keep the rule." if tally.judged else told


# Words


def of(count: int, all_: int, cases: str) -> str:
    """``3 of 12 gaps``."""
    return f"{count} of {all_} {cases}"


def shown(duration: Duration) -> str:
    """A measured duration, without microseconds where there are many of them; rounded down."""
    rounded = duration if abs(duration) < _ROUNDED_FROM else duration // MILLISECOND * MILLISECOND
    return format_duration(rounded)
