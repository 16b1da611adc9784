"""What a test asks the emulator itself, in each form: the same calls, the same values, the same words."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from emulator import Emulator
from emulator.client import BadRequest, Conflict, NotFound, NotVerified, NotWellBehaved
from emulator.messages.clock import TaskChange
from emulator.messages.events import ClockEvent, DroppedEvent, RequestEvent, ResetEvent, ScenarioEvent
from tests.forms.forms import Form, Talk, anonymous, talk
from tests.forms.wire import NAMES, create, poll

EXPECT: Final = {"poll": {"min_interval": "2s", "after_terminal": 0}}
MISTAKEN: Final = "version: 1\nname: odd\nrules: [{operation: pol, eror: x}]\ntasks: [{timelin: []}]\n"


def ill_behaved(talk: Talk) -> None:
    """Polls too often, goes on after the end, and asks for what there isn't."""
    for provider in NAMES:
        task = create(talk, provider)
        for wait in ("1s", "1s", "10m", "1s"):
            talk.emulator.clock.advance(wait)
            poll(talk, provider, task)
        poll(talk, provider, "nobody")
    talk.ask("GET", "ezmodel", "/v1/nothing")


def told(form: Form, ask: Callable[[Emulator], str], scenario: Any = "slow-queue") -> str:
    """A text about a world in which a client behaved ill, whichever world it was."""
    with talk(form, scenario) as talking:
        ill_behaved(talking)
        return anonymous(talking.emulator, ask(talking.emulator).encode()).decode()


