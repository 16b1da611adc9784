"""EzModel on the wire: documents/003 and what stands around it."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.call import Content, Poll, Refusal
from emulator.core.effects import Failure
from emulator.core.plan import Entry, Ramp, Video, plan_of
from emulator.core.task import Task, link_dies_at, state_at
from emulator.core.units import HOUR, MINUTE, SECOND, parse_instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers.base import Clip, Inbound, Operation, Result, Scene, View
from emulator.providers.ezmodel import PROVIDER
from tests.providers.json_values import JSON

# documents/003
PROCESSING: Final = """{
  "id": "vid_abc123xyz456",
  "object": "video",
  "model": "sora-1.0",
  "status": "processing",
  "progress": 45,
  "created_at": 1705334400,
  "seconds": "10.0",
  "size": "1920x1080",
  "metadata": {
    "fps": 30,
    "seed": 12345
  }
}"""
COMPLETED: Final = """{
  "id": "vid_abc123xyz456",
  "object": "video",
  "model": "sora-1.0",
  "status": "completed",
  "progress": 100,
  "created_at": 1705334400,
  "completed_at": 1705334520,
  "expires_at": 1705420800,
  "seconds": "10.0",
  "size": "1920x1080",
  "url": "https://storage.example.com/videos/vid_abc123xyz456.mp4",
  "metadata": {
    "fps": 30,
    "seed": 12345
  }
}"""
FAILED: Final = """{
  "id": "vid_abc123xyz456",
  "object": "video",
  "model": "sora-1.0",
  "status": "failed",
  "progress": 0,
  "created_at": 1705334400,
  "seconds": "10.0",
  "error": {
    "message": "Content policy violation: inappropriate content detected",
    "code": "content_policy_violation"
  }
}"""
NOT_FOUND: Final = """{
  "error": {
    "message": "Video task not found",
    "code": "task_not_found"
  }
}"""
LINK: Final = "https://storage.example.com/videos/vid_abc123xyz456.mp4"

CREATED_AT: Final = parse_instant("2024-01-15T16:00:00Z")
ENTROPY: Final = bytes(range(48))
OPERATIONS: Final = {operation.name: operation for operation in reversed(PROVIDER.operations)}
POLL: Final = OPERATIONS[OperationName.POLL]
CREATE: Final = OPERATIONS[OperationName.CREATE]
PROCESSING_FOR_TWO_MINUTES: Final = Entry(status=Status.PROCESSING, stay=2 * MINUTE, progress=45)


def view(  # one parameter for each thing that a body depends on
    *entries: Entry,
    after: int = 0,
    profile: Profile = Profile.DOCUMENTED,
    request: Mapping[str, Any] = PROVIDER.example_request,
    values: Mapping[str, Any] | None = None,
    link: str | None = None,
) -> View:
    """The task of documents/003 with a timeline of its own, so long after its creation."""
    task = Task(
        "ezmodel",
        "vid_abc123xyz456",
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


def scene(profile: Profile, path: str = "/v1/videos/vid_abc123xyz456") -> Scene:
    """A request about a processing task, at the creation's instant."""
    return Scene(
        profile=profile,
        method="GET",
        path=path,
        now=CREATED_AT,
        entropy=ENTROPY,
        status=Status.PROCESSING,
    )


def inbound(fields: Any, profile: Profile = Profile.DOCUMENTED) -> Inbound:
    """A create with these fields."""
    return Inbound(
        method="POST", path="/v1/videos", params=(), query={}, headers={}, fields=fields, profile=profile
    )


@pytest.mark.parametrize(
    ("entries", "after", "link", "document"),
    [
        ((PROCESSING_FOR_TWO_MINUTES,), MINUTE, None, PROCESSING),
        ((PROCESSING_FOR_TWO_MINUTES, Entry(status=Status.COMPLETED)), HOUR, LINK, COMPLETED),
        ((PROCESSING_FOR_TWO_MINUTES, Entry(status=Status.FAILED)), HOUR, None, FAILED),
    ],
    ids=["processing", "completed", "failed"],
)
def test_polls_are_the_documents_examples(
    entries: tuple[Entry, ...], after: int, link: str | None, document: str
) -> None:
    """Every value, the keys' order and the types of documents/003."""
    body = POLL.item(view(*entries, after=after, link=link))
    assert orjson.dumps(body) == orjson.dumps(orjson.loads(document))


def test_an_unknown_task_is_the_documents_example() -> None:
    """404 and the body of documents/003."""
    refusal = POLL.answer(Poll(ids=("vid_unknown",)), [], Profile.DOCUMENTED)
    assert isinstance(refusal, Refusal)
    wire = PROVIDER.refuse(refusal, scene(Profile.DOCUMENTED))
    assert (wire.status_code, orjson.dumps(wire.body)) == (404, orjson.dumps(orjson.loads(NOT_FOUND)))


