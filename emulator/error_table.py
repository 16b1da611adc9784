"""The page of all errors, docs/errors.md, written by the code that answers with them.

``python -m emulator.error_table`` prints it.
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from emulator.core.call import Refusal
from emulator.core.units import parse_instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers import PROVIDERS
from emulator.providers.base import Operation, Provider, Scene, Wire, first_of

_NOW: Final = parse_instant("2025-01-01T00:00:00Z")
_ENTROPY: Final = bytes(range(48))

_HEAD: Final = """# Errors

Every named error of the scenario language, and every refusal that follows from the request itself, as each
provider words it in both profiles. This page is printed by the code that answers:

    python -m emulator.error_table > docs/errors.md

A scenario's `{name, code, message}` replaces code and message, never the shape. Bodies are those of a poll (a
content download for `not_ready` and `media_gone`, where the provider has one); ids in them are drawn, and
differ from answer to answer. Where a provider's wording depends on the operation, or where it is our choice,
its page says so: [AceData](providers/acedata.md), [OctopusX](providers/octopusx.md),
[EzModel](providers/ezmodel.md).

The last five rows have no name in a scenario:

| row | when |
| --- | --- |
| `no_route` | no such path, or not with this method |
| `not_ready` | the content is asked for before the task has completed |
| `media_gone` | the content is asked for after its link has died |
| `too_large` | the body is larger than the emulator reads |
| `broken_body` | the body isn't what its content type says |
"""


def error_table() -> str:
    """docs/errors.md: an overview of status codes and codes, then each provider's bodies, as Markdown."""
    bodies = [_bodies(provider, profile) for provider in PROVIDERS for profile in Profile]
    return "\n".join([_HEAD, _overview(), *bodies])


def _overview() -> str:
    columns = [(provider, profile) for provider in PROVIDERS for profile in Profile]
    rows = [
        (f"`{name}`", *(_in_short(_wire(provider, profile, name)) for provider, profile in columns))
        for name in (*ErrorName, *Situation)
    ]
    heads = [f"{provider.name}, {profile}" for provider, profile in columns]
    return "## Status codes and codes\n\n" + _table(["error", *heads], rows)


def _bodies(provider: Provider, profile: Profile) -> str:
    rows = []
    for name in (*ErrorName, *Situation):
        wire = _wire(provider, profile, name)
        rows.append((f"`{name}`", str(wire.status_code), f"`{_as_json(wire.body)}`"))
    return f"## {provider.name}, profile `{profile}`\n\n" + _table(["error", "status code", "body"], rows)


def _wire(provider: Provider, profile: Profile, name: ErrorName | Situation) -> Wire:
    operation = _operation(provider, name)
    scene = Scene(
        profile=profile,
        method=operation.method,
        path="/unknown" if name is Situation.NO_ROUTE else operation.path.replace("{task_id}", "TASK"),
        now=_NOW,
        entropy=_ENTROPY,
        status=Status.PROCESSING,
        operation=operation.name,
    )
    return provider.refuse(Refusal(name), scene)


def _operation(provider: Provider, name: ErrorName | Situation) -> Operation:
    poll = first_of(provider.operations, OperationName.POLL)
    assert poll is not None
    if name in (Situation.NOT_READY, Situation.MEDIA_GONE):
        return first_of(provider.operations, OperationName.CONTENT) or poll
    return poll


def _in_short(wire: Wire) -> str:
    code = _code_in(wire.body)
    return f"{wire.status_code} `{code}`" if code else str(wire.status_code)


def _code_in(body: Any) -> str:
    """The code that a client finds in the body, at its top or in its ``error``."""
    if not isinstance(body, dict):
        return ""
    return str(body.get("code") or _code_in(body.get("error")))


def _as_json(body: Any) -> str:
    # A bar would end the table's cell.
    return orjson.dumps(body).decode().replace("|", "\\|")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    # Bytes: the page is UTF-8 whatever the terminal's encoding, and its lines end the same everywhere.
    sys.stdout.buffer.write(error_table().encode())
