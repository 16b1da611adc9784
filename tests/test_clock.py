"""Clocks: real, scaled, standing still; moved forward, never back."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from time import monotonic  # noqa: TID251 - the real time that the clocks are held against

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.clock import MODES, Clock, ClockRefused, breathe, happens, wall_time
from emulator.core.scenario import ClockMode, ClockSettings
from emulator.core.task import Task, state_at
from emulator.core.units import DAY, HOUR, LAST_INSTANT, MINUTE, SECOND, parse_instant
from tests.strategies import CREATED_AT, lived, tasks

START = parse_instant("2025-01-01T00:00:00Z")
STILL: tuple[ClockMode, ...] = ("manual", "auto")


def clock(mode: ClockMode = "manual", scale: float = 1.0, start: int | None = START) -> Clock:
    """A clock that begins at a known instant."""
    return Clock(ClockSettings(mode=mode, scale=scale, start=start))


def elapsed(make: Callable[[], Clock], then: Callable[[Clock], None]) -> tuple[int, float, float]:
    """What a clock shows at last, and the least and the most real time in seconds that passed on it."""
    before = monotonic()
    made = make()
    begun = monotonic()
    then(made)
    ended = monotonic()
    shown = made.now()
    return shown, ended - begun, monotonic() - before


# Cutting


@given(st.lists(st.integers(0, 3 * HOUR), max_size=30), st.sampled_from(STILL))
def test_ends_at_the_same_instant_however_time_is_cut(pieces: Sequence[int], mode: ClockMode) -> None:
    """Advancing by pieces leads where advancing by their sum leads, and through their partial sums."""
    cut, whole = clock(mode), clock(mode)
    shown = [cut.advance(piece) for piece in pieces]
    assert shown == [START + passed for passed in accumulate(pieces)]
    assert cut.now() == whole.advance(sum(pieces)) == whole.now()


@given(tasks(), st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_shows_a_task_the_same_however_time_is_cut(task: Task, pieces: Sequence[int]) -> None:
    """What a task looks like at an instant doesn't depend on the steps that led there."""
    cut = clock(start=CREATED_AT)
    for piece in pieces:
        now = cut.advance(piece)
        whole = clock(start=CREATED_AT)
        assert state_at(task, now) == state_at(task, whole.advance(now - CREATED_AT))


@given(tasks(counts_polls=False), st.lists(st.integers(0, 9), min_size=1, max_size=12))
def test_polls_on_the_way_see_what_a_jump_would_have_seen(task: Task, pieces: Sequence[int]) -> None:
    """Where time alone ends entries, polls on the way change nothing of what is seen at the end."""
    life = lived(task, pieces)
    assert state_at(life[-1].after, life[-1].now) == state_at(task, CREATED_AT + sum(pieces))


# Modes


@pytest.mark.parametrize("mode", STILL)
def test_stands_still_until_told(mode: ClockMode) -> None:
    """A manual clock and an auto one show their start until somebody moves them."""
    still = clock(mode)
    assert [still.now() for _ in range(1000)] == [START] * 1000
    assert still.advance(5 * MINUTE) == START + 5 * MINUTE
    assert still.move_to(START + HOUR) == still.now() == START + HOUR
    assert still.move_to(START + HOUR) == START + HOUR


@pytest.mark.parametrize(
    ("mode", "scale"), [("real", 1.0), ("scaled", 60.0), ("scaled", 0.25), ("scaled", 1e6)]
)
def test_runs_with_real_time_at_its_scale(mode: ClockMode, scale: float) -> None:
    """A clock shows its start and the real time since then, times its scale."""
    shown, least, most = elapsed(lambda: clock(mode, scale), ask_for_a_while)
    assert int(least * scale * SECOND) - scale - 1 <= shown - START <= most * scale * SECOND + scale + 1


def ask_for_a_while(running: Clock) -> None:
    """Ask a clock so often that a few milliseconds pass."""
    for _ in range(20_000):
        running.now()


@pytest.mark.parametrize("mode", ["real", "scaled"])
def test_never_goes_back_by_itself(mode: ClockMode) -> None:
    """Readings in a row never fall, across changes of mode and scale too."""
    running = clock(mode, 60.0)
    readings = []
    for number in range(300):
        readings.append(running.now())
        if number % 100 == 50:
            running.change("scaled", 1.0 + number)
        if number % 100 == 90:
            running.change("real", 1.0)
    assert all(earlier <= later for earlier, later in pairwise(readings))
    assert readings[0] < readings[-1]


def test_begins_with_the_wall_clock() -> None:
    """A clock without a start begins at the machine's own time."""
    before = wall_time()
    for mode in MODES:
        assert before <= clock(mode, start=None).now()
    assert clock("manual", start=None).now() <= wall_time()


@pytest.mark.parametrize("mode", MODES)
def test_moves_forward_in_any_mode(mode: ClockMode) -> None:
    """Advancing adds to what the clock shows, and a running clock runs on from there."""
    moved = clock(mode, 60.0)
    before = moved.now()
    after = moved.advance(DAY)
    assert before + DAY <= after <= moved.now()
    assert moved.mode == mode


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("other", MODES)
def test_goes_on_from_the_present_instant_in_another_mode(mode: ClockMode, other: ClockMode) -> None:
    """A change of mode keeps the instant: nothing is skipped and nothing repeated."""
    changed = clock(mode, 1e6)
    changed.advance(HOUR)
    before, started = changed.now(), monotonic()
    changed.change(other, 1e6)
    most = (monotonic() - started) * 1e6 * SECOND
    assert changed.mode == other
    assert before <= changed.now() <= before + most + (monotonic() - started) * 1e6 * SECOND + 1e6


