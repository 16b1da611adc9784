"""Timelines: entries, the video of a completed one, and the choices among timelines."""

from typing import Any, Final, Literal

import msgspec

from emulator.core.effects import Failure, Respond
from emulator.core.plan import Entry, Ramp, Video
from emulator.core.scenario import Choice
from emulator.core.words import TERMINAL, Status
from emulator.scenario_file import wording
from emulator.scenario_file.effects import ERROR, FAILURE, PATCH, RESPOND
from emulator.scenario_file.kinds import (
    FLAG,
    ByShape,
    Defs,
    Items,
    Json,
    Kind,
    Simple,
    enum_word,
    number,
    text,
    whole,
    word,
)
from emulator.scenario_file.nodes import Mapping, Node, Scalar, Sequence, value_of
from emulator.scenario_file.report import Path, Report
from emulator.scenario_file.sizes import size
from emulator.scenario_file.tables import AtLeastOne, AtMostOne, Key, Record, Table
from emulator.scenario_file.times import DURATION, SPREAD
from emulator.scenario_file.values import NAME, PLAIN_TEXT, TemplateText

LEAST_BYTES: Final = 64 * 1024
"""Every clip fits into it, with the head of a box behind it, so what an author writes is what is served."""
MOST_BYTES: Final = 10**12

ABOUT: Final = Key("about", text(), "What it is for; journal, preview and coverage show it.")
STATUS: Final[Kind[Status]] = enum_word("a status such as queued", Status, wording.STATUSES)

# The video of a completed entry

_EXPIRED_ERROR = Key("error", ERROR, "A named error, in the provider's form.")
_EXPIRED_RESPOND = Key("respond", RESPOND, "An answer written out.")


def _expired(record: Record) -> Failure | Respond:
    return record[_EXPIRED_ERROR] if _EXPIRED_ERROR in record else record[_EXPIRED_RESPOND]


Content = Literal["stream", "redirect"]
_CONTENT_WORDS: Final[dict[str, Content]] = {"stream": "stream", "redirect": "redirect"}
_ID = Key("id", PLAIN_TEXT, "The video's own id, where the provider prints one.")
_URL: Key[str] = Key(
    "url",
    TemplateText("a link, or none"),
    "A literal link, printed as it stands and not served; none: completed without a link.",
)
_BYTES = Key(
    "bytes",
    size(LEAST_BYTES, MOST_BYTES, "a video has at least 64KiB, whatever size and duration a task asks for"),
    "The clip padded to that length.",
)
_EXPIRES_IN = Key(
    "expires_in", SPREAD, "How long the link lives, from completion; left out: 24 h after creation."
)
_EXPIRED: Key[Failure | Respond] = Key(
    "expired",
    Table(
        "expired",
        (_EXPIRED_ERROR, _EXPIRED_RESPOND),
        _expired,
        constraints=(
            AtMostOne(_EXPIRED_ERROR, _EXPIRED_RESPOND),
            AtLeastOne(_EXPIRED_ERROR, _EXPIRED_RESPOND),
        ),
        about="What a dead link answers.",
        shorthand="error",
    ),
    "What a dead link answers; left out: what the provider's own storage does.",
)
_RENEW = Key("renew", FLAG, "Each poll hands out a link of its own, which lives that long from that poll.")
_CONTENT: Key[Content] = Key(
    "content",
    word("stream or redirect", _CONTENT_WORDS),
    "redirect: the content route redirects to the link.",
)


def _check_video(record: Record) -> None:
    if _URL not in record or record.get(_URL) == "none":
        return
    for key in (_BYTES, _EXPIRES_IN, _EXPIRED, _RENEW):
        if key in record:
            message = f"a literal 'url' isn't served, so {key.word!r} has nothing to act on"
            record.mistake(record.key(key), message, "keep one of the two")


def _video(record: Record) -> Video:
    url = record.get(_URL)
    return Video(
        id=record.get(_ID),
        url=None if url == "none" else url,
        has_link=url != "none",
        expires_in=record.get(_EXPIRES_IN),
        expired=record.get(_EXPIRED),
        renew=record.get(_RENEW, False),
        content=record.get(_CONTENT, "stream"),
        size=record.get(_BYTES),
    )


_LINK_KEYS: Final = (_EXPIRES_IN, _EXPIRED, _RENEW, _CONTENT)
VIDEO: Final = Table(
    "video",
    (_ID, _URL, _BYTES, *_LINK_KEYS),
    _video,
    check=_check_video,
    about="The result of a completed task.",
)
DEFAULT_VIDEO: Final = Table(
    "default video",
    (_EXPIRES_IN, _BYTES),
    lambda record: Video(expires_in=record.get(_EXPIRES_IN), size=record.get(_BYTES)),
    about="What holds for every completed entry that doesn't say otherwise.",
)

# Entries

_FROM = Key("from", whole("a whole number from 0 to 100", 0, 100), "Where it begins.", required=True)
_TO = Key("to", whole("a whole number from 0 to 100", 0, 100), "Where it ends.", required=True)


