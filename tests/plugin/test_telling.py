"""What the report of a failed test tells, and the scenarios that it keeps, in real runs of pytest."""

import os
import re
import shlex
from collections.abc import Callable
from errno import ENOTDIR
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from emulator.cli import main
from emulator.embedded import Emulator
from emulator.scenario_file import load
from tests.serving import process

Run = Callable[..., pytest.RunResult]
START: Final = "2026-01-01T00:00:00Z"
_PLUGIN: Final = "emulator.pytest_plugin"
_CALLS: Final = """\
import httpx
import pytest

def asked(emulator, method, path, **more):
    headers = {"authorization": f"Bearer {emulator.api_key}"}
    with httpx.Client(base_url="http://x/ezmodel", transport=emulator.transport(), headers=headers) as http:
        return http.request(method, path, **more)

def create(emulator):
    return asked(emulator, "POST", "/v1/videos", json={"model": "sora-2", "prompt": "a cat"}).json()["id"]

def polls(emulator, task, count):
    return [asked(emulator, "GET", f"/v1/videos/{task}").status_code for _ in range(count)]
"""
_FAILING: Final = f"""
{_CALLS}
THROTTLED = {{"version": 1, "rules": [{{"operation": "poll", "calls": "2+", "error": "rate_limited"}}]}}

@pytest.mark.scenario(THROTTLED, start="{START}")
def test_it(video_emulator):
    task = create(video_emulator)
    assert polls(video_emulator, task, 2) == [200, 200], "a poll\\nwas refused"
"""
_PER_EXAMPLE: Final = f"""
{_CALLS}
from hypothesis import given, settings, strategies as st

@settings(max_examples=60, database=None, deadline=None, derandomize=True, report_multiple_bugs=True)
@given(calls=st.integers(1, 9), error=st.sampled_from(["rate_limited", "internal"]), wait=st.integers(0, 9))
def test_it(video_emulator_server, calls, error, wait):
    rule = {{"operation": "poll", "calls": calls, "error": error, "retry_after": f"{{wait}}s"}}
    with video_emulator_server.emulator({{"version": 1, "rules": [rule]}}, seed=5) as emulator:
        task = create(emulator)
        code = polls(emulator, task, 3)[-1]
        if code == 429:
            raise ValueError("throttled")
        if code != 200:
            raise LookupError("broken")
"""


