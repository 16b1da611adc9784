"""Upstreams that aren't the emulator: what drifts is kept as patch, what is broken is told, secrets stay away."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.core.scenario import ClockSettings
from emulator.core.units import MILLISECOND, SECOND, Duration
from emulator.core.words import Profile
from emulator.providers import by_name
from emulator.recorder.recording import Recorded
from emulator.scenario_file import load_text
from tests.contract.standin import StandIn
from tests.recorder.stage import Client, Talk, WaitingClock, listening, recording, talk_again, world
from tests.worlds import START

KEY = "sk-good-standin"
POLLS = 8


def recorded_of(
    provider: str, file: Path, *, key: str = KEY, timeout: Duration = 60 * SECOND, **others: Any
) -> tuple[Talk, Recorded]:
    """What a client sees of a stand-in through the recorder, and what was recorded."""
    clock = WaitingClock(ClockSettings(mode="manual", start=START))
    with (
        StandIn(provider, clock=lambda: clock.now() / SECOND, key=KEY, **others) as upstream,
        recording(upstream.url, provider, clock, file, through_links=True, timeout=timeout) as recorder,
        Client(by_name[provider], recorder.url, clock, key) as client,
    ):
        return client.talk(most=POLLS), recorder.finish()


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("provider", by_name)
def test_a_provider_as_documented_needs_nothing_but_a_timeline(
    provider: str, profile: Profile, tmp_path: Path
) -> None:
    """Neither patches nor words of its own; and the face that was seen is named."""
    _, found = recorded_of(provider, tmp_path / "f.yaml", profile=profile.value)
    assert found.notes == (f"replayed: {found.exchanges} of {found.exchanges} answers alike",)
    told = yaml.safe_load(found.text)
    assert told.get("profile", "documented") == profile.value
    assert set(told) <= {"version", "about", "providers", "profile", "tasks"}
    assert load_text(found.text, "f").warnings == ()


@pytest.mark.parametrize("provider", by_name)
def test_a_member_that_nobody_knows_is_kept_as_patch(provider: str, tmp_path: Path) -> None:
    """On the whole task, since every entry has it; the head of the file and the notes say so."""
    _, found = recorded_of(provider, tmp_path / "f.yaml", drift=("added-field",))
    (item,) = yaml.safe_load(found.text)["tasks"]
    assert item["patch"] == {"queue_position": 3}
    said = "kept as patch, since the emulator prints it otherwise: queue_position"
    assert said in found.notes
    assert f"# - {said}" in found.text
    assert found.alike == found.exchanges
    assert load_text(found.text, "f").warnings == ()
    again = talk_again(found.text, provider, talk=lambda client: client.talk(most=3))
    assert again.steps


@pytest.mark.parametrize(("provider", "name"), [("octopusx", "size"), ("ezmodel", "completed_at")])
def test_a_member_that_is_gone_is_taken_away(provider: str, name: str, tmp_path: Path) -> None:
    """By null, in the entries that would print it."""
    _, found = recorded_of(provider, tmp_path / "f.yaml", drift=("removed-field",))
    (item,) = yaml.safe_load(found.text)["tasks"]
    patches = [item.get("patch"), *(entry.get("patch") for entry in item["timeline"])]
    assert {name: None} in patches
    assert found.alike == found.exchanges


def test_what_no_patch_can_say_is_said_so(tmp_path: Path) -> None:
    """A list in a patch replaces the whole list, link and all: it isn't written."""
    _, found = recorded_of("acedata-sora", tmp_path / "f.yaml", drift=("renamed-field",))
    assert found.alike < found.exchanges
    assert any(note.startswith("can't be said: response.data.0.url") for note in found.notes)
    assert found.notes[0] == f"replayed: {found.alike} of {found.exchanges} answers alike"


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        ("octopusx", [("queued", None), ("processing", "rendering"), ("completed", None)]),
        ("acedata-sora", [("queued", None), ("completed", "done")]),
    ],
)
def test_a_word_that_nobody_knows_is_printed_again(provider: str, told: list[Any], tmp_path: Path) -> None:
    """As that of the status that prints most like it."""
    _, found = recorded_of(provider, tmp_path / "f.yaml", drift=("new-word",))
    timeline = yaml.safe_load(found.text)["tasks"][0]["timeline"]
    assert [(entry["status"], entry.get("word")) for entry in timeline] == told
    assert found.alike == found.exchanges


