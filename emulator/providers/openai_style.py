"""What the two OpenAI-style vendors share: their gateway's wire, create requests in its manner, plain links.

OctopusX runs the gateway new-api (documents/001 names its routines); EzModel very likely does (fact
sheet, inferred: its older create page lists the gateway's own parameters). "Gateway source" below is
the fact sheet's reading of new-api v1.0.0-rc.21.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from math import floor, isfinite
from sys import intern
from typing import Any, Final
from urllib.parse import quote

import msgspec

from emulator.core import units
from emulator.core.call import Content, Create, Refusal, Variant
from emulator.core.effects import Failure
from emulator.core.matching import text_of
from emulator.core.units import SECOND, Instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers.base import Clip, Headers, Inbound, Link, Result, Scene, Wire

Name = ErrorName | Situation


class Words(msgspec.Struct, frozen=True):
    """How a refusal is worded. The message may hold ``{method}``, ``{path}`` and ``{status}``."""

    status_code: int
    code: str
    message: str


def spoken(words: Words, refusal: Refusal, scene: Scene, statuses: Mapping[Status, str]) -> Words:
    """The words with what the refusal overrides, and the scene's own parts, filled in."""
    code = words.code if refusal.code is None else refusal.code
    if refusal.message is not None:
        return Words(words.status_code, code, text_of(refusal.message))
    status = statuses[scene.status] if scene.status else "UNKNOWN"
    message = words.message.format(method=scene.method, path=scene.path, status=status)
    return Words(words.status_code, code, message)


def failure_words(
    failure: Failure | None, words: Mapping[Name, Words], default: tuple[str, str]
) -> tuple[str, str]:
    """Code and message of a failed task: the author's, else the named error's, else the provider's ``default``.

    An author's code without a message doesn't keep the default's message, which would belie it.
    """
    code, message = default
    if failure is None:
        return default
    if failure.name is not None:
        code, message = words[failure.name].code, words[failure.name].message
    elif failure.code is not None and failure.code != code:
        message = "Video generation failed"  # our choice
    if failure.code is not None:
        code = failure.code
    return code, message if failure.message is None else text_of(failure.message)


# API keys


def bearer_key(header: bytes | None, profile: Profile) -> str | ErrorName:
    """The API key in an ``Authorization`` header, or what is wrong with the header.

    documents/001, documents/003: ``Bearer`` and the key. Gateway source, so `Profile.CURRENT`: the scheme
    may be left out. The key keeps its ``sk-``, which the gateway cuts off: scenarios name keys as sent.
    """
    if header is None:
        return ErrorName.NO_TOKEN
    if header[:7].lower() == b"bearer ":
        key = header[7:].strip()
    elif profile is Profile.CURRENT:
        key = header.strip()
    else:
        return ErrorName.INVALID_TOKEN
    if not key or b" " in key or key.lower() == b"bearer":
        return ErrorName.INVALID_TOKEN
    return key.decode("latin-1")


# The gateway's headers

_BUILD_MARK: Final = "5f3a91c7"  # our choice: eight hex digits that are one build's
_VERSION: Final = b"v1.0.0-rc.21"  # fact sheet: the version whose source was read


@lru_cache(maxsize=64)
def _stamp(second: int) -> str:
    """``yyyymmddHHMMSS``. Kept, since many polls fall into one second."""
    return f"{units.as_datetime(second * SECOND):%Y%m%d%H%M%S}"


def request_id(scene: Scene) -> str:
    """Gateway source: UTC to the second, nine digits of nanoseconds, the build's mark, eight random characters."""
    second, micros = divmod(scene.now, SECOND)
    return f"{_stamp(second)}{micros:06}000{_BUILD_MARK}{scene.entropy[:4].hex()}"


def gateway_headers(scene: Scene) -> Headers:
    """Gateway source: what every answer carries, CORS for everyone included."""
    return (
        (b"access-control-allow-origin", b"*"),
        (b"x-new-api-version", _VERSION),
        (b"x-oneapi-request-id", request_id(scene).encode()),
    )


# The gateway's refusals, for `Profile.CURRENT`

DB_STATUSES: Final = {
    Status.QUEUED: "QUEUED",
    Status.PROCESSING: "IN_PROGRESS",
    Status.COMPLETED: "SUCCESS",
    Status.FAILED: "FAILURE",
    Status.CANCELLED: "FAILURE",
}
"""Gateway source: the words of its database, which its content route prints."""

Family = Callable[[Words, Scene], dict[str, Any]]


