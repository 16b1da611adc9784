"""Verification: whether clients did what a test expects of them."""

import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Final

from emulator.control.fields import (
    INSTANT,
    Field,
    Json,
    Kind,
    Nested,
    Wrong,
    one_of,
    text,
    whole,
)
from emulator.control.routes import Call, Route
from emulator.core.errors import Problem, ScenarioError
from emulator.core.matching import ABSENT, Matcher, matches
from emulator.core.rules import Match
from emulator.core.units import format_instant
from emulator.core.words import ErrorName, OperationName, Situation
from emulator.engine import Namespace
from emulator.messages.problem import Mistake
from emulator.messages.verify import Verification
from emulator.providers import PROVIDERS, by_name
from emulator.providers.base import Operation, Provider
from emulator.scenario_file.files import node_of
from emulator.scenario_file.report import Report, written
from emulator.scenario_file.rules import MATCH
from emulator.verification import Expected, Pattern, tasks_of, verify

TAG: Final = "verify"
_MOST: Final = 1_000_000_000
_CLASS: Final = re.compile("[1-5]xx")
_COUNTS: Final = ("exactly", "at_least", "at_most", "between")
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
"""Those of RFC 9110, and PATCH."""
_ANSWERING: Final[dict[str, tuple[OperationName, ...]]] = {
    Situation.NOT_READY: (OperationName.CONTENT, OperationName.DELETE),
    Situation.MEDIA_GONE: (OperationName.CONTENT, OperationName.DOWNLOAD),
}
"""The operations that alone can answer a situation."""
"""What the content operation alone answers: a link that has died answers in the storage's own words."""


# Kinds


def _status_code(value: Any) -> int | str:
    if isinstance(value, str):
        if _CLASS.fullmatch(value.lower()):
            return value.lower()
        raise Wrong(f"write {value} without quotes" if value.isdecimal() else "")
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 599:
        raise Wrong
    return value


_STATUS_CODE: Final = Kind(
    "a status code from 100 to 599, or a class such as 4xx",
    _status_code,
    {
        "anyOf": [
            {"type": "integer", "minimum": 100, "maximum": 599},
            {"type": "string", "pattern": "^[1-5][xX][xX]$"},
        ]
    },
)


def _between(value: Any) -> tuple[int, int]:
    is_pair = isinstance(value, list) and len(value) == 2
    if not is_pair or any(type(one) is not int or not 0 <= one <= _MOST for one in value):
        raise Wrong
    low, high = value
    if low > high:
        raise Wrong(f"did you mean [{high}, {low}]?")
    return low, high


_BETWEEN: Final = Kind(
    "two whole numbers, the smaller one first",
    _between,
    {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": _MOST},
        "minItems": 2,
        "maxItems": 2,
        "examples": [[2, 4]],
    },
)
_COUNT: Final = whole(0, _MOST)

# Matchers: those of the scenario language, read by its own readers

_TEXT_SCHEMA: Final[Json] = {"type": ["string", "number", "boolean", "null"]}


def _matcher_schema(depth: int = 2) -> Json:
    """A matcher. In ``not`` stands another one; a schema without names says so only so deep."""
    negated = {"not": _matcher_schema(depth - 1) if depth else _TEXT_SCHEMA}
    texts = dict.fromkeys(("equals", "contains", "glob"), _TEXT_SCHEMA)
    table: Json = {
        "type": "object",
        "properties": {
            **texts,
            "regex": {"type": "string", "format": "regex", "description": "In RE2's syntax."},
            "any_of": {"type": "array", "items": _TEXT_SCHEMA, "minItems": 1},
            "exists": {"type": "boolean"},
            **negated,
        },
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [_TEXT_SCHEMA, table], "examples": [{"contains": "cat"}]}


def _line(name: str, value: Any) -> tuple[tuple[Match, ...], list[Mistake]]:
    """One line of a ``match``, and what is wrong with it."""
    report = Report("request", "")
    try:
        found = MATCH.read(node_of({name: value}, report, count(1)), (), report)
    except ScenarioError as error:
        return (), [Mistake(where=name, message=problem.message) for problem in error.problems]
    return found or (), [_mistake(name, problem) for problem in report.problems.values()]


