"""The report over real sockets: it catches each client that misbehaves, and passes those that behave."""

from typing import Any, Final

import openai
import pytest

from emulator.core.scenario import ClockSettings
from emulator.core.words import Profile
from emulator.report import CHECKS
from tests import serving
from tests.clients.misbehaving import MISBEHAVING, Behaved
from tests.serving import Served
from tests.worlds import World

REAL: Final = ClockSettings(mode="real")
SCENARIO: Final = """
version: 1
tasks:
  - timeline:
      - {{status: queued, polls: 2}}
      - {{status: processing, polls: 1, poll_after: {hint}}}
      - {{status: completed}}
rules:
  - {{operation: poll, calls: 2, error: rate_limited, retry_after: {wait}}}
expect:
  poll: {{min_interval: {least}, max_interval: {most}}}
"""
"""Each task is polled five times: the second is throttled, the fourth is told a pace."""


def scenario(hint: str = "40ms", wait: str = "none", least: str = "20ms", most: str = "1m") -> str:
    """What a client meets, and what is expected of it."""
    return SCENARIO.format(hint=hint, wait=wait, least=least, most=most)


def reported(served: Served) -> dict[str, Any]:
    """The report, as the control API has it."""
    told: dict[str, Any] = served.get("/__admin/report", headers={}).json()
    return told


def of(told: dict[str, Any], verdict: str) -> list[str]:
    """The checks with this verdict."""
    return [check["id"] for check in told["checks"] if check["verdict"] == verdict]


PROVOKED: Final = {
    "poll.min_interval": scenario(least="10s"),
    "poll.max_interval": scenario(most="1ms", least="0s"),
    "poll.honours_retry_after": scenario(wait="30s"),
    "poll.honours_poll_after": scenario(hint="30s"),
}
"""Where what is broken must be broken by far: how fast a machine is decides nothing."""


ELSEWHERE: Final = ["callback.answered"]
"""A receiver's, not a client's: test_callbacks has those that misbehave."""


def test_there_is_a_client_for_each_check() -> None:
    """None is forgotten."""
    assert len({client.breaks for client in MISBEHAVING}) == len(MISBEHAVING) == len(CHECKS) - len(ELSEWHERE)


@pytest.mark.parametrize("client", MISBEHAVING)
def test_catches_a_client_that_misbehaves(client: type[Behaved]) -> None:
    """For what it does, and for nothing else."""
    assert client.breaks is not None
    with serving.thread(World(PROVOKED.get(client.breaks, scenario()), clock=REAL).app) as served:
        client(served).run()
        told = reported(served)
    assert told["verdict"] == "failed"
    assert of(told, "failed") == [client.breaks]
    (evidence,) = [check["evidence"] for check in told["checks"] if check["id"] == client.breaks]
    assert evidence[0]["provider"] == "octopusx"
    assert "sk-test" not in str(told)


@pytest.mark.parametrize("provider", ["acedata-sora", "acedata-veo", "octopusx", "ezmodel"])
def test_passes_a_client_that_behaves(provider: str) -> None:
    """At every provider."""
    with serving.thread(World(scenario(), clock=REAL).app) as served:
        Behaved(served, provider).run()
        told = reported(served)
    assert (told["verdict"], of(told, "failed")) == ("passed", [])
    assert of(told, "not judged") == ["poll.honours_retry_after", *ELSEWHERE]


def test_passes_a_client_that_waits_as_long_as_it_is_asked_to() -> None:
    """In real time, under a clock that runs sixty times as fast."""
    clock = ClockSettings(mode="scaled", scale=60.0)
    with serving.thread(World(scenario(wait="1s"), clock=clock).app) as served:
        Behaved(served).run()
        told = reported(served)
    assert (told["verdict"], told["passed"]) == ("passed", len(CHECKS) - len(ELSEWHERE))


@pytest.mark.parametrize("client", [client for client in MISBEHAVING if client.breaks in PROVOKED])
def test_judges_no_waits_where_nobody_knows_how_the_client_sleeps(client: type[Behaved]) -> None:
    """Under a clock that stands: neither failed nor passed."""
    assert client.breaks is not None
    with serving.thread(World(PROVOKED[client.breaks]).app) as served:
        client(served).run()
        told = reported(served)
        asked = served.get("/__admin/report?clock=real", headers={}).json()
    assert client.breaks in of(told, "not judged")
    assert of(told, "failed") == []
    assert of(asked, "failed") == [client.breaks]


@pytest.mark.filterwarnings(r"ignore:The Sora API is scheduled to permanently shut down.*:DeprecationWarning")
def test_passes_the_openai_package() -> None:
    """Its helper keeps the pace that it is told, waits where it is asked to, and retries what fails."""
    text = """
        version: 1
        profile: current
        tasks:
          - timeline:
              - {status: queued, polls: 2, poll_after: 30ms}
              - {status: processing, polls: 2, poll_after: 30ms}
              - {status: completed}
        rules:
          - {operation: poll, calls: 2, error: rate_limited, retry_after: 1s}
          - {operation: poll, calls: 4, error: internal}
    """
    with (
        serving.thread(World(text, clock=REAL, profile=Profile.CURRENT).app) as served,
        openai.OpenAI(api_key="sk-test", base_url=f"{served.url}/octopusx/v1") as client,
    ):
        video = client.videos.create_and_poll(prompt="a cat")
        client.videos.download_content(video.id).read()
        told = reported(served)
    assert (told["verdict"], of(told, "failed")) == ("passed", [])
    assert of(told, "passed") == [
        "poll.min_interval",
        "poll.after_terminal",
        "poll.honours_retry_after",
        "poll.honours_poll_after",
        "create.repeated",
        "download.at_least",
        "download.before_expiry",
    ]
