"""``video-emulator contract``: what it prints where, and with which status it ends, against a stand-in."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import pytest

from emulator.cli import main
from tests import serving
from tests.contract.standin import StandIn

ROOT: Final = Path(__file__).parent.parent
KEY: Final = "sk-good-standin"
STATE: Final = ".video-emulator-contract-octopusx.json"


class Done(msgspec.Struct, frozen=True):
    """A command that has ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def contract(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """The command in this process, in an empty folder, with a good key unless another is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OCTOPUSX_API_KEY", KEY)

    def command(*arguments: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(["contract", *arguments])
        printed = capsys.readouterr()
        return Done(int(str(ended.value.code)), printed.out, printed.err)

    return command


def quick(standin: StandIn, *more: str) -> list[str]:
    """Options for a run that takes no time to speak of."""
    return ["octopusx", "--base-url", standin.url, "--interval", "10ms", "--max-minutes", "0.2", *more]


def tasks_of(standin: StandIn) -> list[str]:
    """Options that name all tasks of the stand-in."""
    return [part for id in standin.tasks.values() for part in ("--task", id)]


# Statuses


def test_a_provider_as_it_should_be_ends_with_0(contract: Command) -> None:
    """The report goes to the standard output, progress to the other one, and no file is left."""
    with StandIn("octopusx") as standin:
        done = contract(*quick(standin, "--create", "1", "--yes", *tasks_of(standin)))
    assert done.status == 0
    assert done.out.startswith(f"video-emulator contract: octopusx at {standin.url}\n")
    assert "0 drift, 0 failed" in done.out
    assert "\x1b" not in done.out
    assert re.search(r"^ +\d+s  unknown-task$", done.err, re.M)
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    ("drift", "fail_on", "status"),
    [
        ("number-for-text", "error", 1),
        ("number-for-text", "never", 0),
        ("header-gone", "error", 0),
        ("header-gone", "warning", 1),
        ("added-field", "warning", 0),
        ("added-field", "notice", 1),
    ],
)
def test_the_status_goes_by_gravity(contract: Command, drift: str, fail_on: str, status: int) -> None:
    """An error fails by default; --fail-on says otherwise."""
    with StandIn("octopusx", drift=(drift,)) as standin:
        assert contract(*quick(standin, "--fail-on", fail_on, *tasks_of(standin))).status == status


def test_a_run_that_couldn_t_do_as_told_ends_with_2(
    contract: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so under its problems."""
    monkeypatch.setenv("OCTOPUSX_API_KEY", "sk-of-nobody")
    with StandIn("octopusx") as standin:
        done = contract(*quick(standin))
    assert done.status == 2
    assert "the key in $OCTOPUSX_API_KEY was refused (401)" in done.out
    assert "sk-of-nobody" not in done.out + done.err


def test_all_checks_can_be_asked_for(contract: Command) -> None:
    """Then one that wasn't run fails, and is named."""
    with StandIn("octopusx") as standin:
        done = contract(*quick(standin, "--require-all"))
    assert done.status == 1
    assert "--require-all, and these weren't run: " in done.err
    assert "status-completed" in done.err


# Options


def test_every_wrong_option_is_told_at_once(contract: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent."""
    monkeypatch.delenv("OCTOPUSX_API_KEY")
    done = contract(
        "octopusx", "--create", "many", "--max-minutes", "0", "--interval", "5", "--format", "pdf", "--fail-on",
        "all", "--watch", "--request", "[1]", "--baseline", "nowhere.txt",
    )  # fmt: skip
    assert done.status == 2
    for told in (
        "--create: expected how many paid tasks may be made, from 0 to 20, got 'many'",
        "--max-minutes: expected a number of minutes above 0 such as 15 or 0.5, got '0'",
        "--interval: expected a duration such as",
        "--format: expected text, json, junit or github, got 'pdf'",
        "--fail-on: expected error, warning, notice or never, got 'all'",
        "--watch looks at the tasks of --task until they end, and none is given",
        "--request: expected a JSON object",
        "--baseline: expected a file that can be read",
        "--base-url: expected where the provider is, such as https://octopusx.ai, got nothing",
        "$OCTOPUSX_API_KEY: expected the API key, got nothing; set it, or name another by --api-key-env",
    ):
        assert told in done.err
    assert "Traceback" not in done.err


def test_a_key_in_place_of_its_variable_s_name_isn_t_told(contract: Command) -> None:
    """Whoever mistakes the one for the other doesn't find it in CI's log."""
    done = contract("octopusx", "--base-url", "http://127.0.0.1:1", "--api-key-env", "sk-live-abcdef123456")
    assert done.status == 2
    assert "--api-key-env: expected the name of a variable that holds the key" in done.err
    assert "abcdef123456" not in done.err


@pytest.mark.parametrize("key", ["two words", "sk-\N{BULLET}\N{BULLET}"])
def test_a_key_that_no_header_can_hold_is_refused(
    contract: Command, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Without being told."""
    monkeypatch.setenv("OCTOPUSX_API_KEY", key)
    done = contract("octopusx", "--base-url", "http://127.0.0.1:1")
    assert done.status == 2
    assert "$OCTOPUSX_API_KEY: expected an API key, got a text with a character that no key has" in done.err
    assert key not in done.err


def test_an_interval_that_would_annoy_a_provider_is_refused(contract: Command) -> None:
    """On this machine nobody minds."""
    done = contract("octopusx", "--base-url", "https://octopusx.invalid", "--interval", "100ms")
    assert done.status == 2
    assert "--interval: expected 1s or more for a provider that isn't on this machine" in done.err


def test_the_base_url_may_be_that_of_openai_s_clients(contract: Command) -> None:
    """With its /v1, and with a slash."""
    with StandIn("octopusx") as standin:
        done = contract("octopusx", "--base-url", f"{standin.url}/v1/", "--interval", "10ms")
        paths = {seen.path for seen in standin.requests}
    assert done.status == 0
    assert all(path.startswith("/v1/videos") for path in paths)


def test_who_isn_t_asked_makes_nothing(contract: Command) -> None:
    """Where nobody can be asked, --yes is asked for; what would be sent is shown."""
    with StandIn("octopusx") as standin:
        done = contract(*quick(standin, "--create", "2"))
    assert done.status == 2
    assert f"This makes at most 2 tasks at {standin.url}, which may cost money: " in done.err
    assert '"seconds":"4"' in done.err
    assert "--create: nobody is there to be asked; --yes says that it's fine" in done.err
    assert list(standin.requests) == []


@pytest.mark.parametrize(("answer", "creates"), [("y", 1), ("n", 0)])
def test_who_is_asked_decides(answer: str, creates: int, tmp_path: Path) -> None:
    """At a terminal."""
    with StandIn("octopusx") as standin:
        leader, follower = pty.openpty()
        with subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "emulator", "contract", *quick(standin, "--create", "1")],
            stdin=follower,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=environment(),
        ) as popen:
            os.write(leader, f"{answer}\n".encode())
            popen.communicate(timeout=serving.PATIENCE)
        os.close(leader)
        os.close(follower)
        assert standin.creates == creates
        assert popen.returncode == (0 if creates else 2)


