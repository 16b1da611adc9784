"""Why: each kind of decision is told as it was made, and every draw is the one that decided."""

import json
from typing import Any

import msgspec
import pytest

from emulator import why
from emulator.core.scenario import ClockSettings
from emulator.core.steps import forced
from emulator.core.units import MINUTE, SECOND, format_duration
from emulator.core.words import OperationName, Status
from emulator.journal import Record
from emulator.messages.requests import Why
from tests.worlds import START, Answer, World

OCTOPUSX = "/octopusx/v1/videos"


def last(world: World) -> Record:
    """The newest record of the journal."""
    return next(world.namespace.journal.newest_first())


def entry_of(world: World) -> Any:
    """The newest entry of the journal, as the control API tells it."""
    answer = world.get("/__admin/requests?order=newest&limit=1", host="localhost", headers={})
    assert answer.status_code == 200
    return answer.json()["requests"][0]


def why_of(world: World) -> Any:
    """Why the newest entry was answered as it was."""
    return entry_of(world)["why"]


def created(world: World, base: str = OCTOPUSX, **fields: Any) -> str:
    """The id of a new task."""
    answer = world.post(base, {"prompt": "a cat", **fields})
    assert answer.status_code == 200, answer.body
    task_id: str = answer.json().get("id") or answer.json()["task_id"]
    return task_id


# Entries and choices


def test_it_tells_the_entry_and_where_it_stands() -> None:
    """With the first `about` that there is: the entry's, the choice's or the item's."""
    world = World("""
version: 1
name: told
tasks:
  - match: {prompt: {contains: dog}}
  - about: a slow one
    timeline:
      - {status: queued, for: 10s, about: waits}
      - {status: completed}
""")
    task_id = created(world)
    assert why_of(world)["entry"] == {
        "index": 0,
        "status": "queued",
        "entered_at": "2025-01-01T00:00:00Z",
        "place": "tasks[1].timeline[0]",
        "about": "waits",
    }
    world.advance(11 * SECOND)
    world.get(f"{OCTOPUSX}/{task_id}")
    told = why_of(world)
    assert told["stage"] == "timeline"
    assert told["scenario"].startswith("told@")
    assert told["entry"] == {
        "index": 1,
        "status": "completed",
        "entered_at": "2025-01-01T00:00:10Z",
        "place": "tasks[1].timeline[1]",
        "about": "a slow one",
    }
    assert set(told) == {"stage", "scenario", "entry"}


def test_it_counts_the_polls_of_an_entry_that_polls_end() -> None:
    """The last of them still shows it."""
    world = World("version: 1\ntasks: [{timeline: [{status: queued, polls: 2}, {status: completed}]}]")
    task_id = created(world)
    assert "poll" not in why_of(world)["entry"]  # a create is no poll
    told = []
    for _ in range(3):
        world.get(f"{OCTOPUSX}/{task_id}")
        entry = why_of(world)["entry"]
        told.append((entry["index"], entry.get("poll"), entry.get("polls")))
    assert told == [(0, 1, 2), (0, 2, 2), (1, None, None)]


CHOICES = """
version: 1
tasks:
  - choices:
      - {name: often, weight: 3, about: mostly, timeline: [{status: queued, for: 1s}, {status: completed}]}
      - {name: seldom, weight: 1, timeline: [{status: queued, for: 1s}, {status: failed}]}
"""


def test_it_tells_the_choice_and_its_draw() -> None:
    """The weights share the numbers from 0 to 1 among them, in their order."""
    world = World(CHOICES)
    met = set()
    for number in range(30):
        created(world, size=str(number))
        told = why_of(world)["choice"]
        assert told["weights"] == [3, 1]
        assert told["index"] == (0 if told["drawn"] * 4 < 3 else 1)
        assert told["name"] == ["often", "seldom"][told["index"]]
        assert told["place"] == f"tasks[0].choices[{told['index']}]"
        assert told["about"] == ["mostly", None][told["index"]]
        assert why_of(world)["entry"]["place"] == f"{told['place']}.timeline[0]"
        met.add(told["index"])
    assert met == {0, 1}


