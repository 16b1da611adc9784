"""The report on the client under test."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from emulator.client.answers import Answer, message, text
from emulator.client.calls import Call, S, Subject, call, query_text, written
from emulator.messages.report import Basis, Report

M = TypeVar("M")
Expect = Mapping[str, Any]
"""What a correct client does, as in a scenario: ``{"poll": {"min_interval": "2s"}}``. What it leaves out the scenario
says."""


class Reports(Subject[S]):
    """How the client under test behaved, judged by its requests."""

    @call
    def report(
        self,
        expect: Expect | None = None,
        *,
        clock: Basis | None = None,
        task: str | None = None,
        after: int | None = None,
    ) -> Call[Report]:
        """The verdict, and what bears it out.

        Args:
            expect: what a correct client does, besides what the scenario says.
            clock: what the client sleeps by: ``"real"`` or ``"emulator"``. Left out: real time, where the
                namespace's clock runs with it, and otherwise gaps between requests aren't judged.
            task: judge the task of this id alone.
            after: judge the requests after the one of this number in the journal.
        """
        return _asked("json", message(Report), expect, clock=clock, task=task, after=after)

    @call
    def report_text(
        self,
        expect: Expect | None = None,
        *,
        clock: Basis | None = None,
        task: str | None = None,
        after: int | None = None,
    ) -> Call[str]:
        """As `report`, for people to read."""
        return _asked("text", text, expect, clock=clock, task=task, after=after)

    @call
    def report_junit(
        self,
        expect: Expect | None = None,
        *,
        clock: Basis | None = None,
        task: str | None = None,
        after: int | None = None,
    ) -> Call[str]:
        """As `report`, as JUnit XML."""
        return _asked("junit", text, expect, clock=clock, task=task, after=after)


def _asked(form: str, read: Callable[[Answer], M], expect: Expect | None, **asked: Any) -> Call[M]:
    if expect is None:
        return Call(method="GET", path=f"/report{query_text({'format': form, **asked})}", read=read)
    return Call(
        method="POST",
        path=f"/report{query_text({'format': form})}",
        read=read,
        body=written({"expect": expect, **asked}),
    )