def _mistake(name: str, problem: Problem) -> Mistake:
    where = f"{name}{problem.path.removeprefix(written((name,)))}"
    return Mistake(where=where, message=problem.message, hint=problem.hint)


def _match(value: Any) -> Any:
    if not isinstance(value, dict):
        raise Wrong
    lines: list[Match] = []
    mistakes: list[Mistake] = []
    for name, asked in value.items():
        found, wrong = _line(name, asked)
        lines += found
        mistakes += wrong
    return Nested({"lines": tuple(lines)}, mistakes)


def _matcher(value: Any) -> Matcher:
    found, mistakes = _line("it", value)
    if mistakes:
        told = [f"{m.where.removeprefix('it').lstrip('.')}: {m.message}".removeprefix(": ") for m in mistakes]
        hints = [f"; {m.hint}" if m.hint else "" for m in mistakes]
        raise ValueError(". ".join(map(str.__add__, told, hints)))
    return found[0].matcher


_MATCHER: Final = Kind("a text, a glob or a matcher such as {contains: cat}", _matcher, _matcher_schema())
_MATCH: Final = Kind(
    "fields and what they must match, such as {prompt: {contains: cat}}",
    _match,
    {
        "type": "object",
        "propertyNames": {"minLength": 1, "not": {"enum": ["header", "headers", "header."]}},
        "additionalProperties": _matcher_schema(),
        "examples": [{"prompt": {"contains": "cat"}, "header.user-agent": "*"}],
    },
)

_FIELDS: Final = (
    Field("operation", one_of(*OperationName), "Only requests for this operation."),
    Field("provider", one_of(*by_name), "Only this provider's."),
    Field("task", text("the id of a task"), "Only those that this task had a say in."),
    Field("status_code", _STATUS_CODE, "Only those that were answered so."),
    Field("error", one_of(*ErrorName, *Situation), "Only those that were answered with this named error."),
    Field("method", text("an HTTP method", pattern="[A-Za-z-]{1,20}"), "Only those of this method."),
    Field(
        "path", _MATCHER, "Only those whose path matches, without the prefix /ns/NAME and without the query."
    ),
    Field("key", _MATCHER, "Only those whose API key matches. A key is compared, never shown."),
    Field(
        "match",
        _MATCH,
        "Only those that match: fields of the request's own body (dotted for nested ones), header.<name>, key, id.",
    ),
    Field("rule", text("the id of a rule"), "Only those that this rule had a say in."),
    Field("since", INSTANT, "Only those at or after this instant of the namespace's clock."),
    Field("after", whole(0, _MOST), "Only those after the journal's entry of this number."),
    Field("exactly", _COUNT, "So many are expected."),
    Field("at_least", _COUNT, "So many or more; 1 where no number is given at all."),
    Field("at_most", _COUNT, "So many or fewer."),
    Field("between", _BETWEEN, "From the first to the second number, both among them."),
)


# What fields mean together, and in this world


def _cannot_match(namespace: Namespace, fields: Mapping[str, Any]) -> Iterator[Mistake]:
    """Why no request can fit, whatever clients do: it would be a check that can't fail, or can't hold."""
    given = [name for name in _COUNTS if fields[name] is not None]
    for name in given[1:]:
        yield Mistake(where=name, message=f"excludes {given[0]}", hint="keep one of the two")
    if given == ["at_least"] and fields["at_least"] == 0:
        message = "expected 1 or more: 0 or more holds whatever clients do"
        yield Mistake(where="at_least", message=message, hint="for no request at all, write exactly: 0")
    yield from _wrong_operation(fields["provider"], fields["operation"])
    yield from _wrong_error(fields["provider"], fields["operation"], fields["error"])
    if fields["method"] is not None:
        yield from _wrong_method(fields["provider"], fields["operation"], fields["method"])
    yield from _wrong_matchers(fields)
    if fields["path"] is not None:
        yield from _wrong_path(namespace, fields["path"], fields["provider"])
    if fields["task"] is not None:
        yield from _wrong_task(namespace, fields["task"], fields["provider"])
    if fields["rule"] is not None:
        yield from _wrong_rule(namespace, fields["rule"])
    now = namespace.clock.now()
    if fields["since"] is not None and fields["since"] > now:
        message = (
            f"expected an instant that has come, got {format_instant(fields['since'])}, "
            f"but the clock shows {format_instant(now)}"
        )
        yield Mistake(where="since", message=message, hint="GET /__admin/clock says what it shows")
    total = namespace.journal.total
    if fields["after"] is not None and fields["after"] > total:
        message = f"expected the number of an entry, at most {total}, got {fields['after']}"
        yield Mistake(where="after", message=message, hint="a reset begins anew with 1")


