"""Entries: what the journal tells of an exchange, and the canonical form that two processes agree on."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.units import SECOND, format_duration, parse_instant
from emulator.entries import Filter, Reader
from emulator.redaction import mark
from tests import serving
from tests.worlds import KEY, START, World

OCTOPUSX = "/octopusx/v1/videos"
SORA = "/acedata/sora/tasks"


def entries_of(world: World) -> list[Any]:
    """All entries, oldest first, as the control API tells them."""
    answer = world.get("/__admin/requests?limit=1000", host="localhost", headers={})
    assert answer.status_code == 200
    entries: list[Any] = answer.json()["requests"]
    return entries


def canonical_of(world: World) -> bytes:
    """The canonical form of the whole journal."""
    answer = world.get("/__admin/requests?canonical=true", host="localhost", headers={})
    assert answer.status_code == 200
    return answer.body


# What an entry has


def test_an_entry_has_the_whole_exchange() -> None:
    """The request, the answer, both clocks, the task and the scenario."""
    world = World(seed=5)
    world.advance(SECOND)
    answer = world.post(f"{OCTOPUSX}?a=b&a=c", {"prompt": "a cat", "seconds": "8"})
    (entry,) = entries_of(world)
    assert entry["number"] == 1
    assert entry["at"] == "2025-01-01T00:00:01Z"
    assert parse_instant(entry["wall_at"]) > START
    assert (entry["clock"], entry["provider"], entry["operation"]) == ("manual", "octopusx", "create")
    assert entry["request"] == {
        "method": "POST",
        "path": OCTOPUSX,
        "query": "a=b&a=c",
        "headers": {
            "host": "emulator.test:8080",
            "authorization": f"Bearer {mark('sk-test')}",
            "content-type": "application/json",
            "content-length": "35",
        },
        "body": {"prompt": "a cat", "seconds": "8"},
        "size": 35,
        "cut": False,
    }
    assert entry["answer"] == {
        "status_code": 200,
        "headers": dict(answer.headers),
        "body": answer.json(),
        "size": len(answer.body),
        "cut": False,
        "media": None,
        "fault": None,
    }
    task_id = answer.json()["id"]
    assert [(task["id"], task["status"], task["progress"]) for task in entry["tasks"]] == [
        (task_id, "queued", 0)
    ]
    assert (entry["delay"], entry["unknown"], entry["scenario"]) == ("0s", [], "happy-path")
    assert entry["why"]["stage"] == "timeline"


def test_a_quick_poll_has_no_less_than_another() -> None:
    """Though the server answers it by a shortcut."""
    quick, slow = World(), World()
    for world in (quick, slow):
        world.post(OCTOPUSX, {"prompt": "a cat"})
        world.advance(5 * SECOND)
    task_id = entries_of(quick)[0]["tasks"][0]["id"]
    fields = [(b"host", b"emulator.test:8080"), (b"authorization", b"Bearer sk-test")]
    assert quick.at_once("GET", f"{OCTOPUSX}/{task_id}", fields) is not None
    slow.get(f"{OCTOPUSX}/{task_id}")
    one, other = entries_of(quick)[1], entries_of(slow)[1]
    assert {**one, "wall_at": ""} == {**other, "wall_at": ""}


def test_a_video_is_told_by_what_it_is() -> None:
    """Its bytes are never kept; of a part the size is the part's."""
    world = World()
    created = world.post(OCTOPUSX, {"prompt": "a cat", "size": "1280x720", "seconds": "8"}).json()["id"]
    world.advance(20 * SECOND)
    link = world.get(f"{OCTOPUSX}/{created}").json()["video_url"].partition("8080")[2]
    sizes = []
    for method, path, headers in (
        ("GET", link, {}),
        ("GET", link, {"range": "bytes=0-99"}),
        ("HEAD", link, {}),
        ("GET", f"{OCTOPUSX}/{created}/content", KEY),
    ):
        answer = world.call(method, path, headers=headers)
        entry = entries_of(world)[-1]
        assert entry["answer"]["media"] == {
            "width": 1280,
            "height": 720,
            "seconds": 8,
            "variant": "video",
        }
        assert entry["answer"]["body"] is None
        assert entry["answer"]["cut"] is False
        assert entry["answer"]["size"] == len(answer.body)
        assert entry["tasks"][0]["id"] == created
        assert entry["operation"] == ("content" if "content" in path else "download")
        sizes.append(len(answer.body))
    assert sizes[0] == sizes[3] > sizes[1] == 100
    assert sizes[2] == 0


