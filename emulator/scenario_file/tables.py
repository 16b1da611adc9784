"""Mappings with known keys: one table says which there are, what each takes, and which go together."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar, overload

from emulator.scenario_file import wording
from emulator.scenario_file.kinds import Defs, Json, Kind, misfit
from emulator.scenario_file.nodes import Mapping as Pairs
from emulator.scenario_file.nodes import Node, Scalar
from emulator.scenario_file.report import Path, Report, Spot

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")


class Key(Generic[T_co]):
    """One key of a table: its word, what it takes, and what it means, for people and editors."""

    def __init__(self, word: str, kind: Kind[T_co], about: str, required: bool = False) -> None:
        self.word = word
        self.kind = kind
        self.about = about
        self.required = required


class Record:
    """A mapping that was read against a table: its values, and where each stands."""

    def __init__(self, node: Pairs, path: Path, report: Report) -> None:
        self.node = node
        self.path = path
        self.report = report
        self.values: dict[str, Any] = {}
        self.nodes: dict[str, tuple[Scalar, Node]] = {}
        """The keys of the table that stand in the file, well or badly, or by a word near theirs."""
        self.has_unknown = False
        """Whether there is a key that nothing in the table comes near."""

    def __contains__(self, key: Key[Any]) -> bool:
        return key.word in self.nodes

    def __getitem__(self, key: Key[T]) -> T:
        """The value of a key that is there and was read well."""
        value: T = self.values[key.word]
        return value

    @overload
    def get(self, key: Key[T]) -> T | None: ...
    @overload
    def get(self, key: Key[T], default: D) -> T | D: ...
    def get(self, key: Key[T], default: Any = None) -> Any:
        """The value of a key, or the default where it is absent or wrong."""
        value = self.values.get(key.word)
        return default if value is None else value

    def key(self, key: Key[Any]) -> Spot:
        """Where the key stands, or the mapping where it is absent."""
        return self.nodes[key.word][0] if key in self else self.node

    def value(self, key: Key[Any]) -> Node:
        """The node of a key that is there."""
        return self.nodes[key.word][1]

    def mistake(self, spot: Spot, message: str, hint: str | None = None, id: str = "conflict") -> None:
        """A mistake that concerns the whole mapping."""
        self.report.mistake(id, spot, self.path, message, hint)


class Constraint(Protocol):
    """How keys go together."""

    def check(self, record: Record) -> None:
        """Reports where the record breaks it."""
        ...

    def schema(self) -> Json:
        """The same for editors; goes into ``allOf``."""
        ...


class AtMostOne:
    """Keys that exclude one another."""

    def __init__(self, *keys: Key[Any], hint: str | None = None) -> None:
        self._keys = keys
        self._hint = hint

    def check(self, record: Record) -> None:
        """The second key, in the file's order, is the mistake."""
        words = {key.word for key in self._keys}
        present = [word for word in record.nodes if word in words]
        for word in present[1:]:
            record.mistake(
                record.nodes[word][0],
                f"{present[0]!r} and {word!r} exclude each other",
                self._hint or "keep one of the two",
            )

    def schema(self) -> Json:
        """No two of them."""
        words = [key.word for key in self._keys]
        pairs = [{"required": [a, b]} for number, a in enumerate(words) for b in words[number + 1 :]]
        return {"not": {"anyOf": pairs}}


class AtLeastOne:
    """Keys of which one must be there."""

    def __init__(self, *keys: Key[Any]) -> None:
        self._keys = keys

    def check(self, record: Record) -> None:
        """Their absence is a mistake of the mapping."""
        if not record.has_unknown and not any(key in record for key in self._keys):
            words = wording.listed(key.word for key in self._keys)
            record.mistake(record.node, f"expected at least one of {words}", id="missing-key")

    def schema(self) -> Json:
        """Any of them."""
        return {"anyOf": [{"required": [key.word]} for key in self._keys]}


class Needs:
    """A key that means nothing without another."""

    def __init__(self, key: Key[Any], other: Key[Any], hint: str | None = None) -> None:
        self._key = key
        self._other = other
        self._hint = hint

    def check(self, record: Record) -> None:
        """The key without the other is a mistake."""
        if self._key in record and self._other not in record:
            message = f"{self._key.word!r} says nothing without {self._other.word!r}"
            record.mistake(record.key(self._key), message, self._hint or f"add {self._other.word!r}")

    def schema(self) -> Json:
        """The one requires the other."""
        return {"dependentRequired": {self._key.word: [self._other.word]}}


