"""Results: whether links work, in parts too, and for as long as they say."""

from collections.abc import Sequence
from typing import Final

import msgspec

from emulator.contract.calling import Came, Unreachable
from emulator.contract.session import NotNow, Session
from emulator.contract.watching import Watched
from emulator.core.units import SECOND, Duration, Instant, format_instant
from emulator.core.words import OperationName, Status

_MOST: Final = 3
"""Results that are looked at: more show nothing new."""
_RANGE: Final = "bytes=0-99"
_RANGE_LENGTH: Final = 100
_MARGIN: Final[Duration] = 2 * SECOND
"""What a second's rounding, and a store's own clock, may come to."""
_CHECKS: Final = ("link-works", "link-range", "link-lasts", "link-expiry")


class Result(msgspec.Struct, kw_only=True):
    """One completed task's."""

    task: str
    link: str
    dies_at: Instant | None
    """When the link dies, as far as that is announced."""
    worked: bool = False


def results_of(tasks: Sequence[Watched]) -> list[Result]:
    """What can be downloaded, of tasks that the run made first."""
    found = []
    for task in sorted(tasks, key=lambda task: not task.is_own):
        last = task.last
        if last is not None and last.link is not None:
            found.append(Result(task=task.id, link=last.link, dies_at=last.dies_at))
    return found[:_MOST]


async def first_look(session: Session, result: Result, now: Instant) -> None:
    """The link as a client gets it, and a part of it; one that has died by its own words is to be dead."""
    session.tell("link")
    came = await _get(session, result, "link-works")
    if came is None:
        return
    if result.dies_at is not None and result.dies_at + _MARGIN < now:
        _expect_dead(session, came)
        return
    result.worked = _works(came)
    if not result.worked:
        # Said to live, and dead: that is about its end, not about what it leads to.
        says_when = result.dies_at is not None and came.response.status_code >= 400
        session.found("link-lasts" if says_when else "link-works", OperationName.DOWNLOAD, _told(came))
        if says_when:
            session.leave_out("link-works", "the link was dead when it was first seen")
        return
    session.observe("link-works", session.dialect.link(result.link), came, ("video",))
    session.found("link-works", OperationName.DOWNLOAD, None)
    await _part(session, result)


async def _get(session: Session, result: Result, check: str) -> Came | None:
    try:
        return await session.send(session.dialect.link(result.link).ask)
    except (Unreachable, NotNow) as problem:
        session.found(check, OperationName.DOWNLOAD, "no answer")
        session.trouble(f"a link couldn't be followed: {problem}")
        return None


def _works(came: Came) -> bool:
    return came.response.status_code == 200 and came.is_video


def _told(came: Came) -> str:
    code = came.response.status_code
    return f"{code} with {'a video' if came.is_video else came.response.what or 'a JSON body'}"


async def _part(session: Session, result: Result) -> None:
    question = session.dialect.link(result.link, range_of=_RANGE)
    try:
        came = await session.send(question.ask)
    except (Unreachable, NotNow) as problem:
        session.leave_out("link-range", str(problem))
        return
    if came.response.status_code != 206:
        session.found("link-range", OperationName.DOWNLOAD, _told(came))
        return
    session.observe("link-range", question, came, ("range",))
    length = came.length if came.length is not None else len(came.head)
    got = None if length == _RANGE_LENGTH else f"{length} bytes for {_RANGE}"
    session.found("link-range", OperationName.DOWNLOAD, got)


def _expect_dead(session: Session, came: Came) -> None:
    got = None if came.response.status_code >= 400 else f"{_told(came)}, after its end"
    session.found("link-expiry", OperationName.DOWNLOAD, got)


async def last_look(session: Session, results: Sequence[Result]) -> None:
    """Whether links still work at the end of the run, and the first of them that dies meanwhile is dead then."""
    for result in (result for result in results if result.worked):
        came = await _get(session, result, "link-lasts")
        if came is None or _is_over(result, came.now):
            continue
        got = None if _works(came) else f"{_told(came)}, before its end"
        session.found("link-lasts", OperationName.DOWNLOAD, got)
        result.worked = got is None
    await _await_end(session, [result for result in results if result.worked])


def _is_over(result: Result, now: Instant) -> bool:
    """Whether the link may be dead by now, by its own words, give or take a second."""
    return result.dies_at is not None and now >= result.dies_at - _MARGIN


async def _await_end(session: Session, results: Sequence[Result]) -> None:
    announced = [result for result in results if result.dies_at is not None]
    if session.has("link-expiry") or not announced:
        return
    result = min(announced, key=lambda result: result.dies_at or 0)
    came = await _get(session, result, "link-expiry")
    if came is None or result.dies_at is None:
        return
    wait = result.dies_at + _MARGIN - came.now
    if wait > session.time_left:
        until = format_instant(result.dies_at)
        session.leave_out("link-expiry", f"the link lives until {until}, and the run ends before")
        return
    if wait > 0:
        session.tell(f"waiting {session.spoken(wait)} for the link to die")
        await session.pause(wait)
        came = await _get(session, result, "link-expiry")
    if came is not None:
        _expect_dead(session, came)
        await _content_after(session, result)


async def _content_after(session: Session, result: Result) -> None:
    question = session.dialect.content(result.task)
    if question is not None:
        await session.attempt("content-gone", question, ("media_gone",))


# The provider's own route


async def content_of(session: Session, tasks: Sequence[Watched]) -> None:
    """The content route of a task that has completed."""
    done = next((t for t in tasks if t.last is not None and t.last.status is Status.COMPLETED), None)
    question = None if done is None else session.dialect.content(done.id)
    if question is None or session.has("content-works"):
        return
    session.tell("content")
    came = await session.attempt("content-works", question, ("video",))
    if came is not None:
        is_fine = came.is_video or came.response.status_code >= 300  # else its status code has said it
        session.found("content-works", OperationName.CONTENT, None if is_fine else _told(came))


async def not_ready(session: Session, task: Watched) -> None:
    """The content route of a task that hasn't completed."""
    last = task.last
    if last is None or last.status in {None, Status.COMPLETED} or session.has("content-not-ready"):
        return
    question = session.dialect.content(task.id)
    if question is not None:
        await session.attempt("content-not-ready", question, ("not_ready",))


def leave_out_rest(session: Session) -> None:
    """Say of each check of links that wasn't run why."""
    for check in _CHECKS:
        if not session.has(check) and check not in session.evidence.not_run:
            session.leave_out(check, _REASONS[check])


_REASONS: Final = {
    "link-works": "no completed task with a link was there: name one by --task, or allow one by --create",
    "link-range": "no link worked",
    "link-lasts": "no link worked",
    "link-expiry": "no link says when it dies",
}
