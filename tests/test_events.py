"""Live news: what listeners are told, in order, each what it asked for; a slow one loses the oldest, and is told so."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from emulator.clock import breathe
from emulator.core.scenario import ClockSettings
from emulator.core.steps import forced
from emulator.core.task import state_at
from emulator.core.units import HOUR, SECOND, format_instant
from emulator.core.words import Status
from emulator.engine import Namespace
from emulator.events import Listener, listening
from emulator.messages.events import ScenarioEvent
from emulator.timekeeping import pass_to, set_clock
from tests.worlds import KEY, START, World, call

CREATE = "/octopusx/v1/videos"


class Heard(msgspec.Struct, frozen=True):
    """One event, as a client reads it."""

    id: int
    event: str
    data: dict[str, Any]


def parsed(piece: bytes) -> list[Heard]:
    """The events of a piece of an event stream; comments are none."""
    blocks = [block for block in piece.decode().split("\n\n") if block and not block.startswith(":")]
    fields = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    return [Heard(int(f["id"]), f["event"], json.loads(f["data"])) for f in fields]


async def opened(listener: Listener) -> AsyncIterator[bytes]:
    """The listener's stream, past its greeting."""
    stream = listener.stream()
    assert await anext(stream) == b": listening\n\n"
    return stream


async def post(world: World, prompt: str = "a cat") -> str:
    """A task that a client creates."""
    body = json.dumps({"prompt": prompt}).encode()
    headers = {**KEY, "host": "emulator.test", "content-type": "application/json"}
    task_id: str = (await call(world.app, "POST", CREATE, body, headers)).json()["id"]
    return task_id


async def poll(world: World, task_id: str) -> None:
    """A poll of the task."""
    await call(world.app, "GET", f"{CREATE}/{task_id}", b"", {**KEY, "host": "emulator.test"})


def brief(heard: list[Heard]) -> list[tuple[str, object]]:
    """What the events are about, in short."""
    told: list[tuple[str, object]] = []
    for one in heard:
        about = {"task": "status", "request": "operation", "clock": "mode", "scenario": "change"}
        told.append((one.event, one.data[about[one.event]] if one.event in about else None))
    return told


def test_tells_what_happens_in_order_with_rising_numbers() -> None:
    """Requests, tasks, the clock, scenarios and a reset, with what fell due before them told before them."""
    world = World(others=["version: 1\nname: other\n"])
    namespace = world.namespace

    async def scene() -> list[Heard]:
        with listening(namespace) as listener:
            stream = await opened(listener)
            task_id = await post(world)
            await pass_to(namespace, START + 3 * SECOND)
            await poll(world, task_id)
            namespace.clock.advance(HOUR)
            set_clock(namespace, "auto")
            other = namespace.library.get("other")
            assert other is not None
            namespace.activate(other)
            namespace.reset()
            return parsed(await anext(stream))

    heard = asyncio.run(scene())
    assert brief(heard) == [
        ("task", "queued"),
        ("request", "create"),
        ("task", "processing"),
        ("clock", "manual"),
        ("request", "poll"),
        ("task", "completed"),
        ("clock", "auto"),
        ("scenario", "activated"),
        ("reset", None),
        ("scenario", "activated"),
    ]
    assert [one.id for one in heard] == list(range(1, 11))
    created, request, changed, moved = heard[:4]
    task_id = created.data["task"]
    assert created.data == {
        "task": task_id,
        "provider": "octopusx",
        "was": None,
        "status": "queued",
        "at": "2025-01-01T00:00:00Z",
    }
    assert request.data == {
        "number": 1,
        "at": "2025-01-01T00:00:00Z",
        "provider": "octopusx",
        "operation": "create",
        "task": task_id,
        "status_code": 200,
    }
    assert (changed.data["was"], changed.data["at"]) == ("queued", "2025-01-01T00:00:02Z")
    assert moved.data == {
        "mode": "manual",
        "now": "2025-01-01T00:00:03Z",
        "scale": 1,
        "moved_from": "2025-01-01T00:00:00Z",
    }
    assert heard[6].data["moved_from"] is None
    assert heard[8].data["clock"]["now"] == "2025-01-01T00:00:00Z"


def test_a_poll_or_a_step_that_changes_a_task_is_told() -> None:
    """At once, with the status before; a poll that changes nothing is a request and no more."""
    world = World(
        "version: 1\ntasks:\n  - timeline: [{status: queued, polls: 2}, {status: processing, stuck: true}]\n"
    )
    namespace = world.namespace

    async def scene() -> list[Heard]:
        with listening(namespace, ["task"]) as listener:
            stream = await opened(listener)
            task_id = await post(world)
            for _ in range(4):
                await poll(world, task_id)
            task = namespace.store.get("octopusx", task_id)
            assert task is not None
            namespace.renew(forced(task, START, Status.FAILED), state_at(task, START), START)
            return parsed(await anext(stream))

    heard = asyncio.run(scene())
    assert [(one.data["was"], one.data["status"]) for one in heard] == [
        (None, "queued"),
        ("queued", "processing"),
        ("processing", "failed"),
    ]


