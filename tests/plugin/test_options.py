"""Options of the command line and settings of the configuration file."""

from pathlib import Path

import pytest

from emulator import pytest_plugin
from tests import serving
from tests.plugin.conftest import Run

NAMES = [name for name, _, _ in pytest_plugin.OPTIONS] + ["no-socket"]


def test_help_tells_of_each(run: Run) -> None:
    """As an option and as a setting."""
    told = run("", "--help").stdout.str()
    for name in NAMES:
        assert f"--video-emulator-{name}" in told
        assert f"video_emulator_{name.replace('-', '_')} (" in told


WRONG = {
    "url": ("localhost:8080", "expected the URL of an emulator*localhost:8080*"),
    "admin-token": ("gehe\u00edm", "expected printable ASCII characters, got others"),
    "scenarios": ("nowhere", "expected a folder, and there is none at *nowhere"),
    "seed": ("9223372036854775808", "expected a whole number of 64 bits or a text, got 9223372036854775808"),
    "profile": ("new", "expected documented or current, got 'new'"),
    "patience": ("5", "expected a duration such as *, got '5'; or off, to wait for ever"),
    "fail-on": (
        "findings,unsued",
        "expected some of unused, unexpected, findings, or all, or none; got 'unsued'",
    ),
    "save-failures": ("client.py", "expected a folder, and *client.py is none"),
}


def test_every_wrong_option_is_told_at_once(run: Run) -> None:
    """Before a test runs, in pytest's own way, and without a traceback."""
    result = run(
        "def test_it(): pass", *(f"--video-emulator-{name}={value}" for name, (value, _) in WRONG.items())
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [f"*--video-emulator-{name}: {told}" for name, (_, told) in WRONG.items()]
    result.stderr.fnmatch_lines(["ERROR: --video-emulator-url: *", *lines[1:]])
    result.stderr.no_fnmatch_line("*Traceback*")


def test_every_wrong_setting_is_told_at_once(run: Run, pytester: pytest.Pytester) -> None:
    """By its name."""
    run("")
    settings = [f"video_emulator_{name.replace('-', '_')} = {value}" for name, (value, _) in WRONG.items()]
    pytester.makeini("\n".join(["[pytest]", *settings]))
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [f"*video_emulator_{name.replace('-', '_')}: {told}" for name, (_, told) in WRONG.items()]
    result.stderr.fnmatch_lines(lines)


def test_a_patience_of_nothing_is_none(run: Run) -> None:
    """It would fail every loop at once; off is the word for no watch at all."""
    result = run("", "--video-emulator-patience=0s")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --video-emulator-patience: expected more than no time at all*off*"])


SEEN = """
def test_it(video_emulator, pytestconfig):
    from emulator.plugin.settings import settings_of
    settings = settings_of(pytestconfig)
    assert settings.seed == 7
    assert settings.profile == "current"
    assert settings.fail_on == {"unused", "findings"}
    assert settings.patience == 1.5
    assert settings.no_socket
    assert video_emulator.url("ezmodel").startswith("http://emulator/")
    assert video_emulator.health().scenario == "happy-path"
"""
TABLES = {
    "pytest.ini": "[pytest]\n{}",
    "[tool.pytest.ini_options]": "[tool.pytest.ini_options]\n{}",
    "[tool.pytest]": "[tool.pytest]\n{}",
}


@pytest.mark.parametrize("table", TABLES)
def test_each_file_of_pytest_s_can_hold_the_settings(run: Run, pytester: pytest.Pytester, table: str) -> None:
    """In TOML as texts, and the one that is a switch as a boolean."""
    if table == "[tool.pytest]" and pytest.version_tuple < (9,):
        pytest.skip("pytest 9 has it")
    values = {"seed": "7", "profile": "current", "fail_on": "unused, findings", "patience": "1.5s"}
    is_ini = table == "pytest.ini"
    lines = [
        f"video_emulator_{name} = " + (value if is_ini else f'"{value}"') for name, value in values.items()
    ]
    text = TABLES[table].format("\n".join([*lines, "video_emulator_no_socket = true"]))
    run(SEEN)
    (pytester.path / "tox.ini").unlink()
    (pytester.path / ("pytest.ini" if is_ini else "pyproject.toml")).write_text(text)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_another_type_in_toml_is_told(run: Run, pytester: pytest.Pytester) -> None:
    """In pytest's words, and without a traceback."""
    if pytest.version_tuple < (9,):
        pytest.skip("pytest 9 has the table")
    run("")
    (pytester.path / "tox.ini").unlink()
    (pytester.path / "pyproject.toml").write_text("[tool.pytest]\nvideo_emulator_seed = 7\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'video_emulator_seed' expects a string, got int: 7"])
    result.stderr.no_fnmatch_line("*Traceback*")


