"""The page on the plugin: its examples run, and its tables are whole."""

import re
from inspect import signature
from pathlib import Path
from typing import Final

import pytest

from emulator import pytest_plugin
from emulator.plugin import marks
from emulator.plugin.settings import FINDINGS

PAGE: Final = (Path(__file__).parents[2] / "docs" / "pytest.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
TOML: Final = re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_its_examples_run(pytester: pytest.Pytester, number: int) -> None:
    """Each as a file of tests, all of which pass."""
    pytester.makepyfile(test_it=BLOCKS[number])
    outcomes = pytester.runpytest_inprocess().parseoutcomes()
    assert outcomes.pop("passed", 0) == len(re.findall(r"def test_", BLOCKS[number])) + more(BLOCKS[number])
    assert not outcomes


def more(block: str) -> int:
    """How many tests it has beyond its functions: anyio runs those of its marker on two event loops."""
    return 1 if "pytest.mark.anyio" in block or 'for name in ("rate_limited"' in block else 0


def test_its_settings_are_taken(pytester: pytest.Pytester) -> None:
    """As they stand."""
    (text,) = TOML
    pytester.makepyprojecttoml(text)
    pytester.mkdir("tests").joinpath("scenarios").mkdir()
    pytester.makepyfile("def test_it(video_emulator): pass")
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_it_lists_every_option() -> None:
    """With its setting."""
    expected = [(f"--video-emulator-{name} {what}", name) for name, what, _ in pytest_plugin.OPTIONS]
    expected.append(("--video-emulator-no-socket", "no-socket"))
    listed = [(option.strip("`"), setting.strip("`")) for option, setting, *_ in rows("Options and settings")]
    assert listed == [(option, f"video_emulator_{name.replace('-', '_')}") for option, name in expected]


def test_it_lists_every_argument_of_the_markers() -> None:
    """And each with the default that it has."""
    listed = [name.strip("`") for name, *_ in rows("The marker `scenario`")]
    assert listed == list(signature(marks.TAKEN["scenario"]).parameters)
    assert 'fast_forward(limit="6h")' in PAGE
    assert str(signature(marks.TAKEN["fast_forward"])).startswith("(limit: Any = '6h')")


def test_it_lists_every_finding() -> None:
    """That can fail a test."""
    assert [name.strip("`") for name, _ in rows("What else fails a test")] == list(FINDINGS)


def test_it_lists_every_fixture() -> None:
    """With its scope."""
    listed = {name.strip("`"): scope for name, scope, _ in rows("The fixtures")}
    assert listed == {"video_emulator": "function", "video_emulator_server": "session"}
    for name in listed:
        assert hasattr(pytest_plugin, name)
