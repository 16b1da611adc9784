"""Spreads: a duration, or what one is drawn from."""

from math import exp, log

import msgspec

from emulator.core import seeded
from emulator.core.units import DAY, Duration


class Uniform(msgspec.Struct, frozen=True, tag="uniform"):
    """A duration drawn evenly between two."""

    low: Duration
    high: Duration


class Lognormal(msgspec.Struct, frozen=True, tag="lognormal"):
    """A duration drawn around a median, with the long tail that real latencies have."""

    median: Duration
    sigma: float


Spread = int | Uniform | Lognormal
"""A duration, or what one is drawn from."""


def drawn(spread: Spread, key: bytes, purpose: str, number: int = 0) -> Duration:
    """The duration that a spread gives for one purpose (and call number) under one key."""
    if isinstance(spread, int):
        return spread
    if isinstance(spread, Uniform):
        return spread.low + int(seeded.fraction(key, purpose, number) * (spread.high - spread.low))
    if spread.median == 0:
        return 0
    normal = seeded.generator(key, purpose, number).gauss(log(spread.median), spread.sigma)
    return min(int(exp(min(normal, 60.0))), 1000 * DAY)
