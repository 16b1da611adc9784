"""What clients asked, what they were answered, and why."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from emulator.core.units import Instant, parse_instant
from emulator.embedded.story.words import counted, fitted, length, quoted, shortened, wrapped
from emulator.messages.requests import Entry, RuleFired

_PREFIX: Final = re.compile(r"^/ns/[^/]*")
"""Every request's path may begin so; whose world it was is no news."""
_PATH: Final = 42
_ID: Final = 30
_UNMATCHED: Final = 3
_WRAPPED: Final = 3
"""So many lines, the last ones, may take two where one is too short."""
"""How many earlier requests that no provider has are named."""


class _Alike(msgspec.Struct):
    """Requests that follow one another and differ in nothing but their time."""

    words: str
    is_matched: bool
    first: Entry
    last: Entry


def lines(requests: Sequence[Entry], total: int, origin: Instant, since: str, most: int) -> Iterator[str]:
    """The last requests, oldest first; those that are no operation of a provider's are marked with ``!``.

    Args:
        requests: the newest of the namespace's, oldest first.
        total: how many it has.
        origin: what times count from.
        since: the same in words.
        most: how many lines there are at most.
    """
    groups, rest = _grouped(requests, origin, most)
    number = len(requests) - rest
    shown = counted(total, "request") if number == total else f"the last {number:,} of {total:,} requests"
    yield fitted(f"{shown}, with the time since {since}:")
    yield from _strays(requests[:rest])
    numbers, times = [_numbers(one) for one in groups], [_times(one, origin) for one in groups]
    wide = max(map(len, numbers), default=0), max(map(len, times), default=0)
    for behind, one, number_of, time in zip(range(len(groups), 0, -1), groups, numbers, times, strict=True):
        told = f"{' ' if one.is_matched else '!'} {number_of:<{wide[0]}} {time:>{wide[1]}} {one.words}"
        yield from wrapped(told) if behind <= _WRAPPED else [fitted(told)]


def _strays(requests: Sequence[Entry]) -> Iterator[str]:
    """Earlier requests that are no operation of a provider's: none of these goes unseen."""
    strays = [request for request in requests if request.operation is None]
    if strays:
        named = ", ".join(map(_asked, strays[-_UNMATCHED:]))
        more = f", and {len(strays) - _UNMATCHED} more" if len(strays) > _UNMATCHED else ""
        yield fitted(f"! before these, no operation of any provider: {named}{more}")


def _grouped(requests: Sequence[Entry], origin: Instant, most: int) -> tuple[list[_Alike], int]:
    """The last groups, oldest first, and how many requests came before them."""
    groups: list[_Alike] = []
    for rest, request in zip(range(len(requests), 0, -1), reversed(requests), strict=True):
        words = f"{_asked(request)} {_answered(request, origin)}"
        if groups and groups[-1].words == words:
            groups[-1].first = request
        elif len(groups) == most:
            return groups[::-1], rest
        else:
            groups.append(_Alike(words, request.operation is not None, request, request))
    return groups[::-1], 0


def _numbers(one: _Alike) -> str:
    return f"#{one.first.number}" if one.first is one.last else f"#{one.first.number}-{one.last.number}"


def _times(one: _Alike, origin: Instant) -> str:
    first, last = (length(parse_instant(request.at) - origin) for request in (one.first, one.last))
    return first if first == last else f"{first}-{last}"


def _asked(request: Entry) -> str:
    path = _PREFIX.sub("", request.request.path)
    return f"{fitted(request.request.method, 12)} {shortened(path, _PATH)}"


def _answered(request: Entry, origin: Instant) -> str:
    error = "" if request.why.error is None else f" {request.why.error}"
    fault = "" if request.answer.fault is None else f" struck by {request.answer.fault}"
    return f"{request.answer.status_code}{error}{fault}: {reason(request, origin)}"


def reason(request: Entry, origin: Instant) -> str:
    """Why it was answered so, in words."""
    told = _BY_STAGE[request.why.stage](request, origin)
    added = [f"{_rule(rule)} adds {', '.join(rule.adds)}" for rule in request.why.rules if _only_adds(rule)]
    held = [] if request.delay == "0s" else [f"held back {request.delay}"]
    return "; ".join([told, *added, *held])


def _only_adds(rule: RuleFired) -> bool:
    return rule.effect in {None, "pass"} and bool(rule.adds)


def _route(request: Entry, _origin: Instant) -> str:
    if request.provider is None:
        return "no provider has such a path"
    return f"{request.provider} has no such path, or not this method on it"


def _auth(request: Entry, _origin: Instant) -> str:
    refused = request.why.auth
    if refused is None:
        return "the request brings no good API key"
    return f"{refused.place} refuses the API key{quoted(refused.about)}"


def _limits(request: Entry, origin: Instant) -> str:
    reached = request.why.limit
    if reached is None:
        return "a limit"
    line = "" if (reached.line or 1) == 1 else f", line {reached.line}"
    window = "" if reached.window is None else f" in {reached.window}"
    room = (
        ""
        if reached.frees_at is None
        else f", room from {length(parse_instant(reached.frees_at) - origin)} on"
    )
    counts = f"{reached.count} of {reached.most} {reached.counted}{window} per {reached.per}{room}"
    return f"{reached.place}{line}: {counts}{quoted(reached.about)}"


def _rules(request: Entry, _origin: Instant) -> str:
    answering = [rule for rule in request.why.rules if rule.effect not in {None, "pass"}]
    if not answering:
        return "a rule"
    call = "" if request.why.call is None else f"call {request.why.call}: "
    return f"{call}{_rule(answering[-1])}"


def _rule(rule: RuleFired) -> str:
    line = "" if (rule.line or 1) == 1 else f", line {rule.line}"  # keys and values were sent as one line
    draw = "" if rule.draw is None else f", drawn {rule.draw.drawn:.2g} < {rule.draw.below:g}"
    return f"{rule.place or rule.id}{line}{draw}{quoted(rule.about)}"


def _validation(request: Entry, _origin: Instant) -> str:
    if request.unknown:
        return f"no task {shortened(request.unknown[0], _ID)}"
    return "the provider's own validation of the request"


def _timeline(request: Entry, _origin: Instant) -> str:
    if not request.tasks:
        return "no task fits"
    words = _made(request) if request.operation == "create" else _shown(request)
    others = len(request.tasks) - 1
    return f"{words}, and {others} more" if others else words


def _made(request: Entry) -> str:
    return f"makes task {shortened(request.tasks[0].id, _ID)}"


def _shown(request: Entry) -> str:
    """What a task was, and which entry says so."""
    task = request.tasks[0]
    entry = request.why.entry or task.entry
    if entry is None:
        return str(task.status or "the task")
    progress = f" {task.progress}%" if task.status == "processing" else ""
    place = "forced by hand" if entry.forced else entry.place or "the happy path"
    count = "" if entry.poll is None else f", poll {entry.poll} of {entry.polls}"
    named = "" if task.id in request.request.path else f"{shortened(task.id, _ID)} "
    return f"{named}{entry.status}{progress}, {place}{count}{quoted(entry.about)}"


def _link(request: Entry, origin: Instant) -> str:
    died_at = request.why.link_died_at
    if died_at is not None:
        return f"the link was dead from {length(parse_instant(died_at) - origin)} on"
    return "the link is good" if request.answer.status_code < 400 else "nobody here signed this link"


_BY_STAGE: Final[dict[str, Callable[[Entry, Instant], str]]] = {
    "route": _route,
    "auth": _auth,
    "limits": _limits,
    "rules": _rules,
    "validation": _validation,
    "timeline": _timeline,
    "link": _link,
}