def _is_installed() -> bool:
    return any(point.value == _PLUGIN for point in entry_points(group="pytest11"))


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Runs pytest over a module with this text, with the plugin, whether the package is installed or not."""

    def run(text: str = "", *options: str, **modules: str) -> pytest.RunResult:
        pytester.makepyfile(**(modules or {"test_one": text}))
        plugins = () if _is_installed() else ("-p", _PLUGIN)
        return pytester.runpytest_inprocess(*plugins, "-p", "no:asyncio", *options)

    return run


def section(result: pytest.RunResult) -> list[str]:
    """The lines of the first section of ours in the report."""
    _, found, behind = result.stdout.str().partition(" video-emulator -")
    assert found, result.stdout.str()
    return re.split(r"\n[-=_]{3,}|\n={3,}", behind.partition("\n")[2])[0].splitlines()


# What is told


def test_it_tells_the_story_of_the_fixtures_world(run: Run) -> None:
    """Timeline, polls, requests with their reasons, seed, and the command that runs the test again."""
    result = run(_FAILING, "--video-emulator-seed", "7")
    result.assert_outcomes(failed=1)
    lines = section(result)
    told = "\n".join(lines)
    assert lines[0].startswith("scenario inline@")
    assert "seed 7, clock manual" in lines[0]
    assert "polls at 0s, 0s (429)" in told
    assert "429 rate_limited: call 2: rules[0]" in told
    assert lines[-1] == "replay: pytest 'test_one.py::test_it' --video-emulator-seed 7"
    assert len(lines) < 20


def test_the_command_that_it_gives_runs_the_test_again(run: Run) -> None:
    """The same test, with the same seed, and nothing else."""
    first = run(_FAILING + "\ndef test_other(): pass\n", "--video-emulator-seed", "my seed")
    command = shlex.split(section(first)[-1].removeprefix("replay: pytest "))
    second = run(_FAILING + "\ndef test_other(): pass\n", *command)
    second.assert_outcomes(failed=1)
    assert section(second) == section(first)


def test_it_repeats_the_options_that_the_command_line_has(run: Run, pytester: pytest.Pytester) -> None:
    """Those of ours that change what a test meets; what the configuration file says, it says again."""
    pytester.mkdir("my scenarios")
    pytester.makeini("[pytest]\nvideo_emulator_patience = 9s\n")
    options = ("--video-emulator-scenarios", "my scenarios", "--video-emulator-profile", "current")
    more = ("--video-emulator-no-socket", "--video-emulator-fail-on", "unexpected")
    replay = section(run(_FAILING, *options, *more))[-1]
    assert replay == (
        "replay: pytest 'test_one.py::test_it' --video-emulator-seed 0 "
        "--video-emulator-scenarios 'my scenarios' --video-emulator-profile current "
        "--video-emulator-fail-on unexpected --video-emulator-no-socket"
    )


def test_it_does_not_print_the_admin_token(run: Run) -> None:
    """A report is read by many; that a token is needed is told."""
    with process("--admin-token", "very-secret-token") as served:
        options = ("--video-emulator-url", served.url, "--video-emulator-admin-token", "very-secret-token")
        result = run(_FAILING, *options)
        result.assert_outcomes(failed=1)
    told = "\n".join(section(result))
    assert f"--video-emulator-url {served.url} --video-emulator-admin-token TOKEN" in told
    assert "very-secret-token" not in told


def test_it_gives_the_path_from_where_pytest_runs(
    run: Run, pytester: pytest.Pytester, monkeypatch: Any
) -> None:
    """Node ids begin at the root folder; a command begins where one is."""
    pytester.makeini("[pytest]\n")
    monkeypatch.chdir(pytester.mkdir("deep"))
    (pytester.path / "deep" / "test_two.py").write_text(_FAILING)
    result = run("", "test_two.py")
    assert "pytest 'test_two.py::test_it' " in section(result)[-1]


def test_it_is_silent_where_nothing_failed(run: Run) -> None:
    """A test that passes has no section, not even with -rA."""
    result = run(_FAILING.replace("== [200, 200]", "== [200, 429]"), "-rA")
    result.assert_outcomes(passed=1)
    assert "scenario inline@" not in result.stdout.str()


def test_it_is_silent_where_the_test_has_no_world(run: Run) -> None:
    """Everybody else's failures stay as they are, groups of them too."""
    result = run("def test_it(): raise ExceptionGroup('two', [ValueError(1), KeyError(2)])")
    result.assert_outcomes(failed=1)
    assert "- video-emulator -" not in result.stdout.str()


def test_it_is_silent_where_the_world_is_gone(run: Run) -> None:
    """The failure itself comes out, and nothing of ours."""
    result = run("def test_it(video_emulator):\n  video_emulator.close()\n  raise ZeroDivisionError('mine')")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ZeroDivisionError: mine"])
    assert " video-emulator -" not in result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str()


def test_it_tells_what_a_world_of_the_tests_own_tells(run: Run) -> None:
    """Its story is a note of the failure; the section has the command that runs the test again."""
    text = f"""{_CALLS}
def test_it(video_emulator_server):
    with video_emulator_server.emulator("slow-queue", seed=3) as emulator:
        create(emulator)
        assert False
"""
    result = run(text)
    result.stdout.fnmatch_lines(
        ["E*scenario slow-queue@*, seed 3, *", "E*replay: video-emulator serve --scenario slow-*"]
    )
    assert section(result) == ["replay: pytest 'test_one.py::test_it' --video-emulator-seed 3"]


# What is kept


def test_it_keeps_a_scenario_that_the_test_made_up(run: Run, pytester: pytest.Pytester) -> None:
    """As YAML that an author would write, under a line that says whose failure it was."""
    result = run(_FAILING, "--video-emulator-save-failures", "kept/here")
    lines = section(result)
    assert lines[-2] == "kept: kept/here/test-it.yaml"
    assert lines[-1] == (
        f"serve it: video-emulator serve --scenario kept/here/test-it.yaml --clock manual --start {START}"
    )
    text = (pytester.path / "kept" / "here" / "test-it.yaml").read_text()
    assert text == (
        "# Kept by video-emulator: test_one.py::test_it failed under it: AssertionError: a poll\n"
        "version: 1\n"
        "rules:\n"
        "  - operation: poll\n"
        "    calls: 2+\n"
        "    error: rate_limited\n"
    )


