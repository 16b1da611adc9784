"""Request bodies: read within bounds, understood as JSON values, never tripped over."""

import asyncio
import tracemalloc
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import cycle
from typing import Any

import httpx
import msgspec
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator import bodies
from emulator.bodies import (
    CREATE_LIMIT,
    FORM_LIMIT,
    LONGEST_STRING,
    MAX_DEPTH,
    MAX_PARTS,
    MAX_SEPARATORS,
    MIB,
    POLL_LIMIT,
    Body,
    Hung,
    TooLarge,
)
from tests.strategies import JSON

BOUNDARY = "multipart/form-data; boundary=edge"
FORM = "application/x-www-form-urlencoded"


class Sent:
    """What a client sends: chunks, the last of which says so; then, if asked again, its leaving."""

    def __init__(self, chunks: Sequence[bytes], *, leaves: bool = False) -> None:
        self.messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
        ]
        if not leaves:
            self.messages[-1]["more_body"] = False
        self.asked = 0

    async def __call__(self) -> Mapping[str, Any]:
        """The next message."""
        self.asked += 1
        return (
            self.messages[self.asked - 1] if self.asked <= len(self.messages) else {"type": "http.disconnect"}
        )


def understood(
    data: bytes | Sequence[bytes],
    content_type: str = "application/json",
    *,
    forms: bool = True,
    limit: int = CREATE_LIMIT,
) -> Body:
    """What is understood of a body of this content type, less what the journal keeps of it."""
    chunks = [data] if isinstance(data, bytes) else data
    headers = {b"content-type": content_type.encode("latin-1")} if content_type else {}
    body = asyncio.run(bodies.understand(Sent(chunks), headers, limit, forms=forms))
    return msgspec.structs.replace(body, raw=b"", size=0)


def cut(data: bytes, sizes: Sequence[int]) -> list[bytes]:
    """The bytes in chunks of these sizes, over and over."""
    chunks, start, size = [], 0, cycle(sizes)
    while start < len(data):
        step = next(size)
        chunks.append(data[start : start + step])
        start += step
    return chunks or [b""]


def part(name: str, value: str, *more: str) -> bytes:
    """One part of a form with the boundary ``edge``."""
    head = "".join(f"\r\n{line}" for line in more)
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"{head}\r\n\r\n{value}\r\n'.encode()


END = b"--edge--\r\n"


# JSON


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), JSON, max_size=4), st.integers(1, 7)
)
def test_reads_json_in_whatever_pieces(fields: dict[str, Any], size: int) -> None:
    """A JSON object is understood as its value, however its bytes arrive."""
    data = orjson.dumps(fields)
    assert understood(cut(data, [size])) == Body(orjson.loads(data))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "",
        "APPLICATION/JSON; charset=utf-8",
        "application/vnd.api+json",
        f"{FORM}",
        f"{FORM}; charset=utf-8",
    ],
)
@pytest.mark.parametrize("forms", [True, False])
def test_reads_json_under_each_type_that_clients_give_it(content_type: str, forms: bool) -> None:
    """JSON is read under its own types, under none, and under the one that curl gives without a header."""
    assert understood(b' \n{"a": 1}', content_type, forms=forms) == Body({"a": 1})


