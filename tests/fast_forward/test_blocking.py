"""Blocking sleeps: what they do to the clock, to time as it is read, and to everybody else."""

import asyncio
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from time import monotonic as imported_monotonic
from time import sleep as imported_sleep
from typing import Any

import pytest

from emulator.core.units import DAY, HOUR, MINUTE, SECOND
from emulator.fast_forward import FastForward, SleptTooLong


def in_thread(function: Callable[[], Any]) -> Any:
    """What a function gives or raises in another thread."""
    given: list[Any] = []

    def run() -> None:
        try:
            given.append(function())
        except Exception as problem:  # noqa: BLE001 - handed over
            given.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return given[0]


# What a sleep is


@pytest.mark.parametrize(
    ("seconds", "moved"),
    [
        (5, 5 * SECOND),
        (0.1, SECOND // 10),
        (1.1, 1_100_000),
        (600.0, 10 * MINUTE),
        (1e-9, 1),
        (True, SECOND),
        (86_400, DAY),
    ],
)
def test_moves_the_clock_by_a_sleep(seconds: float, moved: int) -> None:
    """A sleep is one advance by as many microseconds, and at least by one."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY) as forward:
        time.sleep(seconds)
    assert advances == [moved]
    assert forward.slept == moved


@pytest.mark.parametrize("seconds", [float("nan"), -1, -0.5, float("inf"), 1e10, 10**30, "5", None, 1j])
def test_refuses_what_the_real_one_refuses(seconds: Any) -> None:
    """The same exception with the same text, and the clock stands."""
    advances: list[int] = []
    with pytest.raises((TypeError, ValueError, OverflowError)) as real:
        time.sleep(seconds)
    with FastForward(advances.append, limit=DAY), pytest.raises(real.type) as got:
        time.sleep(seconds)
    assert str(got.value) == str(real.value)
    assert advances == []


def test_leaves_a_sleep_of_nothing_alone() -> None:
    """`time.sleep(0)` lets other threads run, and moves nothing."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY) as forward:
        time.sleep(0)
        time.sleep(0.0)
    assert (advances, forward.slept) == ([], 0)


READINGS: list[tuple[Callable[[], float], int]] = [
    # By name each time: the function itself would be the real one.
    (lambda: time.monotonic(), 1),  # noqa: PLW0108
    (lambda: time.time(), 1),  # noqa: PLW0108
    (lambda: time.monotonic_ns(), 10**9),  # noqa: PLW0108
    (lambda: time.time_ns(), 10**9),  # noqa: PLW0108
    (lambda: imported_monotonic(), 1),  # noqa: PLW0108
]


@pytest.mark.parametrize(
    ("read", "unit"), READINGS, ids=["monotonic", "time", "monotonic_ns", "time_ns", "imported"]
)
def test_lets_time_follow(read: Callable[[], float], unit: int) -> None:
    """Ten minutes of sleep pass on each of the clocks, for this thread alone, and are gone afterwards."""
    before = read()
    with FastForward(lambda _: None, limit=DAY):
        time.sleep(600)
        inside, elsewhere = read(), in_thread(read)
    after = read()
    assert 600 * unit <= inside - before < 1200 * unit
    assert 0 <= elsewhere - before < 600 * unit
    assert elsewhere <= after < inside


def test_reads_a_clients_time_out() -> None:
    """A client that gives up by `time.monotonic` does so after its time-out, in whole sleeps."""
    advances: list[int] = []
    with FastForward(advances.append, limit=HOUR):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(5)
    assert advances == [5 * SECOND] * 12


@pytest.mark.parametrize(
    ("read", "unit"), READINGS, ids=["monotonic", "time", "monotonic_ns", "time_ns", "imported"]
)
def test_meets_a_deadline_on_the_dot(read: Callable[[], float], unit: int) -> None:
    """However long the client's own work takes between its sleeps, there are just as many of them."""
    advances: list[int] = []
    with FastForward(advances.append, limit=HOUR):
        end = read() + 300 * unit
        while read() < end:
            work(0.0005)
            time.sleep(2.5)
    assert len(advances) == 120


def test_lets_time_stand_still_between_sleeps() -> None:
    """And moves it by as much as is slept, exactly."""
    with FastForward(lambda _: work(0.002), limit=HOUR):
        begun = time.monotonic(), time.time()
        work(0.002)
        assert (time.monotonic(), time.time()) == begun
        time.sleep(7)
        assert (time.monotonic(), time.time()) == (begun[0] + 7, begun[1] + 7)


def test_lets_time_go_on_for_who_never_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that only looks at the time reaches its deadline; here it needn't look for a second before."""
    monkeypatch.setattr("emulator.fast_forward.tally._STANDS", 1_000_000)
    with FastForward(lambda _: None, limit=HOUR):
        for _ in range(2):
            begun = time.monotonic()
            while time.monotonic() < begun + 0.002:
                pass
            time.sleep(1)
            assert time.monotonic() > begun + 1.002


def work(seconds: float) -> None:
    """Be busy for so long, really."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_moves_the_clock_before_it_returns() -> None:
    """Time and `slept` follow once the clock has moved, not sooner."""
    seen: list[int] = []
    with FastForward(lambda _: seen.append(forward.slept), limit=HOUR) as forward:
        time.sleep(1)
        time.sleep(2)
    assert seen == [0, SECOND]


# Everybody else


def test_leaves_other_threads_alone() -> None:
    """A sleep elsewhere waits, and moves nothing."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY) as forward:
        in_thread(lambda: time.sleep(0.001))
        in_thread(lambda: imported_sleep(0.001))
        in_thread(lambda: asyncio.run(asyncio.sleep(0.001)))
    assert (advances, forward.slept) == ([], 0)


def test_waits_really_for_a_process() -> None:
    """The standard library looks every few milliseconds whether a process has ended: that is no sleep of a client."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY):
        assert subprocess.Popen([sys.executable, "-c", "pass"]).wait(timeout=60) == 0
    assert advances == []


def test_waits_really_at_locks() -> None:
    """An event's time-out is real, however far time is ahead."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY):
        time.sleep(600)
        assert not threading.Event().wait(0.001)
    assert advances == [600 * SECOND]


# Limits and problems


def test_stops_a_client_that_never_gives_up() -> None:
    """The sleep that leads beyond the limit raises, and says how much was slept and what to do."""

    def poll() -> None:
        while True:
            time.sleep(7)

    advances: list[int] = []
    with FastForward(advances.append, limit=MINUTE) as forward, pytest.raises(SleptTooLong) as problem:
        poll()
    assert advances == [7 * SECOND] * 8
    assert forward.slept == 56 * SECOND
    assert isinstance(problem.value, AssertionError)
    assert str(problem.value) == (
        "slept 56s in 8 sleeps, and 7s more would go beyond the limit of 1m: the client seems to have no time-out "
        'of its own; give it one, or allow more, such as fast_forward(limit="4m")'
    )


def test_lets_a_client_sleep_the_whole_limit() -> None:
    """The limit itself is within it."""
    with FastForward(lambda _: None, limit=MINUTE) as forward:
        time.sleep(60)
    assert forward.slept == MINUTE


def test_goes_from_process_to_process() -> None:
    """pytest-xdist's workers send their exceptions to one another."""
    problem = SleptTooLong(56 * SECOND, 8, 7 * SECOND, MINUTE)
    copy = pickle.loads(pickle.dumps(problem))  # noqa: S301 - our own
    assert (type(copy), str(copy)) == (SleptTooLong, str(problem))


def test_passes_on_what_the_clock_says() -> None:
    """A clock that can't be moved raises where the client sleeps, and nothing was slept."""

    def refuse(_: int) -> None:
        raise LookupError("no clock")

    with FastForward(refuse, limit=DAY) as forward, pytest.raises(LookupError, match="no clock"):
        time.sleep(5)
    assert forward.slept == 0


# Entering and leaving


def taken() -> list[Any]:
    """The functions as they are found by whoever looks now."""
    return [
        time.sleep,
        time.monotonic,
        time.monotonic_ns,
        time.time,
        time.time_ns,
        asyncio.sleep,
        asyncio.tasks.sleep,
        imported_sleep,
        imported_monotonic,
    ]


def test_puts_everything_back() -> None:
    """All is as it was, after an exception too."""
    before = taken()
    with FastForward(lambda _: None, limit=DAY):
        assert not any(now is then for now, then in zip(taken(), before, strict=True))
    assert taken() == before
    with pytest.raises(KeyError), FastForward(lambda _: None, limit=DAY):
        raise KeyError
    assert taken() == before


def test_refuses_a_second_one() -> None:
    """One holds at a time, in whichever thread; the first one stays in force, and a new one may follow."""
    advances: list[int] = []
    second = FastForward(lambda _: None, limit=DAY)
    with FastForward(advances.append, limit=DAY):
        with pytest.raises(RuntimeError, match="holds already in this process"), second:
            pass
        assert isinstance(in_thread(second.__enter__), RuntimeError)
        time.sleep(1)
    with second:
        time.sleep(2)
    assert (advances, second.slept) == ([SECOND], 2 * SECOND)


def test_begins_anew_each_time() -> None:
    """Entered again it has slept nothing, and its limit is whole."""
    forward = FastForward(lambda _: None, limit=MINUTE)
    for _ in range(3):
        with forward:
            assert forward.slept == 0
            time.sleep(50)
        assert forward.slept == 50 * SECOND


def test_is_real_again_for_whoever_kept_it() -> None:
    """A function that was taken while it held does as the real one does afterwards, and follows the next one."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY):
        kept, kept_time, kept_pause = time.sleep, time.monotonic, asyncio.sleep
    kept(0.001)
    asyncio.run(kept_pause(0.001))
    assert advances == []
    assert kept_time() <= time.monotonic()
    with FastForward(advances.append, limit=DAY):
        kept(3)
    assert advances == [3 * SECOND]
