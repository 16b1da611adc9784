"""What the language needs to know of the providers: their names, and the names that ``values`` may set."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from emulator.providers import by_name
from emulator.scenario_file.kinds import Simple, word

_NEAR: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sora": "acedata-sora",
        "veo": "acedata-veo",
        "acedata": "there is 'acedata-sora' and 'acedata-veo'",
        "octopus": "octopusx",
        "ez": "ezmodel",
    }
)

ALL: Final = tuple(by_name)
"""The names of all providers."""
PROVIDER_NAMES: Final[Simple[str]] = word("a provider such as octopusx", {name: name for name in ALL}, _NEAR)


def value_names(providers: Iterable[str]) -> tuple[str, ...]:
    """The names that ``values`` may set for a task of any of these providers."""
    return tuple(dict.fromkeys(name for provider in providers for name in by_name[provider].value_names))
