"""OctopusX on the wire: documents/001 and what stands around it."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.call import Content, Poll, Refusal
from emulator.core.effects import Failure
from emulator.core.plan import Entry, Ramp, plan_of
from emulator.core.task import Task, link_dies_at, state_at
from emulator.core.units import HOUR, SECOND, parse_instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers.base import Clip, Inbound, Operation, Scene, View
from emulator.providers.octopusx import PROVIDER
from tests.providers.json_values import JSON

# documents/001
QUEUED: Final = """{
  "id": "video_abc123",
  "object": "video",
  "model": "sora-2",
  "status": "queued",
  "progress": 0,
  "created_at": 1735689600,
  "completed_at": 0,
  "expires_at": 1735776000,
  "seconds": "10",
  "size": "720x1280",
  "remixed_from_video_id": "",
  "error": {
    "message": "",
    "code": ""
  },
  "video_url": ""
}"""

CREATED_AT: Final = parse_instant("2025-01-01T00:00:00Z")
ENTROPY: Final = bytes(range(48))
LINK: Final = "http://127.0.0.1:8080/media/videos/video_abc123.mp4"
OPERATIONS: Final = {operation.name: operation for operation in reversed(PROVIDER.operations)}
POLL: Final = OPERATIONS[OperationName.POLL]
CREATE: Final = OPERATIONS[OperationName.CREATE]


def view(  # one parameter for each thing that a body depends on
    *entries: Entry,
    after: int = 0,
    profile: Profile = Profile.DOCUMENTED,
    request: Mapping[str, Any] = PROVIDER.example_request,
    values: Mapping[str, Any] | None = None,
    link: str | None = None,
) -> View:
    """The task of documents/001 with a timeline of its own, so long after its creation."""
    task = Task(
        "octopusx",
        "video_abc123",
        CREATED_AT,
        ENTROPY,
        plan_of(entries, scenario="a test's", values=values or {}),
        orjson.dumps(request),
        PROVIDER.echo(request, ENTROPY),
        "http://127.0.0.1:8080",
    )
    now = CREATED_AT + after
    snapshot = state_at(task, now)
    return View(task, snapshot, now, profile, None, link, link_dies_at(task, snapshot, now))


def scene(profile: Profile, path: str = "/v1/videos/video_abc123", status: Status | None = None) -> Scene:
    """A request at the creation's instant."""
    return Scene(profile=profile, method="GET", path=path, now=CREATED_AT, entropy=ENTROPY, status=status)


def inbound(fields: Any, profile: Profile = Profile.DOCUMENTED) -> Inbound:
    """A create with these fields."""
    return Inbound(
        method="POST", path="/v1/videos", params=(), query={}, headers={}, fields=fields, profile=profile
    )


def test_queued_is_the_documents_example() -> None:
    """Every value, the keys' order and the types of documents/001."""
    body = POLL.item(view(Entry(status=Status.QUEUED)))
    assert orjson.dumps(body) == orjson.dumps(orjson.loads(QUEUED))


@pytest.mark.parametrize(
    ("status", "documented", "current"),
    [
        (Status.QUEUED, "queued", "queued"),
        (Status.PROCESSING, "processing", "in_progress"),
        (Status.COMPLETED, "completed", "completed"),
        (Status.FAILED, "failed", "failed"),
        (Status.CANCELLED, "cancelled", "failed"),
    ],
)
def test_every_status_has_its_word_and_the_thirteen_keys(
    status: Status, documented: str, current: str
) -> None:
    """documents/001 lists five words; the keys are the same for each, in both profiles."""
    words = []
    for profile in (Profile.DOCUMENTED, Profile.CURRENT):
        body = POLL.item(view(Entry(status=status), profile=profile))
        words.append(body["status"])
        assert list(body) == list(orjson.loads(QUEUED))
    assert words == [documented, current]


def test_completed_has_its_instant_and_its_link() -> None:
    """What is zero or empty before completion is filled; the rest stays."""
    entries = (Entry(status=Status.PROCESSING, stay=120 * SECOND), Entry(status=Status.COMPLETED))
    body = POLL.item(view(*entries, after=HOUR, link=LINK))
    assert body == {
        **orjson.loads(QUEUED),
        "status": "completed",
        "progress": 100,
        "completed_at": 1735689720,
        "video_url": LINK,
    }


