"""Timelines: all that may become of a task, and no more than was asked for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.units import SECOND, parse_duration
from emulator.core.words import TERMINAL, Profile, Status
from emulator.providers import by_name
from emulator.scenario_file import load_text
from emulator.strategies import GeneratedScenario, timelines
from tests.fuzzing.finding import simplest
from tests.worlds import World

Timeline = list[dict[str, Any]]
PROVIDER = st.sampled_from(sorted(by_name))
DONE = {"status": "completed"}
# Fact sheet: Ace Data's clients know these as well, which its service prints before the end.
OWN_WORDS = {
    name: {"pending", "processing", "succeeded", "failed"} for name in ("acedata-sora", "acedata-veo")
}


def own_words(provider: str) -> set[str]:
    """What it prints as a task's status, in both profiles."""
    words = set()
    for profile in Profile:
        world = World(profile=profile)
        for number, status in enumerate(Status):
            task = {"provider": provider, "id": f"task-{number}", "status": status.value}
            assert world.post("/__admin/tasks", task, host="127.0.0.1:8080").status_code in (200, 201)
            words.add(world.get(f"/{provider}/v1/videos/task-{number}").json()["status"])
    return words


OWN_WORDS |= {name: own_words(name) for name in ("octopusx", "ezmodel")}


def length(timeline: Timeline) -> int:
    """How long it takes by time alone."""
    return sum(parse_duration(entry["for"]) for entry in timeline if "for" in entry)


@given(provider=PROVIDER, data=st.data())
def test_they_load_without_a_warning(provider: str, data: st.DataObject) -> None:
    """Any timeline, of tasks that may be stuck too, makes a scenario in which lint finds nothing doubtful."""
    timeline = data.draw(timelines(provider, stuck=True))
    scenario = GeneratedScenario(version=1, providers=provider, tasks=[{"timeline": timeline}])
    assert load_text(scenario.yaml, "drawn").warnings == ()


KINDS: list[tuple[str, Any, Timeline]] = [
    ("any", lambda _: True, [DONE]),
    ("waits", lambda t: len(t) > 1, [{"status": "queued", "for": "1s"}, DONE]),
    ("processing", lambda t: t[0]["status"] == "processing", [{"status": "processing", "for": "1s"}, DONE]),
    ("long", lambda t: length(t) > 61 * SECOND, [{"status": "queued", "for": "2m"}, DONE]),
    ("short", lambda t: 0 < length(t) < SECOND, [{"status": "queued", "for": "500ms"}, DONE]),
    ("polls", lambda t: "polls" in t[0], [{"status": "queued", "polls": 1}, DONE]),
    (
        "back",
        lambda t: [entry["status"] for entry in t[:2]] == ["processing", "queued"],
        [{"status": "processing", "for": "1s"}, {"status": "queued", "for": "1s"}, DONE],
    ),
    (
        "ramp",
        lambda t: "progress" in t[0],
        [{"status": "queued", "for": "1s", "progress": {"from": 0, "to": 99}}, DONE],
    ),
    (
        "early hundred",
        lambda t: t[0].get("progress") == 100,
        [{"status": "queued", "for": "1s", "progress": 100}, DONE],
    ),
    (
        "word",
        lambda t: t[0]["status"] == "processing" and "word" in t[0],
        [{"status": "processing", "for": "1s", "word": "rendering"}, DONE],
    ),
    ("word at the end", lambda t: "word" in t[-1], [{"status": "completed", "word": "done"}]),
    ("failed", lambda t: t[-1]["status"] == "failed", [{"status": "failed"}]),
    ("reason", lambda t: "error" in t[-1], [{"status": "failed", "error": "internal"}]),
    (
        "coded",
        lambda t: "code" in str(t[-1].get("error")),
        [{"status": "failed", "error": {"code": "generation_failed", "message": "Generation failed"}}],
    ),
    (
        "bare text",
        lambda t: "shape" in str(t[-1].get("error")),
        [{"status": "failed", "error": {"message": "Generation failed", "shape": "string"}}],
    ),
    ("cancelled", lambda t: t[-1]["status"] == "cancelled", [{"status": "cancelled"}]),
    ("no link", lambda t: "url" in str(t), [{"status": "completed", "video": {"url": "none"}}]),
    (
        "late link",
        lambda t: t[0]["status"] == "completed" and len(t) > 1,
        [{"status": "completed", "for": "1s", "video": {"url": "none"}}, DONE],
    ),
    (
        "short link",
        lambda t: "expires_in" in str(t),
        [{"status": "completed", "video": {"expires_in": "1s"}}],
    ),
    ("dead link", lambda t: "'0s'" in str(t), [{"status": "completed", "video": {"expires_in": "0s"}}]),
    ("stuck", lambda t: "stuck" in t[-1], [{"status": "processing", "stuck": True}]),
]