def test_keeps_its_scale_only_while_scaled() -> None:
    """A clock that isn't scaled has the scale 1."""
    changed = clock("scaled", 60.0)
    assert changed.scale == 60.0
    changed.change("manual", 60.0)
    assert changed.scale == 1.0


# Refusals


@pytest.mark.parametrize("mode", STILL)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.advance(-1), "never goes backwards; advance it by a positive duration such as 5m"),
        (
            lambda c: c.move_to(START - 1),
            "it shows 2025-01-01T00:00:00Z, which is later than 2024-12-31T23:59:59.999999Z",
        ),
        (lambda c: c.move_to(-(1 << 70)), "never goes backwards"),
        (lambda c: c.advance(LAST_INSTANT), "ends with the year 9999"),
        (lambda c: c.advance(1 << 80), "ends with the year 9999"),
        (lambda c: c.move_to(LAST_INSTANT + 1), "ends with the year 9999"),
    ],
    ids=["negative", "backwards", "far backwards", "too far", "far too far", "past the end"],
)
def test_is_unchanged_by_what_it_refuses(
    mode: ClockMode, change: Callable[[Clock], int], message: str
) -> None:
    """A clock that refuses says why and what would work, and shows what it showed before."""
    asked = clock(mode)
    with pytest.raises(ClockRefused, match=message):
        change(asked)
    assert (asked.now(), asked.mode, asked.scale) == (START, mode, 1.0)


@pytest.mark.parametrize("mode", ["real", "scaled"])
def test_refuses_while_it_runs(mode: ClockMode) -> None:
    """A running clock refuses as well, and runs on."""
    running = clock(mode, 60.0)
    refused: list[Callable[[], int]] = [
        lambda: running.advance(-1),
        lambda: running.move_to(START - 1),
        lambda: running.advance(1 << 80),
    ]
    for change in refused:
        before = running.now()
        with pytest.raises(ClockRefused):
            change()
        assert before <= running.now() < before + DAY
        assert running.mode == mode


@pytest.mark.parametrize("mode", MODES)
def test_stops_at_the_end_of_the_calendar(mode: ClockMode) -> None:
    """The last instant can be reached, and no clock runs past it."""
    last = clock(mode, 1e6)
    assert last.move_to(LAST_INSTANT) == LAST_INSTANT
    assert [last.now() for _ in range(100)] == [LAST_INSTANT] * 100
    assert last.advance(0) == LAST_INSTANT


@pytest.mark.parametrize("mode", MODES)
def test_says_whether_it_could_move_and_doesnt(mode: ClockMode) -> None:
    """What it would refuse it refuses when it is asked; nothing moves either way."""
    asked = clock(mode, start=LAST_INSTANT - DAY)
    asked.check(LAST_INSTANT)
    for wrong in (START, LAST_INSTANT + 1):
        with pytest.raises(ClockRefused):
            asked.check(wrong)
    assert asked.now() < LAST_INSTANT - DAY + HOUR


@pytest.mark.parametrize("mode", MODES)
def test_reaches_what_is_ahead_and_leaves_be_what_has_passed(mode: ClockMode) -> None:
    """So that what falls due while it runs needs no look at it before."""
    moved = clock(mode)
    moved.reach(START + HOUR)
    moved.reach(START)
    assert START + HOUR <= moved.now() < START + 2 * HOUR
    with pytest.raises(ClockRefused, match="year 9999"):
        moved.reach(LAST_INSTANT + 1)


def test_knows_how_much_real_time_passes_before_an_instant() -> None:
    """By its scale; never where it stands still, or past its end; none where the instant has passed."""
    for standing in map(clock, STILL):
        assert standing.real_until(START + HOUR) is None
    scaled = clock("scaled", 3600.0)
    wait = scaled.real_until(START + DAY)
    assert wait is not None
    assert 23 * SECOND < wait <= 24 * SECOND
    assert scaled.real_until(START - HOUR) == 0
    assert scaled.real_until(LAST_INSTANT + 1) is None


# Waiting


def test_waits_for_an_event_or_for_so_long() -> None:
    """It says which of the two it was."""

    async def scene() -> tuple[bool, bool, bool]:
        event = asyncio.Event()
        early = await happens(event, 1)
        asyncio.get_running_loop().call_soon(event.set)
        return early, await happens(event, HOUR), await happens(event, 0)

    assert asyncio.run(scene()) == (False, True, True)


def test_lets_others_go_on() -> None:
    """Whoever was ready has had their turn."""

    async def scene() -> list[str]:
        turns: list[str] = []
        asyncio.get_running_loop().call_soon(turns.append, "other")
        await breathe()
        return [*turns, "mine"]

    assert asyncio.run(scene()) == ["other", "mine"]


def pause(on: Clock, duration: int) -> None:
    """Wait, but not for minutes: a clock that doesn't divide by its scale would."""
    asyncio.run(asyncio.wait_for(on.pause(duration), 60))


def test_waits_in_real_time_divided_by_the_scale() -> None:
    """Under a scale of a billion a day's latency is over at once."""
    pause(clock("scaled", 1e9), DAY)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("duration", [0, -HOUR])
def test_does_not_wait_for_nothing(mode: ClockMode, duration: int) -> None:
    """No latency, or a negative one, takes no time."""
    pause(clock(mode), duration)


@pytest.mark.parametrize("mode", ["real", "manual", "auto"])
def test_waits_in_real_time_in_other_modes(mode: ClockMode) -> None:
    """In modes without a scale a latency takes the time that it says, also where the clock stands still."""

    async def is_over_soon() -> bool:
        waiting = asyncio.ensure_future(clock(mode, 1e9).pause(HOUR))
        done, _ = await asyncio.wait({waiting}, timeout=0.01)
        waiting.cancel()
        return bool(done)

    assert not asyncio.run(is_over_soon())
