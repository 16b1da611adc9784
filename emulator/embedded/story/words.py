"""How a story words durations and texts: in plain characters, since not every console has others."""

from textwrap import wrap
from typing import Final

from emulator.core.units import MILLISECOND, MINUTE, SECOND, Duration, format_duration

WIDTH: Final = 110
_TENTH: Final = 100 * MILLISECOND


def fitted(text: str, width: int = WIDTH) -> str:
    """As much of a text as a line has room for, without what a terminal would act on."""
    shown = printable(text)
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."


def printable(text: str) -> str:
    """A text as one line, without what a terminal would act on."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)


def wrapped(text: str) -> list[str]:
    """A text on one line or, where it is too long, on two, of which the second is as much as it has room for."""
    shown = printable(text)
    if len(shown) <= WIDTH:
        return [shown]
    return wrap(shown, WIDTH, subsequent_indent="      ", max_lines=2, placeholder="...")


def quoted(about: str | None) -> str:
    """What an author says of something, to stand behind it; empty: nothing."""
    return f' "{fitted(about, 80)}"' if about else ""


def shortened(text: str, width: int) -> str:
    """A text whose middle is left out where it is too long: both ends of a path tell more than its middle."""
    shown = printable(text)
    if len(shown) <= width:
        return shown
    tail = (width - 3) // 2
    return f"{shown[: width - 3 - tail]}...{shown[-tail:]}"


def length(duration: Duration) -> str:
    """A duration as scenarios write it, rounded where a clock that runs makes it longer than anybody reads."""
    if duration < 0:
        return f"-{length(-duration)}"
    if duration < SECOND:
        return format_duration(round(duration / MILLISECOND) * MILLISECOND)
    whole, rest = divmod(round(duration / _TENTH) * _TENTH, SECOND)
    if rest == 0:
        return format_duration(whole * SECOND)
    minutes, seconds = divmod(whole, 60)
    before = format_duration(minutes * MINUTE) if minutes else ""
    return f"{before}{seconds}.{rest // _TENTH}s"


def moment(instant: str) -> str:
    """An instant of the control API's, to the second."""
    whole, dot, _ = instant.partition(".")
    return f"{whole}Z" if dot else instant


def counted(number: int, what: str) -> str:
    """``1 poll``, ``2 polls``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
