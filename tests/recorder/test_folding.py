"""Several runs of one kind become one item: ranges, choices, probabilities."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.providers import by_name
from emulator.recorder.recording import Recorded
from emulator.scenario_file import load_text
from tests.recorder.stage import Client, listening, recording, world

PROVIDER = "octopusx"
REQUEST = {"model": "sora-2", "prompt": "a cat", "seconds": "8"}


def recorded(scenario: str, file: Path, *requests: dict[str, Any], provider: str = PROVIDER) -> Recorded:
    """What is recorded of a client that makes one task after the other."""
    under = world(f"version: 1\nproviders: {provider}\n{scenario}")
    table = by_name[provider]
    clock = under.namespace.clock
    with (
        listening(under.app) as url,
        recording(url + table.base, provider, clock, file, through_links=True) as recorder,
    ):
        for fields in requests:
            with Client(table, recorder.url, clock) as client:
                client.talk(fields={**REQUEST, **fields}, most=60)
        return recorder.finish()


def told(found: Recorded) -> Any:
    """The keys and values of the file, which loads without warnings."""
    assert load_text(found.text, "recorded").warnings == ()
    return yaml.safe_load(found.text)


def lasting(*stays: str) -> str:
    """A scenario whose creates take these times, one after the other."""
    items = [
        f"  - {{calls: 1, timeline: [{{status: queued, for: {stay}}}, {{status: processing, for: 8s, "
        f"progress: {{from: 0, to: 99}}}}, {{status: completed}}]}}\n"
        for stay in stays
    ]
    return "tasks:\n" + "".join(items)


def test_runs_that_took_different_times_become_a_range(tmp_path: Path) -> None:
    """From the shortest to the longest; what polls couldn't tell apart is one duration. Prompts don't count."""
    prompts = [{"prompt": f"a cat {number}"} for number in range(3)]
    found = recorded(lasting("4s", "20s", "10s"), tmp_path / "f.yaml", *prompts)
    (item,) = told(found)["tasks"]
    queued, processing, completed = item["timeline"]
    assert queued == {"status": "queued", "for": {"min": "4s", "max": "20s"}}
    assert processing == {"status": "processing", "for": "8s", "progress": {"from": 0, "to": 99}}
    assert completed == {"status": "completed"}
    assert found.tasks == 3
    assert "match" not in item


def test_runs_that_ended_otherwise_become_choices(tmp_path: Path) -> None:
    """As often as they came."""
    failing = (
        "  - calls: 2\n    timeline: [{status: queued, for: 4s}, {status: failed, error: content_rejected}]\n"
    )
    found = recorded(
        f"tasks:\n{failing}{lasting('4s')[7:]}{lasting('4s')[7:]}", tmp_path / "f.yaml", {}, {}, {}
    )
    (item,) = told(found)["tasks"]
    assert "timeline" not in item
    usual, unlucky = item["choices"]
    assert (usual["name"], usual["weight"]) == ("1: completed", 2)
    assert (unlucky["name"], unlucky["weight"]) == ("2: failed", 1)
    assert unlucky["timeline"][-1] == {"status": "failed", "error": "content_rejected"}


def test_other_requests_become_items_of_their_own(tmp_path: Path) -> None:
    """Told apart by what was asked for; what was asked for most takes all the rest."""
    slow = '  - {match: {seconds: "12"}, timeline: [{status: queued, for: 30s}, {status: completed}]}\n'
    found = recorded(
        f"tasks:\n{slow}  - timeline: [{{status: queued, for: 4s}}, {{status: completed}}]\n",
        tmp_path / "f.yaml",
        {},
        {"seconds": "12"},
        {},
    )
    one, rest = told(found)["tasks"]
    assert one["match"] == {"seconds": "12"}
    assert one["timeline"][0] == {"status": "queued", "for": "30s"}
    assert "match" not in rest
    assert rest["timeline"][0] == {"status": "queued", "for": "4s"}


def test_what_went_wrong_in_all_runs_is_certain_and_else_as_likely_as_it_was(tmp_path: Path) -> None:
    """By the number of the call."""
    rules = (
        "rules:\n"
        "  - {operation: poll, calls: 2, error: rate_limited, retry_after: 3s}\n"
        '  - {operation: poll, calls: 4, match: {prompt: "*broken*"}, error: internal}\n'
    )
    prompts = [{"prompt": text} for text in ("a cat", "a broken cat", "a dog", "a fish")]
    found = recorded(f"{lasting(*['6s'] * 4)}{rules}", tmp_path / "f.yaml", *prompts)
    certain, likely = told(found)["rules"]
    assert certain == {"operation": "poll", "calls": 2, "error": "rate_limited", "retry_after": "3s"}
    assert likely == {"operation": "poll", "calls": 4, "probability": "25%", "error": "internal"}


def test_creates_are_counted_together(tmp_path: Path) -> None:
    """As the language does: the third of all was refused."""
    rules = "rules:\n  - {operation: create, calls: 3, error: unavailable, retry_after: 10s}\n"
    found = recorded(f"{lasting('4s', '4s')}{rules}", tmp_path / "f.yaml", {}, {}, {})
    (rule,) = told(found)["rules"]
    assert rule == {"operation": "create", "calls": 3, "error": "unavailable", "retry_after": "10s"}


@pytest.mark.parametrize("count", [1, 2])
def test_one_task_needs_no_spread_and_no_match(count: int, tmp_path: Path) -> None:
    """Nor do two that took the same."""
    found = recorded(lasting(*["6s"] * count), tmp_path / "f.yaml", *[{}] * count)
    (item,) = told(found)["tasks"]
    assert set(item) == {"timeline"}
    assert all(isinstance(entry.get("for", ""), str) for entry in item["timeline"])
    assert "rules" not in told(found)


def test_what_some_runs_printed_otherwise_stays_theirs(tmp_path: Path) -> None:
    """A patch that the others hadn't makes a choice of its own."""
    timeline = "[{status: queued, for: 4s}, {status: completed}]"
    items = f"  - {{calls: 1, patch: {{made_up: 1}}, timeline: {timeline}}}\n  - timeline: {timeline}\n"
    (item,) = told(recorded(f"tasks:\n{items}", tmp_path / "f.yaml", {}, {}, {}))["tasks"]
    assert "patch" not in item
    usual, odd = item["choices"]
    assert [entry.get("patch") for entry in usual["timeline"]] == [None, None]
    assert [entry.get("patch") for entry in odd["timeline"]] == [{"made_up": 1}] * 2
    assert (usual["weight"], odd["weight"]) == (2, 1)
