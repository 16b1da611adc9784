"""A sender for a command that makes one call: by the standard library, which starts sooner than httpx2."""

import http.client
import ssl
from typing import TypeVar
from urllib.parse import urlsplit

from emulator.client.answers import Answer, accepted
from emulator.client.calls import Call
from emulator.client.place import Place

T = TypeVar("T")
_LARGEST = 1024 * 1024


class OneShot:
    """Sends each call on a connection of its own."""

    def __init__(self, place: Place, verify: bool = True) -> None:
        self.place = place
        self._verify = verify

    def send(self, call: Call[T]) -> T:
        """The answer, read."""
        place = self.place
        seconds = place.timeout + call.wait
        parts = urlsplit(place.target(call))
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection = self._connection(parts.scheme, parts.hostname or "", parts.port, seconds)
        try:
            connection.request(call.method, target, call.body or None, place.headers(call))
            response = connection.getresponse()
            body = response.read(_LARGEST)
        except TimeoutError:
            raise place.silent(seconds) from None
        except (OSError, http.client.HTTPException) as problem:
            raise place.unreachable(problem) from None
        finally:
            connection.close()
        content_type = response.headers.get("content-type", "").lower()
        return call.read(accepted(Answer(place.url, response.status, content_type, body)))

    def _connection(
        self, scheme: str, host: str, port: int | None, seconds: float
    ) -> http.client.HTTPConnection:
        if scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=seconds)
        context = ssl.create_default_context()
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
