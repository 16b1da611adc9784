"""``video-emulator coverage``: what it prints where, and with which status it ends, of emulators on real sockets."""

import io
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulator.app import App
from emulator.cli import main
from emulator.cli.whereabouts import is_own, url_of
from emulator.engine import Settings
from emulator.library import Library
from emulator.messages.coverage import Coverage
from emulator.options import Options
from tests import serving
from tests.serving import Served

PAGE = (Path(__file__).parent.parent / "docs" / "command-line.md").read_text(encoding="utf-8")
TOKEN = "a-long-secret"
CREATE = "/octopusx/v1/videos"


class Done(msgspec.Struct, frozen=True):
    """A command that has ended."""

    status: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def coverage(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in this process, with no variable of ours but those of ``env``."""
    for name in list(os.environ):
        if name.startswith("VIDEO_EMULATOR_"):
            monkeypatch.delenv(name)

    def command(*arguments: str, **env: str) -> Done:
        for name, value in env.items():
            monkeypatch.setenv(f"VIDEO_EMULATOR_{name}", value)
        with pytest.raises(SystemExit) as ended:
            main(["coverage", *arguments])
        printed = capsys.readouterr()
        return Done(int(str(ended.value.code)), printed.out, printed.err)

    return command


def app(scenario: str = "rate-limited", **options: Any) -> App:
    """An emulator under a scenario."""
    return App(Library(), Options(settings=Settings(scenario=scenario), **options))


@pytest.fixture
def served() -> Iterator[Served]:
    """An emulator that a client has polled once, in its default namespace."""
    with serving.thread(app()) as one:
        task = one.post(CREATE, {"prompt": "a cat"}).json()["id"]
        one.get(f"{CREATE}/{task}")
        yield one


# What it prints


def test_the_page_shows_what_it_prints(coverage: Command, served: Served) -> None:
    """When its output is no terminal: what is missing first."""
    done = coverage("--url", served.url)
    (section,) = re.findall(r"^## coverage\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    (example,) = re.findall(r"```text\n(.*?)```", section, re.S)
    assert done == Done(0, example, "")


def test_json_is_what_the_control_api_sends(coverage: Command, served: Served) -> None:
    """Laid out, and alone on stdout."""
    done = coverage("--url", served.url, "--format", "json")
    assert done.status == 0
    assert json.loads(done.out) == served.get("/__admin/coverage").json()
    assert msgspec.json.decode(done.out, type=Coverage).overall.percent == 25


class Terminal(io.StringIO):
    """A terminal to write to."""

    def isatty(self) -> bool:
        """It is one."""
        return True


ABOUT = """\
version: 1
name: told
tasks:
  - about: The only one.
    timeline: [{status: queued, for: 1m}, {status: failed}]
"""


@pytest.mark.parametrize("text", [ABOUT, ABOUT.replace("about: The only one.", "values: {}")])
def test_a_terminal_gets_tables(coverage: Command, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """With what is missing first; a column in which nothing stands is left out."""
    library = Library()
    library.add_text(text, "told", "told.yaml")
    has_about = "about" in text
    with serving.thread(App(library, Options(settings=Settings(scenario="told")))) as one:
        one.post(CREATE, {"prompt": "a cat"})
        monkeypatch.setattr("sys.stdout", terminal := Terminal())
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("TERM", "xterm")
        coverage("--url", one.url)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue())
    rows = [line.rstrip() for line in plain.splitlines()]
    assert rows[0].endswith(": 50%, 2 of 4")
    assert rows[1].split() == ["met", "kind", "place", "what", *["about"] * has_about]
    assert [row.split()[:2] for row in rows[2:6]] == [
        ["no", "status"],
        ["no", "entry"],
        ["yes", "status"],
        ["yes", "entry"],
    ]
    assert rows[3].endswith("failed after queued" + "  The only one." * has_about)
    assert "coverage: 50%, 2 of 4" in rows


# What it asks


def test_it_asks_the_emulator_on_this_machine(coverage: Command, served: Served) -> None:
    """On the host and port of the variables that serve reads."""
    everywhere = "0.0.0.0"  # noqa: S104 - asked, not listened on
    done = coverage("--format", "json", HOST=everywhere, PORT=str(served.port))
    assert (done.status, json.loads(done.out)["overall"]["touched"]) == (0, 2)


@pytest.mark.parametrize(
    ("url", "host", "tls_cert", "expected"),
    [
        (None, None, None, "http://127.0.0.1:80"),
        (None, "0.0.0.0", "cert.pem", "https://127.0.0.1:80"),  # noqa: S104 - asked, not listened on
        (None, "::", None, "http://[::1]:80"),
        (None, "::1", None, "http://[::1]:80"),
        (None, "emulator", None, "http://emulator:80"),
        ("https://a.example", "emulator", None, "https://a.example"),
    ],
)
def test_an_address_that_stands_for_all_is_asked_at_loopback(
    url: str | None, host: str | None, tls_cert: str | None, expected: str
) -> None:
    """Not every system lets anyone connect to it. A URL comes before all else."""
    assert url_of(url, "127.0.0.1" if host is None else host, 80, tls_cert) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, True),
        ("https://localhost:8443", True),
        ("https://127.0.0.2", True),
        ("https://[::1]:8443", True),
        ("https://10.0.0.1", False),
        ("https://emulator.example", False),
    ],
)
def test_certificates_are_judged_of_other_machines_alone(url: str | None, expected: bool) -> None:
    """Nobody sits between this machine and itself."""
    assert is_own(url) is expected


def test_it_asks_for_one_namespace(coverage: Command, served: Served) -> None:
    """By a name that there is."""
    served.post(f"/ns/a{CREATE}", {"prompt": "a cat"})
    done = coverage("--url", served.url, "--namespace", "a", "--format", "json")
    assert json.loads(done.out)["namespace"] == "a"
    done = coverage("--url", served.url, "--namespace", "nobody")
    assert (done.status, done.out) == (2, "")
    assert "none is called 'nobody'" in done.err


def test_it_asks_for_untouched_scenarios(coverage: Command) -> None:
    """Which are none otherwise."""
    with serving.thread(app()) as one:
        assert json.loads(coverage("--url", one.url, "--format", "json").out)["scenarios"] == []
        done = coverage("--url", one.url, "--format", "json", "--scenarios", "all")
        assert [found["name"] for found in json.loads(done.out)["scenarios"]] == ["rate-limited"]


def test_it_brings_the_token(coverage: Command) -> None:
    """By option or variable; without it the emulator refuses."""
    with serving.thread(app(admin_token=TOKEN)) as one:
        assert coverage("--url", one.url, "--admin-token", TOKEN).status == 0
        refused = coverage("--url", one.url)
        assert refused.status == 2
        assert "--admin-token" in refused.err
        assert coverage("--url", one.url, ADMIN_TOKEN=TOKEN).status == 0


# The threshold


@pytest.mark.parametrize(("least", "status"), [("0", 0), ("25", 0), ("26", 1), ("100", 1)])
def test_it_fails_under_the_threshold(coverage: Command, served: Served, least: str, status: int) -> None:
    """Not at it."""
    assert coverage("--url", served.url, "--fail-under", least).status == status


def test_it_says_how_much_is_missing_and_what_first(coverage: Command, served: Served) -> None:
    """In one sentence on stderr; stdout has the rest all the same."""
    done = coverage("--url", served.url, "--fail-under", "90")
    assert done.out.startswith("rate-limited@")
    assert done.err == (
        "Error: --fail-under asks for 90%, and clients have met 25%: 6 of 8 parts are missing, the first of them "
        "status processing (rate-limited@9cd649f23a67, line 7: tasks[0].timeline[1])\n"
    )


@pytest.mark.parametrize("least", ["0", "90"])
def test_a_run_that_met_nothing_fails(coverage: Command, least: str) -> None:
    """Whatever the threshold: the tests spoke to another emulator, or to none."""
    with serving.thread(app()) as one:
        done = coverage("--url", one.url, "--fail-under", least, "--scenarios", "all")
        assert done.status == 1
        assert done.err == (
            f"Error: --fail-under asks for {least}%, and clients have met nothing of any scenario\n"
        )
        assert coverage("--url", one.url).status == 0


# What can't be


def test_nothing_there_is_a_status_of_its_own(coverage: Command) -> None:
    """CI tells a run that tested too little from one that had no emulator."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = coverage("--port", str(port), "--fail-under", "90")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"Error: no video-emulator can be reached at http://127.0.0.1:{port}: ")


@pytest.mark.parametrize("wrong", ["101", "-1", "ninety", "90.5", "90%", "²", ""])
def test_a_threshold_is_a_whole_number_of_per_cent(coverage: Command, wrong: str) -> None:
    """Every mistake of the command line is told at once."""
    done = coverage("--fail-under", wrong, "--format", "xml", "--scenarios", "none")
    assert done.status == 2
    assert done.err.splitlines() == [
        f"Error: --fail-under: expected a whole number from 0 to 100, got {wrong!r}",
        "Error: --format: expected text or json, got 'xml'",
        "Error: --scenarios: expected touched or all, got 'none'",
    ]
