"""The page on emulators in one's own process: its examples run, and its table is whole."""

import inspect
import re
from pathlib import Path
from typing import Any

from emulator import Emulator

PAGE = (Path(__file__).parents[2] / "docs" / "in-process.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def test_its_examples_run() -> None:
    """One after the other, as one program."""
    names: dict[str, Any] = {"__name__": "page"}
    for block in BLOCKS:
        exec(block, names)  # noqa: S102 - the page's own


def test_its_examples_check_something() -> None:
    """Each of them."""
    assert len(BLOCKS) == 6
    assert all("assert " in block for block in BLOCKS)


def test_it_lists_every_argument() -> None:
    """With its default, where that is a plain value."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", PAGE, re.M)
    parameters = list(inspect.signature(Emulator).parameters.values())
    assert [name for name, _ in rows] == [parameter.name for parameter in parameters]
    for (_, written), parameter in zip(rows, parameters, strict=True):
        if parameter.default is not None:
            assert str(parameter.default) == written.strip('`"')
