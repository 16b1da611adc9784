"""Where an emulator is, and how a call gets there."""

from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from emulator.client.calls import Call, segment
from emulator.client.errors import EmulatorUnreachable, reason_of

_WANTED: Final = "expected the URL of an emulator, such as http://127.0.0.1:8080"
_START_ONE: Final = "start one with `video-emulator serve`, or give the URL of one that runs"
_WAIT_LONGER: Final = (
    "see whether it still runs, and give the client a longer timeout where a call has much to do"
)
_REPAIRS: Final = (
    ("CERTIFICATE_VERIFY_FAILED", "give the client verify=False where the certificate was made for tests"),
    ("SSL", "see whether it serves http rather than https"),
    ("peer closed", "see whether it still runs"),
    ("disconnected", "see whether it still runs, and whether it serves https rather than http"),
)
"""By what the reason of a failed connection says; the first that fits."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An emulator, one of its namespaces, and what is needed to be let in."""

    url: str
    """Without a slash at the end."""
    namespace: str | None = None
    """``None``: the default one."""
    admin_token: str | None = None
    timeout: float
    """Seconds that an answer may take."""

    def __post_init__(self) -> None:
        """Judge what a type checker would have, and what no header can hold. The emulator judges the rest."""
        if not isinstance(self.namespace, str | None):
            raise TypeError(f"namespace: expected the name of a namespace, got {self.namespace!r}")
        token = self.admin_token
        if token is None:
            return
        if not isinstance(token, str):
            raise TypeError(f"admin_token: expected a text, got {type(token).__name__}")
        if not (token.isascii() and token.isprintable()):
            raise ValueError("admin_token: expected printable ASCII characters, got others")

    @property
    def base(self) -> str:
        """What the paths of this namespace begin with."""
        return self.url if self.namespace is None else f"{self.url}/ns/{segment(self.namespace)}"

    def target(self, call: Call[Any]) -> str:
        """The URL that a call goes to."""
        return f"{self.url if call.of_process else self.base}/__admin{call.path}"

    def headers(self, call: Call[Any]) -> dict[str, str]:
        """The header fields that a call needs."""
        fields = {"content-type": call.content_type} if call.body else {}
        if self.admin_token is not None:
            fields["x-emulator-admin-token"] = self.admin_token
        return fields

    def unreachable(self, problem: BaseException) -> EmulatorUnreachable:
        """What a failed connection means to the caller."""
        reason = reason_of(problem)
        repair = next((repair for sign, repair in _REPAIRS if sign in reason), _START_ONE)
        return EmulatorUnreachable(self.url, reason, repair)

    def silent(self, seconds: float) -> EmulatorUnreachable:
        """No answer came in time."""
        return EmulatorUnreachable(self.url, f"no answer within {seconds:g}s", _WAIT_LONGER)


def checked_url(url: str) -> str:
    """A URL of an emulator, without a slash at its end.

    Raises:
        TypeError: it is no text.
        ValueError: it can't be one.
    """
    if not isinstance(url, str):
        raise TypeError(f"{_WANTED}, got {url!r}")
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise ValueError(f"{_WANTED}, got {url!r}")
    return url.rstrip("/")


def is_here(url: str) -> bool:
    """Whether a URL is one of this machine: a loopback address, or ``localhost``."""
    import ipaddress  # noqa: PLC0415 - few need it

    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
