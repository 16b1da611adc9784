"""Rules, and what they share with ``auth``: the conditions on one exchange."""

import json
from collections import Counter
from hashlib import blake2b
from typing import Final

import msgspec

from emulator.core.effects import Failure
from emulator.core.matching import Matcher
from emulator.core.rules import Conditions, Match, Rule, Since
from emulator.core.scenario import Auth, Rejection
from emulator.core.words import ErrorName, OperationName
from emulator.scenario_file import wording
from emulator.scenario_file.effects import ERROR, HEADERS, PASS, PATCH, RESPOND, RETRY_AFTER
from emulator.scenario_file.faults import FAULT, SLOW_BODY
from emulator.scenario_file.kinds import (
    FreeKeys,
    Items,
    Kind,
    Mapped,
    OneOrMany,
    enum_word,
    whole,
    word,
)
from emulator.scenario_file.nodes import raw
from emulator.scenario_file.providers import PROVIDER_NAMES
from emulator.scenario_file.tables import AtLeastOne, AtMostOne, Key, Needs, Record, Table
from emulator.scenario_file.timeline import ABOUT, STATUS
from emulator.scenario_file.times import BETWEEN, CALLS, SPREAD
from emulator.scenario_file.values import MATCHER, MATCHERS, SHARE

# Conditions

_OPERATION_KIND: Final[Kind[OperationName]] = enum_word(
    "an operation such as poll", OperationName, wording.OPERATIONS
)


def _field_problem(field: str) -> str | None:
    if field == "header." or not field:
        return "expected a field's name, got none"
    if field in ("header", "headers"):
        return "a header is named as header.<name>"
    return None


def _matches(pairs: tuple[tuple[str, Matcher], ...]) -> tuple[Match, ...]:
    return tuple(Match(field, matcher) for field, matcher in pairs)


MATCH: Final[Kind[tuple[Match, ...]]] = Mapped(
    FreeKeys(
        MATCHER,
        "fields and what they must match, such as {prompt: {contains: cat}}",
        _field_problem,
        {"minLength": 1},
    ),
    _matches,
)
_SINCE_WORDS: Final[dict[str, Since]] = {"task": "task", "status": "status", "start": "start"}

OPERATION = Key(
    "operation",
    OneOrMany(_OPERATION_KIND, "operations"),
    "create, poll, content, download, list, delete or remix; left out: any.",
)
PROVIDER = Key("provider", OneOrMany(PROVIDER_NAMES, "providers"), "Left out: every provider of the file.")
MATCH_KEY = Key(
    "match", MATCH, "Fields of the task's create request (dotted for nested ones), id, key, header.<name>."
)
BETWEEN_KEY = Key("between", BETWEEN, "Spans of time, such as 0s-2s or 2m+, counted from what 'since' says.")
SINCE: Key[Since] = Key(
    "since",
    word("task, status or start", _SINCE_WORDS),
    "What 'between' counts from: the task's creation (where left out), the present status, the activation.",
)
_CONDITIONS: Final = (OPERATION, PROVIDER, MATCH_KEY, BETWEEN_KEY, SINCE)


def _conditions(record: Record) -> Conditions:
    return Conditions(
        operations=record.get(OPERATION, ()),
        providers=record.get(PROVIDER, ()),
        match=record.get(MATCH_KEY, ()),
        between=record.get(BETWEEN_KEY, ()),
        since=record.get(SINCE, "task"),
    )


# Rules

