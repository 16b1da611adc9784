"""The application as a client meets it: which provider answers where, and what stands around every answer."""

import pytest

from emulator.core.units import SECOND
from emulator.core.words import Profile
from tests.worlds import KEY, World

JSON_KEY = {**KEY, "content-type": "application/json"}
PROMPT = {"prompt": "a cat", "model": "sora-2"}
EXISTING = """
version: 1
tasks:
  - {id: both}
  - {id: octo, provider: octopusx}
  - {id: ez, provider: ezmodel}
  - {id: 1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed, provider: acedata-veo}
"""


def retrieve(task_id: str) -> dict[str, str]:
    """The body of AceData's query for one task."""
    return {"id": task_id, "action": "retrieve"}


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("/octopusx/v1/videos/octo", "localhost:8080"),
        ("/v1/videos/octo", "octopusx.ai"),
        ("/v1/videos/octo", "OCTOPUSX.AI:8443"),
        ("/v1/videos/octo", "localhost:8080"),
        ("//octopusx//v1/videos/octo".replace("x//", "x/"), "localhost"),
        ("/octopusx/v1/videos/octo/", "localhost"),
    ],
)
def test_a_provider_answers_under_its_base_its_host_and_the_root(path: str, host: str) -> None:
    """The same task, whichever way in."""
    answer = World(EXISTING).get(path, host=host)
    assert answer.status_code == 200
    assert answer.json()["id"] == "octo"
    assert "video_url" in answer.json()


def test_the_root_leads_to_the_provider_that_knows_the_task() -> None:
    """EzModel's task is printed as EzModel prints it: no key for what there is not."""
    answer = World(EXISTING).get("/v1/videos/ez")
    assert answer.json()["status"] == "pending"
    assert "video_url" not in answer.json()


@pytest.mark.parametrize("task_id", ["both", "nobody"])
@pytest.mark.parametrize("root", ["octopusx", "ezmodel"])
def test_the_root_provider_answers_where_both_or_neither_know_the_task(task_id: str, root: str) -> None:
    """Which is OctopusX unless an option says otherwise."""
    world = World(EXISTING, root_provider=root)
    at_root, at_base = (world.get(f"{base}/v1/videos/{task_id}") for base in ("", f"/{root}"))
    assert (at_root.status_code, at_root.json()) == (at_base.status_code, at_base.json())


def test_creates_at_the_root_go_to_the_root_provider() -> None:
    """EzModel's ids begin with vid_."""
    assert World(root_provider="ezmodel").post("/v1/videos", PROMPT).json()["id"].startswith("vid_")
    assert World().post("/v1/videos", PROMPT).json()["id"].startswith("video_")


def test_a_task_is_known_to_its_provider_alone() -> None:
    """A Veo id is unknown at Sora's tasks, an OctopusX id at EzModel."""
    world = World(EXISTING)
    veo = retrieve("1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed")
    assert world.post("/veo/tasks", veo).json()["id"] == veo["id"]
    assert world.post("/sora/tasks", veo).json() == {}
    assert world.get("/ezmodel/v1/videos/octo").status_code == 404


def test_a_doubled_slash_before_the_path_is_no_obstacle() -> None:
    """A base URL that ends in a slash gives //sora/videos."""
    assert World().post("//sora/videos", {**PROMPT, "async": True}).status_code == 200


def test_an_id_may_hold_an_encoded_slash_a_colon_and_unicode() -> None:
    """The path is cut at its slashes before it is decoded."""
    world = World('version: 1\ntasks:\n  - id: "sora-2:task/ü"\n')
    answer = world.get("/octopusx/v1/videos/sora-2:task%2F%C3%BC")
    assert answer.json()["id"] == "sora-2:task/ü"


@pytest.mark.parametrize(
    ("method", "path", "host", "status_code"),
    [
        ("GET", "/acedata/nothing", "localhost", 404),
        ("GET", "/acedata/sora/tasks", "localhost", 404),
        ("POST", "/veo/nothing", "localhost", 404),
        ("GET", "/octopusx/v1/nothing", "localhost", 404),
        ("PUT", "/octopusx/v1/videos/x", "localhost", 404),
        ("GET", "/ezmodel", "localhost", 404),
        ("GET", "/anything", "api.acedata.cloud", 404),
        ("GET", "/__admin/health", "octopusx.ai", 404),
        ("GET", "/v1/nothing", "localhost", 404),
    ],
)
@pytest.mark.parametrize("profile", list(Profile))
def test_an_unknown_path_answers_the_providers_own_not_found(
    method: str, path: str, host: str, status_code: int, profile: Profile
) -> None:
    """Never Starlette's, and never without the provider's headers."""
    answer = World(profile=profile).call(method, path, host=host)
    assert answer.status_code == status_code
    assert answer.headers["content-type"].startswith("application/json")
    assert "error" in answer.json()
    assert "x-request-id" in answer.headers or "x-oneapi-request-id" in answer.headers


def test_the_root_path_tells_a_newcomer_where_to_go() -> None:
    """And an unknown one tells the same, as a 404."""
    root, elsewhere = World().get("/"), World().get("/nothing/here")
    assert root.json()["providers"]["octopusx"] == "http://emulator.test:8080/octopusx"
    assert (elsewhere.status_code, elsewhere.json()["providers"]) == (404, root.json()["providers"])


