"""Creates that hold their connection until their task ends: AceData's, without ``async`` or ``callback_url``."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from typing import Any, Final

import httpx
import pytest

from emulator import Emulator
from tests import serving

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
KEY: Final = {"authorization": "Bearer sk-test"}
BOTH: Final = ["sora", "veo"]
POLLED: Final = """version: 1
tasks:
  - timeline:
      - {status: queued, polls: 3}
      - {status: processing, for: 5s}
      - {status: processing, polls: 2}
      - {status: completed}
"""
FAILED: Final = """version: 1
tasks:
  - timeline: [{status: queued, for: 5s}, {status: failed, error: %s}]
"""


class Asking:
    """A create in a thread of its own, and what came of it."""

    def __init__(self, url: str, body: Any, headers: dict[str, str]) -> None:
        self.answer: httpx.Response | None = None
        self.problem: Exception | None = None
        self._ask = partial(httpx.post, url, json=body, headers=headers, timeout=serving.PATIENCE)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.answer = self._ask()
        except httpx.HTTPError as problem:
            self.problem = problem

    def answered(self) -> httpx.Response:
        """The answer, once it has come."""
        self.thread.join(serving.PATIENCE)
        assert self.answer is not None, self.problem
        return self.answer


@contextmanager
def held(emulator: Emulator, service: str = "sora", **headers: str) -> Iterator[Asking]:
    """A create that is held, once its task is there."""
    known = {task.id for task in emulator.tasks.list().tasks}
    url = f"{emulator.url('acedata-sora')}/{service}/videos"
    body = {"prompt": "a cat", "action": "text2video"}
    asking = Asking(url, body, {**KEY, **headers})
    until(lambda: any(task.id not in known for task in emulator.tasks.list().tasks))
    yield asking
    asking.thread.join(serving.PATIENCE)


def until(holds: Callable[[], bool]) -> None:
    """Ask again and again until it holds: it does soon."""
    for _ in range(100_000):
        if holds():
            return
    raise AssertionError("it never came to pass")


def task_of(emulator: Emulator) -> str:
    """The id of the newest task."""
    return emulator.tasks.list().tasks[0].id


def record(emulator: Emulator, service: str = "sora") -> Any:
    """The newest task as a poll shows it."""
    url = f"{emulator.url('acedata-sora')}/{service}/tasks"
    return httpx.post(url, json={"id": task_of(emulator)}, headers=KEY).json()


@pytest.mark.parametrize("service", BOTH)
def test_it_is_answered_when_the_clock_passes_the_end(service: str) -> None:
    """With what the record has as its response, dated at the task's end, wherever the clock has gone since."""
    with Emulator(start=START) as emulator:
        with held(emulator, service) as asking:
            emulator.clock.advance("9s")
            assert record(emulator, service).get("response") is None
            emulator.clock.advance("1h")
        answer = asking.answered()
        assert answer.status_code == 200
        assert answer.json() == record(emulator, service)["response"]
        assert answer.headers["date"] == "Wed, 01 Jan 2025 00:00:10 GMT"
        assert httpx.get(answer.json()["data"][0]["video_url"]).content[4:8] == b"ftyp"


@pytest.mark.parametrize(
    "fields", [{"async": True}, {"async": "true"}, {"callback_url": "http://127.0.0.1:1/"}]
)
@pytest.mark.parametrize("service", BOTH)
def test_what_asks_for_it_is_answered_at_once(service: str, fields: dict[str, Any]) -> None:
    """With the id alone."""
    with Emulator(start=START) as emulator:
        url = f"{emulator.url('acedata-sora')}/{service}/videos"
        assert list(httpx.post(url, json={"prompt": "x", **fields}, headers=KEY).json()) == ["task_id"]


@pytest.mark.parametrize("value", [False, None, "yes", 0, 1])
def test_async_is_true_or_it_is_nothing(value: Any) -> None:
    """What else a client may send there holds the connection, as a client that says false expects."""
    with Emulator(start=START, clock="auto") as emulator:
        body = {"prompt": "a cat", "async": value, "callback_url": ""}
        answer = httpx.post(f"{emulator.url('acedata-sora')}/sora/videos", json=body, headers=KEY)
        assert answer.json()["success"] is True


@pytest.mark.parametrize(
    ("error", "status_code", "code"),
    [
        ("internal", 500, "api_error"),
        ("{code: odd, message: No.}", 500, "odd"),
        ("rate_limited", 429, "too_many_requests"),
    ],
)
def test_a_failed_task_is_an_error_of_the_call(error: str, status_code: int, code: str) -> None:
    """In the form of documents/000, with the task's own trace id."""
    with Emulator(FAILED % error, start=START, clock="auto") as emulator:
        answer = httpx.post(f"{emulator.url('acedata-sora')}/sora/videos", json={"prompt": "a"}, headers=KEY)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status_code, code)
        assert list(answer.json()) == ["success", "error", "trace_id"]
        assert answer.json()["trace_id"] == record(emulator)["trace_id"]


@pytest.mark.parametrize("clock", ["auto", "scaled:1000"])
def test_a_clock_that_moves_by_itself_answers_it(clock: str) -> None:
    """After ten seconds of its own."""
    with Emulator(start=START, clock=clock) as emulator:
        answer = httpx.post(f"{emulator.url('acedata-sora')}/sora/videos", json={"prompt": "a"}, headers=KEY)
        assert answer.json()["success"] is True
        (task,) = emulator.tasks.list().tasks
        ended_at = datetime.fromisoformat(task.ended_at or "")
        assert answer.headers["date"] == format_datetime(ended_at, usegmt=True)


