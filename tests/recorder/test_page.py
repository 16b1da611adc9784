"""The page on recording: its example is what is written, its options are the command's."""

import re
from pathlib import Path

import click
import pytest

from emulator.cli import COMMANDS, record
from emulator.scenario_file import load_text
from tests.recorder.stage import talk_with

PAGE = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")


def test_its_example_is_what_is_written(tmp_path: Path) -> None:
    """To the letter."""
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
    _, found = talk_with("rate-limited", "octopusx", tmp_path / "f.yaml")
    assert found.text == shown
    assert load_text(shown, "shown").warnings == ()


def test_it_lists_every_option() -> None:
    """With its value and its default, in the order of the command's help."""
    rows = re.findall(r"^\| `(--[a-z-]+)(?: ([A-Z]+))?` \| (.*?) \|", PAGE, re.M)
    options = [param for param in record.record.params if isinstance(param, click.Option)]
    assert [row[0] for row in rows] == [option.opts[0] for option in options]
    for (_, value, default), option in zip(rows, options, strict=True):
        assert (option.metavar or "") == value
        if isinstance(option.default, str):
            assert default == f"`{option.default}`"


@pytest.mark.parametrize("command", re.findall(r"^video-emulator (\w+) ", PAGE, re.M))
def test_its_commands_are_there(command: str) -> None:
    """Each of them."""
    assert command in COMMANDS
