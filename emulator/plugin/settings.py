"""What the command line and the configuration file say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from emulator.core.units import SECOND, parse_duration
from emulator.core.words import Profile

PREFIX: Final = "video_emulator_"
"""What the name of each begins with."""
FINDINGS: Final = ("unused", "unexpected", "findings")
"""What may fail a test besides its own assertions."""
_ALL: Final = {"all": frozenset(FINDINGS), "none": frozenset[str]()}
_PATIENCE: Final = "5s"
_MOST_SEED: Final = (1 << 63) - 1
_STATE: Final = pytest.StashKey["Settings"]()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, read."""

    url: str | None
    admin_token: str | None
    scenarios: Path | None
    seed: int | str | None
    profile: Any
    """``documented`` or ``current``; ``None``: nobody says."""
    patience: float | None
    """In seconds; ``None``: nobody watches."""
    fail_on: frozenset[str]
    save_failures: Path | None
    no_socket: bool


class Said(msgspec.Struct, frozen=True):
    """What was said of one of them, and where."""

    text: str
    where: str
    folder: Path
    """Where a relative path begins."""


def settings_of(config: pytest.Config) -> Settings:
    """What was said.

    Raises:
        pytest.UsageError: something can't be understood; all that can't is told at once.
    """
    if _STATE not in config.stash:
        config.stash[_STATE] = _read(config)
    return config.stash[_STATE]


def _read(config: pytest.Config) -> Settings:
    mistakes: list[str] = []
    found: dict[str, Any] = {}
    for name, (read, otherwise) in _READERS.items():
        found[name] = otherwise
        try:
            said = _said(config, name)
        except (TypeError, ValueError, pytest.UsageError) as problem:  # of another type, as TOML has them
            mistakes.append(str(problem))
            continue
        try:
            if said.text:
                found[name] = read(said)
        except ValueError as problem:
            mistakes.append(f"{said.where}: {problem}")
    if mistakes:
        raise pytest.UsageError("\n".join(mistakes))
    return Settings(**found)


def _said(config: pytest.Config, name: str) -> Said:
    """What was said of it; the command line goes first."""
    setting = f"{PREFIX}{name}"
    given = config.getoption(setting)
    if given:
        option = f"--{setting.replace('_', '-')}"
        return Said(str(given), option, config.invocation_params.dir)
    return Said(str(config.getini(setting) or "").strip(), setting, config.rootpath)


def findings_in(words: Any) -> frozenset[str]:
    """What shall fail a test.

    Args:
        words: a text with commas or blanks between them, or a list of words.

    Raises:
        ValueError: it is none, or one of them isn't known.
    """
    expected = f"expected some of {', '.join(FINDINGS)}, or all, or none; got"
    if not isinstance(words, str | list | tuple | set | frozenset):
        raise ValueError(f"{expected} {words!r}")  # noqa: TRY004 - its callers tell every mistake alike
    listed = words.replace(",", " ").split() if isinstance(words, str) else list(words)
    if len(listed) == 1 and listed[0] in _ALL:
        return _ALL[listed[0]]
    for word in listed:
        if word not in FINDINGS:
            raise ValueError(f"{expected} {word!r}")
    return frozenset(listed)


def _text(said: Said) -> str:
    return said.text


def _url(said: Said) -> str:
    # The rest of the client comes along; a run that says where an emulator is will need it.
    from emulator.client.place import checked_url  # noqa: PLC0415 - as above

    return checked_url(said.text)


def _token(said: Said) -> str:
    if not (said.text.isascii() and said.text.isprintable()):
        raise ValueError("expected printable ASCII characters, got others")
    return said.text


def _existing_folder(said: Said) -> Path:
    path = _folder(said)
    if not path.is_dir():
        raise ValueError(f"expected a folder, and there is none at {path}")
    return path


def _folder(said: Said) -> Path:
    path = said.folder / said.text
    if path.exists() and not path.is_dir():
        raise ValueError(f"expected a folder, and {path} is none")
    return path


def _seed(said: Said) -> int | str:
    if not (said.text.isascii() and said.text.removeprefix("-").isdecimal()):
        return said.text
    if abs(int(said.text)) > _MOST_SEED:
        raise ValueError(f"expected a whole number of 64 bits or a text, got {said.text}")
    return int(said.text)


def _profile(said: Said) -> str:
    if said.text not in set(Profile):
        raise ValueError(f"expected {' or '.join(Profile)}, got {said.text!r}")
    return said.text


def _patience(said: Said) -> float | None:
    if said.text == "off":
        return None
    try:
        found = parse_duration(said.text)
    except ValueError as problem:
        raise ValueError(f"{problem}; or off, to wait for ever") from None
    if found == 0:
        raise ValueError("expected more than no time at all, got 0; off waits for ever")
    return found / SECOND


def _fail_on(said: Said) -> frozenset[str]:
    return findings_in(said.text)


def _switch(said: Said) -> bool:
    return said.text == "True"


_READERS: Final[dict[str, tuple[Callable[[Said], Any], Any]]] = {
    "url": (_url, None),
    "admin_token": (_token, None),
    "scenarios": (_existing_folder, None),
    "seed": (_seed, None),
    "profile": (_profile, None),
    "patience": (_patience, parse_duration(_PATIENCE) / SECOND),
    "fail_on": (_fail_on, _ALL["none"]),
    "save_failures": (_folder, None),
    "no_socket": (_switch, False),
}
"""How each is read, and what it is where nothing is said."""