@pytest.mark.parametrize("data", [b"[1]", b'"a"', b"7", b"null", b"true"])
def test_reads_json_that_is_no_object(data: bytes) -> None:
    """What isn't an object is understood all the same: judging it is up to the provider."""
    assert understood(data) == Body(orjson.loads(data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "expected a JSON object, got an empty body"),
        (b" \r\n\t", "expected a JSON object, got an empty body"),
        (b"{", "the body is not JSON: "),
        (b'{"a": 1,}', "the body is not JSON: "),
        (b"{'a': 1}", "the body is not JSON: "),
        (b"NaN", "the body is not JSON: "),
        (b'{"a": 1}{"b": 2}', "the body is not JSON: "),
        (b"\x00", "the body is not JSON: "),
        (b'{"a": "\x00"}', "the body is not JSON: "),
        (b'{"a": 1}\x00', "the body is not JSON: "),
        (b'{"a": "\xff"}', "the body is not JSON: "),
        (b'{"a": "\\ud800"}', "the body is not JSON: "),
        (b"\xef\xbb\xbf{}", "BOM"),
        ('{"a": 1}'.encode("utf-16"), "the body is not JSON: "),
        (b'{"a": 1e999}', "the body is not JSON: "),
        (b"action=retrieve", "the body is not JSON: "),
    ],
)
def test_says_what_is_wrong_with_broken_json(data: bytes, reason: str) -> None:
    """Broken JSON, NUL bytes, other encodings and emptiness are said to be so, on polls as on creates."""
    for forms in (True, False):
        body = understood(data, forms=forms)
        assert (body.fields, body.too_large) == (None, None)
        assert reason in (body.broken or "")


def test_keeps_an_escaped_nul_and_the_last_of_two_keys() -> None:
    """A NUL written as JSON writes it is text, and of a key twice the last counts."""
    assert understood(rb'{"a": "\u0000", "b": 1, "b": 2}') == Body({"a": "\x00", "b": 2})


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_reads_64_levels_and_no_more(opening: bytes, closing: bytes) -> None:
    """What is kept of a create may be nested 64 levels deep; deeper is refused, at any depth."""

    def nested(depth: int) -> bytes:
        return opening * depth + b"1" * (opening != b"[") + closing * depth

    assert understood(nested(MAX_DEPTH)).broken is None
    assert understood(nested(MAX_DEPTH + 1)).broken == "the body is nested deeper than 64 levels"
    for depth in (1000, 100_000):
        assert understood(nested(depth)).broken is not None
    for depth in (1000, 100_000):
        assert understood(opening * depth).broken is not None
        assert understood(opening * depth, forms=False).broken is not None


def test_keeps_a_digest_of_a_long_string() -> None:
    """A string of more than 64 KiB is kept as its digest and length, wherever it stands; a shorter one as it is."""
    short, long = "é" * (LONGEST_STRING // 2), "é" * (LONGEST_STRING // 2) + "!"
    digest = f"sha256:{sha256(long.encode()).hexdigest()} ({LONGEST_STRING + 1} bytes)"
    body = understood(orjson.dumps({"a": short, "b": [long], long: {"c": long}}))
    assert body.fields == {"a": short, "b": [digest], digest: {"c": digest}}
    for content_type, data in ((FORM, f"a={long}&{long}=1"), (BOUNDARY, (part("a", long) + END).decode())):
        fields = understood(data.encode(), content_type).fields
        assert fields["a"] == digest
        assert all(len(key) < 100 for key in fields)


def test_counts_the_values_of_what_is_kept() -> None:
    """A body that would be more values than anybody sends is refused unread; one as long with a long text isn't."""
    many = b"[" + b"1," * (MAX_SEPARATORS - 1) + b"1]"
    assert len(understood(many).fields) == MAX_SEPARATORS
    for data in (b"[1," + many[1:], b"[" * (MAX_SEPARATORS + 1), b'{"a":' * (MAX_SEPARATORS + 1)):
        assert understood(data).broken == (
            "the body has more than 100,000 commas and brackets, the most that is read"
        )
    assert understood(orjson.dumps({"prompt": "x" * MIB})).broken is None


def test_leaves_a_poll_as_it_is() -> None:
    """Of a poll nothing is kept, so nothing of it is replaced."""
    long = "a" * (LONGEST_STRING + 1)
    assert understood(orjson.dumps({"ids": [long]}), forms=False) == Body({"ids": [long]})


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "video/mp4", "application/jsonx", "/", "é" * 300]
)
def test_names_the_content_type_that_it_does_not_read(content_type: str) -> None:
    """A body of another type is refused with what was expected and what came, cut short."""
    body = understood(b'{"a": 1}', content_type)
    assert (
        body.broken
        == f"expected a body of content type application/json or a form, got {content_type[:100]!r}"
    )
    assert understood(b'{"a": 1}', content_type, forms=False).broken == (
        f"expected a body of content type application/json, got {content_type[:100]!r}"
    )


