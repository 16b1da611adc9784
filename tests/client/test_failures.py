"""What the client says when something goes wrong: one sentence, with the URL and a repair."""

import asyncio
import pickle
import ssl
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from emulator import AsyncClient, Client, __version__
from emulator.client import (
    BadRequest,
    Conflict,
    EmulatorError,
    EmulatorUnreachable,
    NoRoom,
    NotAllowed,
    NotAnEmulator,
    NotFound,
    NotVerified,
    Refused,
)
from emulator.client.calls import Sender
from emulator.client.clients import Surface
from emulator.client.errors import refusal
from emulator.client.health import Alive
from emulator.client.once import OneShot
from emulator.client.place import Place
from emulator.messages.events import DroppedEvent
from emulator.messages.problem import ProblemDocument
from emulator.messages.verify import Verification
from emulator.namespaces import Bounds
from tests.client.others import CERTIFICATE, HTML, JSON, answering, free_url, serving_https
from tests.serving import thread
from tests.worlds import World


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An emulator's URL."""
    with thread(World().app) as served:
        yield served.url


def ask(url: str, what: Callable[[Any], Any], **options: Any) -> EmulatorError:
    """The error of a call, which the two clients must agree on."""
    with Client(url, **options) as client, pytest.raises(EmulatorError) as failed:
        what(client)

    async def later() -> EmulatorError:
        async with AsyncClient(url, **options) as client:
            with pytest.raises(EmulatorError) as failed:
                await what(client)
        return failed.value

    other = asyncio.run(later())
    assert type(other) is type(failed.value)
    assert str(other) == str(failed.value)
    return failed.value


def test_nobody_there() -> None:
    """The sentence tells the URL, the reason and how to start one."""
    url = free_url()
    problem = ask(url, lambda client: client.health())
    assert isinstance(problem, EmulatorUnreachable)
    assert (problem.url, problem.reason) == (url, "Connection refused")
    assert str(problem) == (
        f"no video-emulator can be reached at {url}: Connection refused; start one with `video-emulator "
        "serve`, or give the URL of one that runs"
    )


def test_no_answer_in_time() -> None:
    """The time-out is the client's own."""
    with answering(None) as url:
        problem = ask(url, lambda client: client.health(), timeout="50ms")
    assert isinstance(problem, EmulatorUnreachable)
    assert problem.reason == "no answer within 0.05s"
    assert "a longer timeout" in str(problem)


def test_a_connection_that_breaks() -> None:
    """What is served by https speaks no http, and closes."""
    with answering(b"") as url:
        problem = ask(url, lambda client: client.health())
    assert isinstance(problem, EmulatorUnreachable)
    assert "whether it serves https" in str(problem)


def test_https_where_http_is_spoken(url: str) -> None:
    """The repair is the other scheme."""
    problem = ask(url.replace("http:", "https:"), lambda client: client.health(), verify=False)
    assert isinstance(problem, EmulatorUnreachable)
    assert "whether it serves http rather than https" in str(problem)


def trusting() -> ssl.SSLContext:
    """A context that trusts the certificate, whatever name it bears."""
    context = ssl.create_default_context(cafile=CERTIFICATE)
    context.check_hostname = False
    return context


def test_a_certificate_made_for_tests() -> None:
    """It is refused with the repair, and taken with it."""
    with serving_https() as url:
        problem = ask(url, lambda client: client.health())
        with Client(url, verify=False) as client:
            assert client.ready().ready
        with Client(url, verify=trusting()) as client:
            assert client.ready().ready
    assert isinstance(problem, EmulatorUnreachable)
    assert "CERTIFICATE_VERIFY_FAILED" in problem.reason
    assert "verify=False" in str(problem)


