"""What the calls about clocks, scenarios, tasks and requests say and give, as a test would use them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from emulator import AsyncClient, Client
from emulator.client import BadRequest, Conflict, NotVerified
from emulator.client.calls import Call, Sender
from emulator.client.requests import Requests
from emulator.messages.clock import TaskChange
from emulator.messages.events import ClockEvent, DroppedEvent, RequestEvent, ResetEvent, ScenarioEvent
from tests.serving import Served, thread
from tests.worlds import World

NAMES: Final = map("world-{}".format, count())
"""Of namespaces: each test has one of its own."""
START: Final = datetime(2025, 1, 1, tzinfo=UTC)
SLOW: Final = "version: 1\nname: slow\nabout: Slow.\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """An emulator whose clocks stand still."""
    with thread(World().app) as served:
        yield served


@pytest.fixture
def client(server: Served) -> Iterator[Client]:
    """A client of a fresh namespace."""
    with Client(server.url, namespace=next(NAMES)) as client:
        yield client


def create(server: Served, client: Client, prompt: str = "a cat") -> str:
    """The id of a task that a client of OctopusX made."""
    path = client.url("octopusx").removeprefix(server.url)
    answer = server.post(f"{path}/v1/videos", {"model": "sora-2", "prompt": prompt})
    task: str = answer.json()["id"]
    return task


# The clock


def test_a_clock_is_moved(client: Client) -> None:
    """By text, timedelta, and to an instant."""
    assert client.clock.now() == START
    advanced = client.clock.advance(timedelta(minutes=5))
    assert (advanced.from_, advanced.now) == ("2025-01-01T00:00:00Z", "2025-01-01T00:05:00Z")
    assert client.clock.advance("55m").now == "2025-01-01T01:00:00Z"
    assert client.clock.advance(to=START + timedelta(hours=2)).now == "2025-01-01T02:00:00Z"
    assert client.clock.set("2025-01-02T00:00:00Z").now == "2025-01-02T00:00:00Z"
    assert client.clock.set(START + timedelta(days=2)).now == "2025-01-03T00:00:00Z"
    assert client.clock.change(now=START + timedelta(days=3)).now == "2025-01-04T00:00:00Z"
    assert client.clock.reset().now == "2025-01-01T00:00:00Z"


NAIVE: Final = datetime(2030, 1, 1)  # noqa: DTZ001 - that is what is refused


DATED: Final[dict[str, Callable[[Client], Any]]] = {
    "clock.set": lambda client: client.clock.set(NAIVE),
    "clock.advance": lambda client: client.clock.advance(to=NAIVE),
    "clock.change": lambda client: client.clock.change(now=NAIVE),
    "reset": lambda client: client.reset({"now": NAIVE}),
    "namespaces.create": lambda client: client.namespaces.create(clock={"now": NAIVE}),
    "tasks.create": lambda client: client.tasks.create("ezmodel", created_at=NAIVE),
    "requests.list": lambda client: client.requests.list(since=NAIVE),
    "verify": lambda client: client.verify(since=NAIVE),
}


@pytest.mark.parametrize("ask", DATED.values(), ids=DATED)
def test_a_naive_datetime_is_refused_wherever_it_stands(client: Client, ask: Callable[[Client], Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="expected a datetime with a zone"):
        ask(client)


def test_a_clock_changes_its_mode(client: Client) -> None:
    """Each in one word."""
    modes = [client.clock.resume(), client.clock.scale(60), client.clock.freeze(), client.clock.auto()]
    assert [(state.mode, state.scale) for state in modes] == [
        ("real", 1),
        ("scaled", 60),
        ("manual", 1),
        ("auto", 1),
    ]
    assert client.clock.change(mode="scaled", scale=0.5).scale == 0.5
    assert client.clock.state().mode == "scaled"


def test_a_clock_goes_to_what_happens_next(server: Served, client: Client) -> None:
    """And tells it."""
    task = create(server, client)
    (change,) = client.clock.advance_to_next().changes
    assert (change.task, change.was, change.status) == (task, "queued", "processing")


# Scenarios


@pytest.mark.parametrize("as_what", ["text", "file", "fields"])
def test_a_scenario_is_posted(client: Client, tmp_path: Path, as_what: str) -> None:
    """As a text, a file or keys and values; it may be put in force at once."""
    file = tmp_path / "other-name.yaml"
    file.write_text(SLOW, encoding="utf-8")
    fields = {"version": 1, "name": "slow", "about": "Slow."}
    scenario: Any = {"text": SLOW, "file": file, "fields": fields}[as_what]
    posted = client.scenarios.post(scenario)
    assert (posted.name, posted.about, posted.active) == ("slow", "Slow.", False)
    assert client.scenarios.put("slow", scenario, activate=True).active
    assert client.scenarios.active().name == "slow"
    assert client.scenarios.get("slow").about == "Slow."


def test_a_scenario_without_a_name_gets_one(client: Client, tmp_path: Path) -> None:
    """The file's, or the one that is given."""
    file = tmp_path / "from-file.yaml"
    file.write_text("version: 1\n", encoding="utf-8")
    assert client.scenarios.post(file).name == "from-file"
    assert client.scenarios.post(file, name="given").name == "given"
    assert client.scenarios.post("version: 1\n", name="of-text", activate=True).active
    assert client.scenarios.post({"version": 1}, name="of-fields").name == "of-fields"
    names = {one.name for one in client.scenarios.list().scenarios if one.origin == "posted"}
    assert names == {"from-file", "given", "of-text", "of-fields"}
    assert client.scenarios.delete("given").removed


