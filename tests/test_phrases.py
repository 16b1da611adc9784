"""Entries, choices, rules, rejections and errors in words: one line each, whatever an author wrote."""

from typing import Any

import pytest
from hypothesis import given

from emulator import phrases
from emulator.core.scenario import Scenario
from emulator.library import Library
from tests.strategies import SCENARIO


def loaded(text: str) -> Scenario:
    """The scenario in a text, whose version is left out."""
    return Library().add_text(f"version: 1\n{text}", "story", "story.yaml")


RULES = [
    ("{operation: poll, calls: 3-4, error: rate_limited, retry_after: 5s}",
     "poll, calls 3-4: error rate_limited, Retry-After 5s"),
    ("{operation: [content, download], while: completed, since: status, between: 0s-2s, error: not_found}",
     "content or download, 0s-2s after its status began, while completed: error not_found"),
    ("{provider: [octopusx, ezmodel], probability: 5%, times: 2, times_total: 9, pass: true}",
     "at octopusx or ezmodel, 5% of the time, at most 2 per task, at most 9 in all: passes"),
    ("{operation: poll, calls: [1, every 5, 9+], respond: {status_code: 418}, retry_after: none}",
     "poll, calls 1, every 5 or 9+: status code 418, no Retry-After"),
    ("{delay: {min: 1s, max: 3s}, headers: {x-a: b, x-c: d}, patch: {a: 1}}",
     "any call: delay 1s to 3s, patch, headers x-a and x-c"),
    ("{delay: {median: 80ms, sigma: 0.4}}", "any call: delay about 80ms"),
    ("{match: {prompt: {contains: a cat}, key: sk-a*}, error: {name: internal, code: oops}}",
     'prompt with "a cat" in it, key like "sk-a*": error internal as oops'),
    ("{match: {seconds: 10, model: {any_of: [a, b]}, size: {exists: false}}, error: internal}",
     'seconds "10", model "a" or "b", size absent: error internal'),
    ("{match: {id: {not: {regex: ^v, exists: true}}}, between: [1s+, 0s-1s], error: internal}",
     'id not (matching "^v" and present), 1s+ or 0s-1s after the creation: error internal'),
    ("{since: start, between: 2m+, retry_after: {http_date: 5s}, error: internal}",
     "2m+ after the activation: error internal, Retry-After 5s"),
    ("{operation: poll, fault: connection_reset}", "poll: fault connection_reset"),
    ("{operation: poll, fault: stall}", "poll: fault stall after 50%"),
    ("{operation: download, fault: {truncate_body: 1KiB}, slow_body: {rate: 64KiB/s}}",
     "download: fault truncate_body after 1KiB, body at 64KiB/s"),
    ("{operation: download, slow_body: {over: 10s}}", "download: body over 10s"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "words"), RULES)
def test_a_rule_says_when_and_what(rule: str, words: str) -> None:
    """Conditions in the order of the language, then the effect and what goes beside it."""
    assert phrases.rule_words(loaded(f"rules:\n  - {rule}\n").rules[0]) == words


ENTRIES = [
    (["{status: queued, for: 2s}"], "queued for 2s"),
    (["{status: queued, for: {min: 1s, max: 2s}}"], "queued for 1s to 2s"),
    (["{status: queued, polls: 1}"], "queued for 1 poll"),
    (["{status: queued, polls: 3}"], "queued for 3 polls"),
    (["{status: queued, until: 1m}"], "queued until 1m"),
    (["{status: queued, stuck: true}"], "queued for good"),
    (["{status: completed, video: {bytes: 200MB}}"], "completed with a video of 200MB"),
    (["{status: completed, video: {url: none, bytes: 1.5MiB}}"],
     "completed without a link with a video of 1536KiB"),
    (["{status: queued, for: 1s}", "{status: processing, for: 5s, word: rendering}"],
     "processing printed as rendering for 5s after queued"),
    (["{status: processing, for: 1s}", "{status: failed, error: internal}"],
     "failed with error internal after processing"),
    (["{status: processing, for: 1s}", "{status: failed, error: {code: oops, message: no}}"],
     "failed with code oops after processing"),
    (["{status: failed, error: {message: no}}"], "failed with words of its own"),
    (["{status: failed}"], "failed"),
    (["{status: completed, video: {url: none}}"], "completed without a link"),
]  # fmt: skip


@pytest.mark.parametrize(("entries", "words"), ENTRIES)
def test_an_entry_says_what_it_is_and_what_it_comes_after(entries: list[str], words: str) -> None:
    """The last of these, of which only the last may be terminal."""
    lines = "".join(f"      - {entry}\n" for entry in entries)
    end = (
        "" if "stuck" in lines or "failed" in lines or "completed" in lines else "      - {status: failed}\n"
    )
    timeline = loaded(f"tasks:\n  - timeline:\n{lines}{end}").items[0].choices[0].entries
    index = len(entries) - 1
    assert phrases.entry_words(timeline[index], timeline[index - 1] if index else None) == words


