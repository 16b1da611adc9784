"""Whether a client waits as long as answers ask it to."""

from collections.abc import Callable, Hashable, Iterator
from functools import partial
from typing import Final

import msgspec

from emulator.core.expectations import Expectations
from emulator.core.units import Duration
from emulator.core.words import OperationName
from emulator.journal import Record
from emulator.messages.report import Basis, Check, Evidence
from emulator.report.findings import Case, Criterion, Tally, concluded, of, shown
from emulator.report.gauge import Unknown
from emulator.report.history import Life, caller, identity, is_listing, is_lost, tasks_in
from emulator.report.terms import Said, slack
from emulator.report.waits import field_of, poll_after, retry_after


class Hint(msgspec.Struct, frozen=True):
    """One way in which an answer asks for a wait."""

    header: str
    criterion: Criterion
    asked: Callable[[Record, Basis], Duration | Unknown | None]
    expected: Callable[[Expectations], bool | None]
    counts: Callable[[Record], bool]
    """Which requests it speaks of."""


RETRY_AFTER: Final = Hint(
    "Retry-After",
    Criterion(
        "poll.honours_retry_after",
        "Retry-After is honoured",
        "waits that Retry-After asked for",
        "No request came after an answer with a Retry-After.",
    ),
    retry_after,
    lambda expected: expected.poll.honours_retry_after,
    lambda record: record.operation is not None,
)
POLL_AFTER: Final = Hint(
    "openai-poll-after-ms",
    Criterion(
        "poll.honours_poll_after",
        "openai-poll-after-ms is honoured",
        "waits that openai-poll-after-ms asked for",
        "No poll came after an answer with an openai-poll-after-ms.",
    ),
    lambda record, _basis: poll_after(record.reply),
    lambda expected: expected.poll.honours_poll_after,
    lambda record: record.operation == OperationName.POLL and not is_listing(record),
)


class Wait(msgspec.Struct, frozen=True):
    """An answer that may ask for a wait, and the next request that it speaks of."""

    before: Record
    after: Record
    life: Life | None


def honours(hint: Hint, case: Case) -> Check:
    """The next request after an answer that asks for a wait comes when the wait is over."""
    tally = Tally()
    for wait in _waits(hint, case):
        _judge(hint, case, wait, tally)
    told = f"{of(tally.failures, tally.judged, hint.criterion.cases)} were cut short."
    return concluded(hint.criterion, tally, case, told)


def _waits(hint: Hint, case: Case) -> Iterator[Wait]:
    """Each pair of requests once, though batches name many tasks."""
    asking: dict[Hashable, Record] = {}
    given: set[tuple[int, int]] = set()
    field = hint.header.lower().encode()
    for record in case.history.records:
        asks = field_of(record.reply, field) is not None and not is_lost(record)
        # Mostly nobody asks, and then nothing needs to be known of the request.
        if not (asks or asking) or not hint.counts(record):
            continue
        for subject, life in _subjects(record, case):
            before = asking.pop(subject, None)
            if asks:
                asking[subject] = record
            if before is None or not case.asks_about(record) or not case.judges(life):
                continue
            if (before.number, record.number) not in given:
                given.add((before.number, record.number))
                yield Wait(before, record, life)


def _subjects(record: Record, case: Case) -> Iterator[tuple[Hashable, Life | None]]:
    """What a wait that the answer asks for is about: the operation, with this key, on this task."""
    what = (record.operation, None if record.provider is None else record.provider.name, caller(record))
    lives = case.history.lives
    found = [] if record.operation == OperationName.CREATE else list(tasks_in(record.reply))
    for task, _ in found:
        yield (*what, identity(task)), lives[identity(task)]
    if record.operation == OperationName.CREATE:
        yield what, None
    elif not found:
        # A task that nobody knows is what the request says.
        yield (*what, record.path, record.query, record.body), None


def _judge(hint: Hint, case: Case, wait: Wait, tally: Tally) -> None:
    basis = case.gauge.basis(wait.before, wait.after)
    asked = hint.asked(wait.before, "real" if isinstance(basis, Unknown) else basis)
    if asked is None or asked == 0:
        return
    said = case.terms(wait.life).said_or(hint.expected, True)
    rest = case.gauge.rest(wait.before, wait.after)
    if not said.value:
        tally.waive(said.by)
    elif isinstance(rest, Unknown):
        tally.unsure(rest)
    elif isinstance(asked, Unknown):
        tally.unsure(asked)
    elif rest < 0:
        return  # it came before the answer that asks for the wait
    elif rest >= asked - slack(asked):
        tally.fine()
    else:
        tally.fail(partial(_cut_short, hint, case, wait, (rest, asked), said))


def _cut_short(
    hint: Hint, case: Case, wait: Wait, times: tuple[Duration, Duration], said: Said[bool]
) -> Evidence:
    rest, asked = times
    return case.evidence(
        f"The answer to request {wait.before.number} asked for a wait of {shown(asked)} ({hint.header}), and "
        f"request {wait.after.number} came {shown(rest)} after it.",
        wait.life,
        [wait.before, wait.after],
        shown(rest),
        f"at least {shown(asked)} less 5%, {said.by}",
    )
