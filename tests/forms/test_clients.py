"""Clients of several kinds, in each form: of two libraries, with addresses built in, impatient, or for event loops."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx
import httpx2
import pytest
import trio

from emulator import AsyncEmulator, Emulator
from emulator.client import NotVerified
from emulator.messages.events import ClockEvent, DroppedEvent
from tests.forms.forms import KEY, PATIENCE, Form

SLOW: Final = {"version": 1, "rules": [{"operation": "poll", "delay": "60s"}]}
VIDEO: Final = {"model": "sora-2", "prompt": "a cat"}
LIBRARIES: Final = (httpx, httpx2)
HOSTS: Final = {
    "acedata-sora": "https://api.acedata.cloud",
    "acedata-veo": "https://api.acedata.cloud",
    "octopusx": "https://octopusx.ai",
    "ezmodel": "https://www.ezmodel.cloud",
}


def library_id(library: Any) -> str:
    """What pytest calls a library."""
    return str(library.__name__)


@pytest.mark.parametrize("library", LIBRARIES, ids=library_id)
def test_a_transport_leads_into_the_world(form: Form, library: Any) -> None:
    """Whichever host a client has built in; the provider is that host's."""
    with form.emulator() as emulator:
        transport = emulator.transport()
        with library.Client(transport=transport, base_url=HOSTS["octopusx"], headers=KEY) as http:
            made = http.post("/v1/videos", json=VIDEO).json()
        with library.Client(transport=transport, base_url=f"{HOSTS['acedata-sora']}/", headers=KEY) as http:
            sora = http.post("/sora/videos", json={**VIDEO, "async": True}).json()
            batch = http.post("/sora/tasks", json={"action": "retrieve_batch", "ids": [sora["task_id"]]})
        with library.Client(transport=transport, headers=KEY) as http:
            assert http.get(f"{HOSTS['ezmodel']}/v1/videos/{made['id']}").status_code == 404
            assert http.get(f"{HOSTS['octopusx']}/v1/videos/{made['id']}").json()["status"] == "queued"
            emulator.clock.advance("1h")
            done = http.get(f"{HOSTS['octopusx']}/v1/videos/{made['id']}").json()
            assert "octopusx.ai/" in done["video_url"]
            assert http.get(done["video_url"]).content[4:8] == b"ftyp"
        assert batch.json()["count"] == 1
        assert emulator.requests(provider="acedata-sora").count() == 2
        assert emulator.requests("download").count() == 1


@pytest.mark.parametrize("library", LIBRARIES, ids=library_id)
def test_a_transport_takes_the_worlds_own_urls(form: Form, library: Any) -> None:
    """And leaves a request where it is that names a world by itself."""
    with form.emulator() as emulator:
        other = emulator.namespace(f"{emulator.name}-other")
        with library.Client(transport=emulator.transport(), headers=KEY) as http:
            assert http.post(f"{emulator.url('ezmodel')}/v1/videos", json=VIDEO).status_code == 200
            assert http.post(f"{other.url('ezmodel')}/v1/videos", json=VIDEO).status_code == 200
            named = {"x-emulator-namespace": f"{emulator.name}-other"}
            assert http.post(f"{HOSTS['ezmodel']}/v1/videos", json=VIDEO, headers=named).status_code == 200
            keyed = {"authorization": "Bearer sk-ns-elsewhere--1"}
            assert http.post(f"{HOSTS['ezmodel']}/v1/videos", json=VIDEO, headers=keyed).status_code == 200
        assert (emulator.tasks.list().total, other.tasks.list().total) == (2, 2)
        emulator.namespaces.drop(f"{emulator.name}-other")


