"""What good files say: each part of the language, and the value that it becomes."""

from typing import Any

import msgspec
import pytest

from emulator.core import units
from emulator.core.effects import Failure, Respond
from emulator.core.limits import Limit
from emulator.core.matching import Matcher
from emulator.core.plan import HAPPY_TIMELINE, Entry, Ramp, Video
from emulator.core.rules import Conditions, Match, RetryAfter, Rule
from emulator.core.scenario import Auth, Choice, ClockSettings, Item, Rejection, Scenario
from emulator.core.spans import Span
from emulator.core.spreads import Lognormal, Uniform
from emulator.core.units import DAY, HOUR, MILLISECOND, MINUTE, SECOND, parse_instant
from emulator.core.words import ErrorName, OperationName, Profile, Status
from emulator.scenario_file import load_text

POLL, CREATE = OperationName.POLL, OperationName.CREATE
CONTENT, DOWNLOAD = OperationName.CONTENT, OperationName.DOWNLOAD


def scenario(text: str) -> Scenario:
    """The scenario of a file that begins with its version; its digest is another test's matter."""
    return msgspec.structs.replace(load_text("version: 1\n" + text, "x").scenario, digest="")


def rule(keys: str) -> Rule:
    """The only rule of a file."""
    (only,) = scenario(f"rules: [{{{keys}}}]\n").rules
    return only


def entries(*written: str) -> tuple[Entry, ...]:
    """The entries of a file's only timeline."""
    (item,) = scenario(f"tasks: [{{timeline: [{', '.join(written)}]}}]\n").items
    (choice,) = item.choices
    return choice.entries


def matcher(written: str) -> Matcher:
    """What a value under ``match`` becomes."""
    (match,) = rule(f"operation: poll, match: {{f: {written}}}, error: internal").conditions.match
    return match.matcher


def test_shortest_file_is_the_happy_path() -> None:
    """What is left out is the happy path, for every provider."""
    assert scenario("") == Scenario(name="x", items=(Item(choices=(Choice(entries=HAPPY_TIMELINE),)),))


def test_head_of_the_file() -> None:
    """Name, about, providers, profile, seed, clock and unknown tasks are taken as they stand."""
    said = scenario("""\
name: flaky-sora
about: Long queue.
providers: [octopusx, ezmodel]
profile: current
seed: 7
clock: {mode: scaled, scale: 60, start: "2026-01-01T00:00:00Z"}
unknown_task: start
""")
    assert said == Scenario(
        name="flaky-sora",
        about="Long queue.",
        providers=("octopusx", "ezmodel"),
        profile=Profile.CURRENT,
        seed=7,
        clock=ClockSettings(mode="scaled", scale=60.0, start=parse_instant("2026-01-01T00:00:00Z")),
        starts_unknown_tasks=True,
    )


@pytest.mark.parametrize(("written", "seed"), [("7", 7), ("-1", -1), ("'7'", "7"), ("spring", "spring")])
def test_seed_is_a_number_or_a_text(written: str, seed: object) -> None:
    """A seed keeps its type."""
    assert scenario(f"seed: {written}\n").seed == seed


def test_auth() -> None:
    """Keys are globs; a rejection has a key, conditions and an error."""
    said = scenario("""\
auth:
  keys: ["sk-good-*", sk-one]
  reject:
    - {key: "sk-short-*", since: start, between: 2m+, error: token_expired, about: gone}
    - {key: {contains: x}, operation: create, provider: ezmodel, match: {prompt: a}}
""")
    first = Rejection(
        key=Matcher(glob="sk-short-*"),
        conditions=Conditions(between=(Span(2 * MINUTE),), since="start"),
        error=Failure(name=ErrorName.TOKEN_EXPIRED),
        about="gone",
    )
    second = Rejection(
        key=Matcher(contains="x"),
        conditions=Conditions(
            operations=(CREATE,), providers=("ezmodel",), match=(Match("prompt", Matcher(equals="a")),)
        ),
        error=Failure(name=ErrorName.INVALID_TOKEN),
    )
    assert said.auth == Auth(
        keys=(Matcher(glob="sk-good-*"), Matcher(equals="sk-one")), reject=(first, second)
    )


