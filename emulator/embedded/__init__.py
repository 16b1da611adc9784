"""An emulator in the caller's own process: `Emulator`, the same over a socket, through a transport, or elsewhere."""

from emulator.embedded.emulators import AsyncEmulator, Emulator, EmulatorServer
from emulator.embedded.servers import Here, Server, There
from emulator.embedded.worlds import Beginning

__all__ = ["AsyncEmulator", "Beginning", "Emulator", "EmulatorServer", "Here", "Server", "There"]
