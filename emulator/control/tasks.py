"""Tasks: how they stand, and what can be done to them by hand."""

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote

import orjson
from starlette.exceptions import HTTPException

from emulator import stepping
from emulator.control.failures import FAILURE, failure_in
from emulator.control.fields import INSTANT, Field, an_object, one_of, text, whole
from emulator.control.problems import Problem, bad_request, conflict, unknown
from emulator.control.routes import PREFIX, Answered, Call, Route
from emulator.control.scenarios import known, library_of
from emulator.core.course import Stretch, course
from emulator.core.effects import Failure
from emulator.core.plan import Entry, Ramp
from emulator.core.spreads import Spread
from emulator.core.steps import StepRefused
from emulator.core.task import Step, Task, callback_due, link_dies_at, next_change, state_at
from emulator.core.units import Instant, format_duration, format_instant
from emulator.core.words import Status
from emulator.messages.problem import Mistake
from emulator.messages.tasks import (
    CallbackAttempt,
    ProgressRamp,
    TaskDetail,
    TaskEntry,
    TaskError,
    TaskFacts,
    TaskList,
    TaskState,
    TaskStep,
)
from emulator.providers import PROVIDERS, by_name
from emulator.providers.base import Provider
from emulator.stepping import Taken, Wanted
from emulator.timekeeping import attempt_facts

TAG: Final = "tasks"
_LOOKED_AT: Final = 200
"""How many of the newest tasks an unknown id is compared with."""
_VERBS: Final = frozenset({"advance", "complete", "fail", "cancel"})
_NAMES: Final = tuple(provider.name for provider in PROVIDERS)
_WORDS: Final = tuple(status.value for status in Status)


# Looking


def _state_facts(task: Task, now: Instant) -> dict[str, Any]:
    """What is told of every task."""
    snapshot = state_at(task, now)
    change = next_change(task, now)
    return {
        "id": task.id,
        "provider": task.provider,
        "status": snapshot.status.value,
        "progress": snapshot.progress,
        "created_at": format_instant(task.created_at),
        "ended_at": None if snapshot.ended_at is None else format_instant(snapshot.ended_at),
        "next_change_at": None if change is None else format_instant(change),
        "polls": task.polls,
        "scenario": task.plan.scenario,
        "choice": task.plan.choice,
        "profile": task.plan.profile,
    }


def state_of(task: Task, now: Instant) -> TaskState:
    """A task as the control API shows it."""
    return TaskState(**_state_facts(task, now))


def detail_of(task: Task, now: Instant) -> TaskDetail:
    """A task with its timeline and its facts."""
    plan, due = task.plan, callback_due(task)
    return TaskDetail(
        **_state_facts(task, now),
        version=plan.version,
        item=None if plan.item < 0 else plan.item,
        progression="manual" if plan.manual else None,
        link_dies_at=format_instant(link_dies_at(task, state_at(task, now), now)),
        next_callback_at=None if due is None else format_instant(due[0]),
        request=orjson.loads(task.request),
        values=dict(plan.values),
        timeline=[_entry(stretch) for stretch in course(task, now)],
        facts=_facts(task),
    )


def _entry(stretch: Stretch) -> TaskEntry:
    entry = stretch.entry
    return TaskEntry(
        place=stretch.place,
        state=stretch.state,
        status=entry.status.value,
        begins_at=None if stretch.begins_at is None else format_instant(stretch.begins_at),
        for_=_length(entry.stay),
        polls=entry.polls,
        until=_length(entry.until),
        progress=_progress(entry),
        word=entry.word,
        error=None if entry.failure is None else _error(entry.failure),
        about=entry.about,
    )


def _length(drawn: Spread | None) -> str | None:
    """A duration of a plan, in which none is to be drawn any more."""
    return format_duration(drawn) if isinstance(drawn, int) else None


def _progress(entry: Entry) -> int | ProgressRamp | None:
    progress = entry.progress
    return ProgressRamp(from_=progress.start, to=progress.end) if isinstance(progress, Ramp) else progress


