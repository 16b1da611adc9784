"""A render against the container: the same calls as with the fixture `video_emulator`."""

import requests

from emulator import Emulator


def test_a_video_comes_after_five_minutes(emulator: Emulator) -> None:
    """The clock in the container is moved from here."""
    videos = f"{emulator.url('octopusx')}/v1/videos"
    headers = {"Authorization": f"Bearer {emulator.api_key}"}
    order = {"model": "sora-2", "prompt": "a cat"}
    task = requests.post(videos, json=order, headers=headers, timeout=30).json()["id"]
    assert requests.get(f"{videos}/{task}", headers=headers, timeout=30).json()["status"] == "queued"

    emulator.clock.advance("5m")
    video = requests.get(f"{videos}/{task}", headers=headers, timeout=30).json()
    assert video["status"] == "completed"
    assert requests.get(video["video_url"], timeout=30).content[4:8] == b"ftyp"
    assert emulator.requests("poll").count() == 2
    emulator.assert_well_behaved()


def test_worlds_are_fresh(emulator: Emulator) -> None:
    """Whatever other tests did in the same container."""
    assert emulator.requests().count() == 0
    assert emulator.health().scenario == "slow-queue"
