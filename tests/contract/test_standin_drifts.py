"""Every drift of the stand-in changes what its sentence says, and no more: a tour through everything shows it."""

import json
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import pytest

from tests.contract.standin import DRIFTS, NO_EFFECT, PROFILES, PROVIDERS, StandIn
from tests.contract.standin_client import ACEDATA, GATEWAY, NOBODY, Client, Facts, World, asked, facts


@pytest.fixture
def world() -> Iterator[World]:
    """A place to start stand-ins in."""
    made = World()
    yield made
    made.close()


def tour(stand_in: StandIn, client: Client) -> dict[str, Facts]:
    """Everything that a client may ask for, by step."""
    seen = {name: client.poll(id) for name, id in stand_in.tasks.items()}
    done = stand_in.tasks["completed"]
    seen["running again"] = client.poll(stand_in.tasks["processing"])
    seen |= {what: asked(client, what) for what in ("unknown task", "no key", "wrong key", "no route")}
    seen["empty key"] = client.poll(done, key="")
    if client.is_acedata:
        seen |= {what: asked(client, what) for what in ("broken body", "unknown action")}
        seen["batch"] = client.batch(done, done, NOBODY["acedata-sora"])
    else:
        seen["unknown content"] = asked(client, "unknown content")
        seen["content"] = client.ask("GET", f"/v1/videos/{done}/content")
    seen["create"] = client.create()
    id = client.created()
    seen |= {f"poll {nth}": client.poll(id) for nth in range(1, 9)}
    link = client.link(done)
    seen |= {"link": client.fetch(link), "part": client.fetch(link, Range="bytes=0-9")}
    return {step: facts(answer) for step, answer in seen.items()}


NUMBERED: Final = {f"poll {nth}" for nth in range(1, 9)}
WAITING: Final = {"queued", "poll 1"}
RUNNING: Final = {"processing", "running again", "poll 2", "poll 3"}
DONE: Final = {"completed", "poll 4", "poll 5", "poll 6", "poll 7", "poll 8"}
POLLS: Final = WAITING | RUNNING | DONE | {"failed"}
LINK: Final = {"link", "part"}
REFUSED: Final = {"no key", "wrong key", "empty key", "no route"}

Change = list[tuple[set[str], set[str]]]
"""In these steps these facts differ."""

