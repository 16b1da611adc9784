"""Scenarios: which there are, which one is in force, and those that are posted."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from emulator.control.clock import UNDER_WAY, refusals
from emulator.control.fields import FLAG, Field, one_of, text
from emulator.control.posted import loaded_from, mistake_of
from emulator.control.problems import bad_request, conflict, unknown
from emulator.control.routes import Answered, Call, Route, Text
from emulator.core.scenario import Scenario
from emulator.core.units import format_instant
from emulator.engine import Namespace
from emulator.library import SHIPPED, Library, Overlay
from emulator.messages.events import ScenarioEvent
from emulator.messages.problem import Mistake
from emulator.messages.scenarios import (
    Origin,
    ScenarioList,
    ScenarioName,
    ScenarioPosted,
    ScenarioRemoved,
    ScenarioSummary,
    ScenarioText,
)
from emulator.scenario_file import Loaded
from emulator.scenario_file.language import NAME_EXPECTED, is_scenario_name

TAG: Final = "scenarios"
MOST: Final = 1000
"""How many scenarios a namespace may have of its own."""
MOST_TEXT: Final = 16 << 20
"""How many characters their texts may have in all."""
_PLAIN: Final = "text/plain"
_NAME_PATTERN: Final = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?"


def library_of(namespace: Namespace) -> Overlay:
    """The namespace's own scenarios over those that all have."""
    assert isinstance(namespace.library, Overlay), "the registry makes no namespace without one"
    return namespace.library


