"""The scenarios that can be named: those shipped, and those of the author's own folder."""

from collections.abc import Sequence
from pathlib import Path

from emulator import scenario_file
from emulator.core.errors import Problem, ScenarioError
from emulator.core.scenario import Scenario

_PACKAGE = Path(__file__).parent
SHIPPED = _PACKAGE / "scenarios" if (_PACKAGE / "scenarios").is_dir() else _PACKAGE.parent / "scenarios"
"""In an installed package the scenarios lie inside it, in a clone of the repository beside it."""
_SUFFIXES = (".yaml", ".yml", ".json")


class Library:
    """Scenarios by name. Shipped ones are read when first asked for, an author's at once, so that no mistake waits."""

    def __init__(self, folder: Path | None = None, shipped: Path = SHIPPED) -> None:
        self._loaded: dict[str, Scenario] = {}
        self._shipped = {path.stem: path for path in sorted(shipped.glob("*.yaml"))}
        self.warnings: list[Problem] = []
        if folder is not None:
            self._load_all(folder)

    def _load_all(self, folder: Path) -> None:
        problems: list[Problem] = []
        for path in sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES):
            try:
                self.add(path)
            except ScenarioError as error:
                problems.extend(error.problems)
        if problems:
            raise ScenarioError(tuple(problems))

    def add(self, path: Path) -> Scenario:
        """The scenario in a file, which from now on is found by its name.

        Raises:
            ScenarioError: the file has mistakes.
        """
        return self._keep(scenario_file.load(path))

    def add_text(self, text: str, name: str, source: str) -> Scenario:
        """The scenario in a text, which from now on is found by its name.

        Raises:
            ScenarioError: the text has mistakes.
        """
        return self._keep(scenario_file.load_text(text, name, source))

    def _keep(self, loaded: scenario_file.Loaded) -> Scenario:
        self.warnings.extend(loaded.warnings)
        self._loaded[loaded.scenario.name] = loaded.scenario
        return loaded.scenario

    def get(self, name: str) -> Scenario | None:
        """The scenario of this name; the author's own before a shipped one."""
        if name not in self._loaded and name in self._shipped:
            self._loaded[name] = scenario_file.load(self._shipped[name]).scenario
        return self._loaded.get(name)

    def names(self) -> Sequence[str]:
        """Every name that `get` knows, in order."""
        return sorted({*self._shipped, *self._loaded})
