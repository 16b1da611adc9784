"""Tasks by the control API: shown, stepped by hand, and made in any status; and what clients see of it."""

from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator import stepping
from emulator.core.scenario import ClockSettings
from emulator.core.units import LAST_INSTANT, SECOND
from emulator.core.words import ErrorName, Profile, Status
from emulator.providers import by_name
from tests.worlds import Answer, World

ALL = "/__admin/tasks"
CREATES = {
    "acedata-sora": ("/acedata/sora/videos", {"prompt": "a cat", "async": True}),
    "acedata-veo": ("/acedata/veo/videos", {"prompt": "a cat", "action": "text2video", "async": True}),
    "octopusx": ("/octopusx/v1/videos", {"prompt": "a cat"}),
    "ezmodel": ("/ezmodel/v1/videos", {"prompt": "a cat"}),
}
POLLS = {"acedata-sora": "/acedata/sora/tasks", "acedata-veo": "/acedata/veo/tasks"}
STATUSES = [status.value for status in Status]
OPENAI = ["octopusx", "ezmodel"]


def control(world: World, method: str, path: str, body: Any = None) -> Answer:
    """One request to the control API."""
    return world.call(method, path, body, headers={}, host="localhost:8080")


def create(world: World, provider: str = "octopusx") -> str:
    """The id of a task that a client creates."""
    path, fields = CREATES[provider]
    made = world.post(path, fields).json()
    return str(made.get("task_id") or made["id"])


def poll(world: World, provider: str, task_id: str) -> Any:
    """What a client's poll gets."""
    escaped = quote(task_id, safe="")
    if provider in POLLS:
        return world.post(POLLS[provider], {"action": "retrieve", "id": task_id}).json()
    return world.get(f"/{provider}/v1/videos/{escaped}").json()


def at(task_id: str, verb: str = "", query: str = "") -> str:
    """The address of a task, or of what can be done to it."""
    return f"{ALL}/{quote(task_id, safe='')}{f'/{verb}' if verb else ''}{query}"


def step(world: World, task_id: str, verb: str, body: Any = None) -> Any:
    """The task after a step."""
    answer = control(world, "POST", at(task_id, verb), body)
    assert answer.status_code == 200, answer.body
    return answer.json()


def make(world: World, **body: Any) -> Any:
    """A task made by hand."""
    answer = control(world, "POST", ALL, {"provider": "octopusx", **body})
    assert answer.status_code == 201, answer.body
    return answer.json()


def detail(world: World, task_id: str) -> Any:
    """All that is told of a task."""
    answer = control(world, "GET", at(task_id))
    assert answer.status_code == 200, answer.body
    return answer.json()


def link_in(printed: Any) -> Any:
    """The link to the result in what a provider prints."""
    if "request" in printed:
        data = printed.get("response", {}).get("data") or [{}]
        return data[0].get("video_url") or None
    return printed.get("video_url") or printed.get("url") or None


# What clients see. Documents, and for `current` the fact sheets: see docs/providers.

SPOKEN = {
    ("octopusx", "documented"): ["queued", "processing", "completed", "failed", "cancelled"],
    ("octopusx", "current"): ["queued", "in_progress", "completed", "failed", "failed"],
    ("ezmodel", "documented"): ["pending", "processing", "completed", "failed", "failed"],
    ("ezmodel", "current"): ["queued", "in_progress", "completed", "failed", "failed"],
}
RESPONSES = [None, None, True, False, False]
CASES = [(provider, profile, status) for provider in by_name for profile in Profile for status in Status]


def assert_shows(printed: Any, provider: str, profile: str, status: str) -> None:
    """What a poll printed says the status in the provider's words."""
    number = STATUSES.index(status)
    if provider in OPENAI:
        assert printed["status"] == SPOKEN[provider, profile][number]
    else:
        assert (printed.get("response") or {}).get("success") is RESPONSES[number]
    assert (link_in(printed) is not None) is (status == "completed")


