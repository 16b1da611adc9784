"""How downloads are judged: made, in time, and without the API key."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.core.expectations import DownloadExpectations, Expectations
from emulator.core.plan import Video
from emulator.core.task import Task
from emulator.core.units import HOUR
from emulator.core.words import Status
from tests.report.diary import DONE, DONE_FOR_AN_HOUR, KEY, Diary, a_task, check, ends, link_of, verdict

AT_LEAST = "download.at_least"
IN_TIME = "download.before_expiry"
KEYLESS = "download.without_key"


def downloads(**expected: Any) -> Expectations:
    """What is expected of downloads."""
    return Expectations(download=DownloadExpectations(**expected))


def seen(*tasks: Task, **told: Any) -> Diary:
    """Each task polled once."""
    diary = Diary()
    for task in tasks:
        diary.poll(task, **told)
    return diary


def part(first: int, last: int, whole: int = 100) -> dict[str, Any]:
    """What a download tells that was one of a part."""
    return {
        "status_code": 206,
        "headers": {b"content-range": f"bytes {first}-{last}/{whole}".encode()},
        "answer_size": last - first + 1,
    }


# Made


def test_a_result_that_was_never_downloaded_is_told() -> None:
    """With the answer that gave its link."""
    diary = seen(a_task(), DONE)
    found = check(AT_LEAST, diary)
    assert (found.verdict, found.judged, found.failures) == ("failed", 1, 1)
    (evidence,) = found.evidence
    assert evidence.about == "Request 2 gave the link to the finished result, and it was downloaded 0 times."
    assert (evidence.measured, evidence.expected) == ("0", "at least 1, as for every client")
    diary.download(DONE)
    assert verdict(AT_LEAST, diary) == "passed"


FETCHES: dict[str, tuple[Callable[[Diary], object], int]] = {
    "link": (lambda d: d.download(DONE), 1),
    "content": (lambda d: d.content(DONE), 1),
    "both": (lambda d: [d.download(DONE), d.content(DONE)], 2),
    "range-of-all": (lambda d: d.download(DONE, **part(0, 99)), 1),
    "two-halves": (lambda d: [d.download(DONE, **part(0, 49)), d.download(DONE, **part(50, 99))], 1),
    "first-byte": (lambda d: d.download(DONE, **part(0, 0)), 0),
    "part-of-unknown": (lambda d: d.download(DONE, status_code=206), 1),
    "thumbnail": (lambda d: d.content(DONE, variant="thumbnail"), 0),
    "long": (lambda d: d.add("download", None, path=long_link_of(DONE), stage="link"), 1),
    "head": (lambda d: d.download(DONE, method="HEAD"), 0),
    "not-modified": (lambda d: d.download(DONE, status_code=304), 0),
    "forbidden": (lambda d: d.download(DONE, status_code=403), 0),
    "another-task": (lambda d: d.download(a_task("video_2")), 0),
    "redirect-elsewhere": (lambda d: led_to(d, "https://cdn.test/x.mp4"), 1),
    "redirect-to-us": (lambda d: led_to(d, f"http://e.test{link_of(DONE)}?x=1"), 0),
    "redirect-nowhere": (lambda d: led_to(d, "http://[broken"), 1),
    "task-given-up": (lambda d: d.add("download", None, path=link_of(DONE), stage="link"), 1),
    "another-given-up": (lambda d: d.add("download", None, path=link_of(a_task("video_2")), stage="link"), 0),
}


def long_link_of(task: Task) -> str:
    """The path of the link to a result that is padded."""
    return link_of(task).replace("-4s/", "-4s-200000000b/")


def led_to(diary: Diary, location: str) -> None:
    """The content route redirects."""
    diary.content(DONE, status_code=302, headers={b"location": location.encode()})


@pytest.mark.parametrize(("fetch", "times"), list(FETCHES.values()), ids=list(FETCHES))
def test_a_download_counts_once_its_bytes_were_sent(fetch: Callable[[Diary], object], times: int) -> None:
    """By the link or by the provider's route, whole or in parts; a redirect of ours leads to one that counts."""
    diary = seen(DONE)
    fetch(diary)
    assert verdict(AT_LEAST, diary, downloads(at_least=times + 1)) == "failed"
    if times:
        assert verdict(AT_LEAST, diary, downloads(at_least=times)) == "passed"


def test_no_download_need_be_expected() -> None:
    """Then there is nothing to judge."""
    why = check(AT_LEAST, seen(DONE), scenario=downloads(at_least=0)).why
    assert why == "The client needn't keep this rule, as the scenario under-test says."


