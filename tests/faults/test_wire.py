"""Every fault as bytes on a socket: on each parser, on each loop, with TLS and without."""

from collections.abc import Iterator
from typing import Final

import msgspec
import pytest

from tests.faults.servers import KINDS, POLL, Heard, Kind, Line, faulty, heard, request, serving
from tests.serving import Served

FAULTS: Final = (
    "connection_reset",
    *(f"{{connection_reset: {share}%}}" for share in (0, 50, 99)),
    "truncate_body",
    *(f"{{truncate_body: {place}}}" for place in ("25%", "1B", "100B", "1GiB")),
    "stall",
    "{stall: 10B}",
    "empty_response",
    "hang",
    "malformed_chunk",
    "random_data",
    "wrong_length",
    "wrong_content_type",
    "invalid_json",
    "html_error_page",
)


class Server(msgspec.Struct, frozen=True):
    """A server on which each request says which fault it shall meet."""

    served: Served
    tls: bool

    def polled(self, fault: str, connection: str = "keep-alive") -> Heard:
        """What a poll brings, up to the end of the connection."""
        assert fault in FAULTS
        return heard(self.served, request(POLL, x_fault=fault, connection=connection), tls=self.tls)

    def begun(self, fault: str) -> Line:
        """A connection on which a poll was sent."""
        assert fault in FAULTS
        line = Line(self.served, tls=self.tls)
        line.send(request(POLL, x_fault=fault))
        return line


@pytest.fixture(scope="module", params=KINDS, ids=str)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each kind of server in turn."""
    kind: Kind = request.param
    with serving(faulty(*FAULTS).app, kind) as served:
        yield Server(served, kind.tls)


def test_a_reset_is_a_reset_before_any_byte(server: Server) -> None:
    """`ConnectionResetError`, and not the end of a file."""
    answer = server.polled("connection_reset")
    assert (answer.data, answer.end) == (b"", "reset")


@pytest.mark.parametrize("share", [0, 50, 99])
def test_a_reset_with_a_place_comes_after_that_much_of_the_body(server: Server, share: int) -> None:
    """The head announces all of it; the bytes before the reset have come."""
    answer = server.polled(f"{{connection_reset: {share}%}}")
    assert answer.head.startswith(b"http/1.1 200 ok")
    assert len(answer.body) == round(answer.announced * share / 100)
    assert answer.end == "reset"


@pytest.mark.parametrize(("place", "part"), [("truncate_body", 0.5), ("{truncate_body: 25%}", 0.25)])
def test_a_truncated_body_announces_all_and_closes_early(server: Server, place: str, part: float) -> None:
    """By itself in the middle; the end is an ordinary one."""
    answer = server.polled(place)
    assert len(answer.body) == round(answer.announced * part)
    assert answer.body.startswith(b'{"id":"video_1"')
    assert answer.end == "closed"


@pytest.mark.parametrize(("size", "expected"), [("1B", 1), ("100B", 100), ("1GiB", -1)])
def test_a_body_is_truncated_after_so_many_bytes_and_always_lacks_one(
    server: Server, size: str, expected: int
) -> None:
    """A size beyond the body leaves out its last byte, so that the fault strikes."""
    answer = server.polled(f"{{truncate_body: {size}}}")
    assert len(answer.body) == (expected if expected > 0 else answer.announced + expected)
    assert answer.end == "closed"


def test_an_empty_response_is_a_closed_connection(server: Server) -> None:
    """Not a byte, and an ordinary end."""
    answer = server.polled("empty_response")
    assert (answer.data, answer.end) == (b"", "closed")


def test_a_malformed_chunk_follows_a_good_one(server: Server) -> None:
    """Half of the body comes chunked as it should; then there is no size."""
    answer = server.polled("malformed_chunk")
    assert b"transfer-encoding: chunked" in answer.head
    assert b"content-length" not in answer.head
    size, _, rest = answer.body.partition(b"\r\n")
    assert rest[int(size, 16) :] == b"\r\nno-size-at-all\r\n"
    assert rest.startswith(b'{"id":"video_1"')
    assert answer.end == "closed"


def test_random_data_is_no_http_and_the_same_for_a_seed(server: Server) -> None:
    """Noise, drawn with the seed."""
    answers = [server.polled("random_data") for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(answers[0].data) == 256
    assert not answers[0].data.startswith(b"HTTP")
    assert answers[0].end == "closed"


def test_a_wrong_length_announces_half_of_what_comes(server: Server) -> None:
    """All of the body is there, and behind the announced end."""
    answer = server.polled("wrong_length")
    assert answer.announced == round(len(answer.body) / 2)
    assert answer.body.endswith(b"}")
    assert answer.end == "closed"


def test_a_stall_holds_the_connection_in_the_middle_of_the_body(server: Server) -> None:
    """What comes before it has come; then there is silence, and no end."""
    with server.begun("{stall: 10B}") as line:
        answer = line.until_silent(10)
        assert len(answer.body) == 10
        assert answer.announced > 100


def test_a_hang_never_begins(server: Server) -> None:
    """Not a byte, and no end."""
    with server.begun("hang") as line:
        assert line.until_silent(None).data == b""


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("fault", ["hang", "stall"])
def test_a_held_connection_is_closed_when_the_server_stops(kind: Kind, fault: str) -> None:
    """After its grace, without a byte more."""
    with serving(faulty(fault).app, kind) as served:
        line = Server(served, kind.tls).begun(fault)
        line.until_silent(None if fault == "hang" else 1)
    with line:
        assert line.rest() == Heard(b"", "closed")


@pytest.mark.parametrize(
    ("fault", "content_type"),
    [("wrong_content_type", b"text/html"), ("invalid_json", b"application/json")],
)
def test_a_fault_of_content_leaves_the_connection_as_it_is(
    server: Server, fault: str, content_type: bytes
) -> None:
    """The answer is whole as HTTP, and another request goes over the same connection."""
    sent = request(POLL, x_fault=fault) + request(POLL, x_fault=fault, connection="close")
    answer = heard(server.served, sent, tls=server.tls)
    first, _, second = answer.data[1:].partition(b"HTTP/1.1 200 OK")
    for part in (first, second):
        head, _, body = part.partition(b"\r\n\r\n")
        assert b"content-type: " + content_type in head
        assert b"content-length: %d" % len(body) in head


def test_an_html_error_page_is_a_gateways(server: Server) -> None:
    """A 502 in HTML, without a header of the provider's."""
    answer = server.polled("html_error_page", connection="close")
    assert answer.head.startswith(b"http/1.1 502 bad gateway")
    assert b"content-type: text/html" in answer.head
    assert b"x-request-id" not in answer.head
    assert answer.announced == len(answer.body)
    assert b"<h1>502 Bad Gateway</h1>" in answer.body
