"""Every fault as bytes on a socket: on each parser, on each loop, with TLS and without."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.servers import KINDS, POLL, Heard, Kind, Line, heard, request, serving, world
from tests.serving import Served

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=str)


@contextmanager
def broken(fault: str, kind: Kind) -> Iterator[Served]:
    """A server whose polls meet a fault."""
    with serving(world(f"{{operation: poll, fault: {fault}}}").app, kind) as served:
        yield served


def polled(fault: str, kind: Kind) -> Heard:
    """What a poll brings, up to the end of the connection."""
    with broken(fault, kind) as served:
        return heard(served, request(POLL), tls=kind.tls)


def test_a_reset_is_a_reset_before_any_byte(kind: Kind) -> None:
    """`ConnectionResetError`, and not the end of a file."""
    answer = polled("connection_reset", kind)
    assert (answer.data, answer.end) == (b"", "reset")


@pytest.mark.parametrize("share", [0, 50, 99])
def test_a_reset_with_a_place_comes_after_that_much_of_the_body(kind: Kind, share: int) -> None:
    """The head announces all of it; the bytes before the reset have come."""
    answer = polled(f"{{connection_reset: {share}%}}", kind)
    assert answer.head.startswith(b"http/1.1 200 ok")
    assert len(answer.body) == round(answer.announced * share / 100)
    assert answer.end == "reset"


@pytest.mark.parametrize(("place", "part"), [("truncate_body", 0.5), ("{truncate_body: 25%}", 0.25)])
def test_a_truncated_body_announces_all_and_closes_early(kind: Kind, place: str, part: float) -> None:
    """By itself in the middle; the end is an ordinary one."""
    answer = polled(place, kind)
    assert len(answer.body) == round(answer.announced * part)
    assert answer.body.startswith(b'{"id":"video_1"')
    assert answer.end == "closed"


@pytest.mark.parametrize(("size", "expected"), [("1B", 1), ("100B", 100), ("1GiB", -1)])
def test_a_body_is_truncated_after_so_many_bytes_and_always_lacks_one(
    kind: Kind, size: str, expected: int
) -> None:
    """A size beyond the body leaves out its last byte, so that the fault strikes."""
    answer = polled(f"{{truncate_body: {size}}}", kind)
    assert len(answer.body) == (expected if expected > 0 else answer.announced + expected)
    assert answer.end == "closed"


def test_an_empty_response_is_a_closed_connection(kind: Kind) -> None:
    """Not a byte, and an ordinary end."""
    answer = polled("empty_response", kind)
    assert (answer.data, answer.end) == (b"", "closed")


def test_a_malformed_chunk_follows_a_good_one(kind: Kind) -> None:
    """Half of the body comes chunked as it should; then there is no size."""
    answer = polled("malformed_chunk", kind)
    assert b"transfer-encoding: chunked" in answer.head
    assert b"content-length" not in answer.head
    size, _, rest = answer.body.partition(b"\r\n")
    assert rest[int(size, 16) :] == b"\r\nno-size-at-all\r\n"
    assert rest.startswith(b'{"id":"video_1"')
    assert answer.end == "closed"


def test_random_data_is_no_http_and_the_same_for_a_seed(kind: Kind) -> None:
    """Noise, drawn with the seed."""
    answers = [polled("random_data", kind) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(answers[0].data) == 256
    assert not answers[0].data.startswith(b"HTTP")
    assert answers[0].end == "closed"


def test_a_wrong_length_announces_half_of_what_comes(kind: Kind) -> None:
    """All of the body is there, and behind the announced end."""
    answer = polled("wrong_length", kind)
    assert answer.announced == round(len(answer.body) / 2)
    assert answer.body.endswith(b"}")
    assert answer.end == "closed"


def test_a_stall_holds_the_connection_in_the_middle_of_the_body(kind: Kind) -> None:
    """What comes before it has come; then there is silence, and no end."""
    with broken("{stall: 10B}", kind) as served, Line(served, tls=kind.tls) as line:
        line.send(request(POLL))
        answer = line.until_silent(10)
        assert len(answer.body) == 10
        assert answer.announced > 100


def test_a_hang_never_begins(kind: Kind) -> None:
    """Not a byte, and no end."""
    with broken("hang", kind) as served, Line(served, tls=kind.tls) as line:
        line.send(request(POLL))
        assert line.until_silent(None).data == b""


@pytest.mark.parametrize("fault", ["hang", "stall"])
def test_a_held_connection_is_closed_when_the_server_stops(kind: Kind, fault: str) -> None:
    """After its grace, without a byte more."""
    with broken(fault, kind) as served:
        line = Line(served, tls=kind.tls)
        line.send(request(POLL))
        line.until_silent(None if fault == "hang" else 1)
    with line:
        assert line.rest() == Heard(b"", "closed")


@pytest.mark.parametrize(
    ("fault", "content_type"),
    [("wrong_content_type", b"text/html"), ("invalid_json", b"application/json")],
)
def test_a_fault_of_content_leaves_the_connection_as_it_is(
    kind: Kind, fault: str, content_type: bytes
) -> None:
    """The answer is whole as HTTP, and another request goes over the same connection."""
    with broken(fault, kind) as served:
        answer = heard(served, request(POLL) + request(POLL, connection="close"), tls=kind.tls)
    first, _, second = answer.data[1:].partition(b"HTTP/1.1 200 OK")
    for part in (first, second):
        head, _, body = part.partition(b"\r\n\r\n")
        assert b"content-type: " + content_type in head
        assert b"content-length: %d" % len(body) in head


def test_an_html_error_page_is_a_gateways(kind: Kind) -> None:
    """A 502 in HTML, without a header of the provider's."""
    with broken("html_error_page", kind) as served:
        answer = heard(served, request(POLL, connection="close"), tls=kind.tls)
    assert answer.head.startswith(b"http/1.1 502 bad gateway")
    assert b"content-type: text/html" in answer.head
    assert b"x-request-id" not in answer.head
    assert answer.announced == len(answer.body)
    assert b"<h1>502 Bad Gateway</h1>" in answer.body
