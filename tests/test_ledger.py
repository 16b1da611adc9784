"""What an exchange leaves behind for coverage: the marks of every kind of it, by the road that a server takes."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from emulator import ledger
from emulator.core import steps
from emulator.core.effects import Failure
from emulator.core.scenario import HAPPY_PATH
from emulator.core.units import HOUR, MINUTE, SECOND
from emulator.core.words import ErrorName, Profile, Status
from emulator.ledger import Ledger
from tests.worlds import World

STORY = """\
version: 1
name: story
tasks:
  - {id: video_old, provider: octopusx, created: -5s, timeline: [{status: completed}]}
  - match: {prompt: {contains: bad}}
    timeline:
      - {status: queued, for: 2s}
      - {status: failed, error: internal}
  - match: {prompt: {contains: cat}}
    timeline:
      - {status: queued, for: 2s}
      - {status: processing, for: 8s}
      - {status: completed, video: {expires_in: 10s}}
"""
UNKNOWN = "nobody"


def key(name: str) -> dict[str, str]:
    """The header of an API key."""
    return {"authorization": f"Bearer {name}"}


def create(world: World, prompt: str = "a cat", **others: Any) -> str:
    """The id of a new task at OctopusX."""
    return str(world.post("/octopusx/v1/videos", {"prompt": prompt}, **others).json().get("id"))


def poll(world: World, task: str, **others: Any) -> Any:
    """A poll at OctopusX."""
    return world.get(f"/octopusx/v1/videos/{task}", **others)


def link(world: World, task: str) -> str:
    """The path of the result's link, as a poll prints it."""
    return str(poll(world, task).json()["video_url"]).removeprefix("http://emulator.test:8080")


def left(world: World, name: str = "story") -> set[str]:
    """The marks left since the last look, of a scenario of this name, without its version."""
    found = {mark for mark in world.namespace.met if mark.startswith(f"{name}@")}
    world.namespace.met -= found
    return {mark.partition(" ")[2] for mark in found}


def ruled(rules: str) -> World:
    """A world under the story with these rules."""
    return World(f"{STORY}rules:\n{rules}")


def rule(world: World, number: int) -> str:
    """The mark of a rule, without its version."""
    return f"rule {world.scenario.rules[number].id}"


# Timelines


def test_a_create_leaves_the_entry_that_it_shows() -> None:
    """At providers that print no status in a create's answer too."""
    world = World(STORY)
    create(world)
    assert left(world) == {"entry 2.0.0"}
    world.post("/sora/videos", {"prompt": "bad", "async": True})
    assert left(world) == {"entry 1.0.0"}


@pytest.mark.parametrize("headers", [key("sk-a"), {**key("sk-a"), "x-emulator-why": "1"}])
def test_a_poll_leaves_the_entry_that_it_shows(headers: dict[str, str]) -> None:
    """By the shortcut and by the long road, which a request to be told why takes."""
    world = World(STORY)
    task = create(world)
    left(world)
    for instant, index in ((0, 0), (2, 1), (10, 2)):
        world.namespace.clock.move_to(world.namespace.active.at + instant * SECOND)
        assert poll(world, task, headers=headers).status_code == 200
        assert left(world) == {f"entry 2.0.{index}"}


def test_a_batch_leaves_the_entry_of_every_task() -> None:
    """Of several items and scenarios; ids that nobody knows leave nothing."""
    world = World(STORY, others=["version: 1\nname: other\n"])
    cat = world.post("/sora/videos", {"prompt": "a cat", "async": True}).json()["task_id"]
    bad = world.post("/sora/videos", {"prompt": "bad", "async": True}).json()["task_id"]
    other = world.post("/sora/videos", {"prompt": "scenario:other", "async": True}).json()["task_id"]
    world.advance(2 * SECOND)
    world.namespace.met.clear()
    world.post("/sora/tasks", {"action": "retrieve_batch", "ids": [UNKNOWN, cat, bad, other, cat]})
    assert left(world) == {"entry 2.0.1", "entry 1.0.1"}
    assert left(world, "other") == {"entry 0.0.1"}


