"""What every provider owes the rest of the program, whichever words it speaks.

A made-up provider with words of its own for everything runs through the same tests: where the neutral
model leans on a real vendor, it fails.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator import providers
from emulator.core.call import Call, Create, Poll, Refusal
from emulator.core.effects import Failure
from emulator.core.plan import Entry, Video, plan_of
from emulator.core.task import Task, link_dies_at, state_at
from emulator.core.units import DAY, HOUR, SECOND, Instant, parse_instant
from emulator.core.words import ErrorName, OperationName, Profile, Situation, Status
from emulator.providers.base import (
    Clip,
    Headers,
    Inbound,
    Link,
    Operation,
    Provider,
    Result,
    Scene,
    Sighting,
    View,
    Wire,
    first_of,
)
from tests.providers.json_values import JSON

PAGES: Final = Path(__file__).parents[2] / "docs" / "providers"
CREATED_AT: Final = parse_instant("2026-01-01T00:00:00Z")
ENTROPY: Final = bytes(range(48))
NAMESPACE_KEY: Final = bytes(range(16))
LINK: Final = "http://127.0.0.1:8080/media/made-for-a-test.mp4"
EVERY_NAME: Final[tuple[ErrorName | Situation, ...]] = (*ErrorName, *Situation)

# A made-up provider: films are looked up by a POST, several at a time, under names of its own.

FILM_WORDS: Final = {
    Status.QUEUED: "in line",
    Status.PROCESSING: "rolling",
    Status.COMPLETED: "wrapped",
    Status.FAILED: "scrapped",
    Status.CANCELLED: "called off",
}


def _film_names(inbound: Inbound) -> Poll:
    asked = inbound.fields.get("films") if isinstance(inbound.fields, dict) else None
    names = tuple(str(name) for name in asked) if isinstance(asked, list) else ()
    return Poll(ids=names, is_batch=True, refusal=None if names else Refusal(ErrorName.BAD_REQUEST))


def _new_film(inbound: Inbound) -> Create:
    return Create(fields=inbound.fields if isinstance(inbound.fields, dict) else {})


def _film(view: View) -> dict[str, Any]:
    entry = view.snapshot.entry
    shelf = {"film": view.task.id, "mood": entry.word or FILM_WORDS[view.snapshot.status]}
    if view.snapshot.status is Status.FAILED:
        shelf["why"] = " - ".join(_film_failure(entry.failure, view.profile))
    if view.link is not None:
        shelf["reel"] = view.link
    return shelf


def _shelf(_call: Call, items: Sequence[dict[str, Any]], _profile: Profile) -> dict[str, Any]:
    return {"shelf": list(items)}


def _film_key(header: bytes | None, _profile: Profile) -> str | ErrorName:
    if header is None:
        return ErrorName.NO_TOKEN
    scheme, _, ticket = header.decode("latin-1").partition(" ")
    return ticket if ticket and scheme.lower() == "bearer" else ErrorName.INVALID_TOKEN


def _film_refusal(refusal: Refusal, scene: Scene) -> Wire:
    word = refusal.code or f"cut: {refusal.name.value}"
    return Wire(
        418, {"cut": word, "because": refusal.message or scene.method}, content_type="application/film+json"
    )


def _film_failure(failure: Failure | None, _profile: Profile) -> tuple[str, str]:
    if failure is None:
        return "rained off", "it rained"
    return failure.code or str(failure.name), str(failure.message or "it rained")


def _film_headers(scene: Scene) -> Headers:
    return ((b"x-take", scene.entropy[:4].hex().encode()),)


def _film_link(result: Result) -> Link:
    return Link(f"reels/{result.task.id}", (("seal", None), ("until", str(result.dies_at))))


def _film_end(query: Mapping[str, str]) -> Instant | None:
    return int(query["until"]) if query.get("until", "").isdecimal() else None


def _film_seen(body: Any) -> Sighting | None:
    if not isinstance(body, dict) or "film" not in body:
        return None
    moods = {word: status for status, word in FILM_WORDS.items()}
    code, _, message = body.get("why", "").partition(" - ")
    return Sighting(
        id=body["film"],
        status=moods.get(body["mood"]),
        word=body["mood"],
        link=body.get("reel"),
        code=code or None,
        message=message or None,
    )


MADE_UP: Final = Provider(
    name="made-up",
    base="/made-up",
    hosts=("films.example",),
    operations=(
        Operation(
            name=OperationName.CREATE,
            method="PUT",
            path="/film",
            parse=_new_film,
            item=_film,
            answer=lambda _call, items, _profile: {"booked": items[0]},
        ),
        Operation(
            name=OperationName.POLL,
            method="POST",
            path="/shelf",
            parse=_film_names,
            item=_film,
            answer=_shelf,
        ),
    ),
    account=lambda key: key.hex(),
    new_id=lambda entropy, _created_at, account: f"{account[:2]}~{entropy[:9].hex().upper()}",
    alias_of=lambda name, _account: name.removeprefix("the-") if name.startswith("the-") else None,
    alias=lambda task, _account: f"a-{task.id}",
    echo=lambda _fields, _entropy: (),
    value_names=("director",),
    example_request={"pitch": "a cat"},
    key=_film_key,
    refuse=_film_refusal,
    failure=_film_failure,
    headers=_film_headers,
    clip=lambda _fields: Clip(4, 3, 2),
    link=_film_link,
    dies_at=_film_end,
    signature_name="seal",
    storage_refusal=lambda expired, _scene: Wire(
        403, "faded" if expired else "forged", content_type="text/plain"
    ),
    sighted=_film_seen,
    made=lambda body: body["booked"]["film"] if isinstance(body, dict) and "booked" in body else None,
)

every_provider: Final = pytest.mark.parametrize(
    "provider", [*providers.PROVIDERS, MADE_UP], ids=lambda provider: provider.name
)
both_profiles: Final = pytest.mark.parametrize("profile", Profile)


def operation_of(provider: Provider, name: OperationName) -> Operation:
    """The provider's first operation of this name."""
    return next(operation for operation in provider.operations if operation.name is name)


