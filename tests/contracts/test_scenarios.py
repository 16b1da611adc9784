"""Whatever a scenario makes the emulator answer keeps the contract, unless that is what the scenario is for."""

from collections.abc import Iterable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.contracts.findings import Finding
from emulator.core.effects import Fault
from emulator.core.rules import Rule
from emulator.core.scenario import ClockSettings
from emulator.core.units import SECOND
from emulator.core.words import OperationName, Profile
from emulator.library import Library
from emulator.strategies import GeneratedScenario, scenarios
from tests.contracts.wires import ACEDATA, CURRENT, DOCUMENTED, DOWNLOAD, POLL, PROVIDERS, Wire, told
from tests.worlds import Answer

LIBRARY: Final = Library()
LOOKS: Final = (*range(13), 15, 18, 20, 21, 40, 100, 400, 90_000)
"""In seconds: beyond the end of any shipped scenario's story, and of every link."""

# Which members tell of a status, and the words that sources have for them
STATE: Final = "response.data[].state"
WORDS: Final[dict[tuple[str, Profile], set[str]]] = {
    ("octopusx", DOCUMENTED): {"queued", "processing", "completed", "failed", "cancelled"},
    ("octopusx", CURRENT): {"queued", "in_progress", "completed", "failed"},
    ("ezmodel", DOCUMENTED): {"pending", "processing", "completed", "failed"},
    ("ezmodel", CURRENT): {"queued", "in_progress", "completed", "failed", "cancelled"},
    **{(name, profile): {"pending", "processing", "running"} for name in ACEDATA for profile in Profile},
}
FINDINGS: Final[dict[str, dict[str, set[tuple[str, str]]]]] = {
    "unknown-status": {
        "octopusx": {("new word", "status")},
        "ezmodel": {("new word", "status")},
        **{name: {("new word", STATE), ("new word", f"items[].{STATE}")} for name in ACEDATA},
    },
    # Clients have met a bare text as an error; no document shows one.
    "error-as-string": {
        **{name: {("type changed", "error")} for name in ("octopusx", "ezmodel")},
        **{
            name: {("type changed", "response.error"), ("type changed", "items[].response.error")}
            for name in ACEDATA
        },
    },
    # What the storage behind the links answers for a result that isn't there yet, no source shows.
    "completed-but-not-ready": {name: {("status code", "")} for name in PROVIDERS},
    # Every source's example of a completed task has a link. OctopusX's document says that there may be none.
    "done-without-url": {
        "octopusx": set(),
        "ezmodel": {("field removed", "url")},
        **{
            name: {
                ("format changed", "response.data[].video_url"),
                ("format changed", "items[].response.data[].video_url"),
            }
            for name in ACEDATA
        },
    },
}
"""What scenarios are found to break that are there to break it."""

both = pytest.mark.parametrize("profile", Profile)
each = pytest.mark.parametrize("provider", PROVIDERS)


def found_by(wire: Wire, answers: Iterable[tuple[OperationName, Answer]]) -> list[Finding]:
    """Each finding once that the answers give."""
    seen: dict[tuple[str, str], Finding] = {}
    for operation, answer in answers:
        for finding in wire.judged(operation, answer).findings:
            seen.setdefault((finding.id, finding.outcome), finding)
    return list(seen.values())


def shipped_at(provider: str) -> list[str]:
    """The scenarios that are about a provider, short of those that break answers on the wire."""
    each = [scenario for name in LIBRARY.names() if (scenario := LIBRARY.get(name)) is not None]
    whole = [one for one in each if not any(is_broken(rule) for rule in one.rules)]
    return [one.name for one in whole if not one.providers or provider in one.providers]


def is_broken(rule: Rule) -> bool:
    """Whether a rule breaks answers, or makes them last: no contract is about that."""
    return isinstance(rule.effect, Fault) or rule.slow_body is not None


@both
@pytest.mark.parametrize(("provider", "scenario"), [(p, name) for p in PROVIDERS for name in shipped_at(p)])
def test_a_shipped_scenario_keeps_the_contract(provider: str, profile: Profile, scenario: str) -> None:
    """From the create to polls long past the end, links and batches; a few are there to break it."""
    wire = Wire(scenario, provider, profile)
    findings = found_by(wire, wire.walk(LOOKS))
    expected = FINDINGS.get(scenario, {}).get(provider, set())
    assert {(one.kind, one.member) for one in findings} == expected, told(findings)


