"""Interleavings: steps in an order that makes sense, and their driver."""

from typing import Any

import pytest
from hypothesis import given

from emulator.core.units import SECOND, parse_duration
from emulator.strategies import (
    Advance,
    AnyStep,
    Cancel,
    Create,
    Download,
    Fail,
    Played,
    Poll,
    Step,
    interleavings,
    play,
)
from tests.fuzzing.finding import simplest

ALL = (Create, Poll, Advance, Download, Step, Cancel, Fail)


@given(steps=interleavings(tasks=3, max_steps=12, kinds=ALL))
def test_they_make_sense(steps: list[AnyStep]) -> None:
    """Tasks are created in order, nothing happens to one before, none is moved after its end by hand."""
    created, ended = 0, set()
    assert len(steps) <= 12
    for before, step in zip([None, *steps], steps, strict=False):
        if isinstance(step, Create):
            created += 1
            assert step.task == created <= 3
        elif isinstance(step, Advance):
            assert not isinstance(before, Advance)
            assert 0 < parse_duration(step.by) <= 300 * SECOND
        else:
            assert step.task <= created
            assert not (isinstance(step, Step | Cancel | Fail) and step.task in ended)
        if isinstance(step, Cancel | Fail):
            ended.add(step.task)


@given(steps=interleavings())
def test_they_are_the_clients_own_and_times_unless_told_otherwise(steps: list[AnyStep]) -> None:
    """The control API's steps come only where they were asked for."""
    assert {type(step) for step in steps} <= {Create, Poll, Advance, Download}


KINDS: list[tuple[str, Any, list[AnyStep]]] = [
    ("any", lambda _: True, [Create(1)]),
    ("poll", lambda steps: Poll(1) in steps, [Create(1), Poll(1)]),
    ("second task", lambda steps: Poll(2) in steps, [Create(1), Create(2), Poll(2)]),
    ("time", lambda steps: any(isinstance(step, Advance) for step in steps), [Create(1), Advance("1s")]),
    (
        "more time",
        lambda steps: any(
            isinstance(step, Advance) and parse_duration(step.by) > 6 * SECOND for step in steps
        ),
        [Create(1), Advance("10s")],
    ),
    (
        "poll after cancel",
        lambda steps: Cancel(1) in steps and Poll(1) in steps[steps.index(Cancel(1)) :],
        [Create(1), Cancel(1), Poll(1)],
    ),
    ("many polls", lambda steps: steps.count(Poll(1)) >= 5, [Create(1), *[Poll(1)] * 5]),
]


@pytest.mark.parametrize(("is_one", "minimal"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_they_shrink_to_few_steps(is_one: Any, minimal: list[AnyStep]) -> None:
    """The simplest interleaving of a kind has no step too many."""
    assert simplest(interleavings(kinds=ALL), is_one) == minimal


def test_steps_print_as_python() -> None:
    """A step's repr makes it anew."""
    assert repr([Create(1), Advance("5s")]) == "[Create(task=1), Advance(by='5s')]"


def test_play_carries_the_steps_out_in_order() -> None:
    """Each function gets its step's one argument, and what it gives back is kept."""
    steps: list[AnyStep] = [Create(1), Advance("5s"), Poll(1)]
    actions = {
        Create: lambda task: f"create {task}",
        Poll: lambda task: f"poll {task}",
        Advance: lambda by: by,
    }
    assert play(steps, actions) == [
        Played(Create(1), "create 1"),
        Played(Advance("5s"), "5s"),
        Played(Poll(1), "poll 1"),
    ]


def test_play_says_at_which_step_a_function_raised() -> None:
    """The exception is the function's own, with a note."""

    def poll(task: int) -> None:
        raise KeyError(task)

    with pytest.raises(KeyError) as caught:
        play([Create(1), Poll(1)], {Create: str, Poll: poll})
    assert caught.value.__notes__ == ["This was step 2 of 2: Poll(task=1)."]


def test_play_misses_functions_before_it_begins() -> None:
    """A kind of step without a function is told of, and nothing was carried out."""
    carried_out: list[int] = []
    with pytest.raises(TypeError, match="actions: expected a function for Advance, Poll, got none"):
        play([Create(1), Poll(1), Advance("1s")], {Create: carried_out.append})
    assert carried_out == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": 0}, "tasks: expected a whole number from 1 to 50, got 0"),
        ({"max_steps": True}, "max_steps: expected a whole number from 1 to 1000, got True"),
        ({"max_advance": "5"}, "max_advance: expected a duration"),
        ({"kinds": ["poll"]}, "kinds: expected some of Create, Poll, .*, got 'poll'"),
    ],
)
def test_a_wrong_argument_is_told_at_once(arguments: dict[str, Any], message: str) -> None:
    """The call itself raises, with what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        interleavings(**arguments)
