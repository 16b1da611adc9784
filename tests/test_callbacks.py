"""Callbacks, at real receivers: what they get, when, how often; and addresses that lead nowhere good."""

import re
import socket
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import Emulator
from emulator.client import Conflict
from emulator.embedded.story import story
from emulator.messages.tasks import CallbackAttempt
from emulator.scenario_file import load_text
from tests.receivers import Got, raw, receiver

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
DONE_AFTER_5S: Final = "[{status: queued, for: 5s}, {status: completed}]"
FAILED_AFTER_5S: Final = (
    "[{status: queued, for: 5s}, {status: failed, error: {code: broken, message: It broke.}}]"
)


def scenario(callback: str = "{after: 0s}", timeline: str = DONE_AFTER_5S) -> str:
    """One in which every task has this timeline and these callbacks."""
    return f"version: 1\ntasks:\n  - timeline: {timeline}\n    callback: {callback}\n"


def at(seconds: float) -> str:
    """An instant so long after the start, as the control API writes it."""
    text = datetime.fromtimestamp(START.timestamp() + seconds, UTC).isoformat().replace("+00:00", "")
    return f"{text.rstrip('0') if '.' in text else text}Z"


def created(emulator: Emulator, url: str, provider: str = "acedata-sora", **fields: Any) -> str:
    """The id of a new task whose end is to be told there."""
    base = emulator.url(provider)
    body = {"prompt": "a cat", "action": "text2video", "callback_url": url, **fields}
    path = "/sora/videos" if provider == "acedata-sora" else "/veo/videos"
    answer = httpx.post(f"{base}{path}", json=body, headers={"authorization": "Bearer sk-test"})
    assert list(answer.json()) == ["task_id"], answer.text
    return str(answer.json()["task_id"])


def record(emulator: Emulator, task: str, provider: str = "acedata-sora") -> Any:
    """The task as a poll shows it."""
    path = "/sora/tasks" if provider == "acedata-sora" else "/veo/tasks"
    base = emulator.url(provider)
    return httpx.post(f"{base}{path}", json={"id": task}, headers={"authorization": "Bearer sk-test"}).json()


def attempts(emulator: Emulator, task: str) -> list[CallbackAttempt]:
    """What the control API tells of a task's callbacks."""
    return emulator.tasks.get(task).facts.callbacks


# What is told, and when


@pytest.mark.parametrize("provider", ["acedata-sora", "acedata-veo"])
def test_the_end_is_told_once_at_its_instant(provider: str) -> None:
    """In the words of the record: what a poll shows as response."""
    with receiver() as hook, Emulator(scenario(), start=START) as emulator:
        task = created(emulator, hook.url, provider)
        emulator.clock.advance("4s999ms")
        assert hook.got == []
        advance = emulator.clock.advance("1ms")
        (got,) = hook.got
        assert got.path == "/hook?of=the+test"
        assert got.headers["content-type"] == "application/json"
        assert got.headers["host"] == f"127.0.0.1:{hook.port}"
        assert got.body == record(emulator, task, provider)["response"]
        assert got.body["success"] is True
        assert httpx.get(got.body["data"][0]["video_url"]).content[4:8] == b"ftyp"
        (attempt,) = attempts(emulator, task)
        assert (attempt.at, attempt.ended_at, attempt.status_code) == (at(5), at(5), 200)
        assert attempt.delivered
        assert [told.task for told in advance.callbacks] == [task]
        assert advance.undelivered == 0
        emulator.clock.advance("10d")
        assert len(hook.got) == 1


def test_a_failure_is_told_too() -> None:
    """With its words, and the task's own trace id."""
    with receiver() as hook, Emulator(scenario(timeline=FAILED_AFTER_5S), start=START) as emulator:
        task = created(emulator, hook.url)
        emulator.clock.advance("5s")
        (got,) = hook.got
        assert got.body == record(emulator, task)["response"]
        assert got.body["error"] == {"code": "broken", "message": "It broke."}
        assert (got.body["success"], got.body["task_id"]) == (False, task)


