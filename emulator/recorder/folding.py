"""Several runs of one kind as one item: ranges where they took different times, choices where they ended otherwise."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median_low
from typing import Any, Final

import msgspec

from emulator.core.plan import Ramp
from emulator.core.units import SECOND, Duration
from emulator.core.words import OperationName
from emulator.recorder import writing
from emulator.recorder.draft import Draft, Mishap
from emulator.recorder.kinds import Kind, kind_of, match_of
from emulator.recorder.stretches import Json, Span, Stretch
from emulator.scenario_file.writing import Flow

_SHORTEST_GAP: Final[Duration] = SECOND
_MOST_RULES: Final = 200
_MOST_KINDS: Final = 50


class Folded(msgspec.Struct, frozen=True):
    """What a file says of all drafts."""

    items: tuple[Json, ...]
    rules: tuple[Flow, ...]
    left_out: int = 0
    """How many rules or kinds there was no room for."""


def folded(drafts: Sequence[Draft]) -> Folded:
    """The items and rules of a file."""
    made = [draft for draft in drafts if draft.told is not None and draft.id is None]
    kinds: dict[Kind, list[Draft]] = {}
    for draft in made:
        kinds.setdefault(kind_of(draft.request), []).append(draft)
    # What most creates asked for takes those too that ask for something else.
    order = sorted(kinds, key=lambda kind: len(kinds[kind]))
    existing = [draft for draft in drafts if draft.id is not None]
    items = [writing.life_of(draft) for draft in existing]
    rules: list[Flow] = list(_create_rules(drafts))
    for kind in order[-_MOST_KINDS:]:
        match = match_of(kind, order) if kind != order[-1] else {}
        items.append(_item(kinds[kind], match))
        rules += _rules(kinds[kind], {**match_of(kind, order), **_not(existing)})
    for draft in existing:
        rules += _rules([draft], {"id": draft.id} if len(existing) > 1 or made else {})
    left_out = max(0, len(order) - _MOST_KINDS) + max(0, len(rules) - _MOST_RULES)
    return Folded(tuple(items), tuple(rules[:_MOST_RULES]), left_out)


def _not(existing: Sequence[Draft]) -> Json:
    """What keeps a rule away from tasks that existed before."""
    return {"id": {"not": {"any_of": [draft.id for draft in existing]}}} if existing else {}


# Items


def _item(drafts: Sequence[Draft], match: Json) -> Json:
    item: Json = {"match": Flow(match)} if match else {}
    values = _shared(draft.values for draft in drafts)
    if values:
        item["values"] = Flow(values)
    if any(draft.patch != drafts[0].patch for draft in drafts):
        drafts = [_unshared(draft) for draft in drafts]
    sorts: dict[Any, list[Draft]] = {}
    for draft in drafts:
        sorts.setdefault(tuple(map(_kind, _chapters(draft))), []).append(draft)
    patch = drafts[0].patch
    if len(sorts) == 1:
        item["timeline"] = writing.timeline_of(_one(drafts))
    else:
        ordered = sorted(sorts.values(), key=len, reverse=True)
        item["choices"] = [_choice(number, same) for number, same in enumerate(ordered, 1)]
    return {**item, "patch": patch} if patch else item


def _unshared(draft: Draft) -> Draft:
    """The draft with its patch on each entry, since not all drafts of its kind have it."""
    if draft.told is None or draft.patch is None:
        return draft
    stretches = tuple(msgspec.structs.replace(one, patch=draft.patch) for one in draft.stretches)
    told = msgspec.structs.replace(draft.told, stretches=stretches)
    return msgspec.structs.replace(draft, told=told, patch=None)


def _choice(number: int, drafts: Sequence[Draft]) -> Json:
    last = drafts[0].stretches[-1]
    end = "stuck" if last.stuck else last.status.value
    return {
        "name": f"{number}: {end}",
        "weight": len(drafts),
        "timeline": writing.timeline_of(_one(drafts)),
    }


def _shared(mappings: Iterable[Mapping[str, Any]]) -> Json:
    """What all of them say alike."""
    first, *others = mappings
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _chapters(draft: Draft) -> list[list[Stretch]]:
    """The stretches, together where they differ in progress alone."""
    chapters: list[list[Stretch]] = []
    for stretch in draft.stretches:
        if chapters and chapters[-1][0].kind == msgspec.structs.replace(stretch, stuck=False).kind:
            chapters[-1].append(stretch)
        else:
            chapters.append([stretch])
    return chapters


def _kind(chapter: Sequence[Stretch]) -> tuple[Any, ...]:
    return msgspec.structs.replace(chapter[0], stuck=chapter[-1].stuck).kind


def _one(drafts: Sequence[Draft]) -> list[Stretch]:
    """One timeline for runs that went through the same."""
    if len(drafts) == 1:
        return list(drafts[0].stretches)
    gap = gap_of(drafts)
    model = sorted(drafts, key=_total)[(len(drafts) - 1) // 2]
    told = [_chapters(draft) for draft in drafts]
    chapters = _chapters(model)
    return [
        stretch
        for number, chapter in enumerate(chapters)
        for stretch in _chapter(chapter, [other[number] for other in told], gap)
    ]


def _chapter(model: Sequence[Stretch], others: Sequence[Sequence[Stretch]], gap: Duration) -> list[Stretch]:
    """One chapter; where progress went in steps, they are those of the model, each with its share of the time."""
    whole = _span([sum(_stay(one) for one in other) for other in others], gap)
    own = sum(_stay(one) for one in model) or 1
    found = []
    for stretch in model:
        if stretch.stays is None:
            found.append(_with_life(stretch, [other[-1] for other in others], gap))
            continue
        low, high = (_tidy(edge * _stay(stretch) // own) for edge in whole)
        progress = _progress(stretch, others) if len(model) == 1 else stretch.progress
        one = msgspec.structs.replace(stretch, stays=(max(low, 1), max(high, 1)), progress=progress)
        found.append(_with_life(one, [other[-1] for other in others], gap))
    return found


def _tidy(duration: Duration) -> Duration:
    unit = next((unit for unit in (100_000, 10_000, 1000) if duration >= 100 * unit), 1)
    return round(duration / unit) * unit


def _stay(stretch: Stretch) -> Duration:
    return 0 if stretch.stays is None else stretch.stays[0]


def _total(draft: Draft) -> Duration:
    return sum(_stay(stretch) for stretch in draft.stretches)


def _span(durations: Sequence[Duration], gap: Duration) -> Span:
    """From the shortest to the longest; what polls couldn't tell apart is one: the one in the middle."""
    low, high = min(durations), max(durations)
    if high - low > gap:
        return low, high
    middle = median_low(durations)
    return middle, middle


