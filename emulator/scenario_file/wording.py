"""The words of messages: how values are shown, what was probably meant, what each kind of problem is."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from emulator.core.words import FaultName, Status
from emulator.scenario_file.nodes import Mapping as Pairs
from emulator.scenario_file.nodes import Node, Scalar, value_of
from emulator.scenario_file.nodes import Sequence as List

NO_WORDS: Final[Mapping[str, str]] = MappingProxyType({})
_LONGEST_SHOWN: Final = 60
_LONGEST_COMPARED: Final = 40
"""Comparing words takes time in the square of their length."""


def quoted(text: str) -> str:
    """The text in quotes, cut where it is long."""
    return repr(text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "...")


def shown(node: Node) -> str:
    """A value as a message names it."""
    if isinstance(node, List):
        return "a list"
    if isinstance(node, Pairs):
        return "a mapping"
    if not isinstance(node, Scalar):
        return "something broken"
    if node.plain and not node.text:
        return "nothing"
    value = value_of(node)
    return quoted(value) if isinstance(value, str) else node.text[:_LONGEST_SHOWN]


def article(noun: str) -> str:
    """The noun with its article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def listed(words: Iterable[str]) -> str:
    """Words in a row: ``'a', 'b' or 'c'``."""
    quotes = [repr(word) for word in words]
    return quotes[0] if len(quotes) == 1 else f"{', '.join(quotes[:-1])} or {quotes[-1]}"


def one_of(words: Iterable[str]) -> str:
    """All the words that there are, as a hint."""
    words = tuple(words)
    if len(words) == 1:
        return f"write {words[0]}"
    return f"there is {listed(words)}"


def did_you_mean(text: str, words: Sequence[str], near: Mapping[str, str] = NO_WORDS) -> str | None:
    """The word that was probably meant, as a hint; ``None``: nothing is near."""
    meant = near.get(text.lower())
    if meant is not None:
        return f"did you mean {meant!r}?" if meant in words else meant
    nearest = _nearest(text, words)
    return f"did you mean {nearest!r}?" if nearest else None


def meant_key(text: str, words: Sequence[str]) -> str | None:
    """The key that was probably meant by an unknown one."""
    if text.lower() in SAYINGS:
        return None
    for meant in KEYS.get(text.lower().replace("-", "_"), ()):
        if meant in words:
            return meant
    return _nearest(text, words)


def _nearest(text: str, words: Sequence[str]) -> str | None:
    if len(text) > _LONGEST_COMPARED:
        return None
    # Imported when first used: only a mistake needs it.
    from difflib import get_close_matches  # noqa: PLC0415

    close = get_close_matches(text.lower(), words, n=1, cutoff=0.7)
    return close[0] if close else None


def unquoted_number(scalar: Scalar) -> str | None:
    """Where a number stands in quotes: to leave them out."""
    if scalar.plain:
        return None
    bare = value_of(Scalar(scalar.text, True, 0, 0))
    return f"write {scalar.text} without quotes" if isinstance(bare, int | float) else None