@pytest.mark.parametrize(("provider", "profile", "status"), CASES)
def test_a_task_made_in_any_status_is_polled_so(provider: str, profile: Profile, status: Status) -> None:
    """At each provider, in both of its faces."""
    world = World(profile=profile)
    made = make(world, provider=provider, status=status.value)
    assert (made["status"], made["profile"]) == (status, profile)
    assert_shows(poll(world, provider, made["id"]), provider, profile, status)


@pytest.mark.parametrize(("provider", "profile", "status"), CASES)
def test_a_task_put_into_any_status_is_polled_so(provider: str, profile: Profile, status: Status) -> None:
    """Whether or not its timeline has such an entry."""
    world = World(profile=profile)
    task_id = create(world, provider)
    patched = control(world, "PATCH", at(task_id), {"status": status.value}).json()
    assert (patched["id"], patched["status"]) == (task_id, status)
    assert_shows(poll(world, provider, task_id), provider, profile, status)


@pytest.mark.parametrize("how", ["completed", "made", "advanced"])
@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", by_name)
def test_the_link_of_a_forced_completion_works(provider: str, profile: Profile, how: str) -> None:
    """It is served, and by the content route where there is one."""
    world = World(profile=profile)
    task_id = (
        make(world, provider=provider, status="completed")["id"] if how == "made" else create(world, provider)
    )
    for verb in {"completed": ["complete"], "made": [], "advanced": ["advance"] * 2}[how]:
        step(world, task_id, verb)
    link = link_in(poll(world, provider, task_id))
    assert link is not None
    parts = urlsplit(link)
    video = world.get(f"{parts.path}?{parts.query}", headers={})
    assert (video.status_code, video.headers["content-type"], video.body[4:8]) == (200, "video/mp4", b"ftyp")
    if provider in OPENAI:
        assert world.get(f"/{provider}/v1/videos/{task_id}/content").body == video.body


@pytest.mark.parametrize(
    "error", ["content_rejected", {"name": "timeout", "message": "too slow, {{ task.id }}"}]
)
@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", by_name)
def test_an_error_is_printed_as_a_scenarios_is(provider: str, profile: Profile, error: Any) -> None:
    """By /fail, by PATCH and on a made task: what the same error in a timeline prints."""
    entry = f"{{status: failed, error: {written(error)}}}"
    text = f"version: 1\nname: fails\ntasks:\n  - id: same\n    timeline: [{entry}]\n"
    scripted = poll(World(text, profile=profile), provider, "same")

    def failed(way: str) -> Any:
        world = World(profile=profile)
        status = "failed" if way == "made" else "queued"
        make(
            world, provider=provider, id="same", status=status, **({"error": error} if way == "made" else {})
        )
        if way == "fail":
            step(world, "same", "fail", {"error": error})
        if way == "patch":
            control(world, "PATCH", at("same"), {"error": error})
        return poll(world, provider, "same")

    for way in ("fail", "patch", "made"):
        assert error_in(failed(way)) == error_in(scripted)


def written(error: Any) -> str:
    """An error as a scenario file has it."""
    return error if isinstance(error, str) else f"{{name: {error['name']}, message: '{error['message']}'}}"


def error_in(printed: Any) -> Any:
    """The error that a provider prints."""
    error = printed.get("error") or printed["response"]["error"]
    assert error["code"]
    return error


# Stepping


def test_advance_leads_through_the_timeline_and_no_further() -> None:
    """Each entry begins at the clock's instant; at the end there is nothing to advance to."""
    world = World("rate-limited")
    task_id = create(world)
    seen = []
    for _ in range(2):
        world.advance(SECOND)
        stepped = step(world, task_id, "advance")
        seen.append((stepped["status"], stepped["ended_at"]))
    assert seen == [("processing", None), ("completed", "2025-01-01T00:00:02Z")]
    before = detail(world, task_id)
    answer = control(world, "POST", at(task_id, "advance"))
    assert answer.status_code == 409
    assert "ended at 2025-01-01T00:00:02Z as completed" in answer.json()["detail"]
    assert detail(world, task_id) == before


