"""``video-emulator record`` as a process of its own: what it prints where, what it leaves, and its exit status."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import pytest

from emulator.cli import COMMANDS, main
from emulator.scenario_file import load, load_text
from tests.recorder.stage import listening, world
from tests.serving import PATIENCE, Served
from tests.worlds import World

_ROOT: Final = Path(__file__).parent.parent
_POINTS: Final = re.compile(r"Give the client http://127\.0\.0\.1:(\d+)(/v1)? ")
KEY = {"authorization": "Bearer sk-live-S3cret0key"}
TASK = {"prompt": "S3cret prompt", "model": "sora-2", "seconds": "8"}


class Recorder(Served, frozen=True):
    """The command, as long as it runs."""

    popen: "subprocess.Popen[str]"
    said: list[str]

    def end(self, number: int = signal.SIGINT) -> "Done":
        """Let it end by a signal."""
        self.popen.send_signal(number)
        out, err = self.popen.communicate(timeout=PATIENCE)
        return Done(self.popen.returncode, out, "".join([*self.said, err]))


class Done(msgspec.Struct, frozen=True):
    """A command that has ended."""

    status: int
    out: str
    err: str


@contextmanager
def recorder(folder: Path, *arguments: str) -> Iterator[Recorder]:
    """The command in a folder, on a free port, from when it listens."""
    command = [sys.executable, "-m", "emulator", "record", "--port", "0", *arguments]
    env = {name: value for name, value in os.environ.items() if not name.startswith("VIDEO_EMULATOR_")}
    env["PYTHONPATH"] = str(_ROOT)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, env=env, **pipes) as popen:  # noqa: S603 - our own command
        try:
            assert popen.stderr is not None
            port, said = announced(popen.stderr)
            yield Recorder(port, popen, said)
        finally:
            popen.kill()


def announced(stderr: IO[str]) -> tuple[int, list[str]]:
    """The port that it listens on, and all that it said up to the end of its beginning."""
    said: list[str] = []
    port = 0
    for line in stderr:
        said.append(line)
        found = _POINTS.search(line)
        port = int(found[1]) if found else port
        if "Ctrl-C" in line:
            return port, said
    raise AssertionError("".join(said))


@pytest.fixture
def upstream() -> Iterator[str]:
    """An emulator whose clock stands still; its base URL as OctopusX's."""
    with listening(world("rate-limited").app) as url:
        yield f"{url}/octopusx"


