"""Where a command that asks a running emulator finds it: at a URL, else on this machine."""

from collections.abc import Callable
from typing import Any, Final

import click

from emulator.cli import options
from emulator.cli.options import Command, setting

_LOOPBACK: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on
_SETTINGS: Final[tuple[Callable[[Any], Any], ...]] = (
    click.option(
        "--url",
        type=options.Value("url", options.public_url),
        help="Ask this emulator; otherwise the one on this machine.",
        metavar="URL",
    ),
    setting("--host", options.HOST, "The address that it listens on.", metavar="ADDRESS"),
    setting(
        "--port",
        options.PORT,
        "The port that it listens on.",
        default="8080",
        show_default=True,
        metavar="PORT",
    ),
    setting("--tls-cert", click.STRING, "Ask by https, without judging the certificate.", metavar="FILE"),
)


def whereabouts(command: Command) -> Command:
    """The options that say which emulator is asked; by default those variables count that `serve` reads."""
    for option in reversed(_SETTINGS):
        command = option(command)
    return command


def url_of(url: str | None, host: str | None, port: int, tls_cert: str | None) -> str:
    """Where the emulator is that these options mean."""
    if url is not None:
        return url
    name = _LOOPBACK.get(host or "", host)
    name = f"[{name}]" if name and ":" in name else name
    return f"{'https' if tls_cert else 'http'}://{name}:{port}"


def is_own(url: str | None) -> bool:
    """Whether nobody sits between it and us: a certificate made for tests names another host."""
    from emulator.client.place import is_here  # noqa: PLC0415 - most commands do without it

    return url is None or is_here(url)
