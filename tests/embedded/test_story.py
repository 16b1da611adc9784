"""What a story tells of a world, in-process and elsewhere."""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.client.errors import EmulatorError
from emulator.core.units import SECOND, parse_duration
from emulator.embedded import Emulator
from emulator.embedded.servers import Here
from emulator.embedded.story import Story, story
from emulator.embedded.story.words import length
from tests.serving import process

START: Final = "2026-01-01T00:00:00Z"
SLOW: Final = """\
version: 1
tasks:
  - timeline:
      - {status: queued, for: 45s}
      - {status: processing, for: 4m15s, word: rendering}
      - {status: completed}
"""
THROTTLED: Final = """\
version: 1
rules:
  - operation: poll
    calls: 3
    error: rate_limited
    about: The third poll is throttled.
"""


class Caller:
    """A client of EzModel, or of another provider, in an emulator's world."""

    def __init__(self, emulator: Emulator, base: str = "/ezmodel", key: str | None = None) -> None:
        headers = {"authorization": f"Bearer {key or emulator.api_key}"}
        self.http = httpx.Client(
            base_url=f"http://emulator{base}", transport=emulator.transport(), headers=headers
        )

    def create(self, prompt: str = "a cat") -> str:
        """The id of a new task."""
        answer = self.http.post("/v1/videos", json={"model": "sora-2", "prompt": prompt})
        return str(answer.json()["id"])

    def poll(self, task: str, times: int = 1) -> httpx.Response:
        """The answer to the last of so many polls."""
        return [self.http.get(f"/v1/videos/{task}") for _ in range(times)][-1]


def world(scenario: Any = SLOW, **told: Any) -> Emulator:
    """An emulator whose clock stands at the beginning of 2026, unless it is told otherwise."""
    return Emulator(scenario, **{"start": START, **told})


@pytest.fixture
def slow() -> Iterator[Emulator]:
    """A world in which a task is queued for 45 seconds and processing for 4m15s."""
    with world() as emulator:
        yield emulator


def line_with(emulator: Emulator, part: str) -> str:
    """The first line of the story that has this in it, without what aligns columns."""
    lines = [re.sub(" +", " ", line).strip() for line in story(emulator).told.splitlines()]
    found = next((line for line in lines if part in line), None)
    assert found is not None, "\n".join(lines)
    return found


# The world


def test_it_begins_with_the_scenario_its_version_the_seed_and_the_clock(slow: Emulator) -> None:
    """Whoever reads it knows which world it was."""
    version = slow.scenarios.active().version
    slow.clock.advance("6m")
    told = f"scenario {version}, seed 0, clock manual, 6m after the start: 2026-01-01T00:06:00Z"
    assert story(slow).text.splitlines()[0] == told


@pytest.mark.parametrize(
    ("text", "seed"), [(SLOW, "7"), (f"{SLOW}seed: red\n", "red")], ids=["the world's", "the scenario's own"]
)
def test_it_tells_the_seed_that_counts(text: str, seed: str) -> None:
    """A scenario's own seed goes before the namespace's."""
    with world(text, seed=7) as emulator:
        told = story(emulator)
        assert f"seed {seed}," in told.told.splitlines()[0]
        assert str(told.seed) == seed
        assert emulator.namespaces.get(emulator.name).seed == told.seed


@pytest.mark.parametrize(
    ("text", "profile"), [(SLOW, "current"), (f"{SLOW}profile: documented\n", "documented")]
)
def test_it_tells_the_profile_that_counts(text: str, profile: str) -> None:
    """A scenario's own profile goes before the namespace's; only the one that isn't the default is a word."""
    with world(text, profile="current") as emulator:
        told = story(emulator)
        assert told.profile == emulator.namespaces.get(emulator.name).profile == profile
        assert ("profile current" in told.told) is (profile == "current")


def test_it_says_so_where_no_request_came(slow: Emulator) -> None:
    """A test that failed before its client spoke isn't left with an empty list."""
    assert "no request came" in story(slow).told


def test_it_tells_instants_to_the_second() -> None:
    """A world that begins in the present has more digits than anybody reads; the command has them all."""
    with world(start="2026-01-01T00:00:00.123456Z") as emulator:
        Caller(emulator).create()
        told = story(emulator)
    assert told.told.count("2026-01-01T00:00:00Z") == 2
    assert told.clock[-1] == "2026-01-01T00:00:00.123456Z"


# Timelines


