"""What the control API refuses: problem documents of RFC 9457."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from emulator.messages.problem import Mistake, ProblemDocument

MEDIA_TYPE: Final = "application/problem+json"
_MOST_TOLD: Final = 50


class Problem(Exception):
    """A request that is refused. Whoever raises it has changed nothing."""

    def __init__(self, status_code: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.document = ProblemDocument(title=title, status=status_code, detail=detail, **more)


def bad_request(mistakes: Sequence[Mistake], title: str = "Bad request") -> Problem:
    """The refusal of a request with mistakes in it, all of them (of very many the first)."""
    more = len(mistakes) - _MOST_TOLD
    mistakes = mistakes[:_MOST_TOLD]
    sentences = [f"{m.where}: {m.message}" if m.where else m.message for m in mistakes]
    sentences = [
        f"{sentence}; {m.hint}" if m.hint else sentence
        for sentence, m in zip(sentences, mistakes, strict=True)
    ]
    if more > 0:
        sentences.append(f"And {more} more mistakes")
    ended = [sentence if sentence.endswith("?") else f"{sentence}." for sentence in sentences]
    return Problem(400, title, " ".join(ended).removesuffix("."), mistakes=list(mistakes))


def conflict(title: str, detail: str) -> Problem:
    """The refusal of what can't be done as things stand."""
    return Problem(409, title, detail)


def unknown(title: str, detail: str, names: Sequence[str] | None = None) -> Problem:
    """The refusal of a name that nothing has."""
    return Problem(404, title, detail, names=None if names is None else list(names))


def response_of(problem: Problem) -> Response:
    """The answer that tells of a problem."""
    document = problem.document
    return Response(msgspec.json.encode(document), document.status, media_type=MEDIA_TYPE)


def on_problem(_request: Request, problem: Exception) -> Response:
    """Starlette's handler of `Problem`."""
    assert isinstance(problem, Problem)
    return response_of(problem)


def on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's handler of its own refusals: a path or a method that there isn't."""
    assert isinstance(error, HTTPException)
    # Not request.url, which can't be had where the query has bytes that are no UTF-8.
    path = request.scope["path"][:200]
    if error.status_code == 404:
        detail = f"the control API has no {path}; GET /__admin/openapi.json lists its routes"
        return response_of(Problem(404, error.detail, detail))
    # Starlette gives them in an order that changes from run to run.
    allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
    detail = f"{path} doesn't take {request.method}; it takes {allowed}"
    response = response_of(Problem(error.status_code, error.detail, detail))
    response.headers["allow"] = allowed
    return response


def on_defect(_request: Request, _error: Exception) -> Response:
    """Starlette's handler of everything else, which it logs with its traceback."""
    told = "video-emulator met a defect of its own; its log has the details"
    return response_of(Problem(500, "A defect of video-emulator", told))
