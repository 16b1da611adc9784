"""A task's timeline with the client's polls on it."""

from collections.abc import Iterator, Sequence
from typing import Final

from emulator.core.units import Instant, parse_instant
from emulator.embedded.story.polls import falls, in_words
from emulator.embedded.story.words import counted, fitted, length, moment, printable, quoted
from emulator.messages.requests import Entry
from emulator.messages.tasks import TaskDetail, TaskEntry, TaskStep

_TERMINAL: Final = frozenset({"completed", "failed", "cancelled"})
_AHEAD: Final = 3
"""How many of the entries that lie ahead are told."""


def lines(task: TaskDetail, requests: Sequence[Entry], now: Instant, most: int) -> Iterator[str]:
    """What a task did, and where it was polled; all times but the creation's are since its creation.

    Args:
        task: the task.
        requests: the namespace's, oldest first; of many the last ones.
        now: where the clock stands.
        most: how many of the entries that it came to are told: the last ones.
    """
    created = parse_instant(task.created_at)
    falling = falls(task, requests)
    yield fitted(_head(task, sum(1 for polls in falling for poll in polls if not poll.answered)))
    met = [number for number, entry in enumerate(task.timeline) if entry.state in {"past", "present"}]
    if len(met) > most:
        left_out = len(met) - most
        yield f"  ({left_out} earlier {'entry' if left_out == 1 else 'entries'})"
    forced = _forced(task)
    rows = [
        (
            task.timeline[number].status,
            _stay(task, met, position, created, now),
            _told(task.timeline[number], is_forced=number in forced),
            in_words(falling[number]),
        )
        for position, number in list(enumerate(met))[-most:]
    ]
    wide = [max(len(row[column]) for row in rows) for column in (0, 1)] if rows else [0, 0]
    for status, stay, told, polls in rows:
        said = "; ".join(filter(None, (told, polls)))
        yield fitted(f"  {status:<{wide[0]}}  {stay:<{wide[1]}}  {said}".rstrip())
    yield from _by_hand(task, forced, created)
    yield from map(fitted, _callbacks(task, created))
    ahead = _ahead(task, created)
    if ahead:
        yield fitted(f"  next: {ahead}")


def _head(task: TaskDetail, seen: int) -> str:
    progress = f" {task.progress}%" if task.status == "processing" else ""
    choice = "" if task.choice is None else f", choice {fitted(task.choice, 20)}"
    polled = f"polled {counted(task.polls, 'time')}" if task.polls else "no poll answered"
    hidden = f" (the last {seen} shown)" if seen < task.polls else ""
    created = f"created {moment(task.created_at)}{choice}"
    return (
        f"task {printable(task.id)} ({task.provider}): {task.status}{progress}, {polled}{hidden}, {created}"
    )


def _stay(task: TaskDetail, met: Sequence[int], position: int, created: Instant, now: Instant) -> str:
    """From when to when it lasted: ``0s-45s``, or ``45s-now (1m)``."""
    begins = task.timeline[met[position]].begins_at
    start = "?" if begins is None else length(parse_instant(begins) - created)
    following = task.timeline[met[position + 1]].begins_at if position + 1 < len(met) else None
    end = (
        f"now ({length(now - created)})" if following is None else length(parse_instant(following) - created)
    )
    return f"{start} to {end}"


def _told(entry: TaskEntry, *, is_forced: bool) -> str:
    """What else there is to say of an entry."""
    words = []
    if is_forced:
        words.append("forced by hand")
    if entry.word is not None:
        words.append(f"printed as {fitted(entry.word, 20)}")
    if entry.error is not None and (name := entry.error.name or entry.error.code):
        words.append(f"error {fitted(name, 30)}")
    return f"{', '.join(words)}{quoted(entry.about)}".strip()


def _forced(task: TaskDetail) -> frozenset[int]:
    """The numbers of the entries that somebody put it into."""
    return frozenset(
        number
        for number, entry in enumerate(task.timeline)
        if entry.place is None or any(_begins(entry, step) for step in task.facts.steps)
    )


def _begins(entry: TaskEntry, step: TaskStep) -> bool:
    return entry.begins_at == step.at and entry.status == step.status


def _by_hand(task: TaskDetail, forced: frozenset[int], created: Instant) -> Iterator[str]:
    """Steps that led into no entry: they changed the progress."""
    for step in task.facts.steps[-3:]:
        if not any(_begins(task.timeline[number], step) for number in forced) and step.progress is not None:
            yield f"  progress {step.progress}% forced by hand at {length(parse_instant(step.at) - created)}"


def _callbacks(task: TaskDetail, created: Instant) -> Iterator[str]:
    """The last attempts to tell its end to whoever asked for that."""
    for attempt in task.facts.callbacks[-_AHEAD:]:
        outcome = attempt.problem or (
            "under way" if attempt.status_code is None else f"answered {attempt.status_code}"
        )
        yield f"  callback {attempt.number} at {length(parse_instant(attempt.at) - created)}: {outcome}"


def _ahead(task: TaskDetail, created: Instant) -> str:
    """What comes next, as far as that can be told; empty: it has ended."""
    ahead = [entry for entry in task.timeline if entry.state == "ahead"]
    if not ahead:
        return "" if task.status in _TERMINAL else f"nothing, it stays {task.status}"
    if task.progression == "manual":
        return f"{ahead[0].status} when the control API steps it"
    present = next((entry for entry in task.timeline if entry.state == "present"), None)
    told = [f"{entry.status}{_when(task, entry, present, created)}" for entry in ahead[:_AHEAD]]
    return ", then ".join(told) + (", then more" if len(ahead) > _AHEAD else "")


def _when(task: TaskDetail, entry: TaskEntry, before: TaskEntry | None, created: Instant) -> str:
    if entry.begins_at is not None:
        return f" at {length(parse_instant(entry.begins_at) - created)}"
    is_next = (
        before is not None
        and before.polls is not None
        and task.timeline.index(entry) == (task.timeline.index(before) + 1)
    )
    if not is_next or before is None or before.polls is None:
        return ""
    return f" after {counted(before.polls - task.facts.polls_in_entry, 'more poll')}"
