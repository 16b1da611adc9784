"""``video-emulator init``."""

from pathlib import Path

import click

from emulator.cli.options import Refused

STARTER = Path(__file__).parent.with_name("starter.yaml")
"""The file that `init` writes."""


@click.command(short_help="Write a scenario to start from.")
@click.argument("file", default="my-scenario.yaml")
def init(file: str) -> None:
    """Write a commented scenario to start from: to FILE (my-scenario.yaml), or with - to the terminal."""
    starter = STARTER.read_text("utf-8")
    if file == "-":
        click.echo(starter, nl=False)
        return
    _write(file, starter)
    click.echo(f"Wrote {file}. Next:")
    for command in ("validate", "preview", "serve --scenario"):
        click.echo(f"  video-emulator {command} {file}")


def _write(file: str, text: str) -> None:
    try:
        with Path(file).open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise Refused([f"{file} exists already, and is left as it is; name another file"]) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise Refused([f"cannot write {file}: {reason}"]) from None
