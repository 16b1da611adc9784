"""What a client does with results: whether it fetches them, in time, and keeps its API key to itself."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, unquote_to_bytes, urlsplit

from emulator.core.task import Snapshot
from emulator.core.words import FaultName, OperationName
from emulator.journal import Record
from emulator.messages.report import Check, Evidence
from emulator.report.findings import Case, Criterion, Tally, concluded, of
from emulator.report.gauge import Unknown
from emulator.report.history import Life, has_link, shows_live_link
from emulator.report.terms import Said

_IN_MEDIA: Final = re.compile(r"(?:/ns/[^/]+)?/media/")

# How often

AT_LEAST: Final = Criterion(
    "download.at_least",
    "Finished results are downloaded",
    "finished results",
    "No answer to a poll gave a link of the emulator's that still lived.",
)
_DROPPED: Final = Unknown("its download may be among the requests that the journal no longer has")
_LEAVING_A_PART: Final = frozenset({FaultName.CONNECTION_RESET, FaultName.TRUNCATE_BODY, FaultName.STALL})
_PART: Final = re.compile(rb"bytes [0-9]+-[0-9]+/([0-9]{1,15})")


def at_least(case: Case) -> Check:
    """Each result whose link the client was given while it lived is downloaded as often as expected."""
    tally = Tally()
    for life in case.lives():
        shown = [record for record, snapshot in life.looks if shows_live_link(life, record, snapshot)]
        if not any(map(case.asks_about, shown)):
            continue
        said = case.terms(life).said(lambda expected: expected.download.at_least) or case.book.downloads
        fetched = [record for record in _fetches(case, life) if _is_fetched(record)]
        if said.value == 0:
            tally.waive(said.by)
        elif _times(fetched) >= said.value:
            tally.fine()
        elif not case.history.is_whole(life):
            tally.unsure(_DROPPED)
        else:
            tally.fail(partial(_too_seldom, case, life, [shown[0], *fetched], said))
    told = f"{of(tally.failures, tally.judged, AT_LEAST.cases)} were downloaded too seldom."
    return concluded(AT_LEAST, tally, case, told)


def _first(life: Life, shows: Callable[[Life, Record, Snapshot], bool]) -> Record | None:
    return next((record for record, snapshot in life.looks if shows(life, record, snapshot)), None)


def _fetches(case: Case, life: Life) -> Iterator[Record]:
    """Every request for the task's result, those among them that came when the task itself had been given up."""
    yield from life.fetches
    yield from case.history.orphans.get((life.task.provider, life.task.id), ())


def _is_fetched(record: Record) -> bool:
    """Whether bytes of the result were sent. What a redirect leads to is a request of its own, if it is ours.

    A picture of the video isn't the video.
    """
    reply = record.reply
    if record.method != "GET" or reply.variant != "video":
        return False
    if reply.verdict.fault is not None:
        return _is_a_beginning(record)
    if reply.status_code == 302:
        return not _IN_MEDIA.match(_target(record).path)
    return reply.status_code in {200, 206}


def _is_a_beginning(record: Record) -> bool:
    """Whether a fault left a client the beginning of a result, which it may fetch the rest of."""
    fault = record.reply.verdict.fault
    return (
        fault is not None
        and fault.name in _LEAVING_A_PART
        and record.reply.status_code in {200, 206}
        and record.answer_size > 0
    )


