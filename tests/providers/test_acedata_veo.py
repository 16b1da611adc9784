"""Ace Data Cloud's Veo service, held against documents/002."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.call import Poll
from emulator.core.plan import Entry, Video
from emulator.core.task import Task
from emulator.core.units import DAY, SECOND, parse_instant
from emulator.core.words import Profile, Status
from emulator.providers import acedata_veo
from emulator.providers.base import Clip, Result
from tests.providers.json_values import JSON
from tests.providers.test_acedata import KEY, inbound, printed, scene, task_of, view_of

VEO: Final = acedata_veo.PROVIDER
URL: Final = "https://platform.cdn.acedata.cloud/veo/1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed.mp4"
RECORD: Final[dict[str, Any]] = {
    "_id": "68834c16550a4144a5112589",
    "id": "1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed",
    "api_id": "52a0fa83-3c78-4793-b45a-c1a5c869ae46",
    "application_id": "b7341df0-3a87-40ef-8f3c-a7dda97816a2",
    "created_at": 1753435158.509,
    "credential_id": "1f64eaaa-eff0-4f18-bfc2-8c5b1e7949ae",
    "request": {
        "callback_url": "https://webhook.site/aed5cd28-f8aa-4dca-9480-8ec9b42137dc",
        "action": "text2video",
        "model": "veo2",
        "prompt": "White ceramic coffee mug on glossy marble countertop with morning window light. "
        "Camera slowly rotates 360 degrees around the mug, pausing briefly at the handle.",
    },
    "trace_id": "d1d53c04-58c5-4c40-bb63-f00188540e56",
    "type": "videos",
    "user_id": "ad7afe47-cea9-4cda-980f-2ad8810e51cf",
    "response": {
        "success": True,
        "task_id": "1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed",
        "trace_id": "d1d53c04-58c5-4c40-bb63-f00188540e56",
        "data": [
            {
                "id": "2f43ceed37944b4d836e1a1899dad0a1",
                "video_url": URL,
                "created_at": "2025-07-25 17:19:20",
                "complete_at": "2025-07-25 17:21:45",
                "state": "succeeded",
            }
        ],
    },
}
VALUES: Final = {
    "object_id": RECORD["_id"],
    "application_id": RECORD["application_id"],
    "credential_id": RECORD["credential_id"],
    "user_id": RECORD["user_id"],
    "trace_id": RECORD["trace_id"],
    "video_id": "2f43ceed37944b4d836e1a1899dad0a1",
    "created_at": "2025-07-25 17:19:20",
    "complete_at": "2025-07-25 17:21:45",
}
CREATED: Final = parse_instant("2025-07-25T09:19:18.509Z")


def documented_task() -> Task:
    """The task that the document shows, with its values."""
    entry = Entry(status=Status.COMPLETED, video=Video(url=URL))
    return task_of(VEO, entry, id=RECORD["id"], values=VALUES, created_at=CREATED)


def drawn_task() -> Task:
    """A task of the document's creation that completes after 146.5 s, with ids of its own."""
    entries = (Entry(status=Status.PROCESSING, stay=146_500_000), Entry(status=Status.COMPLETED))
    return task_of(VEO, *entries, created_at=CREATED)


def test_retrieve_gives_the_documented_record() -> None:
    """Equal in values, order of members and form of numbers."""
    poll = VEO.operations[0]
    call = poll.parse(inbound({"id": RECORD["id"], "action": "retrieve"}))
    assert call == Poll(ids=(RECORD["id"],))
    item = poll.item(view_of(VEO, documented_task(), 0, link=URL))
    assert orjson.dumps(poll.answer(call, [item], Profile.DOCUMENTED)) == orjson.dumps(RECORD)


def test_retrieve_batch_gives_the_documented_record_twice() -> None:
    """The document asks for one id twice and gets two items."""
    poll = VEO.operations[0]
    call = poll.parse(inbound({"ids": [RECORD["id"]] * 2, "action": "retrieve_batch"}))
    assert call == Poll(ids=(RECORD["id"],) * 2, is_batch=True)
    item = poll.item(view_of(VEO, documented_task(), 0, link=URL))
    expected = {"items": [RECORD, RECORD], "count": 2}
    assert orjson.dumps(poll.answer(call, [item, item], Profile.DOCUMENTED)) == orjson.dumps(expected)


def test_example_request_is_the_documented_one() -> None:
    """In its order."""
    assert orjson.dumps(VEO.example_request) == orjson.dumps(RECORD["request"])


def test_video_is_dated_in_the_providers_wall_time() -> None:
    """UTC+8, to the second, without a zone: creation and completion of the task."""
    task = drawn_task()
    video = printed(VEO, view_of(VEO, task, 300 * SECOND))["response"]["data"][0]
    assert list(video) == ["id", "video_url", "created_at", "complete_at", "state"]
    assert re.fullmatch(r"[0-9a-f]{32}", video["id"])
    assert video["created_at"] == "2025-07-25 17:19:18"
    assert video["complete_at"] == "2025-07-25 17:21:45"


