"""Journals written by hand: what a client asked, and when, without a server."""

from collections.abc import Sequence
from typing import Any, Final

import orjson

from emulator.core.expectations import Expectations
from emulator.core.plan import HAPPY_TIMELINE, Entry, Video, plan_of
from emulator.core.scenario import Scenario
from emulator.core.task import Snapshot, Task, state_at
from emulator.core.units import DAY, HOUR, Duration, Instant
from emulator.core.words import OperationName, Status
from emulator.exchanges import Reply
from emulator.journal import Record
from emulator.messages.report import Basis, Check, Report
from emulator.providers import PROVIDERS
from emulator.report import Question, judge
from emulator.report.terms import Book
from tests.worlds import START

NAMES: Final = {provider.name: provider for provider in PROVIDERS}
BEHIND: Final[Duration] = 40 * DAY
"""How far the emulator's clock is behind the machine's."""
KEY: Final = b"sk-secret-of-the-client"
ACTIVE: Final = Scenario(name="under-test", digest="abc")


def a_task(
    name: str = "video_1",
    *,
    timeline: tuple[Entry, ...] = HAPPY_TIMELINE,
    provider: str = "octopusx",
    created_at: Instant = START,
    request: Any = None,
    version: str = ACTIVE.version,
    **plan: Any,
) -> Task:
    """A task of the scenario under test; the happy path's ends after ten seconds."""
    return Task(
        provider=provider,
        id=name,
        created_at=created_at,
        entropy=bytes(48),
        plan=plan_of(timeline, scenario=version.partition("@")[0], version=version, **plan),
        request=orjson.dumps({"prompt": "a cat"} if request is None else request),
        echo=(),
        origin="http://127.0.0.1:8080",
    )


def ends(status: Status, **entry: Any) -> tuple[Entry, ...]:
    """A timeline that is at its end at once."""
    return (Entry(status=status, **entry),)


DONE: Final = a_task("video_done", timeline=ends(Status.COMPLETED))
DONE_FOR_AN_HOUR: Final = a_task("video_hour", timeline=ends(Status.COMPLETED, video=Video(expires_in=HOUR)))


def link_of(task: Task, prefix: str = "") -> str:
    """The path of the link to a task's result; the tail is like any."""
    return f"{prefix}/media/{task.provider}/{task.id}/720x1280-4s/videos/{task.id}.mp4"


class Diary:
    """Writes the requests of one client down, in their order."""

    def __init__(self, mode: str = "real", key: bytes = KEY) -> None:
        self.records: list[Record] = []
        self.now: Instant = START
        self.wall: Instant = START + BEHIND
        self.mode = mode
        self.key = key

    def wait(self, real: Duration, emulated: Duration | None = None) -> None:
        """Let time pass: on both clocks the same, unless it is said how much on the emulator's."""
        self.wall += real
        self.now += real if emulated is None else emulated

    def add(self, operation: str | None, task: Task | None = None, **told: Any) -> Record:
        """One exchange, of which everything may be told."""
        provider = told.pop("provider", "octopusx" if task is None else task.provider)
        key = told.pop("key", self.key)
        snapshot = told.pop("snapshot", None if task is None else state_at(task, self.now))
        body = told.pop(
            "answer", b"" if task is None else _printed([(task, snapshot), *told.get("others", ())])
        )
        headers = {b"authorization": b"Bearer " + key} if key else {}
        record = Record(
            number=len(self.records) + 1,
            wall=self.wall,
            mode=self.mode,
            provider=NAMES.get(provider),
            operation=operation,
            method=told.pop("method", "GET"),
            path=told.pop("path", "/octopusx/v1/videos/x"),
            query=told.pop("query", b""),
            headers={**headers, **told.pop("sent", {})},
            body=told.pop("body", b""),
            body_size=0,
            answer_size=told.pop("answer_size", len(body)),
            size=0,
            reply=Reply(
                status_code=told.pop("status_code", 200),
                headers=list(told.pop("headers", {}).items()),
                body=body,
                now=self.now,
                task=task,
                snapshot=snapshot,
                **told,
            ),
        )
        self.records.append(record)
        return record

    def create(self, task: Task, **told: Any) -> Record:
        """An accepted create of the task."""
        return self.add(OperationName.CREATE, task, **{"method": "POST", **told})

    def poll(self, task: Task, *others: Task, **told: Any) -> Record:
        """A poll of a task, or of several in a batch, answered."""
        shown = tuple((other, state_at(other, self.now)) for other in others)
        return self.add(OperationName.POLL, task, **{"others": shown, **told})

    def refused(self, task: Task | None, status_code: int = 429, **told: Any) -> Record:
        """A poll that a rule refuses."""
        fixed = {"status_code": status_code, "stage": "rules", "error": "rate_limited", "answer": b"{}"}
        return self.add(OperationName.POLL, task, **{**fixed, **told})

    def polls(self, task: Task, count: int, gap: Duration) -> None:
        """So many polls, so long after one another."""
        for number in range(count):
            if number:
                self.wait(gap)
            self.poll(task)

    def download(self, task: Task, **told: Any) -> Record:
        """The whole of a task's result, by its link, which needs no key."""
        fixed = {"path": link_of(task), "key": b"", "stage": "link", "answer": b"mp4"}
        return self.add(OperationName.DOWNLOAD, task, **{**fixed, **told})

    def content(self, task: Task, **told: Any) -> Record:
        """The same by the provider's content route, with the key."""
        return self.add(OperationName.CONTENT, task, **{"answer": b"mp4", **told})


def _printed(shown: Sequence[tuple[Task, Snapshot | None]]) -> bytes:
    """What an answer prints of tasks, as far as a report looks at it: the links of the completed ones."""
    links = [
        f"http://127.0.0.1:8080{link_of(task)}?expires=1"
        for task, snapshot in shown
        if snapshot is not None and snapshot.status is Status.COMPLETED
    ]
    return orjson.dumps(links)


def report(
    diary: Diary,
    expect: Expectations | None = None,
    *,
    scenario: Expectations | None = None,
    clock: Basis | None = None,
    task: str | None = None,
    after: int = 0,
    unfinished: bool = False,
    **more: Any,
) -> Report:
    """The report on a diary: by what the request expects, and the scenario under test."""
    active = ACTIVE if scenario is None else Scenario(name="under-test", digest="abc", expect=scenario)
    book = Book(more.pop("active", active), more.pop("scenarios", {active.version: active}))
    question = Question(expect=expect, clock=clock, task=task, after=after, unfinished=unfinished)
    return judge(diary.records, book, question, **more)


def check(name: str, *arguments: Any, **others: Any) -> Check:
    """One check of that report."""
    return next(check for check in report(*arguments, **others).checks if check.id == name)


def verdict(name: str, *arguments: Any, **others: Any) -> str:
    """The verdict of one check of that report."""
    return check(name, *arguments, **others).verdict
