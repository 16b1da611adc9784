"""The journal over the control API: what is found, page by page, and waiting for what is still to come."""

import json
from typing import Any

import pytest

from emulator.core.units import SECOND
from tests import serving
from tests.serving import Served
from tests.worlds import Answer, World

OCTOPUSX = "/octopusx/v1/videos"
SORA = "/acedata/sora/tasks"
ROUNDS = 2000
"""So often a server is asked until something has happened there that no answer tells of."""


def ask(world: World, query: str = "", method: str = "GET", path: str = "/__admin/requests") -> Answer:
    """One request to the control API."""
    return world.call(method, f"{path}{query}", headers={}, host="localhost")


def numbers(answer: Answer) -> list[int]:
    """The numbers of the entries in an answer, in their order."""
    assert answer.status_code == 200, answer.body
    return [entry["number"] for entry in answer.json()["requests"]]


def story() -> World:
    """Nine requests of several kinds."""
    world = World("""
version: 1
name: story
tasks:
  - {id: one, provider: acedata-sora, timeline: [{status: completed}]}
  - {id: two, provider: acedata-sora, timeline: [{status: completed}]}
  - {id: vid, provider: octopusx, timeline: [{status: completed}]}
  - {}
rules: [{operation: poll, provider: octopusx, calls: 2, error: internal}]
""")
    world.post(OCTOPUSX, {"prompt": "a"})  # 1
    world.post(SORA, {"action": "retrieve_batch", "ids": ["one", "two", "nobody"]})  # 2
    world.advance(SECOND)
    world.get(f"{OCTOPUSX}/vid")  # 3
    world.get(f"{OCTOPUSX}/vid")  # 4: 500
    world.post(SORA, {"action": "retrieve", "id": "two"})  # 5
    world.advance(SECOND)
    world.get(f"{OCTOPUSX}/nobody")  # 6: 404
    world.get(f"{OCTOPUSX}/vid/content")  # 7
    world.get("/octopusx/nothing")  # 8: 404, no operation
    world.get("/media/nothing")  # 9: 404, no operation
    return world


