"""What an exchange meant: which operation of the provider's table, of which tasks, and what it showed of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from emulator.core.call import Call, Content, Create, Delete, Listing, Poll, Remix
from emulator.core.words import OperationName, Profile
from emulator.providers.base import Inbound, Operation, Provider, Sighting, first_of
from emulator.recorder.seen import Seen
from emulator.routing import Door, segments_of

_READ: Final = frozenset({OperationName.CREATE, OperationName.POLL, OperationName.CONTENT})


class Shown(msgspec.Struct, frozen=True):
    """One task as an answer printed it."""

    sighting: Sighting
    printed: Mapping[str, Any]


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange, understood."""

    seen: Seen
    name: OperationName
    operation: Operation | None = None
    """``None``: a download."""
    params: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    """The tasks that the request names."""
    by_alias: bool = False
    is_batch: bool = False
    value: Any = None
    """The answer's JSON."""
    shown: tuple[Shown, ...] = ()
    made: str | None = None
    """The id of the task that a create made."""

    @property
    def is_foreign(self) -> bool:
        """Whether the answer is no answer of a provider's API: a page that leads elsewhere, or is for people."""
        if self.name in {OperationName.DOWNLOAD, OperationName.CONTENT}:
            return False
        return self.seen.status_code < 400 and (self.seen.status_code >= 300 or self.value is None)


class Reader:
    """Reads exchanges with one provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._door = Door([provider])

    def read(self, seen: Seen) -> Read | None:
        """The exchange, understood; ``None``: it is about nothing that the emulator has."""
        if seen.link is not None:
            value = None if _is_good(seen) else seen.value()
            return Read(seen=seen, name=OperationName.DOWNLOAD, value=value)
        route, params = self._door.find(segments_of(seen.path, seen.raw_path), seen.method)
        if route is None or seen.method == "HEAD":
            return None
        operation = route.rows[0][1]
        if operation.name not in _READ or operation is not first_of(
            self._provider.operations, operation.name
        ):
            return None  # a scenario has no words for what these do
        call = self._call(operation, seen, params)
        if isinstance(call, Delete):
            return None
        value = None if operation.name is OperationName.CONTENT and _is_good(seen) else seen.value()
        return Read(
            seen=seen,
            name=operation.name,
            operation=operation,
            params=params,
            ids=_ids(call),
            by_alias=isinstance(call, Poll) and call.by_alias,
            is_batch=isinstance(call, Listing) or (isinstance(call, Poll) and call.is_batch),
            value=value,
            shown=tuple(self._shown(operation, seen, value)),
            made=self._provider.made(value)
            if operation.name is OperationName.CREATE and _is_good(seen)
            else None,
        )

    def _call(self, operation: Operation, seen: Seen, params: tuple[str, ...]) -> Call:
        """What it asks for; what only the newer face of the provider knows counts too."""
        query = dict(parse_qsl(seen.query.decode("latin-1")))
        calls = (
            operation.parse(
                Inbound(
                    seen.method, seen.path, params, query, seen.headers, profile, seen.fields, seen.unread
                )
            )
            for profile in Profile
        )
        documented = next(calls)
        return documented if documented.refusal is None else next(calls)

    def _shown(self, operation: Operation, seen: Seen, value: Any) -> Iterator[Shown]:
        if operation.name is OperationName.CONTENT or not _is_good(seen):
            return
        items = value.get("items") if isinstance(value, Mapping) else None
        for item in items if isinstance(items, list) else [value]:
            sighting = self._provider.sighted(item)
            if sighting is not None:
                yield Shown(sighting, item)


def _is_good(seen: Seen) -> bool:
    return 200 <= seen.status_code < 300


def _ids(call: Call) -> tuple[str, ...]:
    match call:
        case Poll():
            return tuple(dict.fromkeys(call.ids))
        case Content():
            return (call.id,)
        case Create() | Listing() | Remix() | Delete():
            return ()
