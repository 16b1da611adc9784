"""Which provider and operation a path means: by dictionaries, so that the last route costs what the first does."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from emulator.providers.base import Operation, Provider

_WILD: Final = object()
"""The branch of the tree that any one segment takes. Not a text: a client can send any."""
_LEAF: Final = None


class Route(msgspec.Struct, frozen=True):
    """The rows of the providers' tables that one path and method mean; several only where vendors share a path."""

    rows: tuple[tuple[Provider, Operation], ...]
    base: str = ""
    """What of the path comes before the rows' own paths."""


class Door:
    """One way in: a Host, which leads to one vendor's services, or none of theirs, which leads to all of them."""

    def __init__(self, providers: Sequence[Provider], *, with_bases: bool = False) -> None:
        """Lead to the providers' paths, and ``with_bases`` to the same below their base paths."""
        self.providers = tuple(providers)
        self._tree: dict[Any, Any] = {}
        self._whole: dict[tuple[str, str], Route] = {}
        self._shelves: dict[tuple[str, str], Route] = {}
        for provider in providers:
            for operation in provider.operations:
                self._plant("", provider, operation)
                if with_bases:
                    self._plant(provider.base, provider, operation)

    def _plant(self, base: str, provider: Provider, operation: Operation) -> None:
        node = self._tree
        path = f"{base}{operation.path}"
        for segment in path.strip("/").split("/"):
            node = node.setdefault(_WILD if segment.startswith("{") else segment, {})
        methods = node.setdefault(_LEAF, {})
        for method in (operation.method, "HEAD") if operation.method == "GET" else (operation.method,):
            rows = methods[method].rows if method in methods else ()
            route = methods[method] = Route((*rows, (provider, operation)), base)
            shelf, _, last = path.rpartition("/")
            if "{" not in path:
                self._whole[method, path] = route
            elif "{" not in shelf and last.startswith("{"):
                self._shelves[method, shelf] = route

    def glance(self, path: str, method: str) -> tuple[Route | None, tuple[str, ...]]:
        """What `find` gives, of a path without escapes, where a look or two tell; else ``None`` as the route."""
        route = self._whole.get((method, path))
        if route is not None:
            return route, ()
        shelf, _, last = path.rpartition("/")
        return (self._shelves.get((method, shelf)) if last else None), (last,)

    def find(self, segments: Sequence[str], method: str) -> tuple[Route | None, tuple[str, ...]]:
        """The route of a path, split at its slashes, and the segments that stand for its ``{...}``."""
        node: dict[Any, Any] | None = self._tree
        params: tuple[str, ...] = ()
        for segment in segments:
            assert node is not None
            below = node.get(segment)
            if below is None:
                below = node.get(_WILD)
                if below is None or not segment:
                    return None, ()
                params = (*params, segment)
            node = below
        assert node is not None
        methods = node.get(_LEAF)
        return (None if methods is None else methods.get(method)), params

    def methods(self, segments: Sequence[str]) -> tuple[str, ...]:
        """The methods that a path has; none: it isn't a path here."""
        return tuple(m for m in ("GET", "HEAD", "POST", "DELETE") if self.find(segments, m)[0] is not None)


def segments_of(path: str, raw_path: bytes) -> list[str]:
    """A path's segments, decoded one by one, so that an id may hold an encoded slash.

    Slashes at the beginning count as one (a base URL that ends in one gives ``//sora/videos``), and one
    at the end doesn't count.
    """
    if b"%2" in raw_path and b"%2f" in raw_path.lower():
        segments = [unquote(s) for s in raw_path.decode("latin-1").lstrip("/").split("/")]
    else:
        segments = path.lstrip("/").split("/")
    if len(segments) > 1 and not segments[-1]:
        segments.pop()
    return segments
