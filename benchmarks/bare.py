"""The bare minimum that answers on uvicorn, set up as `emulator.server` sets it up: what a start is compared with.

``python benchmarks/bare.py PORT``
"""

import sys
from typing import Any

import uvicorn


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer two bytes to anything."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
    )