def test_what_polls_move_on_an_auto_clock_is_told() -> None:
    """The change at its instant, then that the clock moved, then the request that moved it."""
    world = World(clock=ClockSettings(mode="auto", start=START))

    async def scene() -> list[Heard]:
        with listening(world.namespace) as listener:
            stream = await opened(listener)
            task_id = await post(world)
            await poll(world, task_id)
            await poll(world, task_id)
            return parsed(await anext(stream))

    heard = asyncio.run(scene())[3:]
    assert brief(heard) == [("task", "processing"), ("clock", "auto"), ("request", "poll")]
    assert heard[0].data["at"] == heard[1].data["now"] == heard[2].data["at"] == "2025-01-01T00:00:02Z"


def test_on_a_clock_that_runs_changes_are_told_when_they_fall_due() -> None:
    """Nobody moves it or asks; a task that comes, or a clock that is set, wakes a listener that waits for later."""
    world = World(clock=ClockSettings(mode="scaled", scale=0.001, start=START))

    async def scene() -> list[Heard]:
        with listening(world.namespace, ["task"], ping=HOUR) as listener:
            stream = await opened(listener)
            await post(world)
            heard = parsed(await anext(stream))
            waiting = asyncio.ensure_future(anext(stream))
            for _ in range(5):
                await breathe()
            set_clock(world.namespace, "scaled", 100_000.0)
            heard += parsed(await waiting)
            return heard if len(heard) == 3 else heard + parsed(await anext(stream))

    heard = asyncio.run(asyncio.wait_for(scene(), 60))
    assert [one.data["status"] for one in heard] == ["queued", "processing", "completed"]


def test_a_task_that_comes_wakes_a_listener_that_waits_for_a_later_one() -> None:
    """Though it is no news to it when the task is made."""
    slow = "tasks: [{timeline: [{status: queued, for: 1000d}, {status: failed}]}]"
    fast = "tasks: [{id: t, provider: octopusx, created: 2s}]"
    clock = ClockSettings(mode="scaled", scale=10_000.0, start=START)
    world = World(f"version: 1\n{slow}\n", clock=clock, others=[f"version: 1\nname: fast\n{fast}\n"])

    async def scene() -> list[Heard]:
        with listening(world.namespace, ["task"], ping=HOUR) as listener:
            stream = await opened(listener)
            await post(world)
            heard = parsed(await anext(stream))
            waiting = asyncio.ensure_future(anext(stream))
            for _ in range(5):
                await breathe()
            assert world.namespace.activation_named("fast") is not None
            return heard + parsed(await waiting)

    heard = asyncio.run(asyncio.wait_for(scene(), 60))
    assert [(one.data["was"], one.data["status"]) for one in heard][:2] == [(None, "queued")] * 2


def test_a_task_is_news_from_its_creation_on() -> None:
    """However late a clock that runs is read; one that a scenario dates back is news from its activation on."""
    tasks = "[{id: old, provider: octopusx, created: -5s}, {id: later, provider: octopusx, created: 1h}]"
    world = World(
        clock=ClockSettings(mode="scaled", scale=100.0, start=START),
        others=[f"version: 1\nname: back\ntasks: {tasks}\n"],
    )
    namespace = world.namespace

    async def scene() -> tuple[str, list[Heard]]:
        with listening(namespace, ["task"]) as listener:
            stream = await opened(listener)
            task_id = await post(world)
            found = namespace.library.get("back")
            assert found is not None
            namespace.activate(found)
            return task_id, parsed(await anext(stream))

    task_id, heard = asyncio.run(scene())
    task = namespace.store.get("octopusx", task_id)
    assert task is not None
    new = [(one.data["task"], one.data["status"], one.data["at"]) for one in heard if one.data["was"] is None]
    assert new == [
        (task_id, "queued", format_instant(task.created_at)),
        ("old", "processing", format_instant(namespace.active.at)),
    ]


def test_each_listener_hears_what_it_asked_for() -> None:
    """Under the same numbers; one that joins later hears nothing of before."""
    world = World()

    async def scene() -> tuple[list[Heard], list[Heard], list[Heard]]:
        with listening(world.namespace) as all_, listening(world.namespace, ["clock"]) as clock:
            await post(world)
            await pass_to(world.namespace, START + HOUR)
            with listening(world.namespace, ["clock", "task"]) as late:
                set_clock(world.namespace, "auto")
                streams = [await opened(listener) for listener in (all_, clock, late)]
                a, b, c = [parsed(await anext(stream)) for stream in streams]
                return a, b, c

    everything, clock, late = asyncio.run(scene())
    assert [one.event for one in everything] == ["task", "request", "task", "task", "clock", "clock"]
    assert clock == [one for one in everything if one.event == "clock"]
    assert late == everything[-1:]


