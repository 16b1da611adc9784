"""The strictness of the test run itself."""

from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

MODULES = {
    "test_mark": """
        import pytest

        @pytest.mark.skip(reason="no ffprobe: mark")
        def test_it():
            raise AssertionError
        """,
    "test_call": """
        import pytest

        def test_it():
            pytest.skip("no ffprobe: call")
        """,
    "test_fixture": """
        import pytest

        @pytest.fixture
        def tool():
            pytest.skip("no ffprobe: fixture")

        def test_it(tool):
            raise AssertionError
        """,
    "test_module": """
        import pytest

        pytest.skip("no ffprobe: module", allow_module_level=True)
        """,
    "test_xfail": """
        import pytest

        @pytest.mark.xfail(reason="known")
        def test_it():
            raise AssertionError
        """,
}


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A small suite under this suite's conftest: each way to skip, and a failure that is expected."""
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makepyfile(**MODULES)
    return pytester


def run(suite: pytest.Pytester) -> pytest.RunResult:
    """The suite's run, in a process of its own: its conftest sets Hypothesis up."""
    return suite.runpytest_subprocess("--continue-on-collection-errors")


def test_skips_fail_under_ci(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a test skips, CI's run fails and shows the reason; what is expected to fail may."""
    monkeypatch.setenv("CI", "true")
    result = run(suite)
    result.assert_outcomes(failed=1, errors=3, xfailed=1)
    for way in ("mark", "call", "fixture", "module"):
        result.stdout.fnmatch_lines_random([f"*CI allows no skips*no ffprobe: {way}*"])


def test_skips_are_allowed_elsewhere(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a person's machine a skip stays a skip."""
    monkeypatch.delenv("CI", raising=False)
    run(suite).assert_outcomes(skipped=4, xfailed=1)
