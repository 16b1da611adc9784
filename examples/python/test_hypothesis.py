"""Whatever a provider does, our clients end: with a video, or with a reason.

Hypothesis makes up scenarios, and where one of them breaks a client it looks for the smallest that does. Each example
has a world of its own from `video_emulator_server`. `pytest --video-emulator-save-failures FOLDER` keeps the smallest
as a file, to be committed to `scenarios`.

It found what our clients did wrong at first: a `Retry-After` that is a date, an `error` that is a text, a download that
is throttled.
"""

import asyncio

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studio.acedata import AceData
from studio.gateway import Gateway
from studio.outcomes import NoVideo

from emulator.embedded.emulators import EmulatorServer
from emulator.strategies import GeneratedScenario, scenarios

MP4 = b"ftyp"
"""What stands at the fifth byte of every MP4."""

MAY_BE_LATE = {"download": {"before_expiry": False}}
"""Where links die within a second, a client that comes too late isn't at fault."""

# A deadline would judge the machine.
few = settings(max_examples=10, deadline=None)


@pytest.mark.parametrize("service", ["sora", "veo"])
@given(data=st.data())
@few
def test_every_wait_on_ace_data_ends(
    video_emulator_server: EmulatorServer, service: str, data: st.DataObject
) -> None:
    """Links that die at once, words that nobody knows, failures at every step."""
    scenario: GeneratedScenario = data.draw(scenarios(f"acedata-{service}"))
    with video_emulator_server.emulator(scenario) as emulator, emulator.fast_forward(limit="1h"):
        ace = AceData(service, emulator.api_key, base_url=emulator.url(f"acedata-{service}"))
        try:
            assert ace.render("a cat")[4:8] == MP4
        except NoVideo:
            assert emulator.requests("create").count() <= 3
        emulator.assert_well_behaved(MAY_BE_LATE)


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])
@given(data=st.data())
@few
def test_every_wait_on_a_gateway_ends(
    video_emulator_server: EmulatorServer, provider: str, data: st.DataObject
) -> None:
    """Also where tasks never end: `stuck=True`."""
    scenario: GeneratedScenario = data.draw(scenarios(provider, max_duration="1m", stuck=True))

    async def render(base_url: str, api_key: str) -> bytes:
        headers = {"authorization": f"Bearer {api_key}"}
        async with httpx.AsyncClient(base_url=base_url, headers=headers) as http:
            return await Gateway(http, give_up_after=120).render("a cat")

    with video_emulator_server.emulator(scenario) as emulator, emulator.fast_forward(limit="1h"):
        try:
            assert asyncio.run(render(f"{emulator.url(provider)}/v1", emulator.api_key))[4:8] == MP4
        except NoVideo:
            assert emulator.requests("create").count() == 1
        emulator.assert_well_behaved(MAY_BE_LATE)
