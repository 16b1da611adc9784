"""How values and matchers are shown."""

from collections.abc import Callable, Iterator
from typing import Final

from emulator.core.matching import Matcher
from emulator.redaction import Redactor

_SHOWN: Final = 120
"""How many characters of a value are shown."""


def in_words(matcher: Matcher, write: Callable[[str], str]) -> str:
    """What a matcher asks: ``contains 'cat' and not (like '*dog*')``. ``write`` shows a text."""
    return " and ".join(_asked(matcher, write))


def _asked(matcher: Matcher, write: Callable[[str], str]) -> Iterator[str]:
    texts = {"contains": matcher.contains, "matches": matcher.regex, "like": matcher.glob}
    if matcher.equals is not None:
        yield write(matcher.equals)
    for word, text in texts.items():
        if text is not None:
            yield f"{word} {write(text)}"
    if matcher.any_of is not None:
        yield f"one of {', '.join(map(write, matcher.any_of))}"
    if matcher.exists is not None:
        yield "anything" if matcher.exists else "nothing"
    if matcher.negated is not None:
        yield f"not ({in_words(matcher.negated, write)})"


def quoted(text: str) -> str:
    """A text in quotes."""
    return f"'{cut(text)}'"


def marked(text: str) -> str:
    """A key, or a header's value that holds one, as the journal shows it."""
    (shown,) = Redactor(()).headers([(b"authorization", text.encode("latin-1", "replace"))]).values()
    return shown


def cut(text: str) -> str:
    """As much of a text as tells what it is, without what a terminal would act on."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text[:_SHOWN])
    return shown if len(text) <= _SHOWN else f"{shown}..."


def texts_in(matcher: Matcher) -> Iterator[str]:
    """Every text that a matcher speaks of."""
    for text in (matcher.equals, matcher.contains, matcher.regex, matcher.glob, *(matcher.any_of or ())):
        if text is not None:
            yield text.strip("*")
    if matcher.negated is not None:
        yield from texts_in(matcher.negated)
