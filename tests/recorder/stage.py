"""A stage for recordings: an emulator as the provider, the recorder before it, and a client that polls.

All are on real sockets and on one clock, which waiting moves: nobody sleeps, and a story of five minutes takes as long
as its exchanges do.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Self

import httpx2
import msgspec

from emulator import sample
from emulator.clock import Clock
from emulator.core.scenario import ClockSettings
from emulator.core.units import SECOND, Duration, Instant, as_datetime
from emulator.core.words import Profile
from emulator.embedded.loop_thread import loop_thread
from emulator.providers import by_name
from emulator.providers.base import Provider, Sighting
from emulator.recorder.proxy import Recorder, Setting
from emulator.recorder.recording import Recorded, Wish
from emulator.server import Address, Listening, listen
from tests.worlds import START, World

EVERY: Final[Duration] = 2 * SECOND
MOST_POLLS: Final = 400
KEY: Final = "sk-good-1"


class WaitingClock(Clock):
    """A clock that stands still, and that latency moves instead of taking time."""

    async def pause(self, duration: Duration) -> None:
        """Wait, on this clock."""
        self.advance(duration)


def world(scenario: str | None, profile: Profile = Profile.DOCUMENTED, start: int = START) -> World:
    """An emulator under a scenario, with a clock that waiting moves."""
    clock = ClockSettings(mode="manual", start=start)
    made = World(scenario, profile=profile, clock=clock)
    made.namespace.clock = WaitingClock(clock)
    return made


@contextmanager
def listening(app: Any) -> Iterator[str]:
    """The URL of an application, as long as it listens."""
    address = Address(port=0)
    server = Listening(app, address)
    sock = listen(address)
    loop_thread().run(server.open(sock))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        loop_thread().run(server.close())


class Recording:
    """A recorder that listens."""

    def __init__(self, recorder: Recorder, url: str, file: Path, said: list[str]) -> None:
        self.url = url
        self.file = file
        self.said = said
        self._recorder = recorder

    def finish(self) -> Recorded:
        """The scenario of all that was seen."""
        return self._recorder.finish()


@contextmanager
def recording(
    upstream: str,
    provider: str,
    clock: Clock,
    file: Path,
    *,
    through_links: bool = False,
    keep_prompts: bool = False,
    tape: Any = None,
    timeout: Duration = 60 * SECOND,
) -> Iterator[Recording]:
    """A recorder in front of an upstream; ``upstream`` is the provider's base URL there."""
    said: list[str] = []
    setting = Setting(
        wish=Wish(provider=by_name[provider], keep_prompts=keep_prompts),
        upstream=upstream,
        file=str(file),
        timeout=timeout,
        through_links=through_links,
    )
    recorder = Recorder(setting, clock, said.append, tape)
    with listening(recorder) as url:
        try:
            yield Recording(recorder, url, file, said)
        finally:
            loop_thread().run(recorder.close())


class Step(msgspec.Struct, frozen=True):
    """What a client saw at one instant."""

    t: Duration
    operation: str
    status_code: int
    sighting: Sighting | None = None
    code: str | None = None
    """Of a refusal."""
    wait: Duration = 0
    """What ``Retry-After`` asked for."""
    waited: Duration = 0
    """How long the answer let wait."""


class Talk(msgspec.Struct, frozen=True):
    """What a client saw."""

    task_id: str | None
    steps: tuple[Step, ...]


