"""YAML text to nodes that know their line and column: within bounds, without building objects.

The nodes are made straight from the parser's events. So nothing recurses, the bounds hold while the
text is read, and what an alias expands to is counted before anybody walks it. (PyYAML's own
``compose`` recurses: in C it crashes the process on 25,000 nested brackets.)
"""

import re
from typing import Any, Final, TypeAlias

import msgspec
import yaml

from emulator.scenario_file.report import Path, Report
from emulator.scenario_file.yaml_words import TEMPLATE_UNQUOTED, explained

MAX_DEPTH: Final = 64
MAX_NODES: Final = 10_000
"""Counted with every alias written out."""
MAX_ALIASES: Final = 100

PARSER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, which is seven times faster; else PyYAML's own."""

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-][0-9]+)?")
"""JSON's numbers, but for an exponent without point or sign: ``68e914`` is the head of an id, and stays text."""
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "": None}
_MOST_DIGITS: Final = 20
_TAG_HEAD: Final = "tag:yaml.org,2002:"


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """A single value, as its text."""

    text: str
    plain: bool
    """Not in quotes, so that `value_of` may find a number, true, false or null in it."""
    line: int
    column: int


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    items: "tuple[Node, ...]"
    line: int
    column: int


class Mapping(msgspec.Struct, frozen=True):
    """Keys and their values, merges (``<<``) carried out, without duplicates."""

    pairs: "tuple[tuple[Scalar, Node], ...]"
    line: int
    column: int


class Broken(msgspec.Struct, frozen=True, gc=False):
    """Stands where a mistake was already reported; nobody needs to complain about it again."""

    line: int
    column: int


Node: TypeAlias = Scalar | Sequence | Mapping | Broken


def is_number(scalar: Scalar) -> bool:
    """Whether the scalar is a plain decimal number. ``010``, ``1_000``, ``0x1F`` and ``1:30`` are text."""
    return scalar.plain and _NUMBER.fullmatch(scalar.text) is not None


def value_of(scalar: Scalar) -> str | int | float | bool | None:
    """What the scalar stands for: only plain true, false, null and decimal numbers aren't text."""
    if not scalar.plain:
        return scalar.text
    if scalar.text in _WORDS:
        return _WORDS[scalar.text]
    if not (number := _NUMBER.fullmatch(scalar.text)):
        return scalar.text
    if number[1] is None:
        return int(scalar.text) if len(scalar.text) <= _MOST_DIGITS else float(scalar.text)
    return float(scalar.text)


def raw(node: Node) -> Any:
    """The node as JSON values."""
    if isinstance(node, Scalar):
        return value_of(node)
    if isinstance(node, Sequence):
        return [raw(item) for item in node.items]
    return {key.text: raw(value) for key, value in node.pairs} if isinstance(node, Mapping) else None