@both
@pytest.mark.parametrize("scenario", ["documents", "documents-failed"])
def test_the_documents_tasks_keep_the_contract(scenario: str, profile: Profile) -> None:
    """At every stage, under their own ids and with their own values: Veo's dates are the document's in current too."""
    shipped = LIBRARY.get(scenario)
    assert shipped is not None
    for item in [item for item in shipped.items if item.id is not None]:
        (provider,) = item.providers or shipped.providers
        start = ClockSettings(mode="manual", start=item.created)
        wire = Wire(scenario, provider, profile, clock=start)
        for seconds in (0, 10, 30, 60, 100):
            wire.world.advance(seconds * SECOND)
            findings = wire.judged(POLL, wire.poll(str(item.id))).findings
            dated = {(f"response.data[].{name}", "format changed") for name in ("created_at", "complete_at")}
            allowed = dated if (provider, profile) == ("acedata-veo", CURRENT) else set()
            assert {(one.member, one.kind) for one in findings} in (set(), allowed), told(findings)


def bare_errors(scenario: Any) -> bool:
    """Whether a task fails with a bare text as its error: clients have met that, no document shows it."""
    errors = [entry.get("error") for item in scenario.get("tasks", ()) for entry in item["timeline"]]
    return any(isinstance(error, dict) and error.get("shape") == "string" for error in errors)


def judged_walk(
    scenario: GeneratedScenario, provider: str, profile: Profile
) -> tuple[list[Finding], list[str]]:
    """What is found in a scenario, less bare errors, and the words of statuses that its answers print."""
    wire = Wire(scenario.yaml, provider, profile)
    answers = [
        (operation, answer)
        for operation, answer in wire.walk((0, 1, 5, 5, 5, 20, 60, 300, 700, 4000))
        # What storage answers in trouble no source shows.
        if operation is not DOWNLOAD or answer.status_code in (200, 206, 403)
    ]
    findings = found_by(wire, answers)
    if bare_errors(scenario):
        findings = [
            one
            for one in findings
            if (one.kind, one.member.removeprefix("items[].").removeprefix("response."))
            != ("type changed", "error")
        ]
    return findings, [word for _, answer in answers for word in words_in(answer)]


def words_in(answer: Answer) -> list[str]:
    """The words for statuses that an answer prints."""
    if answer.status_code != 200 or not answer.headers["content-type"].startswith("application/json"):
        return []
    body = answer.json()
    records = body.get("items", [body])
    # `succeeded` is the end's own.
    states = [
        item["state"]
        for one in records
        for item in one.get("response", {}).get("data", ())
        if item["state"] != "succeeded"
    ]
    return [*states, *([body["status"]] if "status" in body else [])]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@each
@given(data=st.data())
def test_a_generated_scenario_keeps_the_contract(provider: str, data: st.DataObject) -> None:
    """Whatever becomes of its tasks, as long as they print their provider's words and have results."""
    profile = data.draw(st.sampled_from(Profile))
    scenario = data.draw(scenarios(provider, unknown_words=False, missing_results=False, stuck=True, tasks=2))
    findings, _ = judged_walk(scenario, provider, profile)
    assert told(findings) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@each
@given(data=st.data())
def test_unknown_words_are_all_that_is_found(provider: str, data: st.DataObject) -> None:
    """A new word where a word is new, and nothing else."""
    profile = data.draw(st.sampled_from(Profile))
    scenario = data.draw(scenarios(provider, unknown_words=True, missing_results=False, stuck=True))
    findings, words = judged_walk(scenario, provider, profile)
    wrong = [
        one
        for one in findings
        if (one.kind, one.member.removeprefix("items[]."))
        not in {("new word", "status"), ("new word", STATE)}
    ]
    assert told(wrong) == []
    known = WORDS[provider, profile]
    assert bool(findings) == bool(set(words) - known)
    assert {one.got for one in findings} <= {repr(word) for word in set(words) - known}
