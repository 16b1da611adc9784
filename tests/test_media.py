"""Links: what they claim, what is refused, when they die. Downloads: ranges, conditions, the nearest clip."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

import httpx
import msgspec
import pytest
import requests
import uvicorn
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from emulator import media
from emulator.core.plan import HAPPY_TIMELINE, plan_of
from emulator.core.task import Task
from emulator.core.units import DAY, SECOND, Instant
from emulator.media import CLIPS, Claim
from emulator.payload import Payload
from emulator.providers import PROVIDERS
from emulator.providers.base import Clip, Link, Provider, Result
from emulator.scenario_file.timeline import LEAST_BYTES

CREATED_AT: Final = 1_735_689_600 * SECOND
KEY: Final = b"the key of a namespace"
ORIGIN: Final = "http://127.0.0.1:8080"
EIGHT_SECONDS: Final = Clip(1280, 720, 8)


# A made-up provider: its query has the signature in the middle, and a value that needs its escapes.


def _made_up_link(result: Result) -> Link:
    tail = f"made%2Fup/{quote(result.task.id, safe='')}.mp4"
    query = (("from", "a%26b%3Ac"), ("until", str(result.dies_at)), ("seal", None), ("zone", "x"))
    return Link(tail, query)


def _made_up_end(query: Mapping[str, str]) -> Instant | None:
    return int(query["until"]) if re.fullmatch("[0-9]+", query.get("until", "")) else None


MADE_UP: Final = msgspec.structs.replace(
    PROVIDERS[0], name="made-up", link=_made_up_link, dies_at=_made_up_end, signature_name="seal"
)
BY_NAME: Final = {provider.name: provider for provider in (*PROVIDERS, MADE_UP)}
each_provider: Final = pytest.mark.parametrize("provider", BY_NAME.values(), ids=lambda p: p.name)

WIRE_CHARACTERS: Final = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
"""What may stand in a request's target: visible ASCII. Spaces end it."""
TASK_IDS: Final = st.text(st.characters(codec="utf-8"), max_size=30)


def link_of(
    provider: Provider,
    task_id: str = "video_abc123",
    *,
    clip: Clip = EIGHT_SECONDS,
    prefix: str = "",
    dies_at: Instant = CREATED_AT + DAY,
    size: int | None = None,
) -> str:
    """The link to a result of a made-up task, from its path on."""
    task = Task(
        provider.name,
        task_id,
        CREATED_AT,
        bytes(range(48)),
        plan_of(HAPPY_TIMELINE, scenario="happy-path"),
        b"{}",
        provider.echo({}, bytes(48)),
        ORIGIN,
    )
    account = provider.account(bytes(16))
    result = Result(task=task, account=account, ended_at=CREATED_AT + 10 * SECOND, dies_at=dies_at)
    url = media.link(provider, result, clip, ORIGIN, prefix, KEY, size)
    assert url.startswith(ORIGIN)
    return url.removeprefix(ORIGIN)


def claim_of(target: str) -> Claim | None:
    """What a request for a path and query claims."""
    path, _, query = target.partition("?")
    return media.claim(BY_NAME.get, path, query)


def is_honoured(target: str) -> bool:
    """Whether a request for a path and query is taken for a link of ours, unchanged."""
    claim = claim_of(target)
    return claim is not None and claim.holds(KEY)


# Links


@each_provider
@given(
    task_id=TASK_IDS,
    clip=st.builds(Clip, *(st.integers(1, 99_999),) * 3),
    prefix=st.sampled_from(["", "/ns/team-a", "/ns/a.b_c"]),
    life=st.integers(0, 40_000),
    size=st.none() | st.integers(0, 10**12),
)
def test_a_link_claims_what_it_was_made_of(
    provider: Provider, task_id: str, clip: Clip, prefix: str, life: int, size: int | None
) -> None:
    """Whatever characters an id has, the claim has them too, and holds under the key that signed it."""
    dies_at = CREATED_AT + life * SECOND
    claim = claim_of(link_of(provider, task_id, clip=clip, prefix=prefix, dies_at=dies_at, size=size))
    assert claim is not None
    assert (claim.provider, claim.task_id, claim.clip, claim.size) == (provider, task_id, clip, size)
    assert claim.dies_at == dies_at
    assert claim.holds(KEY)
    assert not claim.holds(b"another key")


