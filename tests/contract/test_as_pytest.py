"""``pytest --pyargs emulator.contract``: the same tests for an emulator of this process and for a provider."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests import serving
from tests.contract.standin import StandIn

ROOT: Final = Path(__file__).parents[2]
KEY: Final = "sk-good-standin"
PLUGINS: Final = ("-p", "emulator.pytest_plugin", "-p", "xdist", "-p", "no:cacheprovider")
"""Ours and what one test needs: all others that are installed here take seconds to load."""


class Ran(msgspec.Struct, frozen=True):
    """A run of pytest."""

    status: int
    out: str

    def count(self, outcome: str) -> int:
        """How many tests ended so."""
        found = re.search(rf"(\d+) {outcome}", self.out.splitlines()[-1])
        return int(found[1]) if found else 0


def ran(folder: Path, *arguments: str, key: str = KEY) -> Ran:
    """A run in a process of its own, in an empty folder, as somebody has it who installed the package."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("VIDEO_EMULATOR_")}
    done = subprocess.run(  # noqa: S603 - our own command
        [
            sys.executable,
            "-m",
            "pytest",
            "--pyargs",
            "emulator.contract",
            "-rs",
            *PLUGINS,
            *arguments,
        ],
        cwd=folder,
        env={**own, "PYTHONPATH": str(ROOT), "OCTOPUSX_API_KEY": key, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=serving.PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stderr + done.stdout)


def provider(standin: StandIn, *more: str) -> list[str]:
    """Options that name the stand-in."""
    return [
        "--video-emulator-provider", "octopusx", "--video-emulator-base-url", standin.url,
        "--video-emulator-interval", "10ms", "--video-emulator-max-minutes", "0.2", *more,
    ]  # fmt: skip


def test_an_emulator_of_this_process_passes(tmp_path: Path) -> None:
    """All four providers in both profiles, with nothing to be set up; only what nobody can ask for is skipped."""
    done = ran(tmp_path)
    assert done.status == 0, done.out
    assert done.count("passed") > 150
    assert set(re.findall(r"SKIPPED .*: (.+)", done.out)) == {
        "no check in profile documented",
        "no check in profile current",
    }


def test_the_same_tests_hold_a_provider_to_it(tmp_path: Path) -> None:
    """What couldn't be run is skipped, with its reason: never passed."""
    with StandIn("octopusx") as standin:
        tasks = [part for id in standin.tasks.values() for part in ("--video-emulator-task", id)]
        done = ran(tmp_path, *provider(standin, "--video-emulator-create", "1", *tasks))
        assert standin.creates == 1
    assert done.status == 0, done.out
    assert done.count("passed") == 22
    assert "not run: the link lives until" in done.out


def test_nothing_is_made_without_leave(tmp_path: Path) -> None:
    """And the checks of tasks are skipped."""
    with StandIn("octopusx") as standin:
        done = ran(tmp_path, *provider(standin))
        assert list(standin.costly) == []
    assert done.status == 0
    assert "not run: nothing is created without --create" in done.out


def test_a_drift_fails_its_checks(tmp_path: Path) -> None:
    """With what was expected and what came, and without a traceback or the key."""
    with StandIn("octopusx", drift=("new-word",)) as standin:
        done = ran(tmp_path, *provider(standin, "--video-emulator-task", standin.tasks["processing"]))
    assert done.status == 1
    assert done.count("failed") == 1
    told = (
        "status: expected one of 'queued', 'processing', 'completed', 'failed', 'cancelled', got 'rendering'"
    )
    assert told in " ".join(done.out.split())
    assert "Traceback" not in done.out
    assert KEY not in done.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--video-emulator-provider", "sora"], "--video-emulator-provider: expected one of acedata-sora"),
        (["--video-emulator-base-url", "http://x"], "whose it is, --video-emulator-provider says"),
        (["--video-emulator-create", "1"], "go with --video-emulator-base-url"),
        (
            ["--video-emulator-provider", "ezmodel", "--video-emulator-base-url", "http://x"],
            "$EZMODEL_API_KEY: expected the API key, got nothing",
        ),
        (
            [
                "--video-emulator-provider=octopusx",
                "--video-emulator-base-url=x",
                "--video-emulator-create=x",
            ],
            "--video-emulator-create: expected how many paid tasks may be made, from 0 to 20, got 'x'",
        ),
    ],
)
def test_options_that_can_t_be_understood_are_told_of(tmp_path: Path, options: list[str], told: str) -> None:
    """Before a test runs."""
    done = ran(tmp_path, *options)
    assert done.status != 0
    assert told in done.out
    assert "Traceback" not in done.out


@pytest.mark.parametrize("key", ["sk-of-nobody", KEY])
def test_a_run_that_saw_nothing_isn_t_green(tmp_path: Path, key: str) -> None:
    """A refused key and an unknown task fail the test of the run; the checks are skipped."""
    with StandIn("octopusx") as standin:
        done = ran(tmp_path, *provider(standin, "--video-emulator-task", "video_of_nobody"), key=key)
    assert done.status == 1
    assert done.count("failed") == 1
    assert ("was refused" if key != KEY else "isn't known with this key") in done.out


def test_several_workers_make_no_tasks(tmp_path: Path) -> None:
    """Each would: so none does, and says why."""
    with StandIn("octopusx") as standin:
        done = ran(tmp_path, *provider(standin, "--video-emulator-create", "1", "-n", "2"))
        assert standin.creates == 0
    assert done.status != 0
    assert "each of several workers would make tasks; leave -n out" in done.out
