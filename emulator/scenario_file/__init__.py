"""Scenario files: YAML in, a scenario or every mistake out; and the JSON Schema of the language."""

from emulator.core.errors import Problem, ScenarioError, as_github, as_json, as_text
from emulator.scenario_file.files import Loaded, load, load_expectations, load_text

__all__ = [
    "Loaded",
    "Problem",
    "ScenarioError",
    "as_github",
    "as_json",
    "as_text",
    "load",
    "load_expectations",
    "load_text",
]