@each_provider
def test_a_link_has_its_parts_in_order(provider: Provider) -> None:
    """Prefix, media, provider, quoted id, clip; then what the provider wrote, with the signature in its slot."""
    target = link_of(provider, "sora:a/b", prefix="/ns/team")
    path, _, query = target.partition("?")
    assert path.startswith(f"/ns/team/media/{provider.name}/sora%3Aa%2Fb/1280x720-8s/")
    slot = next(part for part in query.split("&") if part.startswith(f"{provider.signature_name}="))
    assert re.fullmatch(r"[a-z]+=([A-Za-z0-9]|%2B|%2F){43}%3D", slot)
    assert target == link_of(provider, "sora:a/b", prefix="/ns/team")


@each_provider
def test_a_long_video_has_its_length_behind_the_clip(provider: Provider) -> None:
    """It is signed as all of the link is; one that isn't padded has none."""
    target = link_of(provider, size=200_000_000)
    assert "/1280x720-8s-200000000b/" in target
    assert is_honoured(target)
    for changed in ("-8s-200000001b/", "-8s-20000000b/", "-8s/", "-8s-b/", "-8s-200000000/"):
        assert not is_honoured(target.replace("-8s-200000000b/", changed))
    assert "/1280x720-8s/" in link_of(provider)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.name)
def test_its_page_shows_the_query_of_each_link(provider: Provider) -> None:
    """The page on media lists each provider's parameters, in their order."""
    page = (Path(__file__).parent.parent / "docs" / "media.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{provider.name}` |"))
    names = [part.partition("=")[0] for part in link_of(provider).partition("?")[2].split("&")]
    assert ", ".join(f"`{name}`" for name in names) in row


def test_the_signature_stands_where_the_provider_left_room() -> None:
    """The made-up provider's parameters keep their order and their spelling."""
    query = link_of(MADE_UP).partition("?")[2]
    around = re.fullmatch(r"from=a%26b%3Ac&until=1735776000000000&seal=[^&]+&zone=x", query)
    assert around is not None, query


@each_provider
@settings(max_examples=500)
@given(data=st.data())
def test_a_changed_character_is_refused(provider: Provider, data: st.DataObject) -> None:
    """Put in, taken out or replaced, anywhere from the path to the query's end."""
    target = link_of(provider, "task:Zoë/1 %25", prefix=data.draw(st.sampled_from(["", "/ns/team"])))
    place = data.draw(st.integers(0, len(target) - 1), label="place")
    width = data.draw(st.integers(0, 1), label="characters taken out")
    text = data.draw(st.text(WIRE_CHARACTERS, min_size=1 - width, max_size=1), label="put in")
    changed = target[:place] + text + target[place + width :]
    # %3a says what %3A says; nothing else may change.
    assume(unquote_to_bytes(changed) != unquote_to_bytes(target))
    assert not is_honoured(changed)


@each_provider
def test_every_character_counts(provider: Provider) -> None:
    """Taking out any one character of a link, or writing a zero or a slash over it, is refused."""
    target = link_of(provider, "video_abc-1")
    assert is_honoured(target)
    for place, character in enumerate(target):
        for text in {"", "0", "/", "&"} - {character}:
            assert not is_honoured(target[:place] + text + target[place + 1 :]), (place, character, text)


def _unescaped(characters: str, text: str) -> str:
    """The text with the escapes of these characters taken off."""
    escapes = "|".join(f"%{ord(character):02X}" for character in characters)
    return re.sub(escapes, lambda escape: chr(int(escape[0][1:], 16)), text)


def _as_requests_sends(url: str) -> str:
    return str(requests.Request("GET", url).prepare().url)


def _as_httpx_sends(url: str) -> str:
    return str(httpx.URL(url))


def _as_aiohttp_sends(url: str) -> str:
    """Seen with yarl 1.25, which takes off every escape that needn't be there."""
    path, _, query = url.partition("?")
    return f"{_unescaped('!$&*,:;=@', path)}?{_unescaped('!$*,/:;?@', query)}"


def _in_lower_case(url: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), url)