def test_a_client_that_may_not_be_done_yet_need_not_have_downloaded() -> None:
    """Unless somebody asks for downloads."""
    found = check(AT_LEAST, seen(DONE), unfinished=True)
    assert found.verdict == "not judged"
    told = "which may not be done yet, as the request for this report says"
    assert found.why == f"The client needn't keep this rule, {told}."
    assert verdict(AT_LEAST, seen(DONE), downloads(at_least=1), unfinished=True) == "failed"
    assert verdict(AT_LEAST, seen(DONE), scenario=downloads(at_least=1), unfinished=True) == "failed"


@pytest.mark.parametrize(
    ("video", "told"),
    [
        (Video(has_link=False), {"answer": b"{}"}),
        (Video(url="https://cdn.test/x.mp4"), {"answer": b'"https://cdn.test/x.mp4"'}),
        (Video(expires_in=0), {}),
        (Video(), {"answer": b"{}"}),
        (Video(), {"method": "HEAD"}),
        (Video(), {"stage": "rules", "status_code": 500}),
        (Video(has_link=False), {"answer": b"[", "answer_size": 99_999}),
        (Video(url="https://cdn.test/x.mp4"), {"answer": b"[", "answer_size": 99_999}),
    ],
)
def test_a_result_without_a_link_that_lives_need_not_be_downloaded(video: Video, told: Any) -> None:
    """None, another's, a dead one, or an answer that didn't give it."""
    task = a_task(timeline=ends(Status.COMPLETED, video=video))
    why = check(AT_LEAST, seen(task, **told)).why
    assert why == "No answer to a poll gave a link of the emulator's that still lived."


def test_the_link_may_lie_where_the_journal_cut_the_answer() -> None:
    """Of a long batch: then the task's timeline tells."""
    for task in (DONE, DONE_FOR_AN_HOUR):
        assert verdict(AT_LEAST, seen(task, answer=b"[", answer_size=99_999)) == "failed"


def test_a_download_that_the_journal_may_have_dropped_is_not_missed() -> None:
    """Of a task whose create it has, it has everything."""
    diary = seen(DONE)
    assert check(AT_LEAST, diary, dropped=7).why.startswith("1 of 1 finished results can't be judged")
    diary = Diary()
    diary.create(DONE)
    diary.poll(DONE)
    assert verdict(AT_LEAST, diary, dropped=7) == "failed"


# In time


def test_a_result_asked_for_after_its_link_had_died_is_told() -> None:
    """With the request that asked."""
    diary = seen(DONE_FOR_AN_HOUR)
    diary.download(DONE_FOR_AN_HOUR)
    assert verdict(IN_TIME, diary) == "passed"
    diary.wait(HOUR)
    diary.content(DONE_FOR_AN_HOUR, status_code=502, expired=True)
    found = check(IN_TIME, diary)
    assert (found.verdict, found.judged, found.failures) == ("failed", 2, 1)
    assert found.evidence[0].about == "Request 3 asked for a result whose link had died."
    assert verdict(IN_TIME, diary, downloads(before_expiry=False)) == "not judged"


@pytest.mark.parametrize("told", [{"method": "HEAD", "expired": True}, {"status_code": 400}])
def test_what_asks_for_no_result_is_not_judged(told: dict[str, Any]) -> None:
    """A look at the head alone, and a request before the task's end."""
    diary = seen(DONE)
    diary.content(DONE, **told)
    assert check(IN_TIME, diary).why == "No finished result was asked for."


def test_a_link_that_was_dead_when_it_was_first_given_is_not_held_against_a_client() -> None:
    """Unless somebody expects it all the same: the answer tells when the link dies."""
    task = a_task(timeline=ends(Status.COMPLETED, video=Video(expires_in=0)))
    diary = seen(task)
    diary.download(task, status_code=403, expired=True)
    assert "was dead when the client first saw it" in check(IN_TIME, diary).why
    assert verdict(IN_TIME, diary, downloads(before_expiry=True)) == "failed"


@pytest.mark.parametrize("task", [DONE_FOR_AN_HOUR, None])
def test_a_link_that_nobody_saw_given_is_judged_too(task: Task | None) -> None:
    """The client has it from somewhere, and it lived once."""
    diary = Diary()
    diary.add("download", task, path=link_of(DONE), expired=True, status_code=403, answer=b"")
    assert verdict(IN_TIME, diary) == "failed"