def test_a_path_in_quotes_is_told_from_a_text(client: Client) -> None:
    """With what would work."""
    with pytest.raises(ValueError, match=r"got 'flows/slow.yaml'; for a file give Path\('flows/slow.yaml'\)"):
        client.scenarios.post("flows/slow.yaml")


# Tasks


def test_a_task_is_stepped_by_hand(client: Client) -> None:
    """From the one status to the next, and to its end."""
    made = client.tasks.create(
        "ezmodel",
        id="video_mine",
        status="processing",
        progress=40,
        request={"model": "sora-2", "prompt": "a dog"},
        created_at=START - timedelta(minutes=1),
        values={},
    )
    assert (made.id, made.status, made.progress, made.created_at) == (
        "video_mine",
        "processing",
        40,
        "2024-12-31T23:59:00Z",
    )
    assert client.tasks.patch("video_mine", progress=60).progress == 60
    assert client.tasks.get("video_mine").request["prompt"] == "a dog"
    assert client.tasks.complete("video_mine", provider="ezmodel").status == "completed"


def error_of(client: Client, task: str) -> str | None:
    """The message of a failed task's error."""
    (error,) = [entry.error for entry in client.tasks.get(task).timeline if entry.state == "present"]
    return None if error is None else error.message


def test_a_task_fails_as_it_is_told(client: Client) -> None:
    """With the provider's own error, or words of one's own."""
    first, second, third = (client.tasks.create("octopusx").id for _ in range(3))
    assert client.tasks.fail(first).status == "failed"
    assert client.tasks.fail(second, {"message": "Something odd"}).status == "failed"
    assert client.tasks.patch(third, error={"message": "Even odder"}).status == "failed"
    fourth = client.tasks.create("octopusx", error={"message": "From the start"}).id
    messages = [error_of(client, task) for task in (first, second, third, fourth)]
    assert messages == [None, "Something odd", "Even odder", "From the start"]


def test_a_task_of_a_scenario(client: Client) -> None:
    """It is created under one, with what the provider would have chosen."""
    made = client.tasks.create("octopusx", scenario="slow-queue", values={"video_id": "mine"})
    assert client.tasks.get(made.id).values["video_id"] == "mine"
    assert [task.id for task in client.tasks.list(scenario="slow-queue").tasks] == [made.id]
    assert client.tasks.list(scenario="happy-path").total == 0


