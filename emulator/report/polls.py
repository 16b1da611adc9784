"""How a client polls: its pace, and where it stops."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import Final

import msgspec

from emulator.core.expectations import Expectations
from emulator.core.units import Duration
from emulator.journal import Record
from emulator.messages.report import Check, Evidence
from emulator.report.findings import Case, Criterion, Tally, concluded, of, shown
from emulator.report.gauge import Unknown
from emulator.report.history import Life, is_lost, shows_end
from emulator.report.terms import BY_ALL, PACE, PACE_AFTER_ERROR, Said, slack
from emulator.report.waits import poll_after, retry_after

# The pace


class Gap(msgspec.Struct, frozen=True):
    """Two polls of one task, one after the other, and what is expected of the time between."""

    before: Record
    after: Record
    life: Life
    limit: Said[Duration]


def _strictest(
    case: Case, gaps: Iterable[Gap], is_stricter: Callable[[Duration, Duration], bool]
) -> list[Gap]:
    """Each pair of requests once, though batches name many tasks, with the strictest of its limits."""
    found: dict[tuple[int, int], Gap] = {}
    for gap in gaps:
        place = (gap.before.number, gap.after.number)
        known = found.get(place)
        if not case.asks_about(gap.after):
            continue
        if known is None or is_stricter(gap.limit.value, known.limit.value):
            found[place] = gap
    return list(found.values())


MIN_INTERVAL: Final = Criterion(
    "poll.min_interval",
    "Polls of one task keep a distance",
    "gaps between two polls of one task",
    "No task was polled twice.",
)


def min_interval(case: Case) -> Check:
    """No poll of a task comes too soon after the one before."""
    tally = Tally()
    shortest: Duration | None = None
    gaps = (gap for life in case.lives() for gap in _with_least(case, life))
    for gap in _strictest(case, gaps, lambda one, other: one > other):
        length = case.gauge.gap(gap.before, gap.after)
        if isinstance(length, Unknown):
            tally.unsure(length)
            continue
        shortest = length if shortest is None else min(shortest, length)
        if length >= gap.limit.value - slack(gap.limit.value):
            tally.fine()
        else:
            tally.fail(partial(_too_short, case, gap, length))
    told = f"{of(tally.failures, tally.judged, MIN_INTERVAL.cases)} were too short"
    told += "." if shortest is None else f"; the shortest was {shown(shortest)}."
    return concluded(MIN_INTERVAL, tally, case, told)


def _with_least(case: Case, life: Life) -> Iterator[Gap]:
    said = case.terms(life).said(lambda expected: expected.poll.min_interval)
    # Where answers were dropped that may have told a pace, the task's plan knows which.
    hint = None if case.history.is_whole(life) else _least_hint(life)
    for before, after in pairwise(life.polls):
        told = poll_after(before.reply)
        if told is not None and (hint is None or told < hint):
            hint = told
        if is_lost(before):
            continue  # whoever was cut off may ask again at once
        yield Gap(before, after, life, said or _pace_after(before, hint))


def _least_hint(life: Life) -> Duration | None:
    hints = [entry.poll_after for entry in life.task.plan.entries if entry.poll_after is not None]
    return min(hints, default=None)


def _pace_after(before: Record, hint: Duration | None) -> Said[Duration]:
    """What holds for every client: its own pace, or the provider's where that told a quicker one."""
    is_well = before.reply.status_code < 400 and before.reply.verdict.fault is None
    pace = PACE if is_well else PACE_AFTER_ERROR
    if hint is not None and hint < pace:
        return Said(hint, "as openai-poll-after-ms said")
    return Said(pace, BY_ALL if pace == PACE else f"{BY_ALL} after an error")


def _too_short(case: Case, gap: Gap, length: Duration) -> Evidence:
    return case.evidence(
        f"Request {gap.after.number} polled the task {shown(length)} after request {gap.before.number}.",
        gap.life,
        [gap.before, gap.after],
        shown(length),
        f"at least {shown(gap.limit.value)} less 5%, {gap.limit.by}",
    )


MAX_INTERVAL: Final = Criterion(
    "poll.max_interval",
    "Polls of one task go on",
    "gaps between two polls of one task",
    "No task was polled twice before its end was seen.",
)


_NOBODY_SAYS: Final = "Nobody says how long a gap may be; expect.poll.max_interval would."