def _wrong_operation(provider: str | None, operation: str | None) -> Iterator[Mistake]:
    if provider is None or operation is None:
        return
    there_are = _operations_of(provider)
    if operation not in there_are:
        message = f"{provider} has no {operation}; it has {', '.join(there_are)}"
        yield Mistake(where="operation", message=message)


def _wrong_error(provider: str | None, operation: str | None, error: str | None) -> Iterator[Mistake]:
    if error == Situation.NO_ROUTE and operation is not None:
        message = "no operation answers no_route: it is for paths and methods that are none's"
        yield Mistake(where="error", message=message, hint="leave operation out")
    there_are = _ANSWERING.get(error or "")
    if there_are is None:
        return
    known = {*there_are} if provider is None else {*there_are} & {*_operations_of(provider)}
    if operation is not None and operation not in there_are:
        message = f"only {' and '.join(there_are)} can answer {error}, and {operation} never does"
        yield Mistake(where="error", message=message)
    elif not known:
        message = f"only {' and '.join(there_are)} can answer {error}, and {provider} has no such operation"
        yield Mistake(where="error", message=message)


def _operations_of(provider: str) -> list[str]:
    return list(dict.fromkeys([*(row.name for row in by_name[provider].operations), OperationName.DOWNLOAD]))


# Methods


def _wrong_method(provider: str | None, operation: str | None, method: str) -> Iterator[Mistake]:
    # Any method may be sent to a path that has no operation, or not by this method.
    there_are = _METHODS if operation is None else _methods_of(provider, operation)
    if not there_are or method.upper() in there_are:
        return
    # Imported when first needed: only a wrong method needs it.
    from difflib import get_close_matches  # noqa: PLC0415

    near = get_close_matches(method.upper(), there_are, 1)
    hint = f"did you mean {near[0]}?" if near else None
    if operation is None:
        message = f"expected one of {', '.join(_METHODS)}, got {method}"
    else:
        whose = operation if provider is None else f"{operation} of {provider}"
        message = f"{whose} takes {' or '.join(there_are)}, got {method}"
    yield Mistake(where="method", message=message, hint=hint)


def _methods_of(provider: str | None, operation: str) -> tuple[str, ...]:
    """The methods by which requests for an operation come; none: there is no such operation."""
    if operation == OperationName.DOWNLOAD:
        return "GET", "HEAD"
    providers = PROVIDERS if provider is None else (by_name[provider],)
    own = {row.method for known in providers for row in known.operations if _is_for(row, operation)}
    if "GET" in own:
        own.add("HEAD")
    return tuple(sorted(own))


def _is_for(row: Operation, operation: str) -> bool:
    return row.name == operation or operation in row.actions


# Matchers and paths


def _wrong_matchers(fields: Mapping[str, Any]) -> Iterator[Mistake]:
    """Matchers whose parts exclude one another."""
    named = [(name, fields[name]) for name in ("path", "key") if fields[name] is not None]
    if fields["match"] is not None:
        named += [(f"match.{line.field}", line.matcher) for line in fields["match"]["lines"]]
    for name, matcher in named:
        if matcher.exists is False and not matches(matcher, ABSENT):
            message = "exists: false excludes the matcher's other parts: what isn't there matches nothing"
            yield Mistake(where=name, message=message, hint="keep one of the two")
        elif matcher.exists is not False and not _meets_itself(matcher):
            # The text isn't shown: it may be a key.
            message = "the text that equals asks for doesn't meet the matcher's other parts"
            yield Mistake(where=name, message=message, hint="keep equals alone")


def _meets_itself(matcher: Matcher) -> bool:
    return matcher.equals is None or matches(matcher, matcher.equals)


