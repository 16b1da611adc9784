"""Makes the MP4 clips that the emulator serves: ``python -m tools.make_clips`` from the top of a clone.

Needs ffmpeg with libx264. The same ffmpeg writes the same bytes every time: nothing in a clip depends on
the date, the machine or the number of processors.
"""

import argparse
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from emulator.media import CLIPS, FOLDER, file_name
from emulator.providers.base import Clip

MADE_WITH: Final = "5.1.9-0+deb12u1"
"""The version of ffmpeg that made the clips in the repository: Debian 12's, with libx264 164."""

FRAME_RATE: Final = 30
"""documents/003 prints ``"fps": 30``."""

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


def main() -> None:
    """Make every clip, or those whose names are given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="file names, such as 1280x720-8s.mp4; default: all of them")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder to write to")
    options = parser.parse_args()
    wanted = [clip for clip in CLIPS if not options.names or file_name(clip) in options.names]
    unknown = set(options.names) - {file_name(clip) for clip in wanted}
    if unknown:
        parser.error(
            f"no such clips: {', '.join(sorted(unknown))}; there are {', '.join(map(file_name, CLIPS))}"
        )
    options.into.mkdir(parents=True, exist_ok=True)
    total = sum(make(clip, options.into / file_name(clip)) for clip in wanted)
    print(f"{len(wanted)} clips, {total:,} bytes")  # noqa: T201 - a command that says what it did


def make(clip: Clip, target: Path) -> int:
    """Write one clip and return its length in bytes.

    Raises:
        subprocess.CalledProcessError: ffmpeg failed; it has said why on its standard error.
    """
    pictures = b"".join(_ppm(_picture(clip, second)) for second in range(clip.seconds))
    subprocess.run([*_command(clip), str(target)], input=pictures, check=True)  # noqa: S603 - our own words
    return target.stat().st_size


def _command(clip: Clip) -> Iterable[str]:
    # One picture a second comes in, thirty frames go out: all but one in thirty say "as before" in 12 bytes.
    scale = f"scale={clip.width}:{clip.height}:flags=neighbor+accurate_rnd+bitexact:out_color_matrix=bt709"
    yield from ("ffmpeg", "-v", "error", "-y", "-threads", "1")
    yield from ("-f", "image2pipe", "-c:v", "ppm", "-framerate", "1", "-i", "-")
    yield from ("-vf", f"{scale},format=yuv420p,fps={FRAME_RATE}", "-t", str(clip.seconds), "-an")
    # CAVLC (vlc) writes an unchanged frame shorter than CABAC does. One key frame: it's half of a short clip.
    yield from ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "36", "-coder", "vlc", "-bf", "0")
    yield from ("-g", "9999", "-threads", "1", "-pix_fmt", "yuv420p", "-color_range", "tv")
    yield from ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    # Without this x264 chooses code by the processor, and its choices write different bytes.
    yield from ("-x264-params", "asm=0")
    # x264 writes its version and settings into the stream (600 bytes of SEI, type 6); no player reads them.
    yield from ("-bsf:v", "filter_units=remove_types=6", "-map_metadata", "-1")
    yield from ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart", "-f", "mp4")


def _picture(clip: Clip, second: int) -> Picture:
    """What the clip shows in one of its seconds: its size and length, and a bar that grows."""
    width, height = clip.width // CELL, clip.height // CELL
    picture = [[GROUND] * width for _ in range(height)]
    size, length = f"{clip.width}x{clip.height}", f"{clip.seconds}s"
    scale = (width - 8) // (GLYPH_WIDTH * len(size))
    top = height // 2 - GLYPH_HEIGHT * scale
    _write(picture, size, top, scale)
    _write(picture, length, top + GLYPH_HEIGHT * scale, scale)
    step = (width - 8) // clip.seconds
    left = (width - step * clip.seconds) // 2
    for part in range(second + 1):
        _fill(picture, left + part * step, height - 12, step - 1, 4, BAR)
    return picture


def _write(picture: Picture, text: str, top: int, scale: int) -> None:
    left = (len(picture[0]) - (GLYPH_WIDTH * len(text) - 1) * scale) // 2
    for place, letter in enumerate(text):
        for y, line in enumerate(GLYPHS[letter]):
            for x, dot in enumerate(line):
                if dot == "1":
                    _fill(
                        picture, left + (place * GLYPH_WIDTH + x) * scale, top + y * scale, scale, scale, INK
                    )


def _fill(picture: Picture, left: int, top: int, width: int, height: int, colour: bytes) -> None:
    for row in picture[top : top + height]:
        row[left : left + width] = [colour] * width


def _ppm(picture: Picture) -> bytes:
    head = f"P6 {len(picture[0])} {len(picture)} 255\n".encode("ascii")
    return head + b"".join(b"".join(row) for row in picture)


if __name__ == "__main__":
    main()
