"""The shipped scenarios do what their ``about`` says, at every provider that they speak of."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import Emulator
from emulator.contract.comparison import tasks_of
from emulator.core.effects import SlowBody
from emulator.core.scenario import ClockSettings
from emulator.core.units import MINUTE, SECOND
from emulator.library import SHIPPED, Library
from tests import serving
from tests.receivers import receiver
from tests.worlds import KEY, START, Answer, World

PROVIDERS = ("acedata-sora", "acedata-veo", "octopusx", "ezmodel")
README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
NAMES = Library().names()


class Client:
    """A client of one provider, as far as the scenarios' stories go."""

    def __init__(self, world: World, provider: str, key: str = "sk-good-1") -> None:
        self.world = world
        self.provider = provider
        self.headers = {"authorization": f"Bearer {key}"}
        self.service = provider.removeprefix("acedata-") if provider.startswith("acedata") else None

    def create(self, prompt: str = "a cat") -> str:
        """The id of a new task."""
        path = f"/{self.service}/videos" if self.service else f"/{self.provider}/v1/videos"
        body = {"prompt": prompt, "async": True} if self.service else {"prompt": prompt}
        answer = self.world.post(path, body, headers=self.headers).json()
        return str(answer["task_id"] if self.service else answer["id"])

    def poll(self, task_id: str) -> Answer:
        """One look at the task."""
        if self.service:
            return self.world.post(f"/{self.service}/tasks", {"id": task_id}, headers=self.headers)
        return self.world.get(f"/{self.provider}/v1/videos/{task_id}", headers=self.headers)

    def see(self, task_id: str) -> tuple[str, Any]:
        """The task's status in neutral words, or the word printed, and the link or the error's code."""
        body = self.poll(task_id).json()
        return _seen_at_acedata(body) if self.service else _seen(body)

    def watch(self, task_id: str, *instants: int) -> list[str]:
        """The statuses at these seconds after now."""
        seen, passed = [], 0
        for instant in instants:
            self.world.advance((instant - passed) * SECOND)
            passed = instant
            seen.append(self.see(task_id)[0])
        return seen


def _seen_at_acedata(record: dict[str, Any]) -> tuple[str, Any]:
    response = record.get("response")
    if response is None:
        return "unfinished", None
    if response.get("success") is False:
        return "failed", response["error"]["code"]
    return response["data"][0]["state"], response["data"][0].get("video_url")


def _seen(video: dict[str, Any]) -> tuple[str, Any]:
    if video["status"] == "failed":
        return "failed", video["error"]["code"]
    return video["status"], video.get("video_url", video.get("url"))


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    """Each provider in turn."""
    return str(request.param)


def words(provider: str, *neutral: str) -> list[str]:
    """What the provider's document prints for these neutral statuses."""
    if provider.startswith("acedata"):
        table = {"queued": "unfinished", "processing": "unfinished", "completed": "succeeded"}
    else:
        table = {"queued": "pending"} if provider == "ezmodel" else {}
    return [table.get(word, word) for word in neutral]


def test_every_shipped_scenario_is_listed_in_the_readme_and_tested_here() -> None:
    """By its name."""
    source = Path(__file__).read_text(encoding="utf-8")
    assert sorted(path.stem for path in SHIPPED.glob("*.yaml")) == list(NAMES)
    for name in NAMES:
        assert f"`{name}`" in README, name
        assert f'"{name}"' in source or name.startswith("documents"), name


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_says_what_it_shows_and_has_no_warnings(name: str) -> None:
    """And what a correct client does."""
    library = Library()
    found = library.get(name)
    assert found is not None
    assert found.about is not None
    assert "correct client" in found.about or name == "documents"
    assert library.warnings == []


def test_happy_path(provider: str) -> None:
    """Two seconds queued, eight of processing, then done, with a link that works."""
    client = Client(World("happy-path"), provider)
    task = client.create()
    assert client.watch(task, 0, 2, 9, 10) == words(
        provider, "queued", "processing", "processing", "completed"
    )
    link = client.see(task)[1]
    assert client.world.get(link.removeprefix("http://emulator.test:8080"), headers={}).status_code == 200


def test_slow_queue(provider: str) -> None:
    """Nearly five minutes before anything happens; done after five."""
    client = Client(World("slow-queue"), provider)
    assert client.watch(client.create(), 0, 291, 292, 300) == words(
        provider, "queued", "queued", "processing", "completed"
    )


def test_fail_moderation(provider: str) -> None:
    """The refusal comes three seconds into processing, in the provider's words."""
    client = Client(World("fail-moderation"), provider)
    task = client.create()
    assert client.watch(task, 4, 5) == words(provider, "processing", "failed")
    assert client.see(task)[1]