def test_completed_without_a_link_has_an_empty_url() -> None:
    """Nothing is ever null or left out."""
    assert POLL.item(view(Entry(status=Status.COMPLETED)))["video_url"] == ""


def test_failed_keeps_its_progress_and_says_why() -> None:
    """The last progress stays, no instant of completion appears, the error's order is message, code."""
    entries = (
        Entry(status=Status.PROCESSING, stay=10 * SECOND, progress=Ramp(0, 60)),
        Entry(status=Status.FAILED),
    )
    body = POLL.item(view(*entries, after=HOUR))
    assert (body["progress"], body["completed_at"], body["video_url"]) == (60, 0, "")
    assert list(body["error"].items()) == [
        ("message", "Video generation failed"),
        ("code", "task_failed"),
    ]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (
            Failure(name=ErrorName.CONTENT_REJECTED),
            {"message": "Content policy violation", "code": "content_policy_violation"},
        ),
        (
            Failure(code="gpu_lost", message="A GPU fell off"),
            {"message": "A GPU fell off", "code": "gpu_lost"},
        ),
        (Failure(code="gpu_lost", message="A GPU fell off", shape="string"), "A GPU fell off"),
    ],
    ids=["named", "the author's", "a string"],
)
def test_failed_prints_what_the_scenario_says(failure: Failure, error: Any) -> None:
    """A named error's words, the author's own, or the message alone where the object would stand."""
    assert POLL.item(view(Entry(status=Status.FAILED, failure=failure)))["error"] == error


def test_cancelled_has_an_error_only_where_it_is_called_failed() -> None:
    """documents/001 knows the word; profile `current` speaks of a failed task."""
    entry = Entry(status=Status.CANCELLED)
    assert POLL.item(view(entry))["error"] == {"message": "", "code": ""}
    current = POLL.item(view(entry, profile=Profile.CURRENT))["error"]
    assert current == {"message": "The task was cancelled", "code": "cancelled"}


@pytest.mark.parametrize("operation", [POLL, CREATE], ids=lambda operation: operation.name)
def test_the_entrys_word_stands_in_place_of_the_providers(operation: Operation) -> None:
    """`word: rendering` is printed as it is, in polls and in the create's answer."""
    entry = Entry(status=Status.PROCESSING, word="rendering")
    assert operation.item(view(entry))["status"] == "rendering"


def test_values_replace_what_the_provider_would_have_chosen() -> None:
    """Each of the value names that is printed is printed as the scenario writes it."""
    values = {"model": "veo3", "seconds": "8", "size": "720P", "remixed_from_video_id": "video_1"}
    body = POLL.item(view(Entry(status=Status.QUEUED), values=values))
    assert {name: body[name] for name in values} == values
    assert set(values) | {"video_id"} == set(PROVIDER.value_names)


def test_a_create_answers_with_nine_keys() -> None:
    """The provider's overview page: what is zero or empty is left out of a new task's answer."""
    body = CREATE.item(
        view(Entry(status=Status.QUEUED), request={"prompt": "x", "seconds": 5, "size": "1280x720"})
    )
    assert list(body.items()) == [
        ("id", "video_abc123"),
        ("task_id", "video_abc123"),
        ("object", "video"),
        ("model", "sora-2"),
        ("status", "queued"),
        ("progress", 0),
        ("created_at", 1735689600),
        ("seconds", "5"),
        ("size", "1280x720"),
    ]