def test_progress_that_falls_is_told_by_numbers(tmp_path: Path) -> None:
    """Sixty, then thirty."""
    _, found = recorded_of("octopusx", tmp_path / "f.yaml", drift=("progress-falls",))
    progress = [entry.get("progress") for entry in yaml.safe_load(found.text)["tasks"][0]["timeline"]]
    assert progress == [None, 60, 30, None]


def test_a_page_in_place_of_a_video_is_answered_again(tmp_path: Path) -> None:
    """With another page, since nobody knows what that one told."""
    _, found = recorded_of("octopusx", tmp_path / "f.yaml", drift=("not-a-video",))
    (rule,) = yaml.safe_load(found.text)["rules"]
    assert rule["operation"] == "download"
    assert rule["respond"] == {
        "status_code": 200,
        "headers": {"content-type": "text/html"},
        "text": "<h1>200 OK</h1>",
    }


# Troubles

SAID = {
    "login-redirect": "no provider's API gives",
    "html": "no provider's API gives",
    "not-utf8": "no provider's API gives",
    "deep": "no provider's API gives",
    "lost-create": "it closed the connection without an answer",
    "resets": "the connection broke",
    "slow": "no answer within the time limit (--timeout)",
}


@pytest.mark.parametrize("trouble", SAID)
def test_what_is_no_providers_answer_is_told_and_not_recorded(
    trouble: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In a sentence without traceback or key; the client gets what came, or a sentence that is plainly ours."""
    file = tmp_path / "f.yaml"
    clock = WaitingClock(ClockSettings(mode="manual", start=START))
    with (
        caplog.at_level(logging.INFO, "emulator"),
        StandIn("octopusx", trouble=(trouble,), slow_for=1.0, key=KEY) as upstream,
        recording(upstream.url, "octopusx", clock, file, timeout=200 * MILLISECOND) as recorder,
        Client(by_name["octopusx"], recorder.url, clock, KEY) as client,
    ):
        sent = client.send("POST", "/v1/videos", {"prompt": "a cat"})
        found = recorder.finish()
    assert any(SAID[trouble] in note for note in found.notes), found.notes
    assert found.is_empty
    assert not file.exists()
    if sent.status_code == 502:
        assert SAID[trouble] in sent.json()["video_emulator"]["error"]
        assert SAID[trouble] in caplog.text
    told = "\n".join([*found.notes, *recorder.said, caplog.text, sent.text])
    assert KEY not in told
    assert "Traceback" not in told


@contextmanager
def nothing_listens() -> Iterator[str]:
    """The address of a port that was closed."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


def test_an_upstream_that_is_down_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And the recorder goes on."""
    clock = WaitingClock(ClockSettings(mode="manual", start=START))
    with (
        nothing_listens() as url,
        recording(url, "ezmodel", clock, tmp_path / "f.yaml") as recorder,
        Client(by_name["ezmodel"], recorder.url, clock, KEY) as client,
    ):
        for _ in range(2):
            sent = client.send("GET", "/v1/videos/vid_1")
            assert sent.status_code == 502
            assert "the connection was refused" in sent.json()["video_emulator"]["error"]
        found = recorder.finish()
    assert found.notes == (
        "not in the scenario: 2 requests without a whole answer (the connection was refused; nothing listens there)",
    )
    assert KEY not in caplog.text


def test_a_certificate_that_isnt_trusted_is_told(tmp_path: Path) -> None:
    """By what is wrong with it."""
    clock = WaitingClock(ClockSettings(mode="manual", start=START))
    with (
        StandIn("octopusx", scheme="https", key=KEY) as upstream,
        recording(upstream.url, "octopusx", clock, tmp_path / "f.yaml") as recorder,
        Client(by_name["octopusx"], recorder.url, clock, KEY) as client,
    ):
        sent = client.send("GET", "/v1/videos/video_1")
    assert sent.status_code == 502
    assert "its certificate isn't trusted" in sent.json()["video_emulator"]["error"]


def test_a_throttled_client_is_throttled_again(tmp_path: Path) -> None:
    """At the same calls, with the same wait."""
    seen, found = recorded_of("octopusx", tmp_path / "f.yaml", trouble=("rate-limits",))
    rules = yaml.safe_load(found.text)["rules"]
    assert {"operation": "create", "calls": "1-2", "error": "rate_limited", "retry_after": "1s"} in rules
    assert {"operation": "poll", "calls": "1-2", "error": "rate_limited", "retry_after": "1s"} in rules
    assert [step.wait for step in seen.steps[:2]] == [SECOND, SECOND]


def test_a_refused_key_is_told_by_position(tmp_path: Path) -> None:
    """So that the file needs no key; a note says so."""
    _, found = recorded_of("octopusx", tmp_path / "f.yaml", trouble=("refuses-key",))
    (rule,) = yaml.safe_load(found.text)["rules"]
    assert rule == {"operation": "create", "calls": "1-8", "error": "invalid_token"}
    assert any("no key is needed" in note for note in found.notes)


# Secrets

PLANTED = {
    "user_id": "usr-S3cret-1",
    "application_id": "app-S3cret-2",
    "credential_id": "cred-S3cret-3",
    "prompt": "S3cret4 prompt that nobody else may read",
    "message": "S3cret5",
    "header": "S3cret6header",
    "link": "S3cret7link",
    "body": "S3cret8body",
}


@pytest.mark.parametrize("key", [KEY, "sk-live-S3cret9key"])
@pytest.mark.parametrize("provider", by_name)
def test_no_secret_leaves(
    provider: str,
    key: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Neither those of keys, headers, links and bodies, nor ids, links and prompts, whatever is printed or logged."""
    file = tmp_path / "f.yaml"
    with caplog.at_level(logging.DEBUG, "emulator"):
        seen, found = recorded_of(provider, file, key=key, secrets=PLANTED)
    printed = capfd.readouterr()
    told = "\n".join([found.text, *found.notes, caplog.text, printed.out, printed.err])
    assert found.exchanges > 5
    assert "S3cret" not in told
    assert key not in told
    assert "A cat runs" not in told  # the create's prompt
    assert not seen.task_id or seen.task_id not in told
    assert "127.0.0.1" not in found.text
    assert file.read_text(encoding="utf-8") == found.text


def test_an_error_that_quotes_the_prompt_quotes_the_next_ones_too(tmp_path: Path) -> None:
    """By a template; what it said of this one isn't written."""
    told = "{code: refused, message: 'Refused: {{ request.prompt }}'}"
    timeline = f"[{{status: queued, for: 3s}}, {{status: failed, error: {told}}}]"
    under = world(f"version: 1\nproviders: octopusx\ntasks:\n  - timeline: {timeline}\n")
    clock = under.namespace.clock
    with (
        listening(under.app) as url,
        recording(f"{url}/octopusx", "octopusx", clock, tmp_path / "f.yaml") as recorder,
        Client(by_name["octopusx"], recorder.url, clock) as client,
    ):
        client.talk(fields={"prompt": "a very odd cat on a mat"})
        found = recorder.finish()
    (item,) = yaml.safe_load(found.text)["tasks"]
    assert item["timeline"][-1]["error"] == {"code": "refused", "message": "Refused: {{ request.prompt }}"}
    assert "odd cat" not in found.text
    assert found.alike == found.exchanges


@pytest.mark.parametrize("keeps", [True, False])
def test_prompts_stay_where_that_is_asked_for(keeps: bool, tmp_path: Path) -> None:
    """In the request of a task that existed before; otherwise another text stands there."""
    task = "{id: 0f0e0d0c-0000-4000-8000-000000000000, created: -5s, request: {prompt: a very odd cat}}"
    under = world(f"version: 1\nproviders: acedata-veo\ntasks:\n  - {task}\n")
    clock = under.namespace.clock
    with (
        listening(under.app) as url,
        recording(
            f"{url}/acedata", "acedata-veo", clock, tmp_path / "f.yaml", keep_prompts=keeps
        ) as recorder,
        Client(by_name["acedata-veo"], recorder.url, clock) as client,
    ):
        client.talk("0f0e0d0c-0000-4000-8000-000000000000")
        found = recorder.finish()
    (item,) = yaml.safe_load(found.text)["tasks"]
    assert item["request"] == {"prompt": "a very odd cat" if keeps else "Prompt 1 of the recording"}
    assert found.alike == found.exchanges