def test_a_create_may_ask_for_something_else(contract: Command, tmp_path: Path) -> None:
    """As JSON, or in a file."""
    file = tmp_path / "request.json"
    file.write_text('{"model": "sora-2-pro", "prompt": "a dog"}', encoding="utf-8")
    with StandIn("octopusx") as standin:
        contract(*quick(standin, "--create", "1", "--yes", "--request", f"@{file}"))
        contract(*quick(standin, "--create", "1", "--yes", "--request", '{"prompt": "a cow"}'))
        bodies = [json.loads(seen.body) for seen in standin.costly]
    assert bodies == [{"model": "sora-2-pro", "prompt": "a dog"}, {"prompt": "a cow"}]


# Forms


def test_json_goes_to_a_file(contract: Command, tmp_path: Path) -> None:
    """And nothing but the report does."""
    with StandIn("octopusx", drift=("new-word",)) as standin:
        done = contract(
            *quick(standin, "--format", "json", "--output", "report.json", "--quiet", *tasks_of(standin))
        )
    assert (done.out, done.err) == ("", "")
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert told["drifts"][0]["finding"]["kind"] == "new word"


def test_junit_fails_where_the_command_does(contract: Command) -> None:
    """By --fail-on."""
    with StandIn("octopusx", drift=("header-gone",)) as standin:
        lenient = contract(*quick(standin, "--format", "junit"))
        strict = contract(*quick(standin, "--format", "junit", "--fail-on", "warning"))
    assert ET.fromstring(lenient.out).attrib["failures"] == "0"  # noqa: S314 - our own
    assert int(ET.fromstring(strict.out).attrib["failures"]) > 0  # noqa: S314 - our own