def _error(failure: Failure) -> TaskError:
    message = None if failure.message is None else str(failure.message)
    name = None if failure.name is None else failure.name.value
    return TaskError(name=name, code=failure.code, message=message, shape=failure.shape)


def _facts(task: Task) -> TaskFacts:
    return TaskFacts(
        polls=task.polls,
        polls_in_entry=task.polls_in_entry,
        calls=dict(task.calls or {}),
        fired=dict(task.fired or {}),
        ended=[format_instant(at) for at in task.ended],
        steps=[_step(task, step) for step in task.steps],
        callbacks=[CallbackAttempt(**attempt_facts(attempt)) for attempt in task.attempts],
    )


def _step(task: Task, step: Step) -> TaskStep:
    progress = step.entry.progress
    return TaskStep(
        # A task that was made in a status has a step from before its creation.
        at=format_instant(max(step.at, task.created_at)),
        status=step.entry.status.value,
        progress=progress if isinstance(progress, int) else None,
    )


async def _list(call: Call) -> TaskList:
    namespace, query = call.namespace, call.query
    now, status, scenario = namespace.clock.now(), query["status"], query["scenario"]
    kept = sorted(namespace.store.newest_first(query["provider"]), key=lambda task: -task.created_at)
    shown = [
        task
        for task in kept
        if (status is None or state_at(task, now).status == status)
        and (scenario is None or task.plan.scenario == scenario)
    ]
    first = query["offset"]
    page = [state_of(task, now) for task in shown[first : first + query["limit"]]]
    return TaskList(tasks=page, total=len(shown))


async def _show(call: Call) -> TaskDetail:
    return detail_of(_found(call), call.namespace.clock.now())


# Which task


def _found(call: Call, verb: str | None = None) -> Task:
    """The task that the path names, of the provider that the query names."""
    task_id, provider = _id_in(call, verb), call.query["provider"]
    store = call.namespace.store
    names = _NAMES if provider is None else (provider,)
    found = [task for name in names if (task := store.get(name, task_id)) is not None]
    if len(found) == 1:
        return found[0]
    if not found:
        raise _unknown(call, task_id, provider)
    owners = [task.provider for task in found]
    detail = (
        f"{' and '.join(owners)} each have a task {task_id!r}; add ?provider={owners[0]} or another of them"
    )
    document = conflict("More than one task has this id", detail).document
    raise Problem(409, document.title, document.detail, names=owners)


def _id_in(call: Call, verb: str | None) -> str:
    """The id in the path as it came over the wire, where a slash that belongs to an id is escaped."""
    escaped = call.request.scope["raw_path"].decode("latin-1").removeprefix(f"{PREFIX}/tasks/")
    escaped = escaped.removesuffix("/")
    before, slash, last = escaped.rpartition("/")
    if verb is None and slash and last in _VERBS:
        raise HTTPException(405, headers={"Allow": "POST"})
    if verb is not None and last != verb:
        raise HTTPException(405, headers={"Allow": "GET, HEAD, PATCH"})
    return unquote(escaped if verb is None else before)


def _unknown(call: Call, task_id: str, provider: str | None) -> Problem:
    newest = [task.id for task in islice(call.namespace.store.newest_first(provider), _LOOKED_AT)]
    near = get_close_matches(task_id[:200], newest, n=3)
    hint = f"did you mean {near[0]!r}?" if near else "GET /__admin/tasks lists those that there are"
    whose = "no provider" if provider is None else provider
    has = "has" if provider is None else "doesn't have"
    return unknown("Unknown task", f"{whose} {has} a task {task_id[:200]!r} in this namespace; {hint}", near)


# Stepping


def _stepped(call: Call, step: Callable[[], Task]) -> TaskState:
    try:
        task = step()
    except StepRefused as refusal:
        raise conflict("The task can't do that", str(refusal)) from None
    return state_of(task, call.namespace.clock.now())


