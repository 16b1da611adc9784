"""The pictures in the package, read by ffprobe and by their own heads."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from emulator.media import CLIPS, PICTURES, spritesheet_name, thumbnail_name
from emulator.providers.base import Clip
from tests.test_clips import needs, run
from tools.make_clips import MADE_WITH

ROOT: Final = Path(__file__).parent.parent
each_thumbnail = pytest.mark.parametrize("clip", CLIPS, ids=thumbnail_name)
each_sheet = pytest.mark.parametrize(
    "clip", {spritesheet_name(clip): clip for clip in CLIPS}.values(), ids=spritesheet_name
)


def probed(path: Path) -> tuple[str, int, int]:
    """Codec, width and height, as ffprobe reads them."""
    needs("ffprobe")
    options = ("-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "json")
    [stream] = json.loads(run("ffprobe", *options, str(path)).stdout)["streams"]
    return stream["codec_name"], stream["width"], stream["height"]


def decoded(path: Path) -> bytes:
    """Its pixels, row by row, three bytes each."""
    needs("ffmpeg")
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - our own words


def is_orange(red: int, blue: int) -> bool:
    """Whether a pixel is one of the bar's."""
    return red > 220 and blue < 120


@each_thumbnail
def test_a_thumbnail_is_a_webp_of_the_clips_size(clip: Clip) -> None:
    """Google's container, lossless: two times fourteen bits have the size less one."""
    content = (PICTURES / thumbnail_name(clip)).read_bytes()
    assert (content[:4], content[8:16]) == (b"RIFF", b"WEBPVP8L")
    assert struct.unpack_from("<I", content, 4) == (len(content) - 8,)
    assert content[20] == 0x2F
    (packed,) = struct.unpack_from("<I", content, 21)
    assert (1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)) == (clip.width, clip.height)


@each_sheet
def test_a_spritesheet_is_a_jpeg_of_the_clips_size(clip: Clip) -> None:
    """From its first marker to its last."""
    path = PICTURES / spritesheet_name(clip)
    content = path.read_bytes()
    assert (content[:3], content[-2:]) == (b"\xff\xd8\xff", b"\xff\xd9")
    assert probed(path) == ("mjpeg", clip.width, clip.height)


def test_ffprobe_reads_a_thumbnail() -> None:
    """As others do."""
    assert probed(PICTURES / "1280x720-8s.webp") == ("webp", 1280, 720)


def test_a_spritesheet_shows_sixteen_frames() -> None:
    """Four by four, none of them empty, each with more of the bar than the one before."""
    data = decoded(PICTURES / "1280x720.jpg")
    for number in range(16):
        row, column = divmod(number, 4)
        left, top = column * 320, row * 180
        rows = [data[(y * 1280 + left) * 3 : (y * 1280 + left + 320) * 3] for y in range(top, top + 180)]
        white = sum(row[at] > 220 for row in rows for at in range(2, len(row), 3))
        orange = max(sum(map(is_orange, row[::3], row[2::3])) for row in rows)
        assert white > 500, number
        assert orange == pytest.approx(36 * (number + 1) // 16 * 8, abs=8), number


def test_the_folder_holds_the_pictures_and_nothing_else() -> None:
    """There is one of every clip, and none that is never served."""
    names = {name(clip) for clip in CLIPS for name in (thumbnail_name, spritesheet_name)}
    assert {path.name for path in PICTURES.iterdir()} == names


def test_all_pictures_together_stay_small() -> None:
    """They are in every wheel and every image; the page on media says how much they take."""
    files = list(PICTURES.iterdir())
    total = sum(path.stat().st_size for path in files)
    assert total < 300_000
    page = (ROOT / "docs" / "media.md").read_text(encoding="utf-8")
    assert f"{len(files)} files, {total:,} bytes" in page


@pytest.mark.parametrize("name", ["1280x720-8s.webp", "720x1280.jpg"])
def test_the_script_makes_a_picture_again(tmp_path: Path, name: str) -> None:
    """The same bytes, under the ffmpeg that made those in the repository."""
    needs("ffmpeg")
    made = run(sys.executable, "-m", "tools.make_pictures", "--into", str(tmp_path), name)
    assert (made.stderr, [path.name for path in tmp_path.iterdir()]) == ("", [name])
    assert probed(tmp_path / name) == probed(PICTURES / name)
    if run("ffmpeg", "-version").stdout.split()[2] == MADE_WITH:
        assert (tmp_path / name).read_bytes() == (PICTURES / name).read_bytes()


def test_the_script_names_the_pictures_that_there_are(tmp_path: Path) -> None:
    """A name that is none ends it with a sentence, before anything is made."""
    ended = run(sys.executable, "-m", "tools.make_pictures", "--into", str(tmp_path), "1x1.jpg")
    assert ended.returncode == 2
    assert "no such pictures: 1x1.jpg" in ended.stderr
    assert "1280x720-8s.webp" in ended.stderr
    assert list(tmp_path.iterdir()) == []