@pytest.mark.parametrize("content_type", [FORM, BOUNDARY])
def test_reads_forms_only_where_asked(content_type: str) -> None:
    """Polls and control calls take no forms."""
    body = understood(b"a=1", content_type, forms=False)
    assert body.fields is None
    assert "application/json" in (body.broken or "")


# Limits


class Endless(Sent):
    """A client that never stops sending."""

    async def __call__(self) -> Mapping[str, Any]:
        """Another half mebibyte."""
        self.asked += 1
        return {"type": "http.request", "body": b"x" * (MIB // 2), "more_body": True}


@pytest.mark.parametrize("content_type", ["application/json", FORM, BOUNDARY, "text/plain"])
def test_stops_reading_at_the_limit(content_type: str) -> None:
    """Past the limit no more is read, whatever the content type."""
    sent = Endless([b""])
    headers = {b"content-type": content_type.encode()}
    body = asyncio.run(bodies.understand(sent, headers, 2 * MIB, forms=True))
    # What follows a broken beginning of a form needn't be read up to the limit.
    assert body.too_large == "the body is longer than 2 MiB, the most that is read here" or body.broken
    assert sent.asked <= 5
    assert body.too_large or content_type == BOUNDARY


def test_stops_a_form_at_the_limit() -> None:
    """A form that is well so far is stopped where it gets too long."""
    chunks = [part("a", "x")[:-2], *[b"x" * MIB] * 3]
    assert understood(chunks, BOUNDARY, limit=2 * MIB).too_large == (
        "the body is longer than 2 MiB, the most that is read here"
    )


@pytest.mark.parametrize("announced", [b"1048577", b"9" * 15, b"9" * 16, b"9" * 5000])
@pytest.mark.parametrize("content_type", ["application/json", FORM, BOUNDARY])
def test_refuses_an_announced_length_unread(announced: bytes, content_type: str) -> None:
    """A body that says itself that it is too long isn't read at all."""
    sent = Sent([b"{}"])
    headers = {b"content-length": announced, b"content-type": content_type.encode()}
    body = asyncio.run(bodies.understand(sent, headers, POLL_LIMIT, forms=True))
    assert body.too_large == "the body is longer than 1 MiB, the most that is read here"
    assert sent.asked == 0
    assert bodies.unread(headers).too_large == body.too_large


@pytest.mark.parametrize("announced", [b"", b"0", b"1048576", b"-1", b"+5", b"many", b"\xb2", b"1_0"])
def test_reads_on_where_the_announced_length_fits_or_says_nothing(announced: bytes) -> None:
    """A length that fits is no reason to refuse, nor is one that is no number."""
    headers = {b"content-length": announced}
    body = asyncio.run(bodies.understand(Sent([b"{}"]), headers, POLL_LIMIT, forms=True))
    assert body == Body({}, raw=b"{}", size=2)
    assert bodies.unread(headers) == Body()


def test_counts_the_limit_to_the_byte() -> None:
    """As many bytes as the limit are read, one more is too many, in however many chunks."""
    data = b'"' + b"x" * (MIB - 2) + b'"'
    for sizes in ([MIB], [1000], [MIB - 1, 1]):
        assert asyncio.run(bodies.read(Sent(cut(data, sizes)), {}, MIB)) == data
        with pytest.raises(TooLarge):
            asyncio.run(bodies.read(Sent([*cut(data, sizes), b"!"]), {}, MIB))


@pytest.mark.parametrize("content_type", ["application/json", FORM, BOUNDARY])
@pytest.mark.parametrize("chunks", [[], [b""], [b"--ed", b"ge\r\n"]])
def test_tells_that_the_client_left(content_type: str, chunks: list[bytes]) -> None:
    """A client that leaves before the end of its body is no client with a broken one."""
    headers = {b"content-type": content_type.encode()}
    with pytest.raises(Hung):
        asyncio.run(bodies.understand(Sent(chunks, leaves=True), headers, MIB, forms=True))


# Forms


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"model=sora-2&prompt=a+cat", {"model": "sora-2", "prompt": "a cat"}),
        (b"a=%C3%A9&b=\xc3\xa9&c=%FF", {"a": "é", "b": "é", "c": "\N{REPLACEMENT CHARACTER}"}),
        (b"a=&b", {"a": "", "b": ""}),
        (b"a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        (b"metadata[x]=1&metadata[y]=2&metadata[x]=3", {"metadata": {"x": ["1", "3"], "y": "2"}}),
        (b"m%5Bx%5D=1", {"m": {"x": "1"}}),
        (b"m=1&m[x]=2", {"m": "1", "m[x]": "2"}),
        (b"a[]=1&a[]=2", {"a[]": ["1", "2"]}),
        (b"a[=1&]=2&[=3", {"a[": "1", "]": "2", "[": "3"}),
        (b"a=%00", {"a": "\x00"}),
        (b"a=1=2;b=3", {"a": "1=2;b=3"}),
        (b"", {}),
        (b"&&&", {}),
    ],
)
def test_reads_urlencoded_forms(data: bytes, fields: dict[str, Any]) -> None:
    """Fields become strings, a repeated one a list, one with brackets an object."""
    assert understood(data, FORM) == Body(fields)


