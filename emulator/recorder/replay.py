"""A draft replayed: what the emulator answers under it to what one run's client asked, at the same instants."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import orjson

from emulator import endpoint, media, results
from emulator.core.scenario import ClockSettings
from emulator.core.units import LAST_INSTANT, SECOND, Duration, Instant
from emulator.core.words import OperationName
from emulator.engine import Namespace, Settings
from emulator.exchanges import Reply, Request
from emulator.library import Library
from emulator.providers import PROVIDERS, by_name
from emulator.providers.base import Provider
from emulator.recorder.disguise import Disguise
from emulator.recorder.faces import ABSENT, Difference, differences
from emulator.recorder.refusals import retry_after
from emulator.recorder.runs import Act, Run
from emulator.recorder.seen import Seen

_ORIGIN: Final = "http://127.0.0.1:8080"
_KEY: Final = {b"authorization": b"Bearer sk-test"}
_OTHER_SEED: Final = 1
_LATER: Final[Duration] = 1_000_003 * SECOND
STATUS_CODE: Final = "status code"


class Compared(msgspec.Struct, frozen=True):
    """One exchange of a run, and how the emulator's answer differs."""

    act: Act
    reply: Reply
    differs: tuple[Difference, ...]
    """In the task that a poll or a create shows, or in a refusal's body; empty: alike."""
    is_other: bool = False
    """Whether one answer shows the task and the other doesn't, or the two have other status codes."""

    @property
    def is_alike(self) -> bool:
        """Whether a client would take the one for the other."""
        return not self.differs and not self.is_other


def compared(
    text: str, run: Run, provider: Provider, disguise: Disguise, start: Instant, own_id: str | None
) -> list[Compared]:
    """Every exchange of a run held against what the emulator answers.

    Args:
        text: the scenario.
        run: whose exchanges are replayed.
        provider: who was recorded.
        disguise: what is private.
        start: when the recording began.
        own_id: the id that the scenario gives to a task that exists from the start.
    """
    library = Library()
    name = library.add_text(text, "recorded", "recorded.yaml").name
    one = _Client(library, name, run, provider, disguise, start, own_id, seed=0, shift=0)
    other = _Client(library, name, run, provider, disguise, start, own_id, seed=_OTHER_SEED, shift=_LATER)
    replies = [(one.ask(act), other.ask(act)) for act in run.acts]
    return [_held(act, a, b, provider, disguise) for act, (a, b) in zip(run.acts, replies, strict=True)]


class _Client:
    """Asks again what a run's client asked."""

    def __init__(  # noqa: PLR0913 - what makes one replay another
        self,
        library: Library,
        scenario: str,
        run: Run,
        provider: Provider,
        disguise: Disguise,
        start: Instant,
        own_id: str | None,
        *,
        seed: int,
        shift: Duration,
    ) -> None:
        settings = Settings(
            seed=seed, clock=ClockSettings(mode="manual", start=start + shift), scenario=scenario
        )
        self._namespace = Namespace("default", settings, library)
        self._namespace.start(PROVIDERS)
        self._provider = provider
        self._disguise = disguise
        self._shift = shift
        self._id = own_id or run.id or "unknown"
        self._link: str | None = None

    def ask(self, act: Act) -> Reply:
        """What the emulator answers to the same."""
        at = min(act.at + self._shift, LAST_INSTANT)
        self._namespace.clock.reach(at)
        if act.read.name is OperationName.DOWNLOAD:
            return self._download()
        operation = act.read.operation
        assert operation is not None
        params = (self._id,) if act.read.params else ()
        request = Request(
            method=operation.method,
            path=operation.path.partition("{")[0] + "".join(params),
            params=params,
            headers=_KEY,
            fields=self._fields(act),
            broken=act.read.seen.unread,
            origin=_ORIGIN,
        )
        reply = endpoint.respond(self._namespace, self._provider, operation, request)
        self._look(act, reply)
        return reply

    def _fields(self, act: Act) -> Any:
        fields = act.read.seen.fields
        if act.read.name is OperationName.CREATE:
            return self._disguise.value(fields)
        if act.read.is_batch:
            return {"action": "retrieve_batch", "ids": [self._id]}
        if act.read.operation is not None and act.read.operation.method == "POST":
            return {"action": "retrieve", "id": self._id}
        return None

    def _look(self, act: Act, reply: Reply) -> None:
        value = json_of(reply)
        if act.read.name is OperationName.CREATE:
            self._id = self._provider.made(value) or self._id
        sighting = self._provider.sighted(_item(value))
        if sighting is not None and sighting.link is not None:
            self._link = sighting.link

    def _download(self) -> Reply:
        path, query = "", ""
        if self._link is not None:
            parts = urlsplit(self._link)
            path, query = parts.path, parts.query
        claim = media.claim(by_name.get, path, query)
        if claim is None:
            return Reply(404, [])
        request = Request(method="GET", path=path, headers={}, origin=_ORIGIN)
        return results.download(self._namespace, request, claim)


