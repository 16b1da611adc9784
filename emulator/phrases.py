"""What a scenario says, in a few words: its entries, rules, limits and errors, for whoever reads a list of them."""

from collections.abc import Iterator, Sequence
from typing import Final

from emulator.core.effects import Failure, Fault, Place, Respond, SlowBody
from emulator.core.limits import Limit, TrueWait
from emulator.core.matching import Matcher
from emulator.core.plan import Entry, Video
from emulator.core.rules import Conditions, Match, RetryAfter, Rule
from emulator.core.scenario import Choice, Rejection
from emulator.core.sizes import format_size
from emulator.core.spans import Span
from emulator.core.spreads import Lognormal, Spread, Uniform
from emulator.core.units import format_duration

_LONGEST: Final = 60
"""So much of a text of the author's own is shown."""
_LONGEST_LINE: Final = 300
_SINCE: Final = {"task": "the creation", "status": "its status began", "start": "the activation"}


def cut(text: str, longest: int = _LONGEST) -> str:
    """As much of a text as a line has room for, without line breaks."""
    words = " ".join(text.split())
    return words if len(words) <= longest else f"{words[:longest]}..."


def as_line(text: str) -> str:
    """A whole phrase, which an author with a hundred conditions can make as long as a book."""
    return cut(text, _LONGEST_LINE)


def _quoted(text: str) -> str:
    return f'"{cut(text)}"'


def _listed(words: Sequence[str], last: str = "or") -> str:
    if not words:
        return "nothing"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _lasting(spread: Spread) -> str:
    if isinstance(spread, Uniform):
        return f"{format_duration(spread.low)} to {format_duration(spread.high)}"
    if isinstance(spread, Lognormal):
        return f"about {format_duration(spread.median)}"
    return format_duration(spread)


# Timelines


def entry_words(entry: Entry, before: Entry | None) -> str:
    """An entry and what it comes after: ``failed with error internal after processing``."""
    words = [str(entry.status), *_of_entry(entry)]
    return as_line(" ".join(words) if before is None else f"{' '.join(words)} after {before.status}")


def _of_entry(entry: Entry) -> Iterator[str]:
    if entry.failure is not None:
        yield f"with {error_words(entry.failure) or 'words of its own'}"
    if entry.video is not None and not entry.video.has_link:
        yield "without a link"
    if entry.video is not None and entry.video.size is not None:
        yield f"with a video of {format_size(entry.video.size)}"
    if entry.word is not None:
        yield f"printed as {cut(entry.word)}"
    if entry.stuck:
        yield "for good"
    elif entry.polls is not None:
        yield f"for {entry.polls} poll{'' if entry.polls == 1 else 's'}"
    elif entry.stay is not None:
        yield f"for {_lasting(entry.stay)}"
    elif entry.until is not None:
        yield f"until {_lasting(entry.until)}"


def choice_words(choice: Choice, number: int, of: Sequence[Choice]) -> str:
    """One of several timelines: ``choice unlucky, weight 1 of 10``."""
    name = str(number + 1) if choice.name is None else cut(choice.name)
    return as_line(f"choice {name}, weight {choice.weight:g} of {sum(other.weight for other in of):g}")


def death_words(video: Video) -> str:
    """The death of a link, and what is answered then where the author says so."""
    when = (
        "24h after the creation"
        if video.expires_in is None
        else f"{_lasting(video.expires_in)} after completion"
    )
    words = f"asked for after the link died, {when}"
    answer = "" if video.expired is None else _answer(video.expired)
    return as_line(f"{words}: {answer}" if answer else words)


# Errors


def error_words(failure: Failure) -> str:
    """``error internal``, ``error internal as quota_gone``, ``code quota_gone``; empty: it has neither."""
    name, code = failure.name, failure.code
    if code is None:
        return "" if name is None else f"error {name}"
    told = cut(code) or '""'
    return f"code {told}" if name is None else f"error {name} as {told}"


def fault_words(fault: Fault) -> str:
    """A fault and where it strikes: ``truncate_body after 50%``."""
    return str(fault.name) if fault.place is None else f"{fault.name} after {_where(fault.place)}"


def _where(place: Place) -> str:
    return format_size(place.size or 0) if place.share is None else f"{place.share * 100:g}%"


def slow_words(slow: SlowBody) -> str:
    """How slowly a body comes: ``over 10s``, ``at 64KiB/s``."""
    return (
        f"over {format_duration(slow.over)}"
        if slow.over is not None
        else f"at {format_size(slow.rate or 0)}/s"
    )


