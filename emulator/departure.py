"""Noticing, while a client waits or is sent something, that it has left."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from emulator.clock import breathe

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


@asynccontextmanager
async def watched(receive: Receive) -> AsyncIterator["asyncio.Future[None]"]:
    """What is done when the client has left, for as long as the ``with`` lasts; what comes of a body is dropped."""
    gone = asyncio.ensure_future(_departure(receive))
    try:
        yield gone
    finally:
        gone.cancel()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        await breathe()  # some servers say again and again that nothing more will come