@pytest.mark.parametrize(
    ("fields", "seconds", "size", "clip"),
    [
        ({}, "4", "720x1280", Clip(720, 1280, 4)),
        ({"seconds": "10", "size": "1280x720"}, "10", "1280x720", Clip(1280, 720, 10)),
        ({"seconds": 15}, "15", "720x1280", Clip(720, 1280, 15)),
        ({"duration": 8, "size": "16:9"}, "8", "16:9", Clip(1280, 720, 8)),
        ({"seconds": "5", "duration": 8}, "5", "720x1280", Clip(720, 1280, 5)),
        ({"seconds": 7.5, "size": "720P"}, "8", "720P", Clip(1280, 720, 8)),
        ({"seconds": "soon", "size": "large"}, "soon", "large", Clip(720, 1280, 4)),
        ({"seconds": [1], "size": None}, "4", "720x1280", Clip(720, 1280, 4)),
    ],
)
def test_a_request_decides_what_is_printed_and_filmed(
    fields: dict[str, Any], seconds: str, size: str, clip: Clip
) -> None:
    """Durations are whole numbers as strings, sizes are as sent; what isn't said is OpenAI's default."""
    assert PROVIDER.echo(fields, ENTROPY) == ("sora-2", seconds, size, "")
    assert PROVIDER.clip(fields) == clip


@given(st.dictionaries(st.sampled_from(["model", "seconds", "duration", "size"]), JSON))
def test_garbage_in_a_request_is_printed_as_text(fields: dict[str, Any]) -> None:
    """Whatever a request holds, the four echoed values are strings and a clip can be made."""
    assert all(isinstance(value, str) for value in PROVIDER.echo(fields, ENTROPY))
    clip = PROVIDER.clip(fields)
    assert min(clip.width, clip.height, clip.seconds) >= 1


@pytest.mark.parametrize("profile", Profile)
def test_a_create_needs_a_prompt(profile: Profile) -> None:
    """The provider's pages and the gateway require one."""
    refusal = CREATE.parse(inbound({"model": "sora-2"}, profile)).refusal
    assert refusal == Refusal(ErrorName.BAD_REQUEST, "prompt is required", "invalid_request")
    assert CREATE.parse(inbound({"prompt": "a cat"}, profile)).refusal is None


def test_the_path_names_the_task() -> None:
    """documents/001 sends a body with its GET, which says nothing."""
    asked = Inbound(
        method="GET",
        path="/v1/videos/video_abc123",
        params=("video_abc123",),
        query={},
        headers={},
        fields={"task_id": "another"},
        profile=Profile.DOCUMENTED,
    )
    assert POLL.parse(asked) == Poll(ids=("video_abc123",))
    assert OPERATIONS[OperationName.CONTENT].parse(asked) == Content(id="video_abc123")


@pytest.mark.parametrize(
    ("profile", "refusal", "path", "status_code", "body"),
    [
        (
            Profile.DOCUMENTED,
            Refusal(ErrorName.NOT_FOUND),
            "/v1/videos/x",
            404,
            {"error": {"message": "Task not found", "code": "task_not_exist"}},
        ),
        (
            Profile.DOCUMENTED,
            Refusal(Situation.NOT_READY),
            "/v1/videos/x/content",
            400,
            {
                "error": {
                    "message": "Task is not completed yet, current status: processing",
                    "code": "task_not_completed",
                }
            },
        ),
        (
            Profile.DOCUMENTED,
            Refusal(Situation.NO_ROUTE),
            "/v1/nothing",
            404,
            {"error": {"message": "Invalid URL (GET /v1/nothing)", "code": "invalid_url"}},
        ),
        (
            Profile.DOCUMENTED,
            Refusal(ErrorName.INTERNAL, "Out of GPUs", "no_gpu"),
            "/v1/videos/x",
            500,
            {"error": {"message": "Out of GPUs", "code": "no_gpu"}},
        ),
        (
            Profile.CURRENT,
            Refusal(ErrorName.NOT_FOUND),
            "/v1/videos/x",
            400,
            {"code": "task_not_exist", "message": "task_not_exist", "data": None},
        ),
    ],
)
def test_refusals_have_the_shape_of_their_profile(
    profile: Profile, refusal: Refusal, path: str, status_code: int, body: dict[str, Any]
) -> None:
    """`documented` wraps message and code; `current` speaks as the gateway does."""
    wire = PROVIDER.refuse(refusal, scene(profile, path, Status.PROCESSING))
    assert (wire.status_code, orjson.dumps(wire.body)) == (status_code, orjson.dumps(body))


def test_ids_are_long_enough_not_to_collide() -> None:
    """`video_` and 128 bits of the task's entropy."""
    assert PROVIDER.new_id(ENTROPY, CREATED_AT, None) == "video_000102030405060708090a0b0c0d0e0f"
