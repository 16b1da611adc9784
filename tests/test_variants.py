"""The content route of the OpenAI-style providers: what it sends of a result, when, and to whom, over real sockets."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from emulator import media
from emulator.core.scenario import ClockSettings
from emulator.core.words import Profile
from emulator.providers.base import Clip
from tests import serving
from tests.serving import Served
from tests.worlds import KEY, START, Answer, World

PROVIDERS: Final = ["octopusx", "ezmodel"]
CLIP: Final = Clip(1280, 720, 8)
WHOLE: Final = {
    "video": ("video/mp4", (media.FOLDER / media.file_name(CLIP)).read_bytes()),
    "thumbnail": ("image/webp", (media.PICTURES / media.thumbnail_name(CLIP)).read_bytes()),
    "spritesheet": ("image/jpeg", (media.PICTURES / media.spritesheet_name(CLIP)).read_bytes()),
}
PICTURES: Final = ["thumbnail", "spritesheet"]
SCENARIO: Final = """
version: 1
tasks:
  - match: {prompt: redirect}
    timeline: [{status: completed, video: {content: redirect, expires_in: 1h}}]
  - match: {prompt: elsewhere}
    timeline: [{status: completed, video: {content: redirect, url: "https://cdn.example/a b.mp4"}}]
  - match: {prompt: no link}
    timeline: [{status: completed, video: {content: redirect, url: none}}]
  - match: {prompt: long}
    timeline: [{status: completed, video: {bytes: 1MB}}]
  - match: {prompt: waits}
    timeline: [{status: processing, stuck: true}]
  - match: {prompt: fails}
    timeline: [{status: failed}]
  - timeline: [{status: completed, video: {expires_in: 1h}}]
"""

IN_EITHER_PROFILE: Final = [
    f"version: 1\nprofile: {profile}\ntasks: [{{timeline: [{{status: completed}}]}}]\n" for profile in Profile
]


@pytest.fixture(scope="module", params=list(Profile))
def world(request: pytest.FixtureRequest) -> World:
    """A world in either profile, whose tasks are at their end at once."""
    clock = ClockSettings(mode="manual", start=START)
    return World(SCENARIO, profile=request.param, clock=clock, others=IN_EITHER_PROFILE)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Served]:
    """The world behind a socket."""
    with serving.thread(world.app) as served:
        yield served


@pytest.fixture
def is_current(world: World) -> bool:
    """Whether the profile knows variants."""
    return world.namespace.settings.profile is Profile.CURRENT


def create(server: Served, provider: str, prompt: str = "a cat") -> str:
    """The path of a new task's content."""
    fields = {"prompt": prompt, "size": "1280x720", "seconds": "8"}
    task = server.post(f"/{provider}/v1/videos", fields).json()
    return f"/{provider}/v1/videos/{task['id']}/content"


def asked(server: Served, path: str, method: str = "GET", **headers: str) -> Answer:
    """What the content route answers to a good key."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.call(method, path, headers={**KEY, **fields})


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("variant", WHOLE)
def test_current_sends_what_openai_would(
    server: Served, is_current: bool, provider: str, variant: str
) -> None:
    """A WebP, a JPEG or the video; `documented` looks at no parameter, as the gateway doesn't."""
    answer = asked(server, f"{create(server, provider)}?variant={variant}")
    kind, content = WHOLE[variant if is_current else "video"]
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.body == content
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["cache-control"] == "public, max-age=86400"
    assert "x-emulator-clip" not in answer.headers


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "query", ["", "?variant=", "?variant=video", "?other=thumbnail", "?Variant=thumbnail"]
)
def test_without_a_variant_it_is_the_video(server: Served, provider: str, query: str) -> None:
    """An empty one counts as none, and names have their case."""
    assert asked(server, create(server, provider) + query).body == WHOLE["video"][1]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "variant", ["poster", "Thumbnail", "thumbnail%20", "%7B%7B%20seed%20%7D%7D", "x" * 500]
)
def test_another_variant_is_refused_where_there_are_some(
    server: Served, is_current: bool, provider: str, variant: str
) -> None:
    """400 in the words of the content route, of bounded length, and with no template in it filled."""
    answer = asked(server, f"{create(server, provider)}?variant={variant}")
    if not is_current:
        assert answer.body == WHOLE["video"][1]
        return
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json; charset=utf-8")
    error: dict[str, Any] = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert set(error) == {"message", "type"}
    assert error["message"].startswith("Invalid value: '")
    assert error["message"].endswith("Supported values are: 'video', 'thumbnail', and 'spritesheet'.")
    assert len(error["message"]) < 160
    assert "cache-control" not in answer.headers


