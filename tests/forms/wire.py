"""How a client speaks to each provider: as little of the wire as the tests of the forms need."""

from collections.abc import Sequence
from typing import Any, Final

from emulator import sample
from emulator.providers import PROVIDERS
from tests.forms.forms import Talk

EACH: Final = {provider.name: provider for provider in PROVIDERS}
NAMES: Final = tuple(EACH)
BATCHES: Final = {"acedata-sora": "/sora/tasks", "acedata-veo": "/veo/tasks"}
"""Where providers that have it take many tasks in one poll."""


def create(talk: Talk, provider: str, prompt: str = "a cat", **headers: str) -> str:
    """The id of a new task."""
    found = EACH[provider]
    asked = sample.create(found, {**sample.polled_request(found), "prompt": prompt})
    body = talk.ask("POST", provider, asked.path, dict(asked.fields or {}), **headers).json()
    return str(body.get("task_id") or body.get("id"))


def poll(talk: Talk, provider: str, task: str, **headers: str) -> Any:
    """What the provider says of a task."""
    asked = sample.poll(EACH[provider], task)
    fields = None if asked.fields is None else dict(asked.fields)
    return talk.ask(asked.operation.method, provider, asked.path, fields, **headers)


def batch(talk: Talk, provider: str, tasks: Sequence[str]) -> Any:
    """What it says of several."""
    return talk.ask("POST", provider, BATCHES[provider], {"action": "retrieve_batch", "ids": [*tasks]}).json()


def link_in(body: Any) -> str:
    """The link of a result, wherever a provider prints it."""
    (found,) = {link for link in _texts(body) if "/media/" in link}
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
