"""Which of a namespace's tasks a listing shows, and from which task another is made."""

from collections.abc import Iterator
from itertools import dropwhile, islice

from emulator.core.call import Listing
from emulator.core.task import Task
from emulator.core.units import Instant
from emulator.engine import Namespace
from emulator.providers.base import Operation, Provider


def page_of(namespace: Namespace, provider: Provider, call: Listing, now: Instant) -> tuple[list[Task], bool]:
    """The page of the provider's tasks that a listing asks for, and whether others follow it."""
    behind = _ordered(namespace, provider, call, now)
    if call.after is not None:
        behind = islice(dropwhile(lambda task: task.id != call.after, behind), 1, None)
    page = list(islice(behind, call.offset, call.offset + call.limit + 1))
    # A page of nothing is the last one: a client that asks for the next would ask for ever.
    return page[: call.limit], call.limit > 0 and len(page) > call.limit


def _ordered(namespace: Namespace, provider: Provider, call: Listing, now: Instant) -> Iterator[Task]:
    """The tasks that there are by now, by their creation; of one instant, in the order in which they came."""
    lowest = call.created_from if call.created_from is not None else 0
    highest = min(now, call.created_to) if call.created_to is not None else now
    newest_first = namespace.store.newest_first(provider.name)
    fitting = [task for task in newest_first if lowest <= task.created_at <= highest]
    fitting.sort(
        key=_created_at, reverse=True
    )  # nearly sorted already: only a scenario's tasks come from the past
    return reversed(fitting) if call.oldest_first else iter(fitting)


def _created_at(task: Task) -> Instant:
    return task.created_at


def source_of(
    namespace: Namespace, provider: Provider, operation: Operation, name: str, now: Instant
) -> Task | None:
    """The task from which a create makes another: by its id, or by the name that the operation knows it by."""
    task = namespace.find(provider, name, now)
    goes_by = operation.goes_by
    if task is not None or goes_by is None:
        return task
    there = (task for task in namespace.store.newest_first(provider.name) if task.created_at <= now)
    # An index of the names of a million videos would be dear, and few clients ask.
    return next((task for task in there if goes_by(task, name)), None)
