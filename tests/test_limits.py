"""Limits on the road: who is counted together, what is counted, what a refusal says, and what is told of it."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.limits import Limit
from emulator.core.rules import Conditions
from emulator.core.scenario import ClockSettings
from emulator.core.task import Task
from emulator.core.units import MILLISECOND, MINUTE, SECOND, http_date
from emulator.core.words import OperationName, Profile
from emulator.limits import Counts, Limited
from emulator.providers import PROVIDERS
from tests import serving
from tests.worlds import START, Answer, World

OCTOPUSX = "/octopusx/v1/videos"
POLL = f"{OCTOPUSX}/t"
SORA = "b8976e18-32dc-4718-9ed8-1ea090fcb6ea"


def world_of(*lines: str, rest: str = "tasks: [{id: t}, {id: u}, {}]", **options: Any) -> World:
    """A world with these limits, and the existing tasks ``t`` and ``u``."""
    listed = "".join(f"  - {line}\n" for line in lines)
    return World(f"version: 1\nname: limited\nlimits:\n{listed}{rest}\n", **options)


def key(name: str) -> dict[str, str]:
    """The header with this key."""
    return {"authorization": f"Bearer {name}"}


def polls(world: World, count: int, path: str = POLL, who: str = "sk-test") -> list[int]:
    """The status codes of so many polls."""
    return [world.get(path, headers=key(who)).status_code for _ in range(count)]


def create(world: World, who: str = "sk-test", prompt: str = "a cat") -> Answer:
    """A create at OctopusX."""
    return world.post(OCTOPUSX, {"prompt": prompt}, headers=key(who))


def why(world: World) -> Any:
    """Why the newest request was answered as it was."""
    path = "/__admin/requests?order=newest&limit=1"
    return world.get(path, host="localhost", headers={}).json()["requests"][0]["why"]


# Windows


def test_a_window_slides() -> None:
    """Each call counts for ten seconds from its own instant; the next passes at that instant."""
    world = world_of("{operation: poll, limit: 2, window: 10s}")
    seen = []
    for _ in range(14):
        seen.append(polls(world, 1)[0])
        world.advance(SECOND)
    assert seen == [200, 200, *[429] * 8, 200, 200, 429, 429]


def test_a_microsecond_before_the_end_of_the_wait_is_too_early() -> None:
    """And at the end of it there is room."""
    world = world_of("{operation: poll, limit: 1, window: 10s}")
    assert polls(world, 1) == [200]
    world.advance(10 * SECOND - 1)
    assert polls(world, 1) == [429]
    world.advance(1)
    assert polls(world, 1) == [200]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from("ab")), max_size=40),
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 9), st.sampled_from(["key", "namespace"])),
        min_size=1,
        max_size=3,
    ),
)
def test_counts_are_those_of_a_list_of_all_calls(
    calls: list[tuple[int, str]], drawn: list[tuple[int, int, Any]]
) -> None:
    """Of several limits, by key and in all: what passes, and which limit refuses; a refused call changes nothing."""
    every = tuple(Limit(conditions=Conditions(), most=m, window=w, per=per) for m, w, per in drawn)
    counts, now = Counts(every), 0
    passed: list[tuple[int, str]] = []
    for gap, who in calls:
        now += gap
        reached = counts.take(limited(who), now, lambda *_: None)
        full = [
            number
            for number, limit in enumerate(every)
            if limit.most
            <= sum(
                then > now - (limit.window or 0) and (limit.per == "namespace" or other == who)
                for then, other in passed
            )
        ]
        assert (None if reached is None else reached.number) == (full[0] if full else None)
        if reached is None:
            passed.append((now, who))


def limited(who: str | None, *tasks: Task, operation: OperationName = OperationName.POLL) -> Limited:
    """A call with this key."""
    return Limited(operation, "octopusx", who, {}, tasks, {})


def test_a_call_that_one_limit_refuses_counts_for_none() -> None:
    """The second limit still has all its room when the first lets calls through again."""
    world = world_of(
        "{operation: poll, limit: 1, window: 10s}",
        "{operation: poll, limit: 2, window: 1m, error: unavailable}",
    )
    assert polls(world, 5) == [200, *[429] * 4]
    world.advance(10 * SECOND)
    assert polls(world, 2) == [200, 429]
    world.advance(10 * SECOND)
    assert polls(world, 1) == [503]


def test_without_a_window_a_limit_is_for_good() -> None:
    """However long one waits."""
    world = world_of("{operation: create, limit: 2, error: insufficient_quota}")
    assert [create(world).status_code for _ in range(3)] == [200, 200, 403]
    world.advance(365 * 24 * 60 * MINUTE)
    assert create(world).status_code == 403
    assert polls(world, 1) == [200]


# For whom


def test_keys_do_not_share() -> None:
    """Each has its own count; a key of the namespace's form is the same account."""
    world = world_of("{operation: poll, limit: 1}")
    assert polls(world, 2, who="sk-a") == [200, 429]
    assert polls(world, 2, who="sk-b") == [200, 429]
    assert polls(world, 1, who="sk-" + "c" * 1000) == [200]
    assert polls(world, 2, who="sk-" + "c" * 999 + "d") == [200, 429]


