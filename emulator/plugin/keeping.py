"""Scenarios that a test made up, kept as files when it failed."""

import re
from collections.abc import Iterator
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Final

import msgspec

from emulator.core.errors import ScenarioError
from emulator.embedded.story import Story
from emulator.embedded.story.scenario_text import settled
from emulator.embedded.story.words import fitted
from emulator.scenario_file import load_text

_LONGEST_STEM: Final = 44
"""What is added to it where two tests would share a name leaves it within what a scenario may be called."""
_LONGEST_REASON: Final = 200
_MARK: Final = "# Kept by video-emulator: "
"""What the first line of each kept file begins with."""
_SAYS: Final = " failed under it"


class Failure(msgspec.Struct, frozen=True):
    """What happened in a world, and the failure that ended it."""

    story: Story
    problem: BaseException


def kept(folder: Path, node: str, failure: Failure, number: int = 1) -> Path:
    """The file that the scenario was written to: the same one each time the test fails.

    A file that tells of no failure of this test is left as it is, whoever it is of.

    Args:
        folder: where to; made if need be.
        node: the test, as pytest names it.
        failure: what happened to it; its story has a text.
        number: which of the test's failures this is, from 1.

    Raises:
        OSError: the folder can't be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    test = fitted(node, 500) if number == 1 else f"{fitted(node, 500)} ({number})"
    for stem in _stems(node, number):
        path = folder / f"{stem}.yaml"
        text = _text(stem, test, failure)
        if _written(path, text, test):
            return path
    raise AssertionError("there is always another name")


def _stems(node: str, number: int) -> Iterator[str]:
    """What the file may be called: what reads best comes first."""
    name = node.rpartition("::")[2] if "[" not in node else node[: node.index("[")].rpartition("::")[2]
    argument = node[node.index("[") :] if "[" in node else ""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", f"{name}{argument}").strip("-")[:_LONGEST_STEM].strip("-") or "test"
    behind = "" if number == 1 else f"-{number}"
    yield f"{plain}{behind}"
    digest = blake2b(node.encode("utf-8", "replace"), digest_size=3).hexdigest()
    yield f"{plain}-{digest}{behind}"
    for further in count(2):
        yield f"{plain}-{digest}{behind}-{further}"


def _written(path: Path, text: str, test: str) -> bool:
    """Whether the file is ours to write; then it is written."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        if not path.is_file() or not _is_of(path, test):
            return False
        path.write_text(text, encoding="utf-8", newline="\n")
    return True


def _is_of(path: Path, test: str) -> bool:
    """Whether an earlier failure of the same test wrote it."""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().startswith(f"{_MARK}{test}{_SAYS}")


def _text(stem: str, test: str, failure: Failure) -> str:
    """The file: who failed under it, and the scenario with what its text doesn't say."""
    told = failure.story
    facts = {} if told.seed == 0 else {"seed": told.seed}
    if told.profile != "documented":
        facts["profile"] = told.profile
    plain = _without_head(told.yaml or "")
    tries = (settled(plain, name, facts) for name in (stem, None))
    text = next((one for one in tries if _is_good(one, stem)), plain)
    return f"{_MARK}{test}{_SAYS}{_reason(failure.problem)}\n{text.rstrip()}\n"


def _is_good(text: str, stem: str) -> bool:
    try:
        load_text(text, stem)
    except ScenarioError:
        return False
    return True


def _without_head(text: str) -> str:
    """The text of a file that was kept before, without what it said of that failure."""
    return text.partition("\n")[2] if text.startswith(_MARK) else text


def _reason(problem: BaseException) -> str:
    words = " ".join(str(problem).split("\n", 1)[:1])
    return f": {type(problem).__name__}: {fitted(words, _LONGEST_REASON)}".rstrip(": ")