def test_reads_a_mebibyte_of_a_urlencoded_form() -> None:
    """A urlencoded form may be as long as its limit; one byte more, and the refusal names what may be longer."""
    assert understood(b"a=" + b"+" * (FORM_LIMIT - 2), FORM).too_large is None
    assert understood(b"a=" + b"+" * (FORM_LIMIT - 1), FORM).too_large == (
        "the body is longer than 1 MiB, the most that is read here; multipart/form-data may be longer"
    )


def test_counts_the_fields_of_a_form() -> None:
    """A thousand fields are read, one more is too many."""
    fields = "&".join(f"f{number}={number}" for number in range(MAX_PARTS))
    assert len(understood(fields.encode(), FORM).fields) == MAX_PARTS
    assert understood(f"{fields}&more=1".encode(), FORM).broken == "the form has more than 1000 fields"


def encoded(data: dict[str, Any], files: Any) -> tuple[bytes, str]:
    """A multipart body as httpx writes it, and its content type."""
    request = httpx.Request("POST", "http://127.0.0.1/v1/videos", data=data, files=files)
    return request.read(), request.headers["content-type"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 1 << 20])
def test_reads_the_multipart_forms_of_a_real_client(size: int) -> None:
    """Fields and a file come out whatever pieces they arrive in; of the file its name, type and size stay."""
    data, content_type = encoded(
        {"model": "sora-2", "prompt": "a café\r\n--at night", "metadata[shot]": "3", "tag": ["a", "b"]},
        {"input_reference": ('Katze " видео.png', b"\x00\r\n--\xff" * 5000, "image/png")},
    )
    assert understood(cut(data, [size]), content_type) == Body(
        {
            "model": "sora-2",
            "prompt": "a café\r\n--at night",
            "metadata": {"shot": "3"},
            "tag": ["a", "b"],
            "input_reference": {
                "filename": "Katze %22 видео.png",
                "content_type": "image/png",
                "size": 30_000,
            },
        }
    )


FILES = st.dictionaries(
    st.sampled_from(["input_reference", "mask"]),
    st.tuples(
        st.text(st.characters(categories=["L", "N", "Zs"]), min_size=1, max_size=8), st.binary(max_size=200)
    ),
    max_size=2,
)
NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=6)


@given(
    st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"), max_size=30)),
    FILES,
    st.lists(st.integers(1, 90), min_size=1, max_size=4),
)
def test_reads_any_multipart_form(
    fields: dict[str, str], files: dict[str, tuple[str, bytes]], sizes: list[int]
) -> None:
    """Any fields and files come out of the form that httpx makes of them."""
    data, content_type = encoded(fields, [*files.items(), ("last", ("empty.png", b""))])
    got = understood(cut(data, sizes), content_type).fields
    assert got.pop("last")["size"] == 0
    for name, (filename, content) in files.items():
        kept = got.pop(name)
        assert (kept["filename"], kept["size"]) == (filename, len(content))
    assert got == fields


