"""Metrics: what a scraper reads is what clients did."""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from emulator import __version__
from emulator.core.scenario import ClockSettings
from emulator.core.units import HOUR, SECOND
from emulator.metrics import exposition
from tests.worlds import START, World

Samples = Mapping[tuple[str, ...], float]


def scraped(world: World, accept: str = "") -> str:
    """What a scraper gets."""
    return exposition(world.app.namespaces, accept)[0].decode()


def samples(world: World, name: str, *labels: str) -> Samples:
    """The values of one metric by the values of these labels."""
    return {
        tuple(sample.labels[label] for label in labels): sample.value
        for family in prometheus(scraped(world))
        for sample in family.samples
        if sample.name == f"video_emulator_{name}"
    }


def value(world: World, name: str) -> float:
    """The value of a metric without labels."""
    return samples(world, name)[()]


def requests(world: World) -> Samples:
    """How many requests there were."""
    return samples(world, "requests_total", "provider", "operation", "status_code")


THROTTLED = "version: 1\nname: story\nrules: [{operation: poll, calls: 3, error: rate_limited}]\n"


def test_requests_are_counted_by_provider_operation_and_status_code() -> None:
    """Polls that take the shortcut and those that don't, refusals, downloads, and what nothing is emulated at."""
    world = World(THROTTLED)
    task = world.post("/octopusx/v1/videos", {"prompt": "a cat"}).json()["id"]
    for _ in range(3):
        world.get(f"/octopusx/v1/videos/{task}")
    fields = [(b"host", b"emulator.test"), (b"authorization", b"Bearer sk-a")]
    for _ in range(2):
        assert world.at_once("GET", f"/octopusx/v1/videos/{task}", fields) is not None
    world.get("/octopusx/v1/videos/unknown")
    world.advance(HOUR)
    link = world.get(f"/octopusx/v1/videos/{task}").json()["video_url"]
    world.get(link.partition("8080")[2])
    world.post("/acedata/veo/tasks", {"action": "retrieve", "id": "x"}, headers={})
    world.call("DELETE", "/ezmodel/v1/videos/x")
    world.get("/nowhere")
    unknown = world.get("/octopusx/v1/videos/unknown").status_code
    assert requests(world) == {
        ("octopusx", "create", "200"): 1,
        ("octopusx", "poll", "200"): 5,
        ("octopusx", "poll", "429"): 1,
        ("octopusx", "poll", str(unknown)): 2,
        ("octopusx", "download", "200"): 1,
        ("acedata-veo", "poll", "401"): 1,
        ("ezmodel", "none", "404"): 1,
        ("none", "none", "404"): 1,
    }


def test_counters_never_fall() -> None:
    """Neither by a reset, nor with a namespace that is dropped, nor where the journal gives entries up."""
    world = World()
    world.namespace.journal.most = 2
    for _ in range(5):
        world.get("/octopusx/v1/videos/x")
    world.get("/ns/one/octopusx/v1/videos/x")
    (before,) = requests(world).values()
    world.namespace.reset()
    world.app.namespaces.drop("one")
    assert (before, list(requests(world).values())) == (6, [6])


def test_namespaces_tasks_and_journals_are_those_of_the_whole_process() -> None:
    """What there is now, and what was given up for want of room."""
    world = World(max_tasks=2)
    world.namespace.journal.most = 3
    for _ in range(4):
        world.post("/octopusx/v1/videos", {"prompt": "a cat"})
        world.advance(SECOND)
    world.post("/ns/one/octopusx/v1/videos", {"prompt": "a cat"})
    one = world.app.namespaces.get("one")
    assert one is not None
    assert value(world, "namespaces") == 2
    assert (value(world, "tasks"), value(world, "tasks_dropped")) == (3, 2)
    assert (value(world, "journal_entries"), value(world, "journal_entries_dropped")) == (4, 1)
    assert value(world, "journal_bytes") == world.namespace.journal.bytes + one.journal.bytes > 0
    assert value(world, "journal_limit_bytes") == world.app.namespaces.bounds.journal_bytes
    world.namespace.reset()
    assert (value(world, "tasks"), value(world, "tasks_dropped")) == (1, 0)
    assert (value(world, "journal_entries"), value(world, "journal_entries_dropped")) == (1, 0)


