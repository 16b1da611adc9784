"""What an emulator in this process costs to import: what isn't used isn't imported."""

from typing import Final

from tests.client.test_imports import imported_by

MADE: Final = "from emulator import Emulator; emulator = Emulator(listen=False); emulator.health()"
UNUSED: Final = {
    "httpx",
    "httpx2",
    "httpcore2",
    "faker",
    "hypothesis",
    "rich",
    "re2",
    "pytest",
    "prometheus_client",
    "emulator.client.senders",
    "emulator.embedded.story",
    "emulator.fast_forward",
    "emulator.strategies",
}


def test_an_emulator_without_a_socket_needs_no_server() -> None:
    """Nor a client library, nor what only a failure or a report needs."""
    imported = imported_by(MADE)
    assert "emulator.app" in imported
    assert not imported & {*UNUSED, "uvicorn", "click", "emulator.server"}


def test_an_emulator_with_a_socket_needs_no_client_library() -> None:
    """It speaks to itself without one."""
    imported = imported_by(f"{MADE}; emulator = Emulator(); emulator.url('ezmodel')")
    assert "uvicorn" in imported
    assert not imported & UNUSED


def test_an_emulator_elsewhere_needs_no_framework_of_a_server() -> None:
    """Whoever only speaks to a container."""
    code = "from emulator import Emulator\ntry: Emulator(url='http://127.0.0.1:1')\nexcept Exception: pass"
    imported = imported_by(f"exec({code!r})")
    assert "httpx2" in imported
    assert not imported & {"uvicorn", "faker", "emulator.control", "emulator.embedded.story"}
