"""The providers. Each is a module of pure functions that ends in a table; none imports another."""

from collections.abc import Mapping
from typing import Final

from emulator.providers import acedata_sora, acedata_veo, ezmodel, octopusx
from emulator.providers.base import Provider

PROVIDERS: Final[tuple[Provider, ...]] = (
    acedata_sora.PROVIDER,
    acedata_veo.PROVIDER,
    octopusx.PROVIDER,
    ezmodel.PROVIDER,
)
"""Every provider, in the order in which documentation and start-up banner list them."""

by_name: Final[Mapping[str, Provider]] = {provider.name: provider for provider in PROVIDERS}
"""The same, by the names that scenarios and options use."""
