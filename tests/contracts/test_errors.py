"""Every error that the emulator words is the one that the contract has under its name."""

from typing import Final

import orjson
import pytest

from emulator import bodies
from emulator.contracts.contract import contract_of
from emulator.core.call import Refusal
from emulator.core.units import DAY, MINUTE
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers import by_name
from emulator.providers.base import Scene
from tests.contracts.wires import ACEDATA, CONTENT, CREATE, CURRENT, DOCUMENTED, POLL, PROVIDERS, Wire, told
from tests.worlds import START, Answer

EACH: Final = [
    pytest.param(provider, profile, operation, id=f"{provider} {profile} {operation}")
    for provider in PROVIDERS
    for operation, row in contract_of(provider).operations.items()
    for profile in row.profiles
]
A_QUERY_FOR_NOBODY: Final = {DOCUMENTED: "bad_request", CURRENT: "no_route"}
"""What AceData's `not_found` of a scenario's rule is on a poll. By itself an unknown task is an empty object, which the
contract has under that name: a refusal for it is the nearest one that there is."""

each = pytest.mark.parametrize(("provider", "profile", "operation"), EACH)


def outcome_of(provider: str, profile: Profile, operation: str, name: str) -> str:
    """The outcome that a named error is."""
    if provider in ACEDATA and operation == POLL and name == ErrorName.NOT_FOUND:
        return A_QUERY_FOR_NOBODY[profile]
    return name


def rules_of(operation: OperationName) -> str:
    """A scenario in which what is asked for by the name of an error gets it."""
    where = {CREATE: "prompt", OperationName.LIST: "header.x-asked"}.get(operation, "id")
    lines = [f"  - {{operation: {operation}, match: {{{where}: {n}}}, error: {n}}}" for n in ErrorName]
    return "\n".join(["version: 1", "rules:", *lines]) + "\n"


@each
def test_a_named_error_keeps_the_contract(provider: str, profile: Profile, operation: str) -> None:
    """As the application answers it, headers included."""
    wire = Wire(rules_of(contract_of(provider).operations[operation].name), provider, profile)
    for name in ErrorName:
        answer = wire.ask(operation, name)
        expected = outcome_of(provider, profile, operation, name)
        judgement = wire.judged(operation, answer, [expected])
        assert (name, judgement.answer.name, told(judgement.findings)) == (name, expected, [])
        # Nothing else comes nearer.
        assert told(wire.judged(operation, answer).findings) == []


@each
def test_a_situation_keeps_the_contract(provider: str, profile: Profile, operation: str) -> None:
    """As the provider words it, wherever it might come up."""
    wire = Wire("happy-path", provider, profile)
    for situation in Situation:
        answer = worded(provider, profile, operation, Refusal(situation))
        judgement = wire.judged(operation, answer, [situation])
        assert (judgement.answer.name, told(judgement.findings)) == (situation, [])


def worded(provider: str, profile: Profile, operation: str, refusal: Refusal) -> Answer:
    """A refusal in a provider's words."""
    table, name = by_name[provider], contract_of(provider).operations[operation].name
    scene = Scene(profile, "GET", "/v1/videos/a", START, bytes(range(32)), Status.PROCESSING, name)
    wire = table.refuse(refusal, scene)
    headers = {name.decode(): value.decode() for name, value in table.headers(scene)}
    return Answer(wire.status_code, {"content-type": wire.content_type, **headers}, orjson.dumps(wire.body))


# Situations as they come up by themselves


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_strange_path_keeps_the_contract(provider: str, profile: Profile) -> None:
    """It is `no_route`."""
    wire = Wire("happy-path", provider, profile)
    base = by_name[provider].base
    judgement = wire.judged(POLL, wire.world.get(f"{base}/v9/nothing"), ["no_route"])
    assert told(judgement.findings) == []


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_bodies_that_cant_be_read_keep_the_contract(provider: str, profile: Profile) -> None:
    """One is no JSON, the other too large."""
    wire = Wire("happy-path", provider, profile)
    path = f"{by_name[provider].base}{wire.contract.operations[CREATE].path}"
    large = b"prompt=" + b"a" * bodies.FORM_LIMIT
    for body, kind, name in (
        (b"{", "application/json", "broken_body"),
        (large, "application/x-www-form-urlencoded", "too_large"),
    ):
        answer = wire.world.post(path, body, headers={**wire.headers, "content-type": kind})
        assert told(wire.judged(CREATE, answer, [name]).findings) == []


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name not in ACEDATA])
def test_content_too_early_and_too_late_keeps_the_contract(provider: str, profile: Profile) -> None:
    """Before the task has completed, and after its link has died."""
    wire = Wire("expired-link", provider, profile)
    task = wire.created()
    assert told(wire.judged(CONTENT, wire.content(task), ["not_ready"]).findings) == []
    wire.world.advance(10 * MINUTE)
    wire.poll(task)
    wire.world.advance(DAY)
    assert told(wire.judged(CONTENT, wire.content(task), ["media_gone"]).findings) == []


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_caller_without_a_key_is_told_so(provider: str, profile: Profile) -> None:
    """Which needs no rule."""
    wire = Wire("happy-path", provider, profile)
    wire.headers = {}
    judgement = wire.judged(POLL, wire.poll("nobody"), ["no_token"])
    assert (judgement.answer.name, told(judgement.findings)) == ("no_token", [])
