"""Whatever happens to a task, a client sees the same of its recording."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from emulator.core.units import SECOND
from emulator.core.words import Profile
from emulator.providers import by_name
from emulator.recorder.dating import dated
from emulator.recorder.progress import segments
from emulator.strategies import scenarios
from tests.recorder.stage import Client, assert_alike, talk_again, talk_with

FEW = 8
"""Each is two conversations over sockets. Hundreds were run once; these stay in watch."""


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("provider", by_name)
def test_a_recording_shows_the_same(
    provider: str, profile: Profile, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of any timeline, with any rules, in either face of the provider: each answer in its place."""
    file = tmp_path_factory.mktemp("recording") / "recorded.yaml"
    talk = partial(Client.talk, most=24)

    @settings(max_examples=FEW)
    @given(scenarios(provider, stuck=True, max_delay="0s", profile=profile.value))
    def holds(scenario: Any) -> None:
        seen, recorded = talk_with(scenario.yaml, provider, file, talk=talk)
        note(recorded.text)
        again = talk_again(recorded.text, provider, talk=talk)
        assert_alike(seen, again, recorded.text)
        assert recorded.alike == recorded.exchanges

    holds()


@given(
    low=st.integers(0, 10**9),
    gap=st.integers(1, 10**8),
    announced=st.none() | st.integers(-(10**9), 2 * 10**9),
    foreseen=st.none() | st.integers(-(10**9), 2 * 10**9),
)
def test_a_change_is_dated_between_the_polls_that_saw_it(
    low: int, gap: int, announced: int | None, foreseen: int | None
) -> None:
    """After the one that saw the state before, and not after the one that saw the state behind it."""
    assert low < dated(low, low + gap, announced, foreseen) <= low + gap


def test_a_change_is_dated_as_announced_where_that_can_be() -> None:
    """Whole seconds are believed to within one and a half; what lies farther off isn't."""
    assert dated(2 * SECOND, 4 * SECOND, 3 * SECOND, None) == 3 * SECOND
    assert dated(2 * SECOND, 4 * SECOND, 5 * SECOND, None) == 4 * SECOND
    assert dated(2 * SECOND, 4 * SECOND, 50 * SECOND, None) == 3 * SECOND
    assert dated(2 * SECOND, 4 * SECOND, None, 3_500_000) == 3_500_000
    assert dated(2 * SECOND, 4 * SECOND, None, None) == 3 * SECOND


@given(
    values=st.lists(st.integers(0, 100), min_size=1, max_size=30),
    floor=st.integers(0, 100),
    is_open=st.booleans(),
)
def test_progress_is_told_as_it_was_seen(values: list[int], floor: int, is_open: bool) -> None:
    """Each number to within one per cent, whether it rises, falls or stands, in an entry that ends or doesn't."""
    points = [(number * SECOND, value) for number, value in enumerate(values, 1)]
    end = None if is_open else (len(values) + 1) * SECOND
    begins, left = 0, floor
    for part in segments(points, 0, end, floor, floor):
        ends = end if part.ends is None else part.ends
        for at, value in points:
            if begins <= at and (ends is None or at < ends):
                shown = shown_at(part.progress, at, begins, ends, left)
                assert abs(shown - value) <= 1
        left = left if part.progress is None else floor_of(part.progress, left)
        begins = begins if ends is None else ends


def shown_at(progress: Any, at: int, begins: int, ends: int | None, floor: int) -> int:
    """What the emulator prints, in other words than its own."""
    if progress is None:
        return floor
    if isinstance(progress, int):
        return progress
    assert ends is not None
    exact = int(progress.start + (progress.end - progress.start) * (at - begins) // (ends - begins))
    return max(floor, exact)


def floor_of(progress: Any, floor: int) -> int:
    """The least that follows."""
    if isinstance(progress, int):
        return progress
    return int(max(floor, progress.end))
