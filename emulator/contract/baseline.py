"""Known drift: ids that a team has looked at and takes as they are, in a text file, one a line."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from emulator.contract.report import Report

_HEAD: Final = """\
# Known drift of {provider}: what stands here is told, and fails nothing.
# Written by: video-emulator contract {provider} --write-baseline FILE
"""


class Unreadable(ValueError):
    """The file can't be read. The text says why."""


def accepted_in(path: Path) -> frozenset[str]:
    """The ids in a file: every line but empty ones and those that begin with a ``#``.

    Raises:
        Unreadable: it can't be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Unreadable(f"{path}: expected UTF-8 text, one drift a line") from None
    except OSError as problem:
        raise Unreadable(f"{path} can't be read: {problem.strerror or problem}") from None
    lines = (line.strip() for line in text.splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))


def write(path: Path, report: Report, accepted: Iterable[str] = ()) -> int:
    """Write down every drift of a report, with those that were accepted before; how many there are.

    Raises:
        Unreadable: it can't be written there.
    """
    ids = sorted({drift.id for drift in report.drifts} | (set(accepted) - set(report.stale)))
    text = _HEAD.format(provider=report.provider) + "".join(f"{line}\n" for line in ids)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise Unreadable(f"{path} can't be written: {problem.strerror or problem}") from None
    return len(ids)
