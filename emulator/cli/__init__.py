"""The command ``video-emulator``.

A command's module is imported when it is asked for, and what the command needs besides click when it
runs: ``--version`` and ``health`` have nothing to wait for.
"""

import os
import sys
from importlib import import_module
from typing import Any, Final, TextIO

import click

from emulator import __version__

COMMANDS: Final = (
    "serve",
    "validate",
    "preview",
    "init",
    "scenarios",
    "schema",
    "health",
    "coverage",
    "contract",
    "record",
)
"""Each is a module of this package with a function of the same name, in the order in which help lists them."""
DEBUG_VARIABLE: Final = "VIDEO_EMULATOR_DEBUG"
_INTERRUPTED: Final = 130
"""128 + 2: what a shell expects of a command that Ctrl-C ended."""


class _Commands(click.Group):
    """Finds a command in its module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return ctx.fail(f"There is no command {cmd_name!r}.{_near(cmd_name)}")
        command: Any = getattr(import_module(f"emulator.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None


def _near(name: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name needs it

    near = get_close_matches(name, COMMANDS, n=1)
    return f" Did you mean {near[0]}?" if near else ""


_HELP: Final = """Stand in for four documented video-task APIs, driven by scenario files.

\b
video-emulator serve                          serve the happy path on port 8080
video-emulator serve --scenario rate-limited  ... or another story
video-emulator init my-scenario.yaml          begin a story of your own
"""


@click.command(
    cls=_Commands,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, package_name="video-emulator")
def cli() -> None:
    """The command line; a command of its own does the work."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 ok, 1 problems found or unhealthy, 2 wrong usage or cannot start."""
    _write_anything(sys.stdout, sys.stderr)
    sys.exit(_status(arguments))


def _status(arguments: list[str] | None) -> int:
    try:
        status = cli.main(arguments, prog_name="video-emulator", standalone_mode=False)
    except click.ClickException as refusal:
        refusal.show()
        return refusal.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except Exception as defect:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        kind = type(defect).__name__
        click.echo(f"video-emulator met a defect of its own: {kind}: {_one_line(defect)}", err=True)
        click.echo(f"Run it again with {DEBUG_VARIABLE}=1 to see where, and please report it.", err=True)
        return 2
    return status if isinstance(status, int) else 0


def _one_line(defect: Exception) -> str:
    return " ".join(str(defect).split())[:500] or "it says no more"


def _write_anything(*streams: TextIO) -> None:
    """Let no character that the terminal's encoding lacks end a command."""
    for stream in streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
