"""Namespaces: isolated worlds on one server, found by prefix, header or key, and given up when nobody wants them."""

import threading
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.engine import Settings
from emulator.library import Library
from emulator.namespaces import BadName, Bounds, Namespaces, NoRoom, Taken, after_prefix, named_in
from emulator.providers import PROVIDERS
from tests import serving
from tests.worlds import KEY, Answer, World

PROMPT: Final = {"prompt": "a cat", "model": "sora-2"}
KEY_OF_A: Final = {"authorization": "Bearer sk-ns-a--test"}
HEADER_OF_A: Final = {**KEY, "x-emulator-namespace": "a"}


def registry(**bounds: Any) -> Namespaces:
    """Namespaces of their own."""
    return Namespaces(Settings(), Library(), PROVIDERS, Bounds(**bounds))


# Finding one


@pytest.mark.parametrize(
    ("path", "headers", "namespace"),
    [
        ("/octopusx/v1/videos", KEY, "default"),
        ("/ns/default/octopusx/v1/videos", KEY, "default"),
        ("/ns/a/octopusx/v1/videos", KEY, "a"),
        ("/ns/a//v1/videos", KEY, "a"),
        ("/ns/%61/v1/videos", KEY, "a"),
        ("/v1/videos", HEADER_OF_A, "a"),
        ("/v1/videos", KEY_OF_A, "a"),
        ("/v1/videos", {"authorization": "Bearer sk-ns-a.b_c-d--x--y"}, "a.b_c-d"),
        ("/ns/b/v1/videos", {**HEADER_OF_A, "authorization": "Bearer sk-ns-c--test"}, "b"),
        ("/v1/videos", {**HEADER_OF_A, "authorization": "Bearer sk-ns-c--test"}, "a"),
        ("/v1/videos", {"authorization": "Bearer sk-test-sk-ns-a--b"}, "default"),
    ],
)
def test_a_request_is_led_by_prefix_then_header_then_key(
    path: str, headers: dict[str, str], namespace: str
) -> None:
    """The task is made there, and is known nowhere else."""
    world = World()
    made = world.post(path, PROMPT, headers=headers)
    assert made.status_code == 200, made.body
    holders = [one.name for one in world.app.namespaces if len(one.store)]
    assert holders == [namespace]


BAD_NAMES: Final = ["A", "a b", "a--b", "x" * 65, "é", "%2e%2f", "a%2fb", ""]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_none_can_have_is_refused(name: str) -> None:
    """With a problem document that says what would be one; nothing is made."""
    world = World()
    answer = world.post(f"/ns/{name}/v1/videos", PROMPT)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "1 to 64 of the characters" in answer.json()["detail"]
    assert len(world.app.namespaces) == 1


