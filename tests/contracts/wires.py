"""A client of one provider whose answers are held against the provider's contract."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from emulator.contracts.contract import Contract, contract_of
from emulator.contracts.findings import Finding
from emulator.contracts.judgement import Judgement, Response, judged
from emulator.core.units import SECOND
from emulator.core.words import OperationName, Profile
from emulator.providers import by_name
from tests.worlds import Answer, World

PROVIDERS: Final = tuple(by_name)
ACEDATA: Final = ("acedata-sora", "acedata-veo")
POLL, CREATE = OperationName.POLL, OperationName.CREATE
CONTENT, DOWNLOAD = OperationName.CONTENT, OperationName.DOWNLOAD
DOCUMENTED, CURRENT = Profile.DOCUMENTED, Profile.CURRENT


class Wire:
    """A client of one provider in a world of its own."""

    def __init__(self, scenario: str, provider: str, profile: Profile, **options: Any) -> None:
        self.world = World(scenario, profile=profile, **options)
        self.provider, self.profile = provider, profile
        self.contract: Contract = contract_of(provider)
        self.headers = {"authorization": "Bearer sk-good-1"}
        self._service = provider.removeprefix("acedata-") if provider in ACEDATA else None
        self._base = f"/acedata/{self._service}" if self._service else f"/{provider}/v1/videos"
        # No answer is waited for: latency would be real time.
        self.world.namespace.clock.pause = _at_once  # type: ignore[method-assign, assignment]

    def create(self, prompt: str = "a cat", **fields: Any) -> Answer:
        """A new task, or why there is none."""
        path = f"{self._base}/videos" if self._service else self._base
        asked = {"async": True, "action": "text2video"} if self._service else {}
        return self.world.post(path, {"prompt": prompt, **asked, **fields}, headers=self.headers)

    def created(self, prompt: str = "a cat", **fields: Any) -> str:
        """The id of a new task."""
        return id_in(self.create(prompt, **fields))

    def poll(self, task: str) -> Answer:
        """One look at the task."""
        if self._service:
            return self.query({"id": task, "action": "retrieve"})
        return self.world.get(f"{self._base}/{task}", headers=self.headers)

    def query(self, body: Any) -> Answer:
        """What AceData answers to a body."""
        return self.world.post(f"{self._base}/tasks", body, headers=self.headers)

    def content(self, task: str) -> Answer:
        """The bytes of the result, or why there are none."""
        return self.world.get(f"{self._base}/{task}/content", headers=self.headers)

    def ask(self, key: str, name: str) -> Answer:
        """Whatever the row of the contract is: about a task of this name, with this prompt, or with this header."""
        row, headers = self.contract.operations[key], self.headers
        if key == CREATE:
            return self.create(name)
        if key in (CONTENT, POLL):
            return self.content(name) if key == CONTENT else self.poll(name)
        path = f"{by_name[self.provider].base}{row.path.replace('{task_id}', name)}"
        match row.name:
            case OperationName.CREATE:
                return self.world.post(path, {"prompt": name, "video_id": "nobody's"}, headers=headers)
            case OperationName.REMIX:
                return self.world.post(path, {"prompt": "a dog", "task_id": name}, headers=headers)
            case OperationName.POLL:
                return self.world.get(f"{path}?id={name}", headers=headers)
            case _:
                return self.world.call(row.method, path, headers={**headers, "x-asked": name})

    def follow(self, link: str, headers: Mapping[str, str] = {}) -> Answer:
        """What is behind a link."""
        parts = urlsplit(link)
        return self.world.get(f"{parts.path}?{parts.query}", headers=headers)

    def judged(self, operation: str, answer: Answer, among: Iterable[str] | None = None) -> Judgement:
        """The answer, held against the contract."""
        return judged(self.contract, operation, self.profile, response_of(answer), among)

    def walk(self, instants: Iterable[int]) -> Iterator[tuple[OperationName, Answer]]:
        """All that a client meets who makes a task and looks at it at these seconds, in every way that there is."""
        answer = self.create()
        yield CREATE, answer
        if answer.status_code != 200:
            return
        task, passed = id_in(answer), 0
        for instant in instants:
            self.world.advance((instant - passed) * SECOND)
            passed = instant
            yield from self._look_at(task)

    def _look_at(self, task: str) -> Iterator[tuple[OperationName, Answer]]:
        answer = self.poll(task)
        yield POLL, answer
        if self._service:
            yield POLL, self.query({"ids": [task, "nobody"], "action": "retrieve_batch"})
        else:
            yield CONTENT, self.content(task)
        link = link_in(answer.json()) if answer.status_code == 200 else None
        if link is not None:
            yield DOWNLOAD, self.follow(link)
            yield DOWNLOAD, self.follow(link, {"range": "bytes=0-99"})


def response_of(answer: Answer) -> Response:
    """An answer as the judgement takes it."""
    try:
        return Response(status_code=answer.status_code, headers=answer.headers, body=json.loads(answer.body))
    except ValueError:
        return Response(status_code=answer.status_code, headers=answer.headers, is_json=False, what="no JSON")


def id_in(answer: Answer) -> str:
    """The new task's id in the answer to a create."""
    body = answer.json()
    return str(body.get("task_id") or body["id"])


def link_in(body: Any) -> str | None:
    """The link that a poll prints, if it is one of the emulator's."""
    items = [body, *body.get("response", {}).get("data", [])]
    links = [item.get("video_url") or item.get("url") for item in items]
    return next((str(link) for link in links if link and "/media/" in link), None)


def told(findings: Iterable[Finding]) -> list[str]:
    """Findings as a failing test shows them."""
    return [f"{f.severity}: {f.operation} {f.outcome}: {f.kind}: {f.sentence} ({f.place})" for f in findings]


async def _at_once(_duration: int) -> None:
    """No wait at all."""
