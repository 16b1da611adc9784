"""The emulator in a container that the tests start by themselves, with Testcontainers for Python.

It takes `pip install testcontainers`, an engine, and the image, which `docker build -t video-emulator .` makes in the
clone. Where EMULATOR_URL says that an emulator runs already, as in a job that has it as a service, nothing is started.
"""

import os
from collections.abc import Iterator

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

from emulator import Emulator

IMAGE = os.environ.get("EMULATOR_IMAGE", "video-emulator")
PORT = 8080
READY = HttpWaitStrategy(PORT, "/__admin/ready").for_status_code(200)


@pytest.fixture(scope="session")
def emulator_url() -> Iterator[str]:
    """Where the one container of the run is."""
    if url := os.environ.get("EMULATOR_URL"):
        yield url
        return
    container = DockerContainer(IMAGE, read_only=True).with_exposed_ports(PORT).waiting_for(READY)
    with container as started:
        yield f"http://{started.get_container_host_ip()}:{started.get_exposed_port(PORT)}"


@pytest.fixture
def emulator(emulator_url: str) -> Iterator[Emulator]:
    """A world of the test's own in it, whose clock stands still until it is told."""
    with Emulator("slow-queue", url=emulator_url) as made:
        yield made
