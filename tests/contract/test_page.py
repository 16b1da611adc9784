"""docs/contract-tests.md tells what the command does: its checks, its kinds of drift, its example."""

import asyncio
import re
from pathlib import Path
from typing import Final, get_args

from emulator.contract import comparison
from emulator.contract.checks import STATUS, names_of
from emulator.contract.report import report_of
from emulator.contract.written import as_text
from emulator.contracts.contract import contract_of
from emulator.contracts.findings import Kind
from emulator.core.units import parse_duration
from emulator.core.words import Profile
from emulator.library import Library
from emulator.providers import by_name

PAGE: Final = (Path(__file__).parents[2] / "docs" / "contract-tests.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """The text under a heading."""
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    return str(found)


def test_every_check_has_its_row() -> None:
    """And every row its check."""
    cells = re.findall(r"^\| (`.+?) \|", section("The checks"), re.M)
    listed = {name for cell in cells for name in re.findall(r"`([a-z.-]+)`", cell)}
    there = {name for p in by_name for profile in Profile for name in names_of(contract_of(p), profile)}
    assert listed == {
        f"{STATUS}..." if name.startswith(f"{STATUS}") and name != "status-order" else name for name in there
    }


def test_every_kind_of_drift_has_its_row() -> None:
    """By its own words."""
    cells = re.findall(r"^\| ([a-z, ]+) \| [A-Za-z]", section("Drift"), re.M)
    assert {kind.strip() for cell in cells for kind in cell.split(",")} == set(get_args(Kind))


def test_the_example_is_what_the_command_prints() -> None:
    """Word for word, but for the address."""
    evidence = asyncio.run(comparison.emulated("octopusx", Profile.DOCUMENTED, 0))
    evidence.base_url = "http://127.0.0.1:8080/octopusx"
    (shown,) = re.findall(r"^```text\n(video-emulator contract: .*?)^\.\.\.$", PAGE, re.M | re.S)
    assert as_text(report_of(evidence)).startswith(shown)


def test_the_example_waits_as_long_as_it_says() -> None:
    """Some twenty seconds, for the link of the shipped scenario to die."""
    assert "It waits some twenty seconds" in PAGE
    scenario = Library().get(comparison.SCENARIO)
    assert scenario is not None
    video = scenario.items[-1].choices[0].entries[-1].video
    assert video is not None
    assert video.expires_in == parse_duration("20s")


def test_the_example_names_the_scenario_s_tasks() -> None:
    """All of OctopusX's on the command line, the others beneath."""
    assert re.findall(r"--task (video_[a-z]+)", PAGE) == list(comparison.tasks_of("octopusx"))
    assert re.findall(r"`(vid_[a-z]+)`", PAGE) == list(comparison.tasks_of("ezmodel"))
    assert comparison.tasks_of("acedata-sora")[0] in PAGE
    assert len(comparison.tasks_of("acedata-veo")) == 5
