"""The judgement: how many requests fit, how many more may, and which came nearest."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from typing import Final

import msgspec

from emulator.engine import Namespace
from emulator.journal import Record
from emulator.messages.verify import Verification
from emulator.redaction import Redactor
from emulator.verification.criteria import Criterion, criteria_of
from emulator.verification.hints import comparable, name_hints, path_hints
from emulator.verification.pattern import Expected, Pattern, requests
from emulator.verification.telling import Teller, secrets_of

NEAREST: Final = 5
NUMBERS: Final = 100
_LISTED: Final = 10
"""How many counted requests the text names."""


class _Tally(msgspec.Struct):
    count: int = 0
    undecided: int = 0
    latest: deque[Record] = msgspec.field(default_factory=lambda: deque(maxlen=NUMBERS))


def verify(pattern: Pattern, expected: Expected, namespace: Namespace) -> Verification:
    """Whether as many requests as expected fit the pattern, and if not, why not."""
    records = list(namespace.journal)
    criteria = tuple(criteria_of(pattern, namespace.name))
    tally = _tallied(criteria, records)
    dropped = _relevant_drops(pattern, namespace.journal.dropped, records)
    verified = expected.holds(tally.count, tally.count + tally.undecided + dropped)
    is_too_many = expected.most is not None and tally.count > expected.most
    is_too_few = tally.count < expected.least
    near = [] if verified or is_too_many else _nearest(criteria, records, only_undecided=not is_too_few)
    listed = list(tally.latest)[-_LISTED:]
    alike = comparable(records) if is_too_few else []
    redactor = Redactor(secrets_of(pattern, records, (*near, *listed, *alike)))
    teller = Teller(criteria, redactor)
    found = Verification(
        verified=verified,
        expected=str(expected),
        count=tally.count,
        numbers=[record.number for record in tally.latest],
        undecided=tally.undecided,
        dropped=dropped,
        nearest=[teller.near(record) for record in near],
        notes=[] if verified else list(_notes(tally, dropped)),
        text="",
    )
    hints = list(name_hints(pattern, records, alike, redactor)) if is_too_few else []
    if is_too_few and not near and not listed:
        hints += path_hints(pattern, namespace.name, alike, redactor)
    text = "\n".join((*teller.lines(found, listed, len(records)), *(f"  {hint}" for hint in hints)))
    return msgspec.structs.replace(found, text=text)


# Counting


def _tallied(criteria: Sequence[Criterion], records: Iterable[Record]) -> _Tally:
    tally = _Tally()
    for record in records:
        fits = _fits(criteria, record)
        if fits:
            tally.count += 1
            tally.latest.append(record)
        elif fits is None:
            tally.undecided += 1
    return tally


def _fits(criteria: Sequence[Criterion], record: Record) -> bool | None:
    """Whether all criteria hold; ``None``: none fails, but some can't be judged."""
    fits: bool | None = True
    for criterion in criteria:
        holds = criterion.holds(record)
        if holds is False:
            return False
        fits = fits and holds
    return fits


def _relevant_drops(pattern: Pattern, dropped: int, records: Sequence[Record]) -> int:
    """How many of the dropped entries may have fitted: the oldest are dropped, and numbers and clock only rise."""
    if pattern.since is not None and records and records[0].reply.now < pattern.since:
        return 0
    return max(0, dropped - (pattern.after or 0))


def _nearest(
    criteria: Sequence[Criterion], records: Iterable[Record], *, only_undecided: bool
) -> list[Record]:
    """What doesn't fit, but nearly: by how many criteria hold, then the latest. Nothing absurd is compared."""
    near = []
    for record in records:
        holding = [criterion.holds(record) for criterion in criteria]
        is_near = not only_undecided and any(
            holds and criterion.tells for holds, criterion in zip(holding, criteria, strict=True)
        )
        if not all(holding) and (is_near or False not in holding):
            near.append((holding.count(True), record.number, record))
    return [record for _, _, record in nlargest(NEAREST, near, key=lambda found: found[:2])]


def _notes(tally: _Tally, dropped: int) -> Iterator[str]:
    if tally.undecided:
        them = "it" if tally.undecided == 1 else "them"
        yield f"{requests(tally.undecided)} can't be judged: what is asked of {them} wasn't kept whole"
    if dropped:
        were = "was" if dropped == 1 else "were"
        yield (
            f"{requests(dropped)} of before {were} dropped from the journal and may have fitted; ask for less with "
            f"since or after, or keep more with --journal-entries"
        )
    if tally.undecided or dropped:
        high = tally.count + tally.undecided + dropped
        yield f"so the true count lies between {tally.count} and {high}"
