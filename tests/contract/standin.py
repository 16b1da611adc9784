"""A small stand-in for a real provider, made by another hand than the emulator: what a contract test is tried on.

It serves the recorded samples, with ids, dates and links of its own, over a real socket, and can be told to
drift from them. By hand::

    python tests/contract/standin.py octopusx --port 9000 --drift new-word
"""

import argparse
import re
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time  # noqa: TID251 - a real provider has the real time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

if __name__ == "__main__":  # run by its path, which puts this folder where the project's should be
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.contract.standin_acedata import AceData
from tests.contract.standin_gateway import Gateway
from tests.contract.standin_media import linked, served
from tests.contract.standin_parts import (
    DRIFTS,
    HTML_TYPE,
    JSON_TYPE,
    NO_EFFECT,
    PROFILES,
    PROVIDERS,
    TROUBLES,
    Call,
    Operation,
    Reply,
    Seen,
    Setup,
    Shelf,
    Wire,
)

__all__ = ["DRIFTS", "NO_EFFECT", "PROFILES", "PROVIDERS", "TROUBLES", "Seen", "StandIn", "main"]

HOST: Final = "127.0.0.1"
KEY: Final = "sk-good-standin"
CERTIFICATE: Final = Path(__file__).parents[1] / "tls" / "self-signed.pem"
_PATIENCE: Final = 5.0
"""Seconds for connections to end once the stand-in closes."""

_CREATES: Final = frozenset({"/sora/videos", "/veo/videos", "/v1/videos"})
_COSTLY: Final = re.compile(
    r"/(sora|veo)/videos"
    r"|/veo/(upsample|extend|reshoot|objects)"
    r"|/v1/videos(/edits|/extensions|/characters|/[^/]+/remix)?"
    r"|/v1/video/(create|generations|remix)"
)
"""Paths to which a POST costs money, or might."""

_LOGIN: Final = Reply(200, b"<html><body><form action='/login'>Sign in</form></body></html>", HTML_TYPE)
_TO_LOGIN: Final = Reply(302, b"", HTML_TYPE, {"Location": "/login"})
_STRANGE: Final[Mapping[str, Callable[[], bytes]]] = {
    "huge": lambda: b'{"id":"%b"}' % (b"x" * 50_000_000),
    "deep": lambda: b'{"id":%b%b}' % (b"[" * 100_000, b"]" * 100_000),
    "not-utf8": lambda: b'{"id":"\xff\xfe\xfa","status":"queued"}',
}
"""The bodies of the troubles that answer every request of the API alike."""
_WIRES: Final[Mapping[str, type[AceData] | type[Gateway]]] = {
    "acedata-sora": AceData,
    "acedata-veo": AceData,
    "octopusx": Gateway,
    "ezmodel": Gateway,
}