STRANGERS: Final = {
    "a page": HTML % 200,
    "no such page": HTML % 404,
    "another API's JSON": JSON % (200, 2, b"[]"),
    "another API's error": JSON % (404, 21, b'{"error": "not found"}'[:21]),
    "broken JSON": JSON % (200, 2, b'{"'),
    "bytes that are no text": JSON % (200, 3, b'"\xff"'),
    "a redirect": b"HTTP/1.1 307 X\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("data", STRANGERS.values(), ids=STRANGERS)
def test_something_else_answers(data: bytes) -> None:
    """Whatever it says, it is told apart from an emulator."""
    with answering(data) as url:
        problem = ask(url, lambda client: client.health())
    assert isinstance(problem, NotAnEmulator)
    assert str(problem).startswith(f"{url}: something answers there")
    assert "no video-emulator" in str(problem)


def test_an_emulator_of_another_version() -> None:
    """An answer that lacks a member says which."""
    with answering(JSON % (200, 15, b'{"status":"ok"}')) as url:
        problem = ask(url, lambda client: client.health())
    assert isinstance(problem, NotAnEmulator)
    assert f"no video-emulator of version {__version__}" in str(problem)
    assert "`version`" in str(problem)


@pytest.mark.parametrize("data", [STRANGERS["a page"], STRANGERS["a redirect"]], ids=["a page", "a redirect"])
def test_something_else_where_a_text_is_expected(data: bytes) -> None:
    """It isn't taken for the text."""
    with answering(data) as url:
        problem = ask(url, lambda client: client.metrics())
    assert isinstance(problem, NotAnEmulator)


def test_json_that_is_said_to_be_something_else() -> None:
    """An emulator says what it sends."""
    with answering((JSON % (200, 14, b'{"ready":true}')).replace(b"application/json", b"text/plain")) as url:
        problem = ask(url, lambda client: client.ready())
    assert isinstance(problem, NotAnEmulator)


# Refusals


def test_a_wrong_value(url: str) -> None:
    """Every mistake, as the emulator tells it."""
    problem = ask(url, lambda client: client.clock.change(mode="slow", scale=-1))
    assert isinstance(problem, BadRequest)
    assert (problem.status_code, problem.title) == (400, "Bad request")
    assert [mistake.where for mistake in problem.mistakes] == ["mode", "scale"]
    assert str(problem) == f"Bad request (status code 400): {problem.detail}"
    assert problem.text == problem.detail
    assert problem.names == []


def test_a_scenario_with_mistakes(url: str) -> None:
    """Each with its line, and the text that the command line prints."""
    text = "version: 1\nname: odd\nrules:\n  - {operation: pol, error: interna}\n"
    problem = ask(url, lambda client: client.scenarios.post(text))
    assert isinstance(problem, BadRequest)
    assert [(mistake.line, mistake.where) for mistake in problem.mistakes] == [
        (4, "rules[0].operation"),
        (4, "rules[0].error"),
    ]
    assert "^" in problem.text


def test_an_unknown_name(url: str) -> None:
    """With those that there are."""
    problem = ask(url, lambda client: client.scenarios.activate("hapy-path"))
    assert isinstance(problem, NotFound)
    assert "happy-path" in problem.names
    assert "did you mean happy-path?" in problem.detail


def test_what_cannot_be_done(url: str) -> None:
    """A clock set backwards, say."""
    problem = ask(url, lambda client: client.clock.set("2024-12-31T00:00:00Z"))
    assert isinstance(problem, Conflict)
    assert "never goes backwards" in problem.detail


def test_a_missing_token() -> None:
    """And a wrong one; with the right one it is let in."""
    with thread(World(admin_token="open sesame").app) as served:
        for token in (None, "open"):
            problem = ask(served.url, lambda client: client.clock.state(), admin_token=token)
            assert isinstance(problem, NotAllowed)
            assert problem.status_code == 401
        with Client(served.url, admin_token="open sesame") as client:
            assert client.clock.state().mode == "manual"
            with Client(served.url) as other:
                assert other.health().version == __version__


def test_a_namespace_too_many() -> None:
    """The emulator has a bound."""
    with thread(World(bounds=Bounds(namespaces=1)).app) as served:
        with Client(served.url, namespace="first") as first:
            first.health()
        problem = ask(served.url, lambda client: client.health(), namespace="second")
    assert isinstance(problem, NoRoom)
    assert "--max-namespaces" in problem.detail


def test_a_namespace_that_cannot_be(url: str) -> None:
    """The emulator knows what one may be called, also where the name has to be escaped to be sent."""
    for name in ("A", "a b", "a/b", "ä", "", "%"):
        problem = ask(url, lambda client: client.health(), namespace=name)
        assert isinstance(problem, BadRequest), name
        assert "the name of a namespace" in problem.detail


def test_a_defect_of_the_emulator() -> None:
    """It is told as one, by whichever part of the emulator met it."""
    body = b'{"video_emulator":{"error":"met a defect"}}'
    with answering(JSON % (500, len(body), body)) as url:
        problem = ask(url, lambda client: client.health())
    assert isinstance(problem, Refused)
    assert (problem.status_code, problem.detail) == (500, "met a defect")


KINDS: Final = {
    400: BadRequest,
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: BadRequest,
    415: BadRequest,
    418: Refused,
    500: Refused,
    503: NoRoom,
}


@pytest.mark.parametrize(("status_code", "kind"), KINDS.items())
def test_every_refusal_is_one(status_code: int, kind: type[Refused]) -> None:
    """Also one with a status code that has no class of its own."""
    problem = refusal(ProblemDocument(title="No", status=status_code, detail="because"))
    assert type(problem) is kind
    assert problem.status_code == status_code
    assert str(problem) == f"No (status code {status_code}): because"


# Mistakes of the caller, of which the emulator never hears


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080",
        "ftp://localhost",
        "http://",
        "http://localhost:x",
        "http://a b/",
        "http://a/?b=c",
    ],
)
def test_a_url_that_can_be_none(url: str) -> None:
    """It is refused before anything is sent."""
    for client in (Client, AsyncClient):
        with pytest.raises(ValueError, match="expected the URL of an emulator, such as http://"):
            client(url)