def json_of(reply: Reply) -> Any:
    """The JSON of an emulator's answer; ``None``: it is none."""
    if reply.clip is not None or not reply.body:
        return None
    try:
        return orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return None


def _item(value: Any) -> Any:
    items = value.get("items") if isinstance(value, Mapping) else None
    return items[0] if isinstance(items, list) and items else value


def _held(act: Act, one: Reply, other: Reply, provider: Provider, disguise: Disguise) -> Compared:
    seen = act.read.seen
    if act.read.name in {OperationName.DOWNLOAD, OperationName.CONTENT}:
        return Compared(act, one, (), is_other=not _serves_alike(seen, one, act.read.value, other, disguise))
    replayed, again = _item(json_of(one)), _item(json_of(other))
    showed = act.shown is not None or act.read.made is not None
    shows = one.status_code < 300 and (
        provider.made(replayed) is not None
        if act.read.name is OperationName.CREATE
        else provider.sighted(replayed) is not None
    )
    recorded = act.shown.printed if act.shown is not None else act.read.value
    differs = list(differences(recorded, replayed, again, disguise)) if showed == shows else []
    if showed and shows and act.shown is None:
        differs = list(differences(act.read.value, replayed, again, disguise))
    is_other = showed != shows
    if not showed and not shows:
        is_other = seen.status_code != one.status_code or not _waits_alike(seen, one)
    elif showed and shows and seen.status_code != one.status_code:
        differs.append(Difference((STATUS_CODE,), seen.status_code))
    return Compared(act, one, tuple(differs), is_other)


def _waits_alike(seen: Seen, reply: Reply) -> bool:
    answered = {name: value for name, value in reply.headers if name == b"retry-after"}
    replayed = Seen(at=reply.now, began=0, method="", path="", raw_path=b"", answer_headers=answered)
    return retry_after(seen) == retry_after(replayed)


def _serves_alike(seen: Seen, one: Reply, value: Any, other: Reply, disguise: Disguise) -> bool:
    """Whether both send a video, or lead to one, or refuse it in the same words."""
    kind, own = kind_of(seen), _kind(one.status_code)
    own = "page" if own == "video" and one.clip is None else own
    if kind != own or kind != "refusal":
        return kind == own
    if seen.status_code != one.status_code or not _waits_alike(seen, one):
        return False
    replayed = json_of(one)
    if value is None or replayed is None:
        return value is None and replayed is None
    return not differences(value, replayed, json_of(other), disguise)


def kind_of(seen: Seen) -> str:
    """What came of asking for a result: a video, a refusal, a redirect, or a page where the video should be."""
    kind = _kind(seen.status_code)
    return "page" if kind == "video" and seen.content_type.startswith(_TEXTS) and seen.length else kind


_TEXTS: Final = ("text/", "application/json", "application/xml")


def _kind(status_code: int) -> str:
    # 304 and ranges are the client's own wish.
    if status_code in {200, 206, 304}:
        return "video"
    return "redirect" if 300 <= status_code < 400 else "refusal"


def in_all(found: list[Compared]) -> Iterator[Difference]:
    """What differs in every one of them, in the same way."""
    if not found:
        return
    first, *others = found
    for difference in first.differs:
        if all(_holds(difference, other) for other in others):
            yield difference


def _holds(difference: Difference, other: Compared) -> bool:
    for one in other.differs:
        if one.path == difference.path:
            return (
                one.recorded is ABSENT
                if difference.recorded is ABSENT
                else one.recorded == difference.recorded
            )
    return False