@pytest.mark.parametrize(
    ("video", "words"),
    [
        ("{expires_in: 10m}", "asked for after the link died, 10m after completion"),
        (
            "{expired: {error: not_found}}",
            "asked for after the link died, 24h after the creation: error not_found",
        ),
        (
            "{expires_in: 0s, expired: {respond: {status_code: 410}}}",
            "asked for after the link died, 0s after completion: status code 410",
        ),
    ],
)
def test_the_death_of_a_link_says_when_and_what_is_answered(video: str, words: str) -> None:
    """Where its author says that; otherwise the storage answers in its own words."""
    text = f"tasks:\n  - timeline:\n      - {{status: completed, video: {video}}}\n"
    found = loaded(text).items[0].choices[0].entries[0].video
    assert found is not None
    assert phrases.death_words(found) == words


def test_a_choice_says_its_name_or_its_number_and_its_weight() -> None:
    """Relative to all of them."""
    text = "tasks:\n  - choices:\n      - {name: usual, weight: 9}\n      - {weight: 0.5}\n"
    choices = loaded(text).items[0].choices
    assert [phrases.choice_words(choice, n, choices) for n, choice in enumerate(choices)] == [
        "choice usual, weight 9 of 9.5",
        "choice 2, weight 0.5 of 9.5",
    ]


def test_a_rejection_says_which_keys_and_how() -> None:
    """Without an error of its own it is an unknown key."""
    broke, unknown = "{key: sk-broke-*, operation: create, error: insufficient_quota}", "{key: sk-x}"
    text = f"auth:\n  reject:\n    - {broke}\n    - {unknown}\n"
    assert [phrases.rejection_words(rejection) for rejection in loaded(text).auth.reject] == [
        'key like "sk-broke-*", create: error insufficient_quota',
        'key "sk-x": error invalid_token',
    ]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (
            "{operation: poll, limit: 30, window: 1m}",
            "poll, at most 30 for each key in 1m: error rate_limited",
        ),
        (
            "{operation: [create, poll], provider: ezmodel, limit: 3, per: namespace, error: insufficient_quota}",
            "create or poll, at ezmodel, at most 3 in all: error insufficient_quota",
        ),
        (
            "{operation: poll, match: {id: a*}, limit: 1, per: task, window: 2s, retry_after: true}",
            'poll, id like "a*", at most 1 for each task in 2s: error rate_limited, Retry-After as long as it takes',
        ),
        ("{in_flight: 1}", "create, at most 1 task under way for each key: error rate_limited"),
        (
            "{in_flight: 2, per: namespace, error: unavailable, retry_after: none}",
            "create, at most 2 tasks under way in all: error unavailable, no Retry-After",
        ),
        (
            "{operation: poll, limit: 2, retry_after: {http_date: 5s}}",
            "poll, at most 2 for each key: error rate_limited, Retry-After 5s",
        ),
    ],
)
def test_a_limit_says_what_is_counted_for_whom_and_how_it_refuses(limit: str, words: str) -> None:
    """In the order of the file's keys."""
    assert phrases.limit_words(loaded(f"limits: [{limit}]\n").limits[0]) == words


def test_long_texts_are_cut() -> None:
    """An author's own after sixty characters, a line of many conditions after three hundred."""
    match = ", ".join(f"field{number}: {{contains: {'word ' * 50}}}" for number in range(50))
    words = phrases.rule_words(loaded(f"rules:\n  - {{match: {{{match}}}, error: internal}}\n").rules[0])
    assert words.startswith(f'field0 with "{("word " * 50)[:60]}..." in it, ')
    assert len(words) == 303


def _lines(scenario: Scenario) -> list[Any]:
    choices = [choice for item in scenario.items for choice in item.choices]
    entries = [entry for choice in choices for entry in choice.entries]
    return [
        *map(phrases.rule_words, scenario.rules),
        *map(phrases.rejection_words, scenario.auth.reject),
        *map(phrases.limit_words, scenario.limits),
        *(phrases.entry_words(entry, None) for entry in entries),
        *(phrases.death_words(entry.video) for entry in entries if entry.video),
        *(phrases.choice_words(choice, 0, [choice]) for choice in choices),
    ]


@given(scenario=SCENARIO)
def test_whatever_a_scenario_holds_is_one_line(scenario: Scenario) -> None:
    """Neither empty nor endless, without a line break."""
    for line in _lines(scenario):
        assert 0 < len(line) < 400
        assert line == " ".join(line.split())
