"""Who else may answer at a URL: nobody, a stranger, an emulator that speaks https."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from emulator import server
from emulator.server import Address
from tests.serving import HOST, PATIENCE
from tests.worlds import World

CERTIFICATE: Final = str(Path(__file__).parent.parent / "tls" / "self-signed.pem")
JSON: Final = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
HTML: Final = b"HTTP/1.1 %d X\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"


@contextmanager
def answering(data: bytes | None) -> Iterator[str]:
    """The URL of a server that answers each connection with these bytes and closes; ``None``: with nothing."""
    with socket.create_server((HOST, 0)) as listening:
        listening.settimeout(PATIENCE)

        def serve() -> None:
            while data is not None:
                try:
                    connection, _ = listening.accept()
                except OSError:  # the test is over
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(data)

        runner = threading.Thread(target=serve, daemon=True)
        runner.start()
        yield f"http://{HOST}:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        runner.join(PATIENCE)
        assert not runner.is_alive()


def free_url() -> str:
    """The URL of a port on which nothing listens."""
    with socket.create_server((HOST, 0)) as free:
        return f"http://{HOST}:{free.getsockname()[1]}"


@contextmanager
def serving_https() -> Iterator[str]:
    """The URL of an emulator with a certificate of its own."""
    is_up = threading.Event()
    address = Address(host=HOST, port=0, tls_cert=CERTIFICATE, tls_key=CERTIFICATE)
    sock = server.listen(address)
    served = server.made(World().app, address, is_up.set)
    runner = threading.Thread(target=served.run, kwargs={"sockets": [sock]}, daemon=True)
    runner.start()
    assert is_up.wait(PATIENCE)
    yield f"https://{HOST}:{sock.getsockname()[1]}"
    served.should_exit = True
    runner.join(PATIENCE)
    assert not runner.is_alive()
