"""How a callback is sent: one POST to a judged address, without redirects, within real time."""

import asyncio
from collections.abc import Collection
from typing import Final

import httpx2

from emulator.core.units import SECOND, Duration, format_duration
from emulator.jobs import Outcome
from emulator.targets import Refused, Target, Unresolved, judged

_MOST_READ: Final = 64 * 1024
"""How much of a receiver's answer is read; nobody looks at it, but a receiver may want to be read to the end."""
_HEADERS: Final = {"content-type": "application/json", "user-agent": "video-emulator"}
"""Our choice: the providers document no headers of theirs."""


async def delivered(
    url: str, body: bytes, within: Duration, allowed: Collection[str], own_ports: Collection[int]
) -> Outcome:
    """What became of one attempt. It doesn't raise.

    Args:
        url: where the client wants it.
        body: as JSON.
        within: how long all of it may take, in real time.
        allowed: hosts besides loopback and private ones that callbacks may go to.
        own_ports: where the emulator listens.
    """
    sending = _Sending()
    try:
        async with asyncio.timeout(within / SECOND):
            await sending.send(await judged(url, allowed, own_ports), body)
    except Refused as refusal:
        return Outcome(problem=str(refusal), is_refused=True)
    except Unresolved as problem:
        return Outcome(problem=str(problem))
    except TimeoutError:
        if sending.status_code is None:
            return Outcome(problem=f"no answer within {format_duration(within)} of real time")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as problem:
        if sending.status_code is None:
            return Outcome(problem=f"no answer: {str(problem) or type(problem).__name__}"[:500])
    return Outcome(status_code=sending.status_code)


class _Sending:
    """One POST. Its status code counts from when it is known, whatever becomes of the rest of the answer."""

    status_code: int | None = None

    async def send(self, target: Target, body: bytes) -> None:
        # A certificate is checked against the name, as by every client; plain HTTP needs none.
        async with httpx2.AsyncClient(
            trust_env=False,
            timeout=None,
            verify=target.url.lower().startswith("https:"),
            limits=httpx2.Limits(max_keepalive_connections=0),
        ) as http:
            last: httpx2.ConnectError | None = None
            for address in target.addresses:
                try:
                    return await self._post(http, target, address, body)
                except httpx2.ConnectError as problem:
                    last = problem
            if last is not None:
                raise last

    async def _post(self, http: httpx2.AsyncClient, target: Target, address: str, body: bytes) -> None:
        url = httpx2.URL(target.url)
        request = http.build_request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={**_HEADERS, "host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": target.host},
        )
        answer = await http.send(request, stream=True)
        self.status_code, size = answer.status_code, 0
        try:
            async for piece in answer.aiter_raw():
                size += len(piece)
                if size > _MOST_READ:
                    return
        finally:
            await answer.aclose()
