"""``POST /__admin/verify``: what it takes, what it refuses, what it answers."""

import re
from typing import Any

import jsonschema
import msgspec
import pytest

from emulator.control import described
from emulator.control.verify import ROUTES
from emulator.core.units import SECOND
from emulator.messages.verify import Verification
from tests.worlds import Answer, World

THROTTLED = "version: 1\nname: story\nrules: [{operation: poll, calls: 2, error: rate_limited}]\n"


def verify(world: World, body: Any = None, path: str = "/__admin/verify") -> Answer:
    """What the control API says to it."""
    return world.call("POST", path, body, headers={}, host="localhost:8080")


def world_with_polls() -> tuple[World, str]:
    """A create and three polls of its task, a second apart, the second of which is throttled."""
    world = World(THROTTLED)
    task = world.post("/octopusx/v1/videos", {"prompt": "a cat"}).json()["id"]
    for _ in range(3):
        world.advance(SECOND)
        world.get(f"/octopusx/v1/videos/{task}")
    return world, task


def found(world: World, **body: Any) -> Verification:
    """The answer to an expectation that can be judged."""
    answer = verify(world, body)
    assert answer.status_code == 200, answer.body
    return msgspec.json.decode(answer.body, type=Verification)


@pytest.mark.parametrize(
    ("body", "verified", "expected"),
    [
        ({}, True, "at least 1 request"),
        ({"at_least": 3}, True, "at least 3 requests"),
        ({"at_least": 4}, False, "at least 4 requests"),
        ({"exactly": 3}, True, "exactly 3 requests"),
        ({"exactly": 0}, False, "no request"),
        ({"at_most": 3}, True, "at most 3 requests"),
        ({"at_most": 2}, False, "at most 2 requests"),
        ({"between": [1, 3]}, True, "1 to 3 requests"),
        ({"between": [4, 5]}, False, "4 to 5 requests"),
    ],
)
def test_it_takes_one_count(body: dict[str, Any], verified: bool, expected: str) -> None:
    """Any of the four; at least one request where none is given. A miss is an answer too, not an error."""
    world, _ = world_with_polls()
    answer = found(world, operation="poll", **body)
    assert (answer.verified, answer.expected, answer.count) == (verified, expected, 3)


def test_it_takes_every_field_of_a_pattern() -> None:
    """All at once, and each narrows what is counted."""
    world, task = world_with_polls()
    pattern = {
        "operation": "poll",
        "provider": "octopusx",
        "task": task,
        "status_code": "4XX",
        "error": "rate_limited",
        "method": "get",
        "path": {"glob": "/octopusx/*", "not": {"contains": "//"}},
        "key": "sk-*",
        "match": {"header.Host": {"any_of": ["emulator.*"]}, "id": task, "key": {"regex": "^sk-t"}},
        "rule": world.scenario.rules[0].id,
        "since": "2025-01-01T00:00:02Z",
        "after": 2,
    }
    assert found(world, **pattern, exactly=1).numbers == [3]
    wrong: dict[str, Any] = {
        "operation": "content",
        "provider": None,
        "task": None,
        "status_code": 404,
        "error": "internal",
        "method": "HEAD",
        "path": "/octopusx/v1/videos",
        "key": {"not": "sk-*"},
        "match": {"header.host": 5},
        "rule": None,
        "since": "2025-01-01T00:00:03Z",
        "after": 3,
    }
    for name, value in wrong.items():
        if value is not None:
            assert found(world, **{**pattern, name: value}).count == 0, name


def test_a_bare_matcher_is_read_as_in_a_scenario() -> None:
    """A number equals its text; a star makes a glob, but not in quotes of ``equals``."""
    world = World()
    world.post("/octopusx/v1/videos", {"prompt": "a*b", "seconds": "10"})
    assert found(world, match={"seconds": 10}).verified
    assert found(world, match={"prompt": "a*"}).verified
    assert found(world, match={"prompt": {"equals": "a*b"}}).verified
    assert not found(world, match={"prompt": {"equals": "a*"}}).verified
    assert not found(world, match={"seconds": True}).verified


def test_it_judges_its_own_namespace() -> None:
    """By prefix; what clients did elsewhere isn't counted."""
    world, _ = world_with_polls()
    world.get("/ns/one/octopusx/v1/videos/x")
    there = msgspec.json.decode(verify(world, {}, "/ns/one/__admin/verify").body, type=Verification)
    assert (there.count, found(world).count) == (1, 4)


def test_the_calls_of_the_control_api_are_not_counted() -> None:
    """They aren't clients'."""
    world, _ = world_with_polls()
    found(world)
    assert found(world).count == 4


REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"operation": "polls"}, ["operation: expected one of create, poll, content, download"]),
    ({"operation": ["poll"]}, ["operation: expected one of"]),
    ({"provider": "sora"}, ["provider: expected one of acedata-sora"]),
    ({"status_code": 99}, ["status_code: expected a status code from 100 to 599"]),
    ({"status_code": 600}, ["status_code: expected a status code"]),
    ({"status_code": "6xx"}, ["status_code: expected a status code"]),
    ({"status_code": "429"}, ["status_code: ", "write 429 without quotes"]),
    ({"status_code": True}, ["status_code: expected a status code"]),
    ({"status_code": 429.5}, ["status_code: expected a status code"]),
    ({"error": "rate_limitd"}, ["error: expected one of", "did you mean rate_limited?"]),
    ({"method": ""}, ["method: expected an HTTP method"]),
    ({"method": "GET /"}, ["method: expected an HTTP method"]),
    ({"path": ["/x"]}, ["path: expected a text, a glob such as sk-* or a matcher"]),
    ({"path": {}}, ["path: expected at least one of 'equals'"]),
    ({"path": {"regx": "a"}}, ["path: unknown key 'regx'; did you mean 'regex'?"]),
    ({"path": {"regex": "(", "not": {"regex": ")"}}}, ["path: regex: this is no regular", "not.regex: this is no"]),
    ({"path": {"regex": 10}}, ["path: regex: expected a regular expression, got 10; write \"10\" in quotes"]),
    ({"key": {"exists": "yes"}}, ["key: exists: expected true or false", "write true"]),
    ({"match": []}, ["match: expected fields and what they must match"]),
    ({"match": {"prompt": {"contains": []}}}, ["match.prompt.contains: expected a text"]),
    ({"match": {"header.x": {"not": {"regex": "(?=a)"}}}}, ["match.header.x.not.regex: this is no regular expression"]),
    ({"match": {"header": 1, "": "y"}}, ["match.header: a header is named as header.<name>", "match: expected a"]),
    ({"match": {"a": {"not": [1]}, "b": {"any_of": []}}}, ["match.a.not: expected", "match.b.any_of: expected a list"]),
    ({"rule": ""}, ["rule: expected the id of a rule"]),
    ({"since": "yesterday"}, ["since: expected an instant"]),
    ({"after": -1}, ["after: expected a whole number from 0"]),
    ({"exactly": -1}, ["exactly: expected a whole number from 0"]),
    ({"exactly": 1.5}, ["exactly: expected a whole number"]),
    ({"at_least": -1}, ["at_least: expected a whole number from 0"]),
    ({"at_most": "3"}, ["at_most: expected a whole number"]),
    ({"between": [3, 1]}, ["between: expected two whole numbers, the smaller one first", "did you mean [1, 3]?"]),
    ({"between": [1]}, ["between: expected two whole numbers"]),
    ({"between": [1, 2, 3]}, ["between: expected two whole numbers"]),
    ({"between": [True, 2]}, ["between: expected two whole numbers"]),
    ({"between": [-1, 2]}, ["between: expected two whole numbers"]),
    ({"statuscode": 429}, ["statuscode: unknown", "did you mean status_code?"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "told"), REFUSED, ids=str)
