"""What Ace Data Cloud's Sora and Veo services share."""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core import seeded
from emulator.core.call import Create, Delete, Listing, Poll, Refusal
from emulator.core.effects import Failure
from emulator.core.plan import HAPPY_TIMELINE, Entry, Video, plan_of
from emulator.core.task import Task, state_at
from emulator.core.units import MILLISECOND, SECOND, Instant, parse_instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers import acedata, acedata_errors, acedata_requests, acedata_sora, acedata_veo
from emulator.providers.base import Inbound, Provider, Scene, View
from tests.providers.json_values import JSON

PROVIDERS: Final = (acedata_sora.PROVIDER, acedata_veo.PROVIDER)
KEY: Final = b"a namespace key."
CREATED: Final = parse_instant("2025-01-01T00:00:00.250400Z")
ENTROPY: Final = bytes(range(100, 148))
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DOCUMENTED_KEYS: Final = [
    "_id",
    "id",
    "api_id",
    "application_id",
    "created_at",
    "credential_id",
    "request",
    "trace_id",
    "type",
    "user_id",
]

services = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
profiles = pytest.mark.parametrize("profile", list(Profile))


def task_of(
    provider: Provider,
    *entries: Entry,
    id: str | None = None,
    values: Mapping[str, Any] | None = None,
    entropy: bytes = ENTROPY,
    created_at: Instant = CREATED,
) -> Task:
    """A task of the provider's example request."""
    account = provider.account(KEY)
    return Task(
        provider=provider.name,
        id=provider.new_id(entropy, created_at, account) if id is None else id,
        created_at=created_at,
        entropy=entropy,
        plan=plan_of(entries or HAPPY_TIMELINE, scenario="test", values=values or {}),
        request=orjson.dumps(provider.example_request),
        echo=provider.echo(provider.example_request, entropy),
        origin="http://127.0.0.1:8080",
    )


def view_of(
    provider: Provider, task: Task, after: int, profile: Profile = Profile.DOCUMENTED, link: str | None = "L"
) -> View:
    """The task ``after`` microseconds from its creation, with a link once it completed."""
    now = task.created_at + after
    snapshot = state_at(task, now)
    is_completed = snapshot.status is Status.COMPLETED
    return View(task, snapshot, now, profile, provider.account(KEY), link if is_completed else None, now)


def printed(provider: Provider, view: View, operation: OperationName = OperationName.POLL) -> dict[str, Any]:
    """What the client reads of one task."""
    item = next(row.item for row in provider.operations if row.name is operation)
    value: dict[str, Any] = orjson.loads(orjson.dumps(item(view)))
    return value


def inbound(fields: Any, profile: Profile = Profile.DOCUMENTED, broken: str | None = None) -> Inbound:
    """A POST with this body."""
    return Inbound(
        method="POST",
        path="/sora/tasks",
        params=(),
        query={},
        headers={},
        fields=fields,
        broken=broken,
        profile=profile,
    )


def scene(profile: Profile = Profile.DOCUMENTED, entropy: bytes = ENTROPY) -> Scene:
    """An exchange at 2025-01-01T00:00:01.123456Z."""
    now = parse_instant("2025-01-01T00:00:01.123456Z")
    return Scene(profile=profile, method="POST", path="/sora/tasks", now=now, entropy=entropy)


def response_of(entry: Entry, profile: Profile = Profile.DOCUMENTED, **others: Any) -> dict[str, Any]:
    """The ``response`` of a Sora task whose only entry this is."""
    sora = acedata_sora.PROVIDER
    value: dict[str, Any] = printed(sora, view_of(sora, task_of(sora, entry), 0, profile, **others))[
        "response"
    ]
    return value


# The record


@services
@pytest.mark.parametrize("after", [0, 5 * SECOND])
def test_record_of_an_unfinished_task_has_the_documented_members_and_no_response(
    provider: Provider, after: int
) -> None:
    """Queued and processing look alike: ten members, in the documents' order."""
    record = printed(provider, view_of(provider, task_of(provider), after))
    assert list(record) == DOCUMENTED_KEYS


