"""What goes wrong on the wire: faults with the place where they strike, and bodies that come slowly."""

import re
from typing import Any, Final

from emulator.core.effects import Fault, Place, SlowBody
from emulator.core.sizes import PATTERN, format_size, parse_size
from emulator.core.words import FaultName
from emulator.scenario_file import wording
from emulator.scenario_file.kinds import ByShape, Kind, Mapped, Simple, Wrong, enum_word
from emulator.scenario_file.nodes import Node, Scalar, value_of
from emulator.scenario_file.report import Path, Report
from emulator.scenario_file.sizes import MEANT
from emulator.scenario_file.tables import AtLeastOne, AtMostOne, Key, Record, Table
from emulator.scenario_file.times import DURATION
from emulator.scenario_file.values import SHARE

# Sizes

LARGEST: Final = 1 << 40
"""Larger ones are typing mistakes."""
_LOOSE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)", re.A)


def _checked_size(written: str) -> int:
    try:
        size = parse_size(written)
    except ValueError:
        raise Wrong(hint=_size_hint(written)) from None
    if size > LARGEST:
        raise Wrong(hint=f"the largest is {format_size(LARGEST)}")
    return size


def _size_hint(written: str) -> str | None:
    if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", written, re.A):
        return f"write {written}{'KiB' if '.' in written else 'B'}"
    loose = _LOOSE.fullmatch(written) if len(written) <= 60 else None
    unit = None if loose is None else MEANT.get(loose[2].lower())
    return None if loose is None or unit is None else f"write {loose[1]}{unit}"


# Where in a body


def _place(scalar: Scalar) -> Place:
    number = _number(scalar)
    if scalar.text.endswith("%") or (number is not None and 0 <= number <= 1):
        share = SHARE.parse(scalar)
        if share == 1:
            raise Wrong(hint="with the whole body sent nothing would be wrong with it: write 99%, or less")
        return Place(share=share)
    if number is not None:
        raise Wrong(hint=_unit_hint(scalar.text, number))
    return Place(size=_checked_size(scalar.text))


def _number(scalar: Scalar) -> int | float | None:
    value = value_of(scalar)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _unit_hint(written: str, number: float) -> str | None:
    if number < 0:
        return "it can't be negative"
    return f"write {written}%, or {written}B for bytes" if number < 100 else _size_hint(written)


PLACE: Final = Simple(
    "a share of the body such as 50%, or a size such as 1KiB",
    _place,
    {
        "anyOf": [
            {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            {"type": "string", "pattern": rf"^(\d{{1,2}}(\.\d+)?\s*%|{PATTERN})$"},
        ],
        "examples": ["50%", "1KiB"],
    },
    "place",
)

# Faults

_HALF: Final = Place(share=0.5)
_PLACED: Final = {
    FaultName.CONNECTION_RESET: "The connection is reset after so much of the body.",
    FaultName.TRUNCATE_BODY: "The connection is closed after so much of the body; the whole length is announced.",
    FaultName.STALL: "After so much of the body nothing more comes, and the connection stays open.",
}
"""Those that take a place."""
_PLACED_BY_ITSELF: Final = frozenset({FaultName.TRUNCATE_BODY, FaultName.STALL})
"""Those that strike in the middle of the body where no place is said."""
_NAME: Final[Kind[FaultName]] = enum_word("a fault such as connection_reset", FaultName, wording.FAULTS)
_KEYS: Final = tuple(Key(name.value, PLACE, about) for name, about in _PLACED.items())


def _alone(name: FaultName) -> Fault:
    return Fault(name=name, place=_HALF if name in _PLACED_BY_ITSELF else None)


def _placed(record: Record) -> Fault:
    key = next(key for key in _KEYS if key in record)
    return Fault(name=FaultName(key.word), place=record[key])


class _Faults(Table[Fault]):
    """A fault and where it strikes. A name that stands in its key's place, wrongly, is told by what is right."""

    def _unknown(self, key: Scalar, value: Node, record: Record) -> None:
        record.has_unknown = True
        if key.text in list(FaultName):
            message = f"{key.text!r} strikes the whole answer, so it takes no place"
            record.mistake(key, message, f"write fault: {key.text}", "unknown-key")
            return
        hint = wording.did_you_mean(key.text, tuple(FaultName), wording.FAULTS)
        message = f"unknown key {wording.quoted(key.text)}"
        record.mistake(key, message, hint or wording.one_of(self.keys), "unknown-key")


FAULT: Final[Kind[Fault]] = ByShape(
    "a fault such as connection_reset, or {truncate_body: 50%}",
    Mapped(_NAME, _alone),
    _Faults(
        "fault",
        _KEYS,
        _placed,
        constraints=(AtMostOne(*_KEYS, hint="a rule has one fault"), AtLeastOne(*_KEYS)),
        about="A fault, and after how much of the body it strikes.",
    ),
)

# Slow bodies


class _Longer:
    """A duration that isn't nothing."""

    expected = DURATION.expected

    def read(self, node: Node, path: Path, report: Report) -> int | None:
        value = DURATION.read(node, path, report)
        if value == 0:
            report.mistake(
                "wrong-value", node, path, "a body that takes no time isn't slow", "leave slow_body out"
            )
        return value

    def schema(self, defs: Any) -> Any:
        return DURATION.schema(defs)


def _rate(scalar: Scalar) -> int:
    size, slash, second = scalar.text.partition("/")
    size = size.strip()
    if not slash or second.strip() != "s":
        bare = _size_hint(size)
        meant = size if _is_size(size) else (bare or "").removeprefix("write ")
        raise Wrong(hint=f"write {meant}/s" if _is_size(meant) else None)
    try:
        rate = _checked_size(size)
    except Wrong as wrong:
        raise Wrong(
            hint=f"{wrong.hint}/s" if (wrong.hint or "").startswith("write") else wrong.hint
        ) from None
    if rate == 0:
        raise Wrong(hint="at this rate nothing would ever come: that is fault: {stall: 0%}")
    return rate


def _is_size(written: str) -> bool:
    try:
        parse_size(written)
    except ValueError:
        return False
    return True


RATE: Final = Simple(
    "a rate such as 64KiB/s",
    _rate,
    {"type": "string", "pattern": rf"^{PATTERN}\s*/\s*s$", "examples": ["64KiB/s"]},
    "rate",
)
_OVER = Key("over", _Longer(), "How long the whole body takes.")
_RATE = Key("rate", RATE, "How many bytes come in a second.")


class _SlowBodies(Table[SlowBody]):
    """What a slow body is like. Where a scalar stands, it tells which of the keys is meant."""

    def _written_out(self, node: Node) -> str | None:
        if not isinstance(node, Scalar):
            return None
        key = _RATE if "/" in node.text else _OVER
        return f"write {{{key.word}: {node.text[:60]}}}"


SLOW_BODY: Final = _SlowBodies(
    "slow body",
    (_OVER, _RATE),
    lambda record: SlowBody(over=record.get(_OVER), rate=record.get(_RATE)),
    constraints=(AtMostOne(_OVER, _RATE), AtLeastOne(_OVER, _RATE)),
    about="The body comes in pieces, slowly; its length is right.",
)
