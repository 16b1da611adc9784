"""What is sent as a body: bytes that there are, and as many zeros after them as somebody asked for."""

from collections.abc import Iterator
from typing import Final

import msgspec

CHUNK: Final = 64 * 1024
"""How much of a body is at hand at a time, however long it is."""

_ZEROS: Final = bytes(CHUNK)


class Payload(msgspec.Struct, frozen=True, gc=False):
    """A body of any length in little memory."""

    content: bytes = b""
    zeros: int = 0
    """How many zeros follow the content."""

    def __len__(self) -> int:
        return len(self.content) + self.zeros

    def part(self, start: int, stop: int) -> "Payload":
        """The bytes from ``start`` to before ``stop``; both lie within it."""
        known = len(self.content)
        zeros = max(0, stop - max(start, known))
        whole = start == 0 and stop >= known
        return Payload(self.content if whole else self.content[start:stop], zeros)

    def chunks(self, size: int = CHUNK) -> Iterator[bytes]:
        """Its bytes in pieces of at most ``size``, none of them empty."""
        content = self.content
        for start in range(0, len(content), size):
            yield content if len(content) <= size else content[start : start + size]
        left = self.zeros
        zeros = _ZEROS if size >= CHUNK else _ZEROS[:size]
        while left > 0:
            yield zeros if left >= len(zeros) else zeros[:left]
            left -= len(zeros)