def test_advance_ends_what_polls_or_steps_would_end() -> None:
    """An entry that answers polls, and one of `progression: manual`."""
    for text in ("{polls: 9, status: queued}", "{for: 9s, status: queued}"):
        world = World(
            f"version: 1\ntasks: [{{progression: manual, timeline: [{text}, {{status: processing, for: 1s}}, "
            f"{{status: failed}}]}}]\n"
        )
        task_id = create(world)
        world.advance(60 * SECOND)
        assert poll(world, "octopusx", task_id)["status"] == "queued"
        assert detail(world, task_id)["progression"] == "manual"
        assert [step(world, task_id, "advance")["status"] for _ in range(2)] == ["processing", "failed"]


@pytest.mark.parametrize(
    ("verb", "status"), [("complete", "completed"), ("fail", "failed"), ("cancel", "cancelled")]
)
def test_each_verb_ends_a_task_now(verb: str, status: str) -> None:
    """And what has ended takes no further step: it stays as it is."""
    world = World()
    task_id = create(world)
    world.advance(SECOND)
    ended = step(world, task_id, verb)
    assert (ended["status"], ended["ended_at"]) == (status, "2025-01-01T00:00:01Z")
    before = detail(world, task_id)
    for other in ("advance", "complete", "fail", "cancel"):
        assert control(world, "POST", at(task_id, other)).status_code == 409
    for body in ({"status": "queued"}, {"progress": 5}, {"error": "internal"}):
        assert control(world, "PATCH", at(task_id), body).status_code == 409
    assert detail(world, task_id) == before


def test_progress_is_shown_until_the_entry_ends() -> None:
    """It may fall, and what follows goes on by the timeline."""
    world = World()
    task_id = create(world)
    world.advance(6 * SECOND)
    assert poll(world, "octopusx", task_id)["progress"] == 49
    for progress in (80, 20):
        assert control(world, "PATCH", at(task_id), {"progress": progress}).json()["progress"] == progress
        assert poll(world, "octopusx", task_id)["progress"] == progress
    world.advance(4 * SECOND)
    assert poll(world, "octopusx", task_id)["status"] == "completed"


def test_a_patch_may_say_several_things() -> None:
    """A status with a progress, or with an error; an error alone means failed."""
    world = World()
    one, two, three = (create(world) for _ in range(3))
    patched = control(world, "PATCH", at(one), {"status": "processing", "progress": 42}).json()
    assert (patched["status"], patched["progress"]) == ("processing", 42)
    control(world, "PATCH", at(two), {"status": "failed", "progress": 7, "error": {"code": "odd"}})
    printed = poll(world, "octopusx", two)
    assert (printed["progress"], printed["error"]["code"]) == (7, "odd")
    assert control(world, "PATCH", at(three), {"error": "internal"}).json()["status"] == "failed"


def test_a_stepped_task_goes_on_by_the_clock() -> None:
    """`next_change_at` tells when."""
    world = World()
    task_id = create(world)
    world.advance(SECOND)
    assert step(world, task_id, "advance")["next_change_at"] == "2025-01-01T00:00:09Z"
    world.advance(8 * SECOND)
    assert poll(world, "octopusx", task_id)["status"] == "completed"


def test_an_auto_clock_goes_on_from_a_step() -> None:
    """A client that polls sees what was forced, then every later status once."""
    world = World(clock=ClockSettings(mode="auto", start=0))
    task_id = create(world)
    assert poll(world, "octopusx", task_id)["status"] == "queued"
    step(world, task_id, "advance")
    assert [poll(world, "octopusx", task_id)["status"] for _ in range(2)] == ["processing", "completed"]


def test_so_many_steps_are_enough() -> None:
    """Each is kept, so there is a bound; the task stays as it was."""
    world = World()
    create(world)
    (task,) = world.namespace.store.newest_first()
    for number in range(stepping.MAX_STEPS):
        task = stepping.force(world.namespace, task, None, number % 100)
    answer = control(world, "PATCH", at(task.id), {"progress": 50})
    assert (answer.status_code, "10,000 times" in answer.json()["detail"]) == (409, True)
    assert world.namespace.store.get("octopusx", task.id) is task


STEP = st.sampled_from(["advance", "complete", "fail", "cancel", *STATUSES]) | st.integers(0, 100)


