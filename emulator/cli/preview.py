"""``video-emulator preview``."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from emulator.cli import options
from emulator.cli.options import Refused

if TYPE_CHECKING:
    from emulator.preview import Conversation, Step

_TITLES = ("t", "operation", "code", "status", "printed", "progress", "delay", "note")
_FOLDED_FROM = 3
"""So many rows in a row that differ in nothing but the time, after the first, are shown as one line."""
_LONGEST_NOTE = 120
_EXISTING_NAMED = 3
"""How many of the tasks that a scenario brings along are named."""
_Row = tuple[str, ...]


def _json_object(text: str) -> dict[str, Any]:
    from emulator import bodies  # noqa: PLC0415 - reads it as the server would

    body = bodies.from_json(text.encode("utf-8", "replace"))
    if body.broken is not None or not isinstance(body.fields, dict):
        raise ValueError(body.broken or f"expected a JSON object, got {text[:100]!r}")
    return body.fields


@click.command(short_help="Show a client's conversation, without a server.")
@click.argument("file")
@click.option(
    "--provider",
    type=options.PROVIDER,
    help="Whose client it is; otherwise the first that the file is about, else octopusx.",
    metavar="NAME",
)
@click.option(
    "--every",
    type=options.DURATION,
    default="2s",
    show_default=True,
    help="How long the client waits between polls.",
    metavar="DURATION",
)
@click.option(
    "--for",
    "lasting",
    type=options.DURATION,
    help="Go on for so long, whatever the polls show; otherwise until one poll past the end.",
    metavar="DURATION",
)
@click.option(
    "--request",
    type=options.Value("json", _json_object),
    help="The create request; otherwise that of the provider's document.",
    metavar="JSON",
)
@click.option("--task", type=options.TEXT, help="Poll this task in place of a new one.", metavar="ID")
@click.option(
    "--key", type=options.TEXT, help="The API key; otherwise one that the scenario takes.", metavar="KEY"
)
@click.option(
    "--seed",
    type=options.SEED,
    default="0",
    show_default=True,
    help="What all draws are keyed by.",
    metavar="SEED",
)
@click.option(
    "--profile",
    type=options.PROFILE,
    default="documented",
    show_default=True,
    help="The provider's face, if the scenario names none.",
    metavar="documented|current",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the whole answers.")
@click.pass_context
def preview(ctx: click.Context, /, **told: Any) -> None:
    """Show the conversation that a polling client would have with FILE (or a shipped scenario), without a server.

    The clock is a manual one: nothing is waited for, and the same file gives the same conversation every
    time. Where an answer asks to wait (Retry-After), the client does.
    """
    options.refuse_mistakes(ctx)
    from emulator.preview import conversation  # noqa: PLC0415 - the whole engine

    library, name = _library(told["file"])
    found = conversation(library, name, _wish(told, library.get(name)))
    if told["as_json"]:
        click.echo(json.dumps(_as_json(found), indent=2))
    elif sys.stdout.isatty():
        _print_table(found)
    else:
        click.echo("\n".join(_plain(found)))


def _library(file: str) -> tuple[Any, str]:
    from emulator.cli import naming  # noqa: PLC0415 - reads YAML
    from emulator.core.errors import ScenarioError, as_text  # noqa: PLC0415
    from emulator.library import Library  # noqa: PLC0415

    library = Library()
    try:
        name = naming.chosen(library, file)
    except ScenarioError as error:
        for problem in error.problems:
            click.echo(as_text(problem), err=True)
        count = len(error.problems)
        raise Refused(
            [f"{count} mistake{'' if count == 1 else 's'} in {file}; there is nothing to show"]
        ) from None
    except LookupError as problem:
        raise Refused([str(problem.args[0])]) from None
    return library, name


def _wish(told: dict[str, Any], scenario: Any) -> Any:
    from emulator.core.words import Profile  # noqa: PLC0415
    from emulator.preview import MAX_POLLS_TOLD, Wish  # noqa: PLC0415
    from emulator.providers import by_name  # noqa: PLC0415

    if told["request"] is not None and told["task"] is not None:
        raise Refused(["--request makes a new task and --task polls an existing one; give one of them"])
    lasting, every = told["lasting"], told["every"]
    if lasting is not None and lasting // every > MAX_POLLS_TOLD:
        raise Refused(
            [f"--for: these are {lasting // every:,} polls; a preview shows {MAX_POLLS_TOLD:,} at most"]
        )
    provider = told["provider"] or next(iter(scenario.providers), "octopusx")
    return Wish(
        provider=by_name[provider],
        every=every,
        lasting=lasting,
        seed=told["seed"],
        profile=Profile(told["profile"]),
        request=told["request"],
        task_id=told["task"],
        key=told["key"],
    )


# JSON


def _as_json(found: "Conversation") -> dict[str, Any]:
    from emulator.core.units import format_instant  # noqa: PLC0415

    return {
        "scenario": found.scenario.name,
        "provider": found.wish.provider.name,
        "start": format_instant(found.start),
        "task": found.task_id,
        "exchanges": [_step_as_json(step) for step in found.steps],
        "callbacks": None if found.callbacks is None else [at / 1_000_000 for at in found.callbacks],
        "reason": found.reason,
        "end": found.end,
    }


def _step_as_json(step: "Step") -> dict[str, Any]:
    return {
        "t": step.t / 1_000_000,
        "operation": step.operation,
        "method": step.method,
        "path": step.path,
        "status_code": step.status_code,
        "status": step.status,
        "printed": step.word,
        "progress": step.progress,
        "delay": step.delay / 1_000_000,
        "headers": step.headers,
        "body": step.body,
        "video": step.video,
        "fault": step.fault,
        "slow_body": step.slow_body,
    }


# Text


def _heading(found: "Conversation") -> str:
    from emulator.core.units import format_duration, format_instant  # noqa: PLC0415
    from emulator.preview import existing  # noqa: PLC0415

    scenario, wish = found.scenario, found.wish
    provider = wish.provider.name
    words = f"{scenario.name} at {provider}: a poll every {format_duration(wish.every)}"
    words += f", t counts from {format_instant(found.start)}"
    if not scenario.speaks_of(provider):
        words += f"\n(the scenario isn't about {provider}, which answers as in happy-path)"
    others = [task for task in existing(scenario, wish.provider) if task != found.task_id]
    if others:
        more = ", ..." if len(others) > _EXISTING_NAMED else ""
        words += f"\n(it brings tasks along, which --task polls: {', '.join(others[:_EXISTING_NAMED])}{more})"
    return words


def _rows(steps: Sequence["Step"]) -> list[_Row]:
    """A row for each step; a long run of the same is its first row and one that counts the others."""
    rows: list[_Row] = []
    run: list[_Row] = []
    for row in [*map(_row, steps), ()]:
        if run and row[1:] == run[0][1:]:
            run.append(row)
            continue
        rows.extend(_folded(run))
        run = [row]
    return rows


def _folded(run: list[_Row]) -> list[_Row]:
    others = len(run) - 1
    if others < _FOLDED_FROM:
        return run
    return [run[0], (run[-1][0], f"... {others} more like it", *[""] * (len(_TITLES) - 2))]


def _row(step: "Step") -> _Row:
    from emulator.core.units import format_duration  # noqa: PLC0415

    delay = round(step.delay, -3)
    return (
        format_duration(step.t),
        str(step.operation),
        str(step.status_code),
        step.status or "",
        step.word or "",
        "" if step.progress is None else str(step.progress),
        format_duration(delay) if delay else "",
        _note(step),
    )


def _note(step: "Step") -> str:
    from emulator.preview import error_in  # noqa: PLC0415

    words = [f"fault {step.fault}"] if step.fault else []
    words += [f"body {step.slow_body}"] if step.slow_body else []
    words += [step.video] if step.video else []
    error = error_in(step.body)
    if error is None and isinstance(step.body, str):
        error = step.body.removeprefix("\ufeff")
    if error is not None:
        words.append(error)
    words += [f"{name}: {value}" for name, value in step.headers.items()]
    note = " ".join("; ".join(words).split())
    return note if len(note) <= _LONGEST_NOTE else f"{note[:_LONGEST_NOTE]}..."


def _table(found: "Conversation") -> list[_Row]:
    """Titles and rows, without the columns in which nothing stands."""
    rows = _rows(found.steps)
    filled = [n for n in range(len(_TITLES)) if any(row[n] for row in rows)]
    return [tuple(row[n] for n in filled) for row in (_TITLES, *rows)]


def _is_fold(row: _Row) -> bool:
    return row[1].startswith("...")


def _plain(found: "Conversation") -> list[str]:
    rows = _table(found)
    widths = [max(len(row[n]) for row in rows if not _is_fold(row)) for n in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return [_heading(found), "", *(line.rstrip() for line in lines), "", _ending(found)]


def _ending(found: "Conversation") -> str:
    """Why it ends, and when that is told to the ``callback_url`` of the create."""
    from emulator.core.units import format_duration  # noqa: PLC0415

    if found.callbacks is None:
        return found.end
    if not found.callbacks:
        return f"{found.end}; the callback that the create asks for never comes"
    instants = " and ".join(map(format_duration, found.callbacks))
    return f"{found.end}; the callback that the create asks for comes at {instants}"


def _print_table(found: "Conversation") -> None:
    # Imported only for a terminal: rich takes as long to import as the rest.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    titles, *rows = _table(found)
    for title in titles:
        table.add_column(title, justify="right" if title in {"t", "progress", "delay"} else "left")
    for row in rows:
        table.add_row(*map(Text, row), style=_colour(row))
    console = Console(highlight=False)
    console.print(Text(_heading(found)), "", table, "", Text(_ending(found)), sep="\n")


def _colour(row: _Row) -> str:
    if _is_fold(row):
        return "dim"
    if row[2] >= "400":
        return "yellow"
    colours = {"completed": "green", "failed": "red", "cancelled": "red"}
    return colours.get(row[3], "")
