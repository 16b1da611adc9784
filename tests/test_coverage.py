"""Coverage: what marks make of scenarios, that it never falls, and that a client which does everything meets all."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core import marks
from emulator.core.scenario import ClockSettings, Scenario
from emulator.core.units import SECOND, parse_instant
from emulator.coverage import as_text, coverage_of, missing
from emulator.library import Library
from emulator.messages.coverage import Coverage, Share
from emulator.parts import parts_of
from emulator.providers import by_name
from tests.generous import Generous
from tests.worlds import World

STORY = """\
version: 1
name: story
about: A short one.
tasks:
  - timeline:
      - {status: queued, for: 2s}
      - {status: failed, error: internal, about: The end.}
rules:
  - {operation: poll, calls: 3, error: rate_limited}
"""


def loaded(text: str) -> Scenario:
    """The scenario in a text."""
    return Library().add_text(text, "story", "story.yaml")


def covered(met: Iterable[str], *scenarios: Scenario, also: Iterable[str] = ()) -> Coverage:
    """What the marks make of the scenarios."""
    return coverage_of(met, {one.version: one for one in scenarios}, also=tuple(also))


def share(total: int, touched: int, percent: int) -> Share:
    """A share."""
    return Share(total=total, touched=touched, percent=percent)


# What marks make of a scenario


def test_a_part_is_touched_by_its_mark() -> None:
    """And every part that shares it."""
    story = loaded(STORY)
    (found,) = covered({marks.entry(story.version, 0, 0, 1)}, story).scenarios
    assert (found.name, found.digest, found.source, found.about) == (
        "story",
        story.digest,
        "story.yaml",
        "A short one.",
    )
    assert [(part.kind, part.place) for part in found.parts if part.touched] == [
        ("status", "tasks[0].timeline[1]"),
        ("entry", "tasks[0].timeline[1]"),
        ("error", "tasks[0].timeline[1].error"),
    ]


def test_one_of_its_marks_is_enough_for_a_part() -> None:
    """A status that several entries have, an error that several things answer."""
    text = STORY.replace("rate_limited", "internal").replace(
        "for: 2s}", "for: 2s}\n      - {status: queued, for: 1s}"
    )
    story = loaded(text)
    (first,) = covered({marks.entry(story.version, 0, 0, 1)}, story).scenarios
    assert [part.what for part in first.parts if part.touched] == [
        "status queued",
        "queued for 1s after queued",
    ]
    (second,) = covered({marks.rule(story.version, story.rules[0].id)}, story).scenarios
    assert [part.kind for part in second.parts if part.touched] == ["rule", "error"]


def test_shares_are_rounded_down() -> None:
    """So that 100 means all."""
    story = loaded(STORY)
    every = {mark for part in parts_of(story) for mark in part.marks}
    found = covered(every - {marks.rule(story.version, story.rules[0].id)}, story)
    assert found.overall == share(7, 5, 71)
    assert found.kinds == {
        "status": share(2, 2, 100),
        "entry": share(2, 2, 100),
        "rule": share(1, 0, 0),
        "error": share(2, 1, 50),
    }
    assert covered(every, story).overall == share(7, 7, 100)


def test_several_scenarios_add_up() -> None:
    """Each has its own shares, and all together theirs."""
    story, other = loaded(STORY), loaded("version: 1\nname: other\ntasks: [{timeline: [{status: failed}]}]\n")
    found = covered({marks.entry(story.version, 0, 0, 0), marks.entry(other.version, 0, 0, 0)}, story, other)
    assert {one.name: one.overall for one in found.scenarios} == {
        "story": share(7, 2, 28),
        "other": share(2, 2, 100),
    }
    assert found.overall == share(9, 4, 44)
    assert found.kinds["status"] == share(3, 2, 66)


def test_a_scenario_that_nobody_met_is_shown_only_when_asked_for() -> None:
    """It would otherwise lower the sum of every run."""
    story, other = loaded(STORY), loaded("version: 1\nname: other\n")
    met = {marks.entry(story.version, 0, 0, 0)}
    assert [one.name for one in covered(met, story, other).scenarios] == ["story"]
    everything = covered(met, story, other, also=[other.version])
    assert [(one.name, one.overall.touched) for one in everything.scenarios] == [("other", 0), ("story", 2)]


def test_a_create_that_no_item_took_shows_the_scenario_all_the_same() -> None:
    """A client met it, though none of its parts."""
    story = loaded(STORY)
    found = covered({marks.entry(story.version, -1, 0, 0)}, story)
    assert [one.overall for one in found.scenarios] == [share(7, 0, 0)]


def test_what_is_no_part_of_a_scenario_counts_for_nothing() -> None:
    """Marks of an unknown version, and of keys where the file lists none."""
    story = loaded(STORY)
    met = {
        marks.entry("story@other", 0, 0, 0),
        marks.unknown_key(story.version),
        marks.rule(story.version, "x"),
    }
    found = covered(met, story)
    assert found.scenarios == []
    assert found.overall == share(0, 0, 0)
    assert found.kinds == {}


def test_an_edited_scenario_begins_anew_beside_the_older_version() -> None:
    """The newest comes first."""
    old, new = loaded(STORY), loaded(STORY + "# edited\n")
    found = covered({marks.entry(one.version, 0, 0, 0) for one in (old, new)}, old, new)
    assert [one.digest for one in found.scenarios] == [new.digest, old.digest]


def test_the_text_has_what_is_missing_first() -> None:
    """Of each scenario, with the author's own words, and the sum at the end."""
    story = loaded(STORY)
    text = as_text(covered({marks.entry(story.version, 0, 0, 0)}, story))
    assert (
        text
        == f"""\
story@{story.digest}: 28%, 2 of 7
  not met:
    status     line 5: tasks[0].timeline[1]        status failed
    entry      line 5: tasks[0].timeline[1]        failed with error internal after queued (The end.)
    rule       line 9: rules[0]                    poll, calls 3: error rate_limited
    error      line 5: tasks[0].timeline[1].error  error internal
    error      line 9: rules[0].error              error rate_limited
  met:
    status     line 5: tasks[0].timeline[0]  status queued
    entry      line 5: tasks[0].timeline[0]  queued for 2s

coverage: 28%, 2 of 7
  status     50%, 1 of 2
  entry      50%, 1 of 2
  rule       0%, 0 of 1
  error      0%, 0 of 2
"""
    )