@pytest.mark.parametrize(
    "scenario",
    [
        {"version": 1, "name": "mine", "about": "on", "tasks": [{"match": {"prompt": "1:30"}}]},
        "version: 1  # one\nname: mine\nabout: >\n  Long\n  text\n",
        "x-a: &a {about: happy}\nversion: 1\n<<: *a\nname: 'mine'\n",
        "---\n# head\nname: mine\nversion: 1",
        "name: &a mine\nversion: 1\nabout: *a\n",
        "version: 1\nseed: 8\nprofile: documented",
    ],
    ids=["keys and values", "YAML", "anchors", "no line at the end", "a name twice", "its own"],
)
def test_a_kept_file_is_valid_and_holds_seed_profile_and_name(
    run: Run, pytester: pytest.Pytester, scenario: Any
) -> None:
    """What the world had besides the text stands in it; what the text says itself stays."""
    text = f"""{_CALLS}
@pytest.mark.scenario({scenario!r}, seed="red: #1", profile="current")
def test_it(video_emulator):
    assert False
"""
    run(text, "--video-emulator-save-failures", "kept")
    path = pytester.path / "kept" / "test-it.yaml"
    found = load(path).scenario
    is_own = "seed" in scenario
    assert found.name == ("mine" if "*a\n" in str(scenario)[-4:] else "test-it")
    assert found.seed == (8 if is_own else "red: #1")
    assert found.profile == ("documented" if is_own else "current")
    with pytest.raises(SystemExit) as left:
        main(["validate", str(path)])
    assert left.value.code == 0


def test_a_kept_file_serves_the_same(run: Run, pytester: pytest.Pytester) -> None:
    """The command beside it gives a process in which the second poll is refused, and the task has its id."""
    lines = section(run(_FAILING, "--video-emulator-save-failures", "kept", "--video-emulator-seed", "12"))
    (task,) = re.findall(r"^task (\S+)", "\n".join(lines), re.M)
    _, _, flag, file, *options = shlex.split(lines[-1].removeprefix("serve it: "))
    with process(flag, str(pytester.path / file), *options) as served:
        made = served.post("/ezmodel/v1/videos", {"model": "sora-2", "prompt": "a cat"}).json()
        codes = [served.get(f"/ezmodel/v1/videos/{made['id']}").status_code for _ in range(2)]
    assert (made["id"], codes) == (task, [200, 429])


def test_the_same_test_writes_the_same_file_again(run: Run, pytester: pytest.Pytester) -> None:
    """A folder of failures doesn't grow with each run, and the newest text stands there."""
    for error in ("rate_limited", "internal"):
        run(_FAILING.replace("rate_limited", error), "--video-emulator-save-failures", "kept")
    (path,) = (pytester.path / "kept").iterdir()
    assert "error: internal" in path.read_text()


def test_another_test_of_the_same_name_has_a_file_of_its_own(run: Run, pytester: pytest.Pytester) -> None:
    """Neither is lost, and a second run finds both again."""
    for _ in range(2):
        run("", "--video-emulator-save-failures", "kept", test_one=_FAILING, test_two=_FAILING)
    names = sorted(path.name for path in (pytester.path / "kept").iterdir())
    assert len(names) == 2
    assert re.fullmatch(r"test-it-[0-9a-f]{6}\.yaml", names[0])
    assert names[1] == "test-it.yaml"
    assert all(
        load(pytester.path / "kept" / name).scenario.name == name.removesuffix(".yaml") for name in names
    )


def test_it_leaves_a_file_that_it_did_not_write(run: Run, pytester: pytest.Pytester) -> None:
    """An author's own scenario may stand in the folder already."""
    mine = pytester.mkdir("kept") / "test-it.yaml"
    mine.write_text("version: 1\n")
    for _ in range(2):
        run(_FAILING, "--video-emulator-save-failures", "kept")
    assert mine.read_text() == "version: 1\n"
    assert len(list(mine.parent.iterdir())) == 2


def test_a_kept_file_that_fails_again_has_one_head(run: Run, pytester: pytest.Pytester) -> None:
    """A test that plays a kept file tells of its own failure alone."""
    run(_FAILING, "--video-emulator-save-failures", "kept")
    again = (
        f"{_CALLS}\n@pytest.mark.scenario('kept/test-it.yaml')\ndef test_again(video_emulator): assert 0\n"
    )
    run(again, "--video-emulator-save-failures", "kept")
    text = (pytester.path / "kept" / "test-again.yaml").read_text()
    assert text.count("Kept by video-emulator") == 1
    assert "::test_again failed" in text


