"""The fixtures: a fresh world for each test, on a server that starts when it is first asked for."""

import threading

import pytest

from emulator import Client
from emulator.client import EmulatorUnreachable
from tests.plugin.conftest import Run


def test_the_issue_s_example_runs(run: Run) -> None:
    """A test names a scenario, moves the clock, counts polls, and has the client judged."""
    result = run(
        """
        @pytest.mark.scenario("slow-queue")
        def test_my_client(video_emulator):
            client = Client(video_emulator)
            task = client.create("a cat")
            assert client.status(task) == "pending"
            video_emulator.clock.advance("5m")
            assert client.status(task) == "completed"
            assert video_emulator.requests("poll").count() == 2
            video_emulator.assert_well_behaved()
        """
    )
    result.assert_outcomes(passed=1)


def test_each_test_has_a_world_of_its_own(run: Run) -> None:
    """Neither tasks nor requests nor the clock nor a scenario of one are seen by the next."""
    result = run(
        """
        @pytest.mark.parametrize("number", range(3))
        def test_it(video_emulator, number):
            assert video_emulator.health().scenario == "happy-path"
            assert video_emulator.tasks.list().total == 0
            assert video_emulator.requests().count() == 0
            before = video_emulator.clock.state()
            assert before.mode == "manual"
            Client(video_emulator).create()
            video_emulator.clock.advance("400d")
            video_emulator.scenarios.post("version: 1\\nname: own\\n", activate=True)
        """
    )
    result.assert_outcomes(passed=3)


def test_three_hundred_tests_leave_nothing_behind(run: Run) -> None:
    """No namespace besides the default one; the session's server is the same for all."""
    result = run(
        """
        @pytest.mark.parametrize("number", range(300))
        def test_it(video_emulator, number):
            assert video_emulator.health().scenario == "happy-path"

        def test_last(video_emulator_server):
            found = video_emulator_server.client().namespaces.list()
            assert [one.name for one in found.namespaces] == ["default"]
        """,
        "-q",
    )
    result.assert_outcomes(passed=301)


def test_it_leaves_no_thread_and_no_socket(run: Run) -> None:
    """After the run the process has no thread that it hadn't, but for the one that serves every emulator in it."""
    run("def test_it(video_emulator): Client(video_emulator).create()").assert_outcomes(passed=1)
    before = set(threading.enumerate())
    result = run(
        """
        def test_it(video_emulator):
            Client(video_emulator).create()
        """
    )
    result.assert_outcomes(passed=1)
    assert set(threading.enumerate()) <= before  # others' idle workers may have ended
    assert "video-emulator-patience" not in [thread.name for thread in threading.enumerate()]


def test_it_leaves_no_thread_where_the_server_is_somebody_elses(run: Run) -> None:
    """A fixture of the run's own has taken the place of the plugin's."""
    result = run(
        """
        from emulator.embedded import EmulatorServer, Here

        @pytest.fixture(scope="session")
        def video_emulator_server():
            server = EmulatorServer(Here())
            yield server
            server.close()

        def test_it(video_emulator):
            assert Client(video_emulator).create()
        """
    )
    result.assert_outcomes(passed=1)
    assert "video-emulator-patience" not in [thread.name for thread in threading.enumerate()]


def test_its_socket_is_closed_when_the_run_ends(run: Run, pytester: pytest.Pytester) -> None:
    """Nothing answers there any more."""
    result = run(
        """
        import pathlib

        def test_it(video_emulator_server):
            pathlib.Path("url.txt").write_text(video_emulator_server.url)
        """
    )
    result.assert_outcomes(passed=1)
    url = (pytester.path / "url.txt").read_text()
    with Client(url) as client, pytest.raises(EmulatorUnreachable):
        client.health()


def test_no_socket_opens_before_somebody_asks_for_a_url(run: Run) -> None:
    """A test that only uses the transport, and the control API, has none."""
    result = run(
        """
        import httpx
        import os

        def sockets():
            found = []
            for one in os.listdir("/proc/self/fd"):
                try:
                    found.append(os.readlink(f"/proc/self/fd/{one}"))
                except FileNotFoundError:  # that of the listing
                    continue
            return [one for one in found if one.startswith("socket:")]

        def test_it(video_emulator):
            video_emulator.clock.advance("1s")
            before = len(sockets())
            with httpx.Client(transport=video_emulator.transport(), base_url="https://www.ezmodel.cloud") as client:
                answer = client.post("/v1/videos", json={"prompt": "a cat"}, headers={"Authorization": "Bearer k"})
            assert answer.json()["status"] == "pending"
            assert len(sockets()) == before
            video_emulator.url("ezmodel")
            assert len(sockets()) > before
        """
    )
    result.assert_outcomes(passed=1)


