"""The stand-in itself: it serves the samples, counts what costs money, and its troubles are what their table says."""

import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contract.standin import DRIFTS, NO_EFFECT, PROFILES, PROVIDERS, TROUBLES, StandIn
from tests.contract.standin_client import ACEDATA, GATEWAY, KEY, NOBODY, PATIENCE, Client, World, asked, facts
from tests.contract.standin_media import VIDEO

ROOT: Final = Path(__file__).parents[2]
GOLDEN: Final = ROOT / "tests" / "golden"


@pytest.fixture
def world() -> Iterator[World]:
    """A place to start stand-ins in."""
    made = World()
    yield made
    made.close()


def form(value: Any) -> Any:
    """Keys, order and types of a value, without what it says."""
    if isinstance(value, dict):
        return [(name, form(member)) for name, member in value.items()]
    if isinstance(value, list):
        return [form(member) for member in value]
    return type(value).__name__


def golden(path: str) -> Any:
    """A recorded sample."""
    return json.loads((GOLDEN / path).read_bytes())


# The samples


@pytest.mark.parametrize("provider", ACEDATA)
def test_a_record_is_the_sample_s(world: World, provider: str) -> None:
    """Keys, order and types; while the task runs the same without `response`."""
    stand_in, client = world.start(provider)
    sample = golden(f"{provider}/retrieve.succeeded.json")
    assert form(client.poll(stand_in.tasks["completed"]).json()) == form(sample)
    del sample["response"]
    for name in ("queued", "processing"):
        assert form(client.poll(stand_in.tasks[name]).json()) == form(sample)


@pytest.mark.parametrize("provider", ACEDATA)
def test_a_batch_is_the_sample_s(world: World, provider: str) -> None:
    """Repeats are kept, and unknown ids left out."""
    stand_in, client = world.start(provider)
    id = stand_in.tasks["completed"]
    answer = client.batch(id, NOBODY["acedata-sora"], id).json()
    assert form(answer) == form(golden(f"{provider}/retrieve_batch.succeeded.json"))
    assert answer["count"] == 2


@pytest.mark.parametrize("provider", ACEDATA)
def test_a_failed_record_is_200_with_the_reason(world: World, provider: str) -> None:
    """No sample shows one: the providers' callbacks have this form."""
    stand_in, client = world.start(provider)
    answer = client.poll(stand_in.tasks["failed"])
    assert answer.status == 200
    assert answer.json()["response"] | {"task_id": "", "trace_id": ""} == {
        "success": False,
        "task_id": "",
        "trace_id": "",
        "error": {"code": "api_error", "message": "fetch failed"},
    }


@pytest.mark.parametrize("provider", ACEDATA)
@pytest.mark.parametrize("profile", PROFILES)
def test_an_api_error_is_the_sample_s_in_both_profiles(world: World, provider: str, profile: str) -> None:
    """Its trace id is also the request id."""
    stand_in, client = world.start(provider, profile=profile, trouble=["server-error"])
    answer = client.poll(stand_in.tasks["queued"])
    sample = golden(f"{provider}/error.api_error.json")
    assert (answer.status, answer.json() | {"trace_id": sample["trace_id"]}) == (500, sample)
    assert answer.json()["trace_id"] == answer.headers["x-request-id"]


def test_an_octopusx_task_has_the_sample_s_keys_always(world: World) -> None:
    """All 13, whatever the status."""
    stand_in, client = world.start("octopusx")
    sample = golden("octopusx/query.queued.json")
    assert set(stand_in.tasks) == {"queued", "processing", "completed", "failed", "cancelled"}
    for name, id in stand_in.tasks.items():
        answer = client.poll(id)
        assert (answer.status, answer.type, form(answer.json())) == (200, "application/json", form(sample))
        assert answer.json()["status"] == name
    queued = client.poll(stand_in.tasks["queued"]).json()
    assert queued["expires_at"] - queued["created_at"] == sample["expires_at"] - sample["created_at"]
    told = dict.fromkeys(("id", "created_at", "expires_at"))
    assert queued | told == sample | told


