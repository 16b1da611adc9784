"""Listing, deleting and remixing tasks, and creates that make one video of another: the road that they take."""

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.units import MINUTE, SECOND
from emulator.core.words import Profile
from tests.worlds import World

PROVIDERS: Final = ("octopusx", "ezmodel")
CURRENT: Final = Profile.CURRENT
ADMIN: Final = {"host": "localhost"}
each = pytest.mark.parametrize("provider", PROVIDERS)


def created(world: World, provider: str, prompt: str = "a cat", **fields: Any) -> str:
    """The id of a new task."""
    answer = world.post(f"/{provider}/v1/videos", {"prompt": prompt, **fields})
    assert answer.status_code == 200
    return str(answer.json()["id"])


def operations_of(world: World) -> list[str | None]:
    """What the journal says was asked for."""
    return [record.operation for record in world.namespace.journal]


# Lists


@given(
    gaps=st.lists(st.sampled_from([0, SECOND]), max_size=12),
    limit=st.integers(1, 5),
    oldest_first=st.booleans(),
)
def test_pages_show_every_task_once(gaps: list[int], limit: int, oldest_first: bool) -> None:
    """Whatever their length and order; the last page says that it is the last."""
    world = World(profile=CURRENT)
    made = []
    for gap in gaps:
        world.advance(gap)
        made.append(created(world, "octopusx"))
    seen: list[str] = []
    query = f"limit={limit}&order={'asc' if oldest_first else 'desc'}"
    has_more, after = True, ""
    while has_more:
        page = world.get(f"/octopusx/v1/videos?{query}{after}").json()
        shown = [task["id"] for task in page["data"]]
        assert len(shown) <= limit
        assert (page["first_id"], page["last_id"]) == ((shown[0], shown[-1]) if shown else (None, None))
        seen += shown
        has_more, after = page["has_more"], f"&after={page['last_id']}"
    assert seen == (made if oldest_first else made[::-1])


@each
@pytest.mark.parametrize(
    ("query", "count", "has_more"),
    [
        ("", 20, True),
        ("limit=0", 0, False),
        ("limit=3", 3, True),
        ("limit=25", 25, False),
        ("limit=24", 24, True),
        ("limit=1000", 25, False),
        ("limit=-1", 0, False),
        ("limit=many", 20, True),
        ("limit=&order=&after=", 20, True),
        ("after=nobody", 0, False),
        ("after=nobody&order=asc", 0, False),
        ("order=sideways&limit=1", 1, True),
    ],
)
def test_a_list_ends_whatever_is_asked_for(provider: str, query: str, count: int, has_more: bool) -> None:
    """What OpenAI's API doesn't know counts as left out, or as the nearest; behind an unknown task is nothing."""
    world = World(profile=CURRENT)
    for _ in range(25):
        created(world, provider)
    page = world.get(f"/{provider}/v1/videos?{query}").json()
    assert (len(page["data"]), page["has_more"]) == (count, has_more)


@each
def test_a_list_is_in_order_of_creation(provider: str) -> None:
    """A task that a scenario brings along from the past, and one that isn't there yet."""
    text = """
        version: 1
        profile: current
        tasks:
          - {id: young}
          - {id: old, created: -30s}
          - {id: unborn, created: 30s}
    """
    world = World(text)
    made = created(world, provider)
    shown = [task["id"] for task in world.get(f"/{provider}/v1/videos").json()["data"]]
    assert (shown[-1], set(shown)) == ("old", {"young", "old", made})


@each
def test_a_listing_is_no_poll(provider: str) -> None:
    """It ends no `polls` entry, and shows each task as a poll prints it, patches included."""
    text = """
        version: 1
        profile: current
        tasks:
          - patch: {size: 1x1}
            timeline: [{status: queued, polls: 1}, {status: completed}]
        rules:
          - {operation: list, patch: {model: another}}
    """
    world = World(text)
    task = created(world, provider)
    for _ in range(3):
        (shown,) = world.get(f"/{provider}/v1/videos").json()["data"]
        assert (shown["status"], shown["size"], shown["model"]) == ("queued", "1x1", "another")
    polled = world.get(f"/{provider}/v1/videos/{task}").json()
    assert {**polled, "model": "another"} == shown
    assert operations_of(world) == ["create", "list", "list", "list", "poll"]