def test_a_slow_listener_loses_the_oldest_and_is_told_how_many() -> None:
    """In place of what it lost, under the number of the last of them."""
    world = World()

    async def scene() -> tuple[list[Heard], list[Heard]]:
        with listening(world.namespace, ["request"], room=3) as listener:
            stream = await opened(listener)
            for _ in range(10):
                await poll(world, "nobody")
            first = parsed(await anext(stream))
            await poll(world, "nobody")
            return first, parsed(await anext(stream))

    first, then = asyncio.run(scene())
    assert first[0] == Heard(7, "lost", {"count": 7})
    assert [(one.id, one.event, one.data["number"]) for one in first[1:]] == [
        (number, "request", number) for number in (8, 9, 10)
    ]
    assert [(one.id, one.event) for one in then] == [(11, "request")]


def test_silence_is_broken_by_comments() -> None:
    """After so long, again and again; an event comes between them as ever."""
    world = World()

    async def scene() -> list[bytes]:
        with listening(world.namespace, ping=1) as listener:
            stream = await opened(listener)
            pieces = [await anext(stream), await anext(stream)]
            set_clock(world.namespace, "auto")
            return [*pieces, await anext(stream), await anext(stream)]

    first, second, event, last = asyncio.run(scene())
    assert first == second == last == b": ping\n\n"
    assert parsed(event)[0].event == "clock"


def test_a_dropped_namespace_ends_its_streams() -> None:
    """With an event that says so, whatever kinds a listener asked for."""
    namespace = World().namespace

    async def scene() -> list[bytes]:
        with listening(namespace, ["task"]) as listener:
            stream = await opened(listener)
            namespace.close()
            return [piece async for piece in stream]

    (piece,) = asyncio.run(scene())
    assert parsed(piece) == [Heard(1, "dropped", {"namespace": "default"})]


def test_streams_can_be_ended() -> None:
    """As a server that stops does: what waits is still sent, and a stream that waits itself ends at once."""
    namespace = World().namespace

    async def scene() -> tuple[list[bytes], list[bytes]]:
        with listening(namespace) as busy, listening(namespace, ["task"]) as idle:
            streams = [await opened(busy), await opened(idle)]
            waiting = asyncio.ensure_future(anext(streams[1], b"the end"))
            await asyncio.wait({waiting}, timeout=0)
            set_clock(namespace, "auto")
            assert namespace.events is not None
            namespace.events.end()
            return [piece async for piece in streams[0]], [await waiting]

    busy, idle = asyncio.run(asyncio.wait_for(scene(), 60))
    assert [one.event for piece in busy for one in parsed(piece)] == ["clock"]
    assert idle == [b"the end"]


def test_others_may_tell_of_what_they_do() -> None:
    """What the engine doesn't know of, such as a scenario that is put; after what fell due before."""
    world = World("version: 1\ntasks: [{id: t, provider: octopusx}]\n")

    async def scene() -> list[Heard]:
        with listening(world.namespace) as listener:
            stream = await opened(listener)
            world.advance(3 * SECOND)
            assert world.namespace.events is not None
            event = ScenarioEvent(name="x", change="put", at="2025-01-01T00:00:03Z")
            world.namespace.events.publish("scenario", event)
            return parsed(await anext(stream))

    assert brief(asyncio.run(scene())) == [("task", "processing"), ("scenario", "put")]


def test_who_leaves_leaves_nothing_behind() -> None:
    """With the last listener goes the watch over the journal; numbers go on where the next one joins."""
    namespace = World().namespace
    with listening(namespace) as first:
        with listening(namespace):
            set_clock(namespace, "auto")
            assert len(namespace.journal.watchers) == 1
        assert is_heard(namespace)
    assert not is_heard(namespace)
    set_clock(namespace, "manual")
    with listening(namespace) as later:
        set_clock(namespace, "auto")
        assert _waiting(namespace, later) == [2]
    assert _waiting(namespace, first) == [1]


def is_heard(namespace: Namespace) -> bool:
    """Whether anybody is told of what happens; neither half of it is ever without the other."""
    heard = namespace.events is not None
    assert len(namespace.journal.watchers) == heard
    return heard


def _waiting(namespace: Namespace, listener: Listener) -> list[int]:
    """The numbers of the events that wait for a listener."""

    async def scene() -> bytes:
        return await anext(await opened(listener))

    return [one.id for one in parsed(asyncio.run(scene()))]