def test_drops_the_bytes_of_a_file() -> None:
    """A file is measured while it passes by: its megabytes are nowhere kept."""
    chunk = b"x" * MIB
    head = part("file", "", "Content-Type: video/mp4").replace(b'"file"', b'"file"; filename="a.mp4"')[:-2]
    tracemalloc.start()
    try:
        body = understood([head, *[chunk] * 40, b"\r\n" + END], BOUNDARY)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 10 * MIB
    assert body == Body({"file": {"filename": "a.mp4", "content_type": "video/mp4", "size": 40 * MIB}})


def test_gives_a_file_without_a_type_the_usual_one() -> None:
    """A file whose part names no type is plain bytes."""
    data = part("f", "xx").replace(b'"f"', b'"f"; filename=""') + END
    assert understood(data, BOUNDARY) == Body(
        {"f": {"filename": "", "content_type": "application/octet-stream", "size": 2}}
    )


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (END, {}),
        (part("a", "1") + END, {"a": "1"}),
        (part("a", "1") + b"--edge--", {"a": "1"}),
        (b"\r\n" + part("a", "1") + END, {"a": "1"}),
        (part("a", "1") + END + b"epilogue", {"a": "1"}),
        (part("a", "") + part("a", "2") + END, {"a": ["", "2"]}),
        (part("m[x]", "1") + part("m[y]", "2") + END, {"m": {"x": "1", "y": "2"}}),
        (part("a", "\x00é") + END, {"a": "\x00é"}),
        (
            b'--edge\r\ncontent-disposition: form-data; name="a"\r\n\r\n\xff\r\n' + END,
            {"a": "\N{REPLACEMENT CHARACTER}"},
        ),
        (b"--edge\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n" + END, {"a": "1"}),
        (b"--edge\r\nX: y\r\n\r\n1\r\n" + END, {"": "1"}),
        (b"--edge\r\n\r\n1\r\n" + END, {"": "1"}),
    ],
    ids=range(12),
)
def test_reads_multipart_forms_of_other_hands(data: bytes, fields: dict[str, Any]) -> None:
    """What differs between clients in line ends, case, quotes and surroundings is understood all the same."""
    assert understood(data, BOUNDARY) == Body(fields)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends before its closing boundary"),
        (part("a", "1"), "ends before its closing boundary"),
        (part("a", "1")[:-4], "ends before its closing boundary"),
        (part("a", "1")[:20], "ends before its closing boundary"),
        (b"--edge", "ends before its closing boundary"),
        (b"--other\r\n", "can't be read"),
        (b"not a form", "can't be read"),
        (b'{"a": 1}', "can't be read"),
        (b"--edge\r\nno colon\r\n\r\n1\r\n" + END, "can't be read"),
        (part("a", "1", *(f"X-{n}: y" for n in range(50))) + END, "can't be read"),
        (part("a" * 100_000, "1") + END, "can't be read"),
    ],
    ids=range(11),
)
def test_says_what_is_wrong_with_a_broken_form(data: bytes, reason: str) -> None:
    """Another boundary, a broken header and an end too early are said to be so, in whatever pieces they come."""
    for sizes in ([1 << 20], [1], [5]):
        body = understood(cut(data, sizes), BOUNDARY)
        assert body.fields is None
        assert reason in (body.broken or "")


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; x=y"]
)
def test_says_that_a_form_names_no_boundary(content_type: str) -> None:
    """Without a boundary a form can't be taken apart."""
    assert understood(part("a", "1") + END, content_type).broken == (
        "the content type multipart/form-data names no boundary"
    )


def test_refuses_a_boundary_beyond_measure() -> None:
    """A boundary of ten thousand letters is refused."""
    assert "can't be read" in (understood(END, f"multipart/form-data; boundary={'e' * 10_000}").broken or "")


