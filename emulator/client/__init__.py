"""The control API from Python: `Client`, `AsyncClient`, and what they raise."""

from emulator.client.errors import (
    BadRequest,
    Conflict,
    EmulatorClosed,
    EmulatorError,
    EmulatorUnreachable,
    NoRoom,
    NotAllowed,
    NotAnEmulator,
    NotFound,
    NotVerified,
    NotWellBehaved,
    Refused,
)

TYPE_CHECKING = False  # `typing` and the clients are imported by whoever asks for a client
if TYPE_CHECKING:
    from emulator.client.clients import AsyncClient, Client
else:

    def __getattr__(name: str) -> object:
        if name not in {"AsyncClient", "Client"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from emulator.client import clients  # noqa: PLC0415 - `video-emulator health` does without

        return getattr(clients, name)


__all__ = [
    "AsyncClient",
    "BadRequest",
    "Client",
    "Conflict",
    "EmulatorClosed",
    "EmulatorError",
    "EmulatorUnreachable",
    "NoRoom",
    "NotAllowed",
    "NotAnEmulator",
    "NotFound",
    "NotVerified",
    "NotWellBehaved",
    "Refused",
]
