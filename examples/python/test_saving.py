"""`studio.saving`, which writes videos to disk: long ones, halves of which may be there already.

`bytes` in a scenario makes a real MP4 of any length; the emulator holds next to nothing of it in memory.
"""

from pathlib import Path

import pytest
import requests
from studio.acedata import AceData
from studio.outcomes import Broken, LinkDied
from studio.saving import save

from emulator import Emulator

LENGTH = 20_000_000
LONG = """
version: 1
about: A result of 20 MB, by a link that lives for an hour; a correct client writes it to disk as it comes.
defaults:
  video: {bytes: 20MB, expires_in: 1h}
"""


def link(emulator: Emulator) -> str:
    """The link to a video that has just been made."""
    ace = AceData("sora", emulator.api_key, base_url=emulator.url("acedata-sora"))
    task = ace.create("a cat")
    emulator.tasks.complete(task)
    return ace.wait(task)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the video shall be."""
    return tmp_path / "cat.mp4"


def leave_half(url: str, path: Path, length: int) -> None:
    """What lies there after a process died in the middle: the beginning of the video, and its tag."""
    with requests.get(url, headers={"range": f"bytes=0-{length - 1}"}, timeout=60) as answer:
        path.with_name("cat.mp4.part").write_bytes(answer.content)
        path.with_name("cat.mp4.tag").write_text(answer.headers["etag"])


def sent(emulator: Emulator) -> list[tuple[int, int]]:
    """Status code and length of what each download was answered."""
    downloads = emulator.requests("download").list()
    return [(download.answer.status_code, download.answer.size) for download in downloads]


@pytest.mark.scenario(LONG)
def test_a_long_video_is_written_as_it_comes(video_emulator: Emulator, path: Path) -> None:
    """All of it with one request, and nothing else lies there afterwards."""
    save(link(video_emulator), path)
    assert path.stat().st_size == LENGTH
    assert list(path.parent.iterdir()) == [path]
    assert sent(video_emulator) == [(200, LENGTH)]
    video_emulator.assert_well_behaved({"download": {"at_least": 1, "without_key": True}})


@pytest.mark.scenario(LONG)
def test_the_rest_of_a_video_comes_alone(video_emulator: Emulator, path: Path) -> None:
    """Half of it was there; together they are one download."""
    url = link(video_emulator)
    leave_half(url, path, LENGTH // 2)
    save(url, path)
    assert path.stat().st_size == LENGTH
    assert path.read_bytes() == requests.get(url, timeout=60).content
    assert sent(video_emulator)[:2] == [(206, LENGTH // 2)] * 2


@pytest.mark.scenario(LONG)
def test_a_video_that_lay_there_whole_is_only_renamed(video_emulator: Emulator, path: Path) -> None:
    """The process had died before it could do that. The provider has nothing to send: 416."""
    url = link(video_emulator)
    leave_half(url, path, LENGTH)
    save(url, path)
    assert path.stat().st_size == LENGTH
    assert sent(video_emulator)[1:] == [(416, 0)]


@pytest.mark.scenario(LONG)
def test_halves_of_two_videos_are_never_joined(video_emulator: Emulator, path: Path) -> None:
    """A part of another video has another tag: the video comes whole."""
    path.with_name("cat.mp4.part").write_bytes(bytes(1000))
    path.with_name("cat.mp4.tag").write_text('"of-another-video"')
    url = link(video_emulator)
    save(url, path)
    assert path.read_bytes()[4:8] == b"ftyp"
    assert sent(video_emulator) == [(200, LENGTH)]


UNAVAILABLE = f"""{LONG}
rules:
  - {{operation: download, calls: 1, error: unavailable, retry_after: 30s}}
  - {{operation: download, calls: 2, error: bad_gateway}}
"""


@pytest.mark.scenario(UNAVAILABLE)
@pytest.mark.fast_forward
def test_a_storage_that_has_no_time_is_asked_again(video_emulator: Emulator, path: Path) -> None:
    """After as long as it says, else after the client's own two seconds. This provider calls both errors 500."""
    url = link(video_emulator)
    began = video_emulator.clock.now()
    save(url, path)
    assert [status_code for status_code, _ in sent(video_emulator)] == [500, 500, 200]
    assert 32 <= (video_emulator.clock.now() - began).total_seconds() < 40


@pytest.mark.scenario(f"{LONG}\nrules: [{{operation: download, error: internal}}]\n")
@pytest.mark.fast_forward
def test_a_storage_that_never_has_time_is_given_up(video_emulator: Emulator, path: Path) -> None:
    """After three tries, as this caller wants it; no file pretends to be the video."""
    with pytest.raises(Broken):
        save(link(video_emulator), path, tries=3)
    assert len(sent(video_emulator)) == 3
    assert not path.exists()


@pytest.mark.scenario(LONG)
def test_a_link_that_died_in_between_is_told(video_emulator: Emulator, path: Path) -> None:
    """What came is kept: another poll may bring another link to the same video."""
    url = link(video_emulator)
    leave_half(url, path, 1000)
    video_emulator.clock.advance("1h")
    with pytest.raises(LinkDied):
        save(url, path)
    assert path.with_name("cat.mp4.part").stat().st_size == 1000
    assert not path.exists()