def _middleware(words: Words, scene: Scene) -> dict[str, Any]:
    """Gateway source, family 1: before any handler. Keys come alphabetically, the code is mostly empty."""
    message = f"{words.message} (request id: {request_id(scene)})"
    return {"error": {"code": words.code, "message": message, "type": "new_api_error"}}


def _task(words: Words, _scene: Scene) -> dict[str, Any]:
    """Gateway source, family 2: the handlers of tasks."""
    return {"code": words.code, "message": words.message, "data": None}


def _content(words: Words, _scene: Scene) -> dict[str, Any]:
    """Gateway source, family 3: the content proxy, which has neither code nor param."""
    kind = "invalid_request_error" if words.status_code < 500 else "server_error"
    return {"error": {"message": words.message, "type": kind}}


def _route(words: Words, _scene: Scene) -> dict[str, Any]:
    """Gateway source, family 4: no such route."""
    return {
        "error": {
            "message": words.message,
            "type": "invalid_request_error",
            "param": "",
            "code": words.code,
        }
    }


_INVALID_TOKEN: Final = (_middleware, Words(401, "", "Invalid token"))
# The gateway has no such error: the nearest is the one for what a request lacks.
_INVALID_REQUEST: Final = (_task, Words(400, "invalid_request", "invalid request"))

_GATEWAY: Final[Mapping[Name, tuple[Family, Words]]] = {
    # Gateway source: one text for all of these since 2026.
    ErrorName.NO_TOKEN: _INVALID_TOKEN,
    ErrorName.INVALID_TOKEN: _INVALID_TOKEN,
    ErrorName.TOKEN_EXPIRED: _INVALID_TOKEN,
    ErrorName.TOKEN_MISMATCHED: _INVALID_REQUEST,
    # Gateway source: the case of an address that the token doesn't allow.
    ErrorName.FORBIDDEN: (_middleware, Words(403, "access_denied", "您的 IP 不在令牌允许访问的列表中")),
    # Gateway source: Chinese in every language, with the balance; its dollar sign is the wide one.
    ErrorName.INSUFFICIENT_QUOTA: (
        _task,
        Words(403, "insufficient_user_quota", "用户额度不足, 剩余额度: \N{FULLWIDTH DOLLAR SIGN}0.000000"),
    ),
    ErrorName.BAD_REQUEST: _INVALID_REQUEST,
    ErrorName.NOT_IMPLEMENTED: (_task, Words(501, "not_implemented", "not_implemented")),
    ErrorName.NOT_FOUND: (_task, Words(400, "task_not_exist", "task_not_exist")),
    # Gateway source: the upstream's status, and its body as the message; which body is our choice.
    ErrorName.CONTENT_REJECTED: (
        _task,
        Words(
            400,
            "fail_to_fetch_task",
            '{{"error":{{"message":"Content policy violation","code":"content_policy_violation"}}}}',
        ),
    ),
    # Gateway source: the limiter per model, where one is mounted; its two numbers are our choice.
    ErrorName.RATE_LIMITED: (
        _middleware,
        Words(429, "", "您已达到请求数限制\N{FULLWIDTH COLON}1分钟内最多请求60次"),
    ),
    ErrorName.INTERNAL: (_task, Words(500, "get_task_failed", "internal server error")),
    ErrorName.BAD_GATEWAY: (_middleware, Words(502, "", "Bad gateway")),  # our choice in family 1
    # Gateway source: no channel serves the model.
    ErrorName.UNAVAILABLE: (
        _middleware,
        Words(
            503, "model_not_found", "No available channel for model sora-2 under group default (distributor)"
        ),
    ),
    ErrorName.TIMEOUT: (_middleware, Words(504, "", "Gateway timeout")),  # our choice in family 1
    Situation.NO_ROUTE: (_route, Words(404, "", "Invalid URL ({method} {path})")),
    Situation.NOT_READY: (_content, Words(400, "", "Task is not completed yet, current status: {status}")),
    # Gateway source: what the storage answered; ours answers a dead link with 403.
    Situation.MEDIA_GONE: (_content, Words(502, "", "Upstream service returned status 403")),
    Situation.TOO_LARGE: (_task, Words(413, "read_request_body_failed", "request body too large")),
    Situation.BROKEN_BODY: (_middleware, Words(400, "", "Invalid request")),
}

_ON_CREATE: Final[Mapping[Name, tuple[Family, Words]]] = {
    # Gateway source: an upstream's 429 gets this text whatever the upstream said.
    ErrorName.RATE_LIMITED: (
        _task,
        Words(429, "fail_to_fetch_task", "当前分组上游负载已饱和\N{FULLWIDTH COMMA}请稍后再试"),
    ),
    ErrorName.INTERNAL: (_task, Words(500, "do_request_failed", "internal server error")),
}