# Without the key


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ({"key": KEY}, "the header authorization"),
        ({"sent": {b"authorization": b"Basic dXNlcjpwYXNz"}}, "the header authorization"),
        ({"sent": {b"x-api-key": b"anything"}}, "the header x-api-key"),
        ({"query": b"st=1&api_key=anything"}, "the query's api_key"),
        ({"query": b"Token=anything"}, "the query's Token"),
        ({"sent": {b"x-mine": b"key=" + KEY}}, "the header x-mine"),
        ({"query": b"mine=" + KEY}, "the query"),
        ({"query": b"mine=%73k-secret-of-the-client"}, "the query"),
        ({"method": "HEAD", "key": KEY}, "the header authorization"),
        ({"key": KEY, "status_code": 403}, "the header authorization"),
    ],
)
def test_a_key_sent_to_the_media_is_told_by_its_place(told: dict[str, Any], place: str) -> None:
    """By name or because it is one that the API was sent; never by what it is."""
    diary = seen(DONE)
    diary.download(DONE)
    diary.download(DONE, **told)
    found = check(KEYLESS, diary)
    assert (found.verdict, found.judged, found.failures) == ("failed", 2, 1)
    assert found.evidence[0].measured == place
    assert "secret-of-the-client" not in str(found)
    assert verdict(KEYLESS, diary, downloads(without_key=False)) == "not judged"


@pytest.mark.parametrize(
    "told",
    [
        {"sent": {b"authorization": b""}},
        {"sent": {b"x-api-key": b" "}},
        {"query": b"sig=x&sktid=a48cca56&signature=z&expires=1&token="},
        {"sent": {b"user-agent": b"sk-"}},
        {"query": b"\xff%ff&&=%zz"},
    ],
)
def test_a_link_as_it_stands_holds_no_key(told: dict[str, Any]) -> None:
    """Signatures are none, nor is what is empty."""
    diary = seen(DONE)
    diary.download(DONE, **told)
    assert verdict(KEYLESS, diary) == "passed"


@pytest.mark.parametrize(("key", "wanted"), [(b"sk-1234", "passed"), (b"sk-12345", "failed")])
def test_a_short_key_may_stand_anywhere_by_accident(key: bytes, wanted: str) -> None:
    """So only where keys stand is it one."""
    diary = Diary(key=key)
    diary.poll(DONE)
    diary.download(DONE, sent={b"x-mine": b"a " + key})
    assert verdict(KEYLESS, diary) == wanted


def test_every_path_of_the_media_counts() -> None:
    """Of any namespace; a link that is none of ours, too, but no provider's path."""
    diary = Diary()
    diary.add(None, None, path="/media/nobody/x", status_code=404)
    diary.add(None, None, path="/ns/one/media/x", provider=None, status_code=404)
    diary.add(None, None, path="/octopusx/media/x", status_code=404)
    assert check(KEYLESS, diary).failures == 2


def redirected(host: str, location: str, **told: Any) -> Diary:
    """A content request that is led to the link, and the link followed."""
    diary = seen(DONE)
    header = {b"location": location.encode()}
    diary.content(DONE, status_code=302, headers=header, sent={b"host": host.encode()})
    diary.download(DONE, **{"key": KEY, "query": b"signature=a%2Fb", **told})
    return diary


LED = f"http://emulator.test:8080{link_of(DONE)}?signature=a%2Fb"


def test_a_key_kept_on_a_redirect_on_one_host_is_not_judged() -> None:
    """HTTP libraries drop it where the host is another one, as the providers' is; once for each redirect."""
    diary = redirected("emulator.test:8080", LED)
    assert "HTTP libraries keep the Authorization header" in check(KEYLESS, diary).why
    diary.download(DONE, key=KEY, query=b"signature=a%2Fb")
    assert verdict(KEYLESS, diary) == "failed"


@pytest.mark.parametrize(
    ("host", "location", "told"),
    [
        ("other.test", LED, {}),
        ("emulator.test:8080", LED, {"query": b"signature=other"}),
        ("emulator.test:8080", LED, {"key": b"", "sent": {b"x-api-key": b"k"}}),
        ("emulator.test:8080", "http://[broken", {}),
    ],
)
def test_a_redirect_excuses_nothing_else(host: str, location: str, told: dict[str, Any]) -> None:
    """Another host, another link, a header of the client's own."""
    assert verdict(KEYLESS, redirected(host, location, **told)) == "failed"


def test_nothing_is_judged_where_no_link_was_followed() -> None:
    """The provider's own routes take the key."""
    diary = seen(DONE)
    diary.content(DONE)
    assert check(KEYLESS, diary).why == "No link was followed."
