"""The page on Hypothesis: its Python is one file of tests, and its tables are whole."""

import inspect
import re
from pathlib import Path

import pytest

from emulator import strategies

PAGE = (Path(__file__).parents[2] / "docs" / "hypothesis.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
DRAWN = ("scenarios", "timelines", "rules", "create_requests", "interleavings")


def test_its_tests_do_what_it_says(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two find bugs, and the files that are kept hold the scenarios that it shows.

    As in CI, where Hypothesis draws the same in each run. It may show a bug in several ways, and keep
    a file of each.
    """
    monkeypatch.setenv("CI", "true")
    file = "".join(BLOCKS)
    project.makepyfile(test_page=file)
    result = project.runpytest_subprocess("--runxfail", "--video-emulator-save-failures", "found")
    bugs = file.count("pytest.mark.xfail")
    result.assert_outcomes(failed=bugs, passed=file.count("def test_") - bugs)
    shown = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    kept = [path.read_text(encoding="utf-8") for path in (project.path / "found").iterdir()]
    assert len(kept) >= len(shown) == bugs
    for scenario in shown:
        story = scenario.removeprefix("version: 1\n")
        assert any(story in text for text in kept)


def test_it_lists_every_parameter() -> None:
    """Of each strategy, with its default."""
    rows = re.findall(r"^\| `(\w+)` \| (`.*?`) \| (.*?) \|", PAGE, re.M)
    listed = {(name, of) for name, strategies, _ in rows for of in re.findall(r"`(\w+)`", strategies)}
    taken = {
        (name, of)
        for of in DRAWN
        for name in inspect.signature(getattr(strategies, of)).parameters
        if name != "provider"
    }
    assert listed == taken
    for name, of, shown in rows:
        default = inspect.signature(getattr(strategies, re.findall(r"\w+", of)[0])).parameters[name].default
        if re.fullmatch("`.*`", shown) and "," not in shown:
            assert str(default) == shown.strip('`"')
