"""What holds for every test run: no deadline decides a property, and CI lets no test skip."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

# Under CI Hypothesis has its own profile, as reproducible as can be; elsewhere only what is about time goes: no
# assertion of ours depends on how fast the machine is.
if "CI" not in os.environ:
    settings.register_profile("no-deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("no-deadline")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

pytest_plugins = ["pytester"]


@pytest.fixture
def project(
    pytester: pytest.Pytester, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> pytest.Pytester:
    """An empty project whose pytest has our plugin, whether or not the package is installed here.

    `pytester` comes first: it clears the variable.
    """
    options = ["-o asyncio_default_fixture_loop_scope=function"]  # pytest-asyncio warns where nobody says
    if not pytestconfig.pluginmanager.has_plugin("video_emulator"):
        # The warning: what is imported here already can't have its asserts rewritten, and it has none that count.
        options += ["-p emulator.pytest_plugin", "-W ignore::pytest.PytestAssertRewriteWarning"]
        monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(options))
    monkeypatch.delenv("CI", raising=False)  # there pytest tells each failure twice, at length
    return pytester


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI, report a skipped test as failed."""
    report = yield
    return _without_skip(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Under CI, report a module that skips as failed."""
    report = yield
    return _without_skip(report)


def _without_skip(report: Report) -> Report:
    expected_to_fail = hasattr(report, "wasxfail")
    if report.outcome == "skipped" and not expected_to_fail and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: CI allows no skips, and this one skipped. {reason}"
    return report
