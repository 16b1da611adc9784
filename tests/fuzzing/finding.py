"""The simplest value that a strategy has of some kind."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import Phase, find, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
EXAMPLES = settings(
    max_examples=2000, derandomize=True, database=None, phases=[Phase.generate, Phase.shrink], deadline=None
)


def simplest(strategy: SearchStrategy[T], of: Callable[[T], object] = lambda _value: True) -> T:
    """The value that Hypothesis shrinks to, of those that fit."""
    return find(strategy, lambda value: bool(of(value)), settings=EXAMPLES)
