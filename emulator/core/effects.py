"""What a scenario can answer in place of a provider: an error in the provider's words, or a raw answer."""

from typing import Any, Literal

import msgspec

from emulator.core.words import ErrorName


class Failure(msgspec.Struct, frozen=True, kw_only=True, tag="failure"):
    """An error as a scenario words it: a named one, with or without words of the author's own."""

    name: ErrorName | None = None
    code: str | None = None
    message: Any = None
    shape: Literal["object", "string"] = "object"


class Respond(msgspec.Struct, frozen=True, kw_only=True, tag="respond"):
    """A raw answer, written out by the author."""

    status_code: int = 200
    headers: tuple[tuple[str, Any], ...] = ()
    body: Any = None
    """A JSON value, or a text where `is_text`; either may hold templates."""
    is_text: bool = False
