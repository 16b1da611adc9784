"""What ``serve`` does with its options: everything is checked first, and told at once; then it serves."""

import os
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from emulator import banner, server
from emulator.app import App, Options
from emulator.cli import log, options
from emulator.cli.options import Refused
from emulator.core.errors import Problem, ScenarioError, as_text
from emulator.core.scenario import ClockSettings
from emulator.core.words import Profile
from emulator.engine import Settings
from emulator.library import SUFFIXES, Library, files_in
from emulator.server import Address, CannotListen

IN_ENVIRONMENT: Final = "VIDEO_EMULATOR_SCENARIO_YAML"
"""The variable that may hold a scenario itself."""
_INTERRUPTED: Final = 130
_ELSEWHERE: Final = frozenset({IN_ENVIRONMENT, "VIDEO_EMULATOR_DEBUG"})
"""Variables that no option of `serve` has."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The values of the options. ``None``: not given, or wrong and written down among the mistakes."""

    scenario: str | None
    scenarios: str | None
    host: str | None
    port: int | None
    clock: tuple[Any, float] | None
    start: int | None
    seed: int | str | None
    public_url: str | None
    root_provider: str | None
    profile: str | None
    max_tasks: int | None
    grace: float | None
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
        mode, scale = told.clock or ("real", 1.0)
        clock = ClockSettings(mode=mode, scale=scale, start=told.start)
    settings = Settings(
        seed=told.seed if told.seed is not None else 0,
        clock=clock,
        profile=Profile(told.profile),
        max_tasks=told.max_tasks or 1,
        scenario=name,
    )
    root_provider = told.root_provider or Options().root_provider
    return Options(settings=settings, public_url=told.public_url, root_provider=root_provider)


def _address(told: Told) -> Address:
    assert told.host is not None
    assert told.port is not None
    assert told.grace is not None
    return Address(
        host=told.host, port=told.port, grace=told.grace, tls_cert=told.tls_cert, tls_key=told.tls_key
    )


# Scenarios


def _stories(ctx: click.Context, told: Told) -> tuple[Library, str]:
    """The scenarios, and the name of the active one; what is wrong with them is among the mistakes."""
    problems: list[Problem] = []
    library = _library(ctx, told, problems)
    name = Settings().scenario
    try:
        text = os.environ.get(IN_ENVIRONMENT)
        if text:
            name = library.add_text(text, "environment", IN_ENVIRONMENT).name
    except ScenarioError as error:
        problems.extend(error.problems)
    try:
        if told.scenario is not None:
            name = chosen(library, told.scenario)
    except ScenarioError as error:
        problems.extend(error.problems)
    except LookupError as problem:
        if not problems:  # else it may be in a file that didn't load
            options.mistakes(ctx).append(f"--scenario: {problem.args[0]}")
    if problems:
        for problem in problems:
            click.echo(as_text(problem), err=True)
        files = len({problem.file for problem in problems})
        count = f"{_counted(len(problems), 'mistake')} in {_counted(files, 'scenario file')}"
        options.mistakes(ctx).append(f"{count}; nothing was started")
    return library, name


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _library(ctx: click.Context, told: Told, problems: list[Problem]) -> Library:
    if told.scenarios is None:
        return Library()
    folder = Path(told.scenarios)
    by_variable = options.is_from_environment(ctx, "scenarios")
    what = _objection(folder, by_variable)
    if what is not None:
        option = "VIDEO_EMULATOR_SCENARIOS" if by_variable else "--scenarios"
        options.mistakes(ctx).append(f"{option}: expected a folder of scenario files, got {told.scenarios!r}: {what}")
    elif folder.exists():
        try:
            return Library(folder)
        except ScenarioError as error:
            problems.extend(error.problems)
    return Library()


def _objection(folder: Path, by_variable: bool) -> str | None:
    """What is wrong with the folder. One that only the variable names may be missing or empty: Docker's image does so."""
    if folder.is_file():
        return "this is a file; --scenario takes files"
    if by_variable and not folder.exists():
        return None
    try:
        files = files_in(folder)
    except (OSError, ValueError) as problem:
        return str(getattr(problem, "strerror", None) or problem)
    if not files and not by_variable:
        return f"no file in it ends in {', '.join(SUFFIXES)}"
    return None


def chosen(library: Library, scenario: str) -> str:
    """The name of the scenario that a name or a file means; a file's is added to the library.

    Raises:
        ScenarioError: the file has mistakes.
        LookupError: no scenario has the name; the text says which there are.
    """
    if is_file(scenario):
        return library.add(Path(scenario)).name
    names = library.names()
    if scenario not in names:
        near = get_close_matches(scenario, names, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise LookupError(f"no scenario is called {scenario!r}; {hint}there are: {', '.join(names)}")
    library.get(scenario)
    return scenario


def is_file(scenario: str) -> bool:
    """Whether this means a file rather than a name: it is one, looks like a path, or ends as scenario files do."""
    separators = {os.sep, os.altsep} - {None}
    looks_like_one = any(str(separator) in scenario for separator in separators)
    return looks_like_one or scenario.endswith(SUFFIXES) or Path(scenario).is_file()


def _strangers(ctx: click.Context) -> list[str]:
    """What is said of variables that look like ours and mean nothing."""
    known = {str(param.envvar) for param in ctx.command.params if param.envvar} | _ELSEWHERE
    # Kubernetes and Docker's links set these for a neighbour called video-emulator.
    foreign = ("VIDEO_EMULATOR_SERVICE_", "VIDEO_EMULATOR_PORT_", "VIDEO_EMULATOR_ENV_", "VIDEO_EMULATOR_NAME")
    strangers = [n for n in os.environ if n.startswith("VIDEO_EMULATOR_") and n not in known]
    return [_stranger(name, sorted(known)) for name in sorted(strangers) if not name.startswith(foreign)]


def _stranger(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.8)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"the variable {name} means nothing here{hint}"
