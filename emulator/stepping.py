"""Tasks by hand: made in any status, and stepped from outside their timeline. All instants are the clock's."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from emulator.activation import Activation
from emulator.core import seeded
from emulator.core.effects import Failure
from emulator.core.making import made
from emulator.core.rules import Occasion, match_holds
from emulator.core.scenario import takes
from emulator.core.steps import StepRefused, advanced, forced
from emulator.core.task import Task, state_at
from emulator.core.units import Instant
from emulator.core.words import OperationName, Status
from emulator.engine import Namespace, called_back, new_task
from emulator.providers.base import Provider

MAX_STEPS: Final = 10_000
"""How often one task can be stepped: each step is kept with it."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A task that shall be made."""

    provider: Provider
    id: str | None = None
    """``None``: one as the provider would choose it."""
    created_at: Instant | None = None
    """``None``: now."""
    request: Mapping[str, Any] | None = None
    """``None``: the provider's example."""
    values: Mapping[str, Any] = {}
    """What the provider would have chosen; they go before the scenario's."""
    scenario: str | None = None
    """The name of a scenario that there is; ``None``: the one in force."""
    status: Status | None = None
    """What it has been in since its creation; ``None``: whatever its timeline says."""
    progress: int | None = None
    failure: Failure | None = None


class Taken(Exception):
    """The provider has a task of this id already; the text says so."""


def make(namespace: Namespace, wanted: Wanted) -> Task:
    """A new task. No count of creates takes notice of it, so it shifts no draw of another's.

    Raises:
        Taken: there is a task of its id, or its scenario brings one along; nothing has changed.
    """
    provider, now = wanted.provider, namespace.clock.now()
    _refuse_taken(namespace, wanted)
    named = None if wanted.scenario is None else namespace.activation_named(wanted.scenario)
    activation = namespace.in_force(provider, named)
    request = provider.example_request if wanted.request is None else wanted.request
    created_at = now if wanted.created_at is None else wanted.created_at
    entropy = _entropy(namespace, wanted)
    plan = activation.plan_for(_item(activation, wanted, request, entropy), entropy)
    if wanted.values:
        plan = msgspec.structs.replace(plan, values={**plan.values, **wanted.values})
    account = namespace.identity(plan.seed).account(provider)
    task_id = wanted.id or provider.new_id(entropy, created_at, account)
    task = new_task(provider, task_id, created_at, entropy, plan, request, "")
    if wanted.status is not None:
        task = made(task, now, wanted.status, wanted.progress, wanted.failure)
    return namespace.add(provider, called_back(task, provider, wanted.request or {}, now))


def _refuse_taken(namespace: Namespace, wanted: Wanted) -> None:
    task_id, provider = wanted.id, wanted.provider
    if task_id is None:
        return
    is_known = namespace.store.get(provider.name, task_id) is not None
    if is_known or (wanted.scenario and namespace.brings_along(wanted.scenario, provider, task_id)):
        raise Taken(f"{provider.name} has a task {task_id!r} already; choose another id, or leave it out")


def _entropy(namespace: Namespace, wanted: Wanted) -> bytes:
    if wanted.id is None:
        namespace.made += 1
    key = seeded.key_of("made", wanted.provider.name, wanted.id or "")
    return seeded.task_entropy(namespace.key, key, namespace.made if wanted.id is None else 0)


def _item(activation: Activation, wanted: Wanted, request: Mapping[str, Any], entropy: bytes) -> int:
    """The task item that takes it: the first that fits and doesn't wait for a certain one of the clients' creates."""
    name = wanted.provider.name
    occasion = Occasion(OperationName.CREATE, name, wanted.id, None, {}, lambda: request, entropy)
    for number, item in enumerate(activation.scenario.items):
        is_open = item.id is None and not item.calls and takes(item, name)
        if is_open and match_holds(item.match, occasion):
            return number
    return -1


def advance(namespace: Namespace, task: Task) -> Task:
    """The task with its present entry ended now.

    Raises:
        StepRefused: it can't be; nothing has changed.
    """
    now = namespace.clock.now()
    return _kept(namespace, task, advanced(task, now), now)


def force(
    namespace: Namespace,
    task: Task,
    status: Status | None,
    progress: int | None = None,
    failure: Failure | None = None,
) -> Task:
    """The task put into a status now (``None``: it stays in the one that it has); see `emulator.core.steps.forced`.

    Raises:
        StepRefused: it can't be; nothing has changed.
    """
    now = namespace.clock.now()
    status = status or state_at(task, now).status
    return _kept(namespace, task, forced(task, now, status, progress, failure), now)


def _kept(namespace: Namespace, task: Task, stepped: Task, now: Instant) -> Task:
    if len(stepped.steps) > MAX_STEPS:
        raise StepRefused(
            f"task {task.id} was stepped {MAX_STEPS:,} times, as often as one can be; "
            f"a new task can be made with POST /__admin/tasks"
        )
    return namespace.renew(stepped, state_at(task, now), now)