def test_a_body_comes_whole(form: Form) -> None:
    """In pieces, as a form, as nothing at all; a stream is read as a stream."""
    with form.emulator() as emulator:
        with httpx.Client(
            transport=emulator.transport(), base_url=emulator.url("octopusx"), headers=KEY
        ) as http:
            pieces = (part for part in (b'{"model": "sora-2", ', b'"prompt": "in pieces"}'))
            json = {"content-type": "application/json"}
            assert http.post("/v1/videos", content=pieces, headers=json).status_code == 200
            files = {"input_reference": ("a.png", b"\x89PNG" + bytes(1000), "image/png")}
            assert http.post("/v1/videos", data=VIDEO, files=files).status_code == 200
            assert http.post("/v1/videos").status_code >= 400
            emulator.clock.advance("1h")
            task = emulator.tasks.list().tasks[0].id
            with http.stream("GET", f"/v1/videos/{task}/content") as response:
                size = sum(map(len, response.iter_bytes()))
            assert size == int(response.headers["content-length"])
        prompts = [entry.request.body for entry in emulator.requests("create").list()]
        assert prompts[0]["prompt"] == "in pieces"


@pytest.mark.parametrize("library", LIBRARIES, ids=library_id)
def test_an_impatient_client_times_out(form: Form, library: Any) -> None:
    """As its own library says it does; the emulator has the request in its journal, and answers the next one."""
    with form.emulator(SLOW) as emulator:
        with library.Client(transport=emulator.transport(), timeout=0.05, headers=KEY) as http:
            made = http.post(f"{HOSTS['octopusx']}/v1/videos", json=VIDEO, timeout=PATIENCE).json()
            with pytest.raises(library.ReadTimeout) as failed:
                http.get(f"{HOSTS['octopusx']}/v1/videos/{made['id']}")
            assert failed.value.request.method == "GET"
            assert (
                http.post(f"{HOSTS['octopusx']}/v1/videos", json=VIDEO, timeout=PATIENCE).status_code == 200
            )
        assert emulator.requests("poll").count() == 1


@pytest.mark.parametrize("library", LIBRARIES, ids=library_id)
@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_clients_of_event_loops(form: Form, library: Any, run: Any) -> None:
    """Through a transport, on asyncio and on trio: answered, timed out, side by side."""

    async def live() -> None:
        with form.emulator(SLOW) as emulator:
            async with library.AsyncClient(
                transport=emulator.transport(), headers=KEY, timeout=PATIENCE
            ) as http:
                answer = await http.post(f"{HOSTS['ezmodel']}/v1/videos", json=VIDEO)
                assert answer.status_code == 200
                with pytest.raises(library.ReadTimeout):
                    await http.get(f"{HOSTS['ezmodel']}/v1/videos/{answer.json()['id']}", timeout=0.05)
                answer = await http.get(f"{HOSTS['ezmodel']}/v1/nothing")
                assert answer.status_code == 404
            assert emulator.requests().count() == 3

    run(live) if run is trio.run else run(live())


@pytest.mark.parametrize("is_trio", [False, True], ids=["asyncio", "trio"])
def test_a_client_that_is_cancelled(form: Form, is_trio: bool) -> None:
    """It stops waiting at once, and the emulator goes on."""

    async def live() -> None:
        with form.emulator(SLOW) as emulator:
            async with httpx.AsyncClient(
                transport=emulator.transport(), headers=KEY, timeout=PATIENCE
            ) as http:
                url = f"{HOSTS['ezmodel']}/v1/videos"
                task = (await http.post(url, json=VIDEO)).json()["id"]
                if is_trio:
                    with trio.move_on_after(0.05) as scope:
                        await http.get(f"{url}/{task}")
                    assert scope.cancelled_caught
                else:
                    with pytest.raises(TimeoutError):
                        async with asyncio.timeout(0.05):
                            await http.get(f"{url}/{task}")
                assert (await http.post(url, json=VIDEO)).status_code == 200
            assert emulator.requests("poll").count() == 1

    trio.run(live) if is_trio else asyncio.run(live())


# The emulator itself, awaited