def test_a_single_timeline_is_no_choice() -> None:
    """Nothing was drawn then."""
    world = World()
    created(world)
    assert "choice" not in why_of(world)


def test_what_was_forced_by_hand_has_no_place_in_the_file() -> None:
    """It stands behind the timeline."""
    world = World("version: 1\ntasks: [{timeline: [{status: queued, for: 1h}, {status: completed}]}]")
    task = world.namespace.store.get("octopusx", created(world))
    assert task is not None
    world.namespace.store.renew(forced(task, START, Status.CANCELLED))
    world.get(f"{OCTOPUSX}/{task.id}")
    told = why_of(world)["entry"]
    assert told == {"index": 2, "status": "cancelled", "entered_at": "2025-01-01T00:00:00Z", "forced": True}


def test_the_happy_path_stands_in_where_no_item_fits() -> None:
    """Then the entry stands in no file."""
    world = World("version: 1\ntasks: [{match: {prompt: dog}, timeline: [{status: failed}]}]")
    created(world)
    assert "place" not in why_of(world)["entry"]


def test_a_batch_tells_the_entry_of_each_task() -> None:
    """The decision tells the first one's."""
    world = World("""
version: 1
tasks:
  - {id: a, provider: acedata-sora, timeline: [{status: completed}]}
  - {id: b, provider: acedata-sora, timeline: [{status: failed, about: broken}]}
""")
    world.post("/acedata/sora/tasks", {"action": "retrieve_batch", "ids": ["b", "nobody", "a"]})
    entry = entry_of(world)
    places = {task["id"]: task["entry"]["place"] for task in entry["tasks"]}
    assert places == {"b": "tasks[1].timeline[0]", "a": "tasks[0].timeline[0]"}
    assert entry["why"]["entry"]["about"] == "broken"
    assert entry["unknown"] == ["nobody"]


# Rules

RULES = """
version: 1
rules:
  - {operation: poll, headers: {x-a: b}, patch: {x: 1}, about: only adds}
  - {operation: poll, calls: 2, delay: 3ms}
  - {operation: poll, calls: 2-3, error: rate_limited, retry_after: 5s, about: throttles}
  - {operation: poll, error: internal, calls: 2}
  - {operation: content, pass: true}
  - {operation: create, match: {prompt: dog}, respond: {status_code: 418}}
"""


def test_it_tells_which_rule_answered_and_which_only_added() -> None:
    """In the file's order, up to the one that answered."""
    world = World(RULES)
    task_id = created(world)
    assert "rules" not in why_of(world)
    told = []
    for _ in range(4):
        world.get(f"{OCTOPUSX}/{task_id}")
        told.append(why_of(world))
    first, second, _, fourth = told
    adds = {"id": world.scenario.rules[0].id, "place": "rules[0]", "line": 4, "about": "only adds"}
    assert first["stage"] == "timeline"
    assert first["rules"] == [{**adds, "adds": ["patch", "headers"]}]
    assert second["stage"] == "rules"
    assert second["error"] == "rate_limited"
    assert second["call"] == 2
    assert [rule.get("effect") for rule in second["rules"]] == [None, None, "error"]
    assert second["rules"][1]["place"] == "rules[1]"
    assert second["rules"][2] == {
        "id": world.scenario.rules[2].id,
        "place": "rules[2]",
        "line": 6,
        "about": "throttles",
        "effect": "error",
        "adds": ["retry_after"],
    }
    assert fourth["rules"] == first["rules"]
    assert fourth["call"] == 4
    world.get(f"{OCTOPUSX}/{task_id}/content")
    assert [rule["effect"] for rule in why_of(world)["rules"]] == ["pass"]
    world.post(OCTOPUSX, {"prompt": "dog"})
    assert [(rule["place"], rule["effect"]) for rule in why_of(world)["rules"]] == [("rules[5]", "respond")]