def test_limits() -> None:
    """Calls in a window, for good, or tasks in flight; what they say of the wait in every form."""
    said = scenario("""\
limits:
  - {operation: poll, limit: 30, window: 1m}
  - {operation: [content, download], provider: ezmodel, match: {id: a}, limit: 2, per: task, retry_after: none}
  - {in_flight: 2, per: namespace, error: unavailable, retry_after: true, about: two}
  - {operation: create, limit: 3, error: {name: insufficient_quota, code: gone}, retry_after: {http_date: true}}
  - {operation: create, limit: 4, window: 1h, retry_after: {http_date: 5s}}
""")
    assert said.limits == (
        Limit(conditions=Conditions(operations=(POLL,)), most=30, window=MINUTE, line=3),
        Limit(
            conditions=Conditions(
                operations=(CONTENT, DOWNLOAD),
                providers=("ezmodel",),
                match=(Match("id", Matcher(equals="a")),),
            ),
            most=2,
            per="task",
            retry_after=RetryAfter(None),
            line=4,
        ),
        Limit(
            conditions=Conditions(operations=(CREATE,)),
            most=2,
            is_of_tasks=True,
            per="namespace",
            error=Failure(name=ErrorName.UNAVAILABLE),
            retry_after="seconds",
            about="two",
            line=5,
        ),
        Limit(
            conditions=Conditions(operations=(CREATE,)),
            most=3,
            error=Failure(name=ErrorName.INSUFFICIENT_QUOTA, code="gone"),
            retry_after="http_date",
            line=6,
        ),
        Limit(
            conditions=Conditions(operations=(CREATE,)),
            most=4,
            window=HOUR,
            retry_after=RetryAfter(5 * SECOND, as_date=True),
            line=7,
        ),
    )


def test_defaults_reach_each_served_link() -> None:
    """``expires_in`` goes to completed entries that have none of their own; a literal link keeps none."""
    said = scenario("""\
defaults: {delay: 80ms, video: {expires_in: 1h}}
tasks:
  - match: {prompt: a}
  - choices:
      - timeline: [{status: completed, video: {expires_in: 5s}}]
      - timeline: [{status: completed, video: {url: "https://example.com/a.mp4"}}]
      - timeline: [{status: completed, video: {id: v}}]
      - timeline: [{status: failed}]
""")
    ends = [choice.entries[-1].video for item in said.items for choice in item.choices]
    assert said.default_delay == 80 * MILLISECOND
    assert ends == [
        Video(expires_in=HOUR),
        Video(expires_in=5 * SECOND),
        Video(url="https://example.com/a.mp4"),
        Video(id="v", expires_in=HOUR),
        None,
    ]


def test_task_that_exists() -> None:
    """An item with an id has a creation, a request and values of its own."""
    (item,) = scenario("""\
tasks:
  - id: video_abc123
    about: As documented.
    provider: octopusx
    created: -30s
    request: {model: sora-2, seconds: "10", nested: {n: 1.5, on: yes, none: null}}
    values: {video_id: "abc"}
    patch: {model: "{{ uuid }}"}
    progression: manual
    timeline: [{status: completed}]
""").items
    assert item == Item(
        id="video_abc123",
        providers=("octopusx",),
        created=-30 * SECOND,
        request={"model": "sora-2", "seconds": "10", "nested": {"n": 1.5, "on": "yes", "none": None}},
        values={"video_id": "abc"},
        choices=(Choice(entries=(Entry(status=Status.COMPLETED),)),),
        patch={"model": "{{ uuid }}"},
        manual=True,
        about="As documented.",
        line=3,
    )


@pytest.mark.parametrize(
    ("written", "created", "is_instant"),
    [
        ("-30s", -30 * SECOND, False),
        ("1m", MINUTE, False),
        ("+1m", MINUTE, False),
        ("'2025-01-01T00:00:00Z'", parse_instant("2025-01-01T00:00:00Z"), True),
        ("2025-01-01T08:00:00.5+08:00", parse_instant("2025-01-01T00:00:00.5Z"), True),
    ],
)
def test_created(written: str, created: int, is_instant: bool) -> None:
    """A creation is relative to the activation, or an instant, in quotes or without."""
    (item,) = scenario(f"tasks: [{{id: a, created: {written}}}]\n").items
    assert (item.created, item.created_is_instant) == (created, is_instant)


