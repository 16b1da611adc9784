"""Who may call the control API: it changes things, and a browser would let any page try."""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from emulator.control.problems import Problem, response_of
from emulator.control.routes import SLASH

_FETCH_FROM_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})
TOKEN_HEADER: Final = "x-emulator-admin-token"


class Guard:
    """Keeps web pages of elsewhere out, and whoever lacks the token where there is one."""

    def __init__(
        self, app: Any, trusted_hosts: frozenset[str], token: str | None, open_paths: frozenset[str]
    ) -> None:
        self._app = app
        self._trusted = trusted_hosts
        self._token = None if token is None else token.encode()
        self._open_paths = open_paths

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer one request, or refuse it."""
        scope = _routable(scope)
        problem = self._problem(dict(scope["headers"]), scope["path"])
        if problem is None:
            await self._app(scope, receive, send)
            return
        response = response_of(problem)
        if problem.document.status == 401:
            response.headers["www-authenticate"] = "Bearer"
        await response(Request(scope).scope, receive, send)

    def _problem(self, headers: Mapping[bytes, bytes], path: str) -> Problem | None:
        detail = self._objection(headers)
        if detail is not None:
            return Problem(403, "Forbidden", detail)
        if self._token is None or path in self._open_paths:
            return None
        given = headers.get(TOKEN_HEADER.encode()) or _bearer(headers.get(b"authorization", b""))
        if hmac.compare_digest(given, self._token):
            return None
        came = "another one" if given else "none"
        detail = (
            f"expected the token of --admin-token, as 'Authorization: Bearer TOKEN' or in the header "
            f"X-Emulator-Admin-Token, got {came}"
        )
        return Problem(401, "Unauthorized", detail)

    def _objection(self, headers: Mapping[bytes, bytes]) -> str | None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._is_ours(host):
            return (
                f"the control API isn't served under the host {host[:200]!r}; use an address or localhost, or "
                f"serve with --allowed-host"
            )
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and _host_of(origin) != host.lower():
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


def _bearer(authorization: bytes) -> bytes:
    scheme, _, token = authorization.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def _routable(scope: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The scope with its path as the routes take it.

    A slash at its end means nothing, here as at the providers. One that was sent encoded belongs to an id, and
    parts no segments.
    """
    path, raw_path = scope["path"], scope["raw_path"]
    if b"%2" in raw_path and b"%2f" in raw_path.lower():
        path = "/".join(unquote(s).replace("/", SLASH) for s in raw_path.decode("latin-1").split("/"))
    if path.endswith("/") and path != "/__admin/":
        path = path[:-1]
    return scope if path == scope["path"] else {**scope, "path": path}


def _host_of(origin: str) -> str:
    """Host and port of an origin, in lower case; empty where it has none (``null``)."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