def test_fail_midway(provider: str) -> None:
    """After 60 per cent."""
    client = Client(World("fail-midway"), provider)
    task = client.create()
    assert client.watch(task, 6, 7, 100) == words(provider, "processing", "failed", "failed")


def test_stuck_processing(provider: str) -> None:
    """It never ends."""
    client = Client(World("stuck-processing"), provider)
    assert client.watch(client.create(), 33, 3600, 86400) == words(provider, *["processing"] * 3)


def test_rate_limited(provider: str) -> None:
    """Third and fourth poll are throttled with a wait; the task goes on."""
    client = Client(World("rate-limited"), provider)
    task = client.create()
    answers = [client.poll(task) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 200]
    assert answers[2].headers["retry-after"] == "5"


def test_flaky_polls(provider: str) -> None:
    """429 and 500 on chosen polls, never more than two in a row: what clients' own retries get over."""
    client = Client(World("flaky-polls"), provider)
    task = client.create()
    assert [client.poll(task).status_code for _ in range(8)] == [200, 429, 200, 500, 500, 200, 429, 200]


@pytest.mark.parametrize("name", ["rate-limited", "flaky-polls"])
def test_throttling_leaves_unknown_ids_alone(name: str, provider: str) -> None:
    """However many of them are polled: a test of an unknown id sees the provider's own answer."""
    client = Client(World(name), provider)
    assert len({client.poll(f"nobody-{number}").status_code for number in range(6)}) == 1


def test_unauthorized(provider: str) -> None:
    """A refused key, an expired one, one without credit."""
    world = World("unauthorized")
    good = Client(world, provider)
    task = good.create()
    codes = {
        key: Client(world, provider, key).poll(task).status_code
        for key in ("sk-good-1", "sk-x", "sk-expired-1")
    }
    assert codes == {"sk-good-1": 200, "sk-x": 401, "sk-expired-1": 401}
    broke = Client(world, provider, "sk-broke-1")
    assert broke.poll(task).status_code == 200
    with pytest.raises(KeyError):
        broke.create()


def test_expired_link(provider: str) -> None:
    """It lives ten seconds from completion."""
    client = Client(World("expired-link"), provider)
    task = client.create()
    client.world.advance(10 * SECOND)
    path = client.see(task)[1].removeprefix("http://emulator.test:8080")
    assert client.world.get(path, headers={}).status_code == 200
    client.world.advance(10 * SECOND)
    assert client.world.get(path, headers={}).status_code == 403


def test_slow_responses(provider: str) -> None:
    """Every answer takes some time, each fifth poll eight seconds."""
    delays: list[int] = []
    world = World("slow-responses")
    original = world.namespace.clock.pause

    async def heard(duration: int) -> None:
        delays.append(duration)
        await original(0)

    world.namespace.clock.pause = heard  # type: ignore[method-assign] # listens, so that the test needn't wait
    client = Client(world, provider)
    task = client.create()
    for _ in range(5):
        client.poll(task)
    assert len(delays) == 6
    assert delays[5] == 8 * SECOND
    assert all(50_000 < delay < MINUTE for delay in delays)
    assert len(set(delays)) > 3


def test_done_without_url(provider: str) -> None:
    """Completed, and no link."""
    client = Client(World("done-without-url"), provider)
    task = client.create()
    assert client.watch(task, 10) == words(provider, "completed")
    assert not client.see(task)[1]


def test_unknown_status(provider: str) -> None:
    """A word that no document knows, between processing and the end."""
    client = Client(World("unknown-status"), provider)
    task = client.create()
    assert client.watch(task, 5, 7, 10) == [
        *words(provider, "processing"),
        "post_processing",
        *words(provider, "completed"),
    ]


def path_of(link: str) -> str:
    """The path of a link of the world's."""
    return link.removeprefix("http://emulator.test:8080")


def test_rate_limit_window(provider: str) -> None:
    """Five polls in ten seconds, of all its tasks together; then the true wait, and the other key polls on."""
    client = Client(World("rate-limit-window"), provider)
    tasks = [client.create(), client.create()]
    answers = [client.poll(tasks[number % 2]) for number in range(6)]
    assert [answer.status_code for answer in answers] == [*[200] * 5, 429]
    assert answers[5].headers["retry-after"] == "10"
    assert Client(client.world, provider, "sk-good-2").poll(tasks[0]).status_code == 200
    client.world.advance(10 * SECOND - 1)
    assert client.poll(tasks[0]).status_code == 429
    client.world.advance(1)
    assert client.watch(tasks[0], 0) == words(provider, "completed")


