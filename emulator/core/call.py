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
    source: str | None = None
    """The name of the video that the new one is made from; ``None``: from none."""
    is_held: bool = False
    """The answer comes when the task has ended."""
    is_streamed: bool = False
    """Until then the answer says in lines what the task is doing."""
    refusal: Refusal | None = None
    """What the provider's own validation says; judged only after auth and rules had their say."""


class Remix(msgspec.Struct, frozen=True, kw_only=True):
    """A new task is asked for that is made from another: an exchange with that one."""

    source: str
    fields: Mapping[str, Any]
    refusal: Refusal | None = None


class Poll(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The state of tasks is asked for: one, or a batch in which order and repeats count."""

    ids: tuple[str, ...]
    by_alias: bool = False
    """The ids are the tasks' other names (AceData's ``trace_id``)."""
    is_batch: bool = False
    refusal: Refusal | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the caller's tasks is asked for."""

    limit: int
    offset: int = 0
    after: str | None = None
    """The page begins behind the task of this id; where nobody knows the id, nothing is behind it."""
    oldest_first: bool = False
    has_more: bool = False
    """Whether other tasks follow those of the page: said by who answers, for `Operation.answer`."""
    created_from: Instant | None = None
    created_to: Instant | None = None
    refusal: Refusal | None = None


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes of a task's result are asked for."""

    id: str
    variant: str = "video"
    """Which of them, as the client said it; what that means, `Provider.variant` knows."""
    refusal: Refusal | None = None


class Delete(msgspec.Struct, frozen=True, kw_only=True):
    """A task is to be forgotten."""

    id: str
    only_ended: bool = False
    """Whether a task that hasn't ended yet is kept, and the call refused."""
    refusal: Refusal | None = None


Call = Create | Remix | Poll | Listing | Content | Delete
