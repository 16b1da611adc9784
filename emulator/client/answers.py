"""Answers of the control API: a message, a refusal, or something that no emulator says."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from emulator import __version__
from emulator.client.errors import NotAnEmulator, refusal
from emulator.messages.problem import ProblemDocument

M = TypeVar("M")


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    url: str
    """The emulator's, as the client was given it."""
    status_code: int
    content_type: str
    body: bytes


def accepted(answer: Answer) -> Answer:
    """The answer, unless it is none of an emulator that did what it was asked.

    Raises:
        Refused: the emulator says why not.
        NotAnEmulator: it says something else.
    """
    if 200 <= answer.status_code < 300:
        return answer
    document = _problem(answer)
    if document is None:
        raise stranger(answer)
    raise refusal(document)


def message(kind: type[M]) -> Callable[[Answer], M]:
    """A reader of JSON answers of this kind."""

    def read(answer: Answer) -> M:
        if not _is_json(answer):
            raise stranger(answer)
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.ValidationError as problem:
            raise other_version(answer.url, problem) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise stranger(answer) from None

    return read


def text(answer: Answer) -> str:
    """The reader of answers that are text."""
    if answer.content_type.startswith("text/html"):
        raise stranger(answer)
    return answer.body.decode("utf-8", "replace")


def _problem(answer: Answer) -> ProblemDocument | None:
    try:
        if answer.content_type.startswith("application/problem+json"):
            return msgspec.json.decode(answer.body, type=ProblemDocument)
        found: Any = msgspec.json.decode(answer.body)
        told = found["video_emulator"]["error"]
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
        return None
    return ProblemDocument(title="A defect of video-emulator", status=answer.status_code, detail=str(told))


def _is_json(answer: Answer) -> bool:
    return answer.content_type.partition(";")[0].strip() == "application/json"


def other_version(url: str, problem: Exception) -> NotAnEmulator:
    """What to raise where JSON isn't of the form that this version's emulator would have sent."""
    told = f"something answers there that is no video-emulator of version {__version__}: {problem}"
    return NotAnEmulator(url, told)


def stranger(answer: Answer) -> NotAnEmulator:
    """What to raise where no emulator would have answered so."""
    told = f"something answers there (status code {answer.status_code}) that is no video-emulator"
    return NotAnEmulator(answer.url, told)