def test_a_listing_leaves_the_entry_of_every_task_on_its_page() -> None:
    """And of no other."""
    world = World(STORY, profile=Profile.CURRENT)
    world.post("/sora/videos", {"prompt": "bad", "async": True})
    world.advance(2 * SECOND)
    world.post("/sora/videos", {"prompt": "a cat", "async": True})
    left(world)
    world.post("/sora/tasks", {"action": "retrieve_batch", "limit": 1, "offset": 0})
    assert left(world) == {"entry 2.0.0"}
    world.post("/sora/tasks", {"action": "retrieve_batch"})
    assert left(world) == {"entry 2.0.0", "entry 1.0.1"}


def test_an_existing_task_leaves_its_entries() -> None:
    """As one that a client created."""
    world = World(STORY)
    poll(world, "video_old")
    assert left(world) == {"entry 0.0.0"}


def test_content_leaves_the_entry_that_answers_it() -> None:
    """Also where the answer is that the task isn't ready."""
    world = World(STORY)
    task = create(world)
    left(world)
    world.get(f"/octopusx/v1/videos/{task}/content")
    assert left(world) == {"entry 2.0.0"}
    world.advance(10 * SECOND)
    world.get(f"/octopusx/v1/videos/{task}/content")
    assert left(world) == {"entry 2.0.2"}


def test_a_download_leaves_nothing() -> None:
    """While the link lives: it shows the video, and no task."""
    world = World(STORY)
    task = create(world)
    world.advance(10 * SECOND)
    path = link(world, task)
    left(world)
    assert world.get(path, headers={}).status_code == 200
    assert left(world) == set()


def test_unknown_tasks_and_paths_leave_nothing() -> None:
    """Nor do requests that the provider refuses."""
    world = World(STORY)
    poll(world, UNKNOWN)
    world.get(f"/octopusx/v1/videos/{UNKNOWN}/content")
    world.get("/octopusx/v1/nothing")
    world.get("/nothing")
    world.get("/media/nothing")
    world.post("/octopusx/v1/videos", b"{", headers={**key("sk-a"), "content-type": "application/json"})
    world.post("/sora/tasks", {"action": "retrieve_batch", "ids": []})
    assert left(world) == set()


def test_a_task_that_no_item_took_leaves_marks_beside_the_scenario() -> None:
    """The happy path stands in, and is no part of the file."""
    world = World(STORY)
    create(world, "a dog")
    assert left(world) == {"entry -1.0.0"}


def test_a_provider_that_the_file_leaves_out_leaves_nothing_of_it() -> None:
    """It answers as in the happy path."""
    world = World("version: 1\nname: story\nproviders: ezmodel\n")
    poll(world, create(world))
    assert left(world) == set()


def test_a_started_unknown_task_leaves_its_entry() -> None:
    """It is a task like any other."""
    world = World(f"{STORY}  - about: All else.\nunknown_task: start\n")
    poll(world, UNKNOWN)
    assert left(world) == {"entry 3.0.0"}


@pytest.mark.parametrize("headers", [key("sk-a"), {**key("sk-a"), "x-emulator-why": "1"}])
def test_an_entry_made_up_by_hand_leaves_nothing(headers: dict[str, str]) -> None:
    """A planned one that somebody steps a task into does."""
    world = World(STORY)
    task = create(world)
    _stepped(world, task, lambda t, now: steps.forced(t, now, Status.PROCESSING))
    left(world)
    poll(world, task, headers=headers)
    assert left(world) == {"entry 2.0.1"}
    _stepped(world, task, lambda t, now: steps.forced(t, now, Status.CANCELLED))
    poll(world, task, headers=headers)
    assert left(world) == set()


def _stepped(world: World, task_id: str, step: Callable[[Any, int], Any]) -> None:
    task = world.namespace.store.get("octopusx", task_id)
    assert task is not None
    world.namespace.store.put(step(task, world.namespace.clock.now()))


# Rules


def test_a_rule_leaves_its_mark_with_its_first_answer() -> None:
    """Its answer shows no entry."""
    world = ruled("  - {operation: poll, calls: 2, error: rate_limited}\n")
    task = create(world)
    left(world)
    poll(world, task)
    assert left(world) == {"entry 2.0.0"}
    poll(world, task)
    assert left(world) == {rule(world, 0)}


