"""What a fault strikes, and what it leaves behind: tasks, counts, the journal, coverage."""

import json
from typing import Any, Final

import pytest

from emulator.core.scenario import ClockSettings
from emulator.core.words import FaultName
from tests.faults.servers import POLL, SCENARIO, Heard, Kind, Line, heard, request, serving, world
from tests.serving import Served
from tests.worlds import START, World

CREATE: Final = request("/octopusx/v1/videos", method="POST", body=b'{"prompt": "a cat"}')
AS_HTTP: Final = ("wrong_content_type", "invalid_json", "html_error_page")
MEDIA: Final = "/octopusx/v1/videos/video_1/content"


def tasks_in(served: Served) -> list[Any]:
    """The tasks that clients made."""
    tasks = served.get("/__admin/tasks").json()["tasks"]
    return [task for task in tasks if task["id"] != "video_1"]


def entries_in(served: Served) -> list[Any]:
    """The journal, oldest first."""
    found: list[Any] = served.get("/__admin/requests").json()["requests"]
    return found


# Creates


@pytest.mark.parametrize("fault", list(FaultName))
def test_a_create_whose_answer_is_broken_has_made_its_task(fault: str) -> None:
    """Only the answer is lost; who asks again has two."""
    with serving(world(f"{{operation: create, calls: 1, fault: {fault}}}").app) as served:
        with Line(served) as line:
            line.send(CREATE)
            if fault in {"hang", "stall"}:
                line.until_silent(None if fault == "hang" else 1)
            elif fault not in AS_HTTP:
                line.rest()
            else:
                line.receive()
            assert len(tasks_in(served)) == 1
        assert served.send(CREATE).status_code == 200
        assert len(tasks_in(served)) == 2


def test_a_create_that_would_be_refused_makes_nothing_and_is_broken_all_the_same() -> None:
    """The provider's own validation comes between the rule and the wire."""
    bad = request("/octopusx/v1/videos", method="POST", body=b"{")
    with serving(world("{operation: create, fault: truncate_body}").app) as served:
        answer = heard(served, bad)
        assert answer.head.startswith(b"http/1.1 400")
        assert len(answer.body) == round(answer.announced / 2)
        assert tasks_in(served) == []


# Polls


def test_a_broken_poll_is_no_poll_of_an_entry() -> None:
    """It counts for `calls`; an entry of two polls shows two that came."""
    text = """
version: 1
profile: documented
tasks:
  - id: video_1
    timeline:
      - {status: queued, polls: 2}
      - {status: completed}
rules:
  - {operation: poll, calls: [1, 3], fault: connection_reset}
"""
    with serving(World(text).app) as served:
        seen = [heard(served, request(POLL, connection="close")) for _ in range(5)]
    assert [answer.end for answer in seen] == ["reset", "closed", "reset", "closed", "closed"]
    words = [json.loads(answer.body)["status"] for answer in seen if answer.end == "closed"]
    assert words == ["queued", "queued", "completed"]


def test_a_fault_for_one_task_breaks_the_answer_to_a_batch() -> None:
    """And none of its tasks was polled."""
    text = """
version: 1
tasks:
  - {id: a, timeline: [{status: queued, polls: 1}, {status: completed}]}
  - {id: b, timeline: [{status: queued, polls: 1}, {status: completed}]}
rules:
  - {operation: poll, match: {id: b}, times: 1, fault: truncate_body}
"""
    body = b'{"ids": ["a", "b"], "action": "retrieve_batch"}'
    with serving(World(text).app) as served:
        batch = request("/acedata/sora/tasks", method="POST", body=body, connection="close")
        broken, whole = heard(served, batch), heard(served, batch)
        assert len(broken.body) < broken.announced
        items = json.loads(whole.body)["items"]
    assert [item.get("response") for item in items] == [None, None]


def test_an_unknown_id_is_told_in_a_broken_answer() -> None:
    """The refusal that it would have been."""
    with serving(world("{operation: poll, fault: {truncate_body: 10B}}").app) as served:
        answer = heard(served, request("/octopusx/v1/videos/nobody"))
    assert answer.head.startswith(b"http/1.1 404")
    assert len(answer.body) == 10


# What stands beside


def test_headers_patch_and_delay_stand_beside_a_fault() -> None:
    """They are in what comes of the answer."""
    rule = (
        "{operation: poll, delay: 1ms, headers: {x-a: b}, patch: {id: patched}, fault: {truncate_body: 99%}}"
    )
    with serving(world(rule).app) as served:
        answer = heard(served, request(POLL))
        entry = entries_in(served)[0]
    assert b"x-a: b" in answer.head
    assert answer.body.startswith(b'{"id":"patched"')
    assert entry["delay"] == "1ms"
    assert entry["why"]["rules"][0]["adds"] == ["delay", "patch", "headers"]