def _answer(effect: Failure | Respond | Fault) -> str:
    if isinstance(effect, Fault):
        return f"fault {fault_words(effect)}"
    if isinstance(effect, Respond):
        return f"status code {effect.status_code}"
    return error_words(effect) or "an error of its own words"


# Rules


def rule_words(rule: Rule) -> str:
    """A rule: ``poll, calls 3-4, while processing: error rate_limited, Retry-After 5s``."""
    when = ", ".join([*_conditions(rule.conditions), *_when(rule)]) or "any call"
    return as_line(f"{when}: {', '.join(_does(rule)) or 'nothing'}")


def rejection_words(rejection: Rejection) -> str:
    """An item of ``auth.reject``: ``key sk-broke-*, create: error insufficient_quota``."""
    when = ", ".join([f"key {_matcher(rejection.key)}", *_conditions(rejection.conditions)])
    return as_line(f"{when}: {_answer(rejection.error)}")


def limit_words(limit: Limit) -> str:
    """An item of ``limits``: ``poll, at most 30 for each key in 1m: error rate_limited``."""
    when = ", ".join([*_conditions(limit.conditions), _allowed(limit)])
    told = _wait(limit.retry_after)
    return as_line(f"{when}: {_answer(limit.error)}{f', {told}' if told else ''}")


def _allowed(limit: Limit) -> str:
    whom = "in all" if limit.per == "namespace" else f"for each {limit.per}"
    if limit.is_of_tasks:
        return f"at most {limit.most} task{'' if limit.most == 1 else 's'} under way {whom}"
    return (
        f"at most {limit.most} {whom}{'' if limit.window is None else f' in {format_duration(limit.window)}'}"
    )


def _wait(told: RetryAfter | TrueWait | None) -> str:
    if isinstance(told, RetryAfter):
        return "no Retry-After" if told.wait is None else f"Retry-After {format_duration(told.wait)}"
    return "" if told is None else "Retry-After as long as it takes"


def _conditions(conditions: Conditions) -> Iterator[str]:
    if conditions.operations:
        yield _listed(conditions.operations)
    if conditions.providers:
        yield f"at {_listed(conditions.providers)}"
    for match in conditions.match:
        yield _match(match)
    if conditions.between:
        spans = _listed([_time(span) for span in conditions.between])
        yield f"{spans} after {_SINCE[conditions.since]}"


def _when(rule: Rule) -> Iterator[str]:
    if rule.calls:
        yield f"calls {_listed([_calls(span) for span in rule.calls])}"
    if rule.during:
        yield f"while {_listed(rule.during)}"
    if rule.probability is not None:
        yield f"{rule.probability * 100:g}% of the time"
    if rule.times is not None:
        yield f"at most {rule.times} per task"
    if rule.times_total is not None:
        yield f"at most {rule.times_total} in all"


def _does(rule: Rule) -> Iterator[str]:
    if rule.effect == "pass":
        yield "passes"
    elif rule.effect is not None:
        yield _answer(rule.effect)
    if rule.delay is not None:
        yield f"delay {_lasting(rule.delay)}"
    if rule.slow_body is not None:
        yield f"body {slow_words(rule.slow_body)}"
    if rule.patch is not None:
        yield "patch"
    if rule.headers:
        yield f"header{'' if len(rule.headers) == 1 else 's'} {_listed([n for n, _ in rule.headers], 'and')}"
    if rule.retry_after is not None:
        yield _wait(rule.retry_after)


def _calls(span: Span) -> str:
    if span.every is not None:
        return f"every {span.every}"
    if span.high is None:
        return f"{span.low}+"
    return str(span.low) if span.low == span.high else f"{span.low}-{span.high}"


def _time(span: Span) -> str:
    low = format_duration(span.low)
    return f"{low}+" if span.high is None else f"{low}-{format_duration(span.high)}"


def _match(match: Match) -> str:
    return f"{match.field} {_matcher(match.matcher)}"


def _matcher(matcher: Matcher) -> str:
    return " and ".join(_asked(matcher)) or "anything"


def _asked(matcher: Matcher) -> Iterator[str]:
    if matcher.equals is not None:
        yield _quoted(matcher.equals)
    if matcher.glob is not None:
        yield f"like {_quoted(matcher.glob)}"
    if matcher.contains is not None:
        yield f"with {_quoted(matcher.contains)} in it"
    if matcher.regex is not None:
        yield f"matching {_quoted(matcher.regex)}"
    if matcher.any_of is not None:
        yield _listed([_quoted(text) for text in matcher.any_of])
    if matcher.exists is not None:
        yield "present" if matcher.exists else "absent"
    if matcher.negated is not None:
        yield f"not ({_matcher(matcher.negated)})"