CHANCES = """
version: 1
unknown_task: not_found
rules:
  - {operation: create, probability: 40%, headers: {x-a: b}}
  - {operation: create, probability: 40%, error: internal}
  - {operation: create, probability: 40%, headers: {x-c: d}}
  - {operation: poll, probability: 40%, while: queued, headers: {x-a: b}}
  - {operation: poll, probability: 40%, error: internal}
  - {operation: poll, probability: 40%, headers: {x-c: d}}
  - {operation: content, probability: 40%, error: forbidden}
  - {operation: download, probability: 40%, error: forbidden}
"""


def _judged(world: World, places: set[str]) -> set[str]:
    """Every rule of the places is told once, with a number that says why; the places of those that held."""
    told = why_of(world)
    fired, missed = told.get("rules", []), told.get("missed", [])
    for rule in fired:
        assert rule["draw"]["drawn"] < rule["draw"]["below"] == 0.4
    for rule in missed:
        assert rule["draw"]["drawn"] >= rule["draw"]["below"] == 0.4
    listed = [rule["place"] for rule in (*fired, *missed)]
    stopped = any("effect" in rule for rule in fired)
    assert len(listed) == len(set(listed))
    assert set(listed) == ({place for place in places if place <= fired[-1]["place"]} if stopped else places)
    return {rule["place"] for rule in fired}


def test_it_tells_every_draw_of_every_rule_that_chance_decides() -> None:
    """Of those that held and of those that nothing but chance kept from it, up to the one that answered."""
    world = World(CHANCES)
    met: dict[str, list[set[str]]] = {"create": [], "poll": [], "content": [], "download": [], "unknown": []}
    for number in range(40):
        answer = world.post(OCTOPUSX, {"prompt": f"cat {number}"})
        met["create"].append(_judged(world, {"rules[0]", "rules[1]", "rules[2]"}))
        world.get(f"{OCTOPUSX}/nobody-{number}")
        met["unknown"].append(_judged(world, {"rules[4]", "rules[5]"}))
        if answer.status_code != 200:
            continue
        task_id = answer.json()["id"]
        world.get(f"{OCTOPUSX}/{task_id}")
        met["poll"].append(_judged(world, {"rules[3]", "rules[4]", "rules[5]"}))
        world.advance(MINUTE)
        polled = world.get(f"{OCTOPUSX}/{task_id}")
        met["poll"].append(_judged(world, {"rules[4]", "rules[5]"}))
        world.get(f"{OCTOPUSX}/{task_id}/content")
        met["content"].append(_judged(world, {"rules[6]"}))
        if polled.status_code == 200:
            world.get(polled.json()["video_url"].partition("8080")[2], headers={})
            met["download"].append(_judged(world, {"rules[7]"}))
    for held in met.values():
        assert set() in held  # chance went either way
        assert any(held)


def test_a_draw_is_told_of_a_batch_too() -> None:
    """For a rule that held: of a task for which it did."""
    world = World("""
version: 1
tasks:
  - {id: a, provider: acedata-sora, timeline: [{status: completed}]}
  - {id: b, provider: acedata-sora, timeline: [{status: completed}]}
rules: [{operation: poll, probability: 30%, headers: {x-a: b}}]
""")
    met = set()
    for _ in range(30):
        answer = world.post("/acedata/sora/tasks", {"action": "retrieve_batch", "ids": ["a", "b"]})
        told = why_of(world).get("rules", [])
        assert bool(told) == ("x-a" in answer.headers)
        assert all(rule["draw"]["drawn"] < 0.3 for rule in told)
        met.add(bool(told))
    assert met == {True, False}