def test_it_works_without_a_socket() -> None:
    """Through a transport."""
    with Emulator(start=START, clock="auto") as emulator:
        with httpx.Client(transport=emulator.transport(), headers=KEY) as http:
            answer = http.post("http://api.acedata.cloud/sora/videos", json={"prompt": "a"})
        assert answer.json()["success"] is True


def test_polls_take_no_time_while_it_is_held() -> None:
    """Nobody could send them: the task ends after what the other entries take."""
    with Emulator(POLLED, start=START) as emulator:
        with held(emulator) as asking:
            assert emulator.tasks.list().tasks[0].status == "processing"
            emulator.clock.advance("5s")
        assert asking.answered().json()["success"] is True


def test_a_step_by_hand_answers_it() -> None:
    """A task that waits for one, too; and a reset, in words of the emulator's own."""
    with Emulator("version: 1\ntasks: [{progression: manual}]\n", start=START) as emulator:
        with held(emulator) as asking:
            emulator.clock.advance("1h")
            emulator.tasks.complete(task_of(emulator))
        assert asking.answered().json()["success"] is True
        with held(emulator) as asking:
            emulator.reset()
        assert asking.answered().status_code == 503
        assert "reset" in asking.answered().json()["video_emulator"]["error"]


def test_who_hangs_up_leaves_the_task_alive() -> None:
    """Polls count again from then on, and the journal says that nobody got the answer."""
    with Emulator(POLLED, start=START) as emulator:
        url = httpx.URL(f"{emulator.url('acedata-sora')}/sora/videos")
        served = serving.Served(url.port or 0)
        body = json.dumps({"prompt": "a cat"}).encode()
        head = f"POST {url.path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer x\r\ncontent-length: {len(body)}\r\n\r\n"
        with served.connect() as wire:
            wire.send([head.encode() + body])
            until(lambda: emulator.tasks.list().total == 1)
        until(lambda: emulator.requests("create").count() == 1)
        (create,) = emulator.requests("create").list()
        assert create.answer.status_code == 499
        emulator.clock.advance("5s")
        assert [record(emulator).get("response") for _ in range(2)] == [None, None]
        assert record(emulator)["response"]["success"] is True


def _lines(answer: httpx.Response) -> list[Any]:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_it_comes_in_lines_where_the_client_accepts_them() -> None:
    """One for each state on the way, the last as the whole answer would have been."""
    with Emulator(start=START) as emulator:
        with held(emulator, accept="application/x-ndjson") as asking:
            emulator.clock.advance("1h")
        answer = asking.answered()
        assert answer.headers["content-type"] == "application/x-ndjson"
        pending, processing, last = _lines(answer)
        assert [pending["data"][0]["state"], processing["data"][0]["state"]] == ["pending", "processing"]
        assert last == record(emulator)["response"]
        assert pending["task_id"] == last["task_id"]
        assert pending["data"][0]["id"] == last["data"][0]["id"]


@pytest.mark.parametrize("effect", ["slow_body: {over: 1s}", "fault: truncate_body"])
def test_what_a_rule_slows_down_or_breaks_comes_whole(effect: str) -> None:
    """The rule is about one answer; lines are several."""
    scenario = f"version: 1\nrules:\n  - {{operation: create, {effect}}}\n"
    with Emulator(scenario, start=START, clock="auto") as emulator:
        url, asked = f"{emulator.url('acedata-sora')}/sora/videos", {**KEY, "accept": "application/x-ndjson"}
        with httpx.stream("POST", url, json={"prompt": "a"}, headers=asked) as answer:
            assert answer.headers["content-type"] == "application/json"


def test_veo_and_what_is_asynchronous_come_whole() -> None:
    """The web client asks both for lines and reads JSON."""
    with Emulator(start=START, clock="auto") as emulator:
        base, asked = emulator.url("acedata-veo"), {**KEY, "accept": "application/x-ndjson"}
        whole = httpx.post(f"{base}/veo/videos", json={"prompt": "a"}, headers=asked)
        assert whole.headers["content-type"] == "application/json"
        at_once = httpx.post(f"{base}/sora/videos", json={"prompt": "a", "async": True}, headers=asked)
        assert list(at_once.json()) == ["task_id"]


def test_rules_refuse_and_patch_it_as_any_create() -> None:
    """A refusal comes at once; headers and patches stand in the answer that was held."""
    text = """version: 1
rules:
  - {operation: create, calls: 1, error: rate_limited}
  - {operation: create, patch: {note: seen}, headers: {x-note: seen}}
"""
    with Emulator(text, start=START, clock="auto") as emulator:
        url = f"{emulator.url('acedata-sora')}/sora/videos"
        assert httpx.post(url, json={"prompt": "a"}, headers=KEY).status_code == 429
        answer = httpx.post(url, json={"prompt": "a"}, headers=KEY)
        assert (answer.json()["note"], answer.headers["x-note"]) == ("seen", "seen")


def test_a_server_that_stops_lets_go_of_what_is_held() -> None:
    """After its grace; the client sees the connection close."""
    with serving.process("--clock", "manual", "--grace", "0") as server:
        asking = Asking(f"{server.url}/acedata/sora/videos", {"prompt": "a"}, KEY)
        until(lambda: server.get("/__admin/tasks").json()["total"] == 1)
    asking.thread.join(serving.PATIENCE)
    assert isinstance(asking.problem, httpx.HTTPError)
