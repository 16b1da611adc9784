"""Callbacks: when a task's end is told, as far as a client must be ready for it."""

from typing import Final

from hypothesis import strategies as st

from emulator.providers.base import Provider
from emulator.strategies.arguments import Json

_TOLD: Final[tuple[tuple[Json | None, str], ...]] = (
    (None, ""),
    ({"after": ["0s", "3s"]}, "Its end is told twice."),
    ({"after": []}, "Its end is never told."),
    ({"after": "1m"}, "Its end is told after a minute."),
    ({"after": ["0s", "0s"]}, "Its end is told twice at once."),
    ({"after": "0s", "retry": ["1s", "10s"]}, "Its end is told until it is taken, three times at most."),
)
"""What stands in a file, and what it comes to; the simplest first."""
_SENTENCES: Final = {str(callback): sentence for callback, sentence in _TOLD}


def callbacks_of(provider: Provider, wanted: bool) -> st.SearchStrategy[Json | None]:
    """One for every task of a scenario; ``None``: as the emulator does it by itself, once at the end.

    Raises:
        ValueError: they are wanted, and the provider has none.
    """
    if not isinstance(wanted, bool):
        raise TypeError(f"callbacks: expected True or False, got {wanted!r}")
    if not wanted:
        return st.none()
    if provider.callback is None:
        raise ValueError(f"callbacks: {provider.name} calls nobody back; leave it out")
    return st.sampled_from([callback for callback, _ in _TOLD])


def sentence_about(callback: Json | None) -> str:
    """What it comes to, in a sentence; empty for the usual."""
    return _SENTENCES[str(callback)]
