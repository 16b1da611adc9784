"""Paths and methods to the rows of the providers' tables."""

from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.providers import PROVIDERS, by_name
from emulator.routing import Door, segments_of

ROOT = Door(PROVIDERS)
OCTOPUSX = Door([by_name["octopusx"]])
SEGMENT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


def split(path: str) -> list[str]:
    """The segments of a path as it stands in a request line, the way that a server hands it on."""
    raw = path.encode("ascii")
    return segments_of(unquote(path), raw)


def rows(door: Door, path: str, method: str) -> list[tuple[str, str]] | None:
    """Provider and operation of each row that a path and method mean."""
    route, _ = door.find(split(path), method)
    return (
        None
        if route is None
        else [(provider.name, operation.name.value) for provider, operation in route.rows]
    )


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/", [""]),
        ("//", [""]),
        ("/v1/videos", ["v1", "videos"]),
        ("//v1/videos", ["v1", "videos"]),
        ("///v1/videos", ["v1", "videos"]),
        ("/v1/videos/", ["v1", "videos"]),
        ("/v1/videos//", ["v1", "videos", ""]),
        ("/v1//videos", ["v1", "", "videos"]),
        ("/v1/videos/a%2Fb", ["v1", "videos", "a/b"]),
        ("/v1/videos/a%2fb/content", ["v1", "videos", "a/b", "content"]),
        ("/v1/videos/%2F", ["v1", "videos", "/"]),
        ("/v1/videos/a%20%2Fb%C3%A9", ["v1", "videos", "a /bé"]),
        ("/v1/videos/a%252Fb", ["v1", "videos", "a%2Fb"]),
        ("/v1/videos/task_1:2", ["v1", "videos", "task_1:2"]),
        ("/v1/videos/%FF%2F", ["v1", "videos", "\N{REPLACEMENT CHARACTER}/"]),
        ("/%2F", ["/"]),
    ],
)
def test_splits_a_path_at_its_slashes(path: str, segments: list[str]) -> None:
    """Slashes at the front count as one, one at the end for nothing; an encoded one belongs to its segment."""
    assert split(path) == segments


@given(st.lists(SEGMENT, min_size=1, max_size=5))
def test_gives_segments_back_as_they_were_encoded(segments: list[str]) -> None:
    """Whatever stands in a segment comes out again, slashes, braces and all."""
    path = "".join("/" + quote(segment, safe="") for segment in segments)
    assert split(path) == segments
    assert split(path + "/") == segments
    assert split("/" + path) == segments


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/v1/videos", "POST", [("octopusx", "create")]),
        ("/v1/videos/a", "GET", [("octopusx", "poll")]),
        ("/v1/videos/a", "HEAD", [("octopusx", "poll")]),
        ("/v1/videos/a/", "GET", [("octopusx", "poll")]),
        ("//v1/videos/a", "GET", [("octopusx", "poll")]),
        ("/v1/videos/a/content", "GET", [("octopusx", "content")]),
        ("/v1/videos/a/content", "HEAD", [("octopusx", "content")]),
        ("/v1/videos/content", "GET", [("octopusx", "poll")]),
        ("/v1/videos/a%2Fcontent", "GET", [("octopusx", "poll")]),
        ("/v1/videos/a", "POST", None),
        ("/v1/videos/a", "get", None),
        ("/v1/videos", "GET", [("octopusx", "list")]),
        ("/v1/videos", "HEAD", [("octopusx", "list")]),
        ("/v1/videos", "DELETE", None),
        ("/v1/videos/a", "DELETE", [("octopusx", "delete")]),
        ("/v1/videos/a/remix", "POST", [("octopusx", "remix")]),
        ("/v1/videos/a/remix", "GET", None),
        ("/v1/video/create", "POST", [("octopusx", "create")]),
        ("/v1/video/query", "GET", [("octopusx", "poll")]),
        ("/v1/video/remix", "POST", [("octopusx", "remix")]),
        ("/v1/videos//", "GET", None),
        ("/v1/videos//content", "GET", None),
        ("/v1/videos/a/other", "GET", None),
        ("/v1/videos/a/content/more", "GET", None),
        ("/v1", "GET", None),
        ("/", "GET", None),
        ("/sora/tasks", "POST", None),
        ("/V1/videos/a", "GET", None),
    ],
)
def test_finds_a_providers_operations(path: str, method: str, expected: list[tuple[str, str]] | None) -> None:
    """A path and method mean one row of the table, or none; GET routes answer HEAD too."""
    assert rows(OCTOPUSX, path, method) == expected


