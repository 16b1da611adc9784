"""The parts of a scenario: which there are, where each stands, and which marks touch it."""

from itertools import groupby

import pytest
from hypothesis import given

from emulator.core.scenario import Scenario
from emulator.library import SHIPPED, Library
from emulator.parts import Known, parts_of
from tests.strategies import SCENARIO

STORY = """\
version: 1
auth:
  keys: ["sk-*"]
  reject:
    - {key: "sk-broke-*", operation: create, error: insufficient_quota, about: No credit.}
tasks:
  - id: video_abc
    about: The old one.
    timeline:
      - {status: failed, error: internal}
  - choices:
      - name: usual
        about: What mostly happens.
        timeline:
          - {status: queued, for: 2s}
          - {status: completed, about: The end., video: {expires_in: 10m, expired: {error: not_found}}}
      - timeline:
          - {status: queued, for: 5s}
          - {status: failed, error: {code: oops}}
rules:
  - {operation: poll, calls: 3, error: internal}
  - {operation: poll, headers: {x-a: b}, about: Only adds.}
"""
USUAL, OTHER = "tasks[1].choices[0]", "tasks[1].choices[1]"


def parts(text: str) -> tuple[Known, ...]:
    """The parts of the scenario in a text."""
    return parts_of(Library().add_text(text, "story", "story.yaml"))


def of_kind(kind: str, text: str = STORY) -> list[tuple[str, int, str, str | None]]:
    """Place, line, words and the author's words of the parts of a kind."""
    return [(part.place, part.line, part.what, part.about) for part in parts(text) if part.kind == kind]


def test_each_status_is_one_part() -> None:
    """Where it first stands."""
    assert of_kind("status") == [
        ("tasks[0].timeline[0]", 7, "status failed", None),
        (f"{USUAL}.timeline[0]", 11, "status queued", None),
        (f"{USUAL}.timeline[1]", 11, "status completed", None),
    ]


def test_each_entry_of_each_choice_is_a_part() -> None:
    """With the names that tell its timeline from others, and the nearest words of its author."""
    usual = "What mostly happens."
    assert of_kind("entry") == [
        ("tasks[0].timeline[0]", 7, "failed with error internal, task video_abc", "The old one."),
        (f"{USUAL}.timeline[0]", 11, "queued for 2s, choice usual", usual),
        (f"{USUAL}.timeline[1]", 11, "completed after queued, choice usual", "The end."),
        (f"{OTHER}.timeline[0]", 11, "queued for 5s", None),
        (f"{OTHER}.timeline[1]", 11, "failed with code oops after queued", None),
    ]


def test_choices_are_parts_where_there_are_several() -> None:
    """One alone is no choice."""
    assert of_kind("choice") == [
        (USUAL, 11, "choice usual, weight 1 of 2", "What mostly happens."),
        (OTHER, 11, "choice 2, weight 1 of 2", None),
    ]


def test_each_rule_is_a_part() -> None:
    """Also one that only adds."""
    assert of_kind("rule") == [
        ("rules[0]", 21, "poll, calls 3: error internal", None),
        ("rules[1]", 22, "poll: header x-a", "Only adds."),
    ]


def test_each_rejection_is_a_part_and_so_is_a_key_that_is_not_listed() -> None:
    """The latter only where there is a list."""
    rejection = ("auth.reject[0]", 0, 'key like "sk-broke-*", create: error insufficient_quota', "No credit.")
    unlisted = ("auth.keys", 0, "a key that isn't listed: error invalid_token", None)
    assert of_kind("rejection") == [rejection, unlisted]
    assert of_kind("rejection", STORY.replace('  keys: ["sk-*"]\n', "")) == [rejection]


def test_each_error_is_one_part_however_many_answer_it() -> None:
    """By its name and its code; where it first stands."""
    assert of_kind("error") == [
        ("auth.reject[0].error", 0, "error insufficient_quota", None),
        ("auth.keys", 0, "error invalid_token", None),
        ("tasks[0].timeline[0].error", 7, "error internal", None),
        (f"{USUAL}.timeline[1].video.expired", 11, "error not_found", None),
        (f"{OTHER}.timeline[1].error", 11, "code oops", None),
    ]
    internal = next(part for part in parts(STORY) if part.what == "error internal")
    assert len(internal.marks) == 2


def test_the_death_of_a_link_is_a_part() -> None:
    """Where the author says when it dies, or what is answered then."""
    death = "asked for after the link died, 10m after completion: error not_found"
    assert of_kind("expiry") == [
        (
            f"{USUAL}.timeline[1].video",
            11,
            f"completed after queued, choice usual: {death}",
            "The end.",
        )
    ]
    assert (
        of_kind(
            "expiry", STORY.replace(", expired: {error: not_found}", "").replace("expires_in: 10m", "id: v")
        )
        == []
    )


def test_what_a_file_leaves_out_has_the_place_that_it_would_have() -> None:
    """The happy path's timeline, with the life of links that the defaults give them."""
    text = "version: 1\ndefaults: {video: {expires_in: 10s}}\n"
    assert [place for place, _, _, _ in of_kind("entry", text)] == [
        f"tasks[0].timeline[{n}]" for n in range(3)
    ]
    assert {line for _, line, _, _ in of_kind("entry", text)} == {0}
    assert [place for place, _, _, _ in of_kind("expiry", text)] == ["tasks[0].timeline[2].video"]


def test_a_choice_that_stands_alone_has_its_place_among_choices() -> None:
    """As far as it says anything that a bare timeline couldn't."""
    text = "version: 1\ntasks:\n  - choices: [{name: only}]\n"
    assert of_kind("entry", text)[0][0] == "tasks[0].choices[0].timeline[0]"
    assert of_kind("choice", text) == []


def test_choices_that_nobody_can_tell_apart_share_their_marks() -> None:
    """Else one of them could never be met."""
    one = "{timeline: [{status: failed}]}"
    found = parts(f"version: 1\ntasks:\n  - choices: [{one}, {one}]\n")
    first, second = (part.marks for part in found if part.kind == "choice")
    assert first == second


def test_an_empty_scenario_has_no_parts() -> None:
    """Whatever it's asked, the happy path answers, and that's no part of it."""
    assert parts("version: 1\ntasks: []\n") == ()


@given(scenario=SCENARIO)
def test_every_part_of_any_scenario_can_be_told_and_touched(scenario: Scenario) -> None:
    """It has a place of its own among its kind, a mark of this version, and words without a line break."""
    found = parts_of(scenario)
    for kind, group in groupby(found, key=lambda part: part.kind):
        own = list(group)
        assert len({(part.place, part.what) for part in own}) == len(own), kind
    for part in found:
        assert part.marks
        assert all(mark.startswith(f"{scenario.version} ") for mark in part.marks)
        assert part.what == " ".join(part.what.split()) != ""


@given(scenario=SCENARIO)
def test_the_kinds_come_one_after_the_other(scenario: Scenario) -> None:
    """So that a list of them can be cut into kinds."""
    kinds = [kind for kind, _ in groupby(parts_of(scenario), key=lambda part: part.kind)]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.yaml")))
def test_every_shipped_scenario_has_parts(name: str) -> None:
    """Its statuses and entries at the least."""
    found = Library().get(name)
    assert found is not None
    assert {"status", "entry"} <= {part.kind for part in parts_of(found)}