@pytest.mark.parametrize(
    ("wait", "told"), [("5s", b"5"), ("{http_date: 5s}", b"wed, 01 jan 2025 00:00:05 gmt")]
)
def test_a_page_takes_the_wait_and_the_headers_of_its_rule(wait: str, told: bytes) -> None:
    """And nothing else of the provider's answer but its date."""
    rule = f"{{operation: poll, headers: {{x-a: b}}, retry_after: {wait}, fault: html_error_page}}"
    with serving(world(rule).app) as served:
        answer = heard(served, request(POLL, connection="close"))
    names = {line.partition(b":")[0] for line in answer.head.split(b"\r\n")[1:]}
    assert names == {b"content-type", b"content-length", b"date", b"x-a", b"retry-after", b"connection"}
    assert b"retry-after: " + told in answer.head


@pytest.mark.parametrize(
    ("fault", "now"),
    [("html_error_page", "2025-01-01T00:00:07Z"), ("connection_reset", "2025-01-01T00:00:00Z")],
)
def test_a_page_with_a_wait_moves_an_auto_clock(fault: str, now: str) -> None:
    """As any refusal does that asks for one; a wait that nobody sees moves nothing."""
    rule = f"rules:\n  - {{operation: poll, retry_after: 7s, fault: {fault}}}\n"
    auto = ClockSettings(mode="auto", start=START)
    with serving(World(SCENARIO + rule, clock=auto).app) as served:
        heard(served, request(POLL, connection="close"))
        assert served.get("/__admin/clock").json()["now"] == now


# Results


def test_a_part_is_truncated_like_the_whole() -> None:
    """A 206 announces the part that was asked for, and brings half of it."""
    with serving(world("{operation: content, fault: truncate_body}").app) as served:
        answer = heard(served, request(MEDIA, range="bytes=100-299"))
        entry = entries_in(served)[0]
    assert answer.head.startswith(b"http/1.1 206")
    assert b"content-range: bytes 100-299/" in answer.head
    assert (answer.announced, len(answer.body)) == (200, 100)
    assert entry["answer"]["size"] == 100
    assert entry["answer"]["fault"] == "truncate_body after 50%"


BODILESS = {"truncate_body": "closed", "wrong_length": "closed", "malformed_chunk": "closed",
            "connection_reset": "reset", "empty_response": "closed"}  # fmt: skip


@pytest.mark.parametrize("fault", BODILESS)
@pytest.mark.parametrize("ours", [True, False], ids=["ours", "h11"])
def test_an_answer_without_a_body_is_struck_before_it_begins(fault: str, ours: bool) -> None:
    """A HEAD has nothing that could break off."""
    kind = Kind() if ours else Kind("h11")
    with serving(world(f"{{operation: content, fault: {fault}}}").app, kind) as served:
        answer = heard(served, request(MEDIA, method="HEAD"))
    assert answer == Heard(b"", BODILESS[fault])


def test_invalid_json_in_place_of_a_video() -> None:
    """A video is none, so what comes only begins."""
    with serving(world("{operation: content, fault: invalid_json}").app) as served:
        answer = served.get(MEDIA)
    assert answer.headers["content-type"] == "application/json"
    assert answer.body == b'{"error": {"message": "'


# Evidence


def test_the_journal_and_the_reason_name_the_fault() -> None:
    """What was answered is what would have been, and how much of it came."""
    with serving(world("{operation: poll, about: Cut., fault: {connection_reset: 50%}}").app) as served:
        answer = heard(served, request(POLL, x_emulator_why="1"))
        entry = entries_in(served)[0]
    rule = entry["why"]["rules"][0]
    assert (rule["effect"], rule["fault"], rule["about"]) == ("fault", "connection_reset after 50%", "Cut.")
    assert entry["why"]["stage"] == "rules"
    told = entry["answer"]
    assert (told["status_code"], told["fault"]) == (200, "connection_reset after 50%")
    assert told["size"] == len(answer.body) < answer.announced
    assert b'"fault":"connection_reset after 50%"' in answer.head


def test_an_answer_that_comes_whole_has_no_fault() -> None:
    """As nearly all."""
    with serving(world("{operation: content, fault: hang}").app) as served:
        served.get(POLL)
        assert entries_in(served)[0]["answer"]["fault"] is None


def test_coverage_knows_a_rule_with_a_fault_and_not_the_entry_behind_it() -> None:
    """The client has met the rule; of the task it saw nothing."""
    with serving(world("{operation: poll, fault: hang}", "{operation: content, fault: hang}").app) as served:
        with Line(served) as line:
            line.send(request(POLL))
            line.until_silent(None)
        parts = served.get("/__admin/coverage").json()["scenarios"][0]["parts"]
    touched = {part["what"] for part in parts if part["touched"]}
    assert touched == {"poll: fault hang"}


def test_a_probability_strikes_by_the_seed_and_by_no_other_rule() -> None:
    """The same polls of a task are broken, whatever rules stand before; others of another task."""
    rule = "{operation: poll, probability: 50%, fault: empty_response}"

    def struck(target: str, *rules: str) -> list[bool]:
        with serving(world(*rules).app) as served:
            return [heard(served, request(target, connection="close")).data == b"" for _ in range(20)]

    usual = struck(POLL, rule)
    assert any(usual)
    assert not all(usual)
    other = "{operation: poll, probability: 50%, headers: {x-a: b}}"
    assert struck(POLL, other, rule) == usual
    assert struck(POLL.replace("octopusx", "ezmodel"), rule) != usual
