"""The strategies find what is wrong with clients, and shrink it to what an author would have written."""

from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings

from emulator import Client, Emulator
from emulator.core.units import MINUTE, Duration, format_duration
from emulator.fast_forward import FastForward, SleptTooLong
from emulator.scenario_file import load
from emulator.strategies import GeneratedScenario, scenarios
from tests.fuzzing.naive import (
    Careful,
    IgnoresCancelled,
    LoopsForEver,
    TakesThrottlingForFailure,
    TrustsTheLink,
    VideoFailed,
)
from tests.serving import process

LIMIT = "20m"
"""Twice as long as the careful client's patience."""
SHORT = "1m"
PROVIDERS = ["octopusx", "ezmodel"]
# Without the phase that explains: on Python 3.11 it traces every line of the emulator, too.
PHASES = [Phase.generate, Phase.shrink]
EXAMPLES = settings(max_examples=500, derandomize=True, database=None, phases=PHASES)


def judge(kind: type[Careful], emulator: Client, base_url: str, transport: Any = None) -> None:
    """Fails if this kind of client doesn't take whatever comes: a video, or the news that there is none."""
    with closing(kind(base_url, transport=transport)) as client, suppress(VideoFailed):
        assert client.video("A cat")
    unfinished = [
        task.status for task in emulator.tasks.list().tasks if task.status in ("queued", "processing")
    ]
    assert not unfinished, f"the client left a task that is {unfinished[0]}"
    emulator.assert_well_behaved()


def used(kind: type[Careful], provider: str, scenario: Mapping[str, Any]) -> None:
    """Fails if the client doesn't take what this scenario does to it, in a world of its own."""
    with Emulator(scenario, listen=False) as emulator, emulator.fast_forward(LIMIT):
        judge(kind, emulator, f"http://emulator/{provider}", emulator.transport())


def failure(kind: type[Careful], provider: str, scenario: Mapping[str, Any]) -> type[Exception] | None:
    """What is raised where the client breaks."""
    try:
        used(kind, provider, scenario)
    except (AssertionError, LookupError) as problem:
        return type(problem)
    return None


CANCELLED = """\
version: 1
about: The task is cancelled.
providers: octopusx
tasks:
  - timeline:
      - status: cancelled
"""
WITHOUT_LINK = """\
version: 1
about: The task completes without a link.
providers: ezmodel
tasks:
  - timeline:
      - status: completed
        video:
          url: none
"""
UNKNOWN_WORD = """\
version: 1
about: The task completes. Its status is printed as done.
providers: ezmodel
tasks:
  - timeline:
      - status: completed
        word: done
"""
THROTTLED = """\
version: 1
about: Poll 1 meets rate_limited.
providers: ezmodel
rules:
  - operation: poll
    calls: 1
    error: rate_limited
"""
# EzModel has no word for a cancelled task: it prints `failed`, which no client overlooks.
BUGS = pytest.mark.parametrize(
    ("kind", "provider", "minimal"),
    [
        (IgnoresCancelled, "octopusx", CANCELLED),
        (TrustsTheLink, "ezmodel", WITHOUT_LINK),
        (LoopsForEver, "ezmodel", UNKNOWN_WORD),
        (TakesThrottlingForFailure, "ezmodel", THROTTLED),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)


@BUGS
def test_it_finds_the_planted_bug_and_shrinks_it(kind: type[Careful], provider: str, minimal: str) -> None:
    """Of all scenarios that break the client the simplest one is found, to the letter."""
    found = find(
        scenarios(provider, max_duration=SHORT),
        lambda scenario: failure(kind, provider, scenario) is not None,
        settings=EXAMPLES,
    )
    assert found.yaml == minimal


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_finds_nothing_wrong_with_a_careful_client(provider: str) -> None:
    """A client that takes care of all this passes two hundred scenarios."""

    @settings(EXAMPLES, max_examples=200)
    @given(scenario=scenarios(provider, max_duration=SHORT))
    def holds(scenario: GeneratedScenario) -> None:
        used(Careful, provider, scenario)

    holds()


def test_a_careful_client_gives_up_on_a_stuck_task() -> None:
    """With ``stuck`` even a careful client meets a task that never ends: it leaves it, in time."""
    scenario = find(
        scenarios("ezmodel", stuck=True), lambda scenario: "stuck" in str(scenario), settings=EXAMPLES
    )
    assert failure(Careful, "ezmodel", scenario) is AssertionError
    assert failure(LoopsForEver, "ezmodel", scenario) is SleptTooLong


@BUGS
def test_the_yaml_reproduces_the_failure_through_serve(
    kind: type[Careful], provider: str, minimal: str, tmp_path: Path
) -> None:
    """What was printed, saved as a file, breaks the same client through the command, and not the careful one."""
    file = tmp_path / "found.yaml"
    file.write_text(minimal, encoding="utf-8")
    assert load(file).warnings == ()
    with process("--scenario", str(file), "--clock", "manual") as served, Client(served.url) as emulator:

        def advance(by: Duration) -> None:
            emulator.clock.advance(format_duration(by))

        base_url = f"{served.url}/{provider}"
        with FastForward(advance, limit=20 * MINUTE):
            judge(Careful, emulator, base_url)
        emulator.reset()
        with FastForward(advance, limit=20 * MINUTE), pytest.raises((AssertionError, LookupError)):
            judge(kind, emulator, base_url)


def test_a_failure_prints_the_minimal_yaml_and_no_other() -> None:
    """The failure's notes have the text of the minimal scenario, and of no other."""

    @settings(EXAMPLES)
    @given(scenario=scenarios("octopusx", max_duration=SHORT))
    def breaks(scenario: GeneratedScenario) -> None:
        assert failure(IgnoresCancelled, "octopusx", scenario) is None

    with pytest.raises(AssertionError) as caught:
        breaks()
    printed = "\n".join(caught.value.__notes__)
    assert printed.count("version: 1") == 1
    assert CANCELLED in printed
