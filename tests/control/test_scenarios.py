"""Scenarios by the control API: posted ones, their mistakes, and what is in force."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from emulator.agenda import Passage
from emulator.control.scenarios import MOST, MOST_TEXT, library_of
from emulator.core.errors import as_text
from emulator.core.units import SECOND
from emulator.events import listening
from emulator.library import SHIPPED
from emulator.scenario_file import ScenarioError, load_text
from tests.scenario_file.corpus import rows
from tests.test_events import Heard, opened, parsed
from tests.worlds import Answer, World, call

ALL = "/__admin/scenarios"
ACTIVE = f"{ALL}/active"
CREATE = "/octopusx/v1/videos"
CAT = {"prompt": "a cat"}
FAILS = "version: 1\nname: mine\nabout: Fails at once.\ntasks: [{timeline: [{status: failed}]}]\n"
COMPLETES = "version: 1\nname: mine\nabout: Completes at once.\ntasks: [{timeline: [{status: completed}]}]\n"


def control(world: World, method: str, path: str, body: Any = None) -> Answer:
    """One request to the control API."""
    return world.call(method, path, body, headers={}, host="localhost:8080")


def send(
    world: World, method: str, path: str, text: str | bytes, content_type: str = "application/yaml"
) -> Answer:
    """A scenario in a body."""
    data = text if isinstance(text, bytes) else text.encode()
    return world.call(method, path, data, headers={"content-type": content_type}, host="localhost:8080")


def post(world: World, text: str, query: str = "", namespace: str = "") -> Answer:
    """A scenario, posted."""
    return send(world, "POST", f"{namespace}{ALL}{query}", text)


def put(world: World, text: str, name: str = "mine", query: str = "") -> Answer:
    """A scenario, put under a name."""
    return send(world, "PUT", f"{ALL}/{name}{query}", text)


def created(world: World, prefix: str = "", **headers: str) -> str:
    """The status of a task that is created now."""
    key = {"authorization": "Bearer sk-test", **headers}
    task = world.post(f"{prefix}{CREATE}", CAT, headers=key).json()["id"]
    return str(world.get(f"{prefix}{CREATE}/{task}").json()["status"])


def listed(world: World, prefix: str = "") -> dict[str, Any]:
    """Every scenario, by its name."""
    return {one["name"]: one for one in control(world, "GET", f"{prefix}{ALL}").json()["scenarios"]}


# Posting


def test_a_posted_one_can_be_named_like_any_other() -> None:
    """By a request's header, and to be put in force."""
    world = World()
    answer = post(world, FAILS)
    assert answer.status_code == 201
    assert answer.json() == {
        "name": "mine",
        "about": "Fails at once.",
        "providers": [],
        "origin": "posted",
        "file": None,
        "version": f"mine@{load_text(FAILS, 'x').scenario.digest}",
        "active": False,
        "active_version": None,
        "namespace": "default",
        "warnings": [],
    }
    assert created(world, **{"x-emulator-scenario": "mine"}) == "failed"
    assert created(world) == "queued"
    assert control(world, "PUT", ACTIVE, {"name": "mine"}).json() == control(world, "GET", ACTIVE).json()
    assert created(world) == "failed"


def test_it_can_be_put_in_force_at_once() -> None:
    """By POST and by PUT."""
    world = World()
    posted = post(world, FAILS, "?activate=true").json()
    assert (posted["active"], posted["active_version"]) == (True, posted["version"])
    assert created(world) == "failed"
    replaced = put(world, COMPLETES, query="?activate=true").json()
    assert (replaced["active"], replaced["active_version"]) == (True, replaced["version"])
    assert created(world) == "completed"


@pytest.mark.parametrize(
    "content_type",
    ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml; charset=utf-8", "application/json"],
)
def test_it_is_yaml_or_json(content_type: str) -> None:
    """JSON with escapes beyond the basic plane too, as most libraries write it."""
    about = "\N{GRINNING FACE}"
    text = json.dumps({"version": 1, "name": "mine", "about": about})
    assert send(World(), "POST", ALL, text, content_type).json()["about"] == about


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(content_type: str) -> None:
    """A web form could send it."""
    assert send(World(), "POST", ALL, FAILS, content_type).status_code == 415