def test_the_command_line_goes_before_the_file(run: Run, pytester: pytest.Pytester) -> None:
    """Setting by setting."""
    run("")
    pytester.makeini("[pytest]\nvideo_emulator_seed = 7\nvideo_emulator_profile = current\n")
    pytester.makepyfile(
        test_it="""
        from emulator.plugin.settings import settings_of

        def test_it(pytestconfig):
            settings = settings_of(pytestconfig)
            assert (settings.seed, settings.profile) == ("another", "current")
        """
    )
    pytester.runpytest_inprocess("--video-emulator-seed=another").assert_outcomes(passed=1)


def test_seed_and_profile_are_what_worlds_begin_with(run: Run) -> None:
    """Where no marker says; also for those of the server's fixture."""
    result = run(
        """
        def test_it(video_emulator, video_emulator_server):
            ids = set()
            for one in (video_emulator, video_emulator_server.emulator()):
                client = Client(one)
                task = client.create()
                assert client.status(task) == "queued"  # EzModel's document says pending
                ids.add(task)
            with video_emulator_server.emulator(seed=8, profile="documented") as other:
                client = Client(other)
                task = client.create()
                assert client.status(task) == "pending"
                assert task not in ids
            assert len(ids) == 1
        """,
        "--video-emulator-seed=7",
        "--video-emulator-profile=current",
    )
    result.assert_outcomes(passed=1)


FOLDER = """
@pytest.mark.scenario("ours")
def test_ours(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    video_emulator.clock.advance("1m")
    assert client.status(task) == "failed"

@pytest.mark.scenario("renamed")
def test_renamed(video_emulator):
    assert video_emulator.health().scenario == "renamed"

def test_several(video_emulator_server):
    with video_emulator_server.emulator("ours") as one, video_emulator_server.emulator("ours") as two:
        assert one.name != two.name
"""


def made_folder(path: Path) -> Path:
    """A folder with two scenarios."""
    path.mkdir()
    (path / "ours.yaml").write_text(
        "version: 1\ntasks: [{timeline: [{status: queued, for: 1s}, {status: failed}]}]\n"
    )
    (path / "other.yaml").write_text("version: 1\nname: renamed\n")
    return path


@pytest.mark.parametrize("form", ["option", "setting", "option, elsewhere"])
def test_the_scenarios_of_a_folder_can_be_named(run: Run, pytester: pytest.Pytester, form: str) -> None:
    """From an emulator that runs elsewhere, too, which hasn't got them."""
    run(FOLDER)
    made_folder(pytester.path / "scenes")
    (pytester.path / "sub").mkdir()
    if form == "setting":
        pytester.makeini("[pytest]\nvideo_emulator_scenarios = scenes\n")
        pytester.runpytest_inprocess().assert_outcomes(passed=3)
    elif form == "option":
        pytester.runpytest_inprocess("--video-emulator-scenarios=scenes").assert_outcomes(passed=3)
    else:
        with serving.process() as server:
            options = ("--video-emulator-scenarios=scenes", f"--video-emulator-url={server.url}")
            pytester.runpytest_inprocess(*options).assert_outcomes(passed=3)


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_mistakes_in_the_folder_are_told_at_once(
    run: Run, pytester: pytest.Pytester, is_elsewhere: bool
) -> None:
    """Of all its files, with their lines, to each test that asks for an emulator, and to no other."""
    folder = made_folder(pytester.path / "scenes")
    (folder / "bad.yaml").write_text("version: 1\ntaks: []\n")
    (folder / "worse.yaml").write_text("version: 1\nrules:\n  - {operation: pol, error: internal}\n")
    run(FOLDER + "\ndef test_without(): pass\n")
    options = ["--video-emulator-scenarios=scenes"]
    if is_elsewhere:
        options.append("--video-emulator-url=http://127.0.0.1:1")  # it isn't asked yet
    result = pytester.runpytest_inprocess(*options)
    result.assert_outcomes(errors=3, passed=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at setup of test_ours*",
            "the scenarios of *scenes have mistakes",
            "*bad.yaml:2:1: *taks*",
            "*worse.yaml:3:*pol*",
            "*ERROR at setup of test_renamed*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*During handling*")


def test_without_a_socket_only_the_transport_leads_there(run: Run) -> None:
    """Whoever uses the URL without it is told by the resolver that no host is called so."""
    result = run(
        """
        import socket
        import httpx

        def test_it(video_emulator, monkeypatch):
            url = video_emulator.url("ezmodel")
            headers = {"Authorization": "Bearer k"}
            with httpx.Client(transport=video_emulator.transport(), base_url=url, headers=headers) as client:
                video = client.post("/v1/videos", json={"prompt": "a cat"}).json()
                video_emulator.clock.advance("1h")
                link = client.get(f"/v1/videos/{video['id']}").json()["url"]
                assert client.get(link).status_code == 200
            asked = []

            def resolve(host, *others, **more):
                asked.append(host)
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

            monkeypatch.setattr(socket, "getaddrinfo", resolve)
            with pytest.raises(httpx.ConnectError):
                httpx.get(url, trust_env=False)
            assert asked == ["emulator"]
        """,
        "--video-emulator-no-socket",
    )
    result.assert_outcomes(passed=1)
