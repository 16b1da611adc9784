"""The `openai` package as a client of the two OpenAI-style providers, over real sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from emulator.core.scenario import ClockSettings
from emulator.core.words import Profile
from tests import serving
from tests.worlds import START, World

# The package warns of the end of OpenAI's own service with every call; this one's end isn't in sight.
pytestmark = pytest.mark.filterwarnings(
    r"ignore:The Sora API is scheduled to permanently shut down.*:DeprecationWarning"
)
PROVIDERS: Final = ["octopusx", "ezmodel"]
PNG: Final = b"\x89PNG\r\n\x1a\n"


@contextmanager
def client(
    provider: str, scenario: str | None = None, *, key: str = "sk-test", **world: Any
) -> Iterator[tuple[OpenAI, World]]:
    """A client whose base URL is the provider's, and the world behind it; nothing is tried twice."""
    inner = World(scenario, **world)
    with (
        serving.thread(inner.app) as served,
        OpenAI(api_key=key, base_url=f"{served.url}/{provider}/v1", max_retries=0) as made,
    ):
        yield made, inner


AUTO: Final = ClockSettings(mode="auto", start=START)
"""Polls move the clock, so that waiting for the end takes as many polls as there are statuses."""


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", list(Profile))
def test_creates_retrieves_and_downloads(provider: str, profile: Profile) -> None:
    """A create without a file is multipart too; the download is an MP4 with the bytes of the link."""
    with client(provider, profile=profile) as (made, world):
        video = made.videos.create(prompt="a cat", model="sora-2", seconds="8", size="1280x720")
        waiting = made.videos.retrieve(video.id)
        world.advance(60_000_000)
        done = made.videos.retrieve(video.id)
        content = made.videos.download_content(video.id).read()
    queued = "pending" if (provider, profile) == ("ezmodel", Profile.DOCUMENTED) else "queued"
    assert (video.object, video.status, video.progress) == ("video", queued, 0)
    assert (waiting.id, waiting.status, waiting.completed_at or 0) == (video.id, queued, 0)
    assert (done.id, done.status, done.progress, done.size) == (video.id, "completed", 100, "1280x720")
    assert done.seconds == {"octopusx": "8", "ezmodel": "8.0"}[provider]
    assert done.completed_at == video.created_at + 10
    assert content[4:8] == b"ftyp"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_creates_with_a_file(provider: str) -> None:
    """The file is counted and dropped; the fields beside it are read."""
    with client(provider) as (made, world):
        file = ("cat.png", PNG + bytes(100_000), "image/png")
        video = made.videos.create(prompt="a cat", input_reference=file, size="1792x1024")
        task = world.namespace.store.get(provider, video.id)
    assert task is not None
    assert (
        b'"input_reference":{"filename":"cat.png","content_type":"image/png","size":100008}' in task.request
    )
    assert b'"size":"1792x1024"' in task.request