def test_tasks_that_clients_create() -> None:
    """An item without an id takes creates by match and calls, and may have choices with weights."""
    (item,) = scenario("""\
tasks:
  - match: {prompt: {contains: cat}, metadata.fps: 30}
    calls: [1, 5+]
    choices:
      - {name: usual, weight: 9, about: mostly, timeline: [{status: completed}]}
      - {}
""").items
    assert item.match == (
        Match("prompt", Matcher(contains="cat")),
        Match("metadata.fps", Matcher(equals="30")),
    )
    assert item.calls == (Span(1, 1), Span(5))
    assert item.choices == (
        Choice(entries=(Entry(status=Status.COMPLETED),), name="usual", weight=9.0, about="mostly"),
        Choice(entries=HAPPY_TIMELINE, weight=1.0),
    )


def test_entries_in_full() -> None:
    """Every key of an entry has its place."""
    first, second, third = entries(
        "{status: queued, for: 2s, progress: 5, word: waiting, delay: 1s, poll_after: 200ms, about: q}",
        "{status: processing, polls: 3, progress: {from: 5, to: 99}, patch: {a: null}}",
        "{status: failed, error: {name: internal, code: c, message: m, shape: string}}",
    )
    assert first == Entry(
        status=Status.QUEUED,
        stay=2 * SECOND,
        progress=5,
        word="waiting",
        delay=SECOND,
        poll_after=200 * MILLISECOND,
        about="q",
    )
    assert second == Entry(status=Status.PROCESSING, polls=3, progress=Ramp(5, 99), patch={"a": None})
    failure = Failure(name=ErrorName.INTERNAL, code="c", message="m", shape="string")
    assert third == Entry(status=Status.FAILED, failure=failure)


def test_ends_of_timelines() -> None:
    """A timeline may end stuck, and a terminal entry be followed by one of the same status."""
    assert entries("{status: processing, stuck: true}") == (Entry(status=Status.PROCESSING, stuck=True),)
    first, second = entries("{status: completed, until: 1m}", "{status: completed, video: {url: none}}")
    assert (first.until, second.video) == (MINUTE, Video(has_link=False))


def test_for_and_polls_may_follow_one_another() -> None:
    """Time and polls may end the entries of one timeline."""
    first, second, _ = entries(
        "{status: queued, for: 1s}", "{status: queued, polls: 1}", "{status: cancelled}"
    )
    assert (first.stay, second.polls) == (SECOND, 1)


@pytest.mark.parametrize(
    ("written", "video"),
    [
        ("{url: none}", Video(has_link=False)),
        ("{url: none, expires_in: 1h}", Video(has_link=False, expires_in=HOUR)),
        ("{url: 'https://a/{{ task.id }}'}", Video(url="https://a/{{ task.id }}")),
        ("{expires_in: 0s, renew: true}", Video(expires_in=0, renew=True)),
        ("{content: redirect}", Video(content="redirect")),
        ("{expired: {error: not_found}}", Video(expired=Failure(name=ErrorName.NOT_FOUND))),
        ("{expired: {respond: {status_code: 410}}}", Video(expired=Respond(status_code=410))),
        ("{}", Video()),
    ],
)
def test_video(written: str, video: Video) -> None:
    """Each way to say what the result is."""
    assert entries(f"{{status: completed, video: {written}}}")[0].video == video