@pytest.mark.parametrize(
    ("conditions", "is_told"),
    [
        ("match: {prompt: a cat}", True),
        ("match: {prompt: a dog}", False),
        ("match: {key: sk-test}", True),
        ("match: {key: sk-other}", False),
        ("match: {header.x-a: b}", True),
        ("match: {header.x-a: c}", False),
        ("while: queued", True),
        ("while: failed", False),
        ("calls: 1", True),
        ("calls: 2", False),
        ("between: 0s-1s", True),
        ("between: 5s-6s", False),
        ("between: 0s-1s, since: start", True),
        ("provider: octopusx", True),
        ("provider: ezmodel", False),
        ("operation: poll", True),
        ("operation: content", False),
    ],
)
def test_a_rule_counts_as_missed_only_where_all_else_holds(conditions: str, is_told: bool) -> None:
    """What its conditions rule out wasn't left to chance."""
    world = World(f"version: 1\nrules: [{{probability: 0.000001%, error: internal, {conditions}}}]")
    task_id = created(world)
    world.get(f"{OCTOPUSX}/{task_id}", headers={"authorization": "Bearer sk-test", "x-a": "b"})
    assert ("missed" in why_of(world)) is is_told


@pytest.mark.parametrize(("field", "is_told"), [("a cat", True), ("a dog", False)])
@pytest.mark.parametrize("more", ["", ", {operation: create, respond: {status_code: 418}}"])
def test_a_create_is_asked_by_its_own_fields(field: str, is_told: bool, more: str) -> None:
    """Whether it made a task or not."""
    rule = f'{{operation: create, probability: 0.000001%, error: internal, match: {{prompt: "{field}"}}}}'
    world = World(f"version: 1\nrules: [{rule}{more}]")
    world.post(OCTOPUSX, {"prompt": "a cat"})
    assert ("missed" in why_of(world)) is is_told


def test_a_rule_that_has_fired_often_enough_is_not_missed() -> None:
    """Chance has no say in it any more."""
    world = World("version: 1\nrules: [{operation: poll, probability: 50%, times: 1, headers: {x-a: b}}]")
    task_id = created(world)
    told = []
    for _ in range(12):
        world.get(f"{OCTOPUSX}/{task_id}")
        told.append([name for name in ("missed", "rules") if name in why_of(world)])
    fired = told.index(["rules"])
    assert told == [*[["missed"]] * fired, ["rules"], *[[]] * (11 - fired)]


def test_what_isnt_known_any_more_isnt_told() -> None:
    """Of a refused create whose body was cut nobody knows what its rules saw."""
    rules = "[{operation: create, probability: 0.000001%, error: internal, match: {prompt: {exists: true}}}, "
    world = World(f"version: 1\nrules: {rules}{{operation: create, respond: {{status_code: 418}}}}]")
    world.post(OCTOPUSX, {"prompt": "a" * 20_000})
    assert "missed" not in why_of(world)


def test_a_clock_that_hurries_leaves_out_what_depends_on_time() -> None:
    """The rules were asked before it moved."""
    auto = ClockSettings(mode="auto", start=START)
    rule = "{operation: poll, probability: 0.000001%, error: internal"
    world = World(f"version: 1\nrules: [{rule}}}, {rule}, while: queued}}]", clock=auto)
    task_id = created(world)
    world.get(f"{OCTOPUSX}/{task_id}")
    assert [rule["place"] for rule in why_of(world)["missed"]] == ["rules[0]"]


# Delays


@pytest.mark.parametrize(
    ("scenario", "told"),
    [
        ("rules: [{operation: poll, delay: {min: 1ms, max: 2ms}}]\ndefaults: {delay: 9ms}", "rule"),
        ("tasks: [{timeline: [{status: queued, delay: {min: 1ms, max: 2ms}, stuck: true}]}]", "entry"),
        ("defaults: {delay: {median: 1ms, sigma: 0.2}}", "defaults"),
    ],
)
def test_it_tells_the_delay_and_who_says_so(scenario: str, told: str) -> None:
    """The one that was waited for."""
    world = World(f"version: 1\n{scenario}\n")
    task_id = created(world)
    world.get(f"{OCTOPUSX}/{task_id}")
    delay = why_of(world)["delay"]
    assert delay["source"] == told
    assert delay["length"] == entry_of(world)["delay"] == format_duration(last(world).reply.delay) != "0s"
    assert ("rule" in delay) is (told == "rule")


