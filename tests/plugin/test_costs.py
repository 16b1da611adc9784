"""What the plugin costs a run that doesn't use it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The modules of ours, and of what we depend on, that a run of one test imports."""
    (folder / "conftest.py").write_text(
        "import sys\n"
        "def pytest_unconfigure(config):\n"
        "    print('LOADED', *sorted(name for name in sys.modules if name.startswith(OURS)))\n"
        "OURS = ('emulator', 'msgspec', 'starlette', 'uvicorn', 'httpx2', 'yaml', 'orjson', 'uvloop', 'anyio')\n"
    )
    (folder / "test_it.py").write_text("def test_it(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "emulator.pytest_plugin", *arguments, str(folder)]
    environment = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, env=environment, cwd=folder, check=True
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOADED"))
    return set(line.split()[1:])


def test_it_imports_nothing_of_ours_but_itself(tmp_path: Path) -> None:
    """Neither the emulator nor anything that it needs."""
    assert loaded(tmp_path) == {"emulator", "emulator.pytest_plugin"}


def test_settings_that_are_written_down_cost_little(tmp_path: Path) -> None:
    """They are read before the first test, and the emulator isn't loaded for it."""
    found = loaded(tmp_path, "--video-emulator-seed", "7", "--video-emulator-fail-on", "all")
    assert "emulator.plugin.settings" in found
    assert not found & {"emulator.app", "emulator.client", "starlette", "uvicorn", "httpx2", "yaml"}


def test_a_failing_test_of_somebody_else_s_costs_nothing(tmp_path: Path, pytester: pytest.Pytester) -> None:
    """Nothing is told, so nothing is loaded: neither for an exception nor for a group of them."""
    pytester.makepyfile(
        test_it="""
        import sys

        def test_group():
            raise ExceptionGroup("both", [ValueError("one"), TypeError("two")])

        def test_single():
            assert 0

        def test_loaded():
            assert [name for name in sys.modules if name.startswith("emulator.")] == ["emulator.pytest_plugin"]
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(failed=2, passed=1)
