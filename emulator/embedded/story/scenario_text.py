"""The text of a scenario, made one that can stand in a file of its own."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Final

import yaml

from emulator.scenario_file.nodes import Scalar, value_of

_WIDTH: Final = 110
_MAY_FLOW: Final = re.compile(r"^\s*(?:---|[{!&])", re.M)
"""What a root in YAML's flow style begins with, as JSON is; others may have such a line."""


def in_block_style(text: str) -> str:
    """A text in YAML's block style, as authors write it; one that is in it already stays to the letter.

    Args:
        text: of a scenario without mistakes.
    """
    text = text.removeprefix("\ufeff")
    root = _root(text) if _MAY_FLOW.search(text) else None  # which costs a thousand times as much
    if root is None or not root.flow_style:
        return text
    for node in _each(root, set()):
        _unfold(node)
    written: str = yaml.serialize(root, Dumper=_Dumper, allow_unicode=True, width=_WIDTH)
    return written


def settled(text: str, name: str | None, facts: Mapping[str, int | str]) -> str:
    """The text of a file that says what its text alone doesn't; it may have got mistakes by that, where marks mislead.

    Args:
        text: of a scenario without mistakes.
        name: what the scenario is called from now on, where the text says its name; ``None``: as before.
        facts: what to say besides, by key, where the text doesn't.
    """
    block = in_block_style(text)
    root = _root(block)
    if root is None or not root.value:
        return block
    said = {key.value: value for key, value in root.value}
    missing = {key: value for key, value in facts.items() if key not in said}
    changes = [_insertion(block, root, missing)]
    if name is not None and "name" in said:
        changes.append((said["name"].start_mark.index, said["name"].end_mark.index, name))
    for begin, end, written in sorted(changes, reverse=True):
        block = f"{block[:begin]}{written}{block[end:]}"
    return block


def _insertion(block: str, root: yaml.MappingNode, facts: Mapping[str, int | str]) -> tuple[int, int, str]:
    """Where lines with these keys go, and the lines: behind that with the version, where authors look for them."""
    first = root.value[0][0].start_mark
    added = [f"{' ' * first.column}{key}: {_scalar(value)}\n" for key, value in facts.items()]
    ends = [value.end_mark.index for key, value in root.value if key.value == "version"]
    place = block.find("\n", ends[0]) + 1 if ends else first.index - first.column
    if place == 0 and ends:  # the text ends with that line
        return len(block), len(block), "".join(["\n", *added])
    return place, place, "".join(added)


def _scalar(value: int | str) -> str:
    """A number as it is, a text in quotes and on one line, whatever it holds."""
    if isinstance(value, int):
        return str(value)
    written: str = yaml.safe_dump(value, default_style='"', width=sys.maxsize)
    return written.rstrip("\n")


class _Dumper(yaml.SafeDumper):
    """Indents the items of a list."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _root(text: str) -> yaml.MappingNode | None:
    """The document's root, with its marks; ``None``: it isn't one that can be changed by its marks."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    return root if isinstance(root, yaml.MappingNode) else None


def _each(node: yaml.Node, met: set[int]) -> Iterator[yaml.Node]:
    """The node and all below it, each once: an alias is the node that it stands for."""
    if id(node) in met:
        return
    met.add(id(node))
    yield node
    if isinstance(node, yaml.ScalarNode):
        return
    for part in node.value:
        for child in part if isinstance(part, tuple) else (part,):
            yield from _each(child, met)


def _unfold(node: yaml.Node) -> None:
    """Let a node stand as authors write it: on lines of its own, and a text without quotes where it needs none."""
    if not isinstance(node, yaml.ScalarNode):
        node.flow_style = False  # type: ignore[attr-defined] # the two kinds of collections have it
        return
    # JSON writes what lies beyond the basic plane as two escapes.
    node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    reads_as_text = isinstance(value_of(Scalar(node.value, True, 0, 0)), str)
    if node.style == '"' and reads_as_text:
        node.style = None  # PyYAML puts quotes around what it wouldn't read as text itself