NO_ID: Final = "id: expected the id of a task, got ''"
NO_NAMESPACE: Final = "name: expected the name of a namespace, got ''"
NO_SCENARIO: Final = "name: expected the name of a scenario, got ''"
ACTIVE: Final = "name: no scenario can be called 'active'; for the one in force call scenarios.active()"
NO_DURATION: Final = 'expected a duration such as "5m" or a datetime.timedelta, got 5'
NO_INSTANT: Final = (
    'expected an instant such as "2025-01-01T00:00:00Z" or a datetime.datetime with a zone, got 5'
)
NO_SOURCE: Final = "scenario: expected a text, a Path or a mapping, got bytes"
NO_TYPES: Final = 'types: expected types of events such as ["task", "clock"], got '
NO_CLOCK: Final = 'clock: expected a mapping such as {"mode": "manual"}, got '

SENT_NOWHERE: Final[dict[str, tuple[type[Exception], str, Callable[[Any], Any]]]] = {
    "get a task": (ValueError, NO_ID, lambda c: c.tasks.get("")),
    "advance a task": (ValueError, NO_ID, lambda c: c.tasks.advance("")),
    "fail a task": (ValueError, NO_ID, lambda c: c.tasks.fail("")),
    "patch a task": (ValueError, NO_ID, lambda c: c.tasks.patch("", progress=1)),
    "no task": (TypeError, "id: expected the id of a task, got None", lambda c: c.tasks.get(None)),
    "get a namespace": (ValueError, NO_NAMESPACE, lambda c: c.namespaces.get("")),
    "drop a namespace": (ValueError, NO_NAMESPACE, lambda c: c.namespaces.drop("")),
    "get a scenario": (ValueError, NO_SCENARIO, lambda c: c.scenarios.get("")),
    "put a scenario": (ValueError, NO_SCENARIO, lambda c: c.scenarios.put("", "version: 1\n")),
    "delete a scenario": (ValueError, NO_SCENARIO, lambda c: c.scenarios.delete("")),
    "get the active one": (ValueError, ACTIVE, lambda c: c.scenarios.get("active")),
    "get a request": (
        ValueError,
        "number: expected the number of an entry, got ''",
        lambda c: c.requests.get(""),
    ),
    "advance a clock": (TypeError, NO_DURATION, lambda c: c.clock.advance(5)),
    "wait for a request": (TypeError, NO_DURATION, lambda c: c.requests.wait(5)),
    "set a clock": (TypeError, NO_INSTANT, lambda c: c.clock.set(5)),
    "create a task": (TypeError, NO_INSTANT, lambda c: c.tasks.create("octopusx", created_at=5)),
    "post bytes": (TypeError, NO_SOURCE, lambda c: c.scenarios.post(b"version: 1")),
    "put bytes": (TypeError, NO_SOURCE, lambda c: c.scenarios.put("a", b"version: 1")),
    "events of a number": (TypeError, f"{NO_TYPES}5", lambda c: c.events(5)),
    "events of numbers": (TypeError, f"{NO_TYPES}[5]", lambda c: c.events([5])),
    "reset": (TypeError, f"{NO_CLOCK}'manual'", lambda c: c.reset("manual")),
    "another namespace": (
        TypeError,
        "namespace: expected the name of a namespace, got 5",
        lambda c: c.namespace(5),
    ),
}