@pytest.mark.parametrize(
    ("content_type", "body", "told"),
    [
        ("application/json", b'{"prompt": "a"}', {"prompt": "a"}),
        ("application/json", b"[1, null, 2.5]", [1, None, 2.5]),
        ("application/json", b'{"prompt": ', '{"prompt": '),
        ("text/plain", b"what is this", "what is this"),
        ("application/json", b"\xff\xfe", "\ufffd\ufffd"),
        ("application/json", b'{"a": "\\ud800"}', '{"a": "\\ud800"}'),
        ("application/json", b"[" * 200 + b"]" * 200, "[" * 200 + "]" * 200),
        ("application/json", b"", None),
        ("application/x-www-form-urlencoded", b"prompt=a+cat&x[y]=1", {"prompt": "a cat", "x": {"y": "1"}}),
    ],
)
def test_a_body_is_told_as_what_it_is(content_type: str, body: bytes, told: Any) -> None:
    """A JSON value where it is one, the fields of a form, else a text."""
    world = World()
    world.post(OCTOPUSX, body, headers={**KEY, "content-type": content_type})
    assert entries_of(world)[0]["request"]["body"] == told
    assert entries_of(world)[0]["request"]["cut"] is False


def test_a_large_body_is_cut_and_says_so() -> None:
    """It still reads as JSON, with its size."""
    world = World()
    body = json.dumps({"prompt": "a" * 30_000, "model": "sora-2"}).encode()
    world.post(OCTOPUSX, body, headers={**KEY, "content-type": "application/json"})
    request = entries_of(world)[0]["request"]
    assert request["cut"] is True
    assert request["size"] == len(body)
    assert request["body"] == {"prompt": f"{'a' * 256}... (29744 more characters)", "model": "sora-2"}


def test_a_large_broken_body_is_cut_as_text() -> None:
    """Nobody can tell what it would have been."""
    world = World()
    world.post(OCTOPUSX, b"{" + b"a" * 30_000, headers={**KEY, "content-type": "application/json"})
    request = entries_of(world)[0]["request"]
    assert request["cut"] is True
    assert request["size"] == 30_001
    assert request["body"] == "{" + "a" * (16 * 1024 - 1)


def _batch(world: World, count: int, host: str = "emulator.test:8080") -> None:
    """A batch of finished tasks, whose answer is larger than what is kept of it."""
    ids = [
        world.post("/acedata/sora/videos", {"prompt": f"a {number}", "async": True}, host=host).json()[
            "task_id"
        ]
        for number in range(count)
    ]
    world.advance(20 * SECOND)
    answer = world.post(SORA, {"action": "retrieve_batch", "ids": ids}, host=host)
    assert len(answer.body) > 20_000


def test_a_large_answer_is_cut_as_text() -> None:
    """With the size that was sent, and all its tasks."""
    world = World()
    _batch(world, 40)
    entry = entries_of(world)[-1]
    assert entry["answer"]["cut"] is True
    assert isinstance(entry["answer"]["body"], str)
    assert 15_000 < len(entry["answer"]["body"]) <= 16 * 1024 < entry["answer"]["size"]
    assert entry["answer"]["body"].startswith('{"items":[{')
    assert len(entry["tasks"]) == 40


@settings(max_examples=50)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0?#")),
    st.binary(max_size=20),
    st.binary(max_size=40),
    st.sampled_from(["application/json", "text/html", "application/x-www-form-urlencoded"]),
)
def test_whatever_comes_can_be_told(path: str, header: bytes, body: bytes, content_type: str) -> None:
    """The journal reads as JSON, whatever bytes stand in it."""
    world = World()
    headers = {
        "authorization": header.decode("latin-1"),
        "x-a": header.decode("latin-1"),
        "content-type": content_type,
    }
    world.call("POST", f"{OCTOPUSX}/{path}", body, headers=headers)
    world.post(OCTOPUSX, body, headers=headers)
    assert entries_of(world)
    assert all(json.loads(line) for line in canonical_of(world).splitlines())


def test_an_exchange_with_nobody_is_told_too() -> None:
    """A path that no provider has."""
    world = World()
    world.get("/nothing/here")
    (entry,) = entries_of(world)
    assert (entry["provider"], entry["operation"], entry["scenario"]) == (None, None, None)
    assert entry["why"] == {"stage": "route"}
    assert entry["answer"]["status_code"] == 404


