"""The `acedatacloud` package as a client of AceData's two services, over real sockets."""

import asyncio
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from acedatacloud import AceDataCloud, AsyncAceDataCloud  # type: ignore[import-untyped] # ships no types
from acedatacloud._runtime import errors  # type: ignore[import-untyped]

from emulator.core.scenario import ClockSettings
from emulator.core.words import Profile
from tests import serving
from tests.worlds import START, World

SERVICES: Final = ["sora", "veo"]
AUTO: Final = ClockSettings(mode="auto", start=START)
"""Polls move the clock, so that waiting for the end takes as many polls as there are statuses."""
SOON: Final = {"poll_interval": 0.001}
"""In seconds; the package's own is three or five."""


@contextmanager
def client(
    scenario: str | None = None, *, key: str = "sk-test", path: str = "/acedata", **world: Any
) -> Iterator[AceDataCloud]:
    """A client whose base URL is AceData's at a server; nothing is tried twice."""
    with worldly(World(scenario, **{"clock": AUTO, **world}), key=key, path=path) as made:
        yield made


@contextmanager
def worldly(world: World, *, key: str = "sk-test", path: str = "/acedata") -> Iterator[AceDataCloud]:
    """The same over a world that the test knows."""
    with (
        serving.thread(world.app) as served,
        AceDataCloud(api_token=key, base_url=f"{served.url}{path}", max_retries=0) as made,
    ):
        yield made


def create(made: AceDataCloud, service: str, **fields: Any) -> Any:
    """What the package's general create gives for a task that isn't waited for."""
    return made.video.generate(provider=service, prompt="a cat", async_=True, **fields)


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("service", SERVICES)
def test_creates_and_waits_to_the_end(service: str, profile: Profile) -> None:
    """Unfinished twice, then succeeded, with a link that gives an MP4."""
    world = World(clock=AUTO, profile=profile)
    with worldly(world) as made:
        handle = create(made, service)
        record = handle.wait(**SOON)
        [url] = handle.urls()
        with urllib.request.urlopen(url) as video:  # noqa: S310 - a link of the server under test
            content = video.read()
    seen = [
        (record.operation, record.provider and record.provider.name) for record in world.namespace.journal
    ]
    assert seen == [
        *((operation, f"acedata-{service}") for operation in ("create", "poll", "poll", "poll")),
        ("download", f"acedata-{service}"),
    ]
    assert (record["id"], record["response"]["success"]) == (handle.id, True)
    assert record["request"] == {"prompt": "a cat", "async": True}
    assert record["response"]["data"][0]["video_url"] == url
    assert content[4:8] == b"ftyp"


@pytest.mark.parametrize("path", ["", "/acedata", "/"])
@pytest.mark.parametrize("service", SERVICES)
def test_one_call_creates_and_waits(service: str, path: str) -> None:
    """Under the base path, and at the root."""
    with client(path=path) as made:
        record = made.video.generate(provider=service, prompt="a cat", async_=True, wait=True, **SOON)
    assert record["response"]["data"][0]["state"] == "succeeded"