_ON_CONTENT: Final[Mapping[Name, tuple[Family, Words]]] = {
    ErrorName.NOT_FOUND: (_content, Words(404, "", "Task not found")),
    ErrorName.INTERNAL: (_content, Words(500, "", "Failed to query task")),
    # Gateway source: a fetch that fails, or takes longer than 60 s.
    ErrorName.BAD_GATEWAY: (_content, Words(502, "", "Failed to fetch video content")),
    ErrorName.TIMEOUT: (_content, Words(502, "", "Failed to fetch video content")),
}


NO_MODEL: Final = Refusal(ErrorName.BAD_REQUEST, "Model name not specified, model name cannot be empty", "")
"""A create without a model. Gateway source: its middleware looks for the model, before any handler."""
_MAKING: Final = frozenset({OperationName.CREATE, OperationName.REMIX})


def _gateway_words(name: Name, scene: Scene) -> tuple[Family, Words]:
    if scene.operation in _MAKING:
        return _ON_CREATE.get(name) or _GATEWAY[name]
    if scene.operation is not OperationName.CONTENT:
        return _GATEWAY[name]
    family, words = _ON_CONTENT.get(name) or _GATEWAY[name]
    return (_content if family is _task else family), words


def gateway_refusal(refusal: Refusal, scene: Scene) -> Wire:
    """The refusal in the gateway's words and in the one of its four shapes that it uses there.

    The content proxy's shape has no code: an author's code has no place in it.
    """
    family, words = _gateway_words(refusal.name, scene)
    if refusal == NO_MODEL:
        family = _middleware
    words = spoken(words, refusal, scene, DB_STATUSES)
    if refusal.name is Situation.BROKEN_BODY and refusal.message is not None:
        words = Words(words.status_code, words.code, f"Invalid request: {words.message}")
    # Gateway source: handlers that write JSON objects name the charset; only the task query doesn't.
    return Wire(words.status_code, family(words, scene), content_type="application/json; charset=utf-8")


def wrapped_refusal(refusal: Refusal, words: Words, scene: Scene, statuses: Mapping[Status, str]) -> Wire:
    """The refusal as documents/003 shows errors: ``{"error": {"message", "code"}}``."""
    words = spoken(words, refusal, scene, statuses)
    return Wire(words.status_code, {"error": {"message": words.message, "code": words.code}})


# Polls


def named_in_path(params: tuple[str, ...], _fields: Any) -> str:
    """The task that a poll names: the last segment of its path, whatever else the request holds."""
    return params[0]


# Content

CONTENT_HEADERS: Final[Headers] = ((b"cache-control", b"public, max-age=86400"),)
"""Gateway source: what it sets on a result that it streams through."""
_VARIANTS: Final[Mapping[str, Variant]] = {
    "video": "video",
    "thumbnail": "thumbnail",
    "spritesheet": "spritesheet",
}


def content_call(inbound: Inbound) -> Content:
    """The result that a path and its query ask for."""
    return Content(id=inbound.params[0], variant=inbound.query.get("variant", "video"))


def variant(name: str, profile: Profile) -> Variant | Refusal:
    """What of a result is sent. Fact sheet: the gateway doesn't look at the parameter; OpenAI knows three values.

    The documents show none, so `Profile.DOCUMENTED` does as the gateway. That another value is refused, and with
    which words, is our choice: no source shows it.
    """
    if profile is Profile.DOCUMENTED:
        return "video"
    known = _VARIANTS.get(name)
    if known is not None:
        return known
    # Two braces would begin a template, and templates are for authors.
    shown = name[:40].replace("{{", "")
    message = f"Invalid value: '{shown}'. Supported values are: 'video', 'thumbnail', and 'spritesheet'."
    return Refusal(ErrorName.BAD_REQUEST, message, "invalid_value")


# Create requests


def created_call(inbound: Inbound, prompt_needed: bool) -> Create:
    """The create that a body asks for. Clients send JSON or forms; a form's values are all strings."""
    if inbound.broken is not None:
        return Create(fields={}, refusal=Refusal(Situation.BROKEN_BODY, inbound.broken))
    fields = {} if inbound.fields is None else inbound.fields
    if not isinstance(fields, Mapping):
        message = f"the body must be a JSON object, not {text_of(fields)[:40]}"
        return Create(fields={}, refusal=Refusal(ErrorName.BAD_REQUEST, message, "invalid_request"))
    if prompt_needed and not (text(fields.get("prompt")) or "").strip():
        # Gateway source: 400, code and message.
        refusal = Refusal(ErrorName.BAD_REQUEST, "prompt is required", "invalid_request")
        return Create(fields=fields, refusal=refusal)
    return Create(fields=fields)


