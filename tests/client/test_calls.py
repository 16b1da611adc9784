"""Every call of both clients, against a real server; and every route of the control API has a call."""

import asyncio
import inspect
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, assert_type, get_type_hints

import msgspec
import pytest

from emulator import AsyncClient, Client
from emulator.app import App
from emulator.client.calls import Subject, query_text
from emulator.client.events import Event
from emulator.client.requests import Filters
from emulator.control import ROUTES
from emulator.control.routes import PREFIX, Route
from emulator.library import Library
from emulator.messages.clock import Advance
from emulator.messages.health import Health
from emulator.messages.report import Report
from emulator.messages.requests import Entry
from emulator.messages.tasks import TaskList
from emulator.options import Options
from tests.serving import Served, thread
from tests.worlds import World

SLOW: Final = (
    "version: 1\nname: slow\ntasks: [{timeline: [{status: queued, for: 1h}, {status: completed}]}]\n"
)
ROUTE_BY_NAME: Final = {f"{route.method} {route.path}": route for route in ROUTES}
NAMES: Final = map("world-{}".format, count())
"""Of namespaces: each test has one of its own."""


class Watched(App):
    """An emulator that notes which calls of the control API came."""

    def __init__(self, library: Library, options: Options) -> None:
        super().__init__(library, options)
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Note, and answer."""
        _, prefix, path = scope["path"].partition(PREFIX)
        if prefix:
            self.asked.append(_route_of(scope["method"], path))
        await super().__call__(scope, receive, send)


def _route_of(method: str, path: str) -> str:
    """The first route that has this method and path, as the router would take it."""
    for route in ROUTES:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route.path))
        if route.method == method and re.fullmatch(pattern, path):
            return f"{route.method} {route.path}"
    return f"{method} {path}"


@pytest.fixture(scope="module")
def app() -> Watched:
    """An emulator whose clocks stand still."""
    world = World()
    return Watched(world.app.library, world.app.options)


@pytest.fixture(scope="module")
def server(app: Watched) -> Iterator[Served]:
    """It, on a socket."""
    with thread(app) as served:
        yield served


@pytest.fixture
def url(server: Served) -> str:
    """Its URL."""
    return server.url


def task_in(server: Served, namespace: str) -> str:
    """The id of a queued task that a client has made in a namespace."""
    answer = server.post(f"/ns/{namespace}/octopusx/v1/videos", {"model": "sora-2", "prompt": "a cat"})
    task: str = answer.json()["id"]
    return task


class Case(msgspec.Struct, frozen=True):
    """A call, and the route that it reaches."""

    route: str
    ask: Callable[[Any, str], Any]
    """Of a client and the id of a queued task of its namespace."""


def _one_event(client: Any, _task: str) -> Any:
    """The event of a clock that is told to stand still."""
    if isinstance(client, Client):
        with client.events(["clock"]) as events:
            client.clock.freeze()
            return next(events)

    async def later() -> Event:
        async with client.events(["clock"]) as events:
            await client.clock.freeze()
            return await anext(events)

    return later()


def _after(first: Callable[[Any], Any], then: Callable[[Any], Any]) -> Callable[[Any, str], Any]:
    """A call that another one has to go before."""

    def ask(client: Any, _task: str) -> Any:
        if isinstance(client, Client):
            first(client)
            return then(client)

        async def later() -> Any:
            await first(client)
            return await then(client)

        return later()

    return ask


CASES: Final[dict[str, list[Case]]] = {
    "health": [Case("GET /health", lambda c, _: c.health())],
    "ready": [Case("GET /ready", lambda c, _: c.ready())],
    "clock.state": [Case("GET /clock", lambda c, _: c.clock.state())],
    "clock.now": [Case("GET /clock", lambda c, _: c.clock.now())],
    "clock.freeze": [Case("POST /clock/freeze", lambda c, _: c.clock.freeze())],
    "clock.set": [Case("POST /clock/set", lambda c, _: c.clock.set(datetime(2030, 1, 1, tzinfo=UTC)))],
    "clock.advance": [Case("POST /clock/advance", lambda c, _: c.clock.advance("5m"))],
    "clock.advance_to_next": [Case("POST /clock/advance", lambda c, _: c.clock.advance_to_next())],
    "clock.scale": [Case("POST /clock/scale", lambda c, _: c.clock.scale(60))],
    "clock.resume": [Case("POST /clock/resume", lambda c, _: c.clock.resume())],
    "clock.auto": [Case("POST /clock/auto", lambda c, _: c.clock.auto())],
    "clock.change": [Case("PUT /clock", lambda c, _: c.clock.change(mode="scaled", scale=2.5))],
    "clock.reset": [Case("POST /clock/reset", lambda c, _: c.clock.reset())],
    "scenarios.list": [Case("GET /scenarios", lambda c, _: c.scenarios.list())],
    "scenarios.active": [Case("GET /scenarios/active", lambda c, _: c.scenarios.active())],
    "scenarios.activate": [Case("PUT /scenarios/active", lambda c, _: c.scenarios.activate("slow-queue"))],
    "scenarios.get": [Case("GET /scenarios/{name}", lambda c, _: c.scenarios.get("happy-path"))],
    "scenarios.post": [Case("POST /scenarios", lambda c, _: c.scenarios.post(SLOW))],
    "scenarios.put": [Case("PUT /scenarios/{name}", lambda c, _: c.scenarios.put("slow", SLOW))],
    "scenarios.delete": [
        Case(
            "DELETE /scenarios/{name}",
            _after(lambda c: c.scenarios.post(SLOW), lambda c: c.scenarios.delete("slow")),
        )
    ],
    "tasks.list": [Case("GET /tasks", lambda c, _: c.tasks.list(status="queued"))],
    "tasks.get": [Case("GET /tasks/{id}", lambda c, task: c.tasks.get(task))],
    "tasks.create": [Case("POST /tasks", lambda c, _: c.tasks.create("ezmodel", status="processing"))],
    "tasks.advance": [Case("POST /tasks/{id}/advance", lambda c, task: c.tasks.advance(task))],
    "tasks.complete": [Case("POST /tasks/{id}/complete", lambda c, task: c.tasks.complete(task))],
    "tasks.fail": [Case("POST /tasks/{id}/fail", lambda c, task: c.tasks.fail(task, "internal"))],
    "tasks.cancel": [Case("POST /tasks/{id}/cancel", lambda c, task: c.tasks.cancel(task))],
    "tasks.patch": [Case("PATCH /tasks/{id}", lambda c, task: c.tasks.patch(task, progress=7))],
    "requests.list": [Case("GET /requests", lambda c, _: c.requests.list(operation="create"))],
    "requests.wait": [Case("GET /requests", lambda c, _: c.requests.wait("1s", operation="create"))],
    "requests.get": [Case("GET /requests/{number}", lambda c, _: c.requests.get(1))],
    "requests.canonical": [Case("GET /requests", lambda c, _: c.requests.canonical())],
    "requests.clear": [Case("DELETE /requests", lambda c, _: c.requests.clear())],
    "namespaces.list": [Case("GET /namespaces", lambda c, _: c.namespaces.list())],
    "namespaces.get": [Case("GET /namespaces/{name}", lambda c, _: c.namespaces.get("default"))],
    "namespaces.create": [Case("POST /namespaces", lambda c, _: c.namespaces.create(seed=7))],
    "namespaces.drop": [
        Case(
            "DELETE /namespaces/{name}",
            _after(lambda c: c.namespaces.create("gone"), lambda c: c.namespaces.drop("gone")),
        )
    ],
    "reset": [Case("POST /reset", lambda c, _: c.reset())],
    "verify": [Case("POST /verify", lambda c, _: c.verify(operation="create", exactly=1))],
    "report": [
        Case("GET /report", lambda c, _: c.report()),
        Case("POST /report", lambda c, _: c.report({"poll": {"min_interval": "2s"}}, clock="emulator")),
    ],
    "report_text": [
        Case("GET /report", lambda c, task: c.report_text(task=task)),
        Case("POST /report", lambda c, task: c.report_text({}, task=task)),
    ],
    "report_junit": [
        Case("GET /report", lambda c, _: c.report_junit(after=0)),
        Case("POST /report", lambda c, _: c.report_junit({}, after=0)),
    ],
    "assert_well_behaved": [
        Case("GET /report", lambda c, task: c.assert_well_behaved(task=task)),
        Case("POST /report", lambda c, _: c.assert_well_behaved({"poll": {"min_interval": "2s"}})),
    ],
    "coverage": [Case("GET /coverage", lambda c, _: c.coverage(scenarios="all"))],
    "coverage_text": [Case("GET /coverage", lambda c, _: c.coverage_text(namespace="default"))],
    "clear_coverage": [Case("DELETE /coverage", lambda c, _: c.clear_coverage())],
    "providers.openapi": [
        Case("GET /providers/{name}/openapi.json", lambda c, _: c.providers.openapi("octopusx"))
    ],
    "metrics": [Case("GET /metrics", lambda c, _: c.metrics())],
    "events": [Case("GET /events", _one_event)],
}
"""By the names of the clients' methods."""
EACH: Final = [
    pytest.param(case, id=f"{name} {case.route}") for name, cases in CASES.items() for case in cases
]


