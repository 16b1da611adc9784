"""The `openai` package downloads results: the video, its pictures, by a redirect, and to disk."""

from pathlib import Path
from typing import Final, Literal

import openai
import pytest

from emulator.core.words import Profile
from tests.clients.test_openai import PROVIDERS, client
from tests.worlds import World

# The package warns of the end of OpenAI's own service with every call; this one's end isn't in sight.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:The Sora API is scheduled to permanently shut down.*:DeprecationWarning"
)
DONE: Final = "version: 1\ntasks: [{{timeline: [{{status: completed, video: {{{video}}}}}]}}]\n"
REDIRECT: Final = DONE.format(video="content: redirect, expires_in: 1h")
MAGIC: Final = {"video": b"ftyp", "thumbnail": b"RIFF", "spritesheet": b"\xff\xd8\xff"}
Variant = Literal["video", "thumbnail", "spritesheet"]
each_variant = pytest.mark.parametrize("variant", MAGIC)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", list(Profile))
@each_variant
def test_downloads_each_variant(provider: str, profile: Profile, variant: Variant) -> None:
    """What the package asks for is what comes in `current`; in `documented` it is the video."""
    with client(provider, DONE.format(video=""), profile=profile) as (made, _):
        video = made.videos.create(prompt="a cat")
        content = made.videos.download_content(video.id, variant=variant).read()
    wanted = variant if profile is Profile.CURRENT else "video"
    assert MAGIC[wanted] in content[:8]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", list(Profile))
@each_variant
def test_follows_a_redirect(provider: str, profile: Profile, variant: Variant) -> None:
    """To the link of the video; pictures come without one, where there are some."""
    with client(provider, REDIRECT, profile=profile) as (made, world):
        video = made.videos.create(prompt="a cat")
        answer = made.videos.download_content(video.id, variant=variant)
        content = answer.read()
    is_video = profile is Profile.DOCUMENTED or variant == "video"
    assert MAGIC["video" if is_video else variant] in content[:8]
    assert operations(world) == ["create", "content", *(["download"] if is_video else [])]
    assert len(answer.response.history) == int(is_video)


def operations(world: World) -> list[str | None]:
    """What the world was asked for."""
    return [record.operation for record in world.namespace.journal]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("scenario", [DONE.format(video="expires_in: 1h"), REDIRECT])
@pytest.mark.parametrize("profile", list(Profile))
def test_an_expired_result_is_an_error_of_the_servers(provider: str, scenario: str, profile: Profile) -> None:
    """By a redirect too: the route knows that the link has died."""
    with client(provider, scenario, profile=profile) as (made, world):
        video = made.videos.create(prompt="a cat")
        world.advance(3_600_000_000)
        with pytest.raises(openai.InternalServerError) as caught:
            made.videos.download_content(video.id)
        assert caught.value.status_code == 502
        assert made.videos.retrieve(video.id).status == "completed"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_streams_a_long_video_to_disk(provider: str, tmp_path: Path) -> None:
    """All of its bytes, in pieces."""
    path = tmp_path / "video.mp4"
    with client(provider, DONE.format(video="bytes: 20MB"), profile=Profile.CURRENT) as (made, _):
        video = made.videos.create(prompt="a cat")
        with made.videos.with_streaming_response.download_content(video.id) as answer:
            assert answer.headers["content-length"] == "20000000"
            answer.stream_to_file(path)
    assert path.stat().st_size == 20_000_000


def test_an_unknown_variant_is_a_bad_request() -> None:
    """What the package's types don't let through, its users may send all the same."""
    with client("octopusx", DONE.format(video=""), profile=Profile.CURRENT) as (made, _):
        video = made.videos.create(prompt="a cat")
        with pytest.raises(openai.BadRequestError, match="Supported values are"):
            made.videos.download_content(video.id, variant="poster")  # type: ignore[arg-type]
