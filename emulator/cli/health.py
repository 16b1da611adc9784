"""``video-emulator health``: what Docker asks again and again, so it needs little and starts fast."""

from typing import TYPE_CHECKING

import click

from emulator.cli import options
from emulator.cli.whereabouts import is_own, url_of, whereabouts

if TYPE_CHECKING:
    from emulator.client.calls import Sender
    from emulator.messages.health import Health

_TIMEOUT = 3.0


@click.command(short_help="Ask a running emulator whether it is well.")
@whereabouts
@click.pass_context
def health(ctx: click.Context, url: str | None, host: str | None, port: int, tls_cert: str | None) -> int:
    """Ask a running emulator whether it is well: exit status 0 if it is, 1 if not.

    By default the one on this machine, on the host and port of the variables that serve reads, by https
    where VIDEO_EMULATOR_TLS_CERT is set.
    """
    options.refuse_mistakes(ctx)
    asked = url_of(url, host, port, tls_cert)
    try:
        found = _asked(asked, judges=url is not None and not is_own(url))
    except _Unwell as problem:
        click.echo(f"unhealthy: {asked}: {problem}", err=True)
        return 1
    click.echo(f"healthy: {asked}: version {found.version}, scenario {found.scenario}")
    return 0


class _Unwell(Exception):
    """No answer, or not the answer of an emulator that is well."""


def _asked(url: str, *, judges: bool) -> "Health":
    """What the emulator says of itself. ``judges``: its certificate, where it has one."""
    # The other commands do without all of these.
    from emulator.client import errors  # noqa: PLC0415
    from emulator.client.health import Alive  # noqa: PLC0415
    from emulator.client.once import OneShot  # noqa: PLC0415
    from emulator.client.place import Place  # noqa: PLC0415

    emulator: Alive[Sender] = Alive(OneShot(Place(url=url, timeout=_TIMEOUT), verify=judges))
    try:
        return emulator.health()
    except (errors.EmulatorUnreachable, errors.NotAnEmulator) as problem:
        raise _Unwell(problem.reason) from None
    except errors.Refused as refusal:
        raise _Unwell(f"status code {refusal.status_code}: {refusal.detail}") from None