@pytest.mark.parametrize(("kind", "told", "what"), SENT_NOWHERE.values(), ids=SENT_NOWHERE)
def test_what_can_only_be_a_mistake_is_not_sent(
    kind: type[Exception], told: str, what: Callable[[Any], Any]
) -> None:
    """Both clients say so in one sentence, at the call, and nobody need be there to hear it."""
    for client in (Client, AsyncClient):
        with pytest.raises(kind) as failed:
            what(client("http://127.0.0.1:1"))
        assert str(failed.value) == told


def test_what_no_client_can_be_made_of() -> None:
    """It is told when the client is made; a token isn't shown."""
    make: Any
    for make in (Client, AsyncClient):
        with pytest.raises(TypeError, match=r"expected the URL of an emulator, .* got 5"):
            make(5)
        with pytest.raises(TypeError, match="namespace: expected the name of a namespace, got 5"):
            make(namespace=5)
        with pytest.raises(TypeError, match="admin_token: expected a text, got int"):
            make(admin_token=5)
        for token in ("ä", "a\nb"):
            with pytest.raises(
                ValueError, match=r"^admin_token: expected printable ASCII characters, got others"
            ):
                make(admin_token=token)
        with pytest.raises(ValueError, match="timeout: expected more than 0 seconds, got 0"):
            make(timeout=0)


def test_a_time_out_in_seconds(url: str) -> None:
    """As other clients take it."""
    with Client(url, timeout=5) as client:
        assert client.ready().ready
    with answering(None) as silent:
        problem = ask(silent, lambda client: client.health(), timeout=0.05)
    assert "no answer within 0.05s" in str(problem)


def test_every_error_survives_a_process() -> None:
    """A pool of processes hands exceptions on by pickling them."""
    verification = Verification(
        verified=False,
        expected="1 or more",
        count=0,
        numbers=[],
        undecided=0,
        dropped=0,
        nearest=[],
        notes=[],
        text="nothing came",
    )
    document = ProblemDocument(title="No", status=404, detail="because", names=["a"])
    errors: list[Exception] = [
        EmulatorUnreachable("http://a", "gone", "look"),
        NotAnEmulator("http://a", "a page"),
        refusal(document),
        NotVerified(verification),
    ]
    for error in errors:
        sent = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
        assert type(sent) is type(error)
        assert str(sent) == str(error)
        assert vars(sent) == vars(error)


# Streams

STREAM: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%b\r\n: ping\n\n%b"
EVENT: Final = b'event: %b\nid: 1\ndata: {"namespace":"gone"}\n\n'


