"""The OpenAPI document of the control API, made from the table of its routes."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from emulator import __version__
from emulator.control import problems
from emulator.control.fields import Field, Json, object_schema
from emulator.control.routes import JSON, PREFIX, YAML, Route
from emulator.messages.problem import ProblemDocument

_REF: Final = "#/components/schemas/{name}"
_COMMON: Final = {
    400: "Something in the request isn't what is expected here, or the namespace's name can't be one.",
    401: "The token of --admin-token is missing, or it is another one.",
    403: "The request comes from a page of another site, or for a host name that isn't trusted.",
    503: "The namespace would be one too many.",
}
_OF_WRITES: Final = {
    413: "The body is larger than 1 MiB.",
    415: "The body is neither empty nor of a content type that is taken here.",
}
_ABOUT: Final = """Looks into a running emulator and steers it.

Every route is about one namespace: that of the path's prefix `/ns/NAME`, else of the header
`X-Emulator-Namespace`, else of an API key `sk-ns-NAME--REST` sent as a bearer token, else `default`.
A namespace is made by the first request that names it.
"""


def document(routes: Sequence[Route]) -> Json:
    """The OpenAPI 3.1 document of these routes."""
    types = list(dict.fromkeys(_messages_of(routes)))
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    written = dict(zip(types, schemas, strict=True))
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(f"{PREFIX}{route.path}", {})[route.method.lower()] = _operation(route, written)
    return {
        "openapi": "3.1.0",
        "info": {"title": "video-emulator: control API", "version": __version__, "description": _ABOUT},
        "servers": [
            {"url": "/", "description": "The namespace of a header or a key, else `default`."},
            {
                "url": "/ns/{namespace}",
                "description": "The namespace of this name.",
                "variables": {"namespace": {"default": "default"}},
            },
        ],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _messages_of(routes: Sequence[Route]) -> Iterator[Any]:
    yield ProblemDocument
    for route in routes:
        if route.answers is not None:
            yield route.answers
        yield from route.also.values()


def _operation(route: Route, written: dict[Any, Json]) -> Json:
    operation: Json = {
        "operationId": _id_of(route),
        "summary": route.about,
        "tags": [route.tag],
        "parameters": [_parameter(field, "path") for field in route.params]
        + [_parameter(field, "query") for field in route.query],
        "responses": _responses(route, written),
    }
    # Without --admin-token nothing is asked for.
    operation["security"] = [] if route.needs_no_token else [{}, {"token": []}]
    body = _body(route)
    return operation if body is None else {**operation, "requestBody": body}


def _id_of(route: Route) -> str:
    words = re.findall(r"[a-z]+", route.path)
    return "_".join([route.method.lower(), *words])


def _parameter(field: Field, place: str) -> Json:
    schema = field.kind.schema if field.default is None else {**field.kind.schema, "default": field.default}
    return {
        "name": field.name,
        "in": place,
        "required": field.required or place == "path",
        "description": field.about,
        "schema": schema,
    }


def _body(route: Route) -> Json | None:
    if route.document:
        content = {kind: {"schema": {"type": "string"}} for kind in YAML[:1]}
        return {"required": True, "content": {**content, JSON: {"schema": {"type": "object"}}}}
    if not route.body:
        return None
    schema = {**object_schema(route.body), **route.constraints}
    is_needed = "required" in schema or "minProperties" in schema
    return {"required": is_needed, "content": {JSON: {"schema": schema}}}


def _responses(route: Route, written: dict[Any, Json]) -> Json:
    content: Json = {kind: {"schema": {"type": "string"}} for kind in route.texts}
    if route.answers is not None:
        content[JSON] = {"schema": written[route.answers]}
    told: Json = {str(route.status_code): {"description": route.about, "content": content}}
    for code, message in route.also.items():
        told[str(code)] = {"description": route.about, "content": {JSON: {"schema": written[message]}}}
    reasons = {**_COMMON, **({} if route.method == "GET" else _OF_WRITES), **route.problems}
    if route.needs_no_token:
        del reasons[401]
    for code, reason in sorted(reasons.items()):
        schema = written[ProblemDocument]
        told[str(code)] = {"description": reason, "content": {problems.MEDIA_TYPE: {"schema": schema}}}
    return told