@services
def test_record_of_a_finished_task_ends_with_its_response(provider: Provider) -> None:
    """``response`` comes last; task and trace id are the record's own."""
    record = printed(provider, view_of(provider, task_of(provider), 11 * SECOND))
    assert list(record) == [*DOCUMENTED_KEYS, "response"]
    assert list(record["response"]) == ["success", "task_id", "trace_id", "data"]
    assert record["response"]["success"] is True
    assert record["response"]["task_id"] == record["id"]
    assert record["response"]["trace_id"] == record["trace_id"]
    assert [item["state"] for item in record["response"]["data"]] == ["succeeded"]
    assert record["response"]["data"][0]["video_url"] == "L"


@services
def test_record_prints_the_request_as_it_came(provider: Provider) -> None:
    """The request is the create's body, member for member."""
    view = view_of(provider, task_of(provider), 0)
    record = next(row for row in provider.operations if row.name is OperationName.POLL).item(view)
    assert b'"request":' + view.task.request + b"," in orjson.dumps(record)


@services
def test_record_in_profile_current_says_when_the_task_started(provider: Provider) -> None:
    """``started_at`` follows ``created_at``; the other two wait for the end."""
    record = printed(provider, view_of(provider, task_of(provider), 5 * SECOND, Profile.CURRENT))
    assert list(record) == [*DOCUMENTED_KEYS[:5], "started_at", *DOCUMENTED_KEYS[5:]]
    assert record["created_at"] == 1735689600.25
    assert record["started_at"] == 1735689600.31


@services
@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELLED])
def test_record_in_profile_current_says_when_the_task_ended(provider: Provider, status: Status) -> None:
    """``finished_at`` and ``elapsed`` stand in the newest guide's order, whatever the end was."""
    task = task_of(provider, Entry(status=Status.PROCESSING, stay=10 * SECOND), Entry(status=status))
    record = printed(provider, view_of(provider, task, 60 * SECOND, Profile.CURRENT))
    times = ["started_at", "finished_at", "elapsed"]
    assert list(record) == [*DOCUMENTED_KEYS[:5], *times, *DOCUMENTED_KEYS[5:], "response"]
    assert [record[name] for name in times] == [1735689600.31, 1735689610.25, 9.94]


@given(stay=st.integers(0, 10 * SECOND), created=st.integers(0, 4_000_000_000 * SECOND))
def test_elapsed_is_what_the_printed_instants_differ_by(stay: int, created: Instant) -> None:
    """Also for a task that ended before it would have started; it is never negative."""
    sora = acedata_sora.PROVIDER
    entries = (Entry(status=Status.QUEUED, stay=stay), Entry(status=Status.FAILED))
    task = task_of(sora, *entries, created_at=created)
    record = printed(sora, view_of(sora, task, stay, Profile.CURRENT))
    assert record["elapsed"] == round(record["finished_at"] - record["started_at"], 3) >= 0


@given(instant=st.integers(0, 4_000_000_000 * SECOND))
def test_created_at_has_three_decimals_cut_off(instant: Instant) -> None:
    """What JSON shows is the instant's milliseconds, exactly."""
    shown = orjson.dumps(acedata.unix_seconds(instant)).decode()
    whole, _, fraction = shown.partition(".")
    assert int(whole) * 1000 + int(fraction.ljust(3, "0")) == instant // MILLISECOND
    assert len(fraction) <= 3


def test_object_id_begins_with_the_second_of_creation() -> None:
    """documents/000: 68e914aa is 2025-10-10T14:14:02Z; the middle is the documents' own."""
    sora = acedata_sora.PROVIDER
    task = task_of(sora, created_at=parse_instant("2025-10-10T14:14:02.045Z"))
    assert re.fullmatch(r"68e914aa550a4144a5[0-9a-f]{6}", acedata.object_id(task))


@given(second=st.integers(0, 0xFFFFFFFF), entropy=st.binary(min_size=48, max_size=48))
def test_object_id_is_24_digits_that_tell_the_second(second: int, entropy: bytes) -> None:
    """Any client that takes an ObjectId apart finds the creation."""
    task = task_of(acedata_sora.PROVIDER, entropy=entropy, created_at=second * SECOND + 999_999)
    shown = acedata.object_id(task)
    assert re.fullmatch(r"[0-9a-f]{24}", shown)
    assert int(shown[:8], 16) == second


# The response


