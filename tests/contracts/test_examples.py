"""The documents' examples keep the contracts."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from emulator.contracts.contract import contract_of
from emulator.contracts.judgement import Response, judged
from emulator.contracts.reading import without_places
from emulator.core.words import OperationName
from emulator.providers import PROVIDERS
from tests.contracts.wires import CREATE, DOCUMENTED, POLL, told

GOLDEN: Final = Path(__file__).parents[1] / "golden"
HEADERS: Final = {
    # The documents show none: these are what the contracts say of them.
    "content-type": "application/json",
    "access-control-allow-origin": "*",
    "x-request-id": "2cf86e86-22a4-46e1-ac2f-032c0f2a4e89",
    "x-new-api-version": "v1.0.0",
    "x-oneapi-request-id": "20250101000000123456789abcdef01Xy09Za",
}
EXAMPLES: Final = {
    "acedata-sora/retrieve.succeeded.json": (200, "completed"),
    "acedata-sora/retrieve_batch.succeeded.json": (200, "batch"),
    "acedata-sora/error.api_error.json": (500, "internal"),
    "acedata-veo/retrieve.succeeded.json": (200, "completed"),
    "acedata-veo/retrieve_batch.succeeded.json": (200, "batch"),
    "acedata-veo/error.api_error.json": (500, "internal"),
    "octopusx/query.queued.json": (200, "queued"),
    "ezmodel/query.processing.json": (200, "processing"),
    "ezmodel/query.completed.json": (200, "completed"),
    "ezmodel/query.failed.json": (200, "failed"),
    "ezmodel/query.not_found.404.json": (404, "not_found"),
}
REQUESTS: Final = sorted(
    str(file.relative_to(GOLDEN)) for file in GOLDEN.rglob("*.json") if ".request." in file.name
)


def golden(name: str) -> Any:
    """An example of the documents."""
    return json.loads((GOLDEN / name).read_text(encoding="utf-8"))


def test_every_example_is_looked_at() -> None:
    """Each file of the goldens is an answer or a request."""
    files = {str(file.relative_to(GOLDEN)) for file in GOLDEN.rglob("*.json")}
    assert files == {*EXAMPLES, *REQUESTS}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_documents_example_is_known_and_keeps_the_contract(name: str) -> None:
    """It is taken for what it is, among all outcomes, and nothing is found."""
    status_code, outcome = EXAMPLES[name]
    response = Response(status_code=status_code, headers=HEADERS, body=golden(name))
    judgement = judged(contract_of(name.partition("/")[0]), POLL, DOCUMENTED, response)
    assert (judgement.answer.name, told(judgement.findings)) == (outcome, [])
    assert judgement.answer.confidence == "documented"


@pytest.mark.parametrize("name", REQUESTS)
def test_a_documents_request_is_what_the_contract_takes(name: str) -> None:
    """AceData's two queries."""
    assert problems(name.partition("/")[0], POLL, golden(name)) == []


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_the_documents_create_is_what_the_contract_takes(provider: Any) -> None:
    """As the documents print it, in `request`."""
    assert problems(provider.name, CREATE, provider.example_request) == []


def problems(provider: str, operation: OperationName, body: Any) -> list[str]:
    """What the schema of a request has to say."""
    schema = without_places(contract_of(provider).operations[operation].request)
    return [problem.message for problem in Draft202012Validator(schema).iter_errors(body)]
