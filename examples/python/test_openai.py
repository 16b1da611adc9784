"""OpenAI's own package, unchanged, as a client of OctopusX and EzModel.

Its functions that wait know the words `queued` and `in_progress` only, which neither provider's document has. So the
scenarios here are in profile `current`: as the providers' newest public clients show them.
"""

import time
from collections.abc import AsyncIterator, Iterator

import openai
import pytest
import pytest_asyncio
from openai import AsyncOpenAI, OpenAI

from emulator import Emulator

pytestmark = pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])

MP4 = b"ftyp"
"""What stands at the fifth byte of every MP4."""


@pytest.fixture
def client(video_emulator: Emulator, provider: str) -> Iterator[OpenAI]:
    """The package's client, with its usual two retries."""
    with OpenAI(base_url=f"{video_emulator.url(provider)}/v1", api_key=video_emulator.api_key) as made:
        yield made


@pytest_asyncio.fixture
async def async_client(video_emulator: Emulator, provider: str) -> AsyncIterator[AsyncOpenAI]:
    """The same for an event loop."""
    base_url = f"{video_emulator.url(provider)}/v1"
    async with AsyncOpenAI(base_url=base_url, api_key=video_emulator.api_key) as made:
        yield made


TEN_MINUTES = """
version: 1
profile: current
about: A render that takes ten minutes.
tasks:
  - timeline:
      - {status: queued, for: 1m}
      - {status: processing, for: 9m, progress: {from: 0, to: 99}}
      - {status: completed}
"""


@pytest.mark.scenario(TEN_MINUTES)
@pytest.mark.fast_forward
def test_ten_minutes_pass_in_a_moment(video_emulator: Emulator, client: OpenAI) -> None:
    """The package sleeps for a second between polls, six hundred times, by the world's clock."""
    video = client.videos.create_and_poll(prompt="a cat", model="sora-2", seconds="8", size="1280x720")
    assert (video.status, video.progress) == ("completed", 100)
    assert client.videos.download_content(video.id).read()[4:8] == MP4
    assert video_emulator.requests("poll").count() == 601
    video_emulator.assert_well_behaved({"poll": {"min_interval": "1s", "max_interval": "1s"}})


@pytest.mark.scenario(TEN_MINUTES)
def test_each_look_shows_how_far_it_is(video_emulator: Emulator, client: OpenAI) -> None:
    """Without waiting at all: the test moves the clock, and looks."""
    video = client.videos.create(prompt="a cat")
    seen = []
    for _ in range(4):
        video = client.videos.retrieve(video.id)
        seen.append((video.status, video.progress))
        video_emulator.clock.advance("200s")
    assert [status for status, _ in seen] == ["queued", "in_progress", "in_progress", "completed"]
    assert [progress for _, progress in seen] == sorted(progress for _, progress in seen)
    assert client.videos.download_content(video.id).read()[4:8] == MP4


@pytest.mark.scenario("fail-moderation", profile="current")
@pytest.mark.fast_forward
def test_a_failed_video_carries_its_error(video_emulator: Emulator, client: OpenAI) -> None:
    """The package raises nothing: whoever forgets to look at the status downloads nothing."""
    video = client.videos.create_and_poll(prompt="something awful")
    assert video.status == "failed"
    assert video.error is not None
    assert video.error.code == "content_policy_violation"
    with pytest.raises(openai.APIStatusError):
        client.videos.download_content(video.id)
    video_emulator.assert_well_behaved({"poll": {"after_terminal": 0}, "download": {"at_least": 0}})


@pytest.mark.scenario("rate-limited", profile="current", fail_on="findings")
@pytest.mark.fast_forward
def test_its_retries_keep_to_retry_after(video_emulator: Emulator, client: OpenAI) -> None:
    """Two throttled polls in a row are within its two retries, and it waits as long as it is told."""
    video = client.videos.create_and_poll(prompt="a cat")
    assert video.status == "completed"
    assert video_emulator.requests("poll", status_code=429).count() == 2
    assert client.videos.download_content(video.id).read()[4:8] == MP4