@given(st.lists(st.tuples(STEP, st.integers(0, 3)), max_size=8))
def test_clients_see_what_the_control_api_tells(steps: list[tuple[str | int, int]]) -> None:
    """Whatever was done before, taken or refused; and a refusal changes nothing."""
    world = World()
    task_id = create(world)
    for what, seconds in steps:
        world.advance(seconds * SECOND)
        before = detail(world, task_id)
        if isinstance(what, int):
            answer = control(world, "PATCH", at(task_id), {"progress": what})
        elif what in STATUSES:
            answer = control(world, "PATCH", at(task_id), {"status": what})
        else:
            answer = control(world, "POST", at(task_id, what))
        assert answer.status_code in {200, 409}
        told = detail(world, task_id)
        if answer.status_code == 409:
            assert told == before
        printed = poll(world, "octopusx", task_id)
        assert (printed["status"], printed["progress"]) == (told["status"], told["progress"])


# Which task


def test_an_id_at_two_providers_is_chosen_by_name() -> None:
    """Without it the answer says between which."""
    world = World()
    for provider in OPENAI:
        make(world, provider=provider, id="both")
    answer = control(world, "POST", at("both", "complete"))
    assert (answer.status_code, answer.json()["names"]) == (409, OPENAI)
    assert control(world, "GET", at("both")).status_code == 409
    ended = control(world, "POST", at("both", "complete", "?provider=ezmodel")).json()
    assert (ended["provider"], ended["status"]) == ("ezmodel", "completed")
    shown = control(world, "GET", at("both", query="?provider=octopusx")).json()
    assert (shown["provider"], shown["status"]) == ("octopusx", "queued")


ID = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20)


@given(ID)
@example("a/b")
@example("a/")
@example("/")
@example("x/advance")
@example("advance")
@example("100%2Fb")
@example("sora-2:task/ü")
def test_an_id_may_hold_whatever_can_be_seen(task_id: str) -> None:
    """Escaped in the path, it is found again; by clients too."""
    world = World()
    assert make(world, id=task_id)["id"] == task_id
    assert detail(world, task_id)["id"] == task_id
    assert control(world, "PATCH", at(task_id), {"progress": 7}).json()["progress"] == 7
    assert step(world, task_id, "complete")["id"] == task_id
    assert poll(world, "octopusx", task_id)["status"] == "completed"


def test_an_unknown_one_is_told_with_the_nearest() -> None:
    """Of the newest; without any near one, where to look."""
    world = World()
    task_id = create(world)
    for path in (at(f"{task_id}0"), at(f"{task_id}0", query="?provider=octopusx")):
        answer = control(world, "GET", path)
        assert (answer.status_code, answer.json()["names"]) == (404, [task_id])
        assert f"did you mean {task_id!r}?" in answer.json()["detail"]
    stranger = control(world, "POST", at("zzz", "cancel", "?provider=ezmodel"))
    assert stranger.json()["detail"] == (
        "ezmodel doesn't have a task 'zzz' in this namespace; GET /__admin/tasks lists those that there are"
    )
    assert control(world, "GET", f"/ns/a{at(task_id)}").status_code == 404


@pytest.mark.parametrize("verb", ["advance", "complete", "fail", "cancel"])
def test_a_verb_is_only_posted(verb: str) -> None:
    """It is no part of an id, unless its slash is escaped."""
    world = World()
    for method, body in (("GET", None), ("PATCH", {})):
        answer = control(world, method, at(create(world), verb), body)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    make(world, id=f"a/{verb}")
    assert detail(world, f"a/{verb}")["status"] == "queued"
    answer = control(world, "POST", at(f"a/{verb}"))
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, PATCH")
    assert step(world, f"a/{verb}", verb)["status"] != "queued"


# Making