@pytest.mark.parametrize("effect", ["pass: true", "delay: 0s", "headers: {x-a: b}", "patch: {a: 1}"])
def test_a_rule_without_an_answer_leaves_its_mark_beside_the_entry(effect: str) -> None:
    """Both were met."""
    world = ruled(f"  - {{operation: poll, calls: 1, {effect}}}\n")
    task = create(world)
    left(world)
    poll(world, task)
    assert left(world) == {"entry 2.0.0", rule(world, 0)}


def test_a_rule_that_another_keeps_from_being_looked_at_leaves_nothing() -> None:
    """The first that answers or passes ends the search."""
    world = ruled("  - {headers: {x-a: b}}\n  - {pass: true}\n  - {error: internal}\n")
    poll(world, create(world))
    assert left(world) == {"entry 2.0.0", rule(world, 0), rule(world, 1)}


def test_a_rule_for_creates_leaves_its_mark() -> None:
    """A refused create makes no task, so no entry is shown."""
    world = ruled("  - {operation: create, calls: 1, error: insufficient_quota}\n")
    create(world)
    assert left(world) == {rule(world, 0)}
    create(world)
    assert left(world) == {"entry 2.0.0"}


def test_a_rule_for_an_unknown_id_leaves_its_mark() -> None:
    """It is one of the scenario in force."""
    world = ruled("  - {operation: [poll, content], match: {id: nobody}, error: internal}\n")
    poll(world, UNKNOWN)
    assert left(world) == {rule(world, 0)}
    world.get(f"/octopusx/v1/videos/{UNKNOWN}/content")
    assert left(world) == {rule(world, 0)}


def test_a_rule_for_downloads_leaves_its_mark() -> None:
    """It is one of the task's own scenario, whatever is in force by then."""
    world = World(f"{STORY}rules:\n  - {{operation: download, error: not_found}}\n", others=["version: 1\n"])
    mark = rule(world, 0)
    task = create(world)
    world.advance(10 * SECOND)
    path = link(world, task)
    left(world)
    other = world.namespace.library.get("other-0")
    assert other is not None
    world.namespace.activate(other)
    world.get(path, headers={})
    assert left(world) == {mark}


def test_a_create_is_judged_by_the_scenario_that_it_names() -> None:
    """And a poll by the task's own, not by what a header names."""
    other = "version: 1\nname: other\nrules:\n  - {operation: [create, poll], headers: {x-a: b}}\n"
    world = World(STORY, others=[other])
    named = world.namespace.library.get("other")
    assert named is not None
    mark = f"rule {named.rules[0].id}"
    task = create(world, headers={**key("sk-a"), "x-emulator-scenario": "other"})
    assert left(world, "other") == {"entry 0.0.0", mark}
    poll(world, task)
    assert left(world, "other") == {"entry 0.0.0", mark}
    poll(world, create(world), headers={**key("sk-a"), "x-emulator-scenario": "other"})
    assert left(world, "other") == set()
    assert left(world) == {"entry 2.0.0"}


def test_a_batch_leaves_the_rules_of_each_tasks_own_scenario() -> None:
    """The one that answers, and those that only add; not one that another outdid."""
    other = (
        "version: 1\nname: other\nrules:\n  - {operation: poll, headers: {x-b: c}}\n"
        "  - {operation: poll, error: not_found}\n"
    )
    world = World(
        f"{STORY}rules:\n  - {{operation: poll, headers: {{x-a: b}}}}\n  - {{operation: poll, error: internal}}\n",
        others=[other],
    )
    first = world.post("/sora/videos", {"prompt": "a cat", "async": True}).json()["task_id"]
    second = world.post("/sora/videos", {"prompt": "scenario:other", "async": True}).json()["task_id"]
    found = world.namespace.library.get("other")
    assert found is not None
    world.namespace.met.clear()
    answer = world.post("/sora/tasks", {"action": "retrieve_batch", "ids": [first, second]})
    assert answer.status_code == 500
    assert left(world, "other") == {f"rule {found.rules[0].id}"}
    assert left(world) == {rule(world, 0), rule(world, 1)}