def test_it_counts_the_polls_of_one_instant(slow: Emulator) -> None:
    """A client that hammers is seen at a glance."""
    client = Caller(slow)
    task = client.create()
    client.poll(task)
    slow.clock.advance("5s")
    client.poll(task, times=12)
    assert line_with(slow, "queued 0s") == "queued 0s to now (5s) polls at 0s, 5s x12"
    assert "polled 13 times" in line_with(slow, f"task {task} (ezmodel): queued")


def test_it_tells_polls_at_equal_distances_as_one(slow: Emulator) -> None:
    """A long render doesn't fill the page."""
    client = Caller(slow)
    task = client.create()
    for _ in range(12):
        slow.clock.advance("5s")
        client.poll(task)
    assert line_with(slow, "queued ") == "queued 0s to 45s polls at 5s to 40s every 5s (x8)"
    assert "polls at 45s to 1m every 5s (x4)" in line_with(slow, "processing 45s")


def test_it_leaves_polls_out_where_there_are_too_many_places(slow: Emulator) -> None:
    """What was left out is counted, and the last ones stay."""
    client = Caller(slow)
    task = client.create()
    for number in range(1, 9):
        client.poll(task)
        slow.clock.advance(f"{number}s")
    client.poll(task, times=2)
    assert line_with(slow, "queued ").endswith("polls at 0s, 1s, 3s, 6s, 10s, (2 more), 28s, 36s x2")


def test_it_marks_polls_that_were_answered_otherwise() -> None:
    """A refused poll stands where it fell, with its status code."""
    with world(THROTTLED) as emulator:
        client = Caller(emulator)
        client.poll(client.create(), times=3)
        assert line_with(emulator, "queued ").endswith("polls at 0s x2, 0s (429)")


def test_it_gives_the_poll_that_ends_an_entry_to_that_entry() -> None:
    """It ends at the instant of its last poll, which still showed it."""
    with world(
        {"version": 1, "tasks": [{"timeline": [{"status": "queued", "polls": 2}, {"status": "failed"}]}]}
    ) as one:
        client = Caller(one)
        task = client.create()
        client.poll(task)
        assert line_with(one, "next:") == "next: failed after 1 more poll"
        client.poll(task, times=2)
        assert line_with(one, "queued ") == "queued 0s to 0s polls at 0s x2"
        assert line_with(one, "failed 0s") == "failed 0s to now (0s) poll at 0s"


def test_it_tells_entries_apart_that_begin_at_one_instant() -> None:
    """Two of one status, through which polls lead without any time: each has its own poll."""
    entries = [{"status": "queued", "polls": 1}, {"status": "queued", "polls": 2}, {"status": "failed"}]
    with world({"version": 1, "tasks": [{"timeline": entries}]}) as one:
        client = Caller(one)
        client.poll(client.create(), times=2)
        lines = [re.sub(" +", " ", line) for line in story(one).told.splitlines()]
    assert lines[2:4] == [" queued 0s to 0s poll at 0s", " queued 0s to now (0s) poll at 0s"]


def test_it_shows_where_the_clock_stands_and_what_comes_next(slow: Emulator) -> None:
    """All times are since the task's creation."""
    slow.clock.advance("10s")
    Caller(slow).create()
    assert line_with(slow, "next:") == "next: processing at 45s, then completed at 5m"
    slow.clock.advance("1m")
    assert line_with(slow, "processing 45s") == "processing 45s to now (1m) printed as rendering"
    assert line_with(slow, "next:") == "next: completed at 5m"
    slow.clock.advance("5m")
    assert "next:" not in story(slow).told


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"timeline": [{"status": "queued", "stuck": True}]}, "nothing, it stays queued"),
        ({"progression": "manual"}, "processing when the control API steps it"),
        (
            {
                "timeline": [
                    {"status": "queued", "polls": 3},
                    {"status": "processing", "for": "5s"},
                    {"status": "completed"},
                ]
            },
            "processing after 3 more polls, then completed",
        ),
    ],
    ids=["stuck", "manual", "polls"],
)
def test_it_tells_what_time_alone_will_not_bring(item: dict[str, Any], told: str) -> None:
    """A task that waits for polls or for a step says for which."""
    with world({"version": 1, "tasks": [item]}) as emulator:
        Caller(emulator).create()
        assert line_with(emulator, "next:") == f"next: {told}"