def test_video_is_dated_in_utc_in_profile_current() -> None:
    """``...Z`` with milliseconds; the record's own dates stay numbers."""
    record = printed(VEO, view_of(VEO, drawn_task(), 300 * SECOND, Profile.CURRENT))
    video = record["response"]["data"][0]
    assert video["created_at"] == "2025-07-25T09:19:18.509Z"
    assert video["complete_at"] == "2025-07-25T09:21:45.009Z"
    assert record["created_at"] == RECORD["created_at"]
    assert record["finished_at"] == 1753435305.009


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        ("2025-07-25T09:19:20Z", "2025-07-25 17:19:20"),
        ("2024-12-31T15:59:59.999Z", "2024-12-31 23:59:59"),
        ("2024-12-31T16:00:00Z", "2025-01-01 00:00:00"),
        ("9999-12-31T23:00:00Z", "9999-12-31 23:59:59"),
    ],
)
def test_wall_time_is_eight_hours_ahead(instant: str, expected: str) -> None:
    """Over the turn of a year too, and never past the calendar's end."""
    assert acedata_veo.wall_time(parse_instant(instant)) == expected


# Links


def test_link_has_the_documented_path() -> None:
    """documents/002: ``veo/{task id}.mp4``; the query is a CDN's."""
    task = documented_task()
    dies_at = parse_instant("2025-07-26T09:19:18.509Z")
    link = VEO.link(Result(task=task, account=VEO.account(KEY), ended_at=task.created_at, dies_at=dies_at))
    assert URL.endswith(f"/{link.tail}")
    assert link.query == (("expires", "1753521558"), ("signature", None))


def test_link_encodes_what_an_author_calls_the_task() -> None:
    """No id can leave its place in the path."""
    task = task_of(VEO, id="a/../b?c")
    link = VEO.link(Result(task=task, account=VEO.account(KEY), ended_at=0, dies_at=0))
    assert link.tail == "veo/a%2F..%2Fb%3Fc.mp4"


@given(life=st.integers(0, 400 * DAY))
def test_link_tells_when_it_dies(life: int) -> None:
    """``expires`` reads back to the second."""
    task = drawn_task()
    dies_at = task.created_at + life
    link = VEO.link(Result(task=task, account=VEO.account(KEY), ended_at=task.created_at, dies_at=dies_at))
    query = "&".join(f"{name}={'x' if value is None else value}" for name, value in link.query)
    assert VEO.dies_at(dict(parse_qsl(query))) == dies_at // SECOND * SECOND
    assert [name for name, value in link.query if value is None] == [VEO.signature_name]


@pytest.mark.parametrize("text", [None, "", "-1", "1.5", "soon", "\uff11\uff12", "9" * 13])
def test_query_that_tells_no_instant_is_not_ours(text: str | None) -> None:
    """Nothing is guessed."""
    assert VEO.dies_at({} if text is None else {"expires": text}) is None


@pytest.mark.parametrize("is_expired", [True, False])
def test_storage_refusal_is_a_plain_403(is_expired: bool) -> None:
    """A page of a CDN, not the API's JSON."""
    wire = VEO.storage_refusal(is_expired, scene())
    assert wire.status_code == 403
    assert wire.content_type == "text/html"
    assert "403 Forbidden" in wire.body


# Clips


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (RECORD["request"], Clip(1280, 720, 8)),
        ({}, Clip(1280, 720, 8)),
        ({"aspect_ratio": "9:16"}, Clip(720, 1280, 8)),
        ({"resolution": "1080p"}, Clip(1920, 1080, 8)),
        ({"resolution": "1080p", "aspect_ratio": "9:16"}, Clip(1080, 1920, 8)),
        ({"resolution": "4k"}, Clip(3840, 2160, 8)),
        ({"resolution": "gif"}, Clip(1280, 720, 8)),
        ({"action": "get1080p"}, Clip(1920, 1080, 8)),
        ({"aspect_ratio": "1:1"}, Clip(720, 720, 8)),
        ({"aspect_ratio": "4:3"}, Clip(960, 720, 8)),
        ({"aspect_ratio": "3:4"}, Clip(720, 960, 8)),
        ({"aspect_ratio": "2:1", "resolution": 1080, "duration": 4}, Clip(1280, 720, 8)),
    ],
)
def test_clip_is_what_the_request_asks_for(fields: dict[str, Any], expected: Clip) -> None:
    """What can't be read counts as left out; the service takes no duration."""
    assert VEO.clip(fields) == expected


@given(st.dictionaries(st.sampled_from(["action", "resolution", "aspect_ratio", "duration"]), JSON))
def test_clip_never_raises(fields: dict[str, Any]) -> None:
    """Whatever stands in a request, there is a video of some size."""
    clip = VEO.clip(fields)
    assert min(clip.width, clip.height, clip.seconds) >= 1