@pytest.mark.parametrize("provider", PROVIDERS)
def test_create_and_poll_runs_to_the_end(provider: str) -> None:
    """Under profile `current`, whose words the helper understands: queued, in progress, completed."""
    with client(provider, clock=AUTO, profile=Profile.CURRENT) as (made, world):
        video = made.videos.create_and_poll(prompt="a cat", poll_interval_ms=1)
    assert (video.status, video.progress) == ("completed", 100)
    assert [record.operation for record in world.namespace.journal] == ["create", "poll", "poll", "poll"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_create_and_poll_takes_its_pace_from_the_scenario(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`poll_after` becomes `openai-poll-after-ms`, which the helper keeps to when it isn't told an interval."""
    text = """
        version: 1
        profile: current
        tasks:
          - timeline:
              - {status: queued, polls: 2, poll_after: 2ms}
              - {status: processing, polls: 2}
              - {status: completed}
    """
    pauses: list[float] = []
    with client(provider, text) as (made, _):
        monkeypatch.setattr(made.videos, "_sleep", pauses.append)
        video = made.videos.create_and_poll(prompt="a cat")
    assert video.status == "completed"
    assert pauses == [0.002] * 4


@pytest.mark.parametrize("provider", PROVIDERS)
def test_create_and_poll_ends_with_a_failed_task(provider: str) -> None:
    """The error is the scenario's."""
    text = """
        version: 1
        profile: current
        tasks:
          - timeline:
              - {status: queued, for: 2s}
              - {status: failed, error: {code: too_dull, message: Nobody would watch it}}
    """
    with client(provider, text, clock=AUTO) as (made, _):
        video = made.videos.create_and_poll(prompt="a cat", poll_interval_ms=1)
    assert video.status == "failed"
    assert video.error is not None
    assert (video.error.code, video.error.message) == ("too_dull", "Nobody would watch it")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_asynchronous_client_runs_to_the_end(provider: str) -> None:
    """It is another transport."""
    import asyncio  # noqa: PLC0415 - here alone

    async def run(url: str) -> tuple[str, bytes]:
        async with AsyncOpenAI(api_key="sk-test", base_url=f"{url}/{provider}/v1", max_retries=0) as made:
            video = await made.videos.create_and_poll(prompt="a cat", poll_interval_ms=1)
            content = await made.videos.download_content(video.id)
            return video.status, content.read()

    with serving.thread(World(clock=AUTO, profile=Profile.CURRENT).app) as served:
        status, content = asyncio.run(run(served.url))
    assert status == "completed"
    assert content[4:8] == b"ftyp"


ERRORS: Final = """
version: 1
tasks:
  - {id: known}
  - {id: bad}
  - {id: throttled}
  - {id: broken}
rules:
  - {operation: poll, match: {id: bad}, error: bad_request}
  - {operation: poll, match: {id: throttled}, error: rate_limited, retry_after: 2s}
  - {operation: poll, match: {id: broken}, error: internal}
"""


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize(
    ("task_id", "error"),
    [
        ("bad", openai.BadRequestError),
        ("throttled", openai.RateLimitError),
        ("broken", openai.InternalServerError),
    ],
)
def test_errors_are_the_packages_exceptions(
    provider: str, profile: Profile, task_id: str, error: type[openai.APIStatusError]
) -> None:
    """Each status code has its own."""
    with client(provider, ERRORS, profile=profile) as (made, _), pytest.raises(error) as caught:
        made.videos.retrieve(task_id)
    assert caught.value.response.headers["content-type"].startswith("application/json")
    retry_after = caught.value.response.headers.get("retry-after")
    assert retry_after == ("2" if task_id == "throttled" else None)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("profile", "error"),
    [(Profile.DOCUMENTED, openai.NotFoundError), (Profile.CURRENT, openai.BadRequestError)],
)
def test_an_unknown_task_is_an_exception(
    provider: str, profile: Profile, error: type[openai.APIStatusError]
) -> None:
    """404 as documented; the gateway's 400 `task_not_exist` in profile `current`."""
    with client(provider, profile=profile) as (made, _), pytest.raises(error):
        made.videos.retrieve("nobody")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_code_of_an_error_reaches_the_caller(provider: str) -> None:
    """The package reads it from `error.code`."""
    with client(provider) as (made, _), pytest.raises(openai.NotFoundError) as caught:
        made.videos.retrieve("nobody")
    assert caught.value.code == {"octopusx": "task_not_exist", "ezmodel": "task_not_found"}[provider]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", list(Profile))
def test_a_refused_key_is_an_exception(provider: str, profile: Profile) -> None:
    """At the create as at the poll."""
    with client(provider, "unauthorized", key="sk-bad-1", profile=profile) as (made, _):
        with pytest.raises(openai.AuthenticationError):
            made.videos.create(prompt="a cat")
        with pytest.raises(openai.AuthenticationError):
            made.videos.retrieve("nobody")
    with client(provider, "unauthorized", key="sk-good-1", profile=profile) as (made, _):
        assert made.videos.create(prompt="a cat").id


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", list(Profile))
def test_a_full_window_and_spent_credit_are_exceptions(provider: str, profile: Profile) -> None:
    """The first tells the wait, and there is room at its end; the second is none that the package tries again."""
    with client(provider, "rate-limit-window", profile=profile) as (made, world):
        video = made.videos.create(prompt="a cat")
        for _ in range(5):
            made.videos.retrieve(video.id)
        with pytest.raises(openai.RateLimitError) as caught:
            made.videos.retrieve(video.id)
        assert caught.value.response.headers["retry-after"] == "10"
        world.advance(10_000_000)
        assert made.videos.retrieve(video.id).status == "completed"
    with client(provider, "out-of-credits", profile=profile) as (made, _):
        videos = [made.videos.create(prompt="a cat") for _ in range(2)]
        with pytest.raises(openai.PermissionDeniedError):
            made.videos.create(prompt="a cat")
        assert made.videos.retrieve(videos[0].id).id == videos[0].id


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", list(Profile))
def test_content_before_the_end_is_refused(provider: str, profile: Profile) -> None:
    """With 400, which the package doesn't try again."""
    with client(provider, profile=profile) as (made, _):
        video = made.videos.create(prompt="a cat")
        with pytest.raises(openai.BadRequestError):
            made.videos.download_content(video.id)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_retry_gets_through_what_fails_once(provider: str) -> None:
    """The package's own retries; it looks for a wait in milliseconds first."""
    text = """
        version: 1
        rules:
          - {operation: poll, calls: 1, error: rate_limited, headers: {retry-after-ms: "1"}}
    """
    with client(provider, text) as (made, _):
        video = made.videos.create(prompt="a cat")
        patient = made.with_options(max_retries=1)
        assert patient.videos.retrieve(video.id).id == video.id


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_word_in_the_prompt_chooses_the_scenario(provider: str) -> None:
    """For clients that can't set a header, and beside tasks of the active one."""
    with client(provider, profile=Profile.CURRENT, clock=AUTO) as (made, _):
        refused = made.videos.create_and_poll(prompt="a cat scenario:fail-moderation", poll_interval_ms=1)
        made_well = made.videos.create_and_poll(prompt="a cat", poll_interval_ms=1)
    assert (refused.status, made_well.status) == ("failed", "completed")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_header_chooses_the_scenario(provider: str) -> None:
    """`extra_headers` carries it."""
    with client(provider, profile=Profile.CURRENT, clock=AUTO) as (made, _):
        named = {"X-Emulator-Scenario": "fail-midway"}
        video = made.videos.create_and_poll(prompt="a cat", poll_interval_ms=1, extra_headers=named)
    assert video.status == "failed"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_connections_that_are_reset_are_an_error_after_the_clients_own_tries(provider: str) -> None:
    """`reset-on-poll` breaks three polls in a row: as many as the package makes of one, unless it is told more."""
    with client(provider, "reset-on-poll") as (made, world):
        patient = made.with_options(max_retries=2)
        video = made.videos.create(prompt="a cat")
        assert patient.videos.retrieve(video.id).status
        with pytest.raises(openai.APIConnectionError) as raised:
            patient.videos.retrieve(video.id)
        assert type(raised.value) is openai.APIConnectionError
        world.advance(60_000_000)
        assert patient.videos.retrieve(video.id).status == "completed"
    assert [record.operation for record in world.namespace.journal] == ["create", *["poll"] * 5]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("with_file", [True, False], ids=["with a file", "without a file"])
def test_creates_with_or_without_a_file_run_to_the_result(provider: str, with_file: bool) -> None:
    """The helper's whole way, from the create to the bytes, under profile `current`."""
    file = ("cat.png", PNG + bytes(1000), "image/png")
    more: dict[str, Any] = {"input_reference": file} if with_file else {}
    with client(provider, clock=AUTO, profile=Profile.CURRENT) as (made, _):
        video = made.videos.create_and_poll(
            prompt="a cat", model="sora-2", seconds="8", size="1280x720", poll_interval_ms=1, **more
        )
        content = made.videos.download_content(video.id).read()
    assert (video.status, video.progress, video.size) == ("completed", 100, "1280x720")
    assert content[4:8] == b"ftyp"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_list_ends(provider: str, order: Literal["asc", "desc"]) -> None:
    """The package asks for page after page until there are no more, and sees every task once."""
    with client(provider, profile=Profile.CURRENT) as (made, world):
        ids = [made.videos.create(prompt=f"cat {number}").id for number in range(7)]
        listed = [video.id for video in made.videos.list(limit=2, order=order)]
        usual = [video.id for video in made.videos.list()]
    assert listed == (ids if order == "asc" else ids[::-1])
    assert usual == ids[::-1]
    assert [record.operation for record in world.namespace.journal].count("list") == 4 + 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_video_can_be_deleted(provider: str) -> None:
    """Once it is done; before that the exception is one that the package doesn't try again."""
    with client(provider, profile=Profile.CURRENT) as (made, world):
        video = made.videos.create(prompt="a cat")
        with pytest.raises(openai.BadRequestError):
            made.videos.delete(video.id)
        world.advance(60_000_000)
        gone = made.videos.delete(video.id)
        with pytest.raises(openai.BadRequestError):
            made.videos.retrieve(video.id)
    assert (gone.id, gone.object, gone.deleted) == (video.id, "video.deleted", True)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_video_can_be_remixed(provider: str) -> None:
    """It knows what it was made from."""
    with client(provider, clock=AUTO, profile=Profile.CURRENT) as (made, _):
        video = made.videos.create(prompt="a cat", seconds="8", size="1280x720")
        remix = made.videos.remix(video.id, prompt="a dog")
        done = made.videos.poll(remix.id, poll_interval_ms=1)
    assert remix.id != video.id
    assert (done.status, done.size, done.remixed_from_video_id) == ("completed", "1280x720", video.id)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_its_own_retries_survive_flaky_polls(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its usual two: the caller sees none of the mishaps."""
    with client(provider, "flaky-polls", profile=Profile.CURRENT) as (made, world):
        patient = made.with_options(max_retries=openai.DEFAULT_MAX_RETRIES)
        # How long it waits is the package's own affair, and real time.
        monkeypatch.setattr(patient, "_sleep_for_retry", lambda **_: world.advance(1_000_000))
        monkeypatch.setattr(patient.videos, "_sleep", lambda _: world.advance(2_000_000))
        video = patient.videos.create_and_poll(prompt="a cat")
        content = patient.videos.download_content(video.id).read()
    codes = [record.reply.status_code for record in world.namespace.journal if record.operation == "poll"]
    assert video.status == "completed"
    assert codes[:7] == [200, 429, 200, 500, 500, 200, 429]
    assert content[4:8] == b"ftyp"
