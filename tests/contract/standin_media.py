"""The stand-in's video and the links to it: served without a key, in parts too, until they die."""

import re
from typing import Final
from urllib.parse import parse_qsl, unquote

from tests.contract.standin_parts import HTML_TYPE, Reply, Seen, Setup, Shelf, Task, Wire

MP4_TYPE: Final = "video/mp4"
_FTYP: Final = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41"
_MDAT: Final = bytes(range(256)) * 16
VIDEO: Final = _FTYP + (len(_MDAT) + 8).to_bytes(4, "big") + b"mdat" + _MDAT
"""A few KB that begin as an MP4 does. No player shows it."""

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_FORBIDDEN: Final = Reply(403, b"<html><body><h1>403 Forbidden</h1></body></html>", HTML_TYPE)
_PAGE: Final = Reply(200, b"<html><body><p>This video has moved.</p></body></html>", HTML_TYPE)


def linked(shelf: Shelf, seen: Seen) -> Task | None:
    """The task to whose video the path leads, whether it is there yet or not."""
    return shelf.find(unquote(seen.path), "path") if seen.method in {"GET", "HEAD"} else None


def served(setup: Setup, wire: Wire, seen: Seen, task: Task) -> Reply:
    """What a task's link answers."""
    is_there = task.ended is not None and task.fixed in {"", "completed"}
    if (
        not is_there
        or parse_qsl(seen.query) != parse_qsl(wire.link_query(task))
        or _is_dead(setup, wire, task)
    ):
        return _FORBIDDEN
    if "not-a-video" in setup.drift:
        return _PAGE
    if "no-range" in setup.drift:
        return Reply(200, VIDEO, MP4_TYPE)
    return _ranged(seen.headers.get("range", ""), is_short="short-range" in setup.drift)


def _is_dead(setup: Setup, wire: Wire, task: Task) -> bool:
    assert task.ended is not None
    now = setup.clock()
    if "link-dead" in setup.drift:
        return True
    if "link-dies-early" in setup.drift and now >= task.ended + setup.dies_early_after:
        return True
    dies = wire.link_dies(task)
    return dies is not None and now >= dies and "link-lives-on" not in setup.drift


def _ranged(asked: str, *, is_short: bool) -> Reply:
    """The video, or the one part of it that a Range header asks for; any other Range is ignored."""
    size = len(VIDEO)
    found = _RANGE.fullmatch(asked)
    if found is None or not any(found.groups()):
        return Reply(200, VIDEO, MP4_TYPE, {"Accept-Ranges": "bytes"})
    first, last = found.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if first and last and int(last) < start:
        return Reply(200, VIDEO, MP4_TYPE, {"Accept-Ranges": "bytes"})
    if start >= size:
        return Reply(416, b"", MP4_TYPE, {"Content-Range": f"bytes */{size}"})
    end = (start + end) // 2 if is_short else end
    headers = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {start}-{end}/{size}"}
    return Reply(206, VIDEO[start : end + 1], MP4_TYPE, headers)