def test_it_is_sent_twice_or_never_as_the_scenario_says() -> None:
    """Each at its own instant."""
    with receiver() as hook:
        with Emulator(scenario("{after: [0s, 3s]}"), start=START) as emulator:
            task = created(emulator, hook.url)
            emulator.clock.advance("1m")
            assert [(told.number, told.at) for told in attempts(emulator, task)] == [(1, at(5)), (2, at(8))]
            assert hook.got[0].body == hook.got[1].body
        hook.got.clear()
        with Emulator(scenario("{after: []}"), start=START) as emulator:
            task = created(emulator, hook.url)
            emulator.clock.advance("10d")
            assert (hook.got, attempts(emulator, task)) == ([], [])


def test_what_isnt_taken_is_tried_again() -> None:
    """After the waits that the scenario names, and no more often."""
    codes = [500, 302, 404, 200]
    with (
        receiver(lambda _: codes.pop(0)) as hook,
        Emulator(scenario("{retry: [1s, 10s]}"), start=START) as emulator,
    ):
        task = created(emulator, hook.url)
        told = emulator.clock.advance("1h")
        assert [(one.at, one.status_code, one.delivered) for one in attempts(emulator, task)] == [
            (at(5), 500, False),
            (at(6), 302, False),
            (at(16), 404, False),
        ]
        assert told.undelivered == 3
        assert emulator.tasks.get(task).status == "completed"


def test_a_poll_or_a_step_that_ends_the_task_has_it_told() -> None:
    """Without an advance: it falls due at once. An advance that follows waits for it."""
    by_polls = scenario(timeline="[{status: queued, polls: 1}, {status: completed}]")
    with receiver() as hook, Emulator(by_polls, start=START) as emulator:
        task = created(emulator, hook.url)
        record(emulator, task)
        emulator.clock.advance("1ms")
        assert [told.at for told in attempts(emulator, task)] == [at(0)]
        other = created(emulator, hook.url, prompt="a dog")
        emulator.tasks.fail(other)
        emulator.clock.advance("1ms")
        assert [got.body["success"] for got in hook.got] == [True, False]


def test_a_task_of_the_scenario_has_its_end_told_where_it_asks_for_that() -> None:
    """One that had ended before has not, nor one whose request nobody wrote."""
    with receiver() as hook:
        text = f"""version: 1
providers: acedata-sora
tasks:
  - {{id: later, request: {{callback_url: "{hook.url}"}}, timeline: {DONE_AFTER_5S}}}
  - {{id: before, created: -1h, request: {{callback_url: "{hook.url}"}}, timeline: {DONE_AFTER_5S}}}
  - {{id: example, timeline: {DONE_AFTER_5S}}}
"""
        with Emulator(text, start=START) as emulator:
            emulator.clock.advance("1h")
            assert [got.body["task_id"] for got in hook.got] == ["later"]
            assert attempts(emulator, "example") == []


def test_the_other_providers_call_nobody_back() -> None:
    """Whatever a request says."""
    with receiver() as hook, Emulator(scenario(), start=START) as emulator:
        answer = httpx.post(
            f"{emulator.url('octopusx')}/v1/videos",
            json={"prompt": "a cat", "callback_url": hook.url},
            headers={"authorization": "Bearer sk-test"},
        )
        emulator.clock.advance("1h")
        assert attempts(emulator, answer.json()["id"]) == []
        assert hook.got == []


# By the clock

SPLITS = st.lists(st.integers(1, 40), max_size=6)
WAITS = st.lists(st.integers(0, 12), max_size=3)


def _told(callback: str, parts: Sequence[int], codes: Sequence[int]) -> list[tuple[str, int, int, bool]]:
    """The attempts at the callbacks of three tasks that are made a second apart, after advances of so many seconds."""
    answers = iter([*codes, *[200] * 99])
    with receiver(lambda _: next(answers)) as hook, Emulator(scenario(callback), start=START) as emulator:
        tasks = []
        for prompt in ("a", "b", "c"):
            tasks.append(created(emulator, hook.url, prompt=prompt))
            emulator.clock.advance("1s")
        for part in parts:
            emulator.clock.advance(f"{part}s")
        emulator.clock.advance(f"{240 - sum(parts)}s")
        made = [
            (told.at, place, told.number, told.delivered)
            for place, task in enumerate(tasks)
            for told in attempts(emulator, task)
        ]
        assert len(made) == len(hook.got)
        return made


