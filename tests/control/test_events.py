"""Live updates over a real socket: what a client of server-sent events reads, and what it leaves behind."""

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from emulator.app import App
from tests.serving import HOST, PATIENCE, Served, process, thread
from tests.worlds import World

EVENTS = "/__admin/events"
CREATE = "/octopusx/v1/videos"


class Client:
    """A client that reads an event stream line by line."""

    def __init__(self, served: Served, path: str = EVENTS) -> None:
        self._connection = http.client.HTTPConnection(HOST, served.port, timeout=PATIENCE)
        self._connection.request("GET", path)
        self.response = self._connection.getresponse()
        # Whoever has read this hears everything from then on.
        assert self.response.readline() == b": listening\n"
        assert self.response.readline() == b"\n"

    def next(self) -> tuple[str, Any]:
        """Type and data of the next event."""
        fields: dict[str, str] = {}
        while (line := self.response.readline().decode()) != "\n":
            assert line, "the stream has ended"
            name, value = line.removesuffix("\n").split(": ", 1)
            fields[name] = value
        return fields["event"], json.loads(fields["data"])

    def rest(self) -> bytes:
        """What comes until the stream ends."""
        return self.response.read()

    def close(self) -> None:
        """Go."""
        self.response.close()
        self._connection.close()


@contextmanager
def client(served: Served, path: str = EVENTS) -> Iterator[Client]:
    """A client, for as long as the ``with`` lasts."""
    made = Client(served, path)
    try:
        yield made
    finally:
        made.close()


def create(served: Served, prefix: str = "") -> str:
    """The id of a new task."""
    task_id: str = served.post(f"{prefix}{CREATE}", {"prompt": "a cat"}).json()["id"]
    return task_id


def test_two_listeners_hear_the_same() -> None:
    """Each over its own connection, in the form that browsers read."""
    with thread(World().app) as served, client(served) as one, client(served) as other:
        assert one.response.status == 200
        assert one.response.getheader("content-type", "").startswith("text/event-stream")
        assert one.response.getheader("cache-control") == "no-store"
        task_id = create(served)
        served.advance_clock("2s")
        heard = [one.next() for _ in range(4)]
        assert [other.next() for _ in range(4)] == heard
    assert [kind for kind, _ in heard] == ["task", "request", "task", "clock"]
    assert [data.get("task") for _, data in heard[:3]] == [task_id] * 3


def test_types_choose_what_is_sent() -> None:
    """One, or several with commas between them."""
    with thread(World().app) as served, client(served, f"{EVENTS}?types=clock,reset") as chosen:
        create(served)
        served.advance_clock("2s")
        served.call("POST", "/__admin/reset")
        assert [chosen.next()[0] for _ in range(2)] == ["clock", "reset"]


def test_a_namespace_hears_of_itself_alone() -> None:
    """By its prefix; and it is made by whoever listens to it."""
    with thread(World().app) as served, client(served, f"/ns/mine{EVENTS}?types=task") as mine:
        create(served)
        task_id = create(served, "/ns/mine")
        assert mine.next()[1]["task"] == task_id


def test_time_is_told_as_it_passes() -> None:
    """On a clock that runs nobody has to ask."""
    with thread(World().app) as served, client(served, f"{EVENTS}?types=task") as listener:
        create(served)
        served.call("POST", "/__admin/clock/scale", {"scale": 10_000})
        statuses = [listener.next()[1]["status"] for _ in range(3)]
    assert statuses == ["queued", "processing", "completed"]


def test_who_goes_leaves_nothing_behind() -> None:
    """The server notices, and nobody is told of anything any more; the other listener is."""
    app = World().app
    with thread(app) as served, client(served) as stays:
        journal, goes = app.namespace.journal, Client(served)
        assert len(journal.watchers) == 1
        goes.close()
        served.advance_clock("2s")
        assert stays.next()[0] == "clock"
        stays.close()
        _ask_until_nobody_listens(served, app)
        assert journal.watchers == []


def _ask_until_nobody_listens(served: Served, app: App) -> None:
    """Give the server turns; it has noticed long before the last of them."""
    for _ in range(2000):
        if app.namespace.events is None and not app.namespace.visitors:
            return
        served.get("/__admin/ready")
    raise AssertionError("a listener that went is still told")


def test_a_dropped_namespace_ends_the_stream() -> None:
    """With an event that says so."""
    with thread(World().app) as served, client(served, f"/ns/mine{EVENTS}") as listener:
        assert served.call("DELETE", "/__admin/namespaces/mine").status_code == 200
        assert listener.next() == ("dropped", {"namespace": "mine"})
        assert listener.rest() == b""


def test_a_head_request_has_no_stream() -> None:
    """It is answered at once, and the connection is free for the next request."""
    app = World().app
    with thread(app) as served, served.connect() as wire:
        for _ in range(2):
            wire.send([f"HEAD {EVENTS} HTTP/1.1\r\nhost: {HOST}\r\n\r\n".encode()])
            answer = wire.answer("HEAD")
            assert (answer.status_code, answer.body) == (200, b"")
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert app.namespace.events is None


@pytest.mark.parametrize("types", ["", "task,", "tasks", "task;clock", "lost"])
def test_unknown_types_are_refused(types: str) -> None:
    """With those that there are; nobody listens then."""
    world = World()
    answer = world.call("GET", f"{EVENTS}?types={types}", headers={}, host="localhost:8080")
    assert answer.status_code == 400
    assert "types: expected some of request, task, clock, scenario, reset" in answer.json()["detail"]
    assert world.namespace.events is None


def test_a_listener_holds_up_no_stop() -> None:
    """The server ends by itself, with status 0, though a stream is open; and the stream ends."""
    with ExitStack() as stack:
        with process("--grace", "600") as served:
            listener = stack.enter_context(client(served))
        assert listener.rest() == b""
