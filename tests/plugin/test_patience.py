"""A test that polls and polls while its clock stands still fails with the advice; no other one does."""

from fnmatch import fnmatch

import pytest

from tests.plugin.conftest import Run

ADVICE = "*StandingStill: the clock stands still at *polls in *saw nothing new*"
SOON = ("--video-emulator-patience", "300ms")
HEAD = """
import httpx, time, threading

class Client(Client):
    # Without sockets: one that is interrupted while it opens is closed by nobody, and Python warns of it.
    def call(self, method, path, body=None):
        return self.http.request(method, path, json=body).json()

    def __init__(self, emulator):
        headers = {"Authorization": "Bearer sk-test"}
        url = emulator.url("ezmodel")
        self.http = httpx.Client(transport=emulator.transport(), base_url=url, headers=headers)

def wait(client, task, *ends):
    while client.status(task) not in ends:
        time.sleep(0.01)
"""


def test_a_loop_that_polls_in_vain_fails(run: Run) -> None:
    """Where it stands, with what to do about it; the tests after it run as ever."""
    result = run(
        HEAD
        + """
def test_loop(video_emulator):
    client = Client(video_emulator)
    wait(client, client.create(), "completed")

def test_next(video_emulator):
    client = Client(video_emulator)
    assert client.status(client.create()) == "pending"
""",
        *SOON,
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "    def test_loop(video_emulator):",
            '>       wait(client, client.create(), "completed")',
            f"E *{ADVICE}",
            'E *video_emulator.clock.advance*fast_forward*scenario(clock="auto")*--video-emulator-patience*',
        ]
    )
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


VAIN = {
    "a client that catches every Exception": """
def test_it(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    while True:
        try:
            wait(client, task, "completed")
        except Exception:
            pass
""",
    "a client that polls two tasks by turns": """
def test_it(video_emulator):
    client = Client(video_emulator)
    tasks = [client.create(), client.create("a dog")]
    while True:
        for task in tasks:
            client.status(task)
            time.sleep(0.01)
""",
    "answers that alternate": """
@pytest.mark.scenario({"version": 1, "rules": [{"operation": "poll", "calls": "every 2", "error": "internal"}]})
def test_it(video_emulator):
    client = Client(video_emulator)
    wait(client, client.create(), "completed")
""",
    "an id that no task has": """
def test_it(video_emulator):
    wait(Client(video_emulator), "vid_nobody", "completed")
""",
    "a client that polls in a thread of its own": """
def test_it(video_emulator):
    client = Client(video_emulator)
    thread = threading.Thread(target=wait, args=(client, client.create(), "completed", "failed"))
    thread.start()
    thread.join()
""",
    "a world that began anew": """
def test_it(video_emulator):
    client = Client(video_emulator)
    for _ in range(50):
        client.status(client.create())
    video_emulator.reset()
    wait(client, client.create(), "completed")
""",
    "a method of unittest's": """
import unittest

class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _client(self, video_emulator):
        self.client = Client(video_emulator)

    def test_it(self):
        wait(self.client, self.client.create(), "completed")
""",
}


@pytest.mark.parametrize("test", VAIN.values(), ids=list(VAIN))
def test_it_is_found_however_it_is_hidden(run: Run, test: str) -> None:
    """The test fails, and the report says why."""
    result = run(HEAD + test, *SOON)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([ADVICE])