CALLS_KEY = Key("calls", CALLS, "Which calls of the operation on the task: 3, 2-4, 5+, every 5, or a list.")
_WHILE = Key("while", OneOrMany(STATUS, "statuses"), "A status of the task, or a list of such.")
_PROBABILITY = Key("probability", SHARE, "How often it holds, drawn with the seed.")
_TIMES_KIND: Final = whole("a number of times, 1 or more", 1, 1_000_000_000)
_TIMES = Key("times", _TIMES_KIND, "It fires at most so often per task.")
_TIMES_TOTAL = Key("times_total", _TIMES_KIND, "It fires at most so often in the namespace.")
_ERROR = Key("error", ERROR, "The exchange is refused with this error.")
_RESPOND = Key("respond", RESPOND, "The exchange gets this answer.")
_FAULT = Key("fault", FAULT, "Something is wrong with the answer on the wire.")
_PASS = Key("pass", PASS, "No effect, and the rules after it aren't looked at.")
_DELAY = Key("delay", SPREAD, "Latency of the answer, in place of the entry's and the defaults'.")
_SLOW_BODY = Key("slow_body", SLOW_BODY, "The body comes slowly: {over: 10s} or {rate: 64KiB/s}.")
_PATCH = Key("patch", PATCH, "JSON merge patch on each task that the answer prints.")
_HEADERS = Key("headers", HEADERS, "Header fields added to the answer.")
_RETRY_AFTER = Key("retry_after", RETRY_AFTER, "What Retry-After says: 5s, {http_date: 5s} or none.")
_EFFECTS: Final = (_ERROR, _RESPOND, _FAULT, _PASS)
_BESIDE: Final = (_DELAY, _SLOW_BODY, _PATCH, _HEADERS, _RETRY_AFTER)


def _rule(record: Record) -> Rule:
    return Rule(
        id=_digest(record),
        conditions=_conditions(record),
        calls=record.get(CALLS_KEY, ()),
        during=record.get(_WHILE, ()),
        probability=record.get(_PROBABILITY),
        times=record.get(_TIMES),
        times_total=record.get(_TIMES_TOTAL),
        effect=record.get(_ERROR) or record.get(_RESPOND) or record.get(_FAULT) or record.get(_PASS),
        delay=record.get(_DELAY),
        slow_body=record.get(_SLOW_BODY),
        patch=record.get(_PATCH),
        headers=record.get(_HEADERS, ()),
        retry_after=record.get(_RETRY_AFTER),
        about=record.get(ABOUT),
        line=record.node.line,
    )


def _digest(record: Record) -> str:
    """A few hex digits that depend on what the rule says, not on where it stands or how it is explained."""
    said = {key: value for key, value in raw(record.node).items() if key != ABOUT.word}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return blake2b(canonical.encode(), digest_size=5).hexdigest()


def with_unique_ids(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules, where a repeated one has its number among its likes at the end of its id."""
    seen: Counter[str] = Counter()
    unique = []
    for rule in rules:
        seen[rule.id] += 1
        count = seen[rule.id]
        unique.append(rule if count == 1 else msgspec.structs.replace(rule, id=f"{rule.id}-{count}"))
    return tuple(unique)


RULES: Final[Kind[tuple[Rule, ...]]] = Mapped(
    Items(
        Table(
            "rule",
            (
                ABOUT, *_CONDITIONS, CALLS_KEY, _WHILE, _PROBABILITY, _TIMES, _TIMES_TOTAL, *_EFFECTS, *_BESIDE,
            ),
            _rule,
            constraints=(
                AtMostOne(*_EFFECTS, hint="a rule has one effect"),
                AtLeastOne(*_EFFECTS, *_BESIDE),
                Needs(SINCE, BETWEEN_KEY),
            ),
            about="An exception laid over the timelines, where its conditions hold. The first with an effect answers.",
        ),
        "rules",
        least=0,
    ),
    with_unique_ids,
)  # fmt: skip

# Auth

_KEYS = Key("keys", MATCHERS, "Globs of good keys; left out: every key that isn't empty.")
_KEY = Key("key", MATCHER, "The key, or a glob.", required=True)
_REJECT_ERROR = Key("error", ERROR, "The refusal; invalid_token where left out.")


def _rejection(record: Record) -> Rejection:
    return Rejection(
        key=record[_KEY],
        conditions=_conditions(record),
        error=record.get(_REJECT_ERROR, Failure(name=ErrorName.INVALID_TOKEN)),
        about=record.get(ABOUT),
    )


_REJECT = Key(
    "reject",
    Items(
        Table(
            "rejection",
            (_KEY, *_CONDITIONS, _REJECT_ERROR, ABOUT),
            _rejection,
            constraints=(Needs(SINCE, BETWEEN_KEY),),
            about="A key that is known and refused, always or where its conditions hold.",
        ),
        "rejections",
        least=0,
    ),
    "Keys that are refused; looked at before 'keys', in order.",
)
AUTH: Final = Table(
    "auth",
    (_KEYS, _REJECT),
    lambda record: Auth(keys=record.get(_KEYS, ()), reject=record.get(_REJECT, ())),
    about="Which API keys are good.",
)
