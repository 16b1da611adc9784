"""A scenario that Hypothesis made: a mapping that knows how an author would have written it."""

from typing import Any

from emulator.scenario_file.writing import as_yaml
from emulator.strategies.arguments import Json


class GeneratedScenario(dict[str, Any]):
    """A whole scenario, as the keys and values of its file. What is printed of one is Python that makes it anew."""

    @property
    def yaml(self) -> str:
        """The text of a file that holds it."""
        return as_yaml(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """What Hypothesis prints, over several lines where one is too short."""
        name = type(self).__name__
        with printer.group(len(name) + 1, f"{name}(", ")"):
            printer.pretty(dict(self))


def generated(keys: Json) -> GeneratedScenario:
    """The scenario with these keys; those without a value are left out."""
    return GeneratedScenario({key: value for key, value in keys.items() if value})
