"""How long answers let wait: what is usual, and which calls took much longer."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median_low
from typing import Final

import msgspec

from emulator.core.units import MILLISECOND, SECOND, Duration
from emulator.recorder.draft import Draft, Mishap
from emulator.recorder.runs import Act
from emulator.recorder.stretches import Json, Span, spread

NOTICEABLE: Final[Duration] = 150 * MILLISECOND
"""What a proxy and a network add anyway."""
_UNIT: Final = 10 * MILLISECOND
_MANY_TIMES: Final = 3
_FAR: Final[Duration] = 300 * MILLISECOND
_LONGEST: Final[Duration] = 600 * SECOND


class Latency(msgspec.Struct, frozen=True):
    """The latency of a recording."""

    usual: Span | None
    """``None``: nothing that anybody would notice."""
    middle: Duration

    def defaults(self) -> Json:
        """The keys of ``defaults``."""
        return {} if self.usual is None else {"delay": spread(self.usual)}

    def stands_out(self, latency: Duration) -> bool:
        """Whether a call took so much longer than the others that it needs a rule of its own."""
        return latency > NOTICEABLE and latency > self.middle * _MANY_TIMES and latency - self.middle > _FAR


def latency_of(acts: Sequence[Act]) -> Latency:
    """What is usual among the exchanges."""
    waits = sorted(act.read.seen.latency for act in acts)
    if not waits:
        return Latency(None, 0)
    middle = median_low(waits)
    usual = [wait for wait in waits if not Latency(None, middle).stands_out(wait)] or [middle]
    if middle <= NOTICEABLE:
        return Latency(None, middle)
    return Latency((_tidy(usual[0]), _tidy(usual[-1])), middle)


def _tidy(wait: Duration) -> Duration:
    return min(_LONGEST, max(_UNIT, round(wait / _UNIT) * _UNIT))


def delayed(draft: Draft, latency: Latency) -> Draft:
    """The draft with a delay for each call that stands out."""
    slow = {(act.read.name, act.call): act for act in draft.run.acts if latency.stands_out(_of(act))}
    told = [
        msgspec.structs.replace(one, told={**one.told, **_delay(slow.pop((one.operation, one.call)))})
        if (one.operation, one.call) in slow and not one.is_patch
        else one
        for one in draft.mishaps
    ]
    return msgspec.structs.replace(draft, mishaps=(*told, *_alone(slow.values())))


def _of(act: Act) -> Duration:
    return act.read.seen.latency


def _alone(acts: Iterable[Act]) -> Iterator[Mishap]:
    for act in acts:
        yield Mishap(act.read.name, act.call, act.place, _delay(act))


def _delay(act: Act) -> Json:
    return {"delay": spread((_tidy(_of(act)),) * 2)}
