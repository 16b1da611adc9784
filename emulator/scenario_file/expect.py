"""What a file says of a correct client: ``expect``, which reports judge by."""

from typing import Final

from emulator.core.expectations import (
    CallbackExpectations,
    CreateExpectations,
    DownloadExpectations,
    Expectations,
    PollExpectations,
)
from emulator.scenario_file.kinds import FLAG, text, whole
from emulator.scenario_file.tables import Key, Record, Table
from emulator.scenario_file.times import DURATION

_MOST: Final = 1_000_000

# Polls

_MIN_INTERVAL = Key("min_interval", DURATION, "The shortest gap between two polls of one task.")
_MAX_INTERVAL = Key("max_interval", DURATION, "The longest gap between two polls of one task.")
_AFTER_TERMINAL = Key(
    "after_terminal",
    whole("a number of polls, 0 or more", 0, _MOST),
    "How many polls are fine after the client saw a terminal status.",
)
_HONOURS_RETRY_AFTER = Key("honours_retry_after", FLAG, "It waits as long as Retry-After said.")
_HONOURS_POLL_AFTER = Key("honours_poll_after", FLAG, "It waits as long as openai-poll-after-ms said.")


def _check_polls(record: Record) -> None:
    least, most = record.get(_MIN_INTERVAL), record.get(_MAX_INTERVAL)
    if least is not None and most is not None and least > most:
        message = "'min_interval' is longer than 'max_interval'"
        record.mistake(record.key(_MIN_INTERVAL), message, "swap the two")


def _polls(record: Record) -> PollExpectations:
    return PollExpectations(
        min_interval=record.get(_MIN_INTERVAL),
        max_interval=record.get(_MAX_INTERVAL),
        after_terminal=record.get(_AFTER_TERMINAL),
        honours_retry_after=record.get(_HONOURS_RETRY_AFTER),
        honours_poll_after=record.get(_HONOURS_POLL_AFTER),
    )


_POLLS: Final = Table(
    "poll expectation",
    (_MIN_INTERVAL, _MAX_INTERVAL, _AFTER_TERMINAL, _HONOURS_RETRY_AFTER, _HONOURS_POLL_AFTER),
    _polls,
    check=_check_polls,
    about="How a correct client polls a task.",
)

# Creates

_REPEATED = Key(
    "repeated",
    whole("a number of creates, 0 or more", 0, _MOST),
    "How many accepted creates are fine whose request equals that of one accepted before.",
)
_CREATES: Final = Table(
    "create expectation",
    (_REPEATED,),
    lambda record: CreateExpectations(repeated=record.get(_REPEATED)),
    about="How a correct client creates tasks.",
)

# Downloads

_AT_LEAST = Key(
    "at_least",
    whole("a number of downloads, 0 or more", 0, _MOST),
    "How often it downloads each finished result, at least.",
)
_BEFORE_EXPIRY = Key("before_expiry", FLAG, "It never asks for a result whose link has died.")
_WITHOUT_KEY = Key("without_key", FLAG, "It doesn't send its API key to where the media lie.")


def _downloads(record: Record) -> DownloadExpectations:
    return DownloadExpectations(
        at_least=record.get(_AT_LEAST),
        before_expiry=record.get(_BEFORE_EXPIRY),
        without_key=record.get(_WITHOUT_KEY),
    )


_DOWNLOADS: Final = Table(
    "download expectation",
    (_AT_LEAST, _BEFORE_EXPIRY, _WITHOUT_KEY),
    _downloads,
    about="How a correct client downloads results.",
)

# Callbacks

_ANSWERED = Key("answered", FLAG, "It answers each callback with 2xx, at the last attempt at the latest.")
_CALLBACKS: Final = Table(
    "callback expectation",
    (_ANSWERED,),
    lambda record: CallbackExpectations(answered=record.get(_ANSWERED)),
    about="How a correct client takes callbacks.",
)

# All of it

_ABOUT = Key("about", text(), "Why a correct client does so.")
_POLL = Key("poll", _POLLS, "How it polls a task.")
_CREATE = Key("create", _CREATES, "How it creates tasks.")
_DOWNLOAD = Key("download", _DOWNLOADS, "How it downloads results.")
_CALLBACK = Key("callback", _CALLBACKS, "How it takes callbacks.")


def _expectations(record: Record) -> Expectations:
    return Expectations(
        about=record.get(_ABOUT),
        poll=record.get(_POLL, PollExpectations()),
        create=record.get(_CREATE, CreateExpectations()),
        download=record.get(_DOWNLOAD, DownloadExpectations()),
        callback=record.get(_CALLBACK, CallbackExpectations()),
    )


EXPECT: Final = Key(
    "expect",
    Table(
        "expectation",
        (_POLL, _CREATE, _DOWNLOAD, _CALLBACK, _ABOUT),
        _expectations,
        about="What a correct client does. What is left out is judged as the report judges every client.",
    ),
    "What a correct client does: the report judges by it, nothing enforces it.",
)
