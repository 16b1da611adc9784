"""Doubts about patches: keys that no provider prints, results that appear before the end, lists."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
import orjson

from emulator.core.effects import Failure
from emulator.core.plan import Entry, plan_of
from emulator.core.rules import Rule
from emulator.core.scenario import Item, Scenario
from emulator.core.seeded import ENTROPY_SIZE
from emulator.core.task import Task, link_dies_at, state_at
from emulator.core.units import parse_instant
from emulator.core.words import TERMINAL, ErrorName, OperationName, Profile, Status
from emulator.providers import by_name
from emulator.providers.base import Provider, View
from emulator.scenario_file.nodes import Node, timeline_path
from emulator.scenario_file.report import Path

Doubt = tuple[str, Path, str, str | None]
_SAMPLE_INSTANT: Final = parse_instant("2026-01-01T00:00:00Z")
_THE_CLIENTS_OWN: Final = "request"
"""Under this key AceData prints what the client sent, whatever that is."""


class _Patch(msgspec.Struct, frozen=True):
    """One patch of the file, and what it can meet."""

    value: Any
    path: Path
    statuses: frozenset[Status]
    providers: tuple[str, ...]


def doubts_about_patches(scenario: Scenario, root: Node) -> Iterator[Doubt]:
    """What is doubtful about the patches of tasks, entries and rules."""
    for patch in _patches(scenario, root):
        prints = [_printed(name, scenario.profile or Profile.DOCUMENTED) for name in patch.providers]
        yield from _about_lists(patch.value, patch.path)
        yield from _about_keys(patch, patch.value, patch.path, [dict(p) for p in prints])
        yield from _about_results(patch, prints)


def _patches(scenario: Scenario, root: Node) -> Iterator[_Patch]:
    everyone = scenario.providers or tuple(by_name)
    for number, item in enumerate(scenario.items):
        yield from _patches_of(item, ("tasks", number), item.providers or everyone, root)
    for number, rule in enumerate(scenario.rules):
        if rule.patch is not None and _meets_polls(rule):
            statuses = frozenset(rule.during or Status)
            providers = rule.conditions.providers or everyone
            yield _Patch(rule.patch, ("rules", number, "patch"), statuses, providers)


def _meets_polls(rule: Rule) -> bool:
    return not rule.conditions.operations or OperationName.POLL in rule.conditions.operations


def _patches_of(item: Item, path: Path, providers: tuple[str, ...], root: Node) -> Iterator[_Patch]:
    if item.patch is not None:
        statuses = frozenset(entry.status for choice in item.choices for entry in choice.entries)
        yield _Patch(item.patch, (*path, "patch"), statuses, providers)
    for index, choice in enumerate(item.choices):
        timeline = timeline_path(root, path, index)
        for number, entry in enumerate(choice.entries):
            if entry.patch is not None:
                own = (*timeline, number, "patch")
                yield _Patch(entry.patch, own, frozenset((entry.status,)), providers)


def _about_lists(value: Any, path: Path) -> Iterator[Doubt]:
    for key, child in value.items():
        if isinstance(child, list):
            message = "a list in a patch replaces the whole list"
            yield "patch-array", (*path, key), message, "write all its items"
        elif isinstance(child, dict):
            yield from _about_lists(child, (*path, key))


def _about_keys(patch: _Patch, value: Any, path: Path, prints: list[dict[Status, Any]]) -> Iterator[Doubt]:
    known = [body for printed in prints for body in printed.values() if isinstance(body, dict)]
    if not known:
        return
    for key, child in value.items():
        if not any(key in body for body in known):
            who = f"{' and '.join(patch.providers)} never print{'s' if len(patch.providers) == 1 else ''}"
            hint = "a made-up key tests that clients ignore it; a known one may be misspelt"
            yield "patch-unknown-key", (*path, key), f"{who} {key!r} there", hint
        elif isinstance(child, dict) and key != _THE_CLIENTS_OWN:
            inner = [
                {status: body.get(key) for status, body in p.items() if isinstance(body, dict)}
                for p in prints
            ]
            yield from _about_keys(patch, child, (*path, key), inner)


def _about_results(patch: _Patch, prints: list[Mapping[Status, Any]]) -> Iterator[Doubt]:
    early = sorted(patch.statuses - TERMINAL)
    for key, value in patch.value.items():
        for printed in prints:
            end = printed[Status.COMPLETED].get(key)
            status = next((s for s in early if _is_result(value, end, printed[s].get(key))), None)
            if status is not None:
                message = f"with {key!r} patched so, a task that is {status} looks as if it had ended"
                yield "patch-early-result", (*patch.path, key), message, "patch the completed entry alone"
                break


def _is_result(value: Any, at_end: Any, before: Any) -> bool:
    """Whether a patch brings in what only the end brings: a text or an object that wasn't there, or the end's word."""
    if not value or not at_end or not isinstance(at_end, str | dict):
        return False
    return not before or (value == at_end and value != before)


@lru_cache(maxsize=16)
def _printed(name: str, profile: Profile) -> Mapping[Status, Any]:
    """What a provider's poll prints of a sample task in each status."""
    provider = by_name[name]
    return {status: _sample(provider, profile, status) for status in Status}


def _sample(provider: Provider, profile: Profile, status: Status) -> Any:
    failure = Failure(name=ErrorName.INTERNAL) if status is Status.FAILED else None
    entry = Entry(status=status, failure=failure)
    entropy = bytes(ENTROPY_SIZE)
    account = provider.account(bytes(16))
    request = provider.example_request
    task = Task(
        provider=provider.name,
        id=provider.new_id(entropy, _SAMPLE_INSTANT, account),
        created_at=_SAMPLE_INSTANT,
        entropy=entropy,
        plan=plan_of((entry,), scenario="sample", profile=profile),
        request=orjson.dumps(request),
        echo=provider.echo(request, entropy),
        origin="http://localhost",
    )
    snapshot = state_at(task, _SAMPLE_INSTANT)
    link = "http://localhost/sample.mp4" if status is Status.COMPLETED else None
    dies_at = link_dies_at(task, snapshot, _SAMPLE_INSTANT)
    poll = next(operation for operation in provider.operations if operation.name is OperationName.POLL)
    view = View(task, snapshot, _SAMPLE_INSTANT, profile, account, link, dies_at)
    return orjson.loads(orjson.dumps(poll.item(view)))