TEXTS: Final[dict[str, Callable[[Emulator], str]]] = {
    "journal": lambda emulator: emulator.requests.canonical(),
    "report": lambda emulator: emulator.report_text(EXPECT, clock="emulator"),
    "coverage": lambda emulator: emulator.coverage_text(namespace=emulator.name, scenarios="all"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_it_tells_the_same(form: Form, plain: Form, name: str) -> None:
    """To the letter."""
    found = told(form, TEXTS[name])
    assert found == told(plain, TEXTS[name])
    assert len(found.splitlines()) > 5


def test_requests_are_selected(form: Form) -> None:
    """Counted, listed, looked at, waited for."""
    with talk(form, "slow-queue") as talking:
        requests = talking.emulator.requests
        assert requests("poll").count() == 0
        ill_behaved(talking)
        assert requests("poll").count() == 5 * len(NAMES)
        assert requests("poll", provider="ezmodel").count() == 5
        assert len(requests("create").list()) == len(NAMES)
        assert requests().first().operation == "create"
        assert requests().last().operation is None
        assert [entry.answer.status_code for entry in requests(matched=False).wait("1s")] == [404]
        first = requests.get(1)
        assert first.request.body["prompt"] == "a cat"
        assert first.at == "2025-01-01T00:00:00Z"
        with pytest.raises(LookupError, match="no request came: operation='download'"):
            requests("download").first()
        with pytest.raises(TimeoutError, match="no request came within 10ms"):
            requests("download").wait("10ms")
        assert requests.clear().cleared == requests.list().total + 6 * len(NAMES) + 1


def test_requests_are_verified(form: Form, plain: Form) -> None:
    """A failure shows what came nearest, in the same words."""

    def failure(emulator: Emulator) -> str:
        assert emulator.verify(operation="poll", provider="octopusx", exactly=5).count == 5
        with pytest.raises(NotVerified) as failed:
            emulator.verify(operation="create", match={"prompt": {"contains": "dog"}})
        return str(failed.value)

    assert told(form, failure) == told(plain, failure)


def test_a_client_is_judged(form: Form, plain: Form) -> None:
    """A failure is the report's text; what isn't asked for is no fault."""

    def failure(emulator: Emulator) -> str:
        with pytest.raises(NotWellBehaved) as failed:
            emulator.assert_well_behaved(EXPECT, clock="emulator")
        assert {check.id for check in failed.value.report.checks if check.verdict == "failed"} >= {
            "poll.min_interval",
            "poll.after_terminal",
        }
        return str(failed.value)

    assert told(form, failure) == told(plain, failure)
    with talk(form) as talking:
        poll(talking, "ezmodel", create(talking, "ezmodel"))
        assert talking.emulator.assert_well_behaved().failed == 0


# Time


def test_the_clock_stands_until_it_is_told(form: Form) -> None:
    """It is moved by durations, to instants, and to what happens next."""
    with talk(form, "slow-queue") as talking:
        clock = talking.emulator.clock
        assert clock.state().mode == "manual"
        assert clock.now() == datetime(2025, 1, 1, tzinfo=UTC)
        task = create(talking, "ezmodel")
        assert [(change.task, change.status) for change in clock.advance_to_next().changes] == [
            (task, "processing")
        ]
        assert clock.advance("8s").now == "2025-01-01T00:05:00Z"
        assert poll(talking, "ezmodel", task).json()["status"] == "completed"
        assert clock.advance(to="2025-01-02T00:00:00Z").now == "2025-01-02T00:00:00Z"
        with pytest.raises(Conflict, match="never goes backwards"):
            clock.set("2025-01-01T00:00:00Z")


@pytest.mark.parametrize("mode", ["auto", "scaled:60", "real"])
def test_another_clock_is_asked_for(form: Form, mode: str) -> None:
    """By the world's maker."""
    with form.emulator(clock=mode) as emulator:
        state = emulator.clock.state()
        assert (state.mode, state.scale) == (mode.partition(":")[0], 60 if ":" in mode else 1)
        assert state.now.startswith("2025-01-01T00:")


def test_an_auto_clock_follows_the_polls(form: Form, plain: Form) -> None:
    """A task is done after as many polls as it has entries."""
    statuses = []
    for one in (form, plain):
        with talk(one, "slow-queue", clock="auto") as talking:
            task = create(talking, "octopusx")
            statuses.append([poll(talking, "octopusx", task).json()["status"] for _ in range(4)])
    assert statuses[0] == statuses[1] == ["queued", "processing", "completed", "completed"]


@pytest.mark.parametrize("provider", NAMES)
def test_tasks_are_stepped_by_hand(form: Form, plain: Form, provider: str) -> None:
    """Made, advanced, completed, failed and cancelled; a client sees it."""

    def step(one: Form) -> Any:
        with talk(one) as talking:
            tasks = talking.emulator.tasks
            made = tasks.create(provider, status="processing", progress=40)
            changes: tuple[Callable[[], object], ...] = (
                lambda: tasks.patch(made.id, progress=60),
                lambda: tasks.advance(made.id),
                lambda: tasks.fail(tasks.create(provider, id="failing").id, "internal"),
                lambda: tasks.cancel(tasks.create(provider, id="cancelled").id),
            )
            for change in changes:
                change()
                for task in (made.id, "failing", "cancelled"):
                    poll(talking, provider, task)
            with pytest.raises(Conflict):
                tasks.complete("cancelled")
            with pytest.raises(NotFound):
                tasks.get("nobody")
            return talking.heard, [task.status for task in tasks.list().tasks]

    heard, statuses = step(form)
    assert (heard, statuses) == step(plain)
    assert statuses == ["cancelled", "failed", "completed"]


# Worlds


def test_worlds_know_nothing_of_one_another(form: Form) -> None:
    """Tasks, clocks, scenarios, requests."""
    with talk(form, "slow-queue") as one, talk(form) as other:
        task = create(one, "ezmodel")
        one.emulator.clock.advance("1h")
        assert poll(other, "ezmodel", task).status_code in {400, 404}
        assert other.emulator.clock.now() == datetime(2025, 1, 1, tzinfo=UTC)
        assert one.emulator.name != other.emulator.name
        assert (one.emulator.requests().count(), other.emulator.requests().count()) == (1, 1)
        assert {one.emulator.health().scenario, other.emulator.health().scenario} == {
            "slow-queue",
            "happy-path",
        }


def test_a_key_leads_into_the_world(form: Form) -> None:
    """Where a client's URL can't be changed, and a header likewise."""
    with talk(form) as talking:
        emulator = talking.emulator
        bare = emulator.url("ezmodel").replace(f"/ns/{emulator.name}", "")
        for headers in (
            {"authorization": f"Bearer {emulator.api_key}"},
            {"x-emulator-namespace": emulator.name},
        ):
            answer = talking.ask_at("POST", f"{bare}/v1/videos", {"prompt": "a", "model": "m"}, **headers)
            assert f"/ns/{emulator.name}/" in answer.text or emulator.tasks.list().total
        assert emulator.tasks.list().total == 2


def test_another_world_is_spoken_to_by_name(form: Form) -> None:
    """With URLs and a key of its own; it is made when it is first named, and dropped by hand."""
    with form.emulator() as emulator, form.client(emulator) as http:
        other = emulator.namespace(f"{emulator.name}-other")
        try:
            url = other.url("octopusx")
            assert url == emulator.url("octopusx").replace(emulator.name, f"{emulator.name}-other")
            assert http.post(f"{url}/v1/videos", json={"prompt": "a", "model": "m"}).status_code == 200
            assert (other.tasks.list().total, emulator.tasks.list().total) == (1, 0)
            assert other.api_key == f"sk-ns-{emulator.name}-other--emulator-test-key"
        finally:
            assert emulator.namespaces.drop(f"{emulator.name}-other").dropped


def test_a_world_begins_anew(form: Form, plain: Form) -> None:
    """As it was told to begin, again and again: the same calls have the same answers."""

    def twice(one: Form) -> Any:
        with talk(one, "flaky-polls") as talking:
            for _ in range(2):
                poll(talking, "ezmodel", create(talking, "ezmodel"))
                talking.emulator.clock.advance("1h")
                assert talking.emulator.reset().reset
                assert talking.emulator.requests().count() == 0
            return talking.heard

    first, second = (said := twice(form))[:2], said[2:]
    assert first == second
    assert said == twice(plain)


# Scenarios


def test_a_scenario_with_mistakes_is_refused(form: Form, plain: Form) -> None:
    """All of them, in the words of the command line; the world stays as it is."""
    texts = []
    for one in (form, plain):
        with one.emulator("slow-queue") as emulator:
            with pytest.raises(BadRequest) as refused:
                emulator.scenarios.post(MISTAKEN, activate=True)
            assert emulator.scenarios.active().name == "slow-queue"
        assert [mistake.line for mistake in refused.value.mistakes] == [3, 3, 4]
        with pytest.raises(BadRequest) as at_once:
            one.emulator(MISTAKEN)
        assert str(at_once.value) == str(refused.value)
        texts.append(str(refused.value))
    assert texts[0] == texts[1]
    assert "did you mean 'poll'?" in texts[0]


def test_scenarios_are_exchanged(form: Form) -> None:
    """Posted, put in force, read again; tasks keep theirs."""
    with talk(form) as talking:
        scenarios = talking.emulator.scenarios
        before = create(talking, "ezmodel")
        scenarios.post(
            {"version": 1, "name": "dead", "tasks": [{"timeline": [{"status": "failed"}]}]}, activate=True
        )
        after = create(talking, "ezmodel")
        assert scenarios.get("dead").origin == "posted"
        assert poll(talking, "ezmodel", after).json()["status"] == "failed"
        assert poll(talking, "ezmodel", before).json()["status"] != "failed"
        with pytest.raises(NotFound, match="did you mean slow-queue"):
            scenarios.activate("slow-queu")


# Events


def test_events_come_as_they_happen(form: Form) -> None:
    """Of all kinds, in their order, until the world is gone."""
    with talk(form) as talking:
        emulator = talking.emulator
        with emulator.events() as events:
            create(talking, "octopusx")
            request = next(event for event in events if isinstance(event, RequestEvent))
            emulator.scenarios.activate("slow-queue")
            assert isinstance(next(events), ScenarioEvent)
            emulator.clock.advance("1h")
            changes = [next(events) for _ in range(3)]
            emulator.reset()
            assert isinstance(next(events), ResetEvent)
            emulator.namespaces.drop(emulator.name)
            assert [type(event) for event in events] == [ScenarioEvent, DroppedEvent]
    assert request.operation == "create"
    assert [type(change) for change in changes] == [TaskChange, TaskChange, ClockEvent]


def test_events_are_refused_as_calls_are(form: Form) -> None:
    """With what was wrong."""
    with form.emulator() as emulator:
        with pytest.raises(BadRequest, match="types"), emulator.events(["clocks"]):  # type: ignore[list-item]
            pass
        with emulator.events("clock") as one, emulator.events("clock") as other:
            emulator.clock.advance("1m")
            assert next(one) == next(other)
        emulator.clock.advance("1m")
        assert emulator.ready().ready
