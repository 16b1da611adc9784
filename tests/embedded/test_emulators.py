"""An emulator of one's own: what it is made of, what is refused, and what is left of it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final, assert_type

import httpx
import pytest

import emulator as package
from emulator import AsyncEmulator, Emulator
from emulator.client import BadRequest, EmulatorClosed, EmulatorError, EmulatorUnreachable, NotFound
from emulator.core.errors import ScenarioError
from emulator.embedded.emulators import EmulatorServer
from emulator.embedded.servers import Here, Server, There
from emulator.messages.requests import Entry
from tests.client.others import free_url
from tests.serving import Served, thread
from tests.worlds import World

YAML: Final = "version: 1\nname: mine\nabout: Mine.\n"
JSON: Final = '{"version": 1, "name": "mine", "about": "Mine."}'
FIELDS: Final = {"version": 1, "name": "mine", "about": "Mine."}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """An emulator elsewhere, as far as its clients can tell."""
    with thread(World().app) as served:
        yield served


@pytest.fixture(params=["here", "there"])
def make(request: pytest.FixtureRequest, served: Served) -> Callable[..., Emulator]:
    """Makes an emulator, in this process or at a URL."""
    told: dict[str, Any] = {} if request.param == "here" else {"url": served.url}
    return partial(Emulator, **told)


# The scenario


def file_in(folder: Path, name: str, text: str) -> Path:
    """A file with a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "scenario",
    [
        YAML,
        f"# A comment.\n{YAML}",
        JSON,
        "{version: 1, name: mine, about: Mine.}",
        FIELDS,
        MappingProxyType(FIELDS),
        SimpleNamespace(yaml=YAML),
    ],
    ids=["YAML", "with a comment", "JSON", "in braces", "fields", "any mapping", "with .yaml"],
)
def test_a_scenario_has_many_forms(make: Callable[..., Emulator], scenario: Any) -> None:
    """Each is put in force under its own name."""
    with make(scenario) as emulator:
        assert emulator.scenarios.active().name == "mine"
        assert emulator.scenarios.get("mine").about == "Mine."


@pytest.mark.parametrize(
    "scenario", ["version: 1", "version: 1\n", '{"version": 1}', "{version: 1}", {"version": 1}]
)
def test_a_scenario_without_a_name_is_called_inline(make: Callable[..., Emulator], scenario: Any) -> None:
    """Also where something in it has one."""
    with make(scenario) as emulator:
        assert emulator.scenarios.active().name == "inline"
    choices = {"version": 1, "tasks": [{"choices": [{"name": "usual", "timeline": [{"status": "failed"}]}]}]}
    with make(choices) as emulator:
        assert emulator.scenarios.active().name == "inline"


