"""Verification: what is counted, what came nearest, and what can't be known."""

import json
from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.matching import Matcher, text_of
from emulator.core.rules import Match
from emulator.core.units import SECOND
from emulator.excerpts import KEPT_BODY, elided
from emulator.exchanges import Reply
from emulator.journal import Asked
from emulator.messages.verify import Verification
from emulator.providers import by_name
from emulator.verification import NEAREST, NUMBERS, Expected, Pattern, verify
from tests.worlds import START, World

ANY = Expected(0, None)
STORY = """
version: 1
name: story
rules:
  - {operation: poll, calls: 2, error: rate_limited, retry_after: 5s}
  - {operation: create, match: {prompt: {contains: forbidden}}, error: content_rejected}
"""


def matching(**lines: Matcher) -> tuple[Match, ...]:
    """A ``match`` of these fields."""
    return tuple(Match(field, matcher) for field, matcher in lines.items())


def story() -> tuple[World, str, str]:
    """Eight requests of two clients, a second apart; and the ids of an OctopusX and of a Sora task."""
    world = World(STORY)
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/octopusx/v1/videos", {"prompt": "a cat", "metadata": {"shot": 7}}),
        ("GET", "/octopusx/v1/videos/{octo}", None),
        ("GET", "/octopusx/v1/videos/{octo}", None),
        ("POST", "/acedata/sora/videos", {"prompt": "a dog", "async": True}),
        ("POST", "/acedata/sora/tasks", {"action": "retrieve", "id": "{sora}"}),
        ("POST", "/octopusx/v1/videos", {"prompt": "something forbidden"}),
        ("DELETE", "/octopusx/v1/videos/{octo}", None),
        ("GET", "/nowhere/at/all", None),
    ]
    ids = {"octo": "", "sora": ""}
    for number, (method, path, body) in enumerate(asked):
        headers = {"user-agent": "app/2"}
        if path != "/nowhere/at/all":
            headers["authorization"] = "Bearer sk-one" if number < 3 else "Bearer sk-other"
        filled = {"action": "retrieve", "id": ids["sora"]} if "tasks" in path else body
        answer = world.call(method, path.replace("{octo}", ids["octo"]), filled, headers=headers)
        if number == 0:
            ids["octo"] = answer.json()["id"]
        if number == 3:
            ids["sora"] = answer.json()["task_id"]
        world.advance(SECOND)
    return world, ids["octo"], ids["sora"]


def counted(world: World, pattern: Pattern) -> list[int]:
    """The numbers of the entries that fit."""
    return verify(pattern, ANY, world.namespace).numbers


# How many


@pytest.mark.parametrize(
    ("expected", "words", "holding", "failing"),
    [
        (Expected(1, None), "at least 1 request", [1, 2, 99], [0]),
        (Expected(0, 0), "no request", [0], [1]),
        (Expected(1, 1), "exactly 1 request", [1], [0, 2]),
        (Expected(3, 3), "exactly 3 requests", [3], [2, 4]),
        (Expected(0, 2), "at most 2 requests", [0, 1, 2], [3]),
        (Expected(2, 4), "2 to 4 requests", [2, 3, 4], [1, 5]),
    ],
)
def test_it_says_and_judges_how_many(
    expected: Expected, words: str, holding: list[int], failing: list[int]
) -> None:
    """In words, both ends among them."""
    assert str(expected) == words
    assert all(expected.holds(count, count) for count in holding)
    assert not any(expected.holds(count, count) for count in failing)


