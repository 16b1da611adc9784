"""One run as a draft of a scenario, replayed and mended until it answers as the provider did, or nearly."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from emulator.core import seeded
from emulator.core.units import Instant
from emulator.core.words import OperationName, Profile, Status
from emulator.providers.base import Provider
from emulator.recorder import timeline, writing
from emulator.recorder.disguise import MARKS, SOME_SECOND, Disguise
from emulator.recorder.draft import Draft, Mishap
from emulator.recorder.faces import ABSENT, Difference
from emulator.recorder.refusals import PLAIN, Wording, templated
from emulator.recorder.replay import STATUS_CODE, Compared, compared, in_all, kind_of
from emulator.recorder.runs import Run
from emulator.recorder.sheet import Sheet
from emulator.recorder.stretches import Json, Stretch, Video

_PASSED_ON: Final = frozenset({"status", "progress"})
"""What a timeline says has no place in a patch."""
_DEEPEST_PATCH: Final = 6


class Drafter:
    """Makes drafts for one face of a provider."""

    def __init__(self, provider: Provider, profile: Profile, disguise: Disguise, start: Instant) -> None:
        self.provider = provider
        self.profile = profile
        self._disguise = disguise
        self._start = start
        self._sheet = Sheet(provider, profile, disguise)
        self._wording = Wording(provider, profile, disguise)
        self._drafts: dict[int, Draft] = {}

    def draft(self, run: Run) -> Draft:
        """The run's draft, mended as far as the language goes."""
        if run.number not in self._drafts:
            self._drafts[run.number] = self._made(run)
        return self._drafts[run.number]

    def _made(self, run: Run) -> Draft:
        draft = self._with_request(self._begun(run))
        found = self._replayed(draft)
        draft = self._with_mishaps(draft, found)
        if draft.mishaps:
            found = self._replayed(draft)
        mended = self._mended(draft, found)
        if mended is not draft:
            draft, found = mended, self._replayed(mended)
        alike = sum(one.is_alike for one in found)
        return msgspec.structs.replace(draft, alike=alike, left=tuple(dict.fromkeys(_left(found))))

    def _begun(self, run: Run) -> Draft:
        if run.id is None:
            return Draft(run=run, told=None)
        told = timeline.told(run, self._sheet, self._disguise, self._start)
        if not run.existed:
            return Draft(run=run, told=told)
        key = seeded.key_of("recorded", self.provider.name)
        entropy = seeded.task_entropy(key, b"existing", run.number)
        new_id = self.provider.new_id(entropy, told.created_at, self.provider.account(key))
        return Draft(run=run, told=told, id=new_id, created=told.created_at - self._start)

    def _with_request(self, draft: Draft) -> Draft:
        made = draft.run.made
        if made is not None:
            fields = self._disguise.value(made.read.seen.fields)
            return msgspec.structs.replace(draft, request=fields if isinstance(fields, dict) else {})
        if draft.id is None:
            return draft
        looks = draft.run.looks
        printed = looks[0].shown.printed if looks and looks[0].shown else {}
        fields = templated(self._disguise.value(_request_of(printed, self.provider)), PLAIN)
        values = {
            name: value
            for name, value in _values_of(printed, self.provider).items()
            if self._disguise.value(value, name) == value
        }
        return msgspec.structs.replace(draft, request=fields, values=values)

    def _replayed(self, draft: Draft) -> list[Compared]:
        text = writing.of_one(draft, self.provider, self.profile)
        return compared(text, draft.run, self.provider, self._disguise, self._start, draft.id)

    # What wasn't answered from the task

    def _with_mishaps(self, draft: Draft, found: Sequence[Compared]) -> Draft:
        draft = self._with_results(draft, found)
        prompt = draft.request.get("prompt")
        mishaps = tuple(
            msgspec.structs.replace(mishap, told=_quoting(mishap.told, prompt))
            for mishap in self._mishaps(draft, found)
        )
        quoted = tuple(
            msgspec.structs.replace(one, error=_quoting(one.error, prompt)) for one in draft.stretches
        )
        told = None if draft.told is None else msgspec.structs.replace(draft.told, stretches=quoted)
        return msgspec.structs.replace(draft, told=told, mishaps=mishaps)

    def _mishaps(self, draft: Draft, found: Sequence[Compared]) -> Iterator[Mishap]:
        has_expired = any(one.video is not None and one.video.expired is not None for one in draft.stretches)
        for one in found:
            act = one.act
            refuses = act.shown is None and act.read.made is None
            is_result = act.read.name in {OperationName.DOWNLOAD, OperationName.CONTENT}
            if one.is_alike or not refuses or (is_result and kind_of(act.read.seen) in {"video", "redirect"}):
                continue
            if has_expired and _is_dead(one):
                continue  # told as what a dead link answers
            status = None if one.reply.snapshot is None else one.reply.snapshot.status
            refused = self._wording.refused(act, status)
            yield Mishap(act.read.name, act.call, act.place, refused.told, refused.is_raw)

    def _with_results(self, draft: Draft, found: Sequence[Compared]) -> Draft:
        """With how results are handed out otherwise than usual: by redirects, or with words of the storage's own."""
        changes: Json = {}
        contents = [one for one in found if one.act.read.name is OperationName.CONTENT]
        if any(300 <= one.act.read.seen.status_code < 400 for one in contents):
            changes["redirects"] = True
        expired = self._expired(found)
        if expired is not None:
            changes["expired"] = expired
        if not changes or draft.told is None:
            return draft
        stretches = tuple(
            msgspec.structs.replace(one, video=msgspec.structs.replace(one.video or Video(), **changes))
            if one.status is Status.COMPLETED and (one.video is None or one.video.has_link)
            else one
            for one in draft.stretches
        )
        return msgspec.structs.replace(draft, told=msgspec.structs.replace(draft.told, stretches=stretches))

    def _expired(self, found: Sequence[Compared]) -> Json | None:
        """What every download of a dead link got, where it isn't the emulator's answer; ``None``: not the same."""
        dead = [one for one in found if _is_dead(one)]
        if not dead or any(one.is_alike or one.act.read.seen.status_code < 400 for one in dead):
            return None
        told = [self._wording.refused(one.act, Status.COMPLETED).told for one in dead]
        is_same = all(one == told[0] for one in told) and "retry_after" not in told[0]
        return told[0] if is_same else None

    # What is printed otherwise

    def _mended(self, draft: Draft, found: Sequence[Compared]) -> Draft:
        """With values and patches for what differs in every answer that showed an entry."""
        if draft.told is None:
            return draft
        values = dict(draft.values)
        stretches = [self._patched(one, found, values) for one in draft.stretches]
        created = self._created_patch(found)
        mishaps = draft.mishaps if created is None else (*draft.mishaps, created)
        is_same = values == draft.values and mishaps == draft.mishaps and tuple(stretches) == draft.stretches
        if is_same:
            return draft
        shared = _shared_patch(stretches)
        if shared is not None:
            stretches = [msgspec.structs.replace(one, patch=None) for one in stretches]
        told = msgspec.structs.replace(draft.told, stretches=tuple(stretches))
        return msgspec.structs.replace(draft, told=told, mishaps=mishaps, values=values, patch=shared)

    def _patched(self, stretch: Stretch, found: Sequence[Compared], values: Json) -> Stretch:
        shown = [
            found[number]
            for number in stretch.acts
            if found[number].act.read.name is OperationName.POLL and not found[number].is_other
        ]
        patch: Json = {}
        # What the create's answer has otherwise, too, was the provider's choice for the task.
        created = {one.path for other in found if other.act.read.made is not None for one in other.differs}
        has_printed = any(other.act.read.made is not None and other.act.shown for other in found)
        for difference in in_all(shown):
            name = difference.path[-1]
            is_chosen = difference.path in created or not has_printed
            if is_chosen and name in self.provider.value_names and _is_value(difference.recorded):
                values[str(name)] = difference.recorded
            elif _can_be_patched(difference):
                _put(patch, difference)
        return msgspec.structs.replace(stretch, patch=patch or None)

    def _created_patch(self, found: Sequence[Compared]) -> Mishap | None:
        patch: Json = {}
        for one in found:
            if one.act.read.name is not OperationName.CREATE or one.is_other:
                continue
            for difference in one.differs:
                named = difference.path[-1] in self.provider.value_names and _is_value(difference.recorded)
                if not named and _can_be_patched(difference):
                    _put(patch, difference)
        return Mishap(OperationName.CREATE, 0, 0, {"patch": patch}, is_patch=True) if patch else None


