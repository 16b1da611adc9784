"""Answers held against each other: what one has and the other hasn't, short of what differs every time."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from emulator.recorder.disguise import MARKS, Disguise

Path = tuple[str | int, ...]


class Absent:
    """Stands where there is no member."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()
_PROGRESS: Final = "progress"


class Drawn(msgspec.Struct, frozen=True):
    """Stands where the emulator's answer is another under another seed at another time."""

    kind: type
    is_empty: bool


class Difference(msgspec.Struct, frozen=True):
    """One place in which a recorded answer differs from the emulator's."""

    path: Path
    recorded: Any
    """`ABSENT`: the emulator prints the member, the provider doesn't."""

    @property
    def place(self) -> str:
        """``response.data.0.id``."""
        return ".".join(map(str, self.path)) or "the whole answer"


def expected(one: Any, other: Any) -> Any:
    """The emulator's answer, with `Drawn` for what another seed at another time changes."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {name: expected(value, other.get(name)) for name, value in one.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [expected(a, b) for a, b in zip(one, other, strict=True)]
    if one == other or isinstance(one, Mapping | list):
        return one
    return Drawn(type(one), not one)


def differences(recorded: Any, one: Any, other: Any, disguise: Disguise) -> tuple[Difference, ...]:
    """Where a recorded value differs from the emulator's.

    Args:
        recorded: what the provider answered.
        one: what the emulator answers.
        other: what it answers under another seed at another time: where the two differ, the value is drawn or dated,
            and only its kind is compared.
        disguise: what is private in any of them.
    """
    return tuple(_differences(disguise.value(recorded), disguise.value(expected(one, other)), ()))


def _differences(recorded: Any, wanted: Any, path: Path) -> Iterator[Difference]:
    if isinstance(recorded, Mapping) and isinstance(wanted, Mapping):
        yield from _in_mappings(recorded, wanted, path)
    elif isinstance(recorded, list) and isinstance(wanted, list) and len(recorded) == len(wanted):
        for number, (one, other) in enumerate(zip(recorded, wanted, strict=True)):
            yield from _differences(one, other, (*path, number))
    elif not _is_alike(recorded, wanted, path):
        yield Difference(path, recorded)


def _in_mappings(recorded: Mapping[str, Any], wanted: Mapping[str, Any], path: Path) -> Iterator[Difference]:
    for name in {**recorded, **wanted}:
        if name not in recorded:
            yield Difference((*path, name), ABSENT)
        elif name not in wanted:
            yield Difference((*path, name), recorded[name])
        else:
            yield from _differences(recorded[name], wanted[name], (*path, name))


def _is_alike(recorded: Any, wanted: Any, path: Path) -> bool:
    if isinstance(wanted, Drawn):
        return type(recorded) is wanted.kind and (wanted.is_empty or bool(recorded))
    if type(recorded) is not type(wanted):
        return False
    if isinstance(recorded, float):
        return True  # measured, or dated
    if isinstance(recorded, int) and path and path[-1] == _PROGRESS:
        return bool(abs(recorded - wanted) <= 1)
    is_hidden = isinstance(recorded, str) and recorded in MARKS
    return bool(recorded == wanted) or (is_hidden and bool(wanted))
