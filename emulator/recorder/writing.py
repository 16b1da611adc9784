"""Scenarios as text: as an author writes them, entries and rules on one line each."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any, Final

from emulator.core.units import DAY, Duration, format_duration
from emulator.core.words import Profile
from emulator.providers.base import Provider
from emulator.recorder.draft import Draft
from emulator.recorder.stretches import Json, Stretch
from emulator.scenario_file.writing import WIDTH, Flow, as_yaml

_EARLIEST: Final[Duration] = -3000 * DAY


def text_of(scenario: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    """The text of a file, with comments at its head."""
    lines = [
        line for comment in comments for line in wrap(comment, WIDTH - 2, subsequent_indent="  ") or [""]
    ]
    head = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    return head + as_yaml(scenario)


def timeline_of(stretches: Sequence[Stretch]) -> list[Flow]:
    """The entries of a timeline."""
    return [Flow(one.told()) for one in stretches]


def life_of(draft: Draft) -> Json:
    """What an item of ``tasks`` says of one draft."""
    item: Json = {}
    if draft.id is not None:
        item = {"id": draft.id, "created": created_text(draft.created), "request": Flow(draft.request)}
    if draft.values:
        item["values"] = Flow(draft.values)
    item["timeline"] = timeline_of(draft.stretches)
    if draft.patch is not None:
        item["patch"] = draft.patch
    return item


def created_text(created: Duration) -> str:
    """How a file says when a task was created: not after its beginning, nor longer ago than the language takes."""
    return format_duration(min(0, max(created, _EARLIEST)))


def of_one(draft: Draft, provider: Provider, profile: Profile) -> str:
    """A scenario of one run alone, whose calls of creates count from its own first."""
    rules = [
        Flow({"operation": one.operation.value, **({} if one.is_patch else {"calls": one.call}), **one.told})
        for one in draft.mishaps
    ]
    return text_of(head_of(provider, profile, [life_of(draft)] if draft.told is not None else [], rules))


def head_of(
    provider: Provider, profile: Profile, items: Sequence[Json], rules: Sequence[Flow], **more: Any
) -> Json:
    """The keys of a file; those without a value are left out."""
    keys = {
        "version": 1,
        **more,
        "providers": provider.name,
        "profile": None if profile is Profile.DOCUMENTED else profile.value,
        "tasks": list(items),
        "rules": list(rules),
    }
    order = ("version", "name", "about", "providers", "profile", "defaults", "tasks", "rules", "lint")
    return {key: keys[key] for key in order if keys.get(key)}