def _check_ramp(record: Record) -> None:
    start, end = record.get(_FROM), record.get(_TO)
    if start is not None and end is not None and start > end:
        hint = "a smaller number on a later entry lets it fall"
        record.mistake(record.key(_TO), "progress doesn't fall while an entry lasts", hint)


_RAMP: Final = Table(
    "progress", (_FROM, _TO), lambda record: Ramp(record[_FROM], record[_TO]), check=_check_ramp
)


def _percent(scalar: Scalar) -> int | Ramp:
    return _WHOLE_PERCENT.parse(scalar)


_WHOLE_PERCENT: Final = whole("a whole number from 0 to 100", 0, 100)
_PROGRESS_KIND: Final[Kind[int | Ramp]] = ByShape(
    "a whole number from 0 to 100, or {from, to}",
    Simple(_WHOLE_PERCENT.expected, _percent, _WHOLE_PERCENT.schema({})),
    _RAMP,
)

_STATUS = Key("status", STATUS, "queued, processing, completed, failed or cancelled.", required=True)
_FOR = Key("for", SPREAD, "How long it stays.")
_POLLS = Key("polls", whole("a number of polls, 1 or more", 1, 1_000_000), "How many polls it answers.")
_UNTIL = Key("until", SPREAD, "It ends this long after the task's creation.")
_STUCK = Key("stuck", FLAG, "On a last entry that isn't terminal: it stays for ever, on purpose.")
_PROGRESS = Key("progress", _PROGRESS_KIND, "In per cent: a number, or {from, to} over the stay.")
_WORD = Key("word", PLAIN_TEXT, "The provider prints this word in place of its own for the status.")
_VIDEO = Key("video", VIDEO, "On completed: the result.")
_ERROR = Key("error", FAILURE, "On failed: why.")
_DELAY = Key("delay", SPREAD, "Latency of answers while it lasts.")
_PATCH = Key("patch", PATCH, "JSON merge patch on the task as polls, batches and lists print it.")
_POLL_AFTER = Key("poll_after", DURATION, "Sent as openai-poll-after-ms.")
_ENDINGS: Final = (_FOR, _POLLS, _UNTIL)
_HOW_IT_ENDS: Final = "'for', 'polls' or 'until'"


def _check_entry(record: Record) -> None:
    status = record.get(_STATUS)
    if status is None:
        return
    if _VIDEO in record and status is not Status.COMPLETED:
        record.mistake(record.key(_VIDEO), f"'video' goes with completed, and this entry is {status}")
    if _ERROR in record and status is not Status.FAILED:
        hint = (
            "'patch' changes what is printed" if status is Status.CANCELLED else "rules refuse single calls"
        )
        record.mistake(record.key(_ERROR), f"'error' goes with failed, and this entry is {status}", hint)
    if record.get(_STUCK) and status in TERMINAL:
        record.mistake(record.key(_STUCK), f"{status} is the end anyway", "leave 'stuck' out")


def _entry(record: Record) -> Entry:
    return Entry(
        status=record[_STATUS],
        stay=record.get(_FOR),
        polls=record.get(_POLLS),
        until=record.get(_UNTIL),
        stuck=record.get(_STUCK, False),
        progress=record.get(_PROGRESS),
        word=record.get(_WORD),
        video=record.get(_VIDEO),
        failure=record.get(_ERROR),
        delay=record.get(_DELAY),
        patch=record.get(_PATCH),
        poll_after=record.get(_POLL_AFTER),
        about=record.get(ABOUT),
    )


ENTRY: Final = Table(
    "entry",
    (
        _STATUS, *_ENDINGS, _STUCK, _PROGRESS, _WORD, _VIDEO, _ERROR, _DELAY, _PATCH, _POLL_AFTER, ABOUT,
    ),
    _entry,
    constraints=(AtMostOne(*_ENDINGS, hint="an entry ends in one way"),),
    check=_check_entry,
    about="One stretch of a timeline. All but the last say how they end.",
)  # fmt: skip


class Timeline:
    """The entries of a task's life, in order."""

    expected = "a list of entries"

    def __init__(self) -> None:
        self._entries = Items(ENTRY, "entries")

    def read(self, node: Node, path: Path, report: Report) -> tuple[Entry, ...] | None:
        """The entries. Besides each of them, their order is judged."""
        entries = self._entries.read(node, path, report)
        if isinstance(node, Sequence) and node.items:
            _Order(node, path, report).check()
        return entries

    def schema(self, defs: Defs) -> Json:
        """A list of entries."""
        return self._entries.schema(defs)


_STATUSES: Final = {status.value: status for status in Status}


def _keys_of(node: Mapping) -> dict[str, tuple[Scalar, Node]]:
    known = tuple(ENTRY.keys)
    found: dict[str, tuple[Scalar, Node]] = {}
    for key, value in node.pairs:
        word_ = key.text if key.text in ENTRY.keys else wording.meant_key(key.text, known)
        found.setdefault(word_ or key.text, (key, value))
    return found


