"""Receivers of callbacks: real HTTP servers, each in a thread of this process, that do as a test says."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import msgspec

HOST: Final = "127.0.0.1"
Answering = Callable[["Got"], int]


class Got(msgspec.Struct, frozen=True):
    """One callback as it came."""

    path: str
    headers: Mapping[str, str]
    body: Any


class Receiver:
    """What came, and where it is to be sent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.got: list[Got] = []

    @property
    def url(self) -> str:
        """Where callbacks go."""
        return f"http://{HOST}:{self.port}/hook?of=the+test"


@contextmanager
def receiver(answering: Answering = lambda _: 200) -> Iterator[Receiver]:
    """A receiver that answers each callback with the status code that ``answering`` gives."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got = Got(self.path, headers, json.loads(data))
            receives.got.append(got)
            self.send_response(answering(got))
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        receives = Receiver(server.server_port)
        runner = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        runner.start()
        try:
            yield receives
        finally:
            server.shutdown()
            runner.join()


@contextmanager
def raw(serve: Callable[[socket.socket], None]) -> Iterator[Receiver]:
    """A receiver that does with each connection whatever ``serve`` does, in a thread for each."""
    with socket.create_server((HOST, 0)) as listening:
        is_over = threading.Event()

        def accept() -> None:
            while not is_over.is_set():
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=_served, args=(serve, connection), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield Receiver(listening.getsockname()[1])
        finally:
            is_over.set()
            listening.close()


def _served(serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection, suppress(OSError):
        serve(connection)
