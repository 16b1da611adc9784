"""``video-emulator coverage``."""

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from emulator.cli import options
from emulator.cli.options import Refused, setting
from emulator.cli.whereabouts import is_own, url_of, whereabouts

if TYPE_CHECKING:
    from emulator.messages.coverage import Coverage, Part, ScenarioCoverage

_TITLES: Final = ("met", "kind", "place", "what", "about")


def _percent(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 3 or int(text) > 100:
        raise ValueError(f"expected a whole number from 0 to 100, got {text!r}")
    return int(text)


@click.command(short_help="Ask a running emulator what of its scenarios was met.")
@click.option(
    "--fail-under",
    type=options.Value("percent", _percent),
    help="Fail where less than this many per cent was met.",
    metavar="PERCENT",
)
@click.option(
    "--format",
    "form",
    type=options.Value("format", options.one_of("text", "json")),
    default="text",
    show_default=True,
    help="For people, or for programs.",
    metavar="text|json",
)
@click.option(
    "--namespace",
    type=options.TEXT,
    help="Only what was met in this one; otherwise in all of them, those that are gone too.",
    metavar="NAME",
)
@click.option(
    "--scenarios",
    type=options.Value("scenarios", options.one_of("touched", "all")),
    default="touched",
    show_default=True,
    help="all: those too that were in force and of which nothing was met.",
    metavar="touched|all",
)
@whereabouts
@setting("--admin-token", options.TOKEN, "What serve --admin-token was given.", metavar="TOKEN")
@click.pass_context
def coverage(ctx: click.Context, /, **told: Any) -> int:
    """Ask a running emulator which parts of its scenarios clients have met, and which not.

    With --fail-under the exit status is 1 where it was less, or nothing at all; 2 where nothing answers.
    By default the emulator on this machine is asked, on the host and port of the variables that serve reads.
    """
    options.refuse_mistakes(ctx)
    found = _asked(told)
    _FORMS[told["form"]](found)
    reason = None if told["fail_under"] is None else _shortfall(found, told["fail_under"])
    if reason is None:
        return 0
    click.echo(f"Error: {reason}", err=True)
    return 1


def _asked(told: Mapping[str, Any]) -> "Coverage":
    from emulator.client import Client, EmulatorError  # noqa: PLC0415 - HTTP is of no use to other commands

    url = url_of(told["url"], told["host"], told["port"], told["tls_cert"])
    try:
        with Client(url, admin_token=told["admin_token"], verify=not is_own(told["url"])) as client:
            return client.coverage(namespace=told["namespace"], scenarios=told["scenarios"])
    except EmulatorError as problem:
        raise Refused([str(problem)]) from None


def _shortfall(found: "Coverage", wanted: int) -> str | None:
    """Why the coverage isn't enough; ``None``: it is."""
    from emulator.coverage import missing, place_of, title  # noqa: PLC0415 - what it needs comes with the answer

    where = "" if found.namespace is None else f" in namespace {found.namespace}"
    if found.overall.touched == 0:
        return f"--fail-under asks for {wanted}%, and clients have met nothing of any scenario{where}"
    if found.overall.percent >= wanted:
        return None
    absent = missing(found)
    scenario, part = absent[0]
    return (
        f"--fail-under asks for {wanted}%, and clients have met {found.overall.percent}%{where}: "
        f"{len(absent)} of {found.overall.total} parts are missing, the first of them "
        f"{part.what} ({title(scenario)}, {place_of(part)})"
    )


# Writing


def _print_text(found: "Coverage") -> None:
    from emulator.coverage import as_text  # noqa: PLC0415 - only this form needs it

    if sys.stdout.isatty():
        _print_tables(found)
    else:
        click.echo(as_text(found), nl=False)


def _print_json(found: "Coverage") -> None:
    import msgspec  # noqa: PLC0415 - only this form needs it

    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))


_FORMS: Final[Mapping[str, Callable[["Coverage"], None]]] = {"text": _print_text, "json": _print_json}


def _print_tables(found: "Coverage") -> None:
    # Imported only for a terminal: rich takes as long to import as the rest.
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from emulator.coverage import share_words, sum_words, title  # noqa: PLC0415

    console = Console(highlight=False)
    for scenario in found.scenarios:
        words = f"{title(scenario)}: {share_words(scenario.overall)}"
        console.print(Text(words, style="bold"), _parts_table(scenario), "", sep="\n")
    console.print(*map(Text, sum_words(found)), sep="\n")


def _parts_table(scenario: "ScenarioCoverage") -> Any:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    parts = sorted(scenario.parts, key=lambda part: part.touched)
    # The last column goes where no author has said anything.
    titles = _TITLES if any(part.about for part in parts) else _TITLES[:-1]
    for heading in titles:
        table.add_column(heading)
    for part in parts:
        table.add_row(*map(Text, _row(part)[: len(titles)]), style="" if part.touched else "yellow")
    return table


def _row(part: "Part") -> tuple[str, ...]:
    from emulator.coverage import place_of  # noqa: PLC0415

    about = " ".join((part.about or "").split())
    return ("yes" if part.touched else "no", part.kind, place_of(part), part.what, about)
