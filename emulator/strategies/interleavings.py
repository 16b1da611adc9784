"""Interleavings: what clients of several tasks, time, and somebody at the control API do, in turn."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec
from hypothesis import strategies as st

from emulator.core.units import HOUR, Duration, format_duration
from emulator.strategies.arguments import count_of, duration_of
from emulator.strategies.common import durations


class Create(msgspec.Struct, frozen=True):
    """The client creates a task. Tasks are numbered in the order of their creation, from 1."""

    task: int


class Poll(msgspec.Struct, frozen=True):
    """The client asks how a task stands."""

    task: int


class Download(msgspec.Struct, frozen=True):
    """The client fetches a task's result, or tries to: whether there is one, no interleaving knows."""

    task: int


class Advance(msgspec.Struct, frozen=True):
    """Time passes."""

    by: str
    """A duration such as ``5s``."""


class Step(msgspec.Struct, frozen=True):
    """The control API ends the entry that a task is in."""

    task: int


class Cancel(msgspec.Struct, frozen=True):
    """The control API cancels a task."""

    task: int


class Fail(msgspec.Struct, frozen=True):
    """The control API lets a task fail."""

    task: int


AnyStep: TypeAlias = Create | Poll | Download | Advance | Step | Cancel | Fail
_KINDS: Final = (Create, Poll, Advance, Download, Step, Cancel, Fail)
"""In the order in which they shrink."""
_USUAL: Final = (Create, Poll, Advance, Download)
_ENDS: Final = (Cancel, Fail)
_MOST_TASKS: Final = 50
_MOST_STEPS: Final = 1000
_LONGEST: Final = 12 * HOUR


class _Draft(msgspec.Struct, frozen=True):
    """A step before it is known which tasks there are."""

    kind: type[Any]
    which: int
    """Among the tasks that there are, from 0."""
    by: Duration


def interleavings(
    *,
    tasks: int = 2,
    max_steps: int = 20,
    kinds: Collection[type[AnyStep]] = _USUAL,
    max_advance: str = "5m",
) -> st.SearchStrategy[list[AnyStep]]:
    """Sequences of steps, for `play`. The simplest is a single create.

    No task is polled, downloaded or moved before its create, none is moved after it was cancelled or failed by hand,
    and two advances don't follow one another.

    Args:
        tasks: how many are created at most.
        max_steps: how many steps there are at most.
        kinds: which there may be besides `Create`: `Poll`, `Advance` and `Download`, unless you say otherwise; `Step`,
            `Cancel` and `Fail` are the control API's, and somebody has to carry them out.
        max_advance: how much time may pass at once.

    Raises:
        ValueError: an argument isn't what it should be.
    """
    several = count_of("tasks", tasks, least=1, most=_MOST_TASKS)
    most = count_of("max_steps", max_steps, least=1, most=_MOST_STEPS)
    for kind in kinds:
        if kind not in _KINDS:
            known = ", ".join(kind.__name__ for kind in _KINDS)
            raise ValueError(f"kinds: expected some of {known}, got {kind!r}")
    longest = duration_of("max_advance", max_advance, least=1000, most=_LONGEST)
    drafts = st.builds(
        _Draft,
        st.sampled_from([kind for kind in _KINDS if kind in {Create, *kinds}]),
        st.integers(0, several - 1),
        durations(longest),
    )
    # Lists of Hypothesis are short where nothing makes them longer, and then little happens to any task.
    lists = st.one_of(
        st.lists(drafts, max_size=most - 1), st.lists(drafts, min_size=(most - 1) // 2, max_size=most - 1)
    )
    return lists.map(lambda drawn: _sensible(drawn, several))


def _sensible(drafts: Sequence[_Draft], tasks: int) -> list[AnyStep]:
    """The steps that make sense, in their order, behind a first create."""
    steps: list[AnyStep] = [Create(1)]
    created, movable = 1, [1]
    for draft in drafts:
        kind = draft.kind
        if kind is Create:
            if created < tasks:
                created += 1
                movable.append(created)
                steps.append(Create(created))
        elif kind is Advance:
            if not isinstance(steps[-1], Advance):
                steps.append(Advance(format_duration(draft.by)))
        elif kind in (Poll, Download):
            steps.append(kind(1 + min(draft.which, created - 1)))
        elif movable:
            task = movable[min(draft.which, len(movable) - 1)]
            steps.append(kind(task))
            if kind in _ENDS:
                movable.remove(task)
    return steps


class Played(msgspec.Struct, frozen=True):
    """A step that was carried out."""

    step: AnyStep
    result: Any
    """What its action gave back."""


Actions: TypeAlias = Mapping[Any, Callable[..., Any]]


def play(steps: Sequence[AnyStep], actions: Actions) -> list[Played]:
    """Carry out steps, one after the other.

    Args:
        steps: an interleaving.
        actions: the function for each kind of step, such as ``{Create: create, Poll: poll}``. It gets the step's
            task, or ``by``, as its one argument.

    Returns:
        The steps with what their functions gave back, for whoever wants to compare answers afterwards.

    Raises:
        TypeError: a kind of step has no function; nothing was carried out. An exception of a function gets a note
            that says at which step it was raised.
    """
    lacking = sorted({type(step).__name__ for step in steps if type(step) not in actions})
    if lacking:
        raise TypeError(f"actions: expected a function for {', '.join(lacking)}, got none")
    played = []
    for number, step in enumerate(steps, 1):
        (argument,) = msgspec.structs.astuple(step)
        try:
            played.append(Played(step, actions[type(step)](argument)))
        except Exception as problem:
            problem.add_note(f"This was step {number} of {len(steps)}: {step!r}.")
            raise
    return played