def test_word_replaces_the_state_of_a_finished_video() -> None:
    """Where the provider prints a word for the status, the author's stands."""
    response = response_of(Entry(status=Status.COMPLETED, word="archived"))
    assert response["data"][0]["state"] == "archived"
    assert response["success"] is True


@pytest.mark.parametrize("status", [Status.QUEUED, Status.PROCESSING])
def test_word_on_an_unfinished_entry_prints_a_progress_snapshot(status: Status) -> None:
    """A response without ``success`` and without any link, as clients of the provider show it."""
    sora = acedata_sora.PROVIDER
    response = response_of(Entry(status=status, word="running", stuck=True))
    task = task_of(sora)
    trace = acedata.trace_id(task, sora.account(KEY))
    item = {"id": acedata_sora.video_id(task), "state": "running"}
    assert response == {"task_id": task.id, "trace_id": trace, "data": [item]}


def test_completed_without_a_link_keeps_an_empty_video_url() -> None:
    """``url: none``: the member is there and empty."""
    entry = Entry(status=Status.COMPLETED, video=Video(has_link=False))
    assert response_of(entry, link=None)["data"][0]["video_url"] == ""


def test_video_id_of_an_entry_goes_before_that_of_the_values() -> None:
    """The more particular place wins."""
    sora = acedata_sora.PROVIDER
    entry = Entry(status=Status.COMPLETED, video=Video(id="mine"))
    task = task_of(sora, entry, values={"video_id": "theirs"})
    assert printed(sora, view_of(sora, task, 0))["response"]["data"][0]["id"] == "mine"


def test_failed_task_says_so_in_its_response() -> None:
    """``success`` false, both ids, and an error object; no data."""
    response = response_of(Entry(status=Status.FAILED))
    assert list(response) == ["success", "task_id", "trace_id", "error"]
    assert response["success"] is False
    assert response["error"] == {"code": "api_error", "message": "fetch failed"}


def test_failed_task_prints_the_authors_words() -> None:
    """Code and message are printed as they stand."""
    told = Failure(code="content_policy_violation", message="Prompt refused")
    response = response_of(Entry(status=Status.FAILED, failure=told))
    assert response["error"] == {"code": "content_policy_violation", "message": "Prompt refused"}


def test_failed_task_of_shape_string_prints_the_message_alone() -> None:
    """The message stands where the object would."""
    told = Failure(message="Prompt refused", shape="string")
    assert response_of(Entry(status=Status.FAILED, failure=told))["error"] == "Prompt refused"


def test_cancelled_task_is_a_failure_with_a_code_of_its_own() -> None:
    """The provider has no word for it."""
    response = response_of(Entry(status=Status.CANCELLED))
    assert response["success"] is False
    assert response["error"] == {"code": "canceled", "message": "The task was canceled."}


@pytest.mark.parametrize(
    ("name", "documented", "current"),
    [
        (None, "api_error", "api_error"),
        (ErrorName.INTERNAL, "api_error", "api_error"),
        (ErrorName.RATE_LIMITED, "too_many_requests", "too_many_requests"),
        (ErrorName.INSUFFICIENT_QUOTA, "too_many_requests", "used_up"),
        (ErrorName.CONTENT_REJECTED, "api_error", "forbidden"),
        (ErrorName.BAD_REQUEST, "api_error", "bad_request"),
        (ErrorName.NOT_FOUND, "api_error", "api_error"),
        (ErrorName.TOKEN_MISMATCHED, "token_mismatched", "token_mismatched"),
        (ErrorName.TIMEOUT, "api_error", "timeout"),
    ],
)
def test_failure_takes_the_code_that_makes_sense_inside_a_task(
    name: ErrorName | None, documented: str, current: str
) -> None:
    """A code that speaks of the call (a token, a path) and was only the nearest one isn't printed of a task."""
    assert acedata_errors.failure(Failure(name=name), Profile.DOCUMENTED)[0] == documented
    assert acedata_errors.failure(Failure(name=name), Profile.CURRENT)[0] == current


# Ids


@services
@given(key=st.binary(min_size=16, max_size=16), entropy=st.binary(min_size=48, max_size=48))
def test_trace_id_leads_back_to_the_task(provider: Provider, key: bytes, entropy: bytes) -> None:
    """Task and trace id are version 4 UUIDs, each computed from the other, so that nothing need be kept."""
    account = provider.account(key)
    task = task_of(provider, entropy=entropy)
    trace = acedata.trace_id(task, account)
    assert UUID.fullmatch(task.id)
    assert UUID.fullmatch(trace)
    assert trace != task.id
    assert provider.alias_of(trace, account) == task.id
    assert provider.alias(task, account) is None


