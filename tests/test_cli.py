"""The command line, mostly as a process of its own: what it prints where, and with which status it ends."""

import contextlib
import json
import logging
import os
import pty
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

import emulator
from emulator import banner, library, sample
from emulator.app import App
from emulator.banner import Place
from emulator.cli import COMMANDS, cli, init, log, main, run
from emulator.cli.options import mistakes
from emulator.core.matching import Matcher
from emulator.core.scenario import Auth, ClockSettings
from emulator.engine import Settings
from emulator.library import Library
from emulator.options import Options
from emulator.providers import PROVIDERS
from emulator.scenario_file.schema import scenario_schema
from tests import serving
from tests.worlds import START, World

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
CERTIFICATE = str(Path(__file__).parent / "tls" / "self-signed.pem")
GROUP = click.Context(cli)
ALL = [(name, cli.get_command(GROUP, name)) for name in COMMANDS]


class Done(msgspec.Struct, frozen=True):
    """A command that has ended."""

    status: int
    out: str
    err: str


def process(
    *arguments: str, env: Mapping[str, str] = {}, folder: Path | None = None, stdin: bytes = b""
) -> Done:
    """The command in a process of its own, with no variable of ours but those of ``env``."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "emulator", *arguments],
        cwd=folder or ROOT,
        env=environment(env),
        input=stdin,
        capture_output=True,
        timeout=serving.PATIENCE,
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def environment(more: Mapping[str, str] = {}) -> dict[str, str]:
    """This process's environment, less our variables."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("VIDEO_EMULATOR_")}
    return {**own, "PYTHONPATH": str(ROOT), **more}