BY_ACEDATA: Final[dict[str, Change]] = {
    "renamed-field": [(DONE | {"batch"}, {".response.data.video_url", ".response.data.url"})],
    "removed-field": [(POLLS | {"batch"}, {".credential_id"})],
    "added-field": [(POLLS | {"batch"}, {".queue_position"})],
    "new-word": [(DONE | {"batch"}, {".response.data.state"})],
    "status-code": [
        (
            {"unknown task"},
            {"status code", ".success", ".error", ".error.code", ".error.message", ".trace_id"},
        )
    ],
    "null-member": [(WAITING | RUNNING, {".response"})],
    "number-for-text": [(POLLS | {"batch"}, {".created_at"})],
    "content-type": [
        (
            POLLS | REFUSED | {"unknown task", "broken body", "unknown action", "batch", "create"},
            {"content type"},
        )
    ],
    "terminal-changes": [
        (
            {"poll 7"},
            {
                ".response",
                ".response.success",
                ".response.task_id",
                ".response.trace_id",
                ".response.data",
                ".response.data.id",
                ".response.data.video_url",
                ".response.data.state",
            },
        )
    ],
    "batch-dedupes": [({"batch"}, {".items", ".count"})],
    "error-shape": [
        (
            REFUSED | {"broken body", "unknown action"},
            {".message", ".success", ".error", ".error.code", ".error.message", ".trace_id"},
        )
    ],
}
BY_GATEWAY: Final[dict[str, Change]] = {
    "added-field": [(POLLS | {"cancelled"}, {".queue_position"})],
    "new-word": [(RUNNING, {".status"})],
    "status-code": [({"unknown task"}, {"status code"})],
    "number-for-text": [(POLLS | {"cancelled"}, {".seconds"})],
    "content-type": [
        (
            POLLS | REFUSED | {"cancelled", "unknown task", "unknown content", "create"},
            {"content type"},
        )
    ],
    "progress-falls": [(RUNNING, {".progress"})],
    "error-shape": [
        (
            REFUSED | {"unknown task", "unknown content"},
            {".message", ".error", ".error.code", ".error.message"},
        )
    ],
}
BY_OCTOPUSX: Final[dict[str, Change]] = BY_GATEWAY | {
    "renamed-field": [(POLLS | {"cancelled"}, {".video_url", ".videoUrl"})],
    "removed-field": [(POLLS | {"cancelled"}, {".size"})],
    "null-member": [
        (WAITING | RUNNING | DONE | {"cancelled"}, {".error", ".error.code", ".error.message"}),
    ],
    "terminal-changes": [({"poll 7"}, {".status"})],
}
BY_EZMODEL: Final[dict[str, Change]] = BY_GATEWAY | {
    "renamed-field": [(DONE, {".url", ".video_url"})],
    "removed-field": [(DONE, {".completed_at"})],
    "null-member": [(WAITING | RUNNING, {".error"})],
    "terminal-changes": [({"poll 7"}, {".status", ".completed_at", ".expires_at", ".url"})],
}
BY_ALL: Final[dict[str, Change]] = {
    "link-dead": [(LINK, {"status code", "content type", "bytes", "header"})],
    "link-dies-early": [(LINK, {"status code", "content type", "bytes", "header"})],
    "short-range": [({"part"}, {"bytes"})],
    "no-range": [({"part"}, {"status code", "bytes", "header"}), ({"link"}, {"header"})],
    "not-a-video": [(LINK, {"status code", "content type", "bytes", "header"})],
    "error-code": [({"wrong key", "empty key"}, {".error.code"})],
}
LIKE_A_POLL: Final = {"accepts-any-key": "wrong key", "accepts-no-key": "no key"}
"""Drifts that let a step through: its answer becomes that to an unknown task."""
OF_ITS_OWN: Final = {"header-gone", "batch-sorts", "link-lives-on"}
"""Drifts that a tour doesn't show."""
CHANGES: Final = {
    "acedata-sora": BY_ALL | BY_ACEDATA,
    "acedata-veo": BY_ALL | BY_ACEDATA,
    "octopusx": BY_ALL | BY_OCTOPUSX,
    "ezmodel": BY_ALL | BY_EZMODEL,
}
VEO_DATES: Final = {".response.data.created_at", ".response.data.complete_at"}


@pytest.fixture(scope="module")
def undrifted() -> Iterator[dict[str, dict[str, Facts]]]:
    """The tours of stand-ins that don't drift, by provider."""
    made = World()
    yield {provider: tour(*made.start(provider)) for provider in PROVIDERS}
    made.close()


def differences(one: Mapping[str, Facts], other: Mapping[str, Facts]) -> dict[str, set[str]]:
    """The names of what differs, by step."""
    assert one.keys() == other.keys()
    found = {step: {name for name, _ in one[step] ^ other[step]} for step in one}
    return {step: names for step, names in found.items() if names}


def expected_changes(provider: str, drift: str, steps: Iterable[str]) -> dict[str, set[str]]:
    """What the tables say, for the steps that the provider has."""
    changes: dict[str, set[str]] = defaultdict(set)
    for where, what in CHANGES[provider].get(drift, []):
        for step in where & set(steps):
            changes[step] |= what
    if provider == "acedata-veo" and drift == "terminal-changes":
        changes["poll 7"] |= VEO_DATES
    return dict(changes)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("drift", sorted(set(DRIFTS) - LIKE_A_POLL.keys() - OF_ITS_OWN))
def test_a_drift_changes_what_it_says_and_no_more(
    world: World, undrifted: Mapping[str, Mapping[str, Facts]], provider: str, drift: str
) -> None:
    """Of all the steps of the tour."""
    found = differences(
        undrifted[provider], tour(*world.start(provider, drift=[drift], dies_early_after=0.0))
    )
    wanted = expected_changes(provider, drift, undrifted[provider])
    # A dead link's answer has one fact of each kind or the other; which of them differ is the link's own test.
    if drift in {"link-dead", "link-dies-early", "not-a-video"}:
        assert found.keys() == wanted.keys()
        assert all(found[step] <= wanted[step] for step in wanted)
        return
    if drift == "error-shape":
        assert found.keys() == wanted.keys()
        assert all({".message", ".error"} <= found[step] <= wanted[step] for step in wanted)
        return
    assert found == wanted
    assert (not wanted) is (provider in NO_EFFECT.get(drift, ()))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_stand_in_without_drift_always_answers_alike(world: World, provider: str, profile: str) -> None:
    """Else the comparison would prove nothing."""
    one, other = (tour(*world.start(provider, profile=profile)) for _ in range(2))
    assert not differences(one, other)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("drift", LIKE_A_POLL)