def test_a_task_keeps_the_profile_of_its_scenario(server: Served, is_current: bool) -> None:
    """Whatever the profile of the world: the file that made it speaks of one wire."""
    other = Profile.DOCUMENTED if is_current else Profile.CURRENT
    path = create(server, "octopusx", f"scenario:other-{list(Profile).index(other)}")
    answer = asked(server, f"{path}?variant=thumbnail")
    assert answer.headers["content-type"] == ("image/webp" if other is Profile.CURRENT else "video/mp4")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("variant", WHOLE)
def test_head_tells_what_get_would_send(server: Served, provider: str, variant: str) -> None:
    """The same head without a body, for each variant."""
    path = f"{create(server, provider)}?variant={variant}"
    whole, head = asked(server, path), asked(server, path, "HEAD")
    assert (head.status_code, head.body) == (200, b"")
    own = {"x-oneapi-request-id"}
    assert {n: v for n, v in head.headers.items() if n not in own} == {
        n: v for n, v in whole.headers.items() if n not in own
    }
    assert asked(server, f"{path}1", "HEAD").body == b""


@pytest.mark.parametrize("variant", WHOLE)
def test_parts_and_conditions_hold_for_each(server: Served, variant: str) -> None:
    """206, 304 and 416, by a tag that is the variant's own."""
    path = f"{create(server, 'octopusx')}?variant={variant}"
    whole = asked(server, path)
    part = asked(server, path, range="bytes=4-11")
    assert (part.status_code, part.body) == (206, whole.body[4:12])
    assert part.headers["content-range"] == f"bytes 4-11/{len(whole.body)}"
    assert part.headers["content-type"] == whole.headers["content-type"]
    assert asked(server, path, if_none_match=whole.headers["etag"]).status_code == 304
    assert asked(server, path, range=f"bytes={len(whole.body)}-").status_code == 416


def test_each_variant_has_its_own_tag(server: Served, is_current: bool) -> None:
    """So that no cache takes one for another; in `documented` all are the video."""
    path = create(server, "octopusx")
    tags = {asked(server, f"{path}?variant={variant}").headers["etag"] for variant in WHOLE}
    assert len(tags) == (3 if is_current else 1)


# When there is none


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("query", ["", *(f"?variant={variant}" for variant in WHOLE)])
def test_nothing_comes_of_a_result_that_has_expired(
    server: Served, world: World, is_current: bool, provider: str, query: str
) -> None:
    """502 in the provider's words from the instant at which the link dies; pictures die with the video."""
    path = create(server, provider)
    world.advance(3_599_999_999)
    assert asked(server, path + query).status_code == 200
    world.advance(1)
    for method in ("GET", "HEAD"):
        answer = asked(server, path + query, method)
        assert (answer.status_code, "cache-control" in answer.headers) == (502, False)
    error = asked(server, path + query).json()["error"]
    assert error["message"] == "Upstream service returned status 403"
    assert error.get("type") == ("server_error" if is_current else None)
    assert error.get("code") == (None if is_current else "bad_gateway")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("prompt", ["waits", "fails"])
