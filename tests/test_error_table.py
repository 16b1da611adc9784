"""The page of all errors says what the code answers."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from emulator import error_table
from emulator.core.words import ErrorName, Profile, Situation
from emulator.providers import PROVIDERS

ROOT: Final = Path(__file__).parents[1]


def test_docs_errors_is_up_to_date() -> None:
    """docs/errors.md is what `python -m emulator.error_table` prints; run that again where this fails."""
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    assert page == error_table.error_table()


def test_the_module_prints_the_page() -> None:
    """Run as a program it writes the page, in UTF-8 whatever the terminal's encoding."""
    command = [sys.executable, "-m", "emulator.error_table"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)  # noqa: S603 - ours
    assert done.stdout.decode() == error_table.error_table()
    assert done.stderr == b""


@pytest.mark.parametrize("name", [*ErrorName, *Situation])
def test_every_error_has_its_rows(name: ErrorName | Situation) -> None:
    """Each is in the overview and once for each provider in each profile."""
    rows = [line for line in error_table.error_table().splitlines() if line.startswith(f"| `{name}` |")]
    expected = 1 + len(PROVIDERS) * len(Profile) + isinstance(name, Situation)
    assert len(rows) == expected


def test_a_documents_error_stands_in_its_row() -> None:
    """documents/003: the unknown task."""
    body = '`{"error":{"message":"Video task not found","code":"task_not_found"}}`'
    assert f"| `not_found` | 404 | {body} |" in error_table.error_table()