@each_provider
@pytest.mark.parametrize("respelt", [_as_requests_sends, _as_httpx_sends, _as_aiohttp_sends, _in_lower_case])
def test_a_client_may_spell_it_its_own_way(provider: Provider, respelt: Callable[[str], str]) -> None:
    """HTTP libraries put escapes on and take them off before they send; the storages behind real links don't mind."""
    sent = respelt(ORIGIN + link_of(provider, "sora-2:task_1"))
    assert is_honoured(sent.removeprefix(ORIGIN))


@pytest.mark.parametrize(("said", "changed"), [("made%2Fup/", "made/up/"), ("a%26b", "a&b")])
def test_an_escape_that_divides_is_no_spelling(said: str, changed: str) -> None:
    """A slash in a name is no slash between names, nor an ampersand in a value one between parameters."""
    target = link_of(MADE_UP)
    assert said in target
    assert not is_honoured(target.replace(said, changed))


@each_provider
def test_a_link_without_its_proof_holds_under_no_key(provider: Provider) -> None:
    """Signature or date left out, emptied or doubled: still a link of ours, and a refused one."""
    target = link_of(provider)
    path, _, query = target.partition("?")
    parts = query.split("&")
    name = f"{provider.signature_name}="
    signature = next(part for part in parts if part.startswith(name))
    others = [part for part in parts if part != signature]
    for broken in ("", signature, "&".join(others), "&".join([*others, name]), f"{query}&{signature}"):
        claim = claim_of(f"{path}?{broken}")
        assert claim is not None, broken
        assert not claim.holds(KEY), broken


@each_provider
def test_a_link_without_a_date_is_dead(provider: Provider) -> None:
    """What doesn't say when it dies never lived."""
    claim = claim_of(link_of(provider).partition("?")[0])
    assert claim is not None
    assert claim.is_dead(CREATED_AT)


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/media",
        "/media/",
        "/media/made-up",
        "/media/nobody/id/1280x720-8s/x?until=1&seal=1",
        "/media/made-up/id/1280x720/x?until=1&seal=1",
        "/media/made-up/id/1280x-8s/x?until=1&seal=1",
        "/media/made-up/id/1280x720-8s?until=1&seal=1",
        "/media/made-up/id/٣x٣-8s/x?until=1&seal=1",
        f"/media/made-up/id/{'9' * 5000}x1-8s/x?until=1&seal=1",
        f"/media/made-up/id/1x{'9' * 5000}-8s/x?until=1&seal=1",
        f"/media/made-up/id/1x1-{'9' * 5000}s/x?until=1&seal=1",
        f"/media/made-up/id/1x1-1s-{'9' * 5000}b/x?until=1&seal=1",
        "/media/made-up/%FF/1280x720-8s/x?until=1&seal=1",
        "/ns//media/made-up/id/1280x720-8s/x?until=1&seal=1",
        "/ns/a/b/media/made-up/id/1280x720-8s/x?until=1&seal=1",
        "//media/made-up/id/1280x720-8s/x?until=1&seal=1",
        "/v1/videos/id",
    ],
)
def test_what_has_another_form_is_not_ours(target: str) -> None:
    """No provider, id or clip can be read in it."""
    assert claim_of(target) is None


@given(path=st.text(max_size=60), query=st.text(max_size=60))
def test_nothing_that_is_asked_for_raises(path: str, query: str) -> None:
    """Any path and query are a claim that doesn't hold, or none."""
    for start in ("", "/media/made-up/", "/media/acedata-sora/id/1280x720-8s/"):
        claim = media.claim(BY_NAME.get, start + path, query)
        assert claim is None or not claim.holds(KEY)


@each_provider
def test_a_link_works_until_it_dies(provider: Provider) -> None:
    """The last microsecond before its end it lives; at its end it's dead."""
    dies_at = CREATED_AT + DAY
    claim = claim_of(link_of(provider, dies_at=dies_at))
    assert claim is not None
    assert not claim.is_dead(dies_at - 1)
    assert claim.is_dead(dies_at)
    assert claim.is_dead(dies_at + 1)


def test_a_replica_honours_the_link() -> None:
    """Another process with the same key takes it, with nothing told of the task."""
    program = (
        "import sys; from emulator import media; from emulator.providers import by_name;"
        "claim = media.claim(by_name.get, *sys.argv[1].split('?'));"
        f"print(claim.task_id, claim.holds({KEY!r}), claim.holds(b'other'))"
    )
    assert _python(program, link_of(PROVIDERS[0], "a b")).split() == ["a", "b", "True", "False"]


