"""``video-emulator record``: its options, and what it prints."""

import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from emulator.cli import options
from emulator.cli.options import Refused

if TYPE_CHECKING:
    from emulator.recorder.proxy import Setting
    from emulator.recorder.recording import Recorded

_STDOUT: Final = "-"
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?"


def _name(text: str) -> str:
    if re.fullmatch(_NAME, text) is None:
        wanted = "letters, digits, and . _ - between them; 64 at most"
        raise ValueError(f"expected the scenario's name, {wanted}, got {text[:80]!r}")
    return text


@click.command(short_help="Record a provider's behaviour as a scenario.")
@click.argument("provider", type=options.PROVIDER, metavar="PROVIDER")
@click.option(
    "--upstream",
    type=options.PROVIDER_URL,
    help="The provider's base URL, without its own paths, such as https://octopusx.ai.",
    metavar="URL",
)
@click.option(
    "--output",
    type=options.TEXT,
    help="The file to write, or - for the terminal; otherwise recorded-PROVIDER.yaml.",
    metavar="FILE",
)
@click.option("--force", is_flag=True, help="Overwrite the file if it exists.")
@click.option(
    "--host",
    type=options.HOST,
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on.",
    metavar="ADDRESS",
)
@click.option(
    "--port",
    type=options.PORT,
    default="8081",
    show_default=True,
    help="The port to listen on; 0: a free one.",
    metavar="PORT",
)
@click.option(
    "--keep-prompts", is_flag=True, help="Leave prompts as they are where the scenario quotes them."
)
@click.option(
    "--through-links", is_flag=True, help="Let links to results lead through here, to see downloads too."
)
@click.option(
    "--timeout",
    type=options.DURATION,
    default="5m",
    show_default=True,
    help="How long the upstream may be silent.",
    metavar="DURATION",
)
@click.option(
    "--name",
    type=options.Value("name", _name),
    help="What the scenario is called; otherwise as its file is.",
    metavar="NAME",
)
@click.pass_context
def record(ctx: click.Context, /, **told: Any) -> int:
    """Stand between a client and a provider, and write down what happens as a scenario.

    Everything passes as it is. The scenario has neither keys nor ids, links or prompts. Ctrl-C ends the recording; the
    file is there, and readable, from the first answer on. The exit status is 1 where nothing was recorded.
    """
    signal.signal(signal.SIGTERM, _leave)
    file = told["output"] or f"recorded-{told['provider']}.yaml"
    _check_file(ctx, file, force=told["force"])
    _check_upstream(ctx, told)
    options.refuse_mistakes(ctx)
    return _recorded(file, told)


def _leave(number: int, _frame: object) -> NoReturn:
    """Exit as a shell expects of a command that a signal ended; until the server takes the signal over."""
    sys.exit(128 + number)


def _check_upstream(ctx: click.Context, told: Mapping[str, Any]) -> None:
    # No default: nobody should find out from a bill that the real provider was asked.
    if told["upstream"] is None and not any(text.startswith("--upstream") for text in options.mistakes(ctx)):
        from emulator.providers import by_name  # noqa: PLC0415 - imported when there is something to do

        known = by_name.get(told["provider"])
        real = f", such as https://{known.hosts[0]}" if known is not None else ""
        options.mistakes(ctx).append(f"--upstream: expected the provider's base URL{real}, got none")


def _check_file(ctx: click.Context, file: str, *, force: bool) -> None:
    """Say before anything is paid for that the recording couldn't be written."""
    if file == _STDOUT:
        return
    try:
        mistake = _file_mistake(Path(file), force=force)
    except OSError as problem:
        mistake = f"no file can be written in {Path(file).parent}: {problem.strerror or problem}"
    if mistake:
        options.mistakes(ctx).append(f"--output: {mistake}")


def _file_mistake(path: Path, *, force: bool) -> str | None:
    if path.is_dir():
        return f"expected a file, got the folder {path}"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    if path.exists() and not force:
        return f"{path} exists already, and is left as it is; name another file, or add --force"
    # The file is written beside its place first: whether that can be done.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.touch()
    beside.unlink()
    return None


def _recorded(file: str, told: Mapping[str, Any]) -> int:
    from emulator.cli import log  # noqa: PLC0415 - --help needs none of it
    from emulator.recorder.session import CannotListen, Place, Unwritten, session  # noqa: PLC0415

    log.configure()
    setting = _setting(file, told)

    def begin(port: int) -> None:
        _say(_beginning(setting, told["host"], port, file))

    try:
        found = session(setting, Place(told["host"], told["port"]), begin, _say_meanwhile)
    except CannotListen as problem:
        raise Refused([str(problem)]) from None
    except Unwritten as problem:
        # Tasks were paid for: what was seen of them isn't lost with a folder.
        if file != _STDOUT:
            click.echo(problem.found.text, nl=False)
        instead = "" if file == _STDOUT else "; the scenario is printed to stdout instead"
        raise Refused([f"cannot write {file}: {problem.strerror}{instead}"]) from None
    _say(_ending(found, file))
    return 1 if found.is_empty else 0


def _setting(file: str, told: Mapping[str, Any]) -> "Setting":
    from emulator.providers import by_name  # noqa: PLC0415 - as above
    from emulator.recorder.proxy import Setting  # noqa: PLC0415
    from emulator.recorder.recording import Wish  # noqa: PLC0415

    provider = by_name[told["provider"]]
    has_name = file == _STDOUT or re.fullmatch(_NAME, Path(file).stem) is not None
    name = told["name"] or (None if has_name else f"recorded-{provider.name}")
    return Setting(
        wish=Wish(provider=provider, name=name, keep_prompts=told["keep_prompts"]),
        upstream=told["upstream"].removesuffix(provider.client_path),
        file=file,
        timeout=told["timeout"],
        through_links=told["through_links"],
    )


# What is printed: to stderr, since the scenario itself may go to stdout


def _say(text: str) -> None:
    click.echo(text, err=True)


def _say_meanwhile(line: str) -> None:
    _say(f"  {line}")


def _beginning(setting: "Setting", host: str, port: int, file: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    base = f"http://{shown}:{port}{setting.provider.client_path}"
    where = "prints the scenario" if file == _STDOUT else f"ends the recording and writes {file}"
    return "\n".join(
        [
            f"video-emulator records {setting.provider.name} at {setting.upstream}.",
            f"Give the client {base} as its base URL, with the key that it has for the provider, and let it run.",
            f"Everything passes as it is: tasks are real, and may cost money. Ctrl-C {where}.",
        ]
    )


def _ending(found: "Recorded", file: str) -> str:
    if found.is_empty:
        why = "no answer of the provider's came" if found.notes else "no request came that the provider has"
        lines = [f"Nothing was recorded: {why}. Check --upstream and the client's base URL."]
        return "\n".join([*lines, *(f"  {note}" for note in found.notes)])
    where = "printed" if file == _STDOUT else f"in {file}"
    tasks = f"{found.tasks} task{'' if found.tasks == 1 else 's'}"
    exchanges = f"{found.exchanges} exchange{'' if found.exchanges == 1 else 's'}"
    lines = [f"Recorded {tasks} in {exchanges}: {where}."]
    lines += [f"  {note}" for note in found.notes]
    if found.renamed:
        lines.append("  Tasks that existed before, and the ids that they have from now on:")
        lines += [f"    {ascii(old)[1:-1]} -> {new}" for old, new in found.renamed.items()]
    if file != _STDOUT:
        lines += ["Next:", f"  video-emulator preview {file}", f"  video-emulator serve --scenario {file}"]
    return "\n".join(lines)
