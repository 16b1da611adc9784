"""What can go wrong between a run and a provider: each is a clear sentence, and what can be looked at still is."""

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

import pytest

from emulator.clock import real_time
from emulator.core.units import SECOND
from tests.contract.runs import report_on
from tests.contract.standin import StandIn
from tests.serving import process

KEY: Final = "sk-good-standin"
TOLD: Final = {
    "slow": "gave no answer within 0.2s; is it up? --timeout waits longer",
    "login-redirect": "it answers with a redirect (302): a login page?",
    "html": "it answers an HTML page with 200: see whether --base-url is the API's",
    "rate-limits-forever": "the provider put a request off 6 times in a row, the last time with 429",
    "refuses-key": "the key in $THE_KEY was refused (401): see whether it is this provider's, and still good",
    "resets": "closed the connection without an answer",
    "huge": "it answers a body of more than 2 MiB with 200",
    "deep": "it answers JSON that can't be read with 200",
    "not-utf8": "it answers JSON that can't be read with 200",
    "server-error": "the provider put a request off 3 times in a row, the last time with 500",
}


@pytest.mark.parametrize("trouble", TOLD)
def test_a_provider_in_trouble_is_told_of_in_a_sentence(
    trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more is asked than tells it."""
    monkeypatch.setattr("emulator.contract.session._WAITS", (0, 0, 0, 0, 0))
    with StandIn("octopusx", trouble=(trouble,)) as standin:
        tasks = list(standin.tasks.values())
        # Whatever isn't slow on purpose gets the time that a busy machine needs.
        patience = 0.2 if trouble == "slow" else 20.0
        report = report_on("octopusx", standin.url, KEY, tasks=tasks, creates=1, patience=patience)
        asked = len(standin.requests)
    assert len(report.problems) == 1
    assert TOLD[trouble] in report.problems[0]
    assert asked <= 8
    assert standin.creates == 0
    looked_at = {check.name for check in report.checks if check.state != "not run"}
    is_refused = trouble == "refuses-key"
    assert looked_at - {"error-bodies"} == ({"auth-missing", "auth-wrong"} if is_refused else set())


def test_a_base_url_as_openais_client_has_it_is_no_trouble() -> None:
    """With ``/v1`` at its end, and a slash behind that."""
    with StandIn("octopusx") as standin:
        report = report_on("octopusx", f"{standin.url}/v1/", KEY, tasks=list(standin.tasks.values()))
        paths = {request.path for request in standin.requests}
    assert report.problems == ()
    assert report.drifts == ()
    assert not any(path.startswith("/v1/v1") for path in paths)


def test_a_provider_that_is_down_is_told_of() -> None:
    """With the address, and what to look at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        report = report_on("octopusx", url, KEY)
    assert report.problems == (
        f"{url} can't be asked: nothing listens there: is it up, and is --base-url right?",
    )


def test_a_certificate_that_isn_t_trusted_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do about one's own; trusted so, what is wrong with it is that it's another host's."""
    with StandIn("octopusx", scheme="https") as standin:
        report = report_on("octopusx", standin.url, KEY)
        assert len(report.problems) == 1
        assert "its certificate isn't trusted here" in report.problems[0]
        assert "SSL_CERT_FILE" in report.problems[0]
        certificate = Path(__file__).parents[1] / "tls" / "self-signed.pem"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = report_on("octopusx", standin.url, KEY)
    assert trusting.problems == (
        f"{standin.url} can't be asked: its certificate is for another host name: is --base-url right?",
    )


def test_a_provider_that_asks_to_wait_is_waited_for() -> None:
    """As long as it says; its 429 is held against the contract like any answer."""
    with StandIn("octopusx", trouble=("rate-limits",)) as standin:
        tasks = [standin.tasks["queued"]]
        report = report_on("octopusx", standin.url, KEY, tasks=tasks, longest=60 * SECOND)
    states = {check.name: check.state for check in report.checks}
    assert states["unknown-task"] == states["status-queued"] == states["error-bodies"] == "passed"
    assert report.problems == ()
    first, second, third = [seen for seen in standin.requests if seen.path == standin.requests[0].path][:3]
    assert second.at - first.at >= 0.99
    assert third.at - second.at >= 0.99


def test_tasks_of_somebody_else_are_told_of_and_the_rest_goes_on() -> None:
    """Their checks are left out."""
    with StandIn("ezmodel", trouble=("not-mine",)) as standin:
        report = report_on("ezmodel", standin.url, KEY, tasks=[standin.tasks["completed"]], creates=1)
    assert len(report.problems) == 1
    assert f"task {standin.tasks['completed']} isn't known with this key" in report.problems[0]
    states = {check.name: check.state for check in report.checks}
    assert states["status-completed"] == "passed"  # of the task that was made
    assert states["status-failed"] == "not run"
    assert report.drifts == ()


def test_a_task_that_doesn_t_end_in_time_is_told_of() -> None:
    """The run ends as it was told to."""
    with StandIn("octopusx", ready_after=(10_000, 0)) as standin:
        report = report_on("octopusx", standin.url, KEY, creates=1, longest=SECOND)
    (problem,) = report.problems
    (made,) = [json.loads(seen.body) for seen in standin.costly]
    assert made["model"] == "sora-2"
    # Paid for: it must not be lost.
    assert re.fullmatch(
        r"task video_\w+ hadn't ended when the time was up: look at it again by --task, or allow more by --max-minutes",
        problem,
    )
    assert {check.name: check.state for check in report.checks}["status-queued"] == "passed"


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel", "acedata-sora"])
def test_a_finished_task_whose_link_has_died_is_no_trouble(provider: str) -> None:
    """What can be checked of it is checked; the rest says why it can't be."""
    with StandIn(provider, link_lives=1.0) as standin:
        tasks = [standin.tasks["completed"]]
        first = report_on(provider, standin.url, KEY, tasks=tasks, longest=15 * SECOND)
        again = report_on(provider, standin.url, KEY, tasks=tasks)
    assert first.problems == again.problems == ()
    states = {check.name: check for check in again.checks}
    assert states["status-completed"].state == states["link-expiry"].state == "passed"
    assert states["link-works"].state == "not run"
    assert states["link-works"].why.startswith("the link of the task that was there had died")
    if provider != "acedata-sora":
        assert states["content-gone"].state == "passed"


class _Pages(BaseHTTPRequestHandler):
    """Somebody's web site."""

    def _page(self) -> None:
        self.send_response(404)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", "6")
        self.end_headers()
        self.wfile.write(b"<html>")

    do_GET = do_POST = _page  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.mark.parametrize("provider", ["octopusx", "acedata-veo"])
def test_a_web_site_is_told_from_a_provider(provider: str) -> None:
    """Also where it says 404, as an unknown task may."""
    with HTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        report = report_on(provider, f"http://127.0.0.1:{server.server_address[1]}", KEY)
        server.shutdown()
        thread.join()
    assert report.problems == ("it answers an HTML page with 404: see whether --base-url is the API's",)


@pytest.mark.parametrize(("asked", "serves"), [("octopusx", "acedata-sora"), ("acedata-sora", "ezmodel")])
def test_another_provider_s_api_is_told_of(asked: str, serves: str) -> None:
    """Nothing that it answers fits."""
    with StandIn(serves) as standin:
        report = report_on(asked, standin.url, KEY)
    assert report.problems == (
        f"nothing that it answered is as {asked} answers: see whether --base-url is its API's",
    )


def test_the_run_ends_when_its_time_is_up() -> None:
    """However long it would have waited; and nothing is made after that."""
    begun = real_time()
    with StandIn("octopusx") as standin:
        tasks = [standin.tasks["queued"]]
        report = report_on(
            "octopusx", standin.url, KEY, tasks=tasks, creates=1, interval=3600 * SECOND, longest=SECOND
        )
        assert standin.creates == 0
    assert real_time() - begun < 30 * SECOND
    assert any("the time was up" in problem for problem in report.problems)


def test_a_poll_that_fails_now_and_then_ends_nothing() -> None:
    """The task is looked at again, and all is seen."""
    with process("--scenario", "flaky-polls") as served:
        url = f"{served.url}/ezmodel"
        report = report_on("ezmodel", url, "sk-any", creates=1, interval=SECOND, longest=60 * SECOND)
    states = {check.name: check.state for check in report.checks}
    assert states["status-completed"] == states["error-bodies"] == "passed"
    assert report.problems == ()
