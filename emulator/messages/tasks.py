"""Tasks, in neutral words, whatever their provider prints."""

from typing import Any, Literal

import msgspec

StatusWord = Literal["queued", "processing", "completed", "failed", "cancelled"]


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """A task at the clock's instant."""

    id: str
    provider: str
    status: StatusWord
    progress: int
    created_at: str
    ended_at: str | None
    next_change_at: str | None
    """When time alone changes it next; ``None``: never, or polls have a say."""
    polls: int
    """How many were answered from it."""
    scenario: str
    choice: str | None
    profile: str | None


class TaskList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the tasks that were asked for."""

    tasks: list[TaskState]
    total: int
    """How many there are on all pages."""


class ProgressRamp(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """Progress that runs over an entry's stay."""

    from_: int
    to: int


class TaskError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a task failed, as its scenario or a step words it; what is ``None`` is the provider's own."""

    name: str | None
    code: str | None
    message: str | None
    shape: Literal["object", "string"]


class TaskEntry(msgspec.Struct, frozen=True, kw_only=True, rename={"for_": "for"}):
    """One entry of a task's timeline, or one that a step made up."""

    place: int | None
    """Where it stands in the timeline, from 0; ``None``: a step made it up."""
    state: Literal["past", "present", "ahead", "skipped"]
    """``skipped``: a step led past it, or the task ended before it."""
    status: StatusWord
    begins_at: str | None
    """When it began or, as far as can be told, will begin; ``None``: never, or that depends on polls or steps."""
    for_: str | None
    """How long it stays. Where `for`, `polls` and `until` are ``None``, it lasts for ever."""
    polls: int | None
    """How many polls it answers."""
    until: str | None
    """It ends this long after the task's creation."""
    progress: int | ProgressRamp | None
    word: str | None
    error: TaskError | None
    about: str | None


class TaskStep(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody forced on a task."""

    at: str
    status: StatusWord
    progress: int | None
    """What it set; ``None``: the entry's own."""


class CallbackAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to tell a task's end to its ``callback_url``."""

    number: int
    """Which of the task's callbacks it was, from 1: a scenario may ask for several."""
    at: str
    """When it was sent, by the clock."""
    ended_at: str | None
    """When its outcome was known; ``None``: it is under way."""
    delivered: bool
    """Whether the receiver answered 2xx."""
    status_code: int | None
    """What it answered; ``None``: nothing."""
    problem: str | None
    """Why there was no answer, or why nothing was sent."""


class TaskFacts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of what happened to a task."""

    polls: int
    """How many were answered from it."""
    polls_in_entry: int
    """How many of them the present entry answered, if polls end it."""
    calls: dict[str, int]
    """How many calls there were of each operation, of polls those that weren't answered; where a rule asks."""
    fired: dict[str, int]
    """How often each rule fired for it; where a rule asks."""
    ended: list[str]
    """The instants at which a poll ended an entry."""
    steps: list[TaskStep]
    callbacks: list[CallbackAttempt]
    """Every attempt at a callback, in order."""


class TaskDetail(TaskState, frozen=True, kw_only=True):
    """A task with its timeline and its facts."""

    version: str
    """``NAME@DIGEST`` of the scenario that it was created under."""
    item: int | None
    """Which of the scenario's task items took it, from 0; ``None``: none did, so the happy path's timeline is its."""
    progression: Literal["manual"] | None
    """``manual``: no entry ends by itself."""
    link_dies_at: str
    """When the link to its result dies, or would."""
    next_callback_at: str | None
    """When the next attempt at a callback falls due; ``None``: none is known of."""
    request: dict[str, Any]
    """Its create request."""
    values: dict[str, Any]
    """What the scenario, or whoever made it, chose of what the provider would have chosen."""
    timeline: list[TaskEntry]
    """In the order in which it meets them."""
    facts: TaskFacts
