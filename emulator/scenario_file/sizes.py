"""Sizes in bytes, as scenario files write them."""

import re
from typing import Final

from emulator.core.sizes import PATTERN, UNITS, format_size, parse_size
from emulator.scenario_file.kinds import Simple, Wrong
from emulator.scenario_file.nodes import Scalar

EXAMPLE: Final = "a size such as 200MB or 64KiB"
_AMOUNT: Final = r"(\d{1,15}(?:\.\d{1,15})?)\s*([A-Za-z]*)"
MEANT: Final = {
    **{unit.lower(): unit for unit in UNITS if unit != "KB"},
    **{unit[0].lower(): unit for unit in ("kB", "MB", "GB", "TB")},
    **{unit[:2].lower(): unit for unit in ("KiB", "MiB", "GiB", "TiB")},
    "bytes": "B",
    "byte": "B",
    "kilobytes": "kB",
    "megabytes": "MB",
    "gigabytes": "GB",
}
"""Units as people write them, in lower case."""


def size(least: int, most: int, below: str) -> Simple[int]:
    """A kind that takes a size between two, both inside; ``below`` says why there is nothing less."""

    def parse(scalar: Scalar) -> int:
        try:
            value = parse_size(scalar.text)
        except ValueError:
            raise Wrong(hint=_hint(scalar)) from None
        if value < least:
            raise Wrong(hint=below)
        if value > most:
            raise Wrong(hint=f"{format_size(most)} is the most")
        return value

    schema = {"type": "string", "pattern": f"^{PATTERN}$", "examples": ["200MB", "64KiB"]}
    return Simple(EXAMPLE, parse, schema, "size")


def _hint(scalar: Scalar) -> str | None:
    found = re.fullmatch(_AMOUNT, scalar.text.strip().replace("_", "").replace(",", ""), re.A)
    if found is None:
        return None
    if not found[2]:
        return "it needs a unit" if "." in found[1] else f"it needs a unit: {found[1]}B, for bytes"
    meant = MEANT.get(found[2].lower())
    return None if meant is None else f"write {found[1]}{meant}"