FLAGS: Final[Mapping[str, str]] = MappingProxyType(
    {"yes": "true", "on": "true", "y": "true", "1": "true", "true": "true"}
    | {"no": "false", "off": "false", "n": "false", "0": "false", "false": "false"}
)
"""What other tools take for true and false."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "after": ("for", "until", "since", "after_terminal"),
        "at": ("until", "created"),
        "by": ("per",),
        "calls": ("limit",),
        "chance": ("probability", "weight"),
        "code": ("status_code",),
        "count": ("times", "polls", "calls", "limit"),
        "description": ("about",),
        "comment": ("about",),
        "concurrency": ("in_flight",),
        "concurrent": ("in_flight",),
        "duplicates": ("repeated",),
        "duration": ("for", "over"),
        "during": ("while",),
        "endpoint": ("operation",),
        "errors": ("error",),
        "exists_in": ("provider",),
        "expectations": ("expect",),
        "expects": ("expect",),
        "expiry": ("expires_in",),
        "expires": ("expires_in",),
        "expires_at": ("expires_in",),
        "failure": ("error",),
        "faults": ("fault",),
        "gap": ("min_interval",),
        "header": ("headers",),
        "interval": ("min_interval", "window"),
        "http_status": ("status_code",),
        "latency": ("delay",),
        "max": ("to", "max_interval", "limit"),
        "matches": ("regex",),
        "starts_with": ("glob",),
        "size": ("bytes",),
        "length": ("bytes",),
        "in": ("any_of",),
        "one_of": ("any_of",),
        "method": ("operation",),
        "min": ("from", "min_interval", "at_least"),
        "operations": ("operation",),
        "period": ("window",),
        "percent": ("progress", "probability"),
        "poll": ("polls",),
        "body": ("json",),
        "slow": ("slow_body",),
        "throttle": ("slow_body",),
        "throttling": ("slow_body",),
        "speed": ("rate",),
        "bandwidth": ("rate",),
        "bytes_per_second": ("rate",),
        "time": ("over",),
        "within": ("over",),
        "providers": ("provider",),
        "provider": ("providers",),
        "rate": ("limit",),
        "rate_limit": ("limits",),
        "rate_limits": ("limits",),
        "reason": ("error", "message"),
        "repeat": ("polls", "times"),
        "requests": ("limit",),
        "response": ("respond",),
        "scope": ("per",),
        "result": ("video",),
        "skip": ("pass",),
        "start_at": ("start",),
        "state": ("status", "while"),
        "states": ("timeline",),
        "status": ("while", "status_code"),
        "steps": ("timeline",),
        "scenarios": ("tasks",),
        "task": ("tasks",),
        "text": ("message", "equals"),
        "wait": ("for", "delay"),
        "webhook": ("callback",),
        "webhooks": ("callback",),
        "when": ("while", "match"),
        "window": ("between",),
        "value": ("equals",),
    }
)
"""Wrong keys, and what is meant by them; the first that the table at hand has."""

SAYINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "priority": "rules and tasks go by their order: the first that holds decides",
        "extends": "a file stands alone; YAML anchors under an x-... key share what repeats",
        "include": "a file stands alone; YAML anchors under an x-... key share what repeats",
        **{name: f"this is a fault: write fault: {name}" for name in FaultName},
    }
)
"""Keys of other tools that have no counterpart here, and what there is in place of them."""

STATUSES: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("pending", "submitted", "waiting", "created"), Status.QUEUED.value)
    | dict.fromkeys(
        ("running", "in_progress", "in-progress", "generating", "rendering"), Status.PROCESSING.value
    )
    | dict.fromkeys(("succeeded", "success", "done", "complete", "finished", "ready"), Status.COMPLETED.value)
    | dict.fromkeys(("error", "failure", "fail", "errored"), Status.FAILED.value)
    | dict.fromkeys(("canceled", "aborted", "cancel"), Status.CANCELLED.value)
)
"""Other vendors' words for the five statuses."""

OPERATIONS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("get", "query", "retrieve", "status", "fetch", "polls"), "poll")
    | dict.fromkeys(("post", "submit", "generate"), "create")
)

ERRORS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(
        ("429", "too_many_requests", "rate_limit", "throttled", "rate_limit_exceeded"), "rate_limited"
    )
    | dict.fromkeys(
        ("500", "api_error", "server_error", "internal_error", "internal_server_error"), "internal"
    )
    | dict.fromkeys(("401", "unauthorized", "unauthenticated"), "invalid_token")
    | dict.fromkeys(("moderation", "content_policy_violation", "moderation_blocked"), "content_rejected")
    | dict.fromkeys(("402", "used_up", "quota", "insufficient_balance"), "insufficient_quota")
    | dict.fromkeys(("404", "task_not_found", "unknown_task", "task_not_exist"), "not_found")
    | dict.fromkeys(("503", "service_unavailable", "overloaded"), "unavailable")
    | dict.fromkeys(("504", "gateway_timeout"), "timeout")
    | {"400": "bad_request", "403": "forbidden", "501": "not_implemented", "502": "bad_gateway"}
)
"""Status codes and vendors' codes, and the named errors that stand for them."""

