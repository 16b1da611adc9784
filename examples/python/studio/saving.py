"""Videos written to disk: piece by piece, their length checked, and resumed where a connection broke, with requests."""

import time
from pathlib import Path

import requests

from studio.answers import raise_for
from studio.outcomes import Broken, LinkDied, Unavailable

PIECE = 64 * 1024
"""How much of a video is in memory at a time."""


def save(link: str, path: Path, *, tries: int = 5, every: float = 2) -> None:
    """Write the video behind a link to a file, which is there only once it is whole.

    Until then what has come lies beside it, with the tag of what it is a part of. Who tries again, and be it another
    process, is sent the rest alone.

    Args:
        link: where the video is. No key is sent there.
        path: where it shall be.
        tries: how often to try before giving up.
        every: how long to wait between two tries, in seconds.

    Raises:
        LinkDied: we came too late.
        RequestRefused: it won't ever come.
        Broken: it didn't come whole in any of the tries.
    """
    part, tag = (path.with_name(f"{path.name}.{kind}") for kind in ("part", "tag"))
    for _ in range(tries):
        pause = every
        try:
            if _is_whole(link, part, tag):
                part.replace(path)
                tag.unlink()
                return
        except Unavailable as problem:
            pause = max(pause, problem.retry_after)
        except requests.RequestException:
            pass  # it broke on the way; what came is kept
        time.sleep(pause)
    raise Broken(link)


def _is_whole(link: str, part: Path, tag: Path) -> bool:
    """Fetch what is missing; whether nothing is missing now."""
    have = part.stat().st_size if part.exists() and tag.exists() else 0
    # Compressed, it would have another length than the one that is announced.
    headers = {"accept-encoding": "identity"}
    if have:
        # Another video than the one that the part is of comes whole, as 200.
        headers |= {"range": f"bytes={have}-", "if-range": tag.read_text()}
    with requests.get(link, headers=headers, stream=True, timeout=60) as answer:
        if answer.status_code == 416:
            # Nothing comes after what we have: the video is as long as that.
            return have == int(answer.headers["content-range"].rpartition("/")[2])
        if answer.status_code == 403:
            raise LinkDied(link)
        raise_for(answer.status_code, answer.headers, "the video didn't come")
        is_rest = answer.status_code == 206
        tag.write_text(answer.headers["etag"])
        with part.open("ab" if is_rest else "wb") as file:
            for piece in answer.iter_content(PIECE):
                file.write(piece)
    # Not every HTTP library minds a body that is shorter than it was announced.
    before = have if is_rest else 0
    return part.stat().st_size == before + int(answer.headers["content-length"])
