"""``video-emulator contract``: its options."""

import re
from typing import Any

import click

from emulator.cli import options


def _creates(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= 20):
        raise ValueError(f"expected how many paid tasks may be made, from 0 to 20, got {text!r}")
    return int(text)


def _minutes(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text) or float(text) == 0:
        raise ValueError(f"expected a number of minutes above 0 such as 15 or 0.5, got {text!r}")
    return float(text)


def _variable(text: str) -> str:
    # A key given in place of the name would otherwise be printed back.
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", text) or text.startswith("sk_"):
        raise ValueError("expected the name of a variable that holds the key, such as OCTOPUSX_API_KEY")
    return text


def _task(text: str) -> str:
    if not text or len(text) > 200 or not text.isprintable():
        raise ValueError("expected the id of a task, got nothing, or a text that can't be one")
    return text


_FORMATS = ("text", "json", "junit", "github")
_SEVERITIES = ("error", "warning", "notice", "never")


@click.command(short_help="Hold a real provider, or an emulator, against the contract.")
@click.argument("provider", type=options.PROVIDER, metavar="PROVIDER")
@click.option(
    "--base-url",
    type=options.PROVIDER_URL,
    help="Where the provider is, as its clients have it.",
    metavar="URL",
)
@click.option(
    "--api-key-env",
    type=options.Value("variable", _variable),
    help="The variable that holds the API key; otherwise ACEDATACLOUD_API_TOKEN, OCTOPUSX_API_KEY or EZMODEL_API_KEY.",
    metavar="NAME",
)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    type=options.Value("id", _task),
    help="A task that is there already, to look at; may be given again.",
    metavar="ID",
)
@click.option("--watch", is_flag=True, help="Look at the tasks of --task until they end, too.")
@click.option(
    "--create",
    type=options.Value("count", _creates),
    default="0",
    help="Make at most so many tasks, which may cost money; without it none is made.",
    metavar="N",
)
@click.option(
    "--request",
    type=options.Value("json", str),
    help="What a create asks for, as JSON or @FILE; otherwise the cheapest video.",
    metavar="JSON|@FILE",
)
@click.option("--yes", is_flag=True, help="Don't ask before --create.")
@click.option(
    "--max-minutes",
    type=options.Value("minutes", _minutes),
    default="15",
    show_default=True,
    help="How long the run may take.",
    metavar="MINUTES",
)
@click.option(
    "--interval",
    type=options.DURATION,
    default="5s",
    show_default=True,
    help="Between two looks at a task; elsewhere than on this machine 1s or more.",
    metavar="DURATION",
)
@click.option(
    "--timeout",
    type=options.DURATION,
    default="30s",
    show_default=True,
    help="How long an answer may take.",
    metavar="DURATION",
)
@click.option(
    "--profile",
    type=options.Value("profile", options.one_of("auto", "documented", "current")),
    default="auto",
    show_default=True,
    help="Which of the provider's faces to judge by; auto: the nearer.",
    metavar="auto|documented|current",
)
@click.option("--compare", is_flag=True, help="Show beside each drift what the emulator answers there.")
@click.option(
    "--format",
    "form",
    type=options.Value("format", options.one_of(*_FORMATS)),
    default="text",
    show_default=True,
    help="For people, for programs, for CI tools, or as annotations of a pull request.",
    metavar="text|json|junit|github",
)
@click.option(
    "--output", type=options.TEXT, help="Where the report goes; otherwise it is printed.", metavar="FILE"
)
@click.option(
    "--baseline", type=options.FILE, help="A file of known drift, which fails nothing.", metavar="FILE"
)
@click.option(
    "--write-baseline", type=options.TEXT, help="Write the drift that was found as known.", metavar="FILE"
)
@click.option(
    "--fail-on",
    type=options.Value("severity", options.one_of(*_SEVERITIES)),
    default="error",
    show_default=True,
    help="How grave a drift fails the run.",
    metavar="error|warning|notice|never",
)
@click.option("--require-all", is_flag=True, help="Fail where a check couldn't be run, too.")
@click.option(
    "--state",
    type=options.TEXT,
    help="Where an interrupted run is kept; otherwise .video-emulator-contract-PROVIDER.json.",
    metavar="FILE",
)
@click.option("--resume", is_flag=True, help="Go on with an interrupted run.")
@click.option("--quiet", is_flag=True, help="Don't tell what is being done.")
@click.pass_context
def contract(ctx: click.Context, /, **told: Any) -> int:
    """Check whether PROVIDER still answers as its contract says: members, types, words, errors, headers, links.

    Nothing is created unless --create says how much: it asks about keys, unknown ids and broken requests, and looks
    at the tasks of --task.

    \b
    export OCTOPUSX_API_KEY=...
    video-emulator contract octopusx --base-url https://octopusx.ai --task video_123
    video-emulator contract octopusx --base-url https://octopusx.ai --create 1 --compare

    The exit status is 1 where a drift is as grave as --fail-on says, 2 where something couldn't be done as told,
    130 where it was interrupted; then --resume goes on with it.
    """
    from emulator.cli import contracting  # noqa: PLC0415 - HTTP and the contracts are of no use to --help

    return contracting.contracted(ctx, told)
