"""What lint doubts, and what it leaves alone (in doubtful.txt)."""

import pytest

from emulator.core.errors import as_line
from emulator.scenario_file import load_text, wording
from tests.scenario_file.corpus import rows

ROWS = rows("doubtful.txt")
DOUBTFUL = [name for name in ROWS if not name.startswith("fine: ")]


def doubts(text: str) -> list[str]:
    """The warnings of a file that begins with its version."""
    return [as_line(problem).removeprefix("x:") for problem in load_text("version: 1\n" + text, "x").warnings]


def id_of(doubt: str) -> str:
    """The id that a doubt ends with."""
    return doubt.rpartition("[")[2].rstrip("]")


@pytest.mark.parametrize("name", ROWS)
def test_doubts(name: str) -> None:
    """Each doubt is told once, with its place, its reason and its id; stories are left alone."""
    text, expected = ROWS[name]
    assert doubts(text) == expected
    assert bool(expected) is not name.startswith("fine: ")


@pytest.mark.parametrize("name", DOUBTFUL)
def test_doubt_is_silenced_by_its_id(name: str) -> None:
    """``lint: {ignore: [id]}`` silences a doubt, and no other id does."""
    text, (expected,) = ROWS[name]
    others = sorted(set(wording.WARNINGS) - {id_of(expected)})
    assert doubts(f"{text}lint: {{ignore: [{id_of(expected)}]}}\n") == []
    assert doubts(f"{text}lint: {{ignore: [{', '.join(others)}]}}\n") == [expected]


def test_every_warning_has_an_example() -> None:
    """Each id that can be silenced is shown in the table, and no other."""
    assert {id_of(doubt) for _, said in ROWS.values() for doubt in said} == set(wording.WARNINGS)