@each
def test_rules_may_speak_of_lists(provider: str) -> None:
    """Their calls are counted in the namespace, and `since: start` counts from the activation."""
    text = """
        version: 1
        profile: current
        rules:
          - {operation: list, calls: 2, error: rate_limited}
          - {operation: list, since: start, between: 1m+, error: internal}
    """
    world = World(text)
    assert [world.get(f"/{provider}/v1/videos").status_code for _ in range(3)] == [200, 429, 200]
    world.advance(MINUTE)
    assert world.get(f"/{provider}/v1/videos").status_code == 500


def test_a_list_without_ids_ends_too() -> None:
    """An author's patch may take them away: then no page follows, since nobody could ask for it."""
    world = World("{version: 1, profile: current, tasks: [{patch: {id: null}}]}")
    for _ in range(3):
        answer = world.post("/octopusx/v1/videos", {"prompt": "a cat"})
        assert answer.status_code == 200
    page = world.get("/octopusx/v1/videos?limit=2").json()
    assert (len(page["data"]), page["last_id"], page["has_more"]) == (2, None, False)


# Deletions


@each
@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
def test_a_task_that_has_ended_can_be_deleted(provider: str, ending: str) -> None:
    """Then nobody knows it any more: polls, content, lists and another deletion."""
    text = f"""
        version: 1
        profile: current
        tasks: [{{timeline: [{{status: queued, for: 5s}}, {{status: {ending}}}]}}]
    """
    world = World(text)
    base = f"/{provider}/v1/videos"
    task, other = created(world, provider), created(world, provider)
    early = world.call("DELETE", f"{base}/{task}")
    assert (early.status_code, early.json()["error"]["type"]) == (400, "invalid_request_error")
    world.advance(MINUTE)
    assert world.call("DELETE", f"{base}/{task}").json() == {
        "id": task,
        "object": "video.deleted",
        "deleted": True,
    }
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", ""), ("POST", "/remix")):
        assert world.call(method, f"{base}/{task}{path}", {"prompt": "a dog"}).status_code in (400, 404)
    assert [shown["id"] for shown in world.get(base).json()["data"]] == [other]
    assert len(world.namespace.store) == 1


def test_a_deleted_task_leaves_the_agenda() -> None:
    """An advance meets nothing of it."""
    text = """
        version: 1
        profile: current
        tasks: [{timeline: [{status: completed, for: 1h}, {status: completed, video: {id: another}}]}]
    """
    world = World(text)
    task = created(world, "octopusx")
    assert changes_of(world, "30m") == []
    kept = created(world, "octopusx")
    world.call("DELETE", f"/octopusx/v1/videos/{task}")
    assert changes_of(world, "2h") == [kept]


def changes_of(world: World, by: str) -> list[str]:
    """The tasks that changed in an advance."""
    answer = world.post("/__admin/clock/advance", {"by": by}, headers=ADMIN)
    assert answer.status_code == 200
    return [change["task"] for change in answer.json()["changes"]]


@each
def test_rules_may_speak_of_deletions(provider: str) -> None:
    """They are the task's own; the task stays."""
    rule = "{operation: delete, while: completed, calls: 1, error: forbidden}"
    world = World(f"{{version: 1, profile: current, rules: [{rule}]}}")
    task = created(world, provider)
    world.advance(MINUTE)
    path = f"/{provider}/v1/videos/{task}"
    assert [world.call("DELETE", path).status_code for _ in range(3)] == [403, 200, 400]


