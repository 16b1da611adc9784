"""A client that sleeps between its polls, in each form: its time is the emulator's."""

import asyncio
import time  # noqa: TID251 - clients sleep by it
from typing import Any, Final

import pytest

from emulator.client import NotWellBehaved
from emulator.fast_forward import SleptTooLong
from tests.forms.forms import Form, Talk, talk
from tests.forms.wire import NAMES, create, poll

TEN_MINUTES: Final = {
    "version": 1,
    "name": "render",
    "tasks": [{"timeline": [{"status": "processing", "for": "10m"}, {"status": "completed"}]}],
}
GAP: Final = "poll.min_interval"


def is_done(talk: Talk, provider: str, task: str) -> bool:
    """What a client finds by a poll."""
    return "/media/" in poll(talk, provider, task).text


def waits(talk: Talk, provider: str) -> int:
    """How many polls a client needs that sleeps five seconds between them."""
    task, polls = create(talk, provider), 1
    while not is_done(talk, provider, task):
        time.sleep(5)
        polls += 1
    return polls


@pytest.mark.parametrize("provider", NAMES)
def test_a_client_sleeps(form: Form, provider: str) -> None:
    """Ten minutes, five seconds at a time; its gaps are judged as if it had."""
    with talk(form, TEN_MINUTES) as talking:
        emulator = talking.emulator
        with emulator.fast_forward() as forward:
            assert waits(talking, provider) == 121
        assert forward.slept == 600_000_000
        assert emulator.clock.state().now == "2025-01-01T00:10:00Z"
        assert emulator.requests("poll").count() == 121
        report = emulator.assert_well_behaved({"poll": {"min_interval": "5s"}})
        (gap,) = [check for check in report.checks if check.id == GAP]
        assert (gap.verdict, gap.judged, report.clock) == ("passed", 120, "emulator")
        with pytest.raises(NotWellBehaved, match="5s") as failed:
            emulator.assert_well_behaved({"poll": {"min_interval": "6s"}})
        assert [check.id for check in failed.value.report.checks if check.verdict == "failed"] == [GAP]


def test_a_client_sleeps_in_an_event_loop(form: Form) -> None:
    """The same, with other tasks beside it."""

    async def wait(emulator: Any, http: Any, prompt: str) -> int:
        url = f"{emulator.url('ezmodel')}/v1/videos"
        made = await http.post(url, json={"model": "sora-2", "prompt": prompt})
        polls = 1
        while (await http.get(f"{url}/{made.json()['id']}")).json()["status"] != "completed":
            await asyncio.sleep(5)  # noqa: TID251 - that is what is tested
            polls += 1
        return polls

    async def live() -> None:
        made = form.emulator(TEN_MINUTES)
        async with made as emulator, form.async_client(made) as http:
            with emulator.fast_forward():
                assert [*await asyncio.gather(*(wait(emulator, http, prompt) for prompt in "ab"))] == [
                    121,
                    121,
                ]
            report = await emulator.assert_well_behaved({"poll": {"min_interval": "5s"}})
            assert report.clock == "emulator"

    asyncio.run(live())


def test_a_client_that_never_gives_up(form: Form) -> None:
    """It is stopped where it sleeps."""
    with talk(
        form, {"version": 1, "tasks": [{"timeline": [{"status": "queued", "stuck": True}]}]}
    ) as talking:
        with pytest.raises(SleptTooLong), talking.emulator.fast_forward(limit="1m"):
            waits(talking, "octopusx")
        assert talking.emulator.requests("poll").count() <= 13
