"""Creates that hold their connection until their task ends: how the answer waits, whole or in lines."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec

from emulator.bodies import Hung
from emulator.connection import Client
from emulator.core.task import state_at
from emulator.core.units import Instant
from emulator.exchanges import LEFT, Hold, Reply
from emulator.jobs import Held, Jobs

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Tell = Callable[[bytes], Awaitable[None]]

LINES: Final = b"application/x-ndjson"
_OF_A_WHOLE: Final = frozenset({b"content-type", b"content-length"})


async def waited(jobs: Jobs, hold: Hold, receive: Receive, tell: Tell | None) -> Reply:
    """The answer, once the task has ended.

    Args:
        jobs: of the namespace.
        hold: what waits.
        receive: where the client's leaving shows.
        tell: takes each line of a streamed answer but the last.

    Raises:
        Hung: the client left; its task goes on.
        Forgotten: the task was forgotten meanwhile.
    """
    with jobs.holding(hold.task, wants_changes=tell is not None) as waiting:
        async with Client(receive) as client:
            at = waiting.seen
            while state_at(waiting.task, at).ended_at is None:
                if tell is not None and hold.line is not None:
                    await tell(hold.line(waiting.task, at))
                at = await _next(jobs, waiting, client)
        return hold.ended(waiting.task, at)


async def _next(jobs: Jobs, waiting: Held, client: Client) -> Instant:
    instant = asyncio.ensure_future(jobs.next_instant(waiting))
    if not await client.stays(instant):
        raise Hung
    return instant.result()


def left(reply: Reply) -> Reply:
    """What the journal keeps of a create whose client left before its task ended."""
    return msgspec.structs.replace(reply, status_code=LEFT, headers=[], body=b"", hold=None)


class Stream:
    """An answer in lines: its head goes out with the first."""

    def __init__(self, reply: Reply, send: Send) -> None:
        self._head = [
            (b"content-type", LINES),
            *((name, value) for name, value in reply.headers if name not in _OF_A_WHOLE),
        ]
        self._send = send
        self._has_begun = False
        self.size = 0
        """How many bytes of lines were sent."""

    async def tell(self, line: bytes, *, is_last: bool = False) -> None:
        """Send a line."""
        if not self._has_begun:
            self._has_begun = True
            await self._send({"type": "http.response.start", "status": 200, "headers": self._head})
        self.size += len(line)
        await self._send({"type": "http.response.body", "body": line, "more_body": not is_last})

    async def end(self, reply: Reply) -> None:
        """Send the answer that would have come whole as the last line; its status code comes too late to say."""
        reply.status_code, reply.headers = 200, self._head
        await self.tell(reply.body + b"\n", is_last=True)
