"""The named checks, in the order in which a report lists them, and what each is about."""

from collections.abc import Iterator, Mapping
from typing import Final

from emulator.contracts.behaviours import behaviours_of
from emulator.contracts.contract import Answer, Contract
from emulator.core.words import OperationName, Profile

_ASKED: Final[Mapping[str, str]] = {
    "auth-missing": "a query without a key is refused in the provider's words",
    "auth-wrong": "so is one with a key that nobody was given",
    "unknown-task": "an id that no task has",
    "unknown-route": "a path that isn't there",
    "malformed-json": "a query whose JSON breaks off",
    "no-object": "a query that is no object",
    "missing-id": "a query without an id",
    "unknown-action": "an action that isn't there",
    "batch-of-nobody": "a batch of unknown ids",
    "malformed-body": "a broken body beside a query by path isn't read",
    "content-of-nobody": "the bytes of a task that isn't there",
    "content-not-ready": "the bytes of a task that hasn't completed",
    "content-gone": "the bytes of a task whose link has died",
    "create": "the answer to a create",
    "error-bodies": "other errors that came on the way are in the provider's form",
}
_ACEDATA: Final = ("malformed-json", "no-object", "missing-id", "unknown-action", "batch-of-nobody")
_OPENAI: Final = (
    "malformed-body",
    "content-of-nobody",
    "content-not-ready",
    "content-gone",
)
_NOT_STATUSES: Final = frozenset({"not_found", "batch", "deleted"})
STATUS: Final = "status-"
UNKNOWN: Final = "unknown"
"""The outcome of a look at a task whose status is a word that nobody knows."""
_IF_SEEN: Final = frozenset({"error-bodies", f"{STATUS}snapshot", f"{STATUS}cancelled", f"{STATUS}{UNKNOWN}"})
"""Listed only where there was something to look at: nobody can ask a provider for it."""


def names_of(contract: Contract, profile: Profile) -> dict[str, str]:
    """Every check of a provider in a profile, with what it is about."""
    is_acedata = contract.provider.startswith("acedata")
    foreign = set(_OPENAI if is_acedata else _ACEDATA)
    named = {name: about for name, about in _ASKED.items() if name not in foreign}
    statuses = {f"{STATUS}{a.name}": _about_status(a) for a in statuses_of(contract, profile)}
    statuses[f"{STATUS}{UNKNOWN}"] = "a task whose status is a word that the contract doesn't know"
    behaviours = {b.name: b.expected for b in behaviours_of(contract.provider).values()}
    last = "error-bodies"
    return {**{n: a for n, a in named.items() if n != last}, **statuses, **behaviours, last: named[last]}


def statuses_of(contract: Contract, profile: Profile) -> Iterator[Answer]:
    """The outcomes of a poll that show how a task stands."""
    for answer in contract.outcomes(OperationName.POLL, profile):
        if answer.status_code == 200 and answer.name not in _NOT_STATUSES:
            yield answer


def _about_status(answer: Answer) -> str:
    return f"a task that is {answer.name}: members, types, words, headers"


def is_optional(name: str) -> bool:
    """Whether a check isn't missed where it wasn't run: nobody can make it happen."""
    return name in _IF_SEEN


def check_of(check: str, outcome: str) -> str:
    """The check that an observation is of: looks at tasks are sorted by what they show."""
    return f"{STATUS}{outcome}" if check == "status" else check
