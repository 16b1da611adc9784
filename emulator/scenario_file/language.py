"""Version 1 of the scenario language: the file as a whole, its task items, and what their parts mean together."""

import re
from typing import Final

import msgspec

from emulator.core.callbacks import ONCE
from emulator.core.expectations import Expectations
from emulator.core.scenario import Choice, ClockMode, ClockSettings, Item, Scenario
from emulator.core.words import Profile
from emulator.scenario_file import wording
from emulator.scenario_file.callbacks import CALLBACK
from emulator.scenario_file.effects import PATCH
from emulator.scenario_file.expect import EXPECT
from emulator.scenario_file.kinds import (
    Items,
    Json,
    OneOrMany,
    Simple,
    Wrong,
    enum_word,
    number,
    word,
)
from emulator.scenario_file.limits import LIMITS
from emulator.scenario_file.nodes import Mapping, Node, Scalar, is_number, value_of
from emulator.scenario_file.nodes import Sequence as List
from emulator.scenario_file.providers import ALL, PROVIDER_NAMES, value_names
from emulator.scenario_file.rules import AUTH, MATCH, PROVIDER, RULES
from emulator.scenario_file.tables import AtMostOne, Key, Record, Table
from emulator.scenario_file.timeline import ABOUT, CHOICES, DEFAULT_VIDEO, TIMELINE, with_defaults
from emulator.scenario_file.times import AGE, CALLS, INSTANT, SPREAD
from emulator.scenario_file.values import NAME, JsonValue

VERSION: Final = 1

# Task items

_ID = Key("id", NAME, "The task exists from the activation under this id, and never takes a create.")
_CREATED = Key("created", AGE, "When it was created: -30s from the activation (default 0s), or an instant.")
_REQUEST = Key(
    "request",
    JsonValue("the fields of a create request", templates=False, only_mapping=True),
    "The create request that it is as if made with; left out: the provider's example.",
)
_VALUES = Key(
    "values",
    JsonValue("names and values", templates=False, only_mapping=True),
    "What the provider would have chosen; each provider's page lists the names.",
)
_MATCH = Key("match", MATCH, "Which creates it takes, by fields of the request, key or header.<name>.")
_CALLS = Key("calls", CALLS, "Which of the creates that get here it takes.")
_TIMELINE = Key("timeline", TIMELINE, "What happens; left out: the happy path.")
_CHOICES = Key("choices", CHOICES, "Several timelines, one of which is drawn.")
_PATCH = Key("patch", PATCH, "JSON merge patch on the task as polls, batches and lists print it.")
_PROGRESSION = Key(
    "progression", word("manual", {"manual": True}), "manual: the task waits for the control API to step it."
)
_CALLBACK = Key("callback", CALLBACK, "When the end is told to the callback_url of the create request.")


def _check_item(record: Record) -> None:
    if _ID in record:
        for chooser in (_MATCH, _CALLS):
            if chooser in record:
                message = (
                    f"a task with 'id' never takes a create, so {chooser.word!r} has nothing to choose from"
                )
                record.mistake(record.key(chooser), message, "make it two items")
        return
    for past in (_CREATED, _REQUEST):
        if past in record:
            message = f"{past.word!r} goes with 'id': other tasks begin with a client's create"
            record.mistake(record.key(past), message, "add 'id', or leave it out")


def _item(record: Record) -> Item:
    created, is_instant = record.get(_CREATED, (0, False))
    happy = Choice()
    single = Choice(entries=record.get(_TIMELINE, happy.entries))
    return Item(
        id=record.get(_ID),
        providers=record.get(PROVIDER, ()),
        created=created,
        created_is_instant=is_instant,
        request=record.get(_REQUEST, {}),
        values=record.get(_VALUES, {}),
        match=record.get(_MATCH, ()),
        calls=record.get(_CALLS, ()),
        choices=record.get(_CHOICES, (single,)),
        patch=record.get(_PATCH),
        manual=record.get(_PROGRESSION, False),
        callback=record.get(_CALLBACK, ONCE),
        about=record.get(ABOUT),
        line=record.node.line,
    )


_TASK: Final = Table(
    "task",
    (
        ABOUT, _ID, PROVIDER, _CREATED, _REQUEST, _VALUES, _MATCH, _CALLS, _TIMELINE, _CHOICES, _PATCH,
        _PROGRESSION, _CALLBACK,
    ),
    _item,
    constraints=(AtMostOne(_TIMELINE, _CHOICES),),
    check=_check_item,
    about="A task that exists from the start (it has an id), or what creates get. The first that fits takes a create.",
)  # fmt: skip

# Clock, defaults, lint