@pytest.fixture
def ve(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("VIDEO_EMULATOR_"):
            monkeypatch.delenv(name)

    def command(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        printed = capsys.readouterr()
        return Done(int(str(ended.value.code)), printed.out, printed.err)

    return command


# The program


def test_help_lists_every_command(ve: Any) -> None:
    """With a line about each."""
    done = ve("--help")
    assert done.status == 0
    assert re.findall(r"^  ([a-z]+) {2,}\S.*\.$", done.out, re.M) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(ve: Any, name: str) -> None:
    """Each tells its use and its options."""
    done = ve(name, "-h")
    assert done.status == 0
    assert done.out.startswith(f"Usage: video-emulator {name}")


def test_it_says_its_version(ve: Any) -> None:
    """The version is the package's."""
    assert ve("--version") == Done(0, f"video-emulator, version {emulator.__version__}\n", "")


def test_an_unknown_command_gets_the_likely_one(ve: Any) -> None:
    """A slip of the finger is a wrong usage, and help is near."""
    done = ve("srve")
    assert done.status == 2
    assert done.err.endswith("Error: There is no command 'srve'. Did you mean serve?\n")


def test_version_and_health_need_little() -> None:
    """Neither imports the server, YAML, rich, an HTTP library or the engine: Docker asks for health again and again."""
    code = (
        "import sys, contextlib, emulator.cli as c\n"
        "for words in (['--version'], ['health', '--port', '1']):\n"
        "    with contextlib.suppress(SystemExit): c.main(words)\n"
        "print(*sorted({'uvicorn', 'starlette', 'yaml', 'rich', 'httpx2', 'orjson'} & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[1:] == [""]


def test_a_defect_is_one_sentence_and_no_traceback(ve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable for it set, it is the exception itself."""
    monkeypatch.setattr(init, "STARTER", Path("/not/installed.yaml"))
    done = ve("init", "-")
    assert done.status == 2
    assert done.out == ""
    assert done.err.startswith("video-emulator met a defect of its own: FileNotFoundError: ")
    assert "Traceback" not in done.err
    monkeypatch.setenv("VIDEO_EMULATOR_DEBUG", "1")
    with pytest.raises(FileNotFoundError):
        main(["init", "-"])


def test_a_reader_that_leaves_early_is_no_trouble() -> None:
    """As with `video-emulator schema | head -1`."""
    command = f"{shlex.quote(sys.executable)} -m emulator schema | head -1"
    done = subprocess.run(  # noqa: S603 - our own command
        ["/bin/sh", "-c", command], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


# serve: it starts, speaks and stops


def test_serve_answers_where_it_says() -> None:
    """The banner's two commands, pasted one after the other, create a task and poll it."""
    with started("--port", "0") as server:
        create, poll = pasted(server.banner)
        assert create["status"] == "queued"
        assert poll["id"] == create["id"]


@pytest.mark.parametrize(
    ("scenario", "task"),
    [
        ("documents", "video_abc123"),
        ("unauthorized", None),
    ],
)
def test_its_commands_suit_the_scenario(scenario: str, task: str | None) -> None:
    """They poll a task that the scenario brings along, where it does, and send a key that it takes."""
    with started("--port", "0", "--scenario", scenario, "--start", "2026-01-01T00:00:00Z") as server:
        create, poll = pasted(server.banner)
        assert create["object"] == "video"
        assert poll["id"] == (task or create["id"])


def test_its_commands_suit_the_root_provider() -> None:
    """They speak to the provider that answers at the root, and foretell the id whatever the seed."""
    with started("--port", "0", "--root-provider", "ezmodel", "--seed", "other") as server:
        create, poll = pasted(server.banner)
        assert poll["id"] == create["id"]
        assert create["id"].startswith("vid_")
        assert "\n  seed       other\n" in server.banner


def test_it_serves_https(tmp_path: Path) -> None:
    """With a certificate its addresses say https, and health asks by it."""
    with started("--port", "0", "--tls-cert", CERTIFICATE, "--tls-key", CERTIFICATE) as server:
        assert server.url.startswith("https://")
        create, poll = pasted(server.banner)
        assert poll["id"] == create["id"]
        by_variable = {"VIDEO_EMULATOR_TLS_CERT": CERTIFICATE, "VIDEO_EMULATOR_PORT": str(server.port)}
        assert process("health", env=by_variable).status == 0
        assert process("health", "--url", server.url).status == 0
        assert process("health", "--port", str(server.port)).status == 1


def test_health_is_well_while_it_serves() -> None:
    """And says what it asked, by option, variable or URL."""
    with started("--port", "0") as server:
        asked = process("health", "--port", str(server.port))
        assert asked == Done(
            0, f"healthy: {server.url}: version {emulator.__version__}, scenario happy-path\n", ""
        )
        everywhere = {"VIDEO_EMULATOR_PORT": str(server.port), "VIDEO_EMULATOR_HOST": "0.0.0.0"}  # noqa: S104 - asked, not bound
        assert process("health", env=everywhere) == asked
        assert process("health", "--url", f"{server.url}/") == asked


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_it_stops_when_asked(number: signal.Signals, status: int) -> None:
    """What is held longer than the grace is closed without an answer; one word is said, and no traceback."""
    slow = "version: 1\nrules:\n  - {operation: poll, delay: 10m}\n"
    with started("--port", "0", "--grace", "0.1", env={run.IN_ENVIRONMENT: slow}) as server:
        wire = serving.Served(server.port).connect()
        wire.send(
            [b"GET /octopusx/v1/videos/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sk-a\r\n\r\n"]
        )
        # A second request that is answered shows that the first has arrived.
        assert serving.Served(server.port).get("/__admin/ready").status_code == 200
        server.popen.send_signal(number)
        assert server.popen.wait(serving.PATIENCE) == status
        assert wire.is_at_end()
        wire.close()
        out, err = server.popen.communicate()
        assert out.endswith("stopped\n")
        assert err == ""


def test_a_port_in_use_is_one_sentence() -> None:
    """It says which address, and what would work."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = process("serve", "--port", str(port))
    assert done.status == 2
    assert done.err == (
        f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "choose another with --port, or 0 for a free one\n"
    )


def test_another_machines_address_is_one_sentence() -> None:
    """It says that the host is what has to change."""
    done = process("serve", "--host", "192.0.2.1", "--port", "0")
    assert done.status == 2
    assert done.err.startswith("Error: cannot listen on 192.0.2.1 port 0: ")
    assert done.err.endswith("; choose another --host\n")


# serve: what it is told


WRONG = {
    "--port": ("99999", "expected a port from 1 to 65535, or 0 for a free one, got '99999'"),
    "--host": ("http://x", "expected an address or a host name"),
    "--clock": ("scaled", "expected real, scaled:60, manual or auto, got 'scaled'; with scaled:60"),
    "--start": ("1999-12-31T23:59:59Z", "expected an instant in the years 2000 to 2099, such as 2025-01-01T00"),
    "--public-url": ("ftp://x", "expected a URL such as https://emulator.example:8443, got 'ftp://x'"),
    "--root-provider": ("sora", "expected octopusx or ezmodel, got 'sora'"),
    "--profile": ("new", "expected documented or current, got 'new'"),
    "--max-tasks": ("0", "expected a whole number of 1 or more, got '0'"),
    "--max-namespaces": ("many", "expected a whole number of 1 or more, got 'many'"),
    "--namespace-idle": ("60", "expected a duration such as 500ms, 5s or 4m15s, got '60'"),
    "--journal-entries": ("0", "expected a whole number of 1 or more, got '0'"),
    "--journal-bytes": ("64", "expected a size such as 64MiB, got '64'; a unit is missing: B, KB, MB"),
    "--admin-token": ("hush", "expected 8 or more letters, digits and signs of ASCII, got 4"),
    "--allowed-host": ("*.example", "expected a host name such as emulator.example, without scheme, port or wil"),
    "--allow-callbacks": ("http://hooks.example", "expected a host such as hooks.example or 192.0.2.7, without sc"),
    "--grace": ("-1", "expected a number of seconds such as 1 or 0.5, got '-1'"),
    "--tls-cert": ("/nowhere.pem", "expected a file that can be read, got '/nowhere.pem': No such file"),
    "--tls-key": ("/nowhere.pem", "expected a file that can be read"),
    "--scenario": ("rate-limitd", "no scenario is called 'rate-limitd'; did you mean rate-limited? there are: c"),
}  # fmt: skip


def test_every_wrong_option_is_told_at_once() -> None:
    """Each in a line of its own, and nothing is started."""
    done = process("serve", *(word for option, (value, _) in WRONG.items() for word in (option, value)))
    assert (done.status, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) == len(WRONG)
    for option, (_, message) in WRONG.items():
        assert any(line.startswith(f"Error: {option}: {message}") for line in lines), (option, lines)


def test_every_wrong_variable_is_told_by_its_name() -> None:
    """Every option is also a variable, and one that is wrong is called by what the reader has set."""
    env = {variable_of(option): value for option, (value, _) in WRONG.items()}
    done = process("serve", env=env)
    assert (done.status, done.out) == (2, "")
    told = {line.split(":")[1].strip() for line in done.err.splitlines()}
    assert told == set(env)


def variable_of(option: str) -> str:
    """The variable that stands for an option."""
    return "VIDEO_EMULATOR_" + option.removeprefix("--").upper().replace("-", "_")


def test_every_option_of_serve_is_a_variable_of_its_name() -> None:
    """For Docker, where arguments are in the image's hands."""
    command = dict(ALL)["serve"]
    assert command is not None
    for param in command.params:
        assert param.envvar == variable_of(param.opts[0])


def test_options_reach_the_server() -> None:
    """What the control API and the answers show is what the options, here as variables, said."""
    options = {
        "--scenario": "slow-queue",
        "--clock": "manual",
        "--start": "2025-01-01T00:00:00Z",
        "--public-url": "https://ci.example/emulator/",
        "--profile": "current",
        "--max-tasks": "1",
        "--port": "0",
    }
    env = {variable_of(option): value for option, value in options.items()}
    with started(env=env) as server:
        served = serving.Served(server.port)
        health = served.get("/__admin/health").json()
        assert health["scenario"] == "slow-queue"
        assert health["clock"] == {"mode": "manual", "now": "2025-01-01T00:00:00Z", "scale": 1}
        first = served.post("/v1/videos", {"prompt": "a"}).json()["id"]
        served.advance_clock("1h")
        video = served.get(f"/v1/videos/{first}").json()
        assert video["video_url"].startswith("https://ci.example/emulator/media/octopusx/")
        second = served.post("/v1/videos", {"prompt": "b"}).json()["id"]
        assert served.get(f"/v1/videos/{first}").json() != video
        assert served.get(f"/v1/videos/{second}").json()["status"] == "queued"
        served.advance_clock("4m59s")
        assert served.get(f"/v1/videos/{second}").json()["status"] == "in_progress"


BOUNDS = {
    "--max-namespaces": "1",
    "--namespace-idle": "30m",
    "--journal-entries": "2",
    "--journal-bytes": "1GiB",
    "--admin-token": "open-sesame",
    "--allowed-host": "one.example, two.example",
    "--port": "0",
}


def test_bounds_and_who_may_call_reach_the_server() -> None:
    """The token is asked for and told to nobody; hosts come from the variable with commas or spaces."""
    token = {"x-emulator-admin-token": BOUNDS["--admin-token"]}
    with started(env={variable_of(option): value for option, value in BOUNDS.items()}) as server:
        served = serving.Served(server.port)
        assert process("health", "--port", str(server.port)).status == 0
        assert served.get("/__admin/clock").status_code == 401
        for _ in range(3):
            served.get("/octopusx/v1/videos/nobody")
        two = {**token, "host": "two.example"}
        assert served.call("GET", "/ns/first/__admin/health", headers=two).status_code == 200
        assert served.call("GET", "/ns/second/__admin/health", headers=token).status_code == 503
        three = {**token, "host": "three.example"}
        assert served.call("GET", "/__admin/health", headers=three).status_code == 403
        health = served.call("GET", "/__admin/health", headers=token).json()
        assert health["requests"] == {"kept": 2, "dropped": 1}
        server.popen.terminate()
        out, err = server.popen.communicate()
    assert BOUNDS["--admin-token"] not in server.banner + out + err


def test_hosts_may_be_given_one_by_one() -> None:
    """The option again and again."""
    hosts = ("--allowed-host", "one.example", "--allowed-host", "TWO.example")
    with started("--port", "0", *hosts) as server:
        for host, status_code in [("one.example", 200), ("two.example:80", 200), ("three.example", 403)]:
            asked = serving.Served(server.port).call("GET", "/__admin/clock", headers={"host": host})
            assert asked.status_code == status_code


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("65536B", 65536),
        ("64KiB", 65536),
        ("100KB", 100_000),
        ("2 MiB", 2 << 20),
        ("3MB", 3_000_000),
        ("1GiB", 1 << 30),
        ("1GB", 10**9),
    ],
)
def test_a_size_has_a_unit(text: str, size: int) -> None:
    """Powers of ten, or of two."""
    assert read_by("--journal-bytes", text) == (size, [])


@pytest.mark.parametrize(
    "text", ["64", "", "MiB", "-1MiB", "1.5MiB", "1TiB", "63KiB", "0GiB", "999999999GiB"]
)
def test_another_size_is_refused(text: str) -> None:
    """A bare number too, and one so small that nothing fits."""
    value, told = read_by("--journal-bytes", text)
    assert value is None
    assert told[0].startswith(f"--journal-bytes: expected a size such as 64MiB, got {text!r}")


@pytest.mark.parametrize("token", ["short", "long enough", "long\tenough", "schlüssel-schlüssel", ""])
def test_a_wrong_token_is_refused_without_being_told(token: str) -> None:
    """Neither on the terminal nor in a log of CI."""
    value, told = read_by("--admin-token", token)
    assert value is None
    assert told[0].startswith("--admin-token: expected 8 or more letters, digits and signs of ASCII, got ")
    assert not token or token not in told[0]


@pytest.mark.parametrize(
    "host", ["http://x.example", "x.example:80", "*.example", "a b", "", "x..y", "[::1]"]
)
def test_a_wrong_host_is_refused(host: str) -> None:
    """It is a name, and nothing else."""
    value, told = read_by("--allowed-host", host)
    assert value is None
    assert told[0].startswith("--allowed-host: expected a host name such as emulator.example")


def read_by(option: str, text: str) -> tuple[Any, list[str]]:
    """What an option of serve makes of a text, and what it says of it."""
    command = dict(ALL)["serve"]
    assert command is not None
    (param,) = [param for param in command.params if param.opts[0] == option]
    context = click.Context(command)
    return param.type.convert(text, param, context), mistakes(context)


def test_the_scale_reaches_the_clock() -> None:
    """A clock that runs fast says how fast."""
    with started("--port", "0", "--clock", "scaled:2.5") as server:
        clock = serving.Served(server.port).get("/__admin/clock").json()
        assert (clock["mode"], clock["scale"]) == ("scaled", 2.5)


def test_a_start_alone_is_a_real_clocks() -> None:
    """It takes the place of the scenario's own clock, too."""
    manual = "version: 1\nclock: {mode: manual}\n"
    with started(
        "--port", "0", "--start", "2025-01-01T00:00:00Z", env={run.IN_ENVIRONMENT: manual}
    ) as server:
        clock = serving.Served(server.port).get("/__admin/clock").json()
        assert clock["mode"] == "real"
        assert clock["now"].startswith("2025-01-01T00:0")


def test_empty_variables_count_as_not_set() -> None:
    """A compose file that passes on what isn't there starts all the same; Kubernetes' own PORT isn't meant."""
    empty = {variable_of(option): "" for option in WRONG} | {run.IN_ENVIRONMENT: ""}
    with started("--port", "0", env=empty) as server:
        assert serving.Served(server.port).get("/__admin/health").json()["scenario"] == "happy-path"
    kubernetes = {"VIDEO_EMULATOR_PORT": "tcp://10.0.0.1:8080", "VIDEO_EMULATOR_SERVICE_HOST": "10.0.0.1"}
    done = process("serve", "--grace", "x", env=kubernetes)
    assert done.err == "Error: --grace: expected a number of seconds such as 1 or 0.5, got 'x'\n"


def test_a_misspelt_variable_is_told() -> None:
    """It would be ignored in silence otherwise."""
    for wrong, meant in [("SCENARO", "SCENARIO"), ("NAMESPACE_IDEL", "NAMESPACE_IDLE")]:
        done = process("serve", "--grace", "x", env={f"VIDEO_EMULATOR_{wrong}": "documents"})
        assert done.err.splitlines()[0] == (
            f"Warning: the variable VIDEO_EMULATOR_{wrong} means nothing here; did you mean VIDEO_EMULATOR_{meant}?"
        )


def test_dockers_own_variables_are_not_told_of() -> None:
    """Those that a link to a container called video-emulator sets."""
    links = {
        "VIDEO_EMULATOR_NAME": "/web/video-emulator",
        "VIDEO_EMULATOR_PORT_8080_TCP": "tcp://10.0.0.1:8080",
    }
    done = process("serve", "--grace", "x", env=links)
    assert done.err.splitlines() == ["Error: --grace: expected a number of seconds such as 1 or 0.5, got 'x'"]


def test_a_scenario_may_stand_in_the_environment() -> None:
    """It is the active one, under its own name or `environment`; --scenario chooses another."""
    for text, name in (("version: 1\n", "environment"), ("version: 1\nname: mine\n", "mine")):
        with started("--port", "0", env={run.IN_ENVIRONMENT: text}) as server:
            assert f"  scenario   {name}\n             from {run.IN_ENVIRONMENT}\n" in server.banner
    with started("--port", "0", "--scenario", "stuck-processing", env={run.IN_ENVIRONMENT: text}) as server:
        listed = serving.Served(server.port).get("/__admin/scenarios").json()
        assert listed["active"] == "stuck-processing"
        assert "mine" in [scenario["name"] for scenario in listed["scenarios"]]


def test_its_scenarios_come_from_folder_and_file(tmp_path: Path) -> None:
    """All of the folder's can be named, hidden files and schemas aside; a file is active by its path."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("one.yaml", "two.yml", "three.json"):
        (folder / name).write_text('{"version": 1}')
    for name in (".four.yaml", "scenario.schema.json", "five.txt"):
        (folder / name).write_text("no scenario")
    (folder / "six.yaml").mkdir()
    file = tmp_path / "alone.yaml"
    file.write_text("version: 1\n")
    with started("--port", "0", "--scenarios", str(folder), "--scenario", str(file)) as server:
        listed = serving.Served(server.port).get("/__admin/scenarios").json()
    assert listed["active"] == "alone"
    names = {scenario["name"] for scenario in listed["scenarios"]}
    assert names == {"one", "two", "three", "alone", *Library().names()}


def test_every_mistake_of_every_file_is_told(tmp_path: Path) -> None:
    """Those of the folder, of the environment and of the file, besides the options'; exit status 2."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.yaml").write_text("version: 1\nrulez: []\nname: [a]\n")
    (folder / "b.yaml").write_text("version: 2\n")
    file = tmp_path / "c.yaml"
    done = process(
        *("serve", "--scenarios", str(folder), "--scenario", str(file), "--port", "x"),
        env={run.IN_ENVIRONMENT: "version: 1\nabuot: x\n"},
    )
    assert (done.status, done.out) == (2, "")
    places = [
        line.split(": ")[0] for line in done.err.splitlines() if line.startswith((str(tmp_path), "VIDEO"))
    ]
    assert places == [
        f"{folder}/a.yaml:2:1",
        f"{folder}/a.yaml:3:7",
        f"{folder}/b.yaml:1:10",
        f"{run.IN_ENVIRONMENT}:2:1",
        f"{file}",
    ]
    assert "Error: 5 mistakes in 4 scenario files; nothing was started\n" in done.err
    assert "Error: --port: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "No such file or directory"),
        ("empty", "no file in it ends in .yaml, .yml, .json"),
        ("file.yaml", "this is a file; --scenario takes files"),
    ],
)
def test_a_folder_that_is_none_is_told(tmp_path: Path, name: str, reason: str) -> None:
    """An option that names nothing is a mistake."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.yaml").write_text("version: 1\n")
    done = process("serve", "--scenarios", name, "--grace", "x", folder=tmp_path)
    assert done.status == 2
    assert f"Error: --scenarios: expected a folder of scenario files, got '{name}': {reason}\n" in done.err


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_the_variables_folder_may_be_missing_or_empty(tmp_path: Path, name: str) -> None:
    """The Docker image always names one; a file there is a mistake all the same."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.yaml").write_text("version: 1\n")
    quiet = process("serve", "--grace", "x", folder=tmp_path, env={"VIDEO_EMULATOR_SCENARIOS": name})
    assert quiet.err == "Error: --grace: expected a number of seconds such as 1 or 0.5, got 'x'\n"
    file = process("serve", "--grace", "x", folder=tmp_path, env={"VIDEO_EMULATOR_SCENARIOS": "file.yaml"})
    assert "Error: VIDEO_EMULATOR_SCENARIOS: expected a folder" in file.err