def test_it_puts_nothing_on_lines_of_its_own_but_the_scenario(run: Run, pytester: pytest.Pytester) -> None:
    """Neither a test's id nor the words of its failure can add lines to the file."""
    text = f"""{_CALLS}
@pytest.mark.parametrize("what", ["a b/\\n../x" * 30, "\\u2028é"])
@pytest.mark.scenario("version: 1\\n")
def test_it(video_emulator, what):
    raise ValueError("one\\x85rules: 7\\r\\u2028tasks: 8\\x1b[0m\\nversion: 2")
"""
    run(text, "--video-emulator-save-failures", "kept").assert_outcomes(failed=2)
    paths = sorted((pytester.path / "kept").iterdir())
    assert len(paths) == 2
    for path in paths:
        assert load(path).warnings == ()
        head, *rest = path.read_text(encoding="utf-8").splitlines()
        assert head.endswith("ValueError: one rules: 7  tasks: 8 [0m")
        assert rest == ["version: 1"]


def test_it_keeps_nothing_that_can_be_named(run: Run, pytester: pytest.Pytester) -> None:
    """A shipped scenario needs no file."""
    text = f"{_CALLS}\n@pytest.mark.scenario('slow-queue')\ndef test_it(video_emulator): assert 0\n"
    result = run(text, "--video-emulator-save-failures", "kept")
    assert not (pytester.path / "kept").exists()
    assert section(result)[-1].startswith("replay: ")


def test_it_says_in_a_sentence_that_it_cannot_write(run: Run, pytester: pytest.Pytester) -> None:
    """The failure of the test comes out all the same."""
    (pytester.path / "taken").write_text("a file")
    result = run(_FAILING, "--video-emulator-save-failures", "taken/kept")
    result.assert_outcomes(failed=1)
    folder = pytester.path / "taken" / "kept"
    assert section(result)[-1] == f"the scenario can't be kept in {folder}: {os.strerror(ENOTDIR)}"
    assert "INTERNALERROR" not in result.stdout.str()


# Hypothesis


def test_each_distinct_failure_of_hypothesis_has_a_file(run: Run, pytester: pytest.Pytester) -> None:
    """The minimal scenario of each, with the seed of its world; the text of each story is a note of its failure."""
    result = run(_PER_EXAMPLE, "--video-emulator-save-failures", "kept")
    result.assert_outcomes(failed=1)
    found = {path.name: path.read_text() for path in sorted((pytester.path / "kept").iterdir())}
    assert sorted(found) == ["test-it-2.yaml", "test-it.yaml"]
    told = sorted(found.values(), key=lambda text: "ValueError" in text)
    assert "(2) failed" in found["test-it-2.yaml"].splitlines()[0]
    for text, error, words in zip(
        told, ("internal", "rate_limited"), ("LookupError: broken", "ValueError: throttled"), strict=True
    ):
        head, *rest = text.splitlines()
        assert head.endswith(words)
        assert rest == [
            "version: 1",
            "seed: 5",
            "rules:",
            "  - operation: poll",
            "    calls: 3",
            f"    error: {error}",
            "    retry_after: 0s",
        ]
    lines = section(result)
    assert lines[0] == "replay: pytest 'test_one.py::test_it' --video-emulator-seed 5"
    assert len([line for line in lines if line.startswith("kept: ")]) == 2


def test_one_failure_of_hypothesis_has_the_file_of_its_smallest_example(
    run: Run, pytester: pytest.Pytester
) -> None:
    """That file fails a client as the example did."""
    run(
        _PER_EXAMPLE.replace('"rate_limited", "internal"', '"rate_limited"'),
        "--video-emulator-save-failures",
        "kept",
    )
    (path,) = (pytester.path / "kept").iterdir()
    with Emulator(path) as emulator:
        headers = {"authorization": f"Bearer {emulator.api_key}"}
        with httpx.Client(
            base_url="http://x/ezmodel", transport=emulator.transport(), headers=headers
        ) as http:
            task = http.post("/v1/videos", json={"model": "sora-2", "prompt": "a cat"}).json()["id"]
            assert [http.get(f"/v1/videos/{task}").status_code for _ in range(3)] == [200, 200, 429]
        assert emulator.namespaces.get(emulator.name).seed == 5


def test_a_group_that_a_with_block_left_is_one_failure(run: Run, pytester: pytest.Pytester) -> None:
    """A story that the group itself carries isn't looked for in its parts."""
    text = f"""{_CALLS}
def test_it(video_emulator_server):
    with video_emulator_server.emulator("version: 1\\n"):
        raise ExceptionGroup("two", [ValueError(1), KeyError(2)])
"""
    run(text, "--video-emulator-save-failures", "kept").assert_outcomes(failed=1)
    assert [path.name for path in Path(pytester.path / "kept").iterdir()] == ["test-it.yaml"]