def max_interval(case: Case) -> Check:
    """No poll of an unfinished task comes too late after the answer to the one before, where somebody says how late."""
    tally = Tally()
    longest: Duration | None = None
    gaps = (gap for life in case.lives() for gap in _with_most(case, life))
    for gap in _strictest(case, gaps, lambda one, other: one < other):
        length = case.gauge.rest(gap.before, gap.after)
        if isinstance(length, Unknown):
            tally.unsure(length)
            continue
        longest = length if longest is None else max(longest, length)
        most = max(gap.limit.value, _asked_wait(case, gap))
        if length <= most + slack(most):
            tally.fine()
        else:
            tally.fail(partial(_too_long, case, gap, length))
    told = f"{of(tally.failures, tally.judged, MAX_INTERVAL.cases)} were too long"
    told += "." if longest is None else f"; the longest was {shown(max(0, longest))}."
    is_said = any(case.terms(life).said(_most) for life in case.lives())
    criterion = MAX_INTERVAL if is_said else msgspec.structs.replace(MAX_INTERVAL, nothing=_NOBODY_SAYS)
    return concluded(criterion, tally, case, told)


def _most(expected: Expectations) -> Duration | None:
    return expected.poll.max_interval


def _with_most(case: Case, life: Life) -> Iterator[Gap]:
    said = case.terms(life).said(_most)
    if said is None:
        return
    end = end_seen(life)
    for before, after in pairwise(life.polls):
        if (end is None or before.number < end.number) and not is_lost(before):
            yield Gap(before, after, life, said)


def _asked_wait(case: Case, gap: Gap) -> Duration:
    """How long the answer before asked the client to wait: nobody may hold that against it."""
    basis = case.gauge.basis(gap.before, gap.after)
    asked = None if isinstance(basis, Unknown) else retry_after(gap.before, basis)
    return max(asked if isinstance(asked, int) else 0, poll_after(gap.before.reply) or 0)


def _too_long(case: Case, gap: Gap, length: Duration) -> Evidence:
    return case.evidence(
        f"Request {gap.after.number} polled the task {shown(length)} after the answer to request {gap.before.number}.",
        gap.life,
        [gap.before, gap.after],
        shown(length),
        f"at most {shown(gap.limit.value)} and 5%, {gap.limit.by}",
    )


# The end


def end_seen(life: Life) -> Record | None:
    """The first poll whose answer told that the task has ended."""
    return next((record for record, snapshot in life.looks if shows_end(life, record, snapshot)), None)


AFTER_TERMINAL: Final = Criterion(
    "poll.after_terminal",
    "Polls stop at the end",
    "tasks whose end was seen",
    "No answer to a poll showed the end of a task.",
)


def after_terminal(case: Case) -> Check:
    """A task isn't polled once an answer has told that it has ended."""
    tally = Tally()
    for life in case.lives():
        end = end_seen(life)
        if end is None:
            continue
        said = case.terms(life).said_or(lambda expected: expected.poll.after_terminal, 0)
        late = [record for record in _polls_after(case, life, end) if case.asks_about(record)]
        if not late and not case.asks_about(end):
            continue
        if len(late) <= said.value:
            tally.fine()
        else:
            tally.fail(partial(_polled_on, case, life, [end, *late], said))
    told = f"{of(tally.failures, tally.judged, 'tasks')} were polled on after their end was seen."
    return concluded(AFTER_TERMINAL, tally, case, told)


def _polls_after(case: Case, life: Life, end: Record) -> Iterator[Record]:
    """The polls that nothing was left to ask by."""
    asks_for_link = False
    for record in sorted((*life.polls, *life.fetches), key=lambda record: record.number):
        if record.number <= end.number:
            continue
        if record.operation != "poll":
            # Told that the link has died, a client asks for another.
            asks_for_link = record.reply.expired
        elif asks_for_link:
            asks_for_link = False
        elif case.gauge.was_answered(end, record):
            yield record


def _polled_on(case: Case, life: Life, records: list[Record], said: Said[int]) -> Evidence:
    count = len(records) - 1
    return case.evidence(
        f"Request {records[0].number} showed the end of the task, and {count} more "
        f"{'poll' if count == 1 else 'polls'} came after it.",
        life,
        records,
        str(count),
        f"at most {said.value}, {said.by}",
    )
