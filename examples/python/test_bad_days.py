"""`studio.gateway` on bad days: broken connections, gateways' pages, limits, results that aren't there yet.

Each scenario says in its `about` what a correct client does. Connections can only break where there are any, so these
tests go over a socket.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from studio.gateway import Gateway
from studio.outcomes import KeyRefused, LinkDied, RenderFailed

from emulator import Emulator

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


MISHAPS = ["reset-on-poll", "html-502", "invalid-json"]


@pytest.mark.parametrize(
    "_mishap", [pytest.param(name, marks=pytest.mark.scenario(name, fail_on="unused")) for name in MISHAPS]
)
@pytest.mark.fast_forward
async def test_a_poll_that_went_wrong_is_no_failed_task(
    video_emulator: Emulator, provider: str, _mishap: str
) -> None:
    """One task is made, and one video comes."""
    async with gateway(video_emulator, provider, every=1) as videos:
        assert (await videos.render("a cat"))[4:8] == MP4
    assert await video_emulator.aio.requests("create").count() == 1


@pytest.mark.scenario("truncated-download")
@pytest.mark.fast_forward
async def test_half_a_video_is_no_video(video_emulator: Emulator, provider: str) -> None:
    """The library minds that less came than was announced, and we ask again."""
    async with gateway(video_emulator, provider) as videos:
        video = await videos.render("a cat")
    downloads = await video_emulator.aio.requests("download").list()
    assert [download.answer.size for download in downloads] == [len(video) // 2, len(video)]


@pytest.mark.scenario("slow-download", clock="scaled:1000")
async def test_a_slow_download_is_waited_for(video_emulator: Emulator, provider: str) -> None:
    """Twenty seconds of it, of which the scaled clock makes little; one request fetches all."""
    async with gateway(video_emulator, provider, every=0.01) as videos:
        assert (await videos.render("a cat"))[4:8] == MP4
    assert await video_emulator.aio.requests("download").count() == 1


@pytest.mark.scenario("completed-but-not-ready")
@pytest.mark.fast_forward
async def test_a_result_that_is_late_is_asked_for_again(video_emulator: Emulator, provider: str) -> None:
    """The storage knows it two seconds after the task is done."""
    async with gateway(video_emulator, provider, every=1) as videos:
        assert (await videos.render("a cat"))[4:8] == MP4
    codes = [entry.answer.status_code for entry in await video_emulator.aio.requests("download").list()]
    assert (codes[0], codes[-1]) == (404, 200)


@pytest.mark.scenario("link-dead-on-arrival")
@pytest.mark.fast_forward
async def test_a_link_that_never_lived_is_not_tried_for_ever(video_emulator: Emulator, provider: str) -> None:
    """Once is enough."""
    async with gateway(video_emulator, provider) as videos:
        with pytest.raises(LinkDied):
            await videos.render("a cat")
    assert await video_emulator.aio.requests("download").count() == 1


@pytest.mark.scenario("error-as-string")
@pytest.mark.fast_forward
async def test_an_error_may_be_a_text(video_emulator: Emulator, provider: str) -> None:
    """It is told as it stands."""
    async with gateway(video_emulator, provider) as videos:
        with pytest.raises(RenderFailed, match="The upstream gave up"):
            await videos.render("a cat")


@pytest.mark.scenario("progress-regresses")
@pytest.mark.fast_forward
async def test_progress_may_fall(video_emulator: Emulator, provider: str) -> None:
    """The status counts, and nothing else."""
    seen: list[int] = []
    async with gateway(video_emulator, provider, every=1, on_progress=seen.append) as videos:
        assert (await videos.render("a cat"))[4:8] == MP4
    assert seen != sorted(seen)


@pytest.mark.scenario("rate-limit-window", fail_on="findings")
@pytest.mark.fast_forward
async def test_a_limit_is_waited_out(video_emulator: Emulator, provider: str) -> None:
    """As long as `Retry-After` says: until there is room again. The report finds nothing."""
    async with gateway(video_emulator, provider, every=1) as videos:
        assert (await videos.render("a cat"))[4:8] == MP4
    assert await video_emulator.aio.requests("poll", status_code=429).count() == 1


@pytest.mark.scenario("out-of-credits")
@pytest.mark.fast_forward
async def test_credit_that_is_used_up_is_told_at_once(video_emulator: Emulator, provider: str) -> None:
    """The third create is refused, and not sent again; the first two videos come all the same."""
    async with gateway(video_emulator, provider) as videos:
        tasks = [await videos.create(f"a cat, take {take}") for take in range(2)]
        with pytest.raises(KeyRefused):
            await videos.create("a cat, take 3")
        made = [await videos.download(await videos.wait(task)) for task in tasks]
    assert [video[4:8] for video in made] == [MP4] * 2
    assert await video_emulator.aio.requests("create").count() == 3


@pytest.mark.scenario("key-expires")
@pytest.mark.fast_forward
async def test_another_key_takes_the_task_up(video_emulator: Emulator, provider: str) -> None:
    """The first expires after a minute, before the task is done."""
    async with gateway(video_emulator, provider, "sk-short-1") as videos:
        task = await videos.create("a cat")
        with pytest.raises(KeyRefused):
            await videos.wait(task)
    async with gateway(video_emulator, provider, "sk-long-1") as videos:
        assert (await videos.download(await videos.wait(task)))[4:8] == MP4
