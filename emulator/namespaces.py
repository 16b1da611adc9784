"""Namespaces by name: made at their first use, found by every request, given up when idle for long."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

import msgspec

from emulator.clock import real_time
from emulator.core.units import HOUR, Duration
from emulator.engine import Jobs, Namespace, Settings
from emulator.journal import Budget, Journal
from emulator.ledger import Ledger
from emulator.library import Library, Overlay
from emulator.providers.base import Provider

DEFAULT: Final = "default"
HEADER: Final = b"x-emulator-namespace"
NAME: Final = r"(?!.*--)[a-z0-9._-]{1,64}"
"""What a namespace may be called."""
NAME_EXPECTED: Final = "1 to 64 of the characters a-z, 0-9, dot, - and _, without two - in a row"
_NAME: Final = re.compile(NAME)
_IN_KEY: Final = re.compile(rb"(?:^|[ \t])sk-ns-((?:(?!--)[!-~])*)(--)?")
_PREFIX: Final = b"/ns/"


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much the namespaces of a process may take together."""

    namespaces: int = 10_000
    """Besides the default one."""
    idle: Duration = HOUR
    """How long, in real time, one that nobody speaks to is kept."""
    journal_bytes: int = 64 << 20


class BadName(ValueError):
    """No namespace can be called so; the text says what can be."""


class NoRoom(Exception):
    """There are as many namespaces as there may be; the text says what would help."""


class Taken(Exception):
    """There is a namespace of this name already."""


class Namespaces:
    """All namespaces of a process. One that is being spoken to is never given up."""

    def __init__(
        self,
        settings: Settings,
        library: Library,
        providers: tuple[Provider, ...],
        bounds: Bounds,
        jobs: Callable[[Namespace], Jobs] | None = None,
    ) -> None:
        """Make the default one.

        Args:
            settings: what every namespace begins with that is given none of its own.
            library: where scenarios are found.
            providers: whose tasks there are.
            bounds: how much they may take.
            jobs: what sees to callbacks and held creates; ``None``: nobody does.
        """
        self.settings = settings
        self.library = library
        self.bounds = bounds
        self.budget = Budget(bounds.journal_bytes)
        self.ledger = Ledger()
        """What all namespaces together have met, those that are gone among them."""
        self.dropped = 0
        """How many were given up because they were idle."""
        self._providers = providers
        self._jobs = jobs
        self._others: OrderedDict[str, Namespace] = OrderedDict()
        """The one that was spoken to last comes last."""
        self.default = self._made(DEFAULT, settings)

    def _made(self, name: str, settings: Settings) -> Namespace:
        journal = Journal(settings.max_journal_entries, self.budget)
        namespace = Namespace(name, settings, Overlay(self.library), journal, self.ledger)
        if self._jobs is not None:
            namespace.jobs = self._jobs(namespace)
        namespace.start(self._providers)
        return namespace

    def use(self, name: str) -> Namespace:
        """The namespace of this name, made now where there is none.

        Raises:
            BadName: none can be called so.
            NoRoom: it would be one too many.
        """
        found = self._others.get(name)
        if found is None:
            if name == DEFAULT:
                return self.default
            return self.create(name, self.settings)
        now = real_time()
        if now - found.touched > self.bounds.idle and not found.visitors:
            # Nobody has swept it away yet, but its time was over.
            self.drop(name)
            self.dropped += 1
            return self.create(name, self.settings)
        found.touched = now
        self._others.move_to_end(name)
        return found

    def lately_used(self, name: str) -> Namespace | None:
        """The namespace of this name, used once more, if it is one that nobody would give up."""
        found = self._others.get(name)
        if found is None:
            return self.default if name == DEFAULT else None
        now = real_time()
        if now - found.touched > self.bounds.idle:
            return None
        found.touched = now
        self._others.move_to_end(name)
        return found

    def create(self, name: str, settings: Settings) -> Namespace:
        """A new namespace.

        Raises:
            BadName: none can be called so.
            Taken: there is one.
            NoRoom: it would be one too many.
            UnknownScenario: the settings name one that there isn't.
        """
        if not _NAME.fullmatch(name):
            raise BadName(f"expected the name of a namespace, {NAME_EXPECTED}; got {name[:100]!r}")
        self.sweep()
        if name == DEFAULT or name in self._others:
            raise Taken(f"there is a namespace {name!r} already")
        if len(self._others) >= self.bounds.namespaces:
            raise NoRoom(
                f"there are {len(self._others)} namespaces, the most that --max-namespaces allows, and all were "
                f"used lately; drop one with DELETE /__admin/namespaces/NAME, or serve with a higher bound"
            )
        made = self._made(name, settings)
        made.touched = real_time()
        self._others[name] = made
        return made

    def sweep(self) -> None:
        """Give up namespaces that were idle for too long; it costs what is given up."""
        now = real_time()
        for namespace in list(self._idle(now)):
            self.drop(namespace.name)
            self.dropped += 1

    def _idle(self, now: Duration) -> Iterator[Namespace]:
        for namespace in self._others.values():
            if now - namespace.touched <= self.bounds.idle:
                return  # those after it were spoken to later
            if not namespace.visitors:
                yield namespace

    def drop(self, name: str) -> bool:
        """Forget a namespace with all that is in it; ``False``: there is none of that name."""
        gone = self._others.pop(name, None)
        if gone is None:
            return False
        gone.close()
        return True

    def get(self, name: str) -> Namespace | None:
        """The namespace of this name, if there is one. Asking is no use of it."""
        return self.default if name == DEFAULT else self._others.get(name)

    def __iter__(self) -> Iterator[Namespace]:
        """The default one first, then the others, that which was spoken to last at the end."""
        yield self.default
        yield from list(self._others.values())

    def __len__(self) -> int:
        return 1 + len(self._others)


def after_prefix(raw_path: bytes) -> tuple[str, bytes] | None:
    """The name in a path's ``/ns/NAME`` and what follows it; ``None``: the path has no such beginning."""
    if not raw_path.startswith(_PREFIX):
        return None
    name, _, rest = raw_path[len(_PREFIX) :].partition(b"/")
    return unquote(name.decode("latin-1")), b"/" + rest


def named_in(headers: Mapping[bytes, bytes]) -> str | None:
    """The namespace that a request names by its header or, where that is absent, by its API key.

    Raises:
        BadName: the key begins as one that names a namespace, and doesn't go on so.
    """
    name = headers.get(HEADER)
    if name is not None:
        return name.decode("latin-1").strip()
    authorization = headers.get(b"authorization")
    if authorization is None or b"sk-ns-" not in authorization:
        return None
    return _name_in_key(authorization)


@lru_cache(maxsize=1024)
def _name_in_key(authorization: bytes) -> str | None:
    found = _IN_KEY.search(authorization)
    if found is None:
        return None
    name = found[1].decode("latin-1")
    if found[2] is None or not _NAME.fullmatch(name):
        raise BadName(
            f"an API key that begins with sk-ns- names a namespace: expected sk-ns-NAME--REST, where NAME is "
            f"{NAME_EXPECTED}; got {name[:64]!r} in the place of NAME"
            f"{'' if found[2] else ', and nothing that ends it with --'}"
        )
    return name