def test_fixtures_may_build_on_it(run: Run) -> None:
    """A module's own client, by its name or by `getfixturevalue` alone; the report of a failure tells all the same."""
    result = run(
        """
        @pytest.fixture
        def client(video_emulator):
            return Client(video_emulator)

        @pytest.fixture
        def late(request):
            return Client(request.getfixturevalue("video_emulator"))

        @pytest.mark.scenario("slow-queue")
        def test_by_name(client):
            assert client.status(client.create()) == "pending"
            assert not client

        @pytest.mark.scenario("slow-queue", fail_on="unused")
        def test_late(late):
            assert late.status(late.create()) == "pending"

        @pytest.mark.scenario("slow-queue", fail_on="unused")
        def test_later(request):
            client = Client(request.getfixturevalue("video_emulator"))
            assert client.status(client.create()) == "pending"
        """
    )
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["*- video-emulator -*", "*slow-queue*"])
    result.stdout.fnmatch_lines(["unused: the test met only a part of the scenario slow-queue*"] * 2)


def test_the_server_gives_worlds_for_tests_that_need_several(run: Run) -> None:
    """Each in its own time and under its own scenario."""
    result = run(
        """
        def test_two(video_emulator_server):
            with video_emulator_server.emulator("slow-queue") as slow, video_emulator_server.emulator() as plain:
                tasks = [Client(one).create() for one in (slow, plain)]
                for one in (slow, plain):
                    one.clock.advance("1m")
                words = [Client(one).status(task) for one, task in zip((slow, plain), tasks)]
                assert words == ["pending", "completed"]
        """
    )
    result.assert_outcomes(passed=1)


def test_each_example_of_hypothesis_has_a_world(run: Run) -> None:
    """By the server's fixture, whose scope Hypothesis has nothing against; with the other one it says so."""
    result = run(
        """
        from hypothesis import given, settings, strategies as st

        @settings(max_examples=20, deadline=None)
        @given(st.sampled_from(["happy-path", "slow-queue"]))
        def test_worlds(video_emulator_server, name):
            with video_emulator_server.emulator(name) as emulator:
                assert emulator.tasks.list().total == 0
                Client(emulator).create()

        @given(st.booleans())
        def test_one(video_emulator, is_so):
            pass
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*FailedHealthCheck*function-scoped fixture*video_emulator*"])


def test_unittest_has_it_by_a_fixture_of_the_class(run: Run) -> None:
    """Methods of a TestCase take no arguments; an autouse fixture hands the world over."""
    result = run(
        """
        import unittest

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _emulator(self, video_emulator):
                self.emulator = video_emulator

            @pytest.mark.scenario("slow-queue")
            def test_one(self):
                assert self.emulator.health().scenario == "slow-queue"

            @pytest.mark.scenario(fail_on="unexpected")
            def test_two(self):
                Client(self.emulator).call("GET", "/v1/nothing")
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["unexpected: *", "  GET */v1/nothing: 404"])


@pytest.mark.parametrize("name", ["video_emulator", "video_emulator_server"])
def test_its_fixtures_are_told(run: Run, name: str) -> None:
    """`pytest --fixtures` shows each with its whole docstring's first line."""
    result = run("", "--fixtures")
    result.stdout.fnmatch_lines([f"{name}*"])


def test_it_can_be_turned_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `-p no:video_emulator` there are neither fixtures nor options."""
    monkeypatch.delenv("PYTEST_ADDOPTS")
    result = run("def test_it(video_emulator): pass", "-p", "no:video_emulator", "-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'video_emulator' not found"])


def test_it_collects_and_runs_again_like_any_other(run: Run) -> None:
    """`--co` starts nothing, `-x` stops at the first failure, `--lf` runs what failed."""
    tests = """
    def test_one(video_emulator):
        assert Client(video_emulator).create() == "another"

    def test_two(video_emulator):
        pass
    """
    run(tests, "--co", "-q").stdout.fnmatch_lines(["2 tests collected*"])
    run(tests, "-x").assert_outcomes(failed=1)
    run(tests, "--lf").assert_outcomes(failed=1)


def test_an_interrupted_run_drops_its_worlds(run: Run) -> None:
    """Ctrl-C in a test ends the run as ever."""
    result = run(
        """
        def test_it(video_emulator):
            Client(video_emulator).create()
            raise KeyboardInterrupt

        def test_never(video_emulator):
            pass
        """,
        apart=True,
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*KeyboardInterrupt*", "*no tests ran*"])
    result.stderr.no_fnmatch_line("*Error*")


def test_skipping_inside_skips(run: Run) -> None:
    """What else would fail the test has no say then."""
    result = run(
        """
        @pytest.mark.scenario("slow-queue", fail_on="all")
        def test_it(video_emulator):
            pytest.skip("not today")
        """
    )
    result.assert_outcomes(skipped=1)