@pytest.mark.parametrize(
    ("status", "documented", "current", "like"),
    [
        (Status.QUEUED, "pending", "queued", PROCESSING),
        (Status.PROCESSING, "processing", "in_progress", PROCESSING),
        (Status.COMPLETED, "completed", "completed", COMPLETED),
        (Status.FAILED, "failed", "failed", FAILED),
        (Status.CANCELLED, "failed", "failed", FAILED),
    ],
)
def test_every_status_has_its_word_and_its_keys(
    status: Status, documented: str, current: str, like: str
) -> None:
    """What there isn't is left out, never null; a cancelled task looks like a failed one."""
    words = []
    link = LINK if status is Status.COMPLETED else None
    for profile in (Profile.DOCUMENTED, Profile.CURRENT):
        body = POLL.item(view(Entry(status=status), profile=profile, link=link))
        words.append(body["status"])
        assert list(body) == list(orjson.loads(like))
    assert words == [documented, current]


def test_completed_without_a_link_has_no_url() -> None:
    """The key is left out, and only it."""
    body = POLL.item(view(Entry(status=Status.COMPLETED)))
    assert set(orjson.loads(COMPLETED)) - set(body) == {"url"}


def test_expires_at_is_the_links_end() -> None:
    """A link that lives ten minutes from completion makes `expires_at` that instant."""
    completed = Entry(status=Status.COMPLETED, video=Video(expires_in=10 * MINUTE))
    body = POLL.item(view(PROCESSING_FOR_TWO_MINUTES, completed, after=HOUR, link=LINK))
    assert body["expires_at"] == body["completed_at"] + 600


@pytest.mark.parametrize(
    ("failed", "progress"),
    [
        (Entry(status=Status.FAILED), 0),
        (Entry(status=Status.FAILED, progress=70), 70),
        (Entry(status=Status.CANCELLED), 0),
    ],
    ids=["said nothing", "said 70", "cancelled"],
)
def test_a_failed_tasks_progress_is_zero(failed: Entry, progress: int) -> None:
    """documents/003, unless the scenario's entry says a number."""
    before = Entry(status=Status.PROCESSING, stay=SECOND, progress=Ramp(0, 60))
    assert POLL.item(view(before, failed, after=HOUR))["progress"] == progress


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (
            Entry(status=Status.FAILED, failure=Failure(name=ErrorName.INTERNAL)),
            {"message": "Internal server error", "code": "internal_error"},
        ),
        (
            Entry(status=Status.FAILED, failure=Failure(message="No.", shape="string")),
            "No.",
        ),
        (
            Entry(status=Status.CANCELLED),
            {"message": "The task was cancelled", "code": "cancelled"},
        ),
    ],
    ids=["named", "a string", "cancelled"],
)
def test_a_failed_task_says_why(entry: Entry, error: Any) -> None:
    """A named error's words, the message alone where the object would stand, or the cancellation."""
    assert POLL.item(view(entry))["error"] == error


@pytest.mark.parametrize("operation", [POLL, CREATE], ids=lambda operation: operation.name)
def test_the_entrys_word_stands_in_place_of_the_providers(operation: Operation) -> None:
    """`word: rendering` is printed as it is, in polls and in the create's answer."""
    entry = Entry(status=Status.PROCESSING, word="rendering")
    assert operation.item(view(entry))["status"] == "rendering"


def test_values_replace_what_the_provider_would_have_chosen() -> None:
    """Each of the value names that is printed is printed as the scenario writes it."""
    values = {"model": "sora-turbo", "seconds": "6.5", "size": "1x1", "fps": 24, "seed": -1}
    values["remixed_from_video_id"] = "vid_other"
    body = POLL.item(view(Entry(status=Status.QUEUED), values=values))
    assert {**body, **body["metadata"]} == {**body, **body["metadata"], **values}
    assert set(values) | {"video_id"} == set(PROVIDER.value_names)


def test_a_create_answers_with_seven_keys() -> None:
    """The older create page's fields, in the gateway's order."""
    body = CREATE.item(view(Entry(status=Status.QUEUED)))
    assert list(body.items()) == [
        ("id", "vid_abc123xyz456"),
        ("object", "video"),
        ("model", "sora-1.0"),
        ("status", "pending"),
        ("progress", 0),
        ("created_at", 1705334400),
        ("seconds", "10.0"),
    ]


DRAWN_SEED: Final = 0x10111213 >> 1


