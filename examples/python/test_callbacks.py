"""`studio.hooks`: a receiver of Ace Data Cloud's callbacks.

The clock stands still until the test moves it, and an advance comes back when every callback that fell due has been
sent and answered: nothing here waits. With `--video-emulator-url` the emulator must be able to reach this machine.
"""

from collections.abc import Iterator

import pytest
import requests
from studio.hooks import Hooks, listening

from emulator import Emulator

pytestmark = pytest.mark.parametrize("service", ["sora", "veo"])


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    """A receiver for one test."""
    with listening() as made:
        yield made


def ordered(emulator: Emulator, service: str, hooks: Hooks) -> str:
    """A task whose end is to be told to us."""
    answer = requests.post(
        f"{emulator.url(f'acedata-{service}')}/{service}/videos",
        json={"prompt": "a cat", "callback_url": hooks.address},
        headers={"Authorization": f"Bearer {emulator.api_key}"},
        timeout=30,
    )
    task = str(answer.json()["task_id"])
    hooks.await_end(task)
    return task


@pytest.mark.scenario("callback", fail_on="findings")
def test_the_end_is_told_and_the_video_fetched(video_emulator: Emulator, service: str, hooks: Hooks) -> None:
    """Without a single poll. The report would tell of a callback that we didn't answer."""
    task = ordered(video_emulator, service, hooks)
    told = video_emulator.clock.advance("10s")
    assert told.undelivered == 0
    assert requests.get(hooks.links[task], timeout=30).content[4:8] == b"ftyp"
    assert video_emulator.requests("poll").count() == 0


@pytest.mark.scenario("callback-twice")
def test_what_is_told_twice_counts_once(video_emulator: Emulator, service: str, hooks: Hooks) -> None:
    """Both are answered, and the second changes nothing."""
    task = ordered(video_emulator, service, hooks)
    video_emulator.clock.advance("10s")
    link = hooks.links.pop(task)
    video_emulator.clock.advance("3s")
    assert link.startswith("http")
    assert hooks.links == {}
    assert [told.delivered for told in video_emulator.tasks.get(task).facts.callbacks] == [True, True]


@pytest.mark.scenario("fail-moderation", profile="current")
def test_a_failure_is_told_too(video_emulator: Emulator, service: str, hooks: Hooks) -> None:
    """With the provider's code."""
    task = ordered(video_emulator, service, hooks)
    video_emulator.clock.advance("10s")
    assert hooks.failures == {task: "forbidden"}


@pytest.mark.scenario("callback-never")
def test_what_is_never_told_is_asked_for(video_emulator: Emulator, service: str, hooks: Hooks) -> None:
    """After ten minutes, say."""
    task = ordered(video_emulator, service, hooks)
    video_emulator.clock.advance("10m")
    assert (hooks.links, hooks.failures) == ({}, {})
    answer = requests.post(
        f"{video_emulator.url(f'acedata-{service}')}/{service}/tasks",
        json={"action": "retrieve", "id": task},
        headers={"Authorization": f"Bearer {video_emulator.api_key}"},
        timeout=30,
    )
    hooks.tell(answer.json()["response"])
    assert task in hooks.links