def test_a_listing_leaves_the_rules_of_the_scenario_in_force() -> None:
    """Though the tasks on its page have another."""
    text = "version: 1\nname: other\nrules:\n  - {operation: poll, headers: {x-b: c}}\n"
    world = World(STORY, others=[text], profile=Profile.CURRENT)
    world.post("/sora/videos", {"prompt": "a cat", "async": True})
    other = world.namespace.library.get("other")
    assert other is not None
    world.namespace.activate(other)
    world.namespace.met.clear()
    world.post("/sora/tasks", {"action": "retrieve_batch"})
    assert left(world) == {"entry 2.0.0"}
    assert left(world, "other") == {f"rule {other.rules[0].id}"}


# Keys

AUTH = """\
auth:
  keys: ["sk-good-*"]
  reject:
    - {key: "sk-expired-*", error: token_expired}
    - {key: "sk-broke-*", operation: create, error: insufficient_quota}
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sk-good-1", {"entry 2.0.0"}),
        ("sk-expired-1", {"rejection 0"}),
        ("sk-broke-1", {"rejection 1"}),
        ("sk-other", {"unknown-key"}),
    ],
)
def test_a_refused_key_leaves_what_refused_it(name: str, expected: set[str]) -> None:
    """And no entry, nor rule."""
    world = World(f"{STORY}{AUTH}rules:\n  - {{operation: poll, error: internal}}\n")
    create(world, headers=key(name))
    assert left(world) == expected


def test_a_poll_with_a_refused_key_leaves_what_refused_it() -> None:
    """As a create does."""
    world = World(f"{STORY}{AUTH}")
    task = create(world, headers=key("sk-good-1"))
    left(world)
    for name, expected in (("sk-expired-1", "rejection 0"), ("sk-other", "unknown-key")):
        poll(world, task, headers=key(name))
        assert left(world) == {expected}
    poll(world, task, headers=key("sk-broke-1"))
    assert left(world) == {"entry 2.0.0"}


def test_no_key_at_all_leaves_nothing() -> None:
    """No scenario has a part in that."""
    world = World(f"{STORY}{AUTH}")
    create(world, headers={})
    assert left(world) == set()


def test_a_key_is_refused_by_the_active_scenario_whatever_a_request_names() -> None:
    """Another scenario that a request names has a say in its rules alone."""
    other = f"version: 1\nname: other\n{AUTH}"
    world = World(f"{STORY}{AUTH}", others=[other])
    for name, expected in (("sk-expired-1", "rejection 0"), ("sk-other", "unknown-key")):
        create(world, headers={**key(name), "x-emulator-scenario": "other"})
        assert left(world) == {expected}
        assert left(world, "other") == set()


# Links


@pytest.mark.parametrize("odd", [0, 1, 999_999])
def test_a_dead_link_leaves_its_expiry(odd: int) -> None:
    """By the link, which says when it dies to the second, and by the provider's content route; and no entry."""
    world = World(STORY)
    world.advance(odd)
    task = create(world)
    world.advance(10 * SECOND)
    path = link(world, task)
    world.advance(10 * SECOND)
    left(world)
    assert world.get(path, headers={}).status_code == 403
    assert left(world) == {"expiry 2.0.2"}
    world.get(f"/octopusx/v1/videos/{task}/content")
    assert left(world) == {"expiry 2.0.2"}


def test_a_tampered_link_leaves_nothing() -> None:
    """Alive or dead, it is none of ours."""
    world = World(STORY)
    task = create(world)
    world.advance(10 * SECOND)
    path = link(world, task)
    left(world)
    world.get(path.replace("signature=", "signature=x"), headers={})
    world.advance(HOUR)
    world.get(path.replace("signature=", "signature=x"), headers={})
    assert left(world) == set()