def _no_check(record: Record) -> None:
    pass


class Table(Generic[T]):
    """A mapping with known keys.

    ``check`` looks at what keys mean together; ``build`` is called only when all is well.
    """

    def __init__(  # noqa: PLR0913 - one table says it all, each part by its name
        self,
        name: str,
        keys: tuple[Key[Any], ...],
        build: Callable[[Record], T],
        *,
        constraints: tuple[Constraint, ...] = (),
        check: Callable[[Record], None] = _no_check,
        about: str = "",
        free: str | None = None,
        shorthand: str | None = None,
    ) -> None:
        self.name = name
        self.expected = f"a mapping with keys such as {keys[0].word!r}"
        self.keys: Mapping[str, Key[Any]] = {key.word: key for key in keys}
        self._required = [key for key in keys if key.required]
        self._build = build
        self._constraints = constraints
        self._check = check
        self._about = about
        self._free = free
        """The beginning of keys that may hold anything."""
        self._shorthand = shorthand
        """The key that an author meant who wrote a scalar in place of the mapping."""

    def read(self, node: Node, path: Path, report: Report) -> T | None:
        """What ``build`` makes of the mapping; ``None`` where it has a mistake."""
        before = report.count
        if not isinstance(node, Pairs):
            misfit(node, path, report, self.expected, self._written_out(node))
            return None
        record = Record(node, path, report)
        for key, value in node.pairs:
            self._take(key, value, record)
        for required in self._required:
            if required not in record:
                self._missing(required, record)
        for constraint in self._constraints:
            constraint.check(record)
        self._check(record)
        return self._build(record) if report.count == before else None

    def _take(self, key: Scalar, value: Node, record: Record) -> None:
        known = self.keys.get(key.text)
        if known is not None:
            record.nodes[key.text] = (key, value)
            record.values[key.text] = known.kind.read(value, (*record.path, key.text), record.report)
        elif self._free is None or not key.text.startswith(self._free):
            self._unknown(key, value, record)

    def _unknown(self, key: Scalar, value: Node, record: Record) -> None:
        message = f"unknown key {wording.quoted(key.text)}"
        meant = wording.meant_key(key.text, tuple(self.keys))
        if meant is None:
            record.has_unknown = True
            hint = wording.SAYINGS.get(key.text.lower()) or record.report.home_of(key.text)
        else:
            # It counts as there, so that its absence isn't another mistake.
            record.nodes.setdefault(meant, (key, value))
            hint = f"did you mean {meant!r}?"
        record.mistake(key, message, hint, "unknown-key")

    def _missing(self, key: Key[Any], record: Record) -> None:
        message = f"{wording.article(self.name)} needs {key.word!r}: {key.kind.expected}"
        record.mistake(record.node, message, id="missing-key")

    def _written_out(self, node: Node) -> str | None:
        if self._shorthand is None or not isinstance(node, Scalar):
            return None
        return f"write {{{self._shorthand}: {node.text[:60]}}}"

    def schema(self, defs: Defs) -> Json:
        """An object, defined once under the table's name and referred to."""
        name = self.name.replace(" ", "_")
        if name not in defs:
            # The place is taken first: a table may hold itself.
            defs[name] = {}
            defs[name] = self.own_schema(defs)
        return {"$ref": f"#/$defs/{name}"}

    def own_schema(self, defs: Defs) -> Json:
        """The object itself."""
        schema: Json = {"type": "object"}
        if self._about:
            schema["description"] = self._about
        schema["properties"] = {word: _described(key, defs) for word, key in self.keys.items()}
        if self._free is not None:
            schema["patternProperties"] = {f"^{self._free}": {}}
        schema["additionalProperties"] = False
        if self._required:
            schema["required"] = [key.word for key in self._required]
        if self._constraints:
            schema["allOf"] = [constraint.schema() for constraint in self._constraints]
        return schema


def _described(key: Key[Any], defs: Defs) -> Json:
    return {"description": key.about, **key.kind.schema(defs)}
