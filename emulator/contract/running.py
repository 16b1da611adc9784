"""The order of a run: what costs nothing first; then tasks, at most as many as were allowed; then their results."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from emulator.clock import real_time
from emulator.contract import asking, links, watching
from emulator.contract.calling import Unreachable
from emulator.contract.dialect import nobodys_id
from emulator.contract.evidence import Own
from emulator.contract.session import TIME_IS_UP, NotNow, Session
from emulator.contract.watching import Watched
from emulator.core.words import TERMINAL


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked at."""

    tasks: Sequence[str] = ()
    """Ids of tasks that are there already."""
    watches: bool = False
    """Whether these are watched to their end, too."""
    fields: Mapping[str, Any] | None = None
    """What a create asks for; ``None``: the cheapest."""
    key_name: str = "the key's variable"


async def run(session: Session, wish: Wish) -> None:
    """Everything, in its order. What was seen stands in the session's evidence, also where this is interrupted."""
    if not await asking.knock(session, wish.key_name):
        return
    session.keep()
    await asking.ask_all(session)
    given = [Watched(id=task, is_own=False) for task in dict.fromkeys(wish.tasks)]
    await watching.look_at_given(session, given)
    own = await _made(session, wish)
    tasks = [*own, *given]
    if wish.watches and not own:
        await session.pause(session.means.interval)
    await _watch(session, [*own, *(task for task in given if wish.watches and not task.has_ended)])
    await _batch(session, tasks)
    await _results(session, tasks)
    watching.judge(session, tasks)
    session.evidence.timings[:] = [
        session.dialect.hide(watching.timing_of(task)) for task in own if task.seen
    ]
    if not _fits_anything(session):
        provider = session.dialect.provider.name
        session.trouble(
            f"nothing that it answered is as {provider} answers: see whether --base-url is its API's"
        )
    session.keep()


def _fits_anything(session: Session) -> bool:
    """Whether anything at all was as a contract says, headers aside."""
    return any(
        all(finding.kind == "header" for finding in findings)
        for observation in session.evidence.observations
        if observation.sample is not None
        for findings in observation.findings.values()
    )


async def _made(session: Session, wish: Wish) -> list[Watched]:
    """The tasks that this run made, in this sitting or before an interruption.

    After a create that made none that is known no other one follows: what went wrong may have cost money.
    """
    creates = session.evidence.creates
    while len(creates) < session.means.creates and all(own.id is not None for own in creates):
        if session.time_left <= 0:
            session.trouble(TIME_IS_UP)
            break
        await _create(session, wish.fields)
    return [Watched(id=own.id, is_own=True) for own in creates if own.id is not None]


async def _create(session: Session, fields: Mapping[str, Any] | None) -> None:
    """One create. It counts from before it is sent: whatever happens then, no other one takes its place."""
    session.tell("create")
    own = Own(why="it was interrupted before its answer came")
    session.evidence.creates.append(own)
    session.keep()
    question = session.dialect.create(fields)
    try:
        came = await session.send(question.ask)
    except (Unreachable, NotNow) as problem:
        own.why = f"its answer was lost ({problem})"
        sentence = (
            "the answer to a create was lost; the task may be there and cost money, and no other is made"
        )
        session.leave_out("create", sentence)
        session.trouble(f"{sentence}: {problem}")
        session.keep()
        return
    if came.response.status_code >= 300:
        session.observe("error-bodies", question, came)
        own.why = f"it was refused ({came.response.status_code})"
        session.leave_out("create", own.why)
        session.trouble(f"a create was refused ({came.response.status_code}); no other is sent in its place")
    else:
        session.observe("create", question, came, ("created",))
        own.id = session.dialect.provider.made(came.response.body)
        own.why = None if own.id else "its answer names no task"
        if own.id is None:
            session.trouble(
                "the answer to a create names no task; one may be there and cost money, and no other is made"
            )
    session.keep()


async def _watch(session: Session, tasks: list[Watched]) -> None:
    """Look at tasks in turn until all have ended, or the time is up."""
    begun = real_time()
    while tasks:
        for task in tasks:
            await watching.look(session, task, real_time() - begun)
            await links.not_ready(session, task)
            session.keep()
        tasks = [task for task in tasks if not task.has_ended and not task.is_unknown]
        if not tasks:
            return
        if session.time_left < session.means.interval:
            for task in tasks:
                session.trouble(
                    f"task {task.id} hadn't ended when the time was up: look at it again by --task, or allow more by "
                    "--max-minutes"
                )
            return
        await session.pause(session.means.interval)


async def _batch(session: Session, tasks: Sequence[Watched]) -> None:
    """AceData's batches: two ids, the first of them twice, and one of nobody's between."""
    known = [task.id for task in tasks if task.seen]
    if not session.dialect.is_acedata or session.has("batch-repeats"):
        return
    if not known:
        session.leave_out("batch-repeats", "no task is known: name one by --task, or allow one by --create")
        return
    ids = [known[0], nobodys_id(session.dialect.provider.name), known[-1], known[0]]
    question = session.dialect.batch(ids)
    came = await session.attempt("batch-repeats", question, ("batch",))
    if came is None or not isinstance(came.response.body, dict):
        return
    items = came.response.body.get("items")
    got = (
        [item.get("id") if isinstance(item, dict) else None for item in items]
        if isinstance(items, list)
        else []
    )
    wanted = [known[0], known[-1], known[0]]
    is_right = got == wanted and came.response.body.get("count") == len(wanted)
    told = None if is_right else f"{len(got)} items for {len(wanted)} known ids, or others, or another count"
    session.found("batch-repeats", question.operation, told)


async def _results(session: Session, tasks: Sequence[Watched]) -> None:
    for task in tasks:
        await links.not_ready(session, task)
    results = links.results_of(tasks)
    for result in results:
        await links.first_look(session, result)
        session.keep()
    await links.content_of(session, tasks, results)
    await _look_again(session, tasks)
    await links.last_look(session, results)
    links.leave_out_rest(session, results)


async def _look_again(session: Session, tasks: Sequence[Watched]) -> None:
    """Tasks that have ended stay as they are: that wants a few more looks."""
    ended = [task for task in tasks if task.is_own and task.last is not None and task.last.status in TERMINAL]
    for _ in range(watching.LOOKS_AFTER_END if ended else 0):
        await session.pause(session.means.interval)
        if session.time_left <= 0:
            session.trouble(TIME_IS_UP)
            return
        for task in ended:
            await watching.look(session, task, 0)
