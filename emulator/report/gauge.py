"""How long it was from one request to another, on the clock that the client sleeps by, or why nobody can know."""

from typing import Final

import msgspec

from emulator.core.units import Duration, Instant
from emulator.journal import Record
from emulator.messages.report import Basis


class Unknown(msgspec.Struct, frozen=True):
    """What nobody can know."""

    why: str


STANDS: Final = Unknown(
    "under a manual or an auto clock nobody can know by which clock the client sleeps: ask again with clock=emulator "
    "if it sleeps by the emulator's (as a test does whose own sleep advances that clock), or with clock=real"
)
CHANGED: Final = Unknown(
    "the clock's mode changed in between: ask again with clock=real if the client sleeps in real time all along"
)
WENT_BACK: Final = Unknown("the clock went back in between")
SCALE: Final = Unknown(
    "the answer was delayed under a scaled clock whose scale has changed since, so that nobody can know how long"
)
_REAL_TIME: Final = frozenset({"real", "scaled"})
"""Modes under which a client can only sleep in real time."""


class Gauge(msgspec.Struct, frozen=True):
    """Measures gaps."""

    clock: Basis | None = None
    """What the client sleeps by, as whoever asks says; ``None``: what follows from the clock's mode, if anything."""
    scale: float | None = None
    """Of the namespace's clock, where it is scaled now."""

    def gap(self, before: Record, after: Record) -> Duration | Unknown:
        """From the arrival of one request to that of the other."""
        basis = self.basis(before, after)
        return basis if isinstance(basis, Unknown) else _between(before, after, basis)

    def rest(self, before: Record, after: Record) -> Duration | Unknown:
        """From the answer to one request to the arrival of the other; negative: the other came before that answer."""
        basis = self.basis(before, after)
        if isinstance(basis, Unknown):
            return basis
        gap = _between(before, after, basis)
        if isinstance(gap, Unknown):
            return gap
        pause = self._pause(before, basis)
        return pause if isinstance(pause, Unknown) else gap - pause

    def basis(self, before: Record, after: Record) -> Basis | Unknown:
        """The clock that the client slept by between the two."""
        if self.clock is not None:
            return self.clock
        if before.mode != after.mode:
            return CHANGED
        return "real" if before.mode in _REAL_TIME else STANDS

    def _pause(self, record: Record, basis: Basis) -> Duration | Unknown:
        """How long the answer to a request was held back."""
        delay = _held(record)
        if not delay:
            return 0
        if basis == "emulator":
            # Latency passes in real time, and a clock that stands doesn't see it.
            return delay if record.mode in _REAL_TIME else 0
        if record.mode != "scaled":
            return delay
        return SCALE if self.scale is None else int(delay / self.scale)

    def was_answered(self, before: Record, after: Record) -> bool:
        """Whether the one was answered when the other came. Latency is real time, whatever the client sleeps by."""
        held = _held(before)
        if not held:
            return True
        pause = self._pause(before, "real")
        return after.wall - before.wall >= (held if isinstance(pause, Unknown) else pause)


def _held(record: Record) -> Duration:
    """How much later an answer came whole than it could have."""
    slow = record.reply.verdict.slow_body
    return record.reply.delay + (0 if slow is None else slow.lasts(record.answer_size))


def _between(before: Record, after: Record, basis: Basis) -> Duration | Unknown:
    gap = _instant_of(after, basis) - _instant_of(before, basis)
    return gap if gap >= 0 else WENT_BACK


def _instant_of(record: Record, basis: Basis) -> Instant:
    """When a request came, by one clock or the other."""
    return record.wall if basis == "real" else record.reply.now
