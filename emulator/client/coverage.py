"""What clients have met of the scenarios, and what they haven't."""

from typing import Literal

from emulator.client.answers import text
from emulator.client.calls import Call, S, Subject, call, get, of_process, query_text, write
from emulator.messages.coverage import Coverage


class Covered(Subject[S]):
    """Coverage, which is of all namespaces together unless one is named."""

    @call
    def coverage(
        self, *, namespace: str | None = None, scenarios: Literal["touched", "all"] = "touched"
    ) -> Call[Coverage]:
        """What has been met of the scenarios.

        Args:
            namespace: only what was met in this one, since it was made or reset.
            scenarios: ``all``: those too that were in force and of which nothing was met.

        Raises:
            NotFound: no namespace has this name.
        """
        return of_process(get("/coverage", Coverage, {"namespace": namespace, "scenarios": scenarios}))

    @call
    def coverage_text(
        self, *, namespace: str | None = None, scenarios: Literal["touched", "all"] = "touched"
    ) -> Call[str]:
        """The same for people to read."""
        query = query_text({"namespace": namespace, "scenarios": scenarios, "format": "text"})
        return Call(method="GET", path=f"/coverage{query}", read=text, of_process=True)

    @call
    def clear_coverage(self) -> Call[Coverage]:
        """Begin the count anew, in all namespaces."""
        return of_process(write("DELETE", "/coverage", Coverage))