def test_it_tells_what_was_forced_by_hand(slow: Emulator) -> None:
    """A step of the test itself isn't taken for the scenario's."""
    task = Caller(slow).create()
    slow.clock.advance("10s")
    slow.tasks.patch(task, progress=40)
    slow.clock.advance("10s")
    slow.tasks.fail(task, "rate_limited")
    assert "progress 40% forced by hand at 10s" in story(slow).told
    assert line_with(slow, "failed 20s") == "failed 20s to now (20s) forced by hand, error rate_limited"


@pytest.mark.parametrize("created_at", [None, "2025-12-31T23:59:00Z"], ids=["now", "before"])
def test_it_tells_that_a_task_was_made_by_hand(slow: Emulator, created_at: str | None) -> None:
    """In a status that no timeline gave it."""
    slow.tasks.create("ezmodel", id="vid_mine", status="cancelled", created_at=created_at)
    Caller(slow).poll("vid_mine")
    assert "to now" in line_with(slow, "forced by hand; poll at")


def test_it_tells_of_the_last_three_tasks(slow: Emulator) -> None:
    """Those that the client touched last, the last one at the end."""
    client = Caller(slow)
    tasks = [client.create(f"cat {number}") for number in range(5)]
    client.poll(tasks[1])
    told = story(slow).told
    assert re.findall(r"^task (\S+)", told, re.M) == [tasks[3], tasks[4], tasks[1]]


def test_it_leaves_out_tasks_that_nobody_touched(slow: Emulator) -> None:
    """One that the test made by hand, and whose client never asked for it, is no news."""
    slow.tasks.create("ezmodel", id="video_alone")
    Caller(slow).create()
    assert "video_alone" not in story(slow).told


def test_it_says_that_earlier_polls_are_not_shown() -> None:
    """Only so many requests are looked at; the count of polls is the task's own."""
    with world() as emulator:
        client = Caller(emulator)
        client.poll(client.create(), times=230)
        assert "polled 230 times (the last 200 shown)" in line_with(emulator, "(ezmodel): queued")


# Requests


def test_it_tells_the_last_requests_and_why_they_were_answered_so() -> None:
    """The rule that answered has its line and what its author says of it."""
    with world(THROTTLED) as emulator:
        client = Caller(emulator)
        task = client.create()
        emulator.clock.advance("4s")
        client.poll(task, times=3)
        path = f"/ezmodel/v1/videos/{task}"
        assert line_with(emulator, "#1 ") == f"#1 0s POST /ezmodel/v1/videos 200: makes task {task}"
        assert line_with(emulator, "#2") == (f"#2-3 4s GET {path} 200: processing 24%, tasks[0].timeline[1]")
        told = re.sub(r"\s+", " ", story(emulator).told)
        rule = 'call 3: rules[0], line 3 "The third poll is throttled."'
        assert f"#4 4s GET {path} 429 rate_limited: {rule}" in told


def test_it_tells_at_most_six_lines_of_requests(slow: Emulator) -> None:
    """The last ones; requests that differ in nothing but their time share a line."""
    client = Caller(slow)
    task = client.create()
    for number in range(8):
        client.poll(f"vid_{number}")
    client.poll(task, times=50)
    told = story(slow).told
    assert "the last 55 of 59 requests" in told
    assert len(re.findall("^[ !] #", told, re.M)) == 6
    assert "#10-59" in told


@pytest.mark.parametrize(
    ("scenario", "key", "told"),
    [
        ({"auth": {"keys": ["sk-good"]}}, "sk-bad", "401 invalid_token: auth.keys refuses the API key"),
        (
            {"auth": {"reject": [{"key": "sk-b*", "error": "forbidden", "about": "Broke."}]}},
            "sk-bad",
            '403 forbidden: auth.reject[0] refuses the API key "Broke."',
        ),
        ({}, " ", "the request brings no good API key"),
        (
            {"limits": [{"in_flight": 1, "about": "One at a time."}]},
            None,
            '429 rate_limited: limits[0]: 1 of 1 tasks per key, room from 10s on "One at a time."',
        ),
        (
            {"limits": [{"operation": "create", "limit": 1, "window": "1m", "per": "namespace"}]},
            None,
            "limits[0]: 1 of 1 calls in 1m per namespace, room from 1m on",
        ),
        (
            {"limits": [{"operation": "create", "limit": 1, "error": "insufficient_quota"}]},
            None,
            "403 insufficient_quota: limits[0]: 1 of 1 calls per key",
        ),
        ({"rules": [{"operation": "create", "delay": "1ms"}]}, None, "rules[0] adds delay; held back 1ms"),
        (
            {"rules": [{"operation": "create", "respond": {"status_code": 418, "text": "tea"}}]},
            None,
            "418: call 1: rules[0]",
        ),
    ],
    ids=["keys", "reject", "no key", "in flight", "window", "for good", "delay", "respond"],
)
def test_it_tells_why_a_create_was_answered_so(scenario: dict[str, Any], key: str | None, told: str) -> None:
    """In words, whichever step of the road answered."""
    with world({"version": 1, **scenario}) as emulator:
        for _ in range(2):
            with suppress(KeyError, ValueError):
                Caller(emulator, key=key).create()
        assert told in re.sub(r", line \d+", "", re.sub(r"\s+", " ", story(emulator).told))