@pytest.mark.parametrize(
    ("fields", "echo", "clip"),
    [
        ({}, ("sora-2", "4.0", "720x1280", 30, DRAWN_SEED, ""), Clip(720, 1280, 4)),
        (
            {"model": "sora-turbo", "duration": 5, "width": 1280, "height": 720, "fps": 24, "seed": 7},
            ("sora-turbo", "5.0", "1280x720", 24, 7, ""),
            Clip(1280, 720, 5),
        ),
        (
            {"seconds": "8", "size": "1280x720", "fps": "60", "seed": "-9"},
            ("sora-2", "8.0", "1280x720", 60, -9, ""),
            Clip(1280, 720, 8),
        ),
        (
            {"seconds": "7.25", "size": None, "width": "640", "height": "480"},
            ("sora-2", "7.25", "640x480", 30, DRAWN_SEED, ""),
            Clip(640, 480, 7),
        ),
        (
            {"seconds": "soon", "width": 640, "fps": True, "seed": {}},
            ("sora-2", "soon", "720x1280", 30, DRAWN_SEED, ""),
            Clip(720, 1280, 4),
        ),
    ],
    ids=["nothing", "older page", "newer page", "as strings", "garbage"],
)
def test_a_request_decides_what_is_printed_and_filmed(
    fields: dict[str, Any], echo: tuple[Any, ...], clip: Clip
) -> None:
    """Both create pages are understood; a seed that isn't given is drawn from the task's entropy."""
    assert PROVIDER.echo(fields, ENTROPY) == echo
    assert PROVIDER.clip(fields) == clip


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("model", "seconds", "duration", "size", "width", "height", "fps", "seed"),
                "remixed_from_video_id",
            ]
        ),
        JSON,
    )
)
def test_garbage_in_a_request_is_printed_as_text_and_numbers(fields: dict[str, Any]) -> None:
    """Whatever a request holds, the types of documents/003 stay and a clip can be made."""
    kinds = [type(value) for value in PROVIDER.echo(fields, ENTROPY)]
    assert kinds == [str, str, str, int, int, str]
    clip = PROVIDER.clip(fields)
    assert min(clip.width, clip.height, clip.seconds) >= 1


def test_a_create_needs_a_prompt_only_in_the_current_profile() -> None:
    """The older create page has it optional, the newer one and the gateway require it."""
    assert CREATE.parse(inbound({}, Profile.DOCUMENTED)).refusal is None
    refusal = CREATE.parse(inbound({}, Profile.CURRENT)).refusal
    assert refusal == Refusal(ErrorName.BAD_REQUEST, "prompt is required", "invalid_request")


def test_the_path_names_the_task() -> None:
    """Polls and downloads are of the id in the path."""
    asked = Inbound(
        method="GET",
        path="/v1/videos/a b",
        params=("a b",),
        query={},
        headers={},
        profile=Profile.DOCUMENTED,
    )
    assert POLL.parse(asked) == Poll(ids=("a b",))
    assert OPERATIONS[OperationName.CONTENT].parse(asked) == Content(id="a b")


@pytest.mark.parametrize(
    ("profile", "name", "path", "status_code", "body"),
    [
        (
            Profile.DOCUMENTED,
            ErrorName.NO_TOKEN,
            "/v1/videos/x",
            401,
            {"error": {"message": "Invalid API key", "code": "invalid_api_key"}},
        ),
        (
            Profile.DOCUMENTED,
            Situation.NOT_READY,
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
            Profile.CURRENT,
            ErrorName.NOT_FOUND,
            "/v1/videos/x",
            400,
            {"code": "task_not_exist", "message": "task_not_exist", "data": None},
        ),
    ],
)
def test_refusals_have_the_shape_of_their_profile(
    profile: Profile, name: ErrorName | Situation, path: str, status_code: int, body: dict[str, Any]
) -> None:
    """`documented` wraps message and code; `current` speaks as the gateway does."""
    wire = PROVIDER.refuse(Refusal(name), scene(profile, path))
    assert (wire.status_code, orjson.dumps(wire.body)) == (status_code, orjson.dumps(body))


@pytest.mark.parametrize(
    ("values", "tail"),
    [({}, "videos/vid_abc123xyz456.mp4"), ({"video_id": "a/b c"}, "videos/a%2Fb%20c.mp4")],
    ids=["the task's id", "a value"],
)
def test_links_end_as_the_documents_does(values: dict[str, Any], tail: str) -> None:
    """documents/003 prints `videos/{id}.mp4`; the date is in whole seconds, the signature comes last."""
    task = view(Entry(status=Status.COMPLETED), values=values).task
    link = PROVIDER.link(Result(task=task, account=None, ended_at=CREATED_AT, dies_at=CREATED_AT + 1_999_999))
    assert link.tail == tail
    assert link.query == (("expires", "1705334401"), ("signature", None))


def test_ids_are_lower_case_letters_and_digits() -> None:
    """`vid_` and 80 bits of the task's entropy."""
    assert PROVIDER.new_id(ENTROPY, CREATED_AT, None) == "vid_000g40r40m30e209"
