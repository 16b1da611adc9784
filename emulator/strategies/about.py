"""What a generated scenario is about, in the sentences that an author would begin its file with."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from emulator.strategies.arguments import Json

_HAPPY: Final = "The happy path."


def about(lives: Sequence[Sequence[Json]], rules: Sequence[Json], callback: str = "") -> str:
    """A sentence for each timeline and for each rule, and the one about callbacks."""
    told = [*_lives(lives), *([callback] if callback else []), *map(_rule, rules)]
    return " ".join(told) or _HAPPY


def _lives(lives: Sequence[Sequence[Json]]) -> Iterator[str]:
    for number, life in enumerate(lives, 1):
        is_last = number == len(lives)
        subject = "The task" if len(lives) == 1 else "Every other task" if is_last else f"Task {number}"
        yield f"{subject} {_end(life)}."
        words = dict.fromkeys(entry["word"] for entry in life if "word" in entry)
        if words:
            yield f"Its status is printed as {' and '.join(words)}."


def _end(life: Sequence[Json]) -> str:
    last = life[-1]
    if last.get("stuck"):
        return f"stays {last['status']} for ever"
    if last["status"] == "cancelled":
        return "is cancelled"
    if last["status"] == "failed":
        return f"fails{_reason(last.get('error'))}"
    late = ", at first without a link" if len(life) > 1 and life[-2]["status"] == "completed" else ""
    return f"completes{late}{_result(last.get('video', {}))}"


def _reason(error: Any) -> str:
    if error is None:
        return ""
    if isinstance(error, str):
        return f" with {error}"
    return f" with {error['code']}" if "code" in error else " with a bare text as error"


def _result(video: Json) -> str:
    if "url" in video:
        return " without a link"
    if "expires_in" not in video:
        return ""
    return ", and its link " + (
        "is dead" if video["expires_in"] == "0s" else f"dies after {video['expires_in']}"
    )


_CALLS: Final = {"create": "Create", "poll": "Poll", "content": "Content request", "download": "Download"}


def _rule(rule: Json) -> str:
    calls = str(rule["calls"])
    what = _CALLS[rule["operation"]]
    if calls.startswith("every"):
        number = calls.removeprefix("every ")
        subject, verb = f"Every {_ORDINALS[number]} {what.lower()}", "meets"
    elif "-" in calls:
        subject, verb = f"{what}s {calls.replace('-', ' to ')}", "meet"
    else:
        subject, verb = f"{what} {calls}", "meets"
    return f"{subject} {verb} {_met(rule)}."


def _met(rule: Json) -> str:
    if "fault" in rule:
        fault = rule["fault"]
        return (
            fault if isinstance(fault, str) else " ".join(f"{name} after {at}" for name, at in fault.items())
        )
    return rule["error"] if "error" in rule else f"a delay of {rule['delay']}"


_ORDINALS: Final = {"2": "second", "3": "third", "4": "fourth", "5": "fifth"}