def test_the_text_says_where_nothing_was_met() -> None:
    """In a sentence."""
    assert as_text(covered(())) == "coverage: clients have met nothing of any scenario\n"
    alone = coverage_of((), {}, namespace="a")
    assert as_text(alone) == "coverage of namespace a: clients have met nothing of any scenario\n"


# Everything can be met

LONG_AGO = ClockSettings(mode="manual", start=parse_instant("2024-01-01T00:00:00Z"))
"""Before the creation of any task that a shipped scenario brings along."""


ON_SOCKETS = {"reset-on-poll", "truncated-download", "slow-download", "invalid-json"}
"""They break connections or JSON, or take real time: `tests/test_scenarios.py` meets them."""


@pytest.mark.parametrize("name", [name for name in Library().names() if name not in ON_SOCKETS])
def test_a_client_that_does_everything_meets_all_of_a_shipped_scenario(name: str) -> None:
    """Nothing in them is beyond every client."""
    world = World(name, clock=LONG_AGO)
    Generous(world).drive()
    found = covered(world.namespace.met, world.scenario)
    assert [f"{part.place}: {part.what}" for _, part in missing(found)] == []
    assert found.overall.percent == 100


NAMES = st.sampled_from(["internal", "rate_limited", "not_found", "content_rejected"])
MIDDLE = st.builds(
    lambda status, end: f"{{status: {status}, {end}}}",
    st.sampled_from(["queued", "processing"]),
    st.sampled_from(["for: 3s", "for: {min: 2s, max: 4s}", "polls: 1", "polls: 3"]),
)
VIDEO = st.sampled_from(
    [
        "id: v",
        "url: none",
        "content: redirect",
        "expires_in: 0s",
        "expires_in: {min: 1s, max: 9s}",
        "expires_in: 2s, renew: true",
        "expires_in: 3s, expired: {respond: {status_code: 410}}",
        "expired: {error: not_found}",
    ]
)
END = (
    st.just(["{status: cancelled}"])
    | st.just(["{status: processing, stuck: true}"])
    | NAMES.map(lambda name: [f"{{status: failed, error: {name}}}"])
    | st.just(["{status: failed, error: {code: oops}}"])
    | VIDEO.map(lambda video: [f"{{status: completed, video: {{{video}}}}}"])
    | st.builds(
        lambda first, last: [
            f"{{status: completed, for: 3s, video: {{{first}}}}}",
            f"{{status: completed, video: {{{last}}}}}",
        ],
        # A dead link answers as the present entry says, which the first is no more by then.
        VIDEO.filter(lambda video: "error" not in video),
        VIDEO,
    )
)
TIMELINE = st.builds(lambda middle, end: [*middle, *end], st.lists(MIDDLE, max_size=2), END)
EFFECT = NAMES.map(lambda name: f"error: {name}") | st.sampled_from(
    ["pass: true", "respond: {status_code: 418}", "headers: {x-a: b}", "patch: {a: 1}"]
)
AUTH = """\
auth:
  keys: ["sk-good-*"]
  reject:
    - {key: "sk-expired-*", error: token_expired}
    - {key: "sk-broke-*", operation: create, error: insufficient_quota}
"""


