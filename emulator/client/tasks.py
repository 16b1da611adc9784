"""Tasks: how they stand, and what is done to them by hand."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from emulator.client.calls import Call, S, Subject, call, get, named, query_text, write
from emulator.client.times import Instant, instant_text
from emulator.messages.tasks import StatusWord, TaskDetail, TaskList, TaskState

ErrorWanted: TypeAlias = str | Mapping[str, Any]
"""Why a task fails, as in scenario files: ``"internal"``, or ``{"code": "...", "message": "..."}``."""


class Tasks(Subject[S]):
    """Tasks of the namespace, at its clock's instant. Looking at them is no poll.

    ``provider`` says whose task an id means, where several providers have one of that id.
    """

    @call
    def list(
        self,
        *,
        provider: str | None = None,
        status: StatusWord | None = None,
        scenario: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> Call[TaskList]:
        """Tasks, newest first.

        Args:
            provider: only this one's.
            status: only those in it.
            scenario: only those created under it.
            limit: how many at most; left out: 100.
            offset: how many to leave out before them.
        """
        query = {
            "provider": provider,
            "status": status,
            "scenario": scenario,
            "limit": limit,
            "offset": offset,
        }
        return get("/tasks", TaskList, query)

    @call
    def get(self, id: str, *, provider: str | None = None) -> Call[TaskDetail]:
        """A task with its timeline, its request and its facts; `NotFound`: there is none of this id."""
        return get(_path(id), TaskDetail, {"provider": provider})

    @call
    def create(  # noqa: PLR0913 - what the control API takes
        self,
        provider: str,
        *,
        id: str | None = None,
        status: StatusWord | None = None,
        progress: int | None = None,
        error: ErrorWanted | None = None,
        request: Mapping[str, Any] | None = None,
        created_at: Instant | None = None,
        scenario: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Call[TaskState]:
        """Make a task in any status.

        Args:
            provider: whose task it is.
            id: left out: one as the provider would choose it. `Conflict`: the provider has it already.
            status: what it has been in since its creation; left out: whatever its timeline says.
            progress: in per cent; goes with ``status``.
            error: why it failed; alone it asks for ``failed``.
            request: the fields of its create request; left out: the provider's example.
            created_at: left out: now.
            scenario: what it is created under; left out: the one in force.
            values: what the provider would have chosen.
        """
        fields = {
            "provider": provider,
            "id": id,
            "status": status,
            "progress": progress,
            "error": error,
            "request": request,
            "created_at": None if created_at is None else instant_text(created_at),
            "scenario": scenario,
            "values": values,
        }
        return write("POST", "/tasks", TaskState, fields)

    @call
    def advance(self, id: str, *, provider: str | None = None) -> Call[TaskState]:
        """End the entry that it is in: the next one of its timeline begins now. `Conflict`: it has ended."""
        return _step(id, "advance", provider)

    @call
    def complete(self, id: str, *, provider: str | None = None) -> Call[TaskState]:
        """Let it be completed now."""
        return _step(id, "complete", provider)

    @call
    def fail(
        self, id: str, error: ErrorWanted | None = None, *, provider: str | None = None
    ) -> Call[TaskState]:
        """Let it fail now, with the provider's own error unless another one is given."""
        return _step(id, "fail", provider, {"error": error})

    @call
    def cancel(self, id: str, *, provider: str | None = None) -> Call[TaskState]:
        """Let it be cancelled now."""
        return _step(id, "cancel", provider)

    @call
    def patch(
        self,
        id: str,
        *,
        status: StatusWord | None = None,
        progress: int | None = None,
        error: ErrorWanted | None = None,
        provider: str | None = None,
    ) -> Call[TaskState]:
        """Put it into a status, change its progress, or let it fail with an error, now."""
        path = f"{_path(id)}{query_text({'provider': provider})}"
        return write("PATCH", path, TaskState, {"status": status, "progress": progress, "error": error})


def _path(id: str) -> str:
    return f"/tasks/{named('id', id, 'the id of a task')}"


def _step(
    id: str, verb: str, provider: str | None, fields: Mapping[str, Any] | None = None
) -> Call[TaskState]:
    path = f"{_path(id)}/{verb}{query_text({'provider': provider})}"
    return write("POST", path, TaskState, fields)
