"""A careful client of EzModel and OctopusX, and four that each lack one of its cares.

They are what users write: blocking, over httpx, with a pause of five seconds between two polls.
"""

import math
import time  # noqa: TID251 - clients sleep as clients do; the tests let it pass at once
from typing import Any

import httpx

PAUSE = 5.0


class VideoFailed(Exception):
    """There will be no video; the text says why."""


class Careful:
    """Creates a task, polls it until it ends, and gives back the link to the result."""

    running: frozenset[str] = frozenset({"pending", "queued", "processing", "in_progress"})
    ended_badly: frozenset[str] = frozenset({"failed", "cancelled"})
    passing: frozenset[int] = frozenset({429, 500, 502, 503, 504})
    patience: float = 600.0

    def __init__(self, base_url: str, api_key: str = "sk-test", transport: Any = None) -> None:
        """Take the address under which the provider's paths begin."""
        self._http = httpx.Client(
            base_url=base_url,
            headers={"authorization": f"Bearer {api_key}"},
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def video(self, prompt: str) -> str:
        """The link to the video of a prompt; `VideoFailed`: there is none."""
        begun = time.monotonic()
        task = self._answered("POST", "/v1/videos", begun, json={"model": "sora-2", "prompt": prompt})["id"]
        while True:
            time.sleep(PAUSE)
            video = self._answered("GET", f"/v1/videos/{task}", begun)
            if video["status"] == "completed":
                return self._link(video)
            if video["status"] in self.ended_badly:
                raise VideoFailed(str(video.get("error")))
            self._give_up_after(begun, f"{video['status']}")

    def _link(self, video: dict[str, Any]) -> str:
        """EzModel calls it ``url``, OctopusX ``video_url``; there needn't be one."""
        link = video.get("url") or video.get("video_url")
        if not link:
            raise VideoFailed("completed without a link")
        return str(link)

    def _answered(self, method: str, path: str, begun: float, **body: Any) -> dict[str, Any]:
        while True:
            answer = self._http.request(method, path, **body)
            if answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
            if answer.status_code not in self.passing:
                raise VideoFailed(f"{answer.status_code}: {answer.text}")
            self._give_up_after(begun, f"{answer.status_code}")
            time.sleep(max(PAUSE, _wait(answer)))

    def _give_up_after(self, begun: float, state: str) -> None:
        if time.monotonic() - begun > self.patience:
            raise VideoFailed(f"gave up, at last it was {state}")


def _wait(answer: httpx.Response) -> float:
    """What ``Retry-After`` says in seconds; a date counts as half a minute."""
    told = answer.headers.get("retry-after", "0")
    return float(told) if told.isdigit() else 30.0


class IgnoresCancelled(Careful):
    """Takes a cancelled task for one that goes on."""

    ended_badly = frozenset({"failed"})


class TrustsTheLink(Careful):
    """Believes that whatever has completed has a link."""

    def _link(self, video: dict[str, Any]) -> str:
        return str(video["url"] if "video_url" not in video else video["video_url"])


class LoopsForEver(Careful):
    """Believes that one of the words that it knows will come."""

    patience = math.inf


class TakesThrottlingForFailure(Careful):
    """Believes that an answer other than 200 is the end, unless it is the server's fault."""

    passing = frozenset({500, 502, 503, 504})
