"""Each test of this folder runs once in each form.

With the environment variable ``VIDEO_EMULATOR_FORMS_URL`` (and ``VIDEO_EMULATOR_FORMS_TOKEN``, where the emulator asks
for one) all run against the emulator at that URL.
"""

from collections.abc import Iterator

import pytest

from tests import serving
from tests.forms.forms import FORMS, URL, Form


@pytest.fixture(scope="session")
def process_url() -> Iterator[str]:
    """A server in a process of its own, as a command line starts it."""
    with serving.process("--port", "0") as served:
        yield served.url


@pytest.fixture(params=FORMS, scope="session")
def form(request: pytest.FixtureRequest) -> Form:
    """How the emulator of a test is reached."""
    if request.param == "process":
        return Form("process", request.getfixturevalue("process_url"))
    return Form(request.param, URL)


@pytest.fixture(scope="session")
def plain() -> Form:
    """The form that the others are compared with: no socket, no thread of a client's, no HTTP."""
    return Form("transport")
