"""``video-emulator serve``: its options."""

import signal
import sys
from typing import Any, NoReturn

import click

from emulator.cli import options
from emulator.cli.options import setting


@click.command(short_help="Serve the four providers.")
@setting(
    "--scenario",
    options.TEXT,
    "The active scenario: a shipped one's name, one of --scenarios, or a file.",
    metavar="NAME|FILE",
)
@setting(
    "--scenarios",
    options.TEXT,
    "A folder of scenario files; all of them are read at the start.",
    metavar="DIR",
)
@setting(
    "--host",
    options.HOST,
    "The address to listen on.",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
)
@setting(
    "--port",
    options.PORT,
    "The port to listen on; 0: a free one.",
    default="8080",
    show_default=True,
    metavar="PORT",
)
@setting(
    "--clock",
    options.CLOCK,
    "How time passes; otherwise as the scenario says, else real.",
    metavar="real|scaled:60|manual|auto",
)
@setting(
    "--start",
    options.INSTANT,
    "What the clock shows at first, such as 2025-01-01T00:00:00Z; otherwise the present.",
    metavar="INSTANT",
)
@setting(
    "--seed",
    options.SEED,
    "What all draws are keyed by: the same seed, the same ids, links and delays.",
    default="0",
    show_default=True,
    metavar="SEED",
)
@setting(
    "--public-url",
    options.PUBLIC_URL,
    "What links start with; otherwise scheme and host of the request that created the task.",
    metavar="URL",
)
@setting(
    "--root-provider",
    options.ROOT_PROVIDER,
    "Who answers /v1/... without a base path where the task doesn't tell.",
    default="octopusx",
    show_default=True,
    metavar="octopusx|ezmodel",
)
@setting(
    "--profile",
    options.PROFILE,
    "The providers' face for scenarios that name none.",
    default="documented",
    show_default=True,
    metavar="documented|current",
)
@setting(
    "--max-tasks",
    options.COUNT,
    "How many tasks are kept; the oldest are given up.",
    default="100000",
    show_default=True,
    metavar="N",
)
@setting(
    "--max-namespaces",
    options.COUNT,
    "How many namespaces there may be besides the default one; a further one is refused.",
    default="10000",
    show_default=True,
    metavar="N",
)
@setting(
    "--namespace-idle",
    options.DURATION,
    "How long, in real time, a namespace is kept that nobody speaks to.",
    default="1h",
    show_default=True,
    metavar="DURATION",
)
@setting(
    "--journal-entries",
    options.COUNT,
    "How many requests each namespace's journal keeps; the oldest make room.",
    default="10000",
    show_default=True,
    metavar="N",
)
@setting(
    "--journal-bytes",
    options.SIZE,
    "About how much all journals may take together.",
    default="64MiB",
    show_default=True,
    metavar="SIZE",
)
@setting(
    "--admin-token",
    options.TOKEN,
    "What the control API asks for; otherwise nothing.",
    metavar="TOKEN",
)
@setting(
    "--allowed-host",
    options.HOST_NAMES,
    "A name with dots under which the control API is served, too. May be given again.",
    multiple=True,
    metavar="HOST",
)
@setting(
    "--allow-callbacks",
    options.CALLBACK_HOSTS,
    "A host that callbacks may go to besides loopback and private addresses. May be given again.",
    multiple=True,
    metavar="HOST",
)
@setting(
    "--grace",
    options.GRACE,
    "How long requests in flight may take to finish after SIGTERM.",
    default="1",
    show_default=True,
    metavar="SECONDS",
)
@setting("--tls-cert", options.FILE, "A PEM certificate, with its chain: serve https.", metavar="FILE")
@setting("--tls-key", options.FILE, "The certificate's key.", metavar="FILE")
@click.pass_context
def serve(ctx: click.Context, /, **told: Any) -> int:
    """Serve the four providers until Ctrl-C or SIGTERM.

    Every option is also a variable, for Docker; an empty one counts as not set. A scenario itself may
    stand in VIDEO_EMULATOR_SCENARIO_YAML; it is the active one unless --scenario names another.
    """
    # As the first process of a container it gets only the signals that it asks for, from here on.
    signal.signal(signal.SIGTERM, _leave)
    from emulator.cli import run  # noqa: PLC0415 - the server and all that it needs

    return run.serve(ctx, told)


def _leave(number: int, _frame: object) -> NoReturn:
    """Exit as a shell expects of a command that a signal ended; until the server takes the signal over."""
    sys.exit(128 + number)
