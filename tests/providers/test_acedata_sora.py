"""Ace Data Cloud's Sora service, held against documents/000."""

import re
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.call import Poll
from emulator.core.plan import Entry, Video
from emulator.core.task import Task
from emulator.core.units import DAY, SECOND, Instant, parse_instant
from emulator.core.words import Profile, Status
from emulator.providers import acedata_sora
from emulator.providers.base import Clip, Result
from tests.providers.json_values import JSON
from tests.providers.test_acedata import KEY, inbound, printed, scene, task_of, view_of

SORA: Final = acedata_sora.PROVIDER
URL: Final = (
    "https://filesystem.site/gptimage/vg-assets/assets%2Ftask_01k777hjrbfrgs2060q5zvf2a5%2Ftask_01k777hjrbfrg"
    "s2060q5zvf2a5_genid_b8e2e5d1-a579-49ca-a21c-cb3869685cce_25_10_10_14_15_147334%2Fvideos%2F00000%2Fsrc.mp4"
    "?st=2025-10-10T12%3A38%3A49Z&se=2025-10-16T13%3A38%3A49Z&sks=b&skt=2025-10-10T12%3A38%3A49Z"
    "&ske=2025-10-16T13%3A38%3A49Z&sktid=a48cca56-e6da-484e-a814-9c849652bcb3"
    "&skoid=aa5ddad1-c91a-4f0a-9aca-e20682cc8969&skv=2019-02-02&sv=2018-11-09&sr=b&sp=r&spr=https%2Chttp"
    "&sig=p4aMqXqkP%2FI1IhOVGCB9JL8vUUvfNBBF12ESpKhKXOk%3D&az=oaivgprodscus"
)
RECORD: Final[dict[str, Any]] = {
    "_id": "68e914aa550a4144a5788305",
    "id": "b8976e18-32dc-4718-9ed8-1ea090fcb6ea",
    "api_id": "54aed96c-0346-4227-8c99-9780247a7ffd",
    "application_id": "f10c04c2-2273-4463-bd3f-593d71b75ac8",
    "created_at": 1760105642.045,
    "credential_id": "4e6e181d-f320-4874-8d80-fc2253b40b7e",
    "request": {
        "size": "large",
        "duration": 15,
        "orientation": "landscape",
        "prompt": "cat running on the river",
        "model": "sora-2",
        "image_urls": ["https://cdn.acedata.cloud/11wfp4.png"],
        "callback_url": "https://webhook.site/eb238c4f-da3b-47a5-a922-a93aa5405daa",
    },
    "trace_id": "fb751e1e-4705-49ea-9fd4-5024b7865ea2",
    "type": "videos",
    "user_id": "ad7afe47-cea9-4cda-980f-2ad8810e51cf",
    "response": {
        "success": True,
        "task_id": "b8976e18-32dc-4718-9ed8-1ea090fcb6ea",
        "trace_id": "fb751e1e-4705-49ea-9fd4-5024b7865ea2",
        "data": [{"id": "sora-2:task_01k777hjrbfrgs2060q5zvf2a5", "video_url": URL, "state": "succeeded"}],
    },
}
VALUES: Final = {
    "object_id": RECORD["_id"],
    "application_id": RECORD["application_id"],
    "credential_id": RECORD["credential_id"],
    "user_id": RECORD["user_id"],
    "trace_id": RECORD["trace_id"],
    "video_id": "sora-2:task_01k777hjrbfrgs2060q5zvf2a5",
}
CREATED: Final = parse_instant("2025-10-10T14:14:02.045Z")


def documented_task(entropy: bytes = bytes(48)) -> Task:
    """The task that the document shows, with its values."""
    entry = Entry(status=Status.COMPLETED, video=Video(url=URL))
    return task_of(SORA, entry, id=RECORD["id"], values=VALUES, created_at=CREATED, entropy=entropy)


def result_of(task: Task, ended_at: Instant, dies_at: Instant) -> Result:
    """What a link is written from."""
    return Result(task=task, account=SORA.account(KEY), ended_at=ended_at, dies_at=dies_at)


def test_retrieve_gives_the_documented_record() -> None:
    """Equal in values, order of members and form of numbers."""
    poll = SORA.operations[0]
    call = poll.parse(inbound({"id": RECORD["id"], "action": "retrieve"}))
    assert call == Poll(ids=(RECORD["id"],))
    item = poll.item(view_of(SORA, documented_task(), 0, link=URL))
    assert orjson.dumps(poll.answer(call, [item], Profile.DOCUMENTED)) == orjson.dumps(RECORD)