@pytest.mark.parametrize(
    ("expired", "more"), [("{error: not_found}", {"expired 0.0.0"}), ("{respond: {status_code: 410}}", set())]
)
def test_what_a_dead_link_answers_makes_its_death_part_of_the_story(expired: str, more: set[str]) -> None:
    """A day after the creation, where nothing else is said. The content route has words of its own."""
    world = World(
        "version: 1\nname: story\ntasks:\n  - timeline:\n"
        f"      - {{status: completed, video: {{expired: {expired}}}}}\n"
    )
    task = create(world)
    path = link(world, task)
    left(world)
    world.advance(24 * HOUR - SECOND)
    world.get(path, headers={})
    assert left(world) == set()
    world.advance(SECOND)
    world.get(path, headers={})
    assert left(world) == {"expiry 0.0.0", *more}
    world.get(f"/octopusx/v1/videos/{task}/content")
    assert left(world) == {"expiry 0.0.0"}


@pytest.mark.parametrize(
    "video", ["{id: v}", "{url: none, expires_in: 5s}", "{url: 'https://a.example/v.mp4'}"]
)
def test_a_death_that_is_no_part_of_the_story_leaves_nothing(video: str) -> None:
    """A day after the creation every link of which nothing is said dies."""
    world = World(
        f"version: 1\nname: story\ntasks:\n  - timeline:\n      - {{status: completed, video: {video}}}\n"
    )
    task = create(world)
    world.advance(25 * HOUR)
    left(world)
    world.get(f"/octopusx/v1/videos/{task}/content")
    assert left(world) == set()


def test_a_dead_link_of_an_earlier_entry_leaves_its_own_expiry() -> None:
    """A later completed entry, whose link lives, has no part in it."""
    world = World(
        "version: 1\nname: story\ntasks:\n  - timeline:\n"
        "      - {status: completed, for: 1m, video: {expires_in: 10s}}\n"
        "      - {status: completed, video: {expires_in: 5m}}\n"
    )
    task = create(world)
    path = link(world, task)
    world.advance(MINUTE)
    left(world)
    world.get(path, headers={})
    assert left(world) == {"expiry 0.0.0"}
    later = link(world, task)
    world.advance(4 * MINUTE)
    left(world)
    world.get(path, headers={})
    assert left(world) == {"expiry 0.0.0"}
    world.get(later, headers={})
    assert left(world) == {"expiry 0.0.1"}


@pytest.mark.parametrize("odd", [0, 1, 999_999])
def test_a_renewed_link_leaves_its_expiry_once_it_is_dead(odd: int) -> None:
    """The one that was handed out last too."""
    world = World(
        "version: 1\nname: story\ntasks:\n  - timeline:\n"
        "      - {status: completed, video: {expires_in: 10s, renew: true}}\n"
    )
    task = create(world)
    world.advance(MINUTE + odd)
    path = link(world, task)
    world.advance(9 * SECOND - odd)
    left(world)
    assert world.get(path, headers={}).status_code == 200
    assert left(world) == set()
    world.advance(SECOND + odd)
    world.get(path, headers={})
    assert left(world) == {"expiry 0.0.0"}


def test_a_link_renewed_in_the_second_in_which_its_entry_began_leaves_its_expiry() -> None:
    """It says when it dies to the second: as if it had been handed out before."""
    world = World(
        "version: 1\nname: story\ntasks:\n  - timeline:\n      - {status: queued, for: 1500ms}\n"
        "      - {status: completed, video: {expires_in: 10s, renew: true}}\n"
    )
    task = create(world)
    world.advance(1_700_000)
    path = link(world, task)
    world.advance(10 * SECOND)
    left(world)
    world.get(path, headers={})
    assert left(world) == {"expiry 0.0.1"}


def test_a_dead_link_of_a_later_entry_leaves_its_own_expiry() -> None:
    """The link of the earlier one would have lived for a day."""
    world = World(
        "version: 1\nname: story\ntasks:\n  - timeline:\n"
        "      - {status: completed, for: 1m, video: {expired: {error: not_found}}}\n"
        "      - {status: completed, video: {expires_in: 5m}}\n"
    )
    task = create(world)
    world.advance(MINUTE)
    path = link(world, task)
    world.advance(4 * MINUTE)
    left(world)
    world.get(path, headers={})
    assert left(world) == {"expiry 0.0.1"}


