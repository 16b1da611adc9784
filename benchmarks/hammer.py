"""The load where wrk isn't installed: ``python -m benchmarks.hammer PORT CONNECTIONS SECONDS BEFORE AFTER IDS``.

It prints what it counted as JSON. It reads just as much of an answer as it takes to know where it ends.
"""

import select
import socket
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.load import Counted

_OK: Final = b"HTTP/1.1 200 "
_LENGTH: Final = b"content-length: "
_END: Final = b"\r\n\r\n"
_READ: Final = 65536


class Connection:
    """One keep-alive connection, with at most one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self._data = b""

    def received(self) -> bytes | None:
        """The answer, once all of it is there."""
        data = self.socket.recv(_READ)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._data = data = self._data + data
        if not is_whole(data):
            return None
        self._data = b""
        return data


def is_whole(answer: bytes) -> bool:
    """Whether all of an answer is there: as much after its head as ``content-length`` says."""
    head_end = answer.find(_END)
    if head_end < 0:
        return False
    begins = answer.find(_LENGTH, 0, head_end)
    if begins < 0:
        raise ConnectionError("an answer without a content-length")
    begins += len(_LENGTH)
    ends = answer.find(b"\r", begins)
    return len(answer) >= head_end + len(_END) + int(answer[begins:ends])


def hammer(port: int, connections: int, seconds: float, requests: Sequence[bytes]) -> Counted:
    """Poll for that long, with one request after the other, and then from the first again."""
    turns = cycle(requests)
    poller = select.epoll()
    open_ones = {}
    for _ in range(connections):
        connection = Connection(port)
        number = connection.socket.fileno()
        open_ones[number] = connection
        poller.register(number, select.EPOLLIN)
    answered = errors = 0
    began = now = time.monotonic()
    for connection in open_ones.values():
        connection.socket.send(next(turns))
    while now - began < seconds:
        for number, _ in poller.poll(1.0):
            connection = open_ones[number]
            answer = connection.received()
            if answer is not None:
                answered += 1
                errors += not answer.startswith(_OK)
                connection.socket.send(next(turns))
        now = time.monotonic()
    for connection in open_ones.values():
        connection.socket.close()
    return Counted(answered, now - began, errors)


def main(arguments: list[str]) -> None:
    """Poll as the arguments say, and print what came of it."""
    port, connections, seconds, before, after, ids = arguments
    head, tail = Path(before).read_bytes(), Path(after).read_bytes()
    requests = [head + name + tail for name in Path(ids).read_bytes().split()]
    counted = hammer(int(port), int(connections), float(seconds), requests)
    sys.stdout.buffer.write(msgspec.json.encode(counted))


if __name__ == "__main__":
    main(sys.argv[1:])
