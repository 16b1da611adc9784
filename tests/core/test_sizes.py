"""Sizes as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.sizes import UNITS, format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("1B", 1),
        ("1KiB", 1024),
        ("1KB", 1000),
        ("1kB", 1000),
        ("200 MB", 200_000_000),
        ("64KiB", 65_536),
        ("200MB", 200_000_000),
        ("200MiB", 209_715_200),
        ("1.5GB", 1_500_000_000),
        ("0.5KiB", 512),
        ("1.0009KB", 1000),
        ("3TB", 3 * 10**12),
        ("2TiB", 2 * 2**40),
    ],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    """With an i a power of 1024, without it a power of 1000; what is left of a byte is dropped."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "MB",
        "1mb",
        "1mB",
        "1 M B",
        "-1MB",
        "+1MB",
        ".5MB",
        "1.MB",
        "1e3B",
        "1MBB",
        "٣MB",
        "9" * 16 + "B",
    ],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    """With what was expected and what came."""
    with pytest.raises(ValueError, match="expected a size such as 200MB or 64KiB, got"):
        parse_size(text)


@given(st.integers(0, 10**15 - 1))
def test_a_size_is_read_back(size: int) -> None:
    """Whatever it is, and no unit would give a shorter text."""
    text = format_size(size)
    assert parse_size(text) == size
    spelt = [f"{size // of}{unit}" for unit, of in UNITS.items() if size and size % of == 0]
    assert all(len(text.rstrip("BKMGTi")) <= len(other.rstrip("BKMGTi")) for other in spelt)