def known(library: Library | Overlay, name: str, where: str = "name") -> Scenario:
    """The scenario of this name; else a 404 that lists the names. ``where`` is the field that says it."""
    scenario = library.get(name)
    if scenario is not None:
        return scenario
    names = list(library.names())
    near = get_close_matches(name[:100], names, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    detail = f"{where}: no scenario is called {name[:200]!r}; {hint}there are: {', '.join(names[:100])}"
    raise unknown("Unknown scenario", detail, names)


# What there is


def _origin(library: Overlay, scenario: Scenario) -> Origin:
    if library.owns(scenario.name):
        return "posted"
    is_shipped = scenario.source is not None and Path(scenario.source).parent == SHIPPED
    return "shipped" if is_shipped else "file"


def _summary(library: Overlay, scenario: Scenario) -> ScenarioSummary:
    return ScenarioSummary(
        name=scenario.name,
        about=scenario.about,
        providers=list(scenario.providers),
        origin=_origin(library, scenario),
    )


async def _list(call: Call) -> ScenarioList:
    library = library_of(call.namespace)
    each = [_summary(library, one) for name in library.names() if (one := library.get(name)) is not None]
    return ScenarioList(active=call.namespace.active.scenario.name, scenarios=each)


def _facts(call: Call, scenario: Scenario) -> dict[str, Any]:
    """What is told of every single scenario."""
    library, active = library_of(call.namespace), call.namespace.active.scenario
    is_active = active.name == scenario.name
    return {
        **msgspec.structs.asdict(_summary(library, scenario)),
        "file": None if library.owns(scenario.name) else scenario.source,
        "version": scenario.version,
        "active": is_active,
        "active_version": active.version if is_active else None,
    }


async def _show(call: Call) -> ScenarioText | Text:
    library = library_of(call.namespace)
    scenario = known(library, call.path["name"])
    content = library.text(scenario.name) or ""
    if call.query["format"] == "yaml":
        return Text(content, _PLAIN)
    return ScenarioText(**_facts(call, scenario), text=content)


# Which one is in force


def _name_of_active(call: Call) -> ScenarioName:
    active = call.namespace.active.scenario
    return ScenarioName(name=active.name, version=active.version)


async def _show_active(call: Call) -> ScenarioName:
    return _name_of_active(call)


async def _activate(call: Call) -> ScenarioName:
    _put_in_force(call, known(library_of(call.namespace), call.body["name"]))
    return _name_of_active(call)


def _put_in_force(call: Call, scenario: Scenario) -> None:
    _refuse_in_advance(call)
    call.namespace.activate(scenario)


def _refuse_in_advance(call: Call) -> None:
    with refusals():
        call.namespace.still()


# Posting


async def _post(call: Call) -> Answered:
    library = library_of(call.namespace)
    loaded = loaded_from(call.document, call.query["name"])
    name = loaded.scenario.name
    if not library.owns(name):
        return _kept(call, loaded, 201)
    if library.text(name) == loaded.text:
        return _kept(call, loaded, 200)
    detail = (
        f"this namespace has another scenario {name!r} already; PUT /__admin/scenarios/{name} replaces it"
    )
    raise conflict("Taken", detail)


async def _put(call: Call) -> Answered:
    name = call.path["name"]
    if not is_scenario_name(name):
        raise bad_request([Mistake(where="name", message=f"expected {NAME_EXPECTED}, got {name[:100]!r}")])
    loaded = loaded_from(call.document, name)
    return _kept(call, loaded, 200 if library_of(call.namespace).owns(name) else 201)


def _kept(call: Call, loaded: Loaded, status_code: int) -> Answered:
    library, scenario = library_of(call.namespace), loaded.scenario
    _refuse_too_many(library, loaded)
    if call.query["activate"]:
        _refuse_in_advance(call)
    if library.text(scenario.name) != loaded.text or not library.owns(scenario.name):
        library.keep(loaded)
        _tell(call.namespace, scenario.name, "put")
    if call.query["activate"]:
        call.namespace.activate(scenario)
    return Answered(
        ScenarioPosted(
            **_facts(call, scenario),
            namespace=call.namespace.name,
            warnings=[mistake_of(warning) for warning in loaded.warnings],
        ),
        status_code,
    )


def _refuse_too_many(library: Overlay, loaded: Loaded) -> None:
    own = [name for name in library.names() if library.owns(name) and name != loaded.scenario.name]
    size = sum(len(library.text(name) or "") for name in own) + len(loaded.text)
    if len(own) < MOST and size <= MOST_TEXT:
        return
    detail = (
        f"this namespace would have {len(own) + 1:,} scenarios of its own with {size:,} characters; it may have "
        f"{MOST:,} with {MOST_TEXT:,}; DELETE some, or use another namespace"
    )
    raise conflict("Too many scenarios", detail)


async def _delete(call: Call) -> ScenarioRemoved:
    library, name = library_of(call.namespace), call.path["name"]
    known(library, name)
    if not library.owns(name):
        detail = f"the scenario {name!r} was not posted here: all namespaces have it, and it can't be deleted"
        raise conflict("Not this namespace's", detail)
    if _is_own_in_force(call, name):
        detail = (
            f"the scenario {name!r} is in force; put another in force first: PUT /__admin/scenarios/active"
        )
        raise conflict("In force", detail)
    library.remove(name)
    _tell(call.namespace, name, "deleted")
    return ScenarioRemoved(name=name, removed=True)


def _tell(namespace: Namespace, name: str, change: Literal["put", "deleted"]) -> None:
    """Let those who listen to the namespace hear of a change to its own scenarios."""
    if namespace.events is not None:
        at = format_instant(namespace.clock.now())
        namespace.events.publish("scenario", ScenarioEvent(name=name, change=change, at=at))


def _is_own_in_force(call: Call, name: str) -> bool:
    """Whether what is in force was posted under this name, rather than what all namespaces have under it."""
    active, shared = call.namespace.active.scenario, call.namespaces.library.get(name)
    return active.name == name and (shared is None or shared.version != active.version)


_NAME: Final = Field("name", text("the name of a scenario"), "Which.")
_CALLED: Final = Field(
    "name",
    text(NAME_EXPECTED, pattern=_NAME_PATTERN, longest=64),
    "What the scenario is called, where its text doesn't say.",
)
_ACTIVATE: Final = Field("activate", FLAG, "Whether to put it in force at once.", default=False)
_FORMAT: Final = Field("format", one_of("json", "yaml"), "yaml: the text alone, as it is.", default="json")
_UNKNOWN: Final = "No scenario has this name."
_MISTAKES: Final = (
    "The scenario has mistakes: `mistakes` has them all, `text` as the command line prints them."
)
_FULL: Final = "The namespace has as many scenarios of its own as it may."
ROUTES = (
    Route(
        method="GET",
        path="/scenarios",
        handler=_list,
        about="Every scenario that can be named.",
        tag=TAG,
        answers=ScenarioList,
    ),
    Route(
        method="POST",
        path="/scenarios",
        handler=_post,
        about="Give this namespace a scenario of its own, which goes before one of that name that all have.",
        tag=TAG,
        answers=ScenarioPosted,
        status_code=201,
        also={200: ScenarioPosted},
        document=True,
        query=(_CALLED, _ACTIVATE),
        problems={400: _MISTAKES, 409: f"It has another one of this name. {_FULL} {UNDER_WAY}"},
    ),
    Route(
        method="GET",
        path="/scenarios/active",
        handler=_show_active,
        about="Which scenario is in force.",
        tag=TAG,
        answers=ScenarioName,
    ),
    Route(
        method="PUT",
        path="/scenarios/active",
        handler=_activate,
        about="Put another scenario in force, from now on.",
        tag=TAG,
        answers=ScenarioName,
        body=(Field("name", text("the name of a scenario"), "Which.", required=True),),
        problems={404: _UNKNOWN, 409: UNDER_WAY},
    ),
    Route(
        method="GET",
        path="/scenarios/{name}",
        handler=_show,
        about="A scenario with its text.",
        tag=TAG,
        answers=ScenarioText,
        params=(_NAME,),
        query=(_FORMAT,),
        problems={404: _UNKNOWN},
        texts=(_PLAIN,),
    ),
    Route(
        method="PUT",
        path="/scenarios/{name}",
        handler=_put,
        about="Give this namespace a scenario under this name, or replace it. What is in force stays until then.",
        tag=TAG,
        answers=ScenarioPosted,
        also={201: ScenarioPosted},
        document=True,
        params=(_NAME,),
        query=(_ACTIVATE,),
        problems={400: _MISTAKES, 409: f"{_FULL} {UNDER_WAY}"},
    ),
    Route(
        method="DELETE",
        path="/scenarios/{name}",
        handler=_delete,
        about="Take a scenario that was posted to this namespace away again.",
        tag=TAG,
        answers=ScenarioRemoved,
        params=(_NAME,),
        problems={404: _UNKNOWN, 409: "It is in force, or all namespaces have it."},
    ),
)
