"""A generous client: it asks every provider for everything, again and again, with good keys and bad ones.

What it can't meet of a scenario, no client can.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from emulator import sample
from emulator.core.matching import Matcher
from emulator.core.scenario import Scenario
from emulator.core.units import DAY, SECOND, Instant
from emulator.providers import PROVIDERS
from emulator.providers.base import Provider
from tests.worlds import Answer, World, call

UNKNOWN: Final = "nobody"
LOOKS: Final = (*range(15), *range(15, 320, 10))
"""When it looks at each task, in seconds after the beginning: beyond the end of any shipped scenario's story."""


class Generous:
    """A client of all providers in one world, whose clock it moves."""

    def __init__(
        self,
        world: World,
        *,
        providers: Sequence[Provider] = PROVIDERS,
        prompts: Sequence[str] = ("a cat",),
        creates: int = 2,
        looks: Sequence[int] = LOOKS,
    ) -> None:
        self.world = world
        self._providers = providers
        self._prompts = prompts
        self._creates = creates
        self._looks = looks
        self._links: dict[str, bool] = {}
        """Every link that a poll printed, until it doesn't work any more."""
        self._tasks: dict[tuple[str, str], Provider] = {}
        # No answer is waited for: latency would be real time.
        world.namespace.clock.pause = _at_once  # type: ignore[method-assign, assignment]
        scenario = world.scenario
        self._waits = scenario.default_delay is not None or any(rule.delay for rule in scenario.rules)

    def drive(self) -> None:
        """Do everything, from the clock's present instant on, to a day and more after the last answer."""
        scenario, instants = self.world.scenario, self._instants()
        self._tasks = {(p.name, task): p for p in self._providers for task in _named_in(scenario)}
        for number, instant in enumerate(instants):
            self.world.namespace.clock.move_to(instant)
            if number == 0:
                self._create_all()
            self._look_at_all()
        self._try_keys(scenario)
        self.world.advance(2 * DAY)
        self._look_at_all()

    def _instants(self) -> list[Instant]:
        """When it looks, after the present and after the creation of each task that is there from the start."""
        now = self.world.namespace.clock.now()
        starts = {item.created for item in self.world.scenario.items if item.created_is_instant} | {now}
        return sorted({start + n * SECOND for start in starts for n in self._looks if start >= now})

    def _try_keys(self, scenario: Scenario) -> None:
        """Try every key that the scenario speaks of, and one that it doesn't."""
        for key in {*_keys_in(scenario), "sk-stranger"}:
            for provider in self._providers:
                task = self._created(provider, self._prompts[0], key)
                self._poll(provider, task or UNKNOWN, key)

    def _create_all(self) -> None:
        good = sample.key_for(self.world.scenario.auth)
        for provider in self._providers:
            for prompt in self._prompts:
                for _ in range(self._creates):
                    task = self._created(provider, prompt, good)
                    if task is not None:
                        self._tasks[provider.name, task] = provider

    def _created(self, provider: Provider, prompt: str, key: str) -> str | None:
        asked = sample.create(provider, {**sample.polled_request(provider), "prompt": prompt})
        body = self._call("POST", provider, asked.path, asked.fields, key)
        task = body.get("task_id") or body.get("id") if isinstance(body, dict) else None
        return task if isinstance(task, str) else None

    def _look_at_all(self) -> None:
        good = sample.key_for(self.world.scenario.auth)
        for (_, task), provider in self._tasks.items():
            self._poll(provider, task, good)
            asked = sample.content(provider, task)
            if asked is not None:
                self._call("GET", provider, asked.path, None, good)
            self._poll(provider, task, good)  # the first may have ended an entry
        for path in list(self._links):
            if self._send("GET", path, None, {}).status_code != 200:
                del self._links[path]

    def _poll(self, provider: Provider, task: str, key: str) -> None:
        asked = sample.poll(provider, task)
        body = self._call(asked.operation.method, provider, asked.path, asked.fields, key)
        self._links.update(dict.fromkeys(_links_in(body), True))

    def _call(self, method: str, provider: Provider, path: str, fields: Any, key: str) -> Any:
        headers = {"authorization": f"Bearer {key}"}
        answer = self._send(method, f"{provider.base}{path}", fields, headers)
        is_json = answer.headers.get("content-type") == "application/json"
        return answer.json() if is_json and answer.body else None

    def _send(self, method: str, path: str, fields: Any, headers: dict[str, str]) -> Answer:
        body = b"" if fields is None else json.dumps(fields).encode()
        head = {"host": "emulator.test:8080", "content-type": "application/json", **headers}
        coroutine = call(self.world.app, method, path, body, head)
        if self._waits:
            return asyncio.run(coroutine)
        # Nothing in it waits for anything, so that no event loop is needed, which would be most of the cost.
        try:
            coroutine.send(None)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]
        raise AssertionError(f"{method} {path} waits for something")


async def _at_once(_duration: int) -> None:
    return None


def _named_in(scenario: Scenario) -> set[str]:
    """The ids of tasks that a scenario speaks of, and one that it doesn't."""
    existing = {item.id for item in scenario.items if item.id is not None}
    matched = {
        match.matcher.equals
        for rule in scenario.rules
        for match in rule.conditions.match
        if match.field == "id" and match.matcher.equals is not None
    }
    return {UNKNOWN, *existing, *matched}


def _keys_in(scenario: Scenario) -> Iterator[str]:
    matchers: tuple[Matcher, ...] = tuple(rejection.key for rejection in scenario.auth.reject)
    for matcher in matchers:
        text = matcher.equals or matcher.glob
        if text is not None:
            yield text.replace("*", "test")


def _links_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _links_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _links_in(inner)
    elif isinstance(value, str) and "/media/" in value:
        yield value[value.index("/media/") :]