@st.composite
def stories(draw: st.DrawFn) -> str:
    """Small scenarios in which nothing keeps a client from anything, as YAML."""
    items = draw(st.lists(st.lists(TIMELINE, min_size=1, max_size=2), min_size=1, max_size=3))
    lines = ["version: 1", "name: drawn", "tasks:"]
    for number, choices in enumerate(items):
        lines.append(f"  - match: {{prompt: {{contains: item-{number}}}}}")
        lines.append("    choices:")
        lines += [f"      - timeline: [{', '.join(entries)}]" for entries in choices]
    # No two rules for the same call of one operation, lest the first hide the second.
    calls = st.tuples(st.sampled_from(["poll", "content", "create"]), st.integers(1, 4))
    rules = draw(st.lists(st.tuples(calls, EFFECT), max_size=4, unique_by=lambda rule: rule[0]))
    lines += ["rules:"] if rules else []
    lines += [f"  - {{operation: {name}, calls: {call}, {effect}}}" for (name, call), effect in rules]
    return "\n".join([*lines, ""]) + (AUTH if draw(st.booleans()) else "")


PROMPTS = ("item-0", "item-1", "item-2")


@settings(max_examples=40)
@given(text=stories())
def test_a_client_that_takes_every_path_meets_all(text: str) -> None:
    """Of any scenario in which nothing hides anything."""
    world = World(text)
    octopusx = by_name["octopusx"]
    Generous(world, providers=[octopusx], prompts=PROMPTS, creates=6, looks=range(25)).drive()
    found = covered(world.namespace.met, world.scenario)
    assert [f"{part.place}: {part.what}" for _, part in missing(found)] == []


# A run, whatever happens in it

FIRST = STORY.replace("name: story", "name: first") + AUTH
SECOND_TEXT = """\
version: 1
name: second
providers: [octopusx, acedata-sora]
tasks:
  - {id: video_1, provider: octopusx, timeline: [{status: queued, polls: 2}, {status: completed}]}
  - choices:
      - timeline: [{status: completed, video: {expires_in: 1s, expired: {error: not_found}}}]
      - timeline: [{status: processing, for: {min: 1s, max: 3s}}, {status: failed}]
rules:
  - {operation: [create, poll], calls: every 3, pass: true}
  - {operation: poll, calls: 4+, headers: {x-a: b}}
  - {operation: [poll, content], while: completed, calls: 2, error: internal}
"""
SPACES = ("", "/ns/a", "/ns/b")
KEYS = ("sk-good-1", "sk-expired-1", "sk-broke-1", "sk-other", "not a key")
DEED = st.tuples(
    st.sampled_from(
        ["create", "poll", "poll", "batch", "content", "download", "wait", "reset", "activate", "drop"]
    ),
    st.sampled_from(SPACES),
    # Mostly good ones, so that there is something to be met.
    st.sampled_from(("sk-good-1",) * 4 + KEYS),
    st.integers(0, 3),
)
DEEDS = st.lists(DEED, min_size=10, max_size=40)