def test_a_scenario_is_a_file(
    make: Callable[..., Emulator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a Path or in quotes; without a name of its own it has the file's."""
    path = file_in(tmp_path, "slow.yaml", "version: 1\n")
    file_in(tmp_path, "named.json", JSON)
    monkeypatch.chdir(tmp_path)
    for scenario, name in [
        (path, "slow"),
        (str(path), "slow"),
        ("slow.yaml", "slow"),
        (Path("named.json"), "mine"),
    ]:
        with make(scenario) as emulator:
            assert emulator.scenarios.active().name == name


def test_a_scenario_is_a_name(make: Callable[..., Emulator]) -> None:
    """Of those shipped; without one it is the happy path."""
    with make("slow-queue") as emulator:
        assert emulator.health().scenario == "slow-queue"
    with make() as emulator:
        assert emulator.health().scenario == "happy-path"


def test_a_folder_of_scenarios_can_be_named(tmp_path: Path) -> None:
    """By an emulator in this process."""
    file_in(tmp_path, "mine.yaml", "version: 1\nabout: Mine.\n")
    for folder in (tmp_path, str(tmp_path)):
        with Emulator("mine", scenarios=folder) as emulator:
            assert emulator.scenarios.get("mine").origin == "file"


# The clock


@pytest.mark.parametrize(
    ("scenario", "told", "mode", "now"),
    [
        (None, {"start": "2030-01-01T00:00:00Z"}, "manual", "2030-01-01T00:00:00Z"),
        (None, {"start": datetime(2030, 1, 1, tzinfo=UTC)}, "manual", "2030-01-01T00:00:00Z"),
        (
            None,
            {"start": datetime(2030, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))},
            "manual",
            "2030-01-01T00:00:00Z",
        ),
        ("mode: auto", {}, "auto", None),
        ("mode: auto, start: '2026-01-01T00:00:00Z'", {}, "auto", "2026-01-01T00:00:00Z"),
        ("mode: auto", {"start": "2030-01-01T00:00:00Z"}, "auto", "2030-01-01T00:00:00Z"),
        ("mode: manual, start: '2026-01-01T00:00:00Z'", {"clock": "auto"}, "auto", "2026-01-01T00:00:00Z"),
        (
            "mode: auto, start: '2026-01-01T00:00:00Z'",
            {"clock": "manual", "start": "2030-01-01T00:00:00Z"},
            "manual",
            "2030-01-01T00:00:00Z",
        ),
        ("mode: scaled, scale: 60", {"clock": "manual"}, "manual", None),
    ],
)
def test_a_clock_begins(scenario: str | None, told: dict[str, Any], mode: str, now: str | None) -> None:
    """As the caller says, else as the scenario does, else standing still at the present; and again so by a reset."""
    text = None if scenario is None else f"version: 1\nclock: {{{scenario}}}\n"
    with Emulator(text, **told) as emulator:
        for state in (emulator.clock.state(), emulator.reset().clock):
            assert state.mode == mode
            assert now is None or state.now == now


def test_a_clock_that_nobody_sets_shows_the_present() -> None:
    """And stands there."""
    before = datetime.now(UTC)  # noqa: TID251 - what it is compared with
    with Emulator() as emulator:
        now = emulator.clock.now()
        assert before <= now <= datetime.now(UTC)  # noqa: TID251 - as above
        assert (emulator.clock.state().mode, emulator.clock.now()) == ("manual", now)


def test_a_scaled_clock_goes_on_so() -> None:
    """At the scale that is asked for, or the scenario's."""
    with Emulator(clock="scaled:60") as emulator:
        assert (emulator.clock.state().mode, emulator.clock.state().scale) == ("scaled", 60)
    text = "version: 1\nclock: {mode: scaled, scale: 30}\n"
    with Emulator(text, start="2030-01-01T00:00:00Z") as emulator:
        assert (emulator.clock.state().scale, emulator.clock.state().now[:16]) == (30, "2030-01-01T00:00")


def test_seed_and_profile_are_for_scenarios_that_say_none(make: Callable[..., Emulator]) -> None:
    """A scenario's own go before them."""
    with make("version: 1\n", seed="mine", profile="current") as emulator:
        state = emulator.namespaces.get(emulator.name)
        assert (state.seed, state.profile) == ("mine", "current")
    with make("version: 1\nseed: 7\nprofile: documented\n", seed="mine", profile="current") as emulator:
        state = emulator.namespaces.get(emulator.name)
        assert (state.seed, state.profile) == (7, "documented")


# What is refused

WRONG: Final[list[tuple[dict[str, Any], type[Exception], str]]] = [
    ({"scenario": "slow-queu"}, NotFound, "did you mean slow-queue"),
    ({"scenario": ""}, BadRequest, 'expected the name of a scenario, got ""'),
    (
        {"scenario": b"version: 1"},
        TypeError,
        "scenario: expected a name, a path, a text in YAML or keys and values",
    ),
    (
        {"scenario": "none.yaml"},
        FileNotFoundError,
        "expected the path of a file, and there is none at none.yaml",
    ),
    ({"scenario": Path()}, FileNotFoundError, "expected the path of a file"),
    ({"scenario": "version: 2\n"}, BadRequest, "request:1:10: version: version 2 is unknown"),
    (
        {"scenario": {"version": 1, "about": object()}},
        TypeError,
        "scenario: expected keys and values that JSON has",
    ),
    ({"scenario": {"version": 1, "rule": []}}, BadRequest, "did you mean 'rules'"),
    ({"clock": "fast"}, ValueError, "clock: expected real, scaled:60, manual or auto, got 'fast'"),
    ({"clock": "scaled"}, ValueError, "clock: expected real, scaled:60, manual or auto, got 'scaled'"),
    ({"clock": "scaled:x"}, ValueError, "clock: expected .* got 'scaled:x'"),
    ({"clock": "manual:2"}, ValueError, "clock: expected .* got 'manual:2'"),
    ({"clock": "scaled:0"}, BadRequest, "clock.scale: expected a number above 0"),
    ({"clock": 60}, TypeError, "clock: expected .* got 60"),
    ({"start": "2030-01-01"}, BadRequest, "expected an instant such as .* lacks its zone"),
    ({"start": datetime(2030, 1, 1)}, ValueError, "start: expected a datetime with a zone"),  # noqa: DTZ001
    ({"start": 5}, TypeError, "start: expected an instant"),
    ({"seed": 1.5}, BadRequest, "seed: expected a whole number of 64 bits or a text, got 1.5"),
    ({"profile": "old"}, BadRequest, "profile: expected one of documented, current"),
    ({"timeout": 0}, ValueError, "timeout: expected more than 0 seconds"),
    ({"timeout": "soon"}, ValueError, "expected a duration"),
    ({"timeout": None}, TypeError, "timeout: expected a number of seconds"),
]
WRONG_HERE: Final[list[tuple[dict[str, Any], type[Exception], str]]] = [
    ({"scenarios": 5}, TypeError, "scenarios: expected the path of a folder, got 5"),
    (
        {"scenarios": "/none/such"},
        NotADirectoryError,
        "expected the path of a folder, and there is none at /none/such",
    ),
    ({"admin_token": "secret"}, ValueError, "admin_token: .* give it together with url"),
    ({"url": "127.0.0.1:80"}, ValueError, "expected the URL of an emulator"),
    ({"url": 80}, TypeError, "expected the URL of an emulator"),
    (
        {"url": "http://127.0.0.1:80", "scenarios": "."},
        ValueError,
        "scenarios: an emulator at a url has its own",
    ),
    (
        {"url": "http://127.0.0.1:80", "listen": False},
        ValueError,
        "listen: an emulator at a url listens already",
    ),
    ({"url": "http://127.0.0.1:80", "admin_token": 5}, TypeError, "admin_token: expected a text"),
    ({"url": "http://127.0.0.1:80", "admin_token": "ä"}, ValueError, "admin_token: expected printable ASCII"),
]


@pytest.mark.parametrize(("told", "kind", "words"), WRONG)
def test_a_wrong_argument_is_refused(
    make: Callable[..., Emulator], served: Served, told: dict[str, Any], kind: type[Exception], words: str
) -> None:
    """In a sentence that says what would be right; no namespace is left."""
    before = served.get("/__admin/namespaces").json()["total"]
    with pytest.raises(kind, match=words):
        make(**told)
    assert served.get("/__admin/namespaces").json()["total"] == before


@pytest.mark.parametrize(("told", "kind", "words"), WRONG_HERE)
def test_arguments_that_do_not_go_together(told: dict[str, Any], kind: type[Exception], words: str) -> None:
    """Nor do they have no effect in silence."""
    with pytest.raises(kind, match=words):
        Emulator(**told)


def test_nothing_answers_at_the_url() -> None:
    """As every client says it."""
    with pytest.raises(EmulatorUnreachable, match="start one with `video-emulator serve`"):
        Emulator(url=free_url())


def test_the_mistakes_of_a_file_are_told_with_its_path(make: Callable[..., Emulator], tmp_path: Path) -> None:
    """Every one, as `video-emulator validate` has them."""
    path = file_in(tmp_path, "odd.yaml", "version: 1\nrules: [{operation: pol, eror: x}]\n")
    with pytest.raises(BadRequest) as refused:
        make(path)
    lines = str(refused.value).splitlines()
    assert lines[1].startswith(f"{path}:2:21: rules[0].operation: expected an operation")
    assert lines[4].startswith(f"{path}:2:26: rules[0]: unknown key 'eror'")
    assert [mistake.column for mistake in refused.value.mistakes] == [21, 26]
    path.write_bytes(b"version: 1\nabout: \xff\n")
    with pytest.raises(ValueError, match=rf"{path} has the byte 0xff at its offset 18"):
        make(path)


def test_a_folder_with_mistakes_is_refused(tmp_path: Path) -> None:
    """Before anything is made."""
    file_in(tmp_path, "odd.yaml", "version: 2\n")
    with pytest.raises(ScenarioError, match="version 2 is unknown"):
        Emulator(scenarios=tmp_path)


# Its end


def test_it_may_be_closed_twice(make: Callable[..., Emulator]) -> None:
    """By hand and by a `with`."""
    with make() as emulator:
        emulator.close()
    emulator.close()


USES: Final[dict[str, Callable[[Emulator], object]]] = {
    "a call": lambda emulator: emulator.clock.now(),
    "a URL": lambda emulator: emulator.url("ezmodel"),
    "a call of another world": lambda emulator: emulator.namespace("other").health(),
    "events": lambda emulator: next(emulator.events()),
    "a selection": lambda emulator: emulator.requests("poll").count(),
}


@pytest.mark.parametrize("name", USES)
def test_nothing_can_be_asked_of_it_afterwards(
    make: Callable[..., Emulator], served: Served, name: str
) -> None:
    """It would make another world of that name."""
    emulator = make()
    emulator.url("ezmodel")
    transport = emulator.transport()
    emulator.close()
    with pytest.raises(EmulatorClosed, match="this emulator is closed, and its namespace is gone"):
        USES[name](emulator)
    with httpx.Client(transport=transport) as http, pytest.raises(EmulatorClosed):
        http.get("http://emulator/")
    with pytest.raises(RuntimeError):
        emulator.health()
    assert emulator.name not in [
        one["name"] for one in served.get("/__admin/namespaces").json()["namespaces"]
    ]


def test_its_namespace_is_gone_at_the_end(served: Served) -> None:
    """However it ends; an emulator elsewhere goes on."""
    before = served.get("/__admin/namespaces").json()["total"]
    with suppress(ZeroDivisionError), Emulator("slow-queue", url=served.url) as emulator:
        assert served.get(f"/__admin/namespaces/{emulator.name}").status_code == 200
        raise ZeroDivisionError
    assert served.get("/__admin/namespaces").json()["total"] == before
    assert served.get("/__admin/ready").status_code == 200


def test_a_namespace_that_is_gone_already_is_no_failure(make: Callable[..., Emulator]) -> None:
    """Somebody else may have dropped it."""
    with make() as emulator:
        emulator.namespaces.drop(emulator.name)


def test_an_emulator_that_is_gone_already_is_no_failure() -> None:
    """Its failure isn't that of the test."""
    with thread(World().app) as served:
        emulator = Emulator(url=served.url)
    emulator.close()


def test_a_failure_has_the_story_as_a_note() -> None:
    """Ordinary ones; what ends the program is left alone, and so is a failure after the end."""
    with pytest.raises(ValueError, match="mine") as failed, Emulator("slow-queue", seed=5):
        raise ValueError("mine")
    assert "seed 5" in failed.value.__notes__[0]
    for problem in (KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(problem)) as left, Emulator():
            raise problem
        assert not hasattr(left.value, "__notes__")
    late = ValueError("late")
    with suppress(ValueError), Emulator() as emulator:
        emulator.close()
        raise late
    assert not hasattr(late, "__notes__")


# A server that gives worlds away


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_server_gives_worlds_away(served: Served, where: str, tmp_path: Path) -> None:
    """Each with what it asks for, else with the server's own; closing one leaves the server as it is."""
    given: Server = Here() if where == "here" else There(served.url)
    server = EmulatorServer(given, {"told": "version: 1\nabout: Told.\n"}, seed=5)
    file_in(tmp_path, "beside.yaml", "version: 1\n")
    with server.emulator("slow-queue", name="test_it[a-b]") as one, server.emulator(seed=6) as other:
        assert one.name.startswith("test-it-a-b-")
        assert [one.namespaces.get(each.name).seed for each in (one, other)] == [5, 6]
        assert one.url("ezmodel").startswith(server.url)
    with pytest.raises(EmulatorClosed):
        one.health()
    with server.emulator("told") as told, server.emulator(Path("beside.yaml"), folder=tmp_path) as beside:
        assert told.scenarios.get("told").about == "Told."
        assert beside.scenarios.active().name == "beside"
    assert server.client().health().namespace == "default"
    for wrong in ("none", "version: 2\n"):
        with pytest.raises(EmulatorError):
            server.emulator(wrong)
    server.close()
    with pytest.raises((EmulatorError, RuntimeError)):
        server.client().health()


@pytest.mark.parametrize("hint", ["", "---", "Ä", "x" * 100, "a--b", "test_it[1-2]"])
def test_a_world_may_be_called_after_anything(served: Served, hint: str) -> None:
    """Its name is one that a namespace can have."""
    for given in (Here(), There(served.url)):
        server = EmulatorServer(given)
        with server.emulator(name=hint) as emulator:
            assert emulator.health().namespace == emulator.name
            with httpx.Client(headers={"authorization": f"Bearer {emulator.api_key}"}) as http:
                http.get(f"{server.url}/ezmodel/v1/videos/a")
            assert emulator.requests("poll").count() == 1
        server.close()


# What type checkers see


def types_of_both(emulator: Emulator, later: AsyncEmulator) -> None:
    """Mypy reads this, and nothing runs it."""
    with Emulator("slow-queue") as made:
        assert_type(made, Emulator)
        assert_type(made.requests("poll").count(), int)
        assert_type(made.url("ezmodel"), str)
    with emulator.fast_forward(limit="1h") as forward:
        assert_type(forward.slept, int)

    async def awaited() -> None:
        async with Emulator() as made_later:
            assert_type(made_later, AsyncEmulator)
            assert_type(await made_later.requests("poll").count(), int)
            assert_type(await made_later.requests("poll").list(), list[Entry])
        assert_type(await later.requests("poll").first(), Entry)
        with later.fast_forward():
            pass
        Emulator(clok="manual")  # type: ignore[call-arg] # misspelt
        Emulator(profile="old")  # type: ignore[arg-type] # no profile
        later.health()  # type: ignore[unused-coroutine] # not awaited


def test_the_package_offers_both() -> None:
    """By the names that the documentation has."""
    assert package.Emulator is Emulator
    assert package.AsyncEmulator is AsyncEmulator
    with pytest.raises(AttributeError, match="has no attribute 'Emulater'"):
        package.Emulater  # type: ignore[attr-defined] # noqa: B018


def test_one_loop_serves_all(served: Served) -> None:
    """However many emulators there are."""
    emulators = [Emulator() for _ in range(5)]
    assert [thread.name for thread in threading.enumerate()].count("video-emulator") == 1
    for emulator in emulators:
        emulator.close()


def test_its_key_hides_no_word_of_the_clients() -> None:
    """The journal puts a mark wherever a key stands; the name of this product isn't one."""
    with Emulator(listen=False) as emulator, httpx.Client(transport=emulator.transport()) as client:
        headers = {"authorization": f"Bearer {emulator.api_key}"}
        body = {"prompt": "an emulator"}
        client.post(f"{emulator.url('octopusx')}/v1/videos", json=body, headers=headers)
        entry = emulator.requests("create").last()
    assert entry.request.body == body
    assert entry.request.path.startswith("/ns/emulator-")
    assert emulator.api_key not in entry.request.headers["authorization"]
