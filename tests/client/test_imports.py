"""What importing costs: what isn't used isn't imported."""

import subprocess
import sys
from pathlib import Path

import pytest

import emulator
from emulator import client

ROOT = Path(__file__).parents[2]


def imported_by(code: str) -> set[str]:
    """The modules that are there after this code and weren't before it."""
    program = f"import sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_package_alone_imports_nothing() -> None:
    """Not even the standard library."""
    assert imported_by("import emulator") == {"emulator"}


def test_what_a_client_raises_costs_nothing() -> None:
    """For whoever only catches it."""
    assert imported_by("import emulator.client") == {"emulator", "emulator.client", "emulator.client.errors"}


def test_a_client_imports_no_server() -> None:
    """A test suite that speaks to an emulator in a container needs none of it."""
    imported = imported_by("from emulator import Client; Client()")
    assert "httpx2" in imported
    assert not imported & {
        "starlette",
        "uvicorn",
        "yaml",
        "orjson",
        "click",
        "rich",
        "emulator.engine",
        "emulator.app",
    }
    known = {name.split(".")[1] for name in imported if name.startswith("emulator.")}
    assert known == {"client", "messages", "core"}


def test_asking_for_health_imports_no_client_library() -> None:
    """A container's health is asked every few seconds."""
    code = "from emulator.client.health import Alive; from emulator.client.once import OneShot"
    assert not imported_by(code) & {"httpx2", "httpcore2", "anyio", "emulator.client.clients"}


@pytest.mark.parametrize("module", [emulator, client])
def test_a_name_that_there_is_not_is_told_as_ever(module: object) -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="has no attribute 'Klient'"):
        module.Klient  # type: ignore[attr-defined] # noqa: B018
    assert emulator.Client is client.Client
    assert emulator.AsyncClient is client.AsyncClient
