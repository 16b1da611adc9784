"""Redaction: whatever a key is and wherever it is put, it doesn't leave; what else there is stays readable."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator.redaction import Redactor, is_secret, mark, presented
from tests.worlds import World

PATH = "/octopusx/v1/videos"


# Names


@pytest.mark.parametrize(
    "name",
    [
        "key", "api_key", "apiKey", "APIKey", "apikey", "X-Api-Key", "x-goog-api-key", "access_token", "accessToken",
        "accesstoken", "token", "secret", "client_secret", "clientSecret", "password", "Password", "passwd", "sig",
        "signature", "X-Amz-Signature", "X-Amz-Credential", "credentials", "authorization", "Proxy-Authorization",
        "Cookie", "Set-Cookie", "metadata[api_key]", "SECRET_KEY", "private-key",
    ],
)  # fmt: skip
def test_it_knows_names_of_keys(name: str) -> None:
    """However the words of a name are joined."""
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "prompt", "max_tokens", "completion_tokens", "keyboard", "monkey", "keyframes", "author", "design",
        "signal", "host", "user-agent", "content-type", "x-request-id", "tokenizer", "secretary", "\u00e9",
    ],
)  # fmt: skip
def test_it_takes_no_other_name_for_one(name: str) -> None:
    """Words that only look like one leave their values readable."""
    assert not is_secret(name)


# Marks


def test_a_mark_tells_keys_apart_and_nothing_more() -> None:
    """The same for the same key, another for another; of a namespaced key the namespace stays."""
    assert mark("sk-one-and-only") == mark("sk-one-and-only") != mark("sk-another-one")
    assert mark("sk-ns-alice--sk-rest") != mark("sk-ns-alice--sk-other")
    assert mark("sk-ns-alice--sk-rest").startswith("sk-ns-alice--[key ")
    assert "one" not in mark("sk-one-and-only")


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("Bearer sk-secret-1", "Bearer {}"),
        ("bearer  sk-secret-1", "bearer {}"),
        ("Basic c2VjcmV0", "Basic {}"),
        ("Token sk-secret-1", "Token {}"),
        ("sk-secret-1", "{}"),
        ("Bearer", "Bearer"),
        ("Bearer:sk-secret-1", "{}"),
        ("Bearersk-secret-1", "{}"),
        ("Bearer sk-secret-1 sk-secret-2", "Bearer {} {}"),
        ("sk-secret-1 Bearer", "{} {}"),
        ("Bearer sk-ns-alice--sk-secret-1", "Bearer sk-ns-alice--{}"),
        ("", ""),
    ],
)
def test_a_credential_keeps_its_scheme(value: str, shape: str) -> None:
    """And its shape, so that a malformed one can be seen to be."""
    told = Redactor(()).headers([(b"authorization", value.encode())])["authorization"]
    parts = [part for part in told.replace("sk-ns-alice--", "").split(" ") if part]
    marks = [f"{one} {two}" for one, two in pairwise(parts) if one == "[key"]
    assert told == shape.format(*marks)
    assert "secret" not in told


# Places


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (b"", ""),
        (b"limit=5&after=3", "limit=5&after=3"),
        (b"a&b=&=c&&", "a&b=&=c&&"),
        (b"api_key=sk-secret-1&a=b", f"api_key={mark('sk-secret-1')}&a=b"),
        (b"api%5Fkey=sk%2Dsecret-1", f"api%5Fkey={mark('sk-secret-1')}"),
        (b"se=2025&sig=ab%2Fcd", f"se=2025&sig={mark('ab/cd')}"),
        (b"url=https://x/?token=sk-secret-1", f"url=https://x/?token={mark('sk-secret-1')}"),
        (b"token=sk-ns-a--sk-secret-1", f"token={mark('sk-ns-a--sk-secret-1')}"),
    ],
)
def test_a_query_loses_its_keys_alone(query: bytes, told: str) -> None:
    """All else stays to the letter."""
    assert Redactor(()).query(query) == told


def test_a_json_value_loses_its_keys_alone() -> None:
    """By the names of fields, at any depth, whatever stands there."""
    secret = "sk-secret-1"
    value = {
        "prompt": "a cat",
        "api_key": secret,
        "auth": {"type": "x", "token": secret},
        "list": [
            {"password": 12345678},
            {"token": ["a", "b"]},
            {"token": None},
            {"token": ""},
            {"token": True},
        ],
        "max_tokens": 5,
        "url": f"https://bucket/x.png?width=3&X-Amz-Signature={secret}",
    }
    told = Redactor(()).value(value)
    assert told["prompt"] == "a cat"
    assert told["api_key"] == mark(secret)
    assert told["auth"] == mark(json.dumps(value["auth"], separators=(",", ":")))
    assert told["list"][0] == {"password": mark("12345678")}
    assert told["list"][1] == {"token": mark('["a","b"]')}
    assert told["list"][2:] == [{"token": None}, {"token": ""}, {"token": True}]
    assert told["max_tokens"] == 5
    assert told["url"] == f"https://bucket/x.png?width=3&X-Amz-Signature={mark(secret)}"


@pytest.mark.parametrize(
    "text",
    [
        '{"api_key": "sk-secret-1", "prompt": "a',
        '{"api_key" : "sk-secret-1',
        '{"\\u0061pi_key":"sk-secret-1"',
        "{'api_key=sk-secret-1",
        '{"password": 12345678',
        '{"auth": {"a": 1, "b": ["sk-secret-1", "x"',
    ],
)
def test_a_text_that_was_meant_as_json_loses_its_keys_too(text: str) -> None:
    """Where it is broken or cut there are no fields, but there are their names."""
    told = Redactor(()).document(text)
    assert "secret" not in told
    assert "12345678" not in told
    assert "[key " in told


@pytest.mark.parametrize("text", ['{"prompt": "a cat', "a=b", '"": ""', "100% \\ \\u12 %zz", "[key x]"])
def test_a_text_without_keys_stays(text: str) -> None:
    """To the letter, whatever odd characters it has."""
    assert Redactor(["sk-secret-1"]).document(text) == text


SPELLINGS: list[Callable[[str], str]] = [
    str,
    lambda key: quote(key, safe=""),
    lambda key: quote(key, safe="").lower(),
    lambda key: "".join(f"%{ord(character):02x}" for character in key),
    lambda key: "".join(f"\\u{ord(character):04X}" for character in key),
    lambda key: json.dumps(key)[1:-1],
    lambda key: key.replace("/", "\\/"),
]


@pytest.mark.parametrize("number", range(len(SPELLINGS)))
def test_a_presented_key_is_found_however_it_is_spelt(number: int) -> None:
    """Percent-encoded, or escaped as JSON escapes."""
    key = 'sk-a/b"c\\d%e'
    told = Redactor([key]).text(f"before {SPELLINGS[number](key)} after")
    assert told == f"before {mark(key)} after"


def test_the_longest_key_is_replaced_first() -> None:
    """A key may begin as another does."""
    told = Redactor(["sk-short", "sk-short-and-long"]).text("sk-short-and-long sk-short")
    assert told == f"{mark('sk-short-and-long')} {mark('sk-short')}"


def test_the_beginning_of_a_key_goes_where_a_text_was_cut() -> None:
    """Its end may have been cut off; what is too short to tell stays."""
    redactor = Redactor(["sk-secret-1"])
    assert redactor.text("a cat sk-secr", is_cut=True) == f"a cat {mark('sk-secret-1')}"
    assert redactor.text("a cat sk-", is_cut=True) == "a cat sk-"
    assert (
        redactor.text("a cat sk-secr... (9 more characters)")
        == f"a cat {mark('sk-secret-1')}... (9 more characters)"
    )
    assert redactor.text("a cat sk-secr") == "a cat sk-secr"


def test_a_very_long_key_is_known_by_its_beginning() -> None:
    """Journals cut what is long; the rest of it goes all the same."""
    key = "sk-" + "abc-" * 500
    assert Redactor([key[:1000]]).text(f"<{key}> and more") == f"<{mark(key)}> and more"


def test_a_key_of_digits_is_found_in_numbers() -> None:
    """Other numbers stay numbers."""
    told = Redactor(["12345678"]).value({"a": 1234567, "b": 912345678, "c": 12345678.5, "d": True, "e": 0})
    assert told == {"a": 1234567, "b": mark("912345678"), "c": mark("12345678.5"), "d": True, "e": 0}
    assert Redactor(["1234"]).value([12345678]) == [12345678]  # too short to tell


def test_a_short_key_is_replaced_only_where_it_stands_as_one() -> None:
    """A key of one letter is no secret, and every text has it."""
    headers = {b"authorization": b"Bearer a"}
    redactor = Redactor(presented(headers))
    assert redactor.headers(headers.items()) == {"authorization": f"Bearer {mark('a')}"}
    assert redactor.text("a cat") == "a cat"


def test_fields_of_one_name_are_joined() -> None:
    """As HTTP lets a reader do."""
    told = Redactor(()).headers([(b"vary", b"a"), (b"set-cookie", b"x=secret-12"), (b"vary", b"b")])
    assert told == {"vary": "a, b", "set-cookie": mark("x=secret-12")}


def test_a_value_that_is_nested_too_deep_is_refused() -> None:
    """Whoever asks shows it as text."""
    value: Any = "x"
    for _ in range(100):
        value = [value]
    with pytest.raises(RecursionError):
        Redactor(()).value(value)
    assert list(presented({}, b"", value)) == []


# The whole way


class Sent(msgspec.Struct, frozen=True):
    """One request with a key in it."""

    method: str = "POST"
    path: str = PATH
    headers: Mapping[str, str] = MappingProxyType({"authorization": "Bearer sk-something-else"})
    body: bytes = b""


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
AUTHORIZATIONS = (
    "Bearer {}", "bearer  {}", "Token {}", "Basic {}", "{}", "Bearer:{}", "Bearer{}", "Bearer {} {}", "{} Bearer",
)  # fmt: skip
PLACES: dict[str, Callable[[str], Sent]] = {
    **{
        form: lambda key, form=form: Sent(headers={"authorization": form.format(key, key)})  # type: ignore[misc]
        for form in AUTHORIZATIONS
    },
    "namespaced": lambda key: Sent(headers={"authorization": f"Bearer sk-ns-default--{key}"}),
    "proxy": lambda key: Sent(headers={"proxy-authorization": f"Bearer {key}"}),
    "x-api-key": lambda key: Sent(headers={"x-api-key": key}),
    "cookie": lambda key: Sent(headers={"cookie": f"a=b; session={key}"}),
    "query": lambda key: Sent(path=f"/octopusx/v1/videos?api_key={quote(key, safe='')}&a=b"),
    "field": lambda key: Sent(headers=JSON, body=_json({"api_key": key})),
    "nested": lambda key: Sent(headers=JSON, body=_json({"a": [{"auth": {"token": {"b": key}}}]})),
    "form": lambda key: Sent(headers=FORM, body=f"prompt=x&api_key={quote_plus(key)}".encode()),
    "nested form": lambda key: Sent(headers=FORM, body=f"metadata%5Bapi_key%5D={quote_plus(key)}".encode()),
}
"""Where keys stand."""

ECHOES: dict[str, Callable[[Sent, str], Sent]] = {
    "nowhere else": lambda sent, _key: sent,
    "prompt": lambda sent, key: _with_body(sent, {"prompt": f"a cat {key}, {key}"}),
    "name": lambda sent, key: _with_body(sent, {f"x{key}": 1, "prompt": "a"}),
    "broken": lambda sent, key: _broken(_with_body(sent, {"prompt": key})),
    "long": lambda sent, key: _with_body(sent, {"prompt": "x" * 250 + key, "more": "y" * 20_000}),
    "path": lambda sent, key: _at(sent, f"/octopusx/v1/videos/{quote(key, safe='')}"),
    "nothing": lambda sent, key: _at(sent, f"/acedata/nothing/{quote(key, safe='')}"),
    "parameter": lambda sent, key: _with(
        sent, path=f"{sent.path}{'&' if '?' in sent.path else '?'}a={quote(key)}"
    ),
    "header": lambda sent, key: _with(sent, headers={**sent.headers, "referer": f"http://x/{key}?{key}"}),
    "header's name": lambda sent, key: _with(sent, headers={**sent.headers, f"x-{key.lower()}": "a"}),
}
"""Where else a client may put what it presents."""


def _with(sent: Sent, **changes: Any) -> Sent:
    return msgspec.structs.replace(sent, **changes)


def _at(sent: Sent, path: str) -> Sent:
    """The request at a path where nobody reads a body: so not one whose key stands in its body."""
    return sent if sent.body else _with(sent, method="GET", path=path + sent.path[len(PATH) :])


def _broken(sent: Sent) -> Sent:
    """The request with its body's last bytes lost."""
    return sent if "form" in sent.headers["content-type"] else _with(sent, body=sent.body[:-2])