def test_a_scenario_that_is_no_file_is_told(tmp_path: Path) -> None:
    """A folder, by path or by name, and a file that can't be read."""
    (tmp_path / "mine").mkdir()
    assert process("serve", "--scenario", "./mine", folder=tmp_path).err.startswith(
        "mine: expected a scenario file, got a directory\n"
    )
    assert (
        "the folder of that name goes to --scenarios"
        in process("serve", "--scenario", "mine", folder=tmp_path).err
    )


def test_one_half_of_tls_is_told() -> None:
    """Certificate and key go together, and have to fit."""
    assert process("serve", "--tls-cert", CERTIFICATE).err == (
        "Error: --tls-cert and --tls-key go together; one of them is missing\n"
    )
    done = process("serve", "--tls-cert", CERTIFICATE, "--tls-key", str(ROOT / "LICENSE"))
    assert done.status == 2
    assert done.err.startswith(f"Error: cannot use {CERTIFICATE} and {ROOT / 'LICENSE'}: ")


def test_warnings_are_told_and_it_serves(tmp_path: Path) -> None:
    """What lint says of a file goes to stderr."""
    file = tmp_path / "warned.yaml"
    file.write_text(WARNED)
    with started("--port", "0", "--scenario", str(file)) as server:
        server.popen.terminate()
        _, err = server.popen.communicate(timeout=serving.PATIENCE)
    assert "[scaled-clock-wait]\n" in err


