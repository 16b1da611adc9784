"""Sizes: whole numbers of bytes, and how they are written: ``200MB`` and ``64KiB``."""

import re
from typing import Final

UNITS: Final[dict[str, int]] = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
"""What each unit is in bytes, as IEC 80000-13 has it: with an ``i`` powers of 1024, without it powers of 1000.

``KB`` is no unit of anybody's, and written by everybody."""

PATTERN: Final = rf"\d{{1,15}}(?:\.\d{{1,15}})?\s*(?:{'|'.join(UNITS)})"
"""What a size looks like. More digits than these are no size of anything."""
_WHOLE: Final = r"(\d{1,15})(?:\.(\d{1,15}))?\s*([A-Za-z]+)"


def parse_size(text: str) -> int:
    """The bytes that ``200MB``, ``1.5GB`` or ``64KiB`` names, rounded down; ``ValueError`` for anything else."""
    found = re.fullmatch(_WHOLE, text, re.A)
    if found is None or found[3] not in UNITS:
        raise ValueError(f"expected a size such as 200MB or 64KiB, got {text[:100]!r}")
    whole, fraction, unit = int(found[1]), found[2] or "", UNITS[found[3]]
    return whole * unit + int(fraction or 0) * unit // int(f"1{'0' * len(fraction)}")


def format_size(size: int) -> str:
    """``200MB`` for 200,000,000 bytes: the shortest text that `parse_size` reads back."""
    fitting = ((size // of, unit) for unit, of in UNITS.items() if size and size % of == 0)
    count, unit = min(fitting, default=(size, "B"), key=lambda found: found[0])
    return f"{count}{unit}"