@pytest.mark.parametrize(("is_one", "minimal"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_they_shrink_to_what_an_author_would_write(is_one: Any, minimal: Timeline) -> None:
    """The simplest timeline that holds something has nothing else, in round numbers and plain words."""
    assert simplest(timelines("octopusx", stuck=True), is_one) == minimal


@given(timeline=timelines("ezmodel"))
def test_they_end(timeline: Timeline) -> None:
    """Unless ``stuck`` is on, every timeline has an end."""
    assert timeline[-1]["status"] in TERMINAL


@given(timeline=timelines("octopusx", max_duration="7s"))
def test_they_last_no_longer_than_was_said(timeline: Timeline) -> None:
    """Their entries together don't exceed ``max_duration``."""
    assert length([entry for entry in timeline if entry["status"] not in TERMINAL]) <= 7 * SECOND


@given(timeline=timelines("octopusx", statuses=["processing", "failed"]))
def test_they_have_the_statuses_that_were_named(timeline: Timeline) -> None:
    """No other status comes."""
    assert {entry["status"] for entry in timeline} <= {"processing", "failed"}


@given(timeline=timelines("octopusx", unknown_words=False, missing_results=False, short_links=False))
def test_they_lack_what_was_switched_off(timeline: Timeline) -> None:
    """No words, no missing link, no link that dies early."""
    assert not any("word" in entry or "video" in entry for entry in timeline)


@given(data=st.data(), provider=st.sampled_from(["acedata-sora", "acedata-veo"]))
def test_they_have_nothing_that_the_provider_does_not_print(data: st.DataObject, provider: str) -> None:
    """Ace Data prints no progress, and no word for a task that failed or was cancelled."""
    timeline = data.draw(timelines(provider))
    assert not any("progress" in entry for entry in timeline)
    assert not any("word" in entry for entry in timeline if entry["status"] in ("failed", "cancelled"))


@given(provider=PROVIDER, data=st.data())
def test_their_words_are_none_of_the_providers_own(provider: str, data: st.DataObject) -> None:
    """A word that is printed for a status is one that the provider prints for no status, in either profile."""
    timeline = data.draw(timelines(provider, stuck=True))
    assert not {entry["word"] for entry in timeline if "word" in entry} & OWN_WORDS[provider]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"provider": "octopus"},
            "provider: expected one of acedata-sora, .*, got 'octopus'; did you mean 'octopusx'",
        ),
        ({"statuses": ["queued", "done"]}, "statuses: expected one of queued, .*, got 'done'"),
        (
            {"statuses": ["queued"]},
            r"statuses: expected one that ends a task \(completed, failed, cancelled\), got",
        ),
        ({"statuses": []}, "statuses: expected one that ends a task"),
        ({"max_duration": "10"}, "max_duration: expected a duration such as 500ms, 5s or 4m15s, got '10'"),
        ({"max_duration": 10}, "max_duration: expected a duration such as 500ms, 5s or 4m15s, got 10"),
        ({"max_duration": "2d"}, "max_duration: expected a duration from 1s to 12h, got '2d'"),
    ],
)
def test_a_wrong_argument_is_told_at_once(arguments: dict[str, Any], message: str) -> None:
    """The call itself raises, with what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        timelines(**{"provider": "octopusx", **arguments})


def test_a_text_where_several_words_stand_is_told() -> None:
    """A single status is no collection of statuses."""
    with pytest.raises(
        TypeError, match=r"statuses: expected several words, got the text 'failed'; write \['failed'\]"
    ):
        timelines("octopusx", statuses="failed")


def test_no_end_is_needed_where_tasks_may_be_stuck() -> None:
    """With ``stuck`` a task may have nothing but waiting statuses."""
    assert simplest(timelines("ezmodel", statuses=[Status.QUEUED], stuck=True)) == [
        {"status": "queued", "stuck": True}
    ]
