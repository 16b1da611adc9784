"""The results of tasks: links that are signed and expire, the MP4 clips that they lead to, and pictures of those.

A link carries all that serving it needs, so it outlives a restart and works at every replica. Nothing
here knows the time: when a link dies stands in the link, and the caller compares.
"""

import re
import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from emulator.core.call import Variant
from emulator.core.signing import sign, verify
from emulator.core.units import Instant
from emulator.payload import Payload
from emulator.providers.base import Clip, Headers, Provider, Result

# The clips in the package

SIZES: Final = ((720, 1280), (1280, 720), (1024, 1792), (1792, 1024), (1080, 1920), (1920, 1080))
"""Fact sheets: Sora's and OpenAI's documented sizes; documents/003 prints 1920x1080."""

SECONDS: Final = (4, 5, 8, 10, 12, 15, 16, 20, 25)
"""Fact sheets: Sora's 4, 8, 10, 12, 15, 25, OpenAI's 4, 8, 12, 16, 20, OctopusX's 5, 10, 15."""

_VEO_4K: Final = ((3840, 2160), (2160, 3840))
_VEO_SECONDS: Final = 8

CLIPS: Final = (
    *(Clip(width, height, seconds) for width, height in SIZES for seconds in SECONDS),
    *(Clip(width, height, _VEO_SECONDS) for width, height in _VEO_4K),
)
"""Every clip that there is a file of. `tools/make_clips.py` makes them."""

FOLDER: Final = Path(__file__).with_name("clips")
PICTURES: Final = Path(__file__).with_name("pictures")
"""Where the thumbnails and spritesheets are. `tools/make_pictures.py` makes them."""

_KNOWN: Final = frozenset(CLIPS)


def file_name(clip: Clip) -> str:
    """``1280x720-8s.mp4``."""
    return f"{_spelt(clip)}.mp4"


def thumbnail_name(clip: Clip) -> str:
    """``1280x720-8s.webp``: the first frame."""
    return f"{_spelt(clip)}.webp"


def spritesheet_name(clip: Clip) -> str:
    """``1280x720.jpg``: one for all durations."""
    return f"{clip.width}x{clip.height}.jpg"


def nearest(clip: Clip) -> Clip:
    """The clip to serve for ``clip``: the same, or the nearest by shape, area, then duration."""
    return clip if clip in _KNOWN else min(CLIPS, key=lambda known: _distance(clip, known))


def _distance(asked: Clip, known: Clip) -> tuple[float, float, int, int]:
    width, height = max(1, asked.width), max(1, asked.height)
    return (
        _times(width * known.height, height * known.width),
        _times(width * height, known.width * known.height),
        abs(asked.seconds - known.seconds),
        -known.seconds,  # of two as near, the longer
    )


def _times(one: int, other: int) -> float:
    """How many times the larger is the smaller."""
    return max(one, other) / min(one, other)


def _spelt(clip: Clip) -> str:
    return f"{clip.width}x{clip.height}-{clip.seconds}s"


