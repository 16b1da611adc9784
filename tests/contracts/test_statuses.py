"""What the emulator answers without any trouble is what the contracts say, whatever a task's status."""

from typing import Final

import pytest

from emulator.core.units import DAY, MINUTE
from emulator.core.words import OperationName, Profile, Status
from tests.contracts.wires import (
    ACEDATA,
    CONTENT,
    CREATE,
    CURRENT,
    DOWNLOAD,
    POLL,
    PROVIDERS,
    Wire,
    link_in,
    told,
)
from tests.worlds import Answer

OTHERS: Final[dict[tuple[str, Profile | None, Status], str]] = {
    **{(p, None, Status.QUEUED): "unfinished" for p in ACEDATA},
    **{(p, None, Status.PROCESSING): "unfinished" for p in ACEDATA},
    ("ezmodel", None, Status.CANCELLED): "failed",
    ("octopusx", CURRENT, Status.CANCELLED): "failed",
}
"""Statuses that a provider has no outcome of its own for."""
both = pytest.mark.parametrize("profile", Profile)
each = pytest.mark.parametrize("provider", PROVIDERS)


def expected(provider: str, profile: Profile, status: Status) -> str:
    """The outcome that a task of this status is."""
    return OTHERS.get((provider, None, status)) or OTHERS.get((provider, profile, status)) or status


def in_status(status: Status, more: str = "") -> str:
    """A scenario whose tasks stay in one status."""
    stuck = ", stuck: true" if status in (Status.QUEUED, Status.PROCESSING) else ""
    return f"version: 1\ntasks:\n  - timeline:\n      - {{status: {status}{stuck}{more}}}\n"


def holds(wire: Wire, operation: OperationName, answer: Answer, outcome: str) -> None:
    """The answer is known for what it is, among all outcomes, and nothing is found."""
    judgement = wire.judged(operation, answer)
    assert (judgement.answer.name, told(judgement.findings)) == (outcome, [])
    assert told(wire.judged(operation, answer, [outcome]).findings) == []


@both
@each
@pytest.mark.parametrize("status", Status)
def test_a_task_keeps_the_contract(provider: str, profile: Profile, status: Status) -> None:
    """From its create on, alone and in a batch."""
    wire = Wire(in_status(status), provider, profile)
    answer = wire.create()
    holds(wire, CREATE, answer, "created")
    task = str(answer.json().get("task_id") or answer.json()["id"])
    for _ in range(2):
        holds(wire, POLL, wire.poll(task), expected(provider, profile, status))
        if provider in ACEDATA:
            batch = wire.query({"ids": [task, task, "nobody"], "action": "retrieve_batch"})
            assert len(batch.json()["items"]) == 2
            holds(wire, POLL, batch, "batch")
        wire.world.advance(2 * DAY)


@both
@pytest.mark.parametrize("provider", ACEDATA)
@pytest.mark.parametrize("word", ["pending", "processing", "running"])
def test_a_snapshot_keeps_the_contract(provider: str, profile: Profile, word: str) -> None:
    """A response without success, with the words that clients know."""
    wire = Wire(in_status(Status.PROCESSING, f", word: {word}"), provider, profile)
    task = wire.created()
    holds(wire, POLL, wire.poll(task), "snapshot")
    holds(wire, POLL, wire.query({"ids": [task], "action": "retrieve_batch"}), "batch")


@both
@pytest.mark.parametrize("provider", ACEDATA)
def test_a_task_that_isnt_there_keeps_the_contract(provider: str, profile: Profile) -> None:
    """It is an empty object, and no member of a batch."""
    wire = Wire("happy-path", provider, profile)
    holds(wire, POLL, wire.poll("nobody"), "not_found")
    holds(wire, POLL, wire.query({"ids": ["nobody"], "action": "retrieve_batch"}), "batch")


@pytest.mark.parametrize("provider", ACEDATA)
def test_a_list_keeps_the_contract(provider: str) -> None:
    """Of the caller's tasks, which profile current has: it is a batch."""
    wire = Wire("happy-path", provider, CURRENT)
    for _ in range(3):
        wire.created()
        wire.world.advance(MINUTE)
    answer = wire.query({"action": "retrieve_batch", "limit": 2})
    assert len(answer.json()["items"]) == 2
    holds(wire, POLL, answer, "batch")


@both
@each
def test_links_keep_the_contract(provider: str, profile: Profile) -> None:
    """Whole, in part, and dead."""
    wire = Wire(in_status(Status.COMPLETED), provider, profile)
    link = link_in(wire.poll(wire.created()).json())
    assert link is not None
    holds(wire, DOWNLOAD, wire.follow(link), "video")
    holds(wire, DOWNLOAD, wire.follow(link, {"range": "bytes=0-99"}), "range")
    wire.world.advance(30 * DAY)
    holds(wire, DOWNLOAD, wire.follow(link), "dead")


@both
@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name not in ACEDATA])
def test_the_content_keeps_the_contract(provider: str, profile: Profile) -> None:
    """The bytes of a completed task."""
    wire = Wire(in_status(Status.COMPLETED), provider, profile)
    task = wire.created()
    wire.poll(task)
    holds(wire, CONTENT, wire.content(task), "video")
