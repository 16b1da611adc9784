"""Videos from OctopusX and EzModel, whose APIs are like OpenAI's, with httpx in an event loop."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx

from studio.answers import code_in, message_in, raise_for
from studio.outcomes import Broken, GaveUp, LinkDied, LinkMissing, RenderFailed, Unavailable

TRIES = 4
"""Of a download."""


class Gateway:
    """One of the two, behind a client that knows its address and our key."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        every: float = 5,
        give_up_after: float = 600,
        on_progress: Callable[[int], None] = lambda percent: None,
    ) -> None:
        """Get ready.

        Args:
            http: made with the provider's base URL, up to ``/v1``, and our key.
            every: how long to wait between two polls, in seconds.
            give_up_after: how long to wait for a video, in seconds.
            on_progress: is told how far a task is, in per cent, at each poll.
        """
        self._http = http
        self._every = every
        self._give_up_after = give_up_after
        self._on_progress = on_progress

    async def render(self, prompt: str, **options: Any) -> bytes:
        """Make a video, wait for it and fetch it."""
        return await self.download(await self.wait(await self.create(prompt, **options)))

    async def create(self, prompt: str, **options: Any) -> str:
        """Order a video; the id of its task. Nothing is tried twice: each task is paid for."""
        answer = await self._http.post("videos", json={"prompt": prompt, "model": "sora-2", **options})
        return str(_good(answer)["id"])

    async def wait(self, task: str) -> dict[str, Any]:
        """A task that has ended well.

        Raises:
            RenderFailed: it has ended otherwise.
            GaveUp: it hasn't ended, and we have waited for long enough.
            KeyRefused: we aren't let in.
        """
        began = time.monotonic()
        while (waited := time.monotonic() - began) < self._give_up_after:
            pause = self._every
            try:
                video = await self.look(task)
            except Unavailable as problem:
                # One poll failed, not the task.
                pause = max(pause, problem.retry_after)
            else:
                self._on_progress(video["progress"])
                if has_ended_well(video):
                    return video
            await asyncio.sleep(pause)
        raise GaveUp(task, waited)

    async def look(self, task: str) -> dict[str, Any]:
        """A task as it is now.

        Raises:
            Unavailable: nobody could say. The connection may have broken, or a gateway have answered.
            KeyRefused: we aren't let in.
        """
        try:
            answer = await self._http.get(f"videos/{task}")
        except httpx.TransportError as problem:
            raise Unavailable(None, 0) from problem
        return _good(answer)

    async def download(self, video: dict[str, Any]) -> bytes:
        """The video of a task that has ended well.

        Raises:
            LinkMissing: the task has none.
            LinkDied: we came too late.
            Broken: it didn't come whole in any of our tries.
        """
        link = video.get("video_url") or video.get("url")  # OctopusX's name for it, and EzModel's
        if not link:
            raise LinkMissing(video["id"])
        for _ in range(TRIES):
            try:
                return await self._fetched(link)
            except (httpx.TransportError, Unavailable):
                await asyncio.sleep(self._every)
        raise Broken(link)

    async def _fetched(self, link: str) -> bytes:
        # A bare request: where videos lie, nobody needs our key.
        answer = await self._http.send(httpx.Request("GET", link))
        if answer.status_code == 403:
            raise LinkDied(link)
        if answer.status_code == 404:
            # The task is done, and the storage doesn't know it yet.
            raise Unavailable(404, 0)
        raise_for(answer.status_code, answer.headers, answer.text)
        return answer.content


def has_ended_well(video: dict[str, Any]) -> bool:
    """Whether a task is done; ``False``: not yet. A word that nobody documents is no end.

    Raises:
        RenderFailed: it has ended without a video.
    """
    status = video["status"]
    if status == "failed":
        raise RenderFailed(code_in(video), message_in(video))
    if status == "cancelled":
        raise RenderFailed("cancelled", "somebody cancelled it")
    return bool(status == "completed")


def _good(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = answer.text  # a gateway's page, or JSON that breaks off
    raise_for(answer.status_code, answer.headers, body)
    if not isinstance(body, dict):
        raise Unavailable(answer.status_code, 0)
    return body