# Links


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What a request for a link of ours says, before anything of it is believed."""

    provider: Provider
    task_id: str
    clip: Clip
    """What the task asked for, whether or not there is a clip of it."""
    size: int | None
    """How many bytes it is padded to; ``None``: it comes as it is."""
    dies_at: Instant
    signature: str
    signed: str
    """What the signature has to be of."""

    def holds(self, key: bytes) -> bool:
        """Whether the link is as `link` made it with this key; takes the same time whatever the answer."""
        return verify(key, self.signed, self.signature)

    def is_dead(self, now: Instant) -> bool:
        """Whether the link has expired: at the instant at which it dies, it has."""
        return now >= self.dies_at


def link(
    provider: Provider,
    result: Result,
    clip: Clip,
    origin: str,
    prefix: str,
    key: bytes,
    size: int | None = None,
) -> str:
    """The link to a task's result: ``{origin}{prefix}/media/{provider}/{task id}/{clip}/{tail}?{query}``.

    Args:
        provider: whose task it is; its `Provider.link` writes the tail and the query.
        result: what the provider needs to know for that.
        clip: the video that the task asked for.
        origin: scheme and host.
        prefix: ``/ns/NAME`` in a namespace of that name, else nothing.
        key: what the namespace signs with.
        size: how many bytes it is padded to, if it is; the link has it behind the clip, as in ``1280x720-8s-200000b``.
    """
    own = provider.link(result)
    served = _spelt(clip) if size is None else f"{_spelt(clip)}-{size}b"
    path = f"{prefix}/media/{provider.name}/{_quoted(result.task.id)}/{served}/{own.tail}"
    query = "&".join([f"{name}={value or ''}" for name, value in own.query])
    return origin + _sealed(key, path, query, provider.signature_name)


# Kept, because every poll of a finished task prints the same link again. Few, because ids can be long.
_KEPT: Final = 256


@lru_cache(maxsize=_KEPT)
def _quoted(task_id: str) -> str:
    return quote(task_id, safe="")


@lru_cache(maxsize=_KEPT)
def _sealed(key: bytes, path: str, query: str, name: str) -> str:
    """Path and query with the signature in its place, which was empty."""
    slot = f"{name}="
    signature = quote(sign(key, _signed(path, query)), safe="")
    return f"{path}?{'&'.join(slot + signature if part == slot else part for part in query.split('&'))}"


def claim(provider_named: Callable[[str], Provider | None], path: str, query: str) -> Claim | None:
    """What a request's path and query, as they came over the wire, claim; ``None``: it's no link of ours.

    A link without its signature or its date is ours all the same: its claim holds under no key.
    """
    found = re.fullmatch(_PATH, path)
    provider = provider_named(found[1]) if found else None
    if found is None or provider is None:
        return None
    try:
        task_id = unquote(found[2], errors="strict")
    except UnicodeDecodeError:
        return None
    signature, unsigned = _parted(query, provider.signature_name)
    dies_at = provider.dies_at(dict(parse_qsl(query, keep_blank_values=True)))
    return Claim(
        provider=provider,
        task_id=task_id,
        clip=Clip(int(found[3]), int(found[4]), int(found[5])),
        size=None if found[6] is None else int(found[6]),
        dies_at=0 if dies_at is None else dies_at,
        signature=signature,
        signed=_signed(path, unsigned),
    )


# Here as elsewhere below a pattern is text: it's compiled when first used, which a start needn't wait for.
_PATH: Final = (
    r"(?:/ns/[^/]+)?/media/([^/]+)/([^/]*)/([0-9]{1,9})x([0-9]{1,9})-([0-9]{1,9})s(?:-([0-9]{1,15})b)?/(.*)"
)


def _parted(query: str, name: str) -> tuple[str, str]:
    """The signature in a query, and the query with the signature's place left empty."""
    slot = f"{name}="
    parts = query.split("&")
    for place, part in enumerate(parts):
        if part.startswith(slot):
            parts[place] = slot
            return unquote(part.removeprefix(slot)), "&".join(parts)
    return "", query


def _signed(path: str, query: str) -> str:
    return f"{_one_spelling(path, _PLAIN_IN_PATH)}?{_one_spelling(query, _PLAIN_IN_QUERY)}"


# RFC 3986: what may stand as it is in a path, and in a value of a query.
_PLAIN_IN_PATH: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@"
_PLAIN_IN_QUERY: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$'()*,;:@/?"


def _one_spelling(text: str, plain: str) -> str:
    """The text in one of its spellings, the same for all.

    The storage services sign what a link says, not how it's spelt, and clients count on that: aiohttp
    sends ``se=2025-10-16T13:38:49Z`` for a link that has ``%3A`` there.
    """

    def respelt(escape: re.Match[str]) -> str:
        character = chr(int(escape[0][1:], 16))
        return character if character in plain else escape[0].upper()

    return re.sub(r"%[0-9A-Fa-f]{2}", respelt, text) if "%" in text else text


# Downloads: RFC 9110. Starlette's FileResponse (1.10) answers 400 to a unit or a range that it can't read,
# which is to be ignored, 206 to HEAD, and 200 to If-None-Match; its ETag and date are the file's on this disk.


class Answer(msgspec.Struct, frozen=True):
    """What to send for a clip, short of the date and of what the provider adds."""

    status_code: int
    headers: list[tuple[bytes, bytes]]
    body: Payload


_LAST_MODIFIED: Final = b"Wed, 01 Jan 2020 00:00:00 GMT"
"""Our choice: the same in every copy of the package, and before any clock that a scenario is likely to set."""