@given(task_id=st.text(max_size=60) | st.uuids().map(str) | st.uuids().map(lambda u: str(u).upper()))
def test_trace_id_is_found_whatever_the_task_is_called(task_id: str) -> None:
    """Either the id can be computed from the trace id, or the trace id is kept."""
    sora = acedata_sora.PROVIDER
    account = sora.account(KEY)
    task = task_of(sora, id=task_id)
    trace = acedata.trace_id(task, account)
    assert sora.alias(task, account) == trace or sora.alias_of(trace, account) == task_id


def test_trace_id_of_an_author_is_kept() -> None:
    """What ``values`` say can't be computed."""
    sora = acedata_sora.PROVIDER
    account = sora.account(KEY)
    task = task_of(sora, values={"trace_id": "my-trace"})
    assert acedata.trace_id(task, account) == "my-trace"
    assert sora.alias(task, account) == "my-trace"


@pytest.mark.parametrize("name", ["", "my-trace", "FB751E1E-4705-49EA-9FD4-5024B7865EA2", "é" * 36])
def test_alias_of_anything_else_is_no_task(name: str) -> None:
    """Only a UUID in lower case can be a computed trace id."""
    sora = acedata_sora.PROVIDER
    assert sora.alias_of(name, sora.account(KEY)) is None


def test_account_has_one_user_with_a_credential_for_each_service() -> None:
    """documents/000, documents/002: ``user_id`` is the same in both, the other two differ."""
    sora, veo = (provider.account(KEY) for provider in PROVIDERS)
    assert sora.user_id == veo.user_id
    assert sora.application_id != veo.application_id
    assert sora.credential_id != veo.credential_id
    assert len({sora.user_id, sora.application_id, sora.credential_id}) == 3


@services
def test_account_belongs_to_its_namespace(provider: Provider) -> None:
    """The same key gives the same account, another key another."""
    assert provider.account(KEY) == provider.account(KEY)
    assert provider.account(KEY) != provider.account(b"another key.....")


@services
def test_values_take_the_place_of_what_is_drawn(provider: Provider) -> None:
    """Every name that the table lists is printed, and nothing else changes."""
    values = {name: f"my {name}" for name in provider.value_names}
    plain = printed(provider, view_of(provider, task_of(provider), 11 * SECOND))
    record = printed(provider, view_of(provider, task_of(provider, values=values), 11 * SECOND))
    shown = set(re.findall(r"my \w+", orjson.dumps(record).decode()))
    assert shown == set(values.values())
    assert record["_id"] == "my object_id"
    assert record["response"]["data"][0]["id"] == "my video_id"
    assert record["response"]["trace_id"] == record["trace_id"] == "my trace_id"
    for name in ("id", "created_at", "request", "type"):
        assert record[name] == plain[name]


# Answers


@services
@profiles
def test_create_is_answered_by_the_id_alone(provider: Provider, profile: Profile) -> None:
    """The answer of a create that doesn't block."""
    operation = provider.operations[1]
    view = view_of(provider, task_of(provider), 0, profile)
    call = Create(fields={})
    assert operation.answer(call, [operation.item(view)], profile) == {"task_id": view.task.id}


@profiles
def test_poll_answer_is_the_record_or_an_empty_object(profile: Profile) -> None:
    """An unknown id is no error."""
    answer = acedata_sora.PROVIDER.operations[0].answer
    assert answer(Poll(ids=("a",)), [{"id": "a"}], profile) == {"id": "a"}
    assert answer(Poll(ids=("a",)), [], profile) == {}


@profiles
@pytest.mark.parametrize("call", [Poll(ids=("a", "a"), is_batch=True), Listing(limit=12)])
def test_poll_answer_of_several_counts_them(call: Poll | Listing, profile: Profile) -> None:
    """Batches and lists have the same form; repeats count; no item at all is no error."""
    answer = acedata_sora.PROVIDER.operations[0].answer
    items = [{"id": "a"}, {"id": "a"}]
    assert orjson.dumps(answer(call, items, profile)) == b'{"items":[{"id":"a"},{"id":"a"}],"count":2}'
    assert answer(call, [], profile) == {"items": [], "count": 0}