@given(
    st.integers(0, 6),
    st.none() | st.integers(0, 6),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_it_takes_for_true_only_what_holds_for_every_count_that_may_be(
    least: int, more: int | None, low: int, width: int
) -> None:
    """An expectation holds for a range of counts exactly where it holds for each of them."""
    expected = Expected(least, None if more is None else least + more)
    each = all(expected.holds(count, count) for count in range(low, low + width + 1))
    assert expected.holds(low, low + width) is each


# What is counted

GLOB, NOT_CAT = Matcher(glob="app/*"), Matcher(negated=Matcher(contains="cat"))


@pytest.mark.parametrize(
    ("pattern", "numbers"),
    [
        (Pattern(), [1, 2, 3, 4, 5, 6, 7, 8]),
        (Pattern(operation="poll"), [2, 3, 5]),
        (Pattern(operation="create", provider="octopusx"), [1, 6]),
        (Pattern(provider="acedata-sora"), [4, 5]),
        (Pattern(status_code=429), [3]),
        (Pattern(status_code="2xx"), [1, 2, 4, 5]),
        (Pattern(error="rate_limited"), [3]),
        (Pattern(error="no_route"), [7]),
        (Pattern(method="DELETE"), [7]),
        (Pattern(path=Matcher(equals="/octopusx/v1/videos")), [1, 6]),
        (Pattern(path=Matcher(glob="*/sora/*")), [4, 5]),
        (Pattern(path=Matcher(regex="^/nowhere")), [8]),
        (Pattern(key=Matcher(equals="sk-one")), [1, 2, 3]),
        (Pattern(key=Matcher(exists=False)), [8]),
        (Pattern(match=matching(key=Matcher(glob="sk-o*"), prompt=Matcher(exists=True))), [1, 4, 6]),
        (Pattern(match=matching(prompt=Matcher(contains="cat"))), [1]),
        (Pattern(operation="create", match=matching(prompt=NOT_CAT)), [4, 6]),
        (Pattern(match=(Match("metadata.shot", Matcher(equals="7")),)), [1]),
        (Pattern(match=(Match("header.User-Agent", GLOB),), status_code="4xx"), [3, 6, 7, 8]),
        (Pattern(match=(Match("header.x-missing", Matcher(exists=True)),)), []),
        (Pattern(match=matching(action=Matcher(equals="retrieve"))), [5]),
        (Pattern(match=matching(prompt=Matcher(exists=False))), [2, 3, 5, 7, 8]),
        (Pattern(since=START + 5 * SECOND), [6, 7, 8]),
        (Pattern(after=6), [7, 8]),
        (Pattern(operation="poll", after=2, since=START + 4 * SECOND), [5]),
    ],
    ids=count(),
)
def test_it_counts_what_fits(pattern: Pattern, numbers: list[int]) -> None:
    """Every field of a pattern narrows it; a field that isn't given asks nothing."""
    world, _, _ = story()
    found = verify(pattern, Expected(len(numbers), len(numbers)), world.namespace)
    assert (found.numbers, found.count, found.verified) == (numbers, len(numbers), True)
    assert not verify(pattern, Expected(len(numbers) + 1, None), world.namespace).verified


def test_it_counts_by_task_and_by_rule() -> None:
    """A task's exchanges, those of a batch among them; what one rule had a say in; a body's ``id`` or the task's."""
    world, octo, sora = story()
    world.post("/acedata/sora/tasks", {"action": "retrieve_batch", "ids": ["unknown", sora]})
    second = world.post("/acedata/sora/videos", {"prompt": "a fox", "async": True}).json()["task_id"]
    world.post("/acedata/sora/tasks", {"action": "retrieve_batch", "ids": [sora, second]})
    assert counted(world, Pattern(task=octo)) == [1, 2, 3]
    assert counted(world, Pattern(task=sora)) == [4, 5, 9, 11]
    assert counted(world, Pattern(task=second)) == [10, 11]
    assert counted(world, Pattern(task="unknown")) == [9]
    throttle, refusal = world.scenario.rules
    assert counted(world, Pattern(rule=throttle.id)) == [3, 9]  # the batch is the second poll of one
    assert counted(world, Pattern(rule=refusal.id)) == [6]
    assert counted(world, Pattern(match=matching(id=Matcher(equals=octo)))) == [1, 2, 3]
    assert counted(world, Pattern(match=matching(id=Matcher(equals=sora)), operation="poll")) == [5, 9, 11]


def test_it_reads_paths_below_the_namespace() -> None:
    """By prefix or by header: one pattern fits both."""
    world = World()
    world.post("/ns/one/octopusx/v1/videos", {"prompt": "a cat"})
    world.post(
        "/octopusx/v1/videos",
        {"prompt": "a cat"},
        headers={"authorization": "Bearer sk-a", "x-emulator-namespace": "one"},
    )
    one = world.app.namespaces.get("one")
    assert one is not None
    found = verify(Pattern(path=Matcher(equals="/octopusx/v1/videos")), Expected(3, 3), one)
    assert found.numbers == [1, 2]
    assert counted(world, Pattern()) == []
    assert "#1 POST /ns/one/octopusx/v1/videos 200" in found.text
    assert "#2 POST /octopusx/v1/videos 200" in found.text


def test_it_reads_whole_paths_where_the_pattern_does() -> None:
    """As the journal shows them."""
    world = World()
    world.post("/ns/one/octopusx/v1/videos", {"prompt": "a cat"})
    one = world.app.namespaces.get("one")
    assert one is not None
    for matcher in (
        Matcher(equals="/ns/one/octopusx/v1/videos"),
        Matcher(glob="/ns/one/*"),
        Matcher(regex="^/ns/one/"),
        Matcher(negated=Matcher(contains="/ns/ones")),
    ):
        assert verify(Pattern(path=matcher), Expected(1, 1), one).verified
    assert not verify(Pattern(path=Matcher(negated=Matcher(glob="/ns/one/*"))), Expected(1, 1), one).verified


def test_it_changes_nothing() -> None:
    """Looking is no request, and no poll."""
    world, _, _ = story()
    before = list(world.namespace.journal)
    found = verify(Pattern(status_code=500), Expected(1, None), world.namespace)
    assert list(world.namespace.journal) == before
    assert verify(Pattern(status_code=500), Expected(1, None), world.namespace) == found


def test_it_names_the_latest_of_very_many() -> None:
    """The numbers are bounded, the count isn't."""
    world = World()
    for _ in range(NUMBERS + 20):
        world.get("/octopusx/v1/videos/unknown")
    found = verify(Pattern(operation="poll"), Expected(0, 0), world.namespace)
    assert found.count == NUMBERS + 20
    assert found.numbers == list(range(21, NUMBERS + 21))
    assert "  counted (the latest 10):" in found.text
    assert found.text.count("/octopusx/v1/videos/unknown") == 10
    assert f"#{NUMBERS + 20} GET" in found.text


# What came nearest


def test_a_miss_names_what_came_nearest_with_every_criterion_ticked_or_crossed() -> None:
    """Most criteria first, then the latest; the same for people."""
    world, octo, _ = story()
    found = verify(Pattern(operation="poll", task=octo, status_code=500), Expected(1, None), world.namespace)
    assert not found.verified
    assert [near.number for near in found.nearest] == [3, 2, 5, 1]
    assert [(c.criterion, c.expected, c.got, c.holds) for c in found.nearest[0].criteria] == [
        ("operation", "poll", "poll", True),
        ("status_code", "500", "429", False),
        ("task", octo, octo, True),
    ]
    assert (found.nearest[0].method, found.nearest[0].path, found.nearest[0].status_code) == (
        "GET",
        f"/octopusx/v1/videos/{octo}",
        429,
    )
    assert found.text.splitlines()[:8] == [
        "✗ expected at least 1 request, got 0",
        f"  of: operation poll, status_code 500, task {octo}",
        "  nearest:",
        f"    #3 GET /octopusx/v1/videos/{octo} 429",
        "      ✓ operation: poll",
        "      ✗ status_code: expected 500, got 429",
        f"      ✓ task: {octo}",
        f"    #2 GET /octopusx/v1/videos/{octo} 200",
    ]


def test_a_miss_says_what_was_asked_of_a_field_and_what_came() -> None:
    """In words for matchers; what isn't there is nothing."""
    world, _, _ = story()
    asked = (
        Match("prompt", Matcher(contains="bird", negated=Matcher(glob="*dog*"))),
        Match("header.x-id", Matcher(any_of=("a", "b*"))),
        Match("metadata", Matcher(exists=True)),
        Match("seed", Matcher(regex="^[0-9]+$")),
        Match("size", Matcher(exists=False)),
    )
    near = verify(Pattern(operation="create", match=asked), Expected(1, None), world.namespace).nearest
    assert [one.number for one in near] == [1, 6, 4]
    assert [(c.expected, c.got, c.holds) for c in near[0].criteria[1:]] == [
        ("contains 'bird' and not (like '*dog*')", "'a cat'", False),
        ("one of 'a', 'b*'", "nothing", False),
        ("anything", """'{"shot": 7}'""", True),
        ("matches '^[0-9]+$'", "nothing", False),
        ("nothing", "nothing", True),
    ]


def test_at_most_so_many_are_named() -> None:
    """The latest of equals."""
    world = World()
    for _ in range(9):
        world.get("/octopusx/v1/videos/unknown")
    near = verify(Pattern(operation="poll", status_code=429), Expected(1, None), world.namespace).nearest
    assert [one.number for one in near] == [9, 8, 7, 6, 5]
    assert len(near) == NEAREST


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern(operation="download"),
        Pattern(operation="download", method="GET", provider="octopusx", since=START, after=0),
        Pattern(operation="download", status_code=200),
        Pattern(
            operation="download", status_code="2xx", match=(Match("header.user-agent", Matcher(glob="*")),)
        ),
        Pattern(status_code=500, match=(Match("prompt", Matcher(negated=Matcher(equals="x"))),)),
        Pattern(error="internal", match=(Match("size", Matcher(exists=False)),)),
    ],
    ids=count(),
)
def test_nothing_is_named_where_nothing_is_near(pattern: Pattern) -> None:
    """What holds of nearly every request makes none of them similar."""
    world, _, _ = story()
    found = verify(pattern, Expected(1, None), world.namespace)
    assert (found.verified, found.nearest) == (False, [])
    assert found.text.endswith("  nothing came near, of 8 requests in the journal")


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        (Pattern(path=Matcher(equals="/octopusx/v1/video")), "paths that came: /octopusx/v1/videos"),
        (Pattern(path=Matcher(glob="/acedata/soar/task*")), "paths that came: /acedata/sora/tasks"),
        (
            Pattern(match=matching(promt=Matcher(contains="cat"))),
            "no request has promt; did you mean prompt?",
        ),
        (
            Pattern(operation="create", match=(Match("metadata.shoot", Matcher(equals="7")),)),
            "no request has metadata.shoot; did you mean metadata.shot?",
        ),
        (
            Pattern(match=(Match("header.User-Agnet", Matcher(glob="app*")),)),
            "no request has header.User-Agnet; did you mean header.user-agent?",
        ),
    ],
    ids=count(),
)
def test_it_names_what_is_spelt_alike(pattern: Pattern, told: str) -> None:
    """A path that came, a field or a header that requests have: most misses are slips of the pen."""
    world, _, _ = story()
    lines = verify(pattern, Expected(1, None), world.namespace).text.splitlines()
    assert any(line.strip().startswith(told) for line in lines), lines


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (Pattern(path=Matcher(equals="/completely/different")), Expected(1, None)),
        (Pattern(match=matching(prompt=Matcher(contains="bird"))), Expected(1, None)),
        (Pattern(match=matching(zebra=Matcher(contains="bird"))), Expected(1, None)),
        (Pattern(path=Matcher(equals="/octopusx/v1/video")), ANY),
        (Pattern(match=matching(promt=Matcher(exists=False))), Expected(0, 0)),
    ],
    ids=count(),
)
def test_it_guesses_nothing_where_nothing_is_alike(pattern: Pattern, expected: Expected) -> None:
    """Nor where a field is there and only its value is another, nor where not too few were counted."""
    world, _, _ = story()
    text = verify(pattern, expected, world.namespace).text
    assert "did you mean" not in text
    assert "paths that came" not in text


