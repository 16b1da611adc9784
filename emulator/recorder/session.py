"""A recording from its beginning to Ctrl-C."""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from emulator import server
from emulator.clock import Clock
from emulator.core.scenario import ClockSettings
from emulator.recorder.keeping import Unwritten
from emulator.recorder.proxy import Recorder, Setting
from emulator.recorder.recording import Recorded
from emulator.server import Address, CannotListen

__all__ = ["CannotListen", "Place", "Unwritten", "session"]


class Place(msgspec.Struct, frozen=True):
    """Where to listen."""

    host: str
    port: int


def session(
    setting: Setting, place: Place, begin: Callable[[int], None], say: Callable[[str], None]
) -> Recorded:
    """Record until a signal ends it; what came of it, written.

    Args:
        setting: what the recorder is told.
        place: where to listen.
        begin: called with the port when requests are answered.
        say: told of each change.

    Raises:
        CannotListen: the address can't be listened on, or the upstream is the recorder itself.
        Unwritten: the scenario can't be written.
    """
    address = Address(host=place.host, port=place.port)
    sock = server.listen(address)
    port = sock.getsockname()[1]
    if _is_itself(setting.upstream, port):
        sock.close()
        raise CannotListen(f"--upstream is the recorder itself, on port {port}: choose another --port")
    recorder = Recorder(setting, Clock(ClockSettings()), say)
    with suppress(KeyboardInterrupt):
        server.run(recorder, address, sock, lambda: begin(port))
    return recorder.finish()


def _is_itself(upstream: str, port: int) -> bool:
    host = upstream.partition("://")[2].partition("/")[0]
    return host in {f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"}