def test_a_key_is_counted_without_its_namespace() -> None:
    """As auth judges it."""
    world = world_of("{operation: poll, limit: 1}")
    assert polls(world, 1, path=f"/ns/team{POLL}", who="sk-a") == [200]
    assert polls(world, 1, path=f"/ns/team{POLL}", who="sk-ns-team--a") == [429]


def test_namespaces_do_not_share() -> None:
    """Neither by key nor in all."""
    world = world_of("{operation: poll, limit: 1, per: namespace}")
    assert polls(world, 2) == [200, 429]
    assert polls(world, 2, path=f"/ns/other{POLL}") == [200, 429]


def test_per_namespace_all_keys_share() -> None:
    """And all providers that the limit is about."""
    world = world_of("{operation: poll, provider: [octopusx, ezmodel], limit: 2, per: namespace}")
    assert polls(world, 1, who="sk-a") == [200]
    assert polls(world, 1, path="/ezmodel/v1/videos/t", who="sk-b") == [200]
    assert polls(world, 1, who="sk-c") == [429]
    answer = world.post("/sora/tasks", {"id": "t"})
    assert answer.status_code == 200


def test_per_task_each_task_has_its_own() -> None:
    """Whoever polls it; ids that nobody knows aren't counted."""
    world = world_of("{operation: poll, limit: 1, per: task}")
    assert polls(world, 1, who="sk-a") == [200]
    assert polls(world, 1, who="sk-b") == [429]
    assert polls(world, 1, path=f"{OCTOPUSX}/u") == [200]
    assert polls(world, 1, path="/ezmodel/v1/videos/t") == [200]
    assert polls(world, 3, path=f"{OCTOPUSX}/nobody") == [404, 404, 404]


def test_match_chooses_the_calls() -> None:
    """By the key, a header, the id, or a field of the create request."""
    world = world_of(
        "{operation: poll, match: {key: 'sk-free-*'}, limit: 1}",
        "{operation: poll, match: {header.x-tier: low}, limit: 2}",
        "{operation: create, match: {prompt: {contains: cat}}, limit: 1}",
        "{operation: poll, match: {id: nobody}, limit: 1, per: namespace}",
        "{operation: poll, match: {prompt: a cat}, limit: 1, per: task}",
    )
    assert polls(world, 2, who="sk-free-1") == [200, 429]
    assert polls(world, 3, who="sk-paid-1") == [200, 200, 200]
    low = {**key("sk-paid-1"), "x-tier": "low"}
    assert [world.get(POLL, headers=low).status_code for _ in range(3)] == [200, 200, 429]
    cat = create(world).json()["id"]
    assert [create(world, prompt=prompt).status_code for prompt in ("a cat", "a dog")] == [429, 200]
    assert polls(world, 2, path=f"{OCTOPUSX}/nobody", who="sk-x") == [404, 429]
    assert polls(world, 2, path=f"{OCTOPUSX}/{cat}", who="sk-x") == [200, 429]


