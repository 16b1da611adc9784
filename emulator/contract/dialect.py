"""What is asked of each provider: requests made from its table, and the cheapest create that it takes."""

import uuid
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
import orjson

from emulator import sample
from emulator.contract.calling import Ask
from emulator.contract.masks import hidden
from emulator.contracts.contract import Contract, contract_of
from emulator.core.words import OperationName
from emulator.providers import by_name
from emulator.providers.base import Provider

T = TypeVar("T")
_PROMPT: Final = "A cat runs along a river"
CHEAPEST: Final[Mapping[str, Mapping[str, Any]]] = {
    # Our choice of what is cheapest: the shortest and smallest video, of the plainest model. No source has prices.
    "acedata-sora": {
        "prompt": _PROMPT,
        "model": "sora-2",
        "size": "small",
        "duration": 10,
        "orientation": "landscape",
        "async": True,
    },
    "acedata-veo": {
        "action": "text2video",
        "prompt": _PROMPT,
        "model": "veo3-fast",
        "aspect_ratio": "16:9",
        "async": True,
    },
    "octopusx": {"model": "sora-2", "prompt": _PROMPT, "seconds": "4", "size": "720x1280"},
    "ezmodel": {"model": "sora-2", "prompt": _PROMPT, "seconds": "4", "size": "720x1280"},
}
KEY_VARIABLES: Final[Mapping[str, str]] = {
    # AceData's is that of its own clients.
    "acedata-sora": "ACEDATACLOUD_API_TOKEN",
    "acedata-veo": "ACEDATACLOUD_API_TOKEN",
    "octopusx": "OCTOPUSX_API_KEY",
    "ezmodel": "EZMODEL_API_KEY",
}
"""Where the key is read from, unless somebody says otherwise."""
_JSON: Final = {"content-type": "application/json", "accept": "application/json"}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One request, and what the contract calls it."""

    operation: OperationName
    path: str
    """As the contract has it."""
    ask: Ask


class Dialect:
    """The requests of one provider, to one base URL."""

    def __init__(self, provider: str, base_url: str, key: str) -> None:
        """Get ready.

        Args:
            provider: its name.
            base_url: as clients have it, without the provider's own paths; a ``/v1`` at its end is taken off.
            key: the API key.
        """
        self.provider: Provider = by_name[provider]
        self.contract: Contract = contract_of(provider)
        self.is_acedata = provider.startswith("acedata")
        self.base_url = base_url.rstrip("/").removesuffix(self.provider.client_path)
        self._key = key
        self._hidden = [key]

    def hide(self, value: T) -> T:
        """A finding or a sample without the keys that were sent, wherever the provider said them back."""
        return hidden(value, self._hidden)

    def nobodys_key(self) -> str:
        """An API key that nobody was given."""
        key = f"sk-nobodys-{uuid.uuid4().hex}"  # noqa: TID251 - nothing is emulated: each run has its own
        self._hidden.append(key)
        return key

    def poll(self, task_id: str, *, key: str | None = "", body: bytes | None = None) -> Question:
        """A look at a task.

        Args:
            task_id: which.
            key: another one than the run's; ``None``: no key at all.
            body: what is sent in place of the usual body.
        """
        asked = sample.poll(self.provider, task_id)
        fields = None if asked.fields is None else orjson.dumps(dict(asked.fields))
        return self._question(OperationName.POLL, asked.path, key=key, body=fields if body is None else body)

    def batch(self, ids: list[str]) -> Question:
        """A look at several tasks at once; of AceData's services alone."""
        path = self.contract.operations[OperationName.POLL].path
        body = orjson.dumps({"action": "retrieve_batch", "ids": ids})
        return self._question(OperationName.POLL, path, body=body)

    def content(self, task_id: str) -> Question | None:
        """A request for a result's bytes by the provider's own route; ``None``: it has none."""
        asked = sample.content(self.provider, task_id)
        return None if asked is None else self._question(OperationName.CONTENT, asked.path, is_media=True)

    def create(self, fields: Mapping[str, Any] | None) -> Question:
        """A create, which may cost money; ``None``: the cheapest."""
        path = self.contract.operations[OperationName.CREATE].path
        chosen = CHEAPEST[self.provider.name] if fields is None else fields
        return self._question(OperationName.CREATE, path, body=orjson.dumps(dict(chosen)))

    def nowhere(self) -> Question:
        """A request for a path that the provider doesn't have."""
        poll = self.contract.operations[OperationName.POLL]
        path = f"{poll.path.rpartition('/')[0]}-of-nobody"
        return self._question(OperationName.POLL, path, body=b"{}" if poll.method == "POST" else None)

    def link(self, url: str, *, range_of: str | None = None) -> Question:
        """A request for a result by its link: without the key, which is nobody's business where the results lie."""
        headers = {} if range_of is None else {"range": range_of}
        ask = Ask(method="GET", url=url, headers=headers, is_media=True, follows=True)
        return Question(operation=OperationName.DOWNLOAD, path="the link", ask=ask)

    def _question(
        self,
        operation: OperationName,
        path: str,
        *,
        key: str | None = "",
        body: bytes | None = None,
        is_media: bool = False,
    ) -> Question:
        headers = dict(_JSON) if body is not None else {"accept": "*/*" if is_media else "application/json"}
        if key is not None:
            headers["authorization"] = f"Bearer {key or self._key}"
        told = self.contract.operations[operation]
        ask = Ask(
            method=told.method,
            url=f"{self.base_url}{path}",
            headers=headers,
            body=body,
            is_media=is_media,
        )
        shown = told.path if "{" in told.path and path.startswith(told.path.partition("{")[0]) else path
        return Question(operation=operation, path=shown, ask=ask)


def nobodys_id(provider: str) -> str:
    """The id of no task, in the provider's form."""
    drawn = uuid.uuid4()  # noqa: TID251 - nothing is emulated: no two runs shall ask for the same
    if provider.startswith("acedata"):
        return str(drawn)
    return f"{'video' if provider == 'octopusx' else 'vid'}_{drawn.hex}"