@pytest.mark.parametrize("name", ["processing", "completed", "failed"])
def test_an_ezmodel_task_is_the_sample_of_its_status(world: World, name: str) -> None:
    """What a status doesn't have is absent; a pending one is as a processing one."""
    stand_in, client = world.start("ezmodel")
    sample = golden(f"ezmodel/query.{name}.json")
    found = client.poll(stand_in.tasks[name]).json()
    assert form(found) == form(sample)
    assert [found[key] for key in ("status", "progress", "seconds")] == [
        sample[key] for key in ("status", "progress", "seconds")
    ]
    pending = client.poll(stand_in.tasks["queued"]).json()
    assert (pending["status"], form(pending)) == ("pending", form(golden("ezmodel/query.processing.json")))


def test_an_unknown_ezmodel_task_is_the_sample_s_404(world: World) -> None:
    """To the byte of its values."""
    _, client = world.start("ezmodel")
    answer = client.poll("vid_nobody")
    assert (answer.status, answer.json()) == (404, golden("ezmodel/query.not_found.404.json"))


# The current profile


@pytest.mark.parametrize("provider", ACEDATA)
def test_a_current_record_tells_when_it_started_and_finished(world: World, provider: str) -> None:
    """Behind `created_at`, the last two once it has ended; Veo's dates are ISO."""
    stand_in, client = world.start(provider, profile="current")
    running = client.poll(stand_in.tasks["processing"]).json()
    assert list(running)[4:7] == ["created_at", "started_at", "credential_id"]
    for name in ("completed", "failed"):
        record = client.poll(stand_in.tasks[name]).json()
        assert list(record)[4:9] == ["created_at", "started_at", "finished_at", "elapsed", "credential_id"]
        assert record["elapsed"] == round(record["finished_at"] - record["started_at"], 3)
    if provider == "acedata-veo":
        (video,) = client.poll(stand_in.tasks["completed"]).json()["response"]["data"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", video["complete_at"])


def test_a_current_batch_without_ids_lists_the_caller_s_tasks(world: World) -> None:
    """Newest first, a page of them; the count is of all."""
    stand_in, client = world.start("acedata-sora", profile="current")
    newest = client.created()
    found = client.ask("POST", "/sora/tasks", {"action": "retrieve_batch", "limit": 2}).json()
    assert [item["id"] for item in found["items"]] == [newest, stand_in.tasks["failed"]]
    assert found["count"] == 5


@pytest.mark.parametrize("provider", GATEWAY)
def test_the_current_words_are_the_gateway_s(world: World, provider: str) -> None:
    """Both providers' alike."""
    stand_in, client = world.start(provider, profile="current")
    words = {name: client.poll(id).json()["status"] for name, id in stand_in.tasks.items()}
    assert words == {
        "queued": "queued",
        "processing": "in_progress",
        "completed": "completed",
        "failed": "failed",
    }


# Errors: provider, profile, what is asked, status, body

UNKNOWN_TASK: Final = {"code": "task_not_exist", "message": "task_not_exist", "data": None}
ERRORS: Final[Sequence[tuple[Sequence[str], str, str, int, Any]]] = [
    (ACEDATA, "documented", "no key", 401, "invalid_token"),
    (ACEDATA, "documented", "wrong key", 401, "invalid_token"),
    (ACEDATA, "documented", "broken body", 400, "token_mismatched"),
    (ACEDATA, "documented", "no object", 400, "token_mismatched"),
    (ACEDATA, "documented", "no id", 400, "token_mismatched"),
    (ACEDATA, "documented", "no ids", 400, "token_mismatched"),
    (ACEDATA, "documented", "unknown action", 400, "api_not_implemented"),
    (ACEDATA, "documented", "no route", 404, "no_api"),
    (ACEDATA, "documented", "unknown task", 200, {}),
    (ACEDATA, "current", "no key", 400, "no_token"),
    (ACEDATA, "current", "wrong key", 401, "invalid_token"),
    (ACEDATA, "current", "broken body", 400, "bad_request"),
    (ACEDATA, "current", "no object", 400, "bad_request"),
    (ACEDATA, "current", "no id", 200, {}),
    (ACEDATA, "current", "unknown task", 200, {}),
    (["octopusx"], "documented", "no key", 401, ("Invalid token", "invalid_token")),
    (["octopusx"], "documented", "wrong key", 401, ("Invalid token", "invalid_token")),
    (["octopusx"], "documented", "unknown task", 404, ("Task not found", "task_not_exist")),
    (["ezmodel"], "documented", "no key", 401, ("Invalid API key", "invalid_api_key")),
    (["ezmodel"], "documented", "wrong key", 401, ("Invalid API key", "invalid_api_key")),
    (GATEWAY, "documented", "no route", 404, ("Invalid URL (GET /v1/nothing)", "invalid_url")),
    (GATEWAY, "documented", "broken create", 400, ("Invalid request", "invalid_request")),
    (["octopusx"], "documented", "blank prompt", 400, ("prompt is required", "invalid_request")),
    (
        GATEWAY,
        "current",
        "blank prompt",
        400,
        {"code": "invalid_request", "message": "prompt is required", "data": None},
    ),
    (GATEWAY, "current", "unknown task", 400, UNKNOWN_TASK),
    (
        GATEWAY,
        "current",
        "no route",
        404,
        {
            "error": {
                "message": "Invalid URL (GET /v1/nothing)",
                "type": "invalid_request_error",
                "param": "",
                "code": "",
            }
        },
    ),
    (
        GATEWAY,
        "current",
        "unknown content",
        404,
        {"error": {"message": "Task not found", "type": "invalid_request_error"}},
    ),
]


@pytest.mark.parametrize(
    ("provider", "profile", "what", "status", "expected"),
    [(provider, *others) for providers, *others in ERRORS for provider in providers],
)
def test_an_error_is_in_the_form_of_its_profile(
    world: World, provider: str, profile: str, what: str, status: int, expected: Any
) -> None:
    """A bare code stands for AceData's body, a message with a code for the documented one of the others."""
    _, client = world.start(provider, profile=profile)
    answer = asked(client, what)
    body = answer.json()
    if isinstance(expected, str):
        keys = ["error", "trace_id"] if profile == "current" else ["success", "error", "trace_id"]
        assert (list(body), body["error"]["code"]) == (keys, expected)
        assert body["trace_id"] == answer.headers["x-request-id"]
    elif isinstance(expected, tuple):
        assert body == {"error": dict(zip(("message", "code"), expected, strict=True))}
    else:
        assert body == expected
    assert answer.status == status


@pytest.mark.parametrize("provider", GATEWAY)
def test_a_refused_key_repeats_the_request_s_id_in_current(world: World, provider: str) -> None:
    """The gateway's first family; its errors name their charset."""
    _, client = world.start(provider, profile="current")
    answer = client.poll("video_nobody", key="sk-wrong")
    message = f"Invalid token (request id: {answer.headers['x-oneapi-request-id']})"
    assert answer.json() == {"error": {"code": "", "message": message, "type": "new_api_error"}}
    assert (answer.status, answer.type) == (401, "application/json; charset=utf-8")


@pytest.mark.parametrize(
    ("profile", "word"), [("documented", "processing"), ("current", "IN_PROGRESS")], ids=PROFILES
)
def test_content_comes_with_the_key_and_after_the_end(world: World, profile: str, word: str) -> None:
    """Before, it is 400 with the word of the profile."""
    stand_in, client = world.start("octopusx", profile=profile)
    early = client.ask("GET", f"/v1/videos/{stand_in.tasks['processing']}/content")
    assert early.status == 400
    assert early.json()["error"]["message"] == f"Task is not completed yet, current status: {word}"
    assert client.ask("GET", f"/v1/videos/{stand_in.tasks['failed']}/content").status == 400
    path = f"/v1/videos/{stand_in.tasks['completed']}/content"
    assert client.ask("GET", path, key=None).status == 401
    whole = client.ask("GET", path)
    assert (whole.status, whole.type, whole.body) == (200, "video/mp4", VIDEO)
    assert whole.headers["cache-control"] == "public, max-age=86400"


@pytest.mark.parametrize(("profile", "status"), [("documented", 401), ("current", 200)], ids=PROFILES)
def test_the_gateway_takes_a_bare_key(world: World, profile: str, status: int) -> None:
    """In profile current, with and without its `sk-`; the documents show `Bearer`."""
    stand_in, client = world.start("ezmodel", profile=profile)
    for key in (KEY, KEY.removeprefix("sk-")):
        answer = client.poll(stand_in.tasks["queued"], key=None, headers={"Authorization": key})
        assert answer.status == status


# Creates, and what polls make of them


@pytest.mark.parametrize(
    ("provider", "keys"),
    [
        ("acedata-sora", "task_id"),
        ("octopusx", "id task_id object model status progress created_at seconds size"),
        ("ezmodel", "id object model status progress created_at seconds"),
    ],
)
def test_a_create_answers_as_the_pages_show(world: World, provider: str, keys: str) -> None:
    """With these keys, in this order."""
    _, client = world.start(provider)
    answer = client.create()
    assert (answer.status, list(answer.json())) == (200, keys.split())


@pytest.mark.parametrize("provider", GATEWAY)
def test_polls_move_a_task_on(world: World, provider: str) -> None:
    """As many as were asked for; progress never falls."""
    _, client = world.start(provider, ready_after=(2, 3))
    id = client.created()
    polls = [client.poll(id).json() for _ in range(7)]
    first = "queued" if provider == "octopusx" else "pending"
    words = [first, first, "processing", "processing", "processing", "completed", "completed"]
    assert [poll["status"] for poll in polls] == words
    progress = [poll["progress"] for poll in polls]
    assert progress == sorted(progress)


def test_a_batch_is_one_poll_of_each_of_its_tasks(world: World) -> None:
    """However often an id stands in it; the request is the create's body, verbatim."""
    _, client = world.start("acedata-veo", ready_after=(1, 1))
    id = client.created()
    ended = [["response" in item for item in client.batch(id, id).json()["items"]] for _ in range(3)]
    assert ended == [[False, False], [False, False], [True, True]]
    assert client.poll(id).json()["request"] == {"prompt": "a cat", "model": "m", "async": True}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_creates_are_counted_whatever_is_answered(world: World, provider: str) -> None:
    """Refused, broken and lost ones too; polls aren't."""
    stand_in, client = world.start(provider, trouble=["lost-create"])
    with pytest.raises(http.client.RemoteDisconnected):
        client.create()
    with pytest.raises(http.client.RemoteDisconnected):
        client.create(key="sk-wrong")
    client.poll(stand_in.tasks["queued"])
    assert stand_in.creates == len(stand_in.costly) == 2
    assert [seen.method for seen in stand_in.requests][:2] == ["POST", "POST"]


def test_a_lost_create_has_made_its_task(world: World) -> None:
    """The listing shows it, where there is one."""
    _, client = world.start("acedata-sora", profile="current", trouble=["lost-create"])
    with pytest.raises(http.client.RemoteDisconnected):
        client.create()
    found = client.ask("POST", "/sora/tasks", {"action": "retrieve_batch"}).json()
    assert (found["count"], found["items"][0]["request"]["prompt"]) == (5, "a cat")


@pytest.mark.parametrize(
    ("method", "path", "is_costly"),
    [
        ("POST", "/v1/videos/video_1/remix", True),
        ("POST", "/v1/videos/edits", True),
        ("POST", "//V1/videos/", True),
        ("POST", "/veo/upsample", True),
        ("POST", "/v1/video/create", True),
        ("GET", "/v1/videos", False),
        ("POST", "/sora/tasks", False),
        ("DELETE", "/v1/videos/video_1", False),
    ],
)
def test_what_could_cost_money_is_told(world: World, method: str, path: str, *, is_costly: bool) -> None:
    """By method and path alone, whatever this provider has; a sloppy path counts as well."""
    stand_in, client = world.start("octopusx")
    client.ask(method, path)
    assert bool(stand_in.costly) is is_costly


# Links


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_link_needs_no_key_but_its_signature(world: World, provider: str) -> None:
    """HEAD has no body; a changed query is refused, where there is one."""
    stand_in, client = world.start(provider)
    link = client.link(stand_in.tasks["completed"])
    whole = client.fetch(link)
    assert (whole.status, whole.type, whole.body) == (200, "video/mp4", VIDEO)
    head = client.fetch(link, "HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(VIDEO)), b"")
    assert client.fetch(link + ("&" if "?" in link else "?") + "sig=x").status == 403
    assert "x-request-id" not in whole.headers


@pytest.mark.parametrize(
    ("asked_for", "status", "first", "last"),
    [
        ("bytes=0-3", 206, 0, 3),
        ("bytes=4-", 206, 4, len(VIDEO) - 1),
        ("bytes=-8", 206, len(VIDEO) - 8, len(VIDEO) - 1),
        ("bytes=0-999999", 206, 0, len(VIDEO) - 1),
        ("bytes=0-1,4-5", 200, None, None),
        ("bytes=-", 200, None, None),
        ("bytes=5-2", 200, None, None),
        ("lines=1-2", 200, None, None),
        ("bytes=999999-", 416, None, None),
    ],
)
def test_a_part_of_the_video_is_206(
    world: World, asked_for: str, status: int, first: int | None, last: int | None
) -> None:
    """One range of bytes; any other is ignored, and one behind the end is 416."""
    stand_in, client = world.start("ezmodel")
    answer = client.fetch(client.link(stand_in.tasks["completed"]), Range=asked_for)
    assert answer.status == status
    if first is not None and last is not None:
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(VIDEO)}"
        assert answer.body == VIDEO[first : last + 1]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_link_dies_when_it_says(world: World, provider: str) -> None:
    """`expires_at`, or Sora's `se`; Veo's says nothing and doesn't die."""
    now = [1_760_105_642.5]
    _, client = world.start(provider, clock=lambda: now[0], link_lives=60.0)
    id = client.finished()
    link = client.link(id)
    if provider == "acedata-sora":
        dies = datetime.fromisoformat(parse_qs(urlsplit(link).query)["se"][0]).timestamp()
    elif provider == "acedata-veo":
        dies = now[0] + 60
    else:
        dies = client.poll(id).json()["expires_at"]
    assert dies == pytest.approx(now[0] + 60, abs=1)
    now[0] = dies - 0.1
    assert client.fetch(link).status == 200
    now[0] = dies
    assert client.fetch(link).status == (200 if provider == "acedata-veo" else 403)
    if provider in GATEWAY:
        assert client.ask("GET", f"/v1/videos/{id}/content").status == 502


def test_veo_s_dates_are_those_of_utc_plus_8(world: World) -> None:
    """The sample's task: its creation and the video's dates."""
    _, client = world.start("acedata-veo", clock=lambda: 1753435158.509)
    (video,) = client.poll(client.finished()).json()["response"]["data"]
    assert video["created_at"] == "2025-07-25 17:19:18"
    assert datetime.fromtimestamp(1753435158, UTC).hour == 9


# Troubles


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("trouble", ["login-redirect", "html"])
def test_a_login_page_stands_before_everything(world: World, provider: str, trouble: str) -> None:
    """As an answer, or as where one is sent."""
    stand_in, client = world.start(provider, trouble=[trouble])
    for answer in (client.poll(stand_in.tasks["queued"]), client.create(), client.ask("GET", "/")):
        if trouble == "html":
            assert (answer.status, answer.type) == (200, "text/html; charset=utf-8")
        else:
            assert (answer.status, answer.headers["location"]) == (302, "/login")
    page = client.ask("GET", "/login")
    assert (page.status, page.type) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", PROFILES)
def test_the_first_two_requests_of_a_path_are_limited(world: World, provider: str, profile: str) -> None:
    """With a second to wait; a create that is refused makes nothing."""
    stand_in, client = world.start(provider, profile=profile, trouble=["rate-limits"])
    answers = [client.poll(stand_in.tasks["queued"]) for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["1", "1", None]
    assert [client.create().status for _ in range(3)] == [429, 429, 200]


def test_the_gateway_words_a_limited_create_in_its_own_way(world: World) -> None:
    """In profile current: the second family rather than the first."""
    stand_in, client = world.start("octopusx", profile="current", trouble=["rate-limits-forever"])
    assert client.create().json()["code"] == "fail_to_fetch_task"
    polls = [client.poll(stand_in.tasks["queued"]) for _ in range(4)]
    assert {(poll.status, poll.json()["error"]["type"]) for poll in polls} == {(429, "new_api_error")}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_good_key_is_refused(world: World, provider: str) -> None:
    """As a wrong one."""
    stand_in, client = world.start(provider, trouble=["refuses-key"])
    assert client.poll(stand_in.tasks["queued"]).status == 401
    assert client.create().status == 401


@pytest.mark.parametrize("provider", PROVIDERS)
def test_tasks_that_are_someone_else_s_are_unknown(world: World, provider: str) -> None:
    """Those from the start; one's own is there."""
    stand_in, client = world.start(provider, trouble=["not-mine"])
    unknown = asked(client, "unknown task")
    for id in stand_in.tasks.values():
        assert facts(client.poll(id)) == facts(unknown)
    assert facts(client.poll(client.created())) != facts(unknown)


def test_a_reset_is_a_reset(world: World) -> None:
    """Of every connection; what was asked is on the list all the same."""
    stand_in, client = world.start("ezmodel", trouble=["resets"])
    with pytest.raises(ConnectionResetError) as caught:
        client.poll("vid_1")
    assert caught.type is ConnectionResetError  # an orderly end is a RemoteDisconnected, which is one too
    assert [seen.path for seen in stand_in.requests] == ["/v1/videos/vid_1"]


def test_a_huge_body_is_50_mb_of_json(world: World) -> None:
    """The length is told before; who has enough may leave."""
    stand_in, client = world.start("octopusx", trouble=["huge"])
    address = urlsplit(stand_in.url)
    assert address.hostname
    other = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
    other.request("GET", "/v1/videos/video_1")
    answer = other.getresponse()
    assert int(answer.headers["content-length"]) > 50_000_000
    assert answer.read(9) == b'{"id":"xx'
    answer.close()
    other.close()
    client.close()


def test_a_deep_body_is_json_all_the_same(world: World) -> None:
    """Of 100,000 levels."""
    _, client = world.start("acedata-veo", trouble=["deep"])
    body = client.poll("x").body
    assert (body.count(b"["), body.count(b"]"), body[:7]) == (100_000, 100_000, b'{"id":[')


def test_a_body_may_be_no_utf_8(world: World) -> None:
    """Though it says JSON."""
    _, client = world.start("acedata-sora", trouble=["not-utf8"])
    answer = client.poll("x")
    assert answer.type == "application/json"
    with pytest.raises(UnicodeDecodeError):
        answer.body.decode()


def test_closing_ends_a_kept_connection() -> None:
    """At once, from the stand-in's side."""
    with StandIn("ezmodel") as stand_in, socket.create_connection(("127.0.0.1", _port(stand_in))) as kept:
        kept.settimeout(PATIENCE)
        kept.sendall(b"GET /v1/nothing HTTP/1.1\r\n\r\n")
        assert kept.recv(12) == b"HTTP/1.1 404"
        stand_in.__exit__()
        while kept.recv(65536):
            pass


def _port(stand_in: StandIn) -> int:
    port = urlsplit(stand_in.url).port
    assert port is not None
    return port


def test_closing_ends_an_answer_that_waits() -> None:
    """Else a test of a slow provider would take half a minute."""
    came: list[type[Exception]] = []
    with StandIn("ezmodel", trouble=["slow"]) as stand_in:
        client = Client(stand_in, "ezmodel")

        def wait() -> None:
            try:
                client.poll("vid_1")
            except (OSError, http.client.HTTPException) as error:
                came.append(type(error))

        waiting = threading.Thread(target=wait)
        waiting.start()
        while not stand_in.requests:
            waiting.join(0.002)
        assert waiting.is_alive()
    waiting.join(PATIENCE)
    client.close()
    assert came == [http.client.RemoteDisconnected]


# Planted texts

SECRETS: Final = {
    name: f"planted-{name}"
    for name in (
        "user_id",
        "application_id",
        "credential_id",
        "message",
        "header",
        "link",
        "body",
        "prompt",
    )
}
CALLER: Final = {"user_id", "application_id", "credential_id", "prompt"}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("profile", PROFILES)
def test_planted_texts_are_where_they_were_planted(world: World, provider: str, profile: str) -> None:
    """A record has all; the others' tasks know neither callers nor prompts."""
    stand_in, client = world.start(provider, profile=profile, secrets=SECRETS)
    answer = client.poll(stand_in.tasks["completed"])
    planted = {name for name, text in SECRETS.items() if text.encode() in answer.body}
    assert planted == {"link", "body"} | (CALLER if provider in ACEDATA else set())
    assert (answer.headers["set-cookie"], answer.headers["x-account"]) == (SECRETS["header"],) * 2
    assert client.fetch(client.link(stand_in.tasks["completed"])).body == VIDEO
    assert SECRETS["message"].encode() in client.poll(stand_in.tasks["failed"]).body
    refused = client.poll(stand_in.tasks["completed"], key="sk-wrong").json()["error"]["message"]
    assert f"sk-wrong {SECRETS['message']}" in refused


# The server


def test_a_stand_in_speaks_https(world: World) -> None:
    """With the tests' certificate, which nobody trusts; a client that says so is no defect."""
    stand_in, _ = world.start("octopusx", scheme="https")
    address = urlsplit(stand_in.url)
    assert (address.scheme, address.hostname) == ("https", "127.0.0.1")
    wary = http.client.HTTPSConnection("127.0.0.1", address.port, timeout=PATIENCE)
    with pytest.raises(ssl.SSLCertVerificationError):
        wary.request("GET", "/")
    wary.close()
    context = ssl._create_unverified_context()  # noqa: S323, SLF001 - it is the certificate that isn't to be looked at
    trusting = http.client.HTTPSConnection("127.0.0.1", address.port, timeout=PATIENCE, context=context)
    trusting.request("GET", f"/v1/videos/{stand_in.tasks['queued']}", headers={"Authorization": KEY})
    assert trusting.getresponse().status == 401
    trusting.close()


def test_a_body_may_come_in_chunks(world: World) -> None:
    """As some clients send one of unknown length; what was sent is on the list."""
    stand_in, client = world.start("acedata-sora")
    answer = client.ask("POST", "/sora/tasks", iter([b'{"id": "', b"x", b'"}']))
    assert (answer.status, answer.body) == (200, b"{}")
    (seen,) = stand_in.requests
    assert (seen.method, seen.path, seen.query, seen.body) == ("POST", "/sora/tasks", "", b'{"id": "x"}')
    assert seen.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "options",
    [{"drift": ["nonsense"]}, {"trouble": ["nonsense"]}, {"profile": "nonsense"}, {"scheme": "nonsense"}],
    ids=str,
)
def test_an_unknown_name_is_refused(options: dict[str, Any]) -> None:
    """At once, and named."""
    with pytest.raises(ValueError, match="nonsense"):
        StandIn("octopusx", **options)
    with pytest.raises(ValueError, match="nonsense"):
        StandIn("nonsense")


def test_every_name_has_a_sentence() -> None:
    """And those without effect are names."""
    assert all(text.endswith(".") for text in (*DRIFTS.values(), *TROUBLES.values()))
    assert NO_EFFECT.keys() <= DRIFTS.keys()


def test_it_shares_no_code_with_the_emulator() -> None:
    """Nor with the tests' helpers, which know it."""
    script = "import sys, tests.contract.standin; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    modules = done.stdout.split()
    assert not [name for name in modules if name.partition(".")[0] == "emulator"]
    ours = {name for name in modules if name.startswith("tests.")} - {"tests.contract"}
    assert "tests.contract.standin" in ours
    assert all(name.startswith("tests.contract.standin") for name in ours)


def test_it_can_be_run_by_hand(tmp_path: Path) -> None:
    """From anywhere; it tells its URL, key and tasks, and ends by Ctrl-C."""
    command = [sys.executable, str(Path(__file__).with_name("standin.py")), "ezmodel", "--drift", "new-word"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - our own
        assert running.stdout is not None
        try:
            lines = [running.stdout.readline().split() for _ in range(6)]
            assert [line[0] for line in lines] == ["url", "key", "task", "task", "task", "task"]
            address = urlsplit(lines[0][1])
            http_client = http.client.HTTPConnection("127.0.0.1", address.port, timeout=PATIENCE)
            http_client.request(
                "GET", f"/v1/videos/{lines[3][2]}", headers={"Authorization": f"Bearer {lines[1][1]}"}
            )
            assert json.loads(http_client.getresponse().read())["status"] == "rendering"
            http_client.close()
            running.send_signal(signal.SIGINT)
            assert running.wait(PATIENCE) == 0
        finally:
            running.kill()
