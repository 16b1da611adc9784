"""The contracts' files themselves: whole, honest, and written in words that everything understands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

import pytest
import yaml
from jsonschema import Draft202012Validator

from emulator.contracts.contract import Answer, Confidence, contract_of
from emulator.contracts.reading import FOLDER, PLACE, file_named, without_places
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers import PROVIDERS, by_name

FILES: Final = sorted(file.stem for file in FOLDER.glob("*.yaml") if file.stem != "behaviours")
NAMES: Final = {
    *Status,
    *ErrorName,
    *Situation,
    "created",
    "batch",
    "unfinished",
    "snapshot",
    "video",
    "page",
    "deleted",
    *("sora", "veo", "jimeng", "grok"),
    "range",
    "dead",
}
each = pytest.mark.parametrize("provider", sorted(by_name))
each_file = pytest.mark.parametrize("name", FILES)

# What each mapping of a file may say. A misspelt key would be left out without a word.
KEYS: Final[dict[str, set[str]]] = {
    "file": {
        "extends",
        "provider",
        "title",
        "sources",
        "operations",
        "headers",
        "shapes",
        "answers",
        "errors",
    },
    "operation": {
        *("name", "method", "path", "about", "source", "request", "media_types"),
        *("query", "profiles", "like", "errors_like"),
    },
    "shape": {"shape", "members", "optional", "absent"},
    "header": {"name", "pattern", "expected", "confidence", "source"},
    "answer": {
        *("name", "operations", "profiles", "status_code", "media_type", "known_by", "items", "headers"),
        *("shape", "members", "optional", "absent", "schema", "confidence", "source"),
    },
    "table": {"profiles", "operations", "media_type", "shape", "confidence", "source", "names"},
    "row": {"status_code", "shape", "code", "confidence", "source"},
    "schema": {
        *("type", "const", "enum", "pattern", "minimum", "maximum", "minLength", "minItems", "properties"),
        *("required", "additionalProperties", "items", "description", "examples", "default"),
        *("x-expected", "x-unit", "x-confidence", "x-source", "x-severity", "x-gravity", "x-description"),
    },
}


def test_there_is_a_contract_for_every_provider() -> None:
    """And no other, but for what several share."""
    assert set(FILES) - {"acedata", "gateway"} == set(by_name)
    for provider in PROVIDERS:
        assert contract_of(provider.name).provider == provider.name


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_its_operations_are_the_providers(provider: Any) -> None:
    """Method and path stand in the contract as in the table that answers."""
    rows = contract_of(provider.name).operations.values()
    told = {(one.name, one.method, one.path, tuple(one.profiles)) for one in rows}
    assert told == {(one.name, one.method, one.path, one.profiles) for one in provider.operations}


@each
def test_rows_that_others_are_like_are_there(provider: str) -> None:
    """And what an operation is called is its name, for the row that clients go by."""
    rows = contract_of(provider).operations
    for key, row in rows.items():
        assert {row.like, row.errors_like} <= {*rows, None}
        assert key in {*OperationName} or row.name in rows
        assert key not in {*OperationName} or row.name == key


@each
def test_every_error_is_there(provider: str) -> None:
    """For each operation, in each profile, under each name."""
    contract = contract_of(provider)
    for operation, row in contract.operations.items():
        for profile in row.profiles:
            names = {answer.name for answer in contract.outcomes(operation, profile)}
            assert {*ErrorName, *Situation} <= names
            assert names <= NAMES


@each
def test_every_success_is_there(provider: str) -> None:
    """What a task may be, a new one, and what links lead to."""
    contract = contract_of(provider)
    of_tasks = {"unfinished", "batch"} if provider.startswith("acedata") else {"queued", "processing"}
    for profile in Profile:
        polled = {answer.name for answer in contract.outcomes(OperationName.POLL, profile)}
        assert {"completed", "failed", *of_tasks} <= polled
        assert contract.outcome(OperationName.CREATE, profile, "created") is not None
        stored = {answer.name for answer in contract.outcomes(OperationName.DOWNLOAD, profile)}
        assert stored == {"video", "range", "dead"}


@each
def test_everything_has_a_source_and_a_confidence(provider: str) -> None:
    """Each source is explained, and each explanation used; what is our choice has no other source, and says so."""
    contract = contract_of(provider)
    told: list[tuple[str, str]] = [(one.source, one.confidence) for one in contract.headers]
    told += [(one.source, one.confidence) for one in contract.answers]
    told += [(one.source, one.confidence) for answer in contract.answers for one in answer.headers]
    told += [remarks for answer in contract.answers for remarks in remarks_in(answer)]
    for source, confidence in told:
        assert confidence in get_args(Confidence)
        assert (source == "ours") == (confidence == "our choice")
    used = {source for source, _ in told} | {one.source for one in contract.operations.values()}
    assert used == set(contract.sources)


def remarks_in(answer: Answer) -> Iterator[tuple[str, str]]:
    """Source and confidence of the members that are known otherwise than their answer."""
    for part in parts_of(answer.schema):
        if "x-source" in part or "x-confidence" in part:
            yield part.get("x-source", answer.source), part.get("x-confidence", answer.confidence)


def parts_of(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all that are in it."""
    if isinstance(schema, dict):
        yield schema
        for inner in (*schema.get("properties", {}).values(), schema.get("items")):
            yield from parts_of(inner)


