"""What clips and pictures show, drawn cell by cell."""

from typing import Final

from emulator.providers.base import Clip

CELL: Final = 8
"""Pixels along a side of one square of the picture: eight parts every size. Large squares make small files."""

GROUND, INK, BAR = b"\x18\x2a\x4a", b"\xf2\xf2\xf2", b"\xf2\xa0\x30"
"""The colours, as red, green and blue."""

GLYPHS: Final = {
    "0": ("01110", "10001", "10011", "10101", "11001", "10001", "01110"),
    "1": ("00100", "01100", "00100", "00100", "00100", "00100", "01110"),
    "2": ("01110", "10001", "00001", "00010", "00100", "01000", "11111"),
    "3": ("11111", "00010", "00100", "00010", "00001", "10001", "01110"),
    "4": ("00010", "00110", "01010", "10010", "11111", "00010", "00010"),
    "5": ("11111", "10000", "11110", "00001", "00001", "10001", "01110"),
    "6": ("00110", "01000", "10000", "11110", "10001", "10001", "01110"),
    "7": ("11111", "00001", "00010", "00100", "01000", "01000", "01000"),
    "8": ("01110", "10001", "10001", "01110", "10001", "10001", "01110"),
    "9": ("01110", "10001", "10001", "01111", "00001", "00010", "01100"),
    "x": ("00000", "00000", "10001", "01010", "00100", "01010", "10001"),
    "s": ("00000", "00000", "01111", "10000", "01110", "00001", "11110"),
}
"""Drawn here rather than with a font file, which would be one more thing that can differ."""

GLYPH_WIDTH, GLYPH_HEIGHT = 6, 9
"""In cells, with the space to the next glyph and line."""

Picture = list[list[bytes]]
"""Rows of cells, each in its colour."""


def picture(clip: Clip, second: int) -> Picture:
    """What a clip shows in one of its seconds: its size and length, and a bar that grows."""
    width, height = clip.width // CELL, clip.height // CELL
    drawn = blank(width, height)
    size, length = f"{clip.width}x{clip.height}", f"{clip.seconds}s"
    scale = (width - 8) // (GLYPH_WIDTH * len(size))
    top = height // 2 - GLYPH_HEIGHT * scale
    _write_centred(drawn, size, top, scale)
    _write_centred(drawn, length, top + GLYPH_HEIGHT * scale, scale)
    step = (width - 8) // clip.seconds
    left = (width - step * clip.seconds) // 2
    for part in range(second + 1):
        fill(drawn, left + part * step, height - 12, step - 1, 4, BAR)
    return drawn


def blank(width: int, height: int) -> Picture:
    """Nothing but ground, of a size in cells."""
    return [[GROUND] * width for _ in range(height)]


def _write_centred(drawn: Picture, text: str, top: int, scale: int) -> None:
    write(drawn, text, (len(drawn[0]) - breadth(text, scale)) // 2, top, scale)


def breadth(text: str, scale: int) -> int:
    """How many cells wide a text is."""
    return (GLYPH_WIDTH * len(text) - 1) * scale


def write(drawn: Picture, text: str, left: int, top: int, scale: int) -> None:
    """Write a text, each dot of its letters ``scale`` cells wide."""
    for place, letter in enumerate(text):
        for y, line in enumerate(GLYPHS[letter]):
            for x, dot in enumerate(line):
                if dot == "1":
                    fill(drawn, left + (place * GLYPH_WIDTH + x) * scale, top + y * scale, scale, scale, INK)


def fill(drawn: Picture, left: int, top: int, width: int, height: int, colour: bytes) -> None:
    """Fill an area of cells with a colour."""
    for row in drawn[top : top + height]:
        row[left : left + width] = [colour] * width


def as_ppm(drawn: Picture) -> bytes:
    """The picture as a PPM file, a pixel for each cell."""
    head = f"P6 {len(drawn[0])} {len(drawn)} 255\n".encode("ascii")
    return head + b"".join(b"".join(row) for row in drawn)