def test_its_name_may_stand_in_the_url() -> None:
    """Where the text says none, or the same."""
    world = World()
    assert post(world, "version: 1\n", "?name=by-url").json()["name"] == "by-url"
    assert post(world, FAILS, "?name=mine").status_code == 201
    assert put(world, "version: 1\n", "put").json()["name"] == "put"


def test_the_same_text_again_is_no_conflict() -> None:
    """Tests in parallel may all post it; another text under its name is one, and PUT replaces."""
    world = World()
    assert [post(world, text).status_code for text in (FAILS, FAILS, COMPLETES)] == [201, 200, 409]
    assert "PUT /__admin/scenarios/mine replaces it" in post(world, COMPLETES).json()["detail"]
    assert [put(world, text).status_code for text in (COMPLETES, COMPLETES)] == [200, 200]
    assert [put(world, text, "other").status_code for text in ("version: 1\n", "version: 1\n")] == [201, 200]
    assert post(world, COMPLETES).json()["about"] == "Completes at once."


def test_a_warning_is_told_and_hinders_nothing() -> None:
    """With its place, as a mistake is."""
    text = "version: 1\ntasks:\n  - timeline:\n      - {status: queued, for: 0s}\n      - {status: failed}\n"
    world = World()
    answer = post(world, text, "?name=x")
    assert answer.status_code == 201
    (warning,) = answer.json()["warnings"]
    assert (warning["line"], warning["column"], warning["id"]) == (4, 26, "entry-unreachable")
    assert warning["hint"] == "leave it out, or let it last"
    assert "x" in listed(world)


# Its mistakes

BROKEN = {**{name: text for name, (text, _) in rows("broken.txt").items()}, "nothing": "", "a list": "- a\n"}


@pytest.mark.parametrize("name", BROKEN)
def test_its_mistakes_are_those_of_the_command_line(name: str) -> None:
    """All of them, with the same words, lines, columns and carets; and nothing was taken."""
    world = World()
    with pytest.raises(ScenarioError) as raised:
        load_text(BROKEN[name], "mine", "request")
    problems = raised.value.problems
    answer = put(world, BROKEN[name])
    document = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert document["text"] == "\n".join(map(as_text, problems))
    told = [(m["where"], m["message"], m.get("line", 0), m.get("column", 0)) for m in document["mistakes"]]
    assert told == [(p.path, p.message, p.line, p.column) for p in problems]
    assert [(m.get("hint"), m["id"], m.get("source")) for m in document["mistakes"]] == [
        (p.hint, p.id, p.source) for p in problems
    ]
    assert document["detail"].endswith(as_text(problems[0]).split("\n")[0])
    assert all("line" not in m and "column" not in m for m in document["mistakes"] if not m.get("source"))
    assert "mine" not in listed(world)


@pytest.mark.parametrize(
    ("text", "query", "ids"),
    [
        ("version: 1\n", "", ["missing-name"]),
        ('{"version": 1, "about": "\\ud83d\\ude00"}', "", ["missing-name"]),
        ("", "", ["empty", "missing-name"]),
        ("version: 1\nx: 1\ny: 1\n", "", ["unknown-key", "unknown-key", "missing-name"]),
        ("version: 1\nname: a b\nx: 1\n", "", ["wrong-value", "unknown-key"]),
        ("version: 1\n\tx: 1\n", "", ["yaml-syntax"]),
        (FAILS, "?name=yours", ["other-name"]),
    ],
)
def test_it_needs_one_name(text: str, query: str, ids: list[str]) -> None:
    """Its absence is told with the other mistakes, and two that differ are a mistake too."""
    document = post(World(), text, query).json()
    assert (document["status"], [mistake["id"] for mistake in document["mistakes"]]) == (400, ids)


def test_another_name_than_the_urls_is_told_with_its_line() -> None:
    """By PUT as by POST."""
    document = put(World(), FAILS, "yours").json()
    assert document["text"] == (
        "request:2:1: name: the request calls the scenario 'yours', and the text calls it 'mine'; "
        "leave one of the two out\n    name: mine\n    ^"
    )