class Run:
    """A client in several namespaces, and somebody who resets them, drops them and activates other scenarios."""

    def __init__(self) -> None:
        self.world = World(FIRST, others=[SECOND_TEXT])
        self._tasks: list[str] = ["/octopusx/v1/videos/nobody", "/octopusx/v1/videos/video_1"]
        """The paths of their polls, the newest last."""
        self._links: list[str] = []

    def do(self, deed: str, space: str, key: str, number: int) -> None:
        """One thing."""
        headers = {"authorization": f"Bearer {key}"}
        getattr(self, f"_{deed}")(space, headers, number)

    def _create(self, space: str, headers: Mapping[str, str], number: int) -> None:
        path = f"{space}/{('octopusx', 'octopusx', 'ezmodel')[number % 3]}/v1/videos"
        prompt = ("a cat", "scenario:second", "scenario:first", "a dog")[number]
        answer = self.world.post(path, {"prompt": prompt}, headers=headers)
        if answer.status_code == 200:
            self._tasks.append(f"{path}/{answer.json()['id']}")

    def _poll(self, _space: str, headers: Mapping[str, str], number: int) -> None:
        answer = self.world.get(self._task(number), headers=headers)
        link = answer.json().get("video_url") if answer.status_code == 200 else None
        if link:
            self._links.append(link.removeprefix("http://emulator.test:8080"))

    def _batch(self, space: str, headers: Mapping[str, str], number: int) -> None:
        body: dict[str, Any] = {"prompt": "a cat", "async": True}
        made = [self.world.post(f"{space}/sora/videos", body, headers=headers) for _ in range(number)]
        ids = [answer.json()["task_id"] for answer in made if answer.status_code == 200]
        body = {"action": "retrieve_batch", "ids": ids}
        self.world.post(f"{space}/sora/tasks", body, headers=headers)

    def _content(self, _space: str, headers: Mapping[str, str], number: int) -> None:
        self.world.get(f"{self._task(number)}/content", headers=headers)

    def _download(self, _space: str, headers: Mapping[str, str], number: int) -> None:
        for link in self._links[-number:]:
            self.world.get(link, headers=headers)

    def _wait(self, space: str, _headers: Mapping[str, str], number: int) -> None:
        self._namespace(space).clock.advance(number * SECOND)

    def _reset(self, space: str, _headers: Mapping[str, str], _number: int) -> None:
        self._namespace(space).reset()

    def _activate(self, space: str, _headers: Mapping[str, str], number: int) -> None:
        found = self.world.app.library.get(("first", "second")[number % 2])
        assert found is not None
        self._namespace(space).activate(found)

    def _drop(self, space: str, _headers: Mapping[str, str], _number: int) -> None:
        self.world.app.namespaces.drop(space.removeprefix("/ns/"))

    def _task(self, number: int) -> str:
        return self._tasks[-1 - number % len(self._tasks)]

    def _namespace(self, space: str) -> Any:
        return self.world.app.namespaces.use(space.removeprefix("/ns/") or "default")

    @property
    def met(self) -> set[str]:
        """Every mark of the process."""
        namespaces = self.world.app.namespaces
        return namespaces.ledger.marks.union(*(namespace.met for namespace in namespaces))

    def coverage(self, query: str = "") -> Coverage:
        """What the control API says of the run."""
        answer = self.world.get(f"/__admin/coverage{query}", headers={}, host="localhost")
        assert answer.status_code == 200, answer.body
        return msgspec.json.decode(answer.body, type=Coverage)


def touched(found: Coverage) -> set[tuple[str, str, str]]:
    """What clients have met."""
    return {
        (one.name, part.kind, part.place) for one in found.scenarios for part in one.parts if part.touched
    }


@settings(max_examples=60)
@given(deeds=DEEDS)
def test_what_was_met_stays_met_while_a_run_goes_on(deeds: list[tuple[str, str, str, int]]) -> None:
    """Through resets, drops and activations; and it is never more than the scenarios have."""
    run = Run()
    before: set[tuple[str, str, str]] = set()
    for deed in deeds:
        run.do(*deed)
        found = run.coverage()
        assert touched(found) >= before, deed
        assert found.overall.touched == len(touched(found)) <= found.overall.total
        before = touched(found)


@settings(max_examples=60)
@given(deeds=DEEDS)
def test_every_mark_of_any_exchange_is_of_a_part_of_its_scenario(
    deeds: list[tuple[str, str, str, int]],
) -> None:
    """Or of a task that no item took, or of a key where the file lists none."""
    run = Run()
    for deed in deeds:
        run.do(*deed)
    for mark in run.met:
        scenario = run.world.namespace.ledger.scenarios.get(marks.version_of(mark))
        if scenario is None or marks.is_unfitted(mark):
            continue
        universe = {own for part in parts_of(scenario) for own in part.marks}
        assert mark in universe or (mark == marks.unknown_key(scenario.version) and not scenario.auth.keys)


@settings(max_examples=60)
@given(deeds=DEEDS)
def test_the_whole_is_the_union_of_the_namespaces(deeds: list[tuple[str, str, str, int]]) -> None:
    """Those that are gone among them."""
    run = Run()
    for deed in deeds:
        run.do(*deed)
    namespaces = run.world.app.namespaces
    gone = coverage_of(namespaces.ledger.marks, namespaces.ledger.scenarios)
    living = [run.coverage(f"?namespace={namespace.name}") for namespace in namespaces]
    assert touched(run.coverage()) == touched(gone).union(*map(touched, living))


def test_what_nobody_asks_for_costs_no_request_anything() -> None:
    """A thousand namespaces that met the same are one set of marks, and their sum is theirs."""
    world = World(STORY)
    for number in range(1000):
        world.post(f"/ns/n{number}/octopusx/v1/videos", {"prompt": "a cat"})
    run = Run.__new__(Run)
    run.world = world
    assert len(world.app.namespaces) == 1001
    assert run.coverage().overall == share(7, 2, 28)
    assert run.coverage("?namespace=n7").overall == share(7, 2, 28)
