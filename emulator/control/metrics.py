"""Metrics for Prometheus."""

from emulator.control.routes import Call, Route, Text

_MEDIA_TYPES = ("text/plain", "application/openmetrics-text")


async def _metrics(call: Call) -> Text:
    # Imported when first asked for: the library takes longer to import than the rest of the control API.
    from emulator.metrics import exposition  # noqa: PLC0415

    return Text(*exposition(call.namespaces, call.request.headers.get("accept", "")))


ROUTES = (
    Route(
        method="GET",
        path="/metrics",
        handler=_metrics,
        about="Metrics of the whole process, in the text formats of Prometheus.",
        tag="metrics",
        texts=_MEDIA_TYPES,
    ),
)
