"""Limits: how many calls, or tasks at a time, a key, a task or the namespace is allowed."""

from typing import Final

from emulator.core.effects import Failure
from emulator.core.limits import Limit, Per, TrueWait
from emulator.core.rules import Conditions, RetryAfter
from emulator.core.words import ErrorName, OperationName
from emulator.scenario_file.effects import ERROR, WAIT_SCHEMA, wait
from emulator.scenario_file.kinds import ByShape, Items, Kind, Simple, whole, word
from emulator.scenario_file.nodes import Scalar
from emulator.scenario_file.rules import MATCH_KEY, OPERATION, PROVIDER
from emulator.scenario_file.tables import AtLeastOne, AtMostOne, Key, Record, Table
from emulator.scenario_file.timeline import ABOUT
from emulator.scenario_file.times import DURATION

_MOST: Final = 1_000_000
_MAKING: Final = (OperationName.CREATE,)
"""The operations that make tasks."""
_PERS: Final[dict[str, Per]] = {"key": "key", "task": "task", "namespace": "namespace"}


def _wait(scalar: Scalar) -> RetryAfter | TrueWait:
    return "seconds" if _is_true(scalar) else wait(scalar)


def _date(scalar: Scalar) -> RetryAfter | TrueWait:
    return "http_date" if _is_true(scalar) else RetryAfter(DURATION.parse(scalar), as_date=True)


def _is_true(scalar: Scalar) -> bool:
    return scalar.plain and scalar.text == "true"


_HTTP_DATE: Final[Key[RetryAfter | TrueWait]] = Key(
    "http_date",
    Simple(
        "a wait such as 5s, or true",
        _date,
        {"anyOf": [{"const": True}, {"$ref": "#/$defs/duration"}]},
    ),
    "The wait, written as the date at which it ends; true: the true one.",
    required=True,
)
_RETRY_AFTER_KIND: Final[Kind[RetryAfter | TrueWait]] = ByShape(
    "true, a wait such as 5s, {http_date: true} or none",
    Simple("true, a wait such as 5s, or none", _wait, {"anyOf": [{"const": True}, *WAIT_SCHEMA["anyOf"]]}),
    Table("wait of a limit", (_HTTP_DATE,), lambda record: record[_HTTP_DATE]),
)

_LIMIT = Key(
    "limit", whole("a number of calls, 1 or more", 1, _MOST), "So many calls pass; those above are refused."
)
_WINDOW = Key("window", DURATION, "In any stretch of time of this length; left out: for good.")
_IN_FLIGHT = Key(
    "in_flight",
    whole("a number of tasks, 1 or more", 1, _MOST),
    "So many tasks may be under way; a create above that is refused.",
)
_PER: Final[Key[Per]] = Key(
    "per", word("key, task or namespace", _PERS), "For whom it is counted; key where left out."
)
_ERROR = Key("error", ERROR, "The refusal; rate_limited where left out.")
_RETRY_AFTER = Key(
    "retry_after",
    _RETRY_AFTER_KIND,
    "What Retry-After says: true (as long as it takes), 5s, {http_date: true} or none; left out: the provider's.",
)


def _check(record: Record) -> None:
    if record.get(_WINDOW) == 0:
        record.mistake(record.value(_WINDOW), "a window of no time refuses nothing", "leave it out: for good")
    operations: tuple[OperationName, ...] = record.get(OPERATION, ())
    per: Per = record.get(_PER, "key")
    if _IN_FLIGHT in record:
        _check_in_flight(record, operations, per)
    elif per == "task" and OperationName.CREATE in operations:
        record.mistake(
            record.key(_PER), "a create has no task yet to count for", "write per: key, or per: namespace"
        )
    elif per == "key" and operations == (OperationName.DOWNLOAD,):
        message = "a download is judged by its link, and no key is asked for"
        record.mistake(record.key(OPERATION), message, "write per: task, or per: namespace")


def _check_in_flight(record: Record, operations: tuple[OperationName, ...], per: Per) -> None:
    if any(operation not in _MAKING for operation in operations):
        message = "'in_flight' counts tasks that creates make, so other calls have nothing to do with it"
        record.mistake(record.key(OPERATION), message, "write operation: create")
    if per == "task":
        message = "'in_flight' counts tasks, so it isn't counted for one"
        record.mistake(record.key(_PER), message, "write per: key, or per: namespace")


def _limit(record: Record) -> Limit:
    is_of_tasks = _IN_FLIGHT in record
    return Limit(
        conditions=Conditions(
            operations=record.get(OPERATION, _MAKING if is_of_tasks else ()),
            providers=record.get(PROVIDER, ()),
            match=record.get(MATCH_KEY, ()),
        ),
        most=record[_IN_FLIGHT] if is_of_tasks else record[_LIMIT],
        window=record.get(_WINDOW),
        is_of_tasks=is_of_tasks,
        per=record.get(_PER, "key"),
        error=record.get(_ERROR, Failure(name=ErrorName.RATE_LIMITED)),
        retry_after=record.get(_RETRY_AFTER),
        about=record.get(ABOUT),
        line=record.node.line,
    )


LIMITS: Final[Kind[tuple[Limit, ...]]] = Items(
    Table(
        "limit",
        (
            ABOUT, OPERATION, PROVIDER, MATCH_KEY, _LIMIT, _WINDOW, _IN_FLIGHT, _PER, _ERROR, _RETRY_AFTER,
        ),
        _limit,
        constraints=(
            AtLeastOne(_LIMIT, _IN_FLIGHT),
            AtMostOne(_LIMIT, _IN_FLIGHT, hint="calls are counted, or tasks under way: make it two limits"),
            AtMostOne(_WINDOW, _IN_FLIGHT, hint="tasks count until they are done, however long that takes"),
        ),
        check=_check,
        about="How many calls pass, or how many tasks may be under way. The first that is reached refuses the call.",
    ),
    "limits",
    least=0,
)  # fmt: skip
