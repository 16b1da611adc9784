"""The providers: what each of them answers, as OpenAPI."""

from functools import cache
from typing import Any, Final

import msgspec

from emulator.control.fields import Field, one_of, text
from emulator.control.problems import unknown
from emulator.control.routes import JSON, Call, Route, Text
from emulator.core.words import Profile
from emulator.providers import by_name
from emulator.providers.base import Provider

_NAME: Final = Field("name", text("the name of a provider"), "Whose.")
_PROFILE: Final = Field(
    "profile", one_of(*Profile), "Which of its faces; left out: the one that is in force in the namespace."
)


def _known(name: str) -> Provider:
    found = by_name.get(name)
    if found is not None:
        return found
    detail = f"name: no provider is called {name[:200]!r}; there are: {', '.join(by_name)}"
    raise unknown("Unknown provider", detail, list(by_name))


@cache
def _described(name: str, profile: Profile) -> bytes:
    # Imported when first asked for: they read YAML, which serving does without.
    from emulator.contracts.contract import contract_of  # noqa: PLC0415
    from emulator.contracts.openapi import document  # noqa: PLC0415

    return msgspec.json.encode(document(contract_of(name), profile, by_name[name].base))


async def _openapi(call: Call) -> Text:
    provider = _known(call.path["name"])
    asked = call.query["profile"]
    profile = call.namespace.in_force(provider).profile if asked is None else Profile(asked)
    return Text(_described(provider.name, profile), JSON)


ROUTES = (
    Route(
        method="GET",
        path="/providers/{name}/openapi.json",
        handler=_openapi,
        about="What a provider answers: its contract, as OpenAPI.",
        tag="providers",
        answers=dict[str, Any],
        params=(_NAME,),
        query=(_PROFILE,),
        problems={404: "No provider has this name."},
    ),
)
