"""Hypothesis strategies for the core's own types: timelines, plans, tasks and their lives, rules, scenarios.

Durations are a few microseconds, so that a test can look at every instant of a task's life.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from hypothesis import strategies as st

from emulator.core.effects import Failure, Fault, Place, Respond, SlowBody
from emulator.core.limits import Limit
from emulator.core.matching import Matcher
from emulator.core.plan import Entry, Plan, Ramp, Video, plan_of, settled
from emulator.core.rules import Conditions, Match, RetryAfter, Rule
from emulator.core.scenario import Auth, Choice, ClockSettings, Item, Rejection, Scenario
from emulator.core.spans import Span
from emulator.core.spreads import Lognormal, Spread, Uniform
from emulator.core.task import Snapshot, Task, polled, state_at
from emulator.core.words import TERMINAL, ErrorName, FaultName, OperationName, Profile, Status

CREATED_AT: Final = 1_000
HORIZON: Final = 60
"""No timeline of these strategies changes by time alone later than this after its creation or its last poll."""

ENTROPY: Final = st.binary(min_size=48, max_size=48)
DURATION: Final = st.integers(0, 9)
PERCENT: Final = st.integers(0, 100)
TEXT: Final = st.text(st.characters(codec="utf-8"), max_size=8)
JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | st.floats(-1e9, 1e9) | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=5,
)
SPREAD: Final[st.SearchStrategy[Spread]] = (
    DURATION
    | st.builds(lambda low, more: Uniform(low, low + more), DURATION, DURATION)
    | st.builds(Lognormal, DURATION, st.floats(0, 1))
)
RAMP: Final = st.tuples(PERCENT, PERCENT).map(lambda pair: Ramp(min(pair), max(pair)))
PROGRESS: Final = st.none() | PERCENT | RAMP
FAILURE: Final = st.builds(
    Failure,
    name=st.none() | st.sampled_from(ErrorName),
    code=st.none() | TEXT,
    message=st.none() | TEXT,
    shape=st.sampled_from(["object", "string"]),
)
RESPOND: Final = st.builds(
    Respond,
    status_code=st.sampled_from([200, 418, 503]),
    headers=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    body=JSON,
    is_text=st.booleans(),
)
PLACE: Final = st.builds(Place, share=st.floats(0, 0.99)) | st.builds(Place, size=st.integers(0, 1 << 40))
FAULT: Final = st.builds(Fault, name=st.sampled_from(FaultName), place=st.none() | PLACE)
SLOW_BODY: Final = st.builds(SlowBody, over=st.integers(1, 99)) | st.builds(
    SlowBody, rate=st.integers(1, 1 << 40)
)
VIDEO: Final = st.builds(
    Video,
    id=st.none() | TEXT,
    has_link=st.booleans(),
    expires_in=st.none() | SPREAD,
    expired=st.none() | FAILURE | RESPOND,
    renew=st.booleans(),
    content=st.sampled_from(["stream", "redirect"]),
)

# Timelines


@st.composite
def timelines(
    draw: st.DrawFn, *, durations: st.SearchStrategy[Any] = SPREAD, counts_polls: bool | None = None
) -> tuple[Entry, ...]:
    """Timelines as the language allows them; ``counts_polls`` demands or forbids entries that polls end."""
    by_time = draw(st.sampled_from(["stay", "until"]))
    ways = {None: [by_time, "polls"], True: ["polls"], False: [by_time]}[counts_polls]
    statuses = draw(st.lists(st.sampled_from([Status.QUEUED, Status.PROCESSING]), max_size=4))
    if counts_polls and not statuses:
        statuses = [Status.QUEUED]
    last = draw(st.sampled_from(Status))
    repeats = draw(st.integers(0, 2)) if last in TERMINAL else 0
    middle = [*statuses, *[last] * repeats]
    entries = [draw(_entry(status, draw(st.sampled_from(ways)), durations)) for status in middle]
    return (*entries, draw(_entry(last, None, durations)))


@st.composite
def _entry(draw: st.DrawFn, status: Status, way: str | None, durations: st.SearchStrategy[Any]) -> Entry:
    is_last = way is None
    ending = {} if way is None else {way: draw(st.integers(1, 5) if way == "polls" else durations)}
    return Entry(
        status=status,
        stuck=is_last and status not in TERMINAL,
        progress=draw(st.none() | PERCENT if is_last else PROGRESS),
        video=draw(st.none() | VIDEO) if status is Status.COMPLETED else None,
        failure=draw(st.none() | FAILURE) if status is Status.FAILED else None,
        delay=draw(st.none() | SPREAD),
        word=draw(st.none() | TEXT),
        **ending,
    )


def plans(*, counts_polls: bool | None = None) -> st.SearchStrategy[Plan]:
    """Plans of drawn timelines, settled."""
    settled_ones = timelines(durations=DURATION, counts_polls=counts_polls)
    return settled_ones.map(lambda entries: plan_of(settled(entries, b"entropy"), scenario="drawn"))


def task_of(plan: Plan, created_at: int = CREATED_AT) -> Task:
    """A task of this plan that nobody polled yet."""
    return Task(
        provider="octopusx",
        id="video_1",
        created_at=created_at,
        entropy=bytes(range(48)),
        plan=plan,
        request=b'{"prompt":"a cat"}',
        echo=("sora-2", "4", "720x1280", ""),
        origin="http://127.0.0.1:8080",
    )


def tasks(*, counts_polls: bool | None = None) -> st.SearchStrategy[Task]:
    """Tasks that nobody polled yet."""
    return plans(counts_polls=counts_polls).map(task_of)


# Lives


class Polled(msgspec.Struct, frozen=True):
    """One poll in a task's life: when it was, what it showed, and the task before and after."""

    now: int
    before: Task
    snapshot: Snapshot
    after: Task