def _wrong_path(namespace: Namespace, matcher: Matcher, provider: str | None) -> Iterator[Mistake]:
    if matcher.exists is False:
        yield Mistake(where="path", message="every request has a path, and exists: false asks for none")
    for asked in (matcher.equals, matcher.glob, *(matcher.any_of or ())):
        if asked is None:
            continue
        if not asked.startswith(("/", "*")):
            message = (
                f"expected a path that begins with a slash, or a glob such as */videos, got {asked[:200]!r}"
            )
            yield Mistake(where="path", message=message, hint=f'did you mean "/{asked[:200]}"?')
        elif provider is not None:
            yield from _wrong_base(namespace, asked, by_name[provider])


def _wrong_base(namespace: Namespace, path: str, provider: Provider) -> Iterator[Mistake]:
    prefix = f"/ns/{namespace.name}"
    begins = path.partition("*")[0].removeprefix(prefix)
    owner = next((known for known in PROVIDERS if begins.startswith(_places_of(known))), None)
    if owner is None or begins.startswith(_places_of(provider)):
        return
    # A request to a vendor's own Host may ask it for any path; there is no other way to get there.
    place = next(place for place in _places_of(owner) if begins.startswith(place))
    if any(
        _is_of(record.provider, provider.name) and record.path.removeprefix(prefix).startswith(place)
        for record in namespace.journal
    ):
        return
    message = f"{path[:200]!r} is a path of {owner.name}, not of {provider.name}"
    yield Mistake(where="path", message=message, hint=f"those of {provider.name} begin with {provider.base}/")


def _places_of(provider: Provider) -> tuple[str, str]:
    """How the paths of its operations and of its videos begin."""
    return f"{provider.base}/", f"/media/{provider.name}/"


# Tasks and rules


def _wrong_task(namespace: Namespace, task: str, provider: str | None) -> Iterator[Mistake]:
    owners = [known.name for known in PROVIDERS if namespace.store.get(known.name, task) is not None]
    if provider in owners or (owners and provider is None):
        return
    if any(task in tasks_of(record) for record in namespace.journal if _is_of(record.provider, provider)):
        return  # it was given up, but what clients did with it is still known
    if owners:
        message = f"{task[:200]!r} is a task of {' and '.join(owners)}, not of {provider}"
        yield Mistake(where="task", message=message)
    else:
        message = f"no task {task[:200]!r} is known here"
        yield Mistake(
            where="task", message=message, hint="GET /__admin/tasks lists them; path matches any id"
        )


def _is_of(provider: Any, name: str | None) -> bool:
    return name is None or (provider is not None and provider.name == name)


def _wrong_rule(namespace: Namespace, rule_id: str) -> Iterator[Mistake]:
    scenarios = namespace.ledger.scenarios.values()
    if not any(rule.id == rule_id for scenario in scenarios for rule in scenario.rules):
        message = f"no scenario that was in force has a rule {rule_id[:200]!r}"
        yield Mistake(where="rule", message=message, hint="GET /__admin/requests names them, in why.rules")


# The route


def _expected(fields: Mapping[str, Any]) -> Expected:
    if fields["exactly"] is not None:
        return Expected(fields["exactly"], fields["exactly"])
    if fields["at_most"] is not None:
        return Expected(0, fields["at_most"])
    if fields["between"] is not None:
        return Expected(*fields["between"])
    return Expected(1 if fields["at_least"] is None else fields["at_least"], None)


def _pattern(fields: Mapping[str, Any]) -> Pattern:
    method = fields["method"]
    own = {name: value for name, value in fields.items() if name not in _COUNTS}
    match = () if fields["match"] is None else fields["match"]["lines"]
    return Pattern(**{**own, "match": match, "method": None if method is None else method.upper()})


async def _verify(call: Call) -> Verification:
    return verify(_pattern(call.body), _expected(call.body), call.namespace)


ROUTES = (
    Route(
        method="POST",
        path="/verify",
        handler=_verify,
        about="Whether clients sent as many requests of a kind as expected; if not, what came nearest.",
        tag=TAG,
        answers=Verification,
        body=_FIELDS,
        check=_cannot_match,
    ),
)
