"""`studio.acedata`, which is made of requests: Ace Data Cloud's Sora and Veo.

Each test has a world of its own, `video_emulator`. Its clock stands still until the test moves it, or until the client
sleeps in a test with the mark `fast_forward`: then sleeping moves it, and no time is lost.
"""

from typing import Any

import pytest
from studio.acedata import AceData, link_in
from studio.outcomes import GaveUp, KeyRefused, LinkDied, LinkMissing, RenderFailed, Unavailable

from emulator import Emulator

pytestmark = pytest.mark.parametrize("service", ["sora", "veo"])

MP4 = b"ftyp"
"""What stands at the fifth byte of every MP4."""


def client(emulator: Emulator, service: str, api_key: str | None = None, **options: Any) -> AceData:
    """Our client, unchanged; only the address and the key are the emulator's."""
    base_url = emulator.url(f"acedata-{service}")
    return AceData(service, api_key or emulator.api_key, base_url=base_url, **options)


def test_each_status_is_shown_in_its_time(video_emulator: Emulator, service: str) -> None:
    """Two seconds in the queue and eight of work, as nothing else is said; then there is a link."""
    ace = client(video_emulator, service)
    task = ace.create("a cat")
    assert link_in(ace.look(task)) is None

    video_emulator.clock.advance("2s")
    assert link_in(ace.look(task)) is None
    assert video_emulator.tasks.get(task).status == "processing"

    video_emulator.clock.advance("8s")
    link = link_in(ace.look(task))
    assert link is not None
    assert ace.download(link)[4:8] == MP4
    assert video_emulator.requests("poll").count() == 3


@pytest.mark.scenario("slow-queue")
@pytest.mark.fast_forward
def test_a_long_queue_is_waited_for(video_emulator: Emulator, service: str) -> None:
    """Five minutes pass in no time, and the polls are still five seconds apart."""
    assert client(video_emulator, service).render("a cat")[4:8] == MP4
    assert video_emulator.requests("poll").count() == 61
    report = video_emulator.assert_well_behaved({"poll": {"min_interval": "5s", "max_interval": "5s"}})
    assert report.verdict == "passed"


@pytest.mark.scenario("fail-moderation", profile="current")
@pytest.mark.fast_forward
def test_a_refused_prompt_says_why(video_emulator: Emulator, service: str) -> None:
    """The provider's own code, and not one poll after the end."""
    with pytest.raises(RenderFailed) as failed:
        client(video_emulator, service).render("something awful")
    assert failed.value.code == "forbidden"
    video_emulator.assert_well_behaved({"poll": {"after_terminal": 0}})


@pytest.mark.scenario("fail-midway")
@pytest.mark.fast_forward
def test_a_failure_of_the_providers_may_be_tried_anew(video_emulator: Emulator, service: str) -> None:
    """The next task, of the same prompt, is made under a scenario where nothing goes wrong."""
    ace = client(video_emulator, service)
    with pytest.raises(RenderFailed, match="api_error"):
        ace.render("a cat")
    video_emulator.scenarios.activate("happy-path")
    assert ace.render("a cat")[4:8] == MP4


@pytest.mark.scenario("stuck-processing")
@pytest.mark.fast_forward
def test_a_task_that_never_ends_is_given_up(video_emulator: Emulator, service: str) -> None:
    """After the ten minutes that our client allows, which it really counts."""
    ace = client(video_emulator, service)
    task = ace.create("a cat")
    with pytest.raises(GaveUp) as gave_up:
        ace.wait(task)
    assert gave_up.value.task == task
    # What time it took besides sleeping counts, too, so nobody knows the last poll's number beforehand.
    assert 100 < video_emulator.requests("poll", task=task).count() <= 120


@pytest.mark.scenario("rate-limited")
@pytest.mark.fast_forward
def test_a_throttled_poll_waits_as_it_is_told(video_emulator: Emulator, service: str) -> None:
    """`Retry-After` says five seconds, which is more than this client's own two."""
    assert client(video_emulator, service, every=2).render("a cat")[4:8] == MP4
    assert video_emulator.requests("poll", status_code=429).count() == 2
    report = video_emulator.assert_well_behaved()
    assert "poll.honours_retry_after" in [check.id for check in report.checks if check.verdict == "passed"]


AT_A_DATE = """
version: 1
about: The first poll is throttled, and the provider says until when rather than for how long.
rules:
  - {operation: poll, calls: 1, error: rate_limited, retry_after: {http_date: 30s}}
"""


@pytest.mark.scenario(AT_A_DATE, fail_on="findings")
@pytest.mark.fast_forward
def test_a_throttled_poll_waits_until_a_date(video_emulator: Emulator, service: str) -> None:
    """Both forms of `Retry-After` are in use. A scenario may be a text in the test."""
    assert client(video_emulator, service).render("a cat")[4:8] == MP4
    assert video_emulator.requests("poll").count() == 2


@pytest.mark.scenario("flaky-polls")
@pytest.mark.fast_forward
def test_a_failed_poll_is_no_failed_task(video_emulator: Emulator, service: str) -> None:
    """429 and 500 in between, and a video in the end."""
    assert client(video_emulator, service, every=1).render("a cat")[4:8] == MP4
    answers = [entry.answer.status_code for entry in video_emulator.requests("poll").list()]
    assert answers[:7] == [200, 429, 200, 500, 500, 200, 429]
    assert answers[-1] == 200