BOMBS = {
    "nesting": "[" * 100_000,
    "aliases": "a: &a [x]\nb: [" + "*a, " * 101 + "]\n",
    "laughs": "a: &a [l, l, l, l, l, l, l, l, l, l]\n"
    + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)),
    "values": "x: [" + "1," * 20_000 + "]\n",
    "documents": "version: 1\nname: a\n---\nversion: 1\nname: b\n",
    "an object": "version: 1\nname: a\nabout: !!python/object:os.system [x]\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_mistake(name: str) -> None:
    """The bounds are those of files."""
    world = World()
    answer = put(world, BOMBS[name])
    assert (answer.status_code, answer.json()["mistakes"][0]["id"][:5]) == (400, "yaml-")
    assert "mine" not in listed(world)


def test_what_is_too_large_or_no_text_is_refused() -> None:
    """1 MiB, as for files."""
    world = World()
    assert put(world, FAILS + "#" * (1 << 20)).status_code == 413
    answer = send(world, "PUT", f"{ALL}/mine", b"version: 1\nabout: \xff\n")
    assert (answer.status_code, "the byte 0xff" in answer.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path", "status_code", "detail"),
    [
        ("POST", f"{ALL}?name=a%20b", 400, "name: expected a name of letters, digits and . _ -"),
        ("POST", f"{ALL}?activate=perhaps", 400, "activate: expected true or false"),
        ("POST", f"{ALL}?activte=true", 400, "did you mean activate?"),
        ("PUT", f"{ALL}/a%20b", 400, "name: expected a name of letters, digits and . _ -"),
        ("POST", f"{ALL}?name=active", 400, "name: 'active' is where the scenario in force is found"),
    ],
)
def test_a_wrong_request_says_why(method: str, path: str, status_code: int, detail: str) -> None:
    """And nothing was taken."""
    world = World()
    before = listed(world)
    answer = send(world, method, path, "version: 1\n")
    assert answer.status_code == status_code
    assert detail in answer.json()["detail"]
    assert listed(world) == before


# Looking


def test_one_is_shown_with_its_text_and_where_it_comes_from() -> None:
    """Shipped, from a file, or posted; the text as it is, with its comments."""
    world = World("version: 1\nname: served\n# to the letter\n")
    post(world, FAILS)
    for name, origin, file, text in [
        (
            "slow-queue",
            "shipped",
            str(SHIPPED / "slow-queue.yaml"),
            (SHIPPED / "slow-queue.yaml").read_text(),
        ),
        ("served", "file", "under-test.yaml", "version: 1\nname: served\n# to the letter\n"),
        ("mine", "posted", None, FAILS),
    ]:
        shown = control(world, "GET", f"{ALL}/{name}").json()
        assert (shown["name"], shown["origin"], shown["file"], shown["text"]) == (name, origin, file, text)
        assert shown["active"] is (name == "served")
        assert listed(world)[name]["origin"] == origin
        plain = control(world, "GET", f"{ALL}/{name}?format=yaml")
        assert (plain.headers["content-type"], plain.body.decode()) == ("text/plain; charset=utf-8", text)