def test_github_gets_annotations(contract: Command) -> None:
    """One for each drift."""
    with StandIn("octopusx", drift=("removed-field",)) as standin:
        done = contract(*quick(standin, "--format", "github", *tasks_of(standin)))
    assert done.out.startswith("::error file=emulator/contracts/octopusx.yaml,line=")


def test_a_comparison_shows_the_emulator_s_answer(contract: Command) -> None:
    """Beside the provider's."""
    with StandIn("octopusx", drift=("number-for-text",)) as standin:
        done = contract(*quick(standin, "--compare", *tasks_of(standin)))
    assert re.search(r"the provider +\| the emulator", done.out)
    assert re.search(r'\* +"seconds": "<number>", +\| +"seconds": "<text of', done.out)


def test_a_terminal_gets_colours(tmp_path: Path) -> None:
    """Of the words that say how it went."""
    with StandIn("octopusx", drift=("new-word",)) as standin:
        leader, follower = pty.openpty()
        popen = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "emulator", "contract", *quick(standin, *tasks_of(standin))],
            stdout=follower,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
            env=environment(),
        )
        os.close(follower)
        told = b""
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:
                break
            if not chunk:
                break
            told += chunk
        popen.wait(serving.PATIENCE)
        os.close(leader)
    assert b"\x1b[32mpassed\x1b[0m" in told
    assert b"\x1b[31mFAILED\x1b[0m" in told


def test_known_drift_is_written_and_accepted(contract: Command) -> None:
    """The next run passes, and says what it accepted."""
    with StandIn("octopusx", drift=("number-for-text",)) as standin:
        first = contract(*quick(standin, "--write-baseline", "known.txt", *tasks_of(standin)))
        second = contract(*quick(standin, "--baseline", "known.txt", *tasks_of(standin)))
    assert (first.status, second.status) == (1, 0)
    assert "known.txt accepts 1 drift now." in first.err
    assert "accepted  type changed: poll: seconds" in second.out
    assert "accepted  status-completed" in second.out


