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
from tools.drawing import as_ppm, picture

MADE_WITH: Final = "5.1.9-0+deb12u1"
"""The version of ffmpeg that made the clips in the repository: Debian 12's, with libx264 164."""

FRAME_RATE: Final = 30
"""documents/003 prints ``"fps": 30``."""


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
    pictures = b"".join(as_ppm(picture(clip, second)) for second in range(clip.seconds))
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


if __name__ == "__main__":
    main()
