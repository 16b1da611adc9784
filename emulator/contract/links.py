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
    is_gone: bool = False
    """Whether it had died, by its own words, before it was first followed."""


def results_of(tasks: Sequence[Watched]) -> list[Result]:
    """What can be downloaded, of tasks that the run made first."""
    found = []
    for task in sorted(tasks, key=lambda task: not task.is_own):
        last = task.last
        if last is not None and last.link is not None:
            found.append(Result(task=task.id, link=last.link, dies_at=last.dies_at))
    return found[:_MOST]


async def first_look(session: Session, result: Result) -> None:
    """The link as a client gets it, and a part of it; one that has died by its own words is to be dead."""
    session.tell(f"{result.task}: its link")
    came = await _get(session, result, "link-works")
    if came is None:
        return
    result.worked = _works(came)
    has_died = result.dies_at is not None and came.now >= result.dies_at + _MARGIN
    if has_died or (_is_over(result, came.now) and not result.worked):
        result.worked, result.is_gone = False, True
        _expect_dead(session, came)
        return
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
    except NotNow as problem:
        session.leave_out(check, str(problem))
        session.trouble(str(problem))
        return None
    except Unreachable as problem:
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
    """The first link to die: shortly before its end, and shortly after it."""
    announced = [result for result in results if result.dies_at is not None]
    if session.has("link-expiry") or not announced:
        return
    result = min(announced, key=lambda result: result.dies_at or 0)
    came = await _get(session, result, "link-expiry")
    if came is None or result.dies_at is None:
        return
    left = result.dies_at - came.now
    if left + _MARGIN > session.time_left:
        until = format_instant(result.dies_at)
        session.leave_out("link-expiry", f"the link lives until {until}, and the run ends before")
        return
    if left + _MARGIN > 0:
        session.tell(f"waiting {session.spoken(left + _MARGIN)} for the link to die")
        await session.pause(left - 2 * _MARGIN)
        await _last_sign_of_life(session, result)
        came = await _after_end(session, result, result.dies_at)
    if came is not None:
        session.tell(f"the link answers {came.response.status_code}")
        _expect_dead(session, came)
        await _content_after(session, result.task)


async def _last_sign_of_life(session: Session, result: Result) -> None:
    came = await _get(session, result, "link-lasts")
    if came is not None and not _is_over(result, came.now):
        got = None if _works(came) else f"{_told(came)}, before its end"
        session.found("link-lasts", OperationName.DOWNLOAD, got)


async def _after_end(session: Session, result: Result, dies_at: Instant) -> Came | None:
    """The link's answer once its end has passed by the answers' own clock."""
    came = await _get(session, result, "link-expiry")
    while came is not None and came.now < dies_at + _MARGIN and session.time_left > 0:
        await session.pause(dies_at + _MARGIN - came.now)
        came = await _get(session, result, "link-expiry")
    return came


async def _content_after(session: Session, task: str) -> None:
    question = session.dialect.content(task)
    if question is not None and not session.has("content-gone"):
        await session.attempt("content-gone", question, ("media_gone",))


# The provider's own route


async def content_of(session: Session, tasks: Sequence[Watched], results: Sequence[Result]) -> None:
    """The content route of tasks that have completed: of one whose link lives, and of one whose link has died."""
    gone = {result.task for result in results if result.is_gone}
    done = [t.id for t in tasks if t.last is not None and t.last.status is Status.COMPLETED]
    for task in [task for task in done if task in gone][:1]:
        await _content_after(session, task)
    alive = next((task for task in done if task not in gone), None)
    question = None if alive is None else session.dialect.content(alive)
    if question is None or session.has("content-works"):
        return
    session.tell(f"{alive}: its content")
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


def leave_out_rest(session: Session, results: Sequence[Result]) -> None:
    """Say of each check of links that wasn't run why."""
    reason = _NO_RESULT
    if results:
        reason = _ALL_GONE if all(result.is_gone for result in results) else "no link worked"
    reasons = dict.fromkeys(_CHECKS, reason)
    if any(result.worked for result in results):
        reasons |= {
            "link-lasts": "the link died too soon to be looked at again",
            "link-expiry": "no link says when it dies",
        }
    if reason is _ALL_GONE:
        reasons["content-works"] = reason
    for check, why in reasons.items():
        if check in session.behaviours and not session.has(check) and check not in session.evidence.not_run:
            session.leave_out(check, why)


_NO_RESULT: Final = "no completed task with a link was there: name one by --task, or allow one by --create"
_ALL_GONE: Final = (
    "the link of the task that was there had died: name a younger one, or allow one by --create"
)