@pytest.mark.parametrize("fields", [{}, {"async_": False}])
@pytest.mark.parametrize("service", SERVICES)
def test_a_create_that_is_held_gives_the_videos_themselves(service: str, fields: dict[str, Any]) -> None:
    """What the package does unless it is told otherwise: one call, and its answer has the links."""
    world = World(clock=AUTO)
    with worldly(world) as made:
        answer = made.video.generate(provider=service, prompt="a cat", **fields)
    assert (answer["success"], answer["data"][0]["state"]) == (True, "succeeded")
    assert [record.operation for record in world.namespace.journal] == ["create"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_held_create_whose_task_fails_is_the_packages_exception(service: str) -> None:
    """With the task's own code."""
    with client("fail-midway") as made, pytest.raises(errors.APIError) as raised:
        made.video.generate(provider=service, prompt="a cat")
    assert raised.value.code == "api_error"


@pytest.mark.parametrize("service", SERVICES)
def test_a_batch_gives_every_task_in_its_order(service: str) -> None:
    """The package has no call for it; its clients send what its own calls are made of."""
    with client(clock=ClockSettings(mode="manual", start=START)) as made:
        ids = [create(made, service, negative=str(number)).id for number in range(3)]
        asked = {"action": "retrieve_batch", "ids": [*ids[::-1], ids[0]]}
        answer = made.video._transport.request("POST", f"/{service}/tasks", json=asked)  # noqa: SLF001 - as said
    assert [item["id"] for item in answer["items"]] == asked["ids"]
    assert answer["count"] == 4


def test_veos_own_resource_creates_and_the_tasks_resource_waits() -> None:
    """The package has a resource for Veo, and one for tasks of every service."""
    with client() as made:
        created = made.veo.generate(action="text2video", prompt="a cat", aspect_ratio="9:16", async_=True)
        record = made.tasks.wait(created["task_id"], service="veo", **SOON)
        known_to_sora = made.tasks.get(created["task_id"], service="sora")
    assert set(created) == {"task_id"}
    assert record["request"]["aspect_ratio"] == "9:16"
    assert record["response"]["success"] is True
    assert known_to_sora == {}


@pytest.mark.parametrize("service", SERVICES)
def test_a_failed_task_ends_the_wait(service: str) -> None:
    """With HTTP 200, `success: false`, the provider's code and message, and no link."""
    with client("fail-moderation", profile=Profile.CURRENT) as made:
        handle = create(made, service)
        record = handle.wait(**SOON)
    assert handle.done
    assert handle.urls() == []
    assert record["response"]["success"] is False
    assert set(record["response"]["error"]) == {"code", "message"}


@pytest.mark.parametrize("service", SERVICES)
def test_an_unfinished_task_has_no_link_and_no_end(service: str) -> None:
    """The package would take either for the result."""
    with client(clock=ClockSettings(mode="manual", start=START)) as made:
        handle = create(made, service)
        record = handle.get()
    assert "response" not in record
    assert not handle.done


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize(
    ("key", "codes"),
    [
        ("sk-nobody", {Profile.DOCUMENTED: "invalid_token", Profile.CURRENT: "invalid_token"}),
        ("sk-expired-1", {Profile.DOCUMENTED: "invalid_token", Profile.CURRENT: "token_expired"}),
    ],
)
def test_a_refused_key_is_the_packages_exception(
    service: str, profile: Profile, key: str, codes: dict[Profile, str]
) -> None:
    """At the create as at the poll, with the trace id."""
    with client("unauthorized", key=key, profile=profile) as made:
        calls: list[Callable[[], Any]] = [
            lambda: create(made, service),
            lambda: made.tasks.get("nobody", service=service),
        ]
        for call in calls:
            with pytest.raises(errors.AuthenticationError) as caught:
                call()
            assert (caught.value.status_code, caught.value.code) == (401, codes[profile])
            assert len(caught.value.trace_id) == 36


@pytest.mark.parametrize(
    ("profile", "error"),
    [(Profile.DOCUMENTED, errors.RateLimitError), (Profile.CURRENT, errors.InsufficientBalanceError)],
)
def test_an_account_without_credit_is_told_so(profile: Profile, error: type[Exception]) -> None:
    """By the code `used_up` in profile `current`; the documents have no code that is nearer than 429's."""
    with client("unauthorized", key="sk-broke-1", profile=profile) as made, pytest.raises(error):
        create(made, "sora")


@pytest.mark.parametrize(
    ("named", "error"),
    [
        ("rate_limited", errors.RateLimitError),
        ("token_mismatched", errors.TokenMismatchError),
        ("internal", errors.APIError),
    ],
)
def test_errors_are_the_packages_exceptions(named: str, error: type[Exception]) -> None:
    """Each by its code."""
    text = f"version: 1\ntasks: [{{id: t}}]\nrules:\n  - {{operation: poll, error: {named}}}\n"
    with client(text) as made, pytest.raises(error):
        made.tasks.get("t", service="sora")


@pytest.mark.parametrize("service", SERVICES)
def test_the_asynchronous_client_waits_to_the_end(service: str) -> None:
    """It is another transport."""

    async def run(url: str) -> Any:
        async with AsyncAceDataCloud(api_token="sk-test", base_url=url, max_retries=0) as made:
            return await made.video.generate(provider=service, prompt="a cat", async_=True, wait=True, **SOON)

    with serving.thread(World(clock=AUTO).app) as served:
        record = asyncio.run(run(f"{served.url}/acedata"))
    assert record["response"]["success"] is True


def test_a_word_in_the_prompt_chooses_the_scenario() -> None:
    """For clients that can't set a header."""
    with client() as made:
        handle = made.video.generate(prompt="a cat scenario:fail-midway", async_=True)
        record = handle.wait(**SOON)
    assert record["response"]["success"] is False
