"""The control API under ``/__admin``: how tests and people look into a running emulator and steer it."""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from emulator import __version__, bodies
from emulator.clock import MODES, Clock, ClockRefused
from emulator.core.scenario import ClockSettings, Scenario
from emulator.core.task import Task, next_change, state_at
from emulator.core.units import Instant, format_instant, parse_duration, parse_instant
from emulator.core.words import Status
from emulator.engine import Namespace

PREFIX: Final = "/__admin"
MAX_PAGE: Final = 1000
"""The most tasks that one page lists."""
_FETCH_FROM_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})


class Problem(Exception):
    """A request that the control API refuses: a problem document of RFC 9457."""

    def __init__(self, status_code: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.document = {"title": title, "status": status_code, "detail": detail, **more}


def _answer(value: Any, status_code: int = 200) -> Response:
    return Response(orjson.dumps(value), status_code, media_type="application/json")


def _problem(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return Response(
        orjson.dumps(problem.document), problem.status_code, media_type="application/problem+json"
    )


def _http_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    # Not request.url, which can't be had where the query has bytes that are no UTF-8.
    path = request.scope["path"][:200]
    if error.status_code == 404:
        detail = f"the control API has no {path}; docs/control-api.md lists its routes"
        return _problem(request, Problem(404, error.detail, detail))
    # Starlette gives them in an order that changes from run to run.
    allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
    detail = f"{path} doesn't take {request.method}; it takes {allowed}"
    response = _problem(request, Problem(error.status_code, error.detail, detail))
    response.headers["allow"] = allowed
    return response


def _defect(request: Request, _error: Exception) -> Response:
    # Starlette has it logged with its traceback by whoever called it.
    told = "video-emulator met a defect of its own; its log has the details"
    return _problem(request, Problem(500, "A defect of video-emulator", told))


class Control:
    """The routes, over one namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace

    def routes(self) -> list[Route]:
        """Every route of the control API."""
        return [
            Route(f"{PREFIX}/health", self.health),
            Route(f"{PREFIX}/ready", self.ready),
            Route(f"{PREFIX}/clock", self.clock, methods=["GET", "PUT"]),
            Route(f"{PREFIX}/clock/advance", self.advance, methods=["POST"]),
            Route(f"{PREFIX}/scenarios", self.scenarios),
            Route(f"{PREFIX}/scenarios/active", self.set_scenario, methods=["PUT"]),
            Route(f"{PREFIX}/tasks", self.tasks),
            Route(f"{PREFIX}/reset", self.reset, methods=["POST"]),
        ]

    async def health(self, _request: Request) -> Response:
        """That the emulator lives, and what it holds."""
        namespace = self.namespace
        store = namespace.store
        return _answer(
            {
                "status": "ok",
                "version": __version__,
                "scenario": namespace.active.scenario.name,
                "clock": clock_of(namespace.clock),
                "tasks": {"kept": len(store), "dropped": store.dropped},
            }
        )

    async def ready(self, _request: Request) -> Response:
        """That requests are answered; the emulator listens only when they are."""
        return _answer({"ready": True})

    async def clock(self, request: Request) -> Response:
        """The clock's mode, instant and scale; a PUT sets them first, and what it doesn't name stays."""
        if request.method == "PUT":
            await self._set_clock(request)
        return _answer(clock_of(self.namespace.clock))

    async def _set_clock(self, request: Request) -> None:
        fields = await _fields(request, "mode", "now", "scale")
        clock = self.namespace.clock
        wanted = _clock_settings(fields, clock)
        try:
            if wanted.start is not None:
                clock.move_to(wanted.start)
        except ClockRefused as refusal:
            raise Problem(409, "The clock can't do that", str(refusal)) from None
        clock.change(wanted.mode, wanted.scale)
        self.namespace.clock_is_set = True

    async def advance(self, request: Request) -> Response:
        """Move the clock forward by a duration."""
        fields = await _fields(request, "by")
        by = fields.get("by")
        if not isinstance(by, str):
            raise _bad("by", "a duration such as 5m", by)
        try:
            duration = parse_duration(by)
        except ValueError as problem:
            raise Problem(400, "Bad request", f"by: {problem}") from None
        try:
            self.namespace.clock.advance(duration)
        except ClockRefused as refusal:
            raise Problem(409, "The clock can't do that", str(refusal)) from None
        return _answer(clock_of(self.namespace.clock))

    async def scenarios(self, _request: Request) -> Response:
        """Every scenario by name, and which one is active."""
        library = self.namespace.library
        listed = [described(found) for name in library.names() if (found := library.get(name)) is not None]
        return _answer({"active": self.namespace.active.scenario.name, "scenarios": listed})

    async def set_scenario(self, request: Request) -> Response:
        """Put another scenario in force for requests from now on."""
        fields = await _fields(request, "name")
        name = fields.get("name")
        if not isinstance(name, str):
            raise _bad("name", "the name of a scenario", name)
        found = self.namespace.library.get(name)
        if found is None:
            names = list(self.namespace.library.names())
            detail = f"name: no scenario is called {name[:200]!r}; there are: {', '.join(names)}"
            raise Problem(404, "Unknown scenario", detail, scenarios=names)
        self.namespace.activate(found)
        return _answer({"name": found.name})

    async def tasks(self, request: Request) -> Response:
        """The tasks, newest first, as they stand at the clock's instant."""
        _known_only(request.query_params, "provider", "status", "limit", "offset")
        namespace, now = self.namespace, self.namespace.clock.now()
        provider, status = request.query_params.get("provider"), request.query_params.get("status")
        if status is not None and status not in list(Status):
            raise _bad("status", f"one of {', '.join(Status)}", status)
        names = [p.name for p in namespace.providers]
        if provider is not None and provider not in names:
            raise _bad("provider", f"one of {', '.join(names)}", provider)
        limit, offset = _number(request, "limit", 100, MAX_PAGE), _number(request, "offset", 0, 2**31)
        kept = sorted(namespace.store.newest_first(provider), key=lambda task: -task.created_at)
        shown = [t for t in kept if status is None or state_at(t, now).status == status]
        page = [task_of(task, now) for task in shown[offset : offset + limit]]
        return _answer({"tasks": page, "total": len(shown)})

    async def reset(self, request: Request) -> Response:
        """Forget every task and count; the active scenario and the clock begin anew."""
        fields = await _fields(request, "clock")
        clock = fields.get("clock")
        if clock is not None and not isinstance(clock, dict):
            raise _bad("clock", 'an object such as {"mode": "manual", "now": "2025-01-01T00:00:00Z"}', clock)
        if clock is not None:
            _only(clock, "mode", "now", "scale", where="clock.")
        self.namespace.reset(None if clock is None else _clock_settings(clock, self.namespace.clock))
        return _answer({"reset": True, "clock": clock_of(self.namespace.clock)})


def clock_of(clock: Clock) -> dict[str, Any]:
    """A clock as the control API shows it."""
    scale = int(clock.scale) if clock.scale == int(clock.scale) else clock.scale
    return {"mode": clock.mode, "now": format_instant(clock.now()), "scale": scale}


def described(scenario: Scenario) -> dict[str, Any]:
    """A scenario as lists show it."""
    return {"name": scenario.name, "about": scenario.about, "providers": list(scenario.providers)}


def task_of(task: Task, now: Instant) -> dict[str, Any]:
    """A task as the control API shows it: in neutral words, whatever its provider."""
    snapshot = state_at(task, now)
    change = next_change(task, now)
    return {
        "id": task.id,
        "provider": task.provider,
        "status": snapshot.status,
        "progress": snapshot.progress,
        "created_at": format_instant(task.created_at),
        "ended_at": None if snapshot.ended_at is None else format_instant(snapshot.ended_at),
        "next_change_at": None if change is None else format_instant(change),
        "polls": task.polls,
        "scenario": task.plan.scenario,
        "choice": task.plan.choice,
        "profile": task.plan.profile,
    }


def _clock_settings(fields: Mapping[str, Any], present: Clock) -> ClockSettings:
    mode = fields.get("mode", present.mode)
    if mode not in MODES:
        raise _bad("mode", f"one of {', '.join(MODES)}", mode)
    scale = fields.get("scale", present.scale if mode == "scaled" else 1)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale <= 100_000:
        raise _bad("scale", "a number above 0 and at most 100,000", scale)
    if mode != "scaled" and scale != 1:
        raise Problem(400, "Bad request", f'scale: only the mode "scaled" has one; the mode is {mode!r}')
    start = fields.get("now")
    try:
        instant = None if start is None else parse_instant(start if isinstance(start, str) else repr(start))
    except (ValueError, OverflowError) as problem:
        raise Problem(400, "Bad request", f"now: {problem}") from None
    return ClockSettings(mode=mode, scale=float(scale), start=instant)


def _bad(name: str, wanted: str, got: Any) -> Problem:
    came = "nothing" if got is None else orjson.dumps(got, default=repr).decode()[:200]
    return Problem(400, "Bad request", f"{name}: expected {wanted}, got {came}")


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > most:
        raise _bad(name, f"a whole number up to {most}", text)
    return int(text)


def _known_only(given: Mapping[str, Any], *known: str) -> None:
    _only(given, *known, where="")


def _only(given: Mapping[str, Any], *known: str, where: str) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        wanted = ", ".join(known)
        raise Problem(400, "Bad request", f"{where}{unknown[0][:200]}: unknown; expected {wanted}")


async def _fields(request: Request, *known: str) -> dict[str, Any]:
    """The fields of a JSON body; none where there is no body."""
    headers = dict(request.scope["headers"])
    try:
        data = await bodies.read(request.receive, headers, bodies.POLL_LIMIT)
    except bodies.TooLarge as problem:
        raise Problem(413, "Too large", str(problem)) from None
    if not data:
        return {}
    kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if kind != "application/json":
        detail = f"expected a body of content type application/json, got {kind[:100] or 'none'!r}"
        raise Problem(415, "Unsupported media type", detail)
    body = bodies.from_json(data)
    if body.broken is not None or not isinstance(body.fields, dict):
        raise Problem(400, "Bad request", body.broken or "expected a JSON object")
    _only(body.fields, *known, where="")
    return body.fields


class Guard:
    """Keeps web pages of elsewhere out: the control API changes things, and a browser would let any page try."""

    def __init__(self, app: Any, trusted_hosts: frozenset[str]) -> None:
        self._app = app
        self._trusted = trusted_hosts

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer one request, or refuse it."""
        detail = self._objection(dict(scope["headers"]))
        if detail is None:
            await self._app(_without_last_slash(scope), receive, send)
            return
        response = _problem(Request(scope), Problem(403, "Forbidden", detail))
        await response(scope, receive, send)

    def _objection(self, headers: Mapping[bytes, bytes]) -> str | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._is_ours(host):
            return f"the control API isn't served under the host {host[:200]!r}; use an address or localhost"
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and urlsplit_host(origin) != host.lower():
            return f"the control API takes no requests of pages from {origin[:200]!r}"
        if headers.get(b"sec-fetch-site", b"").decode("latin-1") in _FETCH_FROM_ELSEWHERE:
            return "the control API takes no requests of pages from another site"
        return None

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        name = name.strip("[]").lower()
        is_single_label = "." not in name and ":" not in name
        if is_single_label or name in self._trusted:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.endswith(".localhost")
        return True


def _without_last_slash(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The scope of the same path without a slash at its end: it means the same, here as at the providers."""
    path = scope["path"]
    return {**scope, "path": path[:-1]} if path.endswith("/") and path != f"{PREFIX}/" else scope


def urlsplit_host(origin: str) -> str:
    """Host and port of an origin, in lower case; empty where it has none (``null``)."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def control(namespace: Namespace, trusted_hosts: frozenset[str] = frozenset()) -> Guard:
    """The control API as an ASGI application."""
    handlers: Any = {Problem: _problem, HTTPException: _http_problem, Exception: _defect}
    app = Starlette(routes=Control(namespace).routes(), exception_handlers=handlers)
    # It would lead a slash at the end elsewhere; clients of APIs don't follow that.
    app.router.redirect_slashes = False
    return Guard(app, trusted_hosts)
