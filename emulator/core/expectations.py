"""What a correct client does, as far as a scenario says it: judged from what came, never enforced.

``None`` is what the file leaves open: there the report judges as it judges every client.
"""

import msgspec

from emulator.core.units import Duration


class PollExpectations(msgspec.Struct, frozen=True, kw_only=True):
    """How a correct client polls a task."""

    min_interval: Duration | None = None
    """The shortest gap between two polls of one task."""
    max_interval: Duration | None = None
    """The longest."""
    after_terminal: int | None = None
    """How many polls are fine after the client saw a terminal status."""
    honours_retry_after: bool | None = None
    """It waits as long as ``Retry-After`` said. ``False``: it needn't."""
    honours_poll_after: bool | None = None
    """It waits as long as ``openai-poll-after-ms`` said. ``False``: it needn't."""


class CreateExpectations(msgspec.Struct, frozen=True, kw_only=True):
    """How a correct client creates tasks."""

    repeated: int | None = None
    """How many accepted creates are fine whose request equals that of one accepted before."""


class DownloadExpectations(msgspec.Struct, frozen=True, kw_only=True):
    """How a correct client downloads results."""

    at_least: int | None = None
    """How often it downloads each finished result, at least."""
    before_expiry: bool | None = None
    """It never asks for a result whose link has died. ``False``: it may."""
    without_key: bool | None = None
    """It doesn't send its API key to where the media lie. ``False``: it may."""


class CallbackExpectations(msgspec.Struct, frozen=True, kw_only=True):
    """How a correct client takes callbacks."""

    answered: bool | None = None
    """It answers each of them with 2xx, at the last attempt at the latest. ``False``: it needn't."""


class Expectations(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one scenario, or one request for a report, says of a correct client."""

    about: str | None = None
    poll: PollExpectations = PollExpectations()
    create: CreateExpectations = CreateExpectations()
    download: DownloadExpectations = DownloadExpectations()
    callback: CallbackExpectations = CallbackExpectations()
