"""Timelines: what may become of a task."""

from collections.abc import Callable, Collection
from typing import Final

import msgspec
from hypothesis import strategies as st

from emulator.core.units import HOUR, MINUTE, SECOND, Duration, format_duration
from emulator.core.words import TERMINAL, ErrorName, Status
from emulator.providers.base import Provider
from emulator.strategies.arguments import Json, duration_of, provider_called, words_of
from emulator.strategies.common import mostly, odd_durations, present, round_durations, row_or

MOST_WAITS: Final = 3
MOST_POLLS: Final = 5
LONGEST: Final = 12 * HOUR
"""Links live 24 hours from the creation on: a longer timeline would need one of its own."""

_WORDS: Final[dict[Status, tuple[str, ...]]] = {
    # No provider's own word for any status, in either profile. Capitals: fact sheet, gateway source, the words of
    # its database. The others: our choice.
    Status.QUEUED: ("waiting", "submitted", "scheduled", "NOT_START"),
    Status.PROCESSING: ("rendering", "running", "post_processing", "moderating", "IN_PROGRESS"),
    Status.COMPLETED: ("done", "finished", "ready", "SUCCESS"),
    Status.FAILED: ("error", "rejected", "expired", "FAILURE"),
    Status.CANCELLED: ("stopped", "aborted", "revoked"),
}
_WORDLESS: Final[dict[str, frozenset[Status]]] = {
    # docs/providers/acedata.md: a failed or cancelled task prints no word for its status.
    "acedata-sora": frozenset({Status.FAILED, Status.CANCELLED}),
    "acedata-veo": frozenset({Status.FAILED, Status.CANCELLED}),
}
_PRINT_NO_PROGRESS: Final = frozenset({"acedata-sora", "acedata-veo"})
_WHY: Final = (
    ErrorName.INTERNAL,
    ErrorName.CONTENT_REJECTED,
    ErrorName.TIMEOUT,
    ErrorName.UNAVAILABLE,
    ErrorName.BAD_GATEWAY,
    ErrorName.RATE_LIMITED,
    ErrorName.INSUFFICIENT_QUOTA,
    ErrorName.BAD_REQUEST,
    ErrorName.FORBIDDEN,
    ErrorName.NOT_FOUND,
)
"""Named errors that can be why a task failed: the others speak of a call."""
_CODES: Final = ("generation_failed", "content_policy_violation", "upstream_error", "E1001", "内容违规")
_MESSAGES: Final = (
    "Generation failed",
    "Your request was blocked by our moderation system.",
    'provider said: {"error": "timeout"}',
    "",
    "生成失败, 请稍后重试",
)
"""As many as codes."""


class Possible(msgspec.Struct, frozen=True, kw_only=True):
    """What may become of a provider's tasks."""

    provider: Provider
    statuses: tuple[Status, ...]
    longest: Duration
    unknown_words: bool
    missing_results: bool
    short_links: bool
    stuck: bool

    @property
    def waits(self) -> tuple[Status, ...]:
        """The statuses that a task may be in before its end."""
        return tuple(status for status in self.statuses if status not in TERMINAL)

    @property
    def ends(self) -> tuple[Status, ...]:
        """The statuses that it may end in."""
        return tuple(status for status in self.statuses if status in TERMINAL)


def timelines(
    provider: str,
    *,
    statuses: Collection[str] = tuple(Status),
    max_duration: str = "10m",
    unknown_words: bool = True,
    missing_results: bool = True,
    short_links: bool = True,
    stuck: bool = False,
) -> st.SearchStrategy[list[Json]]:
    """Timelines, as they stand in a scenario file. The simplest one is completed at once.

    Args:
        provider: whose tasks they are for.
        statuses: which a task may be in.
        max_duration: how long it may take to its end, ``1s`` to ``12h``. Entries that end after a number of polls
            (``polls``, five at most each) come on top of it.
        unknown_words: whether it may print words for its status that the provider doesn't document.
        missing_results: whether it may complete without a link, for good or at first.
        short_links: whether its link may die early.
        stuck: whether it may stay queued or processing for ever. Off: a client without a time-out of its own never
            comes back from such a task, and neither would a test that waits for the end.

    Raises:
        ValueError: an argument isn't what it should be.
    """
    possible = possible_of(
        provider,
        statuses=statuses,
        max_duration=max_duration,
        unknown_words=unknown_words,
        missing_results=missing_results,
        short_links=short_links,
        stuck=stuck,
    )
    return timelines_of(possible)


def possible_of(
    provider: str, *, statuses: Collection[str], max_duration: str, stuck: bool, **switches: bool
) -> Possible:
    """What the arguments of `timelines` say.

    Raises:
        ValueError: one isn't what it should be.
    """
    possible = Possible(
        provider=provider_called(provider),
        statuses=words_of("statuses", statuses, Status),
        longest=duration_of("max_duration", max_duration, least=SECOND, most=LONGEST),
        stuck=stuck,
        **switches,
    )
    if not possible.ends and not (stuck and possible.waits):
        ends = ", ".join(status for status in Status if status in TERMINAL)
        raise ValueError(f"statuses: expected one that ends a task ({ends}), got {list(statuses)!r}")
    return possible


