"""What the report of a failed test tells besides."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from emulator.client.errors import EmulatorError
from emulator.embedded.story import Story, story
from emulator.plugin.keeping import Failure, kept
from emulator.plugin.session import session_of
from emulator.plugin.settings import PREFIX

_TITLE: Final = "video-emulator"
_RETOLD: Final = ("url", "scenarios", "profile", "patience", "fail_on")
"""Options with a value that a second run needs, too. What the configuration file says, it says again."""


def tell(item: pytest.Item, problem: BaseException, report: pytest.TestReport) -> None:
    """Add what had happened to the report, and keep the scenario where that was asked for."""
    own = _story_of(getattr(item, "funcargs", {}).get("video_emulator"))
    failures = [] if own is None else [Failure(own, problem)]
    failures += [Failure(found, one) for one in _leaves(problem) if (found := _carried(one))]
    if not failures:
        return
    lines = [] if own is None else [own.told]  # what an exception carries is told by its note
    lines.append(_replay(item, failures[0].story))
    lines += _kept(item, failures)
    report.sections.append((_TITLE, "\n".join(lines)))


def _story_of(world: Any) -> Story | None:
    """What happened in the fixture's world; ``None``: there is none, or nobody knows any more."""
    if world is None:
        return None
    try:
        return story(world)
    except EmulatorError:
        return None


def _carried(problem: BaseException) -> Story | None:
    """What an exception brings along from the ``with Emulator()`` that it left."""
    found = getattr(problem, "video_emulator", None)
    return found if isinstance(found, Story) else None


def _leaves(problem: BaseException) -> Iterator[BaseException]:
    """The failures themselves: Hypothesis raises several as one."""
    if isinstance(problem, BaseExceptionGroup) and _carried(problem) is None:
        for one in problem.exceptions:
            yield from _leaves(one)
    else:
        yield problem


# How to see it again


def _replay(item: pytest.Item, told: Story) -> str:
    node = _node(item)
    quoted = shlex.quote(node) if "'" in node else f"'{node}'"
    return f"replay: pytest {quoted} {' '.join([_option('seed', told.seed), *_options(item.config)])}"


def _node(item: pytest.Item) -> str:
    """The test as a command line names it: node ids begin at the root folder, a command where one is."""
    config = item.config
    if config.invocation_params.dir == config.rootpath:
        return item.nodeid
    file, _, name = item.nodeid.partition("::")
    return f"{os.path.relpath(config.rootpath / file, config.invocation_params.dir)}::{name}"


def _options(config: pytest.Config) -> Iterator[str]:
    """The options of ours that the command line has, in the form that it has them; the token is nobody's business."""
    for name in _RETOLD:
        value = config.getoption(f"{PREFIX}{name}")
        if value:
            yield _option(name, value)
    if config.getoption(f"{PREFIX}no_socket"):
        yield "--video-emulator-no-socket"
    if config.getoption(f"{PREFIX}admin_token"):
        yield "--video-emulator-admin-token TOKEN"


def _option(name: str, value: object) -> str:
    sign = "=" if str(value).startswith("-") else " "
    return f"--video-emulator-{name.replace('_', '-')}{sign}{shlex.quote(str(value))}"


# The scenarios


def _kept(item: pytest.Item, failures: list[Failure]) -> Iterator[str]:
    """What became of the scenarios that the test made up."""
    folder = session_of(item.config).settings.save_failures
    made_up = [failure for failure in failures if failure.story.yaml is not None]
    for number, failure in enumerate(made_up if folder is not None else (), 1):
        assert folder is not None
        try:
            path = kept(folder, item.nodeid, failure, number)
        except OSError as refusal:
            yield f"the scenario can't be kept in {folder}: {refusal.strerror or refusal}"
            return
        shown = _from_here(path, item.config)
        yield f"kept: {shown}"
        yield f"serve it: {failure.story.command(str(shown))}"


def _from_here(path: Path, config: pytest.Config) -> Path:
    """The path as whoever runs pytest would write it."""
    here = config.invocation_params.dir
    return path.relative_to(here) if path.is_relative_to(here) else path
