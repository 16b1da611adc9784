"""Routes of the control API as a table: what each takes, what it answers, and who handles it.

OpenAPI is made from the same table (`emulator.control.openapi`).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from emulator import bodies
from emulator.control.fields import Field, read_fields
from emulator.control.problems import Problem, bad_request
from emulator.engine import Namespace
from emulator.messages.problem import Mistake

if TYPE_CHECKING:
    from emulator.namespaces import Namespaces
    from emulator.options import Options

PREFIX: Final = "/__admin"
SLASH: Final = "\x1f"
"""Stands for an encoded slash in a path until its segments are parted; no text that anybody writes has one."""
JSON: Final = "application/json"
YAML: Final = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")


class Call(msgspec.Struct):
    """One request, read: what a handler gets."""

    namespaces: "Namespaces"
    namespace: Namespace
    path: Mapping[str, str]
    """The values of the path's ``{...}``."""
    query: Mapping[str, Any]
    """By the names of the route's `Route.query`, defaults filled in."""
    body: Mapping[str, Any]
    """By the names of the route's `Route.body`, defaults filled in; empty where it has none."""
    given: frozenset[str]
    """The names of body fields that the request has."""
    document: str
    """The body as it came, where the route is one that takes a document."""
    content_type: str
    request: Request
    """For what the rest doesn't tell, such as whether the client is still there."""
    options: "Options"


class Text(msgspec.Struct, frozen=True):
    """An answer that isn't JSON."""

    content: str | bytes
    media_type: str
    status_code: int = 200


class Answered(msgspec.Struct, frozen=True):
    """An answer with another status code than 200."""

    value: Any
    status_code: int


Handler = Callable[[Call], Awaitable[Any]]
"""Gives a message (`emulator.messages`), a `Text`, an `Answered` or a Starlette response; raises `Problem`."""


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route."""

    method: str
    path: str
    """Below ``/__admin``; ``{name}`` stands for one segment."""
    handler: Handler
    about: str
    """One sentence, the first line in OpenAPI."""
    tag: str
    answers: Any = None
    """The message of status code 200 (or `status_code`): a type of `emulator.messages`."""
    status_code: int = 200
    also: Mapping[int, Any] = {}
    """Further messages that aren't problems, by status code."""
    problems: Mapping[int, str] = {}
    """When it refuses, by status code; those that every route has are added."""
    query: tuple[Field, ...] = ()
    params: tuple[Field, ...] = ()
    """What the path's ``{...}`` are. They are read as given: a handler answers 404 to what doesn't exist."""
    body: tuple[Field, ...] = ()
    """The fields of a JSON object. A body that holds none may be left out."""
    constraints: Mapping[str, Any] = {}
    """What JSON Schema says of the fields of the body together. The handler holds it."""
    check: Callable[[Namespace, Mapping[str, Any]], Iterable[Mistake]] | None = None
    """What is wrong with the fields of the body together, or here and now. One that didn't read is ``None``."""
    document: bool = False
    """Whether it takes a scenario, in JSON or YAML, in place of fields."""
    texts: tuple[str, ...] = ()
    """Media types besides JSON that status code 200 may have."""
    needs_no_token: bool = False


def endpoint_of(
    route: Route, namespaces: "Namespaces", options: "Options"
) -> Callable[[Request], Awaitable[Response]]:
    """The route as Starlette calls it."""

    async def endpoint(request: Request) -> Response:
        call = await _read(route, request, namespaces, options)
        return _response(await route.handler(call), route.status_code)

    return endpoint


def starlette_routes(
    routes: Sequence[Route], namespaces: "Namespaces", options: "Options"
) -> list[StarletteRoute]:
    """The routes for Starlette's router, in which one path has one entry for all its methods."""
    by_path: dict[str, dict[str, Any]] = {}
    for route in routes:
        methods = by_path.setdefault(f"{PREFIX}{route.path}", {})
        methods[route.method] = endpoint_of(route, namespaces, options)
    return [
        StarletteRoute(path, _by_method(methods), methods=list(methods)) for path, methods in by_path.items()
    ]


def _by_method(methods: Mapping[str, Any]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        found = methods.get(request.method) or methods["GET"]  # a HEAD is a GET without the body
        response: Response = await found(request)
        return response

    return endpoint


async def _read(route: Route, request: Request, namespaces: "Namespaces", options: "Options") -> Call:
    mistakes: list[Mistake] = []
    query, wrong = read_fields(route.query, _query_of(request), is_text=True)
    mistakes += wrong
    data, content_type = await _body_of(route, request)
    body: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    if not route.document:
        fields = _object_in(data)
        body, wrong = read_fields(route.body, fields)
        mistakes += wrong
        if route.check is not None:
            mistakes += route.check(request.scope["emulator.namespace"], body)
    if mistakes:
        raise bad_request(mistakes)
    return Call(
        namespaces=namespaces,
        namespace=request.scope["emulator.namespace"],
        path={name: value.replace(SLASH, "/") for name, value in request.path_params.items()},
        query=query,
        body=body,
        given=frozenset(fields),
        document=_document_in(data) if route.document else "",
        content_type=content_type,
        request=request,
        options=options,
    )


def _query_of(request: Request) -> dict[str, str]:
    from urllib.parse import parse_qsl  # noqa: PLC0415 - few calls have a query

    text = request.scope["query_string"].decode("latin-1")
    return dict(parse_qsl(text, keep_blank_values=True)) if text else {}


async def _body_of(route: Route, request: Request) -> tuple[bytes, str]:
    headers = dict(request.scope["headers"])
    if route.method == "GET":
        return b"", ""
    try:
        data = await bodies.read(request.receive, headers, bodies.POLL_LIMIT)
    except bodies.TooLarge as problem:
        raise Problem(413, "Too large", str(problem)) from None
    kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if not data:
        return data, kind
    wanted = (JSON, *YAML) if route.document else (JSON,)
    if kind not in wanted:
        names = " or ".join(wanted[:2])
        detail = f"expected a body of content type {names}, got {kind[:100] or 'none'!r}"
        raise Problem(415, "Unsupported media type", detail)
    return data, kind


def _object_in(data: bytes) -> dict[str, Any]:
    if not data:
        return {}
    body = bodies.from_json(data, kept=False)
    if body.broken is not None or not isinstance(body.fields, dict):
        raise Problem(400, "Bad request", body.broken or "expected a JSON object")
    return body.fields


def _document_in(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        detail = f"expected a scenario in UTF-8, got the byte 0x{data[problem.start]:02x}"
        raise Problem(400, "Bad request", detail) from None


def _response(value: Any, status_code: int) -> Response:
    if isinstance(value, Response):
        return value
    if isinstance(value, Text):
        return Response(value.content, value.status_code, media_type=value.media_type)
    if isinstance(value, Answered):
        return _response(value.value, value.status_code)
    return Response(msgspec.json.encode(value), status_code, media_type=JSON)
