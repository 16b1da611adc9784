"""Requests to begin with: what the banner prints and `preview` sends, made from a provider's table.

A create is that of the provider's document; everything else follows from the rows of the table.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from emulator.core import matching
from emulator.core.scenario import Auth
from emulator.core.words import OperationName
from emulator.providers.base import Operation, Provider

KEY: Final = "sk-test"
"""An API key that's good wherever a scenario doesn't list the good ones."""


class Sample(msgspec.Struct, frozen=True):
    """One request of an operation."""

    operation: Operation
    path: str
    """Below the provider's base, percent-encoded."""
    params: tuple[str, ...] = ()
    fields: Mapping[str, Any] | None = None


def create(provider: Provider, fields: Mapping[str, Any] | None = None) -> Sample:
    """A create with these fields, else those of the provider's document."""
    operation = _operation(provider, OperationName.CREATE)
    assert operation is not None
    return Sample(operation, operation.path, (), polled_request(provider) if fields is None else fields)


def polled_request(provider: Provider) -> dict[str, Any]:
    """The create request of the provider's document, as a client sends it that polls and isn't called back."""
    fields = dict(provider.example_request)
    if fields.pop("callback_url", None) is not None:
        # Who isn't called back has to say that it doesn't wait for the result either.
        fields["async"] = True
    return fields


def poll(provider: Provider, task_id: str) -> Sample:
    """A poll of one task."""
    operation = _operation(provider, OperationName.POLL)
    assert operation is not None
    if "{" in operation.path:
        return _about(operation, task_id)
    return Sample(operation, operation.path, (), {"action": "retrieve", "id": task_id})


def content(provider: Provider, task_id: str) -> Sample | None:
    """A request for the bytes of a task's result; ``None``: the provider has no such operation."""
    operation = _operation(provider, OperationName.CONTENT)
    return None if operation is None else _about(operation, task_id)


def _operation(provider: Provider, name: OperationName) -> Operation | None:
    return next((operation for operation in provider.operations if operation.name is name), None)


def _about(operation: Operation, task_id: str) -> Sample:
    head, _, tail = operation.path.partition("{")
    path = f"{head}{quote(task_id, safe='')}{tail.partition('}')[2]}"
    return Sample(operation, path, (task_id,))


def key_for(auth: Auth) -> str:
    """An API key that the scenario counts among the good ones, as far as that can be told from its globs."""
    for matcher in auth.keys:
        candidates = (matcher.equals, matcher.glob, *(matcher.any_of or ()), KEY)
        for text in candidates:
            key = None if text is None else text.replace("*", "test")
            if key and matching.matches(matcher, key):
                return key
    return KEY
