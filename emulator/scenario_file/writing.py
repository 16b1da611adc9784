"""Scenarios as text: YAML as an author writes it, from keys and values."""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from emulator.scenario_file.nodes import Scalar, value_of

WIDTH: Final = 110


class Flow(dict[str, Any]):
    """A mapping that is written on one line."""


class _Dumper(yaml.SafeDumper):
    """Indents lists, repeats what stands twice, and puts in quotes what the language wouldn't read as text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        reads_as_text = isinstance(value_of(Scalar(text, True, 0, 0)), str)
        return self.represent_scalar("tag:yaml.org,2002:str", text, None if reads_as_text else '"')

    def represent_flow(self, mapping: Flow) -> yaml.MappingNode:
        return self.represent_mapping("tag:yaml.org,2002:map", dict(mapping).items(), flow_style=True)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(Flow, _Dumper.represent_flow)


def as_yaml(scenario: Mapping[str, Any]) -> str:
    """The text of a file that holds these keys and values, in their order."""
    text: str = yaml.dump(
        dict(scenario),
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=WIDTH,
    )
    return text
