"""Moving a clock: through what falls due, in order, in any partition, one at a time, and never back over a fact."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.agenda import Change, Passage
from emulator.clock import ClockRefused, breathe
from emulator.core.scenario import ClockSettings
from emulator.core.steps import StepRefused, forced
from emulator.core.task import state_at
from emulator.core.units import DAY, HOUR, LAST_INSTANT, SECOND, Instant
from emulator.core.words import Status
from emulator.engine import Namespace
from emulator.events import Events
from emulator.timekeeping import agenda_of, next_instant, pass_to, restart_clock, set_clock
from tests.worlds import START, World

CREATE, POLL = "/octopusx/v1/videos", "/octopusx/v1/videos/"
WORLD = """version: 1
tasks:
  - {id: old, provider: octopusx, created: -3s}
  - {id: young, provider: octopusx, created: 4s}
  - timeline:
      - {status: queued, polls: 2}
      - {status: processing, for: 3s}
      - {status: processing, for: 0s}
      - {status: processing, polls: 1}
      - {status: completed}
    match: {prompt: polled}
  - timeline:
      - {status: queued, for: {min: 1s, max: 5s}}
      - {status: processing, for: 2s}
      - {status: completed, for: 3s}
      - {status: completed}
"""


class Recorder(Events):
    """A listener that keeps the changes and the moves that it is told of."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(namespace)
        self.changes: list[Change] = []
        self.moves: list[Instant | None] = []
        agenda_of(namespace)
        namespace.events = self

    def changed(self, change: Change) -> None:
        """Keep it."""
        self.changes.append(change)

    def clock(self, moved_from: Instant | None = None) -> None:
        """Keep it."""
        self.moves.append(moved_from)


def many(count: int) -> World:
    """A world in which many tasks of the happy path begin at once."""
    items = "".join(f"  - {{id: t{number}, provider: octopusx}}\n" for number in range(count))
    return World(f"version: 1\ntasks:\n{items}", max_tasks=2 * count)


def run(namespace: Namespace, *instants: Instant) -> list[Passage]:
    """Advances one after the other."""

    async def advances() -> list[Passage]:
        return [await pass_to(namespace, instant) for instant in instants]

    return asyncio.run(advances())


def told(change: Change) -> tuple[str, Status | None, Status, Instant]:
    """A change as it is compared."""
    return change.task.id, change.was, change.status, change.at


@given(st.lists(st.integers(0, 9), max_size=10), st.integers(0, 3))
def test_changes_are_the_same_however_an_advance_is_cut(pieces: Sequence[int], creates: int) -> None:
    """In the same order and at the same instants, and each shows in the task from its instant on."""
    whole, cut = World(WORLD), World(WORLD)
    for world in (whole, cut):
        for _ in range(creates):
            world.post(CREATE, {"prompt": "x"})
    goals = [START + sum(pieces[: number + 1]) * SECOND for number in range(len(pieces))]
    in_pieces = [change for passage in run(cut.namespace, *goals) for change in passage.changes]
    (at_once,) = run(whole.namespace, START + sum(pieces) * SECOND)
    assert [told(change) for change in in_pieces] == [told(change) for change in at_once.changes]
    assert at_once.count == len(in_pieces)
    assert cut.namespace.clock.now() == whole.namespace.clock.now() == START + sum(pieces) * SECOND
    for change in at_once.changes:
        task = whole.namespace.store.get("octopusx", change.task.id)
        assert task is not None
        assert state_at(task, change.at).status is change.status
        if change.was is not None:
            assert state_at(task, change.at - 1).status is change.was
            assert state_at(task, change.at - 1).entry is not state_at(task, change.at).entry


TURNS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from(["polled", "timed"])),
        st.tuples(st.just("poll"), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.integers(0, 4)),
        st.tuples(st.just("move"), st.integers(0, 4)),
        st.tuples(st.sampled_from(list(Status)), st.integers(0, 5)),
    ),
    max_size=25,
)


