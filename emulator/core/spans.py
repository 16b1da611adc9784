"""Spans of call numbers or of time: ``3``, ``2-4``, ``5+``, ``every 5``; ``0s-2s``, ``2m+``."""

import msgspec


class Span(msgspec.Struct, frozen=True, gc=False):
    """One span. Bounds are call numbers (both ends inside) or durations in microseconds (``high`` outside)."""

    low: int
    high: int | None = None
    """``None``: open to the right."""
    every: int | None = None
    """Every how manieth call, in place of bounds."""


def holds_call(spans: tuple[Span, ...], number: int) -> bool:
    """Whether any span takes the call of this number (the first is 1)."""
    return any(_takes(span, number) for span in spans)


def _takes(span: Span, number: int) -> bool:
    if number < span.low:
        return False
    if span.every is not None:
        return number % span.every == 0
    return span.high is None or number <= span.high


def holds_time(spans: tuple[Span, ...], elapsed: int) -> bool:
    """Whether any span takes an elapsed time; ``0s-2s`` and ``2s+`` share no instant."""
    return any(s.low <= elapsed and (s.high is None or elapsed < s.high) for s in spans)
