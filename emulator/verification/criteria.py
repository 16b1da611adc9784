"""A pattern as criteria: each judges a record, and tells what was asked and what came."""

from collections.abc import Callable, Iterator
from operator import contains, eq, ge, gt
from typing import Any, Final

import msgspec

from emulator.core.matching import ABSENT, Matcher, matches, text_of
from emulator.core.units import format_instant
from emulator.journal import Record
from emulator.redaction import Redactor, is_secret
from emulator.verification.pattern import Pattern
from emulator.verification.received import Cut, body_field_of, header_of, key_of, tasks_of
from emulator.verification.wording import cut, in_words, marked, quoted, texts_in

Value = Callable[[Record], Any]
"""A JSON value, `ABSENT`, or `Cut`."""


class Criterion(msgspec.Struct, frozen=True):
    """One thing that a pattern asks."""

    name: str
    asked: Callable[[Redactor], str]
    holds: Callable[[Record], bool | None]
    came: Callable[[Record, Redactor], str]
    tells: bool
    """Whether a request of which nothing else holds is still anything like what was asked for."""


def criteria_of(pattern: Pattern, namespace: str) -> Iterator[Criterion]:
    """What the pattern asks, the cheapest first."""
    for plain in _PLAIN:
        asked = getattr(pattern, plain.name)
        if asked is not None:
            yield _plain_criterion(plain, asked)
    if pattern.path is not None:
        yield _matching("path", pattern.path, path_for(pattern.path, f"/ns/{namespace}"))
    if pattern.key is not None:
        yield _matching("key", pattern.key, key_of)
    for line in pattern.match:
        yield _matching(f"match.{line.field}", line.matcher, value_of(line.field))


# What is compared as it stands


class _Plain(msgspec.Struct, frozen=True):
    """A field of the pattern that is compared as it stands."""

    name: str
    came: Callable[[Record], Any]
    fits: Callable[[Any, Any], bool]
    """Of what came and what was asked."""
    tells: Callable[[Any], bool]
    written: Callable[[Any], str] = str


def _always(_asked: Any) -> bool:
    return True


def _never(_asked: Any) -> bool:
    return False


def _is_of(code: int, asked: int | str) -> bool:
    return code == asked or f"{code // 100}xx" == asked


def _is_unusual(asked: int | str) -> bool:
    """Whether a status code says something: nearly every answer is a success."""
    return not _is_of(200, asked)


def _provider_of(record: Record) -> str | None:
    return None if record.provider is None else record.provider.name


def _or_none(value: Any) -> str:
    return "none" if value is None else str(value)


def _listed(value: tuple[str, ...] | str) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"


_PLAIN: Final = (
    _Plain("provider", _provider_of, eq, _never, _or_none),
    _Plain("operation", lambda record: record.operation, eq, _always, _or_none),
    _Plain("status_code", lambda record: record.reply.status_code, _is_of, _is_unusual),
    _Plain("error", lambda record: record.reply.error, eq, _always, _or_none),
    _Plain("method", lambda record: record.method, eq, _never),
    _Plain("since", lambda record: record.reply.now, ge, _never, format_instant),
    _Plain("after", lambda record: record.number, gt, _never),
    _Plain("task", tasks_of, contains, _always, _listed),
    _Plain("rule", lambda record: record.reply.verdict.fired, contains, _always, _listed),
)


def _plain_criterion(plain: _Plain, asked: Any) -> Criterion:
    return Criterion(
        plain.name,
        lambda redactor: cut(redactor.text(plain.written(asked))),
        lambda record: plain.fits(plain.came(record), asked),
        lambda record, redactor: cut(redactor.text(plain.written(plain.came(record)))),
        plain.tells(asked),
    )


# What has to match


def _matching(name: str, matcher: Matcher, value: Value) -> Criterion:
    is_of_key = is_secret(name)

    def asked(redactor: Redactor) -> str:
        return in_words(matcher, marked if is_of_key else lambda text: quoted(redactor.text(text)))

    def came(record: Record, redactor: Redactor) -> str:
        found = value(record)
        if found is ABSENT:
            return "nothing"
        if isinstance(found, Cut):
            return "unknown, because it wasn't kept whole"
        return marked(text_of(found)) if is_of_key else quoted(text_of(redactor.value(found)))

    # All requests of a test have the same key.
    tells = not is_of_key and _tells(matcher)
    return Criterion(name, asked, lambda record: _holds(matcher, value(record)), came, tells)


def _holds(matcher: Matcher, value: Any) -> bool | None:
    if not isinstance(value, Cut):
        return matches(matcher, value)
    if value.is_there and matcher == Matcher(exists=matcher.exists):
        return matcher.exists is True
    return None


def _tells(matcher: Matcher) -> bool:
    """Whether it asks for something that not nearly every request has."""
    asked = (matcher.equals, matcher.contains, matcher.regex, matcher.any_of)
    return any(one is not None for one in asked) or (matcher.glob or "").strip("*") != ""


def path_for(matcher: Matcher, prefix: str) -> Value:
    """How to get the path that the matcher speaks of: with the namespace's prefix only where it does."""
    if any(prefix in text for text in texts_in(matcher)):
        return lambda record: record.path
    return lambda record: record.path.removeprefix(prefix)


def value_of(field: str) -> Value:
    """How to get what a line of a ``match`` names."""
    if field == "key":
        return key_of
    if field.startswith("header."):
        name = field.removeprefix("header.").lower().encode("latin-1", "replace")
        return lambda record: header_of(record, name)
    return lambda record: body_field_of(record, field)
