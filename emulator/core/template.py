"""Templates ``{{ ... }}`` in a scenario's strings: a closed list of names, no code."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from emulator.core import matching, seeded, units

PLAIN_NAMES: Final = ("task.id", "task.created_at", "now", "seed", "uuid", "null")
FAKER_NAMES: Final = (
    "address", "city", "color_name", "company", "country", "country_code", "date", "email", "file_name",
    "first_name", "hex_color", "hostname", "ipv4", "job", "last_name", "mac_address", "md5", "name",
    "paragraph", "phone_number", "sentence", "sha256", "slug", "street_address", "text", "url",
    "user_agent", "user_name", "uuid4", "word",
)  # fmt: skip
"""Faker's providers that a template may name: text without side effects, none of them slow."""

# What stands between is taken whole, blanks too, and holds no braces of another: so no text, however made, takes
# more time than its length.
_PLACE: Final = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.S)
_LAST_DATE: Final = units.as_datetime(units.parse_instant("2025-01-01T00:00:00Z"))
"""Where Faker's dates end. Left to itself it takes today, and the same seed gives another date tomorrow."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What templates may speak of: one task (or none), its create request, the present instant, the draws' key."""

    task_id: str | None
    created_at: units.Instant | None
    request: Callable[[], Mapping[str, Any]]
    now: units.Instant
    seed: int | str
    key: bytes
    number: int = 0


def problem_with(name: str) -> str | None:
    """Why a template can't hold this name, or ``None`` where it can."""
    if name in PLAIN_NAMES or (name.startswith("request.") and len(name) > len("request.")):
        return None
    kind, _, faker = name.partition(".")
    if kind == "faker":
        return None if faker in FAKER_NAMES else f"faker.{faker} is not on the list of allowed names"
    return f"{name!r} is no template name"


def names_in(value: Any) -> list[str]:
    """The names of all templates in a JSON value, in the order in which they stand."""
    if isinstance(value, str):
        return [name.strip() for name in _PLACE.findall(value)]
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [name for child in children for name in names_in(child)]


def holds_any(text: str) -> bool:
    """Whether a template may stand in the text."""
    return "{{" in text


def fill(value: Any, context: Context) -> Any:
    """A JSON value with each template in its strings replaced; a string that is one template gets its value's type."""
    return _filled(value, context, "")


def _filled(value: Any, context: Context, path: str) -> Any:
    if isinstance(value, str):
        return _filled_text(value, context, path)
    if isinstance(value, Mapping):
        return {key: _filled(child, context, f"{path}.{key}") for key, child in value.items()}
    if isinstance(value, list):
        return [_filled(child, context, f"{path}.{number}") for number, child in enumerate(value)]
    return value


def _filled_text(text: str, context: Context, path: str) -> Any:
    if not holds_any(text):
        return text
    if whole := _PLACE.fullmatch(text):
        return _value_of(whole[1].strip(), context, path)
    count = iter(range(len(text)))
    return _PLACE.sub(
        lambda place: matching.text_of(_value_of(place[1].strip(), context, f"{path}#{next(count)}")), text
    )


def _value_of(name: str, context: Context, path: str) -> Any:
    match name:
        case "null":
            return None
        case "now":
            return units.format_instant(context.now)
        case "seed":
            return context.seed
        case "uuid":
            return seeded.uuid4_text(seeded.draw(context.key, f"uuid{path}", context.number))
        case "task.id":
            return context.task_id
        case "task.created_at":
            return None if context.created_at is None else units.format_instant(context.created_at)
    if name.startswith("request."):
        found = matching.field_of(context.request(), name.removeprefix("request."))
        return None if found is matching.ABSENT else found
    return _faked(name.removeprefix("faker."), context, path)


def _faked(name: str, context: Context, path: str) -> Any:
    fake = _faker()
    fake.seed_instance(int.from_bytes(seeded.draw(context.key, f"faker{path}", context.number), "big"))
    return str(fake.date(end_datetime=_LAST_DATE) if name == "date" else getattr(fake, name)())


@lru_cache(maxsize=1)
def _faker() -> Any:
    # Faker takes longer to import than the rest of the program: only a template that names it pays.
    from faker import Faker  # noqa: PLC0415

    return Faker("en_US")