# Which clip

DOCUMENTED: Final = [
    # Fact sheet, specification of Ace Data Cloud's Sora service: version 2's sizes and durations; version 1's.
    *(
        ("acedata-sora", {"version": "2.0", "size": size, "duration": duration}, f"{size}-{duration}s")
        for size in ("720x1280", "1280x720", "1024x1792", "1792x1024")
        for duration in (4, 8, 12)
    ),
    *(
        ("acedata-sora", {"size": "small", "orientation": way, "duration": duration}, f"{size}-{duration}s")
        for way, size in (("landscape", "1280x720"), ("portrait", "720x1280"))
        for duration in (10, 15, 25)
    ),
    # Fact sheet, specification of its Veo service.
    ("acedata-veo", {"aspect_ratio": "16:9"}, "1280x720-8s"),
    ("acedata-veo", {"aspect_ratio": "9:16", "resolution": "1080p"}, "1080x1920-8s"),
    ("acedata-veo", {"aspect_ratio": "16:9", "resolution": "4k"}, "3840x2160-8s"),
    ("acedata-veo", {"aspect_ratio": "9:16", "resolution": "4k"}, "2160x3840-8s"),
    # Fact sheet: OpenAI's sizes and durations, and those of OctopusX's samples.
    *(
        (name, {"size": size, "seconds": str(seconds)}, f"{size}-{seconds}s")
        for name in ("octopusx", "ezmodel")
        for size in ("720x1280", "1280x720", "1024x1792", "1792x1024", "1080x1920", "1920x1080")
        for seconds in (4, 5, 8, 10, 12, 15, 16, 20)
    ),
    ("ezmodel", {"width": 1920, "height": 1080, "duration": 10}, "1920x1080-10s"),  # documents/003
]


@pytest.mark.parametrize(("name", "request_fields", "served"), DOCUMENTED)
def test_it_has_every_documented_video(name: str, request_fields: dict[str, Any], served: str) -> None:
    """What a documented request asks for is served as asked, and no header says otherwise."""
    clip = BY_NAME[name].clip(request_fields)
    assert media.nearest(clip) == clip
    assert media.file_name(clip) == f"{served}.mp4"
    assert b"x-emulator-clip" not in dict(media.answer("GET", {}, clip).headers)


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("640x360 7s", "1280x720 8s"),
        ("854x480 30s", "1280x720 25s"),
        ("1600x900 9s", "1920x1080 10s"),
        ("1280x720 6s", "1280x720 5s"),
        ("1280x720 1s", "1280x720 4s"),
        ("1280x720 14s", "1280x720 15s"),
        ("1000x1750 8s", "1024x1792 8s"),
        ("7680x4320 8s", "3840x2160 8s"),
        ("3840x2160 20s", "3840x2160 8s"),
        ("720x720 8s", "1024x1792 8s"),
        ("0x0 0s", "1024x1792 4s"),
    ],
)
def test_another_video_is_the_nearest_and_says_so(asked: str, served: str) -> None:
    """The shape comes first, then the area, then the duration; of two durations as near, the longer."""
    width, height, seconds = map(int, re.findall("[0-9]+", asked))
    headers = dict(media.answer("GET", {}, Clip(width, height, seconds)).headers)
    assert headers[b"x-emulator-clip"] == f"asked {asked}, served {served}".encode()


@given(st.builds(Clip, *(st.integers(0, 999_999_999),) * 3))
def test_there_is_a_nearest_to_anything(clip: Clip) -> None:
    """Whatever a client asks for, a file is there for it, and its own if there is one."""
    served = media.nearest(clip)
    assert served in CLIPS
    assert served == clip or clip not in CLIPS


# Downloads

CONTENT: Final = (media.FOLDER / media.file_name(EIGHT_SECONDS)).read_bytes()
SIZE: Final = len(CONTENT)
ETAG: Final = dict(media.answer("GET", {}, EIGHT_SECONDS).headers)[b"etag"]
MODIFIED: Final = b"Wed, 01 Jan 2020 00:00:00 GMT"


