"""What a fresh namespace begins with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import msgspec

from emulator.client.scenarios import ScenarioSource, names_itself, scenario_body
from emulator.client.times import Instant, instant_text
from emulator.core.errors import ScenarioError
from emulator.core.scenario import ClockSettings
from emulator.core.units import format_instant

ClockWord: TypeAlias = Literal["real", "manual", "auto"]
Profile: TypeAlias = Literal["documented", "current"]
INLINE: Final = "inline"
"""What a scenario is called that was given as keys and values, or as text, and has no name."""
_SUFFIXES: Final = (".yaml", ".yml", ".json")
_CLOCK_EXPECTED: Final = "expected real, scaled:60, manual or auto"


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What a fresh namespace begins with. What is ``None`` is the server's."""

    scenario: str | None = None
    """The name of one that the server has."""
    posted: Path | str | Mapping[str, Any] | None = None
    """One that it hasn't: a file, a text, or keys and values."""
    posted_name: str | None = None
    """What to call it where it doesn't say."""
    clock: str | None = None
    """``None``: `manual`, unless the scenario says otherwise."""
    start: Instant | None = None
    seed: int | str | None = None
    profile: Profile | None = None

    @property
    def clock_fields(self) -> dict[str, Any] | None:
        """The clock to begin with, as far as the caller says; of a scenario that is posted later the rest, too."""
        if self.clock is None and self.start is None:
            return None
        own = None if self.posted is None else _clock_said_by(self.posted)
        fields: dict[str, Any] = {} if own is None else _fields_of(own)
        if self.clock is not None:
            fields.pop("scale", None)
            fields |= _clock(self.clock)
        if self.start is not None:
            fields["now"] = self.start
        return fields


def beginning(
    scenario: ScenarioSource | None = None,
    *,
    clock: str | None = None,
    start: Instant | None = None,
    seed: int | str | None = None,
    profile: Profile | None = None,
    folder: Path | None = None,
) -> Beginning:
    """What to begin with, from what a caller says.

    Args:
        scenario: a name, a path, a text in YAML or JSON, or keys and values.
        clock: ``manual``, ``auto``, ``real`` or ``scaled:60``.
        start: what the clock shows at first.
        seed: what draws are keyed by.
        profile: the providers' face.
        folder: where a relative path begins.

    Raises:
        TypeError: one of them is of another type.
        ValueError: the clock or the start is none.
        FileNotFoundError: there is no such file.
    """
    if clock is not None:
        _clock(clock)
    if start is not None:
        _check_start(start)
    name, posted, posted_name = _told(scenario, folder)
    return Beginning(
        scenario=name,
        posted=posted,
        posted_name=posted_name,
        clock=clock,
        start=start,
        seed=seed,
        profile=profile,
    )


def _told(
    scenario: ScenarioSource | None, folder: Path | None
) -> tuple[str | None, Path | str | Mapping[str, Any] | None, str | None]:
    """The scenario's name, or the scenario itself and what to call it where it doesn't say."""
    text = getattr(scenario, "yaml", None)
    if isinstance(text, str):
        return None, text, None if names_itself(text) else INLINE
    match scenario:
        case None:
            return None, None, None
        case str() if _is_text(scenario):
            return None, scenario, None if names_itself(scenario) else INLINE
        case str() if scenario.endswith(_SUFFIXES) or "/" in scenario:
            return None, _existing(Path(scenario), folder), None
        case str():
            return scenario, None, None
        case Path():
            return None, _existing(scenario, folder), None
        case Mapping():
            scenario_body(scenario)  # raises what is wrong with it before anything is made
            return None, scenario, None if "name" in scenario else INLINE
        case _:
            raise TypeError(
                f"scenario: expected a name, a path, a text in YAML or keys and values, got {scenario!r}"
            )


def _is_text(scenario: str) -> bool:
    return "\n" in scenario or scenario.lstrip().startswith("{") or ": " in scenario


def _existing(path: Path, folder: Path | None) -> Path:
    found = path if folder is None else folder / path
    if not found.is_file():
        raise FileNotFoundError(f"scenario: expected the path of a file, and there is none at {found}")
    return found


def _check_start(start: Instant) -> None:
    try:
        instant_text(start)
    except (TypeError, ValueError) as problem:
        raise type(problem)(f"start: {problem}") from None


def _clock(word: str) -> dict[str, Any]:
    if not isinstance(word, str):
        raise TypeError(f"clock: {_CLOCK_EXPECTED}, got {word!r}")
    mode, colon, scale = word.partition(":")
    try:
        if mode == "scaled" and colon:
            return {"mode": mode, "scale": float(scale)}
    except ValueError:
        mode = ""
    if mode not in {"real", "manual", "auto"} or colon:
        raise ValueError(f"clock: {_CLOCK_EXPECTED}, got {word!r}")
    return {"mode": mode}


def _clock_said_by(posted: Path | str | Mapping[str, Any]) -> ClockSettings | None:
    """The clock of a scenario that is posted only once its namespace is there."""
    from emulator.scenario_file import load_text  # noqa: PLC0415 - few callers say one half of a clock

    text = scenario_body(posted)[0].decode()
    try:
        return load_text(text, INLINE, INLINE).scenario.clock
    except ScenarioError:
        return None  # the emulator tells every mistake of it


def _fields_of(clock: ClockSettings) -> dict[str, Any]:
    fields: dict[str, Any] = {"mode": clock.mode}
    if clock.mode == "scaled":
        fields["scale"] = clock.scale
    if clock.start is not None:
        fields["now"] = format_instant(clock.start)
    return fields