def test_too_many_are_named_themselves() -> None:
    """And nothing that didn't fit."""
    world, octo, _ = story()
    found = verify(Pattern(operation="poll", provider="octopusx"), Expected(1, 1), world.namespace)
    assert (found.verified, found.count, found.numbers, found.nearest) == (False, 2, [2, 3], [])
    assert found.text == (
        "✗ expected exactly 1 request, got 2\n"
        "  of: provider octopusx, operation poll\n"
        "  counted:\n"
        f"    #2 GET /octopusx/v1/videos/{octo} 200\n"
        f"    #3 GET /octopusx/v1/videos/{octo} 429"
    )


def test_success_is_told_in_two_lines() -> None:
    """And names nothing to look at."""
    world, _, _ = story()
    found = verify(Pattern(status_code=429), Expected(1, 1), world.namespace)
    assert found.text == "✓ expected exactly 1 request, got 1\n  of: status_code 429"
    assert (found.nearest, found.notes) == ([], [])


def test_what_a_terminal_would_act_on_is_taken_out() -> None:
    """A prompt may hold anything; so may the pattern."""
    world = World()
    world.post("/octopusx/v1/videos", {"prompt": "\x1b[31mred\n\x9b1m" + "x" * 500})
    pattern = Pattern(operation="create", match=matching(prompt=Matcher(equals="\x1b[2J")))
    found = verify(pattern, Expected(1, None), world.namespace)
    assert found.nearest[0].criteria[1].got.startswith("'\ufffd[31mred\ufffd\ufffd1mxxx")
    assert len(found.nearest[0].criteria[1].got) < 130
    assert found.nearest[0].criteria[1].got.endswith("xxx...'")
    assert all(line.isprintable() for line in found.text.splitlines())