def test_several_operations_are_counted_together() -> None:
    """Those of the list, and no other."""
    world = world_of("{operation: [create, poll], limit: 2}")
    assert create(world).status_code == 200
    assert polls(world, 2) == [200, 429]
    assert create(world).status_code == 429
    assert world.get(f"{POLL}/content").status_code == 400


def test_a_batch_is_one_call_and_a_poll_of_each_task() -> None:
    """One for its key, and one for each distinct task; where one is refused, all are."""
    world = world_of(
        "{operation: poll, limit: 3}", "{operation: poll, limit: 2, per: task, error: unavailable}"
    )

    def batch(*ids: str) -> int:
        return world.post("/sora/tasks", {"action": "retrieve_batch", "ids": ids}).status_code

    assert batch("t", "t", "u") == 200
    assert world.post("/sora/tasks", {"id": "t"}).status_code == 200
    assert batch("t", "u") == 500
    assert batch("u") == 200
    assert batch("nobody") == 429


# Tasks in flight


def test_tasks_in_flight_count_until_they_are_done() -> None:
    """By time, by polls, or by hand; then there is room for another."""
    world = world_of(
        "{operation: create, in_flight: 2}",
        rest="tasks: [{id: t}, {timeline: [{status: queued, for: 5s}, {status: failed}]}]",
    )
    assert [create(world).status_code for _ in range(3)] == [200, 200, 429]
    assert create(world, "sk-other").status_code == 200
    world.advance(5 * SECOND - 1)
    assert create(world).status_code == 429
    world.advance(1)
    assert [create(world).status_code for _ in range(3)] == [200, 200, 429]


def test_polls_that_end_a_task_make_room() -> None:
    """No wait is told before: nobody knows when they will come."""
    world = world_of(
        "{in_flight: 1, per: namespace, retry_after: true}",
        rest="tasks: [{timeline: [{status: queued, polls: 1}, {status: completed}]}]",
    )
    task = create(world).json()["id"]
    refused = create(world, "sk-other")
    assert (refused.status_code, refused.headers.get("retry-after")) == (429, None)
    assert polls(world, 1, path=f"{OCTOPUSX}/{task}") == [200]
    assert create(world).status_code == 200


def test_a_create_that_is_refused_later_leaves_nothing_in_flight() -> None:
    """No task was made; of calls it is one all the same."""
    world = world_of(
        "{in_flight: 1}",
        "{operation: create, limit: 3, error: insufficient_quota}",
        rest="rules: [{operation: create, calls: 1-2, error: internal}]",
    )
    assert [create(world).status_code for _ in range(4)] == [500, 500, 200, 429]
    world.advance(MINUTE)
    assert create(world).status_code == 403


def test_a_task_that_is_given_up_is_not_in_flight() -> None:
    """Nobody knows it any more."""
    world = world_of(
        "{in_flight: 2}", rest="tasks: [{timeline: [{status: queued, stuck: true}]}]", max_tasks=3
    )
    assert [create(world).status_code for _ in range(3)] == [200, 200, 429]
    for _ in range(3):
        create(world, "sk-other-1")
        create(world, "sk-other-2")
    assert [create(world).status_code for _ in range(3)].count(200) == 2


# What a refusal says


