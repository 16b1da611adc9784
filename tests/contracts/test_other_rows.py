"""What the other routes answer keeps the contracts: lists, deletions, remixes, OctopusX's older ones and Veo's."""

from typing import Any, Final

import pytest

from emulator.core.units import MINUTE
from emulator.core.words import Profile
from tests.contracts.wires import ACEDATA, CREATE, CURRENT, POLL, Wire, id_in, told
from tests.worlds import Answer

OPENAI_STYLE: Final = ("octopusx", "ezmodel")
FAMILIES: Final = {
    "sora": "sora-2",
    "veo": "veo_3_1-fast",
    "jimeng": "jimeng-video-3.0",
    "grok": "grok-video-3",
}
ENDINGS: Final = """
version: 1
tasks:
  - timeline:
      - {status: queued, for: 10s}
      - {status: processing, for: 10s, progress: {from: 0, to: 99}}
      - {status: %s}
"""
every_profile = pytest.mark.parametrize("profile", Profile)


def found(wire: Wire, row: str, answer: Answer, outcome: str) -> list[str]:
    """What differs between an answer and the outcome that it is to be taken for."""
    judgement = wire.judged(row, answer)
    assert judgement.answer.name == outcome
    return told(judgement.findings)


@pytest.mark.parametrize("provider", OPENAI_STYLE)
def test_a_page_keeps_the_contract(provider: str) -> None:
    """With tasks and without; each of its tasks is what a poll prints."""
    wire = Wire("contract", provider, CURRENT)
    base = f"/{provider}/v1/videos"
    wire.created()
    page = wire.world.get(f"{base}?limit=100", headers=wire.headers)
    assert found(wire, "list", page, "page") == []
    assert len(page.json()["data"]) > 1
    for item in page.json()["data"]:
        polled = wire.poll(item["id"])
        assert polled.json() == item
        assert told(wire.judged(POLL, polled).findings) == []
    assert found(wire, "list", wire.world.get(f"{base}?after=nobody", headers=wire.headers), "page") == []


@pytest.mark.parametrize("provider", OPENAI_STYLE)
def test_a_deletion_keeps_the_contract(provider: str) -> None:
    """Too early, in time, and of a task that is gone."""
    wire = Wire("happy-path", provider, CURRENT)
    task = wire.created()
    assert found(wire, "delete", wire.ask("delete", task), "not_ready") == []
    wire.world.advance(MINUTE)
    assert found(wire, "delete", wire.ask("delete", task), "deleted") == []
    assert found(wire, "delete", wire.ask("delete", task), "not_found") == []


@pytest.mark.parametrize("provider", ACEDATA)
def test_a_deletion_by_an_action_keeps_the_contract(provider: str) -> None:
    """Whether there was such a task or not."""
    wire = Wire("happy-path", provider, CURRENT)
    body = {"action": "delete", "id": wire.created(), "user_id": "somebody"}
    for deleted in (True, False):
        answer = wire.query(body)
        assert found(wire, POLL, answer, "deleted") == []
        assert answer.json()["deleted"] is deleted


@every_profile
@pytest.mark.parametrize("provider", OPENAI_STYLE)
def test_a_remix_keeps_the_contract(provider: str, profile: Profile) -> None:
    """The answer, what polls print of the new task, and the refusal of an unknown one; where there is the route."""
    wire = Wire("happy-path", provider, profile)
    if profile not in wire.contract.operations["remix"].profiles:
        assert found(wire, POLL, wire.ask("remix", wire.created()), "no_route") == []
        return
    answer = wire.ask("remix", wire.created())
    assert found(wire, "remix", answer, "created") == []
    assert told(wire.judged(POLL, wire.poll(answer.json()["id"]), ["queued"]).findings) == []
    assert found(wire, "remix", wire.ask("remix", "nobody"), "not_found") == []


@every_profile
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
def test_the_older_routes_keep_the_contract(profile: Profile, family: str, ending: str) -> None:
    """Each family of models in its own words, at every instant; the newer route words the same task as ever."""
    wire = Wire(ENDINGS % ending, "octopusx", profile)
    fields: dict[str, Any] = {"prompt": "a cat", "model": FAMILIES[family], "images": [], "duration": 10}
    made = wire.world.post("/octopusx/v1/video/create", fields, headers=wire.headers)
    assert found(wire, "older_create", made, family) == []
    asked_as = "veo" if family == "jimeng" else family
    for _ in range(3):
        assert found(wire, "older_query", wire.ask("older_query", id_in(made)), asked_as) == []
        assert told(wire.judged(POLL, wire.poll(id_in(made))).findings) == []
        wire.world.advance(10_000_000)


@every_profile
def test_an_older_remix_keeps_the_contract(profile: Profile) -> None:
    """It answers as its page on Grok shows."""
    wire = Wire("happy-path", "octopusx", profile)
    asked = {"prompt": "a dog", "task_id": wire.created(), "model": "grok-video-3"}
    answer = wire.world.post("/octopusx/v1/video/remix", asked, headers=wire.headers)
    assert found(wire, "older_remix", answer, "grok") == []


@every_profile
@pytest.mark.parametrize("row", ["upsample", "extend", "reshoot", "objects"])
def test_veos_other_creates_keep_the_contract(profile: Profile, row: str) -> None:
    """They answer as the create does, and what they make is read as what that makes."""
    wire = Wire("happy-path", "acedata-veo", profile)
    source = wire.created()
    wire.world.advance(MINUTE)
    body = {"video_id": source, "action": "insert", "motion_type": "UP", "model": "veo31", "async": True}
    made = wire.world.post(f"/acedata/veo/{row}", body, headers=wire.headers)
    assert found(wire, row, made, "created") == []
    assert found(wire, CREATE, made, "created") == []
    wire.world.advance(MINUTE)
    assert found(wire, POLL, wire.poll(id_in(made)), "completed") == []
