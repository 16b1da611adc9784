"""Previews: the conversation that a client has on paper is the one that it would have with the server."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.cli import main
from emulator.core.units import DAY, HOUR, MILLISECOND, MINUTE, SECOND, parse_instant
from emulator.core.words import OperationName, Profile, Status
from emulator.library import Library
from emulator.preview import BEGINNING, MAX_POLLS, Conversation, Step, Wish, conversation, error_in
from emulator.providers import PROVIDERS, by_name
from tests.worlds import START, World

HOST = "127.0.0.1:8080"
HAPPY = "happy-path"


def preview(scenario: str, provider: str = "octopusx", **wishes: Any) -> Conversation:
    """The preview of a scenario that has this text, or this name."""
    library = Library()
    name = scenario
    if "\n" in scenario:
        name = library.add_text(scenario, "under-test", "under-test.yaml").name
    return conversation(library, name, Wish(provider=by_name[provider], **wishes))


def seconds(found: Conversation, operation: str = "poll") -> list[float]:
    """When the exchanges of an operation were."""
    return [step.t / SECOND for step in found.steps if step.operation == operation]


def statuses(found: Conversation) -> list[str | None]:
    """What each poll showed."""
    return [step.status for step in found.steps if step.operation is OperationName.POLL]


# The same road as the server's


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize(
    "scenario", [HAPPY, "rate-limited", "fail-moderation", "slow-responses", "documents"]
)
@pytest.mark.parametrize("provider", list(by_name))
def test_it_shows_what_the_server_answers(scenario: str, provider: str, profile: Profile) -> None:
    """The same requests at the same instants get the same status codes, headers and bodies."""
    found = preview(scenario, provider, profile=profile, every=4 * SECOND)
    world = World(scenario, profile=profile)
    assert len(found.steps) > 3
    for step in found.steps:
        world.advance(START + step.t - world.namespace.clock.now())
        answer = asked(world, provider, step, found)
        assert answer.status_code == step.status_code
        assert {name: answer.headers[name] for name in step.headers} == step.headers
        if step.video is None:
            assert answer.json() == step.body
        else:
            assert answer.headers["content-type"] == "video/mp4"


def asked(world: World, provider: str, step: Step, found: Conversation) -> Any:
    """The server's answer to the request of a step."""
    base = by_name[provider].base
    if step.operation is OperationName.DOWNLOAD:
        return world.get(link_in(found), host=HOST)
    body = None
    if step.operation is OperationName.CREATE:
        body = dict(by_name[provider].example_request)
        if body.pop("callback_url", None):
            body["async"] = True
    elif step.method == "POST":
        body = {"action": "retrieve", "id": found.task_id}
    return world.call(step.method, base + step.path, body, host=HOST)


def link_in(found: Conversation) -> str:
    """Path and query of the link in the last poll before the download."""
    (at,) = [n for n, step in enumerate(found.steps) if step.operation is OperationName.DOWNLOAD]
    polls = [step for step in found.steps[:at] if step.operation is OperationName.POLL]
    (link,) = re.findall(rf'"http://{re.escape(HOST)}(/media/[^"]+)"', json.dumps(polls[-1].body))
    return str(link)


@pytest.mark.parametrize("name", Library().names())
def test_it_is_the_same_every_time(name: str) -> None:
    """For every shipped scenario, whatever the machine's clock shows."""
    for provider in by_name:
        first, second = preview(name, provider), preview(name, provider)
        assert first.steps == second.steps
        assert (first.reason, first.end) == (second.reason, second.end)


@given(every=st.integers(50 * MILLISECOND, 20 * SECOND), provider=st.sampled_from(PROVIDERS))
def test_it_ends_one_poll_past_the_end(every: int, provider: Any) -> None:
    """However often the client polls: in even steps, with progress that never falls, downloading once."""
    found = preview(HAPPY, provider.name, every=every)
    polls = [step for step in found.steps if step.operation is OperationName.POLL]
    assert [step.t for step in polls] == [every * (n + 1) for n in range(len(polls))]
    assert [step.status is Status.COMPLETED for step in polls[-3:]][-2:] == [True, True]
    assert sum(step.status is Status.COMPLETED for step in polls) == 2
    progress = [step.progress for step in polls if step.progress is not None]
    assert progress == sorted(progress)
    assert len(seconds(found, "download")) == 1
    assert found.reason == "terminal"


# When it stops


def test_it_says_that_a_task_is_stuck() -> None:
    """A few polls into an entry that never ends."""
    found = preview(
        "version: 1\ntasks:\n  - timeline: [{status: queued, for: 3s}, {status: processing, stuck: true}]\n"
    )
    assert found.reason == "stuck"
    assert found.end == "stuck: stopped after 12s; the task is processing for good"
    assert statuses(found) == ["queued"] + 5 * ["processing"]


