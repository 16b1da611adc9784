"""Creates in depth: every field that the sources name is taken, and what they show refused is refused."""

from typing import Any, Final

import pytest

from emulator.core.call import Create, Refusal
from emulator.core.units import MINUTE
from emulator.core.words import OperationName, Profile
from emulator.providers import by_name
from emulator.providers.base import Inbound
from tests.worlds import World

CURRENT, DOCUMENTED = Profile.CURRENT, Profile.DOCUMENTED
FILE: Final = {"filename": "a.png", "content_type": "image/png", "size": 8}


def refusal_of(provider: str, fields: Any, profile: Profile = CURRENT) -> Refusal | None:
    """What a provider has against a create."""
    rows = by_name[provider].operations
    create = next(row for row in rows if row.name is OperationName.CREATE)
    call = create.parse(Inbound("POST", create.path, (), {}, {}, profile, fields))
    assert isinstance(call, Create)
    return call.refusal


# Every field of the fact sheets

TAKEN: Final[list[tuple[str, dict[str, Any]]]] = [
    ("octopusx", {"seconds": 10, "size": "16:9", "input_reference": ["https://x/a.png", "data:image/png;base64,AA=="]}),
    ("octopusx", {"seconds": "15", "size": "720P", "input_reference": FILE, "metadata": {"a": {"b": 1}}}),
    ("octopusx", {"duration": "5", "image": "https://x/a.png", "images": ["a"], "mode": "fast", "metadata": "{}"}),
    ("octopusx", {"character_url": "https://x/a.mp4", "character_timestamps": "1,3"}),
    ("octopusx", {"model": "omni-fast", "aspect_ratio": "9:16", "resolution": "1080p", "first_image_url": "a"}),
    ("octopusx", {"model": "omni-fast-v2v", "video_url": "a", "input_video": "b", "last_image_url": "c"}),
    ("octopusx", {"model": "sora-2-pro", "size": "1792x1024", "seconds": 3600}),
    ("octopusx", {"seconds": "0"}),
    ("octopusx", {"seconds": "soon"}),
    ("ezmodel", {"model": "sora-1.0", "duration": 10, "width": 1920, "height": 1080, "fps": 30, "seed": 1, "n": 1}),
    ("ezmodel", {"response_format": "b64_json", "user": "me", "metadata": {}, "image": "data:image/png;base64,AA=="}),
    ("ezmodel", {"seconds": "8", "size": "1280x720", "input_reference": FILE}),
    ("acedata-sora", {"model": "sora-2-pro", "duration": 25, "size": "small", "orientation": "square"}),
    ("acedata-sora", {"version": "2.0", "duration": 8, "size": "1792x1024", "seconds": 8, "input_reference": "a"}),
    ("acedata-sora", {"version": 2, "character_url": "a", "character_start": 0, "character_end": 1}),
    ("acedata-sora", {"action": "text2video", "translation": True, "mirror": 1, "image_urls": [], "model": None}),
    ("acedata-veo", {"action": "text2video", "model": "veo31", "resolution": "4k", "translation": False}),
    ("acedata-veo", {"action": "image2video", "image_urls": ["a", "b", "c"], "model": "veo3-fast"}),
    ("acedata-veo", {"action": "ingredients2video", "image_urls": ["a"], "aspect_ratio": "9:16"}),
    ("acedata-veo", {"action": "get1080p", "video_id": "a", "model": "veo2"}),
    ("acedata-veo", {"action": "generate", "loop": True, "callback_url": "http://x/", "async": True}),
]  # fmt: skip


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize(("provider", "fields"), TAKEN)
def test_what_the_sources_name_is_taken(provider: str, fields: dict[str, Any], profile: Profile) -> None:
    """Under both profiles; AceData's records echo it whole."""
    world = World(profile=profile)
    asked = {"prompt": "a cat", **fields}
    if not provider.startswith("acedata"):
        assert world.post(f"/{provider}/v1/videos", asked).status_code == 200
        return
    service = provider.removeprefix("acedata-")
    made = world.post(f"/acedata/{service}/videos", {**asked, "async": True})
    assert made.status_code == 200
    record = world.post(f"/acedata/{service}/tasks", {"id": made.json()["task_id"]}).json()
    assert record["request"] == {**asked, "async": True}


# What is refused