def test_it_tells_of_dead_links_unknown_tasks_and_bad_requests(slow: Emulator) -> None:
    """What isn't the timeline's doing is told so."""
    client = Caller(slow, "/octopusx")
    task = client.create()
    slow.clock.advance("6m")
    link = client.poll(task).json()["video_url"]
    slow.clock.advance("2d")
    client.http.get(link)
    client.http.get(f"{link}0")
    client.poll("video_nobody")
    client.http.post("/v1/videos", json={"model": 7})
    told = story(slow).told
    assert "the link was dead from 1d on" in told
    assert "nobody here signed this link" in told
    assert "no task video_nobody" in told


def test_it_lets_unmatched_requests_stand_out(slow: Emulator) -> None:
    """Those among the last ones are marked, those before them named."""
    client = Caller(slow)
    client.http.get("/v2/videos")
    task = client.create()
    client.poll(task)
    for number in range(4):
        client.http.get(f"/v3/{number}")
    client.http.delete(f"/v1/videos/{task}")
    told = story(slow).told
    assert f"\n! #8 0s DELETE /ezmodel/v1/videos/{task} 404" in re.sub(" +", " ", told)
    assert "ezmodel has no such path, or not this method on it" in told
    assert "! before these, no operation of any provider: GET /ezmodel/v2/videos" in told


def test_it_names_no_namespace_and_no_key(slow: Emulator) -> None:
    """Paths are short; what the client presented as a key is nowhere."""
    with httpx.Client(base_url=f"{slow.url('ezmodel')}") as http:
        http.post(
            "/v1/videos?key=topsecret", json={"prompt": "x"}, headers={"authorization": "Bearer topsecret"}
        )
    told = story(slow).text
    assert "POST /ezmodel/v1/videos" in told
    assert "/ns/" not in told
    assert "topsecret" not in told


def test_it_stays_short_and_plain() -> None:
    """Three tasks, many polls, every line within the width, and no character that some console hasn't got."""
    with world({**_lives(9), "about": "x" * 300}) as emulator:
        client = Caller(emulator)
        for number in range(4):
            task = client.create(f"cat {number}")
            for step in range(9):
                client.poll(task)
                emulator.clock.advance(f"{step + 1}s")
            client.http.get("/" + "long" * 100)
        told = story(emulator).told
    lines = told.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 110
    assert told.isascii()
    assert "earlier entries)" in told


def _lives(number: int) -> dict[str, Any]:
    stays = [{"status": "processing", "for": "2s", "about": f"y{index} " * 40} for index in range(number)]
    return {"version": 1, "tasks": [{"timeline": [*stays, {"status": "completed"}]}]}


def test_it_lets_nothing_through_that_a_terminal_acts_on() -> None:
    """Authors and clients write what they like; a report stays lines of text."""
    timeline = [{"status": "queued", "stuck": True, "word": "\x1b[31m", "about": "a\nb\x07"}]
    with world({"version": 1, "tasks": [{"timeline": timeline}]}) as emulator:
        client = Caller(emulator)
        client.poll(client.create())
        client.http.get("/%1B[2J%0Ax")
        told = story(emulator).told
    assert not [character for character in told if not character.isprintable() and character != "\n"]


# How to see it again


def replay_of(emulator: Emulator) -> list[str]:
    """The words of the command."""
    return shlex.split(story(emulator).replay.splitlines()[0].removeprefix("replay: "))


def test_it_names_a_scenario_that_everybody_has() -> None:
    """Then the command alone is enough."""
    with world("slow-queue", seed="my seed", profile="current") as emulator:
        told = story(emulator)
        assert replay_of(emulator) == [
            *("video-emulator", "serve", "--scenario", "slow-queue", "--seed", "my seed"),
            *("--profile", "current", "--clock", "manual", "--start", START),
        ]
    assert told.yaml is None
    assert len(told.replay.splitlines()) == 1


