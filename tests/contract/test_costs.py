"""Nothing that could cost money is sent unless it was allowed, and never once more than was allowed."""

import asyncio
from pathlib import Path

import pytest

from emulator.contract import keeping
from emulator.contract.dialect import CHEAPEST, Dialect
from emulator.contract.evidence import Evidence
from emulator.core.units import SECOND
from tests.contract.runs import checked, report_on
from tests.contract.standin import PROFILES, PROVIDERS, TROUBLES, StandIn

KEY = "sk-good-standin"
_HANGS = {"slow"}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_without_leave_nothing_is_sent_that_could_cost(provider: str, profile: str) -> None:
    """Not even a broken request to where tasks are made."""
    with StandIn(provider, profile=profile) as standin:
        report = report_on(provider, standin.url, KEY, tasks=list(standin.tasks.values()))
    assert len(standin.requests) > 10
    assert list(standin.costly) == []
    assert report.creates == 0
    create = next(check for check in report.checks if check.name == "create")
    assert (create.state, create.why) == ("not run", "nothing is created without --create")


@pytest.mark.parametrize("trouble", [name for name in TROUBLES if name not in _HANGS])
def test_neither_is_it_in_trouble(trouble: str) -> None:
    """Whatever the provider answers."""
    with StandIn("ezmodel", trouble=(trouble,)) as standin:
        report_on("ezmodel", standin.url, KEY, tasks=list(standin.tasks.values()), longest=2 * SECOND)
    assert list(standin.costly) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_create_whose_answer_is_lost_is_the_only_one(provider: str) -> None:
    """It is told, and nothing takes its place."""
    with StandIn(provider, trouble=("lost-create",)) as standin:
        report = report_on(provider, standin.url, KEY, creates=1)
    assert standin.creates == 1
    assert report.creates == 1
    assert any("may be there and cost money" in problem for problem in report.problems)


def test_a_create_that_is_put_off_is_the_only_one() -> None:
    """A 429 makes no task, and yet no other create follows: what was allowed is what is sent."""
    with StandIn("octopusx", trouble=("rate-limits",)) as standin:
        report = report_on("octopusx", standin.url, KEY, creates=1, longest=60 * SECOND)
    assert standin.creates == 1
    assert any("a create was refused (429)" in problem for problem in report.problems)


@pytest.mark.parametrize("trouble", ["lost-create", "rate-limits"])
def test_after_one_that_went_wrong_no_other_is_made(trouble: str) -> None:
    """Though more were allowed: whatever went wrong may have cost money."""
    with StandIn("octopusx", trouble=(trouble,)) as standin:
        report_on("octopusx", standin.url, KEY, creates=3, longest=60 * SECOND)
    assert standin.creates == 1


def test_as_many_are_made_as_are_allowed() -> None:
    """Each is the cheapest, and each is watched to its end."""
    with StandIn("acedata-veo") as standin:
        report = report_on("acedata-veo", standin.url, KEY, creates=3)
    assert standin.creates == 3
    assert len(report.timings) == 3
    assert all(b'"veo3-fast"' in seen.body for seen in standin.costly)


def test_a_create_is_written_down_before_it_is_sent(tmp_path: Path) -> None:
    """So that a machine that dies at that moment leaves a file that knows of it."""
    path = tmp_path / "state.json"
    sent_when_kept: list[int] = []
    with StandIn("octopusx") as standin:
        evidence = Evidence(provider="octopusx", base_url=standin.url, begun_at=0)

        def keep() -> None:
            keeping.keep(path, evidence)
            if len(evidence.creates) == 1:
                sent_when_kept.append(standin.creates)

        asyncio.run(checked("octopusx", standin.url, KEY, creates=1, evidence=evidence, keep=keep))
    assert sent_when_kept[0] == 0
    assert sent_when_kept[-1] == 1
    assert keeping.kept(path, "octopusx", standin.url).creates[0].id is not None


@pytest.mark.parametrize("answered", [True, False], ids=["answered", "unanswered"])
def test_who_goes_on_makes_no_further_task(tmp_path: Path, answered: bool) -> None:
    """Neither where the create was answered before the interruption, nor where it wasn't."""
    path = tmp_path / "state.json"
    with StandIn("octopusx", trouble=() if answered else ("lost-create",)) as standin:
        keeping.keep(path, asyncio.run(checked("octopusx", standin.url, KEY, creates=1)))
        evidence = keeping.kept(path, "octopusx", standin.url)
        evidence.observations = []

        asyncio.run(checked("octopusx", standin.url, KEY, creates=1, evidence=evidence))
        assert standin.creates == 1
    looked_at = {observation.check for observation in evidence.observations}
    assert ("status" in looked_at) is answered


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_cheapest_is_what_the_contract_takes(provider: str) -> None:
    """Every member of it is one that the provider's pages name, and AceData's don't hold the connection."""
    fields = CHEAPEST[provider]
    request = Dialect(provider, "http://127.0.0.1", KEY).contract.operations["create"].request
    assert request is not None
    assert set(fields) <= set(request["properties"])
    assert fields.get("async", True) is True