def _progress(model: Stretch, others: Sequence[Sequence[Stretch]]) -> int | Ramp | None:
    told = [ramp for other in others if len(other) == 1 and isinstance(ramp := other[0].progress, Ramp)]
    if not isinstance(model.progress, Ramp) or len(told) < len(others):
        return model.progress
    start, end = median_low(ramp.start for ramp in told), median_low(ramp.end for ramp in told)
    return Ramp(start, max(start, end))


def _with_life(model: Stretch, others: Sequence[Stretch], gap: Duration) -> Stretch:
    lives = [
        other.video.expires_in[0] for other in others if other.video and other.video.expires_in is not None
    ]
    if model.video is None or model.video.expires_in is None or len(lives) < len(others):
        return model
    video = msgspec.structs.replace(model.video, expires_in=_span(lives, max(gap, 2 * SECOND)))
    return msgspec.structs.replace(model, video=video)


def gap_of(drafts: Sequence[Draft]) -> Duration:
    """How far apart polls of one task usually were."""
    gaps = [
        later.at - earlier.at
        for draft in drafts
        for earlier, later in zip(draft.run.looks, draft.run.looks[1:], strict=False)
    ]
    return max(_SHORTEST_GAP, median_low(gaps)) if gaps else _SHORTEST_GAP


# Rules


def _create_rules(drafts: Sequence[Draft]) -> list[Flow]:
    """Those of creates, which the language counts all together."""
    creates = [one for draft in drafts for one in draft.mishaps if one.operation is OperationName.CREATE]
    patches = {repr(one.told): one for one in creates if one.is_patch}
    rules = [Flow({"operation": "create", **one.told}) for one in patches.values()]
    told = [(one.place, one) for one in creates if not one.is_patch]
    return [*rules, *_grouped(told, lambda _: {})]


def _rules(drafts: Sequence[Draft], match: Json) -> list[Flow]:
    """Those of calls on tasks: certain where all runs had them, else as likely as they were."""
    counts: dict[tuple[OperationName, int, str], int] = {}
    for draft in drafts:
        for one in draft.mishaps:
            if one.operation is not OperationName.CREATE:
                place = (one.operation, one.call, repr(one.told))
                counts[place] = counts.get(place, 0) + 1
    met: dict[tuple[OperationName, int, str], Mishap] = {}
    for draft in drafts:
        for one in draft.mishaps:
            met.setdefault((one.operation, one.call, repr(one.told)), one)
    told = [(one.call, one) for place, one in met.items() if place in counts]

    def beside(one: Mishap) -> Json:
        count = counts[one.operation, one.call, repr(one.told)]
        share = {} if count == len(drafts) else {"probability": f"{_percent(count, len(drafts))}%"}
        return {**({"match": match} if match else {}), **share}

    return _grouped(told, beside)


def _percent(count: int, of: int) -> int | float:
    exact = round(100 * count / of, 1)
    return int(exact) if exact == int(exact) else exact


def _grouped(told: Sequence[tuple[int, Mishap]], beside: Callable[[Mishap], Json]) -> list[Flow]:
    """Rules, one for all calls that had the same."""
    groups: dict[str, tuple[Mishap, Json, list[int]]] = {}
    for call, one in told:
        more = beside(one)
        key = repr((one.operation, one.told, more))
        groups.setdefault(key, (one, more, []))[2].append(call)
    return [
        Flow({"operation": one.operation.value, "calls": spans(calls), **more, **one.told})
        for one, more, calls in groups.values()
    ]


def spans(calls: Iterable[int]) -> int | str | list[int | str]:
    """Call numbers as a file says them: ``3``, ``3-4``, ``[2, 6]``."""
    found: list[list[int]] = []
    for call in sorted(set(calls)):
        if found and call == found[-1][1] + 1:
            found[-1][1] = call
        else:
            found.append([call, call])
    told: list[int | str] = [low if low == high else f"{low}-{high}" for low, high in found]
    return told[0] if len(told) == 1 else told
