"""The control API under ``/__admin``: how tests and people look into a running emulator and steer it."""

from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from emulator.control import (
    clock,
    coverage,
    events,
    health,
    metrics,
    namespaces,
    openapi,
    providers,
    report,
    requests,
    scenarios,
    tasks,
    verify,
)
from emulator.control.guard import Guard
from emulator.control.problems import Problem, on_defect, on_http_exception, on_problem
from emulator.control.routes import PREFIX, Call, Route, Text, starlette_routes

if TYPE_CHECKING:
    from emulator.namespaces import Namespaces
    from emulator.options import Options


@cache
def described() -> bytes:
    """The OpenAPI document of all routes, as JSON."""
    return msgspec.json.encode(openapi.document(ROUTES))


async def _openapi(_call: Call) -> Text:
    return Text(described(), "application/json")


_OPENAPI: Final = Route(
    method="GET",
    path="/openapi.json",
    handler=_openapi,
    about="This description, as OpenAPI.",
    tag="openapi",
    answers=dict[str, Any],
)
ROUTES: Final[tuple[Route, ...]] = (
    *health.ROUTES,
    *clock.ROUTES,
    *scenarios.ROUTES,
    *tasks.ROUTES,
    *namespaces.ROUTES,
    *requests.ROUTES,
    *report.ROUTES,
    *coverage.ROUTES,
    *events.ROUTES,
    *verify.ROUTES,
    *metrics.ROUTES,
    *providers.ROUTES,
    _OPENAPI,
)
"""Every route, in the order in which documentation lists them."""


def control(namespaces: "Namespaces", options: "Options") -> Guard:
    """The control API as an ASGI application. Scopes tell the namespace as ``emulator.namespace``."""
    handlers: Any = {Problem: on_problem, HTTPException: on_http_exception, Exception: on_defect}
    app = Starlette(routes=starlette_routes(ROUTES, namespaces, options), exception_handlers=handlers)
    # It would lead a slash at the end elsewhere; clients of APIs don't follow that.
    app.router.redirect_slashes = False
    public = urlsplit(options.public_url or "").hostname
    trusted = {host.lower() for host in (public, *options.allowed_hosts) if host}
    open_paths = frozenset(f"{PREFIX}{route.path}" for route in ROUTES if route.needs_no_token)
    return Guard(app, frozenset(trusted), options.admin_token, open_paths)
