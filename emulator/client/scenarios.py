"""Scenarios: which there are, which one is in force, and those that a namespace has of its own."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from emulator.client.answers import message
from emulator.client.calls import Call, S, Subject, call, get, named, query_text, write
from emulator.messages.scenarios import (
    ScenarioList,
    ScenarioName,
    ScenarioPosted,
    ScenarioRemoved,
    ScenarioText,
)

ScenarioSource: TypeAlias = str | Path | Mapping[str, Any]
"""The text of a scenario in YAML or JSON, the path of a file with one, or its keys and values."""
_ADDRESS_OF_ACTIVE: Final = "active"
"""``/scenarios/active`` is another route, so the emulator takes no scenario of this name."""
_NAMES_ITSELF: Final = re.compile(r"""^(?:name|"name"|'name')\s*:""", re.M)
_NAMES_ITSELF_IN_BRACES: Final = re.compile(r"""^\s*\{(?:[^{}\[\]]*,)?\s*["']?name["']?\s*:""")
"""Of YAML's braces, as far as nothing is nested before the name."""
_LOOKS_LIKE_A_PATH: Final = re.compile(r"[^\n:{]+\.(?:ya?ml|json)")


class Scenarios(Subject[S]):
    """Scenarios that the namespace can name: those that all have, and its own, which go before them."""

    @call
    def list(self) -> Call[ScenarioList]:
        """Every one, and which one is in force."""
        return get("/scenarios", ScenarioList)

    @call
    def active(self) -> Call[ScenarioName]:
        """The one that is in force."""
        return get("/scenarios/active", ScenarioName)

    @call
    def activate(self, name: str) -> Call[ScenarioName]:
        """Put another one in force; `NotFound` lists the names. Tasks keep the one that they were created under."""
        return write("PUT", "/scenarios/active", ScenarioName, {"name": name})

    @call
    def get(self, name: str) -> Call[ScenarioText]:
        """One of them, with the text that it was read from."""
        return get(_path(name), ScenarioText)

    @call
    def post(
        self, scenario: ScenarioSource, *, name: str | None = None, activate: bool = False
    ) -> Call[ScenarioPosted]:
        """Give the namespace a scenario of its own.

        Args:
            scenario: its text, a `Path` to its file, or its keys and values.
            name: what it is called, where it doesn't say; left out: of a file, its name without the suffix.
            activate: whether to put it in force at once.

        Raises:
            BadRequest: it has mistakes: ``mistakes`` has them all, ``text`` shows them with their lines.
            Conflict: the namespace has another one of this name; `put` replaces it.
        """
        if name is None and isinstance(scenario, Path) and not names_itself(_text_in(scenario)):
            name = scenario.stem
        return _sent("POST", "/scenarios", scenario, {"name": name, "activate": activate or None})

    @call
    def put(self, name: str, scenario: ScenarioSource, *, activate: bool = False) -> Call[ScenarioPosted]:
        """Give the namespace a scenario under this name, or replace it. The one in force stays until `activate`."""
        return _sent("PUT", _path(name), scenario, {"activate": activate or None})

    @call
    def delete(self, name: str) -> Call[ScenarioRemoved]:
        """Take one of the namespace's own away again. `Conflict`: it is in force, or all namespaces have it."""
        return write("DELETE", _path(name), ScenarioRemoved)


def _path(name: str) -> str:
    if name == _ADDRESS_OF_ACTIVE:
        raise ValueError(
            f"name: no scenario can be called {name!r}; for the one in force call scenarios.active()"
        )
    return f"/scenarios/{named('name', name, 'the name of a scenario')}"


def _sent(method: str, path: str, scenario: ScenarioSource, query: Mapping[str, Any]) -> Call[ScenarioPosted]:
    body, content_type = scenario_body(scenario)
    return Call(
        method=method,
        path=f"{path}{query_text(query)}",
        read=message(ScenarioPosted),
        body=body,
        content_type=content_type,
    )


def scenario_body(scenario: ScenarioSource) -> tuple[bytes, str]:
    """A scenario as a request brings it, and the type of its content.

    Raises:
        TypeError: it is of another type, or has values that JSON hasn't.
        ValueError: it is the path of a file rather than a text, or its file isn't in UTF-8.
        OSError: its file can't be read.
    """
    if not isinstance(scenario, Mapping):
        return _text_in(scenario).encode(), "application/yaml"
    try:
        return msgspec.json.encode(dict(scenario)), "application/json"
    except (TypeError, RecursionError) as problem:
        raise TypeError(f"scenario: expected keys and values that JSON has too: {problem}") from None


def names_itself(text: str) -> bool:
    """Whether the text of a scenario says its name."""
    if not text.lstrip().startswith("{"):
        return _NAMES_ITSELF.search(text) is not None
    try:
        found: Any = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return _NAMES_ITSELF_IN_BRACES.search(text) is not None
    return isinstance(found, Mapping) and "name" in found


def _text_in(scenario: str | Path) -> str:
    if isinstance(scenario, Path):
        return _text_of_file(scenario)
    if not isinstance(scenario, str):
        raise TypeError(f"scenario: expected a text, a Path or a mapping, got {type(scenario).__name__}")
    if _LOOKS_LIKE_A_PATH.fullmatch(scenario):
        raise ValueError(
            f"expected the text of a scenario, got {scenario!r}; for a file give Path({scenario!r})"
        )
    return scenario


def _text_of_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        byte = problem.object[problem.start]
        raise ValueError(
            f"scenario: expected a file in UTF-8, and {path} has the byte 0x{byte:02x} at its offset {problem.start}"
        ) from None
