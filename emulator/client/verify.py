"""Verification: whether clients did what a test expects of them."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from emulator.client.answers import Answer, message
from emulator.client.calls import Call, S, Subject, call, written
from emulator.client.errors import NotVerified
from emulator.client.times import Instant, instant_text
from emulator.messages.verify import Verification

Matcher: TypeAlias = str | Mapping[str, Any]
"""As in scenario files: a text, a glob such as ``"sk-*"``, or a matcher such as ``{"contains": "cat"}``."""


def _verified(answer: Answer) -> Verification:
    found = message(Verification)(answer)
    if not found.verified:
        raise NotVerified(found)
    return found


class Verifies(Subject[S]):
    """Expectations of requests."""

    @call
    def verify(  # noqa: PLR0913 - what the control API takes
        self,
        *,
        operation: str | None = None,
        provider: str | None = None,
        task: str | None = None,
        status_code: int | str | None = None,
        error: str | None = None,
        method: str | None = None,
        path: Matcher | None = None,
        key: Matcher | None = None,
        match: Mapping[str, Any] | None = None,
        rule: str | None = None,
        since: Instant | None = None,
        after: int | None = None,
        exactly: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        between: tuple[int, int] | None = None,
    ) -> Call[Verification]:
        """Whether clients sent as many requests of a kind as expected; without a number, one or more.

        Args:
            operation: only requests for this one: ``create``, ``poll``, ``content``, ``download`` and so on.
            provider: only this one's.
            task: only those that the task of this id had a say in.
            status_code: only those answered so; a class such as ``"4xx"`` is taken too.
            error: only those answered with this named error.
            method: only those of this HTTP method.
            path: only those whose path matches, without ``/ns/NAME`` and without the query.
            key: only those whose API key matches.
            match: only those whose own fields match: ``{"prompt": {"contains": "cat"}}``.
            rule: only those that the rule of this id had a say in.
            since: only those at or after this instant of the namespace's clock.
            after: only those after the journal's entry of this number.
            exactly: how many are expected.
            at_least: how many are expected, or more.
            at_most: how many are expected, or fewer.
            between: from the first to the second number, both among them.

        Raises:
            NotVerified: there were fewer or more; an `AssertionError` that shows what came nearest.
            BadRequest: no request can fit, whatever clients do.
        """
        fields = {
            "operation": operation,
            "provider": provider,
            "task": task,
            "status_code": status_code,
            "error": error,
            "method": method,
            "path": path,
            "key": key,
            "match": match,
            "rule": rule,
            "since": None if since is None else instant_text(since),
            "after": after,
            "exactly": exactly,
            "at_least": at_least,
            "at_most": at_most,
            "between": between,
        }
        return Call(method="POST", path="/verify", read=_verified, body=written(fields))
