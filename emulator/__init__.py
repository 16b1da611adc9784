"""An emulator of video-generation task APIs, driven by scenario files."""

__version__ = "0.1.0"

TYPE_CHECKING = False  # importing `typing` for it would be most of what this module costs
if TYPE_CHECKING:
    from emulator.client import AsyncClient, Client
    from emulator.embedded import AsyncEmulator, Emulator
else:
    _HOMES = {
        "AsyncClient": "emulator.client",
        "AsyncEmulator": "emulator.embedded",
        "Client": "emulator.client",
        "Emulator": "emulator.embedded",
    }

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - only who asks for one of them pays for it

        return getattr(import_module(_HOMES[name]), name)


__all__ = ["AsyncClient", "AsyncEmulator", "Client", "Emulator", "__version__"]