@given(TURNS)
def test_a_listener_is_told_everything_that_happens(turns: list[tuple[str, object]]) -> None:
    """Creates, polls, steps and time together: it hears what looking at every half second finds."""
    world = World(WORLD.replace("{min: 1s, max: 5s}", "2s"))
    namespace = world.namespace
    # Between the seconds, so that nothing happens by itself where it begins.
    world.advance(SECOND // 2)
    recorder, ids = Recorder(namespace), ["old"]
    for turn, value in turns:
        take_turn(world, ids, turn, value)
    namespace.catch_up()
    heard: dict[tuple[str, Instant], tuple[Status | None, Status]] = {}
    for change in recorder.changes:
        was = heard.get((change.task.id, change.at), (change.was,))[0]
        heard[change.task.id, change.at] = (was, change.status)
    found: dict[tuple[str, Instant], tuple[Status | None, Status]] = {}
    for at in range(START + SECOND // 2, namespace.clock.now() + 1, SECOND // 2):
        for task in namespace.store.newest_first():
            before, after = state_at(task, at - 1), state_at(task, at)
            if at == task.created_at:
                found[task.id, at] = (None, after.status)
            elif at > task.created_at and before.entry is not after.entry:
                found[task.id, at] = (before.status, after.status)
    assert heard == found
    assert [change.at for change in recorder.changes] == sorted(change.at for change in recorder.changes)


def take_turn(world: World, ids: list[str], turn: str, value: object) -> None:
    """One thing that happens in a world whose clock is moved by whole seconds."""
    namespace = world.namespace
    if turn == "create":
        ids.append(world.post(CREATE, {"prompt": value}).json()["id"])
        return
    assert isinstance(value, int)
    if turn == "poll":
        world.get(POLL + ids[value % len(ids)])
    elif turn == "pass":
        run(namespace, namespace.clock.now() + value * SECOND)
    elif turn == "move":
        world.advance(value * SECOND)
    else:
        task, now = namespace.store.get("octopusx", ids[value % len(ids)]), namespace.clock.now()
        assert task is not None
        with suppress(StepRefused):
            namespace.renew(forced(task, now, Status(turn), 5), state_at(task, now), now)


def test_a_reset_leaves_nothing_of_the_past_ahead() -> None:
    """The same tasks again, under the same ids, change as often as they did."""
    world = World(WORLD)
    world.post(CREATE, {"prompt": "x"})
    once, recorder = run(world.namespace, START + HOUR)[0], Recorder(world.namespace)
    world.namespace.reset()
    world.post(CREATE, {"prompt": "x"})
    recorder.changes.clear()
    again = run(world.namespace, START + HOUR)[0]
    assert [told(change) for change in again.changes] == [told(change) for change in once.changes]
    assert recorder.changes == again.changes


def test_nothing_is_kept_for_those_who_never_ask() -> None:
    """A namespace that nobody advances or listens to has no agenda."""
    world = World(WORLD)
    world.get(POLL + world.post(CREATE, {"prompt": "x"}).json()["id"])
    assert world.namespace.agenda is None


def test_the_next_change_is_found_where_there_is_one() -> None:
    """The nearest of all tasks; then the next; then none, and the refusal says so and moves nothing."""
    world = World("version: 1\ntasks: [{id: t, provider: octopusx}]\n")
    assert next_instant(world.namespace) == START + 2 * SECOND
    run(world.namespace, START + 2 * SECOND)
    assert next_instant(world.namespace) == START + 10 * SECOND
    run(world.namespace, START + 10 * SECOND)
    with pytest.raises(ClockRefused, match="nothing is ahead: time alone changes no task"):
        next_instant(world.namespace)
    assert world.namespace.clock.now() == START + 10 * SECOND


def test_what_passed_by_itself_is_no_part_of_an_advance() -> None:
    """Of a clock that ran, or that somebody moved; what comes next is still ahead of it."""
    world = World("version: 1\ntasks: [{id: t, provider: octopusx}]\n")
    assert next_instant(world.namespace) == START + 2 * SECOND
    world.advance(3 * SECOND)
    assert next_instant(world.namespace) == START + 10 * SECOND
    world.advance(8 * SECOND)
    (passage,) = run(world.namespace, START + HOUR)
    assert (passage.begun, passage.count, passage.changes) == (START + 11 * SECOND, 0, [])


def test_polls_see_a_clock_that_stops_where_something_falls_due() -> None:
    """Whoever comes while an advance is under way sees its instants in order, and tasks as they are there."""
    namespace = many(1200).namespace

    async def scene() -> tuple[list[Instant], Passage]:
        seen: list[Instant] = []
        advance = asyncio.ensure_future(pass_to(namespace, START + HOUR))
        while not advance.done():
            await breathe()
            seen.append(namespace.clock.now())
        return seen, await advance

    seen, passage = asyncio.run(scene())
    assert passage.count == 2400
    assert set(seen) == {START + 2 * SECOND, START + 10 * SECOND, START + HOUR}
    assert seen == sorted(seen)


def test_a_task_that_is_made_on_the_way_changes_on_the_way() -> None:
    """What a client creates while an advance is under way falls due in it too."""
    world = many(600)

    async def scene() -> Passage:
        advance = asyncio.ensure_future(pass_to(world.namespace, START + HOUR))
        await breathe()
        namespace = world.namespace
        twin = namespace.store.get("octopusx", "t0")
        assert twin is not None
        assert namespace.clock.now() == START + 2 * SECOND
        made = msgspec.structs.replace(twin, id="made", created_at=START + 2 * SECOND)
        namespace.add(next(p for p in namespace.providers if p.name == "octopusx"), made)
        return await advance

    assert asyncio.run(scene()).count == 2 * 600 + 2


async def _set_clock(namespace: Namespace) -> None:
    set_clock(namespace, "real")


async def _reset(namespace: Namespace) -> None:
    namespace.reset()


@pytest.mark.parametrize(
    "change",
    [lambda n: pass_to(n, START + DAY), lambda n: pass_to(n, START), _set_clock, restart_clock, _reset],
    ids=["advance", "advance by nothing", "mode", "restart", "reset"],
)
def test_while_an_advance_is_under_way_nothing_else_sets_the_clock(
    change: Callable[[Namespace], Awaitable[object]],
) -> None:
    """It is refused with the reason; the advance goes on to its end, and afterwards it would work."""
    namespace = many(600).namespace

    async def scene() -> Passage:
        advance = asyncio.ensure_future(pass_to(namespace, START + HOUR))
        await breathe()
        before = namespace.clock.now()
        with pytest.raises(ClockRefused, match="an advance to 2025-01-01T01:00:00Z is under way"):
            await change(namespace)
        assert (namespace.clock.now(), namespace.clock.mode) == (before, "manual")
        return await advance

    passage = asyncio.run(scene())
    assert (passage.begun, passage.to, passage.count) == (START, START + HOUR, 1200)
    assert namespace.clock.now() == START + HOUR
    set_clock(namespace, "manual")


def test_an_advance_that_is_cut_off_leaves_the_clock_where_it_was() -> None:
    """At an instant on the way; the next one goes on from there."""
    namespace = many(600).namespace

    async def scene() -> None:
        advance = asyncio.ensure_future(pass_to(namespace, START + HOUR))
        await breathe()
        advance.cancel()
        with pytest.raises(asyncio.CancelledError):
            await advance

    asyncio.run(scene())
    assert namespace.clock.now() == START + 2 * SECOND
    (rest,) = run(namespace, START + HOUR)
    assert (rest.begun, rest.to) == (START + 2 * SECOND, START + HOUR)
    assert namespace.clock.now() == START + HOUR


@contextmanager
def unchanged(namespace: Namespace) -> Iterator[None]:
    """What is refused leaves the clock as it was."""
    clock = namespace.clock
    before = (clock.now(), clock.mode, clock.scale, namespace.clock_is_set)
    yield
    assert namespace.clock is clock
    assert (clock.now(), clock.mode, clock.scale, namespace.clock_is_set) == before


def test_an_advance_by_nothing_moves_nothing() -> None:
    """And nobody is told of it."""
    world = World()
    recorder = Recorder(world.namespace)
    (passage,) = run(world.namespace, START)
    assert (passage.begun, passage.to, recorder.moves) == (START, START, [])


def test_no_advance_leads_past_the_year_9999() -> None:
    """Nothing falls due on the way to it."""
    world = World(WORLD)
    recorder = Recorder(world.namespace)
    with unchanged(world.namespace), pytest.raises(ClockRefused, match="ends with the year 9999"):
        run(world.namespace, LAST_INSTANT + 1)
    assert recorder.changes == []
    assert run(world.namespace, LAST_INSTANT)[0].to == LAST_INSTANT


def test_a_running_clock_is_advanced_at_least_as_far() -> None:
    """What falls due on the way is told, and the clock runs on from there."""
    world = World(
        "version: 1\ntasks: [{id: t, provider: octopusx}]\n",
        clock=ClockSettings(mode="scaled", scale=0.5, start=START),
    )
    (passage,) = run(world.namespace, START + HOUR)
    assert [(c.status, c.at - c.task.created_at) for c in passage.changes] == [
        (Status.PROCESSING, 2 * SECOND),
        (Status.COMPLETED, 10 * SECOND),
    ]
    assert world.namespace.clock.now() >= START + HOUR
    assert world.namespace.clock.mode == "scaled"
    passed = run(world.namespace, START)[0]
    assert passed.to == passed.begun >= START + HOUR


# Beginning anew


def restarted(namespace: Namespace) -> None:
    """The clock begun anew."""
    asyncio.run(restart_clock(namespace))


def test_a_clock_goes_back_over_nothing_but_time() -> None:
    """To where the server's options say; what changed since then is ahead once more, and changes once more."""
    world = World(
        "version: 1\ntasks: [{id: t, provider: octopusx}, {id: later, provider: octopusx, created: 1h}]\n"
    )
    run(world.namespace, START + 3 * SECOND)
    set_clock(world.namespace, "auto")
    recorder = Recorder(world.namespace)
    restarted(world.namespace)
    clock = world.namespace.clock
    assert (clock.now(), clock.mode, world.namespace.clock_is_set) == (START, "manual", False)
    assert recorder.moves == [START + 3 * SECOND]
    assert next_instant(world.namespace) == START + 2 * SECOND
    assert run(world.namespace, START + 3 * SECOND)[0].count == 1


def _create(world: World) -> None:
    world.post(CREATE, {"prompt": "x"})


def _poll(world: World) -> None:
    world.get(POLL + "nobody")


def _activate(world: World) -> None:
    found = world.namespace.library.get("happy-path")
    assert found is not None
    world.namespace.activate(found)


def _step(world: World) -> None:
    task, now = world.namespace.store.get("octopusx", "old"), world.namespace.clock.now()
    assert task is not None
    world.namespace.renew(forced(task, now, Status.FAILED), state_at(task, now), now)


@pytest.mark.parametrize("happen", [_create, _poll, _activate, _step])
def test_a_clock_never_goes_back_over_a_fact(happen: Callable[[World], None]) -> None:
    """A task, a step, a request or an activation that is dated later: the refusal names the repair."""
    world = World(
        "version: 1\ntasks: [{id: old, provider: octopusx, timeline: [{status: queued, stuck: true}]}]\n"
    )
    world.advance(HOUR)
    happen(world)
    world.advance(HOUR)
    refused = (
        r"begin anew at 2025-01-01T00:00:00Z, and .* dated 2025-01-01T01:00:00Z, .*; POST /__admin/reset"
    )
    with unchanged(world.namespace), pytest.raises(ClockRefused, match=refused):
        restarted(world.namespace)
    world.namespace.reset()
    assert world.namespace.clock.now() == START


def test_a_clock_that_begins_anew_later_passes_what_lies_between() -> None:
    """Without options it is real time that it begins at, or what the active scenario's file says."""
    world = World("version: 1\ntasks: [{id: t, provider: octopusx}]\n")
    namespace = world.namespace
    recorder = Recorder(namespace)
    namespace.settings = msgspec.structs.replace(namespace.settings, clock=None)
    restarted(namespace)
    assert namespace.clock.mode == "real"
    assert namespace.clock.now() > START + DAY
    assert [change.at - START for change in recorder.changes] == [2 * SECOND, 10 * SECOND]
    other = World("version: 1\nclock: {mode: auto, start: '2030-01-01T00:00:00Z'}\n")
    other.namespace.settings = msgspec.structs.replace(other.namespace.settings, clock=None)
    recorder = Recorder(other.namespace)
    restarted(other.namespace)
    assert (other.namespace.clock.mode, other.namespace.clock.now()) == ("auto", START + 1826 * DAY)
    assert recorder.moves == [None, START]
