"""What providers' clients are answered, in each form: to the byte what they are answered in the others."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from emulator.library import Library
from tests.forms.forms import TOKEN, Form, Said, Talk, talk
from tests.forms.wire import BATCHES, NAMES, batch, create, link_in, poll

STORY: Final = """
version: 1
name: story
auth: {keys: ["sk-*"], reject: [{key: "sk-broke-*", operation: create, error: insufficient_quota}]}
tasks:
  - id: task-before
    created: -1m
    timeline: [{status: completed}]
  - match: {prompt: {contains: forbidden}}
    timeline: [{status: queued, for: 2s}, {status: failed, error: {code: policy, message: Refused}}]
  - choices:
      - {weight: 1, timeline: [{status: processing, for: {min: 5s, max: 50s}}, {status: completed}]}
      - {weight: 1, timeline: [{status: queued, polls: 2}, {status: failed}]}
    patch: {extra: "{{ task.id }}"}
rules:
  - {operation: poll, calls: 2, error: rate_limited, retry_after: 5s}
  - {operation: poll, calls: 3, respond: {status_code: 418, headers: {x-odd: "1"}, text: "odd \u00e9"}}
  - {operation: download, calls: 1, error: not_found}
"""
HELD_BACK: Final = "slow-responses"
"""Its answers take their time, in real seconds."""
BROKEN: Final = {"reset-on-poll", "invalid-json"}
"""They break connections, of which one form has none, or what these tests read."""


def heard(form: Form, tell: Callable[[Talk], None], scenario: Any = None) -> list[Said]:
    """What a client heard in a fresh world."""
    with talk(form, scenario) as talking:
        tell(talking)
        return talking.heard


def compare(form: Form, plain: Form, tell: Callable[[Talk], None], scenario: Any = None) -> list[Said]:
    """What a client hears, which is what it hears in the plainest form."""
    found = heard(form, tell, scenario)
    assert found == heard(plain, tell, scenario)
    return found


@pytest.mark.parametrize("provider", NAMES)
def test_a_task_lives(form: Form, plain: Form, provider: str) -> None:
    """From its creation to the download of its result."""

    def tell(talk: Talk) -> None:
        task = create(talk, provider)
        poll(talk, provider, task)
        talk.emulator.clock.advance("5s")
        poll(talk, provider, task)
        talk.emulator.clock.advance("1h")
        if provider in BATCHES:
            assert "/media/" in str(batch(talk, provider, [task, "nobody"]))
        link = link_in(poll(talk, provider, task).json())
        talk.ask_at("HEAD", link)
        talk.ask_at("GET", link, range="bytes=0-99")
        talk.ask_at("GET", link)
        talk.ask_at("GET", f"{link}x")

    said = compare(form, plain, tell)
    assert [one.status_code for one in said[-4:]] == [200, 206, 200, 403]
    assert said[-2].body[4:8] == b"ftyp"
    assert len(said[-3].body) == 100
    assert said[-4].body == b""


@pytest.mark.parametrize("provider", ["octopusx", "ezmodel"])
def test_a_result_is_streamed_by_the_provider(form: Form, plain: Form, provider: str) -> None:
    """By the route that has its bytes; a redirect is followed where the client follows them."""

    def tell(talk: Talk) -> None:
        task = create(talk, provider)
        path = f"/v1/videos/{task}/content"
        talk.ask("GET", provider, path)
        talk.emulator.clock.advance("1h")
        talk.ask("GET", provider, path)
        talk.ask("HEAD", provider, path)

    said = compare(form, plain, tell)
    assert said[-2].body[4:8] == b"ftyp"
    redirects = {
        "version": 1,
        "tasks": [{"timeline": [{"status": "completed", "video": {"content": "redirect"}}]}],
    }
    with form.emulator(redirects) as emulator, form.client(emulator, follow_redirects=True) as http:
        talking = Talk(emulator, http)
        task = create(talking, provider)
        answer = talking.ask("GET", provider, f"/v1/videos/{task}/content")
        assert (len(answer.history), answer.content) == (1, said[-2].body)


@pytest.mark.parametrize("scenario", sorted({*Library().names()} - {HELD_BACK} - BROKEN))
def test_every_shipped_scenario_is_played(form: Form, plain: Form, scenario: str) -> None:
    """By every provider, with good keys and bad ones."""

    def tell(talk: Talk) -> None:
        for provider in NAMES:
            for key in ("sk-good-1", "sk-expired-1", "sk-broke-1"):
                create(talk, provider, authorization=f"Bearer {key}")
            task = create(talk, provider, authorization="Bearer sk-good-1")
            for wait in ("0s", "1s", "9s", "1m", "10m"):
                talk.emulator.clock.advance(wait)
                poll(talk, provider, task, authorization="Bearer sk-good-1")

    assert len(compare(form, plain, tell, scenario)) == 4 * 9


@pytest.mark.parametrize("provider", NAMES)
def test_a_story_of_ones_own_is_played(form: Form, plain: Form, provider: str) -> None:
    """With its draws, rules, patches and keys."""

    def tell(talk: Talk) -> None:
        tasks = [create(talk, provider, prompt) for prompt in ("a", "b", "c", "forbidden")]
        create(talk, provider, authorization="Bearer sk-broke-1")
        poll(talk, provider, "task-before")
        for _ in range(3):
            talk.emulator.clock.advance("1m")
            for task in tasks:
                poll(talk, provider, task)
        create(talk, provider, authorization="Bearer other")

    said = compare(form, plain, tell, STORY)
    assert {one.status_code for one in said} >= {200, 418, 429}
    assert "5" in {one.headers.get("retry-after") for one in said if one.status_code == 429}
    assert next(one for one in said if one.status_code == 418).body == "odd \u00e9".encode()


@pytest.mark.parametrize("provider", NAMES)
def test_what_no_provider_has_is_refused(form: Form, plain: Form, provider: str) -> None:
    """In the provider's words: paths, methods, bodies and keys."""

    def tell(talk: Talk) -> None:
        for method, path in (
            ("GET", "/"),
            ("GET", "/v1/nothing/%2F?a=b"),
            ("DELETE", "/sora/tasks"),
            ("PUT", "/v1/videos"),
            ("OPTIONS", "/v1/videos"),
            ("POST", "/v1/videos"),
            ("POST", "/veo/videos"),
            ("GET", "/v1/videos/" + "x" * 2000),
            ("HEAD", "/v1/videos/nobody"),
            ("HEAD", "/sora/nothing"),
        ):
            talk.ask(method, provider, path)
            talk.ask(method, provider, path, ["no", "object"])
            talk.ask(method, provider, path, {"prompt": 5}, authorization="")

    compare(form, plain, tell)