def test_retrieve_batch_gives_the_documented_record_twice() -> None:
    """The document asks for one id twice and gets two items."""
    poll = SORA.operations[0]
    call = poll.parse(inbound({"ids": [RECORD["id"]] * 2, "action": "retrieve_batch"}))
    assert call == Poll(ids=(RECORD["id"],) * 2, is_batch=True)
    item = poll.item(view_of(SORA, documented_task(), 0, link=URL))
    expected = {"items": [RECORD, RECORD], "count": 2}
    assert orjson.dumps(poll.answer(call, [item, item], Profile.DOCUMENTED)) == orjson.dumps(expected)


def test_example_request_is_the_documented_one() -> None:
    """In its order."""
    assert orjson.dumps(SORA.example_request) == orjson.dumps(RECORD["request"])


@given(
    milliseconds=st.integers(0, 4_000_000_000_000),
    rest=st.integers(0, 999),
    entropy=st.binary(min_size=48, max_size=48),
)
def test_video_id_is_a_ulid_of_the_creation(milliseconds: int, rest: int, entropy: bytes) -> None:
    """``sora-2:task_`` and 26 characters, of which the first ten tell the millisecond."""
    task = task_of(SORA, created_at=milliseconds * 1000 + rest, entropy=entropy)
    shown = re.fullmatch(
        r"sora-2:task_([0-7][0-9a-hjkmnp-tv-z]{9})[0-9a-hjkmnp-tv-z]{16}", acedata_sora.video_id(task)
    )
    assert shown
    told = 0
    for letter in shown[1]:
        told = told * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(letter)
    assert told == milliseconds


def test_video_ids_of_two_tasks_differ() -> None:
    """Though they were created in the same millisecond."""
    first, second = (task_of(SORA, entropy=bytes([number] * 48)) for number in (1, 2))
    assert acedata_sora.video_id(first) != acedata_sora.video_id(second)


# Links


def test_link_has_the_form_of_the_documented_one() -> None:
    """Path and query equal the document's, given its ids and instants; only the signature is left open."""
    entropy = bytes(29) + bytes.fromhex("b8e2e5d1a57949caa21ccb3869685cce") + bytes(3)
    ended_at = parse_instant("2025-10-10T14:15:30.147334Z")
    dies_at = parse_instant("2025-10-16T13:38:49Z")
    link = SORA.link(result_of(documented_task(entropy), ended_at, dies_at))
    sig = "p4aMqXqkP%2FI1IhOVGCB9JL8vUUvfNBBF12ESpKhKXOk%3D"
    query = "&".join(f"{name}={sig if value is None else value}" for name, value in link.query)
    assert f"https://filesystem.site/{link.tail}?{query}" == URL


def test_link_of_a_drawn_task_names_its_video() -> None:
    """Without values the drawn ULID stands in the path, twice."""
    task = task_of(SORA)
    link = SORA.link(result_of(task, task.created_at + SECOND, task.created_at + DAY))
    assert link.tail.count(acedata_sora.video_id(task).removeprefix("sora-2:")) == 2


@pytest.mark.parametrize(
    ("ended_at", "told"),
    [
        ("2009-01-02T03:04:05.000678Z", "09_01_02_03_04_000678"),
        ("2099-12-31T23:59:59Z", "99_12_31_23_59_000000"),
    ],
)
def test_link_tells_when_the_file_was_written(ended_at: str, told: str) -> None:
    """Two digits for each of year, month, day, hour and minute, six for the microseconds."""
    task = task_of(SORA)
    link = SORA.link(result_of(task, parse_instant(ended_at), task.created_at))
    assert link.tail.endswith(f"_{told}%2Fvideos%2F00000%2Fsrc.mp4")


def test_link_encodes_what_an_author_calls_the_video() -> None:
    """No id can leave its place in the path."""
    task = task_of(SORA, values={"video_id": "a/../b?c=ü"})
    link = SORA.link(result_of(task, task.created_at, task.created_at + DAY))
    assert link.tail.startswith("gptimage/vg-assets/assets%2Fa%2F..%2Fb%3Fc%3D%C3%BC%2F")


@given(life=st.integers(0, 400 * DAY))
def test_link_tells_when_it_dies(life: int) -> None:
    """``se`` reads back to the second."""
    task = task_of(SORA)
    dies_at = task.created_at + life
    link = SORA.link(result_of(task, task.created_at, dies_at))
    query = "&".join(f"{name}={'x' if value is None else value}" for name, value in link.query)
    assert SORA.dies_at(dict(parse_qsl(query))) == dies_at // SECOND * SECOND
    assert [name for name, value in link.query if value is None] == [SORA.signature_name]


