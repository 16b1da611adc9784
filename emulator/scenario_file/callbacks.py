"""A task's ``callback``: when its end is told, and what follows an attempt that fails."""

from typing import Final

from emulator.core.callbacks import LONGEST_TIMEOUT, ONCE, Callback
from emulator.core.units import format_duration
from emulator.scenario_file.kinds import OneOrMany
from emulator.scenario_file.nodes import Sequence
from emulator.scenario_file.tables import AtLeastOne, Key, Record, Table
from emulator.scenario_file.times import DURATION, SPREAD

_MOST: Final = 20

_AFTER = Key(
    "after",
    OneOrMany(SPREAD, "durations", least=0),
    "How long after the end it is sent; a list sends several, [] none; 0s where left out.",
)
_RETRY = Key(
    "retry",
    OneOrMany(SPREAD, "durations", least=0),
    "How long to wait after an answer other than 2xx, or none, before each further attempt; left out: no further one.",
)
_TIMEOUT = Key(
    "timeout",
    DURATION,
    f"How long an answer may take, in real time; {format_duration(ONCE.timeout)} where left out.",
)


def _check(record: Record) -> None:
    for key in (_AFTER, _RETRY):
        node = record.value(key) if key in record else None
        if isinstance(node, Sequence) and len(node.items) > _MOST:
            record.mistake(
                record.key(key), f"{key.word!r} has {len(node.items)} items, and {_MOST} are the most"
            )
    timeout = record.get(_TIMEOUT)
    if timeout is not None and not 0 < timeout <= LONGEST_TIMEOUT:
        message = f"'timeout' is more than 0s and at most {format_duration(LONGEST_TIMEOUT)}"
        record.mistake(record.key(_TIMEOUT), message, "it is real time, whatever the clock")


def _callback(record: Record) -> Callback:
    return Callback(
        after=record.get(_AFTER, ONCE.after),
        retry=record.get(_RETRY, ONCE.retry),
        timeout=record.get(_TIMEOUT, ONCE.timeout),
    )


CALLBACK: Final = Table(
    "callback",
    (_AFTER, _RETRY, _TIMEOUT),
    _callback,
    constraints=(AtLeastOne(_AFTER, _RETRY, _TIMEOUT),),
    check=_check,
    about="How the end of a task is told to the callback_url of its create request.",
)