@pytest.mark.scenario("unlucky-day")
@pytest.mark.fast_forward
def test_one_video_is_paid_for_on_an_unlucky_day(video_emulator: Emulator, service: str) -> None:
    """A scenario of this project's own, in the folder `scenarios`: it is known by the name of its file."""
    assert client(video_emulator, service).render("a cat")[4:8] == MP4
    accepted = video_emulator.requests("create", status_code=200)
    assert accepted.count() == 1
    assert video_emulator.requests("download").count() == 2
    video_emulator.assert_well_behaved({"create": {"repeated": 0}, "download": {"without_key": True}})


@pytest.mark.scenario({"version": 1, "rules": [{"operation": "create", "calls": 1, "error": "internal"}]})
@pytest.mark.fast_forward
def test_a_create_that_broke_is_not_sent_again(video_emulator: Emulator, service: str) -> None:
    """It may have gone through. The caller may look, and send another one."""
    ace = client(video_emulator, service)
    with pytest.raises(Unavailable, match="500"):
        ace.render("a cat")
    assert video_emulator.requests("create").count() == 1
    assert ace.render("a cat")[4:8] == MP4


@pytest.mark.scenario("unauthorized", profile="current")
@pytest.mark.parametrize("key", ["sk-stranger", "sk-expired-1", "sk-broke-1"])
@pytest.mark.fast_forward
def test_a_refused_key_is_not_tried_again(video_emulator: Emulator, service: str, key: str) -> None:
    """Unknown, expired, without credit: each is told at once. A good one goes through in the same world."""
    with pytest.raises(KeyRefused):
        client(video_emulator, service, key).render("a cat")
    assert video_emulator.requests().count() == 1
    assert client(video_emulator, service, "sk-good-1").render("a cat")[4:8] == MP4


@pytest.mark.scenario("expired-link")
def test_a_link_that_died_is_told_apart(video_emulator: Emulator, service: str) -> None:
    """It lives for ten seconds; a client that comes later isn't left with an XML file called video.mp4."""
    ace = client(video_emulator, service)
    task = ace.create("a cat")
    video_emulator.clock.advance("10s")
    link = ace.wait(task)
    assert ace.download(link)[4:8] == MP4

    video_emulator.clock.advance("11s")
    with pytest.raises(LinkDied):
        ace.download(link)


@pytest.mark.scenario("done-without-url")
@pytest.mark.fast_forward
def test_a_missing_link_is_no_video(video_emulator: Emulator, service: str) -> None:
    """The provider calls it a success."""
    with pytest.raises(LinkMissing):
        client(video_emulator, service).render("a cat")


@pytest.mark.scenario("unknown-status")
@pytest.mark.fast_forward
def test_an_unknown_word_is_not_the_end(video_emulator: Emulator, service: str) -> None:
    """`post_processing` stands in no document, and the video comes all the same."""
    assert client(video_emulator, service, every=1).render("a cat")[4:8] == MP4
    seen = [entry.answer.body for entry in video_emulator.requests("poll").list()]
    assert "post_processing" in str(seen)


def test_many_tasks_are_looked_at_with_one_request(video_emulator: Emulator, service: str) -> None:
    """In the order that they were asked for; an id that nobody knows is left out."""
    ace = client(video_emulator, service)
    tasks = [ace.create(f"a cat, take {take}") for take in range(3)]
    video_emulator.clock.advance("10s")
    records = ace.look_at_all([*reversed(tasks), "nobody"])
    assert [record["id"] for record in records] == tasks[::-1]
    videos = [ace.download(link) for record in records if (link := link_in(record))]
    assert [video[4:8] for video in videos] == [MP4] * 3


DOCUMENTED = {
    "sora": ("b8976e18-32dc-4718-9ed8-1ea090fcb6ea", "2025-10-10T14:14:03Z", "2025-10-10T14:15:30Z"),
    "veo": ("1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed", "2025-07-25T09:19:20Z", "2025-07-25T09:21:45Z"),
}
"""The task that each service's document prints; when it has been made, and when it has ended."""


@pytest.mark.scenario("documents", start="2025-07-01T00:00:00Z")
def test_the_documents_own_example_is_understood(video_emulator: Emulator, service: str) -> None:
    """With every value that is printed there, so a client can be written before there is a key."""
    task, made, ended = DOCUMENTED[service]
    ace = client(video_emulator, service)
    assert ace.look(task) == {}
    video_emulator.clock.advance(to=made)
    assert link_in(ace.look(task)) is None
    video_emulator.clock.advance(to=ended)
    record = ace.look(task)
    assert record["user_id"] == "ad7afe47-cea9-4cda-980f-2ad8810e51cf"
    assert str(link_in(record)).startswith("https://")  # the document's own, which leads out into the world


@pytest.mark.scenario("slow-responses", clock="scaled:100")
def test_slow_answers_are_waited_for(video_emulator: Emulator, service: str) -> None:
    """A clock that runs a hundred times as fast as ours: an answer that takes eight seconds takes 80 ms."""
    assert client(video_emulator, service, every=0.01).render("a cat")[4:8] == MP4
    assert video_emulator.requests("create").count() == 1