WARNED = """\
version: 1
clock: {mode: scaled, scale: 60}
rules:
  - {operation: poll, calls: 3, error: rate_limited, retry_after: 5s}
"""


# The banner


@pytest.mark.parametrize(
    ("place", "first"),
    [
        (Place(host="127.0.0.1", port=1), "serves on http://127.0.0.1:1. Ctrl-C stops it."),
        (Place(host="localhost", port=1), "serves on http://localhost:1. Ctrl-C stops it."),
        (Place(host="::1", port=1, is_tls=True), "serves on https://[::1]:1. Ctrl-C stops it."),
        (
            Place(host="0.0.0.0", port=1),  # noqa: S104 - only shown
            "serves on http://127.0.0.1:1, and on every other address of this machine. Ctrl-C stops it.",
        ),
        (
            Place(host="::", port=1),
            "serves on http://[::1]:1, and on every other address of this machine. Ctrl-C stops it.",
        ),
    ],
)
def test_the_banner_says_an_address_that_can_be_opened(place: Place, first: str) -> None:
    """One that stands for all of them can't."""
    told = click.unstyle(banner.text(World().app, place))
    assert told.splitlines()[0] == f"video-emulator {emulator.__version__} {first}"


def test_the_banner_names_the_base_url_of_each_provider() -> None:
    """With the version that openai's client wants at its end."""
    told = click.unstyle(banner.text(World().app, Place(host="127.0.0.1", port=8080)))
    assert re.findall(r"^  (\S+) +http://127.0.0.1:8080(/\S+)", told, re.M)[1:] == [
        ("acedata-sora", "/acedata"),
        ("acedata-veo", "/acedata"),
        ("octopusx", "/octopusx/v1"),
        ("ezmodel", "/ezmodel/v1"),
    ]


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        (
            ClockSettings(mode="manual", start=START + 1),
            "manual: it stands at 2025-01-01T00:00:00.000001Z until ",
        ),
        (
            ClockSettings(mode="auto", start=START),
            "auto: it stands at 2025-01-01T00:00:00Z, and polls move it",
        ),
        (
            ClockSettings(mode="scaled", scale=60.0, start=START),
            "scaled: 60 times as fast as real time, from 2025-",
        ),
        (ClockSettings(mode="real", start=START), "real, from 2025-01-01T00:00:0"),
    ],
)
def test_the_banner_says_what_time_it_is(clock: ClockSettings, told: str) -> None:
    """And who moves it."""
    place = Place(host="127.0.0.1", port=8080)
    assert f"\n  clock      {told}" in click.unstyle(banner.text(World(clock=clock).app, place))


