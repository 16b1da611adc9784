"""OctopusX's older routes: what the provider's pages show for each family of models."""

import re
from typing import Any, Final

import pytest

from emulator.core.units import MINUTE
from emulator.core.words import Profile
from tests.worlds import World

BASE: Final = "/octopusx/v1/video"
BODY: Final = {
    "prompt": "a cat",
    "images": ["https://x/1.png"],
    "orientation": "portrait",
    "size": "large",
    "duration": 10,
}
UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
profiles = pytest.mark.parametrize("profile", Profile)


def made(world: World, model: str, **fields: Any) -> dict[str, Any]:
    """The answer to a create."""
    answer = world.post(f"{BASE}/create", {**BODY, "model": model, **fields})
    assert answer.status_code == 200
    return dict(answer.json())


def asked(world: World, task: str) -> dict[str, Any]:
    """The answer to a query."""
    answer = world.get(f"{BASE}/query?id={task}")
    assert answer.status_code == 200
    return dict(answer.json())


@profiles
def test_sora(profile: Profile) -> None:
    """An id with a colon, dates in milliseconds, the progress as a text, what was asked for in `detail`."""
    world = World(profile=profile)
    new = made(world, "sora-2")
    assert list(new) == ["id", "status", "status_update_time"]
    assert re.fullmatch(r"sora-2:task_[0-9a-hjkmnp-tv-z]{26}", new["id"])
    assert (new["status"], new["status_update_time"]) == ("pending", 1735689600000)
    told = asked(world, new["id"])
    detail = {
        "input": {
            "prompt": "a cat",
            "model": "sora-2",
            "images": ["https://x/1.png"],
            "aspect_ratio": "9:16",
        }
    }
    assert list(told.items()) == [
        ("id", new["id"]),
        ("object", "video"),
        ("model", "sora-2"),
        ("status", "pending"),
        ("progress", "0"),
        ("created_at", 1735689600),
        ("size", "large"),
        ("status_update_time", 1735689600000),
        ("detail", detail),
    ]
    world.advance(MINUTE)
    done = asked(world, new["id"])
    assert list(done) == [*told, "video_url"]
    assert (done["status"], done["progress"], done["status_update_time"]) == (
        "completed",
        "100",
        1735689610000,
    )
    assert "/720x1280-10s/" in done["video_url"]


@profiles
def test_veo(profile: Profile) -> None:
    """A create that tells more than the query; dates in seconds; a link that is null until there is one."""
    world = World(profile=profile)
    new = made(world, "veo_3_1-fast", aspect_ratio="16:9")
    detail = {
        "aspect_ratio": "16:9",
        "images": ["https://x/1.png"],
        "model": "veo_3_1-fast",
        "prompt": "a cat",
    }
    assert list(new.items()) == [
        ("id", new["id"]),
        ("object", "video"),
        ("model", "veo_3_1-fast"),
        ("status", "queued"),
        ("progress", 0),
        ("created_at", 1735689600),
        ("size", "large"),
        ("detail", {"input": detail}),
        ("status_update_time", 1735689600),
    ]
    assert list(new["detail"]["input"]) == list(detail)
    assert re.fullmatch(f"video_{UUID}", new["id"])
    assert list(asked(world, new["id"]).items()) == [
        ("id", new["id"]),
        ("status", "queued"),
        ("video_url", None),
        ("enhanced_prompt", ""),
        ("status_update_time", 1735689600),
    ]
    world.advance(MINUTE)
    assert "/1280x720-10s/" in asked(world, new["id"])["video_url"]


@profiles
def test_jimeng(profile: Profile) -> None:
    """A date by RFC 3339 with nanoseconds, and the id under another name."""
    world = World(profile=profile)
    new = made(world, "jimeng-video-3.0")
    assert list(new) == ["created_at", "status", "task_id"]
    assert (new["created_at"], new["status"]) == ("2025-01-01T00:00:00.000000000Z", "processing")
    assert re.fullmatch(UUID, new["task_id"])
    assert asked(world, new["task_id"])["status"] == "processing"


