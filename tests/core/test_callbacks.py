"""When callbacks fall due, from facts alone."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from emulator.core.callbacks import ONCE, Attempt, Callback, has_draws, next_attempt, settled
from emulator.core.spreads import Uniform
from emulator.core.units import SECOND

END = 1_000 * SECOND
WAITS = st.lists(st.integers(0, 100), max_size=4).map(tuple)
CODES = st.sampled_from([200, 204, 299, 300, 404, 500, None])


def played(callback: Callback, codes: list[int | None]) -> tuple[Attempt, ...]:
    """The attempts of a callback whose receivers answer so; each is made when it falls due, and takes no time."""
    attempts: tuple[Attempt, ...] = ()
    answers = iter(codes)
    while (due := next_attempt(callback, attempts, END)) is not None:
        at, number = due
        attempts = (*attempts, Attempt(number, at, at, next(answers, 200)))
    return attempts


def test_without_a_word_it_is_sent_once_at_the_end() -> None:
    """And not again, whatever the answer."""
    assert played(ONCE, [500]) == (Attempt(0, END, END, 500),)


@given(after=WAITS, retry=WAITS, codes=st.lists(CODES, max_size=30))
def test_each_is_tried_until_it_is_taken(
    after: tuple[int, ...], retry: tuple[int, ...], codes: list[int | None]
) -> None:
    """As often as its retries say, at exact instants, in order."""
    attempts = played(Callback(after=after, retry=retry), codes)
    assert [attempt.at for attempt in attempts] == sorted(attempt.at for attempt in attempts)
    for number, wait in enumerate(after):
        made = [attempt for attempt in attempts if attempt.number == number]
        assert made[0].at == END + wait
        assert [attempt.is_delivered for attempt in made[:-1]] == [False] * (len(made) - 1)
        assert made[-1].is_delivered or len(made) == 1 + len(retry)
        waits = [then.at - before.at for before, then in pairwise(made)]
        assert waits == list(retry[: len(made) - 1])


def test_nothing_more_falls_due_of_what_is_under_way() -> None:
    """Nor of what may not go where it should."""
    callback = Callback(after=(0,), retry=(5,))
    assert next_attempt(callback, (Attempt(0, END),), END) is None
    assert next_attempt(callback, (Attempt(0, END, END, is_refused=True),), END) is None
    assert next_attempt(callback, (Attempt(0, END, END + 2, 500),), END) == (END + 7, 0)


@given(st.binary(min_size=48, max_size=48))
def test_spreads_are_drawn_once(entropy: bytes) -> None:
    """Each for itself, and the same again from the same entropy."""
    callback = Callback(after=(Uniform(0, SECOND), Uniform(0, SECOND)), retry=(Uniform(SECOND, 2 * SECOND),))
    drawn = settled(callback, entropy)
    assert has_draws(callback)
    assert not has_draws(drawn)
    assert drawn == settled(callback, entropy) == settled(drawn, b"other")
    assert drawn.after[0] != drawn.after[1]
