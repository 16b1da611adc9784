"""The report on the client under test."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from emulator.client.answers import Answer, message, text
from emulator.client.calls import Call, S, Subject, call, query_text, written
from emulator.client.errors import NotWellBehaved
from emulator.messages.report import Basis, Report

M = TypeVar("M")
Expect = Mapping[str, Any]
"""What a correct client does, as in a scenario: ``{"poll": {"min_interval": "2s"}}``. What it leaves out the scenario
says."""


class Reports(Subject[S]):
    """How the client under test behaved, judged by its requests."""

    _basis: Basis | None = None
    """What the client sleeps by, where a call doesn't say."""

    @call
    def report(
        self,
        expect: Expect | None = None,
        *,
        clock: Basis | None = None,
        task: str | None = None,
        after: int | None = None,
        unfinished: bool | None = None,
    ) -> Call[Report]:
        """The verdict, and what bears it out.

        Args:
            expect: what a correct client does, besides what the scenario says.
            clock: what the client sleeps by: ``"real"`` or ``"emulator"``. Left out: real time, where the
                namespace's clock runs with it, and otherwise gaps between requests aren't judged.
            task: judge the task of this id alone.
            after: judge the requests after the one of this number in the journal.
            unfinished: whether the client may not be done yet: results that it hasn't downloaded are held against it
                only where somebody asks for downloads.
        """
        return _asked(
            "json",
            message(Report),
            expect,
            clock=clock or self._basis,
            task=task,
            after=after,
            unfinished=unfinished,
        )

    @call
    def report_text(
        self,
        expect: Expect | None = None,
        *,
        clock: Basis | None = None,
        task: str | None = None,
        after: int | None = None,
        unfinished: bool | None = None,
    ) -> Call[str]:
        """As `report`, for people to read."""
        return _asked(
            "text", text, expect, clock=clock or self._basis, task=task, after=after, unfinished=unfinished
        )

    @call
    def report_junit(
        self,
        expect: Expect | None = None,
        *,
        clock: Basis | None = None,
        task: str | None = None,
        after: int | None = None,
        unfinished: bool | None = None,
    ) -> Call[str]:
        """As `report`, as JUnit XML."""
        return _asked(
            "junit", text, expect, clock=clock or self._basis, task=task, after=after, unfinished=unfinished
        )

    @call
    def assert_well_behaved(
        self,
        expect: Expect | None = None,
        *,
        clock: Basis | None = None,
        task: str | None = None,
        after: int | None = None,
        unfinished: bool = True,
    ) -> Call[Report]:
        """The report, unless a check of it failed.

        Args:
            expect: as `report` takes it.
            clock: as `report` takes it.
            task: as `report` takes it.
            after: as `report` takes it.
            unfinished: as `report` takes it; a test asserts while its client may still have something to do.

        Raises:
            NotWellBehaved: the client broke a rule; an `AssertionError` whose text is the report.
        """
        return _asked(
            "json", _passed, expect, clock=clock or self._basis, task=task, after=after, unfinished=unfinished
        )


def _passed(answer: Answer) -> Report:
    report = message(Report)(answer)
    if report.failed:
        raise NotWellBehaved(report)
    return report


def _asked(form: str, read: Callable[[Answer], M], expect: Expect | None, **asked: Any) -> Call[M]:
    if expect is None:
        return Call(method="GET", path=f"/report{query_text({'format': form, **asked})}", read=read)
    return Call(
        method="POST",
        path=f"/report{query_text({'format': form})}",
        read=read,
        body=written({"expect": expect, **asked}),
    )
