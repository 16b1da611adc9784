"""What the gateway refuses of a create: model, prompt, seconds and size, in the order in which it looks at them.

For `Profile.CURRENT` alone. The documents show no refusal of a create, so `Profile.DOCUMENTED` stays lenient.
"""

from collections.abc import Mapping
from typing import Any, Final

from emulator.core.call import Create, Refusal
from emulator.core.words import ErrorName, Profile
from emulator.providers.base import Inbound
from emulator.providers.openai_style import NO_MODEL, created_call, number, pixel_size, seconds_asked, text

# Gateway source: the only models whose sizes it knows.
_SIZES: Final = {
    "sora-2": frozenset({"720x1280", "1280x720"}),
    "sora-2-pro": frozenset({"720x1280", "1280x720", "1792x1024", "1024x1792"}),
}
_DEFAULT_MODEL: Final = "sora-2"
_LONGEST: Final = 3600
"""In seconds. Gateway source: 0 to 3600."""


def current_create(inbound: Inbound, *, other_sizes: bool) -> Create:
    """A create as the gateway judges it; in `Profile.DOCUMENTED` nothing is judged here.

    Args:
        inbound: the request.
        other_sizes: whether the provider's own pages have sizes such as ``16:9`` and ``720P`` too.
    """
    if inbound.profile is not Profile.CURRENT:
        return created_call(inbound, prompt_needed=True)
    call = created_call(inbound, prompt_needed=False)
    if call.refusal is not None:
        return call
    refusal = _problem(call.fields, other_sizes=other_sizes)
    return call if refusal is None else Create(fields=call.fields, refusal=refusal)


def _problem(fields: Mapping[str, Any], *, other_sizes: bool) -> Refusal | None:
    model = text(fields.get("model"))
    if "model" in fields and not (model or "").strip():
        # Gateway source. It refuses a create without the field too, as OpenAI's client sends it: that one is taken
        # all the same, which is our choice, and gets OpenAI's default.
        return NO_MODEL
    if not (text(fields.get("prompt")) or "").strip():
        return Refusal(ErrorName.BAD_REQUEST, "prompt is required", "invalid_request")
    seconds = number(seconds_asked(fields))
    if seconds is not None and not 0 <= seconds <= _LONGEST:
        # Gateway source: the code; the text is our choice.
        return Refusal(ErrorName.BAD_REQUEST, f"seconds must be between 0 and {_LONGEST}", "invalid_seconds")
    sizes, size = _SIZES.get(model or _DEFAULT_MODEL), text(fields.get("size"))
    if sizes is None or size is None or size in sizes:
        return None
    if other_sizes and not pixel_size(size):
        return None
    return Refusal(
        ErrorName.BAD_REQUEST, f"{model or _DEFAULT_MODEL} size is invalid", "invalid_size"
    )  # gateway source