def test_out_of_credits(provider: str) -> None:
    """Two creates for each key, for good; the tasks go on, and so do other keys."""
    client = Client(World("out-of-credits"), provider)
    first, second = client.create(), client.create()
    for wait in (0, 3600 * SECOND):
        client.world.advance(wait)
        with pytest.raises(KeyError):
            client.create()
    assert client.see(first)[0] == client.see(second)[0] == words(provider, "completed")[0]
    assert Client(client.world, provider, "sk-good-2").create()


def test_key_expires(provider: str) -> None:
    """A minute after the activation, for every call; another key takes up the same task."""
    client = Client(World("key-expires"), provider, "sk-short-1")
    task = client.create()
    assert client.watch(task, 0, 30, 59) == words(provider, "queued", "processing", "processing")
    client.world.advance(SECOND)
    assert client.poll(task).status_code == 401
    with pytest.raises(KeyError):
        client.create()
    other = Client(client.world, provider, "sk-good-1")
    assert other.watch(task, 0, 30) == words(provider, "processing", "completed")


def test_link_dead_on_arrival(provider: str) -> None:
    """Completed, with a link, and nothing behind it."""
    client = Client(World("link-dead-on-arrival"), provider)
    task = client.create()
    assert client.watch(task, 10) == words(provider, "completed")
    assert client.world.get(path_of(client.see(task)[1]), headers={}).status_code == 403


def test_error_as_string(provider: str) -> None:
    """The text alone, where the documents show an object."""
    client = Client(World("error-as-string"), provider)
    task = client.create()
    assert client.watch(task, 4) == words(provider, "processing")
    client.world.advance(SECOND)
    body = client.poll(task).json()
    assert (body["response"] if client.service else body)["error"] == "The upstream gave up."


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])
def test_progress_regresses(provider: str) -> None:
    """From 60 to 40, and on from there to the end."""
    client = Client(World("progress-regresses"), provider)
    task = client.create()
    seen = []
    for _ in range(11):
        seen.append(client.poll(task).json()["progress"])
        client.world.advance(SECOND)
    assert seen == [0, 0, 0, 15, 30, 45, 40, 40, 59, 79, 100]


def test_completed_but_not_ready(provider: str) -> None:
    """Two seconds without the result, by the link and by the content route."""
    client = Client(World("completed-but-not-ready"), provider)
    task = client.create()
    assert client.watch(task, 10) == words(provider, "completed")
    path = path_of(client.see(task)[1])
    content = f"/{provider}/v1/videos/{task}/content"
    asked = [(path, {})] if client.service else [(path, {}), (content, client.headers)]
    first = [client.world.get(where, headers=headers).status_code for where, headers in asked]
    assert all(400 <= code < 500 for code in first)
    client.world.advance(2 * SECOND)
    assert client.see(task)[0] == words(provider, "completed")[0]
    assert {client.world.get(where, headers=headers).status_code for where, headers in asked} == {200}


def test_contract(provider: str) -> None:
    """A task in every status; a new one is done after four polls, and its link dies after twenty seconds."""
    client = Client(World("contract"), provider)
    seen = [client.see(task)[0] for task in tasks_of(provider)]
    if provider.startswith("acedata"):
        assert seen == ["unfinished", "processing", "succeeded", "failed", "failed"]
    else:
        neutral = ["queued", "processing", "completed", "failed", "cancelled"]
        assert seen == words(provider, *neutral)[: len(seen)]
    task = client.create()
    assert [client.see(task)[0] for _ in range(4)] == words(
        provider, "queued", "processing", "processing", "completed"
    )
    path = client.see(task)[1].removeprefix("http://emulator.test:8080")
    assert client.world.get(path, headers={}).status_code == 200
    client.world.advance(20 * SECOND)
    assert client.world.get(path, headers={}).status_code == 403
    assert Client(client.world, provider, "sk-x").poll(task).status_code == 401


ACEDATA = ("acedata-sora", "acedata-veo")


def ordered(emulator: Emulator, provider: str, **fields: Any) -> httpx.Response:
    """The answer to a create without ``async``."""
    path = f"/{provider.removeprefix('acedata-')}/videos"
    headers = {"authorization": f"Bearer {emulator.api_key}"}
    return httpx.post(f"{emulator.url(provider)}{path}", json={"prompt": "a cat", **fields}, headers=headers)


