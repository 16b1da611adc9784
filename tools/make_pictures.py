"""Makes the pictures that the emulator serves of its clips: ``python -m tools.make_pictures`` from the top of a clone.

A thumbnail is the first frame, as WebP; a spritesheet is a grid of frames, as JPEG. Needs ffmpeg with libwebp. The
same ffmpeg writes the same bytes every time.
"""

import argparse
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from emulator.media import CLIPS, PICTURES, spritesheet_name, thumbnail_name
from emulator.providers.base import Clip
from tools.drawing import (
    BAR,
    CELL,
    GLYPH_HEIGHT,
    GLYPH_WIDTH,
    Picture,
    as_ppm,
    blank,
    breadth,
    fill,
    picture,
    write,
)

COLUMNS: Final = 4
"""How many frames stand side by side, and how many one below the other: the sheet is as large as the clip."""

_EXACT: Final = "neighbor+accurate_rnd+bitexact"
_AS_WEBP: Final = ("-c:v", "libwebp", "-lossless", "1", "-quality", "100", "-compression_level", "6")
# A cell is one block of JPEG's, and all but a few blocks are of one colour: the quality hardly shows.
_AS_JPEG: Final = ("-c:v", "mjpeg", "-huffman", "optimal", "-qscale:v", "12")


def main() -> None:
    """Make every picture, or those whose names are given."""
    made = {name(clip): (clip, name) for clip in CLIPS for name in (thumbnail_name, spritesheet_name)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="file names, such as 1280x720-8s.webp; default: all of them")
    parser.add_argument("--into", type=Path, default=PICTURES, help="the folder to write to")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(made))
    if unknown:
        parser.error(f"no such pictures: {', '.join(unknown)}; there are {', '.join(made)}")
    options.into.mkdir(parents=True, exist_ok=True)
    wanted = options.names or made
    total = sum(make(*made[name], options.into / name) for name in wanted)
    print(f"{len(wanted)} pictures, {total:,} bytes")  # noqa: T201 - a command that says what it did


def make(clip: Clip, name: Callable[[Clip], str], target: Path) -> int:
    """Write one picture, of the clip's size, and return its length in bytes.

    Raises:
        subprocess.CalledProcessError: ffmpeg failed; it has said why on its standard error.
    """
    is_thumbnail = name is thumbnail_name
    drawn = picture(clip, 0) if is_thumbnail else sheet(clip)
    pixels, encoder = ("bgra", _AS_WEBP) if is_thumbnail else ("yuvj420p", _AS_JPEG)
    command = ["ffmpeg", "-v", "error", "-y", "-threads", "1", "-f", "image2pipe", "-c:v", "ppm", "-i", "-"]
    command += ["-vf", f"scale={clip.width}:{clip.height}:flags={_EXACT},format={pixels}", "-frames:v", "1"]
    command += [
        *encoder,
        "-threads",
        "1",
        "-map_metadata",
        "-1",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
    ]
    subprocess.run([*command, str(target)], input=as_ppm(drawn), check=True)  # noqa: S603 - our own words
    return target.stat().st_size


def sheet(clip: Clip) -> Picture:
    """Sixteen frames, from the upper left to the lower right, each with its number and a bar that grows.

    One for all durations: the frames are spread evenly over the clip. Cells lie on a grid of the whole sheet, so a
    frame's content is up to one cell lower or further right than its exact place.
    """
    drawn = blank(clip.width // CELL, clip.height // CELL)
    frames = COLUMNS * COLUMNS
    width, height = len(drawn[0]) // COLUMNS, len(drawn) // COLUMNS
    scale = min((width - 4) // (2 * GLYPH_WIDTH), (height - 8) // GLYPH_HEIGHT)
    for frame in range(frames):
        row, column = divmod(frame, COLUMNS)
        left = -(-column * clip.width // (COLUMNS * CELL))
        top = -(-row * clip.height // (COLUMNS * CELL))
        number = str(frame + 1)
        middle = (height - 4 - GLYPH_HEIGHT * scale) // 2
        write(drawn, number, left + (width - breadth(number, scale)) // 2, top + middle, scale)
        fill(drawn, left + 2, top + height - 3, (width - 4) * (frame + 1) // frames, 2, BAR)
    return drawn


if __name__ == "__main__":
    main()
