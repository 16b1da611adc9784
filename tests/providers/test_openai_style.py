"""What OctopusX and EzModel share: keys, numbers, sizes, links and the gateway's four error families."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given

from emulator.core.call import Refusal
from emulator.core.effects import Failure
from emulator.core.units import parse_instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers import openai_style
from emulator.providers.base import Clip, Inbound, Scene
from tests.providers.json_values import JSON

REQUEST_ID: Final = "2025010100000112345600" + "0" + "5f3a91c7" + "00010203"


def scene(path: str = "/v1/videos/x", method: str = "GET", status: Status | None = None) -> Scene:
    """An exchange at 2025-01-01T00:00:01.123456Z in profile `current`."""
    return Scene(
        profile=Profile.CURRENT,
        method=method,
        path=path,
        now=parse_instant("2025-01-01T00:00:01.123456Z"),
        entropy=bytes(range(48)),
        status=status,
        operation=operation_at(method, path),
    )


def operation_at(method: str, path: str) -> OperationName:
    """What the vendors' tables have at a method and path."""
    if method == "POST":
        return OperationName.CREATE
    return OperationName.CONTENT if path == CONTENT else OperationName.POLL


def inbound(fields: Any, broken: str | None = None) -> Inbound:
    """A create with this body."""
    return Inbound(
        method="POST",
        path="/v1/videos",
        params=(),
        query={},
        headers={},
        fields=fields,
        broken=broken,
        profile=Profile.DOCUMENTED,
    )


@pytest.mark.parametrize(
    ("header", "documented", "current"),
    [
        (None, ErrorName.NO_TOKEN, ErrorName.NO_TOKEN),
        (b"Bearer sk-abc", "sk-abc", "sk-abc"),
        (b"bearer sk-abc", "sk-abc", "sk-abc"),
        (b"BEARER   sk-abc ", "sk-abc", "sk-abc"),
        (b"", ErrorName.INVALID_TOKEN, ErrorName.INVALID_TOKEN),
        (b"Bearer", ErrorName.INVALID_TOKEN, ErrorName.INVALID_TOKEN),
        (b"Bearer ", ErrorName.INVALID_TOKEN, ErrorName.INVALID_TOKEN),
        (b"Basic dXNlcjo=", ErrorName.INVALID_TOKEN, ErrorName.INVALID_TOKEN),
        (b"sk-abc", ErrorName.INVALID_TOKEN, "sk-abc"),
        (b"Bearer a b", ErrorName.INVALID_TOKEN, ErrorName.INVALID_TOKEN),
        (b"Bearer \xff", "\xff", "\xff"),
    ],
)
def test_bearer_key_reads_the_header(
    header: bytes | None, documented: str | ErrorName, current: str | ErrorName
) -> None:
    """The scheme may have any case; only the gateway, so only `current`, does without it."""
    assert openai_style.bearer_key(header, Profile.DOCUMENTED) == documented
    assert openai_style.bearer_key(header, Profile.CURRENT) == current


def test_request_id_is_the_instant_the_build_and_a_draw() -> None:
    """14 digits of UTC, 9 of nanoseconds, 8 hex digits of the build, 8 of the exchange's entropy."""
    assert openai_style.request_id(scene()) == REQUEST_ID
    assert len(REQUEST_ID) == 14 + 9 + 8 + 8


