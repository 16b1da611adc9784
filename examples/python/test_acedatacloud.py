"""Ace Data Cloud's own package, unchanged: `acedatacloud`."""

from collections.abc import Iterator
from typing import Any

import acedatacloud  # type: ignore[import-untyped] # ships no types
import pytest
import requests
from acedatacloud import AceDataCloud, AsyncAceDataCloud

from emulator import Emulator

pytestmark = pytest.mark.parametrize("service", ["sora", "veo"])

MP4 = b"ftyp"
"""What stands at the fifth byte of every MP4."""


@pytest.fixture
def client(video_emulator: Emulator) -> Iterator[AceDataCloud]:
    """The package's client, with its usual two retries."""
    base_url = video_emulator.url("acedata-sora")  # Veo's is the same
    with AceDataCloud(api_token=video_emulator.api_key, base_url=base_url) as made:
        yield made


def ordered(client: Any, service: str) -> Any:
    """A task that isn't waited for yet: of the package, a handle."""
    return client.video.generate(provider=service, prompt="a cat", async_=True)


def downloaded(handle: Any) -> bytes:
    """The one video of a task that has ended."""
    [url] = handle.urls()
    return requests.get(url, timeout=30).content


@pytest.mark.scenario("slow-queue")
@pytest.mark.fast_forward
def test_it_waits_for_five_minutes_in_a_moment(
    video_emulator: Emulator, client: AceDataCloud, service: str
) -> None:
    """It asks every three seconds, and says so to no one but the report."""
    handle = ordered(client, service)
    record = handle.wait()
    assert record["response"]["success"] is True
    assert downloaded(handle)[4:8] == MP4
    assert video_emulator.requests("poll").count() == 101
    video_emulator.assert_well_behaved({"poll": {"min_interval": "3s", "max_interval": "3s"}})


def test_a_loop_of_ones_own_asks_for_each_status(
    video_emulator: Emulator, client: AceDataCloud, service: str
) -> None:
    """The handle is done when the third answer says so."""
    handle = ordered(client, service)
    done = []
    for _ in range(3):
        done.append(handle.is_completed())
        video_emulator.clock.advance("5s")
    assert done == [False, False, True]
    assert downloaded(handle)[4:8] == MP4


@pytest.mark.scenario("fail-moderation", profile="current")
@pytest.mark.fast_forward
def test_a_failed_task_ends_its_wait(video_emulator: Emulator, client: AceDataCloud, service: str) -> None:
    """It raises nothing: there is no link, and the record says why."""
    handle = ordered(client, service)
    record = handle.wait()
    assert handle.urls() == []
    assert record["response"]["error"]["code"] == "forbidden"
    video_emulator.assert_well_behaved()


@pytest.mark.scenario("stuck-processing")
@pytest.mark.fast_forward
def test_it_gives_up_after_ten_minutes(video_emulator: Emulator, client: AceDataCloud, service: str) -> None:
    """Its own limit, by its own count; the task may be asked for again.

    What time it took besides sleeping counts, too, so nobody knows the last poll's number beforehand.
    """
    handle = ordered(client, service)
    began = video_emulator.clock.now()
    with pytest.raises(Exception, match="did not complete within 600"):
        handle.wait()
    assert 540 < (video_emulator.clock.now() - began).total_seconds() <= 600
    video_emulator.tasks.complete(handle.id)
    handle.wait()
    assert downloaded(handle)[4:8] == MP4


@pytest.mark.scenario("held-create", clock="auto")
def test_a_create_may_hold_its_connection(
    video_emulator: Emulator, client: AceDataCloud, service: str
) -> None:
    """Without `async_` the answer comes after two minutes, with the links. Under the clock `auto` nobody waits."""
    began = video_emulator.clock.now()
    answer = client.video.generate(provider=service, prompt="a cat")
    assert requests.get(answer["data"][0]["video_url"], timeout=30).content[4:8] == MP4
    assert (video_emulator.clock.now() - began).total_seconds() == 120


@pytest.mark.scenario("flaky-polls")
@pytest.mark.fast_forward
def test_its_retries_get_over_a_flaky_minute(client: AceDataCloud, service: str) -> None:
    """429 once, 500 twice in a row: the caller sees none of it."""
    handle = ordered(client, service)
    handle.wait()
    assert downloaded(handle)[4:8] == MP4


@pytest.mark.scenario({"version": 1, "rules": [{"operation": "poll", "calls": "2-4", "error": "internal"}]})
@pytest.mark.fast_forward
def test_its_retries_are_too_few_for_a_bad_minute(client: AceDataCloud, service: str) -> None:
    """Three in a row is one more than it takes. Whoever catches that and waits on gets the video."""
    handle = ordered(client, service)
    assert not handle.is_completed()
    with pytest.raises(acedatacloud.APIError):
        handle.wait()
    handle.wait()
    assert downloaded(handle)[4:8] == MP4


@pytest.mark.scenario("rate-limited")
@pytest.mark.fast_forward
def test_it_pays_no_heed_to_retry_after(video_emulator: Emulator, client: AceDataCloud, service: str) -> None:
    """It gets its video all the same. What the provider may think of it, the report says."""
    handle = ordered(client, service)
    handle.wait()
    assert downloaded(handle)[4:8] == MP4
    with pytest.raises(AssertionError, match="Retry-After"):
        video_emulator.assert_well_behaved()


@pytest.mark.scenario("unauthorized")
def test_a_refused_key_is_an_exception(video_emulator: Emulator, client: AceDataCloud, service: str) -> None:
    """The key of the fixture isn't one of this scenario's. One that is makes a task, and fetches it."""
    with pytest.raises(acedatacloud.AuthenticationError):
        ordered(client, service)
    with AceDataCloud(api_token="sk-good-1", base_url=video_emulator.url("acedata-sora")) as good:
        handle = ordered(good, service)
        video_emulator.clock.advance("10s")
        assert handle.is_completed()
    assert downloaded(handle)[4:8] == MP4


def test_the_key_alone_leads_into_the_world(
    video_emulator: Emulator, video_emulator_server: Any, service: str
) -> None:
    """For clients whose address is the same for all tests: the key of a world belongs to it."""
    base_url = f"{video_emulator_server.url}/acedata"
    with AceDataCloud(api_token=video_emulator.api_key, base_url=base_url) as made:
        handle = ordered(made, service)
        video_emulator.clock.advance("10s")
        assert handle.is_completed()
    assert downloaded(handle)[4:8] == MP4
    assert video_emulator.requests("poll").count() == 1


@pytest.mark.scenario("slow-queue")
@pytest.mark.fast_forward
@pytest.mark.asyncio
async def test_it_waits_on_an_event_loop_too(video_emulator: Emulator, service: str) -> None:
    """Its asynchronous twin, with an interval of its own."""
    base_url = video_emulator.url("acedata-sora")
    async with AsyncAceDataCloud(api_token=video_emulator.api_key, base_url=base_url) as client:
        handle = await client.video.generate(provider=service, prompt="a cat", async_=True)
        record = await handle.wait(poll_interval=10)
    assert record["response"]["success"] is True
    assert downloaded(handle)[4:8] == MP4
    assert await video_emulator.aio.requests("poll").count() == 31
