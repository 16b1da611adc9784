"""Signing links, so that a changed one is refused and a replica or a restart still honours a good one."""

import hmac
from base64 import b64encode
from typing import Final

_ALGORITHM: Final = "sha256"


def sign(key: bytes, text: str) -> str:
    """The signature of ``text`` under ``key``, as base64."""
    return b64encode(hmac.digest(key, text.encode(), _ALGORITHM)).decode("ascii")


def verify(key: bytes, text: str, signature: str) -> bool:
    """Whether ``signature`` is that of ``text``; takes the same time whatever the answer."""
    return hmac.compare_digest(sign(key, text).encode("ascii"), signature.encode("utf-8", "replace"))
