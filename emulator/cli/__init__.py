"""The command ``video-emulator``.

What a command needs besides click is imported when it runs: ``--help``, ``--version`` and ``health``
have nothing to wait for.
"""

import os
import sys
from typing import TextIO

import click

from emulator import __version__
from emulator.cli.health import health
from emulator.cli.init import init
from emulator.cli.preview import preview
from emulator.cli.scenarios import scenarios
from emulator.cli.schema import schema
from emulator.cli.serve import serve
from emulator.cli.validate import validate

DEBUG_VARIABLE = "VIDEO_EMULATOR_DEBUG"
_INTERRUPTED = 130
"""128 + 2: what a shell expects of a command that Ctrl-C ended."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    commands=[serve, validate, preview, init, scenarios, schema, health],
)
@click.version_option(__version__, package_name="video-emulator")
def cli() -> None:
    r"""Stand in for four documented video-task APIs, driven by scenario files.

    \b
    video-emulator serve                          serve the happy path on port 8080
    video-emulator serve --scenario rate-limited  ... or another story
    video-emulator init my-scenario.yaml          begin a story of your own
    """


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