def test_link_that_outlives_the_calendar_can_be_written() -> None:
    """A life of ten million days ends with the year 9999."""
    task = task_of(SORA)
    link = SORA.link(result_of(task, task.created_at, task.created_at + 10_000_000 * DAY))
    assert dict(link.query)["se"] == "9999-12-31T23%3A59%3A59Z"


@pytest.mark.parametrize("query", [{}, {"se": ""}, {"se": "tomorrow"}, {"se": "2025-10-16T13:38:49"}])
def test_query_that_tells_no_instant_is_not_ours(query: dict[str, str]) -> None:
    """Nothing is guessed."""
    assert SORA.dies_at(query) is None


def test_documented_link_dies_when_its_query_says() -> None:
    """documents/000: ``se`` is 2025-10-16T13:38:49Z."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(URL).query).items()}
    assert SORA.dies_at(query) == parse_instant("2025-10-16T13:38:49Z")


@pytest.mark.parametrize(
    ("is_expired", "detail"),
    [
        (
            True,
            "Signature not valid in the specified time frame: Current [Wed, 01 Jan 2025 00:00:01 GMT]",
        ),
        (False, "Signature did not match."),
    ],
)
def test_storage_refusal_is_azures(is_expired: bool, detail: str) -> None:
    """403 with Azure Blob Storage's XML; the request id of the header is the one in the message."""
    wire = SORA.storage_refusal(is_expired, scene())
    assert wire.status_code == 403
    assert wire.content_type == "application/xml"
    assert wire.body.startswith('\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>')
    error = ET.fromstring(wire.body.encode())  # noqa: S314 - our own text
    assert [child.tag for child in error] == ["Code", "Message", "AuthenticationErrorDetail"]
    headers = dict(wire.headers)
    assert error.findtext("Code") == headers["x-ms-error-code"] == "AuthenticationFailed"
    assert error.findtext("AuthenticationErrorDetail") == detail
    message = str(error.findtext("Message")).split("\n")
    assert message[1:] == [f"RequestId:{headers['x-ms-request-id']}", "Time:2025-01-01T00:00:01.1234560Z"]
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]01e-00[0-9a-f]{2}-[0-9a-f]{4}-[0-9a-f]{6}000000", headers["x-ms-request-id"]
    )


# Clips


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (RECORD["request"], Clip(1792, 1024, 15)),
        ({}, Clip(1280, 720, 15)),
        ({"size": "small", "orientation": "portrait", "duration": 10}, Clip(720, 1280, 10)),
        ({"size": "large", "orientation": "portrait", "duration": 25}, Clip(1024, 1792, 25)),
        ({"size": "small", "orientation": "square"}, Clip(720, 720, 15)),
        ({"version": "2.0"}, Clip(720, 1280, 4)),
        ({"version": 2, "size": "1280x720", "duration": 8}, Clip(1280, 720, 8)),
        ({"version": "2.0", "size": "1792x1024", "duration": "12"}, Clip(1792, 1024, 12)),
        ({"size": "1024x1792"}, Clip(1024, 1792, 15)),
        ({"duration": 15.0}, Clip(1280, 720, 15)),
        ({"duration": True}, Clip(1280, 720, 15)),
        ({"duration": -1}, Clip(1280, 720, 15)),
        ({"duration": "ten"}, Clip(1280, 720, 15)),
        ({"size": "0x720"}, Clip(1280, 720, 15)),
        ({"size": ["large"], "orientation": {}}, Clip(1280, 720, 15)),
    ],
)
def test_clip_is_what_the_request_asks_for(fields: dict[str, Any], expected: Clip) -> None:
    """Both versions of the service; what can't be read counts as left out."""
    assert SORA.clip(fields) == expected


@given(st.dictionaries(st.sampled_from(["version", "size", "orientation", "duration"]), JSON))
def test_clip_never_raises(fields: dict[str, Any]) -> None:
    """Whatever stands in a request, there is a video of some size."""
    clip = SORA.clip(fields)
    assert min(clip.width, clip.height, clip.seconds) >= 1


def test_printed_video_has_the_three_documented_members() -> None:
    """In both profiles: Sora's items have no times."""
    for profile in Profile:
        record = printed(SORA, view_of(SORA, documented_task(), 0, profile))
        assert list(record["response"]["data"][0]) == ["id", "video_url", "state"]