def test_it_names_the_file_of_an_author(tmp_path: Path) -> None:
    """A scenario of a folder is found by its path, wherever the command is given."""
    path = tmp_path / "mine.yaml"
    path.write_text(SLOW)
    with world("mine", scenarios=tmp_path) as emulator:
        assert replay_of(emulator)[3] == str(path)


@pytest.mark.parametrize(
    ("told", "options"),
    [
        ({"clock": "auto", "seed": -5}, ["--seed=-5", "--clock", "auto", "--start", START]),
        ({"clock": "scaled:0.0001"}, ["--seed", "0", "--clock", "scaled:0.0001", "--start", START]),
        ({"clock": "real", "start": None}, ["--seed", "0", "--clock", "real"]),
        ({"start": "1970-01-01T00:00:00Z"}, ["--seed", "0", "--clock", "manual"]),
    ],
    ids=["auto", "scaled", "real", "before what serve takes"],
)
def test_it_gives_the_clock_as_the_command_takes_it(told: dict[str, Any], options: list[str]) -> None:
    """A start that `serve` would refuse is left out."""
    with world("happy-path", **told) as emulator:
        assert replay_of(emulator)[4:] == options


def test_it_shows_the_text_of_a_short_scenario_that_was_made_up() -> None:
    """Keys and values stand there as YAML that an author would write."""
    rule = {"operation": "poll", "calls": "2+", "error": "internal"}
    with world({"version": 1, "rules": [rule]}) as emulator:
        told = story(emulator).replay.splitlines()
    assert "--scenario inline.yaml" in told[0]
    assert told[1:] == [
        "inline.yaml:",
        "  version: 1",
        "  rules:",
        "    - operation: poll",
        "      calls: 2+",
        "      error: internal",
    ]


def test_it_only_speaks_of_a_long_one() -> None:
    """A report isn't the place for a hundred lines."""
    with world(_lives(30)) as emulator:
        assert story(emulator).replay.splitlines()[1:] == ["(inline.yaml: the scenario that it was given)"]


def test_it_gives_no_text_that_is_not_in_force_any_more(slow: Emulator) -> None:
    """A text that was replaced since would mislead."""
    slow.scenarios.put("inline", THROTTLED)
    told = story(slow)
    assert told.yaml is None
    assert "before its text was replaced" in told.replay


def test_the_command_serves_the_same() -> None:
    """A create gets the same id at the same instant, in a process of its own."""
    with world("fail-midway", seed=11) as emulator:
        client = Caller(emulator)
        task = client.create()
        _, _, *options = replay_of(emulator)
    with process(*options) as served:
        made = served.post("/ezmodel/v1/videos", {"model": "sora-2", "prompt": "a cat"}).json()
    assert (made["id"], made["created_at"]) == (task, 1767225600)


# Where it is told


def test_it_tells_the_same_of_an_emulator_elsewhere() -> None:
    """It asks the control API alone."""
    here = Here()
    try:
        told = [_played(Emulator(SLOW, start=START, url=url)) for url in (None, here.url)]
    finally:
        here.close()
    assert told[0].text == told[1].text
    assert told[0].yaml == told[1].yaml == SLOW


def _played(emulator: Emulator) -> Story:
    with emulator:
        client = Caller(emulator)
        task = client.create()
        emulator.clock.advance("1m")
        client.poll(task)
        client.http.close()
        return story(emulator)


def failed(emulator: Emulator, before: Callable[[], Any]) -> Any:
    """The failure of a block in which this was done before."""

    def block() -> None:
        with emulator:
            before()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        block()
    return caught.value


def test_a_failure_carries_it() -> None:
    """Its text is a note of the exception, and the story itself hangs on it."""
    emulator = world()
    problem = failed(emulator, Caller(emulator).create)
    assert isinstance(problem.video_emulator, Story)
    assert problem.__notes__ == [problem.video_emulator.text]
    assert problem.video_emulator.yaml == SLOW


def test_it_tells_nothing_of_a_world_that_is_gone() -> None:
    """The failure itself is what counts; asking doesn't make the namespace again."""
    emulator = world()

    def drop() -> None:
        emulator.namespaces.drop(emulator.name)
        with pytest.raises(EmulatorError):
            story(emulator)
        with pytest.raises(EmulatorError):
            emulator.namespaces.get(emulator.name)

    assert not hasattr(failed(emulator, drop), "__notes__")


def test_it_tells_nothing_of_a_server_that_is_gone() -> None:
    """A failure because of that comes out as it is."""
    here = Here()
    assert not hasattr(failed(Emulator(SLOW, url=here.url), here.close), "__notes__")


