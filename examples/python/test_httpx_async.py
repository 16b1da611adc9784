"""`studio.gateway`, which is made of httpx and asyncio: OctopusX and EzModel.

`asyncio.sleep` moves the world's clock, too, in a test with the mark `fast_forward`. Tests on an event loop may await
the emulator itself, as `video_emulator.aio`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from studio.gateway import Gateway
from studio.outcomes import GaveUp, KeyRefused, LinkDied, LinkMissing, RenderFailed

from emulator import Emulator
from emulator.embedded.emulators import EmulatorServer

pytestmark = [pytest.mark.asyncio, pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])]

MP4 = b"ftyp"
"""What stands at the fifth byte of every MP4."""


@asynccontextmanager
async def gateway(
    emulator: Emulator, provider: str, api_key: str | None = None, **options: Any
) -> AsyncIterator[Gateway]:
    """Our client, unchanged; only the address and the key are the emulator's."""
    headers = {"authorization": f"Bearer {api_key or emulator.api_key}"}
    async with httpx.AsyncClient(base_url=f"{emulator.url(provider)}/v1", headers=headers) as http:
        yield Gateway(http, **options)


@pytest.mark.fast_forward
async def test_progress_grows_until_there_is_a_video(video_emulator: Emulator, provider: str) -> None:
    """Ten seconds, with a look each second."""
    seen: list[int] = []
    async with gateway(video_emulator, provider, every=1, on_progress=seen.append) as videos:
        assert (await videos.render("a cat"))[4:8] == MP4
    assert (seen[0], seen[-1], len(seen)) == (0, 100, 11)
    assert seen == sorted(seen)
    await video_emulator.aio.assert_well_behaved()


@pytest.mark.scenario("slow-queue")
@pytest.mark.fast_forward
async def test_five_videos_take_no_longer_than_one(video_emulator: Emulator, provider: str) -> None:
    """They wait side by side, so five minutes pass, not twenty-five."""
    began = await video_emulator.aio.clock.now()
    async with gateway(video_emulator, provider, every=10) as videos:
        made = await asyncio.gather(*(videos.render(f"a cat, take {take}") for take in range(5)))
    assert [video[4:8] for video in made] == [MP4] * 5
    assert 300 <= (await video_emulator.aio.clock.now() - began).total_seconds() <= 310


@pytest.mark.fast_forward
async def test_a_failure_stops_nobody_else(video_emulator: Emulator, provider: str) -> None:
    """The words `scenario:NAME` in a prompt choose a scenario for one task."""
    prompts = ["a cat", "a cat scenario:fail-moderation", "a cat scenario:fail-midway", "a dog"]
    async with gateway(video_emulator, provider) as videos:
        ends = await asyncio.gather(*map(videos.render, prompts), return_exceptions=True)
    assert [isinstance(end, RenderFailed) for end in ends] == [False, True, True, False]
    assert await video_emulator.aio.requests("download").count() == 2


@pytest.mark.scenario("fail-moderation")
@pytest.mark.fast_forward
async def test_the_providers_reason_is_told(video_emulator: Emulator, provider: str) -> None:
    """Both have the same code for it."""
    async with gateway(video_emulator, provider) as videos:
        with pytest.raises(RenderFailed) as failed:
            await videos.render("something awful")
    assert failed.value.code == "content_policy_violation"
    await video_emulator.aio.assert_well_behaved({"poll": {"after_terminal": 0}})


@pytest.mark.scenario("stuck-processing")
@pytest.mark.fast_forward
async def test_our_own_time_limit_ends_a_wait(video_emulator: Emulator, provider: str) -> None:
    """Our client's, in its own loop. The task is still there, for whoever asks later."""
    async with gateway(video_emulator, provider, give_up_after=120) as videos:
        task = await videos.create("a cat")
        with pytest.raises(GaveUp):
            await videos.wait(task)
        await video_emulator.aio.tasks.complete(task)
        assert (await videos.download(await videos.wait(task)))[4:8] == MP4


@pytest.mark.scenario("stuck-processing")
@pytest.mark.fast_forward
async def test_a_callers_time_limit_ends_a_wait(video_emulator: Emulator, provider: str) -> None:
    """`asyncio.timeout` follows the same clock."""
    async with gateway(video_emulator, provider) as videos:
        task = await videos.create("a cat")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(42):
                await videos.wait(task)
    # At 0, 5, ..., 40 seconds, unless this machine is very slow.
    assert 6 <= await video_emulator.aio.requests("poll", task=task).count() <= 9