def test_a_drift_lets_keys_through(
    world: World, undrifted: Mapping[str, Mapping[str, Facts]], provider: str, drift: str
) -> None:
    """One step of the tour; an empty key is none that is accepted."""
    found = tour(*world.start(provider, drift=[drift]))
    step = LIKE_A_POLL[drift]
    assert differences(undrifted[provider], found).keys() == {step}
    assert found[step] == undrifted[provider]["unknown task"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_request_id_is_gone_from_every_answer_of_the_api(
    world: World, undrifted: Mapping[str, Mapping[str, Facts]], provider: str
) -> None:
    """And nothing else is; the links never had it."""
    found = tour(*world.start(provider, drift=["header-gone"]))
    name = "x-request-id" if provider in ACEDATA else "x-oneapi-request-id"
    for step, before in undrifted[provider].items():
        assert before - found[step] == (set() if step in LINK else {("header", name)})
        assert not found[step] - before


@pytest.mark.parametrize(
    ("provider", "status"), [("acedata-sora", 404), ("acedata-veo", 404), ("octopusx", 410), ("ezmodel", 410)]
)
def test_an_unknown_task_has_another_status_code(world: World, provider: str, status: int) -> None:
    """AceData's has a code as well."""
    _, client = world.start(provider, drift=["status-code"])
    answer = asked(client, "unknown task")
    assert answer.status == status
    if provider in ACEDATA:
        assert answer.json()["error"]["code"] == "not_found"


def test_a_link_that_dies_early_lives_until_then(world: World) -> None:
    """It is good right after completion, though it announces more than it keeps."""
    now = [1_760_105_642.0]
    _, client = world.start("octopusx", clock=lambda: now[0], drift=["link-dies-early"])
    link = client.link(client.finished())
    now[0] += 0.9
    assert client.fetch(link).status == 200
    now[0] += 0.1
    assert client.fetch(link).status == 403


@pytest.mark.parametrize(
    ("drift", "status", "content_type"),
    [
        ("link-dead", 403, "text/html; charset=utf-8"),
        ("not-a-video", 200, "text/html; charset=utf-8"),
        ("no-range", 200, "video/mp4"),
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_drifted_link_answers(
    world: World, provider: str, drift: str, status: int, content_type: str
) -> None:
    """To a request for a part, too."""
    stand_in, client = world.start(provider, drift=[drift])
    answer = client.fetch(client.link(stand_in.tasks["completed"]), Range="bytes=0-9")
    assert (answer.status, answer.type) == (status, content_type)


@pytest.mark.parametrize("provider", GATEWAY)
def test_progress_falls_from_60_to_30(world: World, provider: str) -> None:
    """Of a created task and of the one that always runs."""
    stand_in, client = world.start(provider, drift=["progress-falls"])
    id = client.created()
    assert [client.poll(id).json()["progress"] for _ in range(4)] == [0, 60, 30, 100]
    running = stand_in.tasks["processing"]
    assert [client.poll(running).json()["progress"] for _ in range(3)] == [60, 30, 30]


@pytest.mark.parametrize("sorts", [False, True])
def test_a_batch_is_in_the_order_asked_for_unless_it_sorts(sorts: bool) -> None:
    """Repeats included, either way."""
    with StandIn("acedata-sora", drift=("batch-sorts",) if sorts else ()) as standin:
        first, second = sorted(standin.tasks.values())[:2]
        body = json.dumps({"action": "retrieve_batch", "ids": [second, first, second]}).encode()
        headers = {"Authorization": f"Bearer {standin.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{standin.url}/sora/tasks", body, headers)  # noqa: S310 - our own
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own
            items = json.loads(answer.read())["items"]
    assert [item["id"] for item in items] == ([first, second, second] if sorts else [second, first, second])
