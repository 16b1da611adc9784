"""The report's routes: what they take, in which form they answer, and what they refuse."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.control import report as routes
from emulator.core.scenario import ClockSettings
from emulator.core.units import SECOND
from emulator.messages.report import Report
from emulator.scenario_file import load_expectations
from tests.scenario_file.strategies import Json, expectations
from tests.worlds import START, Answer, World

PATH = "/__admin/report"
SCHEMA = next(field.kind.schema for field in routes.ROUTES[1].body if field.name == "expect")


def control(world: World, method: str, path: str = PATH, body: Any = None, **headers: str) -> Answer:
    """One request to the control API, which asks for no key."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return world.call(method, path, body, headers=named, host="localhost:8080")


def polled(count: int = 2, **world: Any) -> World:
    """A world in which a task was polled so often without a pause."""
    made = World(**{"clock": ClockSettings(mode="manual", start=START), **world})
    task_id = made.post("/octopusx/v1/videos", {"prompt": "a cat"}).json()["id"]
    for _ in range(count):
        made.get(f"/octopusx/v1/videos/{task_id}")
    return made


def verdicts(answer: Answer) -> dict[str, str]:
    """The verdict of each check in an answer."""
    assert answer.status_code == 200, answer.body
    found = msgspec.json.decode(answer.body, type=Report, strict=True)
    return {check.id: check.verdict for check in found.checks}


def test_the_report_is_json() -> None:
    """As its message says; looking at it leaves no trace."""
    world = polled()
    answer = control(world, "GET")
    assert answer.headers["content-type"] == "application/json"
    assert verdicts(answer)["poll.min_interval"] == "not judged"
    told = json.loads(control(world, "GET").body)
    assert (told["verdict"], told["requests"], told["namespace"]) == ("passed", 3, "default")


def test_the_query_asks() -> None:
    """By which clock, for which task, from which request on."""
    world = polled(3)
    other = world.post("/octopusx/v1/videos", {"prompt": "another cat"}).json()["id"]
    assert verdicts(control(world, "GET", f"{PATH}?clock=emulator"))["poll.min_interval"] == "failed"
    of_other = verdicts(control(world, "GET", f"{PATH}?clock=emulator&task={other}"))
    assert of_other["poll.min_interval"] == "not judged"
    assert (
        verdicts(control(world, "GET", f"{PATH}?clock=emulator&after=4"))["poll.min_interval"] == "not judged"
    )
    told = control(world, "GET", f"{PATH}?clock=real&task={other}&after=1").json()
    assert (told["clock"], told["task"], told["after"], told["requests"]) == ("real", other, 1, 4)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("task=nobody", "task: no task 'nobody' is known here"),
        ("after=5", "after: expected the number of an entry of the journal, at most 4, got 5"),
        ("task=nobody&after=5", "here; GET /__admin/tasks lists them. after: expected"),
    ],
)
def test_what_there_is_not_is_refused(query: str, said: str) -> None:
    """A report on nobody would never fail a CI job; by GET and by POST."""
    world = polled(3)
    answer = control(world, "GET", f"{PATH}?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    fields: dict[str, Any] = dict(part.split("=") for part in query.split("&"))
    if "after" in fields:
        fields["after"] = int(fields["after"])
    assert control(world, "POST", PATH, fields).json() == answer.json()


def test_a_task_that_was_given_up_is_still_judged() -> None:
    """What clients did with it is in the journal."""
    world = polled(2)
    (task,) = world.namespace.store.newest_first()
    world.namespace.store.clear()
    assert control(world, "GET", f"{PATH}?task={task.id}").status_code == 200


def test_the_body_expects_and_asks() -> None:
    """The same, and what a correct client does; an empty body asks for nothing else than GET."""
    world = polled(3)
    patient = {"clock": "emulator", "expect": {"poll": {"min_interval": "0s", "after_terminal": 1}}}
    assert verdicts(control(world, "POST", PATH, patient))["poll.min_interval"] == "passed"
    assert verdicts(control(world, "POST", PATH, {"clock": "emulator"}))["poll.min_interval"] == "failed"
    other = world.post("/octopusx/v1/videos", {"prompt": "another cat"}).json()["id"]
    of_other = verdicts(control(world, "POST", PATH, {**patient, "task": other}))
    assert of_other["poll.min_interval"] == "not judged"
    assert (
        verdicts(control(world, "POST", PATH, {**patient, "after": 4}))["poll.min_interval"] == "not judged"
    )
    assert control(world, "POST").json() == control(world, "GET").json()


def test_the_scenario_says_what_the_body_does_not() -> None:
    """One key at a time."""
    world = polled(2, scenario="version: 1\nname: strict\nexpect: {poll: {min_interval: 0s}}\n")
    body = {"clock": "emulator", "expect": {"create": {"repeated": 3}}}
    assert verdicts(control(world, "POST", PATH, body))["poll.min_interval"] == "passed"


def test_each_namespace_has_its_own() -> None:
    """By header, as every request names one."""
    world = polled(2)
    world.call("GET", "/octopusx/v1/videos/x", headers={"x-emulator-namespace": "one"})
    told = control(world, "GET", PATH, x_emulator_namespace="one").json()
    assert (told["namespace"], told["requests"]) == ("one", 1)
    told = json.loads(control(world, "GET", f"/ns/one{PATH}").body)
    assert (told["namespace"], told["requests"]) == ("one", 1)


# Forms

TYPES = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "junit": "application/xml",
}