# What can't be known


def kept(world: World, body: bytes, size: int, *, operation: str = "poll", **headers: str) -> None:
    """An entry of a request whose body was kept so."""
    fields = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    asked = Asked("POST", "/acedata/sora/tasks", b"", fields, body, size)
    world.namespace.journal.add(
        "manual", by_name["acedata-sora"], operation, asked, Reply(200, [], now=START)
    )


def judged(world: World, name: str, matcher: Matcher) -> Verification:
    """What becomes of the expectation that one request has this."""
    return verify(Pattern(operation="poll", match=(Match(name, matcher),)), Expected(1, 1), world.namespace)


def test_a_cut_body_decides_nothing() -> None:
    """Its criteria are unknown, neither ticked nor crossed, and an exact count isn't certain."""
    world = World()
    body = json.dumps({"action": "retrieve", "id": "x", "note": "y" * KEPT_BODY}).encode()
    kept(world, body, len(body))
    assert len(next(iter(world.namespace.journal)).body) == KEPT_BODY
    for matcher in (Matcher(equals="x"), Matcher(exists=False), Matcher(negated=Matcher(equals="x"))):
        found = judged(world, "id", matcher)
        assert (found.verified, found.count, found.undecided) == (False, 0, 1)
        assert found.nearest[0].criteria[1].holds is None
        assert found.nearest[0].criteria[1].got == "unknown, because it wasn't kept whole"
        assert found.notes == [
            "1 request can't be judged: what is asked of it wasn't kept whole",
            "so the true count lies between 0 and 1",
        ]
        assert "      ? match.id: expected" in found.text