def test_the_banner_hides_control_characters() -> None:
    """What a file says of itself doesn't move the reader's cursor, however long it is."""
    about = 'version: 1\nabout: "a\\e[2J' + "b" * 1000 + '"\n'
    told = banner.text(World(about).app, Place(host="127.0.0.1", port=8080))
    (line,) = [line for line in told.splitlines() if line.startswith("  scenario")]
    assert line == f"  scenario   under-test: a?[2J{'b' * 295}..."


def test_a_rehearsal_leaves_no_trace() -> None:
    """That the banner knew the first task's id doesn't use it up."""
    app = App(Library(), Options(settings=Settings()))
    told = [banner.text(app, Place(host="127.0.0.1", port=8080)) for _ in range(2)]
    assert told[0].splitlines()[-1] == told[1].splitlines()[-1]
    assert len(app.namespace.store) == 0


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ((), "sk-test"),
        ((Matcher(glob="sk-good-*"),), "sk-good-test"),
        ((Matcher(equals="secret"),), "secret"),
        ((Matcher(any_of=("a", "b")),), "a"),
        ((Matcher(glob="sk-*", negated=Matcher(equals="sk-test")), Matcher(equals="b")), "b"),
        ((Matcher(contains="zz"),), "sk-test"),
    ],
)
def test_a_sample_has_a_key_that_the_scenario_takes(keys: tuple[Matcher, ...], key: str) -> None:
    """As far as that can be told from what the file says of keys."""
    assert sample.key_for(Auth(keys=keys)) == key


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_a_sample_create_is_one_of_a_client_that_polls(provider: Any) -> None:
    """The document's request, less the callback."""
    fields = sample.create(provider).fields
    assert fields is not None
    document = dict(provider.example_request)
    called_back = document.pop("callback_url", None) is not None
    assert fields == document | ({"async": True} if called_back else {})