def test_a_baseline_isn_t_emptied_by_a_run_that_saw_nothing(
    contract: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays as it is, and the command says so."""
    Path("known.txt").write_text("poll: seconds: type changed: a number\n", encoding="utf-8")
    monkeypatch.setenv("OCTOPUSX_API_KEY", "sk-of-nobody")
    with StandIn("octopusx") as standin:
        done = contract(*quick(standin, "--baseline", "known.txt", "--write-baseline", "known.txt"))
    assert done.status == 2
    assert "known.txt isn't written" in done.err
    assert Path("known.txt").read_text(encoding="utf-8") == "poll: seconds: type changed: a number\n"


@pytest.mark.parametrize("url", ["http://me:sk-secret@host", "https://host?key=sk-secret", "ftp://sk-secret"])
def test_a_url_with_a_key_in_it_isn_t_printed_back(contract: Command, url: str) -> None:
    """What is wrong with it is said without it."""
    done = contract("octopusx", "--base-url", url)
    assert done.status == 2
    assert "--base-url: expected a URL such as https://octopusx.ai" in done.err
    assert "sk-secret" not in done.err


@pytest.mark.parametrize("option", ["--output", "--write-baseline"])
def test_a_file_that_can_t_be_written_is_told_of(contract: Command, option: str) -> None:
    """Before anything is asked."""
    with StandIn("octopusx") as standin:
        done = contract(*quick(standin, option, "no/such/folder/file"))
    assert done.status == 2
    assert f"{option}: there is no folder no/such/folder" in done.err
    assert list(standin.requests) == []


# Interruptions


def environment() -> dict[str, str]:
    """This process's, with a good key."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("VIDEO_EMULATOR_")}
    return {**own, "PYTHONPATH": str(ROOT), "OCTOPUSX_API_KEY": KEY}


@contextmanager
def begun(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """The command in a process of its own."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "emulator", "contract", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment(),
    ) as popen:
        try:
            yield popen
        finally:
            popen.kill()


def _until(popen: "subprocess.Popen[str]", wanted: str) -> None:
    assert popen.stderr is not None
    for line in popen.stderr:
        if wanted in line:
            return
    raise AssertionError(f"{wanted!r} never came")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_tells_what_it_saw_and_goes_on_without_a_further_task(
    ending: signal.Signals, tmp_path: Path
) -> None:
    """The report is partial and says so; a new run is refused until somebody says which it shall be."""
    with StandIn("octopusx", ready_after=(10_000, 0)) as standin:
        options = quick(standin, "--create", "1", "--yes")
        with begun(tmp_path, *options) as popen:
            _until(popen, "look 1: queued")
            popen.send_signal(ending)
            out, err = popen.communicate(timeout=serving.PATIENCE)
        assert popen.returncode == 130
        assert "interrupted: this is what was seen until then" in out
        assert "passed    unknown-task" in out
        assert "the run was interrupted before" in out
        assert f"kept in {STATE}; to go on, give the same options and --resume" in err
        assert "Traceback" not in err
        assert KEY not in out + err + (tmp_path / STATE).read_text(encoding="utf-8")
        asked = len(standin.requests)

        with begun(tmp_path, *options) as popen:
            _, err = popen.communicate(timeout=serving.PATIENCE)
        assert popen.returncode == 2
        assert "an earlier run was interrupted" in err
        assert "--resume" in err
        assert len(standin.requests) == asked

        with begun(tmp_path, *options[:-3], "--create", "1", "--resume", "--max-minutes", "0.005") as popen:
            out, _ = popen.communicate(timeout=serving.PATIENCE)
        assert standin.creates == 1
        assert "passed    status-queued" in out
        assert not (tmp_path / STATE).exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "no interrupted run is kept in"),
        ("{", "isn't the state of a run of this version"),
        ('{"provider": "ezmodel", "base_url": "http://x", "begun_at": 0}', "is of a run against ezmodel"),
    ],
)
def test_what_can_t_be_gone_on_with_is_told_of(contract: Command, text: str | None, told: str) -> None:
    """And nothing is sent."""
    if text is not None:
        Path(STATE).write_text(text, encoding="utf-8")
    with StandIn("octopusx") as standin:
        done = contract(*quick(standin, "--resume"))
    assert done.status == 2
    assert told in done.err
    assert list(standin.requests) == []


def test_nothing_is_made_where_it_can_t_be_written_down(contract: Command) -> None:
    """A create that would be forgotten isn't sent."""
    with StandIn("octopusx") as standin:
        done = contract(*quick(standin, "--create", "1", "--yes", "--state", "no/such/folder/state.json"))
    assert done.status == 2
    assert "can't be kept in no/such/folder/state.json" in done.err
    assert standin.creates == 0
