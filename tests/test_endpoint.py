"""The road of one request: auth, rules, the timeline, patches, and what is sent."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import endpoint
from emulator.core.scenario import ClockSettings
from emulator.core.units import HOUR, MINUTE, SECOND, http_date, parse_instant
from emulator.core.words import Profile
from tests.worlds import KEY, START, World

SORA = "b8976e18-32dc-4718-9ed8-1ea090fcb6ea"
OTHER = "1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed"
POLL = "/octopusx/v1/videos/t"


def world_of(rules: str = "", task: str = "", top: str = "", **options: Any) -> World:
    """A world with the existing task ``t`` at every provider, and these rules."""
    text = f"version: 1\n{top}\ntasks:\n  - id: t\n{task}\n"
    return World(text + (f"rules:\n{rules}\n" if rules else ""), **options)


def statuses(world: World, count: int, path: str = POLL) -> list[int]:
    """The status codes of so many polls."""
    return [world.get(path).status_code for _ in range(count)]


# The timeline


def test_a_task_lives_its_timeline_by_the_clock() -> None:
    """Two seconds queued, eight of processing, then completed for good."""
    world = world_of()
    seen = []
    for _ in range(13):
        body = world.get(POLL).json()
        seen.append((body["status"], body["progress"]))
        world.advance(SECOND)
    assert seen[:3] == [("queued", 0), ("queued", 0), ("processing", 0)]
    assert seen[9] == ("processing", 86)
    assert seen[10:] == [("completed", 100)] * 3


def test_polls_move_a_polls_entry_and_time_does_not() -> None:
    """Three polls answer queued however long it takes; what follows is dated from the third."""
    world = world_of(task="    timeline:\n      - {status: queued, polls: 3}\n      - {status: completed}")
    seen = []
    for _ in range(4):
        seen.append(world.get(POLL).json()["status"])
        world.advance(MINUTE)
    assert seen == ["queued", "queued", "queued", "completed"]
    assert world.get(POLL).json()["completed_at"] == START // SECOND + 120


def test_errors_content_and_the_control_api_are_no_polls() -> None:
    """Only an answer that was rendered from the task counts."""
    task = "    timeline:\n      - {status: queued, polls: 2}\n      - {status: completed}"
    world = world_of("  - {operation: poll, calls: 1-3, error: internal}", task)
    assert statuses(world, 3) == [500, 500, 500]
    world.get(f"{POLL}/content")
    world.get("/__admin/tasks")
    assert [world.get(POLL).json()["status"] for _ in range(3)] == ["queued", "queued", "completed"]


def test_a_task_is_unknown_before_its_creation() -> None:
    """And there from that instant on."""
    world = world_of(task="    created: 5s")
    assert world.get(POLL).status_code == 404
    world.advance(5 * SECOND)
    assert world.get(POLL).status_code == 200


def test_a_created_task_starts_at_its_creation() -> None:
    """Whatever the clock says then."""
    world = World()
    world.advance(HOUR)
    created = world.post("/ezmodel/v1/videos", {"prompt": "a cat"}).json()
    assert created["created_at"] == (START + HOUR) // SECOND
    assert created["status"] == "pending"
    world.advance(10 * SECOND)
    assert world.get(f"/ezmodel/v1/videos/{created['id']}").json()["status"] == "completed"


# The shortcut

_RULES = (
    "",
    "rules:\n  - {operation: create, calls: 2, error: internal}\n",
    "rules:\n  - {operation: poll, calls: every 3, error: internal}\n",
    (
        "auth: {keys: ['sk-*']}\n"
        "rules:\n"
        "  - {operation: poll, probability: 30%, error: rate_limited, retry_after: 5s}\n"
        "  - {operation: poll, while: processing, times: 2, headers: {x-a: b}, patch: {extra: 1}}\n"
        "  - {since: status, between: 1s-5s, times_total: 1, error: timeout}\n"
    ),
    "auth: {keys: ['sk-none'], reject: [{key: 'sk-t*', between: 9s+, error: token_expired}]}\n",
    "limits: [{operation: create, in_flight: 1}]\n",
    (
        "limits:\n"
        "  - {operation: poll, limit: 1, window: 9s, retry_after: true}\n"
        "  - {operation: poll, match: {id: 'b*'}, limit: 3, per: task, error: insufficient_quota}\n"
        "rules: [{operation: poll, calls: 2, error: internal}]\n"
    ),
)

DURATIONS = st.integers(0, 20).map(lambda seconds: f"{seconds}s")
ENDINGS = st.sampled_from(["completed", "failed", "cancelled"])


@given(
    st.lists(st.tuples(st.sampled_from(["queued", "processing"]), DURATIONS), max_size=4),
    ENDINGS,
    st.lists(st.integers(0, 30 * SECOND), min_size=1, max_size=5),
    st.sampled_from(["octopusx", "ezmodel", "acedata-sora", "acedata-veo"]),
    st.sampled_from(list(Profile)),
    st.sampled_from(_RULES),
)
def test_the_shortcut_of_plain_polls_answers_like_the_long_road(
    entries: list[tuple[str, str]], ending: str, waits: list[int], provider: str, profile: Profile, rules: str
) -> None:
    """The same status, headers and body, poll for poll; and the task has the same facts after each."""
    lines = "".join(f"      - {{status: {status}, for: {stay}}}\n" for status, stay in entries)
    text = f"version: 1\ntasks:\n  - id: {SORA}\n    timeline:\n{lines}      - {{status: {ending}}}\n{rules}"
    short, long = World(text, profile=profile), World(text, profile=profile)
    task = long.namespace.store.get(provider, SORA)
    assert task is not None
    assert task.plan.is_plain
    plan = msgspec.structs.replace(task.plan, is_plain=False)
    long.namespace.store.put(msgspec.structs.replace(task, plan=plan))
    for wait in waits:
        answers = []
        for world in (short, long):
            world.advance(wait)
            if provider.startswith("acedata"):
                answers.append(world.post(f"/{provider[8:]}/tasks", {"id": SORA, "action": "retrieve"}))
            else:
                answers.append(world.get(f"/{provider}/v1/videos/{SORA}"))
        assert answers[0] == answers[1]
        kept = [world.namespace.store.get(provider, SORA) for world in (short, long)]
        assert kept[0] is not None
        assert kept[1] is not None
        assert msgspec.structs.replace(kept[0], plan=plan) == kept[1]


# AceData's queries


def test_a_batch_keeps_order_and_repeats_and_leaves_unknown_ids_out() -> None:
    """documents/000 asks for one id twice and gets it twice."""
    world = World(f"version: 1\ntasks:\n  - {{id: {SORA}}}\n  - {{id: {OTHER}}}\n")
    ids = [OTHER, SORA, "nobody", OTHER]
    body = world.post("/sora/tasks", {"action": "retrieve_batch", "ids": ids}).json()
    assert [item["id"] for item in body["items"]] == [OTHER, SORA, OTHER]
    assert body["count"] == 3


def test_a_batch_is_one_poll_of_each_distinct_task() -> None:
    """However often it names one; and its items show one snapshot."""
    text = (
        "version: 1\ntasks:\n  - id: t\n    timeline:\n"
        "      - {status: queued, polls: 2}\n      - {status: completed}\n"
    )
    world = World(text)
    query = {"action": "retrieve_batch", "ids": ["t", "t", "t"]}
    seen = [
        ["response" in item for item in world.post("/veo/tasks", query).json()["items"]] for _ in range(3)
    ]
    assert seen == [[False] * 3, [False] * 3, [True] * 3]


def test_a_rule_that_holds_for_one_task_of_a_batch_answers_the_whole() -> None:
    """Patches apply per item."""
    rules = (
        "  - {operation: poll, match: {id: a}, patch: {type: patched}}\n"
        "  - {operation: poll, match: {id: b}, calls: 2, error: rate_limited}\n"
    )
    world = World(f"version: 1\ntasks:\n  - {{id: a}}\n  - {{id: b}}\nrules:\n{rules}")
    query = {"action": "retrieve_batch", "ids": ["a", "b"]}
    first, second, third = (world.post("/sora/tasks", query) for _ in range(3))
    assert [item["type"] for item in first.json()["items"]] == ["patched", "videos"]
    assert second.status_code == 429
    assert third.status_code == 200


def test_a_task_is_found_by_its_trace_id() -> None:
    """The one that its record prints, without the id."""
    world = World()
    task_id = world.post("/sora/videos", {"prompt": "x", "async": True}).json()["task_id"]
    record = world.post("/sora/tasks", {"id": task_id}).json()
    assert world.post("/sora/tasks", {"trace_id": record["trace_id"]}).json()["id"] == task_id
    assert world.post("/sora/tasks", {"trace_id": OTHER}).json() == {}


def test_a_listing_shows_the_newest_first_in_pages() -> None:
    """Profile current, as AceData's web client asks."""
    world = World(profile=Profile.CURRENT)
    made = []
    for _ in range(5):
        made.append(world.post("/sora/videos", {"prompt": "x", "async": True}).json()["task_id"])
        world.advance(SECOND)
    page = world.post("/sora/tasks", {"action": "retrieve_batch", "limit": 2, "offset": 1}).json()
    assert [item["id"] for item in page["items"]] == [made[3], made[2]]


