"""How the clock of a namespace is moved: through whatever falls due on the way, in order, at its own instant."""

from typing import Final

import msgspec

from emulator.agenda import Agenda, Change, Passage
from emulator.clock import Clock, ClockRefused, breathe, check_end, wall_time
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
    """When time alone next changes a task.

    Raises:
        ClockRefused: it never does.
    """
    at = agenda_of(namespace).ahead()
    if at is not None and at <= LAST_INSTANT:
        return at
    raise ClockRefused(
        "nothing is ahead: time alone changes no task of this namespace, each has ended or waits for polls or "
        "for a step by hand; create a task, or advance by a duration such as 5m"
    )


async def pass_to(namespace: Namespace, to: Instant) -> Passage:
    """Move the clock to an instant; polls that come meanwhile see it on its way.

    An instant that a running clock has passed already moves nothing.

    Raises:
        ClockRefused: another advance is under way, or ``to`` lies past the year 9999. Nothing has changed.
    """
    namespace.still()
    check_end(to)
    agenda = agenda_of(namespace)
    begun = namespace.clock.now()
    passage = namespace.passage = Passage(begun, max(to, begun))
    try:
        while (change := agenda.take(passage.to)) is not None:
            namespace.clock.reach(change.at)
            namespace.note(change)
            if passage.count % _BREATH == 0:
                await breathe()
        namespace.clock.reach(passage.to)
    finally:
        namespace.passage = None
        if namespace.events is not None and passage.to > begun:
            namespace.events.clock(begun)
    return passage


def set_clock(namespace: Namespace, mode: ClockMode, scale: float = 1.0) -> None:
    """Let the clock go on in this way from its present instant; no scenario's file changes that.

    Raises:
        ClockRefused: an advance is under way.
    """
    namespace.still()
    namespace.clock.change(mode, scale)
    namespace.clock_is_set = True
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


def message_of(change: Change) -> TaskChange:
    """A task's change as the control API shows it."""
    return TaskChange(
        task=change.task.id,
        provider=change.task.provider,
        was=None if change.was is None else change.was.value,
        status=change.status.value,
        at=format_instant(change.at),
    )