def number(value: Any) -> float | None:
    """The number that a JSON number or a text is; ``None`` for anything else, infinities included."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if isfinite(parsed) else None


_WHOLE: Final = 2**63
"""Our writer of JSON takes no more, and neither do the integers of Go, the gateway's language."""


def whole(value: Any) -> int | None:
    """The nearest whole number of a number or of a text that is one; ``None`` where it has more than 64 bits."""
    parsed = number(value)
    if parsed is None:
        return None
    nearest = value if isinstance(value, int) else floor(parsed + 0.5)
    return nearest if -_WHOLE <= nearest < _WHOLE else None


def text(value: Any) -> str | None:
    """A text that isn't empty, or a number as text; ``None`` for anything else.

    Short ones are interned: a million tasks share one ``sora-2``.
    """
    if isinstance(value, str):
        return (intern(value) if len(value) < 32 else value) or None
    return None if number(value) is None else intern(str(value))


def seconds_asked(fields: Mapping[str, Any]) -> str | None:
    """What a create request says of the duration: ``seconds``, else ``duration`` (gateway source)."""
    seconds = text(fields.get("seconds"))
    return text(fields.get("duration")) if seconds is None else seconds


# Patterns as text: they are compiled when first used, which a start needn't wait for.
_PIXELS: Final = r"\s*([0-9]{1,5})\s*[xX×*]\s*([0-9]{1,5})\s*"  # noqa: RUF001 - people type the sign
_RATIO: Final = r"\s*([0-9]{1,3})\s*:\s*([0-9]{1,3})\s*"
_LINES: Final = r"\s*([0-9]{3,4})[pP]\s*"

_DEFAULT_PIXELS: Final = (720, 1280)
_SHORT_SIDE: Final = 720  # our choice: what a ratio such as 16:9 is of
_LONGEST_SIDE: Final = 7680
_LONGEST_CLIP: Final = 3600
"""In seconds. Gateway source: the bound of what it accepts."""


def pixels(size: str) -> tuple[int, int]:
    """Width and height of ``720x1280``, ``16:9`` or ``720P``; the default's for what is none of them."""
    if (found := re.fullmatch(_PIXELS, size)) and int(found[1]) and int(found[2]):
        return int(found[1]), int(found[2])
    if (found := re.fullmatch(_RATIO, size)) and int(found[1]) and int(found[2]):
        return _of_ratio(int(found[1]), int(found[2]), _SHORT_SIDE)
    if (found := re.fullmatch(_LINES, size)) and int(found[1]):
        return _of_ratio(16, 9, int(found[1]))
    return _DEFAULT_PIXELS


def pixel_size(size: str) -> bool:
    """Whether a size counts pixels, and isn't a ratio or a number of lines."""
    return re.fullmatch(_PIXELS, size) is not None


def _of_ratio(wide: int, high: int, short_side: int) -> tuple[int, int]:
    # Even, as the video codecs want it.
    long_side = min(_LONGEST_SIDE, max(wide, high) * short_side // min(wide, high) // 2 * 2)
    return (long_side, short_side) if wide >= high else (short_side, long_side)


def clip_of(size: str, seconds: str) -> Clip:
    """The video that a size and a duration, as printed, ask for."""
    length = whole(seconds)
    width, height = pixels(size)
    return Clip(width, height, min(_LONGEST_CLIP, max(1, 4 if length is None else length)))


# Links, all our choice: documents/003 shows a plain storage URL without a query, documents/001 none.

_EXPIRY: Final = r"-?[0-9]{1,12}"


def plain_link(result: Result) -> Link:
    """documents/003: ``videos/{id}.mp4``. The query, a date and a signature, is ours."""
    name = str(result.task.plan.values.get("video_id", result.task.id))
    expires = str(result.dies_at // SECOND)
    return Link(f"videos/{quote(name, safe='')}.mp4", (("expires", expires), ("signature", None)))


def plain_link_dies_at(query: Mapping[str, str]) -> Instant | None:
    """When a plain link dies, from its query; ``None`` where that isn't said."""
    expires = query.get("expires", "")
    return int(expires) * SECOND if re.fullmatch(_EXPIRY, expires) else None


def plain_storage_refusal(_expired: bool, _scene: Scene) -> Wire:
    """A CDN's plain 403, the same for a dead link and for a tampered one."""
    page = (
        "<html>\r\n<head><title>403 Forbidden</title></head>\r\n"
        "<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return Wire(403, page, content_type="text/html")