def task_of(provider: Provider, *entries: Entry) -> Task:
    """A task of the provider's example request."""
    request = provider.example_request
    return Task(
        provider.name,
        provider.new_id(ENTROPY, CREATED_AT, provider.account(NAMESPACE_KEY)),
        CREATED_AT,
        ENTROPY,
        plan_of(entries, scenario="a test's"),
        orjson.dumps(request),
        provider.echo(request, ENTROPY),
        "http://127.0.0.1:8080",
    )


def view_of(provider: Provider, profile: Profile, last: Entry) -> View:
    """The task an hour after its creation, when the last of its two entries shows."""
    task = task_of(provider, Entry(status=Status.PROCESSING, stay=SECOND, progress=40), last)
    now = CREATED_AT + HOUR
    snapshot = state_at(task, now)
    link = LINK if snapshot.status is Status.COMPLETED else None
    account = provider.account(NAMESPACE_KEY)
    return View(task, snapshot, now, profile, account, link, link_dies_at(task, snapshot, now))


def scene_of(operation: Operation, profile: Profile, status: Status | None = None) -> Scene:
    """An exchange of this operation about a task in this status."""
    return Scene(
        profile=profile,
        method=operation.method,
        path=re.sub(r"\{[^}]*\}", "some-task", operation.path),
        now=CREATED_AT,
        entropy=ENTROPY,
        status=status,
        operation=operation.name,
    )


def inbound_of(operation: Operation, profile: Profile, fields: Any, segment: str = "some-task") -> Inbound:
    """A request for this operation with these fields."""
    return Inbound(
        method=operation.method,
        path=operation.path,
        params=(segment,) * operation.path.count("{"),
        query={},
        headers={},
        fields=fields,
        profile=profile,
    )


# The registry


def test_the_registry_has_the_four_in_their_order() -> None:
    """The order is what pages and banners list; the mapping finds each by its name."""
    names = ["acedata-sora", "acedata-veo", "octopusx", "ezmodel"]
    assert [provider.name for provider in providers.PROVIDERS] == names
    assert [providers.by_name[name] for name in names] == list(providers.PROVIDERS)


def test_no_two_operations_share_a_road() -> None:
    """Within a vendor's base, method and path name one operation of one provider."""
    roads = [
        (provider.base, operation.method, re.sub(r"\{[^}]*\}", "{}", operation.path))
        for provider in (*providers.PROVIDERS, MADE_UP)
        for operation in provider.operations
    ]
    assert len(set(roads)) == len(roads)


@every_provider
def test_its_addresses_are_well_formed(provider: Provider) -> None:
    """A base and paths with their leading slash and no trailing one, hosts as clients send them."""
    for path in (provider.base, *(operation.path for operation in provider.operations)):
        assert re.fullmatch(r"(/[\w{}-]+)+", path)
    assert provider.hosts
    assert all(re.fullmatch(r"[a-z0-9.-]+", host) for host in provider.hosts)