def test_counts_the_parts_of_a_form() -> None:
    """A thousand parts are read, one more is too many."""
    parts = b"".join(part(f"f{number}", "x") for number in range(MAX_PARTS))
    assert len(understood(parts + END, BOUNDARY).fields) == MAX_PARTS
    assert (
        understood(parts + part("more", "x") + END, BOUNDARY).broken
        == "the multipart form has more than 1000 parts"
    )


# Anything at all

TYPES = st.sampled_from(
    [
        "",
        "application/json",
        FORM,
        BOUNDARY,
        'multipart/form-data; boundary="',
        "multipart/form-data; boundary=\xe9",
    ]
) | st.text(st.characters(max_codepoint=255), max_size=20)
PIECES = st.lists(
    st.binary(max_size=20)
    | st.sampled_from(
        [
            b"--edge", b"--edge--", b"\r\n", b"--\xe9", b"Content-Disposition: form-data; name=", b'"', b"a[b]=", b"&",
            b"{", b"[", b"%", b"; filename*=bogus''x", b"; filename=\xff\xfe", b'name="\xd0\xb2"',
            b"Content-Type: \xff",
        ]
    ),
    min_size=1,
)  # fmt: skip


@given(PIECES, TYPES, st.booleans())
@example(
    [b'--edge\r\nContent-Disposition: form-data; name="\xd0\xb2"; filename="\xff"\r\n\r\n1\r\n--edge--'],
    BOUNDARY,
    True,
)
def test_understands_or_explains_any_bytes(pieces: list[bytes], content_type: str, forms: bool) -> None:
    """Whatever is sent under whatever type gives values that can be written again, or a sentence."""
    body = understood(pieces, content_type, forms=forms)
    if body.broken is None:
        assert orjson.loads(orjson.dumps(body.fields)) == body.fields
    else:
        assert body.fields is None
        assert body.broken


@given(PIECES, TYPES)
def test_reads_the_same_whatever_the_pieces(pieces: list[bytes], content_type: str) -> None:
    """The way in which bytes arrive changes nothing of what they mean."""
    whole = b"".join(pieces)
    at_once, in_pieces, by_bytes = (
        understood(chunks, content_type) for chunks in (whole, pieces, cut(whole, [1]))
    )
    assert at_once.fields == in_pieces.fields == by_bytes.fields


# What the journal keeps


@pytest.mark.parametrize(
    ("data", "content_type", "kept"),
    [
        (b'{"a": 1}', "application/json", b'{"a": 1}'),
        (b'{"a": ', "application/json", b'{"a": '),
        (b"a=1&b=2", FORM, b'{"a":"1","b":"2"}'),
        (b"hello", "text/plain", b"hello"),
        (b"", "application/json", b""),
    ],
)
def test_keeps_what_came_or_what_a_form_said(data: bytes, content_type: str, kept: bytes) -> None:
    """A small body of JSON to the byte, of a form its fields."""
    headers = {b"content-type": content_type.encode()}
    body = asyncio.run(bodies.understand(Sent([data]), headers, CREATE_LIMIT, forms=True))
    assert body.kept() == kept


def test_keeps_an_excerpt_of_a_large_body_that_reads_as_json() -> None:
    """Its long strings and lists are cut, and say by how much."""
    fields = {"prompt": "a cat", "image": "x" * 40_000, "ids": list(range(10_000)), "deep": {"a": {"b": 1}}}
    headers = {b"content-type": b"application/json"}
    data = orjson.dumps(fields)
    body = asyncio.run(bodies.understand(Sent([data]), headers, CREATE_LIMIT, forms=True))
    kept = orjson.loads(body.kept())
    assert len(body.kept()) < 16 * 1024
    assert (kept["prompt"], kept["deep"], body.size) == ("a cat", {"a": {"b": 1}}, len(data))
    assert kept["image"] == f"{'x' * 256}... (39744 more characters)"
    assert kept["ids"][63:] == [63, "... 9936 more"]