class Client:
    """A client of one provider: it polls every two seconds, and waits as long as it is asked to."""

    def __init__(self, provider: Provider, base: str, clock: Clock, key: str = KEY) -> None:
        self.provider = provider
        self.steps: list[Step] = []
        self.link: str | None = None
        self._base = base
        self._clock = clock
        self._start = clock.now()
        self._http = httpx2.Client(
            headers={"authorization": f"Bearer {key}"}, trust_env=False, verify=False, timeout=60
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def talk(
        self,
        task_id: str | None = None,
        *,
        most: int = MOST_POLLS,
        fields: Mapping[str, Any] | None = None,
        fetches: bool = True,
    ) -> Talk:
        """Create a task, unless one is given, and poll it to one poll past its end; fetch what there is."""
        if task_id is None:
            task_id = self.create(fields)
            self.wait()
        ended = 0
        fetched = 0
        for _ in range(most if task_id else 0):
            assert task_id is not None
            seen = self.poll(task_id).sighting
            if fetches and self.link is not None and fetched < FETCHES:
                fetched += 1
                self.download()
                self.content(task_id)
            ended += seen is not None and has_ended(seen)
            if ended > PAST_THE_END:
                break
            self.wait()
        return Talk(task_id, tuple(self.steps))

    def create(self, fields: Mapping[str, Any] | None = None) -> str | None:
        """The id of a new task; ``None``: it was refused again and again."""
        asked = sample.create(self.provider, fields)
        for _ in range(CREATES):
            response = self._send("create", "POST", asked.path, json=asked.fields)
            made = self.provider.made(_json(response)) if response.status_code == 200 else None
            if made is not None:
                return made
            self.wait()
        return None

    def poll(self, task_id: str) -> Step:
        """One poll."""
        asked = sample.poll(self.provider, task_id)
        self._send("poll", asked.operation.method, asked.path, json=asked.fields)
        step = self.steps[-1]
        if step.sighting is not None and step.sighting.link is not None:
            self.link = step.sighting.link
        return step

    def content(self, task_id: str) -> None:
        """The result, by the provider's content route where there is one."""
        asked = sample.content(self.provider, task_id)
        if asked is not None:
            self._send("content", asked.operation.method, asked.path)

    def download(self) -> None:
        """The result, by its link."""
        assert self.link is not None
        asked_at = self._clock.now()
        response = self._http.get(self.link, headers={"authorization": ""})
        self._write("download", response, asked_at)

    def wait(self) -> None:
        """Wait as a good client does."""
        self._clock.advance(max(EVERY, self.steps[-1].wait if self.steps else 0))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """One request, as it stands."""
        return self._http.request(
            method, f"{self._base}{path}", headers=headers, **({} if body is None else {"json": body})
        )

    def _send(self, operation: str, method: str, path: str, **others: Any) -> httpx2.Response:
        if others.get("json") is None:
            others.pop("json", None)
        asked_at = self._clock.now()
        response = self._http.request(method, f"{self._base}{path}", **others)
        self._write(operation, response, asked_at)
        return response

    def _write(self, operation: str, response: httpx2.Response, asked_at: Instant) -> None:
        value = _json(response)
        sighting = self.provider.sighted(value) if response.status_code < 300 else None
        code = None if sighting is not None or response.status_code < 400 else _code(value)
        wait = self._wait_in(response.headers.get("retry-after"))
        self.steps.append(
            Step(
                t=asked_at - self._start,
                operation=operation,
                status_code=response.status_code,
                sighting=sighting,
                code=code,
                wait=wait,
                waited=self._clock.now() - asked_at,
            )
        )

    def _wait_in(self, text: str | None) -> Duration:
        if text is None:
            return 0
        if text.isdigit():
            return int(text) * SECOND
        wait = parsedate_to_datetime(text) - as_datetime(self._clock.now())
        return max(0, int(wait.total_seconds() * SECOND))


CREATES: Final = 8
PAST_THE_END: Final = 8
"""So many polls past the end, so that links die meanwhile."""
FETCHES: Final = 8


def has_ended(seen: Sighting) -> bool:
    """Whether a client would stop there."""
    return seen.status is not None and seen.status.value in {"completed", "failed", "cancelled"}


def _json(response: httpx2.Response) -> Any:
    if "json" not in response.headers.get("content-type", ""):
        return None
    return json.loads(response.content)


def _code(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return None
    error = value.get("error", value)
    return str(error.get("code")) if isinstance(error, Mapping) else None


# Comparing


def assert_alike(recorded: Talk, replayed: Talk, text: str) -> None:
    """That a client sees the same of both, at the same place, and changes within one interval between polls."""
    told = f"\n{text}\n{lines(recorded)}\n--\n{lines(replayed)}"
    assert shapes(recorded) == shapes(replayed), told
    for one, other in zip(recorded.steps, replayed.steps, strict=True):
        assert abs(one.t - other.t) <= EVERY, told
        if one.sighting is not None and other.sighting is not None:
            # Rounded down from a straight line through numbers that were rounded down.
            assert abs((one.sighting.progress or 0) - (other.sighting.progress or 0)) <= 1, told


def shapes(talk: Talk) -> list[tuple[Any, ...]]:
    """What has to be the same, step by step: statuses, words, errors, waits, whether there is a link."""
    return [
        (step.operation, step.status_code, step.code, step.wait, _shape(step.sighting)) for step in talk.steps
    ]


def _shape(seen: Sighting | None) -> Any:
    if seen is None:
        return None
    return (seen.status, seen.word, seen.link is not None, seen.code, seen.message, seen.progress is None)


def lines(talk: Talk) -> str:
    """The steps, one on each line."""
    return "\n".join(
        f"{step.t / SECOND:g} {step.operation} {step.status_code} {step.code} {step.wait} {_shape(step.sighting)} "
        f"{step.sighting.progress if step.sighting else ''}"
        for step in talk.steps
    )


def talk_with(
    scenario: str | None,
    provider: str,
    file: Path,
    *,
    profile: Profile = Profile.DOCUMENTED,
    talk: Callable[[Client], Talk] = Client.talk,
    start: int = START,
    key: str = KEY,
) -> tuple[Talk, Recorded]:
    """What a client sees of an emulator through the recorder, and what was recorded."""
    under = world(scenario, profile, start)
    table = by_name[provider]
    with (
        listening(under.app) as url,
        recording(url + table.base, provider, under.namespace.clock, file, through_links=True) as recorder,
        Client(table, recorder.url, under.namespace.clock, key) as client,
    ):
        return talk(client), recorder.finish()


def talk_again(
    text: str,
    provider: str,
    *,
    talk: Callable[[Client], Talk] = Client.talk,
    start: int = START,
    key: str = KEY,
) -> Talk:
    """What the same client sees of a fresh emulator under what was recorded."""
    under = world(text, start=start)
    table = by_name[provider]
    with listening(under.app) as url, Client(table, url + table.base, under.namespace.clock, key) as client:
        return talk(client)


def seen_words(talk: Talk) -> Sequence[str | None]:
    """The words that polls printed, without repetitions."""
    words: list[str | None] = []
    for step in talk.steps:
        word = None if step.sighting is None else step.sighting.word
        if step.sighting is not None and (not words or words[-1] != word):
            words.append(word)
    return words
