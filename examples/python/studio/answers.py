"""What the answers of all providers have in common: which are errors, and what to do about them."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from studio.outcomes import KeyRefused, RequestRefused, Unavailable


def raise_for(status_code: int, headers: Mapping[str, str], body: Any) -> None:
    """Raise what an answer means, unless it is a good one.

    Args:
        status_code: its own.
        headers: its own, whatever the case of their names.
        body: JSON, or anything else.

    Raises:
        Unavailable: later it may be a good one.
        KeyRefused: never with this key.
        RequestRefused: never.
    """
    if status_code < 400:
        return
    if status_code == 429 or status_code >= 500:
        raise Unavailable(status_code, retry_after(headers))
    problem = KeyRefused if status_code in {401, 403} else RequestRefused
    raise problem(f"{status_code}: {message_in(body)}")


def retry_after(headers: Mapping[str, str]) -> float:
    """How long to wait before the next request, in seconds. The header may say it as a number or as a date."""
    told = headers.get("retry-after", "0")
    if told.isdigit():
        return float(told)
    # The provider's clock needn't agree with ours.
    wait = parsedate_to_datetime(told) - parsedate_to_datetime(headers["date"])
    return max(0.0, wait.total_seconds())


def message_in(body: Any) -> str:
    """The provider's own words. Most stand in `error`, which may be a text; some stand by themselves."""
    if not isinstance(body, dict):
        return str(body)
    error = body.get("error", body)
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def code_in(body: dict[str, Any]) -> str:
    """The provider's own code of an error, if it has one."""
    error = body.get("error")
    return str(error.get("code", "unknown")) if isinstance(error, dict) else "unknown"
