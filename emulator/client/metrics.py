"""Metrics for Prometheus."""

from emulator.client.answers import text
from emulator.client.calls import Call, S, Subject, call


class Measured(Subject[S]):
    """Numbers of the whole process."""

    @call
    def metrics(self) -> Call[str]:
        """The metrics, in Prometheus' text format."""
        return Call(method="GET", path="/metrics", read=text, of_process=True)
