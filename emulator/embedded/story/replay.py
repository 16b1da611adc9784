"""How to see the same again."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from emulator.core.units import Instant, parse_instant
from emulator.embedded.story.scenario_text import in_block_style
from emulator.messages.namespaces import NamespaceState
from emulator.messages.scenarios import ScenarioText

_SHORT: Final = 15
"""A text of so many lines is shown."""
_FIRST: Final[Instant] = parse_instant("2000-01-01T00:00:00Z")
_END: Final[Instant] = parse_instant("2100-01-01T00:00:00Z")
"""What ``serve --start`` takes lies between."""


def clock_of(state: NamespaceState, *, is_slept: bool) -> tuple[str, ...]:
    """What tells `serve` of the namespace's clock, as far as it takes it.

    Args:
        state: the namespace.
        is_slept: whether the client's sleeps moved a clock that stood still. Those of a client elsewhere can't, so its
            polls do.
    """
    clock = state.clock
    word = "auto" if is_slept and clock.mode == "manual" else clock.mode
    mode = ("--clock", f"scaled:{clock.scale:g}" if clock.mode == "scaled" else word)
    is_taken = clock.mode != "real" and _FIRST <= parse_instant(state.activated_at) < _END
    return (*mode, "--start", state.activated_at) if is_taken else mode


def command(scenario: str, options: Sequence[str]) -> str:
    """The command that serves a scenario."""
    return shlex.join(["video-emulator", "serve", "--scenario", scenario, *options])


def lines(
    state: NamespaceState,
    found: ScenarioText | None,
    yaml: str | None,
    *,
    clock: Sequence[str],
    shows_text: bool,
) -> Iterator[str]:
    """The command that serves the same, and the scenario's text where it needs one and that is short.

    Args:
        state: the namespace.
        found: the scenario in force.
        yaml: its text, where the namespace alone has it.
        clock: what tells of its clock.
        shows_text: whether nobody else prints it.
    """
    options = [*option("--seed", state.seed), *profile_of(state.profile), *clock]
    is_posted = found is not None and found.origin == "posted"
    name = f"{state.scenario}.yaml" if is_posted else _name(state, found)
    yield f"replay: {command(name, options)}"
    if not is_posted:
        return
    if yaml is None:
        yield f"({name}: the scenario as it was before its text was replaced)"
        return
    text = in_block_style(yaml).rstrip().splitlines() if shows_text else []
    if not 0 < len(text) <= _SHORT:
        yield f"({name}: the scenario that it was given)"
        return
    yield f"{name}:"
    yield from (f"  {line}" for line in text)


def _name(state: NamespaceState, found: ScenarioText | None) -> str:
    """What `serve` finds the scenario by: the file of an author's own."""
    is_file = found is not None and found.origin == "file" and found.file is not None
    return str(found.file) if is_file and found is not None else state.scenario


def option(name: str, value: object) -> list[str]:
    """An option as a command line has it, also where its value begins as options do."""
    return [f"{name}={value}"] if str(value).startswith("-") else [name, str(value)]


def profile_of(profile: str) -> list[str]:
    """The option for a profile that isn't what is served anyway."""
    return [] if profile == "documented" else ["--profile", profile]
