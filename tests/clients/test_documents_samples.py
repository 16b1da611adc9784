"""The documents' own requests and programs, run against the server: only the address and the sleep are changed."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests import serving
from tests.serving import Process, tool
from tests.test_goldens import GOLDEN, written

SAMPLES: Final = Path(__file__).parent / "samples"
HOSTS: Final = re.compile(r"https://(?:api\.acedata\.cloud|octopusx\.ai|www\.ezmodel\.cloud)")
DONE: Final = "2026-01-01T00:00:00Z"
BASES: Final = {
    "acedata-sora": "/acedata",
    "acedata-veo": "/acedata",
    "octopusx": "/octopusx",
    "ezmodel": "/ezmodel",
}
ANSWERS: Final = {
    "acedata-sora.retrieve": "acedata-sora/retrieve.succeeded.json",
    "acedata-sora.retrieve_batch": "acedata-sora/retrieve_batch.succeeded.json",
    "acedata-veo.retrieve": "acedata-veo/retrieve.succeeded.json",
    "acedata-veo.retrieve_batch": "acedata-veo/retrieve_batch.succeeded.json",
    "octopusx.example": "octopusx/query.queued.json",
    "octopusx.reference": "octopusx/query.queued.json",
    "ezmodel.query": "ezmodel/query.completed.json",
}
"""What a sample prints that asks once."""
SUCCEEDED: Final = """\
Status: processing, Progress: 80%
Status: processing, Progress: 85%
Status: processing, Progress: 90%
Status: processing, Progress: 95%
Status: completed, Progress: 100%
Video generated successfully!
Download URL: https://storage.example.com/videos/vid_abc123xyz456.mp4
"""
FAILED: Final = """\
Status: processing, Progress: 28%
Status: failed, Progress: 0%
Task failed: Content policy violation: inappropriate content detected
"""
POLLED: Final = [
    ("documents", "2024-01-15T16:01:40Z", SUCCEEDED),
    ("documents-failed", "2024-01-15T16:00:55Z", FAILED),
]
"""For the samples that poll: the scenario, where the clock starts, and what they print."""


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Process]:
    """The whole command, with the documents' scenario."""
    with serving.process("--scenario", "documents", "--clock", "manual", "--start", DONE) as process:
        yield process


@pytest.fixture
def server(shared_server: Process) -> Process:
    """The server as it was started, at an instant by which every documented task has come to its example."""
    begin(shared_server, "documents", DONE)
    return shared_server


def begin(server: Process, scenario: str, start: str) -> None:
    """Put a scenario in force, with the clock at this instant."""
    assert server.call("PUT", "/__admin/scenarios/active", {"name": scenario}).status_code == 200
    clock = {"mode": "manual", "now": start}
    assert server.post("/__admin/reset", {"clock": clock}).status_code == 200


def sample(name: str, address: str) -> str:
    """A sample's text with the provider's address replaced."""
    text, count = HOSTS.subn(address, (SAMPLES / name).read_text(encoding="utf-8"))
    assert count == 1
    return text


def sample_names(language: str) -> list[str]:
    """The samples in a language that ask once."""
    return sorted(path.stem for path in SAMPLES.glob(f"*.{language}") if path.stem in ANSWERS)


def printed(command: list[str]) -> str:
    """What a command prints, having ended well."""
    done = subprocess.run(  # noqa: S603 - a sample of the documents
        tool(command), capture_output=True, text=True, timeout=serving.PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def address_of(server: Process, name: str, way: str) -> str:
    """What the provider's address becomes: the server's own, or with the provider's base path."""
    return server.url + (BASES[name.partition(".")[0]] if way == "base" else "")


@pytest.mark.parametrize("way", ["root", "base"])
@pytest.mark.parametrize("name", sample_names("curl"))
def test_the_documents_curl_commands_print_the_documents_answers(
    server: Process, name: str, way: str
) -> None:
    """Character by character as printed, but for the address and OctopusX's placeholder for the id."""
    tool(["curl"])
    command = sample(f"{name}.curl", address_of(server, name, way)).replace("{task_id}", "video_abc123")
    assert written(printed(["sh", "-c", command])) == written((GOLDEN / ANSWERS[name]).read_text())


@pytest.mark.parametrize("way", ["root", "base"])
@pytest.mark.parametrize("name", sample_names("python"))
def test_the_documents_python_programs_print_the_documents_answers(
    server: Process, name: str, way: str
) -> None:
    """They use `requests`, and print the body."""
    program = sample(f"{name}.python", address_of(server, name, way))
    assert written(printed([sys.executable, "-c", program])) == written((GOLDEN / ANSWERS[name]).read_text())


def replaced(text: str, old: str, new: str) -> str:
    """The text with what stands in it once replaced."""
    assert text.count(old) == 1
    return text.replace(old, new)


@pytest.mark.parametrize("way", ["root", "base"])
@pytest.mark.parametrize(("scenario", "start", "lines"), POLLED, ids=["completed", "failed"])
def test_ezmodels_python_program_polls_to_the_end(
    server: Process, scenario: str, start: str, lines: str, way: str
) -> None:
    """Each line of what it prints, to the document's link or the document's failure."""
    begin(server, scenario, start)
    program = replaced(
        sample("ezmodel.poll.python", address_of(server, "ezmodel", way)),
        "time.sleep(5)",
        f"requests.post('{server.url}/__admin/clock/advance', json={{'by': '5s'}}).raise_for_status()",
    )
    assert printed([sys.executable, "-c", program]) == lines


@pytest.mark.parametrize("way", ["root", "base"])
@pytest.mark.parametrize(("scenario", "start", "lines"), POLLED, ids=["completed", "failed"])
def test_ezmodels_javascript_program_polls_to_the_end(
    server: Process, scenario: str, start: str, lines: str, way: str
) -> None:
    """Each line of what it prints, by Node's own `fetch`."""
    begin(server, scenario, start)
    advance = (
        f"fetch('{server.url}/__admin/clock/advance', {{method: 'POST', "
        "headers: {'Content-Type': 'application/json'}, body: '{\"by\": \"5s\"}'}).then(resolve)"
    )
    program = replaced(
        sample("ezmodel.poll.javascript", address_of(server, "ezmodel", way)),
        "setTimeout(resolve, 5000)",
        advance,
    )
    assert printed(["node", "-e", program]) == lines


def test_every_sample_is_run() -> None:
    """By one of the tests above."""
    files = {path.name for path in SAMPLES.iterdir() if path.name != "README.md"}
    asking = {f"{name}.{kind}" for kind in ("curl", "python") for name in sample_names(kind)}
    assert files == asking | {"ezmodel.poll.python", "ezmodel.poll.javascript"}
