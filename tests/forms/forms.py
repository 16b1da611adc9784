"""The forms that an emulator comes in: over a transport, over sockets in this process, in a process of its own.

What a test of this folder asks is the same in each, and so is what it is answered.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import httpx
import msgspec

from emulator import Emulator
from emulator.providers import PROVIDERS

START: Final = "2025-01-01T00:00:00Z"
URL: Final = os.environ.get("VIDEO_EMULATOR_FORMS_URL")
"""Of an emulator to run these tests against, in a container say, in place of the three forms."""
TOKEN: Final = os.environ.get("VIDEO_EMULATOR_FORMS_TOKEN")
FORMS: Final = ("transport", "socket", "process") if URL is None else ("given",)
KEY: Final = {"authorization": "Bearer sk-test"}
PATIENCE: Final = 60.0
"""Seconds until a client that isn't answered fails its test."""
_SIGNATURE: Final = re.compile(
    rb"([?&](?:%s)=)(?:\[key \w+\]|[^&\"\s]+)"
    % b"|".join({provider.signature_name.encode() for provider in PROVIDERS})
)
"""A link is signed with the path that leads into its world; the journal shows a digest of it."""
_OF_A_CONNECTION: Final = frozenset({"connection", "keep-alive", "content-length"})
"""Header fields that are no part of an answer; the length of an answer depends on that of the host in its links."""


class Form(msgspec.Struct, frozen=True):
    """One of them."""

    name: str
    url: str | None = None
    """Of an emulator that runs elsewhere; ``None``: in this process."""

    @property
    def has_socket(self) -> bool:
        """Whether clients that take a URL alone can be used."""
        return self.name != "transport"

    def emulator(self, scenario: Any = None, **told: Any) -> Emulator:
        """A fresh world with a seed, whose clock begins at `START`, unless it is told otherwise."""
        given = {"start": START, "seed": 7, **told}
        if self.url is not None:
            return Emulator(scenario, url=self.url, admin_token=TOKEN, **given)
        return Emulator(scenario, listen=self.has_socket, **given)

    def client(self, emulator: Emulator, **settings: Any) -> httpx.Client:
        """A provider's client, as a test of this form would have one."""
        transport = None if self.has_socket else emulator.transport()
        return httpx.Client(
            **{"transport": transport, "headers": KEY, "timeout": PATIENCE, "trust_env": False, **settings}
        )

    def async_client(self, emulator: Emulator, **settings: Any) -> httpx.AsyncClient:
        """The same for an event loop."""
        transport = None if self.has_socket else emulator.transport()
        return httpx.AsyncClient(
            **{"transport": transport, "headers": KEY, "timeout": PATIENCE, "trust_env": False, **settings}
        )


class Said(msgspec.Struct, frozen=True):
    """An answer, less what differs from form to form."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes


def said(emulator: Emulator, response: httpx.Response) -> Said:
    """An answer with the world's own address taken out of its links."""
    body = response.content
    headers = {
        name: anonymous(emulator, value.encode()).decode()
        for name, value in response.headers.items()
        if name not in _OF_A_CONNECTION
    }
    length = response.headers.get("content-length")
    if response.request.method != "HEAD":
        assert length is None or int(length) == len(body)
    return Said(response.status_code, headers, anonymous(emulator, body))


def anonymous(emulator: Emulator, text: bytes) -> bytes:
    """The text, whichever world it was told in."""
    prefix = f"/ns/{emulator.name}"
    here = emulator.url("ezmodel").partition(prefix)[0]
    text = text.replace(here.encode(), b"<here>").replace(emulator.name.encode(), b"<world>")
    return _SIGNATURE.sub(rb"\1<signature>", text)


@contextmanager
def talk(form: Form, scenario: Any = None, **told: Any) -> Iterator["Talk"]:
    """A fresh world and a client in it."""
    with form.emulator(scenario, **told) as emulator, form.client(emulator) as http:
        yield Talk(emulator, http)


class Talk:
    """A client of all providers in one world, and all that it was answered."""

    def __init__(self, emulator: Emulator, http: httpx.Client) -> None:
        self.emulator = emulator
        self.http = http
        self.heard: list[Said] = []

    def ask(self, method: str, provider: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request to a provider; its answer is written down."""
        url = f"{self.emulator.url(provider)}{path}"
        return self.ask_at(method, url, body, **headers)

    def ask_at(self, method: str, url: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request to a URL, such as that of a result."""
        response = self.http.request(method, url, json=body, headers=headers)
        self.heard.append(said(self.emulator, response))
        return response
