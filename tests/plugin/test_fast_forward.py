"""The marker `fast_forward`: a test's own sleeps move the clock of its world."""

import pytest

from tests.plugin.conftest import Run

SLEEPS = """
import asyncio
import time

import anyio
import httpx
import pytest
from client import Client

HEADERS = {"Authorization": "Bearer sk-test"}
RENDER = {"version": 1, "tasks": [{"timeline": [{"status": "processing", "for": "10m"}, {"status": "completed"}]}]}


@pytest.mark.fast_forward
@pytest.mark.scenario(RENDER)
def test_blocking(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    while client.status(task) != "completed":
        time.sleep(5)
    assert video_emulator.requests("poll").count() == 121
    for interval, verdict in (("5s", "passed"), ("6s", "failed")):
        report = video_emulator.report({"poll": {"min_interval": interval}})
        assert report.clock == "emulator"
        assert {check.id: check.verdict for check in report.checks}["poll.min_interval"] == verdict


async def life(video_emulator, sleep):
    videos = video_emulator.url("ezmodel") + "/v1/videos"
    async with httpx.AsyncClient(transport=video_emulator.transport(), headers=HEADERS) as client:
        task = (await client.post(videos, json={"prompt": "a cat"})).json()["id"]
        while (await client.get(f"{videos}/{task}")).json()["status"] != "completed":
            await sleep(5)
    assert video_emulator.requests("poll").count() == 121


@pytest.mark.asyncio
@pytest.mark.fast_forward
@pytest.mark.scenario(RENDER)
async def test_asyncio(video_emulator):
    await life(video_emulator, asyncio.sleep)


@pytest.mark.anyio
@pytest.mark.fast_forward
@pytest.mark.scenario(RENDER)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_anyio(video_emulator):
    await life(video_emulator, anyio.sleep)
"""


def test_sleeps_move_the_clock(run: Run, pytester: pytest.Pytester) -> None:
    """A render of ten minutes, polled every five seconds: in plain code, under pytest-asyncio and under anyio."""
    run("")
    pytester.makepyfile(test_it=SLEEPS)
    pytester.runpytest_inprocess().assert_outcomes(passed=3)


def test_a_client_that_never_gives_up_is_stopped(run: Run) -> None:
    """At the marker's limit."""
    result = run(
        """
        import time

        @pytest.mark.fast_forward(limit="10m")
        @pytest.mark.scenario("stuck-processing")
        def test_it(video_emulator):
            client = Client(video_emulator)
            task = client.create()
            while client.status(task) != "completed":
                time.sleep(5)
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">           time.sleep(5)", "E *SleptTooLong: *10m*"])


def test_time_is_real_again_afterwards(run: Run) -> None:
    """Nothing of it is left for the next test."""
    result = run(
        """
        import time

        real = time.sleep, time.monotonic

        @pytest.mark.fast_forward
        def test_one(video_emulator):
            assert (time.sleep, time.monotonic) != real

        def test_two(video_emulator):
            assert (time.sleep, time.monotonic) == real
        """
    )
    result.assert_outcomes(passed=2)


WRONG = {
    "limit=5": '@pytest.mark.fast_forward: limit: expected a duration such as "6h", got 5',
    "'soon'": "@pytest.mark.fast_forward: limit: expected a duration such as \"6h\", got 'soon'",
    "limt='6h'": "@pytest.mark.fast_forward: *'limt'; it takes limit",
}


@pytest.mark.parametrize(("arguments", "told"), WRONG.items(), ids=list(WRONG))
def test_a_wrong_one_is_told(run: Run, arguments: str, told: str) -> None:
    """What was expected, what came; and no traceback of ours."""
    result = run(f"@pytest.mark.fast_forward({arguments})\ndef test_it(video_emulator): pass")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([told])
    result.stdout.no_fnmatch_line("*emulator/plugin*")


def test_one_without_a_clock_to_move_is_told(run: Run) -> None:
    """The test's own marker; that of its class or module is for those tests that use the fixture."""
    result = run(
        """
        @pytest.mark.fast_forward
        def test_own():
            pass

        @pytest.mark.fast_forward
        class TestClass:
            def test_of_the_class(self):
                pass
        """
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        ["@pytest.mark.fast_forward moves the clock of the fixture video_emulator: *"]
    )