@pytest.mark.parametrize("wanted", list(TYPES))
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_form_may_be_named(wanted: str, method: str) -> None:
    """In the query, whatever the Accept header says."""
    answer = control(polled(), method, f"{PATH}?format={wanted}", accept="text/xml")
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[wanted])


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("*/*", "json"),
        ("", "json"),
        ("image/png", "json"),
        ("text/plain", "text"),
        ("TEXT/PLAIN; charset=utf-8", "text"),
        ("application/xml", "junit"),
        ("text/xml, application/json;q=0.9", "junit"),
        ("text/xml;q=0.1, application/json;q=0.9, */*", "json"),
        ("application/json;q=0, text/plain;q=0.5", "text"),
        ("text/plain;q=high", "json"),
        ("text/html, text/plain;q=0.2, application/xml;q=0.8", "junit"),
    ],
)
def test_the_accept_header_may_ask_for_a_form(accept: str, wanted: str) -> None:
    """The one it likes best of those that there are."""
    answer = control(polled(), "GET", PATH, accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[wanted])


def test_every_form_tells_the_same() -> None:
    """The verdicts."""
    world = polled(3)
    told = verdicts(control(world, "GET", f"{PATH}?clock=emulator"))
    text = control(world, "GET", f"{PATH}?clock=emulator&format=text").body.decode()
    root = ET.fromstring(control(world, "GET", f"{PATH}?clock=emulator&format=junit").body)  # noqa: S314 - our own
    words = {"failure": "failed", "skipped": "not judged", "system-out": "passed"}
    assert {case.attrib["name"]: words[case[0].tag] for case in root.iter("testcase")} == told
    rows = [line for line in text.splitlines() if line.startswith(("FAILED ", "passed ", "not judged "))]
    assert {row[12:].split()[0]: row[:12].strip().lower() for row in rows} == told


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        ("GET", f"{PATH}?format=yaml", None, "format: expected one of json, text, junit"),
        ("GET", f"{PATH}?clock=wall", None, "clock: expected one of real, emulator"),
        ("GET", f"{PATH}?after=-1", None, "after: expected a whole number from 0"),
        ("GET", f"{PATH}?after=x", None, "after: expected a whole number from 0"),
        ("GET", f"{PATH}?task=", None, "task: expected a task's id"),
        ("GET", f"{PATH}?since=1", None, "since: unknown"),
        ("POST", PATH, {"expect": 5}, "expect: expected what a scenario's expect has"),
        ("POST", PATH, {"expect": None}, "expect: expected what a scenario's expect has"),
        ("POST", PATH, {"expect": [{}]}, "expect: expected what a scenario's expect has"),
        (
            "POST",
            PATH,
            {"expects": {}},
            "expects: unknown; expected expect, clock, task, after, unfinished; did you mean expect?",
        ),
        ("POST", f"{PATH}?task=x", {}, "task: unknown; expected format"),
        ("POST", PATH, [], "expected a JSON object"),
        ("POST", PATH, b"{", "not JSON"),
    ],
)
def test_what_is_refused_says_why(method: str, path: str, body: Any, detail: str) -> None:
    """In a problem document."""
    headers = {"content-type": "application/json"} if body is not None else {}
    answer = control(polled(), method, path, body, **headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert detail in answer.json()["detail"]


def test_every_mistake_is_told_at_once() -> None:
    """Those of the expectations with the way to each and the repair, as of a scenario file."""
    body = {
        "expect": {
            "poll": {"min_interval": 2, "max_intervall": "3s"},
            "download": {"at_least": -1},
            "polls": {},
        },
        "clock": "rael",
        "after": "3",
    }
    answer = control(polled(), "POST", PATH, body)
    told = {m["where"]: (m["message"], m.get("hint")) for m in answer.json()["mistakes"]}
    assert told["expect.poll.min_interval"] == ("2 has no unit", "write 2s")
    assert told["expect.poll"] == ("unknown key 'max_intervall'", "did you mean 'max_interval'?")
    assert told["expect.download.at_least"][1] == "it must be at least 0"
    assert told["clock"][1] == "did you mean real?"
    assert told["after"] == ('expected a whole number from 0 to 9007199254740992, got "3"', None)
    assert "unknown key 'polls'; did you mean 'poll'?" in answer.json()["detail"]
    assert len(answer.json()["mistakes"]) == 6


# What OpenAPI says of the body


@given(expectations)
def test_the_schema_takes_what_a_file_may_say(value: Json) -> None:
    """Short of spellings of durations that nobody uses."""
    plain = json.loads(json.dumps(value))
    for key in ("min_interval", "max_interval"):
        if key in plain.get("poll", {}):
            plain["poll"][key] = "1m30s"
    jsonschema.validate(plain, SCHEMA)


DURATIONS = st.from_regex(
    SCHEMA["properties"]["poll"]["properties"]["min_interval"]["pattern"], fullmatch=True
)


@given(DURATIONS)
def test_every_duration_of_the_schema_is_taken(duration: str) -> None:
    """A schema that says more than is true would mislead."""
    assert load_expectations({"poll": {"min_interval": duration}}).poll.min_interval is not None


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """To JSON Schema it is one; a scenario file is stricter."""
    body = {"expect": {"poll": {"after_terminal": 3.0}, "create": {"repeated": 2.0}}}
    assert control(World(), "POST", PATH, body).status_code == 200
    body["expect"]["poll"] = {"after_terminal": 3.5}
    assert control(World(), "POST", PATH, body).json()["mistakes"][0]["where"] == "expect.poll.after_terminal"


def test_the_schema_refers_to_nothing() -> None:
    """It stands inside of another document."""
    assert "$ref" not in json.dumps(SCHEMA)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"poll": {"min_interval": 5 * SECOND}}, SCHEMA)