def listen(client: Any, *types: str) -> Any:
    """Every event of a client's stream."""
    if isinstance(client, Client):
        with client.events(types) as events:  # type: ignore[arg-type] # one test asks for a wrong one
            return list(events)

    async def later() -> list[Any]:
        async with client.events(types) as events:
            return [event async for event in events]

    return later()


def test_a_stream_that_breaks() -> None:
    """It is told as any connection that breaks."""
    with answering(STREAM % (b"Content-Length: 1000\r\n", EVENT % b"dropped")) as url:
        problem = ask(url, listen)
    assert isinstance(problem, EmulatorUnreachable)
    assert "peer closed connection" in problem.reason
    assert problem.repair == "see whether it still runs"


def test_a_stream_that_is_none() -> None:
    """A page, say."""
    with answering(HTML % 200) as url:
        problem = ask(url, listen)
    assert isinstance(problem, NotAnEmulator)


def test_an_event_of_another_form() -> None:
    """It lacks a member, say."""
    with answering(STREAM % (b"", b"event: lost\ndata: {}\n\n")) as url:
        problem = ask(url, listen)
    assert isinstance(problem, NotAnEmulator)
    assert "`count`" in str(problem)


def test_a_stream_that_is_refused(url: str) -> None:
    """With what is wrong."""
    problem = ask(url, lambda client: listen(client, "tsk"))
    assert isinstance(problem, BadRequest)
    assert "types: expected some of request, task" in problem.detail


def test_nobody_to_listen_to() -> None:
    """As with any call."""
    assert isinstance(ask(free_url(), listen), EmulatorUnreachable)


def test_news_of_another_version() -> None:
    """Events of a kind that this one doesn't know are passed over, as comments are."""
    with answering(STREAM % (b"", EVENT % b"novelty" + EVENT % b"dropped")) as url, Client(url) as client:
        assert listen(client) == [DroppedEvent(namespace="gone")]


# The sender for a single call

ONCE: Final[dict[str, Callable[[Any], Any]]] = {
    "a look": lambda client: client.health(),
    "a query": lambda client: client.tasks.list(limit=-1),
    "a body": lambda client: client.clock.advance("5m"),
    "a text": lambda client: client.scenarios.post("version: 1\nname: x\nname: x\n"),
    "a refusal": lambda client: client.scenarios.activate("nobody"),
    "a time-out": lambda client: client.requests.wait("1ms"),
    "no token": lambda client: client.namespaces.list(),
}


def outcome(ask: Callable[[], Any]) -> tuple[Any, str]:
    """What comes of a call: the type of its answer or its error, and how either reads."""
    try:
        answered = ask()
    except (EmulatorError, TimeoutError) as problem:
        return type(problem), str(problem)
    return type(answered), ""


@pytest.mark.parametrize("what", ONCE.values(), ids=ONCE)
def test_the_sender_for_one_call_is_the_same(what: Callable[[Any], Any]) -> None:
    """By the standard library: what comes of a call is what comes of the client's."""
    token = "let me in" if what is not ONCE["no token"] else "wrong"
    with thread(World(admin_token="let me in").app) as served:
        place = Place(url=served.url, namespace="a", admin_token=token, timeout=10)
        once: Surface[Sender] = Surface(OneShot(place))
        with Client(served.url, namespace="b", admin_token=token) as client:
            assert outcome(lambda: what(once)) == outcome(lambda: what(client))


def test_it_fails_in_the_same_words() -> None:
    """Where nobody is there, nobody answers, or a stranger does."""
    free = free_url()
    with answering(None) as silent, answering(HTML % 502) as stranger, serving_https() as secure:
        for url in (free, silent, stranger, secure):
            once: Alive[Sender] = Alive(OneShot(Place(url=url, timeout=0.05 if url == silent else 10)))
            with Client(url, timeout="50ms" if url == silent else "10s") as client:
                kind, told = outcome(once.health)
                assert (kind, told) == outcome(client.health)
                assert issubclass(kind, EmulatorError), told
