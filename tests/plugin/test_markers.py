"""The marker `scenario`: what a world begins with, and what a wrong one is told."""

from inspect import signature
from pathlib import Path

import pytest

from emulator import pytest_plugin
from emulator.plugin import marks
from tests.plugin.conftest import Run

TEXT = "version: 1\nname: told\ntasks: [{timeline: [{status: failed, error: internal}]}]\n"


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("'slow-queue'", "slow-queue"),
        ("'beside.yaml'", "beside"),
        ("Path('beside.yaml')", "beside"),
        ("'below/other.json'", "other"),
        (repr(TEXT), "told"),
        ("'version: 1\\nabout: It has no name.\\n'", "inline"),
        ("{'version': 1, 'name': 'mapped'}", "mapped"),
        ("{'version': 1}", "inline"),
        ("None", "happy-path"),
    ],
)
def test_it_takes_a_scenario_in_every_form(run: Run, pytester: pytest.Pytester, what: str, name: str) -> None:
    """A name, the path of a file, a text, or keys and values."""
    (pytester.path / "beside.yaml").write_text("version: 1\n")
    (pytester.path / "below").mkdir()
    (pytester.path / "below" / "other.json").write_text('{"version": 1}')
    result = run(
        f"""
        from pathlib import Path

        @pytest.mark.scenario({what})
        def test_it(video_emulator):
            assert video_emulator.scenarios.active().name == {name!r}
        """
    )
    result.assert_outcomes(passed=1)


def test_a_path_begins_at_the_test_then_at_the_root(run: Run, pytester: pytest.Pytester) -> None:
    """As people write them: beside the test's file, or as they see it from where pytest's settings are."""
    for folder, about in (("sub", "near"), (".", "far")):
        (pytester.path / folder).mkdir(exist_ok=True)
        (pytester.path / folder / "both.yaml").write_text(f"version: 1\nabout: {about}\n")
    (pytester.path / "root.yaml").write_text("version: 1\nabout: root\n")
    run("")
    (pytester.path / "sub" / "test_sub.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('about', [\n"
        "    pytest.param('near', marks=pytest.mark.scenario('both.yaml')),\n"
        "    pytest.param('root', marks=pytest.mark.scenario('root.yaml')),\n"
        "])\n"
        "def test_it(video_emulator, about):\n"
        "    assert f'about: {about}' in video_emulator.scenarios.get(video_emulator.health().scenario).text\n"
    )
    pytester.runpytest_inprocess("sub").assert_outcomes(passed=2)


CLOCKED = "{'version': 1, 'clock': {'mode': 'scaled', 'scale': 60, 'start': '2026-01-01T00:00:00Z'}}"


@pytest.mark.parametrize(
    ("marker", "mode", "now"),
    [
        ("", "manual", None),
        ("'slow-queue'", "manual", None),
        ("start='2025-01-01T00:00:00Z'", "manual", "2025-01-01T00:00:00Z"),
        ("clock='auto'", "auto", None),
        ("clock='real'", "real", None),
        ("clock='scaled:60'", "scaled", None),
        (CLOCKED, "scaled", None),
        (f"{CLOCKED}, clock='manual', start='2025-01-01T00:00:00Z'", "manual", "2025-01-01T00:00:00Z"),
        ("'clocked'", "scaled", None),
        ("'clocked', clock='manual'", "manual", "2026-01-01T00:00:00Z"),
        ("'clocked', start='2025-01-01T00:00:00Z'", "scaled", None),
    ],
)
def test_the_clock_is_manual_unless_somebody_says_otherwise(
    run: Run, pytester: pytest.Pytester, marker: str, mode: str, now: str | None
) -> None:
    """The marker goes before the scenario."""
    (pytester.path / "clocked.yaml").write_text(
        'version: 1\nclock: {mode: scaled, scale: 60, start: "2026-01-01T00:00:00Z"}\n'
    )
    result = run(
        f"""
        @pytest.mark.scenario({marker})
        def test_it(video_emulator):
            state = video_emulator.clock.state()
            assert state.mode == {mode!r}
            assert {now!r} in (None, state.now)
        """,
        "--video-emulator-scenarios=.",
    )
    result.assert_outcomes(passed=1)


def test_the_closest_marker_goes_first(run: Run) -> None:
    """Argument by argument: of the test, of a parameter, of its class, of its module."""
    result = run(
        """
        pytestmark = pytest.mark.scenario("slow-queue", start="2025-01-01T00:00:00Z", seed=1)

        def shown(emulator):
            return emulator.health().scenario, emulator.clock.state().mode, emulator.clock.state().now[:4]

        def test_module(video_emulator):
            assert shown(video_emulator) == ("slow-queue", "manual", "2025")

        @pytest.mark.scenario("rate-limited", clock="auto")
        class TestClass:
            def test_class(self, video_emulator):
                assert shown(video_emulator) == ("rate-limited", "auto", "2025")

            @pytest.mark.scenario(start="2024-01-01T00:00:00Z")
            def test_method(self, video_emulator):
                assert shown(video_emulator) == ("rate-limited", "auto", "2024")

            @pytest.mark.parametrize("name", [
                pytest.param("flaky-polls", marks=pytest.mark.scenario("flaky-polls")),
                pytest.param("rate-limited"),
            ])
            def test_parameter(self, video_emulator, name):
                assert shown(video_emulator) == (name, "auto", "2025")
        """
    )
    result.assert_outcomes(passed=5)


