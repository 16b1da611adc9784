"""``GET /__admin/metrics``: who gets it, and as what."""

import subprocess
import sys

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from emulator.control import described
from tests.worlds import Answer, World


def metrics(world: World, path: str = "/__admin/metrics", **headers: str) -> Answer:
    """One scrape."""
    return world.call("GET", path, headers=headers, host="localhost:8080")


def test_it_answers_what_a_scraper_reads() -> None:
    """Text, with the content type that says which."""
    world = World()
    world.get("/octopusx/v1/videos/x")
    answer = metrics(world)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    (requests,) = (
        family for family in text_string_to_metric_families(answer.body.decode()) if "requests" in family.name
    )
    (sample,) = requests.samples
    assert (sample.labels["provider"], sample.labels["operation"], sample.value) == ("octopusx", "poll", 1)


def test_the_accept_header_is_heard() -> None:
    """As a Prometheus server sends it."""
    answer = metrics(World(), accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0;")
    assert answer.body.endswith(b"# EOF\n")


def test_every_namespace_gives_the_same() -> None:
    """They are the process's."""
    world = World()
    world.get("/ns/one/octopusx/v1/videos/x")

    def own(path: str) -> list[bytes]:
        return [line for line in metrics(world, path).body.splitlines() if line.startswith(b"video_emulator")]

    assert own("/__admin/metrics") == own("/ns/one/__admin/metrics")


def test_a_scrape_is_no_request_of_a_client() -> None:
    """It doesn't count itself."""
    world = World()
    metrics(world)
    assert b"video_emulator_requests_total{" not in metrics(world).body


def test_it_asks_for_the_token() -> None:
    """Where there is one, as everything does that tells what clients did."""
    world = World(admin_token="secret-token")
    assert metrics(world).status_code == 401
    assert metrics(world, authorization="Bearer secret-token").status_code == 200


def test_a_query_is_refused() -> None:
    """It would be misunderstood as a filter."""
    answer = metrics(World(), "/__admin/metrics?name[]=x")
    assert answer.status_code == 400
    assert "name[]" in answer.json()["detail"]


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text"])
def test_its_content_types_are_described(accept: str) -> None:
    """In OpenAPI."""
    answers = msgspec.json.decode(described())["paths"]["/__admin/metrics"]["get"]["responses"]["200"][
        "content"
    ]
    assert metrics(World(), accept=accept).headers["content-type"].partition(";")[0] in answers


def test_nobody_pays_for_it_who_does_not_ask() -> None:
    """The library is imported by the first scrape."""
    code = "import sys, emulator.app, emulator.control; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own