def _with_body(sent: Sent, fields: dict[str, Any]) -> Sent:
    if "form" in sent.headers.get("content-type", ""):
        return _with(
            sent, body=sent.body + "".join(f"&{n}={quote_plus(str(v))}" for n, v in fields.items()).encode()
        )
    own = json.loads(sent.body) if sent.body else {}
    return _with(sent, headers={**sent.headers, **JSON}, body=_json({**own, **fields}))


ECHOING = """
version: 1
auth: {keys: ["*"]}
rules:
  - {operation: create, headers: {x-echo: "{{ request.prompt }}"}, about: adds an echo}
  - {operation: create, match: {prompt: {contains: "cat"}}, error: {name: bad_request, message: "{{ request.prompt }}"}}
  - {operation: poll, match: {id: {exists: true}}, probability: 50%, delay: 0s, about: chance}
"""
KEYS = st.text(st.sampled_from("abcdefgzABCZ0189-._~+/=%:@!*'()\"\\$&#?[]{}|<>^`"), min_size=8, max_size=40)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts_in(item)


def told_of(world: World) -> list[str]:
    """Every text that the journals tell, by every way that there is of asking."""
    told: list[str] = []
    for namespace in world.app.namespaces:
        if len(namespace.journal):
            told += _told_of(world, f"/ns/{namespace.name}/__admin/requests")
    assert told
    return told


