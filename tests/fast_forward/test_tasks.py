"""Tasks of an event loop that sleep: the order in which they wake, and what wakes with them."""

import asyncio
import sys
import threading
import time
from asyncio import sleep as imported_sleep
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any, TypeAlias

import anyio
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.units import DAY, HOUR, MINUTE, SECOND
from emulator.fast_forward import FastForward, SleptTooLong

Loops: TypeAlias = Callable[[], asyncio.AbstractEventLoop]
BOTH = pytest.mark.parametrize(
    "loops", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


def forwarded(work: Coroutine[Any, Any, Any], loops: Loops = asyncio.new_event_loop) -> list[int]:
    """By how many whole seconds the clock was advanced, one after the other, while a coroutine ran."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY) as forward, asyncio.Runner(loop_factory=loops) as runner:
        runner.run(work)
    assert forward.slept == sum(advances)
    return [advance // SECOND if advance % SECOND == 0 else advance for advance in advances]


# Order


@BOTH
def test_moves_once_for_all_who_sleep(loops: Loops) -> None:
    """Two sleeps at once: the clock moves to the end of the shorter, then to that of the longer."""
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append(name)

    async def work() -> None:
        await asyncio.gather(sleeper("long", 5), sleeper("short", 3), sleeper("short too", 3))

    assert forwarded(work(), loops) == [3, 2]
    assert woken == ["short", "short too", "long"]


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 10 * MINUTE), max_size=6), max_size=6),
    st.sampled_from([asyncio.new_event_loop, uvloop.new_event_loop]),
)
def test_wakes_everybody_when_the_clock_shows_it(plans: Sequence[Sequence[int]], loops: Loops) -> None:
    """Each task wakes at exactly the sums of its sleeps, all in order, and the clock moves as far as the longest."""
    advances: list[int] = []
    woken: list[tuple[int, int]] = []

    async def sleeper(number: int, plan: Sequence[int]) -> None:
        for duration in plan:
            await asyncio.sleep(duration / SECOND)
            woken.append((forward.slept, number))

    async def work() -> None:
        await asyncio.gather(*(sleeper(number, plan) for number, plan in enumerate(plans)))

    with FastForward(advances.append, limit=DAY) as forward, asyncio.Runner(loop_factory=loops) as runner:
        runner.run(work())
    expected = [(instant, number) for number, plan in enumerate(plans) for instant in accumulate(plan)]
    assert [instant for instant, _ in woken] == sorted(instant for instant, _ in expected)
    assert sorted(woken) == sorted(expected)
    assert sum(advances) == max(map(sum, plans), default=0)
    assert len(advances) == len({instant for instant, _ in expected})


# What a sleep is


def test_gives_a_sleeps_result() -> None:
    """The result comes back, by whatever name the sleep goes and whatever number it takes."""
    number: Any = Fraction(4)  # typeshed knows of floats alone

    async def work() -> list[object]:
        return [
            await asyncio.sleep(1, "one"),
            await asyncio.sleep(delay=2, result="two"),
            await imported_sleep(3.0, "three"),
            await asyncio.sleep(number, "four"),
            await asyncio.sleep(0, "nothing"),
            await asyncio.sleep(-1, "less"),
        ]

    advances: list[int] = []
    with FastForward(advances.append, limit=DAY):
        given_back = asyncio.run(work())
    assert given_back == ["one", "two", "three", "four", "nothing", "less"]
    assert advances == [seconds * SECOND for seconds in (1, 2, 3, 4)]


@pytest.mark.parametrize("delay", ["5", None, 1j])
def test_refuses_what_the_real_one_refuses(delay: Any) -> None:
    """The same exception with the same text."""
    with pytest.raises(TypeError) as real:
        asyncio.run(asyncio.sleep(delay))
    with FastForward(lambda _: None, limit=DAY), pytest.raises(TypeError) as got:
        asyncio.run(asyncio.sleep(delay))
    assert str(got.value) == str(real.value)


@BOTH
def test_takes_anyios_sleep_along(loops: Loops) -> None:
    """It sleeps by the one of asyncio."""

    async def work() -> None:
        await anyio.sleep(5)

    assert forwarded(work(), loops) == [5]


def test_is_a_coroutine_function_still() -> None:
    """Frameworks look whether they have to await."""
    with FastForward(lambda _: None, limit=DAY):
        assert asyncio.iscoroutinefunction(asyncio.sleep)


# Ways to wait for others


async def five() -> None:
    """Two sleeps, with another task's in between."""
    await asyncio.sleep(2)
    await asyncio.sleep(3)


async def three() -> None:
    """Another sleeper."""
    await asyncio.sleep(3)


async def ticks() -> AsyncIterator[int]:
    """A generator that sleeps."""
    for number in (2, 3):
        await asyncio.sleep(number)
        yield number


async def in_a_group() -> None:
    """By `asyncio.TaskGroup`."""
    async with asyncio.TaskGroup() as group:
        group.create_task(five())
        group.create_task(three())


async def in_anyios_group() -> None:
    """By anyio's."""
    async with anyio.create_task_group() as group:
        group.start_soon(five)
        group.start_soon(three)


async def as_completed() -> None:
    """By `asyncio.as_completed`."""
    for done in asyncio.as_completed([five(), three()]):
        await done


async def wait() -> None:
    """By `asyncio.wait`."""
    tasks = [asyncio.create_task(five()), asyncio.create_task(three())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait(tasks)


async def directly() -> None:
    """By awaiting tasks."""
    tasks = [asyncio.create_task(five()), asyncio.create_task(three())]
    for task in tasks:
        await task


async def iterated() -> None:
    """Over an asynchronous generator."""
    beside = asyncio.create_task(three())
    async for _ in ticks():
        pass
    await beside


async def nested() -> None:
    """Through several layers."""
    await asyncio.wait_for(asyncio.shield(asyncio.gather(five(), asyncio.wait_for(three(), 100))), 100)


async def by_an_event() -> None:
    """For a word that a sleeper leaves."""
    event = asyncio.Event()
    await asyncio.gather(three(), then(five(), event.set), event.wait())


async def by_a_queue() -> None:
    """For what a sleeper brings."""
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def put() -> None:
        async for number in ticks():
            queue.put_nowait(number)

    await asyncio.gather(three(), put(), queue.get(), queue.get())


async def by_a_lock() -> None:
    """For a sleeper to make room."""
    lock = asyncio.Semaphore(1)

    async def locked(work: Awaitable[None]) -> None:
        async with lock:
            await work

    await asyncio.gather(locked(asyncio.sleep(2)), locked(asyncio.sleep(3)), three())


async def by_a_future() -> None:
    """For a bare future that a sleeper sets."""
    future = asyncio.get_running_loop().create_future()
    await asyncio.gather(three(), then(five(), lambda: future.set_result(None)), asyncio.shield(future))


async def then(work: Awaitable[None], call: Callable[[], Any]) -> None:
    """Something to do at the end."""
    await work
    call()


TOLD = [in_a_group, in_anyios_group, wait, directly, iterated, nested]
UNTOLD = [as_completed, by_an_event, by_a_queue, by_a_lock, by_a_future]
if sys.version_info >= (3, 13):
    TOLD.append(UNTOLD.pop(0))


@BOTH
@pytest.mark.parametrize("way", [*TOLD, *UNTOLD])
def test_moves_for_tasks_that_others_wait_for(
    way: Callable[[], Coroutine[Any, Any, None]], loops: Loops
) -> None:
    """Whoever waits for sleepers, by whatever means, is no obstacle: 2 s, then 1 s, then 2 s."""
    assert forwarded(way(), loops) == [2, 1, 2]


@BOTH
@pytest.mark.parametrize("way", TOLD)
def test_knows_who_waits_for_tasks(
    way: Callable[[], Coroutine[Any, Any, None]], loops: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it can be told whom a task waits for, no real time has to pass: not even if a day had to."""
    monkeypatch.setattr("emulator.fast_forward.waits.QUIET", DAY)

    async def work() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        guard = threading.Timer(10, loop.call_soon_threadsafe, [task.cancel])
        guard.start()
        try:
            await way()
        finally:
            guard.cancel()

    assert forwarded(work(), loops) == [2, 1, 2]


# Time-outs


async def by_timeout() -> None:
    """`asyncio.timeout`."""
    async with asyncio.timeout(7):
        await asyncio.sleep(10)


async def by_wait_for() -> None:
    """`asyncio.wait_for`."""
    await asyncio.wait_for(asyncio.sleep(10), 7)


async def by_fail_after() -> None:
    """The one of anyio."""
    with anyio.fail_after(7):
        await anyio.sleep(10)


async def by_fail_after_forever() -> None:
    """The one of anyio, around a sleep without end."""
    with anyio.fail_after(7):
        await anyio.sleep_forever()


async def by_call_later() -> None:
    """A timer of the client's own."""
    task = asyncio.create_task(asyncio.sleep(10))
    asyncio.get_running_loop().call_later(7, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        raise TimeoutError from None


async def by_deadline() -> None:
    """A deadline of the loop's clock, after several sleeps."""
    async with asyncio.timeout_at(asyncio.get_running_loop().time() + 7):
        while True:  # noqa: ASYNC110 - as clients poll
            await asyncio.sleep(2)


@pytest.mark.parametrize(
    "way", [by_timeout, by_wait_for, by_fail_after, by_fail_after_forever, by_call_later, by_deadline]
)
def test_fires_a_time_out_on_the_way(way: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A time-out of 7 s comes after 7 s of that clock, less the real time that it took to get there."""
    with FastForward(lambda _: None, limit=HOUR) as forward, pytest.raises(TimeoutError):
        asyncio.run(way())
    assert 6 * SECOND < forward.slept <= 7 * SECOND


def test_lets_who_is_in_time_through() -> None:
    """A time-out that lies further ahead doesn't matter."""

    async def work() -> None:
        async with asyncio.timeout(600):
            await asyncio.wait_for(five(), 100)

    assert forwarded(work()) == [2, 3]


def test_passes_a_cancelled_timer_by() -> None:
    """A time-out that was called off is no reason to stop."""

    async def work() -> None:
        asyncio.get_running_loop().call_later(2, print).cancel()
        await asyncio.sleep(5)

    assert forwarded(work()) == [5]


class OwnTime(asyncio.SelectorEventLoop):
    """A loop whose time doesn't follow."""

    def time(self) -> float:
        """By another clock."""
        return time.perf_counter()


@pytest.mark.parametrize("loops", [OwnTime, uvloop.new_event_loop], ids=["own", "uvloop"])
def test_leaves_timers_of_other_time_alone(loops: Loops) -> None:
    """Where the loop's time doesn't follow, its time-outs are real, and sleeps move the clock all the same."""

    async def work() -> None:
        async with asyncio.timeout(100):
            await asyncio.sleep(600)

    assert forwarded(work(), loops) == [600]


# Cancelling, and other interruptions


@BOTH
def test_lets_a_sleeper_be_cancelled(loops: Loops) -> None:
    """A cancelled sleep ends at once, and the clock doesn't stop for it."""

    async def work() -> None:
        short, long = asyncio.create_task(asyncio.sleep(3)), asyncio.create_task(asyncio.sleep(5))
        await asyncio.sleep(0)
        short.cancel()
        with pytest.raises(asyncio.CancelledError):
            await short
        await long

    assert forwarded(work(), loops) == [5]


@BOTH
def test_lets_all_sleepers_be_cancelled(loops: Loops) -> None:
    """Nobody sleeps any more: the clock stands."""

    async def work() -> None:
        task = asyncio.create_task(asyncio.sleep(3))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        for _ in range(30):
            await asyncio.sleep(0)

    assert forwarded(work(), loops) == []


@BOTH
def test_goes_on_beside_a_task_that_spins(loops: Loops) -> None:
    """A task that asks again and again whether it is time can't hold time up."""

    async def work() -> None:
        task = asyncio.create_task(asyncio.sleep(3))
        while not task.done():  # noqa: ASYNC110 - what is tested
            await asyncio.sleep(0)

    assert forwarded(work(), loops) == [3]


def test_lets_a_blocking_sleep_count_for_all() -> None:
    """A task that blocks moves the clock for the others, too."""

    async def work() -> None:
        task = asyncio.create_task(asyncio.sleep(5))
        await asyncio.sleep(0)
        time.sleep(4)  # noqa: ASYNC251 - what is tested
        await task

    assert forwarded(work()) == [4, 1]


def test_doesnt_stand_in_the_loops_way() -> None:
    """While the clock moves, the loop can do what moving it takes."""

    async def answer() -> str:
        return "here"

    async def work() -> None:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(3)

    def advance(_: int) -> None:
        answers.append(asyncio.run_coroutine_threadsafe(answer(), loops[0]).result(5))

    loops: list[asyncio.AbstractEventLoop] = []
    answers: list[str] = []
    with FastForward(advance, limit=DAY):
        asyncio.run(work())
    assert answers == ["here"]


def test_counts_a_sleep_that_begins_while_the_clock_moves() -> None:
    """It begins where the clock is being moved to."""

    async def late() -> None:
        await asyncio.sleep(4)
        woken.append(forward.slept)

    async def begin() -> None:
        tasks.append(asyncio.create_task(late()))
        await asyncio.sleep(0)

    async def work() -> None:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(3)
        await tasks[0]

    def advance(by: int) -> None:
        advances.append(by)
        if not tasks:
            asyncio.run_coroutine_threadsafe(begin(), loops[0]).result(5)

    loops: list[asyncio.AbstractEventLoop] = []
    tasks: list[asyncio.Task[None]] = []
    advances: list[int] = []
    woken: list[int] = []
    with FastForward(advance, limit=DAY) as forward:
        asyncio.run(work())
    assert (advances, woken) == ([3 * SECOND, 4 * SECOND], [7 * SECOND])


# Limits and problems


def test_stops_a_client_that_never_gives_up() -> None:
    """The sleep that leads beyond the limit raises in its task; one that sleeps on elsewhere doesn't matter."""

    async def work() -> None:
        beside = asyncio.create_task(asyncio.sleep(10 * 3600))
        try:
            while True:  # noqa: ASYNC110 - as clients poll
                await asyncio.sleep(7)
        finally:
            beside.cancel()

    with FastForward(lambda _: None, limit=MINUTE) as forward, pytest.raises(SleptTooLong) as problem:
        asyncio.run(work())
    assert (problem.value.slept, problem.value.sleeps) == (56 * SECOND, 8)
    assert forward.slept == 56 * SECOND


def test_passes_on_what_the_clock_says() -> None:
    """A clock that can't be moved raises where the task sleeps."""

    def refuse(_: int) -> None:
        raise LookupError("no clock")

    with FastForward(refuse, limit=DAY) as forward, pytest.raises(LookupError, match="no clock"):
        asyncio.run(asyncio.sleep(5))
    assert forward.slept == 0


# Entering and leaving


def test_lets_those_who_still_sleep_wake_in_real_time() -> None:
    """Left while a task sleeps: what remains of its sleep is real, and it can be cancelled."""

    async def work() -> None:
        with FastForward(advances.append, limit=DAY):
            tasks = [
                asyncio.create_task(asyncio.sleep(seconds, seconds))
                for seconds in (3.001, 3600, float("inf"))
            ]
            await asyncio.sleep(3)
        async with asyncio.timeout(5):
            assert await tasks[0] == 3.001
        for task in tasks[1:]:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    advances: list[int] = []
    asyncio.run(work())
    assert advances == [3 * SECOND]


def test_serves_one_loop_after_the_other() -> None:
    """Each `asyncio.run` of a test sleeps on."""
    advances: list[int] = []
    with FastForward(advances.append, limit=DAY):
        for _ in range(3):
            asyncio.run(five())
    assert advances == [2 * SECOND, 3 * SECOND] * 3


def test_leaves_another_threads_loop_alone() -> None:
    """Its tasks sleep really, and see real time."""
    seen: list[float] = []

    async def elsewhere() -> None:
        await asyncio.sleep(0.001)
        seen.append(asyncio.get_running_loop().time())

    async def work() -> None:
        await asyncio.sleep(600)
        thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
        thread.start()
        thread.join()
        seen.append(asyncio.get_running_loop().time())

    assert forwarded(work()) == [600]
    assert seen[1] - seen[0] > 500