@pytest.mark.parametrize(
    ("written", "duration"),
    [
        ("250ms", 250 * MILLISECOND),
        ("4m15s", 4 * MINUTE + 15 * SECOND),
        ("1.5h", 90 * MINUTE),
        ("2d", 2 * DAY),
        ("'2s'", 2 * SECOND),
        ("3650d", 3650 * DAY),
        ("{min: 1s, max: 3s}", Uniform(SECOND, 3 * SECOND)),
        ("{median: 80ms, sigma: 0.4}", Lognormal(80 * MILLISECOND, 0.4)),
    ],
)
def test_durations_and_spreads(written: str, duration: object) -> None:
    """Where a duration stands, a spread may stand."""
    assert entries(f"{{status: queued, for: {written}}}", "{status: completed}")[0].stay == duration


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("3", (Span(3, 3),)),
        ("'3'", (Span(3, 3),)),
        ("2-4", (Span(2, 4),)),
        ("2 - 4", (Span(2, 4),)),
        ("5+", (Span(5),)),
        ("every 5", (Span(5, None, 5),)),
        ("[1, 3-4, 9+]", (Span(1, 1), Span(3, 4), Span(9))),
    ],
)
def test_calls(written: str, spans: tuple[Span, ...]) -> None:
    """Call numbers: one, from to, from on, every, or a list of such."""
    assert rule(f"operation: poll, calls: {written}, error: internal").calls == spans


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("0s-2s", (Span(0, 2 * SECOND),)),
        ("500ms - 1m", (Span(500 * MILLISECOND, MINUTE),)),
        ("2m+", (Span(2 * MINUTE),)),
        ("[0s-1s, 1h+]", (Span(0, SECOND), Span(HOUR))),
    ],
)
def test_between(written: str, spans: tuple[Span, ...]) -> None:
    """Spans of time have the same grammar."""
    assert rule(f"operation: poll, between: {written}, error: internal").conditions.between == spans


@pytest.mark.parametrize(
    ("written", "share"), [("5%", 0.05), ("0.05", 0.05), ("1", 1.0), ("0.5 %", 0.005), ("100%", 1)]
)
def test_shares(written: str, share: float) -> None:
    """A share is written in per cent or as a number up to one."""
    assert rule(f"operation: poll, probability: {written}, error: internal").probability == share


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("cat", Matcher(equals="cat")),
        ("10", Matcher(equals="10")),
        ("1.50", Matcher(equals="1.50")),
        ("true", Matcher(equals="true")),
        ("'10'", Matcher(equals="10")),
        ("a*", Matcher(glob="a*")),
        ("'*'", Matcher(glob="*")),
        ("{equals: 'a*'}", Matcher(equals="a*")),
        ("{contains: cat, not: dog}", Matcher(contains="cat", negated=Matcher(equals="dog"))),
        ("{not: {not: a}}", Matcher(negated=Matcher(negated=Matcher(equals="a")))),
        ("{regex: '^a+$'}", Matcher(regex="^a+$")),
        ("{glob: 'a*b'}", Matcher(glob="a*b")),
        ("{any_of: [a, 5, b*]}", Matcher(any_of=("a", "5", "b*"))),
        ("{exists: false}", Matcher(exists=False)),
    ],
)
def test_matchers(written: str, expected: Matcher) -> None:
    """A bare scalar is compared as it is written, with ``*`` it is a glob; the rest are conditions by name."""
    assert matcher(written) == expected


def test_rule_in_full() -> None:
    """Every condition, and everything that stands beside an effect, has its place."""
    said = rule(
        "about: why, operation: [poll, content], provider: [octopusx], match: {id: a, key: sk-*, header.X-A: b}, "
        "calls: 3, while: [queued, processing], between: 0s-2s, since: status, probability: 50%, times: 2, "
        "times_total: 9, error: {name: rate_limited, code: c, message: m}, delay: 1s, patch: {a: 1}, "
        "headers: {x-a: 5, x-b: '{{ uuid }}'}, retry_after: 5s"
    )
    assert said == Rule(
        id=said.id,
        conditions=Conditions(
            operations=(POLL, OperationName.CONTENT),
            providers=("octopusx",),
            match=(
                Match("id", Matcher(equals="a")),
                Match("key", Matcher(glob="sk-*")),
                Match("header.X-A", Matcher(equals="b")),
            ),
            between=(Span(0, 2 * SECOND),),
            since="status",
        ),
        calls=(Span(3, 3),),
        during=(Status.QUEUED, Status.PROCESSING),
        probability=0.5,
        times=2,
        times_total=9,
        effect=Failure(name=ErrorName.RATE_LIMITED, code="c", message="m"),
        delay=SECOND,
        patch={"a": 1},
        headers=(("x-a", "5"), ("x-b", "{{ uuid }}")),
        retry_after=RetryAfter(5 * SECOND),
        about="why",
        line=2,
    )


