"""The JSON Schema: kept fresh, valid itself, and agreed with the reader."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from jsonschema import Draft202012Validator

from emulator.scenario_file import load_text, nodes
from emulator.scenario_file.report import Report
from emulator.scenario_file.schema import scenario_schema
from tests.scenario_file.corpus import rows
from tests.scenario_file.strategies import Json, scenarios

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "emulator" / "scenario.schema.json"
SHIPPED = sorted((ROOT / "scenarios").glob("*.yaml"))
VALIDATOR = Draft202012Validator(scenario_schema())


def values(text: str) -> Any:
    """What stands in a scenario file, as JSON values, read as the language reads it."""
    root = nodes.read(text, Report("x", text))
    assert root is not None
    return nodes.raw(root)


def complaints(value: Any) -> list[str]:
    """What the schema has against a value."""
    return [error.message for error in VALIDATOR.iter_errors(value)]


def test_kept_schema_is_fresh() -> None:
    """The schema in the repository is what its command prints now."""
    command = [sys.executable, "-m", "emulator.scenario_file.schema"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, encoding="utf-8")  # noqa: S603 - our own
    assert (KEPT.read_text(encoding="utf-8"), "") == (ran.stdout, ran.stderr)


def test_schema_is_a_schema() -> None:
    """It is valid itself, and every reference in it leads somewhere."""
    schema = scenario_schema()
    Draft202012Validator.check_schema(schema)
    references = {part["$ref"] for part in _parts(schema) if "$ref" in part}
    assert references == {f"#/$defs/{name}" for name in schema["$defs"]}


def _parts(value: Any) -> list[Json]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return own + [part for child in children for part in _parts(child)]


def test_every_key_is_described() -> None:
    """Editors show what each key means."""
    objects = [
        part for part in _parts(scenario_schema()) if "properties" in part and "additionalProperties" in part
    ]
    assert len(objects) > 15
    assert all(key["description"] for part in objects for key in part["properties"].values())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_are_valid(path: Path) -> None:
    """Every shipped scenario passes the schema."""
    assert complaints(values(path.read_text(encoding="utf-8"))) == []


LINTED = rows("doubtful.txt")


@pytest.mark.parametrize("name", LINTED)
def test_files_that_load_are_valid(name: str) -> None:
    """Whatever the reader takes, the schema takes too."""
    assert complaints(values("version: 1\n" + LINTED[name][0])) == []


BROKEN = rows("broken.txt")
# What editors see too: the rest is told by the reader alone, or isn't YAML.
SEEN = ("unknown-key]", "missing-key]", "duration-without-unit]")
READERS_OWN = {"scaled without scale"}


@pytest.mark.parametrize(
    "name", [name for name, (_, said) in BROKEN.items() if said[0].endswith(SEEN) and name not in READERS_OWN]
)
def test_broken_files_are_refused(name: str) -> None:
    """Unknown and missing keys and bare numbers are marked in editors too."""
    assert complaints(values(BROKEN[name][0]))


def rule(**said: Any) -> Json:
    """A file with one rule."""
    return {"version": 1, "rules": [{"error": "internal", **said}]}


def limit(**said: Any) -> Json:
    """A file with one limit."""
    return {"version": 1, "limits": [said]}


def entry(**said: Any) -> Json:
    """A file with one entry."""
    return {"version": 1, "tasks": [{"timeline": [{"status": "completed", **said}]}]}


def expect(**said: Any) -> Json:
    """A file that says what a correct client does."""
    return {"version": 1, "expect": said}


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (rule(probability=1), rule(probability=2)),
        (rule(probability=0), rule(probability=-1)),
        (rule(probability="5%"), rule(probability="5")),
        (rule(calls=1), rule(calls=0)),
        (rule(calls="every 5"), rule(calls="each 5")),
        (rule(between=["0s-2s", "3m+"]), rule(between="0s")),
        (rule(times=1), rule(times=0)),
        (limit(limit=1), limit(limit=0)),
        (limit(in_flight=1_000_000), limit(in_flight=1_000_001)),
        (limit(limit=1, window="1m"), limit(limit=1, window=60)),
        (limit(limit=1, per="task"), limit(limit=1, per="user")),
        (limit(limit=1, retry_after=True), limit(limit=1, retry_after=5)),
        (limit(limit=1, retry_after={"http_date": True}), limit(limit=1, retry_after={"http_date": "none"})),
        (limit(limit=1), limit(limit=1, in_flight=1)),
        (limit(in_flight=1), limit(in_flight=1, window="1m")),
        (rule(retry_after="none"), rule(retry_after="some")),
        ({"version": 1, "rules": [{"respond": {"status_code": 599}}]}, rule(respond={"status_code": 599})),
        (entry(progress=100), entry(progress=101)),
        (entry(polls=1), entry(polls=0)),
        (entry(delay={"median": "1s", "sigma": 5}), entry(delay={"median": "1s", "sigma": 6})),
        (entry(delay={"min": "1s", "max": "2s"}), entry(delay={"min": "1s"})),
        (entry(until="1m"), entry(until="1m", polls=1)),
        ({"version": 1, "seed": "a"}, {"version": 1, "seed": ""}),
        ({"version": 1, "name": "a-b"}, {"version": 1, "name": "a b"}),
        (expect(poll={"min_interval": "2s"}), expect(poll={"min_interval": {"min": "1s", "max": "2s"}})),
        (expect(poll={"max_interval": "2s"}), expect(poll={"max_interval": 2})),
        (expect(poll={"after_terminal": 0}), expect(poll={"after_terminal": -1})),
        (expect(poll={"honours_retry_after": False}), expect(poll={"honours_retry_after": 0})),
        (expect(poll={"honours_poll_after": True}), expect(poll={"honours_poll_after": "5s"})),
        (expect(create={"repeated": 0}), expect(create={"repeated": 0.5})),
        (expect(download={"at_least": 0}), expect(download={"at_least": -1})),
        (expect(download={"before_expiry": True}), expect(download={"before_expiry": "1h"})),
        (expect(download={"without_key": True}), expect(download={"with_key": True})),
        (expect(about="x"), expect(content={})),
    ],
)
def test_schema_knows_the_bounds(good: Json, bad: Json) -> None:
    """What editors accept ends where the reader's does."""
    assert complaints(good) == []
    assert complaints(bad)


class Dumper(yaml.SafeDumper):
    """Writes every text in quotes: what YAML 1.1 takes for text may be a number to the language."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


Dumper.add_representer(str, _quoted)


@given(scenarios())
def test_made_up_scenarios_load_and_are_valid(said: Json) -> None:
    """Whatever the language allows loads, as JSON and as YAML, to the same scenario, and passes the schema."""
    from_json = load_text(json.dumps(said), "x").scenario
    from_yaml = load_text(yaml.dump(said, Dumper=Dumper, allow_unicode=True, sort_keys=False), "x").scenario
    assert [rule.id for rule in from_json.rules] == [rule.id for rule in from_yaml.rules]
    assert len(from_json.items) == len(from_yaml.items)
    assert from_json.seed == from_yaml.seed == said.get("seed")
    assert complaints(said) == []
    assert complaints(values(json.dumps(said, ensure_ascii=False))) == []