def test_a_provider_is_chosen_where_two_have_the_id(client: Client) -> None:
    """By every call about one task."""
    tasks = client.tasks
    for provider in ("octopusx", "ezmodel"):
        tasks.create(provider, id="both")
    for ask in (tasks.get, tasks.advance, tasks.complete, tasks.fail, tasks.cancel):
        with pytest.raises(Conflict) as refused:
            ask("both")
        assert refused.value.names == ["octopusx", "ezmodel"]
    assert tasks.get("both", provider="ezmodel").provider == "ezmodel"
    assert tasks.advance("both", provider="ezmodel").status == "processing"
    assert tasks.patch("both", progress=5, provider="ezmodel").provider == "ezmodel"
    assert tasks.complete("both", provider="ezmodel").status == "completed"
    assert tasks.cancel("both", provider="octopusx").status == "cancelled"
    for provider in ("octopusx", "ezmodel"):
        tasks.create(provider, id="again")
    assert tasks.fail("again", provider="octopusx").provider == "octopusx"


def test_tasks_are_listed(client: Client) -> None:
    """Newest first, those that fit."""
    made = [client.tasks.create(provider).id for provider in ("ezmodel", "octopusx", "ezmodel")]
    client.tasks.cancel(made[0])
    assert client.tasks.list(provider="octopusx").tasks[0].id == made[1]
    assert [task.id for task in client.tasks.list(status="cancelled").tasks] == [made[0]]
    assert client.tasks.list(limit=1, offset=1).total == 3
    assert len(client.tasks.list(limit=1, offset=1).tasks) == 1


@pytest.mark.parametrize("name", ["a/b", "a b", "ä", "?", "#", "%2F", "..", "a/advance"])
def test_any_id_reaches_its_task(client: Client, name: str) -> None:
    """Whatever an URL would make of its characters."""
    client.tasks.create("octopusx", id=name)
    assert client.tasks.get(name).id == name
    assert client.tasks.complete(name).status == "completed"


# Requests


def test_requests_are_found(server: Served, client: Client) -> None:
    """By what is asked of them."""
    task = create(server, client)
    path = client.url("octopusx").removeprefix(server.url)
    server.get(f"{path}/v1/videos/{task}")
    server.get(f"{path}/v1/videos/video_unknown")
    server.get(f"{path}/nothing")
    assert [entry.operation for entry in client.requests.list().requests] == ["create", "poll", "poll", None]
    assert [entry.number for entry in client.requests.list(task=task, order="newest").requests] == [2, 1]
    assert client.requests.list(status_code="4xx").total == 2
    assert len(client.requests.list(limit=1).requests) == 1
    assert client.requests.list(matched=False).requests[0].request.path.endswith("/nothing")
    assert client.requests.list(since=START + timedelta(seconds=1)).total == 0
    assert client.requests.list(provider="octopusx", after=1, before=3).total == 1
    assert client.requests.get(2).answer.status_code == 200
    assert len(client.requests.canonical(operation="poll").splitlines()) == 2
    assert client.requests.clear().cleared == 4


def test_a_request_is_waited_for(server: Served, client: Client) -> None:
    """It may come later than the client's own time-out would allow."""

    def work() -> None:
        for _ in range(10):
            client.ready()
        create(server, client)

    with Client(server.url, namespace=client.health().namespace, timeout="1ms") as impatient:
        runner = threading.Thread(target=work)
        runner.start()
        (entry,) = impatient.requests.wait("1m", operation="create").requests
        runner.join()
    assert entry.operation == "create"


class Kept:
    """A sender that sends nothing, and gives the call back."""

    def send(self, call: Call[Any]) -> Any:
        """The call itself."""
        return call


def test_waiting_is_no_time_out_of_the_client() -> None:
    """It is added to the client's own."""
    requests: Requests[Sender] = Requests(Kept())
    asked: Any = requests.wait("1m")
    assert asked.wait == 60


