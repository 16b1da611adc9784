"""Kinds of values: each reads a node and gives the JSON Schema of what it reads. Big ones are made of small ones."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from emulator.scenario_file import wording
from emulator.scenario_file.nodes import Broken, Node, Scalar, Sequence, value_of
from emulator.scenario_file.nodes import Mapping as Pairs
from emulator.scenario_file.report import Path, Report

Json: TypeAlias = dict[str, Any]
Defs: TypeAlias = dict[str, Json]
"""The named parts of a schema, filled while the kinds give theirs."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


class Kind(Protocol[T_co]):
    """What can stand in one place of a scenario file."""

    expected: str
    """What messages say was expected, such as ``a duration such as 2s``."""

    def read(self, node: Node, path: Path, report: Report) -> T_co | None:
        """The value of a node. Where it is wrong, the report says so; what is returned then means nothing."""
        ...

    def schema(self, defs: Defs) -> Json:
        """The JSON Schema of the value; named parts are added to ``defs``."""
        ...


class Wrong(Exception):
    """A scalar isn't what was expected. Without a message, "expected ..., got ..." says it."""

    def __init__(self, message: str | None = None, hint: str | None = None, id: str = "wrong-value") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.id = id


def misfit(node: Node, path: Path, report: Report, expected: str, hint: str | None = None) -> None:
    """Reports a value that isn't of the expected shape. Broken ones were reported already."""
    if not isinstance(node, Broken):
        got = f"expected {expected}, got {wording.shown(node)}"
        report.mistake("wrong-value", node, path, got, hint)


class Simple(Generic[T]):
    """A scalar: ``parse`` gives its value or raises `Wrong`."""

    def __init__(
        self, expected: str, parse: Callable[[Scalar], T], schema: Json, name: str | None = None
    ) -> None:
        self.expected = expected
        self.parse = parse
        self._schema = schema
        self._name = name

    def read(self, node: Node, path: Path, report: Report) -> T | None:
        """The parsed scalar."""
        if not isinstance(node, Scalar):
            misfit(node, path, report, self.expected)
            return None
        try:
            return self.parse(node)
        except Wrong as wrong:
            message = wrong.message or f"expected {self.expected}, got {wording.shown(node)}"
            report.mistake(wrong.id, node, path, message, wrong.hint)
            return None

    def schema(self, defs: Defs) -> Json:
        """A named scalar is defined once and referred to."""
        if self._name is None:
            return self._schema
        defs[self._name] = self._schema
        return {"$ref": f"#/$defs/{self._name}"}


class Items(Generic[T]):
    """A list of one kind, with at least so many items."""

    def __init__(self, kind: Kind[T], noun: str, least: int = 1) -> None:
        self.expected = f"a list of {noun}"
        self._kind = kind
        self._least = least

    def read(self, node: Node, path: Path, report: Report) -> tuple[T, ...] | None:
        """The items that could be read, in their order."""
        if not isinstance(node, Sequence):
            misfit(node, path, report, self.expected, 'a list begins each item with "- ", or stands in [ ]')
            return None
        if len(node.items) < self._least:
            report.mistake("wrong-value", node, path, f"expected {self.expected}, got an empty one")
        read = (self._kind.read(item, (*path, number), report) for number, item in enumerate(node.items))
        return tuple(value for value in read if value is not None)

    def schema(self, defs: Defs) -> Json:
        """An array."""
        least = {"minItems": self._least} if self._least else {}
        return {"type": "array", "items": self._kind.schema(defs), **least}


class OneOrMany(Generic[T]):
    """One value, or a list of such."""

    def __init__(self, kind: Kind[T], noun: str, least: int = 1) -> None:
        self.expected = f"{kind.expected}, or a list of such"
        self._one = kind
        self._many = Items(kind, noun, least)

    def read(self, node: Node, path: Path, report: Report) -> tuple[T, ...] | None:
        """The values; one value becomes a tuple of one."""
        if isinstance(node, Sequence):
            return self._many.read(node, path, report)
        value = self._one.read(node, path, report)
        return None if value is None else (value,)

    def schema(self, defs: Defs) -> Json:
        """Either form."""
        return {"anyOf": [self._one.schema(defs), self._many.schema(defs)]}


class ByShape(Generic[T]):
    """One kind where a scalar stands, another where a mapping does."""

    def __init__(self, expected: str, scalar: Kind[T], mapping: Kind[T]) -> None:
        self.expected = expected
        self._scalar = scalar
        self._mapping = mapping

    def read(self, node: Node, path: Path, report: Report) -> T | None:
        """The value, read by the kind that goes with the node's shape."""
        if isinstance(node, Scalar):
            return self._scalar.read(node, path, report)
        if isinstance(node, Pairs):
            return self._mapping.read(node, path, report)
        misfit(node, path, report, self.expected)
        return None

    def schema(self, defs: Defs) -> Json:
        """Either form."""
        return {"anyOf": [self._scalar.schema(defs), self._mapping.schema(defs)]}


