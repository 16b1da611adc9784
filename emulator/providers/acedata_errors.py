"""How Ace Data Cloud words what it refuses and what failed, and the headers of its answers.

Sources as in `emulator.providers.acedata`.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from emulator.core import seeded
from emulator.core.call import Refusal
from emulator.core.effects import Failure
from emulator.core.words import ErrorName, Profile, Situation
from emulator.providers.base import Headers, Scene, Wire


class Words(msgspec.Struct, frozen=True):
    """How one error is worded."""

    status_code: int
    code: str
    message: str
    task_code: str | None = None
    """The code that it has inside a failed task, where `code` speaks of the call."""


# Messages: fact sheet, examples of the public specifications. The documents list codes and say what each
# is for, and print one message: "fetch failed".
_API_ERROR: Final = Words(500, "api_error", "fetch failed")
_INVALID_TOKEN: Final = Words(401, "invalid_token", "The specified token is invalid or wrong.")
_NOT_IMPLEMENTED: Final = Words(400, "api_not_implemented", "The API is not implemented.")
_TOKEN_MISMATCHED: Final = Words(400, "token_mismatched", "The specified token is not matched with API.")
_RATE_LIMITED: Final = Words(429, "too_many_requests", "You have exceeded the rate limit.")
# Fact sheet: status and code from the public guides; the documents name nothing for a path that isn't there.
_NO_API: Final = Words(404, "no_api", "API does not exist, please make sure url is correct.")
_REFUSED: Final = "The prompt was refused by content moderation."  # our choice: no source prints a message
_NO_SUCH_TASK: Final = "The task does not exist."  # our choice
_USED_UP: Final = (
    "Your balance is not sufficient for current request, please buy more in Ace Data Cloud."  # fact sheet
)
_DISABLED: Final = (  # fact sheet
    "Your application has been disabled by Ace Data Cloud due to abnormal usage behavior, "
    "please contact our support to get more information."
)
# documents/000, documents/002: what they say 400 token_mismatched is for.
_PARAMETERS: Final = "Bad request, possibly due to missing or invalid parameters."


def _bad_call(message: str = _PARAMETERS) -> Words:
    return Words(400, "token_mismatched", message, task_code="api_error")


_DOCUMENTED: Final[Mapping[ErrorName | Situation, Words]] = {
    # The documents list five codes, so every name takes the nearest of these five.
    ErrorName.NO_TOKEN: Words(401, "invalid_token", "No token specified for the request."),
    ErrorName.INVALID_TOKEN: _INVALID_TOKEN,
    ErrorName.TOKEN_EXPIRED: Words(401, "invalid_token", "token expired."),
    ErrorName.TOKEN_MISMATCHED: _TOKEN_MISMATCHED,
    ErrorName.FORBIDDEN: Words(401, "invalid_token", _DISABLED),
    ErrorName.INSUFFICIENT_QUOTA: Words(429, "too_many_requests", _USED_UP),
    ErrorName.BAD_REQUEST: _bad_call(),
    ErrorName.NOT_IMPLEMENTED: _NOT_IMPLEMENTED,
    ErrorName.NOT_FOUND: _bad_call(_NO_SUCH_TASK),
    ErrorName.CONTENT_REJECTED: _bad_call(_REFUSED),
    ErrorName.RATE_LIMITED: _RATE_LIMITED,
    ErrorName.INTERNAL: _API_ERROR,
    ErrorName.BAD_GATEWAY: _API_ERROR,
    ErrorName.UNAVAILABLE: _API_ERROR,
    ErrorName.TIMEOUT: _API_ERROR,
    Situation.NO_ROUTE: _NO_API,
    # AceData has no route for a result's bytes; worded all the same, so that no table has a gap.
    Situation.NOT_READY: _bad_call(),
    Situation.MEDIA_GONE: _bad_call(),
    Situation.TOO_LARGE: _bad_call(),
    Situation.BROKEN_BODY: _bad_call(),
}

_BAD_REQUEST: Final = Words(400, "bad_request", _PARAMETERS)

_CURRENT: Final[Mapping[ErrorName | Situation, Words]] = {
    # Fact sheet: the full list of the public guides and specifications.
    **_DOCUMENTED,
    ErrorName.NO_TOKEN: Words(400, "no_token", "No token specified for the request."),
    ErrorName.TOKEN_EXPIRED: Words(401, "token_expired", "token expired."),
    # The sources disagree on 400 or 403 for `disabled`; the newest guide has 403.
    ErrorName.FORBIDDEN: Words(403, "disabled", _DISABLED),
    ErrorName.INSUFFICIENT_QUOTA: Words(403, "used_up", _USED_UP),
    ErrorName.BAD_REQUEST: _BAD_REQUEST,
    # An unknown task is `{}`: the one 404 that the sources have speaks of the path.
    ErrorName.NOT_FOUND: Words(404, "no_api", _NO_API.message, task_code="api_error"),
    ErrorName.CONTENT_REJECTED: Words(403, "forbidden", _REFUSED),
    ErrorName.TIMEOUT: Words(504, "timeout", "render exceeded timeout"),
    Situation.NOT_READY: _BAD_REQUEST,
    Situation.MEDIA_GONE: _BAD_REQUEST,
    Situation.TOO_LARGE: _BAD_REQUEST,
    Situation.BROKEN_BODY: _BAD_REQUEST,
}

WORDS: Final[Mapping[Profile, Mapping[ErrorName | Situation, Words]]] = {
    Profile.DOCUMENTED: _DOCUMENTED,
    Profile.CURRENT: _CURRENT,
}


def refuse(refusal: Refusal, scene: Scene) -> Wire:
    """Any refusal in the provider's words. The trace id is the exchange's own, as in ``x-request-id``."""
    words = WORDS[scene.profile][refusal.name]
    # documents/000, documents/002 print `success` in the one error that they show. Fact sheet: the
    # gateway's errors have none, those of the workers behind it (api_error) do.
    has_success = scene.profile is Profile.DOCUMENTED or words.code == "api_error"
    body: dict[str, Any] = {"success": False} if has_success else {}
    body["error"] = {
        "code": words.code if refusal.code is None else refusal.code,
        "message": words.message if refusal.message is None else refusal.message,
    }
    body["trace_id"] = seeded.uuid4_text(scene.entropy[:16])
    return Wire(words.status_code, body)


def failure(told: Failure | None, profile: Profile) -> tuple[str, str]:
    """Code and message of a failed task: ``api_error``, "fetch failed", unless the author says otherwise."""
    if told is None:
        return _API_ERROR.code, _API_ERROR.message
    words = WORDS[profile][told.name or ErrorName.INTERNAL]
    code = told.code if told.code is not None else words.task_code or words.code
    return code, words.message if told.message is None else told.message


def failure_status(told: Failure | None, profile: Profile) -> int:
    """The status code of a call that fails as a task has failed."""
    name = ErrorName.INTERNAL if told is None or told.name is None else told.name
    return WORDS[profile][name].status_code


_SHARED_HEADERS: Final = (
    # Inferred: the provider's web client calls the service from a browser, and reads x-request-id.
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"x-request-id"),
)


def headers(scene: Scene) -> Headers:
    """What every answer carries. Fact sheet, inferred: ``x-request-id`` equals an error's trace id."""
    request_id = (b"x-request-id", seeded.uuid4_text(scene.entropy[:16]).encode())
    return (request_id, *_SHARED_HEADERS)