@services
def test_operations_are_the_two_documented_paths(provider: Provider) -> None:
    """Reads are POST too. Veo's other creates come after them."""
    folder = provider.name.removeprefix("acedata-")
    rows = [(row.name, row.method, row.path) for row in provider.operations[:2]]
    assert rows == [
        (OperationName.POLL, "POST", f"/{folder}/tasks"),
        (OperationName.CREATE, "POST", f"/{folder}/videos"),
    ]


# Queries


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": "a", "action": "retrieve"}, Poll(ids=("a",))),
        ({"id": "a"}, Poll(ids=("a",))),
        ({"id": "a", "action": None}, Poll(ids=("a",))),
        ({"id": "a", "trace_id": None}, Poll(ids=("a",))),
        ({"trace_id": "t"}, Poll(ids=("t",), by_alias=True)),
        ({"id": "a", "trace_id": "t"}, Poll(ids=("t",), by_alias=True)),
        ({"ids": ["b", "a", "b"], "action": "retrieve_batch"}, Poll(ids=("b", "a", "b"), is_batch=True)),
        ({"ids": [], "action": "retrieve_batch"}, Poll(ids=(), is_batch=True)),
        (
            {"ids": ["a"], "trace_ids": ["t"], "action": "retrieve_batch"},
            Poll(ids=("t",), by_alias=True, is_batch=True),
        ),
        ({"ids": ["a"] * 1000, "action": "retrieve_batch"}, Poll(ids=("a",) * 1000, is_batch=True)),
    ],
)
@profiles
def test_query_names_tasks(fields: Any, expected: Poll, profile: Profile) -> None:
    """Both profiles read the members that name tasks alike; trace ids win; order and repeats are kept."""
    assert acedata_requests.parse_poll(inbound(fields, profile)) == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([], "expected a JSON object as the body, got a list"),
        (None, "expected a JSON object as the body, got null"),
        ("{}", "expected a JSON object as the body, got a string"),
        ({"id": 7}, "id: expected a string, got a number"),
        ({"id": True}, "id: expected a string, got a boolean"),
        ({"trace_id": ["t"]}, "trace_id: expected a string, got a list"),
        ({"action": "retrieve_batch", "ids": "a"}, "ids: expected a list of strings, got a string"),
        ({"action": "retrieve_batch", "ids": {}}, "ids: expected a list of strings, got an object"),
        (
            {"action": "retrieve_batch", "ids": ["a", 1]},
            "ids: expected a list of strings, got a number as item 2",
        ),
        (
            {"action": "retrieve_batch", "trace_ids": [None]},
            "trace_ids: expected a list of strings, got null as item 1",
        ),
        (
            {"action": "retrieve_batch", "ids": ["a"] * 1001},
            "ids: expected at most 1,000 ids, got 1,001; ask in several batches",
        ),
    ],
)
@profiles
def test_query_that_names_no_tasks_rightly_is_refused(fields: Any, message: str, profile: Profile) -> None:
    """The message says what was expected and what came."""
    call = acedata_requests.parse_poll(inbound(fields, profile))
    assert call == Poll(ids=(), refusal=Refusal(ErrorName.BAD_REQUEST, message))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "id: expected the task's id as a string, got none"),
        ({"id": ""}, "id: expected the task's id as a string, got none"),
        (
            {"ids": ["a"]},
            "id: expected the task's id as a string, got none (ids goes with the action retrieve_batch)",
        ),
        (
            {"task_id": "a"},
            "id: expected the task's id as a string, got none (task_id is called id here)",
        ),
        ({"action": "retrieve_batch"}, "ids: expected a list of the tasks' ids, got none"),
        (
            {"action": "retrieve_batch", "id": "a"},
            "ids: expected a list of the tasks' ids, got none (id goes with the action retrieve)",
        ),
    ],
)
def test_query_without_an_id_is_refused_as_documented(fields: Any, message: str) -> None:
    """Profile ``documented``: a missing parameter is a mistake; the message knows the likely one."""
    call = acedata_requests.parse_poll(inbound(fields))
    assert call == Poll(ids=(), refusal=Refusal(ErrorName.BAD_REQUEST, message))


