"""The contracts as OpenAPI: documents that validators accept, and that say what the contracts say."""

import json
from functools import cache
from typing import Any, Final

import pytest
import schemathesis
from jsonschema import Draft202012Validator

from emulator.contracts.contract import contract_of
from emulator.contracts.openapi import document
from emulator.contracts.reading import PLACE
from emulator.core.words import OperationName, Profile
from emulator.providers import by_name
from tests.contracts.test_examples import EXAMPLES, golden
from tests.contracts.wires import ACEDATA, CREATE, DOCUMENTED, POLL, Wire

# schemathesis is a plugin of pytest too; its warnings are about itself.
pytestmark = pytest.mark.filterwarnings("default")
EACH: Final = [pytest.param(name, profile, id=f"{name} {profile}") for name in by_name for profile in Profile]
each = pytest.mark.parametrize(("provider", "profile"), EACH)


@cache
def described(provider: str, profile: Profile) -> Any:
    """The document of a provider's profile, as a program reads it."""
    made = document(contract_of(provider), profile, by_name[provider].base)
    return json.loads(json.dumps(made))


@each
def test_it_is_openapi(provider: str, profile: Profile) -> None:
    """By the schema that OpenAPI 3.1 has for its documents, and each schema in it by JSON Schema's."""
    made = described(provider, profile)
    schemathesis.openapi.from_dict(made).validate()
    for schema in made["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    assert made["openapi"] == "3.1.0"
    assert str(profile) in made["info"]["title"]


def test_the_validator_finds_mistakes() -> None:
    """A response without a description isn't OpenAPI: what the test above leans on isn't asleep."""
    made = json.loads(json.dumps(described("octopusx", DOCUMENTED)))
    del made["paths"]["/v1/videos"]["post"]["responses"]["200"]["description"]
    with pytest.raises(Exception, match="description"):
        schemathesis.openapi.from_dict(made).validate()


@each
def test_its_references_lead_somewhere(provider: str, profile: Profile) -> None:
    """Each to a part of the document; and no part is there for nothing."""
    made = described(provider, profile)
    led_to = set(references(made))
    parts = {
        f"#/components/{kind}/{name}" for kind in ("schemas", "headers") for name in made["components"][kind]
    }
    assert led_to == parts


def references(value: Any) -> list[str]:
    """All that a document refers to."""
    if isinstance(value, list):
        return [ref for item in value for ref in references(item)]
    if not isinstance(value, dict):
        return []
    inner = [ref for item in value.values() for ref in references(item)]
    return [value["$ref"], *inner] if isinstance(value.get("$ref"), str) else inner


@each
def test_it_has_all_that_the_contract_has(provider: str, profile: Profile) -> None:
    """Each operation under its path, each outcome under its status code, with its confidence and its source."""
    made, contract = described(provider, profile), contract_of(provider)
    asked = {(path, method) for path, methods in made["paths"].items() for method in methods}
    rows = {key: one for key, one in contract.operations.items() if profile in one.profiles}
    assert asked == {(one.path, one.method.lower()) for one in rows.values()}
    for name, operation in rows.items():
        told = made["paths"][operation.path][operation.method.lower()]
        assert told["operationId"] == name
        for answer in contract.outcomes(name, profile):
            response = told["responses"][str(answer.status_code)]
            line = f"- `{answer.name}`: {answer.confidence} ({answer.source})"
            assert line in response["description"].splitlines()
            assert answer.media_type.partition(";")[0] in response["content"]
            if answer.schema is not None:
                schema = made["components"]["schemas"][f"{answer.operation}.{answer.name}"]
                assert (schema["x-confidence"], schema["x-source"]) == (answer.confidence, answer.source)
    for source, text in contract.sources.items():
        assert f"- `{source}`: {text}" in made["info"]["description"]


@each
def test_it_holds_no_place_of_our_files(provider: str, profile: Profile) -> None:
    """What is ours for findings alone isn't there; remarks on single members are."""
    text = json.dumps(described(provider, profile))
    assert PLACE not in text
    assert ".yaml" not in text
    assert ("x-confidence" in text, "x-source" in text) == (True, True)


def test_a_request_says_which_bodies_it_takes() -> None:
    """Forms too, where the provider takes them; a poll by path takes none."""
    paths = described("octopusx", DOCUMENTED)["paths"]
    assert set(paths["/v1/videos"]["post"]["requestBody"]["content"]) == {
        "application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }
    poll = paths["/v1/videos/{task_id}"]["get"]
    assert "requestBody" not in poll
    assert [parameter["name"] for parameter in poll["parameters"]] == ["task_id"]
    query = described("acedata-veo", DOCUMENTED)["paths"]["/veo/tasks"]["post"]["requestBody"]["content"]
    assert set(query) == {"application/json"}


def test_it_stands_below_the_providers_base_path() -> None:
    """In the namespace of a header, or in that of a path."""
    urls = [server["url"] for server in described("acedata-sora", DOCUMENTED)["servers"]]
    assert urls == ["/acedata", "/ns/{namespace}/acedata"]


# What it says is true


def valid(provider: str, profile: Profile, operation: OperationName, status_code: int, body: Any) -> bool:
    """Whether a body is one that the document has for a status code."""
    made, asked = described(provider, profile), contract_of(provider).operations[operation]
    response = made["paths"][asked.path][asked.method.lower()]["responses"][str(status_code)]
    schema = response["content"]["application/json"]["schema"]
    whole = {**schema, "components": made["components"]}
    return bool(Draft202012Validator(whole).is_valid(body))


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_documents_examples_are_what_it_says(name: str) -> None:
    """And not, with a member too many."""
    provider, status_code, body = name.partition("/")[0], EXAMPLES[name][0], golden(name)
    assert valid(provider, DOCUMENTED, POLL, status_code, body)
    assert not valid(provider, DOCUMENTED, POLL, status_code, {**body, "surprise": 1})


@pytest.mark.parametrize("provider", ACEDATA)
def test_the_items_of_a_batch_are_tasks(provider: str) -> None:
    """In the document as in the judgement."""
    body = golden(f"{provider}/retrieve_batch.succeeded.json")
    del body["items"][1]["response"]["task_id"]
    assert not valid(provider, DOCUMENTED, POLL, 200, body)


@each
def test_the_emulators_answers_are_what_it_says(provider: str, profile: Profile) -> None:
    """A create, polls until the end, and an error whose body several names share."""
    wire = Wire("happy-path", provider, profile)
    for operation, answer in wire.walk((0, 3, 60)):
        if answer.headers["content-type"].startswith("application/json"):
            assert operation in (POLL, CREATE) or answer.status_code >= 400
            assert valid(provider, profile, operation, answer.status_code, answer.json())
    wire.headers = {"authorization": "nonsense"}
    refused = wire.poll("nobody")
    assert valid(provider, profile, POLL, refused.status_code, refused.json())
