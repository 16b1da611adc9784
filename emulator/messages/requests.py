"""What the journal tells: what came in, what went out, and why."""

from typing import Any, Literal

import msgspec

from emulator.messages.tasks import StatusWord

StageWord = Literal["route", "auth", "limits", "rules", "validation", "timeline", "link"]
"""Which step of the road answered."""
VariantWord = Literal["video", "thumbnail", "spritesheet"]


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """A number from 0 up to 1 that was drawn; what hung on it came about where it was below the other."""

    drawn: float
    below: float


class ChoiceDrawn(msgspec.Struct, frozen=True, kw_only=True):
    """Which of several timelines a task got."""

    index: int
    name: str | None
    place: str
    """The way to it through the file, such as ``tasks[0].choices[1]``."""
    about: str | None
    drawn: float | None
    """A number from 0 up to 1, which the weights share among them; ``None``: it wasn't left to chance."""
    weights: list[float]


class EntryShown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The entry of a timeline that a task was in."""

    index: int
    """Where it stands in the task's timeline."""
    status: StatusWord
    entered_at: str
    place: str | None = None
    """The way to it through the scenario's file, such as ``tasks[0].choices[1].timeline[2]``, as if written out where
    the file leaves it out; absent: it is of the happy path, which stands in where no item fits, or was forced."""
    about: str | None = None
    forced: bool = False
    """Whether somebody forced it on the task: no timeline has it."""
    poll: int | None = None
    """How manieth of the polls that the entry answers this one was."""
    polls: int | None = None
    """How many polls the entry answers."""


class RuleFired(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule that held and did something."""

    id: str
    place: str | None = None
    """The way to it through the scenario's file, such as ``rules[2]``."""
    line: int | None = None
    about: str | None = None
    effect: Literal["error", "respond", "fault", "pass"] | None = None
    """What it answered, or that it broke the answer or let the exchange pass; absent: it only added."""
    fault: str | None = None
    """Which fault it was, and where in the body it struck, such as ``truncate_body after 50%``."""
    adds: list[str] = []
    """Which of ``delay``, ``slow_body``, ``patch``, ``headers`` and ``retry_after`` it has."""
    draw: Draw | None = None
    """Of a rule with a probability."""


class RuleMissed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule that only its probability kept from holding."""

    id: str
    place: str | None = None
    line: int | None = None
    about: str | None = None
    draw: Draw


class DelayDrawn(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long the answer was held back."""

    length: str
    """Such as ``80ms``."""
    source: Literal["rule", "entry", "defaults"]
    rule: str | None = None
    """The rule's id."""


class KeyRefused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of ``auth`` refused the API key."""

    place: str
    """``auth.reject[1]``, or ``auth.keys`` where none of them fitted."""
    about: str | None = None


class LimitReached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The limit that refused the call."""

    place: str
    """The way to it through the scenario's file, such as ``limits[0]``."""
    line: int | None = None
    about: str | None = None
    per: Literal["key", "task", "namespace"]
    """For whom it is counted."""
    counted: Literal["calls", "tasks"]
    """Calls that passed, or tasks that are under way."""
    count: int
    """How many there were then."""
    most: int
    """How many are allowed."""
    window: str | None = None
    """In any stretch of time of this length; absent: for good, or of tasks."""
    frees_at: str | None = None
    """When there will be room again; absent: never, or nobody knows."""


class Why(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What decided an answer. Of a batch it tells the first task's entry, choice and draws."""

    stage: StageWord
    scenario: str | None = None
    """The version (``NAME@DIGEST``) of the scenario that decided."""
    error: str | None = None
    """The named error or situation that was answered."""
    call: int | None = None
    """How manieth call of its operation it was, on the task or in the namespace, where a rule asks."""
    auth: KeyRefused | None = None
    limit: LimitReached | None = None
    rules: list[RuleFired] = []
    """In the file's order: the last may answer, those before it only added."""
    missed: list[RuleMissed] = []
    entry: EntryShown | None = None
    choice: ChoiceDrawn | None = None
    """Where there were several."""
    delay: DelayDrawn | None = None
    link_died_at: str | None = None
    """When the link that was asked for had died."""


class RequestSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A request, with keys and their like replaced by marks such as ``[key 3f9a2c1b]``: the same for the same key."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    """A JSON value, for a form that of its fields; else a text; ``None``: there was none."""
    size: int
    """Of the body, in bytes, as far as it was read."""
    cut: bool
    """Whether ``body`` isn't all of it."""


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """The video that was sent, or asked for, or of which a picture was."""

    width: int
    height: int
    seconds: int
    variant: VariantWord
    """Itself, or which picture of it."""


class AnswerSent(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, with keys and their like replaced as in the request.

    Where a fault broke it on the wire, status code, headers and body are what they would have been.
    """

    status_code: int
    headers: dict[str, str]
    """One that comes twice has its values joined with a comma."""
    body: Any
    """A JSON value, or a text; ``None``: there was none, or it was a video."""
    size: int
    """Of the body that was sent, in bytes."""
    cut: bool
    media: Media | None
    fault: str | None = None
    """What was wrong with it on the wire, such as ``truncate_body after 50%``; ``None``: nothing."""


class TaskShown(msgspec.Struct, frozen=True, kw_only=True):
    """A task that had a say in an answer, as it was then. ``None``: it wasn't looked at."""

    id: str
    status: StatusWord | None
    progress: int | None
    entry: EntryShown | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange, as the journal keeps it."""

    number: int
    """From 1, in the order of arrival in the namespace. It begins anew with a reset, or when the journal is cleared."""
    wall_at: str
    """The instant by the machine's clock."""
    at: str
    """The instant by the namespace's clock."""
    clock: Literal["real", "scaled", "manual", "auto"]
    """How that ran."""
    provider: str | None
    """``None``: no provider has such a path."""
    operation: Literal["create", "poll", "content", "download", "list", "cancel", "delete", "remix"] | None
    """``None``: no operation has such a path or method."""
    request: RequestSeen
    answer: AnswerSent
    delay: str
    """How long the answer was held back, such as ``80ms``."""
    tasks: list[TaskShown]
    unknown: list[str]
    """Ids that it named and no task has; of many, the first few."""
    scenario: str | None
    """The scenario that decided."""
    why: Why


class RequestList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the journal."""

    requests: list[Entry]
    total: int
    """How many fit, on this page and on those after it."""
    dropped: int
    """How many of the namespace's exchanges were forgotten to make room, whatever they were."""
    next: int | None
    """Where to go on: the ``after`` of the next page, also of what is still to come; where the newest stand first, its
    ``before``, and ``None`` on the last page."""


class JournalCleared(msgspec.Struct, frozen=True, kw_only=True):
    """That the journal is empty."""

    cleared: int
    """How many entries it had."""
