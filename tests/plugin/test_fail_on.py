"""What fails a test besides its own assertions, where a marker or the settings ask for it."""

import pytest

from tests.plugin.conftest import Run

BAD = """
{marker}
def test_it(video_emulator):
    client = Client(video_emulator)
    task = client.create()
    video_emulator.tasks.cancel(task)
    for _ in range(3):
        client.status(task)
    client.call("GET", "/v1/nothing")
"""
UNUSED = "unused: the test met only a part of the scenario slow-queue; it never came to:"
UNEXPECTED = "unexpected: the client sent requests that are no operation of a provider's:"
FINDINGS = "findings: *"
TOLD = {"unused": UNUSED, "unexpected": UNEXPECTED, "findings": FINDINGS}


def told(result: pytest.RunResult) -> set[str]:
    """What the report of the one test tells."""
    text = result.stdout.str().partition("short test summary")[0]
    return {name for name in TOLD if f"\n{name}: " in text}


@pytest.mark.parametrize("name", TOLD)
def test_each_fails_a_test_by_itself(run: Run, name: str) -> None:
    """With what was found, and no traceback."""
    result = run(BAD.format(marker=f"@pytest.mark.scenario('slow-queue', fail_on={name!r})"))
    result.assert_outcomes(failed=1)
    assert told(result) == {name}
    result.stdout.fnmatch_lines([TOLD[name]])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*emulator/plugin*")


def test_what_is_unused_is_told_by_its_place(run: Run) -> None:
    """Entries, rules, rejections and limits; of a choice that nobody got, its timeline isn't told besides."""
    result = run(
        """
        @pytest.mark.scenario('''
        version: 1
        name: much
        auth: {reject: [{key: sk-bad, error: invalid_token}]}
        limits:
          - {operation: poll, limit: 100}
        tasks:
          - match: {prompt: rare}
          - timeline:
              - {status: queued, for: 1s}
              - {status: failed}
        rules:
          - {operation: poll, calls: 9, error: internal, about: The ninth.}
        '''.replace("\\n        ", "\\n"), fail_on="unused")
        def test_it(video_emulator):
            client = Client(video_emulator)
            client.status(client.create())
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "unused: the test met only a part of the scenario much; it never came to:",
            "  tasks[[]0].timeline[[]0] (line 8): *",
            "  tasks[[]1].timeline[[]1] (line 9): *",
            "  rules[[]0] (line 13): *",
            "  auth.reject[[]0]: *",
            "  limits[[]0] (line 6): *",
        ]
    )
    result.stdout.no_fnmatch_line("  tasks[[]1].timeline[[]0]*")


def test_a_scenario_that_was_used_up_passes(run: Run) -> None:
    """So does one that nobody chose, the happy path; and the timeline that a scenario leaves out isn't its own."""
    result = run(
        """
        @pytest.mark.scenario("slow-queue", fail_on="unused")
        def test_all(video_emulator):
            client = Client(video_emulator)
            task = client.create()
            client.status(task)
            for _ in range(2):
                video_emulator.clock.advance_to_next()
                client.status(task)

        @pytest.mark.scenario(fail_on="all")
        def test_happy(video_emulator):
            Client(video_emulator).create()

        @pytest.mark.scenario({"version": 1, "rules": [{"operation": "create", "error": "internal"}]}, fail_on="unused")
        def test_rule(video_emulator):
            Client(video_emulator).call("POST", "/v1/videos", {"prompt": "a cat"})
        """
    )
    result.assert_outcomes(passed=3)


def test_a_scenario_that_nobody_met_is_all_unused(run: Run) -> None:
    """A test that creates nothing has met nothing."""
    result = run("@pytest.mark.scenario('slow-queue', fail_on='unused')\ndef test_it(video_emulator): pass")
    result.assert_outcomes(failed=1)
    assert told(result) == {"unused"}


def test_of_many_the_first_ten_are_told(run: Run) -> None:
    """And how many more there are."""
    result = run(
        """
        @pytest.mark.scenario(fail_on="unexpected")
        def test_it(video_emulator):
            for number in range(13):
                Client(video_emulator).call("GET", f"/v1/nothing/{number}")
        """
    )
    result.assert_outcomes(failed=1)
    assert result.stdout.str().count("\n  GET ") == 10
    result.stdout.fnmatch_lines(["  GET *nothing/9: 404", "  and 3 more"])


@pytest.mark.parametrize(
    ("marker", "option", "setting", "expected"),
    [
        ("", "", "", set()),
        ("", "unused", "", {"unused"}),
        ("", "", "unexpected", {"unexpected"}),
        ("", "findings", "unexpected", {"findings"}),
        ("", "unused,unexpected", "", {"unused", "unexpected"}),
        ("", "", "unused findings", {"unused", "findings"}),
        ("", "all", "", set(TOLD)),
        ("", "none", "all", set()),
        ("()", "all", "", set()),
        ("[]", "all", "", set()),
        ("'none'", "all", "", set()),
        ("['unused']", "all", "", {"unused"}),
        ("{'unused', 'findings'}", "", "", {"unused", "findings"}),
        ("None", "unused", "", {"unused"}),
    ],
)
def test_the_marker_goes_before_the_option_and_that_before_the_setting(
    run: Run, pytester: pytest.Pytester, marker: str, option: str, setting: str, expected: set[str]
) -> None:
    """And all that is found is told at once."""
    run("")
    if setting:
        pytester.makeini(f"[pytest]\nvideo_emulator_fail_on = {setting}\n")
    fail_on = f", fail_on={marker}" if marker else ""
    test = BAD.format(marker=f"@pytest.mark.scenario('slow-queue'{fail_on})")
    pytester.makepyfile(test_it=f"import pytest\nfrom client import Client\n{test}")
    result = pytester.runpytest_inprocess(*([f"--video-emulator-fail-on={option}"] if option else []))
    result.assert_outcomes(failed=1 if expected else 0, passed=0 if expected else 1)
    assert told(result) == expected


def test_a_test_that_fails_by_itself_isn_t_told_twice(run: Run) -> None:
    """Its own failure is what counts; a skipped one is skipped, an expected failure is one."""
    result = run(
        BAD.format(marker="@pytest.mark.scenario('slow-queue', fail_on='all')")
        + "    assert not client\n"
        + BAD.format(marker="@pytest.mark.xfail\n@pytest.mark.scenario('slow-queue', fail_on='all')").replace(
            "test_it", "test_xfail"
        )
        + BAD.format(marker="@pytest.mark.skip\n@pytest.mark.scenario('slow-queue', fail_on='all')").replace(
            "test_it", "test_skip"
        )
    )
    result.assert_outcomes(failed=1, xfailed=1, skipped=1)
    assert told(result) == set()


def test_a_test_that_is_coroutine_is_judged_too(run: Run) -> None:
    """As any other."""
    result = run(
        """
        @pytest.mark.asyncio
        @pytest.mark.scenario("slow-queue", fail_on="unused")
        async def test_it(video_emulator):
            assert (await video_emulator.aio.health()).scenario == "slow-queue"
        """
    )
    result.assert_outcomes(failed=1)
    assert told(result) == {"unused"}
