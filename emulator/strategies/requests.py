"""Create requests: bodies that a real client could send."""

import re
from typing import Any, Final

from hypothesis import strategies as st

from emulator.strategies.arguments import Json, provider_called

Strategy = st.SearchStrategy[Any]

_SIMPLEST: Final = "A cat"
_NAMES_A_SCENARIO: Final = re.compile("scenario:", re.I)
_PROMPTS: Final = (
    _SIMPLEST,
    "A cat runs along a river, cinematic, 35mm",
    "一只猫在河边奔跑",
    "Кошка бежит вдоль реки",
    "قطة تجري على ضفة النهر",
    "\U0001f408\u200d\u2b1b and a cafe\u0301",  # joined and combining characters
    "Line one\nline two\ttabbed",
    'C:\\videos\\cat\'s "best".mp4 %s {0} ${HOME} <b>&amp;',
)


def prompts() -> st.SearchStrategy[str]:
    """What people and programs write: never blank, and none that would name a scenario."""
    letters = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
    free = st.text(letters, min_size=1, max_size=120).filter(is_prompt)
    return st.one_of(st.sampled_from(_PROMPTS), free)


def is_prompt(text: str) -> bool:
    """Whether a text can be a prompt: not blank, and none that names a scenario, which would put it in force."""
    return bool(text.strip()) and _NAMES_A_SCENARIO.search(text) is None


def create_requests(provider: str) -> st.SearchStrategy[Json]:
    """Bodies of creates, for JSON. The simplest is a short prompt with what the provider can't do without.

    Args:
        provider: who gets them.

    Raises:
        ValueError: there is no such provider.
    """
    return _BODIES[provider_called(provider).name]()


def _body(required: dict[str, Strategy], **optional: Strategy) -> Strategy:
    """A body whose members stand in the order in which they are given here."""
    order = (*required, *optional)
    drawn = st.fixed_dictionaries(required, optional=optional)
    return drawn.map(lambda body: {name: body[name] for name in order if name in body})


def _of(*values: Any) -> Strategy:
    return st.sampled_from(values)


_PICTURES: Final = (
    "https://cdn.acedata.cloud/11wfp4.png",  # documents/000
    "https://example.com/cat.jpg",
    "data:image/png;base64,iVBORw0KGgo=",
)


def _pictures(most: int) -> Strategy:
    return st.lists(st.sampled_from(_PICTURES), min_size=1, max_size=most)


# Ace Data. Fact sheet: without `async` or `callback_url` the real service holds the connection until the video is
# done, which the emulator doesn't yet; and whoever asks for callbacks needs somebody who takes them.


def _sora() -> Strategy:
    """Fact sheet: the guides' two versions, whose fields differ."""
    prompt = {"prompt": prompts()}
    waits = {"async": st.just(True)}
    usual = {
        "size": _of("small", "large"),
        "orientation": _of("landscape", "portrait"),
        "image_urls": _pictures(3),
    }
    first = _body({**prompt, **waits}, model=_of("sora-2", "sora-2-pro"), duration=_of(10, 15), **usual)
    longest = _body({**prompt, "model": st.just("sora-2-pro"), "duration": st.just(25), **waits}, **usual)
    with_someone = _body(
        {
            **prompt,
            "character_url": st.just("https://example.com/character.mp4"),
            "character_start": st.integers(0, 5),
            **waits,
        }
    ).map(_with_end)
    second = _body(
        {**prompt, "version": st.just("2.0"), **waits},
        model=_of("sora-2", "sora-2-pro"),
        duration=_of(4, 8, 12),
        size=_of("720x1280", "1280x720", "1024x1792", "1792x1024"),
        image_urls=_pictures(1),
    )
    return st.one_of(first, longest, with_someone, second)


def _with_end(body: Json) -> Json:
    """Fact sheet: the end is one to three seconds after the start."""
    start = body["character_start"]
    return {**body, "character_end": start + 1 + start % 3}


_VEO_MODELS: Final = (
    "veo2",
    "veo2-fast",
    "veo3",
    "veo3-fast",
    "veo31",
    "veo31-fast",
    "veo31-fast-ingredients",
)


def _veo() -> Strategy:
    """documents/002 and fact sheet: four actions."""
    shape = {"aspect_ratio": _of("16:9", "9:16"), "translation": st.booleans()}

    def request(action: str, required: dict[str, Strategy], **optional: Strategy) -> Strategy:
        head = {"action": st.just(action), "prompt": prompts(), "async": st.just(True)}
        return _body({**head, **required}, **optional)

    return st.one_of(
        request("text2video", {}, model=_of(*_VEO_MODELS[:-1]), resolution=_of("1080p", "gif"), **shape),
        request("text2video", {"model": st.just("veo31"), "resolution": st.just("4k")}, **shape),
        request("image2video", {"image_urls": _pictures(2)}, model=_of(*_VEO_MODELS[:-1]), **shape),
        request("ingredients2video", {"image_urls": _pictures(3)}, **shape),
        request(
            "get1080p",
            {"video_id": st.just("2f43ceed37944b4d836e1a1899dad0a1")},  # documents/002
            model=_of(*_VEO_MODELS[:-1]),
        ),
    )


# OctopusX and EzModel


def _octopusx() -> Strategy:
    """Fact sheet, the provider's pages: `prompt` and `model`; seconds as text or number, sizes in three spellings."""
    sizes = ("720x1280", "1280x720", "16:9", "9:16", "720P")
    larger = ("1024x1792", "1792x1024")

    def request(models: Strategy, *sizes: str, **optional: Strategy) -> Strategy:
        return _body(
            {"model": models, "prompt": prompts()},
            seconds=_of("10", "5", "15", "4", "8", "12", 10, 5),
            size=_of(*sizes),
            input_reference=st.one_of(st.sampled_from(_PICTURES), _pictures(2)),
            metadata=_metadata(),
            **optional,
        )

    return st.one_of(
        request(st.just("sora-2"), *sizes),
        # Gateway source: the larger two are refused of sora-2, in profile `current`.
        request(_of("sora-2-pro", "sora_video2", "veo_3_1-fast", "grok-video-3"), *sizes, *larger),
        request(_of("omni-fast"), *sizes, aspect_ratio=_of("16:9", "9:16"), images=_pictures(5)),
    )


def _ezmodel() -> Strategy:
    """Fact sheet, the provider's pages: the older create page's names, and the newer one's."""
    older = _body(
        {"prompt": prompts()},
        model=_of("sora-1.0", "sora-turbo"),  # documents/003
        duration=_of(10, 5, 15, 4.5),
        width=_of(1920, 1080, 1280, 720),
        height=_of(1080, 1920, 720, 1280),
        fps=_of(30, 24, 60),
        seed=st.integers(0, 2**31 - 1),
        n=st.just(1),
        response_format=st.just("url"),
        user=_of("user-1", "用户"),
        image=st.sampled_from(_PICTURES),
        metadata=_metadata(),
    )
    newer = _body(
        {"prompt": prompts()},
        model=st.just("sora-2"),
        seconds=_of("4", "8", "12"),
        size=_of("720x1280", "1280x720"),
    )
    return st.one_of(newer, older)


def _metadata() -> Strategy:
    return st.dictionaries(
        _of("order", "user_id", "note"), st.one_of(st.integers(0, 9), prompts()), max_size=2
    )


_BODIES: Final = {"acedata-sora": _sora, "acedata-veo": _veo, "octopusx": _octopusx, "ezmodel": _ezmodel}
