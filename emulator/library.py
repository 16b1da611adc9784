"""The scenarios that can be named: those shipped, those of the author's own folder, those given to a namespace."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from emulator import scenario_file
from emulator.core.errors import Problem, ScenarioError
from emulator.core.scenario import Scenario
from emulator.scenario_file import Loaded

_PACKAGE = Path(__file__).parent
SHIPPED = _PACKAGE / "scenarios" if (_PACKAGE / "scenarios").is_dir() else _PACKAGE.parent / "scenarios"
"""In an installed package the scenarios lie inside it, in a clone of the repository beside it."""
SUFFIXES = (".yaml", ".yml", ".json")
"""What the names of scenario files end in."""


def files_in(folder: Path) -> list[Path]:
    """The scenario files of a folder, not of those below it; hidden ones and JSON Schemas aren't among them.

    Raises:
        OSError: the folder can't be read, or is none.
    """
    return sorted(path for path in folder.iterdir() if _is_scenario_file(path))


def _is_scenario_file(path: Path) -> bool:
    hidden = path.name.startswith(".") or path.name.endswith(".schema.json")
    return path.suffix in SUFFIXES and not hidden and not path.is_dir()


def read(paths: Iterable[Path]) -> tuple[list[Loaded], list[Problem]]:
    """What the files hold, and every mistake in them; two files of one name are a mistake too."""
    found: dict[str, Loaded] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            loaded = scenario_file.load(path)
        except ScenarioError as error:
            problems.extend(error.problems)
            continue
        name = loaded.scenario.name
        if name in found:
            problems.append(_namesake(path, name, found[name].scenario))
        found[name] = loaded
    return list(found.values()), problems


def _namesake(path: Path, name: str, other: Scenario) -> Problem:
    message = f"the scenario is called {name!r}, and so is that of {other.source}"
    hint = "give one of them another name"
    return Problem(file=str(path), path="name", message=message, hint=hint, id="duplicate-name")


class Library:
    """Scenarios by name. Shipped ones are read when first asked for, an author's at once, so that no mistake waits."""

    def __init__(self, folder: Path | None = None, shipped: Path = SHIPPED) -> None:
        self._loaded: dict[str, Loaded] = {}
        self._shipped = {path.stem: path for path in sorted(shipped.glob("*.yaml"))}
        self.warnings: list[Problem] = []
        if folder is not None:
            self._load_all(folder)

    def _load_all(self, folder: Path) -> None:
        found, problems = read(files_in(folder))
        if problems:
            raise ScenarioError(problems)
        for loaded in found:
            self._keep(loaded)

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

    def _keep(self, loaded: Loaded) -> Scenario:
        self.warnings.extend(loaded.warnings)
        self._loaded[loaded.scenario.name] = loaded
        return loaded.scenario

    def get(self, name: str) -> Scenario | None:
        """The scenario of this name; the author's own before a shipped one."""
        found = self._find(name)
        return None if found is None else found.scenario

    def text(self, name: str) -> str | None:
        """The text that the scenario of this name was read from, as it was then; ``None``: there is none."""
        found = self._find(name)
        return None if found is None else found.text

    def _find(self, name: str) -> Loaded | None:
        if name not in self._loaded and name in self._shipped:
            self._loaded[name] = scenario_file.load(self._shipped[name])
        return self._loaded.get(name)

    def names(self) -> Sequence[str]:
        """Every name that `get` knows, in order."""
        return sorted({*self._shipped, *self._loaded})

    def own_names(self) -> Sequence[str]:
        """Those of an author's own, in order; a shipped one that was read lately isn't."""
        return sorted(name for name, loaded in self._loaded.items() if not _is_shipped(loaded, self._shipped))


def _is_shipped(loaded: Loaded, shipped: Mapping[str, Path]) -> bool:
    path = shipped.get(loaded.scenario.name)
    return path is not None and loaded.scenario.source == str(path)


_NOTHING: Final[Mapping[str, Loaded]] = MappingProxyType({})


class Overlay:
    """A namespace's own scenarios over a library that many share. While it has none it costs next to nothing."""

    __slots__ = ("_library", "_own")

    def __init__(self, library: Library) -> None:
        self._library = library
        self._own = _NOTHING

    def add_text(self, text: str, name: str, source: str) -> Loaded:
        """The scenario in a text and its warnings; from now on it is found by its name, before the library's.

        Raises:
            ScenarioError: the text has mistakes; nothing has changed.
        """
        loaded = scenario_file.load_text(text, name, source)
        self.keep(loaded)
        return loaded

    def keep(self, loaded: Loaded) -> None:
        """From now on a scenario that was loaded already is found by its name, before the library's."""
        self._own = {**self._own, loaded.scenario.name: loaded}

    def remove(self, name: str) -> bool:
        """Forget one of its own; whether there was one. The library's of that name is found again."""
        if name not in self._own:
            return False
        self._own = {own: loaded for own, loaded in self._own.items() if own != name} or _NOTHING
        return True

    def owns(self, name: str) -> bool:
        """Whether the scenario of this name is its own, not the library's."""
        return name in self._own

    def get(self, name: str) -> Scenario | None:
        """The scenario of this name; its own before the library's."""
        own = self._own.get(name)
        return self._library.get(name) if own is None else own.scenario

    def text(self, name: str) -> str | None:
        """The text that the scenario of this name was read from, as it was then; ``None``: there is none."""
        own = self._own.get(name)
        return self._library.text(name) if own is None else own.text

    def names(self) -> Sequence[str]:
        """Every name that `get` knows, in order."""
        return sorted({*self._library.names(), *self._own}) if self._own else self._library.names()