@pytest.mark.parametrize("fields", [{}, {"id": ""}, {"ids": ["a"]}, {"prompt": "a cat"}])
def test_query_without_an_id_finds_nothing_in_profile_current(fields: Any) -> None:
    """No id, no refusal, no task."""
    assert acedata_requests.parse_poll(inbound(fields, Profile.CURRENT)) == Poll(ids=())


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("generate", "'generate'"),
        ("", "''"),
        (7, "a number"),
        (["retrieve"], "a list"),
    ],
)
@profiles
def test_unknown_action_is_not_implemented(action: Any, told: str, profile: Profile) -> None:
    """Whatever else the body holds."""
    call = acedata_requests.parse_poll(inbound({"id": "a", "action": action}, profile))
    message = f"action: expected retrieve or retrieve_batch, got {told}"
    assert call.refusal == Refusal(ErrorName.NOT_IMPLEMENTED, message)


@profiles
def test_broken_body_is_refused_with_its_reason(profile: Profile) -> None:
    """Queries and creates alike."""
    reason = "the body is not JSON: unexpected end of data"
    wanted = Refusal(Situation.BROKEN_BODY, reason)
    assert acedata_requests.parse_poll(inbound(None, profile, reason)) == Poll(ids=(), refusal=wanted)
    assert acedata_requests.parse_create(inbound(None, profile, reason)) == Create(fields={}, refusal=wanted)


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ({}, ("a", "b", "c")),
        ({"offset": 0, "limit": 12}, ("a", "b", "c")),
        ({"limit": 2}, ("a", "b")),
        ({"offset": 1}, ("b", "c")),
        ({"offset": 1, "limit": 1}, ("b",)),
        ({"type": "videos"}, ("a", "b", "c")),
        ({"type": "images"}, ()),
        ({"type": ["videos"]}, ()),
    ],
)
def test_page_cuts_a_batch_only_where_it_was_sent(more: dict[str, Any], ids: tuple[str, ...]) -> None:
    """Profile ``current`` takes ``limit``, ``offset`` and ``type``; ``documented`` knows none of them."""
    fields = {"action": "retrieve_batch", "ids": ["a", "b", "c"], **more}
    assert acedata_requests.parse_poll(inbound(fields, Profile.CURRENT)) == Poll(ids=ids, is_batch=True)
    assert acedata_requests.parse_poll(inbound(fields)) == Poll(ids=("a", "b", "c"), is_batch=True)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Listing(limit=12)),
        ({"limit": 3, "offset": 6, "type": "videos"}, Listing(limit=3, offset=6)),
        ({"limit": 10**18, "offset": 10**18}, Listing(limit=1000, offset=10**9)),
        ({"type": "images"}, Listing(limit=0)),
        ({"user_id": "u", "application_id": "a"}, Listing(limit=12)),
        (
            {"created_at_min": 1760105642.045, "created_at_max": 1760105642},
            Listing(limit=12, created_from=1760105642_045000, created_to=1760105642_000999),
        ),
    ],
)
def test_batch_without_ids_lists_in_profile_current(fields: dict[str, Any], expected: Listing) -> None:
    """Twelve at a time; a bound takes the whole millisecond that it names."""
    call = acedata_requests.parse_poll(inbound({"action": "retrieve_batch", **fields}, Profile.CURRENT))
    assert call == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"limit": 0}, "limit: expected a whole number of 1 or more, got 0"),
        ({"limit": "12"}, "limit: expected a whole number of 1 or more, got a string"),
        ({"limit": True}, "limit: expected a whole number of 1 or more, got a boolean"),
        ({"offset": -1}, "offset: expected a whole number of 0 or more, got -1"),
        ({"offset": 1.5}, "offset: expected a whole number of 0 or more, got 1.5"),
        ({"created_at_min": "now"}, "created_at_min: expected a date in seconds since 1970, got a string"),
        ({"created_at_max": 1e300}, "created_at_max: expected a date in seconds since 1970, got 1e+300"),
    ],
)
def test_listing_refuses_what_cannot_be_a_page(fields: dict[str, Any], message: str) -> None:
    """The message says what was expected and what came."""
    call = acedata_requests.parse_poll(inbound({"action": "retrieve_batch", **fields}, Profile.CURRENT))
    assert call.refusal == Refusal(ErrorName.BAD_REQUEST, message)


