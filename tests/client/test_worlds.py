"""Whose world a client speaks about, and what it hands to providers' clients."""

import asyncio
from collections.abc import Iterator

import pytest

from emulator import AsyncClient, Client
from emulator.client import Conflict, NotFound
from emulator.providers import PROVIDERS
from tests.serving import Served, thread
from tests.worlds import World


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """An emulator whose clocks stand still."""
    with thread(World().app) as served:
        yield served


@pytest.fixture
def fresh() -> Iterator[Served]:
    """One that nobody has spoken to."""
    with thread(World().app) as served:
        yield served


def test_each_client_has_the_namespace_that_it_names(fresh: Served) -> None:
    """What one does, the other doesn't see."""
    with Client(fresh.url, namespace="one") as one, Client(fresh.url) as default:
        two = one.namespace("two")
        one.clock.advance("1h")
        two.scenarios.activate("slow-queue")
        named = [client.health() for client in (one, two, one.namespace(None), default)]
    assert [health.namespace for health in named] == ["one", "two", "default", "default"]
    assert [health.clock.now[11:13] for health in named] == ["01", "00", "00", "00"]
    assert [health.scenario for health in named] == ["happy-path", "slow-queue", "happy-path", "happy-path"]


@pytest.mark.parametrize("name", ["a", "..", ".", "a.b-c_d", "9" * 64])
def test_a_namespace_may_be_called_what_the_emulator_allows(server: Served, name: str) -> None:
    """Also where a path would take it for something else."""
    with Client(server.url, namespace=name) as client:
        assert client.health().namespace == name
        assert client.namespaces.get(name).name == name
        assert client.namespaces.drop(name).dropped
        with pytest.raises(NotFound):
            client.namespaces.get(name)


def test_looking_at_namespaces_makes_none(fresh: Served) -> None:
    """Nor does what else is about the whole emulator."""
    with Client(fresh.url, namespace="mine") as client:
        client.metrics()
        client.coverage()
        client.clear_coverage()
        assert client.namespaces.list().total == 1
        with pytest.raises(NotFound):
            client.namespaces.get("mine")
        with pytest.raises(NotFound):
            client.namespaces.drop("mine")
        assert client.namespaces.create("mine", seed=7).name == "mine"
        with pytest.raises(Conflict):
            client.namespaces.create("mine")


def test_a_client_of_another_namespace_shares_the_connections(server: Served) -> None:
    """Closing it leaves them open; closing the first ends both."""
    with Client(server.url) as client:
        with client.namespace("other") as other:
            other.ready()
        assert other.ready().ready
        assert client.ready().ready
    with pytest.raises(RuntimeError, match="closed"):
        other.ready()


def test_so_does_one_for_an_event_loop(server: Served) -> None:
    """In the same way."""

    async def later() -> None:
        async with AsyncClient(server.url) as client:
            async with client.namespace("other") as other:
                await other.ready()
            assert (await other.ready()).ready
            assert (await client.ready()).ready
        with pytest.raises(RuntimeError, match="closed"):
            await other.ready()

    asyncio.run(later())


CREATES = {
    "acedata-sora": "/sora/videos",
    "acedata-veo": "/veo/videos",
    "octopusx": "/v1/videos",
    "ezmodel": "/v1/videos",
}


@pytest.mark.parametrize("namespace", [None, "mine", ".."])
@pytest.mark.parametrize("provider", CREATES)
def test_its_urls_lead_to_providers_in_its_namespace(
    server: Served, namespace: str | None, provider: str
) -> None:
    """Whatever key a provider's client has."""
    with Client(server.url, namespace=namespace) as client:
        target = client.url(provider).removeprefix(server.url) + CREATES[provider]
        assert server.post(target, {"prompt": "a cat", "model": "sora-2", "async": True}).status_code == 200
        assert client.tasks.list(provider=provider).total == 1


def test_its_urls_are_those_that_the_emulator_tells(server: Served) -> None:
    """Of every provider that there is."""
    with Client(f"{server.url}/", namespace="told") as client:
        told = client.namespaces.create("told").base_urls
        assert {provider.name: client.url(provider.name) for provider in PROVIDERS} == told
        with pytest.raises(ValueError, match=r"expected one of acedata-sora, .* got 'sora'"):
            client.url("sora")


@pytest.mark.parametrize("namespace", [None, "mine"])
def test_its_key_leads_into_its_namespace(fresh: Served, namespace: str | None) -> None:
    """Whatever URL a provider's client has."""
    with Client(fresh.url, namespace=namespace) as client:
        headers = {"authorization": f"Bearer {client.api_key}"}
        assert fresh.post("/v1/videos", {"prompt": "a cat"}, headers=headers).status_code == 200
        assert client.tasks.list().total == 1
        assert client.requests.list().total == 1


def test_proxies_of_the_environment_are_for_the_world_outside(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emulator is asked itself."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with Client(server.url) as client:
        assert client.ready().ready
