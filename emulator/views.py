"""A task as its provider gets to print it: with its account, its link, and the words of its scenario filled in."""

from typing import Final

import msgspec
import orjson

from emulator import media
from emulator.core import template
from emulator.core.task import Snapshot, Task, link_dies_at
from emulator.core.units import Instant
from emulator.core.words import Profile, Status
from emulator.engine import Namespace
from emulator.exchanges import Request
from emulator.providers.base import Provider, Result, View
from emulator.replies import context_of_task

_KEPT_LINKS: Final = 4096


def view_of(
    namespace: Namespace,
    provider: Provider,
    task: Task,
    snapshot: Snapshot,
    now: Instant,
    request: Request,
    profile: Profile,
) -> View:
    """The task at an instant.

    Args:
        namespace: whose task it is.
        provider: likewise.
        task: which.
        snapshot: what it looks like.
        now: the instant.
        request: the one that is answered: its origin is where links lead whose task has none.
        profile: the provider's face, where the task's plan names none.
    """
    dies_at = link_dies_at(task, snapshot, now)
    link = None
    if snapshot.status is Status.COMPLETED:
        link = link_of(namespace, provider, request, task, snapshot, dies_at, now)
    account = namespace.identity(task.plan.seed).account(provider)
    failure = snapshot.entry.failure
    if failure is not None and isinstance(failure.message, str) and template.holds_any(failure.message):
        message = template.fill(failure.message, context_of_task(namespace, task, now))
        worded_failure = msgspec.structs.replace(failure, message=message)
        entry = msgspec.structs.replace(snapshot.entry, failure=worded_failure)
        snapshot = msgspec.structs.replace(snapshot, entry=entry)
    return View(task, snapshot, now, task.plan.profile or profile, account, link, dies_at)


def link_of(
    namespace: Namespace,
    provider: Provider,
    request: Request,
    task: Task,
    snapshot: Snapshot,
    dies_at: Instant,
    now: Instant,
) -> str | None:
    """The link to the result as a poll prints it, if it prints one."""
    video = snapshot.entry.video
    if video is not None and not video.has_link:
        return None
    if video is not None and video.url is not None:
        return str(template.fill(video.url, context_of_task(namespace, task, now)))
    origin = task.origin or request.origin
    size = None if video is None else video.size
    place = (provider.name, task.id, task.request, task.plan.seed, dies_at, origin, request.prefix, size)
    link = namespace.links.get(place)
    if link is None:
        if len(namespace.links) >= _KEPT_LINKS:
            namespace.links.clear()
        link = namespace.links[place] = _made_link(namespace, provider, request, task, snapshot, dies_at)
    return link


def _made_link(
    namespace: Namespace,
    provider: Provider,
    request: Request,
    task: Task,
    snapshot: Snapshot,
    dies_at: Instant,
) -> str:
    ended_at = snapshot.ended_at or task.created_at
    identity = namespace.identity(task.plan.seed)
    result = Result(task=task, account=identity.account(provider), ended_at=ended_at, dies_at=dies_at)
    clip, origin = provider.clip(orjson.loads(task.request)), task.origin or request.origin
    video = snapshot.entry.video
    size = None if video is None else video.size
    return media.link(provider, result, clip, origin, request.prefix, identity.key, size)