def test_a_request_that_never_comes(client: Client) -> None:
    """That is a time-out, and says what was waited for."""
    with pytest.raises(
        TimeoutError, match="no request came within 10ms: operation='poll', provider='ezmodel'"
    ):
        client.requests.wait("10ms", operation="poll", provider="ezmodel")
    with pytest.raises(TimeoutError, match="no request came within 10ms: of any kind"):
        client.requests.wait(timedelta(milliseconds=10))


# Evidence


FITTING: Final[dict[str, Any]] = {
    "operation": "create",
    "provider": "octopusx",
    "status_code": "2xx",
    "method": "POST",
    "path": "/octopusx/*",
    "key": "sk-*",
    "match": {"prompt": {"contains": "cat"}},
    "since": START,
    "after": 0,
}
UNFIT: Final[dict[str, Any]] = {
    "operation": "poll",
    "provider": "ezmodel",
    "status_code": 404,
    "method": "GET",
    "path": "/ezmodel/*",
    "key": "sk-other",
    "match": {"prompt": {"contains": "dog"}},
    "since": START + timedelta(seconds=1),
    "after": 1,
    "error": "internal",
}


def test_what_was_expected_is_verified(server: Served, client: Client) -> None:
    """By all that can be asked, together."""
    task = create(server, client, prompt="a black cat")
    assert client.verify().count == 1
    assert client.verify(**FITTING, task=task, exactly=1).numbers == [1]


@pytest.mark.parametrize("name", UNFIT)
def test_each_criterion_counts(server: Served, client: Client, name: str) -> None:
    """Alone, where it doesn't hold."""
    create(server, client)
    client.clock.advance("1s")
    assert client.verify(**{name: UNFIT[name]}, exactly=0).count == 0


def test_a_rule_and_a_task_are_criteria(server: Served, client: Client) -> None:
    """By their ids, of which the journal tells a rule's."""
    text = "version: 1\nname: odd\nrules: [{operation: create, calls: 1, headers: {x-first: yes}}]\n"
    client.scenarios.post(text, activate=True)
    first, _ = create(server, client), create(server, client)
    (rule,) = client.requests.get(1).why.rules
    assert client.verify(operation="create", exactly=2).numbers == [1, 2]
    assert client.verify(rule=rule.id, exactly=1).numbers == [1]
    assert client.verify(task=first, exactly=1).numbers == [1]


@pytest.mark.parametrize(
    ("number", "holds"),
    [
        ({"exactly": 1}, True),
        ({"exactly": 2}, False),
        ({"at_least": 1}, True),
        ({"at_least": 2}, False),
        ({"at_most": 1}, True),
        ({"at_most": 0}, False),
        ({"between": (1, 2)}, True),
        ({"between": (2, 3)}, False),
    ],
)
def test_each_number_counts(server: Served, client: Client, number: Any, holds: bool) -> None:
    """One request came."""
    create(server, client)
    if holds:
        assert client.verify(**number).verified
    else:
        with pytest.raises(NotVerified):
            client.verify(**number)


def test_what_was_not_verified_is_a_failed_assertion(server: Served, client: Client) -> None:
    """That shows what came nearest."""
    create(server, client, prompt="a dog")
    with pytest.raises(NotVerified) as failed:
        client.verify(operation="create", match={"prompt": {"contains": "cat"}}, at_least=2)
    assert isinstance(failed.value, AssertionError)
    assert failed.value.verification.count == 0
    assert str(failed.value) == failed.value.verification.text
    assert "a dog" in str(failed.value)


def test_a_pattern_that_nothing_can_fit_is_refused(client: Client) -> None:
    """It would be a check that can't fail, or can't hold."""
    with pytest.raises(BadRequest, match="no task 'video_nobody' is known here"):
        client.verify(task="video_nobody", exactly=0)


