"""Whether a client pays twice for one video."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
import orjson

from emulator.core.seeded import key_of
from emulator.core.task import Task
from emulator.core.words import OperationName, Status
from emulator.exchanges import LEFT
from emulator.journal import Record
from emulator.messages.report import Check, Evidence
from emulator.report.findings import Case, Criterion, Tally, concluded, of
from emulator.report.gauge import Unknown
from emulator.report.history import Identity, Life, caller, identity, is_answered, is_lost, tasks_in
from emulator.report.terms import Said

REPEATED: Final = Criterion(
    "create.repeated",
    "No video is asked for twice",
    "accepted creates",
    "No create was accepted.",
)
_FILES: Final = Unknown("it equals one before but for its files, whose content nobody keeps")
_LOST: Final = Unknown(
    "it equals one before whose answer a fault broke, so that its client can't know what became of it"
)
_FILE: Final = frozenset({"filename", "content_type", "size"})
_FAILED: Final = frozenset({Status.FAILED, Status.CANCELLED})


class _Standing(msgspec.Struct):
    """The accepted creates whose task may still give its client the video, by what they ask for."""

    creates: dict[bytes, dict[Identity, Record]] = {}
    asked: dict[Identity, bytes] = {}

    def add(self, record: Record, task: Task) -> Record | None:
        """Take one more, and give the one before it that asked for the same."""
        asked = self.asked[identity(task)] = _asked(record, task)
        same = self.creates.setdefault(asked, {})
        before = next(reversed(same.values()), None)
        same[identity(task)] = record
        return before

    def forget_failed(self, record: Record) -> None:
        """Forget the creates of tasks that, as this answer tells, give no video any more: who asks again must."""
        for task, snapshot in tasks_in(record.reply):
            is_seen = is_answered(record) and snapshot is not None and snapshot.status in _FAILED
            asked = self.asked.get(identity(task))
            if asked is not None and (is_seen or record.reply.expired):
                self.creates[asked].pop(identity(task), None)


def repeated(case: Case) -> Check:
    """No accepted create equals one accepted before whose task hasn't failed: same provider, key and request."""
    tally, standing = Tally(), _Standing()
    counts: dict[str | None, int] = {}
    for record in case.history.records:
        task = _accepted(record)
        if task is None:
            standing.forget_failed(record)
            continue
        before = standing.add(record, task)
        life = case.history.lives[identity(task)]
        if not case.judges(life) or not case.asks_about(record):
            continue
        if before is None:
            tally.fine()
        elif is_lost(before):
            tally.unsure(_LOST)
        elif _has_file(orjson.loads(task.request)):
            tally.unsure(_FILES)
        else:
            counts[life.version] = counts.get(life.version, 0) + 1
            said = case.terms(life).said_or(lambda expected: expected.create.repeated, 0)
            if counts[life.version] <= said.value:
                tally.fine()
            else:
                tally.fail(partial(_repeats, case, life, (before, record), said))
    told = f"{of(tally.failures, tally.judged, REPEATED.cases)} repeated an earlier one."
    return concluded(REPEATED, tally, case, told)


def _accepted(record: Record) -> Task | None:
    reply = record.reply
    if record.operation != OperationName.CREATE:
        return None
    # Whoever hangs up on a create that is held has made its task, and pays for it, all the same.
    return reply.task if 200 <= reply.status_code < 300 or reply.status_code == LEFT else None


def _asked(record: Record, task: Task) -> bytes:
    """A digest of what a create asks for, whatever the order in which it says so."""
    # Of the request the task keeps all, where the journal cuts it.
    request = orjson.dumps(orjson.loads(task.request), option=orjson.OPT_SORT_KEYS)
    return key_of(task.provider, caller(record), request)


def _has_file(value: Any) -> bool:
    """Whether a request holds an uploaded file, of which name, type and size are all that is kept."""
    if isinstance(value, Mapping):
        return value.keys() == _FILE or any(map(_has_file, value.values()))
    return isinstance(value, list) and any(map(_has_file, value))


def _repeats(case: Case, life: Life, records: tuple[Record, Record], said: Said[int]) -> Evidence:
    before, record = records
    return case.evidence(
        f"Request {record.number} was accepted, and asks for the same as request {before.number}, which had been "
        f"accepted with the same key.",
        life,
        [before, record],
        "repeated",
        f"at most {said.value} repeated, {said.by}",
    )