# The log


def test_a_record_of_the_log_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a client put into it; of an exception it says what and where."""
    monkeypatch.delenv("VIDEO_EMULATOR_DEBUG", raising=False)
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord(
            "emulator", logging.ERROR, __file__, 1, "met at %s", ("/a\nb\x1b",), sys.exc_info()
        )
    line = log.Line(log.FORM).format(record)
    assert "\n" not in line
    assert " ERROR met at /a\\x0ab\\x1b: ValueError: two\\x0alines at " in line
    assert f"{__file__}:" in line
    monkeypatch.setenv("VIDEO_EMULATOR_DEBUG", "1")
    assert "\nTraceback (most recent call last):\n" in log.Line(log.FORM).format(record)


# validate


EIGHT = """\
version: 1
abuot: eight mistakes
provider: octopusx
seed: 1.5
tasks:
  - timeline:
      - {state: queued, for: 2s}
      - {status: processing, for: 5}
      - {status: completed, word: [a]}
rules:
  - {operation: pol, error: internal}
  - {operation: poll, calls: 0, error: internal}
"""
PLACES = [(2, 1), (3, 1), (4, 7), (7, 10), (8, 35), (9, 35), (11, 17), (12, 30)]


def test_validate_tells_every_mistake_with_its_place(ve: Any, tmp_path: Path) -> None:
    """Eight mistakes are eight, each with line and column."""
    (tmp_path / "eight.yaml").write_text(EIGHT)
    done = ve("validate", "eight.yaml")
    assert done.status == 1
    places = re.findall(r"^eight\.yaml:(\d+):(\d+): ", done.out, re.M)
    assert [(int(line), int(column)) for line, column in places] == PLACES
    assert done.out.endswith("\n1 file, 8 mistakes\n")


def test_validate_speaks_json(ve: Any, tmp_path: Path) -> None:
    """An array of problems and nothing else."""
    (tmp_path / "eight.yaml").write_text(EIGHT)
    done = ve("validate", "--format", "json", "eight.yaml")
    assert done.status == 1
    problems = json.loads(done.out)
    assert [(problem["line"], problem["column"]) for problem in problems] == PLACES
    assert {problem["file"] for problem in problems} == {"eight.yaml"}
    assert json.loads(ve("validate", "--format", "json", str(init.STARTER)).out) == []


def test_validate_speaks_to_github(ve: Any, tmp_path: Path) -> None:
    """One annotation for each mistake."""
    (tmp_path / "eight.yaml").write_text(EIGHT)
    done = ve("validate", "--format", "github", "eight.yaml")
    assert done.status == 1
    places = re.findall(r"^::error file=eight\.yaml,line=(\d+),col=(\d+),title=", done.out, re.M)
    assert [(int(line), int(column)) for line, column in places] == PLACES


def test_validate_takes_folders(ve: Any, tmp_path: Path) -> None:
    """A folder stands for its scenario files; two of one name are a mistake, and so is a folder without any."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("a.yaml", "a.yml", "b.json"):
        (folder / name).write_text('{"version": 1}')
    done = ve("validate", "mine")
    assert done.status == 1
    assert done.out == (
        "mine/a.yml: name: the scenario is called 'a', and so is that of mine/a.yaml; give one of them another name\n"
        "3 files, 1 mistake\n"
    )
    (tmp_path / "empty").mkdir()
    assert ve("validate", "empty") == Done(
        1, "empty: no scenario file is in this folder\n0 files, 1 mistake\n", ""
    )


def test_validate_tells_of_files_that_cannot_be_read(ve: Any, tmp_path: Path) -> None:
    """And of the others all the same."""
    (tmp_path / "good.yaml").write_text("version: 1\n")
    done = ve("validate", "none.yaml", "good.yaml")
    assert done == Done(1, "none.yaml: there is no such file\n2 files, 1 mistake\n", "")