def test_a_report_is_given(server: Served, client: Client) -> None:
    """As values, as text and as JUnit XML."""
    create(server, client)
    expect = {"download": {"at_least": 1}}
    checks = {check.id: check for check in client.report(expect, clock="emulator").checks}
    assert checks["download.at_least"].why in client.report_text(expect, clock="emulator")
    assert "<testsuite" in client.report_junit(expect, clock="emulator")
    assert client.report(after=1).after == 1


def test_coverage_is_given(server: Served, client: Client) -> None:
    """Of the whole process or of a namespace, with what was met of nothing or without it."""
    name = client.scenarios.post(SLOW, activate=True).namespace
    touched, every = (client.coverage(namespace=name, scenarios=which) for which in ("touched", "all"))
    assert [one.name for one in touched.scenarios] == []
    assert [one.name for one in every.scenarios] == ["slow"]
    assert "slow" not in client.coverage_text(namespace=name)
    assert "slow" in client.coverage_text(namespace=name, scenarios="all")
    create(server, client)
    assert client.coverage(namespace=name).overall.touched > 0
    assert client.coverage().namespace is None
    assert client.clear_coverage().overall.touched == 0
    assert client.coverage(namespace=name).overall.touched == 0


# Namespaces


def test_a_namespace_is_made_as_it_is_told(server: Served) -> None:
    """With each of its settings; the same seed draws the same."""
    name = next(NAMES)
    with Client(server.url) as client:
        made = client.namespaces.create(
            name,
            scenario="slow-queue",
            seed="mine",
            clock={"mode": "manual", "now": START + timedelta(days=1)},
            profile="current",
        )
        assert (made.name, made.scenario, made.clock.now) == (name, "slow-queue", "2025-01-02T00:00:00Z")
        world = client.namespace(name)
        task = create(server, world)
        assert world.tasks.get(task).profile == "current"
        again, other = (client.namespace(client.namespaces.create(seed=seed).name) for seed in ("mine", 7))
        assert create(server, again) == task != create(server, other)


# Events


def test_events_come_as_they_happen(server: Served, client: Client) -> None:
    """Typed, from when the context is entered until the namespace is gone."""
    with client.events() as events:
        task = create(server, client)
        client.clock.advance_to_next()
        client.scenarios.activate("slow-queue")
        client.reset()
        client.namespaces.drop(client.health().namespace)
        told = list(events)
    kinds = {RequestEvent, TaskChange, ClockEvent, ScenarioEvent, ResetEvent, DroppedEvent}
    assert {type(event) for event in told} == kinds
    assert isinstance(told[-1], DroppedEvent)
    assert {event.task for event in told if isinstance(event, TaskChange)} == {task}


def test_events_may_be_chosen_and_asked_for_one_by_one(client: Client) -> None:
    """Without a context they begin with the first that is asked for; closed, there are none."""
    events, is_done = client.events(["scenario"]), threading.Event()

    def activate() -> None:
        while not is_done.is_set():
            client.scenarios.activate("slow-queue")

    runner = threading.Thread(target=activate)
    runner.start()
    try:
        assert isinstance(next(events), ScenarioEvent)
    finally:
        is_done.set()
        runner.join()
    events.close()
    assert list(events) == []


def test_events_of_one_type_need_no_list(client: Client) -> None:
    """A single word is one type, rather than as many as it has letters."""
    with client.events("clock") as events:
        client.clock.freeze()
        assert isinstance(next(events), ClockEvent)


def test_events_of_an_event_loop(server: Served) -> None:
    """The same."""

    async def later() -> list[Any]:
        async with AsyncClient(server.url, namespace=next(NAMES)) as client:
            async with client.events(["clock", "reset"]) as events:
                await client.clock.advance("1m")
                await client.reset()
                await client.namespaces.drop((await client.health()).namespace)
                told = [event async for event in events]
            assert [event async for event in events] == []
        return told

    told = asyncio.run(later())
    assert [type(event) for event in told] == [ClockEvent, ResetEvent, DroppedEvent]