async def test_a_task_that_somebody_cancelled_has_failed(video_emulator: Emulator, provider: str) -> None:
    """Nobody can cancel by these APIs, but a test can. OctopusX has a status for it, EzModel a code."""
    async with gateway(video_emulator, provider) as videos:
        task = await videos.create("a cat")
        await video_emulator.aio.tasks.cancel(task)
        with pytest.raises(RenderFailed) as failed:
            await videos.wait(task)
    assert failed.value.code == "cancelled"


@pytest.mark.scenario("rate-limited", fail_on="findings")
@pytest.mark.fast_forward
async def test_retry_after_is_kept_to(video_emulator: Emulator, provider: str) -> None:
    """`fail_on="findings"` fails the test where the report finds fault with the client: there is nothing to assert."""
    async with gateway(video_emulator, provider, every=2) as videos:
        assert (await videos.render("a cat"))[4:8] == MP4


@pytest.mark.scenario("flaky-polls", fail_on=["unused", "unexpected"])
@pytest.mark.fast_forward
async def test_every_mishap_of_the_scenario_is_met(video_emulator: Emulator, provider: str) -> None:
    """`fail_on="unused"` fails a test that never came to a rule, or to an entry, of its scenario."""
    async with gateway(video_emulator, provider, every=1) as videos:
        assert (await videos.render("a cat"))[4:8] == MP4


@pytest.mark.scenario("done-without-url")
@pytest.mark.fast_forward
async def test_no_link_is_no_video(video_emulator: Emulator, provider: str) -> None:
    """One prints an empty one, the other none at all."""
    async with gateway(video_emulator, provider) as videos:
        with pytest.raises(LinkMissing):
            await videos.render("a cat")


@pytest.mark.scenario("expired-link")
@pytest.mark.fast_forward
async def test_a_video_is_lost_to_those_who_come_late(video_emulator: Emulator, provider: str) -> None:
    """Here the test itself sleeps, on the same clock as its client."""
    async with gateway(video_emulator, provider) as videos:
        video = await videos.wait(await videos.create("a cat"))
        await asyncio.sleep(11)
        with pytest.raises(LinkDied):
            await videos.download(video)


@pytest.mark.scenario("unknown-status")
async def test_a_word_that_nobody_knows_is_waited_out(video_emulator: Emulator, provider: str) -> None:
    """By hand up to that word, from one change of the task to the next; then our client waits by itself."""
    async with gateway(video_emulator, provider) as videos:
        task = await videos.create("a cat")
        while (await videos.look(task))["status"] != "post_processing":
            await video_emulator.aio.clock.advance_to_next()
        with video_emulator.fast_forward():
            video = await videos.wait(task)
        assert (await videos.download(video))[4:8] == MP4


@pytest.mark.scenario("unauthorized")
async def test_a_bad_key_is_refused(video_emulator: Emulator, provider: str) -> None:
    """Whatever is asked for; a good one finds its task."""
    async with gateway(video_emulator, provider, "sk-good-1") as videos:
        task = await videos.create("a cat")
    for key in ("sk-stranger", "sk-expired-1"):
        async with gateway(video_emulator, provider, key) as videos:
            with pytest.raises(KeyRefused):
                await videos.wait(task)
    async with gateway(video_emulator, provider, "sk-broke-1") as videos:
        with pytest.raises(KeyRefused):
            await videos.create("another cat")
    await video_emulator.aio.clock.advance("10s")
    async with gateway(video_emulator, provider, "sk-good-2") as videos:
        assert (await videos.download(await videos.wait(task)))[4:8] == MP4


CHANCES = """
version: 1
about: One task in three fails, as it falls out.
tasks:
  - choices:
      - name: unlucky
        weight: 1
        timeline: [{status: processing, for: 5s}, {status: failed}]
      - name: usual
        weight: 2
        timeline: [{status: processing, for: 10s}, {status: completed}]
"""


async def test_chance_falls_out_alike_in_every_run(
    video_emulator_server: EmulatorServer, provider: str
) -> None:
    """The seed and the requests decide, so what failed yesterday fails today.

    `video_emulator_server` gives a test as many worlds as it asks for.
    """
    runs = []
    for _ in range(2):
        with video_emulator_server.emulator(CHANCES, seed=7) as emulator, emulator.fast_forward():
            async with gateway(emulator, provider) as videos:
                renders = (videos.render(f"a cat, take {take}") for take in range(8))
                ends = await asyncio.gather(*renders, return_exceptions=True)
            runs.append([isinstance(end, RenderFailed) for end in ends])
    assert runs[0] == runs[1]
    assert 0 < sum(runs[0]) < 8