def answered(method: str = "GET", **headers: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of a download of the clip of eight seconds; ``if_range`` stands for If-Range."""
    asked = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    answer = media.answer(method, asked, EIGHT_SECONDS)
    names = [name for name, _ in answer.headers]
    assert len(names) == len(set(names))
    return answer.status_code, dict(answer.headers), answer.body.content


def test_a_download_is_the_whole_file() -> None:
    """With its length, type, tag and date, and word that ranges are served."""
    status_code, headers, body = answered()
    assert status_code == 200
    assert body == CONTENT
    assert headers == {
        b"content-type": b"video/mp4",
        b"content-length": str(SIZE).encode(),
        b"accept-ranges": b"bytes",
        b"etag": ETAG,
        b"last-modified": MODIFIED,
    }


def test_head_says_what_get_would() -> None:
    """The same headers, no body; a range is for GET alone (RFC 9110, 14.2)."""
    assert answered("HEAD") == (*answered()[:2], b"")
    assert answered("HEAD", range=b"bytes=0-9") == (*answered()[:2], b"")


def test_a_tag_is_strong_and_its_contents_own() -> None:
    """Two clips have two tags, none of them weak."""
    tags = {dict(media.answer("HEAD", {}, clip).headers)[b"etag"] for clip in CLIPS}
    assert len(tags) == len(CLIPS)
    assert all(re.fullmatch(rb'"[0-9a-f]{32}"', tag) for tag in tags)


def test_tag_and_date_are_the_same_in_every_copy(tmp_path: Path) -> None:
    """Installed elsewhere, at another time, the files have other dates and their answers the same."""
    package = Path(media.__file__).parent
    copied = shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (copied / "clips").iterdir():
        os.utime(path, (1_000_000_000, 1_000_000_000))
    program = (
        "from emulator import media; from emulator.providers.base import Clip;"
        "print(media.__file__); print(media.answer('HEAD', {}, Clip(1280, 720, 8)).headers)"
    )
    where, headers = _python(program, folder=tmp_path).splitlines()
    assert Path(where).parent == copied
    assert headers == repr(media.answer("HEAD", {}, EIGHT_SECONDS).headers)


BOUND: Final = st.integers(0, SIZE + 20)


@given(first=BOUND, last=st.none() | BOUND)
def test_a_range_is_a_slice(first: int, last: int | None) -> None:
    """Both ends inclusive, cut at the file's end; 416 past it; a range that runs backwards is none."""
    asked = f"bytes={first}-{'' if last is None else last}".encode()
    status_code, headers, body = answered(range=asked)
    wanted = CONTENT[first : None if last is None else last + 1]
    if last is not None and last < first:
        assert (status_code, body) == (200, CONTENT)
        assert b"content-range" not in headers
    elif not wanted:
        assert (status_code, body) == (416, b"")
        assert headers == {b"content-range": f"bytes */{SIZE}".encode(), b"content-length": b"0"}
    else:
        assert (status_code, body) == (206, wanted)
        end = first + len(wanted) - 1
        assert headers[b"content-range"] == f"bytes {first}-{end}/{SIZE}".encode()
        assert headers[b"content-length"] == str(len(wanted)).encode()
        assert headers[b"content-type"] == b"video/mp4"
        assert headers[b"etag"] == ETAG


@given(BOUND)
def test_a_suffix_is_the_files_end(length: int) -> None:
    """The last bytes, all of them where there are fewer; the last none can't be had."""
    status_code, headers, body = answered(range=f"bytes=-{length}".encode())
    if length == 0:
        assert (status_code, headers[b"content-range"]) == (416, f"bytes */{SIZE}".encode())
    else:
        wanted = CONTENT[-length:]
        assert (status_code, body) == (206, wanted)
        assert headers[b"content-range"] == f"bytes {SIZE - len(wanted)}-{SIZE - 1}/{SIZE}".encode()


@given(st.integers(1, 5000))
def test_parts_make_the_whole(length: int) -> None:
    """A client that fetches piece by piece ends up with the file."""
    pieces = [answered(range=b"bytes=%d-%d" % (at, at + length - 1))[2] for at in range(0, SIZE, length)]
    assert b"".join(pieces) == CONTENT


@pytest.mark.parametrize(
    "asked",
    [
        b"items=0-9",
        b"bytes",
        b"bytes=",
        b"bytes=-",
        b"bytes=x-9",
        b"bytes=0-9x",
        b"bytes=--9",
        b"bytes=+1-9",
        b"bytes=1_0-2_0",
        "bytes=٣-٤".encode(),
        b"bytes 0-9",
        b"bytes=9-0",
        b"bytes=0-9,20-29",
        b"bytes=" + b"9" * 5000 + b"-",
        b"",
    ],
)
def test_what_is_no_single_range_gets_the_whole(asked: bytes) -> None:
    """RFC 9110, 14.2: other units are ignored; several ranges and invalid ones may be."""
    status_code, headers, body = answered(range=asked)
    assert (status_code, body) == (200, CONTENT)
    assert b"content-range" not in headers


@pytest.mark.parametrize("asked", [b"bytes=0-9", b"Bytes=0-9", b"BYTES= 0-9 "])
def test_the_unit_may_have_any_case(asked: bytes) -> None:
    """Range units are compared without case."""
    assert answered(range=asked)[::2] == (206, CONTENT[:10])


@pytest.mark.parametrize(
    ("condition", "status_code"),
    [
        (ETAG, 206),
        (MODIFIED, 206),
        (b"W/" + ETAG, 200),
        (b'"another"', 200),
        (b"*", 200),
        (b"Wed, 01 Jan 2020 00:00:01 GMT", 200),
        (b"Tue, 31 Dec 2019 23:59:59 GMT", 200),
        (b"nonsense", 200),
    ],
)
def test_if_range_must_be_exact(condition: bytes, status_code: int) -> None:
    """The range where the client's copy is of this very file, else the whole (RFC 9110, 13.1.5)."""
    wanted = CONTENT[:10] if status_code == 206 else CONTENT
    assert answered(range=b"bytes=0-9", if_range=condition)[::2] == (status_code, wanted)
    assert answered(if_range=condition)[::2] == (200, CONTENT)


@pytest.mark.parametrize(
    ("headers", "status_code"),
    [
        ({"if_none_match": ETAG}, 304),
        ({"if_none_match": b"W/" + ETAG}, 304),
        ({"if_none_match": b'"a", W/"b" , ' + ETAG}, 304),
        ({"if_none_match": b"*"}, 304),
        ({"if_none_match": b'"another"'}, 200),
        ({"if_modified_since": MODIFIED}, 304),
        ({"if_modified_since": b"Wed, 01 Jan 2020 00:00:01 GMT"}, 200),
        ({"if_none_match": b'"another"', "if_modified_since": MODIFIED}, 200),
        ({"if_none_match": ETAG, "range": b"bytes=0-9"}, 304),
        ({"if_none_match": b'"another"', "range": b"bytes=0-9"}, 206),
    ],
)
def test_who_has_it_is_told_so(headers: dict[str, bytes], status_code: int) -> None:
    """304 without a body where the client's copy is this file; a tag goes before a date (RFC 9110, 13.2.2)."""
    for method in ("GET", "HEAD") if "range" not in headers else ("GET",):
        answer = answered(method, **headers)
        assert answer[0] == status_code
        if status_code == 304:
            assert answer[2] == b""
            assert answer[1][b"etag"] == ETAG
            assert b"content-length" not in answer[1]


# Long ones

GIB: Final = 2**30


def boxes(payload: Payload) -> Iterator[tuple[str, int]]:
    """The name and the length of each box of an MP4, whatever its length: nothing but heads is looked at."""
    at = 0
    while at < len(payload):
        size, name = struct.unpack(">I4s", b"".join(payload.part(at, at + 8).chunks()))
        if size == 1:
            (size,) = struct.unpack(">Q", b"".join(payload.part(at + 8, at + 16).chunks()))
        assert size >= 8
        yield name.decode("ascii"), size
        at += size
    assert at == len(payload)


lengths: Final = st.one_of(
    st.integers(SIZE + 8, SIZE + 100),
    st.integers(SIZE + 8, 10**6),
    st.integers(4 * GIB + SIZE - 20, 4 * GIB + SIZE + 20),
    st.integers(SIZE + 8, 10**12),
)


@given(lengths)
def test_a_padded_file_has_exactly_the_length_asked_for(length: int) -> None:
    """It begins with the clip as it is, and its boxes, of which one more is there, add up to it."""
    padded = media.padded(CONTENT, length)
    assert len(padded) == length
    assert b"".join(padded.part(0, SIZE).chunks()) == CONTENT
    plain = list(boxes(Payload(CONTENT)))
    assert list(boxes(padded)) == [*plain, ("free", length - SIZE)]


@pytest.mark.parametrize(
    ("box", "head"),
    [
        (8, b"\0\0\0\x08free"),
        (2**32 - 1, b"\xff\xff\xff\xfffree"),
        (2**32, b"\0\0\0\x01free\0\0\0\x01\0\0\0\0"),
    ],
)
def test_a_box_past_four_gib_says_its_length_in_64_bits(box: int, head: bytes) -> None:
    """ISO/IEC 14496-12, 4.2."""
    padded = media.padded(b"", box)
    assert (padded.content, len(padded)) == (head, box)


@pytest.mark.parametrize("more", range(-3, 8))
def test_where_no_box_has_room_the_video_comes_as_it_is(more: int) -> None:
    """The head of one takes eight bytes. No scenario asks for so little: the next test."""
    assert media.padded(CONTENT, SIZE + more) == Payload(CONTENT)


def test_every_clip_fits_into_the_least_that_a_scenario_may_ask_for() -> None:
    """With room for the head of a box, so that what an author writes is what is served."""
    largest = max((media.FOLDER / media.file_name(clip)).stat().st_size for clip in CLIPS)
    assert largest + 8 <= LEAST_BYTES


@given(length=lengths, data=st.data())
def test_a_part_of_a_long_video_is_that_part_of_it(length: int, data: st.DataObject) -> None:
    """Whatever range is asked for, and whatever the length: bytes, their number, and what the header says."""
    first = data.draw(
        st.one_of(st.integers(0, SIZE + 50), st.integers(0, length - 1)).filter(lambda n: n < length)
    )
    last = data.draw(st.integers(first, min(first + 5000, length + 10)))
    headers = {b"range": b"bytes=%d-%d" % (first, last)}
    answer = media.answer("GET", headers, EIGHT_SECONDS, length)
    fields = dict(answer.headers)
    stop = min(last + 1, length)
    assert (answer.status_code, len(answer.body)) == (206, stop - first)
    assert fields[b"content-length"] == str(stop - first).encode()
    assert fields[b"content-range"] == f"bytes {first}-{stop - 1}/{length}".encode()
    head = media.padded(CONTENT, length).content
    wanted = head[first:stop].ljust(stop - first, b"\0")
    assert b"".join(answer.body.chunks(777)) == wanted


@given(lengths)
def test_a_long_video_is_told_of_as_any(length: int) -> None:
    """Length, tag and conditions; the whole is never in memory."""
    whole = media.answer("GET", {}, EIGHT_SECONDS, length)
    fields = dict(whole.headers)
    assert (whole.status_code, len(whole.body)) == (200, length)
    assert fields[b"content-length"] == str(length).encode()
    assert len(whole.body.content) < SIZE + 20
    head = media.answer("HEAD", {}, EIGHT_SECONDS, length)
    assert (dict(head.headers), len(head.body)) == (fields, 0)
    tag = fields[b"etag"]
    assert media.answer("GET", {b"if-none-match": tag}, EIGHT_SECONDS, length).status_code == 304
    for condition, status_code in ((tag, 206), (ETAG, 200)):
        asked = {b"range": b"bytes=0-9", b"if-range": condition}
        assert media.answer("GET", asked, EIGHT_SECONDS, length).status_code == status_code
    past = media.answer("GET", {b"range": b"bytes=%d-" % length}, EIGHT_SECONDS, length)
    assert (past.status_code, dict(past.headers)[b"content-range"]) == (416, b"bytes */%d" % length)


@given(st.sets(lengths, min_size=2, max_size=5))
def test_files_of_other_lengths_have_other_tags(sizes: set[int]) -> None:
    """None of them weak, and none the clip's own: a resumed download never mixes two files."""
    tags = {dict(media.answer("HEAD", {}, EIGHT_SECONDS, size).headers)[b"etag"] for size in sizes}
    assert len(tags | {ETAG}) == len(sizes) + 1
    assert all(re.fullmatch(rb'"[0-9a-f]{32}-[0-9]+"', tag) for tag in tags)


# On the wire


class Address(msgspec.Struct, frozen=True):
    """Where a clip is served: the one of eight seconds, or one that there isn't."""

    url: str

    def asked(self, method: str = "GET", path: str = "/1280x720-8s", **headers: str) -> requests.Response:
        """The answer to one request, with nothing in it that wasn't asked for."""
        return requests.request(
            method, self.url + path, headers={"accept-encoding": "identity", **headers}, timeout=60
        )


async def _clips_by_name(scope: Scope, receive: Receive, send: Send) -> None:
    """Serves ``/640x360-7s`` and its like, with headers of the caller's own."""
    del receive
    width, height, seconds = map(int, re.findall("[0-9]+", scope["path"]))
    own = ((b"x-own", b"1"), (b"last-modified", b"Thu, 02 Jan 2020 00:00:00 GMT"))
    answered = media.answer(scope["method"], dict(scope["headers"]), Clip(width, height, seconds))
    fields = media.merged(answered, own)
    await send({"type": "http.response.start", "status": answered.status_code, "headers": fields})
    await send({"type": "http.response.body", "body": answered.body.content})


@pytest.fixture(scope="module")
def address() -> Iterator[Address]:
    """A real server on a free port. It listens before it runs, so nobody has to wait for it."""
    config = uvicorn.Config(_clips_by_name, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Address(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server.should_exit = True
        thread.join()


def test_a_client_gets_the_file(address: Address) -> None:
    """Body, length and type; the caller's headers beside ours, and in place of one of ours."""
    answer = address.asked()
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["x-own"] == "1"
    assert answer.headers["last-modified"] == "Thu, 02 Jan 2020 00:00:00 GMT"
    assert "transfer-encoding" not in answer.headers


def test_a_client_resumes(address: Address) -> None:
    """What it lacks comes as 206, behind the tag that it kept."""
    tag = address.asked("HEAD").headers["etag"]
    answer = address.asked(range=f"bytes={SIZE - 7}-", **{"if-range": tag})
    assert (answer.status_code, answer.content) == (206, CONTENT[-7:])
    assert answer.headers["content-range"] == f"bytes {SIZE - 7}-{SIZE - 1}/{SIZE}"


@pytest.mark.parametrize(
    ("method", "headers", "status_code", "length"),
    [
        ("HEAD", {}, 200, str(SIZE)),
        ("GET", {"range": f"bytes={SIZE}-"}, 416, "0"),
        ("GET", {"if-none-match": "*"}, 304, None),
    ],
)
def test_an_answer_without_a_body_ends(
    address: Address, method: str, headers: dict[str, str], status_code: int, length: str | None
) -> None:
    """The client reads it to its end at once, and the connection serves the next request."""
    with requests.Session() as session:
        answer = session.request(method, f"{address.url}/1280x720-8s", headers=headers, timeout=60)
        assert (answer.status_code, answer.content) == (status_code, b"")
        assert answer.headers.get("content-length") == length
        assert session.get(f"{address.url}/1280x720-8s", timeout=60).content == CONTENT


def test_a_client_is_told_of_another_clip(address: Address) -> None:
    """The header stands on the wire, and the file is the one that it names."""
    answer = address.asked(path="/640x360-7s")
    assert answer.headers["x-emulator-clip"] == "asked 640x360 7s, served 1280x720 8s"
    assert answer.content == CONTENT


# What a start pays for


def test_importing_it_brings_no_framework_and_reads_no_clip() -> None:
    """A process that serves no download pays for none."""
    program = (
        "import sys; opened = [];"
        "sys.addaudithook(lambda name, args: opened.append(str(args[0])) if name == 'open' else None);"
        "from emulator import media;"
        "print('starlette' in sys.modules, any(name.endswith('.mp4') for name in opened))"
    )
    assert _python(program).split() == ["False", "False"]


def _python(program: str, *arguments: str, folder: Path | None = None) -> str:
    """What a program prints in an interpreter of its own, which finds the package in the folder."""
    root = Path(media.__file__).parent.parent if folder is None else folder
    command = (sys.executable, "-c", program, *arguments)
    return subprocess.run(command, check=True, cwd=root, capture_output=True, text=True).stdout  # noqa: S603 - our own words
