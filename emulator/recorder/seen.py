"""What the proxy saw: exchanges, as values, and the tape that keeps them within bounds."""

import zlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from emulator.core.units import Duration, Instant

MOST: Final = 10_000
"""So many exchanges are kept."""
MOST_BYTES: Final = 64 << 20
"""So much they may take together."""
LONGEST_BODY: Final = 1 << 20
"""Of an answer's body more isn't kept: none of a provider's answers about tasks comes near it."""
_OVERHEAD: Final = 1024
"""What an exchange takes besides its bodies, about."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange."""

    at: Instant
    """When the request came."""
    began: Instant
    """When the head of the answer was there."""
    method: str
    path: str
    """Decoded, below the base."""
    raw_path: bytes
    query: bytes = b""
    headers: Mapping[bytes, bytes] = {}
    """The request's, names in lower case."""
    fields: Any = None
    """The request's body as JSON values."""
    unread: str | None = None
    """Why the request's body couldn't be read, in a sentence."""
    status_code: int = 0
    answer_headers: Mapping[bytes, bytes] = {}
    body: bytes = b""
    """The answer's, as it came over the wire; empty: it is a video, or longer than `LONGEST_BODY`."""
    length: int = 0
    """The answer's in bytes, kept or not."""
    link: str | None = None
    """The link that was followed through the proxy."""
    broken: str | None = None
    """How the exchange broke, in a sentence. Then there is no answer, or only its beginning."""

    @property
    def latency(self) -> Duration:
        """How long the answer let wait."""
        return max(0, self.began - self.at)

    @property
    def content_type(self) -> str:
        """Of the answer, without parameters."""
        kind = self.answer_headers.get(b"content-type", b"").decode("latin-1")
        return kind.partition(";")[0].strip().lower()

    def value(self) -> Any:
        """The answer's JSON; ``None``: it is none."""
        data = self.text()
        try:
            return orjson.loads(data) if data else None
        except orjson.JSONDecodeError:
            return None

    def text(self) -> bytes:
        """The answer's body, decompressed; empty where it can't be."""
        return decompressed(self.body, self.answer_headers.get(b"content-encoding", b""))


def decompressed(body: bytes, coding: bytes) -> bytes:
    """A body without its content coding; empty: it is broken, of another coding, or grows beyond all bounds."""
    name = coding.strip().lower()
    if name in {b"", b"identity"}:
        return body
    if name not in {b"gzip", b"x-gzip", b"deflate"}:
        return b""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # some servers' deflate lacks its head
        try:
            return zlib.decompressobj(window).decompress(body, LONGEST_BODY)
        except zlib.error:
            continue
    return b""


class Tape:
    """The exchanges that were seen, up to a bound."""

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        self._seen: list[Seen] = []
        self._room = most
        self._bytes = most_bytes
        self.lost = 0
        """How many exchanges came after it was full."""

    def add(self, seen: Seen) -> bool:
        """Keep an exchange; whether there was room for it."""
        size = _OVERHEAD + len(seen.body) + _size(seen.fields)
        if self.lost or len(self._seen) >= self._room or size > self._bytes:
            self.lost += 1
            return False
        self._bytes -= size
        self._seen.append(seen)
        return True

    def taken(self) -> tuple[Seen, ...]:
        """What there is by now, in the order in which the requests came."""
        return tuple(sorted(self._seen, key=lambda seen: seen.at))

    def __len__(self) -> int:
        return len(self._seen)


def _size(fields: Any) -> int:
    return 0 if fields is None else len(orjson.dumps(fields, default=repr, option=orjson.OPT_NON_STR_KEYS))