def test_without_a_status_it_follows_its_timeline_from_its_creation() -> None:
    """As if a client had created it then; before, nobody knows it."""
    world = World()
    assert make(world)["status"] == "queued"
    assert make(world, created_at="2024-12-31T23:59:54Z")["progress"] == 49
    assert make(world, created_at="2024-12-31T00:00:00Z")["ended_at"] == "2024-12-31T00:00:10Z"
    made = make(world, id="later", created_at="2025-01-01T00:00:05Z", status="failed")
    assert (made["status"], made["created_at"]) == ("failed", "2025-01-01T00:00:05Z")
    assert "error" in poll(world, "octopusx", "later")
    assert "id" not in poll(world, "octopusx", "later")
    world.advance(5 * SECOND)
    assert poll(world, "octopusx", "later")["status"] == "failed"


def test_with_a_status_it_has_always_been_in_it() -> None:
    """However old it is; what is left of its timeline goes on from now."""
    world = World()
    old = {"created_at": "2024-12-31T00:00:00Z"}
    rendering = make(world, status="processing", progress=30, **old)
    assert (rendering["progress"], rendering["next_change_at"]) == (30, "2025-01-01T00:00:08Z")
    assert make(world, status="failed", **old)["ended_at"] == "2024-12-31T00:00:00Z"
    world.advance(8 * SECOND)
    assert poll(world, "octopusx", rendering["id"])["status"] == "completed"


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("provider", by_name)
@pytest.mark.parametrize(
    "created_at", ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z"]
)
def test_it_may_be_as_old_or_as_new_as_a_date_can_be(
    provider: str, profile: Profile, created_at: str
) -> None:
    """A client's poll gets an answer all the same, and the link of an old one has died."""
    world = World(profile=profile)
    made = make(world, provider=provider, status="completed", created_at=created_at, id="odd")
    assert made["created_at"] == created_at
    if created_at[0] == "9":
        world.namespace.clock.move_to(LAST_INSTANT)
    parts = urlsplit(link_in(poll(world, provider, "odd")) or "")
    code = world.get(f"{parts.path}?{parts.query}", headers={}).status_code
    # Sora's links tell when they die as a date, and no date is later than the end of the year 9999.
    assert code == (200 if created_at[0] == "9" and provider != "acedata-sora" else 403)


def test_it_is_made_under_the_scenario_in_force_or_another() -> None:
    """With its timeline, its video and its rules; under what a provider's document shows where it speaks of others."""
    timeline = "[{status: completed, video: {expires_in: 1m}}]"
    short = f"version: 1\nname: short\nproviders: [octopusx]\ntasks: [{{timeline: {timeline}}}]\n"
    world = World(others=[short])
    assert make(world, scenario="slow-queue", status="queued")["scenario"] == "slow-queue"
    made = make(world, scenario="short")
    assert (made["scenario"], made["status"]) == ("short", "completed")
    assert detail(world, made["id"])["link_dies_at"] == "2025-01-01T00:01:00Z"
    assert make(world, provider="ezmodel", scenario="short")["scenario"] == "happy-path"


def test_it_has_the_request_and_the_values_that_it_was_given() -> None:
    """Else the example of the provider's document."""
    world = World()
    request = {"model": "sora-2-pro", "prompt": "a dog", "seconds": "12", "size": "1280x720"}
    make(world, id="given", request=request, values={"model": "chosen"})
    printed = poll(world, "octopusx", "given")
    assert (printed["model"], printed["seconds"], printed["size"]) == ("chosen", "12", "1280x720")
    told = detail(world, "given")
    assert (told["request"], told["values"]) == (request, {"model": "chosen"})
    assert detail(world, make(world)["id"])["request"] == by_name["octopusx"].example_request


def test_its_values_go_before_the_scenarios() -> None:
    """Which keep those that weren't given."""
    world = World("version: 1\ntasks: [{values: {model: theirs, size: 1x1}}]\n")
    printed = poll(world, "octopusx", make(world, values={"model": "mine"})["id"])
    assert (printed["model"], printed["size"]) == ("mine", "1x1")