def lived(task: Task, gaps: Sequence[int]) -> list[Polled]:
    """The task polled after each of these gaps, in order."""
    now, life = task.created_at, []
    for gap in gaps:
        now += gap
        snapshot = state_at(task, now)
        after = polled(task, snapshot, now)
        life.append(Polled(now, task, snapshot, after))
        task = after
    return life


GAPS: Final = st.lists(st.sampled_from([0, 0, 1, 1, 2, 5]), max_size=20)


@st.composite
def lives(draw: st.DrawFn, *, counts_polls: bool | None = None) -> tuple[Task, list[Polled]]:
    """A new task, and the polls that it met."""
    task = draw(tasks(counts_polls=counts_polls))
    return task, lived(task, draw(GAPS))


# Rules and scenarios

CALLS: Final = st.integers(1, 6)
CALL_SPAN: Final = (
    st.tuples(CALLS, CALLS).map(lambda pair: Span(min(pair), max(pair)))
    | CALLS.map(Span)
    | CALLS.map(lambda number: Span(number, None, number))
)
TIME_SPAN: Final = DURATION.map(Span) | st.tuples(DURATION, CALLS).map(lambda pair: Span(pair[0], sum(pair)))
MATCHER: Final = st.builds(
    Matcher,
    equals=st.none() | TEXT,
    contains=st.none() | TEXT,
    glob=st.none() | st.just("a*"),
    regex=st.none() | st.just("a+"),
    any_of=st.none() | st.lists(TEXT, max_size=2).map(tuple),
    exists=st.none() | st.booleans(),
    negated=st.none() | st.just(Matcher(equals="x")),
)
CONDITIONS: Final = st.builds(
    Conditions,
    operations=st.lists(st.sampled_from(OperationName), max_size=2).map(tuple),
    providers=st.sampled_from([(), ("octopusx",), ("ezmodel",)]),
    match=st.lists(st.builds(Match, st.sampled_from(["prompt", "key", "header.x"]), MATCHER), max_size=1).map(
        tuple
    ),
    between=st.lists(TIME_SPAN, max_size=2).map(tuple),
    since=st.sampled_from(["task", "status", "start"]),
)


def rules(conditions: st.SearchStrategy[Conditions] = CONDITIONS) -> st.SearchStrategy[Rule]:
    """Rules; two that are equal but for their id are drawn often."""
    return st.builds(
        Rule,
        id=st.uuids().map(str),
        conditions=conditions,
        calls=st.lists(CALL_SPAN, max_size=1).map(tuple),
        during=st.sampled_from([(), (Status.QUEUED,), (Status.PROCESSING, Status.COMPLETED)]),
        probability=st.none() | st.floats(0, 1),
        times=st.none() | st.integers(0, 2),
        times_total=st.none() | st.integers(0, 2),
        effect=st.none() | st.just("pass") | FAILURE | RESPOND | FAULT,
        delay=st.none() | SPREAD,
        slow_body=st.none() | SLOW_BODY,
        patch=st.none() | st.dictionaries(TEXT, JSON, max_size=2),
        headers=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
        retry_after=st.none() | st.builds(RetryAfter, st.none() | DURATION, st.booleans()),
    )


CHOICE: Final = st.builds(Choice, entries=timelines(), name=st.none() | TEXT, weight=st.floats(0.01, 100))
ITEM: Final = st.builds(
    Item,
    id=st.none() | TEXT,
    providers=st.sampled_from([(), ("octopusx",)]),
    values=st.dictionaries(TEXT, JSON, max_size=2),
    calls=st.lists(CALL_SPAN, max_size=1).map(tuple),
    choices=st.lists(CHOICE, min_size=1, max_size=3).map(tuple),
    patch=st.none() | st.dictionaries(TEXT, JSON, max_size=2),
    manual=st.booleans(),
)
AUTH: Final = st.builds(
    Auth,
    keys=st.lists(MATCHER, max_size=2).map(tuple),
    reject=st.lists(st.builds(Rejection, key=MATCHER, conditions=CONDITIONS, error=FAILURE), max_size=1).map(
        tuple
    ),
)
LIMIT: Final = st.builds(
    Limit,
    conditions=CONDITIONS,
    most=CALLS,
    window=st.none() | CALLS,
    is_of_tasks=st.booleans(),
    per=st.sampled_from(["key", "task", "namespace"]),
    error=FAILURE,
    retry_after=st.sampled_from([None, "seconds", "http_date"])
    | st.builds(RetryAfter, st.none() | DURATION, st.booleans()),
    about=st.none() | TEXT,
)
SCENARIO: Final = st.builds(
    Scenario,
    name=st.just("drawn"),
    providers=st.sampled_from([(), ("octopusx",)]),
    profile=st.none() | st.sampled_from(Profile),
    seed=st.none() | st.integers(0, 9) | TEXT,
    clock=st.none() | st.just(ClockSettings(mode="scaled", scale=60.0, start=CREATED_AT)),
    starts_unknown_tasks=st.booleans(),
    auth=AUTH,
    limits=st.lists(LIMIT, max_size=2).map(tuple),
    default_delay=st.none() | SPREAD,
    items=st.lists(ITEM, max_size=2).map(tuple),
    rules=st.lists(rules(), max_size=2).map(tuple),
)