def _is_dead(one: Compared) -> bool:
    return one.act.read.name is OperationName.DOWNLOAD and one.reply.expired


def _is_value(recorded: Any) -> bool:
    """Whether it can stand under ``values``: neither an id nor a date, which the emulator draws."""
    is_plain = isinstance(recorded, str | int | float) and not isinstance(recorded, bool)
    return is_plain and recorded not in MARKS and recorded not in _DATES


_DATES: Final = frozenset({SOME_SECOND, SOME_SECOND * 1000})


def _can_be_patched(difference: Difference) -> bool:
    path = difference.path
    if not path or any(isinstance(step, int) for step in path) or path[-1] in _PASSED_ON:
        return False
    return path != (STATUS_CODE,) and len(path) <= _DEEPEST_PATCH


def _put(patch: Json, difference: Difference) -> None:
    *way, last = map(str, difference.path)
    for step in way:
        patch = patch.setdefault(step, {})
    patch[last] = None if difference.recorded is ABSENT else _said(difference.recorded)


def _said(value: Any) -> Any:
    """A value as a patch says it: there null would remove the member."""
    if value is None:
        return "{{ null }}"
    if isinstance(value, Mapping):
        return {name: _said(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_said(child) for child in value]
    return templated(value)


def _shared_patch(stretches: Sequence[Stretch]) -> Mapping[str, Any] | None:
    """The patch that all entries have which somebody saw; ``None``: they haven't the same."""
    patches = [one.patch for one in stretches if one.acts]
    if len(patches) < 2 or patches[0] is None:
        return None
    return patches[0] if all(patch == patches[0] for patch in patches) else None


def _left(found: Sequence[Compared]) -> Iterator[str]:
    """What is still different, in words."""
    for one in found:
        if one.is_other:
            yield f"a {one.act.read.name} was answered otherwise than the scenario can say ({_codes(one)})"
        for difference in one.differs:
            if difference.path == (STATUS_CODE,):
                yield f"a {one.act.read.name} was answered with {difference.recorded}, the scenario answers with 200"
            elif difference.recorded is ABSENT:
                yield f"{difference.place}: the provider leaves it out, the scenario prints it"
            else:
                yield f"{difference.place}: the provider prints another value or kind of value there"


def _codes(one: Compared) -> str:
    return f"{one.act.read.seen.status_code}, the scenario says {one.reply.status_code}"


_TELLING: Final = 8
"""A shorter prompt would be found in every text."""


def _quoting(value: Any, prompt: Any) -> Any:
    """A value in whose texts the task's own prompt is quoted by a template."""
    if not isinstance(prompt, str) or len(prompt) < _TELLING:
        return value
    if isinstance(value, str):
        return value.replace(prompt, "{{ request.prompt }}")
    if isinstance(value, Mapping):
        return {name: _quoting(child, prompt) for name, child in value.items()}
    if isinstance(value, list):
        return [_quoting(child, prompt) for child in value]
    return value


# Tasks that existed before


def _request_of(printed: Mapping[str, Any], provider: Provider) -> Json:
    """The create request of a task that nobody saw made, as far as the provider prints it."""
    request = printed.get("request")
    if isinstance(request, Mapping):
        return dict(request)
    names = [name for name in ("model", "seconds", "size") if name in provider.value_names]
    told: Json = {name: printed[name] for name in names if isinstance(printed.get(name), str | int | float)}
    return {**told, "prompt": "A recorded video"}


def _values_of(printed: Any, provider: Provider) -> Json:
    """What the provider chose, by the names of ``values``: of what is printed what tells of nobody."""
    places = [printed, printed.get("metadata")] if isinstance(printed, Mapping) else []
    found: Json = {}
    for place in places:
        for name in provider.value_names:
            value = place.get(name) if isinstance(place, Mapping) else None
            if _is_value(value) and value != "":
                found.setdefault(name, value)
    return found
