"""Live updates: what happens in a namespace, as server-sent events."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from emulator.control.fields import Field, Kind, Wrong
from emulator.control.routes import Call, Route
from emulator.engine import Namespace
from emulator.events import KINDS, listening

_MEDIA_TYPE: Final = "text/event-stream"
# Nothing keeps or gathers what is news: neither a cache nor nginx.
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


def _kinds(value: Any) -> list[str]:
    kinds: list[str] = value.split(",")
    if any(kind not in KINDS for kind in kinds):
        raise Wrong
    return kinds


_ANY: Final = "|".join(KINDS)
TYPES: Final = Field(
    "types",
    Kind(
        f"some of {', '.join(KINDS)}, with commas between them",
        _kinds,
        {"type": "string", "pattern": f"^(?:{_ANY})(?:,(?:{_ANY}))*$", "examples": ["task,clock"]},
    ),
    "Only events of these types; left out: all. `lost` and `dropped` come in any case.",
)


class _Stream(StreamingResponse):
    """The events of a namespace, until it, the client or the server is gone."""

    media_type = _MEDIA_TYPE

    def __init__(self, namespace: Namespace, kinds: Sequence[str]) -> None:
        self._namespace = namespace
        self._kinds = kinds
        self.status_code = 200
        self.background = None
        self.init_headers(_HEADERS)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with listening(self._namespace, self._kinds) as listener:
            self.body_iterator = listener.stream()
            with suppress(ClientDisconnect):
                await super().__call__(scope, receive, send)


async def _listen(call: Call) -> Response:
    if call.request.method == "HEAD":
        # Its answer would never end, and never say anything.
        return Response(media_type=_MEDIA_TYPE, headers=_HEADERS)
    return _Stream(call.namespace, call.query["types"] or KINDS)


ROUTES = (
    Route(
        method="GET",
        path="/events",
        handler=_listen,
        about="What happens in the namespace, as it happens, as server-sent events. It ends with the namespace.",
        tag="events",
        query=(TYPES,),
        texts=(_MEDIA_TYPE,),
    ),
)