@every_provider
def test_it_can_be_asked_for_a_task_and_about_one(provider: Provider) -> None:
    """There is a create and a poll, in both profiles; the first of each is the one that others go by."""
    names = [operation.name for operation in provider.operations]
    assert {OperationName.CREATE, OperationName.POLL} <= set(names)
    for name in (OperationName.CREATE, OperationName.POLL):
        first = first_of(provider.operations, name)
        assert first is operation_of(provider, name)
        assert first.profiles == tuple(Profile)


# Requests


@every_provider
@both_profiles
def test_its_own_example_is_accepted(provider: Provider, profile: Profile) -> None:
    """What a task has that begins without a create is a request that the provider takes."""
    create = operation_of(provider, OperationName.CREATE)
    call = create.parse(inbound_of(create, profile, dict(provider.example_request)))
    assert isinstance(call, Create)
    assert (call.refusal, call.fields) == (None, provider.example_request)


@every_provider
@given(profile=st.sampled_from(Profile), fields=JSON, segment=st.text())
def test_parsing_never_raises(provider: Provider, profile: Profile, fields: Any, segment: str) -> None:
    """Every body is some call, if need be with its refusal."""
    for operation in provider.operations:
        assert isinstance(operation.parse(inbound_of(operation, profile, fields, segment)), Call)


@every_provider
@both_profiles
def test_a_broken_body_never_raises(provider: Provider, profile: Profile) -> None:
    """A body that couldn't be read is some call too."""
    for operation in provider.operations:
        inbound = Inbound(
            method=operation.method,
            path=operation.path,
            params=("some-task",) * operation.path.count("{"),
            query={},
            headers={},
            broken="line 1: expected a value",
            profile=profile,
        )
        assert isinstance(operation.parse(inbound), Call)


WORDS_OF_REQUESTS: Final = st.sampled_from(
    [
        "action",
        "aspect_ratio",
        "duration",
        "fps",
        "height",
        "model",
        "orientation",
        "prompt",
        "resolution",
        "seconds",
        "seed",
        "size",
        "width",
    ]
)


@every_provider
@given(fields=st.dictionaries(WORDS_OF_REQUESTS | st.text(), JSON))
def test_any_request_has_an_echo_and_a_clip(provider: Provider, fields: dict[str, Any]) -> None:
    """Garbage is printed as something, always the same, and some video can be made for it."""
    assert provider.echo(fields, ENTROPY) == provider.echo(fields, ENTROPY)
    clip = provider.clip(fields)
    assert all(type(number) is int and number > 0 for number in (clip.width, clip.height, clip.seconds))


@every_provider
@both_profiles
def test_a_bearer_token_is_its_key(provider: Provider, profile: Profile) -> None:
    """The key is what follows the scheme; without a header the error is that there is none."""
    assert provider.key(b"Bearer sk-test-1", profile) == "sk-test-1"
    assert provider.key(None, profile) is ErrorName.NO_TOKEN


@every_provider
@given(header=st.binary(max_size=40), profile=st.sampled_from(Profile))
def test_any_authorization_is_a_key_or_an_error(provider: Provider, header: bytes, profile: Profile) -> None:
    """No header raises, and no key is empty."""
    assert provider.key(header, profile)


# Tasks


@every_provider
@given(first=st.binary(min_size=48, max_size=48), second=st.binary(min_size=48, max_size=48))
def test_ids_are_plain_and_its_tasks_own(provider: Provider, first: bytes, second: bytes) -> None:
    """An id stands in a URL as it is, is the same for the same entropy, and another for another."""
    account = provider.account(NAMESPACE_KEY)
    one, other = (provider.new_id(entropy, CREATED_AT, account) for entropy in (first, second))
    assert re.fullmatch(r"[A-Za-z0-9._~-]{12,64}", one)
    assert one == provider.new_id(first, CREATED_AT, account)
    # Ids are cut from the front, some bits of which a UUID gives up.
    assert (one == other) <= (first[:6] == second[:6])


@every_provider
@given(name=st.text())
def test_any_name_may_be_asked_for(provider: Provider, name: str) -> None:
    """A name that can't be another name of a task is none; nothing raises."""
    found = provider.alias_of(name, provider.account(NAMESPACE_KEY))
    assert found is None or isinstance(found, str)


@every_provider
@both_profiles
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("name", [OperationName.POLL, OperationName.CREATE])
def test_every_status_can_be_printed(
    provider: Provider, profile: Profile, status: Status, name: OperationName
) -> None:
    """A task is a JSON object with its id in every status, the same each time that it is read."""
    view = view_of(provider, profile, Entry(status=status))
    operation = operation_of(provider, name)
    item = operation.item(view)
    body = operation.answer(Poll(ids=(view.task.id,)), [item], profile)
    printed = orjson.dumps(body)
    assert isinstance(orjson.loads(printed), dict)
    assert view.task.id.encode() in printed
    assert orjson.dumps(operation.item(view)) == orjson.dumps(item)