def test_it_sets_seed_and_profile(run: Run) -> None:
    """The same seed gives the same ids; the profile is for scenarios that name none."""
    result = run(
        """
        ids = set()

        @pytest.mark.parametrize("number", range(2))
        @pytest.mark.scenario(seed=7)
        def test_seed(video_emulator, number):
            ids.add(Client(video_emulator).create())
            assert len(ids) == 1

        @pytest.mark.scenario(seed="another")
        def test_other(video_emulator):
            assert Client(video_emulator).create() not in ids

        @pytest.mark.scenario(profile="current")
        def test_profile(video_emulator):
            client = Client(video_emulator)
            assert client.status(client.create()) == "queued"
        """
    )
    result.assert_outcomes(passed=4)


WRONG = {
    "'slow-qeue'": "@pytest.mark.scenario: *slow-qeue*slow-queue*",
    "'nowhere.yaml'": "@pytest.mark.scenario: *there is none at *nowhere.yaml",
    "{'version': 1, 'taks': []}": "scenario:1:*'taks'; did you mean 'tasks'[?]",
    "'version: 1\\nname: odd\\nrules: [{operation: pol}]\\n'": "scenario:3:*did you mean 'poll'[?]",
    "7": "@pytest.mark.scenario: *expected*7*",
    "clock='sometimes'": "@pytest.mark.scenario: clock: expected real, scaled:60, manual or auto, got 'sometimes'",
    "start='yesterday'": "@pytest.mark.scenario: *expected an instant*yesterday*",
    "start=__import__('datetime').datetime(2025, 1, 1)": "@pytest.mark.scenario: start: *zone*",
    "profile='new'": "@pytest.mark.scenario: profile: *current*new*",
    "seed=1.5": "@pytest.mark.scenario: seed: *whole number*1.5*",
    "fail_on='unsued'": "@pytest.mark.scenario: fail_on: expected some of unused*got 'unsued'",
    "fail_on=5": "@pytest.mark.scenario: fail_on: expected some of unused*got 5",
    "'slow-queue', 'auto'": "@pytest.mark.scenario: too many positional arguments; it takes what, clock*",
    "clok='auto'": "@pytest.mark.scenario: *'clok'; it takes what, clock, start, seed, profile, fail_on",
}


@pytest.mark.parametrize(("marker", "told"), WRONG.items(), ids=list(WRONG))
def test_a_wrong_one_is_told_in_one_message(run: Run, marker: str, told: str) -> None:
    """What was expected, what came; and no traceback of ours."""
    result = run(f"@pytest.mark.scenario({marker})\ndef test_it(video_emulator): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_it*", told])
    text = result.stdout.str()
    assert "During handling" not in text
    assert "direct cause" not in text
    assert "Traceback" not in text
    assert ".py:" not in text.partition("ERROR at setup")[2].partition("short test summary")[0]


def test_every_mistake_of_a_file_is_told_with_its_line(run: Run, pytester: pytest.Pytester) -> None:
    """As `video-emulator validate` prints them."""
    (pytester.path / "odd.yaml").write_text(
        "version: 1\nrules:\n  - {operation: pol}\n  - {eror: internal}\n"
    )
    result = run("@pytest.mark.scenario('odd.yaml')\ndef test_it(video_emulator): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "@pytest.mark.scenario: the scenario has mistakes",
            "*odd.yaml:3:*pol*",
            "*^*",
            "*odd.yaml:4:*eror*",
            "*^*",
        ]
    )


def test_a_test_without_the_fixture_may_have_it(run: Run) -> None:
    """Classes and modules have markers for those of their tests that use the fixture."""
    result = run(
        """
        pytestmark = [pytest.mark.scenario("no-such-scenario"), pytest.mark.fast_forward]

        def test_it():
            pass
        """
    )
    result.assert_outcomes(passed=1)


def test_both_are_known_to_pytest(run: Run) -> None:
    """`pytest --markers` tells what they take; under --strict-markers they are no strangers."""
    result = run(
        """
        @pytest.mark.scenario("slow-queue")
        @pytest.mark.fast_forward(limit="1h")
        def test_it(video_emulator):
            pass
        """,
        "--strict-markers",
    )
    result.assert_outcomes(passed=1)
    listed = run("", "--markers").stdout
    listed.fnmatch_lines(
        [
            "@pytest.mark.scenario(what=None, [*], clock=None, start=None, seed=None, profile=None, fail_on=None): *",
            "@pytest.mark.fast_forward(limit='6h'): *",
        ]
    )


def test_what_markers_tells_is_what_they_take() -> None:
    """Name by name, default by default."""
    for line, take in zip(pytest_plugin.MARKERS, marks.TAKEN.values(), strict=True):
        told = line.partition("(")[2].partition("):")[0]
        taken = ", ".join(str(p).replace(": Any = ", "=") for p in signature(take).parameters.values())
        assert told.replace("*, ", "") == taken


def test_a_folder_beside_the_tests_is_no_scenario(run: Run, tmp_path: Path) -> None:
    """The path of a folder is told to be none of a file."""
    result = run(f"@pytest.mark.scenario({str(tmp_path)!r})\ndef test_it(video_emulator): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["@pytest.mark.scenario: *expected the path of a file*"])