def test_nothing_comes_of_a_task_that_has_not_completed(server: Served, provider: str, prompt: str) -> None:
    """400, with its status."""
    path = create(server, provider, prompt)
    for query in ("", "?variant=thumbnail"):
        answer = asked(server, path + query)
        assert answer.status_code == 400
        assert answer.json()["error"]["message"].startswith("Task is not completed yet, current status: ")


@pytest.mark.parametrize("variant", WHOLE)
def test_a_key_and_a_known_task_are_needed(server: Served, variant: str) -> None:
    """For pictures as for videos."""
    assert server.get(f"{create(server, 'ezmodel')}?variant={variant}", headers={}).status_code == 401
    assert asked(server, f"/ezmodel/v1/videos/nobody/content?variant={variant}").status_code == 404


# Redirects


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_redirect_leads_to_the_video(server: Served, provider: str) -> None:
    """By its link, which needs no key; HEAD is led as well."""
    path = create(server, provider, "redirect")
    for method in ("GET", "HEAD"):
        answer = asked(server, path, method)
        assert (answer.status_code, answer.body) == (302, b"")
    location = answer.headers["location"].removeprefix(server.url)
    assert location.startswith(f"/media/{provider}/")
    assert server.get(location, headers={}).body == WHOLE["video"][1]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("variant", PICTURES)
def test_pictures_are_never_redirected(server: Served, is_current: bool, provider: str, variant: str) -> None:
    """The link leads to the video, and who asks for a picture isn't sent there; `documented` knows no pictures."""
    answer = asked(server, f"{create(server, provider, 'redirect')}?variant={variant}")
    if is_current:
        assert (answer.status_code, answer.body) == (200, WHOLE[variant][1])
    else:
        assert answer.status_code == 302


def test_a_redirect_to_a_literal_link_is_spelt_for_a_header(server: Served) -> None:
    """A space can't stand in one."""
    answer = asked(server, create(server, "octopusx", "elsewhere"))
    assert (answer.status_code, answer.headers["location"]) == (302, "https://cdn.example/a%20b.mp4")


def test_where_there_is_no_link_the_video_comes_by_itself(server: Served) -> None:
    """There is nowhere to redirect to."""
    assert asked(server, create(server, "octopusx", "no link")).body == WHOLE["video"][1]


# Long ones


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_long_video_has_pictures_as_any(server: Served, is_current: bool, provider: str) -> None:
    """The padding is the video's."""
    path = create(server, provider, "long")
    assert len(asked(server, path).body) == 1_000_000
    thumbnail = asked(server, f"{path}?variant=thumbnail")
    assert len(thumbnail.body) == (len(WHOLE["thumbnail"][1]) if is_current else 1_000_000)


# What is told of it


def test_the_journal_tells_which_variant_was_sent(server: Served, is_current: bool) -> None:
    """With the video that it is of."""
    asked(server, f"{create(server, 'octopusx')}?variant=spritesheet")
    [entry] = server.get("/__admin/requests?operation=content&limit=1&order=newest", headers={}).json()[
        "requests"
    ]
    variant = "spritesheet" if is_current else "video"
    assert entry["answer"]["media"] == {"width": 1280, "height": 720, "seconds": 8, "variant": variant}
    assert entry["answer"]["size"] == len(WHOLE[variant][1])


def test_a_picture_of_another_size_says_so(server: Served, is_current: bool) -> None:
    """As a video does: it is of the clip that is served."""
    fields = {"prompt": "a cat", "model": "veo3", "size": "640x360", "seconds": "7"}
    task = server.post("/octopusx/v1/videos", fields).json()
    answer = asked(server, f"/octopusx/v1/videos/{task['id']}/content?variant=thumbnail")
    assert answer.headers["x-emulator-clip"] == "asked 640x360 7s, served 1280x720 8s"
    assert answer.body == WHOLE["thumbnail" if is_current else "video"][1]
