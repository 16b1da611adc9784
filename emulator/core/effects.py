"""What a scenario can do to an answer: an error in the provider's words, a raw answer, a fault, a slow body."""

from typing import Any, Final, Literal

import msgspec

from emulator.core.units import SECOND, Duration
from emulator.core.words import ErrorName, FaultName


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag="failure"):
    """An error as a scenario words it: a named one, with or without words of the author's own."""

    name: ErrorName | None = None
    code: str | None = None
    message: Any = None
    shape: Literal["object", "string"] = "object"


class Respond(msgspec.Struct, frozen=True, kw_only=True, tag="respond"):
    """A raw answer, written out by the author."""

    status_code: int = 200
    headers: tuple[tuple[str, Any], ...] = ()
    body: Any = None
    """A JSON value, or a text where `is_text`; either may hold templates."""
    is_text: bool = False


class Place(msgspec.Struct, frozen=True):
    """After how much of a body something happens: a share of it from 0 to below 1, or a number of bytes."""

    share: float | None = None
    size: int | None = None

    def within(self, length: int) -> int:
        """How many bytes of a body of this length come before it; at least the last one doesn't."""
        before = round(length * self.share) if self.share is not None else self.size or 0
        return max(0, min(before, length - 1))


class Fault(msgspec.Struct, frozen=True, kw_only=True, tag="fault"):
    """Something wrong with an answer on the wire. What is answered stays what it would have been."""

    name: FaultName
    place: Place | None = None
    """Where in the body it strikes. A reset without one comes before the answer does."""


CONTENT_FAULTS: Final = frozenset(
    {FaultName.WRONG_CONTENT_TYPE, FaultName.INVALID_JSON, FaultName.HTML_ERROR_PAGE}
)
"""Those that are wrong with what is said, in an answer that is whole as HTTP: they need no connection of their own."""


def is_of_wire(fault: Fault | None) -> bool:
    """Whether the fault keeps a client from getting the answer whole: nothing in it can be held against the client."""
    return fault is not None and fault.name not in CONTENT_FAULTS


HEADLESS_FAULTS: Final = frozenset({FaultName.EMPTY_RESPONSE, FaultName.HANG, FaultName.RANDOM_DATA})
"""Those of which nobody sees a status code or a header."""


def is_headless(fault: Fault) -> bool:
    """Whether nobody sees a status code or a header."""
    return fault.name in HEADLESS_FAULTS or (fault.name is FaultName.CONNECTION_RESET and fault.place is None)


class SlowBody(msgspec.Struct, frozen=True, kw_only=True):
    """A body that comes in pieces, slowly: all of it within a time, or so many bytes in a second."""

    over: Duration | None = None
    rate: int | None = None

    def lasts(self, length: int) -> Duration:
        """How long a body of this length takes."""
        if self.over is not None:
            return self.over
        return 0 if self.rate is None else -(-length * SECOND // self.rate)
