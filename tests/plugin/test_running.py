"""The plugin among others: event loops, several processes, an emulator that runs elsewhere."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from emulator import Client
from tests import serving
from tests.plugin.conftest import Run

SUITE = """
import httpx

@pytest.mark.parametrize("number", range(4))
@pytest.mark.scenario("slow-queue")
def test_life(video_emulator, number):
    client = Client(video_emulator)
    task = client.create()
    assert client.status(task) == "pending"
    video_emulator.clock.advance("10m")
    assert client.status(task) == "completed"
    assert video_emulator.requests("poll").count() == 2
    video_emulator.assert_well_behaved()

@pytest.mark.scenario({"version": 1, "name": "own", "rules": [{"operation": "poll", "error": "internal"}]})
def test_posted(video_emulator):
    client = Client(video_emulator)
    assert client.status(client.create()) is None
    assert video_emulator.requests("poll", status_code="5xx").count() == 1

def test_transport(video_emulator):
    headers = {"Authorization": "Bearer sk-test"}
    with httpx.Client(transport=video_emulator.transport(), headers=headers) as client:
        video = client.post("https://www.ezmodel.cloud/v1/videos", json={"prompt": "a cat"}).json()
    assert video["status"] == "pending"
    assert video_emulator.requests("create").count() == 1

def test_server(video_emulator_server):
    with video_emulator_server.emulator("rate-limited") as emulator:
        assert emulator.url("ezmodel").startswith(video_emulator_server.url)
        assert Client(emulator).create()
"""
PASSED = 7


def test_processes_of_xdist_have_a_server_each(run: Run) -> None:
    """And each test the world that it would have alone."""
    result = run(SUITE, "-n2", "--video-emulator-seed=3", apart=True)
    result.assert_outcomes(passed=PASSED)


def test_options_reach_the_processes_of_xdist(run: Run, pytester: pytest.Pytester) -> None:
    """A folder that is given relative to where pytest runs among them."""
    folder = pytester.mkdir("scenes")
    (folder / "ours.yaml").write_text("version: 1\n")
    result = run(
        """
        @pytest.mark.parametrize("number", range(4))
        @pytest.mark.scenario("ours", fail_on=None)
        def test_it(video_emulator, number):
            assert video_emulator.health().scenario == "ours"
            Client(video_emulator).call("GET", "/v1/nothing")
        """,
        "-n2",
        "--video-emulator-scenarios=scenes",
        "--video-emulator-fail-on=unexpected",
        apart=True,
    )
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["unexpected: *"] * 4)


def test_a_wrong_option_stops_xdist_before_it_begins(run: Run) -> None:
    """Once, not once for each process."""
    result = run(SUITE, "-n2", "--video-emulator-profile=new", apart=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("--video-emulator-profile: expected documented or current") == 1


@pytest.mark.parametrize("arguments", [(), ("-n2",)], ids=["one process", "two processes"])
def test_the_same_tests_pass_against_an_emulator_elsewhere(run: Run, arguments: tuple[str, ...]) -> None:
    """With its admin token. Names never collide, and nothing is left over there."""
    with serving.process("--admin-token", "secret-token") as server:
        options = (f"--video-emulator-url={server.url}", "--video-emulator-admin-token=secret-token")
        result = run(SUITE, *options, *arguments, apart=bool(arguments))
        result.assert_outcomes(passed=PASSED)
        with Client(server.url, admin_token="secret-token") as client:
            assert [one.name for one in client.namespaces.list().namespaces] == ["default"]


def test_the_report_of_a_failure_tells_of_an_emulator_elsewhere(run: Run) -> None:
    """As it does of one in the process."""
    with serving.process() as server:
        result = run(
            """
            def test_it(video_emulator):
                client = Client(video_emulator)
                assert client.status(client.create()) == "completed"
            """,
            f"--video-emulator-url={server.url}",
        )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- video-emulator -*", "scenario happy-path*"])


NEEDS = (
    "def test_one(video_emulator): pass\ndef test_two(video_emulator_server): pass\ndef test_other(): pass\n"
)


def told_alike(result: pytest.RunResult, told: str) -> None:
    """Each test that asks for an emulator is told, in one sentence; the others run."""
    result.assert_outcomes(errors=2, passed=1)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_one*", told, "*ERROR at setup of test_two*", told])
    for word in ("Traceback", "During handling", "direct cause", "site-packages"):
        assert word not in result.stdout.str()


def test_nothing_at_the_url_is_told(run: Run) -> None:
    """With what to do about it."""
    told = "--video-emulator-url: no video-emulator can be reached at *:1: Connection refused; start one *"
    told_alike(run(NEEDS, "--video-emulator-url=http://127.0.0.1:1"), told)


def test_something_else_at_the_url_is_told(run: Run) -> None:
    """It answers, and isn't an emulator."""
    with something_else() as url:
        told_alike(
            run(NEEDS, f"--video-emulator-url={url}"), f"--video-emulator-url: {url}: *video-emulator serve*"
        )