@each
def test_a_documents_part_names_the_document(provider: str) -> None:
    """By the number that the code knows it by."""
    assert re.match(r"documents/00[0-3], the page ", contract_of(provider).sources["document"])


@each
def test_schemas_are_json_schema(provider: str) -> None:
    """Of answers and of requests, also without what is ours; the judgement knows each of their words."""
    contract = contract_of(provider)
    schemas = [answer.schema for answer in contract.answers] + [
        operation.request for operation in contract.operations.values()
    ]
    for schema in schemas:
        if schema is not None:
            Draft202012Validator.check_schema(without_places(schema))
            for part in parts_of(schema):
                assert set(part) - {PLACE} <= KEYS["schema"], part


@each
def test_outcomes_are_told_apart_by_members_that_there_are(provider: str) -> None:
    """In one of the outcomes, at least; and the items of a batch are outcomes of a poll."""
    contract = contract_of(provider)
    for operation in OperationName:
        for profile in Profile:
            outcomes = contract.outcomes(operation, profile)
            members = {name for answer in outcomes for name in members_of(answer)}
            for answer in outcomes:
                assert set(answer.known_by) <= members, answer.name
                assert set(answer.items) <= {other.name for other in outcomes}, answer.name


def members_of(answer: Answer) -> Iterator[str]:
    """The names of all members, dotted."""

    def inside(schema: Any, before: str) -> Iterator[str]:
        for name, member in (schema or {}).get("properties", {}).items():
            yield f"{before}{name}"
            yield from inside(member, f"{before}{name}.")

    return inside(answer.schema, "")


@each_file
def test_every_key_is_known(name: str) -> None:
    """A misspelt one would be left out without a word."""
    file = file_named(name)
    told = [("file", file)]
    told += [("operation", value) for value in named(file, "operations")]
    told += [("shape", value) for value in named(file, "shapes")]
    told += [("table", value) for value in file.get("errors", ())]
    told += [("row", row) for table in file.get("errors", ()) for row in named(table, "names")]
    told += [("answer", value) for value in file.get("answers", ())]
    headers = [*file.get("headers", ()), *(h for a in file.get("answers", ()) for h in a.get("headers", ()))]
    told += [("header", header) for header in headers]
    for kind, value in told:
        assert set(value) - {PLACE} <= KEYS[kind], value


def named(file: dict[str, Any], section: str) -> list[Any]:
    """The values of a section."""
    return [value for name, value in file.get(section, {}).items() if name != PLACE]


@each_file
def test_no_name_stands_twice(name: str) -> None:
    """In one mapping: YAML would take the last. No two answers are the same outcome either."""
    tree = yaml.compose((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for names in keys_in(tree):
        assert len(names) == len(set(names)), names
    file = file_named(name)
    seen: set[tuple[str, str, str]] = set()
    for answer in file.get("answers", ()):
        for operation in answer["operations"]:
            for profile in answer.get("profiles", list(Profile)):
                assert (answer["name"], operation, profile) not in seen
                seen.add((answer["name"], operation, profile))


def keys_in(node: Any) -> Iterator[list[str]]:
    """The keys of each mapping."""
    if isinstance(node, yaml.MappingNode):
        yield [key.value for key, _ in node.value]
        for _, value in node.value:
            yield from keys_in(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from keys_in(item)


@each_file
def test_every_shape_is_used(name: str) -> None:
    """By an answer, an error or another shape of this file or of one that builds upon it."""
    text = "\n".join((FOLDER / f"{one}.yaml").read_text(encoding="utf-8") for one in FILES)
    for shape in file_named(name).get("shapes", {}):
        assert shape == PLACE or re.search(rf"\bshape: {shape}\b", text), shape


@each_file
def test_a_file_names_no_place_of_a_machine(name: str) -> None:
    """Sources are named so that anybody may look for them."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    absolute = set(re.findall(r"(?<![\w:/.}])/[a-z]\w*", text))
    assert absolute <= {"/v1", "/sora", "/veo", "/content"}
    assert ".txt" not in text


def test_the_page_lists_the_words_of_the_files() -> None:
    """Every key that a file may have, and the three words for how well something is known."""
    page = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`([\w -]+)`", page))
    keys = {key for kind, names in KEYS.items() if kind != "schema" for key in names}
    assert keys - words == set()
    assert set(get_args(Confidence)) - words == set()
    assert {key for key in KEYS["schema"] if key.startswith("x-")} - words == set()
