"""Hypothesis strategies: what a provider could do to a client, what a client could send, and in which order.

Hypothesis is an extra, ``pip install "video-emulator[hypothesis]"``; everything else does without it.
"""

try:
    import hypothesis as _hypothesis  # noqa: F401 - asked for here, so that its absence is told in one sentence
except ModuleNotFoundError as _missing:
    if _missing.name != "hypothesis":
        raise
    raise ModuleNotFoundError(
        'emulator.strategies needs Hypothesis: pip install "video-emulator[hypothesis]"', name="hypothesis"
    ) from None

from emulator.strategies.generated import GeneratedScenario
from emulator.strategies.interleavings import (
    Advance,
    AnyStep,
    Cancel,
    Create,
    Download,
    Fail,
    Played,
    Poll,
    Step,
    interleavings,
    play,
)
from emulator.strategies.requests import create_requests
from emulator.strategies.rules import rules
from emulator.strategies.scenarios import scenarios
from emulator.strategies.timelines import timelines

__all__ = [
    "Advance",
    "AnyStep",
    "Cancel",
    "Create",
    "Download",
    "Fail",
    "GeneratedScenario",
    "Played",
    "Poll",
    "Step",
    "create_requests",
    "interleavings",
    "play",
    "rules",
    "scenarios",
    "timelines",
]
