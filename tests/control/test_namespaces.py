"""Namespaces by the control API: made, shown, dropped, and how clients get into one."""

from typing import Any

import msgspec
import pytest

from emulator.agenda import Passage
from emulator.clock import real_time
from emulator.core.units import HOUR, SECOND
from emulator.namespaces import Bounds
from tests.worlds import KEY, Answer, World

ALL = "/__admin/namespaces"
CREATE = "/octopusx/v1/videos"
CAT = {"prompt": "a cat"}
NO_KEY: dict[str, str] = {}


def control(world: World, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """One request to the control API."""
    return world.call(method, path, body, headers=headers, host="localhost:8080")


def make(world: World, **body: Any) -> Any:
    """A new namespace, as it is told."""
    answer = control(world, "POST", ALL, body)
    assert answer.status_code == 201, answer.body
    return answer.json()


def names(world: World) -> list[str]:
    """What namespaces there are, in the order in which they are listed."""
    return [one["name"] for one in control(world, "GET", ALL).json()["namespaces"]]


# Making


def test_it_tells_how_clients_get_into_it() -> None:
    """By prefix, key or header, and where each provider is; a task made in one way is there in the others."""
    world = World()
    made = make(world, name="team-a")
    assert made["name"] == "team-a"
    assert made["base_urls"]["octopusx"] == "http://localhost:8080/ns/team-a/octopusx"
    task = world.post(f"{made['prefix']}{CREATE}", CAT).json()["id"]
    key = {"authorization": f"Bearer {made['key_prefix']}anything"}
    header = {**KEY, "x-emulator-namespace": "team-a"}
    for prefix, headers in [(made["prefix"], KEY), ("", key), ("", header)]:
        assert world.get(f"{prefix}{CREATE}/{task}", headers=headers).json()["id"] == task
    assert world.get(f"{CREATE}/{task}").status_code == 404
    assert made["base_urls"].keys() == {"acedata-sora", "acedata-veo", "octopusx", "ezmodel"}


def test_base_urls_begin_as_links_do() -> None:
    """With --public-url, where the server has one."""
    made = make(World(public_url="https://emu.example/x"), name="a")
    assert made["base_urls"]["acedata-veo"] == "https://emu.example/x/ns/a/acedata"


def test_it_begins_as_it_was_told() -> None:
    """With its own scenario, seed, clock and profile."""
    world = World()
    clock = {"mode": "auto", "now": "2031-01-01T00:00:00Z"}
    made = make(world, name="a", scenario="slow-queue", seed="mine", clock=clock, profile="current")
    assert (made["scenario"], made["clock"]) == ("slow-queue", {**clock, "scale": 1})
    namespace = world.app.namespaces.get("a")
    assert namespace is not None
    assert (namespace.seed, namespace.active.profile) == ("mine", "current")
    assert world.post(f"/ns/a{CREATE}", CAT).headers["date"] == "Wed, 01 Jan 2031 00:00:00 GMT"


def test_what_it_was_not_told_is_the_servers() -> None:
    """Scenario, seed, clock and profile."""
    world = World("slow-queue", seed=7)
    made = make(world, name="a")
    assert (made["scenario"], made["clock"]["mode"]) == ("slow-queue", "manual")
    assert world.post(f"/ns/a{CREATE}", CAT).json()["id"] == world.post(CREATE, CAT).json()["id"]
    partly = make(world, name="b", clock={"mode": "auto"})
    assert partly["clock"] == {"mode": "auto", "now": "2025-01-01T00:00:00Z", "scale": 1}


def test_a_clock_told_in_part_is_the_scenarios_else() -> None:
    """Where the server has none of its own."""
    fast = "version: 1\nname: fast\nclock: {mode: scaled, scale: 60}\n"
    world = World(others=[fast])
    namespaces = world.app.namespaces
    namespaces.settings = msgspec.structs.replace(namespaces.settings, clock=None)
    made = make(world, name="a", scenario="fast", clock={"now": "2031-01-01T00:00:00Z"})
    assert (made["clock"]["mode"], made["clock"]["scale"]) == ("scaled", 60)
    assert made["clock"]["now"].startswith("2031-01-01T00:")


MANUAL: dict[str, Any] = {"mode": "manual", "now": "2031-01-01T00:00:00Z"}
FAST = "version: 1\nname: fast\nclock: {mode: auto, start: '2026-01-01T00:00:00Z'}\n"
STILL = "version: 1\nname: still\nclock: {mode: auto}\n"


def clockless(*others: str) -> World:
    """A world whose server has no clock of its own."""
    world = World(others=others)
    namespaces = world.app.namespaces
    namespaces.settings = msgspec.structs.replace(namespaces.settings, clock=None)
    return world


def test_a_default_clock_is_for_where_nobody_says() -> None:
    """Without it that is the real time's; a reset begins with it again."""
    world = clockless()
    assert make(world, name="a", default_clock=MANUAL)["clock"] == {**MANUAL, "scale": 1}
    assert make(world, name="b")["clock"]["mode"] == "real"
    assert make(world, name="c", default_clock={"mode": "manual"})["clock"]["mode"] == "manual"
    control(world, "POST", "/ns/a/__admin/clock/advance", {"by": "1h"})
    for where in ("reset", "clock/reset"):
        assert control(world, "POST", f"/ns/a/__admin/{where}").status_code == 200
        assert control(world, "GET", "/ns/a/__admin/clock").json() == {**MANUAL, "scale": 1}


@pytest.mark.parametrize("default", [None, MANUAL])
def test_a_default_clock_gives_way(default: Any) -> None:
    """To a clock that is asked for, to the server's and to the scenario's, as if it weren't there."""
    told = {} if default is None else {"default_clock": default}
    asked = {"mode": "auto", "now": "2030-01-01T00:00:00Z"}
    assert make(clockless(), name="a", clock=asked, **told)["clock"] == {**asked, "scale": 1}
    assert make(World(), name="a", **told)["clock"]["now"] == "2025-01-01T00:00:00Z"
    shown = make(clockless(FAST), name="a", scenario="fast", **told)["clock"]
    assert shown == {"mode": "auto", "now": "2026-01-01T00:00:00Z", "scale": 1}


def test_a_default_clock_gives_way_to_a_scenario_that_comes_later() -> None:
    """To its mode and its start; where it has no start, the instant stays."""
    world = clockless()
    for name, text in (("a", FAST), ("b", STILL)):
        make(world, name=name, default_clock=MANUAL)
        answer = world.call(
            "POST",
            f"/ns/{name}/__admin/scenarios?activate=true",
            text.encode(),
            headers={"content-type": "application/yaml"},
            host="localhost:8080",
        )
        assert answer.status_code == 201
    clocks = [control(world, "GET", f"/ns/{name}/__admin/clock").json() for name in "ab"]
    assert [(clock["mode"], clock["now"]) for clock in clocks] == [
        ("auto", "2026-01-01T00:00:00Z"),
        ("auto", "2031-01-01T00:00:00Z"),
    ]


def test_a_default_clock_is_read_as_a_clock_is() -> None:
    """Its mistakes are told with its own name."""
    for wrong, where in (
        ({"mode": "fast"}, "default_clock.mode"),
        ({"mode": "manual", "scale": 2}, "default_clock.scale"),
        ("manual", "default_clock"),
    ):
        refused = control(World(), "POST", ALL, {"name": "a", "default_clock": wrong})
        assert refused.status_code == 400
        assert [mistake["where"] for mistake in refused.json()["mistakes"]] == [where]


def test_a_seed_may_be_zero() -> None:
    """It is one like any other, not the server's."""
    world = World(seed=7)
    make(world, name="a", seed=0)
    assert world.post(f"/ns/a{CREATE}", CAT).json()["id"] == World(seed=0).post(CREATE, CAT).json()["id"]


def test_the_same_seed_gives_the_same_ids_and_another_others() -> None:
    """Whatever the namespace is called, and whether a number stands there as a number or as a text."""
    world = World()
    for name, seed in [("a", 1), ("b", "1"), ("c", 2)]:
        make(world, name=name, seed=seed)
    ids = [world.post(f"/ns/{name}{CREATE}", CAT).json()["id"] for name in "abc"]
    assert ids[0] == ids[1] != ids[2]


def test_its_settings_outlast_a_reset() -> None:
    """It begins anew as it was told at first, its clock too."""
    world = World()
    make(world, name="a", seed=5, clock={"now": "2030-01-01T00:00:00Z"})
    first = world.post(f"/ns/a{CREATE}", CAT).json()
    control(world, "POST", "/ns/a/__admin/clock/advance", {"by": "1h"})
    control(world, "POST", "/ns/a/__admin/reset")
    assert world.post(f"/ns/a{CREATE}", CAT).json() == first


def test_without_a_name_it_gets_the_first_that_is_free() -> None:
    """ns-1, ns-2 and so on; one that was dropped is free again."""
    world = World()
    world.get("/ns/ns-2/__admin/health")
    assert [make(world)["name"] for _ in range(3)] == ["ns-1", "ns-3", "ns-4"]
    control(world, "DELETE", f"{ALL}/ns-3")
    assert make(world)["name"] == "ns-3"


def test_one_too_many_is_refused_and_none_is_given_up_for_it() -> None:
    """503, however it is asked for; once there is room again there is one."""
    world = World(bounds=Bounds(namespaces=1))
    make(world, name="a")
    refused = control(world, "POST", ALL, {"name": "b"})
    assert refused.status_code == 503
    assert "--max-namespaces" in refused.json()["detail"]
    assert control(world, "GET", "/ns/b/__admin/health").status_code == 503
    assert names(world) == ["default", "a"]
    control(world, "DELETE", f"{ALL}/a")
    assert make(world, name="b")["name"] == "b"


REFUSED = [
    ("POST", ALL, {"name": "taken"}, 409, "name: there is a namespace 'taken' already"),
    ("POST", ALL, {"name": "default"}, 409, "there is a namespace 'default' already"),
    ("POST", ALL, {"name": "A"}, 400, "name: expected 1 to 64 of the characters a-z"),
    ("POST", ALL, {"name": "a--b"}, 400, "name: expected 1 to 64 of the characters"),
    ("POST", ALL, {"name": ""}, 400, "name: expected 1 to 64 of the characters"),
    ("POST", ALL, {"name": "a" * 65}, 400, "name: expected 1 to 64 of the characters"),
    ("POST", ALL, {"name": "x", "scenario": "slow-queu"}, 404, "did you mean slow-queue? there are: "),
    ("POST", ALL, {"name": "x", "seed": True}, 400, "seed: expected a whole number of 64 bits or a text"),
    ("POST", ALL, {"name": "x", "seed": 2**63}, 400, "seed: expected a whole number"),
    ("POST", ALL, {"name": "x", "seed": ""}, 400, "seed: expected a whole number"),
    ("POST", ALL, {"name": "x", "seed": 1.5}, 400, "seed: expected a whole number"),
    ("POST", ALL, {"name": "x", "profile": "new"}, 400, "profile: expected one of documented, current"),
    ("POST", ALL, {"name": "x", "clock": {"mode": "slow"}}, 400, "clock.mode: expected one of real"),
    ("POST", ALL, {"name": "x", "clock": {"scale": 2}}, 400, 'clock.scale: only the mode "scaled" has one'),
    ("POST", ALL, {"nam": "x"}, 400, "nam: unknown; expected name, scenario, seed"),
    ("GET", f"{ALL}?limit=1001", None, 400, "limit: expected a whole number from 0 to 1000"),
    ("GET", f"{ALL}/nobody", None, 404, "there is no namespace 'nobody'"),
    ("DELETE", f"{ALL}/nobody", None, 404, "there is no namespace 'nobody'"),
    ("DELETE", f"{ALL}/default", None, 409, "POST /__admin/reset lets it begin anew"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status_code", "detail"), REFUSED)
def test_what_is_refused_says_why_and_changes_nothing(
    method: str, path: str, body: Any, status_code: int, detail: str
) -> None:
    """A problem document; there are the same namespaces with the same in them."""
    world = World()
    make(world, name="taken")
    world.post(f"/ns/taken{CREATE}", CAT)
    answer = control(world, method, path, body)
    assert (answer.status_code, answer.headers["content-type"]) == (status_code, "application/problem+json")
    assert detail in answer.json()["detail"]
    assert names(world) == ["default", "taken"]
    assert control(world, "GET", f"{ALL}/taken").json()["tasks"] == {"kept": 1, "dropped": 0}


# Looking


def test_they_are_listed_by_name_and_paged() -> None:
    """The default one first."""
    world = World()
    for name in ("c", "a", "b"):
        make(world, name=name)
    assert names(world) == ["default", "a", "b", "c"]
    page = control(world, "GET", f"{ALL}?limit=2&offset=1").json()
    assert ([one["name"] for one in page["namespaces"]], page["total"]) == (["a", "b"], 4)


def test_it_shows_what_each_holds() -> None:
    """Tasks, requests, scenario and clock."""
    world = World()
    world.post(f"/ns/a{CREATE}", CAT)
    world.get(f"/ns/a{CREATE}/nobody")
    control(world, "POST", "/ns/a/__admin/clock/advance", {"by": "5m"})
    shown = control(world, "GET", f"{ALL}/a").json()
    assert (shown["tasks"]["kept"], shown["requests"]["kept"]) == (1, 2)
    assert shown["clock"]["now"] == "2025-01-01T00:05:00Z"
    default = control(world, "GET", f"{ALL}/default").json()
    assert (default["prefix"], default["tasks"]["kept"], default["idle"]) == ("", 0, None)


def test_asking_neither_makes_nor_uses_one() -> None:
    """One that is unknown stays so, and one that is idle stays idle."""
    world = World()
    make(world, name="a")
    namespace = world.app.namespaces.get("a")
    assert namespace is not None
    namespace.touched -= 10 * SECOND
    touched = namespace.touched
    for path in (ALL, f"{ALL}/a", f"{ALL}/b"):
        control(world, "GET", path)
    assert namespace.touched == touched
    assert control(world, "GET", f"{ALL}/a").json()["idle"].startswith("10s")
    assert control(world, "GET", f"/ns/a{ALL}/a").json()["idle"] == "0s"
    assert names(world) == ["default", "a"]


def test_all_are_seen_from_each() -> None:
    """These routes are about all namespaces, whatever the prefix says; using it makes the one that it names."""
    world = World()
    make(world, name="a")
    seen = control(world, "GET", f"/ns/b{ALL}").json()["namespaces"]
    assert [one["name"] for one in seen] == ["default", "a", "b"]
    assert control(world, "DELETE", f"/ns/b{ALL}/a").json() == {"name": "a", "dropped": True}


def test_one_that_was_idle_for_too_long_is_gone() -> None:
    """Not shown, not listed, and counted as dropped; but never while somebody is served in it."""
    for path in (f"{ALL}/idle", f"{ALL}?limit=0"):
        world = World(bounds=Bounds(idle=HOUR))
        for name in ("idle", "in-use", "fresh"):
            make(world, name=name)
        for name in ("idle", "in-use"):
            namespace = world.app.namespaces.get(name)
            assert namespace is not None
            namespace.touched = real_time() - HOUR - SECOND
            namespace.visitors = int(name == "in-use")
        answer = control(world, "GET", path)
        assert answer.status_code == 404 if path.endswith("idle") else answer.json()["total"] == 3
        assert control(world, "GET", "/__admin/health").json()["namespaces"] == {"kept": 3, "dropped": 1}
        assert control(world, "GET", f"{ALL}/in-use").json()["idle"] == "0s"
        assert names(world) == ["default", "fresh", "in-use"]


# Dropping, and beginning anew


def test_dropping_one_forgets_all_that_was_in_it() -> None:
    """Tasks, journal, clock and scenario; the others keep theirs, and the next use of its name begins anew."""
    world = World()
    for name in ("a", "b"):
        make(world, name=name, clock={"now": "2030-01-01T00:00:00Z"})
        control(world, "PUT", f"/ns/{name}/__admin/scenarios/active", {"name": "slow-queue"})
        world.post(f"/ns/{name}{CREATE}", CAT)
    assert control(world, "DELETE", f"{ALL}/a").json() == {"name": "a", "dropped": True}
    anew = control(world, "GET", "/ns/a/__admin/health").json()
    kept = control(world, "GET", "/ns/b/__admin/health").json()
    assert (anew["scenario"], anew["tasks"]["kept"], anew["requests"]["kept"]) == ("happy-path", 0, 0)
    assert (kept["scenario"], kept["tasks"]["kept"], kept["requests"]["kept"]) == ("slow-queue", 1, 1)
    assert anew["clock"]["now"] == "2025-01-01T00:00:00Z"


def test_a_reset_crosses_into_no_other() -> None:
    """Neither from the default one nor from one with a name."""
    world = World()
    for prefix in ("", "/ns/a", "/ns/b"):
        world.post(f"{prefix}{CREATE}", CAT)
        control(world, "POST", f"{prefix}/__admin/clock/advance", {"by": "1m"})
    counts = []
    for reset in ("/ns/a", ""):
        control(world, "POST", f"{reset}/__admin/reset")
        healths = [control(world, "GET", f"{p}/__admin/health").json() for p in ("", "/ns/a", "/ns/b")]
        counts.append(
            [(h["tasks"]["kept"], h["requests"]["kept"], h["clock"]["now"][14:16]) for h in healths]
        )
    kept, gone = (1, 1, "01"), (0, 0, "00")
    assert counts == [[kept, gone, kept], [gone, gone, kept]]


def test_a_reset_may_bring_a_clock() -> None:
    """Also an earlier one; what isn't named is as it was."""
    world = World()
    reset = control(world, "POST", "/__admin/reset", {"clock": {"now": "2001-01-01T00:00:00Z"}}).json()
    assert reset == {"reset": True, "clock": {"mode": "manual", "now": "2001-01-01T00:00:00Z", "scale": 1}}


def test_nothing_begins_anew_while_its_clock_is_advanced() -> None:
    """409, and the tasks are still there; another namespace may."""
    world = World()
    world.post(CREATE, CAT)
    now = world.namespace.clock.now()
    world.namespace.passage = Passage(now, now + SECOND)
    refused = control(world, "POST", "/__admin/reset")
    assert (refused.status_code, "under way" in refused.json()["detail"]) == (409, True)
    assert control(world, "GET", "/__admin/tasks").json()["total"] == 1
    assert control(world, "POST", "/ns/a/__admin/reset").status_code == 200


def test_a_thousand_share_what_all_have() -> None:
    """They are listed and counted; a shipped scenario is one value for all."""
    world = World()
    for _ in range(1000):
        make(world)
    assert control(world, "GET", f"{ALL}?limit=0").json() == {"namespaces": [], "total": 1001}
    namespace = world.app.namespaces.get("ns-1000")
    assert namespace is not None
    assert namespace.active.scenario is world.namespace.active.scenario