def test_what_is_unknown_counts_against_an_upper_bound_only() -> None:
    """Enough certain requests are enough; none too many can't be promised."""
    world = World()
    kept(world, b'{"id":"x"}', 10)
    kept(world, b'{"id":"x', 20_000)
    kept(world, b'{"id":"y"}', 10)
    pattern = Pattern(operation="poll", match=matching(id=Matcher(equals="x")))
    assert verify(pattern, Expected(1, None), world.namespace).verified
    assert verify(pattern, Expected(0, 2), world.namespace).verified
    assert not verify(pattern, Expected(1, 1), world.namespace).verified
    uncertain = verify(pattern, Expected(0, 1), world.namespace)
    assert (uncertain.verified, uncertain.count, uncertain.undecided) == (False, 1, 1)
    assert [near.number for near in uncertain.nearest] == [2]
    assert [near.number for near in verify(pattern, Expected(1, 1), world.namespace).nearest] == [2]
    assert [near.number for near in verify(pattern, Expected(2, 2), world.namespace).nearest] == [3, 2]


def test_an_excerpt_still_tells_what_was_kept_whole() -> None:
    """Short fields of a large body, and that a long one is there."""
    world = World()
    fields = {"id": "x", "image": "i" * 20_000, "tags": list(range(200)), "deep": {"a": {"b": 1}}}
    kept(world, elided(fields), len(orjson.dumps(fields)))
    assert judged(world, "id", Matcher(equals="x")).verified
    assert judged(world, "deep.a.b", Matcher(equals="1")).verified
    assert judged(world, "image", Matcher(exists=True)).verified
    assert judged(world, "image", Matcher(exists=False)).undecided == 0
    assert judged(world, "image", Matcher(contains="i")).undecided == 1
    assert judged(world, "image", Matcher(exists=True, contains="i")).undecided == 1
    assert judged(world, "tags", Matcher(contains="199")).undecided == 1
    assert judged(world, "tags", Matcher(exists=True)).verified
    assert judged(world, "other", Matcher(exists=False)).undecided == 1  # the list has a gap
    assert judged(world, "id", Matcher(equals="y")).undecided == 0


def test_an_excerpt_without_gaps_tells_what_is_absent() -> None:
    """Where only texts were cut, every name is known."""
    world = World()
    fields = {"id": "x", "image": "i" * 20_000}
    kept(world, elided(fields), len(orjson.dumps(fields)))
    assert judged(world, "other", Matcher(exists=False)).verified
    assert judged(world, "image.size", Matcher(exists=False)).verified


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({f"n{number}": number for number in range(70)}, "n69"),
        ({"many": {f"n{number}": number for number in range(70)}}, "many.n69"),
        ({f"n{number}": "x" * 256 for number in range(64)}, "n1"),
        ({"texts": ["x" * 300]}, "texts"),
        ({"texts": {"one": "x" * 300}}, "texts"),
        ({"deep": json.loads('{"a":' * 40 + "1" + "}" * 40)}, f"deep{'.a' * 40}"),
    ],
    ids=count(),
)
def test_what_an_excerpt_leaves_out_is_unknown(fields: dict[str, Any], name: str) -> None:
    """Members, texts, what is nested deeply, or everything."""
    world = World()
    kept(world, elided(fields), len(orjson.dumps(fields)))
    assert judged(world, name, Matcher(contains="69")).undecided == 1


def test_a_digest_stands_for_a_text_that_nobody_knows() -> None:
    """A text of more than 64 KiB isn't kept at all."""
    world = World()
    world.post("/octopusx/v1/videos", {"prompt": "x" * 70_000})
    for matcher in (Matcher(contains="xxx"), Matcher(glob="sha256:*")):
        found = verify(Pattern(match=matching(prompt=matcher)), Expected(1, 1), world.namespace)
        assert (found.count, found.undecided) == (0, 1)