@st.composite
def timelines_of(draw: st.DrawFn, possible: Possible) -> list[Json]:
    """The timelines that are possible."""
    drawn = draw(st.lists(_waits(possible), max_size=MOST_WAITS)) if possible.waits else []
    end = draw(_ends(possible))
    return _fitted([*drawn, *end], possible.longest)


def _fitted(entries: list[Json], longest: Duration) -> list[Json]:
    """The entries, where what would last too long is cut short, and what is left no time is left out."""
    left, fitted = longest, []
    for entry in entries:
        if "for" in entry:
            stay = min(entry["for"], left)
            left -= stay
            if stay:
                fitted.append({**entry, "for": format_duration(stay)})
        else:
            fitted.append(entry)
    return fitted


# Entries before the end; what stands under "for" is microseconds until `_fitted`


@st.composite
def _waits(draw: st.DrawFn, possible: Possible) -> Json:
    status = draw(st.sampled_from(possible.waits))
    return {"status": status.value, **draw(_endings(possible.longest)), **draw(_oddities(possible, status))}


def _endings(longest: Duration) -> st.SearchStrategy[Json]:
    by_time = [_lasting(stay) for stay in round_durations(longest)]
    by_polls = [{"polls": polls} for polls in range(1, MOST_POLLS + 1)]
    return row_or([*by_time, *by_polls], odd_durations(longest).map(_lasting))


def _lasting(stay: Duration) -> Json:
    return {"for": stay}


def _oddities(possible: Possible, status: Status) -> st.SearchStrategy[Json]:
    """What an entry before the end prints otherwise than its provider would: mostly nothing."""
    words: list[Json] = [{"word": word} for word in _words(possible, status)]
    if possible.provider.name in _PRINT_NO_PROGRESS:
        return mostly({}, words)
    # 100 before the end: a client that takes progress for the status ends too early.
    progress: list[Json] = [{"progress": number} for number in (50, 0, 99, 100)]
    ramp: Json = {"progress": {"from": 0, "to": 99}}
    return mostly({}, [ramp, *progress, *words])


def _words(possible: Possible, status: Status) -> tuple[str, ...]:
    """Words that may be printed for a status, and that the provider doesn't document."""
    is_wordless = status in _WORDLESS.get(possible.provider.name, ())
    return () if is_wordless or not possible.unknown_words else _WORDS[status]


# The end


@st.composite
def _ends(draw: st.DrawFn, possible: Possible) -> list[Json]:
    """The last entry, and what goes before it. Each end takes as many draws: none is simpler than completion."""
    # Processing first: it is where tasks are known to hang.
    stuck = possible.waits[::-1] if possible.stuck else ()
    status = draw(st.sampled_from((*possible.ends, *stuck)))
    word = draw(mostly(None, _words(possible, status)))
    detail = draw(mostly({}, _DETAILS[status](possible)))
    late = draw(mostly(None, _LATE))
    stays = {} if status in TERMINAL else {"stuck": True}
    drawn = {"status": status.value, **stays, **present(word=word), **detail}
    last = {key: drawn[key] for key in _ORDER if key in drawn}
    if detail != _NO_LINK or late is None:
        return [last]
    return [{"status": "completed", "for": late, **present(word=word), **_NO_LINK}, _with_link(last)]


_ORDER: Final[tuple[str, ...]] = ("status", "stuck", "progress", "word", "video", "error")
_NO_LINK: Final[Json] = {"video": {"url": "none"}}
_LATE: Final = (SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE)
"""How long after its completion a task may get its link."""
_LIVES: Final = ("1s", "5s", "10s", "30s", "1m", "10m", "1h", "0s")


def _with_link(entry: Json) -> Json:
    return {key: value for key, value in entry.items() if key not in _NO_LINK}


def _of_completed(possible: Possible) -> list[Json]:
    short: list[Json] = [{"video": {"expires_in": life}} for life in _LIVES]
    # As often as all the short ones.
    missing = [_NO_LINK] * len(_LIVES)
    return [*(missing if possible.missing_results else ()), *(short if possible.short_links else ())]


def _of_failed(_possible: Possible) -> list[Json]:
    named: list[Json] = [{"error": name.value} for name in _WHY]
    coded: list[Json] = [
        {"error": {"code": code, "message": message}} for code, message in zip(_CODES, _MESSAGES, strict=True)
    ]
    # Fact sheet: errors that are a bare text have been met; the message alone stands there.
    bare: list[Json] = [{"error": {"message": message, "shape": "string"}} for message in _MESSAGES]
    return [*named, *coded, *bare]


def _of_cancelled(_possible: Possible) -> list[Json]:
    return []


def _of_stuck(possible: Possible) -> list[Json]:
    prints_it = possible.provider.name not in _PRINT_NO_PROGRESS
    return [{"progress": number} for number in (50, 0, 99, 100)] if prints_it else []


_DETAILS: Final[dict[Status, Callable[[Possible], list[Json]]]] = {
    Status.QUEUED: _of_stuck,
    Status.PROCESSING: _of_stuck,
    Status.COMPLETED: _of_completed,
    Status.FAILED: _of_failed,
    Status.CANCELLED: _of_cancelled,
}
