"""Without pytest's fixtures: `Emulator` is a context manager, for unittest, scripts and notebooks.

These run under `python -m unittest`, too. It is an emulator in this process, whatever pytest is told: one that runs
elsewhere is `Emulator(url=...)`.
"""

import unittest

import httpx
import requests
from studio.acedata import AceData, link_in
from studio.gateway import Gateway
from studio.outcomes import GaveUp

from emulator import AsyncEmulator, Emulator


class Renders(unittest.TestCase):
    """One emulator for each test."""

    def setUp(self) -> None:
        """It goes when the test has ended, whichever way."""
        self.emulator = self.enterContext(Emulator(scenario="slow-queue", start="2026-01-01T00:00:00Z"))
        base_url = self.emulator.url("acedata-sora")
        self.ace = AceData("sora", self.emulator.api_key, base_url=base_url)

    def test_a_video_comes_after_five_minutes(self) -> None:
        """And not before."""
        task = self.ace.create("a cat")
        self.emulator.clock.advance("4m59s")
        self.assertIsNone(link_in(self.ace.look(task)))
        self.emulator.clock.advance("1s")
        link = link_in(self.ace.look(task))
        assert link is not None
        self.assertEqual(requests.get(link, timeout=30).content[4:8], b"ftyp")

    def test_our_client_waits_for_it(self) -> None:
        """In no time."""
        with self.emulator.fast_forward():
            self.assertEqual(self.ace.render("a cat")[4:8], b"ftyp")
        self.assertEqual(str(self.emulator.clock.now()), "2026-01-01 00:05:00+00:00")
        self.emulator.assert_well_behaved()


class AsyncRenders(unittest.IsolatedAsyncioTestCase):
    """The same on an event loop."""

    async def asyncSetUp(self) -> None:
        """`async with` gives an emulator whose calls are awaited."""
        made = Emulator({"version": 1, "tasks": [{"timeline": [{"status": "processing", "stuck": True}]}]})
        self.emulator: AsyncEmulator = await self.enterAsyncContext(made)
        base_url = f"{self.emulator.url('octopusx')}/v1"
        headers = {"authorization": f"Bearer {self.emulator.api_key}"}
        http = await self.enterAsyncContext(httpx.AsyncClient(base_url=base_url, headers=headers))
        self.videos = Gateway(http)

    async def test_a_stuck_task_is_given_up(self) -> None:
        """After ten minutes, with a poll every five seconds."""
        task = await self.videos.create("a cat")
        with self.emulator.fast_forward(), self.assertRaises(GaveUp):
            await self.videos.wait(task)
        polls = await self.emulator.requests("poll").count()
        self.assertTrue(100 < polls <= 120, polls)
