"""Answers that aren't from a task, as rules say them: a named error where the provider's own words fit, else raw."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec
import orjson

from emulator.core.call import Refusal
from emulator.core.units import SECOND, Duration, Instant, format_duration, parse_instant
from emulator.core.words import ErrorName, Profile, Status
from emulator.providers.base import Provider, Scene, Wire
from emulator.recorder.disguise import Disguise
from emulator.recorder.faces import differences
from emulator.recorder.runs import Act
from emulator.recorder.seen import Seen
from emulator.recorder.stretches import Json

_USUAL: Final = (
    ErrorName.RATE_LIMITED,
    ErrorName.INTERNAL,
    ErrorName.UNAVAILABLE,
    ErrorName.BAD_GATEWAY,
    ErrorName.TIMEOUT,
    ErrorName.NOT_FOUND,
    ErrorName.INVALID_TOKEN,
    ErrorName.INSUFFICIENT_QUOTA,
    ErrorName.BAD_REQUEST,
    ErrorName.CONTENT_REJECTED,
)
_NAMES: Final = (*_USUAL, *(name for name in ErrorName if name not in _USUAL))
"""Of several errors that a provider words alike, the first is the one that was meant."""
_ENTROPIES: Final = (bytes(range(48)), bytes(range(100, 148)))
_INSTANTS: Final = (parse_instant("2025-01-01T00:00:00Z"), parse_instant("2027-09-28T00:00:00Z"))
_RETRY_AFTER: Final = b"retry-after"
_LONGEST_PAGE: Final = 2000


class Refused(msgspec.Struct, frozen=True):
    """What a rule says of an answer."""

    told: Json
    """The effect as it stands in a file."""
    is_raw: bool = False
    """Whether none of the provider's errors fits."""


class Wording:
    """A provider's errors in one of its faces."""

    def __init__(self, provider: Provider, profile: Profile, disguise: Disguise) -> None:
        self._provider = provider
        self._profile = profile
        self._disguise = disguise

    def refused(self, act: Act, status: Status | None) -> Refused:
        """How a rule says what was answered, while the task was in a status."""
        found = self._named(act, status)
        wait = retry_after(act.read.seen)
        if found is None:
            answer = {"respond": self._raw(act.read.seen)}
            return Refused(answer if wait is None else {**answer, "retry_after": wait}, is_raw=True)
        error, wire = found
        if wait is None and any(name.lower() == "retry-after" for name, _ in wire.headers):
            wait = "none"
        return Refused({"error": error} if wait is None else {"error": error, "retry_after": wait})

    def _named(self, act: Act, status: Status | None) -> tuple[Any, Wire] | None:
        seen, value = act.read.seen, act.read.value
        if not isinstance(value, Mapping):
            return None
        for refusal, told in self._candidates(value):
            one, other = (self._wire(refusal, act, status, variant) for variant in range(2))
            if one.status_code != seen.status_code:
                continue
            body, again = (orjson.loads(orjson.dumps(wire.body)) for wire in (one, other))
            if not differences(value, body, again, self._disguise):
                return told, one
        return None

    def _candidates(self, value: Mapping[str, Any]) -> Iterator[tuple[Refusal, Any]]:
        """Every named error, with fewer words of its own first."""
        code, message = _first(value, "code"), _first(value, "message")
        code = None if code is None else self._disguise.code(code)
        message = None if message is None else self._disguise.text(message)
        for name in _NAMES:
            yield Refusal(name), name.value
        for name in _NAMES:
            if message is not None:
                yield Refusal(name, message), {"name": name.value, "message": message}
        for name in _NAMES:
            if code is not None:
                told = {"name": name.value, "code": code}
                yield Refusal(name, None, code), told
                if message is not None:
                    yield Refusal(name, message, code), {**told, "message": message}

    def _wire(self, refusal: Refusal, act: Act, status: Status | None, variant: int) -> Wire:
        scene = Scene(
            self._profile,
            act.read.seen.method,
            act.read.seen.path,
            _INSTANTS[variant],
            _ENTROPIES[variant],
            status,
            act.read.name,
        )
        return self._provider.refuse(refusal, scene)

    def _raw(self, seen: Seen) -> Json:
        """The answer written out, without what is private in it."""
        answer: Json = {"status_code": max(seen.status_code, 200)}
        value = seen.value()
        if value is not None:
            return {**answer, "json": templated(self._disguise.value(value))}
        if not seen.length:
            return answer
        if seen.content_type == "text/html":
            return {**answer, "headers": {"content-type": "text/html"}, "text": _page(seen.status_code)}
        text = seen.text()[:_LONGEST_PAGE].decode("utf-8", "replace")
        return {**answer, "text": self._disguise.text(text)}


def _page(status_code: int) -> str:
    """What stands for a page for people, of which nobody knows what it tells."""
    try:
        title = f"{status_code} {HTTPStatus(status_code).phrase}"
    except ValueError:
        title = str(status_code)
    return f"<h1>{title}</h1>"


def templated(value: Any, filled: Mapping[str, str] | None = None) -> Any:
    """A disguised value as it stands in a file, where templates fill the gaps, or what ``filled`` says."""
    marks = _FILLED if filled is None else filled
    if isinstance(value, Mapping):
        return {name: templated(child, marks) for name, child in value.items()}
    if isinstance(value, list):
        return [templated(child, marks) for child in value]
    return marks.get(value, value) if isinstance(value, str) else value


_FILLED: Final = {
    "[id]": "{{ uuid }}",
    "[date]": "{{ now }}",
    "[link]": "https://example.com/recorded",
    "[key]": "replaced",
    "[hidden]": "replaced",
}
PLAIN: Final = {**_FILLED, "[id]": "replaced", "[date]": "2025-01-01T00:00:00Z"}
"""What stands where no template is filled in."""


def _first(value: Any, name: str, depth: int = 0) -> str | None:
    """The first text under a name, wherever it stands."""
    if not isinstance(value, Mapping) or depth > 3:
        return None
    found = value.get(name)
    if isinstance(found, str):
        return found
    return next(
        (text for child in value.values() if (text := _first(child, name, depth + 1)) is not None), None
    )


def retry_after(seen: Seen) -> str | Json | None:
    """How a rule says the wait that an answer asks for; ``None``: it asks for none that can be read."""
    text = seen.answer_headers.get(_RETRY_AFTER, b"").decode("latin-1").strip()
    if text.isascii() and text.isdigit() and len(text) < 9:
        return format_duration(int(text) * SECOND)
    wait = _until(text, seen.at)
    return None if wait is None else {"http_date": format_duration(wait)}


def _until(date: str, now: Instant) -> Duration | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return None
    instant = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * SECOND
    # What is written has no fractions of a second: what it was made of was longer.
    return max(0, -(-(instant - now) // SECOND)) * SECOND