def _told_of(world: World, path: str) -> Iterator[str]:
    for target in (path, f"{path}/1"):
        answer = world.get(target, host="localhost", headers={})
        assert answer.status_code == 200
        yield from (answer.body.decode(), *_texts_in(answer.json()))
    canonical = world.get(f"{path}?canonical=true", host="localhost", headers={})
    assert canonical.headers["content-type"] == "application/x-ndjson"
    for line in canonical.body.decode().splitlines():
        yield from (line, *_texts_in(json.loads(line)))


@settings(max_examples=100)
@given(KEYS, st.sampled_from(sorted(PLACES)), st.sampled_from(sorted(ECHOES)), st.booleans())
@example("sk-ns-a--b", "Bearer {}", "prompt", True)
@example("00000000", "Bearer {}", "prompt", True)
@example("a" * 40, "{}", "long", False)
def test_no_key_leaves(key: str, place: str, echo: str, asks_why: bool) -> None:
    """Neither by the journal, nor in its canonical form, nor in the header that says why."""
    world = World(ECHOING)
    sent = ECHOES[echo](PLACES[place](key), key)
    headers = {**sent.headers, "x-emulator-why": "1"} if asks_why else dict(sent.headers)
    answer = world.call(sent.method, sent.path, sent.body or None, headers=headers)
    if answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json":
        return  # a key that names a namespace in a way that none can have: nothing was journalled
    assert not any(key in text for text in told_of(world)), (place, echo)
    assert key not in answer.headers.get("x-emulator-why", "")