NO_MODEL: Final = "Model name not specified, model name cannot be empty"
NO_IMAGES: Final = "image_urls is invalid when generate videos"
REFUSED: Final = [
    ("octopusx", {"model": ""}, "", NO_MODEL),
    ("octopusx", {"model": None, "prompt": "", "seconds": -1}, "", NO_MODEL),
    ("octopusx", {"model": "sora-2", "prompt": " ", "seconds": -1}, "invalid_request", "prompt is required"),
    ("octopusx", {"seconds": "3601", "size": "1x1"}, "invalid_seconds", "seconds must be between 0 and 3600"),
    ("octopusx", {"duration": -1}, "invalid_seconds", "seconds must be between 0 and 3600"),
    ("octopusx", {"size": "1792x1024"}, "invalid_size", "sora-2 size is invalid"),
    ("octopusx", {"model": "sora-2-pro", "size": "1x1"}, "invalid_size", "sora-2-pro size is invalid"),
    ("ezmodel", {"size": "16:9"}, "invalid_size", "sora-2 size is invalid"),
    ("ezmodel", {"seconds": "4000"}, "invalid_seconds", "seconds must be between 0 and 3600"),
    ("ezmodel", {"model": " "}, "", NO_MODEL),
    ("acedata-veo", {"model": "sora-2"}, None, "model is not supported"),
    ("acedata-veo", {"model": ["veo3"]}, None, "model is not supported"),
    ("acedata-veo", {"action": "image2video"}, None, NO_IMAGES),
    ("acedata-veo", {"action": "ingredients2video", "image_urls": []}, None, NO_IMAGES),
    ("acedata-veo", {"aspect_ratio": "4:3"}, None, "aspect_ratio is invalid."),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "fields", "code", "message"), REFUSED)
def test_what_the_sources_show_refused_is_refused(
    provider: str, fields: dict[str, Any], code: str | None, message: str
) -> None:
    """In profile `current`, in the order in which the gateway looks; `documented` takes it, but for a prompt."""
    asked = {"prompt": "a cat", **fields}
    refusal = refusal_of(provider, asked)
    assert refusal is not None
    assert (refusal.code, refusal.message) == (code, message)
    if str(asked["prompt"]).strip():
        assert refusal_of(provider, asked, DOCUMENTED) is None


def test_a_create_without_a_model_is_refused_before_any_handler() -> None:
    """In the shape of the gateway's middleware, with the request's id; one that leaves the field out is taken."""
    world = World(profile=CURRENT)
    refused = world.post("/octopusx/v1/videos", {"prompt": "a cat", "model": ""})
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["code"], error["type"]) == ("", "new_api_error")
    assert error["message"] == f"{NO_MODEL} (request id: {refused.headers['x-oneapi-request-id']})"
    assert world.post("/octopusx/v1/videos", {"prompt": "a cat"}).json()["model"] == "sora-2"


def test_a_refused_size_is_told_by_the_handler() -> None:
    """The flat shape, with its code."""
    world = World(profile=CURRENT)
    refused = world.post("/ezmodel/v1/videos", {"prompt": "a cat", "size": "1792x1024"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"code": "invalid_size", "message": "sora-2 size is invalid", "data": None},
    )


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("version", ["2.0", 2])
def test_soras_version_2_has_ids_and_links_of_its_own(profile: Profile, version: Any) -> None:
    """A plain UUID and `sora/<name>.mp4`; version 1 keeps the documents' form."""
    world = World(profile=profile)

    def video(**fields: Any) -> dict[str, Any]:
        made = world.post("/acedata/sora/videos", {"prompt": "a cat", "async": True, **fields})
        world.advance(MINUTE)
        record = world.post("/acedata/sora/tasks", {"id": made.json()["task_id"]}).json()
        return dict(record["response"]["data"][0])

    old, new = video(), video(version=version)
    assert old["id"].startswith("sora-2:task_")
    assert len(new["id"].split("-")) == 5
    assert f"/720x1280-4s/sora/{new['id']}.mp4?" in new["video_url"]
    for shown in (old, new):
        path = shown["video_url"].partition("8080")[2]
        assert world.get(path, headers={}).body[4:8] == b"ftyp"
        assert world.get(path.replace("sig=", "sig=x"), headers={}).status_code == 403
