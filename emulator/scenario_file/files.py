"""From a file or a text to a scenario, or to every mistake in it; and the same for ``expect`` alone."""

import json
import re
import stat
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from emulator.core.errors import Problem, ScenarioError
from emulator.core.expectations import Expectations
from emulator.core.scenario import Scenario
from emulator.scenario_file import nodes, wording
from emulator.scenario_file.expect import EXPECT
from emulator.scenario_file.language import NAME_EXPECTED, SCENARIO, VERSION_KEY, is_scenario_name
from emulator.scenario_file.lint import lint
from emulator.scenario_file.nodes import MAX_DEPTH, MAX_NODES, Broken, Mapping, Node, Scalar, Sequence
from emulator.scenario_file.report import Report
from emulator.scenario_file.tables import Table

MAX_BYTES: Final = 1 << 20
_STRANGE: Final = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML 1.1 doesn't let into a file."""
_SURROGATES: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.I)


class Loaded(msgspec.Struct, frozen=True):
    """A scenario that can be used, what lint has to say of its file, and the text that stood there."""

    scenario: Scenario
    warnings: tuple[Problem, ...] = ()
    text: str = ""
    """Without a byte order mark."""


def load(path: str | Path) -> Loaded:
    """The scenario in a file; its name is the file's without the suffix, unless it says another.

    Raises:
        ScenarioError: with every mistake; also where the file can't be read.
    """
    report = Report(str(path), "")
    text = _decoded(_bytes(Path(path), report), report)
    return load_text(text, Path(path).stem, str(path))


def load_text(text: str, name: str, source: str | None = None) -> Loaded:
    """The scenario in a text. ``name`` is what it is called where it doesn't say; ``source`` what messages call it.

    Raises:
        ScenarioError: with every mistake.
    """
    text = text.removeprefix("\ufeff")
    report = Report(source or name, text, _home_of)
    _check_text(text, report)
    # JSON writes what lies beyond the basic plane as two escapes, which libyaml takes for a mistake.
    readable = _SURROGATES.sub(_joined, text) if text.lstrip().startswith("{") else text
    root = _check_root(nodes.read(readable, report), report)
    read = SCENARIO.read(root, (), report)
    if read is None or report.count:
        raise report.error()
    found = msgspec.structs.replace(
        read.scenario,
        name=read.scenario.name or _named(name, report),
        source=source,
        digest=blake2b(text.encode(), digest_size=6).hexdigest(),
    )
    lint(found, root, report)
    return Loaded(found, report.doubts(read.ignored), text)


def load_expectations(value: Any, source: str = "request") -> Expectations:
    """What a correct client does: a JSON value of the form that ``expect`` has. Messages call it ``source``.

    Raises:
        ScenarioError: with every mistake; each has a path such as ``expect.poll.min_interval``, and no line.
    """
    report = Report(source, "", _home_of)
    found = _EXPECT_ALONE.read(node_of({EXPECT.word: value}, report, count(1)), (), report)
    if found is None:
        problems = report.error().problems
        raise ScenarioError([msgspec.structs.replace(problem, line=0, column=0) for problem in problems])
    return found


_EXPECT_ALONE: Final = Table("request", (EXPECT,), lambda record: record[EXPECT])


def node_of(value: Any, report: Report, numbers: Iterator[int], depth: int = 0) -> Node:
    """A JSON value as a node, within the bounds of a file."""
    # Each node has its own number for a line, so that two mistakes of one wording aren't taken for one.
    line = next(numbers)
    if line > MAX_NODES:
        report.stop("yaml-nodes", None, (EXPECT.word,), f"more than {MAX_NODES:,} values")
    if depth > MAX_DEPTH:
        report.stop("yaml-depth", None, (EXPECT.word,), f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        keys = ((Scalar(key, False, next(numbers), 0), child) for key, child in value.items())
        pairs = ((key, node_of(child, report, numbers, depth + 1)) for key, child in keys)
        return Mapping(tuple(pairs), line, 0)
    if isinstance(value, list):
        return Sequence(tuple(node_of(item, report, numbers, depth + 1) for item in value), line, 0)
    if isinstance(value, str):
        return Scalar(value, False, line, 0)
    return Scalar(json.dumps(value), True, line, 0)


def _bytes(path: Path, report: Report) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = "a directory" if stat.S_ISDIR(mode) else "no regular file"
            report.stop("unreadable", None, (), f"expected a scenario file, got {what}")
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        report.stop("unreadable", None, (), "there is no such file")
    except (OSError, ValueError) as error:
        # ValueError: a NUL in the path.
        report.stop(
            "unreadable", None, (), f"the file can't be read: {getattr(error, 'strerror', None) or error}"
        )


def _decoded(data: bytes, report: Report) -> str:
    if len(data) > MAX_BYTES:
        _stop_too_large(report)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        spot = Broken(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"expected UTF-8 text, got the byte 0x{data[error.start]:02x}"
        report.stop("not-utf-8", spot, (), message, "save the file as UTF-8")


def _stop_too_large(report: Report) -> None:
    report.stop("too-large", None, (), "the file is larger than 1 MiB, more than a scenario may be")


def _check_text(text: str, report: Report) -> None:
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        _stop_too_large(report)
    if strange := _STRANGE.search(text):
        before = text[: strange.start()]
        spot = Broken(before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = f"the character U+{ord(strange[0]):04X} can't stand in a YAML file"
        report.stop(
            "control-character", spot, (), message, "in double quotes, write it as an escape such as \\x07"
        )


def _home_of(word: str) -> str | None:
    """Where a key belongs that stands in the wrong place."""
    # Imported when first used: only a mistake needs it, and it is a command of its own.
    from emulator.scenario_file.schema import scenario_schema  # noqa: PLC0415

    schema = scenario_schema()
    homes = {"scenario": schema, **schema["$defs"]}
    fitting = [name for name, part in homes.items() if word in part.get("properties", ())]
    # The biggest is the best known: a task rather than a choice.
    best = max(fitting, key=lambda name: len(homes[name]["properties"]), default=None)
    return f"{word!r} belongs to {wording.article(best.replace('_', ' '))}" if best else None


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _check_root(root: Node | None, report: Report) -> Node:
    if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
        report.stop("empty", None, (), "the file holds nothing", f"begin it with {VERSION_KEY.word}: 1")
    if isinstance(root, Mapping):
        version = next((value for key, value in root.pairs if key.text == VERSION_KEY.word), None)
        if version is not None:
            _check_version(version, report)
    return root


def _check_version(version: Node, report: Report) -> None:
    trial = Report(report.file, "")
    VERSION_KEY.kind.read(version, (VERSION_KEY.word,), trial)
    for problem in trial.problems.values():
        if problem.id == "unknown-version":
            # What else seems wrong in it may be right in that version.
            report.stop(problem.id, version, (VERSION_KEY.word,), problem.message, problem.hint)


def _named(name: str, report: Report) -> str:
    if is_scenario_name(name):
        return name
    message = f"the file's name, {name[:80]!r}, can't be the scenario's: expected {NAME_EXPECTED}"
    report.stop("wrong-value", Broken(1, 1), (), message, "add a line such as name: slow-queue")
