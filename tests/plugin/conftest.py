"""Runs of pytest within a test. They have the plugin, whether or not the package is installed here."""

from collections.abc import Callable
from textwrap import dedent
from typing import TypeAlias

import pytest

# Imported here once: what a run within imports is forgotten after it.
import emulator.embedded
import emulator.plugin.calling
import emulator.plugin.judging
import emulator.plugin.telling
import emulator.plugin.world  # noqa: F401 - as above

Run: TypeAlias = Callable[..., pytest.RunResult]

CLIENT = '''
"""A client of EzModel's, as somebody may have written it."""

import http.client
import json
from urllib.parse import urlsplit


class Client:
    def __init__(self, emulator):
        self._url = urlsplit(emulator.url("ezmodel"))
        self._key = emulator.api_key

    def create(self, prompt="a cat"):
        return self.call("POST", "/v1/videos", {"model": "sora-1.0", "prompt": prompt})["id"]

    def status(self, task):
        return self.call("GET", f"/v1/videos/{task}").get("status")

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self._url.netloc, timeout=60)
        try:
            fields = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request(method, self._url.path + path, None if body is None else json.dumps(body), fields)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
'''


@pytest.fixture(autouse=True)
def plugin(project: pytest.Pytester) -> pytest.Pytester:
    """Has every run within load the plugin."""
    return project


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Runs pytest over one file of tests, which may use `client.Client`."""
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(client=CLIENT)

    def runs(tests: str, *arguments: str, apart: bool = False) -> pytest.RunResult:
        head = "import pytest\nfrom client import Client\n\n"
        pytester.makepyfile(test_it=f"{head}{dedent(tests)}")
        if apart:
            return pytester.runpytest_subprocess(*arguments)
        return pytester.runpytest_inprocess(*arguments)

    return runs