@pytest.mark.parametrize("key", ["sk-ns-a", "sk-ns-A--b", "sk-ns---b", "sk-ns-" + "x" * 65 + "--b"])
def test_a_key_that_nearly_names_one_is_refused(key: str) -> None:
    """In place of a task in the default namespace, where a test would never look for it."""
    world = World()
    answer = world.post("/v1/videos", PROMPT, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 400
    assert "sk-ns-NAME--REST" in answer.json()["detail"]
    assert [len(one.store) for one in world.app.namespaces] == [0]


@given(st.binary(max_size=100))
def test_any_key_names_a_namespace_or_none_or_is_refused(key: bytes) -> None:
    """And what it names can be one."""
    try:
        name = named_in({b"authorization": b"Bearer sk-ns-" + key})
    except BadName:
        return
    assert name is not None
    assert registry().use(name).name == name


@given(st.binary(max_size=50))
def test_any_path_has_a_prefix_or_none(rest: bytes) -> None:
    """What follows it begins with a slash."""
    found = after_prefix(b"/ns/" + rest)
    assert found is not None
    assert found[1].startswith(b"/")


def test_a_key_is_judged_without_the_namespace_in_it() -> None:
    """`sk-ns-a--good` as `sk-good`."""
    world = World("version: 1\nauth: {keys: [sk-good]}\n")
    path = "/octopusx/v1/videos"
    codes = [
        world.post(path, PROMPT, headers={"authorization": f"Bearer {key}"}).status_code
        for key in ("sk-ns-a--good", "sk-ns-a--bad")
    ]
    assert codes == [200, 401]


def test_links_lead_back_into_their_namespace() -> None:
    """Without any key or header: they begin with its prefix."""
    world = World("version: 1\ntasks:\n  - timeline: [{status: completed}]\n")
    task_id = world.post("/octopusx/v1/videos", PROMPT, headers=KEY_OF_A).json()["id"]
    url = world.get(f"/octopusx/v1/videos/{task_id}", headers=KEY_OF_A).json()["video_url"]
    path = url.removeprefix("http://emulator.test:8080")
    assert path.startswith("/ns/a/media/octopusx/")
    assert world.get(path, headers={}).status_code == 200
    assert world.get(path.replace("/ns/a/", "/ns/b/"), headers={}).status_code == 403
    assert world.get(path.removeprefix("/ns/a"), headers={}).status_code == 403


def test_the_control_api_is_about_the_namespace_that_a_request_names() -> None:
    """By prefix, header or key, and of no other."""
    world = World()
    local = {"host": "localhost"}
    world.call("POST", "/ns/a/__admin/clock/advance", {"by": "1h"}, headers=local)
    shown = [
        world.get(path, headers={**headers, **local}).json()["now"]
        for path, headers in [
            ("/ns/a/__admin/clock", {}),
            ("/__admin/clock", {"x-emulator-namespace": "a"}),
            ("/__admin/clock", KEY_OF_A),
            ("/__admin/clock", {}),
            ("/ns/b/__admin/clock", {}),
        ]
    ]
    assert shown == ["2025-01-01T01:00:00Z"] * 3 + ["2025-01-01T00:00:00Z"] * 2


def test_the_same_seed_gives_the_same_ids_in_every_namespace() -> None:
    """So that a test can move from one to another."""
    world = World(seed=7)
    ids = {world.post(f"{prefix}/v1/videos", PROMPT).json()["id"] for prefix in ("", "/ns/a", "/ns/b")}
    assert len(ids) == 1


# Bounds


def test_at_the_bound_a_new_one_gets_503_and_the_others_go_on() -> None:
    """Nobody who is in use makes room."""
    world = World(bounds=Bounds(namespaces=2))
    codes = [world.post(f"/ns/{name}/v1/videos", PROMPT).status_code for name in ("a", "b", "c", "a", "b")]
    assert codes == [200, 200, 503, 200, 200]
    refused = world.post("/ns/c/v1/videos", PROMPT)
    assert refused.headers["content-type"] == "application/problem+json"
    assert "--max-namespaces" in refused.json()["detail"]
    assert world.post("/v1/videos", PROMPT).status_code == 200


def test_an_idle_one_makes_room() -> None:
    """The one that was idle for longest is gone, and its name can be used anew."""
    namespaces = registry(namespaces=2, idle=1_000_000)
    first, second = namespaces.use("a"), namespaces.use("b")
    first.touched -= 2_000_000
    assert namespaces.use("c").name == "c"
    assert ([one.name for one in namespaces], namespaces.dropped) == (["default", "b", "c"], 1)
    second.touched -= 2_000_000
    assert namespaces.use("b") is not second
    assert namespaces.dropped == 2


def test_one_that_is_spoken_to_is_never_given_up() -> None:
    """However long the answer takes."""
    namespaces = registry(namespaces=1, idle=1_000_000)
    held = namespaces.use("a")
    held.touched -= 2_000_000
    held.visitors += 1
    with pytest.raises(NoRoom):
        namespaces.use("b")
    assert namespaces.use("a") is held
    held.visitors -= 1
    held.touched -= 2_000_000
    assert namespaces.use("b").name == "b"


def test_a_request_counts_as_a_visit_until_it_is_answered() -> None:
    """Also one that fails."""
    world = World("version: 1\nrules:\n  - {operation: poll, error: internal}\n")
    for path in ("/ns/a/v1/videos/x", "/ns/a/__admin/nothing", "/ns/a/media/x"):
        world.get(path)
    assert world.app.namespaces.use("a").visitors == 0


def test_names_are_taken_once() -> None:
    """`default` always is."""
    namespaces = registry()
    namespaces.create("a", Settings())
    for name in ("a", "default"):
        with pytest.raises(Taken):
            namespaces.create(name, Settings())


def test_one_that_is_dropped_is_forgotten_with_all_that_is_in_it() -> None:
    """And its bytes in the journal are free again."""
    world = World()
    namespaces = world.app.namespaces
    world.post("/ns/a/v1/videos", PROMPT)
    assert namespaces.budget.used > 0
    assert namespaces.drop("a")
    assert not namespaces.drop("a")
    assert namespaces.budget.used == 0
    assert len(namespaces.use("a").store) == 0


def test_who_is_answered_when_it_is_dropped_leaves_nothing_behind() -> None:
    """No record, and no bytes that nobody will ever free."""
    world = World("version: 1\nrules:\n  - {operation: poll, error: internal, delay: 5ms}\n")
    namespaces = world.app.namespaces
    held = namespaces.use("a")
    namespaces.drop("a")
    world.app.namespaces._others["a"] = held  # noqa: SLF001 - as a request sees it that has begun already
    assert world.get("/ns/a/octopusx/v1/videos/x").status_code == 500
    assert (len(held.journal), namespaces.budget.used) == (0, 0)


def test_ten_thousand_cost_little() -> None:
    """Less than 5 kilobytes each, before anything is done in them."""
    namespaces = registry()
    namespaces.use("warm")
    tracemalloc.start()
    for number in range(1000):
        namespaces.use(f"test-{number}")
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size < 1000 * 5_000


# No cross-talk


STORIES: Final = (
    "happy-path",
    "slow-queue",
    "rate-limited",
    "expired-link",
)
STEP = st.one_of(
    st.tuples(st.just("create"), st.sampled_from([p.name for p in PROVIDERS[2:]])),
    st.tuples(st.just("poll"), st.integers(0, 3)),
    st.tuples(st.just("download"), st.integers(0, 3)),
    st.tuples(st.just("advance"), st.sampled_from(["1s", "10s", "5m", "2h"])),
    st.tuples(st.just("activate"), st.sampled_from(STORIES)),
    st.tuples(st.just("reset"), st.none()),
    st.tuples(st.just("unknown"), st.none()),
)


class Client:
    """Drives one namespace step by step, and remembers what it saw, less what names the namespace."""

    def __init__(self, call: Callable[..., Answer], prefix: str) -> None:
        self._call, self._prefix = call, prefix
        self._tasks: list[tuple[str, str]] = []
        self._links: list[str] = []
        self.seen: list[Any] = []

    def take(self, kind: str, value: Any) -> None:
        """One step."""
        if kind == "create":
            answer = self._asked("POST", f"/{value}/v1/videos", PROMPT)
            if answer.status_code == 200:
                self._tasks.append((value, answer.json()["id"]))
        elif kind == "poll" and self._tasks:
            provider, task_id = self._tasks[value % len(self._tasks)]
            link = self._asked("GET", f"/{provider}/v1/videos/{task_id}").json()
            self._links += [link["video_url"]] if link.get("video_url") else []
        elif kind == "download" and self._links:
            path = "/" + self._links[value % len(self._links)].split("/", 3)[3]
            self._asked("GET", path.removeprefix(self._prefix))
        elif kind == "advance":
            self._asked("POST", "/__admin/clock/advance", {"by": value})
        elif kind == "activate":
            self._asked("PUT", "/__admin/scenarios/active", {"name": value})
        elif kind == "reset":
            self._asked("POST", "/__admin/reset")
        elif kind == "unknown":
            self._asked("GET", "/octopusx/v1/videos/nobody")

    def _asked(self, method: str, path: str, body: Any = None) -> Answer:
        answer = self._call(method, f"{self._prefix}{path}", body)
        text = (
            answer.body.decode("latin-1").replace(self._prefix, "")
            if self._prefix
            else answer.body.decode("latin-1")
        )
        # The signature is of the whole path.
        self.seen.append(
            (method, path.partition("?")[0], answer.status_code, text.partition("signature=")[0])
        )
        return answer


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), STEP), max_size=40))
def test_what_happens_in_one_namespace_is_what_would_happen_alone(
    steps: list[tuple[str, tuple[str, Any]]],
) -> None:
    """However clients of three namespaces take turns, each sees what it would see by itself on a server of its own."""
    shared = World(seed=3)
    clients = {name: Client(caller(shared), f"/ns/{name}") for name in "abc"}
    for name, step in steps:
        clients[name].take(*step)
    for name, client in clients.items():
        alone = Client(caller(World(seed=3)), "")
        for mine, step in steps:
            if mine == name:
                alone.take(*step)
        assert client.seen == alone.seen
    assert len(shared.namespace.store) == 0
    assert len(shared.namespace.journal) == 0