_MODES: Final[dict[str, ClockMode]] = {"real": "real", "scaled": "scaled", "manual": "manual", "auto": "auto"}
_MODE: Key[ClockMode] = Key(
    "mode", word("real, scaled, manual or auto", _MODES), "How its time passes; real where left out."
)
_SCALE = Key(
    "scale",
    number("a number above 0, such as 60", 0, 100_000),
    "With scaled: 60 lets an hour pass in a minute.",
)
_START = Key("start", INSTANT, "What it shows at first; left out: the present.")


def _check_clock(record: Record) -> None:
    mode = record.get(_MODE, "real")
    if _SCALE in record and mode != "scaled":
        record.mistake(record.key(_SCALE), f"'scale' goes with mode scaled, and this clock is {mode}")
    if mode == "scaled" and _SCALE not in record:
        record.mistake(record.key(_MODE), "a scaled clock needs 'scale'", "add scale: 60", "missing-key")


def _clock(record: Record) -> ClockSettings:
    return ClockSettings(
        mode=record.get(_MODE, "real"), scale=record.get(_SCALE, 1.0), start=record.get(_START)
    )


_CLOCK: Final = Table(
    "clock",
    (_MODE, _SCALE, _START),
    _clock,
    check=_check_clock,
    about="The clock of a namespace that activates this scenario, unless the server or the control API sets it.",
    shorthand="mode",
)
_DELAY = Key("delay", SPREAD, "Latency of answers where neither rule nor entry says another.")
_VIDEO = Key("video", DEFAULT_VIDEO, "For every completed entry that doesn't say otherwise.")
_DEFAULTS: Final = Table(
    "defaults", (_DELAY, _VIDEO), lambda record: record, about="For every task of this file."
)
_IGNORE = Key(
    "ignore",
    Items(word("the id of a warning", {id: id for id in wording.WARNINGS}), "ids of warnings", least=0),
    "Warnings that are meant so.",
    required=True,
)
_LINT_TABLE: Final = Table(
    "lint", (_IGNORE,), lambda record: record[_IGNORE], about="What lint shall not say."
)

# The file

_SCENARIO_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
"""It stands in a header and in prompts, as scenario:NAME."""
NAME_EXPECTED: Final = "a name of letters, digits and . _ - between them, 64 at most"
_MOST_SEED: Final = (1 << 63) - 1


def _version(scalar: Scalar) -> int:
    if scalar.plain and scalar.text == str(VERSION):
        return VERSION
    if not is_number(scalar) or value_of(scalar) == VERSION:
        raise Wrong(hint="write version: 1")
    known = f"this program speaks version {VERSION} of the language"
    raise Wrong(
        f"version {scalar.text[:20]} is unknown: {known}", "use a newer video-emulator", "unknown-version"
    )


def _seed(scalar: Scalar) -> int | str:
    value = value_of(scalar)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise Wrong
    if isinstance(value, int) and abs(value) > _MOST_SEED:
        raise Wrong(hint=f'write "{scalar.text}" in quotes')
    return value


def _scenario_name(scalar: Scalar) -> str:
    if not is_scenario_name(scalar.text):
        raise Wrong(hint="spaces and signs would make it unusable in a header or a prompt")
    return scalar.text


def is_scenario_name(name: str) -> bool:
    """Whether requests can name a scenario so."""
    return _SCENARIO_NAME.fullmatch(name) is not None


VERSION_KEY = Key(
    "version", Simple("the number 1", _version, {"const": VERSION}), "Of the language: 1.", required=True
)
_NAME_SCHEMA: Final[Json] = {"type": ["string", "number"], "pattern": f"^{_SCENARIO_NAME.pattern}$"}
_NAME = Key(
    "name",
    Simple(NAME_EXPECTED, _scenario_name, _NAME_SCHEMA),
    "Left out: the file's name without its suffix.",
)
_PROVIDERS = Key(
    "providers",
    OneOrMany(PROVIDER_NAMES, "providers"),
    "Whom the file speaks of; left out: all. Others answer as in happy-path.",
)
_PROFILE: Key[Profile] = Key(
    "profile",
    enum_word("documented or current", Profile, wording.NO_WORDS),
    "documented: as the documents show; current: as the newest public clients do.",
)
_SEED: Key[int | str] = Key(
    "seed",
    Simple("a whole number or a text", _seed, {"type": ["integer", "string"], "minLength": 1}),
    "Of all that is drawn; left out: the server's.",
)
_CLOCK_KEY = Key("clock", _CLOCK, "For a namespace that activates this scenario.")
_UNKNOWN_WORDS: Final = {"not_found": False, "start": True}
_UNKNOWN_TASK = Key(
    "unknown_task",
    word("not_found or start", _UNKNOWN_WORDS),
    "start: an unknown id that is polled begins as a new task, there and then.",
)
_AUTH = Key("auth", AUTH, "Which API keys are good.")
_LIMITS = Key("limits", LIMITS, "How many calls, or tasks at a time, are allowed; looked at in order.")
_DEFAULTS_KEY = Key("defaults", _DEFAULTS, "For every task of this file.")
_TASKS = Key(
    "tasks",
    Items(_TASK, "task items", least=0),
    "What happens to tasks; the first that fits a create takes it.",
)
_RULES = Key("rules", RULES, "Exceptions laid over the timelines, looked at in order.")
_LINT = Key("lint", _LINT_TABLE, "What lint shall not say.")


