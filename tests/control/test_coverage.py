"""Coverage by the control API: over all namespaces or of one, as JSON or text, and begun anew."""

from typing import Any

import msgspec
import pytest

from emulator.messages.coverage import Coverage
from tests.worlds import Answer, World

STORY = """\
version: 1
name: story
tasks:
  - timeline:
      - {status: queued, for: 2s}
      - {status: completed}
"""
EDITED = STORY.replace("completed", "failed, error: internal")


def control(world: World, method: str, path: str, body: Any = None) -> Answer:
    """One request to the control API."""
    return world.call(method, path, body, headers={}, host="localhost")


def covered(world: World, query: str = "", prefix: str = "") -> Coverage:
    """What the control API says."""
    answer = control(world, "GET", f"{prefix}/__admin/coverage{query}")
    assert answer.status_code == 200, answer.body
    return msgspec.json.decode(answer.body, type=Coverage)


def create(world: World, prefix: str = "", prompt: str = "a cat") -> None:
    """One task at OctopusX."""
    assert world.post(f"{prefix}/octopusx/v1/videos", {"prompt": prompt}).status_code == 200


def names(found: Coverage) -> list[tuple[str, int]]:
    """The scenarios, and how many of their parts were met."""
    return [(one.name, one.overall.touched) for one in found.scenarios]


def test_nothing_is_met_at_first() -> None:
    """The scenario in force is shown when asked for."""
    world = World(STORY)
    assert covered(world).overall.touched == 0
    assert names(covered(world)) == []
    assert names(covered(world, "?scenarios=all")) == [("story", 0)]
    assert names(covered(world, "?scenarios=touched")) == []


def test_it_is_that_of_the_whole_process_whichever_namespace_is_spoken_to() -> None:
    """A run is over when all of its tests are, each in a namespace of its own."""
    world = World(STORY)
    create(world, "/ns/a")
    found = covered(world)
    assert (found.namespace, names(found)) == (None, [("story", 2)])
    assert covered(world, prefix="/ns/b") == found


def test_one_namespace_may_be_asked_for() -> None:
    """What others met, and what it met itself before a reset, isn't in it."""
    world = World(STORY)
    create(world, "/ns/a")
    create(world, "/ns/b")
    found = covered(world, "?namespace=a")
    assert (found.namespace, names(found)) == ("a", [("story", 2)])
    assert names(covered(world, "?namespace=default")) == []
    control(world, "POST", "/ns/a/__admin/reset")
    assert names(covered(world, "?namespace=a")) == []
    assert names(covered(world)) == [("story", 2)]


def test_of_one_namespace_all_is_the_scenario_in_force() -> None:
    """Those of others aren't shown."""
    world = World(STORY, others=["version: 1\nname: other\n"])
    control(world, "PUT", "/ns/a/__admin/scenarios/active", {"name": "other"})
    assert names(covered(world, "?namespace=a&scenarios=all")) == [("other", 0)]
    assert names(covered(world, "?namespace=default&scenarios=all")) == [("story", 0)]
    assert names(covered(world, "?scenarios=all")) == [("other", 0), ("story", 0)]


def test_what_was_met_outlives_a_namespace() -> None:
    """Dropped in mid-run, and made anew under the same name."""
    world = World(STORY)
    create(world, "/ns/a")
    world.app.namespaces.drop("a")
    assert names(covered(world)) == [("story", 2)]
    create(world, "/ns/a")
    world.namespace.clock.advance(2_000_000)
    assert names(covered(world)) == [("story", 2)]


def test_a_scenario_edited_in_mid_run_is_shown_in_both_versions() -> None:
    """The newer begins anew; the older has what was met of it."""
    world = World("happy-path")
    for text in (STORY, EDITED):
        loaded = world.namespace.library.add_text(text, "story", "request")  # type: ignore[attr-defined]
        world.namespace.activate(loaded.scenario)
        create(world)
    found = covered(world)
    assert names(found) == [("story", 2), ("story", 2)]
    assert [one.overall.total for one in found.scenarios] == [5, 4]
    assert found.overall.touched == 4


def test_a_scenario_named_by_a_request_is_among_them() -> None:
    """It need not be the active one."""
    world = World(STORY, others=["version: 1\nname: other\n"])
    create(world, prompt="scenario:other")
    assert names(covered(world)) == [("other", 2)]


def test_the_count_can_begin_anew() -> None:
    """In all namespaces at once, and in the ledger of those that are gone."""
    world = World(STORY)
    for prefix in ("", "/ns/a", "/ns/b"):
        create(world, prefix)
    world.app.namespaces.drop("b")
    answer = control(world, "DELETE", "/__admin/coverage")
    assert answer.status_code == 200
    assert msgspec.json.decode(answer.body, type=Coverage) == covered(world)
    assert covered(world).overall.touched == 0
    create(world)
    assert names(covered(world)) == [("story", 2)]


def test_the_text_is_plain() -> None:
    """In UTF-8, whatever the scenario's author wrote."""
    world = World(STORY.replace("- timeline:", "- about: Größe 小\n    timeline:"))
    create(world)
    answer = control(world, "GET", "/__admin/coverage?format=text")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "completed after queued (Größe 小)" in answer.body.decode()
    assert control(world, "GET", "/__admin/coverage?format=json").json()["overall"]["touched"] == 2


@pytest.mark.parametrize(
    ("query", "status_code", "detail"),
    [
        ("namespace=nobody", 404, "namespace: none is called 'nobody'"),
        ("namespace=", 400, "namespace: expected the name of a namespace"),
        ("scenarios=none", 400, "scenarios: expected one of touched, all"),
        ("format=xml", 400, "format: expected one of json, text"),
        ("name=a", 400, "name: unknown"),
    ],
)
def test_a_wrong_query_is_refused(query: str, status_code: int, detail: str) -> None:
    """With what is wrong, and no namespace is made for it."""
    world = World(STORY)
    answer = control(world, "GET", f"/__admin/coverage?{query}")
    assert answer.status_code == status_code
    assert detail in answer.json()["detail"]
    assert len(world.app.namespaces) == 1


def test_a_scenario_that_the_ledger_forgot_is_known_while_it_is_in_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many versions came after it."""
    monkeypatch.setattr("emulator.ledger._MOST", 1)
    world = World(STORY, others=["version: 1\nname: other\n"])
    create(world)
    create(world, "/ns/a", prompt="scenario:other")
    assert [one.name for one in world.namespace.ledger.scenarios.values()] == ["other"]
    assert names(covered(world)) == [("other", 2), ("story", 2)]
    assert names(covered(world, "?namespace=default")) == [("story", 2)]
