"""Each shipped scenario, recorded and replayed: a client sees the same of the recording."""

from functools import partial
from pathlib import Path

import pytest
import yaml

from emulator.core.units import MILLISECOND, SECOND, parse_duration, parse_instant
from emulator.library import Library
from emulator.providers import by_name
from tests.recorder.stage import MOST_POLLS, Client, Talk, assert_alike, seen_words, talk_again, talk_with

BROKEN = {"reset-on-poll", "truncated-download", "slow-download", "html-502", "invalid-json"}
"""What breaks on the wire is no answer that a recording could hold: the proxy tells of it."""
NAMES = [name for name in Library().names() if not name.startswith("documents") and name not in BROKEN]
DRAWN = "slow-responses"
"""Its latencies are drawn, so instants are others each time."""


@pytest.mark.parametrize("provider", by_name)
@pytest.mark.parametrize("name", [name for name in NAMES if name != DRAWN])
def test_what_was_recorded_shows_the_same(name: str, provider: str, tmp_path: Path) -> None:
    """Statuses, words, errors in their places, waits, results before and after their links die."""
    talk = partial(Client.talk, most=30 if name == "stuck-processing" else MOST_POLLS)
    seen, recorded = talk_with(name, provider, tmp_path / "recorded.yaml", talk=talk)
    again = talk_again(recorded.text, provider, talk=talk)
    assert_alike(seen, again, recorded.text)
    assert recorded.alike == recorded.exchanges == len(seen.steps)


@pytest.mark.parametrize("provider", by_name)
def test_the_life_of_a_link_is_told(provider: str, tmp_path: Path) -> None:
    """As a life, rather than by the downloads that came too late: from completion to the announced end."""
    _, recorded = talk_with("expired-link", provider, tmp_path / "recorded.yaml")
    told = yaml.safe_load(recorded.text)
    stays = [parse_duration(entry["for"]) for entry in told["tasks"][0]["timeline"][:-1]]
    life = parse_duration(told["tasks"][0]["timeline"][-1]["video"]["expires_in"])
    assert sum(stays) + life == 20 * SECOND
    assert "rules" not in told


@pytest.mark.parametrize("provider", by_name)
def test_latency_that_was_recorded_is_felt_again(provider: str, tmp_path: Path) -> None:
    """About as much for all calls, and eight seconds for each fifth poll."""
    talk = partial(Client.talk, most=12)
    seen, recorded = talk_with(DRAWN, provider, tmp_path / "recorded.yaml", talk=talk)
    again = talk_again(recorded.text, provider, talk=talk)
    assert seen_words(again) == seen_words(seen)
    waits = [[step.waited for step in told.steps if step.operation == "poll"] for told in (seen, again)]
    usual = [wait for number, wait in enumerate(waits[0], 1) if number % 5]
    slow = 10 * MILLISECOND  # what is written is rounded
    for number, wait in enumerate(waits[1], 1):
        assert wait == 8 * SECOND if number % 5 == 0 else wait <= max(usual) + slow, (number, recorded.text)
    assert min(waits[1]) > 100 * MILLISECOND


INSTANTS = {
    ("documents", "acedata-sora"): ("b8976e18-32dc-4718-9ed8-1ea090fcb6ea", "2025-10-10T14:14:03Z"),
    ("documents", "acedata-veo"): ("1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed", "2025-07-25T09:19:19Z"),
    ("documents", "octopusx"): ("video_abc123", "2025-01-01T00:00:00Z"),
    ("documents", "ezmodel"): ("vid_abc123xyz456", "2024-01-15T16:00:00Z"),
    ("documents-failed", "ezmodel"): ("vid_abc123xyz456", "2024-01-15T16:00:00Z"),
}
"""The tasks that exist, and from when on each is polled."""


@pytest.mark.parametrize(("name", "provider"), INSTANTS)
def test_a_task_that_existed_before_exists_again(name: str, provider: str, tmp_path: Path) -> None:
    """Under another id, which the recorder tells, and with the same history from the beginning of the recording on."""
    task_id, instant = INSTANTS[name, provider]
    start = parse_instant(instant)

    def talk(client: Client, asked: str = task_id) -> Talk:
        # The links of the documents lead to hosts that aren't asked here.
        return client.talk(asked, most=90, fetches=False)

    seen, recorded = talk_with(name, provider, tmp_path / "recorded.yaml", talk=talk, start=start)
    new_id = recorded.renamed[task_id]
    again = talk_again(recorded.text, provider, talk=partial(talk, asked=new_id), start=start)
    assert_alike(seen, again, recorded.text)
    assert task_id not in recorded.text
    assert new_id in recorded.text
    assert recorded.alike == recorded.exchanges