@contextmanager
def something_else() -> Iterator[str]:
    """A web server that knows of no emulator."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_wrong_token_is_told(run: Run) -> None:
    """And so is a missing one."""
    with serving.process("--admin-token", "secret-token") as server:
        for options in ((), ("--video-emulator-admin-token=another-token",)):
            result = run(NEEDS, f"--video-emulator-url={server.url}", *options)
            told_alike(result, "--video-emulator-admin-token: expected the token of *")


ASYNC = """
import asyncio
import httpx
import pytest

{mark}

@pytest.mark.scenario("slow-queue")
async def test_life(video_emulator):
    headers = {{"Authorization": "Bearer sk-test"}}
    videos = video_emulator.url("ezmodel") + "/v1/videos"
    async with httpx.AsyncClient(transport=video_emulator.transport(), headers=headers) as client:
        video = (await client.post(videos, json={{"prompt": "a cat"}})).json()
        assert video["status"] == "pending"
        await video_emulator.aio.clock.advance("5m")
        assert (await client.get(f"{{videos}}/{{video['id']}}")).json()["status"] == "completed"
    assert await video_emulator.aio.requests("poll").count() == 1
    video_emulator.clock.advance("1s")
    await video_emulator.aio.assert_well_behaved()

async def test_sockets(video_emulator):
    headers = {{"Authorization": "Bearer sk-test"}}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        answer = await client.post(video_emulator.url("ezmodel") + "/v1/videos", json={{"prompt": "a cat"}})
    assert answer.json()["status"] == "pending"
    assert video_emulator.requests("create").count() == 1

async def test_world(video_emulator_server):
    with video_emulator_server.emulator("rate-limited") as emulator:
        assert emulator.health().scenario == "rate-limited"
"""


@pytest.mark.parametrize(
    ("mark", "arguments", "loops"),
    [
        ("pytestmark = pytest.mark.asyncio", ["--asyncio-mode=strict"], 1),
        ("", ["--asyncio-mode=auto"], 1),
        ("pytestmark = pytest.mark.asyncio(loop_scope='module')", [], 1),
        ("pytestmark = pytest.mark.asyncio(loop_scope='session')", [], 1),
        ("pytestmark = pytest.mark.anyio", ["-p", "no:asyncio"], 2),
    ],
)
def test_coroutines_use_it_like_any_other_test(
    run: Run, pytester: pytest.Pytester, mark: str, arguments: list[str], loops: int
) -> None:
    """Under pytest-asyncio, and under anyio on asyncio and on trio."""
    run("")
    pytester.makepyfile(test_it=ASYNC.format(mark=mark))
    result = pytester.runpytest_inprocess(*arguments)
    result.assert_outcomes(passed=3 * loops)


def test_an_emulator_of_one_s_own_needs_no_fixture(run: Run) -> None:
    """Methods of unittest's test cases can't have fixtures as arguments; a failure tells its story all the same."""
    result = run(
        """
        import unittest
        from emulator import Emulator

        class TestIt(unittest.TestCase):
            def setUp(self):
                self.emulator = self.enterContext(Emulator("slow-queue"))

            def test_it(self):
                client = Client(self.emulator)
                self.assertEqual(client.status(client.create()), "pending")

        class TestAsync(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def _emulator(self, video_emulator):
                self.emulator = video_emulator

            @pytest.mark.scenario("slow-queue")
            async def test_it(self):
                assert (await self.emulator.aio.health()).scenario == "slow-queue"

        def test_failing():
            with Emulator("rate-limited") as emulator:
                assert Client(emulator).create() == "another"
        """
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*scenario rate-limited*"])
