"""``video-emulator schema``."""

import json

import click


@click.command(short_help="Print the JSON Schema of scenario files.")
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from emulator.scenario_file.schema import scenario_schema  # noqa: PLC0415 - reads the whole language

    click.echo(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))
