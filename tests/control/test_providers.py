"""``GET /__admin/providers/{name}/openapi.json``: which document comes, and what isn't loaded before."""

import subprocess
import sys
from typing import Any

import pytest

from emulator.core.words import Profile
from emulator.providers import PROVIDERS
from tests.worlds import Answer, World


def asked(world: World, name: str, query: str = "", before: str = "") -> Answer:
    """The route's answer."""
    path = f"{before}/__admin/providers/{name}/openapi.json{query}"
    return world.call("GET", path, headers={}, host="localhost:8080")


def title(answer: Answer) -> str:
    """What the document is called."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    found: dict[str, Any] = answer.json()
    return str(found["info"]["title"])


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_each_provider_has_a_document(provider: Any, profile: Profile) -> None:
    """Of the profile that is asked for, below the provider's base path."""
    answer = asked(World(), provider.name, f"?profile={profile}")
    assert title(answer).endswith(f" ({profile})")
    assert answer.json()["servers"][0]["url"] == provider.base


def test_the_profile_in_force_is_the_one_that_is_left_out() -> None:
    """The server's; a scenario's goes before it, for the providers that it is about."""
    assert title(asked(World(), "ezmodel")).endswith("(documented)")
    assert title(asked(World(profile=Profile.CURRENT), "ezmodel")).endswith("(current)")
    world = World("version: 1\nprofile: current\nproviders: ezmodel\n")
    assert title(asked(world, "ezmodel")).endswith("(current)")
    assert title(asked(world, "octopusx")).endswith("(documented)")


def test_a_namespace_has_its_own() -> None:
    """It may have been made with another profile."""
    world = World()
    world.call("POST", "/__admin/namespaces", {"name": "n", "profile": "current"}, {}, "localhost:8080")
    assert title(asked(world, "octopusx", before="/ns/n")).endswith("(current)")
    assert title(asked(world, "octopusx")).endswith("(documented)")


@pytest.mark.parametrize("name", ["veo", "acedata", "gateway", "behaviours", "..%2Fcontracts%2Foctopusx"])
def test_an_unknown_provider_is_told_of(name: str) -> None:
    """With the names of those that there are; the files that several share are no providers."""
    answer = asked(World(), name)
    assert answer.status_code == 404
    assert answer.json()["names"] == [provider.name for provider in PROVIDERS]


def test_an_unknown_profile_is_told_of() -> None:
    """With those that there are."""
    answer = asked(World(), "octopusx", "?profile=curent")
    assert answer.status_code == 400
    assert "expected one of documented, current" in answer.json()["detail"]


def test_it_asks_for_the_token() -> None:
    """Where there is one, as the rest of the control API does."""
    assert asked(World(admin_token="secret-token"), "octopusx").status_code == 401


def test_nothing_of_it_is_loaded_before_it_is_asked_for() -> None:
    """Neither contracts nor what reads them; and the judgement's library never."""
    code = """
import sys
from tests.worlds import World
world = World()
world.call("GET", "/__admin/openapi.json", headers={}, host="localhost")
assert not [name for name in sys.modules if name.startswith("emulator.contracts")]
answer = world.call("GET", "/__admin/providers/octopusx/openapi.json", headers={}, host="localhost")
assert answer.status_code == 200
assert "jsonschema" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
