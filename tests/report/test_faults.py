"""What broke on the wire is never held against the client, and nothing in it counts as told."""

from typing import Any, Final

import pytest

from emulator.core.effects import Fault, Place
from emulator.core.rules import Conditions, Rule, Verdict
from emulator.core.units import MILLISECOND, SECOND
from emulator.core.words import FaultName
from tests.report.diary import DONE, Diary, a_task, check, verdict

WIRE: Final = (FaultName.CONNECTION_RESET, FaultName.TRUNCATE_BODY, FaultName.HANG, FaultName.RANDOM_DATA)


def struck(name: FaultName = FaultName.CONNECTION_RESET, **told: Any) -> dict[str, Any]:
    """What an exchange tells that a fault struck."""
    rule = Rule(id="r", conditions=Conditions(), effect=Fault(name=name, place=Place(share=0.5)))
    return {"stage": "rules", "verdict": Verdict(rule=rule, fired=("r",)), **told}


@pytest.mark.parametrize("name", WIRE)
def test_who_is_cut_off_may_poll_again_at_once(name: FaultName) -> None:
    """The gap after a broken answer isn't judged; the one after a whole answer is."""
    diary, task = Diary(), a_task()
    diary.poll(task)
    diary.wait(2 * SECOND)
    diary.poll(task, **struck(name))
    diary.wait(MILLISECOND)
    diary.poll(task)
    assert verdict("poll.min_interval", diary) == "passed"
    diary.wait(MILLISECOND)
    diary.poll(task)
    assert verdict("poll.min_interval", diary) == "failed"


def test_a_page_in_place_of_an_answer_asks_for_the_pace_after_an_error() -> None:
    """It came whole: the client knows that something is wrong."""
    diary, task = Diary(), a_task()
    diary.poll(task, **struck(FaultName.INVALID_JSON))
    diary.wait(400 * MILLISECOND)
    diary.poll(task)
    assert verdict("poll.min_interval", diary) == "passed"
    diary.poll(task, **struck(FaultName.HTML_ERROR_PAGE, status_code=502))
    diary.wait(MILLISECOND)
    diary.poll(task)
    assert verdict("poll.min_interval", diary) == "failed"


def test_a_wait_that_never_came_is_none_to_honour() -> None:
    """Unless it stands on a page that did."""
    fields = {b"retry-after": b"5"}
    diary, task = Diary(), a_task()
    diary.poll(task, **struck(headers=fields))
    diary.wait(SECOND)
    diary.poll(task)
    assert verdict("poll.honours_retry_after", diary) == "not judged"
    diary.poll(task, **struck(FaultName.HTML_ERROR_PAGE, headers=fields, status_code=502))
    diary.wait(SECOND)
    diary.poll(task)
    assert verdict("poll.honours_retry_after", diary) == "failed"


def test_an_end_that_was_lost_was_not_seen() -> None:
    """Who didn't get it polls on."""
    diary = Diary()
    diary.poll(DONE, **struck())
    diary.wait(2 * SECOND)
    diary.poll(DONE)
    assert verdict("poll.after_terminal", diary) == "passed"
    diary.wait(2 * SECOND)
    diary.poll(DONE)
    assert verdict("poll.after_terminal", diary) == "failed"


def test_of_a_create_whose_answer_was_lost_nobody_can_know() -> None:
    """To ask again is all that a client can do; to ask a third time isn't."""
    diary = Diary()
    diary.create(a_task("one"), **struck())
    diary.create(a_task("two"))
    found = check("create.repeated", diary)
    assert (found.judged, found.failures) == (1, 0)
    assert "whose answer a fault broke" in found.why
    diary.create(a_task("three"))
    assert verdict("create.repeated", diary) == "failed"


def part(first: int, last: int) -> dict[str, Any]:
    """What a download of a part tells."""
    field = {b"content-range": f"bytes {first}-{last}/100".encode()}
    return {"status_code": 206, "headers": field, "answer_size": last - first + 1}


def test_a_download_that_broke_off_is_none_until_the_rest_is_fetched() -> None:
    """By Range, which begins where the first one ended."""
    diary = Diary()
    diary.poll(DONE)
    half = {"headers": {b"content-length": b"100"}, "answer_size": 50}
    diary.download(DONE, **struck(FaultName.TRUNCATE_BODY, **half))
    assert verdict("download.at_least", diary) == "failed"
    diary.download(DONE, **part(50, 99))
    assert verdict("download.at_least", diary) == "passed"


@pytest.mark.parametrize(
    "name", [FaultName.WRONG_LENGTH, FaultName.EMPTY_RESPONSE, FaultName.HTML_ERROR_PAGE]
)
def test_what_is_no_part_of_a_result_counts_for_nothing(name: FaultName) -> None:
    """A download has to come whole, some time."""
    diary = Diary()
    diary.poll(DONE)
    diary.download(DONE, **struck(name, headers={b"content-length": b"100"}, answer_size=100))
    assert verdict("download.at_least", diary) == "failed"
    diary.download(DONE)
    assert verdict("download.at_least", diary) == "passed"