async def _advance(call: Call) -> TaskState:
    task = _found(call, "advance")
    return _stepped(call, lambda: stepping.advance(call.namespace, task))


async def _complete(call: Call) -> TaskState:
    task = _found(call, "complete")
    return _stepped(call, lambda: stepping.force(call.namespace, task, Status.COMPLETED))


async def _cancel(call: Call) -> TaskState:
    task = _found(call, "cancel")
    return _stepped(call, lambda: stepping.force(call.namespace, task, Status.CANCELLED))


async def _fail(call: Call) -> TaskState:
    task, failure = _found(call, "fail"), failure_in(call.body["error"])
    return _stepped(call, lambda: stepping.force(call.namespace, task, Status.FAILED, None, failure))


async def _patch(call: Call) -> TaskState:
    task, body = _found(call), call.body
    if not call.given:
        message = "expected at least one of status, progress and error, got nothing"
        raise bad_request([Mistake(where="", message=message)])
    _refuse(_conflicts(body))
    status, failure = _status_in(body), failure_in(body["error"])
    return _stepped(call, lambda: stepping.force(call.namespace, task, status, body["progress"], failure))


def _status_in(body: Mapping[str, Any]) -> Status | None:
    """The status that a body asks for: an error alone asks for ``failed``."""
    if body["status"] is None:
        return None if body["error"] is None else Status.FAILED
    return Status(body["status"])


def _conflicts(body: Mapping[str, Any]) -> list[Mistake]:
    """What is wrong between the fields of a body."""
    status = body["status"]
    if body["error"] is None or status is None or status == Status.FAILED:
        return []
    message = f"only a failed task has one, and status is {status}"
    return [Mistake(where="error", message=message, hint="leave one of the two out")]


def _refuse(mistakes: list[Mistake]) -> None:
    if mistakes:
        raise bad_request(mistakes)


# Making


async def _make(call: Call) -> Answered:
    body, namespace = call.body, call.namespace
    provider = by_name[body["provider"]]
    mistakes = _conflicts(body)
    if body["progress"] is not None and _status_in(body) is None:
        message = "says nothing without a status: a task's timeline knows its progress"
        mistakes.append(Mistake(where="progress", message=message, hint='add "status": "processing"'))
    mistakes += _strange_values(body["values"], provider)
    _refuse(mistakes)
    if body["scenario"] is not None:
        known(library_of(namespace), body["scenario"], "scenario")
    wanted = Wanted(
        provider=provider,
        id=body["id"],
        created_at=body["created_at"],
        request=body["request"],
        values=body["values"],
        scenario=body["scenario"],
        status=_status_in(body),
        progress=body["progress"],
        failure=failure_in(body["error"]),
    )
    try:
        task = stepping.make(namespace, wanted)
    except Taken as problem:
        raise conflict("Taken", f"id: {problem}") from None
    return Answered(state_of(task, namespace.clock.now()), 201)


def _strange_values(values: Mapping[str, Any], provider: Provider) -> list[Mistake]:
    strangers = [name for name in values if name not in provider.value_names]
    return [_strange_value(name, provider) for name in strangers]


def _strange_value(name: str, provider: Provider) -> Mistake:
    near = get_close_matches(name[:100], provider.value_names, n=1)
    message = f"{provider.name} has no value of this name; it has {', '.join(provider.value_names)}"
    hint = f"did you mean {near[0]}?" if near else None
    return Mistake(where=f"values.{name[:200]}", message=message, hint=hint)