class _Order:
    """What can be said of a timeline's entries only in their order, from what stands in the file."""

    def __init__(self, node: Sequence, path: Path, report: Report) -> None:
        self.path = path
        self.report = report
        self.nodes = [item for item in node.items if isinstance(item, Mapping)]
        self.whole = len(self.nodes) == len(node.items)
        self.keys = [_keys_of(item) for item in self.nodes]
        self.statuses = [self._status(keys) for keys in self.keys]

    @staticmethod
    def _status(keys: dict[str, tuple[Scalar, Node]]) -> Status | None:
        value = keys.get("status", (None, None))[1]
        return _STATUSES.get(value.text) if isinstance(value, Scalar) else None

    def check(self) -> None:
        if not self.whole:
            return
        for index in range(len(self.nodes) - 1):
            self._middle(index)
        self._last()
        self._mixed()

    def mistake(self, index: int, spot: Any, message: str, hint: str) -> None:
        self.report.mistake("timeline", spot, (*self.path, index), message, hint)

    def _middle(self, index: int) -> None:
        keys, status = self.keys[index], self.statuses[index]
        if not any(key.word in keys for key in _ENDINGS):
            message = "this entry never ends, and yet another follows"
            self.mistake(index, self.nodes[index], message, f"give it {_HOW_IT_ENDS}")
        if _is_stuck(keys.get("stuck")):
            self.mistake(index, keys["stuck"][0], "only the last entry can be stuck", "leave 'stuck' out")
        following = self.statuses[index + 1]
        if status in TERMINAL and following is not None and following is not status:
            message = f"{following} follows {status}, but a task keeps a terminal status"
            hint = f"only another {status} entry may follow, say with another video"
            self.mistake(index + 1, self.nodes[index + 1], message, hint)

    def _last(self) -> None:
        index = len(self.nodes) - 1
        keys, status = self.keys[index], self.statuses[index]
        for ending in _ENDINGS:
            if ending.word in keys:
                message = f"the last entry lasts for ever, so {ending.word!r} has no meaning"
                hint = "leave it out, or add what follows, such as {status: completed}"
                if status in TERMINAL:
                    hint = "leave it out"
                self.mistake(index, keys[ending.word][0], message, hint)
                return
        if status is not None and status not in TERMINAL and not _is_stuck(keys.get("stuck")):
            message = f"the timeline ends with {status}, which is no end"
            hint = "add {status: completed} after it, or stuck: true to it"
            self.mistake(index, self.nodes[index], message, hint)
        self._ramp_without_end(index)

    def _ramp_without_end(self, index: int) -> None:
        keys = self.keys[index]
        if "progress" in keys and isinstance(keys["progress"][1], Mapping):
            message = "{from, to} runs over the stay of an entry, and the last one has no end"
            self.mistake(index, keys["progress"][0], message, "write one number")

    def _mixed(self) -> None:
        stays = next((index for index, keys in enumerate(self.keys) if "for" in keys), None)
        untils = next((index for index, keys in enumerate(self.keys) if "until" in keys), None)
        if stays is None or untils is None:
            return
        index, word_ = max((stays, "for"), (untils, "until"))
        hint = "'for' counts from the entry before, 'until' from the creation: use one of them"
        self.mistake(index, self.keys[index][word_][0], "'for' and 'until' stand in one timeline", hint)


def _is_stuck(pair: tuple[Scalar, Node] | None) -> bool:
    """Whether the author says so; a wrong word for "true" is a mistake of its own."""
    return pair is not None and isinstance(pair[1], Scalar) and value_of(pair[1]) is not False


TIMELINE: Final = Timeline()

# Choices

_CHOICE_NAME = Key("name", NAME, "Its name, for journal and preview.")
_WEIGHT = Key(
    "weight",
    number("a number above 0", 0, 1e9),
    "How often it is drawn, relative to the others; 1 where left out.",
)
_CHOICE_TIMELINE = Key("timeline", TIMELINE, "What happens; left out: the happy path.")


def _choice(record: Record) -> Choice:
    happy = Choice()
    return Choice(
        entries=record.get(_CHOICE_TIMELINE, happy.entries),
        name=record.get(_CHOICE_NAME),
        weight=record.get(_WEIGHT, happy.weight),
        about=record.get(ABOUT),
    )


CHOICES: Final = Items(
    Table(
        "choice",
        (_CHOICE_NAME, _WEIGHT, _CHOICE_TIMELINE, ABOUT),
        _choice,
        about="One of the timelines that a task may get.",
    ),
    "choices",
)


def with_defaults(choice: Choice, default: Video) -> Choice:
    """The choice with the default's life and size for each video that the emulator serves and that says none."""
    entries = tuple(_with_defaults(entry, default) for entry in choice.entries)
    return msgspec.structs.replace(choice, entries=entries)


def _with_defaults(entry: Entry, default: Video) -> Entry:
    own = entry.video or Video()
    if entry.status is not Status.COMPLETED or own.url is not None:
        return entry
    video = msgspec.structs.replace(
        own,
        expires_in=default.expires_in if own.expires_in is None else own.expires_in,
        size=default.size if own.size is None else own.size,
    )
    return entry if video == own else msgspec.structs.replace(entry, video=video)