@pytest.mark.parametrize("service", ["sora", "veo"])
def test_acedata_deletes_by_an_action(service: str) -> None:
    """Whatever the task is doing; a rule on deletions holds for it, and one on polls doesn't."""
    text = """
        version: 1
        profile: current
        rules:
          - {operation: poll, while: queued, calls: 1, error: internal}
          - {operation: delete, while: queued, calls: 1, error: forbidden}
    """
    world = World(text)
    task = world.post(f"/acedata/{service}/videos", {"prompt": "a cat", "async": True}).json()["task_id"]
    body = {"action": "delete", "id": task, "user_id": "somebody"}
    answers = [world.post(f"/acedata/{service}/tasks", body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [403, 200, 200]
    assert [answer.json().get("deleted") for answer in answers] == [None, True, False]
    assert world.post(f"/acedata/{service}/tasks", {"id": task}).json() == {}
    assert operations_of(world) == ["create", "delete", "delete", "delete", "poll"]
    missing = world.post(f"/acedata/{service}/tasks", {"action": "delete"})
    assert (missing.status_code, missing.json()["error"]["code"]) == (400, "bad_request")
    assert missing.json()["error"]["message"] == "id: expected the task's id as a string, got none"


# Remixes


@each
def test_a_remix_is_a_new_task(provider: str) -> None:
    """It takes over what it doesn't say, names what it is made from, and lives its own life."""
    world = World(profile=CURRENT)
    source = created(world, provider, model="sora-2-pro", seconds="8", size="1792x1024")
    remix = world.post(f"/{provider}/v1/videos/{source}/remix", {"prompt": "a dog", "seconds": "12"})
    assert remix.status_code == 200
    task = remix.json()["id"]
    assert task != source
    polled = world.get(f"/{provider}/v1/videos/{task}").json()
    printed = (polled["model"], float(polled["seconds"]), polled["size"], polled["remixed_from_video_id"])
    assert printed == ("sora-2-pro", 12.0, "1792x1024", source)
    world.advance(MINUTE)
    assert world.get(f"/{provider}/v1/videos/{task}").json()["status"] == "completed"


@each
def test_a_remix_may_be_a_form(provider: str) -> None:
    """Multipart, as some clients send it."""
    world = World(profile=CURRENT)
    source = created(world, provider)
    body = b'--edge\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na dog\r\n--edge--\r\n'
    remix = world.post(
        f"/{provider}/v1/videos/{source}/remix",
        body,
        headers={"authorization": "Bearer sk-test", "content-type": "multipart/form-data; boundary=edge"},
    )
    assert (remix.status_code, remix.json()["remixed_from_video_id"]) == (200, source)


@each
@pytest.mark.parametrize(
    ("source", "body", "told"),
    [
        ("nobody", {"prompt": "a dog"}, "task_origin_not_exist"),
        ("known", {"prompt": " "}, "field prompt is required"),
        ("known", {}, "field prompt is required"),
        ("known", [], "the body must be a JSON object"),
        ("known", b"{", "not JSON"),
    ],
)
def test_a_bad_remix_is_refused(provider: str, source: str, body: Any, told: str) -> None:
    """An unknown source, no prompt, no object, no JSON; no task is made."""
    world = World("{version: 1, profile: current, tasks: [{id: known}, {}]}")
    count = len(world.namespace.store)
    answer = world.post(f"/{provider}/v1/videos/{source}/remix", body)
    assert answer.status_code == 400
    assert told in answer.body.decode()
    assert len(world.namespace.store) == count


def test_rules_of_a_remix_are_those_of_its_source() -> None:
    """They count its calls; the new task is one of the scenario that the request names."""
    text = """
        version: 1
        profile: current
        tasks:
          - match: {prompt: {contains: dog}}
            timeline: [{status: failed}]
          - {}
        rules:
          - {operation: remix, calls: 1, while: queued, error: rate_limited}
          - {operation: create, calls: 2+, error: internal}
          - {operation: remix, patch: {remixed: true}}
    """
    world = World(text)
    source, path = created(world, "octopusx"), "/octopusx/v1/videos/{}/remix"
    refused = world.post(path.format(source), {"prompt": "a dog"})
    assert (refused.status_code, refused.json()["code"]) == (429, "fail_to_fetch_task")
    made = world.post(path.format(source), {"prompt": "a dog"}).json()
    assert (made["status"], made["remixed"]) == ("failed", True)
    named = world.post(path.format(source), {"prompt": "a dog scenario:happy-path"}).json()
    assert named["status"] == "queued"
    assert operations_of(world) == ["create", "remix", "remix", "remix"]


def test_the_journal_tells_both_tasks_of_a_remix() -> None:
    """The source, whose rules judged, and the new one."""
    world = World(profile=CURRENT)
    source = created(world, "octopusx")
    made = world.post(f"/octopusx/v1/videos/{source}/remix", {"prompt": "a dog"}).json()["id"]
    answer = world.get("/__admin/requests?operation=remix", headers=ADMIN)
    (told,) = answer.json()["requests"]
    assert [task["id"] for task in told["tasks"]] == [source, made]


def test_the_same_remix_makes_other_tasks() -> None:
    """As the same create does; and the ids are those of the seed."""
    ids = []
    for _ in range(2):
        world = World(profile=CURRENT)
        source = created(world, "octopusx")
        made = [
            world.post(f"/octopusx/v1/videos/{source}/remix", {"prompt": "a dog"}).json()["id"]
            for _ in range(3)
        ]
        ids.append(made)
        assert len({source, *made}) == 4
    assert ids[0] == ids[1]


# Profiles


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("HEAD", ""), ("DELETE", "/known"), ("DELETE", "/nobody"), ("POST", "/known/remix")],
)
def test_documented_has_no_such_route(method: str, path: str) -> None:
    """The answer is that of a path that isn't there, before any rule; the journal names no operation."""
    text = """
        version: 1
        profile: documented
        tasks: [{id: known, timeline: [{status: completed}]}, {}]
        rules: [{operation: [list, delete, remix], error: internal}]
    """
    world = World(text)
    answer = world.call(method, f"/ezmodel/v1/videos{path}", {"prompt": "a dog"})
    assert answer.status_code == 404
    assert method == "HEAD" or answer.json()["error"]["code"] == "invalid_url"
    assert operations_of(world) == [None]


