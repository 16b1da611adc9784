"""The clock of the control API: what each verb does, what it refuses, and that a refusal changes nothing."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from emulator.core.scenario import ClockSettings
from emulator.core.units import HOUR, SECOND, parse_instant
from tests.worlds import KEY, START, Answer, World, call

CLOCK = "/__admin/clock"
CREATE = "/octopusx/v1/videos"


def control(world: World, method: str, path: str, body: Any = None) -> Answer:
    """One request to the control API."""
    return world.call(method, path, body, headers={}, host="localhost:8080")


def verb(world: World, name: str, body: Any = None) -> Any:
    """What a verb of the clock answers."""
    answer = control(world, "POST", f"{CLOCK}/{name}", body)
    assert answer.status_code == 200, answer.body
    return answer.json()


def state(mode: str, now: str, scale: float = 1) -> dict[str, Any]:
    """A clock as it is shown."""
    return {"mode": mode, "now": now, "scale": scale}


def test_each_verb_sets_the_mode_that_it_names() -> None:
    """From the present instant on; no scenario's file changes it any more."""
    for name, body, mode in [
        ("freeze", None, "manual"),
        ("auto", {}, "auto"),
        ("resume", None, "real"),
        ("scale", {"scale": 2.5}, "scaled"),
    ]:
        world = World(clock=ClockSettings(mode="auto" if mode == "manual" else "manual", start=START))
        shown = verb(world, name, body)
        assert (shown["mode"], shown["scale"]) == (mode, 2.5 if mode == "scaled" else 1)
        assert START <= parse_instant(shown["now"]) < START + HOUR
        assert world.namespace.clock_is_set
        assert world.namespace.clock.mode == mode


def test_a_frozen_clock_stands_where_it_was() -> None:
    """Also one that ran."""
    world = World(clock=ClockSettings(mode="scaled", scale=100_000, start=START))
    frozen = verb(world, "freeze")
    assert control(world, "GET", CLOCK).json() == frozen
    assert parse_instant(frozen["now"]) > START


def test_it_is_set_to_an_instant_and_keeps_its_mode() -> None:
    """Forward, with or without a zone of its own."""
    world = World(clock=ClockSettings(mode="auto", start=START))
    assert verb(world, "set", {"now": "2025-01-01T09:00:00+08:00"}) == state("auto", "2025-01-01T01:00:00Z")
    assert world.namespace.clock_is_set


def test_put_sets_everything_at_once() -> None:
    """A clock that shall stand still at an instant stands at that very instant, though it ran before."""
    world = World(clock=ClockSettings(mode="scaled", scale=100_000, start=START))
    wanted = {"mode": "manual", "now": "2026-01-01T00:00:00Z"}
    assert control(world, "PUT", CLOCK, wanted).json() == state("manual", "2026-01-01T00:00:00Z")
    shown = control(world, "PUT", CLOCK, {"mode": "scaled", "scale": 60}).json()
    assert (shown["mode"], shown["scale"]) == ("scaled", 60)


def test_an_advance_tells_what_changed_on_the_way() -> None:
    """In order and at its instants; to the next change where that is asked for."""
    world = World()
    task_id = world.post(CREATE, {"prompt": "a cat"}).json()["id"]
    first = {
        "task": task_id,
        "provider": "octopusx",
        "was": "queued",
        "status": "processing",
        "at": "2025-01-01T00:00:02Z",
    }
    then = {**first, "was": "processing", "status": "completed", "at": "2025-01-01T00:00:10Z"}
    assert verb(world, "advance", {"to": "next"}) == {
        **state("manual", "2025-01-01T00:00:02Z"),
        "from": "2025-01-01T00:00:00Z",
        "to": "2025-01-01T00:00:02Z",
        "changes": [first],
        "changed": 1,
        "callbacks": [],
        "undelivered": 0,
    }
    assert world.get(f"{CREATE}/{task_id}").json()["status"] == "processing"
    by = verb(world, "advance", {"by": "3s"})
    assert (by["from"], by["now"], by["changed"]) == ("2025-01-01T00:00:02Z", "2025-01-01T00:00:05Z", 0)
    to = verb(world, "advance", {"to": "2025-01-02T00:00:00Z"})
    assert (to["changes"], to["now"]) == ([then], "2025-01-02T00:00:00Z")