def test_it_refuses_what_is_no_pattern(body: dict[str, Any], told: list[str]) -> None:
    """With where, what was expected, what came; the schema of the OpenAPI document refuses most of it too."""
    world, _ = world_with_polls()
    answer = verify(world, body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    for sentence in told:
        assert sentence in answer.json()["detail"]


def test_it_tells_every_mistake_at_once() -> None:
    """One for each field, with its place."""
    world, _ = world_with_polls()
    body = {
        "operation": "x",
        "status_code": 1,
        "match": {"a": {"regex": "("}, "b": {}},
        "exactly": -1,
        "foo": 1,
    }
    mistakes = verify(world, body).json()["mistakes"]
    assert [mistake["where"] for mistake in mistakes] == [
        "foo",
        "operation",
        "status_code",
        "match.a.regex",
        "match.b",
        "exactly",
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"exactly": 1, "at_least": 1}, "at_least: excludes exactly; keep one of the two"),
        ({"at_most": 1, "between": [1, 2], "exactly": 0}, "between: excludes exactly"),
        (
            {"provider": "acedata-sora", "operation": "content"},
            "operation: acedata-sora has no content; it has",
        ),
        ({"task": "video_unknown"}, "task: no task 'video_unknown' is known here"),
        ({"task": "{task}", "provider": "ezmodel"}, "is a task of octopusx, not of ezmodel"),
        ({"rule": "0123456789"}, "rule: no scenario that was in force has a rule '0123456789'"),
        ({"after": 5}, "after: expected the number of an entry, at most 4, got 5"),
        (
            {"at_least": 0},
            "at_least: expected 1 or more: 0 or more holds whatever clients do; for no request",
        ),
        (
            {"since": "2025-01-01T00:00:04Z"},
            "since: expected an instant that has come, got 2025-01-01T00:00:04",
        ),
        ({"method": "FETCH"}, "method: expected one of GET, HEAD, POST"),
        ({"method": "PSOT"}, "got PSOT; did you mean POST?"),
        ({"operation": "create", "method": "GET"}, "method: create takes POST, got GET"),
        ({"operation": "content", "method": "POST"}, "method: content takes GET or HEAD, got POST"),
        ({"operation": "download", "method": "POST"}, "method: download takes GET or HEAD, got POST"),
        ({"operation": "poll", "method": "PUT"}, "method: poll takes GET or HEAD or POST, got PUT"),
        (
            {"provider": "octopusx", "operation": "poll", "method": "POST"},
            "method: poll of octopusx takes GET or HEAD, got POST",
        ),
        (
            {"provider": "acedata-veo", "operation": "poll", "method": "GET"},
            "method: poll of acedata-veo takes POST, got GET",
        ),
        ({"path": ""}, "path: expected a path that begins with a slash"),
        ({"path": "octopusx/v1/videos"}, 'did you mean "/octopusx/v1/videos"?'),
        ({"path": "octopusx/*"}, 'did you mean "/octopusx/*"?'),
        ({"path": {"glob": "v1*"}}, 'did you mean "/v1*"?'),
        ({"path": {"any_of": ["/octopusx/v1/videos", "v1"]}}, 'did you mean "/v1"?'),
        ({"path": {"exists": False}}, "path: every request has a path"),
        (
            {"provider": "octopusx", "path": "/ezmodel/*"},
            "path: '/ezmodel/*' is a path of ezmodel, not of octopusx; those of octopusx begin with /octopusx/",
        ),
        (
            {"provider": "ezmodel", "path": "/ns/default/acedata/sora/tasks"},
            "is a path of acedata-sora, not of",
        ),
        ({"provider": "octopusx", "path": "/media/ezmodel/*"}, "is a path of ezmodel, not of octopusx"),
        (
            {"match": {"a": {"exists": False, "contains": "x"}}},
            "match.a: exists: false excludes the matcher's",
        ),
        ({"key": {"exists": False, "any_of": ["x"]}}, "key: exists: false excludes"),
        (
            {"match": {"a": {"equals": "cat", "contains": "dog"}}},
            "match.a: the text that equals asks for doesn't meet",
        ),
        ({"match": {"a": {"equals": "cat", "not": "c*"}}}, "other parts; keep equals alone"),
        (
            {"operation": "poll", "error": "media_gone"},
            "error: only content and download can answer media_gone, and poll never does",
        ),
        (
            {"operation": "download", "error": "not_ready"},
            "error: only content and delete can answer not_ready",
        ),
        ({"provider": "acedata-sora", "error": "not_ready"}, "and acedata-sora has no such operation"),
        ({"operation": "poll", "error": "no_route"}, "error: no operation answers no_route"),
    ],
    ids=str,
)
def test_it_refuses_what_can_not_match(body: dict[str, Any], told: str) -> None:
    """It would be a check that can't hold, or one that can't fail."""
    world, task = world_with_polls()
    filled = {name: task if value == "{task}" else value for name, value in body.items()}
    answer = verify(world, filled)
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


def test_it_tells_all_that_can_not_match_at_once() -> None:
    """However much it is."""
    world, _ = world_with_polls()
    body = {"provider": "acedata-veo", "operation": "content", "task": "x", "rule": "y", "after": 9}
    body |= {"error": "not_ready", "method": "BREW", "path": "v1", "since": "2030-01-01T00:00:00Z"}
    body |= {"match": {"a": {"exists": False, "glob": "*"}}, "exactly": 1, "at_most": 1}
    mistakes = verify(world, {**body, "operation": "content"}).json()["mistakes"]
    wrong = ["at_most", "operation", "error", "match.a", "path", "task", "rule", "since", "after"]
    assert [mistake["where"] for mistake in mistakes] == wrong


def test_a_path_that_came_to_a_vendors_own_host_can_be_asked_about() -> None:
    """There, and only there, a client may ask a provider for another's path."""
    world, _ = world_with_polls()
    pattern = {"provider": "octopusx", "path": "/ezmodel/*"}
    world.call("GET", "/ezmodel/v1/videos", None, headers={}, host="octopusx.ai")
    assert found(world, **pattern, exactly=1).verified