@pytest.mark.parametrize(
    ("value", "as_number", "as_whole", "as_text"),
    [
        ("10", 10.0, 10, "10"),
        (25, 25.0, 25, "25"),
        (7.5, 7.5, 8, "7.5"),
        (" 8 ", 8.0, 8, " 8 "),
        ("ten", None, None, "ten"),
        ("", None, None, None),
        ("nan", None, None, "nan"),
        ("1e999", None, None, "1e999"),
        (float("inf"), None, None, None),
        pytest.param(10**5000, None, None, None, id="a huge number"),
        pytest.param("9" * 5000, None, None, "9" * 5000, id="a huge number as text"),
        (True, None, None, None),
        (None, None, None, None),
        ([10], None, None, None),
        ({"a": 1}, None, None, None),
    ],
)
def test_numbers_and_texts_are_read_leniently(
    value: Any, as_number: float | None, as_whole: int | None, as_text: str | None
) -> None:
    """A form sends strings where JSON sends numbers; what is neither is nothing."""
    assert openai_style.number(value) == as_number
    assert openai_style.whole(value) == as_whole
    assert openai_style.text(value) == as_text


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("720x1280", (720, 1280)),
        ("1920X1080", (1920, 1080)),
        ("1024 × 1792", (1024, 1792)),  # noqa: RUF001 - people type the sign
        ("16:9", (1280, 720)),
        ("9:16", (720, 1280)),
        ("1:1", (720, 720)),
        ("3:2", (1080, 720)),
        ("999:1", (7680, 720)),
        ("720P", (1280, 720)),
        ("1080p", (1920, 1080)),
        ("480p", (852, 480)),
        ("0x0", (720, 1280)),
        ("0:9", (720, 1280)),
        ("000p", (720, 1280)),
        ("large", (720, 1280)),
        ("٣x٣", (720, 1280)),
        ("", (720, 1280)),
    ],
)
def test_pixels_understands_every_way_of_writing_a_size(size: str, expected: tuple[int, int]) -> None:
    """Width and height, a ratio, lines; the default where it is none of them."""
    assert openai_style.pixels(size) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [("10", 10), ("10.0", 10), ("-3", 1), ("0", 1), ("99999", 3600), ("soon", 4)]
)
def test_a_clip_is_between_a_second_and_an_hour(seconds: str, expected: int) -> None:
    """The gateway takes 0 to 3600 seconds; what is no number is the default, four."""
    assert openai_style.clip_of("1280x720", seconds) == Clip(1280, 720, expected)


@given(JSON)
def test_created_call_never_raises(fields: Any) -> None:
    """Whatever the body holds is a create, if need be with its refusal."""
    call = openai_style.created_call(inbound(fields), prompt_needed=True)
    assert isinstance(call.fields, Mapping)
    assert (call.refusal is None) == bool(
        isinstance(fields, dict) and (openai_style.text(fields.get("prompt")) or "").strip()
    )


@pytest.mark.parametrize(
    ("fields", "broken", "refusal"),
    [
        ({"prompt": "a cat"}, None, None),
        ({"prompt": " "}, None, Refusal(ErrorName.BAD_REQUEST, "prompt is required", "invalid_request")),
        (None, None, Refusal(ErrorName.BAD_REQUEST, "prompt is required", "invalid_request")),
        (
            ["a"],
            None,
            Refusal(ErrorName.BAD_REQUEST, 'the body must be a JSON object, not ["a"]', "invalid_request"),
        ),
        (None, "line 1: no JSON", Refusal(Situation.BROKEN_BODY, "line 1: no JSON")),
    ],
    ids=["good", "blank", "absent", "a list", "broken"],
)
def test_created_call_says_what_is_wrong(fields: Any, broken: str | None, refusal: Refusal | None) -> None:
    """A missing prompt, a body that is no object and one that can't be read are told apart."""
    assert openai_style.created_call(inbound(fields, broken), prompt_needed=True).refusal == refusal


WORDS: Final[Mapping[openai_style.Name, openai_style.Words]] = {
    ErrorName.INTERNAL: openai_style.Words(500, "internal_error", "It broke")
}


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (None, ("refused", "Refused by policy")),
        (Failure(), ("refused", "Refused by policy")),
        (Failure(message="No."), ("refused", "No.")),
        (Failure(message=7), ("refused", "7")),
        (Failure(code="refused"), ("refused", "Refused by policy")),
        (Failure(code="out_of_memory"), ("out_of_memory", "Video generation failed")),
        (Failure(code=""), ("", "Video generation failed")),
        (Failure(name=ErrorName.INTERNAL), ("internal_error", "It broke")),
        (Failure(name=ErrorName.INTERNAL, code="c", message="m"), ("c", "m")),
    ],
)
def test_failure_words_prefer_the_author(failure: Failure | None, expected: tuple[str, str]) -> None:
    """The author's code and message, else the named error's, else the provider's default."""
    assert openai_style.failure_words(failure, WORDS, ("refused", "Refused by policy")) == expected


CONTENT: Final = "/v1/videos/x/content"


