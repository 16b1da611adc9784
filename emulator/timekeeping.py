"""How the clock of a namespace is moved: through whatever falls due on the way, in order, at its own instant."""

from typing import Any, Final

import msgspec

from emulator.agenda import Agenda, Change, Passage
from emulator.clock import Clock, ClockRefused, breathe, check_end, wall_time
from emulator.core.callbacks import Attempt
from emulator.core.scenario import ClockMode
from emulator.core.units import LAST_INSTANT, Instant, format_instant
from emulator.engine import Namespace
from emulator.messages.clock import ClockState, TaskChange

_BREATH: Final = 500
"""After so many changes others are served: a few milliseconds."""


def agenda_of(namespace: Namespace) -> Agenda:
    """What lies ahead of the namespace's tasks, nothing of it due yet."""
    if namespace.agenda is None:
        namespace.agenda = Agenda(namespace.store, namespace.clock.now())
    namespace.catch_up()
    return namespace.agenda


def next_instant(namespace: Namespace) -> Instant:
    """When time alone next changes a task, or a callback falls due.

    Raises:
        ClockRefused: it never does.
    """
    now, jobs = namespace.clock.now(), namespace.jobs
    dues = (agenda_of(namespace).ahead(), None if jobs is None else jobs.ahead())
    at = min((due for due in dues if due is not None and due > now), default=None)
    if at is not None and at <= LAST_INSTANT:
        return at
    raise ClockRefused(
        "nothing is ahead: time alone changes no task of this namespace, each has ended or waits for polls or for a "
        "step by hand, and no callback is to be sent; create a task, or advance by a duration such as 5m"
    )


async def pass_to(namespace: Namespace, to: Instant) -> Passage:
    """Move the clock to an instant; polls that come meanwhile see it on its way.

    An instant that a running clock has passed already moves nothing.

    Raises:
        ClockRefused: another advance is under way, or ``to`` lies past the year 9999. Nothing has changed.
    """
    namespace.still()
    check_end(to)
    if namespace.jobs is not None:
        await namespace.jobs.settled()
        namespace.still()
    agenda = agenda_of(namespace)
    begun = namespace.clock.now()
    passage = namespace.passage = Passage(begun, max(to, begun))
    try:
        await _pass(namespace, agenda, passage)
        namespace.clock.reach(passage.to)
    finally:
        namespace.passage = None
        if namespace.jobs is not None:
            namespace.jobs.wake()
        if namespace.events is not None and passage.to > begun:
            namespace.events.clock(begun)
    return passage


async def _pass(namespace: Namespace, agenda: Agenda, passage: Passage) -> None:
    """Meet what falls due on the way, in order: at one instant changes go before jobs."""
    jobs = namespace.jobs
    while True:
        job_at = None if jobs is None else jobs.ahead()
        change = agenda.take(passage.to if job_at is None else min(job_at, passage.to))
        if change is not None:
            namespace.clock.reach(change.at)
            namespace.note(change)
            if passage.count % _BREATH == 0:
                await breathe()
        elif jobs is not None and job_at is not None and job_at <= passage.to:
            namespace.clock.reach(job_at)
            await jobs.do_next()
        else:
            return


def set_clock(namespace: Namespace, mode: ClockMode, scale: float = 1.0) -> None:
    """Let the clock go on in this way from its present instant; no scenario's file changes that.

    Raises:
        ClockRefused: an advance is under way.
    """
    namespace.still()
    namespace.clock.change(mode, scale)
    namespace.clock_is_set = True
    if namespace.jobs is not None:
        namespace.jobs.wake()
    if namespace.events is not None:
        namespace.events.clock()


async def restart_clock(namespace: Namespace) -> None:
    """Let the clock begin anew as the server's options or the active scenario say, else at the real time.

    The tasks stay, so it goes back only to where nothing is dated later.

    Raises:
        ClockRefused: an advance is under way, or something is dated later. Nothing has changed.
    """
    namespace.still()
    asked = namespace.settings
    settings = asked.clock or namespace.active.scenario.clock or asked.default_clock
    start = wall_time() if settings.start is None else settings.start
    begun = namespace.clock.now()
    if start < begun:
        _refuse_if_dated_later(namespace, start)
    # The mode first: a clock that shall stand still at an instant mustn't run on from it.
    namespace.clock = Clock(msgspec.structs.replace(settings, start=min(start, begun)))
    namespace.clock_is_set = False
    if namespace.agenda is not None and start < begun:
        namespace.agenda = Agenda(namespace.store, start)
    if namespace.events is not None:
        namespace.events.clock(begun if start < begun else None)
    await pass_to(namespace, start)


def _refuse_if_dated_later(namespace: Namespace, start: Instant) -> None:
    latest = namespace.latest_fact()
    if latest > start:
        raise ClockRefused(
            f"the clock would begin anew at {format_instant(start)}, and something in this namespace is dated "
            f"{format_instant(latest)}, which is later: a task, a request, or a scenario put in force; "
            f"POST /__admin/reset forgets them and begins the clock anew"
        )


def state_of(clock: Clock) -> ClockState:
    """A clock as the control API shows it."""
    scale = int(clock.scale) if clock.scale == int(clock.scale) else clock.scale
    return ClockState(mode=clock.mode, now=format_instant(clock.now()), scale=scale)


def attempt_facts(attempt: Attempt) -> dict[str, Any]:
    """What the control API tells of an attempt at a callback."""
    return {
        "number": attempt.number + 1,
        "at": format_instant(attempt.at),
        "ended_at": None if attempt.ended_at is None else format_instant(attempt.ended_at),
        "delivered": attempt.is_delivered,
        "status_code": attempt.status_code,
        "problem": attempt.problem,
    }


def message_of(change: Change) -> TaskChange:
    """A task's change as the control API shows it."""
    return TaskChange(
        task=change.task.id,
        provider=change.task.provider,
        was=None if change.was is None else change.was.value,
        status=change.status.value,
        at=format_instant(change.at),
    )