@pytest.mark.parametrize(
    ("text", "status", "out"),
    [
        (b"version: 1\n", 0, "1 file, 0 mistakes\n"),
        (b"version: 1\nx: 1\n", 1, "<stdin>:2:1: unknown key 'x'\n    x: 1\n    ^\n1 file, 1 mistake\n"),
        (
            b"version: \xff\n",
            1,
            "<stdin>: expected UTF-8 text: invalid start byte at byte 9\n1 file, 1 mistake\n",
        ),
    ],
)
def test_validate_reads_the_standard_input(text: bytes, status: int, out: str) -> None:
    """A `-` stands for it."""
    assert process("validate", "-", stdin=text) == Done(status, out, "")


def test_warnings_fail_only_where_they_shall(ve: Any, tmp_path: Path) -> None:
    """They are told in any case."""
    (tmp_path / "warned.yaml").write_text(WARNED)
    done = ve("validate", "warned.yaml")
    assert done.status == 0
    assert "warned.yaml:4:54: warning: " in done.out
    assert done.out.endswith("\n1 file, 0 mistakes, 1 warning\n")
    assert ve("validate", "--strict", "warned.yaml") == Done(1, done.out, "")


def test_validate_wants_files(ve: Any) -> None:
    """Without any the usage is wrong."""
    done = ve("validate")
    assert done.status == 2
    assert "Missing argument 'FILES...'" in done.err


def test_the_shipped_scenarios_are_valid(ve: Any) -> None:
    """Without a warning."""
    count = len(list(library.SHIPPED.glob("*.yaml")))
    assert ve("validate", "--strict", str(library.SHIPPED)) == Done(0, f"{count} files, 0 mistakes\n", "")


# init, schema, scenarios


def test_init_writes_a_scenario_that_is_valid(ve: Any, tmp_path: Path) -> None:
    """Without a warning, and the next steps that it names work."""
    done = ve("init")
    assert done.status == 0
    (first, *commands) = [line.strip() for line in done.out.splitlines()]
    assert first == "Wrote my-scenario.yaml. Next:"
    assert (tmp_path / "my-scenario.yaml").read_text() == init.STARTER.read_text()
    for command in commands:
        name, *words = command.removeprefix("video-emulator ").split()
        if name != "serve":
            assert ve(name, *words).status == 0
    assert ve("validate", "--strict", "my-scenario.yaml") == Done(0, "1 file, 0 mistakes\n", "")


def test_init_overwrites_nothing(ve: Any, tmp_path: Path) -> None:
    """A file that exists stays as it is."""
    (tmp_path / "mine.yaml").write_text("mine")
    done = ve("init", "mine.yaml")
    assert done == Done(2, "", "Error: mine.yaml exists already, and is left as it is; name another file\n")
    assert (tmp_path / "mine.yaml").read_text() == "mine"


def test_init_prints_and_tells_what_it_cannot_write(ve: Any) -> None:
    """`-` is the terminal; a folder that isn't there is a sentence."""
    assert ve("init", "-") == Done(0, init.STARTER.read_text(), "")
    done = ve("init", "none/mine.yaml")
    assert done == Done(2, "", "Error: cannot write none/mine.yaml: No such file or directory\n")


def test_schema_prints_the_schema(ve: Any) -> None:
    """The one that the language is read by."""
    done = ve("schema")
    assert done.status == 0
    assert json.loads(done.out) == scenario_schema()


def test_scenarios_lists_names_and_abouts(ve: Any) -> None:
    """A line for each, with a tab; or JSON."""
    done = ve("scenarios")
    listed = dict(line.split("\t") for line in done.out.splitlines())
    assert list(listed) == list(Library().names())
    assert all(listed.values())
    as_json = json.loads(ve("scenarios", "--json").out)
    assert {one["name"]: " ".join(one["about"].split()) for one in as_json} == listed
    assert all(Path(one["file"]).is_file() for one in as_json)


def test_scenarios_lists_a_folder_too(ve: Any, tmp_path: Path) -> None:
    """And tells the mistakes in it."""
    (tmp_path / "mine.yaml").write_text("version: 1\nabout: |\n  two\n  lines\n")
    assert "mine\ttwo lines\n" in ve("scenarios", "--scenarios", ".").out
    (tmp_path / "bad.yaml").write_text("version: 1\nx: 1\n")
    done = ve("scenarios", "--scenarios", ".")
    assert done.status == 2
    assert (
        done.err == "bad.yaml:2:1: unknown key 'x'\n    x: 1\n    ^\nError: not every file in . can be read\n"
    )


# On a terminal


def on_terminal(*arguments: str, env: Mapping[str, str] = {}) -> str:
    """What the command prints on a terminal of 200 columns."""
    outer, inner = pty.openpty()
    wide = {"COLUMNS": "200", "TERM": "xterm-256color"}
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "emulator", *arguments],
        cwd=ROOT,
        env=environment({**wide, **env}),
        stdout=inner,
    ) as popen:
        os.close(inner)
        printed = b""
        # Linux ends the reading from a terminal that its last writer has closed with an error.
        with contextlib.suppress(OSError), os.fdopen(outer, "rb", buffering=0) as screen:
            while chunk := screen.read(65536):
                printed += chunk
                if b"stopped" not in printed and printed.count(b"  curl ") == 2:
                    popen.terminate()
        assert popen.wait(serving.PATIENCE) == 0
    return printed.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("words", [("preview", "rate-limited"), ("scenarios",)])
def test_a_terminal_gets_a_table(words: tuple[str, ...]) -> None:
    """With colours, and with the same words as a pipe."""
    printed = on_terminal(*words)
    assert "\x1b[" in printed
    assert click.unstyle(printed).split() == process(*words).out.split()


