"""Selections of requests, and the report as an assertion."""

import asyncio
import pickle
import threading
from collections.abc import Iterator
from itertools import count
from typing import Final

import pytest

from emulator import AsyncClient, Client
from emulator.client import BadRequest, NotWellBehaved
from tests.serving import Served, thread
from tests.worlds import World

NAMES: Final = map("world-{}".format, count())
"""Of namespaces: each test has one of its own."""


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


def videos(server: Served, client: Client) -> str:
    """Where the videos of OctopusX are in the client's namespace."""
    return f"{client.url('octopusx').removeprefix(server.url)}/v1/videos"


def create(server: Served, client: Client) -> str:
    """The id of a task that a client of OctopusX made."""
    answer = server.post(videos(server, client), {"model": "sora-2", "prompt": "a cat"})
    task: str = answer.json()["id"]
    return task


def poll(server: Served, client: Client, task: str) -> int:
    """One poll; the status code of its answer."""
    return server.get(f"{videos(server, client)}/{task}").status_code


def test_a_selection_is_what_fits_when_it_is_asked(server: Served, client: Client) -> None:
    """Not when it was made; the order is that in which the requests came."""
    polls, all_of_them = client.requests("poll"), client.requests()
    assert (polls.count(), polls.list(), all_of_them.count()) == (0, [], 0)
    task = create(server, client)
    assert [poll(server, client, name) for name in (task, "nobody", task)] == [200, 404, 200]
    assert (polls.count(), all_of_them.count()) == (3, 4)
    assert [entry.answer.status_code for entry in polls.list()] == [200, 404, 200]
    assert (polls.first().number, polls.last().number) == (2, 4)
    assert client.requests("create").first() == all_of_them.first()


def test_a_selection_is_narrowed(server: Served, client: Client) -> None:
    """By whatever `requests.list` is."""
    task = create(server, client)
    poll(server, client, task)
    poll(server, client, "nobody")
    requests = client.requests
    assert requests("poll", task=task).count() == 1
    assert requests("poll", status_code=404).count() == 1
    assert requests(provider="ezmodel").count() == 0
    assert requests(matched=False).count() == 0
    assert requests(after=2).first().number == 3
    assert requests("poll", before=3).last().number == 2


def test_what_is_not_there_is_told(client: Client) -> None:
    """With what was looked for."""
    selection = client.requests("poll", task="a")
    with pytest.raises(LookupError, match="no request came: task='a', operation='poll'"):
        selection.first()
    with pytest.raises(LookupError, match="no request came: of any kind"):
        client.requests().last()
    with pytest.raises(TimeoutError, match="no request came within 10ms: task='a', operation='poll'"):
        selection.wait("10ms")
    assert repr(selection) == "<requests: task='a', operation='poll'>"
    with pytest.raises(BadRequest, match="operation"):
        client.requests("pol").count()  # type: ignore[arg-type] # no operation


def test_more_than_a_page_is_counted(server: Served, client: Client) -> None:
    """A list has a thousand at most; the count is of all."""
    path = f"{videos(server, client)}/nobody".encode()
    with server.connect() as wire:
        for _ in range(1001):
            wire.send([b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path])
            wire.answer("GET")
    selection = client.requests("poll")
    assert selection.count() == 1001
    assert len(selection.list()) == 1000
    assert selection.last().number == 1001


def test_a_selection_is_waited_for(server: Served, client: Client) -> None:
    """It is answered with the first request that fits."""
    selection = client.requests("create")
    runner = threading.Thread(target=create, args=(server, client))
    runner.start()
    (entry,) = selection.wait("1m")
    runner.join()
    assert entry.operation == "create"
    assert [one.number for one in selection.wait()] == [entry.number]


def test_selections_of_an_event_loop(server: Served) -> None:
    """The same, awaited."""

    async def later() -> None:
        async with AsyncClient(server.url, namespace=next(NAMES)) as client:
            with Client(server.url, namespace=(await client.health()).namespace) as blocking:
                task = create(server, blocking)
                poll(server, blocking, task)
            selection = client.requests("poll", task=task)
            assert await selection.count() == 1
            assert (await selection.first()).number == (await selection.last()).number == 2
            assert [entry.number for entry in await selection.wait("1m")] == [2]
            assert len(await client.requests().list()) == 2

    asyncio.run(later())


# The report as an assertion


def test_a_client_that_behaves_well(server: Served, client: Client) -> None:
    """Its report comes back; that it isn't done yet is no fault."""
    task = create(server, client)
    client.clock.advance("1h")
    poll(server, client, task)
    report = client.assert_well_behaved()
    assert report.verdict != "failed"
    assert not report.failed


def test_a_client_that_does_not(server: Served, client: Client) -> None:
    """The failure is an `AssertionError` that reads as the report does, and has it."""
    task = create(server, client)
    client.clock.advance("1h")
    for _ in range(3):
        poll(server, client, task)
    expect = {"poll": {"after_terminal": 0}}
    with pytest.raises(AssertionError) as failed:
        client.assert_well_behaved(expect)
    problem = failed.value
    assert isinstance(problem, NotWellBehaved)
    assert problem.report.verdict == "failed"
    assert str(problem).strip() == client.report_text(expect, unfinished=True).strip()
    again = pickle.loads(pickle.dumps(problem))  # noqa: S301 - our own
    assert str(again) == str(problem)


def test_what_is_judged_can_be_narrowed(server: Served, client: Client) -> None:
    """To a task, or to what came after a request."""
    good, bad = create(server, client), create(server, client)
    client.clock.advance("1h")
    for task in (good, bad, bad):
        poll(server, client, task)
    expect = {"poll": {"after_terminal": 0}}
    with pytest.raises(NotWellBehaved):
        client.assert_well_behaved(expect)
    assert client.assert_well_behaved(expect, task=good).verdict != "failed"
    assert client.assert_well_behaved(expect, after=5).verdict != "failed"


def test_a_result_that_nobody_fetched_counts_once_the_client_is_done(server: Served, client: Client) -> None:
    """An assertion in the middle of a test takes it that the client isn't."""
    task = create(server, client)
    client.clock.advance("1h")
    poll(server, client, task)
    client.assert_well_behaved()
    verdicts = [
        {check.id: check.verdict for check in client.report(unfinished=unfinished).checks}
        for unfinished in (True, False)
    ]
    assert verdicts[0] != verdicts[1]
    with pytest.raises(NotWellBehaved):
        client.assert_well_behaved({"download": {"at_least": 1}})
