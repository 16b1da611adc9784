"""Small clients over real sockets: one that behaves, and for each rule of the report one that breaks it.

They really sleep, some milliseconds: how long a client waits is what the report judges.
"""

import http.client
import json
import re
import threading
from collections.abc import Mapping
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from tests.serving import HOST, PATIENCE, Served
from tests.worlds import KEY, Answer

ACEDATA: Final = {"acedata-sora": "/acedata/sora", "acedata-veo": "/acedata/veo"}
PACE: Final = 0.025
"""Seconds between two polls."""
_ENDED: Final = frozenset({"completed", "failed", "cancelled"})
_LINK: Final = re.compile(r'"(http://[^"]+/media/[^"]+)"')


class Behaved:
    """Creates a task, polls it to its end with a pause in between, and downloads the result by its link."""

    breaks: ClassVar[str | None] = None
    """The check that it fails."""

    def __init__(self, served: Served, provider: str = "octopusx") -> None:
        self.served = served
        self.provider = provider
        self.base = ACEDATA.get(provider)
        self._connection = http.client.HTTPConnection(HOST, served.port, timeout=PATIENCE)

    def run(self) -> None:
        """Do the whole of it, over one connection."""
        try:
            task_id = self.create()
            answer = self.poll(task_id)
            while not self.has_ended(answer):
                self.sleep(self.pause_after(answer))
                answer = self.poll(task_id)
            self.finish(task_id, answer)
        finally:
            self._connection.close()

    def create(self) -> str:
        """The id of a new task."""
        path = f"/{self.provider}/v1/videos" if self.base is None else f"{self.base}/videos"
        told = self.call("POST", path, {"prompt": "a cat", "async": True}).json()
        return str(told["id"] if self.base is None else told["task_id"])

    def poll(self, task_id: str) -> Answer:
        """One poll."""
        if self.base is None:
            return self.call("GET", f"/{self.provider}/v1/videos/{task_id}")
        return self.call("POST", f"{self.base}/tasks", {"action": "retrieve", "id": task_id})

    def has_ended(self, answer: Answer) -> bool:
        """Whether an answer shows the task at its end."""
        if answer.status_code != 200:
            return False
        told = answer.json()
        return "response" in told if self.base is not None else told["status"] in _ENDED

    def pause_after(self, answer: Answer) -> float:
        """How long to wait before the next poll, in seconds."""
        retry_after = float(answer.headers.get("retry-after", 0))
        hint = float(answer.headers.get("openai-poll-after-ms", 0)) / 1000
        return max(PACE, retry_after, hint)

    def finish(self, task_id: str, answer: Answer) -> None:
        """What comes after the end."""
        del task_id  # others have use for it
        self.download(answer)

    def download(self, answer: Answer, headers: Mapping[str, str] | None = None) -> None:
        """The result, by the link in an answer."""
        found = _LINK.search(answer.body.decode())
        assert found is not None
        parts = urlsplit(found[1])
        self.call("GET", f"{parts.path}?{parts.query}", headers=headers or {})

    def call(self, method: str, target: str, body: Any = None, headers: Mapping[str, str] = KEY) -> Answer:
        """One request on the connection."""
        data = None if body is None else json.dumps(body)
        typed = {} if body is None else {"content-type": "application/json"}
        self._connection.request(method, target, data, {**headers, **typed})
        response = self._connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, told, response.read())

    def sleep(self, seconds: float) -> None:
        """Wait in real time."""
        if seconds:
            threading.Event().wait(seconds)


class Hasty(Behaved):
    """Polls without a pause, unless it is told to wait."""

    breaks = "poll.min_interval"

    def pause_after(self, answer: Answer) -> float:
        """As asked, or not at all."""
        asked = super().pause_after(answer)
        return asked if asked > PACE else 0


class Sleepy(Behaved):
    """Is away for longer than is expected of it."""

    breaks = "poll.max_interval"

    def pause_after(self, answer: Answer) -> float:
        """Twice as long as usual."""
        return 2 * super().pause_after(answer)


class Insatiable(Behaved):
    """Polls on when all is done."""

    breaks = "poll.after_terminal"

    def finish(self, task_id: str, answer: Answer) -> None:
        """Once more, after the usual pause."""
        super().finish(task_id, answer)
        self.sleep(self.pause_after(answer))
        self.poll(task_id)


class Pushy(Behaved):
    """Ignores ``Retry-After``."""

    breaks = "poll.honours_retry_after"

    def pause_after(self, answer: Answer) -> float:
        """As if it hadn't come."""
        headers = {name: value for name, value in answer.headers.items() if name != "retry-after"}
        return super().pause_after(Answer(answer.status_code, headers, answer.body))


class Deaf(Behaved):
    """Ignores ``openai-poll-after-ms``."""

    breaks = "poll.honours_poll_after"

    def pause_after(self, answer: Answer) -> float:
        """As if it hadn't come."""
        headers = {name: value for name, value in answer.headers.items() if name != "openai-poll-after-ms"}
        return super().pause_after(Answer(answer.status_code, headers, answer.body))


class Doubling(Behaved):
    """Sends its create twice, to be on the safe side."""

    breaks = "create.repeated"

    def create(self) -> str:
        """The id of the second."""
        super().create()
        return super().create()


class Forgetful(Behaved):
    """Never fetches what it paid for."""

    breaks = "download.at_least"

    def finish(self, task_id: str, answer: Answer) -> None:
        """Nothing."""


class Late(Behaved):
    """Comes back for the result when its link has died."""

    breaks = "download.before_expiry"

    def finish(self, task_id: str, answer: Answer) -> None:
        """In time, and once more the day after."""
        super().finish(task_id, answer)
        self.served.advance_clock("25h")
        super().finish(task_id, answer)


class Careless(Behaved):
    """Sends its API key wherever it sends a request."""

    breaks = "download.without_key"

    def finish(self, task_id: str, answer: Answer) -> None:
        """With the key."""
        self.download(answer, KEY)


MISBEHAVING: Final = (Hasty, Sleepy, Insatiable, Pushy, Deaf, Doubling, Forgetful, Late, Careless)
