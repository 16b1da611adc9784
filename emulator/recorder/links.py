"""Links that lead through the proxy, so that downloads are seen."""

import json
from collections.abc import Iterable
from typing import Final

PREFIX: Final = "/__recorded/"


class Links:
    """The links that were replaced, by their numbers. They stay in memory."""

    def __init__(self) -> None:
        self._links: list[str] = []
        self._numbers: dict[str, int] = {}

    def behind(self, path: str) -> str | None:
        """The link that a path of the proxy's stands for."""
        number = path.removeprefix(PREFIX)
        if not (path.startswith(PREFIX) and number.isascii() and number.isdigit() and len(number) < 9):
            return None
        return self._links[int(number)] if int(number) < len(self._links) else None

    def replaced(self, body: bytes, links: Iterable[str], origin: str) -> bytes:
        """A body of JSON in which these links lead to the proxy at ``origin``."""
        # The longest first: a link may begin as another does.
        for link in sorted(set(links), key=len, reverse=True):
            own = json.dumps(f"{origin}{PREFIX}{self._number(link)}").encode()
            for spelling in _spellings(link):
                body = body.replace(spelling, own)
        return body

    def _number(self, link: str) -> int:
        if link not in self._numbers:
            self._numbers[link] = len(self._links)
            self._links.append(link)
        return self._numbers[link]


def _spellings(link: str) -> set[bytes]:
    """The link as JSON's writers spell it: with slashes and ampersands escaped or not."""
    plain = (json.dumps(link), json.dumps(link, ensure_ascii=False))
    escaped = (text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e") for text in plain)
    texts = {*plain, *escaped}
    return {text.encode() for text in texts} | {text.replace("/", "\\/").encode() for text in texts}