FAULTS: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(
        (
            "reset",
            "rst",
            "tcp_reset",
            "econnreset",
            "connection_reset_by_peer",
            "reset_by_peer",
            "connection_error",
        ),
        "connection_reset",
    )
    | dict.fromkeys(
        (
            "truncate",
            "truncated",
            "truncated_body",
            "cut",
            "cut_body",
            "partial",
            "partial_body",
            "incomplete",
        ),
        "truncate_body",
    )
    | dict.fromkeys(("freeze", "pause", "block", "stalled", "stuck"), "stall")
    | dict.fromkeys(
        ("empty", "no_response", "disconnect", "close", "closed", "connection_closed", "drop", "eof"),
        "empty_response",
    )
    | dict.fromkeys(
        ("timeout", "time_out", "read_timeout", "never", "no_answer", "hung", "hangs", "forever"), "hang"
    )
    | dict.fromkeys(("malformed_response_chunk", "bad_chunk", "chunk", "chunked"), "malformed_chunk")
    | dict.fromkeys(
        ("garbage", "random", "random_data_then_close", "noise", "binary", "bytes"), "random_data"
    )
    | dict.fromkeys(
        ("content_length", "wrong_content_length", "bad_length", "length", "length_mismatch"), "wrong_length"
    )
    | dict.fromkeys(("content_type", "wrong_type", "bad_content_type", "mime_type"), "wrong_content_type")
    | dict.fromkeys(
        ("bad_json", "broken_json", "malformed_json", "json", "corrupt_json", "garbled_json"), "invalid_json"
    )
    | dict.fromkeys(
        ("html", "html_page", "html_error", "error_page", "502", "bad_gateway", "gateway_error"),
        "html_error_page",
    )
    | {"slow": "a body that comes slowly is no fault: write slow_body: {over: 10s}"}
    | {
        "latency": "a late answer is no fault: write delay: 2s",
        "delay": "write delay: 2s beside it, or alone",
    }
)
"""Other tools' words for faults, and what happens to connections."""

MISTAKES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unreadable": "The file isn't there, isn't a regular file, or can't be read.",
        "too-large": "The file is larger than 1 MiB.",
        "not-utf-8": "The file isn't UTF-8 text.",
        "control-character": "A character that no YAML file may hold, such as NUL.",
        "empty": "The file holds nothing.",
        "yaml-syntax": "YAML can't read it: quotes, brackets, tabs, indentation, unquoted templates.",
        "yaml-depth": "Nested deeper than 64 levels.",
        "yaml-nodes": "More than 10,000 values, aliases counted as what they stand for.",
        "yaml-aliases": "More than 100 aliases.",
        "yaml-alias": "An alias without its anchor, or within it.",
        "yaml-merge": "`<<` with something that isn't a mapping.",
        "yaml-tag": "A YAML tag such as `!!python/object`.",
        "yaml-key": "A list or a mapping as a key.",
        "yaml-documents": "A second document in one file.",
        "duplicate-key": "A key that stands twice in one mapping.",
        "unknown-key": "A key that this place doesn't know.",
        "missing-key": "A key that this place needs.",
        "unknown-version": "A `version` that this program doesn't speak.",
        "wrong-value": "A value of the wrong kind, or out of its bounds.",
        "duration-without-unit": "A bare number where a duration stands.",
        "unknown-template": "A template name that isn't on the list.",
        "template-not-here": "A template where none is filled in.",
        "conflict": "Keys that don't go together.",
        "timeline": "A timeline that doesn't hold together: entries without an end, or something after the end.",
        "duplicate-id": "Two task items with one id under one provider.",
        "unknown-value-name": "A name under `values` that the provider doesn't have.",
    }
)
"""The kinds of mistakes: a file that has one doesn't load."""

WARNINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "entry-unreachable": "An entry that no poll can show: it lasts no time, or its `until` has passed.",
        "rule-shadowed": "A rule that can't fire, because one before it answers all that it would.",
        "rule-never-fires": (
            "A rule whose conditions can't hold together, on an operation that its providers don't have, or a "
            "status or span that no timeline shows."
        ),
        "task-shadowed": "A task item that takes no create, because one before it takes all that it would.",
        "calls-without-operation": "`calls` without `operation`: each operation is counted by itself.",
        "limit-without-operation": "`limit` without `operation`: calls of every operation are counted together.",
        "limit-never-reached": "A limit that can't refuse, because one before it refuses all that it would.",
        "patch-array": "A list in a patch: it replaces the whole list, it doesn't merge.",
        "patch-unknown-key": "A patch on a key that the provider doesn't print.",
        "patch-early-result": "A patch that makes a result appear before the end.",
        "fault-hides": "Something beside a fault that nobody sees, because of the fault.",
        "scaled-clock-wait": "A scaled clock and a `window` or a `retry_after`: real clients sleep in real time.",
        "unclosed-template": "`{{` without `}}`.",
        "renew-without-expires-in": "`renew` where nothing says how long a link lives.",
        "link-dead-on-arrival": "A link that is dead when it is first shown: it dies 24 hours after the creation.",
    }
)
"""The kinds of warnings: the file loads, and ``lint: {ignore: [...]}`` silences them."""
