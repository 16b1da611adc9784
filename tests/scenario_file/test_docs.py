"""docs/scenarios.md tells what the code does: its examples load, its tables are complete."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.core.errors import as_text
from emulator.core.template import FAKER_NAMES, PLAIN_NAMES
from emulator.core.words import ErrorName
from emulator.providers import by_name
from emulator.scenario_file import ScenarioError, load_text, wording
from emulator.scenario_file.nodes import MAX_ALIASES, MAX_DEPTH, MAX_NODES
from emulator.scenario_file.schema import scenario_schema

PAGE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)


def rows(head: str) -> Iterator[list[list[str]]]:
    """The cells of each table with this head."""
    for table in re.findall(rf"^{re.escape(head)}\n\|[ -|]+\n((?:\|.*\n)+)", PAGE, re.M):
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_there_are_examples() -> None:
    """The page isn't read past."""
    assert len(EXAMPLES) > 10


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_load(text: str) -> None:
    """Every example is a whole file without mistakes or warnings."""
    assert load_text(text, "example").warnings == ()


def test_shown_messages_are_what_is_said() -> None:
    """The page's messages are what a file with these two mistakes gets."""
    text = "version: 1\nabout: Slow.\n\ntasks:\n  - timeline:\n      - {status: queued, for: 2}\n"
    text += "      - {state: processing, for: 8s}\n      - {status: completed}\n"
    with pytest.raises(ScenarioError) as raised:
        load_text(text, "slow", "slow.yaml")
    (shown,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.M | re.S)
    assert "".join(f"{as_text(problem)}\n" for problem in raised.value.problems) == shown


def test_every_key_has_its_row() -> None:
    """The tables of keys hold the keys of the language: each table of the one is a table of the other."""
    schema = scenario_schema()
    tables = [schema, *(part for part in schema["$defs"].values() if "properties" in part)]
    known = sorted(sorted(table["properties"]) for table in tables)
    told = [
        [cells[0].strip("`") for cells in table] for table in rows("| key | takes | left out | meaning |")
    ]
    merged = [*told, ["expires_in", "bytes"]]  # of defaults.video, told in a row of its own
    conditions = next(table for table in merged if "while" in table)
    effects = next(table for table in merged if "slow_body" in table)
    merged = [table for table in merged if table not in (conditions, effects)] + [conditions + effects]
    assert sorted(map(sorted, merged)) == known


def test_tables_of_ids_are_complete() -> None:
    """Every id of a mistake or a warning is told, in the code's own words and order."""
    mistakes, warnings = rows("| id | meaning |")
    assert [(id.strip("`"), said) for id, said in mistakes] == list(wording.MISTAKES.items())
    spelt = [(id, said.replace("``", "`")) for id, said in wording.WARNINGS.items()]
    assert [(id.strip("`"), said) for id, said in warnings] == spelt


@pytest.mark.parametrize(
    ("heading", "names"), [("### Named errors", list(ErrorName)), ("### Templates", FAKER_NAMES)]
)
def test_closed_lists_are_complete(heading: str, names: list[str]) -> None:
    """The named errors and Faker's names are all told, in their order."""
    section = PAGE.split(heading)[1].split("\n##")[0]
    told = [name for name in re.findall(r"`([a-z_0-9]+)`", section) if name in names]
    assert list(dict.fromkeys(told)) == list(names)


def test_template_names_are_told() -> None:
    """Every plain name of a template stands in its section."""
    section = PAGE.split("### Templates")[1].split("\n##")[0]
    assert all(f"`{name}`" in section for name in PLAIN_NAMES)


def test_names_of_values_are_told() -> None:
    """For each provider, the names that ``values`` may set; Veo's are Sora's and two."""
    section = PAGE.split("Names under `values`:")[1].split("\n##")[0]
    lists = {item.split("`")[1]: re.findall(r"`(\w+)`", item) for item in section.split("\n- ")[1:]}
    told = {name: [word for word in words if word not in (name, "_id")] for name, words in lists.items()}
    told["acedata-veo"] = told["acedata-sora"] + told["acedata-veo"]
    assert told == {name: list(provider.value_names) for name, provider in by_name.items()}


def test_bounds_are_told() -> None:
    """The numbers under "Bounds" are those of the code."""
    section = PAGE.split("## Bounds")[1].split("\n##")[0]
    assert f"{MAX_DEPTH} levels, {MAX_NODES:,} values and {MAX_ALIASES} aliases" in section