MEMBERS: Final = st.sampled_from(
    [
        "action",
        "id",
        "ids",
        "trace_id",
        "trace_ids",
        "type",
        "limit",
        "offset",
        "created_at_min",
        "created_at_max",
    ]
)
BODIES: Final = JSON | st.dictionaries(
    MEMBERS, JSON | st.sampled_from(["retrieve", "retrieve_batch"]), max_size=6
)


@given(fields=BODIES, profile=st.sampled_from(Profile))
def test_parse_never_raises_and_names_only_texts(fields: Any, profile: Profile) -> None:
    """Any JSON value is read or refused; what it refuses can be worded."""
    call = acedata_requests.parse_poll(inbound(fields, profile))
    if not isinstance(call, Listing):
        names = (call.id,) if isinstance(call, Delete) else call.ids
        assert all(isinstance(name, str) for name in names)
    if call.refusal is not None:
        assert acedata_errors.refuse(call.refusal, scene(profile)).status_code == 400


@given(fields=st.dictionaries(st.text(), JSON, max_size=4))
def test_create_takes_any_object(fields: dict[str, Any]) -> None:
    """Real clients send members of every kind."""
    assert acedata_requests.parse_create(inbound(fields)).refusal is None


@pytest.mark.parametrize("fields", [None, [], "a cat", 7, True])
def test_create_refuses_what_is_no_object(fields: Any) -> None:
    """A create has members."""
    refusal = acedata_requests.parse_create(inbound(fields)).refusal
    assert refusal is not None
    assert refusal.name is ErrorName.BAD_REQUEST


# Keys


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, ErrorName.NO_TOKEN),
        (b"Bearer abc", "abc"),
        (b"bearer abc", "abc"),
        (b"  BEARER \t abc  ", "abc"),
        (b"Bearer \xff\xfe", "\xff\xfe"),
        (b"", ErrorName.INVALID_TOKEN),
        (b"Bearer", ErrorName.INVALID_TOKEN),
        (b"Bearer ", ErrorName.INVALID_TOKEN),
        (b"Bearer a b", ErrorName.INVALID_TOKEN),
        (b"Basic YTpi", ErrorName.INVALID_TOKEN),
        (b"abc", ErrorName.INVALID_TOKEN),
    ],
)
@profiles
def test_key_is_read_from_the_header(header: bytes | None, expected: str, profile: Profile) -> None:
    """The scheme has any case; what can't be a key is named."""
    assert acedata_requests.key(header, profile) == expected


@given(header=st.binary(max_size=40))
def test_key_is_never_empty_and_never_raises(header: bytes) -> None:
    """Any bytes give a key or a reason."""
    assert acedata_requests.key(header, Profile.DOCUMENTED)


# Errors


ALL_NAMES: Final = [*ErrorName, *Situation]


@services
@pytest.mark.parametrize("name", ALL_NAMES)
@profiles
def test_every_refusal_is_worded(provider: Provider, name: ErrorName | Situation, profile: Profile) -> None:
    """A status code of an error, and a JSON body of the documented form."""
    wire = provider.refuse(Refusal(name), scene(profile))
    body = orjson.loads(orjson.dumps(wire.body))
    has_success = profile is Profile.DOCUMENTED or body["error"]["code"] == "api_error"
    assert 400 <= wire.status_code < 600
    assert wire.content_type == "application/json"
    assert list(body) == (["success"] if has_success else []) + ["error", "trace_id"]
    assert body.get("success", False) is False
    assert list(body["error"]) == ["code", "message"]
    assert body["error"]["code"]
    assert body["error"]["message"]
    assert UUID.fullmatch(body["trace_id"])


DOCUMENTED_CODES: Final = {
    (400, "token_mismatched"),
    (400, "api_not_implemented"),
    (401, "invalid_token"),
    (429, "too_many_requests"),
    (500, "api_error"),
}


@pytest.mark.parametrize("name", [name for name in ALL_NAMES if name is not Situation.NO_ROUTE])
def test_documented_profile_keeps_to_the_five_documented_codes(name: ErrorName | Situation) -> None:
    """documents/000, documents/002 list five; a path that isn't there is the one exception."""
    wire = acedata_errors.refuse(Refusal(name), scene())
    assert (wire.status_code, wire.body["error"]["code"]) in DOCUMENTED_CODES


