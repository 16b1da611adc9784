"""The parts of a scenario that clients can meet: where each stands, what it is in words, which marks touch it."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from emulator.core import marks
from emulator.core.effects import Failure
from emulator.core.plan import Entry
from emulator.core.scenario import Choice, Item, Scenario
from emulator.core.words import ErrorName
from emulator.messages.coverage import Kind
from emulator.phrases import (
    as_line,
    choice_words,
    cut,
    death_words,
    entry_words,
    error_words,
    limit_words,
    rejection_words,
    rule_words,
)

_UNKNOWN_KEY: Final = Failure(name=ErrorName.INVALID_TOKEN)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a scenario, before it is known whether clients have met it."""

    kind: Kind
    place: str
    line: int = 0
    """Of the task item, the rule or the limit that it stands in or is; 0: the file has none."""
    what: str
    about: str | None = None
    marks: tuple[str, ...]
    """Any of them touches it."""


class _Entry(msgspec.Struct, frozen=True):
    """An entry of a timeline, and where it stands."""

    entry: Entry
    before: Entry | None
    timeline: tuple[int, int]
    """Which item's, and which of its choices."""
    choice: Choice
    item: Item
    place: str
    mark: str

    @property
    def about(self) -> str | None:
        return self.entry.about or self.choice.about or self.item.about

    @property
    def what(self) -> str:
        """The entry in words, with the names that tell its timeline from others."""
        words = [entry_words(self.entry, self.before)]
        if self.item.id is not None:
            words.append(f"task {cut(self.item.id)}")
        if self.choice.name is not None:
            words.append(f"choice {cut(self.choice.name)}")
        return as_line(", ".join(words))


class _Told(msgspec.Struct, frozen=True):
    """An error that something of the scenario answers."""

    error: Failure
    place: str
    line: int
    mark: str


def parts_of(scenario: Scenario) -> tuple[Known, ...]:
    """Everything in the scenario that clients can meet, kind by kind, each kind in the order of the file.

    Parts may share marks: a status is met with any entry that has it, an error with whatever answers it.
    """
    entries = tuple(_entries_in(scenario))
    return (
        *_statuses(entries),
        *map(_entry, entries),
        *_choices(scenario, entries),
        *_rules(scenario),
        *_rejections(scenario),
        *_limits(scenario),
        *_errors(_told(scenario, entries)),
        *_deaths(entries),
    )


# Timelines


def _entries_in(scenario: Scenario) -> Iterator[_Entry]:
    for number, item in enumerate(scenario.items):
        for place, choice in enumerate(item.choices):
            # A choice that equals one before it leaves the same marks: nobody can tell the two apart.
            twin = item.choices.index(choice)
            path = f"{_choice_place(number, place, item)}.timeline"
            before: Entry | None = None
            for index, entry in enumerate(choice.entries):
                mark = marks.entry(scenario.version, number, twin, index)
                yield _Entry(entry, before, (number, place), choice, item, f"{path}[{index}]", mark)
                before = entry


def _choice_place(number: int, place: int, item: Item) -> str:
    """The way to a choice; a task that says nothing of choices has its timeline to itself."""
    choice = item.choices[place]
    is_written = len(item.choices) > 1 or choice != Choice(entries=choice.entries)
    return f"tasks[{number}].choices[{place}]" if is_written else f"tasks[{number}]"


def _statuses(entries: Iterable[_Entry]) -> Iterator[Known]:
    by_status: dict[str, list[_Entry]] = {}
    for one in entries:
        by_status.setdefault(one.entry.status, []).append(one)
    for status, having in by_status.items():
        first = having[0]
        yield Known(
            kind="status",
            place=first.place,
            line=first.item.line,
            what=f"status {status}",
            marks=tuple(one.mark for one in having),
        )


def _entry(one: _Entry) -> Known:
    return Known(
        kind="entry",
        place=one.place,
        line=one.item.line,
        what=one.what,
        about=one.about,
        marks=(one.mark,),
    )