def test_a_poll_has_its_own_body() -> None:
    """Not that of the request which created its task, however little of it was kept."""
    world = World()
    task = world.post("/acedata/sora/videos", {"prompt": "a cat", "async": True}).json()["task_id"]
    world.post("/acedata/sora/tasks", {"action": "retrieve", "id": task, "note": "y" * 20_000})
    assert judged(world, "prompt", Matcher(exists=False)).verified
    assert judged(world, "id", Matcher(equals=task)).verified


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text("ab.\u00e9 ", max_size=3)
    | st.sampled_from(["z" * 300, [1, "z"] * 40, {f"n{number}": 1 for number in range(70)}]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "..."]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from("abc"), JSON_VALUES, max_size=3),
    st.sampled_from(["a", "b", "c", "a.b", "b.0"]),
)
def test_an_excerpt_never_says_what_the_whole_would_deny(fields: dict[str, Any], name: str) -> None:
    """Held against the whole body, a criterion of an excerpt has the same outcome or none."""
    world, excerpts = World(), World()
    whole = orjson.dumps(fields)
    kept(world, whole, len(whole))
    kept(excerpts, elided(fields), 0)
    value = fields.get(name)
    for matcher in (
        Matcher(equals=text_of(value)),
        Matcher(exists=True),
        Matcher(exists=False),
        Matcher(negated=Matcher(contains="z")),
        Matcher(contains="more"),
    ):
        certain, excerpt = judged(world, name, matcher), judged(excerpts, name, matcher)
        assert excerpt.undecided or excerpt.count == certain.count


def test_the_task_of_a_create_knows_what_the_excerpt_lost() -> None:
    """A form is kept as an excerpt; the long prompt of an accepted one can be asked about all the same."""
    world = World()
    prompt = "a cat " * 100 + "at the end"
    body = (
        b'--X\r\ncontent-disposition: form-data; name="prompt"\r\n\r\n' + prompt.encode() + b"\r\n"
        b'--X\r\ncontent-disposition: form-data; name="model"\r\n\r\nsora-2\r\n--X--\r\n'
    )
    form = {"content-type": "multipart/form-data; boundary=X"}
    world.call("POST", "/octopusx/v1/videos", body, headers={"authorization": "Bearer sk-a", **form})
    world.call("POST", "/octopusx/v1/videos", body, headers=form)
    pattern = Pattern(match=matching(prompt=Matcher(equals=prompt)))
    found = verify(pattern, Expected(1, 1), world.namespace)
    assert (found.numbers, found.undecided, found.verified) == ([1], 1, False)
    assert verify(
        Pattern(match=matching(model=Matcher(equals="sora-2"))), Expected(2, 2), world.namespace
    ).verified


def test_a_body_that_nobody_read_decides_nothing() -> None:
    """Too large, or sent with a GET; while a request without a body surely lacks the field."""
    world = World()
    huge = {"authorization": "Bearer sk-a", "content-length": str(100 * 1024 * 1024)}
    world.call("POST", "/octopusx/v1/videos", headers={**huge, "content-type": "application/json"})
    world.get("/octopusx/v1/videos/x")
    world.call("GET", "/octopusx/v1/videos/x", {"prompt": "a cat"})
    world.get("/octopusx/v1/videos/x", headers={"transfer-encoding": "chunked"})
    for matcher in (Matcher(equals="a cat"), Matcher(exists=False)):
        found = verify(Pattern(match=matching(prompt=matcher)), Expected(2, None), world.namespace)
        assert (found.count, found.undecided) == (int(matcher.exists is False), 3)


@pytest.mark.parametrize("body", [b"not json", b"[1, 2]", b"{" * 70, b'"text"'])
def test_a_body_that_is_no_object_has_no_fields(body: bytes) -> None:
    """It was kept whole, so that much is certain."""
    world = World()
    kept(world, body, len(body))
    assert judged(world, "id", Matcher(exists=False)).verified


def test_a_body_that_is_nested_too_deeply_is_not_looked_into() -> None:
    """No provider takes it, and comparing it would exhaust the stack."""
    world = World()
    body = b'{"id":' + b"[" * 900 + b"]" * 900 + b"}"
    kept(world, body, len(body))
    assert judged(world, "id", Matcher(contains="x")).undecided == 1


def test_a_cut_header_decides_nothing() -> None:
    """Its value, a key in it, and in a very large head whatever may have been left out."""
    world = World()
    long = {"authorization": f"Bearer sk-{'a' * 2000}", "x-long": "b" * 1500, "x-short": "c"}
    body = {"action": "retrieve", "id": "x", "note": "y" * KEPT_BODY}
    world.post("/acedata/sora/tasks", body, headers=long)
    world.post("/acedata/sora/tasks", {"id": "x"}, headers={**long, "x-huge": "d" * 20_000})
    world.post("/acedata/sora/tasks", {"id": "x"}, headers={f"x-{n}": "e" * 1000 for n in range(20)})

    def outcomes(field: str, matcher: Matcher) -> list[int]:
        found = verify(Pattern(match=(Match(field, matcher),)), ANY, world.namespace)
        return [found.count, found.undecided]

    assert outcomes("header.x-long", Matcher(glob="b*")) == [1, 2]
    assert outcomes("header.x-long", Matcher(exists=True)) == [2, 1]
    assert outcomes("header.x-short", Matcher(equals="c")) == [2, 1]
    assert outcomes("header.x-none", Matcher(exists=False)) == [2, 1]
    assert outcomes("key", Matcher(equals="sk-a")) == [0, 2]
    assert outcomes("key", Matcher(exists=True)) == [2, 1]


