"""What ``serve`` does with its options: everything is checked first, and told at once; then it serves."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import click
import msgspec

from emulator import banner, server
from emulator.app import App
from emulator.cli import folders, log, naming, options
from emulator.cli.options import Refused
from emulator.core.errors import ScenarioError, as_text
from emulator.core.scenario import ClockMode, ClockSettings
from emulator.core.words import Profile
from emulator.engine import Settings
from emulator.library import Library
from emulator.namespaces import Bounds
from emulator.options import Options
from emulator.server import Address, CannotListen

IN_ENVIRONMENT: Final = "VIDEO_EMULATOR_SCENARIO_YAML"
"""The variable that may hold a scenario itself."""
_INTERRUPTED: Final = 130
_REAL: Final[tuple[ClockMode, float]] = ("real", 1.0)
_ELSEWHERE: Final = frozenset({IN_ENVIRONMENT, "VIDEO_EMULATOR_DEBUG"})
"""Variables that no option of `serve` has."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The values of the options; a wrong one is ``None`` until the mistakes are told."""

    scenario: str | None
    scenarios: str | None
    host: str
    port: int
    clock: tuple[ClockMode, float] | None
    start: int | None
    seed: int | str
    public_url: str | None
    root_provider: str
    profile: str
    max_tasks: int
    max_namespaces: int
    namespace_idle: int
    journal_entries: int
    journal_bytes: int
    admin_token: str | None
    allowed_host: tuple[str, ...]
    allow_callbacks: tuple[str, ...]
    grace: float
    tls_cert: str | None
    tls_key: str | None


def serve(ctx: click.Context, values: Mapping[str, Any]) -> int:
    """Serve until a signal; the process's exit status.

    Raises:
        Refused: with everything that is wrong, before anything listens.
    """
    told = Told(**values)
    log.configure()
    for warning in _strangers(ctx):
        click.echo(f"Warning: {warning}", err=True)
    library, name = _stories(ctx, told)
    if (told.tls_cert is None) is not (told.tls_key is None) and not options.mistakes(ctx):
        options.mistakes(ctx).append("--tls-cert and --tls-key go together; one of them is missing")
    options.refuse_mistakes(ctx)
    for problem in library.warnings:
        click.echo(as_text(problem), err=True)
    address = _address(told)
    try:
        server.check_tls(address)
        sock = server.listen(address)
    except CannotListen as problem:
        raise Refused([str(problem)]) from None
    app = App(library, _options(told, name))
    place = banner.Place(
        host=str(address.host), port=sock.getsockname()[1], is_tls=address.tls_cert is not None
    )
    return _run(app, address, sock, place)


def _run(app: App, address: Address, sock: Any, place: banner.Place) -> int:
    try:
        server.run(app, address, sock, lambda: _say(banner.text(app, place)))
    except KeyboardInterrupt:
        _say("stopped")
        return _INTERRUPTED
    _say("stopped")
    return 0


def _say(text: str) -> None:
    # Nobody need be there to read it: the server serves all the same.
    with suppress(OSError):
        click.echo(text, color=False if os.environ.get("NO_COLOR") else None)


def _options(told: Told, name: str) -> Options:
    clock = None
    if told.clock is not None or told.start is not None:
        mode, scale = told.clock if told.clock is not None else _REAL
        clock = ClockSettings(mode=mode, scale=scale, start=told.start)
    settings = Settings(
        seed=told.seed,
        clock=clock,
        profile=Profile(told.profile),
        max_tasks=told.max_tasks,
        max_journal_entries=told.journal_entries,
        scenario=name,
    )
    bounds = Bounds(
        namespaces=told.max_namespaces, idle=told.namespace_idle, journal_bytes=told.journal_bytes
    )
    return Options(
        settings=settings,
        public_url=told.public_url,
        root_provider=told.root_provider,
        bounds=bounds,
        admin_token=told.admin_token,
        allowed_hosts=told.allowed_host,
        callback_hosts=told.allow_callbacks,
    )


def _address(told: Told) -> Address:
    return Address(
        host=told.host, port=told.port, grace=told.grace, tls_cert=told.tls_cert, tls_key=told.tls_key
    )


# Scenarios


def _stories(ctx: click.Context, told: Told) -> tuple[Library, str]:
    """The scenarios, and the name of the active one; what is wrong with them is among the mistakes."""
    library, problems = folders.library(ctx, told.scenarios)
    name = Settings().scenario
    try:
        text = os.environ.get(IN_ENVIRONMENT)
        if text:
            name = library.add_text(text, "environment", IN_ENVIRONMENT).name
    except ScenarioError as error:
        problems.extend(error.problems)
    try:
        if told.scenario is not None:
            name = naming.chosen(library, told.scenario)
    except ScenarioError as error:
        problems.extend(error.problems)
    except LookupError as unknown:
        if not problems:  # else it may be in a file that didn't load
            options.mistakes(ctx).append(f"{options.named(ctx, 'scenario')}: {unknown.args[0]}")
    if problems:
        for problem in problems:
            click.echo(as_text(problem), err=True)
        files = len({problem.file for problem in problems})
        count = f"{_counted(len(problems), 'mistake')} in {_counted(files, 'scenario file')}"
        options.mistakes(ctx).append(f"{count}; nothing was started")
    return library, name


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _strangers(ctx: click.Context) -> list[str]:
    """What is said of variables that look like ours and mean nothing."""
    known = {str(param.envvar) for param in ctx.command.params if param.envvar} | _ELSEWHERE
    # Kubernetes and Docker's links set these for a neighbour called video-emulator.
    foreign = ("VIDEO_EMULATOR_SERVICE_", "VIDEO_EMULATOR_PORT_", "VIDEO_EMULATOR_ENV_")
    meant = {*known, "VIDEO_EMULATOR_NAME"}
    strangers = [n for n in os.environ if n.startswith("VIDEO_EMULATOR_") and n not in meant]
    return [_stranger(name, sorted(known)) for name in sorted(strangers) if not name.startswith(foreign)]


def _stranger(name: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name needs it

    near = get_close_matches(name, known, n=1, cutoff=0.8)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"the variable {name} means nothing here{hint}"