def test_a_delay_is_told() -> None:
    """As it was drawn."""
    world = World("version: 1\ndefaults: {delay: 2ms}")
    world.post(OCTOPUSX, {"prompt": "a"})
    assert entries_of(world)[0]["delay"] == "2ms"


# Filters


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "operation": st.sampled_from(["create", "poll", "content", "download"]),
            "provider": st.sampled_from(["octopusx", "acedata-sora", "ezmodel"]),
            "status_code": st.sampled_from(["200", "404", "4xx", "2XX", "500"]),
            "matched": st.booleans(),
            "after": st.integers(0, 9),
            "before": st.integers(0, 9),
            "since": st.sampled_from([START, START + SECOND, START + 2 * SECOND]),
        },
    )
)
def test_a_filter_is_all_that_it_asks(asked: dict[str, Any]) -> None:
    """What fits fits each part of it, and what doesn't fails one."""
    world = STORY
    whole = {record.number for record in Filter(**asked).among(world.namespace.journal)}
    parts = [
        {record.number for record in world.namespace.journal if Filter(**{name: value}).fits(record)}
        for name, value in asked.items()
    ]
    everything = {record.number for record in world.namespace.journal}
    assert whole == everything.intersection(*parts)


def _story() -> World:
    world = World()
    world.post(OCTOPUSX, {"prompt": "a"})
    world.get(f"{OCTOPUSX}/nobody")
    world.advance(SECOND)
    world.post(SORA, {"action": "retrieve", "id": "nobody"})
    world.get("/nothing")
    world.advance(SECOND)
    world.get(f"{OCTOPUSX}/{entries_of(world)[0]['tasks'][0]['id']}")
    world.get(f"{OCTOPUSX}/{entries_of(world)[0]['tasks'][0]['id']}/content")
    return world


STORY = _story()


# The canonical form


def test_the_canonical_form_has_only_what_follows_from_seed_and_calls() -> None:
    """Sorted, one entry on each line, with neither wall time nor headers nor addresses."""
    world = World()
    world.post(OCTOPUSX, {"prompt": "a cat"}, host="somewhere.example:1234")
    world.advance(20 * SECOND)
    task_id = entries_of(world)[0]["tasks"][0]["id"]
    world.get(f"{OCTOPUSX}/{task_id}?a=b")
    first, second = (json.loads(line) for line in canonical_of(world).splitlines())
    assert (
        canonical_of(world).splitlines()[0]
        == json.dumps(first, sort_keys=True, separators=(",", ":")).encode()
    )
    assert set(first) == {
        "number", "at", "provider", "operation", "method", "path", "query", "body", "tasks", "status_code", "answer",
        "why",
    }  # fmt: skip
    assert first["body"] == {"prompt": "a cat"}
    assert second["query"] == "a=b"
    assert second["tasks"] == [task_id]
    assert second["answer"]["video_url"].startswith("/media/octopusx/")
    assert b"somewhere.example" not in canonical_of(world)


SCENARIO = """
version: 1
name: told
seed: 9
defaults: {delay: {min: 0us, max: 3us}}
tasks:
  - {id: there, timeline: [{status: completed}]}
  - choices:
      - name: a
        weight: 2
        timeline:
          - {status: queued, for: {min: 1s, max: 9s}}
          - {status: completed, video: {expires_in: 5s}}
      - name: b
        timeline:
          - {status: queued, polls: 2}
          - {status: processing, for: 3s, progress: {from: 0, to: 99}}
          - {status: failed}
rules:
  - {operation: poll, probability: 20%, error: internal}
  - {operation: create, probability: 20%, headers: {x-a: "{{ faker.name }}"}}
  - {operation: [content, download], probability: 30%, respond: {status_code: 503, json: {id: "{{ uuid }}"}}}
"""


