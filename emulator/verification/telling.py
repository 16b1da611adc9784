"""What became of an expectation, for programs and for people. Keys are never shown."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

import msgspec

from emulator.journal import Record
from emulator.messages import verify as messages
from emulator.redaction import Redactor, is_secret, presented
from emulator.verification.criteria import Criterion
from emulator.verification.pattern import Pattern, requests
from emulator.verification.received import fields_in
from emulator.verification.wording import cut, texts_in

_MOST_KEYS: Final = 200
"""Keys of other requests that what is shown is searched for: a pattern may name any of them."""
_WHERE_KEYS_STAND: Final = (b"authorization", b"proxy-authorization", b"x-api-key")
_MARKS: Final = {True: "✓", False: "✗", None: "?"}


class Teller(msgspec.Struct, frozen=True):
    """Tells of requests, without their keys."""

    criteria: Sequence[Criterion]
    redactor: Redactor

    def near(self, record: Record) -> messages.NearRequest:
        """A request, with every criterion held against it."""
        return messages.NearRequest(
            number=record.number,
            method=cut(record.method),
            path=self.path(record),
            status_code=record.reply.status_code,
            criteria=[self.judged(criterion, record) for criterion in self.criteria],
        )

    def judged(self, criterion: Criterion, record: Record) -> messages.Criterion:
        """What one criterion makes of it."""
        return messages.Criterion(
            criterion=self.name(criterion),
            expected=criterion.asked(self.redactor),
            got=criterion.came(record, self.redactor),
            holds=criterion.holds(record),
        )

    def name(self, criterion: Criterion) -> str:
        """What the criterion is called: a field of a request may be called anything."""
        return cut(self.redactor.text(criterion.name))

    def path(self, record: Record) -> str:
        """Where a request went."""
        return cut(self.redactor.text(record.path))

    def lines(self, found: messages.Verification, listed: Sequence[Record], looked_at: int) -> Iterator[str]:
        """The whole answer, line by line."""
        yield f"{_MARKS[found.verified]} expected {found.expected}, got {found.count}"
        asked = ", ".join(f"{self.name(one)} {one.asked(self.redactor)}" for one in self.criteria)
        yield f"  of: {asked or 'any request'}"
        if found.verified:
            return
        yield from (f"  {note}" for note in found.notes)
        if listed:
            yield f"  counted{f' (the latest {len(listed)})' if found.count > len(listed) else ''}:"
        for record in listed:
            yield f"    {_named(record.number, record.method, self.path(record), record.reply.status_code)}"
        if found.nearest:
            yield "  nearest:"
        for near in found.nearest:
            yield from _near_lines(near)
        if not listed and not found.nearest:
            yield f"  nothing came near, of {requests(looked_at)} in the journal"


def _near_lines(near: messages.NearRequest) -> Iterator[str]:
    yield f"    {_named(near.number, near.method, near.path, near.status_code)}"
    for one in near.criteria:
        told = one.expected if one.holds else f"expected {one.expected}, got {one.got}"
        yield f"      {_MARKS[one.holds]} {one.criterion}: {told}"


def _named(number: int, method: str, path: str, status_code: int) -> str:
    return f"#{number} {cut(method)} {path} {status_code}"


# Keys


def secrets_of(pattern: Pattern, records: Sequence[Record], shown: Iterable[Record]) -> Iterator[str]:
    """What isn't shown: keys of the requests that are, keys presented lately, and what the pattern says of keys."""
    for record in shown:
        fields = fields_in(record.body) if record.body else None
        text = "" if isinstance(fields, dict | list) else record.body.decode("utf-8", "replace")
        yield from presented(record.headers, record.query, fields, text)
    for name, value in islice(_credentials(reversed(records)), _MOST_KEYS):
        yield from presented({name: value})
    if pattern.key is not None:
        yield from texts_in(pattern.key)
    for line in pattern.match:
        if is_secret(line.field):
            yield from texts_in(line.matcher)


def _credentials(records: Iterable[Record]) -> Iterable[tuple[bytes, bytes]]:
    named = ((name, record.headers.get(name)) for record in records for name in _WHERE_KEYS_STAND)
    return dict.fromkeys((name, value) for name, value in named if value is not None)