def test_it_stops_at_a_limit() -> None:
    """A task that takes days isn't polled for days."""
    found = preview("version: 1\ntasks:\n  - timeline: [{status: queued, for: 9d}, {status: completed}]\n")
    assert found.reason == "limit"
    assert found.end == "stopped after 1000 polls, at 33m20s; nothing had ended yet"
    assert len(statuses(found)) == MAX_POLLS


def test_it_gives_up_where_polls_do_not_show_the_task() -> None:
    """As a client whose key was withdrawn."""
    found = preview("version: 1\nrules:\n  - {operation: poll, error: invalid_token}\n")
    assert found.reason == "refused"
    assert found.end == "gave up after 20 polls in a row that didn't show the task"
    assert len(statuses(found)) == 20
    assert {step.status_code for step in found.steps if step.operation is OperationName.POLL} == {401}


def test_a_refused_poll_between_others_is_no_reason_to_give_up() -> None:
    """The count of refusals begins anew with each poll that shows the task."""
    text = (
        "version: 1\ntasks:\n  - timeline: [{status: queued, for: 2m}, {status: completed}]\n"
        "rules:\n  - {operation: poll, calls: every 2, error: internal}\n"
    )
    found = preview(text)
    assert found.reason == "terminal"
    assert statuses(found).count(None) > 20


def test_a_create_that_is_refused_for_good_ends_it() -> None:
    """There is nothing to poll then."""
    found = preview("version: 1\nrules:\n  - {operation: create, error: content_rejected}\n")
    assert [step.operation for step in found.steps] == ["create"]
    assert found.end == "the create got 400 and made no task: there is nothing to poll"


def test_a_create_that_is_refused_for_the_moment_is_tried_again() -> None:
    """As long as the answer asks to wait; not for ever."""
    rule = "version: 1\nrules:\n  - {operation: create, calls: CALLS, error: rate_limited, retry_after: 7s}\n"
    found = preview(rule.replace("CALLS", "1-2"))
    assert seconds(found, "create") == [0, 7, 14]
    assert found.reason == "terminal"
    never = preview(rule.replace("CALLS", "1+"))
    assert never.end == "gave up after 10 creates that were refused"
    assert len(never.steps) == 10


@pytest.mark.parametrize("retry_after", ["7s", "{http_date: 7s}"])
def test_it_waits_as_long_as_it_is_asked_to(retry_after: str) -> None:
    """In seconds or until a date."""
    found = preview(
        f"version: 1\nrules:\n  - {{operation: poll, calls: 2, error: rate_limited, retry_after: {retry_after}}}\n"
    )
    assert seconds(found)[:4] == [2, 4, 11, 13]


