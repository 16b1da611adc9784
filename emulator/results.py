"""The results of tasks: by the provider's content route, and by the links that it prints."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import orjson

from emulator import media
from emulator.core.call import Content, Refusal, Variant
from emulator.core.effects import Failure, Respond
from emulator.core.task import link_dies_at, state_at
from emulator.core.words import ErrorName, OperationName, Situation, Status
from emulator.engine import Exchange, Namespace, refusal_of
from emulator.exchanges import Reply, Request
from emulator.gates import count_unanswered, is_over_limit, over_limit, ruled, stopped, strangers_in, struck
from emulator.providers.base import Clip
from emulator.replies import (
    Road,
    raw,
    refused,
    reply_with,
    scene_of,
    worded,
)
from emulator.views import link_of

_WRITTEN_AS_IS: Final = "%:/?#[]@!$&'()*+,;=~"
"""What RFC 3986 lets a URL hold besides letters, digits and ``-._``: an escape's own ``%`` too."""


def content(road: Road, call: Content, invalid: Refusal | None) -> Reply:
    """The result of a task, by the provider\'s own route."""
    exchange = road.exchange
    task = road.namespace.find(exchange.provider, call.id, exchange.now)
    road.strangers = strangers_in((call.id,), () if task is None else (call.id,))
    profile = exchange.profile if task is None or task.plan.profile is None else task.plan.profile
    variant = exchange.provider.variant(call.variant, profile)
    if invalid is None and isinstance(variant, Refusal):
        invalid = variant
    answer = stopped(road, [] if task is None else [task], call.id, invalid)
    if answer is not None:
        return answer
    if task is None or isinstance(variant, Refusal):
        return refused(road, Refusal(ErrorName.NOT_FOUND))
    road.stage = "timeline"
    snapshot = road.snapshot = state_at(task, exchange.now)
    if snapshot.status is not Status.COMPLETED:
        return refused(road, Refusal(Situation.NOT_READY))
    dies_at = link_dies_at(task, snapshot, exchange.now)
    if dies_at <= exchange.now:
        road.stage, road.expired, road.died_at = "link", True, dies_at
        return refused(road, Refusal(Situation.MEDIA_GONE))
    video = snapshot.entry.video
    link = link_of(road.namespace, exchange.provider, road.request, task, snapshot, dies_at, exchange.now)
    redirects = video is not None and video.content == "redirect" and variant == "video"
    if link is not None and redirects:
        # A literal link may hold anything; a header may not.
        return reply_with(road, 302, b"", [(b"location", quote(link, safe=_WRITTEN_AS_IS).encode())])
    size = None if video is None else video.size
    headers = list(exchange.provider.content_headers)
    return _streamed(road, exchange.provider.clip(orjson.loads(task.request)), size, variant, headers)


def _streamed(
    road: Road,
    clip: Clip,
    size: int | None,
    variant: Variant = "video",
    headers: Sequence[tuple[bytes, bytes]] = (),
) -> Reply:
    reply = reply_with(road, 200, b"", list(headers))
    reply.clip, reply.clip_size, reply.variant = clip, size, variant
    return reply


def download(namespace: Namespace, request: Request, claim: media.Claim) -> Reply:
    """The reply to a request for a link of ours: the video, or what the storage behind the links says."""
    now = namespace.clock.now()
    provider = claim.provider
    task = namespace.find(provider, claim.task_id, now)
    activation = namespace.in_force(provider)
    exchange = Exchange(
        provider, OperationName.DOWNLOAD, "", request.headers, request.origin, now, activation
    )
    road = Road(namespace=namespace, request=request, operation=provider.operations[0], exchange=exchange)
    road.stage, road.strangers = "link", strangers_in((claim.task_id,), () if task is None else (task.id,))
    if not namespace.signed(claim):
        return worded(road, provider.storage_refusal(False, scene_of(road)))
    road.tasks = [] if task is None else [task]
    road.task = task
    if is_over_limit(road, {}, claim.task_id):
        count_unanswered(road, road.tasks)
        return over_limit(road)
    if task is not None:
        answer = ruled(road, [task], claim.task_id)
        if answer is not None:
            return answer
        road.snapshot = state_at(task, now)
    road.stage = "link"
    if claim.is_dead(now):
        road.expired, road.died_at = True, claim.dies_at
        return struck(_dead(road))
    return struck(_streamed(road, claim.clip, claim.size))


def _dead(road: Road) -> Reply:
    """What a link that has died answers: the storage's own words, unless the scenario has others."""
    video = road.snapshot.entry.video if road.snapshot else None
    expired = video.expired if video else None
    if isinstance(expired, Failure):
        return refused(road, refusal_of(expired))
    if isinstance(expired, Respond):
        return raw(road, expired)
    road.error = Situation.MEDIA_GONE
    return worded(road, road.exchange.provider.storage_refusal(True, scene_of(road)))
