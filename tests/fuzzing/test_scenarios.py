"""Whole scenarios: mappings, files and Python at once."""

from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.vendor.pretty import pretty

from emulator import Emulator
from emulator.core.units import SECOND
from emulator.providers import by_name
from emulator.scenario_file import load_text
from emulator.scenario_file.nodes import raw, read
from emulator.scenario_file.report import Report
from emulator.strategies import GeneratedScenario, scenarios
from tests.fuzzing.finding import simplest

HEAD = {"version": 1, "about": "The happy path.", "providers": "ezmodel"}


@st.composite
def of_any(draw: st.DrawFn) -> GeneratedScenario:
    """A scenario of any provider, with all that there may be."""
    provider = draw(st.sampled_from(sorted(by_name)))
    callbacks = provider.startswith("acedata")
    profile: Literal["current"] | None = draw(st.sampled_from([None, "current"]))
    return draw(scenarios(provider, tasks=3, stuck=True, callbacks=callbacks, profile=profile))


@given(scenario=of_any())
def test_their_yaml_loads_without_a_warning_and_is_what_they_are(scenario: GeneratedScenario) -> None:
    """`validate` has nothing to say, and what is read is what was drawn, to the type of each value."""
    assert load_text(scenario.yaml, "drawn").warnings == ()
    root = read(scenario.yaml, Report("drawn", scenario.yaml))
    assert root is not None
    assert raw(root) == scenario


@given(scenario=of_any())
def test_their_yaml_is_in_an_authors_order(scenario: GeneratedScenario) -> None:
    """Keys stand as the page of the language lists them: what it is about first, rules last; no flow style."""
    top = [line.split(":")[0] for line in scenario.yaml.splitlines() if line[0] not in " -"]
    assert top == [
        key for key in ("version", "about", "providers", "profile", "tasks", "rules") if key in scenario
    ]
    assert not any(
        sign in line
        for line in scenario.yaml.splitlines()
        for sign in ("{", "&id", "*id")
        if "message" not in line
    )


@given(scenario=of_any())
def test_what_is_printed_of_them_makes_them_anew(scenario: GeneratedScenario) -> None:
    """Both Python's and Hypothesis's way of printing give Python that is the same scenario."""
    for printed in (repr(scenario), pretty(scenario)):
        anew = eval(printed, {"GeneratedScenario": GeneratedScenario})  # noqa: S307 - what we have printed
        assert anew == scenario
        assert anew.yaml == scenario.yaml


@pytest.mark.parametrize(
    "text",
    [
        "1e+5",
        "010",
        "on",
        "1:30",
        "68e914",
        "null",
        "~",
        "",
        "- a",
        "a: b",
        "#a",
        "\u2028",
        "\t",
        "😀",
        "2026-01-01",
    ],
)
def test_their_yaml_keeps_texts_that_look_like_something_else(text: str) -> None:
    """A text is read as the same text, by the language's own rules."""
    scenario = GeneratedScenario(version=1, about=text)
    root = read(scenario.yaml, Report("drawn", scenario.yaml))
    assert root is not None
    assert raw(root) == {"version": 1, "about": text}
    assert yaml.safe_load(scenario.yaml)["about"] == text


def as_written(**keys: Any) -> dict[str, Any]:
    """A whole scenario of these keys."""
    return {**HEAD, **keys}


KINDS: list[tuple[str, Any, dict[str, Any]]] = [
    ("any", lambda _: True, HEAD),
    (
        "rule",
        lambda s: "rules" in s,
        as_written(
            about="Poll 1 meets rate_limited.",
            rules=[{"operation": "poll", "calls": 1, "error": "rate_limited"}],
        ),
    ),
    (
        "failed",
        lambda s: "'failed'" in str(s),
        as_written(about="The task fails.", tasks=[{"timeline": [{"status": "failed"}]}]),
    ),
    (
        "two",
        lambda s: len(s.get("tasks", ())) == 2,
        as_written(
            about="Task 1 completes. Every other task completes.",
            tasks=[
                {"calls": 1, "timeline": [{"status": "completed"}]},
                {"timeline": [{"status": "completed"}]},
            ],
        ),
    ),
]