class Mapped(Generic[T, U]):
    """A kind whose value is turned into another."""

    def __init__(self, kind: Kind[T], turn: Callable[[T], U]) -> None:
        self.expected = kind.expected
        self._kind = kind
        self._turn = turn

    def read(self, node: Node, path: Path, report: Report) -> U | None:
        """The turned value."""
        value = self._kind.read(node, path, report)
        return None if value is None else self._turn(value)

    def schema(self, defs: Defs) -> Json:
        """What is written is what the inner kind reads."""
        return self._kind.schema(defs)


class FreeKeys(Generic[T]):
    """A mapping whose keys are the author's own; ``check`` says what is wrong with one."""

    def __init__(
        self, kind: Kind[T], expected: str, check: Callable[[str], str | None], key_schema: Json
    ) -> None:
        self.expected = expected
        self._kind = kind
        self._check = check
        self._key_schema = key_schema

    def read(self, node: Node, path: Path, report: Report) -> tuple[tuple[str, T], ...] | None:
        """Keys and values, in their order."""
        if not isinstance(node, Pairs):
            misfit(node, path, report, self.expected)
            return None
        found = []
        for key, child in node.pairs:
            problem = self._check(key.text)
            if problem is not None:
                report.mistake("wrong-value", key, path, problem)
            value = self._kind.read(child, (*path, key.text), report)
            if value is not None:
                found.append((key.text, value))
        return tuple(found)

    def schema(self, defs: Defs) -> Json:
        """An object with keys of its author's choice."""
        return {
            "type": "object",
            "propertyNames": self._key_schema,
            "additionalProperties": self._kind.schema(defs),
        }


class Lazy(Generic[T]):
    """A kind that is named before it is defined: for kinds that hold themselves."""

    def __init__(self, expected: str, find: Callable[[], Kind[T]]) -> None:
        self.expected = expected
        self._find = find

    def read(self, node: Node, path: Path, report: Report) -> T | None:
        """What the named kind reads."""
        return self._find().read(node, path, report)

    def schema(self, defs: Defs) -> Json:
        """What the named kind gives."""
        return self._find().schema(defs)


def word(
    expected: str,
    words: Mapping[str, T],
    near: Mapping[str, str] = wording.NO_WORDS,
) -> Simple[T]:
    """A kind that takes one of a few words; ``near`` has wrong words and the right ones."""

    def parse(scalar: Scalar) -> T:
        if scalar.text in words:
            return words[scalar.text]
        raise Wrong(hint=wording.did_you_mean(scalar.text, tuple(words), near) or wording.one_of(words))

    return Simple(expected, parse, {"type": "string", "enum": list(words)})


def enum_word(expected: str, kind: type[StrEnum], near: Mapping[str, str]) -> Any:
    """A kind that takes one word of a closed vocabulary."""
    return word(expected, {member.value: member for member in kind}, near)


def text(expected: str = "text", least: int = 0) -> Simple[str]:
    """A kind that takes text; numbers, true, false and null must be quoted to be text."""

    def parse(scalar: Scalar) -> str:
        value = value_of(scalar)
        if not isinstance(value, str):
            raise Wrong(hint=f'write "{scalar.text}" in quotes' if scalar.text else None)
        if len(value) < least:
            raise Wrong
        return value

    return Simple(expected, parse, {"type": "string", "minLength": least} if least else {"type": "string"})


def whole(expected: str, least: int, most: int) -> Simple[int]:
    """A kind that takes a whole number between two, both inside."""

    def parse(scalar: Scalar) -> int:
        value = value_of(scalar)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(hint=wording.unquoted_number(scalar))
        if not least <= value <= most:
            raise Wrong(
                hint=f"it must be at least {least}" if value < least else f"it must be at most {most}"
            )
        return value

    return Simple(expected, parse, {"type": "integer", "minimum": least, "maximum": most})


def number(expected: str, above: float, most: float) -> Simple[float]:
    """A kind that takes a number above one bound and at most the other."""

    def parse(scalar: Scalar) -> float:
        value = value_of(scalar)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Wrong(hint=wording.unquoted_number(scalar))
        if not above < value <= most:
            raise Wrong(hint=f"it must be more than {above:g} and at most {most:,.0f}")
        return float(value)

    return Simple(expected, parse, {"type": "number", "exclusiveMinimum": above, "maximum": most})


def _flag(scalar: Scalar) -> bool:
    value = value_of(scalar)
    if isinstance(value, bool):
        return value
    meant = wording.FLAGS.get(scalar.text.lower())
    raise Wrong(hint=f"write {meant}" if meant else None)


FLAG: Simple[bool] = Simple("true or false", _flag, {"type": "boolean"})