def test_it_goes_on_for_as_long_as_it_was_told() -> None:
    """Past the end, and then it downloads once more: the link may have died."""
    text = "version: 1\ndefaults: {video: {expires_in: 1m}}\n"
    found = preview(text, every=10 * SECOND, lasting=2 * MINUTE)
    assert seconds(found) == [10 * n for n in range(1, 13)]
    downloads = [
        (step.t // SECOND, step.status_code)
        for step in found.steps
        if step.operation is OperationName.DOWNLOAD
    ]
    assert downloads == [(10, 200), (120, 403)]
    assert (found.reason, found.end) == ("duration", "stopped after 2m; the task is completed")


def test_it_tells_how_long_a_video_is_made() -> None:
    """By the route and by the link."""
    found = preview("version: 1\ndefaults: {video: {bytes: 200MB}}\n")
    assert [step.video for step in found.steps if step.video] == ["720x1280, 10s, 200MB"] * 2


def test_it_ends_with_the_calendar() -> None:
    """A clock that can't be moved on is no defect."""
    found = preview(HAPPY, every=4000 * 365 * DAY)
    assert found.reason == "limit"
    assert found.end.startswith("stopped after 1460000d: the clock ends with the year 9999")


# Which task, which request


EXISTING = """\
version: 1
tasks:
  - {id: first, provider: octopusx, created: -5s}
  - {id: second, provider: octopusx}
  - {id: third, provider: ezmodel, created: "2024-02-03T04:05:06Z"}
"""


def test_tasks_that_a_scenario_brings_along_are_polled() -> None:
    """The first, where it says nothing of new ones; any by its id."""
    found = preview(EXISTING)
    assert [step.operation for step in found.steps[:2]] == ["poll", "poll"]
    assert (found.task_id, found.start) == ("first", BEGINNING)
    assert statuses(found)[0] == "processing"
    assert preview(EXISTING, task_id="second").task_id == "second"
    assert preview(EXISTING, request={"prompt": "a"}).steps[0].operation == "create"
    assert preview(EXISTING, "acedata-sora").steps[0].operation == "create"


def test_it_begins_when_the_task_was_created() -> None:
    """A task of last year was over long ago otherwise, and one of next year unknown."""
    found = preview(EXISTING, "ezmodel")
    assert (found.task_id, found.start) == ("third", parse_instant("2024-02-03T04:05:06Z"))
    assert statuses(found)[0] == "queued"


def test_it_begins_when_the_scenarios_clock_says() -> None:
    """Whatever the clock's mode, it stands still between exchanges."""
    found = preview('version: 1\nclock: {mode: scaled, scale: 60, start: "2030-01-01T00:00:00Z"}\n')
    assert found.start == parse_instant("2030-01-01T00:00:00Z")
    assert seconds(found) == [2, 4, 6, 8, 10, 12]


def test_an_unknown_task_may_begin_with_its_first_poll() -> None:
    """Where the scenario says so; its first poll shows its first entry."""
    text = "version: 1\nunknown_task: start\ntasks:\n  - timeline: [{status: queued, polls: 1}, {status: completed}]\n"
    assert statuses(preview(text, task_id="anything")) == ["queued", "completed", "completed"]


def test_polls_are_counted() -> None:
    """An entry that answers three polls answers three, and a batch of them isn't one too few."""
    text = "version: 1\ntasks:\n  - timeline: [{status: queued, polls: 3}, {status: failed}]\n"
    assert statuses(preview(text)) == 3 * ["queued"] + 2 * ["failed"]


def test_its_request_and_key_are_those_it_was_given() -> None:
    """They decide which task item and which judge they meet."""
    text = (
        "version: 1\nauth: {keys: [sk-good-*], reject: [{key: sk-good-old, operation: create, error: token_expired}]}\n"
        "tasks:\n  - {match: {prompt: {contains: forbidden}}, timeline: [{status: failed}]}\n  - {}\n"
    )
    assert statuses(preview(text))[-1] == "completed"
    assert statuses(preview(text, request={"prompt": "forbidden"})) == ["failed", "failed"]
    assert preview(text, key="sk-good-old").steps[0].status_code == 401
    assert preview(text, key="sk-bad").steps[0].status_code == 401


def test_the_seed_decides_what_is_drawn() -> None:
    """The same one gives the same id, another another."""
    ids = [preview(HAPPY, seed=seed).task_id for seed in (0, "0", 1, "one")]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_it_tells_a_literal_link_from_one_that_is_served() -> None:
    """Only what the emulator serves is downloaded."""
    text = (
        "version: 1\ntasks:\n  - timeline: [{status: completed, video: {url: 'https://a.example/b.mp4'}}]\n"
    )
    assert [step.operation for step in preview(text).steps] == ["create", "poll", "content", "poll"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": {"code": "a", "message": "b"}}, "a: b"),
        ({"error": {"code": "", "message": ""}}, None),
        ({"error": "b"}, "b"),
        ({"response": {"success": False, "error": {"code": "a", "message": "b"}}}, "a: b"),
        ({"code": "a", "message": "b", "data": None}, "a: b"),
        ({"status": "completed"}, None),
        ("text", None),
        (None, None),
    ],
)
def test_it_finds_the_error_in_an_answer(body: Any, told: str | None) -> None:
    """In each of the shapes that the providers have."""
    assert error_in(body) == told


# The command


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Status, stdout and stderr of `preview`."""
    with pytest.raises(SystemExit) as ended:
        main(["preview", *words])
    printed = capsys.readouterr()
    return int(str(ended.value.code)), printed.out, printed.err


def test_its_json_has_the_whole_conversation(capsys: pytest.CaptureFixture[str]) -> None:
    """Every exchange with its answer."""
    status, out, _ = shown(capsys, "rate-limited", "--provider", "ezmodel", "--every", "3s", "--json")
    found = preview("rate-limited", "ezmodel", every=3 * SECOND)
    value = json.loads(out)
    assert status == 0
    assert {name: value[name] for name in ("scenario", "provider", "start", "task", "reason", "end")} == {
        "scenario": "rate-limited",
        "provider": "ezmodel",
        "start": "2025-01-01T00:00:00Z",
        "task": found.task_id,
        "reason": "terminal",
        "end": found.end,
    }
    assert [(step["t"], step["status_code"], step["body"]) for step in value["exchanges"]] == [
        (step.t / SECOND, step.status_code, step.body) for step in found.steps
    ]


def test_its_options_say_which_conversation(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Each reaches the client."""
    file = tmp_path / "mine.yaml"
    file.write_text(EXISTING + "profile: current\n")
    words = (
        "--provider",
        "octopusx",
        "--task",
        "second",
        "--for",
        "9s",
        "--every",
        "3s",
        "--json",
        "--key",
        "k",
    )
    value = json.loads(shown(capsys, str(file), *words)[1])
    assert (value["task"], value["reason"]) == ("second", "duration")
    assert [(step["t"], step["printed"]) for step in value["exchanges"] if step["operation"] == "poll"] == [
        (0.0, "queued"), (3.0, "in_progress"), (6.0, "in_progress"), (9.0, "in_progress"),
    ]  # fmt: skip
    refused = json.loads(shown(capsys, "unauthorized", "--key", "sk-bad", "--json")[1])
    assert [step["status_code"] for step in refused["exchanges"]] == [401]
    made = json.loads(
        shown(
            capsys,
            HAPPY,
            "--request",
            '{"model": "m", "prompt": "p"}',
            "--profile",
            "current",
            "--seed",
            "x",
            "--json",
        )[1]
    )
    assert made["exchanges"][0]["body"]["model"] == "m"
    assert made["exchanges"][2]["printed"] == "in_progress"
    assert made["task"] == preview(HAPPY, seed="x", request={"model": "m", "prompt": "p"}).task_id