def test_an_entry_delays_no_create() -> None:
    """Though its answer shows the entry."""
    world = World("version: 1\ntasks: [{timeline: [{status: queued, delay: 1ms, stuck: true}]}]")
    created(world)
    assert "delay" not in why_of(world)


# Keys

AUTH = """
version: 1
auth:
  keys: ["sk-good*"]
  reject:
    - {key: "sk-good-old", error: token_expired}
    - {key: "sk-good-poor", operation: create, error: insufficient_quota, about: broke}
"""


@pytest.mark.parametrize(
    ("authorization", "error", "told"),
    [
        ("Bearer sk-good-poor", "insufficient_quota", {"place": "auth.reject[1]", "about": "broke"}),
        ("Bearer sk-good-old", "token_expired", {"place": "auth.reject[0]"}),
        ("Bearer sk-bad", "invalid_token", {"place": "auth.keys"}),
        ("sk-good", "invalid_token", None),
        ("", "invalid_token", None),
        (None, "no_token", None),
    ],
)
def test_it_tells_what_of_auth_refused_the_key(
    authorization: str | None, error: str, told: dict[str, str] | None
) -> None:
    """Where the header itself is wrong, nothing of the file did."""
    world = World(AUTH)
    world.post(
        OCTOPUSX, {"prompt": "a"}, headers={} if authorization is None else {"authorization": authorization}
    )
    decided = why_of(world)
    assert decided["stage"] == "auth"
    assert decided["error"] == error
    assert decided.get("auth") == told


def test_a_key_is_judged_by_the_active_scenario() -> None:
    """Also where the request names another."""
    world = World(AUTH, others=["version: 1\nname: named\n"])
    headers = {"authorization": "Bearer sk-good-old", "x-emulator-scenario": "named"}
    world.post(OCTOPUSX, {"prompt": "a"}, headers=headers)
    assert why_of(world)["auth"] == {"place": "auth.reject[0]"}
    assert why_of(world)["scenario"] == world.scenario.version


# What else decides


def test_it_tells_what_the_provider_refuses_by_itself() -> None:
    """A path, a broken body, an unknown task, a result that isn't there yet."""
    world = World()
    task_id = created(world)
    told = []
    for method, path, body in (
        ("GET", "/octopusx/v1/nothing", None),
        ("POST", OCTOPUSX, b"{"),
        ("GET", f"{OCTOPUSX}/nobody", None),
        ("GET", f"{OCTOPUSX}/{task_id}/content", None),
        ("GET", "/nothing", None),
    ):
        world.call(
            method, path, body, headers={"authorization": "Bearer k", "content-type": "application/json"}
        )
        told.append((why_of(world)["stage"], why_of(world).get("error")))
    assert told == [
        ("route", "no_route"),
        ("validation", "broken_body"),
        ("validation", "not_found"),
        ("timeline", "not_ready"),
        ("route", None),
    ]


def test_it_tells_when_a_dead_link_had_died() -> None:
    """Behind the content route as behind the link itself."""
    world = World("version: 1\ntasks: [{timeline: [{status: completed, video: {expires_in: 90s}}]}]")
    task_id = created(world)
    link = world.get(f"{OCTOPUSX}/{task_id}").json()["video_url"].partition("8080")[2]
    world.get(link, headers={})
    assert why_of(world)["stage"] == "link"
    assert "link_died_at" not in why_of(world)
    world.advance(2 * MINUTE)
    for path in (link, f"{OCTOPUSX}/{task_id}/content"):
        assert world.get(path).status_code >= 400
        assert why_of(world)["stage"] == "link"
        assert why_of(world)["link_died_at"] == "2025-01-01T00:01:30Z"
        assert why_of(world)["entry"]["place"] == "tasks[0].timeline[0]"
    world.get(link.replace("signature=", "signature=x"), headers={})
    assert "link_died_at" not in why_of(world)


