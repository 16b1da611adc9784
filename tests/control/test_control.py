"""The control API as a whole: who may call it, what it refuses, and that a refusal changes nothing."""

from pathlib import Path
from typing import Any

import pytest

from emulator import __version__
from emulator.core.units import SECOND, format_instant
from tests.worlds import Answer, World


def control(world: World, method: str, path: str, body: Any = None, **others: Any) -> Answer:
    """One request to the control API, which asks for no key."""
    return world.call(method, path, body, headers=others.pop("headers", {}), host="localhost:8080", **others)


def test_health_tells_the_version_of_the_package() -> None:
    """One number, in three places."""
    metadata = (Path(__file__).parent.parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert control(World(), "GET", "/__admin/health").json()["version"] == __version__
    assert f'version = "{__version__}"' in metadata or 'dynamic = ["version"]' in metadata


REFUSED = [
    ("PUT", "/__admin/clock", {"mode": "slow"}, 400, "mode: expected one of real, scaled, manual, auto"),
    ("PUT", "/__admin/clock", {"mode": "scaled", "scale": 0}, 400, "scale: expected a number above 0"),
    ("PUT", "/__admin/clock", {"mode": "scaled", "scale": True}, 400, "scale: expected a number"),
    ("PUT", "/__admin/clock", {"scale": 2}, 400, 'only the mode "scaled" has one'),
    ("PUT", "/__admin/clock", {"now": "yesterday"}, 400, "now: expected an instant"),
    ("PUT", "/__admin/clock", {"now": "2025-01-01T00:00:00"}, 400, "lacks its zone"),
    ("PUT", "/__admin/clock", {"now": 5}, 400, "now: expected an instant"),
    ("PUT", "/__admin/clock", {"now": "2024-12-31T23:59:59Z"}, 409, "never goes backwards"),
    ("PUT", "/__admin/clock", {"mod": "real"}, 400, "mod: unknown; expected mode, now, scale"),
    ("POST", "/__admin/clock/advance", {}, 400, "by: expected either by, a duration"),
    (
        "POST",
        "/__admin/clock/advance",
        {"by": 5},
        400,
        "by: expected a duration such as 500ms, 5s or 4m15s, got 5",
    ),
    ("POST", "/__admin/clock/advance", {"by": "5"}, 400, "expected a duration such as"),
    ("POST", "/__admin/clock/advance", {"by": "-5m"}, 400, "expected a duration such as"),
    ("POST", "/__admin/clock/advance", {"by": "365000000d"}, 409, "ends with the year 9999"),
    ("PUT", "/__admin/scenarios/active", {}, 400, "name: expected the name of a scenario"),
    ("PUT", "/__admin/scenarios/active", {"name": "nobody"}, 404, "there are: "),
    ("GET", "/__admin/tasks?status=done", None, 400, "status: expected one of queued"),
    ("GET", "/__admin/tasks?provider=sora", None, 400, "provider: expected one of acedata-sora"),
    ("GET", "/__admin/tasks?limit=-1", None, 400, "limit: expected a whole number from 0 to 1000"),
    ("GET", "/__admin/tasks?limit=5000", None, 400, "limit: expected a whole number from 0 to 1000"),
    ("GET", "/__admin/tasks?lim=5", None, 400, "lim: unknown"),
    ("POST", "/__admin/reset", {"clock": 5}, 400, "clock: expected an object"),
    ("POST", "/__admin/reset", {"clock": {"when": 1}}, 400, "clock.when: unknown"),
    ("POST", "/__admin/reset", b"[]", 400, "expected a JSON object"),
    ("POST", "/__admin/reset", b"{", 400, "not JSON"),
    ("POST", "/__admin/reset", b"[" * 5000, 400, "JSON"),
    ("POST", "/__admin/reset", b" " * (1024 * 1024 + 1), 413, "longer than 1 MiB"),
    ("GET", "/__admin/nothing", None, 404, "/__admin/openapi.json lists"),
    ("GET", "/__admin", None, 404, "/__admin/openapi.json lists"),
    ("DELETE", "/__admin/clock", None, 405, "doesn't take DELETE"),
]


@pytest.mark.parametrize(("method", "path", "body", "status_code", "detail"), REFUSED)
def test_what_is_refused_says_why_and_changes_nothing(
    method: str, path: str, body: Any, status_code: int, detail: str
) -> None:
    """A problem document; clock, scenario and tasks are as they were."""
    world = World()
    world.post("/octopusx/v1/videos", {"prompt": "a cat"})
    headers = {"content-type": "application/json"} if isinstance(body, bytes) else {}
    before = control(world, "GET", "/__admin/health").json()
    answer = control(world, method, path, body, headers=headers)
    assert answer.status_code == status_code
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status_code
    assert detail in answer.json()["detail"]
    assert control(world, "GET", "/__admin/health").json() == before


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_that_a_web_form_could_send_is_refused(content_type: str) -> None:
    """Only JSON needs a preflight, which a foreign page wouldn't pass."""
    headers = {"content-type": content_type} if content_type else {}
    assert (
        control(World(), "POST", "/__admin/clock/advance", b'{"by": "5m"}', headers=headers).status_code
        == 415
    )


@pytest.mark.parametrize(
    ("host", "headers", "status_code"),
    [
        ("localhost:8080", {}, 200),
        ("127.0.0.1:8080", {}, 200),
        ("[::1]:8080", {}, 200),
        ("emulator:8080", {}, 200),
        ("app.localhost", {}, 200),
        ("emu.example", {}, 200),
        ("evil.example", {}, 403),
        ("127.0.0.1.evil.example", {}, 403),
        ("localhost:8080", {"origin": "http://localhost:8080"}, 200),
        ("localhost:8080", {"origin": "http://evil.example"}, 403),
        ("localhost:8080", {"origin": "http://localhost:9999"}, 403),
        ("localhost:8080", {"origin": "null"}, 403),
        ("localhost:8080", {"sec-fetch-site": "cross-site"}, 403),
        ("localhost:8080", {"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_pages_of_elsewhere_are_kept_out(host: str, headers: dict[str, str], status_code: int) -> None:
    """By Host, Origin and Sec-Fetch-Site; the host of --public-url is ours."""
    world = World(public_url="https://emu.example")
    assert world.call("GET", "/__admin/clock", headers=headers, host=host).status_code == status_code


def test_a_clock_set_by_hand_outlives_an_activation() -> None:
    """And a reset ends that."""
    other = "version: 1\nname: fast\nclock: {mode: scaled, scale: 60, start: '2030-01-01T00:00:00Z'}\n"
    world = World(others=[other])
    world.namespace.settings = world.namespace.settings.__class__()
    world.namespace.reset()
    control(world, "PUT", "/__admin/clock", {"mode": "manual"})
    control(world, "PUT", "/__admin/scenarios/active", {"name": "fast"})
    assert control(world, "GET", "/__admin/clock").json()["mode"] == "manual"
    control(world, "POST", "/__admin/reset")
    assert control(world, "GET", "/__admin/clock").json()["mode"] == "scaled"
    assert format_instant(world.namespace.clock.now()).startswith("2030-01-01T00:")


def test_tasks_are_filtered_and_paged_newest_first() -> None:
    """Over all providers."""
    world = World()
    made = []
    for path in ("/octopusx/v1/videos", "/ezmodel/v1/videos", "/octopusx/v1/videos"):
        made.append(world.post(path, {"prompt": "a cat"}).json()["id"])
        world.advance(SECOND)
    everything = control(world, "GET", "/__admin/tasks").json()
    assert [task["id"] for task in everything["tasks"]] == made[::-1]
    octo = control(world, "GET", "/__admin/tasks?provider=octopusx&limit=1&offset=1").json()
    assert ([task["id"] for task in octo["tasks"]], octo["total"]) == ([made[0]], 2)
    queued = control(world, "GET", "/__admin/tasks?status=queued").json()
    assert [task["id"] for task in queued["tasks"]] == [made[2]]