def test_a_task_brings_its_own_profile() -> None:
    """One of a scenario in profile `current` can be deleted while another scenario is in force."""
    other = "{version: 1, profile: current, tasks: [{timeline: [{status: completed}]}]}"
    world = World("{version: 1, profile: documented}", others=[other])
    task = created(world, "octopusx", "a cat scenario:other-0")
    assert world.call("DELETE", f"/octopusx/v1/videos/{task}").json()["deleted"] is True


def test_the_root_leads_to_who_knows_the_task() -> None:
    """A deletion and a remix as a poll; a list, which names no task, to the root provider."""
    world = World(profile=CURRENT)
    task = created(world, "ezmodel")
    world.advance(MINUTE)
    assert world.post(f"/v1/videos/{task}/remix", {"prompt": "a dog"}).json()["id"].startswith("vid_")
    assert world.call("DELETE", f"/v1/videos/{task}").json()["deleted"] is True
    assert world.get("/v1/videos").json()["data"] == []


# Videos made of others


@pytest.mark.parametrize("by_video", [True, False], ids=["data[].id", "task id"])
@pytest.mark.parametrize("profile", Profile)
def test_veo_knows_the_source_by_either_name(profile: Profile, by_video: bool) -> None:
    """What upsamples it keeps its video's id and dates; an extension is a video of its own, and no source of some."""
    world = World(profile=profile)

    def made(path: str, **fields: Any) -> str:
        answer = world.post(f"/acedata/veo/{path}", {"async": True, **fields})
        assert answer.status_code == 200, answer.body
        world.advance(MINUTE)
        return str(answer.json()["task_id"])

    def video(task: str) -> dict[str, Any]:
        (shown,) = world.post("/acedata/veo/tasks", {"id": task}).json()["response"]["data"]
        return dict(shown)

    source = made("videos", action="text2video", prompt="a cat")
    name = video(source)["id"] if by_video else source
    for larger in (
        made("upsample", video_id=name, action="4k"),
        made("videos", video_id=name, action="get1080p"),
    ):
        assert {**video(larger), "video_url": ""} == {**video(source), "video_url": ""}
        assert video(larger)["video_url"] != video(source)["video_url"]
    extended = made("extend", video_id=name, model="veo31")
    assert video(extended)["id"] != video(source)["id"]
    assert video(extended).get("is_extend_result") is (True if profile is CURRENT else None)
    again = made("extend", video_id=video(extended)["id"] if by_video else extended, model="veo31")
    for path in ("reshoot", "objects"):
        assert made(path, video_id=name, motion_type="UP", action="insert", prompt="a hat")
        for refused in (extended, again, video(extended)["id"]):
            answer = world.post(f"/acedata/veo/{path}", {"video_id": refused})
            assert answer.status_code == 400
            assert "extension" in answer.json()["error"]["message"]
        assert made(path, video_id="nobody's")


def test_a_larger_extension_is_still_an_extension() -> None:
    """Upsampling one doesn't make it fit for a reshoot."""
    world = World(profile=CURRENT)
    task = world.post("/acedata/veo/extend", {"video_id": "x", "async": True}).json()["task_id"]
    world.advance(MINUTE)
    larger = world.post("/acedata/veo/upsample", {"video_id": task, "action": "1080p", "async": True}).json()[
        "task_id"
    ]
    assert world.post("/acedata/veo/reshoot", {"video_id": larger}).status_code == 400
