"""Plans: what shall happen to one task. A scenario's timeline may hold spreads; a plan holds none.

`resolved` turns the one into the other, once, with the task's entropy; from then on the plan is
pinned inside the task, and no edit of a file changes it.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from emulator.core import template
from emulator.core.callbacks import ONCE, Callback
from emulator.core.effects import Failure, Respond
from emulator.core.rules import Rule
from emulator.core.spreads import Lognormal, Spread, Uniform, drawn
from emulator.core.units import DAY, SECOND, Duration
from emulator.core.words import OperationName, Profile, Status


class Ramp(msgspec.Struct, frozen=True):
    """Progress that runs from one number to another over an entry's stay."""

    start: int
    end: int


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a completed entry."""

    id: str | None = None
    url: Any = None
    """A literal link, printed as it stands and not served: the text may hold templates."""
    has_link: bool = True
    """``False`` for ``url: none``: completed without a link."""
    expires_in: Spread | None = None
    """From completion. ``None``: 24 hours after creation, as the documents print."""
    expired: Failure | Respond | None = None
    renew: bool = False
    content: Literal["stream", "redirect"] = "stream"
    size: int | None = None
    """How many bytes the clip is padded to; ``None``: it comes as it is."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of a timeline. At most one of `stay`, `polls`, `until`; none of them: it lasts for ever."""

    status: Status
    stay: Spread | None = None
    """``for``: how long it stays."""
    polls: int | None = None
    """How many polls it answers."""
    until: Spread | None = None
    """It ends this long after the task's creation."""
    stuck: bool = False
    progress: int | Ramp | None = None
    word: str | None = None
    video: Video | None = None
    failure: Failure | None = None
    delay: Spread | None = None
    patch: Any = None
    poll_after: Duration | None = None
    about: str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A timeline without spreads, and everything else of the scenario that stays with a task for its life."""

    entries: tuple[Entry, ...]
    scenario: str
    """The name of the scenario that the plan was resolved from."""
    item: int = -1
    """Which of the scenario's task items took the task; -1: none did, and the happy path's timeline stands in."""
    choice: str | None = None
    profile: Profile | None = None
    values: Mapping[str, Any] = {}
    patch: Any = None
    rules: tuple[Rule, ...] = ()
    default_delay: Spread | None = None
    manual: bool = False
    """``progression: manual``: no entry ends by itself."""
    seed: int | str = 0
    """What the ids of its account and the signatures of its links are keyed by."""
    activated_at: int = 0
    """When the scenario was activated: what ``since: start`` counts from."""
    ends: tuple[Duration, ...] | None = None
    """Where every entry ends by time alone, how long after creation; ``None``: polls or steps have a say."""
    counts: bool = False
    """Whether a rule asks how many calls there were or how often it fired."""
    is_plain: bool = False
    """Whether polls of it meet neither patches nor latency, hints or templates, short of what rules do."""
    poll_rules: tuple[Rule, ...] = ()
    """Those of the rules that may speak of polls."""
    polls_count: bool = False
    """Whether one of these asks how many calls there were or how often it fired."""
    version: str = ""
    """``NAME@DIGEST`` of the scenario that the plan was resolved from."""
    marks: tuple[str, ...] = ()
    """The names under which coverage remembers that each entry was shown."""
    floors: tuple[int, ...] = ()
    """The progress with which each entry begins, so that it never falls unless a literal says so."""
    callback: Callback = ONCE
    """How its end is told to whoever asked for it."""
    made_up: int = 0
    """How many of the entries, the last ones, somebody forced on the task; the timeline is what stands before."""

    @property
    def length(self) -> int:
        """How many entries the timeline has."""
        return len(self.entries) - self.made_up


HAPPY_TIMELINE: Final = (
    Entry(status=Status.QUEUED, stay=2 * SECOND),
    Entry(status=Status.PROCESSING, stay=8 * SECOND, progress=Ramp(0, 99)),
    Entry(status=Status.COMPLETED),
)
"""What a task does where its scenario says nothing; `scenarios/happy-path.yaml` spells it out."""

DEFAULT_LINK_LIFE: Final[Duration] = DAY
"""documents/001, documents/003: ``expires_at`` is the creation plus 24 hours."""


def has_draws(entries: tuple[Entry, ...]) -> bool:
    """Whether two tasks of this timeline may get two plans."""
    spreads = (
        spread for e in entries for spread in (e.stay, e.until, e.video.expires_in if e.video else None)
    )
    return any(isinstance(spread, Uniform | Lognormal) for spread in spreads)


def settled(entries: tuple[Entry, ...], entropy: bytes) -> tuple[Entry, ...]:
    """The entries with each duration drawn. Latencies stay spreads: they are drawn for each call."""
    return tuple(_settled(entry, number, entropy) for number, entry in enumerate(entries))


def _settled(entry: Entry, number: int, entropy: bytes) -> Entry:
    changes: dict[str, Any] = {}
    if entry.stay is not None:
        changes["stay"] = drawn(entry.stay, entropy, "stay", number)
    if entry.until is not None:
        changes["until"] = drawn(entry.until, entropy, "until", number)
    if entry.video is not None and entry.video.expires_in is not None:
        life = drawn(entry.video.expires_in, entropy, "expires_in", number)
        changes["video"] = msgspec.structs.replace(entry.video, expires_in=life)
    return msgspec.structs.replace(entry, **changes) if changes else entry


def plan_of(entries: tuple[Entry, ...], **others: Any) -> Plan:
    """A plan over settled entries, with what can be known of it ahead of any poll worked out."""
    rules: tuple[Rule, ...] = others.get("rules", ())
    poll_rules = tuple(rule for rule in rules if _speaks_of_polls(rule))
    return Plan(
        entries=entries,
        ends=None if others.get("manual") else _ends(entries),
        floors=_floors(entries),
        counts=any(rule.counts for rule in rules),
        is_plain=all(others.get(name) is None for name in ("patch", "default_delay"))
        and all(map(_is_plain, entries)),
        poll_rules=poll_rules,
        polls_count=any(rule.counts for rule in poll_rules),
        **others,
    )


def _speaks_of_polls(rule: Rule) -> bool:
    operations = rule.conditions.operations
    return not operations or OperationName.POLL in operations


def _is_plain(entry: Entry) -> bool:
    failure = entry.failure
    asked = (entry.patch, entry.delay, entry.poll_after)
    return all(a is None for a in asked) and (failure is None or not template.holds_any(str(failure.message)))


def _ends(entries: tuple[Entry, ...]) -> tuple[Duration, ...] | None:
    ends: list[Duration] = []
    end = 0
    for entry in entries[:-1]:
        if isinstance(entry.stay, int):
            end += entry.stay
        elif isinstance(entry.until, int):
            end = max(end, entry.until)
        else:
            return None
        ends.append(end)
    return tuple(ends)


def _floors(entries: tuple[Entry, ...]) -> tuple[int, ...]:
    floors, value = [], 0
    for entry in entries:
        floors.append(value)
        value = floor_after(value, entry)
    return tuple(floors)


def floor_after(floor: int, entry: Entry) -> int:
    """The progress that an entry which began with ``floor`` leaves to the next."""
    if isinstance(entry.progress, Ramp):
        return max(floor, entry.progress.end)
    if entry.progress is not None:
        return entry.progress
    return 100 if entry.status is Status.COMPLETED else floor


def replanned(plan: Plan, entries: tuple[Entry, ...], *, is_stepped: bool = False) -> Plan:
    """The plan with other entries in their places; of a stepped task no end is known ahead."""
    return msgspec.structs.replace(
        plan,
        entries=entries,
        ends=None if plan.manual or is_stepped else _ends(entries),
        floors=_floors(entries[: plan.length]),
    )


def stepped(plan: Plan, entry: Entry, is_made_up: bool) -> Plan:
    """The plan of a task that somebody put into this entry: no end is known ahead of that any more."""
    if plan.ends is None and not is_made_up and (_is_plain(entry) or not plan.is_plain):
        return plan
    return msgspec.structs.replace(
        plan,
        entries=(*plan.entries, entry) if is_made_up else plan.entries,
        made_up=plan.made_up + is_made_up,
        ends=None,
        is_plain=plan.is_plain and _is_plain(entry),
    )
