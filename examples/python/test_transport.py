"""Without a socket, and with the providers' own addresses: `video_emulator.transport()` for clients made of httpx.

These tests also run under `--video-emulator-no-socket`.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from openai import DefaultHttpxClient, OpenAI
from studio.gateway import Gateway

from emulator import Emulator

MP4 = b"ftyp"
"""What stands at the fifth byte of every MP4."""


@pytest.fixture
def http(video_emulator: Emulator) -> Iterator[httpx.Client]:
    """A client that believes to speak to the real providers."""
    headers = {"authorization": "Bearer sk-real"}
    with httpx.Client(transport=video_emulator.transport(), headers=headers) as made:
        yield made


@pytest.mark.parametrize(
    ("address", "member"),
    [("https://octopusx.ai/v1/videos", "video_url"), ("https://www.ezmodel.cloud/v1/videos", "url")],
)
def test_real_addresses_lead_to_a_video(
    video_emulator: Emulator, http: httpx.Client, address: str, member: str
) -> None:
    """The host says which provider is meant. Its links lead into the emulator, too."""
    task = http.post(address, json={"prompt": "a cat", "model": "sora-2"}).json()
    assert http.get(f"{address}/{task['id']}").json()["status"] in {"queued", "pending"}
    video_emulator.clock.advance("10s")
    video = http.get(f"{address}/{task['id']}").json()
    assert video["status"] == "completed"
    assert http.get(video[member]).content[4:8] == MP4


@pytest.mark.parametrize("service", ["sora", "veo"])
def test_ace_datas_address_leads_to_a_video(
    video_emulator: Emulator, http: httpx.Client, service: str
) -> None:
    """Both services have the same host."""
    address = f"https://api.acedata.cloud/{service}"
    created = http.post(f"{address}/videos", json={"prompt": "a cat", "async": True}).json()
    query = {"action": "retrieve", "id": created["task_id"]}
    assert "response" not in http.post(f"{address}/tasks", json=query).json()
    video_emulator.clock.advance("10s")
    response = http.post(f"{address}/tasks", json=query).json()["response"]
    assert response["success"] is True
    assert http.get(response["data"][0]["video_url"]).content[4:8] == MP4


@pytest.mark.scenario("fail-midway", profile="current")
@pytest.mark.fast_forward
def test_a_package_takes_it_as_its_http_client(video_emulator: Emulator) -> None:
    """OpenAI's has an argument for it."""
    with OpenAI(
        base_url="https://octopusx.ai/v1",
        api_key="sk-real",
        http_client=DefaultHttpxClient(transport=video_emulator.transport()),
    ) as client:
        video = client.videos.create_and_poll(prompt="a cat")
    assert video.status == "failed"
    assert video_emulator.requests("poll", task=video.id).count() == 8


@pytest.mark.asyncio
@pytest.mark.fast_forward
async def test_it_serves_event_loops_too(video_emulator: Emulator) -> None:
    """The same transport in an asynchronous client."""
    options: dict[str, Any] = {
        "base_url": "https://www.ezmodel.cloud/v1",
        "headers": {"authorization": "Bearer sk-real"},
        "transport": video_emulator.transport(),
    }
    async with httpx.AsyncClient(**options) as http:
        assert (await Gateway(http).render("a cat"))[4:8] == MP4
    await video_emulator.aio.assert_well_behaved()