@settings(max_examples=15, deadline=None)
@given(after=WAITS, retry=WAITS, parts=SPLITS, codes=st.lists(st.sampled_from([200, 500]), max_size=12))
def test_any_way_of_splitting_an_advance_gives_the_same_callbacks(
    after: list[int], retry: list[int], parts: list[int], codes: list[int]
) -> None:
    """At the same instants, in the same order, with the same answers."""
    waits = [", ".join(f"{wait}s" for wait in waits) for waits in (after, retry)]
    callback = f"{{after: [{waits[0]}], retry: [{waits[1]}]}}"
    assert _told(callback, parts, codes) == _told(callback, [], codes)


def test_who_asks_while_it_is_told_sees_the_instant_at_which_it_was_due() -> None:
    """Delivery holds no lock: the receiver polls, and another advance is refused meanwhile."""
    seen: list[Any] = []
    with Emulator(scenario("{after: 3s}"), start=START) as emulator:

        def answering(_: Got) -> int:
            seen.append((emulator.clock.state().now, record(emulator, task)["response"]["success"]))
            with pytest.raises(Conflict, match="under way"):
                emulator.clock.advance("1s")
            return 200

        with receiver(answering) as hook:
            task = created(emulator, hook.url)
            emulator.clock.advance("1h")
            assert seen == [(at(8), True)]
            assert emulator.clock.state().now == at(3600)


@pytest.mark.parametrize("clock", ["auto", "scaled:1000", "real"])
def test_a_clock_that_moves_by_itself_sends_it_by_itself(clock: str) -> None:
    """An auto clock once its clients are silent; a running one when the time has come."""
    came = threading.Event()

    def answering(_: Got) -> int:
        came.set()
        return 200

    timeline = (
        "[{status: queued, for: 5s}, {status: completed}]" if clock != "real" else "[{status: completed}]"
    )
    with (
        receiver(answering) as hook,
        Emulator(scenario("{after: 0s}", timeline), start=START, clock=clock) as emulator,
    ):
        created(emulator, hook.url)
        assert came.wait(60)
        assert hook.got[0].body["success"] is True


def test_a_reset_forgets_what_was_to_be_sent() -> None:
    """The same task made again is told by itself."""
    with receiver() as hook, Emulator(scenario(), start=START) as emulator:
        task = created(emulator, hook.url)
        emulator.reset()
        emulator.clock.advance("1h")
        assert hook.got == []
        assert created(emulator, hook.url) == task
        emulator.clock.advance("1h")
        assert len(hook.got) == 1


# Bad addresses, and bad receivers


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://nowhere.invalid/hook", "has no address"),
        ("http://8.8.8.8/hook", "--allow-callbacks"),
        ("http://169.254.169.254/latest/meta-data", "metadata"),
        ("gopher://127.0.0.1/", "expected a URL"),
        ("http://127.0.0.1:1/hook", "no answer"),
    ],
)
def test_what_leads_nowhere_is_a_fact_and_harms_nobody(url: str, reason: str) -> None:
    """The task ends as ever; the advance says what wasn't delivered."""
    with Emulator(scenario(), start=START) as emulator:
        task = created(emulator, url)
        told = emulator.clock.advance("1m")
        (attempt,) = attempts(emulator, task)
        assert reason in (attempt.problem or "")
        assert (attempt.status_code, attempt.delivered, told.undelivered) == (None, False, 1)
        assert record(emulator, task)["response"]["success"] is True


def test_the_emulator_does_not_call_itself() -> None:
    """Not even by another name."""
    with Emulator(scenario(), start=START) as emulator:
        own = httpx.URL(emulator.url("octopusx"))
        for host in ("127.0.0.1", "localhost"):
            task = created(emulator, str(own.copy_with(host=host)) + "/v1/videos", prompt=host)
            emulator.clock.advance("1m")
            assert "the emulator itself listens there" in (attempts(emulator, task)[0].problem or "")
        assert emulator.requests("create").count() == 2


