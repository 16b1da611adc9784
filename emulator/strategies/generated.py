"""A scenario that Hypothesis made: a mapping that knows how an author would have written it."""

from typing import Any, Final

import yaml

from emulator.scenario_file.nodes import Scalar, value_of
from emulator.strategies.arguments import Json

_WIDTH: Final = 110


class GeneratedScenario(dict[str, Any]):
    """A whole scenario, as the keys and values of its file. What is printed of one is Python that makes it anew."""

    @property
    def yaml(self) -> str:
        """The text of a file that holds it."""
        return yaml.dump(
            dict(self),
            Dumper=_Dumper,
            sort_keys=False,
            default_flow_style=False,
            allow_unicode=True,
            width=_WIDTH,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({super().__repr__()})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """What Hypothesis prints, over several lines where one is too short."""
        name = type(self).__name__
        with printer.group(len(name) + 1, f"{name}(", ")"):
            printer.pretty(dict(self))


class _Dumper(yaml.SafeDumper):
    """Indents lists, repeats what stands twice, and puts in quotes what the language wouldn't read as text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        reads_as_text = isinstance(value_of(Scalar(text, True, 0, 0)), str)
        return self.represent_scalar("tag:yaml.org,2002:str", text, None if reads_as_text else '"')


_Dumper.add_representer(str, _Dumper.represent_text)


def generated(keys: Json) -> GeneratedScenario:
    """The scenario with these keys; those without a value are left out."""
    return GeneratedScenario({key: value for key, value in keys.items() if value})