def read(text: str, report: Report, parser: Any = None) -> Node | None:
    """The document's root, or ``None`` where there is none; mistakes of YAML itself go into the report.

    Raises:
        ScenarioError: the text is no YAML, or exceeds a bound, so that reading on makes no sense.
    """
    builder = _Builder(report)
    try:
        for event in yaml.parse(text, Loader=parser or PARSER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        spot, message, hint = explained(error, report.lines)
        report.stop("yaml-syntax", spot, (), message, hint)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # Only PyYAML's own parser gets here: an escape such as "\UFFFFFFFF" that names no character.
        report.stop("yaml-syntax", None, (), f"this is no YAML: {error}")
    return builder.root


def located(root: Node, path: Path) -> Node:
    """Where the path's last step stands: its key, or the list's item."""
    node, spot = root, root
    for step in path:
        if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = spot = node.items[step]
            continue
        pairs = node.pairs if isinstance(node, Mapping) else ()
        found = next(((key, value) for key, value in pairs if key.text == step), None)
        if found is None:
            break
        spot, node = found
    return spot


def timeline_path(root: Node, task: Path, choice: int) -> Path:
    """Where the timeline of a task's choice stands: a task without choices has its own."""
    has_choices = isinstance(located(root, (*task, "choices")), Scalar)
    return (*task, "choices", choice, "timeline") if has_choices else (*task, "timeline")


class _Open:
    """A list or mapping whose end hasn't come yet."""

    __slots__ = (
        "anchor",
        "before",
        "column",
        "height",
        "is_broken",
        "is_mapping",
        "items",
        "key",
        "line",
        "pairs",
        "path",
    )

    def __init__(self, event: Any, is_mapping: bool, path: Path, before: int) -> None:
        self.line, self.column = _place(event)
        self.is_mapping = is_mapping
        self.is_broken = event.tag is not None
        self.anchor: str | None = event.anchor
        self.path = path
        self.before = before
        """How many nodes there were before it."""
        self.height = 1
        self.key: Scalar | Broken | None = None
        self.items: list[Node] = []
        self.pairs: list[tuple[Scalar, Node]] = []


class _Anchored(msgspec.Struct, frozen=True):
    node: Node
    size: int
    height: int


def _place(event: Any) -> tuple[int, int]:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


class _Builder:
    """Takes events, one by one, and holds the root when the last has come."""

    def __init__(self, report: Report) -> None:
        self.root: Node | None = None
        self.report = report
        self.open: list[_Open] = []
        self.anchors: dict[str, _Anchored | None] = {}
        self.nodes = 0
        self.aliases = 0

    def take(self, event: Any) -> None:
        """One more event."""
        handle = _HANDLERS.get(type(event))
        if handle is not None:
            handle(self, event)

    def document(self, event: Any) -> None:
        if self.root is not None:
            message = "a second document begins here, but one file is one scenario"
            self.report.stop("yaml-documents", _spot(event), (), message, "move it into a file of its own")

    def scalar(self, event: Any) -> None:
        self.count(1, event)
        line, column = _place(event)
        node: Node = Scalar(event.value, not event.style, line, column)
        if event.tag is not None:
            node = self.refused_tag(event)
        elif not event.value.isascii() and _has_surrogates(event.value):
            message = "a \\u escape stands for half a character"
            self.report.mistake("yaml-syntax", node, self.path(), message, "write the character itself")
            node = Broken(line, column)
        self.anchor(event.anchor, node, 1, 1)
        self.attach(node, 1)

    def alias(self, event: Any) -> None:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            self.report.stop(
                "yaml-aliases", _spot(event), (), f"more than {MAX_ALIASES} aliases (*{event.anchor})"
            )
        found = self.anchors.get(event.anchor)
        if found is None:
            self.attach(self.refused_alias(event), 1)
            return
        self.count(found.size, event)
        if len(self.open) + found.height > MAX_DEPTH:
            self.too_deep(event)
        self.attach(found.node, found.height)

    def start(self, event: Any, is_mapping: bool) -> None:
        self.count(1, event)
        if len(self.open) >= MAX_DEPTH:
            self.too_deep(event)
        opened = _Open(event, is_mapping, self.path(), self.nodes)
        if event.tag is not None:
            self.refused_tag(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        self.open.append(opened)

    def end(self, _: Any) -> None:
        opened = self.open.pop()
        node: Node
        if opened.is_broken:
            node = Broken(opened.line, opened.column)
        elif opened.is_mapping:
            node = Mapping(self.merged(opened), opened.line, opened.column)
        else:
            node = Sequence(tuple(opened.items), opened.line, opened.column)
        self.anchor(opened.anchor, node, 1 + self.nodes - opened.before, opened.height)
        self.attach(node, opened.height)

    def anchor(self, name: str | None, node: Node, size: int, height: int) -> None:
        if name is not None:
            self.anchors[name] = _Anchored(node, size, height)

    def attach(self, node: Node, height: int) -> None:
        """Puts a finished node where it belongs."""
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        parent.height = max(parent.height, height + 1)
        if not parent.is_mapping:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node if isinstance(node, Scalar) else self.refused_key(node, parent)
        else:
            if isinstance(parent.key, Scalar):
                parent.pairs.append((parent.key, node))
            parent.key = None

    def path(self) -> Path:
        """Where the next node will stand."""
        if not self.open:
            return ()
        parent = self.open[-1]
        if not parent.is_mapping:
            return (*parent.path, len(parent.items))
        return (*parent.path, parent.key.text) if isinstance(parent.key, Scalar) else parent.path

    def count(self, more: int, event: Any) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            message = f"the file has more than {MAX_NODES:,} values (aliases count as what they stand for)"
            self.report.stop("yaml-nodes", _spot(event), (), message)

    def too_deep(self, event: Any) -> None:
        self.report.stop("yaml-depth", _spot(event), (), f"nested deeper than {MAX_DEPTH} levels")

    def refused_tag(self, event: Any) -> Broken:
        tag = event.tag.replace(_TAG_HEAD, "!!", 1)
        spot = Broken(*_place(event))
        message = f"expected a value without a YAML tag, got {tag[:60]}"
        self.report.mistake("yaml-tag", spot, self.path(), message, "leave the tag out; quotes make a text")
        return spot

    def refused_alias(self, event: Any) -> Broken:
        spot = Broken(*_place(event))
        name = event.anchor[:60]
        if event.anchor in self.anchors:
            message, hint = f"*{name} stands inside the value that it names", None
        else:
            message = f"*{name} refers to an anchor, and no &{name} stands before it"
            hint = f"""if it is text, write "*{name}" in quotes"""
        self.report.mistake("yaml-alias", spot, self.path(), message, hint)
        return spot

    def refused_key(self, node: Node, parent: _Open) -> Broken:
        if self.report.lines.at(parent.line)[parent.column - 1 :].startswith("{{"):
            parent.is_broken = True
            self.report.mistake("yaml-syntax", parent, parent.path, *TEMPLATE_UNQUOTED)
        elif not isinstance(node, Broken):
            self.report.mistake(
                "yaml-key", node, parent.path, "expected a word as key, got a list or a mapping"
            )
        return Broken(node.line, node.column)

    def merged(self, opened: _Open) -> tuple[tuple[Scalar, Node], ...]:
        """The mapping's own pairs, each key once, then what ``<<`` brings in."""
        own: dict[str, tuple[Scalar, Node]] = {}
        merges: list[Node] = []
        for key, value in opened.pairs:
            if key.text == "<<" and key.plain and not merges:
                merges = list(value.items) if isinstance(value, Sequence) else [value]
            elif key.text in own or (key.text == "<<" and key.plain):
                message = f"duplicate key {key.text[:60]!r}"
                self.report.mistake("duplicate-key", key, opened.path, message, "keep one of the two")
            else:
                own[key.text] = (key, value)
        for source in merges:
            if isinstance(source, Mapping):
                own = {**{key.text: (key, value) for key, value in source.pairs}, **own}
            elif not isinstance(source, Broken):
                message = "<< merges mappings, and this is none"
                self.report.mistake("yaml-merge", source, opened.path, message, "write <<: *name")
        return tuple(own.values())


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _spot(event: Any) -> Broken:
    return Broken(*_place(event))


_HANDLERS: Final[dict[type, Any]] = {
    yaml.DocumentStartEvent: _Builder.document,
    yaml.ScalarEvent: _Builder.scalar,
    yaml.AliasEvent: _Builder.alias,
    yaml.SequenceStartEvent: lambda builder, event: builder.start(event, False),
    yaml.MappingStartEvent: lambda builder, event: builder.start(event, True),
    yaml.SequenceEndEvent: _Builder.end,
    yaml.MappingEndEvent: _Builder.end,
}