def test_a_key_of_another_request_goes_too() -> None:
    """One client may print what another one sent."""
    world = World()
    key = "sk-somebody-elses"
    created = world.post(PATH, {"prompt": f"my key is {key}"}, headers={"authorization": f"Bearer {key}"})
    world.get(
        f"/octopusx/v1/videos/{created.json()['id']}?also={key}",
        headers={"authorization": "Bearer sk-mine-alone"},
    )
    assert not any(key in text for text in told_of(world))


def test_a_key_that_became_an_id_goes_too() -> None:
    """Of a task that began under it."""
    world = World("version: 1\nunknown_task: start\n")
    answer = world.get(f"{PATH}/sk-somebody", headers={"authorization": "Bearer sk-somebody"})
    assert answer.status_code == 200
    assert not any("sk-somebody" in text for text in told_of(world))


def test_a_huge_key_leaves_neither_whole_nor_cut() -> None:
    """The journal keeps the beginning of a large head, and takes it out of what it keeps of the body."""
    world = World()
    key = "sk-" + "0123456789" * 2000
    headers = {**{f"x-{n}": "y" * 1000 for n in range(20)}, "authorization": f"Bearer {key}"}
    world.post(PATH, {"prompt": key, "seconds": key, "size": f"{key} and more"}, headers=headers)
    assert not any("0123456789" * 5 in text for text in told_of(world))