class StandIn:
    """A provider on a port of this machine, for as long as the ``with`` lasts.

    Args:
        provider: One of `PROVIDERS`.
        profile: The wire of the `documented` pages, or of the `current` public clients.
        drift: Names from `DRIFTS`.
        trouble: Names from `TROUBLES`.
        key: The one key that is good.
        scheme: ``http``, or ``https`` with the tests' self-signed certificate.
        ready_after: How many polls of a created task find it queued, and how many then processing.
        link_lives: Seconds from a task's completion, taken to the whole second before, to its link's end.
        secrets: Texts to plant, by where: ``user_id``, ``application_id``, ``credential_id``, ``prompt``
            (AceData's records), ``message`` (every error), ``header`` (Set-Cookie and X-Account), ``link`` (its
            ``sig``), ``body`` (a member ``internal_token`` of tasks). With them, even an empty dict, errors
            repeat the key that came.
        port: 0 for a free one.
        dies_early_after: Seconds of life of a link with the drift ``link-dies-early``.
        slow_for: Seconds of the trouble ``slow``.
        clock: The time that dates everything and ends links, in Unix seconds.
    """

    def __init__(
        self,
        provider: str,
        *,
        profile: str = "documented",
        drift: Collection[str] = (),
        trouble: Collection[str] = (),
        key: str = KEY,
        scheme: str = "http",
        ready_after: tuple[int, int] = (1, 2),
        link_lives: float = 3600.0,
        secrets: Mapping[str, str] | None = None,
        port: int = 0,
        dies_early_after: float = 1.0,
        slow_for: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._setup = Setup(
            provider,
            profile,
            key,
            frozenset(drift),
            frozenset(trouble),
            ready_after,
            link_lives,
            dies_early_after,
            secrets,
            clock,
        )
        if scheme not in {"http", "https"}:
            raise ValueError(f"the scheme is http or https, not {scheme!r}")
        self._scheme = scheme
        self._port = port
        self._slow_for = slow_for
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._requests: list[Seen] = []
        self._limited: Counter[str] = Counter()
        self.key = key
        self.url = ""
        """The base URL, without a slash at the end; empty until the ``with`` begins."""
        self.tasks: dict[str, str] = {}
        """The ids of the tasks that exist from the start, by name."""

    def __enter__(self) -> Self:
        self._server = _Server(self, self._port, tls=self._scheme == "https")
        self.url = f"{self._scheme}://{HOST}:{self._server.server_port}"
        self._shelf = Shelf(self._setup)
        self._wire: Wire = _WIRES[self._setup.provider](self._setup, self._shelf, self.url)
        self.tasks = self._wire.existing()
        self._runner = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._runner.join(_PATIENCE)
        self._server.hang_up()

    @property
    def requests(self) -> list[Seen]:
        """Every request so far, in the order in which they came."""
        with self._lock:
            return list(self._requests)

    @property
    def creates(self) -> int:
        """How many POSTs to a create path came, whatever was answered."""
        return sum(seen.method == "POST" and _plain(seen.path) in _CREATES for seen in self.requests)

    @property
    def costly(self) -> list[Seen]:
        """The requests that could cost money at the real provider."""
        return [
            seen for seen in self.requests if seen.method == "POST" and _COSTLY.fullmatch(_plain(seen.path))
        ]

    def answer(self, seen: Seen) -> Reply | None:
        """What a request gets, as it goes onto the wire; ``None``: the connection closes without an answer."""
        with self._lock:
            self._requests.append(seen)
        if "slow" in self._setup.trouble and self._closing.wait(self._slow_for):
            return None
        with self._lock:
            reply = self._answered(seen)
        return reply and self._with_secrets(reply)

    @property
    def resets(self) -> bool:
        """Whether a connection that gets no answer ends by a reset."""
        return "resets" in self._setup.trouble

    def _answered(self, seen: Seen) -> Reply | None:
        trouble = self._setup.trouble
        if "resets" in trouble:
            return None
        if "login-redirect" in trouble:
            return _LOGIN if seen.path == "/login" else _TO_LOGIN
        if "html" in trouble:
            return _LOGIN
        task = linked(self._shelf, seen)
        if task is not None:
            return served(self._setup, self._wire, seen, task)
        return self._by_the_api(seen)

    def _by_the_api(self, seen: Seen) -> Reply | None:
        key = _key(seen.headers.get("authorization", ""), is_bare=self._wire.key_is_bare)
        call = Call(seen, key, self._wire.mark())
        operation = self._wire.operation(seen)
        reply = self._troubled(call, operation) or self._performed(call, operation)
        if operation == Operation("create") and "lost-create" in self._setup.trouble:
            return None
        return self._headed(call, reply)

    def _troubled(self, call: Call, operation: Operation | None) -> Reply | None:
        """The answer that a trouble gives instead of the ordinary one."""
        trouble = self._setup.trouble
        for name, body in _STRANGE.items():
            if name in trouble:
                return Reply(200, body(), JSON_TYPE)
        self._limited[call.seen.path] += 1
        is_early = "rate-limits" in trouble and self._limited[call.seen.path] <= 2
        if is_early or "rate-limits-forever" in trouble:
            reply = self._wire.refuse(call, "rate_limited", operation.name if operation else "")
            return Reply(reply.status, reply.body, reply.content_type, {"Retry-After": "1"})
        if "server-error" in trouble and operation and operation.name == "poll":
            return self._wire.refuse(call, "internal", "poll")
        return None

    def _performed(self, call: Call, operation: Operation | None) -> Reply:
        """The ordinary answer. A path that isn't there is told before the key is looked at."""
        if operation is None:
            return self._wire.refuse(call, "no_route")
        fault = self._fault_of_key(call)
        if fault:
            return self._wire.refuse(call, fault, operation.name)
        return self._wire.perform(call, operation)

    def _fault_of_key(self, call: Call) -> str:
        if "refuses-key" in self._setup.trouble:
            return "wrong_key"
        if not call.seen.headers.get("authorization"):
            return "" if "accepts-no-key" in self._setup.drift else "no_key"
        if call.key and "accepts-any-key" in self._setup.drift:
            return ""
        good, given = self._setup.key, call.key
        if self._wire.key_is_bare:
            good, given = good.removeprefix("sk-"), given.removeprefix("sk-")
        return "" if given == good else "wrong_key"

    def _headed(self, call: Call, reply: Reply) -> Reply:
        """The answer with the API's headers, drifted."""
        headers = self._wire.headers(call)
        if "header-gone" in self._setup.drift:
            del headers[self._wire.request_id]
        is_text = "content-type" in self._setup.drift and reply.content_type.startswith(JSON_TYPE)
        content_type = "text/plain" if is_text else reply.content_type
        return Reply(reply.status, reply.body, content_type, {**headers, **reply.headers})

    def _with_secrets(self, reply: Reply) -> Reply:
        planted = self._setup.secret("header", "")
        if not planted:
            return reply
        headers = {**reply.headers, "Set-Cookie": planted, "X-Account": planted}
        return Reply(reply.status, reply.body, reply.content_type, headers)


class _Server(ThreadingHTTPServer):
    """The listening socket, and the connections that are open."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, stand_in: StandIn, port: int, *, tls: bool) -> None:
        self.stand_in = stand_in
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
        if self._tls:
            self._tls.load_cert_chain(CERTIFICATE)
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service who 127.0.0.1 is, which may take long."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.socket.getsockname()[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection. Its handshake is left to its thread: a slow one holds nobody up."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._changed:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """End a connection, and take it off the list."""
        super().shutdown_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def hang_up(self) -> None:
        """End every connection that is still open, and wait for its thread to let it go."""
        with self._changed:
            for connection in self._open:
                with suppress(OSError):  # not the TLS socket's own, which its thread is still using
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, _PATIENCE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no defect; anything else is one, and gets its traceback."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """A connection: it reads requests and writes what the stand-in answers."""

    protocol_version = "HTTP/1.1"
    server_version = "stand-in"
    sys_version = ""
    disable_nagle_algorithm = True  # head and body are two writes
    server: _Server

    def _serve(self) -> None:
        body = self._body()
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.stand_in.answer(Seen(self.command, path, query, headers, body, time.monotonic()))
        if reply is None:
            self._leave()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing: the tests read `StandIn.requests`."""

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # the trailer
            pass
        return body

    def _leave(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True
        if self.server.stand_in.resets:
            linger = struct.pack("ii", 1, 0)  # closing throws away what waits, and resets
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()


def _plain(path: str) -> str:
    """A path without what a lenient server overlooks: doubled slashes, one at the end, capitals."""
    return re.sub(r"/+", "/", path).rstrip("/").lower()


def _key(authorization: str, *, is_bare: bool) -> str:
    """The key in an Authorization header; empty where it has none."""
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return authorization.strip() if is_bare else ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve by hand until Ctrl-C."""
    parser = argparse.ArgumentParser(description="A stand-in for a real provider.")
    parser.add_argument("provider", choices=PROVIDERS)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--profile", choices=PROFILES, default="documented")
    parser.add_argument("--scheme", choices=("http", "https"), default="http")
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--link-lives", type=float, default=3600.0, metavar="SECONDS")
    parser.add_argument("--drift", choices=DRIFTS, nargs="+", default=[], action="extend", metavar="NAME")
    parser.add_argument("--trouble", choices=TROUBLES, nargs="+", default=[], action="extend", metavar="NAME")
    with StandIn(**vars(parser.parse_args(arguments))) as stand_in:
        lines = [f"url {stand_in.url}", f"key {stand_in.key}"]
        lines += [f"task {name} {id}" for name, id in stand_in.tasks.items()]
        sys.stdout.write("\n".join([*lines, ""]))
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