def test_gives_every_row_where_vendors_share_a_path() -> None:
    """At the root a path that two providers document means both, in the order of the registry."""
    assert rows(ROOT, "/v1/videos/a", "GET") == [("octopusx", "poll"), ("ezmodel", "poll")]
    assert rows(ROOT, "/v1/videos", "POST") == [("octopusx", "create"), ("ezmodel", "create")]
    assert rows(ROOT, "/sora/tasks", "POST") == [("acedata-sora", "poll")]
    assert rows(ROOT, "/veo/tasks", "POST") == [("acedata-veo", "poll")]


@pytest.mark.parametrize(
    "task_id",
    ["video_1", "a/b", "a//b", "{}", "{task_id}", "é", "None", "..", " ", "task:1", "content", "x" * 10_000],
)
def test_takes_any_id(task_id: str) -> None:
    """Whatever an id is made of, it comes out as it was sent."""
    path = f"/v1/videos/{quote(task_id, safe='')}"
    for method, tail in (("GET", ""), ("HEAD", ""), ("GET", "/content")):
        route, params = ROOT.find(split(path + tail), method)
        assert route is not None
        assert params == (task_id,)


@given(
    st.lists(SEGMENT | st.sampled_from(["", "v1", "videos", "content", "{}", "sora"]), min_size=1, max_size=6)
)
def test_finds_a_route_or_none_for_any_path(segments: list[str]) -> None:
    """Any path leads somewhere or nowhere, with as many parameters as the rows have places."""
    for method in ("GET", "HEAD", "POST", "DELETE"):
        route, params = ROOT.find(segments, method)
        if route is not None:
            assert all(params)
            for _, operation in route.rows:
                assert operation.path.count("{") == len(params)


PATHS = st.lists(
    st.sampled_from(
        [
            "",
            "v1",
            "videos",
            "content",
            "sora",
            "veo",
            "tasks",
            "a",
            "{}",
            "{task_id}",
            "acedata",
            "octopusx",
            "ezmodel",
        ]
    ),
    max_size=6,
).map("/".join)


@given(
    PATHS | st.sampled_from([operation.path for one in PROVIDERS for operation in one.operations]),
    st.booleans(),
)
@example("v1/videos/", False)
@example("v1/videos/{task_id}/a", False)
def test_sees_at_a_glance_what_it_would_find(path: str, with_bases: bool) -> None:
    """The short way to a route leads where the long way leads, or nowhere."""
    door = Door(PROVIDERS, with_bases=with_bases)
    for method in ("GET", "HEAD", "POST", "DELETE"):
        route, params = door.glance(f"/{path}", method)
        if route is not None:
            assert (route, params) == door.find(segments_of(f"/{path}", b""), method)


@pytest.mark.parametrize(
    ("path", "method"),
    [("/v1/videos/a", "GET"), ("/v1/videos/a", "HEAD"), ("/v1/videos", "POST"), ("/sora/tasks", "POST")],
)
def test_sees_polls_and_creates_at_a_glance(path: str, method: str) -> None:
    """The paths that are asked for most need no search."""
    route, params = ROOT.glance(path, method)
    assert route is not None
    assert params == (("a",) if path.endswith("/a") else ())


def test_leads_to_one_vendor_below_its_base_path() -> None:
    """A door with base paths tells vendors that share a path apart by them; one without knows none."""
    based = Door(PROVIDERS, with_bases=True)
    for name in ("octopusx", "ezmodel"):
        path = f"{by_name[name].base}/v1/videos/a"
        assert rows(based, path, "GET") == [(name, "poll")]
        assert rows(ROOT, path, "GET") is None
        route, _ = based.find(split(path), "GET")
        assert route is not None
        assert route.base == by_name[name].base
    assert rows(based, "/v1/videos/a", "GET") == rows(ROOT, "/v1/videos/a", "GET")
    assert rows(based, "/acedata/veo/tasks", "POST") == [("acedata-veo", "poll")]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/videos", ("GET", "HEAD", "POST")),
        ("/v1/videos/a", ("GET", "HEAD", "DELETE")),
        ("/v1/videos/a/remix", ("POST",)),
        ("/v1/videos/a/content", ("GET", "HEAD")),
        ("/sora/tasks", ("POST",)),
        ("/nowhere", ()),
        ("/", ()),
    ],
)
def test_names_the_methods_of_a_path(path: str, methods: tuple[str, ...]) -> None:
    """A path has the methods of its rows, or none where it is no path."""
    assert ROOT.methods(split(path)) == methods


def test_opens_on_the_providers_behind_it() -> None:
    """A door knows whom it leads to."""
    assert [provider.name for provider in OCTOPUSX.providers] == ["octopusx"]
    assert ROOT.providers == PROVIDERS