def _check_scenario(record: Record) -> None:
    providers = record.get(_PROVIDERS, ALL)
    if _TASKS not in record or not isinstance(tasks := record.value(_TASKS), List):
        return
    known: dict[tuple[str, str], Node] = {}
    for index, node in enumerate(tasks.items):
        if isinstance(node, Mapping):
            _check_task(record, index, {key.text: value for key, value in node.pairs}, providers, known)


def _check_task(
    record: Record,
    index: int,
    keys: dict[str, Node],
    providers: tuple[str, ...],
    known: dict[tuple[str, str], Node],
) -> None:
    path = (*record.path, "tasks", index)
    own = _providers_of(keys.get("provider"))
    for scalar in own:
        if scalar.text in ALL and scalar.text not in providers:
            message = f"the file's 'providers' leave {scalar.text} out"
            record.report.mistake("conflict", scalar, (*path, "provider"), message, "add it there")
    names = tuple(scalar.text for scalar in own if scalar.text in ALL) or providers
    _check_value_names(record, (*path, "values"), keys.get("values"), names)
    id = keys.get("id")
    if not isinstance(id, Scalar):
        return
    for provider in names:
        first = known.setdefault((provider, id.text), id)
        if first is not id:
            message = f"a task with this id stands in line {first.line} already, for {provider} too"
            record.report.mistake("duplicate-id", id, (*path, "id"), message)
            return


def _providers_of(node: Node | None) -> list[Scalar]:
    nodes = node.items if isinstance(node, List) else (node,)
    return [item for item in nodes if isinstance(item, Scalar)]


def _check_value_names(
    record: Record, path: tuple[str | int, ...], node: Node | None, providers: tuple[str, ...]
) -> None:
    allowed = value_names(providers)
    for key, _ in node.pairs if isinstance(node, Mapping) else ():
        if key.text not in allowed:
            who = f"{providers[0]} has no" if len(providers) == 1 else f"none of {', '.join(providers)} has a"
            message = f"{who} value named {wording.quoted(key.text)}"
            hint = wording.did_you_mean(key.text, allowed) or wording.one_of(allowed)
            record.report.mistake("unknown-value-name", key, path, message, hint)


class Read(msgspec.Struct, frozen=True):
    """What a file says: the scenario, and which warnings it takes as meant."""

    scenario: Scenario
    ignored: tuple[str, ...]


def _scenario(record: Record) -> Read:
    defaults = record.get(_DEFAULTS_KEY)
    items = record.get(_TASKS, Scenario(name="").items)
    video = None if defaults is None else defaults.get(_VIDEO)
    if video is not None:
        items = tuple(
            msgspec.structs.replace(i, choices=tuple(with_defaults(c, video) for c in i.choices))
            for i in items
        )
    found = Scenario(
        name=record.get(_NAME, ""),
        about=record.get(ABOUT),
        providers=record.get(_PROVIDERS, ()),
        profile=record.get(_PROFILE),
        seed=record.get(_SEED),
        clock=record.get(_CLOCK_KEY),
        starts_unknown_tasks=record.get(_UNKNOWN_TASK, False),
        auth=record.get(_AUTH, Scenario(name="").auth),
        limits=record.get(_LIMITS, ()),
        default_delay=None if defaults is None else defaults.get(_DELAY),
        items=items,
        rules=record.get(_RULES, ()),
        expect=record.get(EXPECT, Expectations()),
    )
    return Read(found, record.get(_LINT, ()))


SCENARIO: Final = Table(
    "scenario",
    (
        VERSION_KEY, _NAME, ABOUT, _PROVIDERS, _PROFILE, _SEED, _CLOCK_KEY, _UNKNOWN_TASK, _AUTH, _LIMITS,
        _DEFAULTS_KEY, _TASKS, _RULES, EXPECT, _LINT,
    ),
    _scenario,
    check=_check_scenario,
    about="What happens to video tasks.",
    free="x-",
)  # fmt: skip
