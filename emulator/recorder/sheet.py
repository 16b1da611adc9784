"""How the emulator prints a task in a given state: what a recorded answer is held against, one entry at a time."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from emulator.core.plan import Entry, plan_of
from emulator.core.task import Task, state_at
from emulator.core.units import DAY, SECOND, Duration, Instant, parse_instant
from emulator.core.words import OperationName, Profile, Status
from emulator.engine import new_task
from emulator.providers.base import Provider, Sighting, View
from emulator.recorder.disguise import Disguise
from emulator.recorder.faces import differences

_BEGINNING: Final[Instant] = parse_instant("2025-01-01T00:00:00Z")
_LATER: Final[Duration] = DAY
_ENTROPIES: Final = (bytes(range(48)), bytes(range(100, 148)))
_URL: Final = "https://example.com/video.mp4"


class Sheet:
    """Prints tasks of a provider in one of its faces."""

    def __init__(self, provider: Provider, profile: Profile, disguise: Disguise) -> None:
        self.provider = provider
        self.profile = profile
        self._disguise = disguise
        self._item = next(row.item for row in provider.operations if row.name is OperationName.POLL)

    def printed(
        self,
        entry: Entry,
        *,
        fields: Mapping[str, Any] | None = None,
        floor: int = 0,
        has_link: bool = True,
        variant: int = 0,
    ) -> Any:
        """What a poll shows of a task in an entry after a progress of ``floor``; two variants tell what is drawn."""
        entropy = _ENTROPIES[variant]
        before = Entry(status=Status.PROCESSING, stay=2 * SECOND, progress=floor)
        created_at = _BEGINNING + variant * 1001 * _LATER
        request = self.provider.example_request if fields is None else fields
        task = new_task(
            self.provider,
            self.provider.new_id(entropy, created_at, self._account(variant)),
            created_at,
            entropy,
            plan_of((before, entry), scenario="sheet"),
            request,
            "",
        )
        return orjson.loads(orjson.dumps(self._item(self._view(task, variant, has_link))))

    def _account(self, variant: int) -> Any:
        return self.provider.account(_ENTROPIES[variant])

    def _view(self, task: Task, variant: int, has_link: bool) -> View:
        now = task.created_at + 3 * SECOND
        snapshot = state_at(task, now)
        link = _URL if has_link and snapshot.status is Status.COMPLETED else None
        return View(task, snapshot, now, self.profile, self._account(variant), link, task.created_at + _LATER)

    def sighting(self, entry: Entry, *, floor: int = 0) -> Sighting:
        """The same as a client reads it."""
        return self.provider.sighted(self.printed(entry, floor=floor)) or Sighting()

    def distance(self, recorded: Any, entry: Entry, *, floor: int, has_link: bool) -> int:
        """In how many places a recorded task differs from the emulator's in this entry."""
        fields = recorded.get("request") if isinstance(recorded, Mapping) else None
        told = fields if isinstance(fields, Mapping) else None
        one, other = (
            self.printed(entry, fields=told, floor=floor, has_link=has_link, variant=variant)
            for variant in range(2)
        )
        return len(differences(recorded, one, other, self._disguise))
