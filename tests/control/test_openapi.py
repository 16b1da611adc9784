"""The OpenAPI document of the control API is true: schemathesis asks whatever it allows, and what it doesn't."""

import re
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi import checks

from emulator.control import ROUTES
from emulator.control.fields import DURATION
from emulator.control.routes import PREFIX
from tests.worlds import World

# schemathesis is a plugin of pytest too; its warnings are about itself.
pytestmark = pytest.mark.filterwarnings("default")
STORY: Final = (
    "version: 1\ntasks:\n  - {id: known, provider: octopusx}\n  - timeline: [{status: completed}]\n"
)
ENDLESS: Final = f"{PREFIX}/events"
"""Its answer never ends; `test_events.py` reads it."""


def world() -> World:
    """A world in which something has happened."""
    made = World(STORY, others=["version: 1\nname: other\n"])
    made.post("/octopusx/v1/videos", {"prompt": "a cat"})
    made.get("/octopusx/v1/videos/known")
    made.get("/ns/neighbour/octopusx/v1/videos/known")
    return made


schema = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", world().app)


@schema.exclude(path=ENDLESS).parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_a_documented_one(case: Any) -> None:
    """By status code, content type and schema; there is no server error, and what the document refuses is refused."""
    wait = (case.query or {}).get("wait")
    if isinstance(wait, str) and re.match(DURATION.schema["pattern"], wait):
        case.query["wait"] = "1ms"  # nobody waits in real time for a request that doesn't come
    # What fields mean together (a scale needs the mode scaled) is said in words, so a request that the schema
    # allows may be refused.
    case.call_and_validate(excluded_checks=[checks.positive_data_acceptance])


def test_it_has_every_route() -> None:
    """And nothing else."""
    paths = world().call("GET", f"{PREFIX}/openapi.json", headers={}, host="localhost").json()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert described == {(route.method, f"{PREFIX}{route.path}") for route in ROUTES}


def test_its_schemas_are_schemas() -> None:
    """Of JSON Schema's draft 2020-12, as OpenAPI 3.1 has them; each operation has an id of its own."""
    document = world().call("GET", f"{PREFIX}/openapi.json", headers={}, host="localhost").json()
    for one in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(one)
    ids = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    ]
    assert len(ids) == len(set(ids)) == len(ROUTES)
