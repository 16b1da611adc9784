"""The MP4 files in the package, read by ffprobe: what it says of them is what they are for."""

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from emulator.media import CLIPS, FOLDER, file_name
from emulator.providers.base import Clip
from tools.make_clips import FRAME_RATE, MADE_WITH

ROOT: Final = Path(__file__).parent.parent
each_clip = pytest.mark.parametrize("clip", CLIPS, ids=file_name)


class Probed(msgspec.Struct, frozen=True):
    """What ffprobe reads in a file."""

    codecs: tuple[str, ...]
    pixels: str
    width: int
    height: int
    stream_seconds: float
    file_seconds: float
    frame_rate: str
    frames: int


def needs(tool: str) -> None:
    """Skip the test where a tool is missing; under CI, fail it."""
    if shutil.which(tool) is None:
        told = f"{tool} is not installed (Debian: apt-get install ffmpeg)"
        (pytest.fail if "CI" in os.environ else pytest.skip)(told)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """The command, ended, from the top of the clone."""
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)  # noqa: S603 - our own words


def make_clips(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """The script, ended, which was to make these clips."""
    return run(sys.executable, "-m", "tools.make_clips", "--into", str(folder), *names)


def probed(path: Path) -> Probed:
    """What ffprobe reads in the file; packets are counted by reading them all."""
    options = ("-v", "error", "-count_packets", "-show_streams", "-show_format", "-of", "json")
    told = json.loads(run("ffprobe", *options, str(path)).stdout)
    video: dict[str, Any] = told["streams"][0]
    return Probed(
        codecs=tuple(stream["codec_name"] for stream in told["streams"]),
        pixels=video["pix_fmt"],
        width=video["width"],
        height=video["height"],
        stream_seconds=float(video["duration"]),
        file_seconds=float(told["format"]["duration"]),
        frame_rate=video["r_frame_rate"],
        frames=int(video["nb_read_packets"]),
    )


def boxes(content: bytes) -> Iterator[str]:
    """The names of an MP4's top-level boxes, in their order."""
    place = 0
    while place < len(content):
        size, name = struct.unpack_from(">I4s", content, place)
        assert 8 <= size <= len(content) - place
        yield name.decode("ascii")
        place += size


@each_clip
def test_ffprobe_reads_the_size_and_the_seconds_of_its_name(clip: Clip) -> None:
    """One H.264 stream that every player shows, of exactly the size and duration, with all its frames there."""
    needs("ffprobe")
    seen = probed(FOLDER / file_name(clip))
    assert seen.codecs == ("h264",)
    assert seen.pixels == "yuv420p"
    assert (seen.width, seen.height) == (clip.width, clip.height)
    assert seen.stream_seconds == pytest.approx(clip.seconds, abs=0.05)
    assert seen.file_seconds == pytest.approx(clip.seconds, abs=0.05)
    assert seen.frame_rate == f"{FRAME_RATE}/1"
    assert seen.frames == clip.seconds * FRAME_RATE


@each_clip
def test_a_player_can_start_before_the_end_has_come(clip: Clip) -> None:
    """The index (moov) stands before the frames (mdat)."""
    names = list(boxes((FOLDER / file_name(clip)).read_bytes()))
    assert names[0] == "ftyp"
    assert names.index("moov") < names.index("mdat")


def test_the_folder_holds_the_clips_and_nothing_else() -> None:
    """There is a file of every clip, and no file that is never served."""
    assert {path.name for path in FOLDER.iterdir()} == {file_name(clip) for clip in CLIPS}


def test_all_clips_together_stay_under_a_megabyte() -> None:
    """They are in every wheel and every image; the page on media says how much they take."""
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    assert total < 1_000_000
    page = (ROOT / "docs" / "media.md").read_text(encoding="utf-8")
    assert f"{len(CLIPS)} files, {total:,} bytes" in page
    assert f"ffmpeg {MADE_WITH.partition('-')[0]}" in page


def test_the_script_makes_the_clip_again(tmp_path: Path) -> None:
    """The same video, and under the ffmpeg that made the clips in the repository the same bytes."""
    needs("ffmpeg")
    needs("ffprobe")
    name = "720x1280-4s.mp4"
    assert make_clips(tmp_path, name).stderr == ""
    assert probed(tmp_path / name) == probed(FOLDER / name)
    if run("ffmpeg", "-version").stdout.split()[2] == MADE_WITH:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_the_script_names_the_clips_that_there_are(tmp_path: Path) -> None:
    """A name that is none ends it with a sentence, before anything is made."""
    ended = make_clips(tmp_path, "1x1-1s.mp4")
    assert ended.returncode == 2
    assert "no such clips: 1x1-1s.mp4" in ended.stderr
    assert "1280x720-8s.mp4" in ended.stderr
    assert list(tmp_path.iterdir()) == []