def test_a_scenario_that_is_forgotten_leaves_the_rest() -> None:
    """Places need the file, draws and rules of a task don't."""
    world = World(RULES)
    task_id = created(world)
    world.get(f"{OCTOPUSX}/{task_id}")
    told = why.explained(last(world).reply, {})
    assert told.entry is not None
    assert told.entry.place is None
    assert [rule.place for rule in told.rules] == ["rules[0]"]


# The header


def _seen(record: Record) -> why.Seen:
    assert record.operation is not None
    return why.Seen(record.provider, OperationName(record.operation), record.mode, record.headers)


def test_a_request_can_ask_for_the_decision() -> None:
    """Then a header of the answer tells it; otherwise none does."""
    world = World(RULES)
    task_id = created(world)
    asking = {"authorization": "Bearer sk-test", "x-emulator-why": "1"}
    answers: list[Answer] = [world.get(f"{OCTOPUSX}/{task_id}", headers=asking) for _ in range(2)]
    assert json.loads(answers[0].headers["x-emulator-why"])["stage"] == "timeline"
    assert json.loads(answers[1].headers["x-emulator-why"])["error"] == "rate_limited"
    assert "x-emulator-why" not in world.get(f"{OCTOPUSX}/{task_id}").headers


@pytest.mark.parametrize("scenario", [RULES, CHOICES, CHANCES])
def test_the_header_says_what_the_journal_says(scenario: str) -> None:
    """To the letter, given what the request said."""
    world = World(scenario)
    created(world, prompt="a dragon")
    task = last(world).reply.task
    world.get(f"{OCTOPUSX}/{'nobody' if task is None else task.id}")
    header = why.as_header(last(world).reply, world.namespace.ledger.scenarios, _seen(last(world)))
    assert json.loads(header) == why_of(world)


@pytest.mark.parametrize(("count", "length"), [(1, 60_000), (50, 200), (500, 1)])
def test_the_header_is_short_and_ascii_whatever_authors_write(count: int, length: int) -> None:
    """What doesn't fit is left out, the least telling first, and it says so."""
    about = "\u00fc" * length
    rules = "\n".join(f"  - {{operation: poll, headers: {{x-{n}: a}}, about: {about}}}" for n in range(count))
    world = World(f"version: 1\nrules:\n{rules}\n")
    task_id = created(world)
    world.get(f"{OCTOPUSX}/{task_id}")
    header = why.as_header(last(world).reply, world.namespace.ledger.scenarios, _seen(last(world)))
    assert len(header) <= why.LONGEST_HEADER
    assert header.isascii()
    told = json.loads(header)
    assert told["cut"] is True
    assert told["stage"] == "timeline"


def test_the_header_has_no_key_though_an_author_wrote_it() -> None:
    """Neither has the journal."""
    world = World("version: 1\nrules: [{operation: poll, headers: {x-a: b}, about: for sk-secret-key alone}]")
    task_id = created(world)
    world.get(f"{OCTOPUSX}/{task_id}", headers={"authorization": "Bearer sk-secret-key"})
    header = why.as_header(last(world).reply, world.namespace.ledger.scenarios, _seen(last(world)))
    assert b"sk-secret-key" not in header
    assert "for [key " in json.loads(header)["rules"][0]["about"]
    assert "for [key " in why_of(world)["rules"][0]["about"]


def test_every_field_of_a_decision_can_be_absent() -> None:
    """So that a new kind of decision adds to it and changes nothing."""
    assert msgspec.to_builtins(Why(stage="route")) == {"stage": "route"}