@pytest.mark.parametrize(
    ("written", "effect"),
    [
        ("pass: true", "pass"),
        ("error: internal", Failure(name=ErrorName.INTERNAL)),
        ("respond: {status_code: 503}", Respond(status_code=503)),
        ("respond: {json: {a: [1]}}", Respond(body={"a": [1]})),
        ("respond: {json: null}", Respond(body="{{ null }}")),
        ("respond: {json: '{{ now }}'}", Respond(body="{{ now }}")),
        ("respond: {text: 5}", Respond(body="5", is_text=True)),
        ("respond: {text: '', headers: {a: b}}", Respond(body="", is_text=True, headers=(("a", "b"),))),
        ("delay: 1s", None),
    ],
)
def test_effects(written: str, effect: Any) -> None:
    """What a rule does. A body of JSON null is told from no body."""
    assert rule(f"operation: poll, {written}").effect == effect


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("5s", RetryAfter(5 * SECOND)),
        ("{http_date: 5s}", RetryAfter(5 * SECOND, as_date=True)),
        ("none", RetryAfter(None)),
    ],
)
def test_retry_after(written: str, expected: RetryAfter) -> None:
    """A wait in seconds, as a date, or no header."""
    assert rule(f"operation: poll, error: internal, retry_after: {written}").retry_after == expected


def test_templates_make_templates() -> None:
    """Only what holds a template becomes one."""
    said = rule(
        "operation: poll, error: {name: internal, message: 'no {{ task.id }}'}, patch: {a: '{ b }', c: {d: e}}"
    )
    assert isinstance(said.effect, Failure)
    assert said.effect.message == "no {{ task.id }}"
    assert said.patch == {"a": "{ b }", "c": {"d": "e"}}


def test_rule_ids_follow_what_rules_say() -> None:
    """A rule's id depends on what it says: not on its place, its explanation, its layout or the order of its keys."""
    first = scenario(
        "rules:\n  - {operation: poll, error: internal}\n  - {operation: create, error: internal}\n"
    )
    second = scenario("""\
rules:
  - {operation: download, delay: 1s}
  - error: internal
    about: New words.
    operation: poll
""")
    assert first.rules[0].id == second.rules[1].id
    assert len({rule.id for rule in (*first.rules, second.rules[0])}) == 3


def test_equal_rules_get_different_ids() -> None:
    """Rules that say the same are counted apart."""
    said = scenario("rules: [{delay: 1s}, {delay: 2s}, {delay: 1s}, {delay: 1s}]\n")
    first, other, second, third = (rule.id for rule in said.rules)
    assert (second, third) == (f"{first}-2", f"{first}-3")
    assert other != first


def test_lists_may_be_empty() -> None:
    """No tasks: every create takes the happy path, as with no list at all; no rules: none."""
    said = scenario("tasks: []\nrules: []\nauth: {reject: []}\nlint: {ignore: []}\n")
    assert (said.items, said.rules, said.auth) == ((), (), Auth())


def test_request_is_taken_as_it_stands() -> None:
    """Braces in a request are what the client sent, not a template; the largest numbers of JSON are kept."""
    (item,) = scenario("""\
tasks:
  - id: a
    request: {prompt: "{{ nope }} {{", most: 18446744073709551615, least: -9223372036854775808}
""").items
    assert item.request == {"prompt": "{{ nope }} {{", "most": 2**64 - 1, "least": -(2**63)}


def test_anchors_have_a_home() -> None:
    """``x-`` keys hold what aliases and merges use; by themselves they say nothing."""
    said = scenario("""\
x-slow: &slow {delay: 3s, operation: poll}
x-nonsense: [1, {two: 3}]
rules:
  - {<<: *slow, while: queued}
""")
    assert (said.rules[0].delay, said.rules[0].during) == (3 * SECOND, (Status.QUEUED,))


def test_instants_survive() -> None:
    """A clock's start is exact to the microsecond."""
    said = scenario("clock: {mode: manual, start: 2026-01-01T00:00:00.000001Z}\n")
    assert said.clock is not None
    assert said.clock.start is not None
    assert units.format_instant(said.clock.start) == "2026-01-01T00:00:00.000001Z"