@settings(max_examples=5, database=None, suppress_health_check=[HealthCheck.differing_executors])
@given(st.integers(0, 3))
def test_it_prints_no_scenario_that_hypothesis_prints(polls: int) -> None:
    """The strategy has a note of its own with the text."""
    with world(THROTTLED) as emulator:
        client = Caller(emulator)
        task = client.create()
        for _ in range(polls):
            client.poll(task)
        told = story(emulator)
    assert told.replay.splitlines()[1:] == ["(inline.yaml: the scenario that it was given)"]
    assert told.yaml == THROTTLED


# Whatever happened

_STAYS: Final = st.sampled_from([{"for": "2s"}, {"polls": 2}, {"for": "1h", "about": "long \u00e9" * 20}])
_ENTRIES: Final = st.builds(
    lambda status, stay: {"status": status, **stay}, st.sampled_from(["queued", "processing"]), _STAYS
)
_ENDS: Final = st.sampled_from(
    [
        {"status": "completed", "video": {"expires_in": "0s"}},
        {"status": "failed", "error": {"code": "x" * 99}},
        {"status": "queued", "stuck": True},
    ]
)
_ITEMS: Final = st.builds(
    lambda entries, end, more: {"timeline": [*entries, end], **more},
    st.lists(_ENTRIES, max_size=9),
    _ENDS,
    st.sampled_from([{}, {"progression": "manual"}]),
)
_RULES: Final = st.lists(
    st.sampled_from(
        [
            {"operation": "poll", "calls": "every 3", "error": "internal", "about": "word " * 90},
            {"probability": "50%", "respond": {"status_code": 500, "text": "no"}},
            {"patch": {"x": 1}, "headers": {"x-y": "z"}},
        ]
    )
)
_DEEDS: Final = st.lists(
    st.sampled_from(
        ["create", "poll", "poll", "content", "stray", "unknown", "advance", "step", "fail", "scale"]
    ),
    max_size=25,
)


@settings(max_examples=60, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(item=_ITEMS, rules=_RULES, deeds=_DEEDS)
def test_it_is_told_of_whatever_happened(item: Any, rules: Any, deeds: list[str]) -> None:
    """It never raises, which would hide the failure; and it stays within its bounds."""
    with world({"version": 1, "tasks": [item], "rules": rules}) as emulator:
        client, tasks = Caller(emulator), ["vid_none"]
        calls: dict[str, Callable[[], Any]] = {
            "create": lambda: tasks.append(client.create(str(len(tasks)))),
            "poll": lambda: client.poll(tasks[-1]),
            "content": lambda: client.http.get(f"/v1/videos/{tasks[-1]}/content"),
            "stray": lambda: client.http.get("/v9"),
            "unknown": lambda: client.poll("vid_other"),
            "advance": lambda: emulator.clock.advance("1500ms"),
            "step": lambda: emulator.tasks.advance(tasks[-1]),
            "fail": lambda: emulator.tasks.fail(tasks[-1]),
            "scale": lambda: emulator.clock.scale(60),
        }
        for deed in deeds:
            with suppress(EmulatorError, KeyError, ValueError):
                calls[deed]()
        told = story(emulator)
    lines = told.told.splitlines()
    assert max(map(len, lines)) <= 110
    assert len(lines) <= 24
    assert told.replay


# Words


@given(st.integers(0, 10**13))
def test_lengths_are_read_back_to_within_a_tenth_of_a_second(duration: int) -> None:
    """They are rounded, and they stay durations as scenarios write them."""
    assert abs(parse_duration(length(duration)) - duration) <= SECOND // 20


@pytest.mark.parametrize(
    ("duration", "told"),
    [
        (0, "0s"),
        (255 * SECOND, "4m15s"),
        (1_250_000, "1.2s"),
        (61_234_567, "1m1.2s"),
        (80_400, "80ms"),
        (-1_500_000, "-1.5s"),
    ],
)
def test_lengths_are_short(duration: int, told: str) -> None:
    """A clock that runs has more digits than anybody reads."""
    assert length(duration) == told


def test_a_clock_that_sleeps_moved_is_replayed_by_polls() -> None:
    """Nobody's sleeps move the clock of a server elsewhere."""
    with Emulator(listen=False) as emulator:
        assert "--clock manual" in story(emulator).replay
        with emulator.fast_forward():
            pass
        assert "--clock auto --start" in story(emulator).replay