# Auth


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic sk-test", "sk-test"])
@pytest.mark.parametrize("path", [POLL, "/ezmodel/v1/videos/t", "/octopusx/v1/videos/t/content"])
def test_a_key_is_asked_for(header: str | None, path: str) -> None:
    """Missing, empty, of another scheme: 401 in the provider's body."""
    headers = {} if header is None else {"authorization": header}
    answer = world_of().get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"]


@pytest.mark.parametrize("header", [None, "", "Bearer ", "Basic sk-test"])
def test_acedata_asks_for_a_key_too(header: str | None) -> None:
    """documents/000: 401 invalid_token."""
    headers = {} if header is None else {"authorization": header}
    answer = world_of().post("/sora/tasks", {"id": "t"}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_token"


def test_keys_and_reject_judge_as_the_file_says() -> None:
    """Reject goes first, in order; a key that it names is known and needs no entry in keys."""
    top = (
        "auth:\n  keys: ['sk-good-*']\n  reject:\n"
        "    - {key: 'sk-broke-*', operation: create, error: insufficient_quota}\n"
        "    - {key: 'sk-short-*', since: start, between: 2m+, error: token_expired}\n"
    )
    world = world_of(top=top)

    def poll(key: str) -> int:
        return world.get(POLL, headers={"authorization": f"Bearer {key}"}).status_code

    assert [poll(k) for k in ("sk-good-1", "sk-broke-1", "sk-short-1", "sk-other")] == [200, 200, 200, 401]
    broke = world.post("/octopusx/v1/videos", {"prompt": "x"}, headers={"authorization": "Bearer sk-broke-1"})
    assert broke.status_code == 403
    assert poll("sk-ns-team--good-1") == 200
    world.advance(2 * MINUTE)
    assert poll("sk-short-1") == 401


def test_downloads_need_no_key_and_content_needs_one() -> None:
    """The link's signature stands for it."""
    world = world_of(task="    timeline: [{status: completed}]")
    url = world.get(POLL).json()["video_url"].removeprefix("http://emulator.test:8080")
    assert world.get(url, headers={}).status_code == 200
    assert world.get(f"{POLL}/content", headers={}).status_code == 401


# Rules


def test_calls_count_whatever_was_answered() -> None:
    """Also those that another rule refused."""
    rules = (
        "  - {operation: poll, calls: 2, error: internal}\n"
        "  - {operation: poll, calls: every 3, error: rate_limited}\n"
    )
    assert statuses(world_of(rules), 6) == [200, 500, 429, 200, 200, 429]


def test_calls_count_those_that_auth_refused_too() -> None:
    """A refused poll is a call; and each of them has an id of its own."""
    world = world_of("  - {operation: poll, calls: 3, error: rate_limited}", top="auth: {keys: [sk-good]}")
    answers = [
        world.post("/sora/tasks", {"id": "t"}, headers={"authorization": f"Bearer {key}"})
        for key in ("sk-bad", "sk-bad", "sk-good", "sk-bad", "sk-good", "sk-good")
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 401, 200, 200]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 6


def test_a_scenario_that_a_prompt_misspells_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The prompt itself is plain text then."""
    endpoint.told_once.cache_clear()
    assert World().post("/octopusx/v1/videos", {"prompt": "scenario:hapy-path"}).status_code == 200
    assert "but names none of " in caplog.text
    assert ", contract, documents, " in caplog.text


def test_times_bounds_firings_per_task_and_times_total_per_namespace() -> None:
    """And a pass stops the search."""
    text = (
        "version: 1\ntasks: [{id: a}, {id: b}]\nrules:\n"
        "  - {operation: poll, times: 1, error: internal}\n"
        "  - {operation: poll, match: {id: b}, pass: true}\n"
        "  - {operation: poll, times_total: 1, error: rate_limited}\n"
    )
    world = World(text)
    assert statuses(world, 3, "/octopusx/v1/videos/a") == [500, 429, 200]
    assert statuses(world, 3, "/octopusx/v1/videos/b") == [500, 200, 200]


def test_while_between_and_since_look_at_the_task() -> None:
    """A window of the status, and one of the task."""
    rules = (
        "  - {operation: poll, while: processing, since: status, between: 0s-2s, error: unavailable}\n"
        "  - {operation: poll, between: 9s+, error: timeout}\n"
    )
    world = world_of(rules)
    codes = []
    for _ in range(11):
        codes.append(world.get(POLL).status_code)
        world.advance(SECOND)
    assert codes == [200, 200, 503, 503, 200, 200, 200, 200, 200, 504, 504]


def test_retry_after_is_sent_in_seconds_as_a_date_or_not_at_all() -> None:
    """As the rule says; a provider without one sends none."""
    rules = (
        "  - {operation: poll, calls: 1, error: rate_limited, retry_after: 5s}\n"
        "  - {operation: poll, calls: 2, error: rate_limited, retry_after: {http_date: 1m}}\n"
        "  - {operation: poll, calls: 3, error: rate_limited, retry_after: 1500ms}\n"
        "  - {operation: poll, calls: 4, error: rate_limited}\n"
    )
    world = world_of(rules)
    sent = [world.get(POLL).headers.get("retry-after") for _ in range(4)]
    assert sent == ["5", http_date(START + MINUTE), "2", None]


def test_respond_is_sent_as_it_stands() -> None:
    """Status code, headers, JSON or text, templates filled in."""
    rules = (
        "  - {operation: poll, calls: 1, respond: {status_code: 418, headers: {X-Tea: pot},"
        " json: {id: '{{ task.id }}'}}}\n"
        "  - {operation: poll, calls: 2, respond: {text: 'at {{ now }}'}}\n"
    )
    world = world_of(rules)
    first, second = world.get(POLL), world.get(POLL)
    assert (first.status_code, first.headers["x-tea"], first.json()) == (418, "pot", {"id": "t"})
    assert second.body == b"at 2025-01-01T00:00:00Z"
    assert second.headers["content-type"].startswith("text/plain")


def test_patches_and_headers_of_rules_add_up() -> None:
    """First the task's patch, then the entry's, then the rules'; null removes a key, a template's null stands there."""
    rules = (
        "  - {operation: poll, patch: {b: rule}, headers: {X-One: '1'}}\n"
        "  - {operation: poll, patch: {size: null, n: '{{ null }}'}, headers: {X-Two: '2'}, pass: true}\n"
        "  - {operation: poll, error: internal}\n"
    )
    task = (
        "    patch: {a: task, b: task, c: task}\n"
        "    timeline:\n      - {status: queued, patch: {b: entry, c: entry}, stuck: true}"
    )
    answer = world_of(rules, task).get(POLL)
    body = answer.json()
    assert (body["a"], body["b"], body["c"]) == ("task", "rule", "entry")
    assert "size" not in body
    assert body["n"] is None
    assert (answer.headers["x-one"], answer.headers["x-two"]) == ("1", "2")


def test_a_rule_speaks_of_its_providers_only() -> None:
    """And a scenario of its own: another provider answers as in the happy path."""
    world = World(
        "version: 1\nproviders: [octopusx]\ntasks: [{id: t}]\nrules:\n  - {operation: create, error: internal}\n"
    )
    assert world.post("/octopusx/v1/videos", {"prompt": "x"}).status_code == 500
    assert world.post("/ezmodel/v1/videos", {"prompt": "x"}).status_code == 200
    assert world.get("/ezmodel/v1/videos/t").status_code == 404


def test_delays_are_never_summed() -> None:
    """The rule's, else the entry's, else the file's."""
    task = "    timeline:\n      - {status: queued, for: 2s, delay: 200ms}\n      - {status: processing, stuck: true}"
    world = world_of("  - {operation: poll, calls: 1, delay: 100ms}", task, "defaults: {delay: 300ms}")
    delays = []
    original = world.namespace.clock.pause

    async def heard(duration: int) -> None:
        delays.append(duration)
        await original(0)

    world.namespace.clock.pause = heard  # type: ignore[method-assign] # listens, so that the test needn't wait
    world.get(POLL)
    world.get(POLL)
    world.advance(2 * SECOND)
    world.get(POLL)
    assert delays == [100_000, 200_000, 300_000]


def test_probability_draws_are_the_same_for_the_same_seed() -> None:
    """Whatever other rules stand in the file, and for another seed another run."""
    rule = "  - {operation: poll, probability: 50%, error: internal}\n"
    other = "  - {operation: create, error: internal}\n  - {operation: content, delay: 0s}\n"
    runs = [
        statuses(world_of(rules, seed=seed), 40) for rules, seed in ((rule, 1), (other + rule, 1), (rule, 2))
    ]
    assert runs[0] == runs[1] != runs[2]
    assert 5 < runs[0].count(500) < 35


def test_create_rules_count_per_namespace() -> None:
    """The second create is refused and makes no task."""
    world = World("version: 1\nrules:\n  - {operation: create, calls: 2, error: insufficient_quota}\n")
    codes = [world.post("/octopusx/v1/videos", {"prompt": "x"}).status_code for _ in range(3)]
    assert codes == [200, 403, 200]
    assert len(world.namespace.store) == 2


def test_unknown_ids_have_a_counter_of_their_own() -> None:
    """One for the namespace, whatever the id."""
    world = World("version: 1\nrules:\n  - {operation: poll, calls: 2, error: internal}\n")
    assert [world.get(f"/octopusx/v1/videos/x{n}").status_code for n in range(3)] == [404, 500, 404]


def test_no_window_holds_for_an_unknown_id() -> None:
    """Not even one from the activation on, which holds for a create."""
    text = (
        "version: 1\nrules:\n  - {operation: [poll, create], since: start, between: 0s+, error: internal}\n"
    )
    world = World(text)
    assert world.get("/octopusx/v1/videos/nobody").status_code == 404
    assert world.post("/octopusx/v1/videos", {"prompt": "x"}).status_code == 500


def test_a_poll_hint_is_sent_in_both_profiles() -> None:
    """In whole milliseconds, as openai's clients read it."""
    for profile in Profile:
        world = world_of(
            task="    timeline:\n      - {status: queued, for: 2s, poll_after: 200ms}\n      - {status: completed}",
            profile=profile,
        )
        assert world.get(POLL).headers["openai-poll-after-ms"] == "200"
        world.advance(2 * SECOND)
        assert "openai-poll-after-ms" not in world.get(POLL).headers


# Which scenario, which task


def test_a_header_names_the_scenario_of_a_create() -> None:
    """And an unknown name is a 400 that lists the names."""
    world = World(others=["version: 1\nname: broken\ntasks:\n  - timeline: [{status: failed}]\n"])
    task_id = world.post(
        "/octopusx/v1/videos", {"prompt": "x"}, headers={**KEY, "x-emulator-scenario": "broken"}
    ).json()["id"]
    assert world.get(f"/octopusx/v1/videos/{task_id}").json()["status"] == "failed"
    refused = world.post(
        "/octopusx/v1/videos", {"prompt": "x"}, headers={**KEY, "x-emulator-scenario": "brokn"}
    )
    assert refused.status_code == 400
    assert "broken" in refused.body.decode()


def test_a_prompt_names_the_scenario_of_a_create() -> None:
    """Anywhere in it; what is no scenario's name is plain text."""
    world = World(others=["version: 1\nname: broken\ntasks:\n  - timeline: [{status: failed}]\n"])

    def status(prompt: str) -> Any:
        task_id = world.post("/ezmodel/v1/videos", {"prompt": prompt}).json()["id"]
        return world.get(f"/ezmodel/v1/videos/{task_id}").json()["status"]

    assert status("a cat, scenario:broken, in the rain") == "failed"
    assert status("a scenario:broken.") == "failed"
    assert status("a scenario:nobody") == "pending"


def test_existing_tasks_of_a_named_scenario_appear_at_its_first_use() -> None:
    """And its auth doesn't apply."""
    world = World(others=["version: 1\nname: other\nauth: {keys: [sk-none]}\ntasks: [{id: there}]\n"])
    assert world.get("/octopusx/v1/videos/there").status_code == 404
    assert (
        world.get("/octopusx/v1/videos/there", headers={**KEY, "x-emulator-scenario": "other"}).status_code
        == 200
    )
    assert world.get("/octopusx/v1/videos/there").status_code == 200


def test_an_unknown_id_starts_as_a_task_where_the_scenario_says_so() -> None:
    """Under that id, there and then, at most a hundred for one batch."""
    world = World("version: 1\nunknown_task: start\n")
    assert world.get("/ezmodel/v1/videos/mine").json()["status"] == "pending"
    world.advance(10 * SECOND)
    assert world.get("/ezmodel/v1/videos/mine").json()["status"] == "completed"
    ids = [f"id-{number}" for number in range(150)]
    assert world.post("/sora/tasks", {"action": "retrieve_batch", "ids": ids}).json()["count"] == 100


def test_items_match_the_create_and_count_the_creates_that_reach_them() -> None:
    """First match wins; a create that none takes gets the happy path."""
    text = (
        "version: 1\ntasks:\n"
        "  - {match: {prompt: {contains: forbidden}}, timeline: [{status: failed}]}\n"
        "  - {calls: 1, timeline: [{status: cancelled}]}\n"
        "  - {match: {seconds: '8'}, timeline: [{status: completed}]}\n"
    )
    world = World(text)

    def status(**fields: Any) -> Any:
        task_id = world.post("/octopusx/v1/videos", {"prompt": "x", **fields}).json()["id"]
        return world.get(f"/octopusx/v1/videos/{task_id}").json()["status"]

    assert status(prompt="a forbidden thing") == "failed"
    assert status() == "cancelled"
    assert status(seconds=8) == "completed"
    assert status() == "queued"


def test_choices_follow_their_weights_and_the_seed() -> None:
    """Three to one, the same again for the same seed."""
    text = (
        "version: 1\ntasks:\n  - choices:\n"
        "      - {weight: 3, timeline: [{status: completed}]}\n"
        "      - {weight: 1, timeline: [{status: failed}]}\n"
    )

    def run(seed: int) -> list[str]:
        world = World(text, seed=seed)
        ids = [world.post("/octopusx/v1/videos", {"prompt": "x"}).json()["id"] for _ in range(80)]
        return [world.get(f"/octopusx/v1/videos/{task_id}").json()["status"] for task_id in ids]

    assert run(1) == run(1) != run(2)
    assert 8 <= run(1).count("failed") <= 35


def test_the_same_creates_in_another_order_make_the_same_tasks() -> None:
    """What a task is drawn from is its request, not its turn."""
    prompts = ["a", "b", "c", "b"]

    def made(order: list[str]) -> list[str]:
        world = World()
        return sorted(world.post("/octopusx/v1/videos", {"prompt": prompt}).json()["id"] for prompt in order)

    assert made(prompts) == made(prompts[::-1])
    assert len(set(made(prompts))) == 4


# The clock's mode auto


def test_auto_moves_the_clock_where_a_poll_would_show_the_same_status_again() -> None:
    """So a client that polls without waiting sees every status once."""
    world = world_of(clock=ClockSettings(mode="auto", start=START))
    assert [world.get(POLL).json()["status"] for _ in range(4)] == [
        "queued",
        "processing",
        "completed",
        "completed",
    ]
    assert world.namespace.clock.now() == START + 10 * SECOND


def test_auto_waits_out_a_retry_after() -> None:
    """A refusal with a wait moves the clock to its end."""
    world = world_of(
        "  - {operation: poll, calls: 1, error: rate_limited, retry_after: 5s}",
        clock=ClockSettings(mode="auto", start=START),
    )
    assert world.get(POLL).status_code == 429
    assert world.namespace.clock.now() == START + 5 * SECOND


# Content and links

DONE = "    timeline: [{status: completed, video: {expires_in: 10m}}]"


def test_content_streams_the_video_when_there_is_one() -> None:
    """400 before the end, 404 for an unknown id."""
    world = world_of()
    assert world.get(f"{POLL}/content").status_code == 400
    assert world.get("/octopusx/v1/videos/nobody/content").status_code == 404
    world.advance(10 * SECOND)
    answer = world.get(f"{POLL}/content?variant=video")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.body[4:8] == b"ftyp"


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel", "acedata-sora", "acedata-veo"])
def test_a_link_works_until_it_expires_by_the_clock(provider: str) -> None:
    """Then 403 in the storage's own words, as for a tampered one at any time."""
    world = world_of(task=DONE)
    if provider.startswith("acedata"):
        url = world.post(f"/{provider[8:]}/tasks", {"id": "t"}).json()["response"]["data"][0]["video_url"]
    else:
        body = world.get(f"/{provider}/v1/videos/t").json()
        url = body.get("video_url") or body.get("url")
        assert body["expires_at"] == (START + 10 * MINUTE) // SECOND
    path = url.removeprefix("http://emulator.test:8080")
    world.advance(10 * MINUTE - 1)
    assert world.get(path, headers={}).status_code == 200
    assert world.get(path.replace("/t/", "/u/"), headers={}).status_code == 403
    world.advance(1)
    dead = world.get(path, headers={})
    assert dead.status_code == 403
    assert ("AuthenticationFailed" in dead.body.decode()) == (provider == "acedata-sora")


def test_links_without_an_expiry_live_a_day_from_creation() -> None:
    """documents/003: expires_at is the creation plus 24 hours."""
    world = world_of(task="    timeline: [{status: completed}]")
    body = world.get("/ezmodel/v1/videos/t").json()
    path = body["url"].removeprefix("http://emulator.test:8080")
    assert body["expires_at"] == body["created_at"] + 86400
    world.advance(24 * HOUR)
    assert world.get(path).status_code == 403
    assert world.get("/ezmodel/v1/videos/t/content").status_code == 502


def test_a_dead_link_answers_what_the_scenario_says() -> None:
    """An error, or an answer of the author's own."""
    for expired, code in (("not_found", 404), ("{status_code: 410, text: gone}", 410)):
        kind = "error" if code == 404 else "respond"
        task = f"    timeline: [{{status: completed, video: {{expires_in: 0s, expired: {{{kind}: {expired}}}}}}}]"
        world = world_of(task=task)
        path = world.get(POLL).json()["video_url"].removeprefix("http://emulator.test:8080")
        assert world.get(path).status_code == code


def test_renewed_links_live_from_each_poll() -> None:
    """While those without renew are the same at every poll."""
    renewing = "    timeline: [{status: completed, video: {expires_in: 1m, renew: true}}]"
    kept = renewing.replace(", renew: true", "")
    urls: dict[str, list[Any]] = {}
    for task in (renewing, kept):
        world = world_of(task=task)
        urls[task] = [world.get(POLL).json()["video_url"]]
        world.advance(30 * SECOND)
        urls[task].append(world.get(POLL).json()["video_url"])
    assert urls[renewing][0] != urls[renewing][1]
    assert urls[kept][0] == urls[kept][1]


def test_url_none_completes_without_a_link_and_a_literal_url_is_printed() -> None:
    """As it stands."""
    none = world_of(task="    timeline: [{status: completed, video: {url: none}}]")
    literal = world_of(task="    timeline: [{status: completed, video: {url: 'https://cdn.example/v.mp4'}}]")
    assert none.get(POLL).json()["video_url"] == ""
    assert literal.get(POLL).json()["video_url"] == "https://cdn.example/v.mp4"


def test_a_download_carries_the_storages_headers_and_not_the_providers() -> None:
    """CORS alone is shared."""
    world = world_of(task=DONE)
    path = world.get(POLL).json()["video_url"].removeprefix("http://emulator.test:8080")
    headers = world.get(path, headers={}).headers
    assert headers["access-control-allow-origin"] == "*"
    assert "x-oneapi-request-id" not in headers


def test_content_redirects_where_the_scenario_says_so() -> None:
    """To the link that polls print, written as a header can hold it."""
    served = world_of(task="    timeline: [{status: completed, video: {content: redirect}}]")
    link = served.get(POLL).json()["video_url"]
    answer = served.get(f"{POLL}/content")
    assert (answer.status_code, answer.headers["location"]) == (302, link)
    literal = world_of(
        task='    timeline: [{status: completed, video: {url: "https://a/ü\\n", content: redirect}}]'
    )
    assert literal.get(f"{POLL}/content").headers["location"] == "https://a/%C3%BC%0A"


def test_auto_stops_at_the_end_of_time() -> None:
    """The year 9999, whatever is still to come."""
    end = parse_instant("9999-12-31T23:59:58Z")
    world = world_of(clock=ClockSettings(mode="auto", start=end))
    assert [world.get(POLL).status_code for _ in range(3)] == [200, 200, 200]


def test_download_rules_are_those_of_the_task() -> None:
    """The first download fails, the second works."""
    world = world_of("  - {operation: download, calls: 1, error: bad_gateway}", DONE)
    path = world.get(POLL).json()["video_url"].removeprefix("http://emulator.test:8080")
    assert [world.get(path).status_code for _ in range(2)] == [502, 200]


# Failures


def test_a_failed_task_says_why() -> None:
    """By a named error, by words of the author's own, by the bare message."""
    cases = {
        "{status: failed, error: content_rejected}": "content_policy_violation",
        "{status: failed, error: {code: own, message: Mine}}": "own",
    }
    for entry, code in cases.items():
        assert world_of(task=f"    timeline: [{entry}]").get(POLL).json()["error"]["code"] == code
    bare = world_of(task="    timeline: [{status: failed, error: {message: Mine, shape: string}}]")
    assert bare.get(POLL).json()["error"] == "Mine"


def test_templates_are_filled_in_an_errors_message() -> None:
    """Of a task, and of a refusal."""
    task = (
        "    request: {prompt: a cat}\n"
        "    timeline: [{status: failed, error: {code: x, message: 'No {{ request.prompt }}'}}]"
    )
    world = world_of(
        "  - {operation: poll, calls: 2, error: {name: internal, message: 'At {{ now }}'}}", task
    )
    assert world.get(POLL).json()["error"]["message"] == "No a cat"
    assert world.get(POLL).json()["error"]["message"] == "At 2025-01-01T00:00:00Z"


def test_a_word_of_the_authors_own_is_printed() -> None:
    """In place of the provider's."""
    assert (
        world_of(task="    timeline: [{status: processing, word: rendering, stuck: true}]")
        .get(POLL)
        .json()["status"]
        == "rendering"
    )


# Profiles


def test_the_current_profile_speaks_the_gateways_words() -> None:
    """Their words are queued and in_progress, and an unknown id is 400 task_not_exist."""
    world = world_of(top="profile: current")
    assert world.get("/ezmodel/v1/videos/t").json()["status"] == "queued"
    world.advance(2 * SECOND)
    assert world.get(POLL).json()["status"] == "in_progress"
    unknown = world.get("/octopusx/v1/videos/nobody")
    assert (unknown.status_code, unknown.json()["code"]) == (400, "task_not_exist")


def test_a_task_keeps_the_profile_that_it_was_created_under() -> None:
    """Another active scenario doesn't change it."""
    world = World(others=["version: 1\nname: now\nprofile: current\n"])
    task_id = world.post("/octopusx/v1/videos", {"prompt": "scenario:now"}).json()["id"]
    world.advance(3 * SECOND)
    assert world.get(f"/octopusx/v1/videos/{task_id}").json()["status"] == "in_progress"


# Creates


def test_creates_take_json_urlencoded_and_multipart_forms() -> None:
    """openai-python sends multipart even without a file; all values are then strings."""
    world = World()
    boundary = "----x"
    parts = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("prompt", "a cat"), ("seconds", "8"), ("size", "1280x720"))
    )
    file = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="input_reference"; filename="a.png"\r\n'
        f"Content-Type: image/png\r\n\r\n\x89PNG\r\n--{boundary}--\r\n"
    )
    multipart = {**KEY, "content-type": f"multipart/form-data; boundary={boundary}"}
    form = {**KEY, "content-type": "application/x-www-form-urlencoded"}
    answers = [
        world.post("/octopusx/v1/videos", {"prompt": "a cat", "seconds": 8, "size": "1280x720"}),
        world.post("/octopusx/v1/videos", b"prompt=a+cat&seconds=8&size=1280x720", headers=form),
        world.post("/octopusx/v1/videos", (parts + f"--{boundary}--\r\n").encode(), headers=multipart),
        world.post("/octopusx/v1/videos", (parts + file).encode("latin-1"), headers=multipart),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert (answer.json()["seconds"], answer.json()["size"]) == ("8", "1280x720")
    kept = world.namespace.store.get("octopusx", answers[3].json()["id"])
    assert kept is not None
    reference = json.loads(kept.request)["input_reference"]
    assert reference == {"filename": "a.png", "content_type": "image/png", "size": 4}


def test_an_acedata_record_echoes_the_request() -> None:
    """Verbatim, whatever it holds."""
    world = World()
    asked = {
        "prompt": "x",
        "model": "sora-2",
        "async": True,
        "callback_url": "https://example.com/",
        "n": [1, {"a": None}],
    }
    task_id = world.post("/sora/videos", asked).json()["task_id"]
    assert world.post("/sora/tasks", {"id": task_id}).json()["request"] == asked
