"""How long an answer asked its client to wait."""

from datetime import UTC
from typing import Final

from emulator.core.units import MILLISECOND, SECOND, Duration, Instant
from emulator.exchanges import Reply
from emulator.journal import Record
from emulator.messages.report import Basis
from emulator.report.gauge import Unknown

DATE: Final = Unknown(
    "Retry-After is a date by the emulator's clock, and nobody can know by which clock the client reads dates"
)
_MOST_DIGITS: Final = 9


def retry_after(record: Record, basis: Basis) -> Duration | Unknown | None:
    """What ``Retry-After`` asked for; ``None``: nothing that can be read.

    RFC 9110, 10.2.3: seconds or a date. ``retry-after-ms`` is what OpenAI's clients look at first.
    """
    reply = record.reply
    milliseconds = _whole(field_of(reply, b"retry-after-ms"))
    value = field_of(reply, b"retry-after")
    if value is None:
        return None
    seconds = _whole(value)
    wait = _until(value, record, basis) if seconds is None else seconds * SECOND
    if milliseconds is None or wait is None or isinstance(wait, Unknown):
        return wait
    return min(wait, milliseconds * MILLISECOND)


def poll_after(reply: Reply) -> Duration | None:
    """What ``openai-poll-after-ms`` asked for; ``None``: nothing that can be read."""
    milliseconds = _whole(field_of(reply, b"openai-poll-after-ms"))
    return None if milliseconds is None else milliseconds * MILLISECOND


def field_of(reply: Reply, name: bytes) -> bytes | None:
    """The value of a header that was sent, if it was."""
    return next((value.strip() for field, value in reply.headers if field == name), None)


def _whole(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) <= _MOST_DIGITS else None


def _until(value: bytes, record: Record, basis: Basis) -> Duration | Unknown | None:
    date = _date(value)
    if date is None:
        return None
    by_emulator = date - record.reply.now
    if basis == "emulator":
        return max(0, by_emulator)
    # A client counts from the answer's own Date, or from its own clock: it must wait for the shorter of both.
    by_machine = date - record.wall
    if by_emulator > 0 >= by_machine:
        return DATE
    return max(0, min(by_emulator, by_machine))


def _date(value: bytes) -> Instant | None:
    # Imported when first used: dates are rare.
    from email.utils import parsedate_to_datetime  # noqa: PLC0415

    try:
        date = parsedate_to_datetime(value.decode("latin-1"))
    except (ValueError, TypeError, OverflowError):
        return None
    return int(date.replace(tzinfo=date.tzinfo or UTC).timestamp()) * SECOND