def _silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def _endless(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n")
    while True:
        connection.sendall(bytes(65536))


def _babbling(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"what?\r\n\r\n")


@pytest.mark.parametrize(
    ("serve", "status_code", "problem"),
    [
        (_silent, None, "no answer within 200ms of real time"),
        (_endless, 200, None),
        (_babbling, None, "no answer: "),
    ],
)
def test_a_receiver_that_misbehaves_is_bounded(
    serve: Any, status_code: int | None, problem: str | None
) -> None:
    """One that never answers, or never stops: the time-out is real time, and the clock stands meanwhile."""
    with raw(serve) as hook, Emulator(scenario("{timeout: 200ms}"), start=START) as emulator:
        task = created(emulator, hook.url)
        emulator.clock.advance("1m")
        (attempt,) = attempts(emulator, task)
        assert (attempt.status_code, attempt.ended_at) == (status_code, at(5))
        assert attempt.problem == problem if problem is None else (attempt.problem or "").startswith(problem)


# The report


def _check(emulator: Emulator) -> tuple[str, str]:
    found = next(check for check in emulator.report().checks if check.id == "callback.answered")
    return found.verdict, found.why


def test_the_report_tells_of_callbacks_that_nobody_took() -> None:
    """With the task and what came in place of an answer; one that was taken at last is fine."""
    codes = [500, 200, 500, 500]
    with receiver(lambda _: codes.pop(0)) as hook, Emulator(scenario("{retry: 1s}"), start=START) as emulator:
        assert _check(emulator) == ("not judged", "No callback was sent.")
        created(emulator, hook.url)
        emulator.clock.advance("1m")
        assert _check(emulator)[0] == "passed"
        task = created(emulator, hook.url, prompt="a dog")
        emulator.clock.advance("5s")
        assert "another attempt at it is to come" in _check(emulator)[1]
        emulator.clock.advance("1m")
        assert _check(emulator) == ("failed", "1 of 2 callbacks got no answer of 2xx, to whichever attempt.")
        found = next(check for check in emulator.report().checks if check.id == "callback.answered")
        assert found.evidence[0].task == task
        assert "not taken at 2 attempts: it was answered with 500" in found.evidence[0].about


def test_what_the_emulator_may_not_send_is_not_judged() -> None:
    """Nor what the scenario says needn't be answered."""
    with Emulator(scenario(), start=START) as emulator:
        created(emulator, "http://8.8.8.8/")
        emulator.clock.advance("1m")
        assert _check(emulator)[0] == "not judged"
    with Emulator(scenario() + "expect: {callback: {answered: false}}\n", start=START) as emulator:
        created(emulator, "http://127.0.0.1:1/")
        emulator.clock.advance("1m")
        assert _check(emulator)[0] == "not judged"


# The page


def test_the_page_holds_what_it_says() -> None:
    """Its Python runs, and its scenario has neither mistakes nor warnings."""
    page = (Path(__file__).parents[1] / "docs" / "callbacks.md").read_text(encoding="utf-8")
    (story,) = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    assert load_text(story, "page").warnings == ()
    (script,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    exec(compile(script, "callbacks.md", "exec"), {"__name__": "page"})  # noqa: S102 - the page's own


def test_the_story_of_a_failed_test_tells_of_them() -> None:
    """When each attempt was made, and what came of it."""
    codes = [500, 200]
    with receiver(lambda _: codes.pop(0)) as hook, Emulator(scenario("{retry: 1s}"), start=START) as emulator:
        created(emulator, hook.url)
        emulator.clock.advance("1m")
        told = [line.strip() for line in story(emulator).told.splitlines() if "callback 1" in line]
        assert told == ["callback 1 at 5s: answered 500", "callback 1 at 6s: answered 200"]


def test_who_was_told_the_end_has_met_it() -> None:
    """For coverage: a client that is called back needn't poll. One that took nothing has met nothing."""
    with receiver() as hook, Emulator("callback", start=START) as emulator:
        created(emulator, hook.url)
        emulator.clock.advance("1m")
        assert "completed" in met(emulator)
    with Emulator("callback", start=START) as emulator:
        created(emulator, "http://127.0.0.1:1/")
        emulator.clock.advance("1m")
        assert "completed" not in met(emulator)


def met(emulator: Emulator) -> str:
    """The parts of the scenario that the client has met, as text."""
    (found,) = [one for one in emulator.coverage().scenarios if one.name == "callback"]
    return " ".join(str(part) for part in found.parts if part.touched)