def _drive(call: Any, advance: Any, parts: Sequence[int], host: Mapping[str, str]) -> None:
    """One story: what clients do is always the same, how the clock gets from one act to the next isn't."""
    key = {**KEY, **host}
    ids: list[str] = []
    cuts = iter(parts)

    def wait(whole: int) -> None:
        rest = whole
        for _ in range(3):
            part = min(rest, next(cuts, 0))
            advance(format_duration(part))
            rest -= part
        advance(format_duration(rest))

    for number in range(6):
        provider = ["octopusx", "ezmodel"][number % 2]
        answer = call("POST", f"/{provider}/v1/videos", {"prompt": f"cat {number}"}, key)
        ids.append(f"/{provider}/v1/videos/{answer.json()['id']}")
        wait(SECOND)
    for _ in range(4):
        for path in ids:
            polled = call("GET", path, None, key)
            link = polled.json().get("video_url", "") if polled.status_code == 200 else ""
            if link:
                call("GET", "/media" + link.partition("/media")[2], None, host)
                call("GET", f"{path}/content", None, key)
        wait(3 * SECOND)
    call("POST", SORA, {"action": "retrieve_batch", "ids": ["there", "nobody"]}, key)
    call("POST", SORA, b"{", {**key, "content-type": "application/json"})
    call("GET", "/nothing/at/all", None, key)


PARTS = st.lists(st.integers(0, 3 * SECOND), max_size=30)


@settings(max_examples=15)
@given(PARTS, PARTS)
def test_any_way_of_advancing_and_any_address_give_the_same_bytes(one: list[int], other: list[int]) -> None:
    """For the same seed and the same calls."""
    told = []
    for parts, host in ((one, "h:1"), (other, "a.much.longer.name.example:65535")):
        world = World(SCENARIO)

        def advance(by: str, world: World = world) -> None:
            world.call("POST", "/__admin/clock/advance", {"by": by}, headers={}, host="localhost")

        def call(
            method: str, path: str, body: Any, headers: Any, world: World = world, host: str = host
        ) -> Any:
            return world.call(method, path, body, headers, host)

        _drive(call, advance, parts, {})
        told.append(canonical_of(world))
    assert told[0] == told[1]
    assert len(told[0].splitlines()) > 30


def test_a_cut_answer_is_the_same_under_any_address() -> None:
    """Where it is cut depends on how long its links are; what the canonical form has of it doesn't."""
    told = []
    for host in ("h:1", "a.much.longer.name.example:65535"):
        world = World()
        _batch(world, 40, host)
        told.append(canonical_of(world))
    assert told[0] == told[1]
    assert set(json.loads(told[0].splitlines()[-1])["answer"]) == {"cut"}


def test_another_public_url_changes_nothing() -> None:
    """Links have it in place of the host, those to existing tasks too."""
    told = []
    for url in (None, "https://public.example"):
        world = World("version: 1\ntasks: [{id: there, timeline: [{status: completed}]}]", public_url=url)
        answer = world.get("/octopusx/v1/videos/there")
        assert ("public.example" in answer.body.decode()) is (url is not None)
        world.get("/nothing")
        told.append(canonical_of(world))
    assert told[0] == told[1]


def test_only_its_own_address_is_left_out() -> None:
    """Another port is another address, and so is a longer name."""
    world = World()
    sent = [
        "http://h:80/x",
        "http://h:8080/x",
        "http://h:80.example/x",
        "https://h:80",
        "see http://h:80, there",
    ]
    world.post(OCTOPUSX, {"prompt": "a", "links": sent}, host="h:80")
    told = json.loads(canonical_of(world))["body"]["links"]
    assert told == ["/x", "http://h:8080/x", "http://h:80.example/x", "", "see , there"]


def test_another_seed_gives_other_bytes() -> None:
    """The form doesn't hide what was drawn."""
    told = []
    for seed in (1, 2):
        world = World(seed=seed)
        world.post(OCTOPUSX, {"prompt": "a"})
        told.append(canonical_of(world))
    assert told[0] != told[1]


def _processes() -> Iterator[bytes]:
    for parts in ([], [1, 999_999, 5, 2 * SECOND]):
        with serving.process("--clock", "manual", "--start", "2025-01-01T00:00:00Z", "--seed", "7") as served:

            def call(method: str, path: str, body: Any, headers: Any, served: serving.Served = served) -> Any:
                return served.call(method, path, body, headers=headers)

            _drive(call, served.advance_clock, parts, {})
            yield served.get("/__admin/requests?canonical=true").body


def test_two_processes_give_the_same_bytes() -> None:
    """On two ports, with the clock moved in two ways."""
    one, other = _processes()
    assert one == other
    assert len(one.splitlines()) > 30


def test_a_reader_is_about_the_journal_as_it_is() -> None:
    """Records that came later can be read by it all the same."""
    world = World()
    reader = Reader(world.namespace)
    world.post(OCTOPUSX, {"prompt": "a"})
    (record,) = world.namespace.journal
    assert reader.entry(record).number == 1