def methods_of(subject: Any, before: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """The calls of a client and of its subjects, with their names."""
    for name in dir(subject):
        if name.startswith("_") or name == "api_key":
            continue
        value = getattr(subject, name)
        if isinstance(value, Subject):
            yield from methods_of(value, f"{name}.")
        else:
            yield f"{before}{name}", value


@pytest.mark.parametrize("case", EACH)
def test_both_clients_make_each_call(case: Case, app: Watched, server: Served) -> None:
    """It reaches its route, and what it answers is of one type."""
    name = next(NAMES)
    with Client(server.url, namespace=name) as client:
        task = task_in(server, name)
        app.asked.clear()
        answered = case.ask(client, task)
        assert case.route in app.asked
    app.asked.clear()

    async def later() -> Any:
        name = next(NAMES)
        async with AsyncClient(server.url, namespace=name) as client:
            return await case.ask(client, task_in(server, name))

    assert type(asyncio.run(later())) is type(answered)
    assert case.route in app.asked


def test_every_route_has_a_call() -> None:
    """Both ways; the description of the routes is for other languages' clients."""
    reached = {case.route for cases in CASES.values() for case in cases}
    assert reached == set(ROUTE_BY_NAME) - {"GET /openapi.json"}


def test_every_method_is_a_call_that_is_tested() -> None:
    """But for those that speak to nobody."""
    with Client() as client:
        named = {name for name, _ in methods_of(client)}
    assert named - {"namespace", "close", "url"} == set(CASES)


def test_both_clients_have_the_same_methods() -> None:
    """With the same parameters, down to how they are made."""
    with Client() as client:
        blocking = dict(methods_of(client))
    later = dict(methods_of(AsyncClient()))
    assert list(blocking) == list(later)
    for name, method in blocking.items():
        assert parameters(method) == parameters(later[name]), name
    assert parameters(Client.__init__) == parameters(AsyncClient.__init__)


def parameters(method: Callable[..., Any]) -> list[inspect.Parameter]:
    """What a method takes."""
    return list(inspect.signature(method).parameters.values())


def names_of(method: Callable[..., Any]) -> set[str]:
    """The names of what a method takes."""
    names: set[str] = set()
    for parameter in parameters(method):
        is_filters = parameter.kind is inspect.Parameter.VAR_KEYWORD
        names |= set(get_type_hints(Filters)) if is_filters else {parameter.name}
    return names


OF_A_METHOD: Final = {"format", "canonical"}
"""Fields that have a method each, rather than a parameter."""
OTHER_NAMES: Final = {"timeout": "wait"}
BODIES: Final = {"scenario"}
"""Parameters that are sent as a whole body."""


def test_every_field_can_be_given() -> None:
    """Each field of a route is a parameter of one of the methods that reach it."""
    taken = taken_by_methods()
    for name in set(ROUTE_BY_NAME) - {"GET /openapi.json"}:
        reaching = [method for method, cases in CASES.items() for case in cases if case.route == name]
        given = set().union(*(taken[method] for method in reaching))
        assert fields_of(ROUTE_BY_NAME[name]) - OF_A_METHOD <= given, name


def test_every_parameter_is_a_field() -> None:
    """Of one of the routes that the method reaches."""
    for name, taken in taken_by_methods().items():
        routes = [ROUTE_BY_NAME[case.route] for case in CASES[name]]
        known = set().union(*map(fields_of, routes), *(BODIES for route in routes if route.document))
        assert taken <= known, name


def taken_by_methods() -> dict[str, set[str]]:
    """By method, the fields that its parameters are sent as."""
    with Client() as client:
        return {
            name: {OTHER_NAMES.get(parameter, parameter) for parameter in names_of(method)}
            for name, method in methods_of(client)
            if name in CASES
        }


def fields_of(route: Route) -> set[str]:
    """The names of all that a route reads."""
    return {field.name for field in (*route.params, *route.query, *route.body)}


def test_a_query_is_written_as_the_description_has_it() -> None:
    """In the letters of JSON, and without what isn't asked for."""
    query = {"matched": True, "canonical": False, "limit": 5, "task": "a b&c", "since": None}
    assert query_text(query) == "?matched=true&canonical=false&limit=5&task=a+b%26c"
    assert query_text({"since": None}) == ""


def test_every_method_says_what_it_does() -> None:
    """Its docstring is there when it is asked for."""
    with Client() as client:
        for name, method in methods_of(client):
            assert inspect.getdoc(method), name


def types_of_both(client: Client, later: AsyncClient) -> None:
    """What type checkers see; mypy reads this, and nothing runs it."""
    assert_type(client.health(), Health)
    assert_type(client.clock.advance("5m"), Advance)
    assert_type(client.clock.now(), datetime)
    assert_type(client.metrics(), str)
    assert_type(client.namespace("t1").tasks.list(status="queued"), TaskList)
    assert_type(next(client.events()), Event)
    assert_type(client.requests("poll", task="a").count(), int)
    assert_type(client.requests().first(), Entry)
    assert_type(client.assert_well_behaved(), Report)

    async def awaited() -> None:
        assert_type(await later.health(), Health)
        assert_type(await later.clock.advance("5m"), Advance)
        assert_type(await later.namespace("t1").tasks.list(status="queued"), TaskList)
        assert_type(await anext(later.events()), Event)
        assert_type(await later.requests("poll").count(), int)
        assert_type(await later.requests("poll").wait("1s"), list[Entry])
        client.tasks.list(status="done")  # type: ignore[arg-type] # no status
        client.requests.list(operatio="poll")  # type: ignore[call-arg] # misspelt
        client.requests("pol")  # type: ignore[arg-type] # no operation
        client.requests("poll", taks="a")  # type: ignore[call-arg] # misspelt
        later.health()  # type: ignore[unused-coroutine] # not awaited