def test_an_item_matches_it_by_its_request() -> None:
    """And its provider. One with `calls` waits for the clients' creates, whose count goes on as if it weren't there."""
    text = """\
version: 1
tasks:
  - {id: theirs, timeline: [{status: failed}]}
  - {provider: ezmodel, timeline: [{status: failed}]}
  - {calls: 1, timeline: [{status: failed}]}
  - {match: {prompt: {contains: dog}}, timeline: [{status: cancelled}]}
  - {timeline: [{status: processing, stuck: true}]}
"""
    world = World(text)
    assert make(world)["status"] == "processing"
    assert make(world, request={"prompt": "a dog"})["status"] == "cancelled"
    assert [poll(world, "octopusx", create(world))["status"] for _ in range(2)] == ["failed", "processing"]


def test_one_that_no_item_takes_gets_the_happy_path() -> None:
    """And says so."""
    world = World("version: 1\ntasks: [{match: {prompt: a dog}, timeline: [{status: failed}]}]\n")
    for task_id in (make(world)["id"], create(world)):
        told = detail(world, task_id)
        assert (told["item"], told["timeline"][0]["status"]) == (None, "queued")
    assert detail(world, make(world, request={"prompt": "a dog"})["id"])["item"] == 0


def test_making_one_shifts_no_draw_of_a_clients_tasks() -> None:
    """They get the ids that they would have got."""
    quiet, busy = World(), World()
    made = [make(busy)["id"] for _ in range(2)]
    make(busy, id="x", request={"prompt": "a cat"})
    assert create(busy) == create(quiet)
    assert len({*made, create(quiet)}) == 3
    control(busy, "POST", "/__admin/reset")
    assert make(busy)["id"] == made[0]


def test_an_id_that_is_taken_is_refused() -> None:
    """At this provider; also where the scenario that is named would bring one along. Nothing has changed."""
    brings = "version: 1\nname: brings\nproviders: [octopusx, acedata-veo]\ntasks:\n"
    world = World(others=[f"{brings}  - {{id: theirs, provider: octopusx}}\n  - {{id: everybodys}}\n"])
    make(world, id="mine")
    for body in ({"id": "mine"}, *({"id": i, "scenario": "brings"} for i in ("theirs", "everybodys"))):
        answer = control(world, "POST", ALL, {"provider": "octopusx", **body})
        assert answer.status_code == 409
        assert f"id: octopusx has a task {body['id']!r} already" in answer.json()["detail"]
        assert control(world, "GET", ALL).json()["total"] == 1
    for provider, free in [("ezmodel", "mine"), ("ezmodel", "everybodys"), ("acedata-veo", "theirs")]:
        assert make(world, provider=provider, id=free, scenario="brings")["id"] == free


