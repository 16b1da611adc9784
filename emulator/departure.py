"""Noticing, while an answer is sent, that its client has left."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


@asynccontextmanager
async def watched(receive: Receive) -> AsyncIterator[Callable[[], bool]]:
    """For as long as the ``with`` lasts, whether the client has left; what comes of a body until then is dropped."""
    watch = asyncio.ensure_future(_departure(receive))
    try:
        yield watch.done
    finally:
        watch.cancel()


async def _departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