def caller(world: World) -> Callable[..., Answer]:
    """Calls a world as a client on this machine."""

    def call(method: str, path: str, body: Any = None) -> Answer:
        return world.call(method, path, body, host="localhost:8080")

    return call


def test_two_hundred_clients_at_once_each_have_their_own_world() -> None:
    """On one real server: own scenarios, own clocks; each sees what it would see alone."""
    scenarios = [
        f"version: 1\nname: own-{number}\ntasks:\n  - timeline:\n"
        f"      - {{status: queued, for: {number + 1}s}}\n      - {{status: processing, for: {number + 7}s}}\n"
        f"      - {{status: completed}}\n"
        for number in range(200)
    ]
    world = World()
    together = threading.Barrier(200)

    with serving.thread(world.app) as served:

        def drive(number: int) -> list[str]:
            prefix, seen = f"/ns/client-{number}", []
            yaml = {**KEY, "content-type": "application/yaml"}
            posted = served.call(
                "POST", f"{prefix}/__admin/scenarios?activate=true", scenarios[number].encode(), yaml
            )
            assert posted.status_code == 201, posted.body
            task_id = served.post(f"{prefix}/octopusx/v1/videos", PROMPT).json()["id"]
            together.wait(serving.PATIENCE)
            for by in ("1ms", f"{number + 1}s", f"{number + 6}s", "1s"):
                advanced = served.call("POST", f"{prefix}/__admin/clock/advance", {"by": by})
                assert advanced.status_code == 200, advanced.body
                seen.append(served.get(f"{prefix}/octopusx/v1/videos/{task_id}").json()["status"])
            return seen

        with ThreadPoolExecutor(200) as pool:
            stories = list(pool.map(drive, range(200)))
    assert stories == [["queued", "processing", "processing", "completed"]] * 200
    assert len(world.app.namespaces) == 201
    for number in range(200):
        namespace = world.app.namespaces.use(f"client-{number}")
        assert namespace.active.scenario.name == f"own-{number}"
        assert [record.operation for record in namespace.journal] == ["create", *["poll"] * 4]
        assert len(namespace.store) == 1