_PROVIDER: Final = Field("provider", one_of(*_NAMES), "Only this provider's.")
_OWNER: Final = Field("provider", one_of(*_NAMES), "Whose task it is, where several have one of this id.")
_ID: Final = Field("id", text("the id of a task"), "Which; a slash in it is written %2F.")
_STATUS: Final = Field("status", one_of(*_WORDS), "Only those in this status.")
_OF_SCENARIO: Final = Field("scenario", text("the name of a scenario"), "Only those created under it.")
_LIMIT: Final = Field("limit", whole(0, 1000), "How many at most.", default=100)
_OFFSET: Final = Field("offset", whole(0, 2**31), "How many to leave out before them.", default=0)
_PERCENT: Final = whole(0, 100)
_INTO: Final = Field("status", one_of(*_WORDS), "The status to put it into; left out: it stays in its own.")
_PROGRESS: Final = Field("progress", _PERCENT, "In per cent, shown until the entry ends; it may fall.")
_ERROR: Final = Field("error", FAILURE, "Why it failed, as in scenario files; alone it asks for failed.")
_MADE: Final = (
    Field("provider", one_of(*_NAMES), "Whose task it is.", required=True),
    Field(
        "id",
        text(
            "an id of 1 to 1,000 characters, none of them a control character",
            pattern=r"[^\u0000-\u001f\u007f]+",
        ),
        "Left out: one as the provider would choose it.",
    ),
    Field(
        "status",
        one_of(*_WORDS),
        "What it has been in since its creation; left out: whatever its timeline says.",
    ),
    Field("progress", _PERCENT, "In per cent, shown until the entry ends. Goes with status."),
    _ERROR,
    Field("request", an_object("the fields of a create request"), "Left out: the provider's example."),
    Field("created_at", INSTANT, "Left out: now. A task is unknown before its creation."),
    Field(
        "scenario", text("the name of a scenario"), "What it is created under; left out: the one in force."
    ),
    Field(
        "values",
        an_object("an object of names and values"),
        "What the provider would have chosen; its page of the documentation lists the names.",
        default={},
    ),
)
_UNKNOWN: Final = "There is no such task."
_SEVERAL: Final = "Several providers have a task of this id: `names` lists them, `provider` chooses."
_REFUSED: Final = "The task has ended, or can't take the step for another reason."


def _verb(verb: str, handler: Callable[[Call], Awaitable[Any]], about: str, *body: Field) -> Route:
    return Route(
        method="POST",
        path=f"/tasks/{{id}}/{verb}",
        handler=handler,
        about=about,
        tag=TAG,
        answers=TaskState,
        params=(_ID,),
        query=(_OWNER,),
        body=body,
        problems={404: _UNKNOWN, 409: f"{_REFUSED} {_SEVERAL}"},
    )


ROUTES = (
    Route(
        method="GET",
        path="/tasks",
        handler=_list,
        about="Every task, newest first, as it stands. Looking here is no poll.",
        tag=TAG,
        answers=TaskList,
        query=(_PROVIDER, _STATUS, _OF_SCENARIO, _LIMIT, _OFFSET),
    ),
    Route(
        method="POST",
        path="/tasks",
        handler=_make,
        about="Make a task, in any status.",
        tag=TAG,
        answers=TaskState,
        status_code=201,
        body=_MADE,
        problems={404: "No scenario has this name.", 409: "The provider has a task of this id already."},
    ),
    _verb("advance", _advance, "End the entry that it is in: the next one of its timeline begins now."),
    _verb("complete", _complete, "Let it be completed now."),
    _verb("fail", _fail, "Let it fail now.", _ERROR),
    _verb("cancel", _cancel, "Let it be cancelled now."),
    Route(
        method="GET",
        path="/tasks/{id}",
        handler=_show,
        about="A task with its timeline, its request and its facts. Looking here is no poll.",
        tag=TAG,
        answers=TaskDetail,
        params=(_ID,),
        query=(_OWNER,),
        problems={404: _UNKNOWN, 409: _SEVERAL},
    ),
    Route(
        method="PATCH",
        path="/tasks/{id}",
        handler=_patch,
        about="Put it into a status, change its progress, or let it fail with an error, now.",
        tag=TAG,
        answers=TaskState,
        params=(_ID,),
        query=(_OWNER,),
        body=(_INTO, _PROGRESS, _ERROR),
        constraints={"minProperties": 1},
        problems={404: _UNKNOWN, 409: f"{_REFUSED} {_SEVERAL}"},
    ),
)
