"""Create requests: what real clients send, and what the emulator takes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import sample
from emulator.core.words import Profile
from emulator.providers import by_name
from emulator.strategies import create_requests
from emulator.strategies.requests import is_prompt
from tests.fuzzing.finding import simplest
from tests.worlds import World

WORLDS = {profile: World(profile=profile, max_tasks=100_000) for profile in Profile}


@given(name=st.sampled_from(sorted(by_name)), profile=st.sampled_from(Profile), data=st.data())
def test_every_one_is_accepted(name: str, profile: Profile, data: st.DataObject) -> None:
    """In both profiles, as JSON, each makes a task of the active scenario."""
    provider, body = by_name[name], data.draw(create_requests(name))
    answer = WORLDS[profile].post(f"{provider.base}{sample.create(provider).path}", body)
    assert answer.status_code == 200, answer.body
    found = answer.json()
    assert found.get("id") or found.get("task_id")
    assert WORLDS[profile].namespace.active.scenario.name == "happy-path"


@given(name=st.sampled_from(sorted(by_name)), data=st.data())
def test_every_one_has_a_prompt(name: str, data: st.DataObject) -> None:
    """A prompt that isn't blank, and that doesn't name a scenario."""
    prompt = data.draw(create_requests(name))["prompt"]
    assert prompt.strip()
    assert "scenario:" not in prompt.lower()


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("a", True),
        (" ", False),
        ("\u3000", False),
        ("scenario:slow-queue", False),
        ("A Scenario: rain", False),
    ],
)
def test_prompts_are_picked(text: str, fits: bool) -> None:
    """What is drawn so seldom that no run of tests meets it is left out all the same."""
    assert is_prompt(text) == fits


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("acedata-sora", {"prompt": "A cat", "async": True}),
        ("acedata-veo", {"action": "text2video", "prompt": "A cat", "async": True}),
        ("octopusx", {"model": "sora-2", "prompt": "A cat"}),
        ("ezmodel", {"prompt": "A cat"}),
    ],
)
def test_the_simplest_has_what_the_provider_cannot_do_without(provider: str, body: dict[str, Any]) -> None:
    """A short prompt, and nothing that could be left out."""
    assert simplest(create_requests(provider)) == body


@pytest.mark.parametrize("action", ["text2video", "image2video", "ingredients2video", "get1080p"])
def test_veo_gets_each_of_its_actions(action: str) -> None:
    """All four come, each with what it needs."""
    body = simplest(create_requests("acedata-veo"), lambda found: found["action"] == action)
    needed = {"image2video": "image_urls", "ingredients2video": "image_urls", "get1080p": "video_id"}
    assert needed.get(action, "prompt") in body


@pytest.mark.parametrize("provider", sorted(by_name))
def test_prompts_are_unicode(provider: str) -> None:
    """People write in every script."""
    assert not simplest(create_requests(provider), lambda body: not body["prompt"].isascii())[
        "prompt"
    ].isascii()


def test_an_unknown_provider_is_told() -> None:
    """The call itself raises."""
    with pytest.raises(ValueError, match="provider: expected one of"):
        create_requests("runway")
