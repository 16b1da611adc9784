"""``video-emulator health``: what Docker asks again and again, so it needs little and starts fast."""

import json
from typing import Any

import click

from emulator.cli import options
from emulator.cli.options import setting

_TIMEOUT = 3.0
_LARGEST = 1024 * 1024
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on


@click.command(short_help="Ask a running emulator whether it is well.")
@click.option(
    "--url",
    type=options.Value("url", options.public_url),
    help="Ask this emulator; otherwise the one on this machine.",
    metavar="URL",
)
@setting("--host", options.HOST, "The address that it listens on.", metavar="ADDRESS")
@setting(
    "--port", options.PORT, "The port that it listens on.", default="8080", show_default=True, metavar="PORT"
)
@setting("--tls-cert", click.STRING, "Ask by https, without judging the certificate.", metavar="FILE")
@click.pass_context
def health(ctx: click.Context, url: str | None, host: str | None, port: int, tls_cert: str | None) -> int:
    """Ask a running emulator whether it is well: exit status 0 if it is, 1 if not.

    By default the one on this machine, on the host and port of the variables that serve reads, by https
    where VIDEO_EMULATOR_TLS_CERT is set.
    """
    options.refuse_mistakes(ctx)
    is_own = url is None
    if url is None:
        name = _LOOPBACK.get(host or "", host)
        name = f"[{name}]" if name and ":" in name else name
        url = f"{'https' if tls_cert else 'http'}://{name}:{port}"
    try:
        found = _asked(url, is_own)
    except _Unwell as problem:
        click.echo(f"unhealthy: {url}: {problem}", err=True)
        return 1
    click.echo(f"healthy: {url}: version {found.get('version')}, scenario {found.get('scenario')}")
    return 0


class _Unwell(Exception):
    """No answer, or not the answer of an emulator that is well."""


def _asked(url: str, is_own: bool) -> dict[str, Any]:
    import http.client  # noqa: PLC0415 - of no use to the other commands
    from urllib.parse import urlsplit  # noqa: PLC0415

    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    try:
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=_TIMEOUT, context=_tls(host, is_own)
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
        connection.request("GET", f"{parts.path}/__admin/health", headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read(_LARGEST)
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        raise _Unwell(reason) from None
    return _understood(answer.status, body)


def _understood(status_code: int, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if isinstance(found, dict) and "detail" in found:
        raise _Unwell(f"status code {status_code}: {found['detail']}")
    if not isinstance(found, dict) or "version" not in found:
        raise _Unwell(f"something answers there (status code {status_code}) that is no video-emulator")
    if status_code != 200 or found.get("status") != "ok":
        raise _Unwell(f"status code {status_code}, status {found.get('status')!r}")
    return found


def _tls(host: str, is_own: bool) -> Any:
    import ipaddress  # noqa: PLC0415
    import ssl  # noqa: PLC0415 - slow to import

    context = ssl.create_default_context()
    try:
        is_own = is_own or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_own = is_own or host == "localhost"
    if is_own:
        # A certificate made for tests names another host, and nobody sits between this machine and itself.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
