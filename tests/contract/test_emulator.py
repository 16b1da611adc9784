"""The emulator answers as the contracts say: every check of every provider passes, in both profiles."""

import asyncio
from pathlib import Path

import pytest

from emulator.contract import comparison
from emulator.contract.checks import is_optional, names_of
from emulator.contract.report import report_of
from emulator.contracts.contract import contract_of
from emulator.core.words import Profile
from emulator.providers import by_name
from tests.contract.runs import report_on
from tests.serving import process

SHIPPED = Path(__file__).parents[2] / "scenarios" / "contract.yaml"


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", by_name)
def test_all_checks_pass_against_an_emulator_of_this_process(provider: str, profile: Profile) -> None:
    """None fails, none drifts, none is left out; and the profile is told from the answers alone."""
    report = report_of(asyncio.run(comparison.emulated(provider, profile, 0)))
    assert report.profile is profile
    assert [(drift.id, drift.finding.sentence) for drift in report.drifts] == []
    assert report.problems == ()
    passed = {check.name for check in report.checks if check.state == "passed"}
    wanted = {name for name in names_of(contract_of(provider), profile) if not is_optional(name)}
    assert wanted <= passed
    assert len(passed) == len(report.checks)
    assert report.creates == 1


def test_a_cancelled_task_is_among_those_looked_at() -> None:
    """Where the provider's document has a word for it."""
    report = report_of(asyncio.run(comparison.emulated("octopusx", Profile.DOCUMENTED, 0)))
    assert "status-cancelled" in {check.name for check in report.checks}


@pytest.mark.parametrize(("provider", "profile"), [("octopusx", "current"), ("acedata-sora", "documented")])
def test_all_checks_pass_against_the_served_scenario(provider: str, profile: str, tmp_path: Path) -> None:
    """Over a real socket and in real time, with a link that dies meanwhile."""
    file = tmp_path / "contract.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    file.write_text(text.replace("expires_in: 20s", "expires_in: 3s"), encoding="utf-8")
    with process("--scenario", str(file), "--profile", profile) as served:
        url = f"{served.url}{by_name[provider].base}"
        report = report_on(
            provider, url, "sk-good-1", tasks=comparison.tasks_of(provider), creates=1, longest=30_000_000
        )
    assert report.profile == profile
    assert [drift.id for drift in report.drifts] == []
    assert [check.name for check in report.checks if check.state != "passed"] == []
    assert report.problems == ()


def test_an_emulator_that_takes_every_key_is_told_from_a_provider_that_does() -> None:
    """By its own word: nothing is asked of a provider that it doesn't have."""
    with process() as served:
        report = report_on("octopusx", f"{served.url}/octopusx", "sk-any")
    wrong = next(check for check in report.checks if check.name == "auth-wrong")
    assert (wrong.state, wrong.why) == (
        "not run",
        "this emulator takes every key: serve it with --scenario contract",
    )
    assert report.drifts == ()