@pytest.mark.parametrize(
    "body",
    [
        {"provider": "acedata-sora", "operation": "download"},
        {"provider": "octopusx", "operation": "content"},
        {"after": 4},
        {"since": "2025-01-01T00:00:03Z", "operation": "create"},
        {"operation": "poll", "method": "head"},
        {"operation": "download", "method": "HEAD"},
        {"provider": "octopusx", "method": "DELETE"},
        {"provider": "octopusx", "error": "no_route"},
        {"provider": "octopusx", "path": "/ns/default/octopusx/v1/nothing"},
        {"provider": "octopusx", "path": "/media/octopusx/*"},
        {"provider": "octopusx", "path": "*/ezmodel/*"},
        {"provider": "acedata-sora", "path": "/acedata/*"},
        {"path": {"contains": "nothing"}},
        {"path": {"any_of": ["*nothing", "/nothing"]}},
        {"operation": "content", "error": "media_gone"},
        {"operation": "download", "error": "media_gone"},
        {"match": {"prompt": {"exists": False, "not": "a"}}, "status_code": 500},
        {"match": {"prompt": {"equals": "a dog", "contains": "dog", "not": "cat"}}},
    ],
    ids=str,
)
def test_it_takes_what_can_match(body: dict[str, Any]) -> None:
    """Every provider's videos are downloaded, a HEAD is answered wherever a GET is, and strays take any method."""
    world, _ = world_with_polls()
    assert not found(world, **body).verified


def test_a_task_that_was_given_up_can_still_be_asked_about() -> None:
    """As long as the journal has what clients did with it."""
    world, task = world_with_polls()
    world.namespace.store.clear()
    assert found(world, task=task).count == 4
    assert verify(world, {"task": task, "provider": "ezmodel"}).status_code == 400


def test_a_refusal_changes_nothing() -> None:
    """Neither journal nor tasks nor clock."""
    world, _ = world_with_polls()
    journal, tasks, now = (
        list(world.namespace.journal),
        len(world.namespace.store),
        world.namespace.clock.now(),
    )
    for body in ({"exactly": 1, "at_most": 2}, {"operation": "x"}, {"task": "unknown"}):
        assert verify(world, body).status_code == 400
    assert list(world.namespace.journal) == journal
    assert (len(world.namespace.store), world.namespace.clock.now()) == (tasks, now)


@pytest.mark.parametrize(
    "value",
    [{"a": {"not": {"not": {"not": {"not": "x"}}}}}, {f"f{number}": "x" for number in range(300)}],
    ids=["deep", "long"],
)
def test_a_long_pattern_is_taken(value: Any) -> None:
    """Within the bounds of a scenario file."""
    world, _ = world_with_polls()
    assert verify(world, {"match": value}).status_code == 200


def test_a_pattern_beyond_all_bounds_is_refused() -> None:
    """In a sentence, whatever it is."""
    world, _ = world_with_polls()
    deep: Any = "x"
    for _ in range(200):
        deep = {"not": deep}
    for value in (deep, {"any_of": ["x"] * 20_000}):
        answer = verify(world, {"match": {"prompt": value}})
        assert answer.status_code == 400
        assert [mistake["where"] for mistake in answer.json()["mistakes"]] == ["match.prompt"]


# The description

_OPERATION = msgspec.json.decode(described())["paths"]["/__admin/verify"]["post"]
_SCHEMA = _OPERATION["requestBody"]["content"]["application/json"]["schema"]
_BEYOND_SCHEMAS = re.compile(r"no regular|did you mean \[|an instant")
"""What a schema can't tell: whether an expression compiles, and which of two numbers is the larger. And formats,
which validators take for hints.
"""


@pytest.mark.parametrize(
    "body", [body for body, told in REFUSED if not _BEYOND_SCHEMAS.search(str(told))], ids=str
)
def test_the_schema_refuses_what_the_route_refuses(body: dict[str, Any]) -> None:
    """As far as a schema can."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body, _SCHEMA)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"operation": "poll", "status_code": 429, "exactly": 3},
        {"status_code": "4XX", "between": [2, 2]},
        {"path": {"regex": "^/x"}, "match": {"prompt": {"not": {"not": {"contains": 5}}}, "seed": None}},
    ],
    ids=str,
)
def test_the_schema_takes_what_the_route_takes(body: dict[str, Any]) -> None:
    """Both say the same of what is right."""
    jsonschema.validate(body, _SCHEMA)
    assert verify(World(), body).status_code == 200


def test_there_is_one_route() -> None:
    """It answers what it says."""
    (route,) = ROUTES
    assert (route.method, route.path, route.answers) == ("POST", "/verify", Verification)
