"""An emulator of video-generation task APIs, driven by scenario files."""

__version__ = "0.1.0"

TYPE_CHECKING = False  # importing `typing` for it would be most of what this module costs
if TYPE_CHECKING:
    from emulator.client import AsyncClient, Client
else:

    def __getattr__(name: str) -> object:
        if name not in {"AsyncClient", "Client"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from emulator import client  # noqa: PLC0415 - nothing but a client needs it

        return getattr(client, name)


__all__ = ["AsyncClient", "Client", "__version__"]