def test_a_terminal_gets_a_banner_with_colours() -> None:
    """Unless it wants none."""
    printed = on_terminal("serve", "--port", "0")
    assert f"\x1b[1mvideo-emulator {emulator.__version__}\x1b[0m serves on \x1b[1mhttp://" in printed
    assert printed.endswith("stopped\n")
    assert "\x1b[" not in on_terminal("serve", "--port", "0", env={"NO_COLOR": "1"})


# health


def test_health_is_unwell_where_nothing_answers() -> None:
    """Exit status 1, and a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = process("health", "--port", str(port))
    assert done == Done(1, "", f"unhealthy: http://127.0.0.1:{port}: Connection refused\n")


def test_health_knows_a_stranger() -> None:
    """Another server on the port isn't an emulator that is well."""

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "ok"}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.handle_request, daemon=True).start()
        done = process("health", "--port", str(stranger.server_port))
    assert done.status == 1
    assert done.err.endswith(": something answers there (status code 200) that is no video-emulator\n")


def test_health_refuses_a_wrong_url() -> None:
    """That is a wrong usage, not a matter of health."""
    done = process("health", "--url", "localhost:8080")
    assert done.status == 2
    assert done.err.startswith("Error: --url: expected a URL such as ")


# The page


@pytest.mark.parametrize(("name", "command"), ALL)
def test_every_option_and_variable_is_documented(name: str, command: click.Command) -> None:
    """In the command's own section: the option, its variable, and its default."""
    (section,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    rows = [line.replace(r"\|", "|") for line in section.splitlines() if line.startswith("| `--")]
    options = [
        param for param in command.params if isinstance(param, click.Option) and param.opts[0] != "--help"
    ]
    assert [re.findall(r"`(--[a-z-]+)", row)[0] for row in rows] == [option.opts[0] for option in options]
    for row, option in zip(rows, options, strict=True):
        metavar = option.metavar or "|".join(getattr(option.type, "choices", ()))
        assert row.startswith(f"| `{option.opts[0]} {metavar}`" if metavar else f"| `{option.opts[0]}`"), row
        assert option.envvar is None or f"| `{option.envvar}` |" in row
        default = option.to_info_dict().get("default")
        assert not isinstance(default, str) or f"`{default}`" in row, row


def test_the_page_and_the_command_name_the_same_commands() -> None:
    """In the same order."""
    assert re.findall(r"^\| \[`([a-z]+)`\]", PAGE, re.M) == list(COMMANDS)


EXAMPLES = [
    example
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.M | re.S)
    for example in block.split("$ ")[1:]
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.splitlines()[0][:60])
def test_the_pages_examples_print_what_they_show(example: str) -> None:
    """Every time the same."""
    command, _, shown = example.partition("\n")
    command = command.replace("video-emulator", f"{shlex.quote(sys.executable)} -m emulator", 1)
    done = subprocess.run(  # noqa: S603 - the page's own
        ["/bin/sh", "-c", command], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.stdout == shown
    assert done.stderr == ""


def test_its_choices_of_providers_are_the_registrys() -> None:
    """The words are written out, so that help needn't import the providers."""
    command = dict(ALL)["preview"]
    assert command is not None
    (provider,) = [param for param in command.params if param.name == "provider"]
    for name in (provider.name for provider in PROVIDERS):
        assert provider.type.convert(name, provider, click.Context(command)) == name
    sharing = [p.name for p in PROVIDERS if any(o.path == "/v1/videos" for o in p.operations)]
    assert sharing == ["octopusx", "ezmodel"]


# A server in a process of its own


class Started(msgspec.Struct, frozen=True):
    """`serve`, after its banner."""

    popen: "subprocess.Popen[str]"
    banner: str

    @property
    def url(self) -> str:
        """Where it says that it serves."""
        found = re.search(r"serves on (https?://\S+?)[.,]? ", self.banner)
        assert found is not None
        return found[1].rstrip(".,")

    @property
    def port(self) -> int:
        """The port in that."""
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def started(*arguments: str, env: Mapping[str, str] = {}) -> Iterator[Started]:
    """`serve` from its banner on, for as long as the ``with`` lasts."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "emulator", "serve", *arguments],
        cwd=ROOT,
        env=environment(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as popen:
        try:
            yield Started(popen, banner_of(popen))
        finally:
            popen.kill()


def banner_of(popen: "subprocess.Popen[str]") -> str:
    """What `serve` says once it listens, up to the second command."""
    assert popen.stdout is not None
    assert popen.stderr is not None
    lines: list[str] = []
    for line in popen.stdout:
        lines.append(line)
        if sum(line.startswith("  curl ") for line in lines) == 2:
            return "".join(lines)
    raise AssertionError(f"serve said {lines} and ended: {popen.stderr.read()}")


def pasted(told: str) -> tuple[Any, Any]:
    """What the banner's two commands answer."""
    create, poll = (answered(line) for line in told.splitlines() if line.startswith("  curl "))
    return create, poll


def answered(command: str) -> Any:
    """What a command of curl's gets, by the words that the banner uses."""
    words = shlex.split(command)
    url, data, headers = "", None, {}
    while words:
        match words.pop(0):
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                data = words.pop(0).encode()
            case "curl" | "-s" | "-k":
                pass
            case word:
                url = word
    context = ssl._create_unverified_context() if url.startswith("https") else None  # noqa: S323, SLF001 - curl's -k
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - the banner's own
    with urllib.request.urlopen(request, timeout=serving.PATIENCE, context=context) as answer:  # noqa: S310
        return json.load(answer)
