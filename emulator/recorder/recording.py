"""From what was seen to the text of a scenario, with what is to be known of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from emulator.core.errors import Problem
from emulator.core.words import OperationName, Profile
from emulator.providers.base import Provider
from emulator.recorder import folding, latency, writing
from emulator.recorder.disguise import Disguise
from emulator.recorder.draft import Draft, Mishap
from emulator.recorder.drafts import Drafter
from emulator.recorder.folding import Folded
from emulator.recorder.reading import Read, Reader
from emulator.recorder.runs import Sorted, sorted_runs
from emulator.recorder.seen import Seen
from emulator.scenario_file import load_text
from emulator.scenario_file.writing import Flow

_TRIED: Final = 5
"""So many runs decide which face of the provider was seen."""
_LEFT_TOLD: Final = 20
_CAN_BE_MEANT: Final = frozenset({"patch-unknown-key", "patch-early-result", "patch-array"})
"""Warnings about patches: what was seen is meant."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What shall become of a recording."""

    provider: Provider
    name: str | None = None
    keep_prompts: bool = False


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that was made of a recording."""

    text: str
    notes: tuple[str, ...]
    """What is to be known of it; they stand at the head of the text too."""
    tasks: int
    exchanges: int
    """Those that are about tasks."""
    alike: int
    renamed: Mapping[str, str]
    """The new ids of tasks that existed before, by the old ones: for the terminal alone."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was seen that a scenario could tell."""
        return self.exchanges == 0


def recorded(seen: Sequence[Seen], wish: Wish, lost: int = 0) -> Recorded:
    """The scenario whose replay shows what was seen; ``lost``: how many exchanges weren't kept."""
    reader = Reader(wish.provider)
    reads = [read for one in seen if (read := reader.read(one)) is not None]
    found = sorted_runs(reads)
    disguise = Disguise(reads, keep_prompts=wish.keep_prompts)
    start = min((read.seen.at for read in reads), default=0)
    drafters = [Drafter(wish.provider, profile, disguise, start) for profile in Profile]
    drafter = _fitting(drafters, found)
    drafts = [drafter.draft(run) for run in found.runs]
    exchanges, alike = sum(len(d.run.acts) for d in drafts), sum(d.alike for d in drafts)
    notes = tuple(_notes(drafts, found, reads, alike, exchanges, lost))
    return Recorded(
        text=_text(drafts, wish, drafter.profile, notes),
        notes=notes,
        tasks=sum(draft.told is not None for draft in drafts),
        exchanges=exchanges,
        alike=alike,
        renamed={str(draft.run.id): draft.id for draft in drafts if draft.id is not None},
    )


def _fitting(drafters: Sequence[Drafter], found: Sorted) -> Drafter:
    """The drafter whose face of the provider is most like what was seen; the documented one before the other."""
    runs = found.runs[:_TRIED]

    def fits(drafter: Drafter) -> tuple[int, int]:
        drafts = [drafter.draft(run) for run in runs]
        # What needs no patch, no word and no error of its own is what the face has by itself.
        return sum(draft.alike for draft in drafts), -sum(map(_own, drafts))

    return max(drafters, key=fits)


def _own(draft: Draft) -> int:
    """How much a draft has to say of what the face prints otherwise."""
    told = [bool(one.word) + _count(one.patch) + (one.error is not None) for one in draft.stretches]
    wordy = [2 if one.is_raw else not isinstance(one.told.get("error"), str | None) for one in draft.mishaps]
    return (
        sum(told) + sum(wordy) + _count(draft.patch) + sum(_count(m.told.get("patch")) for m in draft.mishaps)
    )


def _count(patch: Any) -> int:
    return sum(map(_count, patch.values())) if isinstance(patch, Mapping) else int(patch is not None)


# Notes


def _notes(
    drafts: Sequence[Draft],
    found: Sorted,
    reads: Sequence[Read],
    alike: int,
    exchanges: int,
    lost: int,
) -> Iterator[str]:
    if exchanges:
        yield f"replayed: {alike} of {exchanges} answers alike"
    yield from _about_ends(drafts)
    yield from _about_patches(drafts)
    yield from _about_refusals(drafts)
    left = list(dict.fromkeys(sentence for draft in drafts for sentence in draft.left))
    yield from (f"can't be said: {sentence}" for sentence in left[:_LEFT_TOLD])
    if len(left) > _LEFT_TOLD:
        yield f"can't be said: {len(left) - _LEFT_TOLD} more differences"
    yield from _about_others(found, reads, lost)