def test_a_preflight_is_answered() -> None:
    """AceData's own web client asks for headers of its own."""
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-record-exempt, a\x01b",
    }
    answer = World().call(
        "OPTIONS", "/sora/tasks", headers={**asked, "origin": "https://studio.acedata.cloud"}
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"] == "x-record-exempt"
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_every_answer_dates_from_the_emulators_clock() -> None:
    """Not from the machine's."""
    world = World(EXISTING)
    world.advance(3600 * SECOND)
    for answer in (
        world.get("/v1/videos/octo"),
        world.get("/v1/videos/nobody"),
        world.get("/acedata/nothing"),
    ):
        assert answer.headers["date"] == "Wed, 01 Jan 2025 01:00:00 GMT"


def test_head_is_answered_like_get() -> None:
    """Same status and headers."""
    world = World(EXISTING)
    assert world.call("HEAD", "/v1/videos/octo").status_code == 200
    assert world.call("HEAD", "/v1/videos/nobody").status_code == 404


def test_a_defect_of_ours_looks_like_ours(caplog: pytest.LogCaptureFixture) -> None:
    """A provider whose code breaks gives a 500 that names the emulator, and the log has the traceback."""
    world = World(EXISTING)
    world.namespace.store.get = None  # type: ignore[assignment, method-assign]
    answer = world.get("/v1/videos/octo")
    assert answer.status_code == 500
    assert "video_emulator" in answer.json()
    assert "Traceback" not in answer.body.decode()
    assert "TypeError" in caplog.text


def test_the_journal_hears_of_every_exchange() -> None:
    """With the task and the rule that answered, whichever road it took."""
    world = World(EXISTING + "rules:\n  - {operation: poll, calls: 2, error: internal}\n")
    world.get("/v1/videos/octo")
    world.get("/v1/videos/octo")
    world.post("/v1/videos", PROMPT)
    world.get("/nothing/here")
    kept = [
        (r.number, r.operation, r.reply.status_code, r.reply.verdict.rule is not None)
        for r in world.namespace.journal
    ]
    assert kept == [
        (1, "poll", 200, False),
        (2, "poll", 500, True),
        (3, "create", 200, False),
        (4, None, 404, False),
    ]


def test_a_public_url_takes_the_place_of_the_host_in_links() -> None:
    """For an emulator behind another address."""
    text = "version: 1\ntasks:\n  - {id: done, provider: octopusx, timeline: [{status: completed}]}\n"
    own, public = World(text), World(text, public_url="https://emu.example:8443")
    assert (
        own.get("/v1/videos/done")
        .json()["video_url"]
        .startswith("http://emulator.test:8080/media/octopusx/done/")
    )
    assert public.get("/v1/videos/done").json()["video_url"].startswith("https://emu.example:8443/media/")


def test_links_take_the_host_of_the_create() -> None:
    """Not that of the poll."""
    world = World("version: 1\ntasks:\n  - timeline: [{status: completed}]\n")
    task_id = world.post("/octopusx/v1/videos", PROMPT, host="inside:1").json()["id"]
    url = world.get(f"/octopusx/v1/videos/{task_id}", host="outside:2", headers=KEY).json()["video_url"]
    assert url.startswith("http://inside:1/media/")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "answered"),
    [
        ("GET", "/octopusx/v1/videos/octo", b"", KEY, True),
        ("GET", "/v1/videos/ez", b"", KEY, True),
        ("GET", "/v1/videos/ez", b"", {**KEY, "host": "octopusx.ai"}, False),
        ("POST", "/acedata/veo/tasks", b'{"id": "1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed"}', JSON_KEY, True),
        ("POST", "/veo/tasks", b'{"id": "1ebe4f2b-59ba-4385-a4ea-0ce8a3fe12ed"}', KEY, False),
        ("POST", "/veo/tasks", b"{", JSON_KEY, False),
        ("POST", "/veo/tasks", b'{"id": "nobody"}', JSON_KEY, False),
        ("POST", "/octopusx/v1/videos", b"{}", JSON_KEY, False),
        ("GET", "/octopusx/v1/videos/octo", b"", {}, False),
        ("GET", "/octopusx/v1/videos/octo", b"", {**KEY, "x-emulator-scenario": "happy-path"}, False),
        ("GET", "/octopusx/v1/videos/octo/content", b"", KEY, False),
        ("GET", "/__admin/health", b"", {}, False),
        ("GET", "/", b"", {}, False),
    ],
)
def test_what_is_answered_at_once_is_what_would_be_answered_anyway(
    method: str, path: str, body: bytes, headers: dict[str, str], answered: bool
) -> None:
    """To the byte; and what isn't has changed nothing."""
    prompt, usual = World(EXISTING), World(EXISTING)
    fields = [
        (name.encode(), value.encode()) for name, value in {"host": "emulator.test:8080", **headers}.items()
    ]
    before = list(prompt.namespace.store.newest_first())
    reply = prompt.at_once(method, path, fields, body)
    assert (reply is not None) is answered
    if reply is None:
        assert list(prompt.namespace.store.newest_first()) == before
        return
    answer = usual.call(method, path, body or None, headers=headers)
    assert reply == answer
    assert list(prompt.namespace.store.newest_first()) == list(usual.namespace.store.newest_first())


def test_a_head_of_a_poll_is_not_answered_at_once() -> None:
    """Its answer has no body, which only uvicorn's way minds."""
    world = World(EXISTING)
    fields = [(b"host", b"localhost"), (b"authorization", b"Bearer sk-test")]
    assert world.at_once("GET", "/octopusx/v1/videos/octo", fields) is not None
    assert world.at_once("HEAD", "/octopusx/v1/videos/octo", fields) is None