# What was dropped


def crowded(*, entries: int = 3) -> World:
    """Ten polls of an unknown id, a second apart, of which the journal has the last ones."""
    world = World()
    world.namespace.journal.most = entries
    for _ in range(10):
        world.get("/octopusx/v1/videos/unknown")
        world.advance(SECOND)
    return world


@pytest.mark.parametrize(
    ("expected", "verified"),
    [
        (Expected(3, 3), False),
        (Expected(0, 3), False),
        (Expected(0, 9), False),
        (Expected(2, 4), False),
        (Expected(0, 0), False),
        (Expected(3, None), True),
        (Expected(4, None), False),
        (Expected(0, 10), True),
        (Expected(3, 10), True),
    ],
    ids=count(),
)
def test_dropped_entries_may_have_fitted(expected: Expected, verified: bool) -> None:
    """What is verified holds whatever they were; three are kept, seven were dropped."""
    found = verify(Pattern(operation="poll"), expected, crowded().namespace)
    assert (found.verified, found.count, found.dropped) == (verified, 3, 7)
    assert bool(found.notes) is not verified


def test_it_explains_a_count_that_is_not_certain() -> None:
    """With what would help."""
    found = verify(Pattern(operation="poll"), Expected(3, 3), crowded().namespace)
    told = (
        "7 requests of before were dropped from the journal and may have fitted; ask for less with since or after, "
        "or keep more with --journal-entries"
    )
    assert found.notes == [told, "so the true count lies between 3 and 10"]
    assert all(note in found.text for note in found.notes)


@pytest.mark.parametrize(
    ("pattern", "count", "dropped"),
    [
        (Pattern(after=7), 3, 0),
        (Pattern(after=5), 3, 2),
        (Pattern(after=9), 1, 0),
        (Pattern(since=START + 8 * SECOND), 2, 0),
        (Pattern(since=START + 7 * SECOND), 3, 7),
        (Pattern(since=START), 3, 7),
    ],
    ids=count(),
)
def test_dropped_entries_that_were_not_asked_about_do_no_harm(
    pattern: Pattern, count: int, dropped: int
) -> None:
    """Of which number they were is known, and that they were older than those that are kept."""
    found = verify(pattern, Expected(count, count), crowded().namespace)
    assert (found.count, found.dropped, found.verified) == (count, dropped, dropped == 0)


# Keys


KEY = "sk-a-key-that-nobody-may-see"


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern(operation="create", key=Matcher(equals="sk-another")),
        Pattern(operation="create", key=Matcher(equals=KEY), status_code=500),
        Pattern(operation="create", key=Matcher(any_of=(KEY, "b"), negated=Matcher(contains=KEY[:20]))),
        Pattern(operation="create", match=(Match("header.authorization", Matcher(equals=f"Bearer {KEY}!")),)),
        Pattern(operation="create", match=(Match("header.x-api-key", Matcher(equals="no")),)),
        Pattern(operation="create", match=(Match("header.x-note", Matcher(equals="no")),)),
        Pattern(operation="create", match=(Match("prompt", Matcher(equals="no")),)),
        Pattern(operation="create", match=(Match("prompt", Matcher(contains=f"{KEY}?")),)),
        Pattern(operation="create", match=(Match("metadata", Matcher(equals="no")),)),
        Pattern(operation="create", match=(Match("metadata.api_key", Matcher(equals="no")),)),
        Pattern(operation="create", match=(Match("metadata.api_key", Matcher(glob=f"{KEY}*!")),)),
        Pattern(match=(Match(KEY, Matcher(exists=True)),), operation="create"),
        Pattern(path=Matcher(contains=KEY), status_code=500),
        Pattern(task=KEY, status_code=500),
        Pattern(task="another", operation="poll"),
        Pattern(operation="create"),
    ],
    ids=count(),
)
def test_no_key_is_ever_shown(pattern: Pattern) -> None:
    """Wherever it stands in a request, and whatever is asked about it."""
    world = World()
    body = {"prompt": f"my key is {KEY}", "metadata": {"api_key": KEY}}
    headers = {"authorization": f"Bearer {KEY}", "x-api-key": KEY, "x-note": f"see {KEY}"}
    world.post("/octopusx/v1/videos", body, headers=headers)
    world.get(f"/octopusx/v1/videos/{KEY}", headers=headers)
    for expected in (Expected(2, None), Expected(0, 0), Expected(1, None)):
        told = msgspec.json.encode(verify(pattern, expected, world.namespace)).decode()
        assert KEY not in told
        assert KEY[:20] not in told