@every_provider
@both_profiles
def test_a_client_can_tell_how_a_task_stands(provider: Provider, profile: Profile) -> None:
    """Unfinished, completed and failed tasks look different."""
    statuses = (Status.PROCESSING, Status.COMPLETED, Status.FAILED)
    poll = operation_of(provider, OperationName.POLL)
    bodies = [poll.item(view_of(provider, profile, Entry(status=status))) for status in statuses]
    assert all(one != other for one, other in combinations(bodies, 2))


@every_provider
@both_profiles
@pytest.mark.parametrize("status", Status)
def test_what_it_prints_can_be_read_back(provider: Provider, profile: Profile, status: Status) -> None:
    """A reader of the wire sees the task's id, status, link and reason, as far as the wire tells them apart."""
    poll = operation_of(provider, OperationName.POLL)
    view = view_of(provider, profile, Entry(status=status, failure=None))
    seen = provider.sighted(orjson.loads(orjson.dumps(poll.item(view))))
    assert seen is not None
    assert (seen.id, seen.link) == (view.task.id, view.link)
    is_hidden = status is Status.PROCESSING and provider.name.startswith("acedata")
    # OctopusX's document has a word for it, and no reason: its `error` is empty there.
    assert seen.status is (Status.QUEUED if is_hidden else status)
    if status is Status.FAILED:
        assert (seen.code, seen.message) == provider.failure(None, profile)


@every_provider
@given(body=JSON)
def test_reading_the_wire_believes_nothing(provider: Provider, body: Any) -> None:
    """Whatever the body is, nothing raises."""
    seen = provider.sighted(body)
    assert seen is None or isinstance(seen.id, str)
    assert isinstance(provider.made(body), str | None)


@every_provider
@both_profiles
def test_the_link_is_printed_once_there_is_one(provider: Provider, profile: Profile) -> None:
    """A completed task hands out its link, or does without one."""
    poll = operation_of(provider, OperationName.POLL)
    view = view_of(provider, profile, Entry(status=Status.COMPLETED))
    assert LINK.encode() in orjson.dumps(poll.item(view))
    without = msgspec.structs.replace(view, link=None)
    assert LINK.encode() not in orjson.dumps(poll.item(without))


@every_provider
@both_profiles
@pytest.mark.parametrize("name", [None, *ErrorName], ids=lambda name: name or "none")
def test_every_failure_has_words(provider: Provider, profile: Profile, name: ErrorName | None) -> None:
    """A failed task says why, and a named error or the author's words show in its body."""
    code, message = provider.failure(Failure(name=name) if name else None, profile)
    assert code
    assert message
    failure = Failure(name=name, code="an-authors-code", message="An author's words")
    assert provider.failure(failure, profile) == ("an-authors-code", "An author's words")
    failed = operation_of(provider, OperationName.POLL).item(
        view_of(provider, profile, Entry(status=Status.FAILED, failure=failure))
    )
    assert b"an-authors-code" in orjson.dumps(failed)
    assert b"An author's words" in orjson.dumps(failed)


@every_provider
@both_profiles
def test_no_task_is_an_answer_too(provider: Provider, profile: Profile) -> None:
    """A poll of unknown ids has a body or a refusal."""
    poll = operation_of(provider, OperationName.POLL)
    answer = poll.answer(Poll(ids=("unknown",)), [], profile)
    assert isinstance(answer, dict | Refusal)


# Refusals


@every_provider
@both_profiles
@pytest.mark.parametrize("name", EVERY_NAME)
def test_every_refusal_has_words(provider: Provider, profile: Profile, name: ErrorName | Situation) -> None:
    """Each named error and each situation is an error with a JSON body, wherever and whenever it strikes."""
    for operation in provider.operations:
        for status in (None, *Status):
            wire = provider.refuse(Refusal(name), scene_of(operation, profile, status))
            assert 400 <= wire.status_code < 600
            assert "json" in wire.content_type
            assert wire.body
            assert orjson.loads(orjson.dumps(wire.body)) == wire.body
            assert not re.search(rb"\{\w*\}", orjson.dumps(wire.body).replace(b"{}", b""))