@profiles
def test_grok(profile: Profile) -> None:
    """Its words have no queue; once done it tells what was asked for."""
    world = World(profile=profile)
    new = made(world, "grok-video-3", aspect_ratio="2:3")
    assert re.fullmatch(f"grok:{UUID}", new["id"])
    assert list(asked(world, new["id"]).items()) == [
        ("id", new["id"]),
        ("status", "processing"),
        ("video_url", None),
        ("status_update_time", 1735689600),
        ("progress", 0),
    ]
    world.advance(MINUTE)
    done = asked(world, new["id"])
    assert list(done)[5:] == ["prompt", "ratio", "thumbnail_url"]
    assert (done["status"], done["progress"], done["prompt"], done["ratio"]) == (
        "completed",
        100,
        "a cat",
        "2:3",
    )


@profiles
def test_grok_remixes(profile: Profile) -> None:
    """By a body that names the source; the new task is one of the source's model where it names none."""
    world = World(profile=profile)
    source = made(world, "grok-video-3")["id"]
    remix = world.post(f"{BASE}/remix", {"prompt": "a dog", "task_id": source, "size": "720P"}).json()
    assert list(remix) == ["id", "status", "status_update_time"]
    assert remix["id"].startswith("grok:")
    assert remix["id"] != source
    newer = world.get(f"/octopusx/v1/videos/{remix['id']}").json()
    assert (newer["model"], newer["remixed_from_video_id"], newer["size"]) == (
        "grok-video-3",
        source,
        "720P",
    )
    bad: list[Any] = [{"prompt": "a dog"}, {"task_id": source}, {"prompt": "a dog", "task_id": "nobody"}, []]
    for body in bad:
        assert world.post(f"{BASE}/remix", body).status_code in (400, 404)


@profiles
@pytest.mark.parametrize("model", ["sora-2", "veo3.1-fast", "jimeng-video-3.0", "grok-video-3", "kling-v1"])
def test_each_road_words_a_task_its_own_way(profile: Profile, model: str) -> None:
    """Whichever made it: documents/001's thirteen keys on the newer, those of its family on the older."""
    world = World(profile=profile)
    new = made(world, model)
    older = str(new.get("id") or new["task_id"])
    newer = str(world.post("/octopusx/v1/videos", {"prompt": "a cat", "model": model}).json()["id"])
    for task in (older, newer):
        assert len(world.get(f"/octopusx/v1/videos/{task}").json()) == 13
        assert {"id", "status", "status_update_time"} <= set(asked(world, task))
    assert list(asked(world, older)) == list(asked(world, newer))


@profiles
@pytest.mark.parametrize("model", ["sora-2", "veo3.1-fast", "jimeng-video-3.0", "grok-video-3"])
def test_a_failed_task_says_why(profile: Profile, model: str) -> None:
    """As the newer road does: our choice."""
    world = World(
        "{version: 1, tasks: [{timeline: [{status: failed, error: {code: dull, message: Boring}}]}]}",
        profile=profile,
    )
    new = made(world, model)
    told = asked(world, str(new.get("id") or new["task_id"]))
    assert (told["status"], told["error"]) == ("failed", {"message": "Boring", "code": "dull"})


@profiles
def test_an_authors_word_stands_in_place_of_the_providers(profile: Profile) -> None:
    """In the create's answer and in the query's."""
    world = World(
        "{version: 1, tasks: [{timeline: [{status: queued, word: dreaming, stuck: true}]}]}", profile=profile
    )
    for model in ("sora-2", "veo3.1-fast", "jimeng-video-3.0", "grok-video-3"):
        new = made(world, model)
        assert new["status"] == "dreaming"
        assert asked(world, str(new.get("id") or new["task_id"]))["status"] == "dreaming"


def test_the_query_needs_an_id() -> None:
    """The refusal says how it is to be sent; another id is unknown as ever."""
    world = World()
    refused, unknown = world.get(f"{BASE}/query"), world.get(f"{BASE}/query?id=nobody")
    assert refused.status_code == 400
    assert "?id=" in refused.json()["error"]["message"]
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "task_not_exist")


def test_rules_hold_for_the_older_road() -> None:
    """Its queries are polls, its creates are creates."""
    text = """
        version: 1
        rules:
          - {operation: poll, while: queued, calls: 2, error: rate_limited}
          - {operation: create, calls: 2, error: insufficient_quota}
    """
    world = World(text)
    task = made(world, "sora-2")["id"]
    codes = [
        world.get(path).status_code for path in (f"{BASE}/query?id={task}", f"/octopusx/v1/videos/{task}")
    ]
    assert codes == [200, 429]
    assert world.post(f"{BASE}/create", {**BODY, "model": "sora-2"}).status_code == 403