def _times(records: list[Record]) -> int:
    """How often a result was downloaded: parts add up."""
    parts: dict[int, int] = {}
    whole = 0
    for record in records:
        size = _whole_size(record)
        if size is None:
            whole += 1
        else:
            parts[size] = parts.get(size, 0) + record.answer_size
    return whole + sum(sent // size for size, sent in parts.items())


def _whole_size(record: Record) -> int | None:
    """The size of what a part was sent of; ``None``: it wasn't a part."""
    if record.reply.status_code == 200 and _is_a_beginning(record):
        announced = dict(record.reply.headers).get(b"content-length", b"")
        return max(1, int(announced)) if announced.isdigit() else None
    told = dict(record.reply.headers).get(b"content-range", b"")
    found = _PART.fullmatch(told) if record.reply.status_code == 206 else None
    return None if found is None else max(1, int(found[1]))


def _too_seldom(case: Case, life: Life, records: list[Record], said: Said[int]) -> Evidence:
    times = _times(records[1:])
    return case.evidence(
        f"Request {records[0].number} gave the link to the finished result, and it was downloaded "
        f"{'once' if times == 1 else f'{times} times'}.",
        life,
        records,
        str(times),
        f"at least {said.value}, {said.by}",
    )


# In time

BEFORE_EXPIRY: Final = Criterion(
    "download.before_expiry",
    "Results are fetched while their links live",
    "requests for results",
    "No finished result was asked for.",
)
_BORN_DEAD: Final = Unknown("the link was dead when the client first saw it")


def before_expiry(case: Case) -> Check:
    """No result is asked for after its link has died."""
    tally = Tally()
    for record, life in _results_asked(case):
        said = case.terms(life).said(lambda expected: expected.download.before_expiry)
        if said is not None and not said.value:
            tally.waive(said.by)
        elif not record.reply.expired:
            tally.fine()
        elif said is None and life is not None and _was_born_dead(life):
            tally.unsure(_BORN_DEAD)
        else:
            by = Said(True, "as for every client") if said is None else said
            tally.fail(partial(_too_late, case, life, record, by))
    told = f"{of(tally.failures, tally.judged, BEFORE_EXPIRY.cases)} came after the link had died."
    return concluded(BEFORE_EXPIRY, tally, case, told)


def _results_asked(case: Case) -> Iterator[tuple[Record, Life | None]]:
    """The requests for finished results, in their order, each with its task where that is known."""
    lives = case.history.lives
    known = {record.number: life for life in lives.values() for record in life.fetches}
    for record in case.history.records:
        if record.operation not in {OperationName.CONTENT, OperationName.DOWNLOAD} or record.method == "HEAD":
            continue
        life = known.get(record.number)
        is_asked = record.reply.expired or record.reply.status_code < 400
        if is_asked and case.judges(life) and case.asks_about(record):
            yield record, life


def _was_born_dead(life: Life) -> bool:
    """Whether the client never had the chance: the first link that it was given was dead already."""
    return _first(life, has_link) is not _first(life, shows_live_link)


def _too_late(case: Case, life: Life | None, record: Record, said: Said[bool]) -> Evidence:
    return case.evidence(
        f"Request {record.number} asked for a result whose link had died.",
        life,
        [record],
        "after the link had died",
        f"before it dies, {said.by}",
    )


# With what

WITHOUT_KEY: Final = Criterion(
    "download.without_key",
    "API keys don't go to where the media lie",
    "requests for media",
    "No link was followed.",
)
_REDIRECTED: Final = Unknown(
    "a redirect of the content route led there on the same host, where HTTP libraries keep the Authorization "
    "header; the real media lie on another host, where they drop it"
)
_KEY_HEADERS: Final = (
    b"authorization",
    b"x-api-key",
    b"api-key",
    b"apikey",
    b"x-auth-token",
    b"x-access-token",
    b"x-goog-api-key",
)
_KEY_PARAMETERS: Final = frozenset(
    {
        "key",
        "api_key",
        "api-key",
        "apikey",
        "x-api-key",
        "token",
        "access_token",
        "auth_token",
        "authorization",
    }
)
_WORDS: Final = re.compile(rb"[\s,;:=&\"']+")
_SHORTEST_KEY: Final = 8
"""A shorter one may stand in a header by accident."""


def without_key(case: Case) -> Check:
    """No request for media carries an API key: the links are signed, and their host is somebody else's."""
    tally = Tally()
    redirects: Counter[tuple[str, bytes]] = Counter()
    lives = {record.number: life for life in case.history.lives.values() for record in life.fetches}
    for record in case.history.records:
        life, target = lives.get(record.number), (record.path, record.query)
        is_redirected = redirects[target] > 0
        redirects[target] -= is_redirected
        if record.reply.status_code == 302:
            redirects.update(_same_host_target(record))
        if _IN_MEDIA.match(record.path) and case.judges(life) and case.asks_about(record):
            _judge_key(case, record, life, is_redirected, tally)
    told = f"{of(tally.failures, tally.judged, WITHOUT_KEY.cases)} were sent with an API key."
    return concluded(WITHOUT_KEY, tally, case, told)


def _judge_key(case: Case, record: Record, life: Life | None, is_redirected: bool, tally: Tally) -> None:
    said = case.terms(life).said_or(lambda expected: expected.download.without_key, True)
    place = _place_of_key(record, case.history.keys)
    if not said.value:
        tally.waive(said.by)
    elif place is None:
        tally.fine()
    elif is_redirected and place == _told_header(b"authorization"):
        tally.unsure(_REDIRECTED)
    else:
        tally.fail(partial(_leaked, case, life, record, (case.told(place), said.by)))


def _target(record: Record) -> SplitResult:
    """Where a redirect leads."""
    try:
        return urlsplit(dict(record.reply.headers).get(b"location", b"").decode("latin-1"))
    except ValueError:
        return urlsplit("")  # an author's own link may be broken


def _same_host_target(record: Record) -> Iterator[tuple[str, bytes]]:
    """Path and query of a redirect that leads to the host that was asked."""
    target = _target(record)
    if target.netloc.encode() == record.headers.get(b"host", b""):
        yield unquote(target.path), target.query.encode()


def _place_of_key(record: Record, keys: frozenset[bytes]) -> str | None:
    """Where a request has an API key; ``None``: nowhere."""
    headers = record.headers
    named = next((name for name in _KEY_HEADERS if headers.get(name, b"").strip()), None)
    if named is not None:
        return _told_header(named)
    for name, _ in parse_qsl(record.query.decode("latin-1")):  # empty ones aren't given
        if name.lower() in _KEY_PARAMETERS:
            return f"the query's {name}"
    if _holds_any(unquote_to_bytes(record.query), keys):
        return "the query"
    found = next((name for name, value in headers.items() if _holds_any(value, keys)), None)
    return None if found is None else _told_header(found)


def _holds_any(text: bytes, keys: frozenset[bytes]) -> bool:
    """Whether a word of the text is a key."""
    words = (word for word in _WORDS.split(text) if len(word) >= _SHORTEST_KEY)
    return any(word in keys for word in words)


def _told_header(name: bytes) -> str:
    return f"the header {name.decode('latin-1')[:60]}"


def _leaked(case: Case, life: Life | None, record: Record, told: tuple[str, str]) -> Evidence:
    place, by = told
    return case.evidence(
        f"Request {record.number} sent an API key to where the media lie, in {place}.",
        life,
        [record],
        place,
        f"no API key, {by}",
    )
