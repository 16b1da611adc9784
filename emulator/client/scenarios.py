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
        if name is None and isinstance(scenario, Path) and not _NAMES_ITSELF.search(_text_in(scenario)):
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
    if isinstance(scenario, Mapping):
        body, content_type = msgspec.json.encode(scenario), "application/json"
    else:
        body, content_type = _text_in(scenario).encode(), "application/yaml"
    return Call(
        method=method,
        path=f"{path}{query_text(query)}",
        read=message(ScenarioPosted),
        body=body,
        content_type=content_type,
    )


def _text_in(scenario: str | Path) -> str:
    if isinstance(scenario, Path):
        return scenario.read_text(encoding="utf-8")
    if not isinstance(scenario, str):
        raise TypeError(f"scenario: expected a text, a Path or a mapping, got {type(scenario).__name__}")
    if _LOOKS_LIKE_A_PATH.fullmatch(scenario):
        raise ValueError(
            f"expected the text of a scenario, got {scenario!r}; for a file give Path({scenario!r})"
        )
    return scenario
