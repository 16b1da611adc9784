"""What the strategies are told, checked where they are called: a mistake is told once, not in every example."""

from collections.abc import Collection, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from emulator.core.units import Duration, format_duration, parse_duration
from emulator.core.words import Word
from emulator.providers import by_name
from emulator.providers.base import Provider
from emulator.scenario_file import wording

Json: TypeAlias = dict[str, Any]
"""A mapping as it stands in a scenario file."""

_Word = TypeVar("_Word", bound=Word)
_CALLED_SO: Final = {"sora": "acedata-sora", "veo": "acedata-veo", "octopus": "octopusx", "ez": "ezmodel"}


def provider_called(name: str) -> Provider:
    """The provider of this name.

    Raises:
        ValueError: there is none.
    """
    return by_name[_known("provider", name, tuple(by_name), _CALLED_SO)]


def words_of(
    argument: str, words: Collection[str], kind: type[_Word], allowed: Collection[_Word] | None = None
) -> tuple[_Word, ...]:
    """The words of a closed list, in the list's order, which is the one in which they shrink.

    Raises:
        TypeError: a text stands where a collection of texts should.
        ValueError: a word isn't on the list.
    """
    if isinstance(words, str):
        raise TypeError(f"{argument}: expected several words, got the text {words!r}; write [{words!r}]")
    choice = [word for word in kind if allowed is None or word in allowed]
    chosen = {_known(argument, word, choice) for word in words}
    return tuple(word for word in choice if word in chosen)


def duration_of(argument: str, text: str, *, least: Duration = 0, most: Duration) -> Duration:
    """The microseconds of a duration such as ``10m``.

    Raises:
        ValueError: it is none, or out of its bounds.
    """
    try:
        duration = parse_duration(text)
    except (TypeError, ValueError):
        raise ValueError(
            f"{argument}: expected a duration such as 500ms, 5s or 4m15s, got {text!r}"
        ) from None
    if not least <= duration <= most:
        bounds = f"from {format_duration(least)} to {format_duration(most)}"
        raise ValueError(f"{argument}: expected a duration {bounds}, got {text!r}")
    return duration


def count_of(argument: str, number: Any, *, least: int, most: int) -> int:
    """The number, if it lies between the bounds.

    Raises:
        ValueError: it doesn't.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise ValueError(f"{argument}: expected a whole number from {least} to {most}, got {number!r}")
    return int(number)


def _known(argument: str, word: Any, words: Sequence[str], near: dict[str, str] | None = None) -> str:
    if word in words:
        return str(word)
    hint = wording.did_you_mean(word, words, near or {}) if isinstance(word, str) else None
    expected = f"{argument}: expected one of {', '.join(words)}, got {word!r}"
    raise ValueError(expected if hint is None else f"{expected}; {hint}")