@pytest.mark.parametrize(("is_one", "minimal"), [kind[1:] for kind in KINDS], ids=[kind[0] for kind in KINDS])
def test_they_shrink_to_what_an_author_would_write(is_one: Any, minimal: dict[str, Any]) -> None:
    """The simplest scenario is the happy path, that of a kind has what makes it one and no more."""
    assert simplest(scenarios("ezmodel", tasks=2), is_one) == minimal


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (
            {"statuses": ["failed"]},
            {"about": "The task fails.", "tasks": [{"timeline": [{"status": "failed"}]}]},
        ),
        (
            {"max_duration": "9s"},
            {"about": "The task completes.", "tasks": [{"timeline": [{"status": "completed"}]}]},
        ),
        ({"profile": "current"}, {"profile": "current"}),
    ],
)
def test_the_happy_path_is_left_out_only_where_it_is_allowed(
    arguments: dict[str, Any], keys: dict[str, Any]
) -> None:
    """What a file leaves out happens: so where it may not, the simplest scenario has a timeline."""
    assert simplest(scenarios("ezmodel", **arguments)) == as_written(**keys)


@given(scenario=scenarios("octopusx", rules=False))
def test_they_have_no_rules_where_rules_are_off(scenario: GeneratedScenario) -> None:
    """``rules=False`` leaves single calls alone."""
    assert "rules" not in scenario


@given(scenario=scenarios("octopusx", tasks=3))
def test_every_create_finds_its_timeline(scenario: GeneratedScenario) -> None:
    """The items take the creates one by one, and the last all that follow."""
    items = scenario.get("tasks", [])
    assert [item.get("calls") for item in items] == [*range(1, len(items)), None][-len(items) :] or not items


@pytest.mark.parametrize(
    ("timeline", "rules", "about"),
    [
        (lambda t: t[-1].get("stuck"), None, "The task stays processing for ever."),
        (lambda t: t[-1]["status"] == "failed" and "error" in t[-1], None, "The task fails with internal."),
        (lambda t: "shape" in str(t), None, "The task fails with a bare text as error."),
        (lambda t: "code" in str(t[-1].get("error")), None, "The task fails with generation_failed."),
        (lambda t: "word" in t[-1], None, "The task completes. Its status is printed as done."),
        (lambda t: len(t) > 1 and "url" in str(t[-2]), None, "The task completes, at first without a link."),
        (lambda t: "'1s'" in str(t[-1]), None, "The task completes, and its link dies after 1s."),
        (lambda t: "'0s'" in str(t[-1]), None, "The task completes, and its link is dead."),
        (None, lambda r: "every 2" in str(r), "Every second poll meets rate_limited."),
        (None, lambda r: "1-2" in str(r), "Polls 1 to 2 meet rate_limited."),
        (None, lambda r: "delay" in str(r), "Poll 1 meets a delay of 1ms."),
    ],
)
def test_they_say_what_they_are_about(timeline: Any, rules: Any, about: str) -> None:
    """Their ``about`` is a plain sentence on what differs from the happy path."""

    def fits(scenario: GeneratedScenario) -> bool:
        if timeline is None:
            return bool(rules(scenario.get("rules", ())))
        return any(timeline(item["timeline"]) for item in scenario.get("tasks", ()))

    assert simplest(scenarios("ezmodel", stuck=True), fits)["about"] == about


def test_the_emulator_and_its_client_take_one_as_it_is() -> None:
    """As the scenario of an `Emulator`, and posted: its text is that of the file."""
    scenario = simplest(scenarios("ezmodel"), lambda found: "rules" in found)
    with Emulator(scenario, listen=False) as emulator:
        name = emulator.scenarios.active().name
        assert emulator.scenarios.get(name).text == scenario.yaml
        posted = emulator.scenarios.post(scenario, name="posted")
        assert posted.name == "posted"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": 0}, "tasks: expected a whole number from 1 to 10, got 0"),
        ({"profile": "newest"}, "profile: expected one of documented, current, got 'newest'"),
    ],
)
def test_a_wrong_argument_is_told_at_once(arguments: dict[str, Any], message: str) -> None:
    """The call itself raises, with what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        scenarios("octopusx", **arguments)


@pytest.mark.parametrize("told", [[], [0], [0, 3], [60]])
def test_callbacks_come_late_twice_or_never(told: list[int]) -> None:
    """Each of these is found, at the seconds after the end at which a receiver would be told."""

    def is_so(scenario: GeneratedScenario) -> bool:
        tasks = load_text(scenario.yaml, "drawn").scenario.items
        return all(list(item.callback.after) == [seconds * SECOND for seconds in told] for item in tasks)

    found = simplest(scenarios("acedata-veo", callbacks=True, rules=False), is_so)
    assert load_text(found.yaml, "drawn").warnings == ()


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])
def test_who_calls_nobody_back_has_no_callbacks(provider: str) -> None:
    """A mistake that says so; left out they are nowhere."""
    with pytest.raises(ValueError, match=f"{provider} calls nobody back"):
        scenarios(provider, callbacks=True)