@pytest.mark.scenario("flaky-polls", profile="current")
@pytest.mark.fast_forward
def test_its_retries_get_over_flaky_polls(client: OpenAI) -> None:
    """429 once, 500 twice in a row: the caller sees none of it."""
    video = client.videos.create_and_poll(prompt="a cat")
    assert client.videos.download_content(video.id).read()[4:8] == MP4


BAD_MINUTE = """
version: 1
profile: current
about: Three polls in a row fail.
rules:
  - {operation: poll, calls: 2-4, error: internal}
"""


@pytest.mark.scenario(BAD_MINUTE)
@pytest.mark.fast_forward
def test_three_mishaps_in_a_row_are_more_than_it_takes(client: OpenAI) -> None:
    """The exception ends the wait, not the task, which can be asked for again."""
    video = client.videos.create(prompt="a cat")
    assert client.videos.retrieve(video.id).status == "queued"
    with pytest.raises(openai.InternalServerError):
        client.videos.poll(video.id)
    assert client.videos.poll(video.id).status == "completed"
    assert client.videos.download_content(video.id).read()[4:8] == MP4


PACED = """
version: 1
profile: current
about: The provider asks for a pace of its own.
tasks:
  - timeline:
      - {status: queued, for: 30s, poll_after: 10s}
      - {status: processing, for: 30s}
      - {status: completed}
"""


@pytest.mark.scenario(PACED)
@pytest.mark.fast_forward
def test_the_provider_sets_the_pace(video_emulator: Emulator, client: OpenAI) -> None:
    """By a header, `openai-poll-after-ms`, of which the package takes the first for good."""
    video = client.videos.create_and_poll(prompt="a cat")
    assert video.status == "completed"
    assert video_emulator.requests("poll").count() == 7
    video_emulator.assert_well_behaved({"poll": {"min_interval": "10s"}})
    assert client.videos.download_content(video.id).read()[4:8] == MP4


@pytest.mark.scenario("happy-path", profile="documented")
@pytest.mark.fast_forward
def test_the_documented_words_end_its_wait_too_early(client: OpenAI, provider: str) -> None:
    """A trap: what it doesn't know it takes for the end. With the documents' words wait in a loop of your own."""
    video = client.videos.create_and_poll(prompt="a cat")
    assert video.status == {"octopusx": "processing", "ezmodel": "pending"}[provider]
    while video.status not in ("completed", "failed"):
        time.sleep(5)
        video = client.videos.retrieve(video.id)
    assert client.videos.download_content(video.id).read()[4:8] == MP4


@pytest.mark.scenario("unauthorized", profile="current")
def test_a_refused_key_is_an_exception(video_emulator: Emulator, client: OpenAI) -> None:
    """At once, without a retry; with another key the same client carries on."""
    with pytest.raises(openai.AuthenticationError):
        client.videos.create(prompt="a cat")
    assert video_emulator.requests("create").count() == 1
    video = client.with_options(api_key="sk-good-1").videos.create(prompt="a cat")
    video_emulator.clock.advance("10s")
    assert client.with_options(api_key="sk-good-1").videos.retrieve(video.id).status == "completed"


@pytest.mark.scenario(TEN_MINUTES)
@pytest.mark.fast_forward
@pytest.mark.asyncio
async def test_it_waits_on_an_event_loop_too(video_emulator: Emulator, async_client: AsyncOpenAI) -> None:
    """Its asynchronous twin sleeps by `anyio`, which follows as well."""
    video = await async_client.videos.create_and_poll(prompt="a cat", poll_interval_ms=20_000)
    assert video.status == "completed"
    content = await async_client.videos.download_content(video.id)
    assert content.read()[4:8] == MP4
    assert await video_emulator.aio.requests("poll").count() == 31