REFUSED = [
    ("POST", ALL, {}, 400, "provider: expected one of acedata-sora, acedata-veo, octopusx, ezmodel, got nothing"),
    ("POST", ALL, {"provider": "octopus"}, 400, "did you mean octopusx?"),
    ("POST", ALL, {"provider": "octopusx", "status": "done"}, 400, "status: expected one of queued"),
    ("POST", ALL, {"provider": "octopusx", "progress": 5}, 400, "progress: says nothing without a status"),
    ("POST", ALL, {"provider": "octopusx", "progress": 101, "status": "queued"}, 400, "from 0 to 100, got 101"),
    ("POST", ALL, {"provider": "octopusx", "error": "internal", "status": "queued"}, 400, "error: only a failed"),
    ("POST", ALL, {"provider": "octopusx", "error": "429"}, 400, "did you mean 'rate_limited'?"),
    ("POST", ALL, {"provider": "octopusx", "error": {}}, 400, "give it name, code, message or shape"),
    ("POST", ALL, {"provider": "octopusx", "error": {"name": "intern"}}, 400, "error.name: expected a named error"),
    ("POST", ALL, {"provider": "octopusx", "error": {"code": 5}}, 400, "error.code: expected a text, got 5"),
    ("POST", ALL, {"provider": "octopusx", "error": {"code": "{{ now }}"}}, 400, "no template is filled in here"),
    ("POST", ALL, {"provider": "octopusx", "error": {"message": "{{ x }}"}}, 400, "'x' is no template name"),
    ("POST", ALL, {"provider": "octopusx", "error": {"message": ["x"]}}, 400, "error.message: expected a text"),
    ("POST", ALL, {"provider": "octopusx", "error": {"mesage": "x"}}, 400, "did you mean message?"),
    ("POST", ALL, {"provider": "octopusx", "error": {"shape": "list"}}, 400, "error.shape: expected one of object"),
    ("POST", ALL, {"provider": "octopusx", "error": {"code": "x" * 10_001}}, 400, "at most 10,000 characters"),
    ("POST", ALL, {"provider": "octopusx", "error": None}, 400, "error: expected a named error such as internal"),
    ("POST", ALL, {"provider": "octopusx", "request": []}, 400, "request: expected the fields of a create request"),
    ("POST", ALL, {"provider": "octopusx", "values": {"modl": 1}}, 400, "values.modl: octopusx has no value"),
    ("POST", ALL, {"provider": "octopusx", "scenario": "nobody"}, 404, "no scenario is called 'nobody'"),
    ("POST", ALL, {"provider": "octopusx", "created_at": "now"}, 400, "created_at: expected an instant"),
    ("POST", ALL, {"provider": "octopusx", "id": ""}, 400, "id: expected an id"),
    ("POST", ALL, {"provider": "octopusx", "id": "a\nb"}, 400, "id: expected an id of 1 to 1,000 characters"),
    ("PATCH", at("there"), {}, 400, "expected at least one of status, progress and error, got nothing"),
    ("PATCH", at("there"), {"status": "failed", "progress": -1}, 400, "progress: expected a whole number"),
    ("PATCH", at("there"), {"status": "completed", "error": "internal"}, 400, "error: only a failed task has one"),
    ("PATCH", at("there"), {"stat": "failed"}, 400, "stat: unknown; expected status, progress, error"),
    ("POST", at("there", "fail"), {"error": {"name": "x"}}, 400, "error.name: expected a named error"),
    ("POST", at("there", "complete"), {"status": "x"}, 400, "status: unknown; expected nothing"),
    ("POST", at("there", "advance", "?provider=ezmodel"), None, 404, "ezmodel doesn't have a task 'there'"),
    ("POST", at("there", "advance", "?provider=ez"), None, 400, "provider: expected one of"),
    ("POST", at("there", "sing"), None, 404, "has no /__admin/tasks/there/sing"),
    ("DELETE", at("there"), None, 405, "doesn't take DELETE"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status_code", "said"), REFUSED)
def test_what_is_refused_says_why_and_changes_nothing(
    method: str, path: str, body: Any, status_code: int, said: str
) -> None:
    """A problem document; the tasks are as they were."""
    world = World()
    make(world, id="there")
    before = (detail(world, "there"), control(world, "GET", ALL).json())
    answer = control(world, method, path, body)
    assert (answer.status_code, answer.headers["content-type"]) == (status_code, "application/problem+json")
    assert said in answer.json()["detail"]
    assert (detail(world, "there"), control(world, "GET", ALL).json()) == before


def test_every_mistake_is_told_at_once() -> None:
    """Those between fields too."""
    body = {
        "provider": "octopusx",
        "status": "queued",
        "error": {"name": "intern", "mesage": 1},
        "progress": 1.5,
        "valus": {},
    }
    told = control(World(), "POST", ALL, body).json()["mistakes"]
    assert {mistake["where"] for mistake in told} == {"error.name", "error.mesage", "progress", "valus"}
    body = {"provider": "octopusx", "status": "queued", "error": "internal", "values": {"a": 1, "b": 2}}
    told = control(World(), "POST", ALL, body).json()["mistakes"]
    assert [mistake["where"] for mistake in told] == ["error", "values.a", "values.b"]


@pytest.mark.parametrize("name", ErrorName)
def test_every_named_error_can_be_a_tasks(name: ErrorName) -> None:
    """As in a scenario's timeline."""
    world = World()
    told = step(world, create(world), "fail", {"error": name.value})
    (entry,) = [e for e in detail(world, told["id"])["timeline"] if e["state"] == "present"]
    assert entry["error"] == {"name": name.value, "code": None, "message": None, "shape": "object"}


# Looking


def test_a_task_is_shown_with_its_timeline_and_its_facts() -> None:
    """What was, is and will be, each with its instant where that is known."""
    text = """\
version: 1
name: story
tasks:
  - about: Everybody's.
    timeline:
      - {status: queued, polls: 2, about: In the queue.}
      - {status: processing, for: 8s, progress: {from: 5, to: 50}, word: rendering}
      - {status: completed}
"""
    world = World(text)
    task_id = create(world)
    for _ in range(2):
        world.advance(SECOND)
        poll(world, "octopusx", task_id)
    world.advance(SECOND)
    control(world, "PATCH", at(task_id), {"progress": 3})
    told = detail(world, task_id)
    common = {
        "for": None,
        "polls": None,
        "until": None,
        "progress": None,
        "word": None,
        "error": None,
        "about": None,
    }
    queued = {**common, "place": 0, "state": "past", "status": "queued", "polls": 2, "about": "In the queue."}
    processing = {
        **common,
        "place": 1,
        "state": "present",
        "status": "processing",
        "for": "8s",
        "progress": 3,
    }
    completed = {**common, "place": 2, "state": "ahead", "status": "completed"}
    assert told["timeline"] == [
        {**queued, "begins_at": "2025-01-01T00:00:00Z"},
        {**processing, "begins_at": "2025-01-01T00:00:02Z", "word": "rendering"},
        {**completed, "begins_at": "2025-01-01T00:00:10Z"},
    ]
    assert told["facts"] == {
        "polls": 2,
        "polls_in_entry": 0,
        "calls": {},
        "fired": {},
        "ended": ["2025-01-01T00:00:02Z"],
        "steps": [{"at": "2025-01-01T00:00:03Z", "status": "processing", "progress": 3}],
        "callbacks": [],
    }
    assert told["next_callback_at"] is None
    assert (told["version"], told["item"]) == (f"story@{world.scenario.digest}", 0)
    assert told["request"] == {"prompt": "a cat"}
    summary = control(world, "GET", ALL).json()["tasks"][0]
    assert {name: told[name] for name in summary} == summary


def test_a_made_tasks_step_is_dated_at_its_creation() -> None:
    """There was nothing before."""
    world = World()
    told = detail(world, make(world, status="cancelled", created_at="2024-01-01T00:00:00Z")["id"])
    assert told["facts"]["steps"] == [{"at": "2024-01-01T00:00:00Z", "status": "cancelled", "progress": None}]
    assert [entry["state"] for entry in told["timeline"]] == ["skipped", "present", "skipped", "skipped"]


def test_looking_is_no_poll() -> None:
    """Neither at one nor at all."""
    world = World("version: 1\ntasks: [{timeline: [{status: queued, polls: 1}, {status: failed}]}]\n")
    task_id = create(world)
    for _ in range(3):
        assert detail(world, task_id)["status"] == "queued"
        assert control(world, "GET", ALL).json()["tasks"][0]["polls"] == 0


def test_tasks_are_filtered_by_what_they_were_created_under() -> None:
    """And by provider and status beside it."""
    world = World()
    make(world, scenario="slow-queue", id="a")
    make(world, scenario="slow-queue", id="b", provider="ezmodel")
    make(world, id="c")
    for query, ids in [
        ("?scenario=slow-queue", ["a", "b"]),
        ("?scenario=slow-queue&provider=ezmodel", ["b"]),
        ("?scenario=happy-path&status=queued", ["c"]),
        ("?scenario=nobody", []),
    ]:
        page = control(world, "GET", f"{ALL}{query}").json()
        assert (sorted(task["id"] for task in page["tasks"]), page["total"]) == (ids, len(ids))


def test_a_step_reaches_no_other_namespace() -> None:
    """Though the same seed gave their tasks the same id."""
    world = World()
    task_id = create(world)
    assert world.post("/ns/a/octopusx/v1/videos", CREATES["octopusx"][1]).json()["id"] == task_id
    control(world, "POST", f"/ns/a{at(task_id, 'cancel')}")
    assert detail(world, task_id)["status"] == "queued"
    assert control(world, "GET", f"/ns/a{at(task_id)}").json()["status"] == "cancelled"
