"""How creates are judged: who asks for the same again, though it had been promised, pays twice."""

from typing import Any

import pytest

from emulator.core.expectations import CreateExpectations, Expectations
from emulator.core.scenario import Scenario
from emulator.core.task import Task
from emulator.core.words import Status
from tests.report.diary import DONE, Diary, a_task, check, ends, verdict

REPEATED = "create.repeated"


def made(*requests: Any, **told: Any) -> Diary:
    """One accepted create for each request."""
    diary = Diary()
    for number, request in enumerate(requests):
        diary.create(a_task(f"video_{number}", request=request), **told)
    return diary


def allowing(count: int) -> Expectations:
    """So many repeated creates are fine."""
    return Expectations(create=CreateExpectations(repeated=count))


def test_the_same_create_twice_is_told_with_both() -> None:
    """The second is the one too many."""
    found = check(REPEATED, made({"prompt": "a"}, {"prompt": "b"}, {"prompt": "a"}))
    assert (found.verdict, found.judged, found.failures) == ("failed", 3, 1)
    assert found.why == "1 of 3 accepted creates repeated an earlier one."
    (evidence,) = found.evidence
    assert (evidence.task, [seen.request for seen in evidence.requests]) == ("video_2", [1, 3])
    assert evidence.expected == "at most 0 repeated, as for every client"


@pytest.mark.parametrize(("allowed", "failures"), [(0, 3), (1, 2), (3, 0)])
def test_so_many_repeats_as_are_expected_are_fine(allowed: int, failures: int) -> None:
    """Each after the first counts."""
    diary = made(*[{"prompt": "a"}] * 4)
    assert check(REPEATED, diary, allowing(allowed)).failures == failures
    assert check(REPEATED, diary, scenario=allowing(allowed)).failures == failures


def test_each_scenario_allows_for_its_own() -> None:
    """Those of another don't use them up."""
    generous = Scenario(name="generous", digest="1", expect=allowing(1))
    diary = Diary()
    for number, version in enumerate([generous.version, generous.version, "under-test@abc"]):
        diary.create(a_task(f"video_{number}", version=version))
    found = check(REPEATED, diary, scenarios={generous.version: generous})
    assert [evidence.task for evidence in found.evidence] == ["video_2"]


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}, "failed"),
        ({"a": 1}, {"a": "1"}, "passed"),
        ({"a": [1, 2]}, {"a": [2, 1]}, "passed"),
        ({"a": [{"filename": "x"}]}, {"a": [{"filename": "x"}]}, "failed"),
        ({"prompt": "x" * 5000 + "1"}, {"prompt": "x" * 5000 + "2"}, "passed"),
    ],
)
def test_requests_are_equal_that_say_the_same(one: Any, other: Any, wanted: str) -> None:
    """In whatever order, and to their last letter, though the journal cuts long ones."""
    assert verdict(REPEATED, made(one, other)) == wanted


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"key": b"sk-one-client"}, {"key": b"sk-another-client"}),
        ({"key": b""}, {"key": b"sk-another-client"}),
        ({"status_code": 500}, {}),
        ({"status_code": 429}, {}),
    ],
)
def test_another_key_or_a_refusal_makes_it_no_repeat(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Who was refused must ask again."""
    diary = Diary()
    diary.create(a_task("video_1"), **first)
    diary.create(a_task("video_2"), **second)
    assert verdict(REPEATED, diary) == "passed"


def test_a_refused_create_makes_no_task() -> None:
    """Nor is it one to judge."""
    diary = Diary()
    for status_code in (429, 400, 200):
        diary.add("create", None, method="POST", status_code=status_code)
    assert check(REPEATED, diary).why == "No create was accepted."


def test_who_hangs_up_on_a_held_create_has_asked_for_it() -> None:
    """Its task is made all the same, so asking again pays twice."""
    diary = Diary()
    diary.create(a_task("video_1"), status_code=499)
    diary.create(a_task("video_2"))
    assert verdict(REPEATED, diary) == "failed"


def test_another_provider_makes_it_no_repeat() -> None:
    """Each is asked for itself."""
    diary = Diary()
    diary.create(a_task("video_1"))
    diary.create(a_task("video_1", provider="ezmodel"))
    assert verdict(REPEATED, diary) == "passed"


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_who_saw_the_task_fail_asks_again(status: Status) -> None:
    """Once: nothing came of what was asked before."""
    lost = a_task("video_1", timeline=ends(status))
    diary = Diary()
    diary.create(lost)
    diary.poll(lost)
    diary.create(a_task("video_2"))
    assert verdict(REPEATED, diary) == "passed"
    diary.create(a_task("video_3"))
    assert verdict(REPEATED, diary) == "failed"


@pytest.mark.parametrize("ask", ["poll", "refused", "content"])
def test_who_did_not_see_it_fail_has_no_reason(ask: str) -> None:
    """Or saw it go well."""
    task: Task = {"poll": DONE}.get(ask, a_task(timeline=ends(Status.FAILED)))
    diary = Diary()
    diary.create(task)
    if ask == "content":
        diary.content(task, status_code=400)
    else:
        getattr(diary, ask)(task)
    diary.create(a_task("video_2"))
    assert verdict(REPEATED, diary) == "failed"


def test_who_came_too_late_for_the_result_asks_again() -> None:
    """Its link was dead."""
    diary = Diary()
    diary.create(DONE)
    diary.download(DONE, status_code=403, expired=True)
    diary.create(a_task("video_2"))
    assert verdict(REPEATED, diary) == "passed"


def test_what_failed_takes_only_its_own_promise_back() -> None:
    """That of the other create stands."""
    first, second = a_task("video_1", timeline=ends(Status.FAILED)), a_task("video_2")
    diary = Diary()
    diary.create(first)
    diary.create(second)
    diary.poll(first)
    diary.create(a_task("video_3"))
    assert [evidence.task for evidence in check(REPEATED, diary).evidence] == ["video_2", "video_3"]


def test_of_files_only_the_names_are_known() -> None:
    """So nobody can tell whether two that differ in nothing else are the same."""
    file = {"filename": "cat.png", "content_type": "image/png", "size": 100}
    same = {"prompt": "a", "images": [{"input_reference": file}]}
    found = check(REPEATED, made(same, same))
    assert (found.verdict, found.judged) == ("not judged", 1)
    assert found.why.startswith(
        "1 of 2 accepted creates can't be judged: it equals one before but for its files"
    )
    assert verdict(REPEATED, made(same, {"images": [{"input_reference": {**file, "size": 101}}]})) == "passed"


def test_one_task_alone_is_judged_with_all_known() -> None:
    """The create before it is another task's."""
    diary = made({"prompt": "a"}, {"prompt": "a"}, {"prompt": "a"})
    found = check(REPEATED, diary, task="video_1")
    assert (found.judged, found.failures) == (1, 1)
    assert verdict(REPEATED, diary, task="video_0") == "passed"