def answer(
    method: str,
    headers: Mapping[bytes, bytes],
    clip: Clip,
    size: int | None = None,
    variant: Variant = "video",
) -> Answer:
    """The answer to a good request for a clip: 200, 206, 304, or 416 for a range that begins past its end.

    Args:
        method: ``GET`` or ``HEAD``.
        headers: the request's, names in lower case.
        clip: the video that was asked for; where another has to do, ``X-Emulator-Clip`` says so.
        size: how many bytes a video is padded to; pictures aren't.
        variant: what is asked for of it.
    """
    served = nearest(clip)
    kind, content, etag = _asked_for(served, size, variant)
    told = [(b"accept-ranges", b"bytes"), (b"etag", etag), (b"last-modified", _LAST_MODIFIED)]
    if served != clip:
        told.append((b"x-emulator-clip", _substitution(clip, served)))
    if _has_it_already(headers, etag):
        return Answer(304, told, Payload())
    part = _range_asked(method, headers, etag, len(content))
    if part is None:
        sent = Payload() if method == "HEAD" else content
        return Answer(200, [*_described(kind, len(content)), *told], sent)
    if not part:
        return Answer(
            416, [(b"content-range", b"bytes */%d" % len(content)), (b"content-length", b"0")], Payload()
        )
    told.append((b"content-range", b"bytes %d-%d/%d" % (part.start, part.stop - 1, len(content))))
    return Answer(206, [*_described(kind, len(part)), *told], content.part(part.start, part.stop))


def merged(answered: Answer, headers: Headers) -> list[tuple[bytes, bytes]]:
    """The answer's header fields and the caller's, which replace those of the same name."""
    named = {name for name, _ in headers}
    return [*(field for field in answered.headers if field[0] not in named), *headers]


def _substitution(asked: Clip, served: Clip) -> bytes:
    one, other = (f"{clip.width}x{clip.height} {clip.seconds}s" for clip in (asked, served))
    return f"asked {one}, served {other}".encode()


def _described(kind: bytes, length: int) -> Headers:
    return (b"content-type", kind), (b"content-length", b"%d" % length)


def _asked_for(clip: Clip, size: int | None, variant: Variant) -> tuple[bytes, Payload, bytes]:
    """The content type, the bytes and the ETag of what there is of a clip."""
    if variant == "thumbnail":
        return b"image/webp", *_loaded(PICTURES / thumbnail_name(clip))
    if variant == "spritesheet":
        return b"image/jpeg", *_loaded(PICTURES / spritesheet_name(clip))
    content, etag = _loaded(FOLDER / file_name(clip))
    if size is None:
        return b"video/mp4", content, etag
    return b"video/mp4", padded(content.content, size), b'%s-%d"' % (etag[:-1], size)


@lru_cache(maxsize=2 * len(CLIPS) + len(SIZES) + len(_VEO_4K))
def _loaded(path: Path) -> tuple[Payload, bytes]:
    """A file's bytes and its ETag. All of them together are about one megabyte."""
    content = path.read_bytes()
    return Payload(content), b'"%s"' % blake2b(content, digest_size=16).hexdigest().encode()


_BOX_HEAD: Final = 8
_MOST_IN_A_HEAD: Final = 2**32 - 1


def padded(video: bytes, size: int) -> Payload:
    """An MP4 file made ``size`` bytes long by a box of zeros at its end, which players skip.

    ISO/IEC 14496-12, 8.1.2: a box named ``free`` has no meaning; 4.2: a box begins with its length in 32 bits and
    its name, and where 32 bits are too few, the length is 1 and the true one follows in 64. The head of a box takes
    eight bytes: where there is no room for them the video comes as it is.
    """
    box = size - len(video)
    if box < _BOX_HEAD:
        return Payload(video)
    is_long = box > _MOST_IN_A_HEAD
    head = struct.pack(">I4sQ", 1, b"free", box) if is_long else struct.pack(">I4s", box, b"free")
    return Payload(video + head, box - len(head))


def _has_it_already(headers: Mapping[bytes, bytes], etag: bytes) -> bool:
    tags = headers.get(b"if-none-match")
    if tags is None:
        return headers.get(b"if-modified-since") == _LAST_MODIFIED
    return tags.strip() == b"*" or any(tag.strip().removeprefix(b"W/") == etag for tag in tags.split(b","))


def _range_asked(method: str, headers: Mapping[bytes, bytes], etag: bytes, size: int) -> range | None:
    """The bytes asked for, none of them where the range begins past the end; ``None``: all of them."""
    asked = headers.get(b"range")
    if asked is None or method != "GET":  # RFC 9110, 14.2: GET alone has ranges
        return None
    if headers.get(b"if-range", etag) not in {etag, _LAST_MODIFIED}:
        return None
    return _range(asked, size)


_RANGE: Final = rb"bytes=[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*"
"""One range. Several, which a server may ignore, get the whole."""


def _range(text: bytes, size: int) -> range | None:
    found = re.fullmatch(_RANGE, text, re.IGNORECASE)
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return range(max(0, size - int(suffix)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)
