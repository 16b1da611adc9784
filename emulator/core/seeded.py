"""The only source of randomness: every draw is a function of a key and a purpose, never of what was drawn before.

So adding a rule or a task shifts no other draw, and the order in which parallel clients arrive
changes nothing.
"""

import random
from hashlib import blake2b
from typing import Final

ENTROPY_SIZE: Final = 48
"""Bytes of a task's own entropy. Providers cut ids from it; every other draw is keyed by it."""

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def key_of(*parts: str | int | bytes) -> bytes:
    """Sixteen bytes that depend on every part and on where one part ends and the next begins."""
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def task_entropy(namespace_key: bytes, request_digest: bytes, nth: int) -> bytes:
    """The entropy of the ``nth`` task of one namespace that was created with a request of this digest."""
    return blake2b(
        request_digest + nth.to_bytes(8, "big"), key=namespace_key, digest_size=ENTROPY_SIZE
    ).digest()


def draw(key: bytes, purpose: str, number: int = 0, size: int = 16) -> bytes:
    """``size`` bytes for one purpose (and call number) under one key."""
    return blake2b(f"{purpose}\x00{number}".encode(), key=key, digest_size=size).digest()


def fraction(key: bytes, purpose: str, number: int = 0) -> float:
    """A number in [0, 1) for one purpose (and call number) under one key."""
    return int.from_bytes(draw(key, purpose, number, 7), "big") / (1 << 56)


def generator(key: bytes, purpose: str, number: int = 0) -> random.Random:
    """A generator of its own for one purpose, for what needs a distribution."""
    return random.Random(draw(key, purpose, number))  # noqa: S311 - repeatability is the point, not secrecy


def uuid4_text(data: bytes) -> str:
    """Sixteen bytes as the text of a version 4 UUID."""
    h = data.hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[data[8] >> 6]}{h[17:20]}-{h[20:32]}"


def crockford(value: int, length: int) -> str:
    """``value`` in Crockford's base 32, lower case, as ULIDs are written by the providers."""
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))


def ulid(milliseconds: int, data: bytes) -> str:
    """A lower-case ULID of an instant in milliseconds and ten bytes of entropy."""
    return crockford(milliseconds & ((1 << 48) - 1), 10) + crockford(int.from_bytes(data[:10], "big"), 16)
