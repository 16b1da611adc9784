"""Stretches: the entries of a timeline while it is being made, and as they stand in a file."""

from collections.abc import Mapping
from typing import Any

import msgspec

from emulator.core.plan import Ramp
from emulator.core.units import Duration, format_duration
from emulator.core.words import Status

Json = dict[str, Any]
Span = tuple[Duration, Duration]
"""The shortest and the longest of what several runs took."""


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a result."""

    has_link: bool = True
    expires_in: Span | None = None
    """``None``: as the documents say."""
    renew: bool = False
    redirects: bool = False
    expired: Json | None = None

    def told(self) -> Json:
        """The keys of ``video``."""
        if not self.has_link:
            return {"url": "none", **({"content": "redirect"} if self.redirects else {})}
        keys: Json = {} if self.expires_in is None else {"expires_in": spread(self.expires_in)}
        if self.expired is not None:
            keys["expired"] = self.expired
        if self.renew:
            keys["renew"] = True
        return {**keys, **({"content": "redirect"} if self.redirects else {})}


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One entry."""

    status: Status
    stays: Span | None = None
    """``None``: it is the last one, or polls end it."""
    polls: int | None = None
    stuck: bool = False
    progress: int | Ramp | None = None
    word: str | None = None
    video: Video | None = None
    error: Any = None
    """As ``error`` stands in a file; ``None``: the provider's usual one."""
    poll_after: Duration | None = None
    patch: Mapping[str, Any] | None = None
    acts: tuple[int, ...] = ()
    """Which of the run's exchanges showed it."""

    def told(self) -> Json:
        """The entry as it stands in a file."""
        entry: Json = {"status": self.status.value}
        if self.stays is not None:
            entry["for"] = spread(self.stays)
        if self.polls is not None:
            entry["polls"] = self.polls
        if self.stuck:
            entry["stuck"] = True
        if isinstance(self.progress, Ramp):
            entry["progress"] = {"from": self.progress.start, "to": self.progress.end}
        elif self.progress is not None:
            entry["progress"] = self.progress
        video = {} if self.video is None else self.video.told()
        poll_after = None if self.poll_after is None else format_duration(self.poll_after)
        more = {
            "word": self.word,
            "video": video or None,
            "error": self.error,
            "poll_after": poll_after,
            "patch": self.patch or None,
        }
        return {**entry, **{key: value for key, value in more.items() if value is not None}}

    @property
    def kind(self) -> tuple[Any, ...]:
        """What two runs have to share to be told as one, short of times and progress."""
        video = self.video
        result = (
            None if video is None else (video.has_link, video.renew, video.redirects, repr(video.expired))
        )
        told = (self.polls is not None, self.stuck, self.word, repr(self.error), repr(self.patch))
        return (self.status, *told, self.poll_after, result)


def spread(span: Span) -> str | Json:
    """A duration, or what one is drawn from."""
    low, high = span
    if low == high:
        return format_duration(low)
    return {"min": format_duration(low), "max": format_duration(high)}
