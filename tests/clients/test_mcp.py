"""`mcp-sora` and `mcp-veo`, Ace Data Cloud's own servers for language models, as clients of the emulator.

They run as their hosts run them: as programs of their own, spoken to over their standard streams. What a model reads is
what the tests read. Both send ``async: true`` with every create.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from emulator.core.scenario import ClockSettings
from emulator.core.words import Profile
from tests import serving
from tests.worlds import START, World

# The program as it is installed, but for its pause of five seconds after each look at an unfinished task.
PROGRAM: Final = """
import asyncio
pause = asyncio.sleep
asyncio.sleep = lambda delay, *result: pause(0, *result)
import main
main.main()
"""
CREATES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "sora": ("sora_generate_video", {"prompt": "a cat", "duration": 10, "orientation": "portrait"}),
    "veo": ("veo_text_to_video", {"prompt": "a cat", "aspect_ratio": "9:16"}),
}
AUTO: Final = ClockSettings(mode="auto", start=START)
"""Polls move the clock: what a model would wait for takes as many looks as there are statuses."""

Call = Callable[[str, dict[str, Any]], Awaitable[str]]
services = pytest.mark.parametrize("service", CREATES)
profiles = pytest.mark.parametrize("profile", Profile)


def drive(service: str, world: World, act: Callable[[Call], Awaitable[None]], key: str = "sk-test") -> None:
    """Let the server of a service run against a world, and a host call its tools."""
    # Here, since they are slow to import and nobody else needs them.
    from mcp import ClientSession, StdioServerParameters  # noqa: PLC0415
    from mcp.client.stdio import stdio_client  # noqa: PLC0415
    from mcp.types import TextContent  # noqa: PLC0415

    async def run(url: str) -> None:
        installed = Path(sys.prefix) / f"mcp-{service}"
        assert installed.is_dir(), "run `make .venv/.dev`: it installs the two servers"
        environment = {
            "PYTHONPATH": str(installed),
            "ACEDATACLOUD_API_BASE_URL": f"{url}/acedata",
            "ACEDATACLOUD_API_TOKEN": key,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
        }
        program = StdioServerParameters(command=sys.executable, args=["-c", PROGRAM], env=environment)
        async with stdio_client(program) as streams, ClientSession(*streams) as session:
            await session.initialize()

            async def call(tool: str, arguments: dict[str, Any]) -> str:
                (said,) = (await session.call_tool(tool, arguments)).content
                assert isinstance(said, TextContent)
                return said.text

            await act(call)

    with serving.thread(world.app) as served:
        asyncio.run(run(served.url))


async def created(call: Call, service: str) -> str:
    """The task that a create made."""
    tool, arguments = CREATES[service]
    answer = json.loads(await call(tool, arguments))
    assert answer["mcp_async_submission"]["should_poll"] is True
    return str(answer["task_id"])


async def waited_for(call: Call, service: str, task: str) -> tuple[dict[str, Any], int]:
    """The record of a task that has ended, and how many looks it took."""
    looks = 0
    while True:
        looks += 1
        record: dict[str, Any] = json.loads(await call(f"{service}_get_task", {"task_id": task}))
        if not record["mcp_task_polling"]["should_poll"]:
            return record, looks
        assert looks < 10


@services
@profiles
def test_it_creates_and_waits(service: str, profile: Profile) -> None:
    """The server tells its model to go on until the video is there, and then to stop."""
    world = World(clock=AUTO, profile=profile)

    async def act(call: Call) -> None:
        task = await created(call, service)
        record, looks = await waited_for(call, service, task)
        assert (record["id"], looks) == (task, 3)
        assert record["mcp_task_polling"]["is_complete"] is True
        assert record["request"]["prompt"] == "a cat"
        (video,) = record["response"]["data"]
        assert video["state"] == "succeeded"
        assert "/media/" in video["video_url"]

    drive(service, world, act)
    operations = [record.operation for record in world.namespace.journal]
    assert operations == ["create", "poll", "poll", "poll"]


@services
@profiles
def test_it_asks_for_several(service: str, profile: Profile) -> None:
    """A batch shows every task that was asked for."""
    world = World(profile=profile)

    async def act(call: Call) -> None:
        tasks = [await created(call, service) for _ in range(3)]
        world.advance(60_000_000)
        told = await call(f"{service}_get_tasks_batch", {"task_ids": tasks})
        for task in tasks:
            assert task in told
        assert told.count("/media/") == len(tasks)

    drive(service, world, act)


@services
@profiles
def test_it_tells_of_a_failure(service: str, profile: Profile) -> None:
    """Why the task failed, and that there is nothing to wait for any more."""
    text = """
        version: 1
        tasks:
          - timeline:
              - {status: queued, for: 2s}
              - {status: failed, error: {code: api_error, message: Nobody would watch it}}
    """

    async def act(call: Call) -> None:
        record, _ = await waited_for(call, service, await created(call, service))
        assert record["mcp_task_polling"]["is_failed"] is True
        assert record["response"]["error"] == {"code": "api_error", "message": "Nobody would watch it"}

    drive(service, World(text, clock=AUTO, profile=profile), act)


@services
def test_it_tells_of_a_refused_key(service: str) -> None:
    """In the words of the provider."""

    async def act(call: Call) -> None:
        tool, arguments = CREATES[service]
        assert "The specified token is invalid or wrong." in await call(tool, arguments)

    drive(service, World("unauthorized"), act, key="sk-bad-1")


@profiles
def test_veo_asks_for_a_larger_version(profile: Profile) -> None:
    """`veo_get_1080p` names the video by its id: the new task's video has the same one, and another link."""
    world = World(profile=profile)

    async def act(call: Call) -> None:
        task = await created(call, "veo")
        world.advance(60_000_000)
        (video,) = (await waited_for(call, "veo", task))[0]["response"]["data"]
        larger = json.loads(await call("veo_get_1080p", {"video_id": video["id"]}))["task_id"]
        world.advance(60_000_000)
        (kept,) = (await waited_for(call, "veo", larger))[0]["response"]["data"]
        assert larger != task
        assert kept["video_url"] != video["video_url"]
        assert {**kept, "video_url": ""} == {**video, "video_url": ""}

    drive("veo", world, act)