def test_the_wait_is_rounded_up() -> None:
    """In seconds, or as a date that isn't too early."""
    world = world_of(
        "{operation: poll, limit: 1, window: 10s, retry_after: true}",
        "{operation: create, limit: 1, window: 10s, retry_after: {http_date: true}}",
    )
    world.advance(700 * MILLISECOND)
    assert polls(world, 1) == [200]
    assert create(world).status_code == 200
    world.advance(SECOND + 1)
    assert world.get(POLL).headers["retry-after"] == "9"
    assert create(world).headers["retry-after"] == http_date(START + 11 * SECOND)
    world.advance(11 * SECOND - 1 - 1_700_000)
    assert create(world).status_code == 200


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
@pytest.mark.parametrize("profile", list(Profile))
def test_no_provider_tells_the_wait_or_the_rest_by_itself(provider: Any, profile: Profile) -> None:
    """No source shows either: the refusal is the provider's own, with the headers that each of its answers has."""
    world = world_of("{operation: poll, limit: 1, window: 10s}", profile=profile)
    path = (
        f"/{provider.name[8:]}/tasks"
        if provider.name.startswith("acedata")
        else f"/{provider.name}/v1/videos/t"
    )
    method, body = ("POST", {"id": "t"}) if provider.name.startswith("acedata") else ("GET", None)
    first, second = (world.call(method, path, body) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert set(second.headers) == set(first.headers)


def test_what_retry_after_says_goes_before_the_true_wait() -> None:
    """A fixed one in seconds and as a date, and none."""
    world = world_of(
        "{operation: poll, limit: 1, window: 1m, retry_after: 5s}",
        "{operation: create, limit: 1, window: 1m, retry_after: {http_date: 5s}}",
        "{operation: content, limit: 1, window: 1m, retry_after: none}",
    )
    for _ in range(2):
        polled, made, content = world.get(POLL), create(world), world.get(f"{POLL}/content")
    assert polled.headers["retry-after"] == "5"
    assert made.headers["retry-after"] == http_date(START + 5 * SECOND)
    assert content.status_code == 429
    assert "retry-after" not in content.headers


def test_the_error_is_the_authors() -> None:
    """With its code and message, in the provider's form."""
    world = world_of(
        "{operation: poll, limit: 1, error: {name: unavailable, code: full, message: 'Not {{ task.id }}'}}"
    )
    assert polls(world, 1) == [200]
    answer = world.get(POLL)
    assert (answer.status_code, answer.json()) == (503, {"error": {"message": "Not t", "code": "full"}})


# Where limits stand


def test_auth_goes_before_limits_and_limits_before_rules() -> None:
    """What auth refuses isn't counted; what a rule refuses is."""
    world = world_of(
        "{operation: poll, limit: 2, per: namespace}",
        rest="auth: {keys: [sk-good]}\ntasks: [{id: t}]\nrules: [{operation: poll, calls: 3, error: internal}]",
    )
    assert polls(world, 2, who="sk-bad") == [401, 401]
    assert polls(world, 3, who="sk-good") == [500, 200, 429]
    assert why(world)["stage"] == "limits"


def test_a_refused_poll_is_a_call_but_no_poll() -> None:
    """A rule counts it; an entry of polls doesn't."""
    world = world_of(
        "{operation: poll, limit: 1, window: 10s}",
        rest=(
            "tasks: [{id: t, timeline: [{status: queued, polls: 2}, {status: completed}]}]\n"
            "rules: [{operation: poll, calls: 4, error: internal}]"
        ),
    )
    assert polls(world, 3) == [200, 429, 429]
    world.advance(10 * SECOND)
    assert polls(world, 1) == [500]
    world.advance(10 * SECOND)
    assert world.get(POLL).json()["status"] == "queued"
    world.advance(10 * SECOND)
    assert world.get(POLL).json()["status"] == "completed"


def test_a_refused_create_is_a_call_for_rules() -> None:
    """The third create of all is the one that the rule is about."""
    world = world_of(
        "{operation: create, limit: 1, window: 1s}",
        rest="rules: [{operation: create, calls: 3, error: internal}]",
    )
    assert [create(world).status_code for _ in range(2)] == [200, 429]
    world.advance(SECOND)
    assert create(world).status_code == 500


def test_downloads_are_limited_by_task_and_not_by_key() -> None:
    """A link asks for no key; the content route does."""
    world = world_of(
        "{limit: 1, per: key, error: unavailable}",
        "{operation: download, limit: 2, per: task}",
        rest="tasks: [{id: t, timeline: [{status: completed}]}]\nlint: {ignore: [limit-without-operation]}",
    )
    link = world.get(POLL).json()["video_url"].removeprefix("http://emulator.test:8080")
    assert [world.get(link, headers={}).status_code for _ in range(3)] == [200, 200, 429]
    assert world.get(f"{link}x", headers={}).status_code == 403
    assert world.get(f"{POLL}/content").status_code == 503


def test_limits_are_those_of_the_active_scenario() -> None:
    """Also for a request that names another, whose own don't apply; and the file's providers are spoken of alone."""
    other = "version: 1\nname: strict\nlimits: [{operation: poll, limit: 1}]\ntasks: [{id: s}]\n"
    world = world_of(
        "{operation: create, limit: 1}", rest="providers: [octopusx]\ntasks: [{id: t}]", others=[other]
    )
    named = {**key("sk-test"), "x-emulator-scenario": "strict"}
    assert [world.get(f"{OCTOPUSX}/s", headers=named).status_code for _ in range(3)] == [200, 200, 200]
    codes = [world.post(OCTOPUSX, {"prompt": "x"}, headers=named).status_code for _ in range(2)]
    assert codes == [200, 429]
    assert why(world)["scenario"].startswith("limited@")
    assert [world.post("/ezmodel/v1/videos", {"prompt": "x"}).status_code for _ in range(2)] == [200, 200]


def test_a_task_of_another_scenario_is_refused_by_the_active_one() -> None:
    """And the journal says which that is."""
    other = "version: 1\nname: strict\ntasks: [{id: s}]\n"
    world = world_of("{operation: poll, limit: 1}", others=[other])
    named = {**key("sk-test"), "x-emulator-scenario": "strict"}
    assert [world.get(f"{OCTOPUSX}/s", headers=named).status_code for _ in range(2)] == [200, 429]
    assert why(world)["scenario"] == f"limited@{world.scenario.digest}"


def test_a_reset_and_an_activation_begin_the_counts_anew() -> None:
    """Of the same scenario too."""
    world = world_of("{operation: poll, limit: 1}")
    assert polls(world, 2) == [200, 429]
    world.namespace.reset()
    assert polls(world, 2) == [200, 429]
    world.namespace.activate(world.scenario)
    assert polls(world, 2) == [200, 429]


def test_an_auto_clock_waits_out_a_refusal() -> None:
    """To the end of the wait: as it is told, or else as long as it takes."""
    auto = ClockSettings(mode="auto", start=START)
    for told, instant in (
        ("", 10),
        (", retry_after: true", 10),
        (", retry_after: none", 10),
        (", retry_after: 3s", 3),
    ):
        world = world_of(f"{{operation: create, limit: 1, window: 10s{told}}}", clock=auto)
        assert [create(world).status_code for _ in range(2)] == [200, 429]
        assert world.namespace.clock.now() == START + instant * SECOND
    assert [create(world).status_code for _ in range(4)] == [429, 429, 429, 200]


def test_an_auto_clock_waits_for_a_task_in_flight() -> None:
    """Whose end time alone brings; for credit there is nothing to wait for."""
    world = world_of(
        "{in_flight: 1}", "{operation: create, limit: 2}", clock=ClockSettings(mode="auto", start=START)
    )
    assert [create(world).status_code for _ in range(3)] == [200, 429, 200]
    world.advance(MINUTE)
    now = world.namespace.clock.now()
    assert create(world).status_code == 429
    assert world.namespace.clock.now() == now


def test_a_clock_that_is_set_back_keeps_the_calls() -> None:
    """They count until the window has passed after the latest of them."""
    counts = Counts((Limit(conditions=Conditions(), most=4, window=10),))
    instants = [100, 50, 55, 70, 105, 109, 110]
    passed = [counts.take(limited("a"), now, lambda *_: None) is None for now in instants]
    assert passed == [True, True, True, True, False, False, True]


def test_a_counted_call_is_a_fact() -> None:
    """A clock that would begin anew before it is refused, though the journal has forgotten the call."""
    world = world_of("{operation: poll, limit: 1, window: 1h}", rest="")
    world.advance(MINUTE)
    assert polls(world, 1) == [404]
    world.namespace.journal.clear()
    assert world.namespace.latest_fact() == START + MINUTE


# Over sockets


def test_parallel_clients_share_by_key_alone() -> None:
    """Of a hundred polls at once, from two keys and over many connections, ten for each key pass."""
    world = world_of("{operation: poll, limit: 10, window: 1m, retry_after: true}")
    with serving.thread(world.app) as served, ThreadPoolExecutor(20) as pool, httpx.Client() as client:

        def poll(number: int) -> httpx.Response:
            return client.get(f"{served.url}{POLL}", headers=key(f"sk-{number % 2}"))

        answers = list(pool.map(poll, range(100)))
    for who in (0, 1):
        codes = [answer.status_code for answer in answers[who::2]]
        assert (codes.count(200), codes.count(429)) == (10, 40)
    assert {answer.headers.get("retry-after") for answer in answers} == {None, "60"}


# What is told


def test_why_names_the_limit_its_count_and_when_there_is_room() -> None:
    """In the journal, and in the header of the answer."""
    world = world_of(
        "{operation: create, limit: 5}",
        "{operation: poll, limit: 2, window: 10s, about: Two in ten seconds.}",
    )
    polls(world, 2)
    world.advance(SECOND)
    answer = world.get(POLL, headers={**key("sk-test"), "x-emulator-why": "1"})
    expected = {
        "place": "limits[1]",
        "line": 5,
        "about": "Two in ten seconds.",
        "per": "key",
        "counted": "calls",
        "count": 2,
        "most": 2,
        "window": "10s",
        "frees_at": "2025-01-01T00:00:10Z",
    }
    told = why(world)
    assert (told["stage"], told["error"], told["limit"]) == ("limits", "rate_limited", expected)
    assert json.loads(answer.headers["x-emulator-why"])["limit"] == expected
    assert polls(world, 1) == [429]


def test_why_counts_tasks_too() -> None:
    """And leaves out what there isn't."""
    world = world_of(
        "{in_flight: 1, per: namespace}", rest="tasks: [{timeline: [{status: queued, stuck: true}]}]"
    )
    create(world)
    create(world)
    assert why(world)["limit"] == {
        "place": "limits[0]", "line": 4, "per": "namespace", "counted": "tasks", "count": 1, "most": 1,
    }  # fmt: skip


def test_coverage_knows_the_limits_that_refused() -> None:
    """And those that didn't, with their errors."""
    world = world_of(
        "{operation: poll, limit: 1}", "{operation: create, limit: 9, error: insufficient_quota}"
    )
    polls(world, 2)
    answer = world.get("/__admin/coverage", host="localhost", headers={}).json()
    (scenario,) = answer["scenarios"]
    found = {part["place"]: (part["kind"], part["line"], part["touched"]) for part in scenario["parts"]}
    assert found["limits[0]"] == ("limit", 4, True)
    assert found["limits[1]"] == ("limit", 5, False)
    assert found["limits[0].error"] == ("error", 4, True)
    assert found["limits[1].error"] == ("error", 5, False)


# Bounds


def test_any_number_of_keys_takes_bounded_memory() -> None:
    """Those not heard of for longest are forgotten, the others kept."""
    counts = Counts((Limit(conditions=Conditions(), most=1, window=10**9),), most_kept=50_000)
    for number in range(10_000):
        assert counts.take(limited(f"sk-{number}"), number, lambda *_: None) is None
        assert counts.size <= 50_000
    assert counts.take(limited("sk-9999"), 10_000, lambda *_: None) is not None
    assert counts.take(limited("sk-0"), 10_000, lambda *_: None) is None


def test_what_left_the_window_takes_no_memory() -> None:
    """However many calls there were."""
    counts = Counts((Limit(conditions=Conditions(), most=10, window=5),))
    for now in range(10_000):
        assert counts.take(limited("a"), now, lambda *_: None) is None
    assert counts.size < 100