@pytest.mark.parametrize(
    ("name", "documented", "current"),
    [
        (ErrorName.NO_TOKEN, (401, "invalid_token"), (400, "no_token")),
        (ErrorName.INVALID_TOKEN, (401, "invalid_token"), (401, "invalid_token")),
        (ErrorName.TOKEN_EXPIRED, (401, "invalid_token"), (401, "token_expired")),
        (ErrorName.TOKEN_MISMATCHED, (400, "token_mismatched"), (400, "token_mismatched")),
        (ErrorName.FORBIDDEN, (401, "invalid_token"), (403, "disabled")),
        (ErrorName.INSUFFICIENT_QUOTA, (429, "too_many_requests"), (403, "used_up")),
        (ErrorName.BAD_REQUEST, (400, "token_mismatched"), (400, "bad_request")),
        (ErrorName.NOT_IMPLEMENTED, (400, "api_not_implemented"), (400, "api_not_implemented")),
        (ErrorName.NOT_FOUND, (400, "token_mismatched"), (404, "no_api")),
        (ErrorName.CONTENT_REJECTED, (400, "token_mismatched"), (403, "forbidden")),
        (ErrorName.RATE_LIMITED, (429, "too_many_requests"), (429, "too_many_requests")),
        (ErrorName.INTERNAL, (500, "api_error"), (500, "api_error")),
        (ErrorName.BAD_GATEWAY, (500, "api_error"), (500, "api_error")),
        (ErrorName.UNAVAILABLE, (500, "api_error"), (500, "api_error")),
        (ErrorName.TIMEOUT, (500, "api_error"), (504, "timeout")),
        (Situation.NO_ROUTE, (404, "no_api"), (404, "no_api")),
        (Situation.BROKEN_BODY, (400, "token_mismatched"), (400, "bad_request")),
        (Situation.TOO_LARGE, (400, "token_mismatched"), (400, "bad_request")),
    ],
)
def test_refusal_has_the_status_and_code_of_its_profile(
    name: ErrorName | Situation, documented: tuple[int, str], current: tuple[int, str]
) -> None:
    """The table of the docs page, row by row."""
    for profile, expected in ((Profile.DOCUMENTED, documented), (Profile.CURRENT, current)):
        wire = acedata_errors.refuse(Refusal(name), scene(profile))
        assert (wire.status_code, wire.body["error"]["code"]) == expected


@services
def test_api_error_is_the_documented_one(provider: Provider) -> None:
    """documents/000, documents/002: the one error that they print, with the trace id that they print."""
    entropy = bytes.fromhex("2cf86e8622a446e1ac2f032c0f2a4e89")
    wire = provider.refuse(Refusal(ErrorName.INTERNAL), scene(entropy=entropy))
    assert wire.status_code == 500
    assert orjson.dumps(wire.body) == (
        b'{"success":false,"error":{"code":"api_error","message":"fetch failed"},'
        b'"trace_id":"2cf86e86-22a4-46e1-ac2f-032c0f2a4e89"}'
    )


@profiles
def test_refusal_takes_the_words_of_its_maker(profile: Profile) -> None:
    """Code and message change, the form and the status code don't."""
    wire = acedata_errors.refuse(Refusal(ErrorName.RATE_LIMITED, "Slow down", "busy"), scene(profile))
    assert wire.status_code == 429
    assert wire.body["error"] == {"code": "busy", "message": "Slow down"}


@profiles
def test_request_id_header_equals_the_trace_id_of_an_error(profile: Profile) -> None:
    """Whoever reads the one may search for the other."""
    told = dict(acedata_errors.headers(scene(profile)))
    body = acedata_errors.refuse(Refusal(ErrorName.INTERNAL), scene(profile)).body
    assert told[b"x-request-id"].decode() == body["trace_id"] == seeded.uuid4_text(ENTROPY[:16])


def test_headers_let_a_browser_read_the_answer() -> None:
    """The provider's own web client runs in one."""
    told = dict(acedata_errors.headers(scene()))
    assert told[b"access-control-allow-origin"] == b"*"
    assert told[b"access-control-expose-headers"] == b"x-request-id"