@pytest.mark.parametrize(
    ("refusal", "where", "status_code", "body"),
    [
        (
            Refusal(ErrorName.INVALID_TOKEN),
            scene(),
            401,
            {
                "error": {
                    "code": "",
                    "message": f"Invalid token (request id: {REQUEST_ID})",
                    "type": "new_api_error",
                }
            },
        ),
        (
            Refusal(ErrorName.NOT_FOUND),
            scene(),
            400,
            {"code": "task_not_exist", "message": "task_not_exist", "data": None},
        ),
        (
            Refusal(ErrorName.NOT_FOUND),
            scene(CONTENT),
            404,
            {"error": {"message": "Task not found", "type": "invalid_request_error"}},
        ),
        (
            Refusal(ErrorName.NOT_FOUND),
            scene("/v1/videos/content"),
            400,
            {"code": "task_not_exist", "message": "task_not_exist", "data": None},
        ),
        (
            Refusal(Situation.NOT_READY),
            scene(CONTENT, status=Status.PROCESSING),
            400,
            {
                "error": {
                    "message": "Task is not completed yet, current status: IN_PROGRESS",
                    "type": "invalid_request_error",
                }
            },
        ),
        (
            Refusal(Situation.NOT_READY),
            scene(CONTENT, status=Status.CANCELLED),
            400,
            {
                "error": {
                    "message": "Task is not completed yet, current status: FAILURE",
                    "type": "invalid_request_error",
                }
            },
        ),
        (
            Refusal(Situation.MEDIA_GONE),
            scene(CONTENT),
            502,
            {"error": {"message": "Upstream service returned status 403", "type": "server_error"}},
        ),
        (
            Refusal(ErrorName.BAD_REQUEST),
            scene(CONTENT),
            400,
            {"error": {"message": "invalid request", "type": "invalid_request_error"}},
        ),
        (
            Refusal(Situation.NO_ROUTE),
            scene(method="DELETE"),
            404,
            {
                "error": {
                    "message": "Invalid URL (DELETE /v1/videos/x)",
                    "type": "invalid_request_error",
                    "param": "",
                    "code": "",
                }
            },
        ),
        (
            Refusal(ErrorName.RATE_LIMITED),
            scene("/v1/videos", "POST"),
            429,
            {
                "code": "fail_to_fetch_task",
                "message": "当前分组上游负载已饱和\N{FULLWIDTH COMMA}请稍后再试",
                "data": None,
            },
        ),
        (
            Refusal(Situation.BROKEN_BODY, "line 1: no JSON"),
            scene("/v1/videos", "POST"),
            400,
            {
                "error": {
                    "code": "",
                    "message": f"Invalid request: line 1: no JSON (request id: {REQUEST_ID})",
                    "type": "new_api_error",
                }
            },
        ),
        (
            Refusal(ErrorName.CONTENT_REJECTED, "{path}", "my_code"),
            scene("/v1/videos", "POST"),
            400,
            {"code": "my_code", "message": "{path}", "data": None},
        ),
    ],
)
def test_gateway_refusal_uses_the_family_of_the_place(
    refusal: Refusal, where: Scene, status_code: int, body: dict[str, Any]
) -> None:
    """Middleware, task handlers, the content proxy and unknown routes each have their shape and key order."""
    wire = openai_style.gateway_refusal(refusal, where)
    assert (wire.status_code, wire.body) == (status_code, body)
    assert [*_keys(wire.body)] == [*_keys(body)]
    assert wire.content_type == "application/json; charset=utf-8"


def _keys(value: Any) -> list[str]:
    return (
        [name for key, child in value.items() for name in (key, *_keys(child))]
        if isinstance(value, dict)
        else []
    )


def test_the_header_and_the_text_hold_one_request_id() -> None:
    """Who reads an id in an error's text finds it in the headers."""
    headers = dict(openai_style.gateway_headers(scene()))
    wire = openai_style.gateway_refusal(Refusal(ErrorName.FORBIDDEN), scene())
    assert headers[b"x-oneapi-request-id"].decode() in wire.body["error"]["message"]
    assert headers[b"access-control-allow-origin"] == b"*"


@pytest.mark.parametrize("expires", ["", "soon", "1e9", "1_000", "٣", "9" * 13, " 5"])
def test_a_query_that_says_no_date_is_no_link_of_ours(expires: str) -> None:
    """Only plain digits are a date."""
    assert openai_style.plain_link_dies_at({"expires": expires}) is None
    assert openai_style.plain_link_dies_at({}) is None