FILTERS = [
    ("", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ("?operation=create", [1]),
    ("?operation=poll", [2, 3, 4, 5, 6]),
    ("?operation=content", [7]),
    ("?operation=download", []),
    ("?provider=acedata-sora", [2, 5]),
    ("?provider=octopusx", [1, 3, 4, 6, 7, 8]),
    ("?task=two", [2, 5]),
    ("?task=one", [2]),
    ("?task=nobody", [2, 6]),
    ("?task=vid", [3, 4, 7]),
    ("?task=nowhere", []),
    ("?status_code=404", [6, 8, 9]),
    ("?status_code=4xx", [6, 8, 9]),
    ("?status_code=5XX", [4]),
    ("?status_code=500", [4]),
    ("?status_code=2xx", [1, 2, 3, 5, 7]),
    ("?since=2025-01-01T00:00:01Z", [3, 4, 5, 6, 7, 8, 9]),
    ("?since=2025-01-01T01:00:02%2B01:00", [6, 7, 8, 9]),
    ("?since=2025-01-01T00:00:03Z", []),
    ("?matched=false", [8, 9]),
    ("?matched=true", [1, 2, 3, 4, 5, 6, 7]),
    ("?after=7", [8, 9]),
    ("?after=9", []),
    ("?after=1000", []),
    ("?before=3", [1, 2]),
    ("?after=2&before=5", [3, 4]),
    ("?order=newest", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
    ("?limit=2", [1, 2]),
    ("?limit=2&order=newest", [9, 8]),
    ("?limit=1000&order=newest&after=7", [9, 8]),
    ("?operation=poll&status_code=2xx&after=2", [3, 5]),
]


@pytest.mark.parametrize(("query", "found"), FILTERS, ids=[query or "all" for query, _ in FILTERS])
def test_it_finds_what_fits(query: str, found: list[int]) -> None:
    """All that is asked for has to hold."""
    assert numbers(ask(story(), query)) == found


def test_control_calls_are_not_in_it() -> None:
    """Whatever they do; neither are they counted."""
    world = World()
    for method, path in (("GET", "/__admin/health"), ("POST", "/__admin/reset"), ("GET", "/__admin/nothing")):
        ask(world, method=method, path=path)
    assert ask(world).json() == {"requests": [], "total": 0, "dropped": 0, "next": 0}


def test_an_answer_says_how_many_there_are() -> None:
    """On this page and behind it, and how many were dropped."""
    world = story()
    page = ask(world, "?operation=poll&limit=2").json()
    assert (page["total"], page["dropped"], page["next"]) == (5, 0, 3)
    page = ask(world, "?operation=poll&limit=2&after=3").json()
    assert (page["total"], page["next"]) == (3, 5)
    world.namespace.journal.drop_oldest(4)
    page = ask(world, "?operation=poll").json()
    assert (page["total"], page["dropped"]) == (2, 4)


def _pages(world: World, query: str, parameter: str, *, grows: bool) -> list[int]:
    found: list[int] = []
    following = ""
    for _ in range(20):
        page = ask(world, f"?{query}{following}")
        found += numbers(page)
        if grows:
            world.get("/octopusx/more")
        if not numbers(page) or page.json()["next"] is None:
            return found
        following = f"&{parameter}={page.json()['next']}"
    raise AssertionError("the pages have no end")


@pytest.mark.parametrize("limit", [1, 2, 4, 9, 10])
def test_pages_hold_each_entry_once(limit: int) -> None:
    """Whichever stand first."""
    assert _pages(story(), f"limit={limit}", "after", grows=False) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    newest = _pages(story(), f"order=newest&limit={limit}", "before", grows=False)
    assert newest == [9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_pages_stay_as_they_are_while_requests_arrive() -> None:
    """Nothing is seen twice, and nothing is left out."""
    assert _pages(story(), "matched=true&limit=2", "after", grows=True) == [1, 2, 3, 4, 5, 6, 7]
    newest = _pages(story(), "order=newest&limit=2", "before", grows=True)
    assert newest == [9, 8, 7, 6, 5, 4, 3, 2, 1]


def test_the_next_of_the_last_page_leads_to_what_is_still_to_come() -> None:
    """Also past entries that don't fit, and after the journal began anew."""
    world = story()
    following = ask(world, "?operation=create").json()["next"]
    assert following == 9
    world.post(OCTOPUSX, {"prompt": "b"})
    page = ask(world, f"?operation=create&after={following}")
    assert numbers(page) == [10]
    ask(world, method="DELETE")
    world.post(OCTOPUSX, {"prompt": "c"})
    assert ask(world, f"?operation=create&after={page.json()['next']}").json()["next"] == 1


def test_one_entry_is_the_same_as_in_the_list() -> None:
    """By its number."""
    world = story()
    listed = ask(world).json()["requests"]
    for entry in listed:
        assert ask(world, f"/{entry['number']}").json() == entry


@pytest.mark.parametrize("number", ["0", "10", "-1", "x", "1.5", "99999999999999999999", "%C2%B2", "2"])
def test_an_entry_that_isnt_there_is_unknown(number: str) -> None:
    """One that was dropped too; the answer says which there are."""
    world = story()
    world.namespace.journal.drop_oldest(2)
    answer = ask(world, f"/{number}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith("it has 3 to 9")
    assert ask(World(), "/1").json()["detail"].endswith("it is empty")


def test_clearing_it_clears_nothing_else() -> None:
    """Tasks, clock and other namespaces stay."""
    world = story()
    world.post(f"/ns/other{OCTOPUSX}", {"prompt": "a"})
    tasks = ask(world, path="/__admin/tasks").json()
    assert ask(world, method="DELETE").json() == {"cleared": 9}
    assert ask(world, method="DELETE").json() == {"cleared": 0}
    assert ask(world).json() == {"requests": [], "total": 0, "dropped": 0, "next": 0}
    assert ask(world, path="/__admin/tasks").json() == tasks
    assert numbers(ask(world, path="/ns/other/__admin/requests")) == [1]
    world.get("/octopusx/nothing")
    assert numbers(ask(world)) == [1]


def test_the_canonical_form_has_all_that_fits() -> None:
    """Oldest first, whatever the limit and the order."""
    answer = ask(story(), "?canonical=true&operation=poll&limit=1&order=newest")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["number"] for line in answer.body.splitlines()] == [2, 3, 4, 5, 6]
    assert ask(story(), "?canonical=true&operation=download").body == b""


REFUSED = [
    ("?operation=polls", "operation: expected one of create, poll"),
    ("?provider=sora", "provider: expected one of"),
    ("?status_code=abc", "status_code: expected a status code such as 404, or a class such as 4xx"),
    ("?status_code=600", "status_code: expected"),
    ("?status_code=40x", "status_code: expected"),
    ("?since=now", "since: expected an instant"),
    ("?matched=maybe", "matched: expected true or false"),
    ("?after=-1", "after: expected a whole number"),
    ("?before=x", "before: expected a whole number"),
    ("?limit=0", "limit: expected a whole number from 1 to 1000"),
    ("?limit=1001", "limit: expected"),
    ("?order=latest", "order: expected one of oldest, newest"),
    ("?wait=5", "expected a duration such as 500ms"),
    ("?wait=61s", "expected at most 1m, got 61s"),
    ("?wait=10000d", "expected at most 1m"),
    ("?canonical=2", "canonical: expected true or false"),
    ("?task=", "task: expected the id of a task"),
    ("?status=404", "status: unknown"),
]


@pytest.mark.parametrize(("query", "detail"), REFUSED, ids=[query for query, _ in REFUSED])
def test_a_query_that_cant_be_meant_is_refused(query: str, detail: str) -> None:
    """With what was expected."""
    answer = ask(story(), query)
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]


# Waiting


def _until(served: Served, happened: Any) -> None:
    """Ask the server for something else until this has happened."""
    for _ in range(ROUNDS):
        if happened():
            return
        assert served.get("/__admin/ready").status_code == 200
    raise AssertionError("it didn't happen")


def _request(served: Served, query: str) -> list[bytes]:
    return [f"GET /__admin/requests{query} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode()]


@pytest.fixture(scope="module")
def world() -> World:
    """One world for the tests that wait; each begins with an empty journal."""
    return World()


def test_what_fits_already_is_answered_at_once(world: World) -> None:
    """However long the wait may be."""
    with serving.thread(world.app) as served:
        served.post(OCTOPUSX, {"prompt": "a"})
        assert numbers(served.get("/__admin/requests?wait=60s")) == [1]
        assert len(served.get("/__admin/requests?wait=60s&canonical=true").body.splitlines()) == 1
    world.namespace.reset()


def test_what_arrives_is_answered_as_soon_as_it_does(world: World) -> None:
    """What doesn't fit isn't."""
    watchers = world.namespace.journal.watchers
    with serving.thread(world.app) as served, served.connect() as wire:
        served.get("/octopusx/nothing")
        wire.send(_request(served, "?wait=60s&after=1&operation=create"))
        _until(served, lambda: watchers)
        served.get("/octopusx/nothing")
        served.post(OCTOPUSX, {"prompt": "a"})
        answer = wire.answer()
        assert numbers(answer) == [3]
        assert answer.json()["next"] == 3
        _until(served, lambda: not watchers)
        # The connection goes on.
        wire.send(_request(served, "?limit=1"))
        assert numbers(wire.answer()) == [1]
    world.namespace.reset()


def test_a_quick_poll_wakes_who_waits_for_it(world: World) -> None:
    """Though the server answers it by a shortcut."""
    watchers = world.namespace.journal.watchers
    with serving.thread(world.app) as served, served.connect() as wire:
        task_id = served.post(OCTOPUSX, {"prompt": "a"}).json()["id"]
        wire.send(_request(served, f"?wait=60s&operation=poll&task={task_id}"))
        _until(served, lambda: watchers)
        served.get(f"{OCTOPUSX}/{task_id}")
        assert numbers(wire.answer()) == [2]
    world.namespace.reset()


def test_nothing_is_answered_when_the_time_is_over(world: World) -> None:
    """With an empty list, and nobody watches any more."""
    with serving.thread(world.app) as served:
        answer = served.get("/__admin/requests?wait=20ms&after=5")
        assert answer.json() == {"requests": [], "total": 0, "dropped": 0, "next": 0}
        assert world.namespace.journal.watchers == []


def test_many_can_wait_for_the_same(world: World) -> None:
    """Each gets it; none is left behind."""
    watchers = world.namespace.journal.watchers
    with serving.thread(world.app) as served:
        wires = [served.connect() for _ in range(100)]
        for wire in wires:
            wire.send(_request(served, "?wait=60s&operation=create"))
        _until(served, lambda: len(watchers) == len(wires))
        served.post(OCTOPUSX, {"prompt": "a"})
        for wire in wires:
            assert numbers(wire.answer()) == [1]
            wire.close()
        assert watchers == []
    world.namespace.reset()


def test_a_client_that_leaves_is_waited_for_no_more(world: World) -> None:
    """Nothing of it stays behind."""
    watchers = world.namespace.journal.watchers
    with serving.thread(world.app) as served:
        wires = [served.connect() for _ in range(20)]
        for wire in wires:
            wire.send(_request(served, "?wait=60s"))
        _until(served, lambda: len(watchers) == len(wires))
        for wire in wires:
            wire.close()
        _until(served, lambda: not watchers and not world.namespace.visitors)


def test_a_server_that_stops_leaves_nobody_waiting(world: World) -> None:
    """It doesn't wait for them either."""
    with serving.thread(world.app) as served, served.connect() as wire:
        wire.send(_request(served, "?wait=60s"))
        _until(served, lambda: world.namespace.journal.watchers)
    assert world.namespace.journal.watchers == []


def test_an_entry_that_isnt_kept_ends_no_wait() -> None:
    """A journal may be so small that it drops what has just come."""
    world = World()
    world.namespace.journal.most = 0
    with serving.thread(world.app) as served, served.connect() as wire:
        wire.send(_request(served, "?wait=300ms"))
        _until(served, lambda: world.namespace.journal.watchers)
        served.post(OCTOPUSX, {"prompt": "a"})
        assert wire.answer().json() == {"requests": [], "total": 0, "dropped": 1, "next": 1}


def test_a_wait_works_where_nobody_tells_that_the_client_left() -> None:
    """Some servers never do."""
    assert ask(World(), "?wait=20ms").json()["requests"] == []