@pytest.mark.parametrize("provider", ACEDATA)
def test_held_create(provider: str) -> None:
    """The answer comes after two minutes, with the video."""
    with Emulator("held-create", clock="auto") as emulator:
        begun = emulator.clock.now()
        answer = ordered(emulator, provider)
        assert answer.json()["data"][0]["state"] == "succeeded"
        assert (emulator.clock.now() - begun).total_seconds() == 120


@pytest.mark.parametrize("provider", ACEDATA)
@pytest.mark.parametrize(
    ("name", "codes", "told"),
    [
        ("callback", [200], [10]),
        ("callback", [503, 404, 200], [10, 15, 45]),
        ("callback", [500] * 9, [10, 15, 45]),
        ("callback-twice", [200, 200], [10, 13]),
        ("callback-never", [], []),
    ],
)
def test_callbacks(provider: str, name: str, codes: list[int], told: list[int]) -> None:
    """At these seconds after the create, whatever the receiver answers."""
    answers = iter(codes)
    with receiver(lambda _: next(answers)) as hook, Emulator(name) as emulator:
        task = ordered(emulator, provider, callback_url=hook.url).json()["task_id"]
        created = emulator.clock.now()
        emulator.clock.advance("1h")
        attempts = emulator.tasks.get(task).facts.callbacks
        instants = [datetime.fromisoformat(attempt.at) - created for attempt in attempts]
        assert [instant.total_seconds() for instant in instants] == told
        assert len({str(got.body) for got in hook.got}) == min(1, len(told))


# Faults are met over a socket alone


@contextmanager
def over_a_socket(name: str, **world: Any) -> Iterator[tuple[httpx.Client, World]]:
    """A client of OctopusX, whose tasks have ended long since."""
    inner = World(name, **world)
    with (
        serving.thread(inner.app) as served,
        httpx.Client(base_url=f"{served.url}/octopusx/v1/", headers=KEY, trust_env=False) as http,
    ):
        yield http, inner


def done(http: httpx.Client, world: World) -> str:
    """The id of a task that is done."""
    task = str(http.post("videos", json={"prompt": "a cat"}).json()["id"])
    world.advance(MINUTE)
    return task


def test_reset_on_poll() -> None:
    """Three polls in a row, the last of them in the middle of an answer; then the task goes on."""
    with over_a_socket("reset-on-poll") as (http, world):
        task = done(http, world)
        assert http.get(f"videos/{task}").json()["status"] == "completed"
        for _ in range(3):
            with pytest.raises(httpx.ReadError):
                http.get(f"videos/{task}")
        assert http.get(f"videos/{task}").json()["status"] == "completed"
        assert http.get("videos/nobody").status_code == 404


@pytest.mark.parametrize("way", ["content", "link"])
def test_truncated_download(way: str) -> None:
    """Half of the first, by the link and by the content route; then all, or the rest."""
    with over_a_socket("truncated-download") as (http, world):
        task = done(http, world)
        link = (
            f"videos/{task}/content" if way == "content" else http.get(f"videos/{task}").json()["video_url"]
        )
        came = b""
        with http.stream("GET", link) as answer, suppress(httpx.RemoteProtocolError):
            for piece in answer.iter_bytes():
                came += piece
        whole = http.get(link).content
        rest = http.get(link, headers={"range": f"bytes={len(came)}-"}).content
        assert len(came) == round(int(answer.headers["content-length"]) / 2)
        assert came + rest == whole


def test_slow_download() -> None:
    """It comes whole, and takes its time, which a scaled clock makes short."""
    clock = ClockSettings(mode="scaled", scale=1000.0, start=START)
    with over_a_socket("slow-download", clock=clock) as (http, world):
        task = done(http, world)
        answer = http.get(f"videos/{task}/content")
        assert int(answer.headers["content-length"]) == len(answer.content) > 1000
        fired = world.namespace.journal.find(world.namespace.journal.total)
        assert fired is not None
        assert fired.reply.verdict.slow_body == SlowBody(over=20 * SECOND)


def test_html_502() -> None:
    """Two polls meet the page."""
    with over_a_socket("html-502") as (http, world):
        task = done(http, world)
        answers = [http.get(f"videos/{task}") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 502, 502, 200]
    assert answers[1].headers["content-type"] == "text/html"


def test_invalid_json() -> None:
    """Two polls can't be read."""
    with over_a_socket("invalid-json") as (http, world):
        task = done(http, world)
        answers = [http.get(f"videos/{task}") for _ in range(4)]
    assert {answer.status_code for answer in answers} == {200}
    for answer in answers[1:3]:
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            answer.json()
    assert answers[3].json()["status"] == "completed"
