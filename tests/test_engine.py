"""Namespaces: what activating and resetting do, and what a task keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.activation import judged_key
from emulator.core.units import HOUR, SECOND
from emulator.engine import UnknownScenario
from tests.worlds import START, World

POLL = "/octopusx/v1/videos/t"


def test_activating_counts_from_zero_and_brings_existing_tasks_anew() -> None:
    """In place of an existing task with the same id; a task that a client created stays."""
    other = "version: 1\nname: other\ntasks:\n  - {id: t, timeline: [{status: failed}]}\n"
    world = World("version: 1\ntasks: [{id: t}]\n", others=[other])
    mine = world.post("/octopusx/v1/videos", {"prompt": "x"}).json()["id"]
    world.advance(SECOND)
    found = world.namespace.library.get("other")
    assert found is not None
    world.namespace.activate(found)
    assert world.get(POLL).json()["status"] == "failed"
    assert world.get(POLL).json()["created_at"] == START // SECOND + 1
    assert world.get(f"/octopusx/v1/videos/{mine}").json()["status"] == "queued"


def test_a_running_task_keeps_its_scenario() -> None:
    """Its rules too."""
    text = "version: 1\nrules:\n  - {operation: poll, calls: 2, error: internal}\n"
    world = World(text, others=["version: 1\nname: other\n"])
    path = f"/octopusx/v1/videos/{world.post('/octopusx/v1/videos', {'prompt': 'x'}).json()['id']}"
    found = world.namespace.library.get("other")
    assert found is not None
    world.namespace.activate(found)
    assert [world.get(path).status_code for _ in range(3)] == [200, 500, 200]


def test_a_reset_forgets_tasks_and_counts_and_starts_the_clock_anew() -> None:
    """And the same creates make the same tasks again."""
    world = World(
        "version: 1\ntasks: [{id: t}, {}]\nrules:\n  - {operation: poll, times_total: 1, error: internal}\n"
    )
    first = world.post("/octopusx/v1/videos", {"prompt": "x"}).json()["id"]
    assert [world.get(POLL).status_code for _ in range(2)] == [500, 200]
    world.advance(HOUR)
    world.namespace.reset()
    assert world.namespace.clock.now() == START
    assert len(world.namespace.store) == 4
    assert [world.get(POLL).status_code for _ in range(2)] == [500, 200]
    assert world.post("/octopusx/v1/videos", {"prompt": "x"}).json()["id"] == first


def test_a_seed_in_the_file_goes_before_the_servers() -> None:
    """So a file's story is the same on every server."""
    texts = ("version: 1\nseed: 7\n", "version: 1\nseed: 8\n", "version: 1\n")
    ids = {}
    for text in texts:
        for seed in (0, 1):
            ids[text, seed] = World(text, seed=seed).post("/ezmodel/v1/videos", {"prompt": "x"}).json()["id"]
    assert ids[texts[0], 0] == ids[texts[0], 1] != ids[texts[1], 0]
    assert ids[texts[2], 0] != ids[texts[2], 1]


def test_too_many_tasks_give_up_the_oldest_and_say_so() -> None:
    """A dropped task answers as unknown."""
    world = World(max_tasks=3)
    ids = [world.post("/octopusx/v1/videos", {"prompt": "x"}).json()["id"] for _ in range(4)]
    codes = [world.get(f"/octopusx/v1/videos/{task_id}").status_code for task_id in ids]
    assert codes == [404, 200, 200, 200]
    assert world.namespace.store.dropped == 1


def test_an_unknown_active_scenario_is_named_with_those_there_are() -> None:
    """For the command line to say."""
    world = World()
    world.namespace.settings = world.namespace.settings.__class__(scenario="nobody")
    with pytest.raises(UnknownScenario, match=r"'nobody'; there are: .*happy-path"):
        world.namespace.start(world.namespace.providers)


def test_a_namespaced_key_is_judged_by_what_follows() -> None:
    """sk-ns-NAME--REST as sk-REST."""
    assert judged_key("sk-ns-team--good-1") == "sk-good-1"
    assert judged_key("sk-good-1") == "sk-good-1"
    assert judged_key("sk-ns-team") == "sk-ns-team"


def test_another_scenarios_seed_changes_nothing_of_tasks_that_there_are() -> None:
    """Neither what they print nor their links; and AceData's are still found by their trace id."""
    world = World(others=["version: 1\nname: other\nseed: 9\n"])
    task_id = world.post("/sora/videos", {"prompt": "x", "async": True}).json()["task_id"]
    world.advance(10 * SECOND)
    before = world.post("/sora/tasks", {"id": task_id}).json()
    link = before["response"]["data"][0]["video_url"].removeprefix("http://emulator.test:8080")
    found = world.namespace.library.get("other")
    assert found is not None
    world.namespace.activate(found)
    assert world.post("/sora/tasks", {"id": task_id}).json() == before
    assert world.post("/sora/tasks", {"trace_id": before["trace_id"]}).json() == before
    assert world.get(link, headers={}).status_code == 200
    later = world.post("/sora/videos", {"prompt": "x", "async": True}).json()["task_id"]
    record = world.post("/sora/tasks", {"id": later}).json()
    assert record["user_id"] != before["user_id"]
    assert world.post("/sora/tasks", {"trace_id": record["trace_id"]}).json() == record


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4 * SECOND)), min_size=1, max_size=12))
def test_two_engines_over_one_store_answer_alike(turns: list[tuple[bool, int]]) -> None:
    """Whichever of two answers a poll, it is what one alone would answer; the second needs no create of its own."""
    text = (
        "version: 1\ntasks:\n  - timeline:\n"
        "      - {status: queued, polls: 3}\n"
        "      - {status: processing, for: {min: 3s, max: 9s}, progress: {from: 0, to: 99}}\n"
        "      - {status: completed}\n"
        "rules:\n  - {operation: poll, calls: every 4, error: rate_limited}\n"
        "  - {operation: poll, probability: 30%, times: 2, error: internal}\n"
    )
    alone, one, other = World(text), World(text), World(text)
    other.namespace.store = one.namespace.store
    path = ""
    for world in (alone, one):
        path = f"/octopusx/v1/videos/{world.post('/octopusx/v1/videos', {'prompt': 'x'}).json()['id']}"
    for is_other, wait in turns:
        for world in (alone, one, other):
            world.advance(wait)
        assert (other if is_other else one).get(path) == alone.get(path)