def test_a_fixture_that_polls_in_vain_fails(run: Run) -> None:
    """As an error at set-up."""
    result = run(
        HEAD
        + """
@pytest.fixture
def video(video_emulator):
    client = Client(video_emulator)
    wait(client, client.create(), "completed")

def test_it(video):
    pass
""",
        *SOON,
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_it*", ADVICE])


def test_one_that_catches_everything_fails_in_the_end(run: Run) -> None:
    """Whoever swallows even the interruption and goes on has polled in vain all the same."""
    result = run(
        HEAD
        + """
def test_it(video_emulator):
    client = Client(video_emulator)
    try:
        wait(client, client.create(), "completed")
    except BaseException:
        pass
""",
        *SOON,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the clock stands still at *"])


def test_a_client_that_polls_on_after_the_end_is_told_so(run: Run) -> None:
    """To let time pass would be no advice."""
    result = run(
        HEAD
        + """
def test_it(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    video_emulator.tasks.cancel(task)
    wait(client, task, "completed")
""",
        *SOON,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["E *Still: the client polls on after the end: *polls in * since vid_* is cancelled"]
    )
    result.stdout.no_fnmatch_line("E *Let time pass*")


PATIENT = {
    "polls move it": """
@pytest.mark.scenario("version: 1\\ntasks: [{timeline: [{status: queued, polls: 40}, {status: completed}]}]")
def test_it(video_emulator):
    client = Client(video_emulator)
    wait(client, client.create(), "completed")
""",
    "the clock is real": """
SHORT = {"version": 1, "tasks": [{"timeline": [{"status": "queued", "for": "1s"}, {"status": "completed"}]}]}

@pytest.mark.scenario(SHORT, clock="real")
def test_it(video_emulator):
    client = Client(video_emulator)
    wait(client, client.create(), "completed")
""",
    "the clock moves by itself": """
@pytest.mark.scenario(clock="auto")
def test_it(video_emulator):
    client = Client(video_emulator)
    wait(client, client.create(), "completed")
    began = time.monotonic()
    while time.monotonic() < began + 0.8:
        client.status("vid_nobody")
""",
    "another thread lets time pass": """
def test_it(video_emulator):
    client = Client(video_emulator)
    def advance():
        for _ in range(10):
            time.sleep(0.1)
            video_emulator.clock.advance("1s")
    thread = threading.Thread(target=advance)
    thread.start()
    wait(client, client.create(), "completed")
    thread.join()
""",
    "answers are held back": """
@pytest.mark.scenario({"version": 1, "rules": [{"operation": "poll", "delay": "200ms"}]})
def test_it(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    for _ in range(5):
        client.status(task)
""",
    "two polls are far apart": """
def test_it(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    client.status(task)
    time.sleep(0.8)
    client.status(task)
    time.sleep(0.2)
""",
    "the test does something else": """
def test_it(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    for _ in range(9):
        client.status(task)
    time.sleep(0.8)
""",
}


@pytest.mark.parametrize("test", PATIENT.values(), ids=list(PATIENT))
def test_a_test_that_gets_somewhere_may_take_its_time(run: Run, test: str) -> None:
    """It is longer than the patience, and passes."""
    run(HEAD + test, *SOON).assert_outcomes(passed=1)


def test_it_can_be_turned_off(run: Run) -> None:
    """A test may then poll for as long as it likes, and nobody watches."""
    result = run(
        HEAD
        + """
def test_it(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    for _ in range(30):
        client.status(task)
        time.sleep(0.01)
    assert "video-emulator-patience" not in [thread.name for thread in threading.enumerate()]
""",
        "--video-emulator-patience=off",
    )
    result.assert_outcomes(passed=1)


def test_a_debugger_has_all_the_time_in_the_world(run: Run) -> None:
    """From a breakpoint on nobody watches the test."""
    result = run(
        HEAD
        + """
def test_it(video_emulator, pytestconfig):
    pytestconfig.hook.pytest_enter_pdb(config=pytestconfig, pdb=None)
    client = Client(video_emulator)
    task = client.create()
    for _ in range(60):
        client.status(task)
        time.sleep(0.01)
""",
        *SOON,
    )
    result.assert_outcomes(passed=1)


ASYNC = """
import asyncio
import time

import anyio
import httpx
import pytest

pytestmark = MARK


class Client:
    def __init__(self, emulator):
        headers = {"Authorization": "Bearer sk-test"}
        self.http = httpx.AsyncClient(transport=emulator.transport(), headers=headers)
        self.blocking = httpx.Client(transport=emulator.transport(), headers=headers)
        self.videos = f"{emulator.url('ezmodel')}/v1/videos"

    async def create(self):
        return (await self.http.post(self.videos, json={"prompt": "a cat"})).json()["id"]

    async def status(self, task):
        return (await self.http.get(f"{self.videos}/{task}")).json()["status"]

    async def wait(self, task):
        while await self.status(task) != "completed":
            await anyio.sleep(0.01)


async def test_loop(video_emulator):
    client = Client(video_emulator)
    await client.wait(await client.create())

async def test_after_loop(video_emulator):
    client = Client(video_emulator)
    assert await client.status(await client.create()) == "pending"
    with anyio.fail_after(30):
        await anyio.sleep(0.01)

async def test_group(video_emulator):
    client = Client(video_emulator)
    async with anyio.create_task_group() as group:
        group.start_soon(client.wait, await client.create())
        group.start_soon(client.wait, await client.create())

async def test_swallowing(video_emulator):
    client = Client(video_emulator)
    task = await client.create()
    while True:
        try:
            await client.wait(task)
        except Exception:
            pass

async def test_blocking(video_emulator):
    client = Client(video_emulator)
    task = await client.create()
    while client.blocking.get(f"{client.videos}/{task}").json()["status"] != "completed":
        time.sleep(0.01)

async def test_last(video_emulator):
    client = Client(video_emulator)
    assert await client.status(await client.create()) == "pending"
    with anyio.fail_after(30):
        await anyio.sleep(0.01)
"""


@pytest.mark.parametrize(
    ("mark", "loops"),
    [
        ("pytest.mark.asyncio", 1),
        ("pytest.mark.asyncio(loop_scope='session')", 1),
        ("pytest.mark.anyio", 2),
    ],
)
def test_a_coroutine_is_cancelled_where_it_stands(
    run: Run, pytester: pytest.Pytester, mark: str, loops: int
) -> None:
    """On asyncio and on trio; the event loop goes on, and so do the tests after it that share it."""
    run("")
    pytester.makepyfile(test_async=ASYNC.replace("MARK", mark), test_it="")
    result = pytester.runpytest_inprocess(*SOON)
    result.assert_outcomes(passed=2 * loops, failed=4 * loops)
    result.stdout.fnmatch_lines(["    async def test_loop(*", ">       await client.wait(*", f"E *{ADVICE}"])
    told = [line for line in result.outlines if fnmatch(line, f"E *{ADVICE}")]
    assert len(told) == 4 * loops


def test_the_other_tasks_of_a_loop_go_on(run: Run, pytester: pytest.Pytester) -> None:
    """What else runs in a loop that tests share isn't cancelled with the test."""
    run("")
    pytester.makepyfile(
        test_it="""
        import asyncio
        import httpx
        import pytest
        import pytest_asyncio

        pytestmark = pytest.mark.asyncio(loop_scope="session")
        ticks = []

        @pytest_asyncio.fixture(loop_scope="session", scope="session")
        async def ticker():
            async def tick():
                while True:
                    await asyncio.sleep(0.01)
                    ticks.append(1)
            task = asyncio.create_task(tick())
            yield task
            task.cancel()

        async def test_loop(video_emulator, ticker):
            async with httpx.AsyncClient(transport=video_emulator.transport()) as client:
                while True:
                    url = video_emulator.url("ezmodel") + "/v1/videos/vid_nobody"
                    await client.get(url, headers={"Authorization": "Bearer sk-test"})

        async def test_next(ticker):
            count = len(ticks)
            async with asyncio.timeout(30):
                while len(ticks) == count:
                    await asyncio.sleep(0.01)
            assert not ticker.done()
        """
    )
    result = pytester.runpytest_inprocess(*SOON)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"E *{ADVICE}"])


@pytest.mark.parametrize("scope", ["function", "session"])
def test_a_thread_that_a_coroutine_waits_for_ends_with_it(
    run: Run, pytester: pytest.Pytester, scope: str
) -> None:
    """Nobody can stop it, so its task fails, and it gives up; else the loop would never close."""
    run("")
    pytester.makepyfile(
        test_it=f"""
        import asyncio
        import pytest
        from client import Client

        @pytest.mark.asyncio(loop_scope="{scope}")
        async def test_it(video_emulator):
            client = Client(video_emulator)
            task = client.create()

            def wait():
                while client.status(task) not in ("completed", "failed"):
                    pass

            await asyncio.to_thread(wait)

        def test_next(video_emulator):
            assert video_emulator.requests().count() == 0

        def test_last(video_emulator_server):
            pass
        """
    )
    result = pytester.runpytest_inprocess(*SOON)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines([f"E *{ADVICE}"])
