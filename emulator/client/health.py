"""That an emulator lives."""

from emulator.client.calls import Call, S, Subject, call, get
from emulator.messages.health import Health, Ready


class Alive(Subject[S]):
    """What needs no token."""

    @call
    def health(self) -> Call[Health]:
        """That the emulator lives, and what the namespace holds."""
        return get("/health", Health)

    @call
    def ready(self) -> Call[Ready]:
        """That requests are answered. It never says no: the emulator listens only when they are."""
        return get("/ready", Ready)
