"""What a client asks for and why it may be refused, in neutral words: the currency between endpoint and providers."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from emulator.core.units import Instant
from emulator.core.words import ErrorName, Situation

Variant = Literal["video", "thumbnail", "spritesheet"]
"""What can be had of a result: itself, one picture of it, or a grid of its frames."""


class Refusal(msgspec.Struct, frozen=True):
    """No, and why. The provider owns status code, body and headers; `code` and `message` override its words."""

    name: ErrorName | Situation
    message: Any = None
    code: str | None = None


class Create(msgspec.Struct, frozen=True, kw_only=True):
    """A new task is asked for."""

    fields: Mapping[str, Any]
    is_held: bool = False
    """The answer comes when the task has ended."""
    is_streamed: bool = False
    """Until then the answer says in lines what the task is doing."""
    refusal: Refusal | None = None
    """What the provider's own validation says; judged only after auth and rules had their say."""


class Poll(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The state of tasks is asked for: one, or a batch in which order and repeats count."""

    ids: tuple[str, ...]
    by_alias: bool = False
    """The ids are the tasks' other names (AceData's ``trace_id``)."""
    is_batch: bool = False
    refusal: Refusal | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's tasks are asked for, newest first."""

    limit: int
    offset: int = 0
    created_from: Instant | None = None
    created_to: Instant | None = None
    refusal: Refusal | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a task's result are asked for."""

    id: str
    variant: str = "video"
    """Which of them, as the client said it; what that means, `Provider.variant` knows."""
    refusal: Refusal | None = None


Call = Create | Poll | Listing | Content
