"""Videos from Ace Data Cloud's Sora and Veo, with requests."""

import time
from typing import Any

import requests

from studio.answers import code_in, message_in, raise_for
from studio.outcomes import GaveUp, LinkDied, LinkMissing, RenderFailed, Unavailable

TRIES = 3
"""Of a create or a download that the provider has no time for."""


class AceData:
    """One service of Ace Data Cloud's, ``sora`` or ``veo``."""

    def __init__(
        self,
        service: str,
        api_key: str,
        *,
        base_url: str = "https://api.acedata.cloud",
        every: float = 5,
        give_up_after: float = 600,
    ) -> None:
        """Get ready.

        Args:
            service: ``sora`` or ``veo``.
            api_key: ours.
            base_url: where the service is; tests have it elsewhere.
            every: how long to wait between two polls, in seconds.
            give_up_after: how long to wait for a video, in seconds.
        """
        self._base = f"{base_url}/{service}"
        self._every = every
        self._give_up_after = give_up_after
        self._session = requests.Session()
        self._session.headers["authorization"] = f"Bearer {api_key}"

    def render(self, prompt: str, **options: Any) -> bytes:
        """Make a video, wait for it and fetch it."""
        return self.download(self.wait(self.create(prompt, **options)))

    def create(self, prompt: str, **options: Any) -> str:
        """Order a video; the id of its task.

        A create that was throttled is tried again. One that met an error of the server's may have gone through all
        the same, and a second one would be paid for, too: that is for the caller to decide.
        """
        tries = 0
        while True:
            try:
                return str(self._post("videos", {"prompt": prompt, "async": True, **options})["task_id"])
            except Unavailable as problem:
                tries += 1
                if problem.status_code != 429 or tries == TRIES:
                    raise
                time.sleep(max(self._every, problem.retry_after))

    def wait(self, task: str) -> str:
        """The link to a task's video, as soon as there is one.

        Raises:
            RenderFailed: there won't be one.
            LinkMissing: there should be one.
            GaveUp: there is none yet, and we have waited for long enough.
            KeyRefused: we aren't let in.
        """
        began = time.monotonic()
        while (waited := time.monotonic() - began) < self._give_up_after:
            pause = self._every
            try:
                link = link_in(self.look(task))
            except Unavailable as problem:
                # One poll failed, not the task.
                pause = max(pause, problem.retry_after)
            else:
                if link is not None:
                    return link
            time.sleep(pause)
        raise GaveUp(task, waited)

    def look(self, task: str) -> dict[str, Any]:
        """The record of a task as it is now."""
        return self._post("tasks", {"action": "retrieve", "id": task})

    def look_at_all(self, tasks: list[str]) -> list[dict[str, Any]]:
        """The records of many tasks, with one request. A task that nobody knows is left out."""
        found: list[dict[str, Any]] = self._post("tasks", {"action": "retrieve_batch", "ids": tasks})["items"]
        return found

    def download(self, link: str) -> bytes:
        """The video behind a link.

        Raises:
            LinkDied: we came too late.
            Unavailable: not now.
        """
        tries = 0
        while True:
            try:
                return self._fetched(link)
            except Unavailable as problem:
                tries += 1
                if tries == TRIES:
                    raise
                time.sleep(max(self._every, problem.retry_after))

    def _fetched(self, link: str) -> bytes:
        # Without the session: where videos lie, nobody needs our key.
        answer = requests.get(link, timeout=60)
        if answer.status_code == 403:
            raise LinkDied(link)
        raise_for(answer.status_code, answer.headers, answer.text)
        return answer.content

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._session.post(f"{self._base}/{path}", json=body, timeout=30)
        raise_for(answer.status_code, answer.headers, answer.json())
        found: dict[str, Any] = answer.json()
        return found


def link_in(record: dict[str, Any]) -> str | None:
    """The link in the record of a task; ``None``: it hasn't ended.

    Raises:
        RenderFailed: it has ended without a video.
        LinkMissing: it has ended well, and there is no link.
    """
    response = record.get("response", {})
    if "success" not in response:
        return None
    if not response["success"]:
        raise RenderFailed(code_in(response), message_in(response))
    link = response["data"][0].get("video_url")
    if not link:
        raise LinkMissing(record["id"])
    return str(link)
