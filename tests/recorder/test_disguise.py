"""What leaves a recording: words stay, and what tells of somebody goes, wherever it stands."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.providers import by_name
from emulator.recorder.disguise import LONGEST, SOME_SECOND, Disguise, tells_somebody
from emulator.recorder.reading import Read, Reader
from emulator.recorder.seen import Seen

KEY = "sk-live-abcdefgh12345678"
PROMPT = "A lighthouse on a cliff, in the style of nobody"


def read(answer: Any, status: int = 200, **fields: Any) -> Read:
    """A create and its answer, understood."""
    seen = Seen(
        at=0,
        began=0,
        method="POST",
        path="/v1/videos",
        raw_path=b"/v1/videos",
        headers={b"authorization": f"Bearer {KEY}".encode(), b"cookie": b"session=c00kie-of-mine"},
        fields={"prompt": PROMPT, **fields},
        status_code=status,
        answer_headers={b"content-type": b"application/json", b"set-cookie": b"sid=s1d-of-mine; Path=/"},
        body=json.dumps(answer).encode(),
    )
    found = Reader(by_name["octopusx"]).read(seen)
    assert found is not None
    return found


ANSWER = {
    "id": "video_77",
    "status": "queued",
    "video_url": "https://cdn.example.com/a/b.mp4?Expires=1&Signature=s1gnature-of-mine",
    "api_key": "short",
}
DISGUISE = Disguise([read(ANSWER)])


@pytest.mark.parametrize(
    "text",
    [
        "Your request was blocked by our moderation system.",
        'provider said: {"error": "timeout"}',
        "生成失败, 请稍后重试",
        "content_policy_violation",
        "insufficient_user_quota",
        "No available channel for model sora-2 under group default (distributor)",
        "1280x720",
        "720p",
        "rate limit: 60 per minute, 5% left",
        "application/json; charset=utf-8",
        "AuthenticationFailed",
        "POST /v1/videos",
        "",
    ],
)
def test_words_stay(text: str) -> None:
    """Sizes, codes and models too, in any language."""
    assert DISGUISE.text(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"Invalid token {KEY}", "Invalid token [key]"),
        ("cookie c00kie-of-mine", "cookie [key]"),
        ("again: s1d-of-mine", "again: [key]"),
        ("it was s1gnature-of-mine", "it was [key]"),
        ("see https://me.example.com/x?y=z, please", "see [link] please"),
        ("mail me@example.com", "mail [id]"),
        ("task video_77 is gone", "task [id] is gone"),
        ("(request id: 202501010000000000005f3a91c7abcdef12)", "(request id: [id])"),
        ("b8976e18-32dc-4718-9ed8-1ea090fcb6ea", "[id]"),
        ("from 192.168.17.4", "from [id]"),
        ("at 2025-10-10T14:15:30.123Z", "at [date]"),
        ("on Wed, 01 Jan 2025 00:00:00 GMT", "on [date]"),
        ("2025-07-25 17:21:45", "[date]"),
        ("the key is hunter2a", "the key is [id]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "[id]"),
        ("order 4711471147", "order [id]"),
        (f"Refused: {PROMPT}", "Refused: Prompt 1 of the recording"),
        ("Refused: in the style of nobody, at last on a cliff, in the style of nob", "[hidden]"),
        ("a {{ request.prompt }} b", "a { { request.prompt } } b"),
        ("a\tb\x00c", "a b c"),
    ],
)
def test_what_tells_of_somebody_goes(text: str, told: str) -> None:
    """Keys that were presented, ids, links, dates, addresses; what may be a template is none."""
    assert DISGUISE.text(text) == told


def test_names_tell_of_somebody_too() -> None:
    """Whatever stands under them; members themselves may be ids."""
    told = DISGUISE.value(
        {
            "user_id": "me",
            "user_no": 7,
            "org": "mine",
            "account": 4711,
            "api_token": "x",
            "created_at": 1760105642.045,
            "expires": 1760105642,
            "balance": 123456789,
            "count": 3,
            "b8976e18-32dc-4718-9ed8-1ea090fcb6ea": True,
            "model": "veo-3.1-fast",
            "list": [{"id": "y"}, None, True, 2.5],
        }
    )
    assert told == {
        "user_id": "[id]",
        "user_no": 7,
        "org": "[id]",
        "account": 1,
        "api_token": "[key]",
        "created_at": float(SOME_SECOND),
        "expires": SOME_SECOND,
        "balance": 1,
        "count": 3,
        "member_10": True,
        "model": "veo-3.1-fast",
        "list": [{"id": "[id]"}, None, True, 2.5],
    }


@given(st.text())
def test_disguising_twice_is_disguising_once(text: str) -> None:
    """So that an answer of the replay, made of what was disguised, equals the recorded one."""
    once = DISGUISE.text(text)
    assert DISGUISE.text(once) == once
    assert len(once) <= LONGEST


@given(st.text(min_size=0, max_size=40), st.text(min_size=0, max_size=40))
def test_a_key_goes_wherever_it_stands(before: str, after: str) -> None:
    """Between any two texts."""
    assert KEY not in DISGUISE.text(f"{before}{KEY}{after}")


def test_prompts_stay_where_they_are_kept_but_for_keys() -> None:
    """And but for a scenario's name, which the emulator would follow."""
    kept = Disguise([read(ANSWER, prompt=f"cat, scenario:happy-path, {KEY}")], keep_prompts=True)
    assert kept.text(f"cat, scenario:happy-path, {KEY}").startswith("cat, scenario happy-path, [key")


@pytest.mark.parametrize(
    "secret", ["sk-proj-abcDEF1234567890abcDEF", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "jo@example.com"]
)
def test_a_kept_prompt_tells_of_nobody(secret: str) -> None:
    """Whatever somebody wrote into it: its words stay, and what looks like a key or an id doesn't."""
    prompt = f"a red cat, {secret} and {{{{ this }}}}"
    told = Disguise([read(ANSWER, prompt=prompt)], keep_prompts=True).text(prompt)
    assert told.startswith("a red cat, ")
    assert secret not in told
    assert "{{" not in told


@pytest.mark.parametrize(
    "token", ["sk-a", "a1b2c3d4", "S3cret", "12345678", "xoxb-1", "c0ffee00", "A" * 5 + "1"]
)
def test_a_token_tells_of_somebody(token: str) -> None:
    """Letters and digits mixed, many digits, a key's beginning."""
    assert tells_somebody(token)


@pytest.mark.parametrize("token", ["sora-2", "veo3", "1920x1080", "content_policy_violation", "v1.0.0-rc.21"])
def test_a_name_tells_of_nobody(token: str) -> None:
    """Of models, sizes, codes, versions."""
    assert not tells_somebody(token)
