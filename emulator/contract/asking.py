"""What can be asked without any task: keys, unknown ids and paths, requests that are no good."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec
import orjson

from emulator.contract.calling import Came
from emulator.contract.dialect import Question, nobodys_id
from emulator.contract.session import Among, Session
from emulator.contracts.judgement import judged
from emulator.core.words import Profile

Asking = Callable[[Session], Awaitable[None]]
_UNKNOWN: Final = ("not_found",)


async def knock(session: Session, key_name: str) -> bool:
    """Ask for a task that nobody has; whether it is worth asking on."""
    if session.has("unknown-task"):
        return True
    session.tell("unknown-task")
    came = await session.attempt("unknown-task", session.dialect.poll(_nobody(session)), _UNKNOWN)
    if came is None:
        session.stop(session.evidence.not_run["unknown-task"])
        return False
    reason = _stranger(came) or _refusal(came, key_name)
    if reason is None:
        return True
    session.forget("unknown-task")
    session.stop(reason)
    if _stranger(came) is None:
        await _without_key(session)
    return False


def _stranger(came: Came) -> str | None:
    """Why whoever answered isn't the provider's API."""
    response = came.response
    if 300 <= response.status_code < 400:
        host = urlsplit(response.headers.get("location", "")).hostname
        told = f"it answers with a redirect{f' to {host}' if host else ''} ({response.status_code})"
        return f"{told}: a login page? See whether --base-url is the API's"
    if response.status_code < 500 and not response.is_json:
        what = response.what or "something that is no JSON"
        return f"it answers {what} with {response.status_code}: see whether --base-url is the API's"
    return None


def _refusal(came: Came, key_name: str) -> str | None:
    code = came.response.status_code
    if code not in {401, 402, 403}:
        return None
    return f"the key in ${key_name} was refused ({code}): see whether it is this provider's, and still good"


async def ask_all(session: Session) -> None:
    """Everything that needs no task, but what was asked before an interruption."""
    for name, asking in {**_SHARED, **(_ACEDATA if session.dialect.is_acedata else _OPENAI)}.items():
        if not session.has(name):
            session.tell(name)
            await asking(session)
            session.keep()


def _nobody(session: Session) -> str:
    return nobodys_id(session.dialect.provider.name)


async def _without_key(session: Session) -> None:
    await _auth_missing(session)
    await _auth_wrong(session)


async def _auth_missing(session: Session) -> None:
    question = session.dialect.poll(_nobody(session), key=None)
    await session.attempt("auth-missing", question, ("no_token",))


async def _auth_wrong(session: Session) -> None:
    question = session.dialect.poll(_nobody(session), key=session.dialect.nobodys_key())
    # A provider ignores the header; an emulator says by it that it is one.
    ask = msgspec.structs.replace(question.ask, headers={**question.ask.headers, "x-emulator-why": "1"})
    came = await session.attempt("auth-wrong", msgspec.structs.replace(question, ask=ask), ("invalid_token",))
    if (
        came is not None
        and "x-emulator-why" in came.response.headers
        and _knows_none(session, question, came)
    ):
        session.forget("auth-wrong")
        session.leave_out("auth-wrong", "this emulator takes every key: serve it with --scenario contract")


def _knows_none(session: Session, question: Question, came: Came) -> bool:
    """Whether the answer is that to an unknown task: the key was none that is refused."""
    judgements = (
        judged(session.dialect.contract, question.operation, profile, came.response, _UNKNOWN)
        for profile in Profile
    )
    return any(not judgement.findings for judgement in judgements)


async def _unknown_route(session: Session) -> None:
    await session.attempt("unknown-route", session.dialect.nowhere(), ("no_route",))


# AceData's queries have bodies to get wrong


def _with_body(session: Session, body: bytes) -> Question:
    return session.dialect.poll("", body=body)


async def _malformed_json(session: Session) -> None:
    question = _with_body(session, b'{"action": "retrieve", "id": ')
    await session.attempt("malformed-json", question, ("broken_body",))


async def _no_object(session: Session) -> None:
    await session.attempt("no-object", _with_body(session, b'["retrieve"]'), ("bad_request",))


_WITHOUT_ID: Final[Among] = {
    Profile.DOCUMENTED: ("bad_request",),
    # Fact sheet, inferred: an empty record for a query without an id.
    Profile.CURRENT: ("not_found",),
}


async def _missing_id(session: Session) -> None:
    await session.attempt("missing-id", _with_body(session, b'{"action": "retrieve"}'), _WITHOUT_ID)


async def _unknown_action(session: Session) -> None:
    body = orjson.dumps({"action": "dance", "id": _nobody(session)})
    await session.attempt("unknown-action", _with_body(session, body), ("not_implemented",))


async def _batch_of_nobody(session: Session) -> None:
    question = session.dialect.batch([_nobody(session), _nobody(session)])
    await session.attempt("batch-of-nobody", question, ("batch",))


# The others' queries have a body that isn't read, and a route for the bytes


async def _malformed_body(session: Session) -> None:
    # documents/001: its own curl sends a body with the query.
    question = session.dialect.poll(_nobody(session), body=b'{"task_id": ')
    await session.attempt("malformed-body", question, _UNKNOWN)


async def _content_of_nobody(session: Session) -> None:
    question = session.dialect.content(_nobody(session))
    if question is not None:
        await session.attempt("content-of-nobody", question, _UNKNOWN)


_SHARED: Final[Mapping[str, Asking]] = {
    "auth-missing": _auth_missing,
    "auth-wrong": _auth_wrong,
    "unknown-route": _unknown_route,
}
_ACEDATA: Final[Mapping[str, Asking]] = {
    "malformed-json": _malformed_json,
    "no-object": _no_object,
    "missing-id": _missing_id,
    "unknown-action": _unknown_action,
    "batch-of-nobody": _batch_of_nobody,
}
_OPENAI: Final[Mapping[str, Asking]] = {
    "malformed-body": _malformed_body,
    "content-of-nobody": _content_of_nobody,
}
