"""Hypothesis strategies for scenario files that load, as the JSON values that stand in them."""

from typing import Any

from hypothesis import strategies as st

from emulator.core.words import ErrorName, FaultName, OperationName, Status
from emulator.providers import by_name

Json = dict[str, Any]

PROVIDERS = sorted(by_name)
TERMINAL = ["completed", "failed", "cancelled"]
words = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=12)
plain_words = words.filter(lambda text: "{{" not in text)
names = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,20}[A-Za-z0-9])?", fullmatch=True)
durations = st.builds(
    lambda number, unit: f"{number}{unit}",
    st.integers(1, 900),
    st.sampled_from(["us", "ms", "s", "m", "h", "d"]),
)
spreads = st.one_of(
    durations,
    st.integers(0, 9).flatmap(
        lambda low: st.integers(low, 9).map(lambda high: {"min": f"{low}s", "max": f"{high}s"})
    ),
    st.builds(lambda median: {"median": median, "sigma": 0.4}, durations),
)
lengths = st.builds(
    lambda number, unit: f"{number}{unit}",
    st.integers(64, 999),
    st.sampled_from(["KiB", "MB", "MiB", "GB", "GiB"]),
)
call_spans = st.one_of(
    st.integers(1, 99),
    st.builds("{}+".format, st.integers(1, 99)),
    st.builds("every {}".format, st.integers(1, 99)),
    st.builds(lambda low, more: f"{low}-{low + more}", st.integers(1, 9), st.integers(0, 9)),
)
time_spans = st.one_of(
    st.builds("{}+".format, durations),
    st.builds(lambda low, more: f"{low}s-{low + more}s", st.integers(0, 9), st.integers(1, 9)),
)
shares = st.one_of(st.floats(0, 1, allow_subnormal=False), st.builds("{}%".format, st.integers(0, 100)))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(-1e9, 1e9), plain_words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(plain_words, inner, max_size=3)),
    max_leaves=6,
)
fields = st.dictionaries(plain_words.filter(lambda text: text != "<<"), json_values, max_size=3)