def story(client: Served) -> str:
    """A create and three polls, the last of which is throttled; the task's id."""
    task_id = str(client.post("/v1/videos", TASK, headers=KEY).json()["id"])
    codes = [client.get(f"/v1/videos/{task_id}", headers=KEY).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    return task_id


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_the_whole_story(number: int, tmp_path: Path, upstream: str) -> None:
    """It says where clients shall point, each change, what it wrote, and what to do next. No secret is printed."""
    with recorder(tmp_path, "octopusx", "--upstream", f"{upstream}/v1") as running:
        task_id = story(running)
        done = running.end(number)
    assert done.status == 0
    assert done.out == ""
    file = tmp_path / "recorded-octopusx.yaml"
    assert load(file).warnings == ()
    for line in (
        f"video-emulator records octopusx at {upstream}.",
        f"Give the client http://127.0.0.1:{running.port}/v1 as its base URL",
        "  task 1: queued",
        "  poll of task 1: 429",
        "Recorded 1 task in 4 exchanges: in recorded-octopusx.yaml.",
        "  replayed: 4 of 4 answers alike",
        "  video-emulator serve --scenario recorded-octopusx.yaml",
    ):
        assert line in done.err
    told = done.err + file.read_text(encoding="utf-8")
    assert "S3cret" not in told
    assert task_id not in told
    assert list(tmp_path.iterdir()) == [file]


def test_it_ends_while_an_answer_is_held(tmp_path: Path) -> None:
    """With what was seen so far, and without a traceback."""
    rules = "rules:\n  - {operation: poll, calls: 2, delay: 1h}\n"
    with (
        listening(World(f"version: 1\nproviders: ezmodel\n{rules}").app) as url,
        recorder(tmp_path, "ezmodel", "--upstream", f"{url}/ezmodel") as running,
    ):
        task_id = running.post("/v1/videos", TASK, headers=KEY).json()["id"]
        running.get(f"/v1/videos/{task_id}", headers=KEY)
        with running.connect() as wire:
            wire.send(
                [f"GET /v1/videos/{task_id} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n\r\n".encode()]
            )
            done = running.end()
    assert done.status == 0
    assert "Recorded 1 task in 2 exchanges" in done.err
    assert "Traceback" not in done.err
    assert load(tmp_path / "recorded-ezmodel.yaml").warnings == ()


def test_a_recorder_that_is_killed_leaves_what_it_saw(tmp_path: Path, upstream: str) -> None:
    """From the first answer on a file is there, and each that is there is whole."""
    file = tmp_path / "story.yaml"
    with recorder(tmp_path, "octopusx", "--upstream", upstream, "--output", str(file)) as running:
        running.post("/v1/videos", TASK, headers=KEY)
        for _ in range(100_000):
            if file.exists():
                break
            running.get("/nothing", headers=KEY)  # takes its time, and is none of the provider's
        assert "queued" in load(file).text
        running.end(signal.SIGKILL)
    assert load(file).scenario.name == "story"


def test_nothing_recorded_is_told_and_leaves_no_file(tmp_path: Path, upstream: str) -> None:
    """By the exit status, too."""
    with recorder(tmp_path, "octopusx", "--upstream", upstream) as running:
        running.get("/somewhere/else", headers=KEY)
        done = running.end()
    assert done.status == 1
    assert "Nothing was recorded: no request came that the provider has." in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_upstream_that_is_down_is_told_in_a_sentence(tmp_path: Path) -> None:
    """To the client and to the log, without a traceback; and nothing was recorded."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with recorder(tmp_path, "acedata-veo", "--upstream", f"http://127.0.0.1:{port}") as running:
        answer = running.post("/veo/tasks", {"id": "x"}, headers=KEY)
        done = running.end()
    assert answer.status_code == 502
    assert done.status == 1
    said = f"no whole answer from http://127.0.0.1:{port}: the connection was refused; nothing listens there"
    assert answer.json() == {"video_emulator": {"error": said}}
    assert said in done.err
    assert "no answer of the provider's came" in done.err
    assert "Traceback" not in done.err
    assert "S3cret" not in done.err


def test_the_scenario_can_be_printed(tmp_path: Path, upstream: str) -> None:
    """Alone on stdout, at the end."""
    with recorder(tmp_path, "octopusx", "--upstream", upstream, "--output", "-", "--name", "told") as running:
        story(running)
        done = running.end()
    assert done.status == 0
    assert load_text(done.out, "printed").scenario.name == "told"
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_replaced_with_force_alone(tmp_path: Path, upstream: str) -> None:
    """And then once there is something to write."""
    file = tmp_path / "odd name.yaml"
    file.write_text("mine", encoding="utf-8")
    with recorder(tmp_path, "octopusx", "--upstream", upstream, "--output", str(file), "--force") as running:
        assert file.read_text(encoding="utf-8") == "mine"
        story(running)
        assert running.end().status == 0
    assert load(file).scenario.name == "recorded-octopusx"  # a file's name can't always be a scenario's


def test_a_folder_that_goes_meanwhile_loses_nothing(tmp_path: Path, upstream: str) -> None:
    """The tasks were paid for: the scenario is printed, so that it can still be kept."""
    folder = tmp_path / "gone"
    folder.mkdir()
    with recorder(tmp_path, "octopusx", "--upstream", upstream, "--output", "gone/story.yaml") as run:
        story(run)
        shutil.rmtree(folder)
        done = run.end()
    assert done.status == 2
    assert "printed to stdout instead" in done.err
    assert "Traceback" not in done.err
    assert load_text(done.out, "story").scenario.name == "story"
    assert "Recorded from 1 task" in done.out


def refused(capsys: pytest.CaptureFixture[str], arguments: Sequence[str]) -> str:
    """What it says where it doesn't begin."""
    with pytest.raises(SystemExit) as ended:
        main(["record", *arguments])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_every_mistake_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything listens. A URL isn't printed back: people paste keys with it."""
    file = tmp_path / "f.yaml"
    file.write_text("mine", encoding="utf-8")
    arguments = ["--upstream", "https://me:sk-S3cret@example.com", "--output", str(file), "--port", "x"]
    said = refused(capsys, ["nobody", *arguments, "--name", "-", "--timeout", "5"])
    for part in (
        "provider: expected",
        "--upstream: expected",
        "exists already",
        "--port: expected",
        "--name",
        "--timeout",
    ):
        assert part in said, said
    assert "S3cret" not in said
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (".", "expected a file, got the folder"),
        ("no/such/f.yaml", "there is no folder"),
        # A name longer than any file's: nobody can write it, root neither.
        (f"{'x' * 300}.yaml", "no file can be written in"),
    ],
)
def test_a_file_that_cant_be_written_is_told_at_once(
    output: str,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything is paid for."""
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, ["octopusx", "--upstream", "http://127.0.0.1:1", "--output", output])


def test_the_real_provider_is_asked_only_where_somebody_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no default for --upstream; its URL is told."""
    monkeypatch.chdir(tmp_path)
    said = refused(capsys, ["ezmodel"])
    assert "--upstream: expected the provider's base URL, such as https://www.ezmodel.cloud, got none" in said


def test_it_doesnt_record_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor an address that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = str(sock.getsockname()[1])
        arguments = ["octopusx", "--output", str(tmp_path / "f.yaml"), "--port", port]
        said = refused(capsys, [*arguments, "--upstream", "http://127.0.0.1:1"])
        assert f"cannot listen on 127.0.0.1 port {port}" in said
    assert "is the recorder itself" in refused(capsys, [*arguments, "--upstream", f"http://localhost:{port}"])


def test_it_is_among_the_commands() -> None:
    """The last of them."""
    assert COMMANDS[-1] == "record"
