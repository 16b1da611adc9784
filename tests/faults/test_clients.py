"""What httpx makes of each fault, over a real socket."""

import json
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from tests.faults.servers import POLL, faulty, serving
from tests.serving import PATIENCE, Served
from tests.worlds import KEY

IMPATIENT: Final = httpx.Timeout(PATIENCE, read=0.2)
"""For what never comes."""
RAISING: Final[dict[str, tuple[type[Exception], str | None]]] = {
    "connection_reset": (httpx.ReadError, None),
    "{connection_reset: 50%}": (httpx.ReadError, None),
    "truncate_body": (
        httpx.RemoteProtocolError,
        "peer closed connection without sending complete message body",
    ),
    "stall": (httpx.ReadTimeout, "timed out"),
    "empty_response": (httpx.RemoteProtocolError, "Server disconnected without sending a response"),
    "hang": (httpx.ReadTimeout, "timed out"),
    "malformed_chunk": (httpx.RemoteProtocolError, "illegal chunk header"),
    "random_data": (httpx.RemoteProtocolError, "illegal status line"),
}
UNREADABLE: Final = ("wrong_length", "invalid_json")
OTHERS: Final = ("wrong_content_type", "html_error_page")


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server on which each request says which fault it shall meet."""
    with serving(faulty(*RAISING, *UNREADABLE, *OTHERS).app) as served:
        yield served


def polled(server: Served, fault: str) -> httpx.Response:
    """The answer to a poll."""
    with httpx.Client(timeout=IMPATIENT, trust_env=False) as http:
        return http.get(f"{server.url}{POLL}", headers={**KEY, "x-fault": fault})


@pytest.mark.parametrize("fault", RAISING)
def test_a_broken_connection_is_an_exception(server: Served, fault: str) -> None:
    """Of the kind that belongs to it."""
    kind, words = RAISING[fault]
    with pytest.raises(kind, match=words) as raised:
        polled(server, fault)
    assert type(raised.value) is kind


@pytest.mark.parametrize("fault", UNREADABLE)
def test_an_answer_that_looks_whole_is_no_json(server: Served, fault: str) -> None:
    """A good status code, and a body that breaks off."""
    answer = polled(server, fault)
    assert answer.status_code == 200
    assert answer.text.startswith('{"id":"video_1"')
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_wrong_content_type_leaves_the_json_readable(server: Served) -> None:
    """For a client that doesn't look at it."""
    answer = polled(server, "wrong_content_type")
    assert answer.headers["content-type"] == "text/html"
    assert answer.json()["status"] == "completed"


def test_an_html_error_page_is_an_error_in_html(server: Served) -> None:
    """A client that reads JSON first fails there; `raise_for_status` knows better."""
    answer = polled(server, "html_error_page")
    with pytest.raises(httpx.HTTPStatusError, match="502 Bad Gateway"):
        answer.raise_for_status()
    with pytest.raises(json.JSONDecodeError):
        answer.json()
