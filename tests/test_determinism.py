"""The same seed and calls give the same journal, byte for byte, in any process, however the clock is moved."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.units import SECOND, format_duration
from tests import serving
from tests.worlds import Answer, World

STORY: Final = """
version: 1
seed: 11
rules:
  - {operation: poll, while: processing, probability: 30%, error: internal}
  - {operation: poll, calls: 4, error: rate_limited, retry_after: 5s}
  - {operation: create, probability: 20%, error: unavailable}
  - {operation: download, calls: 1, error: not_found}
tasks:
  - choices:
      - name: usual
        weight: 3
        timeline:
          - {status: queued, for: {min: 5s, max: 30s}}
          - {status: processing, for: {median: 60s, sigma: 0.4}, progress: {from: 0, to: 99}}
          - {status: completed, video: {expires_in: 10m}}
      - name: unlucky
        timeline:
          - {status: queued, polls: 2}
          - {status: failed, error: "{{ faker.name }}"}
""".replace('error: "{{ faker.name }}"', 'error: {name: internal, message: "Sorry, {{ faker.name }}"}')
CANONICAL: Final = "/__admin/requests?canonical=true"
OPERATION = st.sampled_from(["create", "poll", "download", "unknown", "wrong key"])
TURNS: Final = st.lists(st.tuples(OPERATION, st.integers(0, 120)), min_size=1, max_size=25)
Call = Callable[..., Answer]


def cut(whole: int, at: Sequence[int]) -> list[int]:
    """A duration in the pieces that these places cut it into."""
    places = sorted({place % (whole + 1) for place in at} | {0, whole})
    return [later - earlier for earlier, later in pairwise(places)]


def drive(call: Call, turns: Sequence[tuple[str, int]], cuts: Iterator[Sequence[int]]) -> bytes:
    """Take the turns, with the clock moved by the same in between, in other pieces; the canonical journal."""
    tasks: list[str] = []
    links: list[str] = []
    for number, (operation, seconds) in enumerate(turns):
        for piece in cut(seconds * SECOND, next(cuts)):
            moved = call("POST", "/__admin/clock/advance", {"by": format_duration(piece)})
            assert moved.status_code == 200, moved.body
        if operation == "create":
            made = call("POST", "/octopusx/v1/videos", {"prompt": f"cat {number % 3}"})
            tasks += [made.json()["id"]] if made.status_code == 200 else []
        elif operation == "poll" and tasks:
            polled = call("GET", f"/octopusx/v1/videos/{tasks[number % len(tasks)]}")
            link = polled.json().get("video_url")
            links += ["/" + link.split("/", 3)[3]] if link else []
        elif operation == "download" and links:
            call("GET", links[number % len(links)])
        elif operation == "unknown":
            call("POST", "/acedata/sora/tasks", {"id": "nobody", "action": "retrieve"})
        elif operation == "wrong key":
            call("GET", "/ezmodel/v1/videos/nobody", headers={})
    answer = call("GET", CANONICAL)
    assert answer.status_code == 200
    return answer.body


def world_call(world: World) -> Call:
    """Calls a world in this process."""

    def call(method: str, path: str, body: Any = None, **others: Any) -> Answer:
        return world.call(method, path, body, host="localhost:8080", **others)

    return call


@settings(max_examples=60, deadline=None)
@given(TURNS, st.data())
def test_any_partition_of_the_advances_gives_the_same_journal(
    turns: list[tuple[str, int]], data: st.DataObject
) -> None:
    """To the byte; and one piece more or less is not even a call in it."""

    def cuts() -> Iterator[Sequence[int]]:
        while True:
            yield data.draw(st.lists(st.integers(0, 200 * SECOND), max_size=4))

    def whole() -> Iterator[Sequence[int]]:
        while True:
            yield ()

    in_one = drive(world_call(World(STORY)), turns, whole())
    in_pieces = drive(world_call(World(STORY)), turns, cuts())
    assert in_pieces == in_one
    lines = in_one.splitlines()
    assert len(lines) == sum(1 for line in lines if b'"number":' in line)


LONG: Final = [
    ("create", 0), ("create", 1), ("poll", 3), ("create", 2), ("poll", 5), ("poll", 20), ("unknown", 0),
    ("poll", 30), ("poll", 30), ("wrong key", 1), ("poll", 60), ("create", 7), ("poll", 60), ("download", 1),
    ("poll", 60), ("download", 100), ("poll", 1), ("poll", 1), ("poll", 1), ("download", 120), ("poll", 120),
]  # fmt: skip


def test_two_processes_give_the_same_journal() -> None:
    """On other ports, with their clocks moved in other pieces."""

    def in_pieces(number: int) -> Iterator[Sequence[int]]:
        while True:
            yield [number * 1_234_567, number * 7_654_321]

    journals = []
    for number in (0, 3):
        arguments = ("--clock", "manual", "--start", "2025-01-01T00:00:00Z")
        with serving.process(*arguments) as server:
            yaml = {"content-type": "application/yaml"}
            posted = server.call("POST", "/__admin/scenarios?name=story&activate=true", STORY.encode(), yaml)
            assert posted.status_code == 201, posted.body
            journals.append(drive(server.call, LONG, in_pieces(number)))
    assert journals[0] == journals[1]
    assert len(journals[0].splitlines()) >= 15
    assert b"127.0.0.1" not in journals[0]