@pytest.mark.parametrize(
    ("query", "body", "headers"),
    [
        ("", b"{}", {"x-api-key": KEY}),
        ("", b"{}", {"authorization": f"Bearer {KEY}"}),
        (f"?api_key={KEY}", b"{}", {}),
        ("", json.dumps({"api_key": KEY}).encode(), {}),
        ("", json.dumps({"api_key": KEY}).encode()[:-1], {}),
    ],
    ids=["header", "credentials", "query", "field", "broken"],
)
def test_a_key_is_known_by_where_it_stands(query: str, body: bytes, headers: dict[str, str]) -> None:
    """And isn't shown where it stands for itself."""
    world = World()
    fields = {**headers, "x-note": f"see {KEY}", "content-type": "application/json"}
    world.call("POST", f"/octopusx/v1/videos{query}", body, headers=fields)
    pattern = Pattern(operation="create", match=(Match("header.x-note", Matcher(equals="no")),))
    (near,) = verify(pattern, Expected(1, None), world.namespace).nearest
    assert near.criteria[1].got.startswith("'see [key ")
    assert KEY[:20] not in near.criteria[1].got


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern(key=Matcher(equals=KEY), path=Matcher(contains=KEY)),
        Pattern(key=Matcher(glob=f"{KEY}*"), path=Matcher(contains=KEY)),
        Pattern(match=(Match("api_key", Matcher(negated=Matcher(equals=KEY))),), path=Matcher(any_of=(KEY,))),
    ],
    ids=count(),
)
def test_a_key_that_only_the_pattern_knows_is_not_shown_either(pattern: Pattern) -> None:
    """Whatever else the pattern asks of it."""
    assert KEY not in verify(pattern, Expected(1, None), World().namespace).text


def test_one_key_can_be_told_from_another() -> None:
    """By marks, the same as the journal shows."""
    world, _, _ = story()
    pattern = Pattern(operation="poll", key=Matcher(equals="sk-one"), status_code=500)
    near = verify(pattern, Expected(1, None), world.namespace).nearest
    keys = [criterion for one in near for criterion in one.criteria if criterion.criterion == "key"]
    assert [criterion.holds for criterion in keys] == [True, True, False]
    assert [criterion.got == criterion.expected for criterion in keys] == [True, True, False]
    assert [one.number for one in near] == [3, 2, 5]
    assert all(criterion.got.startswith("[key ") for criterion in keys)


def test_a_key_is_found_where_nothing_is_emulated() -> None:
    """Whatever its scheme, for there is no provider to say."""
    world = World()
    for header in ("Bearer sk-a", "sk-a", "Bearer  sk-ns-default--a", ""):
        world.get("/nowhere", headers={"authorization": header})
    assert counted(world, Pattern(key=Matcher(equals="sk-a"))) == [1, 2, 3]


def test_a_key_that_names_a_namespace_is_compared_as_scenarios_compare_it() -> None:
    """``sk-ns-NAME--REST`` is ``sk-REST``."""
    world = World()
    world.get("/octopusx/v1/videos/x", headers={"authorization": "Bearer sk-ns-one--abc"})
    one = world.app.namespaces.get("one")
    assert one is not None
    assert verify(Pattern(key=Matcher(equals="sk-abc")), Expected(1, 1), one).verified


NAMES: Sequence[str] = ("operation", "provider", "status_code", "method", "error")


@given(st.sets(st.sampled_from(NAMES)), st.integers(0, 7))
def test_a_pattern_made_from_a_request_counts_it(names: set[str], number: int) -> None:
    """And counts with it all that are alike in what was asked."""
    world, _, _ = story()
    records = list(world.namespace.journal)

    def said(index: int) -> dict[str, Any]:
        record = records[index]
        return {
            "operation": record.operation,
            "provider": None if record.provider is None else record.provider.name,
            "status_code": record.reply.status_code,
            "method": record.method,
            "error": record.reply.error,
        }

    asked = {name: value for name, value in said(number).items() if name in names and value is not None}
    alike = [index + 1 for index in range(8) if all(said(index)[name] == asked[name] for name in asked)]
    assert counted(world, Pattern(**asked)) == alike
    assert number + 1 in alike