def _about_ends(drafts: Sequence[Draft]) -> Iterator[str]:
    stuck = sum(draft.told is not None and not draft.told.has_ended for draft in drafts)
    if stuck:
        verb = "its timeline ends" if stuck == 1 else "their timelines end"
        yield f"{_counted(stuck, 'task')} never ended while it was recorded: {verb} in an entry that is stuck"
    if any(draft.told is not None and draft.told.had_to_yield for draft in drafts):
        yield (
            "a status that ends a task was followed by another one: the scenario language has no such thing, so an "
            "entry of processing prints its word"
        )
    existed = sum(draft.id is not None for draft in drafts)
    if existed:
        yield f"{_counted(existed, 'task')} existed before: under a new id, and with a request as far as it was printed"


def _about_patches(drafts: Sequence[Draft]) -> Iterator[str]:
    patches = [draft.patch for draft in drafts] + [
        patch
        for draft in drafts
        for patch in (*(one.patch for one in draft.stretches), *(m.told.get("patch") for m in draft.mishaps))
    ]
    names = dict.fromkeys(name for patch in patches for name in _paths(patch))
    if names:
        yield f"kept as patch, since the emulator prints it otherwise: {', '.join(names)}"


def _paths(patch: Any, path: str = "") -> Iterator[str]:
    for name, value in patch.items() if isinstance(patch, Mapping) else ():
        if isinstance(value, Mapping) and value:
            yield from _paths(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def _about_refusals(drafts: Sequence[Draft]) -> Iterator[str]:
    codes = [
        next((a.read.seen.status_code for a in draft.run.acts if (a.read.name, a.call) == place), 0)
        for draft in drafts
        for place in (
            (m.operation, m.call) for m in draft.mishaps if "error" in m.told or "respond" in m.told
        )
    ]
    refused = sum(code in {401, 403} for code in codes)
    if refused:
        yield f"{_counted(refused, 'call')} refused with 401 or 403: told by position, so that no key is needed here"
    raw = sum(mishap.is_raw for draft in drafts for mishap in draft.mishaps)
    if raw:
        yield f"{_counted(raw, 'answer')} in words of none of the provider's named errors: written out"


def _refuses_a_key(mishap: Mishap) -> bool:
    return mishap.operation in {OperationName.CREATE, OperationName.POLL} and not mishap.is_patch


def _about_others(found: Sorted, reads: Sequence[Read], lost: int) -> Iterator[str]:
    for sentence in dict.fromkeys(found.broken):
        count = found.broken.count(sentence)
        yield f"not in the scenario: {_counted(count, 'request')} without a whole answer ({sentence})"
    if found.foreign:
        yield (
            f"not in the scenario: {_counted(found.foreign, 'answer')} that no provider's API gives, such as a page "
            f"for people or a redirect to one"
        )
    if found.strangers:
        yield f"not in the scenario: {_counted(found.strangers, 'request')} for tasks that were never shown"
    if lost:
        yield f"not in the scenario: {_counted(lost, 'exchange')} after the recording was full"
    labels = {read.seen.content_type for read in reads if read.value is not None}
    if any("json" not in label for label in labels):
        yield "not in the scenario: answers of JSON whose content type says something else"
    if any(read.name is OperationName.CREATE and read.seen.unread for read in reads):
        yield "a create's body couldn't be read"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


# The text


def _text(drafts: Sequence[Draft], wish: Wish, profile: Profile, notes: Sequence[str]) -> str:
    waits = latency.latency_of([act for draft in drafts for act in draft.run.acts])
    told = folding.folded([latency.delayed(draft, waits) for draft in drafts])
    more: dict[str, Any] = {
        "name": wish.name,
        "about": _about(drafts, told),
        "defaults": Flow(waits.defaults()),
    }
    comments = _comments(notes, told)
    text = _written(told, wish, profile, more, comments)
    meant = sorted({warning.id for warning in _warnings(text)} & _CAN_BE_MEANT)
    if not meant:
        return text
    return _written(told, wish, profile, {**more, "lint": Flow({"ignore": meant})}, comments)


def _written(
    told: Folded, wish: Wish, profile: Profile, more: Mapping[str, Any], comments: Sequence[str]
) -> str:
    return writing.text_of(writing.head_of(wish.provider, profile, told.items, told.rules, **more), comments)


def _warnings(text: str) -> Sequence[Problem]:
    return load_text(text, "recorded").warnings


def _about(drafts: Sequence[Draft], told: Folded) -> str:
    runs = sum(draft.told is not None for draft in drafts)
    exchanges = sum(len(draft.run.acts) for draft in drafts)
    folds = "" if runs <= len(told.items) else ", those of one kind told as one"
    return f"Recorded from {_counted(runs, 'task')} in {_counted(exchanges, 'exchange')}{folds}."


def _comments(notes: Sequence[str], told: Folded) -> list[str]:
    left_out = [f"{told.left_out} rules or kinds of requests left out"] if told.left_out else []
    return ["Written by video-emulator record.", *(f"- {note}" for note in (*notes, *left_out))]