def _choices(scenario: Scenario, entries: Iterable[_Entry]) -> Iterator[Known]:
    by_timeline: dict[tuple[int, int], list[str]] = {}
    for one in entries:
        by_timeline.setdefault(one.timeline, []).append(one.mark)
    for number, item in enumerate(scenario.items):
        if len(item.choices) == 1:
            continue
        for place, choice in enumerate(item.choices):
            yield Known(
                kind="choice",
                place=_choice_place(number, place, item),
                line=item.line,
                what=choice_words(choice, place, item.choices),
                about=choice.about or item.about,
                marks=tuple(by_timeline[number, place]),
            )


def _deaths(entries: Iterable[_Entry]) -> Iterator[Known]:
    for one in entries:
        video = one.entry.video
        if video is None or not marks.can_expire(one.entry):
            continue
        yield Known(
            kind="expiry",
            place=f"{one.place}.video",
            line=one.item.line,
            what=as_line(f"{one.what}: {death_words(video)}"),
            about=one.about,
            marks=(marks.expiry(one.mark),),
        )


# Rules, keys and limits


def _rules(scenario: Scenario) -> Iterator[Known]:
    for number, rule in enumerate(scenario.rules):
        yield Known(
            kind="rule",
            place=f"rules[{number}]",
            line=rule.line,
            what=rule_words(rule),
            about=rule.about,
            marks=(marks.rule(scenario.version, rule.id),),
        )


def _rejections(scenario: Scenario) -> Iterator[Known]:
    for number, rejection in enumerate(scenario.auth.reject):
        yield Known(
            kind="rejection",
            place=f"auth.reject[{number}]",
            what=rejection_words(rejection),
            about=rejection.about,
            marks=(marks.rejection(scenario.version, number),),
        )
    if scenario.auth.keys:
        yield Known(
            kind="rejection",
            place="auth.keys",
            what=f"a key that isn't listed: {error_words(_UNKNOWN_KEY)}",
            marks=(marks.unknown_key(scenario.version),),
        )


def _limits(scenario: Scenario) -> Iterator[Known]:
    for number, limit in enumerate(scenario.limits):
        yield Known(
            kind="limit",
            place=f"limits[{number}]",
            line=limit.line,
            what=limit_words(limit),
            about=limit.about,
            marks=(marks.limit(scenario.version, number),),
        )


# Errors


def _errors(told: Iterable[_Told]) -> Iterator[Known]:
    """Each error once that has a name or a code, whatever answers it."""
    by_error: dict[tuple[str | None, str | None], list[_Told]] = {}
    for one in told:
        if error_words(one.error):
            by_error.setdefault((one.error.name, one.error.code), []).append(one)
    for tellers in by_error.values():
        first = tellers[0]
        yield Known(
            kind="error",
            place=first.place,
            line=first.line,
            what=error_words(first.error),
            marks=tuple(one.mark for one in tellers),
        )


def _told(scenario: Scenario, entries: Iterable[_Entry]) -> Iterator[_Told]:
    version = scenario.version
    for number, rejection in enumerate(scenario.auth.reject):
        mark = marks.rejection(version, number)
        yield _Told(rejection.error, f"auth.reject[{number}].error", 0, mark)
    if scenario.auth.keys:
        yield _Told(_UNKNOWN_KEY, "auth.keys", 0, marks.unknown_key(version))
    for number, limit in enumerate(scenario.limits):
        yield _Told(limit.error, f"limits[{number}].error", limit.line, marks.limit(version, number))
    for one in entries:
        video, line = one.entry.video, one.item.line
        if one.entry.failure is not None:
            yield _Told(one.entry.failure, f"{one.place}.error", line, one.mark)
        if video is not None and isinstance(video.expired, Failure) and marks.can_expire(one.entry):
            yield _Told(video.expired, f"{one.place}.video.expired", line, marks.expired(one.mark))
    for number, rule in enumerate(scenario.rules):
        if isinstance(rule.effect, Failure):
            yield _Told(rule.effect, f"rules[{number}].error", rule.line, marks.rule(version, rule.id))