def test_links_of_two_entries_that_die_together_are_one() -> None:
    """Its death is that of both."""
    world = World(
        "version: 1\nname: story\ntasks:\n  - timeline:\n"
        "      - {status: completed, for: 5s, video: {expires_in: 10s}}\n"
        "      - {status: completed, video: {expires_in: 10s}}\n"
    )
    path = link(world, create(world))
    world.advance(10 * SECOND)
    left(world)
    world.get(path, headers={})
    assert left(world) == {"expiry 0.0.0", "expiry 0.0.1"}


def test_the_answer_of_a_dead_link_is_the_present_entrys() -> None:
    """Whichever entry the link was of."""
    world = World(
        "version: 1\nname: story\ntasks:\n  - timeline:\n"
        "      - {status: completed, for: 1m, video: {expires_in: 10s, renew: true}}\n"
        "      - {status: completed, video: {expires_in: 5m, renew: true, expired: {error: not_found}}}\n"
    )
    task = create(world)
    path = link(world, task)
    world.advance(MINUTE)
    later = link(world, task)
    left(world)
    world.get(path, headers={})
    assert left(world) == {"expiry 0.0.0", "expired 0.0.1"}
    world.advance(5 * MINUTE)
    world.get(later, headers={})
    assert left(world) == {"expiry 0.0.1", "expired 0.0.1"}


def test_a_dead_link_of_a_task_that_ended_otherwise_leaves_nothing() -> None:
    """Somebody completed it by hand, which its timeline knows nothing of."""
    world = World("version: 1\nname: story\ntasks:\n  - timeline: [{status: queued, stuck: true}]\n")
    task = create(world)
    _stepped(world, task, lambda t, now: steps.forced(t, now, Status.COMPLETED))
    path = link(world, task)
    world.advance(25 * HOUR)
    left(world)
    assert world.get(path, headers={}).status_code == 403
    assert left(world) == set()


def test_a_dead_link_of_a_forgotten_task_leaves_nothing() -> None:
    """Nobody knows any more which entry it was of."""
    world = World(STORY, max_tasks=1)
    task = create(world)
    world.advance(10 * SECOND)
    path = link(world, task)
    for _ in range(3):
        create(world)
    world.advance(10 * SECOND)
    left(world)
    assert world.get(path, headers={}).status_code == 403
    assert left(world) == set()


# The ledger


def test_a_reset_and_a_drop_leave_their_marks_in_the_ledger() -> None:
    """What was met stays met."""
    world = World(STORY)
    poll(world, create(world))
    met = set(world.namespace.met)
    assert met
    world.namespace.reset()
    assert not world.namespace.met
    assert world.namespace.ledger.marks == met
    world.post("/ns/a/octopusx/v1/videos", {"prompt": "bad"})
    assert world.app.namespaces.drop("a")
    assert {mark.partition(" ")[2] for mark in world.namespace.ledger.marks - met} == {"entry 1.0.0"}


def test_it_forgets_the_version_that_it_has_not_heard_of_for_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its marks, and no other's."""
    monkeypatch.setattr(ledger, "_MOST", 2)
    book = Ledger()
    versions = [msgspec.structs.replace(HAPPY_PATH, digest=digest) for digest in ("1", "11", "2")]
    for one in versions[:2]:
        book.know(one)
        book.marks.add(f"{one.version} entry 0.0.0")
    book.marks.add("story@forgotten-before entry 0.0.0")
    book.know(versions[0])
    book.know(versions[2])
    assert list(book.scenarios.values()) == [versions[0], versions[2]]
    assert book.marks == {f"{versions[0].version} entry 0.0.0"}


def test_clearing_it_forgets_marks_alone() -> None:
    """The scenarios that were in force are known still."""
    book = Ledger()
    book.know(HAPPY_PATH)
    book.marks.add("any")
    book.clear()
    assert not book.marks
    assert list(book.scenarios.values()) == [HAPPY_PATH]


def test_a_failure_given_by_hand_counts_as_its_entry() -> None:
    """Its place in the timeline was shown, whatever the words."""
    world = World(STORY)
    task = create(world, "bad")
    failure = Failure(name=ErrorName.TIMEOUT)
    _stepped(world, task, lambda t, now: steps.forced(t, now, Status.FAILED, failure=failure))
    left(world)
    poll(world, task)
    assert left(world) == {"entry 1.0.1"}