def test_what_it_shows_can_be_posted_elsewhere() -> None:
    """The text alone says all; the version is the same there."""
    world = World()
    shown = control(world, "GET", f"{ALL}/rate-limited?format=yaml").body.decode()
    posted = post(world, shown, "?name=rate-limited", "/ns/a").json()
    assert posted["version"] == control(world, "GET", f"{ALL}/rate-limited").json()["version"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_name_lists_the_names(method: str) -> None:
    """And the one that was probably meant."""
    answer = control(World(), method, f"{ALL}/slow-queu")
    assert (answer.status_code, "slow-queue" in answer.json()["names"]) == (404, True)
    assert "did you mean slow-queue? there are: " in answer.json()["detail"]


# Whose they are


def test_other_namespaces_do_not_see_it() -> None:
    """Two may have different ones under one name."""
    world = World()
    post(world, FAILS, "?activate=true", "/ns/a")
    post(world, COMPLETES, "?activate=true", "/ns/b")
    assert (created(world, "/ns/a"), created(world, "/ns/b"), created(world)) == (
        "failed",
        "completed",
        "queued",
    )
    assert "mine" not in listed(world)
    assert control(world, "PUT", ACTIVE, {"name": "mine"}).status_code == 404
    assert control(world, "GET", f"/ns/c{ALL}/mine").status_code == 404


def test_it_goes_before_a_shared_one_of_its_name() -> None:
    """Until it is deleted; other namespaces have the shared one all the time."""
    world = World()
    assert put(world, "version: 1\nabout: Hides it.\n", "slow-queue").status_code == 201
    assert listed(world)["slow-queue"]["about"] == "Hides it."
    assert listed(world, "/ns/a")["slow-queue"]["origin"] == "shipped"
    assert control(world, "DELETE", f"{ALL}/slow-queue").json() == {"name": "slow-queue", "removed": True}
    assert listed(world)["slow-queue"]["origin"] == "shipped"


def test_a_copy_of_a_shared_one_is_its_own() -> None:
    """Though the text is the same."""
    world = World()
    assert put(world, (SHIPPED / "slow-queue.yaml").read_text(), "slow-queue").json()["origin"] == "posted"
    assert listed(world)["slow-queue"]["origin"] == "posted"


def test_a_reset_keeps_it_and_dropping_the_namespace_does_not() -> None:
    """Not even for the next one of the same name."""
    world = World()
    post(world, FAILS, "?activate=true", "/ns/a")
    control(world, "POST", "/ns/a/__admin/reset")
    assert created(world, "/ns/a") == "failed"
    control(world, "DELETE", "/__admin/namespaces/a")
    assert "mine" not in listed(world, "/ns/a")


def test_there_may_be_so_many_and_no_more() -> None:
    """Replacing one is always possible."""
    world = World()
    library, one = library_of(world.namespace), load_text("version: 1\n", "x")
    for number in range(MOST):
        scenario = msgspec.structs.replace(one.scenario, name=f"own-{number}")
        library.keep(msgspec.structs.replace(one, scenario=scenario))
    refused = post(world, FAILS)
    assert (refused.status_code, "may have 1,000" in refused.json()["detail"]) == (409, True)
    assert "mine" not in listed(world)
    assert put(world, "version: 1\nabout: Anew.\n", "own-7").status_code == 200
    control(world, "DELETE", f"{ALL}/own-8")
    assert post(world, FAILS).status_code == 201


def test_their_texts_may_have_so_many_characters_and_no_more() -> None:
    """However few they are."""
    world = World()
    library, one = library_of(world.namespace), load_text("version: 1\n", "x")
    library.keep(msgspec.structs.replace(one, text=" " * (MOST_TEXT - len(FAILS) + 1)))
    assert post(world, FAILS).status_code == 409
    library.keep(msgspec.structs.replace(one, text=" " * (MOST_TEXT - len(FAILS))))
    assert post(world, FAILS).status_code == 201


# What is in force


def test_replacing_what_is_in_force_changes_nothing_until_it_is_activated() -> None:
    """Not by its name in a header either, nor by a reset; `active_version` tells."""
    world = World()
    first = post(world, FAILS, "?activate=true").json()
    replaced = put(world, COMPLETES).json()
    assert (replaced["active"], replaced["active_version"]) == (True, first["version"])
    assert replaced["version"] != first["version"]
    assert control(world, "GET", ACTIVE).json() == {"name": "mine", "version": first["version"]}
    assert created(world) == created(world, **{"x-emulator-scenario": "mine"}) == "failed"
    control(world, "POST", "/__admin/reset")
    assert created(world) == "failed"
    control(world, "PUT", ACTIVE, {"name": "mine"})
    assert created(world) == "completed"


def test_a_name_in_a_header_means_the_version_that_there_is_now() -> None:
    """Where another scenario is in force."""
    world = World()
    put(world, FAILS)
    assert created(world, **{"x-emulator-scenario": "mine"}) == "failed"
    put(world, COMPLETES)
    assert created(world, **{"x-emulator-scenario": "mine"}) == "completed"
    control(world, "DELETE", f"{ALL}/mine")
    refused = world.post(CREATE, CAT, headers={"authorization": "Bearer sk-a", "x-emulator-scenario": "mine"})
    assert refused.status_code == 400


def test_a_running_task_keeps_its_version() -> None:
    """Its timeline and its rules, and how often those have fired in all."""
    counted = "version: 1\nname: mine\nrules: [{operation: poll, times_total: 1, error: internal}]\n"
    world = World()
    post(world, counted, "?activate=true")
    first, second = (world.post(CREATE, {"prompt": f"cat {n}"}).json()["id"] for n in range(2))
    assert [world.get(f"{CREATE}/{first}").status_code for _ in range(2)] == [500, 200]
    put(
        world,
        f"{COMPLETES}rules: [{{operation: poll, times_total: 1, error: internal}}]\n",
        query="?activate=true",
    )
    assert world.get(f"{CREATE}/{second}").json()["status"] == "queued"
    third = world.post(CREATE, CAT).json()["id"]
    assert [world.get(f"{CREATE}/{third}").status_code for _ in range(2)] == [500, 200]


def test_what_is_in_force_is_not_deleted() -> None:
    """Nor an older version of it; put another in force first."""
    world = World()
    post(world, FAILS, "?activate=true")
    for text in (FAILS, COMPLETES):
        put(world, text)
        refused = control(world, "DELETE", f"{ALL}/mine")
        assert (refused.status_code, "PUT /__admin/scenarios/active" in refused.json()["detail"]) == (
            409,
            True,
        )
    control(world, "PUT", ACTIVE, {"name": "happy-path"})
    assert control(world, "DELETE", f"{ALL}/mine").status_code == 200
    assert control(world, "DELETE", f"{ALL}/mine").status_code == 404


def test_one_that_hides_what_is_in_force_can_be_deleted() -> None:
    """The shared one is in force, not the one that was posted; until that is."""
    world = World()
    for activate, status_code in (("", 200), ("?activate=true", 409)):
        put(world, "version: 1\nabout: Other.\n", "happy-path", activate)
        assert control(world, "DELETE", f"{ALL}/happy-path").status_code == status_code


def test_a_shared_one_is_not_deleted() -> None:
    """All namespaces have it."""
    world = World()
    refused = control(world, "DELETE", f"{ALL}/slow-queue")
    assert (refused.status_code, "not posted here" in refused.json()["detail"]) == (409, True)
    assert "slow-queue" in listed(world)


def test_nothing_is_put_in_force_while_the_clock_is_advanced() -> None:
    """A scenario may bring a clock of its own; nothing was taken either."""
    world = World()
    now = world.namespace.clock.now()
    world.namespace.passage = Passage(now, now + SECOND)
    assert control(world, "PUT", ACTIVE, {"name": "slow-queue"}).status_code == 409
    assert post(world, FAILS, "?activate=true").status_code == 409
    assert "mine" not in listed(world)
    assert post(world, FAILS).status_code == 201


def test_those_who_listen_hear_of_it() -> None:
    """Of what was put, put in force and deleted, in order; not of what changed nothing."""
    world = World()

    async def asked(method: str, path: str, text: str = "") -> None:
        headers = {"host": "localhost", "content-type": "application/yaml"}
        answer = await call(world.app, method, f"{ALL}{path}", text.encode(), headers)
        assert answer.status_code < 300, answer.body

    async def scene() -> list[Heard]:
        with listening(world.namespace, ["scenario"]) as listener:
            stream = await opened(listener)
            await asked("POST", "", FAILS)
            await asked("POST", "", FAILS)
            await asked("PUT", "/mine?activate=true", COMPLETES)
            await asked("PUT", "/mine?activate=true", COMPLETES)
            await asked("PUT", "/other", "version: 1\n")
            await asked("DELETE", "/other")
            return parsed(await anext(stream))

    heard = [(one.data["change"], one.data["name"]) for one in asyncio.run(scene())]
    assert heard == [
        ("put", "mine"),
        ("put", "mine"),
        ("activated", "mine"),
        ("activated", "mine"),
        ("put", "other"),
        ("deleted", "other"),
    ]
