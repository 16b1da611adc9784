"""What the application is told when it is made."""

import msgspec

from emulator.engine import Settings
from emulator.namespaces import Bounds


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What `serve` was told, as far as the application cares."""

    settings: Settings = Settings()
    public_url: str | None = None
    """Scheme and host that links start with; ``None``: those of the request that created the task."""
    root_provider: str = "octopusx"
    """Who answers at the root where two providers share a path and the task doesn't tell."""
    bounds: Bounds = Bounds()
    admin_token: str | None = None
    """What the control API asks for; ``None``: nothing."""
    callback_hosts: tuple[str, ...] = ()
    """Hosts that callbacks may go to besides loopback and private addresses."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names under which the control API is served besides addresses and local names."""