@every_provider
@both_profiles
@pytest.mark.parametrize("name", EVERY_NAME)
def test_an_authors_words_go_before_its_own(
    provider: Provider, profile: Profile, name: ErrorName | Situation
) -> None:
    """A message of a scenario's is printed as it stands; the status code stays the provider's."""
    scene = scene_of(operation_of(provider, OperationName.POLL), profile)
    wire = provider.refuse(Refusal(name, "An {author's} words", "an-authors-code"), scene)
    assert b"An {author's} words" in orjson.dumps(wire.body)
    assert wire.status_code == provider.refuse(Refusal(name), scene).status_code


@every_provider
@both_profiles
@pytest.mark.parametrize("name", ErrorName)
def test_an_authors_code_goes_before_its_own(provider: Provider, profile: Profile, name: ErrorName) -> None:
    """A code of a scenario's is printed in a refused poll."""
    scene = scene_of(operation_of(provider, OperationName.POLL), profile)
    wire = provider.refuse(Refusal(name, code="an-authors-code"), scene)
    assert b"an-authors-code" in orjson.dumps(wire.body)


@every_provider
@both_profiles
def test_its_headers_frame_nothing(provider: Provider, profile: Profile) -> None:
    """Names in lower case, none twice, none that belongs to the server; the same for the same exchange."""
    scene = scene_of(provider.operations[0], profile)
    names = [name for name, _ in provider.headers(scene)]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() for name in names)
    assert not {b"content-type", b"content-length", b"date", b"connection"} & set(names)
    assert provider.headers(scene) == provider.headers(scene)


# Links


@every_provider
@given(life=st.integers(min_value=0, max_value=400 * DAY))
def test_a_link_says_when_it_dies(provider: Provider, life: int) -> None:
    """What is written into a link's query is read back, to the second."""
    task = task_of(provider, Entry(status=Status.COMPLETED, video=Video()))
    dies_at = CREATED_AT + life
    account = provider.account(NAMESPACE_KEY)
    link = provider.link(Result(task=task, account=account, ended_at=CREATED_AT, dies_at=dies_at))
    names = [name for name, _ in link.query]
    assert len(set(names)) == len(names)
    assert [name for name, value in link.query if value is None] == [provider.signature_name]
    query = "&".join(f"{name}={value or 'signed'}" for name, value in link.query)
    read = provider.dies_at(dict(parse_qsl(query)))
    assert read is not None
    assert read // SECOND == dies_at // SECOND


@every_provider
def test_a_link_is_a_path_of_its_own(provider: Provider) -> None:
    """The tail can stand behind a slash as it is, and the link of one task isn't another's."""
    account = provider.account(NAMESPACE_KEY)
    tails = []
    for number in range(2):
        entropy = bytes([number]) * 48
        task = Task(
            provider.name,
            provider.new_id(entropy, CREATED_AT, account),
            CREATED_AT,
            entropy,
            plan_of((Entry(status=Status.COMPLETED),), scenario="a test's"),
            b"{}",
            provider.echo({}, entropy),
            "http://127.0.0.1:8080",
        )
        link = provider.link(Result(task=task, account=account, ended_at=CREATED_AT, dies_at=CREATED_AT))
        assert re.fullmatch(r"[A-Za-z0-9._~%/-]*[A-Za-z0-9._~%-]", link.tail)
        assert not link.tail.startswith("/")
        tails.append(link.tail)
    assert tails[0] != tails[1]


@every_provider
@given(query=st.dictionaries(st.sampled_from(["expires", "se", "st", "until"]) | st.text(), st.text()))
def test_any_query_dies_some_time_or_is_not_ours(provider: Provider, query: dict[str, str]) -> None:
    """A link that somebody made up says a date or none; nothing raises."""
    dies_at = provider.dies_at(query)
    assert dies_at is None or isinstance(dies_at, int)
    assert provider.dies_at({}) is None


@every_provider
@both_profiles
@pytest.mark.parametrize("expired", [True, False], ids=["expired", "tampered"])
def test_the_storage_refuses_in_its_own_words(provider: Provider, profile: Profile, expired: bool) -> None:
    """403, and no JSON: the storage isn't the provider."""
    wire = provider.storage_refusal(expired, scene_of(provider.operations[0], profile))
    assert wire.status_code == 403
    assert isinstance(wire.body, str)
    assert wire.body
    assert "json" not in wire.content_type


# Documentation


@pytest.mark.parametrize("provider", providers.PROVIDERS, ids=lambda provider: provider.name)
def test_its_page_names_what_a_scenario_may_set(provider: Provider) -> None:
    """Each vendor's page of the documentation lists every name of `values`."""
    page = (PAGES / f"{provider.base.removeprefix('/')}.md").read_text("utf-8")
    assert [name for name in provider.value_names if f"`{name}`" not in page] == []