async def converse(emulator: AsyncEmulator, http: httpx.AsyncClient) -> None:
    """All that a test asks, awaited."""
    url = emulator.url("octopusx")
    task = (await http.post(f"{url}/v1/videos", json=VIDEO)).json()["id"]
    async with emulator.events(["clock"]) as events:
        await emulator.clock.advance("1h")
        assert isinstance(await anext(events), ClockEvent)
    assert (await http.get(f"{url}/v1/videos/{task}")).json()["status"] == "completed"
    polls = emulator.requests("poll", task=task)
    assert await polls.count() == 1
    assert (await polls.first()).answer.status_code == 200
    assert len(await polls.wait("1s")) == 1
    await emulator.verify(operation="create", exactly=1)
    with pytest.raises(NotVerified):
        await emulator.verify(operation="create", exactly=2)
    assert (await emulator.assert_well_behaved()).failed == 0
    other = emulator.namespace(f"{emulator.name}-other")
    assert (await other.health()).namespace == f"{emulator.name}-other"
    assert (await emulator.namespaces.drop(f"{emulator.name}-other")).dropped


# httpx2 leaves a stream that isn't read to its end to the garbage collector, at which trio warns.
@pytest.mark.filterwarnings("ignore:Async generator 'httpcore2:ResourceWarning")
@pytest.mark.filterwarnings("ignore:Async generator 'httpx2:ResourceWarning")
@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_an_emulator_is_awaited(form: Form, run: Any) -> None:
    """With ``async with``; nothing is left of it afterwards."""

    async def live() -> None:
        made = form.emulator()
        async with made as emulator:
            assert type(emulator) is AsyncEmulator
            assert emulator.name == made.name
            async with form.async_client(made) as http:
                await converse(emulator, http)
        with pytest.raises(RuntimeError, match="this emulator is closed"):
            await emulator.health()

    run(live) if run is trio.run else run(live())


def test_one_emulator_serves_both_kinds_of_tests(form: Form) -> None:
    """By `aio`, in one event loop after the other; its calls may overlap."""

    async def live(emulator: Emulator) -> list[int]:
        async with form.async_client(emulator) as http:
            url = f"{emulator.url('ezmodel')}/v1/videos"
            asked: list[Awaitable[Any]] = [http.post(url, json=VIDEO) for _ in range(5)]
            await asyncio.gather(*asked, *(emulator.aio.health() for _ in range(5)))
        return [await emulator.aio.requests().count(), emulator.requests().count()]

    with form.emulator() as emulator:
        assert [asyncio.run(live(emulator)) for _ in range(2)] == [[5, 5], [10, 10]]


def test_events_of_an_event_loop_end_with_the_world(form: Form) -> None:
    """Whoever waits for one more gets none."""

    async def live() -> None:
        async with form.emulator() as emulator:
            async with emulator.events() as events:
                listening = asyncio.ensure_future(_rest(events))
                await emulator.namespaces.drop(emulator.name)
                assert [type(event) for event in await listening] == [DroppedEvent]
            async with emulator.events() as events:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await anext(events)
            await emulator.ready()

    asyncio.run(live())


async def _rest(events: Any) -> list[Any]:
    return [event async for event in events]


def test_a_failure_tells_what_happened(form: Form, plain: Form) -> None:
    """As a note, whichever way the world is left."""

    def fail(emulator: Emulator, http: httpx.Client) -> None:
        http.post(f"{emulator.url('ezmodel')}/v1/videos", json=VIDEO)
        raise ZeroDivisionError("mine")

    def blocking(one: Form) -> BaseException:
        with (
            pytest.raises(ZeroDivisionError) as failed,
            one.emulator("slow-queue") as emulator,
            one.client(emulator) as http,
        ):
            fail(emulator, http)
        return failed.value

    def awaited(one: Form) -> BaseException:
        async def live() -> None:
            async with (made := one.emulator("slow-queue")):
                with one.client(made) as http:
                    fail(made, http)

        with pytest.raises(ZeroDivisionError) as failed:
            asyncio.run(live())
        return failed.value

    ways: list[Callable[[Form], BaseException]] = [blocking, awaited]
    told = {note for way in ways for one in (form, plain) for note in way(one).__notes__}
    assert len(told) == 1
    (note,) = told
    assert "slow-queue" in note
    assert "POST" in note
