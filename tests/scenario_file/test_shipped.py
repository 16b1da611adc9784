"""The shipped files, as files: what they do is told by tests/test_scenarios.py."""

from pathlib import Path

import pytest

from emulator.core.plan import HAPPY_TIMELINE
from emulator.core.scenario import HAPPY_PATH
from emulator.scenario_file import load

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema=../emulator/scenario.schema.json"


def test_happy_path_is_the_one_that_stands_in() -> None:
    """The file spells out what the program does where a scenario says nothing."""
    path = next(path for path in SHIPPED if path.stem == "happy-path")
    scenario = load(path).scenario
    assert [choice.entries for item in scenario.items for choice in item.choices] == [HAPPY_TIMELINE]
    assert (scenario.name, scenario.rules, scenario.auth) == (
        HAPPY_PATH.name,
        HAPPY_PATH.rules,
        HAPPY_PATH.auth,
    )


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_loads_without_a_doubt(path: Path) -> None:
    """No shipped file has a mistake or a warning; each is named as its file, and names its schema for editors."""
    loaded = load(path)
    assert loaded.warnings == ()
    assert loaded.scenario.name == path.stem
    assert path.read_text(encoding="utf-8").startswith(MODELINE)
    assert loaded.scenario.about