def test_namespaces_that_were_idle_are_counted() -> None:
    """Those that somebody dropped aren't."""
    world = World()
    for name in ("one", "two", "three"):
        world.get(f"/ns/{name}/octopusx/v1/videos/x")
    world.app.namespaces.drop("one")
    two = world.app.namespaces.get("two")
    assert two is not None
    two.touched -= world.app.namespaces.bounds.idle + 1
    world.app.namespaces.sweep()
    assert (value(world, "namespaces"), value(world, "namespaces_dropped_total")) == (2, 1)


@pytest.mark.parametrize("mode", ["real", "scaled", "manual", "auto"])
def test_the_clock_is_that_of_the_namespace_default(mode: str) -> None:
    """Its instant, to the microsecond, and how it runs."""
    world = World(clock=ClockSettings(mode=mode, scale=60 if mode == "scaled" else 1, start=START))  # type: ignore[arg-type]
    world.advance(1_500_001)
    shown = value(world, "clock_timestamp_seconds")
    assert shown >= START / SECOND + 1.500001
    if mode in {"manual", "auto"}:
        assert shown == pytest.approx(START / SECOND + 1.500001, abs=1e-6)
    modes = samples(world, "clock_mode", "mode")
    assert {name for (name,), runs in modes.items() if runs == 1} == {mode}
    assert sorted(modes.values()) == [0, 0, 0, 1]


def test_it_says_which_version_runs_on_what() -> None:
    """And what the process takes."""
    world = World()
    assert samples(world, "build_info", "version") == {(__version__,): 1}
    names = {family.name for family in prometheus(scraped(world))}
    assert {"python_info", "process_resident_memory_bytes", "process_cpu_seconds"} <= names


def test_looking_changes_nothing() -> None:
    """Two scrapes give the same, but for what the process takes."""
    world = World(THROTTLED)
    world.post("/octopusx/v1/videos", {"prompt": "a cat"})

    def own() -> list[str]:
        return [line for line in scraped(world).splitlines() if "video_emulator" in line]

    assert own() == own()
    assert len(world.namespace.journal) == 1


def _families(text: str) -> Iterator[tuple[str, str, str]]:
    for family in prometheus(text):
        yield family.name, family.type, family.documentation


def test_every_metric_has_its_help_and_the_name_of_its_kind() -> None:
    """As Prometheus has them: a prefix, base units, ``_total`` for counters and for nothing else."""
    world = World()
    world.get("/octopusx/v1/videos/x")
    text = scraped(world)
    own = [family for family in _families(text) if family[0].startswith("video_emulator_")]
    assert len(own) == 12
    for name, kind, documentation in own:
        assert documentation.endswith("."), name
        is_counter = f"\n{name}_total" in text
        assert is_counter is (kind == "counter"), name


@pytest.mark.parametrize(
    ("accept", "beginning"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=1.x", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=1.0.0", "text/plain; version="),
        (
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    ],
)
def test_the_scraper_chooses_the_format(accept: str, beginning: str) -> None:
    """Either of the two that Prometheus reads."""
    world = World()
    world.get("/octopusx/v1/videos/x")
    body, told = exposition(world.app.namespaces, accept)
    assert told.startswith(beginning)
    parse = openmetrics if "openmetrics" in told else prometheus
    counted = [
        s for f in parse(body.decode()) for s in f.samples if s.name == "video_emulator_requests_total"
    ]
    assert [sample.value for sample in counted] == [1]


@given(
    st.text(st.sampled_from("10.x-;=, *"), max_size=12),
    st.sampled_from(["text/plain", "application/openmetrics-text", "*/*"]),
)
def test_no_accept_header_is_too_strange(version: str, kind: str) -> None:
    """Whatever a client asks for, it gets metrics."""
    body, content_type = exposition(World().app.namespaces, f"{kind};version={version}")
    assert b"video_emulator_build" in body
    assert content_type.startswith(("text/plain", "application/openmetrics-text"))
