"""Keys that expire at an instant of the clock, and keys without credit: each operation, in each provider's words."""

import pytest

from emulator.core.units import MINUTE
from emulator.core.words import Profile
from tests.worlds import KEY, Answer, World

PROVIDERS = ("acedata-sora", "acedata-veo", "octopusx", "ezmodel")
TASK = "tasks: [{id: t, timeline: [{status: completed}]}]\n"
EXPIRES = f"version: 1\nauth: {{reject: [{{key: sk-test, since: start, between: 2m+, error: token_expired}}]}}\n{TASK}"
BROKE = f"version: 1\nauth: {{reject: [{{key: sk-test, error: insufficient_quota}}]}}\n{TASK}"

Told = tuple[int, str | None]
EXPIRED: dict[tuple[str, Profile], Told] = {
    # documents/000, documents/002: of the five codes the nearest. Fact sheet, guides: a code of its own.
    **{(name, Profile.DOCUMENTED): (401, "invalid_token") for name in PROVIDERS[:2]},
    **{(name, Profile.CURRENT): (401, "token_expired") for name in PROVIDERS[:2]},
    # Our choice in `documented`; the gateway has one text without a code for every key that isn't good.
    **{(name, Profile.DOCUMENTED): (401, "token_expired") for name in PROVIDERS[2:]},
    **{(name, Profile.CURRENT): (401, "") for name in PROVIDERS[2:]},
}
OUT_OF_CREDIT: dict[tuple[str, Profile], Told] = {
    # documents/000, documents/002: of the five codes the nearest. Fact sheet, guides: 403 used_up.
    **{(name, Profile.DOCUMENTED): (429, "too_many_requests") for name in PROVIDERS[:2]},
    **{(name, Profile.CURRENT): (403, "used_up") for name in PROVIDERS[:2]},
    ("octopusx", Profile.DOCUMENTED): (403, "insufficient_user_quota"),
    ("ezmodel", Profile.DOCUMENTED): (403, "insufficient_quota"),
    # Fact sheet, gateway's source.
    **{(name, Profile.CURRENT): (403, "insufficient_user_quota") for name in PROVIDERS[2:]},
}


def calls(world: World, provider: str) -> dict[str, Answer]:
    """One call of each operation that asks for a key."""
    if provider.startswith("acedata"):
        service = f"/{provider.removeprefix('acedata-')}"
        return {
            "create": world.post(f"{service}/videos", {"prompt": "a cat", "async": True}),
            "poll": world.post(f"{service}/tasks", {"action": "retrieve", "id": "t"}),
            "batch": world.post(f"{service}/tasks", {"action": "retrieve_batch", "ids": ["t"]}),
        }
    base = f"/{provider}/v1/videos"
    return {
        "create": world.post(base, {"prompt": "a cat"}),
        "poll": world.get(f"{base}/t"),
        "content": world.get(f"{base}/t/content"),
    }


def told(answer: Answer) -> Told:
    """Status code, and the code in the body if its shape has one."""
    body = answer.json()
    return answer.status_code, body.get("error", body).get("code")


def expected(provider: str, profile: Profile, operation: str, of: dict[tuple[str, Profile], Told]) -> Told:
    """What the tables say; the gateway's content route words what its handlers refuse without a code."""
    code, word = of[provider, profile]
    if operation == "content" and profile is Profile.CURRENT and word:
        return code, None
    return code, word


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_expires_at_its_instant_for_every_operation(provider: str, profile: Profile) -> None:
    """Two minutes after the activation: a microsecond before, all is well."""
    world = World(EXPIRES, profile=profile)
    world.advance(2 * MINUTE - 1)
    assert {answer.status_code for answer in calls(world, provider).values()} == {200}
    world.advance(1)
    for operation, answer in calls(world, provider).items():
        assert told(answer) == expected(provider, profile, operation, EXPIRED), operation


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_key_without_credit_is_told_so(provider: str, profile: Profile) -> None:
    """Whatever it asks for, unless the scenario names the operation."""
    world = World(BROKE, profile=profile)
    for operation, answer in calls(world, provider).items():
        assert told(answer) == expected(provider, profile, operation, OUT_OF_CREDIT), operation


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_link_outlives_the_key(provider: str, profile: Profile) -> None:
    """It is judged by its signature, whatever became of the key that asked for it."""
    world = World(EXPIRES, profile=profile)
    body = calls(world, provider)["poll"].body.decode()
    begin = body.index("/media/")
    path = body[begin : body.index('"', begin)]
    world.advance(3 * MINUTE)
    assert [world.get(path, headers=headers).status_code for headers in ({}, KEY)] == [200, 200]
