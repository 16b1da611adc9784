"""What holds whatever a client does: who keeps the rules is never failed, who breaks one is caught for that alone."""

from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.expectations import Expectations, PollExpectations
from emulator.journal import Record
from emulator.messages.report import Basis, Report
from emulator.report import CHECKS, Question, as_junit, as_text, judge, report_on
from emulator.report.terms import Book
from tests.report.player import Plan, Player, plans, temptations
from tests.worlds import World

MISDEEDS: Final = [
    "poll.min_interval",
    "poll.max_interval",
    "poll.after_terminal",
    "poll.honours_retry_after",
    "poll.honours_poll_after",
    "create.repeated",
    "download.at_least",
    "download.before_expiry",
    "download.without_key",
]


ELSEWHERE: Final = ["callback.answered"]
"""Not by what a client asks: test_callbacks has real receivers."""


def reports(world: World) -> Iterator[Report]:
    """The report by the emulator's clock, and the one on a client that did the same in real time."""
    yield report_on(world.namespace, Question(clock="emulator"))
    book = Book(world.scenario, world.namespace.ledger.scenarios)
    yield judge(map(in_real_time, world.namespace.journal), book, Question())


def in_real_time(record: Record) -> Record:
    """The same request at the same instant, by a machine's clock that the emulator's runs with."""
    return msgspec.structs.replace(record, mode="real", wall=record.reply.now)


def failed(found: Report) -> list[str]:
    """The checks that failed."""
    return [check.id for check in found.checks if check.verdict == "failed"]


def test_every_check_has_its_misdeed() -> None:
    """And none is forgotten."""
    assert len(MISDEEDS) + len(ELSEWHERE) == len(CHECKS)


@given(plans())
def test_a_client_that_keeps_the_rules_is_never_failed(plan: Plan) -> None:
    """Whatever it meets: refusals, waits, hints, failures, in its own pace."""
    player = Player(plan)
    player.run()
    for found in reports(player.world):
        assert failed(found) == []
        assert found.verdict == "passed"
    unknown = report_on(player.world.namespace, Question())
    assert {c.verdict for c in unknown.checks if "interval" in c.id or "honours" in c.id} == {"not judged"}


@pytest.mark.parametrize("misdeed", MISDEEDS)
@settings(max_examples=30)
@given(data=st.data())
def test_one_misdeed_is_found_and_nothing_else(misdeed: str, data: st.DataObject) -> None:
    """Once in a client's life is enough."""
    player = Player(data.draw(temptations(misdeed)), misdeed)
    player.run()
    assert player.has_misbehaved
    for found in reports(player.world):
        assert failed(found) == [misdeed]
        (check,) = [check for check in found.checks if check.id == misdeed]
        assert check.failures == len(check.evidence) == 1


# Whatever a journal holds

_KEYS: Final = [
    "Bearer sk-secret-one",
    "Bearer sk-ns-default--secret-two",
    "sk-secret-three",
    "Basic c2VjcmV0",
    "",
]
_IDS: Final = ["t", "done", "dead", "led", "nobody", "sk-secret-one", "a/b", "\u00e9"]
_VIDEO: Final = "/octopusx/v1/videos"
SCENARIO: Final = """
version: 1
unknown_task: start
tasks:
  - {id: t, created: -1h, timeline: [{status: queued, polls: 2, poll_after: 5s}, {status: failed}]}
  - {id: done, timeline: [{status: completed}]}
  - {id: dead, timeline: [{status: completed, video: {expires_in: 0s}}]}
  - {id: led, timeline: [{status: completed, video: {content: redirect, url: "http://[{{ request.prompt }}"}}]}
  - {timeline: [{status: completed, video: {content: redirect}}]}
rules:
  - {operation: poll, calls: 3, error: rate_limited, retry_after: {http_date: 5s}}
  - {operation: poll, calls: 4, respond: {status_code: 200, headers: {Retry-After: soon, Location: x}, text: "{"}}
  - {operation: [create, download, content], calls: every 3, error: unavailable, retry_after: 2s}
  - {operation: poll, calls: 5, patch: {status: odd, response: 5}, headers: {openai-poll-after-ms: "1e3"}}
expect: {poll: {max_interval: 2s}, create: {repeated: 1}}
"""


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, Any, dict[str, str]]:
    """Any request, good or bad."""
    name = draw(st.sampled_from(_IDS))
    key = draw(st.sampled_from(_KEYS))
    headers = {"authorization": key} if key else {}
    ids = draw(st.lists(st.sampled_from(_IDS), max_size=4))
    one, many = {"action": "retrieve", "id": name}, {"action": "retrieve_batch", "ids": ids}
    batch = draw(st.sampled_from([one, many, b"{", b""]))
    method, path, body = draw(
        st.sampled_from(
            [
                ("GET", f"{_VIDEO}/{name}", None),
                ("HEAD", f"{_VIDEO}/{name}", None),
                ("GET", f"{_VIDEO}/{name}/content", None),
                ("POST", _VIDEO, {"prompt": draw(st.sampled_from(["a", "b", "scenario:flaky-polls"]))}),
                ("POST", _VIDEO, b"{"),
                ("POST", "/acedata/sora/tasks", batch),
                ("POST", "/acedata/sora/videos", {"async": True}),
                (
                    "GET",
                    f"/media/octopusx/{name}/720x1280-4s/videos/x.mp4?expires=99999999999&signature=x",
                    None,
                ),
                ("GET", "/media/nobody?token=sk-secret-one", None),
                ("PATCH", "/octopusx/v9", None),
            ]
        )
    )
    return method, path, body, headers


@given(
    st.lists(st.tuples(requests(), st.integers(0, 3_000_000)), max_size=25),
    st.sampled_from([None, "real", "emulator"]),
    st.integers(0, 10),
    st.booleans(),
)
def test_any_journal_gives_a_report(
    conversation: list[tuple[Any, int]], clock: Basis | None, after: int, in_real: bool
) -> None:
    """In every form, with its counts right and without any API key."""
    world = World(SCENARIO)
    world.get("/v1/models", headers={"authorization": "Bearer sk-secret-one"})
    for (method, path, body, headers), wait in conversation:
        world.call(method, path.replace("\u00e9", "%C3%A9"), body, headers=headers)
        world.advance(wait)
    records = [in_real_time(record) if in_real else record for record in world.namespace.journal]
    book = Book(world.scenario, world.namespace.ledger.scenarios)
    expect = Expectations(poll=PollExpectations(honours_retry_after=False)) if in_real else None
    for question in (
        Question(clock=clock, after=after, expect=expect),
        Question(clock=clock, task="done"),
    ):
        found = judge(records, book, question, dropped=0)
        told = [msgspec.json.encode(found).decode(), as_text(found), as_junit(found)]
        assert not any("secret" in text for text in told)
        ET.fromstring(told[2].encode())  # noqa: S314 - our own
        for check in found.checks:
            assert 0 <= check.failures <= check.judged
            assert bool(check.evidence) == bool(check.failures) == (check.verdict == "failed")
            assert check.judged or check.verdict != "passed"
        assert found.passed + found.failed + found.not_judged == len(found.checks)


@given(plans(), st.integers(1, 20))
def test_what_was_dropped_passes_nothing_and_fails_nobody(plan: Plan, dropped: int) -> None:
    """Of a client that keeps the rules, however much of its beginning is gone."""
    player = Player(plan)
    player.run()
    journal = player.world.namespace.journal
    journal.drop_oldest(min(dropped, len(journal)))
    found = report_on(player.world.namespace, Question(clock="emulator"))
    assert found.verdict == "not judged"
    assert (found.passed, failed(found)) == (0, [])