def test_an_advance_counts_more_than_it_tells() -> None:
    """The first hundred of three hundred."""
    items = "".join(f"  - {{id: t{number:03}, provider: octopusx}}\n" for number in range(150))
    told = verb(World(f"version: 1\ntasks:\n{items}"), "advance", {"by": "1h"})
    assert told["changed"] == 300
    assert [change["task"] for change in told["changes"]] == [f"t{number:03}" for number in range(100)]


def test_it_begins_anew_where_nothing_is_dated_later() -> None:
    """As the options say, and no longer as the control API did."""
    world = World()
    verb(world, "advance", {"by": "1h"})
    verb(world, "auto")
    assert verb(world, "reset") == state("manual", "2025-01-01T00:00:00Z")
    assert not world.namespace.clock_is_set


NOT_ONE = "expected either by, a duration such as 500ms, 5s or 4m15s, or to, an instant such as"
REFUSED = [
    ("PUT", "", {"mode": "slow"}, 400, "mode: expected one of real, scaled, manual, auto"),
    ("PUT", "", {"mode": "scaled", "scale": 0}, 400, "scale: expected a number above 0"),
    ("PUT", "", {"scale": 2}, 400, 'only the mode "scaled" has one'),
    ("PUT", "", {"mode": "real", "now": "2024-12-31T23:59:59Z"}, 409, "never goes backwards: it shows"),
    ("POST", "/freeze", {"now": "2025-01-02T00:00:00Z"}, 400, "now: unknown; expected nothing"),
    ("POST", "/set", {}, 400, "now: expected an instant such as 2025-01-01T00:00:00Z, got nothing"),
    ("POST", "/set", {"now": "2025-01-02"}, 400, "now: expected an instant"),
    ("POST", "/set", {"now": "2024-12-31T23:59:59Z"}, 409, 'reset with {"clock": {"now": "2024-12-31T23:59:59Z"}}'),
    ("POST", "/set", {"now": "10000-01-01T00:00:00Z"}, 400, "now: expected an instant"),
    ("POST", "/advance", None, 400, f"{NOT_ONE} 2025-01-01T00:00:00Z, or \"next\"; got neither"),
    ("POST", "/advance", {"by": "1s", "to": "next"}, 400, NOT_ONE),
    ("POST", "/advance", {"by": 5}, 400, "by: expected a duration such as 500ms, 5s or 4m15s, got 5"),
    ("POST", "/advance", {"by": "-5m"}, 400, "by: expected a duration"),
    ("POST", "/advance", {"by": "365000000d"}, 409, "ends with the year 9999; advance it by less"),
    ("POST", "/advance", {"to": "2024-12-31T23:59:59Z"}, 409, "never goes backwards"),
    ("POST", "/advance", {"to": "nxt"}, 400, "got 'nxt'; \"next\" is taken too"),
    ("POST", "/advance", {"to": 5}, 400, 'to: expected an instant such as 2025-01-01T00:00:00Z, or "next", got 5'),
    ("POST", "/scale", None, 400, "scale: expected a number above 0 and at most 100,000, got nothing"),
    ("POST", "/scale", {"scale": 100_001}, 400, "scale: expected a number above 0 and at most 100,000"),
    ("POST", "/thaw", None, 404, "/__admin/clock/thaw"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status_code", "detail"), REFUSED)
def test_what_is_refused_says_why_and_changes_nothing(
    method: str, path: str, body: Any, status_code: int, detail: str
) -> None:
    """A problem document; clock and tasks are as they were."""
    world = World()
    world.post(CREATE, {"prompt": "a cat"})
    before = seen(world)
    answer = control(world, method, f"{CLOCK}{path}", body)
    assert answer.status_code == status_code
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]
    assert seen(world) == before


def seen(world: World) -> list[Any]:
    """What a refusal mustn't change."""
    tasks = sorted(world.namespace.store.newest_first(), key=lambda task: task.id)
    return [control(world, "GET", CLOCK).json(), world.namespace.clock_is_set, tasks]


def test_where_nothing_is_ahead_there_is_no_next() -> None:
    """Without tasks, and with those alone that wait for a poll."""
    world = World("version: 1\ntasks: [{timeline: [{status: queued, polls: 1}, {status: failed}]}]\n")
    for _ in range(2):
        answer = control(world, "POST", f"{CLOCK}/advance", {"to": "next"})
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("nothing is ahead: time alone changes no task")
        world.post(CREATE, {"prompt": "a cat"})
    assert world.namespace.clock.now() == START


def test_it_never_goes_back_over_what_is_known() -> None:
    """A task that was created later: the refusal names the repair, and the clock stays."""
    world = World()
    verb(world, "advance", {"by": "1h"})
    world.post(CREATE, {"prompt": "a cat"})
    before = seen(world)
    answer = control(world, "POST", f"{CLOCK}/reset")
    assert answer.status_code == 409
    assert "POST /__admin/reset forgets them" in answer.json()["detail"]
    assert seen(world) == before


OTHERS = [
    ("POST", f"{CLOCK}/advance", {"by": "1h"}),
    ("POST", f"{CLOCK}/advance", {"to": "next"}),
    ("POST", f"{CLOCK}/set", {"now": "2025-01-02T00:00:00Z"}),
    ("POST", f"{CLOCK}/freeze", None),
    ("POST", f"{CLOCK}/resume", None),
    ("POST", f"{CLOCK}/auto", None),
    ("POST", f"{CLOCK}/scale", {"scale": 60}),
    ("POST", f"{CLOCK}/reset", None),
    ("PUT", CLOCK, {"mode": "real"}),
    ("PUT", CLOCK, {"now": "2025-01-02T00:00:00Z"}),
    ("POST", "/__admin/reset", None),
]


@pytest.mark.parametrize(("method", "path", "body"), OTHERS)
def test_a_nested_change_is_refused(method: str, path: str, body: Any) -> None:
    """While an advance is under way; polls are answered, and the advance goes to its end."""
    items = "".join(f"  - {{id: t{number}, provider: octopusx}}\n" for number in range(600))
    world = World(f"version: 1\ntasks:\n{items}")

    async def ask(method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        sent = b"" if body is None else json.dumps(body).encode()
        fields = {"host": "localhost:8080", "content-type": "application/json", **headers}
        return await call(world.app, method, path, sent, fields)

    async def scene() -> tuple[Answer, Answer, Answer]:
        return await asyncio.gather(
            ask("POST", f"{CLOCK}/advance", {"by": "1h"}, {}),
            ask(method, path, body, {}),
            ask("GET", f"{CREATE}/t0", None, KEY),
        )

    advance, nested, poll = asyncio.run(scene())
    assert (advance.status_code, advance.json()["changed"]) == (200, 1200)
    assert nested.status_code == 409
    assert "an advance to 2025-01-01T01:00:00Z is under way" in nested.json()["detail"]
    assert (poll.status_code, poll.json()["status"]) == (200, "processing")
    assert control(world, "GET", CLOCK).json() == state("manual", "2025-01-01T01:00:00Z")


def test_one_namespace_waits_for_no_other() -> None:
    """Neither their clocks nor their advances are the same."""
    world = World()
    there = "/ns/other/__admin/clock"
    assert control(world, "POST", f"{there}/advance", {"by": "1h"}).status_code == 200
    assert control(world, "GET", CLOCK).json()["now"] == "2025-01-01T00:00:00Z"
    assert control(world, "GET", there).json()["now"] == "2025-01-01T01:00:00Z"


def test_what_a_scenarios_file_says_counts_where_no_option_does() -> None:
    """For a clock that begins anew."""
    world = World("version: 1\nclock: {mode: auto, start: '2030-01-01T00:00:00Z'}\n")
    world.namespace.settings = msgspec.structs.replace(world.namespace.settings, clock=None)
    assert verb(world, "reset") == state("auto", "2030-01-01T00:00:00Z")
    assert world.namespace.clock.now() > START + HOUR + SECOND
