"""Sizes: whole numbers of bytes; text forms exist only at the edges."""

import re
from typing import Final

_UNITS: Final = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 1 << 10,
    "MiB": 1 << 20,
    "GiB": 1 << 30,
}
"""As they are written: by tens, and by twos."""
_SHOWN: Final = ("GiB", "GB", "MiB", "MB", "KiB", "kB", "B")
_SIZE: Final = re.compile(rf"(\d{{1,15}})(\.\d{{1,9}})?\s*({'|'.join(_UNITS)})", re.A)
PATTERN: Final = rf"\d+(\.\d+)?\s*({'|'.join(_UNITS)})"
"""What a size looks like, for a JSON Schema."""


def parse_size(text: str) -> int:
    """The bytes that ``1KiB``, ``1.5MB`` or ``200B`` name; ``ValueError`` for anything else."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a size such as 512B, 64KiB or 200MB, got {text[:100]!r}")
    whole, fraction, unit = found.groups()
    return int(whole) * _UNITS[unit] + round(float(f"0{fraction or '.0'}") * _UNITS[unit])


def format_size(size: int) -> str:
    """``64KiB`` for 65536: the largest unit that it is a whole number of, which `parse_size` reads back."""
    unit = next(unit for unit in _SHOWN if size % _UNITS[unit] == 0) if size else "B"
    return f"{size // _UNITS[unit]}{unit}"
