"""The whole story: asked of the control API in a few calls, wherever the emulator is."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec

from emulator.client.calls import Sender
from emulator.client.errors import EmulatorError, NotFound
from emulator.client.namespaces import Namespaces
from emulator.client.requests import Requests
from emulator.client.scenarios import Scenarios
from emulator.client.tasks import Tasks
from emulator.core.units import parse_instant
from emulator.embedded.story import replay, requests, timeline
from emulator.embedded.story.words import fitted, length, moment
from emulator.messages.namespaces import NamespaceState
from emulator.messages.report import Basis
from emulator.messages.requests import Entry, RequestList
from emulator.messages.scenarios import ScenarioText
from emulator.messages.tasks import TaskDetail

_LOOKED_AT: Final = 200
"""How many requests are looked at: each costs the emulator a tenth of a millisecond."""
_LOOKED_AT_OFTEN: Final = 12
"""The same where Hypothesis asks for each example that fails, and shrinks them to a few requests."""
_REQUESTS: Final = 6
_TASKS: Final = 3
_ENTRIES: Final = {1: 7, 2: 4, 3: 2}
"""How many entries of a timeline are told, by how many tasks are."""
_DOCUMENTED: Final = "documented"


class World(Protocol):
    """What a story is about: an `Emulator`."""

    namespaces: Namespaces[Sender]
    scenarios: Scenarios[Sender]
    requests: Requests[Sender]
    tasks: Tasks[Sender]
    _basis: Basis | None
    """What its clients sleep by, as far as `fast_forward` has told."""

    @property
    def name(self) -> str:
        """The namespace's."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a namespace."""

    told: str
    """In a few lines, less how to see it again."""
    replay: str
    """The command that serves the same, and what it needs."""
    scenario: str
    """The one in force."""
    yaml: str | None
    """Its text, where it was given to the namespace alone; others are found by their names."""
    seed: int | str
    """The one that counts: the scenario's own, else the namespace's."""
    profile: str
    """The one that counts, likewise."""
    clock: tuple[str, ...]
    """What tells `serve` of its clock."""

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.told}\n{self.replay}"

    def command(self, file: str) -> str:
        """The command that serves the same with a file that holds the scenario, its seed and its profile."""
        return replay.command(file, self.clock)


def story(emulator: World) -> Story:
    """What happened in the namespace so far.

    Raises:
        EmulatorError: the emulator is gone, or the namespace is.
    """
    state = emulator.namespaces.get(emulator.name)  # which makes none, in place of one that is gone
    page = emulator.requests.list(order="newest", limit=_LOOKED_AT_OFTEN if _is_example() else _LOOKED_AT)
    found = _scenario(emulator, state)
    seen = page.requests[::-1]
    tasks = list(_tasks(emulator, page.requests))
    clock = replay.clock_of(state, is_slept=emulator._basis == "emulator")  # noqa: SLF001 - what fast_forward leaves
    yaml = _text_in_force(found)
    return Story(
        told="\n".join(_lines(state, found, tasks, page, seen)),
        replay="\n".join(replay.lines(state, found, yaml, clock=clock, shows_text=not _is_example())),
        scenario=state.scenario,
        yaml=yaml,
        seed=state.seed,
        profile=state.profile,
        clock=clock,
    )


def _is_example() -> bool:
    """Whether Hypothesis runs the test: it prints the scenario by itself, and asks again and again."""
    hypothesis: Any = sys.modules.get("hypothesis")
    return hypothesis is not None and bool(hypothesis.currently_in_test_context())


def _scenario(emulator: World, state: NamespaceState) -> ScenarioText | None:
    with suppress(NotFound):  # a file that is gone since
        return emulator.scenarios.get(state.scenario)
    return None


def _text_in_force(found: ScenarioText | None) -> str | None:
    """The text of a scenario that the namespace alone has, unless another one has replaced it since."""
    if found is None or found.origin != "posted" or found.version != found.active_version:
        return None
    return found.text


def _tasks(emulator: World, newest: Sequence[Entry]) -> Iterator[TaskDetail]:
    """The last tasks that clients touched, the one that they touched last at the end."""
    touched: dict[tuple[str, str | None], None] = {}
    for entry in newest:
        touched.update(dict.fromkeys((task.id, entry.provider) for task in entry.tasks if task.id))
        if len(touched) >= _TASKS:
            break
    for task_id, provider in reversed(list(touched)[:_TASKS]):
        with suppress(EmulatorError):  # given up since, or its id looks like a key and isn't shown
            yield emulator.tasks.get(task_id, provider=provider)


def _lines(
    state: NamespaceState,
    found: ScenarioText | None,
    tasks: Sequence[TaskDetail],
    page: RequestList,
    seen: Sequence[Entry],
) -> Iterator[str]:
    yield _head(state, found)
    now = parse_instant(state.clock.now)
    for task in tasks:
        yield from timeline.lines(task, seen, now, _ENTRIES[len(tasks)])
    if not seen:
        yield "no request came"
        return
    origin = tasks[0].created_at if len(tasks) == 1 else state.activated_at
    since = (
        "the task's creation" if len(tasks) == 1 else f"{moment(origin)}, when the scenario came into force"
    )
    yield from requests.lines(seen, page.total, parse_instant(origin), since, _REQUESTS)


def _head(state: NamespaceState, found: ScenarioText | None) -> str:
    clock, version = state.clock, found.active_version if found is not None else None
    begun = length(parse_instant(clock.now) - parse_instant(state.activated_at))
    mode = f"scaled {clock.scale:g}" if clock.mode == "scaled" else clock.mode
    profile = "" if state.profile == _DOCUMENTED else f", profile {state.profile}"
    told = f"scenario {version or state.scenario}{profile}, seed {fitted(str(state.seed), 30)}"
    return fitted(f"{told}, clock {mode}, {begun} after the start: {moment(clock.now)}")