def test_what_the_emulator_itself_says(form: Form, plain: Form) -> None:
    """Of its namespaces, of a path that nobody has, of a method of the control API that there isn't."""

    def tell(talk: Talk) -> None:
        base = talk.emulator.url("ezmodel").removesuffix("/ezmodel")
        token = {} if TOKEN is None else {"x-emulator-admin-token": TOKEN}
        for path in ("", "/", "/nowhere", "/media/none.mp4", "/__admin/nothing", "/__admin/clock"):
            for method in ("GET", "POST", "DELETE"):
                talk.ask_at(method, f"{base}{path}", None, **token)

    compare(form, plain, tell)


@pytest.mark.parametrize("profile", ["documented", "current"])
def test_the_profile_is_the_worlds(form: Form, plain: Form, profile: Any) -> None:
    """Each shows another face of the providers."""
    told = []
    for one in (form, plain):
        with talk(one, profile=profile) as talking:
            for provider in NAMES:
                poll(talking, provider, create(talking, provider))
                poll(talking, provider, "nobody")
            told.append(talking.heard)
    assert told[0] == told[1]


def test_a_seed_decides_and_the_name_of_the_world_does_not(form: Form) -> None:
    """Two worlds of one seed answer alike; one of another seed doesn't."""

    def ids(seed: int | str) -> list[str]:
        with talk(form, seed=seed) as talking:
            return [create(talking, provider) for provider in NAMES]

    assert ids(5) == ids("5") != ids(6)
