"""Where no connection can be reached: a sentence in place of a pretence."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from emulator import Emulator
from emulator.connection import NoConnection
from emulator.core.words import FaultName
from tests.faults.servers import POLL, Kind, heard, request, serving, world
from tests.worlds import KEY

ON_THE_WIRE: Final = [
    name for name in FaultName if name not in {"wrong_content_type", "invalid_json", "html_error_page"}
]
URL: Final = "https://octopusx.ai/v1/videos"


def scenario(fault: str) -> dict[str, Any]:
    """Every create meets the fault."""
    return {
        "version": 1,
        "name": "breaking",
        "rules": [{"operation": "create", "about": "Lost.", "fault": fault}],
    }


@pytest.mark.parametrize("fault", ON_THE_WIRE)
def test_a_transport_in_process_raises(fault: str) -> None:
    """With the fault, its rule, and what to do."""
    with (
        Emulator(scenario(fault), listen=False) as emulator,
        httpx.Client(transport=emulator.transport(), headers=KEY) as http,
    ):
        with pytest.raises(NoConnection) as raised:
            http.post(URL, json={"prompt": "a cat"})
        assert f"the fault {fault}" in str(raised.value)
        assert "(Lost.) of scenario breaking" in str(raised.value)
        assert "give it the emulator's URL in place of a transport" in str(raised.value)
        # Nothing was answered, so nothing says so.
        assert emulator.requests("create").count() == 0


def test_a_transport_in_process_raises_on_an_event_loop() -> None:
    """In the call that met it."""

    async def ask(transport: Any) -> None:
        async with httpx.AsyncClient(transport=transport, headers=KEY) as http:
            await http.post(URL, json={"prompt": "a cat"})

    with Emulator(scenario("hang"), listen=False) as emulator, pytest.raises(NoConnection):
        asyncio.run(ask(emulator.transport()))


@pytest.mark.parametrize(
    ("fault", "status_code", "content_type"),
    [
        ("wrong_content_type", 200, "text/html"),
        ("invalid_json", 200, "application/json"),
        ("html_error_page", 502, "text/html"),
    ],
)
def test_what_is_wrong_with_the_content_needs_no_connection(
    fault: str, status_code: int, content_type: str
) -> None:
    """It is met there as anywhere."""
    with (
        Emulator(scenario(fault), listen=False) as emulator,
        httpx.Client(transport=emulator.transport(), headers=KEY) as http,
    ):
        answer = http.post(URL, json={"prompt": "a cat"})
    assert (answer.status_code, answer.headers["content-type"]) == (status_code, content_type)


def test_the_same_emulator_breaks_connections_over_its_url() -> None:
    """Its socket is opened when somebody asks for it."""
    with Emulator(scenario("connection_reset")) as emulator, pytest.raises(httpx.ReadError):
        httpx.post(
            f"{emulator.url('octopusx')}/v1/videos", headers=KEY, json={"prompt": "a cat"}, trust_env=False
        )


def wrapped(app: Any) -> Callable[..., Any]:
    """The application behind a middleware that hides what it sends with."""

    async def middleware(scope: Any, receive: Any, send: Any) -> None:
        async def forward(message: Any) -> None:
            await send(message)

        await app(scope, receive, forward)

    return middleware


def test_behind_a_middleware_our_server_still_hands_its_connection_over() -> None:
    """In the scope."""
    with serving(wrapped(world("{operation: poll, fault: connection_reset}").app)) as served:
        assert heard(served, request(POLL)).end == "reset"


@pytest.mark.parametrize("parser", ["h11", "httptools"])
def test_behind_a_middleware_of_another_server_it_is_told(
    parser: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says what the matter is, and the client gets no answer that pretends."""
    app = wrapped(world("{operation: poll, fault: connection_reset}").app)
    with serving(app, Kind(parser)) as served:
        answer = heard(served, request(POLL, connection="close"))
    assert answer.head.startswith(b"http/1.1 500")
    assert "the fault connection_reset of the rule in line 9" in caplog.text