def one_or_many(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or a list of such."""
    return st.one_of(one, st.lists(one, min_size=1, max_size=3))


def keys(required: Json, optional: Json) -> st.SearchStrategy[Any]:
    """A mapping with these keys."""
    return st.fixed_dictionaries(required, optional=optional)


matcher_words = st.one_of(words, st.integers(-99, 99), st.booleans())
matchers = st.one_of(
    matcher_words,
    keys(
        {"contains": words},
        {"equals": words, "exists": st.booleans(), "any_of": st.lists(words, min_size=1), "not": words},
    ),
    st.just({"regex": "^a+b?$"}),
)
named_errors = st.sampled_from([name.value for name in ErrorName])
errors = st.one_of(named_errors, keys({"name": named_errors}, {"code": plain_words, "message": plain_words}))
failures = st.one_of(
    named_errors,
    keys({"code": plain_words}, {"message": words, "shape": st.sampled_from(["object", "string"])}),
)
headers = st.dictionaries(
    st.sampled_from(["x-a", "x-b", "retry-after"]), st.one_of(st.just("{{ uuid }}"), st.integers(0, 9))
)
responses = keys(
    {"status_code": st.sampled_from([200, 429, 500, 503])}, {"headers": headers, "json": json_values}
)
videos = st.one_of(
    st.just({"url": "none"}),
    keys({"url": st.just("https://example.com/{{ task.id }}.mp4")}, {"id": plain_words}),
    keys(
        {},
        {
            "expires_in": spreads,
            "renew": st.booleans(),
            "expired": st.builds(lambda e: {"error": e}, errors),
            "bytes": lengths,
        },
    ),
)
progress = st.one_of(st.integers(0, 100), st.just({"from": 0, "to": 99}))
statuses = st.sampled_from([status.value for status in Status])


@st.composite
def timelines(draw: st.DrawFn) -> list[Json]:
    """A timeline that holds together."""
    endings = st.one_of(
        st.builds(lambda stay: {"for": stay}, spreads),
        st.builds(lambda polls: {"polls": polls}, st.integers(1, 9)),
    )
    waiting = keys(
        {"status": st.sampled_from(["queued", "processing"])},
        {
            "progress": progress,
            "word": plain_words,
            "delay": spreads,
            "patch": fields,
            "poll_after": durations,
        },
    )
    begun = [{**draw(waiting), **draw(endings)} for _ in range(draw(st.integers(0, 3)))]
    end = draw(st.sampled_from(["completed", "failed", "cancelled", "stuck"]))
    extra = {"completed": {"video": videos}, "failed": {"error": failures}}.get(end, {})
    status = {"status": "processing", "stuck": True} if end == "stuck" else {"status": end}
    return [*begun, {**status, **draw(keys({}, extra))}]


lives = st.one_of(
    st.builds(lambda timeline: {"timeline": timeline}, timelines()),
    st.builds(
        lambda choices: {"choices": choices},
        st.lists(
            keys({"timeline": timelines()}, {"weight": st.integers(1, 9), "name": words}),
            min_size=1,
            max_size=2,
        ),
    ),
)
existing = keys(
    {},
    {
        "created": durations.map("-{}".format),
        "request": fields,
        "patch": fields,
        "progression": st.just("manual"),
    },
)
callbacks = keys(
    {"after": one_or_many(spreads)},
    {"retry": one_or_many(spreads), "timeout": st.sampled_from(["250ms", "2s", "1m"])},
)
created = keys(
    {},
    {
        "match": st.dictionaries(words, matchers, max_size=2),
        "calls": one_or_many(call_spans),
        "callback": callbacks,
        "about": words,
    },
)


@st.composite
def tasks(draw: st.DrawFn) -> list[Json]:
    """Task items, no two of which share an id."""
    ids = draw(st.lists(words, unique=True, max_size=2))
    items = [{"id": id, **draw(existing), **draw(lives)} for id in ids]
    return items + [{**draw(created), **draw(lives)} for _ in range(draw(st.integers(0, 2)))]


conditions = keys(
    {},
    {
        "operation": one_or_many(st.sampled_from([name.value for name in OperationName])),
        "match": st.dictionaries(words, matchers, max_size=2),
        "between": one_or_many(time_spans),
        "calls": one_or_many(call_spans),
        "while": one_or_many(statuses),
        "probability": shares,
        "times": st.integers(1, 9),
    },
)
sizes = st.builds(
    "{}{}".format, st.integers(0, 999), st.sampled_from(["B", "kB", "KiB", "MB", "MiB", "GB", "GiB"])
)
places = st.one_of(st.integers(0, 99).map("{}%".format), st.sampled_from([0, 0.25, 0.5]), sizes)
faults = st.one_of(
    st.sampled_from([name.value for name in FaultName]),
    st.dictionaries(
        st.sampled_from(["connection_reset", "truncate_body", "stall"]), places, min_size=1, max_size=1
    ),
)
slow_bodies = st.one_of(
    st.builds(lambda over: {"over": f"{over}s"}, st.integers(1, 99)),
    st.builds(
        lambda size, unit: {"rate": f"{size}{unit}/s"},
        st.integers(1, 999),
        st.sampled_from(["B", "KiB", "MB"]),
    ),
)
effects = st.one_of(
    st.builds(lambda error: {"error": error}, errors),
    st.builds(lambda answer: {"respond": answer}, responses),
    st.just({"pass": True}),
    st.just({"delay": "1s"}),
    st.builds(lambda fault: {"fault": fault}, faults),
    st.builds(lambda slow: {"slow_body": slow}, slow_bodies),
)
beside = keys({}, {"patch": fields, "headers": headers, "retry_after": st.one_of(durations, st.just("none"))})
rules = st.builds(
    lambda *parts: {key: part[key] for part in parts for key in part}, conditions, effects, beside
)

waits = st.one_of(durations, st.sampled_from(["none", True, {"http_date": True}, {"http_date": "5s"}]))
limits = st.one_of(
    keys(
        {"operation": st.just("poll"), "limit": st.integers(1, 9)},
        {
            "about": words,
            "match": st.dictionaries(words, matchers, max_size=2),
            "window": durations,
            "per": st.sampled_from(["key", "task", "namespace"]),
            "error": errors,
            "retry_after": waits,
        },
    ),
    keys(
        {"in_flight": st.integers(1, 9)},
        {
            "operation": st.just("create"),
            "provider": one_or_many(st.sampled_from(PROVIDERS)),
            "per": st.sampled_from(["key", "namespace"]),
            "retry_after": waits,
        },
    ),
)


@st.composite
def _intervals(draw: st.DrawFn) -> Json:
    """None, one or both of the two, in their order."""
    low = draw(st.integers(0, 9))
    both = {"min_interval": f"{low}s", "max_interval": f"{draw(st.integers(low, 9))}s"}
    return {key: both[key] for key in draw(st.sets(st.sampled_from(sorted(both))))}


counts = st.integers(0, 9)
poll_expectations = st.builds(
    lambda intervals, others: {**intervals, **others},
    _intervals(),
    keys(
        {},
        {
            "after_terminal": counts,
            "honours_retry_after": st.booleans(),
            "honours_poll_after": st.booleans(),
        },
    ),
)
expectations = keys(
    {},
    {
        "about": words,
        "poll": poll_expectations,
        "create": keys({}, {"repeated": counts}),
        "download": keys(
            {}, {"at_least": counts, "before_expiry": st.booleans(), "without_key": st.booleans()}
        ),
        "callback": keys({}, {"answered": st.booleans()}),
    },
)


def scenarios() -> st.SearchStrategy[Json]:
    """Whole files."""
    return keys(
        {"version": st.just(1)},
        {
            "name": names,
            "about": words,
            "profile": st.sampled_from(["documented", "current"]),
            "seed": st.one_of(st.integers(-(2**62), 2**62), words),
            "clock": st.sampled_from([{"mode": "auto"}, {"mode": "scaled", "scale": 60}]),
            "unknown_task": st.sampled_from(["start", "not_found"]),
            "auth": keys({}, {"keys": st.lists(words, min_size=1, max_size=2)}),
            "limits": st.lists(limits, max_size=3),
            "defaults": keys(
                {}, {"delay": spreads, "video": keys({}, {"expires_in": spreads, "bytes": lengths})}
            ),
            "tasks": tasks(),
            "rules": st.lists(rules, max_size=3),
            "expect": expectations,
            "x-anything": json_values,
        },
    )
