"""``video-emulator scenarios``."""

import json
import sys
from typing import TYPE_CHECKING

import click

from emulator.cli import options
from emulator.cli.options import Refused, setting

if TYPE_CHECKING:
    from emulator.core.scenario import Scenario
    from emulator.library import Library


@click.command(short_help="List the scenarios that have a name.")
@setting(
    "--scenarios", options.TEXT, "A folder of scenario files, listed with the shipped ones.", metavar="DIR"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def scenarios(ctx: click.Context, scenarios: str | None, as_json: bool) -> None:
    """List the scenarios that serve can be given by name, and what each is about."""
    options.refuse_mistakes(ctx)
    library = _library(ctx, scenarios)
    found = [one for name in library.names() if (one := library.get(name)) is not None]
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in found], indent=2))
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        for one in found:
            click.echo(f"{one.name}\t{_about(one)}")


def _library(ctx: click.Context, folder: str | None) -> "Library":
    from emulator.cli import folders  # noqa: PLC0415 - reads the whole language
    from emulator.core.errors import as_text  # noqa: PLC0415

    library, problems = folders.library(ctx, folder)
    options.refuse_mistakes(ctx)
    for problem in problems:
        click.echo(as_text(problem), err=True)
    if problems:
        raise Refused([f"not every file in {folder} can be read"])
    return library


def _about(scenario: "Scenario") -> str:
    return " ".join((scenario.about or "").split())


def _as_json(scenario: "Scenario") -> dict[str, object]:
    return {
        "name": scenario.name,
        "about": scenario.about,
        "providers": list(scenario.providers),
        "file": scenario.source,
    }


def _print_table(found: list["Scenario"]) -> None:
    # Imported only for a terminal: rich takes as long to import as the rest.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for one in found:
        table.add_row(Text(one.name), Text(_about(one)))
    Console(highlight=False).print(table)