def test_the_first_provider_of_the_file_is_the_default(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Another is told that the file isn't about it."""
    file = tmp_path / "mine.yaml"
    file.write_text("version: 1\nproviders: [acedata-veo, ezmodel]\n")
    assert shown(capsys, str(file))[1].startswith("mine at acedata-veo: ")
    other = shown(capsys, str(file), "--provider", "octopusx")[1]
    assert "\n(the scenario isn't about octopusx, which answers as in happy-path)\n" in other


def test_a_long_run_of_the_same_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows that differ in nothing but the time; the last of them says when."""
    out = shown(capsys, "slow-queue", "--every", "30s")[1]
    shown_once = "\n30s    poll       200   queued     queued     0\n4m30s  ... 8 more like it\n5m     poll "
    assert shown_once in out


def test_it_names_the_tasks_that_a_scenario_brings_along(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it shows another."""
    assert "\n(it brings tasks along, which --task polls: video_abc123)\n" in shown(capsys, "documents")[1]
    assert "brings" not in shown(capsys, "documents", "--task", "video_abc123")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope"], "no scenario is called 'nope'; "),
        (["rate-limitd"], "did you mean rate-limited?"),
        (["./nope.yaml"], "1 mistake in ./nope.yaml; there is nothing to show"),
        ([HAPPY, "--every", "0s"], "--every: expected a duration above zero and at most 1000d, such as 2s, got '0s'"),
        ([HAPPY, "--every", "2"], "--every: expected a duration such as 500ms, 5s or 4m15s, got '2'"),
        ([HAPPY, "--for", "9" * 400 + "s"], "--for: "),
        ([HAPPY, "--for", "9d"], "--for: these are 388,800 polls; a preview shows 10,000 at most"),
        ([HAPPY, "--provider", "sora"], "--provider: expected acedata-sora, acedata-veo, octopusx or ezmodel, got"),
        ([HAPPY, "--request", "{"], "--request: the body is not JSON: "),
        ([HAPPY, "--request", "[1]"], "--request: expected a JSON object, got '[1]'"),
        ([HAPPY, "--request", '{"a": 1e999}'], "--request: "),
        ([HAPPY, "--request", "{}", "--task", "a"], "--request makes a new task and --task polls an existing one"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """And exit status 2."""
    status, out, err = shown(capsys, *words)
    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_nothing_of_it_takes_real_time() -> None:
    """An hour of polling is over at once: the command has no way to wait."""
    found = preview("version: 1\nrules:\n  - {operation: poll, delay: 30s}\n", lasting=HOUR, every=MINUTE)
    assert len(statuses(found)) == 60
    assert {step.delay for step in found.steps if step.operation is OperationName.POLL} == {30 * SECOND}


@pytest.mark.parametrize(
    ("name", "provider", "told"),
    [
        ("happy-path", "acedata-sora", (10,)),
        ("callback-twice", "acedata-veo", (10, 13)),
        ("callback-never", "acedata-sora", ()),
        ("stuck-processing", "acedata-sora", None),
        ("happy-path", "octopusx", None),
    ],
)
def test_it_says_when_callbacks_come(name: str, provider: str, told: tuple[int, ...] | None) -> None:
    """Where the create asks for one; who has no end, or no callbacks, has none."""
    request = {"prompt": "a cat", "callback_url": "http://127.0.0.1:1/hook"}
    found = conversation(Library(), name, Wish(provider=by_name[provider], request=request))
    assert found.callbacks == (None if told is None else tuple(at * SECOND for at in told))


def test_a_create_that_is_held_is_answered_at_the_end() -> None:
    """As the server does: after two minutes, with the video."""
    wish = Wish(provider=by_name["acedata-veo"], request={"prompt": "a cat"})
    create = conversation(Library(), "held-create", wish).steps[0]
    assert (create.t, create.status) == (2 * MINUTE, Status.COMPLETED)
    assert create.body["success"] is True
