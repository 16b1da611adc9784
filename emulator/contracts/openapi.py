"""A contract as an OpenAPI 3.1 document: what a provider answers in one profile, for programs."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from emulator import __version__
from emulator.contracts.contract import Answer, Contract, Header, Operation
from emulator.contracts.reading import Json, without_places
from emulator.core.words import Profile

_ABOUT: Final = """What the provider answers, as video-emulator's contract of it says for the profile `{profile}`. \
It is written from the sources below and is no document of the provider's.

Each answer says where it comes from, and how well it is known: `documented` by the provider's own pages; `inferred` \
from clients, from the source of a gateway, or from an API that it follows; `our choice` where no source shows it. \
A member that is known otherwise than its answer has an `x-confidence` and an `x-source` of its own.

Several answers of one status code stand under `anyOf`: errors of different names may have the same body.

{sources}
"""


def document(contract: Contract, profile: Profile, base: str) -> Json:
    """The OpenAPI document of a contract in a profile.

    Args:
        contract: a provider's.
        profile: which of its faces.
        base: the path that the provider's own paths stand below, such as ``/octopusx``.
    """
    operations = [one for one in contract.operations.values() if profile in one.profiles]
    answers = [answer for one in operations for answer in contract.outcomes(one.key, profile)]
    sources = "\n".join(f"- `{name}`: {text}" for name, text in contract.sources.items())
    paths: dict[str, Json] = {}
    for operation in operations:
        told = _operation(contract, operation, contract.outcomes(operation.key, profile))
        paths.setdefault(operation.path, {})[operation.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{contract.title} ({profile})",
            "version": __version__,
            "description": _ABOUT.format(profile=profile, sources=sources),
        },
        "servers": [
            {"url": base, "description": "The namespace of a header or a key, else `default`."},
            {
                "url": f"/ns/{{namespace}}{base}",
                "description": "The namespace of this name.",
                "variables": {"namespace": {"default": "default"}},
            },
        ],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": {_name(one): _schema(one) for one in answers if one.schema is not None},
            "headers": {header.name: _header(header) for header in contract.headers},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(contract: Contract, operation: Operation, answers: Sequence[Answer]) -> Json:
    told: Json = {
        "operationId": operation.key,
        "summary": operation.about,
        "x-source": operation.source,
        "parameters": [
            *(_segment(name) for name in re.findall(r"{(\w+)}", operation.path)),
            *_query(operation.query or {}),
        ],
        "responses": {
            str(code): _response(contract, [one for one in answers if one.status_code == code])
            for code in sorted({answer.status_code for answer in answers})
        },
    }
    if operation.request is not None:
        schema = without_places(operation.request)
        content = {kind: {"schema": schema} for kind in operation.media_types}
        told["requestBody"] = {"required": True, "content": content}
    return told


def _segment(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query(schemas: Json) -> list[Json]:
    """What an operation reads of the query; nothing of it is needed where no source says so."""
    told = without_places(schemas)
    return [{"name": name, "in": "query", "required": False, "schema": told[name]} for name in told]


def _response(contract: Contract, answers: Sequence[Answer]) -> Json:
    """What the answers of one status code have in common, and which they are."""
    kinds = dict.fromkeys(_media_type(answer) for answer in answers)
    own = {header.name: _header(header) for answer in answers for header in answer.headers}
    shared = {header.name: {"$ref": f"#/components/headers/{header.name}"} for header in contract.headers}
    return {
        "description": "\n".join(
            f"- `{answer.name}`: {answer.confidence} ({answer.source})" for answer in answers
        ),
        "headers": {**shared, **own},
        "content": {kind: _content(one for one in answers if _media_type(one) == kind) for kind in kinds},
    }


def _media_type(answer: Answer) -> str:
    return answer.media_type.partition(";")[0]


def _content(answers: Iterable[Answer]) -> Json:
    refs = [_ref(answer) for answer in answers if answer.schema is not None]
    if not refs:
        return {}
    return {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}


def _name(answer: Answer) -> str:
    return f"{answer.operation}.{answer.name}"


def _ref(answer: Answer) -> Json:
    return {"$ref": f"#/components/schemas/{_name(answer)}"}


def _schema(answer: Answer) -> Json:
    """An answer's body. The items of a batch are what the answer says they may be."""
    schema: Json = without_places(answer.schema)
    if answer.items:
        items = {"anyOf": [{"$ref": f"#/components/schemas/{answer.operation}.{n}"} for n in answer.items]}
        properties = {**schema["properties"], "items": {**schema["properties"]["items"], "items": items}}
        schema = {**schema, "properties": properties}
    return {**schema, "x-confidence": answer.confidence, "x-source": answer.source}


def _header(header: Header) -> Json:
    schema: Json = {"type": "string"}
    if header.pattern is not None:
        schema["pattern"] = header.pattern
    return {
        "description": f"{header.expected}: {header.confidence} ({header.source})",
        "required": True,
        "schema": schema,
        "x-confidence": header.confidence,
        "x-source": header.source,
    }
